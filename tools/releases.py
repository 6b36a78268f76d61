"""Run folders of the methods' released PyTorch networks; `import_torch.py` is the command."""

import inspect
import json
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import state_dicts

from experiments import (
    asymmetricgan,
    asymmetricgan_unpaired,
    bigraphgan,
    c2gan,
    cyclegan,
    gesturegan,
    patn,
    pix2pix,
    selectiongan,
    stargan,
    xinggan,
)
from gganjax import checkpoint, core, methods, port
from gganjax.errors import InputError


class Release(NamedTuple):
    """How a method's networks were released.

    Attributes:
      experiment: module of the method's variants.
      variant: the one that the networks are taken for unless told otherwise.
      nets: the method's networks by the names in their files' names, the one that must be given first.
      mark: what stands in front of those names.
      suffix: of the files.
      any_name: whether the first file may be named otherwise; nothing is found beside it then.
      channels: numbers of input channels that fit, by network, where the files do not choose them.
      labeled: whether the networks take or tell the label of a domain.
      pose: module of `gganjax.port` that knows the generator, of a method of the pose recipe; None elsewhere.
    """

    experiment: ModuleType
    variant: str
    nets: dict[str, str]
    mark: str = "_net_"
    suffix: str = "pth"
    any_name: bool = True
    channels: dict[str, tuple[int, ...]] = {}
    labeled: bool = False
    pose: ModuleType | None = None

    @property
    def first(self) -> str:
        """Name of the network that must be given."""
        return next(iter(self.nets))


POSE_NETS = {"netG": "generator", "netD_PB": "shape_discriminator", "netD_PP": "appearance_discriminator"}
RELEASES = {
    "gesturegan": Release(
        gesturegan, "ntu", {"G": "generator", "D1": "discriminator_plain", "D2": "discriminator_guided"},
        channels={"G": (6, 3), "D1": (6,), "D2": (9,)}),  # the generator sees image and structure, or the image alone
    "pix2pix": Release(pix2pix, "", {"G": "generator", "D": "discriminator"}),
    "cyclegan": Release(cyclegan, "", {"G_A": "to_target", "G_B": "to_source", "D_A": "discriminator_target",
                                       "D_B": "discriminator_source"}),
    "c2gan": Release(c2gan, "", {"G": "image_generator", "G_L": "guidance_generator", "D": "image_discriminator",
                                 "D_L": "guidance_discriminator"}),
    "stargan": Release(stargan, "celeba", {"G": "generator", "D": "discriminator"}, mark="-", suffix="ckpt",
                       any_name=False, labeled=True),
    "asymmetricgan_unpaired": Release(
        asymmetricgan_unpaired, "released", {"G_xy": "translator", "G_yx": "reconstructor", "D": "discriminator"},
        mark="-", suffix="ckpt", any_name=False, labeled=True),
    "asymmetricgan": Release(
        asymmetricgan, "ntu", {"G1": "translator", "G2": "reconstructor", "D1": "discriminator_plain",
                               "D2": "discriminator_guided"},
        any_name=False, channels={"G1": (6,), "G2": (6,), "D1": (6,), "D2": (9,)}),
    "selectiongan": Release(
        selectiongan, "released", {"Gi": "image_generator", "Gs": "guidance_generator", "Ga": "attention_generator",
                                   "D": "discriminator"}, any_name=False, channels={"D": (6,)}),
    "patn": Release(patn, "released_market", POSE_NETS, pose=port.patn),
    "xinggan": Release(xinggan, "released_market", POSE_NETS, pose=port.xing),
    "bigraphgan": Release(bigraphgan, "released_market", POSE_NETS, pose=port.bigraph),
}


