"""Losses as pure functions of arrays. Images are [B, H, W, C] in [-1, 1]; every result is a float32 scalar.

Means are over all elements, the batch included. Discriminators are judged by their logits. Two images that are
compared have the same shape, or an AssertionError tells both.
"""

import chex
import jax
import jax.numpy as jnp
import optax


def adversarial(logits: jax.Array, real: bool, kind: str = "vanilla") -> jax.Array:
    """Mean loss of calling every patch real (or fake), logits [B, ...].

    Args:
      logits: outputs of a discriminator before its sigmoid.
      real: the label to be reached.
      kind: "vanilla" is binary cross entropy on the sigmoid (Goodfellow et al. 2014), "least_squares" the mean
        squared distance to 1 or 0 (Mao et al. 2017).
    """
    logits = logits.astype(jnp.float32)
    target = jnp.full_like(logits, float(real))
    if kind == "vanilla":
        return optax.sigmoid_binary_cross_entropy(logits, target).mean()
    if kind == "least_squares":
        return jnp.square(logits - target).mean()
    raise ValueError(f"adversarial loss '{kind}' is unknown: expected 'vanilla' or 'least_squares'.")


def pixel(x: jax.Array, y: jax.Array) -> jax.Array:
    """Mean absolute difference (L1)."""
    chex.assert_equal_shape((x, y))
    return jnp.abs(x - y).mean()


def pixel_l2(x: jax.Array, y: jax.Array) -> jax.Array:
    """Mean squared difference."""
    chex.assert_equal_shape((x, y))
    return jnp.square(x - y).mean()


def color(x: jax.Array, y: jax.Array) -> jax.Array:
    """Color loss: the sum over the channels of each channel's L1 mean (GestureGAN, thesis ch. 2).

    With equal numbers of pixels in each channel it is the number of channels times `pixel`.
    """
    chex.assert_equal_shape((x, y))
    return jnp.abs(x - y).mean(axis=(0, 1, 2)).sum()


def color_l2(x: jax.Array, y: jax.Array) -> jax.Array:
    """Color loss with each channel's mean squared difference in place of its L1 mean."""
    chex.assert_equal_shape((x, y))
    return jnp.square(x - y).mean(axis=(0, 1, 2)).sum()


def total_variation(x: jax.Array) -> jax.Array:
    """Absolute differences of neighboring pixels, summed over each image and averaged over the batch."""
    horizontal = jnp.abs(x[:, :, 1:] - x[:, :, :-1]).sum()
    vertical = jnp.abs(x[:, 1:] - x[:, :-1]).sum()
    return (horizontal + vertical) / x.shape[0]


PERCEPTUAL_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


def perceptual(taps, target_taps, weights=PERCEPTUAL_WEIGHTS) -> jax.Array:
    """Weighted sum over levels of the L1 mean between activations (thesis Eq. 2.12 with the reference's levels).

    Args:
      taps: activations of a frozen network, one [B, h, w, c] a level.
      target_taps: those of the target; no gradient flows into them.
      weights: one a level, shallow to deep.
    """
    return sum(weight * pixel(x.astype(jnp.float32), jax.lax.stop_gradient(y).astype(jnp.float32))
               for weight, x, y in zip(weights, taps, target_taps, strict=True))
