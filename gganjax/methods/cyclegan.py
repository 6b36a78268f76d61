"""CycleGAN: unpaired translation with a generator for each direction (Zhu et al. 2017).

Row A of GestureGAN's Table 2.9 and a baseline of the cycle family. `source` and `target` are unrelated images,
[B, H, W, 3] in [-1, 1].
"""

import jax
import jax.numpy as jnp

from gganjax import losses
from gganjax.core import Field, Player
from gganjax.errors import check_choices
from gganjax.layers import INITIALIZATIONS
from gganjax.nets.patch import PatchDiscriminator
from gganjax.nets.resnet import ResNetGenerator

CHOICES = {
    "adversarial": ("least_squares", "vanilla"),
    "norm": ("instance", "batch"),
    "initialization": INITIALIZATIONS,
    "compute_dtype": ("float32", "bfloat16"),
}


class CycleGAN:
    """The method; see `build` for its options."""

    name = "cyclegan"
    inputs = ("source",)
    fields = {name: Field(("B", "H", "W", 3)) for name in ("source", "target")}
    frozen: dict = {}
    stride = ResNetGenerator.stride

    def __init__(self, *, adversarial, identity, pool_size, generator, discriminator):
        self.adversarial, self.identity = adversarial, identity
        self.pools = {"source": pool_size, "target": pool_size}
        self.nets = {"to_target": generator, "to_source": generator,
                     "discriminator_target": discriminator, "discriminator_source": discriminator}
        self.players = {
            "generators": Player(("to_target", "to_source"), self.generator_loss),
            "discriminators": Player(("discriminator_target", "discriminator_source"), self.discriminator_loss),
        }

    def rollout(self, key, call, batch):
        """Both translations, both ways back, and what each generator makes of its own domain."""
        source, target = batch["source"], batch["target"]
        keys = jax.random.split(key, 4)
        first = {"to_target": [source] + [target] * self.identity, "to_source": [target] + [source] * self.identity}
        made = {net: call.together(net, *((x,) for x in inputs), key=k)
                for k, (net, inputs) in zip(keys, first.items())}
        out = {"fake_target": made["to_target"][0], "fake_source": made["to_source"][0]}
        if self.identity:
            out |= {"same_target": made["to_target"][1], "same_source": made["to_source"][1]}
        out["back_source"] = call("to_source", out["fake_target"], key=keys[2])
        out["back_target"] = call("to_target", out["fake_source"], key=keys[3])
        return out

    def generator_loss(self, key, call, batch, out):
        """Least-squares adversarial, cycle and identity terms of both generators."""
        def summed(made):
            return sum(losses.pixel(out[f"{made}_{domain}"], batch[domain]) for domain in ("source", "target"))
        terms = {"gan": sum(losses.adversarial(call(f"discriminator_{domain}", out[f"fake_{domain}"]), True,
                                               self.adversarial) for domain in ("source", "target")),
                 "cycle": summed("back")}
        return terms | ({"identity": summed("same")} if self.identity else {})

    def discriminator_loss(self, key, call, batch, out):
        """Real images against remembered and new fakes, in both domains."""
        terms = {"fake": 0.0, "real": 0.0}
        for domain in ("source", "target"):
            fake = call.past(domain, out[f"fake_{domain}"])
            real, fake = call.together(f"discriminator_{domain}", (batch[domain],), (fake,))
            terms["fake"] += losses.adversarial(fake, False, self.adversarial)
            terms["real"] += losses.adversarial(real, True, self.adversarial)
        return terms

    def sample(self, key, call, batch):
        """The source in the target's domain: {"fake_target": [B, H, W, 3]}."""
        return {"fake_target": call("to_target", batch["source"], key=key)}

    def panels(self, batch, out):
        """Columns of the picture grid, in order."""
        return {"source": batch["source"], "translated": out["fake_target"], "target": batch["target"]}


def build(*, adversarial: str = "least_squares", identity: bool = True, pool_size: int = 50, width: int = 64,
          blocks: int = 9, dropout: float = 0.0, discriminator_width: int = 64, discriminator_layers: int = 3,
          norm: str = "instance", initialization: str = "normal", compute_dtype: str = "float32") -> CycleGAN:
    """Builds CycleGAN; the defaults are those of its public implementation of 2018.

    Args:
      adversarial: "least_squares" or "vanilla".
      identity: whether a generator shall leave images of its own output domain as they are.
      pool_size: remembered fakes for each domain.
      width, blocks, dropout: of both generators; the published ones have 9 blocks at 256x256 and 6 at 128x128.
      discriminator_width, discriminator_layers: of both discriminators.
      norm: "instance" or "batch".
      initialization: of all kernels: "normal" (0.02), "xavier", "kaiming", "orthogonal" (0.02) or
        "torch" (what PyTorch does unasked, biases and norms too).
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, adversarial=adversarial, norm=norm, initialization=initialization,
                  compute_dtype=compute_dtype)
    dtype = jnp.dtype(compute_dtype)
    generator = ResNetGenerator(3, width, blocks, norm, dropout, dtype, initialization)
    discriminator = PatchDiscriminator(discriminator_width, discriminator_layers, norm, dtype, initialization)
    return CycleGAN(adversarial=adversarial, identity=identity, pool_size=pool_size,
                    generator=generator, discriminator=discriminator)
