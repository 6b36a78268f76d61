"""DanceGAN, stage I (thesis ch. 7): music to skeletons.

    python -m experiments.run --config=experiments/dance_style.py --workdir=runs/dance_style
    python -m experiments.run --config=experiments/dance_skeleton.py:VARIANT --config.options.style_run=runs/dance_style

Variants:
  (none)              the thesis' full model on the embedded dances; full size
  mdvs                the same on the files of Music-Dance-Video-Synthesis (MDVS, Ren et al. 2020)
  mdvs_baseline       that baseline as its code has it, on its files
  recordings          a folder of dances: videos, sound and key points
  dance_keypoints     clips of AIST++, a click and drums at their beats; training clips stand for a test split
  s1_1 ... s1_4       rows of the ablation on the embedded dances: MDVS' generator, with SSGA-Net, with CTGA-Net, both
  small, s1_1_small ... s1_4_small
                      the same on networks a quarter as wide, for CPUs
  demo                the full model, narrower, on a part of the embedded dances: minutes on two CPU cores

The first command trains the network of the pose perceptual loss; without `style_run` that term is 0, and the log says
so. Weights, learning rates, batch and length are those of the baseline's code: the thesis gives none (dance data of
3,748 clips there, 960 samples of 5 s embedded here). The rows all have the baseline's head, so that they differ in the
attention alone; the full model has the head of the thesis' text. Rows of one table want the same `style_run`, seed and
steps. Sets are looked for under datasets/NAME, or in --config.data.folder=FOLDER. Test dances are made with the running
statistics and fresh noise; pose FID, diversity, multimodality and beat alignment are measured. Pose FID of few dances
is biased: --mode=evaluate --config.data.test_people=120 --config.data.hop=10 takes 2,880 windows of embedded dances.
"""

from experiments import defaults

WEIGHTS = dict(
    generator=dict(gan_local=1.0, gan_global=1.0, perceptual=1.0, feature=1.0, pixel=200.0),
    local_discriminator=dict(real=0.5, fake=0.5),
    global_discriminator=dict(real=0.5, fake=0.5, penalty=1.0))
RATES = dict(generator=3e-4, local_discriminator=3e-4, global_discriminator=5e-4)
# What of the graph attention the rows have.
ROWS = {
    "s1_1": dict(spatial=False, temporal=False),
    "s1_2": dict(spatial=True, temporal=False),
    "s1_3": dict(spatial=False, temporal=True),
    "s1_4": dict(spatial=True, temporal=True),
}
SMALL = dict(width=64, first=8, head_width=256, discriminator_width=16)


def base(**options):
    """The thesis' full model on the embedded dances unless `options` say otherwise."""
    config = defaults.get_config()
    config.method = "dance_skeleton"
    config.options = dict(
        frames=50, head="thesis", spatial=True, temporal=True, conv_axis="joint", style_run="", features="all",
        mdvs_view_bug=False, audio_scale=1.0, width=256, first=16, head_width=1024, dropout=0.5, discriminator_width=64)
    config.options.update(options)
    config.weights = WEIGHTS
    config.batch_size, config.epochs = 16, 400
    config.optimizers = {player: defaults.adam(dict(name="constant"), learning_rate=rate, b1=0.9)
                         for player, rate in RATES.items()}
    config.data.update(kind="dances", frames=config.options.frames)
    config.evaluate.update(norm="running", metrics=())
    return config


def folder(kind: str, name: str, **options):
    """A model on a folder of that kind."""
    config = base(**options)
    config.data.update(kind=kind, folder=f"datasets/{name}")
    return config


def mdvs_baseline():
    """MDVS: its residual head, no graph attention, and the layers that its feature matching compares."""
    return folder("mdvs", "mdvs", head="mdvs", features="reference", **ROWS["s1_1"])


def dance_keypoints():
    """Clips of AIST++ at ten frames a second, a new sample every half second, on narrow networks."""
    config = folder("recordings", "dance_keypoints", **SMALL)
    config.data.update(test_split="train", hop=5)
    return config


def row(name: str, **options):
    """A row of the ablation.

        python -m experiments.run --config=experiments/dance_style.py:small --workdir=runs/style
        python -m experiments.run --config=experiments/dance_skeleton.py:s1_N_small --config.options.style_run=runs/style \\
            --config.epochs=0 --config.steps=600

    The rows on narrow networks, of one seed, 600 steps of 16 dances each (10 to 12 minutes on one core of an Intel Xeon),
    on the 192 test windows with two dances each; features of the style run of 1,200 steps (SHA-256 ee0da7c9...), which
    knows all styles of the test dances. Standard error of the alignment 0.010, of its control 0.001:

                              pose FID   diversity   multimodality   beat alignment   with other music
        s1_1, no attention       26.26       14.55            0.37            0.480              0.227
        s1_2, SSGA-Net           12.99       15.67            0.31            0.476              0.228
        s1_3, CTGA-Net           22.18       14.94            0.38            0.453              0.229
        s1_4, both               14.57       15.33            0.41            0.526              0.228
        real dances                          16.46                            0.888              0.228

    All rows follow the beat, s1_4 best; by pose FID s1_2 comes before s1_4, unlike in the thesis. One run of each and so
    few steps tell little of the order: another run of s1_4 had 6.2 after 400 steps.
    """
    return base(head="mdvs", **ROWS[name], **options)


def demo():
    """The full model on the embedded dances of 40 people, 300 steps of batch 8 on narrow networks."""
    config = base(**SMALL | dict(width=48, discriminator_width=8))
    config.data.update(people=40, test_people=12)
    config.batch_size, config.steps = 8, 300
    config.sample_every, config.checkpoint_every = 100, 100
    return config


VARIANTS = {
    "": base, "small": lambda: base(**SMALL), "mdvs": lambda: folder("mdvs", "mdvs"), "mdvs_baseline": mdvs_baseline,
    "recordings": lambda: folder("recordings", "dances"), "dance_keypoints": dance_keypoints, "demo": demo,
    **{name: lambda name=name: row(name) for name in ROWS},
    **{f"{name}_small": lambda name=name: row(name, **SMALL) for name in ROWS},
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
