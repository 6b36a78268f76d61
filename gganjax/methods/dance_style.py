"""ST-GCN as a classifier of dance styles (Yan et al. 2018), whose features DanceGAN's pose perceptual loss compares.

Poses are [B, F, 18, 2] in [-1, 1], `style` [B] the number of the style in `styles`. The baseline's network told 16
classes apart and is not to be had; a run of this method is named in `options.style_run` of `dance_skeleton`.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from gganjax import losses
from gganjax.core import Field, Player
from gganjax.errors import InputError
from gganjax.nets.stgcn import JOINTS, STGCN


class DanceStyle:
    """The method; see `build` for its options."""

    name = "dance_style"
    inputs = ("poses",)
    frozen: dict = {}
    pools: dict[str, int] = {}
    stride = 1

    def __init__(self, *, styles, frames, classifier):
        self.styles = tuple(styles)
        self.fields = {"poses": Field(("B", frames, JOINTS, 2)), "style": Field(("B",), 0, len(self.styles) - 1)}
        self.nets = {"classifier": classifier}
        self.players = {"classifier": Player(("classifier",), self.classifier_loss)}

    def rollout(self, key, call, batch):
        """The logits of the styles, [B, styles]."""
        return {"fake_style": call("classifier", batch["poses"])}

    def classifier_loss(self, key, call, batch, out):
        """Cross entropy of the styles."""
        label = jax.nn.one_hot(batch["style"].astype(jnp.int32), len(self.styles))
        return {"style": losses.domain_classification(out["fake_style"], label)}

    def sample(self, key, call, batch):
        """Probabilities of the styles: {"fake_style": [B, styles]}."""
        return {"fake_style": jax.nn.softmax(call("classifier", batch["poses"]))}

    def panels(self, batch, out):
        """The dances."""
        return {"dance": batch["poses"]}


def build(*, styles: Sequence[str] = ("ballet", "kpop", "popping"), frames: int = 50, width: int = 64) -> DanceStyle:
    """Builds the classifier; the defaults are the thesis' three kinds of dances and the baseline's network.

    Args:
      styles: names of the styles, in the order of their numbers.
      frames: of a dance, at 10 frames a second; 5 seconds in the thesis.
      width: of the first blocks.
    """
    if isinstance(styles, str) or len(styles) < 2 or len(set(styles)) < len(styles):
        raise InputError(f"options.styles must name at least two styles, each once, found {styles!r}.")
    for option, value, least in (("frames", frames, 1), ("width", width, 1)):
        if value < least:
            raise InputError(f"options.{option} is {value}, expected at least {least}.")
    return DanceStyle(styles=styles, frames=frames, classifier=STGCN(len(styles), width))
