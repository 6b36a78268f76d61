"""PATN's generator and the Resnet generator beside it: state dict keys <-> `nets.patn`."""

import re

from gganjax.errors import InputError
from gganjax.port import pose
from gganjax.port.convert import Table


def table(*, blocks: int = 9, norm_kind: str = "batch", dropout: bool = True) -> Table:
    """Returns the table of PATN's generator, *_net_netG.pth of its release."""
    entries = []
    for i, name in ((1, "image_encoder"), (2, "pose_encoder")):
        entries += pose.encoder(f"model.stream{i}_down", name, norm_kind=norm_kind)
    for i in range(blocks):
        for k, name in ((1, "image"), (2, "pose")):
            entries += pose.stream(f"model.att.{i}.conv_block_stream{k}", f"block_{i}/{name}", norm_kind=norm_kind,
                                   dropout=dropout, norm_last=k == 1)
    entries += pose.decoder("model.stream1_up", "decoder", norm_kind=norm_kind)
    return Table(f"PATN's generator of {blocks} blocks", tuple(entries))


def resnet_table(*, blocks: int = 9, norm_kind: str = "batch", dropout: bool = True) -> Table:
    """Returns the table of the Resnet generator; none was released, the keys are those of such a Sequential."""
    entries = pose.encoder("model", "encoder", norm_kind=norm_kind)
    entries += pose.residual_blocks(blocks, norm_kind=norm_kind, dropout=dropout)
    entries += pose.decoder("model", "decoder", norm_kind=norm_kind, first=10 + blocks)
    return Table(f"the Resnet generator of {blocks} blocks", entries)


def describe(state: dict) -> dict:
    """Reads off a state dict what builds PATN's generator, see `pose.describe_generator`; others are refused."""
    found = pose.describe_generator(state)
    foreign = [key for key in state if not re.fullmatch(
        r"model\.(stream[12]_down|stream1_up|att\.\d+\.conv_block_stream[12])\.\d+\.\w+", key)]
    if foreign:
        raise InputError(f"the state dict is not that of PATN: it has the key {foreign[0]}")
    return found
