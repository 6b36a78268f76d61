"""A training step here against the same step in PyTorch, on the same cores, in one run.

    python tools/compare_torch.py [--method=gesturegan] [--rounds=5] [--threads=2] [--size=256] [--width=64] [--batch=1]
        [--json=FILE]

The two run in a process each, one after the other in every round, so that what else the machine does meets both, and
neither's threads disturb the other. The step is that of `tools/torch_steps`: all terms but the perceptual one, dropout
on, random images, every player moves. The last line is the ratio of the medians; above 1, PyTorch is faster. PyTorch is
an extra (`pip install .[torch]`); --torch-python names the interpreter of another environment that has it.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gganjax import platform

# By method: the module of torch_steps, and the options that give its step. Every other option is its experiment's.
STEPS = {
    "gesturegan": ("gesturegan", dict(perceptual="none", update_order="discriminators_first")),
    "asymmetricgan": ("gesturegan", dict(perceptual="none")),
    "pix2pix": ("pix2pix", {}),
    "cyclegan": ("cyclegan", {}),
    "c2gan": ("c2gan", {}),
    "stargan": ("stargan", {}),
    "asymmetricgan_unpaired": ("stargan", {}),
}


def build(name: str, width: int):
    """The method and the config of its experiment without a variant, `width` filters, and only terms that are there."""
    from gganjax import core, methods, settings

    config = importlib.import_module(f"experiments.{name}").get_config().to_dict()
    config["options"] |= STEPS[name][1]
    config["options"] |= {key: width for key in ("width", "discriminator_width") if key in config["options"]}
    method = methods.load(config["method"], config["options"])
    named = core.term_names(method, settings.example(config, method))
    config["weights"] = {player: {term: config["weights"][player][term] for term in terms} for player, terms in named.items()}
    return method, config


def random_batch(method, rows: int, size: int) -> dict:
    """A batch of random images and labels, float32 [B, H, W, C] and [B, M]."""
    import numpy as np

    random, sizes = np.random.default_rng(0), {"B": rows, "H": size, "W": size}
    batch = {}
    for name, field in method.fields.items():
        shape = [sizes.get(axis, axis) for axis in field.shape]
        if len(shape) == 2:
            batch[name] = np.eye(shape[1], dtype=np.float32)[random.integers(shape[1], size=rows)]
        else:
            batch[name] = random.uniform(field.low, field.high, shape).astype(np.float32)
    return batch


def build_jax(arguments: argparse.Namespace):
    """A function without arguments that makes one step in gganjax and returns the generator's loss."""
    platform.prepare(compilation_cache=True)
    import jax

    from gganjax import core, devices
    from gganjax.train import make_plan

    method, config = build(arguments.method, arguments.width)
    plan = make_plan(config | {"batch_size": arguments.batch}, method, pairs=1000)
    batch = random_batch(method, arguments.batch, arguments.size)
    state = devices.place(core.init(method, plan.optimizers, 0, {name: x[:1] for name, x in batch.items()}))
    step = devices.compile_step(method, plan.optimizers, config["weights"])
    generator = next(player for player in method.players if "discriminator" not in player)

    def run() -> float:
        nonlocal state
        state, terms = step(state, batch, tuple(method.players))
        jax.block_until_ready(state)
        return float(terms[f"{generator}/total"])

    return run


def build_torch(arguments: argparse.Namespace):
    """A function without arguments that makes one step in PyTorch and returns the generator's loss."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import torch

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    batch = {}
    for name, shape in json.loads(arguments.shapes).items():
        if len(shape) == 2:
            batch[name] = torch.eye(shape[1])[torch.randint(shape[1], shape[:1])]
        else:
            batch[name] = torch.rand(shape[0], shape[3], *shape[1:3]) * 2 - 1
    module = importlib.import_module(f"torch_steps.{STEPS[arguments.method][0]}")
    trainer = module.Trainer(arguments.method, {name: x.shape for name, x in batch.items()}, arguments.width)
    return lambda: trainer.step(batch)


def work(arguments: argparse.Namespace) -> None:
    """Make a step for every line that comes in, and answer with its seconds and its loss."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])  # jax takes as many threads as cores
    run = {"jax": build_jax, "torch": build_torch}[arguments.worker](arguments)
    for _ in sys.stdin:
        start = time.perf_counter()
        loss = run()
        print(json.dumps({"seconds": time.perf_counter() - start, "loss": loss}), flush=True)


