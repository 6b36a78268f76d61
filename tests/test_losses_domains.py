"""Losses of the multi-domain methods against NumPy and SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import correlate1d

from gganjax import losses, metrics
from gganjax.errors import InputError

RANDOM = np.random.default_rng(0)


def test_wasserstein_is_the_mean_score():
    scores = RANDOM.standard_normal((2, 4, 3, 1)).astype(np.float32)
    np.testing.assert_allclose(losses.adversarial(scores, True, "wasserstein"), -scores.mean(), rtol=1e-6)
    np.testing.assert_allclose(losses.adversarial(scores, False, "wasserstein"), scores.mean(), rtol=1e-6)


def test_gradient_penalty_of_a_quadratic():
    """Scores w x^2 / 2 of every pixel have the slope w x at a point x between the images."""
    weight = RANDOM.uniform(0.1, 2, (4, 3, 3)).astype(np.float32)
    real, fake = RANDOM.uniform(-1, 1, (2, 5, 4, 3, 3)).astype(np.float32)
    share = RANDOM.uniform(size=(5, 1, 1, 1)).astype(np.float32)
    points = share * real + (1 - share) * fake
    lengths = np.sqrt(np.square(np.float64(weight * points)).sum(axis=(1, 2, 3)))
    judge = lambda x: (weight * x**2 / 2).sum(axis=-1)
    np.testing.assert_allclose(losses.gradient_penalty(judge, real, fake, share), ((lengths - 1) ** 2).mean(), rtol=1e-5)


def test_gradient_penalty_of_a_flat_judge_is_finite():
    zeros, share = jnp.zeros((2, 4, 4, 3)), jnp.zeros((2, 1, 1, 1))
    penalty = lambda scale: losses.gradient_penalty(lambda x: scale * x.sum(axis=-1), zeros, zeros, share)
    value, slope = jax.value_and_grad(penalty)(0.0)
    assert value == 1 and np.isfinite(slope)


def test_domain_classification():
    logits = RANDOM.standard_normal((4, 7)) * 3
    one = np.eye(7)[[5, 4, 0, 6]]
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(softmax[one == 1]).mean()
    np.testing.assert_allclose(losses.domain_classification(np.float32(logits), np.float32(one)), expected, rtol=1e-5)
    several = RANDOM.integers(0, 2, (4, 7))
    probability = 1 / (1 + np.exp(-logits))
    expected = -np.log(np.where(several, probability, 1 - probability)).sum() / 4
    found = losses.domain_classification(np.float32(logits), np.float32(several), "attributes")
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    with pytest.raises(ValueError, match="'softmx' is unknown"):
        losses.domain_classification(np.float32(logits), np.float32(one), "softmx")
    with pytest.raises(AssertionError, match="shape"):
        losses.domain_classification(np.float32(logits), np.float32(one[:1]))


def pictures(size):
    """A smooth picture and a noisy copy, float32 [1, H, W, 3] in [-1, 1]."""
    ramp = np.linspace(-0.8, 0.8, size)[:, None, None] * np.linspace(-1, 1, size)[:, None]
    clean = np.broadcast_to(ramp, (size, size, 3))
    noisy = np.clip(clean + RANDOM.normal(0, 0.2, (size, size, 3)), -1, 1)
    return np.float32(noisy[None]), np.float32(clean[None])


def similarity_maps(a, b, *, mode):
    """Luminance and contrast-structure maps of one channel of a range of 1, by SciPy."""
    bell = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    bell /= bell.sum()

    def blur(x):
        y = correlate1d(correlate1d(np.float64(x), bell, axis=0, mode="constant"), bell, axis=1, mode="constant")
        return y if mode == "same" else y[5:-5, 5:-5]

    mean_a, mean_b = blur(a), blur(b)
    variances = blur(a * a) - mean_a**2 + blur(b * b) - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    return (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4), (2 * covariance + 9e-4) / (variances + 9e-4)


def test_ssim_is_of_images_left_in_their_range():
    x, y = pictures(24)
    maps = [similarity_maps(x[0, ..., c], y[0, ..., c], mode="same") for c in range(3)]
    expected = 1 - np.mean([(luminance * structure).mean() for luminance, structure in maps])
    np.testing.assert_allclose(losses.ssim(x, y), expected, rtol=1e-5)


@pytest.mark.parametrize("scales", [1, 3])
def test_ms_ssim_of_fewer_scales(scales):
    """The finer scales' weights keep their ratios, and their sum is that of all five."""
    x, y = pictures(48)
    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
    weights = weights[:scales] * weights.sum() / weights[:scales].sum()
    a, b, product = (x[0] + 1) / 2, (y[0] + 1) / 2, 1.0
    for scale, weight in enumerate(weights):
        maps = [similarity_maps(a[..., c], b[..., c], mode="valid") for c in range(3)]
        last = scale == scales - 1
        product = product * np.array([(m[0] * m[1] if last else m[1]).mean() for m in maps]) ** weight
        a, b = ((z[::2, ::2] + z[1::2, ::2] + z[::2, 1::2] + z[1::2, 1::2]) / 4 for z in (a, b))
    np.testing.assert_allclose(losses.ms_ssim(x, y, scales=scales), 1 - product.mean(), rtol=1e-4)
    np.testing.assert_allclose(losses.ms_ssim(x, x, scales=scales), 0, atol=1e-6)


def test_ms_ssim_needs_pictures_large_enough_for_its_scales():
    x, _ = pictures(128)
    with pytest.raises(InputError, match="MS-SSIM of 5 scales compares pictures of at least 161x161 pixels, found 128x128"):
        losses.ms_ssim(x, x)
    assert jax.eval_shape(lambda a: losses.ms_ssim(a, a, scales=4), x).shape == ()
    with pytest.raises(InputError, match="1 to 5 scales, got 6"):
        metrics.ms_ssim(x, x, scales=6)
