"""PATN, the Resnet generator and the discriminators of the pose family, and the training step that the family shares."""

import re
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gganjax import core, losses, methods, port
from gganjax.features.frozen import normalize
from gganjax.layers import Mode
from gganjax.nets.patn import PATNGenerator, ResnetPoseGenerator
from gganjax.nets.pose import PoseDiscriminator
from gganjax.posetransfer import CONDITIONS, seen
from parities import steps
from parities.common import Fixture, Pair

FIELDS = {"P1": "source", "BP1": "source_guidance", "P2": "target", "BP2": "target_guidance"}
JUDGES = {"D_PP": "appearance", "D_PB": "shape"}
ADVERSARIAL = {"bce_on_sigmoid": "vanilla", "lsgan": "least_squares"}
# Gradients through a whole generator: the recorded reference itself moves by as much between float32 and float64, since
# an activation or a difference of pixels within rounding of 0 changes the side of a ReLU or of |x|.
KINKS = 5e-4
KINKS_REASON = "the reference's own gradient differs by as much between float32 and float64 (kinks of ReLU and |x|)"


def patn(fixture: Fixture) -> list[Pair]:
    """Compares PATN's generator: test and training pictures, every block's codes, moved statistics."""
    given = fixture.arguments
    module = PATNGenerator(given["ngf"], given["n_blocks"], given["norm"])
    return generator(fixture, module, port.patn.table(blocks=given["n_blocks"], norm_kind=given["norm"]))


def resnet(fixture: Fixture) -> list[Pair]:
    """Compares the Resnet generator: test and training pictures, moved statistics."""
    given = fixture.arguments
    module = ResnetPoseGenerator(given["ngf"], given["n_blocks"], given["norm"])
    return generator(fixture, module, port.patn.resnet_table(blocks=given["n_blocks"], norm_kind=given["norm"]))


def generator(fixture: Fixture, module: nn.Module, table: port.Table, *,
              more: Callable[[dict], dict] = lambda parts: {}, exceptions: dict[str, dict] | None = None) -> list[Pair]:
    """Runs a generator of the family in both modes and pairs what it made, saw and remembers with the recorded arrays.

    Args:
      fixture: the recorded run.
      module: the generator.
      table: of its weights.
      more: picks arrays by recorded name from what the generator's parts returned at test time, by their names.
      exceptions: tolerance and reason of arrays by recorded name.
    """
    image, pose = (fixture.arrays[f"in/{name}"] for name in ("image", "pose"))
    variables = port.to_flax(table, fixture.group("w/"), port.shapes(module, image.shape, pose.shape))

    def run(variables):
        tested, state = module.apply(variables, image, pose, Mode("running", dropout=False, keep=False),
                                     capture_intermediates=True, mutable=["intermediates"])
        trained, moved = module.apply(variables, image, pose, Mode(dropout=False), mutable=["moving"])
        return tested, state["intermediates"], trained, moved

    # Compiling is nearly all of the time, and a third of it is spent on speed that one call does not need.
    run = jax.jit(run, compiler_options={"xla_backend_optimization_level": 0})
    tested, inside, trained, moved = jax.device_get(run(variables))
    parts = {part: out["__call__"][0] for part, out in inside.items() if part != "__call__"}
    ours = {"fake_eval": tested, "fake_train": trained}
    if "decoder" in parts:
        ours["eval/stream1_up"] = jnp.tanh(parts["decoder"])
    if "image_encoder" in parts:
        ours |= {"eval/x1_enc": parts["image_encoder"], "eval/x2_enc": parts["pose_encoder"]}
    if isinstance(parts["block_0"], tuple):
        for i in range(module.blocks):
            ours[f"eval/block{i}_x1"], ours[f"eval/block{i}_x2"] = parts[f"block_{i}"]
    ours |= more(parts)
    ours |= {f"buffers_after_train/{key}": value for key, value in port.to_torch(table, moved).items()}
    return [Pair(name, ours.get(name, np.nan), recorded, **(exceptions or {}).get(name, {}))
            for name, recorded in fixture.group("out/").items()]


def discriminators(fixture: Fixture) -> list[Pair]:
    """Compares both discriminators: maps in both modes, losses, and the statistics behind a real and a fake pass."""
    given, ours = fixture.arguments, {}
    kind = "vanilla" if given["use_sigmoid"] else "least_squares"
    head = jax.nn.sigmoid if given["use_sigmoid"] else lambda y: y
    module = PoseDiscriminator(given["ndf"], given["n_blocks"], given["norm"])
    table = port.pose.discriminator(blocks=given["n_blocks"], norm_kind=given["norm"])
    for net in JUDGES:
        real, fake = (fixture.arrays[f"in/{net}_{label}"] for label in ("real", "fake"))
        variables = port.to_flax(table, fixture.group(f"w/{net}/"), port.shapes(module, real.shape))

        def run(variables, real=real, fake=fake):
            apply = lambda x, mode: module.apply(variables, x, mode, mutable=["moving"])
            tested, _ = apply(fake, Mode("running", dropout=False, keep=False))
            both, moved = apply(jnp.concatenate([real, fake]), Mode(dropout=False, calls=2))  # as the recipe calls them
            real_logits, fake_logits = jnp.split(both, 2)
            return {
                "fake_eval": head(tested), "real_train": head(real_logits), "fake_train": head(fake_logits),
                "gan_real_true": losses.adversarial(real_logits, True, kind),
                "gan_fake_false": losses.adversarial(fake_logits, False, kind),
                "gan_fake_true": losses.adversarial(fake_logits, True, kind),
            }, moved

        found, moved = jax.jit(run, compiler_options={"xla_backend_optimization_level": 0})(variables)
        ours |= {f"{net}_{name}": value for name, value in found.items()}
        moved = port.to_torch(table, jax.device_get(moved))
        ours |= {f"{net}_buffers_after/{key}": value for key, value in moved.items()}
    return [Pair(name, ours.get(name, np.nan), recorded) for name, recorded in fixture.group("out/").items()]


