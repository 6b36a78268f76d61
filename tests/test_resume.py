"""A run that was stopped, by whatever means, continues as if it had not been: the whole State, bit for bit."""

import functools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time

import jax
import numpy as np
import pytest
import toys

from gganjax import checkpoint, data, logs
from gganjax.errors import InputError

STEPS = 8


def state_of(workdir, kind):
    return checkpoint.restore(workdir, like(kind), f"toy_{kind}")


like = functools.cache(toys.initial)


def assert_equal_states(one, other):
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for (path, x), y in zip(jax.tree_util.tree_flatten_with_path(one)[0], jax.tree.leaves(other), strict=True):
        assert x.dtype == y.dtype and np.array_equal(x, y), jax.tree_util.keystr(path)


def records(workdir):
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def timeless(found):
    return [{name: x for name, x in one.items() if name not in ("seconds", "images_per_second", "waiting")} for one in found]


@pytest.fixture(scope="module", autouse=True)
def compiled_once(tmp_path_factory):
    with toys.compilation_cache(tmp_path_factory.mktemp("compiled")) as folder:
        yield folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Uninterrupted runs by kind."""

    @functools.cache
    def make(kind):
        workdir = tmp_path_factory.mktemp(kind)
        toys.run(kind, workdir, STEPS)
        return workdir

    return make


@pytest.mark.parametrize("kind", ["plain", "pool", "stages", "ratio"])
def test_stopped_and_continued(kind, whole, tmp_path):
    for stop in (3, 4, STEPS):  # at and after the turn of a stage and of a ratio
        summary = toys.run(kind, tmp_path, stop)
        assert summary["step"] == stop
    assert_equal_states(state_of(tmp_path, kind), state_of(whole(kind), kind))
    assert timeless(records(tmp_path)) == timeless(records(whole(kind)))
    seconds = [one["seconds"] for one in records(tmp_path)]
    assert seconds == sorted(seconds)


def test_steps_of_the_kinds_differ(whole):
    """What the comparison above rests on: players that take turns do so, pools and averages fill."""
    acted = {kind: [[p for p in ("generator", "critic", "refiner") if f"{p}/total" in one] for one in records(whole(kind))]
             for kind in ("stages", "ratio")}
    assert acted["stages"] == [["generator", "critic"]] * 4 + [["critic", "refiner"]] * 4
    assert [("generator" in now) for now in acted["ratio"]] == [False, False, True] * 2 + [False, False]
    pool, count = state_of(whole("pool"), "pool").pools["fakes"]
    assert count == 3 and np.ptp(pool) > 0
    averaged, last = (getattr(state_of(whole("plain"), "plain"), part)["generator"] for part in ("ema", "params"))
    assert not np.array_equal(averaged["Conv_0"]["kernel"], last["Conv_0"]["kernel"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_the_same_call_continues(number, whole, tmp_path, monkeypatch):
    step = logs.Log.step
    sent = []

    def send(self, terms, speed):
        step(self, terms, speed)
        sent.append(number)
        if len(sent) == 3:
            os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr(logs.Log, "step", send)
        summary = toys.run("plain", tmp_path, STEPS, checkpoint_every=100)
    assert summary["signal"] == number and 3 <= summary["step"] < STEPS
    assert [int(path.name) for path in checkpoint.complete(tmp_path)] == [summary["step"]]
    assert toys.run("plain", tmp_path, STEPS, checkpoint_every=100)["signal"] == 0
    assert_equal_states(state_of(tmp_path, "plain"), state_of(whole("plain"), "plain"))


@pytest.fixture
def interrupts():
    """Ctrl-C as in a terminal; a shell's background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupts")
