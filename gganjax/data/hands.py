"""Articulated hands for the drawn set: who is seen, in which pose, and where the 21 joints are.

The set must have the same bits on every machine. So chance comes from the raw output of PCG64, and all arithmetic
down to the pixel is sums, products, quotients and square roots of single numbers, which IEEE 754 fixes; the C
library's sine and power and reductions such as a NumPy sum or matrix product may differ in the last bit from one
processor to the next and are not used.

Lengths are in palms (wrist to middle knuckle). Space is x to the right, y up, z towards the viewer; the thumb is at
negative x until the side of the hand is chosen.
"""

import math
from typing import NamedTuple

import numpy as np

# Curl of index, middle, ring and little finger (0 straight, 1 closed), fold of the thumb (0 out, 1 across the palm), spread.
GESTURES = dict(
    fist=(1, 1, 1, 1, 1, 0.3),
    thumb=(1, 1, 1, 1, 0, 0.3),
    one=(0, 1, 1, 1, 1, 0.5),
    two=(0, 0, 1, 1, 1, 1.7),
    three=(0, 0, 0, 1, 1, 1.2),
    four=(0, 0, 0, 0, 1, 1.1),
    five=(0, 0, 0, 0, 0, 1.3),
    closed=(0, 0, 0, 0, 0.35, 0.15),
    gun=(0, 1, 1, 1, 0, 0.5),
    thumb_two=(0, 0, 1, 1, 0, 0.9),
    thumb_three=(0, 0, 0, 1, 0, 1.0),
    horns=(0, 1, 1, 0, 1, 0.9),
    rock=(0, 1, 1, 0, 0, 0.9),
    little=(1, 1, 1, 0, 1, 0.8),
    phone=(1, 1, 1, 0, 0, 0.9),
    circle=(0.62, 0.08, 0.04, 0, 0.62, 1.0),
    claw=(0.42, 0.4, 0.42, 0.45, 0.2, 1.2),
    middle_three=(1, 0, 0, 0, 0.85, 0.9),
)

SKINS = (
    (255, 224, 200),
    (245, 205, 172),
    (232, 184, 146),
    (214, 158, 116),
    (184, 124, 84),
    (146, 94, 62),
    (104, 66, 46),
    (74, 48, 36),
)


class Dice:
    """Uniform chance that is the same for every NumPy version and processor."""

    def __init__(self, *numbers: int):
        self._bits = np.random.PCG64(np.random.SeedSequence(numbers))

    def between(self, low: float, high: float) -> float:
        """A number from low to high, high left out."""
        return low + (high - low) * ((int(self._bits.random_raw()) >> 11) / 2.0**53)

    def below(self, count: int) -> int:
        """A whole number from 0 to count - 1."""
        return int(self.between(0, count))

    def order(self, count: int) -> list[int]:
        """The numbers 0 to count - 1, shuffled."""
        left = list(range(count))
        return [left.pop(self.below(len(left))) for _ in range(count)]


class Person(NamedTuple):
    """What stays the same in all pictures of one person: the hand, its owner's clothes, the place and the light."""

    skin: tuple  # RGB 0 to 255
    nail: tuple
    long: float  # finger length, 1 on average
    thick: float  # finger thickness
    broad: float  # palm width
    side: int  # 1: thumb on the left of the picture when the fingers point up, -1: on the right
    palm: bool  # the palm is seen, otherwise the back of the hand
    reach: float  # palm length as a share of the picture
    sleeve: float  # where it begins, in palms below the wrist; 9 = bare arm
    cloth: tuple
    stripe: tuple
    stripes: float  # per palm; 0 = plain cloth
    elbow: tuple  # the point below the picture where the arm comes from (x, y down, shares of the picture)
    light: tuple  # direction to the light, unit length, y down
    ambient: float
    place: int  # seed of the background


def person(*numbers: int) -> Person:
    """The person of these numbers."""
    dice = Dice(*numbers)
    tone = dice.between(0, len(SKINS) - 1.001)
    skin = _blend(SKINS[int(tone)], SKINS[int(tone) + 1], tone - int(tone))
    skin = tuple(level * dice.between(0.97, 1.03) for level in skin)
    painted = dice.below(5) == 0
    paint = tuple(dice.between(60, 235) for _ in range(3))
    nail = _blend(skin, paint, 0.9) if painted else _blend(skin, (255, 214, 208), 0.42)
    x, y = dice.between(-0.75, 0.75), dice.between(-0.8, 0.1)
    z = dice.between(0.6, 1.0)
    norm = math.sqrt(x * x + y * y + z * z)
    hue = tuple(dice.between(25, 225) for _ in range(3))
    other = tuple(dice.between(25, 235) for _ in range(3))
    return Person(
        skin=skin,
        nail=nail,
        long=dice.between(0.88, 1.14),
        thick=dice.between(0.88, 1.2),
        broad=dice.between(0.92, 1.1),
        side=1 - 2 * dice.below(2),
        palm=dice.below(3) > 0,
        reach=dice.between(0.28, 0.37),
        sleeve=9.0 if dice.below(4) == 0 else dice.between(0.3, 0.8),
        cloth=hue,
        stripe=other,
        stripes=dice.between(2.0, 5.0) if dice.below(2) else 0.0,
        elbow=(dice.between(0.25, 0.75), dice.between(1.5, 2.2)),
        light=(x / norm, y / norm, z / norm),
        ambient=dice.between(0.42, 0.6),
        place=dice.below(2**31),
    )


class Pose(NamedTuple):
    """One hand in the picture: joints [21] of (x, y, z) as shares of the picture side, y down, z to the viewer; and its scale."""

    joints: tuple
    dorsal: tuple  # for each joint, how much the back of its bone faces the viewer, -1 to 1
    palm: float  # palm length as a share of the picture


