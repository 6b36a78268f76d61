"""XingGAN: blocks and fusion by formulas, rows of its tables, variants, looks inside, import of its releases."""

import sys
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from states import noise

from experiments import xinggan
from gganjax import core, methods, port, schedules, use
from gganjax.errors import InputError
from gganjax.layers import Mode
from gganjax.nets.patn import PATNGenerator
from gganjax.nets.pose import PoseDiscriminator
from gganjax.nets.xing import CrossingAttention, XingBlock, XingGenerator

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import import_torch

FAST = {"xla_backend_optimization_level": 0}
RUNNING = Mode("running", dropout=False, keep=False)
NARROW = dict(width=2, blocks=1, images=2, norm="instance")


def drawn(module, *inputs):
    """Random variables of a network, kernels of both signs, gates open; nothing is computed."""
    random = np.random.default_rng(1)
    draw = lambda leaf: random.uniform(-0.6 if len(leaf.shape) == 4 else 0.1, 0.6, leaf.shape).astype(np.float32)
    return jax.tree.map(draw, port.shapes(module, *(np.shape(x) for x in inputs)))


def run(module, variables, *inputs, mode=RUNNING, **options):
    call = jax.jit(lambda variables, *x: module.apply(variables, *x, mode, **options), compiler_options=FAST)
    return jax.device_get(call(variables, *inputs))


def informed(params, x, y):
    """x + gamma softmax(query(x) key(y)^T) value(x) in float64, codes [B, h, w, C]."""
    flat = lambda code: code.reshape(len(code), -1, code.shape[-1]).astype(np.float64)
    project = lambda code, name: flat(code) @ params[name]["kernel"][0, 0] + params[name]["bias"]
    energies = project(x, "query") @ project(y, "key").swapaxes(1, 2)
    weights = np.exp(energies - energies.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return (flat(x) + params["gamma"] * (weights @ project(x, "value"))).reshape(x.shape)


def merged(params, *codes):
    """A 3x3 convolution of reflected codes behind each other, in float64."""
    x = np.pad(np.concatenate(codes, -1), ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))
    return np.einsum("bhwcij,ijco->bhwo", windows, params["kernel"]) + params["bias"]


@pytest.mark.parametrize("branches", ["sa", "as", "sa_as"])
def test_thesis_block(branches):
    """Eq. 4.1 to 4.4: SA, then AS of the codes as they came, merged with the new appearance code."""
    codes = noise(2, 3, 5, 4), noise(2, 3, 5, 4, seed=1)
    block = XingBlock("thesis", branches, "instance")
    variables = drawn(block, *codes)
    params = variables["params"]
    assert set(params) == dict(sa={"sa"}, **{"as": {"as", "merge"}}, sa_as={"sa", "as", "merge"})[branches]
    appearance, shape = codes
    expected = [appearance, shape]
    if branches != "as":
        expected[0] = informed(params["sa"], appearance, shape)
    if branches != "sa":
        expected[1] = merged(params["merge"], informed(params["as"], shape, appearance), expected[0])
    for found, exact in zip(run(block, variables, *codes), expected, strict=True):
        np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-5 * np.abs(exact).max())


def test_both_directions_share_one_attention():
    x, y = noise(2, 3, 5, 4), noise(2, 3, 5, 4, seed=1)
    module = CrossingAttention(3)
    variables = drawn(module, x, y)
    found = jax.jit(partial(module.apply, both=True), compiler_options=FAST)(variables, x, y)
    expected = [informed(variables["params"], *pair) for pair in ((x, y), (y, x))]
    for ours, exact in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, exact, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("branches, kept", [("sa", 1), ("as", 0)])
def test_released_block_of_one_branch_leaves_the_other_code(branches, kept):
    codes = noise(1, 4, 4, 8), noise(1, 4, 4, 8, seed=1)
    block = XingBlock("released", branches, "instance")
    variables = drawn(block, *codes)
    assert set(variables["params"]) == {"attention", "appearance" if branches == "sa" else "shape"}
    found = run(block, variables, *codes)
    np.testing.assert_array_equal(found[kept], codes[kept])
    if branches == "as":
        np.testing.assert_array_equal(found[1][..., :8], codes[0])  # the appearance code stays in front
    assert not np.array_equal(found[1 - kept], codes[1 - kept])


