"""Networks that label every pixel, for the mIoU of generated scenes: DRN-D-105 (Cityscapes) and UperNet101 (ADE20K).

Both return logits; images are float [B, H, W, 3] in [-1, 1], and the normalization is inside.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jax import lax
from PIL import Image

from gganjax.errors import InputError
from gganjax.features.frozen import bottlenecks, check, conv_norm, max_pool, normalize
from gganjax.features.resizing import bilinear

# Statistics of Cityscapes pictures in [0, 1], from the info.json of the published DRN code.
CITYSCAPES_MEAN = (0.290101, 0.328081, 0.286964)
CITYSCAPES_DEVIATION = (0.182954, 0.186566, 0.184475)

POOLS = (1, 2, 3, 6)
ADE20K_SIDES, ADE20K_LONGEST, ADE20K_MULTIPLE = (300, 375, 450, 525, 600), 1000, 32


class DRN(nn.Module):
    """DRN-D-105 (Yu et al. 2017): returns logits [B, H, W, 19] of the train ids of Cityscapes.

    Height and width are multiples of 8. Widths are divided by `divisor`. The published code enlarges the logits
    8 times by a fixed bilinear transposed convolution, with zeros outside of the image; so does this.
    """

    divisor: int = 1
    classes: int = 19
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        check(x, minimum=8)
        if x.shape[1] % 8 or x.shape[2] % 8:
            raise InputError(f"DRN-D-105 takes images whose sides are multiples of 8, got {x.shape[1]}x{x.shape[2]}")
        mean, deviation = (jnp.asarray(values, x.dtype) for values in (CITYSCAPES_MEAN, CITYSCAPES_DEVIATION))
        x = ((x + 1) / 2 - mean) / deviation
        width = 16 // self.divisor
        # (place, size, channels, stride, dilation) of the plain layers in front of the blocks and behind them
        for place, size, factor, stride, dilation in ((0, 7, 1, 1, 1), (1, 3, 1, 1, 1), (2, 3, 2, 2, 1)):
            x = self._plain(x, place, size, width * factor, stride, dilation)
        stages = ((3, 3, 4, 2, 1), (4, 4, 8, 2, 1), (5, 23, 16, 1, 2), (6, 3, 32, 1, 4))
        for place, count, factor, stride, dilation in stages:
            x = bottlenecks(
                x, f"base.{place}", count, width * factor, stride=stride, dilation=dilation, dtype=self.dtype
            )
        for place, dilation in ((7, 2), (8, 1)):
            x = self._plain(x, place, 3, width * 32, 1, dilation)
        return enlarged(nn.Conv(self.classes, (1, 1), dtype=self.dtype, name="seg")(x).astype(jnp.float32))

    def _plain(self, x, place, size, channels, stride, dilation):
        names = (f"base.{place}.0", f"base.{place}.1")
        return conv_norm(x, channels, size, names=names, stride=stride, dilation=dilation, dtype=self.dtype)


def enlarged(x, times: int = 8):
    """Enlarges x [B, H, W, C] by the bilinear transposed convolution of 2 * times taps (Long et al. 2015)."""
    taps = 1 - np.abs((np.arange(2 * times) + 0.5) / times - 1)
    kernel = np.tile(np.outer(taps, taps)[:, :, None, None], (1, 1, 1, x.shape[-1])).astype(np.float32)
    padding = 2 * times - 1 - times // 2
    return lax.conv_general_dilated(
        x, jnp.asarray(kernel), (1, 1), ((padding, padding),) * 2, lhs_dilation=(times, times),
        dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=x.shape[-1], precision=lax.Precision.HIGHEST,
    )  # fmt: skip


class Encoder(nn.Module):
    """ResNet-101 whose stem is three 3x3 convolutions: returns the maps of its four stages, 1/4 to 1/32 of the size."""

    divisor: int = 1
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        width, options = 64 // self.divisor, {"dtype": self.dtype}
        for i, (factor, stride) in enumerate(((1, 2), (1, 1), (2, 1)), start=1):
            x = conv_norm(x, width * factor, 3, names=(f"conv{i}", f"bn{i}"), stride=stride, **options)
        x, maps = max_pool(x, padding=1), []
        for i, count in enumerate((3, 4, 23, 3)):
            x = bottlenecks(x, f"layer{i + 1}", count, width * 2**i, stride=1 if i == 0 else 2, **options)
            maps.append(x)
        return maps


class Decoder(nn.Module):
    """UperNet (Xiao et al. 2018): pyramid pooling of the deepest map, a feature pyramid, and their fusion at 1/4."""

    divisor: int = 1
    classes: int = 150
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, maps):
        deepest, options = maps[-1], {"dtype": self.dtype}
        pooled, inner, width = [deepest], 512 // self.divisor, 256 // self.divisor
        for i, bins in enumerate(POOLS):
            level = bilinear(pooled_bins(deepest, bins), deepest.shape[1:3])
            pooled.append(conv_norm(level, inner, 1, names=(f"ppm_conv.{i}.0", f"ppm_conv.{i}.1"), **options))
        names = lambda prefix: (f"{prefix}.0", f"{prefix}.1")
        x = conv_norm(jnp.concatenate(pooled, axis=-1), width, 3, names=names("ppm_last_conv"), **options)
        levels = [x]
        for i in (2, 1, 0):
            side = conv_norm(maps[i], width, 1, names=names(f"fpn_in.{i}"), **options)
            x = side + bilinear(x, side.shape[1:3])
            levels.append(conv_norm(x, width, 3, names=names(f"fpn_out.{i}.0"), **options))
        size = levels[-1].shape[1:3]
        fused = jnp.concatenate([levels[-1], *(bilinear(level, size) for level in levels[-2::-1])], axis=-1)
        x = conv_norm(fused, width, 3, names=names("conv_last.0"), **options)
        return nn.Conv(self.classes, (1, 1), dtype=self.dtype, name="conv_last.1")(x)


class UperNet101(nn.Module):
    """Returns logits [B, H, W, 150] of ADE20K for images whose sides are multiples of 32, or of another `size`.

    size: (height, width) of the logits, enlarged bilinearly with half-pixel centers; None for that of the image.
    Widths are divided by `divisor`. See `ade20k_inputs` for the published evaluation at five scales.
    """

    divisor: int = 1
    classes: int = 150
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x, size: tuple[int, int] | None = None):
        check(x, minimum=32)
        if x.shape[1] % 32 or x.shape[2] % 32:
            raise InputError(f"UperNet101 takes images whose sides are multiples of 32, got {x.shape[1]}x{x.shape[2]}")
        maps = Encoder(self.divisor, self.dtype, name="encoder")(normalize(x))
        logits = Decoder(self.divisor, self.classes, self.dtype, name="decoder")(maps)
        return bilinear(logits.astype(jnp.float32), size or x.shape[1:3])


def pooled_bins(x, bins: int):
    """Averages x [B, H, W, C] over bins x bins windows, neighbors sharing a row where the side does not divide."""

    def weights(side):
        matrix = np.zeros((bins, side), np.float32)
        for i in range(bins):
            first, last = i * side // bins, -(-(i + 1) * side // bins)
            matrix[i, first:last] = 1 / (last - first)
        return matrix

    return jnp.einsum("ph,qw,bhwc->bpqc", weights(x.shape[1]), weights(x.shape[2]), x, precision="highest")


def ade20k_inputs(image: np.ndarray) -> list[np.ndarray]:
    """Prepares one 8-bit picture [H, W, 3] for the five scales of the published evaluation; runs on the host.

    The shorter side becomes 300, 375, 450, 525, 600 unless the longer would exceed 1000; sides are rounded up to
    multiples of 32; Pillow's bilinear. Returns five float32 [1, h, w, 3] in [-1, 1]. The published prediction is the
    mean over the scales of the softmax of `UperNet101` at the size of the label map.
    """
    height, width = image.shape[:2]
    pictures = []
    for side in ADE20K_SIDES:
        scale = min(side / min(height, width), ADE20K_LONGEST / max(height, width))
        h, w = (-(-int(length * scale) // ADE20K_MULTIPLE) * ADE20K_MULTIPLE for length in (height, width))
        resized = Image.fromarray(image).resize((w, h), Image.Resampling.BILINEAR)
        pictures.append(np.asarray(resized, np.float32)[None] / 127.5 - 1)
    return pictures
