"""Pix2pixHD's global generator (Wang et al. 2018), without a local enhancer as in the SPADE release."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gganjax.layers import TRAIN, Conv, Mode, Norm, UpConv


class ResidualBlock(nn.Module):
    """x + branch(x) of two 3x3 convolutions, [B, H, W, C] -> [B, H, W, C]; nothing follows the sum."""

    spectral: bool = False
    dtype: Any = jnp.float32
    initial: str = "xavier_small"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        y = x
        for i in range(2):
            y = Conv(x.shape[-1], 3, padding=1, pad_mode="reflect", use_bias=False, spectral=self.spectral,
                     dtype=self.dtype, initial=self.initial, name=f"conv_{i}")(y, mode)
            y = Norm("instance", track=False, name=f"norm_{i}")(y, mode)
            y = y if i else nn.relu(y)
        return x + y


class Pix2pixHDGenerator(nn.Module):
    """Global generator, [B, H, W, C] -> [B, H, W, 3] in [-1, 1].

    7x7 convolution, `levels` convolutions of stride 2, `blocks` residual blocks, `levels` transposed convolutions, 7x7
    convolution, tanh. Every layer but the last has an instance norm, no bias, and if `spectral` says so spectral norm;
    with 3 input channels 182,421,891 parameters either way. Height and width are multiples of 2^levels. Without `head`
    the features in front of the last convolution come out, [B, H, W, width].
    """

    width: int = 64
    levels: int = 4
    blocks: int = 9
    spectral: bool = False
    dtype: Any = jnp.float32
    initial: str = "xavier_small"
    spectral_initial: str = "torch_kernels"
    head: bool = True

    @property
    def stride(self) -> int:
        """What height and width are multiples of."""
        return 2**self.levels

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        conv = dict(use_bias=False, spectral=self.spectral, dtype=self.dtype,
                    initial=self.spectral_initial if self.spectral else self.initial)

        def normalized(y, name):
            return nn.relu(Norm("instance", track=False, name=f"{name}_norm")(y, mode))

        y = normalized(Conv(self.width, 7, padding=3, pad_mode="reflect", name="stem", **conv)(x, mode), "stem")
        for i in range(self.levels):
            name = f"down_{i}"
            y = Conv(self.width * 2 ** (i + 1), 3, stride=2, padding=1, name=name, **conv)(y, mode)
            y = normalized(y, name)
        for i in range(self.blocks):
            y = ResidualBlock(self.spectral, self.dtype, conv["initial"], name=f"block_{i}")(y, mode)
        for i in range(self.levels):
            name = f"up_{i}"
            y = normalized(UpConv(self.width * 2 ** (self.levels - 1 - i), 3, name=name, **conv)(y, mode), name)
        if not self.head:
            return y
        y = Conv(3, 7, padding=3, pad_mode="reflect", dtype=self.dtype, initial=self.initial, name="head")(y)
        return jnp.tanh(y.astype(jnp.float32))
