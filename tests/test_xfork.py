"""The cross-view baselines X-Fork and X-Seq: networks and whole steps by formulas, every variant's numbers."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import shared
from tiny import Tiny, begun, changed, pictures, shrunk, stepped

from experiments import pix2pix, xfork, xseq
from gganjax import core, methods, port
from gganjax.errors import InputError
from gganjax.layers import TRAIN, Mode
from gganjax.nets.encoderdecoder import Bias, BiasedPatchDiscriminator, EncoderDecoder
from gganjax.nets.patch import PatchDiscriminator

FAST = {"xla_backend_optimization_level": 0}


def drawn(module, *shapes):
    """Random variables of a network, biases too; nothing is computed."""
    random = np.random.default_rng(0)
    draw = lambda leaf: random.uniform(-0.5, 0.5, leaf.shape).astype(np.float32)
    return jax.tree.map(draw, port.shapes(module, *shapes))


def down(x, kernel, bias):
    """A 4x4 convolution of stride 2 in float64, by its definition."""
    x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (4, 4), (1, 2))[:, ::2, ::2]
    return np.einsum("bhwcij,ijco->bhwo", windows, kernel) + bias


def up(x, kernel, bias):
    """A transposed 4x4 convolution of stride 2: every position adds a kernel, which ours holds turned around."""
    batch, height, width, _ = x.shape
    large = np.zeros((batch, 2 * height + 2, 2 * width + 2, kernel.shape[-1]))
    for i in range(height):
        for j in range(width):
            large[:, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4] += np.einsum("bc,ijco->bijo", x[:, i, j], kernel[::-1, ::-1])
    return large[:, 1:-1, 1:-1] + bias


def normed(x, params):
    """Batch normalization by the batch's statistics."""
    return (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5) * params["scale"] + params["bias"]


@pytest.mark.parametrize("fork", [False, True])
def test_encoder_decoder_by_its_formula(fork):
    """Five levels: every layer, activation and norm in order, and with `fork` two heads on one feature."""
    module, x = EncoderDecoder(width=2, levels=5, fork=fork), np.random.default_rng(1).uniform(-1, 1, (3, 32, 32, 4))
    variables = drawn(module, x.shape)
    params = variables["params"]
    layer = lambda name, function, x: function(x, params[name]["kernel"], params[f"{name}_bias"]["bias"])
    relu, leaky = lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, x, 0.2 * x)
    y = layer("down_0", down, x)
    for i in range(1, 5):
        y = normed(layer(f"down_{i}", down, leaky(y)), params[f"down_{i}_norm"])
    for i in range(4, 1, -1):
        y = normed(layer(f"up_{i}", up, relu(y)), params[f"up_{i}_norm"])
    expected = []
    for head in ("image_", "guidance_") if fork else ("",):
        z = normed(layer(f"{head}up_1", up, relu(y)), params[f"{head}up_1_norm"])
        expected.append(np.tanh(layer(f"{head}up_0", up, relu(z))))
    found = jax.jit(lambda v, x: module.apply(v, x, Mode(keep=False)), compiler_options=FAST)(variables, np.float32(x))
    for ours, exact in zip(found if fork else [found], expected, strict=True):
        np.testing.assert_allclose(ours, exact, atol=2e-5)


@pytest.mark.parametrize("levels, dropping", [(8, 3), (6, 1), (5, 0)])
def test_blocks_that_drop_out(levels, dropping):
    """The first three of the decoder at 256x256, the first at 64x64."""
    module, side = EncoderDecoder(width=1, levels=levels), 2**levels
    run = lambda variables, x, key: module.apply(variables, x, Mode(keep=False), rngs={"dropout": key})
    x = jax.ShapeDtypeStruct((1, side, side, 3), np.float32)
    text = str(jax.make_jaxpr(run)(port.shapes(module, x.shape), x, jax.random.key(0)))
    assert text.count("random_bits[") == dropping


def test_biases_stay_0_unless_they_are_learned():
    x = np.random.default_rng(1).uniform(-1, 1, (2, 4, 4, 3)).astype(np.float32)
    for fixed in (True, False):
        total = lambda params, fixed=fixed: jnp.square(Bias(fixed).apply({"params": params}, x)).sum()
        bias = np.float32([0.5, -1.0, 2.0])
        np.testing.assert_allclose(jax.grad(total)({"bias": bias})["bias"],
                                   0 * bias if fixed else 2 * (x + bias).sum((0, 1, 2)), rtol=1e-5)
    for zero_bias in (True, False):
        for name in ("xfork", "xseq"):
            nets = methods.load(name, dict(zero_bias=zero_bias)).nets.values()
            assert [net.fixed_bias for net in nets] == [zero_bias] * len(nets)


