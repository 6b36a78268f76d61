"""Releases of the methods that bring pictures from one domain, gesture or view to another."""

from ml_collections import ConfigDict

from experiments import (
    asymmetricgan,
    asymmetricgan_unpaired,
    c2gan,
    cyclegan,
    gesturegan,
    pix2pix,
    selectiongan,
    stargan,
)
from gganjax import port
from gganjax.errors import InputError
from gganjax.port import Table
from released.common import Found, Network, Release, patch, taking, told


def generator(name: str, *channels: int) -> Network:
    """A U-Net or a residual generator, as its file tells."""
    def describe(state: dict) -> dict:
        return (port.unet if "model.model.0.weight" in state else port.resnet).describe(state)

    def table(found: dict) -> Table:
        return taking((port.unet if "levels" in found else port.resnet).table)(found)

    return Network(name, describe, table, channels)


def configure(config: ConfigDict, found: Found) -> None:
    """Writes what needs no explanation."""
    config.options.update(told(found))


def configure_gesturegan(config: ConfigDict, found: Found) -> None:
    """The generator sees image and structure, or the image alone."""
    config.options.update(told(found), guidance=found["G"]["inputs"] == 6)


def configure_pix2pix(config: ConfigDict, found: Found) -> None:
    """Likewise; options.generator names the number of blocks."""
    options = told(found)
    options["generator"] = "unet256" if "levels" in options else f"resnet{options.pop('blocks')}"
    config.options.update(options, guidance=found["G"]["inputs"] == 6)


def configure_c2gan(config: ConfigDict, found: Found) -> None:
    """Without the guidance generator nothing is read off the pictures: the image cycle remains alone."""
    config.options.update(told(found), guidance_channels=found["G"]["inputs"] - 3)
    if "G_L" not in found:
        config.options.cycles = ("i2i2i",)


def configure_asymmetricgan(config: ConfigDict, found: Found) -> None:
    """The reconstructor has a width of its own."""
    config.options.update(told(found))
    if "G2" in found:
        config.options.reconstruction_width = found["G2"]["width"]


def configure_selectiongan(config: ConfigDict, found: Found) -> None:
    """Every generator has a width of its own."""
    last = found["Ga"]
    config.options.update(
        told(found), guidance_width=found["Gs"]["width"], attention_width=last["width"], images=last["images"],
        uncertainty_maps=last["uncertainty"], channel_selection=last["channel_selection"])


def configure_domains(config: ConfigDict, found: Found) -> None:
    """A judge of domains spans the whole picture; labels are as long as the variant names domains."""
    for net, one in found.items():
        if one["domains"] != len(config.options.domains):
            raise InputError(f"the state dict of {net} is of {one['domains']} domains, but the variant names "
                             f"{len(config.options.domains)}: {', '.join(config.options.domains)}")
        if "size" in one:
            config.data.update(load_size=one["size"], crop_size=one["size"])
    config.options.update(told(found))
    if "G_yx" in found:
        back = found["G_yx"]
        config.options.update(reconstruction_architecture=back["architecture"], reconstruction_blocks=back["blocks"])


def labeled_generator(name: str) -> Network:
    """A generator that sees the label of a domain."""
    def table(found: dict) -> Table:
        return port.stargan.plain_generator() if found["architecture"] == 1 else taking(port.stargan.generator)(found)

    return Network(name, port.stargan.describe_generator, table)


LABELED = dict(configure=configure_domains, mark="-", suffix="ckpt", any_name=False)
DOMAIN_JUDGE = Network("discriminator", port.stargan.describe_discriminator, taking(port.stargan.discriminator))


def unet(name: str) -> Network:
    """A U-Net of SelectionGAN's first stage."""
    return Network(name, port.selection.describe_unet, taking(port.selection.unet))


def selection_table(found: dict) -> Table:
    """The table of SelectionGAN's second stage, which carries a layer that is never called."""
    return port.selection.generator(channel_selection=found["channel_selection"] != "none", unused_layer=True)


RELEASES = {
    "gesturegan": Release(gesturegan, "ntu", {
        "G": generator("generator", 6, 3), "D1": patch("discriminator_plain", 6),
        "D2": patch("discriminator_guided", 9)}, configure_gesturegan),
    "pix2pix": Release(pix2pix, "", {"G": generator("generator"), "D": patch("discriminator")}, configure_pix2pix),
    "cyclegan": Release(cyclegan, "", {
        "G_A": generator("to_target"), "G_B": generator("to_source"), "D_A": patch("discriminator_target"),
        "D_B": patch("discriminator_source")}, configure),
    "c2gan": Release(c2gan, "", {
        "G": generator("image_generator"), "G_L": generator("guidance_generator"), "D": patch("image_discriminator"),
        "D_L": patch("guidance_discriminator")}, configure_c2gan),
    "stargan": Release(stargan, "celeba", {"G": labeled_generator("generator"), "D": DOMAIN_JUDGE}, **LABELED),
    "asymmetricgan_unpaired": Release(asymmetricgan_unpaired, "released", {
        "G_xy": labeled_generator("translator"), "G_yx": labeled_generator("reconstructor"), "D": DOMAIN_JUDGE},
        **LABELED),
    "asymmetricgan": Release(asymmetricgan, "ntu", {
        "G1": generator("translator", 6), "G2": generator("reconstructor", 6), "D1": patch("discriminator_plain", 6),
        "D2": patch("discriminator_guided", 9)}, configure_asymmetricgan, any_name=False),
    "selectiongan": Release(selectiongan, "released", {
        "Gi": unet("image_generator"), "Gs": unet("guidance_generator"),
        "Ga": Network("attention_generator", port.selection.describe, selection_table), "D": patch("discriminator", 6)},
        configure_selectiongan, needed=3, any_name=False),
}
