"""Pix2pix: its losses by hand, its generators and discriminators, every variant."""

import sys
from pathlib import Path

import flax.linen as nn
import jax
import numpy as np
import pytest
from tiny import adversarial, assert_terms, begun, changed, count, distance, judged, network, pictures, shrunk, stepped

from experiments import gesturegan, pix2pix
from gganjax import checkpoint, core, methods, port
from gganjax.errors import InputError
from gganjax.layers import Dropout
from gganjax.nets.encoderdecoder import BiasedPatchDiscriminator, EncoderDecoder
from gganjax.nets.patch import PatchDiscriminator, PixelDiscriminator
from gganjax.nets.resnet import ResNetGenerator
from gganjax.nets.unet import UNetGenerator

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import import_torch


def by_hand(method, before, judge, batch):
    """Every term by its formula: {"player/term": value}; `judge` are the networks that the generator is judged by."""
    given, kind = [batch[name] for name in method.inputs], method.adversarial
    fake = before("generator", *given)
    return {
        "discriminator/fake": adversarial(before("discriminator", *given, fake), False, kind),
        "discriminator/real": adversarial(before("discriminator", *given, batch["target"]), True, kind),
        "generator/gan": adversarial(judge("discriminator", *given, fake), True, kind),
        "generator/pixel": distance(fake, batch["target"]),
    }


@pytest.mark.parametrize("guidance, kind", [(True, "least_squares"), (False, "vanilla")])
def test_terms_by_hand(guidance, kind):
    method = shrunk(methods.load("pix2pix", dict(guidance=guidance, adversarial=kind)))
    batch = pictures(method)
    _, state = begun(method, batch)
    found, _ = judged(method, state, batch)
    nets = network(method, state)
    expected = by_hand(method, nets, nets, batch)
    assert_terms(found, expected)


def test_the_generator_is_judged_by_the_updated_discriminator():
    """A whole step; its pool remembers what the discriminator saw, condition and fake."""
    method = shrunk(methods.load("pix2pix", dict(guidance=True, pool_size=2)))
    batch = pictures(method)
    optimizers, state = begun(method, batch)
    (after, terms), = stepped(method, optimizers, state, batch)
    assert changed(state, after) == {"generator", "discriminator"}
    before = network(method, state)
    expected = by_hand(method, before, network(method, after), batch)
    assert_terms(terms, expected)
    stale = by_hand(method, before, before, batch)["generator/gan"]
    assert abs(terms["generator/gan"] / stale - 1) > 0.01
    images, remembered = after.pools["fakes"]
    assert int(remembered) == 2
    given = [batch[name] for name in method.inputs]
    np.testing.assert_allclose(images, np.concatenate([*given, before("generator", *given)], -1), atol=1e-5)


def test_the_recipe_of_the_cross_view_code():
    """The judgment from before the discriminator moved, real pairs called 0.9, no guidance beside the candidate."""
    method = shrunk(methods.load("pix2pix", dict(
        guidance=True, guided_discriminator=False, real_label=0.9, judged_by="previous")))
    assert list(method.players) == ["generator", "discriminator"]
    batch = pictures(method)
    optimizers, state = begun(method, batch)
    (after, terms), = stepped(method, optimizers, state, batch)
    assert changed(state, after) == {"generator", "discriminator"}
    nets = network(method, state)
    fake = nets("generator", batch["source"], batch["target_guidance"])
    judge = lambda candidate: nets("discriminator", batch["source"], candidate)
    called_real = lambda logits: 0.9 * adversarial(logits, True) + 0.1 * adversarial(logits, False)
    expected = {"discriminator/fake": adversarial(judge(fake), False), "generator/gan": called_real(judge(fake)),
                "discriminator/real": called_real(judge(batch["target"])),
                "generator/pixel": distance(fake, batch["target"])}
    assert_terms(terms, expected)


def test_generators_and_discriminators():
    """Kinds and exact sizes at full width: batch norm of the public code, instance norm of GestureGAN's row B."""
    for options, kind, channels, expected in (
            (dict(), UNetGenerator, 3, 54_413_955), (dict(generator="unet128"), UNetGenerator, 3, 41_828_995),
            (dict(guidance=True), UNetGenerator, 6, 54_417_027),
            (dict(generator="encoder_decoder"), EncoderDecoder, 3, 39_081_987),
            (dict(generator="encoder_decoder", guidance=True), EncoderDecoder, 6, 39_085_059),
            (dict(generator="resnet9", norm="instance"), ResNetGenerator, 3, 11_378_179),
            (dict(generator="resnet6", norm="instance"), ResNetGenerator, 3, 7_837_699)):
        method = methods.load("pix2pix", options)
        assert type(method.nets["generator"]) is kind
        assert count(method.nets["generator"], (1, 256, 256, channels)) == expected
        assert method.inputs == (("source", "target_guidance") if options.get("guidance") else ("source",))
    for options, kind, channels, expected in (
            (dict(), PatchDiscriminator, 6, 2_768_705), (dict(guidance=True), PatchDiscriminator, 9, 2_771_777),
            (dict(discriminator="patch_biased"), BiasedPatchDiscriminator, 6, 2_769_601),
            (dict(discriminator="pixel"), PixelDiscriminator, 6, 9_024)):
        net = methods.load("pix2pix", options).nets["discriminator"]
        assert type(net) is kind and count(net, (1, 256, 256, channels)) == expected
    strides = dict(unet256=256, unet128=128, resnet9=4, resnet6=4, encoder_decoder=256)
    assert {name: methods.load("pix2pix", dict(generator=name)).stride for name in strides} == strides


class Dropping(nn.Module):
    """A generator that is dropout alone."""

    @nn.compact
    def __call__(self, x, mode):
        return Dropout(0.5)(x, mode)


