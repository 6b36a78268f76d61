"""GauGAN's networks of the SPADE release: state dict keys <-> `nets.spade` and `nets.multiscale`."""

import re

from gganjax.errors import InputError
from gganjax.nets.spade import SpadeTrunk
from gganjax.port.convert import CONV, UP, Entry, Layout, Table, conv, norm

# Blocks that the release calls otherwise.
BLOCKS = {"head": "head_0", "middle_0": "G_middle_0", "middle_1": "G_middle_1"}


def spectral_conv(key: str, path: str, size: int, *, bias: bool = True, layout: Layout = CONV) -> tuple[Entry, ...]:
    """Lists the entries of a convolution with spectral norm and a kernel of `size`."""
    turn = slice(None, None, -1 if layout is UP else 1)
    # (in * kh * kw) <-> (kh * kw * in), turned as the kernel is
    vector = Layout(lambda v: v.reshape(-1, size, size)[:, turn, turn].transpose(1, 2, 0).reshape(-1),
                    lambda v: v.reshape(size, size, -1).transpose(2, 0, 1)[:, turn, turn].reshape(-1))
    entries = [Entry(f"{key}.weight_orig", f"params/{path}/kernel", layout),
               Entry(f"{key}.weight_u", f"moving/{path}/u"), Entry(f"{key}.weight_v", f"moving/{path}/v", vector)]
    return (*entries, Entry(f"{key}.bias", f"params/{path}/bias")) if bias else tuple(entries)


def channels_first(height: int, width: int) -> Layout:
    """The layout of a linear layer (features, C * height * width) behind a picture of features."""
    return Layout(
        lambda w: w.reshape(len(w), -1, height, width).transpose(2, 3, 1, 0).reshape(-1, len(w)),
        lambda w: w.reshape(height, width, -1, w.shape[-1]).transpose(3, 2, 0, 1).reshape(w.shape[-1], -1))


def spade_norm(key: str, path: str, norm_kind: str = "batch") -> tuple[Entry, ...]:
    """Lists the entries of a modulated norm; `key` and `path` end in a dot and a slash, or are empty."""
    entries = [entry for ours, theirs in (("shared", "shared.0"), ("gamma", "gamma"), ("beta", "beta"))
               for entry in conv(f"{key}mlp_{theirs}", f"{path}{ours}")]
    return (*entries, *(norm(f"{key}param_free_norm", f"{path}norm", affine=False) if norm_kind == "batch" else ()))


def block(key: str, path: str, norm_kind: str = "batch", *, shortcut: bool) -> tuple[Entry, ...]:
    """Lists the entries of a residual block; `key` and `path` end in a dot and a slash, or are empty."""
    entries = ()
    for part in ("0", "1", *("s" * shortcut)):
        entries += spectral_conv(f"{key}conv_{part}", f"{path}conv_{part}", 1 if part == "s" else 3, bias=part != "s")
        entries += spade_norm(f"{key}norm_{part}.", f"{path}norm_{part}/", norm_kind)
    return entries


def blocks(upsampling: str = "normal", norm_kind: str = "batch", *, path: str = "trunk") -> tuple[Entry, ...]:
    """Lists the entries of the trunk's residual blocks."""
    entries, before = (), None
    for name, width in SpadeTrunk(upsampling=upsampling).blocks.items():
        shortcut = before is not None and width != before
        entries += block(f"{BLOCKS.get(name, name)}.", f"{path}/{name}/", norm_kind, shortcut=shortcut)
        before = width
    return entries


def table(*, upsampling: str = "normal", norm_kind: str = "batch", area: int = 0) -> Table:
    """Returns the table of a generator; `area` is height times width of the first features of one with a latent."""
    entries = blocks(upsampling, norm_kind) + conv("conv_img", "image")
    if not area:
        entries += conv("fc", "trunk/first")
    else:
        # (C * height * width, z) <-> (z, height * width * C)
        kernel = Layout(lambda w: w.reshape(-1, area, w.shape[-1]).transpose(2, 1, 0).reshape(w.shape[-1], -1),
                        lambda w: w.reshape(len(w), area, -1).transpose(2, 1, 0).reshape(-1, len(w)))
        bias = Layout(lambda b: b.reshape(-1, area).T.reshape(-1), lambda b: b.reshape(area, -1).T.reshape(-1))
        entries += (Entry("fc.weight", "params/trunk/first/kernel", kernel),
                    Entry("fc.bias", "params/trunk/first/bias", bias))
    return Table("GauGAN's generator", entries)