def test_fusion_and_the_looks_inside():
    """Eq. 4.7: maps that add up to 1 weigh the pictures of both branches and the source; all of it by name."""
    method = methods.load("xinggan", NARROW | dict(guidance_channels=2, perceptual="none"))
    source, maps = noise(2, 8, 12, 3), np.abs(noise(2, 2, 8, 12, 2, seed=1))
    batch = dict(source=source, source_guidance=maps[0], target_guidance=maps[1])
    variables = drawn(method.nets["generator"], source, np.concatenate(maps, -1))
    names = ("appearance_1", "appearance_2", "shape_1", "shape_2")
    assert method.looks == (*names, "map_appearance_1", "map_appearance_2", "map_shape_1", "map_shape_2", "map_source")

    def looked(params, batch):
        call = lambda: core.Call(method, {"generator": params}, {}, mode=RUNNING)
        return method.sample(None, call(), batch)["fake_target"], method.look(None, call(), batch, method.looks)

    made, seen = jax.device_get(jax.jit(looked, compiler_options=FAST)(variables["params"], batch))
    assert set(seen) == set(method.looks)
    shares = {name: (seen[f"map_{name}"] + 1) / 2 for name in (*names, "source")}
    assert all(share.shape == (2, 8, 12, 1) and share.min() >= 0 for share in shares.values())
    np.testing.assert_allclose(sum(shares.values()), 1, atol=1e-5)
    mixed = sum(share * (seen | dict(source=source))[name] for name, share in shares.items())
    np.testing.assert_allclose(made, mixed, atol=1e-5)
    pictures = [seen[name] for name in names]
    assert len({picture.tobytes() for picture in pictures}) == 4 and np.abs(made).max() <= 1
    assert methods.load("xinggan", NARROW | dict(fusion=False, perceptual="none")).looks == ()


@pytest.mark.parametrize("form", ["thesis", "released"])
def test_half_precision_keeps_parameters_and_pictures_in_float32(form):
    inputs = [jax.ShapeDtypeStruct((1, 16, 8, channels), np.float32) for channels in (3, 4)]
    module = XingGenerator(form, dtype=jnp.bfloat16, **NARROW)
    made, variables = jax.eval_shape(lambda *x: module.init_with_output(jax.random.key(0), *x, RUNNING), *inputs)
    assert {leaf.dtype.name for leaf in jax.tree.leaves((made, variables))} == {"float32"}
    codes = [jax.ShapeDtypeStruct((1, 4, 2, 8), jnp.bfloat16)] * 2
    block = XingBlock(form, dtype=jnp.bfloat16)
    out, _ = jax.eval_shape(lambda *x: block.init_with_output(jax.random.key(0), *x, RUNNING), *codes)
    assert {code.dtype.name for code in out} == {"bfloat16"}


@pytest.mark.parametrize("options, sentence", [
    (dict(form="code"), r"options.form is 'code', expected one of \('thesis', 'released'\)"),
    (dict(branches="sa+as"), "options.branches is 'sa\\+as', expected one of"),
    (dict(attention="flash"), "options.attention is 'flash', expected one of"),
    (dict(branches="sa"), "options.fusion joins pictures of both branches, but options.branches is 'sa'"),
    (dict(blocks=0), "options.blocks is 0, expected at least 1"),
    (dict(images=0), "options.images is 0, expected at least 1"),
])
def test_wrong_options(options, sentence):
    with pytest.raises(InputError, match=sentence):
        methods.load("xinggan", dict(perceptual="none") | options)


