"""Recordings of dances to numbered samples: windows of some frames with their sound, joints and pictures.

A recording has ten frames a second. Its windows are `config.data.frames` long and begin every `config.data.hop`
frames, by default one behind the other without overlap, as Music-Dance-Video-Synthesis cuts its clips of 10 s. The
first frame of a recording with pictures is the photo that video is made from, so that its first window begins with
the second frame where it is long enough. Nothing is cropped at random or mirrored.
"""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from gganjax.data import audio, dance_skeletons
from gganjax.data.settings import Settings
from gganjax.data.source import Memory, Names, Source
from gganjax.errors import InputError
from gganjax.sound import FRAME_RATE

_log = logging.getLogger("gganjax")

MOST = 3  # names that a sentence lists


class Recording(NamedTuple):
    """One dance.

    Attributes:
      name: of it.
      style: number of its style.
      frames: how many there are, ten a second.
      sound: () -> amplitudes [frames * 1600] of any type that holds 16 bits.
      joints: () -> [frames, 18, 2] in pixels of the frame of `dance_skeletons`; NaN where a joint is found at no time
        before or none after.
      pictures: (first, count) -> uint8 [count, H, W, 3]; None where there are none.
      missing: bool [frames], where `joints` holds a NaN; None where it never does.
    """

    name: str
    style: int
    frames: int
    sound: Callable[[], np.ndarray]
    joints: Callable[[], np.ndarray]
    pictures: Callable[[int, int], np.ndarray] | None = None
    missing: np.ndarray | None = None


def open_sequences(
    recordings: Sequence[Recording],
    styles: Sequence[str],
    settings: Settings,
    facts: dict,
    *,
    absent: dict[str, str] | None = None,
) -> Source:
    """The samples of recordings.

    Args:
      recordings: all of the split.
      styles: their names in the order of the labels.
      settings: `config.data`.
      facts: what `Source.describe` tells besides; `styles` are those of the labels.
      absent: batch field -> one sentence, for what these recordings have not.

    Raises:
      InputError: no window can be used.
    """
    length, hop = settings.frames, settings.hop or settings.frames
    windows, short, gaps = [], [], {}
    for number, recording in enumerate(recordings):
        if recording.frames < length:
            short.append(recording.name)
        latest = recording.frames - length
        photo = recording.pictures is not None and latest > 0
        for first in sorted({max(first, int(photo)) for first in range(0, latest + 1, hop)}):
            if recording.missing is not None and recording.missing[first : first + length].any():
                gaps.setdefault(recording.name, []).append(first)
            else:
                windows.append((first, number))
    windows.sort()  # recordings change fastest, so that the first few windows already show much of the set
    sentences = _left_out(short, gaps, recordings, length)
    if not windows:
        told = " ".join(sentences) or "there is no recording."
        raise InputError(
            f"No window of {length} frames (config.data.frames) of the {facts['split']} split can be used: {told}"
        )
    for sentence in sentences:
        _log.warning(sentence.rstrip("."))
    memory = Memory(settings.memory)

    def pictures(number: int, first: int, count: int) -> np.ndarray:
        key = ("pictures", number, first, count)
        return memory.get(key, lambda: recordings[number].pictures(first, count))

    def sequence(index: int, fields=None) -> dict:
        first, number = windows[index]
        recording, made = recordings[number], {}
        here = slice(first, first + length)
        joints = recording.joints()[here]
        makers = dict(
            audio=lambda: audio.pieces(memory.get(("sound", number), recording.sound))[here].astype(np.float32),
            poses=lambda: dance_skeletons.normalize(joints),
            style=lambda: np.int32(recording.style),
            source=lambda: pictures(number, 0, 1)[0],
            frames=lambda: pictures(number, first, length),
            skeletons=lambda: np.stack([
                dance_skeletons.draw(frame, settings.crop, line_width=settings.line_width) for frame in joints]),
        )  # fmt: skip
        for name, make in makers.items():
            if (name in fields if fields is not None else True) and name not in absent:
                made[name] = make()
        return made | {"name": window_name(recording.name, first, length)}

    names = Names(
        len(windows), lambda index: window_name(recordings[windows[index][1]].name, windows[index][0], length)
    )
    used = {number for _, number in windows}
    counted = {style: sum(recordings[number].style == place for number in used) for place, style in enumerate(styles)}
    facts = facts | {
        "pairs": len(windows),
        "frames": length,
        "recordings": len(used),
        "seconds": round(sum(recordings[number].frames for number in used) / FRAME_RATE, 1),
        "styles": list(styles),
        "recordings_of_style": counted,
        "windows_left_out": sum(map(len, gaps.values())),
        "warnings": [*facts.get("warnings", ()), *sentences],
    }
    absent = dict(absent or {})
    if any(recordings[number].pictures is None for number in used):
        alone = next(recordings[number].name for number in sorted(used) if recordings[number].pictures is None)
        for name in ("source", "frames"):
            absent.setdefault(name, f"{alone} has neither a video nor a folder of frames.")
    return Source(names, None, facts, size=settings.crop, mirrored=False, absent=absent, sequence=sequence)


def window_name(recording: str, first: int, length: int) -> str:
    """The name of a window in result files: that of its recording, and its first and last frame."""
    return f"{recording}__{first:05d}_{first + length - 1:05d}"


def _left_out(short: list, gaps: dict, recordings: Sequence[Recording], length: int) -> list[str]:
    """What is left out, a sentence for each reason."""
    sentences = []
    if short:
        sentences.append(
            f"{len(short)} of {len(recordings)} recordings are shorter than a window of {length} frames"
            f" (config.data.frames) and are left out: {_some(short)}."
        )
    for name, firsts in list(gaps.items())[:MOST]:
        last = firsts[0] + length - 1
        sentences.append(
            f"{len(firsts)} windows of {name} are left out (frames {firsts[0]} to {last} first): joints are missing"
            " there that are found at no time before or at none after."
        )
    if len(gaps) > MOST:
        sentences.append(f"Windows of {len(gaps) - MOST} more recordings are left out for missing joints.")
    return sentences


def _some(names: list[str]) -> str:
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")
