"""Releases of the scene systems: GauGAN and what builds on its code, and LGGAN across views.

A label map's files tell how many channels the networks see, not how these divide into classes, unknown pixels and edges
of instances: that the variant's data set says. EdgeGAN's networks were never released.
"""

from collections.abc import Callable

from ml_collections import ConfigDict

from experiments import dagan, gaugan, lggan, lggan_semantic, pix2pixhd, selectiongan_semantic
from gganjax import port
from gganjax.data.settings import crop_of
from gganjax.errors import InputError
from gganjax.nets.spade import HALVINGS
from gganjax.synthesis import Semantics
from released.common import Found, Network, Release, judge, patch, taking

TOLD = ("width", "hidden", "norm", "latent", "images", "levels", "blocks")  # options that a generator tells


def configure(config: ConfigDict, found: Found) -> None:
    """Of a method of the recipe in `gganjax/synthesis.py`.

    Upsampling "normal" and "more" have the same parameters; which of both it is, the variant says.
    """
    first, options = found["G"], config.options
    told = {name: first[name] for name in TOLD if name in first} | judge(found)
    if "D" in found:
        told |= {f"discriminator_{name}": found["D"][name] for name in ("scales", "norm")}
    if "E" in found and first["latent"]:
        told |= {f"encoder_{name}": found["E"][name] for name in ("width", "size")}
    if "spectral" in first:  # Pix2pixHD
        told["norm"] = "spectralinstance" if first["spectral"] else "instance"
    if "most" in (first.get("upsampling"), options.get("upsampling")):
        told["upsampling"] = first["upsampling"]
    options.update(told)
    if config.data.kind == "labels" and config.data.layout == "plain":  # any number of classes
        options.classes = config.data.classes = first["inputs"] - options.unknown - options.instances
    check_channels(options, found)
    if first.get("latent"):
        check_code(config, found)


def check_channels(options: ConfigDict, found: Found) -> None:
    """Holds what the networks see against what the variant's data set gives."""
    given = Semantics(**{name: options[name] for name in Semantics._fields if name in options})
    labels = {f"{given.classes} classes": True, "unknown pixels": given.unknown, "edges of instances": given.instances}
    parts = "the guidance" if given.guidance != "none" else ", ".join(name for name, there in labels.items() if there)
    for net, one in found.items():
        seen = one.get("inputs", given.channels) - (3 if net == "D" else 0)
        if seen != given.channels:
            raise InputError(f"the state dict of {net} is of {seen} channels of labels, but the variant has "
                             f"{given.channels}: {parts}")


def check_code(config: ConfigDict, found: Found) -> None:
    """Holds a generator with a latent, which is made for one size, against the variant's; the guided form needs E."""
    halvings, crop = HALVINGS[config.options.upsampling], crop_of(config.data)
    (height, width), area = (side // 2**halvings for side in crop), found["G"]["area"]
    if height * width != area:
        raise InputError(f"the state dict of G begins with {area} features of its code, but the variant's pictures, "
                         f"{crop[1]}x{crop[0]} and {halvings} times halved, with {height * width}")
    if config.options.guidance != "none" and "E" not in found:
        raise InputError("the state dict of G takes the code of the source, but that of E, which tells it, is missing "
                         "beside it")


def configure_lggan_semantic(config: ConfigDict, found: Found) -> None:
    """As many classes have an image of their own as there are heads."""
    configure(config, found)
    heads, options = found["G"]["classes"], config.options
    options.local_classes = 0 if heads == options.classes + options.unknown else heads


def configure_lggan(config: ConfigDict, found: Found) -> None:
    """Across views the generator tells everything."""
    config.options.update({name: found["G"][name] for name in ("width", "blocks", "classes")}, **judge(found))


def of_form(form: str) -> Callable[[dict], dict]:
    """`port.lggan.describe` that refuses the other form."""
    def describe(state: dict) -> dict:
        found = port.lggan.describe(state)
        if found["form"] != form:
            other = "lggan_semantic" if found["form"] == "semantic" else "lggan"
            raise InputError(f"the state dict is that of LGGAN's other form, which '{other}' imports")
        return found

    return describe


def lggan_generator(form: str) -> Network:
    """LGGAN's generator of that form, whose files have a layer for each class."""
    return Network("generator", of_form(form), taking(port.lggan.table), names=port.lggan.join)


JUDGE = Network("discriminator", port.spade.describe_discriminator, taking(port.spade.discriminator_table))
ENCODER = Network("encoder", port.spade.describe_encoder, taking(port.spade.encoder_table))


def release(experiment, describe: Callable, table: Callable, *, encoder: bool = False) -> Release:
    """The release of a method of the recipe, whose generator these functions of `gganjax.port` know."""
    nets = {"G": Network("generator", describe, taking(table))} | ({"E": ENCODER} if encoder else {}) | {"D": JUDGE}
    return Release(experiment, "cityscapes", nets, configure, any_name=False)


RELEASES = {
    "gaugan": release(gaugan, port.spade.describe, port.spade.table, encoder=True),
    "dagan": release(dagan, port.dagan.describe, port.dagan.table, encoder=True),
    "selectiongan_semantic": release(
        selectiongan_semantic, port.selection.describe_semantic, port.selection.semantic),
    "pix2pixhd": release(pix2pixhd, port.pix2pixhd.describe, port.pix2pixhd.table),
    "lggan_semantic": Release(
        lggan_semantic, "cityscapes", {"G": lggan_generator("semantic"), "D": JUDGE}, configure_lggan_semantic,
        any_name=False),
    "lggan": Release(
        lggan, "dayton", {"G": lggan_generator("cross_view"), "D1": patch("discriminator_source"),
                          "D2": patch("discriminator_guidance")}, configure_lggan, any_name=False),
}
