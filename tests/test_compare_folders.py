"""Two folders of any origin are measured alike, and the recorded floors of real photographs come out."""

import csv
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import shared
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import compare_folders

from gganjax.metrics import catalog


def save(folder, name, picture):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


def folders(tmp_path, count=3, size=(24, 20)):
    pictures = np.random.default_rng(0).integers(0, 256, (2, count, *size, 3), dtype=np.uint8)
    for side, of in zip(("real", "fake"), pictures):
        for i, picture in enumerate(of):
            save(tmp_path / side, f"{i}.png", picture)
    return pictures


def run(tmp_path, *options):
    arguments = [f"--real={tmp_path / 'real'}", *options, f"--json={tmp_path / 'out.json'}", f"--csv={tmp_path / 'out.csv'}"]
    status = compare_folders.main(arguments)
    return json.loads((tmp_path / "out.json").read_text()) if status == 0 else None


def test_pictures_are_matched_by_name_and_those_without_partner_listed(tmp_path, capsys):
    real, fake = folders(tmp_path)
    save(tmp_path / "fake", "more/9.png", fake[0])
    (tmp_path / "fake" / "2.png").rename(tmp_path / "fake" / "two.png")
    result = run(tmp_path, f"--fake={tmp_path / 'fake'}", "--metrics=psnr,l1")
    assert result["pairs"] == 2 and result["unmatched"] == {"real": ["2"], "fake": ["more/9", "two"]}
    assert "without partner in fake: more/9, two" in capsys.readouterr().out
    error = real[:2].astype(float) - fake[:2]
    assert result["mean"]["l1"] == pytest.approx(np.abs(error).mean() / 127.5, rel=1e-5)
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["0.png", "1.png"]
    assert float(rows[1]["psnr"]) == pytest.approx(10 * np.log10(255**2 / (error[1] ** 2).mean()), rel=1e-5)
    assert result["record"]["psnr"]["samples"] == 2 and result["record"]["psnr"]["size"] == "24x20"


def test_pckh_and_label_maps(tmp_path):
    folders(tmp_path, count=1)
    body = [[4 + joint, 2 + joint, 0.9] for joint in range(18)]
    for side, moved in (("real", 0), ("fake", 100)):
        points = [[x + (moved if joint == 4 else 0), y, c] for joint, (x, y, c) in enumerate(body)]
        content = {"images": {"0.png": {"body18": points}}}
        (tmp_path / f"{side}.json").write_text(json.dumps(content))
    labels = np.array([[0, 0, 1, 255]], np.uint8)
    save(tmp_path / "labels", "0.png", labels)
    save(tmp_path / "seen", "0.png", np.array([[0, 1, 1, 1]], np.uint8))
    result = run(tmp_path, f"--fake={tmp_path / 'fake'}", "--metrics=pckh,mask_ssim_pg2", f"--keypoints={tmp_path / 'real.json'}",
                 f"--fake-keypoints={tmp_path / 'fake.json'}", f"--labels={tmp_path / 'labels'}",
                 f"--fake-labels={tmp_path / 'seen'}", "--classes=2")
    assert result["mean"]["pckh"] == pytest.approx(17 / 18)
    assert result["mean"]["pixel_acc"] == pytest.approx(2 / 3) and result["mean"]["pixel_acc_counting_void"] == 0.5
    assert result["mean"]["miou"] == 0.5 and "mask_ssim_pg2" in result["mean"]


@pytest.mark.parametrize("case, message", [
    ("other size", r"2\.png has 10x10 pixels, the first picture has 24x20; give --size"),
    ("no match", "No picture of .*fake has the name of one of .*real, such as 0"),
    ("empty", "nothing holds no pictures"), ("absent", "absent is no folder"),
    ("metric", "'pnsr' is no metric; did you mean psnr"), ("broken", r"1\.png cannot be read as a picture"),
    ("mask", "--keypoints is missing"), ("few", "over 10 splits needs at least as many images, got 3"),
    ("twice", "have the same name but for the ending"), ("labels", "--segmenter is missing"),
])
def test_a_mistake_is_one_sentence(tmp_path, capsys, case, message, monkeypatch):
    folders(tmp_path)
    fake, options = tmp_path / "fake", ["--metrics=psnr"]
    if case == "other size":
        save(fake, "2.png", np.zeros((10, 10, 3), np.uint8))
    elif case == "no match":
        for path in list(fake.iterdir()):
            path.rename(path.with_name(f"x{path.name}"))
    elif case == "empty":
        fake = tmp_path / "nothing"
        fake.mkdir()
    elif case == "absent":
        fake = tmp_path / "absent"
    elif case == "metric":
        options = ["--metrics=pnsr"]
    elif case == "broken":
        (fake / "1.png").write_bytes(b"no picture")
    elif case == "mask":
        options = ["--metrics=mask_ssim_person"]
    elif case == "few":
        network = catalog.NETWORKS["inception_ttur"]
        monkeypatch.setitem(catalog.NETWORKS, "inception_ttur", network._replace(options=(*network.options, ("divisor", 16))))
        options = ["--metrics=inception_score", "--weights=random"]
    elif case == "twice":
        save(fake, "0.jpg", np.zeros((24, 20, 3), np.uint8))
    elif case == "labels":
        options = ["--metrics=psnr", f"--labels={fake}"]
    assert compare_folders.main([f"--real={tmp_path / 'real'}", f"--fake={fake}", *options]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ") and len(error.splitlines()) == 1
    assert re.search(message, error), error


# The floors of ../shared/data/README.md, to the last digit shown: set, split, start of the sources' names. Those of NTU
# and Senz3D were measured on the lossless originals; the set holds JPEG files, which are that much nearer or farther.
FLOORS = {
    "NTU": ("ntu_senz3d", "test", "ntu", (20.42, 0.813, 0.100), (0.006, 0.0015, 0.0006)),
    "Senz3D": ("ntu_senz3d", "test", "senz3d", (16.04, 0.530, 0.385), (0.015, 0.005, 0.0015)),
    "faces": ("faces_london", "test", "", (17.32, 0.672, 0.160), (0.0051, 0.00051, 0.00051)),
    "actions": ("actions64", "test_seen", "", (20.86, 0.572, 0.170), (0.0051, 0.00051, 0.00051)),
}


@pytest.mark.parametrize("name", FLOORS)
def test_the_floor_of_real_photographs(tmp_path, name):
    dataset, split, prefix, expected, allowed = FLOORS[name]
    folder = shared(f"data/{dataset}/{split}")
    if dataset == "faces_london":  # neutral to smiling, which has no list of its own
        faces = sorted(path.name for path in folder.iterdir() if "neutral" in path.name)
        rows = [{"source": face, "target": face.replace("neutral", "smiling")} for face in faces]
    else:
        with (folder.parent / f"{split}_pairs.csv").open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["source"].startswith(prefix)]
    with (tmp_path / "pairs.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["source", "target"])
        writer.writeheader()
        writer.writerows(rows)
    out = tmp_path / "out.json"
    assert compare_folders.main([f"--real={folder}", f"--pairs={tmp_path / 'pairs.csv'}", f"--json={out}"]) == 0
    mean = json.loads(out.read_text())["mean"]
    assert list(mean) == ["psnr", "ssim", "lpips"]
    assert (np.abs(np.subtract(list(mean.values()), expected)) <= allowed).all(), mean
