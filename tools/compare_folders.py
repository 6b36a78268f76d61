"""Measures the pictures of one folder against those of another, whichever program made them.

    python tools/compare_folders.py --real DIR --fake DIR [--metrics psnr,ssim,lpips] [--json OUT.json] [--csv OUT.csv]

Pictures are matched by file name without its ending; what has no partner is listed and left out. `--pairs FILE.csv`
(columns source,target) scores each named source against its target, both in --real: the floor of copying the source.
`--list` prints every metric. Pictures are read as 8-bit RGB and compared at their own size, or at --size.

Metrics under a pose mask take the key points of the real pictures (--keypoints); PCKh (--metrics pckh) also those that
a pose estimator found in the others (--fake-keypoints). With --labels DIR, label maps of the real pictures, the
segmentation scores are added: --segmenter drn_d_105 or upernet101 labels the pictures of --fake, or --fake-labels DIR
--classes N holds what another network saw in them.
"""

import argparse
import csv
import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PIL import Image
from tqdm import tqdm

from gganjax import evaluate, logs
from gganjax.data import images, keypoints, pose_maps
from gganjax.errors import InputError
from gganjax.metrics import Confusion, PCKh, catalog, labeling, stream

BATCH = 16  # pictures at a time
LISTED = 10  # names of pictures without partner that are printed


