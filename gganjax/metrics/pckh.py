"""PCKh: the share of joints found near enough to where they should be, measured in heads.

The variant of the person-image tools (`calPCKH` of PATN, XingGAN and BiGraphGAN), which is per axis: a joint is right
if |dx| < 0.5 head widths and |dy| < 0.5 head heights. Key points are [N, 18, 2], (y, x) in OpenPose's order, -1 in
both where a joint was not found; those of the truth are the annotation, those of the result come from a pose
estimator run on the generated pictures.
"""

import numpy as np

from gganjax.errors import InputError

HEAD = (0, 1, 14, 15, 16, 17)  # nose, neck, eyes and ears
SHARE = 0.5  # of the head's width and height


def head_boxes(target) -> np.ndarray:
    """Returns width and height float64 [N, 2] of the box around the head joints; -1 in both with fewer than two."""
    target = _keypoints(target, "target")
    joints = target[:, HEAD]
    present = (joints != -1).all(axis=2, keepdims=True)
    box = np.where(present, joints, -np.inf).max(axis=1) - np.where(present, joints, np.inf).min(axis=1)
    return np.where(present.sum(axis=1) >= 2, box, -1.0)[:, ::-1]


def counts(predicted, target) -> tuple[np.ndarray, np.ndarray]:
    """Returns how many joints are right and how many there are, int64 [N] each; -1 in both for skipped images.

    An image whose target shows fewer than two head joints is skipped. Joints that the prediction lacks are wrong, and
    so are all where the head's box has no width or no height.
    """
    predicted, target = _keypoints(predicted, "predicted"), _keypoints(target, "target")
    if predicted.shape != target.shape:
        raise InputError(f"Predicted and target key points must be equally many, found {len(predicted)} and {len(target)}.")
    boxes = head_boxes(target)
    allowed = SHARE * boxes[:, None, ::-1]
    wanted = target[..., 0] != -1
    near = (np.abs(predicted - target) < allowed).all(axis=2)
    right = near & wanted & (predicted[..., 0] != -1)
    kept = boxes[:, 0] >= 0
    return tuple(np.where(kept, joints.sum(axis=1), -1) for joints in (right, wanted))


class PCKh:
    """Counts over a whole set, fed in batches.

    Attributes:
      correct: joints that are right so far.
      joints: joints of the targets so far.
      images: images that counted.
      skipped: images that did not, for want of a head.
    """

    def __init__(self):
        self.correct = self.joints = self.images = self.skipped = 0

    def add(self, predicted, target) -> None:
        """Adds key points [N, 18, 2] of results and of their targets."""
        right, wanted = counts(predicted, target)
        kept = wanted >= 0
        self.correct += int(right[kept].sum())
        self.joints += int(wanted[kept].sum())
        self.images += int(kept.sum())
        self.skipped += int((~kept).sum())

    def result(self) -> float:
        """Returns the share of right joints, 0 to 1; InputError if no target shows a head."""
        if not self.joints:
            raise InputError(f"PCKh needs a target with two joints of the head, found none in {self.skipped} images.")
        return self.correct / self.joints


def _keypoints(points, name) -> np.ndarray:
    points = np.asarray(points, np.float64)
    if points.ndim != 3 or points.shape[1:] != (18, 2):
        raise InputError(f"The {name} key points of PCKh must be [N, 18, 2] (y, x), found {list(points.shape)}.")
    return points
