"""DanceGAN: what its networks and losses add up to, by formulas in NumPy, and what its scores say of dances."""

import json
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from gganjax import checkpoint, core, dance_scores, methods, settings
from gganjax.data.source import Source
from gganjax.errors import InputError
from gganjax.features import dance_style
from gganjax.layers import Mode
from gganjax.metrics import dances
from gganjax.nets.dance import DanceGenerator, SpatialGraphAttention, TemporalGraphAttention
from gganjax.nets.hcn import resize, windows
from gganjax.nets.sequence import GRU
from gganjax.nets.stgcn import PERCEPTUAL_WEIGHTS, STGCN, adjacency

TEST = Mode(norm="running", dropout=False, keep=False)
RANDOM = np.random.default_rng(0)


def softmax(x):
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


def filled(module, *inputs):
    """Variables of a module, drawn at random; nothing is compiled."""
    shapes = jax.eval_shape(module.init, jax.random.key(0), *inputs)
    return jax.tree.map(lambda leaf: np.abs(RANDOM.normal(0, 0.3, leaf.shape)).astype(np.float32), shapes)


def test_gru_by_its_formula():
    x, net = RANDOM.normal(size=(2, 4, 3)), GRU(2, both=True)
    params = filled(net, np.float32(x))["params"]
    sigmoid, expected = lambda y: 1 / (1 + np.exp(-y)), []
    for way, steps in (("forward", range(4)), ("backward", range(3, -1, -1))):
        kernel, recurrent, bias, own_bias = (np.float64(params[f"{way}_{name}"]) for name in (
            "input_kernel", "hidden_kernel", "input_bias", "hidden_bias"))
        state, states = np.zeros((2, 2)), {}
        for step in steps:
            given, own = x[:, step] @ kernel + bias, state @ recurrent + own_bias
            reset, update = sigmoid(given[:, :2] + own[:, :2]), sigmoid(given[:, 2:4] + own[:, 2:4])
            new = np.tanh(given[:, 4:] + reset * own[:, 4:])
            state = states[step] = (1 - update) * new + update * state
        expected.append(np.stack([states[step] for step in range(4)], 1))
    np.testing.assert_allclose(net.apply({"params": params}, np.float32(x)), np.concatenate(expected, -1), atol=1e-6)


@pytest.mark.parametrize("axis", ["joint", "frame"])
def test_graph_attention_by_its_equations(axis):
    """Thesis Eq. 7.1 to 7.4: row j of a map holds the shares of all i for output j."""
    x = RANDOM.normal(size=(2, 3, 4))
    net = SpatialGraphAttention(axis)
    params = filled(net, np.float32(x))["params"]

    def mixed(name):
        kernel, bias = params[name]["kernel"], params[name]["bias"]
        return x @ kernel + bias if axis == "joint" else np.einsum("bfn,fg->bgn", x, kernel) + bias[:, None]

    a, b, d = (mixed(name) for name in ("query", "key", "value"))
    expected = np.array(x)
    for sample in range(2):
        for j in range(4):
            shares = softmax(np.array([b[sample, :, i] @ a[sample, :, j] for i in range(4)]))
            expected[sample, :, j] += params["alpha"] * sum(shares[i] * d[sample, :, i] for i in range(4))
    np.testing.assert_allclose(net.apply({"params": params}, np.float32(x)), expected, atol=1e-5)
    beta = {"params": {"beta": np.array([0.5], np.float32)}}
    wanted = x + 0.5 * softmax(np.einsum("bin,bjn->bji", x, x)) @ x
    np.testing.assert_allclose(TemporalGraphAttention().apply(beta, np.float32(x)), wanted, atol=1e-5)


@pytest.mark.parametrize("head", ["thesis", "mdvs"])
def test_dances_start_in_the_middle_whatever_the_music(head):
    """With PyTorch's start they spread by a half, and the first frame never came back from the corners."""
    net = DanceGenerator(head=head, width=8, first=2, head_width=64)
    audio, noise = np.float32(3000 * RANDOM.normal(size=(4, 20, 1600))), np.float32(RANDOM.normal(size=(4, 20, 10)))
    made, _ = jax.jit(net.init_with_output)(jax.random.key(0), audio, noise)
    assert 1e-3 < made.std() < 0.05 and abs(made).max() < 0.3


