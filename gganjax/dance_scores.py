"""What a finished run makes of music, measured on the test split; and how well a classifier tells styles apart.

Several dances are made of every test window, each from fresh noise. Pose FID, diversity and multimodality compare the
features of an ST-GCN that the user trained (`features.dance_style`), so that numbers of two runs are comparable
where their hash is the same; beat alignment needs no network, and stands beside the alignment of the same dances with
other windows' music and beside that of the real dances.
"""

import csv
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gganjax import beats, data, logs, metrics, report
from gganjax.data.source import Source
from gganjax.errors import InputError
from gganjax.features import dance_style
from gganjax.metrics import dances as keeping
from gganjax.settings import evaluation

log = logging.getLogger("gganjax")

EXAMPLES = 4  # dances that are shown
SEEDS = 1_000_003  # between the seeds of two dances to the same music
# Name -> title, definition, whether larger is better.
RECORD = {
    "pose_fid": ("Pose FID", "Fréchet distance of ST-GCN features of generated and real dances", False),
    "pose_fid_shrunk": ("Pose FID, shrunk", "the same with covariances drawn toward multiples of the identity", False),
    "diversity": ("Diversity", "mean distance of ST-GCN features between dances to different music", True),
    "multimodality": ("Multimodality", "mean distance of ST-GCN features between dances to the same music", True),
    "beat_alignment": ("Beat alignment", "AI Choreographer's, deviation 0.05 s", True),
    "beat_alignment_shuffled": (
        "Beat alignment, shuffled music", "control: the same dances with other windows' music", None),
    "style_accuracy": ("Style accuracy", "dances whose most probable style is theirs", True),
}  # fmt: skip
NEEDS_NETWORK = ("pose_fid", "pose_fid_shrunk", "diversity", "multimodality")


def run(translator, source: Source, config: Mapping[str, Any], output: Path) -> dict:
    """Measures a run of dances, or of their classifier, and writes metrics.json, per_dance.csv, and dances to look at.

    Args:
      translator: what `use.load` returned.
      source: the test split.
      config: whose `data` and `evaluate` are used; `evaluate.dances` are made of every window, `evaluate.style_run`
        names the run of the features' network, by default `options.style_run`.
      output: folder of the results; made where it does not exist.

    Returns:
      The content of metrics.json as of `evaluate.run`; `copy_source` holds the values of the real dances, as `beside`
      says.

    Raises:
      InputError: no test dances, no such run of features, or a dance that is not finite.
    """
    settings, start = evaluation(config), time.monotonic()
    fields, features = dict(translator.method.fields), None
    style_run = settings["style_run"] or config["options"].get("style_run", "")
    if style_run and "audio" in fields:
        features = dance_style.Features(style_run)
    batches = data.test_batches(
        source, config["data"], batch_size=settings["batch_size"], limit=settings["limit"], fields=fields)
    parts: dict[str, list] = {}
    with batches:
        for number, batch in enumerate(batches):
            names, valid = np.array(batch.pop("name")), batch.pop("valid")
            made = [translator.outputs(batch, seed=number + SEEDS * k) for k in range(_count(translator, settings))]
            (name,) = made[0]
            made = np.stack([out[name] for out in made], axis=1)
            if not np.isfinite(made[valid]).all():
                raise InputError(f"What was made of {names[0]} or of one behind it is not finite; nothing is measured.")
            for key, rows in {**batch, "name": names, "made": made}.items():
                parts.setdefault(key, []).append(np.asarray(rows)[valid])
    seen = {key: np.concatenate(rows) for key, rows in parts.items()}
    if "audio" in seen:
        seen["audio"] = seen["audio"] * config["options"].get("audio_scale", 1.0)
    if name == "fake_poses":
        found, left_out = _dances(seen, features)
    else:
        found, left_out = _styles(seen), {}
    output.mkdir(parents=True, exist_ok=True)
    _write_rows(output / "per_dance.csv", seen["name"], found["rows"])
    _show(translator.method, seen, name, output)
    record = {key: _facts(key, found, len(seen["name"])) for key in found["mean"]}
    result = {
        "step": translator.step, "pairs": len(seen["name"]), "dances_of_each": seen["made"].shape[1],
        "norm": settings["norm"], "dropout": settings["dropout"], "seconds": round(time.monotonic() - start, 1),
        "mean": found["mean"], "copy_source": found["real"], "beside": "real dances", "details": found["details"],
        "record": record, "left_out": left_out, "published": {}}
    logs.write_json(output / "metrics.json", result)
    return result


def _count(translator, settings) -> int:
    return settings["dances"] if "poses" not in translator.method.inputs else 1


