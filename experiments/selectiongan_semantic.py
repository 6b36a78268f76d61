"""SelectionGAN's selection on GauGAN (thesis Table 5.13): label maps to photos.

    python -m experiments.run --config=experiments/selectiongan_semantic.py:VARIANT

Variants:
  (none), cityscapes    Cityscapes at 512x256 with instance edges
  ade20k           ADE20K at 256x256, 150 classes and unknown
  no_l1            Cityscapes without the L1 term
  camvid           street scenes at 256x192; narrow networks, for two CPU cores
  facades, landcover    building fronts and aerial photos at 128x128; narrow networks, for two CPU cores

Sets are looked for under datasets/NAME; say where yours are with --config.data.folder=FOLDER. Batch (32), epochs
(100 + 100), rates and weights are those of the text and of GauGAN's code, with an L1 term of weight 10; lengths and
widths for CPUs are ours. `--config.sample_columns` takes "image_1", "map_1" and so on to the number of images.
"""

from experiments import defaults

# Two rates, one for each player (TTUR).
RATES = dict(generator=1e-4, discriminator=4e-4)


def base(*, batch_size: int, flat_epochs: int = 100, decay_epochs: int = 100, **options):
    """The semantic form, the full model unless `options` leave something out."""
    config = defaults.get_config()
    config.method = "selectiongan_semantic"
    config.options = dict(
        images=10, l1_loss=True, classes=35, unknown=False, instances=False, unknown_first=False, width=64,
        upsampling="normal", upsampler="nearest", norm="batch", hidden=128, remat=False, adversarial="hinge",
        feature_matching=True, perceptual="auto", discriminator_width=64, discriminator_layers=4,
        discriminator_scales=2, discriminator_norm="instance", spectral_initialization="torch_kernels",
        compute_dtype="float32")
    config.options.update(options)
    there = dict(gan=(1.0, True), feature=(10.0, config.options.feature_matching),
                 perceptual=(10.0, config.options.perceptual != "none"), pixel=(10.0, config.options.l1_loss))
    config.weights = dict(generator={term: weight for term, (weight, used) in there.items() if used},
                          discriminator=dict(fake=1.0, real=1.0))
    config.batch_size, config.epochs = batch_size, flat_epochs + decay_epochs
    rates = schedule(flat_epochs, decay_epochs)
    config.optimizers = {player: defaults.adam(rates, learning_rate=rate, b1=0.0, b2=0.9)
                         for player, rate in RATES.items()}
    config.evaluate.norm = "running"
    return config


def schedule(flat_epochs: int, decay_epochs: int) -> dict:
    """In epoch e = 1, 2, ... the share of the rate is 1 - max(0, e - 1 - flat_epochs) / decay_epochs.

    That is GauGAN's rule: it falls after the epoch flat_epochs + 1, and the last epoch has 1 / decay_epochs.
    """
    return dict(name="linear", flat_epochs=flat_epochs + 2, decay_epochs=decay_epochs - 1)


def label_maps(config, name: str, *, layout: str = "plain", load: tuple[int, int], crop: tuple[int, int]):
    """Reads label maps and photos of a set, resized to `load` and cropped to `crop`, both (height, width)."""
    config.data.update(kind="labels", folder=f"datasets/{name}", layout=layout, classes=config.options.classes,
                       unknown="on" if config.options.unknown else "off", load_size=load[0], load_width=load[1],
                       crop_size=crop[0], crop_width=crop[1], whole_range=True)
    return config


def cityscapes(**options):
    """Cityscapes, 2,975 training pairs at 512x256 without crops."""
    config = base(batch_size=32, upsampling="more", instances=True, **options)
    return label_maps(config, "cityscapes", layout="cityscapes", load=(256, 512), crop=(256, 512))


def ade20k():
    """ADE20K, 20,210 training pairs; labels as the reference has them."""
    config = base(batch_size=32, classes=150, unknown=True)
    return label_maps(config, "ade20k", layout="ade20k", load=(286, 286), crop=(256, 256))


def narrow(name: str, *, classes: int, size: tuple[int, int], **options):
    """A small set on narrow networks, for two CPU cores: 2,000 steps of batch 4."""
    config = base(batch_size=4, classes=classes, width=16, hidden=32, images=5, discriminator_width=16, **options)
    label_maps(config, name, load=size, crop=size)
    config.steps = 2000
    config.ema = dict(generator=0.998)
    for player, rate in RATES.items():
        config.optimizers[player].update(learning_rate=2 * rate, schedule=dict(name="linear_share", flat_share=0.5))
    config.sample_every, config.checkpoint_every = 200, 200
    return config


VARIANTS = {
    "": cityscapes, "cityscapes": cityscapes, "ade20k": ade20k, "no_l1": lambda: cityscapes(l1_loss=False),
    "camvid": lambda: narrow("camvid", classes=11, size=(192, 256), unknown=True),
    "facades": lambda: narrow("facades", classes=12, size=(128, 128)),
    "landcover": lambda: narrow("landcover", classes=5, size=(128, 128)),
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