def main(arguments=None) -> int:
    """Runs the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    if options.list:
        width = max(map(len, catalog.METRICS))
        for name, metric in catalog.METRICS.items():
            print(f"{name:<{width}}  {metric.title}: {metric.definition}")
        return 0
    try:
        result, rows = compare(options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    _print(result)
    if options.json:
        logs.write_json(Path(options.json), result)
    if options.csv:
        with open(options.csv, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ["name", *(rows[0][1] if rows else ())])
            writer.writeheader()
            writer.writerows({"name": name, **{key: f"{value:.6g}" for key, value in values.items()}} for name, values in rows)
    return 0


def compare(options) -> tuple[dict, list[tuple[str, dict[str, float]]]]:
    """Measures what the command line asks for; returns the result and the values of every picture.

    Raises:
        InputError: a bad folder, file, size or metric, or too few pictures.
    """
    asked = tuple(filter(None, options.metrics.split(",")))
    names = [name for name in asked if name != "pckh"]
    for name in names:
        stream.lookup(name)
    pairs, unmatched = _pairs(options)
    bodies = _bodies(options.keypoints, [real for real, _ in pairs], options.real) if options.keypoints else None
    if bodies is None and ("pckh" in asked or any(map(catalog.needs_mask, names))):
        raise InputError("--keypoints is missing: pckh and metrics under a pose mask need the key points of the real pictures.")
    size = tuple(int(side) for side in options.size.split("x")) if options.size else None
    first = images.read_image(pairs[0][0], size)
    measure = stream.Stream(names, size=first.shape[:2], weights=options.weights)
    rows = []
    with tqdm(total=len(pairs), unit="pair", disable=None) as progress:
        for start in range(0, len(pairs), BATCH):
            chosen = pairs[start : start + BATCH]
            real, fake = (np.stack([_read(pair[side], size, first.shape) for pair in chosen]) for side in (0, 1))
            mask = None
            if measure.masked:
                mask = np.stack([pose_maps.evaluation_mask(body, first.shape[:2]) for body in bodies[start : start + BATCH]])
            values = measure.update(real, mask=mask, fake=fake)["fake"]
            rows += [(path.name, {name: float(of[row]) for name, of in values.items()}) for row, (_, path) in enumerate(chosen)]
            progress.update(len(chosen))
    found = measure.results()["fake"]
    result = {"real": str(options.real), "fake": str(options.fake or options.real), "pairs": len(pairs),
              "mean": evaluate.values_of(found), "details": evaluate.details_of(found), "record": measure.record(),
              "unmatched": unmatched}
    if "pckh" in asked:
        result["mean"]["pckh"] = _pckh(options, pairs, bodies)
    if options.labels or options.fake_labels or options.segmenter:
        scores, rests_on = _segmentation(options, pairs)
        result["mean"] |= scores
        result["record"] |= {name: {**rests_on, "samples": len(pairs)} for name in scores}
    return result, rows


def _pairs(options) -> tuple[list[tuple[Path, Path]], dict[str, list[str]]]:
    """(real, fake) paths in the order of their names, and the names without partner in each folder."""
    real = _files(options.real)
    if options.pairs:
        try:
            with open(options.pairs, newline="", encoding="utf-8") as file:
                named = [(row["target"], row["source"]) for row in csv.DictReader(file)]
        except (OSError, KeyError, UnicodeDecodeError) as error:
            raise InputError(f"{options.pairs} must be a CSV file with the columns source,target: {error}.") from None
        by_name = {path.relative_to(options.real).as_posix(): path for path in real.values()}
        missing = [name for pair in named for name in pair if name not in by_name]
        if missing or not named:
            raise InputError(f"{options.pairs} names {missing[0] if missing else 'no pairs'}, which is not in {options.real}.")
        return [(by_name[target], by_name[source]) for target, source in named], {}
    if not options.fake:
        raise InputError("--fake is missing: the folder whose pictures are measured, or --pairs for the floor.")
    fake = _files(options.fake)
    unmatched = {"real": sorted(real.keys() - fake.keys()), "fake": sorted(fake.keys() - real.keys())}
    common = sorted(real.keys() & fake.keys())
    if not common:
        raise InputError(
            f"No picture of {options.fake} has the name of one of {options.real}, such as {min(real)}; they are matched by "
            "name without its ending.")
    return [(real[name], fake[name]) for name in common], unmatched


def _files(folder) -> dict[str, Path]:
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"{root} is no folder of pictures.")
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in images.SUFFIXES)
    if not paths:
        raise InputError(f"{root} holds no pictures ({', '.join(images.SUFFIXES)}).")
    found: dict[str, Path] = {}
    for path in paths:
        name = path.relative_to(root).with_suffix("").as_posix()
        if name in found:
            raise InputError(f"{found[name]} and {path} have the same name but for the ending; keep one of them.")
        found[name] = path
    return found


def _read(path: Path, size, shape) -> np.ndarray:
    picture = images.read_image(path, size)
    if picture.shape != shape:
        raise InputError(
            f"{path} has {picture.shape[0]}x{picture.shape[1]} pixels, the first picture has {shape[0]}x{shape[1]}; "
            "give --size=HEIGHTxWIDTH to resize all.")
    return picture


def _bodies(file, paths: list[Path], folder) -> list[np.ndarray]:
    """Body [18, 2] (y, x) of each picture."""
    _, figures = keypoints.read_figures(file, parts="body")
    bodies = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        figure = figures.get(name, figures.get(path.name))
        if figure is None:
            raise InputError(f"{file} holds no key points of {name}.")
        bodies.append(pose_maps.from_figure(figure[0]) if figure else np.full((pose_maps.JOINTS, 2), -1))
    return bodies


def _pckh(options, pairs, bodies) -> float:
    if not options.fake_keypoints:
        raise InputError("--fake-keypoints is missing: pckh needs what a pose estimator found in the pictures of --fake.")
    measure = PCKh()
    found = _bodies(options.fake_keypoints, [fake for _, fake in pairs], options.fake or options.real)
    measure.add(np.stack(found), np.stack(bodies))
    return measure.result()


def _segmentation(options, pairs) -> tuple[dict[str, float], dict]:
    """Segmentation scores, and what they rest on; label maps are shrunk to the pictures by the nearest neighbor."""
    if not options.labels:
        raise InputError("--labels is missing: segmentation scores need the label maps of the real pictures.")
    if not options.segmenter and not (options.fake_labels and options.classes):
        raise InputError("--segmenter is missing: a network that labels the pictures of --fake, or --fake-labels and --classes.")
    network = labeling.open_segmenter(options.segmenter, weights=options.weights) if options.segmenter else None
    maps, seen = _files(options.labels), {} if network else _files(options.fake_labels)
    names = [(_name(real, options.real), _name(fake, options.fake or options.real)) for real, fake in pairs]
    for real, fake in names:
        if real not in maps or not (network or fake in seen):
            raise InputError(f"{options.labels if real not in maps else options.fake_labels} holds no label map of {real}.")
    confusion = Confusion(network.classes if network else options.classes)
    for (real, fake), (_, path) in zip(tqdm(names, unit="label map", disable=None), pairs, strict=True):
        predicted = network.label(images.read_image(path)) if network else _labels(seen[fake])
        confusion.add(predicted, _labels(maps[real], predicted.shape) - (network.shift if network else 0))
    return confusion.result(), network.identity if network else {"network": f"label maps of {options.fake_labels}"}


def _name(path: Path, root) -> str:
    return path.relative_to(root).with_suffix("").as_posix()


def _labels(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    with Image.open(path) as image:
        if image.mode not in ("L", "P", "I", "I;16"):
            raise InputError(f"{path} is no label map: expected one channel of class numbers, found mode {image.mode}.")
        image = image.resize(size[::-1], Image.Resampling.NEAREST) if size and image.size != size[::-1] else image
        return np.asarray(image).astype(np.int64)


def _print(result: dict) -> None:
    print(f"{result['pairs']} pairs of pictures")
    for side, names in result["unmatched"].items():
        if names:
            more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
            print(f"without partner in {side}: {', '.join(names[:LISTED])}{more}")
    for name, value in result["mean"].items():
        beside = result["details"].get(name, {})
        notes = ", ".join(f"{key.replace('_', ' ')} {_number(one)}" for key, one in beside.items())
        if result["record"].get(name, {}).get("weights") == "random":
            notes = f"{notes}, UNTRAINED network".lstrip(", ")
        print(f"{name:<24} {_number(value):>10}  {notes}".rstrip())


def _number(value) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "infinite" if value is None else str(value)
    return "nan" if math.isnan(value) else f"{value:.5g}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, help="folder of the true pictures")
    parser.add_argument("--fake", type=Path, help="folder of the pictures that are measured")
    parser.add_argument("--pairs", help="CSV file source,target: measure each source as it is against its target")
    parser.add_argument("--metrics", default="psnr,ssim,lpips", help="names, separated by commas")
    parser.add_argument("--list", action="store_true", help="print every metric")
    parser.add_argument("--size", help="HEIGHTxWIDTH that all pictures are resized to (bicubic)")
    parser.add_argument("--weights", choices=("released", "random"), default="released", help="random: untrained networks")
    parser.add_argument("--keypoints", help="key points of the real pictures")
    parser.add_argument("--fake-keypoints", help="key points found in the pictures of --fake")
    parser.add_argument("--labels", help="folder of label maps of the real pictures")
    parser.add_argument("--segmenter", choices=tuple(labeling.SEGMENTERS), help="network that labels the pictures of --fake")
    parser.add_argument("--fake-labels", help="folder of label maps that a segmenter made of the pictures of --fake")
    parser.add_argument("--classes", type=int, help="number of classes of the label maps")
    parser.add_argument("--json", help="write the result there")
    parser.add_argument("--csv", help="write the values of every picture there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
