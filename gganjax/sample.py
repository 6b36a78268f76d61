"""The user's own images translated to the user's own skeletons, or to the domains of a run, one by one and as a grid.

The grid is that of thesis Figure 2.8: a row for each image, a column for each skeleton or domain. Of a method that makes
photos of label maps the images are such maps, edited ones for example, and the columns are styles. Whatever else a
method takes belongs to an image or to a skeleton, and is found by its file's name.
"""

import itertools
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from gganjax import core, data, report, use
from gganjax.data import guides, labels, maps, strips
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
DANCES = ("audio", "poses", "skeletons")  # inputs of methods that another command is for
FLAGS = {  # what gives each input of a method
    "source": ("images",), "labels": ("images",), "source_guidance": ("source_keypoints",),
    "instances": ("instances",), "target_guidance": ("keypoints", "skeletons"), "target_classes": ("classes",),
    "target_domain": ("domains",),
}


def run(folder: str | Path, *, images: Sequence[str], keypoints: Sequence[str] = (),
        source_keypoints: Sequence[str] = (), skeletons: Sequence[str] = (), classes: Sequence[str] = (),
        domains: Sequence[str] = (), instances: Sequence[str] = (), styles: int = 1,
        output: str | Path | None = None) -> list[Path]:
    """Translate every image to every skeleton, to every domain, or in the one way that the method knows.

    Args:
        folder: a run folder, or a folder that `use.load` takes.
        images: picture files, or folders of them; resized to the size that the networks were trained on. For a method
            that takes labels they are label maps: one byte a pixel, or the colors of the data set's palette.
        keypoints: key-point files, drawn as in training: JSON in the format of the data folders, or OpenPose JSON,
            whose coordinates are then taken as pixels of the first image.
        source_keypoints: key-point files of the images themselves, each under its file's name, for a method that sees
            the pose of the source, too; by default the files of `keypoints`.
        skeletons: pictures of skeletons drawn as in training, or what else guides a method, or folders of them.
        classes: class maps that belong to the skeletons, each under its file's name, for a method that sees the classes
            of the target: numbers, or gray values as in strips, see `strips.user_classes`.
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
    _check_inputs(method, dict(images=images, keypoints=keypoints, source_keypoints=source_keypoints,
                               skeletons=skeletons, classes=classes, domains=domains, instances=instances))
    targets = [name for name in ("target_guidance", "target_domain") if name in method.inputs]
    if styles < 1 or (styles > 1 and targets):
        wanted = f"1 where {' and '.join(targets)} makes the columns" if targets else "at least 1"
        raise InputError(f"--styles must be {wanted}, found {styles}.")
    paths = [path for name in images for path in _files(name, SUFFIXES)]
    if not paths:
        raise InputError("there is nothing to translate: give --images=FILE, a picture or a folder of pictures.")
    rows: list[str] = []
    for path in paths:
        rows.append(_free(path.stem, rows))
    fixed = _of_images(translator, paths, settings, source_keypoints or keypoints, instances)
    columns = _of_targets(method, paths[0], settings, keypoints=keypoints, skeletons=skeletons, classes=classes,
                          domains=domains)
    seeds = dict.fromkeys(columns or [ALONE], 0)
    if styles > 1:
        seeds = {f"style_{seed + 1}": seed for seed in range(styles)}
    output = Path(output) if output else Path(folder) / "translations"
    output.mkdir(parents=True, exist_ok=True)
    shown = "source" if "source" in method.inputs else "labels"
    sources = fixed[shown]
    if shown == "labels":
        reader, palette = labels.user_reader(settings, paths[0])
        sources = paint(sources, palette[: reader.classes])
    blank, panels, written = np.full_like(sources[:1], 255), {shown: sources}, []
    if "target_guidance" in targets:  # a row of skeletons above the images
        panels["source"] = np.concatenate([blank, sources])
    for column, seed in seeds.items():
        target = columns.get(column, {})
        made = translator(**fixed, **{name: np.stack([x] * len(sources)) for name, x in target.items()}, seed=seed)
        outputs = made if isinstance(made, dict) else {"fake_target": made}
        for name, pictures in outputs.items():
            pictures, title = report.as_picture(pictures), column if name == "fake_target" else f"{column}__{name}"
            for row, picture in zip(rows, pictures, strict=True):
                written.append(output / f"{row}__{title}.png")
                report.save(picture, written[-1])
            if "target_guidance" in targets:
                above = report.as_picture(target["target_guidance"][None]) if name == "fake_target" else blank
                pictures = np.concatenate([_rgb(above), _rgb(pictures)])
            panels[_free(title, panels)] = pictures
    written.append(output / "grid.png")
    report.grid(panels).save(written[-1])
    return written


def _check_inputs(method: core.Method, given: Mapping[str, Sequence[str]]) -> None:
    """Every input of the method has a flag, and every flag that is given an input."""
    taken = " and ".join(method.inputs)
    for name in method.inputs:
        if name not in FLAGS:
            other = "python -m experiments.dance makes dances and videos" if name in DANCES else "gganjax.load in Python does"
            raise InputError(f"{method.name} takes {taken}, but no flag gives it {name}: {other}.")
    for flag, files in given.items():
        named = [name for name, flags in FLAGS.items() if flag in flags]
        if files and not {*named} & {*method.inputs}:
            raise InputError(f"{method.name} takes {taken}, but --{flag} gives it {named[0]}.")


def _of_images(translator: use.Translator, paths: Sequence[Path], settings: data_settings.Settings,
               keypoints: Sequence[str], instances: Sequence[str]) -> dict[str, np.ndarray]:
    """What a method takes of the images, by input: arrays of a row for each."""
    taken, found = translator.method.inputs, {}
    if "source" in taken:
        found["source"] = np.stack([_source(path, settings) for path in paths])
    if "labels" in taken:
        found["labels"] = np.stack([translator.read_labels(path) for path in paths])
    if "source_guidance" in taken:
        found["source_guidance"] = np.stack([*_poses(keypoints, paths, settings)])
    if "instances" in taken:
        found["instances"] = _instances(instances, paths, settings) if instances else found["labels"]
    return found


def _of_targets(method: core.Method, first: Path, settings: data_settings.Settings, *, keypoints: Sequence[str],
                skeletons: Sequence[str], classes: Sequence[str], domains: Sequence[str]) -> dict[str, dict]:
    """What a method takes of what the images are translated to: arrays by input, by name; {} if it takes nothing."""
    choices = []
    if "target_guidance" in method.inputs:
        channels = method.fields["target_guidance"].shape[-1]
        drawn = _guidance(keypoints, skeletons, first, settings, channels=channels)
        found = {name: {"target_guidance": picture} for name, picture in drawn.items()}
        if "target_classes" in method.inputs:
            for name, numbers in _classes(classes, drawn, settings, method.fields["target_classes"]).items():
                found[name]["target_classes"] = numbers
        choices.append(found)
    if "target_domain" in method.inputs:
        choices.append({name: {"target_domain": use.domain_vector(name, method.domains)}
                        for name in domains or method.domains})
    columns: dict[str, dict] = {}
    for chosen in itertools.product(*(choice.items() for choice in choices)) if choices else ():
        columns["__".join(name for name, _ in chosen)] = {key: x for _, part in chosen for key, x in part.items()}
    return columns


def _rgb(pictures: np.ndarray) -> np.ndarray:
    return np.broadcast_to(pictures, (*pictures.shape[:3], 3))


def _source(path: Path, settings: data_settings.Settings) -> np.ndarray:
    """A picture of the user's as the sources of training are; a label map in its colors where these are label maps."""
    if labels.holds_labels(settings) and not settings.exchange and maps.is_map(path):
        reader, palette = labels.user_reader(settings, path)
        return paint(reader.read(path, settings.crop, settings.center), palette)
    return fit(data.read_image(path), settings.crop, center_crop=settings.center, by=settings.resize)


