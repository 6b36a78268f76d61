"""Convolutions in the form that is fastest at their size; all forms of one give the same result.

Pictures are [B, H, W, C], kernels [size, size, C, features]. What a compiler makes of the plain forms can be slow on
CPUs: of a transposed convolution above all the gradient of the kernel; of a kernel that meets a few positions, as in
the inner levels of a U-Net and in deep judges, both gradients; and of a border that lets the picture grow, as in judges
with a border of 2, the gradient of the kernel. Where the kernel is the larger operand, a matrix product that takes it as
it is stored is up to ten times as fast.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Border = tuple[tuple[int, int], tuple[int, int]]


def convolve(x: jax.Array, kernel: jax.Array, stride: int, border: Border) -> jax.Array:
    """Convolution with zeros as the border."""
    size, _, channels, features = kernel.shape
    height, width = ((side + sum(more) - size) // stride + 1 for side, more in zip(x.shape[1:3], border, strict=True))
    meets_few = size > 1 and few(len(x) * height * width, kernel)
    if meets_few or height * width > x.shape[1] * x.shape[2]:
        # XLA swaps the operands of a kernel gradient whose window, the result's, is larger than x, and then computes it
        # by plain loops, a fortieth as fast. Beside the padded picture the window is the smaller one.
        x, border = jnp.pad(x, ((0, 0), *border, (0, 0))), ((0, 0), (0, 0))
    if not meets_few:
        return lax.conv_general_dilated(
            x, kernel, (stride, stride), border, dimension_numbers=("NHWC", "HWIO", "NHWC"))
    windows = [x[:, i : i + stride * (height - 1) + 1 : stride, j : j + stride * (width - 1) + 1 : stride]
               for i in range(size) for j in range(size)]
    return jnp.concatenate(windows, -1) @ kernel.reshape(size * size * channels, features)


def double(x: jax.Array, kernel: jax.Array, dtype) -> jax.Array:
    """Transposed convolution of stride 2, [B, H, W, C] -> [B, 2H, 2W, features] of type `dtype`.

    Args:
      x: of type `dtype`.
      kernel: that of the input-dilated convolution, float32; size 3 or 4.
      dtype: of the result.
    """
    if few(x.shape[0] * x.shape[1] * x.shape[2], kernel):
        return overlapped(x, kernel.astype(dtype)).astype(dtype)
    return interleaved(x, kernel)


def few(positions: int, kernel: jax.Array) -> bool:
    """Whether a kernel meets fewer positions than it has channels on either side: it is then the larger operand."""
    return positions <= min(kernel.shape[2:])


def interleaved(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """`double` as one convolution with four times the channels, whose output is interleaved."""
    size, _, channels, features = kernel.shape
    taps, border = phase_taps(size, low=size - 2)
    # Every product below is with 0 or 1: at the highest precision the kernel's values stay exact.
    phases = jnp.einsum("pij,qkl,jlco->ikcpqo", taps, taps, kernel, precision=lax.Precision.HIGHEST)
    window = taps.shape[1]
    y = lax.conv_general_dilated(
        x, phases.reshape(window, window, channels, -1).astype(x.dtype), (1, 1), (border, border),
        dimension_numbers=("NHWC", "HWIO", "NHWC"))
    batch, height, width, _ = x.shape
    y = y.reshape(batch, height, width, 2, 2, features).transpose(0, 1, 3, 2, 4, 5)
    return y.reshape(batch, 2 * height, 2 * width, features)


def overlapped(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """`double` as one product for each tap, whose results are laid over one another, in float32."""
    (batch, height, width, channels), (size, _, _, features) = x.shape, kernel.shape
    rows = jnp.broadcast_to(x.reshape(-1, channels), (size * size, batch * height * width, channels))
    made = jnp.einsum("tpc,tco->tpo", rows, kernel.reshape(size * size, channels, features),
                      preferred_element_type=jnp.float32)
    made = made.reshape(size, size, batch, height, width, features)
    taps, border = phase_taps(size, low=size - 2)

    def laid(parts, axis):
        """Interleaves the sums of the parts, one for each tap, that meet in the two phases of an axis."""
        shape, side = parts[0].shape, parts[0].shape[axis]
        padded = [jnp.pad(part, [border if place == axis else (0, 0) for place in range(4)]) for part in parts]
        phases = [sum(lax.slice_in_dim(padded[tap], first, first + side, axis=axis)
                      for first, tap in zip(*np.nonzero(taps[phase]), strict=True)) for phase in (0, 1)]
        return jnp.stack(phases, axis + 1).reshape(*shape[:axis], 2 * side, *shape[axis + 1 :])

    return laid([laid(list(row), 2) for row in made], 1)


def phase_taps(size: int, low: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Splits a stride-2 transposed convolution of one axis into its two output phases.

    Output 2m + p reads input m + (p + j - low) / 2 through kernel tap j, for those j that make the fraction whole.

    Returns:
      A 0/1 array [2, N, size] that tells for phase p and position i of the common window which tap j acts, and
      the padding (before, after) that the common window of N inputs needs.
    """
    offsets = {(p, j): (p + j - low) // 2 for p in (0, 1) for j in range(size) if (p + j - low) % 2 == 0}
    first, last = min(offsets.values()), max(offsets.values())
    taps = np.zeros((2, last - first + 1, size), np.float32)
    for (p, j), offset in offsets.items():
        taps[p, offset - first, j] = 1
    return taps, (-first, last)


def depthwise(x, kernel, strides, padding, **_) -> jax.Array:
    """Convolution of every channel by itself, [B, H, W, C] with a kernel [h, w, 1, C], as a sum over its taps.

    The compiler's own takes up to thirty times as long on a CPU. The signature is that of `lax.conv_general_dilated`,
    without dilation, so that `nn.Conv` can call it; padding is one pair for each side.
    """
    x = jnp.pad(x, ((0, 0), *padding, (0, 0)))
    (high, wide), (down, right) = kernel.shape[:2], strides
    rows, columns = (x.shape[1] - high) // down * down + 1, (x.shape[2] - wide) // right * right + 1
    taps = (x[:, i : i + rows : down, j : j + columns : right] * kernel[i, j, 0] for i in range(high) for j in range(wide))
    return sum(taps)
