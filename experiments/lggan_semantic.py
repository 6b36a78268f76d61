"""LGGAN from label maps (Tang et al., CVPR 2020; thesis 6.3, 6.5): class-specific images beside GauGAN's.

    python -m experiments.run --config=experiments/lggan_semantic.py:VARIANT

Variants:
  (none), cityscapes   512x256, 35 labels and instance edges, full size, batch 8
  ade20k               256x256, 52 local classes: unknown, the first 50, and all others; batch 24
  cityscapes_pp, ade20k_pp    LGGAN++: semantic-aware upsampling in the global branch
  text                 Cityscapes where the text differs from its code: LGGAN++ with a plain sum as the classification
                       loss of features averaged inside their class, a norm before the weights' softmax, a SAU on
                       the encoder's code
  released             Cityscapes with the code's mistaken mask of class 27
  pixel                Cityscapes with the L1 terms that the code's scripts leave out
  table67_b1 ... table67_b5, table67_pp
                       rows of Table 6.7 (Cityscapes): the global image alone, which is GauGAN; its mean with a local
                       image, the sum of the class images; that is a convolution of them; with the class loss; with
                       weights; LGGAN++. Rows of Table 6.10 are in `gaugan.py`
  camvid, facades, landcover    256 pixels wide, full networks, small sets; NAME_pp LGGAN++
  camvid128, facades128, landcover128    128 pixels wide, narrow networks, for CPUs; NAME_pp LGGAN++
  demo                 drawn hands of the map of their parts at 64x64, narrow networks: minutes on two CPU cores

Data, rates and 200 epochs are told in `gaugan.py`. Sets are looked for under datasets/NAME; say where yours are with
--config.data.folder=FOLDER. `--config.sample_columns` takes "local", "global", "weight_local", "weight_global",
"class_0" and so on, and with SAU "kernel_up_0_1" and so on, its weights at `options.kernel_points` (Figure 6.6), which
--mode=check lists.
"""

from experiments import defaults, gaugan
from experiments.gaugan import SETS
from gganjax.nets import upsampling

PLUS = dict(upsampler="sau")
TEXT = PLUS | dict(sau_local=True, weight_norm=True, class_loss="sum", divide_by_area=True)
# Table 6.7; row B1 is GauGAN.
ROWS = {
    "b2": dict(local="sum", fusion="mean", class_loss="none"),
    "b3": dict(fusion="mean", class_loss="none"),
    "b4": dict(fusion="mean"),
    "b5": {},
    "pp": PLUS,
}
SMALL = ("camvid", "facades", "landcover")


def base(chosen: gaugan.LabelSet, **options):
    """LGGAN on a set, the full model of the released code unless `options` say otherwise."""
    config = defaults.get_config()
    config.method = "lggan_semantic"
    config.options = dict(
        **chosen.options, unknown_first=False, local_classes=0, local="conv", fusion="weights", weight_norm=False,
        class_loss="mean", divide_by_area=False, class_masks="correct", pixel=False, sau_local=False,
        kernel_points=upsampling.POINTS, width=64, blocks=9, upsampling="normal", upsampler="nearest", norm="batch",
        hidden=128, remat=False, adversarial="hinge", feature_matching=True, perceptual="auto",
        discriminator_width=64, discriminator_layers=4, discriminator_scales=2, discriminator_norm="instance",
        spectral_initialization="torch_kernels", compute_dtype="float32")
    config.options.update(options)
    config = gaugan.recipe(config, chosen)
    wanted = {"classes": True, "class": config.options.class_loss != "none",
              **dict.fromkeys(("pixel", "pixel_global", "pixel_local"), config.options.pixel)}
    config.weights.generator.update({term: 1.0 for term, there in wanted.items() if there})
    return config


def cityscapes(**options):
    """Cityscapes, 2,975 training pairs, 200 epochs; the released code takes one picture a device."""
    config = base(SETS["cityscapes"], upsampling="more", **options)
    config.batch_size = 8
    return config


def ade20k(**options):
    """ADE20K, 20,210 training pairs, 200 epochs."""
    config = base(SETS["ade20k"], local_classes=52, **options)
    config.batch_size = 24
    return config


def for_cpus(name: str, **options):
    """A small set at 128 pixels with narrow networks."""
    return gaugan.for_cpus(base(SETS[f"{name}128"], blocks=3, **gaugan.NARROW, **options))


def demo():
    """Drawn hands at 64x64 of the map of their parts."""
    return gaugan.parts_demo_of(base, width=8, hidden=16, blocks=2)


VARIANTS = {
    "": cityscapes, "cityscapes": cityscapes, "demo": demo, "ade20k": ade20k, "cityscapes_pp": lambda: cityscapes(**PLUS),
    "ade20k_pp": lambda: ade20k(**PLUS), "text": lambda: cityscapes(**TEXT),
    "released": lambda: cityscapes(class_masks="reference"), "pixel": lambda: cityscapes(pixel=True),
    "table67_b1": gaugan.cityscapes,
    **{f"table67_{row}": lambda row=row: cityscapes(**ROWS[row]) for row in ROWS},
    **{name: lambda name=name: gaugan.small(base(SETS[name])) for name in SMALL},
    **{f"{name}_pp": lambda name=name: gaugan.small(base(SETS[name], **PLUS)) for name in SMALL},
    **{f"{name}128": lambda name=name: for_cpus(name) for name in SMALL},
    **{f"{name}128_pp": lambda name=name: for_cpus(name, **PLUS) for name in SMALL},
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
