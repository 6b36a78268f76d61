"""Pix2pix: paired translation by a conditional GAN (Isola et al. 2017).

The generator G makes y' = G(x), or G(x, C_y) where a target structure guides it; the discriminator judges the pair of
the generator's input and a candidate. In the code x is `source`, y is `target`, C_y is `target_guidance`; all are
[B, H, W, 3] in [-1, 1]. A baseline of the cycle family, and with a residual generator row B of GestureGAN's Table 2.9.

What the cross-view tables call Pix2pix is an encoder-decoder without skips, of Torch7 code that X-Fork and X-Seq share
(`generator="encoder_decoder"`, `discriminator="patch_biased"`); in its guided form, Pix2pix++, the discriminator judges
beside x alone. The U-Net of the paper is the default.
"""

import jax.numpy as jnp

from gganjax import losses
from gganjax.core import Field, Player
from gganjax.errors import InputError, check_choices
from gganjax.layers import INITIALIZATIONS, concatenate
from gganjax.nets.encoderdecoder import BiasedPatchDiscriminator, EncoderDecoder
from gganjax.nets.patch import PatchDiscriminator, PixelDiscriminator
from gganjax.nets.resnet import ResNetGenerator
from gganjax.nets.unet import LEAST_LEVELS, UNetGenerator

LEVELS = {"unet256": 8, "unet128": 7, "encoder_decoder": 8}
BLOCKS = {"resnet9": 9, "resnet6": 6}
CHOICES = {
    "generator": (*LEVELS, *BLOCKS),
    "discriminator": ("patch", "pixel", "patch_biased"),
    "judged_by": ("updated", "previous"),
    "adversarial": ("vanilla", "least_squares"),
    "norm": ("batch", "instance"),
    "initialization": INITIALIZATIONS,
    "compute_dtype": ("float32", "bfloat16"),
}


class Pix2pix:
    """The method; see `build` for its options."""

    name = "pix2pix"
    frozen: dict = {}

    def __init__(self, *, guidance, guided_discriminator, adversarial, real_label, judged_by, pool_size, generator,
                 discriminator, stride):
        self.adversarial, self.real_label, self.stride = adversarial, real_label, stride
        self.inputs = ("source", "target_guidance") if guidance else ("source",)
        self.beside = self.inputs if guided_discriminator else ("source",)
        self.fields = {name: Field(("B", "H", "W", 3)) for name in (*self.inputs, "target")}
        self.pools = {"fakes": pool_size}
        self.nets = {"generator": generator, "discriminator": discriminator}
        players = {"discriminator": Player(("discriminator",), self.discriminator_loss),
                   "generator": Player(("generator",), self.generator_loss)}
        # The shared fakes are the same in either order: what differs is which discriminator judges them.
        self.judge_moves = judged_by == "updated"
        self.players = players if self.judge_moves else dict(reversed(players.items()))

    def rollout(self, key, call, batch):
        """The translation y' of x, or of x and C_y along the channels."""
        return {"fake_target": call("generator", concatenate(*(batch[name] for name in self.inputs)), key=key)}

    def pair(self, batch, candidate):
        """What the discriminator sees: what the generator was given, or x alone, and behind it the candidate."""
        return concatenate(*(batch[name] for name in self.beside), candidate)

    def discriminator_loss(self, key, call, batch, out):
        """Generated and real pairs told apart; a remembered fake is the whole pair."""
        fake = call.past("fakes", self.pair(batch, out["fake_target"]))
        fake, real = call.together("discriminator", (fake,), (self.pair(batch, batch["target"]),))
        return {"fake": losses.adversarial(fake, False, self.adversarial),
                "real": losses.adversarial(real, self.real_label, self.adversarial)}

    def generator_loss(self, key, call, batch, out):
        """Adversarial and L1 term of y' (Isola et al. 2017, Eq. 4), judged by the updated discriminator.

        With `judged_by="previous"` the judgment is the one from before its update, and moves no statistics again.
        """
        judged = call("discriminator", self.pair(batch, out["fake_target"]), keep=self.judge_moves)
        return {"gan": losses.adversarial(judged, self.real_label, self.adversarial),
                "pixel": losses.pixel(out["fake_target"], batch["target"])}

    def sample(self, key, call, batch):
        """The translated image: {"fake_target": [B, H, W, 3]}."""
        return self.rollout(key, call, batch)

    def panels(self, batch, out):
        """Columns of the picture grid, in order."""
        guidance = {"target guidance": batch["target_guidance"]} if "target_guidance" in self.inputs else {}
        return {"source": batch["source"], **guidance, "translated": out["fake_target"], "target": batch["target"]}


