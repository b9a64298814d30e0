"""Shared by the tests of the package: small data, small models, the program. Run by ctest, which
sets the environment."""

import os
import subprocess
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

import signfold

SEED = 1


def sparse_rows(n: int, d: int, seed: int = SEED) -> Any:
    """Vectors with a mean, sparse coordinates, and variances that fall with the index: float32."""
    rng = np.random.default_rng(seed)
    scale = 4 / np.sqrt(1 + np.arange(d))
    return (1 + rng.normal(size=(n, d)) * scale * (rng.random((n, d)) < 0.3)).astype(np.float32)


@pytest.fixture(scope="session")
def x() -> Any:
    return sparse_rows(300, 48)


@pytest.fixture(scope="session")
def model(x: Any) -> signfold.Model:
    return signfold.fit(x, rate=1.5)


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., str]:
    """Runs the program `signfold` in tmp_path; returns what it printed, or its message of an
    error."""

    def run(*arguments: object) -> str:
        words = [os.environ["SIGNFOLD_PROGRAM"], *map(str, arguments)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
        if done.returncode != 0:
            return done.stderr.split(": ", 1)[1].rstrip("\n")
        return done.stdout

    return run
