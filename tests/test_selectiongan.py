"""SelectionGAN's three forms: losses by hand, what switches and rows change, looks, wrong options."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from states import noise
from tiny import assert_terms

from experiments import selectiongan
from gganjax import core, losses, methods, port
from gganjax.errors import InputError
from gganjax.layers import Mode

FAST = {"xla_backend_optimization_level": 0}
SHAPE = 2, 4, 5, 3


class Judges:
    """A call in whose discriminators each channel of the input is a logit; the order of their inputs is kept."""

    examples = 2

    def __init__(self):
        self.seen = []

    def together(self, net, *calls, key=None):
        self.seen.append((net, [x for (x,) in calls]))
        return [x for (x,) in calls]

    def past(self, pool, x):
        return x


def cross_entropy(image, condition, real):
    """Of logits that are the channels of an image and of what stands beside it."""
    logits = np.concatenate([image, condition], -1).astype(np.float64)
    return np.mean(np.log1p(np.exp(-logits if real else logits)))


def guided(x, y, u):
    return np.mean(np.abs(x.astype(np.float64) - y) / u + np.log(u))


def variation(x):
    x = x.astype(np.float64)
    return np.abs(np.diff(x, axis=1)).sum() + np.abs(np.diff(x, axis=2)).sum()


def views():
    """A batch, and what both stages might have made of it."""
    batch = {name: noise(*SHAPE, seed=seed) for seed, name in enumerate(("source", "target", "target_guidance"))}
    names = ("coarse_target", "fine_target", "coarse_guidance", "fine_guidance")
    return batch, {name: noise(*SHAPE, seed=10 + seed) for seed, name in enumerate(names)}


PAIRS = {"pixel_coarse": ("coarse_target", "target"), "pixel_fine": ("fine_target", "target"),
         "cycle_coarse": ("coarse_guidance", "target_guidance"), "cycle_fine": ("fine_guidance", "target_guidance")}


@pytest.mark.parametrize("maps", [0, 1, 4])
@pytest.mark.parametrize("plain", [False, True])
def test_terms_by_hand(maps, plain):
    """Both stages judged beside the source; every comparison by its own map, by the common one, or plainly."""
    method = methods.load("selectiongan", dict(uncertainty_maps=maps, add_plain_l1=plain))
    batch, out = views()
    if maps:
        out["uncertainty"] = noise(*SHAPE[:3], maps, seed=5, low=0.1)
    found = method.generator_loss(None, judge := Judges(), batch, out)
    expected = {f"gan_{stage}": cross_entropy(out[f"{stage}_target"], batch["source"], True) for stage in ("coarse", "fine")}
    expected["tv"] = variation(out["fine_target"])  # summed over the batch
    for number, (term, (made, given)) in enumerate(PAIRS.items()):
        if maps:
            own = out["uncertainty"][..., number if maps == 4 else 0, None]
            expected[f"guided_{term}"] = guided(out[made], batch[given], own)
        if plain or not maps:
            expected[term] = np.abs(out[made].astype(np.float64) - batch[given]).mean()
    assert_terms(found, expected, rtol=1e-5)
    for seen in judge.seen[0][1]:
        np.testing.assert_array_equal(seen[..., :3], batch["source"])  # the condition stands in front

    found = method.discriminator_loss(None, Judges(), batch, out)
    expected = {f"fake_{stage}": cross_entropy(out[f"{stage}_target"], batch["source"], False) for stage in ("coarse", "fine")}
    expected["real"] = cross_entropy(batch["target"], batch["source"], True)
    assert_terms(found, expected, rtol=1e-5)


def test_uncertainty_of_images_that_agree():
    """The loss is least where the map is the distance, and finite with a map of 0, which then stays where it is."""
    x, y = np.full((1, 1, 1, 3), 0.5, np.float32), np.full((1, 1, 1, 3), 0.2, np.float32)
    at = lambda u, y=y: float(losses.uncertainty_guided(x, y, np.full((1, 1, 1, 1), u, np.float32)))
    assert at(0.3) == pytest.approx(1 + np.log(0.3), abs=1e-6) and at(0.3) < min(at(0.29), at(0.31))
    slope = jax.grad(lambda u: losses.uncertainty_guided(x, x, u))(jnp.zeros((1, 1, 1, 1)))
    assert at(0.0, x) == pytest.approx(np.log(1e-6), rel=1e-6) and float(slope[0, 0, 0, 0]) == 0


@pytest.mark.parametrize("maps, released", [(2, False), (1, True)])
def test_terms_of_persons_by_hand(maps, released):
    """Which stages each discriminator judges, both comparisons, SSIM; plain terms of the code move nothing."""
    method = methods.load("selectiongan_person", dict(
        guidance_channels=4, uncertainty_maps=maps, similarity=True, appearance_of_coarse=not released,
        plain_gradients=not released, perceptual="none"))
    batch = dict(source=noise(2, 12, 12, 3), target=noise(2, 12, 12, 3, seed=1), target_guidance=noise(2, 12, 12, 4, seed=2))
    out = dict(coarse_target=noise(2, 12, 12, 3, seed=3), fine_target=noise(2, 12, 12, 3, seed=4),
               uncertainty=noise(2, 12, 12, maps, seed=5, low=0.1))
    stages = {"appearance": ("fine",) if released else ("coarse", "fine"), "shape": ("coarse", "fine")}
    beside = {"appearance": batch["source"], "shape": batch["target_guidance"]}
    key = jax.random.key(0)
    terms = lambda out: method.generator_loss(key, Judges(), batch, out)
    compiled = jax.jit(terms, compiler_options=FAST)
    found = compiled(out)
    expected = {f"gan_{judge}_{stage}": cross_entropy(out[f"{stage}_target"], beside[judge], True)
                for judge, some in stages.items() for stage in some}
    for number, stage in enumerate(("coarse", "fine")):
        image = out[f"{stage}_target"]
        own = out["uncertainty"][..., number if maps == 2 else 0, None]
        expected |= {f"pixel_{stage}": np.abs(image.astype(np.float64) - batch["target"]).mean(),
                     f"guided_{stage}": guided(image, batch["target"], own), f"tv_{stage}": variation(image)}
    assert set(found) == {*expected, "ssim"}
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, err_msg=name)
    assert 0.5 < found["ssim"] < 1.5  # of two images of noise
    np.testing.assert_allclose(compiled(out | dict(fine_target=batch["target"]))["ssim"], 0, atol=1e-5)
    felt = jax.jit(jax.grad(lambda image: terms(out | dict(fine_target=image))["pixel_fine"]), compiler_options=FAST)
    assert np.any(felt(out["fine_target"])) != released
    for judge, some in stages.items():
        found = method.players[f"{judge}_discriminator"].loss(key, Judges(), batch, out)
        assert set(found) == {"real", *(f"fake_{stage}" for stage in some)}
        np.testing.assert_allclose(found["real"], cross_entropy(batch["target"], beside[judge], True), rtol=1e-5)
        np.testing.assert_allclose(found["fake_fine"], cross_entropy(out["fine_target"], beside[judge], False), rtol=1e-5)


@pytest.mark.parametrize("order", ["discriminator_first", "generator_first"])
def test_order_of_the_players(order):
    first = order.removesuffix("_first")
    assert next(iter(methods.load("selectiongan", dict(update_order=order)).players)) == first


# Row: what Gi sees, networks, terms of the generator, uncertainty maps, images.
GI, GS, GA = "image_generator", "guidance_generator", "attention_generator"
SOURCE, GUIDE = ("source",), ("target_guidance",)
BOTH, ONE, CYCLE = SOURCE + GUIDE, {"gan_coarse": 1.0, "pixel_coarse": 100.0}, {"cycle_coarse": 1.0}
GUIDED = {"gan_coarse": 1.0, "gan_fine": 4.0, "guided_pixel_coarse": 100.0, "guided_pixel_fine": 200.0,
          "guided_cycle_coarse": 1.0, "guided_cycle_fine": 2.0}
ROWS = {
    "ablation_a": (SOURCE, {GI}, ONE), "ablation_b": (GUIDE, {GI}, ONE), "ablation_c": (BOTH, {GI}, ONE),
    "ablation_d": (BOTH, {GI, GS}, ONE | CYCLE), "ablation_e": (BOTH, {GI, GS, GA}, GUIDED),
    "ablation_f": (BOTH, {GI, GS, GA}, GUIDED), "ablation_g": (BOTH, {GI, GS, GA}, GUIDED | {"tv": 1e-6}),
    "ablation_h": (BOTH, {GI, GS, GA}, GUIDED | {"tv": 1e-6}),
}


@pytest.mark.parametrize("row", ROWS)
def test_rows_of_the_ablation(row):
    sees, nets, weights = ROWS[row]
    config = selectiongan.get_config(row)
    method = methods.load("selectiongan", config.options)
    assert method.sees == sees and set(method.nets) == nets | {"discriminator"}
    assert config.weights.generator.to_dict() == weights and config.data.share == 1 / 3
    judged = config.weights.discriminator.to_dict()
    assert judged == ({"fake_coarse": 0.5, "fake_fine": 2.0, "real": 2.5} if GA in nets else {"fake_coarse": 0.5, "real": 0.5})
    if GA in nets:
        second = method.nets[GA].selection
        assert second.images == (1 if row == "ablation_e" else 10) and second.uncertainty == 4
        assert second.pooling == ("multiscale" if row == "ablation_h" else "none")
        assert second.uncertainty_input == ("logits" if row == "ablation_e" else "attention")


def test_rows_of_the_other_tables():
    same = lambda a, b: selectiongan.get_config(a).to_dict() == selectiongan.get_config(b).to_dict()
    assert same("table53_0", "ablation_d") and same("table53_1", "ablation_e") and same("table53_10", "ablation_f")
    f, h = (selectiongan.get_config(f"ablation_{row}").options.to_dict() for row in "fh")
    for count in (5, 32):
        assert selectiongan.get_config(f"table53_{count}").options.to_dict() == f | dict(images=count)
    assert selectiongan.get_config("ablation_pp").options.to_dict() == h | dict(channel_selection="inverted")
    assert selectiongan.get_config("senet").options.to_dict() == h | dict(pooling="squeeze")
    for row in "fgh":
        options = selectiongan.get_config(f"ablation_{row}").options.to_dict()
        assert selectiongan.get_config(f"table52_{row}").options.to_dict() == options | dict(result="coarse")


def test_looks_and_the_stage_that_counts():
    """Every picture by name; the fine one is the sum of images times maps, and the coarse one may be the result."""
    narrow = dict(width=2, guidance_width=2, attention_width=4, levels=5, images=2, dropout=0.0, norm="instance",
                  guidance=False)
    method, coarse = (methods.load("selectiongan", narrow | dict(result=result)) for result in ("fine", "coarse"))
    batch = dict(source=noise(1, 32, 32, 3))
    assert method.inputs == ("source",) and set(method.fields) == {"source", "target"}
    nets = {GI: ((1, 32, 32, 3),), GS: ((1, 32, 32, 3),), GA: ((1, 16, 16, 4), (1, 16, 16, 4), (1, 32, 32, 3), (1, 32, 32, 3))}
    random, params = np.random.default_rng(2), {}
    for net, sizes in nets.items():
        shapes = port.shapes(method.nets[net], *sizes)["params"]
        params[net] = jax.tree.map(lambda leaf: random.normal(0, 0.3, leaf.shape).astype(np.float32), shapes)

    def run(params, batch):
        call = lambda one: core.Call(one, params, {}, mode=Mode("batch", dropout=False, keep=False))
        key = jax.random.key(0)
        return method.sample(key, call(method), batch), coarse.sample(key, call(coarse), batch), method.look(
            key, call(method), batch, method.looks)

    fine, first, seen = jax.device_get(jax.jit(run, compiler_options=FAST)(params, batch))
    assert tuple(method.looks) == (
        "coarse_target", "fine_target", "coarse_guidance", "fine_guidance", "image_1", "image_2", "map_1", "map_2",
        "uncertainty_pixel_coarse", "uncertainty_pixel_fine", "uncertainty_cycle_coarse", "uncertainty_cycle_fine")
    shares = [(seen[f"map_{k}"] + 1) / 2 for k in (1, 2)]
    np.testing.assert_allclose(shares[0] + shares[1], 1, atol=1e-5)
    np.testing.assert_allclose(fine["fake_target"], shares[0] * seen["image_1"] + shares[1] * seen["image_2"], atol=1e-5)
    np.testing.assert_allclose(fine["coarse_target"], seen["coarse_target"], atol=1e-5)
    np.testing.assert_array_equal(first["fake_target"], fine["coarse_target"])
    np.testing.assert_array_equal(first["fine_target"], fine["fake_target"])
    np.testing.assert_allclose(fine["read_target_guidance"], seen["fine_guidance"], atol=1e-5)
    assert np.abs(fine["fake_target"] - fine["coarse_target"]).max() > 1e-2
    shown = batch | dict(target=batch["source"])
    assert list(method.panels(shown, fine)) == ["source", "coarse", "translated", "read off the translation", "target"]


def test_half_precision_keeps_parameters_and_pictures_in_float32():
    method = methods.load("selectiongan", dict(width=2, levels=5, compute_dtype="bfloat16"))
    batch = {name: np.zeros((1, 32, 32, 3), np.float32) for name in method.fields}
    params = core.shapes(method, batch)
    out = jax.eval_shape(lambda params, batch: method.rollout(jax.random.key(0), core.Call(method, params, {}), batch),
                         {net: params[net] for net in method.players["generator"].nets}, batch)
    assert {leaf.dtype.name for leaf in jax.tree.leaves((params, out))} == {"float32"}


@pytest.mark.parametrize("name, options, sentence", [
    ("selectiongan", dict(sees="all"), "options.sees is 'all', expected one of"),
    ("selectiongan", dict(pooling="max"), "options.pooling is 'max', expected one of"),
    ("selectiongan", dict(channel_selection="on"), "options.channel_selection is 'on', expected one of"),
    ("selectiongan", dict(uncertainty_input="maps"), "options.uncertainty_input is 'maps', expected one of"),
    ("selectiongan", dict(uncertainty_maps=2), r"options.uncertainty_maps is 2, expected one of \(0, 1, 4\)"),
    ("selectiongan", dict(images=-1), "options.images is -1, expected at least 0"),
    ("selectiongan", dict(levels=4), "options.levels is 4, expected at least 5"),
    ("selectiongan", dict(cycle=False), "options.cycle is False, but stage II"),
    ("selectiongan", dict(images=0), "options.uncertainty_maps is of stage II, but options.images is 0"),
    ("selectiongan", dict(images=0, uncertainty_maps=0), "options.total_variation is of stage II, but options.images is 0"),
    ("selectiongan_person", dict(uncertainty_maps=4), r"options.uncertainty_maps is 4, expected one of \(0, 1, 2\)"),
    ("selectiongan_person", dict(images=0), "options.images is 0, expected at least 1"),
    ("selectiongan_person", dict(pool_size=-1), "options.pool_size is -1, expected at least 0"),
    ("selectiongan_semantic", dict(images=0), "options.images is 0, expected at least 1"),
    ("selectiongan_semantic", dict(upsampling="less"), "options.upsampling is 'less', expected one of"),
])
def test_wrong_options(name, options, sentence):
    with pytest.raises(InputError, match=sentence):
        methods.load(name, dict(perceptual="none") | options if name != "selectiongan" else options)
