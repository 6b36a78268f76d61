"""Released networks of the scene systems become run folders that make the same pictures, and wrong files are told."""

import sys
from pathlib import Path
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import import_torch
from releases import RELEASES

from gganjax import checkpoint, port, use
from gganjax.layers import Mode
from gganjax.nets.dagan import DAGANGenerator
from gganjax.nets.lggan import CrossViewGenerator, SemanticGenerator
from gganjax.nets.multiscale import MultiScaleDiscriminator
from gganjax.nets.patch import PatchDiscriminator
from gganjax.nets.patn import PATNGenerator
from gganjax.nets.pix2pixhd import Pix2pixHDGenerator
from gganjax.nets.pose import PoseDiscriminator
from gganjax.nets.selection import Selection, SpadeSelectionGenerator
from gganjax.nets.spade import ImageEncoder, SpadeGenerator, SpadeTrunk

RANDOM = np.random.default_rng(0)
RUNNING = Mode("running", dropout=False, keep=False)


def drawn(module, *sizes, **named):
    """Random variables that keep activations in bounds: vectors of spectral norm of length 1, statistics above 0."""
    def draw(path, leaf):
        name = path[-1].key
        values = RANDOM.uniform(-0.8 if name in ("kernel", "bias") else 0.2, 1, leaf.shape).astype(np.float32)
        if name in ("u", "v"):
            return values / np.linalg.norm(values)
        return values / np.sqrt(np.prod(leaf.shape[:-1], dtype=np.float32)) if name == "kernel" else values

    return {"params": {}} | jax.tree_util.tree_map_with_path(draw, port.shapes(module, *sizes, **named))


class Toy(NamedTuple):
    """A released network: our module, its variables, and the state dict that they are in the release."""

    module: nn.Module
    variables: dict
    state: dict


def toy(module, table, *sizes, **named):
    """A released network of random variables."""
    variables = drawn(module, *sizes, **named)
    return Toy(module, variables, port.to_torch(table, variables))


def write(folder, **states):
    """Writes the state dicts of a release; returns the file of the first."""
    for net, state in states.items():
        np.savez(folder / f"latest_net_{net}.npz", **state)
    return folder / f"latest_net_{next(iter(states))}.npz"


def imported(kind, folder, toys, variant, told):
    """The run folder of a release, opened for use; its networks are those of the release, and its options as told."""
    file = write(folder, **{net: one.state for net, one in toys.items()})
    assert import_torch.main([kind, str(file), "--output", str(folder / "run"), "--variant", variant]) == 0
    translate, networks = use.load(folder / "run"), checkpoint.load_networks(folder / "run")
    assert told.items() <= translate.config["options"].items()
    for net, one in toys.items():
        name = RELEASES[kind].nets[net].name
        assert translate.method.nets[name] == one.module
        there = {part: networks[part][name] for part in ("params", "moving") if name in networks[part]}
        made = {part: tree for part, tree in one.variables.items() if tree}
        assert jax.tree.structure(there) == jax.tree.structure(made)
        assert jax.tree.all(jax.tree.map(np.array_equal, there, made))
    return translate


def applied(module, variables, *inputs, **named):
    run = jax.jit(lambda variables, *x, **y: module.apply(variables, *x, mode=RUNNING, **y))
    return run(variables, *inputs, **named)


def same(found, expected):
    assert np.std(expected) > 0.02 and np.mean(np.abs(expected) > 0.99) < 0.5  # else any two networks would agree
    np.testing.assert_allclose(found, np.clip(expected, -1, 1), atol=1e-4)


TRUNK, JUDGE = SpadeTrunk(2, hidden=3), MultiScaleDiscriminator(3, 3, 1)
TOLD = dict(discriminator_width=3, discriminator_layers=3, discriminator_scales=1, discriminator_norm="instance")


def judge(channels):
    """A discriminator of the recipe that judges pictures behind so many channels."""
    return toy(JUDGE, port.spade.discriminator_table(scales=1, layers=3), (1, 16, 16, channels + 3))


