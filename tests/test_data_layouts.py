"""Sets of label maps in the layouts of the published sets, with all that a method may ask for."""

import numpy as np
import pytest
from conftest import shared
from make_set import folder_settings, picture, take
from PIL import Image

from gganjax import data
from gganjax.data import layouts
from gganjax.errors import InputError

SIZES = dict(load_size=24, load_width=32, crop_size=24, crop_width=32)
ALL = ("source", "target", "labels", "instances", "edges")


def numbers(seed, high, height=24, width=32):
    return np.random.default_rng(seed).integers(0, high, (height, width), np.uint8)


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))


def opened(root, split="train", **changes):
    return data.open_source(folder_settings(root, **dict(kind="labels", flip="off") | SIZES | changes), split)


def batch(root, fields=ALL, count=2, **changes):
    """The training samples in order."""
    wanted = folder_settings(root, **dict(kind="labels", test_split="train") | SIZES | changes)
    with data.test_batches(data.open_source(wanted, "test"), wanted, batch_size=count, fields=fields) as batches:
        return next(batches)


# Layout -> (label maps, photos, instance maps, edges) of one sample, number of classes, whether there are unknown pixels.
TREES = {
    "plain": ("{0}/labels/{1}.png", "{0}/images/{1}.jpg", "{0}/instances/{1}.png", "{0}/edges/{1}.png"),
    "cityscapes": (
        "gtFine/{0}/city/a_{1}_0_gtFine_labelIds.png", "leftImg8bit/{0}/city/a_{1}_0_leftImg8bit.png",
        "gtFine/{0}/city/a_{1}_0_gtFine_instanceIds.png", "edge/{0}/a_{1}_0_edge.png",
    ),
    "ade20k": ("some/where/ADE_{0}_{1}.png", "else/ADE_{0}_{1}.jpg", None, "edges/{0}/ADE_{0}_{1}.png"),
    "coco": ("{0}_label/{1}.png", "{0}_img/{1}.jpg", "{0}_inst/{1}.png", "{0}_edge/{1}.png"),
    "facades": ("{0}_label/{1}.png", "{0}_img/{1}.jpg", None, "{0}_edge/{1}.png"),
    "deepfashion": ("{0}_label/{1}.png", "{0}_img/{1}.jpg", None, "{0}_edge/{1}.png"),
    "celebamask": ("labels/{0}_label/{1}.png", "images/{0}_img/{1}.jpg", None, "edges/{0}_edge/{1}.png"),
}  # fmt: skip
CLASSES = dict(plain=9, cityscapes=35, ade20k=150, coco=182, facades=13, deepfashion=20, celebamask=19)
UNKNOWN = ("ade20k", "coco")


def make(root, layout, *, count=2):
    """Writes a set; label map i of split s is `numbers(10 * s + i, classes)`, its corner unknown where the set has that."""
    names = dict(train="train", test=layouts.LAYOUTS[layout].test)
    names |= dict(test="val") if layout == "ade20k" else {}
    for number, phase in enumerate(names.values()):
        for i in range(count):
            files = [path and root / path.format(phase, i) for path in TREES[layout]]
            labels = numbers(10 * number + i, CLASSES[layout])
            labels[0, 0] = 255 if layout in UNKNOWN else 0
            write(files[0], labels)
            write(files[1], picture(10 * number + i, 24, 32))
            if files[2]:
                write(files[2], np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) + np.uint16(33000 * (layout == "cityscapes")))
            write(files[3], picture(100 + i, 24, 32))
    return root


@pytest.mark.parametrize("layout", TREES)
def test_every_layout_gives_what_its_files_hold(layout, tmp_path):
    root = make(tmp_path / "set", layout)
    changes = dict(layout=layout, classes=9 if layout == "plain" else 0)
    fields = tuple(name for name in ALL if name != "instances" or TREES[layout][2])
    found = batch(root, fields, **changes)
    wanted = np.stack([numbers(i, CLASSES[layout]) for i in range(2)]).astype(np.int32)
    wanted[:, 0, 0] = CLASSES[layout] if layout in UNKNOWN else 0
    assert found["labels"].dtype == np.int32 and np.array_equal(found["labels"], wanted)
    assert np.array_equal(found["edges"], np.stack([picture(100 + i, 24, 32) for i in range(2)]))
    if TREES[layout][2]:
        assert found["instances"].dtype == np.int32 and found["instances"].max() == 767 + 33000 * (layout == "cityscapes")
    test = opened(root, "test", **changes)
    assert np.array_equal(test[0]["maps"]["labels"].ravel()[1:], numbers(10, CLASSES[layout]).ravel()[1:])
    facts = test.describe()
    assert (facts["pairs"], facts["classes"], facts["layout"]) == (2, CLASSES[layout], layout)
    assert test.classes.highest == CLASSES[layout] - (layout not in UNKNOWN)


def test_the_other_form_of_ade20k_has_folders_by_split(tmp_path):
    root = tmp_path / "set"
    for phase in ("training", "validation"):
        for i in range(2):
            write(root / "annotations" / phase / f"{i}.png", numbers(i, 150))
            write(root / "images" / phase / f"{i}.jpg", picture(i, 24, 32))
    assert len(opened(root, layout="ade20k")) == len(opened(root, "test", layout="ade20k")) == 2


