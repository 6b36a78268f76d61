"""Converts published PyTorch weights, once, into files that gganjax reads without PyTorch.

    python tools/import_torch.py vgg19 vgg19-dcbb9e9d.pth
    python tools/import_torch.py squeezenet squeezenet1_1-b8a52dc0.pth squeeze.pth
    python tools/import_torch.py gesturegan checkpoints/ntu/latest_net_G.pth --output runs/ntu_released --variant ntu

A feature network's name puts its weights into the weights folder ($GGANJAX_WEIGHTS or ~/.cache/gganjax) and records
the checksums of the files they were made from; `tools/fetch_weights.py --list` tells names, files and their order.
The name of a method makes a run folder of its released networks, that `gganjax.load` opens and `--mode=evaluate` and
`--mode=sample` take:

    method                              given           besides          and where they lie beside it
    gesturegan                          *_net_G.pth                      D1, D2
    pix2pix                             *_net_G.pth                      D
    cyclegan                            *_net_G_A.pth                    G_B, D_A, D_B
    c2gan                               *_net_G.pth                      G_L, D, D_L
    stargan                             *-G.ckpt                         D
    asymmetricgan_unpaired              *-G_xy.ckpt                      G_yx, D
    asymmetricgan                       *_net_G1.pth                     G2, D1, D2
    selectiongan                        *_net_Gi.pth    Gs, Ga           D
    selectiongan_person                 *_net_netG1.pth netG2            netD_PB, netD_PP
    patn, xinggan, bigraphgan           *_net_netG.pth                   netD_PB, netD_PP
    gaugan, dagan                       *_net_G.pth                      E (the encoder), D
    pix2pixhd, selectiongan_semantic,
    lggan_semantic                      *_net_G.pth                      D
    lggan                               *_net_G.pth                      D1, D2

Networks of label maps do not tell which classes their channels are: --variant names the data set, as ade20k.

Files may be .pth, .pth.tar or .ckpt (state dicts, read without PyTorch; a file that names any code is refused),
.safetensors or .npz.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import state_dicts
from releases import RELEASES, import_release

from gganjax import features, port
from gganjax.errors import InputError
from gganjax.features import weights
from gganjax.features.sources import SOURCES

CONVERTED = tuple(name for name, source in SOURCES.items() if not source.packaged)
PREFIXES = {"upernet101": ("encoder.", "decoder.")}  # in front of the keys of each file


def main(arguments=None) -> int:
    """Runs one conversion; returns the exit status, 2 after a sentence about bad input."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name in CONVERTED:
        network = kinds.add_parser(name, help="from " + " and ".join(file.name for file in SOURCES[name].files))
        network.add_argument("files", type=Path, nargs="+")
    for kind, release in RELEASES.items():
        like = f"*{release.mark}{release.first}.{release.suffix}"
        released = kinds.add_parser(kind, help=f"released networks, {like} and those beside it")
        released.add_argument("file", type=Path, help=like)
        released.add_argument("--output", type=Path, required=True, help="run folder to make")
        released.add_argument("--variant", default=release.variant,
                              help=f"variant of experiments/{kind}.py it was trained as")
    given = parser.parse_args(arguments)
    try:
        if given.kind in RELEASES:
            print(f"wrote {import_release(given.kind, given.file, given.output, variant=given.variant)}")
        else:
            print(f"wrote {import_network(given.kind, given.files)}")
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def import_network(name: str, files: list[Path]) -> Path:
    """Converts a feature network's published files into the weights folder; returns the file written.

    Files come in the order of `sources.SOURCES`. Their checksums are recorded; another file of the same name is
    refused later, so that a network stays what it was.
    """
    published = SOURCES[name].files
    if len(files) != len(published):
        names = " and ".join(file.name for file in published)
        raise InputError(f"{name} is converted from {len(published)} files, {names}, got {len(files)}")
    recorded, digests, state = weights.conversion(name), {}, {}
    for path, known, prefix in zip(files, published, PREFIXES.get(name, ("",) * len(files)), strict=True):
        entries = state_dicts.read(path)
        digest = weights.verify(path, known) if path.name == known.name else weights.sha256(path)
        if recorded.get(path.name, digest) != digest:
            raise InputError(
                f"{path} is not the file that {name} was converted from before: its SHA-256 is {digest}, that of the "
                f"other {recorded[path.name]}; remove {weights.record_path(name)} to take it all the same"
            )
        digests[path.name] = digest
        # torch.nn.DataParallel adds a level of its own to the names.
        state |= {prefix + re.sub(r"(^|\.)module\.", r"\1", key): value for key, value in entries.items()}
    network = f"lpips_{name}" if f"lpips_{name}" in features.NETWORKS else name
    expected = features.shapes(network)
    params = port.to_flax(port.frozen.table(network, expected), state, expected)["params"]
    target = weights.path(name)
    weights.write_npz(target, params)
    unfinished = target.with_suffix(".json.unfinished")
    unfinished.write_text(json.dumps(digests, indent=2) + "\n")
    os.replace(unfinished, weights.record_path(name))
    return target


if __name__ == "__main__":
    sys.exit(main())
