"""The classifier that classification accuracy asks: trained on a run's own training pictures and kept with its results.

It is `metrics.classification`'s ResNet-18 on all training pictures of every domain, 10 % of them held out. The files
classifier.npz and classifier.json lie beside metrics.json; a second evaluation of the same data trains nothing.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gganjax import data, logs
from gganjax.data.domains import together
from gganjax.data.settings import crop_of
from gganjax.data.source import Side
from gganjax.errors import InputError
from gganjax.features.weights import read_npz, write_npz
from gganjax.metrics import classification

log = logging.getLogger("gganjax")

KINDS = ("domains", "unpaired")  # kinds of data whose pictures have one domain each


class Pictures:
    """The pictures of a side as `classification.train` takes them: an array that is read when it is indexed."""

    def __init__(self, side: Side):
        self._side = side

    def __len__(self) -> int:
        return len(self._side.names)

    def __getitem__(self, indices) -> np.ndarray:
        return np.stack([self._side.load(int(index)).picture for index in indices])


def of_run(config: Mapping[str, Any], folder: Path, *, epochs: int) -> tuple[classification.Classifier, dict[str, Any]]:
    """The classifier of the domains of a run's data, read from the folder or trained and written there.

    Args:
        config: the configuration of the run; its `data` names the pictures.
        folder: of the results.
        epochs: of the training.

    Returns:
        The classifier, and what a record says of it: training pictures, epochs, accuracy on the held-out real ones.

    Raises:
        InputError: data whose pictures do not have one domain each, or too few of them.
    """
    if config["data"]["kind"] not in KINDS:
        raise InputError(
            f"a classifier needs pictures of one domain each: config.data.kind of {' or '.join(KINDS)},"
            f" found {config['data']['kind']}."
        )
    source = data.open_source(dict(config["data"], test_split="train", test_crop="resize"), "test")
    first, second = source.sides
    side = first if first is second else together(source.sides)
    names = hashlib.sha256("\n".join(side.names[i] for i in range(len(side.names))).encode()).hexdigest()
    facts = dict(folder=config["data"]["folder"], domains=source.describe()["domains"], names=names,
                 size=list(crop_of(config["data"])), epochs=epochs)
    found = _read(folder, facts)
    if found is None:
        log.info("training a classifier of %d pictures for classification_accuracy", len(side.names))
        labels = np.array([side.load(index).domain.argmax() for index in range(len(side.names))])
        found = classification.train(Pictures(side), labels, epochs=epochs)
        _write(folder, facts, found)
    record = dict(epochs=epochs, real_accuracy=found.real_accuracy, held_out=len(found.held_out),
                  training_pictures=len(side.names) - len(found.held_out))
    return found, record


def _read(folder: Path, facts: Mapping[str, Any]) -> classification.Classifier | None:
    """The classifier that lies in the folder, if it is of these pictures."""
    try:
        record = json.loads((folder / "classifier.json").read_text(encoding="utf-8"))
        if record["facts"] != facts:
            return None
        tree = read_npz(folder / "classifier.npz")
        shape = record["net"]
        net = classification.ResNet18(shape["classes"], shape["width"], tuple(shape["blocks"]))
        return classification.Classifier(
            net, tree["params"], tree["moving"], record["real_accuracy"], np.array(record["held_out"]))
    except (OSError, ValueError, KeyError):  # not there, or not whole: it is trained again
        return None


def _write(folder: Path, facts: Mapping[str, Any], found: classification.Classifier) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    net = dict(classes=found.net.classes, width=found.net.width, blocks=list(found.net.blocks))
    write_npz(folder / "classifier.npz", {"params": found.params, "moving": found.moving})
    logs.write_json(folder / "classifier.json", dict(
        facts=dict(facts), net=net, real_accuracy=found.real_accuracy, held_out=found.held_out.tolist()))
