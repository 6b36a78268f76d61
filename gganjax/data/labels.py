"""Label maps and their photos: a pair set whose source is the color picture of the labels.

Where the files are, `layouts` says. `config.data.exchange` gives photo to labels. A label map has one byte a pixel, the
number of the class, and 255 for unknown pixels; a color picture is turned into classes by the palette of the set, see
`palettes.read_palette`. The map itself is resized, by nearest neighbor, before it is colored.

Besides the color picture, a method may ask for `labels`, int32 [H, W], where `config.data.classes` or the layout says
how many classes there are (unknown pixels are the number after the last class); for `instances`, int32 [H, W]; and for
the `edges` of the photo, uint8 [H, W, 3]. All of them are cropped and mirrored together.
"""

from functools import partial
from pathlib import Path

import numpy as np

from gganjax.data import edges, folders, images, layouts, maps, verify
from gganjax.data.palettes import UNKNOWN, paint, read_palette
from gganjax.data.settings import Settings
from gganjax.data.source import Classes, Memory, Panel, Source
from gganjax.errors import InputError


def open_labels(settings: Settings, split: str, *, size: tuple[int, int]) -> Source:
    """Opens the pairs of one split with panels of that (height, width).

    Raises:
      InputError: a folder, label map or photo is missing or bad, or a label is none of the classes.
    """
    root = Path(settings.folder)
    listing = layouts.find(settings, split)
    samples, layout = listing.files, listing.layout
    palette, own = read_palette(settings, sample=root / next(iter(samples.values())).labels)
    reader = maps.reader(settings, palette if own else None, classes=layout.classes, unknown=layout.unknown)
    if own and reader.classes > len(palette):
        raise InputError(
            f"The palette of {root} (config.data.palette={settings.palette}) has {len(palette)} colors, expected one for each"
            f" of {reader.classes} classes."
        )
    absent, files = dict(listing.missing), [name for sample in samples.values() for name in sample if name]
    if not reader.classes:
        absent["labels"] = "config.data.classes must say how many classes the label maps have, found 0."
    if settings.edges == "canny" or (settings.edges == "auto" and "edges" in absent):
        samples = {key: sample._replace(edges=None) for key, sample in samples.items()}
        absent.pop("edges", None)
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
        if not (height * photo[1] == width * photo[0] if layout.smaller else (height, width) == photo):
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
    counted = {sample.labels: seen[sample.labels] for sample in kept.values()}
    pixels = maps.count(counted, reader.meaning())
    highest = max(pixels.keys() - {UNKNOWN}, default=0)
    number = reader.classes or highest + 1
    classes = Classes(
        palette[:number], number if reader.unknown else number - 1,
        {number if label == UNKNOWN else label: count for label, count in pixels.items()},
        number if reader.unknown or UNKNOWN in pixels else None,
    )  # fmt: skip
    facts = {
        "kind": "labels",
        "folder": str(root),
        "split": split,
        "layout": settings.layout,
        "pairs": len(kept),
        "pictures": 2 * len(kept),
        "classes": number,
        **class_facts(classes, number),
        "sizes": folders.count_sizes(sizes[sample.images] for sample in kept.values()),
        "pairs_left_out": len(samples) - len(kept),
        "bad_files": dict(sorted(bad.items())),
        "guidance": "none",
        "instances": "none" if "instances" in absent else "maps",
        "edges": "none" if "edges" in absent else "Canny's" if next(iter(kept.values())).edges is None else "pictures",
    }
    load = _loader(root, settings, reader, palette, number, size)
    names = list(kept)
    mirrored = any(name.endswith("_lr") for name in names)
    return Source(
        names, lambda index: load(kept[names[index]]), facts, size=size, mirrored=mirrored, classes=classes, absent=absent
    )


def _loader(root: Path, settings: Settings, reader: maps.Reader, palette: np.ndarray, number: int, size: tuple[int, int]):
    """A function files of a sample -> (label panel, photo panel), which remembers them."""
    memory = Memory(settings.memory)
    fit = partial(images.fit, size=size, center_crop=settings.center, by=settings.resize)

    def instances(file: str) -> np.ndarray:
        return memory.get(file, lambda: maps.read_integers(root / file, size, settings.center))

    def real_edges(sample: layouts.Files) -> np.ndarray:
        if sample.edges:
            return memory.get(sample.edges, lambda: fit(images.read_image(root / sample.edges)))
        return memory.get((sample.images, "edges"), lambda: fit(edges.canny(images.read_image(root / sample.images))))

    def panels(sample: layouts.Files) -> tuple[Panel, Panel]:
        labels = reader.read(root / sample.labels, size, settings.center)
        there = {"edges": partial(real_edges, sample)}
        if reader.classes:
            there["labels"] = np.where(labels == UNKNOWN, number, labels).astype(np.uint8)
        if sample.instances:
            there["instances"] = partial(instances, sample.instances)
        return Panel(paint(labels, palette), maps=there), Panel(fit(images.read_image(root / sample.images)))

    return lambda sample: memory.get(sample, lambda: panels(sample))


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


def user_reader(settings: Settings, sample: Path) -> tuple[maps.Reader, np.ndarray]:
    """How label maps of a user's own are read, which are like those of training, and their palette."""
    palette, own = read_palette(settings, sample=sample)
    layout = layouts.LAYOUTS[settings.layout]
    return maps.reader(settings, palette if own else None, classes=layout.classes, unknown=layout.unknown), palette


def read_labels(path: str | Path, settings: Settings) -> np.ndarray:
    """Reads a label map of a user's own as `labels` of training are, int32 [H, W] at the size of the crop.

    Raises:
      InputError: it is no label map, has colors but there is no palette, or a label is none of the classes.
    """
    reader, _ = user_reader(settings, Path(path))
    labels = reader.read(Path(path), settings.crop, settings.center)
    return np.where(labels == UNKNOWN, reader.classes, labels).astype(np.int32)
