"""GestureGAN: one generator for every direction of a structure-guided translation (Tang, thesis ch. 2).

The generator G takes an image and a target structure: y' = G(x, C_y). One cycle adds x'' = G(y', C_x) and the
self-content image G(x, C_x); two cycles add the same with source and target exchanged. A plain discriminator D1
judges (x, y'), a structure-guided one D2 judges (x, C_y, y'). In the code x is `source`, y is `target`, C_x and
C_y are `source_guidance` and `target_guidance`; all are [B, H, W, 3] in [-1, 1].

Where the thesis and its reference code differ, the thesis is the default and an option gives the other.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gganjax import features, losses
from gganjax.core import Field, Player
from gganjax.errors import InputError, check_choices
from gganjax.layers import concatenate
from gganjax.nets.patch import PatchDiscriminator
from gganjax.nets.resnet import ResNetGenerator

PIXEL_LOSSES = {"color": losses.color, "color_l2": losses.color_l2, "pixel": losses.pixel, "pixel_l2": losses.pixel_l2}
CYCLE_LOSSES = {"l1": losses.pixel, "color": losses.color}
CHOICES = {
    "cycles": (1, 2),
    "discriminators": ("both", "plain", "guided"),
    "cycle": ("l1", "color", "none"),
    "perceptual": (*features.PERCEPTUAL, "none"),
    "second_real": ("symmetric", "reference"),
    "update_order": ("generator_first", "discriminators_first"),
    "norm": ("instance", "batch"),
    "compute_dtype": ("float32", "bfloat16"),
}


class Direction(NamedTuple):
    """One direction of the translation: names of the batch fields and of the rollout's images."""

    source: str
    source_guidance: str
    target: str
    target_guidance: str

    @property
    def fake(self):
        return f"fake_{self.target}"

    @property
    def back(self):
        return f"back_{self.source}"

    @property
    def same(self):
        return f"same_{self.source}"


FORWARD = Direction("source", "source_guidance", "target", "target_guidance")
REVERSE = Direction("target", "target_guidance", "source", "source_guidance")


class Objective(NamedTuple):
    """What the losses are made of; see `build` for the options.

    Attributes:
      directions: of the translation, one or both.
      judges: the discriminators' names, "plain" and "guided".
      pixel_terms, cycle, self_content, perceptual, total_variation, second_real: the options.
    """

    directions: tuple[Direction, ...]
    judges: tuple[str, ...]
    pixel_terms: tuple[str, ...]
    cycle: str
    self_content: bool
    perceptual: str
    total_variation: bool
    second_real: str


class GestureGAN:
    """The method; see `build` for its options."""

    name = "gesturegan"
    inputs = ("source", "target_guidance")
    fields = {name: Field(("B", "H", "W", 3)) for name in
              ("source", "target", "source_guidance", "target_guidance")}
    pools: dict[str, int] = {}  # the reference asks its history pool for nothing: its size is 0
    stride = ResNetGenerator.stride

    def __init__(self, *, objective, guidance, update_order, stack_calls, generator, discriminator, dtype):
        self.objective, self.guidance, self.stack_calls = objective, guidance, stack_calls
        judges = {f"discriminator_{judge}": discriminator for judge in objective.judges}
        self.nets, self.frozen = {"generator": generator} | judges, {}
        if objective.perceptual != "none":
            self.nets["perceptual"], self.frozen["perceptual"] = features.perceptual(objective.perceptual, dtype=dtype)
        players = {
            "generator": Player(("generator",), self.generator_loss),
            "discriminators": Player(tuple(judges), self.discriminator_loss),
        }
        order = tuple(players) if update_order == "generator_first" else tuple(reversed(players))
        self.players = {name: players[name] for name in order}

    def rollout(self, key, call, batch):
        """All generator passes: y', then x'' from it, and the self-content images."""
        out = self.generate(jax.random.fold_in(key, 0), call, translations(self.objective, batch))
        if self.objective.cycle != "none":
            out |= self.generate(jax.random.fold_in(key, 1), call, ways_back(self.objective, batch, out))
        return out

    def generate(self, key, call, wanted):
        """Generator passes that do not depend on each other, {name: (image, guidance)} -> {name: image}."""
        return generate(key, call, "generator", wanted, guidance=self.guidance, stack_calls=self.stack_calls)

    def generator_loss(self, key, call, batch, out):
        """See `generator_terms`."""
        return generator_terms(self.objective, call, batch, out)

    def discriminator_loss(self, key, call, batch, out):
        """See `discriminator_terms`."""
        return discriminator_terms(self.objective, call, batch, out)

    def sample(self, key, call, batch):
        """The translated image: {"fake_target": [B, H, W, 3]}."""
        return self.generate(key, call, {"fake_target": (batch["source"], batch["target_guidance"])})

    def panels(self, batch, out):
        """Columns of the picture grid, in order."""
        return {"source": batch["source"], "target guidance": batch["target_guidance"],
                "translated": out["fake_target"], "target": batch["target"]}


