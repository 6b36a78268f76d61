"""Conventions of the code, read from its syntax."""

import ast
from pathlib import Path

import pytest

from gganjax import methods

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(path for folder in ("gganjax", "experiments", "tools") for path in (ROOT / folder).rglob("*.py"))
PUBLIC = [path for path in FILES if path.is_relative_to(ROOT / "gganjax")]
# Only these may know gradients, optimizers and devices.
ENGINE = {"core.py", "step.py", "devices.py", "schedules.py"}


def name(path):
    return str(path.relative_to(ROOT))


def definitions(tree):
    """Public functions and classes of a module, and the public methods of its public classes."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield node, None
            if isinstance(node, ast.ClassDef):
                yield from ((inner, node) for inner in node.body
                            if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_file_is_short_and_says_what_it_is(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert not text.strip() or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", PUBLIC, ids=name)
def test_public_things_have_docstrings(path):
    missing = [node.name for node, owner in definitions(ast.parse(path.read_text(encoding="utf-8")))
               if not ast.get_docstring(node) and (owner is None or not _understood(node, owner))]
    assert not missing


def _understood(node, owner):
    """Members of a protocol and properties are told in their class."""
    bases = {getattr(base, "id", getattr(base, "attr", "")) for base in owner.bases}
    decorators = {getattr(decorator, "id", "") for decorator in node.decorator_list}
    return "Protocol" in bases or "property" in decorators


@pytest.mark.parametrize("path", PUBLIC, ids=name)
def test_keys_come_first(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node, _ in definitions(tree):
        if isinstance(node, ast.FunctionDef):
            places = [argument.arg for argument in node.args.args if argument.arg != "self"]
            if "key" in places and path.name not in ENGINE:
                assert places[0] == "key", node.name


@pytest.mark.parametrize("path", [path for path in PUBLIC if path.name not in ENGINE | {"losses.py"}], ids=name)
def test_only_the_engine_knows_gradients_and_devices(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "jax":
            assert node.attr not in {"grad", "value_and_grad", "vjp", "pmap", "shard_map"}, node.lineno


def test_the_engine_names_no_method():
    for path in ("core.py", "step.py", "devices.py", "train.py", "checkpoint.py", "evaluate.py"):
        text = (ROOT / "gganjax" / path).read_text(encoding="utf-8").lower()
        code = ast.unparse(ast.parse(text))
        strings = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)
                   and isinstance(node.value, str) and len(node.value) < 40}
        assert not [method for method in methods.names() if method in strings or f"import {method}" in code]


def test_nothing_reads_the_experiments_below_them():
    for path in PUBLIC:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("experiments"), name(path)
