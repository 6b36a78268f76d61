"""Maps of joints, masks of bodies and landmarks as a method receives them, and sets that are not square."""

import json

import numpy as np
import pytest
from make_set import folder_settings, make_folder, take, write_picture

from gganjax import data
from gganjax.data import guides, pose_maps, skeletons
from gganjax.errors import InputError

BODY = np.stack([np.linspace(3, 20, 18), np.linspace(4, 40, 18), np.ones(18)], 1)
ALL = ("source_guidance", "target_guidance", "source_mask", "target_mask")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Pictures of 48x24 with a body each, of which the last has no right wrist (4)."""
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    root = make_folder(tmp_path / "set", guidance="none")
    bodies = {}
    for i in range(6):
        body = BODY + (0.23 * i, 0, 0)  # no coordinate is half-way between two pixels
        body[4, 2] = 0 if i == 5 else 1
        bodies[f"p{i}.png"] = {"body18": body.tolist()}
        for split in ("train", "test"):
            write_picture(root / split / f"p{i}.png", i, 48, 24)
    for split in ("train", "test"):
        points = {"image_size": [24, 48], "images": bodies}
        (root / f"{split}_keypoints.json").write_text(json.dumps(points))
    return root


def asked(root, **changes):
    sizes = dict(load_size=48, load_width=24, crop_size=48, crop_width=24)
    return folder_settings(root, **dict(guidance="heatmaps", flip="off") | sizes | changes)


def batch(root, count=6, fields=ALL, **changes):
    settings = asked(root, **changes)
    return take(data.train_batches(data.open_source(settings, "train"), settings, batch_size=count, seed=0, fields=fields), 1)[0]


@pytest.mark.parametrize("style, peak", [("heatmaps", 6), ("disks", 4), ("deltas", 0)])
def test_maps_are_those_of_pose_maps_at_255(root, style, peak):
    found = batch(root, guidance=style)
    assert found["target_guidance"].shape == (6, 48, 24, 18) and found["target_guidance"].dtype == np.uint8
    for row, name in enumerate(found["name"]):
        number = int(name.split("__")[0][1])
        joints = pose_maps.from_figure(BODY + (0.23 * number, 0, 0))
        joints[4] = -1 if number == 5 else joints[4]
        y, x = np.mgrid[:48, :24]
        for joint, (y0, x0) in enumerate(joints):
            map_, squared = found["source_guidance"][row, ..., joint], (y - y0) ** 2 + (x - x0) ** 2
            if y0 < 0:
                assert not map_.any()
            elif style == "heatmaps":
                assert np.abs(map_ - 255 * np.exp(-squared / (2 * peak**2))).max() <= 0.5 + 1e-4
            else:
                assert np.array_equal(map_, 255 * (squared <= peak**2))


@pytest.mark.parametrize("style, line_width", [("heatmaps", 0), ("heatmaps", 2.3), ("disks", 0), ("disks", 2.5), ("deltas", 0)])
def test_drawing_joints_one_by_one_gives_the_bits_of_whole_maps(style, line_width):
    """Also where a joint's surroundings reach beyond the picture on one or on both sides."""
    functions = dict(
        heatmaps=lambda joints, size: np.rint(255 * pose_maps.gaussian_maps(joints, size, sigma=line_width or 6)),
        disks=lambda joints, size: 255 * pose_maps.disk_maps(joints, size, radius=line_width or 4),
        deltas=lambda joints, size: 255 * pose_maps.delta_maps(joints, size))
    random = np.random.default_rng(0)
    for height, width in ((48, 24), (7, 90), (64, 64)):
        body = random.uniform((-5, -5, 0.5), (width + 5, height + 5, 1), (18, 3)) * (1, 1, 0) + (0, 0, 1)
        body[[3, 9], 2] = 0
        whole = functions[style](guides.inside([body], (height, width)), (height, width))
        drawn = guides.draw([body], (height, width), style=style, line_width=line_width)
        assert drawn.dtype == np.uint8 and np.array_equal(drawn, whole)
        assert not drawn[..., [3, 9]].any()


def test_a_flip_exchanges_the_maps_of_left_and_right(root):
    """Unlike the published loaders, which leave the channels where they are."""
    rows = batch(root, 40, flip="on")
    first = {}
    for name, source, maps in zip(rows["name"], rows["source"], rows["source_guidance"], strict=True):
        first.setdefault(name.split("__")[0], []).append((source, maps))
    seen = 0
    for group in first.values():
        for source, maps in group[1:]:
            if (source != group[0][0]).any():
                seen += 1
                assert np.array_equal(source[:, ::-1], group[0][0])
                assert np.array_equal(maps[:, ::-1][..., list(skeletons.BODY_MIRROR)], group[0][1])
    assert seen > 5


