"""SelectionGAN for persons (thesis ch. 5): another pose in two stages, the first of which is PATN.

    python -m experiments.run --config=experiments/selectiongan_person.py:VARIANT

Variants:
  (none)           full size on the embedded drawn hands at 128x128, skeletons as guidance
  market           persons of Market-1501 at 128x64, batch 32; heat maps of 18 joints; batch norms
  fashion          DeepFashion at 256x256, batch 12; instance norms, least squares, an SSIM term
  market_pp, fashion_pp    with the channel selection of SelectionGAN++, which neither text nor code has for persons
  released_market, released_fashion
                   the reference code's losses: one uncertainty map, plain L1 and perceptual terms without gradient, the
                   appearance discriminator on stage II alone
  actions64        nine people in many poses at 64x64; networks and length for two CPU cores are ours
  demo             drawn hands at 64x64 with narrow networks: minutes on two CPU cores

Data and rates are told in `experiments/patn.py`, the length too: 500 + 200 epochs of 4000 pairs. Weights of adversarial
loss (5, halved between the discriminators), L1, perceptual loss (10), SSIM (20) and total variation (1e-6) are the
code's; stage II counts four times in the adversarial loss and, by analogy with the other form, twice in the comparisons,
where the guided losses have the weight of L1. What the discriminators' own losses weigh is not told: here as much as in
the generator's, the target as much as both stages. Pools are PATN's.
"""

from experiments import defaults, patn

GAN, COMPARED, SSIM, TV = 5.0, 10.0, 20.0, 1e-6
STAGES = dict(coarse=1.0, fine=2.0)  # of the comparisons
JUDGED = dict(coarse=1.0, fine=4.0)  # of the adversarial losses
MARKET = patn.MARKET | dict(batch_size=32)
FASHION = patn.FASHION | dict(batch_size=12, similarity=True)
RELEASED = dict(uncertainty_maps=1, appearance_of_coarse=False, plain_gradients=False)
PLUS = dict(channel_selection="inverted")


def base(*, batch_size: int, **options):
    """The person form on the length and the rates of PATN's recipe; `options` are the method's."""
    full = dict(images=10, uncertainty_maps=2, pooling="multiscale", channel_selection="none", similarity=False,
                appearance_of_coarse=True, plain_gradients=True)
    config = patn.recipe("selectiongan_person", (GAN, COMPARED, COMPARED), flat_epochs=500, decay_epochs=200,
                         batch_size=batch_size, **full | options)
    del config.options.perceptual_loss  # it is L1 here
    config.weights = term_weights(config.options)
    return config


def term_weights(options) -> dict:
    """The weight of every term that these options compute, by player."""
    judged = {"appearance": JUDGED if options.appearance_of_coarse else dict(fine=1.0), "shape": JUDGED}
    generator = {f"gan_{judge}_{stage}": GAN / 2 * share for judge, stages in judged.items()
                 for stage, share in stages.items()}
    there = dict(pixel=True, perceptual=options.perceptual != "none", guided=options.uncertainty_maps > 0)
    generator |= {f"{term}_{stage}": COMPARED * share for term, used in there.items() if used
                  for stage, share in STAGES.items()}
    generator |= {f"tv_{stage}": TV for stage in STAGES} | (dict(ssim=SSIM) if options.similarity else {})
    weights = dict(generator=generator)
    for judge, stages in judged.items():
        fakes = {f"fake_{stage}": GAN / 2 * share for stage, share in stages.items()}
        weights[f"{judge}_discriminator"] = fakes | dict(real=sum(fakes.values()))
    return weights


def hands():
    """Market's settings on the embedded set."""
    return patn.hands_data(base(guidance_channels=3, **MARKET))


def market(**options):
    """Market-1501, 263,632 training pairs, 87,500 steps of batch 32 ("around 90k")."""
    return patn.market_data(base(**MARKET | options))


def fashion(**options):
    """DeepFashion's whole squares, 101,966 training pairs, 700 epochs of 334 steps of batch 12."""
    return patn.bodies(base(**FASHION | options), "fashion", 256, 256)


def actions64():
    """The actions at 64x64 for two CPU cores: 4,000 steps of batch 4; only the weights are the papers'.

        python -m experiments.run --config=experiments/selectiongan_person.py:actions64 --config.data.folder=FOLDER
    """
    narrow = dict(width=32, blocks=4, images=5, dropout=0.0, discriminator_width=32)
    config = patn.actions64_for_cpus(base(**MARKET | narrow))
    config.ema = dict(generator=0.998, attention_generator=0.998)
    return config


def demo():
    """Drawn hands at 64x64 on narrow networks, all losses."""
    narrow = dict(width=16, blocks=3, images=3, dropout=0.0, discriminator_width=16)
    config = patn.demo_of(base(guidance_channels=3, **MARKET | narrow))
    config.ema = dict(generator=0.99, attention_generator=0.99)
    return config


VARIANTS = {
    "": hands, "market": market, "fashion": fashion, "market_pp": lambda: market(**PLUS),
    "fashion_pp": lambda: fashion(**PLUS), "released_market": lambda: market(**RELEASED),
    "released_fashion": lambda: fashion(**RELEASED), "actions64": actions64, "demo": demo,
}


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
