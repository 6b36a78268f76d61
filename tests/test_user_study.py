"""User studies: what is published tells nothing, and sittings are those of the protocols."""

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
from make_set import picture
from make_study import SEED, page_of, pictures, score, sit, sources, thesis_pairs, videos
from PIL import Image, PngImagePlugin

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import user_study
from studies import scoring
from studies.build import COLUMNS, build

from gganjax.errors import InputError


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return thesis_pairs(tmp_path_factory.mktemp("pairs"))


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
        files = [path for path in (tmp_path / name).rglob("*") if path.is_file()]
        return {path.relative_to(tmp_path / name): path.read_bytes() for path in files}

    assert content("one") == content("two")
    assert not content("one").keys() & content("other").keys() - {Path("key.json"), Path("study/index.html")}
    assert page_of(tmp_path / "free")["sittings"] != page_of(tmp_path / "free2")["sittings"]


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
    real, generated = (Counter(n for name, n in used.items() if source[name] == kind) for kind in ("real", "generated"))
    assert real == generated  # how often a picture occurs does not tell what it is
    always_real = score(tmp_path / "out", sit(tmp_path / "out", 1, lambda *_: "real"))[0]
    assert always_real["real", "all", "R2G"]["percent"] == 0 and always_real["real", "all", "G2R"]["percent"] == 100
    assert always_real["real", "all", "R2G"]["total"] == scored[0]["real"]
    assert always_real["real", "all", "G2R"]["total"] == scored[0]["generated"]


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
    red = Image.new("RGB", (8, 8), "red")
    Image.new("RGB", (8, 8)).save(moving / "scene000.png", save_all=True, append_images=[red])
    x, y, z = (videos(tmp_path, name, 3) for name in "xyz")
    gif = videos(tmp_path, "gif", 3, ending="gif")
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
        ("pairs", (a, b), few | dict(seed=-1), "--seed must be at least 0, found -1"),
        ("r2g", (a, b), dict(practice=1, scored=4), "1 practice and 4 scored trials cannot be half real"),
        ("preference", (a, b), {}, "preference needs --condition"),
        ("preference", (a,), dict(condition=b), "preference compares 2 methods, found m0"),
        ("triplets", (x, y, gif), dict(condition=z), "must be files of one kind, found .*mp4 and .*gif"),
    ):
        names = ("real", "generated") if kind in ("pairs", "r2g") else [f"m{i}" for i in range(9)]
        with pytest.raises(InputError, match=sentence):
            build(kind, tmp_path / "out", dict(zip(names, folders, strict=False)), **options)
        assert not (tmp_path / "out").exists()
    build("pairs", tmp_path / "out", {"real": a, "generated": wide}, resize=(12, 10), **few)
    assert {Image.open(path).size for path in (tmp_path / "out/study/media").iterdir()} == {(12, 10)}
