"""SelectionGAN's selection on GauGAN (thesis Table 5.13): label maps to photos.

    python -m experiments.run --config=experiments/selectiongan_semantic.py:VARIANT

Variants:
  (none), cityscapes    Cityscapes at 512x256, 35 labels and instance edges
  ade20k           ADE20K at 256x256, 150 classes and unknown
  no_l1            Cityscapes without the L1 term
  camvid, facades, landcover           256 pixels wide, the full network, small sets
  camvid128, facades128, landcover128  128 pixels wide, narrow networks, for CPUs
  demo             drawn hands at 64x64 with narrow networks, picture and skeleton in place of labels: minutes on two
                   CPU cores

Data, batch (32), epochs (100 + 100), rates and weights are GauGAN's, told in `experiments/gaugan.py`; the L1 term has
the weight 10. `--config.sample_columns` takes "image_1", "map_1" and so on to the number of images.
"""

from experiments import defaults, gaugan

PIXEL = 10.0


def base(chosen: gaugan.LabelSet, *, l1_loss: bool = True, **options):
    """The semantic form on a set, the full model unless `options` leave something out."""
    config = defaults.get_config()
    config.method = "selectiongan_semantic"
    config.options = dict(
        images=10, l1_loss=l1_loss, **chosen.options, unknown_first=False, guidance="none", width=64,
        upsampling="normal", upsampler="nearest", norm="batch", hidden=128, remat=False, adversarial="hinge",
        feature_matching=True, perceptual="auto", discriminator_width=64, discriminator_layers=4,
        discriminator_scales=2, discriminator_norm="instance", spectral_initialization="torch_kernels",
        compute_dtype="float32")
    config.options.update(options)
    return weigh(gaugan.recipe(config, chosen))


def weigh(config):
    """Adds the weight of the L1 term, where it is there."""
    if config.options.l1_loss:
        config.weights.generator.pixel = PIXEL
    return config


def cityscapes(**options):
    """Cityscapes, 2,975 training pairs, 200 epochs."""
    return base(gaugan.SETS["cityscapes"], upsampling="more", **options)


def narrow(name: str):
    """A small set on narrow networks for CPUs; widths, number of images and length are ours."""
    return gaugan.for_cpus(base(gaugan.SETS[name], images=5, **gaugan.NARROW))


def demo():
    """Drawn hands at 64x64 on narrow networks, picture and skeleton in place of labels."""
    return gaugan.demo_of(base, width=8, hidden=16, images=3)


VARIANTS = {
    "": cityscapes, "cityscapes": cityscapes, "ade20k": lambda: base(gaugan.SETS["ade20k"]),
    "no_l1": lambda: cityscapes(l1_loss=False), "demo": demo,
    **{name: lambda name=name: gaugan.small(base(gaugan.SETS[name])) for name in ("camvid", "facades", "landcover")},
    **{f"{name}128": lambda name=name: narrow(f"{name}128") for name in ("camvid", "facades", "landcover")},
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