def pose(who: Person, gesture: str, dice: Dice) -> Pose:
    """Bends, turns and places the hand of a person; all joints lie inside the picture."""
    *curls, fold, spread = GESTURES[gesture]
    jitter = [dice.between(-0.06, 0.06) for _ in range(4)]
    curls = [min(max(curl + move, 0.0), 1.0) for curl, move in zip(curls, jitter, strict=True)]
    fold = min(max(fold + dice.between(-0.1, 0.1), 0.0), 1.0)
    joints, dorsal = _bend(who, curls, fold, spread * dice.between(0.85, 1.15))
    turn = _rotation(dice.between(-22, 18), dice.between(-24, 24), dice.between(-32, 32))
    joints = [_apply(turn, joint) for joint in joints]
    dorsal = [_apply(turn, normal)[2] for normal in dorsal]

    xs, ys = [who.side * x for x, _, _ in joints], [-y for _, y, _ in joints]
    wide, high = max(xs) - min(xs), max(ys) - min(ys)
    palm = min(who.reach * dice.between(0.93, 1.07), 0.84 / max(wide, high))
    # The wrist leans towards the elbow, and every joint keeps 8 % distance from the border.
    middle_x = _within(0.5 + dice.between(-0.14, 0.14), palm * wide / 2)
    middle_y = _within(0.5 + dice.between(-0.1, 0.12), palm * high / 2)
    left, top = middle_x - palm * (max(xs) + min(xs)) / 2, middle_y - palm * (max(ys) + min(ys)) / 2
    placed = tuple(
        (_grid(left + palm * x), _grid(top + palm * y), _grid(palm * z)) for x, y, (_, _, z) in zip(xs, ys, joints, strict=True)
    )
    return Pose(placed, tuple(dorsal), palm)


def _bend(who: Person, curls, fold, spread):
    """Joints and back directions of a hand that points up, in palms."""
    front = 1.0 if who.palm else -1.0  # where the palm looks
    joints, dorsal = [(0.0, 0.0, 0.0)], [(0.0, 0.0, -front)]
    # Thumb: metacarpal, proximal, distal; in-plane direction from the finger direction and lift out of the palm.
    at = (-0.24 * who.broad, 0.2, 0.1 * front)
    joints.append(at)
    dorsal.append((0.0, 0.0, -front))
    out, across = (52, 40, 30), (30, -18, -52)
    lift_out, lift_across = (0.25, 0.1, 0.05), (0.62, 0.62, 0.2)
    for bone, length in enumerate((0.44, 0.36, 0.28)):
        sine, cosine = turn(out[bone] + fold * (across[bone] - out[bone]))
        lift = lift_out[bone] + fold * (lift_across[bone] - lift_out[bone])
        flat = math.sqrt(1 - lift * lift)
        step = length * (0.5 + 0.5 * who.long)
        at = (at[0] - step * flat * sine, at[1] + step * flat * cosine, at[2] + step * lift * front)
        joints.append(at)
        # The thumb nail looks away from the palm's middle when it is out and to the viewer when it lies across the palm.
        dorsal.append((-0.6, 0.3, front * (0.75 * fold - 0.4)) if who.palm else (-0.5, 0.0, 0.8))
    fingers = (
        ((-0.36, 0.97), -9, (0.48, 0.29, 0.2)),
        ((-0.1, 1.0), -1, (0.54, 0.33, 0.21)),
        ((0.15, 0.95), 7, (0.5, 0.31, 0.21)),
        ((0.38, 0.83), 16, (0.38, 0.22, 0.18)),
    )
    for curl, ((x, y), splay, lengths) in zip(curls, fingers, strict=True):
        at = (x * who.broad, y, 0.0)
        joints.append(at)
        dorsal.append((0.0, 0.0, -front))
        sine, cosine = turn(splay * spread * (1 - 0.7 * curl))
        flexed = 0.0
        for straight, closed, length in zip((6, 8, 6), (82, 102, 58), lengths, strict=True):
            flexed += straight + curl * (closed - straight)
            up, ahead = turn(flexed)
            step = length * who.long
            at = (at[0] + step * ahead * sine, at[1] + step * ahead * cosine, at[2] + step * up * front)
            joints.append(at)
            dorsal.append((up * sine, up * cosine, -ahead * front))
    return joints, dorsal


def turn(degrees: float) -> tuple[float, float]:
    """Sine and cosine of an angle up to a full turn, by their power series (the same bits everywhere, unlike a library's)."""
    angle = degrees * 0.017453292519943295
    sine, cosine, term = 0.0, 0.0, 1.0
    for power in range(1, 40, 2):
        cosine += term
        term *= angle / power
        sine += term
        term *= -angle / (power + 1)
    return sine, cosine


def _rotation(pitch: float, yaw: float, roll: float):
    (sp, cp), (sy, cy), (sr, cr) = turn(pitch), turn(yaw), turn(roll)
    return (
        (cr * cy, cr * sy * sp - sr * cp, cr * sy * cp + sr * sp),
        (sr * cy, sr * sy * sp + cr * cp, sr * sy * cp - cr * sp),
        (-sy, cy * sp, cy * cp),
    )


def _apply(rows, point):
    return tuple(row[0] * point[0] + row[1] * point[1] + row[2] * point[2] for row in rows)


def _within(middle: float, half: float, margin: float = 0.08) -> float:
    return min(max(middle, margin + half), 1 - margin - half)


def _grid(share: float) -> float:
    return int(share * 4096 + 4096.5) / 4096 - 1  # to 1/4096 of the picture, half up


def _blend(one, other, share):
    return tuple(a + (b - a) * share for a, b in zip(one, other, strict=True))
