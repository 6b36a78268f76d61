"""Label maps and their photos: a pair set whose source is the color picture of the labels.

    ROOT/train/labels/NAME.png      one byte a pixel, the number of the class; 255 is unknown
    ROOT/train/images/NAME.jpg      the photo of the same name

and the same with `test`. `config.data.exchange` gives photo to labels. The colors are those of `config.data.palette`:
the name of a palette here, or a CSV file with a line red,green,blue for each class; "auto" is ROOT/palette.csv, the
palette inside of the label files, the palette here that bears the folder's name, or hues far from one another, the
first of these that there is. The map itself is resized, by nearest neighbor, before it is colored.
"""

import colorsys
import csv
from pathlib import Path

import numpy as np
from PIL import Image

from gganjax.data import folders, images, verify
from gganjax.data.settings import Settings
from gganjax.data.source import Memory, Panel, Source
from gganjax.errors import InputError

UNKNOWN = 255  # this class is black
PALETTES = {
    # The usual colors of the twelve classes of the CMP facade database, as pix2pix shows them.
    "facades": (
        (0, 0, 222), (0, 50, 255), (0, 128, 255), (0, 207, 255), (32, 255, 222), (112, 255, 143), (191, 255, 64),
        (255, 239, 0), (255, 159, 0), (255, 80, 0), (255, 0, 0), (175, 0, 0),
    ),
    # LandCover.ai: ground, building, woodland, water, road; its classes have no colors of their own, these are ours.
    "landcover": ((222, 205, 160), (210, 40, 40), (30, 130, 50), (40, 110, 220), (110, 110, 110)),
}  # fmt: skip
GOLDEN = (5**0.5 - 1) / 2  # a turn by this share of the circle comes near no earlier hue for long


def open_labels(settings: Settings, split: str, *, size: tuple[int, int]) -> Source:
    """Opens the pairs of one split with panels of that (height, width).

    Raises:
      InputError: a folder, label map or photo is missing or bad, or a class has no color.
    """
    root = Path(settings.folder)
    found = {
        part: {Path(name).stem: name for name in verify.find(root, f"{split}/{part}", settings.only, holds=holds)}
        for part, holds in dict(labels=f"The labels of {split}", images=f"The photos of {split}").items()
    }
    for part, other in (("labels", "images"), ("images", "labels")):
        for stem in sorted(found[part].keys() - found[other].keys()):
            file = root / found[part][stem]
            raise InputError(f"{file} has no counterpart: expected a picture {stem} in {root / split / other}.")
    pairs = [(label, found["images"][stem]) for stem, label in sorted(found["labels"].items())]
    palette = read_palette(settings, sample=root / pairs[0][0])
    seen, bad = verify.verify(root, [label for label, _ in pairs], threads=settings.threads, look=label_facts)
    sizes, worse = verify.verify(root, [photo for _, photo in pairs], threads=settings.threads)
    bad |= worse
    for label, photo in pairs:
        if label in seen and photo in sizes:
            height, width, highest = seen[label]
            if (height, width) != sizes[photo]:
                shape = "{1}x{0}".format(*sizes[photo])
                bad[label] = f"{root / label} is {width}x{height}, but its photo is {shape}"
            elif highest >= len(palette):
                bad[label] = f"{root / label} holds the class {highest}, but the palette has {len(palette)} colors"
    if settings.bad_files == "stop":
        verify.complain(bad, 2 * len(pairs), root)
    kept = [(label, photo) for label, photo in pairs if label not in bad and photo not in bad]
    if not kept:
        raise InputError(f"No pair of the {split} split in {root} can be used: {len(bad)} files are bad.")
    memory = Memory(settings.memory)

    def panels(label: str, photo: str) -> tuple[Panel, Panel]:
        drawn = paint(read_label(root / label, size, settings.center), palette)
        whole = images.read_image(root / photo)
        return Panel(drawn), Panel(images.fit(whole, size, center_crop=settings.center, by=settings.resize))

    facts = {
        "kind": "labels",
        "folder": str(root),
        "split": split,
        "pairs": len(kept),
        "pictures": 2 * len(kept),
        "classes": max(seen[label][2] for label, _ in kept) + 1,
        "sizes": folders.count_sizes(sizes[photo] for _, photo in kept),
        "pairs_left_out": len(pairs) - len(kept),
        "bad_files": dict(sorted(bad.items())),
        "guidance": "none",
    }
    stems = [Path(label).stem for label, _ in kept]
    mirrored = any(stem.endswith("_lr") for stem in stems)
    return Source(stems, lambda i: memory.get(kept[i], lambda: panels(*kept[i])), facts, size=size, mirrored=mirrored)