# Variant: form, weights, steps, norm, adversarial loss, pool, height and width, guidance, shares of the rate by epoch.
LONG, SHORT = {1: 1, 499: 1, 500: 1 - 1 / 201, 699: 1 - 200 / 201}, {1: 1, 199: 1, 200: 1 - 1 / 101, 299: 1 - 100 / 101}
MARKET, FASHION = ("batch", "vanilla", 50), ("instance", "least_squares", 0)


@pytest.mark.parametrize("variant, form, weights, steps, networks, size, guidance, shares", [
    ("market", "thesis", (5, 50, 50), 87_500, MARKET, (128, 64), "heatmaps", LONG),
    ("fashion", "thesis", (5, 50, 50), 87_500, FASHION, (256, 176), "heatmaps", LONG),
    ("fashion_256", "thesis", (5, 50, 50), 87_500, FASHION, (256, 256), "heatmaps", LONG),
    ("released_market", "released", (5, 50, 50), 87_500, MARKET, (128, 64), "heatmaps", LONG),
    ("released_fashion", "released", (5, 50, 1), 37_500, FASHION, (256, 176), "deltas", SHORT),
])
def test_published_numbers(variant, form, weights, steps, networks, size, guidance, shares):
    config = xinggan.get_config(variant)
    judged = dict(real=2.5, fake=2.5)
    assert config.weights.to_dict() == dict(generator=dict(zip(("gan", "pixel", "perceptual"), weights, strict=True)),
                                            appearance_discriminator=judged, shape_discriminator=judged)
    told = config.options
    assert (told.norm, told.adversarial, told.pool_size) == networks
    assert (told.form, told.width, told.blocks, told.images, told.dropout) == (form, 64, 9, 10, 0.5)
    assert (config.batch_size, config.steps) == (32, steps)
    assert (config.data.crop_size, config.data.crop_width, config.data.guidance) == (*size, guidance)
    for optimizer in config.optimizers.values():
        assert (optimizer.learning_rate, optimizer.b1, optimizer.b2) == (2e-4, 0.5, 0.999)
        rate = schedules.rate(optimizer, steps_per_epoch=1, total_steps=config.steps)
        for epoch, share in shares.items():
            assert float(rate(jnp.asarray(125 * (epoch - 1)))) == pytest.approx(2e-4 * share, rel=1e-4, abs=1e-10)


ROWS = {
    "sa": (dict(branches="sa", fusion=False), (3.849, 3.645, 0.239, 0.768)),
    "as": (dict(branches="as", fusion=False), (3.796, 3.810, 0.286, 0.798)),
    "sa_as": (dict(fusion=False), (3.558, 3.807, 0.310, 0.807)),
    "blocks_1": (dict(blocks=1), (3.378, 3.713, 0.310, 0.812)),
    "blocks_3": (dict(blocks=3), (3.241, 3.866, 0.316, 0.813)),
    "blocks_5": (dict(blocks=5), (3.292, 3.860, 0.313, 0.812)),
    "blocks_7": (dict(blocks=7), (3.293, 3.871, 0.310, 0.810)),
    "blocks_9": ({}, (3.506, 3.872, 0.313, 0.816)),
    "blocks_11": (dict(blocks=11), (3.428, 3.712, 0.286, 0.793)),
    "blocks_13": (dict(blocks=13), (3.708, 3.679, 0.257, 0.774)),
}


@pytest.mark.parametrize("row", ROWS)
def test_row_of_a_table(row):
    """It changes its options and nothing else, in both forms; the full model is Market's."""
    changes, scores = ROWS[row]
    names = ("inception_score", "mask_inception_score", "ssim_person", "mask_ssim_person")
    for mark, form in (("", "thesis"), ("released_", "released")):
        full, config = (xinggan.get_config(f"{mark}{name}").to_dict() for name in ("caf", row))
        assert full == xinggan.get_config(f"{mark}market").to_dict() and full["options"]["form"] == form
        assert config["options"] == full["options"] | changes
        published = config["evaluate"]["published"]
        assert published["values"] == dict(zip(names, scores, strict=True))
        assert published["source"] == f"thesis Table 4.{4 if 'blocks' in row else 3}"
        assert {**config, "options": None, "evaluate": None} == {**full, "options": None, "evaluate": None}
    assert sorted(xinggan.VARIANTS) == sorted({
        "", "market", "fashion", "fashion_256", "released_market", "released_fashion", "actions64",
        "actions64_released", "demo", *(f"{mark}{name}" for mark in ("", "released_") for name in (*ROWS, "caf"))})


