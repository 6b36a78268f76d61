"""SelectionGAN and SelectionGAN++: guided translation in two stages (Tang et al., CVPR 2019; thesis ch. 5).

Stage I: a U-Net Gi makes the coarse I'_g = Gi(I_a, S_g), and a small one re-predicts the guidance, S'_g = Gs(I'_g).
Stage II: Ga pools the last features of both at several scales, makes N images and N attention maps of them, and adds
up the fine I''_g; the same Gs reads S''_g = Gs(I''_g). Uncertainty maps, which Ga learns from its attention, weigh the
losses that compare images. One discriminator judges both stages beside I_a. SelectionGAN++ selects among the pooled
channels, too. In the code I_a is `source`, I_g is `target`, S_g is `target_guidance`; all are [B, H, W, 3] in [-1, 1].

Where the paper and its reference code differ, `build` says which is the default and gives the other as an option. The
arrangement inside Ga is the code's.
"""

import jax
import jax.numpy as jnp

from gganjax import losses
from gganjax.core import PICTURE, Player
from gganjax.errors import InputError, check_choices
from gganjax.layers import INITIALIZATIONS, concatenate
from gganjax.nets import selection
from gganjax.nets.patch import PatchDiscriminator
from gganjax.nets.unet import LEAST_LEVELS, UNetGenerator

SEES = ("both", "source", "guidance")
ORDERS = {"discriminator_first": ("discriminator", "generator"), "generator_first": ("generator", "discriminator")}
MAPS = (0, 1, 4)  # uncertainty maps
# Terms that compare what each stage made with what is given: its image, and the guidance read off it.
COMPARED = {"pixel": "target", "cycle": "guidance"}
RESULTS = ("fine", "coarse")
CHOICES = {
    "sees": SEES,
    "pooling": selection.POOLINGS,
    "channel_selection": selection.CHANNEL_SELECTIONS,
    "uncertainty_input": selection.UNCERTAINTY_INPUTS,
    "result": RESULTS,
    "update_order": tuple(ORDERS),
    "norm": ("batch", "instance"),
    "initialization": INITIALIZATIONS,
    "compute_dtype": ("float32", "bfloat16"),
}


