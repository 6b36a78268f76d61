"""The recipe of the pose family: players, terms, pools and switches, by formulas in NumPy; PATN's settings; a run on it."""

import copy
import json
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
from make_set import make_folder, write_picture
from PIL import Image

from experiments import patn
from gganjax import core, data, evaluate, features, methods, report, sample, schedules, settings, train, use
from gganjax.data import guides
from gganjax.data.keypoints import read_figures
from gganjax.errors import InputError
from gganjax.layers import TRAIN, Conv, Mode, Norm

JUDGES = {"appearance": "source", "shape": "target_guidance"}
WEIGHTS = dict(generator=dict(gan=5.0, pixel=50.0, perceptual=20.0),
               appearance_discriminator=dict(real=2.5, fake=1.5), shape_discriminator=dict(real=0.5, fake=3.0))


class Joined(nn.Module):
    """A tiny network of source and poses."""

    @nn.compact
    def __call__(self, source, poses, mode: Mode = TRAIN):
        y = Conv(3, 3, padding=1)(jnp.concatenate([source, poses], -1))
        return jnp.tanh(Norm("batch")(y, mode))


class Squares(nn.Module):
    """Stands in for the perceptual network: one map, the squares."""

    @nn.compact
    def __call__(self, x):
        return (x * x,)


def shrunk(**options):
    """PATN with tiny networks, two maps and squares in place of VGG."""
    method = methods.load("patn", dict(guidance_channels=2, perceptual="vgg16", pool_size=0, dropout=0.0) | options)
    method.nets = dict(generator=Joined(), appearance_discriminator=tiny.Tiny(1), shape_discriminator=tiny.Tiny(1),
                       perceptual=Squares())
    method.frozen = dict(perceptual=dict)
    method.stride = 1
    return method


def expected(apply, batch, kind="vanilla", perceptual="l1"):
    """Every term by its formula in float64."""
    fake = apply("generator", batch["source"], batch["source_guidance"], batch["target_guidance"])
    terms, judged = {"generator/pixel": tiny.distance(fake, batch["target"])}, []
    squares = fake**2 - np.asarray(batch["target"], np.float64) ** 2
    terms["generator/perceptual"] = np.mean(np.abs(squares) if perceptual == "l1" else squares**2)
    for judge, beside in JUDGES.items():
        net = f"{judge}_discriminator"
        of_fake, of_real = (apply(net, image, batch[beside]) for image in (fake, batch["target"]))
        judged.append(tiny.adversarial(of_fake, True, kind))
        terms[f"{net}/real"] = tiny.adversarial(of_real, True, kind)
        terms[f"{net}/fake"] = tiny.adversarial(of_fake, False, kind)
    return terms | {"generator/gan": np.mean(judged)}


def test_players_and_what_they_move():
    method = methods.load("patn", dict(perceptual="none"))
    assert {name: player.nets for name, player in method.players.items()} == {
        "generator": ("generator",), "appearance_discriminator": ("appearance_discriminator",),
        "shape_discriminator": ("shape_discriminator",)}
    assert not any(player.fresh for player in method.players.values())
    assert method.pools == dict(appearance=50, shape=50) and method.stride == 4
    assert {name: (field.shape[-1], field.low) for name, field in method.fields.items()} == dict(
        source=(3, -1.0), target=(3, -1.0), source_guidance=(18, 0.0), target_guidance=(18, 0.0))


@pytest.mark.parametrize("kind, perceptual", [("vanilla", "l1"), ("least_squares", "l2")])
def test_terms(kind, perceptual):
    method = shrunk(adversarial=kind, perceptual_loss=perceptual)
    batch = tiny.pictures(method)
    _, state = tiny.begun(method, batch)
    terms, _ = tiny.judged(method, state, batch)
    wanted = expected(tiny.network(method, state), batch, kind, perceptual)
    assert set(terms) == set(wanted)
    for name, value in wanted.items():
        assert terms[name] == pytest.approx(value, rel=1e-4), name


def test_a_step_follows_the_gradients_of_the_formulas():
    """Of the norm's shift in every network, by differences; all see the fake made before the generator's update."""
    method = shrunk()
    batch = tiny.pictures(method)
    optimizers, state = tiny.begun(method, batch)
    (after, _), = tiny.stepped(method, optimizers, state, batch, WEIGHTS)
    assert tiny.changed(state, after) == {"generator", "appearance_discriminator", "shape_discriminator"}
    params = jax.device_get(state.params)

    def objective(player, shift):
        moved = copy.deepcopy(params)
        moved[player]["Norm_0"]["bias"] = params[player]["Norm_0"]["bias"] + shift
        terms = expected(tiny.network(method, state.replace(params=moved)), batch)
        return sum(weight * terms[f"{player}/{term}"] for term, weight in WEIGHTS[player].items())

    for player in WEIGHTS:
        bias = params[player]["Norm_0"]["bias"]
        moved = bias - np.asarray(after.params[player]["Norm_0"]["bias"])  # the rate is 1
        for place in np.eye(len(bias)):
            slope = (objective(player, 1e-5 * place) - objective(player, -1e-5 * place)) / 2e-5
            assert moved @ place == pytest.approx(slope, rel=2e-3, abs=1e-4), player


