"""Single networks: recorded weights and input, outputs with the statistics of the batch and with the running ones."""

import jax

from gganjax import port
from gganjax.layers import Mode
from gganjax.nets.patch import PatchDiscriminator, PixelDiscriminator
from gganjax.nets.resnet import ResNetGenerator
from gganjax.nets.unet import UNetGenerator
from parities.common import Fixture, Pair


def norm_kind(fixture: Fixture) -> str:
    """Reads the kind of norm off the arguments, or off the description where the arguments do not tell."""
    text = str(fixture.arguments.get("norm", fixture.model)).lower()
    return "batch" if "batch" in text else "instance"


def resnet_generator(fixture: Fixture) -> list[Pair]:
    """Compares a residual generator."""
    given, norm = fixture.arguments, norm_kind(fixture)
    module = ResNetGenerator(outputs=given["output_nc"], width=given["ngf"], blocks=given["n_blocks"], norm=norm)
    table = port.resnet.table(blocks=given["n_blocks"], norm_kind=norm, dropout=given["use_dropout"])
    return outputs(fixture, module, table)


def patch_discriminator(fixture: Fixture) -> list[Pair]:
    """Compares a PatchGAN; ours returns logits, the recorded one may end in a sigmoid."""
    given, norm = fixture.arguments, norm_kind(fixture)
    module = PatchDiscriminator(width=given["ndf"], layers=given["n_layers"], norm=norm)
    table = port.patch.table(layers=given["n_layers"], norm_kind=norm)
    return outputs(fixture, module, table, head=jax.nn.sigmoid if given["use_sigmoid"] else None)


def pixel_discriminator(fixture: Fixture) -> list[Pair]:
    """Compares a 1x1 discriminator; the recorded one may end in a sigmoid."""
    given, norm = fixture.arguments, norm_kind(fixture)
    head = jax.nn.sigmoid if given["use_sigmoid"] else None
    return outputs(fixture, PixelDiscriminator(width=given["ndf"], norm=norm), port.patch.pixel_table(norm_kind=norm), head=head)


def unet_generator(fixture: Fixture) -> list[Pair]:
    """Compares a U-Net."""
    given, norm = fixture.arguments, norm_kind(fixture)
    module = UNetGenerator(outputs=given["output_nc"], width=given["ngf"], levels=given["num_downs"], norm=norm)
    return outputs(fixture, module, port.unet.table(levels=given["num_downs"], norm_kind=norm))


def outputs(fixture: Fixture, module, table, *, head=None) -> list[Pair]:
    """Runs a network in both modes, dropout off, and pairs its outputs with the recorded ones."""
    (x,) = fixture.group("in/").values()
    variables = port.to_flax(table, fixture.group("w/"), port.shapes(module, x.shape))

    def run(variables, norm):
        y = module.apply(variables, x, Mode(norm=norm, dropout=False, keep=False))
        return y if head is None else head(y)

    # One compilation for both modes: compiling takes longer than running.
    batch, running = jax.jit(lambda v: (run(v, "batch"), run(v, "running")))(variables)
    return [Pair(name, running if "eval" in name else batch, recorded) for name, recorded in fixture.group("out/").items()]
