"""What tells how networks were released, and what several families share."""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple

from ml_collections import ConfigDict

from gganjax import port
from gganjax.port import Table

Found = dict[str, dict]  # descriptions of the networks that there are, by the names in their files' names


class Network(NamedTuple):
    """One network of a release.

    Attributes:
      name: the method's name for it.
      describe: function state dict -> what builds the network, by name.
      table: function of that description -> the table of `gganjax.port`; see `taking`.
      channels: numbers of input channels that fit, where the configuration does not follow the file; () elsewhere.
      names: function state dict -> the same with the keys that the table knows.
    """

    name: str
    describe: Callable[[dict], dict]
    table: Callable[[dict], Table]
    channels: tuple[int, ...] = ()
    names: Callable[[dict], dict] = dict


class Release(NamedTuple):
    """How a method's networks were released.

    Attributes:
      experiment: module of the method's variants.
      variant: the one that the networks are taken for unless told otherwise.
      nets: the method's networks by the names in their files' names.
      configure: function (config, descriptions by network) that writes into the variant's configuration what the files
        tell; an InputError says what does not go together.
      needed: how many of the networks, from the first on, must be there.
      mark: what stands in front of the names.
      suffix: of the files.
      any_name: whether the first file may be named otherwise; nothing is found beside it then.
    """

    experiment: ModuleType
    variant: str
    nets: dict[str, Network]
    configure: Callable[[ConfigDict, Found], None]
    needed: int = 1
    mark: str = "_net_"
    suffix: str = "pth"
    any_name: bool = True

    @property
    def first(self) -> str:
        """Name of the network whose file is given; the others are found beside it."""
        return next(iter(self.nets))


def taking(table: Callable[..., Table]) -> Callable[[dict], Table]:
    """Makes of a table's function one of a description: a parameter takes the value of its name, norm_kind `norm`."""
    names = inspect.signature(table).parameters

    def build(found: dict) -> Table:
        given = found | ({"norm_kind": found["norm"]} if "norm" in found else {})
        return table(**{name: given[name] for name in names if name in given})

    return build


def patch(name: str, *channels: int) -> Network:
    """A PatchGAN, or the 1x1 discriminator, that takes one of these numbers of channels."""
    def table(found: dict) -> Table:
        return taking(port.patch.table if found["layers"] else port.patch.pixel_table)(found)

    return Network(name, port.patch.describe, table, channels)


def told(found: Found) -> dict:
    """The options that the descriptions tell under the same name in most methods; the first is a generator."""
    first, *others = found.values()
    options = {name: first[name] for name in ("width", "norm", "levels", "blocks") if name in first}
    if "dropout" in first:
        options["dropout"] = 0.5 if first["dropout"] else 0.0
    return options | judge(found)


def judge(found: Found) -> dict:
    """The options of the first discriminator, whose name begins with D."""
    one = next((one for net, one in found.items() if net.startswith("D")), None)
    if one is None:
        return {}
    return {"discriminator_width": one["width"]} | (
        {"discriminator_layers": one["layers"]} if one["layers"] else {"discriminator": "pixel"})
