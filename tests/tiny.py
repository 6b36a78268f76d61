"""Networks of one convolution in the place of a method's own, so that a whole step compiles in a second."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from gganjax import core
from gganjax.layers import TRAIN, Conv, Mode, Norm
from gganjax.step import train_step


class Tiny(nn.Module):
    """A convolution and a batch norm, [B, H, W, C] -> [B, H, W, outputs] in [-1, 1]."""

    outputs: int

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        return jnp.tanh(Norm("batch")(Conv(self.outputs, 3, padding=1)(x), mode))


def shrunk(method, **outputs):
    """The method with tiny networks: discriminators of one output, the others of `outputs[net]` or 3; none frozen."""
    assert not method.frozen
    method.nets = {net: Tiny(1 if "discriminator" in net else outputs.get(net, 3)) for net in method.nets}
    method.stride = 1
    return method


def pictures(method, rows=2, size=8, seed=0):
    """A batch of noise for the method's fields; masks are 0 or 1."""
    random = np.random.default_rng(seed)
    batch = {}
    for name, field in method.fields.items():
        noise = random.uniform(-1, 1, (rows, size, size, field.shape[-1])).astype(np.float32)
        batch[name] = noise if field.low else np.float32(noise > 0)
    return batch


def begun(method, batch, rate=1.0):
    """Plain gradient descent for every player, and the first state."""
    optimizers = {player: optax.sgd(rate) for player in method.players}
    return optimizers, core.init(method, optimizers, 0, batch)


def stepped(method, optimizers, state, batch, weights=None, count=1, acting=None):
    """The state and the terms after each of `count` steps; weights of 1 and all players unless told."""
    names = core.term_names(method, batch)
    weights = weights or {player: dict.fromkeys(terms, 1.0) for player, terms in names.items()}
    acting = acting or tuple(method.players)
    # Compiling is nearly all of the time, and a third of it is spent on speed that few steps do not need.
    step = jax.jit(lambda state, batch: train_step(method, optimizers, weights, state, batch, acting=acting),
                   compiler_options={"xla_backend_optimization_level": 0})
    found = []
    for _ in range(count):
        state, terms = step(state, batch)
        found.append((state, {name: float(value) for name, value in terms.items()}))
    return found


def network(method, state):
    """A function (net, *images joined along the channels) -> output as a NumPy array, from the state's parameters."""
    def apply(net, *images):
        variables = {"params": state.params[net], "moving": state.moving[net]}
        return np.asarray(method.nets[net].apply(variables, jnp.concatenate(images, -1), Mode(keep=False)))
    return apply


def adversarial(logits, real, kind="vanilla"):
    """The adversarial loss in float64, by its formula."""
    logits = np.asarray(logits, np.float64)
    if kind == "vanilla":
        return np.mean(np.log1p(np.exp(-logits if real else logits)))
    return np.mean((logits - real) ** 2)


def distance(a, b):
    """Mean absolute difference in float64."""
    return np.abs(np.asarray(a, np.float64) - b).mean()


def changed(before, after):
    """Names of the networks whose parameters differ."""
    return {net for net in before.params if not all(
        np.array_equal(a, b) for a, b in zip(jax.tree.leaves(before.params[net]), jax.tree.leaves(after.params[net]),
                                             strict=True))}


def count(net, channels, size=256):
    """Number of a network's parameters, from shapes alone."""
    x = jax.ShapeDtypeStruct((1, size, size, channels), jnp.float32)
    return sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(net.init, jax.random.key(0), x)["params"]))
