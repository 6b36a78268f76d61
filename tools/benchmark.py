"""Measures a training step of any config: compilation, speed, memory, and whether the data keeps up.

    python tools/benchmark.py --config=experiments/gesturegan.py:demo [--config.KEY=VALUE ...] [--seconds=20] [--json=FILE]
    python tools/benchmark.py --config=experiments/gaugan.py:ade20k --config.batch_size=4 --compile-only

Prints a table and the same numbers as one line of JSON. Nothing is saved and no compilation cache is used. The step is
the one that training runs, with all players that ever act together. Operations, bytes and the memory that the step
takes beside state and batch ("temporary") are those that XLA counts for the compiled step of one device; the peak is
that of a large matrix product in the same type, measured here. --compile-only tells the compiler's figures alone, for
networks that this machine could not hold or run.
"""

import argparse
import contextlib
import functools
import itertools
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from gganjax import command, platform
from gganjax.data.settings import crop_of
from gganjax.errors import InputError


class Run(NamedTuple):
    """What is measured: a step, the players that act in it, how its first state is made, and its batches."""

    step: Callable
    acting: tuple[str, ...]
    start: Callable
    batches: Iterator

    def batch(self) -> dict[str, np.ndarray]:
        """The next batch, without what stays on the host."""
        batch = next(self.batches)
        batch.pop("name")
        return batch


@contextlib.contextmanager
def opened(config: dict[str, Any]):
    """The `Run` of a config."""
    from gganjax import core, data, devices, methods, settings
    from gganjax.train import make_plan

    method = methods.load(config["method"], config["options"])
    settings.check(config, method, devices=devices.count())
    source = data.open_source(config["data"], "train")
    plan = make_plan(config, method, len(source))
    acting = max((core.acting(method, step) for step in range(1000)), key=len)
    step = devices.compile_step(
        method, plan.optimizers, config["weights"], ema=config["ema"], accumulate=config["accumulate"],
        remat=config["remat"])
    start = functools.partial(
        core.init, method, plan.optimizers, config["seed"], settings.example(config, method), ema=config["ema"])
    with data.train_batches(source, config["data"], batch_size=config["batch_size"], seed=config["seed"],
                            fields=method.fields) as batches:
        yield Run(step, acting, start, batches)


def described(config: dict[str, Any], acting: tuple[str, ...]) -> dict[str, Any]:
    """What the figures are of."""
    import jax

    from gganjax import devices

    return {
        "device": f"{devices.count()} x {jax.devices()[0].device_kind}",
        "compute_type": config["options"].get("compute_dtype", "float32"), "batch": config["batch_size"],
        "size": "{}x{}".format(*crop_of(config["data"])), "players": ", ".join(acting),
    }


def compile_only(config: dict[str, Any]) -> dict[str, Any]:
    """The compiler's figures of the step, nothing computed.

    Returns:
        The figures by name; times in the unit that the name ends in.

    Raises:
        InputError: there are several devices.
    """
    import jax

    from gganjax import devices

    if devices.count() > 1:
        raise InputError(f"--compile-only is for one device, found {devices.count()}.")
    with opened(config) as run:
        state, batch = jax.eval_shape(run.start), run.batch()
        jax.eval_shape(lambda state, batch: run.step(state, batch, run.acting), state, batch)
        start = time.perf_counter()
        cost = _cost(run.step.compiled[run.acting], state, batch)
        return described(config, run.acting) | {"compile_s": time.perf_counter() - start} | cost


def measure(config: dict[str, Any], *, seconds: float) -> dict[str, Any]:
    """Run the step for about `seconds`, and the loader and both together for half of that each.

    Returns:
        The figures by name; times in the unit that the name ends in.
    """
    import jax

    from gganjax import devices

    batch_size = config["batch_size"]
    with opened(config) as run:
        batch, state = run.batch(), devices.place(run.start())
        start = time.perf_counter()
        state, terms = run.step(state, batch, run.acting)
        jax.block_until_ready(terms)
        first = time.perf_counter() - start
        cost = _cost(run.step.compiled[run.acting], state, batch)
        times = []
        for _ in _until(seconds, least=3):
            start = time.perf_counter()
            state, terms = run.step(state, batch, run.acting)
            jax.block_until_ready(terms)
            times.append(time.perf_counter() - start)
        loader = _loader(run.batches, seconds / 2, batch_size)
        waiting, both = _together(run, state, seconds / 2)
    median, figures = float(np.median(times)), described(config, run.acting)
    peak = matrix_peak(figures["compute_type"])
    return figures | {
        "compile_s": first - median, "step_ms": 1e3 * median,
        "step_ms_10_to_90_percent": [1e3 * float(x) for x in np.percentile(times, [10, 90])], "steps": len(times),
        "images_per_s": batch_size / median} | cost | {
        "peak_gflop_per_s": peak / 1e9, "share_of_peak": cost["step_gflop"] * 1e9 / median / peak,
        "peak_memory_mbyte": _peak_memory() / 1e6, "loader_images_per_s": loader,
        "training_images_per_s": batch_size / both, "share_waiting_for_data": waiting,
    }


