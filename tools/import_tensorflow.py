"""Makes a run folder of networks that were published as a TensorFlow checkpoint.

    python tools/import_tensorflow.py pg2 model.ckpt-60000.index --output runs/pg2_released
    python tools/import_tensorflow.py pg2 pg2.npz --output runs/pg2_released --variant released_deepfashion

`gganjax.load` opens the folder, and `--mode=evaluate` and `--mode=sample` take it. No TensorFlow is needed: the .index
file and the .data-* file beside it are read directly. Older checkpoints of one file without a suffix must be written
to an .npz file of the variables by name, with a TensorFlow that reads them:

    reader = tf.train.load_checkpoint("model.ckpt")
    numpy.savez("pg2.npz", **{name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()})
"""

import argparse
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import releases
import state_dicts
import tensor_bundle

from experiments import pg2
from gganjax import checkpoint, core, methods, port, settings
from gganjax.errors import InputError
from gganjax.features import weights
from gganjax.port import pg2 as names


def main(arguments=None) -> int:
    """Runs one conversion; returns the exit status, 2 after a sentence about bad input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    released = kinds.add_parser("pg2", help="PG2's networks, *.index or *.npz")
    released.add_argument("file", type=Path, help="*.index or *.npz")
    released.add_argument("--output", type=Path, required=True, help="run folder to make")
    released.add_argument("--variant", help="variant of experiments/pg2.py it was trained as; by default the released "
                          "one whose networks it has")
    given = parser.parse_args(arguments)
    try:
        print(f"wrote {import_pg2(given.file, given.output, variant=given.variant)}")
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def import_pg2(path: Path, output: Path, *, variant: str | None = None) -> Path:
    """Makes a run folder of PG2's coarse generator, and of its refiner and discriminator where they are in the file.

    Widths and depths are read off the variables; everything else is that of the variant, the size of the pictures
    and the range of the maps included. Without a refiner the coarse image is the result.
    """
    if checkpoint.complete(output):
        raise InputError(f"{output} holds checkpoints already; choose another folder with --output")
    parts = names.split(read(path))
    found = names.describe(parts)
    variant = variant or ("released_deepfashion" if found["top_skip"] else "released_market")
    config = pg2.get_config(variant).copy_and_resolve_references()
    sizes = found if "discriminator" in parts else {
        name: value for name, value in found.items() if not name.startswith("discriminator")}
    config.options.update(sizes)
    method = methods.load("pg2", config.options)
    expected = core.shapes(method, settings.example(config, method))
    variables = {net: port.to_flax(table, parts[net], {"params": expected[net]})
                 for net, table in names.tables(found).items()}
    return releases.write_run(config, variables, output)


def read(path: Path) -> dict:
    """Reads the variables of a checkpoint by name; an .index file may be named without its suffix."""
    if path.suffix == ".npz":
        return state_dicts.read(path)
    index = path if path.suffix == ".index" else path.with_name(f"{path.name}.index")
    if path.is_file() and not index.is_file():
        raise InputError(f"{path} is no .index file and has none beside it; write its variables to an .npz file with a "
                         "TensorFlow that reads it, as the head of this tool says")
    variables = tensor_bundle.read(index)
    print(f"{index}: SHA-256 {weights.sha256(index)}")
    return variables


if __name__ == "__main__":
    sys.exit(main())
