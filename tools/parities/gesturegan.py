"""One whole training step of GestureGAN, driven through the engine: losses, images, gradients, updated weights."""

import re

import numpy as np

from gganjax import features, losses, methods, port
from gganjax.errors import InputError
from gganjax.methods.gesturegan import judged_by
from parities import steps
from parities.common import Fixture, Pair

NETS = {"G": ("generator", 6), "D1": ("discriminator_plain", 6), "D2": ("discriminator_guided", 9)}
FIELDS = {"A": "source", "B": "target", "C": "source_guidance", "D": "target_guidance"}
IMAGES = {
    "fake_B": "fake_target",
    "recovery_A": "back_source",
    "identity_A": "same_source",
    "fake_A": "fake_source",
    "recovery_B": "back_target",
    "identity_B": "same_target",
}
# Gradients through the generator and VGG19 jump where one of a million activations lies within rounding of a ReLU's
# kink. In the recorded two-cycle step one does, at 7e-7 in relu1_1: the whole difference is a multiple of that one
# activation's derivative (cosine 0.99997), and the same step in float64 agrees with ours to 2e-6.
KINK = 5e-3
KINK_REASON = "one activation within rounding of a ReLU's kink moves the gradient by as much"


def random_vgg19(note: str) -> tuple[features.VGG, dict]:
    """Returns VGG19 and the parameters that a fixture's note describes as drawn from a seed, instead of holding them."""
    seed = re.search(r"RandomState\((\d+)\)", note)
    if not seed:
        raise InputError("the fixture's note does not tell the seed RandomState(...) of its VGG19")
    random, state = np.random.RandomState(int(seed[1])), {}
    module, table = features.VGG(depth=19), port.vgg.table(19)
    expected = port.shapes(module, (1, 16, 16, 3))
    for entry in table.entries:
        _, layer, part = entry.path.split("/")
        shape = expected["params"][layer][part].shape
        if part == "kernel":
            height, width, inputs, outputs = shape
            drawn = random.standard_normal((outputs, inputs, height, width)) * np.sqrt(2 / (inputs * height * width))
        else:
            drawn = random.standard_normal(shape) * 0.01
        state[entry.key] = drawn.astype(np.float32)
    return module, port.to_flax(table, state, expected)["params"]


def step(fixture: Fixture) -> list[Pair]:
    """Compares one training step in the reference's order: both discriminators, then the generator."""
    options = {"cycles": 2 if "TwoCycle" in fixture.model else 1, "update_order": "discriminators_first"}
    return compare(fixture, "gesturegan", NETS, "generator", options, exceptions={"G": (KINK, KINK_REASON)})


def compare(fixture: Fixture, name: str, nets: dict, player: str, options: dict, *,
            exceptions: dict | None = None) -> list[Pair]:
    """Compares losses, images, gradients and updated weights of a method that has GestureGAN's losses.

    Args:
      fixture: the recorded step.
      name: of the method.
      nets: our name and the number of channels seen, by recorded name, a generator first.
      player: that moves the generators.
      options: of the method, beside those that can be read off the fixture.
      exceptions: as in `steps.run`.
    """
    given, states = fixture.arguments, {net: fixture.group(f"w/{net}/") for net in nets}
    generator, discriminator = port.resnet.describe(states[next(iter(nets))]), port.patch.describe(states["D1"])
    tables = {
        "G": port.resnet.table(blocks=generator["blocks"], norm_kind=generator["norm"], dropout=generator["dropout"]),
        "D": port.patch.table(layers=discriminator["layers"], norm_kind=discriminator["norm"]),
    }
    method = methods.load(name, common_options(given, generator, discriminator) | options)
    batch = {FIELDS[field]: image for field, image in fixture.group("in/").items()}
    weights = term_weights(given, player)
    nets = {net: steps.Net(ours, tables[net[0]], steps.seen(batch, count)) for net, (ours, count) in nets.items()}
    frozen = {"perceptual": {"params": random_vgg19(fixture.meta["note"])[1], "moving": {}}}

    def values(call, batch, images):
        return term_by_direction(method, call, batch, images)

    found, terms, pairs = steps.run(
        fixture, method, nets, batch, weights, frozen=frozen, values=values, exceptions=exceptions)
    ours = found | {theirs: found[name] for theirs, name in IMAGES.items() if name in found}
    return steps.answers(fixture, ours | engine_values(terms, weights, player)) + pairs


