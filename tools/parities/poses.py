"""Poses of people: maps and masks, scores under masks, and PCKh."""

import numpy as np

from gganjax import metrics
from gganjax.data import pose_maps
from gganjax.metrics import pckh as heads
from parities.common import Fixture, Pair
from parities.pixels import answers, evaluation_masks, images


def maps(fixture: Fixture) -> list[Pair]:
    """Compares joint maps, both kinds of masks and the drawing."""
    given = fixture.group("in/")
    poses = given["keypoints_yx"]
    size, small = (tuple(given[name].astype(int)) for name in ("image_size", "small_image_size"))
    gaussian = pose_maps.gaussian_maps(poses, size)
    drawings = [pose_maps.draw_pose(pose, size) for pose in poses]
    ours = {
        "gauss_sigma6_argmax_yx": pose_maps.read_back(gaussian),
        "gauss_sigma6_sum": gaussian.sum(axis=(1, 2), dtype=np.float64),
        "gauss_sigma6_uint8": pose_maps.delta_maps(poses, size),
        "small_gauss_sigma6": pose_maps.gaussian_maps(given["small_keypoints_yx"], small),
        "pg2_disk_r4": pose_maps.disk_maps(poses, size),
        "pg2_mask_r4": [pose_maps.pose_mask_pg2(pose, size) for pose in poses],
        "pg2_mask_r8": [pose_maps.pose_mask_pg2(pose, size, radius=8) for pose in poses],
        "patn_mask": [pose_maps.evaluation_mask(pose, size) for pose in poses],
        "patn_mask_oldpoly": [pose_maps.evaluation_mask(pose, size, edges=False) for pose in poses],
        "skeleton_rgb": [picture for picture, _ in drawings],
        "skeleton_mask": [drawn for _, drawn in drawings],
    }
    return answers(ours, fixture.group("out/"))


def ssim(fixture: Fixture) -> list[Pair]:
    """Compares SSIM, mask-SSIM and L1 of the person-image tools and of PG2, and the masks."""
    given = fixture.group("in/")
    fake, real, mask = images(given["generated"]), images(given["target"]), given["mask"]
    ours = {
        "ssim_patn": metrics.ssim_person(fake, real),
        "mask_ssim_patn": metrics.mask_ssim_person(fake, real, mask),
        "l1_patn": metrics.l1(fake, real).mean(),
        "ssim_pg2": metrics.ssim_pg2(fake, real),
        "mask_ssim_pg2": metrics.mask_ssim_pg2(fake, real, mask),
    }
    masks = Pair("mask", evaluation_masks(given["keypoints_yx"], mask), mask)
    return [*answers(ours, fixture.group("out/")), masks]


def pckh(fixture: Fixture) -> list[Pair]:
    """Compares the counts and the score, whichever of them is recorded."""
    given = fixture.group("in/")
    predicted, target = (given.get(name, given.get(f"{name}_yx")) for name in ("pred", "target"))
    whole = metrics.PCKh()
    for half in (slice(None, 10), slice(10, None)):
        whole.add(predicted[half], target[half])
    ours = {
        "n_correct": whole.correct,
        "n_all": whole.joints,
        "pckh": whole.result(),
        "head_wh": heads.head_boxes(target),
        "correct_valid_per_image": np.stack(heads.counts(predicted, target), axis=1),
    }
    return answers(ours, fixture.group("out/"))
