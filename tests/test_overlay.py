"""The page of key points drawn on pictures."""

import base64
import io
import json
import re

import numpy as np
import pytest
from make_set import folder_settings, make_folder
from PIL import Image

from gganjax import data, overlay
from gganjax.data import skeletons
from gganjax.data.settings import resolve

GRAY = np.full((64, 32, 3), 90, np.uint8)


def joints(count, **places):
    """Key points of which only those of the given numbers are found."""
    points = np.zeros((count, 3))
    for name, place in places.items():
        points[int(name[1:])] = (*place, 1)
    return points


def test_a_joint_is_a_dot_of_its_side_at_its_place():
    """64 rows are enlarged by 4, with a margin of an eighth: pixel (x, y) becomes the square around 4 x + 33.5."""
    plain = overlay.draw(GRAY, [])
    assert plain.shape == (64 * 4 + 2 * 32, 32 * 4 + 2 * 32, 3)
    assert (plain[32:-32, 32:-32] == 90).all() and (plain[:32] == 128).all()
    for joint, color in ((3, overlay.RIGHT), (6, overlay.LEFT), (1, overlay.MIDDLE)):
        drawn = overlay.draw(GRAY, [joints(18, **{f"j{joint}": (10, 40)})])
        changed = np.argwhere((drawn != plain).any(-1))
        assert np.allclose(changed.mean(0), (4 * 40 + 33.5, 4 * 10 + 33.5), atol=0.6)
        assert tuple(drawn[4 * 40 + 33, 4 * 10 + 33].tolist()) == color
    assert np.array_equal(overlay.draw(GRAY, [joints(18)]), plain)  # missing joints leave nothing


def test_joints_outside_are_seen_on_the_margin():
    drawn = overlay.draw(GRAY, [joints(68, j0=(-5, 10))])
    assert (drawn[:, :32] != 128).any() and (drawn[32:-32, 32:-32] == 90).all()


def test_right_and_left_joints_mirror_each_other():
    for count in (18, 68):
        right = set(overlay.RIGHT_JOINTS[count])
        left = {skeletons.MIRRORS[count][joint] for joint in right}
        middle = {joint for joint in range(count) if skeletons.MIRRORS[count][joint] == joint}
        assert not right & left and right | left | middle == set(range(count))
    names = "nose neck Rsho Relb Rwri Lsho Lelb Lwri Rhip Rkne Rank Lhip Lkne Lank Reye Leye Rear Lear".split()
    assert {names[joint][0] for joint in overlay.RIGHT_JOINTS[18]} == {"R"}


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    return make_folder(tmp_path / "set")


def page(root, tmp_path, **changes):
    settings = resolve(folder_settings(root, **changes))
    sources = {split: data.open_source(settings, split) for split in ("train", "test")}
    return overlay.write_check(tmp_path / "run" / "check.html", sources, settings)


def test_the_page_opens_offline_and_shows_and_lists_what_looks_wrong(root, tmp_path):
    path = root / "train_keypoints.json"
    content = json.loads(path.read_text())
    content["images"]["p1.png"]["hands"][0]["points"][8] = [40, 5, 1]  # of 32 x 32 pixels
    del content["images"]["p4.png"]
    path.write_text(json.dumps(content))
    text = page(root, tmp_path).read_text()
    sources = re.findall(r'src="([^"]*)"', text)
    assert sources and all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert "http" not in text and "<link" not in text and "<script" not in text
    # 4 of the 6 training pairs are left, 6 of the test split, and one suspicious picture
    assert len(sources) == 4 + 6 + 1
    picture = Image.open(io.BytesIO(base64.b64decode(sources[0].partition(",")[2])))
    side = 24 * 11  # the load size, enlarged to at least 256
    assert picture.size == (2 * side + 3 * (side // 8), side + 2 * (side // 8))
    assert "<h2>train: without key points</h2><details><summary>1 pictures</summary>p4.png</details>" in text
    assert re.search(r"<h2>train: joints outside of the picture</h2>.*<figcaption>p1.png</figcaption>.*</summary>p1.png<", text)
    assert text.count("<h2>") == 4


def test_a_set_without_key_points_has_no_page(root, tmp_path):
    for split in ("train", "test"):
        (root / f"{split}_skeletons").mkdir()
        for picture in (root / split).iterdir():
            Image.open(picture).save(root / f"{split}_skeletons" / picture.name)
    assert page(root, tmp_path, keypoints="pictures") is None
    assert not (tmp_path / "run").exists()
