"""Prepares a folder of pictures, pairs and key points as a tensorflow-datasets set, which reads faster from slow disks.

    python tools/prepare_set.py FOLDER OUT [--only=PREFIX] [--keypoints=auto] [--parts=auto] [--bad_files=stop]

Train on it with --config.data.kind=tfds --config.data.folder=OUT; the batches are those of the folder, bit for bit.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gganjax.data import prepared
from gganjax.data.settings import Settings, resolve
from gganjax.errors import InputError


def main(arguments=None) -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="a folder with train/, train_pairs.csv, train_keypoints.json and the same for test")
    parser.add_argument("out", help="where the prepared set goes")
    for field in dataclasses.fields(Settings):
        if field.name in ("only", "keypoints", "parts", "bad_files"):
            parser.add_argument(f"--{field.name}", default=field.default, help=f"as config.data.{field.name}")
    given = vars(parser.parse_args(arguments))
    out = given.pop("out")
    try:
        found = prepared.convert(resolve(dict(kind="folder", **given)), out)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for split, facts in found.items():
        print(f"{split}: {facts['pairs']} pairs of {facts['pictures']} pictures, {facts['pairs_left_out']} pairs left out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
