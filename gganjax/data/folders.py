"""A plain folder of pictures with pairs and key points.

    ROOT/train/NAME.jpg             pictures
    ROOT/train_pairs.csv            source,target: names of the same split
    ROOT/train_keypoints.json       {"image_size": [w, h], "images": {NAME: {"hands": [{"points": [[x, y, confidence], ...]}]}}}
    ROOT/train_landmarks.json       of faces, {NAME: {"person": ..., "expression": ..., "face68": [[x, y, ...], ...]}}
    ROOT/train_keypoints/           or OpenPose files, STEM[_000000000000]_keypoints.json
    ROOT/train_skeletons/           or skeleton pictures, STEM.png

and the same with `test`. Without a list the pairs are pictures of one person, see `config.data.pairs`.
"""

import csv
from functools import partial
from pathlib import Path
from typing import NamedTuple

from gganjax.data import images, keypoints, skeletons, verify
from gganjax.data.settings import Settings
from gganjax.data.source import Memory, Panel, Source
from gganjax.errors import InputError


class Listing(NamedTuple):
    """A folder after all checks: what is read from where."""

    root: Path
    split: str
    pairs: list  # (source name, target name)
    figures: dict | None  # name -> figure in pixels of the file; None where guidance comes as pictures
    skeletons: dict  # name -> path of a skeleton picture, relative to root
    facts: dict


def open_folder(settings: Settings, split: str, *, size: tuple[int, int]) -> Source:
    """Opens the pairs of one split with panels of that (height, width)."""
    listing = list_folder(settings, split)
    memory = Memory(settings.memory)

    def panel(name: str) -> Panel:
        whole = images.read_image(listing.root / split / name)
        fit = partial(images.fit, size=size, center_crop=settings.center_crop, by=settings.resize)
        picture = fit(whole)
        if listing.figures is None:
            drawn = images.read_image(listing.root / listing.skeletons[name], background=0)
            return Panel(picture, guidance=fit(drawn))
        return Panel(picture, figure=fit_figure(listing.figures[name], whole.shape, size, settings.center_crop))

    def load(index: int) -> tuple[Panel, Panel]:
        source, target = listing.pairs[index]
        return memory.get(source, lambda: panel(source)), memory.get(target, lambda: panel(target))

    names = [pair_name(source, target) for source, target in listing.pairs]
    return Source(names, load, listing.facts, size=size, mirrored=False)


def fit_figure(figure: list, shape: tuple, size: tuple[int, int], center_crop: int) -> list:
    """Moves key points as `images.fit` moves a picture of that shape."""
    top, left, height, width = images.middle(shape, center_crop)
    if (top, left) != (0, 0):
        figure = skeletons.move(figure, offset=(top, left))
    return skeletons.move(figure, scale=(size[0] / height, size[1] / width))


def pair_name(source: str, target: str) -> str:
    """The name of a pair in result files: the two stems, folders joined by underscores."""
    return "__".join(name.rpartition(".")[0].replace("/", "_") for name in (source, target))


def list_folder(settings: Settings, split: str) -> Listing:
    """Reads the lists of a folder and verifies every picture that they name.

    Raises:
      InputError: see the messages; nothing that is wrong with the folder is found later than here.
    """
    root = Path(settings.folder)
    if not root.is_dir():
        raise InputError(f"config.data.folder names {root}, but there is no such folder.")
    if not (root / split).is_dir():
        raise InputError(f"The pictures of the {split} split must be in {root / split}, but there is no such folder.")
    pairs, list_of_pairs = _pairs(root, split, settings)
    names = sorted({name for pair in pairs for name in pair})
    for name in names:
        if not (root / split / name).is_file():
            raise InputError(f"{list_of_pairs} names {name}, but there is no file {root / split / name}.")
    declared, figures, pictures = _read_guidance(root, split, names, settings)
    guided = {name for name in names if (pictures.get(name) if figures is None else skeletons.visible(figures.get(name, ())))}
    missing = sorted(set(names) - guided)

    files = {f"{split}/{name}" for name in guided} | {pictures[name] for name in guided if figures is None}
    sizes, bad = verify.verify(root, files, threads=settings.threads)
    if settings.bad_files == "stop":
        verify.complain(bad, len(files), root)
    usable = {name for name in guided if f"{split}/{name}" in sizes and (figures is not None or pictures[name] in sizes)}
    for name in sorted(usable) if declared else ():
        if sizes[f"{split}/{name}"] != declared:
            height, width = sizes[f"{split}/{name}"]
            raise InputError(
                f"The key points of the {split} split in {root} are for pictures of {declared[1]}x{declared[0]},"
                f" but {name} is {width}x{height}."
            )
    kept = [pair for pair in pairs if pair[0] in usable and pair[1] in usable]
    if not kept:
        reason = f"{len(missing)} of {len(names)} pictures have no key points, {len(bad)} cannot be read"
        raise InputError(f"No pair of the {split} split in {root} can be used: {reason}.")
    facts = dict(
        kind="folder",
        folder=str(root),
        split=split,
        pairs=len(kept),
        pictures=len({name for pair in kept for name in pair}),
        sizes=count_sizes(sizes[f"{split}/{name}"] for name in usable),
        pairs_left_out=len(pairs) - len(kept),
        without_key_points=missing,
        bad_files=dict(sorted(bad.items())),
        guidance="skeleton pictures" if figures is None else "key points",
    )
    return Listing(root, split, kept, figures, pictures, facts)


