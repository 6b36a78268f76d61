"""The studies in a real browser: what participants see, press and send back."""

import base64
import functools
import http.server
import os
import re
import threading
import time

import numpy as np
import pytest
from chromium import CHROMIUM, Browser
from make_study import pictures, score, sources, videos
from PIL import Image
from studies import scoring
from studies.build import build

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, such as Debian's package chromium")
BOXES = """JSON.stringify([...document.querySelectorAll('#trial button, .frame, #question, progress, #progress')]
    .map((element) => element.getBoundingClientRect()).map(({x, y, width, height}) => [x, y, width, height]))"""
QUICK = dict(pause=0.01, feedback=0.01, seed=20261121)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


def begin(browser, output, sitting=1, worker="w", address=None):
    """Opens a sitting and starts it with the mouse; returns the page's questions."""
    address = address or (output / "study/index.html").as_uri()
    browser.requests.clear()
    browser.open(f"{address}?sitting={sitting}&worker={worker}")
    browser.click("#start button")


def options(browser) -> list[str]:
    """The file names of the options on the screen, from left to right."""
    return browser.run("[...document.querySelectorAll('.option .frame > *')].map((m) => m.src.split('/').pop())")


def trials(browser):
    """Yields the options of every trial, once they are on the screen, until the sitting ends; the caller answers."""
    last = -1
    while True:
        browser.until(f"!find('#end').hidden || (!!respond && rows.length !== {last})")
        if browser.run("!find('#end').hidden"):
            return
        last = browser.run("rows.length")
        yield options(browser)


def saved(browser, name) -> list[dict]:
    """The rows of the file that the page saved."""
    file = browser.downloads / name
    end = time.monotonic() + 10
    while not file.exists():
        assert time.monotonic() < end, f"{name} was not saved, but {os.listdir(browser.downloads)}"
        time.sleep(0.02)
    return scoring.read_answers([file])[file]


def choose(browser, how: int, position: int) -> None:
    """Answers by arrow, digit, button or picture."""
    if how % 4 < 2:
        browser.key(["ArrowLeft", "ArrowRight"][position] if how % 4 == 0 else str(position + 1))
    else:
        side = f".option:nth-of-type({position + 2})"  # the first is the place of the input
        browser.click(f"{side} button" if how % 4 == 2 else f"{side} .frame")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    root = tmp_path_factory.mktemp("study")
    real, generated = pictures(root, "truth", 42, seed=1, side=32), pictures(root, "ganimages", 42, side=32)
    build("pairs", root / "out", {"real": real, "generated": generated}, practice=2, seconds=0.2, sittings=3, **QUICK)
    return root / "out"


def test_a_perfect_rater_is_never_fooled_and_a_coin_flip_half_of_the_time(browser, pairs):
    source, random = sources(pairs), np.random.default_rng(0)
    cell, flipped = ("real", "all", "fooling rate"), []
    for sitting, worker in ((1, "perfect"), (2, "coin")):
        begin(browser, pairs, sitting, worker)
        for number, names in enumerate(trials(browser)):
            position = [source[name] for name in names].index("real") if worker == "perfect" else random.integers(2)
            flipped += [source[names[position]] == "generated"] if worker == "coin" and number >= 2 else []
            choose(browser, number, int(position))
    study = scoring.read_key(pairs / "key.json")["study"]
    perfect, coin = (saved(browser, f"answers-{study}-{k}-{name}.csv") for k, name in ((1, "perfect"), (2, "coin")))
    assert [row["practice"] for row in perfect] == ["1"] * 2 + ["0"] * 40
    assert {row["side"] for row in perfect} == {"left", "right"} and all(int(row["ms"]) < 10_000 for row in perfect)
    assert score(pairs, perfect)[0][cell]["percent"] == 0
    scores = score(pairs, coin)[0][cell]
    assert scores["count"] == sum(flipped) and scores["total"] == 40 and 25 <= scores["percent"] <= 75


def test_nothing_in_the_page_or_its_requests_tells_what_is_real(browser, pairs):
    begin(browser, pairs, 3, "reader")
    names = next(trials(browser))
    page = browser.run("document.documentElement.outerHTML")
    for word in ("truth/", "ganimages", "scene0", "20261121"):
        assert word not in page
    folder = (pairs / "study").as_uri()
    assert browser.requests and all(
        re.fullmatch(re.escape(folder) + r"/(index\.html\?sitting=3&worker=reader|media/[0-9a-f]{16}\.png)", url)
        for url in browser.requests if not url.startswith("data:,")
    )  # fmt: skip
    attributes = "[...document.querySelectorAll('.option img')].map((i) => [...i.attributes].map((a) => a.name).join())"
    assert len(names) == 2 and len(set(browser.run(attributes))) == 1
    sizes = "[...document.querySelectorAll('.option img')].map((i) => [i.naturalWidth, i.width, i.height].join())"
    assert set(browser.run(sizes)) == {"32,256,256"}  # a whole factor
    browser.run("running = false")


