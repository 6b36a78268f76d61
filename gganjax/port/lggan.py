"""Generators of the LGGAN releases and SAU: state dict keys <-> `nets.lggan` and `nets.upsampling`.

The release has a layer for each class, "deconv5_1" and so on. Ours are one array: `join` makes of those keys
"deconv5.weight" and "deconv5.bias", which the tables know, and `part` brings them back.
"""

import re

import numpy as np

from gganjax.errors import InputError
from gganjax.port import spade
from gganjax.port.convert import LINEAR, UP, Entry, Layout, Table, conv

# (classes, out, in, kh, kw) <-> (classes, kh, kw, in, out)
HEADS = Layout(lambda w: w.transpose(0, 3, 4, 2, 1), lambda w: w.transpose(0, 4, 3, 1, 2))
HEAD = re.compile(r"deconv5_(\d+)\.(weight|bias)")
LEVELS = {"cross_view": 2, "semantic": 4}  # of each form's encoder


def join(state: dict) -> dict:
    """Returns the state dict with the layers of all classes joined in order."""
    found: dict[str, dict] = {"weight": {}, "bias": {}}
    for key in state:
        if match := HEAD.fullmatch(key):
            found[match[2]][int(match[1])] = state[key]
    rest = {key: value for key, value in state.items() if not HEAD.fullmatch(key)}
    if not found["weight"] or found["weight"].keys() != found["bias"].keys():
        raise InputError(f"the state dict is not that of an LGGAN generator: its first keys are {list(state)[:3]}")
    return rest | {f"deconv5.{name}": np.stack([one[k] for k in sorted(one)]) for name, one in found.items()}


def part(state: dict, *, first: int) -> dict:
    """Returns the state dict with a layer for each class again, numbered from `first`: 1 across views, otherwise 0."""
    rest = {key: value for key, value in state.items() if not key.startswith("deconv5.")}
    return rest | {f"deconv5_{first + k}.{name}": one for name in ("weight", "bias")
                   for k, one in enumerate(state[f"deconv5.{name}"])}


def table(form: str, *, blocks: int = 9, upsampling: str = "normal", norm_kind: str = "batch",
          spare_first: bool = False) -> Table:
    """Returns the table of a generator with joined layers.

    Args:
      form: "cross_view" or "semantic".
      blocks: of the residual branch.
      upsampling, norm_kind: of the trunk, see `spade.blocks`.
      spare_first: whether the unused first convolution of GauGAN has a place; otherwise it is ignored.
    """
    semantic, entries = form == "semantic", ()
    for i in range(LEVELS[form] + 1):
        entries += conv(f"conv{i + 1}", "encoder/" + (f"down_{i - 1}" if i else "stem"))
    for i in range(blocks):
        for k in (1, 2):
            entries += conv(f"resnet_blocks{i + 1}.conv{k}", f"residual/block_{i}_{k - 1}")
    heads = dict(local="local_enlargement", attention="weights/enlargement")
    for theirs, ours in (heads if semantic else heads | {"global": "global_enlargement"}).items():
        for i in (0, 1):
            entries += conv(f"deconv{3 + i}_{theirs}", f"{ours}/up_{i}", layout=UP)
    entries += (Entry("deconv5.weight", "params/class_images/kernel", HEADS),
                Entry("deconv5.bias", "params/class_images/bias"))
    entries += conv("deconv5_attention", "weights/head")
    if not semantic:
        return Table("LGGAN's generator across views", entries + conv("deconv5_global", "global_head"))
    entries += spade.blocks(upsampling, norm_kind) + conv("conv_img", "image") + conv("deconv9", "local_head")
    entries += (Entry("fc2.weight", "params/classifier/scores/kernel", LINEAR),
                Entry("fc2.bias", "params/classifier/scores/bias"))
    entries += conv("fc", "spare_first") if spare_first else ()
    return Table("LGGAN's generator of label maps", entries,
                 r".*\.num_batches_tracked" + ("" if spare_first else r"|fc\.(weight|bias)"))


def sau_table() -> Table:
    """Returns the table of one SAU."""
    return Table("SAU", conv("compress", "compress") + conv("kernel", "kernel"))


def describe(state: dict) -> dict:
    """Reads off a generator's state dict what builds it: form, inputs, width, blocks, classes.

    Of label maps also what `spade.describe_blocks` tells.
    """
    blocks = {int(match[1]) for key in state if (match := re.fullmatch(r"resnet_blocks(\d+)\.conv1\.weight", key))}
    heads = {int(match[1]) for key in state if (match := HEAD.fullmatch(key))}
    if "conv1.weight" not in state or not blocks or not heads:
        raise InputError(f"the state dict is not that of an LGGAN generator: its first keys are {list(state)[:3]}")
    width, inputs = state["conv1.weight"].shape[:2]
    found = {"form": "semantic" if "conv_img.weight" in state else "cross_view", "inputs": inputs, "width": width,
             "blocks": len(blocks), "classes": len(heads)}
    if found["form"] == "cross_view":
        return found | {"classes": len(heads) - 1}  # the last has no class
    return found | spade.describe_blocks(state)
