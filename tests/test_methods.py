"""Every method in the folder, at toy width: what a step changes, what it reports, that it learns."""

import jax
import numpy as np
import optax
import pytest

from gganjax import core, devices, methods
from gganjax.errors import InputError

SMALL = dict(width=6, blocks=1, discriminator_width=4, discriminator_layers=1)
DOMAINS = dict(domains=("a", "b", "c"), classification="softmax", width=6, blocks=1, discriminator_width=4,
               discriminator_layers=3)
DEEP = dict(width=2, levels=5, dropout=0.0, discriminator_width=2, discriminator_layers=1)
SMALL_POSE = dict(width=4, blocks=1, discriminator_width=4, discriminator_blocks=1, guidance_channels=2,
                  perceptual="none", dropout=0.0, pool_size=3)
LABELS = dict(classes=4, unknown=True, width=2, discriminator_width=4, discriminator_layers=2, perceptual="none")
TOYS = {
    "asymmetricgan": SMALL | dict(reconstruction_width=3, perceptual="none", dropout=0.0),
    "asymmetricgan_unpaired": DOMAINS | dict(similarity_scales=1, pool_size=3),
    "bigraphgan": SMALL_POSE,
    "c2gan": DEEP | dict(pool_size=0, norm="instance"),
    "cyclegan": SMALL | dict(pool_size=3),
    "dagan": LABELS | dict(hidden=4, discriminator_width=16),
    "edgegan": LABELS | dict(backbone="pix2pixhd", levels=1, blocks=1),
    "gaugan": LABELS | dict(instances=True, hidden=4, latent=3, encoder_width=2, encoder_size=16),
    "gesturegan": SMALL | dict(perceptual="none", dropout=0.0),
    "lggan": dict(width=4, blocks=1, upsampler="sau", sau_local=True, class_loss="mean", discriminator_width=4,
                  discriminator_layers=1, perceptual="none"),
    "lggan_semantic": LABELS | dict(hidden=4, blocks=1, instances=False, pixel=True),
    "patn": SMALL_POSE,
    "pg2": dict(width=4, levels=3, code=4, discriminator_width=2, discriminator_layers=2, coarse_steps=50),
    "pix2pix": DEEP,
    "pix2pixhd": LABELS | dict(levels=1, blocks=1, norm="spectralinstance"),
    "stargan": DOMAINS | dict(n_critic=2),
    "xfork": DEEP | dict(width=6),  # it has no skips
    "xinggan": SMALL_POSE | dict(images=2),
    "xseq": DEEP | dict(width=6),
}
# What shall fall when a method learns two pairs by heart.
LEARNED = {"asymmetricgan": "generators/pixel", "asymmetricgan_unpaired": "translator/cycle",
           "bigraphgan": "generator/pixel", "c2gan": "generators/pixel",
           "cyclegan": "generators/cycle", "dagan": "discriminator/real", "edgegan": "discriminator/real",
           "gaugan": "discriminator/real", "gesturegan": "generator/pixel", "lggan": "generator/pixel",
           "lggan_semantic": "generator/pixel", "patn": "generator/pixel", "pg2": "coarse/mask",
           "pix2pix": "generator/pixel", "pix2pixhd": "discriminator/real", "stargan": "generator/cycle",
           "xfork": "generator/pixel", "xinggan": "generator/pixel", "xseq": "image_generator/pixel"}
WEIGHTS = {"pixel": 100.0, "cycle": 10.0, "tv": 1e-6}  # of terms; 1 for the others
# Of networks two filters wide; 2e-3 for the others.
RATES = dict.fromkeys(("c2gan", "lggan_semantic", "pg2", "pix2pix", "xfork", "xseq"), 1e-2)
# SelectionGAN's forms.
TOYS |= {
    "selectiongan": DEEP | dict(guidance_width=2, attention_width=6, images=2, add_plain_l1=True, norm="instance",
                                channel_selection="inverted"),
    "selectiongan_person": SMALL_POSE | dict(images=2),
    "selectiongan_semantic": LABELS | dict(instances=False, hidden=4, images=2),
}
LEARNED |= {"selectiongan": "generator/pixel_fine", "selectiongan_person": "generator/pixel_fine",
            "selectiongan_semantic": "generator/pixel"}
