"""A configuration held against itself, against its method and against the run that it continues.

Every mistake is an InputError of one sentence that names the key and, where a word is misspelt, the nearest valid one.
`check_values` needs neither jax nor data; `check` needs the method; `check_continues` the checkpoint's configuration.
"""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from gganjax.command import flat
from gganjax.data.settings import crop_of
from gganjax.errors import InputError, nearest

# Least value of every number; what is not listed belongs to the method, the data or an optimizer.
LEAST = dict(
    seed=0, batch_size=1, epochs=0, steps=0, accumulate=1, log_every=1, sample_every=1, sample_count=1,
    checkpoint_every=1, keep_checkpoints=1,
)
# Keys that change what is written about a run but not what it computes: they may differ when a run is continued.
# The folder may move; that it still holds the same number of pairs is checked.
FREE = (
    "log_every", "sample_every", "sample_count", "sample_columns", "checkpoint_every", "keep_checkpoints", "evaluate",
    "evaluate_after", "data.threads", "data.prefetch", "data.memory", "data.folder",
)
LENGTH = ("steps", "epochs")

# What `config.evaluate` holds unless an experiment says otherwise.
EVALUATE = dict(
    metrics=("psnr", "ssim", "lpips"),  # names of gganjax/metrics/catalog.py; --metrics adds more
    pictures=(),  # what a method makes besides the translation, such as "coarse_target", and shall be measured as well
    feature_weights="released",  # or "random": untrained feature networks, which every result then says
    published={},  # the paper's row: source, folder (name of its data set), values (metric -> number)
    norm="batch",  # statistics of the "batch" (image) at hand, or the "running" ones
    dropout=False,  # the reference leaves dropout on at test time
    masks="person",  # masks of bodies under which masked metrics look: "person" (the tables') or "pg2", see data.masks
    classifier_epochs=20,  # length of the training of the classifier that classification_accuracy asks
    batch_size=8,  # images at a time
    limit=0,  # at most that many test pairs; 0 means all
    images=24,  # translated images that are kept as files
    truncate=False,  # cut fractions off in the 8-bit export as the reference does, instead of rounding
    dances=2,  # of dances: how many are made of each test music
    style_run="",  # ... run of dance_style whose features compare them; "" = config.options.style_run
)