def discriminator_table(*, scales: int = 2, layers: int = 4, norm_kind: str = "instance",
                        spectral: bool = True) -> Table:
    """Returns the table of a multi-scale discriminator."""
    entries = ()
    for i in range(scales):
        key, path = f"discriminator_{i}.model", f"scale_{i}"
        entries += conv(f"{key}0.0", f"{path}/conv_0")
        for j in range(1, layers):
            layer = f"{key}{j}.0" + ".0" * (norm_kind != "none")
            make = dict(bias=norm_kind == "none")
            entries += (spectral_conv(layer, f"{path}/conv_{j}", 4, **make) if spectral else
                        conv(layer, f"{path}/conv_{j}", **make))
            entries += norm(f"{key}{j}.0.1", f"{path}/norm_{j}", affine=True) if norm_kind == "batch" else ()
        entries += conv(f"{key}{layers}.0", f"{path}/conv_{layers}")
    return Table("the multi-scale discriminator", entries)


def encoder_table(*, size: int = 256) -> Table:
    """Returns the table of the image encoder whose pictures have that size."""
    entries = ()
    for i in range((size // 4).bit_length() - 1):
        entries += spectral_conv(f"layer{i + 1}.0", f"conv_{i}", 3, bias=False)
    for theirs, ours in (("fc_mu", "mean"), ("fc_var", "log_variance")):
        entries += (Entry(f"{theirs}.weight", f"params/{ours}/kernel", channels_first(4, 4)),
                    Entry(f"{theirs}.bias", f"params/{ours}/bias"))
    return Table("GauGAN's image encoder", entries)


def describe_encoder(state: dict) -> dict:
    """Reads off an image encoder's state dict what builds it: latent, width, and the size that its pictures have."""
    if lacking := [key for key in ("layer1.0.weight_orig", "fc_mu.weight") if key not in state]:
        raise InputError(f"the state dict is not that of GauGAN's image encoder: it has no {lacking[0]}")
    layers = sum(bool(re.fullmatch(r"layer\d+\.0\.weight_orig", key)) for key in state)
    return {"latent": len(state["fc_mu.weight"]), "width": len(state["layer1.0.weight_orig"]), "size": 4 * 2**layers}


def describe(state: dict) -> dict:
    """Reads off a generator's state dict what builds it: inputs, width, hidden, upsampling, norm, latent, area.

    `upsampling` is "normal" for "more" too, which have the same parameters. `latent` is the length of the code, 0
    without; `area` the height times width of the first features of a network with one, else 0.
    """
    needed = ("fc.weight", "conv_img.weight", "up_3.norm_0.mlp_shared.0.weight")
    if lacking := [key for key in needed if key not in state]:
        raise InputError(f"the state dict is not that of GauGAN's generator: it has no {lacking[0]}")
    first, last, found = state["fc.weight"], state["conv_img.weight"], describe_blocks(state)
    width = last.shape[1] * (2 if found["upsampling"] == "most" else 1)
    latent = first.shape[1] if first.ndim == 2 else 0
    return {"inputs": state["up_3.norm_0.mlp_shared.0.weight"].shape[1], "width": width, **found, "latent": latent,
            "area": first.shape[0] // (16 * width) if latent else 0}


def describe_blocks(state: dict) -> dict:
    """Reads off a state dict with GauGAN's residual blocks what builds these: hidden, upsampling, norm."""
    return {"hidden": state["up_3.norm_0.mlp_shared.0.weight"].shape[0],
            "upsampling": "most" if "up_4.conv_0.weight_orig" in state else "normal",
            "norm": "batch" if "up_3.norm_0.param_free_norm.running_mean" in state else "instance"}


def describe_discriminator(state: dict) -> dict:
    """Reads off a discriminator's state dict what builds it: inputs, width, scales, layers, norm, spectral."""
    found = [match for key in state if (match := re.fullmatch(r"discriminator_(\d+)\.model(\d+)\.0.*", key))]
    if "discriminator_0.model0.0.weight" not in state:
        raise InputError(f"the state dict is not that of a multi-scale discriminator: "
                         f"its first keys are {list(state)[:3]}")
    first, inner = state["discriminator_0.model0.0.weight"], "discriminator_0.model1.0"
    spectral = any(key.startswith(inner) and key.endswith("weight_orig") for key in state)
    kind = "batch" if f"{inner}.1.running_mean" in state else "none" if f"{inner}.bias" in state else "instance"
    return {"inputs": first.shape[1], "width": first.shape[0], "scales": 1 + max(int(match[1]) for match in found),
            "layers": max(int(match[2]) for match in found), "norm": kind, "spectral": spectral}
