"""LGGAN in both forms: losses by hand, switches, looks, rows of Table 6.7, numbers of its variants, state dicts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
from states import noise

from experiments import gaugan, lggan, lggan_semantic
from gganjax import core, losses, methods, port
from gganjax.errors import InputError
from gganjax.layers import Mode
from gganjax.nets.lggan import CrossViewGenerator, SemanticGenerator
from gganjax.nets.localglobal import ClassScores, FusionWeights
from gganjax.nets.spade import SpadeTrunk
from gganjax.nets.upsampling import kernel_pictures

FAST = {"xla_backend_optimization_level": 0}
SMALL = dict(width=2, blocks=1, discriminator_width=2, discriminator_layers=1, perceptual="none")
SMALL_SEMANTIC = dict(width=2, blocks=1, hidden=2, discriminator_width=2, discriminator_layers=2, perceptual="none")


def strips(rows=2, size=16):
    batch = {name: noise(rows, size, size, 3, seed=i) for i, name in enumerate(("source", "target", "target_guidance"))}
    classes = np.random.default_rng(3).integers(0, 6, (rows, 4, 4), np.int32)  # 6 is in no picture
    return batch | {"target_classes": classes.repeat(size // 4, 1).repeat(size // 4, 2)}


def test_terms_across_views_by_hand():
    method = methods.load("lggan", SMALL | dict(class_loss="mean", upsampler="sau", sau_local=True))
    batch = strips()
    _, state = tiny.begun(method, batch)
    asked = ("local", "weight_local", "class_2", "kernel_code_1", "kernel_global_1_4")
    assert set(asked) < set(method.looks) and "kernel_global_0_1" not in method.looks

    def run(state, batch):
        call = core.Call(method, state.params, state.moving, examples=2, mode=Mode(keep=False))
        key = jax.random.key(0)
        out = method.rollout(key, call, batch)
        terms = [loss(key, call, batch, out) for loss in (method.generator_loss, method.discriminator_loss)]
        before = {"source": batch["source"], "guidance": batch["target_guidance"]}
        logits = {(judge, name): call(f"discriminator_{judge}", jnp.concatenate([before[judge], image], -1))
                  for judge in before for name, image in (out | {"target": batch["target"]}).items()
                  if name in ("fake_target", "fake_global", "fake_local", "target")}
        return out, *terms, logits, method.look(key, call, batch, asked)

    out, generator, discriminator, logits, looks = jax.device_get(
        jax.jit(run, compiler_options=FAST)(state, batch))
    masks = (batch["target_classes"][..., None] == np.arange(1, 7)).astype(np.float64)
    images = out["class_images"].astype(np.float64)
    np.testing.assert_allclose(out["fake_local"], images.sum(3), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(out["weights"].sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(out["fake_target"], out["weights"][..., :1] * out["fake_local"]
                               + out["weights"][..., 1:] * out["fake_global"], rtol=1e-5, atol=1e-5)
    scores, present = out["scores"].astype(np.float64), masks.max((1, 2))
    entropies = np.log(np.exp(scores).sum(-1)) - np.diagonal(scores, axis1=1, axis2=2)
    fakes = {"": "fake_target", "_global": "fake_global", "_local": "fake_local"}
    expected = {f"pixel{suffix}": tiny.distance(out[name], batch["target"]) for suffix, name in fakes.items()} | {
        "classes": sum(tiny.distance(images[:, :, :, k], batch["target"] * masks[..., k : k + 1]) for k in range(6)),
        "class": (entropies * present).sum() / present.sum(),
        "tv": sum(np.abs(np.diff(out[name].astype(np.float64), axis=a)).sum() for name in fakes.values() for a in (1, 2)),
        **{f"gan_{judge}": sum(tiny.adversarial(logits[judge, name], True) for name in fakes.values())
           for judge in ("source", "guidance")}}
    tiny.assert_terms(generator, expected)
    for judge in ("source", "guidance"):
        fake = sum(tiny.adversarial(logits[judge, name], False) for name in fakes.values())
        np.testing.assert_allclose(discriminator[f"{judge}_fake"], fake, rtol=1e-4)
        np.testing.assert_allclose(discriminator[f"{judge}_real"], 3 * tiny.adversarial(logits[judge, "target"], True), rtol=1e-4)
    np.testing.assert_allclose(looks["class_2"], images[:, :, :, 1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(looks["weight_local"], 2 * out["weights"][..., :1] - 1, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(looks["local"], np.clip(out["fake_local"], -1, 1), rtol=1e-5, atol=1e-6)
    for name in ("kernel_code_1", "kernel_global_1_4"):
        assert looks[name].shape == (2, 16, 16, 1) and looks[name].max() == 1 and looks[name].min() >= -1


def test_further_terms_of_label_maps_by_hand():
    """The class images' L1, with the code's mistake too; the class loss of the classified classes; the L1 of the images."""
    labels = np.array([[[26, 27], [27, 27]]], np.int32)
    batch = {"labels": labels, "target": noise(1, 2, 2, 3)}
    images = {"class_images": noise(1, 2, 2, 30, 3), "scores": noise(1, 30, 30), **{
        name: noise(1, 2, 2, 3, seed=i) for i, name in enumerate(("fake_target", "fake_global", "fake_local"))}}
    found = {}
    for masks, loss in (("correct", "sum"), ("reference", "mean")):
        method = methods.load("lggan_semantic", dict(classes=30, instances=False, class_masks=masks, class_loss=loss,
                                                     pixel=True, perceptual="none"))
        found[masks] = method.extra(None, None, batch, method.semantics(batch), images)
    masks = labels[..., None] == np.arange(30)
    apart = lambda masks: sum(tiny.distance(images["class_images"][:, :, :, k], batch["target"] * masks[..., k : k + 1])
                              for k in range(30))
    np.testing.assert_allclose(found["correct"]["classes"], apart(masks), rtol=1e-5)
    masks[..., 27] = masks[..., 26]
    np.testing.assert_allclose(found["reference"]["classes"], apart(masks), rtol=1e-5)
    scores = images["scores"][0].astype(np.float64)
    entropies = [np.log(np.exp(scores[k]).sum()) - scores[k, k] for k in (26, 27)]
    np.testing.assert_allclose(found["correct"]["class"], sum(entropies), rtol=1e-5)
    np.testing.assert_allclose(found["reference"]["class"], sum(entropies) / 2, rtol=1e-5)
    for suffix, name in {"": "fake_target", "_global": "fake_global", "_local": "fake_local"}.items():
        np.testing.assert_allclose(found["correct"][f"pixel{suffix}"], tiny.distance(images[name], batch["target"]), rtol=1e-5)


def test_all_three_images_are_judged_and_the_real_one_as_often():
    method = methods.load("lggan_semantic", SMALL_SEMANTIC | dict(classes=3, instances=False))
    assert tuple(method.judged) == ("fake_target", "fake_global", "fake_local")
    assert {(one.real, one.factor) for one in method.judged.values()} == {("target", 1.0)}
    assert list(method.players) == ["generator", "discriminator"] and method.players["discriminator"].fresh
    assert list(methods.load("lggan", SMALL).players) == ["discriminators", "generator"]
    assert list(methods.load("lggan", SMALL | dict(update_order="generator_first")).players) == ["generator", "discriminators"]


def test_the_last_local_class_stands_for_all_others():
    net = SemanticGenerator(SpadeTrunk(), labels=6, local_classes=4)
    labels = np.array([[[0, 2, 3, 4, 5]]])
    semantics = (labels[..., None] == np.arange(7)).astype(np.float32)
    assert net.scored == 3
    np.testing.assert_array_equal(net.classes_of(semantics), [[[0, 2, 3, 3, 3]]])
    semantics[0, 0, 0] = [0, 0, 0, 0, 0, 0, 1]  # an instance edge alone
    assert net.classes_of(semantics)[0, 0, 0] == -1


def test_pooled_features_are_divided_by_all_pixels_or_by_those_of_the_class():
    x, classes = noise(1, 2, 3, 4), np.array([[[0, 0, 1], [0, -1, -1]]])
    kernel = noise(4, 2, seed=1)
    variables = {"params": {"scores": {"kernel": kernel, "bias": np.zeros(2, np.float32)}}}
    for divide, areas in ((False, (6, 6)), (True, (3, 1))):
        made = ClassScores(2, divide).apply(variables, x, classes)
        for k, area in enumerate(areas):
            np.testing.assert_allclose(made[0, k], x[0][classes[0] == k].sum(0) @ kernel / area, rtol=1e-5)


def test_weights_with_the_texts_norm():
    """An instance norm and a ReLU in front of the softmax: logits are at least 0 and, where positive, of variance 1."""
    x = noise(1, 4, 4, 8)
    module = FusionWeights(width=2, norm=True)
    random = np.random.default_rng(0)
    shapes = jax.eval_shape(module.init, jax.random.key(0), x)
    variables = jax.tree.map(lambda leaf: random.normal(size=leaf.shape).astype(np.float32), shapes)
    run = jax.jit(lambda variables, norm: FusionWeights(width=2, norm=norm).apply(variables, x), static_argnums=1,
                  compiler_options=FAST)
    plain, normed = np.asarray(run(variables, False), np.float64), np.asarray(run(variables, True), np.float64)
    difference = np.log(plain[..., 0] / plain[..., 1])
    assert difference.std() > 0
    np.testing.assert_allclose(normed.sum(-1), 1, rtol=1e-5)
    assert not np.allclose(plain, normed)


def test_pictures_of_kernels_show_the_chosen_pixels():
    kernels = {"path": np.random.default_rng(0).uniform(0.1, 1, (1, 8, 4, 5, 5)).astype(np.float32)}
    made = kernel_pictures(kernels, {"up_0": "path"}, ((0.5, 0.25),), (10, 20))["kernel_up_0_1"]
    expected = kernels["path"][:, 4, 1]
    expected = (2 * expected / expected.max() - 1).repeat(2, 1).repeat(4, 2)[..., None]
    np.testing.assert_allclose(made, expected, rtol=1e-6)


def test_class_losses():
    scores, present = noise(2, 3, 3), np.array([[1, 1, 0], [0, 1, 0]], np.float32)
    both = [float(losses.class_loss(scores, present, reduction)) for reduction in ("sum", "mean")]
    np.testing.assert_allclose(both[0], 3 * both[1], rtol=1e-6)
    assert losses.class_loss(scores, np.zeros((2, 3), np.float32)) == 0


TABLE_6_7 = {"b2": ("sum", "mean", False, "nearest"), "b3": ("conv", "mean", False, "nearest"),
             "b4": ("conv", "mean", True, "nearest"), "b5": ("conv", "weights", True, "nearest"),
             "pp": ("conv", "weights", True, "sau")}


def test_rows_of_table_6_7():
    for row, (local, fusion, classified, upsampler) in TABLE_6_7.items():
        config = lggan_semantic.get_config(f"table67_{row}")
        options = config.options
        assert (options.local, options.fusion, options.class_loss != "none", options.upsampler) == (
            local, fusion, classified, upsampler)
        assert ("class" in config.weights.generator) == classified
        assert (config.batch_size, config.epochs, options.upsampling) == (8, 200, "more")
    assert lggan_semantic.get_config("table67_b1") == gaugan.get_config("cityscapes")


def test_published_numbers():
    for name, epochs in dict(dayton=35, g2a=35, cvusa=30, sva=20).items():
        config = lggan.get_config(name)
        assert (config.batch_size, config.epochs, config.data.load_size, config.data.crop_size, config.data.flip) == (
            4, epochs, 286, 256, "off")
        assert lggan.get_config(f"{name}_pp").options.upsampler == "sau"
    small = lggan.get_config("dayton64")
    assert (small.batch_size, small.epochs, small.data.load_size, small.data.crop_size) == (16, 100, 72, 64)
    assert lggan.get_config("dayton").weights.generator.to_dict() == dict(
        gan_source=1.0, gan_guidance=1.0, pixel=100.0, pixel_global=100.0, pixel_local=100.0, classes=100.0,
        perceptual=10.0, tv=1e-6)
    ade = lggan_semantic.get_config("ade20k")
    assert (ade.batch_size, ade.options.local_classes, ade.options.unknown, ade.epochs) == (24, 52, True, 200)
    assert ade.weights.generator.to_dict() == dict(gan=1.0, feature=10.0, perceptual=10.0, classes=1.0, **{"class": 1.0})


@pytest.mark.parametrize("form", ["cross_view", "semantic"])
def test_state_dicts_there_and_back(form):
    """Every key of a release has its place and comes back as it was, the layers of the classes one by one."""
    if form == "semantic":
        net = SemanticGenerator(SpadeTrunk(2, hidden=2), 1, 4, 4, spare_first=True)
        inputs, first = [noise(1, 32, 32, 5)], 0
    else:
        net, inputs, first = CrossViewGenerator(2, 1), [noise(1, 8, 8, 6), np.zeros((1, 8, 8), np.int32)], 1
    shapes = jax.eval_shape(net.init, jax.random.key(0), *inputs)
    random = np.random.default_rng(0)
    variables = {"moving": {}} | jax.tree.map(lambda leaf: random.normal(size=leaf.shape).astype(np.float32), shapes)
    table = port.lggan.table(form, blocks=1, spare_first=True)
    state = port.lggan.part(port.to_torch(table, variables), first=first)
    found = port.lggan.describe(state)
    assert (found["form"], found["width"], found["blocks"], found["classes"]) == (form, 2, 1, 4 if first == 0 else 6)
    assert f"deconv5_{first}.weight" in state and state[f"deconv5_{first}.weight"].shape == (3, 2, 7, 7)
    back = port.to_flax(table, port.lggan.join(state), shapes)
    for ours, theirs in zip(jax.tree.leaves(variables["params"]), jax.tree.leaves(back["params"]), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(InputError, match="not that of an LGGAN generator"):
        port.lggan.join({"conv1.weight": np.zeros(3)})


@pytest.mark.parametrize("name, option, value, wrong", [
    ("lggan", "upsampler", "linear", "options.upsampler is 'linear'"),
    ("lggan", "classes", 0, "options.classes is 0, expected at least 1"),
    ("lggan", "kernel_points", ((0.5, 1.0),), "options.kernel_points holds"),
    ("lggan", "class_loss", "both", "options.class_loss is 'both'"),
    ("lggan_semantic", "local_classes", 36, "options.local_classes is 36, expected 0 or from 2 to the 35 classes"),
    ("lggan_semantic", "local", "none", "options.local is 'none'"),
])
def test_wrong_options(name, option, value, wrong):
    with pytest.raises(InputError, match=wrong.replace("(", r"\(")):
        methods.load(name, {option: value})
