"""SelectionGAN and SelectionGAN++ (Tang et al., CVPR 2019; thesis ch. 5): guided translation in two stages.

    python -m experiments.run --config=experiments/selectiongan.py:VARIANT

Variants:
  (none)           full size on the embedded drawn hands at 256x256, skeletons as guidance
  dayton, g2a      aerial to ground and back (Dayton) at 256x256; strips of views and label maps
  dayton64, g2a64  the same at 64x64
  cvusa, sva, ego2top    further cross-view sets at 256x256
  radboud          facial expressions at 256x256, landmarks as guidance; strips as in `c2gan.py`
  ntu, senz3d      hand gestures at 256x256, skeletons as guidance
  NAME_pp          SelectionGAN++ on each of these sets
  released, released_pp
                   Dayton by the reference code: one uncertainty map, plain L1 beside it, nothing mirrored; and for all
                   released weights, which hold a layer that is never called
  ablation_a ... ablation_h, ablation_pp
                   rows of Table 5.1 (Dayton, a third of the pairs): A from the source alone, B from the guidance alone,
                   C from both, D with the guidance cycle, E with uncertainty, F with the selection among ten images,
                   G with total variation, H with multi-scale pooling; and SelectionGAN++
  table52_f, table52_g, table52_h
                   the coarse images of the same rows (Table 5.2); their training is that of ablation_f, g and h, and all
                   variants with two stages measure both
  table53_0, table53_1, table53_5, table53_10, table53_32
                   Table 5.3: row F with that many images
  senet            row H with squeeze and excitation in the place of the pooling
  crossview, crossview_pp
                   a few strips of two views at 128x128 learned by heart, narrow networks: for two CPU cores
  landcover        land-cover maps to aerial photos at 128x128, the map being source and guidance; narrow networks
  demo, demo_pp    drawn hands at 64x64 with narrow networks: minutes on two CPU cores

Sets are looked for under datasets/NAME; say where yours are with --config.data.folder=FOLDER. Weights, epochs, batches
and sizes are those of the thesis and its code. The rate falls to exactly 0 in the last epoch, as in the code. Rows 0
and 1 of Table 5.3 have the printed scores of rows D and E, so that rows 5 and more are taken to be F's. Row E is
stage II with one image, whose uncertainty maps are made of the logits: the attention of one image tells nothing. Test
pictures are normalized by the running statistics, without dropout. `--config.sample_columns` takes "coarse_target",
"coarse_guidance", "fine_guidance", "image_1", "map_1" and so on to the number of images, and the uncertainty maps,
which --mode=check lists.
"""

from experiments import defaults, gesturegan

# The weights of comparisons, uncertainty-guided or plain, of both stages: images and guidance read off them.
COMPARED = dict(pixel_coarse=100.0, pixel_fine=200.0, cycle_coarse=1.0, cycle_fine=2.0)
GAN = dict(coarse=1.0, fine=4.0)  # of the adversarial losses of both stages; the discriminator's are halved
RELEASED = dict(uncertainty_maps=1, add_plain_l1=True, unused_layer=True)
PLUS = dict(channel_selection="inverted")

NO_STAGE_2 = dict(images=0, uncertainty_maps=0, total_variation=False)
ROW_F = dict(pooling="none", total_variation=False)
ROW_E = ROW_F | dict(images=1, uncertainty_input="logits")
ROW_D = NO_STAGE_2
ROWS = {
    "a": NO_STAGE_2 | dict(sees="source", cycle=False),
    "b": NO_STAGE_2 | dict(sees="guidance", cycle=False),
    "c": NO_STAGE_2 | dict(cycle=False),
    "d": ROW_D,
    "e": ROW_E,
    "f": ROW_F,
    "g": dict(pooling="none"),
    "h": {},
    "pp": PLUS,
}
IMAGES = {0: ROW_D, 1: ROW_E, 5: ROW_F | dict(images=5), 10: ROW_F, 32: ROW_F | dict(images=32)}


