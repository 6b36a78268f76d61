"""The parts of LGGAN's generators: encoder, enlargement, class images, classifier, weights, and pictures of them.

Pictures are [B, H, W, 3] in [-1, 1], codes [B, h, w, C], classes int32 [B, H, W] from 0 on, other numbers for none. The
text leaves the layers open; they are those of the released code.
"""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gganjax.layers import TRAIN, Conv, Mode, Norm, UpConv, initializers
from gganjax.nets.classwise import classwise_conv
from gganjax.nets.upsampling import Upsample

ENLARGE = "transposed"  # the released heads' transposed convolutions, beside the kinds of `nets.upsampling`
LOCALS = ("sum", "conv")
FUSIONS = ("weights", "mean")


def instance_norm(x, name: str, mode: Mode):
    """ReLU of an instance norm without parameters and memory."""
    return nn.relu(Norm("instance", track=False, name=name)(x, mode))


class CodeEncoder(nn.Module):
    """7x7 convolution and `levels` of stride 2, [B, H, W, C] -> the code after each, of 2, 4, ... times `width`."""

    width: int = 64
    levels: int = 2
    dtype: Any = jnp.float32
    initial: str = "normal"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        conv, codes = dict(dtype=self.dtype, initial=self.initial), []
        y = Conv(self.width, 7, padding=3, pad_mode="reflect", name="stem", **conv)(x)
        y = instance_norm(y, "stem_norm", mode)
        for i in range(self.levels):
            y = Conv(self.width * 2 ** (i + 1), 3, stride=2, padding=1, name=f"down_{i}", **conv)(y)
            y = instance_norm(y, f"down_{i}_norm", mode)
            codes.append(y)
        return codes


class ResidualBlocks(nn.Module):
    """`blocks` times x + branch(x) of two 3x3 convolutions with mirrored borders, [B, h, w, C] -> [B, h, w, C]."""

    blocks: int = 9
    dtype: Any = jnp.float32
    initial: str = "normal"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        conv = dict(size=3, padding=1, pad_mode="reflect", dtype=self.dtype, initial=self.initial)
        for i in range(self.blocks):
            y = instance_norm(Conv(x.shape[-1], name=f"block_{i}_0", **conv)(x), f"norm_{i}_0", mode)
            y = Conv(x.shape[-1], name=f"block_{i}_1", **conv)(y)
            x = x + Norm("instance", track=False, name=f"norm_{i}_1")(y, mode)
        return x


class Enlargement(nn.Module):
    """A code of a quarter of the size brought to all of it, [B, h, w, 4 width] -> [B, 4h, 4w, width].

    Two transposed 3x3 convolutions with `kind` "transposed"; otherwise an upsampling layer of that kind and a 3x3
    convolution in the place of each. With `begun` the code is of half the size, and the first upsampling left out.
    """

    width: int = 64
    kind: str = ENLARGE
    begun: bool = False
    dtype: Any = jnp.float32
    initial: str = "normal"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        make = dict(dtype=self.dtype, initial=self.initial)
        for i in range(2):
            channels, done = self.width * (2 - i), self.begun and i == 0
            if self.kind == ENLARGE and not done:
                x = UpConv(channels, 3, name=f"up_{i}", **make)(x)
            else:
                x = x if done else Upsample(self.kind, name=f"upsample_{i}", **make)(x, mode)
                x = Conv(channels, 3, padding=1, name=f"up_{i}", **make)(x)
            x = instance_norm(x, f"up_{i}_norm", mode)
        return x


class ClassImages(nn.Module):
    """An image for each class of its features alone: [B, H, W, C] and classes -> [B, H, W, K, 3] in [-1, 1].

    One 7x7 convolution for each class, see `nets.classwise`; outside of its class and 3 pixels around, an image is the
    tanh of the bias. `spare` heads more have parameters and are used by no class, as the one in the released code.
    """

    classes: int
    spare: int = 0
    dtype: Any = jnp.float32
    initial: str = "normal"

    @nn.compact
    def __call__(self, x, classes):
        shape, heads = (7, 7, x.shape[-1], 3), self.classes + self.spare
        kernel_init, bias_init = initializers(self.initial, shape)
        kernels = self.param("kernel", kernel_init, (heads, *shape))[: self.classes]
        biases = self.param("bias", bias_init, (heads, 3))[: self.classes]
        return jnp.tanh(classwise_conv(x.astype(self.dtype), classes, kernels) + biases)


class ClassScores(nn.Module):
    """What a linear layer makes of the features of each class: [B, H, W, C] -> logits [B, K, K], float32.

    The features of a class are averaged over all pixels of the picture, as in the released code; with `divide_by_area`
    over those of the class.
    """

    classes: int
    divide_by_area: bool = False
    initial: str = "normal"

    @nn.compact
    def __call__(self, x, classes):
        masks = class_masks(classes, self.classes)
        area = masks.sum((1, 2))[..., None] if self.divide_by_area else x.shape[1] * x.shape[2]
        pooled = jnp.einsum("bhwk,bhwc->bkc", masks, x.astype(jnp.float32)) / jnp.maximum(area, 1)
        kernel_init, bias_init = initializers(self.initial, (1, 1, x.shape[-1], self.classes))
        return nn.Dense(self.classes, kernel_init=kernel_init, bias_init=bias_init, name="scores")(pooled)


def class_masks(classes: jax.Array, count: int) -> jax.Array:
    """1 where a pixel is of the class, int32 [B, H, W] -> float32 [B, H, W, K]; other numbers are of none."""
    return (classes[..., None] == jnp.arange(count)).astype(jnp.float32)


class FusionWeights(nn.Module):
    """Weights of the local and the global image that sum to 1, [B, h, w, 4 width] -> [B, H, W, 2], float32.

    With `norm` the text's instance norm and ReLU stand in front of the softmax, which the code does without.
    """

    width: int = 64
    norm: bool = False
    begun: bool = False
    dtype: Any = jnp.float32
    initial: str = "normal"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        make = dict(dtype=self.dtype, initial=self.initial)
        x = Enlargement(self.width, begun=self.begun, name="enlargement", **make)(x, mode)
        x = Conv(2, 1, name="head", **make)(x).astype(jnp.float32)
        return jax.nn.softmax(instance_norm(x, "head_norm", mode) if self.norm else x)


def fused(out):
    """The local and the global image, weighted or averaged."""
    if "weights" not in out:
        return (out["fake_local"] + out["fake_global"]) / 2
    local, whole = jnp.split(out["weights"], 2, axis=-1)
    return local * out["fake_local"] + whole * out["fake_global"]


def inside(classes: Sequence[int], fusion: str) -> tuple[str, ...]:
    """Names of the pictures of a generator's inside, those of SAU left out."""
    weights = ("weight_local", "weight_global") if fusion == "weights" else ()
    return ("local", "global", *weights, *(f"class_{k}" for k in classes))


def shown(out, names: Sequence[str]):
    """The pictures that `inside` names, [B, H, W, 3] or, of weights, [B, H, W, 1] from -1 for 0 to 1 for 1."""
    made = {"local": jnp.clip(out["fake_local"], -1, 1), "global": out["fake_global"]}
    if "weights" in out:
        made |= {"weight_local": 2 * out["weights"][..., :1] - 1, "weight_global": 2 * out["weights"][..., 1:] - 1}
    classes = [name for name in names if name.startswith("class_")]
    return made | {name: out["class_images"][:, :, :, i] for i, name in enumerate(classes)}
