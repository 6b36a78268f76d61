"""BiGraphGAN's released generators: pictures and codes in both modes, statistics after a pass."""

import jax
import jax.numpy as jnp

from gganjax import port
from gganjax.layers import Mode
from gganjax.nets.bigraph import BiGraphGenerator
from parities.common import Fixture, Pair


def generator(fixture: Fixture) -> list[Pair]:
    """Compares the released generator: test and training pictures, every block's codes, moved statistics."""
    state, (image, pose) = fixture.group("w/"), fixture.group("in/").values()
    module, table = released(port.bigraph.describe(state))
    variables = port.to_flax(table, state, port.shapes(module, image.shape, pose.shape))

    def run(variables):
        tested = module.apply(variables, image, pose, Mode("running", dropout=False, keep=False),
                              capture_intermediates=True, mutable=["intermediates"])
        trained = module.apply(variables, image, pose, Mode("batch", dropout=False), mutable=["moving"])
        return tested, trained

    # Compiling is nearly all of the time, and a third of it is spent on speed that one call does not need.
    run = jax.jit(run, compiler_options={"xla_backend_optimization_level": 0})
    (tested, seen), (trained, moved) = run(variables)
    seen = {part: out["__call__"][0] for part, out in seen["intermediates"].items() if part != "__call__"}
    ours = {"fake_eval": tested, "fake_train": trained, "eval/x1_enc": seen["image_encoder"],
            "eval/x2_enc": seen["pose_encoder"], "eval/stream1_up": jnp.tanh(seen["decoder"])}
    for i in range(module.blocks):
        ours[f"eval/block{i}_x1"], ours[f"eval/block{i}_x2"] = seen[f"block_{i}"]
    if "fusion" in seen:
        _, of_source, of_generated = seen["fusion"]
        ours["eval/aif_att"] = jnp.concatenate([of_generated, of_source], axis=-1)
    moved = port.to_torch(table, jax.device_get(moved))
    ours |= {f"buffers_after_train/{key}": value for key, value in moved.items()}
    return [Pair(name, ours[name], recorded) for name, recorded in fixture.group("out/").items()]


def released(found: dict) -> tuple:
    """Returns the generator that a state dict describes, and its table."""
    aif = "linear2" if found["fusion"] else "none"
    module = BiGraphGenerator(found["width"], found["blocks"], found["norm"], form="released", aif=aif,
                              states=found["states"], nodes=found["nodes"])
    table = port.bigraph.table(blocks=found["blocks"], norm_kind=found["norm"], dropout=found["dropout"],
                               fusion=found["fusion"])
    return module, table
