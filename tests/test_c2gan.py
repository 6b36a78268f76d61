"""C2GAN: its losses by hand, what each switch and each row of its ablation changes, and every variant."""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from tiny import adversarial, assert_terms, begun, changed, count, distance, judged, network, pictures, shrunk, stepped

from experiments import c2gan
from gganjax import checkpoint, core, methods, port, schedules, use
from gganjax.errors import InputError
from gganjax.nets.patch import PatchDiscriminator
from gganjax.nets.unet import UNetGenerator

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import import_torch

ROWS = {
    "i2i2i": dict(cycles=("i2i2i",)), "g2i2g": dict(cycles=("i2i2i", "g2i2g")), "g2r2g": dict(cycles=("i2i2i", "g2r2g")),
    "full": {}, "single_modal": dict(cross_modal_discriminators=False), "non_sharing": dict(share_generators=False),
}


def tiny(guidance_channels=5, **options):
    method = methods.load("c2gan", dict(guidance_channels=guidance_channels, pool_size=0) | options)
    return shrunk(method, guidance_generator=guidance_channels, guidance_generator_back=guidance_channels)


def by_hand(method, state, batch, *, cycles=("i2i2i", "g2i2g", "g2r2g"), cross=True, shared=True, kind="vanilla", mask=False):
    """Every term of the joint order by its formula: {"player/term": value}."""
    apply = network(method, state)
    back = "" if shared else "_back"
    x, y = batch["source"], batch["target"]
    c, d = batch.get("source_guidance"), batch["target_guidance"]
    fake_y = apply("image_generator", x, d)
    fake_x = apply(f"image_generator{back}", fake_y, c) if {"i2i2i", "g2r2g"} & set(cycles) else None
    between = lambda guidance: (guidance,) if cross else ()
    images = [(x, *between(d), fake_y, y)] + [(y, *between(c), fake_x, x)] * ("i2i2i" in cycles)
    reads = []
    if "g2i2g" in cycles:
        reads.append((fake_y, apply("guidance_generator", fake_y), d))
    if "g2r2g" in cycles:
        reads.append((fake_x, apply(f"guidance_generator{back}", fake_x), c))
    tuples = [((image, read), (image, given)) if cross else ((read,), (given,)) for image, read, given in reads]
    judge = lambda net, seen, real: adversarial(apply(net, *seen), real, kind)
    terms = {
        "generators/gan": sum(judge("image_discriminator", one[:-1], True) for one in images),
        "generators/pixel": distance(fake_y, y),
        "image_discriminator/fake": sum(judge("image_discriminator", one[:-1], False) for one in images),
        "image_discriminator/real": sum(judge("image_discriminator", (*one[:-2], one[-1]), True) for one in images),
    }
    if "i2i2i" in cycles:
        terms["generators/cycle"] = distance(fake_x, x)
    if mask:
        terms["generators/mask"] = np.mean(np.abs(fake_y.astype(np.float64) - y) * (1 + batch["target_mask"]))
    if reads:
        terms |= {
            "generators/guidance_gan": sum(judge("guidance_discriminator", fake, True) for fake, _ in tuples),
            "generators/guidance_cycle": sum(distance(read, given) for _, read, given in reads),
            "guidance_discriminator/fake": sum(judge("guidance_discriminator", fake, False) for fake, _ in tuples),
            "guidance_discriminator/real": sum(judge("guidance_discriminator", real, True) for _, real in tuples),
        }
    return terms


@pytest.mark.parametrize("options, told", [
    ({}, {}),
    (dict(adversarial="least_squares", mask_loss=True), dict(kind="least_squares", mask=True)),
    (dict(cross_modal_discriminators=False), dict(cross=False)),
    (dict(share_generators=False), dict(shared=False)),
    *[(dict(cycles=some), dict(cycles=some)) for some in (
        ("i2i2i",), ("g2i2g",), ("g2r2g",), ("i2i2i", "g2i2g"), ("i2i2i", "g2r2g"), ("g2i2g", "g2r2g"))],
])
def test_terms_by_hand(options, told):
    """Each cycle alone and together, either adversarial loss, single-modal discriminators, generators of their own."""
    method = tiny(**options)
    batch = pictures(method)
    _, state = begun(method, batch)
    found, _ = judged(method, state, batch)
    expected = by_hand(method, state, batch, **told)
    assert_terms(found, expected)


