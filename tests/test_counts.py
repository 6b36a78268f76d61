"""Exact parameter counts at the papers' sizes, from shapes alone."""

import jax
import jax.numpy as jnp
import pytest

from gganjax import core, methods
from gganjax.nets.bigraph import BiGraphGenerator
from gganjax.nets.dagan import DAGANGenerator
from gganjax.nets.dance import DanceGenerator
from gganjax.nets.edgegan import EdgeGANGenerator
from gganjax.nets.encoderdecoder import BiasedPatchDiscriminator, EncoderDecoder
from gganjax.nets.lggan import CrossViewGenerator, SemanticGenerator
from gganjax.nets.multiscale import MultiScaleDiscriminator
from gganjax.nets.patch import PatchDiscriminator, PixelDiscriminator
from gganjax.nets.patn import PATNGenerator, ResnetPoseGenerator
from gganjax.nets.pg2 import CoarseGenerator, DCGANDiscriminator, Refiner
from gganjax.nets.pix2pixhd import Pix2pixHDGenerator
from gganjax.nets.pose import PoseDiscriminator
from gganjax.nets.resnet import ResNetGenerator
from gganjax.nets.spade import ImageEncoder, SpadeGenerator, SpadeTrunk
from gganjax.nets.stargan import DomainDiscriminator, PlainGenerator, StarGANGenerator
from gganjax.nets.unet import UNetGenerator
from gganjax.nets.xing import XingGenerator


def count(net, channels):
    shapes = jax.eval_shape(net.init, jax.random.key(0), jax.ShapeDtypeStruct((1, 256, 256, channels), jnp.float32))
    return sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))


@pytest.mark.parametrize("net, channels, expected", [
    (ResNetGenerator(), 3, 11_378_179),
    (ResNetGenerator(), 6, 11_387_587),
    (ResNetGenerator(norm="batch"), 6, 11_392_835),
    (ResNetGenerator(blocks=6), 3, 7_837_699),
    (ResNetGenerator(blocks=6), 6, 7_847_107),
    (ResNetGenerator(blocks=6, norm="batch"), 6, 7_850_819),
    (ResNetGenerator(width=4), 6, 46_447),
    *[(PatchDiscriminator(), c, n) for c, n in ((3, 2_764_737), (6, 2_767_809), (9, 2_770_881), (12, 2_773_953))],
    *[(PatchDiscriminator(norm="batch"), c, n) for c, n in ((3, 2_765_633), (6, 2_768_705), (9, 2_771_777),
                                                           (12, 2_774_849))],
    *[(PatchDiscriminator(layers=l), 6, n) for l, n in ((1, 139_457), (2, 666_049), (4, 6_962_625), (5, 11_157_441),
                                                       (6, 15_352_257))],
    *[(PatchDiscriminator(layers=l, norm="batch"), 6, n) for l, n in ((1, 139_585), (2, 666_433), (4, 6_964_033),
                                                                     (5, 11_159_361), (6, 15_354_689))],
    *[(PixelDiscriminator(), c, n) for c, n in ((3, 8_705), (6, 8_897), (9, 9_089))],
    *[(PixelDiscriminator(norm="batch"), c, n) for c, n in ((3, 8_832), (6, 9_024), (9, 9_216))],
    *[(UNetGenerator(levels=7, norm=k), c, n) for k, c, n in (
        ("instance", 3, 41_825_667), ("instance", 6, 41_828_739), ("batch", 3, 41_828_995), ("batch", 6, 41_832_067))],
    *[(UNetGenerator(norm=k), c, n) for k, c, n in (
        ("instance", 3, 54_409_603), ("instance", 6, 54_412_675), ("batch", 3, 54_413_955), ("batch", 6, 54_417_027))],
    *[(PoseDiscriminator(norm=k), c, n) for k, c, n in (
        ("batch", 21, 3_977_408), ("batch", 6, 3_930_368), ("instance", 21, 3_975_424), ("instance", 6, 3_928_384))],
    (UNetGenerator(), 21, 54_432_387),  # 18 heat maps beside the image, and 18 read off it
    (UNetGenerator(outputs=18), 3, 54_444_690),
    # The cross-view baselines and their ++ forms, at 256x256 and at 64x64; the discriminator of each.
    *[(EncoderDecoder(fork=f), c, n) for f, c, n in (
        (False, 3, 39_081_987), (True, 3, 39_216_326), (False, 6, 39_085_059), (True, 6, 39_219_398))],
    *[(EncoderDecoder(levels=6, fork=f), 3, n) for f, n in ((False, 22_298_627), (True, 22_432_966))],
    (BiasedPatchDiscriminator(), 6, 2_769_601),
])
def test_networks(net, channels, expected):
    assert count(net, channels) == expected


