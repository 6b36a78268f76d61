"""Metrics here against other ways to compute them, on the same cores, in one run.

    python tools/benchmark_metrics.py [--only=frd,ssim,lpips] [--pairs=16] [--rounds=5] [--size=256] [--points=1000]
                                      [--threads=2] [--torch-python=PYTHON] [--json=FILE]

FRD against a double loop in plain Python, SSIM against scikit-image, LPIPS (AlexNet) against the same network in
PyTorch. The two of a row take turns in every round, so that what else the machine does meets both. A row gives the
medians in milliseconds a pair, their ratio (above 1, ours is the faster one), and the largest difference between the
two results. PyTorch is an extra (`pip install .[torch]`) and runs in a process of its own; --torch-python names the
interpreter of another environment that has it. Rows whose other side is not installed are left out, and the last lines
say so.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import compare_torch
import numpy as np

from gganjax import platform

BATCH = 8  # pairs of images at once, on both sides
# Stride, padding, and whether there is a pool in front, of AlexNet's convolutions.
ALEXNET = ((4, 2, False), (1, 2, True), (1, 1, True), (1, 1, False), (1, 1, False))


class Contest(NamedTuple):
    """Two functions without arguments, each of which returns seconds and the results [n] of so many pairs."""

    ours: Callable[[], tuple[float, np.ndarray]]
    theirs: Callable[[], tuple[float, np.ndarray]]
    ours_pairs: int
    theirs_pairs: int


def double_loop(p: list[float], q: list[float]) -> float:
    """Discrete Fréchet distance of two lists of numbers, cell by cell."""
    before: list[float] = []
    for x in p:
        row: list[float] = []
        for j, y in enumerate(q):
            distance = abs(x - y)
            if before and j:
                row.append(max(min(before[j], before[j - 1], row[-1]), distance))
            elif before or j:
                row.append(max(before[0] if before else row[-1], distance))
            else:
                row.append(distance)
        before = row
    return before[-1]


def frd(arguments: argparse.Namespace) -> Contest:
    """All pairs at once against the first pair in a double loop, which has the same cost for every pair."""
    from gganjax.metrics import curves

    scores = np.random.default_rng(0).normal(size=(2, arguments.pairs, arguments.points)).astype(np.float32)
    first = scores[:, 0].tolist()
    ours = lambda: np.asarray(curves.frd(*scores))
    return Contest(_timed(ours), _timed(lambda: np.array([double_loop(*first)])), arguments.pairs, 1)


def ssim(arguments: argparse.Namespace) -> Contest:
    """The standard form on float32 images, for scikit-image one pair after the other."""
    from skimage.metrics import structural_similarity

    from gganjax import metrics

    a, b = _images(arguments.size)
    options = dict(channel_axis=2, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    shifted = [(x + 1) / 2 for x in (a, b)]  # black is 0 in the formula
    theirs = lambda: np.array([structural_similarity(*pair, **options) for pair in zip(*shifted, strict=True)])
    repeats = -(-arguments.pairs // BATCH)
    ours = _timed(lambda: np.asarray(metrics.ssim(a, b)), repeats)
    return Contest(ours, _timed(theirs, repeats), *[repeats * BATCH] * 2)


def lpips(arguments: argparse.Namespace, worker: subprocess.Popen) -> Contest:
    """The released weights in both."""
    from gganjax import features, metrics

    params = features.lpips("alexnet")[1]()
    a, b = _images(arguments.size)
    repeats = -(-arguments.pairs // BATCH)

    def theirs():
        time.sleep(0.3)  # the threads of the others spin for a while
        found = compare_torch.answer(worker)
        time.sleep(0.3)
        return found["seconds"], np.array(found["values"])

    ours = _timed(lambda: np.asarray(metrics.lpips(params, a, b)), repeats)
    return Contest(ours, theirs, *[repeats * BATCH] * 2)


def start(arguments: argparse.Namespace, folder: Path) -> subprocess.Popen:
    """Start PyTorch on the first `threads` cores that this process may use, with our weights."""
    from gganjax import features
    from gganjax.features import weights

    weights.write_npz(folder / "weights.npz", features.lpips("alexnet")[1]())
    options = [f"--{name}={getattr(arguments, name)}" for name in ("pairs", "size", "threads")]
    return subprocess.Popen(
        [arguments.torch_python, str(Path(__file__).resolve()), f"--worker={folder / 'weights.npz'}", *options],
        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": str(arguments.threads)})


def work(arguments: argparse.Namespace) -> None:
    """PyTorch's side: answer every line that comes in with the seconds and the distances."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(arguments.threads)
    with np.load(arguments.worker) as file:
        weights = {key: torch.from_numpy(file[key]) for key in file.files}
    kernels = [weights[f"trunk/conv{i}/kernel"].permute(3, 2, 0, 1).contiguous() for i in range(1, 6)]
    shift, scale = (torch.tensor(x).view(1, 3, 1, 1) for x in ((-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)))
    pair = [torch.from_numpy(x.transpose(0, 3, 1, 2).copy()) for x in _images(arguments.size)]

    def taps(x):
        x = (x - shift) / scale
        for i, (stride, padding, pooled) in enumerate(ALEXNET):
            x = functional.max_pool2d(x, 3, 2) if pooled else x
            x = functional.relu(functional.conv2d(x, kernels[i], weights[f"trunk/conv{i + 1}/bias"], stride, padding))
            yield x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10)

    def distances():
        with torch.inference_mode():
            levels = enumerate(zip(taps(pair[0]), taps(pair[1]), strict=True))
            return sum(functional.conv2d((x - y).square(), weights[f"head_{k}"].view(1, -1, 1, 1)).mean((1, 2, 3))
                       for k, (x, y) in levels).numpy()

    run = _timed(distances, -(-arguments.pairs // BATCH))
    for _ in sys.stdin:
        seconds, values = run()
        print(json.dumps({"seconds": seconds, "values": values.tolist()}), flush=True)


def _images(size: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    a = random.uniform(-1, 1, (BATCH, size, size, 3)).astype(np.float32)
    return a, np.clip(a + random.normal(0, 0.3, a.shape), -1, 1).astype(np.float32)


def _timed(function, repeats: int = 1):
    """The function called so many times: seconds and the last result."""
    def run():
        begin = time.perf_counter()
        for _ in range(repeats):
            value = function()
        return time.perf_counter() - begin, value

    return run


def compare(contest: Contest, rounds: int) -> dict:
    """Let the two take turns, after one call each that does not count."""
    (_, ours), (_, theirs) = contest.ours(), contest.theirs()
    count = min(len(ours), len(theirs))
    difference = float(np.max(np.abs(ours[:count] - theirs[:count])))
    times = np.array([(contest.ours()[0] / contest.ours_pairs, contest.theirs()[0] / contest.theirs_pairs)
                      for _ in range(rounds)]) * 1e3
    medians = np.median(times, axis=0)
    return {"ours_ms": float(medians[0]), "theirs_ms": float(medians[1]), "ratio": float(medians[1] / medians[0]),
            "pairs": contest.ours_pairs, "rounds_ms": times.tolist(), "difference": difference}


def measure(arguments: argparse.Namespace) -> tuple[dict, list[str]]:
    """Figures of every row that was asked for, and a sentence for each that had to be left out."""
    figures, left_out = {}, []
    wanted = arguments.only.split(",")
    if "frd" in wanted:
        figures["frd"] = compare(frd(arguments), arguments.rounds)
    if "ssim" in wanted and importlib.util.find_spec("skimage") is None:
        left_out.append("SSIM is left out: scikit-image is not installed (pip install scikit-image).")
    elif "ssim" in wanted:
        figures["ssim"] = compare(ssim(arguments), arguments.rounds)
    if "lpips" in wanted and subprocess.run(
            [arguments.torch_python, "-c", "import torch"], stderr=subprocess.DEVNULL).returncode:
        left_out.append(
            f"LPIPS is left out: {arguments.torch_python} has no PyTorch; name another with --torch-python.")
    elif "lpips" in wanted:
        with tempfile.TemporaryDirectory() as folder:
            worker = start(arguments, Path(folder))
            try:
                figures["lpips"] = compare(lpips(arguments, worker), arguments.rounds)
            finally:
                worker.kill()
                worker.wait()
    return figures, left_out


def main(argv: list[str]) -> int:
    """Run one command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="frd,ssim,lpips", help="rows, separated by commas")
    for name, default in (("pairs", 16), ("rounds", 5), ("size", 256), ("points", 1000), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--torch-python", default=sys.executable, help="interpreter that has PyTorch")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv[1:])
    if unknown := set(arguments.only.split(",")) - {"frd", "ssim", "lpips"}:
        parser.error(f"--only knows frd, ssim and lpips, not {', '.join(sorted(unknown))}")
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[: arguments.threads])  # jax takes as many threads as cores
    try:
        if arguments.worker:
            work(arguments)
            return 0
        platform.prepare(compilation_cache=False)
        figures, left_out = measure(arguments)
    finally:
        os.sched_setaffinity(0, cores)
    others = {"frd": "plain Python", "ssim": "scikit-image", "lpips": "PyTorch"}
    print(f"{'':6} {'against':14} {'ours ms':>9} {'theirs ms':>10} {'ratio':>8} {'difference':>11}")
    for name, row in figures.items():
        print(f"{name:6} {others[name]:14} {row['ours_ms']:9.3f} {row['theirs_ms']:10.3f} {row['ratio']:8.2f} "
              f"{row['difference']:11.1e}")
    print("".join(f"{sentence}\n" for sentence in left_out) + json.dumps(figures))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
