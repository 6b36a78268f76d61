"""Distances between a result and the truth, one value per image: PSNR, L1, sharpness difference and LPIPS.

Images are float [B, H, W, 3] in [-1, 1], RGB; every function returns float32 [B] and raises InputError for arrays of
any other or of unequal shape. The plain names are the standard definitions, so that numbers compare with other work;
a published variant that differs has a name of its own and exists to compare with the tables that were made with it.
"""

import functools
import math

import jax
import jax.numpy as jnp

from gganjax.errors import InputError
from gganjax.features import LPIPS

RANGE = 2.0  # from black to white in [-1, 1]
LEVEL = 255 / RANGE  # 8-bit levels in one unit


@jax.jit
def psnr(fake, real):
    """Returns the peak signal-to-noise ratio [B] in dB over all pixels and channels; infinite for equal images."""
    check_pair(fake, real)
    return 10 * jnp.log10(RANGE**2 / _mean(jnp.square(_difference(fake, real))))


@jax.jit
def psnr_lua(fake, real):
    """Returns the PSNR [B] in dB of the published `compute_psnr.lua` (GestureGAN, SelectionGAN).

    The script scales the squared error of images in [0, 1] by 128^2 and holds it against a peak of 255, so the value
    is the standard one plus 20 log10(255/128) = 5.987 dB, and at most 10 log10(255^2 / 1e-4) = 88.13 dB.
    """
    check_pair(fake, real)
    return _lua_decibels(_mean(jnp.square(_difference(fake, real) / RANGE)))


@jax.jit
def sharpness_difference(fake, real):
    """Returns SD [B] in dB as `compute_ssim_psnr_sharpness.lua` (SelectionGAN) has it; 88.13 dB for equal images.

    The absolute differences of the absolute image gradients, not their squares, are summed over the pixels that have
    neighbors on all sides and divided by the number of all pixels; the factor 128^2 is that of `psnr_lua`.
    """
    check_pair(fake, real, minimum=3)
    (across, down), (across_real, down_real) = (_gradients(x.astype(jnp.float32) / RANGE) for x in (fake, real))
    share = math.prod(across.shape[1:]) / math.prod(fake.shape[1:])
    return _lua_decibels(share * _mean(jnp.abs(across_real - across) + jnp.abs(down_real - down)))


@jax.jit
def l1(fake, real):
    """Returns the mean absolute difference [B] of images in [-1, 1] (`getMetrics_*.py` of the person-image tools)."""
    check_pair(fake, real)
    return _mean(jnp.abs(_difference(fake, real)))


@jax.jit
def l1_pg2(fake, real):
    """Returns the mean absolute difference [B] in 8-bit levels (PG2 `score.py`)."""
    check_pair(fake, real)
    return _mean(jnp.abs(_difference(fake, real))) * LEVEL


@jax.jit
def l2_pg2(fake, real):
    """Returns the "L2" [B] of PG2's `score.py`: the root of the sum of squares of 8-bit levels, divided by their number.

    It is no root mean square error and shrinks as images grow.
    """
    check_pair(fake, real)
    squares = _mean(jnp.square(_difference(fake, real)))
    return jnp.sqrt(squares / math.prod(fake.shape[1:])) * LEVEL


@functools.partial(jax.jit, static_argnames="net")
def lpips(params, fake, real, *, net: str = "alexnet"):
    """Returns the LPIPS v0.1 distance [B], 0 for equal images; params are what the loader of `features.lpips(net)` gives."""
    check_pair(fake, real, minimum=31 if net == "alexnet" else 16)
    return LPIPS(net=net).apply({"params": params}, fake.astype(jnp.float32), real.astype(jnp.float32))


def check_pair(fake, real, minimum: int = 1) -> None:
    """Raises InputError unless both are [B, H, W, 3] of equal shape and at least `minimum` pixels a side."""
    if fake.ndim != 4 or fake.shape[-1] != 3 or fake.shape != real.shape or min(fake.shape[1:3]) < minimum:
        raise InputError(
            f"a metric compares two batches of images [B, H, W, 3] of equal shape and at least {minimum}x{minimum} pixels, "
            f"got {tuple(fake.shape)} and {tuple(real.shape)}"
        )


def _difference(fake, real):
    return fake.astype(jnp.float32) - real.astype(jnp.float32)


def _mean(x):
    """Row by row first: one float32 sum over a large image may lose the sixth digit."""
    return jnp.mean(jnp.mean(x, axis=(2, 3)), axis=1)


def _lua_decibels(error):
    """The scale, peak and floor that the Lua measures share; `error` is that of images in [0, 1]."""
    return 10 * jnp.log10(255**2 / jnp.maximum(128**2 * error, 1e-4))


def _gradients(x):
    """Absolute differences from the left and from the upper neighbor, at the pixels that lie on no border."""
    inner = x[:, 1:-1, 1:-1]
    return jnp.abs(x[:, 1:-1, :-2] - inner), jnp.abs(x[:, :-2, 1:-1] - inner)
