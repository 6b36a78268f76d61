"""Attention without the whole matrix: values and gradients of every form, which form is taken, memory."""

import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gganjax.errors import InputError
from gganjax.nets import attention as module
from gganjax.nets import xing
from gganjax.nets.attention import attention, choose
from gganjax.nets.xing import CrossingAttention

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import benchmark_attention

FAST = {"xla_backend_optimization_level": 0}
# Batch, queries, keys, width of query and key, of the value, and rows at a time: parts of an image, which may not
# divide it, or some images together, or all.
SIZES = (
    (2, 16, 16, 4, 8, 4), (1, 35, 35, 3, 6, 8), (2, 7, 11, 5, 5, 3), (3, 9, 9, 2, 7, 1), (2, 12, 12, 8, 32, 20),
    (6, 5, 5, 3, 4, 12), (5, 4, 6, 3, 4, 11),
)


def drawn(batch, queries, keys, width, channels):
    random = np.random.default_rng(queries)
    shapes = ((batch, queries, width), (batch, keys, width), (batch, keys, channels), (batch, queries, channels))
    return [random.normal(size=shape).astype(np.float32) for shape in shapes]


def by_formula(query, key, value, toward):
    """The attention, and its gradients towards query, key and value, in float64."""
    query, key, value, toward = (x.astype(np.float64) for x in (query, key, value, toward))
    energies = query @ key.swapaxes(1, 2)
    weights = np.exp(energies - energies.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    slope = toward @ value.swapaxes(1, 2)
    slope = weights * (slope - (weights * slope).sum(-1, keepdims=True))
    return weights @ value, slope @ key, slope.swapaxes(1, 2) @ query, weights.swapaxes(1, 2) @ toward


def computed(function, query, key, value, toward):
    def run(*inputs):
        out, back = jax.vjp(function, *inputs)
        return out, *back(toward.astype(out.dtype))
    return jax.device_get(jax.jit(run, compiler_options=FAST)(query, key, value))


def check(found, expected, tolerance=1e-5):
    for name, ours, exact in zip(("value", "query", "key", "values"), found, expected, strict=True):
        assert ours.shape == exact.shape
        assert np.abs(ours - exact).max() <= tolerance * np.abs(exact).max(), name


@pytest.mark.parametrize("form, sizes", [*(("chunked", sizes) for sizes in SIZES), ("plain", SIZES[0])])
def test_values_and_gradients(form, sizes):
    *shape, rows = sizes
    inputs = drawn(*shape)
    check(computed(lambda *x: attention(*x, form=form, rows=rows), *inputs), by_formula(*inputs))


@pytest.mark.parametrize("sizes", [(2, 12, 12, 8, 32), (1, 9, 14, 4, 4)])
def test_heads_of_the_fused_form(sizes):
    """The same heads through JAX's own kernel: cuDNN's runs on NVIDIA GPUs only."""
    inputs = drawn(*sizes)
    check(computed(lambda *x: module._fused(*x, implementation="xla"), *inputs), by_formula(*inputs))


def test_low_precision_stays_low_but_for_the_softmax():
    inputs = drawn(2, 33, 33, 4, 8)
    low = [jnp.asarray(x, jnp.bfloat16) for x in inputs]
    for form in ("plain", "chunked"):
        found = computed(lambda *x, form=form: attention(*x, form=form, rows=8), *low)
        assert {x.dtype for x in found} == {jnp.dtype(jnp.bfloat16)}
        check([x.astype(np.float32) for x in found], by_formula(*(np.asarray(x, np.float32) for x in low)), 0.03)


AMPERE, HOPPER, TURING, AMD, CPU = (SimpleNamespace(**facts) for facts in (
    dict(compute_capability="8.0"), dict(compute_capability="9.0"), dict(compute_capability="7.5"),
    dict(compute_capability="gfx942"), {}))


@pytest.mark.parametrize("rows, positions, width, channels, dtype, device, form", [
    (64, 512, 32, 256, "float32", CPU, "plain"),  # Market, 32 images in both directions
    (64, 513, 32, 256, "float32", CPU, "chunked"),
    (64, 512, 32, 256, "bfloat16", AMPERE, "plain"),
    (2, 2816, 32, 256, "float32", CPU, "plain"),  # one image of DeepFashion
    (64, 2816, 32, 256, "float32", HOPPER, "chunked"),
    (64, 2816, 32, 256, "bfloat16", CPU, "chunked"),
    (64, 2816, 32, 256, "bfloat16", AMPERE, "fused"),
    (64, 2816, 32, 256, "float16", HOPPER, "fused"),
    (64, 2816, 32, 256, "bfloat16", TURING, "chunked"),
    (64, 2816, 32, 256, "bfloat16", AMD, "chunked"),
    (64, 2816, 256, 256, "bfloat16", AMPERE, "chunked"),  # the thesis' width
    (64, 2816, 256, 256, "bfloat16", HOPPER, "fused"),
    (64, 2816, 12, 96, "bfloat16", HOPPER, "chunked"),
    (64, 2816, 32, 48, "bfloat16", HOPPER, "chunked"),
])
def test_choice(rows, positions, width, channels, dtype, device, form):
    shapes = (rows, positions, width), (rows, positions, width), (rows, positions, channels)
    assert choose(*shapes, dtype, device=device) == form


def test_choice_is_made_and_can_be_set(monkeypatch):
    """Where "auto" would take the plain form of 12 x 12 energies, the chunked one holds 12 rows of 3 at most."""
    shapes = [jax.ShapeDtypeStruct(x.shape, jnp.float32) for x in drawn(1, 12, 12, 4, 4)[:3]]
    whole = "tensor<1x12x12xf32>"
    text = lambda **options: jax.jit(lambda *x: attention(*x, **options)).lower(*shapes).as_text()
    assert whole in text()
    assert whole not in text(form="chunked", rows=3)
    monkeypatch.setattr(module, "PLAIN_BYTES", 4 * 12 * 12 - 1)
    assert whole not in text(rows=3)
    assert whole in text(form="plain")
    with pytest.raises(InputError, match="options.attention is 'flash', expected one of"):
        text(form="flash")


def test_memory_grows_with_the_positions_not_with_their_square():
    def temporary(form, positions):
        shapes = [jax.ShapeDtypeStruct((2, positions, width), jnp.float32) for width in (8, 8, 16)]
        slope = jax.grad(lambda *x: attention(*x, form=form, rows=32).sum(), argnums=(0, 1, 2))
        return jax.jit(slope).lower(*shapes).compile().memory_analysis().temp_size_in_bytes

    few, many = (temporary("chunked", positions) for positions in (512, 2048))
    assert many < 5 * few
    assert many < 4 * 2 * 2048**2 / 8  # an eighth of one matrix of energies
    few, many = (temporary("plain", positions) for positions in (512, 2048))
    assert many > 12 * few


@pytest.mark.parametrize("both", [False, True])
def test_chunked_module_has_the_values_and_gradients_of_the_plain_one(both, monkeypatch):
    """Projections included, which the chunked form recomputes with the attention, two images at a time."""
    monkeypatch.setattr(xing, "by_images", partial(module.by_images, rows=12))
    random = np.random.default_rng(0)
    codes = [random.normal(size=(4, 2, 3, 4)).astype(np.float32) for _ in range(2)]
    shapes = jax.eval_shape(CrossingAttention(3).init, jax.random.key(0), *codes)
    variables = jax.tree.map(lambda leaf: random.normal(size=leaf.shape).astype(np.float32), shapes)

    def slopes(form):
        total = lambda variables, *codes: sum(jnp.square(code).sum() for code in jax.tree.leaves(
            CrossingAttention(3, form).apply(variables, *codes, both=both)))
        return jax.jit(jax.value_and_grad(total, argnums=(0, 1, 2)), compiler_options=FAST)

    assert "stablehlo.while" in slopes("chunked").lower(variables, *codes).as_text()
    (one, plain), (other, chunked) = (jax.device_get(slopes(form)(variables, *codes)) for form in ("plain", "chunked"))
    np.testing.assert_allclose(one, other, rtol=1e-6)
    for form in (plain, chunked):  # the softmax is the same whatever all energies of a query have in common
        key = form[0]["params"]["key"]
        assert np.abs(key.pop("bias")).max() <= 1e-5 * np.abs(key["kernel"]).max()
    for a, b in zip(jax.tree.leaves(plain), jax.tree.leaves(chunked), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * max(np.abs(a).max(), 1))


@pytest.mark.parametrize("form", ["released", "thesis"])
def test_memory_of_the_attention_at_full_size(form):
    """DeepFashion at 256x256, 9 blocks, batch 32, forward and backward: at most 12 GiB; the plain form takes 115."""
    size = benchmark_attention.SIZES["DeepFashion 256x256"]
    taken = benchmark_attention.temporary_bytes(size, benchmark_attention.WIDTHS[form], "auto", batch=32, blocks=9,
                                                dtype=jnp.float32)
    assert taken <= 12 * 2**30


def test_the_benchmark_tells_memory_and_time(capsys, monkeypatch):
    monkeypatch.setattr(benchmark_attention, "SIZES", {"Market 128x64": (4, 2)})
    monkeypatch.setattr(benchmark_attention, "CHANNELS", 8)
    arguments = "--batch=2 --blocks=1 --timed-batch=1 --seconds=0"
    assert benchmark_attention.main(["benchmark_attention.py", *arguments.split()]) == 0
    title, *memory, timed, one, other = capsys.readouterr().out.splitlines()
    assert title.endswith("temporary memory of 1 blocks, batch 2:") and timed.endswith("batch 1:")
    assert [line.split()[2] for line in memory] == ["released", "thesis"]
    assert all("GiB, chunked" in line for line in memory)
    assert one.split()[0] == "released" and other.split()[0] == "thesis" and " ms, auto " in other
