"""Releases of the methods that bring a person into another pose."""

from ml_collections import ConfigDict

from experiments import bigraphgan, patn, selectiongan_person, xinggan
from gganjax import methods, port
from released.common import Found, Network, Release, taking


def judge(name: str) -> Network:
    """A discriminator of the pose recipe."""
    return Network(name, port.pose.describe_discriminator, taking(port.pose.discriminator))


JUDGES = {"netD_PB": judge("shape_discriminator"), "netD_PP": judge("appearance_discriminator")}


def configure(config: ConfigDict, found: Found) -> None:
    """The generator sees the maps of both poses; what it tells under the name of an option is that option."""
    first, known = next(iter(found.values())), methods.options(config.method)
    told = {name: value for name, value in first.items() if name in known}
    config.options.update(
        told | {"guidance_channels": first["inputs"] // 2, "dropout": 0.5 if first["dropout"] else 0.0})
    for net in JUDGES:
        if net in found:
            config.options.update(discriminator_width=found[net]["width"], discriminator_blocks=found[net]["blocks"])


def configure_person(config: ConfigDict, found: Found) -> None:
    """The second stage besides."""
    configure(config, found)
    config.options.update(images=found["netG2"]["images"], uncertainty_maps=found["netG2"]["uncertainty"])


def release(experiment, module) -> Release:
    """The release of a method whose generator a module of `gganjax.port` knows."""
    nets = {"netG": Network("generator", module.describe, taking(module.table)), **JUDGES}
    return Release(experiment, "released_market", nets, configure)


FIRST = Network("generator", port.selection.describe_person, taking(port.patn.table), names=port.selection.person_names)
SECOND = Network("attention_generator", port.selection.describe_person_selection, taking(port.selection.person),
                 names=port.selection.person_names)
RELEASES = {
    "patn": release(patn, port.patn),
    "xinggan": release(xinggan, port.xing),
    "bigraphgan": release(bigraphgan, port.bigraph),
    "selectiongan_person": Release(
        selectiongan_person, "released_market", {"netG1": FIRST, "netG2": SECOND, **JUDGES}, configure_person,
        needed=2, any_name=False),
}
