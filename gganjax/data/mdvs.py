"""The files of Music-Dance-Video-Synthesis: sound and joints of clips of 10 s, a JSON file for each kind of dance.

A file holds a JSON text that holds JSON again: {video "000": {second of its beginning "025": {"audio_sequence": 160,000
amplitudes of 16 bits at 16 kHz, "joint_coors": [100][18][2] pixels of a frame of 640 x 360}}}. Clips whose lists are
ragged are left out, as there. A joint at (0, 0) was not found, as its detector writes.

    ROOT/train/NAME.json, ROOT/test/NAME.json    a file for each style, or
    ROOT/NAME.json                               one of both splits: of each file the last videos are the test split,
                                                 config.data.test_share of them (thesis section 7: 10 % of each type)
"""

import json
import math
from pathlib import Path

import numpy as np

from gganjax.data import joints, sequences
from gganjax.data.settings import Settings
from gganjax.data.source import Source
from gganjax.errors import InputError
from gganjax.sound import FULL, PIECE

_KEYS = ("audio_sequence", "joint_coors")


def open_mdvs(settings: Settings, split: str) -> Source:
    """Opens the clips of one split; the style of a clip is its file's name.

    Raises:
      InputError: no such folder or file, or a file that is something else.
    """
    root = Path(settings.folder)
    if not root.is_dir():
        raise InputError(f"config.data.folder names {root}, but there is no such folder.")
    divided = (root / split).is_dir()
    files = {path.stem: path for path in sorted((root / split if divided else root).glob("*.json"))}
    if not files:
        raise InputError(
            f"The dances of the {split} split must be JSON files in {root / split} or in {root}, which hold none."
        )
    styles = settings.domains or tuple(files)
    recordings, ragged = [], 0
    for number, style in enumerate(styles):
        if style not in files:
            raise InputError(
                f"config.data.domains names the style '{style}', but there is no file {root / f'{style}.json'}."
            )
        clips, lost = read_clips(files[style])
        ragged += lost
        videos = sorted({video for video, _ in clips})
        kept = set(videos) if divided else _share(videos, settings.test_share, split)
        for (video, second), (sound, places) in sorted(clips.items()):
            name = f"{style}_{video}_{second}"
            if video in kept and name.startswith(settings.only):
                recordings.append(_recording(name, number, sound, places))
    facts = {"kind": "mdvs", "folder": str(root), "split": split, "ragged_clips_left_out": ragged}
    return sequences.open_sequences(recordings, styles, settings, facts)


def read_clips(path: Path) -> tuple[dict[tuple[str, str], tuple[np.ndarray, np.ndarray]], int]:
    """Reads a file.

    Returns:
      ((video, second) -> (int16 [samples], float64 [frames, 18, 2], gaps filled), how many ragged clips were left out).
    """

    def packed(read: dict):
        # A clip becomes arrays as soon as it is read: as lists of Python's numbers a whole file would need gigabytes.
        return _clip(read, path) if set(_KEYS) <= read.keys() else read

    try:
        content = json.loads(path.read_text(), object_hook=packed)
        if isinstance(content, str):
            content = json.loads(content, object_hook=packed)
    except OSError as error:
        raise InputError(f"The file of dances {path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise InputError(f"The file of dances {path} is not JSON: {error}.") from error
    known = isinstance(content, dict) and all(
        isinstance(video, dict) and all(clip is None or isinstance(clip, tuple) for clip in video.values())
        for video in content.values())  # fmt: skip
    if not known or not content:
        form = '{VIDEO: {SECOND: {"audio_sequence": [...], "joint_coors": [...]}}}'
        raise InputError(f"The file of dances {path} must hold {form}.")
    clips = {(video, second): clip for video, found in content.items() for second, clip in found.items()}
    whole = {key: clip for key, clip in clips.items() if clip is not None}
    return whole, len(clips) - len(whole)


def _clip(read: dict, path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """The arrays of a clip; None where its lists are ragged."""
    try:
        sound, places = np.asarray(read["audio_sequence"], np.float64), np.asarray(read["joint_coors"], np.float64)
    except (TypeError, ValueError):
        return None
    if sound.ndim != 1 or places.ndim != 3 or not len(places):
        return None
    if not np.isfinite(sound).all() or np.abs(sound).max(initial=0) > FULL:
        raise InputError(f"The file of dances {path} must hold amplitudes from -32768 to 32767, found others.")
    return sound.astype(np.int16), joints.fill(joints.to_joints(places, path))


def _recording(name: str, style: int, sound: np.ndarray, places: np.ndarray) -> sequences.Recording:
    frames = min(len(places), len(sound) // PIECE)
    missing = np.isnan(places[:frames]).any(axis=(1, 2))
    return sequences.Recording(name, style, frames, lambda: sound, lambda: places[:frames], missing=missing)


def _share(videos: list[str], share: float, split: str) -> set[str]:
    """The last videos, at least one of two or more, are the test split; the others are the training split."""
    last = min(math.ceil(share * len(videos)), len(videos) - 1)
    return set(videos[len(videos) - last :] if split == "test" else videos[: len(videos) - last])