def count_labeled(net, domains, size=128):
    inputs = [jax.ShapeDtypeStruct((1, size, size, 3), jnp.float32)]
    inputs += [] if isinstance(net, DomainDiscriminator) else [jax.ShapeDtypeStruct((1, domains), jnp.float32)]
    shapes = jax.eval_shape(net.init, jax.random.key(0), *inputs)
    return sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))


@pytest.mark.parametrize("net, domains, size, expected", [
    *[(StarGANGenerator(), m, 128, n) for m, n in ((5, 8_430_528), (7, 8_436_800), (8, 8_439_936), (15, 8_461_888))],
    (StarGANGenerator(blocks=0), 7, 128, 1_352_768),
    (StarGANGenerator(blocks=2), 7, 128, 3_714_112),
    (PlainGenerator(), 7, 128, 2_976),
    *[(DomainDiscriminator(m), m, 128, n) for m, n in ((5, 44_762_048), (7, 44_778_432), (8, 44_786_624))],
    *[(DomainDiscriminator(m), m, 256, n) for m, n in ((5, 44_884_928), (7, 44_950_464), (8, 44_983_232))],
])
def test_networks_of_domains(net, domains, size, expected):
    assert count_labeled(net, domains, size) == expected


@pytest.mark.parametrize("net, expected", [
    *[(PATNGenerator(blocks=b), n) for b, n in ((5, 22_483_203), (9, 41_365_763), (13, 60_248_323))],
    *[(PATNGenerator(blocks=b, norm="instance"), n) for b, n in ((5, 22_478_531), (9, 41_358_019), (13, 60_237_507))],
    *[(ResnetPoseGenerator(blocks=b), n) for b, n in ((5, 6_773_635), (9, 11_496_323), (13, 16_219_011))],
    *[(ResnetPoseGenerator(blocks=b, norm="instance"), n) for b, n in (
        (5, 6_770_435), (9, 11_491_075), (13, 16_211_715))],
    (PATNGenerator(width=4, blocks=3), 59_123), (PATNGenerator(width=4, blocks=2, norm="instance"), 40_415),
    (ResnetPoseGenerator(width=4, blocks=3), 25_211),
    *[(XingGenerator("released", blocks=b), n) for b, n in (
        (1, 6_430_141), (3, 16_035_903), (5, 25_641_665), (7, 35_247_427), (9, 44_853_189), (11, 54_458_951),
        (13, 64_064_713))],
    *[(XingGenerator("released", blocks=b, norm="instance"), n) for b, n in (
        (1, 6_427_730), (3, 16_031_956), (5, 25_636_182), (7, 35_240_408), (9, 44_844_634), (11, 54_448_860),
        (13, 64_053_086))],
    (XingGenerator("released", width=4, blocks=3), 81_663),
    (XingGenerator("released", width=4, blocks=2, norm="instance"), 62_583),
    (XingGenerator(), 861_376 + 9 * 1_574_658 + 772_668 + 1_478_016),  # encoders, blocks, image heads, maps
    *[(BiGraphGenerator(form="released", aif="linear2", norm=k), n) for k, n in (
        ("batch", 42_476_995), ("instance", 42_469_445))],
    *[(BiGraphGenerator(form="released", aif="none", norm=k), n) for k, n in (
        ("batch", 42_108_227), ("instance", 42_100_483))],
    *[(BiGraphGenerator(form="released", aif="none", bgr="none", norm=k), n) for k, n in (
        ("batch", 41_365_763), ("instance", 41_358_019))],  # PATN
    # One gcn (20,544) less in each block; a single direction has as much.
    *[(BiGraphGenerator(form="released", aif="none", **row), 42_108_227 - 9 * 20_544) for row in (
        dict(share_gcn=True), dict(bgr="b2a"), dict(bgr="a2b"))],
    (BiGraphGenerator(width=4, blocks=3, form="released", aif="linear2"), 61_639),
    (BiGraphGenerator(width=4, blocks=2, form="released", aif="none", norm="instance"), 41_127),
])
def test_generators_of_poses(net, expected):
    assert count_pose(net) == expected


