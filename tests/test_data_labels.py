"""Label maps become color pictures beside their photos."""

import numpy as np
import pytest
from make_set import folder_settings, picture, take, write_picture
from PIL import Image

from gganjax import data, sample
from gganjax.data import palettes, settings
from gganjax.errors import InputError

COLORS = [(10, 20, 30), (200, 0, 0), (0, 200, 0)]


def classes(seed, height=24, width=32):
    return np.random.default_rng(seed).integers(0, 3, (height, width), np.uint8)


def write_label(path, array, *, palette=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(array)
    if palette:
        image.putpalette([level for color in palette for level in color])
    image.save(path)


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "set"
    for split, first in dict(train=0, test=50).items():
        for i in range(3):
            write_label(folder / split / "labels" / f"{i}.png", classes(first + i))
            write_picture(folder / split / "images" / f"{i}.jpg", first + i, 24, 32)
    (folder / "palette.csv").write_text("".join("{},{},{}\n".format(*color) for color in COLORS))
    return folder


def asked(root, **changes):
    sizes = dict(load_size=24, load_width=32, crop_size=24, crop_width=32)
    return folder_settings(root, **dict(kind="labels", flip="off") | sizes | changes)


def opened(root, split="train", **changes):
    return data.open_source(asked(root, **changes), split)


def message(root, **changes):
    with pytest.raises(InputError) as error:
        opened(root, **changes)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_every_class_has_the_color_of_the_palette(root):
    source = opened(root)
    assert np.array_equal(source[1]["source"], np.array(COLORS, np.uint8)[classes(1)])
    assert np.array_equal(source[1]["target"], data.read_image(root / "train" / "images" / "1.jpg"))
    facts = source.describe()
    assert (facts["pairs"], facts["classes"], facts["sizes"], facts["guidance"]) == (3, 3, {"32x24": 3}, "none")
    assert "source_guidance" not in source[0]


def test_the_other_direction_exchanges_the_sides(root):
    there, back = opened(root)[2], opened(root, exchange=True)[2]
    assert np.array_equal(there["source"], back["target"]) and np.array_equal(there["target"], back["source"])


def test_resizing_makes_no_new_colors(root):
    sample = opened(root, load_size=48, load_width=64)[0]
    assert {tuple(color) for color in sample["source"].reshape(-1, 3).tolist()} == set(COLORS)
    assert np.array_equal(sample["source"][::2, ::2], np.array(COLORS, np.uint8)[classes(0)])


def test_unknown_pixels_are_black_and_need_no_color(root):
    map_ = classes(0)
    map_[:5] = palettes.UNKNOWN
    write_label(root / "train" / "labels" / "0.png", map_)
    assert not opened(root)[0]["source"][:5].any()


def test_the_users_label_maps_are_colored_as_in_training(root):
    wanted = settings.resolve(asked(root))
    path = root / "train" / "labels" / "1.png"
    assert np.array_equal(sample._source(path, wanted), opened(root)[1]["source"])
    photo = root / "train" / "images" / "1.jpg"
    assert np.array_equal(sample._source(photo, wanted), data.read_image(photo))
    back = settings.resolve(asked(root, exchange=True))
    assert np.array_equal(sample._source(path, back), data.read_image(path))


def test_label_and_photo_are_cropped_and_mirrored_together(root):
    """Photos that are the color pictures of their labels stay equal to them."""
    for i in range(3):
        Image.fromarray(np.array(COLORS, np.uint8)[classes(i)]).save(root / "train" / "images" / f"{i}.png")
        (root / "train" / "images" / f"{i}.jpg").unlink()
    wanted = asked(root, crop_size=16, crop_width=20, flip="on")
    (batch,) = take(data.train_batches(data.open_source(wanted, "train"), wanted, batch_size=12, seed=0), 1)
    assert batch["source"].shape == (12, 16, 20, 3) and np.array_equal(batch["source"], batch["target"])
    assert len({row.tobytes() for row in batch["source"]}) > 6


def test_the_palette_is_looked_for_in_an_order(root, tmp_path):
    for path in (root / "train" / "labels").iterdir():
        write_label(path, classes(int(path.stem)), palette=[(1, 1, 1), (2, 2, 2), (3, 3, 3)])
    assert opened(root)[0]["source"].max() == 200  # palette.csv
    (root / "palette.csv").unlink()
    assert opened(root)[0]["source"].max() == 3  # inside of the files
    other = tmp_path / "other.csv"
    other.write_text("9,9,9\n8,8,8\n7,7,7\n")
    assert opened(root, palette=str(other))[0]["source"].min() == 7
    assert tuple(opened(root, palette="facades")[0]["source"][classes(0) == 1][0]) == (0, 50, 255)


def test_hues_without_a_palette_differ_and_do_not_depend_on_the_classes_that_occur(root):
    (root / "palette.csv").unlink()
    palette, own = palettes.read_palette(settings.resolve(asked(root)))
    assert not own
    assert len({tuple(color) for color in palette.tolist()}) == 255
    near = [np.abs(palette[i].astype(int) - palette[j]).sum() for i in range(20) for j in range(i)]
    assert min(near) > 60  # levels of red, green and blue together
    assert np.array_equal(opened(root)[0]["source"], palette[classes(0)])


def break_file(path, text):
    path.write_text(text)


@pytest.mark.parametrize("harm, changes, sentence", [
    (lambda root: (root / "train/images/1.jpg").unlink(), {},
     "{0}/train/labels/1.png has no counterpart: expected a picture 1 in {0}/train/images."),
    (lambda root: (root / "train/labels/1.png").unlink(), {},
     "{0}/train/images/1.jpg has no counterpart: expected a picture 1 in {0}/train/labels."),
    (lambda root: (root / "train/labels").rename(root / "old"), {},
     "The labels of train must be in {0}/train/labels, but there is no such folder."),
    (lambda root: break_file(root / "palette.csv", "1,2\n"), {},
     "The palette {0}/palette.csv must hold red,green,blue from 0 to 255 on every line."),
    (lambda root: break_file(root / "palette.csv", "red\n"), {},
     "The palette {0}/palette.csv must hold red,green,blue on every line: invalid literal for int() with base 10: 'red'."),
    (lambda root: None, dict(palette="facade"),
     "config.data.palette names facade, which is no palette (facades, landcover, camvid, cityscapes, crossview) and no file"
     " that can be read."),
])
def test_a_wrong_set_is_one_sentence(root, harm, changes, sentence):
    harm(root)
    assert message(root, **changes) == sentence.format(root)


@pytest.mark.parametrize("array, reason", [
    (classes(0) + 3, "holds the class 5, but the palette has 3 colors"),
    (classes(0, 32, 24), "is 24x32, but its photo is 32x24"),
    (picture(0, 24, 32), "holds 100.0% pixels of colors that the palette has not, the color 0,48,129 first"),
])
def test_bad_label_maps_stop_the_run_or_leave_their_pairs_out(root, array, reason):
    Image.fromarray(array).save(root / "train" / "labels" / "2.png")
    text = message(root)
    assert text.startswith(f"1 of 6 pictures in {root} are bad ({root}/train/labels/2.png {reason}")
    facts = opened(root, bad_files="skip").describe()
    assert facts["pairs"] == 2 and list(facts["bad_files"]) == ["train/labels/2.png"]
    assert message(root, only="2", bad_files="skip").endswith("can be used: 1 files are bad.")
