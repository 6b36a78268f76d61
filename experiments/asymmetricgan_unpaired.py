"""AsymmetricGAN without pairs, for many domains (Tang et al., Eq. 1 to 8).

    python -m experiments.run --config=experiments/asymmetricgan_unpaired.py:VARIANT

Variants:
  (none)           the paper's model with separate generators of Architecture III, Bu3dfe at 256x256
  bu3dfe, ar_face, rafd, alps, facades, collection_style    the same on the sets of Table I
  s1, s2, s3, stargan      Table VI: the reconstruction generator in Architecture I, II, III; the baseline
  all, all_i, all_s_c, all_s_c_i, all_d, all_d_s, all_d_c    Table VII: without identity (i), similarity (s), color
                   cycle (c, a plain L1 in its place), double discriminators (d)
  sharing_full, sharing_partial, sharing_none    Table VIII at 128x128
  embedding        labels pass a layer of 64 numbers, as the text has it
  released         the code's recipe: Wasserstein critic with gradient penalty, n-critic 5, SSIM of one scale, no
                   identity, no image buffer, batch 16, 200,000 iterations (RaFD)
  kaokore          four kinds of painted faces at 128x128; batch and length are ours
  kaokore64        the same at 64x64 on narrow networks, for CPUs
  demo             the same at 64x64 with narrow networks: minutes on two CPU cores, to see that it runs

Pictures are looked for under datasets/NAME, or in --config.data.folder=FOLDER, as train/DOMAIN/*.jpg and
test/DOMAIN/*.jpg with the folder names below. The paper's model has double discriminators in Table VII only, as their
form is not told. The paper gives no learning rate: 1e-4 is the code's; it decays to 0 over the second half.
"""

from experiments import defaults, stargan

DOMAINS = {
    "bu3dfe": ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"),
    "ar_face": ("anger", "neutral", "scream", "smile"),
    "rafd": stargan.RAFD,
    "alps": ("autumn", "spring", "summer", "winter"),
    "facades": ("label", "photo"),
    "collection_style": ("cezanne", "monet", "photo", "ukiyoe", "vangogh"),
    "kaokore": stargan.KAOKORE,
}
WEIGHTS = dict(gan=1.0, domain=1.0, cycle=10.0, similarity=1.0, identity=0.5)

# Table VII: letters that stand behind "All" take their term away; D is the second discriminator.
ROWS = {
    "all": dict(discriminators=2),
    "all_i": dict(discriminators=2, identity=False),
    "all_s_c": dict(discriminators=2, similarity="none", color_cycle=False),
    "all_s_c_i": dict(discriminators=2, similarity="none", color_cycle=False, identity=False),
    "all_d": dict(),
    "all_d_s": dict(similarity="none"),
    "all_d_c": dict(color_cycle=False),
}


def base(name: str = "bu3dfe", *, size: int = 256, **options):
    """The paper's model on a data set; `options` are those of the method."""
    config = defaults.get_config()
    config.method = "asymmetricgan_unpaired"
    config.options = dict(
        domains=DOMAINS[name], exclusive=(), classification="softmax", target_labels="given", sharing="none",
        reconstruction_architecture=3, reconstruction_blocks=0, label_embedding=0, adversarial="least_squares",
        similarity="ms_ssim", similarity_scales=5, color_cycle=True, identity=True, discriminators=1, pool_size=50,
        update_order="sequential", n_critic=1, width=64, blocks=6, discriminator_width=64, discriminator_layers=6,
        compute_dtype="float32")
    config.options.update(options)
    config.batch_size, config.epochs = 1, 200
    complete(config, dict(name="linear_share", flat_share=0.5))
    config.data.update(kind="domains", domains=DOMAINS[name], folder=f"datasets/{name}", resize="bilinear",
                       load_size=size, crop_size=size, flip="on")
    config.evaluate.metrics = ("fid_ttur", "inception_score", "classification_accuracy")
    return config


