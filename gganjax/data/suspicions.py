"""What looks wrong with the key points of a set: per picture, and of the whole set in a sentence each.

Nothing here is certain: a person may lie down, and a joint may be outside of a cropped picture. So nothing is left
out on suspicion; it is said before training starts and shown on the page of `--mode=check`.
"""

import warnings

import numpy as np

from gganjax.data import skeletons

OUTSIDE = "joints outside of the picture"
SIDES = "left and right exchanged"
ORDER = "figure on its side, as of (y, x) coordinates"

_EYES, _EARS, _SHOULDERS, _HIPS = (14, 15), (16, 17), (2, 5), (8, 11)  # right and left, of 18 joints
_HEAD, _CHEST, _LEGS = (0, 1, 14, 15, 16, 17), (1, 2, 5), (8, 9, 10, 11, 12, 13)
_FACE_TOP, _FACE_EYES, _MOUTH = (*range(17, 27), *range(36, 48)), (range(36, 42), range(42, 48)), range(48, 68)
_EYE_GAP, _BODY_GAP = 0.03, 0.1  # of the distance from head to legs: less does not tell which side is which
_MANY = 20  # pictures that a set must have before where its joints lie says anything


def find(figures: dict[str, list], sizes: dict[str, tuple[int, int]], place) -> tuple[dict[str, list[str]], list[str]]:
    """Looks at key points in pixels of their pictures.

    Args:
      figures: name -> figure.
      sizes: name -> (height, width).
      place: the file or folder that the key points are from, for the sentences.

    Returns:
      (pictures, sentences): OUTSIDE, SIDES and ORDER -> names, each only if there are any; and one sentence for each
      thing that is wrong throughout.
    """
    found = {OUTSIDE: set(), SIDES: set(), ORDER: set()}
    told = {SIDES: 0, ORDER: 0}  # pictures in which the one or the other can be seen at all
    joints, beyond, beyond_exchanged, across = 0, 0, 0, []
    for count in (18, 21, 68):
        rows = [(name, part) for name, figure in figures.items() for part in figure if len(part) == count]
        if not rows:
            continue
        names = np.array([name for name, _ in rows])
        parts = np.stack([part for _, part in rows])
        size = np.array([sizes[name][::-1] for name in names], np.float64)[:, None]
        seen = parts[..., 2] > 0
        points = np.where(seen[..., None], parts[..., :2], np.nan)
        out = seen & ~skeletons.within(points, size)
        found[OUTSIDE].update(names[out.any(axis=1)].tolist())
        joints, beyond = joints + seen.sum(), beyond + out.sum()
        beyond_exchanged += (seen & ~skeletons.within(points[..., ::-1], size)).sum()
        if count == 21:  # a hand may point anywhere, and none of its joints has a side
            continue
        if count == 18:
            across += (points[..., 0] / size[..., 0]).ravel()[seen.ravel()].tolist()
        down = _down(points)
        lying = np.abs(down[:, 0]) > np.abs(down[:, 1])
        exchanged, tells = _sides(points, down)
        found[ORDER].update(names[lying].tolist())
        found[SIDES].update(names[exchanged].tolist())
        told[ORDER] += int(np.isfinite(down).all(axis=1).sum())
        told[SIDES] += int(tells.sum())
    pictures = {label: sorted(names) for label, names in found.items() if names}

    def whole(label: str, what: str) -> str:
        names = pictures[label]
        return f"The key points of {place} seem to {what} in {len(names)} of {told[label]} pictures that tell ({names[0]} first)."

    sentences = []
    if beyond > 0.05 * joints and beyond_exchanged < beyond / 4:
        sentences.append(
            f"The key points of {place} seem to be in (y, x) order, expected x, y: {beyond / joints:.0%} of them lie outside"
            f" of their pictures ({pictures[OUTSIDE][0]} first), {beyond_exchanged / joints:.0%} if x and y are exchanged."
        )
    elif 2 * len(found[ORDER]) > told[ORDER]:
        sentences.append(whole(ORDER, "be in (y, x) order, expected x, y: the figure lies on its side"))
    else:
        middle = np.median(across) if across else 0.5
        if beyond > 0.25 * joints:
            sentences.append(
                f"{beyond / joints:.0%} of the key points of {place} lie outside of their pictures ({pictures[OUTSIDE][0]}"
                " first): are they for pictures of another size?"
            )
        elif abs(middle - 0.5) > 0.13 and len(figures) >= _MANY:
            sentences.append(
                f"The key points of {place} lie around {middle:.0%} of the width of their pictures, expected the middle:"
                " are they for pictures of another size?"
            )
        if 2 * len(found[SIDES]) > told[SIDES]:
            sentences.append(whole(SIDES, "have left and right exchanged"))
    return pictures, sentences


def _down(points) -> np.ndarray:
    """From the top of a figure to its bottom, [N, 2] of [N, J, 2]; NaN where too little of it is found."""
    if points.shape[1] == 68:
        return _center(points, _MOUTH) - _center(points, _FACE_TOP)
    body = _center(points, _LEGS) - _center(points, _HEAD)
    head = _center(points, _CHEST) - _center(points, _HEAD[:1] + _HEAD[2:])
    return np.where(np.isfinite(body), body, head)


def _sides(points, down) -> tuple[np.ndarray, np.ndarray]:
    """Whether left and right of each figure look exchanged, and whether the figure tells at all, bool [N] both.

    Of a face seen upright from the front the right eye is to the left; a trunk is not twisted by a half turn.
    """
    upright, length = down[:, 1] > np.abs(down[:, 0]), np.hypot(*down.T)
    if points.shape[1] == 68:
        right, left = (_center(points, eye)[:, 0] for eye in _FACE_EYES)
        return upright & (left < right), upright & np.isfinite(left - right)
    eyes, ears, shoulders, hips = (points[:, left, 0] - points[:, right, 0] for right, left in (_EYES, _EARS, _SHOULDERS, _HIPS))
    front = upright & (np.abs(eyes) > _EYE_GAP * length) & (np.isnan(ears) | (eyes * ears > 0))
    trunk = upright & (np.minimum(np.abs(shoulders), np.abs(hips)) > _BODY_GAP * length)
    return (front & (eyes < 0)) | (trunk & (shoulders * hips < 0)), front


def _center(points, joints) -> np.ndarray:
    """The mean of those joints that are found, NaN without any."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a mean of nothing is the NaN that is wanted
        return np.nanmean(points[:, list(joints)], axis=1)
