"""One whole training step of GestureGAN, driven through the engine: losses, images, gradients, updated weights."""

import re
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from gganjax import core, features, losses, methods, port
from gganjax.errors import InputError
from gganjax.methods.gesturegan import judged_by
from gganjax.step import train_step
from parities.common import Fixture, Pair

NETS = {"G": "generator", "D1": "discriminator_plain", "D2": "discriminator_guided"}
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


class Recorded(NamedTuple):
    """State of `record`: the gradients of the last update."""

    gradients: Any


def record() -> optax.GradientTransformation:
    """Returns an optimizer stage that passes gradients on and remembers them."""
    return optax.GradientTransformation(
        lambda params: Recorded(jax.tree.map(jnp.zeros_like, params)),
        lambda gradients, state, params=None: (gradients, Recorded(gradients)),
    )


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
    given = fixture.arguments
    states = {net: fixture.group(f"w/{net}/") for net in NETS}
    generator, discriminator = port.resnet.describe(states["G"]), port.patch.describe(states["D1"])
    tables = {
        "G": port.resnet.table(blocks=generator["blocks"], norm_kind=generator["norm"], dropout=generator["dropout"]),
        "D1": port.patch.table(layers=discriminator["layers"], norm_kind=discriminator["norm"]),
        "D2": port.patch.table(layers=discriminator["layers"], norm_kind=discriminator["norm"]),
    }
    options = common_options(given, generator, discriminator) | {
        "cycles": 2 if "TwoCycle" in fixture.model else 1,
        "update_order": "discriminators_first",
    }
    method = methods.load("gesturegan", options)
    batch = {FIELDS[name]: image for name, image in fixture.group("in/").items()}
    weights = term_weights(given)
    adam = optax.chain(record(), optax.adam(given["lr"], *given["betas"], eps=1e-8))
    optimizers = {player: adam for player in method.players}
    state = first_state(method, optimizers, variables(fixture, method, tables, states, batch))

    # Compiling is nearly all of the time, and a third of it is spent on speed that one step does not need.
    @partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def run(state, batch):
        after, terms = train_step(method, optimizers, weights, state, batch, acting=tuple(method.players))
        call = core.Call(method, state.params, state.moving)
        images = method.rollout(jax.random.key(0), call, batch)
        return after, terms, images, term_by_direction(method, call, batch, images)

    after, terms, images, single = run(state, batch)
    ours = {theirs: images[name] for theirs, name in IMAGES.items() if name in images}
    ours |= single | engine_values(terms, weights)
    recorded = fixture.group("out/")
    plain = {name: value for name, value in recorded.items() if "/" not in name}
    # A recorded value without counterpart is compared with NaN, which fails.
    return [Pair(name, ours.get(name, np.nan), value) for name, value in plain.items()] + tensors(fixture, tables, after)


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


def term_weights(given: dict) -> dict:
    """Translates the reference's weights to ours; it halves both discriminators' losses."""
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
    return {"generator": generator, "discriminators": halves}


def variables(fixture: Fixture, method, tables: dict, states: dict, batch: dict) -> dict:
    """Converts the recorded networks, and adds the perceptual one: {network: variables}."""
    images = batch["source"].shape
    channels = {"G": 6, "D1": 6, "D2": 9}
    found = {
        NETS[net]: port.to_flax(tables[net], states[net], port.shapes(method.nets[NETS[net]], (*images[:3], channels[net])))
        for net in NETS
    }
    _, params = random_vgg19(fixture.meta["note"])
    return found | {"perceptual": {"params": params, "moving": {}}}


def first_state(method, optimizers: dict, variables: dict) -> core.State:
    """Builds the engine's state before its first step from given variables."""
    params = {net: jax.tree.map(jnp.asarray, tree["params"]) for net, tree in variables.items()}
    moving = {net: jax.tree.map(jnp.asarray, tree["moving"]) for net, tree in variables.items() if tree["moving"]}
    opt = {name: optimizers[name].init({net: params[net] for net in player.nets}) for name, player in method.players.items()}
    return core.State(jnp.zeros((), jnp.int32), jax.random.key_data(jax.random.key(0)), params, moving, opt, {}, {})


def engine_values(terms: dict, weights: dict) -> dict:
    """Puts the engine's terms together as the reference's logged losses."""
    generator = {term: weight * terms[f"generator/{term}"] for term, weight in weights["generator"].items()}
    return {
        "loss_D1": (terms["discriminators/plain_fake"] + terms["discriminators/plain_real"]) / 2,
        "loss_D2": (terms["discriminators/guided_fake"] + terms["discriminators/guided_real"]) / 2,
        "loss_G_GAN_D1": generator["gan_plain"],
        "loss_G_GAN_D2": generator["gan_guided"],
        "loss_G_L1": sum(generator[term] for term in ("color", "pixel", "cycle", "identity")),
        "loss_G_VGG": generator["perceptual"],
        "loss_reg": generator["tv"],
        "loss_G": terms["generator/total"],
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


def tensors(fixture: Fixture, tables: dict, after: core.State) -> list[Pair]:
    """Pairs gradients and updated weights in PyTorch's layout."""
    player = {"G": "generator", "D1": "discriminators", "D2": "discriminators"}
    pairs = []
    for net, name in NETS.items():
        gradients = jax.device_get(after.opt[player[net]][0].gradients[name])
        gradients = port.to_torch(tables[net], {"params": gradients})
        updated = port.to_torch(tables[net], {"params": jax.device_get(after.params[name])})
        recorded, keys = fixture.group(f"out/grad/{net}/"), fixture.group(f"w/{net}/")
        kinked = {"tolerance": KINK, "reason": KINK_REASON} if net == "G" else {}
        for key, value in recorded.items():
            if not feeds_norm(key, keys):
                # A bias gradient is the sum over all positions, where real and fake cancel: its layer sets the scale.
                scale = np.abs(recorded[key.removesuffix("bias") + "weight"]).max() if key.endswith("bias") else 0.0
                pairs.append(Pair(f"grad/{net}/{key}", gradients.get(key, np.nan), value, scale=float(scale), **kinked))
        for key, value in fixture.group(f"out/after/{net}/").items():
            ours = updated.get(key, np.nan)
            if key in recorded:
                # Adam's first step has the size of the rate and the sign of the gradient, which rounding decides near 0.
                ours = np.where(np.abs(recorded[key]) > KINK * np.abs(recorded[key]).max(), ours, value)
            pairs.append(Pair(f"after/{net}/{key}", ours, value))
    return pairs


def feeds_norm(key: str, keys) -> bool:
    """Tells a bias in front of an instance norm without scale: its true gradient is 0, what is recorded is rounding."""
    layer, number, leaf = key.rsplit(".", 2)
    following = f"{layer}.{int(number) + 1}"
    return leaf == "bias" and f"{following}.running_mean" in keys and f"{following}.weight" not in keys
