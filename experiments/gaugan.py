"""GauGAN (Park et al. 2019): label maps to photos, the backbone of thesis ch. 6.

    python -m experiments.run --config=experiments/gaugan.py:VARIANT

Variants:
  (none), cityscapes    512x256, 35 labels and instance edges
  ade20k, coco, deepfashion    256x256; ade20k_moved has the unknown pixels last, as the reference meant to
  facades13, celebamask        512x512; the facades of 13 classes
  cityscapes_styles, ade20k_styles, coco_styles    with the encoder: several styles of one label map
  cityscapes_one_rate   without the two rates of TTUR
  table610_KIND         rows of Table 6.10 on cityscapes: how features are enlarged
  radboud, sva, ntu     the guided form of Tables 5.4 and 5.9 to 5.11: strips, the style is the source's
  camvid, facades, landcover           256 pixels wide, the full network, small sets
  camvid128, facades128, landcover128  128 pixels wide, narrow networks, for CPUs
  demo                  drawn hands at 64x64, guided, with narrow networks: minutes on two CPU cores

Sets are looked for under datasets/NAME; say where yours are with --config.data.folder=FOLDER. Batches and epochs are
those of the thesis (32; 200 epochs) and of the scripts of DAGAN, which build on the same code, where it gives none;
those of the small sets are ours. A batch of 32 needs several devices, or --config.accumulate, with which norms take
the statistics of each part. Test pictures are made with running statistics. With SAU `--config.sample_columns` takes
"kernel_up_0_1" and so on, its weights at `options.kernel_points` (Figure 6.6), which --mode=check lists.
"""

from typing import NamedTuple

from experiments import defaults
from gganjax.data import painting
from gganjax.nets import upsampling

WEIGHTS = dict(gan=1.0, feature=10.0, perceptual=10.0, kl=0.05)
METRICS = ("fid", "kid", "lpips", "psnr", "ssim")


class LabelSet(NamedTuple):
    """What a set of label maps asks of a config.

    Attributes:
      options: of the method, but for the networks.
      data: settings.
      flat_epochs, decay_epochs: with a constant rate, and with one that falls.
    """

    options: dict
    data: dict
    flat_epochs: int = 100
    decay_epochs: int = 100


def labels(layout: str, classes: int, *, height: int = 256, width: int = 256, load: int = 0, unknown: bool = False,
           instances: bool = False, epochs: int = 100, folder: str = "") -> LabelSet:
    """A set of that layout and size; `load` is the side of the square that the crop is cut out of."""
    data = dict(kind="labels", layout=layout, folder=folder or f"datasets/{layout}", load_size=load or height,
                load_width=load or width, crop_size=height, crop_width=width, whole_range=True)
    data |= dict(classes=classes) if layout == "plain" else {}
    return LabelSet(dict(classes=classes, unknown=unknown, instances=instances), data, epochs, epochs)


SETS = {
    "cityscapes": labels("cityscapes", 35, width=512, instances=True),
    "ade20k": labels("ade20k", 150, load=286, unknown=True),
    "coco": labels("coco", 182, load=286, unknown=True, instances=True, epochs=50),
    "deepfashion": labels("deepfashion", 20, load=286, epochs=50),
    "facades13": labels("facades", 13, height=512, width=512, load=542, epochs=50),
    "celebamask": labels("celebamask", 19, height=512, width=512, load=542, epochs=50),
    "camvid": labels("plain", 12, height=192, folder="datasets/camvid"),
    "facades": labels("plain", 12, load=286, folder="datasets/facades"),
    "landcover": labels("plain", 5, load=286, folder="datasets/landcover"),
    "camvid128": labels("plain", 12, height=96, width=128, folder="datasets/camvid"),
    "facades128": labels("plain", 12, height=128, width=128, load=143, folder="datasets/facades"),
    "landcover128": labels("plain", 5, height=128, width=128, load=143, folder="datasets/landcover"),
}


def schedule(flat_epochs: int, decay_epochs: int) -> dict:
    """In epoch e = 1, 2, ... the share of the rate is 1 - max(0, e - 1 - flat_epochs) / decay_epochs.

    It is that of the schedule "linear" of two flat epochs more and one falling epoch less.
    """
    if not decay_epochs:
        return dict(name="constant")
    return dict(name="linear", flat_epochs=flat_epochs + 2, decay_epochs=decay_epochs - 1)