def test_portraits_of_coco_join_the_training_split(tmp_path):
    root = make(tmp_path / "set", "coco")
    write(root / "train_label_portrait" / "7.png", numbers(7, 182))
    write(root / "train_img_portrait" / "7.jpg", picture(7, 24, 32))
    write(root / "train_inst_portrait" / "7.png", numbers(7, 182))
    assert list(opened(root, layout="coco").names) == ["0", "1", "7"] and len(opened(root, "test", layout="coco")) == 2


def test_masks_of_celebamask_may_be_half_as_large_as_their_photos(tmp_path):
    root = make(tmp_path / "set", "celebamask")
    write(root / "images/train_img/0.jpg", picture(0, 48, 64))
    assert len(opened(root, layout="celebamask")) == 2
    write(root / "images/train_img/0.jpg", picture(0, 48, 60))
    with pytest.raises(InputError, match="0.png is 32x24, but its photo is 60x48"):
        opened(root, layout="celebamask")


def test_all_maps_are_cropped_and_mirrored_together(tmp_path):
    """Labels, instances, edges and the photo hold the same numbers, so that they stay equal."""
    root = tmp_path / "set" / "train"
    for i in range(3):
        array = numbers(i, 200)
        for part, values in dict(labels=array, instances=array, edges=array, images=array).items():
            write(root / part / f"{i}.png", np.repeat(values[..., None], 3, axis=2) if part in ("edges", "images") else values)
    wanted = folder_settings(tmp_path / "set", **dict(SIZES, kind="labels", classes=200, crop_size=16, crop_width=20))
    source = data.open_source(wanted, "train")
    (one,) = take(data.train_batches(source, wanted, batch_size=12, seed=0, fields=ALL), 1)
    assert np.array_equal(one["labels"], one["instances"]) and np.array_equal(one["labels"], one["target"][..., 0])
    assert np.array_equal(one["edges"], one["target"]) and one["labels"].shape == (12, 16, 20)
    assert len({row.tobytes() for row in one["labels"]}) > 6


def test_crops_reach_the_far_end_where_asked(tmp_path):
    root = make(tmp_path / "set", "facades", count=1)
    first = []
    for whole in (False, True):
        changes = dict(layout="facades", crop_size=22, flip="off", whole_range=whole)
        wanted = folder_settings(root, kind="labels", **SIZES | changes)
        (one,) = take(data.train_batches(data.open_source(wanted, "train"), wanted, batch_size=32, seed=0, fields=("labels",)), 1)
        array = numbers(0, 13)
        array[0, 0] = 0
        first.append({next(top for top in range(3) if np.array_equal(row, array[top : top + 22])) for row in one["labels"]})
    assert first == [{0, 1}, {0, 1, 2}]


def test_unknown_pixels_are_the_number_after_the_last_class(tmp_path):
    """As 255, or as that number itself, which is how CamVid stores its void."""
    root = make(tmp_path / "set", "plain")
    labels = numbers(0, 9)
    labels[:3], labels[3:5] = 255, 9
    write(root / "train/labels/0.png", labels)
    found, facts = batch(root, classes=9, unknown="on"), opened(root, classes=9, unknown="on").describe()
    assert (found["labels"][0, :5] == 9).all() and np.array_equal(found["labels"][0, 5:], labels[5:])
    assert not found["source"][0, :5].any() and facts["unknown_pixels"] == f"{5 / 48:.2%}"
    assert facts["classes_never_seen"] == []
    assert opened(root, classes=100, bad_files="skip").describe()["classes_never_seen"] == [*range(9, 100)]


COLORS = [(10, 20, 30), (200, 0, 0), (0, 200, 0)]


def paint(root, *, ending="png", spoil=False):
    """Label maps of three classes as color pictures, the first row black."""
    for i in range(2):
        colors = np.array(COLORS, np.uint8)[numbers(i, 3)]
        colors[0] = 0
        if spoil:
            colors[1, :4] += np.uint8(1)
        (root / f"train/labels/{i}.png").unlink(missing_ok=True)
        write(root / f"train/labels/{i}.{ending}", colors)
    (root / "palette.csv").write_text("".join("{},{},{}\n".format(*color) for color in COLORS))


def test_colors_become_classes_by_the_palette(tmp_path):
    root = make(tmp_path / "set", "plain")
    paint(root)
    found = batch(root, classes=3, unknown="on")
    wanted = np.stack([numbers(i, 3) for i in range(2)]).astype(np.int32)
    wanted[:, 0] = 3
    assert np.array_equal(found["labels"], wanted)
    assert np.array_equal(found["source"][:, 1:], np.array(COLORS, np.uint8)[wanted[:, 1:]])


