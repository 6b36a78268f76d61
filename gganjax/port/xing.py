"""Generators of the XingGAN releases: state dict keys <-> `nets.xing.XingGenerator` of the released form."""

from gganjax.errors import InputError
from gganjax.port import pose
from gganjax.port.convert import UP, Entry, Table, conv, norm


def table(*, blocks: int = 9, norm_kind: str = "batch", dropout: bool = True) -> Table:
    """Returns the table of a generator; a dropout layer inside the streams shifts the key of what follows by one."""
    affine = norm_kind == "batch"
    entries = pose.encoder("model.stream1_down", "appearance_encoder", norm_kind=norm_kind)
    entries += pose.encoder("model.stream2_down", "shape_encoder", norm_kind=norm_kind)
    for i in range(blocks):
        key, path = f"model.att.{i}", f"block_{i}"
        streams = dict(norm_kind=norm_kind, dropout=dropout)
        entries += pose.stream(f"{key}.conv_block_stream1", f"{path}/appearance", **streams)
        entries += pose.stream(f"{key}.conv_block_stream2", f"{path}/shape", norm_last=False, **streams)
        for layer in ("query", "key", "value"):
            entries += conv(f"{key}.{layer}_conv", f"{path}/attention/{layer}")
        entries += (Entry(f"{key}.gamma", f"params/{path}/attention/gamma"),)
    entries += pose.decoder("model.stream1_up", "appearance", norm_kind=norm_kind)
    entries += pose.decoder("model.stream2_up", "shape", norm_kind=norm_kind)
    entries += conv("model.x2_con", "shape_merge", bias=not affine, layout=UP)
    entries += norm("model.x2_norm", "shape_merge_norm", affine=affine)
    for number, layer in (("", "up_0"), ("1", "up_1")):
        entries += conv(f"model.atte_con{number}", f"maps/{layer}", bias=not affine, layout=UP)
        entries += norm(f"model.atte_norm{number}", f"maps/{layer}_norm", affine=affine)
    entries += conv("model.atte_con2", "maps/head", bias=not affine, layout=UP)
    return Table(f"the {blocks}-block XingGAN generator", entries)


def describe(state: dict) -> dict:
    """Reads off a state dict what builds the generator: what `pose.describe_generator` tells, images, form."""
    found = pose.describe_generator(state)
    lacking = [key for key in ("model.att.0.gamma", "model.atte_con2.weight") if key not in state]
    if lacking:
        raise InputError(f"the state dict is not that of a XingGAN generator: it has no {lacking[0]}")
    return found | {"images": (state["model.atte_con2.weight"].shape[1] - 1) // 2, "form": "released"}