@pytest.mark.parametrize("norm, expected", [("batch", 42_382_915), ("instance", 42_375_365)])
def test_generator_of_faces(norm, expected):
    assert count_pose(BiGraphGenerator(form="released", aif="linear2", norm=norm), maps=6) == expected


def test_rows_of_the_thesis_form():
    """What the reasoning, a direction, a graph convolution and the fusion add to BiGraphGAN as the text writes it."""
    graph, mixing = 2 * (128 * 128 + 128 + 128 * 64 + 64 + 128 * 128), 64 * 64 + 128 * 128
    plain = count_pose(BiGraphGenerator(aif="none", bgr="none"))
    more = lambda **row: count_pose(BiGraphGenerator(**dict(aif="none") | row)) - plain
    assert more(bgr="b2a") == more(bgr="a2b") == 9 * (graph // 2 + mixing)
    assert more(share_gcn=True) == 9 * (graph + mixing)
    assert more() == 9 * (graph + 2 * mixing)
    fusion = 9 * 256 * 128 + 2 * 128 + 9 * 128 * 64 + 2 * 64 + 64 + 1
    assert more(aif="mask") == more() + fusion


def count_pose(net, maps=36):
    inputs = [jax.ShapeDtypeStruct((1, 128, 64, channels), jnp.float32) for channels in (3, maps)]
    shapes = jax.eval_shape(net.init, jax.random.key(0), *inputs)
    return sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))


@pytest.mark.parametrize("net, height, width, channels, expected", [
    (CoarseGenerator(), 128, 64, (3, 18), 70_795_075),
    (Refiner(), 128, 64, (6,), 6_058_883),
    (DCGANDiscriminator(), 128, 64, (3,), 4_324_737),
    (DCGANDiscriminator(), 128, 64, (6,), 4_329_537),
    (CoarseGenerator(levels=6), 256, 256, (3, 18), 122_103_235),
    (Refiner(levels=4, top_skip=True), 256, 256, (6,), 12_696_067),
    (DCGANDiscriminator(layers=5), 256, 256, (3,), 10_896_257),
    (DCGANDiscriminator(layers=5), 256, 256, (6,), 10_901_057),
])
def test_networks_of_pg2(net, height, width, channels, expected):
    inputs = [jax.ShapeDtypeStruct((1, height, width, each), jnp.float32) for each in channels]
    shapes = jax.eval_shape(net.init, jax.random.key(0), *inputs)
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes["params"])) == expected


# Channels of the semantics, (height, width), upsampling, parameters of generator and discriminator: gaugan.md's table.
LABEL_SETS = {
    "cityscapes": (36, (256, 512), "more", 93_048_003, 5_601_410),
    "ade20k": (151, (256, 256), "normal", 96_492_483, 5_836_930),
    "coco": (184, (256, 256), "normal", 97_480_899, 5_904_514),
    "facades": (13, (512, 512), "normal", 92_359_107, 5_554_306),
    "deepfashion": (20, (256, 256), "normal", 92_568_771, 5_568_642),
    "celebamask": (19, (512, 512), "normal", 92_538_819, 5_566_594),
}


def parameters(net, *inputs, **options):
    arrays = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in inputs]
    options = {name: jax.ShapeDtypeStruct(shape, jnp.float32) for name, shape in options.items()}
    shapes = jax.eval_shape(lambda *x, **y: net.init(jax.random.key(0), *x, **y), *arrays, **options)
    return sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))


@pytest.mark.parametrize("name", LABEL_SETS)
def test_networks_of_label_maps(name):
    channels, size, upsampling, generator, discriminator = LABEL_SETS[name]
    assert parameters(SpadeGenerator(SpadeTrunk(upsampling=upsampling)), (1, *size, channels)) == generator
    assert parameters(MultiScaleDiscriminator(), (1, *size, channels + 3)) == discriminator


@pytest.mark.parametrize("net, expected", [
    (SpadeGenerator(SpadeTrunk(upsampling="most")), {36: 93_570_659}),
    (MultiScaleDiscriminator(), {6: 5_533_826}),
    (ImageEncoder(), {3: 10_463_424}),
    *[(Pix2pixHDGenerator(spectral=spectral), {3: 182_421_891, 36: 182_525_379, 151: 182_886_019, 184: 182_989_507})
      for spectral in (False, True)],
])
def test_networks_of_semantics(net, expected):
    assert {channels: parameters(net, (1, 256, 256, channels)) for channels in expected} == expected


