"""Measures of results, each under one exact name: the standard definition, or the published variant that the name says.

What compares pictures pair by pair takes (result, truth) as float [B, H, W, 3] in [-1, 1], RGB, and returns float32 [B].
What runs over a whole set is an accumulator that is fed batches and asked for `result()`.
"""

from gganjax.metrics.images import l1, l1_pg2, l2_pg2, lpips, psnr, psnr_lua, sharpness_difference
from gganjax.metrics.masks import mask_psnr_pg2, mask_ssim_person, mask_ssim_pg2, masked
from gganjax.metrics.pckh import PCKh
from gganjax.metrics.segmentation import Confusion
from gganjax.metrics.structure import ms_ssim, ssim, ssim_lua, ssim_person, ssim_pg2, ssim_torch

__all__ = [
    "Confusion",
    "PCKh",
    "l1",
    "l1_pg2",
    "l2_pg2",
    "lpips",
    "mask_psnr_pg2",
    "mask_ssim_person",
    "mask_ssim_pg2",
    "masked",
    "ms_ssim",
    "psnr",
    "psnr_lua",
    "sharpness_difference",
    "ssim",
    "ssim_lua",
    "ssim_person",
    "ssim_pg2",
    "ssim_torch",
]
