"""The training loop: batch, step, log, sample grid, checkpoint.

A run is a folder; the same call continues it from its newest good checkpoint, bit for bit as if it had not stopped,
because the State holds everything that the next step depends on and batch k is a function of (seed, k) alone.
"""

import os
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gganjax import checkpoint, core, data, devices, logs, methods, report, schedules, settings
from gganjax.data.source import Source
from gganjax.errors import InputError


class Plan(NamedTuple):
    """What a configuration comes to on its data.

    Attributes:
        steps_per_epoch, total: numbers of steps.
        optimizers: optax transformations by player.
        rates: learning rate after so many updates of the player, by player.
    """

    steps_per_epoch: int
    total: int
    optimizers: dict[str, Any]
    rates: dict[str, Callable]


def train(config: Mapping[str, Any], workdir: str | Path, *, method: core.Method | None = None,
          sources: Mapping[str, Source] | None = None) -> dict[str, Any]:
    """Train to the end of the configured run, or continue it; returns a summary.

    Ctrl-C and SIGTERM finish the step, save and return. A loss or gradient that is not finite stops the run before
    anything is saved. All processes of a run call this with the same arguments; process 0 writes.

    Args:
        config: see `experiments/defaults.py`; a dictionary or ConfigDict.
        workdir: the run folder; made if it does not exist.
        method: the system; by default what `config.method` and `config.options` name.
        sources: data by split, "train" and "test"; by default what `config.data` names.

    Returns:
        step, total, seconds (training time, all sessions), signal (that stopped it, or 0), terms (the last ones).

    Raises:
        InputError: bad configuration or data, or a checkpoint that this configuration cannot continue.
        FloatingPointError: a term is not finite; names step, player and term.
    """
    config, workdir = _plain(config), Path(workdir)
    _check_folder(workdir)
    settings.check_values(config)
    settings.check_optimizers(config)
    method = method or methods.load(config["method"], config["options"])
    settings.check(config, method, devices=devices.count())
    sources = sources or {split: data.open_source(config["data"], split) for split in ("train", "test")}
    for source in sources.values():
        settings.check_domains(config, method, source)
    samples = fixed_samples(sources["test"], config, fields=method.fields)
    example = {name: np.zeros_like(samples[name][:1]) for name in method.fields if name in samples}
    plan = make_plan(config, method, len(sources["train"]))
    continued = checkpoint.complete(workdir)
    if config["start_from"] and not continued:
        checkpoint.read_meta(config["start_from"])  # refused here, before anything is computed, where there is none
    if continued:
        _check_continues(checkpoint.read_meta(workdir), config, method, len(sources["train"]), workdir,
                         step=int(continued[0].name))
    state = core.init(method, plan.optimizers, config["seed"], example, ema=config["ema"])
    if continued:
        state = checkpoint.restore(workdir, state, method.name)
    elif config["start_from"]:
        state = checkpoint.start_from(config["start_from"], state, frozen=method.frozen)
    start = int(state.step)
    if jax.process_index() == 0:
        workdir.mkdir(parents=True, exist_ok=True)
    with logs.alone(workdir):
        if jax.process_index() == 0:
            logs.write_json(workdir / "config.json", config)
            logs.write_json(workdir / "versions.json", logs.versions())
        log = logs.Log(workdir, start=start, total=plan.total)
        try:
            if start:
                log.say(f"continuing {workdir} after step {start}")
            meta = dict(method=method.name, frozen=list(method.frozen), config=config, pairs=len(sources["train"]))
            batches = data.train_batches(
                sources["train"], config["data"], batch_size=config["batch_size"], seed=config["seed"], start=start,
                process_index=jax.process_index(), process_count=jax.process_count(), fields=method.fields)
            folder = workdir / "checkpoints"
            with batches, logs.interruptible() as stopped, checkpoint.saver(
                    folder, keep=config["keep_checkpoints"], after=start) as save:
                sample = _sampler(method, config, samples, workdir, log, palette=sources["test"].palette)
                return _loop(config, method, plan, devices.place(state), batches, log, stopped,
                             lambda state: save(devices.fetch(state), meta), sample)
        finally:
            log.close()


