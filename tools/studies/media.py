"""Pictures and videos of a study: found, matched, checked, and written under names that tell nothing.

Pictures are decoded and encoded anew as RGB PNG files without metadata and without compression, so that pictures of
one size make files of one size, whatever they show. Videos are copied as they are: their length in bytes and what
their maker wrote into them remain.
"""

import io
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from gganjax.errors import InputError

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
VIDEOS = (".mp4", ".webm", ".gif", ".png", ".apng")
WRITTEN = 1577836800  # seconds since 1970; the time of every file, so that times do not tell the order of writing


def match(folders: Mapping[str, str | Path], *, video: bool) -> tuple[list[dict[str, Path]], list[Path]]:
    """Find the files that have the same name, but for the ending, in every folder.

    Args:
        folders: source (real, generated, a method, condition) -> folder.
        video: whether to look for videos or for pictures.

    Returns:
        One dictionary, source -> file, for each name, sorted by name; and the files without a counterpart.

    Raises:
        InputError: a folder is missing or empty, a name occurs twice, or no name is in all folders.
    """
    found = {source: listed(folder, video=video) for source, folder in folders.items()}
    names = set.intersection(*(set(files) for files in found.values()))
    if not names:
        examples = ", ".join(f"{folders[source]} has {min(files)}" for source, files in found.items())
        raise InputError(f"no file name is in all of the folders: {examples}.")
    alone = [path for files in found.values() for name, path in files.items() if name not in names]
    return [{source: files[name] for source, files in found.items()} for name in sorted(names)], alone


def listed(folder: str | Path, *, video: bool) -> dict[str, Path]:
    """Returns the pictures or videos of a folder, name without ending -> file, sorted."""
    folder, endings = Path(folder), VIDEOS if video else PICTURES
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder.")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in endings and path.is_file():
            if path.stem in files:
                raise InputError(f"{folder} has two files named {path.stem}: {files[path.stem].name} and {path.name}.")
            files[path.stem] = path
    if not files:
        kind = "videos" if video else "pictures"
        raise InputError(f"{folder} has no {kind}: expected files ending in {', '.join(endings)}.")
    return files


def check_pictures(paths: list[Path], resize: tuple[int, int] | None) -> tuple[int, int]:
    """Read every picture once, and return the one (width, height) in pixels that all will have.

    Raises:
        InputError: a file that cannot be read, an animation, or pictures of different sizes with no `resize`.
    """
    sizes: dict[tuple[int, int], Path] = {}
    for path in paths:
        sizes.setdefault(_open(path).size, path)
    if resize:
        return resize
    if len(sizes) > 1:
        (one, first), (two, second) = list(sizes.items())[:2]
        raise InputError(
            f"the pictures of a study must have one size, which would tell them apart: {first} has {one[0]}x{one[1]}, "
            f"{second} has {two[0]}x{two[1]} pixels; --resize=WIDTHxHEIGHT makes them alike."
        )
    return next(iter(sizes))


def check_videos(paths: list[Path]) -> None:
    """Raise InputError where videos to choose among have different endings, which would tell them apart."""
    endings: dict[str, Path] = {}
    for path in paths:
        endings.setdefault(path.suffix.lower(), path)
    if len(endings) > 1:
        one, two = list(endings.values())[:2]
        raise InputError(f"the videos to choose among must be files of one kind, found {one} and {two}.")


def opaque_names(random: np.random.Generator, paths: list[Path], *, video: bool) -> list[str]:
    """Draw one file name for each file: 16 hexadecimal digits and an ending."""
    names = [random.bytes(8).hex() for _ in paths]
    return [name + (path.suffix.lower() if video else ".png") for name, path in zip(names, paths, strict=True)]


def write(path: Path, source: Path, *, size: tuple[int, int] | None) -> None:
    """Write one file of a study: a picture of `size` (width, height) in pixels, or with None a copy of a video."""
    if size:
        path.write_bytes(encode(source, size))
    else:
        shutil.copyfile(source, path)
    os.utime(path, (WRITTEN, WRITTEN))


def encode(source: Path, size: tuple[int, int]) -> bytes:
    """The PNG file of a picture; its length depends on `size` (width, height) in pixels alone."""
    picture = _open(source)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(picture)).save(buffer, "PNG", compress_level=0)  # a fresh image has no metadata
    return buffer.getvalue()


def _open(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            if getattr(picture, "n_frames", 1) > 1:
                raise InputError(f"{path} is animated; this study shows still pictures.")
            return ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be read as a picture: {error}.") from None