WEIGHTS |= {"pixel_fine": 100.0, "tv_coarse": 1e-6, "tv_fine": 1e-6}
RATES |= {"selectiongan": 1e-2}
# DanceGAN's stages and its classifier.
TOYS |= {
    "dance_skeleton": dict(frames=18, width=8, first=1, head_width=64, discriminator_width=2, dropout=0.0),
    "dance_style": dict(styles=("a", "b"), frames=6, width=2),
    "dance_video": SMALL | dict(frames=2),
}
LEARNED |= {"dance_skeleton": "generator/pixel", "dance_style": "classifier/style", "dance_video": "generator/pixel"}
RATES |= {"dance_skeleton": 1e-2}
# Modules behind a factor that starts at 0: they move from step 2 on.
GATED = dict.fromkeys(("dance_skeleton", "xinggan"), ("query", "key", "value"))
STILL = {"edgegan": "spare", "xfork": "_bias", "xseq": "_bias"}  # ends of the names of modules that are there but never move
# What methods of sequences make, and the field that it is to equal.
SEQUENCES = {"dance_skeleton": ("fake_poses", "poses"), "dance_style": ("fake_style", "style"),
             "dance_video": ("fake_frames", "frames")}
STEPS, AGAIN = 60, 5  # of the run, and of its repetition


def test_every_method_has_its_toy():
    assert sorted(TOYS) == methods.names() == sorted(LEARNED)


