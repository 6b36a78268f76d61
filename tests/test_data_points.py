"""Key points in every format that is read, folders of the person-image systems, and mistakes told before step 1."""

import json
import logging

import numpy as np
import pytest
from make_set import folder_settings, take, write_picture

from gganjax import data
from gganjax.data import annotations, keypoints
from gganjax.errors import InputError

NAMES = "nose neck Rsho Relb Rwri Lsho Lelb Lwri Rhip Rkne Rank Lhip Lkne Lank Reye Leye Rear Lear".split()
COCO = "nose Leye Reye Lear Rear Lsho Rsho Lelb Relb Lwri Rwri Lhip Rhip Lkne Rkne Lank Rank".split()
# An upright person seen from the front in 48 x 24 pixels, (x, y) by joint.
PERSON = np.array([(12, 6), (12, 10), (8, 10), (6, 16), (5, 22), (16, 10), (18, 16), (19, 22), (10, 24), (10, 33), (10, 42),
                   (14, 24), (14, 33), (14, 42), (11, 5), (13, 5), (10, 6), (14, 6)], float)  # fmt: skip
HEIGHT, WIDTH = 48, 24


def body(shift=0.0, missing=()):
    joints = np.concatenate([PERSON + (shift, 0), np.ones((18, 1))], axis=1)
    joints[list(missing)] = 0
    return joints


