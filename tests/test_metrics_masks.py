"""Scores under a mask."""

import numpy as np
import pytest

from gganjax import metrics
from gganjax.errors import InputError

MASKED = {
    "mask_ssim_person": metrics.ssim_person,
    "mask_ssim_pg2": metrics.ssim_pg2,
    "mask_psnr_pg2": metrics.psnr,
}


def pictures():
    """Fake and real uint8 [2, 20, 16, 3], and masks [2, 20, 16] with a hole each."""
    random = np.random.default_rng(0)
    fake, real = random.integers(0, 256, (2, 2, 20, 16, 3), dtype=np.uint8)
    mask = np.zeros((2, 20, 16), np.uint8)
    mask[0, 3:15, 2:13] = mask[1, 1:9, 5:] = 1
    return fake, real, mask


def images(x):
    return np.float32(x) / np.float32(127.5) - 1


@pytest.mark.parametrize("name", MASKED)
def test_equals_the_plain_score_of_pictures_multiplied_by_the_mask(name):
    fake, real, mask = pictures()
    scores = getattr(metrics, name)(images(fake), images(real), mask)
    blackened = [images(x * mask[..., None]) for x in (fake, real)]
    np.testing.assert_allclose(scores, MASKED[name](*blackened), rtol=1e-6)
    assert np.abs(scores - MASKED[name](images(fake), images(real))).min() > 1e-3
    everything = np.ones_like(mask)
    np.testing.assert_allclose(getattr(metrics, name)(images(fake), images(real), everything),
                               MASKED[name](images(fake), images(real)), rtol=1e-6)


@pytest.mark.parametrize("name", MASKED)
def test_what_is_outside_does_not_count(name):
    fake, real, mask = pictures()
    other = np.where(mask[..., None] > 0, fake, 255 - fake)
    before, after = (getattr(metrics, name)(images(x), images(real), mask) for x in (fake, other))
    np.testing.assert_array_equal(before, after)


def test_equal_images_and_empty_masks():
    fake, real, mask = (images(x) if x.ndim == 4 else x for x in pictures())
    np.testing.assert_allclose(metrics.mask_ssim_person(real, real, mask), 1, rtol=1e-6)
    np.testing.assert_allclose(metrics.mask_ssim_pg2(real, real, mask), 1, rtol=1e-6)
    empty = np.zeros_like(mask)
    assert np.isnan(metrics.mask_ssim_person(fake, real, empty)).all()
    np.testing.assert_allclose(metrics.mask_ssim_pg2(fake, real, empty), 1, rtol=1e-6)


def test_masked():
    fake, _, mask = pictures()
    out = np.asarray(metrics.masked(images(fake), mask))
    np.testing.assert_array_equal(out[mask > 0], images(fake)[mask > 0])
    np.testing.assert_array_equal(out[mask == 0], -1)


def test_bad_shapes_are_one_sentence():
    fake, real, mask = (images(x) if x.ndim == 4 else x for x in pictures())
    for name in MASKED:
        for wrong in (mask[:1], mask[..., None], mask[:, :9]):
            with pytest.raises(InputError, match=r"a mask \[B, H, W\] must belong to images"):
                getattr(metrics, name)(fake, real, wrong)
        with pytest.raises(InputError, match="two batches of images"):
            getattr(metrics, name)(fake, real[:1], mask)
