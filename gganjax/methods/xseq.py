"""X-Seq: one view to another, and from that the map of it, by two generators in sequence (Regmi and Borji, CVPR 2018).

G1 makes the target view I_b' of the source view I_a, G2 the semantic map S_b' of I_b'. D1 judges (I_a, I_b'), D2 judges
(I_b', S_b') against (I_b', S_b): the condition is the generated view in both. X-Seq++ gives G1 the map S_g beside I_a
(SelectionGAN, thesis ch. 5); the other three networks see what they saw. In the code I_a is `source`, I_b is `target`,
and its map is `target_guidance`, all [B, H, W, 3] in [-1, 1]. For the order of the channels see `xfork`.

The players move in the order D2, G2, D1, G1. G1 learns from its own losses and, with the tenth part of their weights,
from those of G2 as they were before G2 moved; only the path through G2 counts, not D2's condition.
"""

import jax
import jax.numpy as jnp
from jax import lax

from gganjax import losses
from gganjax.core import PICTURE, Player
from gganjax.layers import concatenate
from gganjax.methods import xfork
from gganjax.nets.encoderdecoder import BiasedPatchDiscriminator, EncoderDecoder


class XSeq:
    """The method; see `build` for its options."""

    name = "xseq"
    fields = dict.fromkeys(("source", "target", "target_guidance"), PICTURE)
    frozen: dict = {}
    pools: dict[str, int] = {}

    def __init__(self, *, guidance, real_label, generator, discriminator):
        self.real_label, self.stride = real_label, generator.stride
        self.inputs = ("source", "target_guidance") if guidance else ("source",)
        self.nets = {"image_generator": generator, "guidance_generator": generator,
                     "image_discriminator": discriminator, "guidance_discriminator": discriminator}
        losses_of = {
            "guidance_discriminator": self.guidance_discriminator_loss, "guidance_generator": self.guidance_loss,
            "image_discriminator": self.image_discriminator_loss, "image_generator": self.image_loss}
        self.players = {net: Player((net,), loss) for net, loss in losses_of.items()}

    def rollout(self, key, call, batch):
        """The target view, and the map of it: {"fake_target", "fake_target_guidance": [B, H, W, 3]}."""
        keys = jax.random.split(key)
        image = call("image_generator", concatenate(*(batch[name] for name in self.inputs)), key=keys[0])
        return {"fake_target": image, "fake_target_guidance": call("guidance_generator", image, key=keys[1])}

    def guidance_discriminator_loss(self, key, call, batch, out):
        """Terms of D2: made and real maps told apart beside the generated view."""
        pairs = [concatenate(out["fake_target"], x) for x in (out["fake_target_guidance"], batch["target_guidance"])]
        return xfork.tell_apart(call, "guidance_discriminator", *pairs, real_label=self.real_label)

    def image_discriminator_loss(self, key, call, batch, out):
        """Terms of D1: made and real views told apart beside the source view."""
        pairs = [concatenate(batch["source"], x) for x in (out["fake_target"], batch["target"])]
        return xfork.tell_apart(call, "image_discriminator", *pairs, real_label=self.real_label)

    def guidance_loss(self, key, call, batch, out, *, keep=True):
        """Terms of G2: adversarial and L1 term of the map, judged by the updated D2."""
        pair = concatenate(lax.stop_gradient(out["fake_target"]), out["fake_target_guidance"])
        judged = call("guidance_discriminator", pair, keep=keep)
        return {"gan": losses.adversarial(judged, self.real_label),
                "pixel": losses.pixel(out["fake_target_guidance"], batch["target_guidance"])}

    def image_loss(self, key, call, batch, out):
        """Terms of G1: adversarial and L1 term of the view, judged by the updated D1, and those of G2.

        The map is the one from before G2 moved, so its gradient comes back through G2 as it was; it was judged by
        then, and moves no statistics again.
        """
        judged = call("image_discriminator", concatenate(batch["source"], out["fake_target"]))
        passed = self.guidance_loss(key, call, batch, out, keep=False)
        return {"gan": losses.adversarial(judged, self.real_label),
                "pixel": losses.pixel(out["fake_target"], batch["target"])
                } | {f"guidance_{term}": value for term, value in passed.items()}

    def sample(self, key, call, batch):
        """The target view, and the map of it: {"fake_target", "fake_target_guidance": [B, H, W, 3]}."""
        return self.rollout(key, call, batch)

    def panels(self, batch, out):
        """Columns of the picture grid, in order."""
        return xfork.panels(batch, out)


def build(*, guidance: bool = False, real_label: float = 0.9, zero_bias: bool = True, width: int = 64, levels: int = 8,
          dropout: float = 0.5, discriminator_width: int = 64, discriminator_layers: int = 3,
          initialization: str = "normal", compute_dtype: str = "float32") -> XSeq:
    """Builds X-Seq; the defaults are those of its code at 256x256.

    Args:
      guidance: whether G1 sees the map of the target view beside the source view (X-Seq++).
      real_label: what real pairs shall be called, and the generators' pairs by their own wish; 1 in the text.
      zero_bias: whether the biases of all convolutions stay 0, as in the code.
      width, levels, dropout: of both generators; 8 levels at 256x256, 6 at 64x64, 5 is the least. Dropout is that of
        the first `levels` - 5 blocks of the decoder.
      discriminator_width, discriminator_layers: of both discriminators; 3 layers see 70x70 pixels.
      initialization: of all kernels: "normal" (0.02), "xavier", "kaiming", "orthogonal" (0.02) or
        "torch" (what PyTorch does unasked, norms too).
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    xfork.check(levels=levels, real_label=real_label, initialization=initialization, compute_dtype=compute_dtype)
    dtype = jnp.dtype(compute_dtype)
    generator = EncoderDecoder(3, width, levels, dropout, False, zero_bias, dtype, initialization)
    judge = BiasedPatchDiscriminator(discriminator_width, discriminator_layers, zero_bias, dtype, initialization)
    return XSeq(guidance=guidance, real_label=real_label, generator=generator, discriminator=judge)
