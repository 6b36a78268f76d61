"""A convolution for each class as one operation: equal to the plain loop over the classes, with as many operations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from gganjax.layers import pad
from gganjax.nets import classwise
from gganjax.nets.classwise import by_class, classwise_conv


def plain(x, classes, kernels):
    """Masked features through one convolution after the other."""
    def one(k, kernel):
        masked = pad(x * (classes == k)[..., None], len(kernel) // 2, "reflect")
        return lax.conv_general_dilated(masked, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return jnp.stack([one(k, kernel) for k, kernel in enumerate(kernels)], 3)


def drawn(classes, size, height=9, width=8):
    random = np.random.default_rng(classes)
    x = random.normal(size=(2, height, width, 5)).astype(np.float32)
    kernels = random.normal(size=(classes, size, size, 5, 3)).astype(np.float32)
    numbers = random.integers(-1, classes + 2, (2, height, width)).astype(np.int32)  # some of no class
    numbers[0, :, : width // 2] = 0  # and many of one
    return x, numbers, kernels, random.normal(size=(2, height, width, classes, 3)).astype(np.float32)


@pytest.mark.parametrize("classes, size, rows", [(3, 7, 16), (6, 3, 256)])
def test_equal_to_the_loop_with_its_gradients(classes, size, rows, monkeypatch):
    monkeypatch.setattr(classwise, "ROWS", rows)
    x, numbers, kernels, toward = drawn(classes, size)

    @jax.jit
    def run(x, numbers, kernels, toward):
        results = []
        for function in (classwise_conv, plain):
            made, back = jax.vjp(lambda x, kernels, function=function: function(x, numbers, kernels), x, kernels)
            results.append((made, *back(toward)))
        return results

    ours, expected = run(x, numbers, kernels, toward)
    for found, wanted in zip(ours, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_rows_are_multiplied_by_the_matrix_of_their_class():
    random = np.random.default_rng(0)
    x, kernels = (random.normal(size=shape).astype(np.float32) for shape in ((700, 4), (5, 4, 6)))
    numbers = random.choice([0, 1, 3, 5], 700, p=[0.8, 0.1, 0.05, 0.05])  # 2 and 4 are empty, 5 is of none
    made = jax.jit(by_class)(x, numbers, kernels)
    expected = np.einsum("nc,ncp->np", x, np.concatenate([kernels, np.zeros((1, 4, 6))])[numbers])
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-5)


def test_operations_do_not_grow_with_the_classes():
    """151 classes compile to the operations of two, with memory for their images and their kernels only."""
    def operations(classes):
        shapes = ((1, 32, 32, 4), np.float32), ((1, 32, 32), np.int32), ((classes, 7, 7, 4, 3), np.float32)
        lowered = jax.jit(classwise_conv).lower(*(jax.ShapeDtypeStruct(*shape) for shape in shapes))
        return lowered.as_text().count(" = ")
    assert operations(2) == operations(151)
