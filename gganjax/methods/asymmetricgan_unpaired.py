"""AsymmetricGAN, unpaired and multi-domain: one generator translates, another one leads back (Tang et al., Eq. 1 to 8).

y' = Gt(x, z_y), x'' = Gr(y', z_x), and the identity Gr(x, z_x). A discriminator judges patches and classifies the
domain, as StarGAN's. In the code x is `source`, [B, H, W, 3] in [-1, 1], z_x and z_y are `source_domain` and the target
label, [B, M] of 0 and 1. Gt is Architecture III, Gr is III, II or I (settings S3, S2, S1); the two may share nothing, the
encoder with its residual blocks, or everything, which with the released code's losses is StarGAN.

The paper is the default: least squares, MS-SSIM, conditional identity, 50 remembered images, updates of D, Gt and Gr in
turn. Its code has a Wasserstein critic with gradient penalty, SSIM of one scale, no identity, no memory, and moves both
generators at once on every fifth step; options give that. The paper does not tell the form of its double
discriminators: here they are two of one kind that see the same images, and every term is the mean of theirs.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from gganjax import losses, multidomain
from gganjax.core import Field, Player
from gganjax.errors import InputError, check_choices
from gganjax.methods.stargan import discriminator_terms, translation_terms
from gganjax.nets.stargan import Decoder, DomainDiscriminator, Encoder, PlainGenerator, StarGANGenerator

CHOICES = {
    "classification": ("softmax", "attributes"),
    "target_labels": multidomain.TARGETS,
    "sharing": ("none", "partial", "full"),
    "reconstruction_architecture": (1, 2, 3),
    "adversarial": ("least_squares", "wasserstein"),
    "similarity": ("ms_ssim", "ssim", "none"),
    "discriminators": (1, 2),
    "update_order": ("sequential", "joint"),
    "compute_dtype": ("float32", "bfloat16"),
}
# Networks in the order in which an image passes them.
PASSES = {
    "none": {"translation": ("translator",), "reconstruction": ("reconstructor",)},
    "partial": {"translation": ("encoder", "translation_decoder"), "reconstruction": ("encoder", "reconstruction_decoder")},
    "full": {"translation": ("generator",), "reconstruction": ("generator",)},
}


class AsymmetricGANUnpaired:
    """The method; see `build` for its options."""

    name = "asymmetricgan_unpaired"
    inputs = ("source", "target_domain")
    frozen: dict = {}

    def __init__(self, *, domains, exclusive, classification, target_labels, sharing, adversarial, similarity, scales,
                 color_cycle, identity, pool_size, update_order, n_critic, generators, discriminators):
        self.domains = tuple(domains)
        self.exclusive = self.domains if classification == "softmax" else tuple(exclusive)
        self.kinds = {"adversarial": adversarial, "classification": classification}
        self.target_labels, self.passes = target_labels, PASSES[sharing]
        self.similarity, self.scales = similarity, scales
        self.color_cycle, self.identity = color_cycle, identity
        label = Field(("B", len(self.domains)), 0.0, 1.0)
        self.fields = {"source": Field(("B", "H", "W", 3)), "source_domain": label, "target_domain": label}
        self.nets, self.judges = generators | discriminators, tuple(discriminators)
        self.pools = {"fakes": pool_size}
        self.stride = max(StarGANGenerator.stride, *(2**net.layers for net in discriminators.values()))
        self.players = {"discriminators": Player(self.judges, self.discriminator_loss)}
        if update_order == "joint":
            self.players["generators"] = Player(tuple(generators), self.generator_loss, every=n_critic)
        else:  # the reconstructor learns from what the updated translator makes
            self.players["translator"] = Player(("translator",), self.translator_loss, every=n_critic)
            self.players["reconstructor"] = Player(("reconstructor",), self.reconstructor_loss, every=n_critic, fresh=True)

    def run(self, call, half, *inputs):
        """Passes of (image, label) pairs through the networks of "translation" or "reconstruction": a list of images."""
        first, *rest = self.passes[half]
        images = call.together(first, *inputs)
        for net in rest:
            images = call.together(net, *((image,) for image in images))
        return images

    def rollout(self, key, call, batch):
        """Target labels, the translation y' and the way back x''."""
        source, label = batch["source"], batch["source_domain"]
        target = multidomain.targets(key, batch, self.target_labels)
        fake, = self.run(call, "translation", (source, target))
        back, = self.run(call, "reconstruction", (fake, label))
        return {"target_domain": target, "fake_target": fake, "back_source": back}

    def shares(self, key, rows):
        """How much of the real image is in each point where a critic's slope is charged: [rows, 1, 1, 1]."""
        return jax.random.uniform(key, (rows, 1, 1, 1))

    def discriminator_loss(self, key, call, batch, out):
        """Real images and remembered translations told apart, and the domains of real images."""
        real, fake = batch["source"], call.past("fakes", out["fake_target"])
        shares = self.shares(key, len(real))
        return mean_terms([discriminator_terms(call, judge, real, fake, batch["source_domain"], shares=shares, **self.kinds)
                           for judge in self.judges])

    def generator_loss(self, key, call, batch, out):
        """Eq. 8, all terms of both generators."""
        return self.translation(call, out) | self.way_back(batch, out) | self.identities(call, batch)

    def translator_loss(self, key, call, batch, out):
        """The terms of Eq. 8 that Gt moves."""
        return self.translation(call, out) | self.way_back(batch, out)

    def reconstructor_loss(self, key, call, batch, out):
        """The terms of Eq. 8 that Gr moves."""
        return self.way_back(batch, out) | self.identities(call, batch)

    def translation(self, call, out):
        """What the discriminators make of y': adversarial and domain terms."""
        return mean_terms([translation_terms(call, judge, out["fake_target"], out["target_domain"], **self.kinds)
                           for judge in self.judges])

    def way_back(self, batch, out):
        """x'' against x: color cycle or plain L1, and structural similarity (Eq. 4)."""
        pair = out["back_source"], batch["source"]
        terms = {"cycle": losses.color(*pair) if self.color_cycle else losses.pixel(*pair)}
        if self.similarity == "ms_ssim":
            terms["similarity"] = losses.ms_ssim(*pair, scales=self.scales)
        elif self.similarity == "ssim":
            terms["similarity"] = losses.ssim(*pair)
        return terms

    def identities(self, call, batch):
        """Gr(x, z_x) against x, the conditional identity: a pass that no other loss needs."""
        if not self.identity:
            return {}
        same, = self.run(call, "reconstruction", (batch["source"], batch["source_domain"]))
        return {"identity": losses.pixel(same, batch["source"])}

    def sample(self, key, call, batch):
        """The source in the domain of "target_domain": {"fake_target": [B, H, W, 3]}."""
        return {"fake_target": self.run(call, "translation", (batch["source"], batch["target_domain"]))[0]}

    def overview(self, key, call, batch):
        """The source in every domain, {"to <name>": [B, H, W, 3]}; attributes need "source_domain", too."""
        translate = lambda image, label: self.run(call, "translation", (image, label))[0]
        return multidomain.overview(translate, batch, self.domains, self.exclusive)

    def panels(self, batch, out):
        """Columns of the picture grid, of what `sample` or `overview` returned."""
        return multidomain.panels(batch, out)


