"""A prepared tensorflow-datasets set gives the samples of its folder, bit for bit, without TensorFlow."""

import configparser
import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from make_set import HAND, folder_settings, make_folder, picture, same, take, write_key_points
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image
from test_data_layouts import make

from gganjax import data, sample
from gganjax.data import labels, prepared, settings
from gganjax.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.append(str(REPOSITORY / "tools"))

import prepare_set  # noqa: E402


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """A folder with its odd corners (missing hand, two hands, JPEG bytes, uneven coordinates) and the set prepared from it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GGANJAX_CACHE", str(tmp_path_factory.mktemp("cache")))
        root = make_folder(tmp_path_factory.mktemp("set"))
        Image.fromarray(picture(77)).save(root / "train" / "p1.png", format="JPEG", quality=60)
        hands = {f"p{i}.png": HAND + (i / 7, -i / 3, 0) for i in range(6)}
        write_key_points(root, "train", dict(hands, **{"p4.png": None}), 32)
        points = json.loads((root / "train_keypoints.json").read_text())
        points["images"]["p0.png"]["hands"] *= 2
        (root / "train_keypoints.json").write_text(json.dumps(points))
        out = tmp_path_factory.mktemp("out")
        facts = prepared.convert(settings.resolve(folder_settings(root)), out)
        yield root, out, facts


def batches(folder, kind, split="train", **changes):
    asked = folder_settings(folder, **dict(changes, kind=kind))
    source = data.open_source(asked, split)
    if split == "test":
        return take(data.test_batches(source, asked, batch_size=3), 2)
    return take(data.train_batches(source, asked, batch_size=3, seed=4), 4)


@pytest.mark.parametrize("changes", [{}, dict(split="test"), dict(only="p2"), dict(threads=3, memory=0)])
def test_the_batches_are_those_of_the_folder(sets, changes):
    root, out, _ = sets
    for one, other in zip(batches(root, "folder", **changes), batches(out, "tfds", **changes), strict=True):
        assert same(one, other)


def test_the_facts_are_kept(sets):
    _, out, facts = sets
    described = data.open_source(folder_settings(out, kind="tfds"), "train").describe()
    assert facts["train"]["without_key_points"] == ["p4.png"] and facts["train"]["pairs"] == 4
    assert described == dict(facts["train"], kind="tfds", folder=str(out))


def test_each_picture_is_stored_once_with_the_bytes_of_its_file(sets):
    root, out, _ = sets
    builder = tfds.builder_from_directory(str(out / "guided_pairs" / "pictures" / "1.0.0"))
    stored = builder.as_data_source("train", decoders={"image": tfds.decode.SkipDecoding()})
    assert [record["name"].decode() for record in stored] == [f"p{i}.png" for i in (0, 1, 2, 3, 5)]
    assert all(record["image"] == (root / "train" / record["name"].decode()).read_bytes() for record in stored)


def test_skeleton_pictures_are_kept_too(tmp_path, monkeypatch):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    root = make_folder(tmp_path / "set", guidance="none", splits=("train",))
    (root / "train_skeletons").mkdir()
    for i in range(6):
        Image.fromarray(picture(50 + i)).save(root / "train_skeletons" / f"p{i}.png")
    prepared.convert(settings.resolve(folder_settings(root)), tmp_path / "out")
    for one, other in zip(batches(root, "folder"), batches(tmp_path / "out", "tfds"), strict=True):
        assert same(one, other)
    with pytest.raises(InputError, match="has no test split, only train"):
        data.open_source(folder_settings(tmp_path / "out", kind="tfds"), "test")


def test_the_tool_prepares_without_tensorflow_and_tells_mistakes(sets, tmp_path):
    root, out, _ = sets
    code = f"""
import sys
sys.argv[0] = "prepare_set.py"
sys.path.insert(0, {str(REPOSITORY / "tools")!r})
import prepare_set
first = prepare_set.main([{str(root)!r}, {str(tmp_path / "new")!r}])
second = prepare_set.main([{str(root)!r}, {str(tmp_path / "new")!r}])
print("tensorflow" in sys.modules, first, second)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "train: 4 pairs of 5 pictures, 2 pairs left out" in done.stdout and done.stdout.endswith("False 0 2\n")
    assert f"error: {tmp_path / 'new'} already holds a prepared set" in done.stderr
    assert same(batches(tmp_path / "new", "tfds")[0], batches(out, "tfds")[0])


def test_no_requirement_brings_tensorflow():
    """Walks the requirements of all installed requirements of the package."""
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg")
    waiting, seen = [(line, ("",)) for line in setup["options"]["install_requires"].split("\n") if line], set()
    while waiting:
        line, extras = waiting.pop()
        requirement = Requirement(line)
        name, wanted = canonicalize_name(requirement.name), ("", *sorted(requirement.extras))
        applies = requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)
        if applies and (name, wanted) not in seen:
            seen.add((name, wanted))
            waiting += [(line, wanted) for line in importlib.metadata.requires(name) or []]
    names = {name for name, _ in seen}
    assert {"tensorflow-datasets", "array-record", "etils"} <= names
    assert not [name for name in names if re.fullmatch("tensorflow(-cpu|-gpu|-intel|-macos)?|tf-nightly.*", name)]


