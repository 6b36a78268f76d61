"""LGGAN from label maps: local class-specific and global image generation on GauGAN's generator (thesis 6.3, 6.5).

The recipe is that of `gganjax/synthesis.py`. To GauGAN's picture, the global image, come one for each class inside the
class's mask, what a convolution makes of all of these, the local image, and weights that fuse both. The discriminator
judges all three behind the semantics, and a classifier shall tell the class from the features inside its mask. LGGAN++
has semantic-aware upsampling in the global branch. The form across views is `lggan`.

Where the text and its code differ, the code is the default and an option gives the other.
"""

from collections.abc import Sequence
from functools import partial

import jax.numpy as jnp

from gganjax import losses
from gganjax.errors import InputError, check_choices
from gganjax.methods.lggan import CLASS_LOSSES, IMAGES
from gganjax.nets import spade, upsampling
from gganjax.nets.lggan import SemanticGenerator
from gganjax.nets.localglobal import FUSIONS, LOCALS, class_masks
from gganjax.nets.spade import SpadeTrunk
from gganjax.nets.upsampling import POINTS, check_points
from gganjax.synthesis import CHOICES as RECIPE
from gganjax.synthesis import Judged, Semantics, Synthesis

CHOICES = RECIPE | {
    "upsampling": tuple(spade.HALVINGS),
    "upsampler": upsampling.KINDS,
    "norm": spade.NORMS,
    "local": LOCALS,
    "fusion": FUSIONS,
    "class_loss": CLASS_LOSSES,
    "class_masks": ("correct", "reference"),
}
MISTAKEN = 27  # the class in whose place the reference's L1 takes the mask of the class before


def build(*, classes: int = 35, unknown: bool = False, instances: bool = True, unknown_first: bool = False,
          local_classes: int = 0, local: str = "conv", fusion: str = "weights", weight_norm: bool = False,
          class_loss: str = "mean", divide_by_area: bool = False, class_masks: str = "correct", pixel: bool = False,
          sau_local: bool = False, kernel_points: Sequence[Sequence[float]] = POINTS, width: int = 64,
          blocks: int = 9, upsampling: str = "normal", upsampler: str = "nearest", norm: str = "batch",
          hidden: int = 128, remat: bool = False, adversarial: str = "hinge", feature_matching: bool = True,
          perceptual: str = "auto", discriminator_width: int = 64, discriminator_layers: int = 4,
          discriminator_scales: int = 2, discriminator_norm: str = "instance",
          spectral_initialization: str = "torch_kernels", compute_dtype: str = "float32") -> Synthesis:
    """Builds LGGAN for label maps; the defaults are those of Cityscapes but for its "more" upsampling.

    Args:
      classes, unknown, instances, unknown_first: what the networks see, see `synthesis.Semantics`.
      local_classes: classes with an image of their own, the unknown one included; of fewer than there are, the last
        stands for all others and is not classified (ADE20K: 52). 0 means all.
      local: how class images become the local image: "conv", a 3x3 convolution and tanh, or their "sum".
      fusion: of the local and the global image, "weights" or "mean".
      weight_norm: whether an instance norm and ReLU stand in front of the weights' softmax (text), or nothing (code).
      class_loss: "mean" over the classes that are there (code), "sum" (text) or "none".
      divide_by_area: whether features are averaged over their class for it (text), or over all pixels (code).
      class_masks: of the L1 between class images and target: "correct", or "reference" for its mistake on Cityscapes,
        where class 27 is given the mask of class 26.
      pixel: whether L1 terms of the three images are added; the published scripts leave them out.
      sau_local: whether one SAU, too, doubles what the local head and the weights enlarge (f' = SAU(f)).
      kernel_points: points (share of the height, of the width) at which the looks show SAU's weights.
      width: of the last features of GauGAN's trunk, and of the encoder and the local head.
      blocks: residual ones of the local head.
      upsampling, upsampler, norm, hidden, remat: of the trunk, see `nets.spade.SpadeTrunk`; upsampler "sau" is LGGAN++.
      adversarial, feature_matching, perceptual, discriminator_width, discriminator_layers, discriminator_scales,
        discriminator_norm: see `synthesis.Synthesis`.
      spectral_initialization: of all layers with spectral norm: "torch_kernels" or "xavier_small", see `nets.spade`.
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, upsampling=upsampling, upsampler=upsampler, norm=norm, local=local, fusion=fusion,
                  class_loss=class_loss, class_masks=class_masks, spectral_initialization=spectral_initialization,
                  compute_dtype=compute_dtype)
    labels = classes + unknown
    if not 0 <= local_classes <= labels or local_classes == 1:
        raise InputError(f"options.local_classes is {local_classes}, expected 0 or from 2 to the {labels} classes.")
    trunk = SpadeTrunk(width, upsampling, 0, norm, upsampler, hidden, remat=remat, dtype=jnp.dtype(compute_dtype),
                       spectral_initial=spectral_initialization)
    generator = SemanticGenerator(
        trunk, blocks, labels, local_classes or labels, local, sau_local, fusion, weight_norm,
        class_loss != "none", divide_by_area, points=check_points(kernel_points))
    extra = partial(further_terms, generator=generator, class_loss=class_loss, mistaken=class_masks == "reference",
                    pixel=pixel)
    return Synthesis(
        name="lggan_semantic", generator=generator,
        semantics=Semantics(classes, unknown, instances, unknown_first),
        judged=dict.fromkeys(IMAGES.values(), Judged()), extra=extra, adversarial=adversarial,
        feature_matching=feature_matching, perceptual=perceptual, discriminator_width=discriminator_width,
        discriminator_layers=discriminator_layers, discriminator_scales=discriminator_scales,
        discriminator_norm=discriminator_norm, spectral_initialization=spectral_initialization,
        compute_dtype=compute_dtype)


def further_terms(key, call, batch, semantics, images, *, generator, class_loss, mistaken, pixel):
    """L1 of the class images and, where asked for, class loss and L1 of the three images."""
    masks = class_masks(generator.classes_of(semantics), generator.local_classes)
    terms = {}
    if class_loss != "none":
        present = masks[..., : generator.scored].max((1, 2))
        terms["class"] = losses.class_loss(images["scores"], present, class_loss)
    if mistaken and generator.local_classes > MISTAKEN:
        masks = masks.at[..., MISTAKEN].set(masks[..., MISTAKEN - 1])
    terms["classes"] = losses.class_pixel(images["class_images"], batch["target"], masks)
    if pixel:
        terms |= {f"pixel{suffix}": losses.pixel(images[name], batch["target"]) for suffix, name in IMAGES.items()}
    return terms