def mean_terms(named: list[dict]) -> dict:
    """The mean of each term over the discriminators."""
    return {term: sum(terms[term] for terms in named) / len(named) for term in named[0]}


BU3DFE = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")


def build(*, domains: Sequence[str] = BU3DFE, exclusive: Sequence[str] = (), classification: str = "softmax",
          target_labels: str = "given", sharing: str = "none", reconstruction_architecture: int = 3,
          reconstruction_blocks: int = 0, label_embedding: int = 0, adversarial: str = "least_squares",
          similarity: str = "ms_ssim", similarity_scales: int = 5, color_cycle: bool = True, identity: bool = True,
          discriminators: int = 1, pool_size: int = 50, update_order: str = "sequential", n_critic: int = 1,
          width: int = 64, blocks: int = 6, discriminator_width: int = 64, discriminator_layers: int = 6,
          compute_dtype: str = "float32") -> AsymmetricGANUnpaired:
    """Builds AsymmetricGAN for domains; the defaults are the paper's model at its full size.

    Args:
      domains: names of the domains or attributes, in the order of the labels.
      exclusive: attributes of which an image has one at a time; only for the overview, which then sets one alone.
      classification: "softmax" for domains that exclude each other, "attributes" for several at a time.
      target_labels: "permuted", those of the batch in another order (the code), or "given" by the batch.
      sharing: parameters of Gt and Gr in common: "none", "partial" (all but the transposed and the output
        convolutions) or "full" (Table VIII).
      reconstruction_architecture: of Gr: 1, 2 or 3, settings S1, S2 and S3 (Table VI).
      reconstruction_blocks: residual blocks of Gr in Architecture III, 0 for as many as Gt has; the code's class has 2
        unless told otherwise.
      label_embedding: width of the layer that a label passes first, 64 in the text; 0, as in the code, has none.
      adversarial: "least_squares" (the paper), or "wasserstein" with a gradient penalty (the code).
      similarity: "ms_ssim" (Eq. 4), "ssim" (the code) or "none".
      similarity_scales: of MS-SSIM; five need pictures of 161 pixels a side, each one less half as many.
      color_cycle: whether the cycle loss is the sum over the colors, otherwise the L1 mean.
      identity: whether Gr(x, z_x) shall equal x.
      discriminators: 1 or 2.
      pool_size: remembered translations that the discriminators see; 0 remembers none.
      update_order: "sequential", D, Gt, Gr, each judged by the ones before it (the paper), or "joint", D, then both
        generators in one step (the code), which shared networks need.
      n_critic: the generators move on every n-th step.
      width, blocks: of the generators.
      discriminator_width, discriminator_layers: of the discriminators, for squares of multiples of 2^layers pixels.
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(
        CHOICES, classification=classification, target_labels=target_labels, sharing=sharing,
        reconstruction_architecture=reconstruction_architecture, adversarial=adversarial, similarity=similarity,
        discriminators=discriminators, update_order=update_order, compute_dtype=compute_dtype)
    for option, value, least in (("n_critic", n_critic, 1), ("pool_size", pool_size, 0), ("similarity_scales",
                                                                                        similarity_scales, 1)):
        if value < least:
            raise InputError(f"options.{option} must be at least {least}, found {value}.")
    multidomain.check(domains, exclusive, classification)
    own_blocks = reconstruction_blocks or blocks
    if sharing != "none" and (update_order, reconstruction_architecture, own_blocks) != ("joint", 3, blocks):
        raise InputError(
            f"options.sharing {sharing!r} needs options.update_order 'joint', options.reconstruction_architecture 3 and as many "
            f"blocks in both generators, found {update_order!r}, {reconstruction_architecture} and {own_blocks} beside {blocks}.")
    dtype = jnp.dtype(compute_dtype)
    whole = StarGANGenerator(width, blocks, label_embedding, dtype)
    back = {1: PlainGenerator(label_embedding, dtype), 2: StarGANGenerator(width, 0, label_embedding, dtype),
            3: StarGANGenerator(width, own_blocks, label_embedding, dtype)}
    decoder = Decoder(width, dtype)
    generators = {
        "none": {"translator": whole, "reconstructor": back[reconstruction_architecture]},
        "partial": {"encoder": Encoder(width, blocks, label_embedding, dtype), "translation_decoder": decoder,
                    "reconstruction_decoder": decoder},
        "full": {"generator": whole},
    }
    judge = DomainDiscriminator(len(domains), discriminator_width, discriminator_layers, dtype)
    judges = ("discriminator",) if discriminators == 1 else ("discriminator_1", "discriminator_2")
    return AsymmetricGANUnpaired(
        domains=domains, exclusive=exclusive, classification=classification, target_labels=target_labels, sharing=sharing,
        adversarial=adversarial, similarity=similarity, scales=similarity_scales, color_cycle=color_cycle,
        identity=identity, pool_size=pool_size, update_order=update_order, n_critic=n_critic,
        generators=generators[sharing], discriminators=dict.fromkeys(judges, judge))
