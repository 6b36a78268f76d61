"""SelectionGAN's three forms: the published numbers of their training, their sizes, and their released checkpoints."""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import selectiongan, selectiongan_person, selectiongan_semantic
from gganjax import checkpoint, core, methods, port, schedules, use
from gganjax.nets.patch import PatchDiscriminator
from gganjax.nets.selection import Selection, SelectionGenerator
from gganjax.nets.unet import UNetGenerator

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import import_torch


@pytest.mark.parametrize("name, epochs, batch, load, crop, levels", [
    *[(name, (20, 15), 4, 286, 256, 8) for name in ("dayton", "g2a", "ablation_h", "released")],
    *[(name, (50, 50), 16, 72, 64, 5) for name in ("dayton64", "g2a64")],
    ("cvusa", (15, 15), 4, 286, 256, 8), ("sva", (10, 10), 4, 286, 256, 8), ("ego2top", (5, 5), 8, 286, 256, 8),
    ("radboud", (100, 100), 4, 286, 256, 8), ("ntu", (10, 10), 4, 286, 256, 8), ("senz3d", (10, 10), 4, 286, 256, 8),
])
def test_published_numbers(name, epochs, batch, load, crop, levels):
    config = selectiongan.get_config(name)
    assert (config.epochs, config.batch_size, config.options.levels) == (sum(epochs), batch, levels)
    assert (config.data.load_size, config.data.crop_size, config.evaluate.norm) == (load, crop, "running")
    for optimizer in config.optimizers.values():
        assert (optimizer.learning_rate, optimizer.b1, optimizer.b2) == (2e-4, 0.5, 0.999)
        rate = schedules.rate(optimizer, steps_per_epoch=3, total_steps=3 * config.epochs)
        flat, decay = epochs
        for epoch in (1, flat - 1, flat, flat + 1, flat + decay):
            share = 1 - max(0, epoch + 1 - flat) / (decay + 1)
            assert float(rate(jnp.asarray(3 * epoch - 1))) == pytest.approx(2e-4 * share, abs=1e-10)
    if f"{name}_pp" in selectiongan.VARIANTS:
        plus = selectiongan.get_config(f"{name}_pp").to_dict()
        assert plus["options"] == config.options.to_dict() | dict(channel_selection="inverted")
        assert plus["weights"] == config.weights.to_dict()


def test_numbers_of_the_reference_code():
    """Plain losses weigh as much as the guided ones; nothing is mirrored."""
    config = selectiongan.get_config("released")
    guided = {name.removeprefix("guided_"): weight for name, weight in config.weights.generator.items() if "guided" in name}
    assert guided == {name: config.weights.generator[name] for name in guided} and len(guided) == 4
    assert (config.options.uncertainty_maps, config.data.flip) == (1, "off")


def test_published_numbers_of_persons():
    market, fashion = (selectiongan_person.get_config(name) for name in ("market", "fashion"))
    assert (market.batch_size, market.steps, market.data.crop_size, market.data.crop_width) == (32, 87_500, 128, 64)
    assert (fashion.batch_size, fashion.steps, fashion.data.crop_size) == (12, 700 * 334, 256)
    assert (market.options.norm, market.options.adversarial) == ("batch", "vanilla")
    assert (fashion.options.norm, fashion.options.adversarial) == ("instance", "least_squares")
    for config in (market, fashion):
        weights = config.weights.generator
        assert (weights.gan_shape_coarse, weights.gan_shape_fine, weights.pixel_coarse, weights.tv_fine) == (2.5, 10, 10, 1e-6)
        assert list(methods.load("selectiongan_person", config.options).players) == [
            "generator", "appearance_discriminator", "shape_discriminator"]
    assert fashion.weights.generator.ssim == 20 and "ssim" not in market.weights.generator
    released = selectiongan_person.get_config("released_market").weights
    assert "gan_appearance_coarse" not in released.generator and released.generator.gan_appearance_fine == 2.5
    assert released.appearance_discriminator.to_dict() == dict(fake_fine=2.5, real=2.5)


