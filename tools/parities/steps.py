"""One whole training step through the engine beside a recorded one: gradients, updated weights and running statistics.

The recorded pools of 50 were empty, so that the first fakes passed through them; here the pools remember nothing.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from gganjax import core, port
from gganjax.step import train_step
from parities.common import Fixture, Pair

# Adam's first step has the size of the rate and the sign of the gradient, which rounding decides near 0.
NEAR_ZERO = 5e-3


class Net(NamedTuple):
    """A recorded network: our name of it, its table, and the shapes of its inputs."""

    name: str
    table: port.Table
    inputs: tuple[tuple[int, ...], ...]


class Recorded(NamedTuple):
    """State of `record`: the gradients of the last update."""

    gradients: Any


def record() -> optax.GradientTransformation:
    """Returns an optimizer stage that passes gradients on and remembers them."""
    return optax.GradientTransformation(
        lambda params: Recorded(jax.tree.map(jnp.zeros_like, params)),
        lambda gradients, state, params=None: (gradients, Recorded(gradients)),
    )


def seen(batch: dict, channels: int) -> tuple[tuple[int, ...], ...]:
    """Returns the shapes of the inputs of a network that sees so many channels of the batch's images."""
    return ((*batch["source"].shape[:3], channels),)


def run(fixture: Fixture, method, nets: dict[str, Net], batch: dict, weights: dict, *, frozen: dict | None = None,
        values: Callable = lambda call, batch, images: {}, exceptions: dict | None = None) -> tuple[dict, dict, list[Pair]]:
    """Makes one step from the recorded weights, every player acting.

    Args:
      fixture: with the weights under "w/<net>/", and Adam's rate and betas among the arguments.
      method: the system.
      nets: by recorded name.
      batch: what the step sees.
      weights: of the loss terms, by player.
      frozen: variables of the networks of no player, by our name.
      values: function (call, batch, images) -> further values by recorded name, at the parameters from before the step.
      exceptions: (tolerance, reason) of the gradients of a recorded network, where it is not the usual one.

    Returns:
      The rollout's images with the further values, the step's terms, and the pairs of `tensors`.
    """
    given = fixture.arguments
    (rate,) = {given[name] for name in ("lr", "g_lr", "d_lr") if name in given}  # one for all players
    b1, b2 = given.get("betas") or (given["beta1"], given.get("beta2", 0.999))  # untold, it is PyTorch's own
    optimizers = dict.fromkeys(method.players, optax.chain(record(), optax.adam(rate, b1, b2, eps=1e-8)))
    state = first_state(method, optimizers, variables(fixture, method, nets) | (frozen or {}))

    # Compiling is nearly all of the time, and a third of it is spent on speed that one step does not need.
    def step(state, batch):
        after, terms = train_step(method, optimizers, weights, state, batch, acting=tuple(method.players))
        call = core.Call(method, state.params, state.moving)
        images = method.rollout(jax.random.key(0), call, batch)
        return after, terms, images | values(call, batch, images)

    after, terms, found = jax.jit(step, compiler_options={"xla_backend_optimization_level": 0})(state, batch)
    return found, terms, tensors(fixture, method, nets, after, exceptions or {})


def variables(fixture: Fixture, method, nets: dict[str, Net]) -> dict:
    """Converts the recorded networks: {our name: variables}."""
    return {
        net.name: {"moving": {}}
        | port.to_flax(net.table, fixture.group(f"w/{key}/"), port.shapes(method.nets[net.name], *net.inputs))
        for key, net in nets.items()
    }


def first_state(method, optimizers: dict, variables: dict) -> core.State:
    """Builds the engine's state before its first step from given variables."""
    params = {net: jax.tree.map(jnp.asarray, tree["params"]) for net, tree in variables.items()}
    moving = {net: jax.tree.map(jnp.asarray, tree["moving"]) for net, tree in variables.items() if tree["moving"]}
    opt = {name: optimizers[name].init({net: params[net] for net in player.nets}) for name, player in method.players.items()}
    return core.State(jnp.zeros((), jnp.int32), jax.random.key_data(jax.random.key(0)), params, moving, opt, {}, {})


def tensors(fixture: Fixture, method, nets: dict[str, Net], after: core.State, exceptions: dict) -> list[Pair]:
    """Pairs recorded gradients, and weights and statistics after the step, with ours in PyTorch's layout."""
    owner = {net: player for player, group in method.players.items() for net in group.nets}
    after, pairs = jax.device_get(after), []
    for key, net in nets.items():
        gradients = port.to_torch(net.table, {"params": after.opt[owner[net.name]][0].gradients[net.name]})
        updated = {"params": after.params[net.name], "moving": after.moving.get(net.name, {})}
        updated = port.to_torch(net.table, updated)
        recorded, leaves = fixture.group(f"out/grad/{key}/"), fixture.group(f"w/{key}/")
        tolerance = dict(zip(("tolerance", "reason"), exceptions.get(key, ())))
        for leaf, value in recorded.items():
            if not feeds_norm(leaf, leaves):
                # A bias gradient is the sum over all positions, where terms cancel: its layer sets the scale.
                scale = np.abs(recorded[leaf.removesuffix("bias") + "weight"]).max() if leaf.endswith("bias") else 0.0
                found = gradients.get(leaf, np.nan)
                pairs.append(Pair(f"grad/{key}/{leaf}", found, value, scale=float(scale), **tolerance))
        for leaf, value in fixture.group(f"out/after/{key}/").items():
            ours = updated.get(leaf, np.nan)
            if leaf in recorded:
                large = np.abs(recorded[leaf]) > NEAR_ZERO * np.abs(recorded[leaf]).max()
                ours = np.where(large, ours, value)
            pairs.append(Pair(f"after/{key}/{leaf}", ours, value))
    return pairs


def feeds_norm(key: str, keys) -> bool:
    """Tells a bias in front of an instance norm without scale: its true gradient is 0, what is recorded is rounding."""
    if not key.endswith(".bias"):
        return False
    layer, number, _ = key.rsplit(".", 2)
    if not number.isdigit():  # a layer with a name of its own, which no norm follows unnamed
        return False
    following = f"{layer}.{int(number) + 1}"
    return f"{following}.running_mean" in keys and f"{following}.weight" not in keys


def answers(fixture: Fixture, ours: dict) -> list[Pair]:
    """Pairs the recorded losses and images with ours; one without counterpart is compared with NaN, which fails."""
    recorded = {name: value for name, value in fixture.group("out/").items() if "/" not in name}
    return [Pair(name, ours.get(name, np.nan), value) for name, value in recorded.items()]