def read_label(path: Path, size: tuple[int, int] | None = None, center_crop=0) -> np.ndarray:
    """Reads a label map into uint8 [H, W], resized to (height, width) by nearest neighbor."""
    try:
        with Image.open(path) as image:
            image.load()
            mode, classes = image.mode, np.asarray(image)
    except Exception as error:  # as images.decode, whose sentence is as good here
        images.decode(path)
        raise InputError(f"{path} cannot be read as a label map: {error}.") from error
    if mode not in ("L", "P"):
        raise InputError(f"{path} is no label map: expected one byte a pixel, found a picture of mode {mode}.")
    return images.fit(classes, size, center_crop=center_crop, by="nearest")


def is_map(path: Path) -> bool:
    """Whether a picture has one byte a pixel, as label maps have, rather than colors."""
    try:
        with Image.open(path) as image:
            return image.mode in ("L", "P")
    except Exception:  # whoever reads it says what is wrong
        return False


def label_facts(path: Path) -> tuple[int, int, int]:
    """(height, width, highest class) of a label map; unknown pixels do not count."""
    classes = read_label(path)
    return *classes.shape, int(np.max(classes, initial=0, where=classes != UNKNOWN))


def paint(classes: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Colors classes [H, W] with a palette uint8 [N, 3]: uint8 [H, W, 3]; unknown pixels are black."""
    colors = np.zeros((256, 3), np.uint8)
    colors[: min(len(palette), UNKNOWN)] = palette[:UNKNOWN]
    return colors[classes]


def read_palette(settings: Settings, *, sample: Path | None = None) -> np.ndarray:
    """The colors of the classes, uint8 [N, 3], see the module's docstring.

    Args:
      settings: the data settings.
      sample: a label map, which may have a palette inside.

    Raises:
      InputError: there is no such palette, or its file is not one.
    """
    folder = Path(settings.folder)
    own = folder / "palette.csv"
    if settings.palette != "auto":
        if settings.palette in PALETTES:
            return np.array(PALETTES[settings.palette], np.uint8)
        return _read_colors(Path(settings.palette).expanduser())
    if own.is_file():
        return _read_colors(own)
    inside = _inside(sample)
    if inside is not None:
        return inside
    if folder.name in PALETTES:
        return np.array(PALETTES[folder.name], np.uint8)
    hues = [colorsys.hsv_to_rgb(k * GOLDEN % 1, (1, 0.8)[k % 2], (1, 0.85, 0.7)[k % 3]) for k in range(UNKNOWN)]
    return np.rint(255 * np.array(hues)).astype(np.uint8)


def _inside(sample: Path | None) -> np.ndarray | None:
    """The palette inside of a file that has one and can be read."""
    try:
        with Image.open(sample) as image:
            colors = image.getpalette("RGB") if image.mode == "P" else None
    except Exception:  # a missing or bad file is told by name when the files are verified
        return None
    return None if colors is None else np.array(colors, np.uint8).reshape(-1, 3)


def _read_colors(path: Path) -> np.ndarray:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            colors = [[int(cell) for cell in row] for row in csv.reader(file) if row]
    except OSError as error:
        known = ", ".join(PALETTES)
        raise InputError(
            f"config.data.palette names {path}, which is no palette ({known}) and no file that can be read."
        ) from error
    except (ValueError, csv.Error) as error:
        raise InputError(f"The palette {path} must hold red,green,blue on every line: {error}.") from error
    if not colors or any(len(color) != 3 or min(color) < 0 or max(color) > 255 for color in colors):
        raise InputError(f"The palette {path} must hold red,green,blue from 0 to 255 on every line.")
    return np.array(colors, np.uint8)
