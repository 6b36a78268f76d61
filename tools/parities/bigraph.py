"""BiGraphGAN's released generators, and a whole training step with the Market form."""

import numpy as np

from gganjax import port
from gganjax.nets.bigraph import BiGraphGenerator
from parities import pose_family
from parities.common import Fixture, Pair

# Behind sums over all positions of products of three codes the generator's gradients, the recorded ones and ours, are
# 1.5e-5 and 2.3e-5 away from those of the same step in float64, where ours agree with the recorded ones to 1.5e-5.
ROUNDING = 5e-5
ROUNDING_REASON = "float32: ours are 2e-5 away from the same step in float64, the recorded ones 1.5e-5"


def generator(fixture: Fixture) -> list[Pair]:
    """Compares the released generator: test and training pictures, codes, maps of the fusion, moved statistics."""
    found = port.bigraph.describe(fixture.group("w/"))
    module = BiGraphGenerator(found["width"], found["blocks"], found["norm"], **options(found))
    return pose_family.generator(fixture, module, table(found), more=maps)


def maps(parts: dict) -> dict:
    """Returns the fusion's maps as recorded: that of the generated picture, then that of the source."""
    if "fusion" not in parts:
        return {}
    _, of_source, of_generated = parts["fusion"]
    return {"eval/aif_att": np.concatenate([of_generated, of_source], axis=-1)}


def step(fixture: Fixture) -> list[Pair]:
    """Compares one whole training step."""
    found = port.bigraph.describe(fixture.group("w/G/"))
    exceptions = {"G": (ROUNDING, ROUNDING_REASON)}
    return pose_family.step(fixture, "bigraphgan", table(found), options(found), exceptions=exceptions)


def options(found: dict) -> dict:
    """Returns what makes the generator of a description that of the release."""
    return {"form": "released", "aif": "linear2" if found["fusion"] else "none", "states": found["states"],
            "nodes": found["nodes"]}


def table(found: dict) -> port.Table:
    """Returns the table of a description."""
    return port.bigraph.table(blocks=found["blocks"], norm_kind=found["norm"], dropout=found["dropout"],
                              fusion=found["fusion"])
