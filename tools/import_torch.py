"""Converts published PyTorch weights, once, into files that gganjax reads without PyTorch.

    python tools/import_torch.py vgg19 vgg19-dcbb9e9d.pth
    python tools/import_torch.py gesturegan checkpoints/ntu/latest_net_G.pth --output runs/ntu_released --variant ntu

`vgg19` puts the perceptual network of the papers into the weights folder ($GGANJAX_WEIGHTS or ~/.cache/gganjax).
`gesturegan` makes a run folder of a released generator, and of the discriminators D1 and D2 where they lie beside it,
that `gganjax.load` opens and `--mode=evaluate` and `--mode=sample` take.

Files may be .pth (read by PyTorch's weights-only loader; `pip install torch`), .safetensors or .npz.
"""

import argparse
import hashlib
import json
import pickle
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from experiments import gesturegan as experiment
from gganjax import checkpoint, core, features, methods, port
from gganjax.errors import InputError
from gganjax.features import weights

DISCRIMINATORS = {"D1": "discriminator_plain", "D2": "discriminator_guided"}


def main(arguments=None) -> int:
    """Runs one conversion; returns the exit status, 2 after a sentence about bad input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    vgg19 = kinds.add_parser("vgg19", help="the perceptual network, from torchvision's vgg19-dcbb9e9d.pth")
    vgg19.add_argument("file", type=Path)
    gesturegan = kinds.add_parser("gesturegan", help="a released generator, *_net_G.pth")
    gesturegan.add_argument("file", type=Path)
    gesturegan.add_argument("--output", type=Path, required=True, help="run folder to make")
    gesturegan.add_argument("--variant", default="ntu", help="variant of experiments/gesturegan.py it was trained as")
    given = parser.parse_args(arguments)
    try:
        if given.kind == "vgg19":
            print(f"wrote {import_vgg19(given.file)}")
        else:
            print(f"wrote {import_gesturegan(given.file, given.output, variant=given.variant)}")
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def import_vgg19(path: Path) -> Path:
    """Converts torchvision's VGG19 up to relu5_1 into the weights folder; returns the file written."""
    state = read_state(path)
    module = features.VGG(depth=19)
    params = port.to_flax(port.vgg.table(19), state, port.shapes(module, (1, 16, 16, 3)))["params"]
    target = weights.vgg19_path()
    weights.write_npz(target, params)
    return target


