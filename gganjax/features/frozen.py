"""What the frozen networks share: normalization of the input, batch norm by stored statistics, bottleneck blocks.

Names of layers are those of the PyTorch releases, dots included, so that `port.convert.mirrored` converts their
state dicts. Everything that a file holds is a parameter, the statistics of batch norms too: nothing here is trained.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gganjax.convolutions import depthwise
from gganjax.errors import InputError

# Mean and deviation of ImageNet, (0.485, 0.456, 0.406) and (0.229, 0.224, 0.225), for pictures in [-1, 1].
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)


def normalize(x):
    """Shifts and scales images [B, H, W, 3] in [-1, 1] to the statistics the networks were trained on."""
    return (x - jnp.asarray(SHIFT, x.dtype)) / jnp.asarray(SCALE, x.dtype)


def check(x, minimum: int) -> None:
    """Raises InputError unless x is [B, H, W, 3] with sides of at least `minimum` pixels."""
    if x.ndim != 4 or x.shape[-1] != 3 or min(x.shape[1:3]) < minimum:
        raise InputError(
            f"a feature network takes images [B, H, W, 3] of at least {minimum}x{minimum} pixels, got {tuple(x.shape)}"
        )


class Norm(nn.Module):
    """Batch norm of x [..., C] by stored mean and variance, which are parameters here."""

    epsilon: float = 1e-5

    @nn.compact
    def __call__(self, x):
        zeros, ones, shape = nn.initializers.zeros, nn.initializers.ones, (x.shape[-1],)
        mean, var = self.param("mean", zeros, shape), self.param("var", ones, shape)
        scale, bias = self.param("scale", ones, shape), self.param("bias", zeros, shape)
        factor = scale / jnp.sqrt(var + self.epsilon)
        return (x - mean.astype(x.dtype)) * factor.astype(x.dtype) + bias.astype(x.dtype)


def conv_norm(
    x, channels: int, size, *, names, stride: int = 1, padding=None, dilation: int = 1, groups: int = 1, act=nn.relu,
    epsilon: float = 1e-5, dtype=jnp.float32,
):  # fmt: skip
    """Applies a convolution without bias, batch norm and `act` (None for none) inside the calling module.

    size: one number or (height, width); names: of the convolution and of the norm; padding: half the size (times
    the dilation) unless given, in pixels on each side.
    """
    size = (size, size) if isinstance(size, int) else size
    sides = [side // 2 * dilation for side in size] if padding is None else [padding, padding]
    compute = depthwise if groups == channels == x.shape[-1] > 1 and dilation == 1 else None
    x = nn.Conv(
        channels, size, strides=stride, padding=[(side, side) for side in sides], kernel_dilation=dilation,
        feature_group_count=groups, use_bias=False, dtype=dtype, name=names[0], conv_general_dilated=compute,
    )(x)  # fmt: skip
    x = Norm(epsilon, name=names[1])(x)
    return x if act is None else act(x)


def max_pool(x, *, padding: int = 0, stride: int = 2):
    """Takes the maximum over 3x3 windows; pixels of the padding never win."""
    return nn.max_pool(x, (3, 3), (stride, stride), ((padding, padding),) * 2)


class Bottleneck(nn.Module):
    """Residual block 1x1, 3x3, 1x1 with 4 * channels outputs; the 3x3 convolution carries stride and dilation."""

    channels: int
    stride: int = 1
    dilation: int = 1
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        options, outputs = {"dtype": self.dtype}, 4 * self.channels
        y = conv_norm(x, self.channels, 1, names=("conv1", "bn1"), **options)
        y = conv_norm(
            y, self.channels, 3, names=("conv2", "bn2"), stride=self.stride, dilation=self.dilation, **options
        )
        y = conv_norm(y, outputs, 1, names=("conv3", "bn3"), act=None, **options)
        if self.stride != 1 or x.shape[-1] != outputs:
            names = ("downsample.0", "downsample.1")
            x = conv_norm(x, outputs, 1, names=names, stride=self.stride, act=None, **options)
        return nn.relu(x + y)


def bottlenecks(x, name: str, count: int, channels: int, *, stride: int = 1, dilation: int = 1, dtype=jnp.float32):
    """Applies bottleneck blocks `name`.0, .1, ... inside the calling module; the first one has the stride."""
    for i in range(count):
        x = Bottleneck(channels, stride if i == 0 else 1, dilation, dtype, name=f"{name}.{i}")(x)
    return x
