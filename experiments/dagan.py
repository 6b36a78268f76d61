"""DAGAN (Tang et al., ACM MM 2020): GauGAN with attention to positions and channels, label maps to photos.

    python -m experiments.run --config=experiments/dagan.py:VARIANT

Variants:
  (none)           full size on the embedded drawn hands at 256x256: source and skeleton in the place of labels
  cityscapes       512x256 with instance edges, batch 8, 100 + 100 epochs
  ade20k           256x256, batch 8, 100 + 100 epochs
  cocostuff        256x256 with instance edges, batch 32, 50 + 50 epochs
  deepfashion      human parsing to photos at 256x256, batch 32, 50 + 50 epochs
  celebamask       faces at 512x512, batch 16, 50 + 50 epochs
  facades_512, facades_1024    13 classes, batch 4, 50 + 50 epochs; the size of the thesis' tables and of the code
  ablation_cam, ablation_sam, ablation_none, ablation_both    Cityscapes with either attention, with none, with both
  position         Cityscapes with attention of every pixel to every other in SAM's place, as the abstract has it
  camvid           street scenes at 128x96 with narrow networks, for two CPU cores
  facades, landcover    building fronts of 12 classes and aerial photos at 128x128, likewise
  demo             drawn hands at 64x64 with narrow networks, to see that it runs

Sets are looked for under datasets/NAME (cityscapes, ade20k, cocostuff, deepfashion, celebamask, facades, camvid,
landcover), in the layouts of gganjax/data/layouts.py; say where yours are with --config.data.folder=FOLDER. Sizes,
batches and epochs are those of the code's scripts, weights and rates GauGAN's; lengths and widths for CPUs are ours.
Test pictures are normalized by running statistics. `--config.sample_columns` takes "spatial_attention",
"channel_features" and "spatial_features".

Pictures of another size: --config.data.load_size, load_width, crop_size and crop_width, multiples of 32 the latter two.
"""

from experiments import defaults

RATES = dict(generator=1e-4, discriminator=4e-4)  # of two time scales (TTUR)
WEIGHTS = dict(gan=1.0, feature=10.0, perceptual=10.0, kl=0.05)
# Layout, options that say what its labels hold, (height, width) before and after the crop, flat and decaying epochs.
SETS = {
    "cityscapes": ("cityscapes", dict(classes=35, instances=True, upsampling="more"), (256, 512), (256, 512), 100),
    "ade20k": ("ade20k", dict(classes=150, unknown=True), (286, 286), (256, 256), 100),
    "cocostuff": ("coco", dict(classes=182, unknown=True, instances=True), (286, 286), (256, 256), 50),
    "deepfashion": ("deepfashion", dict(classes=20), (286, 286), (256, 256), 50),
    "celebamask": ("celebamask", dict(classes=19), (542, 542), (512, 512), 50),
    "facades_512": ("facades", dict(classes=13), (542, 542), (512, 512), 50),
    "facades_1024": ("facades", dict(classes=13), (1054, 1054), (1024, 1024), 50),
}
# Classes, options and (height, width) of the small sets.
SMALL = {
    "camvid": (11, dict(unknown=True), (96, 128)), "facades": (12, {}, (128, 128)), "landcover": (5, {}, (128, 128)),
}
BATCHES = dict(cityscapes=8, ade20k=8, cocostuff=32, deepfashion=32, celebamask=16, facades_512=4, facades_1024=4)
# Table 6.5: FID. Its mIoU and accuracy, 66.1 and 82.6, 40.5 and 81.6, are of segmenters that are not part of a run.
PUBLISHED = dict(cityscapes=60.3, ade20k=31.9)
OPTIONS = dict(
    classes=35, unknown=False, instances=False, unknown_first=False, width=64, upsampling="normal", upsampler="nearest",
    norm="batch", hidden=128, latent=0, encoder_width=64, encoder_size=256, remat=False, adversarial="hinge",
    feature_matching=True, perceptual="auto", discriminator_width=64, discriminator_layers=4, discriminator_scales=2,
    discriminator_norm="instance", spectral_initialization="torch_kernels", compute_dtype="float32")


