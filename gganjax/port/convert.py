"""Exact, checked conversion between PyTorch state dicts and Flax variables.

A state dict is a plain dictionary {key: NumPy array} in PyTorch's layout. Variables are {"params": tree,
"moving": tree}, nested dictionaries of NumPy arrays as `module.apply` takes them. A `Table` pairs every key with
one place in the variables and works both ways, so that gradients can be compared in PyTorch's layout too.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from gganjax.errors import InputError


class Layout(NamedTuple):
    """How an array's axes change on the way to Flax (`there`) and back (`back`)."""

    there: Callable[[np.ndarray], np.ndarray]
    back: Callable[[np.ndarray], np.ndarray]


SAME = Layout(lambda w: w, lambda w: w)
# (out, in, kh, kw) <-> (kh, kw, in, out)
CONV = Layout(lambda w: w.transpose(2, 3, 1, 0), lambda w: w.transpose(3, 2, 0, 1))
# Transposed convolution, (in, out, kh, kw) <-> (kh, kw, in, out): PyTorch's kernel is the flipped one of the input-dilated form.
UP = Layout(lambda w: w[:, :, ::-1, ::-1].transpose(2, 3, 0, 1), lambda w: w.transpose(2, 3, 0, 1)[:, :, ::-1, ::-1])

LINEAR = Layout(lambda w: w.T, lambda w: w.T)  # (out, in) <-> (in, out)
HEAD = Layout(lambda w: w.reshape(-1), lambda w: w.reshape(1, -1, 1, 1))  # (1, C, 1, 1) <-> (C), to one channel


class Entry(NamedTuple):
    """One line of a table: PyTorch's key, our "collection/path/leaf", and the change of layout."""

    key: str
    path: str
    layout: Layout = SAME


class Table(NamedTuple):
    """The exact correspondence of one network; `ignored` is a pattern of keys that are known and not needed."""

    name: str
    entries: tuple[Entry, ...]
    ignored: str = r".*\.num_batches_tracked"  # PyTorch counts updates there, which nothing here reads


def conv(key: str, path: str, *, bias: bool = True, layout: Layout = CONV) -> tuple[Entry, ...]:
    """Lists the entries of a convolution."""
    kernel = Entry(f"{key}.weight", f"params/{path}/kernel", layout)
    return (kernel, Entry(f"{key}.bias", f"params/{path}/bias")) if bias else (kernel,)


def norm(key: str, path: str, *, affine: bool) -> tuple[Entry, ...]:
    """Lists the entries of a batch norm (affine) or of an instance norm that tracks its statistics."""
    scale = (Entry(f"{key}.weight", f"params/{path}/scale"), Entry(f"{key}.bias", f"params/{path}/bias")) if affine else ()
    return (
        *scale,
        Entry(f"{key}.running_mean", f"moving/{path}/mean"),
        Entry(f"{key}.running_var", f"moving/{path}/var"),
    )


# Our leaf's name and rank -> PyTorch's name and the change of layout, where all other names agree.
MIRRORED = {
    ("kernel", 4): ("weight", CONV),
    ("kernel", 2): ("weight", LINEAR),
    ("bias", 1): ("bias", SAME),
    ("scale", 1): ("weight", SAME),
    ("mean", 1): ("running_mean", SAME),
    ("var", 1): ("running_var", SAME),
}


def mirrored(name: str, expected: dict, *, ignored: str = "") -> Table:
    """Returns the table of a network whose modules have PyTorch's names, from its shapes (see `shapes`).

    "params/layer1.0/conv1/kernel" is "layer1.0.conv1.weight". `ignored` is a further pattern of keys not needed.
    """
    entries = []
    for path, leaf in flatten_dict(expected, sep="/").items():
        _, *modules, last = path.split("/")
        word, layout = MIRRORED[last, len(leaf.shape)]
        entries.append(Entry(".".join([*modules, word]), path, layout))
    return Table(name, tuple(entries), r".*\.num_batches_tracked" + (f"|{ignored}" if ignored else ""))


