"""GestureGAN (Tang, thesis ch. 2): hand gestures and cross-view scenes, from an image and a target structure.

    python -m experiments.run --config=experiments/gesturegan.py:VARIANT

Variants:
  (none)           full-size network, the weights of NTU Hand Digit, embedded drawn hands at 256x256
  demo             four minutes on two CPU cores: the drawn hands at 64x64 with a narrow network
  ntu, senz3d      two cycles; strips image | image | skeleton | skeleton
  dayton, dayton64, g2a, cvusa    one cycle; strips of views and label maps (g2a: Dayton, ground to aerial)
  sign_digits_first, sign_digits
                   photos of hands of 160 students at 96x96, in two runs one after the other (see `sign_digits` below
                   for the measured result)
  ablation_a, b, c, d, e11 ... e16, e21, e22, e3, e41, e42, f    rows of Table 2.9 (Dayton, a third of the pairs)
  one_cycle, two_cycle    rows of Table 2.17 (NTU Hand Digit)

A variant with strips or folders looks for them under datasets/NAME; say where yours are with
--config.data.folder=FOLDER. Weights, epochs and batches are those of the thesis and the reference code.
"""

from experiments import cyclegan, defaults

HANDS = dict(color=800.0, pixel=800.0, cycle=0.1, identity=0.01, perceptual=1000.0, tv=1e-6)
VIEWS = dict(color=100.0, pixel=100.0, cycle=0.1, identity=100.0, perceptual=100.0, tv=1e-6)

# Metrics of the tables of gestures (2.1) and of views (2.2 to 2.4, 2.9), and the usual ones beside them.
USUAL = ("psnr", "ssim", "lpips")
HAND_METRICS = (*USUAL, "psnr_lua", "inception_score", "fid_ttur", "frd")
VIEW_METRICS = (*USUAL, "psnr_lua", "ssim_lua", "sharpness_difference", "kl_score", "inception_score_scene",
                "inception_score_top1", "inception_score_top5", "top1_accuracy", "top5_accuracy")
# GestureGAN's row, as printed with its code's definitions (ACM Multimedia 2018, Table 1).
PUBLISHED = {
    "ntu": dict(psnr_lua=32.6091, inception_score=2.5532),
    "senz3d": dict(psnr_lua=27.9749, inception_score=3.4107),
}

# Rows B to F of Table 2.9. Row D is adv(D1) + 100 L1(y') + cycle; E12 repeats it, as its published scores suggest,
# E13 and E14 put another pixel loss in the place of L1, the other rows add to D.
ROW_D = dict(discriminators="plain", pixel_terms=("pixel",), cycle="l1", self_content=False, perceptual="none",
             total_variation=False)
ROWS = {
    "b": ROW_D | dict(guidance=False, cycle="none"),
    "c": ROW_D | dict(cycle="none"),
    "d": ROW_D,
    "e11": ROW_D | dict(cycle="color"),
    "e12": ROW_D,
    "e13": ROW_D | dict(pixel_terms=("pixel_l2",)),
    "e14": ROW_D | dict(pixel_terms=("color",)),
    "e15": ROW_D | dict(pixel_terms=("color_l2", "pixel")),
    "e16": ROW_D | dict(pixel_terms=("color", "pixel")),
    "e21": ROW_D | dict(discriminators="guided"),
    "e22": ROW_D | dict(discriminators="both"),
    "e3": ROW_D | dict(self_content=True),
    "e41": ROW_D | dict(perceptual="auto"),
    "e42": ROW_D | dict(perceptual="auto", total_variation=True),
    "f": {},
}


def base(weights: dict, *, flat_epochs: int, decay_epochs: int, **options):
    """GestureGAN with the weights of one task, the full model unless `options` leave terms out."""
    config = defaults.get_config()
    config.method = "gesturegan"
    config.options = dict(
        cycles=2, guidance=True, discriminators="both", pixel_terms=("color", "pixel"), cycle="l1", self_content=True,
        perceptual="auto", total_variation=True, second_real="symmetric", update_order="generator_first",
        stack_calls=True, width=64, blocks=9, dropout=0.5, discriminator_width=64, discriminator_layers=3,
        norm="instance", compute_dtype="float32")
    config.options.update(options)
    config.weights = term_weights(config.options, weights)
    config.epochs = flat_epochs + decay_epochs
    schedule = dict(name="linear", flat_epochs=flat_epochs, decay_epochs=decay_epochs)
    config.optimizers = dict(generator=defaults.adam(schedule), discriminators=defaults.adam(schedule))
    return config


def term_weights(options, weights: dict) -> dict:
    """The weight of every term that these options compute (thesis Eq. 2.15; discriminators are halved)."""
    judges = {"both": ("plain", "guided")}.get(options.discriminators, (options.discriminators,))
    generator = {f"gan_{judge}": 1.0 for judge in judges}
    pixel = {"color": "color", "color_l2": "color", "pixel": "pixel", "pixel_l2": "pixel"}
    generator |= {term: weights[pixel[term]] for term in options.pixel_terms}
    wanted = dict(cycle=options.cycle != "none", identity=options.self_content,
                  perceptual=options.perceptual != "none", tv=options.total_variation)
    generator |= {term: weights[term] for term, there in wanted.items() if there}
    return dict(generator=generator,
                discriminators={f"{judge}_{label}": 0.5 for judge in judges for label in ("fake", "real")})