def test_generator_starts_as_the_tanh_of_twice_its_head():
    """S = S^ + S~ is 2 S' while alpha and beta are 0; music is of any length unless the axis is that of the frames."""
    sizes = dict(head="mdvs", width=2, first=1, head_width=3)
    audio, noise = np.float32(RANDOM.normal(size=(1, 5, 1600))), np.float32(RANDOM.normal(size=(1, 5, 10)))
    full, plain = (DanceGenerator(**sizes, spatial=both, temporal=both, axis="frame") for both in (True, False))
    variables = filled(full, audio, noise)
    params = variables["params"] | {"spatial": variables["params"]["spatial"] | {"alpha": np.zeros(1, np.float32)},
                                    "temporal": {"beta": np.zeros(1, np.float32)}}
    run = jax.jit(lambda variables: [net.apply(variables, audio, noise, TEST) for net in (full, plain)])
    made, single = run(variables | {"params": params})
    np.testing.assert_allclose(made, np.tanh(2 * np.arctanh(np.float64(single))), atol=1e-5)
    assert single.shape == (1, 5, 18, 2)
    with pytest.raises(InputError, match="makes dances of 5 frames at a time, found music for 4"):
        jax.eval_shape(lambda: full.apply(variables, audio[:, :4], noise[:, :4], TEST))
    free = full.clone(axis="joint")
    shapes = jax.eval_shape(free.init, jax.random.key(0), audio, noise)
    assert jax.eval_shape(lambda v: free.apply(v, audio[:, :4], noise[:, :4], TEST), shapes).shape == (1, 4, 18, 2)


def test_windows_and_motion():
    dance = np.arange(50.0)[None, :, None, None]
    np.testing.assert_array_equal(windows(dance)[0, :, :, 0, 0], [np.arange(5) + 3 * i for i in range(16)])
    stretched = resize(np.float32(dance[:, :49]), 50)[0, :, 0, 0]
    places = np.clip((np.arange(50) + 0.5) * 49 / 50 - 0.5, 0, 48)
    np.testing.assert_allclose(stretched, places, atol=1e-4)


def test_adjacency():
    """Columns of all parts together sum to 1; the neck takes from all its neighbors as from farther ones."""
    parts = adjacency()
    np.testing.assert_allclose(parts.sum((0, 1)), 1, rtol=1e-6)
    np.testing.assert_array_equal(np.flatnonzero(parts[1][:, 1]), [0, 2, 5, 8, 11][:3])
    assert not parts[2][:, 1].any()


def style_run(folder):
    """A run folder of a toy classifier of styles with random parameters, and its variables."""
    options = dict(styles=["a", "b"], frames=18, width=2)
    method = methods.load("dance_style", options)
    net = method.nets["classifier"]
    variables = filled(net, np.zeros((1, 18, 18, 2), np.float32))
    state = core.State(np.zeros((), np.int32), np.zeros(2, np.uint32), {"classifier": variables["params"]},
                       {"classifier": variables["moving"]}, {}, {}, {})
    meta = dict(method="dance_style", frozen=[], config=dict(options=options), pairs=1)
    checkpoint.save(folder / "checkpoints", state, meta)
    return variables


