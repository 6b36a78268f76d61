"""DAGAN's generator: state dict keys <-> `nets.dagan`; its discriminator and encoder are `port.spade`'s."""

from gganjax.errors import InputError
from gganjax.port import spade
from gganjax.port.convert import Entry, Table, conv


def channel_attention(key: str, path: str) -> tuple[Entry, ...]:
    """Lists the entries of CAM; `key` and `path` end in a dot and a slash, or are empty."""
    return (*conv(f"{key}conv1", f"{path}conv_0"), *conv(f"{key}conv2", f"{path}conv_1"))


def spatial_attention(key: str, path: str) -> tuple[Entry, ...]:
    """Lists the entries of the local SAM; `key` and `path` end in a dot and a slash, or are empty."""
    return conv(f"{key}conv", f"{path}conv", bias=False)


def table(*, upsampling: str = "normal", norm_kind: str = "batch", area: int = 0) -> Table:
    """Returns the table of a generator with both attentions; the arguments are those of `spade.table`."""
    of_gaugan = spade.table(upsampling=upsampling, norm_kind=norm_kind, area=area).entries
    entries = (*of_gaugan, *conv("conv_64", "low"), *channel_attention("cab.", "cam/"),
               *spatial_attention("spatialAtt.", "sam/"))
    return Table("DAGAN's generator", entries)


def describe(state: dict) -> dict:
    """Reads off a generator's state dict what builds it: what `spade.describe` tells."""
    if lacking := [key for key in ("conv_64.weight", "cab.conv1.weight", "spatialAtt.conv.weight") if key not in state]:
        raise InputError(f"the state dict is not that of DAGAN's generator: it has no {lacking[0]}")
    return spade.describe(state)
