"""LGGAN across views: local class-specific and global image generation (Tang et al., CVPR 2020; thesis 6.3).

One encoder sees the picture and the target guidance, S_g; its heads make an image of each class inside the class's
mask, whose sum is the local image, a global image, and weights that fuse both. One discriminator judges each of the
three images behind the source, another behind the guidance. In the code x is `source`, I_g `target`, S_g
`target_guidance`, [B, H, W, 3] in [-1, 1], and the classes of the target are `target_classes`, int32 [B, H, W], 1 to 6,
0 for void. LGGAN++ has semantic-aware upsampling in it (thesis 6.5). The form of label maps is `lggan_semantic`.

Where the text and its code differ, the code is the default and an option gives the other.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from gganjax import features, losses
from gganjax.core import PICTURE, Field, Player
from gganjax.errors import InputError, check_choices
from gganjax.layers import concatenate
from gganjax.nets import upsampling
from gganjax.nets.lggan import CrossViewGenerator
from gganjax.nets.localglobal import ENLARGE, FUSIONS, class_masks
from gganjax.nets.patch import PatchDiscriminator
from gganjax.nets.upsampling import POINTS, check_points

# The images that are judged, by the suffix of their terms.
IMAGES = {"": "fake_target", "_global": "fake_global", "_local": "fake_local"}
JUDGES = ("source", "guidance")  # what each discriminator sees before the candidate
CLASS_LOSSES = ("none", "mean", "sum")
CHOICES = {
    "upsampler": (ENLARGE, *upsampling.KINDS),
    "fusion": FUSIONS,
    "class_loss": CLASS_LOSSES,
    "perceptual": (*features.PERCEPTUAL, "none"),
    "update_order": ("discriminators_first", "generator_first"),
    "compute_dtype": ("float32", "bfloat16"),
}


class LGGAN:
    """The method; see `build` for its options."""

    name = "lggan"
    pools: dict[str, int] = {}

    def __init__(self, *, labels, generator, discriminator, class_loss, perceptual, total_variation, update_order,
                 dtype):
        self.labels, self.class_loss, self.total_variation = labels, class_loss, total_variation
        self.stride, self.looks = generator.stride, generator.looks
        classes = {"labels" if labels else "target_classes": Field(("B", "H", "W"), 0, generator.classes - labels)}
        pictures = ("source",) if labels else ("source", "target_guidance")
        self.inputs = (*pictures, *classes)
        self.fields = dict.fromkeys((*pictures, "target"), PICTURE) | classes
        judges = tuple(f"discriminator_{judge}" for judge in JUDGES)
        self.nets, self.frozen = {"generator": generator} | dict.fromkeys(judges, discriminator), {}
        if perceptual != "none":
            self.nets["perceptual"], self.frozen["perceptual"] = features.perceptual(perceptual, dtype=dtype)
        players = {"discriminators": Player(judges, self.discriminator_loss),
                   "generator": Player(("generator",), self.generator_loss)}
        order = tuple(players) if update_order == "discriminators_first" else tuple(reversed(players))
        self.players = {name: players[name] for name in order}

    def rollout(self, key, call, batch):
        """The one generator pass: the result, the global and the local image, those of the classes, weights, scores."""
        return self.generate(key, call, batch)

    def seen(self, batch):
        """What the discriminators see before the candidate, and the generator behind each other, by `JUDGES`."""
        return dict(zip(JUDGES, (batch["source"], batch["source" if self.labels else "target_guidance"]), strict=True))

    def classes(self, batch):
        """The target's classes from 1 on, int32 [B, H, W]; 0 is void."""
        return batch["labels"] + 1 if self.labels else batch["target_classes"]

    def generate(self, key, call, batch, **options):
        """The generator's dictionary, see `nets.lggan.CrossViewGenerator`; `options` go to it."""
        return call("generator", concatenate(*self.seen(batch).values()), self.classes(batch), key=key, **options)

    def judged_by(self, call, batch, judge, images):
        """Logits of one discriminator for each image, which stands behind what that discriminator sees."""
        before = self.seen(batch)[judge]
        return call.together(f"discriminator_{judge}", *((concatenate(before, image),) for image in images))

    def generator_loss(self, key, call, batch, out):
        """Adversarial, L1, perceptual and total variation of the three images, L1 of the class images, class loss.

        An adversarial, perceptual or total-variation term is the sum over the three; the latter is a plain sum over all
        pictures of the batch.
        """
        target, count = batch["target"], out["class_images"].shape[3]
        images = {suffix: out[name] for suffix, name in IMAGES.items()}
        terms = {f"gan_{judge}": sum(losses.adversarial(logits, True) for logits in self.judged_by(
            call, batch, judge, images.values())) for judge in JUDGES}
        terms |= {f"pixel{suffix}": losses.pixel(image, target) for suffix, image in images.items()}
        masks = class_masks(self.classes(batch) - 1, count)
        terms["classes"] = losses.class_pixel(out["class_images"], target, masks)
        if self.class_loss != "none":
            terms["class"] = losses.class_loss(out["scores"], masks.max((1, 2)), self.class_loss)
        if "perceptual" in self.nets:
            found = call("perceptual", jnp.concatenate([*images.values(), target]))
            made, wanted = zip(*((x[: -len(target)], x[-len(target):]) for x in found), strict=True)
            wanted = [jnp.concatenate([x] * len(images)) for x in wanted]
            terms["perceptual"] = len(images) * losses.perceptual(made, wanted)
        if self.total_variation:
            terms["tv"] = call.examples * sum(losses.total_variation(image) for image in images.values())
        return terms

    def discriminator_loss(self, key, call, batch, out):
        """Each of the three images against the real one, which counts as often."""
        fakes, terms = [jax.lax.stop_gradient(out[name]) for name in IMAGES.values()], {}
        for judge in JUDGES:
            *fake, real = self.judged_by(call, batch, judge, [*fakes, batch["target"]])
            terms[f"{judge}_fake"] = sum(losses.adversarial(logits, False) for logits in fake)
            terms[f"{judge}_real"] = len(fakes) * losses.adversarial(real, True)
        return terms

    def sample(self, key, call, batch):
        """The translated image: {"fake_target": [B, H, W, 3]}, an excess of [-1, 1] cut off."""
        return {"fake_target": jnp.clip(self.generate(key, call, batch)["fake_target"], -1, 1)}

    def look(self, key, call, batch, names):
        """The named pictures of the generator's inside, of those in `looks`: {name: [B, H, W, 1 or 3] in [-1, 1]}."""
        out = self.generate(key, call, batch, details=True)
        return {name: jnp.clip(out[name], -1, 1) for name in names}

    def panels(self, batch, out):
        """Columns of the picture grid, in order."""
        guidance = {} if self.labels else {"target guidance": batch["target_guidance"]}
        return {"source": batch["source"]} | guidance | {"translated": out["fake_target"], "target": batch["target"]}


