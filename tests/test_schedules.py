"""Learning rates and optimizers against their formulas."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gganjax import schedules
from gganjax.errors import InputError


def factors(counts, *, steps_per_epoch=1, total_steps=100, **settings):
    schedule = schedules.factor(settings, steps_per_epoch=steps_per_epoch, total_steps=total_steps)
    return [float(schedule(jnp.asarray(count))) for count in counts]


def test_linear_by_epoch_ends_at_zero():
    found = factors(range(0, 60, 3), steps_per_epoch=3, name="linear", flat_epochs=10, decay_epochs=10)
    expected = [1 - max(0, epoch + 1 - 10) / 11 for epoch in range(1, 21)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found[-1] == 0
    assert factors([57, 58, 59, 60], steps_per_epoch=3, name="linear", flat_epochs=10, decay_epochs=10) == [0] * 4


def test_linear_open_ends_above_zero():
    found = factors(range(20), name="linear_open", flat_epochs=10, decay_epochs=10)
    np.testing.assert_allclose(found, [1 - max(0, epoch - 10) / 11 for epoch in range(1, 21)], atol=1e-6)


def test_linear_by_steps():
    found = factors([0, 40, 70, 100], name="linear_steps", flat_steps=40, total_steps=100)
    np.testing.assert_allclose(found, [1, 1, 0.5, 0], atol=1e-6)


def test_adam_is_the_papers():
    settings = {"p": dict(name="adam", learning_rate=2e-4, b1=0.5, b2=0.999, schedule=dict(name="constant"))}
    optimizer = schedules.optimizers(settings, steps_per_epoch=1, total_steps=1)["p"]
    params, state = jnp.array([1.0]), None
    state = optimizer.init(params)
    first, second = 0.0, 0.0
    for step, gradient in enumerate([0.3, -0.1, 2.0], start=1):
        updates, state = optimizer.update(jnp.array([gradient]), state, params)
        params = optax.apply_updates(params, updates)
        first, second = 0.5 * first + 0.5 * gradient, 0.999 * second + 0.001 * gradient**2
        expected = -2e-4 * (first / (1 - 0.5**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        np.testing.assert_allclose(updates[0], expected, rtol=1e-4)


def test_unknown_names():
    with pytest.raises(InputError, match="schedule name is 'cosin'"):
        factors([0], name="cosin")
    settings = {"p": dict(name="adan", learning_rate=1.0, schedule=dict(name="constant"))}
    with pytest.raises(InputError, match="optimizer name is 'adan'"):
        schedules.optimizers(settings, steps_per_epoch=1, total_steps=1)


def test_linear_over_a_share_of_the_run():
    found = factors([0, 50, 75, 100], name="linear_share", flat_share=0.5, total_steps=100)
    np.testing.assert_allclose(found, [1, 1, 0.5, 0], atol=1e-6)


def test_stairs_go_down_after_whole_ones_and_not_below_zero():
    settings = dict(name="stairs", flat_steps=10, stair_steps=5, drop=0.3)
    np.testing.assert_allclose(factors([0, 10, 14, 15, 19, 20, 30, 1000], **settings), [1, 1, 1, 0.7, 0.7, 0.4, 0, 0], atol=1e-6)
