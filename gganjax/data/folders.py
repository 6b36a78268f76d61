"""A plain folder of pictures with pairs and key points.

    ROOT/train/NAME.jpg             pictures
    ROOT/train_pairs.csv            source,target: names of the same split
    ROOT/train_keypoints.json       {"image_size": [w, h], "images": {NAME: {"hands": [{"points": [[x, y, confidence], ...]}]}}}
    ROOT/train_keypoints/           or OpenPose files, STEM[_000000000000]_keypoints.json
    ROOT/train_skeletons/           or skeleton pictures, STEM.png

and the same with `test`.
"""

import csv
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


def open_folder(settings: Settings, split: str, *, size: int) -> Source:
    """Opens the pairs of one split with panels of size x size."""
    listing = list_folder(settings, split)
    memory = Memory(settings.memory)

    def panel(name: str) -> Panel:
        whole = images.read_image(listing.root / split / name)
        picture = images.resize(whole, (size, size))
        if listing.figures is None:
            file = listing.root / listing.skeletons[name]
            return Panel(picture, guidance=images.read_image(file, (size, size), background=0))
        scale = (size / whole.shape[0], size / whole.shape[1])
        return Panel(picture, figure=skeletons.move(listing.figures[name], scale=scale))

    def load(index: int) -> tuple[Panel, Panel]:
        source, target = listing.pairs[index]
        return memory.get(source, lambda: panel(source)), memory.get(target, lambda: panel(target))

    names = [pair_name(source, target) for source, target in listing.pairs]
    return Source(names, load, listing.facts, size=size, mirrored=False)


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
    pairs = _read_pairs(root / f"{split}_pairs.csv", settings.only)
    names = sorted({name for pair in pairs for name in pair})
    for name in names:
        if not (root / split / name).is_file():
            raise InputError(f"{root / f'{split}_pairs.csv'} names {name}, but there is no file {root / split / name}.")
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
    places = dict(
        json=root / f"{split}_keypoints.json", openpose=root / f"{split}_keypoints", pictures=root / f"{split}_skeletons"
    )
    wanted = places if settings.keypoints == "auto" else {settings.keypoints: places[settings.keypoints]}
    kind = next((kind for kind, path in wanted.items() if path.exists()), None)
    if kind is None:
        raise InputError(
            f"The guidance of the {split} split is missing: expected {' or '.join(str(path) for path in wanted.values())}."
        )
    if kind == "json":
        declared, figures = keypoints.read_figures(places[kind], parts=settings.parts)
        return declared, figures, {}
    if kind == "openpose":
        return None, keypoints.read_openpose_folder(places[kind], names, parts=settings.parts), {}
    found = {
        path.relative_to(places[kind]).as_posix().rpartition(".")[0]: path.relative_to(root).as_posix()
        for path in sorted(places[kind].rglob("*"))
        if path.suffix.lower() in images.SUFFIXES
    }
    return None, None, {name: found[name.rpartition(".")[0]] for name in names if name.rpartition(".")[0] in found}
