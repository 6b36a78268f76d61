"""X-Fork (Regmi and Borji, CVPR 2018): one view to another and its semantic map, a baseline of the cross-view tables.

    python -m experiments.run --config=experiments/xfork.py:VARIANT

Variants:
  (none)           full size on the embedded drawn hands at 256x256, guided; the skeleton in the place of the map
  dayton, g2a, dayton64, cvusa, sva, ego2top                          X-Fork on strips of views and label maps
  dayton_plus, g2a_plus, dayton64_plus, cvusa_plus, sva_plus, ego2top_plus    X-Fork++, which sees the target's map
  dayton_released, dayton_plus_released    the published code's batch of 1 and its way to test
  crossview        the few published pairs at 128x128 with narrow networks, to learn by heart on two CPU cores
  demo             drawn hands at 64x64 with narrow networks: minutes on two CPU cores

Sets are looked for under datasets/NAME (dayton_a2g, dayton_g2a, cvusa, sva, ego2top, crossview); say where yours are
with --config.data.folder=FOLDER. Strips are view | other view | map of the first | map of the second. Panels are
resized by bilinear interpolation and mirrored together. Epochs are the code's, the batch is that of the sets in
SelectionGAN's tables; the rate is constant. Both terms of the discriminator count in full.

The code tests with dropout and with the statistics of each test batch: --config.evaluate.norm=batch
--config.evaluate.dropout=true, as the _released variants do. Here both are those of a network in use.
"""

from experiments import defaults
from experiments.gesturegan import VIEW_METRICS

# Folder, epochs and batch of each set; Dayton at 64x64 is the same folder.
SETS = {
    "dayton": ("dayton_a2g", 35, 4), "g2a": ("dayton_g2a", 35, 4), "dayton64": ("dayton_a2g", 100, 16),
    "cvusa": ("cvusa", 30, 4), "sva": ("sva", 20, 4), "ego2top": ("ego2top", 10, 4),
}
WEIGHTS = dict(discriminator=dict(fake=1.0, real=1.0), generator=dict(gan=1.0, pixel=100.0, guidance_pixel=100.0))


def base(**options):
    """X-Fork at full size with the weights and rates of its code."""
    config = defaults.get_config()
    config.method, config.epochs = "xfork", 35
    config.options = dict(
        guidance=False, real_label=0.9, zero_bias=True, width=64, levels=8, dropout=0.5, discriminator_width=64,
        discriminator_layers=3, initialization="normal", compute_dtype="float32")
    config.options.update(options)
    return optimized(config, WEIGHTS)


def optimized(config, weights: dict):
    """Gives a cross-view baseline its weights, Adam at a constant rate for each player, and its way to test."""
    config.weights = weights
    config.optimizers = {player: defaults.adam(dict(name="constant")) for player in weights}
    config.evaluate.norm = "running"
    return config


def views(config, name: str):
    """Reads the strips of a set of `SETS`, in its size and with its batch and epochs."""
    folder, config.epochs, config.batch_size = SETS[name]
    config.data.update(kind="strips", folder=f"datasets/{folder}", resize="bilinear", flip="on")
    if name == "dayton64":
        config.data.update(load_size=72, crop_size=64)
        config.options.levels = 6
    config.evaluate.metrics = VIEW_METRICS
    return config


def released(config, *, batch_size: int):
    """The batch of the published code, and its test scripts, which leave training's dropout and statistics on."""
    config.batch_size = batch_size
    config.evaluate.update(norm="batch", dropout=True)
    return config


def narrow(config):
    """The few published pairs at 128x128, to be learned by heart by networks a quarter as wide."""
    config.options.update(levels=7, width=16, discriminator_width=16, dropout=0.0)
    config.data.update(kind="strips", folder="datasets/crossview", resize="bilinear", load_size=128, crop_size=128,
                       flip="off")
    config.epochs, config.steps = 0, 1000
    config.sample_every, config.checkpoint_every = 200, 200
    return config


def demo(config):
    """Drawn hands at 64x64, guided, by networks of six levels."""
    config.options.update(guidance=True, levels=6, width=16, dropout=0.0, discriminator_width=16)
    generators = tuple(player for player in config.weights if "discriminator" not in player)
    rates = {player: 1e-3 if player in generators else 2e-4 for player in config.weights}
    return defaults.demo(config, rates=rates, averaged=generators)


def variants(base, *, batch_size: int, **quirks) -> dict:
    """All variants of a cross-view baseline on strips: its plain and ++ forms on every set, the released recipe, demo.

    Args:
      base: function (**options) -> config.
      batch_size: of its published code.
      **quirks: options of that code.
    """
    made = {}
    for end, guided in (("", False), ("_plus", True)):
        for name in SETS:
            made[f"{name}{end}"] = lambda name=name, guided=guided: views(base(guidance=guided), name)
        made[f"dayton{end}_released"] = lambda guided=guided: released(
            views(base(guidance=guided, **quirks), "dayton"), batch_size=batch_size)
    return made | {"crossview": lambda: narrow(base())}


VARIANTS = {"": lambda: base(guidance=True), "demo": lambda: demo(base())} | variants(base, batch_size=1)


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
