"""BiGraphGAN's released generators, and a whole training step with the Market form."""

import numpy as np

from gganjax import port
from gganjax.nets.bigraph import BiGraphGenerator
from parities import pose_family
from parities.common import Fixture, Pair

# The graph sums products of three codes over all positions: the recorded gradients of the generator are up to 1.5e-5
# away from those that this code computes in float64, its own in float32 up to 2.3e-5.
ROUNDING = 5e-5
ROUNDING_REASON = "in float32 ours are up to 2.3e-5 from those in float64, the recorded ones 1.5e-5"


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
    exception = ROUNDING, ROUNDING_REASON
    return pose_family.step(fixture, "bigraphgan", table(found), options(found), exception=exception)


def options(found: dict) -> dict:
    """Returns the options of BiGraphGAN's generator alone that a description tells."""
    return {name: found[name] for name in ("form", "aif", "states", "nodes")}


def table(found: dict) -> port.Table:
    """Returns the table of a description."""
    return port.bigraph.table(blocks=found["blocks"], norm_kind=found["norm"], dropout=found["dropout"],
                              aif=found["aif"])
