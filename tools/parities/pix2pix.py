"""One whole training step of Pix2pix: the discriminator, then the generator judged by it as updated."""

from gganjax import methods, port
from parities import steps
from parities.common import Fixture, Pair


def step(fixture: Fixture) -> list[Pair]:
    """Compares losses, translation, gradients and updated weights."""
    given = fixture.arguments
    generator = port.unet.describe(fixture.group("w/G/"))
    discriminator = port.patch.describe(fixture.group("w/D/"))
    options = {
        "generator": "unet256",
        "levels": generator["levels"],
        "width": given["ngf"],
        "dropout": 0.0 if given["no_dropout"] else 0.5,
        "discriminator_width": given["ndf"],
        "discriminator_layers": given["n_layers_D"],
        "norm": given["norm"],
        "adversarial": given["gan_mode"],
        "pool_size": 0,
    }
    made = port.unet.table(levels=generator["levels"], norm_kind=given["norm"])
    judge = port.patch.table(layers=discriminator["layers"], norm_kind=given["norm"])
    weights = {"discriminator": {"fake": 0.5, "real": 0.5}, "generator": {"gan": 1.0, "pixel": given["lambda_L1"]}}
    batch = {"source": fixture.group("in/")["A"], "target": fixture.group("in/")["B"]}
    nets = {
        "G": steps.Net("generator", made, steps.seen(batch, generator["inputs"])),
        "D": steps.Net("discriminator", judge, steps.seen(batch, discriminator["inputs"])),
    }
    found, terms, pairs = steps.run(fixture, methods.load("pix2pix", options), nets, batch, weights)
    ours = {
        "fake_B": found["fake_target"],
        "loss_D_fake": terms["discriminator/fake"],
        "loss_D_real": terms["discriminator/real"],
        "loss_D": terms["discriminator/total"],
        "loss_G_GAN": terms["generator/gan"],
        "loss_G_L1": given["lambda_L1"] * terms["generator/pixel"],
        "loss_G": terms["generator/total"],
    }
    return steps.answers(fixture, ours) + pairs