def test_pictures_go_blank_in_time_and_nothing_moves(browser, pairs):
    begin(browser, pairs, 3, "watcher")
    browser.until("!!respond")
    watch = """(() => { window.changes = [];
        const observer = new MutationObserver(() => changes.push([performance.now(),
        find('#stage').classList.contains('hidden'), find('#feedback').textContent, %s]));
        observer.observe(find('#stage'), {attributes: true}); observer.observe(find('#feedback'), {childList: true});
        })()"""
    browser.run(watch % BOXES)
    browser.key("1")
    browser.until("!!respond && rows.length === 1")
    browser.until("find('#stage').classList.contains('hidden')")
    assert browser.run("rows.length") == 1 and browser.run("!!respond")  # blank, and an answer is awaited
    blank = browser.run(BOXES)
    browser.key("2")
    browser.until("rows.length === 2")
    changes = browser.run("changes")
    assert any(feedback for *_, feedback, _ in changes)
    assert {boxes for *_, boxes in changes} == {blank}
    # The second trial: shown after a blank, with no feedback; the end of a feedback is seen for a moment, too.
    shown = next(now[0] for before, now in zip(changes, changes[1:]) if before[1] and not now[1] and not now[2])
    hidden = next(change for change in changes if change[1] and change[0] > shown)[0]
    assert 0.19 < (hidden - shown) / 1000 < 3  # on a busy machine later than after 0.2 s, never earlier
    browser.run("running = false")


def test_practice_tells_the_truth(browser, pairs):
    source = sources(pairs)
    begin(browser, pairs, 3, "learner")
    names = next(trials(browser))
    browser.run("""study.feedback_seconds = 0.3""")
    browser.key("1")
    browser.until("find('#feedback').textContent !== ''")
    right, side = ("Right", "left") if source[names[0]] == "real" else ("Wrong", "right")
    assert browser.run("find('#feedback').textContent") == f"{right}: the real one is on the {side}."
    browser.run("running = false")


class Silent(http.server.SimpleHTTPRequestHandler):
    """A static host that prints nothing."""

    def log_message(self, *_):
        pass


def test_real_called_generated_and_generated_called_real_from_a_static_host(browser, tmp_path):
    given = {"real": pictures(tmp_path, "truth", 10, seed=1), "generated": pictures(tmp_path, "ganimages", 10)}
    build("r2g", tmp_path / "out", given, practice=4, scored=16, checks=1, sittings=1, seconds=0.01, **QUICK)
    source, mistakes = sources(tmp_path / "out"), {"real": 0, "generated": 0}
    handler = functools.partial(Silent, directory=tmp_path / "out/study")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        begin(browser, tmp_path / "out", address=f"http://127.0.0.1:{server.server_port}/index.html")
        for number in range(21):
            browser.until(f"!!respond && rows.length === {number}")
            names = options(browser)
            if not names:
                wanted = "real" if browser.run("find('#question').textContent.includes('Real')") else "generated"
            else:
                kind = source[names[0]]
                mistaken = number >= 4 and (kind == "real" or mistakes["generated"] == 0)  # all real, one generated
                mistakes[kind] += mistaken
                wanted = kind if not mistaken else {"real": "generated", "generated": "real"}[kind]
            if number % 2:
                browser.key(wanted[0])
            else:
                browser.click(f"#answers button:nth-of-type({['real', 'generated'].index(wanted) + 1})")
        rows = saved(browser, f"answers-{scoring.read_key(tmp_path / 'out/key.json')['study']}-1-w.csv")
    finally:
        server.shutdown()
        server.server_close()
    scores, _ = score(tmp_path / "out", rows, most_failed_checks=0)
    assert scores["real", "all", "R2G"]["percent"] == 100 and scores["real", "all", "G2R"]["count"] == 1
    assert scores["real", "all", "R2G"]["total"] + scores["real", "all", "G2R"]["total"] == 16


