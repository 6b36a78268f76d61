"""Every general field of an experiment's config, one comment each; an experiment's file says what differs."""

import ml_collections

from gganjax.data.settings import DEFAULTS
from gganjax.errors import InputError, nearest
from gganjax.settings import EVALUATE


def get_config() -> ml_collections.ConfigDict:
    """The defaults. Method, options, weights, optimizers and epochs are the experiment's own to fill."""
    config = ml_collections.ConfigDict()
    config.method = ""  # a module of gganjax/methods
    config.options = ml_collections.ConfigDict()  # keyword arguments of the method's `build`
    config.weights = ml_collections.ConfigDict()  # weight of every loss term, by player
    config.optimizers = ml_collections.ConfigDict()  # optimizer and schedule, by player; see gganjax/schedules.py
    config.ema = ml_collections.ConfigDict()  # decay of a parameter average, by network; it is what is evaluated

    config.seed = 0  # of the parameters, the data order and every draw
    config.start_from = ""  # run whose networks a new run begins with, released ones too; "" = random ones
    config.batch_size = 4  # over all devices together
    config.epochs = 0  # length of the run in passes over the training pairs ...
    config.steps = 0  # ... or in steps, when this is not 0
    config.accumulate = 1  # parts of a batch whose gradients are averaged: less memory, same result
    config.remat = False  # recompute the generator passes instead of keeping their activations; saves nothing on the CPU

    config.data = ml_collections.ConfigDict(DEFAULTS)  # see gganjax/data/settings.py

    config.log_every = 10  # steps between lines of the metrics
    config.sample_every = 1000  # steps between sample grids
    config.sample_count = 6  # rows of a sample grid
    config.sample_columns = ()  # further columns of it: what the networks look at, by the names that --mode=check tells
    config.checkpoint_every = 1000  # steps between checkpoints
    config.keep_checkpoints = 3  # newest ones that stay

    config.evaluate_after = True  # evaluate when training ends
    config.evaluate = ml_collections.ConfigDict(EVALUATE)  # see gganjax/settings.py
    return config


def adam(schedule: dict, *, learning_rate: float = 2e-4, b1: float = 0.5, b2: float = 0.999):
    """Settings of the Adam optimizer that these papers use."""
    return ml_collections.ConfigDict(
        dict(name="adam", learning_rate=learning_rate, b1=b1, b2=b2, schedule=schedule))


def demo(config, *, rates: dict[str, float], averaged: tuple[str, ...] = ()):
    """Makes a config one of drawn hands at 64x64 for minutes on two CPU cores.

    Args:
      config: with narrow networks; it is changed and returned.
      rates: of Adam by player, constant for the first half of the steps.
      averaged: networks whose average is evaluated.
    """
    config.data.update(load_size=64, crop_size=64, flip="off")
    config.steps = 210
    config.ema = dict.fromkeys(averaged, 0.99)
    config.sample_every, config.checkpoint_every = 42, 70
    schedule = dict(name="linear_steps", flat_steps=105)
    config.optimizers = {player: adam(schedule, learning_rate=rate) for player, rate in rates.items()}
    config.evaluate.limit = 64
    return config


def choose(variants: dict, variant: str) -> ml_collections.ConfigDict:
    """Builds the variant of an experiment; an unknown name is one sentence with the nearest known one."""
    if variant not in variants:
        raise InputError(f"variant '{variant}' is unknown{nearest(variant, filter(None, variants))}.")
    return variants[variant]().lock()