def test_gaugan_with_its_encoder(tmp_path):
    """The code is drawn from the key; a plain set has as many classes as the file."""
    generator = SpadeGenerator(SpadeTrunk(1, latent=3, hidden=2, norm="instance"))
    toys = {"G": toy(generator, port.spade.table(norm_kind="instance", area=12), (1, 96, 128, 5), z=(1, 3)),
            "E": toy(ImageEncoder(3, 2, 16), port.spade.encoder_table(size=16), (1, 16, 16, 3)), "D": judge(5)}
    told = TOLD | dict(width=1, hidden=2, norm="instance", latent=3, encoder_width=2, encoder_size=16, classes=5)
    translate = imported("gaugan", tmp_path, toys, "camvid128", told)
    assert translate.config["data"]["classes"] == 5
    labels = RANDOM.integers(0, 5, (1, 96, 128))
    z = jax.random.normal(jax.random.fold_in(jax.random.fold_in(jax.random.key(0), 0), 1), (1, 3))
    expected = applied(generator, toys["G"].variables, np.eye(5, dtype=np.float32)[labels], z=z)
    same(translate.outputs({"labels": labels})["fake_target"], expected)


@pytest.mark.parametrize("kind, variant, generator, table, channels, told", [
    ("dagan", "cityscapes", DAGANGenerator(SpadeTrunk(2, "more", hidden=3)), port.dagan.table(), 36,
     dict(width=2, hidden=3, upsampling="more", norm="batch", latent=0)),
    ("selectiongan_semantic", "facades", SpadeSelectionGenerator(TRUNK, 2), port.selection.semantic(), 7,
     dict(images=2, width=2, hidden=3, classes=7)),
    ("gaugan", "cityscapes", SpadeGenerator(SpadeTrunk(2, "most", hidden=3)), port.spade.table(upsampling="most"), 36,
     dict(upsampling="most")),
])
def test_generators_on_gaugan(tmp_path, kind, variant, generator, table, channels, told):
    toys = {"G": toy(generator, table, (1, 128, 128, channels)), "D": judge(channels)}
    imported(kind, tmp_path, toys, variant, TOLD | told)


def test_lggan_of_label_maps(tmp_path):
    """Heads for the first classes alone, and the convolution that the release keeps and never calls."""
    one = toy(SemanticGenerator(TRUNK, 1, 5, 3), port.lggan.table("semantic", blocks=1), (1, 32, 32, 5))
    state = port.lggan.part(one.state, first=0) | {"fc.weight": np.zeros((32, 5, 3, 3)), "fc.bias": np.zeros(32)}
    told = dict(width=2, hidden=3, blocks=1, local_classes=3, classes=5)
    imported("lggan_semantic", tmp_path, {"G": one._replace(state=state), "D": judge(5)}, "camvid", TOLD | told)


def test_pix2pixhd(tmp_path):
    generator = Pix2pixHDGenerator(2, 2, 1, True)
    table = port.pix2pixhd.table(levels=2, blocks=1, spectral=True)
    toys = {"G": toy(generator, table, (1, 8, 8, 151)), "D": judge(151)}
    translate = imported("pix2pixhd", tmp_path, toys, "ade20k",
                         TOLD | dict(width=2, levels=2, blocks=1, norm="spectralinstance"))
    labels = RANDOM.integers(0, 151, (1, 8, 8))
    expected = applied(generator, toys["G"].variables, np.eye(151, dtype=np.float32)[labels])
    same(translate.outputs({"labels": labels})["fake_target"], expected)


def test_lggan_across_views(tmp_path):
    generator = CrossViewGenerator(2, 1)
    one = toy(generator, port.lggan.table("cross_view", blocks=1), (1, 8, 8, 6), (1, 8, 8))
    toys = {"G": one._replace(state=port.lggan.part(one.state, first=1))}
    toys |= {net: toy(PatchDiscriminator(3, 2), port.patch.table(layers=2), (1, 32, 32, 6)) for net in ("D1", "D2")}
    translate = imported("lggan", tmp_path, toys, "dayton", dict(
        width=2, blocks=1, classes=6, discriminator_width=3, discriminator_layers=2))
    source, guidance = RANDOM.uniform(-1, 1, (2, 1, 8, 8, 3)).astype(np.float32)
    classes = RANDOM.integers(0, 7, (1, 8, 8)).astype(np.int32)
    out = applied(generator, one.variables, np.concatenate([source, guidance], -1), classes)
    same(translate(source=source, target_guidance=guidance, target_classes=classes), out["fake_target"])


