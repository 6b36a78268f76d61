"""LGGAN across views (Tang et al., CVPR 2020; thesis 6.3): local class-specific and global image generation.

    python -m experiments.run --config=experiments/lggan.py:VARIANT

Variants:
  (none), dayton   aerial to ground at 256x256, full size; strips of six panels, the last two of classes
  g2a              Dayton ground to aerial
  dayton64, g2a64  the same at 64x64
  cvusa, sva       further cross-view sets at 256x256
  NAME_pp          LGGAN++ on each of these sets: semantic-aware upsampling in the global head
  text             Dayton where the text differs from its code: classification loss as a plain sum over features that
                   are averaged inside their class, a norm before the weights' softmax, one SAU on the encoder's code
  released         Dayton with class strips resized as by the code, bicubic, which leaves a twentieth of them void
  crossview, crossview_pp
                   a few strips of two views at 128x128 learned by heart, narrow networks: for two CPU cores
  landcover        land-cover maps to aerial photos at 128x128, the map being source and guidance; narrow networks
  demo             drawn hands at 64x64, whose parts are the classes; narrow networks: minutes on two CPU cores

Sets are looked for under datasets/NAME; say where yours are with --config.data.folder=FOLDER. Weights, epochs, batches
and sizes are those of the released code; pictures are not mirrored. The form of label maps is `lggan_semantic.py`, with
the rows of Table 6.7. `--config.sample_columns` takes "local", "global", "weight_local", "weight_global", "class_1" and
so on, and with SAU "kernel_global_0_1" and so on, its weights at `options.kernel_points` (Figure 6.6), which
--mode=check lists.
"""

from experiments import defaults, gesturegan
from gganjax.data import painting
from gganjax.nets import upsampling

WEIGHTS = dict(gan_source=1.0, gan_guidance=1.0, pixel=100.0, pixel_global=100.0, pixel_local=100.0, classes=100.0)
PLUS = dict(upsampler="sau")
TEXT = PLUS | dict(sau_local=True, weight_norm=True, class_loss="sum", divide_by_area=True)
NARROW = dict(width=32, blocks=6, discriminator_width=32)
# Folder, flat and decaying epochs.
SETS = {"dayton": ("dayton_a2g", 20, 15), "g2a": ("dayton_g2a", 20, 15), "cvusa": ("cvusa", 15, 15),
        "sva": ("sva", 10, 10)}


def base(*, flat_epochs: int, decay_epochs: int, **options):
    """LGGAN, the full model of the released code unless `options` say otherwise."""
    config = defaults.get_config()
    config.method = "lggan"
    config.options = dict(
        classes=6, labels=False, upsampler="transposed", sau_local=False, fusion="weights", weight_norm=False,
        class_loss="none", divide_by_area=False, kernel_points=upsampling.POINTS, perceptual="auto",
        total_variation=True, update_order="discriminators_first", width=64, blocks=9, discriminator_width=64,
        discriminator_layers=3, compute_dtype="float32")
    config.options.update(options)
    config.weights = term_weights(config.options)
    config.epochs = flat_epochs + decay_epochs
    schedule = dict(name="linear", flat_epochs=flat_epochs, decay_epochs=decay_epochs)
    config.optimizers = {player: defaults.adam(schedule) for player in ("discriminators", "generator")}
    config.evaluate.metrics = gesturegan.VIEW_METRICS
    return config


def term_weights(options) -> dict:
    """The weight of every term that these options compute; the discriminators are halved."""
    wanted = {"perceptual": (10.0, options.perceptual != "none"), "tv": (1e-6, options.total_variation),
              "class": (1.0, options.class_loss != "none")}
    generator = WEIGHTS | {term: weight for term, (weight, there) in wanted.items() if there}
    judges = {f"{judge}_{label}": 0.5 for judge in ("source", "guidance") for label in ("fake", "real")}
    return dict(generator=generator, discriminators=judges)


def views(name: str, **options):
    """A cross-view set at 256x256, batch 4."""
    folder, flat_epochs, decay_epochs = SETS[name]
    config = base(flat_epochs=flat_epochs, decay_epochs=decay_epochs, **options)
    config.data.update(kind="strips", folder=f"datasets/{folder}", panels="six", flip="off")
    return config


