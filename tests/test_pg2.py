"""PG2: its stages and losses by hand, and what each switch changes; its rows and counts are in test_pg2_published.py."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import toys
from tiny import Tiny, adversarial, assert_terms, begun, changed, distance, judged, network, pictures

from experiments import pg2
from gganjax import checkpoint, core, devices, methods, settings, train
from gganjax.data import pose_maps
from gganjax.data.source import Panel, Source
from gganjax.errors import InputError
from gganjax.layers import TRAIN, Conv, Norm
from gganjax.nets import pg2 as nets
from gganjax.step import train_step

SMALL = dict(width=2, levels=3, code=4, pose_code=3, discriminator_width=2, discriminator_layers=2)


class Joined(nn.Module):
    """`Tiny` of an image and of what stands behind its channels."""

    @nn.compact
    def __call__(self, image, pose, mode=TRAIN):
        return jnp.tanh(Norm("batch")(Conv(3, 3, padding=1)(jnp.concatenate([image, pose], -1)), mode))


def tiny(**options):
    """PG2 of five joints with networks of one convolution."""
    method = methods.load("pg2", dict(guidance_channels=5) | options)
    places = dict(coarse=Joined(), refiner=Tiny(3), discriminator=Tiny(1))
    method.nets, method.stride = {net: places[net] for net in method.nets}, 1
    return method


def by_hand(method, state, batch, *, how="pairs", signed=False, mask=True, stages=2):
    """Every term by its formula: {"player/term": value}."""
    apply = network(method, state)
    x, y, maps = batch["source"], batch["target"], batch["target_guidance"]
    far = lambda image: np.mean(np.abs(image - y) * (1 + (batch["target_mask"] if mask else 0)))
    name = "mask" if mask else "pixel"
    assert ("target_mask" in batch) == mask
    coarse = apply("coarse", x, 2 * maps - 1 if signed else maps)
    terms = {f"coarse/{name}": far(coarse)}
    result, owner = coarse, "coarse"
    if stages == 2:
        result, owner = coarse + apply("refiner", coarse, x), "refiner"
        terms[f"refiner/{name}"] = far(result)
    if how == "none":
        return terms
    if how == "pairs":
        logits = dict(real=apply("discriminator", y, x), fake=apply("discriminator", result, x))
    else:
        order = dict(triplet_market=dict(real=y, source=x, coarse=coarse, fake=result),
                     triplet_df256=dict(real=y, fake=result, source=x))[how]
        if stages == 1:
            order.pop("coarse", None)
        logits = dict(zip(order, np.split(apply("discriminator", np.concatenate(list(order.values()))), len(order))))
        terms["discriminator/source"] = adversarial(logits["source"], False)
        if how == "triplet_df256":
            terms[f"{owner}/gan_source"] = adversarial(logits["source"], True)
    return terms | {f"{owner}/gan": adversarial(logits["fake"], True),
                    "discriminator/real": adversarial(logits["real"], True),
                    "discriminator/fake": adversarial(logits["fake"], False)}


@pytest.mark.parametrize("options, told", [
    ({}, {}),
    (dict(signed_maps=True), dict(signed=True)),
    (dict(discriminator="triplet_market"), dict(how="triplet_market")),
    (dict(discriminator="triplet_df256", mask_loss=False), dict(how="triplet_df256", mask=False)),
    (dict(discriminator="none"), dict(how="none")),
    (dict(refiner=False), dict(stages=1)),
    (dict(refiner=False, discriminator="triplet_market"), dict(stages=1, how="triplet_market")),
    (dict(refiner=False, discriminator="none", mask_loss=False), dict(stages=1, how="none", mask=False)),
])
def test_terms_by_hand(options, told):
    """One stage and two, pairs and both triplets, whose images share the statistics of one batch."""
    method = tiny(**options)
    batch = pictures(method)
    _, state = begun(method, batch)
    found, _ = judged(method, state, batch)
    expected = by_hand(method, state, batch, **told)
    assert_terms(found, expected)


def test_stages_take_turns_and_the_coarse_generator_rests_bit_for_bit():
    """The coarse generator moves in its steps alone; then parameters, statistics and optimizer stay what they were."""
    method, late = tiny(coarse_steps=2), ("refiner", "discriminator")
    assert [core.acting(method, step) for step in (0, 1, 2, 99)] == [("coarse",), ("coarse",), late, late]
    batch = pictures(method)
    _, state = begun(method, batch)
    optimizers = {player: optax.adam(1e-2) for player in method.players}
    state = state.replace(opt={name: optimizers[name].init({net: state.params[net] for net in player.nets})
                               for name, player in method.players.items()})
    weights = pg2.get_config("market").weights.to_dict()
    step, states, reported = devices.compile_step(method, optimizers, weights), [jax.device_get(state)], []
    for number in range(4):
        state, terms = step(state, batch, core.acting(method, number))
        states.append(jax.device_get(state))
        reported.append({name.split("/")[0] for name in terms})
    assert len(step.compiled) == 2 and reported == [{"coarse"}] * 2 + [{"refiner", "discriminator"}] * 2
    for before, after, moved in zip(states, states[1:], reported, strict=False):
        assert changed(before, after) == moved
        for part in ("moving", "opt"):
            for name, tree in getattr(before, part).items():
                same = jax.tree.map(np.array_equal, tree, getattr(after, part)[name])
                assert name in moved or jax.tree.all(same), (part, name)


def test_the_first_stage_does_not_pay_for_the_second():
    """As many operations as without a refiner; nothing of its backward pass is left over."""
    def flops(**options):
        method = tiny(**options)
        batch = pictures(method)
        optimizers, state = begun(method, batch)
        step = partial(train_step, method, optimizers, {"coarse": {"mask": 1.0}}, acting=("coarse",))
        return jax.jit(step).lower(state, batch).compile().cost_analysis()["flops"]

    assert flops() == flops(refiner=False, discriminator="none")


def sampled(method, state, batch):
    run = jax.jit(lambda state, batch: core.sample(method, state.params, state.moving, batch, jax.random.key(0)))
    return run(state, batch)


def test_sample_gives_both_stages_clipped():
    method = tiny()
    batch = pictures(method)
    _, state = begun(method, batch)
    apply = network(method, state)
    coarse = apply("coarse", batch["source"], batch["target_guidance"])
    fine = coarse + apply("refiner", coarse, batch["source"])
    assert np.abs(fine).max() > 1
    out = sampled(method, state, {name: batch[name] for name in method.inputs})
    assert set(out) == {"fake_target", "coarse"}
    np.testing.assert_allclose(out["fake_target"], np.clip(fine, -1, 1), atol=1e-5)
    np.testing.assert_allclose(out["coarse"], coarse, atol=1e-5)
    assert list(method.panels(batch, out)) == ["source", "target pose", "coarse", "fine", "target"]
    alone = tiny(refiner=False)
    out = sampled(alone, state, batch)
    assert list(out) == ["fake_target"]
    np.testing.assert_allclose(out["fake_target"], coarse, atol=1e-5)
    assert list(alone.panels(batch, out)) == ["source", "target pose", "translated", "target"]


def test_coordinates_are_the_middles_of_the_disks():
    """From -1 at the first to 1 at the last pixel, of disks, heat maps and single pixels; 0 for a missing joint."""
    joints = np.array([(10, 7), (24, 16), (-1, -1), (30, 40), (12, 42)] + [(5 + k, 5 + k) for k in range(13)])
    expected = np.where(joints.T[::-1] < 0, 0, joints.T[::-1] * 2 / np.array([[47], [39]]) - 1)
    for maps in (pose_maps.disk_maps, pose_maps.gaussian_maps, pose_maps.delta_maps):
        found = nets.coordinates(jnp.asarray(maps(joints, (40, 48)), jnp.float32)[None])[0]
        np.testing.assert_allclose(found[:36].reshape(2, 18), expected, atol=1e-5)
        np.testing.assert_array_equal(found[36:], joints[:, 0] >= 0)


def test_every_form_of_the_pose_reaches_the_coarse_image():
    """Networks of several inputs: another pose makes another picture; a signed one is another, but for coordinates."""
    random = np.random.default_rng(0)
    image = random.uniform(-1, 1, (1, 8, 8, 3)).astype(np.float32).repeat(3, 0)
    maps = (random.uniform(size=(2, 8, 8, 18)) > 0.9).astype(np.float32)
    for form in nets.POSES:
        plain, signed = (methods.load("pg2", SMALL | dict(pose=form, signed_maps=signs)) for signs in (False, True))
        poses = np.concatenate([plain.pose(maps), signed.pose(maps[:1])])
        shapes = jax.eval_shape(plain.nets["coarse"].init, jax.random.key(0), image, poses)
        params = jax.tree.map(lambda x: random.normal(0, 0.3, x.shape).astype(np.float32), shapes)
        one, other, third = jax.jit(plain.nets["coarse"].apply)(params, image, poses)
        assert np.abs(one - other).max() > 1e-3
        assert (np.abs(one - third).max() > 1e-3) == (form != "coordinates")


def test_networks_start_as_in_the_code():
    """Glorot's uniform weights in the generators, a spread of 0.02 in the discriminator; biases 0, scales 1."""
    method, key = methods.load("pg2", SMALL | dict(width=8, discriminator_width=16)), jax.random.key(0)
    image, maps = jnp.zeros((1, 16, 16, 3)), jnp.zeros((1, 16, 16, 18))
    drawn = {net: jax.jit(method.nets[net].init)(key, *inputs)["params"] for net, inputs in dict(
        coarse=(image, maps), discriminator=(maps,)).items()}
    for path, x in jax.tree_util.tree_flatten_with_path(drawn["coarse"])[0]:
        if path[-1].key == "bias":
            assert not np.any(x)
        else:
            bound = np.sqrt(6 / (np.prod(x.shape[:-2]) * sum(x.shape[-2:])))
            assert 0.7 * bound < np.abs(x).max() <= bound
    kernel, norm = drawn["discriminator"]["conv_1"]["kernel"], drawn["discriminator"]["norm_1"]
    assert np.abs(kernel).max() <= 0.02 * np.sqrt(3) and np.std(kernel) == pytest.approx(0.02, rel=0.02)
    assert np.all(norm["scale"] == 1) and not np.any(norm["bias"])


