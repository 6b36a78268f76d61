"""Random crop and flip of a pair, the same for all its panels, and the drawing of its guidance.

As the reference: each panel has been resized to the load size by itself; one crop offset is shared by the panels. The
reference flips only the pictures and not the skeletons when asked to flip (a bug); here all panels turn together.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from gganjax.data import guides, skeletons
from gganjax.data.source import both

CLASSES = ("source_classes", "target_classes")


class Augmentation(NamedTuple):
    """What happens to one pair."""

    top: int = 0
    left: int = 0
    flip: bool = False


def draw(rng: np.random.Generator, *, load_size, crop_size, flip: bool, whole_range: bool = False) -> Augmentation:
    """Draws one augmentation; offsets are uniform on 0 .. load - crop - 1 (the reference never draws the last one).

    Sizes are (height, width), or one number for both. `whole_range` adds the last offset, load - crop.
    """
    room = [max(load - crop + whole_range, 1) for load, crop in zip(both(load_size), both(crop_size), strict=True)]
    offsets = rng.integers(0, room)
    return Augmentation(int(offsets[0]), int(offsets[1]), flip and bool(rng.integers(2)))


def apply(sample: dict, augmentation: Augmentation, *, crop_size, style: str, line_width: float, masks: str = "pg2",
          fields: Collection[str] | None = None) -> dict:
    """Crops and flips the panels of a raw sample and draws its key points.

    Args:
      sample: see `source.raw_sample`; pictures are uint8 [H, W, 3].
      augmentation: the crop offset and whether to mirror; crop first, then mirror.
      crop_size: (height, width), or one number for both.
      style, line_width, masks: see `settings.Settings`, where the style is `guidance`.
      fields: what a batch must hold; None is everything but masks and edges. Source, target and name always come.

    Returns:
      source, target uint8 [H, W, 3] and name; what there is and `fields` has of source_guidance, target_guidance uint8
      [H, W, 3 or 18], source_domain, target_domain float32 [M], source_mask, target_mask float32 [H, W, 1], labels,
      instances, source_classes, target_classes int32 [H, W], edges uint8 [H, W, 3].
    """
    size, flip = both(crop_size), augmentation.flip
    top, left = augmentation.top, augmentation.left

    def turned(panel: np.ndarray) -> np.ndarray:
        panel = panel[top : top + size[0], left : left + size[1]]
        return panel[:, ::-1] if flip else panel

    done = dict(name=sample["name"])
    for name, made in (sample.get("maps", {}) | {name: sample[name] for name in CLASSES if name in sample}).items():
        if name != "edges" if fields is None else name in fields:
            panel = turned(made() if callable(made) else made)
            done[name] = panel.astype(np.int32) if panel.ndim == 2 else panel
    for side in ("source", "target"):
        names = {part: f"{side}_{part}" for part in ("guidance", "domain", "mask")}
        asked = {part for part, name in names.items() if (part != "mask" if fields is None else name in fields)}
        for key in (side, *(names["guidance"],) * ("guidance" in asked)):
            if key in sample:
                done[key] = turned(sample[key])
        if "domain" in asked and names["domain"] in sample:
            done[names["domain"]] = sample[names["domain"]]
        figure = sample.get(f"{side}_figure")
        if figure is None or not asked & {"guidance", "mask"}:
            continue
        figure = skeletons.move(figure, offset=(top, left))
        figure = skeletons.mirror(figure, size[1]) if flip else figure
        if "guidance" in asked:
            done[names["guidance"]] = guides.draw(figure, size, style=style, line_width=line_width)
        if "mask" in asked:
            done[names["mask"]] = guides.mask(figure, size, kind=masks)
    return done
