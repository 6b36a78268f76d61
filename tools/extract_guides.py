"""Finds hands, bodies, faces or edges in photos and videos and writes them as guidance.

    python3.12 -m venv guides && guides/bin/pip install -r tools/extract_guides.txt
    guides/bin/python tools/extract_guides.py ROOT/train --kind=hand --out=ROOT/train_keypoints.json
    guides/bin/python tools/extract_guides.py ROOT/train --kind=edges --out=ROOT/train_skeletons

hand: 21 points of up to --hands hands; pose: 18 joints of one body; face: 68 points of one face; all in the order and
the file format that `config.data.kind="folder"` reads. edges: white lines on black, one picture each, read with
config.data.keypoints=pictures. Frames of videos, every n-th by --every=n, are written as PNG files to the folder
OUT_frames (--frames names another one) and bear their names there.

Detections that are poor (nothing found, a score below --least, mostly outside of the picture) are not written: the
tool lists them with the reason, and so do the file, under "poor", and OUT_page.html, which shows points drawn on
pictures. Look at that page: a detector can be sure and wrong. With --keep-poor whatever was found is written, and
still listed.

The models of mediapipe 0.10.21 are Apache-2.0. dlib's 68-point predictor was trained on a set of faces (iBUG 300-W)
whose license excludes commercial use.

Run again on 50 pictures each of three sets, whose key points were made by mediapipe 0.10.14 (on hands' originals of
800x600, on enlarged bodies) and by dlib, the points agree with those to the following distances, in percent of the
image side (--against prints them); of the bodies' 1.06 % half a pixel in x and y is 1.10 %, by which the stored points,
whose pixels begin at whole numbers, differ from these, whose pixels have their centers there:

    set            found again          median    90 % within
    hands_scenes   57 of 60 hands       0.88 %    2.83 %
    faces_london   50 of 50 faces       0.31 %    0.61 %
    actions64      50 of 50 bodies      1.06 %    1.37 %
"""

import argparse
import json
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import numpy as np
from extraction import agreement, detectors, frames
from PIL import Image

from gganjax import overlay
from gganjax.data import suspicions
from gganjax.errors import InputError

KINDS = dict(hand="21 hand points: x, y, confidence (pixels); OpenPose order",
             pose="18 body points: x, y, confidence (pixels); OpenPose order; confidence 0 = missing",
             face="68 face points: x, y, confidence (pixels); iBUG order", edges="")  # fmt: skip
PARTS = dict(hand="hands", pose="body", face="face")  # as in config.data.parts
SHOWN = 24  # pictures on the page, of the good ones and of the poor ones


def parse(arguments) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photos and videos")
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the JSON file, or, of edges, the folder to write")
    parser.add_argument("--least", type=float, help=f"score below which a detection is poor; by kind {detectors.LEAST}")
    parser.add_argument("--keep-poor", action="store_true", help="write poor detections too")
    parser.add_argument("--hands", type=int, default=2, help="most hands of a picture")
    parser.add_argument("--every", type=int, default=1, help="take every n-th frame of a video")
    parser.add_argument("--frames", type=Path, help="where frames of videos go")
    parser.add_argument("--against", type=Path, help="tell how far the points lie from those of this key-point file")
    parser.add_argument("--low", type=float, default=100.0, help="edges: weaker gradients are no edge ...")
    parser.add_argument("--high", type=float, default=200.0, help="... unless joined to one that is stronger than this")
    return parser.parse_args(arguments)