def start(which: str, python: str, arguments: argparse.Namespace) -> subprocess.Popen:
    """Start a worker; it stays on the first `threads` cores that this process may use."""
    names = ("method", "threads", "size", "width", "batch", "shapes")
    options = [f"--{name}={getattr(arguments, name)}" for name in names]
    environment = os.environ | {"OMP_NUM_THREADS": str(arguments.threads), "JAX_PLATFORMS": "cpu"}
    return subprocess.Popen(
        [python, str(Path(__file__).resolve()), f"--worker={which}", *options], text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, env=environment)


def answer(worker: subprocess.Popen) -> dict:
    """What the worker says of its next step or measurement: "seconds" and more."""
    try:
        print(file=worker.stdin, flush=True)
    except BrokenPipeError:
        pass
    line = worker.stdout.readline()
    if not line:
        raise SystemExit(f"{' '.join(worker.args[:3])} ended with status {worker.wait()}")
    return json.loads(line)


def ask(worker: subprocess.Popen) -> float:
    """Seconds of the worker's next step."""
    return answer(worker)["seconds"]


def compare(arguments: argparse.Namespace) -> dict:
    """Alternate the two workers and return the seconds of every step, the medians and their ratio."""
    method, _ = build(arguments.method, arguments.width)
    batch = random_batch(method, arguments.batch, arguments.size)
    arguments.shapes = json.dumps({name: x.shape for name, x in batch.items()})
    pythons = {"jax": sys.executable, "torch": arguments.torch_python}
    workers = {which: start(which, python, arguments) for which, python in pythons.items()}
    try:
        seconds: dict[str, list[float]] = {which: [] for which in workers}
        for which, worker in workers.items():  # compilation, and memory that the first steps ask for
            print(f"{which:<6} first step {ask(worker):.2f} s, second {ask(worker):.2f} s", flush=True)
        for number in range(arguments.rounds):
            for which, worker in workers.items():
                time.sleep(0.3)  # OpenMP's threads spin for a while after the last step
                seconds[which].append(ask(worker))
            newest = ", ".join(f"{which} {times[-1]:.3f} s" for which, times in seconds.items())
            print(f"round {number + 1}: {newest}", flush=True)
    finally:
        for worker in workers.values():
            worker.kill()
            worker.wait()
    medians = {which: sorted(times)[len(times) // 2] for which, times in seconds.items()}
    return {"method": arguments.method, "seconds": seconds, "medians": medians, "ratio": medians["jax"] / medians["torch"]}


def parse(argv: list[str]) -> argparse.Namespace:
    """The arguments of a command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", choices=STEPS, default="gesturegan")
    for name, default in (("rounds", 5), ("threads", 2), ("size", 256), ("width", 64), ("batch", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--torch-python", default=sys.executable, help="interpreter that has PyTorch")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--worker", choices=("jax", "torch"), help=argparse.SUPPRESS)
    parser.add_argument("--shapes", default="{}", help=argparse.SUPPRESS)  # of the batch, by field
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Run one command line; returns the exit status."""
    arguments = parse(argv[1:])
    if arguments.worker:
        work(arguments)
        return 0
    figures = compare(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    medians = figures["medians"]
    print(f"{arguments.method}: median jax {medians['jax']:.3f} s, torch {medians['torch']:.3f} s, ratio {figures['ratio']:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