def _dances(seen: Mapping[str, np.ndarray], features: dance_style.Features | None) -> tuple[dict, dict]:
    """Scores of dances `made` [N, K, F, V, 2] beside the real `poses` [N, F, V, 2] of the music `audio`."""
    made, real, music = seen["made"], seen["poses"], [beats.find(sound) for sound in seen["audio"]]
    count, each = made.shape[:2]
    songs = np.repeat(np.arange(count), each)
    found: dict[str, Any] = {"mean": {}, "real": {}, "details": {}, "rows": {}, "identity": {}}
    left_out = {}
    if features:
        _features(found, features(made.reshape(-1, *made.shape[2:])), features(real), songs, left_out)
        found["identity"] = features.identity
    else:
        why = "it needs the ST-GCN of a dance_style run, named in config.evaluate.style_run"
        left_out = dict.fromkeys(NEEDS_NETWORK, why)
    motion = [keeping.kinematic_beats(dance) for dance in made.reshape(-1, *made.shape[2:])]
    danced = [keeping.kinematic_beats(dance) for dance in real]
    try:
        own = keeping.alignment(motion, [music[song] for song in songs], songs)
        true = keeping.alignment(danced, music)
    except InputError as error:
        left_out |= dict.fromkeys(("beat_alignment", "beat_alignment_shuffled"), str(error))
    else:
        for place, one in (("mean", own), ("real", true)):
            found[place] |= {"beat_alignment": one.value, "beat_alignment_shuffled": one.shuffled}
        found["details"] |= {"beat_alignment": {"standard_error": own.error, "with_beats": own.count},
                             "beat_alignment_shuffled": {"standard_error": own.shuffled_error}}
    for name, why in left_out.items():
        log.warning("%s is left out: %s", name, why)
    firsts = [motion[each * place] for place in range(count)]
    found["rows"] = {"kinematic_beats": [len(one) for one in firsts], "musical_beats": [len(one) for one in music],
                     "beat_alignment": [keeping.beat_alignment(*both) if len(both[1]) else float("nan")
                                        for both in zip(firsts, music, strict=True)]}
    return found, left_out


def _features(found: dict, made: np.ndarray, real: np.ndarray, songs: np.ndarray, left_out: dict) -> None:
    """Fills in what compares features of dances [N, 256]; a reason is noted for what cannot be computed."""
    moments = metrics.Moments(made), metrics.Moments(real)
    measures = {
        "pose_fid": lambda: metrics.pose_fid(*moments),
        "pose_fid_shrunk": lambda: metrics.pose_fid(*moments, shrink=True),
        "diversity": lambda: metrics.diversity(made, songs),
        "multimodality": lambda: metrics.multimodality(made, songs)}
    for name, measure in measures.items():
        try:
            found["mean"][name] = measure()
        except InputError as error:
            left_out[name] = str(error)
    if "pose_fid" in found["mean"]:
        singular = any(one.singular for one in moments)
        found["details"]["pose_fid"] = {"singular": singular, "generated": len(made), "real": len(real)}
    if len(real) > 1:
        found["real"]["diversity"] = metrics.diversity(real)


def _styles(seen: Mapping[str, np.ndarray]) -> dict:
    """How often the most probable style, of `made` [N, 1, styles], is the dance's own."""
    right = seen["made"][:, 0].argmax(-1) == seen["style"]
    return {"mean": {"style_accuracy": 100.0 * float(right.mean())}, "real": {}, "details": {}, "identity": {},
            "rows": {"style": seen["style"].tolist(), "found": seen["made"][:, 0].argmax(-1).tolist()}}


def _facts(name: str, found: Mapping[str, Any], samples: int) -> dict[str, Any]:
    """What a reader must know of a number."""
    title, definition, larger = RECORD[name]
    network = found["identity"] if name in NEEDS_NETWORK else {}
    return {"title": title, "unit": "%" * (name == "style_accuracy"), "larger_is_better": larger,
            "definition": definition, "samples": samples, **network}


def _write_rows(path: Path, names: np.ndarray, rows: Mapping[str, list]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["name", *rows])
        writer.writerows(zip(names.tolist(), *rows.values(), strict=True))


def _show(method, seen: Mapping[str, np.ndarray], name: str, output: Path) -> None:
    """Writes some dances, evenly spread over the set, as a grid of strips and as an animated picture."""
    chosen = np.unique(np.linspace(0, len(seen["name"]) - 1, EXAMPLES).round().astype(int))
    batch = {field: seen[field][chosen] for field in method.fields}
    panels = {title: np.asarray(x) for title, x in method.panels(batch, {name: seen["made"][chosen, 0]}).items()}
    report.grid({title: report.as_picture(x) for title, x in panels.items()}).save(output / "examples.png")
    report.animate(panels, output / "examples.webp", audio=batch.get("audio"))
