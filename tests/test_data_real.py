"""Real photographs in the formats of the data folders, where they lie beside the repository."""

import numpy as np
import pytest
from conftest import shared
from scipy import ndimage

from gganjax import data


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path))


@pytest.mark.parametrize(
    "name, only, split, pairs, pictures",
    [
        ("sign_digits", "", "test", 363, 195),
        ("ntu_senz3d", "", "train", 2483, 203),
        ("ntu_senz3d", "ntu_", "test", 30, 55),
        ("ntu_senz3d", "senz3d_", "test", 28, 51),
        ("hands_scenes", "", "test", 202, 112),
        ("actions64", "", "test_unseen", None, 84),
    ],
)
def test_every_pair_of_a_set_is_found(name, only, split, pairs, pictures):
    settings = dict(kind="folder", folder=str(shared(f"data/{name}")), only=only, test_split=split)
    facts = data.open_source(settings, "train" if split == "train" else "test").describe()
    assert facts["pictures"] == pictures and facts["pairs"] == (pairs or facts["pairs"])
    assert facts["pairs_left_out"] == 0 and not facts["bad_files"]


def opened(name, split="train", **changes):
    settings = dict(dict(folder=str(shared(f"data/{name}")), load_size=64, crop_size=64), **changes)
    return settings, data.open_source(settings, split)


def test_the_domains_of_painted_faces():
    settings, train = opened("kaokore", kind="domains")
    facts = train.describe()
    assert facts["pictures_of"] == dict.fromkeys(["female_noble", "male_incarnation", "male_noble", "male_warrior"], 160)
    assert len(train) == 640 and facts["sizes"] == {"128x128": 640}
    _, test = opened("kaokore", "test", kind="domains")
    assert len(test) == 120 * 3 and set(test.describe()["pictures_of"].values()) == {30}
    two = dict(kind="unpaired", domains=("male_noble", "female_noble"))
    assert [len(opened("kaokore", split, **two)[1]) for split in ("train", "test")] == [160, 30]
    with data.train_batches(train, settings, batch_size=8, seed=0) as batches:
        batch = next(batches)
    assert batch["source"].shape == (8, 64, 64, 3) and (batch["source_domain"].sum(1) == 1).all()


@pytest.mark.parametrize("name, train, test, classes", [("facades", 320, 70, 12), ("landcover", 200, 70, 5)])
def test_labels_have_their_photos(name, train, test, classes):
    for split, pairs in dict(train=train, test=test).items():
        _, source = opened(name, split, kind="labels")
        facts = source.describe()
        assert (facts["pairs"], facts["classes"], facts["sizes"]) == (pairs, classes, {"256x256": pairs})
        colors = {tuple(color) for color in source[0]["source"].reshape(-1, 3).tolist()}
        assert 1 < len(colors) <= classes and np.unique(source[0]["target"]).size > 100


def test_every_face_is_paired_with_its_smile_and_has_dots_where_its_features_are():
    assert [len(opened("faces_london", split, kind="folder")[1]) for split in ("train", "test")] == [70, 12]
    settings, source = opened("faces_london", "test", kind="folder", guidance="dots", load_size=256, crop_size=256)
    with data.test_batches(source, settings, batch_size=12) as batches:
        batch = next(batches)
    ratios = []
    for name, picture, dots in zip(batch["name"], batch["target"], batch["target_guidance"], strict=True):
        assert name.split("__")[1] == name[:3] + "_smiling"
        assert (dots > 250).mean() > 0.95 and (dots < 5).sum() > 68 * 8
        gray = ndimage.gaussian_filter(picture.mean(-1), 1)
        edges = np.hypot(*np.gradient(gray))[60:200, 60:200]
        ratios.append(edges[dots[60:200, 60:200, 0] < 128].mean() / edges.mean())
    assert min(ratios) > 1.2 and np.mean(ratios) > 1.5, ratios  # brows, eyes, lips and jaw are edges of the picture


def test_heat_maps_and_masks_lie_on_the_people():
    settings, source = opened("actions64", kind="folder", guidance="heatmaps", line_width=3.0)
    assert len(source) == 1432
    fields = ("target_guidance", "target_mask")
    with data.train_batches(source, settings, batch_size=16, seed=0, fields=fields) as batches:
        batch = next(batches)
    assert batch["target_guidance"].shape == (16, 64, 64, 18) and batch["target_mask"].shape == (16, 64, 64, 1)
    for maps, mask in zip(batch["target_guidance"], batch["target_mask"], strict=True):
        peaks = maps.reshape(-1, 18).max(0)
        assert set(peaks.tolist()) <= {0, 255} and (peaks == 255).sum() >= 12
        assert 0.05 < mask.mean() < 0.5
        limbs = (maps.max(-1) == 255) & (mask[..., 0] == 1)
        assert limbs.sum() > 0.8 * (maps.max(-1) == 255).sum()


@pytest.mark.parametrize("name", ["ntu", "senz3d"])
def test_a_released_strip_is_read(name):
    settings = dict(kind="strips", folder=str(shared(f"data/gesture_samples/{name}")), test_split="train")
    sample = data.open_source(settings, "test")[0]
    assert sample["source"].shape == (256, 256, 3)
    white = (sample["source_guidance"] > 127).mean()
    assert 0.002 < white < 0.08 and (sample["source"] > 127).mean() > 0.08


def test_our_lines_cover_as_much_as_those_of_the_published_skeletons():
    folder = shared("data/ntu_senz3d")
    settings = dict(kind="folder", folder=str(folder), only="senz3d_")
    source = data.open_source(settings, "test")
    ours, published, near = 0, 0, 0
    with data.test_batches(source, settings, batch_size=len(source)) as batches:
        batch = next(batches)
    for name, guidance in zip(batch["name"], batch["target_guidance"], strict=True):
        drawn = guidance[..., 0] > 127
        skeleton = data.read_image(folder / "test_skeleton_openpose" / f"{name.split('__')[1]}.png")[..., 0] > 127
        ours, published = ours + drawn.sum(), published + skeleton.sum()
        near += (drawn & ndimage.binary_dilation(skeleton, iterations=4)).sum()
    assert ours == pytest.approx(published, rel=0.1)
    assert near > 0.8 * ours  # the detectors differ by some pixels