def shapes(module, *inputs, **options) -> dict:
    """Returns the shapes of a module's variables for inputs of the given shapes, some by name, computing nothing."""
    keys = {name: jax.random.key(0) for name in ("params", "dropout")}
    arguments = [jax.ShapeDtypeStruct(shape, np.float32) for shape in inputs]
    named = {name: jax.ShapeDtypeStruct(shape, np.float32) for name, shape in options.items()}
    return jax.eval_shape(lambda *x, **y: module.init(keys, *x, **y), *arguments, **named)


def to_flax(table: Table, state: dict, expected: dict, *, fresh_statistics: bool = False) -> dict:
    """Converts a PyTorch state dict to variables of exactly the shapes `expected` (see `shapes`).

    Every key is used once and every place is filled; anything else raises InputError, which names both sides.
    Running statistics are dropped where the network keeps none. With `fresh_statistics` a state dict without
    any gives a network that tracks them mean 0 and variance 1, as at the start of training.
    """
    wanted = {path: np.shape(leaf) for path, leaf in flatten_dict(expected, sep="/").items()}
    unknown = [key for key in state if not re.fullmatch(table.ignored, key) and key not in {e.key for e in table.entries}]
    if unknown:
        raise InputError(
            f"the state dict's key {unknown[0]} of shape {np.shape(state[unknown[0]])} has no place in {table.name} "
            f"({len(unknown)} such keys)"
        )
    entries = [entry for entry in table.entries if entry.path in wanted or not entry.path.startswith("moving/")]
    uncovered = set(wanted) - {entry.path for entry in entries}
    if uncovered:
        path = min(uncovered)
        raise InputError(f"no key of {table.name} fills our {path} of shape {wanted[path]} ({len(uncovered)} such places)")
    statistics = {e.path: e.key for e in entries if re.fullmatch("moving/.*/(mean|var)", e.path)}
    fresh = fresh_statistics and not any(key in state for key in statistics.values())
    flat = {}
    for entry in entries:
        shape = wanted.get(entry.path)
        if entry.key in state:
            flat[entry.path] = _place(table, entry, np.asarray(state[entry.key]), shape)
        elif fresh and entry.path in statistics:
            flat[entry.path] = np.full(shape, entry.path.endswith("/var"), np.float32)
        else:
            raise InputError(
                f"the state dict lacks the key {entry.key}, which fills our {entry.path} of shape {shape} in {table.name}"
            )
    return {"params": {}, **unflatten_dict(flat, sep="/")}


def _place(table: Table, entry: Entry, value: np.ndarray, shape: tuple | None) -> np.ndarray:
    # A layout of the wrong rank cannot be applied; the shapes then differ anyway.
    rank = 4 if entry.layout in (CONV, UP) else value.ndim
    converted = entry.layout.there(value) if value.ndim == rank else value
    if converted.shape != shape:
        ours = f"shape {shape}" if shape is not None else "no such parameter"
        raise InputError(
            f"{table.name}: the state dict's {entry.key} of shape {value.shape} becomes {converted.shape}, "
            f"but our {entry.path} has {ours}"
        )
    return np.ascontiguousarray(converted, np.float32)


def to_torch(table: Table, variables: dict) -> dict:
    """Converts variables, or gradients of the same structure, to {key: array} in PyTorch's layout.

    Collections that are absent are left out; a leaf the table does not know raises InputError.
    """
    flat = flatten_dict(variables, sep="/")
    unknown = set(flat) - {entry.path for entry in table.entries}
    if unknown:
        raise InputError(f"our {min(unknown)} of shape {np.shape(flat[min(unknown)])} has no key in {table.name}")
    return {e.key: np.ascontiguousarray(e.layout.back(np.asarray(flat[e.path]))) for e in table.entries if e.path in flat}
