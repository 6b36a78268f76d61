"""Checkpoints: what is written comes back bit for bit, and what is damaged is told by name."""

import logging

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gganjax import checkpoint, core
from gganjax.errors import InputError


def make(step, *, size=50, frozen=1.0):
    """A State with every kind of content: Adam, an average, an empty and a full pool, a frozen network, bfloat16."""
    random = np.random.default_rng(step)
    noise = lambda *shape: random.normal(size=shape).astype(np.float32)
    params = dict(painter=dict(conv=dict(kernel=noise(size), half=jnp.asarray(noise(3), jnp.bfloat16))),
                  judge=dict(kernel=noise(4)), features=dict(kernel=np.full(5, frozen, np.float32)))
    own = {net: params[net] for net in ("painter", "judge")}
    return core.State(
        step=np.asarray(step, np.int32), key=np.asarray([1, 2**32 - 1], np.uint32), params=params,
        moving=dict(painter=dict(mean=noise())), opt=dict(all=optax.adam(1e-3).init(own)),
        ema=dict(painter=params["painter"]),
        pools=dict(none=(np.zeros((0, 2, 2, 3), np.float32), np.asarray(0, np.int32)),
                   some=(noise(2, 2, 2, 3), np.asarray(1, np.int32))))


META = dict(method="toy", frozen=["features"], config=dict(seed=1))


def write(folder, *steps, keep=5, **options):
    with checkpoint.saver(folder / "checkpoints", keep=keep, **options) as save:
        for step in steps:
            save(make(step), META)


def assert_equal(one, other):
    for (path, x), y in zip(jax.tree_util.tree_flatten_with_path(one)[0], jax.tree.leaves(other), strict=True):
        assert x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes(), jax.tree_util.keystr(path)


def steps(folder):
    return [int(path.name) for path in checkpoint.complete(folder)]


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_state_comes_back_and_frozen_networks_come_from_the_new_state(tmp_path):
    write(tmp_path, 3)
    stored = checkpoint.restore(tmp_path, make(9, frozen=2.0), "toy")
    wanted = make(3, frozen=2.0)
    assert_equal(jax.tree.map(np.asarray, wanted), stored)
    assert jax.tree.structure(stored) == jax.tree.structure(wanted)
    meta = checkpoint.read_meta(tmp_path)
    assert {name: meta[name] for name in (*META, "step")} == {**META, "step": 3}
    assert not any(name.startswith("params/features") for name in meta["arrays"])


