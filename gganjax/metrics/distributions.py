"""Distances between two sets of features: FID, KID, and their use on dances.

Features are [N, D], one row an image or a dance, of any frozen network; arithmetic is in float64. Sets too large for
memory are given to `Moments` in parts, which keeps D x D numbers however many rows there are.
"""

import logging
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from gganjax.errors import InputError

log = logging.getLogger("gganjax")

ROWS = 1024  # of a block of pairwise values that is in memory at once


class Moments:
    """Mean and unbiased covariance (N - 1) of rows that come in parts; the parts and their order do not matter.

    Attributes:
      count: rows so far.
      mean: float64 [D].
    """

    def __init__(self, features=None):
        """Begins with the rows of `features` [N, D], or with none."""
        self.count, self.mean, self._scatter = 0, None, None
        if features is not None:
            self.update(features)

    def update(self, features) -> "Moments":
        """Adds the rows of `features` [N, D] and returns itself.

        Raises:
          InputError: no rows, not finite, or of another width than those before.
        """
        rows = _check(features)
        mean = rows.mean(0)
        centered = rows - mean
        return self._add(len(rows), mean, centered.T @ centered)

    def merge(self, other: "Moments") -> "Moments":
        """Adds all rows that `other` has seen and returns itself."""
        return self._add(other.count, other.mean, other._scatter) if other.count else self

    def _add(self, count, mean, scatter):
        # Chan, Golub and LeVeque 1983: sums about the means, which lose no digits to a large common offset.
        if self.count == 0:
            self.count, self.mean, self._scatter = count, mean.copy(), scatter.copy()
            return self
        if mean.shape != self.mean.shape:
            raise InputError(f"features of width {len(mean)} were added to features of width {len(self.mean)}.")
        total = self.count + count
        step = mean - self.mean
        self._scatter = self._scatter + scatter + np.outer(step, step) * (self.count * count / total)
        self.mean = self.mean + step * (count / total)
        self.count = total
        return self

    @property
    def covariance(self) -> np.ndarray:
        """Unbiased covariance [D, D]; it needs two rows."""
        if self.count < 2:
            raise InputError(f"a covariance needs at least 2 rows of features, got {self.count}.")
        return self._scatter / (self.count - 1)

    @property
    def singular(self) -> bool:
        """Whether there are too few rows, at most D, for a covariance of full rank."""
        return self.count <= len(self.mean)

    def shrunk(self) -> np.ndarray:
        """Covariance [D, D] drawn toward the multiple of the identity with the same trace, which makes it regular.

        By how much is the oracle approximating shrinkage of Chen, Wiesel, Eldar and Hero 2010, Eq. 23.
        """
        covariance, size = self.covariance, len(self.mean)
        squared, trace = np.sum(covariance**2), np.trace(covariance)
        above = (1 - 2 / size) * squared + trace**2
        below = (self.count + 1 - 2 / size) * (squared - trace**2 / size)
        share = 1.0 if below <= 0 else min(above / below, 1.0)
        return (1 - share) * covariance + share * trace / size * np.eye(size)


class KID(NamedTuple):
    """A kernel distance and its standard error."""

    value: float
    error: float


class Spread(NamedTuple):
    """Mean and population standard deviation over random subsets."""

    mean: float
    std: float


