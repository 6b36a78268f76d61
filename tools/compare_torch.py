"""GestureGAN's full two-cycle training step here against the same step in PyTorch, on the same cores, in one run.

    python tools/compare_torch.py [--rounds=5] [--threads=2] [--size=256] [--width=64] [--batch=1] [--json=FILE]

The two run in a process each, one after the other in every round, so that what else the machine does meets both, and
neither's threads disturb the other. The step has all terms but the perceptual one, dropout on, random images. The
last line is the ratio of the medians; above 1, PyTorch is faster. PyTorch is an extra (`pip install .[torch]`);
--torch-python names the interpreter of another environment that has it.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gganjax import platform

FIELDS = ("source", "target", "source_guidance", "target_guidance")


def same_step(width: int) -> dict:
    """Options of `gganjax.methods.gesturegan.build` that give the step of `torch_gesturegan`."""
    return dict(perceptual="none", update_order="discriminators_first", width=width, discriminator_width=width)


def build_jax(arguments: argparse.Namespace):
    """A function without arguments that makes one step in gganjax and returns the generator's loss."""
    platform.prepare(compilation_cache=True)
    import jax
    import numpy as np

    from experiments import gesturegan
    from gganjax import core, devices, methods
    from gganjax.train import make_plan

    config = gesturegan.base(gesturegan.HANDS, flat_epochs=10, decay_epochs=10, **same_step(arguments.width)).to_dict()
    config["batch_size"] = arguments.batch
    method = methods.load(config["method"], config["options"])
    plan = make_plan(config, method, pairs=1000)
    random = np.random.default_rng(0)
    shape = (arguments.batch, arguments.size, arguments.size, 3)
    batch = {name: random.uniform(-1, 1, shape).astype(np.float32) for name in FIELDS}
    state = devices.place(core.init(method, plan.optimizers, 0, {name: x[:1] for name, x in batch.items()}))
    step = devices.compile_step(method, plan.optimizers, config["weights"])

    def run() -> float:
        nonlocal state
        state, terms = step(state, batch, tuple(method.players))
        jax.block_until_ready(state)
        return float(terms["generator/total"])

    return run


def build_torch(arguments: argparse.Namespace):
    """A function without arguments that makes one step in PyTorch and returns the generator's loss."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import torch
    from torch_gesturegan import Trainer

    torch.set_num_threads(arguments.threads)
    trainer = Trainer(arguments.width)
    generator = torch.Generator().manual_seed(0)
    shape = (arguments.batch, 3, arguments.size, arguments.size)
    images = [torch.rand(shape, generator=generator) * 2 - 1 for _ in FIELDS]
    return lambda: trainer.step(*images)


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
    size = [f"--{name}={getattr(arguments, name)}" for name in ("threads", "size", "width", "batch")]
    environment = os.environ | {"OMP_NUM_THREADS": str(arguments.threads), "JAX_PLATFORMS": "cpu"}
    return subprocess.Popen(
        [python, str(Path(__file__).resolve()), f"--worker={which}", *size], text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, env=environment)


def ask(worker: subprocess.Popen) -> float:
    """Seconds of the worker's next step."""
    try:
        print(file=worker.stdin, flush=True)
    except BrokenPipeError:
        pass
    answer = worker.stdout.readline()
    if not answer:
        raise SystemExit(f"{' '.join(worker.args[:3])} ended with status {worker.wait()}")
    return json.loads(answer)["seconds"]


def compare(arguments: argparse.Namespace) -> dict:
    """Alternate the two workers and return the seconds of every step, the medians and their ratio."""
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
    return {"seconds": seconds, "medians": medians, "ratio": medians["jax"] / medians["torch"]}


def main(argv: list[str]) -> int:
    """Run one command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("rounds", 5), ("threads", 2), ("size", 256), ("width", 64), ("batch", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--torch-python", default=sys.executable, help="interpreter that has PyTorch")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--worker", choices=("jax", "torch"), help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv[1:])
    if arguments.worker:
        work(arguments)
        return 0
    figures = compare(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    medians = figures["medians"]
    print(f"median jax {medians['jax']:.3f} s, torch {medians['torch']:.3f} s, ratio {figures['ratio']:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
