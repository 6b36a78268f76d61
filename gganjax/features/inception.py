"""Inception of 2015-12-05, the network of FID and the Inception Score, in the form of pytorch-fid.

It is torchvision's Inception v3 with 1008 classes and three changes that make its values those of TensorFlow's
frozen graph: average pools do not count the padding, the pool of the last block takes the maximum, and the end is a
mean over all positions. torchvision's own ImageNet weights are another network's.
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from gganjax.features import resizing
from gganjax.features.frozen import check, conv_norm, max_pool

SIZE = 299
FORMS = ("pytorch_fid", "ttur")


class InceptionOutputs(NamedTuple):
    """What `Inception` returns, float32; `blocks` hold maps, the rest their means.

    Attributes:
      blocks: the maps of 64, 192, 768 and 2048 channels, [B, 73, 73, 64], [B, 35, 35, 192], [B, 17, 17, 768],
        [B, 8, 8, 2048].
      taps: their means over the positions, [B, 64], [B, 192], [B, 768], [B, 2048].
      pool: the last of them, [B, 2048], which FID compares.
      logits: [B, 1008], with bias.
      probabilities: [B, 1008], softmax without the bias, as the published Inception Score takes them.
    """

    blocks: tuple[jax.Array, ...]
    taps: tuple[jax.Array, ...]
    pool: jax.Array
    logits: jax.Array
    probabilities: jax.Array


def prepared(x, form: str = "pytorch_fid"):
    """Resizes images [B, H, W, 3] in [-1, 1] to 299x299 and scales them as the published code does.

    "pytorch_fid": bilinear with half-pixel centers, never antialiased, values 2 x - 1 of [0, 1].
    "ttur": 8-bit values 0 ... 255 resized as TensorFlow 1 does (bilinear, pixel i at i times the ratio), then
    (x - 128) / 128. The graph's own resizing is known from its description, not verified.
    """
    if form == "ttur":
        levels = jnp.round(jnp.clip((x.astype(jnp.float32) + 1) * 127.5, 0, 255))
        return (resizing.tensorflow1_bilinear(levels, SIZE) - 128) / 128
    if form != "pytorch_fid":
        raise ValueError(f"the form of Inception's input is {' or '.join(FORMS)}, got {form!r}")
    return resizing.bilinear(x.astype(jnp.float32), SIZE)  # weights sum to 1, so that 2 x - 1 may come before


class Inception(nn.Module):
    """Returns `InceptionOutputs` for images [B, H, W, 3] in [-1, 1] of any size, resized by `prepared`.

    Widths are divided by `divisor`.
    """

    divisor: int = 1
    classes: int = 1008
    form: str = "pytorch_fid"
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x) -> InceptionOutputs:
        check(x, minimum=1)
        unit = Units(self.divisor, self.dtype)
        x = unit("Conv2d_1a_3x3", prepared(x, self.form), 32, 3, stride=2, padding=0)
        x = unit("Conv2d_2a_3x3", x, 32, 3, padding=0)
        first = max_pool(unit("Conv2d_2b_3x3", x, 64, 3))
        x = unit("Conv2d_3b_1x1", first, 80, 1)
        second = max_pool(unit("Conv2d_4a_3x3", x, 192, 3, padding=0))
        x = second
        for name, pooled in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
            x = BlockA(unit, pooled, name=name)(x)
        x = BlockB(unit, name="Mixed_6a")(x)
        for name, inner in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
            x = BlockC(unit, inner, name=name)(x)
        third = x
        x = BlockD(unit, name="Mixed_7a")(x)
        x = BlockE(unit, average_pool, name="Mixed_7b")(x)
        fourth = BlockE(unit, lambda x: max_pool(x, padding=1, stride=1), name="Mixed_7c")(x)
        blocks = tuple(block.astype(jnp.float32) for block in (first, second, third, fourth))
        taps = tuple(jnp.mean(block, axis=(1, 2)) for block in blocks)
        logits, without_bias = Linear(self.classes, name="fc")(taps[-1])
        return InceptionOutputs(blocks, taps, taps[-1], logits, jax.nn.softmax(without_bias))


class Units(NamedTuple):
    """Makes a module `name` of convolution, batch norm and ReLU, with channels divided by `divisor`."""

    divisor: int
    dtype: Any

    def __call__(self, name, x, channels, size, **options):
        """Applies it to x inside the calling module."""
        return Unit(channels // self.divisor, size, options, self.dtype, name=name)(x)


class Unit(nn.Module):
    """Convolution, batch norm and ReLU; `options` are those of `conv_norm`."""

    channels: int
    size: int | tuple[int, int]
    options: Any
    dtype: Any

    @nn.compact
    def __call__(self, x):
        return conv_norm(
            x, self.channels, self.size, names=("conv", "bn"), epsilon=1e-3, dtype=self.dtype, **self.options
        )


class Linear(nn.Module):
    """Returns x [B, N] times the kernel, with the bias and without."""

    outputs: int

    @nn.compact
    def __call__(self, x):
        kernel = self.param("kernel", nn.initializers.lecun_normal(), (x.shape[-1], self.outputs))
        product = x @ kernel
        return product + self.param("bias", nn.initializers.zeros, (self.outputs,)), product


def average_pool(x):
    """Averages 3x3 windows; pixels outside of the image are not counted."""
    return nn.avg_pool(x, (3, 3), (1, 1), ((1, 1), (1, 1)), count_include_pad=False)


class BlockA(nn.Module):
    """Branches of 1x1, 5x5, twice 3x3, and an average pool."""

    unit: Units
    pooled: int

    @nn.compact
    def __call__(self, x):
        u = self.unit
        five = u("branch5x5_2", u("branch5x5_1", x, 48, 1), 64, 5)
        double = u("branch3x3dbl_2", u("branch3x3dbl_1", x, 64, 1), 96, 3)
        double = u("branch3x3dbl_3", double, 96, 3)
        pool = u("branch_pool", average_pool(x), self.pooled, 1)
        return jnp.concatenate([u("branch1x1", x, 64, 1), five, double, pool], axis=-1)


class BlockB(nn.Module):
    """Halves the sides: branches of 3x3, twice 3x3, and a max pool."""

    unit: Units

    @nn.compact
    def __call__(self, x):
        u = self.unit
        double = u("branch3x3dbl_2", u("branch3x3dbl_1", x, 64, 1), 96, 3)
        double = u("branch3x3dbl_3", double, 96, 3, stride=2, padding=0)
        return jnp.concatenate([u("branch3x3", x, 384, 3, stride=2, padding=0), double, max_pool(x)], axis=-1)


class BlockC(nn.Module):
    """Branches of 1x1, 7x7 as 1x7 and 7x1, twice that, and an average pool."""

    unit: Units
    inner: int

    @nn.compact
    def __call__(self, x):
        u, inner = self.unit, self.inner
        single, double = u("branch7x7_1", x, inner, 1), u("branch7x7dbl_1", x, inner, 1)
        for name, channels, size in (("branch7x7_2", inner, (1, 7)), ("branch7x7_3", 192, (7, 1))):
            single = u(name, single, channels, size)
        for i, (channels, size) in enumerate(
            ((inner, (7, 1)), (inner, (1, 7)), (inner, (7, 1)), (192, (1, 7))), start=2
        ):
            double = u(f"branch7x7dbl_{i}", double, channels, size)
        pool = u("branch_pool", average_pool(x), 192, 1)
        return jnp.concatenate([u("branch1x1", x, 192, 1), single, double, pool], axis=-1)


class BlockD(nn.Module):
    """Halves the sides: branches of 3x3, 7x7 and 3x3, and a max pool."""

    unit: Units

    @nn.compact
    def __call__(self, x):
        u = self.unit
        three = u("branch3x3_2", u("branch3x3_1", x, 192, 1), 320, 3, stride=2, padding=0)
        seven = u("branch7x7x3_2", u("branch7x7x3_1", x, 192, 1), 192, (1, 7))
        seven = u("branch7x7x3_3", seven, 192, (7, 1))
        seven = u("branch7x7x3_4", seven, 192, 3, stride=2, padding=0)
        return jnp.concatenate([three, seven, max_pool(x)], axis=-1)


class BlockE(nn.Module):
    """Branches of 1x1, 3x3 and twice 3x3, the last of each split into 1x3 beside 3x1, and a pool."""

    unit: Units
    pool: Any

    @nn.compact
    def __call__(self, x):
        u = self.unit
        three = u("branch3x3_1", x, 384, 1)
        double = u("branch3x3dbl_2", u("branch3x3dbl_1", x, 448, 1), 384, 3)
        parts = [u("branch1x1", x, 320, 1)]
        for name, y in (("branch3x3_2", three), ("branch3x3dbl_3", double)):
            parts += [u(f"{name}a", y, 384, (1, 3)), u(f"{name}b", y, 384, (3, 1))]
        return jnp.concatenate([*parts, u("branch_pool", self.pool(x), 192, 1)], axis=-1)
