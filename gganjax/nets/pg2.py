"""The networks of PG2 (Ma et al., NIPS 2017): coarse generator G1, refiner G2 and the DCGAN discriminator.

Images are [B, H, W, 3] in [-1, 1], poses are maps of K joints [B, H, W, K]. The paper gives no list of channels; sizes
and connections are those of its published code. Padding is TensorFlow's: where a convolution of stride 2 pads an odd
number of rows or columns, the larger part stands behind. The generators have no norm and no dropout, and their outputs
are linear, without bounds.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gganjax.errors import InputError
from gganjax.layers import GLOROT, TRAIN, Mode, Norm, concatenate, leaky_relu

POSES = ("concat", "coordinates", "heatmaps")
PRESENT = 0.1  # least peak of the map of a joint that is there


def narrow(key, shape, dtype=jnp.float32):
    """Uniform numbers around 0 of standard deviation 0.02, with which the discriminator starts."""
    bound = 0.02 * 3**0.5
    return jax.random.uniform(key, shape, dtype, -bound, bound)


def convolution(features: int, size: int = 3, *, stride: int = 1, dtype, name: str, initial=GLOROT) -> nn.Conv:
    """A convolution with a bias and TensorFlow's padding."""
    return nn.Conv(features, (size, size), (stride, stride), "SAME", dtype=dtype, kernel_init=initial, name=name)


def enlarge(x: jax.Array) -> jax.Array:
    """Doubles height and width by repeating pixels, [B, H, W, C] -> [B, 2H, 2W, C]."""
    return jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)


def coordinates(maps: jax.Array) -> jax.Array:
    """Joints read off their maps, [B, H, W, K] in [0, 1] -> [B, 3K]: all x, all y, all flags of presence.

    x and y are from -1 at the first to 1 at the last column or row, the middle of the pixels that hold the map's
    maximum: the center of a disk. A joint is there if its maximum exceeds 0.1; coordinates of one that is not are 0.
    """
    height, width = maps.shape[1:3]
    peak = maps.max((1, 2), keepdims=True)
    highest = (maps == peak).astype(jnp.float32)
    places = [jnp.linspace(-1, 1, width)[None, None, :, None], jnp.linspace(-1, 1, height)[None, :, None, None]]
    present = (peak[:, 0, 0] > PRESENT).astype(jnp.float32)
    middles = [(highest * place).sum((1, 2)) / highest.sum((1, 2)) * present for place in places]
    return concatenate(*middles, present)


class ResidualBlock(nn.Module):
    """x + branch(x) of two 3x3 convolutions with a ReLU each, [B, H, W, C] -> [B, H, W, C]; nothing follows the sum."""

    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        y = x
        for k in range(2):
            y = nn.relu(convolution(x.shape[-1], dtype=self.dtype, name=f"conv_{k}")(y))
        return x + y


class Encoder(nn.Module):
    """Residual blocks, each but the last followed by a halving, and a code: [B, H, W, C] -> [B, code], skips.

    Level i = 0, 1, ... is i + 1 times the width wide; its block's output is its skip.
    """

    width: int = 128
    code: int = 64
    levels: int = 5
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        y = nn.relu(convolution(self.width, dtype=self.dtype, name="stem")(x.astype(self.dtype)))
        found = []
        for i in range(self.levels):
            y = ResidualBlock(self.dtype, name=f"block_{i}")(y)
            found.append(y)
            if i < self.levels - 1:
                y = nn.relu(convolution(self.width * (i + 2), stride=2, dtype=self.dtype, name=f"down_{i}")(y))
        flat = y.reshape(len(y), -1)
        self._check_size(x, flat)
        return nn.Dense(self.code, dtype=self.dtype, kernel_init=GLOROT, name="code")(flat), found

    def _check_size(self, x, flat):
        known = self.variables.get("params", {}).get("code")
        if known is not None and (expected := known["kernel"].shape[0]) != flat.shape[1]:
            raise InputError(
                f"PG2's bottleneck takes pictures of the size of its training, from which {expected} numbers reach it; "
                f"found {x.shape[1]}x{x.shape[2]} pixels, which make {flat.shape[1]}.")


