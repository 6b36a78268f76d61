"""EdgeGAN (thesis 6.4 and 6.6): label maps to photos by way of their edges.

    python -m experiments.run --config=experiments/edgegan.py:VARIANT

Variants:
  (none), cityscapes    512x256, 35 labels and instance edges
  ade20k, coco, deepfashion    256x256
  facades13, celebamask        512x512; the facades of 13 classes
  table615_gi, table615_ge, table615_gt, table615_gs    rows of Table 6.15 on Cityscapes: the image branch alone; with
                        the edge branch; with attention-guided edge transfer; with the semantic preserving module, the
                        whole
  table616_1, table616_2    rows of Table 6.16: the intermediate image I' as the result, and the final one I''
  feature_transfer, content_transfer    Cityscapes, the edges guide features alone, or the picture alone
  cityscapes_styles     with GauGAN's encoder: images and edges in several styles of one label map
  pix2pixhd             Cityscapes on Pix2pixHD's features in place of GauGAN's
  camvid, facades, landcover           256 pixels wide, the full network, small sets
  camvid128, facades128, landcover128  128 pixels wide, narrow networks, for CPUs
  demo                  drawn hands of the map of their parts at 64x64, narrow networks: minutes on two CPU cores

Sets are looked for as in experiments/gaugan.py, whose batch, epochs and rates EdgeGAN has: the text follows GauGAN.
Real edges are the set's edge pictures, or Canny's of the photos where there are none (--config.data.edges; the latter
needs OpenCV). Weights are the text's: 1 for the adversarial terms, 10 for feature matching and perceptual terms, all of
the final image's twice (--config.options.fine_factor). Adam's second decay is the text's, 0.999; the code has 0.9. The
text has the log form of the adversarial loss, --config.options.adversarial=vanilla; hinge is the code's.

`--config.sample_columns` takes "edge_attention_1" to "edge_attention_3", "edge_attention_content" and "class_1" up to
the number of classes; the edges and the intermediate image are columns anyway.
"""

from experiments import defaults, gaugan
from experiments.gaugan import SETS

# Table 6.15: FID. Its mIoU and accuracy are of segmenters that are not part of a run.
PUBLISHED = dict(gi=65.7, ge=61.0, gt=59.0, gs=57.1)
ROWS = {
    "gi": dict(edges=False, transfer="none", semantic=False),
    "ge": dict(transfer="none", semantic=False),
    "gt": dict(semantic=False),
    "gs": {},
}


def base(chosen: gaugan.LabelSet, **options):
    """EdgeGAN on a set, the full model unless `options` leave something out."""
    own = dict(backbone="gaugan", edges=True, transfer="both", semantic=True, fine_factor=2.0, result="fine",
               spectral_branches=False, spare_linear=True, levels=4, blocks=9)
    config = gaugan.on_spade("edgegan", chosen, **own | options)
    del config.options.guidance
    for optimizer in config.optimizers.values():
        optimizer.b2 = 0.999
    return config


def cityscapes(**options):
    """Cityscapes, 2,975 training pairs, 200 epochs."""
    return base(SETS["cityscapes"], upsampling="more", **options)


def row(name: str):
    """A row of Table 6.15, with its published FID."""
    config = cityscapes(**ROWS[name])
    values = dict(fid=PUBLISHED[name])
    config.evaluate.published = dict(source="EdgeGAN, thesis Table 6.15", folder="cityscapes", values=values)
    return config


def demo():
    """Drawn hands at 64x64 of the map of their parts; the real edges are the outlines of the parts."""
    config = gaugan.parts_demo_of(base, width=8, hidden=16, blocks=2)
    for optimizer in config.optimizers.values():
        optimizer.b2 = 0.999
    return config


OTHERS = ("ade20k", "coco", "deepfashion", "facades13", "celebamask")
VARIANTS = {
    "": lambda: row("gs"), "cityscapes": lambda: row("gs"), "demo": demo,
    **{name: lambda name=name: base(SETS[name]) for name in OTHERS},
    **{f"table615_{name}": lambda name=name: row(name) for name in ROWS},
    "table616_1": lambda: cityscapes(result="coarse"), "table616_2": cityscapes,
    **{f"{kind}_transfer": lambda kind=kind: cityscapes(transfer=kind) for kind in ("feature", "content")},
    "cityscapes_styles": lambda: cityscapes(latent=256),
    "pix2pixhd": lambda: cityscapes(backbone="pix2pixhd"),
    **{name: lambda name=name: gaugan.small(base(SETS[name])) for name in ("camvid", "facades", "landcover")},
    **{f"{name}128": lambda name=name: gaugan.for_cpus(base(SETS[f"{name}128"], **gaugan.NARROW))
       for name in ("camvid", "facades", "landcover")},
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
