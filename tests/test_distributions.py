"""FID, KID and the measures of dances against closed forms, double loops and their own properties."""

import itertools
import logging
import math

import numpy as np
import pytest
import scipy.linalg

from gganjax.errors import InputError
from gganjax.metrics import distributions
from gganjax.metrics.distributions import Moments, diversity, fid, kid, kid_subsets, multimodality, pose_fid

WIDTH = 12


def features(count, *, seed=0, width=WIDTH, shift=0.0):
    """Correlated, skewed rows, as those behind a ReLU are."""
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(100).normal(size=(width, width))
    return np.maximum(random.normal(size=(count, width)) @ mixing + shift, 0)


def with_moments(mean, covariance, count):
    """Rows whose mean and unbiased covariance are exactly the given ones."""
    rows = np.random.default_rng(3).normal(size=(count, len(mean)))
    rows -= rows.mean(0)
    whitening = np.linalg.inv(np.linalg.cholesky(np.cov(rows.T)))
    return rows @ whitening.T @ np.linalg.cholesky(covariance).T + mean


def test_fid_of_gaussians_is_the_closed_form():
    """Axes of one basis: |difference|^2 + sum (s1 - s2)^2 over the deviations. Otherwise the published expression."""
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    one, two = np.array([0.5, 1.0, 2.0, 3.0]), np.array([1.5, 0.2, 2.0, 0.7])
    means = np.array([1.0, 0, 2, -1]), np.array([0.0, 1, 2, 1])
    sets = [with_moments(mean, basis * deviation**2 @ basis.T, 40) for mean, deviation in zip(means, (one, two))]
    assert fid(*sets) == pytest.approx(6 + np.sum((one - two) ** 2), rel=1e-10)

    a, b = features(60), features(50, seed=1, shift=0.4)
    product = scipy.linalg.sqrtm(np.cov(a.T) @ np.cov(b.T))
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * product.real)
    assert fid(a, b) == pytest.approx(expected, rel=1e-8)
    assert pose_fid(a, b) == fid(a, b)


def test_fid_is_a_distance_of_sets():
    """0 for a set and itself, symmetric, blind to the order of the rows, unmoved by a common shift."""
    a, b = features(60), features(50, seed=1, shift=0.4)
    value = fid(a, b)
    assert value > 0.5
    assert abs(fid(a, a)) < 1e-10 * np.trace(np.cov(a.T))
    assert fid(b, a) == pytest.approx(value, rel=1e-10)
    assert fid(np.random.default_rng(5).permutation(a), b[::-1]) == pytest.approx(value, rel=1e-10)
    assert fid(a + 1e4, b + 1e4) == pytest.approx(value, rel=1e-6)


def test_moments_in_parts_are_those_of_the_whole():
    a = features(53) + 1e5
    parts = Moments()
    for part in np.split(a, [1, 2, 20, 41]):
        parts.update(part)
    merged = Moments(a[:30]).merge(Moments()).merge(Moments(a[30:]))
    for moments in (parts, merged, Moments().merge(Moments(a))):
        assert moments.count == 53
        np.testing.assert_allclose(moments.mean, a.mean(0), rtol=1e-13)
        np.testing.assert_allclose(moments.covariance, np.cov(a.T), rtol=1e-9, atol=1e-10)
    assert fid(parts, features(50, seed=1)) == pytest.approx(fid(a, features(50, seed=1)), rel=1e-10)


def test_a_merge_leaves_the_other_moments_alone():
    a, other = features(20), Moments(features(30, seed=1))
    before = other.mean.copy(), other.covariance.copy()
    Moments().merge(other).update(a)
    assert other.count == 30
    np.testing.assert_array_equal(other.mean, before[0])
    np.testing.assert_array_equal(other.covariance, before[1])


def test_singular_covariances_are_flagged_and_may_be_shrunk(caplog):
    """Rank N - 1: as many samples as dimensions are one too few."""
    assert [Moments(features(count)).singular for count in (WIDTH - 1, WIDTH, WIDTH + 1)] == [True, True, False]
    few, many = features(WIDTH, seed=2), features(50, seed=1)
    with caplog.at_level(logging.WARNING, logger="gganjax"):
        assert abs(fid(few, few)) < 1e-9
        assert math.isfinite(fid(few, many))
    assert len(caplog.messages) == 2
    assert "FID of 12 and 50 samples in 12 dimensions" in caplog.messages[1]
    caplog.clear()
    assert abs(fid(few, few, shrink=True)) < 1e-9
    fid(many, features(60))
    assert not caplog.messages

    shrunk, covariance = Moments(few).shrunk(), np.cov(few.T)
    assert np.trace(shrunk) == pytest.approx(np.trace(covariance))
    share = 1 - (shrunk[0, 1] / covariance[0, 1])
    assert 0 < share < 1
    np.testing.assert_allclose(shrunk, (1 - share) * covariance + share * np.trace(covariance) / WIDTH * np.eye(WIDTH))
    assert np.linalg.eigvalsh(shrunk)[0] > 0.9 * share * np.trace(covariance) / WIDTH


def test_shrinkage_comes_nearer_to_the_true_covariance():
    """Twelve samples of 12 dimensions, drawn ten times: what the estimate is for."""
    true = np.cov(features(100_000).T)
    sets = [Moments(features(WIDTH, seed=10 + i)) for i in range(10)]
    plain, shrunk = (np.mean([np.sum((x - true) ** 2) for x in found])
                     for found in ([m.covariance for m in sets], [m.shrunk() for m in sets]))
    assert shrunk < plain
    sphere = Moments(np.concatenate([np.eye(3), -np.eye(3)]))
    np.testing.assert_allclose(sphere.shrunk(), 0.4 * np.eye(3))