def test_the_second_signal_acts_at_once():
    with pytest.raises(KeyboardInterrupt), logs.interruptible() as stopped:
        os.kill(os.getpid(), signal.SIGINT)
        assert stopped() == signal.SIGINT
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_kill_9_at_random_moments(compiled_once, tmp_path):
    draw, steps, killed = random.Random(0), 200, []
    for _ in range(3):
        with start("pool", tmp_path / "killed", steps, cache=compiled_once) as process:
            before = progress(tmp_path / "killed")
            while process.poll() is None and progress(tmp_path / "killed") < before + 5:
                time.sleep(0.01)
            time.sleep(draw.uniform(0, 0.3))
            process.kill()
        assert process.wait() == -signal.SIGKILL, "the kills must fall into the run"
        killed += [int(path.name) for path in checkpoint.complete(tmp_path / "killed")[:1]]
    assert 0 < max(killed) < steps
    for name in ("killed", "whole"):
        toys.run("pool", tmp_path / name, steps, checkpoint_every=steps)
    assert_equal_states(state_of(tmp_path / "killed", "pool"), state_of(tmp_path / "whole", "pool"))
    assert timeless(records(tmp_path / "killed")) == timeless(records(tmp_path / "whole"))
    assert not list((tmp_path / "killed" / "checkpoints").glob("*.partial"))


def test_a_term_that_is_not_finite_stops_the_run(tmp_path):
    with data.train_batches(toys.source(count=24), toys.config("logarithm", steps=1).data, batch_size=4, seed=0) as batches:
        names = [next(batches)["name"] for _ in range(4)]
    white = next(int(name.removeprefix("pair")) for name in names[3] if name not in {*names[0], *names[1], *names[2]})
    sources = dict(train=toys.source(white=white, count=24), test=toys.source())
    with pytest.raises(FloatingPointError) as failure:
        toys.run("logarithm", tmp_path, STEPS, sources=sources, checkpoint_every=2)
    assert str(failure.value) == (
        "At step 4 the term pixel of the player generator is nan; the checkpoint of step 2 is good.")
    assert [path.name for path in checkpoint.complete(tmp_path)] == ["2"]
    assert [one["step"] for one in records(tmp_path)] == [1, 2, 3]


