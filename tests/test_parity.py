"""Recorded runs of the reference implementations, through the tool that users call."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import shared

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import parity
from parities.common import TOLERANCE, Pair

FIXTURES = (
    "cyclegan_resnet9",
    "gesturegan_resnet9",
    "patchgan70_bn",
    "patchgan70_in_nosigmoid",
    "patchgan70_in_sigmoid",
    "patchgan_batchnorm",
    "patchgan_instancenorm",
    "patchgan_nlayers",
    "losses_cycle_family",
    "metric_alexnet_places",
    "metric_fid",
    "metric_frechet_curve",
    "metric_image_pairs",
    "metric_inception_v3_fid",
    "metric_lpips_alex",
    "metric_lpips_heads",
    "metric_lpips_squeeze",
    "metric_lpips_vgg",
    "metric_ms_ssim",
    "metric_pckh",
    "metric_probabilities",
    "metric_resnet50",
    "metric_segmentation",
    "pckh",
    "perceptual_l1",
    "pose_maps",
    "pose_ssim",
    "patn_gen_bn",
    "patn_gen_in",
    "resnet_gen_bn",
    "pose_disc_bn",
    "pose_disc_in",
    "xing_gen_bn",
    "xing_gen_in",
    "xing_trainstep_fashion",
    "xing_trainstep_market",
    "c2gan_unet_guidance",
    "c2gan_unet_image",
    "pix2pix_unet128",
    "pixelgan",
    "step_c2gan",
    "step_c2gan_extend",
    "step_c2gan_vanilla",
    "step_cyclegan",
    "step_pix2pix",
    "step_gesturegan_onecycle",
    "step_gesturegan_twocycle",
    "stargan_g",
    "stargan_d",
    "asymgan_arch1",
    "asymgan_arch2",
    "asymgan_arch2_code",
    "step_stargan_celeba",
    "step_stargan_rafd",
    "step_asymmetricgan_multi",
    "step_asymmetricgan_supervised",
    "bigraph_gen_fashion_in",
    "bigraph_gen_market_bn",
    "bigraph_trainstep_market",
    "pg2_market",
    "pg2_df256",
    "losses_spade",
    "multiscale_discriminator",
    "pix2pixhd_generator_instance",
    "pix2pixhd_generator_spectralinstance",
    "preprocess_label_instance",
    "spade_generator",
    "spade_generator_most",
    "spade_generator_vae",
    "spade_norm_instance",
    "spade_norm_syncbatch",
    "spade_resblock",
    "vae_encoder",
    "selectiongan_generator",
    "selectiongan_pp_generator",
    "selectiongan_pp_channel_selection",
    "selectiongan_person_stage2",
    "selectiongan_gaugan_generator",
    "losses_selectiongan",
    "sau_spec",
    "lggan_crossview_generator",
    "lggan_semantic_generator_ade20k",
    "lggan_semantic_generator_cityscapes",
    "losses_lggan_class",
    "losses_lggan_crossview",
    "dagan_attention",
    "dagan_generator",
    "edgegan_generator",
    "dancegan_audio_encoder",
    "dancegan_mdvs_generator",
    "dancegan_global_discriminator",
    "dancegan_local_discriminator",
    "dancegan_stgcn",
    "dancegan_graph_attention",
    "dancegan_stage2_losses",
)


@pytest.mark.parametrize("name", FIXTURES)
def test_fixture(name, capsys):
    passed = parity.report(shared(f"fixtures/{name}.npz"))
    printed = capsys.readouterr().out
    assert passed, printed
    assert printed.startswith(f"{name} ")
    assert printed.count("\n") == 1


def changed(path, target, change):
    """Copies a fixture with changed arrays."""
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    np.savez(target, **change(arrays))
    return target


def test_what_differs_fails(tmp_path, capsys):
    """A wrong value, a key that does not fit, an output that nothing answers, and unknown or broken files."""
    path = shared("fixtures/patchgan_instancenorm.npz")

    def verdict(name, change):
        passed = parity.report(changed(path, tmp_path / f"{name}.npz", change))
        return passed, capsys.readouterr().out

    passed, line = verdict("value", lambda a: a | {"out/eval_patch": a["out/eval_patch"] * (1 + 5 * TOLERANCE)})
    assert not passed
    assert "FAIL" in line
    assert line.rstrip().endswith("wrong: eval_patch")
    passed, line = verdict("key", lambda a: a | {"w/model.12.weight": np.zeros(3, np.float32)})
    assert not passed
    assert "key model.12.weight of shape (3,) has no place in the 3-layer PatchGAN" in line
    passed, line = verdict("unknown", lambda a: a | {"meta": json.dumps({"model": "something else"})})
    assert not passed
    assert "no comparison is known for the model 'something else'" in line
    (tmp_path / "broken.npz").write_bytes(b"x")
    assert parity.main([str(path), str(tmp_path / "broken.npz")]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2
    assert "pass" in printed[0]
    assert "is no fixture" in printed[1]
    assert parity.main([str(path)]) == 0


def test_errors_of_a_pair():
    """Largest difference, absolute and relative to the largest magnitude or the given scale; NaN never passes."""
    recorded = np.array([1.0, -4.0])
    assert Pair("x", np.array([1.0, -4.5]), recorded).errors() == (0.5, 0.125)
    assert Pair("x", np.array([1.0, -4.5]), recorded, scale=8.0).errors() == (0.5, 0.0625)
    for wrong in (np.array([np.nan, -4.0]), np.nan, np.array([[1.0, -4.0]])):
        assert Pair("x", wrong, recorded).errors() == (np.inf, np.inf)
