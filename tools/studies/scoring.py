"""The scores of a study: its key joined with the answers of the participants.

Every score is a share in percent: of the trials that count for it, those with a certain answer. The trials of all
participants are pooled, and the actual counts are used. Practice and attention checks never count. The 95 % interval
is that of a bootstrap over participants (percentiles), because the answers of one person hang together; the standard
deviation of the same bootstrap is what AsymmetricGAN's tables most likely print after +-, as CycleGAN's do. Shares of
methods also get the Wilson interval of the pooled count and, where there are two methods, the two-sided binomial test
against 50 %; both take all answers for independent.
"""

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from gganjax.errors import InputError
from studies.build import COLUMNS, FORMAT
from studies.protocols import GENERATED, PROTOCOLS, REAL

RESAMPLES = 10_000  # of the participants


class Sitting(NamedTuple):
    """One participant's answers: scored rows with their trials, the group, and how many checks were failed."""

    worker: str
    group: str
    answers: list[tuple[dict, dict]]
    failed: int


def read_key(path: str | Path) -> dict[str, Any]:
    """Read a study's key.json, as `build.build` wrote it."""
    try:
        key = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as the key of a study: {error}.") from None
    if not isinstance(key, dict) or key.get("format") != FORMAT:
        raise InputError(f"{path} is no key of a study of format {FORMAT}.")
    return key


def read_answers(paths: list[str | Path]) -> dict[Path, list[dict[str, str]]]:
    """Read the rows of answer files (CSV), and of all such files in folders: file -> rows."""
    paths = [Path(path) for path in paths]
    files = [file for path in paths for file in (sorted(path.glob("*.csv")) if path.is_dir() else [path])]
    if not files:
        raise InputError(f"no answers were found in {', '.join(map(str, paths))}: expected .csv files.")
    answers = {}
    for file in files:
        try:
            with file.open(newline="", encoding="utf-8-sig") as opened:
                reader = csv.DictReader(opened)
                rows = list(reader)
        except (OSError, ValueError, csv.Error) as error:
            raise InputError(f"{file} cannot be read as answers: {error}.") from None
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise InputError(f"{file} must have the columns {COLUMNS}, found {tuple(reader.fieldnames or ())}.")
        if not rows or any(None in row or None in row.values() for row in rows):
            raise InputError(f"{file} must have {len(COLUMNS)} values in every row and at least one row.")
        answers[file] = rows
    return answers


