"""Segmentation scores by hand."""

import numpy as np
import pytest

from gganjax.errors import InputError
from gganjax.metrics import Confusion

LABEL = np.array([[0, 0, 0, 0], [1, 1, 255, -1]])
PREDICTED = np.array([[0, 0, 0, 1], [1, 2, 0, 2]])


def test_by_hand():
    """Classes: 3 of 4 right, 1 of 2 right, predicted only, in neither."""
    confusion = Confusion(4)
    confusion.add(PREDICTED, LABEL)
    np.testing.assert_array_equal(confusion.matrix, [[3, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    assert confusion.void == 2
    np.testing.assert_allclose(confusion.iou(), [3 / 4, 1 / 3, 0, np.nan])
    np.testing.assert_allclose(confusion.class_accuracy(), [3 / 4, 1 / 2, np.nan, np.nan])
    expected = {
        "miou": (3 / 4 + 1 / 3) / 3,
        "miou_ade": (3 / 4 + 1 / 3) / 4,
        "pixel_acc": 4 / 6,
        "pixel_acc_counting_void": 4 / 8,
        "class_acc": (3 / 4 + 1 / 2) / 2,
    }
    assert confusion.result() == pytest.approx(expected)


def test_equal_maps_and_batches():
    random = np.random.default_rng(0)
    label, other = random.integers(0, 5, (2, 6, 9, 7)).astype(np.uint8)
    perfect = Confusion(5)
    perfect.add(label, label)
    assert set(perfect.result().values()) == {1.0}
    whole, parts = Confusion(5), Confusion(5)
    whole.add(other, label)
    for row in random.permutation(6):
        parts.add(other[row], label[row])
    np.testing.assert_array_equal(whole.matrix, parts.matrix)
    assert whole.matrix.sum() == label.size
    assert whole.result()["pixel_acc"] == pytest.approx((label == other).mean())


def test_class_255_of_256_is_no_void_when_told():
    confusion = Confusion(256, void=())
    confusion.add(np.array([255], np.uint8), np.array([255], np.uint8))
    assert confusion.matrix[255, 255] == 1
    assert confusion.void == 0


def test_bad_input_is_one_sentence():
    confusion = Confusion(3)
    with pytest.raises(InputError, match=r"of one shape, found \[2, 4\] and \[2, 3\]"):
        confusion.add(PREDICTED, LABEL[:, :3])
    with pytest.raises(InputError, match="predicted label maps must hold integers, found float64"):
        confusion.add(PREDICTED * 1.0, LABEL)
    with pytest.raises(InputError, match=r"predicted label maps must hold classes from 0 to 2, found 255"):
        confusion.add(LABEL % 256, LABEL)
    with pytest.raises(InputError, match=r"true label maps must hold .* 0 to 2 or one of \(255, -1\) for void, found 7"):
        confusion.add(PREDICTED, LABEL + 7 * (LABEL == 1) - (LABEL == 1))
    assert confusion.matrix.sum() == 0  # nothing of a refused map is counted
    with pytest.raises(InputError, match="need a labeled pixel, found none among 0"):
        confusion.result()
    with pytest.raises(InputError, match="at least one class, got 0"):
        Confusion(0)
