"""C2GAN: three cycles inside each other, of images and of guidance (Tang et al., ACM MM 2019; thesis ch. 3).

The image generator Gi makes y' = Gi(x, L_y) and from it x' = Gi(y', L_x); the guidance generator Gg reads
L_y' = Gg(y') and L_x' = Gg(x') off the images. I2I2I (x to y' to x'), G2I2G (L_y to y' to L_y') and G2R2G (L_x to x' to
L_x') are the cycles, the latter two named K2G2K and K2R2K in the paper of 2019. The discriminators are cross-modal: Di
judges (x, L_y, y') and (y, L_x, x'), Dg judges (y', L_y') and (x', L_x'). In the code x is `source`, y is `target`, L_x
and L_y are `source_guidance` and `target_guidance`; images are [B, H, W, 3], guidance [B, H, W, K], all in [-1, 1].

Where the papers and their reference code differ, the papers are the default and an option gives the other.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from gganjax import features, losses
from gganjax.core import Field, Player
from gganjax.errors import InputError, check_choices
from gganjax.layers import INITIALIZATIONS, concatenate
from gganjax.nets.patch import PatchDiscriminator
from gganjax.nets.unet import LEAST_LEVELS, UNetGenerator

CYCLES = ("i2i2i", "g2i2g", "g2r2g")
CHOICES = {
    "update_order": ("joint", "sequential"),
    "adversarial": ("vanilla", "least_squares"),
    "perceptual": (*features.PERCEPTUAL, "none"),
    "norm": ("batch", "instance"),
    "initialization": INITIALIZATIONS,
    "compute_dtype": ("float32", "bfloat16"),
}


class Translation(NamedTuple):
    """One use of Gi: the image it starts from, what stands beside the candidate before Di, and the names of both."""

    start: str
    condition: str
    guidance: str
    fake: str
    real: str


class Reading(NamedTuple):
    """One use of Gg: the image it reads, the real one with the same guidance, that guidance, and the outputs' names."""

    image: str
    real: str
    guidance: str
    shown: str
    fake: str


FORWARD = Translation("source", "source", "target_guidance", "fake_target", "target")
BACK = Translation("fake_target", "target", "source_guidance", "back_source", "source")
READINGS = {
    "g2i2g": Reading("fake_target", "target", "target_guidance", "shown_target", "fake_target_guidance"),
    "g2r2g": Reading("back_source", "source", "source_guidance", "shown_source", "back_source_guidance"),
}


