"""The command line: flags and configuration overrides, checked before anything slow is imported.

`parse` names the misspelt key and the nearest valid one within a second, because it needs neither jax nor data.
"""

import difflib
import importlib.util
import logging
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from absl import flags
from ml_collections import ConfigDict, config_flags
from tqdm import tqdm

from gganjax.errors import InputError, nearest

MODES = {
    "train": "train, or continue the run that is in --workdir",
    "evaluate": "measure a trained run on its test pairs",
    "sample": "translate your own images with a trained run",
    "check": "read configuration and data without training, print what was found, and draw key points or classes on check.html",
    "describe": "print every network with its parameter count",
}
FINISHED = ("evaluate", "sample")  # modes that can read the configuration from the run folder
USAGE = "usage: python -m experiments.run --config=experiments/NAME.py[:VARIANT] [--mode=MODE] [--config.KEY=VALUE ...]"


class Command(NamedTuple):
    """What the command line asks for.

    Attributes:
        config: the locked configuration with all overrides; None if none was named, which some modes allow.
        mode: one of MODES.
        workdir: the run folder.
        flags: the other flags by name.
    """

    config: ConfigDict | None
    mode: str
    workdir: Path
    flags: dict[str, Any]


def parse(argv: Sequence[str]) -> Command:
    """Read the command line (`sys.argv`); every mistake is an InputError of one sentence.

    Raises:
        SystemExit: with status 0 after printing the flags, when --help is asked for.
    """
    values = _flags(argv)
    if any(argument in ("--help", "-h", "-help", "--helpfull") for argument in argv[1:]):
        print(f"{USAGE}\n\n" + "\n".join(f"  --mode={mode}: {text}" for mode, text in MODES.items()))
        print("\n" + "\n".join(f"  --{name}: {values[name].help}" for name in values if name != "mode"))
        raise SystemExit(0)
    given = _given(argv)
    for name in given:
        if not name.startswith("config.") and name not in values and name.removeprefix("no") not in values:
            raise InputError(f"--{name} is no flag{nearest(f'--{name}', [f'--{flag}' for flag in values])}.")
    overrides = [name for name in given if name.startswith("config.")]
    if "config" in given:
        config = load_config(given["config"] or "")
        for name in overrides:
            _check_override(config, name.removeprefix("config."), given[name])
    try:
        rest = values(argv)[1:]
    except flags.Error as error:
        raise InputError(str(error).splitlines()[0]) from error
    if rest:
        raise InputError(f"'{rest[0]}' is not a flag; expected --NAME=VALUE.")
    if values.mode not in MODES:
        raise InputError(f"--mode={values.mode} is no mode{nearest(values.mode, MODES)}.")
    if "config" not in given and (overrides or values.mode not in FINISHED or not values.workdir):
        raise InputError("--config is missing: it names the configuration, such as --config=experiments/gesturegan.py.")
    workdir = Path(values.workdir or default_workdir(given["config"]))
    return Command(values.config, values.mode, workdir, {name: values[name].value for name in values})


def load_config(path_and_variant: str) -> ConfigDict:
    """The configuration that `get_config` of a file returns; `path.py:variant` passes the variant on."""
    path, _, variant = path_and_variant.partition(":")
    if not Path(path).is_file():
        known = [str(file) for file in Path("experiments").glob("*.py") if file.stem not in ("__init__", "run", "defaults")]
        raise InputError(f"--config={path} is no file{nearest(path, known)}.")
    spec = importlib.util.spec_from_file_location("configuration", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "get_config"):
        raise InputError(f"--config={path} is no configuration: it has no function get_config.")
    return module.get_config(variant) if variant else module.get_config()


def default_workdir(path_and_variant: str) -> Path:
    """`runs/<configuration>-<variant>`, or `runs/<configuration>` without a variant."""
    path, _, variant = path_and_variant.partition(":")
    return Path("runs") / "-".join(filter(None, (Path(path).stem, variant)))


