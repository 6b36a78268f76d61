"""Pictures with a list of their attributes, CelebA's format; an attribute is a domain, and a picture may be in several.

    ROOT/list_attr_celeba.txt       number of pictures; names of the attributes; then NAME 1 -1 ... for each picture
    ROOT/images/NAME.jpg            or ROOT/img_align_celeba/NAME.jpg

The list is shuffled with Python's generator and seed 1234, its first `config.data.test_lines` lines are the test
split: StarGAN's split. A test picture is to be translated once for each attribute: to a color of hair exclusively, to
the other value of any other attribute; it stands beside a real test picture that has the wanted attributes.
"""

import random
from pathlib import Path

import numpy as np

from gganjax.data import domains, folders, verify
from gganjax.data.settings import Settings
from gganjax.data.source import Names, Panel, Side, Source
from gganjax.errors import InputError, nearest

LIST = "list_attr_celeba.txt"
PLACES = ("images", "img_align_celeba")
STARGAN = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
HAIR = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")  # a translation sets one and takes the others away
SEED = 1234


def open_attributes(settings: Settings, split: str, *, size: tuple[int, int], training: bool) -> Source:
    """Opens the training or the test lines of the list, for StarGAN's five attributes unless others are named.

    Args:
      settings: the data settings.
      split: "train" takes the training lines, any other name the test lines.
      size: (height, width) of the panels.
      training: as for `domains.open_domains`.

    Raises:
      InputError: the list or a picture is missing or bad, or an attribute is not in the list.
    """
    root = Path(settings.folder)
    chosen = settings.domains or STARGAN
    place = next((name for name in PLACES if (root / name).is_dir()), None)
    if place is None:
        raise InputError(f"The pictures must be in {' or '.join(str(root / name) for name in PLACES)}, found neither.")
    rows = read_list(root / LIST, chosen)
    random.Random(SEED).shuffle(rows)
    rows = rows[settings.test_lines :] if split == "train" else rows[: settings.test_lines]
    rows = [(f"{place}/{name}", vector) for name, vector in rows if name.startswith(settings.only)]
    if not rows:
        raise InputError(
            f"{root / LIST} leaves no picture for the {split} split: its first {settings.test_lines} lines, shuffled,"
            " are the test split (config.data.test_lines), and names may have to start with config.data.only."
        )
    sizes, bad = verify.verify(root, [name for name, _ in rows], threads=settings.threads)
    if settings.bad_files == "stop":
        verify.complain(bad, len(rows), root)
    rows = [(name, vector) for name, vector in rows if name in sizes]
    if not rows:
        raise InputError(f"No picture of the {split} split in {root} can be used: all {len(bad)} are bad.")
    load = domains.loader(root, settings, size)
    stems = [Path(name).stem for name, _ in rows]
    side = Side(stems, lambda i: load(*rows[i]))
    facts = {
        "kind": "attributes",
        "folder": str(root),
        "split": split,
        "paired": False,
        "domains": list(chosen),
        "pictures": len(rows),
        "pictures_of": {name: int(sum(vector[k] for _, vector in rows)) for k, name in enumerate(chosen)},
        "sizes": folders.count_sizes(sizes[name] for name, _ in rows),
        "pictures_left_out": len(bad),
        "bad_files": dict(sorted(bad.items())),
        "guidance": "none",
    }
    mirrored = any(stem.endswith("_lr") for stem in stems)
    if training:
        return domains.beside(side, side, facts, size=size, mirrored=mirrored, repeat=True)
    pairs, left_out = _translations([vector for _, vector in rows], chosen)
    if not pairs:
        raise InputError(f"The test pictures in {root} differ in no attribute; there is nothing to translate.")

    def panels(index: int) -> tuple[Panel, Panel]:
        source, target, wanted, _ = pairs[index]
        return side.load(source), side.load(target)._replace(domain=wanted)

    def name(index: int) -> str:
        source, target, _, attribute = pairs[index]
        return f"{stems[source]}__{chosen[attribute]}_{stems[target]}"

    names, target_of = Names(len(pairs), name), lambda index: pairs[index][1]
    facts |= {"pairs": len(pairs), "pairs_left_out": left_out}
    return Source(names, panels, facts, size=size, mirrored=mirrored, sides=(side, side), target_of=target_of)


def read_list(path: Path, chosen: tuple[str, ...]) -> list[tuple[str, np.ndarray]]:
    """Reads (picture, float32 [M] of 0 or 1) for the chosen attributes, in the order of the file.

    Raises:
      InputError: the file is missing or no such list, or an attribute is not in it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"The list of attributes {path} cannot be read: {reason}.") from error
    names = lines[1].split() if len(lines) > 1 else []
    for name in chosen:
        if name not in names:
            raise InputError(f"config.data.domains names {name}, which {path} does not list{nearest(name, names)}.")
    places, rows = [names.index(name) for name in chosen], []
    for number, line in enumerate(lines[2:], 3):
        picture, *values = line.split() or [""]
        if not picture:
            continue
        if len(values) != len(names) or set(values) - {"1", "-1"}:
            raise InputError(
                f"Line {number} of {path} must be a picture and {len(names)} values of 1 or -1, found {line[:60]!r}."
            )
        rows.append((picture, np.array([values[place] == "1" for place in places], np.float32)))
    return rows


def translation(attributes: np.ndarray, index: int, names: tuple[str, ...]) -> np.ndarray:
    """The label vector [M] of a picture of these attributes translated to attribute `index`, by StarGAN's rule."""
    wanted = attributes.copy()
    if names[index] in HAIR:
        wanted[[k for k, name in enumerate(names) if name in HAIR]] = 0
        wanted[index] = 1
    else:
        wanted[index] = 1 - wanted[index]
    return wanted


def _translations(vectors: list[np.ndarray], names: tuple[str, ...]) -> tuple[list[tuple], int]:
    """(source, target picture, wanted vector, attribute) of every translation, and how many have no real counterpart.

    A translation to what the picture is already does not count. The real picture has all wanted attributes where there
    is one, otherwise the one that is asked for.
    """
    alike, pairs, left_out = {}, [], 0
    for place, vector in enumerate(vectors):
        alike.setdefault(vector.tobytes(), []).append(place)
        for index, value in enumerate(vector):
            alike.setdefault((index, bool(value)), []).append(place)
    for source, vector in enumerate(vectors):
        for index in range(len(names)):
            wanted = translation(vector, index, names)
            if (wanted == vector).all():
                continue
            found = alike.get(wanted.tobytes()) or alike.get((index, bool(wanted[index])))
            if found:
                pairs.append((source, found[source % len(found)], wanted, index))
            else:
                left_out += 1
    return pairs, left_out
