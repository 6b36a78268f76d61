"""The colors of classes: named palettes, palette files, and from colors back to classes.

A palette is uint8 [N, 3], the color of class k in row k. What a set's palette is, see `read_palette`.
"""

import colorsys
import csv
from pathlib import Path

import numpy as np
from PIL import Image

from gganjax.data.settings import Settings
from gganjax.errors import InputError

UNKNOWN = 255  # pixels of no class, in 8-bit label maps; they are black
PALETTES = {
    # The usual colors of the twelve classes of the CMP facade database, as pix2pix shows them.
    "facades": (
        (0, 0, 222), (0, 50, 255), (0, 128, 255), (0, 207, 255), (32, 255, 222), (112, 255, 143), (191, 255, 64),
        (255, 239, 0), (255, 159, 0), (255, 80, 0), (255, 0, 0), (175, 0, 0),
    ),
    # LandCover.ai: ground, building, woodland, water, road; its classes have no colors of their own, these are ours.
    "landcover": ((222, 205, 160), (210, 40, 40), (30, 130, 50), (40, 110, 220), (110, 110, 110)),
    # CamVid with 11 classes: sky, building, pole, road, pavement, tree, sign, fence, car, pedestrian, bicyclist; and void.
    "camvid": (
        (128, 128, 128), (128, 0, 0), (192, 192, 128), (128, 64, 128), (60, 40, 222), (128, 128, 0), (192, 128, 128),
        (64, 64, 128), (64, 0, 128), (64, 64, 0), (0, 128, 192), (0, 0, 0),
    ),
    # Cityscapes by label id, 0 (unlabeled) to 33 (bicycle) and the license plate, the usual colors.
    "cityscapes": (
        (0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0), (111, 74, 0), (81, 0, 81), (128, 64, 128), (244, 35, 232),
        (250, 170, 160), (230, 150, 140), (70, 70, 70), (102, 102, 156), (190, 153, 153), (180, 165, 180), (150, 100, 100),
        (150, 120, 90), (153, 153, 153), (153, 153, 153), (250, 170, 30), (220, 220, 0), (107, 142, 35), (152, 251, 152),
        (70, 130, 180), (220, 20, 60), (255, 0, 0), (0, 0, 142), (0, 0, 70), (0, 60, 100), (0, 0, 90), (0, 0, 110),
        (0, 80, 100), (0, 0, 230), (119, 11, 32), (0, 0, 142),
    ),
    # The groups of the cross-view strips: void, vehicles, road, poles and people, buildings, sky, vegetation; ours, after
    # Cityscapes.
    "crossview": (
        (0, 0, 0), (0, 0, 142), (128, 64, 128), (220, 20, 60), (70, 70, 70), (70, 130, 180), (107, 142, 35),
    ),
}  # fmt: skip
GOLDEN = (5**0.5 - 1) / 2  # a turn by this share of the circle comes near no earlier hue for long


def paint(classes: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Colors classes [...] with a palette uint8 [N, 3]: uint8 [..., 3]; classes beyond the palette are black."""
    colors = np.zeros((256, 3), np.uint8)
    colors[: min(len(palette), UNKNOWN)] = palette[:UNKNOWN]
    return colors[classes]


def unpaint(picture: np.ndarray, palette: np.ndarray, *, nearest: bool = False) -> tuple[np.ndarray, int]:
    """The classes uint8 [H, W] of a color picture uint8 [H, W, 3], and how many of its pixels bear no color of the palette.

    Of classes that share a color the first is taken. Black is unknown where it is no color of the palette. A pixel of
    another color is unknown, or, with `nearest`, of the class whose color is nearest in RGB.
    """
    distinct, first = np.unique(_codes(palette[:UNKNOWN]), return_index=True)
    codes = _codes(picture)
    found, back = np.unique(codes, return_inverse=True)
    places = np.searchsorted(distinct, found).clip(max=len(distinct) - 1)
    known = distinct[places] == found
    classes = np.where(known, first[places], UNKNOWN)
    strange = ~known & (found != 0)
    if nearest and strange.any():
        colors = np.stack([found[strange] >> shift & 255 for shift in (16, 8, 0)], axis=-1)
        # A palette of 255 colors against 2 ** 16 colors of a picture at a time: 200 MB at most.
        classes[strange] = np.concatenate([
            np.square(part[:, None] - palette[None, :UNKNOWN].astype(np.int32)).sum(-1).argmin(1)
            for part in np.array_split(colors.astype(np.int32), -(-len(colors) // 2**16))
        ])  # fmt: skip
    back = back.reshape(codes.shape)
    return classes.astype(np.uint8)[back], int(strange[back].sum())


def _codes(colors: np.ndarray) -> np.ndarray:
    """One number for each color [..., 3]."""
    red, green, blue = np.moveaxis(colors.astype(np.int32), -1, 0)
    return red << 16 | green << 8 | blue


def read_palette(settings: Settings, *, sample: Path | None = None) -> tuple[np.ndarray, bool]:
    """The colors of the classes, uint8 [N, 3], and whether they are the set's own: only those tell classes of colors.

    They are those that `config.data.palette` names: a palette here, or a CSV file with a line red,green,blue for each
    class. "auto" is ROOT/palette.csv, the palette inside of the label files, the palette here that bears the name of
    the folder, that of Cityscapes in its layout, or else hues far from one another, the first of these that there is.

    Args:
      settings: the data settings.
      sample: a label map, which may have a palette inside.

    Raises:
      InputError: there is no such palette, or its file is not one.
    """
    folder = Path(settings.folder)
    if settings.palette != "auto":
        if settings.palette in PALETTES:
            return np.array(PALETTES[settings.palette], np.uint8), True
        return _read_colors(Path(settings.palette).expanduser()), True
    if (folder / "palette.csv").is_file():
        return _read_colors(folder / "palette.csv"), True
    inside = _inside(sample)
    if inside is not None:
        return np.concatenate([inside, hues()[len(inside) :]]), True
    name = {"plain": folder.name, "cityscapes": "cityscapes"}.get(settings.layout)
    if name in PALETTES:
        return np.array(PALETTES[name], np.uint8), True
    return hues(), False


def hues() -> np.ndarray:
    """255 colors that differ, for classes that have none, uint8 [255, 3]."""
    found = [colorsys.hsv_to_rgb(k * GOLDEN % 1, (1, 0.8)[k % 2], (1, 0.85, 0.7)[k % 3]) for k in range(UNKNOWN)]
    return np.rint(255 * np.array(found)).astype(np.uint8)


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
