"""What a method sees of key points: a drawing, a map for each joint, or a mask of the body.

A figure is a list of key points as in `skeletons`. Maps and masks are those of `pose_maps`, of the first body of the
figure; a joint that is not found or lies outside of the picture gives an empty map, as a detector would not find it.
"""

from functools import lru_cache

import numpy as np

from gganjax.data import pose_maps, skeletons
from gganjax.data.settings import MAPS
from gganjax.errors import InputError


def draw(figure: list, size: tuple[int, int], *, style: str = "white", line_width: float = 0) -> np.ndarray:
    """The guidance made of a figure: uint8 [H, W, 3], or, where the style is one of maps, [H, W, 18] with peaks of 255.

    Args:
      figure: key points in pixels of the picture.
      size: (height, width) of the picture.
      style, line_width: see `settings.Settings`, where they are `guidance` and `line_width`.
    """
    if style not in MAPS:
        return skeletons.draw_skeleton(figure, size, line_width=line_width or None, style=style)
    stamp = _stamp(style, line_width)
    reach = len(stamp) // 2
    maps = np.zeros((*size, pose_maps.JOINTS), np.uint8)
    for joint, (y, x) in enumerate(inside(figure, size).tolist()):
        if y >= 0:
            rows, columns = (pose_maps.overlap(place - reach, len(stamp), side) for place, side in zip((y, x), size, strict=True))
            maps[rows[0], columns[0], joint] = stamp[rows[1], columns[1]]
    return maps


@lru_cache(maxsize=8)
def _stamp(style: str, line_width: float) -> np.ndarray:
    """What one joint leaves in its map, uint8 [2 R + 1, 2 R + 1] around it; beyond R pixels the map is 0 in 8 bits.

    Joints lie on whole pixels, so that all leave the same. Copying it gives the bits that `pose_maps` gives, which
    computes every pixel of 18 maps: at 256 x 176 that takes 10.6 ms a picture on a CPU core, the copies 0.06 ms.
    """
    if style == "heatmaps":
        sigma = line_width or 6
        reach = int(np.ceil(sigma * np.sqrt(2 * np.log(2 * 255))))  # where 255 exp(-d^2 / (2 sigma^2)) falls below 1/2
        draw_maps, level = lambda joint, size: np.rint(255 * pose_maps.gaussian_maps(joint, size, sigma=sigma)), 1
    elif style == "disks":
        reach = int(line_width or 4)
        draw_maps, level = lambda joint, size: pose_maps.disk_maps(joint, size, radius=line_width or 4), 255
    else:
        reach, draw_maps, level = 0, pose_maps.delta_maps, 255
    return level * draw_maps(np.array([[reach, reach]]), (2 * reach + 1, 2 * reach + 1))[..., 0].astype(np.uint8)


def mask(figure: list, size: tuple[int, int], *, kind: str = "pg2") -> np.ndarray:
    """The mask of a body, float32 [H, W, 1] of 0 and 1: "pg2" (its training) or "person" (the person tools' scores)."""
    function = dict(pg2=pose_maps.pose_mask_pg2, person=pose_maps.evaluation_mask)[kind]
    return function(inside(figure, size), size).astype(np.float32)[..., None]


def inside(figure: list, size: tuple[int, int]) -> np.ndarray:
    """The first body of a figure as int64 [18, 2] (y, x), -1 where a joint is missing or outside of the picture.

    Raises:
      InputError: there is no body.
    """
    body = next((joints for joints in figure if len(joints) == pose_maps.JOINTS), None)
    if body is None:
        raise InputError(
            f"Maps and masks of a body need its {pose_maps.JOINTS} joints,"
            f" found key points of {', '.join(str(len(joints)) for joints in figure) or 'nothing'}."
        )
    joints = pose_maps.from_figure(body)
    within = ((joints >= 0) & (joints < size)).all(axis=1, keepdims=True)
    return np.where(within, joints, -1)
