"""PatchGAN discriminators of the GestureGAN, C2GAN, CycleGAN and Pix2pix releases: state dict keys <-> `nets.patch`."""

import re

from gganjax.errors import InputError
from gganjax.port.convert import Table, conv, norm


def table(*, layers: int = 3, norm_kind: str = "instance") -> Table:
    """Returns the table of a PatchGAN whose `layers` inner convolutions are normalized."""
    affine = norm_kind == "batch"
    entries = list(conv("model.0", "conv_0"))
    for i in range(1, layers + 1):
        entries += conv(f"model.{3 * i - 1}", f"conv_{i}", bias=not affine)
        entries += norm(f"model.{3 * i}", f"norm_{i}", affine=affine)
    entries += conv(f"model.{3 * layers + 2}", f"conv_{layers + 1}")
    return Table(f"the {layers}-layer PatchGAN", tuple(entries))


def pixel_table(*, norm_kind: str = "instance") -> Table:
    """Returns the table of the 1x1 discriminator; its last convolution has a bias only with an instance norm."""
    affine = norm_kind == "batch"
    entries = [*conv("net.0", "conv_0"), *conv("net.2", "conv_1", bias=not affine),
               *norm("net.3", "norm_1", affine=affine), *conv("net.5", "conv_2", bias=not affine)]
    return Table("the 1x1 discriminator", tuple(entries))


def describe(state: dict) -> dict:
    """Reads off a state dict what builds the network: inputs, width, layers, norm; 0 layers are the 1x1 discriminator."""
    if "net.0.weight" in state and "net.5.weight" in state:
        return {
            "inputs": state["net.0.weight"].shape[1],
            "width": state["net.0.weight"].shape[0],
            "layers": 0,
            "norm": "instance" if "net.2.bias" in state else "batch",
        }
    numbers = [int(match[1]) for key in state if (match := re.fullmatch(r"model\.(\d+)\.weight", key))]
    convolutions = [n for n in numbers if state[f"model.{n}.weight"].ndim == 4]
    if 0 not in convolutions or len(convolutions) < 3:
        raise InputError(f"the state dict is not that of a PatchGAN: its first keys are {list(state)[:3]}")
    return {
        "inputs": state["model.0.weight"].shape[1],
        "width": state["model.0.weight"].shape[0],
        "layers": len(convolutions) - 2,
        "norm": "instance" if "model.2.bias" in state else "batch",
    }