def test_a_damaged_checkpoint_is_passed_over_and_written_again(whole, tmp_path, caplog):
    toys.run("plain", tmp_path, STEPS - 2)
    newest = checkpoint.complete(tmp_path)[0]
    victim = max((path for path in newest.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    victim.write_bytes(victim.read_bytes()[:-10])
    toys.run("plain", tmp_path, STEPS)
    assert str(victim) in caplog.text
    assert_equal_states(state_of(tmp_path, "plain"), state_of(whole("plain"), "plain"))
    assert newest.with_name(f"{newest.name}.damaged").is_dir()
    assert [one["step"] for one in records(tmp_path)] == list(range(1, STEPS + 1))


@pytest.mark.parametrize("changes, sentence", [
    (dict(seed=7), "config.seed is 7, but the run to be continued has 0; restore it or choose another --workdir."),
    (dict(batch_size=8), "config.batch_size is 8, but the run to be continued has 4; restore it or choose another --workdir."),
    (dict(sources=dict(train=toys.source(count=6), test=toys.source())),
     "config.data holds 6 training pairs, but the run to be continued has 8."),
    (dict(method=toys.Toy("pool")), "{} holds checkpoints of the method toy_plain, not of toy_pool."),
])
def test_what_a_continued_run_must_not_change(changes, sentence, whole):
    with pytest.raises(InputError) as failure:
        toys.run("plain", whole("plain"), STEPS + 1, **changes)
    assert str(failure.value) == sentence.format(whole("plain"))


def test_logging_and_length_may_change(whole, tmp_path):
    toys.run("plain", tmp_path, 3)
    toys.run("plain", tmp_path, STEPS, log_every=2, checkpoint_every=5, sample_every=4, keep_checkpoints=1)
    assert_equal_states(state_of(tmp_path, "plain"), state_of(whole("plain"), "plain"))
    assert [int(path.name) for path in checkpoint.complete(tmp_path)] == [STEPS]
    assert [one["step"] for one in records(tmp_path)] == [1, 2, 3, 4, 6, 8]


def test_length_may_change_while_the_learning_rates_are_the_same(tmp_path):
    flat = dict(name="adam", learning_rate=0.01, b1=0.5, b2=0.999, schedule=dict(name="linear_steps", flat_steps=3))
    optimizers = dict(generator=flat, critic=flat)
    toys.run("plain", tmp_path / "stopped", 3, optimizers=optimizers)
    toys.run("plain", tmp_path / "stopped", 6, optimizers=optimizers)
    toys.run("plain", tmp_path / "whole", 6, optimizers=optimizers)
    assert_equal_states(state_of(tmp_path / "stopped", "plain"), state_of(tmp_path / "whole", "plain"))


def test_a_longer_run_must_not_change_the_learning_rates(tmp_path):
    falling = dict(name="adam", learning_rate=0.01, b1=0.5, b2=0.999, schedule=dict(name="linear_steps", flat_steps=1))
    optimizers = dict(generator=falling, critic=falling)
    toys.run("plain", tmp_path, 3, optimizers=optimizers)
    with pytest.raises(InputError) as failure:
        toys.run("plain", tmp_path, 5, optimizers=optimizers)
    assert str(failure.value) == (
        "config.steps is 5, but the run to be continued has 3; restore it or choose another --workdir.")


def test_two_processes_in_one_folder(whole):
    with logs.alone(whole("plain")), pytest.raises(InputError) as failure:
        toys.run("plain", whole("plain"), STEPS)
    assert str(failure.value) == f"Another process is training in {whole('plain')}; choose another --workdir."


def test_two_processes_equal_one(compiled_once, tmp_path):
    """Same global batch, same SGD steps, averaged over the processes; process 0 alone writes, all restore the same."""
    def together(folders, steps):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        running = [start("plain", folder, steps, address, len(folders), index, cache=compiled_once, devices=1)
                   for index, folder in enumerate(folders)]
        try:
            assert [process.wait(100) for process in running] == [0] * len(running)
        finally:
            for process in running:
                process.kill()

    together([tmp_path / "one"], 4)
    together([tmp_path / "two", tmp_path / "silent"], 2)
    assert not (tmp_path / "silent").exists()
    together([tmp_path / "two", tmp_path / "two"], 4)
    one, two = (checkpoint.load_networks(tmp_path / name) for name in ("one", "two"))
    for part in ("params", "ema", "moving"):
        for x, y in zip(jax.tree.leaves(one[part]), jax.tree.leaves(two[part]), strict=True):
            np.testing.assert_allclose(x, y, rtol=0, atol=1e-5)
    assert [one["step"] for one in records(tmp_path / "two")] == [1, 2, 3, 4]


def start(kind, workdir, steps, *cluster, cache, devices=None):
    """A training process of its own."""
    environment = dict(os.environ, PYTHONPATH=f"{toys.ROOT}{os.pathsep}{toys.ROOT / 'tests'}", JAX_PLATFORMS="cpu",
                       JAX_COMPILATION_CACHE_DIR=str(cache), JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0")
    if devices:
        environment["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"
    arguments = [sys.executable, str(toys.ROOT / "tests" / "toys.py"), kind, str(workdir), str(steps), *map(str, cluster)]
    return subprocess.Popen(arguments, env=environment, cwd=toys.ROOT, stdout=subprocess.DEVNULL)


def progress(workdir):
    path = workdir / "metrics.jsonl"
    return len(path.read_bytes().splitlines()) if path.exists() else 0


def test_a_new_run_starts_from_another_and_is_continued_from_itself(whole, tmp_path):
    still = toys.config("plain", steps=1).optimizers.to_dict()
    for one in still.values():
        one["learning_rate"] = 1e-30
    other = whole("plain")
    for steps in (1, 2):
        toys.run("plain", tmp_path, steps, start_from=str(other), optimizers=still)
    begun, before = state_of(tmp_path, "plain"), state_of(other, "plain")
    assert int(begun.step) == 2
    for net, params in (before.params | before.ema).items():
        assert all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(params), jax.tree.leaves(begun.params[net]), strict=True))
    with pytest.raises(InputError, match="nowhere holds no checkpoint"):
        toys.run("plain", tmp_path / "new", 1, start_from=str(tmp_path / "nowhere"))