def translations(objective: Objective, batch) -> dict[str, tuple]:
    """The first passes, {name: (image, guidance)}: y' and the self-content images."""
    first = {d.fake: (batch[d.source], batch[d.target_guidance]) for d in objective.directions}
    if objective.self_content:
        first |= {d.same: (batch[d.source], batch[d.source_guidance]) for d in objective.directions}
    return first


def ways_back(objective: Objective, batch, out) -> dict[str, tuple]:
    """The second passes, {name: (image, guidance)}: x'' from y'."""
    return {d.back: (out[d.fake], batch[d.source_guidance]) for d in objective.directions}


def generate(key, call, net: str, wanted: dict[str, tuple], *, guidance: bool = True, stack_calls: bool = True):
    """Passes of one generator that do not depend on each other, {name: (image, guidance)} -> {name: image}.

    Args:
      key: of the dropout.
      call: runs networks.
      net: name of the generator.
      wanted: its inputs by the names of its images.
      guidance: whether it sees the guidance.
      stack_calls: run the passes as one call stacked along the batch.
    """
    inputs = [(concatenate(image, structure) if guidance else image,) for image, structure in wanted.values()]
    if stack_calls:
        images = call.together(net, *inputs, key=key)
    else:
        images = [call(net, *one, key=jax.random.fold_in(key, i)) for i, one in enumerate(inputs)]
    return dict(zip(wanted, images, strict=True))


def judged_by(judges, call, batch, pairs) -> dict[str, list]:
    """Logits of (direction, candidate) pairs by every discriminator: {"plain": [...], "guided": [...]}."""
    def seen(judge, d, candidate):
        guidance = (batch[d.target_guidance],) if judge == "guided" else ()
        return (concatenate(batch[d.source], *guidance, candidate),)
    return {judge: call.together(f"discriminator_{judge}", *(seen(judge, d, x) for d, x in pairs)) for judge in judges}


def generator_terms(objective: Objective, call, batch, out) -> dict:
    """Thesis Eq. 2.15: adversarial, color and pixel, cycle, self-content, perceptual, total variation.

    Every term is the sum over the directions. Total variation is the plain sum over all images of the batch.
    """
    def summed(loss, made, wanted):
        return sum(loss(out[getattr(d, made)], batch[getattr(d, wanted)]) for d in objective.directions)

    judged = judged_by(objective.judges, call, batch, [(d, out[d.fake]) for d in objective.directions])
    terms = {f"gan_{judge}": sum(losses.adversarial(logits, True) for logits in judged[judge])
             for judge in objective.judges}
    terms |= {name: summed(PIXEL_LOSSES[name], "fake", "target") for name in objective.pixel_terms}
    if objective.cycle != "none":
        terms["cycle"] = summed(CYCLE_LOSSES[objective.cycle], "back", "source")
    if objective.self_content:
        terms["identity"] = summed(losses.pixel, "same", "source")
    if objective.perceptual != "none":
        fakes = jnp.concatenate([out[d.fake] for d in objective.directions])
        targets = jnp.concatenate([batch[d.target] for d in objective.directions])
        means = losses.perceptual(call("perceptual", fakes), call("perceptual", targets))
        terms["perceptual"] = len(objective.directions) * means
    if objective.total_variation:
        terms["tv"] = call.examples * sum(losses.total_variation(out[d.fake]) for d in objective.directions)
    return terms


