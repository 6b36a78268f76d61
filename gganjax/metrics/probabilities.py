"""Scores of class probabilities: Inception Score, KL score, and top-k accuracy.

Probabilities are rows [N, C] that a classifier's softmax gives, one an image; sums run in float64. Rows are in the
order of the images, which matters where a score works on splits.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr

from gganjax.errors import InputError

SPLITS = 10  # of the Inception Score in all the papers' tables
CONFIDENT = 0.5  # a real image counts as confident above this probability of its first class
REST = 1e-9  # what the scene version puts in place of a class outside the top k


class Score(NamedTuple):
    """A mean and the population standard deviation beside it; see the function for what each is taken over."""

    mean: float
    std: float


class Accuracy(NamedTuple):
    """Top-k accuracies in %, over all images and over the confident ones alone, and how many those are."""

    all: float
    confident: float
    confident_count: int


def inception_score(probabilities, *, splits: int = SPLITS) -> Score:
    """Returns mean and standard deviation over `splits` consecutive parts of the Inception Score, from 1 to C.

    Salimans et al. 2016 with the bounds of its published code: part i is rows [i N // splits, (i + 1) N // splits), its
    score exp(mean_n sum_c p log(p / mean p)). The papers' version takes the 1008 outputs of the Inception network of
    2015 without their biases.

    Raises:
      InputError: no rows of probabilities, or fewer than `splits`.
    """
    (p,) = _check(probabilities)
    if not 1 <= splits <= len(p):
        raise InputError(f"an Inception Score over {splits} splits needs at least as many images, got {len(p)}.")
    bounds = [i * len(p) // splits for i in range(splits + 1)]
    scores = [_exp_mean_kl(p[start:end]) for start, end in zip(bounds[:-1], bounds[1:], strict=True)]
    return Score(float(np.mean(scores)), float(np.std(scores)))


def inception_score_scene(probabilities, *, top: int | None = None) -> float:
    """Returns the Inception Score of scenes, over all images at once (SelectionGAN, `compute_topK_KL.py`).

    Args:
      probabilities: [N, C], of AlexNet-Places365 in the papers.
      top: None for all classes. Otherwise the largest `top` entries of each row stay as they are, all others become
        1e-9, and nothing is renormalized: the papers' top-1 and top-5 scores. Of equal entries those of the lower class
        come first. Such a score can exceed that of all classes.

    Raises:
      InputError: no rows of probabilities, or fewer classes than `top`.
    """
    (p,) = _check(probabilities)
    if top is not None:
        kept = _top(p, top)
        rest = np.full_like(p, REST)
        np.put_along_axis(rest, kept, np.take_along_axis(p, kept, 1), 1)
        p = rest
    return _exp_mean_kl(p)


def kl_score(fake, real) -> Score:
    """Returns exp(mean k) and the standard deviation of k for k_n = sum_c fake log(fake / real) of image pair n.

    That is what SelectionGAN's `KL_model_data.py` prints: the mean is exponentiated, the deviation is not. Infinite
    where a class is possible in the generated image and has probability 0 in the real one.

    Args:
      fake, real: [N, C], of AlexNet-Places365 in the papers; row n of both belongs to the same pair.

    Raises:
      InputError: no rows of probabilities, or different shapes.
    """
    fake, real = _check(fake, real)
    divergence = rel_entr(fake, real).sum(1)
    if np.isinf(divergence).any():
        return Score(float("inf"), float("inf"))
    return Score(float(np.exp(divergence.mean())), float(divergence.std()))


def top_k_accuracy(fake, real, *, k: int) -> Accuracy:
    """Returns how often the real image's first class is among the first k of its generated image, in %.

    SelectionGAN's `compute_accuracies.py`: over all pairs, and over those alone whose real image has its first class at
    a probability above 0.5; NaN where there is no such pair. Of equal entries those of the lower class come first.

    Args:
      fake, real: [N, C], of AlexNet-Places365 in the papers; row n of both belongs to the same pair.
      k: 1 and 5 in the papers.

    Raises:
      InputError: no rows of probabilities, different shapes, or fewer classes than k.
    """
    fake, real = _check(fake, real)
    right = (_top(fake, k) == _top(real, 1)).any(1)
    confident = real.max(1) > CONFIDENT
    count = int(confident.sum())
    return Accuracy(100 * float(right.mean()), 100 * float(right[confident].mean()) if count else float("nan"), count)


def _exp_mean_kl(p) -> float:
    return float(np.exp(rel_entr(p, p.mean(0)).sum(1).mean()))


def _top(p, k: int):
    """Classes [N, k] of the largest entries, the lower class first among equals."""
    if not 1 <= k <= p.shape[1]:
        raise InputError(f"the first {k} of {p.shape[1]} classes were asked for.")
    return np.argsort(-p, axis=1, kind="stable")[:, :k]


def _check(*arrays):
    """The arrays in float64, after making sure that they are rows of probabilities of one shape."""
    arrays = [np.asarray(array, np.float64) for array in arrays]
    for array in arrays:
        if array.ndim != 2 or 0 in array.shape or array.shape != arrays[0].shape:
            raise InputError(f"class probabilities are arrays [N, C] of one shape, got {[x.shape for x in arrays]}.")
        wrong = np.flatnonzero(~((array >= 0).all(1) & (np.abs(array.sum(1) - 1) < 1e-3)))
        if len(wrong):
            raise InputError(f"class probabilities are not negative and sum to 1, which row {wrong[0]} does not.")
    return arrays
