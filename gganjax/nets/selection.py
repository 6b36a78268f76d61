"""SelectionGAN's second stage: pooling, channel selection, and the attention that selects among images (thesis ch. 5).

Features are [B, H, W, C], pictures [B, H, W, 3] in [-1, 1]. Nothing here is normalized. Where the text and the released
networks differ, the networks' arrangement is the only one, so that released weights fit: the pooled maps stand in front
of the features that they come from, and the features of stage I are brought to full size together.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gganjax.layers import TRAIN, Conv, Dropout, Mode, concatenate, initializers, leaky_relu
from gganjax.nets.spade import SpadeTrunk

SCALES = (1, 4, 9)  # kernels of the pooling
REDUCTION = 16  # of squeeze and excitation; the thesis does not tell it
POOLINGS = ("multiscale", "squeeze", "none")
CHANNEL_SELECTIONS = ("none", "inverted", "plain")
UNCERTAINTY_INPUTS = ("attention", "logits")


def corner_weights(old: int, new: int) -> np.ndarray:
    """Matrix [new, old] of the linear interpolation that leaves both ends where they are (align_corners)."""
    place = np.arange(new) * ((old - 1) / max(new - 1, 1))
    low = np.minimum(np.floor(place).astype(int), max(old - 2, 0))
    weights = np.zeros((new, old), np.float32)
    weights[np.arange(new), low] = 1 - (place - low)
    weights[np.arange(new), np.minimum(low + 1, old - 1)] += place - low
    return weights


def spread(x, height: int, width: int):
    """Resizes x [B, h, w, C] to [B, height, width, C], bilinear with the corners in place."""
    rows, columns = corner_weights(x.shape[1], height), corner_weights(x.shape[2], width)
    return jnp.einsum("ph,qw,bhwc->bpqc", rows.astype(x.dtype), columns.astype(x.dtype), x, precision="highest")


def average_pool(x, size: int):
    """Means of squares of size x size, [B, H, W, C] -> [B, H // size, W // size, C]; what is left at the end is dropped.

    A square that is larger than the picture is cut to it.
    """
    batch, height, width, channels = x.shape
    down, across = min(size, height), min(size, width)
    x = x[:, : height // down * down, : width // across * across]
    return x.reshape(batch, height // down, down, width // across, across, channels).mean((2, 4))


def pool_scales(x, scales=SCALES):
    """Multi-scale spatial pooling, [B, H, W, C] -> [B, H, W, (number of scales + 1) C] (Eq. of f_c, thesis 5.3).

    Each scale is pooled, brought back to full size and multiplied with x; x itself is the last part. Scale 1 gives
    x * x.
    """
    pooled = [x * spread(average_pool(x, scale), *x.shape[1:3]) if scale > 1 else x * x for scale in scales]
    return concatenate(*pooled, x)


class ChannelSelection(nn.Module):
    """Multi-scale channel selection of SelectionGAN++, x [B, H, W, M] -> [B, H, W, M]: x + gamma A x.

    A [M, M] is the softmax of the channels' inner products E over all positions, unscaled. `inverted` takes the softmax
    of max(E) - E, as the released code does: a channel attends to those unlike itself. The text has softmax(E). gamma
    starts at 0.
    """

    inverted: bool = True

    @nn.compact
    def __call__(self, x):
        batch, height, width, channels = x.shape
        flat = x.reshape(batch, height * width, channels)
        energy = jnp.einsum("bpm,bpn->bmn", flat, flat, preferred_element_type=jnp.float32)
        attention = jax.nn.softmax(-energy if self.inverted else energy).astype(x.dtype)
        gamma = self.param("gamma", nn.initializers.zeros, (1,)).astype(x.dtype)
        return x + gamma * jnp.einsum("bmn,bpn->bpm", attention, flat).reshape(x.shape)


class SqueezeExcitation(nn.Module):
    """Scales each channel of x [B, H, W, C] by a number in (0, 1) that the means of all channels give (SENet)."""

    reduction: int = REDUCTION
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        y = x.mean((1, 2), keepdims=True)
        y = nn.relu(Conv(max(x.shape[-1] // self.reduction, 1), 1, dtype=self.dtype, name="squeeze")(y))
        return x * jax.nn.sigmoid(Conv(x.shape[-1], 1, dtype=self.dtype, name="excite")(y))


class SelectionHead(nn.Module):
    """Multi-channel attention selection, x [B, H, W, C] -> the picture [B, H, W, 3], and what it is made of.

    N `images` come of a 3x3 convolution and tanh, their maps of a 1x1 convolution, in the order of the images' channels
    3i, 3i + 1, 3i + 2; the picture is the sum of the images times the softmax of the maps.

    Returns:
      The picture and {"images": [B, H, W, N, 3], "attention": [B, H, W, N], "logits": the maps before the softmax},
      all float32.
    """

    images: int = 10
    dtype: Any = jnp.float32
    initial: str = "normal"

    @nn.compact
    def __call__(self, x):
        conv = dict(dtype=self.dtype, initial=self.initial)
        made = Conv(3 * self.images, 3, padding=1, name="image", **conv)(x)
        logits = Conv(self.images, 1, name="attention", **conv)(x).astype(jnp.float32)
        images = jnp.tanh(made.astype(jnp.float32)).reshape(*x.shape[:3], self.images, 3)
        attention = jax.nn.softmax(logits)
        picture = (attention[..., None] * images).sum(-2)
        return picture, {"images": images, "attention": attention, "logits": logits}


def look_names(images: int) -> tuple[str, ...]:
    """Names of what `looks` shows: the pictures, then their maps."""
    return tuple(f"{kind}_{k}" for kind in ("image", "map") for k in range(1, images + 1))


def looks(parts) -> dict[str, jax.Array]:
    """The parts of `SelectionHead` as pictures by name: [B, H, W, 3], and the maps [B, H, W, 1], white where they are 1."""
    count = parts["attention"].shape[-1]
    shown = [parts["images"][..., k, :] for k in range(count)]
    shown += [shade(parts["attention"], k) for k in range(count)]
    return dict(zip(look_names(count), shown, strict=True))


def shade(maps, k: int):
    """Map k of maps [B, H, W, N] from 0 to 1 as a picture [B, H, W, 1] from -1 to 1."""
    return 2 * maps[..., k : k + 1] - 1


class Selection(nn.Module):
    """Features F_c [B, H, W, C] -> the picture I''_g [B, H, W, 3], and the parts of `SelectionHead` with uncertainty.

    Pooling, channel selection, a 3x3 convolution back to C channels, and the head; K `uncertainty` maps in (0, 1),
    [B, H, W, K] among the parts, are the sigmoid of a 1x1 convolution of the attention maps, or of their logits (a
    softmax over one image is 1 everywhere and tells nothing). `pooling` "squeeze" has squeeze and excitation in the
    place of the pooling (the SENet row), "none" neither. `unused_layer` has the layer conv330 that the released
    networks carry and never call, 9 * 3C * C + C parameters, which the published count includes.
    """

    images: int = 10
    uncertainty: int = 4
    uncertainty_input: str = "attention"
    pooling: str = "multiscale"
    channel_selection: str = "none"
    unused_layer: bool = False
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        channels = x.shape[-1]
        if self.unused_layer:
            kernel, bias = initializers("normal", shape := (3, 3, 3 * channels, channels))
            self.param("unused_kernel", kernel, shape)
            self.param("unused_bias", bias, (channels,))
        if self.pooling == "multiscale":
            x = pool_scales(x)
        elif self.pooling == "squeeze":
            x = SqueezeExcitation(dtype=self.dtype, name="squeeze")(x)
        if self.channel_selection != "none":
            x = ChannelSelection(self.channel_selection == "inverted", name="channel_selection")(x)
        x = Conv(channels, 3, padding=1, dtype=self.dtype, name="merge")(x)
        picture, parts = SelectionHead(self.images, self.dtype, name="head")(x)
        if self.uncertainty:
            maps = Conv(self.uncertainty, 1, name="uncertainty")(parts[self.uncertainty_input])
            parts["uncertainty"] = jax.nn.sigmoid(maps)
        return picture, parts


class Doubling(nn.Module):
    """Transposed convolution of kernel and stride 2, [B, H, W, C] -> [B, 2H, 2W, features]: every pixel becomes four.

    The kernel [2, 2, C, features] says what stands where in each four.
    """

    features: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        shape = 2, 2, x.shape[-1], self.features
        kernel_init, bias_init = initializers("normal", shape, transposed=True)
        kernel = self.param("kernel", kernel_init, shape).astype(self.dtype)
        y = jnp.einsum("bhwc,ijco->bhiwjo", x.astype(self.dtype), kernel)
        y = y.reshape(x.shape[0], 2 * x.shape[1], 2 * x.shape[2], self.features)
        return y + self.param("bias", bias_init, (self.features,)).astype(self.dtype)


class SelectionGenerator(nn.Module):
    """G_a: features F_i, F_s [B, H/2, W/2, c] of both U-Nets, I_a and I'_g [B, H, W, 3] -> as `Selection`.

    F_i and F_s are brought to full size together, with dropout and ReLU, and stand in front of the pictures. 850,051
    parameters with one uncertainty map, the unused layer and 136 channels of features, 326,810 of them in that layer.
    """

    selection: Selection
    width: int = 104
    dropout: float = 0.5
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, image_features, guidance_features, source, coarse, mode: Mode = TRAIN):
        y = Doubling(self.width, self.dtype, name="up")(concatenate(image_features, guidance_features))
        y = nn.relu(Dropout(self.dropout)(y, mode))
        features = concatenate(y, source.astype(self.dtype), coarse.astype(self.dtype))
        return self.selection(features, mode)


class SpadeSelectionGenerator(nn.Module):
    """GauGAN's generator with the selection in the place of its last convolution (Table 5.13).

    Called with the semantics [B, H, W, S] it returns {"fake_target": [B, H, W, 3]}, with `details` also what `looks`
    names. 93,064,232 parameters on Cityscapes, 16,229 more than GauGAN.
    """

    trunk: SpadeTrunk
    images: int = 10

    @property
    def stride(self) -> int:
        """What height and width are multiples of."""
        return self.trunk.stride

    @property
    def looks(self) -> tuple[str, ...]:
        """Names of the pictures that `details` adds."""
        return look_names(self.images)

    @nn.compact
    def __call__(self, semantics, mode: Mode = TRAIN, z=None, details: bool = False):
        features = leaky_relu(self.trunk(semantics, mode, z))
        picture, parts = SelectionHead(self.images, self.trunk.dtype, self.trunk.initial, name="head")(features)
        return {"fake_target": picture} | (looks(parts) if details else {})
