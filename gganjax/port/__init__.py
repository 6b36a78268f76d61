"""PyTorch state dicts <-> Flax variables, one table per network, exact and checked.

    table = port.resnet.table(blocks=9, dropout=True)
    variables = port.to_flax(table, state_dict, port.shapes(module, (1, 256, 256, 6)))
    state_dict = port.to_torch(table, variables)

No PyTorch is needed: a state dict is a dictionary of NumPy arrays.
"""

from gganjax.port import (
    bigraph,
    dagan,
    dance,
    edgegan,
    frozen,
    lggan,
    patch,
    patn,
    pg2,
    pix2pixhd,
    pose,
    resnet,
    selection,
    spade,
    stargan,
    unet,
    vgg,
    xing,
)
from gganjax.port.convert import Entry, Layout, Table, shapes, to_flax, to_torch

__all__ = [
    "Entry", "Layout", "Table", "bigraph", "dagan", "dance", "edgegan", "frozen", "lggan", "patch", "patn", "pg2",
    "pix2pixhd", "pose", "resnet", "selection", "shapes", "spade", "stargan", "to_flax", "to_torch", "unet", "vgg", "xing",
]
