"""TensorFlow checkpoints (PREFIX.index and PREFIX.data-00000-of-00001), read into NumPy arrays without TensorFlow.

The index is a sorted table in LevelDB's format: blocks of entries whose keys share prefixes, and a footer that leads to
them. A value is a protocol buffer that tells where in the data files a variable lies, as raw little-endian numbers.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gganjax.errors import InputError

MAGIC = 0xDB4775248B80FB57
FOOTER = 48  # bytes: two places of blocks, filled up to 40, and the magic number
TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}  # numbers of TensorFlow's types; others are left out


def read(path: Path) -> dict[str, np.ndarray]:
    """Reads all variables of numbers by name from the checkpoint of an index file.

    Raises:
      InputError: a file is missing, damaged, or no such checkpoint.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected the .index file of a TensorFlow checkpoint")
    content, variables = path.read_bytes(), {}
    try:
        if struct.unpack("<Q", content[-8:])[0] != MAGIC:
            raise ValueError("its last eight bytes are not those of such a file")
        place = _skip_place(content, len(content) - FOOTER)
        entries = [entry for _, where in _block(content, place) for entry in _block(content, _place(where, 0)[0])]
        header = dict(entries).get(b"")
        if header is None:
            raise ValueError("its first entry is missing")
        shards = _message(header).get(1, [1])[0]
        data = [path.with_name(f"{path.stem}.data-{shard:05d}-of-{shards:05d}") for shard in range(shards)]
        for file in data:
            if not file.is_file():
                raise InputError(f"{path} belongs to {file.name}, but there is no such file beside it")
        for key, value in entries:
            fields = _message(value)
            kind = TYPES.get(fields.get(1, [0])[0])
            if key and kind:
                variables[key.decode()] = _variable(fields, kind, data)
    except InputError:
        raise
    except (ValueError, IndexError, struct.error) as error:
        raise InputError(f"{path} cannot be read as the index of a TensorFlow checkpoint: {error}") from None
    return variables


def _variable(fields: dict, kind: str, data: list[Path]) -> np.ndarray:
    shape = [_message(dimension).get(1, [0])[0] for dimension in _message(fields.get(2, [b""])[0]).get(2, [])]
    file = data[fields.get(3, [0])[0]]
    start, size = fields.get(4, [0])[0], fields.get(5, [0])[0]
    count = int(np.prod(shape, dtype=np.int64))
    if count * np.dtype(kind).itemsize != size:
        raise ValueError(f"{size} bytes are no array of shape {shape}")
    if file.stat().st_size < start + size:
        raise InputError(f"{file} is cut off: expected at least {start + size} bytes, found {file.stat().st_size}")
    return np.fromfile(file, kind, count, offset=start).reshape(shape)


def _skip_place(content: bytes, at: int) -> tuple[int, int]:
    """The second of two places of blocks: the first is that of a table of contents that nothing here needs."""
    _, at = _place(content, at)
    return _place(content, at)[0]


def _place(content: bytes, at: int) -> tuple[tuple[int, int], int]:
    """Reads offset and size of a block; returns them, and where reading ended."""
    offset, at = _varint(content, at)
    size, at = _varint(content, at)
    return (offset, size), at


def _block(content: bytes, place: tuple[int, int]) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a block."""
    offset, size = place
    block, kind = content[offset : offset + size], content[offset + size]
    if kind:
        raise ValueError("its blocks are compressed")
    (restarts,) = struct.unpack("<I", block[-4:])
    at, end, key = 0, len(block) - 4 * (restarts + 1), b""
    while at < end:
        shared, at = _varint(block, at)
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + own]
        at += own + length
        yield key, block[at - length : at]


def _message(content: bytes) -> dict[int, list]:
    """The fields of a protocol buffer by number: whole numbers, or bytes."""
    fields, at = {}, 0
    while at < len(content):
        tag, at = _varint(content, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(content, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
            value, at = content[at : at + length], at + length
        elif wire == 2:
            length, at = _varint(content, at)
            value, at = content[at : at + length], at + length
        else:
            raise ValueError(f"a field of the unknown kind {wire}")
        fields.setdefault(number, []).append(value)
    return fields


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """A whole number, seven bits a byte, the lowest first; and where reading ended."""
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