def evaluation(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a configuration says of its evaluation; the run of an older version may lack a key of `EVALUATE`."""
    return EVALUATE | dict(config["evaluate"])


def check_values(config: Mapping[str, Any]) -> None:
    """Hold plain values against their ranges and choices."""
    for key, least in LEAST.items():
        if key not in config:
            raise InputError(f"config.{key} is missing.")
        if config[key] < least:
            raise InputError(f"config.{key} must be at least {least}, found {config[key]}.")
    if config["seed"] >= 2**32:
        raise InputError(f"config.seed must be below 2**32, found {config['seed']}.")
    if not config["epochs"] and not config["steps"]:
        raise InputError("config.epochs and config.steps are both 0; one of them must say how long to train.")
    if config["batch_size"] % config["accumulate"]:
        raise InputError(
            f"config.batch_size must be a multiple of config.accumulate ({config['accumulate']}), "
            f"found {config['batch_size']}."
        )
    evaluate = evaluation(config)
    if isinstance(evaluate["pictures"], str):
        raise InputError(f"config.evaluate.pictures must be a tuple of names, found '{evaluate['pictures']}'.")
    _choice("evaluate.norm", evaluate["norm"], ("batch", "running"))
    _choice("evaluate.feature_weights", evaluate["feature_weights"], ("released", "random"))
    _choice("evaluate.masks", evaluate["masks"], ("person", "pg2"))
    for key, least in dict(batch_size=1, limit=0, classifier_epochs=1, dances=1).items():
        if (evaluate[key] or 0) < least:
            raise InputError(f"config.evaluate.{key} must be at least {least}, found {evaluate[key]}.")
    for player, terms in config["weights"].items():
        for term, weight in terms.items():
            if not math.isfinite(weight):
                raise InputError(f"config.weights.{player}.{term} must be a finite number, found {weight}.")
    for net, decay in config["ema"].items():
        if not 0 <= decay < 1:
            raise InputError(f"config.ema.{net} must be at least 0 and below 1, found {decay}.")


def check_optimizers(config: Mapping[str, Any]) -> None:
    """Hold the optimizer of every player and its schedule against what `schedules` knows."""
    from gganjax import schedules

    for player, one in config["optimizers"].items():
        key = f"optimizers.{player}"
        _choice(f"{key}.name", one["name"], schedules.OPTIMIZERS)
        _choice(f"{key}.schedule.name", one["schedule"]["name"], schedules.SCHEDULES)
        if not 0 < one["learning_rate"] < math.inf:
            raise InputError(f"config.{key}.learning_rate must be positive, found {one['learning_rate']}.")
        for beta in ("b1", "b2"):
            if not 0 <= one.get(beta, 0) < 1:
                raise InputError(f"config.{key}.{beta} must be at least 0 and below 1, found {one[beta]}.")
        for name, value in one["schedule"].items():
            if name != "name" and value < 0:
                raise InputError(f"config.{key}.schedule.{name} must be at least 0, found {value}.")


def check(config: Mapping[str, Any], method: Any, *, devices: int = 1) -> None:
    """Hold the configuration against the needs of its method; nothing is computed and no data read.

    Args:
        config: the configuration as a dictionary.
        method: what `methods.load` returned.
        devices: in all processes together; each takes an equal share of the batch.
    """
    from gganjax import core
    from gganjax.metrics import catalog

    check_size(config, method)
    check_columns(config, method)
    for name in evaluation(config)["metrics"]:
        _choice("evaluate.metrics", name, catalog.METRICS)
    _same_names("weights", config["weights"], method.players, f"player of {method.name}")
    for player, named in core.term_names(method, example(config, method)).items():
        # A weight of 0 may stay where an option has taken its term away: the command line cannot remove keys.
        given = {term: weight for term, weight in config["weights"][player].items() if weight or term in named}
        _same_names(f"weights.{player}", given, named, f"term of the player {player}")
        if not any(given.values()):
            raise InputError(f"config.weights.{player} must have a weight other than 0, or {player} has nothing to learn.")
    _same_names("optimizers", config["optimizers"], method.players, f"player of {method.name}")
    moved = [net for player in method.players.values() for net in player.nets]
    for net in config["ema"]:
        if net not in moved:
            raise InputError(f"config.ema.{net} is no network that {method.name} trains{nearest(net, moved)}.")
    share = config["accumulate"] * devices
    if config["batch_size"] % share:
        parts = f"{devices} devices" + (f" times config.accumulate {config['accumulate']}" * (config["accumulate"] > 1))
        raise InputError(f"config.batch_size must be a multiple of {share} ({parts}), found {config['batch_size']}.")


def check_size(config: Mapping[str, Any], method: Any) -> None:
    """The pictures' height and width must be multiples of the networks' stride."""
    for key, size in zip(("crop_size", "crop_width"), crop_of(config["data"]), strict=True):
        if size % method.stride:
            raise InputError(
                f"config.data.{key} must be a multiple of {method.stride}, the stride of {method.name}, found {size}."
            )


def check_columns(config: Mapping[str, Any], method: Any) -> None:
    """The further columns of the sample grid must be among those that the method offers in `looks`."""
    asked, offered = config["sample_columns"], getattr(method, "looks", ())
    if isinstance(asked, str):
        raise InputError(f"config.sample_columns must be a tuple of names, found '{asked}'.")
    for name in asked:
        if not offered:
            raise InputError(f"config.sample_columns names '{name}', but {method.name} with these options has none to offer.")
        _choice("sample_columns", name, offered)


def check_domains(config: Mapping[str, Any], method: Any, source: Any) -> None:
    """The domains, or styles of dances, of a method that has any must be those of the data, in the same order.

    Args:
        config: the configuration as a dictionary.
        method: what `methods.load` returned.
        source: what `data.open_source` returned.
    """
    facts = source.describe()
    for key, does in dict(domains="translates between", styles="tells apart").items():
        wanted, found = getattr(method, key, None), facts.get(key, ())
        if wanted is not None and list(wanted) != list(found):
            raise InputError(
                f"{method.name} {does} the {key} {', '.join(wanted)}, but the data of kind {config['data']['kind']} have "
                f"{', '.join(found) or 'none'}: name the same ones in config.options.{key} and config.data.domains, in one "
                "order."
            )


def example(config: Mapping[str, Any], method: Any) -> dict[str, np.ndarray]:
    """A batch of one row of zeros with the shapes that the method will see, for tracing."""
    height, width = crop_of(config["data"])
    sizes = {"B": 1, "H": height, "W": width}
    return {
        name: np.zeros([sizes.get(axis, axis) for axis in field.shape], np.float32)
        for name, field in method.fields.items()
    }


def check_continues(config: Mapping[str, Any], before: Mapping[str, Any], *, same_rates: bool) -> None:
    """Hold the configuration against that of the checkpoint which it continues.

    A key that only one of them has comes from another version of the library; what it changes in the State, if
    anything, `checkpoint.restore` refuses.

    Args:
        config, before: the configurations as dictionaries.
        same_rates: whether both lengths of the run give the same learning rates up to the checkpoint; only then may
            `steps` and `epochs` differ.
    """
    new, old = _leaves(config), _leaves(before)
    for key in sorted(new.keys() & old.keys()):
        free = any(key == name or key.startswith(f"{name}.") for name in FREE) or (same_rates and key in LENGTH)
        if not free and new[key] != old[key]:
            raise InputError(
                f"config.{key} is {json.dumps(new[key])}, but the run to be continued has {json.dumps(old[key])}; "
                "restore it or choose another --workdir."
            )


def _same_names(key: str, given: Mapping[str, Any], needed: Iterable[str], what: str) -> None:
    needed = list(needed)
    for name in given:
        if name not in needed:
            raise InputError(f"config.{key}.{name} is no {what}{nearest(name, needed)}.")
    for name in needed:
        if name not in given:
            raise InputError(f"config.{key}.{name} is missing: {name} is a {what}.")


def _choice(key: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise InputError(f"config.{key} is '{value}'{nearest(str(value), list(known))}.")


def _leaves(config: Mapping[str, Any]) -> dict[str, Any]:
    plain = json.loads(json.dumps(config))  # tuples and lists look the same in a checkpoint
    return {key: value for key, value in flat(plain).items() if not isinstance(value, dict) or not value}