def test_published_numbers_of_label_maps():
    """GauGAN's weights and rates, L1 with 10; from epoch 102 on the rate falls by a hundredth an epoch."""
    config = selectiongan_semantic.get_config("cityscapes")
    assert config.weights.generator.to_dict() == dict(gan=1.0, feature=10.0, perceptual=10.0, pixel=10.0)
    assert (config.batch_size, config.epochs, config.data.crop_size, config.data.crop_width) == (32, 200, 256, 512)
    for player, expected in dict(generator=1e-4, discriminator=4e-4).items():
        one = config.optimizers[player]
        assert (one.b1, one.b2) == (0.0, 0.9)
        rate = schedules.rate(one, steps_per_epoch=1, total_steps=200)
        for epoch, share in {1: 1, 101: 1, 102: 0.99, 200: 0.01}.items():
            assert float(rate(jnp.asarray(epoch - 1))) == pytest.approx(expected * share, rel=1e-4)
    assert "pixel" not in selectiongan_semantic.get_config("no_l1").weights.generator


def counted(name, size=256, **options):
    """Parameters of each network at the full size, from shapes alone."""
    method = methods.load(name, options)
    batch = {field: jax.ShapeDtypeStruct((1, size, size, 3)[: len(one.shape)], jnp.float32)
             for field, one in method.fields.items()}
    return {net: sum(x.size for x in jax.tree.leaves(tree)) for net, tree in core.shapes(method, batch).items()}


@pytest.mark.parametrize("plus, total", [("none", 55_480_753), ("inverted", 55_480_754)])
def test_published_size(plus, total):
    """55.4808M in the thesis: one uncertainty map, and a layer that is never called; one more number in the ++ form."""
    counts = counted("selectiongan", uncertainty_maps=1, unused_layer=True, channel_selection=plus)
    assert counts.pop("discriminator") == 2_768_705
    assert counts == dict(image_generator=54_417_027, guidance_generator=213_675, attention_generator=850_051 + (plus != "none"))
    assert sum(counts.values()) == total


@pytest.mark.parametrize("module, inputs, expected", [
    (UNetGenerator(levels=5), (1, 64, 64, 6), 16_662_147),  # Gi of 64x64 pixels
    (Selection(uncertainty=1), (1, 128, 64, 3 + 18 + 18 + 3 + 64), 434_333),  # G2 of persons
])
def test_published_size_of_a_network(module, inputs, expected):
    assert sum(leaf.size for leaf in jax.tree.leaves(port.shapes(module, inputs)["params"])) == expected


def test_published_size_on_gaugan():
    """93.06M and 96.51M of Table 5.13, Cityscapes' in test_counts.py."""
    counts = counted("selectiongan_semantic", classes=150, unknown=True, instances=False, perceptual="none")
    assert counts == dict(generator=96_508_712, discriminator=5_836_930)


def test_released_checkpoints_become_a_folder_to_use(tmp_path):
    """Gi, Gs, Ga and D beside each other, of other widths than the variant's, with the layer that is never called."""
    views, half = (1, 32, 32, 3), (1, 16, 16)
    files = {
        "Gi": (UNetGenerator(3, 2, 5), port.selection.unet(levels=5), ((1, 32, 32, 6),)),
        "Gs": (UNetGenerator(3, 1, 5), port.selection.unet(levels=5), (views,)),
        "Ga": (SelectionGenerator(Selection(3, 1, channel_selection="inverted", unused_layer=True), 4),
               port.selection.generator(channel_selection=True, unused_layer=True), ((*half, 4), (*half, 2), views, views)),
        "D": (PatchDiscriminator(3, norm="batch"), port.patch.table(norm_kind="batch"), ((1, 64, 64, 6),)),
    }
    random, made = np.random.default_rng(0), {}
    for net, (module, table, sizes) in files.items():
        made[net] = jax.tree.map(lambda leaf: random.uniform(0.1, 0.5, leaf.shape).astype(np.float32),
                                 port.shapes(module, *sizes))
        np.savez(tmp_path / f"35_net_{net}.npz", **port.to_torch(table, made[net]))
    assert import_torch.main(["selectiongan", str(tmp_path / "35_net_Gi.npz"), "--output", str(tmp_path / "run")]) == 0
    networks = checkpoint.load_networks(tmp_path / "run")
    names = dict(Gi="image_generator", Gs="guidance_generator", Ga="attention_generator", D="discriminator")
    for net, name in names.items():
        assert jax.tree.all(jax.tree.map(np.array_equal, networks["params"][name], made[net]["params"]))
    told = dict(width=2, guidance_width=1, attention_width=4, images=3, uncertainty_maps=1, levels=5, unused_layer=True,
                channel_selection="inverted", discriminator_width=3)
    options = use.load(tmp_path / "run").config["options"]
    assert {name: options[name] for name in told} == told
