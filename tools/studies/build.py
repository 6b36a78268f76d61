"""The folder of a study: `study/` to publish and `key.json` to keep.

Nothing in `study/` says which picture is real or which method made it, but for practice trials with feedback, whose
questions are never scored. File names are drawn at random, the order of the files and their times say nothing, and
pictures make files of one length (see `media`). The seed is in the key alone: it would give the names away.
"""

import json
import secrets
from pathlib import Path
from typing import Any

import numpy as np

from gganjax.errors import InputError
from studies import media
from studies.protocols import GENERATED, PROTOCOLS, REAL, Question, draw_sittings

COLUMNS = ("sitting", "worker", "study", "trial", "practice", "question", "images", "side", "answer", "ms")
CONDITION = "condition"
FORMAT = 1  # of key.json
LONG_SIDE = 256  # pixels on the screen that small pictures are enlarged to, by a whole factor
VIDEO_SIZE = (320, 320)  # pixels on the screen
HERE = Path(__file__).parent


def build(
    kind: str,
    output: str | Path,
    sources: dict[str, str | Path],
    *,
    condition: str | Path | None = None,
    pairing: str = "name",
    questions: int = 500,
    practice: int | None = None,
    scored: int | None = None,
    checks: int = 0,
    sittings: int | None = None,
    seconds: float | None = None,
    pause: float = 0.5,
    feedback: float = 1.5,
    resize: tuple[int, int] | None = None,
    display: tuple[int, int] | None = None,
    name: str | None = None,
    seed: int | None = None,
) -> tuple[dict[str, Any], list[Path]]:
    """Build a study.

    Args:
        kind: one of PROTOCOLS.
        output: a new or empty folder; gets `study/` and `key.json`.
        sources: "real" and "generated" -> folder for pairs and r2g, otherwise method -> folder, as many as options.
        condition: the folder of what the options were made from, for the protocols that show it.
        pairing: of pairs: "name" puts pictures of one name together, "random" any real one with any generated one.
        questions: the study draws from at most this many different questions, chosen at random.
        practice, scored, sittings, seconds: as in `Protocol`; None takes the protocol's.
        checks: attention checks a sitting, in addition to its trials.
        pause: seconds between trials.
        feedback: seconds for which practice tells the truth.
        resize: (width, height) in pixels that all pictures are resampled to; needed where sizes differ.
        display: (width, height) in pixels on the screen; by default pictures are enlarged by a whole factor to about
            256 pixels, and videos are fitted into 320x320.
        name: of the study, seen by participants and in the answers; by default the kind and random digits.
        seed: of everything random; by default drawn by the system. The same seed and files give the same bytes.

    Returns:
        The content of key.json and the files that were left out for want of a counterpart.

    Raises:
        InputError: anything that does not fit; nothing has been written then.
    """
    protocol = PROTOCOLS[kind]
    output = Path(output)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError(f"{output} exists already; expected a new or empty folder.")
    shorter = scored is None and not protocol.fixed
    practice, scored, sittings, seconds = (
        getattr(protocol, key) if value is None else value
        for key, value in dict(practice=practice, scored=scored, sittings=sittings, seconds=seconds).items()
    )
    for option, value, least in (("practice", practice, 0), ("scored", scored, 1), ("checks", checks, 0),
                                 ("sittings", sittings, 1), ("questions", questions, 1), ("seconds", seconds, 0),
                                 ("pause", pause, 0), ("feedback", feedback, 0), ("seed", seed or 0, 0)):  # fmt: skip
        if value < least:
            raise InputError(f"--{option} must be at least {least}, found {value}.")
    _check_sources(kind, sources, condition)
    seed = secrets.randbits(63) if seed is None else seed
    random = np.random.default_rng(seed)
    chosen, alone = _choose(kind, sources, condition, pairing, questions, random)
    options = [path for group in chosen for source, path in group.items() if source != CONDITION]
    if shorter:
        scored = max(1, min(scored, len(chosen) - practice))
    size = None
    if protocol.video:
        media.check_videos(options)
    else:
        size = media.check_pictures([path for group in chosen for path in group.values()], resize)
    table, pools = _name(chosen, random, split=protocol.options == 1, video=protocol.video)
    trials = draw_sittings(
        protocol, pools, {file: entry["source"] for file, entry in table.items()}, practice=practice, scored=scored,
        checks=checks, sittings=sittings, seed=seed)
    shown = {file for sitting in trials for trial in sitting for file in [*trial["options"], trial.get(CONDITION)]}
    table = {file: table[file] for file in sorted(shown & table.keys())}
    study = name or f"{kind}-{random.bytes(4).hex()}"
    content = dict(format=FORMAT, study=study, protocol=kind, sources=list(sources), seed=seed, checks=checks,
                   seconds=seconds, size=size, media=table, sittings=trials)  # fmt: skip
    page = _page(protocol, content, _shape(size, display), pause=pause, feedback=feedback, practice=practice)
    folder = output / "study"
    (folder / "media").mkdir(parents=True)
    for file, entry in table.items():
        media.write(folder / "media" / file, Path(entry["file"]), size=size)
    (folder / "index.html").write_text(page, encoding="utf-8")
    (output / "key.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    return content, alone


def _check_sources(kind: str, sources: dict, condition) -> None:
    protocol = PROTOCOLS[kind]
    compared = kind not in ("pairs", "r2g")
    if compared and (len(sources) != protocol.options or CONDITION in sources):
        raise InputError(f"{kind} compares {protocol.options} methods, found {', '.join(sources) or 'none'}.")
    if protocol.condition != (condition is not None):
        wanted = "needs --condition, the folder of" if protocol.condition else "has no --condition, a folder of"
        raise InputError(f"{kind} {wanted} what the options were made from.")


def _choose(kind, sources, condition, pairing, questions, random) -> tuple[list[dict[str, Path]], list[Path]]:
    """Choose the files of at most `questions` questions in random order, source -> file each."""
    video = PROTOCOLS[kind].video
    if kind == "r2g" or pairing == "random":  # equally many of each, or how often a picture occurs would tell
        files = [list(media.listed(folder, video=video).values()) for folder in sources.values()]
        count = min(questions, *map(len, files))
        orders = [random.permutation(len(group))[:count] for group in files]
        return [
            {source: group[i] for source, group, i in zip(sources, files, row, strict=True)}
            for row in zip(*orders, strict=True)
        ], []
    folders = sources if condition is None else {**sources, CONDITION: condition}
    matched, alone = media.match(folders, video=video)
    return [matched[i] for i in random.permutation(len(matched))[:questions]], alone


def _name(chosen, random, *, split: bool, video: bool) -> tuple[dict[str, dict], list[list[Question]]]:
    """Name the files; returns name -> file and source, and the questions, one pool a source if each is shown alone."""
    table, groups = {}, []
    for group in chosen:
        names = media.opaque_names(random, list(group.values()), video=video)
        groups.append(dict(zip(group, names, strict=True)))
        for name, (source, path) in zip(names, group.items(), strict=True):
            table[name] = {"source": source, "file": str(path)}
    if split:
        return table, [[Question((group[source],)) for group in groups] for source in (REAL, GENERATED)]
    pool = [Question(tuple(n for s, n in group.items() if s != CONDITION), group.get(CONDITION)) for group in groups]
    return table, [pool]


def _shape(size, display) -> dict[str, Any]:
    """What the page needs to lay pictures out before they are loaded: pixels on the screen, and a whole factor."""
    if display or not size:
        return {"size": display or VIDEO_SIZE, "factor": 1, "whole": False}
    return {"size": size, "factor": max(1, round(LONG_SIDE / max(size))), "whole": True}


def _page(protocol, content, shape, *, pause, feedback, practice) -> str:
    seconds = content["seconds"]
    them = "They are" if protocol.options > 1 else "It is"
    shown = f"{them} shown for {seconds:g} s and then hidden. " if seconds else ""
    lines = [line.format(shown=shown, practice=practice) for line in protocol.instructions]
    public = {
        "study": content["study"], "title": protocol.title, "columns": COLUMNS,
        "instructions": [line for line in lines if practice or "practice" not in line],
        "questions": protocol.questions, "options": protocol.options, "answers": protocol.answers,
        "sides": protocol.sides,
        "feedback": protocol.feedback, "condition": protocol.condition, "sound": protocol.sound,
        "background": protocol.background, "about": protocol.about, "seconds": seconds, "pause": pause,
        "feedback_seconds": feedback, **shape, "sittings": content["sittings"]}  # fmt: skip
    text = json.dumps(public, separators=(",", ":")).replace("<", "\\u003c")  # no end of the script element inside
    page, script = ((HERE / name).read_text(encoding="utf-8") for name in ("page.html", "page.js"))
    return page.replace("@SCRIPT@", script).replace("@STUDY@", text)