def _instances(names: Sequence[str], paths: Sequence[Path], settings: data_settings.Settings) -> np.ndarray:
    """The instance map of every label map, at the size of training; its file bears the same name but for the ending."""
    files = _beside(names, {path.stem: path.name for path in paths}, what="instance map", flag="--instances")
    found = [maps.read_integers(files[path.stem], settings.crop, settings.center) for path in paths]
    return np.stack(found).astype(np.int32)


def _classes(names: Sequence[str], columns: Iterable[str], settings: data_settings.Settings,
             field: core.Field) -> dict[str, np.ndarray]:
    """The class map of every skeleton, at the size of training; its file bears the same name but for the ending."""
    files = _beside(names, {name: name for name in columns}, what="class map", flag="--classes")
    return {name: strips.user_classes(files[name], settings, highest=int(field.high)) for name in columns}


def _beside(names: Sequence[str], wanted: Mapping[str, str], *, what: str, flag: str) -> dict[str, Path]:
    """The files by name without ending; `wanted` are those that must be there, and what each belongs to."""
    files = {path.stem: path for name in names for path in _files(name, SUFFIXES)}
    for stem, owner in wanted.items():
        if stem not in files:
            raise InputError(f"the {what} of {owner} is missing: {flag} must hold a picture {stem}.")
    return files


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


def _free(name: str, taken: Collection[str]) -> str:
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