class C2GAN:
    """The method; see `build` for its options."""

    name = "c2gan"
    inputs = ("source", "target_guidance")

    def __init__(self, *, channels, cycles, share_generators, cross_modal, guidance_grad, update_order, adversarial,
                 mask_loss, perceptual, warm_up_steps, pool_size, image_generator, guidance_generator, discriminator,
                 stride, dtype):
        self.cross_modal, self.guidance_grad, self.adversarial = cross_modal, guidance_grad, adversarial
        self.mask_loss, self.warm_up_steps, self.stride = mask_loss, warm_up_steps, stride
        self.readings = tuple(READINGS[cycle] for cycle in cycles if cycle in READINGS)
        self.translations = (FORWARD, BACK) if {"i2i2i", "g2r2g"} & set(cycles) else (FORWARD,)
        self.judged = (FORWARD, BACK) if "i2i2i" in cycles else (FORWARD,)  # whose images have a loss of their own
        of_image = lambda name, back: f"{name}_back" if back and not share_generators else name
        self.net_of = {d: of_image("image_generator", d is BACK) for d in self.translations}
        self.net_of |= {r: of_image("guidance_generator", r.real == "source") for r in self.readings}
        guidance = {"target_guidance"} | {one.guidance for one in (*self.translations, *self.readings)}
        self.fields = {name: Field(("B", "H", "W", 3)) for name in ("source", "target")}
        self.fields |= {name: Field(("B", "H", "W", channels)) for name in sorted(guidance)}
        if mask_loss:
            self.fields["target_mask"] = Field(("B", "H", "W", 1), 0.0, 1.0)

        image_nets = tuple(dict.fromkeys(self.net_of[d] for d in self.translations))
        guidance_nets = tuple(dict.fromkeys(self.net_of[r] for r in self.readings))
        self.nets = dict.fromkeys(image_nets, image_generator) | dict.fromkeys(guidance_nets, guidance_generator)
        self.nets["image_discriminator"] = discriminator
        self.pools, self.frozen = {"images": pool_size}, {}
        if self.readings:
            self.nets["guidance_discriminator"], self.pools["guidance"] = discriminator, pool_size
        if perceptual != "none":
            self.nets["perceptual"], self.frozen["perceptual"] = features.perceptual(perceptual, dtype=dtype)

        if guidance_grad and update_order == "joint":
            self.players = {"generators": Player((*image_nets, *guidance_nets), self.generator_loss)}
        else:
            loss = self.generator_loss if guidance_grad else self.image_loss
            self.players = {"image_generator": Player(image_nets, loss)}
        self.players["image_discriminator"] = Player(("image_discriminator",), self.image_discriminator_loss)
        if self.readings and "generators" not in self.players:
            self.players["guidance_generator"] = Player(guidance_nets, self.guidance_loss)
        if self.readings:
            judge = "guidance_discriminator"
            self.players[judge] = Player((judge,), self.guidance_discriminator_loss)

    def rollout(self, key, call, batch):
        """The images y' and x', and the guidance read off them.

        While `call.step` is below `warm_up_steps`, Gg reads the real images, whose guidance is given, and nothing that
        it finds reaches Gi.
        """
        known, out = dict(batch), {}
        for number, d in enumerate(self.translations):
            seen = concatenate(known[d.start], batch[d.guidance])
            known[d.fake] = out[d.fake] = call(self.net_of[d], seen, key=jax.random.fold_in(key, number))
        for r in self.readings:
            image = out[r.image] if self.guidance_grad else lax.stop_gradient(out[r.image])
            if self.warm_up_steps:
                image = jnp.where(call.step < self.warm_up_steps, batch[r.real], image)
            out[r.shown] = image
        wanted = {r.fake: (self.net_of[r], out[r.shown]) for r in self.readings}
        return out | self.read(jax.random.fold_in(key, len(self.translations)), call, wanted)

    def read(self, key, call, wanted):
        """Guidance of images, {name: (network, image)} -> {name: guidance}; passes of one network are stacked."""
        found = {}
        for number, net in enumerate(dict.fromkeys(net for net, _ in wanted.values())):
            images = {name: (image,) for name, (other, image) in wanted.items() if other == net}
            made = call.together(net, *images.values(), key=jax.random.fold_in(key, number))
            found |= dict(zip(images, made, strict=True))
        return {name: found[name] for name in wanted}

    def image_tuple(self, batch, d, candidate):
        """What Di judges: [condition, guidance, candidate], without the guidance if it is single-modal."""
        return concatenate(batch[d.condition], *[batch[d.guidance]] * self.cross_modal, candidate)

    def guidance_tuple(self, image, guidance):
        """What Dg judges: [image, guidance], the guidance alone if it is single-modal."""
        return concatenate(image, guidance) if self.cross_modal else guidance

    def image_loss(self, key, call, batch, out):
        """Terms of Gi: adversarial, pixel, image cycle, and where they are asked for mask and perceptual."""
        fakes = [(self.image_tuple(batch, d, out[d.fake]),) for d in self.judged]
        terms = {"gan": self.fool(call.together("image_discriminator", *fakes)),
                 "pixel": losses.pixel(out["fake_target"], batch["target"])}
        if BACK in self.judged:
            terms["cycle"] = losses.pixel(out["back_source"], batch["source"])
        if self.mask_loss:  # PG2's pose mask loss: |y' - y| (1 + M) with the mask M of the target's pose
            mask = batch["target_mask"]
            terms["mask"] = terms["pixel"] + losses.pixel(out["fake_target"] * mask, batch["target"] * mask)
        if "perceptual" in self.nets:
            fakes = jnp.concatenate([out[d.fake] for d in self.judged])
            reals = jnp.concatenate([batch[d.real] for d in self.judged])
            means = losses.perceptual(call("perceptual", fakes), call("perceptual", reals))
            terms["perceptual"] = len(self.judged) * means
        return terms

    def guidance_loss(self, key, call, batch, out):
        """Terms of the guidance that was read: adversarial, and the guidance cycles."""
        if not self.readings:
            return {}
        fakes = [(self.guidance_tuple(out[r.shown], out[r.fake]),) for r in self.readings]
        return {"guidance_gan": self.fool(call.together("guidance_discriminator", *fakes)),
                "guidance_cycle": sum(losses.pixel(out[r.fake], batch[r.guidance]) for r in self.readings)}

    def generator_loss(self, key, call, batch, out):
        """The papers' joint objective: what is read off an image reaches its generator too (thesis Eq. 3.2 to 3.13)."""
        return self.image_loss(key, call, batch, out) | self.guidance_loss(key, call, batch, out)

    def image_discriminator_loss(self, key, call, batch, out):
        """Real tuples of Di against remembered and new fakes; a pool remembers the whole tuple."""
        fakes = [self.image_tuple(batch, d, out[d.fake]) for d in self.judged]
        reals = [self.image_tuple(batch, d, batch[d.real]) for d in self.judged]
        return self.tell_apart(call, "image_discriminator", "images", fakes, reals)

    def guidance_discriminator_loss(self, key, call, batch, out):
        """Tuples of Dg with read against those with given guidance; the image is the generated one in both."""
        fakes = [self.guidance_tuple(out[r.shown], out[r.fake]) for r in self.readings]
        reals = [self.guidance_tuple(lax.stop_gradient(out[r.shown]), batch[r.guidance]) for r in self.readings]
        return self.tell_apart(call, "guidance_discriminator", "guidance", fakes, reals)

    def fool(self, judged):
        """Adversarial loss of the generators, summed over the tuples."""
        return sum(losses.adversarial(logits, True, self.adversarial) for logits in judged)

    def tell_apart(self, call, net, pool, fakes, reals):
        """Adversarial loss of a discriminator; both kinds of fakes go through one pool, as in the reference."""
        mixed = jnp.split(call.past(pool, jnp.concatenate(fakes)), len(fakes))
        pairs = [one for pair in zip(mixed, reals, strict=True) for one in pair]
        judged = call.together(net, *((one,) for one in pairs))
        return {"fake": sum(losses.adversarial(x, False, self.adversarial) for x in judged[0::2]),
                "real": sum(losses.adversarial(x, True, self.adversarial) for x in judged[1::2])}

    def sample(self, key, call, batch):
        """The translated image, and the guidance read off the source and off the translation.

        {"fake_target": [B, H, W, 3], "read_source_guidance", "read_target_guidance": [B, H, W, K]}; without a guidance
        cycle there is nobody to read, and the image comes alone.
        """
        seen = concatenate(batch["source"], batch["target_guidance"])
        out = {"fake_target": call(self.net_of[FORWARD], seen, key=key)}
        if not self.readings:
            return out
        wanted = {"read_source_guidance": (self.net_of[self.readings[-1]], batch["source"]),
                  "read_target_guidance": (self.net_of[self.readings[0]], out["fake_target"])}
        return out | self.read(key, call, wanted)

    def panels(self, batch, out):
        """Columns of the picture grid, in order: every image with its guidance beside it."""
        columns = {"source": batch["source"]}
        if self.readings:
            columns["read off it"] = picture(out["read_source_guidance"])
        columns |= {"target guidance": picture(batch["target_guidance"]), "translated": out["fake_target"]}
        if self.readings:
            columns["read off the translation"] = picture(out["read_target_guidance"])
        return columns | {"target": batch["target"]}


