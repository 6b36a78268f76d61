"""Structural similarity in its variants, and over several scales; 1 for equal images.

Images are float [B, H, W, 3] in [-1, 1], RGB; every function returns float32 [B] and raises InputError for arrays of
any other shape or of too few pixels. `similarity` holds the one formula (Wang et al. 2004, K1 = 0.01, K2 = 0.03); the
variants are its windows, ranges and borders. Those that the papers' scripts compute from files of 8 bits round to
8 bits first.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from gganjax.errors import InputError
from gganjax.metrics.images import LEVEL, RANGE, check_pair

K1, K2 = 0.01, 0.03
UNIFORM = (1 / 7,) * 7
_bell = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
GAUSSIAN = tuple((_bell / _bell.sum()).tolist())  # 11 pixels, sigma 1.5
LUMA = (0.299, 0.587, 0.114)
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003, fine to coarse


@jax.jit
def ssim(fake, real):
    """Returns the structural similarity [B] as Wang et al. 2004 define it, and as "gaussian_255" for 8-bit images.

    11x11 Gaussian window of sigma 1.5, population covariance, L the range from black to white, mean over the channels,
    only windows that lie wholly in the image.
    """
    check_pair(fake, real, minimum=len(GAUSSIAN))
    return _one_by_one(lambda a, b: similarity(_unit(a), _unit(b)), fake, real)


@jax.jit
def ssim_person(fake, real):
    """Returns the SSIM [B] of the person-image tools (`getMetrics_*.py` of PATN, XingGAN and BiGraphGAN).

    As `ssim`, on 8-bit levels, but L is the largest minus the smallest level of the generated image, so the arguments
    may not be exchanged, and a generated image of one color has no score: NaN.
    """
    check_pair(fake, real, minimum=len(GAUSSIAN))
    fake, real = _levels(fake), _levels(real)
    data_range = fake.max(axis=(1, 2, 3)) - fake.min(axis=(1, 2, 3))
    values = _one_by_one(lambda a, b, span: similarity(a, b, data_range=span), fake, real, data_range)
    return jnp.where(data_range > 0, values, jnp.nan)


@jax.jit
def ssim_pg2(fake, real):
    """Returns the SSIM [B] of PG2's `score.py`: 8-bit levels, uniform 7x7 window, sample covariance."""
    check_pair(fake, real, minimum=len(UNIFORM))
    settings = {"data_range": 255.0, "window": UNIFORM, "sample_covariance": True}
    return _one_by_one(lambda a, b: similarity(_levels(a), _levels(b), **settings), fake, real)


@jax.jit
def ssim_lua(fake, real):
    """Returns the SSIM [B] of `compute_ssim_psnr_sharpness.lua` (SelectionGAN): luma alone, black around the image.

    The mean is over every window that touches the image, (H + 10) x (W + 10) of them.
    """
    check_pair(fake, real)
    return _one_by_one(lambda a, b: similarity(_luma(a), _luma(b), border="full"), fake, real)


@jax.jit
def ssim_torch(fake, real):
    """Returns the SSIM [B] that AsymmetricGAN's code has as a loss (`AsymmetricGAN_multi/ssim.py`); differentiable.

    L is 1 although the images span 2, and a window at every pixel sees zeros, which are mid-gray, outside.
    """
    check_pair(fake, real)
    return similarity(fake, real, border="same").mean(axis=1)


@functools.partial(jax.jit, static_argnames="scales")
def ms_ssim(fake, real, *, scales: int = len(SCALE_WEIGHTS)):
    """Returns the multi-scale structural similarity [B] over five scales, or fewer; differentiable.

    Wang et al. 2003 with their weights; AsymmetricGAN's Eq. 4 leaves exponents open and no code computes it. Each
    scale is the mean of 2x2 pixels of the one before, an odd side with one black row or column in front. The terms are
    those of `ssim`, multiplied for each channel, negative ones as 0. Both sides must exceed 160 pixels, with fewer
    scales 80, 40, 20 and 10; the weights of the scales that are left, the finer ones, keep their ratios and their sum.
    """
    if not 1 <= scales <= len(SCALE_WEIGHTS):
        raise InputError(f"MS-SSIM has 1 to {len(SCALE_WEIGHTS)} scales, got {scales}")
    check_pair(fake, real, minimum=smallest_side(scales))
    weights = [weight * sum(SCALE_WEIGHTS) / sum(SCALE_WEIGHTS[:scales]) for weight in SCALE_WEIGHTS[:scales]]
    a, b = _unit(fake), _unit(real)
    product = 1.0
    for weight in weights[:-1]:
        _, structure = _terms(a, b, 1.0, GAUSSIAN, False, "valid")
        product *= _power(_mean(structure, a.shape[-1]), weight)
        a, b = _halved(a), _halved(b)
    return (product * _power(similarity(a, b), weights[-1])).mean(axis=1)


