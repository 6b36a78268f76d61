"""Conversion of state dicts: exact both ways, complete, and clear about what does not fit; and the import tool."""

import json
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from states import equal, filled, there_and_back

from gganjax import features, port, use
from gganjax.errors import InputError
from gganjax.layers import Conv, Mode, UpConv
from gganjax.nets.patch import PatchDiscriminator
from gganjax.nets.resnet import ResNetGenerator
from gganjax.port import convert

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import import_torch

GENERATOR, SIZE = ResNetGenerator(width=3, blocks=2), (1, 16, 16, 6)
TABLE = port.resnet.table(blocks=2)


@pytest.mark.parametrize(
    "module, table, size",
    [
        (GENERATOR, TABLE, SIZE),
        (ResNetGenerator(width=3, blocks=1, norm="batch"), port.resnet.table(blocks=1, norm_kind="batch", dropout=False), SIZE),
        (PatchDiscriminator(width=3), port.patch.table(), (1, 32, 32, 9)),
        (PatchDiscriminator(width=3, layers=5, norm="batch"), port.patch.table(layers=5, norm_kind="batch"), (1, 96, 96, 6)),
        (features.VGG(depth=16, width=2), port.vgg.table(16), (1, 16, 16, 3)),
    ],
)
def test_there_and_back_is_exact(module, table, size):
    there_and_back(table, filled(module, size))


