"""Laws of one coordinate, by name: their mean is 0 and their mean square 1.

>>> from signfold import priors
>>> for name in priors.names():
...     print(name)
gaussian
sparse-gaussian:P
sparse-rademacher:P
sparse-laplace:P
mixture:FILE.json
"""

import numpy as np
import numpy.typing as npt

from . import _core
from .arguments import checked, count, integer, number
from .vectors import refuse_masked


def names() -> dict[str, str]:
    """The names that stand for a law, each with an explanation.

    >>> from signfold import priors
    >>> priors.names()["sparse-gaussian:P"]
    'N(0, 1/P) with probability P, else 0'
    """
    out: dict[str, str] = {}
    for line in _core.prior_help().splitlines():
        if line.startswith(" "):  # the explanation goes on
            last = list(out)[-1]
            out[last] += " " + line.strip()
        else:
            name, _, explanation = line.partition(" ")
            out[name] = explanation.strip()
    return out


def check(prior: str) -> str:
    """The name of a law in its shortest form; ValueError for one that is unknown.

    >>> from signfold import priors
    >>> priors.check("sparse-gaussian:0.10")
    'sparse-gaussian:0.1'
    """
    return _core.prior_name(checked("prior", prior))


def sample(
    prior: str, n: int, dim: int = 1, seed: int = 1, threads: int = 0
) -> npt.NDArray[np.float32]:
    """n vectors of `dim` independent coordinates: n x dim, float32.

    The same numbers for the same seed, everywhere.

    >>> from signfold import priors
    >>> x = priors.sample("sparse-rademacher:0.25", 1000, 100, seed=7)
    >>> x.shape, sorted(set(x.ravel().tolist()))
    ((1000, 100), [-2.0, 0.0, 2.0])
    """
    if integer("n", n) < 0 or integer("dim", dim) < 1:
        raise ValueError(f"{n} vectors of {dim} coordinates cannot be drawn")
    return _core.sample(
        checked("prior", prior),
        count("n", n),
        count("dim", dim),
        checked("seed", seed),
        checked("threads", threads),
    )


def posterior(
    prior: str, y: npt.ArrayLike, precision: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and variance of x given y = x + N(0, 1/precision), in the shape of y.

    y: finite numbers, ValueError otherwise. precision: 0 or more.

    >>> from signfold import priors
    >>> mean, variance = priors.posterior("gaussian", [0.0, 2.0], precision=3.0)
    >>> mean.tolist(), variance.tolist()
    ([0.0, 1.5], [0.25, 0.25])
    """
    refuse_masked(y, "y")
    values = np.require(y, np.float64, ["C", "A"]).reshape(np.shape(y))
    finite = np.isfinite(values)
    if not finite.all():
        raise ValueError(f"y holds {values[~finite][0]}; every observation must be a finite number")
    mean, variance = np.empty_like(values), np.empty_like(values)
    precision = number("precision", precision)
    _core.posterior(checked("prior", prior), values, precision, mean, variance)
    return mean, variance


def mmse(prior: str, precision: float) -> float:
    """The mean of that variance: what is left of x, whose mean square is 1, after an observation.

    >>> from signfold import priors
    >>> priors.mmse("gaussian", 3.0)
    0.25
    """
    return _core.mmse(checked("prior", prior), number("precision", precision))
