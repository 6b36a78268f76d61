"""From music and a photo to a dance video: stage I's windows joined to one, stage II's frames (thesis ch. 7).

Stage I saw dances of a fixed length, so that a song is cut into windows of that length, which overlap; where two meet,
one dance goes over into the next.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from gganjax import report
from gganjax.data import audio, dance_skeletons, media
from gganjax.data import settings as data_settings
from gganjax.data.images import read_image
from gganjax.errors import InputError
from gganjax.sound import FRAME_RATE, FULL, RATE
from gganjax.use import Translator

OVERLAP = 0.2  # of a window, the least that two neighbors share
MOMENTS = 12  # columns of the still sheet


class Song(NamedTuple):
    """Music to dance to.

    Attributes:
        path: its file.
        pieces: amplitudes float32 [frames, 1600], the last piece filled up with silence.
        seconds: its length.
    """

    path: Path
    pieces: np.ndarray
    seconds: float


def read_song(path: str | Path) -> Song:
    """Read music of any length; an InputError says why there is none, see `audio.read_audio`."""
    amplitudes = audio.read_audio(path)
    return Song(Path(path), audio.pieces(amplitudes, fill=True), len(amplitudes) / RATE)


def dance(skeletons: Translator, song: Song, *, seed: int = 0) -> np.ndarray:
    """Dance to a song.

    Args:
        skeletons: a trained stage I, which takes `audio` alone.
        song: see `read_song`.
        seed: another dance for another one.

    Returns:
        Poses float32 [frames, 18, 2] in [-1, 1], a tenth of a second each, as many as the song has pieces.
    """
    field = skeletons.method.fields["audio"]
    length = field.shape[1]
    starts = windows(len(song.pieces), length)
    filled = np.pad(song.pieces, ((0, max(length - len(song.pieces), 0)), (0, 0)))
    heard = np.stack([filled[start : start + length] for start in starts]) * np.float32(field.high / FULL)
    made = skeletons.outputs({"audio": heard}, seed=seed)["fake_poses"]
    return join(made, starts)[: len(song.pieces)]


def windows(frames: int, length: int) -> list[int]:
    """The first frames of windows that cover all frames, as few as overlap by OVERLAP, spread evenly."""
    least = max(int(OVERLAP * length), 1) if length > 1 else 0
    count = 1 if frames <= length else -(-(frames - least) // (length - least))
    return np.linspace(0, max(frames - length, 0), count).round().astype(int).tolist()


def join(parts: np.ndarray, starts: list[int]) -> np.ndarray:
    """Join windows [N, F, ...] that begin at frames `starts`: where two overlap, one goes over into the next.

    The way over takes the middle of what they share, at most OVERLAP of a window, so that no long stretch is a mean of
    two dances; it is slow at both ends.
    """
    length = parts.shape[1]
    whole = np.zeros((starts[-1] + length, *parts.shape[2:]), parts.dtype)
    whole[:length] = parts[0]
    for before, start, part in zip(starts, starts[1:], parts[1:]):
        shared = before + length - start
        way = min(shared, max(int(OVERLAP * length), 1))
        first = start + (shared - way) // 2
        share = (np.arange(way) + 1) / (way + 1)
        share = (share * share * (3 - 2 * share)).reshape(-1, *[1] * (parts.ndim - 2)).astype(parts.dtype)
        here, there = slice(first, first + way), slice(first - start, first - start + way)
        whole[here] += share * (part[there] - whole[here])
        whole[first + way : start + length] = part[first - start + way :]
    return whole


def read_person(path: str | Path, video: Translator) -> np.ndarray:
    """Read a photo of any size as stage II saw its persons: uint8 [H, W, 3], the middle of it in their shape."""
    return dance_skeletons.show(read_image(path), size_of(video))


def size_of(translator: Translator) -> tuple[int, int]:
    """(height, width) of a run's pictures."""
    return data_settings.resolve(translator.config["data"]).crop


def draw(translator: Translator, poses: np.ndarray) -> np.ndarray:
    """Draw poses [frames, 18, 2] as stage II saw its skeletons, uint8 [frames, H, W, 3]."""
    settings = data_settings.resolve(translator.config["data"])
    return dance_skeletons.sequence(poses, settings.crop, line_width=settings.line_width)


def film(video: Translator, person: np.ndarray, skeletons: np.ndarray) -> np.ndarray:
    """Let a person move as skeletons do.

    Args:
        video: a trained stage II, which takes `source` and `skeletons`.
        person: uint8 [H, W, 3].
        skeletons: uint8 [frames, H, W, 3].

    Returns:
        uint8 [frames, H, W, 3]; every frame is made of the photo and its skeleton (Eq. 7.6).
    """
    length, frames = video.method.fields["skeletons"].shape[1], len(skeletons)
    rest = -frames % length
    filled = np.concatenate([skeletons, skeletons[-1:].repeat(rest, axis=0)])
    rows = filled.reshape(-1, length, *filled.shape[1:])
    source = np.broadcast_to(person, (len(rows), *person.shape))
    made = video.outputs({"source": source, "skeletons": rows})["fake_frames"]
    return report.to_uint8(made).reshape(-1, *person.shape)[:frames]


def check(translator: Translator, inputs: tuple[str, ...], flag: str, folder: str | Path) -> Translator:
    """Return the run if it takes these inputs; an InputError names the flag and what was found."""
    if translator.method.inputs != inputs:
        raise InputError(
            f"{flag}={folder} is a run of {translator.method.name}, which takes {', '.join(translator.method.inputs)}; "
            f"expected one that takes {', '.join(inputs)}.")
    return translator


def write(path: Path, pictures: np.ndarray, song: Song) -> None:
    """Write frames uint8 [frames, H, W, 3] with the song's sound, and read back that all of them are there.

    Raises:
        InputError: the file could not be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    media.write_video(path, pictures, rate=FRAME_RATE, sound=song.path)
    count, seconds = media.count_back(path)
    if count != len(pictures) or abs(seconds - song.seconds) > 1 / FRAME_RATE:
        wanted = f"{len(pictures)} and {song.seconds:.2f} s"
        found = f"{count} frames and {seconds:.2f} s of sound"
        raise InputError(f"{path} holds {found}, expected {wanted}: is the disk full?")


def sheet(columns: dict[str, np.ndarray], person: np.ndarray | None) -> Image.Image:
    """A still sheet: the photo, and below one another strips of evenly spread moments of each video.

    columns: title -> uint8 [frames, H, W, 3], all of one size.
    """
    rows = {}
    for title, pictures in columns.items():
        chosen = np.linspace(0, len(pictures) - 1, min(MOMENTS, len(pictures))).round().astype(int)
        rows[title] = np.concatenate(list(pictures[chosen]), axis=1)
    panels = {} if person is None else {"person": np.stack([person] * len(rows))}
    return report.grid(panels | {", ".join(rows): np.stack(list(rows.values()))})
