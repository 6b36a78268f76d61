"""PG2's published networks: names of TensorFlow variables <-> `nets.pg2`.

TensorFlow numbers layers of a kind in the order of their making: Conv, Conv_1, ... and fully_connected,
fully_connected_1. Its kernels lie as ours do, [height, width, inputs, outputs].
"""

import re

from gganjax.errors import InputError
from gganjax.port.convert import Entry, Table

# Where the variables of each network begin, by the method's name of it.
PREFIXES = {"coarse": "Pose_AE/G/", "refiner": "UAEnoFC/G/", "discriminator": "Discriminator."}
IGNORED = r".*/Adam(_1)?"  # of its optimizer


def coarse(*, levels: int = 5) -> Table:
    """Returns the table of G1 that sees maps behind the image's channels."""
    paths = ["encoder/stem"]
    for i in range(levels):
        paths += [f"encoder/block_{i}/conv_0", f"encoder/block_{i}/conv_1", f"encoder/down_{i}"]
    paths.pop()  # the last level is not halved
    for i in range(levels):
        paths += [f"block_{i}/conv_0", f"block_{i}/conv_1", f"up_{i}"]
    paths[-1] = "head"
    linear = _numbered(PREFIXES["coarse"] + "fully_connected", ["encoder/code", "expand"])
    entries = (*_numbered(PREFIXES["coarse"] + "Conv", paths), *linear)
    return Table(f"PG2's coarse generator of {levels} levels", entries, IGNORED)


def refiner(*, levels: int = 3) -> Table:
    """Returns the table of G2, with or without its top skip."""
    paths = ["stem"]
    for i in range(levels):
        paths += [f"encoder_{i}_0", f"encoder_{i}_1", f"down_{i}"]
    paths.pop()
    paths += [f"decoder_{i}_{k}" for i in range(levels) for k in range(2)]
    entries = _numbered(PREFIXES["refiner"] + "Conv", [*paths, "head"])
    return Table(f"PG2's refiner of {levels} levels", entries, IGNORED)


def discriminator(*, layers: int = 4) -> Table:
    """Returns the table of the DCGAN discriminator."""
    entries = []
    for i in range(layers):
        key = f"Discriminator.{i + 1}/Discriminator.{i + 1}"
        entries += [Entry(f"{key}.Filters", f"params/conv_{i}/kernel"), Entry(f"{key}.Biases", f"params/conv_{i}/bias")]
        if i:
            key = f"Discriminator.BN{i + 1}"
            entries.append(Entry(f"{key}.scale", f"params/norm_{i}/scale"))
            entries.append(Entry(f"{key}.offset", f"params/norm_{i}/bias"))
    head = "Discriminator.Output/Discriminator.Output"
    entries += [Entry(f"{head}.W", "params/head/kernel"), Entry(f"{head}.b", "params/head/bias")]
    return Table(f"PG2's {layers}-layer discriminator", tuple(entries), IGNORED)


def tables(options: dict) -> dict[str, Table]:
    """Returns the tables of the networks that `describe` has found, by the method's names."""
    found = {"coarse": coarse(levels=options["levels"])}
    if options["refiner"]:
        found["refiner"] = refiner(levels=options["levels"] - 2)
    if options["discriminator"] != "none":
        found["discriminator"] = discriminator(layers=options["discriminator_layers"])
    return found


def _numbered(kind: str, paths: list[str]) -> tuple[Entry, ...]:
    """Entries of layers of one kind in the order of their making."""
    entries = []
    for number, path in enumerate(paths):
        key = f"{kind}_{number}" if number else kind
        entries += [Entry(f"{key}/weights", f"params/{path}/kernel"), Entry(f"{key}/biases", f"params/{path}/bias")]
    return tuple(entries)


def split(variables: dict) -> dict[str, dict]:
    """Divides TensorFlow variables among the networks that are there, by the method's names; others are left out."""
    parts = {net: {key: value for key, value in variables.items() if key.startswith(prefix)}
             for net, prefix in PREFIXES.items()}
    return {net: part for net, part in parts.items() if part}


def describe(parts: dict[str, dict]) -> dict:
    """Reads the options of `methods.pg2.build` off the variables of the networks that are there (see `split`).

    The discriminator of the published code sees single images, so its presence tells which triplet judges: that of
    DeepFashion has a refiner with a top skip.
    """
    first = f"{PREFIXES['coarse']}Conv/weights"
    if first not in parts.get("coarse", {}):
        found = sorted(key for part in parts.values() for key in part)[:3]
        raise InputError(f"the variables are not those of PG2: {first} is missing, of its networks there are {found}")
    state = parts["coarse"]
    channels, width = state[first].shape[2:]
    # A stem, three convolutions a level on the way down and up but two at its end, and a head: 6 levels - 2 + 2.
    levels = sum(bool(re.fullmatch(r".*/Conv(_\d+)?/weights", key)) for key in state) // 6
    found = {"guidance_channels": channels - 3, "width": width, "levels": levels,
             "code": state[f"{PREFIXES['coarse']}fully_connected/weights"].shape[1],
             "refiner": "refiner" in parts, "discriminator": "none", "top_skip": False}
    if "refiner" in parts:
        last = f"{PREFIXES['refiner']}Conv_{5 * (levels - 2) - 2}/weights"  # the first of two in front of the head
        found["top_skip"] = parts["refiner"][last].shape[2] > width
    if "discriminator" in parts:
        kernels = [value for key, value in parts["discriminator"].items() if key.endswith(".Filters")]
        found |= {"discriminator": "triplet_df256" if found["top_skip"] else "triplet_market",
                  "discriminator_width": min(kernel.shape[3] for kernel in kernels),
                  "discriminator_layers": len(kernels)}
    return found