def extract(options: argparse.Namespace, detect) -> dict:
    """Run the detector over the folder and write everything; return the content of the JSON file.

    Args:
      options: of `parse`.
      detect: picture -> `detectors.Found`.
    """
    out, edges = options.out, options.kind == "edges"
    beside = out if edges else out.with_suffix("")
    found, poor, sizes, shown = {}, {}, {}, {"good": [], "poor": []}
    pictures, videos = frames.find(options.folder)
    for name, picture in frames.read(
        options.folder, pictures, videos, every=options.every, frames=options.frames or beside.with_name(f"{beside.name}_frames")
    ):
        if isinstance(picture, str):
            poor[name] = picture
            continue
        result = detect(picture)
        if result.poor:
            poor[name] = result.poor
        written = not result.poor or (options.keep_poor and (edges or result.entry))
        if written:
            found[name], sizes[name] = result, picture.shape[:2]
            if edges:
                _save_edges(out, name, result.edges)
        some = shown["poor" if result.poor else "good"]
        if len(some) < SHOWN:
            beside_it = None if result.edges is None else result.edges[..., None]
            some.append(overlay.Shown(name + f": {result.poor}" * bool(result.poor), picture, result.figure, beside_it))
    content = {} if len(set(sizes.values())) != 1 else {"image_size": [*sizes[next(iter(sizes))][::-1]]}
    content |= {"points": KINDS[options.kind], "images": {name: one.entry for name, one in found.items()}, "poor": poor}
    if not edges:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")
    suspicious, sentences = suspicions.find({name: one.figure for name, one in found.items()}, sizes, out)
    total = len(found.keys() | poor.keys())
    sections = [(f"{len(found)} of {total} pictures written, the first of them", overlay.figures(shown["good"]))]
    if poor:
        reasons = [f"{name}: {reason}" for name, reason in poor.items()]
        sections.append((f"{len(poor)} poor detections", overlay.figures(shown["poor"]) + overlay.names(reasons)))
    sections += [(label, overlay.names(names)) for label, names in suspicious.items()]
    overlay.write(beside.with_name(f"{beside.name}_page.html"), f"{options.kind} of {options.folder}", sections)
    for sentence in sentences:
        print(f"warning: {sentence}", file=sys.stderr)
    if options.against:
        figures = {name: [] for name in poor} | {name: one.figure for name, one in found.items()}
        shares, matched, wanted = agreement.distances(figures, sizes, options.against, PARTS[options.kind])
        median, most = np.percentile(shares, [50, 90])
        print(f"{PARTS[options.kind]}: {matched} of {wanted} in {options.against} found again, {len(shares)} points;"
              f" distance in the side of the picture: median {median:.2%}, 90 % within {most:.2%}")
    return content


def main(arguments=None) -> int:
    """Run the command line; return the exit status."""
    options = parse(arguments)
    least = detectors.LEAST[options.kind] if options.least is None else options.least
    try:
        if options.kind != "edges" and options.out.suffix != ".json":
            raise InputError(f"--out must name a .json file for --kind={options.kind}, found {options.out}.")
        if options.kind == "edges" and options.out.suffix:
            raise InputError(f"--out must name a folder for --kind=edges, found {options.out}.")
        if options.kind == "edges" and options.against:
            raise InputError("--against compares key points, but --kind=edges makes pictures.")
        if options.every < 1 or options.hands < 1:
            raise InputError(f"--every and --hands must be at least 1, found {options.every} and {options.hands}.")
        frames.find(options.folder)
        detect = detectors.make(options.kind, least=least, hands=options.hands, low=options.low, high=options.high)
        content = extract(options, detect)
    except ModuleNotFoundError as error:
        requirements = Path(__file__).with_suffix(".txt")
        print(
            f"error: --kind={options.kind} needs {error.name}, which lives in an environment of its own: make it with"
            f" `python3.12 -m venv guides && guides/bin/pip install -r {requirements}` and run this tool with"
            " guides/bin/python.", file=sys.stderr)
        return 2
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for name, reason in content["poor"].items():
        print(f"poor: {name}: {reason}")
    print(f"{len(content['images'])} pictures written to {options.out}, {len(content['poor'])} poor detections listed")
    return 0 if content["images"] else 1


def _save_edges(folder: Path, name: str, edges: np.ndarray) -> None:
    path = (folder / name).with_suffix(".png")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(edges).save(path)


if __name__ == "__main__":
    sys.exit(main())
