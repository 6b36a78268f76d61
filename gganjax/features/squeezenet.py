"""SqueezeNet 1.1 (Iandola et al. 2016) in the form of the torchvision release: the third trunk of LPIPS."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gganjax.features.frozen import check, normalize

# Place in the release's list of layers -> channels at full width after squeezing and after each expansion.
FIRES = {
    3: (16, 64),
    4: (16, 64),
    6: (32, 128),
    7: (32, 128),
    9: (48, 192),
    10: (48, 192),
    11: (64, 256),
    12: (64, 256),
}
POOLED = (3, 6, 9)  # a max pool stands in front of these
TAPPED = (4, 7, 9, 10, 11, 12)  # LPIPS v0.1 cuts behind these and behind the first ReLU


class SqueezeNet(nn.Module):
    """Returns the seven maps that LPIPS v0.1 compares, for images [B, H, W, 3] in [-1, 1] of at least 16x16 pixels.

    They have `width / 64 * (64, 128, 256, 384, 384, 512, 512)` channels; max pools keep an incomplete last window
    (ceil mode). `normalized` subtracts the ImageNet mean and deviation first.
    """

    width: int = 64
    normalized: bool = False
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        check(x, minimum=16)
        x = normalize(x) if self.normalized else x
        x = nn.relu(nn.Conv(self.width, (3, 3), strides=2, padding="VALID", dtype=self.dtype, name="features.0")(x))
        taps = [x.astype(jnp.float32)]
        for place, (squeezed, expanded) in FIRES.items():
            x = pool_with_rest(x) if place in POOLED else x
            squeezed, expanded = squeezed * self.width // 64, expanded * self.width // 64
            x = Fire(squeezed, expanded, self.dtype, name=f"features.{place}")(x)
            if place in TAPPED:
                taps.append(x.astype(jnp.float32))
        return tuple(taps)


class Fire(nn.Module):
    """Squeezes channels by a 1x1 convolution and expands them by a 1x1 and a 3x3 one, side by side."""

    squeezed: int
    expanded: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        conv = lambda channels, size, name: nn.Conv(
            channels, (size, size), padding=size // 2, dtype=self.dtype, name=name
        )
        x = nn.relu(conv(self.squeezed, 1, "squeeze")(x))
        both = [conv(self.expanded, 1, "expand1x1")(x), conv(self.expanded, 3, "expand3x3")(x)]
        return nn.relu(jnp.concatenate(both, axis=-1))


def pool_with_rest(x):
    """Max pools 3x3 windows of stride 2; a last window that the image covers only in part counts too."""
    rests = [(0, (side - 3) % 2) for side in x.shape[1:3]]
    return nn.max_pool(x, (3, 3), (2, 2), rests)
