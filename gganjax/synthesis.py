"""The recipe of the systems that make a photo of a label map: GauGAN, Pix2pixHD, DAGAN, EdgeGAN and others.

A generator makes a picture, or several, of the semantics: the one-hot labels, with a channel for unknown pixels and one
for the edges of instances where a set has them. A multi-scale discriminator judges each picture behind the semantics.
The generator's player moves first, the discriminator's judges pictures of the generator as it has become (Park et al.
2019 and their code). `labels` and `instances` are int32 [B, H, W], `target` is [B, H, W, 3] in [-1, 1]. In the guided
form a picture of the target's structure, `target_guidance`, takes the place of the labels.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from gganjax import features, losses
from gganjax.core import PICTURE, Field, Player
from gganjax.errors import InputError, check_choices
from gganjax.layers import concatenate
from gganjax.nets import multiscale, spade
from gganjax.nets.multiscale import MultiScaleDiscriminator

# What the networks see in the guided form.
GUIDED = {"target": ("target_guidance",), "both": ("source", "target_guidance")}
CHOICES = {
    "guidance": ("none", *GUIDED),
    "adversarial": ("hinge", "least_squares", "vanilla", "wasserstein"),
    "perceptual": (*features.PERCEPTUAL, "none"),
    "discriminator_norm": multiscale.NORMS,
    "spectral_initialization": spade.SPECTRAL_INITIALIZATIONS,
    "compute_dtype": ("float32", "bfloat16"),
}


class Semantics(NamedTuple):
    """What the networks see of a label map.

    Attributes:
      classes: number of classes, 0 .. classes - 1.
      unknown: whether the set has unknown pixels; they have the number `classes` and a channel of their own.
      instances: whether the edges between instances are the last channel.
      unknown_first: for sets that number the unknown pixels 0 and the classes from 1 (ADE20K): whether the labels are
        brought to the order above. The reference means to and does not, and its weights need it not done.
      guidance: "none"; in the guided form "target" for the target's guidance alone, the released code's, or "both" for
        the source picture in front of it.
    """

    classes: int = 35
    unknown: bool = False
    instances: bool = False
    unknown_first: bool = False
    guidance: str = "none"

    @property
    def channels(self) -> int:
        """Number of channels of what the networks see."""
        if self.guidance != "none":
            return 3 * len(GUIDED[self.guidance])
        return self.classes + self.unknown + self.instances

    @property
    def fields(self) -> dict[str, Field]:
        """The fields of a batch that it is made of."""
        if self.guidance != "none":
            return {"source": PICTURE, "target_guidance": PICTURE}
        labels = {"labels": Field(("B", "H", "W"), 0, self.classes - 1 + self.unknown)}
        return labels | ({"instances": Field(("B", "H", "W"), 0, 2**31 - 1)} if self.instances else {})

    def __call__(self, batch) -> jax.Array:
        """What the networks see, float32 [B, H, W, channels]."""
        if self.guidance != "none":
            return concatenate(*(batch[name] for name in GUIDED[self.guidance]))
        labels, channels = batch["labels"], self.classes + self.unknown
        if self.unknown_first:
            labels = (labels - 1) % channels
        seen = (labels[..., None] == jnp.arange(channels)).astype(jnp.float32)
        return concatenate(seen, instance_edges(batch["instances"])) if self.instances else seen


def instance_edges(instances: jax.Array) -> jax.Array:
    """1 where one of the four neighbors belongs to another instance, [B, H, W] -> float32 [B, H, W, 1]."""
    edges = jnp.zeros(instances.shape, bool)
    for axis in (1, 2):
        length = instances.shape[axis]
        first, second = (jax.lax.slice_in_dim(instances, i, length - 1 + i, axis=axis) for i in (0, 1))
        changes, one = first != second, [(0, 0)] * 3
        for side in ((0, 1), (1, 0)):
            one[axis] = side
            edges |= jnp.pad(changes, one)
    return edges[..., None].astype(jnp.float32)


class Judged(NamedTuple):
    """How one of the generator's pictures is judged.

    Attributes:
      real: field of the real picture that it stands beside, in all losses.
      factor: of its adversarial, feature-matching and perceptual terms.
    """

    real: str = "target"
    factor: float = 1.0


class Synthesis:
    """A method of this recipe; `gganjax/methods/gaugan.py` and others build it with their generators.

    The generator is called with the semantics [B, H, W, S], with an encoder also with the code z=[B, latent]. It
    returns the picture [B, H, W, 3] or a dictionary of named arrays, which holds those that are judged. It may name in
    `looks` pictures of its inside, [B, h, w, 1 or 3] in [-1, 1], which its dictionary holds when called with
    details=True.
    """

    def __init__(self, *, name: str, generator: nn.Module, semantics: Semantics,
                 judged: Mapping[str, Judged] = MappingProxyType({"fake_target": Judged()}),
                 results: Mapping[str, str] = MappingProxyType({"fake_target": "fake_target"}),
                 extra: Callable | None = None, encoder: nn.Module | None = None, adversarial="hinge",
                 feature_matching=True, perceptual="auto", discriminator_width=64, discriminator_layers=4,
                 discriminator_scales=2, discriminator_norm="instance", discriminator_spectral=True,
                 spectral_initialization="torch_kernels", compute_dtype="float32"):
        """Builds the method around a generator.

        Args:
          name: of the method.
          generator: a module as described above.
          semantics: what the networks see.
          judged: the generator's pictures that are judged, by name; terms are sums over them, with their factors. A
            real picture counts as often as it has counterparts.
          results: what `sample` returns: name there, "fake_target" and others -> name in the generator's dictionary.
          extra: function (key, call, batch, semantics, images) -> further unweighted terms of the generator by name.
          encoder: module that tells mean and log variance [B, latent] of the target's code, or of the source's in the
            guided form.
          adversarial: "hinge", "least_squares", "vanilla" or "wasserstein".
          feature_matching: whether the generator matches the discriminator's activations.
          perceptual: frozen network of the perceptual loss: "vgg19" (the papers'), "vgg16", "auto" (VGG19 where its
            file is) or "none".
          discriminator_width, discriminator_layers, discriminator_scales, discriminator_norm, discriminator_spectral:
            of the discriminator, see `nets.multiscale`.
          spectral_initialization: of its layers with spectral norm, "torch_kernels" or "xavier_small", see
            `nets.spade`.
          compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
        """
        check_choices(CHOICES, adversarial=adversarial, perceptual=perceptual, discriminator_norm=discriminator_norm,
                      spectral_initialization=spectral_initialization, compute_dtype=compute_dtype)
        if semantics.classes < 1:
            raise InputError(f"options.classes is {semantics.classes}, expected at least 1.")
        if semantics.unknown_first and not semantics.unknown:
            raise InputError("options.unknown_first moves unknown pixels, but options.unknown is False.")
        self.name, self.semantics, self.judged, self.results, self.extra = name, semantics, judged, results, extra
        self.adversarial, self.feature_matching = adversarial, feature_matching
        dtype = jnp.dtype(compute_dtype)
        self.inputs = tuple(semantics.fields)
        self.fields = semantics.fields | {one.real: PICTURE for one in judged.values()}
        self.fields |= {} if "target" in self.fields else {"target": PICTURE}
        self.latent = encoder.latent if encoder else 0
        self.nets = {"generator": generator} | ({"encoder": encoder} if encoder else {})
        self.players = {"generator": Player(tuple(self.nets), self.generator_loss),
                        "discriminator": Player(("discriminator",), self.discriminator_loss, fresh=True)}
        self.nets["discriminator"] = MultiScaleDiscriminator(
            discriminator_width, discriminator_layers, discriminator_scales, discriminator_norm, discriminator_spectral,
            dtype, spectral_initial=spectral_initialization)
        self.frozen: dict = {}
        if perceptual != "none":
            self.nets["perceptual"], self.frozen["perceptual"] = features.perceptual(perceptual, dtype=dtype)
        self.pools: dict[str, int] = {}
        self.stride = generator.stride
        self.looks = getattr(generator, "looks", ())

    def rollout(self, key, call, batch):
        """The generator's pictures, and the code's mean and log variance where there is an encoder."""
        if not self.latent:
            return self.generate(key, call, batch)
        mean, log_variance = self.encode(call, batch)
        z = spade.draw(jax.random.fold_in(key, 1), mean, log_variance)
        return self.generate(key, call, batch, z=z) | {"mean": mean, "log_variance": log_variance}

    def encode(self, call, batch):
        """Mean and log variance [B, latent] of the target's code, in the guided form of the source's."""
        return call("encoder", batch["target" if self.semantics.guidance == "none" else "source"])

    def generate(self, key, call, batch, **options):
        """The generator's dictionary of pictures; `options` go to it."""
        made = call("generator", self.semantics(batch), key=key, **options)
        return made if isinstance(made, dict) else {"fake_target": made}

    def generator_loss(self, key, call, batch, out):
        """Adversarial, feature-matching, perceptual and KL term, and those that the system adds."""
        semantics, pictures = self.semantics(batch), self.pictures(batch, out)
        layers = self.judge(call, semantics, pictures)
        terms = {"gan": self.summed(lambda fake, real: self.verdict(layers[fake], True, fooling=True))}
        if self.feature_matching:
            terms["feature"] = self.summed(lambda fake, real: losses.feature_matching(layers[fake], layers[real]))
        if "perceptual" in self.nets:
            taps = self.tapped(call, {name: pictures[name] for name in self.judged})
            taps |= self.tapped(call, {name: x for name, x in pictures.items() if name not in self.judged})
            terms["perceptual"] = self.summed(lambda fake, real: losses.perceptual(taps[fake], taps[real]))
        if self.latent:  # the reference's sum over the batch, however it is divided
            terms["kl"] = losses.kl(out["mean"], out["log_variance"]) * call.examples
        return terms | (self.extra(key, call, batch, semantics, out) if self.extra else {})

    def discriminator_loss(self, key, call, batch, out):
        """Generated and real pictures told apart."""
        layers = self.judge(call, self.semantics(batch), self.pictures(batch, out))
        return {"fake": self.summed(lambda fake, real: self.verdict(layers[fake], False)),
                "real": self.summed(lambda fake, real: self.verdict(layers[real], True))}

    def pictures(self, batch, out):
        """All pictures that are judged, the fakes first; each real one stands there once."""
        return {name: out[name] for name in self.judged} | {one.real: batch[one.real] for one in self.judged.values()}

    def summed(self, term):
        """Sum of term(fake, real) times its factor over the judged pictures."""
        return sum(one.factor * term(name, one.real) for name, one in self.judged.items())

    def judge(self, call, semantics, pictures):
        """Every layer of every scale of the discriminator for each picture, in one call as in the reference.

        Statistics of a batch norm are those of fakes and real ones together, and spectral norms move once.
        """
        seen = jnp.concatenate([concatenate(semantics, picture) for picture in pictures.values()])
        return _apart(call("discriminator", seen), pictures)

    def verdict(self, layers, real, *, fooling=False):
        """Adversarial loss of one picture's logits, the mean over the scales."""
        verdicts = [losses.adversarial(scale[-1], real, self.adversarial, fooling=fooling) for scale in layers]
        return sum(verdicts) / len(verdicts)

    def tapped(self, call, pictures):
        """Activations of the perceptual network for each picture."""
        return _apart(call("perceptual", jnp.concatenate(list(pictures.values()))), pictures)

    def sample(self, key, call, batch):
        """The generated pictures, {"fake_target": [B, H, W, 3], ...}, an excess of [-1, 1] cut off.

        With an encoder the code is drawn from the standard normal: every key gives another style. In the guided form it
        is that of the source.
        """
        out = self.generate(key, call, batch, **self.style(key, call, batch))
        return {name: jnp.clip(out[made], -1, 1) for name, made in self.results.items()}

    def style(self, key, call, batch):
        """The code at test time, {"z": [B, latent]}; empty without an encoder."""
        key = jax.random.fold_in(key, 1)
        if not self.latent:
            return {}
        if self.semantics.guidance != "none":
            return {"z": spade.draw(key, *self.encode(call, batch))}
        return {"z": jax.random.normal(key, (len(batch["labels"]), self.latent))}

    def look(self, key, call, batch, names):
        """The named pictures of the generator's inside, of those in `looks`: {name: [B, h, w, 1 or 3] in [-1, 1]}."""
        out = self.generate(key, call, batch, details=True, **self.style(key, call, batch))
        return {name: out[name] for name in names}

    def panels(self, batch, out):
        """Columns of the picture grid, in order; label maps are integers [B, H, W]."""
        guided = {"source": "source", "target guidance": "target_guidance"}
        given = {"labels": "labels"} if self.semantics.guidance == "none" else guided
        further = {name: picture for name, picture in out.items() if name != "fake_target"}
        return {title: batch[name] for title, name in given.items()} | {
            "translated": out["fake_target"], **further, "target": batch["target"]}


def _apart(stacked, names):
    """Cuts what a call for stacked pictures returned into the parts of each, by name."""
    return {name: jax.tree.map(lambda x, i=i: jnp.split(x, len(names))[i], stacked) for i, name in enumerate(names)}
