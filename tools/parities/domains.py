"""The losses and the schedule of the multi-domain methods among the recorded ones of the cycle family."""

import jax
import numpy as np

from gganjax import losses, metrics, schedules
from parities.common import Fixture, Pair

ITERATIONS = 200_000


def cycle_family(fixture: Fixture) -> list[Pair]:
    """Compares SSIM, MS-SSIM, domain classification and StarGAN's literal learning rates.

    MS-SSIM of a range of 2 on images left in [-1, 1] was recorded, too; nothing here computes it.
    """
    given, recorded = fixture.group("in/"), fixture.group("out/")
    pair, logits = (given["x"], given["y"]), given["cls_logits"]
    one = np.eye(logits.shape[1], dtype=np.float32)[given["cls_labels"]]
    factor = schedules.factor({"name": "stairs", "flat_steps": ITERATIONS // 2, "stair_steps": 1000, "drop": 1e-5},
                              steps_per_epoch=1, total_steps=ITERATIONS)
    ours = {
        "ssim_asym": 1 - losses.ssim(*pair),
        "ssim_asym_loss": losses.ssim(*pair) - 1,
        "ms_ssim_range1": 1 - losses.ms_ssim(*pair),
        "ssim_valid_range1": metrics.ssim(*pair).mean(),
        "cls_softmax_mean": losses.domain_classification(logits, one, "softmax"),
        "cls_bce_sum_over_batch": losses.domain_classification(logits, given["cls_multihot"], "attributes"),
        "lr_stargan_per_1000": 1e-4 * jax.vmap(factor)(np.arange(0, ITERATIONS, 1000)),
    }
    return [Pair(name, value, recorded[name]) for name, value in ours.items()]
