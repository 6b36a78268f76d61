"""Folders of pairs as tensorflow-datasets sets: prepared once, then read from a few large files.

`tools/prepare_set.py FOLDER OUT` writes OUT/guided_pairs/pictures/1.0.0 (each picture once, its file's own bytes,
with its key points) and OUT/guided_pairs/pairs/1.0.0 (row numbers of source and target), in the array_record format,
which is written and read without TensorFlow. The set then gives exactly the samples of the folder:
`config.data.kind="tfds"`, `config.data.folder=OUT`. Sets of label maps are in `prepared_labels`.
"""

from functools import partial
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from gganjax.data import folders, images, labels, prepared_labels, records
from gganjax.data.settings import Settings
from gganjax.data.source import Memory, Names, Panel, Source
from gganjax.errors import InputError


class GuidedPairs(tfds.core.GeneratorBasedBuilder):
    """Builder of the two parts of a set, from checked folder listings {split: folders.Listing}."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = (
        tfds.core.BuilderConfig(name="pictures", description="Every picture once, with its key points or skeleton picture."),
        tfds.core.BuilderConfig(name="pairs", description="Row numbers of source and target among the pictures of the split."),
    )

    def __init__(self, *, listings: dict[str, folders.Listing] | None = None, **options):
        self._listings = listings
        super().__init__(**options)

    def _info(self) -> tfds.core.DatasetInfo:
        if self.builder_config.name == "pairs":
            features = {"source": np.int64, "target": np.int64, "name": tfds.features.Text(), "source_name": tfds.features.Text()}
        else:
            # Key points as raw bytes of float64: a float32 feature would move them by a hair and with them the drawn lines.
            features = {
                "name": tfds.features.Text(),
                "image": tfds.features.Image(),
                "joints": tfds.features.Text(),
                "parts": tfds.features.Text(),
            }
            if any(listing.figures is None for listing in self._listings.values()):
                features["guidance"] = tfds.features.Image()
        facts = {split: listing.facts for split, listing in self._listings.items()}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features), metadata=tfds.core.MetadataDict(facts), disable_shuffling=True
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(listing) for split, listing in self._listings.items()}

    def _generate_examples(self, listing: folders.Listing):
        names = _names(listing)
        if self.builder_config.name == "pairs":
            rows = {name: row for row, name in enumerate(names)}
            for number, (source, target) in enumerate(listing.pairs):
                name = folders.pair_name(source, target)
                yield number, {"source": rows[source], "target": rows[target], "name": name, "source_name": source}
            return
        for number, name in enumerate(names):
            figure = () if listing.figures is None else listing.figures[name]
            example = {
                "name": name,
                "image": (listing.root / listing.split / name).read_bytes(),
                "joints": " ".join(float(value).hex() for joints in figure for value in joints.flat),
                "parts": " ".join(str(len(joints)) for joints in figure),
            }
            if listing.figures is None:
                example["guidance"] = (listing.root / listing.skeletons[name]).read_bytes()
            yield number, example


def convert(settings: Settings, out) -> dict[str, dict]:
    """Prepares the splits of a folder that exist; returns what was found in each.

    Args:
      settings: data settings of kind "folder" or "labels".
      out: the folder to write into.

    Raises:
      InputError: as `open_source` for the folder, or a set is there already.
    """
    out = Path(out)
    for name in records.FOLDERS:
        if (out / name).exists():
            raise InputError(f"{out} already holds a prepared set; give another folder or remove {out / name}.")
    if settings.kind == "labels":
        return prepared_labels.convert(settings, out)
    splits = [split for split in ("train", settings.test_split) if (Path(settings.folder) / split).is_dir()]
    records.check_splits(settings, splits)
    listings = {split: folders.list_folder(settings, split) for split in splits}
    records.write(GuidedPairs, listings, out)
    return {split: listing.facts for split, listing in listings.items()}


def open_prepared(settings: Settings, split: str, *, size: tuple[int, int]) -> Source:
    """Opens a split of a prepared set with panels of that (height, width)."""
    if labels.holds_labels(settings):
        return prepared_labels.open_prepared(settings, split, size=size)
    root, (pictures, pairs), metadata = records.parts(settings, split, GuidedPairs)
    guided = "guidance" in pictures.dataset_info.features
    chosen = records.chosen_rows(settings, len(pairs), lambda row: pairs[row]["source_name"].decode())
    memory = Memory(settings.memory)

    def panel(row: int) -> Panel:
        record = records.read(pictures, row, root)
        name = f"{record['name'].decode()} in {root}"
        whole = images.decode(images.Packed(record["image"], name))
        fit = partial(images.fit, size=size, center_crop=settings.center, by=settings.resize)
        picture = fit(whole)
        if guided:
            skeleton = images.decode(images.Packed(record["guidance"], name), background=0)
            return Panel(picture, guidance=fit(skeleton))
        joints = np.array([float.fromhex(value) for value in record["joints"].decode().split()]).reshape(-1, 3)
        ends = np.cumsum([int(part) for part in record["parts"].decode().split()])
        figure = np.split(joints, ends[:-1])
        return Panel(picture, figure=folders.fit_figure(figure, whole.shape, size, settings.center))

    def load(index: int) -> tuple[Panel, Panel]:
        pair = pairs[chosen[index]]
        source, target = (memory.get(int(pair[side]), lambda side=side: panel(int(pair[side]))) for side in ("source", "target"))
        return source, target

    names = Names(len(chosen), lambda index: pairs[chosen[index]]["name"].decode())
    facts = dict(metadata, kind="tfds", folder=settings.folder, pairs=len(chosen))
    return Source(names, load, facts, size=size, mirrored=False)


def _names(listing: folders.Listing) -> list[str]:
    return sorted({name for pair in listing.pairs for name in pair})