def picture(guidance):
    """Guidance [B, H, W, K] as a picture [B, H, W, 3]: itself, or the largest of heat maps in gray."""
    return guidance if guidance.shape[-1] == 3 else jnp.repeat(guidance.max(-1, keepdims=True), 3, axis=-1)


def build(*, guidance_channels: int = 3, cycles: Sequence[str] = CYCLES, share_generators: bool = True,
          cross_modal_discriminators: bool = True, guidance_grad_to_image_generator: bool = True,
          update_order: str = "joint", adversarial: str = "vanilla", mask_loss: bool = False,
          perceptual: str = "none", warm_up_steps: int = 0, pool_size: int = 50, width: int = 64, levels: int = 8,
          dropout: float = 0.5, discriminator_width: int = 64, discriminator_layers: int = 3, norm: str = "batch",
          initialization: str = "xavier", compute_dtype: str = "float32") -> C2GAN:
    """Builds C2GAN; the defaults are the papers' full model at its full size.

    Args:
      guidance_channels: K, 3 for drawn pictures, 18 for heat maps of the joints.
      cycles: those that are there, of "i2i2i", "g2i2g", "g2r2g" (rows of Table 3.5).
      share_generators: one Gi for both translations and one Gg for both readings, or one each.
      cross_modal_discriminators: whether Di sees the guidance and Dg the image beside what it judges.
      guidance_grad_to_image_generator: whether what Gg reads moves Gi too (papers). False is the reference code, which
        drops that gradient; the order is then Gi, Di, Gg, Dg.
      update_order: "joint", one update of Gi and Gg, then Di and Dg; or "sequential", Gi, Di, Gg, Dg.
      adversarial: "vanilla" (papers) or "least_squares" (released runs).
      mask_loss: whether PG2's pose mask loss is added (person images); needs the field target_mask.
      perceptual: frozen network of the perceptual term that the extended code adds: "vgg19", "vgg16", "auto" or "none".
      warm_up_steps: for so many first steps Gg learns on real images, whose guidance is given, and does not move Gi:
        in place of the paper's pre-trained pose network, while Gg is still poor.
      pool_size: remembered tuples for each discriminator.
      width, levels, dropout: of all U-Nets; dropout is that of the inner levels on the way up.
      discriminator_width, discriminator_layers: of both discriminators; 3 layers see 70x70 pixels.
      norm: "batch" or "instance", of all networks.
      initialization: of all kernels: "xavier" (reference), "normal" (0.02), "kaiming", "orthogonal" (0.02) or
        "torch" (what PyTorch does unasked, biases and norms too).
      compute_dtype: "float32" or "bfloat16"; parameters and losses are float32 in both.
    """
    check_choices(CHOICES, update_order=update_order, adversarial=adversarial, perceptual=perceptual, norm=norm,
                  initialization=initialization, compute_dtype=compute_dtype)
    if not cycles or set(cycles) - set(CYCLES):
        raise InputError(f"options.cycles is {tuple(cycles)}, expected one or more of {CYCLES}.")
    for option, value, least in (("guidance_channels", guidance_channels, 1), ("levels", levels, LEAST_LEVELS),
                                 ("warm_up_steps", warm_up_steps, 0), ("pool_size", pool_size, 0)):
        if value < least:
            raise InputError(f"options.{option} is {value}, expected at least {least}.")
    dtype = jnp.dtype(compute_dtype)
    image_generator, guidance_generator = (
        UNetGenerator(outputs, width, levels, norm, dropout, dtype, initialization)
        for outputs in (3, guidance_channels))
    discriminator = PatchDiscriminator(discriminator_width, discriminator_layers, norm, dtype, initialization)
    return C2GAN(
        channels=guidance_channels, cycles=tuple(cycle for cycle in CYCLES if cycle in cycles),
        share_generators=share_generators, cross_modal=cross_modal_discriminators,
        guidance_grad=guidance_grad_to_image_generator, update_order=update_order, adversarial=adversarial,
        mask_loss=mask_loss, perceptual=perceptual, warm_up_steps=warm_up_steps, pool_size=pool_size,
        image_generator=image_generator, guidance_generator=guidance_generator, discriminator=discriminator,
        stride=image_generator.stride, dtype=dtype)
