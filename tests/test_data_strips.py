"""Released strips: two, four or six panels in one file."""

import numpy as np
import pytest
from conftest import shared
from make_set import folder_settings, picture, take
from PIL import Image

from gganjax import data
from gganjax.data import strips
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


def classes_strip(values):
    """A strip of six panels of 16x16 whose last two hold these gray values [16, 32]."""
    return np.concatenate([picture(0, 16, 64), np.repeat(values[..., None], 3, axis=2)], axis=1)


def write_classes(root, values, name="a.png"):
    only_strips(root, [])
    Image.fromarray(classes_strip(values)).save(root / "train" / name, quality=60)


def test_six_squares_that_are_cut_into_four_are_told(root, caplog):
    write_classes(root, VALUES)
    facts = opened(root, panels="source_first").describe()
    sentence = f"The strips in {root / 'train'} are six squares wide, but config.data.panels=source_first takes four panels."
    assert facts["warnings"] == [sentence] and sentence[:-1] in caplog.text


VALUES = np.random.default_rng(0).choice(np.array([0, 10, 20, 30, 40, 50, 60], np.uint8), (16, 32))


def test_class_panels_are_classes_of_source_and_target(root):
    write_classes(root, VALUES)
    sample = opened(root)[0]
    assert np.array_equal(sample["source_classes"], VALUES[:, :16] // 10)
    assert np.array_equal(sample["target_classes"], VALUES[:, 16:] // 10)
    assert np.array_equal(sample["target_guidance"], picture(0, 16, 64)[:, 48:])
    facts = opened(root).describe()
    assert (facts["panels"], facts["classes"]) == (6, 6)
    assert facts["unknown_pixels"] == f"{(VALUES == 0).mean():.2%}" and facts["classes_never_seen"] == []
    assert facts["share_of_pixels"][0].endswith(f"{max((VALUES == 10 * k).mean() for k in range(1, 7)):.2%}")


def test_blurred_values_become_the_nearest_of_a_class(root):
    gray = np.arange(256, dtype=np.uint8)
    found = strips.read_classes(gray)
    inside = (gray >= 5) & (gray < 100)
    distance = np.abs(gray[:, None].astype(int) - 10 * np.arange(1, 7))
    taken = distance[gray[inside], found[inside].astype(int) - 1]
    assert (taken == distance[inside].min(1)).all() and not found[~inside].any()
    exact = strips.read_classes(gray, exact=True)
    assert np.flatnonzero(exact).tolist() == [10, 20, 30, 40, 50, 60] and exact[60] == 6


def test_the_share_of_blurred_values_is_told(root):
    blurred = VALUES.copy()
    blurred[:2, :8] += 2  # 16 of 512 pixels; from 0 they become 2, which is still void
    write_classes(root, blurred)
    sample, facts = opened(root)[0], opened(root).describe()
    assert np.array_equal(sample["source_classes"], VALUES[:, :16] // 10)
    between = ((blurred % 10 != 0) | (blurred == 0)).mean()
    assert facts["class_values_in_between"] == (
        f"{between:.2%} of the pixels of class panels, recovered to the nearest value of a class"
    )


def test_class_panels_are_resized_by_the_nearest_neighbor_or_as_the_reference(root):
    write_classes(root, VALUES)
    target = Image.fromarray(VALUES[:, 16:])
    sample = opened(root, load_size=24)[0]
    assert np.array_equal(sample["target_classes"], np.asarray(target.resize((24, 24), Image.Resampling.NEAREST)) // 10)
    cubic = np.asarray(target.resize((24, 24), Image.Resampling.BICUBIC))
    wanted = np.where(np.isin(cubic, [10, 20, 30, 40, 50, 60]), cubic // 10, 0)
    assert np.array_equal(opened(root, load_size=24, class_resize="bicubic")[0]["target_classes"], wanted)
    assert (wanted == 0).mean() > 0.3  # of a seventh; what the reference loses


def test_strips_of_the_other_direction_are_swapped_in_pairs(root):
    write_classes(root, VALUES)
    strip = classes_strip(VALUES)
    panels = [strip[:, 16 * i : 16 * i + 16] for i in (1, 0, 3, 2, 5, 4)]
    back = opened(root, exchange=True)[0]
    only_strips(root, [])
    Image.fromarray(np.concatenate(panels, axis=1)).save(root / "train" / "a.png")
    swapped = opened(root)[0]
    assert back.keys() == swapped.keys() and all(np.array_equal(back[key], swapped[key]) for key in back)


def test_all_panels_are_cropped_and_mirrored_together(root):
    """Every panel holds the class values, so that all stay equal."""
    only_strips(root, [])
    values = np.random.default_rng(1).choice(np.array([10, 20, 30, 40, 50, 60], np.uint8), (16, 16))
    Image.fromarray(np.tile(np.repeat(values[..., None], 3, axis=2), (1, 6, 1))).save(root / "train" / "a.png")
    wanted = folder_settings(root, kind="strips", load_size=16, crop_size=12, flip="on")
    batches = data.train_batches(data.open_source(wanted, "train"), wanted, batch_size=8, seed=0)
    (batch,) = take(batches, 1)
    assert batch["target_classes"].dtype == np.int32 and batch["target_classes"].shape == (8, 12, 12)
    for name in ("source", "target", "source_guidance", "target_guidance"):
        assert np.array_equal(batch[name][..., 0], 10 * batch["source_classes"])
    assert np.array_equal(batch["source_classes"], batch["target_classes"])
    assert len({row.tobytes() for row in batch["source"]}) > 4


def test_classes_that_strips_lack_are_one_sentence(root):
    wanted = folder_settings(root, kind="strips", load_size=16)
    source = data.open_source(wanted, "train")
    with pytest.raises(InputError) as error:
        data.train_batches(source, wanted, batch_size=1, seed=0, fields=("source", "target_classes"))
    assert str(error.value) == (
        f"The method needs 'target_classes', which the data lack: the strips in {root / 'train'} have four panels, expected"
        " six, the last two of classes."
    )


@pytest.mark.parametrize("name, pairs, between", [("dayton", 10, "0.00%"), ("sva", 11, "0.00%"), ("cvusa", 11, "12.47%")])
def test_the_released_strips_of_six_panels(name, pairs, between, tmp_path, monkeypatch):
    """Dayton and SVA hold the values alone; JPEG has blurred an eighth of CVUSA's pixels."""
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path))
    source = data.open_source(dict(kind="strips", folder=str(shared(f"data/crossview_samples/6panel/{name}"))), "train")
    facts, sample = source.describe(), source[0]
    assert facts["pairs"] == pairs and facts["class_values_in_between"].startswith(between)
    assert sample["target_classes"].shape == (286, 286) and sample["target_classes"].max() <= 6
    assert float(facts["unknown_pixels"][:-1]) < 0.1