def synthesis(method: str, *, flat_epochs: int, decay_epochs: int, b2: float, **options):
    """A config of the label-to-photo recipe, with a rate of its own for each player.

    Args:
      method: its name.
      flat_epochs, decay_epochs: the rate is constant up to the epoch flat_epochs + 1, then falls in equal steps to
        1 / decay_epochs of it in the last epoch.
      b2: of Adam; its b1 is 0.
      options: of the method.
    """
    config = defaults.get_config()
    config.method = method
    config.options = OPTIONS | options
    there = dict(gan=True, feature=config.options.feature_matching, perceptual=config.options.perceptual != "none",
                 kl=config.options.latent > 0)
    config.weights = dict(generator={term: WEIGHTS[term] for term, used in there.items() if used},
                          discriminator=dict(fake=1.0, real=1.0))
    config.epochs = flat_epochs + decay_epochs
    # "linear" falls to 0 after decay_epochs + 1 steps and starts two epochs earlier than meant here.
    schedule = dict(name="linear", flat_epochs=flat_epochs + 2, decay_epochs=decay_epochs - 1)
    config.optimizers = {player: defaults.adam(schedule, learning_rate=rate, b1=0.0, b2=b2)
                         for player, rate in RATES.items()}
    config.evaluate.norm = "running"
    config.evaluate.metrics = ("psnr", "ssim", "lpips", "fid")
    return config


def label_maps(config, name: str, *, layout: str, load: tuple[int, int], crop: tuple[int, int]):
    """Reads label maps and photos of a set, resized to `load` and cropped to `crop`, both (height, width)."""
    options = config.options
    config.data.update(
        kind="labels", folder=f"datasets/{name}", layout=layout, classes=options.classes,
        unknown="on" if options.unknown else "off", load_size=load[0], load_width=load[1], crop_size=crop[0],
        crop_width=crop[1], whole_range=True)
    return config


def published(base, name: str, batch_size: int, **options):
    """A set of `SETS` at full size; `base` is a function (flat_epochs, decay_epochs, options) -> config."""
    layout, known, load, crop, epochs = SETS[name]
    config = base(flat_epochs=epochs, decay_epochs=epochs, **known | options)
    config.batch_size = batch_size
    return label_maps(config, name.partition("_")[0], layout=layout, load=load, crop=crop)


def small(base, name: str, **options):
    """A set of `SMALL` on networks a quarter as wide, for two CPU cores: 2,000 steps of batch 4."""
    classes, known, size = SMALL[name]
    config = base(flat_epochs=1, decay_epochs=1, classes=classes, width=16, hidden=32, discriminator_width=16,
                  **known | options)
    label_maps(config, name, layout="plain", load=size, crop=size)
    config.batch_size, config.epochs, config.steps = 4, 0, 2000
    config.ema = dict(generator=0.998)
    for player, rate in RATES.items():
        config.optimizers[player].update(learning_rate=2 * rate, schedule=dict(name="linear_share", flat_share=0.5))
    config.sample_every, config.checkpoint_every = 200, 200
    return config


def base(*, flat_epochs: int = 100, decay_epochs: int = 100, **options):
    """DAGAN with both attentions unless `options` leave one out."""
    own = dict(guidance="none", use_cam=True, use_sam=True, spatial="local")
    return synthesis("dagan", flat_epochs=flat_epochs, decay_epochs=decay_epochs, b2=0.9, **own | options)


def full_size(name: str, **options):
    """A set of the paper with the batch of its script."""
    config = published(base, name, BATCHES[name], **options)
    if name in PUBLISHED and not options:
        values = dict(fid=PUBLISHED[name])
        config.evaluate.published = dict(source="DAGAN, thesis Table 6.5", folder=name, values=values)
    return config


def demo():
    """Drawn hands at 64x64: source and skeleton in, narrow networks."""
    config = base(guidance="both", width=16, hidden=16, discriminator_width=16, discriminator_layers=3)
    config.batch_size = 4
    return defaults.demo(config, rates=dict(generator=5e-4, discriminator=4e-4), averaged=("generator",))


ROWS = dict(cam=dict(use_sam=False), sam=dict(use_cam=False), none=dict(use_cam=False, use_sam=False), both={})
VARIANTS = {
    "": lambda: base(guidance="both"), "demo": demo, "position": lambda: full_size("cityscapes", spatial="position"),
    **{name: lambda name=name: full_size(name) for name in SETS},
    **{name: lambda name=name: small(base, name) for name in SMALL},
    **{f"ablation_{row}": lambda row=row: full_size("cityscapes", **ROWS[row]) for row in ROWS},
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
