"""EdgeGAN: label maps to photos by way of their edges (Tang et al.; thesis 6.4 and 6.6).

Besides the image I' the generator makes the edge map I_e', whose branch guides that of the image in its features and in
the picture itself. The semantic preserving module makes the result I'' of both, of the features and of the semantics.
One discriminator judges edges and images behind the semantics; every term of the losses is that of I_e' plus that of I'
plus lambda = 2 times that of I''. All else is GauGAN's, see `gganjax/synthesis.py`. In the code I_e' is `fake_edges`,
I' is `coarse`, I'' is `fake_target`; the real edges I_e are `edges`, [B, H, W, 3] in [-1, 1].

No code of the system was published; networks and losses are those of the first code of its successor, which the text
and its numbers of parameters fit. The text has the log form of the adversarial loss, `adversarial`="vanilla".
"""

import jax.numpy as jnp

from gganjax.errors import InputError, check_choices
from gganjax.methods.gaugan import CHOICES as GAUGAN
from gganjax.methods.gaugan import style_encoder
from gganjax.nets import edgegan
from gganjax.nets.edgegan import EdgeGANGenerator
from gganjax.nets.pix2pixhd import Pix2pixHDGenerator
from gganjax.nets.spade import SpadeTrunk
from gganjax.synthesis import Judged, Semantics, Synthesis

CHOICES = GAUGAN | {
    "backbone": ("gaugan", "pix2pixhd"),
    "transfer": edgegan.TRANSFERS,
    "result": ("fine", "coarse"),
}


def build(*, classes: int = 35, unknown: bool = False, instances: bool = True, unknown_first: bool = False,
          backbone: str = "gaugan", edges: bool = True, transfer: str = "both", semantic: bool = True,
          fine_factor: float = 2.0, result: str = "fine", spectral_branches: bool = False, spare_linear: bool = True,
          width: int = 64, upsampling: str = "normal", upsampler: str = "nearest", norm: str = "batch",
          hidden: int = 128, levels: int = 4, blocks: int = 9, latent: int = 0, encoder_width: int = 64,
          encoder_size: int = 256, remat: bool = False, adversarial: str = "hinge", feature_matching: bool = True,
          perceptual: str = "auto", discriminator_width: int = 64, discriminator_layers: int = 4,
          discriminator_scales: int = 2, discriminator_norm: str = "instance",
          spectral_initialization: str = "torch_kernels", compute_dtype: str = "float32") -> Synthesis:
    """Builds EdgeGAN; the defaults are those of Cityscapes but for its "more" upsampling.

    Args:
      classes, unknown, instances, unknown_first: what the networks see, see `synthesis.Semantics`.
      backbone: what makes the features: "gaugan", or "pix2pixhd" without its last convolution.
      edges: whether there is an edge branch, with its losses (Table 6.15, +Ge).
      transfer: what of it guides the image: "feature", "content", "both" or "none" (Table 6.15, +Gt).
      semantic: whether the semantic preserving module makes I'' (Table 6.15, +Gs).
      fine_factor: lambda, of the terms of I''.
      result: what a user gets: "fine", I'', or "coarse", I' (EdgeGAN II and I of Table 6.16).
      spectral_branches: whether the convolutions behind the backbone have spectral norm (text), or not (code).
      spare_linear: whether there is the linear layer between classes that the code has and never calls; the published
        numbers of parameters count it.
      width: of the backbone's last features.
      upsampling, upsampler, norm, hidden, latent, encoder_width, encoder_size, remat: of GauGAN, see `gaugan.build`;
        with a latent, images and edges come in several styles.
      levels, blocks: of Pix2pixHD.
      adversarial, feature_matching, perceptual, discriminator_width, discriminator_layers, discriminator_scales,
        discriminator_norm: see `synthesis.Synthesis`.
      spectral_initialization: of all layers with spectral norm: "torch_kernels" or "xavier_small", see `nets.spade`.
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, backbone=backbone, transfer=transfer, result=result, upsampling=upsampling,
                  upsampler=upsampler, norm=norm, spectral_initialization=spectral_initialization,
                  compute_dtype=compute_dtype)
    if latent and backbone != "gaugan":
        raise InputError(f"options.latent is {latent}, but the backbone '{backbone}' takes no code; expected 0.")
    for option, value in dict(semantic=semantic, transfer=transfer != "none").items():
        if value and not edges:
            raise InputError(f"options.{option} needs the edge branch, but options.edges is False.")
    if result == "coarse" and not semantic:
        raise InputError("options.result is 'coarse', but without options.semantic there is one image alone: 'fine'.")
    dtype = jnp.dtype(compute_dtype)
    if backbone == "gaugan":
        trunk = SpadeTrunk(width, upsampling, latent, norm, upsampler, hidden, remat=remat, dtype=dtype,
                           spectral_initial=spectral_initialization)
    else:
        trunk = Pix2pixHDGenerator(width, levels, blocks, dtype=dtype, head=False)
    encoder = style_encoder(latent, encoder_width, encoder_size, dtype, spectral_initialization)
    generator = EdgeGANGenerator(trunk, classes, edges, transfer, semantic, spectral_branches, spare_linear)
    made = ("fake_edges",) * edges + ("coarse",) * semantic
    factor = fine_factor if semantic else 1.0
    judged = dict(fake_edges=Judged("edges"), coarse=Judged(), fake_target=Judged(factor=factor))
    results = {"fake_target": "coarse", "fine": "fake_target"} if result == "coarse" else {"fake_target": "fake_target"}
    results |= {name: name for name in made if name not in results.values()}
    return Synthesis(
        name="edgegan", generator=generator, encoder=encoder,
        semantics=Semantics(classes, unknown, instances, unknown_first),
        judged={name: judged[name] for name in (*made, "fake_target")}, results=results, adversarial=adversarial,
        feature_matching=feature_matching, perceptual=perceptual, discriminator_width=discriminator_width,
        discriminator_layers=discriminator_layers, discriminator_scales=discriminator_scales,
        discriminator_norm=discriminator_norm, spectral_initialization=spectral_initialization,
        compute_dtype=compute_dtype)