def table(bodies, header="name:keypoints_y:keypoints_x"):
    """The table of key points: rows of (name, body), whole numbers, -1 where a joint is missing."""
    rows = [header]
    for name, joints in bodies:
        x, y = np.where(joints[:, 2:] > 0, joints[:, :2], -1).astype(int).T.tolist()
        rows.append(f"{name}: {y}:{x}")
    return "\n".join(rows) + "\n"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A set laid out as the Market-1501 one of the person-image systems."""
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "market_data"
    for split in ("train", "test"):
        for i in range(4):
            write_picture(root / split / f"000{i}_c1.jpg", i, HEIGHT, WIDTH)
        bodies = [(f"000{i}_c1.jpg", body(i % 2, missing=(4,) if i == 3 else ())) for i in range(4)]
        write_table(root, bodies, split)
        (root / f"market-pairs-{split}.csv").write_text(
            "from,to\n" + "".join(f"000{i}_c1.jpg,000{j}_c1.jpg\n" for i, j in ((0, 1), (1, 0), (2, 3), (3, 2)))
        )
    return root


def write_table(root, bodies, split="train", **options):
    (root / f"market-annotation-{split}.csv").write_text(table(bodies, **options))


def asked(root, **changes):
    sizes = dict(load_size=HEIGHT, load_width=WIDTH, crop_size=HEIGHT, crop_width=WIDTH, guidance="heatmaps", flip="off")
    return folder_settings(root, **sizes | changes)


def message(root, **changes):
    with pytest.raises(InputError) as error:
        data.open_source(asked(root, **changes), "train")
    text = str(error.value)
    assert "\n" not in text and text.endswith(".")
    return text


def warned(caplog, root, **changes):
    """The facts of the training split, and the sentences logged while it was opened."""
    with caplog.at_level(logging.WARNING, "gganjax"):
        facts = data.open_source(asked(root, **changes), "train").describe()
    return facts, [record.getMessage() for record in caplog.records]


def test_a_folder_of_the_person_systems_needs_no_setting(root):
    source = data.open_source(asked(root), "train")
    assert [source.names[i] for i in range(4)] == ["0000_c1__0001_c1", "0001_c1__0000_c1", "0002_c1__0003_c1", "0003_c1__0002_c1"]
    assert np.array_equal(source[0]["source_figure"][0], body()) and np.array_equal(source[0]["target_figure"][0], body(1))
    (batch,) = take(data.test_batches(data.open_source(asked(root), "test"), asked(root), batch_size=4), 1)
    maps = batch["target_guidance"][2]  # of picture 3, whose right wrist is missing
    assert not maps[..., 4].any()
    for joint in set(range(18)) - {4}:
        x, y = body(1)[joint, :2].astype(int)
        assert maps[y, x, joint] == 255 and maps[..., joint].argmax() == y * WIDTH + x
    assert len(data.open_source(asked(root, keypoints="table"), "train")) == 4


def test_the_columns_of_a_table_go_by_their_names(root):
    swapped = [(f"000{i}_c1.jpg", body()[:, [1, 0, 2]]) for i in range(4)]
    write_table(root, swapped, header="name:keypoints_x:keypoints_y")
    assert np.array_equal(data.open_source(asked(root), "train")[0]["source_figure"][0], body())


def test_fashion_pictures_are_cut_to_their_middle_and_key_points_move_along(root):
    """The published 256 x 256 files: columns 40 to 215, x minus 40; files that are 176 wide already stay as they are."""
    whole = body() * (10, 5, 1) + (8, 0, 0)
    for split in ("train", "test"):
        for path in root.glob("market-*"):
            path.rename(path.with_name(path.name.replace("market", "fasion-resize")))
        write_picture(root / split / "0000_c1.jpg", 0, 256, 256)
        write_picture(root / split / "0001_c1.jpg", 1, 256, 176)
        bodies = [("0000_c1.jpg", whole), ("0001_c1.jpg", whole - (40, 0, 0))]
        (root / f"fasion-resize-annotation-{split}.csv").write_text(table(bodies))
        (root / f"fasion-resize-pairs-{split}.csv").write_text("from,to\n0000_c1.jpg,0001_c1.jpg\n")
    settings = asked(root, load_size=256, load_width=176, crop_size=256, crop_width=176, center_crop=256, center_crop_width=176)
    sample = data.open_source(settings, "train")[0]
    assert np.array_equal(sample["source"], data.read_image(root / "train" / "0000_c1.jpg")[:, 40:216])
    assert np.array_equal(sample["target"], data.read_image(root / "train" / "0001_c1.jpg"))
    for side in ("source", "target"):
        assert np.array_equal(sample[f"{side}_figure"][0], whole - (40, 0, 0))


def coco_order(joints):
    return np.stack([joints[NAMES.index(name)] for name in COCO])


def test_coco_joints_by_their_names():
    joints = np.random.default_rng(0).uniform(1, 20, (18, 3))
    joints[1] = (joints[2] + joints[5]) / 2
    assert np.allclose(annotations.from_coco(coco_order(joints)), joints)
    for shoulder in (2, 5):
        lost = joints.copy()
        lost[shoulder] = 0
        assert annotations.from_coco(coco_order(lost))[1].tolist() == [0, 0, 0]


def test_25_joints_are_the_18_without_hip_and_feet():
    order = [*range(8), 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]
    joints = np.arange(75.0).reshape(25, 3)
    assert np.array_equal(annotations.from_openpose(joints), joints[order])


def test_a_coco_file_gives_the_surest_person_of_each_picture(tmp_path):
    flags = np.full((17, 1), 2.0)
    flags[3] = 1
    one = np.concatenate([coco_order(body())[:, :2], flags], axis=1)
    faint = one.copy()
    faint[5:] = 0
    content = dict(
        images=[dict(id=7, file_name="a.jpg"), dict(id=9, file_name="b.jpg")],
        annotations=[dict(image_id=7, keypoints=faint.ravel().tolist()), dict(image_id=7, keypoints=one.ravel().tolist()),
                     dict(image_id=9, bbox=[0, 0, 1, 1])],
    )  # fmt: skip
    path = tmp_path / "train_keypoints.json"
    path.write_text(json.dumps(content))
    size, figures = keypoints.read_figures(path)
    assert size is None and figures["b.jpg"] == []
    expected = body()
    expected[17, 2] = 0.5  # labeled but hidden
    assert np.allclose(figures["a.jpg"][0], expected)
    content["annotations"][1]["keypoints"].pop()
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"Annotation 1 \(a.jpg\) of the COCO file .*17 joints \(51 numbers\), found 50\.$"):
        keypoints.read_figures(path)


@pytest.mark.parametrize("key, points, expected", [
    ("body18", body(), body()),
    ("body17", coco_order(body()), body()),
    ("body17", coco_order(body())[:, :2], body()),
    ("body25", np.insert(body(), [8, *[18] * 6], 0, axis=0), body()),
])  # fmt: skip
def test_bodies_of_other_orders_in_our_file(tmp_path, key, points, expected):
    path = tmp_path / "points.json"
    path.write_text(json.dumps({"images": {"a.png": {key: points.tolist()}}}))
    assert np.array_equal(data.read_keypoints(path)[0], expected)


def openface(confidences, success=None):
    names = ["frame", "face_id", "confidence", *["success"] * (success is not None)]
    header = ", ".join([*names, *(f"x_{i}" for i in range(68)), *(f"y_{i}" for i in range(68))])
    rows = [
        ", ".join(map(str, [1, k, confidence, *([success[k]] if success else []), *range(k, 68 + k), *range(100, 168)]))
        for k, confidence in enumerate(confidences)
    ]
    return "\n".join([header, *rows]) + "\n"


def test_openface_files_give_the_surest_face(root):
    folder = root / "train_landmarks"
    folder.mkdir()
    for name, text in (("0000_c1", openface([0.4, 0.9, 0.8])), ("0001_c1", openface([0.9, 0.5], success=[0, 1]))):
        (folder / f"{name}.csv").write_text(text)
    figures = keypoints.read_openface_folder(folder, ["0000_c1.jpg", "0001_c1.jpg", "0002_c1.jpg"])
    for k, (name, confidence) in enumerate({"0000_c1.jpg": 0.9, "0001_c1.jpg": 0.5}.items()):
        (face,) = figures.pop(name)
        assert face[:, 0].tolist() == list(range(1, 69)) and face[:, 1].tolist() == list(range(100, 168)), k
        assert (face[:, 2] == confidence).all()
    assert not figures
    assert keypoints.read_figures(folder / "0000_c1.csv")[1]["0000_c1"][0].shape == (68, 3)
    source = data.open_source(asked(root, keypoints="openface", guidance="dots"), "train")
    assert [source.names[i] for i in range(len(source))] == ["0000_c1__0001_c1", "0001_c1__0000_c1"]
    (folder / "0000_c1.csv").write_text(openface([0.4, 0.9]).replace("\n1, 1", "\n2, 1"))
    with pytest.raises(InputError, match="0000_c1.csv holds 2 frames; expected one file for each picture"):
        keypoints.read_openface_folder(folder, ["0000_c1.jpg"])
    (folder / "0000_c1.csv").write_text("frame, x_67\n1, 2\n")
    with pytest.raises(InputError, match="0000_c1.csv must be a CSV file with the columns confidence, x_0 to x_67 and y_0"):
        keypoints.read_openface_folder(folder, ["0000_c1.jpg"])


def break_row(root, change):
    path = root / "market-annotation-train.csv"
    lines = path.read_text().splitlines()
    lines[2] = change(lines[2])
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("harm, expected", [
    (lambda root: break_row(root, lambda row: row.replace("]:", ", 3]:")),
     "Row 3 (0001_c1.jpg) of the table {0}/market-annotation-train.csv must hold 18 values in keypoints_y and in keypoints_x,"
     " found 19 and 18."),
    (lambda root: break_row(root, lambda row: row.rpartition(",")[0] + "]"),
     "Row 3 (0001_c1.jpg) of the table {0}/market-annotation-train.csv must hold 18 values in keypoints_y and in keypoints_x,"
     " found 18 and 17."),
    (lambda root: break_row(root, lambda row: row[:-1]),
     "Row 3 (0001_c1.jpg) of the table {0}/market-annotation-train.csv must be a name and two lists of numbers,"
     " name:keypoints_y:keypoints_x, found '0001_c1.jpg: [6, 10, 10, 16, 22, 10, 16, 22, 24, 33, 42, 24,'."),
    (lambda root: break_row(root, lambda row: row.replace("6", "NaN", 1)),
     "Row 3 (0001_c1.jpg) of the table {0}/market-annotation-train.csv must hold finite numbers, found NaN or infinity."),
    (lambda root: (root / "market-annotation-train.csv").write_text("name,y,x\n"),
     "The table of key points {0}/market-annotation-train.csv must start with the line name:keypoints_y:keypoints_x,"
     " found 'name,y,x'."),
    (lambda root: (root / "market-pairs-train.csv").write_text("from,to\n0000_c1.jpg,0009_c1.jpg\n"),
     "{0}/market-pairs-train.csv names 0009_c1.jpg, but there is no file {0}/train/0009_c1.jpg."),
    (lambda root: (root / "fasion-pairs-train.csv").write_text("from,to\n"),
     "{0} holds several lists of pairs for one split, expected one: fasion-pairs-train.csv, market-pairs-train.csv."),
    (lambda root: (root / "market-annotation-train.csv").rename(root / "train_annotation.csv"),
     "The guidance of the train split is missing: expected {0}/train_keypoints.json or {0}/train_landmarks.json or"
     " {0}/*-annotation-train.csv or {0}/train_keypoints or {0}/train_landmarks or {0}/train_skeletons."),
    (lambda root: write_table(root, [(f"000{i}_c1.jpg", body() * 0) for i in range(4)]),
     "No pair of the train split in {0} can be used: 4 of 4 pictures have no key points, 0 cannot be read."),
])  # fmt: skip
def test_a_wrong_table_is_one_sentence(root, harm, expected):
    harm(root)
    assert message(root) == expected.format(root)


def test_17_points_of_18_in_our_file_are_told(root):
    entries = {f"000{i}_c1.jpg": {"body18": body()[: 17 if i == 2 else 18].tolist()} for i in range(4)}
    path = root / "train_keypoints.json"
    path.write_text(json.dumps({"images": entries}))
    assert message(root) == f"body18 must hold 18 points, found 17 for 0002_c1.jpg in the key-point file {path}."


def test_pictures_without_a_row_and_without_a_joint_are_said(root, caplog):
    write_table(root, [("0000_c1.jpg", body()), ("0001_c1.jpg", body()), ("0002_c1.jpg", body() * 0)])
    facts, sentences = warned(caplog, root)
    place = root / "market-annotation-train.csv"
    assert sentences == [
        f"{place} has nothing on 1 of 4 pictures (0003_c1.jpg first); the 2 pairs with them are left out",
        f"{place} holds no joint that was found of 1 of 4 pictures (0002_c1.jpg first); the 2 pairs with them are left out",
    ]
    assert facts["pairs"] == 2 and facts["without_key_points"] == ["0002_c1.jpg", "0003_c1.jpg"]


def test_a_good_set_is_not_suspected(root, caplog):
    facts, sentences = warned(caplog, root)
    assert facts["suspicious"] == {} and sentences == []


@pytest.mark.parametrize("change, label, sentence", [
    (lambda joints: joints[:, [1, 0, 2]], "joints outside of the picture",
     "seem to be in (y, x) order, expected x, y: 33% of them lie outside of their pictures (0000_c1.jpg first),"
     " 0% if x and y are exchanged"),
    (lambda joints: (joints * 0.5)[:, [1, 0, 2]], "figure on its side, as of (y, x) coordinates",
     "seem to be in (y, x) order, expected x, y: the figure lies on its side in 4 of 4 pictures that tell (0000_c1.jpg first)"),
    (lambda joints: joints[[0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16]], "left and right exchanged",
     "seem to have left and right exchanged in 4 of 4 pictures that tell (0000_c1.jpg first)"),
])  # fmt: skip
def test_coordinates_of_another_order_are_suspected_and_said(root, caplog, change, label, sentence):
    names = [f"000{i}_c1.jpg" for i in range(4)]
    write_table(root, [(name, change(body())) for name in names])
    facts, sentences = warned(caplog, root)
    assert sentences == [f"The key points of {root / 'market-annotation-train.csv'} {sentence}"]
    assert facts["suspicious"][label] == names


def test_key_points_of_larger_pictures_are_suspected(root, caplog):
    write_table(root, [(f"000{i}_c1.jpg", body() * (2, 2, 1)) for i in range(4)])
    _, (sentence,) = warned(caplog, root)
    assert sentence.endswith("lie outside of their pictures (0000_c1.jpg first): are they for pictures of another size?")


def test_one_twisted_person_is_listed_and_not_said(root, caplog):
    twisted = body()
    twisted[[8, 11]] = twisted[[11, 8]]
    away = body(missing=(14, 15))[[0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 14, 15, 17, 16]]  # seen from the back
    bodies = [body(), twisted, away, body()]
    write_table(root, [(f"000{i}_c1.jpg", joints) for i, joints in enumerate(bodies)])
    facts, sentences = warned(caplog, root)
    assert sentences == [] and facts["suspicious"] == {"left and right exchanged": ["0001_c1.jpg"]}
