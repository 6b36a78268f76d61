"""Optimizers and learning-rate schedules, built from plain settings, one a player."""

from collections.abc import Mapping

import jax.numpy as jnp
import optax

from gganjax.errors import InputError

SCHEDULES = ("constant", "linear", "linear_open", "linear_steps", "linear_share", "stairs")
OPTIMIZERS = ("adam", "sgd")


def factor(settings: Mapping, *, steps_per_epoch: int, total_steps: int) -> optax.Schedule:
    """Share of the base rate that is in force after `count` updates of the player.

    Args:
      settings: name and the numbers of that schedule:
        "constant": 1.
        "linear": flat_epochs, decay_epochs. In epoch e = 1, 2, ... the factor is
          1 - max(0, e + 1 - flat_epochs) / (decay_epochs + 1), the reference's rule: the last epoch runs at 0.
        "linear_open": the same with e - flat_epochs, which ends above 0.
        "linear_steps": flat_steps; 1 until then, afterwards linear to 0 at the last step of the run.
        "linear_share": flat_share; the same where that share of the run, from 0 to 1, is flat.
        "stairs": flat_steps, stair_steps, drop; 1 until flat_steps, afterwards lower by `drop` after every
          stair_steps, never below 0.
      steps_per_epoch: updates in an epoch.
      total_steps: updates in the run.
    """
    name = settings["name"]
    if name not in SCHEDULES:
        raise InputError(f"schedule name is '{name}', expected one of {SCHEDULES}.")
    if name == "constant":
        return optax.constant_schedule(1.0)
    if name in ("linear_steps", "linear_share"):
        flat = settings["flat_steps"] if name == "linear_steps" else round(settings["flat_share"] * total_steps)
        return optax.linear_schedule(1.0, 0.0, max(total_steps - flat, 1), transition_begin=flat)
    if name == "stairs":
        flat, width, drop = (settings[number] for number in ("flat_steps", "stair_steps", "drop"))
        return lambda count: jnp.maximum(0.0, 1 - drop * (jnp.maximum(0, count - flat) // width))
    flat, decay, late = settings["flat_epochs"], settings["decay_epochs"], int(name == "linear")

    def by_epoch(count):
        epoch = count // steps_per_epoch + 1
        return jnp.clip(1 - jnp.maximum(0, epoch + late - flat) / (decay + 1), 0.0, 1.0)

    return by_epoch


def rate(settings: Mapping, *, steps_per_epoch: int, total_steps: int) -> optax.Schedule:
    """Learning rate after `count` updates: the base rate times the schedule's factor."""
    share = factor(settings["schedule"], steps_per_epoch=steps_per_epoch, total_steps=total_steps)
    return lambda count: settings["learning_rate"] * share(count)


def optimizers(settings: Mapping[str, Mapping], *, steps_per_epoch: int, total_steps: int):
    """Optax transformations by player.

    Args:
      settings: by player: name ("adam" or "sgd"), learning_rate, b1, b2 (Adam), schedule (see `factor`).
      steps_per_epoch, total_steps: in the player's own updates.
    """
    def build(one):
        learning_rate = rate(one, steps_per_epoch=steps_per_epoch, total_steps=total_steps)
        if one["name"] == "adam":
            return optax.adam(learning_rate, b1=one["b1"], b2=one["b2"], eps=1e-8)
        if one["name"] == "sgd":
            return optax.sgd(learning_rate)
        raise InputError(f"optimizer name is '{one['name']}', expected one of {OPTIMIZERS}.")
    return {player: build(one) for player, one in settings.items()}
