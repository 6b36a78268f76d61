"""DAGAN (Tang et al., ACM MM 2020): GauGAN with attention to positions and channels, label maps to photos.

    python -m experiments.run --config=experiments/dagan.py:VARIANT

Variants:
  (none), cityscapes    512x256, 35 labels and instance edges, batch 8, 100 + 100 epochs
  ade20k           256x256, batch 8, 100 + 100 epochs
  coco             256x256 with instance edges, batch 32, 50 + 50 epochs
  deepfashion      256x256, batch 32, 50 + 50 epochs
  celebamask       512x512, batch 16, 50 + 50 epochs
  facades13, facades1024    13 classes, batch 4, 50 + 50 epochs, at the size of the thesis' tables (512) and of the code
  ablation_cam, ablation_sam, ablation_none, ablation_both    Cityscapes with either attention, with none, with both
  position         Cityscapes with attention of every pixel to every other in SAM's place, as the abstract has it
  camvid, facades, landcover           256 pixels wide, the full network, small sets
  camvid128, facades128, landcover128  128 pixels wide, narrow networks, for CPUs
  demo             drawn hands at 64x64 with narrow networks: minutes on two CPU cores

Sets are looked for as in experiments/gaugan.py, whose weights and rates are DAGAN's, too. Sizes, batches and epochs are
those of the code's scripts; those of the small sets are ours. `--config.sample_columns` takes "spatial_attention",
"channel_features" and "spatial_features".
"""

from experiments import defaults, gaugan
from experiments.gaugan import SETS

BATCHES = dict(cityscapes=8, ade20k=8, coco=32, deepfashion=32, celebamask=16, facades13=4)
# Table 6.5: FID. Its mIoU and accuracy, 66.1 and 82.6, 40.5 and 81.6, are of segmenters that are not part of a run.
PUBLISHED = dict(cityscapes=60.3, ade20k=31.9)
ROWS = dict(cam=dict(use_sam=False), sam=dict(use_cam=False), none=dict(use_cam=False, use_sam=False), both={})


def base(chosen: gaugan.LabelSet, **options):
    """DAGAN on a set, both attentions unless `options` leave one out."""
    return gaugan.on_spade("dagan", chosen, **dict(use_cam=True, use_sam=True, spatial="local") | options)


def published(name: str):
    """A set of the paper with the batch of its script and, where the thesis tells it, the FID."""
    config = base(SETS[name], upsampling="more" if name == "cityscapes" else "normal")
    config.batch_size = BATCHES[name]
    if name in PUBLISHED:
        values = dict(fid=PUBLISHED[name])
        config.evaluate.published = dict(source="DAGAN, thesis Table 6.5", folder=name, values=values)
    return config


def cityscapes(**options):
    """Another model on Cityscapes, of which nothing is published."""
    config = published("cityscapes")
    config.options.update(options)
    config.evaluate.published = {}
    return config


def facades1024():
    """The facades of 13 classes at the size of the code."""
    config = base(gaugan.labels("facades", 13, height=1024, width=1024, load=1054, epochs=50))
    config.batch_size = BATCHES["facades13"]
    return config


def demo():
    """Drawn hands at 64x64: source and skeleton in place of labels, narrow networks."""
    return gaugan.demo_of(base, width=8, hidden=16)


VARIANTS = {
    "": lambda: published("cityscapes"), "demo": demo, "position": lambda: cityscapes(spatial="position"),
    **{name: lambda name=name: published(name) for name in BATCHES}, "facades1024": facades1024,
    **{f"ablation_{row}": lambda row=row: cityscapes(**ROWS[row]) for row in ROWS},
    **{name: lambda name=name: gaugan.small(base(SETS[name])) for name in ("camvid", "facades", "landcover")},
    **{f"{name}128": lambda name=name: gaugan.for_cpus(base(SETS[f"{name}128"], **gaugan.NARROW))
       for name in ("camvid", "facades", "landcover")},
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
