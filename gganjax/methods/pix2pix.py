"""Pix2pix: paired translation by a conditional GAN (Isola et al. 2017).

The generator G makes y' = G(x), or G(x, C_y) where a target structure guides it; the discriminator judges the pair of
the generator's input and a candidate. In the code x is `source`, y is `target`, C_y is `target_guidance`; all are
[B, H, W, 3] in [-1, 1]. A baseline of the cycle family, and with a residual generator row B of GestureGAN's Table 2.9.
"""

import jax.numpy as jnp

from gganjax import losses
from gganjax.core import Field, Player
from gganjax.errors import InputError, check_choices
from gganjax.layers import INITIALIZATIONS
from gganjax.nets.patch import PatchDiscriminator, PixelDiscriminator
from gganjax.nets.resnet import ResNetGenerator
from gganjax.nets.unet import LEAST_LEVELS, UNetGenerator

LEVELS = {"unet256": 8, "unet128": 7}
BLOCKS = {"resnet9": 9, "resnet6": 6}
CHOICES = {
    "generator": (*LEVELS, *BLOCKS),
    "discriminator": ("patch", "pixel"),
    "adversarial": ("vanilla", "least_squares"),
    "norm": ("batch", "instance"),
    "initialization": INITIALIZATIONS,
    "compute_dtype": ("float32", "bfloat16"),
}


class Pix2pix:
    """The method; see `build` for its options."""

    name = "pix2pix"
    frozen: dict = {}

    def __init__(self, *, guidance, adversarial, pool_size, generator, discriminator, stride):
        self.adversarial, self.stride = adversarial, stride
        self.inputs = ("source", "target_guidance") if guidance else ("source",)
        self.fields = {name: Field(("B", "H", "W", 3)) for name in (*self.inputs, "target")}
        self.pools = {"fakes": pool_size}
        self.nets = {"generator": generator, "discriminator": discriminator}
        self.players = {"discriminator": Player(("discriminator",), self.discriminator_loss),
                        "generator": Player(("generator",), self.generator_loss)}

    def given(self, batch):
        """What the generator sees, and the discriminator beside a candidate: x, or x and C_y along the channels."""
        return jnp.concatenate([batch[name] for name in self.inputs], axis=-1)

    def rollout(self, key, call, batch):
        """The translation y'."""
        return {"fake_target": call("generator", self.given(batch), key=key)}

    def discriminator_loss(self, key, call, batch, out):
        """Generated and real pairs told apart; a remembered fake is the whole pair."""
        pair = lambda candidate: jnp.concatenate([self.given(batch), candidate], axis=-1)
        fake = call.past("fakes", pair(out["fake_target"]))
        fake, real = call.together("discriminator", (fake,), (pair(batch["target"]),))
        return {"fake": losses.adversarial(fake, False, self.adversarial),
                "real": losses.adversarial(real, True, self.adversarial)}

    def generator_loss(self, key, call, batch, out):
        """Adversarial and L1 term of y' (Isola et al. 2017, Eq. 4), judged by the updated discriminator."""
        judged = call("discriminator", jnp.concatenate([self.given(batch), out["fake_target"]], axis=-1))
        return {"gan": losses.adversarial(judged, True, self.adversarial),
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
          discriminator_layers: int = 3, norm: str = "batch", adversarial: str = "vanilla", pool_size: int = 0,
          initialization: str = "normal", compute_dtype: str = "float32") -> Pix2pix:
    """Builds Pix2pix; the defaults are those of its public implementation of 2018.

    Args:
      guidance: whether generator and discriminator see the target structure beside the source.
      generator: "unet256", "unet128", "resnet9" or "resnet6".
      levels: of a U-Net, at least 5; 0 means 8 for "unet256" and 7 for "unet128".
      width, dropout: of the generator; dropout is that of the inner levels or of the residual blocks.
      discriminator: "patch" or "pixel" (1x1).
      discriminator_width, discriminator_layers: of the discriminator; 3 layers see 70x70 pixels.
      norm: "batch" or "instance", of both networks.
      adversarial: "vanilla" or "least_squares".
      pool_size: remembered fake pairs.
      initialization: of all kernels: "normal" (0.02), "xavier", "kaiming", "orthogonal" (0.02) or
        "torch" (what PyTorch does unasked, biases and norms too).
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, generator=generator, discriminator=discriminator, adversarial=adversarial, norm=norm,
                  initialization=initialization, compute_dtype=compute_dtype)
    if levels and (generator in BLOCKS or levels < LEAST_LEVELS):
        raise InputError(f"options.levels is {levels} for the generator '{generator}', "
                         f"expected 0, or at least {LEAST_LEVELS} for a U-Net.")
    dtype = jnp.dtype(compute_dtype)
    if generator in LEVELS:
        made = UNetGenerator(3, width, levels or LEVELS[generator], norm, dropout, dtype, initialization)
    else:
        made = ResNetGenerator(3, width, BLOCKS[generator], norm, dropout, dtype, initialization)
    if discriminator == "patch":
        judge = PatchDiscriminator(discriminator_width, discriminator_layers, norm, dtype, initialization)
    else:
        judge = PixelDiscriminator(discriminator_width, norm, dtype, initialization)
    return Pix2pix(guidance=guidance, adversarial=adversarial, pool_size=pool_size, stride=made.stride,
                   generator=made, discriminator=judge)
