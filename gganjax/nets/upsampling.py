"""Upsampling layers that a generator takes by name; each doubles height and width, [B, H, W, C] -> [B, 2H, 2W, C].

The kinds are those of thesis Table 6.10. Of these only semantic-aware upsampling (SAU, thesis 6.3.2) is new there: each
pixel of the result is a weighted sum of the 5x5 pixels around its source, with weights that are predicted from the
features for every pixel. There is no public code of it; what the text leaves open is settled by the parameter counts of
the table.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from gganjax.errors import InputError, check_choices
from gganjax.features.resizing import bilinear, nearest
from gganjax.layers import TRAIN, Conv, Mode, Norm, initializers
from gganjax.nets.attention import PLAIN_BYTES, attention

KINDS = ("nearest", "bilinear", "bicubic", "deconvolution", "pixel_shuffle", "attention", "sau", "sau_norm")
CHOICES = {"upsampler": KINDS}
POINTS = ((0.3, 0.3), (0.3, 0.7), (0.7, 0.3), (0.7, 0.7))  # whose weights are shown: shares of height and width


class Upsample(nn.Module):
    """Doubles height and width by the layer `kind`.

    "nearest", "bilinear" and "bicubic" have no parameters; "deconvolution" is a transposed 2x2 convolution of stride 2;
    "pixel_shuffle" a 3x3 convolution to four times the channels, which become 2x2 pixels; "attention" is
    `PositionAttention` and then nearest; "sau" is `SemanticAwareUpsample`, "sau_norm" the same with batch norms.
    """

    kind: str = "nearest"
    dtype: Any = jnp.float32
    initial: str = "xavier_small"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        check_choices(CHOICES, upsampler=self.kind)
        batch, height, width, channels = x.shape
        size, layer = (2 * height, 2 * width), dict(dtype=self.dtype, initial=self.initial)
        if self.kind == "bilinear":
            return bilinear(x, size)
        if self.kind == "bicubic":
            return bicubic(x)
        if self.kind == "deconvolution":
            shape = 2, 2, channels, channels
            kernel_init, bias_init = initializers(self.initial, shape, transposed=True)
            kernel, bias = self.param("kernel", kernel_init, shape), self.param("bias", bias_init, (channels,))
            y = jnp.einsum("bhwc,pqco->bhwopq", x.astype(self.dtype), kernel.astype(self.dtype))
            return pixel_shuffle(y.reshape(batch, height, width, -1)) + bias.astype(self.dtype)
        if self.kind == "pixel_shuffle":
            return pixel_shuffle(Conv(4 * channels, 3, padding=1, name="conv", **layer)(x))
        if self.kind == "attention":
            x = PositionAttention(name="attention", **layer)(x)
        if self.kind in ("sau", "sau_norm"):
            norm = "batch" if self.kind == "sau_norm" else "none"
            return SemanticAwareUpsample(norm=norm, name="sau", **layer)(x, mode)
        return nearest(x, size)


class PositionAttention(nn.Module):
    """x + gamma softmax(query(x) key(x)^T) value(x) over all positions, [B, H, W, C] -> [B, H, W, C].

    The position attention of dual attention networks (Fu et al. 2019): 1x1 convolutions, C / 8 channels of query and
    key, no scaling, gamma starts at 0. In front of a nearest upsampling it gives what it gives behind one, with a
    sixteenth of the energies: every position then stands four times in numerator and denominator. At most 64 MiB of
    energies are there at a time.
    """

    dtype: Any = jnp.float32
    initial: str = "xavier_small"

    @nn.compact
    def __call__(self, x):
        batch, height, width, channels = x.shape
        widths = {"query": max(channels // 8, 1), "key": max(channels // 8, 1), "value": channels}
        query, key, value = (Conv(size, 1, dtype=self.dtype, initial=self.initial, name=name)(x).reshape(
            batch, height * width, size) for name, size in widths.items())
        gamma = self.param("gamma", nn.initializers.zeros, (1,)).astype(self.dtype)
        rows = max(PLAIN_BYTES // (4 * height * width), 1)
        return x.astype(self.dtype) + gamma * attention(query, key, value, rows=rows).reshape(x.shape)


class SemanticAwareUpsample(nn.Module):
    """SAU: every pixel of the result is a weighted sum around its source, [B, H, W, C] -> [B, sH, sW, C].

    A 1x1 convolution to `width` channels and a 3x3 convolution to size^2 scale^2 predict the weights, a softmax makes
    them sum to 1 over the size x size pixels around the source, outside of the map is 0. The four of GauGAN on
    Cityscapes have 353,936 parameters, which makes the 93.4 M of Table 6.10: a 1x1 second convolution would make 93.2.
    The text names no norm: with `norm` "batch" there is one behind each convolution, and a ReLU behind the first norm.
    """

    width: int = 64
    size: int = 5
    scale: int = 2
    norm: str = "none"
    dtype: Any = jnp.float32
    initial: str = "xavier_small"

    def __call__(self, x, mode: Mode = TRAIN):
        return reassemble(x.astype(self.dtype), self.kernels(x, mode))

    @nn.compact
    def kernels(self, x, mode: Mode = TRAIN):
        """The weights, float32 [B, H, W, size^2, scale^2]: of the neighbors row by row, for the pixels row by row."""
        conv = dict(use_bias=self.norm == "none", dtype=self.dtype, initial=self.initial)
        y = Norm(self.norm, name="compress_norm")(Conv(self.width, 1, name="compress", **conv)(x), mode)
        y = nn.relu(y) if self.norm != "none" else y
        y = Conv(self.size**2 * self.scale**2, 3, padding=1, name="kernel", **conv)(y)
        y = Norm(self.norm, name="kernel_norm")(y, mode).astype(jnp.float32)
        return jax.nn.softmax(y.reshape(*x.shape[:3], self.size**2, self.scale**2), axis=3)


@contextlib.contextmanager
def watching() -> Iterator[dict[str, jax.Array]]:
    """Collects the weights of every SAU that runs within, by its path, such as "trunk/upsample_up_0/sau".

    The weights are those of `SemanticAwareUpsample.kernels` where their pixels are: [B, sH, sW, size, size].
    """
    found = {}

    def watch(run, arguments, options, context):
        made = run(*arguments, **options)
        if isinstance(context.module, SemanticAwareUpsample) and context.method_name == "kernels":
            found["/".join(context.module.path)] = unfold(made)
        return made

    with nn.intercept_methods(watch):
        yield found


def unfold(weights: jax.Array) -> jax.Array:
    """Weights of `SemanticAwareUpsample.kernels` at the pixels they belong to: [B, sH, sW, size, size]."""
    size = round(weights.shape[3] ** 0.5)
    made = pixel_shuffle(weights.reshape(*weights.shape[:3], -1), round(weights.shape[4] ** 0.5))
    return made.reshape(*made.shape[:3], size, size)


def kernel_names(paths: Mapping[str, str], points: Sequence) -> tuple[str, ...]:
    """Names of the pictures of SAU's weights: those of every SAU at every point (thesis Figure 6.6)."""
    return tuple(f"kernel_{name}_{i}" for name in paths for i in range(1, len(points) + 1))


