"""Files of state dicts, read into NumPy arrays without PyTorch."""

import json
import re
from pathlib import Path

import numpy as np

from gganjax.errors import InputError
from gganjax.features import weights
from gganjax.features.unpickle import read_state


def read(path: Path) -> dict[str, np.ndarray]:
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
    readers = {".safetensors": _read_safetensors, ".npz": _read_npz}
    readers |= dict.fromkeys((".pth", ".tar", ".ckpt"), read_state)
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
