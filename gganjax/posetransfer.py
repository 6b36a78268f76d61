"""The training recipe that PATN, XingGAN and BiGraphGAN share: a person's picture brought into another pose.

A generator G makes I_t' = G(I_s, P_s, P_t) of a picture and of the maps of both poses. The appearance discriminator
(D_PP of the released code, D_I of the thesis) judges (I_t', I_s), the shape discriminator (D_PB, D_P) judges
(I_t', P_t). I_s and I_t are `source` and `target`, [B, H, W, 3] in [-1, 1]; P_s and P_t are `source_guidance` and
`target_guidance`, [B, H, W, K] in [0, 1]. Losses and order are those of thesis section 4.3 and of the released code.
"""

from functools import partial

import jax
import jax.numpy as jnp

from gganjax import features, losses
from gganjax.core import Field, Player
from gganjax.errors import InputError, check_choices
from gganjax.layers import concatenate
from gganjax.nets.pose import NORMS, PoseDiscriminator

LAYER = "relu1_2"  # of the perceptual loss: the code's; the thesis speaks of several layers and names none
PERCEPTUAL_LOSSES = {"l1": losses.pixel, "l2": losses.pixel_l2}
CONDITIONS = {"appearance": "source", "shape": "target_guidance"}  # what each discriminator sees behind the candidate
CHOICES = {
    "norm": NORMS,
    "adversarial": ("vanilla", "least_squares"),
    "perceptual": (*features.PERCEPTUAL, "none"),
    "perceptual_loss": tuple(PERCEPTUAL_LOSSES),
    "compute_dtype": ("float32", "bfloat16"),
}


class PoseTransfer:
    """A method of this recipe; `gganjax/methods/patn.py` and others build it with their generators.

    The generator is called with the source, and with both poses' maps joined along the channels, and returns the image
    [B, H, W, 3]. It may name in `looks` pictures of its inside, which it returns beside the image, {name: picture},
    when called with details=True.
    """

    inputs = ("source", "source_guidance", "target_guidance")

    def __init__(self, *, name, generator, guidance_channels=18, norm="batch", adversarial="vanilla", perceptual="auto",
                 perceptual_loss="l1", pool_size=50, dropout=0.5, discriminator_width=64, discriminator_blocks=3,
                 compute_dtype="float32"):
        """Builds the method around a generator.

        Args:
          name: of the method.
          generator: a module as described above.
          guidance_channels: K, 18 for heat maps of the joints, 3 for drawn pictures.
          norm: "batch" (Market) or "instance" (DeepFashion), of the discriminators; the generator has its own.
          adversarial: "vanilla" (Market) or "least_squares" (DeepFashion).
          perceptual: frozen network of the perceptual loss at its relu1_2: "vgg19", "vgg16", "auto" (VGG19 where its
            file is) or "none".
          perceptual_loss: "l1" or "l2".
          pool_size: remembered fakes of each discriminator, with what it sees behind them.
          dropout, discriminator_width, discriminator_blocks: of both discriminators.
          compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
        """
        check_choices(CHOICES, norm=norm, adversarial=adversarial, perceptual=perceptual,
                      perceptual_loss=perceptual_loss, compute_dtype=compute_dtype)
        for option, value, least in (("guidance_channels", guidance_channels, 1), ("pool_size", pool_size, 0)):
            if value < least:
                raise InputError(f"options.{option} is {value}, expected at least {least}.")
        self.name, self.adversarial, self.perceptual_loss = name, adversarial, PERCEPTUAL_LOSSES[perceptual_loss]
        self.stride, self.looks = generator.stride, getattr(generator, "looks", ())
        image, maps = Field(("B", "H", "W", 3)), Field(("B", "H", "W", guidance_channels), 0.0, 1.0)
        self.fields = {"source": image, "target": image, "source_guidance": maps, "target_guidance": maps}
        dtype, judges = jnp.dtype(compute_dtype), [f"{judge}_discriminator" for judge in CONDITIONS]
        discriminator = PoseDiscriminator(discriminator_width, discriminator_blocks, norm, dropout, dtype)
        self.nets, self.frozen = {"generator": generator} | dict.fromkeys(judges, discriminator), {}
        self.pools = dict.fromkeys(CONDITIONS, pool_size)
        if perceptual != "none":
            self.nets["perceptual"], self.frozen["perceptual"] = features.perceptual(
                perceptual, normalized=True, taps=(LAYER,), dtype=dtype)
        self.players = {"generator": Player(("generator",), self.generator_loss)}
        for judge in CONDITIONS:
            self.players[f"{judge}_discriminator"] = Player(
                (f"{judge}_discriminator",), partial(self.discriminator_loss, judge=judge))

    def rollout(self, key, call, batch):
        """The one generator pass, which all players share: {"fake_target": [B, H, W, 3]}."""
        return {"fake_target": self.generate(key, call, batch)}

    def generate(self, key, call, batch, **options):
        """The generator's answer to the source and to the maps of both poses, [B, H, W, 2K]."""
        poses = concatenate(batch["source_guidance"], batch["target_guidance"])
        return call("generator", batch["source"], poses, key=key, **options)

    def generator_loss(self, key, call, batch, out):
        """Adversarial loss, the mean over both discriminators; L1; L1 or L2 of relu1_2."""
        fake, target = out["fake_target"], batch["target"]
        judged = [call(f"{judge}_discriminator", seen(fake, batch, judge), key=jax.random.fold_in(key, i))
                  for i, judge in enumerate(CONDITIONS)]
        terms = {"gan": sum(losses.adversarial(logits, True, self.adversarial) for logits in judged) / len(judged),
                 "pixel": losses.pixel(fake, target)}
        if "perceptual" in self.nets:
            (made,), (wanted,) = call("perceptual", fake), call("perceptual", target)
            terms["perceptual"] = self.perceptual_loss(made, jax.lax.stop_gradient(wanted))
        return terms

    def discriminator_loss(self, key, call, batch, out, *, judge):
        """Real against new and remembered fakes, each kind normalized by its own statistics as in two calls."""
        fake = call.past(judge, seen(out["fake_target"], batch, judge))
        judged_real, judged_fake = call.together(
            f"{judge}_discriminator", (seen(batch["target"], batch, judge),), (fake,), key=key)
        return {"real": losses.adversarial(judged_real, True, self.adversarial),
                "fake": losses.adversarial(judged_fake, False, self.adversarial)}

    def sample(self, key, call, batch):
        """The person in the target pose: {"fake_target": [B, H, W, 3]}, a generator's excess of [-1, 1] cut off."""
        return {"fake_target": jnp.clip(self.generate(key, call, batch), -1, 1)}

    def look(self, key, call, batch, names):
        """The named pictures of the generator's inside, of those in `looks`: {name: [B, h, w, 1 or 3] in [-1, 1]}."""
        _, details = self.generate(key, call, batch, details=True)
        return {name: details[name] for name in names}

    def panels(self, batch, out):
        """Columns of the picture grid, in order."""
        return {"source": batch["source"], "target guidance": batch["target_guidance"],
                "translated": out["fake_target"], "target": batch["target"]}


def seen(candidate, batch, judge: str):
    """What a discriminator sees: the candidate image and behind it the source or the maps of the target pose."""
    return concatenate(candidate, batch[CONDITIONS[judge]])
