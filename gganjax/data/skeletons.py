"""Skeletons and landmarks: which joints are joined, how they are drawn, mirrored and moved.

Key points are float64 [J, 3]: x to the right, y down, in pixels with whole numbers at pixel centers, and the
confidence; a confidence of 0 means that the joint was not found. J = 21 is a hand and J = 18 a body, both in OpenPose
order, and J = 68 is a face in iBUG order. A figure is a list of such arrays.
"""

import colorsys

import numpy as np

from gganjax.errors import InputError

HAND_BONES = tuple(
    (0 if joint % 4 == 1 else joint - 1, joint) for joint in range(1, 21)
)  # from the wrist along thumb, index, middle, ring and little finger
BODY_BONES = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17), (2, 16), (5, 17),
)  # fmt: skip
BODY_MIRROR = (0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16)  # left and right joints exchanged
# Left and right points of a face exchanged: jaw, brows, bridge and foot of the nose, eyes, outer and inner lips.
FACE_MIRROR = (
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
    *range(45, 41, -1), 47, 46, *range(39, 35, -1), 41, 40,
    *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1),
)  # fmt: skip
MIRRORS = {18: BODY_MIRROR, 68: FACE_MIRROR}  # of a hand no joint has a side
FINGER_COLORS = ((255, 64, 64), (255, 208, 32), (64, 224, 64), (48, 208, 255), (192, 96, 255))  # thumb ... little finger
BODY_COLORS = tuple(
    tuple(round(255 * level) for level in colorsys.hsv_to_rgb(bone / len(BODY_BONES), 1.0, 1.0))
    for bone in range(len(BODY_BONES))
)


