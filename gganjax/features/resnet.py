"""ResNet-50 (He et al. 2016) in the form of the torchvision release, whose logits FRD compares in place of MATLAB's."""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from gganjax.features.frozen import bottlenecks, check, conv_norm, max_pool, normalize

BLOCKS = (3, 4, 6, 3)


class ResNetOutputs(NamedTuple):
    """What `ResNet50` returns, float32.

    Attributes:
      layers: outputs of the four stages, [B, H / 4, W / 4, 256], ..., [B, H / 32, W / 32, 2048], sides rounded up.
      logits: [B, 1000], before the softmax.
    """

    layers: tuple[jax.Array, ...]
    logits: jax.Array


class ResNet50(nn.Module):
    """Returns `ResNetOutputs` for images [B, H, W, 3] in [-1, 1] of at least 32x32 pixels.

    Widths are divided by `divisor`. The release was trained at 224x224; see `resizing.matlab_bicubic`.
    The stride of a block is on its 3x3 convolution (torchvision's form, "V1.5").
    """

    divisor: int = 1
    classes: int = 1000
    normalized: bool = True
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x) -> ResNetOutputs:
        check(x, minimum=32)
        x = normalize(x) if self.normalized else x
        width, layers = 64 // self.divisor, []
        x = conv_norm(x, width, 7, names=("conv1", "bn1"), stride=2, dtype=self.dtype)
        x = max_pool(x, padding=1)
        for i, count in enumerate(BLOCKS):
            x = bottlenecks(x, f"layer{i + 1}", count, width * 2**i, stride=1 if i == 0 else 2, dtype=self.dtype)
            layers.append(x.astype(jnp.float32))
        pooled = jnp.mean(layers[-1], axis=(1, 2))
        return ResNetOutputs(tuple(layers), nn.Dense(self.classes, name="fc")(pooled))