def test_identical_rows_are_at_the_distance_of_their_means():
    rows = np.ones((20, 3))
    assert fid(rows, rows) == 0
    assert fid(rows, rows + 2) == 12
    assert fid(rows, rows + 2, shrink=True) == 12


def unbiased(a, b):
    """The kernel distance by its definition, pair by pair."""
    kernel = lambda x, y: (float(np.dot(x, y)) / len(x) + 1) ** 3
    within = [np.mean([kernel(x, y) for x, y in itertools.permutations(rows, 2)]) for rows in (a, b)]
    return sum(within) - 2 * np.mean([kernel(x, y) for x in a for y in b])


def test_kid_and_its_error_are_the_definitions(monkeypatch):
    """The jackknife by leaving out each sample in turn; blocks of few rows give the same."""
    a, b = features(7), features(5, seed=1, shift=0.4)
    without_a = [unbiased(np.delete(a, i, 0), b) for i in range(7)]
    without_b = [unbiased(a, np.delete(b, i, 0)) for i in range(5)]
    error = math.sqrt(6 * np.var(without_a) + 4 * np.var(without_b))
    for rows in (distributions.ROWS, 2):
        monkeypatch.setattr(distributions, "ROWS", rows)
        assert kid(a, b) == pytest.approx((unbiased(a, b), error), rel=1e-9)
    everything = kid_subsets(a[:5], b, subsets=3, size=5)
    assert everything.mean == pytest.approx(unbiased(a[:5], b), rel=1e-9)
    assert everything.std < 1e-9 * abs(everything.mean)


def test_kid_is_symmetric_and_blind_to_order():
    a, b = features(30), features(20, seed=1, shift=0.4)
    assert kid(b, a) == pytest.approx(kid(a, b), rel=1e-9)
    assert kid(a[::-1], np.random.default_rng(0).permutation(b)) == pytest.approx(kid(a, b), rel=1e-9)


def test_kid_of_one_distribution_is_0_within_its_error():
    """The mean of many estimates shows that there is no bias; FID of the same halves is far from 0."""
    halves = [np.split(features(80, seed=seed), 2) for seed in range(40)]
    found = [kid(*pair) for pair in halves]
    values, errors = np.array(found).T
    assert abs(values.mean()) < 3 * values.std() / math.sqrt(40)
    assert np.mean(np.abs(values) < 2 * errors) >= 0.9
    assert 0.7 < errors.mean() / values.std() < 2
    distances = np.array([fid(*pair) for pair in halves])
    assert distances.mean() > 3 * distances.std()
    moved = kid(features(40) / 10, features(40, seed=1, shift=2.0) / 10)
    assert moved.value > 3 * moved.error


def test_subsets_scatter_around_the_whole_and_follow_the_seed():
    a, b = features(60), features(60, seed=1, shift=0.4)
    found = kid_subsets(a, b, subsets=60, size=20)
    assert found == kid_subsets(a, b, subsets=60, size=20, seed=0)
    assert found != kid_subsets(a, b, subsets=60, size=20, seed=1)
    assert found.std > 0
    assert abs(found.mean - kid(a, b).value) < 4 * found.std / math.sqrt(60)


def test_diversity_and_multimodality_are_means_over_pairs(monkeypatch):
    maps = np.random.default_rng(0).normal(size=(7, 4, 3, 5))
    music = np.array(["a", "a", "b", "c", "b", "a", "d"])
    rows = maps.mean((1, 2))
    expected = {False: [], True: []}
    for i, j in itertools.combinations(range(7), 2):
        expected[bool(music[i] == music[j])].append(np.linalg.norm(rows[i] - rows[j]))
    for size in (distributions.ROWS, 3):
        monkeypatch.setattr(distributions, "ROWS", size)
        assert diversity(maps, music) == pytest.approx(np.mean(expected[False]))
        assert multimodality(maps, list(music)) == pytest.approx(np.mean(expected[True]))
        assert diversity(rows) == pytest.approx(np.mean(sum(expected.values(), [])))
    assert pose_fid(maps, rows) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda a: fid(a, a[:1]), "a covariance needs at least 2 rows of features, got 1"),
        (lambda a: fid(a, Moments()), "a covariance needs at least 2 rows of features, got 0"),
        (lambda a: fid(a, a[:, :3]), "features of one width, got 12 and 3"),
        (lambda a: fid(a, a[0]), r"an array \[N, D\] with at least one row, got \(12,\)"),
        (lambda a: fid(a, np.where(a == a[4, 0], np.nan, a)), "features must be finite, row 4 is not"),
        (lambda a: Moments(a).update(a[:, :3]), "features of width 3 were added to features of width 12"),
        (lambda a: kid(a, a[:2]), r"at least 3 rows of one width, got \(20, 12\) and \(2, 12\)"),
        (lambda a: kid_subsets(a, a), "100 subsets of 1000 samples cannot be drawn from 20 and 20 samples"),
        (lambda a: diversity(a, ["x"]), r"20 dances need as many names of their music, got an array of shape \(1,\)"),
        (lambda a: diversity(a, ["x"] * 20), "no two of the 20 dances were made from different music"),
        (lambda a: multimodality(a, range(20)), "no two of the 20 dances were made from the same music"),
    ],
)
def test_bad_input_is_one_sentence(call, message):
    with pytest.raises(InputError, match=message):
        call(features(20, shift=5.0))
