"""Networks of the SelectionGAN releases: state dict keys <-> `nets.selection`, and the U-Nets of its stage I.

The inner blocks of a U-Net lie under two names there, `model.submodule` and `model.model.0`: the same tensors twice.
"""

from gganjax.errors import InputError
from gganjax.port import patn, spade
from gganjax.port import unet as plain
from gganjax.port.convert import CONV, Entry, Layout, Table, conv

# Transposed convolution of kernel and stride 2, (in, out, 2, 2) <-> (2, 2, in, out): nothing overlaps, nothing is flipped.
DOUBLING = Layout(lambda w: w.transpose(2, 3, 0, 1), lambda w: w.transpose(2, 3, 0, 1))
# Beginnings of keys in the other releases of the U-Net -> here.
NAMES = {"model.model.0.": "model.down.0.", "model.model.3.": "model.up.0.", "model.model.1.": "model.submodule."}
TWICE = r"model\.model\.0\..*"
# What the release for persons puts before every key, and how it names the last convolution of its first stage, PATN.
PERSON, LAST = "model.", ("model.stream1_up2.1.", "model.stream1_up.7.")


def unet(*, levels: int = 8, norm_kind: str = "batch") -> Table:
    """Returns the table of Gi or Gs, *_net_Gi.pth and *_net_Gs.pth."""
    table = plain.table(levels=levels, norm_kind=norm_kind)
    rename = lambda key: next(new + key.removeprefix(old) for old, new in NAMES.items() if key.startswith(old))
    entries = tuple(entry._replace(key=rename(entry.key)) for entry in table.entries)
    return table._replace(entries=entries, ignored=rf"{table.ignored}|{TWICE}")


def generator(*, channel_selection: bool = False, unused_layer: bool = False) -> Table:
    """Returns the table of Ga, *_net_Ga.pth; without `unused_layer` conv330, which is never called, is left out."""
    entries = [*conv("deconvolution_1", "up", layout=DOUBLING),
               *selection("conv440", "selection/", channel_selection=channel_selection)]
    if unused_layer:
        entries += [Entry("conv330.weight", "params/selection/unused_kernel", CONV),
                    Entry("conv330.bias", "params/selection/unused_bias")]
    return Table("SelectionGAN's second stage", tuple(entries), r"" if unused_layer else r"conv330\..*")


def person() -> Table:
    """Returns the table of the second stage of the person form, *_net_netG2.pth as `person_names` returns it."""
    return Table("the second stage of persons", selection("conv106"), "")


def person_names(state: dict) -> dict:
    """Returns the state dict of either stage of persons under the names that its table, PATN's or `person`'s, knows."""
    if f"{PERSON}conv106.weight" in state:
        return {key.removeprefix(PERSON): value for key, value in state.items()}
    theirs, ours = LAST
    return {ours + key.removeprefix(theirs) if key.startswith(theirs) else key: value for key, value in state.items()}


def semantic(*, upsampling: str = "normal", norm_kind: str = "batch") -> Table:
    """Returns the table of the selection on GauGAN's generator."""
    entries = spade.blocks(upsampling, norm_kind) + conv("fc", "trunk/first")
    return Table("the selection on GauGAN", (*entries, *conv("conv_img", "head/image"), *conv("conv_att", "head/attention")))


def selection(merge: str, path: str = "", *, channel_selection: bool = False) -> tuple[Entry, ...]:
    """Lists the entries of a `Selection` under `path`, whose convolution after the pooling is named `merge`."""
    entries = [*conv(merge, f"{path}merge"), *conv("model_attention", f"{path}head/attention"),
               *conv("model_image", f"{path}head/image"),
               *conv("convolution_for_attention", f"{path}uncertainty")]
    if channel_selection:
        entries.append(Entry("sc.gamma", f"params/{path}channel_selection/gamma"))
    return tuple(entries)


def describe_unet(state: dict) -> dict:
    """Reads off a state dict what builds Gi or Gs: inputs, outputs, width, levels, norm."""
    if "model.down.0.weight" not in state:
        raise InputError(f"the state dict is not that of a U-Net of SelectionGAN: its first keys are {list(state)[:3]}")
    back = {new: old for old, new in NAMES.items()}
    other = {old + key.removeprefix(new): value for key, value in state.items()
             for new, old in back.items() if key.startswith(new)}
    return plain.describe(other)


def describe_person(state: dict) -> dict:
    """Reads off a state dict what builds the first stage of persons: what `patn.describe` tells."""
    return patn.describe(person_names(state))


def describe_person_selection(state: dict) -> dict:
    """Reads off a state dict what builds the second stage of persons: inputs, images, uncertainty maps."""
    named = person_names(state)
    if lacking := [key for key in ("conv106.weight", "model_attention.weight") if key not in named]:
        raise InputError(f"the state dict is not that of the second stage of persons: it has no {lacking[0]}")
    return {"inputs": named["conv106.weight"].shape[0], "images": named["model_attention.weight"].shape[0],
            "uncertainty": named["convolution_for_attention.weight"].shape[0]}


def describe_semantic(state: dict) -> dict:
    """Reads off a state dict what builds the selection on GauGAN: inputs, width, hidden, upsampling, norm, images."""
    if "conv_att.weight" not in state:
        raise InputError(f"the state dict is not that of the selection on GauGAN: its first keys are {list(state)[:3]}")
    found = spade.describe(state)
    told = {name: found[name] for name in ("inputs", "width", "hidden", "upsampling", "norm")}
    return told | {"images": state["conv_att.weight"].shape[0]}


def describe(state: dict) -> dict:
    """Reads off a state dict what builds Ga: width, images, uncertainty maps, channel selection."""
    if "deconvolution_1.weight" not in state or "model_attention.weight" not in state:
        raise InputError(
            f"the state dict is not that of SelectionGAN's second stage: its first keys are {list(state)[:3]}")
    return {
        "inputs": state["deconvolution_1.weight"].shape[0],
        "width": state["deconvolution_1.weight"].shape[1],
        "images": state["model_attention.weight"].shape[0],
        "uncertainty": state["convolution_for_attention.weight"].shape[0],
        "channel_selection": "inverted" if "sc.gamma" in state else "none",
    }
