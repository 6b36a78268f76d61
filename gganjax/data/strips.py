"""The released formats: one picture file per pair, its panels side by side.

    ROOT/train/NAME.png    e.g. 1024 x 256: source | target | source skeleton | target skeleton
                           or 512 x 256: source | target
                           or 1536 x 256: as four, and then source classes | target classes

`config.data.panels` says how many panels there are and in which order the skeletons come; "auto" tells two, four and
six panels apart by the shape of the strips, whose panels are then squares. Names that end in `_lr` (`..._AB_lr.png`)
are mirrored copies of other strips; where a set has them, flip "auto" is off.

Of the cross-view strips the guidance is a color picture of the classes. Those of ground to aerial are swapped in pairs,
so that their first panel is the source, too; `config.data.exchange` makes the one direction of the strips of the other.
A class panel holds the classes 1 to 6 as gray values of 10 to 60, and a method gets the numbers, 0 where there is none
(void). Strips that were stored as JPEG hold other values beside these: each becomes the nearest of 10 to 60 (below 5
and from 100 on it is void), and the facts say how many they were. That is what the filter "nearest" of
`config.data.class_resize` does; "bicubic" resizes as LGGAN's code and keeps the exact values alone.
"""

import logging
from pathlib import Path

import numpy as np

from gganjax.data import folders, images, maps, verify
from gganjax.data.labels import class_facts
from gganjax.data.palettes import PALETTES
from gganjax.data.settings import Settings
from gganjax.data.source import Classes, Memory, Panel, Source
from gganjax.errors import InputError

_log = logging.getLogger("gganjax")

# Places of source, target, source guidance, target guidance, source classes and target classes in a strip.
ORDERS = {"two": (0, 1), "source_first": (0, 1, 2, 3), "target_first": (0, 1, 3, 2), "six": (0, 1, 2, 3, 4, 5)}
COUNTS = {2: "two", 4: "four", 6: "six"}
CLASSES, STEP, VOID = 6, 10, 0  # a class panel holds STEP times the class
BELOW, ABOVE = 5, 100  # no blur takes the values of classes so far: pixels there are void


def open_strips(settings: Settings, split: str, *, size: tuple[int, int]) -> Source:
    """Opens the strips of one split with panels of that (height, width).

    Raises:
      InputError: no folder, no strips, unreadable strips, or strips of another shape.
    """
    root = Path(settings.folder)
    if not (root / split).is_dir():
        raise InputError(f"The strips of the {split} split must be in {root / split}, but there is no such folder.")
    names = sorted(path.name for path in (root / split).iterdir() if path.suffix.lower() in images.SUFFIXES)
    names = [name for name in names if name.startswith(settings.only)]
    if not names:
        tail = f" whose name starts with {settings.only!r} (config.data.only)" if settings.only else ""
        raise InputError(f"The folder {root / split} holds no strips{tail}: expected pictures ({', '.join(images.SUFFIXES)}).")
    sizes, bad = verify.verify(root / split, names, threads=settings.threads)
    square, order = settings.panels == "auto", ORDERS.get(settings.panels) or _recognized(sizes.values())
    shape = f"{COUNTS[len(order)]} {'square panels' if square else 'panels of one width'} side by side"
    for name, (height, width) in sizes.items():
        if not _fits(height, width, len(order), square):
            bad[name] = f"{root / split / name} must be {shape}, but it is {width}x{height}"
    if settings.bad_files == "stop":
        verify.complain(bad, len(names), root / split)
    kept = [name for name in names if name not in bad]
    if not kept:
        raise InputError(f"No strip in {root / split} can be used: all {len(bad)} are bad.")
    memory = Memory(settings.memory)

    def panels(name: str) -> tuple[Panel, Panel]:
        strip = images.read_image(root / split / name)
        height, width = strip.shape[:2]
        if not _fits(height, width, len(order), square):
            was = f"{COUNTS[len(order)]}{' square' * square} panels wide"
            raise InputError(f"{root / split / name} was {was} when it was checked and no longer is.")
        width //= len(order)
        parts = [strip[:, place * width : (place + 1) * width] for place in order]
        pictures = [images.fit(part, size, center_crop=settings.center, by=settings.resize) for part in parts[:4]]
        gray = [images.fit(part[..., 0], size, center_crop=settings.center, by=settings.class_resize) for part in parts[4:]]
        classes = [read_classes(part, exact=settings.class_resize == "bicubic") for part in gray]
        of = dict(guidance=pictures[2:] or (None, None), classes=classes or (None, None))
        return tuple(Panel(pictures[side], **{name: parts[side] for name, parts in of.items()}) for side in (0, 1))

    facts = {
        "kind": "strips",
        "folder": str(root),
        "split": split,
        "pairs": len(kept),
        "pictures": len(kept),
        "sizes": folders.count_sizes(sizes[name] for name in kept),
        "panels": len(order),
        "pairs_left_out": len(names) - len(kept),
        "without_key_points": [],
        "bad_files": dict(sorted(bad.items())),
        "guidance": "none" if len(order) == 2 else "skeleton pictures",
    }
    if len(order) == 4 and all(width == 6 * height for height, width in (sizes[name] for name in kept)):
        told = f"The strips in {root / split} are six squares wide, but config.data.panels={settings.panels} takes four panels."
        _log.warning(told.rstrip("."))
        facts["warnings"] = [told]
    known, absent = None, {}
    if len(order) == len(ORDERS["six"]):
        known, more = _count(root / split, kept, settings)
        facts |= more
    else:
        sentence = f"the strips in {root / split} have {COUNTS[len(order)]} panels, expected six"
        absent = {f"{side}_classes": f"{sentence}, the last two of classes." for side in ("source", "target")}
    stems = [name.rpartition(".")[0] for name in kept]
    mirrored = any(stem.endswith("_lr") for stem in stems)
    load = lambda index: memory.get(kept[index], lambda: panels(kept[index]))
    return Source(stems, load, facts, size=size, mirrored=mirrored, classes=known, absent=absent)


