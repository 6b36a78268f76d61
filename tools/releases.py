"""Run folders of the methods' released PyTorch networks; `import_torch.py` is the command.

What is released, and what its files tell, is in `released`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import state_dicts
from released import poses, scenes, translation
from released.common import Release

from gganjax import checkpoint, core, methods, port, settings
from gganjax.errors import InputError

RELEASES = translation.RELEASES | poses.RELEASES | scenes.RELEASES


def import_release(kind: str, path: Path, output: Path, *, variant: str | None = None) -> Path:
    """Makes a run folder of a method's released networks: the given file and those beside it.

    Widths, depths, norm, dropout, channels and what else the files tell are read off them; everything else is that of
    the variant. Statistics of instance norms, which later releases leave out and nothing uses unless it asks for
    "running" ones, start at mean 0 and variance 1 then.
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
    found = {net: describe(release, net, state, beside[net]) for net, state in states.items()}
    with config.unlocked():  # so that an option that the method does not have is told of by `load`
        release.configure(config, found)
    method, variables = methods.load(kind, config.options), {}
    settings.check_size(config, method)
    expected = core.variables(method, settings.example(config, method))
    for net, one in found.items():
        network = release.nets[net]
        if network.name in method.nets:
            fresh = one.get("norm", "instance") == "instance"
            with naming(beside[net]):
                variables[network.name] = port.to_flax(network.table(one), network.names(states[net]),
                                                       expected[network.name], fresh_statistics=fresh)
    return write_run(config, variables, output)


def files(release: Release, path: Path) -> dict[str, Path]:
    """Returns the given file and those beside it, by network: latest_net_G.pth and latest_net_D.pth, or 10-G.ckpt.

    Networks that must be there are among them whether their files exist or not.
    """
    mark, first = release.mark, release.first
    if f"{mark}{first}." not in path.name:
        if release.any_name:
            return {first: path}
        raise InputError(f"{path} must be named like NAME{mark}{first}.{release.suffix}, so that the other networks "
                         "are found beside it")
    beside = {net: path.with_name(path.name.replace(f"{mark}{first}.", f"{mark}{net}.")) for net in release.nets}
    needed = list(release.nets)[: release.needed]
    return {net: file for net, file in beside.items() if net in needed or file.is_file()}


def describe(release: Release, net: str, state: dict, file: Path) -> dict:
    """Reads off a state dict what builds the network, whose input channels must fit."""
    network = release.nets[net]
    with naming(file):
        found = network.describe(state)
    if network.channels and found["inputs"] not in network.channels:
        fitting = " or ".join(map(str, network.channels))
        raise InputError(f"{file} is a network of {found['inputs']} input channels, expected {fitting}")
    return found


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Puts the file in front of what is said of its state dict."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


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
