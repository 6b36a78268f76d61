"""Guidance from one's own photos: what is written, what is listed, and that training never needs the packages for it."""

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from conftest import shared
from make_set import picture
from PIL import Image

from gganjax import data
from gganjax.data import keypoints
from gganjax.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tools"))

import extract_guides  # noqa: E402
from extraction import agreement, detectors, frames  # noqa: E402

HAND = np.stack([np.linspace(4, 27, 21), np.linspace(6, 25, 21), np.full(21, 0.9)], axis=1)
# The published names of MediaPipe's 33 points of a body.
MEDIAPIPE = (
    "nose Leye_inner Leye Leye_outer Reye_inner Reye Reye_outer Lear Rear mouth_left mouth_right Lsho Rsho Lelb Relb"
    " Lwri Rwri Lpinky Rpinky Lindex Rindex Lthumb Rthumb Lhip Rhip Lkne Rkne Lank Rank Lheel Rheel Lfoot Rfoot"
).split()
NAMES = "nose neck Rsho Relb Rwri Lsho Lelb Lwri Rhip Rkne Rank Lhip Lkne Lank Reye Leye Rear Lear".split()


def options(folder, out, kind="hand", **changes):
    given = [str(folder), f"--kind={kind}", f"--out={out}", *(f"--{name}={value}" for name, value in changes.items())]
    return extract_guides.parse(given)


def stub(answers):
    """A detector that answers by the level of the first pixel; scores as given, 0 for nothing found."""
    def detect(seen):
        score = answers[int(seen[0, 0, 0])]
        hands = [HAND + (0, 0, score - 0.9)] if score else []
        entry = {"hands": [{"points": joints.tolist()} for joints in hands]}
        return detectors.judged("hand", hands, [score], 0.7, seen.shape, written=entry)
    return detect


@pytest.fixture
def photos(tmp_path):
    """Photos of which a stub finds one sure hand, one unsure one, none, and one that is no picture."""
    folder = tmp_path / "set" / "train"
    folder.mkdir(parents=True)
    for level, name in enumerate(("good", "unsure", "none")):
        Image.new("RGB", (32, 32), (level, 0, 0)).save(folder / f"{name}.png")
    (folder / "broken.jpg").write_bytes(b"")
    return folder


def test_poor_detections_are_listed_and_not_written(photos):
    out = photos.parent / "train_keypoints.json"
    content = extract_guides.extract(options(photos, out), stub([0.95, 0.6, 0]))
    assert json.loads(out.read_text()) == content
    assert content["image_size"] == [32, 32] and list(content["images"]) == ["good.png"]
    assert content["poor"] == {
        "broken.jpg": f"{photos / 'broken.jpg'} cannot be read as a picture: it is empty (zero bytes)",
        "unsure.png": "hand with a score of 0.60, below 0.7",
        "none.png": "no hand found",
    }
    size, figures = keypoints.read_figures(out)
    assert size == (32, 32) and np.allclose(figures["good.png"][0], HAND + (0, 0, 0.05))
    page = (photos.parent / "train_keypoints_page.html").read_text()
    assert page.count("<img") == page.count("data:image/jpeg") == 3 and "http" not in page
    assert "unsure.png: hand with a score of 0.60, below 0.7" in page
    arguments = options(photos, out)
    arguments.keep_poor = True
    kept = extract_guides.extract(arguments, stub([0.95, 0.6, 0]))
    assert list(kept["images"]) == ["good.png", "unsure.png"] and kept["poor"] == content["poor"]


def test_what_is_written_is_a_set_to_train_on(photos, monkeypatch, tmp_path):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    root = photos.parent
    extract_guides.extract(options(photos, root / "train_keypoints.json"), stub([0.95, 0.9, 0]))
    (root / "train_pairs.csv").write_text("source,target\ngood.png,unsure.png\nnone.png,good.png\n")
    source = data.open_source(dict(kind="folder", folder=str(root), load_size=32, crop_size=32), "train")
    assert [source.names[i] for i in range(len(source))] == ["good__unsure"]
    assert np.allclose(source[0]["source_figure"][0][:, :2], HAND[:, :2])