def discriminator_terms(objective: Objective, call, batch, out) -> dict:
    """Real and generated pairs told apart by each discriminator, summed over the directions."""
    fakes = [(d, jax.lax.stop_gradient(out[d.fake])) for d in objective.directions]
    reals = [(d, batch[d.target]) for d in objective.directions]
    judged = judged_by(objective.judges, call, batch, fakes + reals)
    terms = {}
    for judge, logits in judged.items():
        fake, real = logits[:len(fakes)], logits[len(fakes):]
        if judge == "plain" and objective.second_real == "reference":
            real = real[:1] * len(real)  # the reference shows D1 the pair (x, y) in both directions
        terms[f"{judge}_fake"] = sum(losses.adversarial(x, False) for x in fake)
        terms[f"{judge}_real"] = sum(losses.adversarial(x, True) for x in real)
    return terms


def build_objective(*, cycles, discriminators, pixel_terms, cycle, self_content, perceptual, total_variation,
                    second_real) -> Objective:
    """Checks the options of the losses, see `build`."""
    check_choices(CHOICES, cycles=cycles, discriminators=discriminators, cycle=cycle, perceptual=perceptual,
                  second_real=second_real)
    unknown = set(pixel_terms) - set(PIXEL_LOSSES)
    if unknown:
        raise InputError(f"options.pixel_terms holds {sorted(unknown)}, expected some of {tuple(PIXEL_LOSSES)}.")
    judges = {"both": ("plain", "guided")}.get(discriminators, (discriminators,))
    return Objective((FORWARD, REVERSE)[:cycles], judges, tuple(pixel_terms), cycle, self_content, perceptual,
                     total_variation, second_real)


def build(*, cycles: int = 2, guidance: bool = True, discriminators: str = "both",
          pixel_terms: Sequence[str] = ("color", "pixel"), cycle: str = "l1", self_content: bool = True,
          perceptual: str = "auto", total_variation: bool = True, second_real: str = "symmetric",
          update_order: str = "generator_first", stack_calls: bool = True, width: int = 64, blocks: int = 9,
          dropout: float = 0.5, discriminator_width: int = 64, discriminator_layers: int = 3, norm: str = "instance",
          compute_dtype: str = "float32") -> GestureGAN:
    """Builds GestureGAN; the defaults are the thesis' full model (row F of Table 2.9) at its full size.

    Args:
      cycles: 1 (cross-view) or 2 (hands); rows of Table 2.17.
      guidance: whether the generator sees the target structure (rows A and B of Table 2.9 do without).
      discriminators: "both", "plain" (D1, 6 channels) or "guided" (D2, 9 channels).
      pixel_terms: terms on y': "color" (L1 by channel), "color_l2", "pixel" (L1), "pixel_l2".
      cycle: "l1", "color" (row E11) or "none".
      self_content: whether G(x, C_x) shall equal x.
      perceptual: frozen network: "vgg19", "vgg16", "auto" (VGG19 where its file is) or "none".
      total_variation: whether y' is charged for its variation.
      second_real: real pair that D1 sees in the second direction: "symmetric" (y, x), or "reference" (x, y) again.
      update_order: "generator_first" (thesis) or "discriminators_first" (reference: G is judged by updated D's).
      stack_calls: run independent passes as one call stacked along the batch; same result.
      width, blocks, dropout: of the generator; dropout is that inside the residual blocks.
      discriminator_width, discriminator_layers: of both discriminators.
      norm: "instance" or "batch".
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    objective = build_objective(
        cycles=cycles, discriminators=discriminators, pixel_terms=pixel_terms, cycle=cycle, self_content=self_content,
        perceptual=perceptual, total_variation=total_variation, second_real=second_real)
    check_choices(CHOICES, update_order=update_order, norm=norm, compute_dtype=compute_dtype)
    dtype = jnp.dtype(compute_dtype)
    return GestureGAN(
        objective=objective, guidance=guidance, update_order=update_order, stack_calls=stack_calls,
        generator=ResNetGenerator(3, width, blocks, norm, dropout, dtype),
        discriminator=PatchDiscriminator(discriminator_width, discriminator_layers, norm, dtype), dtype=dtype)
