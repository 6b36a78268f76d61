"""Whole training steps, driven through the engine: gradients, updated weights and statistics beside the recorded ones.

The recorded pools of 50 were empty, so that the first fakes passed through them; here the pools remember nothing.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import numpy as np
import optax

from gganjax import core, port
from gganjax.step import train_step
from parities.common import Fixture, Pair
from parities.gesturegan import feeds_norm, first_state, record

# Adam's first step has the size of the rate and the sign of the gradient, which rounding decides near 0.
NEAR_ZERO = 5e-3


class Net(NamedTuple):
    """A recorded network: its name and player here, its table, and how many channels it sees."""

    name: str
    player: str
    table: port.Table
    channels: int


def run(fixture: Fixture, method, nets: dict[str, Net], batch: dict, weights: dict, *, frozen: dict | None = None,
        values: Callable = lambda call, batch, images: {}) -> tuple[dict, dict, list[Pair]]:
    """Runs one step from the recorded weights.

    Args:
      fixture, method, weights: what is compared, and the weights of its terms.
      nets: by the recorded name.
      batch: fields of the method.
      frozen: variables by network of no player.
      values: function (call, batch, images) -> further values by recorded name, from the parameters before the step.

    Returns:
      The rollout's images and the further values, the step's terms, and the pairs of gradients and updated weights.
    """
    given = fixture.arguments
    b1, b2 = given.get("betas") or (given["beta1"], 0.999)  # the public Pix2pix and CycleGAN models have Adam's own b2
    optimizers = dict.fromkeys(method.players, optax.chain(record(), optax.adam(given["lr"], b1, b2, eps=1e-8)))
    state = first_state(method, optimizers, variables(fixture, method, nets, batch) | (frozen or {}))

    # Compiling is nearly all of the time, and a third of it is spent on speed that one step does not need.
    @partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def step(state, batch):
        after, terms = train_step(method, optimizers, weights, state, batch, acting=tuple(method.players))
        call = core.Call(method, state.params, state.moving)
        images = method.rollout(jax.random.key(0), call, batch)
        return after, terms, images | values(call, batch, images)

    after, terms, found = step(state, batch)
    return found, terms, tensors(fixture, nets, jax.device_get(after))


def variables(fixture: Fixture, method, nets: dict[str, Net], batch: dict) -> dict:
    """Converts the recorded networks: {our name: variables}."""
    rows, *size, _ = batch["source"].shape
    return {
        net.name: port.to_flax(
            net.table, fixture.group(f"w/{key}/"), port.shapes(method.nets[net.name], (rows, *size, net.channels)))
        for key, net in nets.items()
    }


def tensors(fixture: Fixture, nets: dict[str, Net], after: core.State) -> list[Pair]:
    """Pairs gradients, and weights and statistics after the step, in PyTorch's layout."""
    pairs = []
    for key, net in nets.items():
        gradients = port.to_torch(net.table, {"params": after.opt[net.player][0].gradients[net.name]})
        updated = port.to_torch(net.table, {"params": after.params[net.name], "moving": after.moving[net.name]})
        recorded, leaves = fixture.group(f"out/grad/{key}/"), fixture.group(f"w/{key}/")
        for leaf, value in recorded.items():
            if not feeds_norm(leaf, leaves):
                # A bias gradient is the sum over all positions, where terms cancel: its layer sets the scale.
                layer = recorded[leaf.removesuffix("bias") + "weight"] if leaf.endswith("bias") else np.zeros(1)
                found = gradients.get(leaf, np.nan)
                pairs.append(Pair(f"grad/{key}/{leaf}", found, value, scale=float(np.abs(layer).max())))
        for leaf, value in fixture.group(f"out/after/{key}/").items():
            ours = updated.get(leaf, np.nan)
            if leaf in recorded:
                large = np.abs(recorded[leaf]) > NEAR_ZERO * np.abs(recorded[leaf]).max()
                ours = np.where(large, ours, value)
            pairs.append(Pair(f"after/{key}/{leaf}", ours, value))
    return pairs


def single(fixture: Fixture, ours: dict) -> list[Pair]:
    """Pairs the recorded losses and images; one without counterpart is compared with NaN, which fails."""
    recorded = {name: value for name, value in fixture.group("out/").items() if "/" not in name}
    return [Pair(name, ours.get(name, np.nan), value) for name, value in recorded.items()]
