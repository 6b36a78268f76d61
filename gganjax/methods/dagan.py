"""DAGAN: GauGAN whose last features attend to positions and channels (Tang et al., ACM MM 2020).

A spatial attention module (SAM) weighs positions, a channel attention module (CAM) weighs channels of the last two
levels of features; what both make is added before the last convolution. All else is GauGAN's, see
`gganjax/synthesis.py`. Where the abstract and the code of the paper differ, the code is the default, see
`nets/dagan.py`.
"""

import jax.numpy as jnp

from gganjax.errors import check_choices
from gganjax.methods.gaugan import CHOICES as GAUGAN
from gganjax.methods.gaugan import style_encoder
from gganjax.nets import dagan
from gganjax.nets.dagan import DAGANGenerator
from gganjax.nets.spade import SpadeTrunk
from gganjax.synthesis import Semantics, Synthesis

CHOICES = GAUGAN | {"spatial": dagan.SPATIAL}


def build(*, classes: int = 35, unknown: bool = False, instances: bool = True, unknown_first: bool = False,
          guidance: str = "none", use_cam: bool = True, use_sam: bool = True, spatial: str = "local", width: int = 64,
          upsampling: str = "normal", upsampler: str = "nearest", norm: str = "batch", hidden: int = 128,
          latent: int = 0, encoder_width: int = 64, encoder_size: int = 256, remat: bool = False,
          adversarial: str = "hinge", feature_matching: bool = True, perceptual: str = "auto",
          discriminator_width: int = 64, discriminator_layers: int = 4, discriminator_scales: int = 2,
          discriminator_norm: str = "instance", spectral_initialization: str = "torch_kernels",
          compute_dtype: str = "float32") -> Synthesis:
    """Builds DAGAN; the defaults are those of Cityscapes but for its "more" upsampling.

    Args:
      classes, unknown, instances, unknown_first, guidance: what the networks see, see `synthesis.Semantics`.
      use_cam, use_sam: whether there is either attention; without both it is GauGAN.
      spatial: what SAM is: "local", the gate by a 3x3 convolution of the code, or "position", attention of every pixel
        to every other, as the abstract has it. The latter costs what all pairs of pixels cost: 4 billion at 256x256.
      width: of the generator's last features; the code has 64 alone.
      upsampling: "normal", "more" or "most"; the code has no "most".
      upsampler, norm, hidden, latent, encoder_width, encoder_size, remat: see `gaugan.build`.
      adversarial, feature_matching, perceptual, discriminator_width, discriminator_layers, discriminator_scales,
        discriminator_norm: see `synthesis.Synthesis`.
      spectral_initialization: of all layers with spectral norm: "torch_kernels" or "xavier_small", see `nets.spade`.
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, guidance=guidance, upsampling=upsampling, upsampler=upsampler, norm=norm, spatial=spatial,
                  spectral_initialization=spectral_initialization, compute_dtype=compute_dtype)
    dtype = jnp.dtype(compute_dtype)
    trunk = SpadeTrunk(width, upsampling, latent, norm, upsampler, hidden, remat=remat, dtype=dtype,
                       spectral_initial=spectral_initialization)
    encoder = style_encoder(latent, encoder_width, encoder_size, dtype, spectral_initialization)
    return Synthesis(
        name="dagan", generator=DAGANGenerator(trunk, use_cam, use_sam, spatial), encoder=encoder,
        semantics=Semantics(classes, unknown, instances, unknown_first, guidance), adversarial=adversarial,
        feature_matching=feature_matching, perceptual=perceptual, discriminator_width=discriminator_width,
        discriminator_layers=discriminator_layers, discriminator_scales=discriminator_scales,
        discriminator_norm=discriminator_norm, spectral_initialization=spectral_initialization,
        compute_dtype=compute_dtype)