class SelectionGAN:
    """The method; see `build` for its options."""

    name = "selectiongan"
    frozen: dict = {}
    pools: dict[str, int] = {}

    def __init__(self, *, guidance, sees, images, uncertainty_maps, add_plain_l1, total_variation, result, update_order,
                 nets):
        guide = "target_guidance" if guidance else "source"
        self.inputs = tuple(dict.fromkeys(("source", guide)))
        self.fields = dict.fromkeys((*self.inputs, "target"), PICTURE)
        self.sees = {"both": self.inputs, "source": ("source",), "guidance": (guide,)}[sees]
        self.images, self.uncertainty_maps, self.add_plain_l1 = images, uncertainty_maps, add_plain_l1
        self.total_variation, self.nets, self.stride = total_variation, nets, nets["image_generator"].stride
        self.reads = "guidance_generator" in nets
        self.stages = ("coarse", "fine") if images else ("coarse",)
        self.result = result if images else "coarse"
        self.other = next((stage for stage in self.stages if stage != self.result), None)
        given = {"target": "target", "guidance": guide}
        self.compared = {f"{term}_{stage}": (f"{stage}_{what}", given[what]) for term, what in COMPARED.items()
                         for stage in self.stages if what == "target" or self.reads}
        made = tuple(net for net in nets if net != "discriminator")
        players = {"discriminator": Player(("discriminator",), self.discriminator_loss),
                   "generator": Player(made, self.generator_loss)}
        self.players = {name: players[name] for name in ORDERS[update_order]}

    @property
    def looks(self):
        """Names of the pictures that `look` shows; their number is that of the options."""
        made = [f"{stage}_target" for stage in self.stages]
        if self.reads:
            made += [f"{stage}_guidance" for stage in self.stages]
        return (*made, *selection.look_names(self.images), *self.uncertainties)

    @property
    def uncertainties(self):
        """Names of the uncertainty maps: one for all losses, or the map of each."""
        names = {1: ("uncertainty",), 4: tuple(f"uncertainty_{term}" for term in self.compared)}
        return names.get(self.uncertainty_maps, ())

    def rollout(self, key, call, batch):
        """Both stages' images and what is read off them; with uncertainty also its maps, [B, H, W, 1 or 4]."""
        return self.translate(key, call, batch)[0]

    def translate(self, key, call, batch):
        """What `rollout` returns, and the parts that the fine image is made of, see `nets.selection.SelectionHead`."""
        keys, parts = [jax.random.fold_in(key, number) for number in range(4)], {}
        seen = concatenate(*(batch[name] for name in self.sees))
        coarse, features = call("image_generator", seen, key=keys[0], features=True)
        out = {"coarse_target": coarse}
        if self.reads:
            out["coarse_guidance"], read = call("guidance_generator", coarse, key=keys[1], features=True)
        if self.images:
            fine, parts = call("attention_generator", features, read, batch["source"], coarse, key=keys[2])
            out["fine_target"] = fine
            out["fine_guidance"] = call("guidance_generator", fine, key=keys[3])
            if self.uncertainty_maps:
                out["uncertainty"] = parts["uncertainty"]
        return out, parts

    def judged(self, call, batch, *candidates):
        """Logits of the discriminator for each of the images [B, H, W, 3], with I_a in front of it."""
        return call.together("discriminator", *((concatenate(batch["source"], image),) for image in candidates))

    def discriminator_loss(self, key, call, batch, out):
        """Images of both stages called fake, the target real."""
        *fakes, real = self.judged(call, batch, *(out[f"{stage}_target"] for stage in self.stages), batch["target"])
        terms = {f"fake_{stage}": losses.adversarial(fake, False)
                 for stage, fake in zip(self.stages, fakes, strict=True)}
        return terms | {"real": losses.adversarial(real, True)}

    def generator_loss(self, key, call, batch, out):
        """Adversarial terms of both stages, the comparisons of images and of guidance, total variation."""
        judged = self.judged(call, batch, *(out[f"{stage}_target"] for stage in self.stages))
        terms = {f"gan_{stage}": losses.adversarial(logits, True)
                 for stage, logits in zip(self.stages, judged, strict=True)}
        for number, (term, (made, given)) in enumerate(self.compared.items()):
            if self.uncertainty_maps:
                own = number if self.uncertainty_maps > 1 else 0
                terms[f"guided_{term}"] = losses.uncertainty_guided(
                    out[made], batch[given], out["uncertainty"][..., own : own + 1])
            if self.add_plain_l1 or not self.uncertainty_maps:
                terms[term] = losses.pixel(out[made], batch[given])
        if self.total_variation:  # the sum over the whole batch, as in the reference
            terms["tv"] = call.examples * losses.total_variation(out["fine_target"])
        return terms

    def sample(self, key, call, batch):
        """The translated image of the stage that counts as the result, the other stage's, and what is read off it.

        {"fake_target": [B, H, W, 3]}, with a second stage also "coarse_target" (or "fine_target", whichever is not the
        result), with a guidance generator "read_target_guidance" [B, H, W, 3].
        """
        out = self.rollout(key, call, batch)
        shown = {"fake_target": out[f"{self.result}_target"]}
        if self.other:
            shown[f"{self.other}_target"] = out[f"{self.other}_target"]
        if self.reads:
            shown["read_target_guidance"] = out[f"{self.result}_guidance"]
        return shown

    def look(self, key, call, batch, names):
        """The named pictures of `looks`: {name: [B, H, W, 1 or 3] in [-1, 1]}; maps are white where they are 1."""
        out, parts = self.translate(key, call, batch)
        out |= selection.looks(parts) if parts else {}
        out |= {name: selection.shade(parts["uncertainty"], k) for k, name in enumerate(self.uncertainties)}
        return {name: out[name] for name in names}

    def panels(self, batch, out):
        """Columns of the picture grid, in order: what is read off an image stands beside it."""
        columns = {title.replace("_", " "): batch[title] for title in self.inputs}
        if self.other == "coarse":
            columns["coarse"] = out["coarse_target"]
        columns["translated"] = out["fake_target"]
        if "read_target_guidance" in out:
            columns["read off the translation"] = out["read_target_guidance"]
        return columns | {"target": batch["target"]}


