"""Networks of StarGAN and unpaired AsymmetricGAN, and one whole training step of each through the engine."""

import jax

from gganjax import port
from gganjax.layers import Mode
from gganjax.nets.stargan import DomainDiscriminator, PlainGenerator, StarGANGenerator
from parities.common import Fixture, Pair


def generator(fixture: Fixture) -> list[Pair]:
    """Compares a generator of any architecture, which is read off its keys."""
    state = fixture.group("w/")
    found = port.stargan.describe_generator(state)
    if found["architecture"] == 1:
        module, table = PlainGenerator(), port.stargan.plain_generator()
    else:
        module = StarGANGenerator(found["width"], found["blocks"])
        table = port.stargan.generator(blocks=found["blocks"])
    given = fixture.group("in/")
    variables = port.to_flax(table, state, port.shapes(module, given["x"].shape, given["c"].shape))

    def run(variables, norm):
        return module.apply(variables, given["x"], given["c"], Mode(norm=norm, keep=False))

    batch, running = jax.jit(lambda v: (run(v, "batch"), run(v, "running")))(variables)
    return [Pair(name, running if "eval" in name else batch, recorded) for name, recorded in fixture.group("out/").items()]


def discriminator(fixture: Fixture) -> list[Pair]:
    """Compares the patch and class logits of the discriminator."""
    state, (x,) = fixture.group("w/"), fixture.group("in/").values()
    found = port.stargan.describe_discriminator(state)
    module = DomainDiscriminator(found["domains"], found["width"], found["layers"])
    variables = port.to_flax(port.stargan.discriminator(layers=found["layers"]), state, port.shapes(module, x.shape))
    patches, classes = jax.jit(module.apply)(variables, x)
    ours = {"src": patches, "cls": classes}
    return [Pair(name, ours[name], recorded) for name, recorded in fixture.group("out/").items()]
