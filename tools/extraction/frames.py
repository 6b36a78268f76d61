"""Pictures of a folder and frames of its videos, one after the other."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from gganjax.data import images
from gganjax.errors import InputError

VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v")


def find(folder: Path) -> tuple[list[Path], list[Path]]:
    """The pictures and the videos of a folder and of those in it, sorted.

    Raises:
      InputError: there is no such folder, or neither in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder of photos or videos.")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    pictures = [path for path in files if path.suffix.lower() in images.SUFFIXES]
    videos = [path for path in files if path.suffix.lower() in VIDEOS]
    if not pictures and not videos:
        raise InputError(f"{folder} holds neither photos ({', '.join(images.SUFFIXES)}) nor videos ({', '.join(VIDEOS)}).")
    return pictures, videos


def read(folder: Path, pictures: list[Path], videos: list[Path], *, every: int, frames: Path) -> Iterator[tuple]:
    """Yields (name, uint8 [H, W, 3]), or (name, what is wrong with the file).

    A picture is named by its path below the folder; every n-th frame of a video is written to `frames` as
    VIDEO_000000.png, with the frame's number, and named so.
    """
    for path in pictures:
        name = path.relative_to(folder).as_posix()
        try:
            yield name, images.read_image(path)
        except InputError as error:
            yield name, str(error).rstrip(".")
    for path in videos:
        stem, count = "_".join(path.relative_to(folder).with_suffix("").parts), 0
        for number, picture in _frames(path, every):
            frames.mkdir(parents=True, exist_ok=True)
            name, count = f"{stem}_{number:06d}.png", count + 1
            Image.fromarray(picture).save(frames / name)
            yield name, picture
        if not count:
            yield path.relative_to(folder).as_posix(), f"{path} cannot be read as a video"


def _frames(path: Path, every: int) -> Iterator[tuple[int, np.ndarray]]:
    import cv2  # comes with mediapipe; not in the environment of training

    video = cv2.VideoCapture(str(path))
    number = 0
    while video.grab():
        if number % every == 0:
            good, frame = video.retrieve()
            if good:
                yield number, np.ascontiguousarray(frame[..., ::-1])
        number += 1
    video.release()
