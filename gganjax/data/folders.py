"""A plain folder of pictures with pairs and key points.

    ROOT/train/NAME.jpg             pictures
    ROOT/train_pairs.csv            source,target: names of the same split
    ROOT/train_keypoints.json       {"image_size": [w, h], "images": {NAME: {"hands": [{"points": [[x, y, confidence], ...]}]}}}
    ROOT/train_landmarks.json       of faces, {NAME: {"person": ..., "expression": ..., "face68": [[x, y, ...], ...]}}
    ROOT/train_keypoints/           or OpenPose files, STEM[_000000000000]_keypoints.json
    ROOT/train_landmarks/           or OpenFace files, STEM.csv
    ROOT/train_skeletons/           or skeleton pictures, STEM.png

and the same with `test`. The folders of the person-image systems are read as they are:

    ROOT/market-pairs-train.csv         from,to: any name that ends in -pairs-train.csv
    ROOT/market-annotation-train.csv    name:keypoints_y:keypoints_x, 18 joints each, -1 if missing; likewise

A JSON file of key points may also be COCO's. Without a list the pairs are pictures of one person, see
`config.data.pairs`. What is wrong with key points but not certain is logged, a sentence each; see `suspicions`.
"""

import logging
from functools import partial
from pathlib import Path
from typing import NamedTuple

from gganjax.data import images, keypoints, skeletons, suspicions, verify
from gganjax.data.pairs import list_pairs, one_of, point_files
from gganjax.data.settings import Settings
from gganjax.data.source import Memory, Panel, Source
from gganjax.errors import InputError

_log = logging.getLogger("gganjax")


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
        fit = partial(images.fit, size=size, center_crop=settings.center, by=settings.resize)
        picture = fit(whole)
        if listing.figures is None:
            drawn = images.read_image(listing.root / listing.skeletons[name], background=0)
            return Panel(picture, guidance=fit(drawn))
        return Panel(picture, figure=fit_figure(listing.figures[name], whole.shape, size, settings.center))

    def load(index: int) -> tuple[Panel, Panel]:
        source, target = listing.pairs[index]
        return memory.get(source, lambda: panel(source)), memory.get(target, lambda: panel(target))

    names = [pair_name(source, target) for source, target in listing.pairs]
    return Source(names, load, listing.facts, size=size, mirrored=False, panel=panel)


def fit_figure(figure: list, shape: tuple, size: tuple[int, int], center_crop) -> list:
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
    pairs, list_of_pairs = list_pairs(root, split, settings)
    names = sorted({name for pair in pairs for name in pair})
    for name in names:
        if not (root / split / name).is_file():
            raise InputError(f"{list_of_pairs} names {name}, but there is no file {root / split / name}.")
    declared, figures, pictures, place = _read_guidance(root, split, names, settings)
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
    unlisted = [name for name in missing if name not in (pictures if figures is None else figures)]
    sentences = _missing(place, unlisted, [name for name in missing if name not in unlisted], names, pairs)
    suspicious = {}
    if figures is not None:
        at = {name: sizes[f"{split}/{name}"] for name in sorted(usable)}
        suspicious, more = suspicions.find({name: figures[name] for name in at}, at, place)
        sentences += more
    for sentence in sentences:
        _log.warning(sentence.rstrip("."))
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
        suspicious=suspicious,
        warnings=sentences,
    )
    return Listing(root, split, kept, figures, pictures, facts)


def count_sizes(sizes) -> dict[str, int]:
    """Counts (height, width) as {"WIDTHxHEIGHT": how many}, the most frequent first."""
    counts = {}
    for height, width in sizes:
        counts[f"{width}x{height}"] = counts.get(f"{width}x{height}", 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _missing(place: Path, unlisted: list, empty: list, names: list, pairs: list) -> list[str]:
    """Which pictures have no key points, a sentence for each reason."""
    sentences = []
    for missing, reason in ((unlisted, "has nothing on"), (empty, "holds no joint that was found of")):
        if missing:
            gone = set(missing)
            lost = sum(not gone.isdisjoint(pair) for pair in pairs)
            sentences.append(
                f"{place} {reason} {len(missing)} of {len(names)} pictures ({missing[0]} first);"
                f" the {lost} pairs with them are left out."
            )
    return sentences


def _read_guidance(root: Path, split: str, names, settings: Settings):
    """Returns (declared picture size or None, figures or None, skeleton pictures, the file or folder they are from)."""
    table = root / f"*-annotation-{split}.csv"
    places = [("json", path) for path in point_files(root, split)] + [("table", table)]
    folders = dict(openpose="keypoints", openface="landmarks", pictures="skeletons")
    places += [(kind, root / f"{split}_{name}") for kind, name in folders.items()]
    wanted = [place for place in places if settings.keypoints in ("auto", place[0])]
    for kind, path in wanted:
        there = one_of(path, root, path.name, "tables of key points") if kind == "table" else path
        if there is not None and there.exists():
            break
    else:
        raise InputError(
            f"The guidance of the {split} split is missing: expected {' or '.join(str(path) for _, path in wanted)}."
        )
    if kind in ("json", "table"):
        return *keypoints.read_figures(there, parts=settings.parts), {}, there
    if kind != "pictures":
        read = dict(openpose=keypoints.read_openpose_folder, openface=keypoints.read_openface_folder)[kind]
        return None, read(there, names, parts=settings.parts), {}, there
    found = {
        path.relative_to(there).as_posix().rpartition(".")[0]: path.relative_to(root).as_posix()
        for path in sorted(there.rglob("*"))
        if path.suffix.lower() in images.SUFFIXES
    }
    return None, None, {name: found[name.rpartition(".")[0]] for name in names if name.rpartition(".")[0] in found}, there
