"""The engine's vocabulary: what a method is made of, the state of a run, and how networks are called.

A method (`Method`) names its networks, the players that own them, one rollout of all generator passes that the
losses share, and each player's loss as unweighted named terms. `step.train_step` does the rest. Images are float32
[B, H, W, C] in [-1, 1], maps in the range of their field; uint8 pictures are brought there at the head of the step.
Nothing here knows a method's name, and nothing outside knows about gradients, optimizers or devices.
"""

import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
import optax
from jax import lax

from gganjax import pool as history
from gganjax.errors import InputError
from gganjax.layers import TRAIN, Mode

Array = jax.Array
Tree = Any
Batch = Mapping[str, Array]
Images = dict[str, Array]
Terms = dict[str, Array]


class Field(NamedTuple):
    """One line of a method's data contract.

    Attributes:
      shape: such as ("B", "H", "W", 3): letters must agree between fields, numbers are exact.
      low, high: range of the values.
    """

    shape: tuple
    low: float = -1.0
    high: float = 1.0


PICTURE = Field(("B", "H", "W", 3))


class Player(NamedTuple):
    """A group of networks with one optimizer and one loss.

    Attributes:
      nets: the networks it moves; no network belongs to two players.
      loss: function (key, call, batch, images) -> unweighted scalar terms by name.
      first, last: it acts while first <= step < last (training stages).
      every: ... on every n-th step only, the n-th, 2n-th, ... (discriminator to generator ratio).
      repeat: ... that many updates in a row.
      fresh: it judges a new rollout by the networks as they are at its turn, not the step's shared one.
    """

    nets: tuple[str, ...]
    loss: Callable
    first: int = 0
    last: int | None = None
    every: int = 1
    repeat: int = 1
    fresh: bool = False


class Method(Protocol):
    """What a system consists of; see `gganjax/methods`."""

    name: str
    fields: dict[str, Field]  # what a batch holds
    inputs: tuple[str, ...]  # the fields that `sample` needs
    nets: dict[str, nn.Module]
    players: dict[str, Player]  # in the order of update within a step
    frozen: dict[str, Callable[[], Tree]]  # networks of no player, and how to read their parameters
    pools: dict[str, int]  # sizes of the pools of remembered images; 0 remembers nothing
    stride: int  # heights and widths are multiples of it

    def rollout(self, key: Array, call: "Call", batch: Batch) -> Images: ...

    def sample(self, key: Array, call: "Call", batch: Batch) -> Images: ...

    def panels(self, batch: Batch, out: Images) -> dict[str, Array]: ...


@flax.struct.dataclass
class State:
    """All that the future of a run depends on.

    Attributes:
      step: int32 [], number of finished steps.
      key: uint32 key data, constant; step t draws from fold_in(key, t).
      params: by network, frozen networks included.
      moving: running statistics and spectral-norm vectors, by network.
      opt: optimizer state, by player.
      ema: averaged parameters, by network, of those networks only that keep an average.
      pools: remembered images, by pool: (images [N, H, W, C], count []).
    """

    step: Array
    key: Array
    params: dict[str, Tree]
    moving: dict[str, Tree]
    opt: dict[str, Tree]
    ema: dict[str, Tree]
    pools: dict[str, tuple]


