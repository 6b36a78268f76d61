"""A finished run, or any checkpoint, measured on the test split.

Every test pair is translated and compared with its target by the metrics of the experiment, and so is the source
itself: returning it unchanged is the floor that a model has to beat. What is measured is the 8-bit picture that a user
would save, rounded to the nearest value; `truncate` cuts the fraction off instead, as the published GestureGAN code
does. Where source and target are unrelated pictures, only sets of pictures are compared: each real one counts once.
"""

import csv
import logging
import math
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from gganjax import checkpoint, classifier, data, logs, report, use
from gganjax.data.settings import MAPS, crop_of
from gganjax.data.source import Source
from gganjax.errors import InputError, nearest
from gganjax.metrics import catalog, stream
from gganjax.settings import check_domains, evaluation

log = logging.getLogger("gganjax")

EXTREMES = 6  # rows of the pictures of the best and of the worst pairs
COLUMNS = ("fake", "source")  # what is compared with the targets
TRANSLATED = ("fake_target", "fake_frames")  # outputs that are: pictures, or videos frame by frame


def run(folder: str | Path, *, config: Mapping[str, Any] | None = None, output: str | Path | None = None,
        extra: Sequence[str] = ()) -> dict:
    """Evaluate the newest good checkpoint and write what was found.

    Args:
        folder: a run folder, or a folder that `use.load` takes.
        config: the configuration whose `data` and `evaluate` are used; by default that of the run. `evaluate` has
            metrics (names of `metrics.catalog`), pictures (names of further results to measure), feature_weights, norm,
            dropout, batch_size, limit (pairs, 0 for all), images (pictures to write), truncate and published.
        output: where to write; by default `results` in the folder.
        extra: metrics besides those of the configuration. One of these that cannot be computed is an error; one of
            the configuration's is left out with a warning.

    Returns:
        The content of metrics.json: `mean` and `copy_source` hold a number for each metric, `details` what lies beside
        it (deviation, standard error, ...), `record` its definition, network, weights, samples, size and resizing,
        `left_out` the reason for each that is missing, `domains` the numbers of each target domain, where there are
        several, `pictures` those of every further picture that was asked for. Beside it lie per_image.csv, images/,
        best.png and worst.png, or examples.png where nothing ranks them.

    Raises:
        InputError: no checkpoint, no test pairs, a metric of `extra` that cannot be computed, or a translated picture
            that is not finite.
    """
    folder = Path(folder)
    own, output = output is None, Path(output or folder / "results")
    config = config or checkpoint.read_meta(folder)["config"]
    settings = evaluation(config)
    for name in (*settings["metrics"], *extra):
        stream.lookup(name)
    translator = use.load(folder, norm=settings["norm"], dropout=settings["dropout"], chunk=settings["batch_size"])
    method, asked = translator.method, dict(config["data"], masks=settings["masks"])
    source = data.open_source(asked, "test")
    check_domains(config, method, source)
    if "poses" in method.fields:
        from gganjax import dance_scores  # reading sound imports what pictures need not wait for

        if extra:
            raise InputError(f"--metrics names {extra[0]}, which measures pictures; dances are measured by what is told of them.")
        return dance_scores.run(translator, source, config, output)
    total = min(len(source), settings["limit"] or len(source))
    if not total:
        raise InputError("The test split holds no pairs to evaluate.")
    size, weights, facts = crop_of(asked), settings["feature_weights"], source.describe()
    paired, domains = facts.get("paired", True), _targets(facts)
    chosen, left_out = _possible(settings["metrics"], extra, size, weights, paired=paired, kind=asked["kind"],
                                 masks="target_mask" in method.fields or asked.get("guidance") in MAPS)
    domain_classifier, trained = None, {}
    if "classification_accuracy" in chosen:
        domain_classifier, trained = classifier.of_run(config, output, epochs=settings["classifier_epochs"])
    further = tuple(settings["pictures"])
    measure = stream.Stream(chosen, size=size, columns=(*COLUMNS, *further), weights=weights, classifier=domain_classifier)
    batches = data.test_batches(source, asked, batch_size=settings["batch_size"], limit=settings["limit"],
                                fields={*method.fields, "target_domain", *("target_mask",) * measure.masked})
    start, rows, shown, seen = time.monotonic(), [], _Extremes() if paired else _Examples(total), set()
    if own:  # in a folder of the user's nothing is removed
        shutil.rmtree(output / "images", ignore_errors=True)
    (output / "images").mkdir(parents=True, exist_ok=True)
    with batches, tqdm(total=total, desc="evaluate", unit="pair", disable=None) as progress:
        for number, batch in enumerate(batches):
            names, valid = batch.pop("name"), batch.pop("valid")
            out = translator.outputs(batch, seed=number)
            for name in further:
                if name not in out or name in TRANSLATED:
                    known = [made for made in out if made not in TRANSLATED]
                    raise InputError(f"config.evaluate.pictures names '{name}', which {method.name} does not make besides its "
                                     f"translation{nearest(name, known) if known else ' (it makes nothing else)'}.")
            _check_finite(out, names)
            made, target, copied = _compared(batch, out)
            of = len(target) // len(names)  # frames of a sequence, each compared for itself
            saved = {name: report.as_picture(image, truncate=settings["truncate"]) for name, image in out.items()}
            label = batch["target_domain"].argmax(1) if "target_domain" in batch else None
            values = measure.update(
                target, valid=valid.repeat(of), mask=batch["target_mask"][..., 0] if measure.masked else None,
                new=_new(source, len(rows), valid, seen).repeat(of), label=label,
                groups=[domains[place] for place in label] if domains else None,
                fake=report.to_uint8(made, truncate=settings["truncate"]), source=copied,
                **{name: saved[name] for name in further})
            panels = {name: report.as_picture(image, palette=source.palette) for name, image in method.panels(batch, out).items()}
            for row in np.flatnonzero(valid):
                part = slice(row * of, (row + 1) * of)
                one, floor = ({name: float(per[part].mean()) for name, per in values[column].items()} for column in COLUMNS)
                rows.append((names[row], one, floor))
                shown.add(one, {name: image[row] for name, image in panels.items()})
                for name, pictures in saved.items() if len(rows) <= settings["images"] else ():
                    ending = "" if name in TRANSLATED else f"__{name}"
                    report.save(pictures[row], output / "images" / f"{_file_name(names[row])}{ending}.png")
            progress.update(int(valid.sum()))
    found, record = measure.results(), measure.record()
    if trained:
        record["classification_accuracy"] |= trained
    result = {
        "step": translator.step, "pairs": len(rows), "size": "{}x{}".format(*made.shape[1:3]),
        "norm": settings["norm"], "dropout": settings["dropout"],
        "export": "8 bits, truncated" if settings["truncate"] else "8 bits, rounded",
        "seconds": round(time.monotonic() - start, 1),
        "mean": values_of(found["fake"]), "copy_source": values_of(found["source"]),
        "details": details_of(found["fake"]), "record": record, "left_out": left_out, "published": published(config)}
    if further:
        result["pictures"] = {
            name: {"mean": values_of(found[name]), "details": details_of(found[name])} for name in further}
    if domains:
        parts = measure.grouped()
        for group in parts["fake"]:
            one, floor = ({name: finite(value) for name, value in parts[column][group].items()} for column in COLUMNS)
            result.setdefault("domains", {})[group] = {"mean": one, "copy_source": floor}
    _write_rows(output / "per_image.csv", rows)
    shown.write(output)
    logs.write_json(output / "metrics.json", result)
    return result


