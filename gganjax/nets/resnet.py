"""The residual generator of GestureGAN, CycleGAN and AsymmetricGAN (Johnson et al. 2016)."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gganjax.layers import TRAIN, Conv, Dropout, Mode, Norm, UpConv


class ResidualBlock(nn.Module):
    """x + branch(x) of two 3x3 convolutions, [B, H, W, C] -> [B, H, W, C]; nothing follows the sum."""

    norm: str = "instance"
    dropout: float = 0.5
    dtype: Any = jnp.float32
    initial: str = "normal"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        conv = dict(size=3, padding=1, pad_mode="reflect", use_bias=self.norm != "batch", dtype=self.dtype,
                    initial=self.initial)
        y = Conv(x.shape[-1], name="conv_0", **conv)(x)
        y = nn.relu(Norm(self.norm, initial=self.initial, name="norm_0")(y, mode))
        y = Dropout(self.dropout)(y, mode)
        y = Conv(x.shape[-1], name="conv_1", **conv)(y)
        return x + Norm(self.norm, initial=self.initial, name="norm_1")(y, mode)


class ResNetGenerator(nn.Module):
    """Residual generator, [B, H, W, C] -> [B, H, W, outputs] in [-1, 1].

    7x7 convolution, two stride-2 convolutions, `blocks` residual blocks at a quarter of the size, two transposed
    convolutions, 7x7 convolution, tanh. Height and width are multiples of 4. The thesis uses 9 blocks and width
    64 at 256x256 and at 64x64 (ch. 2; 11,387,587 parameters with 6 input channels). The norm, the convolution
    biases in front of an instance norm and the dropout inside the blocks are those of the reference code; the
    paper does not mention them, and released checkpoints need them.
    """

    outputs: int = 3
    width: int = 64
    blocks: int = 9
    norm: str = "instance"
    dropout: float = 0.5
    dtype: Any = jnp.float32
    initial: str = "normal"

    stride = 4

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        use_bias, conv = self.norm != "batch", dict(dtype=self.dtype, initial=self.initial)
        y = Conv(self.width, 7, padding=3, pad_mode="reflect", use_bias=use_bias, name="stem", **conv)(x)
        y = nn.relu(Norm(self.norm, initial=self.initial, name="stem_norm")(y, mode))
        for i in range(2):
            y = Conv(self.width * 2 ** (i + 1), 3, stride=2, padding=1, use_bias=use_bias, name=f"down_{i}", **conv)(y)
            y = nn.relu(Norm(self.norm, initial=self.initial, name=f"down_{i}_norm")(y, mode))
        for i in range(self.blocks):
            y = ResidualBlock(self.norm, self.dropout, name=f"block_{i}", **conv)(y, mode)
        for i in range(2):
            y = UpConv(self.width * 2 ** (1 - i), 3, use_bias=use_bias, name=f"up_{i}", **conv)(y)
            y = nn.relu(Norm(self.norm, initial=self.initial, name=f"up_{i}_norm")(y, mode))
        y = Conv(self.outputs, 7, padding=3, pad_mode="reflect", name="head", **conv)(y)
        return jnp.tanh(y.astype(jnp.float32))
