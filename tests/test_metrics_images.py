"""Measures of pairs of pictures against NumPy, SciPy and other libraries in float64, and what must hold for any pair."""

import dm_pix
import jax
import numpy as np
import pytest
from scipy import signal

from gganjax import metrics
from gganjax.errors import InputError
from gganjax.metrics import structure

SYMMETRIC = ("psnr", "psnr_lua", "l1", "l1_pg2", "l2_pg2", "sharpness_difference", "ssim", "ssim_pg2", "ssim_lua", "ssim_torch")
ALL = (*SYMMETRIC, "ssim_person")
SIZES = ((64, 32), (37, 50), (512, 256))  # all metrics but MS-SSIM


def levels(*shape, seed=0):
    """Smooth pictures of 8 bits and noisy relatives of them: fake, real."""
    random = np.random.default_rng(seed)
    batch, height, width = shape
    waves = np.sin(np.linspace(0, 9, height))[:, None, None] + np.cos(np.linspace(0, 7, width))[:, None] * (0.3, 0.6, 1)
    real = 128 + 50 * waves + random.normal(0, 8, (batch, height, width, 3))
    fake = 0.8 * real + 10 + random.normal(0, 12, real.shape)
    return [np.clip(np.rint(x), 0, 255).astype(np.uint8) for x in (fake, real)]


def images(*pictures):
    return [np.float32(x) / np.float32(127.5) - 1 for x in pictures]


def decibels(error):
    return 10 * np.log10(255**2 / error)


def similarity(a, b, window, mode, data_range):
    """Wang et al. 2004 for one channel [H, W], with a window [h, w] and zeros outside."""
    a, b = np.float64(a), np.float64(b)
    blur = lambda x: signal.correlate2d(x, window, mode=mode)
    mean_a, mean_b = blur(a), blur(b)
    one, two = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    luminance = (2 * mean_a * mean_b + one) / (mean_a**2 + mean_b**2 + one)
    variances = blur(a * a) - mean_a**2 + blur(b * b) - mean_b**2
    contrast_structure = (2 * (blur(a * b) - mean_a * mean_b) + two) / (variances + two)
    return luminance, contrast_structure


def gaussian():
    window = np.outer(*[np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)] * 2)
    return window / window.sum()


def channels(a, b, *arguments):
    """Mean similarity over the channels of each of two batches."""
    maps = [[similarity(x[..., c], y[..., c], *arguments) for c in range(x.shape[-1])] for x, y in zip(a, b, strict=True)]
    return np.prod(maps, axis=2).mean((1, 2, 3))


