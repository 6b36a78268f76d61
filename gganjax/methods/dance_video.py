"""DanceGAN, stage II: skeletons to video (Tang, thesis ch. 7).

The generator G_r makes a frame of an image of the person and a drawn skeleton. It is used in three ways: on the
person's first frame I_0, and, for consistency in time, on the generated frame before and on the one behind. In the code
I_0 is `source`, [B, H, W, 3], the drawn skeletons S_1 .. S_F are `skeletons` and the real frames are `frames`, both
[B, F, H, W, 3]; all are in [-1, 1].

The thesis names neither networks nor weights nor the discriminator's input; those here are our choice: GestureGAN's
residual generator or Pix2pix's U-Net, a conditional 70x70 PatchGAN, and Pix2pix's weights.
"""

import jax
import jax.numpy as jnp

from gganjax import losses
from gganjax.core import PICTURE, Field, Player
from gganjax.errors import InputError, check_choices
from gganjax.layers import concatenate
from gganjax.nets.patch import PatchDiscriminator
from gganjax.nets.resnet import ResNetGenerator
from gganjax.nets.unet import LEAST_LEVELS, UNetGenerator

CHOICES = {
    "generator": ("resnet", "unet256"),
    "norm": ("instance", "batch"),
    "compute_dtype": ("float32", "bfloat16"),
}


class DanceVideo:
    """The method; see `build` for its options."""

    name = "dance_video"
    inputs = ("source", "skeletons")
    frozen: dict = {}
    pools: dict[str, int] = {}

    def __init__(self, *, frames, forward, backward, detach, generator, discriminator):
        self.ways = ("forward",) * forward + ("backward",) * backward
        self.detach, self.stride = detach, generator.stride
        video = Field(("B", frames, "H", "W", 3))
        self.fields = {"source": PICTURE, "skeletons": video, "frames": video}
        self.nets = {"generator": generator, "discriminator": discriminator}
        self.players = {"discriminator": Player(("discriminator",), self.discriminator_loss),
                        "generator": Player(("generator",), self.generator_loss)}

    def rollout(self, key, call, batch):
        """The frames I_i (Eq. 7.6), then I^_i and I~_i from their neighbors (Eq. 7.7 and 7.9), two stacked passes.

        "fake_frames" [B, F, H, W, 3]; "forward" holds frames 2 to F and "backward" frames 1 to F - 1.
        """
        made, skeletons = self.base(key, call, batch)
        before = [jax.lax.stop_gradient(image) for image in made] if self.detach else made
        wanted = {"forward": list(zip(before[:-1], skeletons[1:])), "backward": list(zip(before[1:], skeletons[:-1]))}
        pairs = [pair for way in self.ways for pair in wanted[way]]
        again = self.generate(jax.random.fold_in(key, 1), call, pairs) if pairs else []
        out = {"fake_frames": jnp.stack(made, axis=1)}
        for number, way in enumerate(self.ways):
            count = len(skeletons) - 1
            out[way] = jnp.stack(again[number * count:(number + 1) * count], axis=1)
        return out

    def base(self, key, call, batch):
        """The baseline's generation (Eq. 7.6): the frames I_i in order, [B, H, W, 3] each, and their skeletons."""
        skeletons = list(jnp.moveaxis(batch["skeletons"], 1, 0))
        return self.generate(key, call, [(batch["source"], skeleton) for skeleton in skeletons]), skeletons

    def generate(self, key, call, pairs):
        """One stacked pass of G_r over pairs of an image and a skeleton, [B, H, W, 3] each; the frames in order."""
        return call.together("generator", *((concatenate(*pair),) for pair in pairs), key=key)

    def judge(self, call, batch, *videos):
        """Logits of the frames of several videos [B, F, H, W, 3], each frame beside its skeleton; one stacked pass."""
        count = batch["skeletons"].shape[1]
        pairs = [(concatenate(batch["skeletons"][:, i], video[:, i]),) for video in videos for i in range(count)]
        judged = call.together("discriminator", *pairs)
        return [jnp.stack(judged[i * count:(i + 1) * count], axis=1) for i in range(len(videos))]

    def discriminator_loss(self, key, call, batch, out):
        """Generated and real frames told apart beside their skeletons; of the generated ones I_i alone."""
        fake, real = self.judge(call, batch, jax.lax.stop_gradient(out["fake_frames"]), batch["frames"])
        return {"fake": losses.adversarial(fake, False), "real": losses.adversarial(real, True)}

    def generator_loss(self, key, call, batch, out):
        """Thesis Eq. 7.11: adversarial on I_i, and the L1 terms, see `pixel_terms`."""
        fake, = self.judge(call, batch, out["fake_frames"])
        return {"gan": losses.adversarial(fake, True)} | pixel_terms(out, batch)

    def sample(self, key, call, batch):
        """The frames I_i of any number of skeletons: {"fake_frames": [B, F, H, W, 3]}."""
        return {"fake_frames": jnp.stack(self.base(key, call, batch)[0], axis=1)}

    def panels(self, batch, out):
        """The person, and the skeletons, generated and real frames in their course."""
        return {"source": batch["source"], "skeletons": batch["skeletons"], "generated": out["fake_frames"],
                "real": batch["frames"]}