def _cost(compiled, state, batch) -> dict[str, float]:
    """What the compiler counts for the step, per device: operations, bytes read and written, and memory it takes."""
    from gganjax import devices

    blocks = devices.local_count() if devices.count() > 1 else 0
    shaped = {name: x.reshape(blocks, -1, *x.shape[1:]) if blocks else x for name, x in batch.items()}
    made = compiled.lower(state, shaped).compile()
    cost, memory = made.cost_analysis(), made.memory_analysis()
    return {"step_gflop": cost["flops"] / 1e9, "step_gbyte": cost["bytes accessed"] / 1e9,
            "state_and_batch_mbyte": memory.argument_size_in_bytes / 1e6,
            "temporary_mbyte": memory.temp_size_in_bytes / 1e6}


def _until(seconds: float, *, least: int):
    """Count 0, 1, 2, ... for about that many seconds, and at least `least` times."""
    end = time.perf_counter() + seconds
    return itertools.takewhile(lambda count: count < least or time.perf_counter() < end, itertools.count())


def _loader(batches, seconds: float, batch_size: int) -> float:
    """Images a second that the loader delivers when nothing else runs."""
    for _ in range(10):  # what was read ahead during the steps does not count
        next(batches)
    start = time.perf_counter()
    count = sum(batch_size for _ in _until(seconds, least=10) if next(batches))
    return count / (time.perf_counter() - start)


def _together(run: Run, state, seconds: float) -> tuple[float, float]:
    """Share of the time that training waits for data, and seconds a step with the loader at work."""
    import jax

    waited, count, terms, start = 0.0, 0, None, time.perf_counter()
    for count in _until(seconds, least=3):
        asked = time.perf_counter()
        batch = run.batch()
        waited += time.perf_counter() - asked
        jax.block_until_ready(terms)  # as in training, the host runs one step ahead of the device
        state, terms = run.step(state, batch, run.acting)
    jax.block_until_ready(terms)
    total = time.perf_counter() - start
    return waited / total, total / (count + 1)


def matrix_peak(dtype: str) -> float:
    """Floating-point operations a second of the best of several products of two large square matrices."""
    import jax
    import jax.numpy as jnp

    side = 2048 if jax.default_backend() == "cpu" else 8192
    matrix = jnp.ones((side, side), dtype)
    product = jax.jit(lambda a, b: a @ b)
    product(matrix, matrix).block_until_ready()
    best = np.inf
    for _ in range(5):
        start = time.perf_counter()
        product(matrix, matrix).block_until_ready()
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best * jax.device_count()


def _peak_memory() -> float:
    """Bytes: of the device where it counts them, of the process otherwise."""
    import jax

    statistics = jax.local_devices()[0].memory_stats() or {}
    return statistics.get("peak_bytes_in_use") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def table(figures: dict[str, Any]) -> str:
    """One line a figure."""
    def text(value):
        if isinstance(value, list):
            return " to ".join(map(text, value))
        return f"{value:,.4g}" if isinstance(value, float) else str(value)

    width = max(map(len, figures))
    return "\n".join(f"{name.replace('_', ' '):<{width}}  {text(value)}" for name, value in figures.items())


def main(argv: list[str]) -> int:
    """Run one command line; returns the exit status."""
    own = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="--config.KEY=VALUE as in experiments.run")
    own.add_argument("--seconds", type=float, default=20.0, help="how long the step is repeated")
    own.add_argument("--compile-only", action="store_true", help="tell what the compiler counts, and run nothing")
    own.add_argument("--json", type=Path, help="file to write the JSON to as well")
    arguments, rest = own.parse_known_args(argv[1:])
    try:
        config = command.parse([argv[0], *rest]).config.to_dict()
        platform.prepare(compilation_cache=False)
        figures = compile_only(config) if arguments.compile_only else measure(config, seconds=arguments.seconds)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    text = json.dumps(figures)
    print(f"{table(figures)}\n{text}")
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
