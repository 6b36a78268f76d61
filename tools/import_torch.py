"""Converts published PyTorch weights, once, into files that gganjax reads without PyTorch.

    python tools/import_torch.py vgg19 vgg19-dcbb9e9d.pth
    python tools/import_torch.py squeezenet squeezenet1_1-b8a52dc0.pth squeeze.pth
    python tools/import_torch.py gesturegan checkpoints/ntu/latest_net_G.pth --output runs/ntu_released --variant ntu

A feature network's name puts its weights into the weights folder ($GGANJAX_WEIGHTS or ~/.cache/gganjax) and records
the checksums of the files they were made from; `tools/fetch_weights.py --list` tells names, files and their order.
`gesturegan` makes a run folder of a released generator, and of the discriminators D1 and D2 where they lie beside it,
that `gganjax.load` opens and `--mode=evaluate` and `--mode=sample` take. `pix2pix`, `cyclegan` and `c2gan` do the same
for *_net_G (cyclegan: *_net_G_A) and what lies beside it: D; G_B, D_A and D_B; G_L, D and D_L.
`stargan` (*-G.ckpt), `asymmetricgan_unpaired` (*-G_xy.ckpt) and `asymmetricgan` (*_net_G1.pth) likewise.

Files may be .pth, .pth.tar or .ckpt (state dicts, read without PyTorch; a file that names any code is refused), .safetensors
or .npz.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import import_domains
import numpy as np

from experiments import c2gan, cyclegan, pix2pix
from experiments import gesturegan as experiment
from gganjax import checkpoint, core, features, methods, port
from gganjax.errors import InputError
from gganjax.features import weights
from gganjax.features.sources import SOURCES
from gganjax.features.unpickle import read_state as read_pth

CONVERTED = tuple(name for name, source in SOURCES.items() if not source.packaged)
PREFIXES = {"upernet101": ("encoder.", "decoder.")}  # in front of the keys of each file

# The cycle family: the experiment, and the networks by the names of their files, the one that must be there first.
RELEASES = {
    "pix2pix": (pix2pix, {"G": "generator", "D": "discriminator"}),
    "cyclegan": (cyclegan, {"G_A": "to_target", "G_B": "to_source", "D_A": "discriminator_target",
                            "D_B": "discriminator_source"}),
    "c2gan": (c2gan, {"G": "image_generator", "G_L": "guidance_generator", "D": "image_discriminator",
                      "D_L": "guidance_discriminator"}),
}
DISCRIMINATORS = {"D1": "discriminator_plain", "D2": "discriminator_guided"}


def main(arguments=None) -> int:
    """Runs one conversion; returns the exit status, 2 after a sentence about bad input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name in CONVERTED:
        network = kinds.add_parser(name, help="from " + " and ".join(file.name for file in SOURCES[name].files))
        network.add_argument("files", type=Path, nargs="+")
    gesturegan = kinds.add_parser("gesturegan", help="a released generator, *_net_G.pth")
    gesturegan.add_argument("file", type=Path)
    gesturegan.add_argument("--output", type=Path, required=True, help="run folder to make")
    gesturegan.add_argument("--variant", default="ntu", help="variant of experiments/gesturegan.py it was trained as")
    for kind, (_, nets) in RELEASES.items():
        release = kinds.add_parser(kind, help=f"a released generator, *_net_{next(iter(nets))}.pth")
        release.add_argument("file", type=Path)
        release.add_argument("--output", type=Path, required=True, help="run folder to make")
        release.add_argument("--variant", default="", help=f"variant of experiments/{kind}.py it was trained as")
    for kind, (_, variant, nets) in import_domains.RELEASES.items():
        release = kinds.add_parser(kind, help=f"released networks, {', '.join(nets)}")
        release.add_argument("file", type=Path, help=f"the one of {next(iter(nets))}")
        release.add_argument("--output", type=Path, required=True, help="run folder to make")
        release.add_argument("--variant", default=variant, help=f"variant of experiments/{kind}.py it was trained as")
    given = parser.parse_args(arguments)
    try:
        if given.kind in RELEASES:
            print(f"wrote {import_release(given.kind, given.file, given.output, variant=given.variant)}")
        elif given.kind in import_domains.RELEASES:
            print(f"wrote {import_of_domains(given.kind, given.file, given.output, variant=given.variant)}")
        elif given.kind == "gesturegan":
            print(f"wrote {import_gesturegan(given.file, given.output, variant=given.variant)}")
        else:
            print(f"wrote {import_network(given.kind, given.files)}")
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def import_network(name: str, files: list[Path]) -> Path:
    """Converts a feature network's published files into the weights folder; returns the file written.

    Files come in the order of `sources.SOURCES`. Their checksums are recorded; another file of the same name is
    refused later, so that a network stays what it was.
    """
    published = SOURCES[name].files
    if len(files) != len(published):
        names = " and ".join(file.name for file in published)
        raise InputError(f"{name} is converted from {len(published)} files, {names}, got {len(files)}")
    recorded, digests, state = weights.conversion(name), {}, {}
    for path, known, prefix in zip(files, published, PREFIXES.get(name, ("",) * len(files)), strict=True):
        entries = read_state(path)
        digest = weights.verify(path, known) if path.name == known.name else weights.sha256(path)
        if recorded.get(path.name, digest) != digest:
            raise InputError(
                f"{path} is not the file that {name} was converted from before: its SHA-256 is {digest}, that of the "
                f"other {recorded[path.name]}; remove {weights.record_path(name)} to take it all the same"
            )
        digests[path.name] = digest
        # torch.nn.DataParallel adds a level of its own to the names.
        state |= {prefix + re.sub(r"(^|\.)module\.", r"\1", key): value for key, value in entries.items()}
    network = f"lpips_{name}" if f"lpips_{name}" in features.NETWORKS else name
    expected = features.shapes(network)
    params = port.to_flax(port.frozen.table(network, expected), state, expected)["params"]
    target = weights.path(name)
    weights.write_npz(target, params)
    unfinished = target.with_suffix(".json.unfinished")
    unfinished.write_text(json.dumps(digests, indent=2) + "\n")
    os.replace(unfinished, weights.record_path(name))
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
    return write_run(config, convert(states, methods.load(config.method, config.options)), output)


