"""CycleGAN: its losses by hand, its pools, every variant."""

import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from tiny import adversarial, assert_terms, begun, changed, count, distance, judged, network, pictures, shrunk, stepped

from experiments import cyclegan, gesturegan
from gganjax import checkpoint, methods, port
from gganjax.errors import InputError
from gganjax.nets.patch import PatchDiscriminator
from gganjax.nets.resnet import ResNetGenerator

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import import_torch


def by_hand(method, apply, batch):
    """Every term by its formula: {"player/term": value}, and the fakes of both domains."""
    x, y = batch["source"], batch["target"]
    fake_y, fake_x = apply("to_target", x), apply("to_source", y)
    judge = lambda domain, image, real: adversarial(apply(f"discriminator_{domain}", image), real, method.adversarial)
    terms = {
        "generators/gan": judge("target", fake_y, True) + judge("source", fake_x, True),
        "generators/cycle": distance(apply("to_source", fake_y), x) + distance(apply("to_target", fake_x), y),
        "discriminators/fake": judge("target", fake_y, False) + judge("source", fake_x, False),
        "discriminators/real": judge("target", y, True) + judge("source", x, True),
    }
    if method.identity:
        terms["generators/identity"] = distance(apply("to_target", y), y) + distance(apply("to_source", x), x)
    return terms, {"target": fake_y, "source": fake_x}


def test_terms_by_hand():
    method = shrunk(methods.load("cyclegan", dict(identity=False, adversarial="vanilla")))
    batch = pictures(method)
    _, state = begun(method, batch)
    found, _ = judged(method, state, batch)
    expected, _ = by_hand(method, network(method, state), batch)
    assert_terms(found, expected)


def test_terms_by_hand_and_fakes_from_before_the_step():
    """Both generators first; the discriminators then see the fakes of the generators from before, old ones among them."""
    method = shrunk(methods.load("cyclegan", dict(pool_size=2)))
    batch = pictures(method)
    optimizers, state = begun(method, batch, rate=0.1)
    assert tuple(method.players) == ("generators", "discriminators")
    (first, terms), (second, _) = stepped(method, optimizers, state, batch, count=2)
    assert changed(state, first) == set(method.nets)
    expected, fakes = by_hand(method, network(method, state), batch)
    assert_terms(terms, expected)
    # A pool for each domain: filled by the first fakes; afterwards each place holds them or one of the next.
    _, newer = by_hand(method, network(method, first), batch)
    for domain, old in fakes.items():
        np.testing.assert_allclose(first.pools[domain][0], old, atol=1e-5)
        for place, image in enumerate(np.asarray(second.pools[domain][0])):
            assert min(np.abs(image - other).max() for other in (old[place], *newer[domain])) < 1e-5


def test_source_and_target_come_in_unrelated_orders():
    for variant in cyclegan.VARIANTS:
        data = cyclegan.get_config(variant).data
        assert data.kind == "unpaired" or data.paired is False


def test_published_numbers():
    config = cyclegan.get_config("folders")
    assert (config.batch_size, config.epochs, config.data.load_size, config.data.crop_size) == (1, 200, 286, 256)
    assert config.weights.generators.to_dict() == dict(gan=1.0, cycle=10.0, identity=5.0)
    assert (config.options.pool_size, config.options.dropout) == (50, 0.0)
    for variant, blocks, expected in (("", 9, 11_378_179), ("resnet6", 6, 7_837_699)):
        options = cyclegan.get_config(variant).options
        assert options.blocks == blocks
        assert count(methods.load("cyclegan", options).nets["to_target"], (1, 256, 256, 3)) == expected
    config = cyclegan.get_config("kaokore")
    assert (config.data.kind, config.data.domains, config.data.crop_size) == ("unpaired", ("male_warrior", "female_noble"), 128)


def test_row_a_is_gesturegans():
    ours, theirs = cyclegan.get_config("gesturegan_ablation_a").to_dict(), gesturegan.get_config("ablation_a").to_dict()
    del ours["evaluate"], theirs["evaluate"]  # GestureGAN's rows are measured by its own metrics
    assert ours == theirs


@pytest.mark.parametrize("option, value", [
    ("adversarial", "hinge"), ("norm", "layer"), ("initialization", "zeros"), ("compute_dtype", "float16")])
def test_wrong_options(option, value):
    with pytest.raises(InputError, match=f"options.{option}"):
        methods.load("cyclegan", {option: value})


def test_released_checkpoints_become_a_folder(tmp_path):
    """Both generators, without dropout and without the statistics that later releases leave out, and one discriminator."""
    random, made = np.random.default_rng(0), {}
    files = {"G_A": (ResNetGenerator(width=2, blocks=3), port.resnet.table(blocks=3, dropout=False)),
             "G_B": (ResNetGenerator(width=2, blocks=3), port.resnet.table(blocks=3, dropout=False)),
             "D_B": (PatchDiscriminator(width=3), port.patch.table())}
    for net, (module, table) in files.items():
        shapes = port.shapes(module, (1, 64, 64, 3))
        made[net] = jax.tree.map(lambda leaf: random.normal(size=leaf.shape).astype(np.float32), shapes)
        np.savez(tmp_path / f"latest_net_{net}.npz", **port.to_torch(table, {"params": made[net]["params"]}))
    written = import_torch.import_release("cyclegan", tmp_path / "latest_net_G_A.npz", tmp_path / "run")
    networks = checkpoint.load_networks(written)
    for net, name in (("G_A", "to_target"), ("G_B", "to_source"), ("D_B", "discriminator_source")):
        assert jax.tree.all(jax.tree.map(np.array_equal, networks["params"][name], made[net]["params"]))
    options = checkpoint.read_meta(written)["config"]["options"]
    assert {name: options[name] for name in ("width", "blocks", "dropout", "norm", "discriminator_width")} == dict(
        width=2, blocks=3, dropout=0.0, norm="instance", discriminator_width=3)
