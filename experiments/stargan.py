"""StarGAN (Choi et al. 2018): one generator for many domains, with the settings of its public implementation.

    python -m experiments.run --config=experiments/stargan.py:VARIANT

Variants:
  (none), celeba   five attributes of CelebA's faces at 128x128: hair colors, male, young
  rafd             eight expressions of RaFD's faces at 128x128
  kaokore          four kinds of painted faces at 128x128; batch and length are ours
  kaokore64        the same at 64x64 on narrow networks, for CPUs
  demo             the same at 64x64 with narrow networks: minutes on two CPU cores, to see that it runs
  celeba_literal   celeba with the learning rates of the published code, which fall by 0.1 % in all

Data are looked for under datasets/NAME, or in --config.data.folder=FOLDER: CelebA as its list of attributes and its
pictures, the others as train/DOMAIN/*.jpg and test/DOMAIN/*.jpg with the folder names below.
The generator moves on every n_critic-th step and has schedules in its own updates: who changes n_critic changes
`schedule` below. Training on CelebA and RaFD at once, whose labels are joined with a mask, is no variant: it takes
its batches from two sets in turn.
"""

from experiments import defaults

CELEBA = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
HAIR = CELEBA[:3]
RAFD = ("angry", "contemptuous", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")
KAOKORE = ("female_noble", "male_incarnation", "male_noble", "male_warrior")
ITERATIONS, N_CRITIC = 200_000, 5

WEIGHTS = dict(discriminator=dict(real=1.0, fake=1.0, domain=1.0, penalty=10.0),
               generator=dict(gan=1.0, domain=1.0, cycle=10.0))


def base(domains: tuple, *, literal: bool = False, **options):
    """StarGAN of some domains; `options` are those of the method."""
    config = defaults.get_config()
    config.method = "stargan"
    config.options = dict(
        domains=domains, exclusive=(), classification="softmax", target_labels="permuted", n_critic=N_CRITIC, width=64,
        blocks=6, discriminator_width=64, discriminator_layers=6, compute_dtype="float32")
    config.options.update(options)
    config.weights = WEIGHTS
    config.batch_size, config.steps = 16, ITERATIONS
    config.optimizers = {
        player: defaults.adam(schedule(every, literal), learning_rate=1e-4)
        for player, every in dict(discriminator=1, generator=config.options.n_critic).items()}
    config.data.update(domains=domains, resize="bilinear", load_size=128, crop_size=128, flip="on")
    return config


def schedule(every: int, literal: bool = False) -> dict:
    """The rate of a player that moves on every n-th step: linear to 0 over the second half of the run.

    The published code takes 1e-5 of the rate away after every 1000th of the last 100,000 iterations (`literal`).
    """
    if literal:
        return dict(name="stairs", flat_steps=ITERATIONS // 2 // every, stair_steps=1000 // every, drop=1e-5)
    return dict(name="linear_share", flat_share=0.5)


def celeba(**changes):
    """CelebA: center crop 178, five attributes, several at a time."""
    config = base(CELEBA, classification="attributes", exclusive=HAIR, **changes)
    config.data.update(kind="attributes", folder="datasets/celeba", center_crop=178)
    config.evaluate.metrics = ("fid_ttur", "inception_score")
    return config


def folders(config, name: str):
    """Reads a data set with a folder for each domain."""
    config.data.update(kind="domains", folder=f"datasets/{name}")
    config.evaluate.metrics = ("fid_ttur", "inception_score", "classification_accuracy")
    return config


def rafd():
    """RaFD: center crop 256, eight expressions."""
    config = folders(base(RAFD), "rafd")
    config.data.center_crop = 256
    return config


def kaokore():
    """Painted faces of four kinds, 160 pictures each."""
    config = folders(base(KAOKORE), "kaokore")
    config.steps = 20_000
    config.evaluate.metrics = ("fid_efficientnet", "kid_efficientnet", "classification_accuracy")
    return config


def kaokore64():
    """Painted faces at 64x64: all six blocks, networks half as wide, one update of the generator for two; 2,500 steps.

        python -m experiments.run --config=experiments/stargan.py:kaokore64 --config.data.folder=FOLDER

    The discriminator's domain term weighs 10: with 1, the paper's, it had not told one domain from another after 1,500
    steps, as the critic's terms moved it. On one core of an Intel Xeon, 82 minutes: of the 360 translations of 120 test
    pictures a ResNet-18 of the training pictures, which is right on 65.6 % of those held out from it, puts 73.1 % into
    the domain asked for; KID of EfficientNet features 0.349. The four domains come out in colors of their own and the
    outlines of hair and hats stay, but the faces inside are lost and the pictures have a grid: too short a training.
    """
    config = kaokore()
    config.weights.discriminator.domain = 10.0
    config.options.update(width=32, discriminator_width=32, discriminator_layers=5, n_critic=2)
    config.data.update(load_size=64, crop_size=64)
    config.batch_size, config.steps = 8, 2500
    config.ema = dict(generator=0.99)
    for player, rate in dict(generator=1e-3, discriminator=3e-4).items():
        config.optimizers[player].learning_rate = rate
    config.sample_every, config.checkpoint_every = 500, 500
    return config


def demo():
    """Painted faces at 64x64 with narrow networks."""
    config = kaokore()
    config.options.update(width=16, blocks=3, discriminator_width=16, discriminator_layers=5, n_critic=2)
    config.data.update(load_size=64, crop_size=64)
    config.batch_size, config.steps = 8, 300
    config.ema = dict(generator=0.99)
    config.sample_every, config.checkpoint_every = 60, 100
    config.evaluate.metrics = ("fid_efficientnet", "kid_efficientnet")  # no classifier to be trained first
    return config


VARIANTS = {"": celeba, "celeba": celeba, "rafd": rafd, "kaokore": kaokore, "kaokore64": kaokore64, "demo": demo,
            "celeba_literal": lambda: celeba(literal=True)}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