def recipe(config, chosen: LabelSet, *, ttur: bool = True):
    """Data, weights, length, rates and evaluation of a config whose method and options stand; it is returned."""
    config.data.update(chosen.data)
    config.weights = term_weights(config.options)
    config.batch_size, config.epochs = 32, chosen.flat_epochs + chosen.decay_epochs
    falling, betas = schedule(chosen.flat_epochs, chosen.decay_epochs), dict(b1=0.0, b2=0.9) if ttur else {}
    rates = dict(generator=1e-4, discriminator=4e-4) if ttur else dict(generator=2e-4, discriminator=2e-4)
    config.optimizers = {player: defaults.adam(falling, learning_rate=rate, **betas) for player, rate in rates.items()}
    config.evaluate.update(norm="running", metrics=METRICS)
    return config


def term_weights(options) -> dict:
    """The weight of every term that these options compute."""
    wanted = dict(gan=True, feature=options.feature_matching, perceptual=options.perceptual != "none",
                  kl=options.get("latent", 0) > 0)
    return dict(generator={term: WEIGHTS[term] for term, there in wanted.items() if there},
                discriminator=dict(fake=1.0, real=1.0))


def base(chosen: LabelSet, *, ttur: bool = True, **options):
    """GauGAN on a set, with the published weights and rates; `options` are those of the method."""
    return on_spade("gaugan", chosen, ttur=ttur, **dict(kernel_points=upsampling.POINTS) | options)


def on_spade(method: str, chosen: LabelSet, *, ttur: bool = True, **options):
    """A method whose options are those of GauGAN and further ones, with the same weights and rates."""
    config = defaults.get_config()
    config.method = method
    config.options = dict(
        **chosen.options, unknown_first=False, guidance="none", width=64, upsampling="normal", upsampler="nearest",
        norm="batch", hidden=128, latent=0, encoder_width=64, encoder_size=256, remat=False, adversarial="hinge",
        feature_matching=True, perceptual="auto", discriminator_width=64, discriminator_layers=4,
        discriminator_scales=2, discriminator_norm="instance", spectral_initialization="torch_kernels",
        compute_dtype="float32")
    config.options.update(options)
    return recipe(config, chosen, ttur=ttur)


def cityscapes(*, ttur: bool = True, **options):
    """Cityscapes, 2,975 training pairs, 200 epochs."""
    return base(SETS["cityscapes"], upsampling="more", ttur=ttur, **options)


def strips(name: str, epochs: int, panels: str = "auto") -> LabelSet:
    """A guided set of strips at 256x256, not cropped; pictures are mirrored."""
    data = dict(kind="strips", folder=f"datasets/{name}", panels=panels, load_size=256, crop_size=256, flip="on")
    return LabelSet(dict(classes=1, unknown=False, instances=False), data, epochs, epochs)


GUIDED = {"radboud": strips("radboud", 100, "target_first"), "sva": strips("sva", 10), "ntu": strips("ntu", 10)}
GUIDED_BATCHES = {"radboud": 16, "sva": 16, "ntu": 24}


def guided(name: str):
    """The guided form: the guidance in place of labels, and the source's code in place of the target's."""
    config = base(GUIDED[name], guidance="target", latent=256)
    config.batch_size = GUIDED_BATCHES[name]
    return config


def small(config):
    """Eight pictures a step, which one device holds.

    `tools/benchmark.py --config=experiments/gaugan.py:facades --config.batch_size=4` on two cores of an AMD EPYC, four
    or five steps each, one after the other; state and batch, 1.24 GB, come on top:

        compute_dtype, remat    step    temporary memory    kept by the generator for its backward pass, by JAX's count
        float32                 1       5.08 GB             6.01 GB
        float32, remat          1.11    5.08 GB             0.74 GB
        bfloat16                0.94    4.16 GB             4.18 GB
        bfloat16, remat         1.13    4.47 GB             0.56 GB

    XLA for the CPU merges or reorders what is recomputed, so that remat costs time there and saves nothing; the last
    column is what stays where a compiler keeps recomputation apart. It was not run on a GPU.
    """
    config.batch_size = 8
    return config


NARROW = dict(width=16, hidden=64, discriminator_width=32)


