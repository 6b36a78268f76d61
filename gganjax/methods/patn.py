"""PATN: progressive pose-attentional transfer (Zhu et al. 2019), and the Resnet generator in its place.

Generators of the recipe in `gganjax/posetransfer.py`: the baseline and the ablation rows of thesis Table 4.4. PATN's
block is that of its released code; the Resnet generator, which is named there only, is our reading (`nets.patn`).
"""

import jax.numpy as jnp

from gganjax.errors import InputError, check_choices
from gganjax.nets.patn import PATNGenerator, ResnetPoseGenerator
from gganjax.posetransfer import CHOICES as RECIPE
from gganjax.posetransfer import PoseTransfer

GENERATORS = {"patn": PATNGenerator, "resnet": ResnetPoseGenerator}
CHOICES = RECIPE | {"generator": tuple(GENERATORS)}


def build(*, generator: str = "patn", guidance_channels: int = 18, width: int = 64, blocks: int = 9,
          dropout: float = 0.5, norm: str = "batch", adversarial: str = "vanilla", perceptual: str = "auto",
          perceptual_loss: str = "l1", pool_size: int = 50, discriminator_width: int = 64,
          discriminator_blocks: int = 3, compute_dtype: str = "float32") -> PoseTransfer:
    """Builds PATN; the defaults are those of its released Market-1501 model at full size.

    Args:
      generator: "patn" or "resnet".
      guidance_channels: K, 18 for heat maps of the joints, 3 for drawn pictures.
      width, blocks: of the generator; 5, 9 and 13 blocks are rows of Table 4.4.
      dropout: of generator and discriminators.
      norm: "batch" (Market) or "instance" (DeepFashion), of all networks.
      adversarial: "vanilla" (Market) or "least_squares" (DeepFashion).
      perceptual: frozen network of the perceptual loss at its relu1_2: "vgg19", "vgg16", "auto" (VGG19 where its file
        is) or "none".
      perceptual_loss: "l1" or "l2".
      pool_size: remembered fakes of each discriminator, 50 (Market) or 0 (DeepFashion).
      discriminator_width, discriminator_blocks: of both discriminators.
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    if blocks < 1:
        raise InputError(f"options.blocks is {blocks}, expected at least 1.")
    check_choices(CHOICES, generator=generator, norm=norm, compute_dtype=compute_dtype)
    return PoseTransfer(
        name="patn", generator=GENERATORS[generator](width, blocks, norm, dropout, jnp.dtype(compute_dtype)),
        guidance_channels=guidance_channels, norm=norm, adversarial=adversarial, perceptual=perceptual,
        perceptual_loss=perceptual_loss, pool_size=pool_size, dropout=dropout,
        discriminator_width=discriminator_width, discriminator_blocks=discriminator_blocks, compute_dtype=compute_dtype)
