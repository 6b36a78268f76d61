"""Pictures without counterparts: two domains, or many with a folder each.

    ROOT/trainA/NAME.jpg, ROOT/trainB/NAME.jpg   kind "unpaired", the layout of CycleGAN
    ROOT/train/DOMAIN/NAME.jpg                   kind "unpaired" with config.data.domains=(source, target), or "domains"

and the same with `test`. In training source and target come in independent orders: of the two domains, or of the
pictures of all domains together. A test picture of "unpaired" stands beside one of the other domain; every test
picture of "domains" is to be translated to every other domain and stands beside a real picture of that domain.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gganjax.data import folders, images, verify
from gganjax.data.settings import Settings
from gganjax.data.source import Memory, Names, Panel, Side, Source
from gganjax.errors import InputError


def open_domains(settings: Settings, split: str, *, size: tuple[int, int], training: bool) -> Source:
    """Opens the pictures of one split, of many domains or, where the kind is "unpaired", of two.

    Args:
      settings, split: the data settings, and the name of the folder.
      size: (height, width) of the panels.
      training: whether every picture is to come up once an epoch, rather than every translation that can be measured.

    Raises:
      InputError: a folder is missing or holds no pictures, pictures are bad, or the domains are not two or more.
    """
    root = Path(settings.folder)
    if not root.is_dir():
        raise InputError(f"config.data.folder names {root}, but there is no such folder.")
    places = _places(root, split, settings)
    found = {
        domain: verify.find(root, place, settings.only, holds=f"The pictures of {domain} in the {split} split")
        for domain, place in places.items()
    }
    every = [name for names in found.values() for name in names]
    sizes, bad = verify.verify(root, every, threads=settings.threads)
    if settings.bad_files == "stop":
        verify.complain(bad, len(every), root)
    kept = {domain: [name for name in names if name in sizes] for domain, names in found.items()}
    for domain, names in kept.items():
        if not names:
            raise InputError(f"No picture in {root / places[domain]} can be used: all {len(found[domain])} are bad.")
    load = loader(root, settings, size)
    ones = np.eye(len(kept), dtype=np.float32)
    sides = [
        Side([_name(name) for name in names], lambda i, names=names, one=one: load(names[i], one))
        for names, one in zip(kept.values(), ones, strict=True)
    ]
    sides = sides[::-1] if settings.exchange else sides
    facts = {
        "kind": settings.kind,
        "folder": str(root),
        "split": split,
        "paired": False,
        "domains": list(kept),
        "pictures": sum(map(len, kept.values())),
        "pictures_of": {domain: len(names) for domain, names in kept.items()},
        "sizes": folders.count_sizes(sizes[name] for names in kept.values() for name in names),
        "pictures_left_out": len(bad),
        "bad_files": dict(sorted(bad.items())),
        "guidance": "none",
    }
    mirrored = any(name.endswith("_lr") for side in sides for name in side.names)
    if settings.kind == "unpaired":
        return beside(*sides, facts, size=size, mirrored=mirrored, repeat=training)
    if training:
        return beside(*[together(sides)] * 2, facts, size=size, mirrored=mirrored, repeat=True)
    return directions(sides, facts, size=size, mirrored=mirrored)


def loader(root: Path, settings: Settings, size: tuple[int, int]):
    """A function (name below root, label vector) -> panel, which remembers pictures."""
    memory = Memory(settings.memory)

    def load(name: str, domain: np.ndarray) -> Panel:
        def read():
            whole = images.read_image(root / name)
            return Panel(images.fit(whole, size, center_crop=settings.center, by=settings.resize), domain=domain)

        return memory.get(name, read)

    return load


def beside(source: Side, target: Side, facts: dict, *, size, mirrored: bool, repeat: bool) -> Source:
    """Every picture of the source beside one of the target, in order and as often as needed.

    repeat: the shorter side starts again until the longer one has come up, as an epoch of training needs; otherwise
      each source picture comes once.
    """
    count = max(len(source.names), len(target.names)) if repeat else len(source.names)

    def places(index: int) -> tuple[int, int]:
        return index % len(source.names), index % len(target.names)

    def load(index: int) -> tuple[Panel, Panel]:
        one, other = places(index)
        return source.load(one), target.load(other)

    sides = source, target
    names = Names(count, lambda index: "__".join(side.names[place] for side, place in zip(sides, places(index))))
    facts, target_of = dict(facts, pairs=count), lambda index: places(index)[1]
    return Source(names, load, facts, size=size, mirrored=mirrored, sides=sides, target_of=target_of)


def directions(sides: Sequence[Side], facts: dict, *, size, mirrored: bool) -> Source:
    """Every picture of every domain beside one of each other domain: the number in its own domain says which.

    First pictures come first, in all directions, so that the first few pairs already show all of them.
    """
    longest = max(len(side.names) for side in sides)
    pairs = [
        (place, source, target)
        for place in range(longest)
        for source in range(len(sides))
        for target in range(len(sides))
        if source != target and place < len(sides[source].names)
    ]

    def picked(index: int) -> tuple[tuple[int, int], tuple[int, int]]:
        place, source, target = pairs[index]
        return (source, place), (target, place % len(sides[target].names))

    def load(index: int) -> tuple[Panel, Panel]:
        (source, one), (target, other) = picked(index)
        return sides[source].load(one), sides[target].load(other)

    names = Names(len(pairs), lambda index: "__".join(sides[side].names[place] for side, place in picked(index)))
    everything = together(sides)
    return Source(
        names,
        load,
        dict(facts, pairs=len(pairs)),
        size=size,
        mirrored=mirrored,
        sides=(everything, everything),
        target_of=lambda index: picked(index)[1],
    )


def together(sides: Sequence[Side]) -> Side:
    """The pictures of several sides as one."""
    places = [(side, place) for side in sides for place in range(len(side.names))]
    return Side(
        Names(len(places), lambda i: places[i][0].names[places[i][1]]), lambda i: places[i][0].load(places[i][1])
    )


def _places(root: Path, split: str, settings: Settings) -> dict[str, str]:
    """Domain -> folder of its pictures, below root."""
    two, given = settings.kind == "unpaired", settings.domains
    if two and not given:
        if (root / split).is_dir() and not (root / f"{split}A").is_dir():
            raise InputError(
                f"config.data.domains must name the source and the target domain: folders of {root / split},"
                f" which holds {', '.join(_folders(root / split)) or 'none'}."
            )
        return {letter: f"{split}{letter}" for letter in "AB"}
    if two and len(given) != 2:
        raise InputError(f"config.data.domains must name two domains, source and target, found {', '.join(given)}.")
    if not (root / split).is_dir():
        raise InputError(f"The domains of the {split} split must be in {root / split}, but there is no such folder.")
    there = _folders(root / split)
    for domain in given:
        if domain not in there:
            raise InputError(
                f"config.data.domains names {domain}, but {root / split} holds {', '.join(there) or 'no folders'}."
            )
    domains = given or tuple(there)
    if len(domains) < 2:
        raise InputError(
            f"{root / split} must hold a folder for each of two or more domains, found {', '.join(domains) or 'none'}."
        )
    return {domain: f"{split}/{domain}" for domain in domains}


def _folders(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir() if path.is_dir())


def _name(path: str) -> str:
    """The name of a picture in result files: domain and stem."""
    *_, folder, file = path.split("/")
    return f"{folder}_{file.rpartition('.')[0]}"
