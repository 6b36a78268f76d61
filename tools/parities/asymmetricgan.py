"""One whole training step of paired AsymmetricGAN: losses, images, gradients, updated weights."""

from parities import gesturegan
from parities.common import Fixture, Pair

NETS = {
    "G1": ("translator", 6),
    "G2": ("reconstructor", 6),
    "D1": ("discriminator_plain", 6),
    "D2": ("discriminator_guided", 9),
}
# On one thread the gradients of G1 are 6.6e-6 from the recorded ones, on two, which sum in another order, 8.3e-5.
THREADS = (1e-4, "sums in the order of several threads move these gradients by 8e-5")


def step(fixture: Fixture) -> list[Pair]:
    """Compares one training step: both discriminators, then both generators."""
    options = {"reconstruction_width": fixture.arguments["ngf_r"]}
    return gesturegan.compare(fixture, "asymmetricgan", NETS, "generators", options, exceptions={"G1": THREADS})
