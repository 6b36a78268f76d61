"""Pools of remembered images keep and return what the rule says."""

import jax
import numpy as np

from gganjax import pool


def test_pool_passes_images_while_it_fills():
    images = np.arange(6, dtype=np.float32).reshape(6, 1)
    filled, mixed = pool.mix(jax.random.key(0), pool.empty(8, (1,)), images)
    np.testing.assert_array_equal(mixed, images)
    np.testing.assert_array_equal(filled[0][:6], images)
    assert int(filled[1]) == 6


def test_full_pool_swaps_half_of_the_time_and_loses_nothing():
    size, count = 50, 2000
    full, _ = pool.mix(jax.random.key(0), pool.empty(size, ()), np.arange(size, dtype=np.float32))
    fresh = np.arange(size, size + count, dtype=np.float32)
    after, mixed = pool.mix(jax.random.key(1), full, fresh)
    # Each image either passes, or stays while an older one leaves: together nothing is lost or made twice.
    everything = np.sort(np.concatenate([np.asarray(after[0]), np.asarray(mixed)]))
    np.testing.assert_array_equal(everything, np.arange(size + count))
    swapped = np.mean(np.asarray(mixed) != fresh)
    assert abs(swapped - 0.5) < 4 * np.sqrt(0.25 / count)
    assert np.all(np.asarray(mixed) <= fresh)  # only what came before can be returned


def test_pool_draws_its_place_evenly():
    size = 4
    start, _ = pool.mix(jax.random.key(0), pool.empty(size, ()), np.arange(size, dtype=np.float32))
    # From the same full pool, the first swapped image leaves each of the four places equally often.
    firsts = jax.vmap(lambda key: pool.mix(key, start, np.full(1, 99.0, np.float32))[1][0])(
        jax.random.split(jax.random.key(3), 4000))
    counts = np.array([(np.asarray(firsts) == value).sum() for value in range(size)])
    assert abs((np.asarray(firsts) == 99).mean() - 0.5) < 0.04
    np.testing.assert_allclose(counts / 4000, 0.125, atol=0.025)
