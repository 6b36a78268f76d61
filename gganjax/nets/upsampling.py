"""Upsampling layers that a generator takes by name; each doubles height and width, [B, H, W, C] -> [B, 2H, 2W, C]."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gganjax.features.resizing import nearest
from gganjax.layers import TRAIN, Mode

KINDS = ("nearest",)


class Upsample(nn.Module):
    """Doubles height and width by the layer `kind`, one of `KINDS`; "nearest" has no parameters."""

    kind: str = "nearest"
    dtype: Any = jnp.float32
    initial: str = "xavier_small"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        return nearest(x, (2 * x.shape[1], 2 * x.shape[2]))