def test_layouts_are_pytorchs():
    """Convolution and transposed convolution by PyTorch's definition, tap by tap, in its layout."""
    random = np.random.default_rng(0)
    x = random.normal(size=(1, 4, 5, 2))
    kernel, bias = random.normal(size=(2, 3, 3, 3)), random.normal(size=3)  # (in, out, kh, kw)
    large = np.zeros((1, 2 * 4 + 2, 2 * 5 + 2, 3))
    for i in range(4):
        for j in range(5):
            large[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += np.einsum("bc,cohw->bhwo", x[:, i, j], kernel)
    expected = large[:, 1:9, 1:11] + bias  # padding 1 in front, output padding 1 behind
    params = {"kernel": np.float32(convert.UP.there(kernel)), "bias": np.float32(bias)}
    np.testing.assert_allclose(UpConv(3).apply({"params": params}, np.float32(x)), expected, rtol=1e-4, atol=1e-5)

    kernel = random.normal(size=(3, 2, 3, 3))  # (out, in, kh, kw)
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    params = {"kernel": np.float32(convert.CONV.there(kernel)), "bias": np.float32(bias)}
    expected = np.einsum("bhwcij,ocij->bhwo", windows, kernel) + bias
    np.testing.assert_allclose(Conv(3, 3).apply({"params": params}, np.float32(x)), expected, rtol=1e-4, atol=1e-5)


def test_keys_are_those_of_the_releases():
    """Literal names: with and without dropout, any number of blocks and layers, torchvision's numbering of VGG19."""
    keys = lambda table: {entry.path: entry.key for entry in table.entries}
    nine = keys(port.resnet.table(blocks=9))
    assert nine["params/stem/kernel"] == "model.1.weight"
    assert nine["params/block_8/conv_1/bias"] == "model.18.conv_block.6.bias"
    assert nine["moving/block_8/norm_1/var"] == "model.18.conv_block.7.running_var"
    assert nine["params/up_0/kernel"] == "model.19.weight"
    assert nine["params/head/bias"] == "model.26.bias"
    six = keys(port.resnet.table(blocks=6, dropout=False))
    assert six["params/block_0/conv_1/kernel"] == "model.10.conv_block.5.weight"
    assert six["moving/up_1_norm/mean"] == "model.20.running_mean"
    assert six["params/head/kernel"] == "model.23.weight"
    five = keys(port.patch.table(layers=5, norm_kind="batch"))
    assert five["params/norm_5/scale"] == "model.15.weight"
    assert five["params/conv_6/kernel"] == "model.17.weight"
    assert "params/conv_5/bias" not in five
    vgg = [entry.key for entry in port.vgg.table(19).entries if entry.key.endswith("weight")]
    assert vgg == [f"features.{n}.weight" for n in (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28)]


def test_what_does_not_fit_names_both_sides():
    state, expected = port.to_torch(TABLE, filled(GENERATOR, SIZE)), port.shapes(GENERATOR, SIZE)

    def sentence(changed, **options):
        with pytest.raises(InputError) as error:
            port.to_flax(TABLE, changed, expected, **options)
        return str(error.value)

    without = lambda *keys: {key: value for key, value in state.items() if key not in keys}
    assert sentence(state | {"model.4.weight": np.zeros((6, 4, 3, 3))}) == (
        "the 2-block residual generator: the state dict's model.4.weight of shape (6, 4, 3, 3) becomes (3, 3, 4, 6), "
        "but our params/down_0/kernel has shape (3, 3, 3, 6)"
    )
    assert sentence(state | {"model.4.weight": np.zeros(6)}).endswith("but our params/down_0/kernel has shape (3, 3, 3, 6)")
    assert sentence(without("model.19.bias")) == (
        "the state dict lacks the key model.19.bias, which fills our params/head/bias of shape (3,) "
        "in the 2-block residual generator"
    )
    assert sentence(state | {"model.99.weight": np.zeros((2, 3))}) == (
        "the state dict's key model.99.weight of shape (2, 3) has no place in the 2-block residual generator (1 such keys)"
    )
    with pytest.raises(
        InputError, match=r"no key of the 1-block residual generator fills our moving/block_1/norm_0/mean of shape"
    ):
        port.to_flax(port.resnet.table(blocks=1), {}, expected)
    with pytest.raises(InputError, match=r"our moving/block_1/norm_0/mean of shape \(12,\) has no key in the 1-block"):
        port.to_torch(port.resnet.table(blocks=1), filled(GENERATOR, SIZE))
    # Statistics are absent altogether or present altogether.
    assert "lacks the key model.2.running_var" in sentence(without("model.2.running_var"), fresh_statistics=True)


def test_running_statistics_and_counters():
    variables = filled(GENERATOR, SIZE)
    state, expected = port.to_torch(TABLE, variables), port.shapes(GENERATOR, SIZE)
    counted = state | {"model.2.num_batches_tracked": np.int64(3)}
    assert equal(port.to_flax(TABLE, counted, expected), variables)
    dropped = port.to_flax(TABLE, state, {"params": expected["params"]})
    assert equal(dropped, {"params": variables["params"]})
    bare = {key: value for key, value in state.items() if "running" not in key}
    with pytest.raises(InputError, match=r"lacks the key model\.\S+running_mean, which fills our moving/"):
        port.to_flax(TABLE, bare, expected)
    fresh = port.to_flax(TABLE, bare, expected, fresh_statistics=True)
    assert equal(fresh["params"], variables["params"])
    assert all(np.all(norm["mean"] == 0) and np.all(norm["var"] == 1) for norm in (fresh["moving"]["stem_norm"],))
    assert jax.tree.map(np.shape, fresh["moving"]) == jax.tree.map(np.shape, variables["moving"])


def test_descriptions_read_off_the_arrays():
    assert port.resnet.describe(port.to_torch(TABLE, filled(GENERATOR, SIZE))) == {
        "inputs": 6, "outputs": 3, "width": 3, "blocks": 2, "norm": "instance", "dropout": True
    }  # fmt: skip
    module = PatchDiscriminator(width=5, layers=2, norm="batch")
    state = port.to_torch(port.patch.table(layers=2, norm_kind="batch"), filled(module, (1, 32, 32, 9)))
    assert port.patch.describe(state) == {"inputs": 9, "width": 5, "layers": 2, "norm": "batch"}
    with pytest.raises(InputError, match=r"not that of a residual generator: its first keys are \['model.0.weight'"):
        port.resnet.describe(state)
    with pytest.raises(InputError, match="not that of a PatchGAN"):
        port.patch.describe({})


def release(folder, *, suffix=".npz"):
    """A toy release: files of G, D1 and D2 named as published; returns the generator's variables and file."""
    variables = filled(GENERATOR, SIZE)
    variables["moving"] = jax.tree.map(np.abs, variables["moving"])
    states = {"G": port.to_torch(TABLE, variables)}
    for net, channels in (("D1", 6), ("D2", 9)):
        states[net] = port.to_torch(port.patch.table(), filled(PatchDiscriminator(width=4), (1, 32, 32, channels)))
    for net, state in states.items():
        if suffix == ".npz":
            np.savez(folder / f"latest_net_{net}.npz", **state)
        else:
            torch = pytest.importorskip("torch", reason="writing and reading .pth files needs PyTorch, which is optional")
            tensors = {key: torch.from_numpy(value.copy()) for key, value in state.items()}
            torch.save(tensors, folder / f"latest_net_{net}.pth")
    return variables, folder / f"latest_net_G{suffix}"


@pytest.mark.parametrize("suffix", [".npz", ".pth"])
def test_released_checkpoints_become_a_folder_to_use(tmp_path, capsys, suffix):
    variables, path = release(tmp_path, suffix=suffix)
    assert import_torch.main(["gesturegan", str(path), "--output", str(tmp_path / "run")]) == 0
    translate = use.load(tmp_path / "run")
    found = {name: translate.config["options"][name] for name in ("width", "blocks", "dropout", "discriminator_width")}
    assert found == {"width": 3, "blocks": 2, "dropout": 0.5, "discriminator_width": 4}
    image, guidance = np.random.default_rng(0).uniform(-1, 1, (2, 1, 32, 32, 3)).astype(np.float32)
    mode = Mode(dropout=False, keep=False)
    expected = jax.jit(GENERATOR.apply, static_argnums=2)(variables, np.concatenate([image, guidance], -1), mode)
    np.testing.assert_allclose(translate(source=image, target_guidance=guidance), expected, atol=1e-6)
    assert json.loads((tmp_path / "run/config.json").read_text())["method"] == "gesturegan"
    assert import_torch.main(["gesturegan", str(path), "--output", str(tmp_path / "run")]) == 2
    assert (
        capsys.readouterr().err == f"error: {tmp_path / 'run'} holds checkpoints already; choose another folder with --output\n"
    )


def test_released_networks_that_do_not_fit_are_one_sentence(tmp_path, capsys):
    """Of another method, of other inputs, and for a variant that is another method's."""
    def told(kind, name, *options):
        assert import_torch.main([kind, str(tmp_path / name), "--output", str(tmp_path / "run"), *options]) == 2
        assert not (tmp_path / "run").exists()
        return capsys.readouterr().err.removeprefix("error: ").rstrip("\n")

    release(tmp_path)
    four = port.to_torch(TABLE, filled(GENERATOR, (1, 16, 16, 4)))
    np.savez(tmp_path / "four_net_G.npz", **four)
    assert told("c2gan", "latest_net_G.npz").startswith("options.blocks is no option of c2gan")
    assert told("gesturegan", "four_net_G.npz") == (
        f"{tmp_path / 'four_net_G.npz'} is a network of 4 input channels, expected 6 or 3")
    assert told("asymmetricgan", "latest_net_G.npz") == (
        f"{tmp_path / 'latest_net_G.npz'} must be named like NAME_net_G1.pth, so that the other networks are found beside it")
    assert told("gesturegan", "latest_net_G.npz", "--variant", "ablation_a") == (
        "variant 'ablation_a' is of the method cyclegan, expected one of gesturegan")


def write_safetensors(path, state):
    table, blobs, offset = {}, [], 0
    for key, value in state.items():
        blobs.append(value.tobytes())
        table[key] = {"dtype": "F32", "shape": value.shape, "data_offsets": [offset, offset + len(blobs[-1])]}
        offset += len(blobs[-1])
    header = json.dumps(table).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"".join(blobs))


