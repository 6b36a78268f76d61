"""Pools of remembered generated images (Shrivastava et al. 2017): a discriminator sees old fakes among new ones."""

import jax
import jax.numpy as jnp
from jax import lax


def empty(size: int, shape: tuple[int, ...]) -> tuple[jax.Array, jax.Array]:
    """A pool without images: (images [size, *shape] float32, count int32 [])."""
    return jnp.zeros((size, *shape), jnp.float32), jnp.zeros((), jnp.int32)


def mix(key, pool, x):
    """Passes x [B, ...] through the pool, image by image, as the reference implementations do.

    While the pool is not full, an image is stored and passes. Then a fair coin decides whether it passes
    untouched, or takes the place of a random remembered one, which is returned in its stead.

    Returns:
      The pool after it, and the mixed images [B, ...].
    """
    size = pool[0].shape[0]

    def visit(pool, item):
        images, count = pool
        key, image = item
        coin, place = jax.random.split(key)
        filling = count < size
        swap = filling | jax.random.bernoulli(coin)
        slot = jnp.where(filling, count, jax.random.randint(place, (), 0, size))
        old = lax.dynamic_index_in_dim(images, slot, keepdims=False)
        kept = lax.dynamic_update_index_in_dim(images, jnp.where(swap, image, old), slot, 0)
        return (kept, jnp.minimum(count + 1, size)), jnp.where(filling | ~swap, image, old)

    return lax.scan(visit, pool, (jax.random.split(key, x.shape[0]), x.astype(jnp.float32)))
