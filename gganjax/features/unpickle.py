"""Readers of pickled weights that run nothing of what a file names.

`read_arrays` reads a pickle of nested dictionaries of NumPy arrays, `read_state` a PyTorch state dict in either of
PyTorch's file formats, without PyTorch. The names that such files mention are answered by the inert stand-ins below;
any other name is refused, and so is a whole pickled module.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from typing import NamedTuple

import numpy as np

from gganjax.errors import InputError

DAMAGED = (pickle.UnpicklingError, EOFError, AttributeError, ValueError, TypeError, IndexError, KeyError, OverflowError)


def read_arrays(path) -> dict:
    """Reads a pickle that holds nothing but nested dictionaries of floating-point arrays."""
    try:
        with open(path, "rb") as file:
            return _arrays(_Admitting(file, ARRAYS).load())
    except DAMAGED as error:
        raise InputError(f"{path} is damaged or no plain tree of arrays: {error}") from None


def read_state(path) -> dict[str, np.ndarray]:
    """Reads a PyTorch state dict {key: array}, or the one under "state_dict" of a training checkpoint.

    Both formats are read: the archive of PyTorch 1.6 and later, and the sequence of pickles before it.
    """
    try:
        content = _read_archive(path) if zipfile.is_zipfile(path) else _read_sequence(path)
        if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
            content = content["state_dict"]
        if not isinstance(content, dict) or not all(isinstance(value, _Tensor) for value in content.values()):
            raise ValueError(f"it holds a {type(content).__name__} of other things than tensors")
        return {str(key): tensor.read() for key, tensor in content.items()}
    except (*DAMAGED, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path} cannot be read as a state dict, a dictionary of nothing but tensors: {error}"
        ) from None


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


class _Storage:
    """Stands in for a tensor's memory: `data` is filled in when the file's bytes are reached."""

    def __init__(self, kind: np.dtype, count: int):
        self.kind, self.count, self.data = kind, count, None

    def __setstate__(self, state):
        raise ValueError("it changes a storage")

    def fill(self, content: bytes) -> None:
        if len(content) != self.count * self.kind.itemsize:
            raise ValueError(f"it has {len(content)} bytes where {self.count} numbers of {self.kind} belong")
        self.data = np.frombuffer(content, self.kind)


class _Tensor(NamedTuple):
    """Stands in for a tensor: where in which storage it lies."""

    storage: _Storage
    offset: int
    size: tuple
    stride: tuple

    def read(self) -> np.ndarray:
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=True))
        smallest = min((self.offset, *self.size, *self.stride))
        if smallest < 0 or (0 not in self.size and last >= self.storage.count):
            raise ValueError("a tensor reaches beyond its storage")
        steps = [step * self.storage.kind.itemsize for step in self.stride]
        return np.lib.stride_tricks.as_strided(self.storage.data[self.offset :], self.size, steps).copy()


def _rebuild_tensor(storage, offset, size, stride, *_):
    if not isinstance(storage, _Storage):
        raise ValueError("a tensor without storage")
    return _Tensor(storage, int(offset), tuple(map(int, size)), tuple(map(int, stride)))


ARRAYS = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): None,  # only ever an argument of _reconstruct
    ("numpy", "dtype"): _Dtype,
}
KINDS = {"Float": "<f4", "Half": "<f2", "Double": "<f8", "Long": "<i8", "Int": "<i4", "Byte": "u1", "Bool": "?"}
TENSORS = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
    ("torch", "Size"): tuple,
    **{("torch", f"{name}Storage"): np.dtype(kind) for name, kind in KINDS.items()},
}


class _Admitting(pickle.Unpickler):
    """Answers the names it is given and no other."""

    def __init__(self, file, admitted, storages=None):
        super().__init__(file, encoding="latin1")  # some files were written by Python 2
        self.admitted, self.storages = admitted, storages

    def find_class(self, module, name):
        if (module, name) not in self.admitted:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is not admitted")
        return self.admitted[module, name]

    def persistent_load(self, pid):
        if self.storages is None or pid[0] != "storage" or not isinstance(pid[1], np.dtype):
            raise pickle.UnpicklingError("it refers to something that is no storage")
        _, kind, key, _, count, *view = pid
        if view and view[0] is not None:
            raise pickle.UnpicklingError("it holds views of storages, which are not admitted")
        return self.storages.setdefault(str(key), _Storage(kind, int(count)))


def _read_archive(path):
    with zipfile.ZipFile(path) as file:
        top = next(name for name in [*file.namelist(), "/"] if name.endswith("data.pkl") or name == "/")
        if top == "/":
            raise ValueError("the archive has no data.pkl")
        folder, storages = top.removesuffix("data.pkl"), {}
        order = f"{folder}byteorder"
        if order in file.namelist() and file.read(order) != b"little":
            raise ValueError("its numbers are not little-endian")
        content = _Admitting(io.BytesIO(file.read(top)), TENSORS, storages).load()
        for key, storage in storages.items():
            storage.fill(file.read(f"{folder}data/{key}"))
    return content


def _read_sequence(path):
    with open(path, "rb") as file:
        magic, version = (_Admitting(file, {}).load() for _ in range(2))
        if (magic, version) != (0x1950A86A20F9469CFC6C, 1001):
            raise ValueError("it does not begin as PyTorch's files do")
        if not _Admitting(file, {}).load()["little_endian"]:
            raise ValueError("its numbers are not little-endian")
        storages: dict[str, _Storage] = {}
        content = _Admitting(file, TENSORS, storages).load()
        for key in _Admitting(file, {}).load():
            storage = storages[str(key)]
            if int.from_bytes(file.read(8), "little") != storage.count:
                raise ValueError("a storage has another size than its tensors tell")
            storage.fill(file.read(storage.count * storage.kind.itemsize))
    return content


def _arrays(node):
    if isinstance(node, dict):
        return {key: _arrays(value) for key, value in node.items()}
    if isinstance(node, _Array):
        return node.read()
    raise ValueError(f"it holds a {type(node).__name__}, which is not admitted")