def read_classes(gray: np.ndarray, *, exact: bool = False) -> np.ndarray:
    """The classes uint8 [H, W] of gray values uint8 [H, W]: 1 to 6 and 0 for void; `exact` takes no value in between."""
    values = np.arange(256)
    nearest = ((values + STEP // 2) // STEP).clip(1, CLASSES)
    known = (values == nearest * STEP) if exact else (values >= BELOW) & (values < ABOVE)
    return np.where(known, nearest, VOID).astype(np.uint8)[gray]


def user_classes(path: Path, settings: Settings, *, highest: int = CLASSES) -> np.ndarray:
    """Reads a class map of a user's own as those of training are, int32 [H, W] at the size of the crop.

    Its pixels are gray values as in a class panel, or, where none is above `highest`, the classes themselves.

    Raises:
      InputError: the file cannot be read.
    """
    gray = maps.read_integers(path) if maps.is_map(path) else images.decode(path)[..., 0]
    plain = gray.max() <= highest
    by = "nearest" if plain else settings.class_resize
    gray = images.fit(np.minimum(gray, 255).astype(np.uint8), settings.crop, center_crop=settings.center, by=by)
    return (gray if plain else read_classes(gray, exact=settings.class_resize == "bicubic")).astype(np.int32)


def class_counts(path: Path) -> tuple[int, ...]:
    """(pixels that hold no value of a class, pixels of void, of class 1, ...) of the class panels of a strip of six."""
    strip = images.decode(path)
    gray = strip[:, strip.shape[1] // 6 * 4 :, 0]
    between = np.count_nonzero(read_classes(gray, exact=True) == VOID)
    return int(between), *np.bincount(read_classes(gray).ravel(), minlength=CLASSES + 1).tolist()


def _count(folder: Path, names: list[str], settings: Settings) -> tuple[Classes, dict]:
    """What the class panels of the strips hold, and the facts about it."""
    counted, _ = verify.verify(folder, names, threads=settings.threads, look=class_counts)
    between, *pixels = np.sum([counted[name] for name in names if name in counted], axis=0).tolist()
    classes = Classes(np.array(PALETTES["crossview"], np.uint8), CLASSES, dict(enumerate(pixels)), VOID)
    told = "void" if settings.class_resize == "bicubic" else "recovered to the nearest value of a class"
    return classes, {
        "classes": CLASSES,
        **class_facts(classes, CLASSES + 1, first=1),
        "class_values_in_between": f"{between / sum(pixels):.2%} of the pixels of class panels, {told}",
    }


def _recognized(sizes) -> tuple[int, ...]:
    """The number of panels for which most strips are so many squares wide; four where none are."""
    ratios = [width / height for height, width in sizes]
    return ORDERS[max(("source_first", "two", "six"), key=lambda panels: ratios.count(len(ORDERS[panels])))]


def _fits(height: int, width: int, count: int, square: bool) -> bool:
    return width == count * height if square else width % count == 0
