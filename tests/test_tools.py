"""The measuring tools measure what they say, at toy size."""

import importlib
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from gganjax import command, core, devices, methods, platform, port, settings
from gganjax.layers import Dropout
from gganjax.train import make_plan

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tools"))

import benchmark  # noqa: E402
import compare_torch  # noqa: E402

CONFIG = """
from experiments import gesturegan

def get_config():
    config = gesturegan.base(
        gesturegan.HANDS, flat_epochs=1, decay_epochs=1, perceptual="none", cycles=1, cycle="none", self_content=False,
        total_variation=False, discriminators="guided", width=4, blocks=1, discriminator_width=4, discriminator_layers=1)
    config.data.update(crop_size=32, load_size=32, people=2, test_people=1, poses=3)
    return config.lock()
"""


@pytest.fixture
def config(tmp_path):
    """A config file of a toy run on the embedded data."""
    path = tmp_path / "toy.py"
    path.write_text(CONFIG)
    return path


def test_benchmark_reports_figures_that_agree_with_each_other(config, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(platform, "prepare", lambda **_: None)  # it would change the process of the other tests
    written = tmp_path / "figures.json"
    arguments = [f"--config={config}", "--config.batch_size=2", "--seconds=0.2", f"--json={written}"]
    assert benchmark.main(["benchmark.py", *arguments]) == 0
    printed = capsys.readouterr().out.strip().splitlines()
    figures = json.loads(printed[-1])
    assert figures == json.loads(written.read_text())
    assert [line.split("  ")[0] for line in printed[:-1]] == [name.replace("_", " ") for name in figures]
    assert (figures["batch"], figures["size"], figures["players"]) == (2, "32x32", "generator, discriminators")
    assert figures["images_per_s"] == pytest.approx(2 / (figures["step_ms"] / 1e3))
    low, high = figures["step_ms_10_to_90_percent"]
    assert low <= figures["step_ms"] <= high and figures["steps"] >= 5
    rate = figures["step_gflop"] / (figures["step_ms"] / 1e3)
    assert figures["share_of_peak"] == pytest.approx(rate / figures["peak_gflop_per_s"])
    assert 0 < figures["share_of_peak"] < 1 and 0 <= figures["share_waiting_for_data"] <= 1


def test_compiling_alone_tells_what_the_compiler_counts(config, capsys, monkeypatch):
    """State and batch: parameters, their two moments, the pictures' bytes; a forward pass must keep more than that."""
    monkeypatch.setattr(platform, "prepare", lambda **_: None)
    assert benchmark.main(["benchmark.py", f"--config={config}", "--config.batch_size=2", "--compile-only"]) == 0
    figures = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    toy = command.parse(["", f"--config={config}"]).config.to_dict()
    method = methods.load(toy["method"], toy["options"])
    batch = {name: np.zeros((1, 32, 32, 3), np.float32) for name in method.fields}
    count = sum(math.prod(x.shape) for x in jax.tree.leaves(core.shapes(method, batch)))
    pictures = 2 * 3 * 32 * 32 * 3  # source, target and its guidance, in bytes; the fourth field is not read
    assert 12 * count + pictures <= 1e6 * figures["state_and_batch_mbyte"] <= 12.1 * count + pictures
    assert figures["temporary_mbyte"] > 0 and "step_ms" not in figures


def test_benchmark_tells_bad_input_in_one_sentence(config, capsys):
    assert benchmark.main(["benchmark.py", f"--config={config}", "--config.batch_sise=2"]) == 2
    assert re.match(r"error: .*batch_sise.*batch_size", capsys.readouterr().err)


def test_the_step_counted_is_the_step_computed():
    """XLA's count for one convolution is twice its multiplications; that of the tool comes from the same source."""
    compiled = jax.jit(lambda state, batch: state @ batch["x"])
    cost = benchmark._cost(compiled, np.ones((8, 16), np.float32), {"x": np.ones((16, 4), np.float32)})
    assert cost["step_gflop"] == pytest.approx(2 * 8 * 16 * 4 / 1e9)
    assert cost["state_and_batch_mbyte"] == pytest.approx(4 * (8 * 16 + 16 * 4) / 1e6)


def test_workers_take_turns_and_the_medians_make_the_ratio(monkeypatch):
    """Stand-ins answer their n-th step with n seconds (jax) and 2 n (torch), so the medians tell which steps counted."""
    def stand_in(which, python, arguments):
        factor = 2 if which == "torch" else 1
        answer = f"""print('{{"seconds": %d}}' % (n * {factor}), flush=True)"""
        code = f"import sys\nfor n, _ in enumerate(sys.stdin): {answer}"
        return subprocess.Popen([python, "-c", code], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    monkeypatch.setattr(compare_torch, "start", stand_in)
    figures = compare_torch.compare(compare_torch.parse(["--rounds=3", "--width=4"]))
    assert figures["seconds"] == {"jax": [2, 3, 4], "torch": [4, 6, 8]}
    assert figures["medians"] == {"jax": 3, "torch": 6} and figures["ratio"] == 0.5


def test_our_worker_steps_and_a_dead_worker_is_named():
    arguments = compare_torch.parse(["--threads=1", "--size=32", "--width=4"])
    worker = compare_torch.start("jax", sys.executable, arguments)
    try:
        assert compare_torch.ask(worker) > 0
    finally:
        worker.kill()
        worker.wait()
    with pytest.raises(SystemExit, match="--worker=neither ended with status 2"):
        compare_torch.ask(compare_torch.start("neither", sys.executable, arguments))


def torch_trainer(name, width, size, batch):
    """The trainer of a method in PyTorch for this batch, without dropout."""
    torch = pytest.importorskip("torch", reason="PyTorch is an optional extra")
    module = importlib.import_module(f"torch_steps.{compare_torch.STEPS[name][0]}")
    trainer = module.Trainer(name, {field: (*x.shape[:1], *x.shape[3:], *x.shape[1:3]) for field, x in batch.items()}, width)
    for net in vars(trainer).values():
        for layer in net.modules() if isinstance(net, torch.nn.Module) else ():
            if isinstance(layer, torch.nn.Dropout):
                layer.p = 0.0
    return trainer


@pytest.mark.parametrize("name", compare_torch.STEPS)
def test_the_networks_in_torch_are_as_large(name):
    torch = pytest.importorskip("torch", reason="PyTorch is an optional extra")
    method, config = compare_torch.build(name, 8)
    size = config["data"]["crop_size"]
    trainer = torch_trainer(name, 8, size, compare_torch.random_batch(method, 1, size))
    held = [net for value in vars(trainer).values() for net in (value.values() if isinstance(value, dict) else [value])]
    nets = {net for net in held if isinstance(net, torch.nn.Module)}
    theirs = sum(parameter.numel() for net in nets for parameter in net.parameters())
    shapes = core.shapes(method, settings.example(config, method))
    assert theirs == sum(int(np.prod(x.shape)) for x in jax.tree.leaves(shapes))


def test_the_step_in_torch_is_the_same_step(monkeypatch):
    """Same weights, same images, no dropout: the generator's loss after the discriminators' update is the same."""
    torch = pytest.importorskip("torch", reason="PyTorch is an optional extra")
    width, size = 4, 32
    monkeypatch.setattr(Dropout, "__call__", lambda self, x, mode: x)
    method, config = compare_torch.build("gesturegan", width)
    batch = compare_torch.random_batch(method, 2, size)
    trainer = torch_trainer("gesturegan", width, size, batch)
    plan = make_plan(config, method, pairs=10)
    state = core.init(method, plan.optimizers, 0, batch)
    tables = dict(generator=port.resnet.table(), discriminator_plain=port.patch.table(), discriminator_guided=port.patch.table())
    torches = dict(generator=trainer.generator, discriminator_plain=trainer.pair, discriminator_guided=trainer.guided)
    for net, table in tables.items():
        named = torches[net].state_dict().items()
        weights = {f"model.{key}".replace("branch", "conv_block"): value.numpy() for key, value in named}
        expected = jax.tree.map(np.asarray, {"params": state.params[net], "moving": state.moving[net]})
        ported = port.to_flax(table, weights, expected)
        state.params[net], state.moving[net] = ported["params"], ported["moving"]
    step = devices.compile_step(method, plan.optimizers, config["weights"])
    _, terms = step(devices.place(state), batch, tuple(method.players))
    images = {name: torch.from_numpy(x.transpose(0, 3, 1, 2).copy()) for name, x in batch.items()}
    assert devices.scalars(terms)["generator/total"] == pytest.approx(trainer.step(images), rel=1e-5)
