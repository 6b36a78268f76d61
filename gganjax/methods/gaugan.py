"""GauGAN: label maps to photos by spatially adaptive normalization, SPADE (Park et al. 2019).

The generator of the recipe in `gganjax/synthesis.py` on which EdgeGAN, DAGAN, LGGAN's semantic form and SAU (thesis
ch. 6) build. With a latent an encoder tells a code of the real photo, which stands for its style.
"""

from collections.abc import Sequence

import jax.numpy as jnp

from gganjax.errors import InputError, check_choices
from gganjax.nets import spade, upsampling
from gganjax.nets.spade import ImageEncoder, SpadeGenerator, SpadeTrunk
from gganjax.nets.upsampling import check_points
from gganjax.synthesis import CHOICES as RECIPE
from gganjax.synthesis import Semantics, Synthesis

CHOICES = RECIPE | {
    "upsampling": tuple(spade.HALVINGS),
    "upsampler": upsampling.KINDS,
    "norm": spade.NORMS,
}


def build(*, classes: int = 35, unknown: bool = False, instances: bool = True, unknown_first: bool = False,
          guidance: str = "none", width: int = 64, upsampling: str = "normal", upsampler: str = "nearest",
          kernel_points: Sequence[Sequence[float]] = upsampling.POINTS, norm: str = "batch", hidden: int = 128,
          latent: int = 0, encoder_width: int = 64, encoder_size: int = 256, remat: bool = False,
          adversarial: str = "hinge", feature_matching: bool = True, perceptual: str = "auto",
          discriminator_width: int = 64, discriminator_layers: int = 4, discriminator_scales: int = 2,
          discriminator_norm: str = "instance", spectral_initialization: str = "torch_kernels",
          compute_dtype: str = "float32") -> Synthesis:
    """Builds GauGAN; the defaults are those of Cityscapes but for its "more" upsampling.

    Args:
      classes, unknown, instances, unknown_first, guidance: what the networks see, see `synthesis.Semantics`.
      width: of the generator's last features.
      upsampling: "normal", "more" or "most": first features of 1/32, 1/64 or 1/128 of the size.
      upsampler: how features are enlarged, one of `nets.upsampling.KINDS`, see `nets.spade.SpadeTrunk`.
      kernel_points: points (share of the height, of the width) at which the looks show SAU's weights, with an upsampler
        "sau" or "sau_norm".
      norm: "batch" or "instance", inside the modulated norms.
      hidden: width of the modulation.
      latent: length of the code that the encoder tells, 256 as published; 0 without an encoder.
      encoder_width, encoder_size: of the encoder; pictures are resized to that size for it.
      remat: recompute the activations of each of the generator's blocks in the backward pass: less memory, but
        not on the CPU, where XLA undoes it.
      adversarial, feature_matching, perceptual, discriminator_width, discriminator_layers, discriminator_scales,
        discriminator_norm: see `synthesis.Synthesis`.
      spectral_initialization: of all layers with spectral norm: "torch_kernels" or "xavier_small", see `nets.spade`.
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, guidance=guidance, upsampling=upsampling, upsampler=upsampler, norm=norm,
                  spectral_initialization=spectral_initialization, compute_dtype=compute_dtype)
    dtype = jnp.dtype(compute_dtype)
    trunk = SpadeTrunk(width, upsampling, latent, norm, upsampler, hidden, remat=remat, dtype=dtype,
                       spectral_initial=spectral_initialization)
    return Synthesis(
        name="gaugan", generator=SpadeGenerator(trunk, check_points(kernel_points)),
        encoder=style_encoder(latent, encoder_width, encoder_size, dtype, spectral_initialization),
        semantics=Semantics(classes, unknown, instances, unknown_first, guidance), adversarial=adversarial,
        feature_matching=feature_matching, perceptual=perceptual, discriminator_width=discriminator_width,
        discriminator_layers=discriminator_layers, discriminator_scales=discriminator_scales,
        discriminator_norm=discriminator_norm, spectral_initialization=spectral_initialization,
        compute_dtype=compute_dtype)


def style_encoder(latent: int, width: int, size: int, dtype, spectral_initialization: str) -> ImageEncoder | None:
    """The encoder of the options that GauGAN and the systems on it share; None without a latent."""
    if not latent:
        return None
    if size < 8 or size & (size - 1):
        raise InputError(f"options.encoder_size is {size}, expected a power of 2, at least 8.")
    return ImageEncoder(latent, width, size, dtype, spectral_initial=spectral_initialization)
