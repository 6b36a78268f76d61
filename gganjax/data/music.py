"""Music of the embedded dances: drums, bass, chords and a tune on a grid of beats, by a style and a tempo.

The same bits on every machine, as in `hands`: only elementwise sums, products, quotients and square roots of float64,
the sine a polynomial of its own, noise from the raw output of PCG64; the sum is rounded to 16 bits at the end.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gganjax.data.hands import Dice
from gganjax.sound import RATE


class Style(NamedTuple):
    """A kind of music.

    The patterns are of one bar, a letter for each quarter of a beat: "x" is played loud, "o" softly, "." not at all.

    Attributes:
      tempo: beats a minute, lowest and highest; no two styles share a tempo.
      meter: beats of a bar.
      patterns: by voice: kick, snare, hat, open (hat), click, bass, chord, tune.
      minor: whether its chords are minor ones.
    """

    tempo: tuple[float, float]
    meter: int
    patterns: dict[str, str]
    minor: bool = False


STYLES = {
    "waltz": Style((74, 88), 3, dict(
        kick="x...........", snare="....o...o...", bass="x...........", chord="....x...x...", tune="x...x.o.x..o")),
    "popping": Style((94, 106), 4, dict(
        kick="x.....o.x..o....", snare="....x.......x...", hat="o.o.o.o.o.o.o.oo", bass="x..o..x.x..o..o.",
        chord="x.......o.......", tune="......o.....o.o."), minor=True),
    "disco": Style((112, 124), 4, dict(
        kick="x...x...x...x...", snare="....x.......x...", open="..o...o...o...o.", bass="x.o.x.o.x.o.x.o.",
        chord="x...o...x...o...", tune="x...o...x..o....")),
    "rock": Style((134, 148), 4, dict(
        kick="x...o...x.o.o...", snare="....x.......x...", hat="x.o.x.o.x.o.x.o.", bass="x.x.x.x.x.x.x.x.",
        chord="x.......x.......", tune="x...o.o.x.o....."), minor=True),
}  # fmt: skip
# The stand-in for music that may not be passed on: a click and drums at given beats (the first of four is louder)
TRACK = Style((30, 300), 4, dict(
    kick="x...o...o...o...", snare="....x.......x...", hat="..o...o...o...o.", click="x...o...o...o..."))  # fmt: skip

LOUD, SOFT = 1.0, 0.55
LEVELS = dict(kick=1.1, snare=0.6, hat=0.22, open=0.26, click=0.5, bass=0.5, chord=0.16, tune=0.22)
PROGRESSIONS = ((0, 5, 7, 0), (0, 9, 5, 7), (0, 3, 5, 7), (0, 7, 9, 5))  # roots of four bars in half tones
SCALE = (0, 2, 4, 7, 9, 12)  # of tunes; minor ones have 3 in place of 4
HALF_TONES = (  # 2 ** (k / 12), written out: a library's power may differ in the last bit
    1.0, 1.0594630943592953, 1.122462048309373, 1.189207115002721, 1.2599210498948732, 1.3348398541700344,
    1.4142135623730951, 1.4983070768766815, 1.5874010519681994, 1.681792830507429, 1.7817974362806785,
    1.8877486253633868,
)  # fmt: skip
_TURN = 6.283185307179586


def beats(style: Style, *, tempo: float, first: float, seconds: float) -> list[float]:
    """Seconds of every beat of `song`, from the one that begins its first bar to one after its end."""
    bars = _bars(style, tempo, first, seconds)
    return [first + number * 60.0 / tempo for number in range(bars * style.meter + 1)]


def song(style: Style, *numbers: int, tempo: float, first: float, seconds: float) -> np.ndarray:
    """Composes a song.

    Args:
      style: see `STYLES`.
      numbers: of chance: the key, the chords, the tune and how hard each note is hit.
      tempo: beats a minute.
      first: seconds at which a bar begins, from minus the length of one to 0.
      seconds: length of the song.

    Returns:
      int16 [samples] at 16 kHz.
    """
    dice = Dice(*numbers)
    beat = 60.0 / tempo
    key, roots = 40 + dice.below(9), PROGRESSIONS[dice.below(len(PROGRESSIONS))]
    third = 3 if style.minor else 4
    count = int(seconds * RATE + 0.5)
    mix = np.zeros(count, np.float64)
    steps = 4 * style.meter
    walk = dice.below(len(SCALE))
    for bar in range(_bars(style, tempo, first, seconds)):
        root = key + roots[bar % len(roots)]
        for step in range(steps):
            start = math.floor((first + (bar * steps + step) * beat / 4) * RATE + 0.5)
            for voice, pattern in style.patterns.items():
                if pattern[step] == ".":
                    continue
                level = LEVELS[voice] * (LOUD if pattern[step] == "x" else SOFT) * dice.between(0.9, 1.0)
                if voice == "bass":
                    _add(mix, start, level, note(root - 12, 0.9 * beat if style.meter == 3 else 0.45 * beat, 3))
                elif voice == "chord":
                    for tone in (0, third, 7):
                        _add(mix, start, level, note(root + 12 + tone, 0.9 * beat, 4))
                elif voice == "tune":
                    walk = min(max(walk + dice.below(5) - 2, 0), len(SCALE) - 1)
                    tone = SCALE[walk] - (style.minor and SCALE[walk] == 4)
                    _add(mix, start, level, note(root + 24 + tone, 0.7 * beat, 2))
                else:
                    _add(mix, start, level, hit(voice))
    loud = mix / np.sqrt(1 + mix * mix)  # a soft limit: whatever falls together stays below 1
    return np.floor(loud * 30_000 + 0.5).astype(np.int16)


def track(tempo: float, seconds: float) -> np.ndarray:
    """A click and drums at the beats k * 60 / tempo seconds: what stands for music whose tempo is all that is known."""
    return song(TRACK, 0, tempo=tempo, first=0.0, seconds=seconds)


def sine(turns: np.ndarray) -> np.ndarray:
    """The sine of angles in turns, to 1e-7, by sums and products alone."""
    part = turns - np.floor(turns + 0.5)  # -1/2 to 1/2
    part = np.where(part > 0.25, 0.5 - part, np.where(part < -0.25, -0.5 - part, part))
    x = part * _TURN
    square, total = x * x, np.zeros_like(x)
    for divisor in (110.0, 72.0, 42.0, 20.0, 6.0):  # x (1 - x^2/6 (1 - x^2/20 (1 - x^2/42 (...))))
        total = (1 - total) * square / divisor
    return x * (1 - total)


@lru_cache(maxsize=512)
def note(key: int, seconds: float, harmonics: int) -> np.ndarray:
    """A plucked tone that fades, float64 [samples], at most about 1: `key` as on a piano (69 is 440 Hz)."""
    octave, half = divmod(key - 69, 12)
    frequency = 440.0 * HALF_TONES[half] * (2.0**octave)
    time = np.arange(int(seconds * RATE), dtype=np.float64) / RATE
    tone = np.zeros_like(time)
    for harmonic in range(1, harmonics + 1):
        if frequency * harmonic < 0.45 * RATE:
            tone = tone + sine(time * (frequency * harmonic)) / (harmonic * harmonic)
    fade = 1 - time / seconds
    return _fixed(tone * fade * fade * np.minimum(time * 250, 1))


@lru_cache(maxsize=16)
def hit(voice: str) -> np.ndarray:
    """One stroke of a drum or a click, float64 [samples]."""
    seconds = dict(kick=0.2, snare=0.17, hat=0.05, open=0.2, click=0.03)[voice]
    time = np.arange(int(seconds * RATE), dtype=np.float64) / RATE
    fade = 1 - time / seconds
    if voice == "click":
        return _fixed(sine(time * 1760) * fade * fade)
    noise = np.random.PCG64(np.random.SeedSequence(7)).random_raw(len(time) + 1)
    noise = (noise >> np.uint64(11)).astype(np.float64) / 2.0**52 - 1
    if voice == "kick":  # falls from 150 to 45 Hz
        fallen = 45 * time + 105 * seconds / 3 * (1 - fade * fade * fade)
        return _fixed(sine(fallen) * fade + noise[1:] * np.maximum(1 - time * 300, 0) * 0.4)
    if voice == "snare":
        return _fixed((noise[1:] + 0.6 * sine(time * 185)) * fade * fade * fade)
    bright = noise[1:] - noise[:-1]  # without its low tones
    return _fixed(bright * fade * fade)


def _bars(style: Style, tempo: float, first: float, seconds: float) -> int:
    return int((seconds - first) * tempo / (60 * style.meter)) + 1


def _fixed(samples: np.ndarray) -> np.ndarray:
    samples.setflags(write=False)  # it is remembered and shared
    return samples


def _add(mix: np.ndarray, start: int, level: float, sound: np.ndarray) -> None:
    """Adds a sound from sample `start` on, of which what lies outside is lost."""
    first, last = max(start, 0), min(start + len(sound), len(mix))
    if first < last:
        mix[first:last] += level * sound[first - start : last - start]
