"""Pix2pixHD's global generator as the SPADE release has it: state dict keys <-> `nets.pix2pixhd`."""

import re

from gganjax.errors import InputError
from gganjax.port.convert import CONV, UP, Table, conv
from gganjax.port.spade import spectral_conv


def table(*, levels: int = 4, blocks: int = 9, spectral: bool = False) -> Table:
    """Returns the table of a generator with instance norms; its discriminator's is `spade.discriminator_table`."""
    def layer(key, path, size=3, layout=CONV):
        if spectral:
            return spectral_conv(key, path, size, bias=False, layout=layout)
        return conv(key, path, bias=False, layout=layout)

    entries = layer("model.1.0", "stem", 7)
    for i in range(levels):
        entries += layer(f"model.{3 + 2 * i}.0", f"down_{i}")
    first = 3 + 2 * levels
    for i in range(blocks):
        for k, number in enumerate((1, 4)):
            entries += layer(f"model.{first + i}.conv_block.{number}.0", f"block_{i}/conv_{k}")
    first += blocks
    for i in range(levels):
        entries += layer(f"model.{first + 2 * i}.0", f"up_{i}", layout=UP)
    return Table("Pix2pixHD's global generator", entries + conv(f"model.{first + 2 * levels + 1}", "head"))


def describe(state: dict) -> dict:
    """Reads off a state dict what builds the generator: inputs, width, levels, blocks, spectral."""
    spectral = "model.1.0.weight_orig" in state
    stem = state.get("model.1.0.weight_orig" if spectral else "model.1.0.weight")
    blocks = {match[1] for key in state if (match := re.match(r"model\.(\d+)\.conv_block\.", key))}
    if stem is None or not blocks:
        raise InputError(f"the state dict is not that of Pix2pixHD's generator: its first keys are {list(state)[:3]}")
    return {"inputs": stem.shape[1], "width": stem.shape[0], "levels": (min(map(int, blocks)) - 3) // 2,
            "blocks": len(blocks), "spectral": spectral}
