"""Networks of StarGAN and unpaired AsymmetricGAN, and one whole training step of each through the engine."""

import jax
import numpy as np

from gganjax import methods, port
from gganjax.layers import Mode
from gganjax.nets.stargan import DomainDiscriminator, PlainGenerator, StarGANGenerator
from parities import steps
from parities.common import Fixture, Pair

# The reference's names of the losses -> ours.
LOGGED = {
    "D_loss_real": "discriminator/real",
    "D_loss_fake": "discriminator/fake",
    "D_loss_cls": "discriminator/domain",
    "D_loss_gp": "discriminator/penalty",
    "G_loss_fake": "generator/gan",
    "G_loss_rec": "generator/cycle",
    "G_loss_cls": "generator/domain",
}
# The translating generator's gradients, through updated discriminator, generator and the way back. Those recorded of
# StarGAN are 4.2e-5 from the same steps in float64, ours 3.2e-5; of AsymmetricGAN's Gr 2.1e-5, of its Gt 3.4e-5 but for one
# channel of block 3, where an activation lies within rounding of a ReLU's kink on the same side in both.
ROUNDED = (1e-4, "the recorded float32 gradients are themselves up to 4.2e-5 from the same step in float64")


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


def step(fixture: Fixture) -> list[Pair]:
    """Compares one training step of StarGAN; target labels and interpolation coefficients are the recorded ones."""
    given = fixture.arguments
    options = {
        "domains": [f"domain {i}" for i in range(given["c_dim"])],
        "classification": "attributes" if given["dataset"] == "CelebA" else "softmax",
        "width": given["g_conv_dim"],
        "blocks": given["g_repeat_num"],
    }
    options |= discriminator_options(given)
    method = methods.load("stargan", options)
    weights = {
        "discriminator": critic_weights(given),
        "generator": {"gan": 1.0, "domain": given["lambda_cls"], "cycle": given["lambda_rec"]},
    }
    batch = recorded_draws(fixture, method)
    nets = {"G": generator_net("generator", batch, given), "D": discriminator_net("discriminator", batch, given)}
    _, terms, pairs = steps.run(fixture, method, nets, batch, weights, exceptions={"G": ROUNDED})
    return steps.answers(fixture, {name: terms[term] for name, term in LOGGED.items()}) + pairs


def discriminator_options(given: dict) -> dict:
    """Translates what the reference is told of its discriminator, and hands the target labels over in the batch."""
    return {
        "target_labels": "given",
        "n_critic": given["n_critic"],
        "discriminator_width": given["d_conv_dim"],
        "discriminator_layers": given["d_repeat_num"],
    }


def critic_weights(given: dict) -> dict:
    """Translates the weights of the discriminator's terms."""
    return {"real": 1.0, "fake": 1.0, "domain": given["lambda_cls"], "penalty": given["lambda_gp"]}


def recorded_draws(fixture: Fixture, method) -> dict:
    """Returns the batch with its recorded permutation of labels, and gives the method the recorded coefficients."""
    given = fixture.group("in/")
    method.shares = lambda key, rows: given["alpha"]
    label = given["label_org"]
    label = label if label.ndim == 2 else np.eye(len(method.domains), dtype=np.float32)[label]
    return {"source": given["x"], "source_domain": label, "target_domain": label[given["perm"]]}


def generator_net(name: str, batch: dict, given: dict) -> steps.Net:
    """Describes a generator of the reference."""
    inputs = (batch["source"].shape, batch["source_domain"].shape)
    return steps.Net(name, port.stargan.generator(blocks=given["g_repeat_num"]), inputs)


def discriminator_net(name: str, batch: dict, given: dict) -> steps.Net:
    """Describes the discriminator of the reference."""
    return steps.Net(name, port.stargan.discriminator(layers=given["d_repeat_num"]), (batch["source"].shape,))


def asymmetric_step(fixture: Fixture) -> list[Pair]:
    """Compares one training step of unpaired AsymmetricGAN by its code's recipe: both generators of one size move jointly."""
    given = fixture.arguments
    options = discriminator_options(given) | {
        "domains": [f"domain {i}" for i in range(given["c_dim"])],
        "adversarial": "wasserstein",
        "similarity": "ssim",
        "identity": False,
        "pool_size": 0,
        "update_order": "joint",
        "width": given["g_conv_dim"],
        "blocks": given["g_repeat_num"],
    }
    method = methods.load("asymmetricgan_unpaired", options)
    generators = {"gan": 1.0, "domain": given["lambda_cls"], "cycle": given["lambda_rec"], "similarity": 1.0}
    weights = {"discriminators": critic_weights(given), "generators": generators}
    batch = recorded_draws(fixture, method)
    nets = {
        "G_xy": generator_net("translator", batch, given),
        "G_yx": generator_net("reconstructor", batch, given),
        "D": discriminator_net("discriminator", batch, given),
    }
    _, terms, pairs = steps.run(fixture, method, nets, batch, weights, exceptions={"G_xy": ROUNDED, "G_yx": ROUNDED})
    ours = {name: terms[term.replace("/", "s/")] for name, term in LOGGED.items()}
    ours["G_loss_ssim"] = terms["generators/similarity"] - 1  # the code minimizes the negative similarity
    return steps.answers(fixture, ours) + pairs
