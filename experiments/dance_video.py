"""DanceGAN, stage II (thesis ch. 7): a photo and skeletons to video.

    python -m experiments.run --config=experiments/dance_video.py:VARIANT

Variants:
  (none)           the full model (forward and backward generation) on the embedded dancers at 256x256
  unet256          the same with Pix2pix's U-Net as the generator
  detach           the same, no gradient through the frames that others start from
  recordings       a folder of dances with videos or frames, at 256x256
  s2_1 ... s2_4    rows of the ablation: baseline generation, with FSR (forward), with BSR (backward), with both
  small, s2_1_small ... s2_4_small
                   the same at 64x64 on narrow networks, for CPUs
  demo             twelve people at 64x64 on narrower networks: minutes on two CPU cores

The thesis names no networks, weights, optimizer, resolution or length: those are Pix2pix's (weights and Adam),
GestureGAN's (generator) and ours (the rest). Every sample is the dancer's first frame and four frames that follow each
other, a tenth of a second apart. Sets are looked for under datasets/NAME, or in --config.data.folder=FOLDER.
"""

from experiments import defaults

WEIGHTS = dict(gan=1.0, pixel=100.0, forward=100.0, backward=100.0)
ROWS = {
    "s2_1": dict(forward=False, backward=False),
    "s2_2": dict(forward=True, backward=False),
    "s2_3": dict(forward=False, backward=True),
    "s2_4": dict(forward=True, backward=True),
}
METRICS = ("psnr", "ssim", "lpips", "fid", "kid")


def base(**options):
    """The full model on the embedded dancers unless `options` say otherwise."""
    config = defaults.get_config()
    config.method = "dance_video"
    config.options = dict(
        frames=4, forward=True, backward=True, detach=False, generator="resnet", width=64, blocks=9, levels=8,
        dropout=0.0, discriminator_width=64, discriminator_layers=3, norm="instance", compute_dtype="float32")
    config.options.update(options)
    terms = {term: weight for term, weight in WEIGHTS.items() if config.options.get(term, True)}
    config.weights = dict(discriminator=dict(fake=0.5, real=0.5), generator=terms)
    config.batch_size, config.epochs = 4, 20
    config.optimizers = optimizers(dict(name="linear", flat_epochs=10, decay_epochs=10), 2e-4)
    config.data.update(kind="dances", frames=config.options.frames, load_size=256, crop_size=256, flip="off")
    config.evaluate.metrics = METRICS
    return config


def optimizers(schedule: dict, rate: float) -> dict:
    """Pix2pix's Adam for both players, the generator's at a rate of its own."""
    return dict(discriminator=defaults.adam(schedule), generator=defaults.adam(schedule, learning_rate=rate))


def small(config, *, size: int = 64):
    """Makes a config one of small pictures for CPUs: it is changed and returned.

    The U-Net takes half the time of the residual generator and has the person's colors after 200 steps, the other after
    500 not yet. Forward and backward weigh a tenth of the pixels' L1: with the same weight, as in Eq. 7.11, both
    generators soon made one picture for all persons, whose frames agree best.

        python -m experiments.run --config=experiments/dance_video.py:s2_N_small --workdir=RUN
        python -m experiments.run --config=experiments/dance_video.py:s2_N_small --config.start_from=RUN

    After both commands, 2,000 steps on one core of an Intel Xeon (14 minutes for s2_4, 8 for s2_1), on 100 test windows
    of people not seen before, beside the figures after the first:

                                       LPIPS            PSNR            SSIM            KID (EfficientNet)
        s2_1, baseline                 0.0837 (0.108)   25.53 (24.84)   0.819 (0.790)   0.150 (0.192)
        s2_4, forward and backward     0.0788 (0.110)   25.59 (24.78)   0.818 (0.787)   0.167 (0.195)
        the person's first frame       0.0615           24.79           0.802           0.000

    The person, the clothes and the room are right, legs and trunk follow the skeleton; forearms and hands are blurred,
    which keeps LPIPS above that of a picture that stands still.
    """
    config.options.update(generator="unet256", levels=6, width=32, discriminator_width=32, discriminator_layers=2)
    config.weights.generator.update({term: 10.0 for term in ("forward", "backward") if term in config.weights.generator})
    config.data.update(load_size=size, crop_size=size)
    config.batch_size, config.epochs, config.steps = 2, 0, 1000
    config.optimizers = optimizers(dict(name="linear_share", flat_share=0.5), 5e-4)
    config.sample_every, config.checkpoint_every = 250, 250
    config.evaluate.update(metrics=("psnr", "ssim", "lpips", "kid_efficientnet"), limit=100)
    return config


def recordings():
    """Dances of one's own with videos or folders of frames."""
    config = base()
    config.data.update(kind="recordings", folder="datasets/dances")
    return config


def demo():
    """Twelve embedded dancers, 400 steps."""
    config = small(base())
    config.options.update(width=16, discriminator_width=16)
    config.data.update(people=12, test_people=2)
    config.steps, config.sample_every, config.checkpoint_every = 400, 200, 200
    config.optimizers = optimizers(dict(name="linear_share", flat_share=0.5), 1e-3)
    config.evaluate.limit = 24
    return config


VARIANTS = {
    "": base, "unet256": lambda: base(generator="unet256"), "detach": lambda: base(detach=True),
    "recordings": recordings, "small": lambda: small(base()), "demo": demo,
    **{name: lambda name=name: base(**ROWS[name]) for name in ROWS},
    **{f"{name}_small": lambda name=name: small(base(**ROWS[name])) for name in ROWS},
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
