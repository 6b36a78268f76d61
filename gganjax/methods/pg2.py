"""PG2: pose guided person generation in two stages (Ma et al., NIPS 2017).

G1 makes the coarse image I_B1 = G1(I_A, P_B) of the person of I_A in the pose P_B. Once it has learned, it rests, and
G2 makes a difference map: I_B2 = I_B1 + G2(I_B1, I_A), judged by a discriminator. In the code I_A is `source` and I_B
is `target`, [B, H, W, 3] in [-1, 1]; P_B is `target_guidance`, maps of K joints [B, H, W, K] in [0, 1]; the pose mask
M_B is `target_mask`, [B, H, W, 1] of 0 and 1. I_B1 and I_B2 have no bounds; they are clipped where they are shown.

Where the paper and its published code differ, the paper is the default and an option gives the other. The code draws a
new batch for each update of a step; here all players of a step see one.
"""

import jax.numpy as jnp
from jax import lax

from gganjax import losses
from gganjax.core import Field, Player
from gganjax.errors import InputError, check_choices
from gganjax.layers import concatenate
from gganjax.nets import pg2

# What the discriminator of the published code judges at once, along the batch and with common statistics.
TRIPLETS = {"triplet_market": ("real", "source", "coarse", "fake"), "triplet_df256": ("real", "fake", "source")}
CHOICES = {
    "pose": pg2.POSES,
    "discriminator": ("pairs", *TRIPLETS, "none"),
    "compute_dtype": ("float32", "bfloat16"),
}
LEAST_LEVELS = 3  # G2 has two levels less


class PG2:
    """The method; see `build` for its options."""

    name = "pg2"
    inputs = ("source", "target_guidance")
    frozen: dict = {}
    pools: dict[str, int] = {}

    def __init__(self, *, channels, mask_loss, discriminator, coarse_steps, signed_maps, nets):
        self.mask_loss, self.judged_as, self.signed_maps, self.nets = mask_loss, discriminator, signed_maps, nets
        self.stride, self.pose_form = nets["coarse"].stride, nets["coarse"].pose
        self.fields = {name: Field(("B", "H", "W", 3)) for name in ("source", "target")}
        self.fields["target_guidance"] = Field(("B", "H", "W", channels), 0.0, 1.0)
        if mask_loss:
            self.fields["target_mask"] = Field(("B", "H", "W", 1), 0.0, 1.0)
        border = coarse_steps if "refiner" in nets else None
        self.result = "coarse" if border is None else "fine"
        self.players = {"coarse": Player(("coarse",), self.coarse_loss, last=border)}
        if border is not None:
            self.players["refiner"] = Player(("refiner",), self.refiner_loss, first=border)
        if "discriminator" in nets:
            self.players["discriminator"] = Player(("discriminator",), self.discriminator_loss, first=border or 0)

    def pose(self, maps):
        """The pose as G1 takes it: the maps, from -1 to 1 if they are signed, or the joints' coordinates."""
        if self.pose_form == "coordinates":
            return pg2.coordinates(maps)
        return 2 * maps - 1 if self.signed_maps else maps

    def rollout(self, key, call, batch):
        """The coarse image, and with a refiner the fine one."""
        out = {"coarse": call("coarse", batch["source"], self.pose(batch["target_guidance"]))}
        if "refiner" in self.nets:
            coarse = lax.stop_gradient(out["coarse"])  # G1 learns nothing from G2
            out["fine"] = coarse + call("refiner", concatenate(coarse, batch["source"]))
        return out

    def distance(self, image, batch):
        """The term that compares with the target: the pose mask loss (Eq. 1 and 4), or L1.

        The means are over all pixels, so the pose mask loss is the mean of |image - I_B| (1 + M_B).
        """
        pixel = losses.pixel(image, batch["target"])
        if not self.mask_loss:
            return {"pixel": pixel}
        mask = batch["target_mask"]
        return {"mask": pixel + losses.pixel(image * mask, batch["target"] * mask)}

    def judged(self, call, batch, out):
        """Logits of the discriminator by what it judges: "real" and "fake", in a triplet also "source" and "coarse".

        Pairs are an image and I_A along the channels, and either kind has its own statistics. In a triplet, images
        stand behind each other along the batch and share them; the condition image I_A counts as a fake.
        """
        seen = {"real": batch["target"], "fake": out[self.result], "source": batch["source"], "coarse": out["coarse"]}
        if self.judged_as == "pairs":
            kinds = ("real", "fake")
            logits = call.together("discriminator", *((concatenate(seen[kind], batch["source"]),) for kind in kinds))
            return dict(zip(kinds, logits, strict=True))
        # Without a refiner the coarse image is the fake, and stands in its place alone.
        kinds = [kind for kind in TRIPLETS[self.judged_as] if kind != "coarse" or self.result == "fine"]
        logits = call("discriminator", jnp.concatenate([seen[kind] for kind in kinds]))
        return dict(zip(kinds, jnp.split(logits, len(kinds)), strict=True))

    def fool(self, call, batch, out):
        """Adversarial terms of the generator (Eq. 3); none without a discriminator.

        The code for DeepFashion also wants I_A taken for real, which reaches G2 through the common statistics.
        """
        if self.judged_as == "none":
            return {}
        if self.judged_as == "pairs":  # the real pairs have no say
            logits = {"fake": call("discriminator", concatenate(out[self.result], batch["source"]))}
        else:
            logits = self.judged(call, batch, out)
        wanted = {"gan": "fake", "gan_source": "source"} if self.judged_as == "triplet_df256" else {"gan": "fake"}
        return {term: losses.adversarial(logits[kind], True) for term, kind in wanted.items()}

    def coarse_loss(self, key, call, batch, out):
        """Terms of G1: its distance from the target (Eq. 1); without a refiner the adversarial ones, too."""
        return self.distance(out["coarse"], batch) | (self.fool(call, batch, out) if self.result == "coarse" else {})

    def refiner_loss(self, key, call, batch, out):
        """Terms of G2: adversarial (Eq. 3), and the distance of the fine image from the target (Eq. 4)."""
        return self.distance(out["fine"], batch) | self.fool(call, batch, out)

    def discriminator_loss(self, key, call, batch, out):
        """Real and generated images told apart (Eq. 2), in a triplet the condition image as well."""
        judged = self.judged(call, batch, out)
        return {kind: losses.adversarial(judged[kind], kind == "real")
                for kind in ("real", "source", "fake") if kind in judged}

    def sample(self, key, call, batch):
        """The translated image, and the coarse one if that is another: {"fake_target", "coarse": [B, H, W, 3]}.

        Until the second stage the fine image is the coarse one under the difference map of an untrained refiner.
        """
        out = {name: jnp.clip(image, -1, 1) for name, image in self.rollout(key, call, batch).items()}
        coarse = {"coarse": out["coarse"]} if self.result == "fine" else {}
        return {"fake_target": out[self.result]} | coarse

    def panels(self, batch, out):
        """Columns of the picture grid, in order: the two stages side by side."""
        stages = {"coarse": out["coarse"], "fine": out["fake_target"]} if "coarse" in out else {
            "translated": out["fake_target"]}
        return {"source": batch["source"], "target pose": batch["target_guidance"]} | stages | {
            "target": batch["target"]}


