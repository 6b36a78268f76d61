"""SelectionGAN for persons: a picture brought into another pose in two stages (thesis ch. 5).

Stage I is PATN: I_t' = G1(I_s, P_s, P_t). Stage II sees the source, the maps of both poses, the coarse image and the
last features of stage I, and selects the fine image as in `gganjax/methods/selectiongan.py`. The appearance
discriminator judges images beside I_s, the shape discriminator beside P_t. I_s and I_t are `source` and `target`,
[B, H, W, 3] in [-1, 1]; P_s and P_t are `source_guidance` and `target_guidance`, [B, H, W, K] in [0, 1].

In the reference code plain L1 and perceptual terms carry no gradient, and the appearance discriminator never teaches
stage I. Here both do, unless an option says otherwise.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from gganjax import features, losses
from gganjax.core import PICTURE, Field, Player
from gganjax.errors import InputError, check_choices
from gganjax.layers import concatenate
from gganjax.nets import selection
from gganjax.nets.patn import PATNGenerator
from gganjax.nets.pose import PoseDiscriminator
from gganjax.posetransfer import CHOICES as RECIPE
from gganjax.posetransfer import CONDITIONS, LAYER, seen

STAGES = ("coarse", "fine")
MAPS = (0, 1, 2)  # uncertainty maps
CHOICES = {name: RECIPE[name] for name in ("norm", "adversarial", "perceptual", "compute_dtype")} | {
    "pooling": selection.POOLINGS, "channel_selection": selection.CHANNEL_SELECTIONS}


class PersonSelectionGAN:
    """The method; see `build` for its options."""

    name = "selectiongan_person"
    inputs = ("source", "source_guidance", "target_guidance")

    def __init__(self, *, channels, uncertainty_maps, similarity, appearance_of_coarse, plain_gradients, adversarial,
                 perceptual, pool_size, nets, dtype):
        self.uncertainty_maps, self.similarity, self.plain_gradients = uncertainty_maps, similarity, plain_gradients
        self.adversarial, self.nets, self.frozen = adversarial, nets, {}
        self.stride, self.images = nets["generator"].stride, nets["attention_generator"].images
        # The stages that each discriminator judges.
        self.judged = {"appearance": STAGES if appearance_of_coarse else ("fine",), "shape": STAGES}
        maps = Field(("B", "H", "W", channels), 0.0, 1.0)
        self.fields = {"source": PICTURE, "target": PICTURE, "source_guidance": maps, "target_guidance": maps}
        self.pools = {f"{judge}_{stage}": pool_size for judge, stages in self.judged.items() for stage in stages}
        if perceptual != "none":
            self.nets["perceptual"], self.frozen["perceptual"] = features.perceptual(
                perceptual, normalized=True, taps=(LAYER,), dtype=dtype)
        self.players = {"generator": Player(("generator", "attention_generator"), self.generator_loss)}
        for judge in CONDITIONS:
            self.players[f"{judge}_discriminator"] = Player(
                (f"{judge}_discriminator",), partial(self.discriminator_loss, judge=judge))

    @property
    def looks(self):
        """Names of the pictures that `look` shows; their number is that of the options."""
        return ("coarse_target", *selection.look_names(self.images), *self.uncertainties)

    @property
    def uncertainties(self):
        """Names of the uncertainty maps: one for both stages, or the map of each."""
        return ("uncertainty",) if self.uncertainty_maps == 1 else tuple(
            f"uncertainty_{stage}" for stage in STAGES[: self.uncertainty_maps])

    def rollout(self, key, call, batch):
        """Both stages' images, and with uncertainty its maps [B, H, W, 1 or 2]."""
        return self.translate(key, call, batch)[0]

    def translate(self, key, call, batch):
        """What `rollout` returns, and the parts that the fine image is made of, see `nets.selection.SelectionHead`."""
        poses = concatenate(batch["source_guidance"], batch["target_guidance"])
        coarse, last = call("generator", batch["source"], poses, key=key, features=True)
        known = (batch["source"], poses, coarse)
        fine, parts = call("attention_generator", concatenate(*(x.astype(last.dtype) for x in known), last))
        out = {"coarse_target": coarse, "fine_target": fine}
        return out | ({"uncertainty": parts["uncertainty"]} if self.uncertainty_maps else {}), parts

    def generator_loss(self, key, call, batch, out):
        """Adversarial terms of each discriminator and stage, comparisons of both stages, SSIM and total variation."""
        terms = {}
        for number, (judge, stages) in enumerate(self.judged.items()):
            inputs = ((seen(out[f"{stage}_target"], batch, judge),) for stage in stages)
            judged = call.together(f"{judge}_discriminator", *inputs, key=jax.random.fold_in(key, number))
            terms |= {f"gan_{judge}_{stage}": losses.adversarial(logits, True, self.adversarial)
                      for stage, logits in zip(stages, judged, strict=True)}
        felt = (lambda term: term) if self.plain_gradients else lax.stop_gradient
        target = batch["target"]
        for number, stage in enumerate(STAGES):
            image = out[f"{stage}_target"]
            terms[f"pixel_{stage}"] = felt(losses.pixel(image, target))
            if "perceptual" in self.nets:
                (made,), (wanted,) = call("perceptual", image), call("perceptual", target)
                terms[f"perceptual_{stage}"] = felt(losses.pixel(made, lax.stop_gradient(wanted)))
            if self.uncertainty_maps:
                own = number if self.uncertainty_maps > 1 else 0
                terms[f"guided_{stage}"] = losses.uncertainty_guided(
                    image, target, out["uncertainty"][..., own : own + 1])
            terms[f"tv_{stage}"] = call.examples * losses.total_variation(image)
        if self.similarity:
            terms["ssim"] = losses.ssim(out["fine_target"], target)
        return terms

    def discriminator_loss(self, key, call, batch, out, *, judge):
        """Real against new and remembered fakes of each stage, each kind normalized by its own statistics."""
        stages = self.judged[judge]
        fakes = [call.past(f"{judge}_{stage}", seen(out[f"{stage}_target"], batch, judge)) for stage in stages]
        inputs = ((x,) for x in (*fakes, seen(batch["target"], batch, judge)))
        *judged, real = call.together(f"{judge}_discriminator", *inputs, key=key)
        terms = {f"fake_{stage}": losses.adversarial(logits, False, self.adversarial)
                 for stage, logits in zip(stages, judged, strict=True)}
        return terms | {"real": losses.adversarial(real, True, self.adversarial)}

    def sample(self, key, call, batch):
        """The person in the target pose and what stage I made: {"fake_target", "coarse_target": [B, H, W, 3]}."""
        out = self.rollout(key, call, batch)
        return {"fake_target": out["fine_target"], "coarse_target": out["coarse_target"]}

    def look(self, key, call, batch, names):
        """The named pictures of `looks`: {name: [B, H, W, 1 or 3] in [-1, 1]}; maps are white where they are 1."""
        out, parts = self.translate(key, call, batch)
        shown = out | selection.looks(parts)
        shown |= {name: selection.shade(parts["uncertainty"], k) for k, name in enumerate(self.uncertainties)}
        return {name: shown[name] for name in names}

    def panels(self, batch, out):
        """Columns of the picture grid, in order."""
        return {"source": batch["source"], "target guidance": batch["target_guidance"], "coarse": out["coarse_target"],
                "translated": out["fake_target"], "target": batch["target"]}


