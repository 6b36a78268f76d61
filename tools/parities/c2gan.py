"""One whole training step of C2GAN in the reference's order: Gi, Di, Gg, Dg, no guidance gradient into Gi."""

from gganjax import losses, methods, port
from parities import steps
from parities.common import Fixture, Pair
from parities.gesturegan import random_vgg19

IMAGES = {"fake_B": "fake_target", "recovered_A": "back_source", "fake_B_L": "fake_target_guidance",
          "fake_A_L": "back_source_guidance"}
NETS = {"G": "image_generator", "D": "image_discriminator", "G_L": "guidance_generator",
        "D_L": "guidance_discriminator"}


def step(fixture: Fixture) -> list[Pair]:
    """Compares losses, images, gradients, updated weights and batch statistics."""
    given = fixture.arguments
    extended = "exp_extend" in fixture.model
    options = {
        "guidance_grad_to_image_generator": False,
        "adversarial": "vanilla" if given["no_lsgan"] else "least_squares",
        "perceptual": "vgg19" if extended else "none",
        "width": given["ngf"],
        "levels": given["num_downs"],
        "dropout": 0.0 if given["no_dropout"] else 0.5,
        "discriminator_width": given["ndf"],
        "pool_size": 0,
    }
    method = methods.load("c2gan", options)
    # The trees differ in the order of the panels: which of C and D is the target's guidance.
    target, source = ("D", "C") if extended else ("C", "D")
    images = fixture.group("in/")
    batch = {"source": images["A"], "target": images["B"], "target_guidance": images[target],
             "source_guidance": images[source]}
    nets = {}
    for key, name in NETS.items():
        form = port.patch if key[0] == "D" else port.unet
        found = form.describe(fixture.group(f"w/{key}/"))
        depth = {"layers": found["layers"]} if key[0] == "D" else {"levels": found["levels"]}
        nets[key] = steps.Net(name, form.table(**depth, norm_kind=found["norm"]), steps.seen(batch, found["inputs"]))
    weights = {
        "image_generator": {"gan": 1.0, "pixel": given["lambda_recon"], "cycle": given["lambda_cycle"]},
        "image_discriminator": {"fake": 0.5, "real": 0.5},
        "guidance_generator": {"guidance_gan": 1.0, "guidance_cycle": given["lambda_cycle"]},
        "guidance_discriminator": {"fake": 0.5, "real": 0.5},
    }
    frozen = {}
    if extended:
        weights["image_generator"]["perceptual"] = given["lambda_vgg"]
        frozen["perceptual"] = {"params": random_vgg19(fixture.meta["note"])[1], "moving": {}}

    def values(call, batch, images):
        """The reference's adversarial losses, one for each tuple."""
        found = {}

        def judged(net, fake, real):
            """Losses of a fake called fake, of a real one called real, and of the fake called real."""
            fake, real = call(net, fake), call(net, real)
            pairs = ((fake, False), (real, True), (fake, True))
            return [losses.adversarial(logits, label, method.adversarial) for logits, label in pairs]

        for d, kind, way, made in zip(method.judged, ("AC", "BD"), ("A2B", "B2A"), "BA"):
            fake, real = (method.image_tuple(batch, d, candidate) for candidate in (images[d.fake], batch[d.real]))
            names = (f"loss_D_combine_{kind}_fake{made}", f"loss_D_combine_{kind}_real{made}", f"loss_G_GAN_{way}")
            found |= dict(zip(names, judged("image_discriminator", fake, real)))
        for r, number, made in zip(method.readings, (1, 3), "BA"):
            both = (images[r.fake], batch[r.guidance])
            fake, real = (method.guidance_tuple(images[r.shown], guidance) for guidance in both)
            names = (f"loss_pred_combine_fake_{made}_L", f"loss_pred_combine_real_{made}_L", f"loss_G_L_GAN_{number}")
            found |= dict(zip(names, judged("guidance_discriminator", fake, real)))
        return found

    found, terms, pairs = steps.run(fixture, method, nets, batch, weights, frozen=frozen, values=values)
    ours = found | {theirs: found[name] for theirs, name in IMAGES.items()} | engine_values(terms, weights)
    return steps.answers(fixture, ours) + pairs


def engine_values(terms: dict, weights: dict) -> dict:
    """Puts the engine's terms together as the reference's logged losses."""
    weighted = {f"{player}/{term}": weight * terms[f"{player}/{term}"]
                for player, named in weights.items() for term, weight in named.items()}
    values = {
        "loss_G_GAN": weighted["image_generator/gan"],
        "loss_G_L1": weighted["image_generator/pixel"],
        "loss_G_cyc": weighted["image_generator/cycle"],
        "loss_G_VGG": weighted.get("image_generator/perceptual"),
        "loss_G": terms["image_generator/total"],
        "loss_G_L_GAN": weighted["guidance_generator/guidance_gan"],
        "loss_G_L_cyc": weighted["guidance_generator/guidance_cycle"],
        "loss_G_L": terms["guidance_generator/total"],
    }
    for net, player in (("D", "image_discriminator"), ("D_L", "guidance_discriminator")):
        values |= {f"loss_{net}_{kind}": weighted[f"{player}/{kind}"] for kind in ("real", "fake")}
        values[f"loss_{net}"] = terms[f"{player}/total"]
    return values
