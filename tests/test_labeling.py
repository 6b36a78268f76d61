"""Pictures are labeled as the published evaluations do it; the networks here are narrow and untrained."""

import jax
import numpy as np
import pytest

from gganjax import features
from gganjax.errors import InputError
from gganjax.features import segmenters
from gganjax.metrics import labeling

PICTURE = np.random.default_rng(0).integers(0, 256, (32, 40, 3), dtype=np.uint8)


def test_cityscapes_takes_the_largest_logit_at_the_size_of_the_picture():
    network = labeling.open_segmenter("drn_d_105", weights="random", divisor=16)
    module, load = features.network("drn_d_105", weights="random", divisor=16)
    logits = jax.jit(module.apply)({"params": load()}, PICTURE[None].astype(np.float32) / 127.5 - 1)
    np.testing.assert_array_equal(network.label(PICTURE), np.asarray(logits)[0].argmax(-1))
    assert (network.classes, network.shift, network.identity["weights"]) == (19, 0, "random")


def test_ade20k_takes_the_mean_of_the_softmax_over_the_scales(monkeypatch):
    monkeypatch.setattr(segmenters, "ADE20K_SIDES", (32, 64))
    sizes = []

    def logits(images, size):
        sizes.append((images.shape[1:3], size))
        scores = np.zeros((1, *size, 3), np.float32)
        scores[..., len(sizes)] = (1.0, 3.0)[len(sizes) - 1]  # the second scale is surer of its class
        return scores

    assert (labeling.ade20k(PICTURE, logits) == 2).all()
    assert sizes == [((32, 64), (32, 40)), ((64, 96), (32, 40))]


def test_an_unknown_segmenter_and_missing_weights_are_told(monkeypatch, tmp_path):
    monkeypatch.setenv("GGANJAX_WEIGHTS", str(tmp_path))
    with pytest.raises(InputError, match="'drn' is no segmenter"):
        labeling.open_segmenter("drn")
    with pytest.raises(InputError, match="drn-d-105_ms_cityscapes.pth"):
        labeling.open_segmenter("drn_d_105")
