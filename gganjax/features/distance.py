"""LPIPS (Zhang et al. 2018): a distance of two images in the features of a frozen network.

Images are float [B, H, W, 3] in [-1, 1], compared at their own size.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gganjax.errors import InputError, nearest
from gganjax.features.nets import VGG, AlexNet
from gganjax.features.resizing import bilinear
from gganjax.features.squeezenet import SqueezeNet

TRUNKS = {"alexnet": AlexNet, "vgg16": VGG, "squeezenet": SqueezeNet}
LAYERS = {"alexnet": 5, "vgg16": 5, "squeezenet": 7}


class LPIPS(nn.Module):
    """Returns the LPIPS v0.1 distance [B] between images a and b, both [B, H, W, 3] in [-1, 1].

    Every tap is divided by its norm over the channels; squared differences are weighted by the non-negative
    `head_<k>` [C], averaged over the positions and summed over the taps. 0 for equal images, larger is worse.

    Attributes:
      net: "alexnet", "vgg16" or "squeezenet".
      width: channels of the first convolution, 64 at full size.
      weighted: whether there are heads; without them the channels are summed (the paper's baseline).
      scaled: whether the ImageNet statistics are subtracted first; version 0.0 did not, and had other heads.
    """

    net: str = "alexnet"
    width: int = 64
    weighted: bool = True
    scaled: bool = True
    dtype: Any = jnp.float32

    def __call__(self, a, b):
        return self.layers(a, b).sum(axis=-1)

    def layers(self, a, b):
        """Returns what each layer adds to the distance, [B, L]."""
        return jnp.stack([jnp.mean(level, axis=(1, 2)) for level in self.maps(a, b)], axis=-1)

    def spatial(self, a, b):
        """Returns the map [B, H, W] of the distance: each layer's, enlarged bilinearly (half-pixel), and summed."""
        return sum(bilinear(level[..., None], a.shape[1:3]) for level in self.maps(a, b))[..., 0]

    @nn.compact
    def maps(self, a, b):
        """Returns the weighted squared differences of each layer, [B, h, w] each."""
        if self.net not in TRUNKS:
            raise InputError(f"'{self.net}' is no LPIPS network{nearest(self.net, TRUNKS)}.")
        options = {"width": self.width, "normalized": self.scaled, "dtype": self.dtype, "name": "trunk"}
        trunk = TRUNKS[self.net](**options | ({"depth": 16} if self.net == "vgg16" else {}))
        left, right, heads = trunk(a), trunk(b), None
        if self.weighted:
            heads = [self.param(f"head_{k}", nn.initializers.ones, tap.shape[-1:]) for k, tap in enumerate(left)]
        return differences(left, right, heads)


def differences(left, right, heads=None) -> list:
    """Returns the squared differences [B, h, w] of each pair of taps [B, h, w, C], unit vectors at every position.

    heads: one vector [C] a tap, whose product with the squared differences is taken; None sums the channels.
    """
    squares = [jnp.square(_unit(a) - _unit(b)) for a, b in zip(left, right, strict=True)]
    if heads is None:
        return [square.sum(axis=-1) for square in squares]
    return [square @ head for square, head in zip(squares, heads, strict=True)]


def _unit(x):
    return x / (jnp.sqrt(jnp.sum(jnp.square(x), axis=-1, keepdims=True)) + 1e-10)
