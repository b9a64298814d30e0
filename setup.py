"""Lets CMake build the C++ module of the Python package; pyproject.toml has the rest.

SIGNFOLD_BUILD_DIR, if set, names a build folder of CMake to take the module from. Otherwise it is
built in a folder of its own: without tests, benchmarks and debugging information, and with no path
of this machine in it.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent


def version() -> str:
    """The one place that has it is the project() line of CMakeLists.txt."""
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    found = re.search(r"^project\(signfold VERSION ([0-9.]+)", text, re.MULTILINE)
    if found is None:
        sys.exit("CMakeLists.txt: there is no line project(signfold VERSION ...)")
    return found.group(1)


class CMakeBuild(build_ext):
    """Builds the target signfold_python and installs it, stripped, into the package."""

    def build_extension(self, ext: Extension) -> None:
        given = os.environ.get("SIGNFOLD_BUILD_DIR")
        build = Path(given) if given else Path(self.build_temp).resolve() / "cmake"
        if not given:
            self._configure(build)
            self._run("--build", build, "--target", "signfold_python", "--parallel")
        prefix = Path(self.get_ext_fullpath(ext.name)).resolve().parent.parent
        self._run(
            "--install", build, "--component", "signfold_python", "--prefix", prefix, "--strip"
        )

    def _configure(self, build: Path) -> None:
        self._run(
            "-S", ROOT, "-B", build, "-G", "Ninja",
            "-DCMAKE_BUILD_TYPE=Release",
            "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG",  # as in the other builds, less -g
            f'-DCMAKE_CXX_FLAGS="-ffile-prefix-map={ROOT}=."',  # quoted: there may be spaces in it
            f"-DPython3_EXECUTABLE={sys.executable}",
            "-DSIGNFOLD_PYTHON=ON", "-DSIGNFOLD_TESTS=OFF", "-DSIGNFOLD_BENCH=OFF",
        )  # fmt: skip

    def _run(self, *arguments: object) -> None:
        subprocess.run(["cmake", *map(str, arguments)], check=True)


os.chdir(ROOT)
(ROOT / "build").mkdir(exist_ok=True)
setup(
    version=version(),
    ext_modules=[Extension("signfold._core", sources=[])],
    cmdclass={"build_ext": CMakeBuild},
    options={"egg_info": {"egg_base": "build"}},  # leaves nothing beside the sources
)
