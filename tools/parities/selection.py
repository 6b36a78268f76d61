"""SelectionGAN: both stages with and without channel selection, the selection for persons and on GauGAN, the losses."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gganjax import losses, port
from gganjax.layers import Mode, concatenate
from gganjax.nets.selection import ChannelSelection, Selection, SelectionGenerator, SpadeSelectionGenerator
from gganjax.nets.spade import SpadeTrunk
from gganjax.nets.unet import UNetGenerator
from parities import spade
from parities.common import Fixture, Pair

# The recorded run is in float32: the same network in float64 differs from its training picture by 9.7e-6, half of the
# usual tolerance.
ROUNDED = {"train_image": {"tolerance": 5e-5, "reason": "the recorded run is itself 1e-5 away from the same in float64"}}
QUICK = {"xla_backend_optimization_level": 0}  # compiling is nearly all of the time


def generator(fixture: Fixture) -> list[Pair]:
    """Compares Gi, Gs and Ga at test time and in training, dropout off, and what Gi's first norm remembers."""
    source, guidance = (fixture.arrays[f"in/{name}"] for name in ("image_a", "semantic_g"))
    states = {net: fixture.group(f"w/net{net}.") for net in ("Gi", "Gs", "Ga")}
    found = port.selection.describe(states["Ga"])
    unets, tables = {}, {}
    for net in ("Gi", "Gs"):
        told = port.selection.describe_unet(states[net])
        unets[net] = UNetGenerator(told["outputs"], told["width"], told["levels"], told["norm"])
        tables[net] = port.selection.unet(levels=told["levels"], norm_kind=told["norm"])
    chosen = found["channel_selection"] != "none"
    second = SelectionGenerator(
        Selection(found["images"], found["uncertainty"], channel_selection=found["channel_selection"], unused_layer=True),
        found["width"])
    shapes = {"Gi": ((*source.shape[:3], 6),), "Gs": (source.shape,)}
    variables = {net: port.to_flax(tables[net], states[net], port.shapes(unets[net], *shapes[net])) for net in unets}
    half = tuple(side // 2 for side in source.shape[1:3])
    features = [(len(source), *half, 2 * unet.width) for unet in unets.values()]
    table = port.selection.generator(channel_selection=chosen, unused_layer=True)
    variables["Ga"] = port.to_flax(table, states["Ga"], port.shapes(second, *features, source.shape, source.shape))

    def run(variables, norm):
        mode = Mode(norm, dropout=False)
        call = lambda module, net, *x, **more: module.apply(variables[net], *x, mode, mutable=["moving"], **more)
        (coarse, seen), moved = call(unets["Gi"], "Gi", concatenate(source, guidance), features=True)
        (read, read_seen), _ = call(unets["Gs"], "Gs", coarse, features=True)
        (fine, parts), _ = call(second, "Ga", seen, read_seen, source, coarse)
        again, _ = call(unets["Gs"], "Gs", fine)
        return {
            "stage1_image": coarse, "stage1_semantic": read, "feature_gi": seen, "feature_gs": read_seen,
            "intermediate_images": parts["images"].reshape(*coarse.shape[:3], -1), "attention": parts["attention"],
            "uncertainty": parts["uncertainty"], "stage2_image": fine, "stage2_semantic": again,
        }, moved

    run = jax.jit(run, static_argnums=1, compiler_options=QUICK)
    (tested, _), (trained, moved) = (jax.device_get(run(variables, norm)) for norm in ("running", "batch"))
    ours = {f"eval_{name}": value for name, value in tested.items()}
    ours |= {f"train_{name}": value for name, value in trained.items()}
    left = port.to_torch(tables["Gi"], moved)
    twice = lambda key: key.replace("model.submodule.", "model.model.0.")
    ours |= {f"train_post_netGi.{twice(key)}": value for key, value in left.items()}
    return [Pair(name, ours.get(name, np.nan), recorded) for name, recorded in fixture.group("out/").items()]


def channel_selection(fixture: Fixture) -> list[Pair]:
    """Compares the channel selection alone."""
    params = {"gamma": fixture.arrays["w/gamma"]}
    made = ChannelSelection().apply({"params": params}, fixture.arrays["in/x"])
    return [Pair("y", made, fixture.arrays["out/y"])]


def person(fixture: Fixture) -> list[Pair]:
    """Compares the second stage of persons; the recorded uncertainty map is repeated to three channels."""
    x, module = fixture.arrays["in/x"], Selection(uncertainty=1)
    variables = port.to_flax(port.selection.person(), fixture.group("w/"), port.shapes(module, x.shape))
    picture, parts = jax.jit(module.apply, compiler_options=QUICK)(variables, x)
    ours = {"image": picture, "uncertainty": jnp.repeat(parts["uncertainty"], 3, -1)}
    return [Pair(name, ours[name], recorded) for name, recorded in fixture.group("out/").items()]


def semantic(fixture: Fixture) -> list[Pair]:
    """Compares the selection on GauGAN's generator, and what a training call moved."""
    found = port.selection.describe_semantic(fixture.group("w/"))
    trunk = SpadeTrunk(found["width"], found["upsampling"], norm=found["norm"], hidden=found["hidden"])
    table = port.selection.semantic(upsampling=found["upsampling"], norm_kind=found["norm"])
    pairs = spade.network(fixture, SpadeSelectionGenerator(trunk, found["images"]), table, ("seg",), ("image",))
    return [pair._replace(**ROUNDED.get(pair.name, {})) for pair in pairs]


def losses_of_both(fixture: Fixture) -> list[Pair]:
    """Compares every term of generator and discriminator, and the gradients by what the generator made."""
    given = {name: jnp.asarray(value) for name, value in fixture.group("in/").items()}
    kernel = given["d_weight"].reshape(1, 6, 4, 4).transpose(2, 3, 1, 0)

    def judge(image):
        seen = concatenate(given["real_A"], image)
        y = lax.conv_general_dilated(seen, kernel, (2, 2), ((1, 1), (1, 1)), dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return y + given["d_bias"].reshape(())

    def terms(made):
        """The released code's loss: each guided term with the plain one beside it, one map for all."""
        compared = {"L1_1": (100.0, made["fake_B"], given["real_B"]), "L1_2": (200.0, made["I"], given["real_B"]),
                    "L1_3": (1.0, made["fake_D"], given["real_D"]), "L1_4": (2.0, made["Is"], given["real_D"])}
        found = {name: weight * (losses.uncertainty_guided(x, y, made["uncertainty"]) + losses.pixel(x, y))
                 for name, (weight, x, y) in compared.items()}
        found["L1"] = sum(found.values())
        found["D_fake_AB"] = losses.adversarial(judge(made["fake_B"]), True)
        found["D_fake_AI"] = 4 * losses.adversarial(judge(made["I"]), True)
        found["D_G"] = found["D_fake_AB"] + found["D_fake_AI"]
        found["reg"] = 1e-6 * len(made["I"]) * losses.total_variation(made["I"])
        found["G"] = found["D_G"] + found["L1"] + found["reg"]
        return found["G"], found

    made = {name: given[name] for name in ("fake_B", "fake_D", "I", "Is", "uncertainty")}
    gradients, ours = jax.grad(terms, has_aux=True)(made)
    ours |= {f"grad_{name}": value for name, value in gradients.items()}
    ours["D_D_fake"] = losses.adversarial(judge(made["fake_B"]), False) + 4 * losses.adversarial(judge(made["I"]), False)
    ours["D_D_real"] = 5 * losses.adversarial(judge(given["real_B"]), True)
    ours["D_D"] = 0.5 * (ours["D_D_fake"] + ours["D_D_real"])
    return [Pair(name, np.reshape(ours[name], recorded.shape), recorded)
            for name, recorded in fixture.group("out/").items()]