@pytest.mark.parametrize("reaches", [True, False])
def test_what_is_read_moves_the_image_generator_in_the_papers_and_not_in_the_reference(reaches):
    method = tiny(guidance_grad_to_image_generator=reaches)
    batch = jax.tree.map(jnp.asarray, pictures(method))
    _, state = begun(method, batch)

    def read(params):
        call = core.Call(method, state.params | params, state.moving)
        return method.guidance_loss(jax.random.key(1), call, batch, method.rollout(jax.random.key(0), call, batch))

    own = {net: state.params[net] for net in ("image_generator", "guidance_generator")}
    gradients = jax.jit(jax.jacobian(read))(own)
    for term in ("guidance_gan", "guidance_cycle"):
        assert optax.tree.norm(gradients[term]["guidance_generator"]) > 1e-3
        reached = float(optax.tree.norm(gradients[term]["image_generator"]))
        assert reached > 1e-3 if reaches else reached == 0


def test_orders_of_the_updates():
    """One joint update of both generators, or the four players in turn; the reference's order comes with its gradients."""
    judges = ("image_discriminator", "guidance_discriminator")
    assert tuple(tiny().players) == ("generators", *judges)
    in_turn = ("image_generator", "image_discriminator", "guidance_generator", "guidance_discriminator")
    batch = pictures(tiny())
    image = {"gan", "pixel", "cycle"}
    for options, felt in ((dict(update_order="sequential"), {"guidance_gan", "guidance_cycle"}),
                          (dict(guidance_grad_to_image_generator=False), set())):
        method = tiny(**options)
        assert tuple(method.players) == in_turn
        names = core.term_names(method, batch)
        assert set(names["image_generator"]) == image | felt
        assert set(names["guidance_generator"]) == {"guidance_gan", "guidance_cycle"}


def test_warm_up():
    """At first the guidance generator reads real images and does not move the image generator, afterwards as ever."""
    method = tiny(warm_up_steps=1)
    batch = pictures(method)
    optimizers, state = begun(method, batch)
    weights = {"generators": {"guidance_cycle": 1.0}}
    (first, early), (second, late) = stepped(method, optimizers, state, batch, weights, count=2, acting=("generators",))
    assert changed(state, first) == {"guidance_generator"}
    assert changed(first, second) == {"guidance_generator", "image_generator"}
    apply = network(method, state)
    expected = sum(distance(apply("guidance_generator", batch[name]), batch[f"{name}_guidance"])
                   for name in ("target", "source"))
    np.testing.assert_allclose(early["generators/guidance_cycle"], expected, rtol=1e-5)
    expected = by_hand(method, first, batch)["generators/guidance_cycle"]
    np.testing.assert_allclose(late["generators/guidance_cycle"], expected, rtol=1e-4)


def test_pools_remember_whole_tuples():
    """Condition, guidance and candidate of both kinds of fakes, in one pool for each discriminator."""
    method = tiny(pool_size=6)
    batch = pictures(method)
    _, state = begun(method, batch)
    _, pools = judged(method, state, batch)
    apply = network(method, state)
    x, y, c, d = (batch[name] for name in ("source", "target", "source_guidance", "target_guidance"))
    fake_y = apply("image_generator", x, d)
    fake_x = apply("image_generator", fake_y, c)
    joined = lambda *images: np.concatenate(images, -1)
    expected = {
        "images": [joined(x, d, fake_y), joined(y, c, fake_x)],
        "guidance": [joined(image, apply("guidance_generator", image)) for image in (fake_y, fake_x)],
    }
    for pool, tuples in expected.items():
        images, remembered = pools[pool]
        assert int(remembered) == 4
        np.testing.assert_allclose(images[:4], np.concatenate(tuples), atol=1e-5)
        assert not np.any(images[4:])


def sampled(method, state, batch):
    return jax.jit(lambda state, batch: core.sample(method, state.params, state.moving, batch, jax.random.key(0)))(state, batch)


