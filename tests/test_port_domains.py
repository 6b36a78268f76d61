"""State dicts of StarGAN and AsymmetricGAN: exact both ways, described from their arrays, imported into run folders."""

import sys
from pathlib import Path

import numpy as np
import pytest
from states import equal, filled, there_and_back

from gganjax import checkpoint, port
from gganjax.errors import InputError
from gganjax.nets.patch import PatchDiscriminator
from gganjax.nets.resnet import ResNetGenerator
from gganjax.nets.stargan import DomainDiscriminator, PlainGenerator, StarGANGenerator

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import import_torch

IMAGE, LABEL = (1, 16, 16, 3), (1, 5)


@pytest.mark.parametrize("module, table, sizes, found", [
    *[(StarGANGenerator(width=4, blocks=blocks), port.stargan.generator(blocks=blocks), (IMAGE, LABEL),
       {"architecture": 3 if blocks else 2, "domains": 5, "width": 4, "blocks": blocks}) for blocks in (0, 2, 6)],
    (PlainGenerator(), port.stargan.plain_generator(), (IMAGE, LABEL),
     {"architecture": 1, "domains": 5, "width": 9, "blocks": 0}),
    (DomainDiscriminator(5, width=4, layers=3), port.stargan.discriminator(layers=3), (IMAGE,),
     {"domains": 5, "width": 4, "layers": 3, "size": 16}),
])
def test_there_and_back_is_exact(module, table, sizes, found):
    state = there_and_back(table, filled(module, *sizes))
    describe = port.stargan.describe_discriminator if "layers" in found else port.stargan.describe_generator
    assert describe(state) == found


def test_keys_are_those_of_the_releases():
    keys = lambda table: {entry.path: entry.key for entry in table.entries}
    six = keys(port.stargan.generator(blocks=6))
    assert six["params/encoder/stem/kernel"] == "main.0.weight"
    assert six["params/encoder/block_5/norm_1/scale"] == "main.14.main.4.weight"
    assert six["params/decoder/up_0/kernel"] == "main.15.weight"
    assert six["moving/decoder/up_1_norm/var"] == "main.19.running_var"
    assert six["params/decoder/head/kernel"] == "main.21.weight"
    assert keys(port.stargan.generator(blocks=0))["params/decoder/up_0/kernel"] == "main.9.weight"
    judge = keys(port.stargan.discriminator())
    assert judge["params/conv_5/bias"] == "main.10.bias"
    assert (judge["params/patches/kernel"], judge["params/classes/kernel"]) == ("conv1.weight", "conv2.weight")


def test_tracked_statistics_are_taken_or_dropped():
    """Older files track instance statistics where newer classes, and Architecture I, do not."""
    module, table = PlainGenerator(), port.stargan.plain_generator()
    variables = filled(module, IMAGE, LABEL)
    tracked = port.to_torch(table, variables) | {"main.1.running_mean": np.zeros(9), "main.1.num_batches_tracked": 3}
    assert equal(port.to_flax(table, tracked, port.shapes(module, IMAGE, LABEL)), variables)
    module, table = StarGANGenerator(width=4, blocks=0), port.stargan.generator(blocks=0)
    variables, expected = filled(module, IMAGE, LABEL), port.shapes(module, IMAGE, LABEL)
    bare = {key: value for key, value in port.to_torch(table, variables).items() if "running" not in key}
    with pytest.raises(InputError, match=r"lacks the key main\.\S+running_mean, which fills our moving/"):
        port.to_flax(table, bare, expected)
    fresh = port.to_flax(table, bare, expected, fresh_statistics=True)
    assert equal(fresh["params"], variables["params"])
    assert np.all(fresh["moving"]["encoder"]["stem_norm"]["var"] == 1)