def test_discriminator_is_the_recorded_one_but_for_its_biases():
    """Recorded weights of a PatchGAN with a batch norm, which has no bias in front of a norm."""
    with np.load(shared("fixtures/patchgan_batchnorm.npz")) as file:
        recorded = {key: file[key] for key in file.files}
    state = {key.removeprefix("w/"): value for key, value in recorded.items() if key.startswith("w/")}
    x = recorded["in/pair"]
    plain = port.to_flax(port.patch.table(norm_kind="batch"), state,
                         port.shapes(PatchDiscriminator(width=6, norm="batch"), x.shape))
    module = BiasedPatchDiscriminator(width=6)
    params = jax.tree.map(lambda leaf: np.zeros(leaf.shape, np.float32), port.shapes(module, x.shape)["params"])
    for name, leaves in plain["params"].items():
        for leaf, value in leaves.items():
            convolution_bias = leaf == "bias" and name.startswith("conv")
            params[f"{name}_bias" if convolution_bias else name][leaf] = value

    def run(norm):
        logits = module.apply({"params": params, "moving": plain["moving"]}, x, Mode(norm, keep=False))
        return jax.nn.sigmoid(logits)

    for norm, name in (("batch", "out/train_patch"), ("running", "out/eval_patch")):
        np.testing.assert_allclose(run(norm), recorded[name], atol=2e-5 * np.abs(recorded[name]).max())


def cross_entropy(logits, label):
    """Binary cross entropy with a soft label, by its definition."""
    p = jax.nn.sigmoid(logits)
    return -(label * jnp.log(p) + (1 - label) * jnp.log(1 - p)).mean()


def l1(a, b):
    return jnp.abs(a - b).mean()


class Forked(Tiny):
    """A tiny network of two pictures."""

    def __call__(self, x, mode=TRAIN):
        y = super().__call__(x, mode)
        return y[..., :3], y[..., 3:]


def players_by_hand(name, nets, batch):
    """Each player's whole loss as a plain function of (its parameters, parameters before, parameters now), in order."""
    run = lambda net, params, *images: nets[net].apply(
        {"params": params[net], "moving": {}}, jnp.concatenate(images, -1), Mode(keep=False), mutable=["moving"])[0]
    a, b, s, stop = batch["source"], batch["target"], batch["target_guidance"], jax.lax.stop_gradient

    def telling(judge, condition, fake, real):
        return lambda own, before, now: (
            cross_entropy(run(judge, own, condition(before), fake(before)), 0.0)
            + cross_entropy(run(judge, own, condition(before), real), 0.9))

    if name == "xfork":
        def generator(own, before, now):
            image, guidance = run("generator", own, a)
            return cross_entropy(run("discriminator", now, a, image), 0.9) + 100 * l1(image, b) + 100 * l1(guidance, s)
        judge = telling("discriminator", lambda p: a, lambda p: run("generator", p, a)[0], b)
        return {"discriminator": judge, "generator": generator}

    image = lambda p: run("image_generator", p, a)
    guidance = lambda p: run("guidance_generator", p, image(p))

    def second(own, before, now):
        seen = image(before)
        made = run("guidance_generator", own, seen)
        return cross_entropy(run("guidance_discriminator", now, seen, made), 0.9) + 100 * l1(made, s)

    def first(own, before, now):
        view = image(own)
        made = run("guidance_generator", before, view)  # as G2 was before it moved
        passed = cross_entropy(run("guidance_discriminator", now, stop(view), made), 0.9) + 100 * l1(made, s)
        return cross_entropy(run("image_discriminator", now, a, view), 0.9) + 100 * l1(view, b) + 0.1 * passed

    return {"guidance_discriminator": telling("guidance_discriminator", image, guidance, s),
            "guidance_generator": second,
            "image_discriminator": telling("image_discriminator", lambda p: a, image, b), "image_generator": first}