class CoarseGenerator(nn.Module):
    """G1: image [B, H, W, 3] and pose -> coarse image [B, H, W, 3], linear.

    A U-Net of residual blocks around a fully connected bottleneck; height and width are multiples of 2^(levels - 1),
    those of training. 5 levels at 128x64 make 70,795,075 parameters, 6 at 256x256 make 122,103,235. `pose` says how the
    pose is seen (rows of Table 1 of the paper), and what the second input is:

      "concat": maps [B, H, W, K] behind the channels of the image.
      "coordinates" (CE): [B, 3K] of `coordinates`, through two linear layers to `pose_code` numbers beside the code.
      "heatmaps" (HME): maps through an encoder of their own, like the image's but without skips, to as many numbers.

    The sizes of CE and HME are ours; neither is in the published code.
    """

    width: int = 128
    code: int = 64
    levels: int = 5
    pose: str = "concat"
    pose_code: int = 64
    dtype: Any = jnp.float32

    @property
    def stride(self) -> int:
        """What height and width are multiples of."""
        return 2 ** (self.levels - 1)

    @nn.compact
    def __call__(self, image, pose, mode: Mode = TRAIN):
        dense = lambda features, name: nn.Dense(features, dtype=self.dtype, kernel_init=GLOROT, name=name)
        seen = concatenate(image, pose) if self.pose == "concat" else image
        code, skips = Encoder(self.width, self.code, self.levels, self.dtype, name="encoder")(seen)
        if self.pose == "coordinates":
            hidden = nn.relu(dense(self.pose_code, "pose_0")(pose))
            code = concatenate(code, dense(self.pose_code, "pose_1")(hidden))
        elif self.pose == "heatmaps":
            other, _ = Encoder(self.width, self.pose_code, self.levels, self.dtype, name="pose_encoder")(pose)
            code = concatenate(code, other)
        batch, height, width, _ = skips[-1].shape
        y = dense(height * width * self.width, "expand")(code).reshape(batch, height, width, self.width)
        for i in range(self.levels):
            y = ResidualBlock(self.dtype, name=f"block_{i}")(concatenate(y, skips.pop()))
            if skips:
                # The published code enlarges first: the same numbers, for four times the work.
                y = enlarge(nn.relu(convolution(self.width * len(skips), 1, dtype=self.dtype, name=f"up_{i}")(y)))
        return convolution(3, dtype=self.dtype, name="head")(y).astype(jnp.float32)


class Refiner(nn.Module):
    """G2: coarse and condition image, [B, H, W, 6] -> what is added to the coarse image, [B, H, W, 3], linear.

    A U-Net without residual blocks and bottleneck; on its way up all is `width` wide. `top_skip` tells whether the
    level of full size has a skip, too: not in the published network for Market-1501 (3 levels, 6,058,883 parameters),
    but in that for DeepFashion (4 levels, 12,696,067).
    """

    width: int = 128
    levels: int = 3
    top_skip: bool = False
    dtype: Any = jnp.float32

    @property
    def stride(self) -> int:
        """What height and width are multiples of."""
        return 2 ** (self.levels - 1)

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        def layer(x, features, name, stride=1):
            return nn.relu(convolution(features, stride=stride, dtype=self.dtype, name=name)(x))

        y, skips = layer(x.astype(self.dtype), self.width, "stem"), []
        for i in range(self.levels):
            for k in range(2):
                y = layer(y, self.width * (i + 1), f"encoder_{i}_{k}")
            skips.append(y)
            if i < self.levels - 1:
                y = layer(y, self.width * (i + 1), f"down_{i}", stride=2)
        for i in range(self.levels):
            skip = skips.pop()
            if skips or self.top_skip:
                y = concatenate(y, skip)
            for k in range(2):
                y = layer(y, self.width, f"decoder_{i}_{k}")
            y = enlarge(y) if skips else y
        return convolution(3, dtype=self.dtype, name="head")(y).astype(jnp.float32)


class DCGANDiscriminator(nn.Module):
    """DCGAN's discriminator (Radford et al. 2016), [B, H, W, C] -> logits [B], float32.

    5x5 convolutions of stride 2, up to 8 times the width wide, all but the first with a batch norm that always takes
    the statistics of the batch at hand; one linear layer over all that is left. 4 layers at 128x64 make 4,324,737
    parameters for one image and 4,329,537 for a pair, 5 layers at 256x256 make 10,896,257 and 10,901,057.
    """

    width: int = 64
    layers: int = 4
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        y, shape = x.astype(self.dtype), dict(size=5, stride=2, dtype=self.dtype, initial=narrow)
        for i in range(self.layers):
            y = convolution(self.width * min(2**i, 8), name=f"conv_{i}", **shape)(y)
            if i:
                y = Norm("batch", track=False, initial="torch", name=f"norm_{i}")(y, mode)
            y = leaky_relu(y)
        flat = y.transpose(0, 3, 1, 2).reshape(len(y), -1)  # channel by channel, as the published weights are ordered
        return nn.Dense(1, dtype=self.dtype, kernel_init=narrow, name="head")(flat)[:, 0].astype(jnp.float32)
