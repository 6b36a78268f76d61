"""PG2 (Ma et al., NIPS 2017): a person in another pose, in two stages.

    python -m experiments.run --config=experiments/pg2.py:VARIANT

Variants:
  (none)              full size on the embedded drawn hands at 128x128, skeletons as pose, L1 in place of the mask loss
  market              Market-1501 at 128x64, batch 16, 22,000 steps of stage I and 14,000 of stage II
  deepfashion         DeepFashion at 256x256, batch 8, 30,000 and 20,000 steps
  table1_ROW, table1_deepfashion_ROW    rows of Table 1 on either set:
      ce_l1           the pose as coordinates, L1, stage I alone
      hme_l1          the pose through an encoder of its own, L1, stage I alone
      l1              the pose behind the image's channels, L1, stage I alone
      pose_mask       the same with the pose mask loss
      g1_d            the same with a discriminator that judges the coarse image, for as many steps as both stages have
      g1_g2_d         the full model
  released_market, released_deepfashion    the published code's recipe: single images of a triplet judged in one batch,
                      maps of -1 and 1, 60,000 steps (80,000 for DeepFashion, batch 1) of which stage I has 22,000
  actions64           people waving and jumping at 64x64 on narrow networks, for two CPU cores
  demo                drawn hands at 64x64 on narrow networks: minutes on two CPU cores, to see that it runs

Sets are looked for under datasets/NAME; say where yours are with --config.data.folder=FOLDER. Maps of the 18 joints are
disks of 4 pixels. Pose masks are of bodies, which the embedded hands are not.

Weights, steps, batches and the constant rate are those of the paper and of its code. The weight of the distance in
stage II, lambda, is not in the paper's text; 10 and 50 are the code's. The code draws a new batch for each of the two
updates of a step in stage II, here both see one; what it says of falling rates reaches none of its optimizers. Sizes of
the rows ce_l1 and hme_l1 are ours: neither they nor g1_d are in the code. Metrics are those of Table 1, scored as PG2's
tools do, with its own masks.
"""

from experiments import defaults

LAMBDA = dict(market=10.0, deepfashion=50.0)
# The discriminator's losses of a triplet: half for the real image, a quarter for each that counts as a fake.
TRIPLET = dict(real=0.5, source=0.25, fake=0.25)
METRICS = ("psnr", "ssim", "lpips", "ssim_pg2", "inception_score")
MASKED = ("mask_ssim_pg2", "mask_inception_score")

# For 64x64 pixels: a quarter of the width of G1 and G2, and half of the discriminator's.
SMALL = dict(learning_rate=2e-4, width=32, levels=4, discriminator_width=32)
STAGE_1 = dict(refiner=False, discriminator="none")
ROWS = {
    "ce_l1": dict(pose="coordinates", mask_loss=False, **STAGE_1),
    "hme_l1": dict(pose="heatmaps", mask_loss=False, **STAGE_1),
    "l1": dict(mask_loss=False, **STAGE_1),
    "pose_mask": STAGE_1,
    "g1_d": dict(refiner=False),
    "g1_g2_d": {},
}
# Table 1: SSIM and IS on DeepFashion; SSIM, IS, mask-SSIM and mask-IS on Market-1501. HME and L1 are printed alike.
PUBLISHED = {
    "ce_l1": ((0.694, 2.395), (0.219, 2.568, 0.771, 2.455)),
    "hme_l1": ((0.735, 2.427), (0.294, 3.171, 0.802, 2.508)),
    "l1": ((0.735, 2.427), (0.304, 3.006, 0.809, 2.455)),
    "pose_mask": ((0.779, 2.668), (0.340, 3.326, 0.817, 2.682)),
    "g1_d": ((0.761, 3.091), (0.283, 3.490, 0.803, 3.310)),
    "g1_g2_d": ((0.762, 3.090), (0.253, 3.460, 0.792, 3.435)),
}


def base(*, weight: float, learning_rate: float = 2e-5, **options):
    """PG2, the full model for Market-1501 unless `options` say otherwise; `weight` is lambda."""
    config = defaults.get_config()
    config.method = "pg2"
    config.options = dict(
        guidance_channels=18, pose="concat", mask_loss=True, refiner=True, discriminator="pairs", coarse_steps=22_000,
        signed_maps=False, width=128, levels=5, code=64, pose_code=64, top_skip=False, discriminator_width=64,
        discriminator_layers=4, compute_dtype="float32")
    config.options.update(options)
    config.weights = term_weights(config.options, weight)
    config.optimizers = {player: defaults.adam(dict(name="constant"), learning_rate=learning_rate)
                         for player in config.weights}
    config.evaluate.masks = "pg2"
    return config


def term_weights(options, weight: float) -> dict:
    """The weight of every term that these options compute, by player; `weight` is lambda."""
    distance = "mask" if options.mask_loss else "pixel"
    fool = {"none": {}, "triplet_df256": dict(gan=0.5, gan_source=0.5)}.get(options.discriminator, dict(gan=1.0))
    judged = {**fool, distance: weight if fool or options.refiner else 1.0}
    weights = dict(coarse={distance: 1.0}, refiner=judged) if options.refiner else dict(coarse=judged)
    if fool:
        weights["discriminator"] = TRIPLET if options.discriminator.startswith("triplet") else dict(real=1.0, fake=1.0)
    return weights


def folder(config, name: str, *, size: tuple[int, int]):
    """Reads pictures, pairs and key points of a folder, without crops."""
    height, width = size
    config.data.update(kind="folder", folder=f"datasets/{name}", guidance="disks", parts="body", masks="pg2",
                       load_size=height, load_width=width, crop_size=height, crop_width=width)
    return config


