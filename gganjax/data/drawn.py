"""The embedded set: drawn hands with exact key points; nothing to download, the same bits on every machine.

Every person shows `poses` gestures in one place and light; each ordered couple of pictures of a person is a pair. The
people of the test split are others than those of the training split. Each picture is a pure function of (split,
person, pose, size), drawn when it is first needed. For methods of label maps the parts of the target's hand are its
`labels`, see `painting.PARTS`, and their outlines its `edges`; across views both sides have their `classes`.
"""

import numpy as np

from gganjax.data import hands, painting
from gganjax.data.palettes import hues
from gganjax.data.settings import Settings
from gganjax.data.source import Classes, Memory, Names, Panel, Source
from gganjax.errors import InputError

_SPLITS = {"train": 1, "test": 2}  # first number of every seed, so that the splits share nobody


def picture(split: str, person: int, pose: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draws one picture: uint8 [size, size, 3], key points float64 [21, 3] in its pixels, parts uint8 [size, size]."""
    who = hands.person(_SPLITS[split], person)
    dice = hands.Dice(_SPLITS[split], person, 1 + pose)
    hand = hands.pose(who, gesture(split, person, pose), dice)
    points = [(x * size - 0.5, y * size - 0.5, 1.0) for x, y, _ in hand.joints]
    painted, _, parts = painting.paint(who, hand, size)
    return painted, np.array(points), parts


def outlines(parts: np.ndarray) -> np.ndarray:
    """The edges of parts [H, W], uint8 [H, W, 3]: 255 where the pixel below or to the right is another part."""
    edge = np.zeros(parts.shape, np.uint8)
    edge[:-1] |= parts[:-1] != parts[1:]
    edge[:, :-1] |= parts[:, :-1] != parts[:, 1:]
    return np.repeat(255 * edge[..., None], 3, axis=2)


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
        drawn, points, parts = picture(split, person, pose, size)
        maps = {"labels": parts, "edges": lambda: outlines(parts)}
        return Panel(drawn, figure=[points], classes=parts, maps=maps)

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
    palette = np.concatenate([np.zeros((1, 3), np.uint8), hues()[: len(painting.PARTS) - 1]])  # the background is black
    classes = Classes(palette, len(painting.PARTS) - 1, {})
    absent = {"instances": "the drawn hands have none."}
    return Source(Names(pairs, name), load, facts, size=size, mirrored=False, classes=classes, absent=absent)