def test_the_newest_are_kept(tmp_path):
    write(tmp_path, 1, 2, 3, 4, keep=2)
    assert steps(tmp_path) == [4, 3]
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["3", "4"]


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove"])
def test_any_damaged_file_is_named_and_the_one_before_used(damage, tmp_path, caplog):
    write(tmp_path, 1, 2)
    for victim in files(tmp_path / "checkpoints" / "2"):
        content = victim.read_bytes()
        if damage == "truncate":
            victim.write_bytes(content[: len(content) // 2])
        elif damage == "flip":
            victim.write_bytes(bytes([*content[:-1], content[-1] ^ 4]) if content else b"x")
        else:
            victim.unlink()
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            stored = checkpoint.restore(tmp_path, make(0), "toy")
        assert_equal(jax.tree.map(np.asarray, make(1)), stored)
        assert str(tmp_path / "checkpoints" / "2") in caplog.text
        if victim.name != "files.json":
            assert str(victim) in caplog.text
        victim.write_bytes(content)
    assert int(checkpoint.restore(tmp_path, make(0), "toy").step) == 2


def test_nothing_that_can_be_read(tmp_path):
    with pytest.raises(InputError, match=f"{tmp_path} holds no checkpoint."):
        checkpoint.restore(tmp_path, make(0), "toy")
    write(tmp_path, 7)
    files(tmp_path / "checkpoints" / "7")[0].unlink()
    with pytest.raises(InputError, match=r"holds no checkpoint that can be read \(7 tried\)."):
        checkpoint.restore(tmp_path, make(0), "toy")


def test_what_does_not_fit_is_one_sentence(tmp_path):
    write(tmp_path, 2)
    at = tmp_path / "checkpoints" / "2"
    state = make(0)
    cases = [
        (state, "other", f"{at} is a checkpoint of the method toy, not of other."),
        (make(0, size=51), "toy",
         f"{at} has params/painter/conv/kernel as float32[50], this configuration needs float32[51]."),
        (state.replace(key=state.key.astype(np.int32)), "toy",
         f"{at} has key as uint32[2], this configuration needs int32[2]."),
        (state.replace(ema=dict(judge=state.params["judge"])), "toy", f"{at} lacks the array ema/judge/kernel."),
        (state.replace(moving={}), "toy", f"{at} has, unlike this configuration, the array moving/painter/mean."),
    ]
    for like, method, sentence in cases:
        with pytest.raises(InputError) as failure:
            checkpoint.restore(tmp_path, like, method)
        assert str(failure.value) == sentence


def test_networks_alone(tmp_path):
    write(tmp_path, 1, 4)
    state = make(4)
    for folder in (tmp_path, tmp_path / "checkpoints", tmp_path / "checkpoints" / "4"):
        found = checkpoint.load_networks(folder, ["painter"])
        assert_equal(jax.tree.map(np.asarray, dict(params=dict(painter=state.params["painter"]), moving=state.moving,
                                                   ema=state.ema)), found)
    assert sorted(checkpoint.load_networks(tmp_path)["params"]) == ["judge", "painter"]
    with pytest.raises(InputError, match="holds no network paniter, only judge, painter."):
        checkpoint.load_networks(tmp_path, ["paniter"])


def test_left_over_by_a_kill_and_newer_than_what_was_restored(tmp_path):
    write(tmp_path, 1, 2, 3)
    (tmp_path / "checkpoints" / "4.partial").mkdir()
    write(tmp_path, 2, after=1)
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["1", "2", "2.damaged", "3.damaged"]


def test_a_copy_is_written(tmp_path):
    state = jax.tree.map(np.array, make(1))
    with checkpoint.saver(tmp_path / "checkpoints", keep=1) as save:
        save(state, META)
        state.params["painter"]["conv"]["kernel"][:] = 0  # as a donated buffer would be
    assert_equal(jax.tree.map(np.asarray, make(1)), checkpoint.restore(tmp_path, make(0), "toy"))


def test_a_failed_write_is_told(tmp_path):
    with pytest.raises(NotADirectoryError), checkpoint.saver(tmp_path / "checkpoints", keep=1) as save:
        (tmp_path / "checkpoints").rmdir()
        (tmp_path / "checkpoints").write_text("in the way")
        save(make(1), META)


def test_a_run_starts_from_the_networks_of_another(tmp_path):
    """Averages take the place of parameters; step, optimizers, pools and frozen networks are the new run's own."""
    write(tmp_path, 3)
    other, new = make(3), make(9, frozen=2.0)
    other.ema["painter"] = jax.tree.map(lambda x: x + 1, other.params["painter"])
    checkpoint.save(tmp_path / "checkpoints", other.replace(step=np.int32(4)), META, keep=2)
    begun = checkpoint.start_from(tmp_path, new, frozen=["features"])
    wanted = dict(painter=other.ema["painter"], judge=other.params["judge"], features=new.params["features"])
    assert_equal(new.replace(params=wanted, moving=other.moving, ema=dict(painter=other.ema["painter"])), begun)


def test_networks_that_do_not_fit_cannot_start_a_run(tmp_path):
    write(tmp_path, 3)
    with pytest.raises(InputError, match=r"has params/painter/conv/kernel as \[50\], needed is \[51\]\.$"):
        checkpoint.start_from(tmp_path, make(9, size=51), frozen=["features"])
    other = make(9)
    other.params["judge"]["bias"] = np.zeros(2, np.float32)
    with pytest.raises(InputError, match=r"has params/judge/bias as no such array, needed is \[2\]\.$"):
        checkpoint.start_from(tmp_path, other, frozen=["features"])
    strange = other.replace(params=dict(writer=other.params["judge"]), moving={}, ema={})
    with pytest.raises(InputError, match=r"holds the networks judge, painter, and none of writer\.$"):
        checkpoint.start_from(tmp_path, strange, frozen=[])
    with pytest.raises(InputError, match="holds no checkpoint"):
        checkpoint.start_from(tmp_path / "elsewhere", other, frozen=[])