def test_perceptual_loss_of_a_trained_classifier(tmp_path):
    """The term is the weighted L1 of the blocks of the named run's network, and its identity follows every number."""
    variables = style_run(tmp_path)
    toy = dict(frames=18, width=2, first=1, head_width=4, discriminator_width=2)
    method = methods.load("dance_skeleton", toy | dict(style_run=str(tmp_path)))
    params = method.frozen["perceptual"]()
    real, fake = (np.float32(RANDOM.uniform(-1, 1, (2, 18, 18, 2))) for _ in range(2))
    net = STGCN(2, 2)

    @jax.jit
    def run(params):
        call = core.Call(method, {"perceptual": params}, {})
        ours = call("perceptual", fake), call("perceptual", real)
        return ours, [net.apply(variables, x, TEST, blocks=True) for x in (fake, real)]

    ours, theirs = run(params)
    for x, y in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-5)  # they grow to hundreds from block to block
    assert len(theirs[0]) == len(PERCEPTUAL_WEIGHTS) and "perceptual" in method.nets
    identity = dance_style.identity(params, {"network": "stgcn"})
    assert identity == dance_style.identity(jax.tree.map(np.copy, params), {"network": "stgcn"})
    params["trained"]["params"]["head"]["bias"] = params["trained"]["params"]["head"]["bias"] + 1e-3
    assert identity != dance_style.identity(params, {"network": "stgcn"})
    # A trained model is used without it.
    gone = methods.load("dance_skeleton", toy | dict(style_run=str(tmp_path / "gone")))
    with pytest.raises(InputError, match="gone does not exist; expected the folder of a dance_style run"):
        gone.frozen["perceptual"]()
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match="holds no checkpoint"):
        methods.load("dance_skeleton", toy | dict(style_run=str(tmp_path / "other")))


@pytest.mark.parametrize("name, options, message", [
    ("dance_skeleton", dict(frames=10), "options.frames is 10, expected at least 18"),
    ("dance_skeleton", dict(head="deep"), "options.head is 'deep'"),
    ("dance_skeleton", dict(audio_scale=0.0), "options.audio_scale is 0.0, expected above 0"),
    ("dance_style", dict(styles=("a",)), "at least two styles"),
    ("dance_video", dict(frames=1), "options.frames is 1, expected at least 2"),
])
def test_options_that_make_no_sense(name, options, message):
    with pytest.raises(InputError, match=message):
        methods.load(name, options)


def test_music_of_either_scale_is_heard_as_16_bits():
    sizes = dict(frames=18, width=2, first=1, head_width=4, discriminator_width=2)
    raw, small = (methods.load("dance_skeleton", sizes | dict(audio_scale=scale)) for scale in (1.0, 32768.0))
    assert (raw.fields["audio"].high, small.fields["audio"].high) == (32768, 1)
    np.testing.assert_array_equal(small.heard({"audio": np.array([-1.0, 0.5])}), [-32768, 16384])


def video(frames=3, **options):
    """A toy of stage II, a batch, and its first state."""
    method = tiny.shrunk(methods.load("dance_video", dict(frames=frames, **options)))
    draw = lambda *shape: np.float32(RANDOM.uniform(-1, 1, shape))
    batch = dict(source=draw(2, 6, 6, 3), skeletons=draw(2, frames, 6, 6, 3), frames=draw(2, frames, 6, 6, 3))
    return method, batch, tiny.begun(method, batch)[1]


def test_three_ways_of_generation():
    """Thesis Eq. 7.6 to 7.11 with networks of one convolution, in float64."""
    method, batch, state = video()
    terms, _ = tiny.judged(method, state, batch)
    net = tiny.network(method, state)
    skeletons, real = batch["skeletons"], batch["frames"]
    made = [net("generator", batch["source"], skeletons[:, i]) for i in range(3)]
    forward = [net("generator", made[i - 1], skeletons[:, i]) for i in (1, 2)]
    backward = [net("generator", made[i + 1], skeletons[:, i]) for i in (0, 1)]
    judge = lambda image, i: net("discriminator", skeletons[:, i], image)
    expected = {
        "generator/pixel": np.mean([tiny.distance(made[i], real[:, i]) for i in range(3)]),
        "generator/forward": np.mean([tiny.distance(made[i], forward[i - 1]) for i in (1, 2)]),
        "generator/backward": np.mean([tiny.distance(made[i], backward[i]) for i in (0, 1)]),
        "generator/gan": np.mean([tiny.adversarial(judge(made[i], i), True) for i in range(3)]),
        "discriminator/fake": np.mean([tiny.adversarial(judge(made[i], i), False) for i in range(3)]),
        "discriminator/real": np.mean([tiny.adversarial(judge(real[:, i], i), True) for i in range(3)]),
    }
    tiny.assert_terms(terms, expected)


