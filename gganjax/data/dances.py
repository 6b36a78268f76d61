"""The embedded set of dances: music, dancers who move to it, and pictures of them; nothing to download.

Each of `people` dancers dances `dances` times, for 10 s each; the style of the music goes round. Tempo, phase and key
of the music are chance, and the dance meets its beats. The dancers of the test split are others than those of the
training split, and so is their music. Everything is a pure function of (split, dancer, dance), the same bits on every
machine, made when it is first needed.
"""

from functools import cache

import numpy as np

from gganjax.data import dancer_pictures, dancers, music, sequences
from gganjax.data.hands import Dice
from gganjax.data.settings import Settings
from gganjax.data.source import Source
from gganjax.errors import InputError, nearest
from gganjax.sound import FRAME_RATE

SECONDS = 10  # of every dance: two samples of 50 frames
_SPLITS = {"train": 11, "test": 12}  # first number of every seed, so that the splits share nothing


def song_of(split: str, dancer: int, dance: int, style: str) -> tuple[music.Style, dict]:
    """The music of one dance: its style and how `music.song` and `music.beats` shall play it."""
    dice, kind = Dice(_SPLITS[split], dancer, dance, 1), music.STYLES[style]
    tempo = dice.between(*kind.tempo)
    return kind, dict(tempo=tempo, first=-dice.between(0, 1) * kind.meter * 60 / tempo, seconds=SECONDS)


def sound_of(split: str, dancer: int, dance: int, style: str) -> np.ndarray:
    """What is heard, int16 [160000]."""
    kind, played = song_of(split, dancer, dance, style)
    return music.song(kind, _SPLITS[split], dancer, dance, 2, **played)


def joints_of(split: str, dancer: int, dance: int, style: str) -> np.ndarray:
    """The dance to it, float64 [100, 18, 2] in pixels of the frame."""
    kind, played = song_of(split, dancer, dance, style)
    who, frames = body_of(split, dancer), SECONDS * FRAME_RATE
    beats = music.beats(kind, **played)
    return dancers.dance(who, style, beats, _SPLITS[split], dancer, dance, 3, frames=frames, rate=FRAME_RATE)


def body_of(split: str, dancer: int) -> dancers.Body:
    """The build of a dancer."""
    return dancers.body(_SPLITS[split], dancer, 4)


def look_of(split: str, dancer: int) -> dancer_pictures.Look:
    """What a dancer wears and where he is."""
    return dancer_pictures.look(_SPLITS[split], dancer, 5)


def open_dances(settings: Settings, split: str) -> Source:
    """Opens the embedded dances; `config.data.domains` may name some of the styles, in another order."""
    styles = settings.domains or tuple(music.STYLES)
    for style in styles:
        if style not in music.STYLES:
            raise InputError(f"config.data.domains names the style '{style}', which the embedded dances have not"
                             f"{nearest(style, music.STYLES)}.")  # fmt: skip
    people = settings.people if split == "train" else settings.test_people
    frames = SECONDS * FRAME_RATE

    def recording(dance: int, dancer: int) -> sequences.Recording:
        number = (dancer + dance) % len(styles)
        style = styles[number]
        joints = cache(lambda: joints_of(split, dancer, dance, style))

        def pictures(first: int, count: int) -> np.ndarray:
            who, wears, places = body_of(split, dancer), look_of(split, dancer), joints()[first : first + count]
            return np.stack([dancer_pictures.paint(who, wears, place, settings.crop) for place in places])

        sound = lambda: sound_of(split, dancer, dance, style)
        return sequences.Recording(f"p{dancer:03d}_d{dance}_{style}", number, frames, sound, joints, pictures)

    recordings = [recording(dance, dancer) for dance in range(settings.dances) for dancer in range(people)]
    facts = {"kind": "dances", "split": split, "people": people}
    return sequences.open_sequences(recordings, styles, settings, facts)
