"""Compares gganjax with recorded runs of the reference implementations.

    python tools/parity.py FIXTURE.npz [FIXTURE.npz ...] [--verbose]

Each file names in its `meta` what was recorded and with which arguments. The network or method is built from that,
given the recorded weights, and run on the recorded inputs. One line a fixture: the largest absolute error, the
largest error relative to the largest magnitude of the recorded array, the tolerance of the latter, the verdict and
the seconds. The exit status is 1 if a fixture fails or is not known.
"""

import argparse
import re
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import jax
from parities import (
    asymmetricgan,
    bigraph,
    c2gan,
    cyclegan,
    dagan,
    dancegan,
    distributions,
    domains,
    edgegan,
    features,
    gesturegan,
    lggan,
    losses,
    networks,
    pg2,
    pix2pix,
    pixels,
    pose_family,
    poses,
    selection,
    spade,
    stargan,
    xing,
)
from parities.common import TOLERANCE, Fixture

from gganjax.errors import InputError


def cycle_family(fixture) -> list:
    """Compares the losses and schedules of the cycle family, a part in the file of each kind of method."""
    return losses.cycle_family(fixture) + domains.cycle_family(fixture)


# Pattern of the recorded model's description -> comparison.
KNOWN = (
    (r"ResnetGenerator\b.*(GestureGAN|CycleGAN)", networks.resnet_generator),
    (r"NLayerDiscriminator\b|PatchGAN discriminator\b", networks.patch_discriminator),
    (r"PixelDiscriminator\b", networks.pixel_discriminator),
    (r"UnetGenerator\b", networks.unet_generator),
    (r"Pix2PixModel\b", pix2pix.step),
    (r"CycleGANModel\b", cyclegan.step),
    (r"C2GAN\b.* one optimize_parameters", c2gan.step),
    (r"GestureGAN/GestureGAN(One|Two)CycleModel one optimize_parameters", gesturegan.step),
    (r"scalar losses and learning-rate factors of the cycle family", cycle_family),
    (r"SSIM / PSNR / SD / L1 variants", pixels.image_pairs),
    (r"MS-SSIM$", pixels.ms_ssim),
    (r"mIoU, pixel accuracy", pixels.segmentation),
    (r"pose maps and masks$", poses.maps),
    (r"SSIM / mask-SSIM$", poses.ssim),
    (r"patn$", pose_family.patn),
    (r"resnet_generator \(assumed form\)", pose_family.resnet),
    (r"ResnetDiscriminator pair", pose_family.discriminators),
    (r"PCKh$", poses.pckh),
    (r"FID from features", distributions.fid),
    (r"discrete Frechet distance / FRD", distributions.frechet_curve),
    (r"Inception Score \(Places variant", distributions.scores),
    (r"pytorch-fid InceptionV3\b", features.inception),
    (r"torchvision ResNet-50\b", features.resnet50),
    (r"torchvision AlexNet classifier\b", features.alexnet_places),
    (r"LPIPS v0\.1 (alex|vgg|squeeze) trunk\b", features.lpips),
    (r"LPIPS heads\b", features.lpips_heads),
    (r"L1_plus_perceptualLoss$", features.perceptual_l1),
    (r"StarGAN Generator\b|AsymmetricGAN_multi (reconstruction generator|Generator_yx)\b", stargan.generator),
    (r"StarGAN Discriminator\b", stargan.discriminator),
    (r"AsymmetricGAN/AsymmetricGANModel one optimize_parameters", asymmetricgan.step),
    (r"AsymmetricGAN_multi Solver\.train\(\), one iteration", stargan.asymmetric_step),
    (r"StarGAN Solver\.train\(\), one iteration", stargan.step),
    (r"xing$", xing.generator),
    (r"one training iteration, generator=xing$", xing.step),
    (r"bigraph_(market|fashion)$", bigraph.generator),
    (r"one training iteration, generator=bigraph_market$", bigraph.step),
    (r"PG2 \((market|df256) graph\)", pg2.step),
    (r"SPADE norm$", spade.spade_norm),
    (r"SPADEResnetBlock$", spade.block),
    (r"spade_generator(_most|_vae)?$", spade.generator),
    (r"MultiscaleDiscriminator$", spade.discriminator),
    (r"ConvEncoder$", spade.encoder),
    (r"SPADE losses$", spade.objectives),
    (r"SPADE one-hot \+ instance edge$", spade.label_map),
    (r"Pix2PixHD global generator$", spade.pix2pixhd),
    (r"SelectionGAN(\+\+)? full generator", selection.generator),
    (r"SelectionGAN\+\+ multi-scale channel selection", selection.channel_selection),
    (r"SelectionGAN person-transfer stage 2", selection.person),
    (r"SelectionGAN losses", selection.losses_of_both),
    (r"selectiongan_gaugan_generator$", selection.semantic),
    (r"SAU\b", lggan.sau),
    (r"LGGAN cross-view generator$", lggan.crossview),
    (r"LGGAN semantic synthesis generator\b", lggan.semantic),
    (r"LGGAN cross-view losses$", lggan.objectives),
    (r"LGGAN class loss$", lggan.class_loss),
    (r"DAGAN CAM \(cab\) and SAM", dagan.attention),
    (r"dagan_generator$", dagan.generator),
    (r"edgegan_generator$", edgegan.generator),
    (r"MDVS model/audio_encoder\.py RNN\b", dancegan.audio_encoder),
    (r"MDVS model/pose_generator_norm\.py Generator$", dancegan.generator),
    (r"MDVS model/HCN_D\.py seq_discriminator\b", dancegan.global_discriminator),
    (r"MDVS model/local_HCN_frame_D\.py HCN$", dancegan.local_discriminator),
    (r"MDVS net/st_gcn_perceptual\.py Model\b", dancegan.stgcn),
    (r"SSGA-Net / CTGA-Net\b", dancegan.graph_attention),
    (r"stage II generation strategies and losses\b", dancegan.stage2_losses),
)


