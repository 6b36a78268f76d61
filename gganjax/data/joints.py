"""The joints of a dance over time: files of them, gaps filled, and other frame rates.

Joints are float64 [frames, 18, 2], x and y, NaN where one was not found, in the order of `skeletons`.
"""

import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gganjax.data import annotations, keypoints
from gganjax.data.dance_skeletons import JOINTS
from gganjax.errors import InputError

_KINDS = {17: annotations.from_coco, 18: lambda points: points, 25: annotations.from_openpose}
ENDINGS = (".npz", ".json")
OPENPOSE = "_keypoints"  # what a folder of OpenPose files is called behind the recording's name


class Track(NamedTuple):
    """The joints of one recording as its file has them.

    Attributes:
      joints: [frames, 18, 2] in pixels.
      rate: frames a second; 0 where the file does not say it.
      size: (height, width) of the video; None where the file does not say it.
      style: name of the dance style, "" where the file does not say it.
      tempo: beats a minute of music that begins on a beat; 0 where the file does not say it.
    """

    joints: np.ndarray
    rate: float = 0.0
    size: tuple[int, int] | None = None
    style: str = ""
    tempo: float = 0.0


def read_track(path: Path) -> Track:
    """Reads the joints of a recording.

    Args:
      path: an .npz file with `keypoints` [frames, 17, 18 or 25, 2 or 3] and, as far as known, `fps`, `image_size`
        [w, h], `genre` or `style`, and `bpm`; a .json file with the same keys, its key points lists; a .json file of
        the data folders, {"images": {NAME: {"body18": ...}}}, whose pictures are the frames; or a folder of OpenPose's
        files, one for each frame. Frames are in the order of the numbers in their names. A confidence of 0, and a place
        of (0, 0), is of a joint that was not found.

    Raises:
      InputError: another content, or joints of another number.
    """
    if path.is_dir():
        return Track(_openpose(path))
    try:
        if path.suffix.lower() == ".npz":
            with np.load(path, allow_pickle=False) as stored:
                content = {name: stored[name] for name in stored.files}
        else:
            content = json.loads(path.read_text())
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"The key-point file {path} cannot be read: {str(error).splitlines()[0].rstrip('.')}."
        ) from error
    if isinstance(content, dict) and "images" in content:
        return _pictures(path)
    if not isinstance(content, dict) or "keypoints" not in content:
        raise InputError(
            f"The key-point file {path} must hold 'keypoints' of [frames, joints, 2 or 3], found no such key."
        )
    try:
        points = np.asarray(content["keypoints"], np.float64)
    except (TypeError, ValueError):
        raise InputError(f"The key points of {path} are ragged, expected the same joints in every frame.") from None
    body, size = to_joints(points, path), content.get("image_size")
    try:
        return Track(
            body, float(content.get("fps", 0)), None if size is None else (int(size[1]), int(size[0])),
            str(content.get("style", content.get("genre", ""))), float(content.get("bpm", 0)))  # fmt: skip
    except (TypeError, ValueError, IndexError):
        raise InputError(
            f"The key-point file {path} must say fps and bpm as numbers and image_size as [width, height]."
        ) from None


def to_joints(points: np.ndarray, path) -> np.ndarray:
    """Turns key points [frames, 17, 18 or 25, 2 or 3] into joints [frames, 18, 2]; `path` is what errors call them."""
    check_shape(points, path)
    if points.shape[2] == 2:
        points = np.concatenate([points, (points != 0).any(axis=2, keepdims=True)], axis=2)
    convert = _KINDS[points.shape[1]]
    body = np.stack([convert(frame) for frame in points])
    found = (body[..., 2:] > 0) & np.isfinite(body[..., :2]).all(axis=2, keepdims=True)
    return np.where(found, body[..., :2], np.nan)


def check_shape(points: np.ndarray, path) -> None:
    """Refuses what is not [frames, 17, 18 or 25, 2 or 3] with a frame at least."""
    if points.ndim != 3 or points.shape[2] not in (2, 3) or not len(points):
        raise InputError(f"The key points of {path} must be [frames, joints, 2 or 3], found {list(points.shape)}.")
    if points.shape[1] not in _KINDS:
        raise InputError(
            f"The key points of {path} are of {points.shape[1]} joints, expected {JOINTS} (OpenPose's COCO order),"
            " 17 (COCO) or 25 (OpenPose's BODY_25)."
        )


def fill(joints: np.ndarray) -> np.ndarray:
    """Puts joints that were not found on the way between the frames before and behind in which they were.

    What was found at no time before, or at none after, stays NaN.
    """
    filled, times = joints.copy(), np.arange(len(joints))
    for joint in range(joints.shape[1]):
        found = np.isfinite(joints[:, joint]).all(axis=1)
        if found.all() or not found.any():
            continue
        for axis in range(2):
            filled[:, joint, axis] = np.interp(
                times, times[found], joints[found, joint, axis], left=np.nan, right=np.nan
            )
    return filled


def resample(joints: np.ndarray, rate: float, wanted: float) -> np.ndarray:
    """Joints at `rate` frames a second at `wanted` ones, by straight lines; frame n is of the time n / wanted."""
    if rate == wanted:
        return joints
    times = np.arange(int((len(joints) - 1) / rate * wanted + 1e-6) + 1) * (rate / wanted)
    before = np.minimum(times.astype(int), len(joints) - 1)
    after, share = np.minimum(before + 1, len(joints) - 1), (times - before)[:, None, None]
    # Not a sum of shares: a neighbor that was not found must not spoil a frame that needs none of it.
    return np.where(share > 1e-9, joints[before] + share * (joints[after] - joints[before]), joints[before])


def in_order(names: Iterable[str]) -> list[str]:
    """Names of frames in the order of the numbers in them: frame_9 before frame_10."""
    return sorted(
        names, key=lambda name: [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]
    )


def _pictures(path: Path) -> Track:
    size, figures = keypoints.read_figures(path, parts="body")
    return Track(_frames([figures[name] for name in in_order(figures)], path), size=size)


def _openpose(folder: Path) -> np.ndarray:
    found = {file.name: file for file in [*folder.glob("*_keypoints.json")] or [*folder.glob("*.json")]}
    files = [found[name] for name in in_order(found)]
    if not files:
        raise InputError(
            f"The folder of key points {folder} holds no OpenPose file (*_keypoints.json), one for each frame."
        )
    figures = []
    for path in files:
        try:
            figures.append(annotations.openpose_figure(json.loads(path.read_text()), path))
        except (OSError, json.JSONDecodeError, KeyError) as error:
            raise InputError(f"{path} cannot be read as an OpenPose file: {error}.") from error
    return _frames(figures, folder)


def _frames(figures: list, path: Path) -> np.ndarray:
    """The body of every figure, [frames, 18, 2]; NaN in a frame without one."""
    frames = np.full((len(figures), JOINTS, 2), np.nan)
    for number, figure in enumerate(figures):
        body = next((part for part in figure if len(part) == JOINTS), None)
        if body is not None:
            frames[number] = np.where(body[:, 2:] > 0, body[:, :2], np.nan)
    if np.isnan(frames).all():
        raise InputError(f"{path} holds nobody in {len(figures)} frames, expected a body of {JOINTS} or 25 joints.")
    return frames