def import_release(kind: str, path: Path, output: Path, *, variant: str | None = None) -> Path:
    """Makes a run folder of a method's released networks: the given file and those beside it.

    Widths, depths, norm, dropout, channels and the size that a judge of domains spans are read off the files;
    everything else is that of the variant. A C2GAN without its guidance generator reads nothing off the pictures: its
    cycles become the image cycle alone. Statistics of instance norms, which later releases leave out and nothing uses
    unless it asks for "running" ones, start at mean 0 and variance 1 then.
    """
    if checkpoint.complete(output):
        raise InputError(f"{output} holds checkpoints already; choose another folder with --output")
    release = RELEASES[kind]
    variant = release.variant if variant is None else variant
    config = release.experiment.get_config(variant).copy_and_resolve_references()
    if config.method != kind:
        raise InputError(f"variant '{variant}' is of the method {config.method}, expected one of {kind}")
    beside = files(release, path)
    states = {net: state_dicts.read(file) for net, file in beside.items()}
    found = {net: describe(release, net, state) for net, state in states.items()}
    for net, one in found.items():
        if one.get("inputs") not in release.channels.get(net, (one.get("inputs"),)):
            fitting = " or ".join(map(str, release.channels[net]))
            raise InputError(f"{beside[net]} is a network of {one['inputs']} input channels, expected {fitting}")
        if release.labeled and one["domains"] != len(config.options.domains):
            raise InputError(f"the state dict of {net} is of {one['domains']} domains, but the variant names "
                             f"{len(config.options.domains)}: {', '.join(config.options.domains)}")
        if "size" in one:
            config.data.update(load_size=one["size"], crop_size=one["size"])
    with config.unlocked():  # so that an option that the method does not have is told of by `load`
        config.options.update(options(kind, found))
    method, variables = methods.load(kind, config.options), {}
    for net, one in found.items():
        name = release.nets[net]
        if name in method.nets:
            if kind == "selectiongan" and net != "D":
                table, *inputs = place_selection(net, one)
            else:
                table, *inputs = place_pose(release, net, one) if release.pose else place(one)
            expected = port.shapes(method.nets[name], *inputs)
            fresh = one.get("norm", "instance") == "instance"
            variables[name] = port.to_flax(table, states[net], expected, fresh_statistics=fresh)
    return write_run(config, variables, output)


def files(release: Release, path: Path) -> dict[str, Path]:
    """Returns the given file and those beside it, by network: latest_net_G.pth and latest_net_D.pth, or 10-G.ckpt."""
    mark, first = release.mark, release.first
    if f"{mark}{first}." not in path.name:
        if release.any_name:
            return {first: path}
        raise InputError(f"{path} must be named like NAME{mark}{first}.{release.suffix}, so that the other networks "
                         "are found beside it")
    beside = {net: path.with_name(path.name.replace(f"{mark}{first}.", f"{mark}{net}.")) for net in release.nets}
    return {net: file for net, file in beside.items() if net == first or file.is_file()}


def describe(release: Release, net: str, state: dict) -> dict:
    """Reads off a state dict what builds the network; names of discriminators begin with D, or with netD."""
    if release.pose:
        return port.pose.describe_discriminator(state) if net.startswith("netD") else release.pose.describe(state)
    if release.labeled:
        return (port.stargan.describe_discriminator if net.startswith("D") else port.stargan.describe_generator)(state)
    if net.startswith("D"):
        return port.patch.describe(state)
    if net in ("Gi", "Gs", "Ga"):
        return (port.selection.describe if net == "Ga" else port.selection.describe_unet)(state)
    return (port.unet if "model.model.0.weight" in state else port.resnet).describe(state)


def place(found: dict) -> tuple:
    """Returns the table of a network that was described, and shapes of inputs that it takes."""
    if "domains" in found:
        if "size" in found:
            return port.stargan.discriminator(layers=found["layers"]), (1, found["size"], found["size"], 3)
        plain = found["architecture"] == 1
        table = port.stargan.plain_generator() if plain else port.stargan.generator(blocks=found["blocks"])
        return table, (1, 64, 64, 3), (1, found["domains"])
    norm, inputs = found["norm"], (1, 256, 256, found["inputs"])  # a size that every depth divides
    if "levels" in found:
        return port.unet.table(levels=found["levels"], norm_kind=norm), inputs
    if "blocks" in found:
        return port.resnet.table(blocks=found["blocks"], norm_kind=norm, dropout=found["dropout"]), inputs
    if found["layers"] == 0:
        return port.patch.pixel_table(norm_kind=norm), inputs
    return port.patch.table(layers=found["layers"], norm_kind=norm), inputs