def test_colors_of_a_lossy_file_are_the_nearest_of_the_palette(tmp_path):
    """Flat areas of 16x16 survive JPEG but for rounding; black is the color of class 0."""
    root, blocks = tmp_path / "set", np.kron(np.array([[0, 1], [2, 1]]), np.ones((16, 16), int))
    palette = np.array([(0, 0, 0), (200, 40, 40), (40, 180, 40)], np.uint8)
    write(root / "train/labels/0.jpg", palette[blocks])
    write(root / "train/images/0.jpg", picture(0, 32, 32))
    (root / "palette.csv").write_text("0,0,0\n200,40,40\n40,180,40\n")
    found = batch(root, ("labels",), 1, classes=3, load_size=32, crop_size=32)["labels"][0]
    assert (found == blocks).mean() > 0.97 and np.array_equal(found[::8, 4::8], blocks[::8, 4::8])


@pytest.mark.parametrize("harm, changes, sentence", [
    (lambda root: None, dict(classes=5), "train/labels/0.png holds the label 8, expected 0 to 4 (5 classes); "),
    (lambda root: write(root / "train/labels/1.png", numbers(0, 9) + np.uint8(8)), {},
     "1.png holds the label 16, expected 0 to 8 (9 classes)"),
    (lambda root: write(root / "train/labels/1.png", np.full((24, 32), 255, np.uint8)), {},
     "1.png holds unknown pixels (255), which config.data.unknown does not allow"),
    (lambda root: write(root / "train/labels/1.png", numbers(0, 9, 12, 32)), {}, "1.png is 32x12, but its photo is 32x24"),
    (lambda root: write(root / "train/instances/1.png", numbers(0, 9, 12, 32)), {},
     "1.png is 32x12, but its label map is 32x24"),
    (lambda root: write(root / "train/instances/1.png", picture(0, 24, 32)), {},
     "1.png is no map: expected one number a pixel, found a picture of mode RGB"),
    (lambda root: write(root / "train/labels/1.png", picture(0, 24, 32)), {},
     "1.png is a color picture, whose colors stand for classes only with a palette: expected one byte a pixel, or the colors"
     " in palette.csv or config.data.palette"),
    (lambda root: paint(root, spoil=True), dict(classes=3),
     "0.png holds 0.5% pixels of colors that the palette has not, the color 1,201,1 first"),
    (lambda root: (root / "palette.csv").write_text("1,1,1\n"), {},
     "has 1 colors, expected one for each of 9 classes"),
])
def test_bad_maps_are_one_sentence_each(tmp_path, harm, changes, sentence):
    root = make(tmp_path / "set", "plain")
    harm(root)
    with pytest.raises(InputError) as error:
        opened(root, **dict(classes=9) | changes)
    assert sentence in str(error.value) and "\n" not in str(error.value)


def test_what_a_method_needs_and_the_set_lacks_is_one_sentence(tmp_path):
    root = make(tmp_path / "set", "plain")
    with pytest.raises(InputError) as error:
        batch(root)
    assert str(error.value) == ("The method needs 'labels', which the data lack: config.data.classes must say how many classes"
                                " the label maps have, found 0.")
    (root / "train/instances/1.png").unlink()
    with pytest.raises(InputError) as error:
        batch(root, classes=9)
    assert str(error.value) == (
        f"The method needs 'instances', which the data lack: {root}/train/labels/1.png has no counterpart: expected a picture 1"
        f" in {root}/train/instances.")
    assert "instances" not in batch(root, ("labels",), classes=9)
    root = make(tmp_path / "other", "facades")
    with pytest.raises(InputError, match="The instance maps of train are missing: the layout 'facades' has none"):
        batch(root, layout="facades")


def test_more_classes_than_the_method_takes_are_one_sentence(tmp_path):
    from gganjax.core import Field

    root = make(tmp_path / "set", "plain")
    fields = {"labels": Field(("B", "H", "W"), 0, 8)}
    assert batch(root, fields, classes=9)["labels"].max() == 8
    with pytest.raises(InputError) as error:
        batch(root, fields, classes=9, unknown="on")
    assert str(error.value) == ("The data hold 'labels' from 0 to 9 (unknown pixels), but the method takes 0 to 8: config.data"
                                " and config.options must agree on the classes.")


@pytest.mark.parametrize("name, changes, pairs, unknown", [
    ("camvid", dict(classes=11, unknown="on"), 101, (0.0169, 0.0171)),
    ("camvid", dict(classes=12), 101, (0, 0)),
    ("facades", dict(classes=12), 70, (0, 0)),
    ("landcover", dict(classes=5), 70, (0, 0)),
    ("cocostuff_samples", dict(classes=182, unknown="on"), 4, (0.001, 0.2)),
])
def test_real_sets(name, changes, pairs, unknown):
    """The void of CamVid is the number 11, 1.7 % of its test pixels, unknown or a class of its own; the samples of
    COCO-Stuff have instance maps, too."""
    source = opened(shared(f"data/{name}"), "test", **changes)
    assert len(source) == pairs and ("instances" in source.absent) == (name != "cocostuff_samples")
    share = source.classes.pixels.get(changes["classes"], 0) / sum(source.classes.pixels.values())
    assert unknown[0] <= share <= unknown[1]
