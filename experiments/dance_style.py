"""ST-GCN (Yan et al. 2018) as a classifier of dance styles: the network of DanceGAN's pose perceptual loss and metrics.

    python -m experiments.run --config=experiments/dance_style.py:VARIANT

Variants:
  (none)           the embedded dances, four styles; full size
  small            the same on a narrow network, for CPUs
  mdvs             the files of Music-Dance-Video-Synthesis (Ren et al. 2020), a JSON file for each kind of dance
  dance_keypoints  clips of AIST++ in three genres; it has no test split, and the training clips stand for it
  demo             the embedded dances on a narrower network: minutes on two CPU cores

The thesis trains on ballet, k-pop and popping; the baseline's network told 16 classes apart, and neither its weights
nor its training are to be had: optimizer and length are ours. --config.options.style_run=RUN then names the run to
`dance_skeleton`, and --config.evaluate.style_run=RUN to an evaluation. Other styles than these are named in
--config.options.styles and --config.data.domains, in one order. Sets are looked for under datasets/NAME, or in
--config.data.folder=FOLDER.
"""

from experiments import defaults

EMBEDDED = ("waltz", "popping", "disco", "rock")
MDVS = ("ballet", "kpop", "popping")
GENRES = ("house", "krump", "middle_hip_hop")
WEIGHTS = dict(classifier=dict(style=1.0))


def base(styles: tuple = EMBEDDED, **options):
    """The classifier of some styles on the embedded dances; `options` are those of the method."""
    config = defaults.get_config()
    config.method = "dance_style"
    config.options = dict(styles=styles, frames=50, width=64)
    config.options.update(options)
    config.weights = WEIGHTS
    config.batch_size, config.epochs = 16, 20
    schedule = dict(name="linear_share", flat_share=0.5)
    config.optimizers = dict(classifier=defaults.adam(schedule, learning_rate=1e-3, b1=0.9))
    config.data.update(kind="dances", domains=styles, frames=config.options.frames)
    config.evaluate.update(norm="running", metrics=())
    return config


def mdvs():
    """The files of the baseline, clips of 10 s cut into two without overlap."""
    config = base(MDVS)
    config.data.update(kind="mdvs", folder="datasets/mdvs")
    return config


def dance_keypoints():
    """Clips of AIST++ at ten frames a second, a new sample every half second, on a narrow network."""
    config = base(GENRES, width=16)
    config.data.update(kind="recordings", folder="datasets/dance_keypoints", test_split="train", hop=5)
    return config


def demo():
    """The embedded dances of 40 people on a narrow network, 200 steps."""
    config = base(width=12)
    config.data.update(people=40, test_people=12)
    config.steps, config.sample_every, config.checkpoint_every = 200, 100, 100
    return config


VARIANTS = {"": base, "small": lambda: base(width=16), "mdvs": mdvs, "dance_keypoints": dance_keypoints, "demo": demo}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
