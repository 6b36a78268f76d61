"""EfficientNet-Lite0 in the form of the common PyTorch port: features of a Frechet distance that a package carries.

The weights were verified on photos; how the pictures were prepared in training is not certain (padding and
normalization), other choices change confidences by a few per cent. Distances of its features are to be called
"FID (EfficientNet-Lite0)": they cannot be compared with those of Inception.
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from gganjax.features.frozen import check, conv_norm, normalize

SIZE = 224
EPSILON = 1e-3
STEM, HEAD = 32, 1280
# (kernel, first stride, expansion, channels, repeats) of each stage
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


class EfficientNetOutputs(NamedTuple):
    """What `EfficientNetLite0` returns: features [B, 1280], pooled, and logits [B, 1000], float32."""

    features: jax.Array
    logits: jax.Array


class EfficientNetLite0(nn.Module):
    """Returns `EfficientNetOutputs` for images [B, H, W, 3] in [-1, 1] of at least 32x32 pixels, trained at 224x224.

    Widths are divided by `divisor`. See `resizing.antialiased_bilinear` for pictures of other sizes.
    """

    divisor: int = 1
    classes: int = 1000
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x) -> EfficientNetOutputs:
        check(x, minimum=32)
        options = {"epsilon": EPSILON, "act": nn.relu6, "dtype": self.dtype}
        x = conv_norm(normalize(x), STEM // self.divisor, 3, names=("_conv_stem", "_bn0"), stride=2, **options)
        number = 0
        for kernel, stride, expansion, channels, repeats in STAGES:
            for i in range(repeats):
                shape = (kernel, stride if i == 0 else 1, expansion, channels // self.divisor)
                x = Block(*shape, self.dtype, name=f"_blocks.{number}")(x)
                number += 1
        x = conv_norm(x, HEAD // self.divisor, 1, names=("_conv_head", "_bn1"), **options)
        features = jnp.mean(x.astype(jnp.float32), axis=(1, 2))
        return EfficientNetOutputs(features, nn.Dense(self.classes, name="_fc")(features))


class Block(nn.Module):
    """Inverted residual: expand 1x1, depthwise, project 1x1 without activation; a skip where the shape is kept."""

    kernel: int
    stride: int
    expansion: int
    channels: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        options, inner, y = {"epsilon": EPSILON, "dtype": self.dtype}, self.expansion * x.shape[-1], x
        if self.expansion != 1:
            y = conv_norm(y, inner, 1, names=("_expand_conv", "_bn0"), act=nn.relu6, **options)
        names = ("_depthwise_conv", "_bn1")
        y = conv_norm(y, inner, self.kernel, names=names, stride=self.stride, groups=inner, act=nn.relu6, **options)
        y = conv_norm(y, self.channels, 1, names=("_project_conv", "_bn2"), act=None, **options)
        return x + y if self.stride == 1 and x.shape[-1] == self.channels else y
