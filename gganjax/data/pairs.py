"""Which pictures of a folder make pairs: the list of pairs, or all pictures of one person with each other."""

import csv
from pathlib import Path

from gganjax.data import keypoints
from gganjax.data.settings import Settings
from gganjax.errors import InputError

HEADERS = (["source", "target"], ["from", "to"])  # ours, and that of the person-image systems


def list_pairs(root: Path, split: str, settings: Settings) -> tuple[list[tuple[str, str]], Path]:
    """The pairs (source name, target name), and the file that names their pictures."""
    path = one_of(root / f"{split}_pairs.csv", root, f"*-pairs-{split}.csv", "lists of pairs")
    points = next((file for file in point_files(root, split) if file.is_file()), None)
    people = keypoints.read_people(points) if points and (settings.pairs != "auto" or path is None) else {}
    if settings.pairs == "auto" and not people:
        if path is None:
            raise InputError(
                f"The list of pairs of the {split} split is missing: expected {root / f'{split}_pairs.csv'}"
                f" or {root / f'*-pairs-{split}.csv'}."
            )
        return read_pairs(path, settings.only), path
    if not people:
        wanted = " or ".join(str(file) for file in point_files(root, split))
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


def point_files(root: Path, split: str) -> list[Path]:
    """Where the key points of all pictures of a split may be in one JSON file."""
    return [root / f"{split}_{name}.json" for name in ("keypoints", "landmarks")]


def one_of(path: Path, root: Path, pattern: str, what: str) -> Path | None:
    """The path, if there is such a file; else the only one of the pattern, None without any."""
    if path.is_file():
        return path
    found = sorted(root.glob(pattern))
    if len(found) > 1:
        raise InputError(f"{root} holds several {what} for one split, expected one: {', '.join(file.name for file in found)}.")
    return found[0] if found else None


def read_pairs(path: Path, only: str = "") -> list[tuple[str, str]]:
    """Reads a list of pairs (source name, target name); `only` takes those whose source starts with it.

    Raises:
      InputError: no such list, another header, a row of another kind, or no pairs.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except OSError as error:
        raise InputError(f"The list of pairs {path} cannot be read: {error.strerror or error}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The list of pairs {path} is not a CSV file: {error}.") from error
    if not rows or [cell.strip() for cell in rows[0]] not in HEADERS:
        raise InputError(
            f"The list of pairs {path} must start with the line source,target or from,to,"
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
