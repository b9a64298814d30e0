"""Fitting models: to vectors, or to a known law."""

from typing import Any, Sequence

from . import _core
from .arguments import checked, flag, set_options
from .model import Model, Progress
from .vectors import Vectors, open_vectors


def _options(
    decoder: str, steps: int | None, splines: bool, own_matrix: bool, **others: Any
) -> _core.FitOptions:
    options = _core.FitOptions()
    set_options(options, {"decoder": decoder, **others})
    of_network = {
        "steps": steps,
        "splines": flag("splines", splines),
        "own_matrix": flag("own_matrix", own_matrix),
    }
    given = {k: v for k, v in of_network.items() if v is not None and v is not False}
    if given and not _core.is_network(checked("decoder", decoder)):
        raise ValueError(f"{next(iter(given))} goes with decoder network:L")
    set_options(options, given)
    return options


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
    "dense:FILE", "rotated:S" or "staged". "rotated:S" keeps fast rotations in S stages, each
    compared with what the others told: nothing is trained, and for sparse vectors or rates above 1
    its error is far below that of one stage. "staged" learns projections in stages, each of what
    those before it missed: that has the lowest error on real data, takes minutes and stores no
    norm; prior and whiten stay as they are, and `train` has more choices. Both bring their own
    decoder, so decoder and basis stay as they are.
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

    ValueError for vectors that are not finite numbers and options that do not fit, TypeError for
    those of another type, OSError for files that cannot be read.

    >>> import numpy as np
    >>> import signfold
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=(400, 16)) @ rng.normal(size=(16, 16)) + 3
    >>> signfold.fit(x, rate=2, basis="pca").decoder
    'two-term'
    """
    options = _options(
        decoder,
        steps,
        splines,
        own_matrix,
        rate=rate,
        encoder=encoder,
        basis=basis,
        prior=prior,
        scale=scale,
        whiten=whiten,
        epsilon=epsilon,
        center=center,
        seed=seed,
        max_rows=max_rows,
        threads=threads,
        progress=progress,
    )
    if options.max_rows < 2:
        raise ValueError(f"max_rows is {max_rows}; it must be at least 2")
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
    options = _options(
        decoder,
        steps,
        splines,
        own_matrix,
        rate=rate,
        encoder=encoder,
        scale=scale,
        seed=seed,
        threads=threads,
        progress=progress,
    )
    return Model(_core.fit_prior(checked("prior", prior), checked("dim", dim), options))
