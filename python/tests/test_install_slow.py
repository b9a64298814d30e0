"""`pip install .` without a network: in a virtual environment, and what the wheel holds."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("pip")
SOURCE = Path(os.environ["SIGNFOLD_SOURCE_DIR"])
BUILD = os.environ["SIGNFOLD_BUILD_DIR"]


def run(*words, **named):
    done = subprocess.run(words, capture_output=True, text=True, check=False, **named)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of a virtual environment in which pip has installed the package."""
    home = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", "--system-site-packages", home)
    python = home / "bin" / "python"
    # The module that is built already; without this variable setup.py takes minutes to build it.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["SIGNFOLD_BUILD_DIR"] = BUILD
    run(
        python,
        "-m",
        "pip",
        "install",
        "--no-build-isolation",
        "--no-index",
        SOURCE,
        env=environment,
    )
    return python


def outside(**more):
    """An environment that knows nothing of the build."""
    return {"PATH": os.environ["PATH"], **more}


def test_it_works_where_it_was_installed(python, tmp_path):
    script = (
        "import signfold, sys; print(signfold.__file__); m = signfold.fit_prior('gaussian', 8);"
        "from signfold.sklearn import SignCodec; print(signfold.__version__)"
    )
    file, version = run(python, "-c", script, cwd=tmp_path, env=outside()).split()
    assert file.startswith(str(python.parent.parent))
    line = next(
        l for l in (SOURCE / "CMakeLists.txt").read_text().splitlines() if l.startswith("project(")
    )
    assert f"VERSION {version} " in line
    shown = run(python, "-m", "pip", "show", "signfold", cwd=tmp_path, env=outside())
    assert f"Version: {version}" in shown


def test_no_path_of_this_machine_is_in_it(python, tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["SIGNFOLD_BUILD_DIR"] = BUILD
    run(
        python, "-m", "pip", "wheel", "--no-build-isolation", "--no-index", "--no-deps",
        "-w", tmp_path, SOURCE,
        env=environment,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        for name in names:
            data = archive.read(name)
            for path in (str(SOURCE), BUILD, str(Path.home()) + "/"):
                assert path.encode() not in data, f"{path} in {name}"
        (module,) = (n for n in names if n.endswith(".so"))
        archive.extract(module, tmp_path)
    assert {"signfold/py.typed", "signfold/_core.pyi", "signfold/sklearn.py"} <= set(names)
    assert all(n.startswith(("signfold/", "signfold-")) for n in names)
    dynamic = run("readelf", "-d", tmp_path / module)
    assert "RPATH" not in dynamic and "RUNPATH" not in dynamic


def test_nothing_is_left_beside_the_sources(python):
    left = [*SOURCE.glob("*.egg-info"), *SOURCE.glob("python/*.egg-info"), *SOURCE.glob("dist")]
    assert left == []
