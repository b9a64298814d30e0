"""Fitting models: to vectors, or to a known law."""

from typing import Sequence

from . import _core
from .model import Model, Progress
from .vectors import Vectors, open_vectors


def _options(
    rate: float,
    encoder: str,
    decoder: str,
    scale: str,
    seed: int,
    threads: int,
    progress: Progress | None,
) -> _core.FitOptions:
    options = _core.FitOptions()
    options.rate = rate
    options.encoder = encoder
    options.decoder = decoder
    options.set_scale(scale)
    options.seed = seed
    options.threads = threads
    options.progress = progress
    return options


def _set_network(
    options: _core.FitOptions, steps: int | None, splines: bool, own_matrix: bool
) -> None:
    given = {"steps": steps is not None, "splines": splines, "own_matrix": own_matrix}
    if any(given.values()) and not _core.is_network(options.decoder):
        raise ValueError(
            f"{next(name for name in given if given[name])} goes with decoder network:L"
        )
    if steps is not None:
        options.steps = steps
    options.splines = splines
    options.own_matrix = own_matrix


def fit(
    X: Vectors,
    rate: float = 1.0,
    encoder: str = "auto",
    decoder: str = "auto",
    basis: str = "identity",
    prior: str = "auto",
    *,
    scale: str = "f16",
    whiten: bool = False,
    epsilon: float = 1e-2,
    center: str = "auto",
    seed: int = 1,
    max_rows: int = 100000,
    item_shape: Sequence[int] | None = None,
    steps: int | None = None,
    splines: bool = False,
    own_matrix: bool = False,
    threads: int = 0,
    progress: Progress | None = None,
) -> Model:
    """Learns a model from vectors. The names and defaults are those of `signfold fit`.

    X: n x d vectors as rows, or n x the shape of one vector (images: n x height x width), of any
    real type, or the path of a file. At most max_rows of them, spread evenly, are looked at, and
    kept in memory as float32 meanwhile.

    rate: bits per coordinate, any number above 0.
    encoder: "auto", "hadamard" (the fast rotation), "haar", "identity", "mixed", "mixed:M",
    "dense:FILE", or "staged": learned projections in stages, each of what those before it missed.
    That has the lowest error on real data, takes minutes, stores no norm and brings its own
    decoder, so decoder, basis, prior and whiten stay as they are; `train` has more choices.
    decoder: "auto", "linear", "affine", "denoise", "rigamp", "rigamp:L", "network:L".
    basis: "identity", "pca", "dct2:HxW", "wavelet2:HxW", or "auto": the one that does best on
    held-out vectors.
    prior: "auto" (a law per coordinate), "iid" (one for all), or one of `signfold.priors.names()`.
    scale: how the norm of a vector is stored: "f16", "f32", or "none".
    whiten, epsilon: whiten before encoding, with this regularisation relative to the mean
    eigenvalue.
    center: subtract the mean before encoding: "always", "never", or "auto": where it is large.
    seed: of the encoder.
    item_shape: the shape of one vector where X is flat, for bases of images.
    steps, splines, own_matrix: of the training of network:L.
    threads: 0 = all cores; the model does not depend on them.
    progress: called with (done, total) now and then.

    >>> import numpy as np
    >>> import signfold
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=(400, 16)) @ rng.normal(size=(16, 16)) + 3
    >>> signfold.fit(x, rate=2, basis="pca").decoder
    'two-term'
    """
    options = _options(rate, encoder, decoder, scale, seed, threads, progress)
    options.basis = basis
    options.prior = prior
    options.whiten = whiten
    options.epsilon = epsilon
    options.set_center(center)
    if max_rows < 2:
        raise ValueError(f"max_rows is {max_rows}; it must be at least 2")
    options.max_rows = max_rows
    _set_network(options, steps, splines, own_matrix)
    return Model(_core.fit(open_vectors(X, item_shape=item_shape), options))


def fit_prior(
    prior: str,
    dim: int,
    rate: float = 1.0,
    encoder: str = "auto",
    decoder: str = "auto",
    *,
    scale: str = "f16",
    seed: int = 1,
    steps: int | None = None,
    splines: bool = False,
    own_matrix: bool = False,
    threads: int = 0,
    progress: Progress | None = None,
) -> Model:
    """The model for `dim` independent coordinates of a known law: no data needed.

    Options as for `fit`.

    >>> import signfold
    >>> model = signfold.fit_prior("sparse-gaussian:0.1", 1024, rate=1)
    >>> [round(risk, 4) for risk in model.predicted_risks[:2]]
    [0.3634, 0.1175]
    """
    options = _options(rate, encoder, decoder, scale, seed, threads, progress)
    _set_network(options, steps, splines, own_matrix)
    return Model(_core.fit_prior(prior, dim, options))