def fid(a, b, *, shrink: bool = False) -> float:
    """Returns the Fréchet distance of the Gaussians with the mean and the covariance of each set; 0 for equal sets.

    Heusel et al. 2017, Eq. 6: |m1 - m2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2)), with unbiased covariances, in float64. It is
    FID when the features are the 2048 pooled ones of the Inception network of 2015; with other features say so. The
    value is too large for small sets. With at most D rows in a set the covariance is singular: the value is still
    defined, and equals the published code's, but depends on the number of rows more than on the images; a warning says
    so, and `Moments.singular` tells it beforehand.

    The trace is the sum of the singular values of S1^(1/2) S2^(1/2), which is real and finite also for singular
    covariances, so that none of the published code's repairs (1e-6 I added, imaginary parts dropped) is needed.

    Args:
      a, b: features [N, D], or `Moments`.
      shrink: take `Moments.shrunk` in place of the covariances; a value of its own, not to be mixed with FID.

    Raises:
      InputError: not such features, a width that differs, or fewer than 2 rows.
    """
    a, b = (x if isinstance(x, Moments) else Moments(x) for x in (a, b))
    left, right = (x.shrunk() if shrink else x.covariance for x in (a, b))
    if a.mean.shape != b.mean.shape:
        raise InputError(f"FID compares features of one width, got {len(a.mean)} and {len(b.mean)}.")
    if not shrink and (a.singular or b.singular):
        log.warning(
            "FID of %d and %d samples in %d dimensions: covariances of at most as many samples as dimensions are "
            "singular and the value depends on the number of samples; KID does not.", a.count, b.count, len(a.mean))
    cross = np.linalg.svd(_root(left) @ _root(right).T, compute_uv=False).sum()
    return float(np.sum((a.mean - b.mean) ** 2) + np.trace(left) + np.trace(right) - 2 * cross)


def kid(a, b) -> KID:
    """Returns the kernel distance of two sets, near 0 for samples of one distribution, and its standard error.

    Bińkowski et al. 2018: the unbiased estimate of the squared maximum mean discrepancy (Gretton et al. 2012, Lemma 6)
    with the kernel (x y / D + 1)^3. It does not depend on the numbers of samples, but for its error, and may be
    negative. All samples are used; the standard error is that of the jackknife over single samples of both sets, which
    holds for small sets, too, where the spread over subsets that overlap does not (`kid_subsets`).

    Args:
      a, b: features [N, D] and [M, D], at least 3 rows each.

    Raises:
      InputError: not such features.
    """
    a, b = _pair(a, b, least=3)
    n, m = len(a), len(b)
    # Row sums without each sample's kernel with itself, from which leaving one out is a subtraction.
    own_a, own_b, mixed_a, mixed_b = _sums(a, a), _sums(b, b), _sums(a, b), _sums(b, a)
    own_a, own_b = own_a - _kernel_diagonal(a), own_b - _kernel_diagonal(b)

    def value(within_a, within_b, between, n, m):
        return within_a / (n * (n - 1)) + within_b / (m * (m - 1)) - 2 * between / (n * m)

    total_a, total_b, between = own_a.sum(), own_b.sum(), mixed_a.sum()
    without_a = value(total_a - 2 * own_a, total_b, between - mixed_a, n - 1, m)
    without_b = value(total_a, total_b - 2 * own_b, between - mixed_b, n, m - 1)
    variance = (n - 1) * without_a.var() + (m - 1) * without_b.var()
    return KID(float(value(total_a, total_b, between, n, m)), float(np.sqrt(variance)))


def kid_subsets(a, b, *, subsets: int = 100, size: int = 1000, seed: int = 0) -> Spread:
    """Returns mean and standard deviation of the kernel distance over random subsets, as its published tables do.

    The estimate of `kid` on `subsets` pairs of subsets of `size` rows each, drawn without replacement within a subset
    (Bińkowski et al. 2018: 100 of 1000). The deviation is that of one subset's estimate and no standard error; it
    vanishes when `size` is the number of rows. Other seeds and other orders of the rows give other subsets.

    Raises:
      InputError: not such features, or fewer rows than `size`.
    """
    a, b = _pair(a, b, least=2)
    if not 2 <= size <= min(len(a), len(b)) or subsets < 1:
        raise InputError(f"{subsets} subsets of {size} samples cannot be drawn from {len(a)} and {len(b)} samples.")
    random = np.random.default_rng(seed)
    values = []
    for _ in range(subsets):
        x, y = (rows[random.choice(len(rows), size, replace=False)] for rows in (a, b))
        within = sum(_sums(z, z).sum() - _kernel_diagonal(z).sum() for z in (x, y))
        values.append(within / (size * (size - 1)) - 2 * _sums(x, y).sum() / size**2)
    return Spread(float(np.mean(values)), float(np.std(values)))