def build(*, guidance_channels: int = 18, images: int = 10, uncertainty_maps: int = 2, pooling: str = "multiscale",
          channel_selection: str = "none", similarity: bool = False, appearance_of_coarse: bool = True,
          plain_gradients: bool = True, width: int = 64, blocks: int = 9, dropout: float = 0.5, norm: str = "batch",
          adversarial: str = "vanilla", perceptual: str = "auto", pool_size: int = 0, discriminator_width: int = 64,
          discriminator_blocks: int = 3, compute_dtype: str = "float32") -> PersonSelectionGAN:
    """Builds the person form; the defaults are Market's settings.

    Args:
      guidance_channels: K, 18 for heat maps of the joints, 3 for drawn pictures.
      images: N, the images that stage II selects from.
      uncertainty_maps: 2, one for each stage (paper), 1 for both (reference code, released weights), or 0.
      pooling: of stage II: "multiscale", "none" or "squeeze".
      channel_selection: "none", "inverted" or "plain", see `nets.selection.ChannelSelection`.
      similarity: whether the fine image's SSIM is a term (DeepFashion).
      appearance_of_coarse: whether the appearance discriminator judges stage I, too; not in the reference code.
      plain_gradients: whether plain L1 and perceptual terms move anything; in the reference code they are numbers only.
      width, blocks: of PATN.
      dropout: of PATN and the discriminators; stage II has none.
      norm: "batch" (Market) or "instance" (DeepFashion), of PATN and the discriminators.
      adversarial: "vanilla" (Market) or "least_squares" (DeepFashion).
      perceptual: frozen network of the perceptual loss at its relu1_2: "vgg19", "vgg16", "auto" (VGG19 where its file
        is) or "none".
      pool_size: remembered fakes of each discriminator and stage, with what it sees behind them.
      discriminator_width, discriminator_blocks: of both discriminators.
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, pooling=pooling, channel_selection=channel_selection, norm=norm, adversarial=adversarial,
                  perceptual=perceptual, compute_dtype=compute_dtype)
    for option, value, least in (("guidance_channels", guidance_channels, 1), ("images", images, 1),
                                 ("blocks", blocks, 1), ("pool_size", pool_size, 0)):
        if value < least:
            raise InputError(f"options.{option} is {value}, expected at least {least}.")
    if uncertainty_maps not in MAPS:
        raise InputError(f"options.uncertainty_maps is {uncertainty_maps}, expected one of {MAPS}.")
    dtype = jnp.dtype(compute_dtype)
    judge = PoseDiscriminator(discriminator_width, discriminator_blocks, norm, dropout, dtype)
    nets = {"generator": PATNGenerator(width, blocks, norm, dropout, dtype),
            "attention_generator": selection.Selection(images, uncertainty_maps, pooling=pooling,
                                                       channel_selection=channel_selection, dtype=dtype)}
    nets |= {f"{one}_discriminator": judge for one in CONDITIONS}
    return PersonSelectionGAN(
        channels=guidance_channels, uncertainty_maps=uncertainty_maps, similarity=similarity,
        appearance_of_coarse=appearance_of_coarse, plain_gradients=plain_gradients, adversarial=adversarial,
        perceptual=perceptual, pool_size=pool_size, nets=nets, dtype=dtype)