def _compared(batch: Mapping[str, np.ndarray], out: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    """(translated, true, source) pictures [N, H, W, C], N the rows of the batch; of videos all frames of all of them."""
    if "fake_frames" not in out:
        return out["fake_target"], batch["target"], batch["source"]
    flat = lambda video: video.reshape(-1, *video.shape[2:])
    return flat(out["fake_frames"]), flat(batch["frames"]), batch["source"].repeat(batch["frames"].shape[1], axis=0)


def _targets(facts: Mapping[str, Any]) -> list[str]:
    """The domains that results are told of one by one: folders, of which each pair has one as its target."""
    return facts["domains"] if facts.get("kind") == "domains" else []


def _new(source: Source, first: int, valid: np.ndarray, seen: set) -> np.ndarray:
    """Which target pictures of a batch have not come before; pair `first` is its first row."""
    if source.target_of is None:
        return valid
    targets = [source.target_of(first + row) if counts else None for row, counts in enumerate(valid)]
    new = [counts and not (target in seen or seen.add(target)) for target, counts in zip(targets, valid, strict=True)]
    return np.array(new)


def _possible(usual: Sequence[str], extra: Sequence[str], size: tuple[int, int], weights: str, *, masks: bool,
              paired: bool, kind: str) -> tuple[list[str], dict[str, str]]:
    """The metrics that can be computed, and the reason for each that cannot; one of `extra` must be possible."""
    chosen, left_out = [], {}
    for name in dict.fromkeys((*usual, *extra)):
        try:
            if catalog.needs_pairs(name) and not paired:
                raise InputError(
                    f"{name} compares a translation with its true target, and these test pictures have none.")
            if catalog.METRICS[name].labeled and kind not in classifier.KINDS:
                raise InputError(
                    f"{name} needs data of one domain a picture ({' or '.join(classifier.KINDS)}), found {kind}.")
            stream.check(name, size, weights)
            if catalog.needs_mask(name) and not masks:
                raise InputError(f"{name} needs the pose masks of the targets, which this method's data do not have.")
            chosen.append(name)
        except InputError as error:
            if name in extra:
                raise
            left_out[name] = str(error)
            log.warning("%s is left out: %s", name, error)
    return chosen, left_out


def _check_finite(out: Mapping[str, np.ndarray], names: Sequence[str]) -> None:
    for images in (out[name] for name in TRANSLATED if name in out):
        wrong = np.flatnonzero(~np.isfinite(images).all(axis=tuple(range(1, images.ndim))))
        if wrong.size:
            raise InputError(f"The translation of {names[wrong[0]]} holds values that are not finite; nothing was measured.")


def published(config: Mapping[str, Any]) -> dict[str, Any]:
    """The paper's row that belongs beside the results: source, values, and whether it is of the same data."""
    row = config["evaluate"].get("published")
    if not row:
        return {}
    same = config["data"]["kind"] != "drawn" and Path(config["data"]["folder"]).name == row["folder"]
    return {"source": row["source"], "same_data": same, "values": dict(row["values"])}


def finite(value: Any) -> Any:
    """The value, or None in place of an infinity or NaN, which JSON cannot say."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def values_of(found: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    """The number of each metric, as `finite` says it."""
    return {name: finite(facts["value"]) for name, facts in found.items()}


def details_of(found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What lies beside the number of each metric: deviation, standard error, ..."""
    return {name: {key: finite(value) for key, value in facts.items() if key != "value"} for name, facts in found.items()}


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
        badness = values.get("lpips", -values.get("psnr", 0.0))
        self._best = sorted([*self._best, (badness, panels)], key=lambda entry: entry[0])[:EXTREMES]
        self._worst = sorted([*self._worst, (badness, panels)], key=lambda entry: -entry[0])[:EXTREMES]

    def write(self, output: Path) -> None:
        for name, entries in (("best", self._best), ("worst", self._worst)):
            _sheet([panels for _, panels in entries]).save(output / f"{name}.png")


class _Examples:
    """The pictures of some pairs, evenly spread over all."""

    def __init__(self, total: int):
        self._count, self._chosen = 0, {round(place) for place in np.linspace(0, total - 1, min(EXTREMES, total))}
        self._panels: list[dict] = []

    def add(self, values: dict[str, float], panels: dict[str, np.ndarray]) -> None:
        if self._count in self._chosen:
            self._panels.append(panels)
        self._count += 1

    def write(self, output: Path) -> None:
        _sheet(self._panels).save(output / "examples.png")


def _sheet(rows: list[dict[str, np.ndarray]]) -> Image.Image:
    return report.grid({title: np.stack([panels[title] for panels in rows]) for title in rows[0]})