def test_no_prepared_set_and_a_broken_one_are_told(tmp_path, sets):
    with pytest.raises(InputError, match="no prepared set: expected the folder guided_pairs or label_pairs in it"):
        data.open_source(folder_settings(tmp_path, kind="tfds"), "train")
    (tmp_path / "guided_pairs" / "pictures" / "1.0.0").mkdir(parents=True)
    with pytest.raises(InputError) as error:
        data.open_source(folder_settings(tmp_path, kind="tfds"), "train")
    assert str(error.value).startswith(f"The prepared set in {tmp_path} cannot be read: ") and "\n" not in str(error.value)
    with pytest.raises(InputError, match="expected the folder train or test in it"):
        prepared.convert(settings.resolve(folder_settings(tmp_path)), tmp_path / "other")
    _, out, _ = sets
    with pytest.raises(InputError, match="holds no pairs whose source starts with 'x'"):
        data.open_source(folder_settings(out, kind="tfds", only="x"), "train")
    assert np.array_equal(data.open_source(folder_settings(out, kind="tfds", load_size=32), "train")[0]["source"], picture(0))


LABELS = dict(kind="labels", load_size=24, load_width=32)
ALL = ("source", "target", "labels", "instances", "edges")


@pytest.fixture(scope="module")
def label_sets(tmp_path_factory):
    """A set of label maps with palette, 16-bit instance maps and edge pictures, and the set prepared from it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GGANJAX_CACHE", str(tmp_path_factory.mktemp("cache")))
        root, out = make(tmp_path_factory.mktemp("labels"), "plain"), tmp_path_factory.mktemp("out")
        (root / "palette.csv").write_text("".join(f"{20 * k},{k},7\n" for k in range(9)))
        arguments = [str(root), str(out), "--kind=labels", "--classes=9"]
        assert prepare_set.main(arguments) == 0 and prepare_set.main(arguments) == 2
        yield root, out


@pytest.mark.parametrize("changes", [
    {}, dict(split="test"), dict(only="1", exchange=True, memory=0), dict(edges="canny"), dict(palette="facades"),
])
def test_the_batches_of_label_maps_are_those_of_the_folder(label_sets, changes):
    if "edges" in changes:
        pytest.importorskip("cv2", reason="Canny's edges need OpenCV, which is optional")
    asked, split = LABELS | dict(classes=9) | changes, changes.get("split", "train")
    asked.pop("split", None)
    found = []
    for kind, folder in zip(("labels", "tfds"), label_sets, strict=True):
        one = folder_settings(folder, **asked | dict(kind=kind))
        source = data.open_source(one, split)
        made = data.test_batches(source, one, batch_size=2, fields=ALL) if split == "test" else (
            data.train_batches(source, one, batch_size=2, seed=3, fields=ALL))
        found.append((take(made, 1), source.classes, source.describe()))
    (ours, classes, facts), (theirs, others, described) = found
    assert same(ours[0], theirs[0]) and set(ALL) < set(ours[0])
    assert np.array_equal(classes.palette, others.palette) and classes.highest == others.highest
    if "only" not in changes:
        assert classes.pixels == others.pixels and described | dict(kind="labels", folder=facts["folder"]) == facts
    assert described["pairs"] == facts["pairs"] == (1 if "only" in changes else 2)


def test_files_of_label_maps_are_stored_as_they_are(label_sets):
    root, out = label_sets
    builder = tfds.builder_from_directory(str(out / "label_pairs" / "files" / "1.0.0"))
    raw = {part: tfds.decode.SkipDecoding() for part in ("labels", "images", "instances", "edges")}
    for record in builder.as_data_source("train", decoders=raw):
        assert all(record[part] == (root / record[f"{part}_name"].decode()).read_bytes() for part in raw)


def test_what_a_prepared_set_of_label_maps_lacks_is_told(label_sets, tmp_path, monkeypatch):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    root, out = label_sets
    for changes, sentence in (
            (dict(classes=8), "has the classes 9, but by config.data.classes it has 8."),
            (dict(classes=9, unknown="on"), "has the unknown False, but by config.data.unknown it has True."),
            (dict(layout="facades"), "has the layout plain, but by config.data.layout it has facades.")):
        with pytest.raises(InputError) as error:
            data.open_source(folder_settings(out, **LABELS | dict(kind="tfds") | changes), "train")
        assert str(error.value) == f"The prepared set in {out} {sentence}"
    tree = make(tmp_path / "tree", "ade20k")
    asked = dict(layout="ade20k", edges="pictures", crop_size=24, crop_width=32)
    prepared.convert(settings.resolve(folder_settings(tree, kind="labels", layout="ade20k")), tmp_path / "out")
    one = folder_settings(tmp_path / "out", **LABELS | dict(kind="tfds") | asked)
    other = folder_settings(tree, **LABELS | asked)
    made = [take(data.train_batches(data.open_source(x, "train"), x, batch_size=2, seed=0, fields=ALL[:3]), 1)
            for x in (one, other)]
    assert same(made[0][0], made[1][0]) and made[0][0]["labels"].max() == 150
    with pytest.raises(InputError, match="needs 'instances', which the data lack: .* the layout 'ade20k' has none"):
        data.train_batches(data.open_source(one, "train"), one, batch_size=2, seed=0, fields=ALL)


def test_own_label_maps_are_read_as_those_of_a_prepared_set(label_sets):
    root, out = label_sets
    path = root / "train" / "labels" / "0.png"
    sizes = dict(load_size=24, crop_size=24, load_width=32, crop_width=32, classes=9)
    wanted = settings.resolve(folder_settings(out, **LABELS | sizes | dict(kind="tfds")))
    classes = np.asarray(Image.open(path))
    assert np.array_equal(labels.read_labels(path, wanted), classes)
    assert np.array_equal(sample._source(path, wanted)[..., 0], 20 * classes)
