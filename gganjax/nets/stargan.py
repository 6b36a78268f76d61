"""The networks of StarGAN and of unpaired AsymmetricGAN: generators told the wanted domain, and the judge of domains.

Images are [B, H, W, 3] in [-1, 1]; a label is [B, M], 0 or 1 for each domain, and stands at every pixel behind the
image's channels. AsymmetricGAN (Tang et al.) names the generators Architecture III (StarGAN's), II (the same without
residual blocks) and I (seven small convolutions). Padding is with zeros, as a label at every pixel needs no reflection.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gganjax.errors import InputError
from gganjax.layers import TRAIN, Conv, Mode, Norm, UpConv

STRIDE = 4  # of the generators


def labeled(image: jax.Array, label: jax.Array) -> jax.Array:
    """Puts a label [B, M] behind the channels of every pixel of an image: [B, H, W, C + M]."""
    tiled = jnp.broadcast_to(label[:, None, None, :], (*image.shape[:3], label.shape[-1]))
    return jnp.concatenate([image, tiled.astype(image.dtype)], axis=-1)


class Encoder(nn.Module):
    """Image and label -> features [B, H/4, W/4, 4 width]: 7x7 convolution, two of stride 2, residual blocks.

    With `embedding` n the label passes a linear layer to n numbers first (64 in AsymmetricGAN's text; neither its
    code nor its parameter counts have it). The paper joins them with "image features"; here these are the pixels.
    """

    width: int = 64
    blocks: int = 6
    embedding: int = 0
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, image, label, mode: Mode = TRAIN):
        if self.embedding:
            label = nn.Dense(self.embedding, name="embedding")(label)
        y = Conv(self.width, 7, padding=3, use_bias=False, dtype=self.dtype, initial="torch", name="stem")(labeled(image, label))
        y = nn.relu(Norm("instance", affine=True, initial="torch", name="stem_norm")(y, mode))
        for i in range(2):
            y = Conv(self.width * 2 ** (i + 1), 4, stride=2, padding=1, use_bias=False, dtype=self.dtype, initial="torch",
                     name=f"down_{i}")(y)
            y = nn.relu(Norm("instance", affine=True, initial="torch", name=f"down_{i}_norm")(y, mode))
        for i in range(self.blocks):
            y = ResidualBlock(self.dtype, name=f"block_{i}")(y, mode)
        return y


class ResidualBlock(nn.Module):
    """x + branch(x) of two 3x3 convolutions, [B, H, W, C] -> [B, H, W, C]; nothing follows the sum."""

    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        conv = dict(size=3, padding=1, use_bias=False, dtype=self.dtype, initial="torch")
        y = Conv(x.shape[-1], name="conv_0", **conv)(x)
        y = nn.relu(Norm("instance", affine=True, initial="torch", name="norm_0")(y, mode))
        y = Conv(x.shape[-1], name="conv_1", **conv)(y)
        return x + Norm("instance", affine=True, initial="torch", name="norm_1")(y, mode)


class Decoder(nn.Module):
    """Features [B, h, w, 4 width] -> image [B, 4h, 4w, 3]: two transposed convolutions, 7x7 convolution, tanh."""

    width: int = 64
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, y, mode: Mode = TRAIN):
        for i in range(2):
            y = UpConv(self.width * 2 ** (1 - i), 4, use_bias=False, dtype=self.dtype, initial="torch", name=f"up_{i}")(y)
            y = nn.relu(Norm("instance", affine=True, initial="torch", name=f"up_{i}_norm")(y, mode))
        y = Conv(3, 7, padding=3, use_bias=False, dtype=self.dtype, initial="torch", name="head")(y)
        return jnp.tanh(y.astype(jnp.float32))


class StarGANGenerator(nn.Module):
    """Architecture III, or II with `blocks` = 0: image and label -> image.

    Height and width are multiples of 4. With 7 domains 8,436,800 and 1,352,768 parameters; AsymmetricGAN prints 8.4M
    and 1.3M.
    """

    width: int = 64
    blocks: int = 6
    embedding: int = 0
    dtype: Any = jnp.float32

    stride = STRIDE

    @nn.compact
    def __call__(self, image, label, mode: Mode = TRAIN):
        y = Encoder(self.width, self.blocks, self.embedding, self.dtype, name="encoder")(image, label, mode)
        return Decoder(self.width, self.dtype, name="decoder")(y, mode)


class PlainGenerator(nn.Module):
    """Architecture I: seven 3x3 convolutions of 9, 8, ... 3 channels, image and label -> image of any size.

    2,976 parameters with 7 domains; AsymmetricGAN prints 2.9K. Its norms keep no running statistics.
    """

    embedding: int = 0
    dtype: Any = jnp.float32

    stride = 1

    @nn.compact
    def __call__(self, image, label, mode: Mode = TRAIN):
        if self.embedding:
            label = nn.Dense(self.embedding, name="embedding")(label)
        y = labeled(image, label)
        for i, channels in enumerate(range(9, 2, -1)):
            y = Conv(channels, 3, padding=1, use_bias=False, dtype=self.dtype, initial="torch", name=f"conv_{i}")(y)
            if channels > 3:
                y = nn.relu(Norm("instance", affine=True, track=False, initial="torch", name=f"norm_{i}")(y, mode))
        return jnp.tanh(y.astype(jnp.float32))


class DomainDiscriminator(nn.Module):
    """Judges patches and domains: [B, H, H, 3] -> logits [B, h, h, 1] and [B, domains], h = H / 2^layers, float32.

    `layers` convolutions of stride 2 that double their channels, no norm, leaky ReLU of slope 0.01; two heads without
    bias. The second spans the whole picture, so a network judges squares of one size: 128x128 and 7 domains make
    44,778,432 parameters, 256x256 make 44,950,464.
    """

    domains: int
    width: int = 64
    layers: int = 6
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        height, width = x.shape[1:3]
        if height != width or height % 2**self.layers:
            raise InputError(f"the discriminator of {self.domains} domains judges squares whose sides are multiples of "
                             f"{2**self.layers}, found {height}x{width} pixels.")
        y = x
        for i in range(self.layers):
            y = Conv(self.width * 2**i, 4, stride=2, padding=1, dtype=self.dtype, initial="torch", name=f"conv_{i}")(y)
            y = nn.leaky_relu(y, 0.01)
        patches = Conv(1, 3, padding=1, use_bias=False, dtype=self.dtype, initial="torch", name="patches")(y)
        classes = Conv(self.domains, y.shape[1], use_bias=False, dtype=self.dtype, initial="torch", name="classes")(y)
        return patches.astype(jnp.float32), classes[:, 0, 0].astype(jnp.float32)