def for_cpus(config):
    """Makes a config of a narrow network one for CPUs: 400 steps of four pictures, an average of the generator.

    Rates are ours, the same for both players and higher than the published ones, which are for much longer runs.

        python -m experiments.run --config=experiments/NAME.py:VARIANT --config.data.folder=FOLDER

    On one core of an Intel Xeon, 17 to 45 minutes each, test pictures beside photos, KID on EfficientNet-Lite0:

        NAME.py:VARIANT                     KID     LPIPS   PSNR    SSIM
        gaugan.py:camvid128                 0.257   0.442   15.05   0.406
          the same, options.upsampler=sau   0.402   0.382   14.85   0.358
        dagan.py:camvid128                  0.353   0.433   14.97   0.393
        edgegan.py:camvid128                0.319   0.318   14.75   0.388
        lggan_semantic.py:camvid128_pp      0.287   0.356   16.21   0.430
        the colored label map               0.796   0.654   9.91    0.261

        gaugan.py:facades128                0.065   0.480   11.51   0.236
        dagan.py:facades128                 0.066   0.454   11.48   0.239
        edgegan.py:facades128               0.061   0.434   11.71   0.241
        lggan_semantic.py:facades128_pp     0.069   0.423   12.08   0.246
        the colored label map               0.330   0.673   5.99    0.035

    On CamVid streets, houses, trees, cars and people are where the labels say. GauGAN's and DAGAN's houses and trees are
    streaks; with SAU trees have leaves and roads a regular grain; LGGAN++'s are soft and grained; EdgeGAN's are the
    crispest, with curbs and rows of windows, and edges that are mostly those of the labels. On Facades windows, doors,
    ledges and balconies stand out in all four, EdgeGAN's edges are theirs, and all houses are of one gray brown.
    """
    config.batch_size, config.epochs, config.steps = 4, 0, 400
    config.ema = dict(generator=0.99)
    for optimizer in config.optimizers.values():
        optimizer.update(learning_rate=5e-4, schedule=dict(name="linear_share", flat_share=0.5))
    config.sample_every, config.checkpoint_every = 100, 100
    config.evaluate.metrics = ("kid_efficientnet", "lpips", "psnr", "ssim")
    return config


PARTS = LabelSet(dict(classes=len(painting.PARTS), unknown=False, instances=False), dict(classes=len(painting.PARTS)))


def demo_of(make, **narrow):
    """A config of `make` with narrow networks for drawn hands at 64x64: source and skeleton in place of labels."""
    return of_hands(make, LabelSet(dict(classes=1, unknown=False, instances=False), {}), guidance="both", **narrow)


def parts_demo_of(make, **narrow):
    """A config of `make` with narrow networks for drawn hands at 64x64, made of the map of their parts."""
    return of_hands(make, PARTS, **narrow)


def of_hands(make, chosen: LabelSet, **options):
    """What both demos share: a small discriminator, no perceptual term, an average of the generator."""
    config = make(chosen, perceptual="none", discriminator_width=16, discriminator_layers=3, **options)
    config.batch_size = 4
    config = defaults.demo(config, rates=dict(generator=4e-4, discriminator=4e-4), averaged=("generator",))
    for optimizer in config.optimizers.values():
        optimizer.b1, optimizer.b2 = 0.0, 0.9
    config.evaluate.metrics = ("psnr", "ssim", "lpips")
    return config


def demo():
    """Drawn hands at 64x64, guided."""
    return demo_of(base, width=8, hidden=16)


VARIANTS = {
    "": cityscapes, "cityscapes": cityscapes, "demo": demo,
    **{name: lambda name=name: base(SETS[name])
       for name in ("ade20k", "coco", "deepfashion", "facades13", "celebamask")},
    "ade20k_moved": lambda: base(SETS["ade20k"], unknown_first=True),
    "cityscapes_styles": lambda: cityscapes(latent=256),
    "cityscapes_one_rate": lambda: cityscapes(ttur=False),
    **{f"{name}_styles": lambda name=name: base(SETS[name], latent=256) for name in ("ade20k", "coco")},
    **{f"table610_{kind}": lambda kind=kind: cityscapes(upsampler=kind) for kind in upsampling.KINDS},
    **{name: lambda name=name: guided(name) for name in GUIDED},
    **{name: lambda name=name: small(base(SETS[name])) for name in ("camvid", "facades", "landcover")},
    **{f"{name}128": lambda name=name: for_cpus(base(SETS[f"{name}128"], **NARROW))
       for name in ("camvid", "facades", "landcover")},
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
