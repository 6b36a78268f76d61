"""How well dances keep to the beat of their music.

A kinematic beat is a moment at which the body rests: a local minimum of the speed of its joints. Beat alignment is that
of "AI Choreographer" (Li et al., ICCV 2021): how near to a beat of the music each kinematic beat is. A dance to other
music is the control: without any tie to the music the value is well above 0.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gganjax.errors import InputError
from gganjax.sound import FRAME_RATE

DEVIATION = 0.05  # seconds: the paper's 3 frames at 60 a second
WIDTH_TO_HEIGHT = 16 / 9  # of the frame whose sides are both 2 units long in a dance's coordinates


class Alignment(NamedTuple):
    """Beat alignment of a set of dances.

    Attributes:
      value: mean over the dances whose music has beats.
      error: standard error of that mean.
      shuffled: mean of the same dances beside the music of others, the control.
      shuffled_error: standard error of that mean, over dances.
      count: dances whose music has beats.
    """

    value: float
    error: float
    shuffled: float
    shuffled_error: float
    count: int


def kinematic_beats(poses: np.ndarray, *, rate: float = FRAME_RATE) -> np.ndarray:
    """Returns the seconds of the kinematic beats of a dance, float64 [beats].

    The speed is the mean over the joints of the way from one frame to the next, smoothed over three such steps (1, 2,
    1); a minimum lies where a parabola through it and its neighbors is lowest. Minima at either end are not counted.

    Args:
      poses: [F, V, 2], x and y from -1 to 1 across a frame of 16:9.
      rate: frames a second.
    """
    steps = np.diff(np.asarray(poses, np.float64) * (WIDTH_TO_HEIGHT, 1.0), axis=0)
    speed = np.sqrt((steps**2).sum(-1)).mean(-1)
    if len(speed) < 5:
        return np.zeros(0)
    speed = (speed[:-2] + 2 * speed[1:-1] + speed[2:]) / 4
    before, here, after = speed[:-2], speed[1:-1], speed[2:]
    lowest = np.flatnonzero((here < before) & (here <= after))
    bend = before[lowest] - 2 * here[lowest] + after[lowest]
    places = lowest + 0.5 * (before[lowest] - after[lowest]) / bend
    # Place 0 is the second smoothed speed, in whose middle is the way from frame 2 to frame 3.
    return (places + 2.5) / rate


def beat_alignment(motion: np.ndarray, music: np.ndarray, *, deviation: float = DEVIATION) -> float:
    """Returns the mean over kinematic beats of exp(-d^2 / (2 deviation^2)), d the distance to the nearest musical beat.

    Args:
      motion: seconds of the kinematic beats; 0 where there are none.
      music: seconds of the musical beats.
      deviation: in seconds.

    Raises:
      InputError: the music has no beats.
    """
    if not len(music):
        raise InputError("Beat alignment needs music with beats, found none.")
    if not len(motion):
        return 0.0
    distance = np.abs(np.asarray(motion)[:, None] - np.asarray(music)[None]).min(axis=1)
    return float(np.exp(-0.5 * (distance / deviation) ** 2).mean())


def alignment(motion: Sequence[np.ndarray], music: Sequence[np.ndarray], songs: Sequence | None = None, *,
              shuffles: int = 20) -> Alignment:
    """Returns the beat alignment of dances with their own music, and with the music of others as the control.

    Each dance is compared with that of `shuffles` others, as far away in the list as numbers spread evenly over its
    length; the same song is never taken. Music without beats is left out on both sides.

    Args:
      motion: kinematic beats of each dance.
      music: beats of its music.
      songs: which song each dance was made for, as names or numbers; None where all differ.
      shuffles: other songs for each dance.

    Raises:
      InputError: another number of dances than of songs, or fewer than two songs with beats.
    """
    songs = list(range(len(motion))) if songs is None else list(songs)
    if not len(motion) == len(music) == len(songs):
        raise InputError(
            f"{len(motion)} dances need as much music, found {len(music)} and {len(songs)} names of songs.")
    kept = [number for number, beats in enumerate(music) if len(beats)]
    if len({songs[number] for number in kept}) < 2:
        raise InputError("Beat alignment and its control need two songs with beats or more.")
    own, others = [], []
    shifts = np.unique(np.linspace(1, len(kept) - 1, min(shuffles, len(kept) - 1)).round().astype(int))
    for place, number in enumerate(kept):
        own.append(beat_alignment(motion[number], music[number]))
        foreign = [kept[(place + shift) % len(kept)] for shift in shifts]
        foreign = [other for other in foreign if songs[other] != songs[number]]
        if foreign:
            others.append(np.mean([beat_alignment(motion[number], music[other]) for other in foreign]))
    return Alignment(float(np.mean(own)), _error(own), float(np.mean(others)), _error(others), len(kept))


def _error(values) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