def build(*, guidance: bool = False, generator: str = "unet256", levels: int = 0, width: int = 64,
          dropout: float = 0.5, discriminator: str = "patch", discriminator_width: int = 64,
          discriminator_layers: int = 3, guided_discriminator: bool = True, norm: str = "batch", zero_bias: bool = True,
          adversarial: str = "vanilla", real_label: float = 1.0, judged_by: str = "updated", pool_size: int = 0,
          initialization: str = "normal", compute_dtype: str = "float32") -> Pix2pix:
    """Builds Pix2pix; the defaults are those of its public implementation of 2018.

    Args:
      guidance: whether the generator sees the target structure beside the source.
      generator: "unet256", "unet128", "resnet9", "resnet6", or "encoder_decoder" (no skips).
      levels: of a U-Net or encoder-decoder, at least 5; 0 means 7 for "unet128" and 8 for the others.
      width, dropout: of the generator; dropout is that of the inner levels or of the residual blocks.
      discriminator: "patch", "pixel" (1x1), or "patch_biased", whose convolutions all have a bias.
      discriminator_width, discriminator_layers: of the discriminator; 3 layers see 70x70 pixels.
      guided_discriminator: whether the discriminator sees the guidance, too, where there is any.
      norm: "batch" or "instance", of both networks; "encoder_decoder" and "patch_biased" have a batch norm.
      zero_bias: whether the biases of those two stay 0, as in the cross-view code.
      adversarial: "vanilla" or "least_squares".
      real_label: what real pairs shall be called, and the generator's pairs by its own wish; 0.9 in the cross-view
        code.
      judged_by: the generator's images are judged by the discriminator as "updated" in the same step, or as it was
        before, "previous". The cross-view code reuses that judgment; what flows back there runs through the updated
        kernels, here through those that judged.
      pool_size: remembered fake pairs.
      initialization: of all kernels: "normal" (0.02), "xavier", "kaiming", "orthogonal" (0.02) or
        "torch" (what PyTorch does unasked, biases and norms too).
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, generator=generator, discriminator=discriminator, judged_by=judged_by,
                  adversarial=adversarial, norm=norm, initialization=initialization, compute_dtype=compute_dtype)
    if levels and (generator in BLOCKS or levels < LEAST_LEVELS):
        raise InputError(f"options.levels is {levels} for the generator '{generator}', "
                         f"expected 0, or at least {LEAST_LEVELS} for a U-Net or encoder-decoder.")
    for option, value in (("generator", generator), ("discriminator", discriminator)):
        if value in ("encoder_decoder", "patch_biased") and norm != "batch":
            raise InputError(f"options.{option} is '{value}', which has a batch norm, but options.norm is '{norm}'.")
    if not 0.0 < real_label <= 1.0:
        raise InputError(f"options.real_label is {real_label}, expected above 0 and at most 1.")
    dtype = jnp.dtype(compute_dtype)
    if generator == "encoder_decoder":
        made = EncoderDecoder(3, width, levels or LEVELS[generator], dropout, False, zero_bias, dtype, initialization)
    elif generator in LEVELS:
        made = UNetGenerator(3, width, levels or LEVELS[generator], norm, dropout, dtype, initialization)
    else:
        made = ResNetGenerator(3, width, BLOCKS[generator], norm, dropout, dtype, initialization)
    if discriminator == "patch":
        judge = PatchDiscriminator(discriminator_width, discriminator_layers, norm, dtype, initialization)
    elif discriminator == "patch_biased":
        judge = BiasedPatchDiscriminator(discriminator_width, discriminator_layers, zero_bias, dtype, initialization)
    else:
        judge = PixelDiscriminator(discriminator_width, norm, dtype, initialization)
    return Pix2pix(guidance=guidance, guided_discriminator=guided_discriminator, adversarial=adversarial,
                   real_label=real_label, judged_by=judged_by, pool_size=pool_size, stride=made.stride,
                   generator=made, discriminator=judge)
