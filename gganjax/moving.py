"""Sequences to look at: strips of frames for grids, and animated pictures with the beat of the music marked.

A sequence is a video [N, F, H, W, 3], uint8 or floats in [-1, 1], or a dance [N, F, 18, 2] in [-1, 1], drawn as
skeletons. It has ten frames a second.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from gganjax.data import dance_skeletons
from gganjax.sound import FRAME_RATE

SHOWN = 8  # frames of a strip at most, evenly spread
SIDE = 96  # height and width of a skeleton that is drawn for it
ROWS = 3  # examples of an animated picture
GAP = 2
BAR = 10  # height of the line of time below an example
BEAT, NOW, LINE = (230, 30, 60), (40, 40, 40), (205, 205, 205)


def is_sequence(images: np.ndarray) -> bool:
    """Whether an array is a video or a dance rather than pictures."""
    return images.ndim == 5 or (images.ndim == 4 and images.shape[2:] == (dance_skeletons.JOINTS, 2))


def frames(sequences: np.ndarray, *, side: int = SIDE, chosen: Sequence[int] | None = None) -> np.ndarray:
    """The frames of sequences as pictures, uint8 or float [N, F, H, W, 3]; dances are drawn.

    side: height and width of a drawn skeleton; chosen: numbers of the frames that are wanted, by default all.
    """
    wanted = np.asarray(sequences if chosen is None else sequences[:, list(chosen)])
    if wanted.ndim == 5:
        return wanted
    return np.stack([dance_skeletons.sequence(dance, (side, side)) for dance in wanted])


def strips(sequences: np.ndarray) -> np.ndarray:
    """Frames of each sequence side by side, [N, H, frames * W, 3] of the type of `frames`."""
    count = sequences.shape[1]
    chosen = np.linspace(0, count - 1, min(SHOWN, count)).round().astype(int).tolist()
    shown = frames(sequences, chosen=chosen)
    return np.concatenate(list(np.moveaxis(shown, 1, 0)), axis=2)


def animate(panels: Mapping[str, np.ndarray], *, beats: Sequence[np.ndarray] = (),
            rate: float = FRAME_RATE) -> list[Image.Image]:
    """The frames of an animated picture: a row for each example, a column for each panel.

    Below every example lies its line of time, with a mark at every beat; on the beat the mark of the present lights up.

    Args:
      panels: name -> uint8 videos [N, F, H, W, 3], or pictures [N, H, W, 3] that stay; all of one height.
      beats: of each example the seconds of its beats; empty where no music is known.
      rate: frames a second.
    """
    rows = min(ROWS, *(len(images) for images in panels.values()))
    moving = [images for images in panels.values() if images.ndim == 5]
    length = max(images.shape[1] for images in moving)
    whole = []
    for number in range(length):
        lines = []
        for row in range(rows):
            now = [images[row, min(number, images.shape[1] - 1)] if images.ndim == 5 else images[row]
                   for images in panels.values()]  # fmt: skip
            framed = [np.pad(image, ((0, GAP), (0, GAP), (0, 0)), constant_values=255) for image in now]
            line = np.concatenate(framed, axis=1)
            lines += [line, _time(line.shape[1], number, length, beats[row] if len(beats) else None, rate)]
        whole.append(Image.fromarray(np.concatenate(lines)))
    return whole


def save(file: Path | BinaryIO, pictures: Sequence[Image.Image], *, rate: float = FRAME_RATE) -> None:
    """Writes an animated picture in WebP that repeats for ever."""
    pictures[0].save(file, "WEBP", save_all=True, append_images=pictures[1:], duration=round(1000 / rate), loop=0, quality=60)


def on_beat(number: int, beats: np.ndarray, rate: float) -> bool:
    """Whether the middle of a beat's frame is this one: the frame whose time is nearest to a beat."""
    return bool((np.floor(np.asarray(beats) * rate + 0.5) == number).any())


def _time(width: int, number: int, length: int, beats: np.ndarray | None, rate: float) -> np.ndarray:
    """The line of time, uint8 [BAR + GAP, width, 3]."""
    bar = np.full((BAR + GAP, width, 3), 255, np.uint8)
    if beats is None:
        return bar
    place = lambda seconds: min(int((seconds * rate + 0.5) / length * (width - BAR)), width - BAR - 2)
    bar[BAR // 2, : width - BAR] = LINE
    for beat in beats:
        bar[2 : BAR - 1, place(beat)] = BEAT
    now = place(number / rate)
    bar[1:BAR, now : now + 2] = NOW
    if on_beat(number, beats, rate):
        bar[:BAR, -BAR:] = BEAT
    return bar
