"""Memory and time of XingGAN's crossing attention alone: the compiler's own figures, and seconds beside the plain form.

    python tools/benchmark_attention.py [--batch=32] [--blocks=9] [--dtype=float32] [--timed-batch=8] [--seconds=10]

Forward and backward pass of the attention of all blocks, both directions in one call, as the released form has it
(query width 32) and with the thesis' query width of 256. The temporary memory is what XLA plans when it compiles the
whole for this device; nothing of that size is run. The time is that of one block on Market's 32x16 features, where the
plain form fits.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gganjax import platform

SIZES = {"Market 128x64": (32, 16), "DeepFashion 256x176": (64, 44), "DeepFashion 256x256": (64, 64)}
WIDTHS = {"released": 32, "thesis": 256}  # of query and key
CHANNELS = 256


def slope(width: int, form: str, dtype):
    """A function (parameters by block, both codes, [B, h, w, C] each) -> gradients, and the module of a block."""
    import jax
    import jax.numpy as jnp

    from gganjax.nets.xing import CrossingAttention

    module = CrossingAttention(width, form, dtype=dtype)

    def total(params, codes):
        for one in params:
            codes = module.apply({"params": one}, *codes, both=True)
        return sum(jnp.square(code.astype(jnp.float32)).sum() for code in codes)

    return jax.jit(jax.grad(total, argnums=(0, 1))), module


def temporary_bytes(size: tuple[int, int], width: int, form: str, *, batch: int, blocks: int, dtype) -> int:
    """Temporary memory of the compiled gradient, in bytes; nothing is run."""
    import jax

    run, module = slope(width, form, dtype)
    codes = [jax.ShapeDtypeStruct((batch, *size, CHANNELS), dtype)] * 2
    params = jax.eval_shape(module.init, jax.random.key(0), *codes)["params"]
    return run.lower([params] * blocks, codes).compile().memory_analysis().temp_size_in_bytes


def milliseconds(width: int, forms: tuple[str, ...], *, batch: int, seconds: float, dtype) -> dict[str, float]:
    """Median time of one block's gradient at Market's size in each form, the forms taking turns."""
    import jax
    import numpy as np

    runs, times = {}, {form: [] for form in forms}
    codes = list(jax.random.normal(jax.random.key(1), (2, batch, *SIZES["Market 128x64"], CHANNELS), dtype))
    for form in forms:
        run, module = slope(width, form, dtype)
        params = module.init(jax.random.key(0), *(code[:1] for code in codes))["params"]
        runs[form] = run.lower([params], codes).compile(), [params]
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[forms[-1]]) < 5:
        for form, (run, params) in runs.items():
            start = time.perf_counter()
            jax.block_until_ready(run(params, codes))
            times[form].append(1e3 * (time.perf_counter() - start))
    return {form: float(np.median(taken)) for form, taken in times.items()}


def main(argv: list[str]) -> int:
    """Runs one command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=32, help="images in a batch")
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--timed-batch", type=int, default=8, help="images in a batch that is run")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each width is timed")
    given = parser.parse_args(argv[1:])
    platform.prepare(compilation_cache=False)
    import jax

    device, counts = jax.devices()[0].device_kind, f"{given.blocks} blocks, batch {given.batch}"
    print(f"{device}, {given.dtype}: temporary memory of {counts}:")
    for name, size in SIZES.items():
        for form, width in WIDTHS.items():
            figures = {kind: temporary_bytes(size, width, kind, batch=given.batch, blocks=given.blocks,
                                             dtype=given.dtype) / 2**30 for kind in ("plain", "chunked", "auto")}
            told = ", ".join(f"{kind} {value:6.2f} GiB" for kind, value in figures.items())
            print(f"  {name:20s} {form:9s} {told}", flush=True)
    print(f"time of one block at 32x16 positions, batch {given.timed_batch}:")
    for form, width in WIDTHS.items():
        figures = milliseconds(width, ("plain", "chunked", "auto"), batch=given.timed_batch, seconds=given.seconds,
                               dtype=given.dtype)
        print(f"  {form:9s} {', '.join(f'{kind} {value:.0f} ms' for kind, value in figures.items())}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
