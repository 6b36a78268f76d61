"""AsymmetricGAN for pairs (Tang et al., supervised hand gestures): GestureGAN's losses with a small generator for the way back.

    python -m experiments.run --config=experiments/asymmetricgan.py:VARIANT

Variants:
  (none)           full-size networks, widths 64 and 4, on embedded drawn hands at 256x256
  ntu, senz3d      strips image | image | skeleton | skeleton, batch 4, 20 epochs
  symmetric        row SymmetricGAN of Table IX: both generators of width 64 (NTU Hand Digit)
  demo             minutes on two CPU cores: drawn hands at 64x64 with narrow networks

Data, weights and schedule are those of experiments/gesturegan.py; strips are looked for under datasets/NAME or in
--config.data.folder=FOLDER.
"""

from experiments import defaults, gesturegan


def base(**options):
    """AsymmetricGAN on the embedded set, with the weights of its hand gestures."""
    config = gesturegan.base(gesturegan.HANDS, flat_epochs=10, decay_epochs=10)
    config.method = "asymmetricgan"
    same = ("cycles", "discriminators", "pixel_terms", "cycle", "perceptual", "total_variation", "second_real",
            "stack_calls", "width", "blocks", "dropout", "discriminator_width", "discriminator_layers", "norm",
            "compute_dtype")
    config.options = {name: config.options[name] for name in same} | dict(identity=True, reconstruction_width=4)
    config.options.update(options)
    config.weights = {"discriminators": config.weights.discriminators, "generators": config.weights.generator}
    config.optimizers = {"discriminators": config.optimizers.discriminators, "generators": config.optimizers.generator}
    return config


def strips(config, name: str):
    """Reads the released strips; GestureGAN's published row is not this method's."""
    config = gesturegan.strips(config, name)
    config.evaluate.published = {}
    return config


def demo():
    """Embedded drawn hands at 64x64, all losses on narrow networks."""
    config = base(width=24, reconstruction_width=4, blocks=6, dropout=0.0, discriminator_width=24)
    return defaults.demo(config, rates=dict(discriminators=2e-4, generators=1e-3), averaged=("translator",))


VARIANTS = {"": base, "ntu": lambda: strips(base(), "ntu"), "senz3d": lambda: strips(base(), "senz3d"),
            "symmetric": lambda: strips(base(reconstruction_width=64), "ntu"), "demo": demo}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
