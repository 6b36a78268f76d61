"""The user's own images and skeletons become translations and one grid."""

import json

import jax.numpy as jnp
import numpy as np
import pytest
import tiny_run
from PIL import Image

from gganjax import data, report, sample, use
from gganjax.core import PICTURE, Field
from gganjax.errors import InputError

SIZE = tiny_run.SIZE


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run, two photos of other sizes, two skeleton pictures, and one figure in either format of key points."""
    folder = tiny_run.make(tmp_path_factory.mktemp("run"))
    random = np.random.default_rng(0)
    sizes = {"photos/a.png": (40, 60), "photos/b.jpg": (50, 50), "poses/a.png": (32, 32), "poses/c.png": (64, 64)}
    for place, size in sizes.items():
        (folder / place).parent.mkdir(exist_ok=True)
        Image.fromarray(random.integers(0, 256, (*size, 3), dtype=np.uint8)).save(folder / place)
    hand = np.column_stack([random.uniform(0, 60, 21), random.uniform(0, 40, 21), np.ones(21)])
    flat = [float(value) for value in hand.ravel()]
    (folder / "openpose_keypoints.json").write_text(json.dumps({"people": [{"hand_left_keypoints_2d": flat}]}))
    images = {"hand.png": {"hands": [{"points": (hand * [2, 2, 1]).tolist()}]}, "empty.png": {"hands": []}}
    (folder / "poses.json").write_text(json.dumps({"image_size": [120, 80], "images": images}))
    np.save(folder / "hand.npy", hand)
    return folder


def test_every_image_meets_every_skeleton(folder, tmp_path):
    written = sample.run(folder, images=[str(folder / "photos")], skeletons=[str(folder / "poses")], output=tmp_path)
    assert [path.name for path in written] == ["a__a.png", "b__a.png", "a__c.png", "b__c.png", "grid.png"]
    sheet = np.asarray(Image.open(tmp_path / "grid.png"))
    sources = [data.read_image(folder / "photos" / name, (SIZE, SIZE)) for name in ("a.png", "b.jpg")]
    poses = [data.read_image(folder / "poses" / name, (SIZE, SIZE)) for name in ("a.png", "c.png")]
    made = {path.name: np.asarray(Image.open(path)) for path in written[:-1]}
    blank = np.full_like(sources[0], 255)
    table = [[blank, *poses], [sources[0], made["a__a.png"], made["a__c.png"]], [sources[1], made["b__a.png"], made["b__c.png"]]]
    pitch = SIZE + report.GAP
    top = sheet.shape[0] - 3 * pitch
    for row, pictures in enumerate(table):
        for column, picture in enumerate(pictures):
            x, y = report.GAP + column * pitch, top + row * pitch
            np.testing.assert_array_equal(sheet[y : y + SIZE, x : x + SIZE], picture)
    expected = use.load(folder)(source=sources[1], target_guidance=poses[1])
    assert np.abs(made["b__c.png"].astype(int) - expected).max() <= 1  # batches of other sizes round differently


@pytest.mark.parametrize("name, figure", [("openpose_keypoints.json", "openpose"), ("poses.json", "hand")])
def test_key_points_are_drawn_as_in_training_at_the_size_of_training(folder, tmp_path, name, figure):
    """The figure's coordinates are pixels of a 40x60 picture, and twice that in the second file."""
    written = sample.run(folder, images=[str(folder / "photos" / "a.png")], keypoints=[str(folder / name)], output=tmp_path)
    hand = np.load(folder / "hand.npy")
    if name == "poses.json":
        hand = hand * [2, 2, 1]
    height, width = (80, 120) if name == "poses.json" else (40, 60)
    scaled = np.column_stack([(hand[:, 0] + 0.5) * SIZE / width - 0.5, (hand[:, 1] + 0.5) * SIZE / height - 0.5, hand[:, 2]])
    drawn = data.draw_skeleton(scaled, (SIZE, SIZE))
    assert [path.name for path in written] == [f"a__{figure}.png", "grid.png"]
    sheet = np.asarray(Image.open(written[-1]))
    pitch = SIZE + report.GAP
    top = sheet.shape[0] - 2 * pitch
    np.testing.assert_array_equal(sheet[top : top + SIZE, report.GAP + pitch : 2 * pitch], drawn)


@pytest.mark.parametrize("arguments, words", [
    (dict(images=["nothing.png"], skeletons=["poses"]), "nothing.png does not exist; expected a file or a folder."),
    (dict(images=["photos"]), "there is no target skeleton: give --keypoints=FILE.json or "),
    (dict(images=[], skeletons=["poses"]), "there is nothing to translate: give --images=FILE"),
    (dict(images=["checkpoints"], skeletons=["poses"]), "checkpoints holds no file that ends in .png"),
    (dict(images=["photos"], keypoints=["config.json"]), 'config.json must hold {"images": {NAME: ...}}'),
    (dict(images=["config.json"], skeletons=["poses"]), "config.json"),
    (dict(images=["photos"], skeletons=["poses"], source_keypoints=["poses.json"]),
     "gesturegan takes source and target_guidance, but --source_keypoints gives it source_guidance."),
])
def test_bad_input_is_told_before_anything_is_written(folder, tmp_path, arguments, words):
    paths = {key: [str(folder / name) for name in names] for key, names in arguments.items()}
    with pytest.raises(InputError) as error:
        sample.run(folder, **paths, output=tmp_path / "out")
    assert words in str(error.value) and not (tmp_path / "out").exists()


