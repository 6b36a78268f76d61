"""The label-to-photo recipe: semantics, terms and players by formulas in NumPy, codes and styles, its experiments."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from experiments import gaugan, pix2pixhd
from gganjax import core, methods, schedules, settings
from gganjax.errors import InputError
from gganjax.features.resizing import nearest
from gganjax.layers import TRAIN, Conv, Mode, normalized_spectrum
from gganjax.nets.spade import SpadeTrunk
from gganjax.step import train_step
from gganjax.synthesis import Judged, Semantics, Synthesis, instance_edges

RANDOM = np.random.default_rng(0)
WEIGHTS = dict(generator=dict(gan=1.0, feature=10.0, kl=0.05, own=2.0), discriminator=dict(fake=1.0, real=1.0))
JUDGED = {"fake_edges": Judged("edges"), "coarse": Judged(), "fake_target": Judged(factor=2.0)}


class Maker(nn.Module):
    """A tiny generator of three pictures, whose kernel has spectral norm; a code shifts them."""

    stride = 1

    @nn.compact
    def __call__(self, semantics, mode: Mode = TRAIN, z=None):
        kernel = self.param("kernel", nn.initializers.normal(1.0), (1, 1, semantics.shape[-1], 9))
        kernel = normalized_spectrum(self, kernel, mode)[0, 0]
        y = jnp.tanh(semantics @ kernel + (0 if z is None else z[:, None, None, :1]))
        return dict(fake_edges=y[..., :3], coarse=2 * y[..., 3:6], fake_target=y[..., 6:])


class Scales(nn.Module):
    """A tiny discriminator of two scales; the second is three times the first."""

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        y = Conv(3, 1)(x)
        return [[jnp.tanh(y), y[..., :1]], [3 * jnp.tanh(y), 3 * y[..., :1]]]


class Coder(nn.Module):
    """A tiny encoder."""

    latent: int = 2

    @nn.compact
    def __call__(self, image, mode: Mode = TRAIN):
        y = nn.Dense(4)(image.mean((1, 2)))
        return y[:, :2], y[:, 2:]


def shrunk(**options):
    """The recipe with tiny networks and three judged pictures."""
    method = Synthesis(**dict(name="toy", generator=Maker(), semantics=Semantics(3, True), judged=JUDGED, perceptual="none",
                              extra=lambda key, call, batch, semantics, out: {"own": out["coarse"].mean() + semantics.sum()},
                              encoder=Coder()) | options)
    method.nets["discriminator"] = Scales()
    return method


def batch_of(method, rows=2, size=4):
    """Noise for pictures, classes for labels."""
    return {name: RANDOM.integers(0, 4, (rows, size, size)).astype(np.int32) if len(field.shape) == 3
            else RANDOM.uniform(-1, 1, (rows, size, size, 3)).astype(np.float32) for name, field in method.fields.items()}


def begun(method, batch, rate):
    """Plain gradient descent, and the first state."""
    optimizers = {player: optax.sgd(rate) for player in method.players}
    return optimizers, core.init(method, optimizers, 0, batch)


def compiled(method, optimizers, weights, **options):
    """A step of all players."""
    return jax.jit(lambda state, batch: train_step(
        method, optimizers, weights, state, batch, acting=tuple(method.players), **options))


def iterated(matrix, u, times):
    """Power iterations: u, v and the singular value."""
    for _ in range(times):
        v = matrix @ u
        v /= np.linalg.norm(v)
        u = v @ matrix
        u /= np.linalg.norm(u)
    return u, v, v @ matrix @ u


def test_one_iteration_by_formula():
    """Terms with their factors; the discriminator judges pictures of the moved generator; vectors move twice."""
    method = shrunk(encoder=None)
    batch = batch_of(method)
    weights = {player: {term: weight for term, weight in terms.items() if term != "kl"} for player, terms in WEIGHTS.items()}
    optimizers, state = begun(method, batch, 0.1)
    after, terms = jax.device_get(compiled(method, optimizers, weights)(state, batch))
    before = jax.device_get(state)
    semantics = np.eye(4)[batch["labels"]]
    judge = before.params["discriminator"]["Conv_0"]

    def made(params, times):
        matrix = params["generator"]["kernel"][0, 0].astype(np.float64)
        sigma = iterated(matrix, before.moving["generator"]["u"].astype(np.float64), 1)[2] if times == 1 else times
        y = np.tanh(semantics @ (matrix / sigma))
        return dict(fake_edges=y[..., :3], coarse=2 * y[..., 3:6], fake_target=y[..., 6:])

    def judged(picture):
        return np.concatenate([semantics, picture], -1) @ judge["kernel"][0, 0].astype(np.float64) + judge["bias"]

    first, gan, feature = made(before.params, 1), 0, 0
    for name, (real, factor) in JUDGED.items():
        fake, wanted = judged(first[name]), judged(batch[real])
        gan -= factor * (1 + 3) / 2 * fake[..., 0].mean()
        feature += factor * (1 + 3) / 2 * np.abs(np.tanh(fake) - np.tanh(wanted)).mean()
    own = first["coarse"].mean() + semantics.sum()
    for term, value in dict(gan=gan, feature=feature, own=own, total=gan + 10 * feature + 2 * own).items():
        assert terms[f"generator/{term}"] == pytest.approx(value, rel=1e-4), term

    # The vectors: one iteration at the old kernel, one at the new.
    matrices = [state.params["generator"]["kernel"][0, 0].astype(np.float64) for state in (before, after)]
    u, _, _ = iterated(matrices[0], before.moving["generator"]["u"].astype(np.float64), 1)
    u, v, sigma = iterated(matrices[1], u, 1)
    np.testing.assert_allclose(after.moving["generator"]["u"], u, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(after.moving["generator"]["v"], v, rtol=1e-4, atol=1e-5)
    second = made(after.params, sigma)
    hinge = lambda logits, sign: (np.maximum(0, 1 - sign * logits).mean() + np.maximum(0, 1 - 3 * sign * logits).mean()) / 2
    fake = sum(factor * hinge(judged(second[name])[..., 0], -1) for name, (_, factor) in JUDGED.items())
    real = sum(factor * hinge(judged(batch[field])[..., 0], 1) for field, factor in (("edges", 1), ("target", 3)))
    assert terms["discriminator/fake"] == pytest.approx(fake, rel=1e-4)
    assert terms["discriminator/real"] == pytest.approx(real, rel=1e-4)
    assert set(terms) == {f"{player}/{term}" for player, own in weights.items() for term in (*own, "total", "gradient_norm")}


def test_the_divergence_of_codes_is_a_sum_over_the_batch():
    """However the batch is divided."""
    method = shrunk()
    batch = batch_of(method, rows=4)
    optimizers, state = begun(method, batch, 0.0)
    dense = jax.device_get(state.params["encoder"]["Dense_0"])
    mean, log_variance = np.split(batch["target"].mean((1, 2)) @ dense["kernel"] + dense["bias"], 2, axis=1)
    expected = -0.5 * (1 + log_variance - mean**2 - np.exp(log_variance)).sum()
    for accumulate in (1, 2):
        _, terms = compiled(method, optimizers, WEIGHTS, accumulate=accumulate)(state, batch)
        assert terms["generator/kl"] == pytest.approx(expected, rel=1e-5)


def test_styles():
    """A code at random for every key, the same one for the same; in the guided form that of the source."""
    method = shrunk(results={"fake_target": "coarse", "fake_edges": "fake_edges"})
    batch = batch_of(method)
    _, state = begun(method, batch, 0.0)
    draw = lambda method, batch, seed: jax.device_get(core.sample(
        method, state.params, state.moving, {name: batch[name] for name in method.inputs}, jax.random.key(seed)))
    one, same, other = (draw(method, batch, seed) for seed in (0, 0, 1))
    assert set(one) == {"fake_target", "fake_edges"}
    np.testing.assert_array_equal(one["fake_target"], same["fake_target"])
    assert np.abs(one["fake_target"] - other["fake_target"]).max() > 0.01
    assert np.abs(one["fake_target"]).max() == 1  # the coarse picture's excess is cut off
    assert list(method.panels(batch, one)) == ["labels", "translated", "fake_edges", "target"]

    guided = shrunk(semantics=Semantics(guidance="target"))
    assert guided.inputs == ("source", "target_guidance") and guided.semantics.channels == 3
    batch = batch_of(guided)
    _, state = begun(guided, batch, 0.0)
    params = jax.device_get(state.params)
    params["encoder"]["Dense_0"]["bias"] = np.float32([0, 0, -200, -200])  # no variance: nothing is left to chance
    state = state.replace(params=params)
    styles = [draw(guided, batch | {"source": source}, seed)["fake_target"]
              for source, seed in ((batch["source"], 0), (batch["source"], 1), (-batch["source"], 0))]
    np.testing.assert_array_equal(styles[0], styles[1])
    assert np.abs(styles[0] - styles[2]).max() > 1e-3
    assert list(guided.panels(batch, {"fake_target": styles[0]})) == ["source", "target guidance", "translated", "target"]


def test_semantics():
    labels = RANDOM.integers(0, 6, (2, 5, 7)).astype(np.int32)
    np.testing.assert_array_equal(Semantics(5, True)(dict(labels=labels)), np.eye(6)[labels])
    moved = Semantics(5, True, unknown_first=True)(dict(labels=labels))
    np.testing.assert_array_equal(moved, np.eye(6)[np.where(labels == 0, 5, labels - 1)])
    padded, expected = np.pad(labels, ((0, 0), (1, 1), (1, 1)), "edge"), np.zeros(labels.shape, bool)
    for i, j in ((0, 1), (2, 1), (1, 0), (1, 2)):
        expected |= padded[:, i : i + 5, j : j + 7] != labels
    np.testing.assert_array_equal(instance_edges(jnp.asarray(labels))[..., 0], expected)
    sizes = [semantics.channels for semantics in (
        Semantics(35, instances=True), Semantics(150, True), Semantics(182, True, True), Semantics(guidance="both"))]
    assert sizes == [36, 151, 184, 6]
    assert Semantics(150, True).fields["labels"].high == 150


def test_nearest_takes_the_floor():
    x = RANDOM.standard_normal((1, 6, 9, 2)).astype(np.float32)
    for size in ((3, 3), (12, 18), (4, 7), (6, 5)):
        rows, columns = (np.floor(np.arange(new) * old / new).astype(int) for new, old in zip(size, (6, 9)))
        np.testing.assert_array_equal(nearest(x, size), x[:, rows][:, :, columns])


@pytest.mark.parametrize("options, sentence", [
    (dict(classes=0), "options.classes is 0, expected at least 1."),
    (dict(unknown_first=True), "options.unknown_first moves unknown pixels, but options.unknown is False."),
    (dict(guidance="source"), "options.guidance is 'source', expected one of ('none', 'target', 'both')."),
    (dict(upsampling="less"), "options.upsampling is 'less', expected one of ('normal', 'more', 'most')."),
    (dict(latent=8, encoder_size=100), "options.encoder_size is 100, expected a power of 2, at least 8."),
    (dict(latent=8, encoder_size=24), "options.encoder_size is 24, expected a power of 2, at least 8."),
])
def test_wrong_options_are_told(options, sentence):
    with pytest.raises(InputError) as error:
        methods.load("gaugan", dict(perceptual="none") | options)
    assert str(error.value) == sentence


def test_pictures_fit_the_upsampling():
    """A Cityscapes picture is a multiple of 64; the first features are 8x4."""
    config = gaugan.get_config("cityscapes").to_dict()
    config["data"]["crop_size"] = config["data"]["load_size"] = 288
    method = methods.load("gaugan", config["options"])
    with pytest.raises(InputError, match="config.data.crop_size must be a multiple of 64, the stride of gaugan, found 288"):
        settings.check_size(config, method)


def test_recomputed_blocks_are_the_same_network():
    """A block is recomputed as a whole: one checkpoint each, and the same variables."""
    x = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
    plain, spared = SpadeTrunk(width=2, hidden=2), SpadeTrunk(width=2, hidden=2, remat=True)
    variables = [jax.eval_shape(net.init, jax.random.key(0), x) for net in (plain, spared)]
    assert variables[0] == variables[1]

    def recomputed(net):
        made = jax.make_jaxpr(lambda v, x: net.apply(v, x, mutable=["moving"]))(variables[0], x)
        return sum("remat" in step.primitive.name for step in made.eqns)

    assert (recomputed(plain), recomputed(spared)) == (0, len(plain.blocks))


def test_schedule_and_rates():
    """Two rates of TTUR; in epoch 102 of 200 the rate begins to fall, in the last it is a hundredth."""
    config = gaugan.get_config()
    rates = {player: (one.learning_rate, one.b1, one.b2) for player, one in config.optimizers.items()}
    assert rates == dict(generator=(1e-4, 0.0, 0.9), discriminator=(4e-4, 0.0, 0.9))
    share = schedules.factor(config.optimizers.generator.schedule, steps_per_epoch=1, total_steps=200)
    found = [float(share(epoch - 1)) for epoch in (1, 100, 101, 102, 200)]
    np.testing.assert_allclose(found, [1, 1, 1, 0.99, 0.01], rtol=1e-5)
    one = gaugan.get_config("cityscapes_one_rate").optimizers
    assert {(player.learning_rate, player.b1, player.b2) for player in (one.generator, one.discriminator)} == {(2e-4, 0.5, 0.999)}
    assert gaugan.schedule(50, 0) == dict(name="constant")


def test_experiments_are_those_of_the_sets():
    """Channels of what the networks see, and sizes, as in the published table."""
    expected = {"cityscapes": (36, 256, 512), "ade20k": (151, 256, 256), "coco": (184, 256, 256), "facades13": (13, 512, 512),
                "deepfashion": (20, 256, 256), "celebamask": (19, 512, 512), "radboud": (3, 256, 256)}
    for experiment in (gaugan, pix2pixhd):
        for name, (channels, height, width) in expected.items():
            config = experiment.get_config(name)
            method = methods.load(config.method, config.options.to_dict() | dict(width=4))
            assert method.semantics.channels == channels
            assert (config.data.crop_size, config.data.crop_width or config.data.crop_size) == (height, width)
    assert pix2pixhd.get_config("radboud").batch_size == 2 * gaugan.get_config("radboud").batch_size == 32
    assert "kl" in gaugan.get_config("radboud").weights.generator
