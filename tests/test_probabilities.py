"""Scores of class probabilities against their formulas, extremes whose value is known, and bad input."""

import math

import numpy as np
import pytest

from gganjax.errors import InputError
from gganjax.metrics.probabilities import inception_score, inception_score_scene, kl_score, top_k_accuracy


def probabilities(count, classes=7, *, seed=0, sharp=2.0):
    scores = np.random.default_rng(seed).normal(size=(count, classes)) * sharp
    return np.exp(scores) / np.exp(scores).sum(1, keepdims=True)


def one_split(p):
    """exp of the mean over rows of sum p (log p - log mean p), as the published code writes it."""
    return math.exp(np.mean(np.sum(p * (np.log(p) - np.log(p.mean(0))), 1)))


def test_inception_score_of_uniform_rows_is_1_and_of_balanced_certain_rows_the_number_of_classes():
    for classes in (3, 10):
        uniform, certain = np.full((40, classes), 1 / classes), np.tile(np.eye(classes), (20, 1))
        assert inception_score(uniform) == pytest.approx((1, 0))
        assert inception_score(certain, splits=2) == pytest.approx((classes, 0))
        assert inception_score_scene(uniform) == pytest.approx(1)
        assert inception_score_scene(certain) == pytest.approx(classes)
    assert inception_score(np.tile(np.eye(3)[:1], (30, 1))) == pytest.approx((1, 0))


def test_splits_are_consecutive_and_may_be_uneven():
    """23 rows in 4 parts begin at 0, 5, 11, 17."""
    p = probabilities(23)
    parts = [one_split(p[start:end]) for start, end in ((0, 5), (5, 11), (11, 17), (17, 23))]
    found = inception_score(p, splits=4)
    assert found == pytest.approx((np.mean(parts), np.std(parts)))
    assert inception_score(p, splits=1) == pytest.approx((one_split(p), 0))
    assert inception_score(p[::-1], splits=4).mean != pytest.approx(found.mean)
    assert inception_score_scene(p[::-1]) == pytest.approx(one_split(p))


def test_scene_score_of_the_first_k_keeps_their_values():
    """What is cut off becomes 1e-9, nothing is renormalized, the lower of two equal classes stays."""
    p = np.array([[0.4, 0.4, 0.2], [0.1, 0.2, 0.7], [0.3, 0.35, 0.35]])
    first = np.array([[0.4, 1e-9, 1e-9], [1e-9, 1e-9, 0.7], [1e-9, 0.35, 1e-9]])
    two = np.array([[0.4, 0.4, 1e-9], [1e-9, 0.2, 0.7], [1e-9, 0.35, 0.35]])
    assert inception_score_scene(p, top=1) == pytest.approx(one_split(first))
    assert inception_score_scene(p, top=2) == pytest.approx(one_split(two))
    assert inception_score_scene(p, top=3) == pytest.approx(inception_score_scene(p))


def test_kl_score_exponentiates_the_mean_and_not_the_deviation():
    fake, real = probabilities(30), probabilities(30, seed=1)
    divergence = np.sum(fake * np.log(fake / real), 1)
    assert kl_score(fake, real) == pytest.approx((math.exp(divergence.mean()), divergence.std()))
    assert kl_score(real, fake).mean != pytest.approx(kl_score(fake, real).mean)
    assert kl_score(real, real) == (1, 0)
    assert kl_score(fake[::-1], real[::-1]) == pytest.approx(kl_score(fake, real))


def test_kl_score_with_probabilities_of_0():
    """0 log 0 is 0; a class that only the generated image can have makes the divergence infinite."""
    certain, even = np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])
    assert kl_score(certain, even) == pytest.approx((2, 0))
    assert kl_score(even, certain) == (math.inf, math.inf)


def test_top_k_accuracy_counts():
    """The real image's first class is 0, 1, 2, 0; the first, second and third row are confident ones."""
    real = np.array([[0.6, 0.2, 0.2], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2]])
    fake = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.4, 0.4, 0.2]])
    assert top_k_accuracy(fake, real, k=1) == pytest.approx((50, 100 / 3, 3))
    assert top_k_accuracy(fake, real, k=2) == pytest.approx((75, 200 / 3, 3))
    assert top_k_accuracy(fake, real, k=3) == (100, 100, 3)
    unsure = top_k_accuracy(fake[3:], real[3:], k=1)
    assert unsure.all == 100 and math.isnan(unsure.confident) and unsure.confident_count == 0


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda p: inception_score(p[:9]), "over 10 splits needs at least as many images, got 9"),
        (lambda p: inception_score(p, splits=0), "over 0 splits needs at least as many images, got 12"),
        (lambda p: inception_score(np.log(p)), "not negative and sum to 1, which row 0 does not"),
        (lambda p: inception_score_scene(np.where(p == p[5, 0], np.nan, p)), "sum to 1, which row 5 does not"),
        (lambda p: inception_score_scene(p[0]), r"arrays \[N, C\] of one shape, got \[\(7,\)\]"),
        (lambda p: inception_score_scene(p, top=8), "the first 8 of 7 classes were asked for"),
        (lambda p: kl_score(p, p[:3]), r"arrays \[N, C\] of one shape, got \[\(12, 7\), \(3, 7\)\]"),
        (lambda p: top_k_accuracy(p, p[:, :5], k=1), r"of one shape, got \[\(12, 7\), \(12, 5\)\]"),
        (lambda p: top_k_accuracy(p, p, k=0), "the first 0 of 7 classes were asked for"),
    ],
)
def test_bad_input_is_one_sentence(call, message):
    with pytest.raises(InputError, match=message):
        call(probabilities(12))
