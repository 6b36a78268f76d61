"""XingGAN's released generators, and whole training steps with them."""

import jax.numpy as jnp

from gganjax import port
from gganjax.nets.xing import XingGenerator
from parities import pose_family
from parities.common import Fixture, Pair

# The recorded run is in float32: the same network in float64 differs from it by 3.4e-5 in the picture with statistics
# of the batch and by 1.8e-5 in the pictures of the branches.
ROUNDED = dict.fromkeys(("fake_train", "eval/stream1_up", "eval/stream2_up"), {
    "tolerance": 1e-4, "reason": "the recorded run is itself 3e-5 away from the same in float64"})


def generator(fixture: Fixture) -> list[Pair]:
    """Compares the released generator: test and training pictures, codes, pictures of both branches, moved statistics."""
    return pose_family.generator(fixture, *released(port.xing.describe(fixture.group("w/"))), more=branches,
                                 exceptions=ROUNDED)


def branches(parts: dict) -> dict:
    """Returns both encoders' codes, the maps of the fusion before their softmax, and the pictures of both branches."""
    return {"eval/x1_enc": parts["appearance_encoder"], "eval/x2_enc": parts["shape_encoder"],
            "eval/att_logits": parts["maps"], "eval/stream1_up": jnp.tanh(parts["appearance"]),
            "eval/stream2_up": jnp.tanh(parts["shape"])}


def released(found: dict) -> tuple:
    """Returns the generator that a state dict describes, and its table."""
    module = XingGenerator(found["form"], found["width"], found["blocks"], found["images"], norm=found["norm"])
    return module, port.xing.table(blocks=found["blocks"], norm_kind=found["norm"], dropout=found["dropout"])


def step(fixture: Fixture) -> list[Pair]:
    """Compares one training step, of the generator and both discriminators."""
    found = port.xing.describe(fixture.group("w/G/"))
    return pose_family.step(fixture, "xinggan", released(found)[1], {name: found[name] for name in ("form", "images")})
