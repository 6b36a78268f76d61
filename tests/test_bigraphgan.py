"""BiGraphGAN: its options, every variant of its experiment, and the import of its releases."""

import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from test_nets_bigraph import drawn, noise, run

from experiments import bigraphgan
from gganjax import methods, port, schedules, use
from gganjax.errors import InputError
from gganjax.layers import Mode
from gganjax.nets.bigraph import BiGraphGenerator
from gganjax.nets.patn import PATNGenerator
from gganjax.nets.pose import PoseDiscriminator

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import import_torch


@pytest.mark.parametrize("options, sentence", [
    (dict(form="released_market"), "options.form is 'released_market', expected one of \\('thesis', 'released'\\)"),
    (dict(bgr="a2a"), "options.bgr is 'a2a', expected one of"),
    (dict(share_gcn="no"), "options.share_gcn is 'no'"),
    (dict(aif=True), "options.aif is True, expected one of \\('mask', 'linear2', 'none'\\)"),
    (dict(blocks=0), "options.blocks is 0, expected at least 1"),
    (dict(nodes=-1), "options.nodes is -1, expected at least 0"),
    (dict(width=5), "options.width is 5, expected an even number"),
])
def test_wrong_options(options, sentence):
    with pytest.raises(InputError, match=sentence):
        methods.load("bigraphgan", dict(perceptual="none") | options)


def test_published_numbers():
    for variant in ("market", "fashion", "released_market", "released_fashion"):
        config = bigraphgan.get_config(variant)
        judged = dict(real=2.5, fake=2.5)
        assert config.weights.to_dict() == dict(
            generator=dict(gan=5, pixel=10, perceptual=10), appearance_discriminator=judged, shape_discriminator=judged)
        assert (config.batch_size, config.steps, config.options.width, config.options.blocks) == (32, 87_500, 64, 9)
        told = config.options.norm, config.options.adversarial, config.options.pool_size
        assert told == (("batch", "vanilla", 50) if "market" in variant else ("instance", "least_squares", 0))
        rate = schedules.rate(config.optimizers.generator, steps_per_epoch=1, total_steps=config.steps)
        shares = [float(rate(jnp.asarray(125 * (epoch - 1)))) / 2e-4 for epoch in (1, 499, 500, 600, 699)]
        np.testing.assert_allclose(shares, [1, 1, 1 - 1 / 201, 1 - 101 / 201, 1 - 200 / 201], atol=1e-4)
    facial = bigraphgan.get_config("facial")
    assert (facial.batch_size, facial.options.guidance_channels, facial.options.aif) == (24, 3, "linear2")


def test_rows_of_the_table():
    """Each row changes its options and nothing else; the released rows are those of the other form."""
    rows = {row: bigraphgan.get_config(row).to_dict() for row in ("b1", "b2", "b3", "b4", "b5", "b6")}
    full = rows["b6"]["options"]
    assert (full["form"], full["bgr"], full["share_gcn"], full["aif"]) == ("thesis", "both", False, "mask")
    changes = dict(b1=dict(bgr="none"), b2=dict(bgr="b2a"), b3=dict(bgr="a2b"), b4=dict(share_gcn=True), b5={})
    for row, change in changes.items():
        assert rows[row]["options"] == full | dict(aif="none") | change
    for row, config in rows.items():
        released = bigraphgan.get_config(f"released_{row}").to_dict()
        fusion = "linear2" if row == "b6" else "none"
        assert released["options"] == config["options"] | dict(form="released", aif=fusion)
        for one in (config, released):  # but for what the options say and what was scored they are one setting
            assert {**one, "options": None, "evaluate": None} == {**rows["b6"], "options": None, "evaluate": None}
    assert bigraphgan.get_config("released_market").to_dict() == bigraphgan.get_config("released_b6").to_dict()
    values = [config["evaluate"]["published"]["values"] for config in rows.values()]
    scores = [(value["ssim_person"], value["mask_ssim_person"]) for value in values]
    assert scores == [(0.305, 0.804), (0.310, 0.809), (0.310, 0.808), (0.322, 0.813), (0.324, 0.813), (0.325, 0.818)]


def to_run(folder):
    """The arguments of the import tool for the generator in a folder."""
    return ["bigraphgan", str(folder / "latest_net_netG.npz"), "--output", str(folder / "run")]


@pytest.mark.parametrize("norm, aif", [("batch", "linear2"), ("instance", "none")])
def test_released_checkpoints_become_a_folder_to_use(tmp_path, norm, aif):
    """The Market and the DeepFashion form; what is built is read off the files, and samples stay in [-1, 1]."""
    image = np.tanh(4 * noise(1, 16, 8, 3))
    maps = np.random.default_rng(0).uniform(size=(2, 1, 16, 8, 5)).astype(np.float32)
    module = BiGraphGenerator(4, 2, norm, form="released", aif=aif, states=6, nodes=3)
    poses = np.concatenate(maps, -1)
    variables = drawn(module, image, poses)
    state = port.to_torch(port.bigraph.table(blocks=2, norm_kind=norm, aif=aif), variables)
    assert port.bigraph.describe(state) == dict(
        inputs=10, width=4, blocks=2, norm=norm, dropout=True, states=6, nodes=3, form="released", aif=aif)
    np.savez(tmp_path / "latest_net_netG.npz", **state)
    for net, channels in (("D_PP", 6), ("D_PB", 8)):
        judge = drawn(PoseDiscriminator(2, 1, norm), noise(1, 16, 8, channels))
        table = port.pose.discriminator(blocks=1, norm_kind=norm)
        np.savez(tmp_path / f"latest_net_net{net}.npz", **port.to_torch(table, judge))
    assert import_torch.main([*to_run(tmp_path), "--variant", "released_market" if norm == "batch" else "released_fashion"]) == 0
    translate = use.load(tmp_path / "run")
    told = dict(form="released", aif=aif, guidance_channels=5, discriminator_width=2, discriminator_blocks=1)
    assert translate.config["options"] | told == translate.config["options"]
    expected, _ = run(module, variables, image, poses, mode=Mode("running", dropout=False, keep=False))
    assert aif == "none" or np.abs(expected).max() > 1.1
    found = translate(source=image, source_guidance=maps[0], target_guidance=maps[1])
    np.testing.assert_allclose(found, np.clip(expected, -1, 1), atol=1e-4)


def test_released_networks_of_another_method_are_refused(tmp_path, capsys):
    patn = drawn(PATNGenerator(4, 1), noise(1, 16, 8, 3), noise(1, 16, 8, 4))
    np.savez(tmp_path / "latest_net_netG.npz", **port.to_torch(port.patn.table(blocks=1), patn))
    assert import_torch.main(to_run(tmp_path)) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path / 'latest_net_netG.npz'}: the state dict is not that of a "
        "BiGraphGAN generator: it has no model.att.0.gcn.conv_state.weight\n")
    assert not (tmp_path / "run").exists()
