"""Parts that PATN, XingGAN and BiGraphGAN share: encoder, block streams, decoder, and the discriminator of all three.

Facts are those of the released networks: with norm "batch" the convolutions in front of a norm have no bias; "instance"
norms have neither scale nor running statistics, at test time too, and the biases are there. Kernels of the generators
start at N(0, 0.02), biases and the whole discriminator as PyTorch starts them. Activations are [B, H, W, C].
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gganjax.layers import TRAIN, Conv, Dropout, Mode, Norm, UpConv

NORMS = ("batch", "instance")
STRIDE = 4  # of encoder, decoder and discriminator


def pose_norm(kind: str, initial: str, name: str | None = None) -> Norm:
    """The norm of these networks: instance norms keep no running statistics."""
    return Norm(kind, track=kind == "batch", initial=initial, name=name)


class PoseEncoder(nn.Module):
    """Picture or maps [B, H, W, C] -> features [B, H/4, W/4, 4 width]: 7x7 convolution and two of stride 2."""

    width: int = 64
    norm: str = "batch"
    dtype: Any = jnp.float32
    initial: str = "normal_kernels"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        conv = dict(use_bias=self.norm != "batch", dtype=self.dtype, initial=self.initial)
        y = Conv(self.width, 7, padding=3, pad_mode="reflect", name="stem", **conv)(x)
        y = nn.relu(pose_norm(self.norm, self.initial, "stem_norm")(y, mode))
        for i in range(2):
            y = Conv(self.width * 2 ** (i + 1), 3, stride=2, padding=1, name=f"down_{i}", **conv)(y)
            y = nn.relu(pose_norm(self.norm, self.initial, f"down_{i}_norm")(y, mode))
        return y


class PoseStream(nn.Module):
    """Two 3x3 convolutions, [B, h, w, d] -> [B, h, w, features]: norm, ReLU and dropout between, a norm behind if asked.

    The first keeps the d channels of its input. With `features` = d and the norm behind it, x + stream(x) is the
    residual block of these papers.
    """

    features: int
    norm: str = "batch"
    dropout: float = 0.5
    dtype: Any = jnp.float32
    norm_last: bool = True
    initial: str = "normal_kernels"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        conv = dict(size=3, padding=1, pad_mode="reflect", use_bias=self.norm != "batch", dtype=self.dtype,
                    initial=self.initial)
        y = Conv(x.shape[-1], name="conv_0", **conv)(x)
        y = nn.relu(pose_norm(self.norm, self.initial, "norm_0")(y, mode))
        y = Dropout(self.dropout)(y, mode)
        y = Conv(self.features, name="conv_1", **conv)(y)
        return pose_norm(self.norm, self.initial, "norm_1")(y, mode) if self.norm_last else y


class PoseDecoder(nn.Module):
    """Features [B, h, w, C] -> [B, 4h, 4w, channels], float32: two transposed convolutions and a 7x7 one, no tanh.

    `head` is the size of the last convolution, whose bias is there in all the releases' decoders of images. With
    `features` also what that convolution sees is returned, [B, 4h, 4w, width].
    """

    width: int = 64
    channels: int = 3
    norm: str = "batch"
    dtype: Any = jnp.float32
    initial: str = "normal_kernels"
    head: int = 7
    head_bias: bool = True

    @nn.compact
    def __call__(self, y, mode: Mode = TRAIN, features: bool = False):
        conv = dict(dtype=self.dtype, initial=self.initial)
        for i in range(2):
            y = UpConv(self.width * 2 ** (1 - i), 3, use_bias=self.norm != "batch", name=f"up_{i}", **conv)(y)
            y = nn.relu(pose_norm(self.norm, self.initial, f"up_{i}_norm")(y, mode))
        made = Conv(self.channels, self.head, padding=self.head // 2, pad_mode="reflect", use_bias=self.head_bias,
                    name="head", **conv)(y).astype(jnp.float32)
        return (made, y) if features else made


class PoseDiscriminator(nn.Module):
    """Candidate and condition [B, H, W, C] -> logits [B, H/4, W/4, 4 width], float32; losses take the mean of all.

    An encoder and residual blocks; nothing brings the channels down to one. The probability is the sigmoid of the
    logit. With 21 channels (image and maps of 18 joints) 3,977,408 parameters, with 6 (two images) 3,930,368.
    """

    width: int = 64
    blocks: int = 3
    norm: str = "batch"
    dropout: float = 0.5
    dtype: Any = jnp.float32
    initial: str = "torch"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        y = PoseEncoder(self.width, self.norm, self.dtype, self.initial, name="encoder")(x, mode)
        for i in range(self.blocks):
            y = y + PoseStream(y.shape[-1], self.norm, self.dropout, self.dtype, initial=self.initial,
                               name=f"block_{i}")(y, mode)
        return y.astype(jnp.float32)
