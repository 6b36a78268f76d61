"""Pix2pixHD (Wang et al. 2018) in GauGAN's recipe: a baseline of thesis chapters 5 and 6.

    python -m experiments.run --config=experiments/pix2pixhd.py:VARIANT

Variants:
  (none), cityscapes    512x256, 35 labels and instance edges
  ade20k, coco, deepfashion    256x256
  facades13, celebamask        512x512; the facades of 13 classes
  cityscapes_spectral   with spectral norm in the generator, too
  radboud, sva, ntu     the guided form of Tables 5.4 and 5.9 to 5.11: strips, the guidance alone is seen
  radboud_both, sva_both, ntu_both     the same with the source beside the guidance
  camvid, facades, landcover           256 pixels wide, the full network, small sets
  camvid128, facades128, landcover128  128 pixels wide, narrow networks, for CPUs
  demo                  drawn hands at 64x64 with narrow networks: minutes on two CPU cores

Sets, sizes, epochs, rates and weights are those of `gaugan.py`; the guided batches are those of the guided code: 32,
and 24 on ntu.
"""

from experiments import defaults, gaugan
from experiments.gaugan import GUIDED, SETS, LabelSet, demo_of, for_cpus, small

NARROW = dict(width=16, discriminator_width=32)
GUIDED_BATCHES = {"radboud": 32, "sva": 32, "ntu": 24}


def base(chosen: LabelSet, **options):
    """Pix2pixHD on a set; `options` are those of the method."""
    config = defaults.get_config()
    config.method = "pix2pixhd"
    config.options = dict(
        **chosen.options, unknown_first=False, guidance="none", width=64, levels=4, blocks=9, norm="instance",
        adversarial="hinge", feature_matching=True, perceptual="auto", discriminator_width=64, discriminator_layers=4,
        discriminator_scales=2, discriminator_norm="instance", spectral_initialization="torch_kernels",
        compute_dtype="float32")
    config.options.update(options)
    return gaugan.recipe(config, chosen)


def cityscapes(**options):
    """Cityscapes, 2,975 training pairs, 200 epochs."""
    return base(SETS["cityscapes"], **options)


def guided(name: str, guidance: str = "target"):
    """The guided form: the guidance in place of labels, or source and guidance."""
    config = base(GUIDED[name], guidance=guidance)
    config.batch_size = GUIDED_BATCHES[name]
    return config


def demo():
    """Drawn hands at 64x64, guided."""
    return demo_of(base, width=16, levels=3, blocks=3)


VARIANTS = {
    "": cityscapes, "cityscapes": cityscapes, "demo": demo,
    "cityscapes_spectral": lambda: cityscapes(norm="spectralinstance"),
    **{name: lambda name=name: base(SETS[name])
       for name in ("ade20k", "coco", "deepfashion", "facades13", "celebamask")},
    **{name: lambda name=name: guided(name) for name in GUIDED},
    **{f"{name}_both": lambda name=name: guided(name, "both") for name in GUIDED},
    **{name: lambda name=name: small(base(SETS[name])) for name in ("camvid", "facades", "landcover")},
    **{f"{name}128": lambda name=name: for_cpus(base(SETS[f"{name}128"], **NARROW))
       for name in ("camvid", "facades", "landcover")},
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
