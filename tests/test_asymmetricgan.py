"""Paired AsymmetricGAN: its losses by hand, which generator makes what, its switches and every variant."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from experiments import asymmetricgan, gesturegan
from gganjax import core, methods
from gganjax.errors import InputError
from gganjax.layers import Mode

SMALL = dict(width=4, reconstruction_width=3, blocks=1, dropout=0.0, discriminator_width=4, discriminator_layers=1,
             perceptual="none")


def pictures(rows=2, size=16):
    random = np.random.default_rng(0)
    names = ("source", "target", "source_guidance", "target_guidance")
    return {name: random.uniform(-1, 1, (rows, size, size, 3)).astype(np.float32) for name in names}


def test_terms_by_hand():
    """Translations and identities are Gt's, the ways back Gr's; all terms in both directions."""
    method, batch = methods.load("asymmetricgan", SMALL), pictures()
    state = core.init(method, {player: optax.sgd(1.0) for player in method.players}, 0, batch)

    @jax.jit
    def terms(batch):
        call = core.Call(method, state.params, state.moving, examples=len(batch["source"]))
        out = method.rollout(jax.random.key(0), call, batch)
        return {name: player.loss(jax.random.key(0), call, batch, out) for name, player in method.players.items()}

    x, y, c, d = (batch[name] for name in ("source", "target", "source_guidance", "target_guidance"))

    @jax.jit
    def outputs(params, moving):
        def apply(net, *images):
            variables = {"params": params[net], "moving": moving[net]}
            return method.nets[net].apply(variables, jnp.concatenate(images, -1), Mode(keep=False))

        gt, gr = (lambda image, guidance, net=net: apply(net, image, guidance) for net in ("translator", "reconstructor"))
        fake_y, fake_x = gt(x, d), gt(y, c)
        made = fake_y, fake_x, gr(fake_y, c), gr(fake_x, d), gt(x, c), gt(y, d)
        plain = [apply("discriminator_plain", *pair) for pair in ((x, fake_y), (y, fake_x), (x, y), (y, x))]
        guided = [apply("discriminator_guided", *three) for three in ((x, d, fake_y), (y, c, fake_x), (x, d, y), (y, c, x))]
        return made, {"plain": plain, "guided": guided}

    made, judged = outputs(state.params, state.moving)
    fake_y, fake_x, back_x, back_y, same_x, same_y = (np.asarray(image, np.float64) for image in made)
    entropy = lambda logits, real: np.mean(np.log1p(np.exp(np.float64(logits) * (-1 if real else 1))))
    distance = lambda a, b: np.abs(a - b).mean()
    pixel = distance(fake_y, y) + distance(fake_x, x)
    expected = {"discriminators": {}, "generators": {
        "pixel": pixel, "color": 3 * pixel, "cycle": distance(back_x, x) + distance(back_y, y),
        "identity": distance(same_x, x) + distance(same_y, y),
        "tv": sum(np.abs(np.diff(z, axis=axis)).sum() for z in (fake_y, fake_x) for axis in (1, 2))}}
    for judge, logits in judged.items():
        expected["generators"][f"gan_{judge}"] = sum(entropy(one, True) for one in logits[:2])
        expected["discriminators"] |= {f"{judge}_fake": sum(entropy(one, False) for one in logits[:2]),
                                       f"{judge}_real": sum(entropy(one, True) for one in logits[2:])}
    chex.assert_trees_all_close(jax.device_get(terms(batch)), expected, rtol=1e-4)


def test_discriminators_move_first_and_both_generators_at_once():
    method = methods.load("asymmetricgan", SMALL)
    assert {name: player.nets for name, player in method.players.items()} == {
        "discriminators": ("discriminator_plain", "discriminator_guided"), "generators": ("translator", "reconstructor")}
    assert list(method.players) == ["discriminators", "generators"]


@pytest.mark.parametrize("options, players", [
    (dict(discriminators="guided", cycles=1), {
        "discriminators": {"guided_fake", "guided_real"},
        "generators": {"gan_guided", "color", "pixel", "cycle", "identity", "tv"}}),
    (dict(pixel_terms=("color",), identity=False, total_variation=False), {
        "discriminators": {"plain_fake", "plain_real", "guided_fake", "guided_real"},
        "generators": {"gan_plain", "gan_guided", "color", "cycle"}}),
])
def test_switches_take_terms_away(options, players):
    """The first row is the paper's Eq. 9 to 15: one discriminator, one direction; color alone is its Eq. 15."""
    names = core.term_names(methods.load("asymmetricgan", SMALL | options), pictures())
    assert {player: set(terms) for player, terms in names.items()} == players


@pytest.mark.parametrize("option, value", [
    ("cycles", 3), ("discriminators", "none"), ("cycle", "none"), ("cycle", "l2"), ("perceptual", "vgg11"),
    ("second_real", "x"), ("norm", "layer"), ("compute_dtype", "float16"), ("pixel_terms", ("l1",))])
def test_wrong_options(option, value):
    with pytest.raises(InputError, match=f"options.{option}"):
        methods.load("asymmetricgan", {option: value})


def counted(config):
    method = methods.load(config.method, config.options.to_dict() | dict(perceptual="none"))
    batch = {field: jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32) for field in method.fields}
    return {net: sum(x.size for x in jax.tree.leaves(tree)) for net, tree in core.shapes(method, batch).items()}


def test_table_ix():
    """AsymmetricGAN: 11.388M and 0.046M; SymmetricGAN differs by the second generator alone, 22.776M together."""
    small, equal = (counted(asymmetricgan.get_config(name)) for name in ("ntu", "symmetric"))
    assert (small["translator"], small["reconstructor"]) == (11_387_587, 46_447)
    assert equal["translator"] + equal["reconstructor"] == 22_775_174
    assert small | {"reconstructor": 0} == equal | {"reconstructor": 0}
    one, other = (asymmetricgan.get_config(name).to_dict() for name in ("ntu", "symmetric"))
    assert {key for key in one if one[key] != other[key]} == {"options"}
    assert {key for key in one["options"] if one["options"][key] != other["options"][key]} == {"reconstruction_width"}


@pytest.mark.parametrize("variant", ["ntu", "demo"])
def test_variant(variant):
    config = asymmetricgan.get_config(variant).to_dict()
    method = methods.load(config["method"], config["options"] | dict(width=4, reconstruction_width=4, discriminator_width=4))
    batch = {field: jax.ShapeDtypeStruct((2, 64, 64, 3), jnp.uint8) for field in method.fields}
    weights = {player: set(terms) for player, terms in config["weights"].items()}
    assert {player: set(terms) for player, terms in core.term_names(method, batch).items()} == weights
    assert set(config["optimizers"]) == set(method.players)


def test_weights_are_those_of_the_hands():
    config, hands = asymmetricgan.get_config("ntu"), gesturegan.get_config("ntu")
    assert config.weights.generators.to_dict() == hands.weights.generator.to_dict() == dict(
        gan_plain=1.0, gan_guided=1.0, color=800.0, pixel=800.0, cycle=0.1, identity=0.01, perceptual=1000.0, tv=1e-6)
    assert config.data == hands.data
    assert (config.batch_size, config.epochs) == (4, 20)
    assert config.optimizers.generators.learning_rate == 2e-4 and not config.evaluate.published
