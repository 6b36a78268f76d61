"""How far key points lie from those of another file."""

from pathlib import Path

import numpy as np

from gganjax.data import keypoints
from gganjax.errors import InputError


def distances(found: dict[str, list], sizes: dict[str, tuple[int, int]], path: Path, part: str) -> tuple[np.ndarray, int, int]:
    """Compares figures with those of a key-point file.

    Args:
      found: name -> figure, [] where nothing was found.
      sizes: name -> (height, width), of pictures with a figure.
      path: the file to compare with.
      part: "hands", "body" or "face".

    Returns:
      (shares, matched, wanted): the distance of every joint that both have, in longer sides of its picture, and how
      many hands, bodies or faces of the file's pictures have a counterpart, of how many. Of several hands the nearest
      is the counterpart, if it lies within a tenth of the side in the median.
    """
    _, stored = keypoints.read_figures(path, parts=part)
    shares, matched, wanted = [], 0, 0
    for name in found.keys() & stored.keys():
        for joints in stored[name]:
            wanted += 1
            near = []
            for other in found[name]:
                both = (joints[:, 2] > 0) & (other[:, 2] > 0)
                near.append(np.linalg.norm(joints[both, :2] - other[both, :2], axis=1) / max(sizes[name]))
            near = [share for share in near if len(share)]
            best = min(near, key=np.median, default=None)
            if best is not None and (part != "hands" or np.median(best) < 0.1):
                matched += 1
                shares.append(best)
    if not shares:
        raise InputError(f"{path} and what was found have no {part} in common: the names of their pictures must be the same.")
    return np.concatenate(shares), matched, wanted
