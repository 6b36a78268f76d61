"""EdgeGAN: every row of its ablation by formulas, its losses by hand, other backbones, every variant's numbers."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from states import filled, noise, there_and_back
from test_dagan import FAST, RUNNING, conv, drawn, sigmoid
from tiny import assert_terms

from experiments import edgegan
from gganjax import core, methods, port
from gganjax.errors import InputError
from gganjax.layers import TRAIN, Conv
from gganjax.nets.edgegan import EdgeGANGenerator
from gganjax.nets.pix2pixhd import Pix2pixHDGenerator
from gganjax.nets.spade import SpadeTrunk
from gganjax.synthesis import instance_edges

ROWS = {  # of Table 6.15
    "image": dict(edges=False, transfer="none", semantic=False),
    "edges": dict(transfer="none", semantic=False),
    "transfer": dict(semantic=False),
    "semantic": {},
}


class Backbone(nn.Module):
    """In GauGAN's place: one convolution, and a code that is added everywhere."""

    dtype: Any = jnp.float32
    initial: str = "normal"
    spectral_initial: str = "normal"

    @nn.compact
    def __call__(self, semantics, mode=TRAIN, z=None):
        return Conv(6, 3, padding=1, name="only")(semantics) + (0 if z is None else z.sum())


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def by_hand(params, semantics, *, transfer):
    """Thesis 6.4 in float64: edges, both images, guides and the classes' features, of the parts that are there."""
    features = conv(semantics, params["backbone"]["only"])
    layer = lambda x, name: conv(leaky(x), params[name])
    out, guides, shown = {}, [], {}
    if "edge_0" in params:
        e = features
        for i in range(3):
            e = layer(e, f"edge_{i}")
            guides.append(sigmoid(e))
            if transfer in ("both", "feature"):
                shown[f"edge_attention_{i + 1}"] = 2 * guides[-1].mean(-1, keepdims=True) - 1
        out["fake_edges"] = np.tanh(layer(e, "edge_3"))
    x = features
    for i in range(3):
        x = layer(x, f"image_{i}")
        x = x * guides[i] + x if transfer in ("both", "feature") else x
    picture = np.tanh(layer(x, "image_3"))
    if transfer in ("both", "content"):
        guide = sigmoid(out["fake_edges"])
        picture, shown["edge_attention_content"] = picture * guide + picture, 2 * guide - 1
    if "classes" in params:
        out["coarse"] = picture
        of_class = layer(np.concatenate([features, picture, out["fake_edges"], semantics], -1), "classes")
        of_class = of_class + of_class * sigmoid(of_class.mean((1, 2), keepdims=True))
        largest = np.abs(of_class).max((1, 2), keepdims=True)
        shown |= {f"class_{i + 1}": (of_class / largest)[..., i : i + 1] for i in range(of_class.shape[-1])}
        picture = np.tanh(layer(layer(of_class, "joined"), "fine"))
    return out | {"fake_target": picture}, shown


CASES = {name: row for name, row in ROWS.items()} | {
    "feature": dict(transfer="feature", semantic=False), "content": dict(transfer="content", semantic=False)}


@pytest.mark.parametrize("name", CASES)
def test_rows_by_their_formulas(name):
    semantics, row = noise(2, 6, 5, 4), CASES[name]
    module = EdgeGANGenerator(Backbone(), 3, **row)
    variables = drawn(module, semantics)
    found = jax.jit(lambda v, s: module.apply(v, s, RUNNING, details=True), compiler_options=FAST)(variables, semantics)
    expected, shown = by_hand(variables["params"], semantics, transfer=row.get("transfer", "both"))
    made = ("fake_target", *("fake_edges",) * (name != "image"), *("coarse",) * (name == "semantic"))
    assert set(expected) == set(made)
    assert module.looks == tuple(shown) and set(found) == set(expected) | set(shown)
    for key, exact in (expected | shown).items():
        np.testing.assert_allclose(found[key], exact, atol=2e-5, err_msg=key)


def test_the_intermediate_image_may_exceed_1_and_is_cut_off_for_the_user():
    """I' reaches 1 + sigmoid(1), about 1.731; a user gets it within [-1, 1]."""
    method = methods.load("edgegan", dict(classes=2, instances=False, perceptual="none"))

    class Made(nn.Module):
        @nn.compact
        def __call__(self, semantics, mode=TRAIN):
            ones = jnp.ones((*semantics.shape[:3], 3))
            return {"fake_edges": ones, "coarse": 1.731 * ones, "fake_target": ones}

    method.nets["generator"] = Made()
    out = core.sample(method, {"generator": {}}, {}, {"labels": np.zeros((1, 4, 4), np.int32)}, jax.random.key(0))
    assert list(out) == ["fake_target", "fake_edges", "coarse"] and float(out["coarse"].max()) == 1


