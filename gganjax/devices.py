"""Where a step runs: `jax.jit` on one device, `jax.pmap` over all local devices otherwise, of one process or several."""

from functools import partial

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from gganjax import core
from gganjax import step as stepping
from gganjax.errors import InputError

AXIS = "batch"


def initialize(coordinator: str, count: int, index: int) -> None:
    """Joins `count` processes into one run, of which this is number `index`; before the first use of a device.

    Args:
      coordinator: host:port of process 0.
    """
    jax.distributed.initialize(coordinator, count, index, heartbeat_timeout_seconds=100)


def count() -> int:
    """Devices in all processes together."""
    return jax.device_count()


def local_count() -> int:
    """Devices of this process."""
    return jax.local_device_count()


def place(state: core.State) -> core.State:
    """Puts a state on the device, or a copy of it on each local device."""
    if count() == 1:
        return jax.device_put(state)
    # Placed as pmap returns it: any other placement, flax's replicate included, compiles the second step once more.
    spread = NamedSharding(Mesh(np.array(jax.local_devices()), (AXIS,)), PartitionSpec(AXIS))
    return jax.tree.map(lambda x: jax.device_put(np.broadcast_to(x, (local_count(), *np.shape(x))), spread), state)


def fetch(tree):
    """NumPy arrays of a tree that a step returned, taken from the first local device."""
    return jax.tree.map(_first, tree)


def _first(x):
    if count() == 1:
        return np.asarray(x)
    return np.asarray(x.addressable_shards[0].data).reshape(x.shape[1:])


def scalars(terms) -> dict[str, float]:
    """Floats of a step's terms; waits until the step is done."""
    return {name: float(_first(value)) for name, value in terms.items()}


def _shard(batch):
    """Cuts this process's rows into one block a local device."""
    arrays = core.arrays(batch)
    if count() == 1:
        return arrays
    blocks = local_count()
    for name, x in arrays.items():
        if x.shape[0] % blocks:
            raise InputError(f"batch field '{name}' has {x.shape[0]} rows, expected a multiple of {blocks} devices.")
    return {name: x.reshape(blocks, x.shape[0] // blocks, *x.shape[1:]) for name, x in arrays.items()}


def compile_step(method, optimizers, weights, *, ema=None, accumulate: int = 1, remat: bool = False):
    """The training step, compiled once for every set of players that act together.

    Returns:
      step(state, batch, acting) -> (state, terms), see `step.train_step`; the state comes from `place` and is
      donated, the batch holds this process's rows. `step.compiled` maps `acting` to the compiled function.
    """
    compiled = {}

    def build(acting):
        single = partial(stepping.train_step, method, optimizers, weights, acting=acting, ema=ema, accumulate=accumulate,
                         remat=remat)
        if count() == 1:
            return jax.jit(single, donate_argnums=0)
        return jax.pmap(partial(single, axis=AXIS), axis_name=AXIS, donate_argnums=0)

    def step(state, batch, acting):
        if acting not in compiled:
            compiled[acting] = build(acting)
        return compiled[acting](state, _shard(batch))

    step.compiled = compiled
    return step


def compile_sample(method, *, norm: str = "batch", dropout: bool = False, entry: str = "sample", **options):
    """The method's `sample`, or its function of the name `entry` with further `options`, compiled for one device.

    Returns:
      sample(params, moving, batch, key) -> images as NumPy float32 in [-1, 1].
    """
    compiled = jax.jit(partial(core.sample, method, norm=norm, dropout=dropout, entry=entry, **options))

    def sample(params, moving, batch, key):
        arrays = core.arrays(batch)
        return jax.tree.map(np.asarray, compiled(params, moving, arrays, key))

    return sample
