"""The U-Net generator of the Pix2pix and C2GAN releases: state dict keys <-> `nets.unet.UNetGenerator`."""

import re

from gganjax.errors import InputError
from gganjax.port.convert import UP, Table, conv, norm


def table(*, levels: int = 8, norm_kind: str = "batch") -> Table:
    """Returns the table of a U-Net; each level is a module inside the one above it. Dropout has no keys."""
    affine = norm_kind == "batch"
    entries = list(conv("model.model.0", "down_0", bias=not affine))
    prefix = "model.model.1.model"
    for i in range(1, levels):
        innermost = i == levels - 1
        up = 3 if innermost else 5
        entries += conv(f"{prefix}.1", f"down_{i}", bias=not affine)
        if not innermost:
            entries += norm(f"{prefix}.2", f"down_{i}_norm", affine=affine)
        entries += conv(f"{prefix}.{up}", f"up_{i}", bias=not affine, layout=UP)
        entries += norm(f"{prefix}.{up + 1}", f"up_{i}_norm", affine=affine)
        prefix += ".3.model"
    entries += conv("model.model.3", "up_0", layout=UP)
    return Table(f"the {levels}-level U-Net", tuple(entries))


def describe(state: dict) -> dict:
    """Reads off a state dict what builds the network: inputs, outputs, width, levels, norm."""
    depths = [len(match[1]) // len(".3.model") for key in state
              if (match := re.fullmatch(r"model\.model\.1\.model((?:\.3\.model)*)\.1\.weight", key))]
    if not depths or "model.model.0.weight" not in state or "model.model.3.weight" not in state:
        raise InputError(f"the state dict is not that of a U-Net: its first keys are {list(state)[:3]}")
    return {
        "inputs": state["model.model.0.weight"].shape[1],
        "outputs": state["model.model.3.weight"].shape[1],
        "width": state["model.model.0.weight"].shape[0],
        "levels": max(depths) + 2,
        "norm": "instance" if "model.model.0.bias" in state else "batch",
    }