def test_other_state_dicts_are_refused():
    judge = port.to_torch(port.stargan.discriminator(layers=3), filled(DomainDiscriminator(5, width=4, layers=3), IMAGE))
    with pytest.raises(InputError, match="not that of a StarGAN generator: its first keys are"):
        port.stargan.describe_generator(judge)
    with pytest.raises(InputError, match="not that of a StarGAN discriminator"):
        port.stargan.describe_discriminator({"main.0.weight": np.zeros((4, 3, 4, 4))})


def release(folder, states, mark, number):
    for net, (table, variables) in states.items():
        np.savez(folder / f"{number}{mark}{net}.npz", **port.to_torch(table, variables))
    return folder / f"{number}{mark}{next(iter(states))}.npz"


def imported(kind, folder, states, mark="-"):
    path = release(folder, states, mark, "200000")
    assert import_torch.main([kind, str(path), "--output", str(folder / "run")]) == 0
    return checkpoint.load_networks(folder / "run"), checkpoint.read_meta(folder / "run")["config"]


def domains(count, blocks):
    return (port.stargan.generator(blocks=blocks),
            filled(StarGANGenerator(width=4, blocks=blocks), IMAGE, (1, count)))


def critic(count):
    return port.stargan.discriminator(layers=5), filled(DomainDiscriminator(count, width=4, layers=5), (1, 64, 64, 3))


def test_stargan_is_imported(tmp_path):
    states = {"G": domains(5, 2), "D": critic(5)}
    networks, config = imported("stargan", tmp_path, states)
    assert equal(networks["params"], {"generator": states["G"][1]["params"], "discriminator": states["D"][1]["params"]})
    assert equal(networks["moving"]["generator"], states["G"][1]["moving"])
    wanted = dict(width=4, blocks=2, discriminator_width=4, discriminator_layers=5)
    assert wanted.items() <= config["options"].items() and config["data"]["crop_size"] == 64


@pytest.mark.parametrize("blocks, architecture", [(0, 2), (2, 3)])
def test_unpaired_asymmetricgan_is_imported(tmp_path, blocks, architecture):
    states = {"G_xy": domains(8, 3), "G_yx": domains(8, blocks)}
    networks, config = imported("asymmetricgan_unpaired", tmp_path, states)
    assert equal(networks["params"]["reconstructor"], states["G_yx"][1]["params"])
    assert config["options"]["reconstruction_architecture"] == architecture
    assert (config["options"]["blocks"], config["options"]["reconstruction_blocks"]) == (3, blocks)


def test_paired_asymmetricgan_is_imported(tmp_path):
    generators = {net: (port.resnet.table(blocks=2), filled(ResNetGenerator(width=width, blocks=2), (1, 16, 16, 6)))
                  for net, width in (("G1", 4), ("G2", 3))}
    judges = {net: (port.patch.table(), filled(PatchDiscriminator(width=4), (1, 32, 32, channels)))
              for net, channels in (("D1", 6), ("D2", 9))}
    networks, config = imported("asymmetricgan", tmp_path, generators | judges, "_net_")
    assert equal(networks["params"]["reconstructor"], generators["G2"][1]["params"])
    assert equal(networks["params"]["discriminator_guided"], judges["D2"][1]["params"])
    wanted = dict(width=4, reconstruction_width=3, blocks=2, dropout=0.5, discriminator_width=4)
    assert wanted.items() <= config["options"].items()


def test_what_does_not_fit_is_one_sentence(tmp_path, capsys):
    path = release(tmp_path, {"G": domains(7, 2)}, "-", "10")
    assert import_torch.main(["stargan", str(path), "--output", str(tmp_path / "run")]) == 2
    assert "the state dict of G is of 7 domains, but the variant names 5: Black_Hair" in capsys.readouterr().err
    path = path.rename(tmp_path / "generator.npz")
    assert import_torch.main(["stargan", str(path), "--output", str(tmp_path / "run")]) == 2
    assert "must be named like NAME-G.ckpt" in capsys.readouterr().err
