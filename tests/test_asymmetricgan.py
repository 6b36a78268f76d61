"""Paired AsymmetricGAN: its losses by hand, which generator makes what, its switches and every variant."""

import chex
import numpy as np
import pytest
from tiny import adversarial, begun, count, distance, judged, network, shrunk

from experiments import asymmetricgan, gesturegan
from gganjax import core, methods
from gganjax.errors import InputError

SMALL = dict(width=4, reconstruction_width=3, blocks=1, dropout=0.0, discriminator_width=4, discriminator_layers=1,
             perceptual="none")


def pictures(rows=2, size=16):
    random = np.random.default_rng(0)
    names = ("source", "target", "source_guidance", "target_guidance")
    return {name: random.uniform(-1, 1, (rows, size, size, 3)).astype(np.float32) for name in names}


def test_terms_by_hand():
    """Translations and identities are Gt's, the ways back Gr's; all terms in both directions."""
    method, batch = shrunk(methods.load("asymmetricgan", SMALL)), pictures(size=8)
    _, state = begun(method, batch)
    apply = network(method, state)
    x, y, c, d = (batch[name] for name in ("source", "target", "source_guidance", "target_guidance"))
    fake_y, fake_x = apply("translator", x, d), apply("translator", y, c)
    back_x, back_y = apply("reconstructor", fake_y, c), apply("reconstructor", fake_x, d)
    same_x, same_y = apply("translator", x, c), apply("translator", y, d)
    logits = {
        "plain": [apply("discriminator_plain", *pair) for pair in ((x, fake_y), (y, fake_x), (x, y), (y, x))],
        "guided": [apply("discriminator_guided", *three)
                   for three in ((x, d, fake_y), (y, c, fake_x), (x, d, y), (y, c, x))],
    }
    pixel = distance(fake_y, y) + distance(fake_x, x)
    expected = {
        "generators/pixel": pixel,
        "generators/color": 3 * pixel,
        "generators/cycle": distance(back_x, x) + distance(back_y, y),
        "generators/identity": distance(same_x, x) + distance(same_y, y),
        "generators/tv": sum(np.abs(np.diff(np.float64(z), axis=axis)).sum() for z in (fake_y, fake_x) for axis in (1, 2)),
    }
    for judge, seen in logits.items():
        expected[f"generators/gan_{judge}"] = sum(adversarial(one, True) for one in seen[:2])
        expected[f"discriminators/{judge}_fake"] = sum(adversarial(one, False) for one in seen[:2])
        expected[f"discriminators/{judge}_real"] = sum(adversarial(one, True) for one in seen[2:])
    chex.assert_trees_all_close(judged(method, state, batch)[0], expected, rtol=1e-4)


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
    nets = methods.load(config.method, config.options.to_dict() | dict(perceptual="none")).nets
    return {net: count(module, (1, 64, 64, 9 if net == "discriminator_guided" else 6)) for net, module in nets.items()}


def test_table_ix():
    """AsymmetricGAN: 11.388M and 0.046M; SymmetricGAN differs by the second generator alone, 22.776M together."""
    small, equal = (counted(asymmetricgan.get_config(name)) for name in ("ntu", "symmetric"))
    assert (small["translator"], small["reconstructor"]) == (11_387_587, 46_447)
    assert equal["translator"] + equal["reconstructor"] == 22_775_174
    assert small | {"reconstructor": 0} == equal | {"reconstructor": 0}
    one, other = (asymmetricgan.get_config(name).to_dict() for name in ("ntu", "symmetric"))
    assert {key for key in one if one[key] != other[key]} == {"options"}
    assert {key for key in one["options"] if one["options"][key] != other["options"][key]} == {"reconstruction_width"}


def test_weights_are_those_of_the_hands():
    config, hands = asymmetricgan.get_config("ntu"), gesturegan.get_config("ntu")
    assert config.weights.generators.to_dict() == hands.weights.generator.to_dict() == dict(
        gan_plain=1.0, gan_guided=1.0, color=800.0, pixel=800.0, cycle=0.1, identity=0.01, perceptual=1000.0, tv=1e-6)
    assert config.data == hands.data
    assert (config.batch_size, config.epochs) == (4, 20)
    assert config.optimizers.generators.learning_rate == 2e-4 and not config.evaluate.published