def test_vgg19_is_converted_into_the_weights_folder(tmp_path, monkeypatch):
    """Full size, from the file format that needs no PyTorch; layers behind relu5_1 and the classifier are left out."""
    monkeypatch.setenv("GGANJAX_WEIGHTS", str(tmp_path / "weights"))
    module, table = features.VGG(depth=19), port.vgg.table(19)
    # One number for each array, so that the file is quick to make; its place is what is tested.
    leaves, structure = jax.tree.flatten(port.shapes(module, (1, 16, 16, 3)))
    variables = structure.unflatten([np.full(leaf.shape, i, np.float32) for i, leaf in enumerate(leaves)])
    state = port.to_torch(table, variables)
    behind = {"features.30.weight": np.zeros((2, 2), np.float32), "classifier.0.bias": np.zeros(2, np.float32)}
    write_safetensors(tmp_path / "model.safetensors", state | behind)
    assert import_torch.main(["vgg19", str(tmp_path / "model.safetensors")]) == 0
    chosen, load = features.perceptual("auto")
    assert chosen.depth == 19
    assert equal(load(), variables["params"])


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        ("gone.pth", None, "gone.pth does not exist; expected a .pth, .safetensors or .npz file"),
        ("vgg19-dcbb9e9d.pth", b"x", "is damaged: its SHA-256 begins with 2d711642, its name promises dcbb9e9d"),
        ("weights.h5", b"x", "weights.h5 has the suffix '.h5', expected one of .pth, .safetensors, .npz"),
        ("weights.npz", b"x", "weights.npz cannot be read as a NumPy archive"),
        ("weights.safetensors", b"x", "weights.safetensors cannot be read as a safetensors file"),
    ],
)
def test_bad_files_are_one_sentence(tmp_path, capsys, name, content, sentence):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert import_torch.main(["vgg19", str(tmp_path / name)]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert sentence in printed
    assert printed.count("\n") == 1
