"""The embedded set: drawn hands with exact key points; nothing to download, the same bits on every machine.

Every person shows `poses` gestures in one place and light; each ordered couple of pictures of a person is a pair. The
people of the test split are others than those of the training split. Each picture is a pure function of (split,
person, pose, size), drawn when it is first needed.
"""

import numpy as np

from gganjax.data import hands, painting
from gganjax.data.settings import Settings
from gganjax.data.source import Memory, Names, Panel, Source
from gganjax.errors import InputError

_SPLITS = {"train": 1, "test": 2}  # first number of every seed, so that the splits share nobody


def picture(split: str, person: int, pose: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws one picture: (uint8 [size, size, 3], key points float64 [21, 3] in its pixels)."""
    who = hands.person(_SPLITS[split], person)
    dice = hands.Dice(_SPLITS[split], person, 1 + pose)
    hand = hands.pose(who, gesture(split, person, pose), dice)
    points = [(x * size - 0.5, y * size - 0.5, 1.0) for x, y, _ in hand.joints]
    return painting.paint(who, hand, size)[0], np.array(points)


def gesture(split: str, person: int, pose: int) -> str:
    """The name of the gesture; a person repeats none before all have been shown."""
    names = list(hands.GESTURES)
    order = hands.Dice(_SPLITS[split], person, 0).order(len(names))
    return names[order[pose % len(names)]]


def open_drawn(settings: Settings, split: str, *, size: tuple[int, int]) -> Source:
    """Opens the drawn set with panels of that (height, width), which must be equal: a hand is drawn in a square."""
    if size[0] != size[1]:
        raise InputError(f"The drawn set has square pictures, but config.data asks for {size[1]}x{size[0]}.")
    size = size[0]
    people = settings.people if split == "train" else settings.test_people
    poses = settings.poses
    memory = Memory(settings.memory)

    def panel(person: int, pose: int) -> Panel:
        drawn, points = picture(split, person, pose, size)
        return Panel(drawn, figure=[points])

    def couple(index: int) -> tuple[int, int, int]:
        # People change fastest, then the source, so that the first few pairs already show much of the set.
        rest, person = divmod(index, people)
        distance, source = divmod(rest, poses)
        return person, source, (source + 1 + distance) % poses

    def load(index: int) -> tuple[Panel, Panel]:
        person, *sides = couple(index)
        source, target = (memory.get((person, pose), lambda pose=pose: panel(person, pose)) for pose in sides)
        return source, target

    def name(index: int) -> str:
        person, *sides = couple(index)
        return "__".join(f"p{person:03d}_{pose:02d}_{gesture(split, person, pose)}" for pose in sides)

    pairs = people * poses * (poses - 1)
    facts = {
        "kind": "drawn",
        "split": split,
        "people": people,
        "pairs": pairs,
        "pictures": people * poses,
        "sizes": {f"{size}x{size}": people * poses},
        "pairs_left_out": 0,
        "without_key_points": [],
        "bad_files": {},
        "guidance": "key points",
    }
    return Source(Names(pairs, name), load, facts, size=size, mirrored=False)
