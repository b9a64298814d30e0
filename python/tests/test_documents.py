"""Every example in docstrings and in docs/python.md runs and gives what it says."""

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

PAGE = Path(os.environ["SIGNFOLD_SOURCE_DIR"]) / "docs" / "python.md"
MODULES = ["signfold", *(f"signfold.{m.name}" for m in pkgutil.iter_modules(signfold.__path__))]


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    if name == "signfold.sklearn":
        pytest.importorskip("sklearn")
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples():
    count = sum(t.examples != [] for t in doctest.DocTestFinder().find(signfold.priors))
    assert count >= 5


def test_public_names_are_explained():
    for name in signfold.__all__:
        thing = getattr(signfold, name)
        assert name == "__version__" or thing.__doc__, name
    for member in vars(signfold.Model).items():
        if not member[0].startswith("_"):
            assert getattr(signfold.Model, member[0]).__doc__, member[0]


def test_the_page(tmp_path, monkeypatch):
    blocks = re.findall(
        r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) >= 4
    monkeypatch.chdir(tmp_path)
    np.save("train.npy", sparse_rows(500, 64))
    np.save("test.npy", sparse_rows(100, 64, seed=2))
    scope = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), scope)
