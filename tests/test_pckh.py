"""PCKh by hand and against a loop over joints."""

import numpy as np
import pytest

from gganjax.errors import InputError
from gganjax.metrics import PCKh, pckh


def person():
    """A head 10 wide and 20 high, and 12 joints below; all found."""
    joints = np.zeros((18, 2), int)
    joints[list(pckh.HEAD)] = [(10, 25), (25, 25), (5, 22), (5, 28), (7, 20), (7, 30)]
    joints[[joint for joint in range(18) if joint not in pckh.HEAD]] = [(40 + 5 * row, 20 + row) for row in range(12)]
    return joints


def score(predicted, target):
    whole = PCKh()
    whole.add(np.asarray(predicted)[None], np.asarray(target)[None])
    return whole.correct, whole.joints


def test_box_and_limits():
    """Half the width and half the height, neither reached, each along its own axis."""
    target = person()
    np.testing.assert_array_equal(pckh.head_boxes(target[None]), [[10, 20]])
    assert score(target, target) == (18, 18)
    for shift, right in (((0, 4), True), ((0, 5), False), ((9, 0), True), ((10, 0), False), ((-9, -4), True), ((0, -5), False)):
        assert score(target + shift, target) == (18 * right, 18), shift


def test_missing_joints():
    target, lost = person(), person()
    lost[3] = -1
    assert score(lost, target) == (17, 18)  # not predicted: wrong
    assert score(target, lost) == (17, 17)  # not in the target: not asked for
    lost[[0, 1, 14, 15, 16]] = -1
    assert pckh.counts(target[None], lost[None]) == (-1, -1)  # one joint of the head is no head
    flat = person()
    flat[list(pckh.HEAD), 0] = 8
    assert score(flat, flat) == (0, 18)  # no height


def test_a_joint_near_the_corner_is_not_taken_for_found():
    """A prediction of -1 means missing even where the target lies close to (-1, -1)."""
    target, lost = person(), person()
    target[4], lost[4] = (0, 0), -1
    assert score(lost, target) == (17, 18)


def test_sets_pool_joints_in_any_batches():
    random = np.random.default_rng(0)
    target = np.stack([person()] * 7) + random.integers(0, 9, (7, 1, 2))
    target[random.random((7, 18)) < 0.3] = -1
    predicted = target + random.integers(-8, 9, target.shape)
    predicted[random.random((7, 18)) < 0.1] = -1
    correct = joints = skipped = 0
    for guess, truth in zip(predicted, target, strict=True):
        head = [joint for joint in truth[list(pckh.HEAD)] if joint[0] != -1]
        if len(head) < 2:
            skipped += 1
            continue
        height, width = np.ptp(head, axis=0)
        for (y, x), (true_y, true_x) in zip(guess, truth, strict=True):
            joints += true_y != -1
            correct += -1 not in (y, true_y) and abs(x - true_x) < 0.5 * width and abs(y - true_y) < 0.5 * height
    assert 0 < correct < joints
    for cuts in ([], [3], [1, 2, 6]):
        whole = PCKh()
        for part in zip(np.split(predicted, cuts), np.split(target, cuts), strict=True):
            whole.add(*part)
        assert (whole.correct, whole.joints, whole.skipped, whole.images) == (correct, joints, skipped, 7 - skipped)
        assert whole.result() == correct / joints


def test_bad_input_is_one_sentence():
    joints = person()[None]
    with pytest.raises(InputError, match=r"target key points of PCKh must be \[N, 18, 2\] \(y, x\), found \[1, 17, 2\]"):
        PCKh().add(joints, joints[:, 1:])
    with pytest.raises(InputError, match="equally many, found 2 and 1"):
        PCKh().add(np.concatenate([joints, joints]), joints)
    nobody = PCKh()
    nobody.add(joints, np.full_like(joints, -1))
    with pytest.raises(InputError, match="needs a target with two joints of the head, found none in 1 images"):
        nobody.result()
