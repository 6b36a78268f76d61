"""C2GAN (Tang et al., ACM MM 2019; thesis ch. 3): images and guidance in three cycles.

    python -m experiments.run --config=experiments/c2gan.py:VARIANT

Variants:
  (none)           full size on the embedded drawn hands at 256x256, skeletons as guidance
  radboud          facial expressions at 256x256; strips source | target | target landmarks | source landmarks
  market           persons of Market-1501 at 128x64; heat maps of 18 joints, mask loss
  senz3d           gestures at 256x256; strips source | target | source skeleton | target skeleton
  dayton           aerial to ground at 256x256; strips of views and label maps
  faces_london     photos of neutral and smiling faces at 256x256, 68 landmarks drawn as dots
  faces_london128  the same at 128x128 on narrow networks, for two CPU cores
  demo             drawn hands at 64x64 with narrow networks: minutes on two CPU cores
  ablation_i2i2i, ablation_g2i2g, ablation_g2r2g, ablation_full, ablation_single_modal, ablation_non_sharing
                   rows of Table 3.5 on radboud, 50 epochs: the image cycle alone, with either guidance cycle, with
                   both, with single-modal discriminators, with a generator for each use
  radboud_released the released code's recipe: least squares, Gi, Di, Gg, Dg in turn, no guidance gradient into Gi,
                   and the batch of its script, 8
  senz3d_released  that of the extended code: the same with a perceptual loss, and 5 + 5 epochs

Sets are looked for under datasets/NAME; say where yours are with --config.data.folder=FOLDER. Weights, epochs and
batches are those of the papers where they give them. They say how many epochs there are in all; the rate falls over
the second half of them, as on Radboud (100 + 100). Senz3D's batch is that of the script; those of dayton and
faces_london are ours. The papers' mirrored copies are stored as *_lr files; sets without them are mirrored on the way.
Test pictures are normalized by their own statistics, which released weights need, without dropout.
"""

from experiments import defaults
from gganjax.methods.c2gan import CYCLES

# The papers' weights, the same for every task; behind them those of PG2's mask loss of persons, and of the perceptual
# term that the extended code adds.
WEIGHTS = dict(gan=1.0, guidance_gan=1.0, cycle=10.0, pixel=10.0, guidance_cycle=10.0) | dict(mask=1.0, perceptual=10.0)
ROWS = {
    "i2i2i": dict(cycles=("i2i2i",)),
    "g2i2g": dict(cycles=("i2i2i", "g2i2g")),
    "g2r2g": dict(cycles=("i2i2i", "g2r2g")),
    "full": {},
    "single_modal": dict(cross_modal_discriminators=False),
    "non_sharing": dict(share_generators=False),
}


def schedule(flat_epochs: int, decay_epochs: int) -> dict:
    """In epoch e = 1, 2, ... the share of the rate is 1 - max(0, e - 1 - flat_epochs) / (decay_epochs + 1).

    It starts to fall two epochs later than the schedule "linear" of the same numbers, and never reaches 0.
    """
    return dict(name="linear", flat_epochs=flat_epochs + 2, decay_epochs=decay_epochs)


def base(*, flat_epochs: int, decay_epochs: int, batch_size: int, **options):
    """C2GAN, the full model unless `options` leave something out."""
    config = defaults.get_config()
    config.method = "c2gan"
    config.options = dict(
        guidance_channels=3, cycles=CYCLES, share_generators=True, cross_modal_discriminators=True,
        guidance_grad_to_image_generator=True, update_order="joint", adversarial="vanilla", mask_loss=False,
        perceptual="none", warm_up_steps=0, pool_size=50, width=64, levels=8, dropout=0.5, discriminator_width=64,
        discriminator_layers=3, norm="batch", initialization="xavier", compute_dtype="float32")
    config.options.update(options)
    config.weights = term_weights(config.options)
    config.batch_size, config.epochs = batch_size, flat_epochs + decay_epochs
    config.optimizers = {player: defaults.adam(schedule(flat_epochs, decay_epochs)) for player in config.weights}
    return config


def term_weights(options) -> dict:
    """The weight of every term that these options compute, by player; both discriminators are halved."""
    read = any(cycle != "i2i2i" for cycle in options.cycles)
    of_image = dict(gan=True, pixel=True, cycle="i2i2i" in options.cycles, mask=options.mask_loss,
                    perceptual=options.perceptual != "none")
    image = {term: WEIGHTS[term] for term, there in of_image.items() if there}
    guidance = {term: WEIGHTS[term] for term in ("guidance_gan", "guidance_cycle") if read}
    joint = options.guidance_grad_to_image_generator and options.update_order == "joint"
    felt = guidance if options.guidance_grad_to_image_generator else {}
    weights = {"generators" if joint else "image_generator": image | felt, "image_discriminator": dict(fake=0.5, real=0.5)}
    if read and not joint:
        weights["guidance_generator"] = guidance
    if read:
        weights["guidance_discriminator"] = dict(fake=0.5, real=0.5)
    return weights


def hands():
    """The model of Senz3D on the embedded set."""
    return base(flat_epochs=10, decay_epochs=10, batch_size=12)