def test_edges_become_pictures_of_guidance(photos):
    out = photos.parent / "train_skeletons"
    drawn = np.zeros((32, 32), np.uint8)
    drawn[5] = 255
    detect = lambda seen: detectors.Found({}, [], 0.03, "", drawn)
    content = extract_guides.extract(options(photos, out, kind="edges"), detect)
    assert sorted(path.name for path in out.iterdir()) == ["good.png", "none.png", "unsure.png"]
    assert np.array_equal(np.asarray(Image.open(out / "good.png")), drawn) and list(content["poor"]) == ["broken.jpg"]
    assert (photos.parent / "train_skeletons_page.html").exists()


def test_every_nth_frame_of_a_video_is_written_and_named(tmp_path, monkeypatch):
    class Capture:
        def __init__(self, path):
            self.left = 0 if "broken" in path else 7

        def grab(self):
            self.left -= 1
            return self.left >= 0

        def retrieve(self):
            return True, picture(self.left)[..., ::-1]  # OpenCV's channels are blue, green, red

        def release(self):
            pass

    monkeypatch.setitem(sys.modules, "cv2", types.SimpleNamespace(VideoCapture=Capture))
    folder = tmp_path / "in"
    (folder / "day").mkdir(parents=True)
    for name in ("day/walk.mp4", "broken.avi"):
        (folder / name).touch()
    found = dict(frames.read(folder, *frames.find(folder), every=3, frames=tmp_path / "frames"))
    assert found.pop("broken.avi") == f"{folder / 'broken.avi'} cannot be read as a video"
    assert list(found) == [f"day_walk_{number:06d}.png" for number in (0, 3, 6)]
    for left, (name, seen) in zip((6, 3, 0), found.items(), strict=True):
        assert np.array_equal(seen, picture(left))
        assert np.array_equal(np.asarray(Image.open(tmp_path / "frames" / name)), seen)


def test_33_points_become_18_joints_by_their_names():
    points = np.random.default_rng(0).uniform(1, 30, (33, 3))
    points[:, 2] = np.linspace(0.4, 1, 33)
    body = detectors.to_body(points, (32, 32))
    for name, joint in zip(NAMES, body, strict=True):
        if name == "neck":
            left, right = points[MEDIAPIPE.index("Lsho")], points[MEDIAPIPE.index("Rsho")]
            assert np.allclose(joint, [*(left + right)[:2] / 2, min(left[2], right[2])])
        else:
            assert np.array_equal(joint, points[MEDIAPIPE.index(name)])


def test_hidden_joints_and_those_outside_are_missing():
    points = np.ones((33, 3)) * (10, 20, 1)
    points[MEDIAPIPE.index("Rwri"), 2] = 0.29
    points[MEDIAPIPE.index("Lank"), 1] = 31.5  # rows end at 31.5
    body = detectors.to_body(points, (32, 16))
    assert [NAMES[joint] for joint in np.flatnonzero(body[:, 2] == 0)] == ["Rwri", "Lank"]


@pytest.mark.parametrize("height, width, margin", [(64, 48, 0.25), (64, 48, 0), (600, 800, 0.25)])
def test_a_landmark_returns_to_the_pixel_it_was_seen_at(height, width, margin):
    """A square of 3 pixels is found again in the enlarged picture, and its share of that becomes its center's pixel."""
    seen = np.zeros((height, width, 3), np.uint8)
    seen[20:23, 30:33] = 255
    large, factor, pad = detectors.enlarged(seen, margin)
    assert min(large.shape[:2]) - 2 * pad >= 512
    rows, columns = np.nonzero(large[..., 0] > 127)
    place = types.SimpleNamespace(x=(columns.mean() + 0.5) / large.shape[1], y=(rows.mean() + 0.5) / large.shape[0])
    (found,) = detectors._landmarks(types.SimpleNamespace(landmark=[place]), large, factor, pad)
    assert np.allclose(found, (31, 21), atol=0.1)


def test_points_outside_make_a_detection_poor():
    far = HAND + (15, 0, 0)  # of 32 columns
    outside = int((far[:, 0] >= 31.5).sum())
    assert 7 < outside < 12
    assert detectors.judged("hand", [far], [0.9], 0.7, (32, 32), written={}).poor == (
        f"{outside} of 21 points outside of the picture")
    assert detectors.judged("hand", [HAND], [0.9], 0.7, (32, 32), written={}).poor == ""


