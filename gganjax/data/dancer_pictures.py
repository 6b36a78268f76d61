"""Paints a dancer of `dancers` on his stage, from his joints: pictures for the step from skeletons to video.

Only elementwise sums, products, quotients and square roots of float32, see `hands`. Everything is painted at twice
the size and averaged.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gganjax.data.dance_skeletons import place
from gganjax.data.dancers import FRAME, Body
from gganjax.data.hands import SKINS, Dice
from gganjax.data.painting import halve

F = np.float32


class Look(NamedTuple):
    """What a dancer wears and where he is; colors are RGB, 0 to 255."""

    skin: tuple
    hair: tuple
    shirt: tuple
    trousers: tuple
    shoes: tuple
    long_sleeves: bool
    short_trousers: bool
    long_hair: bool
    wall: tuple
    floor: tuple
    panels: int  # of the wall
    light: float  # from the left of the picture, -1, to the right, 1


def look(*numbers: int) -> Look:
    """The look of the dancer of these numbers."""
    dice = Dice(*numbers)
    color = lambda low, high: tuple(dice.between(low, high) for _ in range(3))
    wall, gray = color(110, 240), dice.between(120, 225)
    return Look(
        skin=SKINS[dice.below(len(SKINS))], hair=tuple(level * dice.between(0.8, 1.2) for level in (62, 44, 34)),
        shirt=color(20, 235), trousers=color(15, 170), shoes=color(20, 240), long_sleeves=dice.below(2) == 0,
        short_trousers=dice.below(3) == 0, long_hair=dice.below(2) == 0,
        wall=tuple(0.6 * level + 0.4 * gray for level in wall),  # walls are paler than clothes
        floor=tuple(gray * dice.between(0.45, 0.75) for _ in range(3)), panels=dice.below(6),
        light=dice.between(-1, 1))  # fmt: skip


def paint(who: Body, wears: Look, joints: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Paints one frame, uint8 [H, W, 3].

    Args:
      who, wears: the dancer.
      joints: [18, 2], x and y in pixels of the frame.
      size: (height, width), see `dance_skeletons.place`.
    """
    top, left, pixel = place(size)
    canvas = _Canvas(stage(wears, who.floor, size).copy(), (left, top), 2 / pixel, wears.light)
    at = [tuple(joint) for joint in joints.tolist()]
    unit = who.height
    feet = (at[10][0] + at[13][0]) / 2
    canvas.shadow((feet, who.floor), 0.16 * unit + 0.4 * abs(at[10][0] - at[13][0]), 0.03 * unit)
    if wears.long_hair:
        canvas.limb(_mix(at[0], at[1], -0.35), _mix(at[0], at[1], 0.75), 0.055 * unit, 0.05 * unit, wears.hair)
    for hip, knee, ankle in ((8, 9, 10), (11, 12, 13)):
        toe = (at[ankle][0] + (0.03 * unit if hip == 11 else -0.03 * unit), at[ankle][1] + 0.018 * unit)
        canvas.limb(at[ankle], toe, 0.022 * unit, 0.02 * unit, wears.shoes)
        canvas.limb(
            at[knee], at[ankle], 0.036 * unit, 0.024 * unit, wears.skin if wears.short_trousers else wears.trousers
        )
        canvas.limb(at[hip], at[knee], 0.05 * unit, 0.038 * unit, wears.trousers)
    canvas.limb(at[8], at[11], 0.052 * unit, 0.052 * unit, wears.trousers)
    waist = [_mix(at[2], at[8], 0.82), _mix(at[5], at[11], 0.82)]
    canvas.quad([at[2], at[5], waist[1], waist[0]], wears.shirt)
    canvas.limb(at[2], at[5], 0.038 * unit, 0.038 * unit, wears.shirt)
    canvas.limb(*waist, 0.045 * unit, 0.045 * unit, wears.shirt)
    canvas.limb(at[1], _mix(at[1], at[0], 0.7), 0.026 * unit, 0.026 * unit, wears.skin)
    _head(canvas, wears, at, unit)
    for shoulder, elbow, wrist in ((2, 3, 4), (5, 6, 7)):
        hand = _mix(at[elbow], at[wrist], 1.22)
        canvas.limb(at[elbow], at[wrist], 0.026 * unit, 0.02 * unit, wears.shirt if wears.long_sleeves else wears.skin)
        canvas.limb(at[wrist], hand, 0.021 * unit, 0.019 * unit, wears.skin)
        canvas.limb(at[shoulder], at[elbow], 0.036 * unit, 0.028 * unit, wears.shirt)
    return (halve(canvas.pixels).clip(0, 255) + F(0.5)).astype(np.uint8)


def _head(canvas: "_Canvas", wears: Look, at: list, unit: float) -> None:
    crown, chin = _mix(at[0], at[1], -0.42), _mix(at[0], at[1], 0.42)
    canvas.limb(_mix(crown, chin, -0.02), _mix(crown, chin, 0.3), 0.05 * unit, 0.05 * unit, wears.hair)
    canvas.limb(_mix(crown, chin, 0.35), _mix(crown, chin, 0.7), 0.043 * unit, 0.034 * unit, wears.skin)
    for eye in (14, 15):
        canvas.limb(at[eye], at[eye], 0.007 * unit, 0.007 * unit, (30, 26, 26))
    (x, y), half = _mix(at[0], at[1], 0.24), 0.012 * unit
    canvas.limb((x - half, y), (x + half, y), half / 3, half / 3, (150, 60, 60))


