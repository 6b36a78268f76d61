"""Poses of people as the person-image systems use them: maps of joints, masks of bodies, and drawings.

Key points here are (y, x) pixels [..., 18, 2] in OpenPose's order, -1 in both where a joint was not found; sizes are
(height, width). The conventions are those of the code published with PG2 and PATN; XingGAN and BiGraphGAN share
PATN's.
"""

import colorsys

import numpy as np

from gganjax.data import skeletons
from gganjax.errors import InputError

JOINTS = 18
# The limbs of both kinds of masks, with the published order's numbers from 0.
MASK_LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17), (1, 16), (1, 17), (8, 11), (11, 5), (8, 2), (16, 17),
)  # fmt: skip
JOINT_COLORS = np.array(
    [[round(255 * level) for level in colorsys.hsv_to_rgb(joint / JOINTS, 1, 1)] for joint in range(JOINTS)], np.uint8
)  # once around the circle of hues


def from_figure(joints) -> np.ndarray:
    """Turns one body of `skeletons`, [18, 3] (x, y, confidence), into int64 [18, 2] (y, x), to the nearest pixel."""
    joints = np.asarray(joints, np.float64)
    if joints.shape != (JOINTS, 3):
        raise InputError(f"A body must be {JOINTS} joints of x, y, confidence, found an array of shape {joints.shape}.")
    return np.where(joints[:, 2:] > 0, np.rint(joints[:, 1::-1]), -1).astype(np.int64)


def gaussian_maps(keypoints, size, *, sigma: float = 6.0) -> np.ndarray:
    """Returns float32 [..., H, W, 18] with exp(-d^2 / (2 sigma^2)) at distance d from each joint, 0 where it is missing.

    The maps of the PATN family, whose sigma is 6 pixels.
    """
    squared, found = _squared_distances(keypoints, size)
    return np.where(found, np.exp(-squared / (2 * sigma**2)), 0).astype(np.float32)


def delta_maps(keypoints, size) -> np.ndarray:
    """Returns uint8 [..., H, W, 18] with 1 at the pixel of each joint.

    What PATN's DeepFashion script stores: its Gaussian maps are cut to integers, so that only the peak stays.
    """
    return gaussian_maps(keypoints, size).astype(np.uint8)


def disk_maps(keypoints, size, *, radius: float = 4) -> np.ndarray:
    """Returns uint8 [..., H, W, 18] with 1 up to and including `radius` from each joint (PG2)."""
    squared, found = _squared_distances(np.trunc(keypoints), size)
    return (found & (squared <= radius**2)).astype(np.uint8)


def read_back(maps, *, threshold: float = 0.1) -> np.ndarray:
    """Returns int64 [..., 18, 2] (y, x): of each map [..., H, W, 18] the first pixel of its maximum.

    -1 where the maximum does not exceed `threshold`.
    """
    height, width, joints = maps.shape[-3:]
    flat = np.asarray(maps).reshape(*maps.shape[:-3], height * width, joints)
    place = flat.argmax(axis=-2)
    return np.where((flat.max(axis=-2) > threshold)[..., None], np.stack(np.divmod(place, width), axis=-1), -1)


def pose_mask_pg2(keypoints, size, *, radius: int = 4) -> np.ndarray:
    """Returns PG2's mask of a body, uint8 [H, W], from one pose [18, 2].

    Disks along every limb of which both joints are found, one radius apart, then a closing. A joint without any such
    limb leaves nothing.
    """
    keypoints = _pose(keypoints)
    mask = np.zeros(size, bool)
    disk = _squared_distance((radius, radius), (2 * radius + 1, 2 * radius + 1)) <= radius**2
    for start, end in _limbs(keypoints):
        parts = int(np.linalg.norm(end - start) / radius)
        inner = [start + (end - start) * part / parts for part in range(1, parts)]
        for center in (start, *inner, end):
            rows, columns = (overlap(int(place) - radius, len(disk), side) for place, side in zip(center, size, strict=True))
            mask[rows[0], columns[0]] |= disk[rows[1], columns[1]]
    return _closed(mask)


def evaluation_mask(keypoints, size, *, edges: bool = True) -> np.ndarray:
    """Returns the mask of a body that the person-image tools score under, uint8 [H, W], from one pose [18, 2].

    Rectangles 4 pixels to both sides of every limb of which both joints are found, disks of less than 4 pixels around
    every found joint, then a closing.

    Args:
      edges: whether pixels on the edge of a rectangle belong to it, as in today's scikit-image; version 0.14, with
        which the tables were made, counts those on two of the four edges.
    """
    keypoints = _pose(keypoints)
    mask = np.zeros(size, bool)
    for start, end in _limbs(keypoints):
        if (start != end).any():
            mask |= _rectangle(start, end, 4, size, edges)
    for joint in keypoints[_found(keypoints)]:
        mask |= _squared_distance(joint, size) < 4**2
    return _closed(mask)


