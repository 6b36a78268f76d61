"""Measures of pairs of pictures and of label maps."""

import jax
import jax.numpy as jnp
import numpy as np

from gganjax import metrics
from gganjax.data import pose_maps
from gganjax.metrics import structure
from parities.common import Fixture, Pair

INFINITE = 1e9  # recorded in place of the infinite PSNR of equal images


def image_pairs(fixture: Fixture) -> list[Pair]:
    """Compares every PSNR, SSIM, L1 and sharpness, with and without pose masks, and the masks themselves."""
    given, recorded = fixture.group("in/"), fixture.group("out/")
    fake, real, mask = images(given["fake"]), images(given["real"]), recorded["mask"]
    ours = {
        "ssim_person": metrics.ssim_person(fake, real),
        "ssim_person_masked": metrics.mask_ssim_person(fake, real, mask),
        "ssim_pg2": metrics.ssim_pg2(fake, real),
        "ssim_pg2_masked": metrics.mask_ssim_pg2(fake, real, mask),
        "ssim_gaussian_255": metrics.ssim(fake, real),
        "ssim_lua": metrics.ssim_lua(fake, real),
        "ssim_torch_pm1": metrics.ssim_torch(fake, real),
        "ssim_torch_01": _zero_padded(fake, real),
        "psnr": metrics.psnr(fake, real),
        "psnr_pg2_masked": metrics.mask_psnr_pg2(fake, real, mask),
        "psnr_lua": metrics.psnr_lua(fake, real),
        "l1_person": metrics.l1(fake, real),
        "l1_pg2": metrics.l1_pg2(fake, real),
        "l2_pg2": metrics.l2_pg2(fake, real),
        "sd_lua": metrics.sharpness_difference(fake, real),
        "mask": evaluation_masks(given["keypoints"], mask),
        "mask_128x64": evaluation_masks(given["keypoints_128x64"], recorded["mask_128x64"]),
    }
    for name in ("psnr", "psnr_pg2_masked"):  # the infinite values apart, because one scale is taken for an array
        finite = recorded[name] != INFINITE
        values = np.asarray(ours.pop(name))
        ours |= {name: values[finite], f"{name}_infinite": np.isposinf(values)}
        recorded |= {name: recorded[name][finite], f"{name}_infinite": ~finite}
    return answers(ours, recorded)


def ms_ssim(fixture: Fixture) -> list[Pair]:
    """Compares MS-SSIM and SSIM with those of an independent library."""
    pair = [images(fixture.arrays[f"in/{name}"]) for name in ("fake", "real")]
    return answers({"ms_ssim": metrics.ms_ssim(*pair), "ssim": metrics.ssim(*pair)}, fixture.group("out/"))


def segmentation(fixture: Fixture) -> list[Pair]:
    """Compares the confusion matrix, IoU and accuracies of the DRN and of the ADE20K code."""
    classes = fixture.meta["args"]["num_class"]
    predicted, label = (fixture.arrays[f"in/{name}"].astype(np.int32) for name in ("pred", "label_void255"))
    drn, ade = _confusion(classes, predicted, label), _confusion(classes, predicted, np.where(label == 255, -1, label))
    scores = drn.result()
    ours = {
        "hist": drn.matrix,
        "iou_per_class": drn.iou(),
        "miou": scores["miou"],
        "pixel_acc_valid_only": scores["pixel_acc"],
        "pixel_acc_counting_void": scores["pixel_acc_counting_void"],
        "per_class_acc": np.nan_to_num(drn.class_accuracy(), nan=-1),  # recorded so where a class has no label
        "per_class_acc_mean_present": scores["class_acc"],
        "miou_with_absent_class": _confusion(classes + 1, predicted, label).result()["miou"],
        "ade_iou_per_class": np.nan_to_num(ade.iou()),
        "ade_miou": ade.result()["miou_ade"],
        "ade_acc": ade.result()["pixel_acc"],
    }
    return answers(ours, fixture.group("out/"))


def images(levels) -> np.ndarray:
    """Turns 8-bit levels into float32 in [-1, 1]."""
    return levels.astype(np.float32) / np.float32(127.5) - 1


def evaluation_masks(keypoints, recorded) -> np.ndarray:
    """Returns our masks of poses [N, 18, 2] in the size of the recorded ones."""
    return np.stack([pose_maps.evaluation_mask(pose, recorded.shape[1:]) for pose in keypoints])


def answers(ours: dict, recorded: dict) -> list[Pair]:
    """Pairs every recorded array with ours of its name; one that has none fails."""
    return [Pair(name, ours.get(name, np.nan), value) for name, value in recorded.items()]


@jax.jit
def _zero_padded(fake, real):
    """`ssim_torch` as it would be for images in [0, 1]."""
    return jnp.mean(structure.similarity((fake + 1) / 2, (real + 1) / 2, border="same"), axis=1)


def _confusion(classes, predicted, label) -> metrics.Confusion:
    confusion = metrics.Confusion(classes)
    for pair in zip(predicted, label, strict=True):
        confusion.add(*pair)
    return confusion
