"""DAGAN's attention modules and generator beside recorded runs of its release."""

from gganjax import port
from gganjax.nets.dagan import ChannelAttention, DAGANGenerator, SpatialAttention
from gganjax.nets.spade import SpadeTrunk
from parities import spade
from parities.common import Fixture, Pair


def attention(fixture: Fixture) -> list[Pair]:
    """Compares CAM, SAM and their sum."""
    low, x = (fixture.group("in/")[name] for name in ("x_tmp", "x"))
    state = fixture.group("w/")
    made = {}
    for name, prefix, module, entries, inputs in (
            ("cam", "cab.", ChannelAttention(), port.dagan.channel_attention, (low, x)),
            ("sam", "spatialAtt.", SpatialAttention(), port.dagan.spatial_attention, (x,))):
        part = {key: value for key, value in state.items() if key.startswith(prefix)}
        table = port.Table(f"DAGAN's {name}", entries(prefix, ""))
        variables = port.to_flax(table, part, port.shapes(module, *(y.shape for y in inputs)))
        made[name] = module.apply(variables, *inputs)
    made["sam"], _ = made["sam"]  # the gate beside it is not recorded
    made["sum"] = made["cam"] + made["sam"]
    return [Pair(name, made[name], recorded) for name, recorded in fixture.group("out/").items()]


def generator(fixture: Fixture) -> list[Pair]:
    """Compares the generator, at test time and in training, with the statistics that training moves."""
    found = port.dagan.describe(fixture.group("w/"))
    trunk = SpadeTrunk(found["width"], fixture.arguments["num_upsampling_layers"], norm=found["norm"],
                       hidden=found["hidden"])
    table = port.dagan.table(upsampling=trunk.upsampling, norm_kind=trunk.norm)
    return spade.network(fixture, DAGANGenerator(trunk), table, ("seg",), ("image",))
