"""One whole training step through the engine beside a recorded one: gradients and updated weights of every network."""

from typing import NamedTuple

import jax
import numpy as np
import optax

from gganjax import core, port
from gganjax.step import train_step
from parities.common import Fixture, Pair
from parities.gesturegan import feeds_norm, first_state, record


class Net(NamedTuple):
    """A recorded network: our name of it, its table, and the shapes of its inputs."""

    name: str
    table: port.Table
    inputs: tuple[tuple[int, ...], ...]


def take(fixture: Fixture, method, nets: dict[str, Net], batch: dict, weights: dict, *, rate: float, others=None, more=None):
    """Makes one step from the recorded weights, every player acting.

    Args:
      fixture: with weights under "w/<net>/".
      method: the system.
      nets: by recorded name.
      batch: what the step sees.
      weights: of the loss terms, by player.
      rate: of Adam, with betas 0.5 and 0.999.
      others: variables of networks that were not recorded, by our name.
      more: (call, batch, images) -> arrays, computed at the parameters from before the step.

    Returns:
      The state after the step, its terms, the rollout's images, and what `more` gave.
    """
    variables = {
        net.name: {"moving": {}}
        | port.to_flax(net.table, fixture.group(f"w/{recorded}/"), port.shapes(method.nets[net.name], *net.inputs))
        for recorded, net in nets.items()
    }
    adam = optax.chain(record(), optax.adam(rate, 0.5, 0.999, eps=1e-8))
    optimizers = {player: adam for player in method.players}
    state = first_state(method, optimizers, variables | (others or {}))

    # Compiling is nearly all of the time, and a third of it is spent on speed that one step does not need.
    def run(state, batch):
        after, terms = train_step(method, optimizers, weights, state, batch, acting=tuple(method.players))
        call = core.Call(method, state.params, state.moving)
        images = method.rollout(jax.random.key(0), call, batch)
        return after, terms, images, more(call, batch, images) if more else {}

    return jax.jit(run, compiler_options={"xla_backend_optimization_level": 0})(state, batch)


def tensors(fixture: Fixture, method, nets: dict[str, Net], after: core.State, *, exceptions=None) -> list[Pair]:
    """Pairs gradients and updated weights in PyTorch's layout.

    Args:
      fixture: with "out/grad/<net>/" and "out/after/<net>/".
      method, nets: as in `take`.
      after: the state after the step.
      exceptions: (tolerance, reason) of the gradients of a recorded network, where it is not the usual one.
    """
    owner = {net: player for player, group in method.players.items() for net in group.nets}
    pairs = []
    for recorded, net in nets.items():
        gradients = jax.device_get(after.opt[owner[net.name]][0].gradients[net.name])
        gradients = port.to_torch(net.table, {"params": gradients})
        updated = port.to_torch(net.table, {"params": jax.device_get(after.params[net.name])})
        wanted, keys = fixture.group(f"out/grad/{recorded}/"), fixture.group(f"w/{recorded}/")
        tolerance = dict(zip(("tolerance", "reason"), (exceptions or {}).get(recorded, ())))
        for key, value in wanted.items():
            if not (key.endswith("bias") and feeds_norm(key, keys)):
                # A bias gradient is a sum over all positions, where terms cancel: its layer sets the scale.
                layer = wanted.get(key.removesuffix("bias") + "weight", value) if key.endswith("bias") else value
                scale = float(np.abs(layer).max()) if key.endswith("bias") else 0.0
                pairs.append(Pair(f"grad/{recorded}/{key}", gradients.get(key, np.nan), value, scale=scale, **tolerance))
        for key, value in fixture.group(f"out/after/{recorded}/").items():
            # Adam's first step has the size of the rate and the sign of the gradient, which rounding decides near 0.
            large = np.abs(wanted[key]) > 5e-3 * np.abs(wanted[key]).max()
            pairs.append(Pair(f"after/{recorded}/{key}", np.where(large, updated.get(key, np.nan), value), value))
    return pairs