def test_statistics_move_call_by_call():
    """Of a discriminator: by the fake before the generator's update, then by the real and by the fake in its own turn."""
    method = shrunk()
    batch = tiny.pictures(method)
    optimizers, state = tiny.begun(method, batch)
    (after, _), = tiny.stepped(method, optimizers, state, batch, WEIGHTS)
    params = jax.device_get(state.params)["shape_discriminator"]["Conv_0"]
    fake = tiny.network(method, state)("generator", batch["source"], batch["source_guidance"], batch["target_guidance"])

    def mean(image):
        x = np.concatenate([image, batch["target_guidance"]], -1)
        x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))
        return (np.einsum("bhwcij,ijco->bhwo", windows, params["kernel"]) + params["bias"]).mean((0, 1, 2))

    running = np.zeros(1)
    for image in (fake, batch["target"], fake):
        running = 0.9 * running + 0.1 * mean(image)
    np.testing.assert_allclose(after.moving["shape_discriminator"]["Norm_0"]["mean"], running, rtol=1e-4)


def test_each_pool_remembers_fakes_with_what_stands_behind_them():
    method = shrunk(pool_size=3)
    batch = tiny.pictures(method)
    _, state = tiny.begun(method, batch)
    _, pools = tiny.judged(method, state, batch)
    fake = tiny.network(method, state)("generator", batch["source"], batch["source_guidance"], batch["target_guidance"])
    assert list(pools) == list(JUDGES)
    for judge, beside in JUDGES.items():
        images, count = pools[judge]
        assert (len(images), count) == (3, 2)
        np.testing.assert_allclose(images[:2], np.concatenate([fake, batch[beside]], -1), atol=1e-5)