@pytest.mark.parametrize("option, value", [
    ("pose", "points"), ("discriminator", "triplet"), ("compute_dtype", "float16"), ("guidance_channels", 0),
    ("coarse_steps", 0), ("levels", 2), ("code", 0), ("pose_code", 0), ("discriminator_layers", 0)])
def test_wrong_options(option, value):
    with pytest.raises(InputError, match=f"options.{option}"):
        methods.load("pg2", {option: value})


def test_pictures_of_another_size_than_in_training_are_one_sentence():
    net = nets.CoarseGenerator(width=2, code=4, levels=3)
    shaped = lambda height, width, channels: jnp.zeros((1, height, width, channels))
    params = jax.eval_shape(net.init, jax.random.key(0), shaped(16, 8, 3), shaped(16, 8, 18))
    with pytest.raises(InputError) as error:
        jax.eval_shape(net.apply, params, shaped(16, 16, 3), shaped(16, 16, 18))
    assert str(error.value) == (
        "PG2's bottleneck takes pictures of the size of its training, from which 48 numbers reach it; found 16x16 "
        "pixels, which make 96.")


def bodies(count=8, size=8):
    """Pairs of noise with a body each."""
    def load(index):
        random = np.random.default_rng(index)
        joints = lambda: [np.concatenate([random.uniform(0, size, (18, 2)), np.ones((18, 1))], 1)]
        return tuple(Panel(random.integers(0, 256, (size, size, 3), np.uint8), figure=joints()) for _ in range(2))

    return Source([f"pair{index}" for index in range(count)], load, {}, size=size, mirrored=False)


