"""BiGraphGAN (Tang et al., thesis 4.4): persons in another pose by reasoning over a bipartite graph of both poses.

    python -m experiments.run --config=experiments/bigraphgan.py:VARIANT

Variants:
  (none)           the thesis' form at full size on the embedded drawn hands at 128x128, skeletons as guidance
  market           persons of Market-1501 at 128x64; heat maps of 18 joints; batch norms
  fashion          DeepFashion at 256x176; instance norms, least squares, no pool
  released_market, released_fashion
                   the same in the form of the released code: on Market two linear maps in the fusion, on DeepFashion no
                   fusion and heat maps of one pixel a joint, as its script writes them
  facial           the release's facial expressions: pictures of landmarks as guidance, form and fusion of its Market
                   code; strips source | target | source landmarks | target landmarks
  b1 ... b6        rows of Table 4.7 (Market): no reasoning, B2A, A2B, both with one graph convolution, both, and the
                   fusion on top; the thesis' form
  released_b1 ... released_b6
                   the same rows in the released form, in which B1 is PATN and B6 released_market
  actions64, actions64_released
                   nine people in many poses at 64x64, in the thesis' form and in the released one with the linear
                   fusion; networks for two CPU cores
  demo             drawn hands at 64x64 with narrow networks: minutes on two CPU cores

Data, epochs and rates are told in `experiments/patn.py`. The weights 5/10/10 of adversarial loss, L1 and perceptual
loss are those of thesis and code on both sets. The scores of Table 4.7 were most likely made with the released form.
`--config.sample_columns` takes "intermediate", "source_attention" and "generated_attention": the picture before the
fusion and what it makes of source and picture (Figure 4.13).
"""

from experiments import defaults, patn

WEIGHTS = (5.0, 10.0, 10.0)
# Rows of Table 4.7: options, and its SSIM and mask-SSIM.
ROWS = {
    "b1": (dict(bgr="none", aif="none"), 0.305, 0.804),
    "b2": (dict(bgr="b2a", aif="none"), 0.310, 0.809),
    "b3": (dict(bgr="a2b", aif="none"), 0.310, 0.808),
    "b4": (dict(share_gcn=True, aif="none"), 0.322, 0.813),
    "b5": (dict(aif="none"), 0.324, 0.813),
    "b6": ({}, 0.325, 0.818),
}
FUSIONS = {"thesis": "mask", "released": "linear2"}  # of row B6


def base(*, form: str = "thesis", flat_epochs: int = 500, decay_epochs: int = 200, batch_size: int = 32, **options):
    """BiGraphGAN on the recipe, the full model (row B6) in this form unless `options` leave something out."""
    full = dict(form=form, bgr="both", share_gcn=False, aif=FUSIONS[form], states=0, nodes=0)
    return patn.recipe("bigraphgan", WEIGHTS, flat_epochs=flat_epochs, decay_epochs=decay_epochs, batch_size=batch_size,
                       **full | options)


def hands():
    """Market's settings on the embedded set."""
    return patn.hands_data(base(guidance_channels=3, **patn.MARKET))


def market(row: str = "b6", form: str = "thesis"):
    """A row of Table 4.7 on Market-1501: 263,632 training pairs, 87,500 steps of batch 32 ("around 90K")."""
    options, ssim, mask_ssim = ROWS[row]
    config = patn.market_data(base(form=form, **patn.MARKET | options))
    config.evaluate.published = dict(source=f"thesis Table 4.7, row {row.upper()}", folder="market",
                                     values=dict(ssim_person=ssim, mask_ssim_person=mask_ssim))
    return config


def fashion():
    """DeepFashion, 101,966 training pairs, 87,500 steps of batch 32."""
    return patn.fashion_data(base(**patn.FASHION))


def released_fashion():
    """DeepFashion in the released form, which has no fusion."""
    config = patn.fashion_data(base(form="released", aif="none", **patn.FASHION))
    config.data.guidance = "deltas"
    return config


def facial():
    """Facial expressions, 200 epochs of 167 steps of batch 24; the size of the pictures is ours."""
    config = base(form="released", flat_epochs=100, decay_epochs=100, batch_size=24, guidance_channels=3, **patn.MARKET)
    config.data.update(kind="strips", folder="datasets/facial", panels="source_first", load_size=256, crop_size=256,
                       flip="off")
    return config


def actions64(form: str = "thesis"):
    """The actions at 64x64 for CPUs: 1,200 steps of batch 4, all but the weights ours.

        python -m experiments.run --config=experiments/bigraphgan.py:actions64 --config.data.folder=FOLDER

    A step is 78 billion operations by the compiler's count, 82 in the released form. Twenty minutes on one core of an
    Intel Xeon, and twenty more from there (--config.start_from=RUN), gave, with PCKh by tools/pckh.py:

        split        steps     PSNR    SSIM    LPIPS   PCKh    results without a body found
        test_seen    1,200     26.72   0.766   0.079   0.606   34 of 142
                     2 x 1,200 28.06   0.806   0.060   0.697   24 of 142
                     (source)  20.86   0.572   0.170   0.494
        test_unseen  1,200     25.68   0.654   0.118   0.309   84 of 168
                     2 x 1,200 25.69   0.647   0.096   0.180   111 of 168
                     (source)  23.66   0.557   0.126   0.437

    People seen in training take the pose asked for in their own clothes. A new person does so for small movements, her
    background stays sharp, but her face and moved limbs are blurred, and the estimator of PCKh finds no body in most of
    these pictures: in it the copied source is ahead.
    """
    narrow = dict(width=32, blocks=4, dropout=0.0, discriminator_width=32)
    return patn.actions64_for_cpus(base(form=form, **patn.MARKET | narrow))


def demo():
    """Drawn hands at 64x64 on narrow networks, all losses."""
    narrow = dict(width=16, blocks=3, dropout=0.0, discriminator_width=16)
    return patn.demo_of(base(guidance_channels=3, **patn.MARKET | narrow))


VARIANTS = {
    "": hands, "market": market, "fashion": fashion, "released_market": lambda: market(form="released"),
    "released_fashion": released_fashion, "facial": facial, "actions64": actions64,
    "actions64_released": lambda: actions64("released"), "demo": demo,
    **patn.both_forms("", ROWS, market),
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
