"""Networks of one convolution in the place of a method's own, so that a whole step compiles in a second."""

import functools

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
    """Plain gradient descent for every player, and a first state of random parameters; nothing is compiled."""
    optimizers = {player: optax.sgd(rate) for player in method.players}
    shapes = jax.eval_shape(lambda batch: core.init(method, optimizers, 0, batch), batch)
    random = np.random.default_rng(1)

    def draw(x):
        spread = 1.0 if len(x.shape) == 1 else 1 / np.sqrt(np.prod(x.shape[:-1]))
        return random.uniform(-spread, spread, x.shape).astype(x.dtype)

    state = jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), shapes)
    return optimizers, jax.device_put(state.replace(params=jax.tree.map(draw, shapes.params)))


def judged(method, state, batch):
    """Every term of every player at the state's parameters, {"player/term": value}, and the pools behind them."""
    @jax.jit
    def run(state, batch):
        call = core.Call(method, state.params, state.moving, pools=state.pools, key=jax.random.key(2),
                         examples=len(batch["source"]))
        out = method.rollout(jax.random.key(0), call, batch)
        terms = {f"{name}/{term}": value for name, player in method.players.items()
                 for term, value in player.loss(jax.random.key(1), call, batch, out).items()}
        return terms, call.pools

    return jax.device_get(run(state, batch))


def assert_terms(found, expected, rtol=1e-4):
    """The same terms with the same values; what a step tells beside them, totals and norms, is not compared."""
    terms = {name: value for name, value in found.items() if not name.endswith(("/total", "/gradient_norm"))}
    assert set(terms) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(terms[name], value, rtol=rtol, err_msg=name)


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
    """A function (net, *images joined along the channels) -> output of a tiny network, by its formula in float64."""
    params = jax.device_get(state.params)

    def apply(net, *images):
        conv, norm = params[net]["Conv_0"], params[net]["Norm_0"]
        x = np.pad(np.concatenate(images, -1).astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))
        y = np.einsum("bhwcij,ijco->bhwo", windows, conv["kernel"]) + conv["bias"]
        y = (y - y.mean((0, 1, 2))) / np.sqrt(y.var((0, 1, 2)) + 1e-5)
        return np.tanh(y * norm["scale"] + norm["bias"])
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


@functools.cache
def count(net, *inputs):
    """Number of a network's parameters from the shapes of its inputs alone; equal networks are counted once."""
    inputs = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in inputs]
    return sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(net.init, jax.random.key(0), *inputs)["params"]))
