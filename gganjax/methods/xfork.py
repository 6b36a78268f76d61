"""X-Fork: one view to another, and the map of that view beside it (Regmi and Borji, CVPR 2018).

The generator makes two pictures of the source view I_a: the target view I_b' and its semantic map S_b'. Its decoder
forks behind the feature of twice the width. The discriminator judges (I_a, I_b'); the map has no judge. X-Fork++ sees
the given map S_g beside I_a (SelectionGAN, thesis ch. 5); its discriminator does not. In the code I_a is `source`, I_b
is `target`, and its map is `target_guidance`, all [B, H, W, 3] in [-1, 1].

Channels are red, green, blue here; the published Torch7 code has them in the other order, which to a network that is
trained from the start makes no difference.
"""

import jax.numpy as jnp

from gganjax import losses
from gganjax.core import PICTURE, Player
from gganjax.errors import InputError, check_choices
from gganjax.layers import INITIALIZATIONS, concatenate
from gganjax.nets.encoderdecoder import LEAST_LEVELS, BiasedPatchDiscriminator, EncoderDecoder

CHOICES = {"initialization": INITIALIZATIONS, "compute_dtype": ("float32", "bfloat16")}


class XFork:
    """The method; see `build` for its options."""

    name = "xfork"
    fields = dict.fromkeys(("source", "target", "target_guidance"), PICTURE)
    frozen: dict = {}
    pools: dict[str, int] = {}

    def __init__(self, *, guidance, real_label, generator, discriminator):
        self.real_label, self.stride = real_label, generator.stride
        self.inputs = ("source", "target_guidance") if guidance else ("source",)
        self.nets = {"generator": generator, "discriminator": discriminator}
        self.players = {"discriminator": Player(("discriminator",), self.discriminator_loss),
                        "generator": Player(("generator",), self.generator_loss)}

    def rollout(self, key, call, batch):
        """The target view and its map: {"fake_target", "fake_target_guidance": [B, H, W, 3]}."""
        image, guidance = call("generator", concatenate(*(batch[name] for name in self.inputs)), key=key)
        return {"fake_target": image, "fake_target_guidance": guidance}

    def discriminator_loss(self, key, call, batch, out):
        """Generated and real views told apart beside the source view, either kind by its own statistics."""
        pairs = [concatenate(batch["source"], view) for view in (out["fake_target"], batch["target"])]
        return tell_apart(call, "discriminator", *pairs, real_label=self.real_label)

    def generator_loss(self, key, call, batch, out):
        """Adversarial and L1 term of the view, L1 of its map; judged by the updated discriminator."""
        judged = call("discriminator", concatenate(batch["source"], out["fake_target"]))
        return {"gan": losses.adversarial(judged, self.real_label),
                "pixel": losses.pixel(out["fake_target"], batch["target"]),
                "guidance_pixel": losses.pixel(out["fake_target_guidance"], batch["target_guidance"])}

    def sample(self, key, call, batch):
        """The target view and its map: {"fake_target", "fake_target_guidance": [B, H, W, 3]}."""
        return self.rollout(key, call, batch)

    def panels(self, batch, out):
        """Columns of the picture grid, in order."""
        return panels(batch, out)


def tell_apart(call, net, fake, real, *, real_label):
    """Adversarial terms of a discriminator for two pairs of pictures [B, H, W, 6], either by its own statistics."""
    fake, real = call.together(net, (fake,), (real,))
    return {"fake": losses.adversarial(fake, False), "real": losses.adversarial(real, real_label)}


def panels(batch, out):
    """Columns of the picture grid of X-Fork and X-Seq: both pictures that are made, each before the real one."""
    return {"source": batch["source"], "translated": out["fake_target"], "target": batch["target"],
            "map made": out["fake_target_guidance"], "target map": batch["target_guidance"]}


def check(*, levels: int, real_label: float, initialization: str, compute_dtype: str) -> None:
    """Holds the options that X-Fork and X-Seq share against their ranges."""
    check_choices(CHOICES, initialization=initialization, compute_dtype=compute_dtype)
    if levels < LEAST_LEVELS:
        raise InputError(f"options.levels is {levels}, expected at least {LEAST_LEVELS}.")
    if not 0.0 < real_label <= 1.0:
        raise InputError(f"options.real_label is {real_label}, expected above 0 and at most 1.")


def build(*, guidance: bool = False, real_label: float = 0.9, zero_bias: bool = True, width: int = 64, levels: int = 8,
          dropout: float = 0.5, discriminator_width: int = 64, discriminator_layers: int = 3,
          initialization: str = "normal", compute_dtype: str = "float32") -> XFork:
    """Builds X-Fork; the defaults are those of its code at 256x256.

    Args:
      guidance: whether the generator sees the map of the target view beside the source view (X-Fork++).
      real_label: what real pairs shall be called, and the generator's pairs by its own wish; 1 in the text.
      zero_bias: whether the biases of all convolutions stay 0, as in the code.
      width, levels, dropout: of the generator; 8 levels at 256x256, 6 at 64x64, 5 is the least. Dropout is that of the
        first `levels` - 5 blocks of the decoder.
      discriminator_width, discriminator_layers: of the discriminator; 3 layers see 70x70 pixels.
      initialization: of all kernels: "normal" (0.02), "xavier", "kaiming", "orthogonal" (0.02) or
        "torch" (what PyTorch does unasked, norms too).
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check(levels=levels, real_label=real_label, initialization=initialization, compute_dtype=compute_dtype)
    dtype = jnp.dtype(compute_dtype)
    generator = EncoderDecoder(3, width, levels, dropout, True, zero_bias, dtype, initialization)
    judge = BiasedPatchDiscriminator(discriminator_width, discriminator_layers, zero_bias, dtype, initialization)
    return XFork(guidance=guidance, real_label=real_label, generator=generator, discriminator=judge)
