"""The user's own images translated to the user's own skeletons, or to the domains of a run, one by one and as a grid.

The grid is that of thesis Figure 2.8: a row for each image, a column for each skeleton or domain. Of a method that makes
photos of label maps the images are such maps, edited ones for example, and the columns are styles.
"""

import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from gganjax import data, report, use
from gganjax.data import guides, labels, maps
from gganjax.data import settings as data_settings
from gganjax.data.folders import fit_figure
from gganjax.data.images import SUFFIXES, fit
from gganjax.data.keypoints import ENDINGS, read_figures
from gganjax.data.palettes import paint
from gganjax.data.skeletons import visible
from gganjax.errors import InputError

log = logging.getLogger("gganjax")

MOST = 16  # skeletons that one grid holds
ALONE = "translated"  # name of the only column of a method that takes nothing but an image


def run(folder: str | Path, *, images: Sequence[str], keypoints: Sequence[str] = (),
        source_keypoints: Sequence[str] = (), skeletons: Sequence[str] = (), domains: Sequence[str] = (),
        instances: Sequence[str] = (), styles: int = 1, output: str | Path | None = None) -> list[Path]:
    """Translate every image to every skeleton, to every domain, or in the one way that the method knows.

    Args:
        folder: a run folder, or a folder that `use.load` takes.
        images: picture files, or folders of them; resized to the size that the networks were trained on. For a method
            that takes labels they are label maps: one byte a pixel, or the colors of the data set's palette.
        keypoints: key-point files, drawn as in training: JSON in the format of the data folders, or OpenPose JSON,
            whose coordinates are then taken as pixels of the first image.
        source_keypoints: key-point files of the images themselves, each under its file's name, for a method that sees
            the pose of the source, too; by default the files of `keypoints`.
        skeletons: pictures of skeletons drawn as in training, or folders of them.
        domains: names of domains, or several joined by "+" where a picture may be in several; by default every one.
        instances: instance maps of the label maps, each under its file's name, for a method that sees them; without any
            every region of one class is one instance.
        styles: pictures of every image where nothing else makes columns, with the seeds 0, 1, ...: a method with an
            encoder draws a style for each.
        output: folder to write to; by default `translations` in the run folder.

    Returns:
        The files written, the grid last: `IMAGE__SKELETON.png`, `IMAGE__DOMAIN.png`, `IMAGE__translated.png` or
        `IMAGE__style_1.png` for every translation, what else the method returns with the name of that output behind,
        and grid.png.

    Raises:
        InputError: a file is missing or cannot be read, there is nothing to translate, or the method takes something
            else.
    """
    translator = use.load(folder)
    method = translator.method
    settings = data_settings.resolve(translator.config["data"])
    given = dict(target_guidance=[*keypoints, *skeletons], target_domain=domains)
    inputs = tuple(name for name in method.inputs if name not in ("source_guidance", "instances"))
    wanted = next((name for name in given if inputs == ("source", name)), None)
    if wanted is None and inputs not in (("source",), ("labels",)):
        taken = ", ".join(method.inputs)
        if {"audio", "poses", "skeletons"} & {*method.inputs}:
            raise InputError(f"{method.name} takes {taken}: python -m experiments.dance makes dances and videos.")
        raise InputError(
            f"{method.name} takes {taken}, expected labels, or source alone or with {' or '.join(given)}.")
    for name, flags in dict(target_guidance="--keypoints and --skeletons", target_domain="--domains").items():
        if given[name] and name != wanted:
            raise InputError(f"{method.name} takes {' and '.join(method.inputs)}, but {flags} give it {name}.")
    for flag, files, name in (("source_keypoints", source_keypoints, "source_guidance"), ("instances", instances, "instances")):
        if files and name not in method.inputs:
            raise InputError(f"{method.name} takes {' and '.join(method.inputs)}, but --{flag} gives it {name}.")
    if styles < 1 or (styles > 1 and wanted):
        raise InputError(f"--styles must be {f'1 where {wanted} makes the columns' if wanted else 'at least 1'}, found {styles}.")
    paths = [path for name in images for path in _files(name, SUFFIXES)]
    rows = {}
    for path in paths:
        rows[_free(path.stem, rows)] = _source(path, settings) if inputs[0] == "source" else translator.read_labels(path)
    if not rows:
        raise InputError("there is nothing to translate: give --images=FILE, a picture or a folder of pictures.")
    fixed = {inputs[0]: np.stack(list(rows.values()))}
    if "source_guidance" in method.inputs:
        fixed["source_guidance"] = np.stack([*_poses(source_keypoints or keypoints, paths, settings)])
    if "instances" in method.inputs:
        fixed["instances"] = _instances(instances, paths, settings) if instances else fixed["labels"]
    if wanted == "target_guidance":
        columns = _guidance(keypoints, skeletons, paths[0], settings, channels=method.fields[wanted].shape[-1])
    elif wanted == "target_domain":
        columns = {name: use.domain_vector(name, method.domains) for name in domains or method.domains}
    else:
        columns = {f"style_{seed + 1}": seed for seed in range(styles)} if styles > 1 else {ALONE: 0}
    output = Path(output) if output else Path(folder) / "translations"
    output.mkdir(parents=True, exist_ok=True)
    sources = fixed[inputs[0]]
    if inputs[0] == "labels":
        reader, palette = labels.user_reader(settings, paths[0])
        sources = paint(sources, palette[: reader.classes])
    blank, panels, written = np.full_like(sources[:1], 255), {inputs[0]: sources}, []
    if wanted == "target_guidance":  # a row of skeletons above the images
        panels["source"] = np.concatenate([blank, sources])
    for column, target in columns.items():
        made = translator(**fixed, **({wanted: np.stack([target] * len(sources))} if wanted else {"seed": target}))
        outputs = made if isinstance(made, dict) else {"fake_target": made}
        for name, pictures in outputs.items():
            pictures, title = report.as_picture(pictures), column if name == "fake_target" else f"{column}__{name}"
            for row, picture in zip(rows, pictures, strict=True):
                written.append(output / f"{row}__{title}.png")
                report.save(picture, written[-1])
            if wanted == "target_guidance":
                above = report.as_picture(target[None]) if name == "fake_target" else blank
                pictures = np.concatenate([_rgb(above), _rgb(pictures)])
            panels[_free(title, panels)] = pictures
    written.append(output / "grid.png")
    report.grid(panels).save(written[-1])
    return written