@pytest.mark.parametrize("name, experiment", [("xfork", xfork), ("xseq", xseq)])
def test_whole_step_is_the_plain_one(name, experiment):
    """Gradient descent by hand-written losses, player after player, ends at the parameters that the engine ends at."""
    method = shrunk(methods.load(name))
    if name == "xfork":
        method.nets["generator"] = Forked(6)
    batch = pictures(method)
    optimizers, state = begun(method, batch, rate=0.01)
    weights = experiment.get_config("dayton").weights.to_dict()
    (after, _), = stepped(method, optimizers, state, batch, weights)
    players = players_by_hand(name, method.nets, batch)
    assert list(players) == list(method.players)
    assert changed(state, after) == set(method.nets)
    now = before = state.params

    @functools.partial(jax.jit, compiler_options=FAST)
    def moved(before):
        now = before
        for player, loss in players.items():
            (net,) = method.players[player].nets
            slope = jax.grad(lambda own, net=net, loss=loss, now=now: loss(before | {net: own}, before, now))(now[net])
            now = now | {net: optax.apply_updates(now[net], jax.tree.map(lambda x: -0.01 * x, slope))}
        return now

    now = moved(before)
    for net in method.nets:
        for ours, exact, old in zip(*(jax.tree.leaves(tree[net]) for tree in (after.params, now, before)), strict=True):
            step = np.abs(exact - old).max()
            np.testing.assert_allclose(ours - old, exact - old, atol=1e-3 * step + 1e-7, err_msg=net)


@pytest.mark.parametrize("name", ["xfork", "xseq"])
def test_plus_forms_see_the_map(name):
    small = dict(width=2, levels=5, discriminator_width=2, discriminator_layers=1)
    plain, plus = (methods.load(name, small | dict(guidance=guidance)) for guidance in (False, True))
    assert plain.inputs == ("source",) and plus.inputs == ("source", "target_guidance")
    batch = {field: jax.ShapeDtypeStruct((1, 32, 32, 3), np.float32) for field in plain.fields}
    count = lambda method: {net: sum(x.size for x in jax.tree.leaves(tree))
                            for net, tree in core.shapes(method, batch).items()}
    more = {net: number - count(plain)[net] for net, number in count(plus).items()}
    first = dict(xfork="generator", xseq="image_generator")[name]
    assert more == dict.fromkeys(more, 0) | {first: 3 * 2 * 16}  # three more channels into the first convolution


# Epochs, batch, crop and load size of each set; both forms have them.
SETS = {"dayton": (35, 4, 256, 286), "g2a": (35, 4, 256, 286), "dayton64": (100, 16, 64, 72),
        "cvusa": (30, 4, 256, 286), "sva": (20, 4, 256, 286), "ego2top": (10, 4, 256, 286)}


@pytest.mark.parametrize("experiment, batch_size", [(pix2pix, 8), (xfork, 1), (xseq, 4)])
def test_published_numbers(experiment, batch_size):
    for name, (epochs, batch, crop, load) in SETS.items():
        for end in ("", "_plus"):
            config = experiment.get_config(f"{name}{end}")
            assert (config.epochs, config.batch_size, config.data.crop_size, config.data.load_size) == (
                epochs, batch, crop, load)
            assert (config.data.resize, config.data.flip, config.evaluate.norm) == ("bilinear", "on", "running")
            assert config.options.guidance == bool(end) and config.options.levels == (6 if crop == 64 else 8)
            assert (config.options.real_label, config.options.zero_bias) == (0.9, True)
            rates = {(one.learning_rate, one.b1, one.schedule.name) for one in config.optimizers.values()}
            assert rates == {(2e-4, 0.5, "constant")}
    for variant in ("dayton_released", "dayton_plus_released"):
        config = experiment.get_config(variant)
        assert (config.batch_size, config.evaluate.norm, config.evaluate.dropout) == (batch_size, "batch", True)
    judged = dict(fake=1.0, real=1.0)
    assert xfork.get_config("dayton").weights.to_dict() == dict(
        discriminator=judged, generator=dict(gan=1.0, pixel=100.0, guidance_pixel=100.0))
    assert xseq.get_config("dayton").weights.to_dict() == dict(
        guidance_discriminator=judged, guidance_generator=dict(gan=1.0, pixel=100.0), image_discriminator=judged,
        image_generator=dict(gan=1.0, pixel=100.0, guidance_gan=0.1, guidance_pixel=10.0))
    assert pix2pix.get_config("dayton").weights.to_dict() == dict(
        discriminator=judged, generator=dict(gan=1.0, pixel=100.0))


@pytest.mark.parametrize("options, sentence", [
    (dict(levels=4), "options.levels is 4, expected at least 5"),
    (dict(real_label=0.0), "options.real_label is 0.0, expected above 0 and at most 1"),
    (dict(compute_dtype="float16"), "options.compute_dtype is 'float16', expected one of"),
])
def test_wrong_options(options, sentence):
    for name in ("xfork", "xseq"):
        with pytest.raises(InputError, match=sentence):
            methods.load(name, options)
