"""XingGAN: a person's picture in another pose, by branches that attend to each other (Tang, thesis 4.3).

A generator of the recipe in `gganjax/posetransfer.py`. The appearance code is updated by what it attends to in the
shape code (SA, Eq. 4.1 and 4.2), the shape code by what it attends to in the appearance code (AS, Eq. 4.3 and 4.4),
and co-attention fusion (CAF, Eq. 4.7) weighs pictures made of both and the source. The thesis' form is the default;
"released" is that of the authors' code, of the released weights and probably of the published scores.
"""

import jax.numpy as jnp

from gganjax.errors import InputError, check_choices
from gganjax.nets import attention as forms
from gganjax.nets.xing import BRANCHES, FORMS, XingGenerator
from gganjax.posetransfer import CHOICES as RECIPE
from gganjax.posetransfer import PoseTransfer

CHOICES = RECIPE | forms.CHOICES | {"form": FORMS, "branches": BRANCHES}


def build(*, form: str = "thesis", branches: str = "sa_as", fusion: bool = True, images: int = 10,
          attention: str = "auto", guidance_channels: int = 18, width: int = 64, blocks: int = 9, dropout: float = 0.5,
          norm: str = "batch", adversarial: str = "vanilla", perceptual: str = "auto", perceptual_loss: str = "l1",
          pool_size: int = 50, discriminator_width: int = 64, discriminator_blocks: int = 3,
          compute_dtype: str = "float32") -> PoseTransfer:
    """Builds XingGAN; the defaults are the thesis' full model (SA + AS + CAF of Table 4.3) with Market's settings.

    Args:
      form: "thesis" or "released", of the blocks and of the image heads, see `nets.xing`.
      branches: "sa", "as" or "sa_as": rows of Table 4.3.
      fusion: whether co-attention fusion makes the picture, for both branches only; else one picture is made of the
        codes.
      images: N, the pictures that fusion reads off each code.
      attention: how it is computed, "plain", "chunked" or "fused", all the same values; "auto" goes by size and device,
        see `nets.attention`.
      guidance_channels: K, 18 for heat maps of the joints, 3 for drawn pictures.
      width, blocks: of the generator; 1, 3, ... 13 blocks are rows of Table 4.4.
      dropout: of the released form's streams and of the discriminators; the thesis' generator has none.
      norm: "batch" (Market) or "instance" (DeepFashion), of all networks.
      adversarial: "vanilla" (Market) or "least_squares" (DeepFashion).
      perceptual: frozen network of the perceptual loss at its relu1_2: "vgg19", "vgg16", "auto" (VGG19 where its file
        is) or "none".
      perceptual_loss: "l1" or "l2".
      pool_size: remembered fakes of each discriminator, 50 (Market) or 0 (DeepFashion).
      discriminator_width, discriminator_blocks: of both discriminators.
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, form=form, branches=branches, attention=attention, norm=norm, compute_dtype=compute_dtype)
    for option, value in (("blocks", blocks), ("images", images)):
        if value < 1:
            raise InputError(f"options.{option} is {value}, expected at least 1.")
    if fusion and branches != "sa_as":
        raise InputError(f"options.fusion joins pictures of both branches, but options.branches is '{branches}'.")
    generator = XingGenerator(form, width, blocks, images, branches, fusion, norm, dropout, attention,
                              jnp.dtype(compute_dtype))
    return PoseTransfer(
        name="xinggan", generator=generator, guidance_channels=guidance_channels, norm=norm, adversarial=adversarial,
        perceptual=perceptual, perceptual_loss=perceptual_loss, pool_size=pool_size, dropout=dropout,
        discriminator_width=discriminator_width, discriminator_blocks=discriminator_blocks, compute_dtype=compute_dtype)
