"""DanceGAN's networks and those of its baseline MDVS: state dict keys <-> `nets.dance`, `nets.hcn` and `nets.stgcn`.

Kernels of convolutions over time, (out, in, k), turn to (k, in, out) as those of linear layers do. PyTorch's modules of
the baseline are named as in its code; graph attention has no public code, and its keys are A, B, D, alpha and beta.
"""

from gganjax.nets.sequence import DIRECTIONS
from gganjax.port.convert import LINEAR, Entry, Layout, Table, conv, norm

# (nodes, nodes, 1) <-> (nodes, nodes): a convolution of size 1 over the sequence's rows or columns
POINT = Layout(lambda w: w[..., 0].T, lambda w: w.T[..., None])
DENSE = {"layout": LINEAR}


def gru(key: str, path: str, layer: int = 0, directions: tuple[str, ...] = ("forward",)) -> tuple[Entry, ...]:
    """Lists the entries of one layer of a GRU."""
    return tuple(Entry(f"{key}.{kind}_{short}_l{layer}{'_reverse' * (direction == 'backward')}",
                       f"params/{path}/{direction}_{name}_{ours}", LINEAR)
                 for direction in directions for short, name in (("ih", "input"), ("hh", "hidden"))
                 for kind, ours in (("weight", "kernel"), ("bias", "bias")))


def music(key: str = "", path: str = "") -> tuple[Entry, ...]:
    """Lists the entries of the encoder of music; `key` and `path` are prefixes that end in a dot and in a slash."""
    entries = []
    for i in range(5):
        entries += conv(f"{key}encoder.cl.{i}", f"{path}pieces/conv_{i}", layout=LINEAR)
        entries += norm(f"{key}encoder.activations.{i}.0", f"{path}pieces/norm_{i}", affine=True) if i < 4 else ()
    for i in range(2):
        entries += gru(f"{key}rnn", f"{path}gru_{i}", i, DIRECTIONS)
    return (*entries, *conv(f"{key}fc", f"{path}head", **DENSE))


def encoder() -> Table:
    """Returns the table of the encoder of music by itself."""
    return Table("MDVS's encoder of music", music())


def generator() -> Table:
    """Returns the table of the baseline's generator."""
    entries = [*music("audio_encoder.", "music/"), *gru("pose_generator.rnn_noise", "noise")]
    entries += conv("pose_generator.layer0", "head/stem", **DENSE)
    for i in range(3):
        for k in range(2):
            layer = f"pose_generator.layer{i + 1}.layer"
            entries += conv(f"{layer}.{3 * k}", f"head/block_{i}/linear_{k}", **DENSE)
            entries += norm(f"{layer}.{3 * k + 1}", f"head/block_{i}/norm_{k}", affine=True)
    entries += conv("pose_generator.final_linear", "head/head", **DENSE)
    return Table("MDVS's generator", tuple(entries))


def spatial_attention() -> Table:
    """Returns the table of SSGA-Net."""
    entries = [entry for theirs, ours in (("A", "query"), ("B", "key"), ("D", "value"))
               for entry in conv(theirs, ours, layout=POINT)]
    return Table("SSGA-Net", (*entries, Entry("alpha", "params/alpha")))


def temporal_attention() -> Table:
    """Returns the table of CTGA-Net."""
    return Table("CTGA-Net", (Entry("beta", "params/beta"),))


def hcn(key: str = "", path: str = "poses/") -> tuple[Entry, ...]:
    """Lists the entries of the convolutions on poses; `key` and `path` are prefixes."""
    entries = []
    for stream, letter in (("position", ""), ("motion", "m")):
        for i in (1, 2, 3, 4):
            place = f"{key}conv{i}{letter}" + (".0" if i != 2 else "")
            entries += conv(place, f"{path}{stream}_{i}")
    for i in (5, 6):
        entries += conv(f"{key}conv{i}.0", f"{path}conv_{i}")
    return tuple(entries)


def _dense(key: str = "") -> tuple[Entry, ...]:
    return (*conv(f"{key}fc7.0", "dense_0", **DENSE), *conv(f"{key}fc8", "dense_1", **DENSE))


def local_discriminator() -> Table:
    """Returns the table of the discriminator of windows."""
    return Table("MDVS's local discriminator", (*hcn(), *_dense()))


def global_discriminator() -> Table:
    """Returns the table of the discriminator of dances and their music."""
    entries = [*music("audio_encoder.", "music/"), *hcn("pose_encoder."), *_dense("pose_encoder.")]
    for theirs, ours in (("ws1", "hidden"), ("ws2", "scores")):
        entries += conv(f"attention.{theirs}", f"attention/{ours}", bias=False, **DENSE)
    entries += conv("conv1d", "join", layout=LINEAR) + conv("fc2", "head", **DENSE)
    return Table("MDVS's global discriminator", tuple(entries))


def stgcn() -> Table:
    """Returns the table of the ST-GCN; its fixed adjacency `A` is not read."""
    entries = [*norm("data_bn", "norm", affine=True)]
    for i in range(10):
        key, path = f"st_gcn_networks.{i}", f"block_{i}"
        entries += conv(f"{key}.gcn.conv", f"{path}/graph") + conv(f"{key}.tcn.2", f"{path}/time")
        norms = [(f"{key}.tcn.0", f"{path}/norm_0"), (f"{key}.tcn.3", f"{path}/norm_1")]
        if i in (4, 7):
            entries += conv(f"{key}.residual.0", f"{path}/skip")
            norms.append((f"{key}.residual.1", f"{path}/skip_norm"))
        entries += [entry for place in norms for entry in norm(*place, affine=True)]
        entries.append(Entry(f"edge_importance.{i}", f"params/{path}/importance"))
    return Table("the ST-GCN", (*entries, *conv("fcn", "head")), r"A|.*\.num_batches_tracked")
