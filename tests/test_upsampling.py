"""Upsampling layers: values by their definitions, gradients by the plain form, memory, exact counts of Table 6.10."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gganjax.errors import InputError
from gganjax.layers import Mode
from gganjax.nets import upsampling
from gganjax.nets.spade import SpadeGenerator, SpadeTrunk
from gganjax.nets.upsampling import KINDS, PositionAttention, SemanticAwareUpsample, Upsample, reassemble


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def filled(module, x, seed=1):
    """Random variables of a module, norms' scales around 1."""
    random = np.random.default_rng(seed)
    shapes = jax.eval_shape(module.init, jax.random.key(0), x)
    return jax.tree.map(lambda leaf: random.normal(size=leaf.shape).astype(np.float32) / max(leaf.shape[-1], 1) ** 0.5, shapes)


def run(kind, variables, x):
    return np.asarray(jax.jit(Upsample(kind).apply)(variables, x))


def by_pixel(x, weights):
    """SAU's last step pixel by pixel, in float64, from weights [B, H, W, k^2, s^2]."""
    batch, height, width, channels = x.shape
    size, scale = (round(side**0.5) for side in weights.shape[3:])
    padded = np.pad(x.astype(np.float64), ((0, 0), (size // 2,) * 2, (size // 2,) * 2, (0, 0)))
    made = np.zeros((batch, scale * height, scale * width, channels))
    for i in range(scale * height):
        for j in range(scale * width):
            window = padded[:, i // scale : i // scale + size, j // scale : j // scale + size]
            share = weights[:, i // scale, j // scale, :, (i % scale) * scale + j % scale]
            made[:, i, j] = np.einsum("bpqc,bpq->bc", window, share.reshape(batch, size, size))
    return made


def plain(x, weights):
    """The same with the tensor of all neighbors of all pixels, [B, sH, sW, C, k^2], in full."""
    batch, height, width, channels = x.shape
    size, scale = (round(side**0.5) for side in weights.shape[3:])
    border = size // 2
    padded = jnp.pad(x, ((0, 0), (border, border), (border, border), (0, 0)))
    near = jnp.stack([padded[:, p : p + height, q : q + width] for p in range(size) for q in range(size)], -1)
    near = near.repeat(scale, 1).repeat(scale, 2)
    share = weights.reshape(batch, height, width, -1, scale, scale).transpose(0, 1, 4, 2, 5, 3)
    share = share.reshape(batch, scale * height, scale * width, 1, -1)
    return (near * share).sum(-1)


def computed(function, x, weights, toward):
    def run(x, weights, toward):
        made, back = jax.vjp(function, x, weights)
        return made, *back(toward.astype(made.dtype))
    return jax.jit(run).lower(x, weights, toward).compile()


@pytest.mark.parametrize("size, scale", [(5, 2), (3, 3)])
def test_neighbors_are_summed_and_gradients_are_those_of_the_plain_form(size, scale):
    x, weights = noise(2, 5, 4, 3), noise(2, 5, 4, size**2, scale**2, seed=1)
    toward = noise(2, 5 * scale, 4 * scale, 3, seed=2)
    found, expected = (computed(function, x, weights, toward)(x, weights, toward) for function in (reassemble, plain))
    np.testing.assert_allclose(found[0], by_pixel(x, weights), rtol=1e-5, atol=1e-5)
    for ours, exact in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, exact, rtol=1e-5, atol=1e-5)


def test_the_tensor_of_all_neighbors_is_never_there():
    """What the compiler sets aside stays below four times the result, where the tensor of neighbors is 25 times as large."""
    x, weights, toward = (jax.ShapeDtypeStruct(shape, jnp.float32) for shape in (
        (1, 16, 16, 128), (1, 16, 16, 25, 4), (1, 32, 32, 128)))
    result = 4 * toward.size
    ours, whole = (computed(function, x, weights, toward).memory_analysis().temp_size_in_bytes
                   for function in (reassemble, plain))
    assert ours < 4 * result
    assert whole > 25 * result


def test_kernels_are_a_softmax_over_the_neighbors_of_every_pixel():
    x = noise(1, 4, 3, 6)
    module = Upsample("sau")
    variables = filled(module, x)

    @jax.jit
    def watched(variables, x):
        with upsampling.watching() as seen:
            made = module.apply(variables, x)
        alone = SemanticAwareUpsample().apply({"params": variables["params"]["sau"]}, x, method="kernels")
        return made, seen, alone

    made, seen, weights = watched(variables, x)
    assert list(seen) == ["sau"]
    np.testing.assert_allclose(weights.sum(3), 1, rtol=1e-5)
    np.testing.assert_allclose(made, by_pixel(x, np.asarray(weights)), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(seen["sau"][0, 5, 2], weights[0, 2, 1, :, 2].reshape(5, 5))


def test_gaugan_shows_the_kernels_of_its_four_upsamplings():
    trunk = SpadeTrunk(4, upsampler="sau", hidden=4)
    module = SpadeGenerator(trunk, points=((0.0, 0.5),))
    assert module.looks == tuple(f"kernel_up_{i}_1" for i in range(4)) and not SpadeGenerator(SpadeTrunk()).looks
    x = np.zeros((2, 32, 64, 3), np.float32)
    found, _ = jax.eval_shape(lambda x: module.init_with_output(jax.random.key(0), x, details=True), x)
    assert {name: one.shape for name, one in found.items()} == {
        "fake_target": (2, 32, 64, 3), **dict.fromkeys(module.looks, (2, 32, 64, 1))}


def test_attention_in_front_of_nearest_is_that_behind_it():
    x = noise(1, 3, 4, 8)
    variables = filled(Upsample("attention"), x)
    large = x.repeat(2, 1).repeat(2, 2)
    behind = jax.jit(PositionAttention().apply)({"params": variables["params"]["attention"]}, large)
    np.testing.assert_allclose(run("attention", variables, x), behind, rtol=1e-5, atol=1e-6)
    variables["params"]["attention"]["gamma"] = np.zeros(1, np.float32)  # as at the start
    np.testing.assert_array_equal(run("attention", variables, x), large)


def test_layers_by_their_definitions():
    """Deconvolution and pixel shuffle pixel by pixel; bilinear of a ramp is a ramp."""
    x = noise(1, 2, 3, 4)
    variables = filled(Upsample("deconvolution"), x)
    kernel, bias = (np.asarray(variables["params"][name]) for name in ("kernel", "bias"))
    made = run("deconvolution", variables, x)
    for i, j in np.ndindex(4, 6):
        np.testing.assert_allclose(made[0, i, j], x[0, i // 2, j // 2] @ kernel[i % 2, j % 2] + bias, rtol=1e-4, atol=1e-5)
    shuffled = np.asarray(upsampling.pixel_shuffle(jnp.asarray(x)))
    for i, j in np.ndindex(4, 6):
        assert shuffled[0, i, j, 0] == x[0, i // 2, j // 2, 2 * (i % 2) + j % 2]
    places = np.arange(12.0)
    ramp = np.float32(places)[None, :, None, None] * np.ones((1, 1, 8, 1), np.float32)
    between = (np.arange(24) - 0.5) / 2
    found = run("bilinear", {}, ramp)[0, 2:-2, 3, 0]
    np.testing.assert_allclose(found, between[2:-2], rtol=1e-5)
    squares = np.broadcast_to(np.float32([0, 1, 4, 9])[:, None], (1, 4, 4, 1))
    pytorchs = [-0.10546875, 0.12109375, 0.45703125, 1.609375, 2.828125, 5.44921875, 7.97265625, 9.52734375]
    np.testing.assert_allclose(run("bicubic", {}, squares)[0, 3, :, 0], pytorchs, rtol=1e-6)


# Table 6.10 in millions: rows B1 to B7, GauGAN on Cityscapes with other upsamplings.
TABLE = {"nearest": 93.0480, "bilinear": 93.0480, "bicubic": 93.0480, "deconvolution": 98.6205, "pixel_shuffle": 143.1907,
         "attention": 97.4152, "sau": 93.4019}


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_of_table_6_10(kind):
    net = SpadeGenerator(SpadeTrunk(upsampling="more", upsampler=kind))
    shapes = jax.eval_shape(net.init, jax.random.key(0), jax.ShapeDtypeStruct((1, 256, 512, 36), jnp.float32))
    count = sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))
    if kind == "sau_norm":  # the norms' scales and shifts in place of the biases
        assert count == 93_048_003 + 353_936 + 656
    else:
        assert round(count / 1e6, 4) == TABLE[kind]


def test_norms_of_sau_move_with_their_mode():
    x = noise(1, 4, 4, 6)
    variables = filled(Upsample("sau_norm"), x)
    _, moved = jax.jit(lambda v: Upsample("sau_norm").apply(v, x, Mode(), mutable=["moving"]))(variables)
    for norm in ("compress_norm", "kernel_norm"):
        assert not np.array_equal(variables["moving"]["sau"][norm]["mean"], moved["moving"]["sau"][norm]["mean"])


def test_unknown_kind_is_told():
    with pytest.raises(InputError, match="options.upsampler is 'linear', expected one of"):
        Upsample("linear").init(jax.random.key(0), noise(1, 2, 2, 4))
