"""DAGAN's generator: GauGAN's, whose last features attend to channels and positions (Tang et al., ACM MM 2020).

Features are [B, H, W, C]. Of the paper itself only the abstract was at hand; what stands here is its code. The abstract
correlates pixels "regardless of their distances", where the code has a 3x3 convolution: `spatial`="position" is full
attention of every position to every other.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gganjax.layers import TRAIN, Conv, Mode, concatenate
from gganjax.nets.spade import SpadeTrunk, to_image
from gganjax.nets.xing import CrossingAttention

SPATIAL = ("local", "position")


class ChannelAttention(nn.Module):
    """CAM: low + x s, features [B, H, W, C] of two neighboring levels -> [B, H, W, C].

    s, one number from 0 to 1 for each channel, is read off the mean over all positions of both levels by two 1x1
    convolutions with a ReLU between them.
    """

    dtype: Any = jnp.float32
    initial: str = "xavier_small"

    @nn.compact
    def __call__(self, low, x):
        conv = dict(features=x.shape[-1], size=1, dtype=self.dtype, initial=self.initial)
        pooled = concatenate(low, x).astype(jnp.float32).mean((1, 2), keepdims=True)
        s = jax.nn.sigmoid(Conv(name="conv_1", **conv)(nn.relu(Conv(name="conv_0", **conv)(pooled))))
        return low + x * s.astype(x.dtype)


class SpatialAttention(nn.Module):
    """SAM: x s, features [B, H, W, C] -> the same and s [B, H, W, 1] from 0 to 1.

    s is read off the mean and the maximum over the channels by a 3x3 convolution without bias.
    """

    dtype: Any = jnp.float32
    initial: str = "xavier_small"

    @nn.compact
    def __call__(self, x):
        seen = concatenate(x.mean(-1, keepdims=True), x.max(-1, keepdims=True))
        conv = dict(size=3, padding=1, use_bias=False, dtype=self.dtype, initial=self.initial)
        s = jax.nn.sigmoid(Conv(1, name="conv", **conv)(seen))
        return x * s.astype(x.dtype), s


class DAGANGenerator(nn.Module):
    """DAGAN: semantics [B, H, W, S], with a latent a code z [B, latent] -> image [B, H, W, 3] in [-1, 1].

    CAM sees the trunk's features and, brought to their width by a 3x3 convolution, the input of the block that made
    them; SAM sees the features alone. What both make is added. Without either it is GauGAN's generator, with both it
    has 86,226 parameters more at full width: 93,134,229 with Cityscapes' 36 label channels. In the code the widths are
    those of `width` 64 and upsampling other than "most"; here they follow the trunk.

    With `details` a dictionary comes out, of "fake_target" and of the pictures that `looks` names: "spatial_attention",
    s of SAM, and the channels' mean of what CAM and SAM make, "channel_features" and "spatial_features", each divided
    by its largest magnitude in the picture.

    Attributes:
      trunk: of GauGAN.
      channel_attention: whether there is CAM.
      spatial_attention: whether there is SAM.
      spatial: what SAM is, "local" (code) or "position": x + gamma softmax(query(x) key(x)^T) value(x) with gamma 0 at
        first and query and key of an eighth of the width. Its cost is that of all pairs of pixels.
    """

    trunk: SpadeTrunk
    channel_attention: bool = True
    spatial_attention: bool = True
    spatial: str = "local"

    @property
    def stride(self) -> int:
        """What height and width are multiples of."""
        return self.trunk.stride

    @property
    def looks(self) -> tuple[str, ...]:
        """Names of the pictures that `details` adds."""
        gate = ("spatial_attention",) if self.spatial_attention and self.spatial == "local" else ()
        return (*gate, *("channel_features",) * self.channel_attention, *("spatial_features",) * self.spatial_attention)

    @nn.compact
    def __call__(self, semantics, mode: Mode = TRAIN, z=None, details: bool = False):
        last = list(self.trunk.blocks)[-1]
        features, taps = self.trunk(semantics, mode, z, taps=(last,))
        made, shown = [], {}
        options = dict(dtype=self.trunk.dtype, initial=self.trunk.initial)
        if self.channel_attention:
            low = Conv(features.shape[-1], 3, padding=1, name="low", **options)(taps[last])
            made.append(ChannelAttention(name="cam", **options)(low, features))
            shown["channel_features"] = made[-1]
        if self.spatial_attention and self.spatial == "local":
            attended, gate = SpatialAttention(name="sam", **options)(features)
            made.append(attended)
            shown |= {"spatial_attention": gate, "spatial_features": attended}
        elif self.spatial_attention:
            width = max(features.shape[-1] // 8, 1)
            made.append(CrossingAttention(width, dtype=self.trunk.dtype, name="sam")(features, features))
            shown["spatial_features"] = made[-1]
        image = to_image(sum(made) if made else features, self.trunk, name="image")
        if not details:
            return image
        shown = {name: (signed if name.endswith("attention") else overview)(shown[name]) for name in self.looks}
        return {"fake_target": image} | shown


def signed(shares):
    """Numbers from 0 to 1 as a picture from -1 to 1, float32."""
    return 2 * shares.astype(jnp.float32) - 1


def overview(features):
    """Features [B, H, W, C] as a picture [B, H, W, 1] in [-1, 1]: the mean over the channels, `scaled`."""
    return scaled(features.astype(jnp.float32).mean(-1, keepdims=True))


def scaled(picture):
    """A picture [B, H, W, C] of any range in [-1, 1], float32: divided by the largest magnitude in each."""
    picture = picture.astype(jnp.float32)
    return picture / jnp.maximum(jnp.abs(picture).max((1, 2, 3), keepdims=True), 1e-12)
