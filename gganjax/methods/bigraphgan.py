"""BiGraphGAN: pose codes that reason over a bipartite graph guide the appearance code (Tang et al., thesis 4.4).

A generator of the recipe in `gganjax/posetransfer.py`; `gganjax/nets/bigraph.py` tells its parts and its two forms.
The thesis' text is the default; released weights, and probably the published scores, have the released form.
"""

import jax.numpy as jnp

from gganjax.errors import InputError, check_choices
from gganjax.nets.bigraph import DIRECTIONS, FORMS, FUSIONS, BiGraphGenerator
from gganjax.posetransfer import CHOICES as RECIPE
from gganjax.posetransfer import PoseTransfer

CHOICES = RECIPE | {"form": FORMS, "bgr": tuple(DIRECTIONS), "share_gcn": (False, True), "aif": FUSIONS}


def build(*, form: str = "thesis", bgr: str = "both", share_gcn: bool = False, aif: str = "mask",
          guidance_channels: int = 18, width: int = 64, blocks: int = 9, states: int = 0, nodes: int = 0,
          dropout: float = 0.5, norm: str = "batch", adversarial: str = "vanilla", perceptual: str = "auto",
          perceptual_loss: str = "l1", pool_size: int = 50, discriminator_width: int = 64,
          discriminator_blocks: int = 3, compute_dtype: str = "float32") -> PoseTransfer:
    """Builds BiGraphGAN; the defaults are the thesis' model with the settings of Market-1501 at full size.

    Args:
      form: of the pose encoding, the blocks and the graph: "thesis", or "released" as released weights need it.
      bgr: directions of the graph reasoning: "both", "b2a", "a2b" or "none" (rows B5, B2, B3, B1 of Table 4.7).
      share_gcn: whether both directions share their graph convolution (row B4).
      aif: attention-based image fusion: "mask" (thesis), "linear2" (released Market form, unbounded) or "none"
        (released DeepFashion form, rows B1 to B5).
      guidance_channels: K, 18 for heat maps of the joints, 3 for drawn pictures (facial expressions).
      width, blocks: of the generator.
      states, nodes: sizes of the graph; 0 is 2 * width and width, the release's 128 and 64.
      dropout: of generator and discriminators.
      norm: "batch" (Market) or "instance" (DeepFashion), of all networks; the released graph has a batch norm in both.
      adversarial: "vanilla" (Market) or "least_squares" (DeepFashion).
      perceptual: frozen network of the perceptual loss at its relu1_2: "vgg19", "vgg16", "auto" (VGG19 where its file
        is) or "none".
      perceptual_loss: "l1" or "l2".
      pool_size: remembered fakes of each discriminator, 50 (Market) or 0 (DeepFashion).
      discriminator_width, discriminator_blocks: of both discriminators.
      compute_dtype: "float32" or "bfloat16"; parameters, losses and the graph are float32 in both.
    """
    for option, value, least in (("blocks", blocks, 1), ("states", states, 0), ("nodes", nodes, 0)):
        if value < least:
            raise InputError(f"options.{option} is {value}, expected at least {least}.")
    if width % 2:
        raise InputError(f"options.width is {width}, expected an even number: each pose's code has half the channels.")
    check_choices(CHOICES, form=form, bgr=bgr, share_gcn=share_gcn, aif=aif, norm=norm, compute_dtype=compute_dtype)
    generator = BiGraphGenerator(width, blocks, norm, dropout, form, bgr, share_gcn, aif, states, nodes,
                                 jnp.dtype(compute_dtype))
    return PoseTransfer(
        name="bigraphgan", generator=generator, guidance_channels=guidance_channels, norm=norm,
        adversarial=adversarial, perceptual=perceptual, perceptual_loss=perceptual_loss, pool_size=pool_size,
        dropout=dropout, discriminator_width=discriminator_width, discriminator_blocks=discriminator_blocks,
        compute_dtype=compute_dtype)