def place_selection(net: str, found: dict) -> tuple:
    """Returns the table of a generator of SelectionGAN that was described, and shapes of inputs that it takes."""
    if net != "Ga":
        return port.selection.unet(levels=found["levels"], norm_kind=found["norm"]), (1, 256, 256, found["inputs"])
    # How the features divide between the two networks of the first stage changes nothing.
    halves, picture = [(1, 128, 128, count) for count in (found["inputs"] - 1, 1)], (1, 256, 256, 3)
    plus = found["channel_selection"] != "none"
    return port.selection.generator(channel_selection=plus, unused_layer=True), *halves, picture, picture


def place_pose(release: Release, net: str, found: dict) -> tuple:
    """Returns the table of a network of the pose recipe that was described, and shapes of inputs that it takes."""
    size = (1, 64, 64)
    table, inputs = release.pose.table, ((*size, 3), (*size, found["inputs"]))
    if net.startswith("netD"):
        table, inputs = port.pose.discriminator, ((*size, found["inputs"]),)
    given = found | {"norm_kind": found["norm"]}
    return table(**{name: given[name] for name in inspect.signature(table).parameters}), *inputs


def pose_options(kind: str, found: dict[str, dict]) -> dict:
    """Returns the options of a method of the pose recipe that the descriptions of its networks tell."""
    first = found["netG"]
    told = {name: first[name] for name in first if name in methods.options(kind)}
    told |= {"guidance_channels": first["inputs"] // 2, "dropout": 0.5 if first["dropout"] else 0.0}
    for judge in (one for net, one in found.items() if net != "netG"):
        told |= {"discriminator_width": judge["width"], "discriminator_blocks": judge["blocks"]}
    return told


def options(kind: str, found: dict[str, dict]) -> dict:
    """Returns the method's options that the descriptions of its networks tell, the first of which is a generator."""
    if RELEASES[kind].pose:
        return pose_options(kind, found)
    first, *_ = found.values()
    told = {name: first[name] for name in ("width", "norm", "levels", "blocks") if name in first}
    if "dropout" in first:
        told["dropout"] = 0.5 if first["dropout"] else 0.0
    judge = next((one for net, one in found.items() if net.startswith("D")), None)
    if judge:
        told["discriminator_width"] = judge["width"]
        told |= {"discriminator_layers": judge["layers"]} if judge["layers"] else {"discriminator": "pixel"}
    if kind in ("gesturegan", "pix2pix"):
        told["guidance"] = first["inputs"] == 6
    if kind == "pix2pix":
        told["generator"] = "unet256" if "levels" in told else f"resnet{told.pop('blocks')}"
    elif kind == "c2gan":
        told["guidance_channels"] = first["inputs"] - 3
        told |= {} if "G_L" in found else {"cycles": ("i2i2i",)}
    elif kind == "selectiongan":
        told |= {"guidance_width": found["Gs"]["width"], "attention_width": found["Ga"]["width"],
                 "images": found["Ga"]["images"], "uncertainty_maps": found["Ga"]["uncertainty"],
                 "channel_selection": found["Ga"]["channel_selection"]}
    elif kind == "asymmetricgan" and "G2" in found:
        told["reconstruction_width"] = found["G2"]["width"]
    elif kind == "asymmetricgan_unpaired" and "G_yx" in found:
        back = found["G_yx"]
        told |= {"reconstruction_architecture": back["architecture"], "reconstruction_blocks": back["blocks"]}
    return told


def write_run(config, variables: dict[str, dict], output: Path) -> Path:
    """Makes a run folder of a configuration and of networks by name; no step is behind it and it cannot be continued."""
    state = core.State(
        step=np.zeros((), np.int32),
        key=np.zeros(2, np.uint32),
        params={net: tree["params"] for net, tree in variables.items()},
        moving={net: tree["moving"] for net, tree in variables.items() if tree.get("moving")},
        opt={},
        ema={},
        pools={},
    )
    config = json.loads(config.to_json())
    output.mkdir(parents=True, exist_ok=True)
    checkpoint.save(output / "checkpoints", state, {"method": config["method"], "frozen": [], "config": config})
    (output / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    return output