def build(*, guidance_channels: int = 18, pose: str = "concat", mask_loss: bool = True, refiner: bool = True,
          discriminator: str = "pairs", coarse_steps: int = 22_000, signed_maps: bool = False, width: int = 128,
          levels: int = 5, code: int = 64, pose_code: int = 64, top_skip: bool = False, discriminator_width: int = 64,
          discriminator_layers: int = 4, compute_dtype: str = "float32") -> PG2:
    """Builds PG2; the defaults are the paper's full model (row G1+G2+D of Table 1) for Market-1501 at 128x64.

    Args:
      guidance_channels: K, 18 for maps of the joints, 3 for drawn pictures.
      pose: how G1 sees the pose (rows of Table 1): "concat", maps behind the image's channels; "coordinates" (CE),
        which are read off the maps; "heatmaps" (HME), maps through an encoder of their own.
      mask_loss: whether the distance from the target is the pose mask loss, which needs the field target_mask;
        otherwise it is L1.
      refiner: whether there is a second stage; without it a discriminator judges G1.
      discriminator: "pairs" of an image and I_A (paper, Eq. 2 and 3); "triplet_market" or "triplet_df256", single
        images in one batch as in the published code for Market-1501 or DeepFashion, which released weights need;
        or "none".
      coarse_steps: length of stage I in steps, after which G1 rests and G2 and the discriminator begin.
      signed_maps: whether G1 sees maps of -1 and 1 (code; released weights need it) in place of 0 and 1 (paper). It
        changes nothing about coordinates.
      width: of G1 and G2.
      levels: of G1; 5 at 128x64, 6 at 256x256. G2 has two less.
      code: numbers in G1's fully connected bottleneck.
      pose_code: numbers of the embedding of the pose beside it, of CE and HME.
      top_skip: whether G2's level of full size has a skip; it has in the code for DeepFashion.
      discriminator_width, discriminator_layers: 4 layers at 128x64, 5 at 256x256.
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, pose=pose, discriminator=discriminator, compute_dtype=compute_dtype)
    for option, value, least in (("guidance_channels", guidance_channels, 1), ("coarse_steps", coarse_steps, 1),
                                 ("levels", levels, LEAST_LEVELS), ("code", code, 1), ("pose_code", pose_code, 1),
                                 ("discriminator_layers", discriminator_layers, 1)):
        if value < least:
            raise InputError(f"options.{option} is {value}, expected at least {least}.")
    dtype = jnp.dtype(compute_dtype)
    nets = {"coarse": pg2.CoarseGenerator(width, code, levels, pose, pose_code, dtype)}
    if refiner:
        nets["refiner"] = pg2.Refiner(width, levels - 2, top_skip, dtype)
    if discriminator != "none":
        nets["discriminator"] = pg2.DCGANDiscriminator(discriminator_width, discriminator_layers, dtype)
    return PG2(channels=guidance_channels, mask_loss=mask_loss, discriminator=discriminator, coarse_steps=coarse_steps,
               signed_maps=signed_maps, nets=nets)