def test_persons(tmp_path):
    """Both stages, under the names of the release."""
    first, second = PATNGenerator(2, 1), Selection(2, 1)
    toys = {"netG1": toy(first, port.patn.table(blocks=1), (1, 16, 8, 3), (1, 16, 8, 8)),
            "netG2": toy(second, port.selection.person(), (1, 16, 8, 16))}
    names = {"netG1": lambda key: key.replace("stream1_up.7", "stream1_up2.1"), "netG2": "model.{}".format}
    toys = {net: one._replace(state={names[net](key): value for key, value in one.state.items()})
            for net, one in toys.items()}
    for net, channels in (("netD_PB", 7), ("netD_PP", 6)):
        toys[net] = toy(PoseDiscriminator(3, 1), port.pose.discriminator(blocks=1), (1, 16, 8, channels))
    translate = imported("selectiongan_person", tmp_path, toys, "released_market", dict(
        guidance_channels=4, width=2, blocks=1, images=2, uncertainty_maps=1, norm="batch", discriminator_width=3,
        discriminator_blocks=1))
    source = RANDOM.uniform(-1, 1, (1, 16, 8, 3)).astype(np.float32)
    maps = RANDOM.uniform(0, 1, (1, 16, 8, 8)).astype(np.float32)
    out = translate(source=source, source_guidance=maps[..., :4], target_guidance=maps[..., 4:])

    @jax.jit
    def stages(one, two):
        coarse, seen = first.apply(one, source, maps, RUNNING, features=True)
        fine, _ = second.apply(two, jnp.concatenate([source, maps, coarse, seen], -1), RUNNING)
        return coarse, fine

    coarse, fine = stages(*(toys[net].variables for net in names))
    same(out["coarse_target"], coarse)
    same(out["fake_target"], fine)


def test_what_does_not_fit_is_one_sentence(tmp_path, capsys):
    """A missing key, an unknown layer, other classes, another form, another size, and a network that must be there."""
    def told(kind, variant="", **states):
        file = write(tmp_path, **states)
        assert import_torch.main([kind, str(file), "--output", str(tmp_path / "run"), "--variant", variant]) == 2
        assert not (tmp_path / "run").exists()
        return capsys.readouterr().err.removeprefix("error: ").replace(str(file), "FILE").rstrip("\n")

    state = toy(SpadeGenerator(TRUNK), port.spade.table(), (1, 32, 32, 5)).state
    assert told("gaugan", G={key: state[key] for key in state if key != "conv_img.weight"}) == (
        "FILE: the state dict is not that of GauGAN's generator: it has no conv_img.weight")
    assert told("gaugan", G={key: state[key] for key in state if key != "up_1.conv_0.bias"}, variant="camvid") == (
        "FILE: the state dict lacks the key up_1.conv_0.bias, which fills our params/trunk/up_1/conv_0/bias of shape "
        "(8,) in GauGAN's generator")
    assert told("gaugan", G=state | {"cab.conv1.weight": np.zeros(3)}, variant="camvid") == (
        "FILE: the state dict's key cab.conv1.weight of shape (3,) has no place in GauGAN's generator (1 such keys)")
    assert told("gaugan", G=state, variant="cityscapes") == (
        "the state dict of G is of 5 channels of labels, but the variant has 36: 35 classes, edges of instances")
    assert told("gaugan", G=state, variant="radboud") == (
        "the state dict of G is of 5 channels of labels, but the variant has 3: the guidance")
    other = {f"discriminator_0.model{i}.0.weight": np.zeros((3, 10, 4, 4)) for i in range(4)}
    assert told("gaugan", G=state, D=other, variant="camvid") == (
        "the state dict of D is of 7 channels of labels, but the variant has 5: 5 classes")
    (tmp_path / "latest_net_D.npz").unlink()
    assert told("dagan", G=state) == "FILE: the state dict is not that of DAGAN's generator: it has no conv_64.weight"
    heads = {"conv1.weight": np.zeros((2, 5, 7, 7)), "deconv5_0.weight": np.zeros((3, 2, 7, 7))}
    heads |= {"resnet_blocks1.conv1.weight": np.zeros((8, 8, 3, 3))}
    assert told("lggan", G=state | heads) == (
        "FILE: the state dict is that of LGGAN's other form, which 'lggan_semantic' imports")
    styled = state | {"fc.weight": np.zeros((64, 3)), "up_3.norm_0.mlp_shared.0.weight": np.zeros((3, 3, 3, 3))}
    assert told("gaugan", G=styled, variant="radboud") == (
        "the state dict of G begins with 2 features of its code, but the variant's pictures, 256x256 and 5 times "
        "halved, with 64")
    assert told("gaugan", G=styled | {"fc.weight": np.zeros((2048, 3))}, variant="radboud") == (
        "the state dict of G takes the code of the source, but that of E, which tells it, is missing beside it")
    assert told("selectiongan_person", netG1=state, variant="released_market") == (
        f"{tmp_path / 'latest_net_netG2.npz'} does not exist; expected a .pth, .safetensors or .npz file")
