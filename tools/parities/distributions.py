"""FID, FRD, and the scores of class probabilities, against the published functions that compute them."""

import numpy as np

from gganjax.metrics import curves, distributions, probabilities
from parities.common import Fixture, Pair


def fid(fixture: Fixture) -> list[Pair]:
    """Compares means, covariances and FID of recorded features, streamed in parts on our side."""
    given, recorded = fixture.group("in/"), fixture.group("out/")
    a, b, few, other_few = (_streamed(given[name]) for name in ("a", "b", "few", "few2"))
    # The recorded distance of a set to itself is the rounding error of a difference of these two traces.
    canceled = 2 * np.trace(a.covariance)
    pairs = [
        Pair("mu_a", a.mean, recorded["mu_a"]),
        Pair("sigma_a", a.covariance, recorded["sigma_a"]),
        Pair("fid", distributions.fid(a, b), recorded["fid"]),
        Pair("fid_self", distributions.fid(a, a), recorded["fid_self"], scale=canceled),
        Pair("fid_few", distributions.fid(few, other_few), recorded["fid_few"]),
        Pair("fid_few_vs_many", distributions.fid(few, b), recorded["fid_few_vs_many"]),
    ]
    return _complete(pairs, recorded)


def frechet_curve(fixture: Fixture) -> list[Pair]:
    """Compares distances of class scores, both means of them, and the distance of two curves of several dimensions."""
    given, recorded = fixture.group("in/"), fixture.group("out/")
    distances = curves.frd(given["fake_features"], given["real_features"])
    pairs = [
        Pair("frd_per_image", distances, recorded["frd_per_image"]),
        Pair("frd", np.mean(distances), recorded["frd"]),
        Pair("frd_as_published_script", curves.frd_matlab(distances), recorded["frd_as_published_script"]),
        Pair("curve", curves.frechet_curve(given["curve_p"][None], given["curve_q"][None])[0], recorded["curve"]),
        Pair("frd_1000", curves.frd(given["fake_1000"], given["real_1000"]), recorded["frd_1000"]),
    ]
    return _complete(pairs, recorded)


def scores(fixture: Fixture) -> list[Pair]:
    """Compares the Inception Scores of both kinds, the KL score and the accuracies of recorded class probabilities."""
    given, recorded = fixture.group("in/"), fixture.group("out/")
    fake, real = given["fake_probs"], given["real_probs"]
    tenfold, kl = probabilities.inception_score(given["inception_probs"]), probabilities.kl_score(fake, real)
    first, five = (probabilities.top_k_accuracy(fake, real, k=k) for k in (1, 5))
    ours = {
        "kl_score": kl.mean, "kl_std": kl.std, "n_conf": first.confident_count,
        "top1_all": first.all, "top1_conf": first.confident, "top5_all": five.all, "top5_conf": five.confident,
        "inception_score_10": tenfold.mean, "inception_score_10_std": tenfold.std,
        "inception_score_1": probabilities.inception_score(given["inception_probs"], splits=1).mean,
    }
    for side, rows in (("real", real), ("fake", fake)):
        for name, top in (("all", None), ("top1", 1), ("top5", 5)):
            ours[f"is_{name}_{side}"] = probabilities.inception_score_scene(rows, top=top)
    return _complete([Pair(name, value, recorded[name]) for name, value in ours.items()], recorded)


def _streamed(features):
    """Moments of features given in parts of 7 rows."""
    moments = distributions.Moments()
    for start in range(0, len(features), 7):
        moments.update(features[start : start + 7])
    return moments


def _complete(pairs: list[Pair], recorded) -> list[Pair]:
    """The pairs, and one that fails for every recorded array that nothing answers."""
    answered = {pair.name for pair in pairs}
    return pairs + [Pair(name, np.nan, value) for name, value in recorded.items() if name not in answered]