def base(*, flat_epochs: int, decay_epochs: int, batch_size: int = 4, **options):
    """SelectionGAN, the full model unless `options` leave something out."""
    config = defaults.get_config()
    config.method = "selectiongan"
    config.options = dict(
        guidance=True, sees="both", cycle=True, images=10, uncertainty_maps=4, uncertainty_input="attention", add_plain_l1=False,
        total_variation=True, pooling="multiscale", channel_selection="none", unused_layer=False, result="fine",
        update_order="discriminator_first", width=64, guidance_width=4, attention_width=104, levels=8, dropout=0.5,
        discriminator_width=64, discriminator_layers=3, norm="batch", initialization="normal",
        compute_dtype="float32")
    config.options.update(options)
    config.weights = term_weights(config.options)
    config.batch_size, config.epochs = batch_size, flat_epochs + decay_epochs
    schedule = dict(name="linear", flat_epochs=flat_epochs, decay_epochs=decay_epochs)
    config.optimizers = {player: defaults.adam(schedule) for player in config.weights}
    config.evaluate.norm = "running"
    if config.options.images:  # both stages are measured
        config.evaluate.pictures = ("coarse_target" if config.options.result == "fine" else "fine_target",)
    return config


def term_weights(options) -> dict:
    """The weight of every term that these options compute, by player (thesis ch. 5; the sum over all pixels for TV)."""
    stages = ("coarse", "fine") if options.images else ("coarse",)
    compared = {term: weight for term, weight in COMPARED.items()
                if term.split("_")[1] in stages and (options.cycle or term.startswith("pixel"))}
    generator = {f"gan_{stage}": GAN[stage] for stage in stages}
    if options.uncertainty_maps:
        generator |= {f"guided_{term}": weight for term, weight in compared.items()}
    if options.add_plain_l1 or not options.uncertainty_maps:
        generator |= compared
    if options.total_variation:
        generator["tv"] = 1e-6
    judged = {f"fake_{stage}": GAN[stage] / 2 for stage in stages}
    return dict(discriminator=judged | dict(real=sum(judged.values())), generator=generator)


def hands(**options):
    """The model of the gestures on the embedded set."""
    return base(flat_epochs=10, decay_epochs=10, **options)


# Cross-view sets: flat and decaying epochs, batch, sizes before and after the crop, and levels of the U-Nets.
VIEWS = {
    "dayton": (20, 15, 4, 286, 256, 8),
    "g2a": (20, 15, 4, 286, 256, 8),
    "dayton64": (50, 50, 16, 72, 64, 5),
    "g2a64": (50, 50, 16, 72, 64, 5),
    "cvusa": (15, 15, 4, 286, 256, 8),
    "sva": (10, 10, 4, 286, 256, 8),
    "ego2top": (5, 5, 8, 286, 256, 8),
}
FOLDERS = {"dayton": "dayton_a2g", "dayton64": "dayton_a2g", "g2a": "dayton_g2a", "g2a64": "dayton_g2a"}


def views(name: str, **options):
    """A cross-view set: strips source view | target view | label map of the source | label map of the target.

    Training strips: Dayton 55,000, CVUSA 35,532, SVA 46,030, Ego2Top 386,357.
    """
    flat_epochs, decay_epochs, batch_size, load_size, crop_size, levels = VIEWS[name]
    config = base(flat_epochs=flat_epochs, decay_epochs=decay_epochs, batch_size=batch_size, levels=levels, **options)
    config.data.update(kind="strips", folder=f"datasets/{FOLDERS.get(name, name)}", panels="source_first",
                       load_size=load_size, crop_size=crop_size)
    config.evaluate.metrics = gesturegan.VIEW_METRICS
    return config


def radboud(**options):
    """Radboud Faces, 5,628 training strips, batch 4, 200 epochs."""
    config = base(flat_epochs=100, decay_epochs=100, **options)
    config.data.update(kind="strips", folder="datasets/radboud", panels="target_first")
    return config


def gestures(name: str, **options):
    """NTU Hand Digit (75,036 training strips) or Creative Senz3D (135,504), batch 4, 20 epochs."""
    config = hands(**options)
    config.data.update(kind="strips", folder=f"datasets/{name}", panels="source_first")
    config.evaluate.metrics = gesturegan.HAND_METRICS
    return config


def released(**options):
    """Dayton with the losses of the reference code, and with its augmentation: crops alone."""
    config = views("dayton", **RELEASED | options)
    config.data.flip = "off"
    return config