def score(
    key: dict[str, Any],
    answers: dict[Path, list[dict[str, str]]],
    *,
    most_failed_checks: int | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Score the answers of one study.

    Args:
        key: of the study.
        answers: file -> rows; a file may hold several sittings.
        most_failed_checks: sittings that failed more attention checks are left out; None keeps all.
        seed: of the bootstrap.

    Returns:
        `study`, `protocol`, `participants`, `left_out` (sentences), `median_ms` (response time of the scored
        answers) and `scores`: a list of `name`, `question`, `group`, `percent`, `count` of `total`, `interval` and
        `std` of the bootstrap in percent (None with one participant), and for shares of methods `wilson`, and with
        two methods `p`. `name` is "fooling rate" (trials in which the generated picture was taken for the real
        one), "R2G" (real pictures called generated), "G2R" (generated pictures called real), or a method.

    Raises:
        InputError: rows that do not belong to the study, or sittings that are not whole.
    """
    sittings, left_out = _sittings(key, answers, most_failed_checks)
    cells: dict[tuple, list[list[int]]] = defaultdict(list)
    for sitting in sittings:
        counted: dict[tuple, list[int]] = defaultdict(lambda: [0, 0])
        for trial, row in sitting.answers:
            for name, hit in _outcomes(key, trial, row):
                for group in ("all", sitting.group)[: 1 + bool(sitting.group)]:
                    counted[row["question"], group, name][0] += hit
                    counted[row["question"], group, name][1] += 1
        for cell, counts in counted.items():
            cells[cell].append(counts)
    compared = key["protocol"] not in ("pairs", "r2g")
    order = [*(key["sources"] if compared else ("fooling rate", "R2G", "G2R"))]
    questions = list(PROTOCOLS[key["protocol"]].questions)
    scores = []
    place = lambda cell: (questions.index(cell[0]), cell[1] != "all", cell[1], order.index(cell[2]))
    for question, group, name in sorted(cells, key=place):
        counts = np.array(cells[question, group, name])
        entry = dict(name=name, question=question, group=group, **share(counts, seed=seed))
        if compared:
            test = stats.binomtest(entry["count"], entry["total"], 0.5)
            entry["wilson"] = [100 * float(limit) for limit in test.proportion_ci(0.95, method="wilson")]
            if len(order) == 2:
                entry["p"] = float(test.pvalue)
        scores.append(entry)
    times = [int(row["ms"]) for sitting in sittings for _, row in sitting.answers]
    return dict(study=key["study"], protocol=key["protocol"], participants=len(sittings), left_out=left_out,
                median_ms=float(np.median(times)), scores=scores)  # fmt: skip


def share(counts: np.ndarray, *, seed: int = 0) -> dict[str, Any]:
    """The pooled share in percent, with its bootstrap over participants.

    Args:
        counts: whole numbers [P, 2], for each participant the hits and the trials, of which there is at least one.
        seed: of the resampling.

    Returns:
        `percent`, `count`, `total`, `participants`, and of the bootstrap the 95 % `interval` and `std`, both in
        percent; None with one participant.
    """
    hits, total = (int(number) for number in counts.sum(0))
    result = dict(percent=100 * hits / total, count=hits, total=total, participants=len(counts))
    result |= dict(interval=None, std=None)
    if len(counts) > 1:
        times = np.random.default_rng(seed).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), RESAMPLES)
        drawn = times @ counts  # [RESAMPLES, 2]
        percents = 100 * drawn[:, 0] / drawn[:, 1]
        result["interval"] = [float(limit) for limit in np.percentile(percents, [2.5, 97.5])]
        result["std"] = float(np.std(percents))
    return result


def _outcomes(key: dict, trial: dict, row: dict) -> list[tuple[str, bool]]:
    """The scores that an answer counts for, each with whether it is a hit."""
    source = lambda name: key["media"][name]["source"]
    if key["protocol"] == "pairs":
        return [("fooling rate", source(row["answer"]) == GENERATED)]
    if key["protocol"] == "r2g":
        real = source(trial["options"][0]) == REAL
        return [("R2G", row["answer"] == GENERATED) if real else ("G2R", row["answer"] == REAL)]
    return [(method, source(row["answer"]) == method) for method in key["sources"]]


def _sittings(key: dict, answers: dict, most_failed: int | None) -> tuple[list[Sitting], list[str]]:
    """Join rows and trials; of every worker the first sitting is kept."""
    found, left_out = {}, []
    for file, rows in answers.items():
        grouped: dict[tuple[str, str], list[dict]] = defaultdict(list)
        for row in rows:
            if row["study"] != key["study"]:
                raise InputError(f"{file} has answers of the study {row['study']}, expected {key['study']}.")
            grouped[row["worker"], row["sitting"]].append(row)
        for (worker, number), group in grouped.items():
            sitting = _join(key, worker, number, group, file)
            if worker in found:
                left_out.append(f"{file}: sitting {number} of {worker}, who had already taken part")
                continue
            found[worker] = sitting
    kept = []
    for worker, sitting in found.items():
        if most_failed is not None and sitting.failed > most_failed:
            left_out.append(f"sitting of {worker}: {sitting.failed} attention checks failed")
        else:
            kept.append(sitting)
    if not kept:
        raise InputError(f"no sitting of the study {key['study']} is left to score.")
    return kept, left_out


def _join(key: dict, worker: str, number: str, rows: list[dict], file: Path) -> Sitting:
    protocol, where = PROTOCOLS[key["protocol"]], f"{file}: sitting {number} of {worker}"
    if not number.isdecimal() or not 1 <= int(number) <= len(key["sittings"]):
        raise InputError(f"{where} is not in the key, which has the sittings 1 to {len(key['sittings'])}.")
    trials = key["sittings"][int(number) - 1]
    wanted = [("0", "background")] if protocol.background else []
    for index, trial in enumerate(trials, 1):
        wanted += [(str(index), question) for question in (["check"] if "check" in trial else protocol.questions)]
    given = [(row["trial"], row["question"]) for row in rows]
    if given != wanted:
        raise InputError(
            f"{where} must have the {len(wanted)} answers of the key in their order, found {len(given)} answers."
        )
    group, scored, failed = "", [], 0
    for row in rows:
        if row["question"] == "background":
            group = _one_of(row, protocol.background, where)
            continue
        trial = trials[int(row["trial"]) - 1]
        if row["images"].split() != trial["options"] or row["practice"] != str(int(trial.get("practice", False))):
            raise InputError(f"{where}, trial {row['trial']} shows other images than the key.")
        if not row["ms"].isdecimal():
            raise InputError(f"{where}, trial {row['trial']}: ms must be a whole number, found '{row['ms']}'.")
        if "check" in trial:
            failed += _one_of(row, protocol.sides, where) != protocol.sides[trial["check"]]
        else:
            _one_of(row, protocol.answers or trial["options"], where)
            if not trial.get("practice"):
                scored.append((trial, row))
    return Sitting(worker, group, scored, failed)


def _one_of(row: dict, known, where: str) -> str:
    if row["answer"] not in known:
        where, expected = f"{where}, trial {row['trial']}", ", ".join(known)
        raise InputError(f"{where}: the answer must be one of {expected}, found '{row['answer']}'.")
    return row["answer"]
