"""The U-Net generator of Pix2pix and C2GAN (Isola et al. 2017)."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gganjax.layers import TRAIN, Conv, Dropout, Mode, Norm, UpConv, leaky_relu

LEAST_LEVELS = 5


class UNetGenerator(nn.Module):
    """U-Net with skips, [B, H, W, C] -> [B, H, W, outputs] in [-1, 1].

    Every level halves height and width by a 4x4 convolution of stride 2 and doubles them again by a transposed one;
    what comes up is concatenated behind what went down. 8 levels are "U-Net 256", 7 are "U-Net 128" (Isola et al.
    2017, section 6.1.1); 5 is the least. Height and width are multiples of 2^levels. Widths are 1, 2, 4, 8, 8, ...
    times `width`. The levels of 8 times the width, but for the first and the innermost of them, drop out on the way up.
    The first convolution and the innermost one are not normalized. With an instance norm every convolution has a
    bias; with a batch norm only the last one. 6 input channels, 8 levels and a batch norm make 54,417,027 parameters.

    With `features` also what the last convolution sees is returned, [B, H/2, W/2, 2 width] after the ReLU.
    """

    outputs: int = 3
    width: int = 64
    levels: int = 8
    norm: str = "batch"
    dropout: float = 0.5
    dtype: Any = jnp.float32
    initial: str = "normal"

    @property
    def stride(self) -> int:
        """What height and width are multiples of."""
        return 2**self.levels

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN, features: bool = False):
        use_bias, last = self.norm != "batch", self.levels - 1
        conv = dict(size=4, dtype=self.dtype, initial=self.initial)
        skips, y = [], x
        for i in range(self.levels):
            y = Conv(self.width * min(2**i, 8), stride=2, padding=1, use_bias=use_bias, name=f"down_{i}", **conv)(
                leaky_relu(y) if i else y)
            if 0 < i < last:
                y = Norm(self.norm, initial=self.initial, name=f"down_{i}_norm")(y, mode)
            skips.append(y)
        for i in range(last, 0, -1):
            y = y if i == last else jnp.concatenate([skips[i], y], axis=-1)
            y = UpConv(self.width * min(2 ** (i - 1), 8), use_bias=use_bias, name=f"up_{i}", **conv)(nn.relu(y))
            y = Norm(self.norm, initial=self.initial, name=f"up_{i}_norm")(y, mode)
            if 4 <= i < last:
                y = Dropout(self.dropout)(y, mode)
        seen = nn.relu(jnp.concatenate([skips[0], y], axis=-1))
        y = jnp.tanh(UpConv(self.outputs, name="up_0", **conv)(seen).astype(jnp.float32))
        return (y, seen) if features else y