def make_plan(config: Mapping[str, Any], method: core.Method, pairs: int) -> Plan:
    """Length of the run, optimizers and learning rates.

    A player that acts on every n-th step only, or several times in a row, counts its epochs in its own updates.
    """
    steps_per_epoch = data.steps_per_epoch(range(pairs), config["batch_size"])
    total = config["steps"] or config["epochs"] * steps_per_epoch
    optimizers, rates = {}, {}
    for name, player in method.players.items():
        own = dict(steps_per_epoch=max(1, steps_per_epoch * player.repeat // player.every),
                   total_steps=max(1, updates(player, total)))
        optimizers |= schedules.optimizers({name: config["optimizers"][name]}, **own)
        rates[name] = schedules.rate(config["optimizers"][name], **own)
    return Plan(steps_per_epoch, total, optimizers, rates)


def updates(player: core.Player, steps: int) -> int:
    """Updates that a player has made after that many steps of the run."""
    end = steps if player.last is None else min(steps, player.last)
    return max(0, end - player.first) // player.every * player.repeat


def fixed_samples(source: Source, config: Mapping[str, Any], *,
                  fields: Collection[str] | None = None) -> dict[str, Any]:
    """A batch of test pairs, drawn from the whole set; the rows of every sample grid of every run on it.

    fields: what a method needs of a batch, as `data.test_batches` takes it.
    """
    if not len(source):
        raise InputError("The test split holds no pairs; config.data must name a set with at least one.")
    count = min(config["sample_count"], len(source))
    chosen = np.random.default_rng(0).permutation(len(source))[:count].tolist()
    with data.test_batches(source.part(chosen), config["data"], batch_size=count, fields=fields) as batches:
        return next(batches)


def _loop(config, method, plan, state, batches, log, stopped, save, sample) -> dict[str, Any]:
    """Steps until the end or a signal. Terms are read one step late, so that the device never waits for the host."""
    step_function = devices.compile_step(
        method, plan.optimizers, config["weights"], ema=config["ema"], accumulate=config["accumulate"],
        remat=config["remat"])
    start = saved = int(devices.fetch(state.step))
    began = mark = time.monotonic()
    seconds, waited, marked, speed, values = log.seconds, 0.0, start, None, {}
    pending, caught, order = None, 0, list(method.players)  # a compiled step returns its terms in alphabetical order

    def read() -> None:
        """Wait for the last step's terms, refuse them unless finite, and log them."""
        nonlocal pending, mark, marked, waited, speed, values
        if pending is None:
            return
        step, terms = pending
        pending, found = None, devices.scalars(terms)
        values = {name: found[name] for name in sorted(found, key=lambda name: order.index(name.split("/")[0]))}
        _refuse_infinite(step, values, saved)
        log.step(values, speed)
        if step % config["log_every"] and step not in (1, plan.total):
            return
        now = time.monotonic()
        facts: dict[str, float] = {"seconds": round(seconds + now - began, 3)}
        if marked > start:  # the first interval is compilation
            speed = (step - marked) * config["batch_size"] / max(now - mark, 1e-9)
            facts |= {"images_per_second": round(speed, 3), "waiting": round(waited / max(now - mark, 1e-9), 4)}
        rates = {f"{name}/learning_rate": float(plan.rates[name](updates(player, step - 1)))
                 for name, player in method.players.items() if f"{name}/total" in values}
        left = None if speed is None else (plan.total - step) * config["batch_size"] / speed
        log.record(step, facts | values | rates, left=left)
        mark, marked, waited = now, step, 0.0

    for step in range(start + 1, plan.total + 1):
        asked = time.monotonic()
        batch = next(batches)
        waited += time.monotonic() - asked
        batch.pop("name", None)
        state, terms = step_function(state, batch, core.acting(method, step - 1))
        read()
        pending = step, terms
        caught = _agree(stopped(), step, config["log_every"])
        last = step == plan.total or caught
        if last or step % config["sample_every"] == 0 or step % config["checkpoint_every"] == 0:
            read()
            paused = time.monotonic()
            if step == plan.total or step % config["sample_every"] == 0:
                sample(step, state)  # before the checkpoint: a run killed in between draws it again
            if last or step % config["checkpoint_every"] == 0:
                save(state)
                saved = step
            mark += time.monotonic() - paused  # neither is training time
        if last:
            break
    return dict(step=int(devices.fetch(state.step)), total=plan.total, signal=caught, terms=values,
                seconds=seconds + time.monotonic() - began)


def _refuse_infinite(step: int, values: Mapping[str, float], saved: int) -> None:
    for name, value in values.items():
        if not np.isfinite(value):
            player, _, term = name.partition("/")
            kept = f"the checkpoint of step {saved} is good" if saved else "no checkpoint was written yet"
            raise FloatingPointError(f"At step {step} the term {term} of the player {player} is {value}; {kept}.")


def _agree(caught: int, step: int, every: int) -> int:
    """The signal that any process caught; several processes ask each other on every `every`-th step only."""
    if jax.process_count() == 1:
        return caught
    if step % every:
        return 0
    from jax.experimental import multihost_utils

    return int(np.max(multihost_utils.process_allgather(np.asarray(caught, np.int32))))


def _sampler(method, config, samples, workdir, log, *, palette=None) -> Callable[[int, core.State], None]:
    """A function that draws the sample grid of a step: the same test pairs and the same key every time.

    A method of many domains shows each source in all of them. Behind the method's panels come the columns that
    `config.sample_columns` names: pictures of what its networks look at, made by its function `look`. Classes are painted
    with the palette.
    """
    how = dict(norm=config["evaluate"]["norm"], dropout=config["evaluate"]["dropout"])
    run = devices.compile_sample(method, entry="overview" if hasattr(method, "overview") else "sample", **how)
    columns = tuple(config["sample_columns"])
    look = devices.compile_sample(method, entry="look", names=columns, **how) if columns else None
    inputs = {name: samples[name] for name in method.fields if name in samples}
    key = jax.random.key(config["seed"])

    def sample(step: int, state: core.State) -> None:
        if jax.process_index() != 0:
            return
        networks = devices.fetch(state.replace(opt={}, pools={}))
        params = core.sample_params(networks)
        panels = method.panels(inputs, run(params, networks.moving, inputs, key))
        panels = {name: np.asarray(x) for name, x in panels.items()}
        (workdir / "samples").mkdir(exist_ok=True)
        report.animate(panels, workdir / "samples/newest.webp", audio=inputs.get("audio"))
        panels = {name: report.as_picture(x, palette=palette) for name, x in panels.items()}
        if look:
            seen, size = look(params, networks.moving, inputs, key), next(iter(inputs.values())).shape[1:3]
            panels |= {name: report.enlarge(report.as_picture(seen[name]), size) for name in columns}
        picture = report.grid(panels)
        picture.save(workdir / "samples" / f"step_{step:08d}.png")
        log.picture(step, picture)

    return sample


def _check_continues(meta: Mapping[str, Any], config: Mapping[str, Any], method, pairs: int, workdir: Path, *,
                     step: int) -> None:
    """Hold a configuration against the run that it continues after `step`.

    The length of the run may change where the learning rates so far would have been the same.
    """
    before = meta["config"]
    if meta["method"] != method.name:
        raise InputError(f"{workdir} holds checkpoints of the method {meta['method']}, not of {method.name}.")
    plans = [make_plan(one, method, pairs) for one in (before, config)] if _plannable(before, config) else []
    same_rates = bool(plans) and all(
        _same_rate(plans[0].rates[name], plans[1].rates[name], updates(player, step))
        for name, player in method.players.items())
    settings.check_continues(config, before, same_rates=same_rates)
    if meta["pairs"] != pairs:
        raise InputError(f"config.data holds {pairs} training pairs, but the run to be continued has {meta['pairs']}.")


def _plannable(before: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    return before["optimizers"] == config["optimizers"] and before["batch_size"] == config["batch_size"]


def _same_rate(one: Callable, other: Callable, count: int) -> bool:
    """Whether two schedules agree over that many updates, looked at a thousand places."""
    places = jnp.asarray(np.unique(np.linspace(0, max(count - 1, 0), 1000).astype(np.int32)))
    rates = [np.broadcast_to(np.asarray(rate(places)), places.shape) for rate in (one, other)]
    return bool(np.array_equal(*rates))


def _check_folder(workdir: Path) -> None:
    """Refuse a run folder that cannot be written to, before anything is computed."""
    there = next(path for path in (workdir.absolute(), *workdir.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        reason = "is not writable" if there.is_dir() else "is a file"
        raise InputError(f"--workdir={workdir} cannot be written to: {there} {reason}.")


def _plain(config: Any) -> dict[str, Any]:
    return config.to_dict() if hasattr(config, "to_dict") else dict(config)
