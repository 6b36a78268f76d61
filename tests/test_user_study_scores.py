"""Scores of user studies are exact shares, with the intervals that they state."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from make_study import page_of, pictures, score, sit, sources, thesis_pairs, videos
from studies import scoring
from studies.build import COLUMNS, build

from gganjax.errors import InputError


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return thesis_pairs(tmp_path_factory.mktemp("pairs"))


def test_fooling_rates_of_known_raters(pairs):
    source = sources(pairs)
    by_source = lambda wanted: lambda trial, _: next(name for name in trial["options"] if source[name] == wanted)
    cell = ("real", "all", "fooling rate")
    right = score(pairs, *(sit(pairs, k, by_source("real")) for k in (1, 2, 3)))[0]
    assert right.keys() == {cell}
    assert (right[cell]["percent"], right[cell]["count"], right[cell]["total"]) == (0, 0, 120)
    assert right[cell]["interval"] == [0, 0] and right[cell]["std"] == 0
    assert score(pairs, sit(pairs, 9, by_source("generated")))[0][cell]["percent"] == 100
    random = np.random.default_rng(0)
    flip = lambda trial, _: str(random.choice(trial["options"]))
    flips = score(pairs, *(sit(pairs, k, flip) for k in range(1, 51)))[0]
    assert flips[cell]["total"] == 2000 and abs(flips[cell]["percent"] - 50) < 100 * 4 * math.sqrt(0.25 / 2000)
    low, high = flips[cell]["interval"]
    assert low < flips[cell]["percent"] < high
    # Always left is a coin flip too, whatever the person: the sides are random.
    left = score(pairs, *(sit(pairs, k, lambda trial, _: trial["options"][0]) for k in range(1, 51)))[0]
    assert abs(left[cell]["percent"] - 50) < 100 * 4 * math.sqrt(0.25 / 2000)


def test_practice_never_counts(pairs):
    source = sources(pairs)
    wrong_in_practice = lambda trial, _: next(
        name for name in trial["options"] if source[name] == ("generated" if "practice" in trial else "real")
    )
    assert score(pairs, sit(pairs, 1, wrong_in_practice))[0]["real", "all", "fooling rate"]["count"] == 0


def test_r2g_and_g2r_are_not_swapped(tmp_path):
    """The numbers of PG2 on Market-1501: of 1000 real pictures 112 are called generated, of 1000 generated 55 real."""
    given = {"real": pictures(tmp_path, "a", 50), "generated": pictures(tmp_path, "b", 50, seed=1)}
    build("r2g", tmp_path / "out", given, practice=0, sittings=20, seed=1)
    source, left = sources(tmp_path / "out"), {"real": 112, "generated": 55}

    def choose(trial, _):
        kind = source[trial["options"][0]]
        mistaken = left[kind] > 0
        left[kind] -= mistaken
        return {"real": "generated", "generated": "real"}[kind] if mistaken else kind

    scores, result = score(tmp_path / "out", *(sit(tmp_path / "out", k, choose) for k in range(1, 21)))
    assert (scores["real", "all", "R2G"]["percent"], scores["real", "all", "G2R"]["percent"]) == (11.2, 5.5)
    assert result["participants"] == 20 and result["median_ms"] == 500


def test_preferences_have_the_wilson_interval_and_the_binomial_test(tmp_path):
    methods = {"ours": pictures(tmp_path, "x", 10), "other": pictures(tmp_path, "y", 10, seed=1)}
    build("preference", tmp_path / "out", methods, condition=pictures(tmp_path, "maps", 10, seed=2), sittings=4, seed=1)
    page, source = page_of(tmp_path / "out"), sources(tmp_path / "out")
    assert page["seconds"] == 0 and [len(sitting) for sitting in page["sittings"]] == [10] * 4
    files = {name: entry["file"] for name, entry in scoring.read_key(tmp_path / "out/key.json")["media"].items()}
    for trial in page["sittings"][0]:  # the same scene thrice
        assert source[trial["condition"]] == "condition"
        assert len({Path(files[name]).stem for name in (*trial["options"], trial["condition"])}) == 1
    ours_left = [30]

    def choose(trial, _):
        wanted = "ours" if ours_left[0] > 0 else "other"
        ours_left[0] -= 1
        return next(name for name in trial["options"] if source[name] == wanted)

    scores, _ = score(tmp_path / "out", *(sit(tmp_path / "out", k, choose) for k in (1, 2, 3, 4)))
    ours, other = scores["better", "all", "ours"], scores["better", "all", "other"]
    assert (ours["count"], ours["total"], ours["percent"], other["percent"]) == (30, 40, 75, 25)
    z, n, p = 1.959963984540054, 40, 0.75  # Wilson (1927)
    center, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    limits = [100 * (center + sign * half) / (1 + z * z / n) for sign in (-1, 1)]
    np.testing.assert_allclose(ours["wilson"], limits, rtol=1e-12)
    tail = sum(math.comb(40, k) for k in range(30, 41)) / 2**40
    assert ours["p"] == pytest.approx(2 * tail, rel=1e-12) and other["p"] == ours["p"]


def test_the_bootstrap_resamples_participants(tmp_path):
    """Of two participants, one always and one never fooled, a resample has 0, 50 or 100 % with odds 1 : 2 : 1."""
    two = scoring.share(np.array([[40, 40], [0, 40]]))
    assert two["percent"] == 50 and two["interval"] == [0, 100]
    assert two["std"] == pytest.approx(100 * math.sqrt(1 / 8), rel=0.03)
    # Equal participants: the trials vary, the people do not.
    assert scoring.share(np.array([[10, 40]] * 30))["interval"] == [25, 25]
    # Many participants: the standard error of the mean of their shares.
    hits = np.random.default_rng(0).binomial(40, 0.3, 400)
    many = scoring.share(np.stack([hits, np.full(400, 40)], 1))
    error = 100 * np.std(hits / 40) / math.sqrt(400)
    assert many["std"] == pytest.approx(error, rel=0.03)
    assert np.diff(many["interval"])[0] == pytest.approx(2 * 1.96 * error, rel=0.05)
    alone = scoring.share(np.array([[1, 3]]))
    assert alone["interval"] is None and alone["std"] is None and alone["percent"] == 100 / 3


def test_triplets_share_out_the_answers(tmp_path):
    methods = {name: videos(tmp_path, name, 20) for name in ("pix2pixHD", "vid2vid", "ours")}
    build("triplets", tmp_path / "out", methods, condition=videos(tmp_path, "skeletons", 21, ending="webm"), seed=1)
    page, source = page_of(tmp_path / "out"), sources(tmp_path / "out")
    assert [len(sitting) for sitting in page["sittings"]] == [20] * 30
    for name, entry in scoring.read_key(tmp_path / "out/key.json")["media"].items():
        assert (tmp_path / "out/study/media" / name).read_bytes() == Path(entry["file"]).read_bytes()
        assert re.fullmatch(r"[0-9a-f]{16}\.(mp4|webm)", name)
    turns = iter(range(60))

    def choose(trial, _):  # 17, 18 and 25 of 60
        turn = next(turns)
        wanted = "pix2pixHD" if turn < 17 else "vid2vid" if turn < 35 else "ours"
        return next(name for name in trial["options"] if source[name] == wanted)

    scores, _ = score(tmp_path / "out", *(sit(tmp_path / "out", k, choose) for k in (1, 2, 3)))
    counts = {name: entry["count"] for (_, _, name), entry in scores.items()}
    assert counts == {"pix2pixHD": 17, "vid2vid": 18, "ours": 25}
    assert sum(entry["percent"] for entry in scores.values()) == pytest.approx(100)
    assert all("wilson" in entry and "p" not in entry for entry in scores.values())


def test_four_ways_are_shared_out_by_question_and_group(tmp_path):
    methods = {name: videos(tmp_path, name, 5) for name in ("d2m", "mdvs", "ours", "real")}
    build("fourway", tmp_path / "out", methods, seed=1)
    page, source = page_of(tmp_path / "out"), sources(tmp_path / "out")
    assert page["sound"] and list(page["questions"]) == ["realism", "match"]
    assert list(page["background"]) == ["Expert", "Non-Expert"]
    by = lambda **wanted: lambda trial, question: next(n for n in trial["options"] if source[n] == wanted[question])
    scores, _ = score(
        tmp_path / "out",
        sit(tmp_path / "out", 1, by(realism="real", match="ours")),
        sit(tmp_path / "out", 2, by(realism="mdvs", match="ours"), background="Non-Expert"),
        sit(tmp_path / "out", 3, by(realism="real", match="d2m"), background="Non-Expert"),
    )
    percents = {cell: entry["percent"] for cell, entry in scores.items() if entry["percent"]}
    assert percents == {
        ("realism", "all", "mdvs"): pytest.approx(100 / 3), ("realism", "all", "real"): pytest.approx(200 / 3),
        ("realism", "Expert", "real"): 100,
        ("realism", "Non-Expert", "mdvs"): 50, ("realism", "Non-Expert", "real"): 50,
        ("match", "all", "d2m"): pytest.approx(100 / 3), ("match", "all", "ours"): pytest.approx(200 / 3),
        ("match", "Expert", "ours"): 100, ("match", "Non-Expert", "d2m"): 50, ("match", "Non-Expert", "ours"): 50,
    }  # fmt: skip


def test_sittings_that_fail_attention_checks_can_be_left_out(tmp_path):
    given = {"real": pictures(tmp_path, "a", 8), "generated": pictures(tmp_path, "b", 8, seed=1)}
    build("pairs", tmp_path / "out", given, practice=2, scored=6, checks=2, sittings=3, seed=1)
    source = sources(tmp_path / "out")
    for sitting in page_of(tmp_path / "out")["sittings"]:
        assert ["check" in trial for trial in sitting].count(True) == 2 and len(sitting) == 10
        assert not any("check" in trial for trial in sitting[:3])
    right, wrong = (
        lambda trial, _, wanted=wanted: next(name for name in trial["options"] if source[name] == wanted)
        for wanted in ("real", "generated")
    )
    sittings = sit(tmp_path / "out", 1, right), sit(tmp_path / "out", 2, wrong, check=lambda position: 1 - position)
    cell = ("real", "all", "fooling rate")
    assert score(tmp_path / "out", *sittings)[0][cell]["percent"] == 50
    assert score(tmp_path / "out", *sittings, most_failed_checks=2)[0][cell]["total"] == 12
    scores, result = score(tmp_path / "out", *sittings, most_failed_checks=1)
    assert scores[cell]["percent"] == 0 and scores[cell]["total"] == 6
    assert result["left_out"] == ["sitting of w2: 2 attention checks failed"]


def test_a_person_counts_once(pairs):
    left = lambda trial, _: trial["options"][0]
    _, result = score(pairs, sit(pairs, 1, left, worker="ann"), sit(pairs, 2, left, worker="ann"))
    assert result["participants"] == 1 and result["scores"][0]["total"] == 40
    assert result["left_out"] == ["1.csv: sitting 2 of ann, who had already taken part"]


def test_bad_answers_are_told_in_one_sentence(pairs, tmp_path):
    rows = sit(pairs, 1, lambda trial, _: trial["options"][0])

    def changed(at, **values):
        return [row | values if i == at else row for i, row in enumerate(rows)]

    for wrong, sentence in (
        ([row | {"study": "other"} for row in rows], "0.csv has answers of the study other, expected pairs-"),
        ([row | {"sitting": "51"} for row in rows], "sitting 51 of w1 is not in the key, which has the sittings 1 to"),
        (rows[:-1], "sitting 1 of w1 must have the 50 answers of the key in their order, found 49"),
        (rows[::-1], "must have the 50 answers of the key in their order"),
        (changed(12, images="a b"), "trial 13 shows other images than the key"),
        (changed(12, practice="1"), "trial 13 shows other images than the key"),
        (changed(12, answer="left"), "trial 13: the answer must be one of .*, found 'left'"),
        (changed(12, ms="-1"), "trial 13: ms must be a whole number, found '-1'"),
    ):
        with pytest.raises(InputError, match=sentence):
            score(pairs, wrong)
    (tmp_path / "a.csv").write_text("sitting,worker\n1,w\n")
    (tmp_path / "short.csv").write_text(",".join(COLUMNS) + "\n1,w\n")
    for file, sentence in (
        ("a.csv", "a.csv must have the columns .*, found .'sitting', 'worker'"),
        ("short.csv", "short.csv must have 10 values in every row"),
        ("nowhere.csv", "nowhere.csv cannot be read as answers"),
    ):
        with pytest.raises(InputError, match=sentence):
            scoring.read_answers([tmp_path / file])
    (tmp_path / "key.json").write_text("{}")
    with pytest.raises(InputError, match="key.json is no key of a study of format 1"):
        scoring.read_key(tmp_path / "key.json")