def hands(size: int = 128, **options):
    """Market-1501's model on the embedded set, which has skeletons for maps and no masks."""
    config = base(weight=LAMBDA["market"], guidance_channels=3, mask_loss=False, **options)
    config.data.update(load_size=size, crop_size=size, flip="off", guidance="fingers")
    config.batch_size, config.steps = 16, 36_000
    return config


def market(row: str = "g1_g2_d", **changes):
    """Market-1501, 439,420 training pairs (with their mirror images), a row of Table 1."""
    config = folder(base(weight=LAMBDA["market"], **ROWS[row] | changes), "market", size=(128, 64))
    config.batch_size, config.steps = 16, length(row, 22_000, 14_000)
    ssim, score, masked_ssim, masked_score = PUBLISHED[row][1]
    return table(config, row, ssim_pg2=ssim, inception_score=score, mask_ssim_pg2=masked_ssim,
                 mask_inception_score=masked_score)


def deepfashion(row: str = "g1_g2_d", **changes):
    """DeepFashion, 146,680 training pairs, a row of Table 1."""
    sizes = dict(coarse_steps=30_000, levels=6, top_skip=True, discriminator_layers=5)
    config = folder(base(weight=LAMBDA["deepfashion"], **sizes | ROWS[row] | changes), "deepfashion", size=(256, 256))
    config.batch_size, config.steps = 8, length(row, 30_000, 20_000)
    ssim, score = PUBLISHED[row][0]
    return table(config, row, ssim_pg2=ssim, inception_score=score)


def length(row: str, coarse: int, fine: int) -> int:
    """Steps of a row: those of both stages, or of stage I where nothing is judged."""
    return coarse + (0 if ROWS[row].get("discriminator") == "none" else fine)


def table(config, row: str, **values):
    """Puts the numbers of Table 1 beside the results, and measures those that it has."""
    config.evaluate.metrics = METRICS + tuple(name for name in MASKED if name in values)
    config.evaluate.published = dict(source=f"PG2, Table 1, row {row}", folder=config.data.folder.split("/")[-1],
                                     values=values)
    return config


def released_market():
    """The published code for Market-1501: 60,000 steps in all."""
    config = market(discriminator="triplet_market", signed_maps=True)
    config.steps = 60_000
    return config


def released_deepfashion():
    """The published code for DeepFashion: batch 1, 80,000 steps in all."""
    config = deepfashion(discriminator="triplet_df256", signed_maps=True, coarse_steps=22_000)
    config.batch_size, config.steps = 1, 80_000
    return config


def actions64():
    """Persons seen in training in other poses, 1,432 training pairs.

        python -m experiments.run --config=experiments/pg2.py:actions64 --config.data.folder=FOLDER

    Widths, lengths of the stages, rates and batch are ours; disks are half as wide as Market's at half its height.
    Lambda is DeepFashion's, and the discriminator learns more slowly than the refiner: with Market's lambda and equal
    rates the refiner put colored noise over the coarse picture. Metrics are those of PATN's family on the same set.
    --config.data.test_split=test_unseen tests on a person who was never seen. 2,500 steps, 27 minutes on one core of an
    Intel Xeon, gave, with PCKh by tools/pckh.py and in brackets what the source unchanged has:

        split        PSNR           SSIM            LPIPS           PCKh            results without a body found
        test_seen    28.02 (20.86)  0.753 (0.572)   0.056 (0.170)   0.384 (0.494)   73 of 142
        test_unseen  23.13 (23.66)  0.587 (0.557)   0.123 (0.126)   0.214 (0.437)   118 of 168

    The coarse pictures alone have a PCKh of 0.734 and 0.649, 13 and 19 of them without a body: people stand as asked
    for, but the grain of the fine pictures, which look sharper, hides them from the estimator. People seen in training
    wear their own clothes, the person never seen those of someone who was.
    """
    config = folder(base(weight=LAMBDA["deepfashion"], **SMALL, coarse_steps=1500), "actions64", size=(64, 64))
    config.data.update(test_split="test_seen", line_width=2.0)
    config.evaluate.update(metrics=("psnr", "ssim", "lpips", "ssim_person", "mask_ssim_person"), masks="person")
    config.optimizers.discriminator.learning_rate = 5e-5
    return shorter(config, steps=2500, every=250, decay=0.998)


def demo():
    """Drawn hands at 64x64 on narrow networks, both stages."""
    narrow = SMALL | dict(width=12, discriminator_width=12)
    config = shorter(hands(64, **narrow, coarse_steps=200), steps=300, every=60, decay=0.99)
    config.evaluate.limit = 64
    return config


def shorter(config, *, steps: int, every: int, decay: float):
    """Makes a run one of so many steps in all, with rates that fall, an average of G2 and pictures every so often."""
    config.batch_size, config.steps = 8, steps
    for one in config.optimizers.values():
        one.schedule = dict(name="linear_share", flat_share=0.5)  # of each player's own steps
    config.ema = dict(refiner=decay)
    config.sample_every = config.checkpoint_every = every
    return config


VARIANTS = {
    "": hands, "market": market, "deepfashion": deepfashion, "actions64": actions64, "demo": demo,
    "released_market": released_market, "released_deepfashion": released_deepfashion,
    **{f"table1_{row}": lambda row=row: market(row) for row in ROWS},
    **{f"table1_deepfashion_{row}": lambda row=row: deepfashion(row) for row in ROWS},
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
