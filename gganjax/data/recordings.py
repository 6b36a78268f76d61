"""A folder of dances: videos or folders of frames, their sound, and their key points, at any frame rate.

    ROOT/train/NAME.mp4             the video, or ROOT/train/NAME/, its frames as pictures ordered by their numbers
    ROOT/train/NAME.wav             its sound (.flac, .ogg, .mp3, ...), where the video has none or shall have another
    ROOT/train/NAME.npz or .json    its key points, see `joints.read_track`, or OpenPose's, .../NAME_keypoints/

and the same with `test`. The files may be in folders of their styles, ROOT/train/STYLE/NAME.mp4; otherwise the
key-point file may name the style. Pictures are needed for video alone, sound and key points always. Where there is
no sound but the key points say their music's tempo, as those of AIST++ do, a click and drums are played at its
beats.

Everything is brought to ten frames a second and to the frame of `dance_skeletons`. Joints that were not found are
put between the frames before and behind.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gganjax.data import audio, dance_skeletons, images, joints, media, music, sequences, verify
from gganjax.data.settings import Settings
from gganjax.data.source import Source
from gganjax.errors import InputError
from gganjax.sound import FRAME_RATE, PIECE, RATE

SIZE = (1080, 1920)  # of the video of key points that come without one and do not say it, as AIST++'s
STYLE = "dance"  # of a recording that names none


class Files(NamedTuple):
    """What there is of one recording; None where there is nothing."""

    name: str
    style: str  # the folder that it is in, "" without one
    points: Path | None = None
    video: Path | None = None
    frames: Path | None = None
    sound: Path | None = None


def open_recordings(settings: Settings, split: str) -> Source:
    """Opens the recordings of one split.

    Raises:
      InputError: no such folder, nothing in it that can be used, or, with bad_files="stop", a recording that cannot be.
    """
    root = Path(settings.folder)
    if not root.is_dir():
        raise InputError(f"config.data.folder names {root}, but there is no such folder.")
    place = root / split
    if not place.is_dir():
        raise InputError(f"The dances of the {split} split must be in {place}, but there is no such folder.")
    listed = [files for files in find(place) if files.name.startswith(settings.only)]
    guided = [files for files in listed if files.points]
    silent = [files.name for files in listed if not files.points]
    if not guided:
        found = (
            f"the {len(listed)} dances in it have no key points ({silent[0]} first)" if silent else "it holds no dance"
        )
        raise InputError(
            f"No dance of {place} can be used: {found}; expected NAME.npz, NAME.json or NAME_keypoints for each."
        )
    tracks, made, bad = {}, {}, {}
    for files in guided:
        try:
            tracks[files.name] = joints.read_track(files.points)
            made[files.name] = _recording(files, tracks[files.name], settings)
        except InputError as error:
            bad[files.name] = str(error)
    if bad and (settings.bad_files == "stop" or not made):
        told = "; ".join(sentence.rstrip(".") for sentence in list(bad.values())[:3])
        raise InputError(
            f"{len(bad)} of {len(guided)} dances in {place} are bad ({told}): repair or remove them, or leave them out"
            " with config.data.bad_files=skip."
        )
    style_of = {files.name: files.style or tracks[files.name].style or STYLE for files in guided if files.name in made}
    styles = settings.domains or tuple(sorted(set(style_of.values())))
    unknown = sorted(name for name, style in style_of.items() if style not in styles)
    if unknown:
        raise InputError(
            f"config.data.domains is {', '.join(styles)}, but the dance {unknown[0]} in {place} is of the style"
            f" '{style_of[unknown[0]]}'."
        )
    recordings = [made[name]._replace(style=styles.index(style)) for name, style in style_of.items()]
    sentences = [] if not silent else [
        f"{len(silent)} of {len(listed)} dances in {place} have no key points and are left out ({silent[0]} first)."
    ]  # fmt: skip
    facts = {
        "kind": "recordings", "folder": str(root), "split": split, "without_key_points": silent,
        "bad_files": dict(sorted(bad.items())), "warnings": sentences,
    }  # fmt: skip
    return sequences.open_sequences(recordings, styles, settings, facts)


def find(place: Path) -> list[Files]:
    """The recordings of a folder and of the folders of styles in it, sorted; a style's folder is part of the name."""
    found: dict[tuple[str, str], dict[str, Path]] = {}

    def look(folder: Path, style: str) -> None:
        for path in sorted(folder.iterdir()):
            kind, name = _kind(path)
            if kind is None and path.is_dir() and not style:
                look(path, path.name)
            elif kind:
                found.setdefault((style, name), {}).setdefault(kind, path)

    look(place, "")
    return [Files("_".join(filter(None, key)), key[0], **files) for key, files in sorted(found.items())]


def _kind(path: Path) -> tuple[str | None, str]:
    """What a file or folder is to a recording, and the name of that recording."""
    ending = path.suffix.lower()
    if path.is_dir():
        if path.name.endswith(joints.OPENPOSE):
            return "points", path.name.removesuffix(joints.OPENPOSE)
        pictures = any(file.suffix.lower() in images.SUFFIXES for file in path.iterdir())
        return ("frames", path.name) if pictures else (None, path.name)
    kinds = dict(points=joints.ENDINGS, video=media.SUFFIXES, sound=audio.SUFFIXES)
    return next((kind for kind, endings in kinds.items() if ending in endings), None), path.stem