def common_options(given: dict, generator: dict, discriminator: dict) -> dict:
    """Returns the options that paired AsymmetricGAN shares, from the arguments and the networks' descriptions."""
    return {
        "width": given["ngf"],
        "blocks": generator["blocks"],
        "dropout": 0.0 if given["no_dropout"] else 0.5,
        "discriminator_width": given["ndf"],
        "discriminator_layers": discriminator["layers"],
        "norm": generator["norm"],
        "perceptual": "vgg19",
        "second_real": "reference",
    }


def term_weights(given: dict, player: str) -> dict:
    """Translates the reference's weights; `player` moves the generators, and both discriminators' losses are halved."""
    generator = {
        "gan_plain": 1.0,
        "gan_guided": 1.0,
        "color": given["lambda_L1"],
        "pixel": given["lambda_L1"],
        "cycle": given["cyc_L1"],
        "identity": given["lambda_identity"],
        "perceptual": given["lambda_feat"],
        "tv": given["tv"],
    }
    halves = {f"{judge}_{kind}": 0.5 for judge in ("plain", "guided") for kind in ("fake", "real")}
    return {player: generator, "discriminators": halves}


def engine_values(terms: dict, weights: dict, player: str) -> dict:
    """Puts the engine's terms together as the reference's logged losses."""
    generator = {term: weight * terms[f"{player}/{term}"] for term, weight in weights[player].items()}
    return {
        "loss_D1": (terms["discriminators/plain_fake"] + terms["discriminators/plain_real"]) / 2,
        "loss_D2": (terms["discriminators/guided_fake"] + terms["discriminators/guided_real"]) / 2,
        "loss_G_GAN_D1": generator["gan_plain"],
        "loss_G_GAN_D2": generator["gan_guided"],
        "loss_G_L1": sum(generator[term] for term in ("color", "pixel", "cycle", "identity")),
        "loss_G_VGG": generator["perceptual"],
        "loss_reg": generator["tv"],
        "loss_G": terms[f"{player}/total"],
    }


def term_by_direction(method, call, batch: dict, images: dict) -> dict:
    """Computes the unweighted losses of each direction by itself, at the parameters from before the step."""
    directions = list(zip("BA", method.objective.directions))
    fakes = [(d, images[d.fake]) for d in method.objective.directions]
    reals = [(d, batch[d.target]) for d in method.objective.directions]
    judged = judged_by(method.objective.judges, call, batch, fakes + reals)
    values = {}
    for made, d in directions:
        source = "A" if made == "B" else "B"
        target = batch[d.target]
        values |= {
            f"term_L1_{made}": losses.pixel(images[d.fake], target),
            f"term_color_{made}": losses.color(images[d.fake], target),
            f"term_cyc_{source}": losses.pixel(images[d.back], batch[d.source]),
            f"term_id_{source}": losses.pixel(images[d.same], batch[d.source]),
            f"term_vgg_{made}": losses.perceptual(call("perceptual", images[d.fake]), call("perceptual", target)),
        }
    for net, judge, guidance in (("D1", "plain", ("", "")), ("D2", "guided", ("_realD", "_realC"))):
        for i, (made, _) in enumerate(directions):
            seen = f"loss_{net}_real{'AB'[i]}{guidance[i]}"
            fake = losses.adversarial(judged[judge][i], False)
            real = losses.adversarial(judged[judge][len(directions) + i], True)
            values |= {f"{seen}_fake{made}": fake, f"{seen}_real{made}": real}
            if len(directions) == 1:  # logged under shorter names
                values |= {f"loss_{net}_fake": fake, f"loss_{net}_real": real}
    return values