def radboud(*, flat_epochs: int = 100, decay_epochs: int = 100, batch_size: int = 16, **options):
    """Radboud Faces, 5,628 training pairs, batch 16, 200 epochs. Published: PSNR 21.92, SSIM 0.862."""
    config = base(flat_epochs=flat_epochs, decay_epochs=decay_epochs, batch_size=batch_size, **options)
    config.data.update(kind="strips", folder="datasets/radboud", panels="target_first", load_size=256, crop_size=256)
    config.evaluate.published = dict(source="C2GAN, thesis ch. 3, 200 epochs", folder="radboud",
                                     values=dict(psnr=21.92, ssim=0.862))
    return config


def market():
    """Market-1501 at 128x64, 263,631 training pairs, batch 4, 90 epochs; six levels are the most that fit."""
    config = base(flat_epochs=45, decay_epochs=45, batch_size=4, guidance_channels=18, mask_loss=True, levels=6)
    config.data.update(kind="folder", folder="datasets/market", guidance="heatmaps", parts="body", load_size=128,
                       load_width=64, crop_size=128, crop_width=64)
    config.evaluate.metrics = ("psnr", "ssim", "lpips", "ssim_pg2", "mask_ssim_pg2", "inception_score")
    return config


def senz3d(*, flat_epochs: int = 10, decay_epochs: int = 10, **options):
    """Creative Senz3D, 20 epochs; crops of 256 out of 286."""
    config = base(flat_epochs=flat_epochs, decay_epochs=decay_epochs, batch_size=12, **options)
    config.data.update(kind="strips", folder="datasets/senz3d", panels="source_first")
    config.evaluate.metrics = ("psnr", "ssim", "lpips", "psnr_lua", "inception_score", "fid_ttur", "frd")
    return config


def dayton():
    """Dayton aerial to ground, 55,000 strips, 35 epochs, divided as GestureGAN's on the same set."""
    config = base(flat_epochs=20, decay_epochs=15, batch_size=4)
    config.data.update(kind="strips", folder="datasets/dayton_a2g", panels="source_first")
    config.evaluate.metrics = ("psnr", "ssim", "lpips", "psnr_lua", "ssim_lua", "sharpness_difference")
    return config


def faces_london(**options):
    """Neutral to smiling photos of 70 people, twelve others to test; the epochs are Radboud's."""
    config = base(flat_epochs=100, decay_epochs=100, batch_size=4, **options)
    config.data.update(kind="folder", folder="datasets/faces_london", guidance="dots", parts="face", pairs="neutral")
    return config


def faces_london128():
    """Smiling faces at 128x128: networks half as wide, the perceptual term of the extended code, no dropout; 800 steps.

        python -m experiments.run --config=experiments/c2gan.py:faces_london128 --config.data.folder=FOLDER

    Pixel and perceptual loss weigh ten times what they do in the paper: with its weights the adversarial term drowned
    them in a run as short as this. Two more runs went on from there, --config.weights.generators.perceptual=300
    --config.start_from=RUN, of --config.steps=450 and then 600, the rate falling from step 225 and 200 on. On the twelve
    people who are not among the 70, on one core of an Intel Xeon, three hours in all:

        steps              PSNR    SSIM    LPIPS
        800                21.96   0.715   0.109
        800 + 450          22.05   0.725   0.091
        800 + 450 + 600    22.18   0.737   0.076
        the neutral face   17.52   0.602   0.083

    Every face is that of its person, in the place and pose asked for, but eyes and mouth are soft and the smile is
    faint; the landmarks read off the pictures are not yet a face.
    """
    config = faces_london(levels=7, width=32, discriminator_width=32, dropout=0.0, perceptual="vgg16")
    config.weights.generators.update(pixel=100.0, perceptual=100.0)
    config.data.update(load_size=143, crop_size=128)
    config.steps = 800
    config.ema = dict(image_generator=0.99, guidance_generator=0.99)
    schedule = dict(name="linear_steps", flat_steps=400)
    config.optimizers = {player: defaults.adam(schedule) for player in config.weights}
    config.optimizers.generators.learning_rate = 5e-4
    config.sample_every, config.checkpoint_every = 100, 100
    return config


def demo():
    """Drawn hands at 64x64, all cycles on narrow networks of six levels."""
    config = base(flat_epochs=1, decay_epochs=0, batch_size=4, width=16, levels=6, dropout=0.0, discriminator_width=16)
    rates = dict(generators=1e-3, image_discriminator=2e-4, guidance_discriminator=2e-4)
    return defaults.demo(config, rates=rates, averaged=("image_generator", "guidance_generator"))


REFERENCE = dict(adversarial="least_squares", guidance_grad_to_image_generator=False)

VARIANTS = {
    "": hands, "radboud": radboud, "market": market, "senz3d": senz3d, "dayton": dayton, "faces_london": faces_london,
    "faces_london128": faces_london128, "demo": demo,
    "radboud_released": lambda: radboud(batch_size=8, **REFERENCE),
    "senz3d_released": lambda: senz3d(flat_epochs=5, decay_epochs=5, perceptual="vgg19", **REFERENCE),
    **{f"ablation_{row}": lambda row=row: radboud(flat_epochs=25, decay_epochs=25, **ROWS[row]) for row in ROWS},
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
