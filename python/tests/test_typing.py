"""The types are what mypy thinks they are, and the stubs are about the module that was compiled."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from signfold import _core

SOURCE = Path(os.environ["SIGNFOLD_SOURCE_DIR"])

USER = """
import numpy as np
import signfold

model = signfold.fit(np.zeros((3, 4)), rate=1)
reveal_type(model.encode("x.npy").bits)
reveal_type(model.decode(model.encode([[1.0, 2.0]])[1:]))
reveal_type(signfold.train("gaussian", 3, rate=1).report.risk)
signfold.fit(rate=1)
model.decode(3)
"""


@pytest.fixture(scope="module")
def mypy(tmp_path_factory):
    pytest.importorskip("mypy")
    cache = tmp_path_factory.mktemp("mypy")
    words = ["-m", "mypy", "--config-file", SOURCE / "pyproject.toml", "--cache-dir", cache]
    environment = {**os.environ, "MYPYPATH": str(SOURCE / "python")}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *words, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )

    return run


def test_the_package_is_strict(mypy):
    done = mypy("-p", "signfold")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_program_that_uses_it(mypy, tmp_path):
    (tmp_path / "user.py").write_text(USER)
    out = mypy(tmp_path / "user.py").stdout
    revealed = [
        line.split("Revealed type is ")[1] for line in out.splitlines() if "Revealed" in line
    ]
    assert [
        any(kind in r for kind in ("unsignedinteger", "floating", "float")) for r in revealed
    ] == [True] * 3
    assert "unsignedinteger" in revealed[0] and "floating" in revealed[1]
    assert revealed[2] == '"builtins.float"'
    assert 'Missing positional argument "X" in call to "fit"' in out
    assert 'incompatible type "int"; expected "Codes"' in out
    assert "Found 2 errors" in out


def public(thing):
    return {name for name in vars(thing) if not name.startswith("_")}


def signature(function):
    """The one that pybind11 writes into the docstring of a function."""
    text = function.__doc__.splitlines()[0]
    return ast.parse(f"def f{text[text.index('(') :]}: pass").body[0]


def plain(annotation):
    """A type of Python itself in the words of the stubs; None for others."""
    text = re.sub(r"^Optional\[(.*)\]$", r"\1 | None", ast.unparse(annotation))
    return text if re.fullmatch(r"(bool|bytes|float|int|str|None)( \| None)?", text) else None


def arguments(node):
    """Their names and types, and the type of the result."""
    names = [(a.arg, plain(a.annotation)) for a in node.args.args if a.arg != "self"]
    return names, plain(node.returns)


def check_property(found, annotation, where):
    assert plain(signature(found.fget).returns) == plain(annotation), where


def check(names, thing, where):
    """What the stubs say of a module or a class, against the thing itself."""
    functions = {n.name: n for n in names if isinstance(n, ast.FunctionDef)}
    fields = {n.target.id: n for n in names if isinstance(n, ast.AnnAssign)}
    classes = {n.name for n in names if isinstance(n, ast.ClassDef)}
    stub = {n for n in {*functions, *fields, *classes} if not n.startswith("_")}
    assert stub == public(thing), where
    for name, node in fields.items():
        if isinstance(vars(thing)[name], property):
            assert vars(thing)[name].fset is not None, f"{where}.{name} cannot be set"
            check_property(vars(thing)[name], node.annotation, f"{where}.{name}")
    for name, node in functions.items():
        found = vars(thing)[name] if name in vars(thing) else getattr(thing, name)
        found = getattr(found, "__func__", found)  # static methods
        if isinstance(found, property):
            assert any(d.id == "property" for d in node.decorator_list), f"{where}.{name}"
            assert found.fset is None, f"{where}.{name} can be set"
            check_property(found, node.returns, f"{where}.{name}")
        elif ":" in (found.__doc__ or "").split("\n")[0]:  # pybind11 leaves types it does not know
            assert arguments(signature(found)) == arguments(node), f"{where}.{name}"


def test_the_stubs_are_about_the_module():
    """Every function, class, attribute and argument, both ways, and which of them are numbers,
    text or nothing."""
    stub = ast.parse((SOURCE / "python" / "signfold" / "_core.pyi").read_text())
    check(stub.body, _core, "_core")
    classes = [node for node in stub.body if isinstance(node, ast.ClassDef)]
    assert len(classes) >= 6
    for node in classes:
        check(node.body, getattr(_core, node.name), node.name)