def test_perceptual_network_is_cut_behind_relu1_2_and_normalized():
    method = methods.load("patn", dict(perceptual="vgg16"))
    module, params = method.nets["perceptual"], method.frozen["perceptual"]()
    assert (module.taps, module.normalized) == (("relu1_2",), True) and sorted(params) == ["conv1_1", "conv1_2"]
    x = np.random.default_rng(0).uniform(-1, 1, (1, 16, 20, 3)).astype(np.float32)
    whole, load = features.perceptual("vgg16")
    (found,) = module.apply({"params": params}, x)
    normalized = ((x + 1) / 2 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    np.testing.assert_allclose(found, whole.apply({"params": load()}, np.float32(normalized))[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("option, value", [
    ("generator", "unet"), ("norm", "layer"), ("adversarial", "hinge"), ("perceptual", "vgg13"), ("perceptual_loss", "l3"),
    ("compute_dtype", "float16"), ("guidance_channels", 0), ("pool_size", -1), ("blocks", 0),
])
def test_bad_options(option, value):
    with pytest.raises(InputError, match=f"^options.{option} is {value!r}, expected "):
        methods.load("patn", {option: value})


def test_numbers_of_the_script_and_of_the_table():
    weights = lambda config: tuple(config.weights.generator[term] for term in ("gan", "pixel", "perceptual"))
    market, fashion = patn.get_config("market"), patn.get_config("released_fashion")
    assert weights(market) == (5.0, 10.0, 10.0) and weights(fashion) == (5.0, 1.0, 1.0)
    assert (market.batch_size, market.steps, fashion.batch_size, fashion.steps) == (32, 87_500, 7, 700 * 572)
    assert (market.options.norm, market.options.adversarial, market.options.pool_size) == ("batch", "vanilla", 50)
    assert (fashion.options.norm, fashion.options.adversarial, fashion.options.pool_size) == ("instance", "least_squares", 0)
    assert (fashion.data.crop_size, fashion.data.crop_width, fashion.data.guidance) == (256, 176, "deltas")
    for config in (market, fashion):
        for judge in ("appearance_discriminator", "shape_discriminator"):
            assert config.weights[judge].to_dict() == dict(real=2.5, fake=2.5)
    for generator, blocks in ((g, n) for g in ("resnet", "patn") for n in (5, 9, 13)):
        config = patn.get_config(f"{generator}_{blocks}")
        changed = {key for key, value in config.options.items() if value != market.options[key]}
        assert changed <= {"generator", "blocks"}
        assert (config.options.generator, config.options.blocks, weights(config)) == (generator, blocks, (5.0, 50.0, 50.0))
    assert config.evaluate.published["values"].to_dict() == dict(
        inception_score=3.274, mask_inception_score=3.797, ssim_person=0.314, mask_ssim_person=0.808)


def test_rate_falls_in_stairs_of_an_epoch():
    factor = schedules.factor(patn.schedule(500, 200), steps_per_epoch=1, total_steps=1)
    for epoch in (1, 498, 499, 500, 699, 700):
        share = 1 - max(0, epoch + 1 - 500) / 201
        for step in (125 * (epoch - 1), 125 * epoch - 1):
            assert float(factor(step)) == pytest.approx(share, abs=1e-6)


HEIGHT, WIDTH = 32, 24
BODY = np.stack([np.linspace(3, 20, 18), np.linspace(4, 28, 18), np.ones(18)], 1)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A config of tiny networks on a folder of bodies, trained for a step with PATN's attention in the sample grid."""
    root, folder = make_folder(tmp_path_factory.mktemp("set"), guidance="none"), tmp_path_factory.mktemp("run") / "run"
    for split in ("train", "test"):
        for i in range(6):
            write_picture(root / split / f"p{i}.png", i, HEIGHT, WIDTH)
        bodies = {f"p{i}.png": {"body18": (BODY + (0.23 * i, 0, 0)).tolist()} for i in range(6)}
        (root / f"{split}_keypoints.json").write_text(json.dumps(dict(image_size=[WIDTH, HEIGHT], images=bodies)))
    config = patn.get_config("market").unlock()
    config.options.update(width=2, blocks=1, discriminator_width=2, discriminator_blocks=1, perceptual="none", pool_size=3)
    del config.weights.generator["perceptual"]
    config.data.update(folder=str(root), load_size=HEIGHT, crop_size=HEIGHT, load_width=WIDTH, crop_width=WIDTH)
    config.update(dict(steps=1, batch_size=2, sample_every=1, sample_count=2, sample_columns=("attention",)))
    config.evaluate.update(metrics=("psnr", "mask_psnr_pg2"), limit=3, images=1, norm="batch")
    done = train.train(config, folder)
    assert done["step"] == 1 and np.isfinite(list(done["terms"].values())).all()
    return config.to_dict(), folder


def test_named_columns_stand_behind_the_panels(run):
    _, folder = run
    sheet = np.asarray(Image.open(folder / "samples" / "step_00000001.png"))
    width = WIDTH + report.GAP
    assert sheet.shape[1] == report.GAP + 5 * width
    attention = sheet[-report.GAP - HEIGHT:-report.GAP, report.GAP + 4 * width:][:, :WIDTH]
    assert attention.std() > 0  # a quarter of the size, each pixel a square of four
    np.testing.assert_array_equal(attention, attention[::4, ::4].repeat(4, 0).repeat(4, 1))


@pytest.mark.parametrize("changes, sentence", [
    (dict(sample_columns=("atention",)), "config.sample_columns is 'atention'; did you mean attention."),
    (dict(sample_columns="attention"), "config.sample_columns must be a tuple of names, found 'attention'."),
    (dict(generator="resnet"), "config.sample_columns names 'attention', but patn with these options has none to offer."),
])
def test_a_wrong_column_is_told_before_anything_is_computed(run, changes, sentence):
    config = copy.deepcopy(run[0])
    config["sample_columns"] = changes.get("sample_columns", config["sample_columns"])
    config["options"]["generator"] = changes.get("generator", "patn")
    with pytest.raises(InputError) as failure:
        settings.check(config, methods.load("patn", config["options"]))
    assert str(failure.value) == sentence


def test_masked_metrics_need_no_mask_in_training(run):
    _, folder = run
    found = evaluate.run(folder)
    assert list(found["mean"]) == ["psnr", "mask_psnr_pg2"] and not found["left_out"]
    assert found["copy_source"]["mask_psnr_pg2"] > found["copy_source"]["psnr"]  # black outside of the mask is equal


def test_maps_arrive_in_the_range_of_their_field(run):
    config, _ = run
    method = methods.load("patn", config["options"])
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(18, -1)
    seen = core.prepare({"source_guidance": levels, "source": levels[..., :3]}, method.fields)
    assert (seen["source_guidance"].min(), seen["source_guidance"].max(), seen["source"].min()) == (0, 1, -1)


def test_own_pictures_need_their_own_poses(run, tmp_path):
    """By default from the files of the target poses, by the picture's name; the first two of six columns are looked at."""
    config, folder = run
    root = Path(config["data"]["folder"])
    points, photos = str(root / "test_keypoints.json"), [str(root / "test" / f"p{i}.png") for i in (0, 1)]
    written = sample.run(folder, images=photos, keypoints=[points], output=tmp_path)
    assert [path.name for path in written[:3]] == ["p0__p0.png", "p1__p0.png", "p0__p1.png"] and len(written) == 13
    _, figures = read_figures(points)
    maps = [guides.draw(figures[f"p{i}.png"], (HEIGHT, WIDTH), style="heatmaps") for i in (0, 1)]
    made = use.load(folder)(source=np.stack([data.read_image(photo) for photo in photos]),
                            source_guidance=np.stack(maps), target_guidance=np.stack([maps[0]] * 2))
    for i in (0, 1):
        assert np.abs(np.asarray(Image.open(written[i])).astype(int) - made[i]).max() <= 1
    Image.open(photos[0]).save(tmp_path / "other.png")
    with pytest.raises(InputError, match=r"^the pose of other.png is missing, .* must hold its key points under that name, "
                                         r"found none in .*test_keypoints.json\.$"):
        sample.run(folder, images=[str(tmp_path / "other.png")], keypoints=[points], output=tmp_path / "none")
    assert not (tmp_path / "none").exists()