def import_of_domains(kind: str, path: Path, output: Path, *, variant: str) -> Path:
    """Makes a run folder of the released networks of a method of `import_domains.RELEASES`."""
    if checkpoint.complete(output):
        raise InputError(f"{output} holds checkpoints already; choose another folder with --output")
    config = import_domains.RELEASES[kind][0].get_config(variant).copy_and_resolve_references()
    if config.method != kind:
        raise InputError(f"variant '{variant}' is of the method {config.method}, expected one of {kind}")
    states = {net: read_state(file) for net, file in import_domains.files(kind, path).items()}
    import_domains.adapt(kind, config, states)
    return write_run(config, import_domains.convert(kind, states, methods.load(kind, config.options)), output)


def write_run(config, variables: dict[str, dict], output: Path) -> Path:
    """Makes a run folder of a configuration and of networks by name; it has no step behind it and cannot be continued."""
    state = core.State(
        step=np.zeros((), np.int32),
        key=np.zeros(2, np.uint32),
        params={net: tree["params"] for net, tree in variables.items()},
        moving={net: tree["moving"] for net, tree in variables.items() if tree.get("moving")},
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


def import_release(kind: str, path: Path, output: Path, *, variant: str = "") -> Path:
    """Makes a run folder of the released networks of a method of `RELEASES`: the given file and those beside it.

    Widths, depths, norm and channels are read off the files; everything else is that of the variant. A C2GAN without
    its guidance generator reads nothing off the pictures: its cycles become the image cycle alone.
    """
    if checkpoint.complete(output):
        raise InputError(f"{output} holds checkpoints already; choose another folder with --output")
    module, names = RELEASES[kind]
    config, first = module.get_config(variant).copy_and_resolve_references(), next(iter(names))
    states = {first: read_state(path)}
    for net in names:
        beside = path.with_name(path.name.replace(f"_net_{first}.", f"_net_{net}."))
        if beside != path and beside.is_file():
            states[net] = read_state(beside)
    found = {net: (port.patch if net.startswith("D") else _generator(state)).describe(state) for net, state in states.items()}
    config.options.update(_release_options(kind, found))
    method, variables = methods.load(config.method, config.options), {}
    for net, state in states.items():
        if names[net] in method.nets:
            one = found[net]
            size = (1, 256, 256, one["inputs"])  # any size that every depth divides
            expected = port.shapes(method.nets[names[net]], size)
            fresh = one["norm"] == "instance"
            variables[names[net]] = port.to_flax(_table(one), state, expected, fresh_statistics=fresh)
    return write_run(config, variables, output)


def _generator(state: dict):
    return port.unet if "model.model.0.weight" in state else port.resnet


def _table(found: dict) -> port.Table:
    """The table of a network that was described."""
    if "levels" in found:
        return port.unet.table(levels=found["levels"], norm_kind=found["norm"])
    if "blocks" in found:
        return port.resnet.table(blocks=found["blocks"], norm_kind=found["norm"], dropout=found["dropout"])
    if found["layers"] == 0:
        return port.patch.pixel_table(norm_kind=found["norm"])
    return port.patch.table(layers=found["layers"], norm_kind=found["norm"])


def _release_options(kind: str, found: dict[str, dict]) -> dict:
    """Reads the method's options off the descriptions of its networks, the first of which is a generator."""
    first, *_ = found.values()
    options = {"width": first["width"], "norm": first["norm"]}
    if kind == "pix2pix":
        options["guidance"] = first["inputs"] == 6
        if "levels" in first:
            options |= {"generator": "unet256", "levels": first["levels"]}
        else:
            options |= {"generator": f"resnet{first['blocks']}", "dropout": 0.5 if first["dropout"] else 0.0}
    elif kind == "cyclegan":
        options |= {"blocks": first["blocks"], "dropout": 0.5 if first["dropout"] else 0.0}
    else:
        options |= {"levels": first["levels"], "guidance_channels": first["inputs"] - 3}
        if "G_L" not in found:
            options["cycles"] = ("i2i2i",)
    judge = next((one for net, one in found.items() if net.startswith("D")), None)
    if judge:
        options["discriminator_width"] = judge["width"]
        options |= {"discriminator_layers": judge["layers"]} if judge["layers"] else {"discriminator": "pixel"}
    return options


def read_state(path: Path) -> dict[str, np.ndarray]:
    """Reads a state dict of NumPy arrays, and prints the file's SHA-256.

    A name that ends in eight hexadecimal digits, as torchvision's do, states how the SHA-256 begins.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected a .pth, .safetensors or .npz file")
    digest = weights.sha256(path)
    print(f"{path}: SHA-256 {digest}")
    promised = re.search(r"-([0-9a-f]{8})$", path.stem)
    if promised and not digest.startswith(promised[1]):
        raise InputError(f"{path} is damaged: its SHA-256 begins with {digest[:8]}, its name promises {promised[1]}")
    readers = {".pth": read_pth, ".tar": read_pth, ".ckpt": read_pth, ".safetensors": _read_safetensors, ".npz": _read_npz}
    if path.suffix not in readers:
        raise InputError(f"{path} has the suffix '{path.suffix}', expected one of .pth, .safetensors, .npz")
    return readers[path.suffix](path)


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
