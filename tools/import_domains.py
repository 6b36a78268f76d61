"""What `import_torch.py` reads of the checkpoints of StarGAN and of both AsymmetricGANs."""

from pathlib import Path

from experiments import asymmetricgan, asymmetricgan_unpaired, stargan
from gganjax import port
from gganjax.errors import InputError

# By method: its experiment, the variant that fits its release, and its networks by the names of their files, the one
# that must be given first.
RELEASES = {
    "stargan": (stargan, "celeba", {"G": "generator", "D": "discriminator"}),
    "asymmetricgan_unpaired": (asymmetricgan_unpaired, "released", {
        "G_xy": "translator", "G_yx": "reconstructor", "D": "discriminator"}),
    "asymmetricgan": (asymmetricgan, "ntu", {
        "G1": "translator", "G2": "reconstructor", "D1": "discriminator_plain", "D2": "discriminator_guided"}),
}
CHANNELS = {"G1": 6, "G2": 6, "D1": 6, "D2": 9}  # what the networks of pairs see


def files(kind: str, path: Path) -> dict[str, Path]:
    """Returns the given file and those beside it by network: 200000-G.ckpt and 200000-D.ckpt, latest_net_G1.pth and so on."""
    _, _, names = RELEASES[kind]
    first, mark = next(iter(names)), "_net_" if kind == "asymmetricgan" else "-"
    if f"{mark}{first}." not in path.name:
        raise InputError(f"{path} must be named like NAME{mark}{first}.{'pth' if mark == '_net_' else 'ckpt'}, so that the other "
                         "networks are found beside it")
    beside = {net: path.with_name(path.name.replace(f"{mark}{first}.", f"{mark}{net}.")) for net in names}
    return {net: file for net, file in beside.items() if net == first or file.is_file()}


def adapt(kind: str, config, states: dict[str, dict]) -> None:
    """Puts what the state dicts tell of their networks into a configuration: options, and the size of the pictures."""
    if kind == "asymmetricgan":
        config.options.update(_options_of_pairs(states))
        return
    describe = {"D": port.stargan.describe_discriminator}
    found = {net: describe.get(net, port.stargan.describe_generator)(state) for net, state in states.items()}
    for net, one in found.items():
        if one["domains"] != len(config.options.domains):
            raise InputError(f"the state dict of {net} is of {one['domains']} domains, but the variant names "
                             f"{len(config.options.domains)}: {', '.join(config.options.domains)}")
    first = next(iter(found.values()))
    config.options.update(width=first["width"], blocks=first["blocks"])
    if "G_yx" in found:
        back = found["G_yx"]
        config.options.update(reconstruction_architecture=back["architecture"], reconstruction_blocks=back["blocks"])
    if "D" in found:
        judge = found["D"]
        config.options.update(discriminator_width=judge["width"], discriminator_layers=judge["layers"])
        config.data.update(load_size=judge["size"], crop_size=judge["size"])


def convert(kind: str, states: dict[str, dict], method) -> dict[str, dict]:
    """Converts state dicts to variables by the method's network names; absent statistics start at mean 0, variance 1."""
    variables = {}
    for net, state in states.items():
        name = RELEASES[kind][2][net]
        table, *inputs = _of_pairs(net, state) if kind == "asymmetricgan" else _of_domains(net, state)
        variables[name] = port.to_flax(table, state, port.shapes(method.nets[name], *inputs), fresh_statistics=True)
    return variables


def _options_of_pairs(states: dict[str, dict]) -> dict:
    generator = port.resnet.describe(states["G1"])
    options = {"width": generator["width"], "blocks": generator["blocks"], "norm": generator["norm"],
               "dropout": 0.5 if generator["dropout"] else 0.0}
    if "G2" in states:
        options["reconstruction_width"] = port.resnet.describe(states["G2"])["width"]
    judge = next((port.patch.describe(states[net]) for net in ("D1", "D2") if net in states), None)
    return options | ({"discriminator_width": judge["width"], "discriminator_layers": judge["layers"]} if judge else {})


def _of_pairs(net: str, state: dict) -> tuple:
    size = (1, 64, 64, CHANNELS[net])
    if net.startswith("G"):
        found = port.resnet.describe(state)
        return port.resnet.table(blocks=found["blocks"], norm_kind=found["norm"], dropout=found["dropout"]), size
    found = port.patch.describe(state)
    return port.patch.table(layers=found["layers"], norm_kind=found["norm"]), size


def _of_domains(net: str, state: dict) -> tuple:
    if net == "D":
        found = port.stargan.describe_discriminator(state)
        return port.stargan.discriminator(layers=found["layers"]), (1, found["size"], found["size"], 3)
    found = port.stargan.describe_generator(state)
    one = found["architecture"] == 1
    table = port.stargan.plain_generator() if one else port.stargan.generator(blocks=found["blocks"])
    return table, (1, 64, 64, 3), (1, found["domains"])
