"""Layers against NumPy and against jax's own direct forms."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict
from jax import lax

from gganjax import convolutions, port
from gganjax.layers import INITIALIZATIONS, TRAIN, Conv, Dropout, Mode, Norm, UpConv, pad
from gganjax.nets.patch import PatchDiscriminator, PixelDiscriminator
from gganjax.nets.resnet import ResNetGenerator
from gganjax.nets.stargan import DomainDiscriminator, PlainGenerator, StarGANGenerator
from gganjax.nets.unet import UNetGenerator

RANDOM = np.random.default_rng(0)


def noise(*shape):
    return RANDOM.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(2, 5, 7, 6), (2, 1, 2, 6), (1, 1, 1, 6)])  # many positions, and few
@pytest.mark.parametrize("size, border", [(3, (1, 2)), (4, (2, 2))])
def test_up_convolution_equals_the_input_dilated_one(size, border, shape):
    x, layer = noise(*shape), UpConv(4, size)
    params = layer.init(jax.random.key(0), x)
    weight = noise(shape[0], 2 * shape[1], 2 * shape[2], 4)

    def direct(params, x):
        kernel, bias = params["params"]["kernel"], params["params"]["bias"]
        y = lax.conv_general_dilated(x, kernel, (1, 1), (border, border), lhs_dilation=(2, 2),
                                     dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return y + bias

    np.testing.assert_allclose(layer.apply(params, x), direct(params, x), atol=1e-6)
    ours, theirs = (jax.grad(lambda p, v, f=f: (f(p, v) * weight).sum(), argnums=(0, 1))(params, x)
                    for f in (layer.apply, direct))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), ours, theirs)


@pytest.mark.parametrize("size, stride, border", [(4, 2, ((1, 1), (1, 1))), (3, 1, ((1, 1), (0, 2))), (4, 1, ((0, 0),) * 2)])
def test_a_convolution_of_few_positions_equals_that_of_the_compiler(size, stride, border):
    x, kernel = noise(2, 4, 5, 16), noise(size, size, 16, 12)

    def plain(x, kernel):
        return lax.conv_general_dilated(x, kernel, (stride,) * 2, border, dimension_numbers=("NHWC", "HWIO", "NHWC"))

    y, back = jax.vjp(lambda x, kernel: convolutions.convolve(x, kernel, stride, border), x[:1], kernel)
    expected, back_expected = jax.vjp(plain, x[:1], kernel)
    assert convolutions.few(y.size // 12, kernel) == (size == 4) and not convolutions.few(2 * y.size, kernel)
    slope = noise(*y.shape)
    for one, other in zip((y, *back(slope)), (expected, *back_expected(slope)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_a_convolution_that_lets_the_picture_grow_equals_that_of_the_compiler_and_swaps_no_operands():
    x, kernel, border = noise(2, 6, 7, 3), noise(4, 4, 3, 5), ((2, 2), (2, 2))

    def plain(x, kernel):
        return lax.conv_general_dilated(x, kernel, (1, 1), border, dimension_numbers=("NHWC", "HWIO", "NHWC"))

    def compiled(function):
        def both(x, kernel, slope):
            y, back = jax.vjp(function, x, kernel)
            return y, *back(slope)
        return jax.jit(both).lower(x, kernel, slope).compile()

    slope = noise(*plain(x, kernel).shape)
    ours, theirs = compiled(lambda x, kernel: convolutions.convolve(x, kernel, 1, border)), compiled(plain)
    for one, other in zip(ours(x, kernel, slope), theirs(x, kernel, slope), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
    assert "rhs_reversal" not in ours.as_text()


def test_every_tap_serves_exactly_one_phase():
    for size in (3, 4):
        taps, _ = convolutions.phase_taps(size, size - 2)
        np.testing.assert_array_equal(taps.sum((0, 1)), np.ones(size))


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate"])
def test_padding(mode):
    x = noise(1, 4, 5, 2)
    kinds = {"zeros": "constant", "reflect": "reflect", "replicate": "edge"}
    np.testing.assert_array_equal(pad(x, 2, mode), np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), kinds[mode]))


def test_convolution_by_hand():
    x, layer = noise(1, 5, 5, 2), Conv(3, 3, stride=2, padding=1, pad_mode="reflect")
    variables = layer.init(jax.random.key(0), x)
    kernel, padded = np.asarray(variables["params"]["kernel"]), np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), "reflect")
    expected = np.stack([[np.einsum("ijc,ijco->o", padded[0, 2 * i:2 * i + 3, 2 * j:2 * j + 3], kernel)
                          for j in range(3)] for i in range(3)])[None]
    np.testing.assert_allclose(layer.apply(variables, x), expected, atol=1e-6)


@pytest.mark.parametrize("layer, rows, fan_in, fan_out", [
    (Conv(48, 3), -1, 9 * 32, 9 * 48),
    (UpConv(48, 4), -2, 16 * 48, 16 * 32),  # PyTorch's kernel has the inputs first, and its fans are the other way round
])
@pytest.mark.parametrize("kind", INITIALIZATIONS)
def test_initializations(kind, layer, rows, fan_in, fan_out):
    params = layer.clone(initial=kind).init(jax.random.key(0), noise(1, 6, 6, 32))["params"]
    kernel, bias = np.asarray(params["kernel"]), np.asarray(params["bias"])
    bound = fan_in**-0.5
    if kind == "torch":
        for leaf, close in ((kernel, 0.99), (bias, 0.8)):
            assert close * bound < np.abs(leaf).max() <= bound
        assert kernel.std() == pytest.approx(bound / 3**0.5, rel=0.02)
        return
    if kind == "normal_kernels":
        assert 0.8 * bound < np.abs(bias).max() <= bound
    else:
        assert not np.any(bias)
    if kind == "orthogonal":
        matrix = np.moveaxis(kernel, rows, 0).reshape(kernel.shape[rows], -1)
        np.testing.assert_allclose(matrix @ matrix.T, 0.02**2 * np.eye(len(matrix)), atol=1e-8)
        return
    if kind == "torch_kernels":
        assert 0.99 * bound < np.abs(kernel).max() <= bound
        assert kernel.std() == pytest.approx(bound / 3**0.5, rel=0.02)
        return
    variance = {"normal": 0.02**2, "normal_kernels": 0.02**2, "xavier": 2 / (fan_in + fan_out), "kaiming": 2 / fan_in,
                "xavier_small": 0.02**2 * 2 / (fan_in + fan_out)}[kind]
    assert kernel.var() == pytest.approx(variance, rel=0.05) and abs(kernel.mean()) < 4 * (variance / kernel.size) ** 0.5
    assert np.mean(np.abs(kernel) < variance**0.5) == pytest.approx(0.6827, abs=0.015)  # that of a normal draw
    assert np.abs(kernel).max() > 3.3 * variance**0.5  # one that is not truncated


@pytest.mark.parametrize("kind", INITIALIZATIONS)
def test_scales_of_norms(kind):
    params = Norm("batch", initial=kind).init(jax.random.key(0), noise(1, 2, 2, 400))["params"]
    assert not np.any(params["bias"])
    if kind == "torch":
        assert np.all(params["scale"] == 1)
    else:
        assert np.mean(params["scale"]) == pytest.approx(1, abs=0.004)
        assert np.std(params["scale"]) == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("net, sizes", [
    (ResNetGenerator(width=2, blocks=1, initial="orthogonal"), [(1, 8, 8, 3)]),
    (UNetGenerator(width=2, levels=5, initial="orthogonal"), [(1, 32, 32, 3)]),
    (PatchDiscriminator(width=2, initial="orthogonal"), [(1, 32, 32, 3)]),
    (PixelDiscriminator(width=2, initial="orthogonal"), [(1, 8, 8, 3)]),
    (StarGANGenerator(width=2, blocks=1), [(1, 8, 8, 3), (1, 2)]),
    (PlainGenerator(), [(1, 8, 8, 3), (1, 2)]),
    (DomainDiscriminator(2, width=2, layers=2), [(1, 8, 8, 3)]),
], ids=lambda value: type(value).__name__)
def test_networks_pass_their_initialization_to_every_layer(net, sizes):
    found = {}

    def watch(call, arguments, options, context):
        if isinstance(context.module, (Conv, UpConv, Norm)):
            found["/".join(context.module.path)] = context.module.initial
        return call(*arguments, **options)

    with nn.intercept_methods(watch):
        shapes = port.shapes(net, *sizes)
    assert set(found.values()) == {getattr(net, "initial", "torch")}
    assert found.keys() >= {"/".join(path[:-1]) for path in flatten_dict(shapes["params"])}


def moved(layer, x, mode=TRAIN, variables=None):
    variables = variables or layer.init(jax.random.key(1), x)
    return layer.apply(variables, x, mode, mutable=["moving"])


@pytest.mark.parametrize("kind", ["instance", "batch"])
def test_norm_and_its_running_statistics(kind):
    x = noise(3, 4, 6, 5) * 3 + 1
    axes = (1, 2) if kind == "instance" else (0, 1, 2)
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    layer = Norm(kind)
    variables = layer.init(jax.random.key(1), x)
    y, after = moved(layer, x, variables=variables)
    expected = (x - mean) / np.sqrt(var + 1e-5)
    if kind == "batch":
        expected = expected * np.asarray(variables["params"]["scale"])
        assert 0 < np.std(variables["params"]["scale"]) < 0.1
    else:
        assert "params" not in variables
    np.testing.assert_allclose(y, expected, atol=1e-5)
    count = x[0, ..., 0].size if kind == "instance" else x[..., 0].size
    unbiased = (var * count / (count - 1)).reshape(-1, 5).mean(0)
    np.testing.assert_allclose(after["moving"]["mean"], 0.1 * mean.reshape(-1, 5).mean(0), atol=1e-6)
    np.testing.assert_allclose(after["moving"]["var"], 0.9 + 0.1 * unbiased, rtol=1e-5)
    running, same = moved(layer, x, Mode(norm="running"), {**variables, **after})
    assert jax.tree.all(jax.tree.map(np.array_equal, same, after))
    shifted = (x - np.asarray(after["moving"]["mean"])) / np.sqrt(np.asarray(after["moving"]["var"]) + 1e-5)
    scale = np.asarray(variables["params"]["scale"]) if kind == "batch" else 1
    np.testing.assert_allclose(running, shifted * scale, atol=1e-5)


@pytest.mark.parametrize("kind", ["instance", "batch"])
def test_stacked_calls_equal_separate_ones(kind):
    calls, layer = [noise(2, 3, 4, 5) * (i + 1) + i for i in range(3)], Norm(kind)
    variables = first = layer.init(jax.random.key(1), calls[0])
    separate = []
    for x in calls:
        y, after = moved(layer, x, variables=variables)
        separate.append(y)
        variables = {**variables, **after}
    y, after = moved(layer, np.concatenate(calls), Mode(calls=3), first)
    np.testing.assert_allclose(y, np.concatenate(separate), atol=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), after["moving"],
                 variables["moving"])


def test_statistics_stay_when_told():
    x, layer = noise(2, 4, 4, 3), Norm("batch")
    variables = layer.init(jax.random.key(0), x)
    _, after = moved(layer, x, Mode(keep=False), variables)
    np.testing.assert_array_equal(after["moving"]["mean"], np.zeros(3))


def test_norm_computes_in_float32():
    x = (noise(1, 16, 16, 2) + 100).astype(jnp.bfloat16)
    y = Norm("instance").apply({"moving": {"mean": jnp.zeros(2), "var": jnp.ones(2)}}, x)
    full = np.asarray(x, np.float32)
    expected = (full - full.mean((1, 2), keepdims=True)) / np.sqrt(full.var((1, 2), keepdims=True) + 1e-5)
    assert y.dtype == jnp.bfloat16
    np.testing.assert_allclose(np.asarray(y, np.float32), expected, atol=0.02)


@pytest.mark.parametrize("layer", [Conv(4, 3, padding=1, use_bias=False), UpConv(4, 3, use_bias=False)])
def test_spectral_norm_follows_the_power_iteration(layer):
    """The matrix of a transposed convolution has a row for each output channel, too."""
    x, plain, layer = noise(1, 8, 8, 3), layer, layer.clone(spectral=True)
    variables = layer.init(jax.random.key(0), x)
    kernel = np.asarray(variables["params"]["kernel"])
    matrix = kernel.reshape(-1, 4)
    u = np.asarray(variables["moving"]["u"])
    v = matrix @ u / np.linalg.norm(matrix @ u)
    u = v @ matrix / np.linalg.norm(v @ matrix)
    y, after = moved(layer, x, variables=variables)
    expected = plain.apply({"params": {"kernel": kernel / (v @ matrix @ u)}}, x)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(after["moving"]["u"], u, atol=1e-6)
    np.testing.assert_allclose(after["moving"]["v"], v, atol=1e-6)
    for _ in range(100):
        _, after = moved(layer, x, variables={**variables, **after})
    tested, same = moved(layer, x, Mode(norm="running"), {**variables, **after})
    largest = np.linalg.svd(matrix, compute_uv=False)[0]
    np.testing.assert_allclose(tested, plain.apply({"params": {"kernel": kernel / largest}}, x), rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(same["moving"]["u"], after["moving"]["u"])  # no iteration at test time


@pytest.mark.parametrize("rate", [0.5, 0.3])
def test_dropout(rate):
    x = np.ones((200, 500), np.float32)
    layer = Dropout(rate)
    y = np.asarray(layer.apply({}, x, rngs={"dropout": jax.random.key(0)}))
    assert set(np.unique(y)) == {0, np.float32(1 / (1 - rate))}
    assert abs((y == 0).mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / y.size)
    np.testing.assert_array_equal(layer.apply({}, x, Mode(dropout=False)), x)


@pytest.mark.parametrize("size, stride, padding, sides", [
    (3, 1, 1, (6, 7)), (5, 2, 2, (8, 9)), (3, 2, 0, (7, 6)), (1, 1, 0, (3, 3))])
def test_depthwise_is_the_grouped_convolution(size, stride, padding, sides):
    random = np.random.default_rng(0)
    x, kernel = np.float32(random.normal(size=(2, *sides, 5))), np.float32(random.normal(size=(size, size, 1, 5)))
    given = (stride, stride), [(padding, padding)] * 2
    wanted = lax.conv_general_dilated(
        x, kernel, *given, dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=5)
    np.testing.assert_allclose(convolutions.depthwise(x, kernel, *given), wanted, atol=1e-5)
