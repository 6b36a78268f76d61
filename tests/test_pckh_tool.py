"""PCKh of generated pictures from key-point files."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from gganjax.errors import InputError

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import pckh  # noqa: E402

HEAD = (0, 1, 14, 15, 16, 17)


def person(x):
    """A head of 8 x 8 pixels and 12 joints in a row below, (x, y, confidence)."""
    joints = np.ones((18, 3))
    joints[list(HEAD), :2] = [(x + 4, 4), (x + 4, 8), (x + 2, 2), (x + 6, 2), (x, 0), (x + 8, 0)]
    joints[[joint for joint in range(18) if joint not in HEAD], :2] = [(x + row, 20 + row) for row in range(12)]
    return joints


def write(path, bodies, poor=(), size=(64, 64)):
    images = {name: {"body18": joints.tolist()} for name, joints in bodies.items()}
    path.write_text(json.dumps(dict(image_size=list(size), images=images, poor=dict.fromkeys(poor, "no body found"))))
    return path


@pytest.fixture
def files(tmp_path):
    """Pairs a->b, b->a, a->c; b lies 10 pixels to the right of a, more than half a head."""
    pairs = tmp_path / "test_pairs.csv"
    pairs.write_text("source,target\na.png,b.png\nb.png,a.png\na.png,c.png\n")
    return pairs, write(tmp_path / "targets.json", {"a.png": person(10), "b.png": person(20), "c.png": person(11)})


def test_results_are_held_against_the_targets_of_their_pairs(files, tmp_path):
    shifted = person(11)
    shifted[3, 0] += 4  # not nearer than half of 8
    results = write(tmp_path / "results.json", {"a__b.png": person(20), "a__c.png": shifted}, poor=["b__a.png"])
    found = pckh.score(*files, results)
    assert found == dict(pckh=(18 + 0 + 17) / 54, copy_source=18 / 54, joints=54, pairs=3, skipped=0, not_found=1)


def test_pairs_without_a_result_do_not_count_and_published_names_are_known(files, tmp_path):
    results = write(tmp_path / "results.json", {"a.png___b.png_vis.jpg": person(20), "a___c_vis.jpg": person(30)})
    found = pckh.score(*files, results)
    assert (found["pairs"], found["pckh"], found["copy_source"]) == (2, 0.5, 0.5)


def test_targets_may_be_a_table_and_lack_a_head(files, tmp_path):
    pairs, _ = files
    rows = ["name:keypoints_y:keypoints_x"]
    for name, joints in {"a.png": person(10), "b.png": person(20), "c.png": person(11)}.items():
        if name == "c.png":
            joints[list(HEAD), :2] = -1
        x, y = joints[:, :2].astype(int).T.tolist()
        rows.append(f"{name}: {y}: {x}")
    table = tmp_path / "targets.csv"
    table.write_text("\n".join(rows))
    results = write(tmp_path / "results.json", {"a__b.png": person(20), "a__c.png": person(11)})
    found = pckh.score(pairs, table, results)
    assert (found["pairs"], found["skipped"], found["joints"], found["pckh"]) == (2, 1, 18, 1.0)


def test_mistakes_are_one_sentence(files, tmp_path, capsys):
    pairs, targets = files
    results = write(tmp_path / "results.json", {"a.png": person(10)})
    with pytest.raises(InputError, match="holds no result of a pair of .*: expected names such as SOURCE__TARGET.png.$"):
        pckh.score(pairs, targets, results)
    other = write(tmp_path / "large.json", {"a__b.png": person(20)}, size=(128, 64))
    with pytest.raises(InputError, match=r"targets.json is of pictures of 64x64 and .*large.json of 128x64; expected one size.$"):
        pckh.score(pairs, targets, other)
    few = write(tmp_path / "few.json", {"a.png": person(10)})
    good = write(tmp_path / "good.json", {"a__b.png": person(20)})
    assert pckh.main([str(pairs), str(few), str(good)]) == 2
    assert capsys.readouterr().err == f"error: {few} holds no key points of b.png, which {pairs} names.\n"
    written = tmp_path / "score.json"
    assert pckh.main([str(pairs), str(targets), str(good), f"--json={written}"]) == 0
    assert json.loads(written.read_text())["pckh"] == 1.0
    assert capsys.readouterr().out.startswith("PCKh 1.0000 (sources unchanged: 0.0000), 18 joints of 1 pairs, 0 skipped")
