"""XingGAN (Tang et al., thesis 4.3): persons in another pose, by branches of appearance and shape that cross.

    python -m experiments.run --config=experiments/xinggan.py:VARIANT

Variants:
  (none)           the thesis' form at full size on the embedded drawn hands at 128x128, skeletons as guidance
  market           persons of Market-1501 at 128x64; heat maps of 18 joints; batch norms
  fashion          DeepFashion at 256x176; instance norms, least squares, no pool
  fashion_256      the same at 256x256, as the thesis tells the size; the released data are cropped
  released_market, released_fashion
                   the form of the released code; on DeepFashion with a perceptual weight of 1, 300 epochs and heat maps
                   of one pixel a joint, as its scripts have it
  sa, as, sa_as, caf
                   rows of Table 4.3 (Market): one branch alone, both without the co-attention fusion, and with it
  blocks_1, blocks_3, ... blocks_13
                   rows of Table 4.4 (Market): the number of blocks; PATN's and the Resnet rows are in `patn.py`
  released_sa ... released_caf, released_blocks_1 ... released_blocks_13
                   the same rows in the released form
  actions64, actions64_released
                   nine people in many poses at 64x64, in both forms; networks and length for two CPU cores are ours
  demo             drawn hands at 64x64 with narrow networks: minutes on two CPU cores

Data, epochs and rates are told in `experiments/patn.py`. The scores of both tables were most likely made with the
released form. `--config.sample_columns` takes "appearance_1", "shape_1" and so on to the number of images, the pictures
that the fusion weighs, and "map_appearance_1", "map_shape_1", ... "map_source", their co-attention maps (Figure 4.10).
"""

from experiments import defaults, patn

WEIGHTS = (5.0, 50.0, 50.0)
# Table 4.3: options, and Inception Score, mask-IS, SSIM, mask-SSIM.
ROWS = {
    "sa": (dict(branches="sa", fusion=False), (3.849, 3.645, 0.239, 0.768)),
    "as": (dict(branches="as", fusion=False), (3.796, 3.810, 0.286, 0.798)),
    "sa_as": (dict(fusion=False), (3.558, 3.807, 0.310, 0.807)),
    "caf": ({}, (3.506, 3.872, 0.313, 0.816)),
}
# Table 4.4, the same scores by number of blocks.
BLOCKS = {
    1: (3.378, 3.713, 0.310, 0.812), 3: (3.241, 3.866, 0.316, 0.813), 5: (3.292, 3.860, 0.313, 0.812),
    7: (3.293, 3.871, 0.310, 0.810), 9: (3.506, 3.872, 0.313, 0.816), 11: (3.428, 3.712, 0.286, 0.793),
    13: (3.708, 3.679, 0.257, 0.774),
}


def base(weights: tuple = WEIGHTS, *, form: str = "thesis", flat_epochs: int = 500, decay_epochs: int = 200, **options):
    """XingGAN on the recipe, the full model unless `options` leave something out."""
    full = dict(form=form, branches="sa_as", fusion=True, images=10, attention="auto")
    return patn.recipe("xinggan", weights, flat_epochs=flat_epochs, decay_epochs=decay_epochs, **full | options)


def hands():
    """Market's settings on the embedded set."""
    return patn.hands_data(base(guidance_channels=3, **patn.MARKET))


def market(row: str = "caf", form: str = "thesis"):
    """A row of Table 4.3 on Market-1501: 263,632 training pairs, 87,500 steps of batch 32 ("around 90K")."""
    options, scores = ROWS[row]
    return patn.market_data(base(form=form, **patn.MARKET | options), source="thesis Table 4.3", row=scores)


def blocks(count: int, form: str = "thesis"):
    """A row of Table 4.4 on Market-1501."""
    config = base(form=form, **patn.MARKET | dict(blocks=count))
    return patn.market_data(config, source="thesis Table 4.4", row=BLOCKS[count])


def fashion():
    """DeepFashion, 101,966 training pairs; the thesis gives it Market's weights and length."""
    return patn.fashion_data(base(**patn.FASHION))


def fashion_256():
    """DeepFashion's whole squares."""
    return patn.bodies(base(**patn.FASHION), "fashion", 256, 256)


def released_fashion():
    """DeepFashion as the released code trains it: 37,500 steps of batch 32."""
    config = base((5.0, 50.0, 1.0), form="released", flat_epochs=200, decay_epochs=100, **patn.FASHION)
    config = patn.fashion_data(config)
    config.data.guidance = "deltas"
    return config


def actions64(form: str = "thesis"):
    """The actions at 64x64 for CPUs: 1,200 steps of batch 4, all but the weights ours.

        python -m experiments.run --config=experiments/xinggan.py:actions64 --config.data.folder=FOLDER

    A step is 75 billion operations by the compiler's count, 96 in the released form. Twenty minutes on one core of an
    Intel Xeon gave, with PCKh by tools/pckh.py and in brackets what the source unchanged has:

        split        PSNR           SSIM            LPIPS           PCKh            results without a body found
        test_seen    27.11 (20.86)  0.786 (0.572)   0.079 (0.170)   0.809 (0.494)   8 of 142
        test_unseen  24.76 (23.66)  0.649 (0.557)   0.113 (0.126)   0.511 (0.437)   40 of 168

    People seen in training take the pose asked for in their own clothes, hands and feet are faint. A new person does
    so for small movements; behind a large one the body is a blur.
    """
    narrow = dict(width=32, blocks=4, images=5, dropout=0.0, discriminator_width=32)
    return patn.actions64_for_cpus(base(form=form, **patn.MARKET | narrow))


def demo():
    """Drawn hands at 64x64 on narrow networks, all losses."""
    narrow = dict(width=16, blocks=3, images=3, dropout=0.0, discriminator_width=16)
    return patn.demo_of(base(guidance_channels=3, **patn.MARKET | narrow))


VARIANTS = {
    "": hands, "market": market, "fashion": fashion, "fashion_256": fashion_256,
    "released_market": lambda: market(form="released"), "released_fashion": released_fashion,
    "actions64": actions64, "actions64_released": lambda: actions64("released"), "demo": demo,
    **patn.both_forms("", ROWS, market), **patn.both_forms("blocks_", BLOCKS, blocks),
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
