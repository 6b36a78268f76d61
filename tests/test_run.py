"""The entry point: what it prints, what it writes, and the one sentence for every mistake."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import toys
from PIL import Image

from experiments import run
from gganjax import logs, modes, platform
from gganjax.core import Field
from gganjax.errors import InputError

TINY = [
    "--config=experiments/gesturegan.py:demo", "--config.options.width=2", "--config.options.blocks=1",
    "--config.options.discriminator_width=2", "--config.options.discriminator_layers=1",
    "--config.options.perceptual=none", "--config.weights.generator.perceptual=0", "--config.batch_size=4",
    "--config.data.load_size=36", "--config.data.crop_size=32", "--config.data.people=2",
    "--config.data.test_people=2", "--config.optimizers.generator.learning_rate=5e-4", "--config.data.poses=3",
    "--config.sample_count=2", "--config.evaluate.limit=3", "--config.evaluate.images=1",
]


@pytest.fixture(scope="module", autouse=True)
def compiled_once(tmp_path_factory):
    with toys.compilation_cache(tmp_path_factory.mktemp("compiled")):
        yield


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch):
    """Commands run in this process, which other tests share: it keeps its compiler switches and memory as they are."""
    monkeypatch.chdir(toys.ROOT)
    monkeypatch.setattr(platform, "prepare", lambda **_: None)


def folder_of_pictures(root, *, pairs=True, size=(40, 40)):
    for split in ("train", "test"):
        (root / split).mkdir(parents=True)
        for index in range(3):
            pixels = np.random.default_rng(index).integers(0, 255, (*size, 3), np.uint8)
            Image.fromarray(pixels).save(root / split / f"{index}.png")
        rows = ["source,target"] + ["0.png,1.png", "1.png,2.png"] * pairs
        (root / f"{split}_pairs.csv").write_text("\n".join(rows) + "\n")
        points = {f"{index}.png": {"hand_0": [[5.0 + j, 9.0, 1.0] for j in range(21)]} for index in range(3)}
        (root / f"{split}_keypoints.json").write_text(
            json.dumps(dict(image_size=list(size), points="21 hand points", images=points)))
    return root


def test_one_command_trains_stops_continues_and_evaluates(tmp_path, capsys, monkeypatch):
    command = ["run", *TINY, f"--workdir={tmp_path}", "--config.steps=3", "--config.log_every=2", "--config.sample_every=2"]
    with monkeypatch.context() as patch:
        once = iter([signal.SIGTERM])
        patch.setattr(logs.Log, "step", lambda *_: [os.kill(os.getpid(), number) for number in once])
        patch.setattr(sys, "argv", ["experiments/run.py", *command[1:]])
        assert run.main(command) == 128 + signal.SIGTERM
    printed = capsys.readouterr().out
    assert "stopped by SIGTERM and saved at step 2 of 3; the same command continues:" in printed
    assert f"python -m experiments.run {' '.join(command[1:])}" in printed

    assert run.main(command) == 0
    printed = capsys.readouterr().out
    assert f"continuing {tmp_path} after step 2" in printed and "copying the source" in printed
    assert f"look at {tmp_path / 'index.html'}" in printed
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert {"config.json", "versions.json", "metrics.jsonl", "index.html", "results/metrics.json",
            "samples/step_00000002.png", "samples/step_00000003.png", "checkpoints/3/state"} <= written
    assert list((tmp_path / "tensorboard").iterdir())
    records = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [one["step"] for one in records] == [1, 2, 3]
    terms = {"gan_plain", "gan_guided", "color", "pixel", "cycle", "identity", "tv", "total", "gradient_norm"}
    assert {f"generator/{term}" for term in terms} <= set(records[0])
    assert records[0]["generator/learning_rate"] == pytest.approx(5e-4)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["steps"], config["options"]["width"]) == (3, 2)
    versions = json.loads((tmp_path / "versions.json").read_text())
    assert {"python", "packages", "devices", "platform"} <= set(versions)


def test_describe_prints_the_counts_of_the_thesis(capsys):
    assert run.main(["run", "--config=experiments/gesturegan.py", "--mode=describe"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[:2] for row in rows[:3]] == [
        ["generator", "11,387,587"], ["discriminator_plain", "2,767,809"], ["discriminator_guided", "2,770,881"]]
    assert rows[-1][:2] == ["total", "16,926,277"]


def test_check_prints_what_it_found_and_draws_key_points(tmp_path, capsys):
    workdir = tmp_path / "run"
    assert run.main(["run", *TINY, "--config.steps=600", f"--workdir={workdir}", "--mode=check"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for part in ("pairs 12", "generator every step: moves generator", "source_guidance ['B', 'H', 'W', 3]",
                 "discriminators every step: moves discriminator_plain, discriminator_guided", "pixel x 800",
                 "length: 600 steps of 4 pairs, 3 steps an epoch", "nothing is wrong", f"look at {workdir / 'check.html'}"):
        assert part in printed
    assert [path.name for path in workdir.iterdir()] == ["check.html"]


def test_check_ends_with_the_number_of_its_warnings(tmp_path, capsys):
    folder = folder_of_pictures(tmp_path / "set")
    hand = {"hands": [{"points": [[5.0 + joint, 9.0, 1.0] for joint in range(21)]}]}
    for split in ("train", "test"):
        (folder / f"{split}_keypoints.json").write_text(json.dumps({"images": {"0.png": hand, "1.png": hand}}))
    workdir = tmp_path / "run"
    data = ["--config.data.kind=folder", f"--config.data.folder={folder}"]
    assert run.main(["run", *TINY, *data, f"--workdir={workdir}", "--mode=check"]) == 0
    printed = capsys.readouterr().out
    nowhere = f"--config.start_from={tmp_path / 'nowhere'}"
    assert run.main(["run", *TINY, *data, nowhere, f"--workdir={workdir}", "--mode=check"]) == 2
    assert "nowhere holds no checkpoint" in capsys.readouterr().err
    assert "train_keypoints.json has nothing on 1 of 3 pictures (2.png first); the 1 pairs with them are left out.\n" in printed
    assert printed.endswith("nothing else is wrong than the 2 warnings about the data\n")
    assert "2.png" in (workdir / "check.html").read_text()


def mistakes(root):
    """Command-line arguments and the one sentence that each must produce."""
    good = folder_of_pictures(root / "good")
    empty = folder_of_pictures(root / "empty", pairs=False)
    folder = ["--config.data.kind=folder"]
    return {
        "missing folder": ([*folder, f"--config.data.folder={root / 'nowhere'}"], str(root / "nowhere")),
        "no pairs": ([*folder, f"--config.data.folder={empty}"], str(empty / "train_pairs.csv")),
        "stride": ([*folder, f"--config.data.folder={good}", "--config.data.crop_size=30"],
                   "config.data.crop_size must be a multiple of 4, the stride of gesturegan, found 30."),
        "accumulate": (["--config.accumulate=3"],
                       "config.batch_size must be a multiple of config.accumulate (3), found 4."),
        "method": (["--config.method=gestuergan"], "method is 'gestuergan'; did you mean gesturegan."),
        "option": (["--config.options.norm=group"], "options.norm is 'group', expected one of ('instance', 'batch')."),
        "processes": (["--processes=2"], "--processes needs --coordinator=host:port, the address of process 0."),
        "nothing to evaluate": (["--mode=evaluate"], "holds no checkpoint."),
        "nothing to translate": (["--mode=sample"],
                                 "--images is missing: mode sample needs a picture or a folder of pictures to translate."),
    }


@pytest.mark.parametrize("which", ["missing folder", "no pairs", "stride", "accumulate", "method", "option", "processes",
                                   "nothing to evaluate", "nothing to translate"])
def test_bad_input_is_one_sentence(which, tmp_path, capsys):
    arguments, sentence = mistakes(tmp_path)[which]
    (tmp_path / "run").mkdir()
    assert run.main(["run", *TINY, f"--workdir={tmp_path / 'run'}", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: ") and printed.err.count("\n") == 1 and sentence in printed.err
    assert not list((tmp_path / "run").iterdir())


def test_a_batch_that_the_devices_cannot_share(tmp_path):
    failed = command("--config.batch_size=6", f"--workdir={tmp_path / 'run'}",
                     XLA_FLAGS="--xla_force_host_platform_device_count=4")
    assert failed.returncode == 2
    assert failed.stderr == "error: config.batch_size must be a multiple of 4 (4 devices), found 6.\n"
    assert not (tmp_path / "run").exists()


def test_a_misspelt_key_fails_fast():
    began = time.monotonic()
    failed = command("--config.batchsize=2")
    assert failed.returncode == 2
    assert failed.stderr == "error: config.batchsize is no key of this configuration; did you mean config.batch_size.\n"
    assert time.monotonic() - began < 5


def test_a_folder_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert run.main(["run", *TINY, f"--workdir={tmp_path / 'file' / 'run'}"]) == 2
    assert capsys.readouterr().err == (
        f"error: --workdir={tmp_path / 'file' / 'run'} cannot be written to: {tmp_path / 'file'} is a file.\n")


def test_data_with_another_number_of_channels(tmp_path):
    method = toys.Toy("plain")
    method.fields = method.fields | dict(target_guidance=Field(("B", "H", "W", 18)))
    with pytest.raises(InputError) as failure:
        toys.run("plain", tmp_path / "run", 1, method=method)
    assert "'target_guidance' has shape [1, 8, 8, 3], expected ['B', 'H', 'W', 18]" in str(failure.value)
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_not_finite_ends_with_status_1(tmp_path, capsys, monkeypatch):
    def diverge(*_):
        raise FloatingPointError("At step 7 the term pixel of the player generator is nan.")

    monkeypatch.setattr(modes, "train", diverge)
    assert run.main(["run", *TINY, f"--workdir={tmp_path}"]) == 1
    assert capsys.readouterr().err == "error: At step 7 the term pixel of the player generator is nan.\n"


def command(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "experiments.run", *TINY, *arguments], cwd=toys.ROOT, text=True, capture_output=True, check=False,
        env={**os.environ, "JAX_PLATFORMS": "cpu", **environment})
