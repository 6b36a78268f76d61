"""Discrete Fréchet distances of curves, and FRD, which is one between the class scores of two images.

FRD (GestureGAN, thesis ch. 2) reads the 1000 outputs of a classifier, taken before the softmax and in the order of the
classes, as a curve of 1000 one-dimensional points, one curve an image. It is no distance between sets, and not to be
confused with the Fréchet distance between Gaussians in `distributions.py`.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gganjax.errors import InputError


@jax.jit
def frechet_curve(a, b):
    """Returns the discrete Fréchet (coupling) distance [B] of curves a [B, N, D] and b [B, M, D], float32.

    Eiter and Mannila 1994, with the Euclidean distance between points: the smallest value, over all ways to walk both
    curves from end to end without stepping back, of the largest distance between the two walkers. It is exact: apart
    from the distances between points it consists of minima and maxima. A NaN in a curve makes its distance NaN.

    Raises:
      InputError: the curves are not two such arrays, with at least one point each.
    """
    if a.ndim != 3 or b.ndim != 3 or a.shape[::2] != b.shape[::2] or 0 in a.shape + b.shape:
        raise InputError(
            f"a distance of curves takes arrays [B, N, D] and [B, M, D], got {tuple(a.shape)} and {tuple(b.shape)}.")
    return jax.vmap(_one)(a.astype(jnp.float32), b.astype(jnp.float32))


def frd(fake, real):
    """Returns the distance [B] of GestureGAN's FRD between class scores [B, L] of generated and real images, float32.

    The published FRD is the mean over all pairs. The scores are ResNet-50's 1000 before the softmax; `calculate_FRD.m`
    has MATLAB's own ResNet-50, so that values with other weights compare with each other only.

    Raises:
      InputError: the scores are not two arrays of equal shape [B, L].
    """
    fake, real = jnp.asarray(fake), jnp.asarray(real)
    if fake.ndim != 2 or fake.shape != real.shape:
        raise InputError(f"FRD compares two arrays of scores [B, L] of equal shape, got {fake.shape} and {real.shape}.")
    return frechet_curve(fake[..., None], real[..., None])


def frd_matlab(distances) -> float:
    """Returns the mean that GestureGAN's `calculate_FRD.m` prints for the distances [N] of all pairs.

    The script starts to fill its list at the third place, so that two zeros enter: the sum is divided by N + 2.
    """
    distances = np.asarray(distances, np.float64)
    return float(distances.sum() / (distances.size + 2))


def _one(a, b):
    """The distance of one pair of curves, a [N, D] and b [M, D].

    With c(i, j) = max(min(c(i-1, j), c(i-1, j-1), c(i, j-1)), |a_i - b_j|) an anti-diagonal i + j = k depends on the
    two before it alone, so that N + M - 1 steps over vectors suffice. Cells outside the table are infinite.
    """
    rows, columns = len(a), len(b)
    outside = jnp.full((1,), jnp.inf)
    # Element i of diagonal k needs b_(k-i): a window of b turned round, which slides by one place a step.
    turned = jnp.pad(b[::-1], ((rows - 1, rows - 1), (0, 0)), constant_values=jnp.inf)

    def step(carry, k):
        last, before = carry  # [1 + N], row -1 in front
        gap = a - lax.dynamic_slice_in_dim(turned, rows + columns - 2 - k, rows)
        distance = jnp.abs(gap[:, 0]) if gap.shape[1] == 1 else jnp.linalg.norm(gap, axis=1)
        cells = jnp.maximum(jnp.minimum(jnp.minimum(last[1:], last[:-1]), before[:-1]), distance)
        return (jnp.concatenate([outside, cells]), last), None

    nothing = jnp.full((1 + rows,), jnp.inf)
    start = nothing.at[0].set(0.0)  # the cell that c(0, 0) = |a_0 - b_0| comes from
    (last, _), _ = lax.scan(step, (nothing, start), jnp.arange(rows + columns - 1))
    return last[-1]