def test_differences_equal_numpy():
    fake, real = levels(3, 17, 23)
    difference = np.float64(fake) - real
    count = difference[0].size
    squares = (difference**2).mean((1, 2, 3))
    pair = images(fake, real)
    np.testing.assert_allclose(metrics.psnr(*pair), decibels(squares), rtol=1e-6)
    np.testing.assert_allclose(metrics.psnr_lua(*pair), decibels(128**2 * squares / 255**2), rtol=1e-6)
    np.testing.assert_allclose(metrics.psnr_lua(*pair) - metrics.psnr(*pair), 5.9866, atol=5e-5)
    np.testing.assert_allclose(metrics.l1(*pair), np.abs(difference).mean((1, 2, 3)) / 127.5, rtol=1e-6)
    np.testing.assert_allclose(metrics.l1_pg2(*pair), np.abs(difference).mean((1, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(metrics.l2_pg2(*pair), np.sqrt((difference**2).sum((1, 2, 3))) / count, rtol=1e-6)


def test_sharpness_difference_equals_a_loop_over_pixels():
    fake, real = levels(2, 6, 7)
    a, b = np.float64(fake) / 255, np.float64(real) / 255
    total = np.zeros(2)
    for row in range(1, 5):
        for column in range(1, 6):
            for step in ((0, 1), (1, 0)):
                before = (slice(None), row - step[0], column - step[1])
                sides = [np.abs(x[before] - x[:, row, column]) for x in (a, b)]
                total += np.abs(sides[0] - sides[1]).sum(axis=-1)
    expected = decibels(128**2 * total / (3 * 6 * 7))
    np.testing.assert_allclose(metrics.sharpness_difference(*images(fake, real)), expected, rtol=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_ssim_equals_dm_pix(size):
    """Whose float32 variances cost it 3e-6; below, float64 holds ours to 1e-6."""
    fake, real = images(*levels(2, *size))
    np.testing.assert_allclose(metrics.ssim(fake, real), dm_pix.ssim((fake + 1) / 2, (real + 1) / 2), atol=5e-6)


@pytest.mark.parametrize("size", SIZES)
def test_variants_equal_scikit_image(size):
    reference = pytest.importorskip("skimage.metrics").structural_similarity
    fake, real = levels(2, *size)
    gauss = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": -1}
    pairs = list(zip(fake, real, strict=True))
    pair = images(fake, real)
    expected = [reference(x, y, data_range=255, **gauss) for x, y in pairs]
    np.testing.assert_allclose(metrics.ssim(*pair), expected, atol=1e-6)
    expected = [reference(x, y, data_range=int(x.max()) - int(x.min()), **gauss) for x, y in pairs]
    np.testing.assert_allclose(metrics.ssim_person(*pair), expected, atol=1e-6)
    expected = [reference(x, y, channel_axis=-1) for x, y in pairs]
    np.testing.assert_allclose(metrics.ssim_pg2(*pair), expected, atol=1e-6)


def test_a_range_of_one_level_keeps_its_digits():
    """Constants of one level are small beside the squares of bright pixels, where rounding in float32 would show."""
    fake, real = 230 + np.random.default_rng(0).integers(0, 2, (2, 1, 24, 24, 3))
    expected = channels(fake, real, gaussian(), "valid", 1.0)
    np.testing.assert_allclose(metrics.ssim_person(*images(fake, real)), expected, atol=2e-5)


def test_zero_padded_variants_equal_scipy():
    fake, real = levels(2, 15, 20)
    a, b = images(fake, real)
    np.testing.assert_allclose(metrics.ssim_torch(a, b), channels(a, b, gaussian(), "same", 1.0), atol=2e-6)
    luma = [(x @ np.array([0.299, 0.587, 0.114]))[..., None] for x in (fake, real)]
    maps = similarity(luma[0][0, ..., 0], luma[1][0, ..., 0], gaussian(), "full", 255)[0]
    assert maps.shape == (25, 30)
    np.testing.assert_allclose(metrics.ssim_lua(a, b), channels(*luma, gaussian(), "full", 255.0), atol=2e-6)


def test_ms_ssim_equals_scipy():
    """An odd side has a black row in front before each halving."""
    fake, real = levels(1, 161, 170)
    expected = 1.0
    a, b = np.float64(fake[0]), np.float64(real[0])
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        terms = [similarity(a[..., c], b[..., c], gaussian(), "valid", 255) for c in range(3)]
        means = np.array([(luminance * contrast if scale == 4 else contrast).mean() for luminance, contrast in terms])
        expected = expected * np.maximum(means, 0) ** weight
        a, b = (np.pad(x, ((x.shape[0] % 2, 0), (x.shape[1] % 2, 0), (0, 0))) for x in (a, b))
        a, b = (sum(x[i::2, j::2] for i in (0, 1) for j in (0, 1)) / 4 for x in (a, b))
    np.testing.assert_allclose(metrics.ms_ssim(*images(fake, real)), [expected.mean()], atol=1e-6)


@pytest.mark.parametrize(("metric", "size"), [(metrics.ms_ssim, (161, 162)), (metrics.ssim_torch, (16, 17))])
def test_gradients_of_the_losses(metric, size):
    """Finite where images are equal and where negative terms count as 0, and the slope of the value elsewhere."""
    a, b = images(*levels(1, *size))
    slope = jax.jit(jax.grad(lambda x, y: metric(x, y).sum()))
    for other in (a, -a):
        assert np.isfinite(slope(a, other)).all()
    slopes = np.asarray(slope(a, b))
    step = 0.01 * np.sign(slopes)
    change = metric(a + step, b)[0] - metric(a - step, b)[0]
    np.testing.assert_allclose(change, 2 * (step * slopes).sum(), rtol=0.02)


def test_negative_terms_of_ms_ssim_count_as_zero():
    a, _ = images(*levels(1, 161, 162))
    assert metrics.ms_ssim(a, -a) == 0


@pytest.mark.parametrize("name", ALL)
def test_of_any_pair(name):
    """Equal images are best, batches do not mix, and the symmetric ones are."""
    metric = getattr(metrics, name)
    fake, real = images(*levels(3, 64, 32))
    both = np.asarray(metric(fake, real))
    assert both.dtype == np.float32
    assert both.shape == (3,)
    best = {"psnr": np.inf, "psnr_lua": 88.1308, "sharpness_difference": 88.1308}.get(name, 0.0 if name.startswith("l") else 1.0)
    np.testing.assert_allclose(metric(real, real), [best] * 3, rtol=1e-6)
    alone = [metric(fake[i : i + 1], real[i : i + 1])[0] for i in range(3)]
    np.testing.assert_allclose(alone, both, rtol=1e-6)
    np.testing.assert_allclose(metric(fake[::-1], real[::-1])[::-1], both, rtol=1e-6)
    assert len(set(both.tolist())) == 3
    if name in SYMMETRIC:
        np.testing.assert_allclose(metric(real, fake), both, rtol=1e-6)
    else:
        assert np.abs(metric(real, fake) - both).min() > 1e-3


def test_constant_images():
    """Only the luminance term is left, and a generated image of one color has no range."""
    a, b = images(np.full((1, 16, 16, 3), 100), np.full((1, 16, 16, 3), 180))
    one = (0.01 * 255) ** 2
    expected = (2 * 100 * 180 + one) / (100**2 + 180**2 + one)
    for metric in (metrics.ssim, metrics.ssim_pg2):
        np.testing.assert_allclose(metric(a, b), expected, atol=1e-6)
    np.testing.assert_allclose(metrics.psnr(a, b), decibels(80**2), rtol=1e-6)
    np.testing.assert_allclose(metrics.sharpness_difference(a, b), 88.1308, rtol=1e-6)
    assert np.isnan(metrics.ssim_person(a, b))


def test_one_level_of_one_pixel():
    _, real = levels(1, 64, 32)
    fake = real.copy()
    fake[0, 20, 20, 1] += 1
    pair = images(fake, real)
    np.testing.assert_allclose(metrics.psnr(*pair), decibels(1 / real.size), rtol=1e-5)
    np.testing.assert_allclose(metrics.l1_pg2(*pair), 1 / real.size, rtol=1e-5)
    expected = channels(fake, real, gaussian(), "valid", 255)
    assert 0 < 1 - expected < 1e-5
    np.testing.assert_allclose(metrics.ssim(*pair), expected, atol=2e-7)
    assert metrics.ssim(*pair) < metrics.ssim(pair[1], pair[1])


def test_bad_shapes_are_one_sentence():
    a, _ = images(*levels(2, 32, 32))
    for name in ALL:
        for b in (a[:1], a[:, :31], a[..., :1], a[0]):
            with pytest.raises(InputError, match=r"of equal shape and at least \d+x\d+ pixels, got \(2, 32, 32, 3\) and"):
                getattr(metrics, name)(a, b)
    for name, least in (("ssim", 11), ("ssim_person", 11), ("ssim_pg2", 7), ("sharpness_difference", 3), ("ms_ssim", 161)):
        short = np.zeros((1, least, least - 1, 3), np.float32)
        with pytest.raises(InputError, match=f"at least {least}x{least} pixels"):
            getattr(metrics, name)(short, short)


def test_windows_sum_to_one():
    assert sum(structure.GAUSSIAN) == pytest.approx(1, abs=1e-12)
    assert sum(structure.UNIFORM) == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(np.outer(structure.GAUSSIAN, structure.GAUSSIAN), gaussian(), atol=1e-12)