class StandIn(nn.Module):
    """The recorded stand-in for VGG19 up to relu1_2: two convolutions, of a picture in [-1, 1] normalized as for VGG."""

    channels: tuple[int, int]

    @nn.compact
    def __call__(self, x):
        x = normalize(x)
        for i, channels in enumerate(self.channels):
            x = nn.relu(nn.Conv(channels, (3, 3), padding=1, name=f"conv_{i}")(x))
        return (x,)


def step(fixture: Fixture, name: str, table: port.Table, options: dict, *,
         exception: tuple[float, str] = (KINKS, KINKS_REASON)) -> list[Pair]:
    """Compares one training step of the recipe: losses, gradients, updated weights and statistics of all networks.

    Args:
      fixture: the recorded step.
      name: of the method.
      table: of its generator.
      options: of the method, beside those of the recipe.
      exception: tolerance and reason of the generator's gradients.
    """
    given = fixture.arguments
    recipe = {
        "width": given["ngf"], "blocks": given["n_blocks"], "norm": given["norm"], "dropout": 0.0,
        "adversarial": ADVERSARIAL[given["gan"]], "perceptual": "vgg16", "pool_size": 0,
        "perceptual_loss": "l1" if given["percep_is_l1"] else "l2", "discriminator_width": given["ndf"],
        "discriminator_blocks": given["n_layers_D"],
    }
    method = methods.load(name, recipe | options)
    kernels = [fixture.arrays[f"w/vgg/{i}.weight"] for i in (0, 2)]
    method.nets["perceptual"] = StandIn(tuple(len(kernel) for kernel in kernels))
    frozen = {f"conv_{i}": {"kernel": port.convert.CONV.there(kernel), "bias": fixture.arrays[f"w/vgg/{2 * i}.bias"]}
              for i, kernel in enumerate(kernels)}
    batch = {FIELDS[field]: value for field, value in fixture.group("in/").items()}
    image, maps = batch["source"].shape, batch["source_guidance"].shape
    judge = port.pose.discriminator(blocks=given["n_layers_D"], norm_kind=given["norm"])
    nets = {"G": steps.Net("generator", table, (image, (*maps[:3], 2 * maps[3])))}
    nets |= {net: steps.Net(f"{of}_discriminator", judge, ((*image[:3], 3 + batch[CONDITIONS[of]].shape[3]),))
             for net, of in JUDGES.items()}
    half = given["lambda_GAN"] / 2
    weights = {"generator": {"gan": given["lambda_GAN"], "pixel": given["lambda_A"], "perceptual": given["lambda_B"]}}
    weights |= {f"{of}_discriminator": {"real": half, "fake": half} for of in JUDGES.values()}

    def values(call, batch, images):
        return at_start(method, call, batch, images["fake_target"], weights["generator"])

    found, terms, pairs = steps.run(
        renamed(fixture), method, nets, batch, weights, frozen={"perceptual": {"params": frozen, "moving": {}}},
        values=values, exceptions={"G": exception})
    generator = {term: weight * terms[f"generator/{term}"] for term, weight in weights["generator"].items()}
    ours = found | {
        "fake": found["fake_target"], "loss_G_total": terms["generator/total"], "loss_pair_GAN": generator["gan"],
        "loss_L1_weighted": generator["pixel"], "loss_perceptual_weighted": generator["perceptual"],
        "loss_pair_L1": generator["pixel"] + generator["perceptual"],
    }
    ours |= {f"loss_{net}": terms[f"{of}_discriminator/total"] for net, of in JUDGES.items()}
    return steps.answers(fixture, ours) + pairs


def at_start(method, call, batch: dict, fake, weights: dict) -> dict:
    """Computes the generator's loss by discriminator, and its gradient by the image, before anything is updated."""
    def total(fake):
        again = core.Call(method, call.params, call.moving)
        terms = method.generator_loss(jax.random.key(0), again, batch, {"fake_target": fake})
        return sum(weight * terms[term] for term, weight in weights.items())

    judged = {net: call(f"{of}_discriminator", seen(fake, batch, of)) for net, of in JUDGES.items()}
    ours = {f"loss_G_GAN_{net[2:]}": losses.adversarial(y, True, method.adversarial) for net, y in judged.items()}
    return ours | {"dloss_dfake": jax.grad(total)(fake)}


def renamed(fixture: Fixture) -> Fixture:
    """Returns the fixture with the names that `steps` expects of gradients and of what an update left behind."""
    named = Fixture(fixture.path)
    change = lambda key: re.sub("^out/(w|buffers)_after/", "out/after/", key).replace("out/grad_", "out/grad/")
    named.arrays = {change(key): value for key, value in fixture.arrays.items()}
    return named
