"""Scores of the person alone: everything outside a pose mask is black in both images.

Images are float [B, H, W, 3] in [-1, 1], RGB; masks [B, H, W] of 0 and 1, made from the pose of the target by
`data.pose_maps.evaluation_mask` (person-image tools) or `data.pose_maps.pose_mask_pg2`. PG2's script reads the mask
of the condition pose although its paper says target: pass that mask to reproduce the script's numbers. Every function
returns float32 [B] and raises InputError for arrays of other shapes.
"""

import jax
import jax.numpy as jnp

from gganjax.errors import InputError
from gganjax.metrics.images import check_pair, psnr
from gganjax.metrics.structure import ssim_person, ssim_pg2


@jax.jit
def masked(images, mask):
    """Returns the images [B, H, W, 3] with black where the mask [B, H, W] is 0."""
    if images.ndim != 4 or images.shape[-1] != 3 or mask.shape != images.shape[:3]:
        raise InputError(
            f"a mask [B, H, W] must belong to images [B, H, W, 3], got {tuple(mask.shape)} and {tuple(images.shape)}"
        )
    return jnp.where(mask[..., None] > 0, images, -1.0)


@jax.jit
def mask_ssim_person(fake, real, mask):
    """Returns mask-SSIM [B] of the person-image tools: `ssim_person` of the masked images.

    Its range L is that of the masked generated image; NaN where that is of one color, as under an empty mask.
    """
    return _on_masked(ssim_person, fake, real, mask)


@jax.jit
def mask_ssim_pg2(fake, real, mask):
    """Returns mask-SSIM [B] of PG2's `score_mask.py`: `ssim_pg2` of the masked images."""
    return _on_masked(ssim_pg2, fake, real, mask)


@jax.jit
def mask_psnr_pg2(fake, real, mask):
    """Returns the PSNR [B] in dB of the masked images, all pixels counted, as PG2's `score_mask.py` has it."""
    return _on_masked(psnr, fake, real, mask)


def _on_masked(metric, fake, real, mask):
    check_pair(fake, real)
    return metric(masked(fake, mask), masked(real, mask))
