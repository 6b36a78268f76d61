"""PatchGAN discriminators (Isola et al. 2017): every output judges one patch of the input."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gganjax.layers import TRAIN, Conv, Mode, Norm, leaky_relu


class PatchDiscriminator(nn.Module):
    """PatchGAN, [B, H, W, C] -> logits [B, H / 2^layers - 2, W / 2^layers - 2, 1], float32.

    `layers` = 3 sees 70x70 pixels, 1 sees 16x16, 5 sees 286x286. With an instance norm every convolution has a
    bias; with a batch norm those in front of it have none. The probability is the sigmoid of the logit; the
    losses take logits.
    """

    width: int = 64
    layers: int = 3
    norm: str = "instance"
    dtype: Any = jnp.float32
    initial: str = "normal"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        conv = dict(size=4, padding=1, dtype=self.dtype, initial=self.initial)
        y = leaky_relu(Conv(self.width, stride=2, name="conv_0", **conv)(x))
        for i in range(1, self.layers + 1):
            y = Conv(self.width * min(2**i, 8), stride=2 if i < self.layers else 1, use_bias=self.norm != "batch",
                     name=f"conv_{i}", **conv)(y)
            y = leaky_relu(Norm(self.norm, initial=self.initial, name=f"norm_{i}")(y, mode))
        y = Conv(1, name=f"conv_{self.layers + 1}", **conv)(y)
        return y.astype(jnp.float32)


class PixelDiscriminator(nn.Module):
    """1x1 PatchGAN that judges every pixel alone, [B, H, W, C] -> logits [B, H, W, 1], float32."""

    width: int = 64
    norm: str = "instance"
    dtype: Any = jnp.float32
    initial: str = "normal"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        use_bias = self.norm != "batch"
        conv = dict(size=1, dtype=self.dtype, initial=self.initial)
        y = leaky_relu(Conv(self.width, name="conv_0", **conv)(x))
        y = Conv(self.width * 2, use_bias=use_bias, name="conv_1", **conv)(y)
        y = leaky_relu(Norm(self.norm, initial=self.initial, name="norm_1")(y, mode))
        return Conv(1, use_bias=use_bias, name="conv_2", **conv)(y).astype(jnp.float32)