def pose_fid(a, b, *, shrink: bool = False) -> float:
    """Returns `fid` of dances, from the 256 features a dance that an ST-GCN has behind its last block.

    The network of DanceGAN's Table 7.2 is not named. Here it is an ST-GCN trained to tell styles of dance on the
    training split, its features averaged over frames and joints; say with every value which weights. The some 70 dances
    of the table leave the covariance singular: give 2,000 or more as well.

    Args:
      a, b: features [N, D], or [N, T, V, D] for T frames and V joints, which are averaged.
      shrink: as in `fid`.

    Raises:
      InputError: as in `fid`.
    """
    return fid(_pooled(a), _pooled(b), shrink=shrink)


def diversity(features, music=None) -> float:
    """Returns the mean Euclidean distance over all pairs of dances that were made from different music.

    The measure of Dancing2Music (Lee et al. 2019), which DanceGAN's Table 7.2 is taken to follow.

    Args:
      features: [N, D], or [N, T, V, D], which are averaged over T and V.
      music: which music each of the N dances was made from, as names or numbers; None where all differ.

    Raises:
      InputError: not such features, another number of names, or no two dances of different music.
    """
    rows = _check(_pooled(features))
    return _mean_distance(rows, np.arange(len(rows)) if music is None else np.asarray(music), same=False)


def multimodality(features, music) -> float:
    """Returns the mean Euclidean distance over all pairs of dances that were made from the same music with other noise.

    Arguments and errors are those of `diversity`; at least two dances share their music.
    """
    return _mean_distance(_check(_pooled(features)), np.asarray(music), same=True)


def _mean_distance(rows, music, *, same: bool) -> float:
    if music.shape != (len(rows),):
        raise InputError(f"{len(rows)} dances need as many names of their music, got an array of shape {music.shape}.")
    total, count = 0.0, 0
    for start in range(0, len(rows), ROWS):
        block = slice(start, start + ROWS)
        chosen = (music[block, None] == music[None]) == same
        chosen &= np.arange(len(rows))[block, None] < np.arange(len(rows))[None]
        total += cdist(rows[block], rows)[chosen].sum()
        count += int(chosen.sum())
    if not count:
        kind = "the same" if same else "different"
        raise InputError(f"no two of the {len(rows)} dances were made from {kind} music.")
    return float(total / count)


def _root(covariance):
    """A matrix R [rank, D] with R^T R = covariance; directions that rounding alone fills are left out."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > len(values) * np.finfo(np.float64).eps * values[-1]
    return np.sqrt(values[kept])[:, None] * vectors[:, kept].T


def _kernel(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3


def _kernel_diagonal(x):
    return (np.sum(x * x, axis=1) / x.shape[1] + 1) ** 3


def _sums(x, y):
    """Sum over y of the kernel with each row of x, in blocks of rows."""
    return np.concatenate([_kernel(x[start : start + ROWS], y).sum(1) for start in range(0, len(x), ROWS)])


def _pooled(features):
    if isinstance(features, Moments):
        return features
    features = np.asarray(features, np.float64)
    return features.mean((1, 2)) if features.ndim == 4 else features


def _pair(a, b, *, least: int):
    a, b = _check(a), _check(b)
    if a.shape[1] != b.shape[1] or min(len(a), len(b)) < least:
        raise InputError(f"KID compares sets of at least {least} rows of one width, got {a.shape} and {b.shape}.")
    return a, b


def _check(features):
    rows = np.asarray(features, np.float64)
    if rows.ndim != 2 or 0 in rows.shape:
        raise InputError(f"features are an array [N, D] with at least one row, got {rows.shape}.")
    if not np.isfinite(rows).all():
        raise InputError(f"features must be finite, row {int(np.flatnonzero(~np.isfinite(rows).all(1))[0])} is not.")
    return rows