def draw_pose(keypoints, size, *, radius: float = 2) -> tuple[np.ndarray, np.ndarray]:
    """Draws one pose [18, 2] as the person-image tools show it: uint8 [H, W, 3], and uint8 [H, W] where it is drawn.

    Gray lines, then a disk of less than `radius` pixels in a color of its own on every joint. A line pixel is
    as bright as it is near to the line; later lines replace earlier ones.
    """
    keypoints = _pose(keypoints)
    picture, drawn = np.zeros((*size, 3), np.uint8), np.zeros(size, bool)
    for start, end in _limbs(np.trunc(keypoints), skeletons.BODY_BONES):
        share = _line(start, end, size)
        picture[share > 0] = (share[share > 0] * 255).astype(np.uint8)[:, None]
        drawn |= share > 0
    for joint in np.flatnonzero(_found(keypoints)):
        disk = _squared_distance(keypoints[joint], size) < radius**2
        picture[disk] = JOINT_COLORS[joint]
        drawn |= disk
    return picture, drawn.astype(np.uint8)


def _pose(keypoints) -> np.ndarray:
    keypoints = np.asarray(keypoints, np.float64)
    if keypoints.shape != (JOINTS, 2):
        raise InputError(f"A pose must be {JOINTS} joints (y, x), found an array of shape {keypoints.shape}.")
    return keypoints


def _found(keypoints) -> np.ndarray:
    return (keypoints != -1).all(axis=-1)


def _limbs(keypoints, limbs=MASK_LIMBS):
    """The ends of every limb that has both."""
    found = _found(keypoints)
    return [(keypoints[start], keypoints[end]) for start, end in limbs if found[start] and found[end]]


def _squared_distances(keypoints, size):
    """Squared distances [..., H, W, J] of every pixel to every joint, and which joints are found [..., 1, 1, J]."""
    keypoints = np.asarray(keypoints, np.float64)
    if keypoints.ndim < 2 or keypoints.shape[-1] != 2:
        raise InputError(f"Key points must be [..., joints, 2] (y, x), found an array of shape {keypoints.shape}.")
    y, x = (keypoints[..., None, None, :, axis] for axis in (0, 1))
    rows, columns = np.ogrid[: size[0], : size[1]]
    return (rows[..., None] - y) ** 2 + (columns[..., None] - x) ** 2, _found(keypoints)[..., None, None, :]


def _squared_distance(center, size) -> np.ndarray:
    rows, columns = np.ogrid[: size[0], : size[1]]
    return (rows - center[0]) ** 2 + (columns - center[1]) ** 2


def _rectangle(start, end, half, size, edges) -> np.ndarray:
    """Pixels [H, W] of the rectangle around a segment."""
    length = np.linalg.norm(end - start)
    along = (end - start) / length
    if not edges:
        aside = half * np.array([-along[1], along[0]])
        return _odd_crossings([start + aside, start - aside, end - aside, end + aside], size)
    rows, columns = np.ogrid[: size[0], : size[1]]
    y, x = rows - start[0], columns - start[1]
    place, away = y * along[0] + x * along[1], np.abs(y * along[1] - x * along[0])
    rounding = 1e-9  # of pixels on an edge, far below the distance of any other to it
    return (away <= half + rounding) & (place >= -rounding) & (place <= length + rounding)


def _odd_crossings(corners, size) -> np.ndarray:
    """Pixels [H, W] from which a ray towards growing rows crosses the polygon's edges an odd number of times.

    Of two edges that share a corner only one owns it, so that neighboring polygons share no pixel.
    """
    rows, columns = np.ogrid[: size[0], : size[1]]
    inside = np.zeros(size, bool)
    for (y0, x0), (y1, x1) in zip(corners, np.roll(corners, 1, axis=0), strict=True):
        if x0 != x1:
            crossing = (y1 - y0) * (columns - x0) / (x1 - x0) + y0
            inside ^= ((x0 <= columns) != (x1 <= columns)) & (rows < crossing)
    return inside


def _line(start, end, size) -> np.ndarray:
    """1 less the distance to a line between two pixels, in the box that they span; 0 elsewhere, [H, W]."""
    rows, columns = np.ogrid[: size[0], : size[1]]
    direction = end - start
    across = (rows - start[0]) * direction[1] - (columns - start[1]) * direction[0]
    low, high = np.minimum(start, end), np.maximum(start, end)
    within = (rows >= low[0]) & (rows <= high[0]) & (columns >= low[1]) & (columns <= high[1])
    return np.where(within, np.maximum(1 - np.abs(across) / max(np.linalg.norm(direction), 1), 0), 0)


def _closed(mask) -> np.ndarray:
    """Dilation and erosion with a square of 5 pixels; what lies outside the picture counts for neither."""
    from scipy import ndimage  # a tenth of the time in which the command line finds a mistake, which needs no masks

    dilated = ndimage.maximum_filter(mask.astype(np.uint8), 5, mode="constant", cval=0)
    return ndimage.minimum_filter(dilated, 5, mode="constant", cval=1)


def overlap(first: int, count: int, side: int) -> tuple[slice, slice]:
    """Of a stamp's `count` pixels from `first` on, those within 0 .. side - 1: where they lie, and which they are."""
    low, high = max(first, 0), max(min(first + count, side), 0)
    return slice(low, high), slice(low - first, max(high - first, low - first))
