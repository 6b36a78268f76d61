"""StarGAN: its losses by hand, its labels, its turns, and every variant of its experiment."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import begun, judged

from experiments import stargan
from gganjax import core, methods, multidomain, schedules
from gganjax.errors import InputError
from gganjax.layers import Mode

NAMES = ("a", "b", "c")
SMALL = dict(domains=NAMES, classification="softmax", n_critic=1, width=4, blocks=0, discriminator_width=4,
             discriminator_layers=2)


def pictures(rows=3, size=8):
    random = np.random.default_rng(0)
    label = np.eye(3, dtype=np.float32)
    return {"source": random.uniform(-1, 1, (rows, size, size, 3)).astype(np.float32),
            "source_domain": label[[0, 1, 2][:rows]], "target_domain": label[[2, 2, 1][:rows]]}


def test_terms_by_hand():
    """Every term from the networks' outputs alone."""
    method, batch = methods.load("stargan", SMALL | dict(target_labels="given")), pictures()
    _, state = begun(method, batch)
    share = np.array([0.1, 0.5, 0.8], np.float32).reshape(3, 1, 1, 1)
    method.shares = lambda key, rows: share
    x, z, wanted = batch["source"], batch["source_domain"], batch["target_domain"]

    @jax.jit
    def outputs(params, moving):
        def apply(net, *inputs):
            return method.nets[net].apply({"params": params[net], "moving": moving.get(net, {})}, *inputs, Mode(keep=False))

        fake = apply("generator", x, wanted)
        slopes = jax.grad(lambda points: apply("discriminator", points)[0].sum())(share * x + (1 - share) * fake)
        return apply("generator", fake, z), apply("discriminator", x), apply("discriminator", fake), slopes

    back, (real_scores, real_classes), (scores, classes), slopes = outputs(state.params, state.moving)
    entropy = lambda logits, label: -np.log(np.asarray(jax.nn.softmax(logits))[label == 1]).mean()
    expected = {
        "discriminator/real": -np.mean(real_scores),
        "discriminator/fake": np.mean(scores),
        "discriminator/domain": entropy(real_classes, z),
        "discriminator/penalty": np.mean((np.sqrt(np.square(np.float64(slopes)).sum((1, 2, 3))) - 1) ** 2),
        "generator/gan": -np.mean(scores),
        "generator/domain": entropy(classes, wanted),
        "generator/cycle": np.abs(np.float64(back) - x).mean(),
    }
    chex.assert_trees_all_close(judged(method, state, batch)[0], expected, rtol=1e-4, atol=1e-6)


