"""The generator of the BiGraphGAN releases: state dict keys <-> `nets.bigraph.BiGraphGenerator` of form "released"."""

from gganjax.errors import InputError
from gganjax.port import pose
from gganjax.port.convert import UP, Entry, Layout, Table, conv, norm

MIXING = Layout(lambda w: w.reshape(len(w), -1).T, lambda w: w.T[..., None])  # (out, in, 1) <-> (in, out)
GRAPHS = {"gcn1": "gcn_a", "gcn2": "gcn_b"}  # the source's code is updated first


def table(*, blocks: int = 9, norm_kind: str = "batch", dropout: bool = True, aif: str = "linear2") -> Table:
    """Returns the table of a generator, with the fusion of the Market form or, where `aif` is "none", without it.

    The reasoning's batch norm has its statistics, used at test time, whatever `norm_kind` is.
    """
    part = dict(norm_kind=norm_kind)
    entries = [*pose.encoder("model.stream1_down", "image_encoder", **part),
               *pose.encoder("model.stream2_down", "pose_encoder", **part)]
    for i in range(blocks):
        for stream, path in ((1, "image"), (2, "pose")):
            entries += pose.stream(f"model.att.{i}.conv_block_stream{stream}", f"block_{i}/{path}", dropout=dropout,
                                   norm_last=path == "image", **part)
        entries += reasoning(f"model.att.{i}.gcn", f"block_{i}/graph")
    entries += pose.decoder("model.stream1_up", "decoder", **part)
    if aif != "none":
        for number, path in enumerate(("up_0", "up_1", "head"), start=1):
            entries += conv(f"model.conv_att{number}", f"fusion/{path}", bias=norm_kind != "batch", layout=UP)
    return Table(f"BiGraphGAN's generator of {blocks} blocks", tuple(entries))


def reasoning(key: str, path: str) -> tuple[Entry, ...]:
    """Lists the entries of a `GraphReasoning` of form "released"."""
    entries = [*conv(f"{key}.conv_state", f"{path}/states"), *conv(f"{key}.conv_proj", f"{path}/nodes")]
    for theirs, ours in GRAPHS.items():
        entries += conv(f"{key}.{theirs}.conv1", f"{path}/{ours}/nodes", layout=MIXING)
        entries += conv(f"{key}.{theirs}.conv2", f"{path}/{ours}/states", bias=False, layout=MIXING)
    entries += conv(f"{key}.conv_extend", f"{path}/extend", bias=False)
    return (*entries, *norm(f"{key}.blocker", f"{path}/extend_norm", affine=True))


def describe(state: dict) -> dict:
    """Reads off a state dict what builds the generator: what `pose.describe_generator` tells, form, aif, states, nodes.

    The fusion `aif` tells the Market form from the DeepFashion form.
    """
    found = pose.describe_generator(state)
    key = "model.att.0.gcn.{}.weight"
    if key.format("conv_state") not in state or key.format("conv_proj") not in state:
        raise InputError(f"the state dict is not that of a BiGraphGAN generator: it has no {key.format('conv_state')}")
    return found | {
        "states": state[key.format("conv_state")].shape[0],
        "nodes": state[key.format("conv_proj")].shape[0],
        "form": "released",
        "aif": "linear2" if "model.conv_att1.weight" in state else "none",
    }
