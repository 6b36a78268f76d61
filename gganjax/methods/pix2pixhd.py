"""Pix2pixHD: label maps to photos by a residual generator (Wang et al. 2018), as the SPADE release has it.

The global generator alone, without a local enhancer, in GauGAN's recipe (`gganjax/synthesis.py`): its discriminator,
losses and rates. The guided form sees the target's guidance alone, as the released code of thesis Tables 5.4 and 5.9 to
5.11 does; there an encoder of the source may learn beside it, whose code this generator ignores, and is left out here.
"""

import jax.numpy as jnp

from gganjax.errors import InputError, check_choices
from gganjax.nets.pix2pixhd import Pix2pixHDGenerator
from gganjax.synthesis import CHOICES as RECIPE
from gganjax.synthesis import Semantics, Synthesis

NORMS = ("instance", "spectralinstance")
CHOICES = RECIPE | {"norm": NORMS}


def build(*, classes: int = 35, unknown: bool = False, instances: bool = True, unknown_first: bool = False,
          guidance: str = "none", width: int = 64, levels: int = 4, blocks: int = 9, norm: str = "instance",
          adversarial: str = "hinge", feature_matching: bool = True, perceptual: str = "auto",
          discriminator_width: int = 64, discriminator_layers: int = 4, discriminator_scales: int = 2,
          discriminator_norm: str = "instance", spectral_initialization: str = "torch_kernels",
          compute_dtype: str = "float32") -> Synthesis:
    """Builds Pix2pixHD; the defaults are those of Cityscapes.

    Args:
      classes, unknown, instances, unknown_first, guidance: what the networks see, see `synthesis.Semantics`; "both" for
        the guidance joins the source, which the released code leaves out.
      width, levels, blocks: of the generator.
      norm: "instance", or "spectralinstance" for spectral norm besides.
      adversarial, feature_matching, perceptual, discriminator_width, discriminator_layers, discriminator_scales,
        discriminator_norm: see `synthesis.Synthesis`.
      spectral_initialization: of all layers with spectral norm: "torch_kernels" or "xavier_small", see `nets.spade`.
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, guidance=guidance, norm=norm, spectral_initialization=spectral_initialization,
                  compute_dtype=compute_dtype)
    for option, value in (("levels", levels), ("blocks", blocks)):
        if value < 1:
            raise InputError(f"options.{option} is {value}, expected at least 1.")
    generator = Pix2pixHDGenerator(width, levels, blocks, norm == "spectralinstance", jnp.dtype(compute_dtype),
                                   spectral_initial=spectral_initialization)
    return Synthesis(
        name="pix2pixhd", generator=generator,
        semantics=Semantics(classes, unknown, instances, unknown_first, guidance), adversarial=adversarial,
        feature_matching=feature_matching, perceptual=perceptual,
        discriminator_width=discriminator_width, discriminator_layers=discriminator_layers,
        discriminator_scales=discriminator_scales, discriminator_norm=discriminator_norm,
        spectral_initialization=spectral_initialization, compute_dtype=compute_dtype)