def views64(name: str, **options):
    """Dayton at 64x64, batch 16, 100 epochs."""
    config = base(flat_epochs=50, decay_epochs=50, **options)
    config.data.update(kind="strips", folder=f"datasets/{SETS[name][0]}", panels="six", load_size=72, crop_size=64,
                       flip="off")
    config.batch_size = 16
    return config


def released():
    """Dayton with the class strips that the released code sees."""
    config = views("dayton")
    config.data.class_resize = "bicubic"
    return config


def for_cpus(config, *, steps: int, batch_size: int):
    """Makes a config of narrow networks one of pictures at 128x128 for CPUs; most of a step is VGG's."""
    config.steps, config.epochs, config.batch_size = steps, 0, batch_size
    schedule = dict(name="linear_share", flat_share=0.5)
    config.optimizers = dict(discriminators=defaults.adam(schedule),
                             generator=defaults.adam(schedule, learning_rate=1e-3))
    config.sample_every, config.checkpoint_every = 100, 100
    config.evaluate.metrics = gesturegan.USUAL
    return config


def crossview(**options):
    """A few strips of two views at 128x128, learned by heart and evaluated on themselves; all lengths are ours.

        python -m experiments.run --config=experiments/lggan.py:crossview[_pp] --config.data.folder=FOLDER

    FOLDER holds train/ with strips of six panels. Ten strips of Dayton, 3,000 steps on one core of an AMD EPYC, 41
    minutes of `crossview` and 46 of `crossview_pp`, scored on these same strips:

                                PSNR     SSIM    LPIPS
      LGGAN                    38.09    0.961    0.009
      LGGAN++                  35.76    0.938    0.017
      the aerial view itself   11.96    0.205    0.633

    Houses, trees, lamps and clouds are those of the photos. A run of 1,200 steps gave LGGAN++ an SSIM of 0.831. At step
    800 its trees and roads bore a grid, which is gone at the end; those of LGGAN at step 900 did not.
    """
    config = for_cpus(base(flat_epochs=1, decay_epochs=0, **NARROW, **options), steps=3000, batch_size=1)
    config.data.update(kind="strips", folder="datasets/crossview", panels="six", test_split="train", load_size=128,
                       crop_size=128, flip="off")
    return config


def landcover():
    """Aerial photos of their land-cover maps of five classes at 128x128; lengths and widths are ours.

        python -m experiments.run --config=experiments/lggan.py:landcover --config.data.folder=FOLDER

    1,500 steps of batch 2, 39 minutes on one core of an AMD EPYC, test pairs: PSNR 17.85, SSIM 0.307 and LPIPS 0.431; the
    colored map itself 10.85, 0.290 and 0.642. After a run of 500 steps 17.66, 0.358 and 0.564: smoother, with dark tufts
    for trees. Now trees, roads and houses look like those of the photos and are where the map has them, with trees of its
    own in the meadows; wide water is gray, it and wide meadows bear regular waves and a dark bar on the right.
    """
    config = for_cpus(base(flat_epochs=1, decay_epochs=0, classes=5, labels=True, **NARROW), steps=1500, batch_size=2)
    config.data.update(kind="labels", folder="datasets/landcover", classes=5, load_size=143, crop_size=128)
    config.ema = dict(generator=0.99)
    return config


def demo():
    """Drawn hands at 64x64 on narrow networks; the classes are the parts of the target's hand."""
    narrow = dict(width=16, blocks=3, discriminator_width=16, perceptual="none")
    config = base(flat_epochs=1, decay_epochs=0, classes=len(painting.PARTS) - 1, **narrow)
    rates = dict(discriminators=4e-4, generator=1e-3)
    config = defaults.demo(config, rates=rates, averaged=("generator",))
    config.evaluate.metrics = gesturegan.USUAL
    return config


VARIANTS = {
    "": lambda: views("dayton"),
    **{name: lambda name=name: views(name) for name in SETS},
    **{f"{name}64": lambda name=name: views64(name) for name in ("dayton", "g2a")},
    **{f"{name}_pp": lambda name=name: views(name, **PLUS) for name in SETS},
    **{f"{name}64_pp": lambda name=name: views64(name, **PLUS) for name in ("dayton", "g2a")},
    "text": lambda: views("dayton", **TEXT), "released": released,
    "crossview": crossview, "crossview_pp": lambda: crossview(**PLUS), "landcover": landcover,
    "demo": demo,
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