def kernel_pictures(kernels: Mapping[str, jax.Array], paths: Mapping[str, str], points: Sequence,
                    size: tuple[int, int]) -> dict[str, jax.Array]:
    """SAU's weights at the points as pictures [B, H, W, 1]: from -1 for 0 to 1 for the largest of a picture's.

    Args:
      kernels: what `watching` collected.
      paths: of the SAUs, by the names they shall have.
      points: shares of height and width.
      size: (H, W).
    """
    made = {}
    for name, path in paths.items():
        height, width = kernels[path].shape[1:3]
        for i, (row, column) in enumerate(points, 1):
            seen = kernels[path][:, int(row * height), int(column * width), :, :, None]
            made[f"kernel_{name}_{i}"] = nearest(2 * seen / seen.max((1, 2), keepdims=True) - 1, size)
    return made


def check_points(points: Sequence[Sequence[float]]) -> tuple[tuple[float, float], ...]:
    """Holds the option kernel_points of a method against its range."""
    for point in points:
        if len(point) != 2 or not all(0 <= share < 1 for share in point):
            raise InputError(f"options.kernel_points holds {tuple(point)}, expected shares of height and width, from 0 "
                             "to below 1.")
    return tuple((float(row), float(column)) for row, column in points)


def pixel_shuffle(x: jax.Array, scale: int = 2) -> jax.Array:
    """Makes s x s pixels of s^2 channels, [B, H, W, C s^2] -> [B, sH, sW, C]; channel (c s + dy) s + dx, as PyTorch."""
    batch, height, width, channels = x.shape
    y = x.reshape(batch, height, width, channels // scale**2, scale, scale).transpose(0, 1, 4, 2, 5, 3)
    return y.reshape(batch, height * scale, width * scale, -1)


def bicubic(x: jax.Array) -> jax.Array:
    """Doubles height and width by cubic convolution, [B, H, W, C] -> [B, 2H, 2W, C], as PyTorch's `interpolate` does.

    a is -3/4, centers are half pixels, and beyond the border stands the pixel at the border.
    """
    for axis in (1, 2):
        border = [(2 * (i == axis),) * 2 for i in range(4)]
        padded = jnp.pad(x, border, mode="edge")
        windows = [lax.slice_in_dim(padded, start, start + x.shape[axis], axis=axis) for start in range(5)]
        # A quarter of a pixel before and behind the center: the nearest pixels lie at 1.75, 0.75, 0.25, 1.25.
        weights = [_cubic(distance) for distance in (1.75, 0.75, 0.25, 1.25)]
        phases = [sum(w * window for w, window in zip(weights[::order], windows[start:start + 4], strict=True))
                  for order, start in ((1, 0), (-1, 1))]
        shape = [side * (1 + (i == axis)) for i, side in enumerate(x.shape)]
        x = jnp.stack(phases, axis + 1).reshape(shape)
    return x


def _cubic(distance: float, a: float = -0.75) -> float:
    """Keys' kernel."""
    if distance <= 1:
        return (a + 2) * distance**3 - (a + 3) * distance**2 + 1
    return a * (distance**3 - 5 * distance**2 + 8 * distance - 4)


@jax.custom_vjp
def reassemble(x: jax.Array, weights: jax.Array) -> jax.Array:
    """Sums the neighbors of every pixel with its weights, in SAU's last step.

    The tensor [B, sH, sW, C, k^2] of all neighbors of all pixels is never there: the result is a sum over k^2 shifts of
    the small map, in which the compiler fuses all terms. The gradient towards x is the like sum of the shifted gradient
    and weights; that towards the weights goes through the shifts one at a time. Sums are float32.

    Args:
      x: [B, H, W, C].
      weights: [B, H, W, k^2, s^2], of the neighbors row by row, for the s x s pixels made of each, row by row.

    Returns:
      [B, sH, sW, C] in the type of x.
    """
    size, scale = (round(side**0.5) for side in weights.shape[3:])
    windows = (x[:, :, :, None].astype(jnp.float32) for x in _shifts(x, size))
    total = sum(weights[:, :, :, i, :, None] * window for i, window in enumerate(windows))  # [B, H, W, s^2, C]
    return _interleave(total.astype(x.dtype), scale)


def _remember(x, weights):
    return reassemble(x, weights), (x, weights)


def _back(seen, slope):
    x, weights = seen
    (batch, height, width, channels), (taps, phases) = x.shape, weights.shape[3:]
    size, scale = round(taps**0.5), round(phases**0.5)
    slope = slope.reshape(batch, height, scale, width, scale, channels).transpose(0, 1, 3, 2, 4, 5)
    slope = slope.reshape(batch, height, width, phases, channels)
    padded = _padded(x, size)

    def toward_tap(_, tap):
        window = lax.dynamic_slice(padded, (0, tap // size, tap % size, 0), x.shape)
        return None, jnp.einsum("bhwsc,bhwc->bhws", slope, window, preferred_element_type=jnp.float32)

    toward_weights = jnp.moveaxis(lax.scan(toward_tap, None, jnp.arange(taps))[1], 0, 3)
    # A pixel is the neighbor (p, q) of what lies (p, q) before it.
    slopes, shares = (_shifts(part, size)[::-1] for part in (slope, weights))
    toward_x = sum(share[:, :, :, i, phase, None] * one[:, :, :, phase].astype(jnp.float32)
                   for i, (one, share) in enumerate(zip(slopes, shares, strict=True)) for phase in range(phases))
    return toward_x.astype(x.dtype), toward_weights


reassemble.defvjp(_remember, _back)


def _padded(x, size):
    return jnp.pad(x, ((0, 0), *((size // 2, size // 2),) * 2, *((0, 0),) * (x.ndim - 3)))


def _shifts(x, size):
    """The neighbors of every position, row by row: size^2 arrays of the shape of x [B, H, W, ...]; 0 outside."""
    padded, (height, width) = _padded(x, size), x.shape[1:3]
    return [padded[:, y : y + height, z : z + width] for y in range(size) for z in range(size)]


def _interleave(x, scale):
    """[B, H, W, s^2, C] -> [B, sH, sW, C]."""
    batch, height, width, _, channels = x.shape
    x = x.reshape(batch, height, width, scale, scale, channels).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(batch, height * scale, width * scale, channels)
