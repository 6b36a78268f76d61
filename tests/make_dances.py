"""Small folders of dances in every layout, for several test files."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from gganjax.data import audio, dances, media


def joints(frames: int, *, rate: float = 10.0, size=(360, 640)) -> np.ndarray:
    """A body [frames, 18, 2] in pixels on straight lines: joint j at x = 100 + 5 j + 10 t, y = 60 + 12 j."""
    time = np.arange(frames)[:, None] / rate
    places = np.arange(18)[None]
    scale = size[0] / 360
    return np.stack([100 + 5 * places + 10 * time, 60 + 12 * places + 0 * time], axis=2) * scale


def tone(seconds: float, rate: int = 16_000, channels: int = 1) -> np.ndarray:
    """A 440 Hz tone at half of the loudest, float64 [samples, channels]."""
    time = np.arange(round(seconds * rate)) / rate
    return np.repeat(0.5 * np.sin(2 * np.pi * 440 * time)[:, None], channels, axis=1)


def recording(
    folder: Path, name: str, *, seconds: float = 3.0, rate: float = 10.0, size=(360, 640), points=None, **more
) -> None:
    """Writes NAME.npz and NAME.wav; `more` are further keys of the .npz file."""
    folder.mkdir(parents=True, exist_ok=True)
    keypoints = joints(round(seconds * rate), rate=rate, size=size) if points is None else points
    np.savez(folder / f"{name}.npz", keypoints=keypoints, fps=rate, image_size=size[::-1], **more)
    audio.write_audio(folder / f"{name}.wav", audio.to_amplitudes(tone(seconds), 16_000))


def pictures(folder: Path, count: int, size=(36, 64)) -> None:
    """Frames of one gray level each, twice their number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(np.full((*size, 3), 2 * number, np.uint8)).save(folder / f"frame_{number}.png")


def video(path: Path, *, seconds: float, rate: float = 25.0, size=(36, 64), sound: Path | None = None) -> None:
    """A video whose gray level is 40 a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = (np.full((*size, 3), round(40 * number / rate), np.uint8) for number in range(round(seconds * rate)))
    media.write_video(path, shown, rate=rate, sound=sound)


def mdvs(path: Path, videos: int, *, ragged: bool = False) -> None:
    """A file of MDVS with a clip of each video, encoded twice: embedded music and the joints of `joints`."""
    sound, places = dances.sound_of("train", 0, 0, "disco").tolist(), joints(100).tolist()
    clip = dict(audio_sequence=sound, joint_coors=places)
    content = {f"{number:03d}": {"000": clip} for number in range(videos)}
    if ragged:
        content["000"]["000"] = dict(audio_sequence=sound, joint_coors=[*places[:-1], places[-1][:5]])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(json.dumps(content)))
