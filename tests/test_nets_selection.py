"""SelectionGAN's second stage: its parts by their formulas in NumPy, and the released layout of its weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from states import equal, noise, there_and_back

from gganjax import port
from gganjax.errors import InputError
from gganjax.layers import Mode
from gganjax.nets import selection
from gganjax.nets.selection import ChannelSelection, Doubling, Selection, SelectionGenerator, SpadeSelectionGenerator
from gganjax.nets.spade import SpadeTrunk
from gganjax.nets.unet import UNetGenerator

FAST = {"xla_backend_optimization_level": 0}
RUNNING = Mode("running", dropout=False, keep=False)


def drawn(module, *sizes):
    """Random variables of a network; nothing is computed."""
    random = np.random.default_rng(1)
    draw = lambda leaf: random.uniform(-0.5, 0.5, leaf.shape).astype(np.float32)
    return jax.tree.map(draw, port.shapes(module, *sizes))


def convolved(params, x):
    """A convolution of stride 1 that keeps the size, in float64."""
    kernel = params["kernel"].astype(np.float64)
    width = len(kernel) // 2
    x = np.pad(x, ((0, 0), (width, width), (width, width), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], (1, 2))
    return np.einsum("bhwcij,ijco->bhwo", windows, kernel) + params["bias"]


def softmax(x):
    weights = np.exp(x - x.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


@pytest.mark.parametrize("old, new", [(1, 7), (2, 5), (3, 32), (28, 256), (64, 256), (5, 5), (9, 4)])
def test_interpolation_keeps_the_corners(old, new):
    """NumPy's linear interpolation between points that reach from end to end; weights of a pixel add up to 1."""
    values = noise(old).astype(np.float64)
    expected = np.interp(np.linspace(0, old - 1, new), np.arange(old), values)
    found = selection.corner_weights(old, new)
    np.testing.assert_allclose(found @ values, expected, atol=1e-6)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-6)


def test_pooling_drops_what_is_left_at_the_end():
    x = noise(2, 11, 21, 3)
    expected = np.stack([[x[:, 9 * i : 9 * i + 9, 9 * j : 9 * j + 9].mean((1, 2)) for j in range(2)] for i in range(1)])
    np.testing.assert_allclose(selection.average_pool(x, 9), expected.transpose(2, 0, 1, 3), atol=1e-6)
    assert selection.average_pool(jnp.ones((1, 256, 256, 1)), 9).shape == (1, 28, 28, 1)
    np.testing.assert_allclose(selection.average_pool(x[:, :8, :8], 9), x[:, :8, :8].mean((1, 2), keepdims=True), atol=1e-6)


def test_scales_stand_in_front_of_the_features():
    x = noise(1, 12, 18, 2)
    pooled = np.asarray(selection.pool_scales(jnp.asarray(x)))
    assert pooled.shape == (1, 12, 18, 8)
    np.testing.assert_allclose(pooled[..., :2], x * x, atol=1e-6)
    np.testing.assert_array_equal(pooled[..., 6:], x)
    coarse = x[:, :, :16].reshape(1, 3, 4, 4, 4, 2).mean((2, 4))  # 12 // 4 by 18 // 4 squares
    rows = np.stack([np.interp(np.linspace(0, 2, 12), np.arange(3), coarse[0, :, j, 1]) for j in range(4)], 1)
    wide = np.stack([np.interp(np.linspace(0, 3, 18), np.arange(4), row) for row in rows])
    np.testing.assert_allclose(pooled[0, ..., 3], x[0, ..., 1] * wide, atol=1e-6)


@pytest.mark.parametrize("inverted", [True, False])
def test_channels_attend_to_each_other(inverted):
    """x + gamma A x with the softmax of the negative, or of the plain inner products of the channels."""
    x = noise(2, 4, 3, 5)
    flat = x.reshape(2, 12, 5).astype(np.float64)
    energy = flat.swapaxes(1, 2) @ flat
    weights = softmax(energy.max(-1, keepdims=True) - energy if inverted else energy)
    expected = flat + 0.7 * (flat @ weights.swapaxes(1, 2))
    found = ChannelSelection(inverted).apply({"params": {"gamma": np.float32([0.7])}}, x)
    np.testing.assert_allclose(found, expected.reshape(x.shape), atol=1e-5)
    module = ChannelSelection(inverted)
    np.testing.assert_array_equal(module.apply(module.init(jax.random.key(0), x), x), x)  # gamma starts at 0


