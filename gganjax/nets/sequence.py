"""Layers of networks on sequences, [B, T, C], as PyTorch defines and initializes them.

The functions apply a layer inside the calling module, whose inputs' width they read off.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from gganjax.layers import Mode, Norm

# What PyTorch does unasked: kernels uniform within 1 / sqrt(fan_in) around 0, biases too.
TORCH_KERNEL = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")
GLOROT = nn.initializers.xavier_uniform()


def around(bound: float):
    """Initializer of numbers uniform within `bound` around 0."""
    return lambda key, shape, dtype=jnp.float32: jax.random.uniform(key, shape, dtype, -bound, bound)


def linear(x: jax.Array, features: int, name: str, *, bias: bool = True, glorot: bool = False) -> jax.Array:
    """Linear layer, [..., C] -> [..., features]; with `glorot` of uniform Glorot kernels and biases of 0."""
    bias_init = nn.initializers.zeros if glorot else around(x.shape[-1] ** -0.5)
    return nn.Dense(features, use_bias=bias, kernel_init=GLOROT if glorot else TORCH_KERNEL, bias_init=bias_init,
                    name=name)(x)


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
    fan_in = x.shape[-1]
    for side in size:
        fan_in *= side
    bias_init = nn.initializers.zeros if glorot else around(fan_in**-0.5)
    return nn.Conv(features, size, stride or (1,) * len(size), [(side, side) for side in padding or (0,) * len(size)],
                   kernel_init=GLOROT if glorot else TORCH_KERNEL, bias_init=bias_init, name=name)(x)


def batch_norm(x: jax.Array, name: str, mode: Mode) -> jax.Array:
    """Batch norm of x [B, T, C] over all rows and steps, as PyTorch initializes it."""
    return Norm("batch", initial="torch", name=name)(x[:, :, None], mode)[:, :, 0]


class GRU(nn.Module):
    """Gated recurrent unit of one direction in PyTorch's form, [B, T, C] -> [B, T, features], from a state of 0.

    r = sigmoid(W_r x + b_r + U_r h + c_r), z likewise, n = tanh(W_n x + b_n + r (U_n h + c_n)), and the next state is
    (1 - z) n + z h. With `reverse` it reads from the last step to the first.
    """

    features: int
    reverse: bool = False

    @nn.compact
    def __call__(self, x):
        init, wide = around(self.features**-0.5), 3 * self.features
        kernel = self.param("input_kernel", init, (x.shape[-1], wide))
        recurrent = self.param("hidden_kernel", init, (self.features, wide))
        bias, recurrent_bias = (self.param(f"{name}_bias", init, (wide,)) for name in ("input", "hidden"))

        def advance(state, given):
            reset, update, new = jnp.split(given, 3, axis=-1)
            own_reset, own_update, own_new = jnp.split(state @ recurrent + recurrent_bias, 3, axis=-1)
            update = nn.sigmoid(update + own_update)
            new = jnp.tanh(new + nn.sigmoid(reset + own_reset) * own_new)
            state = (1 - update) * new + update * state
            return state, state

        given = jnp.moveaxis(x @ kernel + bias, 1, 0)  # what does not depend on the state is computed for all steps at once
        _, states = lax.scan(advance, jnp.zeros((len(x), self.features), given.dtype), given, reverse=self.reverse)
        return jnp.moveaxis(states, 0, 1)