class _Canvas:
    """Pixels float32 [2 H, 2 W, 3] that limbs are painted on, one over the other, in pixels of the frame."""

    def __init__(self, pixels: np.ndarray, corner: tuple[float, float], scale: float, light: float):
        self.pixels, self._corner, self._scale, self._light = pixels, corner, scale, F(light)

    def limb(self, start, end, r0: float, r1: float, color) -> None:
        """A tapered limb with round ends, darker on the side that is away from the light."""
        box, x, y, (x0, y0), (x1, y1) = self._box((start, end), max(r0, r1))
        if box is None:
            return
        r0, r1 = F(r0 * self._scale), F(r1 * self._scale)
        dx, dy = x1 - x0, y1 - y0
        square = dx * dx + dy * dy + F(1e-3)
        along = (((x - x0) * dx + (y - y0) * dy) / square).clip(0, 1)
        ox, oy, radius = x - x0 - along * dx, y - y0 - along * dy, r0 + along * (r1 - r0)
        inside = ox * ox + oy * oy <= radius * radius
        shade = F(1) + F(0.24) * self._light * ox / radius - F(0.12) * oy / radius
        self._fill(box, inside, shade, color)

    def quad(self, corners, color) -> None:
        """A convex area of corners in their order around it, clockwise as seen."""
        box, x, y, *points = self._box(corners, 0)
        if box is None:
            return
        inside = np.ones((y.shape[0], x.shape[1]), bool)
        for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
            inside &= (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) >= 0
        middle, half = (points[0][0] + points[1][0]) / 2, max(abs(points[1][0] - points[0][0]) / 2, F(1))
        shade = F(1) + F(0.2) * self._light * ((x - middle) / half).clip(-1, 1) + 0 * y
        self._fill(box, inside, shade, color)

    def shadow(self, middle, half_width: float, half_height: float) -> None:
        """A soft dark ellipse."""
        box, x, y, (x0, y0) = self._box((middle,), half_width)
        if box is None:
            return
        across, down = (x - x0) / F(half_width * self._scale), (y - y0) / F(half_height * self._scale)
        dark = (1 - across * across - down * down).clip(0, 1) * F(0.45)
        self.pixels[box] *= (1 - dark)[..., None]

    def _fill(self, box, inside, shade, color) -> None:
        self.pixels[box] = np.where(inside[..., None], shade[..., None] * np.array(color, F), self.pixels[box])

    def _box(self, points, reach: float):
        """The part of the canvas around points, its pixels' x and y, and the points, all in pixels of the canvas."""
        scaled = [
            tuple(F((value - corner) * self._scale) for value, corner in zip(point, self._corner)) for point in points
        ]
        reach = reach * self._scale + 1
        height, width = self.pixels.shape[:2]
        top, bottom, left, right = (
            min(max(math.floor(edge), 0), side) for edge, side in (
                (min(y for _, y in scaled) - reach, height), (max(y for _, y in scaled) + reach + 1, height),
                (min(x for x, _ in scaled) - reach, width),
                (max(x for x, _ in scaled) + reach + 1, width)))  # fmt: skip
        box = None if top >= bottom or left >= right else (slice(top, bottom), slice(left, right))
        x = np.arange(left, right, dtype=F)[None, :] + F(0.5)
        y = np.arange(top, bottom, dtype=F)[:, None] + F(0.5)
        return box, x, y, *scaled


@lru_cache(maxsize=64)
def stage(wears: Look, ground: float, size: tuple[int, int]) -> np.ndarray:
    """The empty stage at twice the size, float32 [2 H, 2 W, 3], 0 to 255: a wall with panels and a floor of boards."""
    top, left, pixel = place(size)
    y = (F(top) + (np.arange(2 * size[0], dtype=F) + F(0.5)) * F(pixel / 2))[:, None, None]
    x = (F(left) + (np.arange(2 * size[1], dtype=F) + F(0.5)) * F(pixel / 2))[None, :, None]
    edge = F(ground - 46)  # where the wall meets the floor
    bright = F(1) + F(0.1) * F(wears.light) * (x / F(FRAME[1]) * 2 - 1) - F(0.12) * y / F(FRAME[0])
    wall = np.array(wears.wall, F) * bright
    if wears.panels:
        part = x * F(wears.panels + 2) / F(FRAME[1])
        part = part - np.floor(part)
        seam = (part < F(0.03)) | (y > edge - 14)
        wall = np.where(seam, wall * F(0.82), wall)
    depth = (y - edge) / F(FRAME[0] - ground + 46)
    across = (x - F(FRAME[1] / 2)) / (F(0.6) + np.maximum(depth, 0)) * F(9 / FRAME[1])
    board = np.floor(across)
    odd = board - 2 * np.floor(board / 2)
    floor = np.array(wears.floor, F) * (F(0.85) + F(0.25) * depth.clip(0, 1)) * (1 + F(0.07) * odd)
    pixels = np.where(y < edge, wall, floor)
    pixels.setflags(write=False)  # it is remembered and shared
    return pixels


def _mix(one, other, share: float):
    return one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share
