"""DAGAN: both attentions and their switches by formulas, what its networks look at, every variant's numbers."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from states import filled, noise, there_and_back

from experiments import dagan
from gganjax import methods, port, schedules
from gganjax.errors import InputError
from gganjax.layers import TRAIN, Conv, Mode
from gganjax.nets.dagan import DAGANGenerator
from gganjax.nets.spade import SpadeGenerator, SpadeTrunk

FAST = {"xla_backend_optimization_level": 0}
RUNNING = Mode("running", dropout=False, keep=False)


class Trunk(nn.Module):
    """In GauGAN's place: features of 16 channels, and as the input of the last block features of 24."""

    dtype: Any = jnp.float32
    initial: str = "normal"
    blocks = {"up_2": 4, "up_3": 2}

    @nn.compact
    def __call__(self, semantics, mode=TRAIN, z=None, taps=()):
        before = Conv(24, 3, padding=1, name="before")(semantics)
        features = Conv(16, 3, padding=1, name="last")(before)
        return (features, {"up_3": before}) if taps else features


def drawn(module, *inputs):
    """Random variables of a network, kernels by their fans so that no tanh saturates; nothing is computed."""
    random = np.random.default_rng(1)

    def draw(leaf):
        spread = 0.5 if len(leaf.shape) == 1 else np.prod(leaf.shape[:-1]) ** -0.5
        return random.uniform(-spread, spread, leaf.shape).astype(np.float32)

    return jax.tree.map(draw, port.shapes(module, *(np.shape(x) for x in inputs)))


