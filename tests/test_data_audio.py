"""Sound and videos in and out: amplitudes as they are stored, other rates and channels, and what cannot be used."""

import numpy as np
import pytest
import soundfile
from make_dances import tone, video

from gganjax.data import audio, media
from gganjax.errors import InputError


def test_sixteen_bits_at_the_rate_come_out_as_they_are_stored(tmp_path):
    stored = np.random.default_rng(0).integers(-32768, 32768, 4000).astype(np.int16)
    for ending in ("wav", "flac"):
        soundfile.write(tmp_path / f"a.{ending}", stored, 16_000, subtype="PCM_16")
        found = audio.read_audio(tmp_path / f"a.{ending}")
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, stored)


@pytest.mark.parametrize(
    "ending,rate,channels", [("wav", 44_100, 2), ("ogg", 48_000, 1), ("mp3", 22_050, 2), ("flac", 8_000, 1)]
)
def test_other_rates_channels_and_formats_keep_the_tone(tmp_path, ending, rate, channels):
    soundfile.write(tmp_path / f"a.{ending}", tone(1.0, rate, channels), rate)
    found = audio.read_audio(tmp_path / f"a.{ending}")
    assert abs(len(found) - 16_000) < 2400  # MP3 and OGG pad what they store
    middle = found[4000:12_000].astype(np.float64)
    strength = np.abs(np.fft.rfft(middle * np.hanning(8000)))
    assert np.argmax(strength) == 220  # 440 Hz in lines of 2 Hz
    assert np.sqrt((middle**2).mean()) == pytest.approx(0.5 * 32768 / np.sqrt(2), rel=0.02)


def test_channels_are_averaged_and_pieces_are_frames(tmp_path):
    both = np.stack([np.full(4000, 0.5), np.full(4000, -0.25)], axis=1)
    soundfile.write(tmp_path / "a.wav", both, 16_000)
    found = audio.read_audio(tmp_path / "a.wav")
    np.testing.assert_array_equal(found, 0.125 * 32768)
    assert audio.pieces(found).shape == (2, 1600)
    filled = audio.pieces(found, fill=True)
    assert filled.shape == (3, 1600) and (filled[2, 800:] == 0).all() and (filled[2, :800] == 4096).all()


def test_what_is_no_music_is_told_in_a_sentence(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16_000)
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.mp3").write_text("no sound" * 100)
    for name, sentence in {
        "silent.wav": "silent.wav is silent: its loudest amplitude is 0 of 32768, expected music.",
        "none.wav": "none.wav lasts 0 s, expected 0.1 s of sound",
        "empty.wav": "empty.wav cannot be read as sound: it is empty",
        "text.mp3": "text.mp3 cannot be read as sound: ",
        "missing.wav": "missing.wav cannot be read as sound: there is no such file.",
    }.items():
        with pytest.raises(InputError) as caught:
            audio.read_audio(tmp_path / name)
        assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_a_video_comes_back_with_its_frames_and_sound(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(2.0), 16_000)
    video(tmp_path / "a.mp4", seconds=2.0, rate=25, size=(36, 64), sound=tmp_path / "a.wav")
    facts = media.probe(tmp_path / "a.mp4")
    assert facts.size == (36, 64) and facts.rate == 25 and facts.sound and facts.seconds == pytest.approx(2, abs=0.05)
    count, seconds = media.count_back(tmp_path / "a.mp4")
    assert count == 50 and seconds == pytest.approx(2, abs=0.1)
    heard = audio.read_audio(tmp_path / "a.mp4")
    assert np.sqrt((heard[4000:28_000] ** 2).mean()) == pytest.approx(0.5 * 32768 / np.sqrt(2), rel=0.05)
    # at ten frames a second frame n is of the time n / 10, when the gray level is 4 n
    levels = [frame.mean() for frame in media.frames(tmp_path / "a.mp4", 10, facts.size)]
    assert len(levels) == 20 and np.abs(np.array(levels) - 4 * np.arange(20)).max() < 3
    part = [frame.mean() for frame in media.frames(tmp_path / "a.mp4", 10, facts.size, first=7, count=3)]
    assert len(part) == 3 and np.abs(np.array(part) - [28, 32, 36]).max() < 3


def test_what_is_no_video_is_told_in_a_sentence(tmp_path):
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(InputError, match="a.mp4 cannot be read as a video: "):
        media.probe(tmp_path / "a.mp4")
