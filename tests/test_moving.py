"""Sequences to look at: strips, animated pictures with the beat marked, and their place on the page."""

import numpy as np
from PIL import Image

from gganjax import moving, report
from gganjax.data import audio, dance_skeletons, music


def video(rows=2, frames=5, size=(16, 24)):
    """Frame f of row r is gray 40 r + 10 f."""
    levels = 40 * np.arange(rows)[:, None] + 10 * np.arange(frames)
    return np.broadcast_to(levels[..., None, None, None], (rows, frames, *size, 3)).astype(np.uint8)


def test_strips_hold_evenly_spread_frames_in_order():
    strip = report.as_picture(video(frames=15))
    assert strip.shape == (2, 16, 8 * 24, 3)
    np.testing.assert_array_equal(strip[1, 0, ::24, 0], 40 + 10 * np.array([0, 2, 4, 6, 8, 10, 12, 14]))
    poses = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 3, 18, 2)).astype(np.float32)
    drawn = report.as_picture(poses)
    assert drawn.shape == (1, 96, 3 * 96, 3)
    wanted = dance_skeletons.draw((poses[0, 2].astype(np.float64) + 1) * (320, 180), (96, 96))
    np.testing.assert_array_equal(drawn[0, :, 192:], wanted)


def test_grids_take_panels_of_several_widths():
    sheet = np.asarray(report.grid({"source": video()[:, 0], "frames": report.as_picture(video())}))
    gap, top = report.GAP, sheet.shape[0] - report.GAP - 16  # of the second row
    assert sheet.shape[1] == 24 + 5 * 24 + 3 * gap
    np.testing.assert_array_equal(sheet[top + 2, 2 * gap + 24 :: 24, 0][:5], 40 + 10 * np.arange(5))


def test_the_beat_lights_up_on_its_frames_alone(tmp_path):
    panels = {"source": video(rows=1)[:, 0], "video": video(rows=1, frames=20)}
    frames = moving.animate(panels, beats=[np.array([0.32, 1.0, 1.74])])
    lit = [
        number
        for number, frame in enumerate(frames)
        if frame.getpixel((frame.width - 2, frame.height - 6)) == moving.BEAT
    ]
    assert len(frames) == 20 and lit == [3, 10, 17]
    assert [frame.getpixel((5, 5))[0] for frame in frames[:3]] == [0, 0, 0]  # the picture stays
    assert [frame.getpixel((24 + moving.GAP + 5, 5))[0] for frame in frames[:4]] == [0, 10, 20, 30]


def test_an_animated_picture_of_a_dance_marks_the_beats_of_its_music(tmp_path):
    sound = music.song(music.STYLES["disco"], 0, tempo=120.0, first=0.0, seconds=5.0)
    poses = np.zeros((1, 50, 18, 2), np.float32)
    made = report.animate({"real": poses}, tmp_path / "newest.webp", audio=audio.pieces(sound)[None])
    with Image.open(made) as picture:
        assert picture.n_frames > 15  # frames that are equal to those before are stored once
        seen = []
        for number in range(picture.n_frames):
            picture.seek(number)
            shown = picture.convert("RGB")
            red, green, _ = shown.getpixel((shown.width - 5, shown.height - 7))
            seen += [red > 150 and green < 120]
    assert 9 <= sum(seen) <= 10  # 120 a minute for 5 s
    assert (
        report.animate({"source": video()[:, 0]}, tmp_path / "none.webp") is None
        and not (tmp_path / "none.webp").exists()
    )


def test_the_page_shows_what_moves(tmp_path):
    (tmp_path / "samples").mkdir()
    (tmp_path / "results").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "samples/step_00000010.png")
    Image.new("RGB", (4, 4)).save(tmp_path / "results/examples.png")
    assert "webp" not in report.write(tmp_path).read_text()
    for name in ("samples/newest.webp", "results/examples.webp"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    text = report.write(tmp_path).read_text()
    assert 'src="samples/newest.webp"' in text and 'src="results/examples.webp"' in text
