"""User studies: what is published tells nothing, sittings are those of the protocols, and scores are exact shares."""

import csv
import json
import math
import re
import struct
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import user_study
from make_set import picture
from studies import scoring
from studies.build import COLUMNS, build

from gganjax.errors import InputError


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


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """The pairs of the thesis: 10 practice and 40 scored, 50 sittings, from 70 pairs."""
    root = tmp_path_factory.mktemp("pairs")
    real, generated = pictures(root, "truth", 70, seed=1), pictures(root, "ganimages", 70)
    build("pairs", root / "out", {"real": real, "generated": generated}, seed=SEED)
    return root / "out"


def test_pairs_have_ten_practice_and_forty_scored_trials(pairs):
    page, source = page_of(pairs), sources(pairs)
    assert len(page["sittings"]) == 50 and page["seconds"] == 1
    sides, scored, practiced = Counter(), Counter(), set()
    for sitting in page["sittings"]:
        assert [trial.get("practice", False) for trial in sitting] == [True] * 10 + [False] * 40
        shown = [name for trial in sitting for name in trial["options"]]
        assert len(set(shown)) == 100
        for trial in sitting:
            assert sorted(source[name] for name in trial["options"]) == ["generated", "real"]
            if "practice" in trial:
                assert source[trial["options"][trial["truth"]]] == "real"
                practiced.update(trial["options"])
            else:
                assert trial.keys() == {"options"}
                sides[source[trial["options"][0]]] += 1
                scored.update(trial["options"])
    assert len(practiced) == 20 and not practiced & scored.keys()  # what practice tells is never scored
    assert set(scored.values()) <= {33, 34}  # 50 sittings of 40 from 60 pairs: 33.3 times each
    assert abs(sides["real"] - 1000) < 4 * math.sqrt(2000 / 4)
    orders = {tuple(trial["options"][0] for trial in sitting) for sitting in page["sittings"]}
    assert len(orders) == 50


def test_nothing_published_tells_what_is_real(pairs):
    """Names, lengths, times and chunks of the files, and the words of the page."""
    published = sorted(pairs.glob("study/**/*"))
    assert {path.name for path in published if path.parent.name == "study"} == {"index.html", "media"}
    media = [path for path in published if path.parent.name == "media"]
    assert all(re.fullmatch(r"[0-9a-f]{16}\.png", path.name) for path in media) and len(media) == 140
    assert len({path.stat().st_size for path in media}) == 1 and len({path.stat().st_mtime for path in media}) == 1
    source = sources(pairs)
    first = [source[path.name] for path in media[:70]].count("real")  # half of the names, sorted
    assert abs(first - 35) < 4 * math.sqrt(70 / 4)
    for path in media:
        data, at, chunks = path.read_bytes(), 8, []
        while at < len(data):
            length, kind = struct.unpack_from(">I4s", data, at)
            chunks.append(kind)
            at += 12 + length
        assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}
    key = scoring.read_key(pairs / "key.json")
    text = (pairs / "study/index.html").read_text()
    assert key["seed"] == SEED
    for word in ("truth/", "ganimages", "scene0", str(pairs), str(SEED)):
        assert word not in text
    assert "real" not in json.dumps(page_of(pairs)["sittings"])
    assert not any("truth" in trial for sitting in page_of(pairs)["sittings"] for trial in sitting[10:])


def test_pixels_are_kept_and_metadata_is_not(tmp_path):
    real, fake = pictures(tmp_path, "a", 2, seed=1), tmp_path / "b"
    fake.mkdir()
    notes = PngImagePlugin.PngInfo()
    notes.add_text("made by", "generator")
    for i in range(2):
        Image.fromarray(picture(i, 8, 8)[..., 0]).save(fake / f"scene{i:03d}.png", pnginfo=notes, dpi=(72, 72))
    build("pairs", tmp_path / "out", {"real": real, "generated": fake}, practice=1, scored=1)
    for name, entry in scoring.read_key(tmp_path / "out/key.json")["media"].items():
        written = tmp_path / "out/study/media" / name
        with Image.open(written) as image, Image.open(entry["file"]) as original:
            assert image.mode == "RGB" and not image.info
            np.testing.assert_array_equal(np.asarray(image), np.asarray(original.convert("RGB")))