def test_sample_reads_the_guidance_off_both_images():
    method = tiny(share_generators=False)
    batch = pictures(method)
    _, state = begun(method, batch)
    apply = network(method, state)
    out = sampled(method, state, {name: batch[name] for name in method.inputs})
    fake = apply("image_generator", batch["source"], batch["target_guidance"])
    expected = {"fake_target": fake, "read_source_guidance": apply("guidance_generator_back", batch["source"]),
                "read_target_guidance": apply("guidance_generator", fake)}
    assert set(out) == set(expected)
    for name, image in expected.items():
        np.testing.assert_allclose(out[name], image, atol=1e-5, err_msg=name)
    panels = method.panels(batch, out)
    assert list(panels) == ["source", "read off it", "target guidance", "translated", "read off the translation", "target"]
    assert all(panel.shape == batch["source"].shape for panel in panels.values())
    np.testing.assert_allclose(panels["target guidance"], np.repeat(batch["target_guidance"].max(-1, keepdims=True), 3, -1))
    alone = tiny(cycles=("i2i2i",))
    out = sampled(alone, state, batch)
    assert list(out) == ["fake_target"] and "read off it" not in alone.panels(batch, out)


@pytest.mark.parametrize("row", sorted(ROWS))
def test_ablation_row(row):
    """Table 3.5: what each row is made of, in players, terms and generators' parameters."""
    config = c2gan.get_config(f"ablation_{row}")
    full = c2gan.get_config("ablation_full").options.to_dict()
    differs = {name: value for name, value in config.options.to_dict().items() if value != full[name]}
    assert differs == ROWS[row] and config.epochs == 50 and config.data.folder == "datasets/radboud"
    method = methods.load("c2gan", config.options)
    readers = row != "i2i2i"
    assert set(method.players) == {"generators", "image_discriminator"} | ({"guidance_discriminator"} if readers else set())
    guided = dict(guidance_gan=1.0, guidance_cycle=10.0) if readers else {}
    assert config.weights.generators.to_dict() == dict(gan=1.0, pixel=10.0, cycle=10.0) | guided
    own = {"guidance_generator": ("g2i2g", "g2r2g"), "guidance_generator_back": (), "image_generator_back": ()}
    if row == "non_sharing":
        own |= {"guidance_generator_back": ("g2r2g",), "image_generator_back": ("i2i2i",)}
    wanted = {"image_generator"} | {net for net, cycles in own.items() if set(cycles) & set(config.options.cycles)}
    assert set(method.players["generators"].nets) == wanted
    channels = {"image_generator": 6, "guidance_generator": 3}
    generators = sum(count(method.nets[net], (1, 256, 256, channels[net.removesuffix("_back")])) for net in wanted)
    expected = {"i2i2i": 54_417_027, "non_sharing": 217_661_964}  # the paper's 217.6M, and half of that for the others
    assert generators == expected.get(row, 108_830_982)
    seen = (6, 3) if row == "single_modal" else (9, 6)
    batch = {name: jnp.zeros((1, 4, 4, 3)) for name in method.fields}
    forward = method.judged[0]
    assert method.image_tuple(batch, forward, batch["target"]).shape[-1] == seen[0]
    assert method.guidance_tuple(batch["target"], batch["target_guidance"]).shape[-1] == seen[1]


def test_a_step_in_turn_moves_every_network():
    """The released order, with generators of their own for the ways back."""
    method = tiny(guidance_grad_to_image_generator=False, adversarial="least_squares", share_generators=False, pool_size=3)
    batch = pictures(method)
    optimizers, state = begun(method, batch, rate=1e-3)
    (after, terms), = stepped(method, optimizers, state, batch, c2gan.get_config("radboud_released").weights.to_dict())
    assert len(method.nets) == 6 and changed(state, after) == set(method.nets)
    assert np.isfinite(list(terms.values())).all()


