"""Small user studies for the tests, and raters who answer as the page would write it down."""

import json
import re
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

from make_set import picture  # noqa: E402
from studies import scoring  # noqa: E402
from studies.build import COLUMNS, build  # noqa: E402

SEED = 20261121  # not a number that the page has anyway


def pictures(root, name, count, *, side=8, seed=0, form="png"):
    """Writes a folder of pictures; those of even seeds are flat and would make small files."""
    folder = root / name
    folder.mkdir(parents=True)
    for i in range(count):
        pixels = picture(1000 * seed + i, side, side)
        Image.fromarray(pixels if seed % 2 else np.full_like(pixels, i)).save(folder / f"scene{i:03d}.{form}")
    return folder


def videos(root, name, count, *, ending="mp4"):
    """Writes a folder of files that only their names make videos: they are copied, never read."""
    folder = root / name
    folder.mkdir(parents=True)
    for i in range(count):
        (folder / f"clip{i}.{ending}").write_bytes(f"{name} {i}".encode())
    return folder


def page_of(output):
    """What the page of a study holds."""
    text = (output / "study/index.html").read_text()
    return json.loads(re.search(r'<script id="study" type="application/json">(.*?)</script>', text)[1])


def sit(output, sitting, choose, *, worker=None, background="Expert", check=None):
    """Rows as the page writes them: `choose(trial, question)` returns the answer, a name of an option or a word.

    `check(position)` is the position that an attention check is answered with; by default the right one.
    """
    page = page_of(output)
    shared = dict(sitting=sitting, worker=worker or f"w{sitting}", study=page["study"], ms="500")
    rows = []
    if page["about"]:
        row = dict(trial=0, practice=0, question="background", images="", side="", answer=background)
        rows.append(shared | row)
    for number, trial in enumerate(page["sittings"][sitting - 1], 1):
        for question in ["check"] if "check" in trial else page["questions"]:
            if question == "check":
                answer = page["sides"][check(trial["check"]) if check else trial["check"]]
            else:
                answer = choose(trial, question)
            side = answer if answer not in trial["options"] else page["sides"][trial["options"].index(answer)]
            row = dict(trial=number, practice=int(trial.get("practice", False)), question=question, answer=answer)
            rows.append(shared | row | dict(images=" ".join(trial["options"]), side="" if page["answers"] else side))
    return [{column: str(row[column]) for column in COLUMNS} for row in rows]


def score(output, *sittings, **options):
    """Scores of sittings as a dictionary (question, group, name) -> entry."""
    key = scoring.read_key(output / "key.json")
    answers = {Path(f"{i}.csv"): rows for i, rows in enumerate(sittings)}
    result = scoring.score(key, answers, **options)
    return {(entry["question"], entry["group"], entry["name"]): entry for entry in result["scores"]}, result


def sources(output):
    """Published file -> real, generated or a method."""
    return {name: entry["source"] for name, entry in scoring.read_key(output / "key.json")["media"].items()}


def thesis_pairs(root):
    """Builds the pairs of the thesis, 10 practice and 40 scored in 50 sittings, from 70 pairs; returns the folder."""
    real, generated = pictures(root, "truth", 70, seed=1), pictures(root, "ganimages", 70)
    build("pairs", root / "out", {"real": real, "generated": generated}, seed=SEED)
    return root / "out"
