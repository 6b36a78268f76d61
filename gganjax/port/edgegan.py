"""EdgeGAN's generator on GauGAN's trunk: state dict keys <-> `nets.edgegan`; its discriminator is `port.spade`'s."""

from gganjax.errors import InputError
from gganjax.nets.edgegan import WIDTHS
from gganjax.port import spade
from gganjax.port.convert import LINEAR, Entry, Table, conv

# The semantic preserving module: to the classes, back, and to the picture.
MODULE = {"conv_comb1": "classes", "conv_comb2": "joined", "conv_comb": "fine"}


def table(*, upsampling: str = "normal", norm_kind: str = "batch", area: int = 0) -> Table:
    """Returns the table of a generator with all of its parts; the arguments are those of `spade.table`."""
    entries = tuple(entry._replace(path=entry.path.replace("/trunk/", "/backbone/", 1))
                    for entry in spade.table(upsampling=upsampling, norm_kind=norm_kind, area=area).entries
                    if not entry.key.startswith("conv_img."))
    for theirs, ours in (("edge", "edge"), ("img", "image")):
        for i in range(len(WIDTHS) + 1):
            entries += conv(f"conv_{theirs}{i + 1}", f"{ours}_{i}")
    for theirs, ours in MODULE.items():
        entries += conv(theirs, ours)
    entries += Entry("fc1.weight", "params/spare/kernel", LINEAR), Entry("fc1.bias", "params/spare/bias")
    return Table("EdgeGAN's generator", entries)


def describe(state: dict) -> dict:
    """Reads off a generator's state dict what builds it: what `spade.describe` tells, and classes."""
    needed = [*(f"{key}.weight" for key in MODULE), "conv_img1.weight", "conv_edge1.weight", "fc1.weight"]
    if lacking := [key for key in needed if key not in state]:
        raise InputError(f"the state dict is not that of EdgeGAN's generator: it has no {lacking[0]}")
    classes = state["conv_comb1.weight"].shape[0]
    return spade.describe(state | {"conv_img.weight": state["conv_img1.weight"]}) | {"classes": classes}