def ablation(**options):
    """A row of Table 5.1 or 5.3: Dayton aerial to ground, a random third of the pairs."""
    config = views("dayton", **options)
    config.data.share = 1 / 3
    return config


def narrow(size: int, **options):
    """Networks for two CPU cores at 64x64 or 128x128, without dropout; widths and number of images are ours."""
    widths = dict(width=size // 4, guidance_width=4, attention_width=26, images=5, discriminator_width=size // 4)
    return base(flat_epochs=1, decay_epochs=0, levels=size.bit_length() - 1, dropout=0.0, **widths | options)


def crossview(**options):
    """A few strips of two views at 128x128, learned by heart and evaluated on themselves; all lengths are ours.

        python -m experiments.run --config=experiments/selectiongan.py:crossview --config.data.folder=FOLDER

    FOLDER holds train/ with strips of four panels, or of six with --config.data.panels=six. Instance norms, so that no
    strip's picture depends on those beside it.

    Four strips of Ego2Top, 27 minutes on one core of an Intel Xeon: PSNR 41.44, SSIM 0.991 and LPIPS 0.002 on these same
    strips, stage I alone 38.85, 0.984 and 0.006; the source view itself 12.64, 0.308 and 0.403. Result and target look
    the same; the label map read off the result is coarse and grained, but right.
    """
    config = narrow(128, norm="instance", **options)
    config.data.update(kind="strips", folder="datasets/crossview", panels="source_first", test_split="train",
                       load_size=128, crop_size=128, flip="off")
    config.steps = 1500
    schedule = dict(name="linear_steps", flat_steps=750)
    config.optimizers = dict(discriminator=defaults.adam(schedule), generator=defaults.adam(schedule, learning_rate=1e-3))
    config.sample_every, config.checkpoint_every = 100, 100
    config.evaluate.norm = "batch"
    return config


def landcover():
    """Aerial photos of their land-cover maps at 128x128: 1,000 steps of batch 4, all lengths and widths are ours.

        python -m experiments.run --config=experiments/selectiongan.py:landcover --config.data.folder=FOLDER

    18 minutes on one core of an Intel Xeon, test pairs: PSNR 17.52, SSIM 0.338 and LPIPS 0.476, stage I alone 18.87,
    0.396 and 0.565; the colored map itself 10.85, 0.290 and 0.642. Roads, trees and houses are where the map has them
    and crisper than in stage I, with trees of its own in the meadows; water, of which there is little, is a gray grain.
    """
    config = narrow(128, guidance=False)
    config.data.update(kind="labels", folder="datasets/landcover", load_size=143, crop_size=128)
    config.steps = 1000
    schedule = dict(name="linear_steps", flat_steps=500)
    config.optimizers = dict(discriminator=defaults.adam(schedule), generator=defaults.adam(schedule, learning_rate=5e-4))
    config.ema = dict.fromkeys(("image_generator", "guidance_generator", "attention_generator"), 0.99)
    config.sample_every, config.checkpoint_every = 100, 100
    return config


def demo(**options):
    """Drawn hands at 64x64 on narrow networks, both stages and all losses."""
    config = narrow(64, **options)
    return defaults.demo(config, rates=dict(generator=1e-3, discriminator=2e-4),
                         averaged=("image_generator", "guidance_generator", "attention_generator"))


SETS = {name: lambda name=name, **options: views(name, **options) for name in VIEWS}
SETS |= {"radboud": radboud} | {name: lambda name=name, **options: gestures(name, **options) for name in ("ntu", "senz3d")}
VARIANTS = {
    "": hands, **SETS, **{f"{name}_pp": lambda make=make: make(**PLUS) for name, make in SETS.items()},
    "released": released, "released_pp": lambda: released(**PLUS),
    **{f"ablation_{row}": lambda row=row: ablation(**ROWS[row]) for row in ROWS},
    **{f"table52_{row}": lambda row=row: ablation(**ROWS[row], result="coarse") for row in "fgh"},
    **{f"table53_{count}": lambda count=count: ablation(**IMAGES[count]) for count in IMAGES},
    "senet": lambda: ablation(pooling="squeeze"),
    "crossview": crossview, "crossview_pp": lambda: crossview(**PLUS), "landcover": landcover, "demo": demo,
    "demo_pp": lambda: demo(**PLUS),
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
