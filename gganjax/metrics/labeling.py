"""Label maps that a segmentation network sees in pictures, for the mIoU and pixel accuracies of `segmentation`.

Cityscapes by DRN-D-105 at one scale, ADE20K by UperNet101 as the mean of the softmax over five scales.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gganjax import features
from gganjax.errors import InputError, nearest
from gganjax.features import segmenters


class Segmenter(NamedTuple):
    """A segmentation network in use.

    Attributes:
        label: uint8 picture [H, W, 3] -> its label map, int64 [H, W].
        classes: number of classes.
        shift: what is subtracted from the numbers in label files; ADE20K's 0 means void.
        identity: what a result says of the network.
    """

    label: Callable[[np.ndarray], np.ndarray]
    classes: int
    shift: int
    identity: dict[str, Any]


def cityscapes(image: np.ndarray, logits: Callable) -> np.ndarray:
    """Labels one picture whose sides are multiples of 8 at its own size."""
    return np.asarray(logits(image[None].astype(np.float32) / 127.5 - 1, image.shape[:2]))[0].argmax(-1)


def ade20k(image: np.ndarray, logits: Callable) -> np.ndarray:
    """Labels one picture by the mean over five scales of the softmax at the picture's size."""
    scales = [jax.nn.softmax(logits(scaled, image.shape[:2])) for scaled in segmenters.ade20k_inputs(image)]
    return np.asarray(sum(scales))[0].argmax(-1)


SEGMENTERS = {"drn_d_105": (cityscapes, 0), "upernet101": (ade20k, 1)}


def open_segmenter(name: str, *, weights: str = "released", **options) -> Segmenter:
    """Loads "drn_d_105" (Cityscapes, 19 classes) or "upernet101" (ADE20K, 150 classes); `options` are the module's.

    Raises:
        InputError: the name is unknown, or the weights are missing.
    """
    if name not in SEGMENTERS:
        raise InputError(f"'{name}' is no segmenter{nearest(name, SEGMENTERS)}.")
    module, load = features.network(name, weights=weights, **options)
    params, (label, shift) = load(), SEGMENTERS[name]

    @functools.partial(jax.jit, static_argnames="size")
    def logits(images, size):
        size = {"size": size} if name == "upernet101" else {}
        return module.apply({"params": params}, jnp.asarray(images), **size)

    return Segmenter(functools.partial(label, logits=logits), module.classes, shift, features.identity(name, weights=weights))
