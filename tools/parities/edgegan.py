"""EdgeGAN's generator beside a recorded run of the code that was first published for its successor."""

from gganjax import port
from gganjax.nets.edgegan import EdgeGANGenerator
from gganjax.nets.spade import SpadeTrunk
from parities import spade
from parities.common import Fixture, Pair


def generator(fixture: Fixture) -> list[Pair]:
    """Compares both pictures and the edges, at test time and in training, with the statistics that training moves."""
    found = port.edgegan.describe(fixture.group("w/"))
    trunk = SpadeTrunk(found["width"], fixture.arguments["num_upsampling_layers"], norm=found["norm"],
                       hidden=found["hidden"])
    table = port.edgegan.table(upsampling=trunk.upsampling, norm_kind=trunk.norm)
    # Ours come as a dictionary in the order of their names: coarse, fake_edges, fake_target.
    module = EdgeGANGenerator(trunk, found["classes"])
    return spade.network(fixture, module, table, ("seg",), ("image1", "edge", "image2"))
