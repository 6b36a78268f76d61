"""Four devices make the step that one device makes on the same global batch.

Runs in a process of its own, because the number of simulated devices is fixed when jax starts. Gradients are
compared, not Adam's steps: those turn rounding into full-size steps.
"""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]

# Both programs below are this one: state and terms of two steps of gradient descent, written as a pickle.
PROGRAM = """
import pickle, sys
import jax, numpy as np, optax
from gganjax import core, devices, methods

SMALL = dict(width=4, blocks=1, discriminator_width=4, discriminator_layers=1, dropout=0.0)
# Without total variation, a sum of signs: one that rounding turns would move its gradient by 4e-4 of itself.
HANDS = SMALL | dict(perceptual="none", total_variation=False)
CASES = {
    "instance": ("gesturegan", HANDS | dict(discriminators="guided")),
    "batch": ("gesturegan", HANDS | dict(discriminators="plain", cycles=1, norm="batch")),
    "pools": ("cyclegan", SMALL | dict(pool_size=6, identity=False)),
}
found = {}
for case, (name, options) in CASES.items():
    method = methods.load(name, options)
    random = np.random.default_rng(0)
    batches = [{field: random.integers(0, 256, (8, 16, 16, 3), np.uint8) for field in method.fields} for _ in range(2)]
    weights = {player: dict.fromkeys(terms, 1e-3) for player, terms in core.term_names(method, batches[0]).items()}
    optimizers = {player: optax.sgd(1.0) for player in method.players}
    state = devices.place(core.init(method, optimizers, 0, batches[0], ema=dict.fromkeys(list(method.nets)[:1], 0.5)))
    step = devices.compile_step(method, optimizers, weights, ema=dict.fromkeys(list(method.nets)[:1], 0.5))
    logged, states = [], []
    for number, batch in enumerate(batches):
        state, terms = step(state, batch, core.acting(method, number))
        logged.append(devices.scalars(terms))
        states.append(devices.fetch(state))
    copies = [len(leaf.addressable_shards) for leaf in jax.tree.leaves(state)]
    found[case] = states, logged, copies
pickle.dump(found, open(sys.argv[1], "wb"))
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("devices")
    workers = []
    for count in (1, 4):
        environment = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT),
                                    "XLA_FLAGS": f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count={count}"}
        path = folder / f"{count}.pickle"
        workers.append((subprocess.Popen([sys.executable, "-c", PROGRAM, path], env=environment), path))
    for worker, _ in workers:
        assert worker.wait(timeout=600) == 0
    return [pickle.loads(path.read_bytes()) for _, path in workers]


def leaves(state):
    import jax

    return {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(state)}


@pytest.mark.parametrize("case", ["instance", "batch", "pools"])
def test_four_devices_equal_one(runs, case):
    (one, one_terms, copies), (four, four_terms, placed) = (run[case] for run in runs)
    assert set(copies) == {1} and set(placed) == {4}
    for first, second in zip(one_terms, four_terms, strict=True):
        assert first.keys() == second.keys()
        for name in first:
            # The norm of a gradient that almost cancels (1e-3 here) keeps the rounding of the parts that canceled.
            np.testing.assert_allclose(second[name], first[name], rtol=1e-4, atol=1e-6, err_msg=name)
    # The state after the first step: parameters moved by their gradient, statistics, averages, remembered images.
    one, four = leaves(one[0]), leaves(four[0])
    assert one.keys() == four.keys()
    for path, value in one.items():
        np.testing.assert_allclose(four[path], value, rtol=1e-5, atol=1e-5 * np.abs(value).max() + 1e-6, err_msg=path)


def test_pools_hold_images_of_all_devices(runs):
    state = runs[1]["pools"][0][-1]
    images, count = state.pools["target"]
    assert int(count) == 6
    assert all(np.abs(image).max() > 0 for image in images)
    assert len({image.tobytes() for image in images}) == 6
