"""X-Seq (Regmi and Borji, CVPR 2018): one view to another and from that its map, a baseline of the cross-view tables.

    python -m experiments.run --config=experiments/xseq.py:VARIANT

Variants:
  (none)           full size on the embedded drawn hands at 256x256, guided; the skeleton in the place of the map
  dayton, g2a, dayton64, cvusa, sva, ego2top                          X-Seq on strips of views and label maps
  dayton_plus, g2a_plus, dayton64_plus, cvusa_plus, sva_plus, ego2top_plus    X-Seq++, which sees the target's map
  dayton_released, dayton_plus_released    the published code's batch of 4 and its way to test
  crossview        the few published pairs at 128x128 with narrow networks, to learn by heart on two CPU cores
  demo             drawn hands at 64x64 with narrow networks: minutes on two CPU cores

Sets, sizes, epochs, batches and tests are those of X-Fork, see experiments/xfork.py. The image generator feels a tenth
of the map generator's loss.
"""

from experiments import defaults, xfork

FELT = 0.1  # lambda_grads: share of G2's loss that G1 feels
TERMS = dict(gan=1.0, pixel=100.0)
WEIGHTS = {
    "guidance_discriminator": dict(fake=1.0, real=1.0),
    "guidance_generator": TERMS,
    "image_discriminator": dict(fake=1.0, real=1.0),
    "image_generator": TERMS | {f"guidance_{term}": FELT * weight for term, weight in TERMS.items()},
}


def base(**options):
    """X-Seq at full size with the weights and rates of its code."""
    config = xfork.base(**options)
    config.method = "xseq"
    return xfork.optimized(config, WEIGHTS)


VARIANTS = {"": lambda: base(guidance=True), "demo": lambda: xfork.demo(base())} | xfork.variants(base, batch_size=4)


def get_config(variant: str = ""):
    """The config of a variant, see the module's docstring."""
    return defaults.choose(VARIANTS, variant)
