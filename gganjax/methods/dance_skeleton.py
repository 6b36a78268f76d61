"""DanceGAN, stage I: music to skeletons (Tang, thesis ch. 7).

The generator makes skeletons S of music and noise; a local discriminator judges windows of 5 frames, a global one a
whole dance beside its music. In the code the music is `audio`, [B, F, 1600] amplitudes at 16 kHz, one piece for each
frame of a tenth of a second, and the real dance is `poses`, [B, F, 18, 2] in [-1, 1].

DanceGAN has no public code. What the thesis leaves open is as in the code of its baseline, Music-Dance-Video-Synthesis
(MDVS, Ren et al. 2020); where that code has an error, the text is the default and an option gives the code's way.
"""

import logging

import jax
import jax.numpy as jnp

from gganjax import losses
from gganjax.core import Field, Player
from gganjax.errors import InputError, check_choices
from gganjax.features import dance_style
from gganjax.nets.dance import AXES, HEADS, NOISE, DanceGenerator
from gganjax.nets.hcn import LEAST_FRAMES, GlobalDiscriminator, LocalDiscriminator
from gganjax.nets.stgcn import JOINTS, PERCEPTUAL_WEIGHTS
from gganjax.sound import FULL, PIECE

NOISE_DEVIATION = 0.33
CHOICES = {"head": HEADS, "conv_axis": AXES, "features": ("all", "reference")}
# The layers that the baseline's feature matching compares; its second third one was meant to be the fourth.
REFERENCE_FEATURES = (0, 1, 2, 2, 4, 5)

log = logging.getLogger("gganjax")


class DanceSkeleton:
    """The method; see `build` for its options."""

    name = "dance_skeleton"
    inputs = ("audio",)
    pools: dict[str, int] = {}
    stride = 1

    def __init__(self, *, frames, audio_scale, reference_features, generator, local_discriminator, global_discriminator,
                 style_run):
        self.audio_scale, self.reference_features = audio_scale, reference_features
        loudest = FULL / audio_scale
        self.fields = {"audio": Field(("B", frames, PIECE), -loudest, loudest),
                       "poses": Field(("B", frames, JOINTS, 2))}
        self.nets = {"generator": generator, "local_discriminator": local_discriminator,
                     "global_discriminator": global_discriminator}
        self.frozen = {}
        if style_run:
            self.nets["perceptual"], self.frozen["perceptual"], _ = dance_style.network(style_run)
        else:
            log.info("options.style_run is empty: the pose perceptual loss is off and its term 0")
        self.players = {
            "generator": Player(("generator",), self.generator_loss),
            "local_discriminator": Player(("local_discriminator",), self.local_loss),
            "global_discriminator": Player(("global_discriminator",), self.global_loss),
        }

    def rollout(self, key, call, batch):
        """The dance S of the music and of fresh noise, drawn for every frame."""
        return self.dance(key, call, batch)

    def dance(self, key, call, batch):
        """A dance for music of any length (of `frames` with conv_axis "frame"), {"fake_poses": [B, F, 18, 2]}."""
        noise = NOISE_DEVIATION * jax.random.normal(jax.random.fold_in(key, 0), (*batch["audio"].shape[:2], NOISE))
        return {"fake_poses": call("generator", self.heard(batch), noise, key=jax.random.fold_in(key, 1))}

    def heard(self, batch):
        """The music as the networks take it: amplitudes of 16 bits as floats."""
        return batch["audio"] * self.audio_scale

    def generator_loss(self, key, call, batch, out):
        """Thesis Eq. 7.5: adversarial of both discriminators, pose perceptual, feature matching, L1.

        The features are those of the global discriminator's convolutions on poses, dropout off.
        """
        keys = jax.random.split(key)
        audio, fake, real = self.heard(batch), out["fake_poses"], batch["poses"]
        terms = {"gan_local": losses.adversarial(call("local_discriminator", fake, key=keys[0]), True),
                 "gan_global": losses.adversarial(call("global_discriminator", fake, audio, key=keys[1]), True)}
        made, wanted = (matched(call("global_discriminator", x, audio, features=True), self.reference_features)
                        for x in (fake, real))
        terms["feature"] = feature_matching(made, wanted)
        terms["pixel"] = losses.pixel(fake, real)
        if "perceptual" in self.nets:
            made, wanted = call("perceptual", fake), call("perceptual", real)
            terms["perceptual"] = losses.perceptual(made, wanted, PERCEPTUAL_WEIGHTS)
        else:
            terms["perceptual"] = jnp.zeros(())
        return terms

    def local_loss(self, key, call, batch, out):
        """Windows of real and generated dances told apart."""
        fake = jax.lax.stop_gradient(out["fake_poses"])
        judged_real, judged_fake = call.together("local_discriminator", (batch["poses"],), (fake,), key=key)
        return {"real": losses.adversarial(judged_real, True), "fake": losses.adversarial(judged_fake, False)}

    def global_loss(self, key, call, batch, out):
        """Real and generated dances told apart beside their music, with a penalty on the slope over the poses alone.

        The slope is that of the probability, whose logarithm the baseline's loss takes, at one random point between
        the real and the generated dance of each music. The music is heard once for all three, where the baseline
        encodes it each time: that differs in what dropout draws and in how often the running statistics move.
        """
        keys = jax.random.split(key, 4)
        real, fake = batch["poses"], jax.lax.stop_gradient(out["fake_poses"])
        music = call("global_discriminator", real, self.heard(batch), key=keys[0], listen=True)
        judged_real, judged_fake = call.together("global_discriminator", (real, music), (fake, music), key=keys[1])
        judge = probability(lambda x: call("global_discriminator", x, music, key=keys[2], keep=False))
        shares = jax.random.uniform(keys[3], (len(real), 1, 1, 1))
        return {"real": losses.adversarial(judged_real, True), "fake": losses.adversarial(judged_fake, False),
                "penalty": losses.gradient_penalty(judge, real, fake, shares)}

    def sample(self, key, call, batch):
        """A dance to the music, another one for each key: {"fake_poses": [B, F, 18, 2]}."""
        return self.dance(key, call, batch)

    def panels(self, batch, out):
        """The generated dance beside the real one."""
        return {"generated": out["fake_poses"], "real": batch["poses"]}


