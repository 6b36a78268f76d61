"""Classification accuracy (CA): does a classifier of real images see the wanted class in a generated image?

AsymmetricGAN's measure after StarGAN: a ResNet-18 is trained on labeled real images, 90 % of them, and its accuracy on
the other 10 % stands beside that on the generated images. Neither paper tells more; optimizer, rate and epochs are
choices of this library. Images are [N, H, W, 3], uint8 or float in [-1, 1], at least 32 pixels a side; 128 and 256 are
usual.
"""

import functools
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from gganjax import core, schedules, step
from gganjax.core import Field, Player
from gganjax.errors import InputError
from gganjax.layers import TRAIN, Conv, Mode, Norm

log = logging.getLogger("gganjax")

HELD_OUT = 0.1  # share of the real images that the classifier is judged by (StarGAN)
SMALLEST = 32  # pixels a side


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut, [B, H, W, C] -> [B, H / stride, W / stride, features]."""

    features: int
    stride: int = 1

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        y = Conv(self.features, 3, stride=self.stride, padding=1, use_bias=False, name="conv_0")(x)
        y = nn.relu(Norm("batch", name="norm_0")(y, mode))
        y = Conv(self.features, 3, padding=1, use_bias=False, name="conv_1")(y)
        y = Norm("batch", name="norm_1")(y, mode)
        if self.stride > 1 or x.shape[-1] != self.features:
            x = Conv(self.features, 1, stride=self.stride, use_bias=False, name="shortcut")(x)
            x = Norm("batch", name="shortcut_norm")(x, mode)
        return nn.relu(x + y)


class ResNet18(nn.Module):
    """Class scores [B, classes] before the softmax of images [B, H, W, 3] in [-1, 1] (He et al. 2016, Table 1).

    `width` and `blocks`, the numbers of blocks at each size, are those of ResNet-18 unless a toy is wanted.
    """

    classes: int
    width: int = 64
    blocks: tuple[int, ...] = (2, 2, 2, 2)

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        y = Conv(self.width, 7, stride=2, padding=3, use_bias=False, name="stem")(x)
        y = nn.relu(Norm("batch", name="stem_norm")(y, mode))
        y = nn.max_pool(y, (3, 3), (2, 2), ((1, 1), (1, 1)))
        for stage, count in enumerate(self.blocks):
            for i in range(count):
                stride = 2 if stage > 0 and i == 0 else 1
                y = BasicBlock(self.width * 2**stage, stride, name=f"block_{stage}_{i}")(y, mode)
        return nn.Dense(self.classes, name="head")(y.mean((1, 2)))


class Classifier(NamedTuple):
    """A trained classifier and how well it knows real images.

    Attributes:
      net: the network.
      params, moving: its parameters and running statistics.
      real_accuracy: top-1 accuracy in % on the real images that were held out; report it beside every other.
      held_out: indices of those images.
    """

    net: ResNet18
    params: Any
    moving: Any
    real_accuracy: float
    held_out: np.ndarray


def train(images, labels, *, seed: int = 0, epochs: int = 20, batch_size: int = 16, learning_rate: float = 1e-3,
          width: int = 64, blocks: tuple[int, ...] = (2, 2, 2, 2)) -> Classifier:
    """Trains a ResNet-18 on 90 % of real images and judges it by the others.

    The cross entropy is minimized by Adam, whose rate falls linearly to 0 in the second half. Split, parameters and
    order follow from the seed; the last, incomplete batch of an epoch is left out. The same call gives the same
    classifier on the same machine.

    Args:
      images: real images [N, H, W, 3]; anything with a length whose `images[indices]` is such an array for an array of
        indices, for example a memory-mapped file.
      labels: [N] whole numbers from 0 to the number of classes - 1.
      seed: any integer that is not negative.
      epochs, batch_size, learning_rate: of the training.
      width, blocks: as in `ResNet18`.

    Raises:
      InputError: other images or labels, too few images for the split, or a class without an image to train on.
    """
    labels = _check_labels(labels, len(images))
    order = np.random.default_rng([seed, 0]).permutation(len(labels))
    kept_back = int(len(labels) * HELD_OUT)
    if kept_back < 1:
        raise InputError(f"a split of 90 to 10 % needs at least {round(1 / HELD_OUT)} images, got {len(labels)}.")
    held_out, used = np.sort(order[:kept_back]), order[kept_back:]
    classes = int(labels.max()) + 1
    missing = sorted(set(range(classes)) - set(labels[used].tolist()))
    if missing:
        raise InputError(
            f"a classifier of {classes} classes needs images of each to train on, there is none of {missing}.")
    batch_size = min(batch_size, len(used))
    per_epoch = len(used) // batch_size
    total = epochs * per_epoch
    method = _Method(ResNet18(classes, width, tuple(blocks)))
    falling = dict(name="linear_steps", flat_steps=total // 2)
    adam = dict(name="adam", learning_rate=learning_rate, b1=0.9, b2=0.999, schedule=falling)
    optimizers = schedules.optimizers({"classifier": adam}, steps_per_epoch=per_epoch, total_steps=total)
    state = core.init(method, optimizers, seed, _batch(images, labels, used[:batch_size]))
    move = jax.jit(
        functools.partial(
            step.train_step, method, optimizers, {"classifier": {"cross_entropy": 1.0}}, acting=("classifier",)),
        donate_argnums=0)
    for epoch in range(epochs):
        shuffled = np.random.default_rng([seed, 1 + epoch]).permutation(used)
        for start in range(0, per_epoch * batch_size, batch_size):
            state, terms = move(state, _batch(images, labels, shuffled[start : start + batch_size]))
        log.info("classifier: epoch %d of %d, cross entropy %.4f", epoch + 1, epochs, float(terms["classifier/total"]))
    params, moving = (tree["classifier"] for tree in (state.params, state.moving))
    found = Classifier(method.nets["classifier"], params, moving, np.nan, held_out)
    return found._replace(real_accuracy=_accuracy(found, images, labels, held_out, 1, batch_size))


def accuracy(classifier: Classifier, images, labels, *, k: int = 1, batch_size: int = 16) -> float:
    """Returns how often the wanted class is among the first k that the classifier sees, in %.

    The published tables have k = 1, and 5 for the seven classes of Bu3dfe. Of equal scores that of the lower class is
    first.

    Args:
      classifier: from `train`.
      images: generated images [N, H, W, 3], as in `train`.
      labels: [N], the class that each image was meant to have.
      k: at most the number of classes.
      batch_size: images at once; it does not change the result.

    Raises:
      InputError: other images or labels, or a class or a k that the classifier does not have.
    """
    labels = _check_labels(labels, len(images))
    classes = classifier.net.classes
    if labels.max() >= classes or not 1 <= k <= classes:
        raise InputError(
            f"the classifier has {classes} classes; asked for were class {labels.max()} among the first {k}.")
    return _accuracy(classifier, images, labels, np.arange(len(labels)), k, batch_size)


def right(classifier: Classifier, images, labels, *, batch_size: int = 16) -> np.ndarray:
    """Returns bool [N], whether the wanted class is the first that the classifier sees; see `accuracy`."""
    labels = _check_labels(labels, len(images))
    return _right(classifier, images, labels, np.arange(len(labels)), 1, batch_size)


def _accuracy(classifier, images, labels, indices, k, batch_size):
    return 100 * float(_right(classifier, images, labels, indices, k, batch_size).mean())


def _right(classifier, images, labels, indices, k, batch_size):
    parts = []
    for start in range(0, len(indices), batch_size):
        part = indices[start : start + batch_size]
        full = np.resize(part, batch_size)  # one shape, one compilation: a short batch repeats its images
        scores = np.asarray(_scores(classifier.net, classifier.params, classifier.moving, _batch(images, labels, full)))
        first = np.argsort(-scores[: len(part)], axis=1, kind="stable")[:, :k]
        parts.append((first == labels[part, None]).any(1))
    return np.concatenate(parts)


@functools.partial(jax.jit, static_argnums=0)
def _scores(net, params, moving, batch):
    mode = Mode(norm="running", dropout=False, keep=False)
    return net.apply({"params": params, "moving": moving}, core.prepare(batch)["image"], mode)


class _Method:
    """The classifier as a system of one player, so that the library's own step trains it."""

    name, inputs, stride = "classifier", ("image",), 1
    fields: Mapping[str, Field] = {"image": Field(("B", "H", "W", 3)), "label": Field(("B",), 0, np.inf)}

    def __init__(self, net: ResNet18):
        self.nets, self.frozen, self.pools = {"classifier": net}, {}, {}
        self.players = {"classifier": Player(("classifier",), self._loss, fresh=True)}

    def rollout(self, key, call, batch):
        return {"scores": call("classifier", batch["image"])}

    def _loss(self, key, call, batch, out):
        losses = optax.softmax_cross_entropy_with_integer_labels(out["scores"].astype(jnp.float32), batch["label"])
        return {"cross_entropy": losses.mean()}


def _batch(images, labels, indices) -> dict[str, np.ndarray]:
    image = np.asarray(images[indices])
    if image.ndim != 4 or image.shape[-1] != 3 or min(image.shape[1:3]) < SMALLEST:
        raise InputError(
            f"a classifier takes images [N, H, W, 3] of at least {SMALLEST}x{SMALLEST} pixels, got {image.shape}.")
    image = image if image.dtype == np.uint8 else image.astype(np.float32)
    if not np.isfinite(image).all():
        raise InputError("a classifier takes images of finite values, got some that are not.")
    return {"image": image, "label": labels[indices]}


def _check_labels(labels, count: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape != (count,) or not count or not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
        raise InputError(
            f"{count} images need as many labels, whole numbers from 0, got {labels.dtype} of shape {labels.shape}.")
    return labels.astype(np.int32)
