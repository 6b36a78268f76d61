"""Random crop and flip of a pair, the same for its four panels, and the drawing of its guidance.

As the reference: each panel has been resized to load_size x load_size by itself; one crop offset is shared by the
panels. The reference flips only the pictures and not the skeletons when asked to flip (a bug); here all four panels
turn together.
"""

from typing import NamedTuple

import numpy as np

from gganjax.data import skeletons


class Augmentation(NamedTuple):
    """What happens to one pair."""

    top: int = 0
    left: int = 0
    flip: bool = False


def draw(rng: np.random.Generator, *, load_size: int, crop_size: int, flip: bool) -> Augmentation:
    """Draws one augmentation; offsets are uniform on 0 .. load_size - crop_size - 1 (the reference never draws the last one)."""
    offsets = rng.integers(0, max(load_size - crop_size, 1), size=2)
    return Augmentation(int(offsets[0]), int(offsets[1]), flip and bool(rng.integers(2)))


def apply(sample: dict, augmentation: Augmentation, *, crop_size: int, style: str, line_width: float) -> dict:
    """Crops and flips the panels of a raw sample and draws its key points.

    Args:
      sample: pictures uint8 [H, W, 3], and `source_figure` or `source_guidance` (and `target_...`), see `source.Source`.
      augmentation: the crop offset and whether to mirror; crop first, then mirror.
      crop_size, style, line_width: see `settings.Settings`.

    Returns:
      source, target, source_guidance, target_guidance uint8 [crop_size, crop_size, 3], and name.
    """
    top, left, flip = augmentation
    done = dict(name=sample["name"])
    for side in ("source", "target"):
        for key in (side, f"{side}_guidance"):
            if key in sample:
                panel = sample[key][top : top + crop_size, left : left + crop_size]
                done[key] = panel[:, ::-1] if flip else panel
        figure = sample.get(f"{side}_figure")
        if figure is not None:
            figure = skeletons.move(figure, offset=(top, left))
            figure = skeletons.mirror(figure, crop_size) if flip else figure
            done[f"{side}_guidance"] = skeletons.draw_skeleton(
                figure, (crop_size, crop_size), line_width=line_width or None, style=style
            )
    return done
