"""The residual generator of the GestureGAN and CycleGAN releases: state dict keys <-> `nets.resnet.ResNetGenerator`."""

import re

from gganjax.errors import InputError
from gganjax.port.convert import UP, Table, conv, norm


def table(*, blocks: int = 9, norm_kind: str = "instance", dropout: bool = True) -> Table:
    """Returns the table of a generator; a dropout layer inside the blocks shifts the key of what follows by one."""
    affine = norm_kind == "batch"
    first_up = 10 + blocks
    second = 6 if dropout else 5
    layers = [("model.1", "stem", {}), ("model.4", "down_0", {}), ("model.7", "down_1", {})]
    layers += [(f"model.{first_up}", "up_0", {"layout": UP}), (f"model.{first_up + 3}", "up_1", {"layout": UP})]
    entries = []
    for key, path, options in layers:
        number = int(key.split(".")[1])
        entries += conv(key, path, bias=not affine, **options) + norm(f"model.{number + 1}", f"{path}_norm", affine=affine)
    for i in range(blocks):
        for k, number in enumerate((1, second)):
            entries += conv(f"model.{10 + i}.conv_block.{number}", f"block_{i}/conv_{k}", bias=not affine)
            entries += norm(f"model.{10 + i}.conv_block.{number + 1}", f"block_{i}/norm_{k}", affine=affine)
    entries += conv(f"model.{first_up + 7}", "head")
    return Table(f"the {blocks}-block residual generator", tuple(entries))


def describe(state: dict) -> dict:
    """Reads off a state dict what builds the network: inputs, outputs, width, blocks, norm, dropout.

    `dropout` tells whether the blocks were built with dropout layers, whatever their rate was.
    """
    blocks = {int(match[1]) for key in state if (match := re.fullmatch(r"model\.(\d+)\.conv_block\.1\.weight", key))}
    head = f"model.{len(blocks) + 17}.weight"
    if "model.1.weight" not in state or head not in state or not blocks:
        raise InputError(f"the state dict is not that of a residual generator: its first keys are {list(state)[:3]}")
    return {
        "inputs": state["model.1.weight"].shape[1],
        "outputs": state[head].shape[0],
        "width": state["model.1.weight"].shape[0],
        "blocks": len(blocks),
        "norm": "instance" if "model.1.bias" in state else "batch",
        "dropout": "model.10.conv_block.6.weight" in state,
    }
