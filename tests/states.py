"""Random variables of networks, and the state dicts of releases that are made of them."""

import jax
import numpy as np

from gganjax import port


def noise(*shape, seed=0, low=-1.0):
    return np.random.default_rng(seed).uniform(low, 1, shape).astype(np.float32)


def filled(module, *sizes, seed=0, **named):
    """Variables of a module, every value different, statistics above 0; nothing is computed."""
    random = np.random.default_rng(seed)

    def draw(path, leaf):
        value = random.normal(size=leaf.shape).astype(np.float32)
        return np.abs(value) if path[0].key == "moving" else value

    return {"params": {}} | jax.tree_util.tree_map_with_path(draw, port.shapes(module, *sizes, **named))


def equal(a, b):
    return jax.tree.structure(a) == jax.tree.structure(b) and jax.tree.all(jax.tree.map(np.array_equal, a, b))


def there_and_back(table, variables):
    """The state dict of the variables; every one has its key, every key its variable, and all come back bit for bit."""
    state = port.to_torch(table, variables)
    assert len(state) == len(jax.tree.leaves(variables)) == len(table.entries)
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), variables)
    assert equal(port.to_flax(table, state, shapes), variables)
    return state
