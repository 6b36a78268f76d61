"""Dancers of the embedded set: bodies of several builds whose joints are in a key pose on every beat of the music.

Each style of `music.STYLES` has moves of its own, a key pose for each beat; between two beats every joint goes from
one pose to the next and rests at both, so that the motion is slowest on the beat. Which moves come in which order, and
to which side, is chance: many dances fit one song. Only arithmetic that IEEE 754 fixes, see `hands`.

The frame is 640 x 360 pixels, x to the right and y down; lengths are in body heights. The poses are those of `moves`.
"""

from typing import NamedTuple

import numpy as np

from gganjax.data.hands import Dice, turn
from gganjax.data.moves import MOVES, RUSH, Pose

FRAME = (360, 640)  # height and width, in pixels, of the frame that joints are in
RIGHT, LEFT = (2, 3, 4, 8, 9, 10), (5, 6, 7, 11, 12, 13)  # shoulder, elbow, wrist, hip, knee and ankle of the 18 joints


class Body(NamedTuple):
    """The build of a dancer: lengths in body heights, the rest of the picture."""

    height: float  # in pixels of the frame
    middle: float  # where the hips rest, in pixels from the left
    floor: float  # in pixels from the top
    trunk: float
    thigh: float
    shin: float
    arm: float
    forearm: float
    shoulders: float  # half of their breadth
    hips: float
    energy: float  # how far every move goes, 1 on average
    habit: float  # degrees by which the arms are always held farther out


def body(*numbers: int) -> Body:
    """The build of the dancer of these numbers."""
    dice = Dice(*numbers)
    vary = lambda length: length * dice.between(0.92, 1.08)
    return Body(
        height=dice.between(228, 288), middle=FRAME[1] / 2 + dice.between(-12, 12), floor=dice.between(338, 348),
        trunk=vary(0.29), thigh=vary(0.245), shin=vary(0.245), arm=vary(0.165), forearm=vary(0.15),
        shoulders=vary(0.105), hips=vary(0.06), energy=dice.between(0.85, 1.12), habit=dice.between(-5, 7))  # fmt: skip


def dance(who: Body, style: str, beats: list[float], *numbers: int, frames: int, rate: float = 10.0) -> np.ndarray:
    """Dances to the beats of a song.

    Args:
      who: see `body`.
      style: a name of `MOVES`.
      beats: their seconds, from one at or before 0 that begins a bar, see `music.beats`.
      numbers: of chance: another dance to the same song for other numbers.
      frames, rate: how many frames, and how many of them a second.

    Returns:
      Joints float64 [frames, 18, 2], x and y in pixels of the frame.
    """
    keys, joints, beat = choreography(style, len(beats), *numbers), [], 0
    for frame in range(frames):
        time = frame / rate
        while beats[beat + 1] <= time:
            beat += 1
        share, ahead = (time - beats[beat]) / (beats[beat + 1] - beats[beat]), keys[beat + 1]
        joints.append(_joints(who, _between(keys[beat], ahead, _eased(share, RUSH[style])), _hop(share, ahead.jump)))
    return np.array(joints)


def choreography(style: str, beats: int, *numbers: int) -> list[Pose]:
    """The key pose of every beat: a move is danced for two bars, each to another side, then chance takes the next."""
    dice, moves, keys, bar = Dice(*numbers), MOVES[style], [], 0
    while len(keys) < beats:
        if bar % 2 == 0:
            move, side = moves[dice.below(len(moves))], dice.below(2)
        keys += [pose.mirrored() if (bar + side) % 2 else pose for pose in move]
        bar += 1
    return keys


def _eased(share: float, rush: float) -> float:
    """From 0 to 1, at rest at both ends: `rush` of the way is made in the middle part of the time."""
    quick = min(max((share - 0.2) / 0.6, 0.0), 1.0)
    return (1 - rush) * share * share * (3 - 2 * share) + rush * quick * quick * (3 - 2 * quick)


def _hop(share: float, height: float) -> float:
    arc = 4 * share * (1 - share)
    return height * arc * arc  # at rest when it begins and when it ends


def _between(one: Pose, other: Pose, share: float) -> Pose:
    mix = lambda a, b: a + (b - a) * share
    limbs = [(mix(a[0], b[0]), mix(a[1], b[1])) for a, b in zip(one[:4], other[:4], strict=True)]
    return Pose(*limbs, *(mix(a, b) for a, b in zip(one[4:], other[4:], strict=True)))


def _joints(who: Body, pose: Pose, hop: float) -> list[tuple[float, float]]:
    """The 18 joints in pixels of the frame; the dancer faces the viewer, whose left is the dancer's right."""
    rest = Pose()
    pose = _between(rest, pose, who.energy)
    deep = 1 - 0.28 * pose.crouch  # knees towards the viewer: legs look shorter
    narrow = 1 - 0.35 * abs(pose.turn)
    sine, cosine = turn(pose.lean)
    across, up = (cosine, sine), (sine, -cosine)  # along the shoulders to the dancer's left, along the trunk
    hips = (pose.shift, 0.0)
    neck = _step(hips, up, who.trunk)
    points: dict[int, tuple[float, float]] = {1: neck}
    sides = ((-1, pose.right_arm, pose.right_leg, RIGHT), (1, pose.left_arm, pose.left_leg, LEFT))
    for side, arm, leg, (shoulder, elbow, wrist, hip, knee, ankle) in sides:
        points[shoulder] = _step(neck, across, side * who.shoulders * narrow)
        points[elbow] = _step(points[shoulder], _outward(arm[0] + who.habit, side), who.arm)
        points[wrist] = _step(points[elbow], _outward(arm[1] + who.habit, side), who.forearm)
        points[hip] = _step(hips, across, side * who.hips * narrow)
        points[knee] = _step(points[hip], _outward(leg[0] + 8 * pose.crouch, side), who.thigh * deep)
        points[ankle] = _step(
            points[knee], _outward(leg[1] - 4 * pose.crouch, side), who.shin * (1 - 0.1 * pose.crouch)
        )
    face = pose.turn * 0.022
    head = _step(neck, up, 0.085)
    points[0] = (head[0] + face, head[1])
    for side, eye, ear in ((-1, 14, 16), (1, 15, 17)):
        points[eye] = _step(_step((head[0] + 0.8 * face, head[1]), up, 0.018), across, side * 0.017)
        points[ear] = _step(_step((head[0] - 0.4 * face, head[1]), up, 0.008), across, side * 0.036)
    ground = max(points[10][1], points[13][1]) + 0.035 + hop  # soles lie below the ankles
    placed = [
        (who.middle + who.height * x, who.floor + who.height * (y - ground)) for _, (x, y) in sorted(points.items())
    ]
    return [(_grid(x), _grid(y)) for x, y in placed]


def _outward(angle: float, side: int) -> tuple[float, float]:
    sine, cosine = turn(angle)
    return side * sine, cosine


def _step(start: tuple[float, float], direction: tuple[float, float], length: float) -> tuple[float, float]:
    return start[0] + direction[0] * length, start[1] + direction[1] * length


def _grid(place: float) -> float:
    return int(place * 256 + 0.5) / 256  # to 1/256 of a pixel; all places are positive
