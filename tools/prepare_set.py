"""Prepares a folder of pairs as a tensorflow-datasets set, which reads faster from slow disks.

    python tools/prepare_set.py FOLDER OUT [--only=PREFIX] [--keypoints=auto] [--parts=auto] [--bad_files=stop]
    python tools/prepare_set.py FOLDER OUT --kind=labels [--layout=plain] [--classes=N] [--unknown=auto] [...]

The first is for pictures, pairs and key points, the second for label maps, their photos, instance maps and edges. Train
on it with --config.data.kind=tfds --config.data.folder=OUT; the batches are those of the folder, bit for bit. A set of
label maps needs the same layout, classes and unknown pixels in config.data.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gganjax.data import prepared
from gganjax.data.settings import Settings, resolve
from gganjax.errors import InputError

KINDS = ("folder", "labels")
OPTIONS = ("only", "test_split", "bad_files", "keypoints", "parts", "layout", "classes", "unknown", "palette")


def main(arguments=None) -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="a folder as config.data.folder names it")
    parser.add_argument("out", help="where the prepared set goes")
    parser.add_argument("--kind", choices=KINDS, default=KINDS[0], help="as config.data.kind")
    for field in dataclasses.fields(Settings):
        if field.name in OPTIONS:
            read = type(field.default)
            help_ = f"as config.data.{field.name}"
            parser.add_argument(f"--{field.name}", type=read, default=field.default, help=help_)
    given = vars(parser.parse_args(arguments))
    out = given.pop("out")
    try:
        found = prepared.convert(resolve(given), out)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for split, facts in found.items():
        print(f"{split}: {facts['pairs']} pairs of {facts['pictures']} pictures, {facts['pairs_left_out']} pairs left out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