def conv(x, params):
    """A convolution in float64 that keeps height and width."""
    kernel = params["kernel"]
    border = kernel.shape[0] // 2
    x = np.pad(x.astype(np.float64), ((0, 0), (border, border), (border, border), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], (1, 2))
    return np.einsum("bhwcij,ijco->bhwo", windows, kernel) + params.get("bias", 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def attended(params, spatial, semantics):
    """What CAM and SAM make of the stand-in's features, and SAM's gate, by the formulas; None of what is not there."""
    before = conv(semantics, params["trunk"]["before"])
    x = conv(before, params["trunk"]["last"])
    cam = sam = gate = None
    if "cam" in params:
        low = conv(before, params["low"])
        pooled = np.concatenate([low, x], -1).mean((1, 2), keepdims=True)
        cam = x * sigmoid(conv(np.maximum(conv(pooled, params["cam"]["conv_0"]), 0), params["cam"]["conv_1"])) + low
    if "sam" in params and spatial == "local":
        gate = sigmoid(conv(np.stack([x.mean(-1), x.max(-1)], -1), params["sam"]["conv"]))
        sam = x * gate
    elif "sam" in params:
        query, key, value = (conv(x, params["sam"][name]).reshape(len(x), -1, size)
                             for name, size in (("query", 2), ("key", 2), ("value", 16)))
        energies = np.exp(query @ key.swapaxes(1, 2))
        sam = x + params["sam"]["gamma"] * (energies / energies.sum(-1, keepdims=True) @ value).reshape(x.shape)
    return x, cam, sam, gate


@pytest.mark.parametrize("cam, sam, spatial", [
    (True, True, "local"), (True, False, "local"), (False, True, "local"), (False, True, "position"),
    (False, False, "local")])
def test_attentions_by_their_formulas(cam, sam, spatial):
    """Each switch alone and both together; the pictures of the inside belong to the same run."""
    semantics = noise(2, 6, 5, 4)
    module = DAGANGenerator(Trunk(), cam, sam, spatial)
    variables = drawn(module, semantics)
    params = variables["params"]
    assert set(params) == {"trunk", "image", *("low", "cam") * cam, *("sam",) * sam}
    found = jax.jit(lambda v, s: module.apply(v, s, RUNNING, details=True), compiler_options=FAST)(variables, semantics)
    x, of_cam, of_sam, gate = attended(params, spatial, semantics)
    y = sum(part for part in (of_cam, of_sam) if part is not None) if cam or sam else x
    expected = np.tanh(conv(np.where(y > 0, y, 0.2 * y), params["image"]))
    np.testing.assert_allclose(found.pop("fake_target"), expected, atol=1e-5)
    assert set(found) == set(module.looks)
    assert module.looks == ("spatial_attention",) * (gate is not None) + ("channel_features",) * cam + (
        "spatial_features",) * sam
    if gate is not None:
        np.testing.assert_allclose(found["spatial_attention"], 2 * gate - 1, atol=1e-5)
    for name, part in dict(channel_features=of_cam, spatial_features=of_sam).items():
        if part is not None:
            mean = part.mean(-1, keepdims=True)
            np.testing.assert_allclose(found[name], mean / np.abs(mean).max((1, 2, 3), keepdims=True), atol=1e-5)


def test_without_attention_it_is_gaugan():
    """The same parameters and the same layers as GauGAN's generator, from which the attentions take nothing away."""
    trunk = SpadeTrunk(width=2, hidden=2)
    shapes = [port.shapes(module, (1, 32, 32, 3)) for module in (
        DAGANGenerator(trunk.clone(), False, False), SpadeGenerator(trunk.clone()), DAGANGenerator(trunk.clone()))]
    assert shapes[0] == shapes[1]
    assert set(shapes[2]["params"]) - set(shapes[1]["params"]) == {"low", "cam", "sam"}
    x = jax.ShapeDtypeStruct((1, 32, 32, 3), np.float32)
    text = [str(jax.make_jaxpr(lambda v, x, module=module: module.apply(v, x, RUNNING))(shapes[0], x))
            for module in (DAGANGenerator(trunk.clone(), False, False), SpadeGenerator(trunk.clone()))]
    assert text[0] == text[1]


def test_state_dicts_there_and_back():
    """Every parameter and statistic has its key; what builds the network is read off; GauGAN's lacks the attentions."""
    module = DAGANGenerator(SpadeTrunk(width=2, hidden=3))
    state = there_and_back(port.dagan.table(), filled(module, (1, 32, 32, 5)))
    found = port.dagan.describe(state)
    assert (found["inputs"], found["width"], found["hidden"], found["latent"]) == (5, 2, 3, 0)
    with pytest.raises(InputError, match="not that of DAGAN's generator: it has no cab.conv1.weight"):
        port.dagan.describe({key: value for key, value in state.items() if not key.startswith("cab.")})


def test_half_precision_keeps_parameters_and_pictures_in_float32():
    module = DAGANGenerator(SpadeTrunk(width=2, hidden=2, dtype=jnp.bfloat16))
    x = jax.ShapeDtypeStruct((1, 32, 32, 3), np.float32)
    made, variables = jax.eval_shape(lambda x: module.init_with_output(jax.random.key(0), x, RUNNING, details=True), x)
    assert {leaf.dtype.name for leaf in jax.tree.leaves((made, variables))} == {"float32"}


# Set: batch, epochs with and without a falling rate, height and width before and after the crop, semantics.
SETS = {
    "cityscapes": (8, 100, (256, 512), (256, 512), 36), "ade20k": (8, 100, (286, 286), (256, 256), 151),
    "coco": (32, 50, (286, 286), (256, 256), 184), "deepfashion": (32, 50, (286, 286), (256, 256), 20),
    "celebamask": (16, 50, (542, 542), (512, 512), 19), "facades13": (4, 50, (542, 542), (512, 512), 13),
    "facades1024": (4, 50, (1054, 1054), (1024, 1024), 13),
}


@pytest.mark.parametrize("name", SETS)
def test_published_numbers(name):
    batch, epochs, load, crop, channels = SETS[name]
    config = dagan.get_config(name)
    data = config.data
    assert (config.batch_size, config.epochs) == (batch, 2 * epochs)
    assert ((data.load_size, data.load_width), (data.crop_size, data.crop_width)) == (load, crop)
    assert config.weights.to_dict() == dict(generator=dict(gan=1.0, feature=10.0, perceptual=10.0),
                                            discriminator=dict(fake=1.0, real=1.0))
    for player, rate in dict(generator=1e-4, discriminator=4e-4).items():
        one = config.optimizers[player]
        assert (one.learning_rate, one.b1, one.b2) == (rate, 0.0, 0.9)
        share = schedules.factor(one.schedule, steps_per_epoch=1, total_steps=config.epochs)
        expected = {1: 1, epochs + 1: 1, epochs + 2: 1 - 1 / epochs, 2 * epochs: 1 / epochs}
        for epoch, factor in expected.items():
            assert float(share(epoch - 1)) == pytest.approx(factor)
    options = dict(config.options) | dict(perceptual="none", width=2, hidden=2)
    assert methods.load("dagan", options).semantics.channels == channels


def test_rows_and_results():
    names = ("use_cam", "use_sam", "spatial")
    switches = lambda variant: tuple(dagan.get_config(variant).options[name] for name in names)
    assert {row: switches(f"ablation_{row}") for row in ("cam", "sam", "none", "both")} == dict(
        cam=(True, False, "local"), sam=(False, True, "local"), none=(False, False, "local"),
        both=(True, True, "local"))
    assert switches("position") == (True, True, "position")
    values = {name: dagan.get_config(name).evaluate.published.get("values", {}) for name in SETS}
    assert {name: one.fid for name, one in values.items() if one} == dict(cityscapes=60.3, ade20k=31.9)
    assert not dagan.get_config("ablation_both").evaluate.published


@pytest.mark.parametrize("options, sentence", [
    (dict(spatial="global"), r"options.spatial is 'global', expected one of \('local', 'position'\)"),
    (dict(upsampling="many"), "options.upsampling is 'many', expected one of"),
    (dict(classes=0), "options.classes is 0, expected at least 1"),
    (dict(latent=8, encoder_size=100), "options.encoder_size is 100, expected a power of 2, at least 8"),
    (dict(latent=8, encoder_size=24), "options.encoder_size is 24, expected a power of 2, at least 8"),
])
def test_wrong_options(options, sentence):
    with pytest.raises(InputError, match=sentence):
        methods.load("dagan", dict(perceptual="none") | options)