class Call:
    """Runs networks by name during one trace; the only object with mutable insides, and it dies with the trace.

    It holds the parameters in force and collects what moves: statistics and pools. With `grow`, a network
    without parameters is initialized at its first use. `step` counts the finished steps, for what changes as training
    goes on (a warm-up, a weight that grows).
    """

    def __init__(self, method: Method, params, moving, *, pools=None, key=None, mode: Mode = TRAIN, examples=None,
                 step=0, grow=False):
        self.method, self.params, self.moving, self.pools = method, dict(params), dict(moving), dict(pools or {})
        self.used: set[str] = set()
        self.examples, self.step = examples, step
        self._key, self._mode, self._grow = key, mode, grow

    def __call__(self, net: str, *inputs, key=None, keep: bool = True, **options):
        """Runs network `net`; `key` is for its dropout, `keep=False` leaves its statistics, `options` go to the network."""
        return self._run(net, inputs, key, self._mode._replace(keep=keep), **options)

    def together(self, net: str, *calls: tuple, key=None) -> list:
        """Runs several independent calls of one network as one call stacked along the batch.

        Args:
          net: name of the network.
          *calls: the inputs of each call, a tuple of arrays [B, ...].

        Returns:
          The output of each call, equal to separate calls for networks with instance or batch norms.
        """
        stacked = [jnp.concatenate(column) for column in zip(*calls, strict=True)]
        out = self._run(net, stacked, key, self._mode._replace(calls=len(calls)))
        return [jax.tree.map(lambda y: jnp.split(y, len(calls))[i], out) for i in range(len(calls))]

    def past(self, pool: str, x: Array) -> Array:
        """Mixes x [B, ...] with remembered images of the pool, gradient stopped.

        The draws come from the step's key, which all devices share, so that every device holds the same pool.
        """
        x = lax.stop_gradient(x)
        size = self.method.pools[pool]
        if size == 0:
            return x
        if self._grow:
            self.pools.setdefault(pool, history.empty(size, x.shape[1:]))
            return x
        everyone = x if self._mode.axis is None else lax.all_gather(x, self._mode.axis, tiled=True)
        key = jax.random.fold_in(self._key, zlib.crc32(pool.encode()))
        self.pools[pool], mixed = history.mix(key, self.pools[pool], everyone)
        if self._mode.axis is None:
            return mixed
        return lax.dynamic_slice_in_dim(mixed, lax.axis_index(self._mode.axis) * x.shape[0], x.shape[0])

    def _run(self, net, inputs, key, mode, **options):
        module = self.method.nets[net]
        self.used.add(net)
        arguments = inputs if net in self.method.frozen else (*inputs, mode)
        if self._grow and net not in self.params:
            variables = module.init(jax.random.fold_in(self._key, zlib.crc32(net.encode())), *arguments, **options)
            self.params[net], self.moving[net] = variables.get("params", {}), variables.get("moving", {})
        variables = {"params": self.params[net], "moving": self.moving.get(net, {})}
        rngs = {} if key is None else {"dropout": key}
        out, moved = module.apply(variables, *arguments, rngs=rngs, mutable=["moving"], **options)
        # While growing nothing moves: the state before the first step depends on no batch, and needs no forward pass.
        if mode.keep and mode.norm == "batch" and "moving" in moved and not self._grow:
            self.moving[net] = moved["moving"]
        return out


def prepare(batch: Batch, fields: Mapping[str, Field] = MappingProxyType({})) -> Batch:
    """Turns uint8 pictures into float32 in the range of their field, [-1, 1] without one; everything else stays."""
    def spread(x, field):
        return x.astype(jnp.float32) / (255 / (field.high - field.low)) + field.low

    return {name: spread(x, fields.get(name, PICTURE)) if x.dtype == jnp.uint8 else x for name, x in batch.items()}


def check_fields(method: Method, batch: Batch, names=None) -> None:
    """Holds a batch of arrays or shapes against the method's contract; an InputError names the field."""
    letters: dict[str, int] = {}
    for name in names or method.fields:
        expected = method.fields[name].shape
        if name not in batch:
            raise InputError(f"batch field '{name}' is missing: {method.name} needs {tuple(method.fields)}.")
        given = tuple(batch[name].shape)
        fits = len(given) == len(expected) and all(
            letters.setdefault(want, have) == have if isinstance(want, str) else want == have
            for want, have in zip(expected, given))
        if not fits:
            known = {letter: size for letter, size in letters.items() if letter in expected}
            raise InputError(f"batch field '{name}' has shape {list(given)}, expected {list(expected)} with {known}.")
        for letter in ("H", "W"):
            if letters.get(letter, 0) % method.stride:
                raise InputError(f"batch field '{name}' has {letter} = {letters[letter]}, "
                                 f"expected a multiple of {method.stride}.")