def complete(config, schedule: dict) -> None:
    """Fills in the weight of every term that the options compute, and an optimizer for every player."""
    options = config.options
    there = dict(similarity=options.similarity != "none", identity=options.identity)
    translation, back, identity = ("gan", "domain"), ("cycle", "similarity"), ("identity",)
    if options.update_order == "joint":
        terms = dict(generators=translation + back + identity)
    else:
        terms = dict(translator=translation + back, reconstructor=back + identity)
    critic = dict(real=1.0, fake=1.0, domain=1.0) | (dict(penalty=10.0) if options.adversarial == "wasserstein" else {})
    config.weights = dict(discriminators=critic) | {
        player: {term: WEIGHTS[term] for term in named if there.get(term, True)} for player, named in terms.items()}
    config.optimizers = {player: defaults.adam(schedule, learning_rate=1e-4) for player in config.weights}


def sharing(kind: str):
    """A row of Table VIII, which counts the discriminator of 128x128 pictures."""
    order = "sequential" if kind == "none" else "joint"
    return base(size=128, sharing=kind, update_order=order, similarity_scales=4)


def baseline():
    """StarGAN on Bu3dfe, the baseline of Table VI."""
    config = stargan.folders(stargan.base(DOMAINS["bu3dfe"]), "bu3dfe")
    config.data.update(load_size=256, crop_size=256)
    return config


def released():
    """What the published code runs: RaFD, center crop 256, StarGAN's losses and SSIM, both generators of 6 blocks."""
    config = base("rafd", target_labels="permuted", adversarial="wasserstein", similarity="ssim", identity=False,
                  pool_size=0, update_order="joint", n_critic=stargan.N_CRITIC)
    config.batch_size, config.epochs, config.steps = 16, 0, stargan.ITERATIONS
    config.optimizers = {player: defaults.adam(stargan.schedule(every, literal=True), learning_rate=1e-4)
                         for player, every in dict(discriminators=1, generators=stargan.N_CRITIC).items()}
    config.data.center_crop = 256
    return config


def kaokore(**options):
    """Painted faces of four kinds, 160 pictures each."""
    config = base("kaokore", size=128, similarity_scales=4, **options)
    config.batch_size, config.epochs, config.steps = 4, 0, 20_000
    config.evaluate.metrics = ("fid_efficientnet", "kid_efficientnet", "classification_accuracy")
    return config


def kaokore64():
    """Painted faces at 64x64: all six blocks, networks half as wide; 2,000 steps of four pictures.

        python -m experiments.run --config=experiments/asymmetricgan_unpaired.py:kaokore64 --config.data.folder=FOLDER

    On one core of an Intel Xeon, 75 minutes: a ResNet-18 of the training pictures, which is right on 65.6 % of those
    held out from it, puts 21.4 % of the 360 translations of 120 test pictures into the domain asked for; KID of
    EfficientNet features 0.269. The outlines of faces, hair and hats stay, with bright specks, and the four domains
    differ by a shade at most: the discriminators know them (their domain term is 0.08, the translator's 1.13), but the
    training is too short for the translator to follow.
    """
    config = kaokore(width=32, discriminator_width=32, discriminator_layers=5)
    config.options.similarity_scales = 3
    config.data.update(load_size=64, crop_size=64)
    config.steps = 2000
    config.ema = dict(translator=0.99)
    for player, rate in dict(translator=1e-3, reconstructor=1e-3, discriminators=2e-4).items():
        config.optimizers[player].learning_rate = rate
    config.sample_every, config.checkpoint_every = 500, 500
    return config


def demo():
    """Painted faces at 64x64 with narrow networks."""
    config = kaokore(width=16, blocks=3, discriminator_width=16, discriminator_layers=5)
    config.options.similarity_scales = 3
    config.data.update(load_size=64, crop_size=64)
    config.steps = 300
    config.ema = dict(translator=0.99)
    config.sample_every, config.checkpoint_every = 60, 100
    config.evaluate.metrics = ("fid_efficientnet", "kid_efficientnet")  # no classifier to be trained first
    return config


VARIANTS = {
    "": base, **{name: lambda name=name: base(name) for name in DOMAINS}, "kaokore": kaokore,
    "kaokore64": kaokore64,
    **{f"s{number}": lambda number=number: base(reconstruction_architecture=number) for number in (1, 2, 3)},
    "stargan": baseline, **{row: lambda row=row: base(**ROWS[row]) for row in ROWS},
    **{f"sharing_{kind}": lambda kind=kind: sharing(kind) for kind in ("full", "partial", "none")},
    "embedding": lambda: base(label_embedding=64), "released": released, "demo": demo,
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