def draw_skeleton(points, size, *, line_width: float | None = None, style: str = "white") -> np.ndarray:
    """Draws a figure as lines on black, or as dots: uint8 [H, W, 3].

    Thesis 2.3.4 says white lines of width 4 at 256 x 256; the black background is our reading. C2GAN's released
    Radboud strips show landmarks as black dots of marker size 4 on white; that a marker's size is its diameter in
    pixels at 256 x 256 is our reading. A pixel takes the share of the line or dot that covers it, so that fractional
    widths and positions keep their meaning at small sizes.

    Args:
      points: one array of key points [J, 2 or 3], or a list of them (two hands).
      size: (height, width) of the picture.
      line_width: or diameter of the dots, in pixels; None is 4 at a height of 256 and in proportion, at least 1.
      style: "white"; "fingers" for a color of its own for each finger or limb; "dots" for a black dot on white at
        every joint. The points of a face are not joined: on black they are white dots.
    """
    height, width = size
    half = (line_width or default_width(height)) / 2
    canvas = np.full((height, width, 3 if style == "fingers" else 1), 255 if style == "dots" else 0, np.float32)
    for joints in as_figure(points):
        bones, colors = _drawing(len(joints), style)
        for (start, end), color in zip(bones, colors, strict=True):
            if joints[start, 2] > 0 and joints[end, 2] > 0:
                _line(canvas, joints[start, :2], joints[end, :2], half, color)
    drawn = (canvas + 0.5).astype(np.uint8)
    return np.repeat(drawn, 3 // drawn.shape[2], axis=2)


def default_width(height: int) -> float:
    """The thesis's line width, 4 pixels at 256, at another picture height."""
    return max(1.0, 4.0 * height / 256)


def as_figure(points) -> list[np.ndarray]:
    """Turns one array of key points, or a list of them, into a list of float64 [J, 3].

    Raises:
      InputError: not an array [J, 2] or [J, 3] of finite numbers with J = 18, 21 or 68.
    """
    arrays = [points] if isinstance(points, np.ndarray) and points.ndim == 2 else list(points)
    figure = []
    for array in arrays:
        try:
            array = np.asarray(array, np.float64)
        except (TypeError, ValueError):
            array = np.empty(0)
        if array.ndim != 2 or array.shape[1] not in (2, 3) or len(array) not in (18, 21, 68):
            raise InputError(
                "Key points must be 18 body joints, 21 hand joints or 68 face points of x, y[, confidence],"
                f" found an array of shape {array.shape}."
            )
        if array.shape[1] == 2:
            array = np.concatenate([array, np.ones((len(array), 1))], axis=1)
        if not np.isfinite(array).all():
            raise InputError("Key points must be finite numbers, found NaN or infinity.")
        figure.append(array)
    return figure


def move(figure, *, scale=(1.0, 1.0), offset=(0, 0)) -> list[np.ndarray]:
    """Resizes by `scale` (y, x) and then crops at `offset` (top, left), as the pictures are."""
    moved = []
    for joints in figure:
        x = (joints[:, 0] + 0.5) * scale[1] - 0.5 - offset[1]  # a pixel center lies half a pixel inside its pixel
        y = (joints[:, 1] + 0.5) * scale[0] - 0.5 - offset[0]
        moved.append(np.stack([x, y, joints[:, 2]], axis=1))
    return moved


def within(points: np.ndarray, size) -> np.ndarray:
    """Which points [..., 2] (x, y) lie inside a picture of size (width, height), bool [...]; NaN does not."""
    return ((points >= -0.5) & (points < np.subtract(size, 0.5))).all(axis=-1)


def mirror(figure, width: int) -> list[np.ndarray]:
    """Mirrors left to right within a picture of that width.

    The left and right joints of a body or face are exchanged, so that "left" stays the left of the person who is
    seen. The joints of a hand carry no side: a mirrored right hand is a left hand with the same 21 joints.
    """
    flipped = []
    for joints in figure:
        joints = joints * (-1.0, 1.0, 1.0) + (width - 1.0, 0.0, 0.0)
        flipped.append(joints[list(MIRRORS[len(joints)])] if len(joints) in MIRRORS else joints)
    return flipped


def visible(figure) -> bool:
    """Whether any joint was found."""
    return any((joints[:, 2] > 0).any() for joints in figure)


def _drawing(joints: int, style: str):
    """The pairs of joints to be joined, and the color of each line."""
    if style not in ("white", "fingers", "dots"):
        raise InputError(f"The style of a skeleton must be 'white', 'fingers' or 'dots', found {style!r}.")
    if style == "dots" or joints == 68:  # a line from a point to itself, with its round ends, is a dot
        return [(joint, joint) for joint in range(joints)], [0 if style == "dots" else 255] * joints
    bones = HAND_BONES if joints == 21 else BODY_BONES
    if style == "white":
        return bones, [255] * len(bones)
    return bones, [FINGER_COLORS[bone // 4] for bone in range(20)] if joints == 21 else BODY_COLORS


def _line(canvas, start, end, half, color) -> None:
    """Blends one line with round ends into float32 [H, W, C], in place."""
    (x0, y0), (x1, y1) = start.tolist(), end.tolist()
    reach = half + 1.5
    height, width = canvas.shape[:2]
    top, bottom = _span(y0, y1, reach, height)
    left, right = _span(x0, x1, reach, width)
    if top >= bottom or left >= right:
        return
    y = np.arange(top, bottom)[:, None] - y0
    x = np.arange(left, right)[None, :] - x0
    dx, dy = x1 - x0, y1 - y0
    length = max(dx * dx + dy * dy, 1e-12)
    place = np.clip(x * (dx / length) + y * (dy / length), 0, 1)
    across_x, across_y = x - place * dx, y - place * dy
    covered = np.clip(half + 0.5 - np.sqrt(across_x * across_x + across_y * across_y), 0, 1).astype(np.float32)[..., None]
    box = canvas[top:bottom, left:right]
    box += covered * (np.asarray(color, np.float32) - box)


def _span(one: float, other: float, reach: float, size: int) -> tuple[int, int]:
    """The pixels between two positions and `reach` beyond, within a picture."""
    low, high = min(one, other) - reach, max(one, other) + reach
    return int(min(max(low, 0), size)), int(min(max(high + 1, 0), size))
