"""Generators and discriminator of the StarGAN and AsymmetricGAN releases: state dict keys <-> `nets.stargan`."""

import re

from gganjax.errors import InputError
from gganjax.port.convert import UP, Entry, Table, conv, norm


def generator(*, blocks: int = 6) -> Table:
    """Returns the table of Architecture III, or of II with no blocks; the released classes have 6, 2 or 0."""
    layers = [(0, "encoder/stem", {}), (3, "encoder/down_0", {}), (6, "encoder/down_1", {})]
    layers += [(9 + blocks, "decoder/up_0", {"layout": UP}), (12 + blocks, "decoder/up_1", {"layout": UP})]
    entries = []
    for number, path, options in layers:
        entries += conv(f"main.{number}", path, bias=False, **options)
        entries += norm(f"main.{number + 1}", f"{path}_norm", affine=True)
    for i in range(blocks):
        for k, number in enumerate((0, 3)):
            entries += conv(f"main.{9 + i}.main.{number}", f"encoder/block_{i}/conv_{k}", bias=False)
            entries += norm(f"main.{9 + i}.main.{number + 1}", f"encoder/block_{i}/norm_{k}", affine=True)
    entries += conv(f"main.{15 + blocks}", "decoder/head", bias=False)
    return Table(f"StarGAN's generator of {blocks} blocks", tuple(entries))


def plain_generator() -> Table:
    """Returns the table of Architecture I, which keeps no statistics."""
    entries = []
    for i in range(7):
        entries += conv(f"main.{3 * i}", f"conv_{i}", bias=False)
        if i < 6:
            entries += [Entry(f"main.{3 * i + 1}.weight", f"params/norm_{i}/scale"),
                        Entry(f"main.{3 * i + 1}.bias", f"params/norm_{i}/bias")]
    return Table("Architecture I", tuple(entries), r".*\.(num_batches_tracked|running_mean|running_var)")


def discriminator(*, layers: int = 6) -> Table:
    """Returns the table of the discriminator of patches and domains."""
    entries = [entry for i in range(layers) for entry in conv(f"main.{2 * i}", f"conv_{i}")]
    entries += [*conv("conv1", "patches", bias=False), *conv("conv2", "classes", bias=False)]
    return Table(f"StarGAN's {layers}-layer discriminator", tuple(entries))


def describe_generator(state: dict) -> dict:
    """Reads off a state dict what builds the generator: architecture (1, 2 or 3), domains, width, blocks.

    Architecture II is III with 0 blocks. The width and blocks of Architecture I are those of its seven convolutions.
    """
    first = state.get("main.0.weight")
    if first is None or first.ndim != 4 or first.shape[1] <= 3:
        raise InputError(f"the state dict is not that of a StarGAN generator: its first keys are {list(state)[:3]}")
    found = {"domains": first.shape[1] - 3, "width": first.shape[0]}
    if first.shape[2] == 3:
        return {"architecture": 1, **found, "blocks": 0}
    blocks = len({int(match[1]) for key in state if (match := re.fullmatch(r"main\.(\d+)\.main\.0\.weight", key))})
    return {"architecture": 3 if blocks else 2, **found, "blocks": blocks}


def describe_discriminator(state: dict) -> dict:
    """Reads off a state dict what builds the discriminator: domains, width, layers, and the size of its pictures."""
    layers = [key for key in state if re.fullmatch(r"main\.\d+\.weight", key)]
    if "conv1.weight" not in state or "conv2.weight" not in state or not layers:
        raise InputError(f"the state dict is not that of a StarGAN discriminator: its first keys are {list(state)[:3]}")
    domains, _, side, _ = state["conv2.weight"].shape
    return {"domains": domains, "width": state["main.0.weight"].shape[0], "layers": len(layers),
            "size": side * 2 ** len(layers)}