def test_equal_names_get_numbers():
    assert sample._free("a", {"a": 0, "a-2": 0}) == "a-3" and sample._free("b", {"a": 0}) == "b"


class Views:
    """A method across views whose picture tells its inputs: source, guidance and class, in red, green and blue."""

    name, stride = "views", 4

    def __init__(self, *inputs):
        classes = Field(("B", "H", "W"), 0, 6)
        self.inputs = inputs
        self.fields = {name: classes if name in ("target_classes", "labels") else PICTURE for name in inputs}

    def sample(self, key, call, batch):
        pictures = (batch[name][..., 0] for name in ("source", "target_guidance" if len(batch) > 2 else "source"))
        return {"fake_target": jnp.stack([*pictures, batch[self.inputs[-1]] / 6], -1)}


@pytest.fixture
def views(tmp_path, monkeypatch):
    """`sample.run` with such a method of the inputs, on 8x8 pixels, with pictures a and b and class maps of c and d."""
    def call(*inputs, kind="strips", **arguments):
        settings = dict(kind=kind, folder=str(tmp_path), load_size=8, crop_size=8, classes=7 if kind == "labels" else 0)
        toy = use.Translator(Views(*inputs), dict(params={}, ema={}, moving={}), {"data": settings}, 1)
        monkeypatch.setattr(use, "load", lambda folder: toy)
        paths = {flag: [str(tmp_path / name) for name in names] for flag, names in arguments.items()}
        return sample.run(tmp_path, **paths, output=tmp_path / "out")

    random = np.random.default_rng(0)
    for name in ("a", "b", "guides/c", "guides/d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "classes").mkdir()
    Image.fromarray(np.repeat(GRAY[..., None], 3, -1)).save(tmp_path / "classes" / "c.png")
    Image.fromarray(GRAY // 10).save(tmp_path / "classes" / "d.png")
    Image.fromarray(GRAY // 10).save(tmp_path / "map.png")
    (tmp_path / "palette.csv").write_text("".join(f"{40 * k},0,{k}\n" for k in range(7)))
    return call


GRAY = 10 * np.random.default_rng(1).integers(0, 7, (8, 8), np.uint8)
VIEWS = ("source", "target_guidance", "target_classes")


def test_classes_belong_to_the_guidance_of_their_name(views, tmp_path):
    """As the gray values of strips or as numbers; every picture meets every guidance."""
    written = views(*VIEWS, images=["a.png", "b.png"], skeletons=["guides"], classes=["classes"])
    assert [path.name for path in written] == ["a__c.png", "b__c.png", "a__d.png", "b__d.png", "grid.png"]
    read = lambda name: np.asarray(Image.open(tmp_path / name)).astype(int)
    for path in written[:-1]:
        source, guidance = path.stem.split("__")
        made = np.asarray(Image.open(path)).astype(int)
        expected = read(f"{source}.png")[..., 0], read(f"guides/{guidance}.png")[..., 0], (GRAY / 60 + 1) * 127.5
        assert np.abs(made - np.stack(expected, -1)).max() <= 1


def test_a_label_map_is_colors_and_classes_at_once(views, tmp_path):
    written = views("source", "labels", kind="labels", images=["map.png"])
    made = np.asarray(Image.open(written[0])).astype(int)
    assert np.abs(made - np.stack([4 * GRAY, 4 * GRAY, (GRAY / 60 + 1) * 127.5], -1)).max() <= 1


@pytest.mark.parametrize("inputs, arguments, sentence", [
    (VIEWS, dict(images=["a.png"], skeletons=["guides"]),
     "the class map of c is missing: --classes must hold a picture c."),
    (VIEWS, dict(images=["a.png"], classes=["classes"]),
     "there is no target skeleton: give --keypoints=FILE.json or --skeletons=FILE."),
    (VIEWS[:2], dict(images=["a.png"], skeletons=["guides"], classes=["classes"]),
     "views takes source and target_guidance, but --classes gives it target_classes."),
    (("source", "sound"), dict(images=["a.png"]),
     "views takes source and sound, but no flag gives it sound: gganjax.load in Python does."),
])
def test_every_input_is_asked_for(views, tmp_path, inputs, arguments, sentence):
    with pytest.raises(InputError) as error:
        views(*inputs, **arguments)
    assert str(error.value) == sentence and not (tmp_path / "out").exists()