def test_agreement_is_in_sides_and_of_the_nearest_hand(tmp_path):
    path = tmp_path / "stored.json"
    hands = [HAND, HAND + (100, 0, 0)]
    path.write_text(json.dumps({"images": {name: {"hands": [{"points": joints.tolist()} for joints in hands]} for name in "ab"}}))
    found = {"a": [HAND + (103, 4, 0), HAND + (0, 2, 0)], "b": []}
    shares, matched, wanted = agreement.distances(found, {"a": (200, 100)}, path, "hands")
    assert (matched, wanted) == (2, 4) and np.allclose(sorted(shares), [2 / 200] * 21 + [5 / 200] * 21)
    with pytest.raises(InputError, match="have no hands in common"):
        agreement.distances({"c": [HAND]}, {"c": (200, 100)}, path, "hands")


def run(*arguments, python=sys.executable):
    return subprocess.run([python, str(ROOT / "tools" / "extract_guides.py"), *map(str, arguments)], text=True,
                          capture_output=True, check=False)  # fmt: skip


def test_without_its_packages_it_says_how_to_get_them(photos, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe", None)  # as if it were missing, also where it is not
    assert extract_guides.main([str(photos), "--kind=hand", f"--out={photos.parent / 'a.json'}"]) == 2
    assert capsys.readouterr().err == (
        "error: --kind=hand needs mediapipe, which lives in an environment of its own: make it with `python3.12 -m venv"
        f" guides && guides/bin/pip install -r {ROOT / 'tools' / 'extract_guides.txt'}` and run this tool with"
        " guides/bin/python.\n")
    assert not (photos.parent / "a.json").exists()
    text = "".join(path.read_text() for path in (ROOT / "gganjax").rglob("*.py"))
    assert "mediapipe" not in text and "dlib" not in text


@pytest.mark.parametrize("arguments, sentence", [
    (["{0}", "--kind=hand", "--out={0}/a"], "--out must name a .json file for --kind=hand, found {0}/a."),
    (["{0}", "--kind=edges", "--out={0}/a.json"], "--out must name a folder for --kind=edges, found {0}/a.json."),
    (["{0}", "--kind=edges", "--out={0}/a", "--against=b"], "--against compares key points, but --kind=edges makes pictures."),
    (["{0}", "--kind=face", "--out={0}/a.json", "--every=0"], "--every and --hands must be at least 1, found 0 and 2."),
    (["{0}/none", "--kind=face", "--out={0}/a.json"], "{0}/none is no folder of photos or videos."),
])
def test_wrong_arguments_are_one_sentence(photos, capsys, arguments, sentence):
    assert extract_guides.main([argument.format(photos) for argument in arguments]) == 2
    assert capsys.readouterr().err == f"error: {sentence.format(photos)}\n"


def test_a_folder_without_photos_is_told(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match=r"holds neither photos \(.png, .*\) nor videos \(.mp4, "):
        frames.find(tmp_path)


@pytest.mark.parametrize("name, kind, stored", [
    ("hands_scenes", "hand", "train_keypoints"), ("faces_london", "face", "train_landmarks"),
    ("actions64", "pose", "train_keypoints"),
])  # fmt: skip
def test_it_finds_again_what_is_stored(tmp_path, name, kind, stored):
    """On 10 pictures of each set the median distance is below 2 % of the side; needs the environment of the tool."""
    python = os.environ.get("GGANJAX_GUIDES_PYTHON")
    if not python:
        pytest.skip("GGANJAX_GUIDES_PYTHON names no Python with the packages of tools/extract_guides.txt")
    root = shared(f"data/{name}")
    chosen = sorted((root / "train").iterdir())[::30][:10]
    (tmp_path / "in").mkdir()
    for path in chosen:
        (tmp_path / "in" / path.name).write_bytes(path.read_bytes())
    out = tmp_path / "out.json"
    done = run(tmp_path / "in", f"--kind={kind}", f"--out={out}", python=python)
    assert done.returncode == 0, done.stderr
    part = extract_guides.PARTS[kind]
    size, found = keypoints.read_figures(out, parts=part)
    shares, matched, wanted = agreement.distances(found, dict.fromkeys(found, size), root / f"{stored}.json", part)
    assert matched >= 0.9 * wanted and np.median(shares) < 0.02
