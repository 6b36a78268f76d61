"""CycleGAN (Zhu et al. 2017): unpaired translation, with the settings of its public implementation of 2018.

    python -m experiments.run --config=experiments/cyclegan.py:VARIANT

Variants:
  (none)           ResNet-9 at 256x256 on the embedded drawn hands, their pairs taken apart
  resnet6          ResNet-6 at 128x128 on the same
  folders          two folders of pictures, trainA and trainB, testA and testB
  kaokore          painted faces at 128x128, warriors to noble women: train/DOMAIN/*.jpg, test/DOMAIN/*.jpg
  kaokore64        the same at 64x64 on narrow networks, for CPUs
  gesturegan_ablation_a    row A of GestureGAN's Table 2.9: Dayton, unpaired and without guidance
  demo             drawn hands at 64x64 with narrow networks: minutes on two CPU cores, to see that it runs

Sets are looked for under datasets/NAME; say where yours are with --config.data.folder=FOLDER, and for kaokore which
domains with --config.data.domains. One picture of each domain a step, 100 epochs and 100 more with a rate that falls
to 0; 50 remembered fakes a domain.
"""

from experiments import defaults


def base(*, flat_epochs: int = 100, decay_epochs: int = 100, **options):
    """CycleGAN with the weights and rates of its public implementation; `options` are those of the method."""
    config = defaults.get_config()
    config.method = "cyclegan"
    config.options = dict(
        adversarial="least_squares", identity=True, pool_size=50, width=64, blocks=9, dropout=0.0,
        discriminator_width=64, discriminator_layers=3, norm="instance", initialization="normal",
        compute_dtype="float32")
    config.options.update(options)
    config.weights = dict(generators=dict(gan=1.0, cycle=10.0, identity=5.0),
                          discriminators=dict(fake=0.5, real=0.5))
    config.batch_size, config.epochs = 1, flat_epochs + decay_epochs
    schedule = dict(name="linear", flat_epochs=flat_epochs, decay_epochs=decay_epochs)
    config.optimizers = dict(generators=defaults.adam(schedule), discriminators=defaults.adam(schedule))
    config.data.paired = False
    return config


def resnet6():
    """Six blocks, for pictures of 128x128; the crop out of a larger picture is in proportion."""
    config = base(blocks=6)
    config.data.update(load_size=143, crop_size=128)
    return config


def folders():
    """Two folders of pictures; no picture has a counterpart, so the measures are those of whole sets."""
    config = base()
    config.data.update(kind="unpaired", folder="datasets/unpaired")
    config.evaluate.metrics = ("fid_ttur", "kid")
    return config


def kaokore():
    """Two domains of painted faces, 160 pictures each."""
    config = resnet6()
    config.data.update(kind="unpaired", folder="datasets/kaokore", domains=("male_warrior", "female_noble"))
    config.evaluate.metrics = ("fid_efficientnet", "kid_efficientnet")
    return config


def kaokore64():
    """Painted faces at 64x64, warriors to noble women: all six blocks, networks half as wide; 2,000 steps of two pictures.

        python -m experiments.run --config=experiments/cyclegan.py:kaokore64 --config.data.folder=FOLDER

    On one core of an Intel Xeon, 22 minutes: KID 0.148 and FID 229 of EfficientNet features on 30 test pictures, where
    the warriors themselves have 0.033 and 193. That is far too short a training: heads and hats keep their outline, but
    become blurred and speckled, and none is a noble woman's.
    """
    config = kaokore()
    config.options.update(width=32, discriminator_width=32)
    config.data.update(load_size=72, crop_size=64)
    config.batch_size, config.epochs, config.steps = 2, 0, 2000
    schedule = dict(name="linear_share", flat_share=0.5)
    config.optimizers = {player: defaults.adam(schedule) for player in config.weights}
    config.sample_every, config.checkpoint_every = 500, 500
    return config


def gesturegan_ablation_a():
    """Row A of GestureGAN's Table 2.9: Dayton aerial to ground, a random third of the pairs, in unrelated orders."""
    config = base(flat_epochs=20, decay_epochs=15)
    config.batch_size = 4
    config.data.update(kind="strips", folder="datasets/dayton_a2g", share=1 / 3)
    return config


def demo():
    """Drawn hands at 64x64 with narrow networks."""
    config = base(width=16, blocks=3, discriminator_width=16)
    config.batch_size = 4
    return defaults.demo(config, rates=dict(generators=2e-4, discriminators=2e-4))


VARIANTS = {"": base, "resnet6": resnet6, "folders": folders, "kaokore": kaokore,
            "kaokore64": kaokore64, "demo": demo, "gesturegan_ablation_a": gesturegan_ablation_a}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
