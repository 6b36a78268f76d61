"""The engine against pencil and paper: methods of two numbers, whose updates NumPy follows by hand."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gganjax import core, devices
from gganjax.core import Field, Player
from gganjax.errors import InputError
from gganjax.layers import TRAIN

X = np.array([[1.0], [2.0], [-0.5], [3.0]], np.float32)
RATE = 0.1
A, B = 0.7, -0.4  # generator and discriminator before the step


class Scale(nn.Module):
    """w x, with a statistic that remembers the mean of what it saw."""

    start: float

    @nn.compact
    def __call__(self, x, mode=TRAIN):
        seen = self.variable("moving", "seen", jnp.zeros, ())
        if mode.keep and not self.is_initializing():
            seen.value = x.mean()
        return x * self.param("w", nn.initializers.constant(self.start), ())


class Duel:
    """Generator a, discriminator b: fake = a x; b minimizes (b fake - 1)^2 / 2, a minimizes (b fake)^2 / 2 + fake."""

    name, inputs, fields, frozen, pools, stride = "duel", ("x",), {"x": Field(("B", 1))}, {}, {}, 1

    def __init__(self, order=("discriminator", "generator"), **turns):
        self.nets = {"a": Scale(A), "b": Scale(B)}
        players = {"generator": Player(("a",), self.generator_loss, **turns.get("generator", {})),
                   "discriminator": Player(("b",), self.discriminator_loss, **turns.get("discriminator", {}))}
        self.players = {name: players[name] for name in order}

    def rollout(self, key, call, batch):
        return {"fake": call("a", batch["x"])}

    def generator_loss(self, key, call, batch, out):
        return {"gan": jnp.square(call("b", out["fake"])).mean() / 2, "plain": out["fake"].mean()}

    def discriminator_loss(self, key, call, batch, out):
        return {"fake": jnp.square(call("b", out["fake"]) - 1).mean() / 2}


WEIGHTS = {"generator": {"gan": 2.0, "plain": 1.0}, "discriminator": {"fake": 1.0}}


def gradient_a(a, b):
    return 2 * a * b**2 * np.square(X).mean() + X.mean()


def gradient_b(fake_scale, b):
    fake = fake_scale * X
    return ((b * fake - 1) * fake).mean()


def run(method, steps=1, *, weights=WEIGHTS, batch=None, rate=RATE, **settings):
    """The state and the terms after some steps of plain gradient descent."""
    batch = {"x": X} if batch is None else batch
    optimizers = {name: optax.sgd(rate) for name in method.players}
    state = core.init(method, optimizers, 0, batch, ema=settings.get("ema"))
    step = devices.compile_step(method, optimizers, weights, **settings)
    for number in range(steps):
        state, terms = step(state, batch, core.acting(method, number))
    return state, devices.scalars(terms), step


def numbers(state):
    return [float(state.params[net]["w"]) for net in ("a", "b")]


def test_discriminator_then_generator_on_shared_fakes():
    state, terms, _ = run(Duel())
    b = B - RATE * gradient_b(A, B)
    np.testing.assert_allclose(numbers(state), [A - RATE * gradient_a(A, b), b], rtol=1e-5)
    np.testing.assert_allclose(terms["generator/gan"], np.square(b * A * X).mean() / 2, rtol=1e-5)
    np.testing.assert_allclose(terms["generator/total"], 2 * terms["generator/gan"] + (A * X).mean(), rtol=1e-5)
    np.testing.assert_allclose(terms["discriminator/gradient_norm"], abs(gradient_b(A, B)), rtol=1e-5)


def test_generator_then_discriminator_on_shared_fakes_is_a_simultaneous_update():
    state, _, _ = run(Duel(("generator", "discriminator")))
    np.testing.assert_allclose(numbers(state), [A - RATE * gradient_a(A, B), B - RATE * gradient_b(A, B)], rtol=1e-5)


def test_fresh_discriminator_judges_what_the_updated_generator_makes():
    state, _, _ = run(Duel(("generator", "discriminator"), discriminator=dict(fresh=True)))
    a = A - RATE * gradient_a(A, B)
    np.testing.assert_allclose(numbers(state), [a, B - RATE * gradient_b(a, B)], rtol=1e-5)


def test_fresh_generator_differentiates_its_own_rollout():
    state, _, _ = run(Duel(generator=dict(fresh=True)))
    b = B - RATE * gradient_b(A, B)
    np.testing.assert_allclose(numbers(state), [A - RATE * gradient_a(A, b), b], rtol=1e-5)


def test_several_discriminator_updates_for_each_generator_update():
    method = Duel(generator=dict(every=3))
    state, _, step = run(method, 6)
    a, b = A, B
    for number in range(1, 7):
        b, fakes = b - RATE * gradient_b(a, b), a
        a = fakes - RATE * gradient_a(fakes, b) if number % 3 == 0 else a
    np.testing.assert_allclose(numbers(state), [a, b], rtol=1e-4)
    assert set(step.compiled) == {("discriminator",), ("discriminator", "generator")}


def test_repeated_updates_see_the_same_fakes():
    state, _, _ = run(Duel(discriminator=dict(repeat=3)))
    b = B
    for _ in range(3):
        b = b - RATE * gradient_b(A, b)
    np.testing.assert_allclose(numbers(state), [A - RATE * gradient_a(A, b), b], rtol=1e-5)


def test_stages_freeze_a_network_with_its_statistics():
    method = Duel(generator=dict(last=1), discriminator=dict(first=1))
    state, _, step = run(method, 1)
    a = A - RATE * gradient_a(A, B)
    np.testing.assert_allclose(numbers(state), [a, B], rtol=1e-5)
    assert float(state.moving["b"]["seen"]) == 0  # b was called by the generator's loss, but did not act
    seen = float(state.moving["a"]["seen"])
    state, _ = step(state, {"x": X * 2}, core.acting(method, 1))
    np.testing.assert_allclose(numbers(state), [a, B - RATE * gradient_b(a * 2, B)], rtol=1e-5)
    assert float(state.moving["a"]["seen"]) == seen
    np.testing.assert_allclose(float(state.moving["b"]["seen"]), (a * 2 * X).mean(), rtol=1e-5)


def test_gradients_through_a_chain_of_generator_calls():
    class Chain(Duel):
        def rollout(self, key, call, batch):
            once = call("a", batch["x"])
            return {"fake": call("a", once), "once": once, "index": jnp.arange(4)}  # integers pass through the vjp

        def generator_loss(self, key, call, batch, out):
            return {"gan": out["fake"].mean(), "plain": (out["once"] * out["index"][:, None]).mean()}

    state, _, _ = run(Chain())
    gradient = 2 * 2 * A * X.mean() + (X * np.arange(4)[:, None]).mean()
    np.testing.assert_allclose(numbers(state)[0], A - RATE * gradient, rtol=1e-5)


@pytest.mark.parametrize("settings", [dict(accumulate=2), dict(accumulate=4), dict(remat=True)])
def test_less_memory_same_result(settings):
    plain, terms, _ = run(Duel(generator=dict(repeat=2)))
    saving, same_terms, _ = run(Duel(generator=dict(repeat=2)), **settings)
    np.testing.assert_allclose(numbers(saving), numbers(plain), rtol=1e-6)
    assert terms.keys() == same_terms.keys()
    for name in terms:
        np.testing.assert_allclose(same_terms[name], terms[name], rtol=1e-6, err_msg=name)


def test_accumulation_counts_every_example_once():
    class Summed(Duel):
        def generator_loss(self, key, call, batch, out):
            return {"gan": call.examples * out["fake"].mean(), "plain": out["fake"].mean()}

    for accumulate in (1, 2):
        state, _, _ = run(Summed(), accumulate=accumulate)
        np.testing.assert_allclose(numbers(state)[0], A - RATE * (2 * X.sum() + X.mean()), rtol=1e-5)


def test_average_of_parameters_is_what_is_sampled():
    state, _, _ = run(Duel(), 2, ema={"a": 0.15})
    first, _, _ = run(Duel(), 1)
    second = numbers(state)[0]
    average = A
    for step, value in enumerate([numbers(first)[0], second]):
        decay = min(0.15, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * value
    np.testing.assert_allclose(float(core.sample_params(state)["a"]["w"]), average, rtol=1e-6)
    assert float(core.sample_params(state)["b"]["w"]) == numbers(state)[1]


def test_frozen_network_passes_gradients_and_stays():
    class Judge(nn.Module):
        @nn.compact
        def __call__(self, x):
            return x * self.param("w", nn.initializers.zeros, ())

    class Frozen(Duel):
        frozen = {"features": lambda: {"w": np.float32(5.0)}}

        def __init__(self):
            super().__init__()
            self.nets["features"] = Judge()

        def generator_loss(self, key, call, batch, out):
            return {"gan": call("features", out["fake"]).mean(), "plain": 0.0 * out["fake"].mean()}

    state, _, _ = run(Frozen())
    np.testing.assert_allclose(numbers(state)[0], A - RATE * 2 * 5 * X.mean(), rtol=1e-5)
    assert float(state.params["features"]["w"]) == 5
    assert float(jax.tree.leaves(core.shapes(Frozen(), {"x": X})["features"])[0].size) == 1


def test_term_of_weight_zero_is_not_computed():
    class Costly(Duel):
        def generator_loss(self, key, call, batch, out):
            return super().generator_loss(key, call, batch, out) | {"spare": jnp.log(-1.0) * out["fake"].mean()}

    weights = WEIGHTS | {"generator": WEIGHTS["generator"] | {"spare": 0.0}}
    state, terms, _ = run(Costly(), weights=weights)
    assert "generator/spare" not in terms and np.isfinite(numbers(state)).all()


def test_state_is_donated():
    method = Duel()
    optimizers = {name: optax.adam(0.1) for name in method.players}
    state = core.init(method, optimizers, 0, {"x": X})
    step = devices.compile_step(method, optimizers, WEIGHTS)
    step(state, {"x": X}, core.acting(method, 0))
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves((state.params, state.opt)))


def test_same_seed_same_bits_and_noise_by_step():
    class Noisy(Duel):
        def rollout(self, key, call, batch):
            return {"fake": call("a", batch["x"]) + jax.random.normal(key, batch["x"].shape)}

    runs = [run(Noisy(), 3) for _ in range(2)]
    assert numbers(runs[0][0]) == numbers(runs[1][0])
    still, terms, step = run(Noisy(), 1, rate=0.0)
    _, later = step(still, {"x": X}, core.acting(Noisy(), 1))
    assert terms["generator/plain"] != devices.scalars(later)["generator/plain"]


def test_batch_is_held_against_the_contract():
    method = Duel()
    with pytest.raises(InputError, match=r"batch field 'x' has shape \[4, 2\], expected \['B', 1\]"):
        core.check_fields(method, {"x": np.zeros((4, 2))})
    with pytest.raises(InputError, match="batch field 'x' is missing: duel needs"):
        core.check_fields(method, {"y": X})


def test_uint8_is_brought_to_the_range_of_its_field():
    """Of a step and of a sample alike; floats stay, and what has no field is a picture in [-1, 1]."""
    levels = np.arange(256, dtype=np.uint8)[:, None]
    fields = {"maps": Field(("B", 1), 0.0, 1.0), "picture": Field(("B", 1)), "given": Field(("B", 1), 0.0, 1.0)}
    found = core.prepare({"maps": levels, "picture": levels, "other": levels, "given": X}, fields)
    np.testing.assert_allclose(found["maps"], levels / 255, atol=1e-7)
    for name in ("picture", "other"):
        np.testing.assert_array_equal(found[name], levels.astype(np.float32) / np.float32(127.5) - 1)
    assert found["given"] is X

    class Sees(Duel):
        fields = {"x": Field(("B", 1), 0.0, 1.0)}

        def sample(self, key, call, batch):
            return {"seen": batch["x"]}

    seen = core.sample(Sees(), {}, {}, {"x": levels}, jax.random.key(0))["seen"]
    np.testing.assert_array_equal(seen, found["maps"])


class Doubled(nn.Module):
    """x, and 2x beside it for those who ask."""

    @nn.compact
    def __call__(self, x, mode=TRAIN, both=False):
        x = x * self.param("w", nn.initializers.ones, ())
        return (x, 2 * x) if both else x


def test_options_of_a_call_reach_the_network():
    duel = Duel()
    duel.nets["a"] = Doubled()
    call = core.Call(duel, {"a": {"w": jnp.ones(())}}, {})
    np.testing.assert_array_equal(call("a", X), X)
    np.testing.assert_array_equal(call("a", X, both=True), (X, 2 * X))
    growing = core.Call(duel, {}, {}, key=jax.random.key(0), grow=True)
    np.testing.assert_array_equal(growing("a", X, both=True), (X, 2 * X))
