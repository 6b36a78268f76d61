"""One whole training step of CycleGAN: both generators, then both discriminators."""

from gganjax import losses, methods, port
from parities import steps
from parities.common import Fixture, Pair

IMAGES = {"fake_B": "fake_target", "rec_A": "back_source", "fake_A": "fake_source", "rec_B": "back_target"}


def step(fixture: Fixture) -> list[Pair]:
    """Compares losses, images, gradients and updated weights; A is the source, B the target."""
    given = fixture.arguments
    generator = port.resnet.describe(fixture.group("w/G_A/"))
    options = {
        "adversarial": {"lsgan": "least_squares"}.get(given["gan_mode"], given["gan_mode"]),
        "pool_size": 0,
        "width": given["ngf"],
        "blocks": generator["blocks"],
        "dropout": 0.0 if given["no_dropout"] else 0.5,
        "discriminator_width": given["ndf"],
        "discriminator_layers": given["n_layers_D"],
        "norm": given["norm"],
    }
    method = methods.load("cyclegan", options)
    made = port.resnet.table(blocks=generator["blocks"], norm_kind=given["norm"], dropout=generator["dropout"])
    judge = port.patch.table(layers=given["n_layers_D"], norm_kind=given["norm"])
    batch = {"source": fixture.group("in/")["A"], "target": fixture.group("in/")["B"]}
    of_source, of_target = (steps.seen(batch, given[name]) for name in ("input_nc", "output_nc"))
    nets = {
        "G_A": steps.Net("to_target", made, of_source),
        "G_B": steps.Net("to_source", made, of_target),
        "D_A": steps.Net("discriminator_target", judge, of_target),
        "D_B": steps.Net("discriminator_source", judge, of_source),
    }
    cycle, identity = given["lambda_A"], given["lambda_identity"] * given["lambda_A"]  # both directions weigh the same
    weights = {
        "generators": {"gan": 1.0, "cycle": cycle, "identity": identity},
        "discriminators": {"fake": 0.5, "real": 0.5},
    }

    def values(call, batch, images):
        """The reference's losses, one for each direction."""
        found = {}
        for name, domain, other in (("A", "target", "source"), ("B", "source", "target")):
            fake, real = (call(f"discriminator_{domain}", x) for x in (images[f"fake_{domain}"], batch[domain]))
            wrong, right, fooled = (losses.adversarial(logits, label, method.adversarial)
                                    for logits, label in ((fake, False), (real, True), (fake, True)))
            found |= {
                f"loss_idt_{name}": identity * losses.pixel(images[f"same_{domain}"], batch[domain]),
                f"loss_G_{name}": fooled,
                f"loss_cycle_{name}": cycle * losses.pixel(images[f"back_{other}"], batch[other]),
                f"loss_D_{name}": (wrong + right) / 2,
            }
        return found

    found, terms, pairs = steps.run(fixture, method, nets, batch, weights, values=values)
    ours = found | {theirs: found[name] for theirs, name in IMAGES.items()} | {"loss_G": terms["generators/total"]}
    # The engine's terms are the sums of the same losses.
    sums = {"gan": "loss_G", "cycle": "loss_cycle", "identity": "loss_idt"}
    engine = [Pair(f"engine/{term}", weights["generators"][term] * terms[f"generators/{term}"],
                   sum(fixture.group("out/")[f"{name}_{d}"] for d in "AB")) for term, name in sums.items()]
    both = Pair("engine/discriminators", terms["discriminators/total"],
                fixture.group("out/")["loss_D_A"] + fixture.group("out/")["loss_D_B"])
    return steps.answers(fixture, ours) + [*engine, both] + pairs
