"""Broken configurations and the exact sentence that each must produce."""

import copy

import pytest
import toys

from experiments import gesturegan
from gganjax import command, methods, settings
from gganjax.errors import InputError


def tiny():
    """GestureGAN at toy width, as a dictionary."""
    config = gesturegan.get_config("demo").to_dict()
    config["options"].update(width=2, blocks=1, discriminator_width=2, perceptual="none")
    del config["weights"]["generator"]["perceptual"]
    return config


def changed(config, changes):
    config = copy.deepcopy(config)
    for key, value in changes.items():
        *parents, last = key.split(".")
        node = config
        for parent in parents:
            node = node[parent]
        if value is None:
            del node[last]
        else:
            node[last] = value
    return config


@pytest.mark.parametrize("changes, sentence", [
    ({"batch_size": 0}, "config.batch_size must be at least 1, found 0."),
    ({"log_every": 0}, "config.log_every must be at least 1, found 0."),
    ({"checkpoint_every": -5}, "config.checkpoint_every must be at least 1, found -5."),
    ({"steps": -1}, "config.steps must be at least 0, found -1."),
    ({"steps": 0, "epochs": 0}, "config.epochs and config.steps are both 0; one of them must say how long to train."),
    ({"seed": 2**32}, "config.seed must be below 2**32, found 4294967296."),
    ({"keep_checkpoints": None}, "config.keep_checkpoints is missing."),
    ({"batch_size": 6, "accumulate": 4}, "config.batch_size must be a multiple of config.accumulate (4), found 6."),
    ({"evaluate.norm": "runing"}, "config.evaluate.norm is 'runing'; did you mean running."),
    ({"evaluate.batch_size": 0}, "config.evaluate.batch_size must be at least 1, found 0."),
    ({"evaluate.masks": "pg3"}, "config.evaluate.masks is 'pg3'; did you mean pg2."),
    ({"evaluate.classifier_epochs": 0}, "config.evaluate.classifier_epochs must be at least 1, found 0."),
    ({"weights.generator.cycle": float("nan")}, "config.weights.generator.cycle must be a finite number, found nan."),
    ({"ema.generator": 1.5}, "config.ema.generator must be at least 0 and below 1, found 1.5."),
])
def test_values(changes, sentence):
    with pytest.raises(InputError) as failure:
        settings.check_values(changed(tiny(), changes))
    assert str(failure.value) == sentence


@pytest.mark.parametrize("changes, sentence", [
    ({"optimizers.generator.name": "adma"}, "config.optimizers.generator.name is 'adma'; did you mean adam."),
    ({"optimizers.generator.learning_rate": 0.0},
     "config.optimizers.generator.learning_rate must be positive, found 0.0."),
    ({"optimizers.generator.b1": 1.0}, "config.optimizers.generator.b1 must be at least 0 and below 1, found 1.0."),
    ({"optimizers.discriminators.schedule.name": "constnt"},
     "config.optimizers.discriminators.schedule.name is 'constnt'; did you mean constant."),
    ({"optimizers.generator.schedule.flat_steps": -1},
     "config.optimizers.generator.schedule.flat_steps must be at least 0, found -1."),
])
def test_optimizers(changes, sentence):
    with pytest.raises(InputError) as failure:
        settings.check_optimizers(changed(tiny(), changes))
    assert str(failure.value) == sentence


@pytest.mark.parametrize("changes, devices, sentence", [
    ({"weights.generator.pixle": 1.0}, 1,
     "config.weights.generator.pixle is no term of the player generator; did you mean pixel."),
    ({"weights.generator.pixel": None}, 1,
     "config.weights.generator.pixel is missing: pixel is a term of the player generator."),
    ({"options.self_content": False}, 1,
     ("config.weights.generator.identity is no term of the player generator; "
      "expected one of color, cycle, gan_guided, gan_plain, pixel, tv.")),
    ({f"weights.discriminators.{judge}_{label}": 0.0 for judge in ("plain", "guided") for label in ("fake", "real")}, 1,
     "config.weights.discriminators must have a weight other than 0, or discriminators has nothing to learn."),
    ({"weights.discriminator": {}}, 1,
     "config.weights.discriminator is no player of gesturegan; did you mean discriminators."),
    ({"optimizers.discriminators": None}, 1,
     "config.optimizers.discriminators is missing: discriminators is a player of gesturegan."),
    ({"ema.genrator": 0.9}, 1, "config.ema.genrator is no network that gesturegan trains; did you mean generator."),
    ({"evaluate.metrics": ("psnr", "ssmi")}, 1, "config.evaluate.metrics is 'ssmi'; did you mean ssim."),
    ({"data.crop_size": 66}, 1,
     "config.data.crop_size must be a multiple of 4, the stride of gesturegan, found 66."),
    ({"data.crop_width": 66}, 1,
     "config.data.crop_width must be a multiple of 4, the stride of gesturegan, found 66."),
    ({"batch_size": 6}, 4, "config.batch_size must be a multiple of 4 (4 devices), found 6."),
    ({"batch_size": 12, "accumulate": 3}, 2, None),
    ({"batch_size": 9, "accumulate": 3}, 2,
     "config.batch_size must be a multiple of 6 (2 devices times config.accumulate 3), found 9."),
    ({"options.self_content": False, "weights.generator.identity": 0.0}, 1, None),
])
def test_against_the_method(changes, devices, sentence):
    config = changed(tiny(), changes)
    method = methods.load(config["method"], config["options"])
    if sentence is None:
        settings.check(config, method, devices=devices)
        return
    with pytest.raises(InputError) as failure:
        settings.check(config, method, devices=devices)
    assert str(failure.value) == sentence