def test_preferences_and_triplets(browser, tmp_path):
    """Pictures below their input, then moving GIF files; always the answer of one method, by key and by click."""
    build("preference", tmp_path / "two", {"ours": pictures(tmp_path, "x", 4), "other": pictures(tmp_path, "y", 4)},
          condition=pictures(tmp_path, "maps", 4, seed=1), sittings=1, **QUICK)  # fmt: skip
    moving = {}
    for name in ("a", "b", "c", "skeleton"):
        moving[name] = tmp_path / name
        moving[name].mkdir()
        for i in range(4):
            frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
            frames[0].save(moving[name] / f"{i}.gif", save_all=True, append_images=frames[1:], duration=50, loop=0)
    skeletons = moving.pop("skeleton")
    build("triplets", tmp_path / "three", moving, condition=skeletons, sittings=1, **QUICK)
    for folder, method, question in (("two", "ours", "better"), ("three", "b", "realistic")):
        source = sources(tmp_path / folder)
        begin(browser, tmp_path / folder)
        for number, names in enumerate(trials(browser)):
            given = browser.run("find('#given img').src.split('/').pop()")
            assert source[given] == "condition"
            choose(browser, 1 + 2 * (number % 2), [source[name] for name in names].index(method))
        rows = saved(browser, f"answers-{scoring.read_key(tmp_path / folder / 'key.json')['study']}-1-w.csv")
        entry = score(tmp_path / folder, rows)[0][question, "all", method]
        assert (entry["count"], entry["total"]) == (4, 4)


RECORD = """(async () => {
  const canvas = document.createElement("canvas"), paint = canvas.getContext("2d"), audio = new AudioContext();
  Object.assign(canvas, {width: 32, height: 32});
  const tone = audio.createOscillator(), sound = audio.createMediaStreamDestination();
  tone.connect(sound); tone.start();
  const stream = canvas.captureStream(30);
  stream.addTrack(sound.stream.getAudioTracks()[0]);
  const recorder = new MediaRecorder(stream, {mimeType: "video/webm"}), parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  const stopped = new Promise((done) => { recorder.onstop = done; });
  recorder.start();
  for (let i = 0; i < 20; i++) {
    paint.fillStyle = `hsl(${i * 18} 80% 50%)`; paint.fillRect(0, 0, 32, 32);
    await new Promise((done) => setTimeout(done, 20));
  }
  recorder.stop(); await stopped; audio.close();
  return btoa(String.fromCharCode(...new Uint8Array(await new Blob(parts).arrayBuffer())));
})()"""


def test_four_dances_with_music_one_at_a_time(browser, tmp_path):
    """Videos with sound that the browser itself recorded; the question about experience comes first."""
    browser.open("about:blank")
    video = base64.b64decode(browser.run(RECORD, gesture=True))
    folders = {name: videos(tmp_path, name, 2, ending="webm") for name in ("d2m", "mdvs", "ours", "real")}
    for file in tmp_path.glob("*/*.webm"):
        file.write_bytes(video)
    build("fourway", tmp_path / "out", folders, sittings=1, **QUICK)
    source = sources(tmp_path / "out")
    begin(browser, tmp_path / "out")
    browser.until("!find('#about').hidden && !!respond")
    browser.key("2")
    for number, names in enumerate(trials(browser)):
        media = "document.querySelectorAll('video')"
        if number == 0:
            assert browser.run(f"[...{media}].map((v) => v.controls && !v.muted && v.paused)") == [True] * 4
            browser.run(f"{media}[0].play()")
            browser.until(f"{media}[0].webkitAudioDecodedByteCount > 0 && {media}[0].webkitDecodedFrameCount > 0")
            browser.run(f"{media}[2].play()")
            assert browser.run(f"[...{media}].map((v) => v.paused)") == [True, True, False, True]
        position = [source[name] for name in names].index(("real", "ours")[number % 2])
        asked = ("Which dance is most realistic", "Which dance matches")[number % 2]
        assert browser.run("find('#question').textContent").startswith(asked)
        choose(browser, 1 if number < 2 else 2, position)
    rows = saved(browser, f"answers-{scoring.read_key(tmp_path / 'out/key.json')['study']}-1-w.csv")
    scores, _ = score(tmp_path / "out", rows)
    assert {cell for cell, entry in scores.items() if entry["percent"] == 100} == {
        ("realism", "all", "real"), ("realism", "Non-Expert", "real"),
        ("match", "all", "ours"), ("match", "Non-Expert", "ours")}  # fmt: skip
    browser.send("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2, mobile=True)
    begin(browser, tmp_path / "out", worker="phone")
    browser.until("!!respond")
    browser.key("1")
    next(trials(browser))
    assert browser.run("document.documentElement.scrollWidth") <= 390
    assert browser.run("find('#trial').getBoundingClientRect().bottom") <= 844
    browser.run("running = false")
    browser.send("Emulation.clearDeviceMetricsOverride")


def test_one_sitting_a_person_and_no_sitting_that_is_not_there(browser, pairs):
    browser.open("about:blank")
    browser.open((pairs / "study/index.html").as_uri() + "?sitting=4")
    assert browser.run("find('#problem').innerText").endswith("There is no sitting 4: expected 1 to 3.")
    begin(browser, pairs, 3, "coin")
    browser.until("!find('#problem').hidden")
    assert browser.run("find('#problem p').textContent") == "coin has already taken part in this study. Thank you."
