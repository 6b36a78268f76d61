"""Many pictures against their targets, a batch at a time: every metric asked for, in bounded memory.

A stream compares one or more columns of pictures, such as what a model returned and the source that it started from,
with the real ones. A network that several metrics need runs once on every picture. What is kept between batches is one
number for each picture and metric, running sums of covariances, and, for the metrics that need all of them, float32
features: 8 KiB a picture and network at most.
"""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from gganjax import core
from gganjax.errors import InputError, nearest
from gganjax.metrics import classification
from gganjax.metrics.catalog import METRICS, NETWORKS, Metric, needs_mask
from gganjax.metrics.masks import masked


class Stream:
    """Accumulates metrics over batches.

    Attributes:
        names: the metrics.
        count: pictures so far.
        masked: whether `update` must be given the masks of the targets.
    """

    def __init__(self, names: Sequence[str], *, size: tuple[int, int], columns: Sequence[str] = ("fake",),
                 weights: str = "released", classifier: classification.Classifier | None = None):
        """Opens the networks that the metrics need.

        Args:
            names: metrics of `catalog.METRICS`.
            size: (height, width) of the pictures.
            columns: names of what is compared with the real pictures.
            weights: "released", or "random" for untrained feature networks, which every record then says.
            classifier: of real pictures, for the metrics that ask one.

        Raises:
            InputError: a name is unknown, the pictures are too small for a metric, or weights or a classifier are
                missing.
        """
        self.names, self.size, self.columns = tuple(dict.fromkeys(names)), size, tuple(columns)
        self.count = 0
        self._metrics = {name: lookup(name) for name in self.names}
        for name in self.names:
            check(name, size, weights)
            if self._metrics[name].labeled and classifier is None:
                raise InputError(
                    f"{name} needs a classifier of real pictures, which evaluating a run of several domains trains.")
        self._classifier = classifier
        self._opened = {metric.network: NETWORKS[metric.network].open(weights)
                        for metric in self._metrics.values() if metric.network}
        self.masked = any(map(needs_mask, self.names))
        single = [name for name, metric in self._metrics.items() if metric.pair or metric.distance or metric.labeled]
        self._values = {column: {name: [] for name in single} for column in self.columns}
        self._groups: dict[str, list[str]] = {"fake": [], "real": []}
        places = dict.fromkeys(_place(metric) for metric in self._metrics.values() if metric.collect)
        self._rows = {column: {place: place[2]() for place in places} for column in (*self.columns, "real")}
        self._compare = jax.jit(self._pairs)

    def update(self, real: np.ndarray, *, valid: np.ndarray | None = None, mask: np.ndarray | None = None,
               new: np.ndarray | None = None, label: np.ndarray | None = None, groups: Sequence[str] | None = None,
               **columns: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
        """Compares one batch.

        Args:
            real: the target pictures, uint8 [B, H, W, 3].
            valid: bool [B], false where a row is padding; None counts every row.
            mask: pose masks of the targets [B, H, W], where a metric needs them.
            new: bool [B], false where a real picture has come before, so that a set of them holds each once; None where
                each is new.
            label: int [B], the class that each picture was meant to have, for the classifier.
            groups: names of B parts of the pictures, such as domains, for `grouped`.
            **columns: the pictures of every column, as `real`.

        Returns:
            column -> metric -> values [B], for the metrics that have a value for every picture.
        """
        valid = np.ones(len(real), bool) if valid is None else np.asarray(valid, bool)
        pictures = {"real": real, **columns}
        rows = {name: self._features(name, pictures, mask) for name in self._opened if not NETWORKS[name].distance}
        params = {name: opened.params for name, opened in self._opened.items() if NETWORKS[name].distance}
        values = jax.tree.map(np.asarray, self._compare(params, pictures, rows, mask))
        for name in (name for name, metric in self._metrics.items() if metric.labeled):
            for column in self.columns:
                right = classification.right(self._classifier, pictures[column], label, batch_size=len(real))
                values[column][name] = 100.0 * right
        self.count += int(valid.sum())
        fresh = valid if new is None else valid & np.asarray(new, bool)
        for column, places in self._rows.items():
            kept = fresh if column == "real" else valid
            for (network, head, _), collected in places.items():
                if kept.any():
                    collected.update(np.asarray(rows[network][column][head])[kept])
        for kind, kept in (("fake", valid), ("real", fresh)) if groups is not None else ():
            self._groups[kind] += [group for group, counts in zip(groups, kept, strict=True) if counts]
        for column, kept in self._values.items():
            for name, found in kept.items():
                found.append(values[column][name][valid])
        return values

    def _features(self, name: str, pictures: dict[str, np.ndarray], mask) -> dict[str, dict[str, jax.Array]]:
        """column -> head -> rows [B, ...] of one network, which sees all columns as one batch."""
        network = NETWORKS[name]
        images = core.prepare({column: np.asarray(picture) for column, picture in pictures.items()})
        if network.masked:
            images = {column: masked(image, mask) for column, image in images.items()}
        stacked = network.prepare(np.concatenate([np.asarray(image) for image in images.values()]))
        heads = self._opened[name].function(self._opened[name].params, stacked)
        count = len(stacked) // len(images)
        return {column: {head: rows[place * count:(place + 1) * count] for head, rows in heads.items()}
                for place, column in enumerate(images)}

    def _pairs(self, params, pictures, rows, mask):
        pictures = core.prepare(pictures)
        values = {column: {} for column in self.columns}
        for name, metric in self._metrics.items():
            for column in self.columns:
                if metric.distance:
                    function = self._opened[metric.network].function
                    values[column][name] = function(params[metric.network], pictures[column], pictures["real"])
                elif metric.pair and metric.network:
                    fake, real = (rows[metric.network][side][metric.head] for side in (column, "real"))
                    values[column][name] = metric.pair(fake, real)
                elif metric.pair:
                    values[column][name] = metric.pair(pictures[column], pictures["real"], *(mask,) * metric.masked)
        return values

    def results(self) -> dict[str, dict[str, dict[str, float]]]:
        """Returns column -> metric -> {"value": ..., and beside it "std", "standard_error", ... where there is one}.

        Raises:
            InputError: no pictures, or too few for a metric.
        """
        if not self.count:
            raise InputError("There are no pictures to compare.")
        return {column: {name: self._result(column, name) for name in self.names} for column in self.columns}

    def grouped(self) -> dict[str, dict[str, dict[str, float]]]:
        """Returns column -> group -> metric -> value, for the metrics that a part of the pictures has, too.

        NaN where a part has too few pictures.
        """
        fake, real = (np.array(self._groups[kind]) for kind in ("fake", "real"))
        names = [name for name, metric in self._metrics.items() if not metric.collect or metric.grouped]
        return {column: {group: {name: self._of_group(column, name, fake == group, real == group) for name in names}
                         for group in dict.fromkeys(self._groups["fake"])} for column in self.columns}

    def _of_group(self, column: str, name: str, fake: np.ndarray, real: np.ndarray) -> float:
        metric = self._metrics[name]
        if not metric.collect:
            return metric.finish(np.concatenate(self._values[column][name]).astype(np.float64)[fake])["value"]
        parts = []
        for side, chosen in ((column, fake), ("real", real)):
            parts.append(metric.collect())
            parts[-1].update(self._rows[side][_place(metric)].all()[chosen])
        try:
            return metric.finish(*parts)["value"]
        except InputError:  # too few pictures in this part
            return float("nan")

    def _result(self, column: str, name: str) -> dict[str, float]:
        metric = self._metrics[name]
        if metric.collect:
            place = _place(metric)
            return metric.finish(self._rows[column][place], self._rows["real"][place])
        return metric.finish(np.concatenate(self._values[column][name]).astype(np.float64))

    def record(self) -> dict[str, dict[str, Any]]:
        """Returns metric -> what a reader must know of its number: definition, network, weights, samples, size."""
        facts = {}
        for name, metric in self._metrics.items():
            facts[name] = {"title": metric.title, "unit": metric.unit, "larger_is_better": metric.larger,
                           "definition": metric.definition, "samples": self.count, "size": "{}x{}".format(*self.size)}
            if metric.network:
                resizing = NETWORKS[metric.network].resizing
                facts[name] |= {**self._opened[metric.network].identity, "resizing": resizing}
            else:
                facts[name]["resizing"] = "none"
        return facts


def lookup(name: str) -> Metric:
    """The metric of that name; an InputError names the nearest one."""
    if name not in METRICS:
        raise InputError(f"'{name}' is no metric{nearest(name, METRICS)}.")
    return METRICS[name]


def check(name: str, size: tuple[int, int], weights: str = "released") -> None:
    """Raises InputError where a metric is unknown, needs larger pictures than (height, width), or lacks weights."""
    metric = lookup(name)
    if min(size) < metric.smallest:
        raise InputError(
            f"{name} needs pictures of at least {metric.smallest}x{metric.smallest} pixels, these have {size[0]}x{size[1]}.")
    if metric.network:
        NETWORKS[metric.network].open(weights)


def _place(metric: Metric) -> tuple[str, str, type]:
    """Where a metric's features are collected; metrics with the same needs share one collection."""
    return metric.network, metric.head, metric.collect