def _recording(files: Files, track: joints.Track, settings: Settings) -> sequences.Recording:
    """A recording after all checks; its style is still open."""
    rate, size, seconds, pictures = track.rate or settings.frame_rate, track.size, 0.0, None
    if files.video:
        height, width, per_second, length, _ = _look(files.video, _video_facts)
        seconds, rate = length / 1000, rate or per_second / 1000
        pictures, shown = partial(_of_video, files.video, (height, width), settings.crop), (height, width)
    elif files.frames:
        names = joints.in_order(path.name for path in files.frames.iterdir() if path.suffix.lower() in images.SUFFIXES)
        sizes, wrong = verify.verify(files.frames, names, threads=settings.threads)
        verify.complain(wrong, len(names), files.frames)
        shown = sizes[names[0]]
        _check_rate(rate, files)
        seconds, pictures = len(names) / rate, partial(_of_frames, files.frames, names, rate, settings.crop)
        other = next((name for name in names if sizes[name] != shown), None)
        if other:
            raise InputError(f"{files.frames / other} is {'{1}x{0}'.format(*sizes[other])}, but the first frame is"
                             f" {'{1}x{0}'.format(*shown)}.")  # fmt: skip
    else:
        shown = None
    if size and shown and size != shown:
        found = "{1}x{0}, but that of {name} is {3}x{2}".format(*size, *shown, name=files.name)
        raise InputError(f"{files.points} is for a video of {found}.")
    _check_rate(rate, files)
    lasts = len(track.joints) / rate
    told = f"{files.points} lasts {lasts:.1f} s ({len(track.joints)} frames, {rate:g} a second)"
    right = "is the frame rate right (fps in that file, or config.data.frame_rate)?"
    if seconds and abs(seconds - lasts) > max(0.5, 0.02 * seconds):
        raise InputError(f"{told}, but the video of {files.name} lasts {seconds:.1f} s: {right}")
    sound, samples = _sound(files, track, lasts, settings)
    if lasts > samples / RATE + max(1.0, 0.1 * lasts):
        raise InputError(f"{told}, but its sound lasts {samples / RATE:.1f} s: {right}")
    places = joints.fill(track.joints)
    places = joints.resample(places, rate, FRAME_RATE)
    places = dance_skeletons.into_frame(places, size or shown or SIZE)
    frames = min(len(places), samples // PIECE)
    places = places[:frames]
    missing = np.isnan(places).any(axis=(1, 2))
    return sequences.Recording(files.name, 0, frames, sound, lambda: places, pictures, missing)


def _sound(
    files: Files, track: joints.Track, seconds: float, settings: Settings
) -> tuple[Callable[[], np.ndarray], int]:
    """How to hear a recording, and how many amplitudes there are."""
    if path := files.sound or (files.video if files.video and _look(files.video, _video_facts)[4] else None):
        return lambda: audio.read_audio(path).astype(np.int16), _look(path, _sound_length)[0]
    if track.tempo > 0:
        seconds = int(seconds * FRAME_RATE + 1e-6) / FRAME_RATE
        return partial(music.track, track.tempo, seconds), int(seconds * RATE + 0.5)
    raise InputError(
        f"{files.name} has no sound, expected {files.points.with_name(files.name)}.wav or the like, a video with sound,"
        " or the tempo of its music, bpm, among the key points."
    )


def _check_rate(rate: float, files: Files) -> None:
    if not 1 <= rate <= 1000:
        found = f"{rate:g}" if rate else "not known"
        raise InputError(
            f"The frame rate of {files.name} is {found}, expected 1 to 1000 frames a second: fps in"
            f" {files.points.name}, or config.data.frame_rate."
        )


def _look(path: Path, look: Callable) -> tuple:
    """What `look` finds of a file, remembered while the file is the same; an InputError as it raises it."""
    found, bad = verify.verify(path.parent, [path.name], threads=1, look=look)
    if bad:
        raise InputError(bad[path.name])
    return found[path.name]


def _video_facts(path: Path) -> tuple[int, ...]:
    """(height, width, frames in 1000 s, length in ms, whether it has sound) of a video."""
    video = media.probe(path)
    return (*video.size, round(1000 * video.rate), round(1000 * video.seconds), int(video.sound))


def _sound_length(path: Path) -> tuple[int]:
    """How many amplitudes there are, of sound that can be heard."""
    return (len(audio.read_audio(path)),)


def _of_video(path: Path, stored: tuple[int, int], size: tuple[int, int], first: int, count: int) -> np.ndarray:
    """Frames of a video file, uint8 [count, H, W, 3]; behind its last one that is repeated."""
    shown = [dance_skeletons.show(frame, size) for frame in
             media.frames(path, FRAME_RATE, stored, first=first, count=count)]  # fmt: skip
    if not shown:
        raise InputError(f"{path} ends before its frame {first} at {FRAME_RATE} frames a second.")
    return np.stack(shown + [shown[-1]] * (count - len(shown)))


def _of_frames(
    folder: Path, names: list[str], rate: float, size: tuple[int, int], first: int, count: int
) -> np.ndarray:
    """Frames of a folder of pictures, each the nearest in time, uint8 [count, H, W, 3]."""
    chosen = [
        min(int(number / FRAME_RATE * rate + 0.5), len(names) - 1) for number in range(first, first + count)
    ]
    return np.stack([dance_skeletons.show(images.read_image(folder / names[number]), size) for number in chosen])
