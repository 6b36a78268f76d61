"""The feature networks' PyTorch releases: state dict keys <-> parameters of `gganjax.features`."""

from gganjax.port import vgg
from gganjax.port.convert import HEAD, LINEAR, Entry, Table, conv, mirrored

# Keys of the releases that the networks do not use.
IGNORED = {
    "drn_d_105": r"up\.weight",  # the fixed bilinear kernel
    "squeezenet": r"classifier\..*",
}
ALEXNET_LAYERS = (0, 3, 6, 8, 10)  # of the convolutions in the release's list of layers
HEADS = {"alexnet": 5, "vgg16": 5, "squeezenet": 7}


def table(name: str, expected: dict) -> Table:
    """Returns the table of the network `name` of `features.network`, given the shapes of its variables.

    Keys are those of the release; LPIPS networks have the trunk's and the heads' `lin<k>.model.1.weight` in one
    dictionary, UperNet101 has "encoder." and "decoder." in front of the keys of its two files.
    """
    if name.startswith("lpips_"):
        return _lpips(name.removeprefix("lpips_"), expected)
    if name in ("vgg16", "vgg19"):
        return vgg.table(int(name[3:]))
    if name == "alexnet":
        return Table("AlexNet", _alexnet(""), r"classifier\..*")
    if name == "alexnet_places365":
        linear = []
        for layer in ("classifier.1", "classifier.4", "classifier.6"):
            linear.append(Entry(f"{layer}.weight", f"params/{layer}/kernel", LINEAR))
            linear.append(Entry(f"{layer}.bias", f"params/{layer}/bias"))
        return Table("AlexNet-Places365", (*_alexnet("trunk/"), *linear))
    return mirrored(name, expected, ignored=IGNORED.get(name, ""))


def _alexnet(prefix: str) -> tuple[Entry, ...]:
    layers = [conv(f"features.{place}", f"{prefix}conv{i}") for i, place in enumerate(ALEXNET_LAYERS, start=1)]
    return sum(layers, ())


def _lpips(net: str, expected: dict) -> Table:
    trunk = table(net, {"params": expected["params"]["trunk"]})
    entries = [entry._replace(path=entry.path.replace("params/", "params/trunk/", 1)) for entry in trunk.entries]
    heads = [Entry(f"lin{k}.model.1.weight", f"params/head_{k}", HEAD) for k in range(HEADS[net])]
    return Table(f"LPIPS with {net}", (*entries, *heads), rf"{trunk.ignored}|scaling_layer\..*")
