"""From music and a photo to a dance video: windows joined without a jump, frames and sound counted back."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_run
from make_dances import tone
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))
import make_song  # noqa: E402

from experiments import dance  # noqa: E402
from gganjax import dancing, data, evaluate, use  # noqa: E402
from gganjax.data import audio, media, music  # noqa: E402
from gganjax.sound import RATE

SIZE = 32
EVALUATE = tiny_run.CONFIG["evaluate"] | dict(norm="running")
DATA = dict(kind="dances", load_size=SIZE, crop_size=SIZE)
STAGES = dict(
    skeletons=dict(
        method="dance_skeleton", options=dict(frames=18, width=4, first=1, head_width=8, discriminator_width=2)),
    video=dict(
        method="dance_video",
        options=dict(frames=2, width=4, blocks=1, discriminator_width=4, discriminator_layers=1)),
)  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return {name: tiny_run.make(folder / name, config=stage | dict(seed=0, data=DATA, evaluate=EVALUATE))
            for name, stage in STAGES.items()}  # fmt: skip


def command(runs, music, out, *more, person=None):
    given = [f"--music={music}", f"--skeletons={runs['skeletons']}", f"--out={out}", *more]
    return dance.main(given + ([f"--person={person}", f"--video={runs['video']}"] if person else []))


def test_windows_cover_every_frame_and_overlap():
    for frames, length in ((1, 50), (50, 50), (51, 50), (90, 50), (91, 50), (1234, 50), (37, 2), (5, 1)):
        starts = dancing.windows(frames, length)
        assert starts[0] == 0 and starts[-1] == max(frames - length, 0)
        steps = np.diff(starts)
        assert (steps <= length - max(length // 5, 1) + (length == 1)).all()
    assert dancing.windows(90, 50) == [0, 40] and dancing.windows(91, 50) == [0, 20, 41]


def test_windows_are_joined_without_a_jump():
    course = np.linspace(0, 9, 91, dtype=np.float32)[:, None]
    starts = dancing.windows(91, 50)
    np.testing.assert_allclose(dancing.join(np.stack([course[s : s + 50] for s in starts]), starts), course, atol=1e-6)
    # windows that know nothing of one another: from 0 to 1 and to -1, within 10 frames each, and nowhere else
    parts = np.array([0, 1, -1], np.float32)[:, None, None] * np.ones((3, 50, 1), np.float32)
    joined = dancing.join(parts, starts)[:, 0]
    steps = np.abs(np.diff(joined))
    assert steps.max() < 2 * 1.5 / 11 + 1e-6 and (steps > 0).sum() == 22
    assert joined[0] == 0 and joined[45] == 1 and joined[-1] == -1


def test_a_song_and_a_photo_become_videos_of_its_length(runs, tmp_path, capsys):
    soundfile.write(tmp_path / "song.flac", tone(4.47, 44_100, 2), 44_100)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (70, 50, 3), np.uint8)).save(tmp_path / "photo.png")
    out = tmp_path / "made" / "dance.mp4"
    assert command(runs, tmp_path / "song.flac", out, "--dances=2", person=tmp_path / "photo.png") == 0
    assert "dance_2.mp4" in capsys.readouterr().out
    for name in ("dance_1", "dance_1_skeletons", "dance_2", "dance_2_skeletons"):
        count, seconds = media.count_back(out.with_name(f"{name}.mp4"))
        assert (
            count == 45 and abs(seconds - 4.47) < 0.1 and media.probe(out.with_name(f"{name}.mp4")).size == (SIZE, SIZE)
        )
    with Image.open(out.with_suffix(".png")) as sheet:
        assert sheet.width > dancing.MOMENTS * SIZE and sheet.height > 4 * SIZE


def test_seeds_make_other_dances_and_the_last_piece_is_filled(runs):
    skeletons = use.load(runs["skeletons"])
    sound = music.song(music.STYLES["rock"], 1, tempo=140.0, first=0.0, seconds=3.05)
    song = dancing.Song(None, audio.pieces(sound.astype(np.float32), fill=True), len(sound) / RATE)
    one, same, other = (dancing.dance(skeletons, song, seed=seed) for seed in (0, 0, 1))
    assert one.shape == (31, 18, 2) and np.abs(one).max() <= 1
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    short = song._replace(pieces=song.pieces[:5])
    assert dancing.dance(skeletons, short).shape == (5, 18, 2)


def test_what_cannot_be_danced_to_is_told_in_a_sentence(runs, tmp_path, capsys):
    soundfile.write(tmp_path / "silent.wav", np.zeros(32_000), 16_000)
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16_000)
    soundfile.write(tmp_path / "song.wav", tone(1.0), 16_000)
    (tmp_path / "photo.png").write_text("no photo")
    video = f"--video={runs['video']}"
    for song, more, sentence in (
        ("silent.wav", [], "silent.wav is silent"),
        ("none.wav", [], "none.wav lasts 0 s"),
        ("missing.wav", [], "there is no such file"),
        ("song.wav", [f"--person={tmp_path / 'photo.png'}", video], "photo.png cannot be read as a picture"),
        ("song.wav", [video], "--video is given without --person"),
        ("song.wav", ["--dances=0"], "--dances must be at least 1"),
        ("song.wav", [f"--skeletons={runs['video']}"], "is a run of dance_video, which takes source, skeletons;"),
    ):
        assert command(runs, tmp_path / song, tmp_path / "dance.mp4", *more) == 2
        told = capsys.readouterr().err
        assert sentence in told and told.count("\n") == 1
    assert not (tmp_path / "dance_skeletons.mp4").exists()


def test_a_song_is_composed_and_written(tmp_path, capsys):
    assert make_song.main([str(tmp_path / "a.wav"), "--style=waltz", "--seconds=3", "--tempo=80"]) == 0
    wanted = music.song(music.STYLES["waltz"], 0, tempo=80.0, first=0.0, seconds=3.0)
    np.testing.assert_array_equal(audio.read_audio(tmp_path / "a.wav"), wanted)
    assert make_song.main([str(tmp_path / "a.wav"), "--tempo=3"]) == 2
    assert "--tempo must be from 30 to 300, found 3." in capsys.readouterr().err


def test_videos_are_measured_frame_by_frame(runs, tmp_path):
    """Against PSNR of every frame written in NumPy; a row of the table is the mean of its sequence."""
    config = STAGES["video"] | dict(seed=0, data=DATA | dict(people=1, test_people=1, dances=1, frames=2))
    config |= dict(evaluate=EVALUATE | dict(metrics=("psnr",), limit=3, batch_size=2))
    found = evaluate.run(runs["video"], config=config, output=tmp_path)
    source = data.open_source(config["data"], "test")
    translator = use.load(runs["video"], norm="running")
    psnr = []
    for index in range(3):
        sample = source[index]
        made = translator(source=sample["source"], skeletons=sample["skeletons"])
        for one, true in ((made, sample["frames"]), (np.stack([sample["source"]] * 2), sample["frames"])):
            square = ((one.astype(np.float64) - true) ** 2).mean((1, 2, 3))
            psnr.append(10 * np.log10(255**2 / square) if square.all() else np.full(2, np.nan))
    assert found["mean"]["psnr"] == pytest.approx(np.mean(psnr[::2]), rel=1e-4) and found["pairs"] == 3
    rows = (tmp_path / "per_image.csv").read_text().splitlines()
    assert rows[0] == "name,psnr,copy_source_psnr" and len(rows) == 4
    assert float(rows[2].split(",")[1]) == pytest.approx(np.mean(psnr[2]), rel=1e-4)
    assert len(list((tmp_path / "images").iterdir())) == 3
