"""Parts of the PATN, XingGAN and BiGraphGAN releases: state dict keys <-> `nets.pose`, and the discriminator of all.

Each function lists the entries of one part; a network's table is the sum of its parts'. Statistics of instance norms,
which released PATN weights carry and nothing uses, are known keys without a place: `to_flax` drops them.
"""

import re

from gganjax.errors import InputError
from gganjax.port.convert import UP, Entry, Table, conv, norm


def encoder(key: str, path: str, *, norm_kind: str) -> tuple[Entry, ...]:
    """Lists the entries of a `PoseEncoder`, the Sequential `key` whose first layer is a padding."""
    affine, entries = norm_kind == "batch", []
    for number, layer in ((1, "stem"), (4, "down_0"), (7, "down_1")):
        entries += conv(f"{key}.{number}", f"{path}/{layer}", bias=not affine)
        entries += norm(f"{key}.{number + 1}", f"{path}/{layer}_norm", affine=affine)
    return tuple(entries)


def stream(key: str, path: str, *, norm_kind: str, dropout: bool = True, norm_last: bool = True) -> tuple[Entry, ...]:
    """Lists the entries of a `PoseStream`; a dropout layer shifts the key of what follows by one."""
    affine, entries = norm_kind == "batch", []
    for k, number in enumerate((1, 6 if dropout else 5)):
        entries += conv(f"{key}.{number}", f"{path}/conv_{k}", bias=not affine)
        if k == 0 or norm_last:
            entries += norm(f"{key}.{number + 1}", f"{path}/norm_{k}", affine=affine)
    return tuple(entries)


def decoder(key: str, path: str, *, norm_kind: str, first: int = 0) -> tuple[Entry, ...]:
    """Lists the entries of a `PoseDecoder`, whose layers in the Sequential `key` begin at number `first`."""
    affine, entries = norm_kind == "batch", []
    for number, layer in ((first, "up_0"), (first + 3, "up_1")):
        entries += conv(f"{key}.{number}", f"{path}/{layer}", bias=not affine, layout=UP)
        entries += norm(f"{key}.{number + 1}", f"{path}/{layer}_norm", affine=affine)
    return (*entries, *conv(f"{key}.{first + 7}", f"{path}/head"))


def residual_blocks(count: int, *, norm_kind: str, dropout: bool = True) -> tuple[Entry, ...]:
    """Lists the entries of residual blocks, numbers 10 and on of the Sequential "model"."""
    blocks = [stream(f"model.{10 + i}.conv_block", f"block_{i}", norm_kind=norm_kind, dropout=dropout)
              for i in range(count)]
    return sum(blocks, ())


def discriminator(*, blocks: int = 3, norm_kind: str = "batch", dropout: bool = True) -> Table:
    """Returns the table of a `PoseDiscriminator`, named D_PB or D_PP in the releases."""
    entries = encoder("model", "encoder", norm_kind=norm_kind)
    entries += residual_blocks(blocks, norm_kind=norm_kind, dropout=dropout)
    return Table(f"the pose discriminator of {blocks} blocks", entries)


def describe_discriminator(state: dict) -> dict:
    """Reads off a state dict what builds the discriminator: inputs, width, blocks, norm, dropout."""
    blocks = {int(match[1]) for key in state if (match := re.fullmatch(r"model\.(\d+)\.conv_block\.1\.weight", key))}
    if "model.1.weight" not in state or not blocks or f"model.{len(blocks) + 10}.weight" in state:
        raise InputError(f"the state dict is not that of a pose discriminator: its first keys are {list(state)[:3]}")
    return {
        "inputs": state["model.1.weight"].shape[1],
        "width": state["model.1.weight"].shape[0],
        "blocks": len(blocks),
        "norm": "instance" if "model.1.bias" in state else "batch",
        "dropout": "model.10.conv_block.6.weight" in state,
    }


def describe_generator(state: dict) -> dict:
    """Reads off the state dict of a two-stream generator what PATN, XingGAN and BiGraphGAN have in common.

    inputs (channels of both poses' maps together), width, blocks, norm, dropout.
    """
    blocks = {int(match[1]) for key in state
              if (match := re.fullmatch(r"model\.att\.(\d+)\.conv_block_stream1\.1\.weight", key))}
    stems = [f"model.stream{i}_down.1.weight" for i in (1, 2)]
    if not blocks or any(stem not in state for stem in stems):
        raise InputError("the state dict is not that of a generator of PATN, XingGAN or BiGraphGAN: its first keys are "
                         f"{list(state)[:3]}")
    return {
        "inputs": state[stems[1]].shape[1],
        "width": state[stems[0]].shape[0],
        "blocks": len(blocks),
        "norm": "instance" if "model.stream1_down.1.bias" in state else "batch",
        "dropout": "model.att.0.conv_block_stream1.6.weight" in state,
    }
