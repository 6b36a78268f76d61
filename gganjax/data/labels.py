"""Label maps and their photos: a pair set whose source is the color picture of the labels.

Where the files are, `layouts` says. `config.data.exchange` gives photo to labels. A label map has one byte a pixel, the
number of the class, and 255 for unknown pixels; a color picture is turned into classes by the palette of the set, see
`palettes.read_palette`. The map itself is resized, by nearest neighbor, before it is colored.

Besides the color picture, a method may ask for `labels`, int32 [H, W], where `config.data.classes` or the layout says
how many classes there are (unknown pixels are the number after the last class); for `instances`, int32 [H, W]; and for
the `edges` of the photo, uint8 [H, W, 3]. All of them are cropped and mirrored together.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gganjax.data import edges, folders, images, layouts, maps, verify
from gganjax.data.palettes import UNKNOWN, paint, read_palette
from gganjax.data.settings import Settings
from gganjax.data.source import Classes, Memory, Panel, Source
from gganjax.errors import InputError

PREPARED = "label_pairs"  # folder of a prepared set of label maps, see `prepared_labels`


class Listing(NamedTuple):
    """The pairs of a split after all checks.

    Attributes:
      names: of the pairs.
      reader: of the label maps.
      palette: uint8 [N, 3], colors of the classes, and perhaps of further ones.
      pixels: class -> how many pixels of the split are of it; 255 are unknown.
      missing: batch field -> one sentence, of "labels", "instances" and "edges" that the set has not.
      facts: what `Source.describe` tells, but for the edges.
      mirrored: whether flips are already stored as pairs of their own.
    """

    names: Sequence[str]
    reader: maps.Reader
    palette: np.ndarray
    pixels: dict[int, int]
    missing: dict[str, str]
    facts: dict
    mirrored: bool


def open_labels(settings: Settings, split: str, *, size: tuple[int, int]) -> Source:
    """Opens the pairs of one split with panels of that (height, width).

    Raises:
      InputError: a folder, label map or photo is missing or bad, or a label is none of the classes.
    """
    listing, files = list_labels(settings, split)
    root = Path(settings.folder)
    paths = lambda index: layouts.Files(*[file and root / file for file in files[listing.names[index]]])
    return source_of(listing, paths, settings, size=size)


def list_labels(settings: Settings, split: str) -> tuple[Listing, dict[str, layouts.Files]]:
    """Lists the pairs of a split and verifies every file; returns also the files of each pair, as `open_labels`.

    Edge pictures are among the files only where they are those to be learned, see `takes_canny`.
    """
    root = Path(settings.folder)
    found = layouts.find(settings, split)
    samples = found.files
    reader, palette = user_reader(settings, root / next(iter(samples.values())).labels)
    missing, files = dict(found.missing), [name for sample in samples.values() for name in sample if name]
    if not reader.classes:
        missing["labels"] = "config.data.classes must say how many classes the label maps have, found 0."
    if takes_canny(settings, missing):
        samples = {key: sample._replace(edges=None) for key, sample in samples.items()}
    check = partial(verify.verify, root, threads=settings.threads)
    seen, bad = check([sample.labels for sample in samples.values()], look=reader.look())
    sizes, more = check([name for sample in samples.values() for name in (sample.images, sample.edges) if name])
    other, most = check([sample.instances for sample in samples.values() if sample.instances], look=maps.map_size)
    bad |= more | most
    for sample in samples.values():
        if sample.labels not in seen or sample.images not in sizes:
            continue
        file, (height, width, _, *labels), photo = root / sample.labels, seen[sample.labels], sizes[sample.images]
        highest = max({*labels[::2]} - {UNKNOWN}, default=0)
        if not (height * photo[1] == width * photo[0] if found.layout.smaller else (height, width) == photo):
            bad[sample.labels] = f"{file} is {width}x{height}, but its photo is {photo[1]}x{photo[0]}"
        elif problem := reader.problem(file, set(labels[::2])):
            bad[sample.labels] = problem
        elif not reader.classes and highest >= len(palette):
            bad[sample.labels] = f"{file} holds the class {highest}, but the palette has {len(palette)} colors"
        if other.get(sample.instances, (height, width)) != (height, width):
            shape = "{1}x{0}".format(*other[sample.instances])
            bad[sample.instances] = f"{root / sample.instances} is {shape}, but its label map is {width}x{height}"
    if settings.bad_files == "stop":
        verify.complain(bad, len(files), root)
    kept = {key: sample for key, sample in samples.items() if bad.keys().isdisjoint(sample)}
    if not kept:
        raise InputError(f"No pair of the {split} split in {root} can be used: {len(bad)} files are bad.")
    pixels = maps.count({sample.labels: seen[sample.labels] for sample in kept.values()}, reader.meaning())
    classes = classes_of(reader, palette, pixels)
    facts = {
        "kind": "labels",
        "folder": str(root),
        "split": split,
        "layout": settings.layout,
        "pairs": len(kept),
        "pictures": 2 * len(kept),
        "classes": len(classes.palette),
        **class_facts(classes, len(classes.palette)),
        "sizes": folders.count_sizes(sizes[sample.images] for sample in kept.values()),
        "pairs_left_out": len(samples) - len(kept),
        "bad_files": dict(sorted(bad.items())),
        "guidance": "none",
        "instances": "none" if "instances" in missing else "maps",
    }
    return Listing(list(kept), reader, palette, pixels, missing, facts, mirrored(kept)), kept


def mirrored(names: Iterable[str]) -> bool:
    """Whether mirrored pairs are stored as pairs of their own."""
    return any(name.endswith("_lr") for name in names)


def takes_canny(settings: Settings, missing) -> bool:
    """Whether real edges are found in the photos; `missing` has "edges" where not every pair has a picture of them."""
    return settings.edges == "canny" or (settings.edges == "auto" and "edges" in missing)


def classes_of(reader: maps.Reader, palette: np.ndarray, pixels: dict[int, int]) -> Classes:
    """What is known of the classes; nobody may have said how many there are."""
    number = reader.classes or max(pixels.keys() - {UNKNOWN}, default=0) + 1
    return Classes(
        palette[:number], number if reader.unknown else number - 1,
        {number if label == UNKNOWN else label: count for label, count in pixels.items()},
        number if reader.unknown or UNKNOWN in pixels else None,
    )  # fmt: skip


def source_of(listing: Listing, files: Callable[[int], layouts.Files], settings: Settings, *,
              size: tuple[int, int]) -> Source:
    """The pairs of a listing as panels of that (height, width).

    files: number of a pair -> its files, paths or `images.Packed`; None for what it has not, or is not to be taken.
    """
    canny, missing, memory = takes_canny(settings, listing.missing), dict(listing.missing), Memory(settings.memory)
    if canny:
        missing.pop("edges", None)
    classes = classes_of(listing.reader, listing.palette, listing.pixels)
    number = len(classes.palette)
    fit = partial(images.fit, size=size, center_crop=settings.center, by=settings.resize)

    def instances(index: int) -> np.ndarray:
        read = lambda: maps.read_integers(files(index).instances, size, settings.center)
        return memory.get((index, "instances"), read)

    def real_edges(index: int) -> np.ndarray:
        def make():
            found = files(index)
            return fit(images.decode(found.edges) if found.edges else edges.canny(images.decode(found.images)))

        return memory.get((index, "edges"), make)

    def panels(index: int) -> tuple[Panel, Panel]:
        found = files(index)
        labels = listing.reader.read(found.labels, size, settings.center)
        there = {"edges": partial(real_edges, index)}
        if listing.reader.classes:
            there["labels"] = np.where(labels == UNKNOWN, number, labels).astype(np.uint8)
        if found.instances:
            there["instances"] = partial(instances, index)
        return Panel(paint(labels, listing.palette), maps=there), Panel(fit(images.decode(found.images)))

    facts = listing.facts | {"edges": "none" if "edges" in missing else "Canny's" if canny else "pictures"}
    load = lambda index: memory.get(index, lambda: panels(index))
    return Source(
        listing.names, load, facts, size=size, mirrored=listing.mirrored, classes=classes, absent=missing
    )


def class_facts(classes: Classes, number: int, *, first: int = 0) -> dict:
    """Of the classes `first` to `number` - 1, and of unknown pixels: shares of all pixels, and what never occurs."""
    total, known = sum(classes.pixels.values()), range(first, number)
    share = {label: classes.pixels.get(label, 0) / total for label in known}
    order = sorted((label for label in known if share[label]), key=lambda label: -share[label])
    unknown = sum(pixels for label, pixels in classes.pixels.items() if label not in known)
    return {
        "share_of_pixels": [f"{label}: {share[label]:.2%}" for label in order],
        "unknown_pixels": f"{unknown / total:.2%}",
        "classes_never_seen": [label for label in known if not share[label]],
    }


def holds_labels(settings: Settings) -> bool:
    """Whether the set is one of label maps, prepared or not."""
    return settings.kind == "labels" or (settings.kind == "tfds" and (Path(settings.folder) / PREPARED).is_dir())


def user_reader(settings: Settings, sample: Path | None) -> tuple[maps.Reader, np.ndarray]:
    """How label maps of a set, and of a user's own that are like them, are read, and their palette.

    sample: a label map, which may have a palette inside.
    """
    palette, own = read_palette(settings, sample=sample)
    layout = layouts.LAYOUTS[settings.layout]
    reader = maps.reader(settings, palette if own else None, classes=layout.classes, unknown=layout.unknown)
    if own and reader.classes > len(palette):
        raise InputError(
            f"The palette of {settings.folder} (config.data.palette={settings.palette}) has {len(palette)} colors,"
            f" expected one for each of {reader.classes} classes."
        )
    return reader, palette


def read_labels(path: str | Path, settings: Settings) -> np.ndarray:
    """Reads a label map of a user's own as `labels` of training are, int32 [H, W] at the size of the crop.

    Raises:
      InputError: it is no label map, has colors but there is no palette, or a label is none of the classes.
    """
    reader, _ = user_reader(settings, Path(path))
    labels = reader.read(Path(path), settings.crop, settings.center)
    return np.where(labels == UNKNOWN, reader.classes, labels).astype(np.int32)
