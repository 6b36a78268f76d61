"""Released networks of the pose recipe: every key has its place, and checkpoints become run folders."""

import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from states import equal, filled

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import import_torch

from gganjax import checkpoint, port, use
from gganjax.errors import InputError
from gganjax.layers import Mode
from gganjax.nets.patn import PATNGenerator, ResnetPoseGenerator
from gganjax.nets.pose import PoseDiscriminator

IMAGE, MAPS = (1, 16, 16, 3), (1, 16, 16, 8)


@pytest.mark.parametrize("dropout", [True, False])
@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_every_leaf_has_a_key_and_back(norm, dropout):
    part = dict(norm_kind=norm, dropout=dropout)
    for module, table, sizes in (
        (PATNGenerator(2, 2, norm), port.patn.table(blocks=2, **part), (IMAGE, MAPS)),
        (ResnetPoseGenerator(2, 2, norm), port.patn.resnet_table(blocks=2, **part), (IMAGE, MAPS)),
        (PoseDiscriminator(2, 2, norm), port.pose.discriminator(blocks=2, **part), (MAPS,)),
    ):
        variables = filled(module, *sizes)
        state = port.to_torch(table, variables)
        assert len(state) == len(jax.tree.leaves(variables))
        assert len(state) == len(table.entries) or norm == "instance"  # instance norms have no place for their statistics
        again = port.to_flax(table, state, variables)
        assert equal(again, variables)


def test_what_a_state_dict_tells():
    made = port.to_torch(port.patn.table(blocks=2), filled(PATNGenerator(3, 2), IMAGE, MAPS))
    assert port.patn.describe(made) == dict(inputs=8, width=3, blocks=2, norm="batch", dropout=True)
    judge = port.to_torch(port.pose.discriminator(blocks=1, norm_kind="instance", dropout=False),
                          filled(PoseDiscriminator(3, 1, "instance"), MAPS))
    assert port.pose.describe_discriminator(judge) == dict(inputs=8, width=3, blocks=1, norm="instance", dropout=False)
    with pytest.raises(InputError, match="is not that of a generator of PATN, XingGAN or BiGraphGAN: its first keys are"):
        port.patn.describe(judge)
    with pytest.raises(InputError, match="is not that of PATN: it has the key model.att.0.gamma"):
        port.patn.describe(made | {"model.att.0.gamma": np.zeros(1)})
    resnet = port.to_torch(port.patn.resnet_table(blocks=2), filled(ResnetPoseGenerator(3, 2), IMAGE, MAPS))
    for wrong in (made, resnet):
        with pytest.raises(InputError, match="is not that of a pose discriminator: its first keys are"):
            port.pose.describe_discriminator(wrong)


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_released_checkpoints_become_a_folder(norm, tmp_path):
    """PATN's DeepFashion files carry statistics of instance norms, which fall away: nothing reads them."""
    files = {"netG": (PATNGenerator(2, 1, norm), port.patn.table(blocks=1, norm_kind=norm), (IMAGE, MAPS)),
             "netD_PB": (PoseDiscriminator(2, 1, norm), port.pose.discriminator(blocks=1, norm_kind=norm), ((1, 16, 16, 7),)),
             "netD_PP": (PoseDiscriminator(2, 1, norm), port.pose.discriminator(blocks=1, norm_kind=norm), ((1, 16, 16, 6),))}
    made = {}
    for net, (module, table, sizes) in files.items():
        made[net] = filled(module, *sizes)
        carried = {entry.key: np.ones(3) for entry in table.entries if "running" in entry.key}
        np.savez(tmp_path / f"latest_net_{net}.npz", **carried | port.to_torch(table, made[net]))
    written = import_torch.import_release("patn", tmp_path / "latest_net_netG.npz", tmp_path / "run")
    networks = checkpoint.load_networks(written)
    names = dict(netG="generator", netD_PB="shape_discriminator", netD_PP="appearance_discriminator")
    for net, name in names.items():
        assert jax.tree.all(jax.tree.map(np.array_equal, networks["params"][name], made[net]["params"]))
        assert (name in networks["moving"]) == (norm == "batch")
    options = checkpoint.read_meta(written)["config"]["options"]
    told = dict(width=2, blocks=1, norm=norm, dropout=0.5, guidance_channels=4, discriminator_width=2, discriminator_blocks=1)
    assert {name: options[name] for name in told} == told
    random = np.random.default_rng(1)
    source, maps = random.uniform(-1, 1, IMAGE).astype(np.float32), random.uniform(0, 1, MAPS).astype(np.float32)
    picture = use.load(written)(source=source, source_guidance=maps[..., :4], target_guidance=maps[..., 4:])
    expected = files["netG"][0].apply(made["netG"], source, maps, Mode("running", dropout=False, keep=False))
    np.testing.assert_allclose(picture, expected, atol=1e-5)
