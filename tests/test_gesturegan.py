"""GestureGAN: its losses by hand, its switches, and every variant of its experiment."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from tiny import assert_terms

from experiments import gesturegan
from gganjax import core, methods
from gganjax.errors import InputError
from gganjax.layers import Mode
from gganjax.step import train_step

SMALL = dict(width=4, blocks=1, dropout=0.0, discriminator_width=4, discriminator_layers=1, perceptual="none")


def pictures(rows=2, size=16):
    random = np.random.default_rng(0)
    names = ("source", "target", "source_guidance", "target_guidance")
    return {name: random.uniform(-1, 1, (rows, size, size, 3)).astype(np.float32) for name in names}


def begun(**options):
    """A method, plain gradient descent of rate 1 and its first state."""
    method = methods.load("gesturegan", SMALL | options)
    optimizers = {player: optax.sgd(1.0) for player in method.players}
    return method, optimizers, core.init(method, optimizers, 0, pictures())


def stepped(method, optimizers, state, weights=None, **settings):
    names = core.term_names(method, pictures())
    weights = weights or {player: dict.fromkeys(terms, 1e-3) for player, terms in names.items()}
    run = jax.jit(lambda state, batch: train_step(method, optimizers, weights, state, batch,
                                                  acting=tuple(method.players), **settings))
    return run(state, pictures())


def cross_entropy(logits, real):
    logits = np.asarray(logits, np.float64)
    return np.mean(np.log1p(np.exp(-logits if real else logits)))


@pytest.mark.parametrize("second_real", ["symmetric", "reference"])
def test_terms_by_hand(second_real):
    method, optimizers, state = begun(second_real=second_real, update_order="generator_first")
    batch = pictures()
    _, terms = stepped(method, optimizers, state)
    mode = Mode(keep=False)

    def apply(net, *images):
        variables = {"params": state.params[net], "moving": state.moving[net]}
        return np.asarray(method.nets[net].apply(variables, jnp.concatenate(images, -1), mode))

    x, y, c, d = (batch[name] for name in ("source", "target", "source_guidance", "target_guidance"))
    g = lambda image, guidance: apply("generator", image, guidance)
    fake_y, fake_x = g(x, d), g(y, c)
    distance = lambda a, b: np.abs(a.astype(np.float64) - b).mean()
    expected = {
        "generator/pixel": distance(fake_y, y) + distance(fake_x, x),
        "generator/color": 3 * (distance(fake_y, y) + distance(fake_x, x)),
        "generator/cycle": distance(g(fake_y, c), x) + distance(g(fake_x, d), y),
        "generator/identity": distance(g(x, c), x) + distance(g(y, d), y),
        "generator/tv": sum(np.abs(np.diff(z.astype(np.float64), axis=a)).sum() for z in (fake_y, fake_x) for a in (1, 2)),
        "generator/gan_plain": cross_entropy(apply("discriminator_plain", x, fake_y), True)
        + cross_entropy(apply("discriminator_plain", y, fake_x), True),
        "generator/gan_guided": cross_entropy(apply("discriminator_guided", x, d, fake_y), True)
        + cross_entropy(apply("discriminator_guided", y, c, fake_x), True),
        "discriminators/plain_fake": cross_entropy(apply("discriminator_plain", x, fake_y), False)
        + cross_entropy(apply("discriminator_plain", y, fake_x), False),
        "discriminators/plain_real": cross_entropy(apply("discriminator_plain", x, y), True)
        + cross_entropy(apply("discriminator_plain", *((y, x) if second_real == "symmetric" else (x, y))), True),
        "discriminators/guided_fake": cross_entropy(apply("discriminator_guided", x, d, fake_y), False)
        + cross_entropy(apply("discriminator_guided", y, c, fake_x), False),
        "discriminators/guided_real": cross_entropy(apply("discriminator_guided", x, d, y), True)
        + cross_entropy(apply("discriminator_guided", y, c, x), True),
    }
    assert_terms(terms, expected)


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_stacked_calls_equal_plain_ones(norm):
    after, reported = [], []
    for stack_calls in (True, False):
        method, optimizers, state = begun(stack_calls=stack_calls, norm=norm)
        state, terms = stepped(method, optimizers, state)
        after.append(state)
        reported.append(terms)
    for name in reported[0]:
        np.testing.assert_allclose(reported[0][name], reported[1][name], rtol=1e-4, err_msg=name)
    one, two = (jax.tree_util.tree_leaves_with_path((state.params, state.moving)) for state in after)
    for (path, a), (_, b) in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * np.abs(b).max() + 1e-6, err_msg=jax.tree_util.keystr(path))


def test_generator_is_judged_by_updated_discriminators_in_the_references_order():
    terms = {}
    for order in ("generator_first", "discriminators_first"):
        method, optimizers, state = begun(update_order=order)
        assert tuple(method.players)[0].startswith(order.split("_")[0])
        _, terms[order] = stepped(method, optimizers, state, weights={
            "generator": {"gan_plain": 1.0, "pixel": 1.0}, "discriminators": {"plain_fake": 0.05}})
    one, other = terms["generator_first"], terms["discriminators_first"]
    np.testing.assert_allclose(one["generator/pixel"], other["generator/pixel"], rtol=1e-6)
    np.testing.assert_allclose(one["discriminators/plain_fake"], other["discriminators/plain_fake"], rtol=1e-5)
    # An updated discriminator knows these fakes better: they fool it less.
    assert other["generator/gan_plain"] > one["generator/gan_plain"] * 1.01


def test_bfloat16_computes_low_and_keeps_parameters_and_losses_high():
    full, low = (begun(compute_dtype=dtype) for dtype in ("float32", "bfloat16"))
    state, terms = stepped(*low)
    _, exact = stepped(*full)
    assert {x.dtype for x in jax.tree.leaves((state.params, state.moving))} == {jnp.dtype("float32")}
    assert {x.dtype for x in terms.values()} == {jnp.dtype("float32")}
    assert terms["generator/pixel"] != exact["generator/pixel"]
    np.testing.assert_allclose(terms["generator/pixel"], exact["generator/pixel"], rtol=0.02)
    text = jax.jit(lambda b: low[0].rollout(jax.random.key(0), core.Call(low[0], state.params, state.moving), b)).lower(
        pictures()).as_text()
    assert "stablehlo.convolution" in text
    assert all("bf16" in line for line in text.splitlines() if "stablehlo.convolution" in line)


def test_six_calls_become_two():
    method, _, state = begun()
    counted = []
    call = core.Call(method, state.params, state.moving)
    run = call._run
    call._run = lambda net, *rest: counted.append(net) or run(net, *rest)
    out = method.rollout(jax.random.key(0), call, {name: jnp.asarray(x) for name, x in pictures().items()})
    assert counted == ["generator", "generator"] and len(out) == 6


@pytest.mark.parametrize("option, value", [
    ("cycles", 3), ("discriminators", "none"), ("cycle", "l2"), ("perceptual", "vgg11"), ("second_real", "x"),
    ("update_order", "both"), ("norm", "layer"), ("compute_dtype", "float16"), ("pixel_terms", ("l1",))])
def test_wrong_options(option, value):
    with pytest.raises(InputError, match=f"options.{option}"):
        methods.load("gesturegan", {option: value})


# Table 2.9 (Dayton, aerial to ground): what each row is made of, and the weights of the thesis and reference.
GAN = {"gan_plain": 1.0}
ROWS = {
    "b": GAN | {"pixel": 100.0},
    "c": GAN | {"pixel": 100.0},
    "d": GAN | {"pixel": 100.0, "cycle": 0.1},
    "e11": GAN | {"pixel": 100.0, "cycle": 0.1},
    "e12": GAN | {"pixel": 100.0, "cycle": 0.1},
    "e13": GAN | {"pixel_l2": 100.0, "cycle": 0.1},
    "e14": GAN | {"color": 100.0, "cycle": 0.1},
    "e15": GAN | {"color_l2": 100.0, "pixel": 100.0, "cycle": 0.1},
    "e16": GAN | {"color": 100.0, "pixel": 100.0, "cycle": 0.1},
    "e21": {"gan_guided": 1.0, "pixel": 100.0, "cycle": 0.1},
    "e22": GAN | {"gan_guided": 1.0, "pixel": 100.0, "cycle": 0.1},
    "e3": GAN | {"pixel": 100.0, "cycle": 0.1, "identity": 100.0},
    "e41": GAN | {"pixel": 100.0, "cycle": 0.1, "perceptual": 100.0},
    "e42": GAN | {"pixel": 100.0, "cycle": 0.1, "perceptual": 100.0, "tv": 1e-6},
    "f": GAN | {"gan_guided": 1.0, "color": 100.0, "pixel": 100.0, "cycle": 0.1, "identity": 100.0,
                "perceptual": 100.0, "tv": 1e-6},
}


@pytest.mark.parametrize("row", sorted(ROWS))
def test_ablation_row(row):
    config = gesturegan.get_config(f"ablation_{row}")
    assert config.weights.generator.to_dict() == ROWS[row]
    assert (config.options.cycles, config.options.guidance) == (1, row != "b")
    assert config.options.cycle == {"b": "none", "c": "none", "e11": "color"}.get(row, "l1")
    assert abs(config.data.share - 1 / 3) < 1e-9 and config.epochs == 35


def test_unknown_variant_names_the_nearest():
    with pytest.raises(InputError, match="variant 'ntuu' is unknown; did you mean ntu"):
        gesturegan.get_config("ntuu")


def test_thesis_numbers():
    config = gesturegan.get_config("ntu")
    assert config.weights.generator.to_dict() == dict(
        gan_plain=1.0, gan_guided=1.0, color=800.0, pixel=800.0, cycle=0.1, identity=0.01, perceptual=1000.0, tv=1e-6)
    assert (config.batch_size, config.epochs, config.data.load_size, config.data.crop_size) == (4, 20, 286, 256)
    small = gesturegan.get_config("dayton64")
    assert (small.batch_size, small.epochs, small.data.load_size, small.data.crop_size) == (16, 100, 72, 64)
    assert (gesturegan.get_config("cvusa").epochs, gesturegan.get_config("g2a").epochs) == (30, 35)
    assert [gesturegan.get_config(name).options.cycles for name in ("two_cycle", "one_cycle")] == [2, 1]