def show_messages() -> None:
    """Print what the library's logger tells, without breaking a progress bar."""

    class Terminal(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            prefix = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
            tqdm.write(prefix + self.format(record), file=sys.stderr)

    log = logging.getLogger("gganjax")
    log.setLevel(logging.INFO)
    log.addHandler(Terminal())
    log.propagate = False  # other libraries put their own handlers on the root


def _flags(argv: Sequence[str]) -> flags.FlagValues:
    """Fresh flag values, so that one process can parse several command lines."""
    values = flags.FlagValues()
    here = dict(flag_values=values)
    config_flags.DEFINE_config_file(
        "config", None, "experiments/NAME.py[:VARIANT]; --config.KEY=VALUE overrides a value", sys_argv=list(argv), **here
    )
    flags.DEFINE_string("mode", "train", "", **here)
    flags.DEFINE_string("workdir", None, "the run folder; runs/NAME-VARIANT by default", **here)
    flags.DEFINE_boolean("compilation_cache", True, "keep compiled programs in the user's cache folder", **here)
    flags.DEFINE_string("coordinator", None, "host:port of process 0 of a run with several processes", **here)
    flags.DEFINE_integer("processes", 1, "number of processes of the run", **here)
    flags.DEFINE_integer("process", 0, "number of this process, from 0", **here)
    flags.DEFINE_list("images", [], "mode sample: pictures, or folders of them, to translate", **here)
    flags.DEFINE_list("keypoints", [], "mode sample: key-point files, in the format of the data folders or of OpenPose", **here)
    flags.DEFINE_list("source_keypoints", [], "mode sample: key-point files of the pictures themselves, for methods that see "
                      "the pose of the source; by default those of --keypoints", **here)
    flags.DEFINE_list("skeletons", [], "mode sample: pictures of skeletons or of other guidance, or folders of them",
                      **here)
    flags.DEFINE_list("classes", [], "mode sample: class maps of what --skeletons names, or folders of them", **here)
    flags.DEFINE_list("domains", [], "mode sample: domains to translate to, by default all; A+B is both", **here)
    flags.DEFINE_list("instances", [], "mode sample: instance maps of the label maps, or folders of them", **here)
    flags.DEFINE_integer("styles", 1, "mode sample: how many pictures of every image, of the seeds 0, 1, ...", **here)
    flags.DEFINE_list("metrics", [], "mode evaluate: metrics besides those of the configuration", **here)
    flags.DEFINE_string("output", None, "modes sample and evaluate: where to write; by default in the run folder", **here)
    return values


def _given(argv: Sequence[str]) -> dict[str, str | None]:
    """Flags on the command line with their texts; None for one without a value."""
    given: dict[str, str | None] = {}
    previous = None
    for argument in argv[1:]:
        if match := re.fullmatch(r"--?([A-Za-z][\w.]*)(?:=(.*))?", argument, re.DOTALL):
            previous, given[match[1]] = match[1], match[2]
            previous = previous if match[2] is None else None
        elif previous is not None:
            given[previous], previous = argument, None
    return given


def _check_override(config: ConfigDict, key: str, text: str | None) -> None:
    """Hold one `--config.key=text` against the configuration, by name and type."""
    known = flat(config)
    if key not in known:
        raise InputError(f"config.{key} is no key of this configuration; {_nearest_key(key, list(known))}.")
    value = known[key]
    if isinstance(value, (dict, ConfigDict)):
        raise InputError(f"config.{key} holds several values; set one of {', '.join(f'config.{key}.{k}' for k in value)}.")
    readers = {bool: (_truth, "true or false"), int: (int, "a whole number"), float: (float, "a number")}
    if type(value) not in readers or (text is None and type(value) is bool):
        return
    read, expected = readers[type(value)]
    try:
        read(text)
    except (TypeError, ValueError):
        raise InputError(f"config.{key} must be {expected}, found '{text or ''}'.") from None


def _nearest_key(key: str, known: list[str]) -> str:
    """The same last word elsewhere, a similar one beside it, a similar one anywhere, or all that are beside it."""
    group, _, last = key.rpartition(".")
    beside = [name for name in known if name.rpartition(".")[0] == group]
    close = [name for name in known if name.rpartition(".")[2] == last] or difflib.get_close_matches(key, beside, 1)
    close = close or difflib.get_close_matches(key, known, 1, cutoff=0.5)
    return f"did you mean config.{close[0]}" if close else f"expected one of {', '.join(sorted(beside or known))}"


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0", "t", "f"):
        raise ValueError(text)
    return text.lower() in ("true", "1", "t")


def flat(config: Any, prefix: str = "") -> dict[str, Any]:
    """Every key of nested settings under its dotted name, groups included."""
    found = {}
    for key, value in config.items():
        found[f"{prefix}{key}"] = value
        if isinstance(value, (dict, ConfigDict)):
            found |= flat(value, f"{prefix}{key}.")
    return found
