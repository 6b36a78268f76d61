"""Real photographs in the formats of the data folders, where they lie beside the repository."""

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
