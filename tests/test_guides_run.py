"""A run on maps of joints with pose masks, at a size that is not square, whose method returns two results."""

import json

import numpy as np
import pytest
import tiny_run
import toys
from make_set import make_folder, write_picture
from PIL import Image

from gganjax import data, evaluate, methods, report, sample, train, use
from gganjax.data import guides, pose_maps
from gganjax.errors import InputError

HEIGHT, WIDTH = 48, 24
BODY = np.stack([np.linspace(3, 20, 18), np.linspace(4, 40, 18) + 6 * np.sin(np.arange(18)), np.ones(18)], 1)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of bodies and a run on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GGANJAX_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(methods, "load", lambda name, options: toys.Guides())
        root = make_folder(tmp_path_factory.mktemp("set"), guidance="none")
        for split in ("train", "test"):
            for i in range(6):
                write_picture(root / split / f"p{i}.png", i, HEIGHT, WIDTH)
            bodies = {f"p{i}.png": {"body18": (BODY + (0.23 * i, 0, 0)).tolist()} for i in range(6)}
            (root / f"{split}_keypoints.json").write_text(json.dumps(dict(image_size=[WIDTH, HEIGHT], images=bodies)))
        config = tiny_run.CONFIG | dict(method="toy_guides", options={})
        config["data"] = dict(kind="folder", folder=str(root), load_size=HEIGHT, crop_size=HEIGHT, load_width=WIDTH,
                              crop_width=WIDTH, guidance="heatmaps", threads=1)
        config["evaluate"] = config["evaluate"] | dict(metrics=("psnr", "mask_psnr_pg2"), limit=3, images=2)
        yield root, tiny_run.make(tmp_path_factory.mktemp("run"), config=config, method=toys.Guides()), config


def test_it_trains_with_masks_and_draws_its_maps(place, tmp_path):
    root, _, _ = place
    config = toys.config("plain", steps=1)
    config.data.update(kind="folder", folder=str(root), load_size=HEIGHT, load_width=WIDTH, crop_size=HEIGHT,
                       crop_width=WIDTH, guidance="heatmaps", line_width=0.0)
    config.weights.generator.mask, config.weights.reader = 1.0, dict(pixel=1.0)
    config.optimizers.reader = config.optimizers.critic
    config.ema, config.sample_every, config.sample_count = {}, 1, 2
    done = train.train(config, tmp_path / "run", method=toys.Guides())
    assert done["step"] == 1 and done["terms"]["generator/mask"] > 0
    sheet = np.asarray(Image.open(tmp_path / "run" / "samples" / "step_00000001.png"))
    assert sheet.shape[1] == report.GAP + 5 * (WIDTH + report.GAP)
    guidance = sheet[-report.GAP - HEIGHT : -report.GAP, 2 * report.GAP + WIDTH :][:, :WIDTH]
    assert guidance.max() == 255 and guidance.min() < 30


def test_both_results_are_written_and_the_masks_are_those_of_the_scores(place):
    _, folder, config = place
    found = evaluate.run(folder)
    assert found["size"] == "48x24" and list(found["mean"]) == ["psnr", "mask_psnr_pg2"]
    files = sorted(path.name for path in (folder / "results" / "images").iterdir())
    assert files == [f"p{i}__p{i + 1}{ending}.png" for i in range(2) for ending in ("", "__fake_target_guidance")]
    values = []
    source = data.open_source(config["data"], "test")
    for i in range(3):
        one, other = source[i]["source"].astype(float), source[i]["target"].astype(float)
        mask = pose_maps.evaluation_mask(guides.inside(source[i]["target_figure"], (HEIGHT, WIDTH)), (HEIGHT, WIDTH))
        values.append(10 * np.log10(255**2 / np.mean(((one - other) * mask[..., None]) ** 2)))
    assert found["copy_source"]["mask_psnr_pg2"] == pytest.approx(np.mean(values), rel=1e-5)


def test_key_points_of_the_user_become_maps(place, tmp_path):
    root, folder, _ = place
    photo = [str(root / "test" / "p0.png")]
    written = sample.run(folder, images=photo, keypoints=[str(root / "test_keypoints.json")], output=tmp_path)
    assert [path.name for path in written[:2]] == ["p0__p0.png", "p0__p0__fake_target_guidance.png"]
    assert len(written) == 13 and Image.open(written[-1]).size[0] == report.GAP + 13 * (WIDTH + report.GAP)
    maps = guides.draw([BODY], (HEIGHT, WIDTH), style="heatmaps")
    made = use.load(folder)(source=data.read_image(photo[0]), target_guidance=maps)
    assert made["fake_target_guidance"].shape == (HEIGHT, WIDTH, 18)
    read = np.asarray(Image.open(written[1]))
    assert np.abs(read.astype(int) - made["fake_target_guidance"].max(-1)).max() <= 1
    with pytest.raises(InputError, match="takes a map for each of 18 joints: give --keypoints=FILE.json"):
        sample.run(folder, images=photo, skeletons=photo, output=tmp_path / "none")
