"""XingGAN's released generators, and whole training steps with them."""

import jax
import jax.numpy as jnp

from gganjax import port
from gganjax.layers import Mode
from gganjax.nets.xing import XingGenerator
from parities import pose_family
from parities.common import Fixture, Pair

# The recorded run is in float32: the same network in float64 differs from it by 3.4e-5 in the picture with statistics
# of the batch and by 1.8e-5 in the pictures of the branches.
ROUNDED = ("fake_train", "eval/stream1_up", "eval/stream2_up")
ROUNDING = {"tolerance": 1e-4, "reason": "the recorded run is itself 3e-5 away from the same in float64"}


def generator(fixture: Fixture) -> list[Pair]:
    """Compares the released generator: test and training pictures, every block's codes, moved statistics."""
    state, (image, pose) = fixture.group("w/"), fixture.group("in/").values()
    module, table = released(port.xing.describe(state))
    variables = port.to_flax(table, state, port.shapes(module, image.shape, pose.shape))

    def run(variables):
        tested = module.apply(variables, image, pose, Mode("running", dropout=False, keep=False),
                              capture_intermediates=True, mutable=["intermediates"])
        trained = module.apply(variables, image, pose, Mode("batch", dropout=False), mutable=["moving"])
        return tested, trained

    # Compiling is nearly all of the time, and a third of it is spent on speed that one call does not need.
    run = jax.jit(run, compiler_options={"xla_backend_optimization_level": 0})
    (tested, seen), (trained, moved) = jax.device_get(run(variables))
    seen = {part: out["__call__"][0] for part, out in seen["intermediates"].items() if part != "__call__"}
    ours = {"fake_eval": tested, "fake_train": trained, "eval/x1_enc": seen["appearance_encoder"],
            "eval/x2_enc": seen["shape_encoder"], "eval/att_logits": seen["maps"],
            "eval/stream1_up": jnp.tanh(seen["appearance"]), "eval/stream2_up": jnp.tanh(seen["shape"])}
    for i in range(module.blocks):
        ours[f"eval/block{i}_x1"], ours[f"eval/block{i}_x2"] = seen[f"block_{i}"]
    ours |= {f"buffers_after_train/{key}": value for key, value in port.to_torch(table, moved).items()}
    return [Pair(name, ours.get(name, jnp.nan), recorded, **(ROUNDING if name in ROUNDED else {}))
            for name, recorded in fixture.group("out/").items()]


def released(found: dict) -> tuple:
    """Returns the generator that a state dict describes, and its table."""
    module = XingGenerator(found["form"], found["width"], found["blocks"], found["images"], norm=found["norm"])
    return module, port.xing.table(blocks=found["blocks"], norm_kind=found["norm"], dropout=found["dropout"])


def step(fixture: Fixture) -> list[Pair]:
    """Compares one training step, of the generator and both discriminators."""
    found = port.xing.describe(fixture.group("w/G/"))
    return pose_family.step(fixture, "xinggan", released(found)[1], {name: found[name] for name in ("form", "images")})
