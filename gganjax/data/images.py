"""Picture files to uint8 arrays [H, W, 3], whatever kind of file they are.

Photographs come as 8-bit gray, palette, alpha, 16-bit or CMYK files and with an orientation note (EXIF); all of them
become upright RGB. Transparent parts show `background`: white for photographs, black for skeletons.
"""

import io
import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from gganjax.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


def read_image(path, size=None, *, background: int = 255) -> np.ndarray:
    """Reads a picture file into uint8 [H, W, 3].

    Args:
      path: the file.
      size: (height, width) to resize to, by the bicubic filter; None keeps the size of the file.
      background: gray level, 0 to 255, that shows through transparent parts.

    Raises:
      InputError: the file is missing or is not a whole picture.
    """
    return resize(decode(Path(path), background=background), size)


def resize(picture: np.ndarray, size, *, by: str = "bicubic") -> np.ndarray:
    """Resizes uint8 [H, W, C] or [H, W] to (height, width); the same size, or None, changes nothing.

    by: "bicubic", "bilinear" or "nearest".
    """
    if size is None or picture.shape[:2] == tuple(size):
        return picture
    return np.asarray(Image.fromarray(picture).resize((size[1], size[0]), Image.Resampling[by.upper()]))


def middle(shape, cut) -> tuple[int, int, int, int]:
    """(top, left, height, width) of the middle of [H, W, ...]: `cut` is (height, width), or one number for both.

    0 takes everything, and a side that is shorter stays whole. Halves are rounded to even numbers, as by
    torchvision's center crop.
    """
    wanted = (cut, cut) if isinstance(cut, int) else cut
    height, width = (min(side or full, full) for side, full in zip(wanted, shape[:2], strict=True))
    return round((shape[0] - height) / 2), round((shape[1] - width) / 2), height, width


def fit(picture: np.ndarray, size, *, center_crop=0, by: str = "bicubic") -> np.ndarray:
    """Cuts the middle out, where one is asked for (see `middle`), and resizes to (height, width)."""
    top, left, height, width = middle(picture.shape, center_crop)
    return resize(picture[top : top + height, left : left + width], size, by=by)


class Packed(io.BytesIO):
    """A picture file in memory, under the name that errors call it; it may stand in a path's place to be decoded."""

    def __init__(self, content: bytes, name: str):
        super().__init__(content)
        self.name = name

    def __str__(self) -> str:
        return self.name

    @property
    def suffix(self) -> str:
        """The ending of the name, as of a path."""
        return Path(self.name).suffix


def decode(file: Path | Packed, *, background: int = 255) -> np.ndarray:
    """Decodes a picture file into uint8 [H, W, 3] at its own size."""
    try:
        with Image.open(file) as image:
            image.load()
            return np.asarray(_to_rgb(ImageOps.exif_transpose(image), background))
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError, struct.error, ... depending on the format
        raise InputError(f"{file} cannot be read as a picture: {_reason(file, error)}.") from error


def _to_rgb(image: Image.Image, background: int) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit gray; Pillow's own conversion would clip at 255 instead of scaling
        levels = np.asarray(image).astype(np.int64)
        if levels.max(initial=0) > 255:
            levels = levels // 257
        image = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        below = Image.new("RGBA", image.size, (background, background, background, 255))
        image = Image.alpha_composite(below, image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _reason(file, error: Exception) -> str:
    if isinstance(file, (str, os.PathLike)):
        path = Path(file)
        if not path.exists():
            return "there is no such file"
        if path.is_dir():
            return "it is a folder"
        if path.stat().st_size == 0:
            return "it is empty (zero bytes)"
    text = str(error)
    if "cannot identify" in text:
        return "its content is no picture format"
    return text.splitlines()[0].rstrip(".") if text else type(error).__name__
