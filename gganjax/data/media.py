"""Videos in and out by ffmpeg, which comes inside the package imageio-ffmpeg.

Frames are uint8 [H, W, 3]. Whatever ffmpeg says of a file that it cannot read becomes one sentence.
"""

import itertools
import re
import subprocess
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import imageio_ffmpeg
import numpy as np

from gganjax.errors import InputError
from gganjax.sound import RATE

SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v")


class Video(NamedTuple):
    """What a video file says of itself.

    Attributes:
      size: (height, width), upright.
      rate: frames a second.
      seconds: its length.
      sound: whether it has any.
    """

    size: tuple[int, int]
    rate: float
    seconds: float
    sound: bool


def probe(path) -> Video:
    """Reads the facts of a video file; an InputError says that it is none."""
    told = _run("-i", str(path)).stderr.decode(errors="replace")
    stream = re.search(r"Stream #.*Video: .*?(\d{2,5})x(\d{2,5})", told)
    rate = re.search(r"([\d.]+k?) fps", told) or re.search(r"([\d.]+k?) tbr", told)
    length = re.search(r"Duration: (\d+):(\d+):([\d.]+)", told)
    if not (stream and rate and length):
        raise InputError(f"{path} cannot be read as a video: {_last(told)}.")
    width, height = int(stream[1]), int(stream[2])
    turned = re.search(r"rotation of (-?[\d.]+) degrees", told)
    if turned and round(abs(float(turned[1]))) % 180 == 90:
        width, height = height, width
    hours, minutes, seconds = (float(part) for part in length.groups())
    per_second = float(rate[1].rstrip("k")) * (1000 if rate[1].endswith("k") else 1)
    sound = re.search(r"Stream #.*Audio: ", told) is not None
    return Video((height, width), per_second, 3600 * hours + 60 * minutes + seconds, sound)


def read_sound(path, rate: int) -> np.ndarray | None:
    """The sound of any file that ffmpeg reads, int16 [samples] at `rate`, channels averaged; None without any."""
    done = _run("-i", str(path), "-vn", "-ac", "1", "-ar", str(rate), "-f", "s16le", "-")
    return np.frombuffer(done.stdout, "<i2") if done.returncode == 0 and done.stdout else None


def frames(
    path, rate: float, size: tuple[int, int], *, first: int = 0, count: int | None = None
) -> Iterator[np.ndarray]:
    """The frames of a video at `rate` a second, each the nearest in time that it has, uint8 [H, W, 3].

    size: its (height, width), see `probe`; first, count: which of these frames, None for all up to the end.
    """
    height, width = size
    limit = [] if count is None else ["-frames:v", str(count)]
    command = [
        *_command(), "-ss", f"{first / rate:.6f}", "-i", str(path), "-an", *limit, "-vf",
        f"fps={rate}:start_time=0:round=near", "-f", "rawvideo", "-pix_fmt", "rgb24", "-",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        while len(data := process.stdout.read(3 * height * width)) == 3 * height * width:
            yield np.frombuffer(data, np.uint8).reshape(height, width, 3)
        said = process.stderr.read().decode(errors="replace")
        if process.wait():
            raise InputError(f"{path} cannot be read as a video: {_last(said)}.")
    finally:
        process.stdout.close()
        process.stderr.close()
        process.kill()
        process.wait()


def write_video(path, pictures: Sequence[np.ndarray] | Iterator[np.ndarray], *, rate: float, sound=None) -> int:
    """Writes an H.264 video with AAC sound, which every browser plays, and returns the number of its frames.

    Args:
      path: the file to write, .mp4.
      pictures: frames uint8 [H, W, 3] of one size; odd sizes get a row or column more, as the format wants even ones.
      rate: frames a second.
      sound: a sound file that is put beside them from the beginning; None for none.
    """
    pictures = iter(pictures)
    first = next(pictures)
    height, width = first.shape[:2]
    sides = ["-i", str(sound)] if sound is not None else []
    mapped = ["-map", "0:v", "-map", "1:a", "-c:a", "aac", "-b:a", "192k", "-ar", "48000"] if sound is not None else []
    command = [
        *_command(), "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(rate), "-i", "-",
        *sides, *mapped, "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p",
        "-movflags", "+faststart", str(path),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    count = 0
    try:
        for picture in itertools.chain([first], pictures):
            process.stdin.write(np.ascontiguousarray(picture).tobytes())
            count += 1
        process.stdin.close()
    except BrokenPipeError:
        pass  # ffmpeg has ended and says why
    said = process.stderr.read().decode(errors="replace")
    process.stderr.close()
    if process.wait():
        raise InputError(f"The video {path} could not be written: {_last(said)}.")
    return count


def count_back(path) -> tuple[int, float]:
    """Decodes a whole video: (its frames, the seconds of its sound or 0), as they are and not as its header says."""
    seen = _run("-i", str(path), "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "gray", "-")
    height, width = probe(path).size
    heard = read_sound(path, RATE)
    return len(seen.stdout) // (height * width), 0.0 if heard is None else len(heard) / RATE


def _command() -> list[str]:
    return [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-loglevel", "error"]


def _run(*arguments: str) -> subprocess.CompletedProcess:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", *arguments]
    return subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip() and "At least one output file" not in line]
    return (lines[-1] if lines else "ffmpeg says nothing of it").rstrip(".")
