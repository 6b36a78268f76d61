"""Released strips: two or four panels in one file."""

import numpy as np
import pytest
from make_set import folder_settings, picture
from PIL import Image

from gganjax import data
from gganjax.errors import InputError


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "set" / "train"
    folder.mkdir(parents=True)
    for i in range(3):
        Image.fromarray(picture(i, 16, 64)).save(folder / f"color_P1_G{i}.png")
    return tmp_path / "set"


def opened(root, split="train", **changes):
    return data.open_source(folder_settings(root, **dict(dict(kind="strips", load_size=16), **changes)), split)


def message(root, **changes):
    with pytest.raises(InputError) as error:
        opened(root, **changes)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_panels_are_source_target_and_their_skeletons(root):
    source = opened(root)
    sample, strip = source[1], picture(1, 16, 64)
    keys = ("source", "target", "source_guidance", "target_guidance")
    assert sample["name"] == "color_P1_G1"
    assert all(np.array_equal(sample[key], strip[:, 16 * i : 16 * i + 16]) for i, key in enumerate(keys))
    assert source.describe()["sizes"] == {"64x16": 3} and source.describe()["pairs"] == 3


def test_each_panel_is_resized_by_itself(root):
    strip = picture(0, 16, 64)
    expected = Image.fromarray(strip[:, 16:32]).resize((24, 24), Image.Resampling.BICUBIC)
    assert np.array_equal(opened(root, load_size=24)[0]["target"], np.asarray(expected))


def test_a_strip_of_another_shape_is_told_by_name(root):
    path = root / "train" / "b.png"
    Image.fromarray(picture(5, 16, 48)).save(path)
    text = message(root)
    assert text.startswith(
        f"1 of 4 pictures in {root / 'train'} are bad ({path} must be four square panels side by side, but it is 48x16)"
    )
    source = opened(root, bad_files="skip")
    assert len(source) == 3 and list(source.describe()["bad_files"]) == ["b.png"]


def test_a_strip_that_changes_its_shape_later_is_one_sentence(root):
    source = opened(root)
    Image.fromarray(picture(5, 16, 48)).save(root / "train" / "color_P1_G0.png")
    with pytest.raises(InputError, match="was four square panels wide when it was checked and no longer is"):
        source[0]


def only_strips(root, shapes):
    """Replaces the strips by others of these shapes (height, width)."""
    for path in (root / "train").iterdir():
        path.unlink()
    for i, shape in enumerate(shapes):
        Image.fromarray(picture(i, *shape)).save(root / "train" / f"{i}.png")


def test_two_panels_are_source_and_target_alone(root):
    only_strips(root, [(16, 32), (16, 32)])
    sample, strip = opened(root)[1], picture(1, 16, 32)
    assert np.array_equal(sample["source"], strip[:, :16]) and np.array_equal(sample["target"], strip[:, 16:])
    assert set(sample) == {"source", "target", "name"} and opened(root).describe()["guidance"] == "none"
    back = opened(root, exchange=True)[1]
    assert np.array_equal(back["source"], strip[:, 16:]) and np.array_equal(back["target"], strip[:, :16])


def test_the_order_of_the_skeletons_is_a_setting(root):
    strip = picture(1, 16, 64)
    for panels, source_guidance, target_guidance in (("auto", 2, 3), ("source_first", 2, 3), ("target_first", 3, 2)):
        sample = opened(root, panels=panels)[1]
        assert np.array_equal(sample["source_guidance"], strip[:, 16 * source_guidance : 16 * source_guidance + 16])
        assert np.array_equal(sample["target_guidance"], strip[:, 16 * target_guidance : 16 * target_guidance + 16])


def test_panels_that_are_not_square_need_the_setting(root):
    only_strips(root, [(16, 40), (16, 48)])
    sizes = dict(load_size=16, load_width=10, crop_size=16, crop_width=10)
    sample = opened(root, panels="target_first", **sizes)[0]
    assert np.array_equal(sample["target_guidance"], picture(0, 16, 40)[:, 20:30])
    assert "must be four square panels side by side, but it is 40x16" in message(root, **sizes)
    only_strips(root, [(16, 41)])
    assert "must be two panels of one width side by side, but it is 41x16" in message(root, panels="two")


def test_stored_flips_of_the_radboud_release_are_recognized(root):
    assert not opened(root).mirrored
    Image.fromarray(picture(0, 16, 64)).save(root / "train" / "Rafd090_01_Caucasian_female_angry_frontal_lr.png")
    assert opened(root).mirrored


def test_an_empty_or_missing_folder_is_told(root):
    assert message(root, only="x").startswith(f"The folder {root / 'train'} holds no strips whose name starts with 'x'")
    for path in (root / "train").iterdir():
        path.write_bytes(b"")
    assert message(root, bad_files="skip") == f"No strip in {root / 'train'} can be used: all 3 are bad."
    for path in (root / "train").iterdir():
        path.unlink()
    assert message(root).startswith(f"The folder {root / 'train'} holds no strips: expected pictures")
    (root / "train").rmdir()
    assert message(root) == f"The strips of the train split must be in {root / 'train'}, but there is no such folder."