@pytest.mark.parametrize("kind, function", [("pg2", pose_maps.pose_mask_pg2), ("person", pose_maps.evaluation_mask)])
def test_masks_come_where_a_method_names_them(root, kind, function):
    found = batch(root, masks=kind)
    assert found["source_mask"].shape == (6, 48, 24, 1) and found["source_mask"].dtype == np.float32
    for row, name in enumerate(found["name"]):
        number = int(name.split("__")[1][1])
        joints = pose_maps.from_figure(BODY + (0.23 * number, 0, 0))
        joints[4] = -1 if number == 5 else joints[4]
        assert np.array_equal(found["target_mask"][row, ..., 0], function(joints, (48, 24)))
    assert set(batch(root, fields=None)) == {"name", "source", "target", "source_guidance", "target_guidance"}
    assert set(batch(root, fields=("source", "target_mask"))) == {"name", "source", "target", "target_mask"}


def test_joints_outside_of_the_crop_are_missing():
    figure = [np.array([[-1.0, 5, 1], [3, 5, 1], [24, 5, 1]] + [[0, 0, 0]] * 15)]
    assert guides.inside(figure, (48, 24)).tolist() == [[-1, -1], [5, 3]] + [[-1, -1]] * 16


@pytest.mark.parametrize("changes, sentence", [
    (dict(parts="hands"), "config.data.guidance 'heatmaps' is of the joints of a body, but config.data.parts is 'hands'."),
    (dict(kind="drawn"), "config.data.guidance 'heatmaps' is of the joints of a body, but the drawn set has hands."),
    (dict(kind="drawn", guidance="white"), "The drawn set has square pictures, but config.data asks for 24x48."),
    (dict(load_width=16), "config.data.load_width (0 = config.data.load_size) must not be smaller than the width of the crop "
                          "(24), found 16."),
    (dict(crop_width=-1), "config.data.crop_width must be at least 0, found -1."),
])
def test_impossible_settings_are_one_sentence(root, changes, sentence):
    with pytest.raises(InputError) as error:
        data.open_source(asked(root, **changes), "train")
    assert str(error.value) == sentence


def test_a_mask_without_a_body_is_told():
    with pytest.raises(InputError, match="need its 18 joints, found key points of 21"):
        guides.mask([np.ones((21, 3))], (48, 24))


def test_crops_of_wide_and_narrow_sets_stay_inside_and_reach_every_offset(root):
    settings = asked(root, guidance="white", load_size=52, load_width=26)
    source = data.open_source(settings, "train")
    assert source.size == (52, 26)
    rows = take(data.train_batches(source, settings, batch_size=60, seed=0), 1)[0]
    whole = {source.names[i]: source[i]["source"] for i in range(6)}
    places = set()
    for name, crop in zip(rows["name"], rows["source"], strict=True):
        assert crop.shape == (48, 24, 3)
        places |= {(top, left) for top in range(5) for left in range(3)
                   if np.array_equal(whole[name][top : top + 48, left : left + 24], crop)}
    assert places == {(top, left) for top in range(4) for left in range(2)}
    (test,) = take(data.test_batches(data.open_source(settings, "test"), settings, batch_size=2), 1)
    assert test["source"].shape == test["source_guidance"].shape == (2, 48, 24, 3)


def faces(root, people):
    """Rewrites the key points as landmarks of faces with person and expression."""
    entries = {
        name: dict(person=person, expression=expression, face68=np.random.default_rng(0).uniform(2, 20, (68, 2)).tolist())
        for name, (person, expression) in people.items()
    }
    for split in ("train", "test"):
        for ending in ("_pairs.csv", "_keypoints.json"):
            (root / f"{split}{ending}").unlink(missing_ok=True)
        (root / f"{split}_landmarks.json").write_text(json.dumps({"image_size": [24, 48], "images": entries}))


PEOPLE = {"p0.png": ("1", "neutral"), "p1.png": ("1", "smiling"), "p2.png": ("2", "smiling"), "p3.png": ("2", "neutral"),
          "p4.png": ("2", "angry"), "p5.png": ("3", "neutral")}


def test_pairs_of_faces_are_made_of_one_person(root):
    faces(root, PEOPLE)
    names = lambda **changes: [*data.open_source(asked(root, guidance="dots", **changes), "train").names]
    assert names() == names(pairs="neutral") == ["p0__p1", "p3__p2", "p3__p4"]
    assert sorted(names(pairs="all")) == sorted(
        ["p0__p1", "p1__p0"] + [f"p{i}__p{j}" for i in (2, 3, 4) for j in (2, 3, 4) if i != j])
    found = batch(root, guidance="dots", fields=None)
    assert found["source_guidance"].shape == (6, 48, 24, 3) and found["source_guidance"].max() == 255


def test_faces_without_pairs_or_people_are_told(root):
    with pytest.raises(InputError, match="config.data.pairs=all needs the person and the expression of every picture in "):
        data.open_source(asked(root, pairs="all"), "train")
    faces(root, {name: (str(i), "neutral") for i, name in enumerate(PEOPLE)})
    with pytest.raises(InputError, match="train_landmarks.json names no two pictures of one person that make a pair"):
        data.open_source(asked(root, guidance="dots"), "train")


def test_openpose_faces_lose_their_pupils(tmp_path):
    face = np.arange(210, dtype=float).reshape(70, 3) + 1
    path = tmp_path / "a_keypoints.json"
    path.write_text(json.dumps({"people": [{"face_keypoints_2d": face.ravel().tolist()}]}))
    (found,) = data.read_keypoints(path, parts="face")
    assert np.array_equal(found, face[:68])
