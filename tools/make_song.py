"""Composes a song with a clear beat and writes it as a sound file: music for `experiments/dance.py`.

    python tools/make_song.py song.wav --style=disco --tempo=118 --seconds=20 --seed=3

The music is that of the embedded dances, the same bits on every machine; the format is that of the file's ending
(.wav, .flac, .ogg, .mp3).
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gganjax.data import audio, music
from gganjax.errors import InputError
from gganjax.sound import RATE


def main(arguments=None) -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", help="the file to write")
    parser.add_argument("--style", choices=tuple(music.STYLES), default="disco")
    parser.add_argument("--tempo", type=float, help="beats a minute; default: the middle of the style's")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0, help="of key, chords and tune")
    options = parser.parse_args(arguments)
    style = music.STYLES[options.style]
    tempo = options.tempo if options.tempo is not None else sum(style.tempo) / 2
    try:
        if Path(options.out).suffix.lower() not in (".wav", ".flac", ".ogg", ".mp3"):
            raise InputError(f"the file must end in .wav, .flac, .ogg or .mp3, found {options.out}.")
        for name, value, low, high in (("tempo", tempo, 30, 300), ("seconds", options.seconds, 0.1, 3600)):
            if not low <= value <= high:
                raise InputError(f"--{name} must be from {low} to {high}, found {value:g}.")
        if options.seed < 0:
            raise InputError(f"--seed must not be negative, found {options.seed}.")
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    amplitudes = music.song(style, options.seed, tempo=tempo, first=0.0, seconds=options.seconds)
    audio.write_audio(options.out, amplitudes)
    print(f"wrote {options.out}: {options.style}, {tempo:g} beats a minute, {len(amplitudes) / RATE:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
