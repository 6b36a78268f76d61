"""What the README promises is there: the lines, the files, the variants, the requirements."""

import configparser
import importlib
import os
import re
import stat
from pathlib import Path

import pytest

from gganjax import command, methods

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = [line for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) for line in block.strip().splitlines()]
SETUP = "python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt && "


def test_the_first_two_commands_do_their_own_set_up_and_the_checks_run_the_second():
    assert LINES[0] == f"{SETUP}.venv/bin/python -m experiments.run --config=experiments/gesturegan.py:demo"
    assert LINES[1] == f"{SETUP}.venv/bin/python -m pytest -n 2"
    script = ROOT / ".ci" / "run"
    assert script.read_text().splitlines()[-1] == LINES[1], "the exit status is that of the last line"
    assert script.stat().st_mode & stat.S_IXUSR and os.access(script, os.X_OK)


def test_files_that_it_names_exist():
    named = {link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link}
    named |= set(re.findall(r"\b(?:experiments|gganjax|tools)/[\w/]+\.(?:py|ipynb|png)", README))
    named = {name for name in named if not re.search("mine|NAME", name)}
    assert {"LICENSE", "tools/parity.py", "experiments/colab.ipynb"} <= named
    assert not [name for name in sorted(named) if not (ROOT / name).is_file()]


def test_its_command_lines_are_understood(monkeypatch):
    monkeypatch.chdir(ROOT)
    ours = [line.split(" -m experiments.run ")[1] for line in LINES if " -m experiments.run " in line]
    modes = [command.parse(["run", *line.split()]).mode for line in ours]
    assert modes == ["train", "sample", "train", "train", "train", "check"]


def test_its_table_lists_every_system_and_variant():
    table = README.split("## Systems and variants")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)\.py` \| [^|]* \| ([^|]*) \|$", table, re.MULTILINE))
    assert sorted(rows) == methods.names()
    for name, listed in rows.items():
        variants = set(importlib.import_module(f"experiments.{name}").VARIANTS) - {""}
        named = re.findall(r"`(\w+\*?)`", listed)
        for one in named:
            found = {variant for variant in variants if variant == one or one[-1] == "*" and variant.startswith(one[:-1])}
            assert found, one
            variants -= found
        assert not variants, name


def test_its_modes_are_those_of_the_entry_point():
    table = README.split("## Modes")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(command.MODES)


def test_setup_and_requirements_say_the_same():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    packages = setup["options"]["install_requires"].split() + setup["options.extras_require"]["test"].split()
    lines = [line.partition("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines()]
    assert packages == [line for line in lines if line]


@pytest.mark.parametrize("name", ["gganjax", "experiments"])
def test_every_folder_of_code_is_a_package(name):
    folders = {path.parent for path in (ROOT / name).rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").is_file()]
