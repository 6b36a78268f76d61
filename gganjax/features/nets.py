"""Frozen feature networks: VGG16, VGG19 and AlexNet.

Images are float [B, H, W, 3] in [-1, 1], RGB. Features are float32 whatever the compute dtype.
No network here is trained: parameters come from `weights.py`. The layouts are those of the ImageNet
networks of the torchvision release; the taps follow the GestureGAN paper (VGG19) and LPIPS v0.1.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gganjax.features.frozen import check, normalize

# Convolutions in each block, and which one of each block is tapped (counted from 1).
VGG_BLOCKS = {
    16: ((2, 2, 3, 3, 3), (2, 2, 3, 3, 3)),
    19: ((2, 2, 4, 4, 1), (1, 1, 1, 1, 1)),  # nothing behind relu5_1 is ever used
}
VGG_CHANNELS = (1, 2, 4, 8, 8)  # times the width

# (kernel, stride, padding, channels at full width, max pool in front) of the five convolutions.
ALEXNET_LAYERS = (
    (11, 4, 2, 64, False),
    (5, 1, 2, 192, True),
    (3, 1, 1, 384, True),
    (3, 1, 1, 256, False),
    (3, 1, 1, 256, False),
)


def vgg_layers(depth: int, *, width: int = 64) -> tuple[tuple[str, int], ...]:
    """Lists (name, channels) of the convolutions of a VGG up to its last tap, in forward order."""
    blocks, _ = VGG_BLOCKS[depth]
    return tuple(
        (f"conv{block}_{i}", width * VGG_CHANNELS[block - 1])
        for block, count in enumerate(blocks, start=1)
        for i in range(1, count + 1)
    )


class VGG(nn.Module):
    """Returns feature maps of VGG16 or VGG19 for images [B, H, W, 3] in [-1, 1], five unless told otherwise.

    Depth 19 gives relu1_1, 2_1, 3_1, 4_1, 5_1, depth 16 gives relu1_2, 2_2, 3_3, 4_3, 5_3: the k-th map has
    `width * (1, 2, 4, 8, 8)[k]` channels and 1/2^k of the height and width, rounded down.
    `normalized` subtracts the ImageNet mean and deviation first; the GestureGAN reference does not. `taps` names other
    maps, such as ("relu1_2",); nothing behind the last of them is computed or has parameters.
    """

    depth: int = 19
    width: int = 64
    normalized: bool = False
    dtype: Any = jnp.float32
    taps: tuple[str, ...] = ()

    @nn.compact
    def __call__(self, x):
        check(x, minimum=16)
        x = normalize(x) if self.normalized else x
        wanted = self.taps or tuple(f"relu{block}_{i}" for block, i in enumerate(VGG_BLOCKS[self.depth][1], start=1))
        found = {}
        for name, channels in vgg_layers(self.depth, width=self.width):
            block, i = int(name[4]), int(name[6])
            if i == 1 and block > 1:
                x = max_pool_2x2(x)
            x = nn.relu(nn.Conv(channels, (3, 3), padding=1, dtype=self.dtype, name=name)(x))
            found[name.replace("conv", "relu")] = x.astype(jnp.float32)
            if set(wanted) <= set(found):
                break
        return tuple(found[name] for name in wanted)


def max_pool_2x2(x):
    """Maximum of every 2x2 positions, [B, H, W, C] -> [B, H // 2, W // 2, C]; of equal ones the first has the gradient.

    Equal to `nn.max_pool`, whose gradient takes seven times as long on a CPU.
    """
    height, width = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    most, *others = (x[:, i:height:2, j:width:2] for i in (0, 1) for j in (0, 1))
    for other in others:
        most = jnp.where(other > most, other, most)
    return most


class AlexNet(nn.Module):
    """Returns the five rectified convolution outputs of AlexNet for images [B, H, W, 3] in [-1, 1]."""

    width: int = 64
    normalized: bool = False
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        check(x, minimum=31)
        x = normalize(x) if self.normalized else x
        taps = []
        for i, (kernel, stride, padding, channels, pooled) in enumerate(ALEXNET_LAYERS, start=1):
            if pooled:
                x = nn.max_pool(x, (3, 3), (2, 2))
            x = nn.Conv(
                channels * self.width // 64,
                (kernel, kernel),
                strides=stride,
                padding=padding,
                dtype=self.dtype,
                name=f"conv{i}",
            )(x)
            x = nn.relu(x)
            taps.append(x.astype(jnp.float32))
        return tuple(taps)
