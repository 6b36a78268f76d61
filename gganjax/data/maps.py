"""Label maps and instance maps: picture files whose pixels are whole numbers, or colors that stand for them.

A label map comes out as uint8 [H, W] with the number of the class of every pixel and 255 for unknown ones; an instance
map as integers [H, W] that only tell one instance from the next.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from gganjax.data import images
from gganjax.data.palettes import UNKNOWN, unpaint
from gganjax.data.settings import Settings
from gganjax.errors import InputError

LOSSY = (".jpg", ".jpeg", ".webp")  # their colors are near those of the palette at best


class Reader(NamedTuple):
    """How the label maps of a set are to be understood.

    Attributes:
      palette: colors of color pictures, uint8 [N, 3]; None refuses these.
      classes: how many; 0 if nobody said.
      unknown: whether pixels of 255, or of the number after the last class, are of no class.
    """

    palette: np.ndarray | None
    classes: int
    unknown: bool

    def read(self, path: Path | images.Packed, size: tuple[int, int] | None = None, center_crop=0) -> np.ndarray:
        """Reads a label map, uint8 [H, W], resized to (height, width) by nearest neighbor.

        Raises:
          InputError: no label map, or a label that is none of the classes.
        """
        stored, _ = self._read(path)
        labels = images.fit(stored, size, center_crop=center_crop, by="nearest")
        if problem := self.problem(path, set(np.unique(labels).tolist())):
            raise InputError(f"{problem}.")
        return self.meaning()[labels]

    def facts(self, path: Path) -> tuple[int, ...]:
        """(height, width, pixels that bear no color of the palette, label, its pixels, label, its pixels, ...)."""
        stored, strange = self._read(path)
        labels, counts = np.unique(stored, return_counts=True)
        return (*stored.shape, strange, *np.stack([labels, counts], axis=1).ravel().tolist())

    def look(self):
        """`facts` under a name that tells what it depends on, as `verify.verify` takes it."""
        def facts(path: Path) -> tuple[int, ...]:
            return self.facts(path)

        facts.__name__ = "label_counts"
        if self.palette is not None:
            facts.__name__ += hashlib.sha256(self.palette.tobytes()).hexdigest()[:16]
        return facts

    def problem(self, path: Path, labels: set[int]) -> str:
        """What is wrong with the labels that a map holds, "" if nothing is."""
        highest = max(labels - {UNKNOWN}, default=0)
        if highest > UNKNOWN:
            return f"{path} holds the label {highest}, expected at most {UNKNOWN}"
        if self.classes and UNKNOWN in labels and not self.unknown:
            return f"{path} holds unknown pixels ({UNKNOWN}), which config.data.unknown does not allow"
        if self.classes and highest >= self.classes + self.unknown:
            more = f", and {self.classes} or {UNKNOWN} for unknown" if self.unknown else ""
            return f"{path} holds the label {highest}, expected 0 to {self.classes - 1} ({self.classes} classes){more}"
        return ""

    def meaning(self) -> np.ndarray:
        """What each stored label is, uint8 [256]: its class, or 255."""
        classes = np.arange(256, dtype=np.uint8)
        if self.unknown and self.classes:
            classes[self.classes] = UNKNOWN
        return classes

    def _read(self, path: Path | images.Packed) -> tuple[np.ndarray, int]:
        """The labels as stored, integers [H, W], and how many pixels bear no color of the palette."""
        if is_map(path):
            return read_integers(path), 0
        picture = images.decode(path)
        if self.palette is None:
            raise InputError(
                f"{path} is a color picture, whose colors stand for classes only with a palette: expected one byte a pixel,"
                " or the colors in palette.csv or config.data.palette."
            )
        lossy = path.suffix.lower() in LOSSY
        classes, strange = unpaint(picture, self.palette, nearest=lossy)
        if strange and not lossy:
            known = {tuple(color) for color in self.palette.tolist()} | {(0, 0, 0)}
            color = next(color for color in map(tuple, np.unique(picture.reshape(-1, 3), axis=0).tolist()) if color not in known)
            raise InputError(
                f"{path} holds {strange / classes.size:.1%} pixels of colors that the palette has not, the color"
                f" {','.join(map(str, color))} first."
            )
        return classes, strange


def read_integers(path: Path | images.Packed, size: tuple[int, int] | None = None, center_crop=0) -> np.ndarray:
    """Reads a map of one number a pixel, uint8 or int32 [H, W], resized to (height, width) by nearest neighbor.

    Raises:
      InputError: the file cannot be read or has colors.
    """
    try:
        with Image.open(path) as image:
            image.load()
            mode, numbers = image.mode, np.asarray(image)
    except Exception as error:  # as images.decode, whose sentence is as good here
        images.decode(path)
        raise InputError(f"{path} cannot be read as a map of classes: {error}.") from error
    if mode not in ("L", "P", "1") and not mode.startswith("I"):
        raise InputError(f"{path} is no map: expected one number a pixel, found a picture of mode {mode}.")
    numbers = numbers.astype(np.int32 if mode.startswith("I") else np.uint8)
    return images.fit(numbers, size, center_crop=center_crop, by="nearest")


def map_size(path: Path) -> tuple[int, int]:
    """(height, width) of a map."""
    return read_integers(path).shape


def is_map(path: Path | images.Packed) -> bool:
    """Whether a picture has one number a pixel, as maps have, rather than colors; True where it cannot be read."""
    try:
        with Image.open(path) as image:
            return image.mode in ("L", "P", "1") or image.mode.startswith("I")
    except Exception:  # whoever reads it says what is wrong
        return True


def count(facts: Mapping[str, tuple[int, ...]], meaning: np.ndarray) -> dict[int, int]:
    """Class -> its pixels in all maps of `Reader.facts`; 255 are those of no class."""
    totals: dict[int, int] = {}
    for numbers in facts.values():
        for label, pixels in zip(numbers[3::2], numbers[4::2], strict=True):
            label = int(meaning[label])
            totals[label] = totals.get(label, 0) + pixels
    return dict(sorted(totals.items()))


def reader(settings: Settings, palette: np.ndarray | None, *, classes: int, unknown: bool) -> Reader:
    """The reader of a set; `classes` and `unknown` are those of its layout, which the settings may overrule."""
    if settings.unknown != "auto":
        unknown = settings.unknown == "on"
    return Reader(palette, settings.classes or classes, unknown)