def smallest_side(scales: int) -> int:
    """Returns the least height and width of pictures that MS-SSIM of so many scales compares."""
    return (len(GAUSSIAN) - 1) * 2 ** (scales - 1) + 1


def similarity(a, b, *, data_range=1.0, window=GAUSSIAN, sample_covariance: bool = False, border: str = "valid"):
    """Returns the mean structural similarity float32 [B, C] of each channel.

    Args:
      a, b: images [B, H, W, C] on a scale where 0 is black.
      data_range: L of the formula, a number or [B].
      window: weights of one side of the window, which is their outer product; they sum to 1.
      sample_covariance: divide by the number of pixels of the window less one.
      border: which windows count: "valid" those wholly in the image, "same" one around every pixel, "full" all that
        touch the image; zeros lie outside.
    """
    luminance, structure = _terms(a, b, data_range, window, sample_covariance, border)
    return _mean(luminance * structure, a.shape[-1])


def _one_by_one(function, *batches):
    """The channels' mean of a function of single images: what one image needs stays in the processor's cache."""
    return jax.lax.map(lambda row: function(*(x[None] for x in row)).mean(), batches)


def _terms(a, b, data_range, window, sample_covariance, border):
    """The luminance term and the product of the contrast and structure terms, [B, h, w * C] each.

    Written as 1 less a share of the difference, 2xy = x^2 + y^2 - (x - y)^2, so that what is equal in both images is
    exactly equal in float32; the two variances enter as their sum alone. That is taken of pixels less the mean of
    their image: small variances on a bright image would drown in the rounding of large squares. Columns and channels are
    one axis, because an innermost axis of three keeps processors from working on many pixels at once.
    """
    channels, size = a.shape[-1], len(window)
    pad = {"valid": 0, "same": size // 2, "full": size - 1}[border]
    a, b = (jnp.pad(x.astype(jnp.float32), ((0, 0), (pad, pad), (pad, pad), (0, 0))) for x in (a, b))
    a, b = (x.reshape(*x.shape[:2], -1) for x in (a, b))
    difference = a - b
    center_a, center_b = (x.mean(axis=(1, 2), keepdims=True) for x in (a, b))
    a, b = a - center_a, b - center_b
    pictures = jnp.stack([a, b, a * a + b * b, difference * difference])
    # The barrier keeps the compiler from computing one pass anew for every pixel of the other.
    blurred = jax.lax.optimization_barrier(_weighted(pictures, window, axis=2))
    mean_a, mean_b, squares, differences = _weighted(blurred, window, axis=3, step=channels)
    variances = squares - mean_a * mean_a - mean_b * mean_b
    mean_a, mean_b = mean_a + center_a, mean_b + center_b
    apart = jnp.square(mean_a - mean_b)
    unbiased = size**2 / (size**2 - 1) if sample_covariance else 1.0
    data_range = jnp.reshape(jnp.asarray(data_range, jnp.float32), (-1, 1, 1))
    one, two = (K1 * data_range) ** 2, (K2 * data_range) ** 2 / unbiased
    luminance = 1 - apart / (mean_a * mean_a + mean_b * mean_b + one)
    # Rounding may take a variance below 0.
    structure = 1 - jnp.maximum(differences - apart, 0) / (jnp.maximum(variances, 0) + two)
    return luminance, structure


def _weighted(x, window, axis, step=1):
    """Correlation with the window along one axis, over its places within it; `step` elements lie between pixels.

    Sums of shifted slices, because convolutions of few channels are slow on CPUs.
    """
    length = x.shape[axis] - (len(window) - 1) * step
    return sum(
        weight * jax.lax.slice_in_dim(x, place * step, place * step + length, axis=axis) for place, weight in enumerate(window)
    )


def _mean(x, channels):
    """Of each channel [B, C] of [B, h, w * C]. By columns first: one float32 sum over an image may lose the sixth digit."""
    columns = x.mean(axis=1)
    return columns.reshape(len(x), -1, channels).mean(axis=1)


def _unit(x):
    return (x.astype(jnp.float32) + 1) / RANGE


def _luma(x):
    return jnp.tensordot(_unit(x), jnp.array(LUMA), 1, precision="highest")[..., None]


def _levels(x):
    return jnp.round((x.astype(jnp.float32) + 1) * LEVEL)


def _halved(x):
    batch, height, width, channels = x.shape
    x = jnp.pad(x, ((0, 0), (height % 2, 0), (width % 2, 0), (0, 0)))
    return x.reshape(batch, x.shape[1] // 2, 2, x.shape[2] // 2, 2, channels).mean(axis=(2, 4))


def _power(x, exponent):
    """max(x, 0) ** exponent with the gradient 0 where x <= 0; that of the power itself is infinite at 0."""
    positive = x > 0
    return jnp.where(positive, jnp.where(positive, x, 1.0) ** exponent, 0.0)