@pytest.mark.parametrize("detach", [False, True])
def test_gradients_into_the_neighbors(detach):
    """What is made from a neighbor depends on the person's image through that neighbor alone."""
    method, batch, state = video(2, detach=detach, backward=False)

    def total(source):
        call = core.Call(method, state.params, state.moving)
        return method.rollout(jax.random.key(0), call, batch | {"source": source})["forward"].sum()

    slope = jax.jit(jax.grad(total))(jnp.asarray(batch["source"]))
    assert bool(jnp.any(slope != 0)) != detach


def resting(period, phase=0.0, frames=50):
    """A dance that rests at phase, phase + period, ... seconds."""
    time = np.arange(frames) / 10 - phase
    place = time / period - np.sin(2 * np.pi * time / period) / (2 * np.pi)
    dance = np.zeros((frames, 18, 2))
    dance[:, :, 1] = (0.2 * place)[:, None]
    return dance


def test_a_dance_keeps_its_own_beat():
    """Kinematic beats are where the body rests; alignment by its formula; other music fits worse."""
    found = dances.kinematic_beats(resting(0.65, 0.13))
    np.testing.assert_allclose(found, 0.13 + 0.65 * np.arange(1, 8)[: len(found)], atol=0.02)
    assert len(found) >= 6
    motion, music = np.array([0.0, 1.04, 2.2]), np.array([0.0, 1.0, 2.0])
    expected = np.mean(np.exp(-np.array([0, 0.04, 0.2]) ** 2 / (2 * 0.05**2)))
    assert dances.beat_alignment(motion, music) == pytest.approx(expected)
    assert dances.beat_alignment(np.zeros(0), music) == 0
    with pytest.raises(InputError, match="needs music with beats"):
        dances.beat_alignment(motion, np.zeros(0))
    periods = np.linspace(0.45, 0.75, 9)
    music = [np.arange(0.1, 5, period) for period in periods] + [np.zeros(0)]
    motion = [dances.kinematic_beats(resting(period, 0.1)) for period in periods] + [found]
    score = dances.alignment(motion, music)
    assert score.count == 9 and score.value > 0.9
    pairs = [[dances.beat_alignment(motion[i], music[j]) for j in range(9) if j != i] for i in range(9)]
    assert score.shuffled == pytest.approx(np.mean(pairs))
    assert score.shuffled + 5 * score.shuffled_error < score.value


def test_scores_of_a_run(tmp_path):
    """Real dances handed back keep the beat as they do; without a classifier its scores are left out by name."""
    method = methods.load("dance_skeleton", dict(width=2, first=1, head_width=4, discriminator_width=2))
    periods = (0.4, 0.5, 0.6)

    def sequence(index, fields=None):
        sound = np.zeros(80_000, np.float32)
        for beat in np.arange(0.1, 5, periods[index]):
            start = int(beat * 16_000)
            sound[start : start + 400] = 9000 * np.sin(np.arange(400)) * np.exp(-np.arange(400) / 60)
        return dict(audio=sound.reshape(50, 1600), poses=np.float32(resting(periods[index], 0.1)), name=f"song{index}")

    source = Source([f"song{i}" for i in range(3)], None, dict(frames=50), size=64, mirrored=False, sequence=sequence)
    translator = SimpleNamespace(method=method, step=3, outputs=lambda batch, seed: {"fake_poses": batch["poses"]})
    config = dict(data=dict(kind="dances"), evaluate=settings.EVALUATE | dict(batch_size=2), options={})
    found = dance_scores.run(translator, source, config, tmp_path)
    assert json.loads((tmp_path / "metrics.json").read_text()) == found
    assert set(found["left_out"]) == set(dance_scores.NEEDS_NETWORK)
    assert found["pairs"] == 3 and found["dances_of_each"] == 2
    assert found["mean"]["beat_alignment"] == pytest.approx(found["copy_source"]["beat_alignment"])
    assert found["mean"]["beat_alignment"] > 0.8 > 0.6 > found["mean"]["beat_alignment_shuffled"]
    assert (tmp_path / "per_dance.csv").read_text().count("\n") == 4
    assert (tmp_path / "examples.png").stat().st_size and (tmp_path / "examples.webp").stat().st_size