def strips(config, name: str, *, load_size: int = 286, crop_size: int = 256):
    """Reads the released strips of a data set."""
    config.data.update(kind="strips", folder=f"datasets/{name}", load_size=load_size, crop_size=crop_size)
    config.evaluate.metrics = HAND_METRICS if name in PUBLISHED else VIEW_METRICS
    if name in PUBLISHED:
        config.evaluate.published = dict(source="GestureGAN, ACM Multimedia 2018, Table 1", folder=name,
                                         values=PUBLISHED[name])
    return config


def full():
    """The thesis' hand model on the embedded set."""
    return base(HANDS, flat_epochs=10, decay_epochs=10)


def ntu():
    """NTU Hand Digit, 75,036 training strips, batch 4, 20 epochs."""
    return strips(full(), "ntu")


def senz3d():
    """Creative Senz3D, 135,504 training strips, batch 4, 20 epochs."""
    return strips(full(), "senz3d")


def dayton():
    """Dayton aerial to ground at 256x256, 55,000 strips, batch 4, 35 epochs."""
    return strips(base(VIEWS, flat_epochs=20, decay_epochs=15, cycles=1), "dayton_a2g")


def dayton64():
    """Dayton aerial to ground at 64x64, batch 16, 100 epochs."""
    config = strips(base(VIEWS, flat_epochs=50, decay_epochs=50, cycles=1), "dayton_a2g", load_size=72, crop_size=64)
    config.batch_size = 16
    return config


def g2a():
    """Dayton ground to aerial: a folder of its own with the roles exchanged."""
    return strips(base(VIEWS, flat_epochs=20, decay_epochs=15, cycles=1), "dayton_g2a")


def cvusa():
    """CVUSA aerial to ground, 35,532 strips, batch 4, 30 epochs."""
    return strips(base(VIEWS, flat_epochs=15, decay_epochs=15, cycles=1), "cvusa")


def ablation(row: str):
    """A row of Table 2.9: Dayton aerial to ground, a random third of the pairs."""
    if row == "a":
        config = cyclegan.gesturegan_ablation_a()
    else:
        config = base(VIEWS, flat_epochs=20, decay_epochs=15, cycles=1, **ROWS[row])
    config.data.share = 1 / 3
    return strips(config, "dayton_a2g")


def demo():
    """Embedded drawn hands at 64x64, all losses on a narrow network: four minutes on two CPU cores.

    Long enough to see the drawn hand follow the skeleton, too short to carry over every wall and skin.
    """
    config = base(HANDS, flat_epochs=10, decay_epochs=10, width=24, blocks=6, dropout=0.0, discriminator_width=24)
    return defaults.demo(config, rates=dict(generator=1e-3, discriminators=2e-4), averaged=("generator",))


def sign_digits_first():
    """Photos of hands at 96x96 of people never seen in training: the first of two runs.

    Trained for what can be learned in an hour on two CPU cores: width 32, no dropout, every generator pass spent on
    a translation that has a target. Cycle and self-content are left out: at 0.1 and 0.01 beside 1600 they are
    noise to the gradient and two thirds of the generator's time. Fingers are drawn in a color each.
    """
    config = base(HANDS, flat_epochs=1, decay_epochs=0, width=32, dropout=0.0, discriminator_width=32, cycle="none",
                  self_content=False, norm="batch")
    config.evaluate.norm = "running"
    config.data.update(kind="folder", folder="datasets/sign_digits", load_size=96, crop_size=96, flip="off",
                       guidance="fingers")
    config.steps = 2600
    config.ema = dict(generator=0.998)
    schedule = dict(name="linear_steps", flat_steps=1200)
    config.optimizers = dict(generator=defaults.adam(schedule, learning_rate=5e-4),
                             discriminators=defaults.adam(schedule))
    config.sample_every, config.checkpoint_every = 200, 200
    return config


def sign_digits():
    """The second run on the photos of hands: a squared pixel loss beside the others.

    Where hand and light can be this way or that, a squared loss asks for what PSNR does. It serves best after the
    first run: from the start on, it gave 23.40 dB and an LPIPS of 0.0955 after 2,600 steps.

        python -m experiments.run --config=experiments/gesturegan.py:sign_digits_first --config.data.folder=FOLDER
        python -m experiments.run --config=experiments/gesturegan.py:sign_digits --config.data.folder=FOLDER

    Where the first run is elsewhere, --config.start_from=RUN names it. Measured on all 363 test pairs, VGG16 as the
    perceptual network: PSNR 23.69 dB, SSIM 0.829, LPIPS 0.0838; the first run alone 23.06, 0.818 and 0.0756, the source
    unchanged 15.63, 0.510 and 0.293. On a Xeon at 2.6 GHz the first run took 1.3 to 2 s a step on two cores, the second
    2.5 s on one.
    """
    config = sign_digits_first()
    config.start_from = "runs/gesturegan-sign_digits_first"
    config.options.pixel_terms = ("color", "pixel", "pixel_l2")
    config.weights.generator.pixel_l2 = 16000.0
    config.steps = 400
    config.ema = dict(generator=0.98)
    schedule = dict(name="linear_steps", flat_steps=150)
    config.optimizers = dict(generator=defaults.adam(schedule, learning_rate=3e-4),
                             discriminators=defaults.adam(schedule, learning_rate=1e-4))
    return config


VARIANTS = {
    "": full, "demo": demo, "ntu": ntu, "senz3d": senz3d, "dayton": dayton, "dayton64": dayton64, "g2a": g2a,
    "cvusa": cvusa, "sign_digits": sign_digits, "sign_digits_first": sign_digits_first, "two_cycle": ntu,
    "one_cycle": lambda: strips(base(HANDS, flat_epochs=10, decay_epochs=10, cycles=1), "ntu"),
    **{f"ablation_{row}": lambda row=row: ablation(row) for row in ("a", *ROWS)},
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
