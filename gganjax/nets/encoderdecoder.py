"""Networks of the cross-view baselines Pix2pix, X-Fork and X-Seq (Regmi and Borji 2018), after their Torch7 code.

Every convolution has a bias, also in front of a batch norm. The code sets all of them to 0 before each evaluation of a
loss, so that they are there, and are counted, but have no say; `fixed_bias` keeps them at the 0 they start at.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jax import lax

from gganjax.layers import TRAIN, Conv, Dropout, Mode, Norm, UpConv, leaky_relu

LEAST_LEVELS = 5


class Bias(nn.Module):
    """Adds a bias that starts at 0, x [B, H, W, C] -> [B, H, W, C]; no gradient moves one that is `fixed`."""

    fixed: bool = False

    @nn.compact
    def __call__(self, x):
        bias = self.param("bias", nn.initializers.zeros, (x.shape[-1],))
        return x + (lax.stop_gradient(bias) if self.fixed else bias).astype(x.dtype)


class EncoderDecoder(nn.Module):
    """Encoder-decoder without skips, [B, H, W, C] -> [B, H, W, outputs] in [-1, 1].

    Every level halves height and width by a 4x4 convolution of stride 2 and doubles them again by a transposed one.
    Widths are 1, 2, 4, 8, 8, ... times `width`; 8 levels are for 256x256, 6 for 64x64, 5 is the least. All levels are
    normalized by their batch but for the first convolution and the last one, the innermost included: a batch of one
    picture whose innermost level is one pixel tells the decoder nothing. The first `levels` - 5 blocks of the decoder
    drop out. With 8 levels and 3 input channels 39,081,987 parameters, with 6 levels 22,298,627.

    With `fork` (X-Fork) a pair of such pictures comes out: two decoders of their own begin behind the feature of twice
    the width, its ReLU included. 39,216,326 parameters, or 22,432,966.
    """

    outputs: int = 3
    width: int = 64
    levels: int = 8
    dropout: float = 0.5
    fork: bool = False
    fixed_bias: bool = True
    dtype: Any = jnp.float32
    initial: str = "normal"

    @property
    def stride(self) -> int:
        """What height and width are multiples of."""
        return 2**self.levels

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        y = self._down(x, 0)
        for i in range(1, self.levels):
            y = self._norm(self._down(leaky_relu(y), i), f"down_{i}_norm", mode)
        for i in range(self.levels - 1, 1, -1):
            y = self._norm(self._up(nn.relu(y), self.width * min(2 ** (i - 1), 8), f"up_{i}"), f"up_{i}_norm", mode)
            if i >= 5:
                y = Dropout(self.dropout)(y, mode)
        shared = nn.relu(y)
        if self.fork:
            return self._head(shared, "image_", mode), self._head(shared, "guidance_", mode)
        return self._head(shared, "", mode)

    def _head(self, y, name, mode):
        """The last two blocks of the decoder, from twice the width to a picture."""
        y = self._norm(self._up(y, self.width, f"{name}up_1"), f"{name}up_1_norm", mode)
        return jnp.tanh(self._up(nn.relu(y), self.outputs, f"{name}up_0").astype(jnp.float32))

    def _down(self, x, i):
        y = Conv(self.width * min(2**i, 8), 4, stride=2, padding=1, use_bias=False, dtype=self.dtype,
                 initial=self.initial, name=f"down_{i}")(x)
        return Bias(self.fixed_bias, name=f"down_{i}_bias")(y)

    def _up(self, x, features, name):
        y = UpConv(features, 4, use_bias=False, dtype=self.dtype, initial=self.initial, name=name)(x)
        return Bias(self.fixed_bias, name=f"{name}_bias")(y)

    def _norm(self, x, name, mode):
        return Norm("batch", initial=self.initial, name=name)(x, mode)


class BiasedPatchDiscriminator(nn.Module):
    """PatchGAN with a batch norm and a bias everywhere, [B, H, W, C] -> logits as of `nets.patch.PatchDiscriminator`.

    It is the same function while its biases in front of the norms are 0, and has 2,769,601 parameters for 6 channels.
    """

    width: int = 64
    layers: int = 3
    fixed_bias: bool = True
    dtype: Any = jnp.float32
    initial: str = "normal"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        y = leaky_relu(self._conv(x, self.width, 0, stride=2))
        for i in range(1, self.layers + 1):
            y = self._conv(y, self.width * min(2**i, 8), i, stride=2 if i < self.layers else 1)
            y = leaky_relu(Norm("batch", initial=self.initial, name=f"norm_{i}")(y, mode))
        return self._conv(y, 1, self.layers + 1).astype(jnp.float32)

    def _conv(self, x, features, i, stride=1):
        y = Conv(features, 4, stride=stride, padding=1, use_bias=False, dtype=self.dtype, initial=self.initial,
                 name=f"conv_{i}")(x)
        return Bias(self.fixed_bias, name=f"conv_{i}_bias")(y)
