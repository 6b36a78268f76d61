"""Sets of label maps as tensorflow-datasets sets, see `prepared`.

`tools/prepare_set.py FOLDER OUT --kind=labels` writes OUT/label_pairs/files/1.0.0 (of each pair the label map, the
photo, and where every pair has them the instance map and the edge picture, each its file's own bytes),
OUT/label_pairs/pairs/1.0.0 (names), and the set's own palette as OUT/palette.csv. Layout, number of classes and whether
there are unknown pixels belong to the set: the settings that read it must say the same.
"""

import dataclasses
from pathlib import Path

import tensorflow_datasets as tfds

from gganjax.data import images, labels, layouts, records
from gganjax.data.settings import Settings
from gganjax.data.source import Names, Source
from gganjax.errors import InputError


class LabelPairs(tfds.core.GeneratorBasedBuilder):
    """Builder of the two parts of a set, from {split: (root, labels.Listing, files of each pair)}."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = (
        tfds.core.BuilderConfig(name="files", description="The files of every pair, with their names."),
        tfds.core.BuilderConfig(name="pairs", description="The names of the pairs and of their label maps."),
    )

    def __init__(self, *, listings: dict[str, tuple] | None = None, **options):
        self._listings = listings
        super().__init__(**options)

    def _info(self) -> tfds.core.DatasetInfo:
        text = tfds.features.Text()
        features = {"name": text, "source_name": text}
        if self.builder_config.name == "files":
            features = {part: tfds.features.Image() for part in _parts(self._listings)}
            features |= {f"{part}_name": text for part in _parts(self._listings)}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features), disable_shuffling=True,
            metadata=tfds.core.MetadataDict({split: _metadata(one) for split, (_, one, _) in self._listings.items()}),
        )  # fmt: skip

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(*listing) for split, listing in self._listings.items()}

    def _generate_examples(self, root: Path, listing: labels.Listing, files: dict[str, layouts.Files]):
        parts = _parts(self._listings)
        for number, name in enumerate(listing.names):
            found = files[name]._asdict()
            if self.builder_config.name == "pairs":
                yield number, {"name": name, "source_name": Path(found["labels"]).name}
                continue
            names = {f"{part}_name": found[part] for part in parts}
            yield number, names | {part: (root / found[part]).read_bytes() for part in parts}


def convert(settings: Settings, out: Path) -> dict[str, dict]:
    """Prepares the splits that exist; returns what was found in each. See `prepared.convert`."""
    settings = dataclasses.replace(settings, edges="pictures")  # Canny's are found when they are asked for
    splits = [split for split in ("train", settings.test_split) if layouts.holds(settings, split)]
    records.check_splits(settings, splits)
    root = Path(settings.folder)
    listings = {split: (root, *labels.list_labels(settings, split)) for split in splits}
    for part in set(layouts.OPTIONAL) - set(_parts(listings)):
        for _, listing, _ in listings.values():
            listing.missing.setdefault(part, f"{layouts.PARTS[part]} of another split of {root} are missing.")
    records.write(LabelPairs, listings, out)
    _, listing, _ = listings[splits[0]]
    if listing.reader.palette is not None:
        rows = [",".join(map(str, color)) for color in listing.palette.tolist()]
        (out / "palette.csv").write_text("\n".join(rows) + "\n")
    return {split: listing.facts for split, (_, listing, _) in listings.items()}


def open_prepared(settings: Settings, split: str, *, size: tuple[int, int]) -> Source:
    """Opens a split of a prepared set of label maps with panels of that (height, width).

    Raises:
      InputError: the set cannot be read, or layout, classes or unknown pixels are not those of the settings.

    With `config.data.only` the facts, but for the number of pairs, are those of the whole split.
    """
    root, (files, pairs), found = records.parts(settings, split, LabelPairs)
    _check(settings, found["kind"], layout=settings.layout)
    reader, palette = labels.user_reader(settings, None)
    _check(settings, found["kind"], classes=reader.classes, unknown=reader.unknown)
    rows = records.chosen_rows(settings, len(pairs), lambda row: pairs[row]["source_name"].decode())
    canny = labels.takes_canny(settings, found["missing"])

    def packed(index: int) -> layouts.Files:
        record = records.read(files, rows[index], root)
        taken = [part for part in layouts.Files._fields if part in record and not (part == "edges" and canny)]
        named = {part: f"{record[f'{part}_name'].decode()} in {root}" for part in taken}
        return layouts.Files(**{part: images.Packed(record[part], named[part]) for part in taken})

    names = Names(len(rows), lambda index: pairs[rows[index]]["name"].decode())
    mirrored = found["mirrored"] and (not settings.only or labels.mirrored(names))
    pixels = {int(label): count for label, count in found["pixels"].items()}
    facts = dict(found["facts"], kind="tfds", folder=settings.folder, pairs=len(rows))
    listing = labels.Listing(names, reader, palette, pixels, found["missing"], facts, mirrored)
    return labels.source_of(listing, packed, settings, size=size)


def _parts(listings: dict[str, tuple]) -> list[str]:
    """What is stored of every pair: what no split lacks."""
    lacking = {part for _, listing, _ in listings.values() for part in listing.missing if part in layouts.OPTIONAL}
    return [part for part in layouts.Files._fields if part not in lacking]


def _metadata(listing: labels.Listing) -> dict:
    """What is known of a split besides its files."""
    kept = listing._asdict()
    return {name: kept[name] for name in ("facts", "missing", "mirrored")} | {
        "pixels": {str(label): count for label, count in listing.pixels.items()},
        "kind": dict(layout=listing.facts["layout"], classes=listing.reader.classes, unknown=listing.reader.unknown),
    }


def _check(settings: Settings, stored: dict, **asked) -> None:
    """Refuses settings that say of the set what it is not."""
    for key, value in asked.items():
        if stored[key] != value:
            raise InputError(
                f"The prepared set in {settings.folder} has the {key} {stored[key]}, but by config.data.{key} it has"
                f" {value}."
            )
