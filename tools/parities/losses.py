"""The scalar losses and learning-rate vectors of the cycle family, as far as the methods at hand use them."""

import jax
import numpy as np

from experiments import c2gan
from gganjax import losses, schedules
from parities.common import Fixture, Pair
from parities.gesturegan import random_vgg19

# Flat and decaying epochs of the recorded learning-rate vectors (GestureGAN, section 5 of its facts).
EPOCHS = {"ntu_senz3d": (10, 10), "cvusa": (15, 15), "dayton256": (20, 15), "dayton64": (50, 50)}
# The same of C2GAN (section 4 of its facts).
C2GAN_EPOCHS = {"radboud": (100, 100), "senz3d": (5, 5)}


def cycle_family(fixture: Fixture) -> list[Pair]:
    """Compares the losses and schedules of GestureGAN and C2GAN; those of other methods are not looked at."""
    given, recorded = fixture.group("in/"), fixture.group("out/")
    x, y = given["x"], given["y"]
    ours = {
        "l1": losses.pixel(x, y),
        "l2_mse": losses.pixel_l2(x, y),
        "color_l1": losses.color(x, y),
        "color_l2_mse": losses.color_l2(x, y),
        "tv_sum": losses.total_variation(x) * len(x),  # ours is the mean over the batch
    }
    logits = np.log(given["prob"]) - np.log1p(-given["prob"])  # recorded behind a sigmoid; ours takes logits
    for label in ("real", "fake"):
        ours[f"gan_vanilla_{label}"] = losses.adversarial(logits, label == "real", "vanilla")
        ours[f"gan_lsgan_{label}"] = losses.adversarial(given["logit"], label == "real", "least_squares")
    ours |= perceptual(fixture, given["vgg_x"], given["vgg_y"])
    for name, (flat, decay) in EPOCHS.items():
        settings = {"name": "linear", "flat_epochs": flat, "decay_epochs": decay}
        factor = schedules.factor(settings, steps_per_epoch=1, total_steps=flat + decay)
        ours[f"lr_gesturegan_{name}"] = jax.vmap(factor)(np.arange(flat + decay))
    ours["pg2_mask_term"] = losses.pixel(x * given["mask"], y * given["mask"])
    ours["pg2_l1_plus_mask"] = losses.pixel(x, y) + ours["pg2_mask_term"]
    for name, (flat, decay) in C2GAN_EPOCHS.items():
        factor = schedules.factor(c2gan.schedule(flat, decay), steps_per_epoch=1, total_steps=flat + decay)
        ours[f"lr_c2gan_{name}"] = jax.vmap(factor)(np.arange(flat + decay))
    return [Pair(name, value, recorded[name]) for name, value in ours.items()]


def perceptual(fixture: Fixture, x, y) -> dict:
    """Returns the perceptual loss of two images and its five levels without their weights."""
    module, params = random_vgg19(fixture.meta["note"])
    a, b = jax.jit(lambda params: (module.apply({"params": params}, x), module.apply({"params": params}, y)))(params)
    levels = {f"vgg_l1_level{k}": losses.pixel(*pair) for k, pair in enumerate(zip(a, b, strict=True), start=1)}
    return {"vgg": losses.perceptual(a, b), **levels}
