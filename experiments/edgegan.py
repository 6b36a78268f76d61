"""EdgeGAN (thesis 6.4 and 6.6): label maps to photos by way of their edges.

    python -m experiments.run --config=experiments/edgegan.py:VARIANT

Variants:
  (none), cityscapes    Cityscapes at 512x256 with instance edges, 100 + 100 epochs
  ade20k           256x256, 100 + 100 epochs
  cocostuff        256x256 with instance edges, 50 + 50 epochs
  deepfashion      human parsing to photos at 256x256, 50 + 50 epochs
  celebamask, facades_512    faces and building fronts at 512x512, 50 + 50 epochs
  table615_gi, table615_ge, table615_gt, table615_gs    rows of Table 6.15 on Cityscapes: the image branch alone; with
                   the edge branch; with attention-guided edge transfer; with the semantic preserving module, the whole
  table616_one, table616_two    rows of Table 6.16: the intermediate image I' as the result, and the final one I''
  feature_transfer, content_transfer    Cityscapes, edges guide features alone, or the picture alone
  multimodal       Cityscapes with GauGAN's encoder: images and edges in several styles, one a seed
  pix2pixhd        Cityscapes on Pix2pixHD's features in GauGAN's place
  camvid           street scenes at 128x96 with narrow networks, for two CPU cores
  facades, landcover    building fronts of 12 classes and aerial photos at 128x128, likewise

Sets are looked for as in experiments/dagan.py. Real edges are the set's edge pictures, or Canny's of the photos where
there are none (--config.data.edges, which needs OpenCV for the latter). Weights are the text's: 1 for the adversarial
terms, 10 for feature matching and perceptual terms, and all of the final image's twice (--config.options.fine_factor).
Rates, batch (32) and epochs are GauGAN's, of whom the text says that it follows him; those of the sets that it does not
name are of DAGAN's scripts. Adam's second decay is the text's, 0.999. The text's adversarial loss is the log form,
--config.options.adversarial=vanilla; the code's, hinge, is the default. Lengths and widths for CPUs are ours.

`--config.sample_columns` takes "edge_attention_1" to "edge_attention_3", "edge_attention_content" and "class_1" up to
the number of classes; edges and both images are columns anyway.
"""

from experiments import dagan, defaults

# Table 6.15: FID. Its mIoU and accuracy are of segmenters that are not part of a run.
PUBLISHED = dict(gi=65.7, ge=61.0, gt=59.0, gs=57.1)
ROWS = {
    "gi": dict(edges=False, transfer="none", semantic=False),
    "ge": dict(transfer="none", semantic=False),
    "gt": dict(semantic=False),
    "gs": {},
}
SETS = ("cityscapes", "ade20k", "cocostuff", "deepfashion", "celebamask", "facades_512")


def base(*, flat_epochs: int, decay_epochs: int, **options):
    """EdgeGAN, the full model unless `options` leave something out."""
    own = dict(backbone="gaugan", edges=True, transfer="both", semantic=True, fine_factor=2.0, result="fine",
               spectral_branches=False, spare_linear=True, levels=4, blocks=9)
    return dagan.synthesis("edgegan", flat_epochs=flat_epochs, decay_epochs=decay_epochs, b2=0.999, **own | options)


def full_size(name: str, **options):
    """A set of the thesis at batch 32."""
    return dagan.published(base, name, 32, **options)


def row(name: str):
    """A row of Table 6.15, with its published FID."""
    config = full_size("cityscapes", **ROWS[name])
    config.evaluate.published = dict(source="EdgeGAN, thesis Table 6.15", folder="cityscapes",
                                     values=dict(fid=PUBLISHED[name]))
    return config


VARIANTS = {
    "": lambda: row("gs"),
    **{name: lambda name=name: full_size(name) for name in SETS},
    **{f"table615_{name}": lambda name=name: row(name) for name in ROWS},
    "table616_one": lambda: full_size("cityscapes", result="coarse"), "table616_two": lambda: full_size("cityscapes"),
    **{f"{kind}_transfer": lambda kind=kind: full_size("cityscapes", transfer=kind) for kind in ("feature", "content")},
    "multimodal": lambda: full_size("cityscapes", latent=256),
    "pix2pixhd": lambda: full_size("cityscapes", backbone="pix2pixhd"),
    **{name: lambda name=name: dagan.small(base, name) for name in dagan.SMALL},
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