def test_doubling_by_pytorchs_definition():
    """Every pixel's four are its own products with the taps, in PyTorch's layout."""
    x, kernel, bias = noise(1, 3, 2, 4), noise(4, 5, 2, 2, seed=1), noise(5, seed=2)
    expected = np.zeros((1, 6, 4, 5))
    for i in range(3):
        for j in range(2):
            expected[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = np.einsum("bc,cohw->bhwo", x[:, i, j], kernel)
    params = {"kernel": port.selection.DOUBLING.there(kernel), "bias": bias}
    np.testing.assert_allclose(Doubling(5).apply({"params": params}, x), expected + bias, atol=1e-5)
    np.testing.assert_array_equal(port.selection.DOUBLING.back(params["kernel"]), kernel)


@pytest.mark.parametrize("pooling", selection.POOLINGS)
@pytest.mark.parametrize("source", selection.UNCERTAINTY_INPUTS)
def test_selection_by_hand(pooling, source):
    """Pooling or what takes its place, the convolution, images times attention, uncertainty of either input."""
    x = noise(2, 9, 10, 4)
    module = Selection(3, 2, source, pooling)
    variables = drawn(module, x.shape)
    params = variables["params"]
    seen = x.astype(np.float64)
    if pooling == "multiscale":
        seen = np.asarray(selection.pool_scales(jnp.asarray(x)), np.float64)
    elif pooling == "squeeze":
        mean = seen.mean((1, 2), keepdims=True)
        hidden = np.maximum(convolved(params["squeeze"]["squeeze"], mean), 0)
        seen = seen / (1 + np.exp(-convolved(params["squeeze"]["excite"], hidden)))
    seen = convolved(params["merge"], seen)
    images = np.tanh(convolved(params["head"]["image"], seen))
    logits = convolved(params["head"]["attention"], seen)
    attention = softmax(logits)
    expected = sum(attention[..., i : i + 1] * images[..., 3 * i : 3 * i + 3] for i in range(3))
    uncertainty = 1 / (1 + np.exp(-convolved(params["uncertainty"], attention if source == "attention" else logits)))
    picture, parts = jax.jit(module.apply, compiler_options=FAST)(variables, x)
    np.testing.assert_allclose(picture, expected, atol=1e-5)
    np.testing.assert_allclose(parts["uncertainty"], uncertainty, atol=1e-5)
    shown = selection.looks(parts)
    assert tuple(shown) == selection.look_names(3) == ("image_1", "image_2", "image_3", "map_1", "map_2", "map_3")
    again = sum((shown[f"map_{k}"] + 1) / 2 * shown[f"image_{k}"] for k in (1, 2, 3))
    np.testing.assert_allclose(again, expected, atol=1e-5)


def test_one_image_has_attention_1_and_tells_by_its_logits():
    x = noise(1, 9, 9, 4)
    for source, varies in (("attention", False), ("logits", True)):
        module = Selection(1, 1, source, "none")
        _, parts = module.apply(drawn(module, x.shape), x)
        np.testing.assert_array_equal(parts["attention"], 1)
        assert (np.ptp(parts["uncertainty"]) > 1e-3) == varies


@pytest.mark.parametrize("options", [{}, dict(channel_selection="inverted"), dict(unused_layer=True)])
def test_released_weights_of_the_second_stage(options):
    """Every key has its place and back; the layer that is never called may stay out."""
    module = SelectionGenerator(Selection(3, 1, **options), 5)
    sizes = (1, 8, 8, 4), (1, 8, 8, 2), (1, 16, 16, 3), (1, 16, 16, 3)
    variables = drawn(module, *sizes)
    plus = "channel_selection" in options
    table = port.selection.generator(channel_selection=plus, unused_layer="unused_layer" in options)
    state = there_and_back(table, variables)
    assert state["deconvolution_1.weight"].shape == (6, 5, 2, 2)
    assert port.selection.describe(state) == dict(
        inputs=6, width=5, images=3, uncertainty=1, channel_selection="inverted" if plus else "none")
    if "unused_layer" in options:
        without = SelectionGenerator(Selection(3, 1), 5)
        kept = port.to_flax(port.selection.generator(), state, port.shapes(without, *sizes))
        assert len(jax.tree.leaves(kept)) == len(state) - 2


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_released_weights_of_the_first_stage(norm):
    """Inner blocks lie in a release twice; the last feature is what the last convolution sees."""
    module, x = UNetGenerator(3, 2, 5, norm), noise(1, 32, 32, 6)
    variables = drawn(module, x.shape)
    table = port.selection.unet(levels=5, norm_kind=norm)
    state = port.to_torch(table, variables)
    assert {"model.down.0.weight", "model.up.0.bias", "model.submodule.model.1.weight",
            "model.submodule.model.3.model.3.model.3.model.3.weight"} <= set(state)
    twice = {key.replace("model.submodule.", "model.model.0."): value for key, value in state.items()}
    assert port.selection.describe_unet(state | twice) == dict(inputs=6, outputs=3, width=2, levels=5, norm=norm)
    assert equal(port.to_flax(table, state | twice, variables), variables)
    made, seen = jax.eval_shape(lambda v, x: module.apply(v, x, RUNNING, features=True), variables, x)
    assert (made.shape, seen.shape) == ((1, 32, 32, 3), (1, 16, 16, 4))
    for wrong in (port.selection.describe, port.selection.describe_semantic):
        with pytest.raises(InputError, match="its first keys are"):
            wrong(state)
    with pytest.raises(InputError, match="is not that of a U-Net of SelectionGAN"):
        port.selection.describe_unet({"conv_img.weight": np.zeros(3)})


def test_selection_on_gaugan_is_released_under_gaugans_names():
    module, semantics = SpadeSelectionGenerator(SpadeTrunk(2, hidden=3), 2), (1, 32, 32, 4)
    variables = drawn(module, semantics)
    state = there_and_back(port.selection.semantic(), variables)
    assert state["conv_img.weight"].shape == (6, 2, 3, 3) and state["conv_att.weight"].shape == (2, 2, 1, 1)
    assert port.selection.describe_semantic(state) == dict(
        inputs=4, width=2, hidden=3, upsampling="normal", norm="batch", images=2)
    out = jax.eval_shape(lambda v, x: module.apply(v, x, RUNNING, details=True), variables, noise(*semantics))
    assert {name: x.shape for name, x in out.items()} == {"fake_target": (1, 32, 32, 3)} | {
        name: (1, 32, 32, 3 if "image" in name else 1) for name in module.looks}