def test_generators_with_a_code():
    """The first layer depends on the size; a picture of guidance has 3 channels."""
    expected = {"cityscapes": 101_136_579, "ade20k": 111_942_595, "coco": 112_626_883}
    for name, number in expected.items():
        channels, size, upsampling, *_ = LABEL_SETS[name]
        net = SpadeGenerator(SpadeTrunk(upsampling=upsampling, latent=256))
        assert parameters(net, (1, *size, channels), z=(1, 256)) == number
    assert parameters(SpadeGenerator(SpadeTrunk(latent=256)), (1, 256, 256, 3), z=(1, 256)) == 108_873_667


def test_generators_of_lggan():
    """Those of label maps with and without the convolution that the released code keeps and never calls."""
    trunk, classes = SpadeTrunk(upsampling="more"), jax.ShapeDtypeStruct((1, 256, 256), jnp.int32)
    shapes = jax.eval_shape(CrossViewGenerator().init, jax.random.key(0),
                            jax.ShapeDtypeStruct((1, 256, 256, 6), jnp.float32), classes)
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes["params"])) == 12_191_258
    for spare, expected in ((True, 111_123_495), (False, 111_123_495 - 9 * 36 * 1024 - 1024)):
        assert parameters(SemanticGenerator(trunk, spare_first=spare), (1, 256, 512, 36)) == expected
    ade20k = SemanticGenerator(SpadeTrunk(), labels=151, local_classes=52, spare_first=True)
    assert parameters(ade20k, (1, 256, 256, 151)) == 115_091_019
    plus = SemanticGenerator(SpadeTrunk(upsampling="more", upsampler="sau"), spare_first=True)
    assert parameters(plus, (1, 256, 512, 36)) == 111_123_495 + 353_936


# Label channels and the parameters of DAGAN and EdgeGAN on the same semantics.
BUILT_ON_GAUGAN = {
    "cityscapes": (35, 93_134_229, 93_166_252), "ade20k": (150, 96_578_709, 97_165_377),
    "coco": (182, 97_567_125, 98_400_809), "facades": (13, 92_445_333, 92_428_254),
    "deepfashion": (20, 92_654_997, 92_651_337), "celebamask": (19, 92_625_045, 92_619_354),
}


@pytest.mark.parametrize("name", LABEL_SETS)
def test_dagan_and_edgegan(name):
    labels, *expected = BUILT_ON_GAUGAN[name]
    channels, size, upsampling, *_ = LABEL_SETS[name]
    trunk = SpadeTrunk(upsampling=upsampling)
    made = [DAGANGenerator(trunk.clone()), EdgeGANGenerator(trunk.clone(), labels)]
    assert [parameters(net, (1, *size, channels)) for net in made] == expected


def test_generators_of_dances():
    """The baseline's, what each graph attention adds, and the head as the thesis writes it."""
    baseline, music = dict(head="mdvs", spatial=False, temporal=False), ((1, 50, 1600), (1, 50, 10))
    size = lambda **options: parameters(DanceGenerator(**options), *music)
    assert size(**baseline) == 8_982_664
    assert size(**baseline | dict(spatial=True, axis="frame")) == 8_982_664 + 7_651
    assert size(**baseline | dict(spatial=True, axis="joint")) == 8_982_664 + 3_997
    assert size(**baseline | dict(temporal=True)) == 8_982_664 + 1
    assert size(spatial=False, temporal=False) == 4_778_120


