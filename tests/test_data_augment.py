"""The four panels of a pair are cropped and flipped together, by the amounts of the reference."""

from collections import Counter

import numpy as np
import pytest
from make_set import HAND, folder_settings, make_folder, picture, take, write_key_points
from PIL import Image

from gganjax import data
from gganjax.data import augment


def test_offsets_are_uniform_and_the_last_one_never_occurs():
    rng = np.random.default_rng(0)
    draws = [augment.draw(rng, load_size=24, crop_size=16, flip=True) for _ in range(4000)]
    for counts in (Counter(draw.top for draw in draws), Counter(draw.left for draw in draws)):
        assert sorted(counts) == list(range(8))
        assert all(abs(count - 500) < 100 for count in counts.values())  # 4.8 standard deviations
    assert 1850 < sum(draw.flip for draw in draws) < 2150
    assert len(Counter((draw.top, draw.left) for draw in draws)) == 64


def test_equal_sizes_are_not_cropped_and_flip_can_be_off():
    rng = np.random.default_rng(0)
    assert {augment.draw(rng, load_size=16, crop_size=16, flip=False) for _ in range(50)} == {augment.Augmentation(0, 0, False)}


@pytest.fixture
def strip_set(tmp_path, monkeypatch):
    """One strip whose panels hold the same random picture in different colors, so that a panel tells its crop."""
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    (tmp_path / "set" / "train").mkdir(parents=True)
    base = picture(7, 24, 24)
    Image.fromarray(np.concatenate([np.roll(base, shift, -1) for shift in (0, 1, 2)] + [255 - base], 1)).save(
        tmp_path / "set/train/a.png"
    )
    return tmp_path / "set", base


@pytest.mark.parametrize("flip, flips", [("on", {False, True}), ("off", {False}), ("auto", {False, True})])
def test_all_four_panels_share_one_crop_and_one_flip(strip_set, flip, flips):
    root, base = strip_set
    settings = folder_settings(root, kind="strips", flip=flip)
    source = data.open_source(settings, "train")
    (batch,) = take(data.train_batches(source, settings, batch_size=40, seed=1), 1)
    possible = {}
    for top in range(8):
        for left in range(8):
            crop = base[top : top + 16, left : left + 16]
            possible[crop.tobytes()] = (top, left, False)
            possible[np.ascontiguousarray(crop[:, ::-1]).tobytes()] = (top, left, True)
    seen = []
    for row in range(40):
        panels = [np.roll(batch["source"][row], 0, -1), np.roll(batch["target"][row], -1, -1)]
        panels += [np.roll(batch["source_guidance"][row], -2, -1), 255 - batch["target_guidance"][row]]
        crops = {possible[np.ascontiguousarray(panel).tobytes()] for panel in panels}
        assert len(crops) == 1
        seen += crops
    assert {flip for _, _, flip in seen} == flips
    assert len(set(seen)) > 20


def test_stored_mirror_images_turn_the_flip_off(strip_set):
    root, _ = strip_set
    (root / "train" / "a.png").rename(root / "train" / "a_AB_lr.png")
    settings = folder_settings(root, kind="strips", load_size=16)
    source = data.open_source(settings, "train")
    (batch,) = take(data.train_batches(source, settings, batch_size=20, seed=1), 1)
    assert (batch["source"] == batch["source"][0]).all()


def test_test_pictures_are_resized_whole_and_not_flipped(tmp_path, monkeypatch):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    settings = folder_settings(make_folder(tmp_path / "set"), flip="on")
    source = data.open_source(settings, "test")
    (batch,) = take(data.test_batches(source, settings, batch_size=6), 1)
    for row in range(6):
        with Image.open(tmp_path / "set" / "test" / f"p{row}.png") as image:
            assert np.array_equal(batch["source"][row], np.asarray(image.resize((16, 16), Image.Resampling.BICUBIC)))


def test_random_test_crops_are_the_same_every_time(tmp_path, monkeypatch):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    settings = folder_settings(make_folder(tmp_path / "set"), test_crop="random")
    source = data.open_source(settings, "test")
    one, other = (take(data.test_batches(source, settings, batch_size=size), 1)[0]["source"] for size in (6, 3))
    assert np.array_equal(one[:3], other)
    with Image.open(tmp_path / "set" / "test" / "p0.png") as image:
        loaded = np.asarray(image.resize((24, 24), Image.Resampling.BICUBIC))
    assert any(np.array_equal(one[0], loaded[top : top + 16, left : left + 16]) for top in range(8) for left in range(8))


def test_key_points_go_through_resize_and_crop_with_the_picture(tmp_path, monkeypatch):
    """A picture that is its own skeleton, drawn large: its lines and the drawn guidance must lie on one another."""
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    root = make_folder(tmp_path / "set", side=128, splits=("train",))
    hand = HAND * (4, 4, 1)
    for i in range(6):
        Image.fromarray(data.draw_skeleton(hand, (128, 128), line_width=8)).save(root / "train" / f"p{i}.png")
    write_key_points(root, "train", {f"p{i}.png": hand for i in range(6)}, 128)
    settings = folder_settings(root, load_size=80, crop_size=64, line_width=5, flip="on")
    source = data.open_source(settings, "train")
    (batch,) = take(data.train_batches(source, settings, batch_size=12, seed=3), 1)
    for side in ("source", "target"):
        difference = np.abs(batch[side].astype(float) - batch[f"{side}_guidance"]).mean()
        inked = batch[f"{side}_guidance"].mean()
        assert difference < 0.06 * inked  # half a pixel beside gives 0.2
