"""Every metric of pictures by name: what it is, which network it needs, and how its number comes about.

A plain name is the standard definition; a name with a suffix is the variant of the code or table that it names. What a
metric is, is said where its function is defined; the table here only ties names, functions and networks together.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from gganjax import features
from gganjax.features import resizing
from gganjax.metrics import classification, curves, distributions, images, masks, probabilities, structure


class Opened(NamedTuple):
    """A network with parameters: `function(params, images)`, and `identity`, what a result says of it."""

    function: Callable
    params: Any
    identity: dict[str, Any]


class Network(NamedTuple):
    """A feature network as metrics use it.

    Attributes:
        source: its name in `gganjax.features`.
        heads: outputs of the module that metrics read.
        options: of the module.
        resizing: how pictures come to the network's size, in words.
        prepare: the same as a function of float images [B, H, W, 3] in [-1, 1] on the host.
        masked: whether it sees the pictures under the pose masks of their targets.
        distance: whether the module compares two pictures, in place of giving features of one.
    """

    source: str
    heads: tuple[str, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    resizing: str = "none"
    prepare: Callable = lambda images: images
    masked: bool = False
    distance: bool = False

    def open(self, weights: str = "released") -> Opened:
        """Loads the parameters; an InputError says which file is missing and how to get it."""
        return _open(self, weights)


class Metric(NamedTuple):
    """One number over many pictures.

    Attributes:
        title: its name in tables.
        definition: which variant, in a line.
        larger: whether larger values are better; None where neither is.
        unit: "dB", "%" or "".
        smallest: pixels a side that it needs.
        network, head: of NETWORKS, and which of its outputs.
        pair: (fake, real) -> [B], of images or of rows of the head; with `masked`, (fake, real, mask).
        masked: whether `pair` takes the pose masks.
        distance: whether the network itself is the pair function.
        labeled: whether a classifier says of every picture if it shows its domain; see `classification`.
        collect: what gathers the rows of the head, where the metric needs all of them.
        matched: whether the collected rows are compared one by one.
        grouped: whether the collected rows of a part of the pictures, such as those of one domain, have a number, too.
        finish: (values [N]) or (collected fake, collected real) -> {"value": ..., ...}.
    """

    title: str
    definition: str
    larger: bool | None = None
    unit: str = ""
    smallest: int = 1
    network: str = ""
    head: str = ""
    pair: Callable | None = None
    masked: bool = False
    distance: bool = False
    labeled: bool = False
    collect: type | None = None
    matched: bool = False
    grouped: bool = False
    finish: Callable = lambda values: {"value": float(np.mean(values)), "std": float(np.std(values))}


class Rows:
    """Collects rows [B, D] as they are."""

    def __init__(self):
        self._parts = []

    def update(self, rows: np.ndarray) -> None:
        """Adds rows."""
        self._parts.append(np.asarray(rows, np.float32))

    def all(self) -> np.ndarray:
        """Returns all rows, float32 [N, D]."""
        return np.concatenate(self._parts)


@functools.cache
def _open(network: Network, weights: str) -> Opened:
    module, load = features.network(network.source, weights=weights, **dict(network.options))

    def function(params, *images):
        out = module.apply({"params": params}, *images)
        return out if network.distance else {head: getattr(out, head) for head in network.heads}

    return Opened(jax.jit(function), load(), features.identity(network.source, weights=weights))


def _fid(fake: distributions.Moments, real: distributions.Moments) -> dict[str, float]:
    return {"value": distributions.fid(fake, real), "singular": fake.singular or real.singular}


def _kid(fake: Rows, real: Rows) -> dict[str, float]:
    value, error = distributions.kid(fake.all(), real.all())
    return {"value": value, "standard_error": error}


def _score(function: Callable, **options) -> Callable:
    """A score of the generated pictures alone, a number or a mean with its deviation."""

    def finish(fake: Rows, real: Rows) -> dict[str, float]:
        found = function(fake.all(), **options)
        return {"value": found} if isinstance(found, float) else {"value": found.mean, "std": found.std}

    return finish


def _kl(fake: Rows, real: Rows) -> dict[str, float]:
    found = probabilities.kl_score(fake.all(), real.all())
    return {"value": found.mean, "std": found.std}


def _accuracy(k: int) -> Callable:
    def finish(fake: Rows, real: Rows) -> dict[str, float]:
        found = probabilities.top_k_accuracy(fake.all(), real.all(), k=k)
        return {"value": found.all, "confident": found.confident, "confident_samples": found.confident_count}

    return finish


def _inception(form: str, masked: bool = False) -> Network:
    ways = {"pytorch_fid": "299x299, bilinear, half-pixel centers, not antialiased; 2x - 1",
            "ttur": "299x299, bilinear of TensorFlow 1; (x - 128) / 128"}
    return Network("inception", ("pool", "probabilities"), (("form", form),), ways[form], masked=masked)


NETWORKS = {
    "inception": _inception("pytorch_fid"),
    "inception_ttur": _inception("ttur"),
    "inception_ttur_masked": _inception("ttur", masked=True),
    "alexnet_places": Network(
        "alexnet_places365", ("probabilities",), resizing="shorter side 256 (Pillow bilinear), center 224x224",
        prepare=resizing.pillow_crop),
    "resnet50": Network(
        "resnet50", ("logits",), resizing="224x224, bicubic, antialiased",
        prepare=lambda x: np.asarray(resizing.matlab_bicubic(x, 224))),
    "efficientnet": Network(
        "efficientnet_lite0", ("features",), resizing="224x224, bilinear, antialiased",
        prepare=lambda x: np.asarray(resizing.antialiased_bilinear(x, 224))),
    **{f"lpips_{net}": Network(f"lpips_{net}", distance=True) for net in ("alexnet", "vgg16", "squeezenet")},
}

_PSNR = dict(larger=True, unit="dB")
_LPIPS = dict(larger=False, distance=True)
_KID = dict(larger=False, collect=Rows, finish=_kid, grouped=True)
_POOL = dict(larger=False, head="pool", collect=distributions.Moments, finish=_fid)
_PLACES = dict(network="alexnet_places", head="probabilities", collect=Rows)
_LOGITS = dict(larger=False, network="resnet50", head="logits", pair=curves.frd)

METRICS = {
    "psnr": Metric("PSNR", "10 log10(255^2 / MSE)", pair=images.psnr, **_PSNR),
    "psnr_lua": Metric("PSNR, published GestureGAN scale", "128^2 MSE against 255^2: 5.987 dB above PSNR",
                       pair=images.psnr_lua, **_PSNR),
    "ssim": Metric("SSIM", "11x11 Gaussian, range 255, per channel", True, smallest=11, pair=structure.ssim),
    "ssim_person": Metric("SSIM, person tools", "range of the generated picture", True, smallest=11, pair=structure.ssim_person),
    "ssim_pg2": Metric("SSIM, PG2", "7x7 uniform, sample covariance", True, smallest=7, pair=structure.ssim_pg2),
    "ssim_lua": Metric("SSIM, Lua", "luma, full convolution on zero padding", True, pair=structure.ssim_lua),
    "ssim_torch": Metric("SSIM, AsymmetricGAN loss", "zero padding, L = 1 on [-1, 1]", True, pair=structure.ssim_torch),
    "ms_ssim": Metric("MS-SSIM", "five scales, valid windows", True, smallest=161, pair=structure.ms_ssim),
    "sharpness_difference": Metric("Sharpness difference", "Lua, absolute differences of gradients", smallest=3,
                                   pair=images.sharpness_difference, **_PSNR),
    "l1": Metric("L1", "mean absolute difference in [-1, 1]", False, pair=images.l1),
    "l1_pg2": Metric("L1, PG2", "mean absolute difference in 8-bit levels", False, pair=images.l1_pg2),
    "l2_pg2": Metric("L2, PG2", "root of the sum of squares over their number", False, pair=images.l2_pg2),
    "mask_ssim_person": Metric("mask-SSIM, person tools", "under the target's pose mask", True, smallest=11,
                               pair=masks.mask_ssim_person, masked=True),
    "mask_ssim_pg2": Metric("mask-SSIM, PG2", "under the target's pose mask", True, smallest=7,
                            pair=masks.mask_ssim_pg2, masked=True),
    "mask_psnr_pg2": Metric("mask-PSNR, PG2", "under the target's pose mask, all pixels counted",
                            pair=masks.mask_psnr_pg2, masked=True, **_PSNR),
    "lpips": Metric("LPIPS (AlexNet)", "v0.1, AlexNet", smallest=31, network="lpips_alexnet", **_LPIPS),
    "lpips_vgg16": Metric("LPIPS (VGG16)", "v0.1, VGG16", smallest=16, network="lpips_vgg16", **_LPIPS),
    "lpips_squeezenet": Metric("LPIPS (SqueezeNet)", "v0.1, SqueezeNet 1.1", smallest=31, network="lpips_squeezenet",
                               **_LPIPS),
    "fid": Metric("FID", "pool features of Inception 2015, input as in pytorch-fid", network="inception", **_POOL),
    "fid_ttur": Metric("FID, TTUR input", "pool features of Inception 2015, input as in the frozen graph",
                       network="inception_ttur", **_POOL),
    "fid_efficientnet": Metric("FID (EfficientNet-Lite0)", "not comparable with Inception's", network="efficientnet",
                               **_POOL | dict(head="features")),
    "classification_accuracy": Metric(
        "Classification accuracy", "top 1 of a ResNet-18 trained on 90 % of the training pictures", True, "%",
        smallest=classification.SMALLEST, labeled=True),
    "kid": Metric("KID", "cubic kernel, unbiased, all samples", network="inception", head="pool", **_KID),
    "kid_efficientnet": Metric(
        "KID (EfficientNet-Lite0)", "cubic kernel, unbiased, all samples; comparable within this library only",
        network="efficientnet", head="features", **_KID),
    "inception_score": Metric("Inception Score", "10 consecutive splits, 1008 classes without bias", True,
                              network="inception_ttur", head="probabilities", collect=Rows,
                              finish=_score(probabilities.inception_score)),
    "mask_inception_score": Metric("mask-IS", "Inception Score under the target's pose mask", True,
                                   network="inception_ttur_masked", head="probabilities", collect=Rows,
                                   finish=_score(probabilities.inception_score)),
    "inception_score_scene": Metric("Inception Score of scenes, all classes", "one split", True,
                                    finish=_score(probabilities.inception_score_scene), **_PLACES),
    "inception_score_top1": Metric("Inception Score of scenes, top 1", "one split, the rest 1e-9", True,
                                   finish=_score(probabilities.inception_score_scene, top=1), **_PLACES),
    "inception_score_top5": Metric("Inception Score of scenes, top 5", "one split, the rest 1e-9", True,
                                   finish=_score(probabilities.inception_score_scene, top=5), **_PLACES),
    "kl_score": Metric("KL score", "exp of the mean, deviation not exponentiated", False, finish=_kl, matched=True,
                       **_PLACES),
    "top1_accuracy": Metric("Top-1 accuracy", "class of the real picture; confident: its probability above 0.5", True, "%",
                            finish=_accuracy(1), matched=True, **_PLACES),
    "top5_accuracy": Metric("Top-5 accuracy", "class of the real picture; confident: its probability above 0.5", True, "%",
                            finish=_accuracy(5), matched=True, **_PLACES),
    "frd": Metric("FRD", "Frechet distance of the 1000 logits as a curve", **_LOGITS),
    "frd_matlab": Metric("FRD, published mean", "sum over pairs divided by their number + 2",
                         finish=lambda values: {"value": curves.frd_matlab(values)}, **_LOGITS),
}


def needs_pairs(name: str) -> bool:
    """Whether a metric compares every picture with a counterpart of its own, rather than sets of pictures."""
    metric = METRICS[name]
    return bool(metric.pair) or metric.distance or metric.matched


def needs_mask(name: str) -> bool:
    """Whether a metric is of the person alone and must be given the pose masks of the targets."""
    metric = METRICS[name]
    return metric.masked or bool(metric.network) and NETWORKS[metric.network].masked