SYSTEMS = {
    "gesturegan": dict(generator=11_387_587, discriminator_plain=2_767_809, discriminator_guided=2_770_881,
                       perceptual=14_714_688),  # VGG16's convolutions
    "cyclegan": dict(to_target=11_378_179, to_source=11_378_179, discriminator_target=2_764_737,
                     discriminator_source=2_764_737),
    "stargan": dict(generator=8_430_528, discriminator=44_884_928),
    "asymmetricgan": dict(translator=11_387_587, reconstructor=46_447, discriminator_plain=2_767_809,
                          discriminator_guided=2_770_881, perceptual=14_714_688),
    "asymmetricgan_unpaired": dict(translator=8_436_800, reconstructor=8_436_800, discriminator=44_950_464),
}
SYSTEMS |= {
    "pix2pix": dict(generator=54_413_955, discriminator=2_768_705),  # 57.2M in AsymmetricGAN's Table VIII
    "c2gan": dict(image_generator=54_417_027, guidance_generator=54_413_955, image_discriminator=2_771_777,
                  guidance_discriminator=2_768_705),
    "pg2": dict(coarse=122_103_235, refiner=12_696_067, discriminator=10_901_057),
}
SYSTEMS |= {
    "xinggan": dict(generator=17_283_982, appearance_discriminator=3_930_368, shape_discriminator=3_977_408,
                    perceptual=38_720),
    "patn": dict(generator=41_365_763, appearance_discriminator=3_930_368, shape_discriminator=3_977_408,
                 perceptual=38_720),  # VGG's two convolutions up to relu1_2
    "bigraphgan": dict(generator=41_301_956, appearance_discriminator=3_930_368, shape_discriminator=3_977_408,
                       perceptual=38_720),
}
SYSTEMS |= {
    "xfork": dict(generator=39_216_326, discriminator=2_769_601),
    "xseq": dict(image_generator=39_081_987, guidance_generator=39_081_987, image_discriminator=2_769_601,
                 guidance_discriminator=2_769_601),
    "dagan": dict(generator=93_134_229, discriminator=5_601_410, perceptual=14_714_688),
    "edgegan": dict(generator=93_166_252, discriminator=5_601_410, perceptual=14_714_688),
    "gaugan": dict(generator=109_557_955, discriminator=5_601_410, encoder=10_463_424, perceptual=14_714_688),
    "pix2pixhd": dict(generator=182_525_379, discriminator=5_601_410, perceptual=14_714_688),
}
SYSTEMS |= {
    "lggan": dict(generator=12_191_258, discriminator_source=2_767_809, discriminator_guidance=2_767_809,
                  perceptual=14_714_688),
    "lggan_semantic": dict(generator=111_123_495 - 9 * 36 * 1024 - 1024, discriminator=5_601_410, perceptual=14_714_688),
}
OPTIONS = {name: dict(perceptual="vgg16") for name in (
    "asymmetricgan", "bigraphgan", "dagan", "edgegan", "gesturegan", "lggan", "lggan_semantic", "patn", "pix2pixhd", "xinggan")}
OPTIONS["gaugan"] = dict(perceptual="vgg16", latent=256)
OPTIONS["pg2"] = dict(levels=6, top_skip=True, discriminator_layers=5)
SYSTEMS |= {
    "selectiongan": dict(image_generator=54_417_027, guidance_generator=213_675, attention_generator=523_241 + 3 * 11,
                         discriminator=2_768_705),  # 850,051 less the unused layer, and three more uncertainty maps
    "selectiongan_person": dict(generator=41_365_763, attention_generator=434_333 + 11, perceptual=38_720,
                                appearance_discriminator=3_930_368, shape_discriminator=3_977_408),
    "selectiongan_semantic": dict(generator=93_064_232, discriminator=5_601_410, perceptual=14_714_688),
}
OPTIONS |= {name: dict(perceptual="vgg16") for name in ("selectiongan_person", "selectiongan_semantic")}
SYSTEMS |= {
    "dance_skeleton": dict(generator=4_778_120 + 3_997 + 1, local_discriminator=1_552_001, global_discriminator=3_788_393),
    "dance_style": dict(classifier=3_078_224),
    "dance_video": dict(generator=11_387_587, discriminator=2_767_809),
}
OPTIONS["dance_style"] = dict(styles=[f"style {i}" for i in range(16)])  # as many as the baseline's network told apart


def test_every_system_is_counted():
    assert sorted(SYSTEMS) == methods.names()


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_systems(name):
    method = methods.load(name, OPTIONS.get(name))
    sizes = dict(B=1, H=256, W=256)
    batch = {name: jax.ShapeDtypeStruct([sizes.get(axis, axis) for axis in field.shape], jnp.float32)
             for name, field in method.fields.items()}
    shapes = core.shapes(method, batch)
    assert {net: sum(x.size for x in jax.tree.leaves(tree)) for net, tree in shapes.items()} == SYSTEMS[name]
