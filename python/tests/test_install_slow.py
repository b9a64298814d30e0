"""`pip install .` without a network: in virtual environments, and what the wheels hold."""

import os
import re
import shlex
import shutil
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


def virtual_environment(home):
    """The interpreter of a new one."""
    run(sys.executable, "-m", "venv", "--system-site-packages", home)
    return home / "bin" / "python"


def pip(python, *words, **more):
    """pip as a user without a network calls it: of what ctest sets, it knows what is given here."""
    of_ctest = ("PYTHONPATH", "SIGNFOLD_BUILD_DIR")
    environment = {k: v for k, v in os.environ.items() if k not in of_ctest} | more
    offline = ("--no-build-isolation", "--no-index")
    return run(python, "-m", "pip", *words, *offline, env=environment)


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of a virtual environment in which pip has installed the package."""
    python = virtual_environment(tmp_path_factory.mktemp("venv"))
    # The module that is built already; without this variable setup.py takes minutes to build it.
    pip(python, "install", SOURCE, SIGNFOLD_BUILD_DIR=BUILD)
    return python


def outside(**more):
    """An environment that knows nothing of the build."""
    return {"PATH": os.environ["PATH"], **more}


def check_wheel(wheel, *folders):
    """It holds the package and nothing else, and no path of the folders it came from."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        for name in names:
            data = archive.read(name)
            for path in (str(SOURCE), BUILD, str(Path.home()) + "/", *map(str, folders)):
                assert path.encode() not in data, f"{path} in {name}"
        (module,) = (n for n in names if n.endswith(".so"))
        archive.extract(module, wheel.parent)
    assert {"signfold/py.typed", "signfold/_core.pyi", "signfold/sklearn.py"} <= set(names)
    assert all(n.startswith(("signfold/", "signfold-")) for n in names)
    dynamic = run("readelf", "-d", wheel.parent / module)
    assert "RPATH" not in dynamic and "RUNPATH" not in dynamic
    sections = run("readelf", "-S", wheel.parent / module)
    assert ".debug_info" not in sections and ".symtab" not in sections


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
    pip(python, "wheel", "--no-deps", "-w", tmp_path, SOURCE, SIGNFOLD_BUILD_DIR=BUILD)
    (wheel,) = tmp_path.glob("*.whl")
    check_wheel(wheel)


#: In place of cmake: configures as that does, notes what a build would run, and installs what is
#: built already.
STAND_IN = """#!/bin/sh
case $1 in
  --build)
    printf '%s\\n' "$@" >'{log}/build'
    exec ninja -C "$2" -t commands "$4" >'{log}/commands' ;;
  --install)
    shift 2
    exec '{cmake}' --install '{build}' "$@" ;;
esac
exec '{cmake}' "$@"
"""

ROUND_TRIP = """
import numpy as np, signfold
x = signfold.priors.sample("sparse-gaussian:0.2", 500, 64, seed=1)
model = signfold.fit(x, rate=2)
y = model.decode(model.encode(x))
risk = np.sum((x - y) ** 2) / np.sum((x - x.mean(axis=0)) ** 2)
assert abs(risk - model.evaluate(x).risk) < 1e-4 and risk < 0.2, risk
print(signfold.__file__)
"""


@pytest.fixture
def checkout(tmp_path):
    """The sources, in a folder with a space in its name, and nothing built among them."""
    copy = tmp_path / "my sources"
    ignored = shutil.ignore_patterns(".*", "build", "signfold-*", "__pycache__")
    shutil.copytree(SOURCE, copy, ignore=ignored)
    return copy


def check_use(wheel, folder):
    """What is installed from it in a new environment encodes and decodes."""
    python = virtual_environment(folder / "user")
    pip(python, "install", wheel)
    file = run(python, "-c", ROUND_TRIP, cwd=folder, env=outside())
    assert file.startswith(str(folder / "user"))


def check_configured(build, python):
    """What the options of setup.py came to."""
    text = (build / "CMakeCache.txt").read_text()
    cache = dict(re.findall(r"^(\w+):\w+=(.*)$", text, re.MULTILINE))
    assert cache["CMAKE_BUILD_TYPE"] == "Release"
    assert cache["SIGNFOLD_TESTS"] == cache["SIGNFOLD_BENCH"] == "OFF"  # they need more packages
    assert cache["Python3_EXECUTABLE"] == str(python)


def check_compiled(commands, checkout):
    """The library without program and experiments, optimised for any machine, without symbols."""
    compiled = set()
    for words in (shlex.split(line) for line in commands if " -c " in line):
        assert {f"-ffile-prefix-map={checkout}=.", "-DNDEBUG", "-ffp-contract=off"} <= set(words)
        assert [w for w in words if w.startswith(("-O", "-g", "-m", "-ffast"))] == ["-O2"]
        compiled.add(Path(words[words.index("-c") + 1]))
    folders = set(checkout.glob("src/signfold/*")) - {
        checkout / "src" / "signfold" / name for name in ("cli", "experiment", "mpi")
    }
    sources = {source for folder in folders for source in folder.glob("*.cc")}
    sources = {s for s in sources if not s.stem.endswith(("_test", "_bench"))}
    assert compiled == sources | set(checkout.glob("python/bindings/*.cc"))


def test_setup_builds_the_module(python, checkout, tmp_path):
    """All of it but the compiler, which takes minutes: the module is the one that is built
    already. The next test spares nothing."""
    stand_in = tmp_path / "bin" / "cmake"
    stand_in.parent.mkdir()
    stand_in.write_text(STAND_IN.format(log=tmp_path, cmake=shutil.which("cmake"), build=BUILD))
    stand_in.chmod(0o755)
    path = f"{stand_in.parent}:{os.environ['PATH']}"
    pip(python, "wheel", "--no-deps", "-w", tmp_path, checkout, PATH=path)

    option, build, *target = (tmp_path / "build").read_text().splitlines()
    assert (option, target) == ("--build", ["--target", "signfold_python", "--parallel"])
    assert checkout / "build" in Path(build).parents
    check_configured(Path(build), python)
    check_compiled((tmp_path / "commands").read_text().splitlines(), checkout)
    (wheel,) = tmp_path.glob("*.whl")
    check_wheel(wheel, checkout)
    check_use(wheel, tmp_path)


@pytest.mark.skipif("SIGNFOLD_TEST_PIP" not in os.environ, reason="minutes: set SIGNFOLD_TEST_PIP")
def test_a_wheel_that_is_compiled(python, checkout, tmp_path):
    """As a user gets it. It takes two cores that do nothing else three minutes, so it runs only
    where it is asked for: `SIGNFOLD_TEST_PIP=1 ctest --preset release -R Python.install_slow`."""
    pip(python, "wheel", "--no-deps", "-w", tmp_path, checkout)
    (wheel,) = tmp_path.glob("*.whl")
    check_wheel(wheel, checkout)
    check_use(wheel, tmp_path)


def test_nothing_is_left_beside_the_sources(python):
    left = [*SOURCE.glob("*.egg-info"), *SOURCE.glob("python/*.egg-info"), *SOURCE.glob("dist")]
    assert left == []
