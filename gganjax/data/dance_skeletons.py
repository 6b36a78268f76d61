"""Dance skeletons: the frame that joints are in, and their drawing in Music-Dance-Video-Synthesis (MDVS).

MDVS, the baseline of thesis section 7, keeps joints in pixels of a frame of 640 x 360 and gives its networks x /
320 - 1 and y / 180 - 1. Frames of another shape are put in the middle of that one, as large as fits. A picture of
another shape shows the middle of the frame, so that a dancer keeps his proportions whatever the pictures' size.
"""

import math

import numpy as np
from PIL import Image

from gganjax.data.dancers import FRAME

JOINTS = 18
LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
# In the order of the limbs. MDVS' writer exchanges red and blue on the way to the file; here they stay as listed.
COLORS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85),
    (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255),
    (255, 0, 170),
)  # fmt: skip
RADIUS = 4.0  # of joints, and half the width of limbs, in pixels of the frame


def normalize(joints: np.ndarray) -> np.ndarray:
    """Joints [..., 2] in pixels of the frame as the networks see them, float32 in [-1, 1] inside of the frame."""
    return (joints / (FRAME[1] / 2, FRAME[0] / 2) - 1).astype(np.float32)


def to_frame(poses: np.ndarray) -> np.ndarray:
    """The inverse of `normalize`, float64."""
    return (np.asarray(poses, np.float64) + 1) * (FRAME[1] / 2, FRAME[0] / 2)


def place(size: tuple[int, int]) -> tuple[float, float, float]:
    """Where a picture of that (height, width) lies in the frame: (top, left, frame pixels a picture pixel).

    The picture shows the largest middle of the frame that has its shape.
    """
    height, width = size
    pixel = min(FRAME[0] / height, FRAME[1] / width)
    return (FRAME[0] - pixel * height) / 2, (FRAME[1] - pixel * width) / 2, pixel


def into_frame(joints: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Joints [..., 2] in pixels of a video of that (height, width), moved to the frame, the video in its middle."""
    height, width = size
    scale = min(FRAME[0] / height, FRAME[1] / width)
    return joints * scale + ((FRAME[1] - scale * width) / 2, (FRAME[0] - scale * height) / 2)


def show(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What a picture of (height, width) shows of a frame of a video, uint8 [H, W, 3]; beyond its edges they go on."""
    stored = picture.shape[:2]
    scale = min(FRAME[0] / stored[0], FRAME[1] / stored[1])
    top, left, pixel = place(size)
    box = [(left - (FRAME[1] - scale * stored[1]) / 2) / scale, (top - (FRAME[0] - scale * stored[0]) / 2) / scale]
    box += [box[0] + pixel * size[1] / scale, box[1] + pixel * size[0] / scale]
    beyond = [max(math.ceil(over - 1e-6), 0) for over in (-box[0], -box[1], box[2] - stored[1], box[3] - stored[0])]
    if any(beyond):
        picture = np.pad(picture, ((beyond[1], beyond[3]), (beyond[0], beyond[2]), (0, 0)), mode="edge")
    sides = picture.shape[1::-1]
    box = [min(max(edge + beyond[number % 2], 0), sides[number % 2]) for number, edge in enumerate(box)]
    return np.asarray(Image.fromarray(picture).resize(size[::-1], Image.Resampling.BICUBIC, box=tuple(box)))


def draw(joints: np.ndarray, size: tuple[int, int], *, line_width: float = 0) -> np.ndarray:
    """Draws one skeleton: uint8 [H, W, 3] on white.

    Limb after limb, both joints as black discs of radius 4 and then an ellipse between them, 4 to both sides. At the
    size of the frame joints are truncated to whole pixels, as in MDVS; at others nothing is, lengths are in proportion
    and a pixel takes the share that covers it.

    Args:
      joints: [18, 2], x and y in pixels of the frame.
      size: (height, width) of the picture, see `place`.
      line_width: twice the radius, in pixels of the picture; 0 is 8 in the frame and in proportion, at least 2.
    """
    top, left, pixel = place(size)
    whole = tuple(size) == FRAME
    fine = 1 if whole else 2 if size[0] >= 256 else 4  # drawn so many times larger, then averaged
    places = (np.asarray(joints, np.float64) - (left, top)) * (fine / pixel)
    places = np.trunc(places) if whole else places - 0.5
    radius = fine * (line_width / 2 if line_width else max(RADIUS / pixel, 1.0))
    canvas = np.full((fine * size[0], fine * size[1], 3), 255, np.uint8)
    for (start, end), color in zip(LIMBS, COLORS, strict=True):
        for joint in (start, end):
            _ellipse(canvas, places[joint], places[joint], radius, (0, 0, 0))
        _ellipse(canvas, places[start], places[end], radius, color)
    if fine == 1:
        return canvas
    total = np.full((*size, 3), fine * fine // 2, np.uint16)
    for row in range(fine):
        for column in range(fine):
            total += canvas[row::fine, column::fine]
    return (total // (fine * fine)).astype(np.uint8)


def sequence(poses: np.ndarray, size: tuple[int, int], *, line_width: float = 0) -> np.ndarray:
    """Draws poses [F, 18, 2] in [-1, 1], uint8 [F, H, W, 3]."""
    return np.stack([draw(joints, size, line_width=line_width) for joints in to_frame(poses)])


def _ellipse(canvas: np.ndarray, start: np.ndarray, end: np.ndarray, radius: float, color: tuple) -> None:
    """Fills the ellipse whose long axis lies between two points; a disc where they are one, a disc's width at least."""
    (x0, y0), (x1, y1) = start.tolist(), end.tolist()
    x, y, dx, dy = (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0
    length = (dx * dx + dy * dy) ** 0.5
    half = length / 2 or radius
    across, down = (dx / length, dy / length) if length else (1.0, 0.0)
    reach = max(half, radius) + 1
    height, width = canvas.shape[:2]
    top, bottom = (int(min(max(place, 0), height)) for place in (y - reach, y + reach + 1))
    left, right = (int(min(max(place, 0), width)) for place in (x - reach, x + reach + 1))
    if top >= bottom or left >= right:
        return
    rows, columns = np.arange(top, bottom)[:, None] - y, np.arange(left, right)[None, :] - x
    along, aside = (columns * across + rows * down) / half, (rows * across - columns * down) / radius
    canvas[top:bottom, left:right][along * along + aside * aside <= 1] = color
