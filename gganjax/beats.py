"""Where the beats of music are: how strongly something begins at every moment, and the even course through it.

The tracker is that of Ellis, "Beat tracking by dynamic programming" (Journal of New Music Research, 2007): the
tempo is the strongest period of the onset strength, weighted towards 120 beats a minute, and the beats are the
sequence that collects most of it while its distances keep near that period.
"""

import numpy as np

from gganjax.sound import FULL, RATE

HOP = 160  # amplitudes from one moment to the next: a hundredth of a second
MOMENTS = RATE // HOP  # a second
WINDOW = 512
# Where bands of tones begin, a third of an octave or a line of the spectrum each: a bass drum counts as cymbals do
BANDS = np.unique(np.round(2 ** (np.arange(25) / 3)).astype(int))
SLOWEST, FASTEST = 40.0, 220.0  # beats a minute
USUAL, BREADTH = 120.0, 0.9  # the middle of the weight of tempos, and its width in octaves
TIGHTNESS = 100.0  # what a distance other than the period costs


def onset_strength(amplitudes: np.ndarray) -> np.ndarray:
    """How much louder the sound becomes, in the mean over bands of tones: float64 [moments], 100 a second.

    amplitudes: [samples] at 16 kHz, -32768 to 32767. The result is divided by its standard deviation; 0 of silence.
    """
    sound = np.pad(np.asarray(amplitudes, np.float64) / FULL, WINDOW // 2)
    if len(sound) < WINDOW + HOP:
        return np.zeros(len(amplitudes) // HOP)
    windows = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP][: len(amplitudes) // HOP]
    power = np.abs(np.fft.rfft(windows * np.hanning(WINDOW), axis=1)) ** 2
    bands = np.log1p(100 * np.add.reduceat(power, BANDS, axis=1))
    rise = np.maximum(np.diff(bands, axis=0, prepend=bands[:1]), 0).mean(axis=1)
    rise = np.convolve(rise, np.hanning(7) / np.hanning(7).sum(), mode="same")
    return rise / rise.std() if rise.std() > 0 else rise


def tempo(strength: np.ndarray) -> float:
    """Beats a minute of an onset strength; 0 of one without any onset, or too short to tell."""
    lags = np.arange(int(60 * MOMENTS / FASTEST), int(60 * MOMENTS / SLOWEST) + 1)
    lags = lags[lags < len(strength)]
    if not strength.any() or not len(lags):
        return 0.0
    centered = strength - strength.mean()
    similar = np.array([(centered[lag:] * centered[:-lag]).sum() / (len(centered) - lag) for lag in lags])
    octaves = np.log2(60 * MOMENTS / lags / USUAL)
    best = int(np.argmax(similar * np.exp(-0.5 * (octaves / BREADTH) ** 2)))
    place = float(lags[best])
    if 0 < best < len(lags) - 1:  # between whole lags, where a parabola through three of them is highest
        before, here, after = similar[best - 1 : best + 2]
        if here > max(before, after):
            place += 0.5 * (before - after) / (before - 2 * here + after)
    return 60 * MOMENTS / place


def find(amplitudes: np.ndarray) -> np.ndarray:
    """Seconds of the beats of music, float64 [beats], ascending; none where nothing ever begins.

    amplitudes: [samples], or pieces [frames, 1600], at 16 kHz, -32768 to 32767.
    """
    strength = onset_strength(np.asarray(amplitudes).reshape(-1))
    rate = tempo(strength)
    if not rate:
        return np.zeros(0)
    period = 60 * MOMENTS / rate
    back = np.arange(-int(2 * period), -int(period / 2) + 1)
    cost = -TIGHTNESS * np.log(-back / period) ** 2
    total, before = strength.copy(), np.full(len(strength), -1)
    for moment in range(len(strength)):
        steps = moment + back
        reached = steps >= 0
        if reached.any():
            scores = total[steps[reached]] + cost[reached]
            best = int(np.argmax(scores))
            if scores[best] > 0:  # otherwise the course begins here
                total[moment] += scores[best]
                before[moment] = steps[reached][best]
    # The last beat: the best end within the last period
    end = max(len(strength) - int(period) - 1, 0)
    moment, found = end + int(np.argmax(total[end:])), []
    while moment >= 0:
        found.append(moment)
        moment = before[moment]
    found = np.array(found[::-1])
    heard = found[strength[found] > 0.1 * strength[found].mean()]  # none is counted in silence before or after
    return heard / MOMENTS
