"""One whole training step of paired AsymmetricGAN: losses, images, gradients, updated weights."""

import numpy as np

from gganjax import methods, port
from parities import gesturegan, steps
from parities.common import Fixture, Pair

NETS = {"G1": "translator", "G2": "reconstructor", "D1": "discriminator_plain", "D2": "discriminator_guided"}
CHANNELS = {"G1": 6, "G2": 6, "D1": 6, "D2": 9}
# On one thread the gradients of G1 are 6.6e-6 from the recorded ones, on two, which sum in another order, 8.3e-5.
THREADS = (1e-4, "sums in the order of several threads move these gradients by 8e-5")


def step(fixture: Fixture) -> list[Pair]:
    """Compares one training step: both discriminators, then both generators."""
    given = fixture.arguments
    states = {net: fixture.group(f"w/{net}/") for net in NETS}
    generator, discriminator = port.resnet.describe(states["G1"]), port.patch.describe(states["D1"])
    options = gesturegan.common_options(given, generator, discriminator)
    method = methods.load("asymmetricgan", options | {"reconstruction_width": given["ngf_r"]})
    batch = {gesturegan.FIELDS[name]: image for name, image in fixture.group("in/").items()}
    weights = gesturegan.term_weights(given)
    tables = {
        "G": port.resnet.table(blocks=generator["blocks"], norm_kind=generator["norm"], dropout=generator["dropout"]),
        "D": port.patch.table(layers=discriminator["layers"], norm_kind=discriminator["norm"]),
    }
    nets = {net: steps.Net(ours, tables[net[0]], ((*batch["source"].shape[:3], CHANNELS[net]),)) for net, ours in NETS.items()}
    _, vgg = gesturegan.random_vgg19(fixture.meta["note"])

    def single(call, batch, images):
        return gesturegan.term_by_direction(method, call, batch, images)

    after, terms, images, single = steps.take(
        fixture, method, nets, batch, {"discriminators": weights["discriminators"], "generators": weights["generator"]},
        rate=given["lr"], others={"perceptual": {"params": vgg, "moving": {}}}, more=single)
    terms = {name.replace("generators/", "generator/"): value for name, value in terms.items()}
    ours = {theirs: images[name] for theirs, name in gesturegan.IMAGES.items() if name in images}
    ours |= single | gesturegan.engine_values(terms, weights)
    plain = {name: value for name, value in fixture.group("out/").items() if "/" not in name}
    # A recorded value without counterpart is compared with NaN, which fails.
    return [Pair(name, ours.get(name, np.nan), value) for name, value in plain.items()] + steps.tensors(
        fixture, method, nets, after, exceptions={"G1": THREADS})
