"""Measures of label maps: how a network that was trained on real pictures labels the generated ones.

Published tables differ in what they count, so each count has its name. mIoU: `miou` is the mean over the classes that
occur in labels or predictions (the DRN code for Cityscapes), `miou_ade` the mean over all classes, absent ones as 0
(the ADE20K code). Pixel accuracy: `pixel_acc` is over labeled pixels, `pixel_acc_counting_void` over all pixels, void
ones as errors, which the papers' Cityscapes tables print.
"""

import numpy as np

from gganjax.errors import InputError

VOID = (255, -1)  # Cityscapes' training ids and ADE20K's labels less one


class Confusion:
    """Confusion matrix over a whole set, fed in batches.

    Attributes:
      matrix: int64 [C, C], pixels by label (row) and prediction (column).
      void: pixels without a label, which are in no row.
    """

    def __init__(self, classes: int, *, void=VOID):
        """classes: C; void: the values of a label map that mean no label."""
        if classes < 1:
            raise InputError(f"A confusion matrix needs at least one class, got {classes}.")
        self.matrix = np.zeros((classes, classes), np.int64)
        self.void = 0
        self._void_values = tuple(void)

    def add(self, predicted, label) -> None:
        """Adds label maps of one shape: integers from 0 to C - 1, in `label` also those that mean void.

        Raises:
          InputError: unequal shapes, numbers that are no integers, or a class that does not exist.
        """
        predicted, label = np.asarray(predicted), np.asarray(label)
        if predicted.shape != label.shape:
            raise InputError(
                f"Predicted and true label maps must be of one shape, found {list(predicted.shape)} and {list(label.shape)}."
            )
        void = np.isin(label, self._void_values)
        for name, values in (("predicted", predicted), ("true", label[~void])):
            self._check(name, values)
        classes = len(self.matrix)
        cells = label[~void].astype(np.int64) * classes + predicted[~void]
        self.matrix += np.bincount(cells, minlength=classes**2).reshape(classes, classes)
        self.void += int(void.sum())

    def iou(self) -> np.ndarray:
        """Returns intersection over union [C]; NaN for a class in neither labels nor predictions."""
        union = self.matrix.sum(axis=0) + self.matrix.sum(axis=1) - np.diag(self.matrix)
        return _share(np.diag(self.matrix), union)

    def class_accuracy(self) -> np.ndarray:
        """Returns the share of each class's labeled pixels that are right [C]; NaN for a class without labels."""
        return _share(np.diag(self.matrix), self.matrix.sum(axis=1))

    def result(self) -> dict[str, float]:
        """Returns miou, miou_ade, pixel_acc, pixel_acc_counting_void and class_acc, the mean over labeled classes; 0 to 1.

        Raises:
          InputError: no pixel bears a label.
        """
        labeled, right, iou = int(self.matrix.sum()), int(np.trace(self.matrix)), self.iou()
        if not labeled:
            raise InputError(f"Segmentation scores need a labeled pixel, found none among {self.void}.")
        return {
            "miou": float(np.nanmean(iou)),
            "miou_ade": float(np.nan_to_num(iou).mean()),
            "pixel_acc": right / labeled,
            "pixel_acc_counting_void": right / (labeled + self.void),
            "class_acc": float(np.nanmean(self.class_accuracy())),
        }

    def _check(self, name, values) -> None:
        classes = len(self.matrix)
        if not np.issubdtype(values.dtype, np.integer):
            raise InputError(f"The {name} label maps must hold integers, found {values.dtype}.")
        wrong = values[(values < 0) | (values >= classes)]
        if wrong.size:
            also = f" or one of {self._void_values} for void" if name == "true" else ""
            raise InputError(f"The {name} label maps must hold classes from 0 to {classes - 1}{also}, found {wrong[0]}.")


def _share(part, whole) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
