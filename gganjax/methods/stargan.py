"""StarGAN: one generator and one discriminator for many domains (Choi et al. 2018).

The generator G takes an image and the label of a domain: y' = G(x, z_y), x'' = G(y', z_x). The discriminator judges
patches of an image and classifies its domain. In the code x is `source`, [B, H, W, 3] in [-1, 1], z_x and z_y are
`source_domain` and the target label, [B, M] of 0 and 1. A baseline of AsymmetricGAN, which calls it full sharing.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from gganjax import losses, multidomain
from gganjax.core import Field, Player
from gganjax.errors import InputError, check_choices
from gganjax.nets.stargan import DomainDiscriminator, StarGANGenerator

CHOICES = {
    "classification": ("softmax", "attributes"),
    "target_labels": multidomain.TARGETS,
    "compute_dtype": ("float32", "bfloat16"),
}


class StarGAN:
    """The method; see `build` for its options."""

    name = "stargan"
    inputs = ("source", "target_domain")
    frozen: dict = {}
    pools: dict[str, int] = {}

    def __init__(self, *, domains, exclusive, classification, target_labels, n_critic, generator, discriminator):
        self.domains = tuple(domains)
        self.exclusive = self.domains if classification == "softmax" else tuple(exclusive)
        self.classification, self.target_labels = classification, target_labels
        label = Field(("B", len(self.domains)), 0.0, 1.0)
        self.fields = {"source": Field(("B", "H", "W", 3)), "source_domain": label, "target_domain": label}
        self.nets = {"generator": generator, "discriminator": discriminator}
        self.stride = max(generator.stride, 2**discriminator.layers)
        self.players = {
            "discriminator": Player(("discriminator",), self.discriminator_loss),
            "generator": Player(("generator",), self.generator_loss, every=n_critic),
        }

    def rollout(self, key, call, batch):
        """Target labels, the translation y' and the way back x''."""
        target = multidomain.targets(key, batch, self.target_labels)
        fake = call("generator", batch["source"], target)
        return {"target_domain": target, "fake_target": fake,
                "back_source": call("generator", fake, batch["source_domain"])}

    def shares(self, key, rows):
        """How much of the real image is in each point where the discriminator's slope is charged: [rows, 1, 1, 1]."""
        return jax.random.uniform(key, (rows, 1, 1, 1))

    def discriminator_loss(self, key, call, batch, out):
        """Wasserstein critic with gradient penalty, and the domains of real images (StarGAN Eq. 2, 5 and 8)."""
        return discriminator_terms(
            call, "discriminator", batch["source"], out["fake_target"], batch["source_domain"],
            shares=self.shares(key, len(batch["source"])), classification=self.classification)

    def generator_loss(self, key, call, batch, out):
        """Wasserstein, domain of the translation, and L1 of the way back (StarGAN Eq. 3, 4 and 6)."""
        terms = translation_terms(call, "discriminator", out["fake_target"], out["target_domain"],
                                  classification=self.classification)
        return terms | {"cycle": losses.pixel(out["back_source"], batch["source"])}

    def sample(self, key, call, batch):
        """The source in the domain of "target_domain": {"fake_target": [B, H, W, 3]}."""
        return {"fake_target": call("generator", batch["source"], batch["target_domain"])}

    def overview(self, key, call, batch):
        """The source in every domain, {"to <name>": [B, H, W, 3]}; attributes need "source_domain", too."""
        return multidomain.overview(lambda x, label: call("generator", x, label), batch, self.domains, self.exclusive)

    def panels(self, batch, out):
        """Columns of the picture grid, of what `sample` or `overview` returned."""
        return multidomain.panels(batch, out)


def discriminator_terms(call, net: str, real, fake, label, *, shares, adversarial="wasserstein",
                        classification="softmax") -> dict:
    """Terms of one discriminator: "real", "fake", "domain", and "penalty" where it is a Wasserstein critic.

    Args:
      call: runs networks.
      net: name of the discriminator.
      real, fake: images [B, H, W, 3].
      label: domains of the real ones, [B, M].
      shares: of the real image in each point where the slope is charged, [B, 1, 1, 1].
      adversarial, classification: kinds of `losses.adversarial` and `losses.domain_classification`.
    """
    fake = jax.lax.stop_gradient(fake)
    (judged_real, classes), (judged_fake, _) = call.together(net, (real,), (fake,))
    terms = {"real": losses.adversarial(judged_real, True, adversarial),
             "fake": losses.adversarial(judged_fake, False, adversarial),
             "domain": losses.domain_classification(classes, label, classification)}
    if adversarial == "wasserstein":
        terms["penalty"] = losses.gradient_penalty(lambda x: call(net, x, keep=False)[0], real, fake, shares)
    return terms


def translation_terms(call, net: str, fake, label, *, adversarial="wasserstein", classification="softmax") -> dict:
    """Terms of translations [B, H, W, 3] to the domains `label` [B, M] before one discriminator: "gan" and "domain"."""
    judged, classes = call(net, fake)
    return {"gan": losses.adversarial(judged, True, adversarial),
            "domain": losses.domain_classification(classes, label, classification)}


CELEBA = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")


def build(*, domains: Sequence[str] = CELEBA, exclusive: Sequence[str] = (), classification: str = "attributes",
          target_labels: str = "permuted", n_critic: int = 5, width: int = 64, blocks: int = 6,
          discriminator_width: int = 64, discriminator_layers: int = 6, compute_dtype: str = "float32") -> StarGAN:
    """Builds StarGAN; the defaults are those of its public implementation.

    Args:
      domains: names of the domains or attributes, in the order of the labels.
      exclusive: attributes of which an image has one at a time; only for the overview, which then sets one alone.
      classification: "softmax" for domains that exclude each other, "attributes" for several at a time.
      target_labels: "permuted", those of the batch in another order, or "given" by the batch (for batches of one).
      n_critic: the generator moves on every n-th step.
      width, blocks: of the generator.
      discriminator_width, discriminator_layers: of the discriminator, for squares of multiples of 2^layers pixels.
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, classification=classification, target_labels=target_labels, compute_dtype=compute_dtype)
    multidomain.check(domains, exclusive, classification)
    if n_critic < 1:
        raise InputError(f"options.n_critic must be at least 1, found {n_critic}.")
    dtype = jnp.dtype(compute_dtype)
    return StarGAN(domains=domains, exclusive=exclusive, classification=classification, target_labels=target_labels,
                   n_critic=n_critic, generator=StarGANGenerator(width, blocks, dtype=dtype),
                   discriminator=DomainDiscriminator(len(domains), discriminator_width, discriminator_layers, dtype))
