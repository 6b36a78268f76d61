"""PATN (Zhu et al. 2019) and the Resnet generator in its place, on the recipe of the pose family (thesis section 4.3).

    python -m experiments.run --config=experiments/patn.py:VARIANT

Variants:
  (none)           full size on the embedded drawn hands at 128x128, skeletons as guidance
  market           persons of Market-1501 at 128x64; heat maps of 18 joints; batch norms, weights 5/10/10
  fashion          DeepFashion at 256x176; instance norms, least squares, no pool, weights 5/1/1, batch 7
  released_market, released_fashion
                   what the released weights were trained on: the same, and on DeepFashion heat maps of one pixel a
                   joint, as its script writes them
  resnet_5, resnet_9, resnet_13, patn_5, patn_9, patn_13
                   rows of Table 4.4: generator and number of blocks, with XingGAN's settings on Market, weights 5/50/50
  actions64        nine people in many poses at 64x64; batch, length and width of the maps are ours
  demo             drawn hands at 64x64 with narrow networks: minutes on two CPU cores

Sets are looked for under datasets/NAME; say where yours are with --config.data.folder=FOLDER. The released code calls
4000 pairs drawn at random an epoch. Here the run has as many steps, but pairs come up again only when all have; the
learning rate falls in the same stairs. Weights are those of adversarial loss, L1 and perceptual loss. Test pictures are
normalized by the running statistics of batch norms, and by their own of instance norms, without dropout.
"""

from experiments import defaults

EPOCH = 4000  # pairs in what the released code calls an epoch
MARKET = dict(norm="batch", adversarial="vanilla", pool_size=50)
FASHION = dict(norm="instance", adversarial="least_squares", pool_size=0)
MARKET_METRICS = ("ssim_person", "mask_ssim_person", "inception_score", "mask_inception_score", "psnr", "lpips")
FASHION_METRICS = ("ssim_person", "inception_score", "psnr", "lpips")
# Table 4.4: Inception Score, mask-IS, SSIM, mask-SSIM.
TABLE = {
    "resnet_5": (3.236, 3.807, 0.297, 0.802), "resnet_9": (3.077, 3.862, 0.301, 0.802),
    "resnet_13": (3.134, 3.731, 0.300, 0.797), "patn_5": (3.273, 3.870, 0.309, 0.809),
    "patn_9": (3.323, 3.773, 0.311, 0.811), "patn_13": (3.274, 3.797, 0.314, 0.808),
}


def recipe(method: str, weights: tuple[float, float, float], *, flat_epochs: int, decay_epochs: int,
           batch_size: int = 32, **options):
    """A run of the recipe.

    Args:
      method: "patn", "xinggan" or "bigraphgan".
      weights: of adversarial loss, L1 and perceptual loss.
      flat_epochs, decay_epochs: of `EPOCH` pairs each.
      batch_size: of the run.
      options: of the method; those of `MARKET` or `FASHION` among them.
    """
    config = defaults.get_config()
    config.method = method
    config.options = dict(
        guidance_channels=18, width=64, blocks=9, dropout=0.5, perceptual="auto", perceptual_loss="l1",
        discriminator_width=64, discriminator_blocks=3, compute_dtype="float32") | options
    gan, pixel, perceptual = weights
    generator = dict(gan=gan, pixel=pixel)
    if config.options.perceptual != "none":
        generator["perceptual"] = perceptual
    judges = ("appearance_discriminator", "shape_discriminator")
    config.weights = dict(generator=generator) | {judge: dict(real=gan / 2, fake=gan / 2) for judge in judges}
    config.batch_size, config.steps = batch_size, (flat_epochs + decay_epochs) * steps(batch_size)
    rates = schedule(flat_epochs, decay_epochs, batch_size)
    config.optimizers = {player: defaults.adam(rates) for player in ("generator", *judges)}
    config.evaluate.norm = "running"  # instance norms of this family have none and take the picture's own
    return config


