"""Distances between a result and the truth: PSNR, SSIM and LPIPS, one value per image.

Images are float [B, H, W, 3] in [-1, 1], RGB; every function returns float32 [B]. Each is the standard definition,
so that numbers compare with other work; published variants that differ get functions and names of their own.
"""

import functools

import dm_pix
import jax
import jax.numpy as jnp

from gganjax.errors import InputError
from gganjax.features import LPIPS

RANGE = 2.0  # from black to white in [-1, 1]


@jax.jit
def psnr(a, b):
    """Returns the peak signal-to-noise ratio [B] in dB over all pixels and channels; infinite for equal images."""
    _check(a, b, minimum=1)
    error = jnp.mean(jnp.square(a.astype(jnp.float32) - b.astype(jnp.float32)), axis=(1, 2, 3))
    return 10 * jnp.log10(RANGE**2 / error)


@jax.jit
def ssim(a, b):
    """Returns the structural similarity [B], 1 for equal images.

    Wang et al. 2004: 11x11 Gaussian window of sigma 1.5, population covariance, K1 = 0.01, K2 = 0.03, per channel,
    only windows that lie wholly in the image.
    """
    _check(a, b, minimum=11)
    # The library clips variances below 0, which is right for pictures in [0, 1] as for any other range.
    scaled = [(x.astype(jnp.float32) + 1) / RANGE for x in (a, b)]
    return dm_pix.ssim(*scaled, max_val=1.0, filter_size=11, filter_sigma=1.5)


@functools.partial(jax.jit, static_argnames="net")
def lpips(params, a, b, *, net: str = "alexnet"):
    """Returns the LPIPS v0.1 distance [B], 0 for equal images; params are what the loader of `features.lpips(net)` gives."""
    _check(a, b, minimum=31 if net == "alexnet" else 16)
    return LPIPS(net=net).apply({"params": params}, a.astype(jnp.float32), b.astype(jnp.float32))


def _check(a, b, minimum):
    if a.ndim != 4 or a.shape[-1] != 3 or a.shape != b.shape or min(a.shape[1:3]) < minimum:
        raise InputError(
            f"a metric compares two batches of images [B, H, W, 3] of equal shape and at least {minimum}x{minimum} pixels, "
            f"got {tuple(a.shape)} and {tuple(b.shape)}"
        )