def build(*, classes: int = 6, labels: bool = False, upsampler: str = ENLARGE, sau_local: bool = False,
          fusion: str = "weights", weight_norm: bool = False, class_loss: str = "none", divide_by_area: bool = False,
          kernel_points: Sequence[Sequence[float]] = POINTS, perceptual: str = "auto", total_variation: bool = True,
          update_order: str = "discriminators_first", width: int = 64, blocks: int = 9, discriminator_width: int = 64,
          discriminator_layers: int = 3, compute_dtype: str = "float32") -> LGGAN:
    """Builds LGGAN across views; the defaults are the released code's full model at its full size.

    Args:
      classes: that have an image of their own, numbered from 1.
      labels: for label maps and photos in the place of strips: the map's colors are source and guidance, its numbers,
        from 0 on, the classes.
      upsampler: of the global head: "transposed" convolutions (LGGAN), "sau" (LGGAN++) or another one of
        `nets.upsampling.KINDS`.
      sau_local: whether one SAU doubles the encoder's code for all heads, the text's f' = SAU(f).
      fusion: of the local and the global image, "weights" or "mean".
      weight_norm: whether an instance norm and ReLU stand in front of the weights' softmax (text), or nothing (code).
      class_loss: the text's classification loss, a "mean" over the classes that are there or its "sum"; the code has
        "none" across views.
      divide_by_area: whether features are averaged over their class for it, or over all pixels (code).
      kernel_points: points (share of the height, of the width) at which the looks show SAU's weights.
      perceptual: frozen network: "vgg19", "vgg16", "auto" (VGG19 where its file is) or "none".
      total_variation: whether the images are charged for their variation.
      update_order: "discriminators_first" (code: the generator is judged by them as updated) or "generator_first".
      width, blocks: of the generator.
      discriminator_width, discriminator_layers: of both discriminators; 3 layers see 70x70 pixels.
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, upsampler=upsampler, fusion=fusion, class_loss=class_loss, perceptual=perceptual,
                  update_order=update_order, compute_dtype=compute_dtype)
    if classes < 1:
        raise InputError(f"options.classes is {classes}, expected at least 1.")
    points, dtype = check_points(kernel_points), jnp.dtype(compute_dtype)
    generator = CrossViewGenerator(width, blocks, classes, upsampler, sau_local, fusion, weight_norm,
                                   class_loss != "none", divide_by_area, points, dtype)
    discriminator = PatchDiscriminator(discriminator_width, discriminator_layers, dtype=dtype)
    return LGGAN(labels=labels, generator=generator, discriminator=discriminator, class_loss=class_loss,
                 perceptual=perceptual, total_variation=total_variation, update_order=update_order, dtype=dtype)