def pictures(method, rows=2, size=16):
    """A batch as a method's fields describe it: 8-bit pictures, masks of 0 and 1, one domain each, classes, sequences."""
    random, batch = np.random.default_rng(1), {}
    for name, field in method.fields.items():
        channels = field.shape[-1]
        if field.shape == ("B",):
            batch[name] = np.arange(rows, dtype=np.int32) % (int(field.high) + 1)
            continue
        if len(field.shape) > 2 and "H" not in field.shape:  # music or poses
            batch[name] = random.uniform(field.low, field.high, (rows, *field.shape[1:])).astype(np.float32)
            continue
        if field.shape == ("B", channels):
            batch[name] = np.eye(channels, dtype=np.float32)[random.integers(channels, size=rows)]
            continue
        if field.shape == ("B", "H", "W"):  # classes, or numbers of instances
            coarse = random.integers(0, min(int(field.high), 9) + 1, (rows, 4, 4), np.int32)
            batch[name] = coarse.repeat(size // 4, 1).repeat(size // 4, 2)
            continue
        if field.low == 0:
            coarse = random.integers(0, 2, (rows, 4, 4, channels)).astype(np.float32)
        else:
            coarse = random.integers(40, 216, (rows, *field.shape[1:-3], 4, 4, channels), np.uint8)
        batch[name] = coarse.repeat(size // 4, -3).repeat(size // 4, -2)
    return batch


@pytest.fixture(scope="module", params=sorted(TOYS))
def trained(request):
    """A run, and its first steps once more: states by number of steps, terms after every step, the repetition's end."""
    method = methods.load(request.param, TOYS[request.param])
    batch = pictures(method, size=max(16, method.stride))
    names = core.term_names(method, batch)
    weights = {player: {term: WEIGHTS.get(term, 1.0) for term in terms} for player, terms in names.items()}
    # All parameters of a player as one vector: the same updates, with less to compile.
    optimizers = {player: optax.flatten(optax.adam(RATES.get(method.name, 2e-3), b1=0.5)) for player in method.players}
    step = devices.compile_step(method, optimizers, weights)
    initial = jax.device_get(core.init(method, optimizers, 7, batch))

    def run(count):
        state, states, logged = devices.place(initial), {0: initial}, []
        for number in range(count):
            state, terms = step(state, batch, core.acting(method, number))
            logged.append(devices.scalars(terms))
            if number + 1 in (1, AGAIN, count):
                states[number + 1] = devices.fetch(state)
        return states, logged

    states, logged = run(STEPS)
    again, _ = run(AGAIN)
    return method, names, step, batch, states, logged, again[AGAIN]


def test_step_changes_the_acting_networks_and_nothing_else(trained):
    method, _, _, _, states, _, _ = trained
    owned = [net for name in core.acting(method, 0) for net in method.players[name].nets]
    assert len(owned) == len(set(owned)), "a network belongs to two players"
    for net in method.nets:
        leaves = [jax.tree_util.tree_leaves_with_path(states[count].params[net]) for count in (0, 1, AGAIN)]
        for (path, before), (_, after), (_, later) in zip(*leaves, strict=True):
            gated = net in owned and any(key.key in GATED.get(method.name, ()) for key in path)
            if any(key.key.endswith(STILL.get(method.name, "\n")) for key in path[:-1]):
                assert np.array_equal(before, later), (net, path)
                continue
            assert np.array_equal(before, after) != (net in owned and not gated), (net, path)
            assert not gated or not np.array_equal(after, later), (net, path)
    assert int(states[1].step) == 1
    np.testing.assert_array_equal(states[0].key, states[1].key)


def test_every_term_is_reported_and_finite(trained):
    method, names, _, _, _, logged, _ = trained
    for number, terms in enumerate(logged):
        turn = core.acting(method, number)
        assert set(terms) == {f"{player}/{term}" for player in turn for term in (*names[player], "total", "gradient_norm")}
        assert np.isfinite(list(terms.values())).all()


def test_two_runs_are_bit_equal(trained):
    *_, states, _, again = trained
    for a, b in zip(jax.tree.leaves(states[AGAIN]), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(a, b)


def test_one_compilation_for_each_set_of_players(trained):
    method, _, step, *_ = trained
    assert set(step.compiled) == {core.acting(method, number) for number in range(STEPS)}
    assert all(function._cache_size() == 1 for function in step.compiled.values())


def test_two_pairs_are_learned(trained):
    """What shall fall falls; without a pixel loss the discriminator's, which rises again once the generator answers.

    How far it has risen at the last step depends on the machine's rounding: DAGAN's was below 0.6 of the first on one
    processor and 0.63 on another, after 0.44 or less on the way.
    """
    method, *_, logged, _ = trained
    term = LEARNED[method.name]
    values = [terms[term] for terms in logged if term in terms]
    reached = min(values) if term == "discriminator/real" else values[-1]
    assert reached < 0.6 * values[0]


def test_sample_needs_its_inputs_alone(trained):
    method, _, _, batch, states, _, _ = trained
    if method.name in SEQUENCES:
        _samples_a_sequence(method, batch, states[STEPS])
        return
    image = batch["target" if "target" in batch else "source"]
    run = devices.compile_sample(method)
    state = states[STEPS]
    inputs = {name: batch[name] for name in method.inputs}
    out = run(core.sample_params(state), state.moving, inputs, jax.random.key(0))
    assert out["fake_target"].shape == image.shape and np.abs(out["fake_target"]).max() <= 1
    shown = core.prepare({k: np.asarray(v) for k, v in batch.items()})
    panels = method.panels(shown, out)
    assert all(panel.shape[:3] == image.shape[:3] for panel in panels.values())
    if looks := getattr(method, "looks", ()):
        run = devices.compile_sample(method, entry="look", names=looks[::-1])
        seen = run(core.sample_params(state), state.moving, batch, jax.random.key(0))
        assert set(seen) == set(looks)
        for look in seen.values():
            assert look.shape[0] == len(image) and look.shape[-1] in (1, 3) and np.abs(look).max() <= 1
            assert not any(side % part for side, part in zip(image.shape[1:3], look.shape[1:3]))
    if hasattr(method, "overview"):
        run = devices.compile_sample(method, entry="overview")
        out = run(core.sample_params(state), state.moving, batch, jax.random.key(0))
        assert list(out) == [f"to {name}" for name in method.domains]
        panels = method.panels(shown, out)
        assert list(panels) == ["source", *out] and all(x.shape == image.shape for x in panels.values())


def _samples_a_sequence(method, batch, state):
    """What a method of sequences samples has the shape of its real counterpart."""
    made, real = SEQUENCES[method.name]
    inputs = {name: batch[name] for name in method.inputs}
    out = devices.compile_sample(method)(core.sample_params(state), state.moving, inputs, jax.random.key(0))
    shape = batch[real].shape if batch[real].ndim > 1 else (*batch[real].shape, len(method.styles))
    assert out[made].shape == shape and np.abs(out[made]).max() <= 1
    panels = method.panels(core.prepare(batch, method.fields), out)
    assert all(len(panel) == len(batch[real]) for panel in panels.values())


def test_unknown_names_are_told_with_the_nearest():
    with pytest.raises(InputError, match="method is 'gesturgan'; did you mean gesturegan"):
        methods.load("gesturgan")
    with pytest.raises(InputError, match="options.blokcs is no option of gesturegan; did you mean blocks"):
        methods.load("gesturegan", {"blokcs": 3})