def count_sizes(sizes) -> dict[str, int]:
    """Counts (height, width) as {"WIDTHxHEIGHT": how many}, the most frequent first."""
    counts = {}
    for height, width in sizes:
        counts[f"{width}x{height}"] = counts.get(f"{width}x{height}", 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _pairs(root: Path, split: str, settings: Settings) -> tuple[list[tuple[str, str]], Path]:
    """The pairs, and the file that names their pictures."""
    path = root / f"{split}_pairs.csv"
    points = next((file for file in _key_point_files(root, split) if file.is_file()), None)
    people = keypoints.read_people(points) if points and (settings.pairs != "auto" or not path.exists()) else {}
    if settings.pairs == "auto" and not people:
        return _read_pairs(path, settings.only), path
    if not people:
        wanted = " or ".join(str(file) for file in _key_point_files(root, split))
        raise InputError(
            f"config.data.pairs={settings.pairs} needs the person and the expression of every picture in {wanted}."
        )
    of_person = {}
    for name, (person, expression) in people.items():
        of_person.setdefault(person, {})[name] = expression
    pairs = [
        (source, target)
        for pictures in of_person.values()
        for source in pictures
        for target in pictures
        if source != target and source.startswith(settings.only)
        and (settings.pairs == "all" or (pictures[source] == "neutral" != pictures[target]))
    ]  # fmt: skip
    if not pairs:
        tail = f" whose source starts with {settings.only!r} (config.data.only)" if settings.only else ""
        raise InputError(f"{points} names no two pictures of one person that make a pair{tail}.")
    return pairs, points


def _key_point_files(root: Path, split: str) -> list[Path]:
    return [root / f"{split}_{name}.json" for name in ("keypoints", "landmarks")]


def _read_pairs(path: Path, only: str) -> list[tuple[str, str]]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except OSError as error:
        raise InputError(f"The list of pairs {path} cannot be read: {error.strerror or error}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The list of pairs {path} is not a CSV file: {error}.") from error
    if not rows or [cell.strip() for cell in rows[0]] != ["source", "target"]:
        raise InputError(
            f"The list of pairs {path} must start with the line source,target,"
            f" found {','.join(rows[0]) if rows else 'nothing'!r}."
        )
    for number, row in enumerate(rows[1:], 2):
        if len(row) != 2 or not row[0].strip() or not row[1].strip():
            raise InputError(f"Row {number} of {path} must be two file names, found {','.join(row)!r}.")
    pairs = [(source.strip(), target.strip()) for source, target in rows[1:] if source.strip().startswith(only)]
    if not pairs:
        tail = f" whose source starts with {only!r} (config.data.only)" if only else ""
        raise InputError(f"The list {path} holds no pairs{tail}.")
    return pairs


def _read_guidance(root: Path, split: str, names, settings: Settings):
    """Returns (declared picture size or None, figures or None, skeleton pictures)."""
    places = [("json", path) for path in _key_point_files(root, split)]
    places += [("openpose", root / f"{split}_keypoints"), ("pictures", root / f"{split}_skeletons")]
    wanted = [place for place in places if settings.keypoints in ("auto", place[0])]
    kind, there = next((place for place in wanted if place[1].exists()), ("", None))
    if there is None:
        raise InputError(
            f"The guidance of the {split} split is missing: expected {' or '.join(str(path) for _, path in wanted)}."
        )
    if kind == "json":
        declared, figures = keypoints.read_figures(there, parts=settings.parts)
        return declared, figures, {}
    if kind == "openpose":
        return None, keypoints.read_openpose_folder(there, names, parts=settings.parts), {}
    found = {
        path.relative_to(there).as_posix().rpartition(".")[0]: path.relative_to(root).as_posix()
        for path in sorted(there.rglob("*"))
        if path.suffix.lower() in images.SUFFIXES
    }
    return None, None, {name: found[name.rpartition(".")[0]] for name in names if name.rpartition(".")[0] in found}