def probability(judge):
    """The function poses -> sigmoid of what `judge` says of them."""
    return lambda poses: jax.nn.sigmoid(judge(poses))


def matched(stages, reference_features: bool = False) -> list:
    """The outputs of the six convolutions that feature matching compares; the baseline's code takes the third twice."""
    return [stages[i] for i in REFERENCE_FEATURES] if reference_features else list(stages)


def feature_matching(layers, target_layers) -> jax.Array:
    """L1 means between the convolutions' outputs, summed; no gradient flows into those of the target."""
    return losses.perceptual(layers, target_layers, [1.0] * len(layers))


def build(*, frames: int = 50, head: str = "thesis", spatial: bool = True, temporal: bool = True,
          conv_axis: str = "joint", style_run: str = "", features: str = "all", mdvs_view_bug: bool = False,
          audio_scale: float = 1.0, width: int = 256, first: int = 16, head_width: int = 1024, dropout: float = 0.5,
          discriminator_width: int = 64) -> DanceSkeleton:
    """Builds stage I; the defaults are the thesis' full model (row S1-4 with the thesis' own head) at its full size.

    Args:
      frames: of a dance, at 10 frames a second.
      head: "thesis", three linear layers with batch norm and ReLU, or the residual one of "mdvs".
      spatial: whether the generator has SSGA-Net (Eq. 7.1 and 7.2).
      temporal: whether it has CTGA-Net (Eq. 7.3 and 7.4).
      conv_axis: what SSGA-Net's convolutions mix: the coordinates of each frame, "joint", which fits music of any
        length, or the frames of each coordinate, "frame".
      style_run: run of `dance_style` whose ST-GCN the pose perceptual loss compares dances by; without one the term is
        0.
      features: of the global discriminator for feature matching: "all" six convolutions, or those of the "reference"
        code, which takes the third twice and leaves the fourth out.
      mdvs_view_bug: mix samples and frames of the encoded music in the global discriminator as the baseline's code
        does, for its published weights only.
      audio_scale: factor that brings the data's amplitudes to those of 16 bits: 1, or 32768 for music in [-1, 1].
      width, first: of the encoders of music, generator and global discriminator alike: the codes and the GRU, and the
        first convolution.
      head_width, dropout: of the generator's head and of both discriminators.
      discriminator_width: of the convolutions on poses, in both discriminators.
    """
    check_choices(CHOICES, head=head, conv_axis=conv_axis, features=features)
    for option, value, least in (("frames", frames, LEAST_FRAMES), ("width", width, 2), ("first", first, 1),
                                 ("head_width", head_width, 1), ("discriminator_width", discriminator_width, 2)):
        if value < least:
            raise InputError(f"options.{option} is {value}, expected at least {least}.")
    if not 0 < audio_scale <= FULL:
        raise InputError(f"options.audio_scale is {audio_scale}, expected above 0 and at most {FULL:g}.")
    return DanceSkeleton(
        frames=frames, audio_scale=audio_scale, reference_features=features == "reference", style_run=style_run,
        generator=DanceGenerator(JOINTS, head, spatial, temporal, conv_axis, width, first, head_width, dropout),
        local_discriminator=LocalDiscriminator(discriminator_width, dropout),
        global_discriminator=GlobalDiscriminator(discriminator_width, width, first, dropout, mdvs_view_bug))
