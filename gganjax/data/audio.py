"""Sound files to what the dance networks hear: 16 kHz, one channel, 16-bit amplitudes that are not scaled.

A frame of a dance is a tenth of a second, 1600 amplitudes of -32768 to 32767 as float32 (Music-Dance-Video-Synthesis,
the baseline of thesis section 7). soundfile reads WAV, FLAC, OGG and MP3 at any rate and with any number of channels;
what it does not read, such as the sound of a video, ffmpeg does, see `media`.
"""

from math import gcd
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from gganjax.data import media
from gganjax.errors import InputError
from gganjax.sound import FRAME_RATE, FULL, PIECE, RATE

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".m4a", ".aac", ".opus", ".aif", ".aiff")
SILENCE = 1.0  # the loudest amplitude of a track that holds nothing but dither


def read_audio(path, *, rate: int = RATE) -> np.ndarray:
    """Reads a sound file, or the sound of a video.

    Args:
      path: the file.
      rate: amplitudes a second of what comes out; the file may have any.

    Returns:
      float32 [samples], whole numbers from -32768 to 32767: the mean of all channels. A file of 16 bits with one
      channel at that rate comes out as it is stored.

    Raises:
      InputError: there is no such file, it holds no sound that can be read, it has 0 seconds, or it is silent.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} cannot be read as sound: there is no such file.")
    try:
        channels, stored = soundfile.read(path, dtype="float64", always_2d=True)
    except (soundfile.SoundFileError, ValueError) as error:
        found = media.read_sound(path, rate)
        if found is None:
            raise InputError(f"{path} cannot be read as sound: {_reason(path, error)}.") from error
        return check(found.astype(np.float32), path)
    return check(to_amplitudes(channels, stored, rate=rate), path)


def to_amplitudes(channels: np.ndarray, stored: int, *, rate: int = RATE) -> np.ndarray:
    """Turns floats [samples, channels] in [-1, 1] at `stored` a second into amplitudes float32 [samples] at `rate`."""
    single = np.asarray(channels, np.float64).mean(axis=1)
    if stored != rate and len(single):
        common = gcd(int(stored), rate)
        single = resample_poly(single, rate // common, int(stored) // common)
    return np.clip(np.rint(single * FULL), -FULL, FULL - 1).astype(np.float32)


def check(amplitudes: np.ndarray, path) -> np.ndarray:
    """Returns amplitudes [samples] that hold a frame of sound at least; an InputError says what else they are."""
    if len(amplitudes) < PIECE:
        raise InputError(
            f"{path} lasts {len(amplitudes) / RATE:.3g} s, expected {1 / FRAME_RATE} s of sound (one frame) at least."
        )
    if not np.isfinite(amplitudes).all():
        raise InputError(f"{path} holds amplitudes that are not finite numbers.")
    loudest = np.abs(amplitudes).max()
    if loudest <= SILENCE:
        raise InputError(f"{path} is silent: its loudest amplitude is {loudest:g} of {FULL:g}, expected music.")
    return amplitudes


def pieces(amplitudes: np.ndarray, *, fill: bool = False) -> np.ndarray:
    """Cuts amplitudes [samples] into frames [frames, 1600]; the rest is cut off, or filled up with zeros."""
    if fill and len(amplitudes) % PIECE:
        amplitudes = np.pad(amplitudes, (0, PIECE - len(amplitudes) % PIECE))
    count = len(amplitudes) // PIECE
    return amplitudes[: count * PIECE].reshape(count, PIECE)


def write_audio(path, amplitudes: np.ndarray, *, rate: int = RATE) -> None:
    """Writes amplitudes [samples] as a file of 16 bits; the ending of its name says the format."""
    soundfile.write(path, np.asarray(amplitudes).astype(np.int16), rate)


def _reason(path: Path, error: Exception) -> str:
    if path.stat().st_size == 0:
        return "it is empty (zero bytes)"
    return str(error).partition(":")[2].strip().rstrip(".") or "its content is no sound"
