"""Pix2pix (Isola et al. 2017): paired translation, with the settings of its public implementation of 2018.

    python -m experiments.run --config=experiments/pix2pix.py:VARIANT

Variants:
  (none)           U-Net 256 on the embedded drawn hands at 256x256, guided by the target's skeleton
  unet128          the same with U-Net 128 at 128x128
  facades, landcover                                   label maps to photos
  facades_photo_to_label, landcover_photo_to_label     the other direction
  facades128       label maps to photos at 128x128 on narrow networks, for CPUs
  strips           strips source | target
  gesturegan_ablation_b    row B of GestureGAN's Table 2.9: ResNet-9, instance norm, no guidance
  dayton, g2a, dayton64, cvusa, sva, ego2top           Pix2pix of the cross-view tables, an encoder-decoder
  dayton_plus, g2a_plus, dayton64_plus, cvusa_plus, sva_plus, ego2top_plus    Pix2pix++, which sees the target's map
  dayton_released, dayton_plus_released    the published code's batch of 8, its way to test and to judge
  crossview        the few published pairs at 128x128 with narrow networks, to learn by heart on two CPU cores
  demo             drawn hands at 64x64 with narrow networks: minutes on two CPU cores

Sets are looked for under datasets/NAME; say where yours are with --config.data.folder=FOLDER. Label maps are
train/labels/*.png beside train/images/*.jpg, and the same with test. One picture a step, 100 epochs and 100 more with
a rate that falls to 0. Test pictures are normalized by their own statistics, as published; dropout, which the public
code leaves on at test time, is off: --config.evaluate.dropout=true turns it on. Of the cross-view variants all this is
as in experiments/xfork.py.
"""

from experiments import defaults, xfork


def base(*, flat_epochs: int = 100, decay_epochs: int = 100, **options):
    """Pix2pix with the weights and rates of its public implementation; `options` are those of the method."""
    config = defaults.get_config()
    config.method = "pix2pix"
    config.options = dict(
        guidance=False, generator="unet256", levels=0, width=64, dropout=0.5, discriminator="patch",
        discriminator_width=64, discriminator_layers=3, guided_discriminator=True, norm="batch", zero_bias=True,
        adversarial="vanilla", real_label=1.0, judged_by="updated", pool_size=0, initialization="normal",
        compute_dtype="float32")
    config.options.update(options)
    config.weights = dict(discriminator=dict(fake=0.5, real=0.5), generator=dict(gan=1.0, pixel=100.0))
    config.batch_size, config.epochs = 1, flat_epochs + decay_epochs
    schedule = dict(name="linear", flat_epochs=flat_epochs, decay_epochs=decay_epochs)
    config.optimizers = dict(discriminator=defaults.adam(schedule), generator=defaults.adam(schedule))
    return config


def unet128():
    """U-Net 128 at half the size; the crop out of a larger picture is in proportion."""
    config = base(guidance=True, generator="unet128")
    config.data.update(load_size=143, crop_size=128)
    return config


def labels(name: str, *, exchange: bool = False):
    """Label maps as colored pictures to photos, or with `exchange` photos to label maps."""
    config = base()
    config.data.update(kind="labels", folder=f"datasets/{name}", exchange=exchange)
    return config


def facades128():
    """Label maps to photos of facades at 128x128: U-Net 128, networks half as wide; 2,000 steps of batch 4.

        python -m experiments.run --config=experiments/pix2pix.py:facades128 --config.data.folder=FOLDER

    On 320 training pairs of the CMP facades, on one core of an Intel Xeon in 42 minutes: PSNR 12.08 dB, SSIM 0.211,
    LPIPS 0.497 on the 70 test pairs, where the label map itself has 5.99 dB, 0.035 and 0.673. Windows, ledges and doors
    stand where the labels have them; walls are blurred and nearly all of one gray brown.
    """
    config = labels("facades")
    config.options.update(generator="unet128", width=32, discriminator_width=32)
    config.data.update(load_size=143, crop_size=128)
    config.batch_size, config.epochs, config.steps = 4, 0, 2000
    schedule = dict(name="linear_share", flat_share=0.5)
    config.optimizers = {player: defaults.adam(schedule) for player in config.weights}
    config.sample_every, config.checkpoint_every = 500, 500
    return config


def strips():
    """Strips of two panels, source | target, as the public implementation stores its pairs."""
    config = base()
    config.data.update(kind="strips", folder="datasets/strips", panels="two")
    return config


def gesturegan_ablation_b():
    """Row B of GestureGAN's Table 2.9: Dayton aerial to ground without guidance, a random third of the pairs.

    Generator, norm and epochs are those of the other rows; `gesturegan.py:ablation_b` is the same model in
    GestureGAN's order of updates.
    """
    config = base(flat_epochs=20, decay_epochs=15, generator="resnet9", norm="instance")
    config.batch_size = 4
    config.data.update(kind="strips", folder="datasets/dayton_a2g", share=1 / 3)
    return config


def demo():
    """Drawn hands at 64x64, guided, with narrow networks of six levels."""
    config = base(guidance=True, levels=6, width=16, dropout=0.0, discriminator_width=16)
    config.batch_size = 4
    return defaults.demo(config, rates=dict(discriminator=2e-4, generator=1e-3), averaged=("generator",))


def cross_view(**options):
    """Pix2pix of the cross-view tables; the discriminator sees no map, and both of its terms count in full."""
    config = base(generator="encoder_decoder", discriminator="patch_biased", guided_discriminator=False, real_label=0.9,
                  levels=8, **options)
    return xfork.optimized(config, dict(discriminator=dict(fake=1.0, real=1.0), generator=dict(gan=1.0, pixel=100.0)))


VARIANTS = {
    "": lambda: base(guidance=True), "unet128": unet128, "strips": strips, "demo": demo,
    "facades128": facades128,
    "gesturegan_ablation_b": gesturegan_ablation_b,
    **{f"{name}{'_photo_to_label' * exchange}": lambda name=name, exchange=exchange: labels(name, exchange=exchange)
       for name in ("facades", "landcover") for exchange in (False, True)},
    **xfork.variants(cross_view, batch_size=8, judged_by="previous"),
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
