"""Decode every picture file once before training, and remember which ones were good.

The result is kept in the user's cache folder under the path, size and change time of each file, so that a large set
is decoded for checking once only. Bad files are not remembered: they are looked at again each time.
"""

import hashlib
import json
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gganjax.data import images
from gganjax.errors import InputError

_log = logging.getLogger("gganjax")


def cache_folder() -> Path:
    """The folder for results that can be computed again: $GGANJAX_CACHE or ~/.cache/gganjax."""
    return Path(os.environ.get("GGANJAX_CACHE") or Path.home() / ".cache" / "gganjax")


def verify(root: Path, names, *, threads: int, look: Callable | None = None) -> tuple[dict[str, tuple], dict[str, str]]:
    """Decodes the files `root/name`.

    Args:
      root, names: of the files.
      threads: that decode at the same time.
      look: path -> numbers to be remembered of a good file, or an InputError; by default its (height, width) as it will
        be decoded. What one such function found is remembered under its name, apart from others.

    Returns:
      (found, bad): name -> these numbers, and name -> one sentence that tells what is wrong.
    """
    names, look = sorted(set(names)), look or picture_size
    place = str(root.resolve()) + ("" if look is picture_size else f"\n{look.__name__}")
    record = cache_folder() / "checked" / (hashlib.sha256(place.encode()).hexdigest()[:24] + ".json")
    known = _read_record(record)
    sizes, stamps, to_do = {}, {}, []
    for name in names:
        stamps[name] = _stamp(root / name)
        entry = known.get(name)
        if entry and stamps[name] and entry[:2] == stamps[name]:
            sizes[name] = tuple(entry[2:])
        else:
            to_do.append(name)

    def look_at(name):
        try:
            return name, look(root / name), None
        except InputError as error:
            return name, None, str(error)

    bad = {}
    with ThreadPoolExecutor(threads) as pool:
        for done, (name, size, problem) in enumerate(pool.map(look_at, to_do), 1):
            if problem:
                bad[name] = problem
            else:
                sizes[name] = size
            if done % 5000 == 0:
                _log.info("checked %d of %d pictures in %s", done, len(to_do), root)
    if to_do:
        fresh = {name: [*stamps[name], *sizes[name]] for name in sizes if stamps[name]}
        _write_record(record, {**known, **fresh})
    return sizes, bad


def picture_size(path: Path) -> tuple[int, int]:
    """(height, width) of a picture as it will be decoded."""
    return images.decode(path).shape[:2]


def find(root: Path, folder: str, only: str, *, holds: str, ending: str = "", deep: bool = False, within: str = "") -> list[str]:
    """The picture files of a folder, sorted, as paths below `root`.

    Args:
      root, folder: the folder is below the root; "" is the root itself.
      only: what their names start with.
      holds: says in errors what the folder must hold.
      ending: what their names end in, besides being pictures.
      deep: whether they are anywhere below the folder rather than in it.
      within: what their paths below the folder contain.

    Raises:
      InputError: there is no such folder, or no such picture in it.
    """
    place = root / folder
    if not place.is_dir():
        raise InputError(f"{holds} must be in {place}, but there is no such folder.")
    paths = (path for path in (place.rglob("*") if deep else place.iterdir()) if path.suffix.lower() in images.SUFFIXES)
    paths = [path for path in paths if path.name.endswith(ending) and within in path.relative_to(place).as_posix()]
    names = sorted(path.relative_to(root).as_posix() for path in paths if path.name.startswith(only))
    if not names:
        tail = f" whose name starts with {only!r} (config.data.only)" if only else ""
        kind = f" {within}*{ending}" if within else f" *{ending}" if ending else ""
        raise InputError(f"{holds} must be in {place}, which holds no picture{kind}{tail} ({', '.join(images.SUFFIXES)}).")
    return names


def complain(bad: dict[str, str], total: int, root: Path) -> None:
    """Raises an InputError that names the first bad files, their number and the way out."""
    if not bad:
        return
    first = list(bad.items())[:3]
    told = "; ".join(problem.rstrip(".") for _, problem in first)
    more = f"; and {len(bad) - len(first)} more" if len(bad) > len(first) else ""
    raise InputError(
        f"{len(bad)} of {total} pictures in {root} are bad ({told}{more}): repair or remove them, or leave their pairs out"
        " with config.data.bad_files=skip."
    )


def _stamp(path: Path):
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _read_record(path: Path) -> dict:
    try:
        record = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _write_record(path: Path, record: dict) -> None:
    # A cache that cannot be written (read-only home, full disk) costs time at the next start, nothing else.
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(record))
        fresh.replace(path)
    except OSError as error:
        _log.info("the list of checked pictures could not be kept: %s", error)