class Maker(nn.Module):
    """A generator of constants: edges, intermediate and final image are the semantics' first channels times them."""

    @nn.compact
    def __call__(self, semantics, mode=TRAIN, z=None):
        factors = self.param("factors", nn.initializers.ones, (3,))
        picture = jnp.repeat(semantics[..., :1], 3, axis=-1)
        return dict(zip(("fake_edges", "coarse", "fake_target"), (picture * factor for factor in factors), strict=True))


class Judge(nn.Module):
    """A discriminator of two scales: an activation and the logits, which are sums of channels."""

    @nn.compact
    def __call__(self, x, mode=TRAIN):
        weights = self.param("weights", nn.initializers.ones, (x.shape[-1],))
        sums = (x * weights).sum(-1, keepdims=True)
        return [[x * weights, sums], [2 * x[:, ::2, ::2] * weights, sums[:, ::2, ::2]]]


@pytest.mark.parametrize("kind", ["hinge", "vanilla"])
def test_losses_by_hand(kind):
    """Generator: edges + I' + 2 I'' of every term. Discriminator: the same of the fakes, real edges + 3 real images."""
    method = methods.load("edgegan", dict(classes=2, perceptual="none", adversarial=kind))
    assert list(method.players) == ["generator", "discriminator"] and method.players["discriminator"].fresh
    method.nets |= {"generator": Maker(), "discriminator": Judge()}
    random = np.random.default_rng(0)
    batch = dict(labels=random.integers(0, 2, (2, 4, 4), dtype=np.int32),
                 instances=random.integers(0, 3, (2, 4, 4), dtype=np.int32), edges=noise(2, 4, 4, 3),
                 target=noise(2, 4, 4, 3, seed=1))
    params = {"generator": {"factors": np.float32([0.5, -1.5, 0.8])}, "discriminator": {"weights": noise(6, seed=2)}}

    def run(params, batch):
        call = core.Call(method, params, {}, examples=2)
        out = method.rollout(jax.random.key(0), call, batch)
        return {f"{name}/{term}": value for name, player in method.players.items()
                for term, value in player.loss(jax.random.key(1), call, batch, out).items()}

    found = jax.jit(run, compiler_options=FAST)(params, batch)
    semantics = np.concatenate([np.eye(2)[batch["labels"]], instance_edges(batch["instances"])], -1)
    first = np.repeat(semantics[..., :1], 3, axis=-1)
    fakes = {name: factor * first for name, factor in zip(("edges", "coarse", "fine"), params["generator"]["factors"])}
    weights = params["discriminator"]["weights"]

    def layers(picture):
        x = np.concatenate([semantics, picture], -1)
        sums = (x * weights).sum(-1, keepdims=True)
        return [x * weights, 2 * x[:, ::2, ::2] * weights], [sums, sums[:, ::2, ::2]]

    real = {"edges": layers(batch["edges"]), "coarse": layers(batch["target"]), "fine": layers(batch["target"])}
    log = lambda sign: lambda x: np.log1p(np.exp(-sign * x))
    loss = dict(
        hinge=dict(fool=lambda x: -x, fake=lambda x: np.maximum(0, 1 + x), real=lambda x: np.maximum(0, 1 - x)),
        vanilla=dict(fool=log(1), fake=log(-1), real=log(1)))[kind]
    mean = lambda values, function: np.mean([function(x).mean() for x in values])
    expected = dict.fromkeys(("generator/gan", "generator/feature", "discriminator/fake", "discriminator/real"), 0.0)
    for name, factor in dict(edges=1, coarse=1, fine=2).items():
        (activations, logits), (real_activations, real_logits) = layers(fakes[name]), real[name]
        expected["generator/gan"] += factor * mean(logits, loss["fool"])
        expected["generator/feature"] += factor * np.mean(
            [np.abs(a - b).mean() for a, b in zip(activations, real_activations, strict=True)])
        expected["discriminator/fake"] += factor * mean(logits, loss["fake"])
        expected["discriminator/real"] += factor * mean(real_logits, loss["real"])
    assert_terms(found, expected)


def test_rows_judge_what_they_make():
    factors = lambda **options: {name: (one.real, one.factor) for name, one in methods.load(
        "edgegan", dict(perceptual="none") | options).judged.items()}
    assert factors(**ROWS["image"]) == {"fake_target": ("target", 1.0)}
    assert factors(**ROWS["edges"]) == factors(**ROWS["transfer"]) == {
        "fake_edges": ("edges", 1.0), "fake_target": ("target", 1.0)}
    assert factors() == {"fake_edges": ("edges", 1.0), "coarse": ("target", 1.0), "fake_target": ("target", 2.0)}
    results = lambda **options: methods.load("edgegan", dict(perceptual="none") | options).results
    assert results()["fake_target"] == "fake_target" and results(result="coarse")["fake_target"] == "coarse"
    assert "edges" not in methods.load("edgegan", dict(perceptual="none") | ROWS["image"]).fields


