"""SelectionGAN's selection on GauGAN: label maps to photos (thesis section 5.4, Table 5.13).

The generator of the recipe in `gganjax/synthesis.py` is GauGAN's, whose last convolution gives way to multi-channel
attention selection: N images and their attention maps, of which the picture is the sum. There is no first stage and no
uncertainty; an L1 term stands beside GauGAN's losses.
"""

import jax.numpy as jnp

from gganjax import losses
from gganjax.errors import InputError, check_choices
from gganjax.methods.gaugan import CHOICES
from gganjax.nets.selection import SpadeSelectionGenerator
from gganjax.nets.spade import SpadeTrunk
from gganjax.synthesis import Semantics, Synthesis


def build(*, images: int = 10, l1_loss: bool = True, classes: int = 35, unknown: bool = False, instances: bool = True,
          unknown_first: bool = False, guidance: str = "none", width: int = 64, upsampling: str = "normal",
          upsampler: str = "nearest", norm: str = "batch", hidden: int = 128, remat: bool = False,
          adversarial: str = "hinge", feature_matching: bool = True, perceptual: str = "auto",
          discriminator_width: int = 64, discriminator_layers: int = 4, discriminator_scales: int = 2,
          discriminator_norm: str = "instance", spectral_initialization: str = "torch_kernels",
          compute_dtype: str = "float32") -> Synthesis:
    """Builds the semantic form; the defaults are those of Cityscapes but for its "more" upsampling.

    Args:
      images: N, the images that are selected from.
      l1_loss: whether the L1 distance from the target is a term.
      classes, unknown, instances, unknown_first, guidance: what the networks see, see `synthesis.Semantics`.
      width, upsampling, upsampler, norm, hidden, remat: of the generator, see `methods.gaugan`.
      adversarial, feature_matching, perceptual, discriminator_width, discriminator_layers, discriminator_scales,
        discriminator_norm: see `synthesis.Synthesis`.
      spectral_initialization: of all layers with spectral norm: "torch_kernels" or "xavier_small", see `nets.spade`.
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, guidance=guidance, upsampling=upsampling, upsampler=upsampler, norm=norm,
                  spectral_initialization=spectral_initialization, compute_dtype=compute_dtype)
    if images < 1:
        raise InputError(f"options.images is {images}, expected at least 1.")
    trunk = SpadeTrunk(width, upsampling, 0, norm, upsampler, hidden, remat=remat, dtype=jnp.dtype(compute_dtype),
                       spectral_initial=spectral_initialization)
    return Synthesis(
        name="selectiongan_semantic", generator=SpadeSelectionGenerator(trunk, images),
        semantics=Semantics(classes, unknown, instances, unknown_first, guidance), extra=distance if l1_loss else None,
        adversarial=adversarial, feature_matching=feature_matching, perceptual=perceptual,
        discriminator_width=discriminator_width, discriminator_layers=discriminator_layers,
        discriminator_scales=discriminator_scales, discriminator_norm=discriminator_norm,
        spectral_initialization=spectral_initialization, compute_dtype=compute_dtype)


def distance(key, call, batch, semantics, out):
    """The L1 term."""
    return {"pixel": losses.pixel(out["fake_target"], batch["target"])}
