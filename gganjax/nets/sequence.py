"""Layers of networks on sequences, [B, T, C], as PyTorch defines and initializes them.

The functions apply a layer inside the calling module, whose inputs' width they read off.
"""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from gganjax.layers import GLOROT, Mode, Norm, around, concatenate

DIRECTIONS = ("forward", "backward")


def linear(x: jax.Array, features: int, name: str, *, bias: bool = True, glorot: bool = False) -> jax.Array:
    """Linear layer, [..., C] -> [..., features]; with `glorot` of uniform Glorot kernels and biases of 0."""
    kernel_init, bias_init = _initializers(x.shape[-1], glorot)
    return nn.Dense(features, use_bias=bias, kernel_init=kernel_init, bias_init=bias_init, name=name)(x)


def convolve(x: jax.Array, features: int, size: tuple[int, ...], name: str, *, stride: tuple[int, ...] = (),
             padding: tuple[int, ...] = (), glorot: bool = False) -> jax.Array:
    """Convolution over the axes between the first and the last, [B, ..., C] -> [B, ..., features], with a bias.

    Args:
      x: the input.
      features: channels of the output.
      size: of the kernel along each axis.
      name: of the layer.
      stride, padding: along each axis; 1 and 0 unless given.
      glorot: uniform Glorot kernels and biases of 0, in place of what PyTorch does unasked.
    """
    kernel_init, bias_init = _initializers(x.shape[-1] * math.prod(size), glorot)
    return nn.Conv(features, size, stride or (1,) * len(size), [(side, side) for side in padding or (0,) * len(size)],
                   kernel_init=kernel_init, bias_init=bias_init, name=name)(x)


def batch_norm(x: jax.Array, name: str, mode: Mode) -> jax.Array:
    """Batch norm of x [B, T, C] over all rows and steps, as PyTorch initializes it."""
    return Norm("batch", initial="torch", name=name)(x[:, :, None], mode)[:, :, 0]


class GRU(nn.Module):
    """Gated recurrent unit in PyTorch's form from a state of 0, [B, T, C] -> [B, T, features], or twice the channels.

    r = sigmoid(W_r x + b_r + U_r h + c_r), z likewise, n = tanh(W_n x + b_n + r (U_n h + c_n)), and the next state is
    (1 - z) n + z h. With `both` a second one reads from the last step to the first, and its states stand behind; the
    two run side by side in one loop.
    """

    features: int
    both: bool = False

    @nn.compact
    def __call__(self, x):
        init, wide, ways = around(self.features**-0.5), 3 * self.features, 1 + self.both

        def weights(name, *shape):
            return jnp.stack([self.param(f"{way}_{name}", init, (*shape, wide)) for way in DIRECTIONS[:ways]])

        seen = jnp.stack([x, x[:, ::-1]][:ways])
        given = jnp.einsum("dbtc,dcg->tdbg", seen, weights("input_kernel", x.shape[-1]))
        given = given + weights("input_bias")[:, None]  # what does not depend on the state, for all steps at once
        kernel, bias = weights("hidden_kernel", self.features), weights("hidden_bias")[:, None]

        def advance(state, given):
            reset, update, new = jnp.split(given, 3, axis=-1)
            own_reset, own_update, own_new = jnp.split(state @ kernel + bias, 3, axis=-1)
            update = nn.sigmoid(update + own_update)
            new = jnp.tanh(new + nn.sigmoid(reset + own_reset) * own_new)
            state = (1 - update) * new + update * state
            return state, state

        _, states = lax.scan(advance, jnp.zeros((ways, len(x), self.features), given.dtype), given)
        states = states.transpose(1, 2, 0, 3)
        return concatenate(states[0], states[1, :, ::-1]) if self.both else states[0]


def _initializers(fan_in: int, glorot: bool):
    """Of a layer's kernel and bias; what PyTorch does unasked is uniform within 1 / sqrt(fan_in) around 0, for both."""
    return (GLOROT, nn.initializers.zeros) if glorot else (around(fan_in**-0.5),) * 2
