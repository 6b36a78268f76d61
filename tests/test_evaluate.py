"""Evaluation measures the pictures it writes, by the definitions, with the floor beside them."""

import copy
import csv
import json

import numpy as np
import pytest
import tiny_run
from PIL import Image

from gganjax import data, evaluate, use
from gganjax.errors import InputError


def psnr(a, b):
    """PSNR of 8-bit pictures by its definition."""
    return 10 * np.log10(255**2 / np.mean((a.astype(float) - b.astype(float)) ** 2))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tiny_run.make(tmp_path_factory.mktemp("run"))
    return folder, evaluate.run(folder)


@pytest.fixture(scope="module")
def pairs():
    """The test pairs that the run was to be measured on: 5, of which its batches of 2 leave one alone."""
    source = data.open_source(tiny_run.CONFIG["data"], "test")
    with data.test_batches(source, tiny_run.CONFIG["data"], batch_size=5, limit=5) as batches:
        return next(batches)


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_pair_is_measured_once_and_the_files_say_what_was_returned(run, pairs):
    folder, result = run
    rows = rows_of(folder / "results" / "per_image.csv")
    assert [row["name"] for row in rows] == list(pairs["name"]) and result["pairs"] == 5 and result["step"] == 7
    assert json.loads((folder / "results" / "metrics.json").read_text()) == result
    assert list(result["mean"]) == ["psnr", "ssim", "lpips"]
    for key, value in result["mean"].items():
        assert value == pytest.approx(np.mean([float(row[key]) for row in rows]), rel=1e-4)
    for key, value in result["copy_source"].items():
        assert value == pytest.approx(np.mean([float(row[f"copy_source_{key}"]) for row in rows]), rel=1e-4)


def test_psnr_is_that_of_the_pictures_written(run, pairs):
    folder, result = run
    rows = rows_of(folder / "results" / "per_image.csv")
    written = sorted((folder / "results" / "images").iterdir())
    assert len(written) == tiny_run.CONFIG["evaluate"]["images"]
    translated = use.load(folder)(source=pairs["source"], target_guidance=pairs["target_guidance"])
    for number, row in enumerate(rows):
        assert float(row["copy_source_psnr"]) == pytest.approx(psnr(pairs["source"][number], pairs["target"][number]), abs=1e-3)
        path = folder / "results" / "images" / f"{row['name']}.png"
        if path in written:
            picture = np.asarray(Image.open(path))
            assert np.abs(picture.astype(int) - translated[number]).max() <= 1  # batches of other sizes round differently
            assert float(row["psnr"]) == pytest.approx(psnr(picture, pairs["target"][number]), abs=1e-3)


def test_best_and_worst_grids_have_a_row_for_each_pair(run):
    folder, _ = run
    sheets = [Image.open(folder / "results" / f"{name}.png") for name in ("best", "worst")]
    assert sheets[0].size == sheets[1].size and sheets[0].size[1] > 5 * tiny_run.SIZE
    assert (np.asarray(sheets[0]) != np.asarray(sheets[1])).any()


def test_settings_of_the_caller_win(run, tmp_path):
    folder, before = run
    config = copy.deepcopy(tiny_run.CONFIG)
    config["evaluate"].update(limit=2, truncate=True, images=0, norm="running")
    config["data"].update(crop_size=24, load_size=24)  # too small for LPIPS
    result = evaluate.run(folder, config=config, output=tmp_path)
    assert (result["pairs"], result["export"], result["norm"]) == (2, "8 bits, truncated", "running")
    assert "lpips" not in result["mean"] and result["size"] == "24x24"
    assert "at least 31x31 pixels, these have 24x24" in result["left_out"]["lpips"]
    assert not list((tmp_path / "images").iterdir())
    assert json.loads((folder / "results" / "metrics.json").read_text()) == before


def test_a_run_without_checkpoint_is_told(tmp_path):
    with pytest.raises(InputError, match="holds no checkpoint"):
        evaluate.run(tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_infinite_mean_is_none_because_json_has_no_infinity():
    assert evaluate.values_of({"psnr": {"value": np.inf}, "ssim": {"value": 0.75}}) == {"psnr": None, "ssim": 0.75}


def test_a_metric_asked_for_must_be_possible_and_known(run, tmp_path):
    folder, _ = run
    with pytest.raises(InputError, match="'pnsr' is no metric; did you mean psnr"):
        evaluate.run(folder, output=tmp_path, extra=["pnsr"])
    with pytest.raises(InputError, match="ms_ssim needs pictures of at least 161x161 pixels"):
        evaluate.run(folder, output=tmp_path, extra=["ms_ssim"])
    with pytest.raises(InputError, match="needs the pose masks"):
        evaluate.run(folder, output=tmp_path, extra=["mask_ssim_pg2"])
    result = evaluate.run(folder, output=tmp_path, extra=["psnr_lua"])
    assert result["mean"]["psnr_lua"] - result["mean"]["psnr"] == pytest.approx(20 * np.log10(255 / 128), abs=1e-4)


def test_the_published_row_says_whether_its_data_are_the_same():
    row = {"source": "a table", "folder": "ntu", "values": {"psnr_lua": 32.6}}
    config = {"data": {"kind": "strips", "folder": "elsewhere/ntu"}, "evaluate": {"published": row}}
    assert evaluate.published(config) == {"source": "a table", "same_data": True, "values": {"psnr_lua": 32.6}}
    config["data"] = {"kind": "drawn", "folder": "ntu"}
    assert not evaluate.published(config)["same_data"]
    config["evaluate"] = {"published": {}}
    assert evaluate.published(config) == {}


def test_further_pictures_are_measured_beside_the_translation(run, pairs, tmp_path, monkeypatch):
    folder, result = run
    plain = use.Translator.outputs
    monkeypatch.setattr(use.Translator, "outputs", lambda self, batch, **options: (
        out := plain(self, batch, **options)) | {"negative": -out["fake_target"]})
    config = copy.deepcopy(tiny_run.CONFIG)
    config["evaluate"] |= dict(pictures=("negative",), metrics=("psnr",), limit=2)
    found = evaluate.run(folder, config=config, output=tmp_path)
    rows = rows_of(folder / "results" / "per_image.csv")
    assert found["mean"]["psnr"] == pytest.approx(np.mean([float(row["psnr"]) for row in rows[:2]]), rel=1e-4)
    written = [np.asarray(Image.open(tmp_path / "images" / f"{row['name']}__negative.png")) for row in rows[:2]]
    wanted = np.mean([psnr(picture, target) for picture, target in zip(written, pairs["target"][:2], strict=True)])
    assert found["pictures"]["negative"]["mean"]["psnr"] == pytest.approx(wanted, rel=1e-4)
    config["evaluate"]["pictures"] = ("negativ",)
    with pytest.raises(InputError, match="config.evaluate.pictures names 'negativ'.*did you mean negative?"):
        evaluate.run(folder, config=config, output=tmp_path)
