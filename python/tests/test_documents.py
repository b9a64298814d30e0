"""Every example in docstrings and in the documents runs and gives what it says, and all that is
public is explained."""

import ast
import doctest
import importlib
import os
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

import signfold
from conftest import sparse_rows

SOURCE = Path(os.environ["SIGNFOLD_SOURCE_DIR"])
PACKAGE = sorted((SOURCE / "python" / "signfold").glob("*.py"))
MODULES = ["signfold", *(f"signfold.{m.name}" for m in pkgutil.iter_modules(signfold.__path__))]
#: Modules without examples: plain data, and what users do not call.
PLAIN = {"signfold._core", "signfold.results", "signfold.risks", "signfold.vectors"}
#: Documents with examples, and how many there are at least.
PAGES = {"README.md": 1, "docs/python.md": 6}
#: Fields whose names say all.
CLEAR = {"encode_seconds", "measured", "model", "predicted", "report", "seconds", "stderr", "steps"}


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    if name == "signfold.sklearn":
        pytest.importorskip("sklearn")
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
    assert (result.attempted == 0) == (name in PLAIN)


def test_there_are_examples():
    count = sum(t.examples != [] for t in doctest.DocTestFinder().find(signfold.priors))
    assert count >= 5


def public(body, where):
    """The classes and functions that do not start with _, and those inside of them: name, node."""
    for node in body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_"):
            yield f"{where}.{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{where}.{node.name}")


def fields(node):
    """Those of a class of plain data, and whether a string follows each."""
    for field, behind in zip(node.body, [*node.body[1:], None]):
        if isinstance(field, ast.AnnAssign):
            text = isinstance(behind, ast.Expr) and isinstance(behind.value, ast.Constant)
            yield field.target.id, text and isinstance(behind.value.value, str)


def test_public_names_are_explained():
    """By the source: a class of plain data without a docstring has one at run time."""
    modules = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE}
    nodes = dict(pair for name, tree in modules.items() for pair in public(tree.body, name))
    everything = {**modules, **nodes}.items()
    assert [name for name, node in everything if not ast.get_docstring(node)] == []

    classes = {name: node for name, node in nodes.items() if isinstance(node, ast.ClassDef)}
    unexplained = {
        f"{name}.{field}"
        for name, node in classes.items()
        for field, explained in fields(node)
        if not explained and field not in CLEAR
    }
    assert unexplained == set()

    seen = {"priors.sample", "codes.Codes.nbytes", "model.Model.dim", "sklearn.SignCodec.transform"}
    assert seen <= set(nodes)
    names = {name.split(".")[-1] for name in nodes} | {*modules, "__version__"}
    assert set(signfold.__all__) <= names


@pytest.mark.parametrize("page", PAGES)
def test_the_page(page, tmp_path, monkeypatch):
    text = (SOURCE / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= PAGES[page]
    monkeypatch.chdir(tmp_path)
    np.save("train.npy", sparse_rows(500, 64))
    np.save("test.npy", sparse_rows(100, 64, seed=2))
    scope = {}
    for block in blocks:
        exec(compile(block, page, "exec"), scope)


def test_no_other_page_has_examples():
    pages = [*SOURCE.glob("*.md"), *SOURCE.glob("docs/*.md"), *SOURCE.glob("examples/*/*.md")]
    found = {str(p.relative_to(SOURCE)) for p in pages if "```python" in p.read_text("utf-8")}
    assert found == set(PAGES)
