"""The user's own images and skeletons become translations and one grid."""

import json

import numpy as np
import pytest
import tiny_run
from PIL import Image

from gganjax import data, report, sample, use
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
