"""Losses against NumPy."""

import jax
import numpy as np
import pytest

from gganjax import losses

RANDOM = np.random.default_rng(0)
X, Y = (RANDOM.uniform(-1, 1, (2, 5, 6, 3)).astype(np.float32) for _ in range(2))


def test_adversarial():
    logits = RANDOM.standard_normal((2, 4, 3, 1)).astype(np.float32) * 5
    probability = 1 / (1 + np.exp(-logits.astype(np.float64)))
    np.testing.assert_allclose(losses.adversarial(logits, True), -np.log(probability).mean(), rtol=1e-5)
    np.testing.assert_allclose(losses.adversarial(logits, False), -np.log(1 - probability).mean(), rtol=1e-5)
    np.testing.assert_allclose(losses.adversarial(logits, True, "least_squares"), ((logits - 1) ** 2).mean(), rtol=1e-5)
    np.testing.assert_allclose(losses.adversarial(logits, False, "least_squares"), (logits**2).mean(), rtol=1e-5)
    for kind in ("hinge", "wasserstein"):  # the same to images' makers, whom no margin stops
        np.testing.assert_allclose(losses.adversarial(logits, True, kind, fooling=True), -logits.mean(), rtol=1e-5)
    np.testing.assert_allclose(losses.adversarial(logits, True, "hinge"), np.maximum(0, 1 - logits).mean(), rtol=1e-5)
    np.testing.assert_allclose(losses.adversarial(logits, False, "hinge"), np.maximum(0, 1 + logits).mean(), rtol=1e-5)
    soft = -(0.9 * np.log(probability) + 0.1 * np.log(1 - probability)).mean()
    np.testing.assert_allclose(losses.adversarial(logits, 0.9), soft, rtol=1e-5)
    with pytest.raises(ValueError, match="'hing' is unknown"):
        losses.adversarial(logits, True, "hing")


def test_feature_matching_is_a_mean_over_scales_without_logits():
    scales, targets = ([[RANDOM.standard_normal((2, s, s, c)).astype(np.float32) for c in (2, 3, 1)] for s in (4, 2)]
                       for _ in range(2))
    expected = sum(np.abs(a - b).mean() for x, y in zip(scales, targets) for a, b in zip(x[:2], y[:2])) / 2
    np.testing.assert_allclose(losses.feature_matching(scales, targets), expected, rtol=1e-5)
    gradients = jax.grad(lambda y: losses.feature_matching(scales, y))(targets)
    assert not any(np.any(g) for g in jax.tree.leaves(gradients))


def test_kl_is_that_of_normal_codes():
    mean, log_variance = RANDOM.standard_normal((2, 3, 5)).astype(np.float32)
    variance = np.exp(log_variance.astype(np.float64))
    expected = (0.5 * (variance + mean**2 - 1) - np.log(np.sqrt(variance))).sum(1).mean()
    np.testing.assert_allclose(losses.kl(mean, log_variance), expected, rtol=1e-5)
    assert losses.kl(np.zeros((2, 3)), np.zeros((2, 3))) == 0


def test_adversarial_is_finite_far_out():
    logits = np.array([-1e4, 1e4], np.float32)
    value, gradient = jax.value_and_grad(losses.adversarial)(logits, True)
    assert np.isfinite(value) and np.isfinite(gradient).all()


def test_pixel_and_color():
    difference = X.astype(np.float64) - Y
    np.testing.assert_allclose(losses.pixel(X, Y), np.abs(difference).mean(), rtol=1e-5)
    np.testing.assert_allclose(losses.pixel_l2(X, Y), (difference**2).mean(), rtol=1e-5)
    by_channel = [np.abs(difference[..., c]).mean() for c in range(3)]
    np.testing.assert_allclose(losses.color(X, Y), sum(by_channel), rtol=1e-5)
    np.testing.assert_allclose(losses.color(X, Y), 3 * losses.pixel(X, Y), rtol=1e-5)
    np.testing.assert_allclose(losses.color_l2(X, Y), 3 * losses.pixel_l2(X, Y), rtol=1e-5)


def test_total_variation():
    x = X.astype(np.float64)
    expected = sum(np.abs(np.diff(image, axis=axis)).sum() for image in x for axis in (0, 1)) / len(x)
    np.testing.assert_allclose(losses.total_variation(X), expected, rtol=1e-5)


def test_perceptual_weighs_its_levels_and_stops_at_the_target():
    taps, targets = ([RANDOM.standard_normal((1, 4, 4, c)).astype(np.float32) for c in (2, 3)] for _ in range(2))
    expected = sum(w * np.abs(a - b).mean() for w, a, b in zip((0.25, 2.0), taps, targets))
    np.testing.assert_allclose(losses.perceptual(taps, targets, (0.25, 2.0)), expected, rtol=1e-5)
    gradients = jax.grad(lambda y: losses.perceptual(taps, y, (0.25, 2.0)))(targets)
    assert all(np.all(np.asarray(g) == 0) for g in gradients)
    with pytest.raises(ValueError):
        losses.perceptual(taps, targets)  # five weights for two levels
    assert losses.PERCEPTUAL_WEIGHTS == (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


@pytest.mark.parametrize("loss", [losses.pixel, losses.pixel_l2, losses.color, losses.color_l2])
def test_shapes_are_not_broadcast(loss):
    with pytest.raises(AssertionError, match="shape"):
        loss(X, Y[:1])
