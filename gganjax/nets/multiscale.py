"""The multi-scale PatchGAN discriminator of Pix2pixHD and GauGAN (Wang et al. 2018)."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gganjax.layers import TRAIN, Conv, Mode, Norm, leaky_relu

NORMS = ("instance", "batch", "none")


class FeaturePatchDiscriminator(nn.Module):
    """One scale: [B, H, W, C] -> a list of every layer's output, the last the logits [B, h, w, 1], float32.

    `layers` convolutions of 4x4 and a last one to the logits; all but the last two have stride 2, widths double up to
    8 times `width`. The inner ones have spectral norm, no bias and the norm, which keeps no statistics of images.
    """

    width: int = 64
    layers: int = 4
    norm: str = "instance"
    spectral: bool = True
    dtype: Any = jnp.float32
    initial: str = "xavier_small"
    spectral_initial: str = "torch_kernels"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        conv = dict(size=4, padding=2, dtype=self.dtype)
        found = [leaky_relu(Conv(self.width, stride=2, initial=self.initial, name="conv_0", **conv)(x))]
        inner = self.spectral_initial if self.spectral else self.initial
        for i in range(1, self.layers):
            y = Conv(self.width * min(2**i, 8), stride=2 if i < self.layers - 1 else 1, use_bias=self.norm == "none",
                     spectral=self.spectral, initial=inner, name=f"conv_{i}", **conv)(found[-1], mode)
            y = Norm(self.norm, track=self.norm == "batch", name=f"norm_{i}")(y, mode)
            found.append(leaky_relu(y))
        logits = Conv(1, initial=self.initial, name=f"conv_{self.layers}", **conv)(found[-1])
        return [*found, logits.astype(jnp.float32)]


class MultiScaleDiscriminator(nn.Module):
    """Judges of one picture at several sizes: [B, H, W, C] -> for each scale a list of every layer's output.

    The last of each list are the logits [B, h, w, 1], float32. Every further scale sees the input halved by an average
    over 3x3 that leaves the border out. With 36 label channels and a picture, GauGAN's on Cityscapes, two scales have
    5,601,410 parameters.

    Attributes:
      width, layers: of each scale.
      scales: how many.
      norm: one of `NORMS`, of the inner layers.
      spectral: whether the inner layers have spectral norm.
      initial, spectral_initial: initializations of the layers without and with spectral norm, see `nets.spade`.
    """

    width: int = 64
    layers: int = 4
    scales: int = 2
    norm: str = "instance"
    spectral: bool = True
    dtype: Any = jnp.float32
    initial: str = "xavier_small"
    spectral_initial: str = "torch_kernels"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        found = []
        for i in range(self.scales):
            if i:
                x = nn.avg_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)), count_include_pad=False)
            found.append(FeaturePatchDiscriminator(
                self.width, self.layers, self.norm, self.spectral, self.dtype, self.initial, self.spectral_initial,
                name=f"scale_{i}")(x, mode))
        return found
