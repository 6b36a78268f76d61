"""One whole training step of paired AsymmetricGAN: losses, images, gradients, updated weights."""

from parities import gesturegan
from parities.common import Fixture, Pair

NETS = {
    "G1": ("translator", 6),
    "G2": ("reconstructor", 6),
    "D1": ("discriminator_plain", 6),
    "D2": ("discriminator_guided", 9),
}


def step(fixture: Fixture) -> list[Pair]:
    """Compares one training step: both discriminators, then both generators."""
    options = {"reconstruction_width": fixture.arguments["ngf_r"]}
    return gesturegan.compare(fixture, "asymmetricgan", NETS, "generators", options)
