"""Losses as pure functions of arrays. Images are [B, H, W, C] in [-1, 1]; every result is a float32 scalar.

Means are over all elements, the batch included. Discriminators are judged by their logits. Two images that are
compared have the same shape, or an AssertionError tells both.
"""

from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp
import optax

from gganjax.errors import InputError
from gganjax.metrics import structure


def adversarial(logits: jax.Array, real: float, kind: str = "vanilla", *, fooling: bool = False) -> jax.Array:
    """Mean loss of calling every patch real (or fake), logits [B, ...].

    Args:
      logits: outputs of a discriminator before its sigmoid.
      real: the label to be reached, True or False; a soft one between for the kinds "vanilla" and "least_squares".
      kind: "vanilla" is binary cross entropy on the sigmoid (Goodfellow et al. 2014), "least_squares" the mean
        squared distance to 1 or 0 (Mao et al. 2017), "wasserstein" the mean score with the sign that makes real ones
        large and fake ones small (Arjovsky et al. 2017), "hinge" the mean excess of a margin of 1 on that sign's side
        (Lim and Ye 2017).
      fooling: whether it is the images' maker that learns; for it "hinge" has no margin and equals "wasserstein".
    """
    logits = logits.astype(jnp.float32)
    target = jnp.full_like(logits, float(real))
    if kind == "vanilla":
        return optax.sigmoid_binary_cross_entropy(logits, target).mean()
    if kind == "least_squares":
        return jnp.square(logits - target).mean()
    if kind == "hinge" and not fooling:
        return jax.nn.relu(1 - logits if real else 1 + logits).mean()
    if kind in ("hinge", "wasserstein"):
        return -logits.mean() if real else logits.mean()
    known = "'vanilla', 'least_squares', 'wasserstein' or 'hinge'"
    raise ValueError(f"adversarial loss '{kind}' is unknown: expected {known}.")


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


def gradient_penalty(judge: Callable, real: jax.Array, fake: jax.Array, share: jax.Array) -> jax.Array:
    """Mean of (|slope| - 1)^2 at points between real and fake images (Gulrajani et al. 2017).

    The slope is the gradient of the sum of an image's scores by its pixels, |.| its L2 norm over all of them.

    Args:
      judge: images [B, H, W, C] -> scores [B, ...]; it moves no statistics (`call(..., keep=False)`).
      real, fake: images [B, H, W, C].
      share: of the real image in each point, [B, 1, 1, 1] in [0, 1].
    """
    chex.assert_equal_shape((real, fake))
    between = share * real + (1 - share) * fake
    slopes = jax.grad(lambda x: judge(x).astype(jnp.float32).sum())(between)
    norms = optax.safe_norm(slopes.reshape(len(slopes), -1), 0.0, axis=1)
    return jnp.square(norms - 1).mean()


def domain_classification(logits: jax.Array, labels: jax.Array, kind: str = "softmax") -> jax.Array:
    """Domain classification, logits and labels [B, M], divided by the batch (StarGAN, Eq. 2 and 3).

    Args:
      logits: one number a domain or attribute.
      labels: 0 or 1 each.
      kind: "softmax", cross entropy of domains that exclude each other; "attributes", binary cross entropies
        summed over the attributes.
    """
    chex.assert_equal_shape((logits, labels))
    logits = logits.astype(jnp.float32)
    if kind == "softmax":
        return optax.softmax_cross_entropy(logits, labels).mean()
    if kind == "attributes":
        return optax.sigmoid_binary_cross_entropy(logits, labels).sum(axis=1).mean()
    raise ValueError(f"domain classification '{kind}' is unknown: expected 'softmax' or 'attributes'.")


def ssim(x: jax.Array, y: jax.Array) -> jax.Array:
    """1 less the structural similarity as AsymmetricGAN's code has it, see `metrics.ssim_torch`.

    The code minimizes the negative similarity; the gradient is the same.
    """
    return 1 - structure.ssim_torch(x, y).mean()


def ms_ssim(x: jax.Array, y: jax.Array, *, scales: int = 5) -> jax.Array:
    """1 less the multi-scale structural similarity (AsymmetricGAN Eq. 4), see `metrics.ms_ssim`."""
    smallest = structure.smallest_side(scales)
    if min(x.shape[1:3]) < smallest:
        raise InputError(f"MS-SSIM of {scales} scales compares pictures of at least {smallest}x{smallest} pixels, found "
                         f"{x.shape[1]}x{x.shape[2]}; take fewer scales.")
    return 1 - structure.ms_ssim(x, y, scales=scales).mean()


def feature_matching(layers, target_layers) -> jax.Array:
    """L1 means between a discriminator's activations, summed over the layers and averaged over the scales.

    Args:
      layers: for each scale the activations [B, h, w, c] of every layer; the last, the logits, are left out.
      target_layers: those of the real image; no gradient flows into them.
    """
    return sum(perceptual(x[:-1], y[:-1], [1.0] * (len(x) - 1))
               for x, y in zip(layers, target_layers, strict=True)) / len(layers)


def kl(mean: jax.Array, log_variance: jax.Array) -> jax.Array:
    """Divergence of normal codes [B, n] from the standard normal, summed over n, averaged over the batch."""
    chex.assert_equal_shape((mean, log_variance))
    terms = 1 + log_variance - jnp.square(mean) - jnp.exp(log_variance)
    return -0.5 * terms.sum(axis=1).mean()


# SelectionGAN


LEAST_UNCERTAINTY = 1e-6  # far below a step of 8 bits


def uncertainty_guided(x: jax.Array, y: jax.Array, uncertainty: jax.Array) -> jax.Array:
    """Pixel loss that a learned map weighs: the mean of |x - y| / U + log U (SelectionGAN, thesis ch. 5).

    The least value at a point is where U is the distance there. Where images agree to the bit, a map would go on falling
    until its logarithm overflows: U below `LEAST_UNCERTAINTY` counts as that and learns nothing.

    Args:
      x, y: [B, H, W, C].
      uncertainty: U, one map [B, H, W, 1] for all channels, in (0, 1).
    """
    chex.assert_equal_shape((x, y))
    chex.assert_shape(uncertainty, (*x.shape[:3], 1))
    uncertainty = jnp.maximum(uncertainty, LEAST_UNCERTAINTY)
    return (jnp.abs(x - y) / uncertainty + jnp.log(uncertainty)).mean()


# LGGAN


def class_pixel(images: jax.Array, target: jax.Array, masks: jax.Array) -> jax.Array:
    """LGGAN's L1 means between the image of each class and the target inside its mask, summed over the classes.

    Args:
      images: [B, H, W, K, 3].
      target: [B, H, W, 3]; outside of a class's mask an image shall be 0.
      masks: 0 or 1, [B, H, W, K].
    """
    wanted = target[:, :, :, None] * masks[..., None]
    chex.assert_equal_shape((images, wanted))
    return jnp.abs(images - wanted).mean((0, 1, 2, 4)).sum()


def class_loss(scores: jax.Array, present: jax.Array, reduction: str = "mean") -> jax.Array:
    """Cross entropy of taking the features of class k for class k, over the classes that are there (LGGAN).

    Args:
      scores: logits [B, K, K], of the features of each class.
      present: 1 where the class is in the picture, else 0, [B, K].
      reduction: "mean" over what is present, as in the released code, or the text's "sum".
    """
    chex.assert_equal_shape((scores[..., 0], present))
    entropies = -jnp.diagonal(jax.nn.log_softmax(scores.astype(jnp.float32)), axis1=1, axis2=2) * present
    return entropies.sum() / (jnp.maximum(present.sum(), 1) if reduction == "mean" else 1)
