"""The ways in which published code brings pictures to a network's size. Images are float [B, H, W, 3] in [-1, 1]."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image


def nearest(x, size: tuple[int, int]):
    """The nearest pixel above and to the left: output i is the input floor(i * old / new), as in PyTorch; any range."""
    for axis, new in zip((1, 2), size, strict=True):
        old = x.shape[axis]
        if new % old == 0:
            x = jnp.repeat(x, new // old, axis)
        elif old % new == 0:
            x = jax.lax.slice_in_dim(x, 0, old, old // new, axis)
        else:
            x = jnp.take(x, np.arange(new) * old // new, axis)
    return x


def bilinear(x, size: int | tuple[int, int]):
    """Bilinear with half-pixel centers and no antialias whatever the ratio (PyTorch's `interpolate`); any range."""
    height, width = (size, size) if isinstance(size, int) else size
    shape = (x.shape[0], height, width, x.shape[3])
    return jax.image.resize(x, shape, "bilinear", antialias=False)


def antialiased_bilinear(x, size: int):
    """Bilinear with half-pixel centers to [B, size, size, 3]; the filter widens where the picture shrinks."""
    return jax.image.resize(x, (x.shape[0], size, size, x.shape[3]), "bilinear", antialias=True)


def tensorflow1_bilinear(x, size: int):
    """TensorFlow 1's bilinear resize to [B, size, size, 3]: pixel i is read at i * (old / new), no antialias."""
    return _apply(x, *(_tensorflow1_weights(side, size) for side in x.shape[1:3]))


def matlab_bicubic(x, size: int):
    """MATLAB's default `imresize` to [B, size, size, 3]: bicubic with a = -1/2, antialiased.

    Pixels outside of the image are mirrored ones. MATLAB rounds 8-bit pictures after each axis; this does not round.
    """
    return _apply(x, *(_matlab_weights(side, size) for side in x.shape[1:3]))


def pillow_crop(images, *, shorter: int = 256, size: int = 224) -> np.ndarray:
    """Resizes the shorter side (Pillow's antialiased bilinear, to 8 bits) and cuts out the center [B, size, size, 3].

    The preparation of the scene classifier (metrics of the cross-view papers). Images are float [B, H, W, 3] in
    [-1, 1] of 8-bit values; runs on the host and returns float32 in [-1, 1].
    """
    levels = np.round((np.asarray(images, np.float32) + 1) * 127.5).clip(0, 255).astype(np.uint8)
    height, width = levels.shape[1:3]
    scaled = [int(shorter * side / min(height, width)) for side in (height, width)]
    top, left = (round((side - size) / 2) for side in scaled)
    box = (left, top, left + size, top + size)
    resized = [Image.fromarray(image).resize(scaled[::-1], Image.Resampling.BILINEAR).crop(box) for image in levels]
    return np.stack([np.asarray(image, np.float32) for image in resized]) / 127.5 - 1


def _apply(x, rows, columns):
    # Weights are exact only if the products are.
    return jnp.einsum("ph,qw,bhwc->bpqc", rows, columns, x.astype(jnp.float32), precision="highest")


@functools.lru_cache(64)
def _tensorflow1_weights(old: int, new: int) -> np.ndarray:
    place = np.arange(new, dtype=np.float32) * (np.float32(old) / np.float32(new))
    low = np.floor(place).astype(int)
    high, part = np.minimum(low + 1, old - 1), place - low
    weights = np.zeros((new, old), np.float32)
    np.add.at(weights, (np.arange(new), low), 1 - part)
    np.add.at(weights, (np.arange(new), high), part)
    return weights


@functools.lru_cache(64)
def _matlab_weights(old: int, new: int) -> np.ndarray:
    shrunk = min(1.0, new / old)
    center = (np.arange(new) + 0.5) * old / new - 0.5
    reach = int(np.ceil(2 / shrunk)) + 1
    index = np.floor(center).astype(int)[:, None] + np.arange(-reach, reach + 1)
    t = np.abs(shrunk * (center[:, None] - index))
    near, far = 1.5 * t**3 - 2.5 * t**2 + 1, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    value = np.where(t <= 1, near, np.where(t <= 2, far, 0))
    value /= value.sum(1, keepdims=True)
    mirrored = index % (2 * old)
    mirrored = np.where(mirrored < old, mirrored, 2 * old - 1 - mirrored)
    weights = np.zeros((new, old))
    np.add.at(weights, (np.arange(new)[:, None], mirrored), value)
    return weights.astype(np.float32)