def test_a_run_stopped_around_the_border_of_the_stages_continues_bit_for_bit(tmp_path):
    config = pg2.get_config("actions64").copy_and_resolve_references()
    config.data.update(load_size=8, load_width=8, crop_size=8, crop_width=8, line_width=1.0)
    config.batch_size, config.steps, config.evaluate_after, config.log_every = 4, 4, False, 1
    for one in config.optimizers.values():
        one.schedule = dict(name="constant")  # so that the length of the run may change
    states = {}
    with toys.compilation_cache(tmp_path / "compiled"):
        for name, stops in dict(whole=(4,), stopped=(1, 2, 3, 4)).items():
            for stop in stops:
                config.steps = stop
                method = tiny(guidance_channels=18, coarse_steps=2)
                train.train(config, tmp_path / name, method=method, sources=dict(train=bodies(), test=bodies(2)))
            plain = config.to_dict()
            optimizers, example = train.make_plan(plain, method, 8).optimizers, settings.example(plain, method)
            like = core.init(method, optimizers, 0, example, ema=plain["ema"])
            states[name] = checkpoint.restore(tmp_path / name, like, "pg2")
    assert int(states["whole"].step) == 4
    assert jax.tree.structure(states["whole"]) == jax.tree.structure(states["stopped"])
    for one, other in zip(*(jax.tree.leaves(state) for state in states.values()), strict=True):
        assert one.dtype == other.dtype and np.array_equal(one, other)
    assert distance(states["whole"].params["refiner"]["Conv_0"]["kernel"],
                    states["whole"].ema["refiner"]["Conv_0"]["kernel"]) > 0