def acting(method: Method, step: int) -> tuple[str, ...]:
    """Names of the players whose turn it is at a step, in order."""
    def turn(player):
        return player.first <= step and (player.last is None or step < player.last) and (
            (step + 1 - player.first) % player.every == 0)
    return tuple(name for name, player in method.players.items() if turn(player))


def _trace(method, key, batch, params):
    """Runs the rollout and all losses once, growing what is missing; returns the call and the terms."""
    batch = prepare(batch, method.fields)
    call = Call(method, params, {}, key=key, examples=next(iter(batch.values())).shape[0], grow=True)
    out = method.rollout(key, call, batch)
    terms = {name: player.loss(key, call, batch, out) for name, player in method.players.items()}
    return call, terms


def arrays(batch: Batch) -> Batch:
    """The fields that are arrays; names of files and the like stay on the host."""
    return {name: x for name, x in batch.items() if hasattr(x, "dtype")}


def variables(method: Method, batch: Batch) -> dict[str, Tree]:
    """Shapes of every network's {"params": ..., "moving": ...}, nothing computed and no weight file read."""
    def grow(batch):
        call, _ = _trace(method, jax.random.key(0), batch, {})
        return {net: {"params": params, "moving": call.moving[net]} for net, params in call.params.items()}

    return jax.eval_shape(grow, arrays(batch))


def shapes(method: Method, batch: Batch) -> dict[str, Tree]:
    """Parameter shapes of every network, nothing computed and no weight file read."""
    return {net: tree["params"] for net, tree in variables(method, batch).items()}


def term_names(method: Method, batch: Batch) -> dict[str, tuple[str, ...]]:
    """Names of the loss terms by player, nothing computed."""
    terms = jax.eval_shape(lambda b: _trace(method, jax.random.key(0), b, {})[1], arrays(batch))
    return {player: tuple(named) for player, named in terms.items()}


def init(method: Method, optimizers: Mapping[str, optax.GradientTransformation], seed: int, batch: Batch, *,
         ema: Mapping[str, float] | None = None) -> State:
    """The state before the first step, drawn from `seed`; frozen networks are read from their files.

    Args:
      method: the system.
      optimizers: by player.
      seed: any integer of 32 bits.
      batch: arrays of the shapes that training will use.
      ema: decay of the parameter average, by network; networks not named keep none.
    """
    check_fields(method, batch)
    frozen = {net: load() for net, load in method.frozen.items()}
    key = jax.random.key(seed)

    def grow(frozen, batch):
        call, _ = _trace(method, key, batch, frozen)
        return call.params, {net: tree for net, tree in call.moving.items() if tree}, call.pools

    params, moving, pools = jax.jit(grow)(frozen, arrays(batch))
    unused = set(method.nets) - set(params)
    if unused:
        raise InputError(f"networks {sorted(unused)} of {method.name} are called by no rollout and no loss.")
    opt = {name: optimizers[name].init({net: params[net] for net in player.nets})
           for name, player in method.players.items()}
    # The average starts as a copy: a donated buffer must not appear in the state twice.
    average = jax.tree.map(jnp.copy, {net: params[net] for net in ema or {}})
    return State(jnp.zeros((), jnp.int32), jax.random.key_data(key), params, moving, opt, average, pools)


def sample_params(state: State) -> dict[str, Tree]:
    """The parameters to use at test time: averaged ones where they are kept."""
    return {**state.params, **state.ema}


def sample(method: Method, params, moving, batch: Batch, key: Array, *, norm="batch", dropout=False,
           entry: str = "sample", **options) -> Images:
    """What a user wants at test time; `norm` and `dropout` as in `layers.Mode`, `entry` names the method's function.

    `options` are further arguments of that function.
    """
    call = Call(method, params, moving, key=key, mode=Mode(norm=norm, dropout=dropout, keep=False))
    return getattr(method, entry)(key, call, prepare(batch, method.fields), **options)