def _rgb(pictures: np.ndarray) -> np.ndarray:
    return np.broadcast_to(pictures, (*pictures.shape[:3], 3))


def _source(path: Path, settings: data_settings.Settings) -> np.ndarray:
    """A picture of the user's as the sources of training are; a label map in its colors where these are label maps."""
    if settings.kind == "labels" and not settings.exchange and maps.is_map(path):
        reader, palette = labels.user_reader(settings, path)
        return paint(reader.read(path, settings.crop, settings.center), palette)
    return fit(data.read_image(path), settings.crop, center_crop=settings.center, by=settings.resize)


def _instances(names: Sequence[str], paths: Sequence[Path], settings: data_settings.Settings) -> np.ndarray:
    """The instance map of every label map, at the size of training; its file bears the same name but for the ending."""
    files = {path.stem: path for name in names for path in _files(name, SUFFIXES)}
    for path in paths:
        if path.stem not in files:
            raise InputError(f"the instance map of {path.name} is missing: --instances must hold a picture {path.stem}.")
    found = [maps.read_integers(files[path.stem], settings.crop, settings.center) for path in paths]
    return np.stack(found).astype(np.int32)


def _guidance(keypoints: Sequence[str], skeletons: Sequence[str], first: Path, settings: data_settings.Settings, *,
              channels: int) -> dict[str, np.ndarray]:
    """The skeletons by name, at the size of training."""
    if skeletons and channels != 3:
        raise InputError(f"the method takes a map for each of {channels} joints: give --keypoints=FILE.json instead.")
    columns = {}
    for path in (path for name in keypoints for path in _files(name, ENDINGS)):
        for name, drawn in _drawn(path, first, settings):
            columns[_free(name, columns)] = drawn
    for path in (path for name in skeletons for path in _files(name, SUFFIXES)):
        columns[_free(path.stem, columns)] = data.read_image(path, settings.crop)
    if not columns:
        raise InputError("there is no target skeleton: give --keypoints=FILE.json or --skeletons=FILE.")
    if len(columns) > MOST:
        log.warning("of %d skeletons the first %d are used", len(columns), MOST)
    return dict(list(columns.items())[:MOST])


def _drawn(path: Path, first: Path, settings: data_settings.Settings) -> Iterator[tuple[str, np.ndarray]]:
    """The figures of a key-point file by name, drawn at the size of training."""
    size, figures = read_figures(path, parts=settings.parts)
    found = {name: figure for name, figure in figures.items() if visible(figure)}
    if not found:
        raise InputError(f"{path} holds no key point that was found, expected at least one hand, body or face.")
    shape = size or data.read_image(first).shape[:2]
    for name, figure in found.items():
        figure = fit_figure(figure, shape, settings.crop, settings.center)
        yield Path(name).stem, guides.draw(
            figure, settings.crop, style=settings.guidance, line_width=settings.line_width)


def _poses(names: Sequence[str], paths: Sequence[Path], settings: data_settings.Settings) -> Iterator[np.ndarray]:
    """The pose of every image, drawn at the size of training; a row bears the image's name, or that without its ending."""
    files, found = [path for name in names for path in _files(name, ENDINGS)], {}
    for file in files:
        size, figures = read_figures(file, parts=settings.parts)
        found |= {name: (figure, size) for name, figure in figures.items() if visible(figure)}
    for path in paths:
        figure, size = found.get(path.name) or found.get(path.stem) or ((), None)
        if not figure:
            where = ", ".join(map(str, files)) or "no file"
            raise InputError(f"the pose of {path.name} is missing, which this method sees too: --source_keypoints (by "
                             f"default --keypoints) must hold its key points under that name, found none in {where}.")
        figure = fit_figure(figure, size or data.read_image(path).shape[:2], settings.crop, settings.center)
        yield guides.draw(figure, settings.crop, style=settings.guidance, line_width=settings.line_width)


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
