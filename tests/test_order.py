"""The order of pairs and their augmentation depend on the seed and the batch number and on nothing else."""

import threading
import time

import numpy as np
import pytest
from make_set import folder_settings, make_folder, same, take

from gganjax import data
from gganjax.data import order
from gganjax.errors import InputError

# Three epochs of 8 pairs under seed 0: an upgrade of grain that changes the order would change every run.
RECORDED = [5, 3, 6, 7, 4, 2, 1, 0, 6, 5, 4, 1, 0, 7, 3, 2, 1, 2, 0, 5, 3, 7, 6, 4]
KEYS = ("source", "target", "source_guidance", "target_guidance")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GGANJAX_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield make_folder(tmp_path_factory.mktemp("set"))


def batches(folder, *, batch_size=4, seed=5, start=0, process=(0, 1), **changes):
    settings = folder_settings(folder, **changes)
    source = data.open_source(settings, "train")
    return data.train_batches(
        source, settings, batch_size=batch_size, seed=seed, start=start, process_index=process[0], process_count=process[1]
    )


def test_the_order_is_the_recorded_one():
    order_ = order.shuffled(8, seed=0)
    assert [int(order_[i]) for i in range(24)] == RECORDED


def test_each_epoch_holds_every_pair_once_in_an_order_of_its_own(folder):
    names = [name for batch in take(batches(folder, batch_size=3), 6) for name in batch["name"]]
    epochs = [tuple(names[i : i + 6]) for i in (0, 6, 12)]
    assert all(len(set(epoch)) == 6 for epoch in epochs)
    assert len(set(epochs)) == 3


def test_neighboring_seeds_do_not_give_shifted_epochs():
    epochs = {tuple(int(order.shuffled(50, seed)[i]) for i in range(50 * e, 50 * e + 50)) for seed in range(4) for e in range(4)}
    assert len(epochs) == 16


def test_steps_per_epoch_counts_the_batch_that_completes_it(folder):
    source = data.open_source(folder_settings(folder), "train")
    assert [data.steps_per_epoch(source, size) for size in (1, 3, 4, 6, 7)] == [6, 2, 2, 1, 1]


@pytest.mark.parametrize("paired", [True, False])
def test_a_start_anywhere_gives_the_remaining_batches(folder, paired):
    whole = take(batches(folder, paired=paired), 6)
    for start in range(6):
        rest = take(batches(folder, start=start, paired=paired), 6 - start)
        assert all(same(one, other) for one, other in zip(whole[start:], rest, strict=True))


@pytest.mark.parametrize("changes", [dict(threads=2), dict(threads=4, prefetch=3), dict(memory=0)])
def test_threads_and_memory_do_not_change_a_byte(folder, changes):
    plain = take(batches(folder), 5)
    assert all(same(one, other) for one, other in zip(plain, take(batches(folder, **changes), 5), strict=True))


def test_another_seed_gives_other_batches(folder):
    assert not same(take(batches(folder, seed=5), 1)[0], take(batches(folder, seed=6), 1)[0])


def test_the_rows_of_two_processes_are_the_batch_of_one(folder):
    whole = take(batches(folder), 4)
    halves = [take(batches(folder, process=(index, 2)), 4) for index in (0, 1)]
    for batch, first, second in zip(whole, *halves, strict=True):
        assert batch["name"] == first["name"] + second["name"]
        assert all(np.array_equal(batch[key], np.concatenate([first[key], second[key]])) for key in KEYS)


def test_unpaired_sides_come_in_independent_orders(folder):
    names = [name.split("+") for batch in take(batches(folder, batch_size=6, paired=False), 8) for name in batch["name"]]
    assert len({(source, target) for source, target in names}) > 12  # paired data has 6 combinations
    for side in (0, 1):
        for epoch in range(8):
            assert len({pair[side] for pair in names[6 * epoch : 6 * epoch + 6]}) == 6


def test_test_batches_are_in_file_order_and_filled_up(folder):
    settings = folder_settings(folder)
    source = data.open_source(settings, "test")
    first, second = list(data.test_batches(source, settings, batch_size=4))
    assert first["name"] + second["name"][:2] == [source[i]["name"] for i in range(6)]
    assert first["valid"].tolist() == [True] * 4 and second["valid"].tolist() == [True, True, False, False]
    assert np.array_equal(second["source"][1], second["source"][3])
    (limited,) = data.test_batches(source, settings, batch_size=4, limit=3)
    assert limited["valid"].tolist() == [True, True, True, False]


def test_closing_ends_the_threads(folder):
    def reading():
        return [thread for thread in threading.enumerate() if thread.name.startswith("grain-prefetch") and thread not in before]

    before = threading.enumerate()
    with batches(folder, threads=3) as iterator:
        next(iterator)
        assert reading()
    deadline = time.monotonic() + 10
    while reading() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not reading()


@pytest.mark.parametrize(
    "changes, message",
    [
        (dict(batch_size=3, process=(0, 2)), "config.batch_size must be a multiple of the number of processes (2), found 3."),
        (dict(seed=-1), "config.seed must not be negative, found -1."),
    ],
)
def test_impossible_requests_are_told(folder, changes, message):
    with pytest.raises(InputError) as error:
        batches(folder, **changes)
    assert str(error.value) == message