def test_backbones_and_codes():
    """Pix2pixHD's features in GauGAN's place; a code reaches edges and images through the backbone."""
    count = lambda module: sum(leaf.size for leaf in jax.tree.leaves(port.shapes(module, (1, 32, 32, 4))["params"]))
    backbones = SpadeTrunk(width=4, hidden=2), Pix2pixHDGenerator(4, levels=2, blocks=1, head=False)
    more = [count(EdgeGANGenerator(backbone.clone(), 3)) - count(backbone) for backbone in backbones]
    assert more[0] == more[1]
    assert count(Pix2pixHDGenerator(4, levels=2, blocks=1)) - count(backbones[1]) == 7 * 7 * 4 * 3 + 3
    assert EdgeGANGenerator(backbones[1], 3).stride == 4
    method = methods.load("edgegan", dict(backbone="pix2pixhd", width=2, levels=1, blocks=1, perceptual="none"))
    backbone = method.nets["generator"].backbone
    assert isinstance(backbone, Pix2pixHDGenerator) and not backbone.head and method.stride == 2
    assert methods.load("edgegan", dict(latent=4, perceptual="none")).latent == 4
    module, semantics = EdgeGANGenerator(Backbone(), 3), noise(1, 4, 4, 4)
    variables = drawn(module, semantics)
    one, other = (module.apply(variables, semantics, RUNNING, z=np.full((1, 2), z)) for z in (0.0, 0.3))
    assert all(np.abs(one[name] - other[name]).max() > 1e-3 for name in ("fake_edges", "coarse", "fake_target"))


def test_spectral_norm_of_the_branches_is_a_switch():
    """Off as in the code; on, every convolution behind the backbone has its vectors, and no parameter more."""
    plain, spectral = (port.shapes(EdgeGANGenerator(Backbone(), 3, spectral=on), (1, 8, 8, 4)) for on in (False, True))
    assert "moving" not in plain and plain["params"] == spectral["params"]
    assert set(spectral["moving"]) == set(plain["params"]) - {"backbone", "spare"}


def test_state_dicts_there_and_back():
    """Every parameter and statistic has its key; what builds the network is read off."""
    module = EdgeGANGenerator(SpadeTrunk(width=2, hidden=3), 4)
    state = there_and_back(port.edgegan.table(), filled(module, (1, 32, 32, 5)))
    found = port.edgegan.describe(state)
    assert (found["inputs"], found["width"], found["hidden"], found["classes"]) == (5, 2, 3, 4)
    with pytest.raises(InputError, match="not that of EdgeGAN's generator: it has no conv_edge1.weight"):
        port.edgegan.describe({key: value for key, value in state.items() if not key.startswith("conv_edge1")})


def test_half_precision_keeps_parameters_and_pictures_in_float32():
    module = EdgeGANGenerator(SpadeTrunk(width=2, hidden=2, dtype=jnp.bfloat16), 3)
    x = jax.ShapeDtypeStruct((1, 32, 32, 3), np.float32)
    made, variables = jax.eval_shape(lambda x: module.init_with_output(jax.random.key(0), x, RUNNING, details=True), x)
    assert {leaf.dtype.name for leaf in jax.tree.leaves((made, variables))} == {"float32"}


def test_published_numbers():
    for name in edgegan.VARIANTS:
        config = edgegan.get_config(name)
        generator = dict(gan=1.0, feature=10.0) | ({"perceptual": 10.0} if name != "demo" else {})
        generator |= {"kl": 0.05} if config.options.latent else {}
        assert config.weights.to_dict() == dict(generator=generator, discriminator=dict(fake=1.0, real=1.0))
        assert {(one.b1, one.b2) for one in config.optimizers.values()} == {(0.0, 0.999)}
    for name, fid in dict(gi=65.7, ge=61.0, gt=59.0, gs=57.1).items():
        config = edgegan.get_config(f"table615_{name}")
        assert config.evaluate.published["values"].fid == fid and (config.batch_size, config.epochs) == (32, 200)
        row = dict(zip(("gi", "ge", "gt", "gs"), ROWS.values(), strict=True))[name]
        full = dict(edges=True, transfer="both", semantic=True)
        assert {switch: config.options[switch] for switch in full} == full | row
    assert [edgegan.get_config(f"table616_{number}").options.result for number in (1, 2)] == ["coarse", "fine"]


@pytest.mark.parametrize("options, sentence", [
    (dict(edges=False), "options.semantic needs the edge branch, but options.edges is False"),
    (dict(edges=False, semantic=False), "options.transfer needs the edge branch, but options.edges is False"),
    (dict(semantic=False, result="coarse"), "options.result is 'coarse', but without options.semantic"),
    (dict(backbone="unet"), r"options.backbone is 'unet', expected one of \('gaugan', 'pix2pixhd'\)"),
    (dict(backbone="pix2pixhd", latent=8), "options.latent is 8, but the backbone 'pix2pixhd' takes no code"),
    (dict(transfer="all"), "options.transfer is 'all', expected one of"),
])
def test_wrong_options(options, sentence):
    with pytest.raises(InputError, match=sentence):
        methods.load("edgegan", dict(perceptual="none") | options)