def build(*, guidance: bool = True, sees: str = "both", cycle: bool = True, images: int = 10, uncertainty_maps: int = 4,
          uncertainty_input: str = "attention", add_plain_l1: bool = False, total_variation: bool = True,
          pooling: str = "multiscale", channel_selection: str = "none", unused_layer: bool = False,
          result: str = "fine", update_order: str = "discriminator_first", width: int = 64, guidance_width: int = 4,
          attention_width: int = 104, levels: int = 8, dropout: float = 0.5, discriminator_width: int = 64,
          discriminator_layers: int = 3, norm: str = "batch", initialization: str = "normal",
          compute_dtype: str = "float32") -> SelectionGAN:
    """Builds SelectionGAN; the defaults are the full model (row H of Table 5.1) at the size for 256x256.

    Args:
      guidance: whether S_g is the field target_guidance. Without it the source is the structure itself, as the color
        picture of a label map is: S_g is I_a then, and Gi sees it once.
      sees: what Gi sees (rows A, B and C): "source", "guidance" or "both". The discriminator sees I_a in all of them.
      cycle: whether Gs re-predicts the guidance (row D); stage II needs it.
      images: N, the images that stage II selects from; 0 leaves stage II out (rows A to D).
      uncertainty_maps: 4, one for each comparison of images (paper), 1 for all (reference code, released weights), or 0:
        plain L1 losses.
      uncertainty_input: what the uncertainty maps are made of: the "attention" maps or their "logits", which a single
        image (row E) needs, as its attention is 1 everywhere.
      add_plain_l1: whether the plain L1 losses stand beside the uncertainty-guided ones (reference code).
      total_variation: whether the fine image has a total variation term (row G).
      pooling: of stage II: "multiscale" (row H), "none", or "squeeze", squeeze and excitation in its place.
      channel_selection: multi-scale channel selection of SelectionGAN++: "none"; "inverted", by the softmax of the
        negative inner products as in the reference code; "plain" as in the text.
      unused_layer: whether Ga has the layer that released checkpoints hold and never call. The published number of
        parameters, 55.4808M, counts it: 55,480,753 with one uncertainty map.
      result: which stage's image counts as the translation: "fine", or "coarse" (Table 5.2); training is the same.
      update_order: "discriminator_first" (reference code) or "generator_first" (paper).
      width, guidance_width: of Gi and Gs.
      attention_width: features of stage I in Ga; the two images stand behind them, 104 + 6 channels.
      levels: of both U-Nets: 8 at 256x256, 5 at 64x64.
      dropout: of the U-Nets' inner levels and of Ga.
      discriminator_width, discriminator_layers: of the discriminator; 3 layers see 70x70 pixels.
      norm: "batch" or "instance", of the U-Nets and the discriminator; Ga has none.
      initialization: of the U-Nets and the discriminator: "normal" (0.02), "xavier", "kaiming", "orthogonal" (0.02) or
        "torch".
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, sees=sees, pooling=pooling, channel_selection=channel_selection,
                  uncertainty_input=uncertainty_input, result=result, update_order=update_order, norm=norm,
                  initialization=initialization, compute_dtype=compute_dtype)
    for option, value, least in (("images", images, 0), ("levels", levels, LEAST_LEVELS)):
        if value < least:
            raise InputError(f"options.{option} is {value}, expected at least {least}.")
    if uncertainty_maps not in MAPS:
        raise InputError(f"options.uncertainty_maps is {uncertainty_maps}, expected one of {MAPS}.")
    if images and not cycle:
        raise InputError("options.cycle is False, but stage II (options.images) needs the features of the cycle.")
    if not images and (uncertainty_maps or total_variation):
        option = "uncertainty_maps" if uncertainty_maps else "total_variation"
        raise InputError(f"options.{option} is of stage II, but options.images is 0.")
    dtype = jnp.dtype(compute_dtype)
    unet = lambda size: UNetGenerator(3, size, levels, norm, dropout, dtype, initialization)
    nets = {"image_generator": unet(width)}
    if cycle:
        nets["guidance_generator"] = unet(guidance_width)
    if images:
        selecting = selection.Selection(
            images, uncertainty_maps, uncertainty_input, pooling, channel_selection, unused_layer, dtype)
        nets["attention_generator"] = selection.SelectionGenerator(selecting, attention_width, dropout, dtype)
    nets["discriminator"] = PatchDiscriminator(discriminator_width, discriminator_layers, norm, dtype, initialization)
    return SelectionGAN(
        guidance=guidance, sees=sees, images=images, uncertainty_maps=uncertainty_maps, add_plain_l1=add_plain_l1,
        total_variation=total_variation, result=result, update_order=update_order, nets=nets)