def steps(batch_size: int) -> int:
    """Steps in an epoch, the last of which may go beyond it: 125 of 32 pairs."""
    return -(-EPOCH // batch_size)


def schedule(flat_epochs: int, decay_epochs: int, batch_size: int = 32) -> dict:
    """In epoch e = 1, 2, ... the share of the rate is 1 - max(0, e + 1 - flat_epochs) / (decay_epochs + 1)."""
    return dict(name="stairs", flat_steps=(flat_epochs - 2) * steps(batch_size), stair_steps=steps(batch_size),
                drop=1 / (decay_epochs + 1))


def bodies(config, name: str, height: int, width: int, metrics: tuple = FASHION_METRICS):
    """Reads a folder of persons at this size, as heat maps of their joints; nothing is mirrored."""
    config.data.update(kind="folder", folder=f"datasets/{name}", guidance="heatmaps", parts="body", flip="off",
                       load_size=height, load_width=width, crop_size=height, crop_width=width)
    config.evaluate.metrics = metrics
    return config


def market_data(config, *, source: str = "", row: tuple = ()):
    """Market-1501 at 128x64; `source` names a table and `row` its IS, mask-IS, SSIM and mask-SSIM."""
    bodies(config, "market", 128, 64, MARKET_METRICS)
    if row:
        names = ("inception_score", "mask_inception_score", "ssim_person", "mask_ssim_person")
        config.evaluate.published = dict(source=source, folder="market", values=dict(zip(names, row, strict=True)))
    return config


def fashion_data(config):
    """DeepFashion at 256x176: columns 40 to 215 of the files' 256x256."""
    config.data.update(center_crop=256, center_crop_width=176)
    return bodies(config, "fashion", 256, 176)


def actions64_data(config):
    """Actions at 64x64, persons seen in training in other poses; Gaussians half as wide as Market's at half its height."""
    bodies(config, "actions64", 64, 64, ("psnr", "ssim", "lpips", "ssim_person", "mask_ssim_person"))
    config.data.update(test_split="test_seen", line_width=3.0)
    config.steps = 10_000
    rates = defaults.adam(dict(name="linear_share", flat_share=0.5))
    config.optimizers = dict.fromkeys(config.optimizers, rates)
    return config


def actions64_for_cpus(config):
    """The actions for a config with narrow networks: 1,200 steps of batch 4, and an average of the generator."""
    config = actions64_data(config)
    config.batch_size, config.steps = 4, 1200
    config.ema = dict(generator=0.998)
    config.sample_every, config.checkpoint_every = 300, 300
    return config


def both_forms(prefix: str, names, make) -> dict:
    """Variants of the rows of a table in the thesis' form and, called released_..., in the released one."""
    forms = {"": "thesis", "released_": "released"}
    return {f"{mark}{prefix}{name}": lambda name=name, form=form: make(name, form)
            for mark, form in forms.items() for name in names}


def hands_data(config, size: int = 128):
    """The embedded drawn hands; the option guidance_channels must be 3."""
    config.data.update(load_size=size, crop_size=size, flip="off", guidance="fingers")
    return config


def demo_of(config):
    """The embedded hands at 64x64, for a config with narrow networks."""
    config = hands_data(defaults.demo(config, rates=dict(
        generator=1e-3, appearance_discriminator=2e-4, shape_discriminator=2e-4), averaged=("generator",)), 64)
    config.batch_size = 8
    return config


def patn(weights: tuple, *, flat_epochs: int = 500, decay_epochs: int = 200, batch_size: int = 32, **options):
    """PATN with the length of its training script."""
    return recipe("patn", weights, flat_epochs=flat_epochs, decay_epochs=decay_epochs, batch_size=batch_size,
                  **dict(generator="patn") | options)


def hands():
    """Market's settings on the embedded set."""
    return hands_data(patn((5.0, 10.0, 10.0), guidance_channels=3, **MARKET))


def market():
    """Market-1501, 263,632 training pairs, 87,500 steps of batch 32."""
    return market_data(patn((5.0, 10.0, 10.0), **MARKET))


def fashion(guidance: str = "heatmaps"):
    """DeepFashion, 101,966 training pairs, 700 epochs of 572 steps of batch 7."""
    config = fashion_data(patn((5.0, 1.0, 1.0), batch_size=7, **FASHION))
    config.data.guidance = guidance
    return config


def row(name: str):
    """A row of Table 4.4."""
    generator, blocks = name.split("_")
    config = patn((5.0, 50.0, 50.0), generator=generator, blocks=int(blocks), **MARKET)
    return market_data(config, source="thesis Table 4.4", row=TABLE[name])


def actions64():
    """The released actions at 64x64 with full-size networks, 1,432 training pairs, 10,000 steps of batch 32.

        python -m experiments.run --config=experiments/patn.py:actions64 --config.data.folder=FOLDER
    """
    return actions64_data(patn((5.0, 10.0, 10.0), **MARKET))


def demo():
    """Drawn hands at 64x64 on narrow networks, all losses."""
    return demo_of(patn((5.0, 50.0, 50.0), guidance_channels=3, width=16, blocks=3, dropout=0.0,
                        discriminator_width=16, **MARKET))


VARIANTS = {
    "": hands, "market": market, "fashion": fashion, "released_market": market,
    "released_fashion": lambda: fashion("deltas"), "actions64": actions64, "demo": demo,
    **{name: lambda name=name: row(name) for name in TABLE},
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
