"""Measures of results, each under one exact name: the standard definition, or the published variant that the name says.

What compares pictures pair by pair takes (result, truth) as float [B, H, W, 3] in [-1, 1], RGB, and returns float32 [B].
What runs over a whole set is an accumulator that is fed batches and asked for `result()`.
"""

from gganjax.metrics import classification
from gganjax.metrics.curves import frd, frd_matlab, frechet_curve
from gganjax.metrics.distributions import Moments, diversity, fid, kid, kid_subsets, multimodality, pose_fid
from gganjax.metrics.images import l1, l1_pg2, l2_pg2, lpips, psnr, psnr_lua, sharpness_difference
from gganjax.metrics.masks import mask_psnr_pg2, mask_ssim_person, mask_ssim_pg2, masked
from gganjax.metrics.pckh import PCKh
from gganjax.metrics.probabilities import inception_score, inception_score_scene, kl_score, top_k_accuracy
from gganjax.metrics.segmentation import Confusion
from gganjax.metrics.structure import ms_ssim, ssim, ssim_lua, ssim_person, ssim_pg2, ssim_torch

__all__ = [
    "Confusion",
    "Moments",
    "PCKh",
    "classification",
    "diversity",
    "fid",
    "frd",
    "frd_matlab",
    "frechet_curve",
    "inception_score",
    "inception_score_scene",
    "kid",
    "kid_subsets",
    "kl_score",
    "l1",
    "l1_pg2",
    "l2_pg2",
    "lpips",
    "mask_psnr_pg2",
    "mask_ssim_person",
    "mask_ssim_pg2",
    "masked",
    "ms_ssim",
    "multimodality",
    "pose_fid",
    "psnr",
    "psnr_lua",
    "sharpness_difference",
    "ssim",
    "ssim_lua",
    "ssim_person",
    "ssim_pg2",
    "ssim_torch",
    "top_k_accuracy",
]