def test_dropout_at_test_time_is_a_switch():
    """Off by default; on, two keys give two pictures, as the public code does."""
    method = methods.load("pix2pix")
    assert method.nets["generator"].dropout == 0.5
    method.nets["generator"] = Dropping()
    source = pictures(method)["source"]
    sample = lambda seed, **rest: core.sample(method, {"generator": {}}, {}, {"source": source}, jax.random.key(seed), **rest)
    np.testing.assert_array_equal(sample(0)["fake_target"], source)
    one, other = (sample(seed, dropout=True)["fake_target"] for seed in (0, 1))
    assert not np.array_equal(one, other)
    assert pix2pix.get_config("facades").evaluate.dropout is False


def test_directions_of_the_label_maps():
    for name in ("facades", "landcover"):
        there, back = pix2pix.get_config(name), pix2pix.get_config(f"{name}_photo_to_label")
        assert (there.data.kind, there.data.folder, there.data.exchange) == ("labels", f"datasets/{name}", False)
        differs = {key for key, value in there.data.items() if back.data[key] != value}
        assert differs == {"exchange"} and there.options == back.options
    config = pix2pix.get_config("facades")
    assert (config.batch_size, config.epochs, config.data.load_size, config.data.crop_size) == (1, 200, 286, 256)
    assert config.weights.to_dict() == dict(discriminator=dict(fake=0.5, real=0.5), generator=dict(gan=1.0, pixel=100.0))


def test_row_b_is_gesturegans():
    """The same networks, weights, epochs, batch and data as that row of GestureGAN's own ablation."""
    ours, theirs = pix2pix.get_config("gesturegan_ablation_b"), gesturegan.get_config("ablation_b")
    for name in ("batch_size", "epochs"):
        assert ours[name] == theirs[name]
    assert {name: ours.data[name] for name in theirs.data} == theirs.data.to_dict()
    assert list(ours.weights.generator.values()) == [1.0, 100.0]
    assert theirs.weights.generator.to_dict() == dict(gan_plain=1.0, pixel=100.0)
    nets = [methods.load(config.method, config.options).nets for config in (ours, theirs)]
    assert nets[0]["generator"] == nets[1]["generator"]
    assert nets[0]["discriminator"] == nets[1]["discriminator_plain"]
    assert ours.optimizers.generator == theirs.optimizers.generator


@pytest.mark.parametrize("option, value", [
    ("generator", "unet"), ("discriminator", "global"), ("adversarial", "hinge"), ("norm", "layer"), ("levels", 4),
    ("initialization", "zeros"), ("compute_dtype", "float16"), ("judged_by", "nobody"), ("real_label", 1.5)])
def test_wrong_options(option, value):
    with pytest.raises(InputError, match=f"options.{option}"):
        methods.load("pix2pix", {option: value})


@pytest.mark.parametrize("option, value", [("generator", "encoder_decoder"), ("discriminator", "patch_biased")])
def test_networks_of_the_cross_view_code_have_a_batch_norm(option, value):
    with pytest.raises(InputError, match=f"options.{option} is '{value}', which has a batch norm, but options.norm is"):
        methods.load("pix2pix", {option: value, "norm": "instance"})


def test_levels_are_those_of_a_unet():
    with pytest.raises(InputError, match="options.levels is 6 for the generator 'resnet9', expected 0"):
        methods.load("pix2pix", dict(generator="resnet9", levels=6))


@pytest.mark.parametrize("levels, pixel", [(5, False), (6, True)])
def test_released_checkpoints_become_a_folder(tmp_path, levels, pixel):
    """A U-Net of another depth, and the discriminator beside it, of either kind."""
    random = np.random.default_rng(0)
    judge = (PixelDiscriminator(width=3, norm="batch"), port.patch.pixel_table(norm_kind="batch")) if pixel else (
        PatchDiscriminator(width=3, layers=2, norm="batch"), port.patch.table(layers=2, norm_kind="batch"))
    files = {"G": (UNetGenerator(3, width=2, levels=levels), port.unet.table(levels=levels), 3), "D": (*judge, 6)}
    made = {}
    for net, (module, table, channels) in files.items():
        shapes = port.shapes(module, (1, 64, 64, channels))
        made[net] = jax.tree.map(lambda leaf: random.normal(size=leaf.shape).astype(np.float32), shapes)
        np.savez(tmp_path / f"latest_net_{net}.npz", **port.to_torch(table, made[net]))
        assert len(table.entries) == len(jax.tree.leaves(made[net]))
    written = import_torch.import_release("pix2pix", tmp_path / "latest_net_G.npz", tmp_path / "run", variant="facades")
    networks = checkpoint.load_networks(written)
    for net, name in (("G", "generator"), ("D", "discriminator")):
        same = jax.tree.map(np.array_equal, networks["params"][name], made[net]["params"])
        assert jax.tree.all(same)
    options = checkpoint.read_meta(written)["config"]["options"]
    assert (options["levels"], options["width"], options["discriminator_width"], options["norm"]) == (levels, 2, 3, "batch")
    assert options["discriminator"] == ("pixel" if pixel else "patch")
    assert options["discriminator_layers"] == (3 if pixel else 2)  # the 1x1 discriminator has none


def test_files_that_do_not_fit(tmp_path):
    np.savez(tmp_path / "latest_net_G.npz", **{"net.0.weight": np.zeros((3, 3, 1, 1), np.float32)})
    with pytest.raises(InputError, match="not that of a residual generator"):
        import_torch.import_release("pix2pix", tmp_path / "latest_net_G.npz", tmp_path / "run")
    with pytest.raises(InputError, match="not that of a U-Net: its first keys are"):
        port.unet.describe({"model.model.0.weight": np.zeros((2, 3, 4, 4))})