def compare(path) -> tuple[list, float]:
    """Returns the pairs of one fixture and the seconds their computation took."""
    fixture = Fixture(path)
    for pattern, comparison in KNOWN:
        if re.match(pattern, fixture.model):
            start = time.perf_counter()
            pairs = comparison(fixture)
            for pair in pairs:
                jax.block_until_ready(pair.ours)
            return pairs, time.perf_counter() - start
    raise InputError(f"{path}: no comparison is known for the model '{fixture.model}'")


def report(path, *, verbose: bool = False) -> bool:
    """Prints one fixture's line, and with `verbose` one line a pair; returns whether it passed."""
    name = Path(path).stem
    try:
        pairs, seconds = compare(path)
    except InputError as error:
        print(f"{name:34s} FAIL  {error}", flush=True)
        return False
    results = [(pair, *pair.errors()) for pair in pairs]
    wrong = [pair.name for pair, _, relative in results if not relative <= pair.tolerance]
    absolute, relative = (max((result[i] for result in results), default=float("inf")) for i in (1, 2))
    passed = bool(results) and not wrong
    notes = [f"wrong: {', '.join(wrong[:5])}"] if wrong else []
    for tolerance, reason in sorted({(pair.tolerance, pair.reason) for pair in pairs if pair.reason}):
        count = sum(pair.reason == reason for pair in pairs)
        notes.append(f"{count} of {len(pairs)} arrays to {tolerance:.0e}: {reason}")
    print(
        f"{name:34s} absolute {absolute:8.2e}  relative {relative:8.2e}  tolerance {TOLERANCE:.0e}  "
        f"{'pass' if passed else 'FAIL'}  {seconds:5.1f} s  {'; '.join(notes)}".rstrip(),
        flush=True,
    )
    for pair, absolute, relative in results if verbose else ():
        print(f"    {pair.name:44s} {absolute:8.2e} {relative:8.2e} {pair.tolerance:7.0e}  {pair.reason}".rstrip())
    return passed


def main(arguments=None) -> int:
    """Compares the fixtures named on the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fixtures", nargs="+", metavar="FIXTURE.npz")
    parser.add_argument("--verbose", action="store_true", help="one more line for each array")
    options = parser.parse_args(arguments)
    jax.config.update("jax_default_matmul_precision", "highest")  # accelerators round products by default
    verdicts = [report(path, verbose=options.verbose) for path in options.fixtures]
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