@pytest.mark.parametrize("arguments, sentence", [
    (["--config=experiments/gesturegan.py:demo", "--config.bach_size=3"],
     "config.bach_size is no key of this configuration; did you mean config.batch_size."),
    (["--config=experiments/gesturegan.py:demo", "--config.optimizers.generator.learning_rat=3"],
     ("config.optimizers.generator.learning_rat is no key of this configuration; "
      "did you mean config.optimizers.generator.learning_rate.")),
    (["--config=experiments/gesturegan.py:demo", "--config.crop_size=64"],
     "config.crop_size is no key of this configuration; did you mean config.data.crop_size."),
    (["--config=experiments/gesturegan.py:demo", "--config.batch_size=three"],
     "config.batch_size must be a whole number, found 'three'."),
    (["--config=experiments/gesturegan.py:demo", "--config.batch_size", "2.5"],
     "config.batch_size must be a whole number, found '2.5'."),
    (["--config=experiments/gesturegan.py:demo", "--config.optimizers.generator.b1=x"],
     "config.optimizers.generator.b1 must be a number, found 'x'."),
    (["--config=experiments/gesturegan.py:demo", "--config.remat=maybe"],
     "config.remat must be true or false, found 'maybe'."),
    (["--config=experiments/gesturegan.py:demo", "--config.evaluate=3"],
     "config.evaluate holds several values; set one of config.evaluate.{}."),
    (["--config=experiments/gesturegan.py:demo", "--mode=trane"], "--mode=trane is no mode; did you mean train."),
    (["--config=experiments/gesturegan.py:demo", "--wokdir=x"], "--wokdir is no flag; did you mean --workdir."),
    (["--config=experiments/gesturegan.py:demo", "train"], "'train' is not a flag; expected --NAME=VALUE."),
    (["--config=experiments/gesturgan.py"],
     "--config=experiments/gesturgan.py is no file; did you mean experiments/gesturegan.py."),
    (["--workdir=x"], "--config is missing: it names the configuration, such as --config=experiments/gesturegan.py."),
    (["--config=experiments/gesturegan.py:demo", "--processes=two"],
     "flag --processes=two: invalid literal for int() with base 10: 'two'"),
])
def test_command_line(arguments, sentence, monkeypatch):
    monkeypatch.chdir(toys.ROOT)
    with pytest.raises(InputError) as failure:
        command.parse(["run", *arguments])
    keys = ", config.evaluate.".join(gesturegan.get_config("demo").evaluate)
    assert str(failure.value) == sentence.format(keys)


def test_a_variant_that_is_not_known_names_the_nearest(monkeypatch):
    monkeypatch.chdir(toys.ROOT)
    with pytest.raises(InputError, match="'dmeo' is unknown; did you mean demo"):
        command.parse(["run", "--config=experiments/gesturegan.py:dmeo"])


def test_overrides_and_defaults(monkeypatch):
    monkeypatch.chdir(toys.ROOT)
    asked = command.parse(["run", "--config=experiments/gesturegan.py:demo", "--config.batch_size", "2", "--config.remat",
                           "--config.optimizers.generator.learning_rate=1", "--nocompilation_cache",
                           "--config.data.folder=a=b"])
    assert (asked.config.batch_size, asked.config.remat, asked.config.data.folder) == (2, True, "a=b")
    assert asked.config.optimizers.generator.learning_rate == 1.0
    assert (asked.mode, str(asked.workdir), asked.flags["compilation_cache"]) == ("train", "runs/gesturegan-demo", False)
    assert asked.config.is_locked
    asked = command.parse(["run", "--config=experiments/gesturegan.py:demo", "--config.data.domains=('a', 'b')",
                           "--config.data.crop_width=32", "--domains=x,y+z"])
    assert (asked.config.data.domains, asked.config.data.crop_width) == (("a", "b"), 32)
    assert asked.flags["domains"] == ["x", "y+z"]
    asked = command.parse(["run", "--mode=evaluate", "--workdir=runs/x"])
    assert asked.config is None and str(asked.workdir) == "runs/x"