def test_the_seed_alone_decides(tmp_path):
    given = {"real": pictures(tmp_path, "a", 6), "generated": pictures(tmp_path, "b", 6, seed=1)}
    counts = dict(practice=2, scored=3, checks=1, sittings=3)
    for name, seed in (("one", 5), ("two", 5), ("other", 6), ("free", None), ("free2", None)):
        build("pairs", tmp_path / name, given, seed=seed, **counts)

    def content(name):
        return {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()}

    assert content("one") == content("two")
    assert not content("one").keys() & content("other").keys() - {Path("key.json"), Path("study/index.html")}
    assert page_of(tmp_path / "free")["sittings"] != page_of(tmp_path / "free2")["sittings"]


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
    flips = score(pairs, *(sit(pairs, k, lambda trial, _: str(random.choice(trial["options"]))) for k in range(1, 51)))[0]
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


def test_r2g_draws_practice_from_the_shuffle_and_uses_the_actual_counts(tmp_path):
    given = {"real": pictures(tmp_path, "a", 80), "generated": pictures(tmp_path, "b", 60, seed=1)}
    build("r2g", tmp_path / "out", given, seed=1)
    page, source = page_of(tmp_path / "out"), sources(tmp_path / "out")
    kinds = [[source[trial["options"][0]] for trial in sitting] for sitting in page["sittings"]]
    assert len(kinds) == 30 and all(Counter(sitting) == {"real": 55, "generated": 55} for sitting in kinds)
    scored = [Counter(sitting[10:]) for sitting in kinds]
    assert len({counts["real"] for counts in scored}) > 1 and all(sum(counts.values()) == 100 for counts in scored)
    assert [trial.get("practice", False) for trial in page["sittings"][0]] == [True] * 10 + [False] * 100
    assert "truth" not in json.dumps(page["sittings"])
    used = Counter(name for sitting in page["sittings"] for trial in sitting for name in trial["options"])
    occurrences = {kind: Counter(n for name, n in used.items() if source[name] == kind) for kind in ("real", "generated")}
    assert occurrences["real"] == occurrences["generated"]  # how often a picture occurs does not tell what it is
    always_real = score(tmp_path / "out", sit(tmp_path / "out", 1, lambda *_: "real"))[0]
    assert always_real["real", "all", "R2G"]["percent"] == 0 and always_real["real", "all", "G2R"]["percent"] == 100
    assert always_real["real", "all", "R2G"]["total"] == scored[0]["real"]
    assert always_real["real", "all", "G2R"]["total"] == scored[0]["generated"]


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
    np.testing.assert_allclose(ours["wilson"], [100 * (center + s * half) / (1 + z * z / n) for s in (-1, 1)], rtol=1e-12)
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
    assert page["sound"] and list(page["questions"]) == ["realism", "match"] and list(page["background"]) == ["Expert", "Non-Expert"]
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
        ("realism", "Expert", "real"): 100, ("realism", "Non-Expert", "mdvs"): 50, ("realism", "Non-Expert", "real"): 50,
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


