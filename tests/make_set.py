"""Small data sets on disk for the tests of gganjax.data."""

import json

import numpy as np
from PIL import Image

HAND = np.stack([np.linspace(4, 27, 21), np.linspace(6, 25, 21) ** 1.02, np.full(21, 0.9)], axis=1)


def picture(seed: int, height: int = 32, width: int = 32) -> np.ndarray:
    """A random picture, uint8 [H, W, 3]."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def make_folder(root, *, count=6, side=32, splits=("train", "test"), pairs=None, guidance="json"):
    """Writes a folder of `count` PNG pictures per split and all ordered pairs of neighbors."""
    for number, split in enumerate(splits):
        (root / split).mkdir(parents=True)
        names = [f"p{i}.png" for i in range(count)]
        for i, name in enumerate(names):
            Image.fromarray(picture(100 * number + i, side, side)).save(root / split / name)
        chosen = pairs or [(names[i], names[(i + 1) % count]) for i in range(count)]
        (root / f"{split}_pairs.csv").write_text("source,target\n" + "".join(f"{a},{b}\n" for a, b in chosen))
        if guidance == "json":
            write_key_points(root, split, {name: HAND + (i % 3, 0, 0) for i, name in enumerate(names)}, side)
    return root


def write_key_points(root, split, hands: dict, side: int | None) -> None:
    """Writes the key-point file of a split; a hand of None is a picture where none was found."""
    images = {name: {"hands": [] if hand is None else [{"points": np.asarray(hand).tolist()}]} for name, hand in hands.items()}
    size = {} if side is None else {"image_size": [side, side]}
    (root / f"{split}_keypoints.json").write_text(json.dumps({**size, "images": images}))


def folder_settings(root, **changes) -> dict:
    """Data settings for such a folder."""
    return dict(dict(kind="folder", folder=str(root), load_size=24, crop_size=16, threads=1, prefetch=1), **changes)


def take(batches, count: int) -> list[dict]:
    """The first batches of an iterator, which is then closed."""
    with batches:
        return [next(batches) for _ in range(count)]


def same(one: dict, other: dict) -> bool:
    """Whether two batches hold the same bytes and names."""
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


def write_picture(path, seed: int, height: int = 32, width: int = 32) -> None:
    """Writes a random picture, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(seed, height, width)).save(path)


def make_domains(root, *, train=(5, 4, 3), test=(3, 2, 2), names=("c", "a", "b")):
    """Writes a folder of PNG pictures for each domain; picture i of domain d of the training split is `picture(100 * d + i)`."""
    for number, (split, counts) in enumerate(dict(train=train, test=test).items()):
        for d, (name, count) in enumerate(zip(names, counts, strict=True)):
            for i in range(count):
                write_picture(root / split / name / f"{i}.png", 1000 * number + 100 * d + i)
    return root


def make_attributes(root, vectors: list, names=("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")):
    """Writes CelebA's list of attributes and a picture for each of its lines."""
    lines = [str(len(vectors)), " ".join(names)]
    for i, vector in enumerate(vectors):
        write_picture(root / "images" / f"{i:03d}.png", i)
        lines.append(f"{i:03d}.png  " + "  ".join("1" if value else "-1" for value in vector))
    (root / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    return root