@pytest.mark.parametrize("form", ["thesis", "released"])
def test_networks_of_the_rows(form):
    """What each row of Table 4.3 is made of: branches that are left out have no parameters."""
    def parts(**options):
        module = XingGenerator(form, 2, 2, 3, **options)
        params = port.shapes(module, (1, 16, 8, 3), (1, 16, 8, 4))["params"]
        return set(params) - {"appearance_encoder", "shape_encoder"}, set(params["block_1"])

    blocks = {"block_0", "block_1"}
    attends = {"thesis": dict(sa={"sa"}, **{"as": {"as", "merge"}}), "released": dict(
        sa={"attention", "appearance"}, **{"as": {"attention", "shape"}})}[form]
    both = attends["sa"] | attends["as"]
    reduced = {"merge", "merge_norm"}
    assert parts(branches="sa", fusion=False) == (blocks | {"decoder"}, attends["sa"])
    assert parts(branches="as", fusion=False) == (
        blocks | {"decoder"} | (reduced if form == "released" else set()), attends["as"])
    assert parts(fusion=False) == (blocks | {"decoder"} | reduced, both)
    released = {"shape_merge", "shape_merge_norm"} if form == "released" else set()
    assert parts() == (blocks | {"appearance", "shape", "maps"} | released, both)


def to_run(folder):
    """The arguments of the import tool for the generator in a folder."""
    return ["xinggan", str(folder / "latest_net_netG.npz"), "--output", str(folder / "run")]


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_released_checkpoints_become_a_folder_to_use(tmp_path, norm):
    image, maps = noise(1, 16, 8, 3), np.abs(noise(2, 1, 16, 8, 5, seed=1))
    module, poses = XingGenerator("released", 2, 2, 3, norm=norm), np.concatenate(maps, -1)
    variables = drawn(module, image, poses)
    table = port.xing.table(blocks=2, norm_kind=norm)
    state = port.to_torch(table, variables)
    assert len(state) == len(jax.tree.leaves(variables))
    assert port.xing.describe(state) == dict(
        inputs=10, width=2, blocks=2, norm=norm, dropout=True, images=3, form="released")
    np.savez(tmp_path / "latest_net_netG.npz", **state)
    for net, channels in (("D_PP", 6), ("D_PB", 8)):
        judge = drawn(PoseDiscriminator(2, 1, norm), noise(1, 16, 8, channels))
        judged = port.pose.discriminator(blocks=1, norm_kind=norm)
        np.savez(tmp_path / f"latest_net_net{net}.npz", **port.to_torch(judged, judge))
    variant = "released_market" if norm == "batch" else "released_fashion"
    assert import_torch.main([*to_run(tmp_path), "--variant", variant]) == 0
    translate = use.load(tmp_path / "run")
    told = dict(form="released", images=3, norm=norm, guidance_channels=5, discriminator_width=2,
                discriminator_blocks=1)
    assert translate.config["options"] | told == translate.config["options"]
    found = translate(source=image, source_guidance=maps[0], target_guidance=maps[1])
    np.testing.assert_allclose(found, run(module, variables, image, poses), atol=1e-4)


def test_released_networks_of_another_method_are_refused(tmp_path, capsys):
    patn = drawn(PATNGenerator(4, 1), noise(1, 16, 8, 3), noise(1, 16, 8, 4))
    np.savez(tmp_path / "latest_net_netG.npz", **port.to_torch(port.patn.table(blocks=1), patn))
    assert import_torch.main(to_run(tmp_path)) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path / 'latest_net_netG.npz'}: the state dict is not that of a "
        "XingGAN generator: it has no model.att.0.gamma\n")
    assert not (tmp_path / "run").exists()