def pixel_terms(out, batch) -> dict:
    """L1 means: "pixel" between I_i and the real frames, "forward" and "backward" between I_i and I^_i or I~_i.

    Thesis Eq. 7.8 (FSR, frames 2 to F) and 7.10 (BSR, frames 1 to F - 1), each where the rollout made it.
    """
    fake = out["fake_frames"]
    terms = {"pixel": losses.pixel(fake, batch["frames"])}
    if "forward" in out:
        terms["forward"] = losses.pixel(fake[:, 1:], out["forward"])
    if "backward" in out:
        terms["backward"] = losses.pixel(fake[:, :-1], out["backward"])
    return terms


def build(*, frames: int = 4, forward: bool = True, backward: bool = True, detach: bool = False,
          generator: str = "resnet", width: int = 64, blocks: int = 9, levels: int = 8, dropout: float = 0.0,
          discriminator_width: int = 64, discriminator_layers: int = 3, norm: str = "instance",
          compute_dtype: str = "float32") -> DanceVideo:
    """Builds stage II; the defaults are the thesis' full model (row S2-4).

    Args:
      frames: F, consecutive frames of a training step, at least 2 with a neighbor to start from.
      forward: whether frames are also made from the generated frame before (FSR, Eq. 7.7 and 7.8).
      backward: ... from the one behind (BSR, Eq. 7.9 and 7.10).
      detach: whether no gradient flows into the frames that these start from.
      generator: "resnet" (11,387,587 parameters), or the U-Net "unet256".
      width, blocks: of the generator; blocks of the residual one.
      levels: of the U-Net, at least 5.
      dropout: of the generator; 0 unlike in GestureGAN and Pix2pix, since two passes are to agree here.
      discriminator_width, discriminator_layers: of the discriminator; 3 layers see 70x70 pixels.
      norm: "instance" or "batch", of both networks.
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, generator=generator, norm=norm, compute_dtype=compute_dtype)
    least = 2 if forward or backward else 1
    if frames < least:
        raise InputError(f"options.frames is {frames}, expected at least {least}.")
    if generator == "unet256" and levels < LEAST_LEVELS:
        raise InputError(f"options.levels is {levels}, expected at least {LEAST_LEVELS}.")
    dtype = jnp.dtype(compute_dtype)
    if generator == "resnet":
        made = ResNetGenerator(3, width, blocks, norm, dropout, dtype)
    else:
        made = UNetGenerator(3, width, levels, norm, dropout, dtype)
    return DanceVideo(
        frames=frames, forward=forward, backward=backward, detach=detach, generator=made,
        discriminator=PatchDiscriminator(discriminator_width, discriminator_layers, norm, dtype))