def test_the_command_line_builds_and_scores(tmp_path, capsys):
    real, fake = pictures(tmp_path, "real", 5), pictures(tmp_path, "fake", 6, seed=1)
    out, answers = tmp_path / "out", tmp_path / "answers"
    arguments = ["build", "pairs", str(out), f"--real={real}", f"--generated={fake}", "--practice=1", "--scored=4"]
    assert user_study.main([*arguments, "--sittings=2", "--name=hands"]) == 0
    printed = capsys.readouterr().out
    assert f"1 files without a counterpart are left out: {fake / 'scene005.png'}" in printed
    assert "study hands: 2 sittings of 5 trials, 10 files" in printed
    answers.mkdir()
    for k in (1, 2):
        rows = sit(out, k, lambda trial, _: trial["options"][0])
        with (answers / f"{k}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    assert user_study.main(["score", str(out / "key.json"), str(answers), f"--json={tmp_path / 'scores.json'}"]) == 0
    printed, [entry] = capsys.readouterr().out, json.loads((tmp_path / "scores.json").read_text())["scores"]
    assert f"fooling rate     {entry['percent']:6.2f} %  ({entry['count']} of 8)  95 % bootstrap" in printed
    assert user_study.main(arguments) == 2
    assert "out exists already; expected a new or empty folder." in capsys.readouterr().err


def test_bad_folders_are_told_in_one_sentence_and_nothing_is_written(tmp_path):
    a, b = pictures(tmp_path, "a", 5), pictures(tmp_path, "b", 5, seed=1)
    wide, none, odd = pictures(tmp_path, "wide", 5, side=16), tmp_path / "none", tmp_path / "odd"
    none.mkdir()
    odd.mkdir()
    Image.new("RGB", (8, 8)).save(odd / "other.png")
    broken, twice, moving = (pictures(tmp_path, name, 5) for name in ("broken", "twice", "moving"))
    (broken / "scene000.png").write_bytes(b"no picture")
    Image.new("RGB", (8, 8)).save(twice / "scene000.jpg")
    Image.new("RGB", (8, 8)).save(moving / "scene000.png", save_all=True, append_images=[Image.new("RGB", (8, 8), "red")])
    x, y, z, gif = (videos(tmp_path, name, 3, ending="gif" if name == "gif" else "mp4") for name in ("x", "y", "z", "gif"))
    few = dict(practice=1, scored=4)
    for kind, folders, options, sentence in (
        ("pairs", (a, tmp_path / "nowhere"), few, "nowhere is no folder"),
        ("pairs", (a, none), few, "none has no pictures: expected files ending in .png"),
        ("pairs", (a, odd), few, "no file name is in all of the folders: .*a has scene000, .*odd has other"),
        ("pairs", (a, wide), few, "must have one size.*has 8x8.*has 16x16 pixels; --resize"),
        ("pairs", (a, broken), few, "scene000.png cannot be read as a picture"),
        ("pairs", (a, twice), few, "two files named scene000: scene000.jpg and scene000.png"),
        ("pairs", (a, moving), few, "scene000.png is animated"),
        ("pairs", (a, b), {}, "10 practice and 40 scored trials needs 50 different questions of a kind, found 5"),
        ("pairs", (a, b), few | dict(condition=a), "pairs has no --condition"),
        ("pairs", (a, b), few | dict(seconds=-1), "--seconds must be at least 0, found -1"),
        ("r2g", (a, b), dict(practice=1, scored=4), "1 practice and 4 scored trials cannot be half real"),
        ("preference", (a, b), {}, "preference needs --condition"),
        ("preference", (a,), dict(condition=b), "preference compares 2 methods, found m0"),
        ("triplets", (x, y, gif), dict(condition=z), "must be files of one kind, found .*clip.*.mp4 and .*clip.*.gif|no file"),
    ):
        names = ("real", "generated") if kind in ("pairs", "r2g") else [f"m{i}" for i in range(9)]
        with pytest.raises(InputError, match=sentence):
            build(kind, tmp_path / "out", dict(zip(names, folders, strict=False)), **options)
        assert not (tmp_path / "out").exists()
    build("pairs", tmp_path / "out", {"real": a, "generated": wide}, resize=(12, 10), **few)
    assert {Image.open(path).size for path in (tmp_path / "out/study/media").iterdir()} == {(12, 10)}


def test_bad_answers_are_told_in_one_sentence(pairs, tmp_path):
    rows = sit(pairs, 1, lambda trial, _: trial["options"][0])

    def changed(at, **values):
        return [row | values if i == at else row for i, row in enumerate(rows)]

    for wrong, sentence in (
        ([row | {"study": "other"} for row in rows], "0.csv has answers of the study other, expected pairs-"),
        ([row | {"sitting": "51"} for row in rows], "sitting 51 of w1 is not in the key, which has the sittings 1 to 50"),
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
