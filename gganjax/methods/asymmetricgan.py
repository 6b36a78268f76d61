"""AsymmetricGAN, paired: GestureGAN with a large generator for the translation and a small one for the way back.

Tang et al., supervised hand gestures, Eq. 9 to 15: y' = Gt(x, l_y), x'' = Gr(y', l_x), and the identity Gt(x, l_x);
the same with source and target exchanged. In the code x is `source`, y is `target`, l_x and l_y are
`source_guidance` and `target_guidance`, all [B, H, W, 3] in [-1, 1]. Losses, discriminators and passes are those of
`methods.gesturegan`, whose two cycles go through one generator.

The paper's equations tell of the direction from x to y and of one discriminator, which sees the guidance; its code has
both directions and a second discriminator, which does not, and so have the defaults. Its code adds L1 to the color
loss of Eq. 15 at the same weight. The paper updates D, then Gt, then Gr; the code D, then both in one step. Where both
learn from one rollout, as here, that is the same update: Adam treats every parameter by itself.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from gganjax import features
from gganjax.core import Field, Player
from gganjax.errors import InputError, check_choices
from gganjax.methods import gesturegan
from gganjax.nets.patch import PatchDiscriminator
from gganjax.nets.resnet import ResNetGenerator


class AsymmetricGAN:
    """The method; see `build` for its options."""

    name = "asymmetricgan"
    inputs = ("source", "target_guidance")
    fields = {name: Field(("B", "H", "W", 3)) for name in
              ("source", "target", "source_guidance", "target_guidance")}
    pools: dict[str, int] = {}  # as in GestureGAN: the size of the history is 0
    stride = ResNetGenerator.stride

    def __init__(self, *, objective, stack_calls, translator, reconstructor, discriminator, dtype):
        self.objective, self.stack_calls = objective, stack_calls
        judges = {f"discriminator_{judge}": discriminator for judge in objective.judges}
        self.nets, self.frozen = {"translator": translator, "reconstructor": reconstructor} | judges, {}
        if objective.perceptual != "none":
            self.nets["perceptual"], self.frozen["perceptual"] = features.perceptual(objective.perceptual, dtype=dtype)
        self.players = {
            "discriminators": Player(tuple(judges), self.discriminator_loss),
            "generators": Player(("translator", "reconstructor"), self.generator_loss),
        }

    def rollout(self, key, call, batch):
        """Translations and identities by Gt, then the ways back by Gr."""
        def generate(place, net, wanted):
            return gesturegan.generate(jax.random.fold_in(key, place), call, net, wanted, stack_calls=self.stack_calls)

        out = generate(0, "translator", gesturegan.translations(self.objective, batch))
        return out | generate(1, "reconstructor", gesturegan.ways_back(self.objective, batch, out))

    def generator_loss(self, key, call, batch, out):
        """Eq. 15: adversarial, color and pixel, cycle, identity, perceptual and total variation of both generators."""
        return gesturegan.generator_terms(self.objective, call, batch, out)

    def discriminator_loss(self, key, call, batch, out):
        """Real and generated pairs told apart by each discriminator."""
        return gesturegan.discriminator_terms(self.objective, call, batch, out)

    def sample(self, key, call, batch):
        """The translated image: {"fake_target": [B, H, W, 3]}."""
        return gesturegan.generate(key, call, "translator", {"fake_target": (batch["source"], batch["target_guidance"])})

    def panels(self, batch, out):
        """Columns of the picture grid, in order."""
        return {"source": batch["source"], "target guidance": batch["target_guidance"],
                "translated": out["fake_target"], "target": batch["target"]}


def build(*, cycles: int = 2, discriminators: str = "both", pixel_terms: Sequence[str] = ("color", "pixel"),
          cycle: str = "l1", identity: bool = True, perceptual: str = "auto", total_variation: bool = True,
          second_real: str = "symmetric", stack_calls: bool = True, width: int = 64, reconstruction_width: int = 4,
          blocks: int = 9, dropout: float = 0.5, discriminator_width: int = 64, discriminator_layers: int = 3,
          norm: str = "instance", compute_dtype: str = "float32") -> AsymmetricGAN:
    """Builds AsymmetricGAN for pairs; the defaults are its full model at its full size.

    Args:
      cycles: 1, from source to target alone, or 2, both directions.
      discriminators: "both", "plain" (without the guidance) or "guided" (the one of the paper's equations).
      pixel_terms: terms on y': "color" (L1 by channel, the one of Eq. 15), "color_l2", "pixel" (L1), "pixel_l2".
      cycle: "l1" or "color".
      identity: whether Gt(x, l_x) shall equal x.
      perceptual: frozen network: "vgg19", "vgg16", "auto" (VGG19 where its file is) or "none".
      total_variation: whether y' is charged for its variation.
      second_real: real pair that the plain discriminator sees in the second direction: "symmetric" (y, x), or
        "reference" (x, y) again.
      stack_calls: run independent passes as one call stacked along the batch; same result.
      width, reconstruction_width: of Gt and Gr; equal ones make SymmetricGAN (Table IX).
      blocks, dropout: of both generators; the text calls Gr shallow, text and code then have nine blocks in both.
      discriminator_width, discriminator_layers: of both discriminators.
      norm: "instance" or "batch".
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(gesturegan.CHOICES, norm=norm, compute_dtype=compute_dtype)
    if cycle == "none":
        raise InputError("options.cycle is 'none', expected one of ('l1', 'color'): it is all that moves Gr.")
    objective = gesturegan.build_objective(
        cycles=cycles, discriminators=discriminators, pixel_terms=pixel_terms, cycle=cycle, self_content=identity,
        perceptual=perceptual, total_variation=total_variation, second_real=second_real)
    dtype = jnp.dtype(compute_dtype)
    translator, reconstructor = (ResNetGenerator(3, w, blocks, norm, dropout, dtype) for w in (width, reconstruction_width))
    return AsymmetricGAN(
        objective=objective, stack_calls=stack_calls, translator=translator, reconstructor=reconstructor,
        discriminator=PatchDiscriminator(discriminator_width, discriminator_layers, norm, dtype), dtype=dtype)
