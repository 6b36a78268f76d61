"""Exponential moving average of parameters, a plain tree beside them."""

import jax
import jax.numpy as jnp


def update(average, params, decays, step):
    """Moves each network's average one step toward its parameters.

    Args:
      average: trees by network, those networks only that keep an average.
      params: trees by network.
      decays: by network, in [0, 1).
      step: int [], finished steps; early on the decay is at most (1 + step) / (10 + step), so that the random
        start is soon forgotten.

    Returns:
      The new averages.
    """
    def move(net):
        decay = jnp.minimum(decays[net], (1 + step) / (10 + step))
        return jax.tree.map(lambda a, p: a + (1 - decay) * (p - a), average[net], params[net])
    return {net: move(net) for net in average}