def import_gesturegan(path: Path, output: Path, *, variant: str = "ntu") -> Path:
    """Makes a run folder of `<name>_net_G` and of `<name>_net_D1` and `_D2` beside it, where they are.

    Widths, blocks, dropout and norm are read off the files; everything else is that of the variant.
    """
    if checkpoint.complete(output):
        raise InputError(f"{output} holds checkpoints already; choose another folder with --output")
    config = experiment.get_config(variant).copy_and_resolve_references()
    if config.method != "gesturegan":
        raise InputError(f"variant '{variant}' is of the method {config.method}, expected one of gesturegan")
    states = {"G": read_state(path)}
    for net in DISCRIMINATORS:
        beside = path.with_name(path.name.replace("_net_G.", f"_net_{net}."))
        if beside != path and beside.is_file():
            states[net] = read_state(beside)
    config.options.update(describe(states, path))
    variables = convert(states, methods.load(config.method, config.options))
    state = core.State(
        step=np.zeros((), np.int32),
        key=np.zeros(2, np.uint32),
        params={net: tree["params"] for net, tree in variables.items()},
        moving={net: tree["moving"] for net, tree in variables.items()},
        opt={},
        ema={},
        pools={},
    )
    config = json.loads(config.to_json())
    output.mkdir(parents=True, exist_ok=True)
    checkpoint.save(output / "checkpoints", state, {"method": config["method"], "frozen": [], "config": config})
    (output / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    return output


def describe(states: dict[str, dict], path: Path) -> dict:
    """Reads the method's options off the state dicts of a generator and its discriminators."""
    generator = port.resnet.describe(states["G"])
    if generator["inputs"] not in (3, 6) or generator["outputs"] != 3:
        raise InputError(
            f"{path} is a generator of {generator['inputs']} input and {generator['outputs']} output channels, "
            "expected 6 (image and structure) or 3, and 3"
        )
    options = {
        "width": generator["width"],
        "blocks": generator["blocks"],
        "norm": generator["norm"],
        "dropout": 0.5 if generator["dropout"] else 0.0,
        "guidance": generator["inputs"] == 6,
    }
    judges = [net for net in DISCRIMINATORS if net in states]
    if judges:
        found = port.patch.describe(states[judges[0]])
        options |= {"discriminator_width": found["width"], "discriminator_layers": found["layers"]}
    return options


def convert(states: dict[str, dict], method) -> dict[str, dict]:
    """Converts state dicts of G, D1 and D2 to variables by the method's network names.

    Files of later releases hold no statistics of instance norms, which are not used unless one asks for
    "running" ones; they start at mean 0 and variance 1 then.
    """
    generator = port.resnet.describe(states["G"])
    table = port.resnet.table(blocks=generator["blocks"], norm_kind=generator["norm"], dropout=generator["dropout"])
    expected = port.shapes(method.nets["generator"], (1, 64, 64, generator["inputs"]))
    fresh = generator["norm"] == "instance"
    variables = {"generator": port.to_flax(table, states["G"], expected, fresh_statistics=fresh)}
    for net, name in DISCRIMINATORS.items():
        if net in states:
            found = port.patch.describe(states[net])
            table = port.patch.table(layers=found["layers"], norm_kind=found["norm"])
            expected = port.shapes(method.nets[name], (1, 64, 64, {"D1": 6, "D2": 9}[net]))
            variables[name] = port.to_flax(table, states[net], expected, fresh_statistics=fresh)
    return variables


def read_state(path: Path) -> dict[str, np.ndarray]:
    """Reads a state dict of NumPy arrays, and prints the file's SHA-256.

    A name that ends in eight hexadecimal digits, as torchvision's do, states how the SHA-256 begins.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected a .pth, .safetensors or .npz file")
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    print(f"{path}: SHA-256 {digest}")
    promised = re.search(r"-([0-9a-f]{8})$", path.stem)
    if promised and not digest.startswith(promised[1]):
        raise InputError(f"{path} is damaged: its SHA-256 begins with {digest[:8]}, its name promises {promised[1]}")
    readers = {".pth": _read_pth, ".safetensors": _read_safetensors, ".npz": _read_npz}
    if path.suffix not in readers:
        raise InputError(f"{path} has the suffix '{path.suffix}', expected one of {', '.join(readers)}")
    return readers[path.suffix](path)


def _read_pth(path: Path) -> dict[str, np.ndarray]:
    try:
        import torch
    except ImportError:
        raise InputError(f"reading {path} needs PyTorch: run `pip install torch`") from None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return {key: tensor.numpy() for key, tensor in state.items()}
    except (pickle.UnpicklingError, RuntimeError, EOFError, AttributeError, TypeError):
        # PyTorch's own text would advise to load the file unsafely.
        raise InputError(f"{path} cannot be read as a state dict, a dictionary of nothing but tensors") from None


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} cannot be read as a NumPy archive: {error}") from None


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    # Eight bytes of length, a JSON table of (type, shape, offsets), then the raw arrays.
    kinds = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I64": "<i8"}
    content = path.read_bytes()
    try:
        start = 8 + int.from_bytes(content[:8], "little")
        table = json.loads(content[8:start])
        table.pop("__metadata__", None)
        state = {}
        for key, entry in table.items():
            first, last = (start + offset for offset in entry["data_offsets"])
            state[key] = np.frombuffer(content[first:last], kinds[entry["dtype"]]).reshape(entry["shape"])
        return state
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read as a safetensors file: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
