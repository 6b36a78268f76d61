"""What a run tells: progress on the terminal, metrics.jsonl, TensorBoard, versions, and how it hears a signal."""

import contextlib
import fcntl
import importlib.metadata
import json
import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from tqdm import tqdm

from gganjax.errors import InputError

PACKAGES = ("gganjax", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "grain", "numpy", "scipy", "soundfile", "pillow",
            "ml-collections")


class Log:
    """The records of a run from step `start` on; only process 0 writes, the others are silent.

    Records of steps beyond `start` are dropped first: they belong to steps that will be made again.
    """

    def __init__(self, workdir: Path, *, start: int, total: int):
        self._on = jax.process_index() == 0
        self._bar = self._file = self._board = None
        self.seconds = 0.0  # of training, recorded until `start`
        if not self._on:
            return
        from tensorboardX import SummaryWriter

        path = workdir / "metrics.jsonl"
        self.seconds = _keep_until(path, start)
        self._file = path.open("a", encoding="utf-8")
        self._board = SummaryWriter(str(workdir / "tensorboard"), purge_step=start + 1 if start else None)
        self._total = total
        if sys.stderr.isatty() and os.get_terminal_size(sys.stderr.fileno()).columns:
            self._bar = tqdm(total=total, initial=start, unit="step", dynamic_ncols=True, smoothing=0.1)

    def step(self, terms: Mapping[str, float], speed: float | None) -> None:
        """Move the progress bar by one step."""
        if self._bar is not None:
            self._bar.set_postfix_str(_losses(terms, speed), refresh=False)
            self._bar.update()

    def record(self, step: int, facts: Mapping[str, float], *, left: float | None) -> None:
        """Write one logged step: `facts` are seconds, images_per_second, "player/term", ..., `left` the seconds left."""
        if not self._on:
            return
        self._file.write(json.dumps({"step": step, **facts}) + "\n")
        self._file.flush()
        for name, value in facts.items():
            self._board.add_scalar(name, value, step)
        if self._bar is None:
            ahead = "" if left is None else f"  {_clock(left)} left"
            print(f"step {step}/{self._total}  {_losses(facts, facts.get('images_per_second'))}{ahead}", flush=True)

    def picture(self, step: int, image: Any) -> None:
        """Show a sample grid (a PIL image) in TensorBoard."""
        if self._on:
            self._board.add_image("samples", np.asarray(image), step, dataformats="HWC")

    def say(self, text: str) -> None:
        """Print a line without breaking the progress bar."""
        if self._on:
            tqdm.write(text) if self._bar is not None else print(text, flush=True)

    def close(self) -> None:
        """Finish the files and the bar."""
        for part in (self._bar, self._file, self._board):
            if part is not None:
                part.close()


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file in one go: a process killed in between leaves the old one."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, path)


def versions() -> dict[str, Any]:
    """Versions of everything that shapes the numbers, and the machine."""
    found = {}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):  # gganjax runs from a plain clone, too
            found[package] = importlib.metadata.version(package)
    devices = sorted({device.device_kind for device in jax.devices()})
    return {
        "python": platform.python_version(),
        "packages": found,
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
        "devices": f"{jax.device_count()} x {', '.join(devices)}",
        "processes": jax.process_count(),
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
    }


@contextlib.contextmanager
def interruptible() -> Iterator[Callable[[], int]]:
    """While the context is open, Ctrl-C and SIGTERM only set a flag; yields a function that returns the signal, or 0.

    The second Ctrl-C (or SIGTERM) acts as usual, at once. Outside the main thread signals cannot be caught: they
    keep their usual meaning there.
    """
    caught: list[int] = []
    before = {}

    def remember(number, frame):
        caught.append(number)
        for each, handler in before.items():
            signal.signal(each, handler)
        # Not print: the signal may have come in the middle of one.
        os.write(2, b"\nstopping after this step, then saving; once more stops at once\n")

    try:
        for each in (signal.SIGINT, signal.SIGTERM):
            before[each] = signal.getsignal(each)
            signal.signal(each, remember)
    except ValueError:
        pass
    try:
        yield lambda: caught[0] if caught else 0
    finally:
        with contextlib.suppress(ValueError):
            for each, handler in before.items():
                signal.signal(each, handler)


def signal_name(number: int) -> str:
    """Name of a signal for a person to read."""
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name


@contextlib.contextmanager
def alone(workdir: Path) -> Iterator[None]:
    """Hold the run folder against a second training process; the lock dies with the process.

    Raises:
        InputError: another process trains in this folder.
    """
    if jax.process_index() != 0:
        yield
        return
    with (workdir / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"Another process is training in {workdir}; choose another --workdir.") from None
        except OSError:  # some network file systems know no locks
            pass
        yield


def _keep_until(path: Path, step: int) -> float:
    """Drop records beyond `step` and lines cut off by a kill; returns the seconds of training recorded until then."""
    kept, seconds = [], 0.0
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            record = json.loads(line)
            if record["step"] <= step:
                kept.append(line + "\n")
                seconds = record["seconds"]
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text("".join(kept), encoding="utf-8")
    os.replace(partial, path)
    return seconds


def _losses(terms: Mapping[str, float], speed: float | None) -> str:
    totals = [f"{name.removesuffix('/total')} {value:.4g}" for name, value in terms.items() if name.endswith("/total")]
    return "  ".join(totals + ([] if speed is None else [f"{speed:.3g} images/s"]))


def _clock(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