def test_target_labels():
    """A permutation of the batch's own, another at every key, or those that the batch gives."""
    label = np.eye(8, dtype=np.float32)[np.arange(8) // 2]
    batch = {"source_domain": jnp.asarray(label), "target_domain": jnp.asarray(label[::-1])}
    drawn = [np.asarray(multidomain.targets(jax.random.key(i), batch, "permuted")) for i in range(4)]
    for one in drawn:
        assert sorted(map(tuple, one)) == sorted(map(tuple, label))
    assert len({one.tobytes() for one in drawn}) > 1
    np.testing.assert_array_equal(multidomain.targets(jax.random.key(0), batch, "given"), label[::-1])


def test_discriminator_sees_the_labels_of_the_rollout():
    method, batch = methods.load("stargan", SMALL | dict(target_labels="permuted")), pictures()
    seen = []
    call = lambda net, *inputs, **rest: (seen.append(inputs), inputs[0])[1]
    out = method.rollout(jax.random.key(3), call, {name: jnp.asarray(x) for name, x in batch.items()})
    (image, target), (fake, label) = seen
    np.testing.assert_array_equal(image, batch["source"])
    np.testing.assert_array_equal(target, out["target_domain"])
    np.testing.assert_array_equal(label, batch["source_domain"])
    assert fake is out["fake_target"]


def test_generator_moves_on_every_nth_step():
    method = methods.load("stargan", SMALL | dict(n_critic=5))
    both = [len(core.acting(method, step)) == 2 for step in range(15)]
    assert both == [step % 5 == 4 for step in range(15)]
    assert core.acting(method, 4) == ("discriminator", "generator")  # the generator is judged by the updated one


def test_every_target_of_attributes():
    """Hair colors are set alone, the others toggled (StarGAN's test translations)."""
    label = np.float32([[1, 0, 0, 1, 1], [0, 0, 1, 0, 1]])
    wished = multidomain.every_target(label, stargan.CELEBA, stargan.HAIR)
    expected = {
        "Black_Hair": [[1, 0, 0, 1, 1], [1, 0, 0, 0, 1]], "Blond_Hair": [[0, 1, 0, 1, 1], [0, 1, 0, 0, 1]],
        "Brown_Hair": [[0, 0, 1, 1, 1], [0, 0, 1, 0, 1]], "Male": [[1, 0, 0, 0, 1], [0, 0, 1, 1, 1]],
        "Young": [[1, 0, 0, 1, 0], [0, 0, 1, 0, 0]],
    }
    assert list(wished) == list(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(wished[name], value)


def test_overview_of_exclusive_domains_needs_the_source_alone():
    method = methods.load("stargan", SMALL)
    call = lambda net, image, label: image[..., :1] * 0 + label[:, None, None, :]
    out = method.overview(jax.random.key(0), call, {"source": jnp.zeros((2, 8, 8, 3))})
    for place, name in enumerate(NAMES):
        np.testing.assert_array_equal(out[f"to {name}"][1, 0, 0], np.eye(3)[place])
    assert list(method.panels({"source": 1}, out)) == ["source", "to a", "to b", "to c"]
    assert list(method.panels({"source": 1}, {"fake_target": 2})) == ["source", "translated"]


@pytest.mark.parametrize("options, sentence", [
    (dict(classification="softmx"), "options.classification is 'softmx'"),
    (dict(target_labels="drawn"), "options.target_labels is 'drawn'"),
    (dict(domains=("a",)), "options.domains must hold at least two different names, found \\('a',\\)"),
    (dict(domains=("a", "a")), "options.domains must hold at least two different names"),
    (dict(exclusive=("d",), classification="attributes"), "options.exclusive holds \\['d'\\], expected some of"),
    (dict(exclusive=("a",)), "options.exclusive is for options.classification 'attributes'"),
    (dict(n_critic=0), "options.n_critic must be at least 1, found 0"),
])
def test_wrong_options(options, sentence):
    with pytest.raises(InputError, match=sentence):
        methods.load("stargan", SMALL | options)


def test_pictures_that_are_no_squares_are_refused():
    method = methods.load("stargan", SMALL)
    batch = pictures() | {"source": np.zeros((3, 8, 12, 3), np.float32)}
    with pytest.raises(InputError, match="judges squares whose sides are multiples of 4, found 8x12 pixels"):
        core.term_names(method, batch)


def test_published_numbers():
    config = stargan.get_config("celeba")
    assert config.weights.to_dict() == dict(discriminator=dict(real=1, fake=1, domain=1, penalty=10),
                                            generator=dict(gan=1, domain=1, cycle=10))
    assert (config.batch_size, config.steps, config.options.n_critic) == (16, 200_000, 5)
    adam = config.optimizers.generator
    assert (adam.learning_rate, adam.b1, adam.b2) == (1e-4, 0.5, 0.999)
    assert (len(config.options.domains), config.options.classification) == (5, "attributes")
    rafd = stargan.get_config("rafd")
    assert (len(rafd.options.domains), rafd.options.classification) == (8, "softmax")


def test_both_players_rates_fall_together():
    """Schedules count a player's own updates: at the same step of the run both have the same rate."""
    for variant in ("celeba", "celeba_literal"):
        config = stargan.get_config(variant)
        rates = {}
        for player, every in dict(discriminator=1, generator=5).items():
            rate = schedules.rate(config.optimizers[player], steps_per_epoch=1, total_steps=config.steps // every)
            rates[player] = [float(rate(jnp.asarray(step // every))) for step in (0, 100_000, 101_000, 150_000, 195_000)]
        np.testing.assert_allclose(rates["discriminator"], rates["generator"], rtol=1e-5)
    # 95 stairs down, each 0.001 %.
    np.testing.assert_allclose(rates["discriminator"][-1], 1e-4 * (1 - 95e-5), rtol=1e-6)