def test_numbers_of_the_papers():
    config = c2gan.get_config("radboud")
    assert config.weights.generators.to_dict() == dict(gan=1.0, pixel=10.0, cycle=10.0, guidance_gan=1.0, guidance_cycle=10.0)
    assert (config.batch_size, config.epochs, config.data.panels, config.options.pool_size) == (16, 200, "target_first", 50)
    market = c2gan.get_config("market")
    assert (market.batch_size, market.epochs, market.options.guidance_channels) == (4, 90, 18)
    assert (market.data.crop_size, market.data.crop_width, market.weights.generators["mask"]) == (128, 64, 1.0)
    assert (c2gan.get_config("senz3d").epochs, c2gan.get_config("dayton").epochs) == (20, 35)
    released = c2gan.get_config("senz3d_released")
    assert (released.epochs, released.weights.image_generator.perceptual) == (10, 10.0)


def test_rate_falls_two_epochs_late_and_ends_above_zero():
    factor = schedules.factor(c2gan.schedule(6, 4), steps_per_epoch=3, total_steps=30)
    expected = [1 - max(0, epoch - 1 - 6) / 5 for epoch in range(1, 11) for _ in range(3)]
    np.testing.assert_allclose(jax.vmap(factor)(np.arange(30)), expected, atol=1e-6)
    assert expected[-1] == pytest.approx(0.4)


def test_networks_start_as_the_option_says():
    """By Xavier's rule unless told otherwise, as the reference's do."""
    for options, kind in (({}, "xavier"), (dict(initialization="kaiming"), "kaiming")):
        nets = methods.load("c2gan", options).nets
        assert len(nets) == 4 and {net.initial for net in nets.values()} == {kind}


@pytest.mark.parametrize("option, value", [
    ("cycles", ()), ("cycles", ("i2i",)), ("update_order", "both"), ("adversarial", "hinge"), ("perceptual", "vgg11"),
    ("norm", "layer"), ("levels", 4), ("guidance_channels", 0), ("warm_up_steps", -1), ("initialization", "zeros"),
    ("compute_dtype", "float16")])
def test_wrong_options(option, value):
    with pytest.raises(InputError, match=f"options.{option}"):
        methods.load("c2gan", {option: value})


def test_released_checkpoints_become_a_folder_to_use(tmp_path):
    """Generators of another width and depth than the variant's, with and without the guidance generator."""
    random, made = np.random.default_rng(0), {}
    files = {
        "G": (UNetGenerator(3, width=2, levels=5), port.unet.table(levels=5), 6),
        "G_L": (UNetGenerator(3, width=2, levels=5), port.unet.table(levels=5), 3),
        "D": (PatchDiscriminator(width=3, norm="batch"), port.patch.table(norm_kind="batch"), 9),
    }
    for net, (module, table, channels) in files.items():
        shapes = port.shapes(module, (1, 64, 64, channels))
        made[net] = jax.tree.map(lambda leaf: np.abs(random.normal(size=leaf.shape)).astype(np.float32), shapes)
        np.savez(tmp_path / f"latest_net_{net}.npz", **port.to_torch(table, made[net]))
    file = tmp_path / "latest_net_G.npz"
    assert import_torch.main(["c2gan", str(file), "--output", str(tmp_path / "run"), "--variant", "radboud"]) == 0
    networks = checkpoint.load_networks(tmp_path / "run")
    for net, name in (("G", "image_generator"), ("G_L", "guidance_generator"), ("D", "image_discriminator")):
        assert jax.tree.all(jax.tree.map(np.array_equal, networks["params"][name], made[net]["params"]))
    translate = use.load(tmp_path / "run")
    options = translate.config["options"]
    assert {name: options[name] for name in ("width", "levels", "guidance_channels", "discriminator_width", "norm")} == dict(
        width=2, levels=5, guidance_channels=3, discriminator_width=3, norm="batch")
    image, guidance = random.uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    out = translate(source=image, target_guidance=guidance)
    assert {name: x.shape for name, x in out.items()} == dict.fromkeys(
        ("fake_target", "read_source_guidance", "read_target_guidance"), (32, 32, 3))
    (tmp_path / "latest_net_G_L.npz").unlink()
    assert import_torch.main(["c2gan", str(file), "--output", str(tmp_path / "alone"), "--variant", "radboud"]) == 0
    assert use.load(tmp_path / "alone").config["options"]["cycles"] == ["i2i2i"]
    assert import_torch.main(["c2gan", str(file), "--output", str(tmp_path / "alone")]) == 2
