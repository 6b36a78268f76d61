"""The user's own images translated to the user's own skeletons, one by one and as a grid.

The grid is that of thesis Figure 2.8: a row for each image, a column for each skeleton.
"""

import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from gganjax import data, report, use
from gganjax.data import settings as data_settings
from gganjax.data.keypoints import read_figures
from gganjax.data.skeletons import move, visible
from gganjax.errors import InputError

log = logging.getLogger("gganjax")

MOST = 16  # skeletons that one grid holds
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")


def run(folder: str | Path, *, images: Sequence[str], keypoints: Sequence[str] = (), skeletons: Sequence[str] = (),
        output: str | Path | None = None) -> list[Path]:
    """Translate every image to every skeleton.

    Args:
        folder: a run folder, or a folder that `use.load` takes.
        images: picture files, or folders of them; resized to the size that the networks were trained on.
        keypoints: key-point files, drawn as in training: JSON in the format of the data folders, or OpenPose JSON,
            whose coordinates are then taken as pixels of the first image.
        skeletons: pictures of skeletons drawn as in training, or folders of them.
        output: folder to write to; by default `translations` in the run folder.

    Returns:
        The files written, the grid last: `IMAGE__SKELETON.png` for every translation, and grid.png.

    Raises:
        InputError: a file is missing or cannot be read, or there is nothing to translate.
    """
    translator = use.load(folder)
    if translator.method.inputs != ("source", "target_guidance"):
        wanted = ", ".join(translator.method.inputs)
        raise InputError(f"{translator.method.name} takes {wanted}, expected a method of source and target_guidance.")
    settings = data_settings.resolve(translator.config["data"])
    size = (settings.crop_size, settings.crop_size)
    rows, columns = {}, {}
    paths = [path for name in images for path in _files(name, PICTURES)]
    for path in paths:
        rows[_free(path.stem, rows)] = data.read_image(path, size)
    if not rows:
        raise InputError("there is nothing to translate: give --images=FILE, a picture or a folder of pictures.")
    for path in (path for name in keypoints for path in _files(name, (".json",))):
        for name, picture in _drawn(path, paths[0], settings):
            columns[_free(name, columns)] = picture
    for path in (path for name in skeletons for path in _files(name, PICTURES)):
        columns[_free(path.stem, columns)] = data.read_image(path, size)
    if not columns:
        raise InputError("there is no target skeleton: give --keypoints=FILE.json or --skeletons=FILE.")
    if len(columns) > MOST:
        log.warning("of %d skeletons the first %d are used", len(columns), MOST)
        columns = dict(list(columns.items())[:MOST])
    output = Path(output) if output else Path(folder) / "translations"
    output.mkdir(parents=True, exist_ok=True)
    sources = np.stack(list(rows.values()))
    panels = {"source": np.concatenate([np.full_like(sources[:1], 255), sources])}
    written = []
    for column, guidance in columns.items():
        made = translator(source=sources, target_guidance=np.stack([guidance] * len(sources)))
        for row, image in zip(rows, made, strict=True):
            written.append(output / f"{row}__{column}.png")
            Image.fromarray(image).save(written[-1])
        panels[_free(column, panels)] = np.concatenate([guidance[None], made])
    written.append(output / "grid.png")
    report.grid(panels).save(written[-1])
    return written


def _drawn(path: Path, first: Path, settings: data_settings.Settings) -> Iterator[tuple[str, np.ndarray]]:
    """The figures of a key-point file by name, drawn at the size of training."""
    size, figures = read_figures(path, parts=settings.parts)
    found = {name: figure for name, figure in figures.items() if visible(figure)}
    if not found:
        raise InputError(f"{path} holds no key point that was found, expected at least one hand or body.")
    side = settings.crop_size
    height, width = size or data.read_image(first).shape[:2]
    for name, figure in found.items():
        figure = move(figure, scale=(side / height, side / width))
        yield Path(name).stem, data.draw_skeleton(
            figure, (side, side), line_width=settings.line_width or None, style=settings.guidance)


def _free(name: str, taken: Mapping) -> str:
    """The name, with a number behind it if it is taken."""
    numbered = (f"{name}-{i}" for i in itertools.count(2))
    return next(free for free in itertools.chain([name], numbered) if free not in taken)


def _files(name: str | Path, endings: tuple[str, ...]) -> list[Path]:
    """The file itself, or the files of a folder with one of the endings, sorted."""
    path = Path(name)
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.suffix.lower() in endings)
        if not found:
            raise InputError(f"{path} holds no file that ends in {', '.join(endings)}.")
        return found
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected a file or a folder.")
    return [path]
