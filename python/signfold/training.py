"""Training: the encoder learned too, by gradient descent."""

import contextlib
import os
from typing import Any, Callable, Literal, Sequence, Union

import numpy as np

from . import _core
from .arguments import checked, flag, integer, set_options
from .model import Model
from .results import Trained, TrainReport
from .risks import prefix_risks
from .vectors import Path, Vectors, open_vectors, path_bytes

#: Options that only one method has.
_STRAIGHT_THROUGH = (
    "freeze_encoder",
    "splines",
    "own_matrix",
    "rows",
    "optimizer",
    "batch",
    "network_step_size",
    "weight_decay",
    "decay",
    "tau",
    "tau_end",
)
_POPULATION = ("masks", "noise")
#: The stages of a staged code: the bits of each, or "auto".
Stages = Union[Sequence[int], Literal["auto"]]


def train(
    prior: str | None = None,
    dim: int | None = None,
    *,
    data: Vectors | None = None,
    test: Vectors | None = None,
    rate: float | None = None,
    method: str = "straight-through",
    decoder: str = "tied",
    start: str = "",
    freeze_encoder: bool = False,
    splines: bool = False,
    own_matrix: bool = False,
    rows: str | None = None,
    optimizer: str | None = None,
    steps: int | None = None,
    batch: int | None = None,
    step_size: float | None = None,
    network_step_size: float | None = None,
    weight_decay: float | None = None,
    decay: str | None = None,
    tau: float | None = None,
    tau_end: float | None = None,
    masks: int | None = None,
    noise: float | None = None,
    stages: Stages | None = None,
    hidden: int | Sequence[int] | None = None,
    epochs: float | None = None,
    joint_epochs: float | None = None,
    augment: str = "none",
    axes: int | None = None,
    search_epochs: float | None = None,
    search: int | None = None,
    seed: int = 1,
    out: Path | None = None,
    checkpoint: Path | None = None,
    resume: bool = False,
    threads: int = 0,
    progress: Callable[[int, int, float], None] | None = None,
) -> Trained:
    """Trains an encoder and its decoder. The names and defaults are those of `signfold train`.

    Either a prior (see `signfold.priors.names()`) and `dim`, the coordinates of a vector, or data:
    n x d vectors as rows, or a path; then `test` is what the risk is measured on (default: every
    k-th vector of the data, held out).

    rate: bits per coordinate; required, unless stages say the bits. method: "straight-through", or
    "population" (Gaussian and sparse Gaussian priors).
    decoder: "tied", "tied-rows", "untied", "network:L", "network:mlp:H".
    start: the rows to start from: "random", an encoder's name, or "dense:FILE". freeze_encoder:
    keep it as it is.
    rows: "orthonormal" (again after each step) or "none". optimizer: "adam", "momentum", "sgd".
    decay: "cosine", "constant". tau, tau_end: width of the smoothed sign at first and at last.
    splines, own_matrix: of network:L. masks, noise: of method population.
    stages: train a staged code in place of an encoder and its decoder: the bits of each stage,
    or "auto" (with rate: an eighth, a quarter, half and all of the bits). Each stage keeps what
    those before it could not reconstruct, and the first ones alone decode too.
    hidden: units of the decoder of each stage: one number for all (256), or one for each. epochs:
    passes over data for each stage (8), unless steps say how many; joint_epochs: for all of them
    together, afterwards (24; 0 = none).
    augment: of images in data, how each visit changes them: "mirror", "shift:K", "mirror,shift:K".
    axes: train in so many principal axes of data, much faster where they hold most of the energy.
    search_epochs: passes at last, on bits that a search finds (0). search: its rounds (8), and
    those of encoding with the model; alone it sets these only (0).
    out: a file (.sfm) to save the model in; that it can be written is known before training.
    checkpoint: a file that keeps the progress once a minute and on Ctrl-C; resume=True goes on from
    there. It is removed at the end: with out, when the model is saved; without, when it is
    returned, so a long run is safe only with out. Default: none.
    progress: called with (step, steps, risk) now and then.

    >>> import signfold
    >>> model, report = signfold.train("gaussian", 16, rate=1, method="population", steps=5)
    >>> model.bits, report.steps
    (16, 5)
    >>> x = signfold.priors.sample("sparse-gaussian:0.2", 500, 32, seed=1)
    >>> staged, report = signfold.train(data=x, stages=[8, 8, 20], hidden=16)
    >>> staged.stages
    (8, 8, 20)
    >>> [prefix.bits_per_vector for prefix in report.prefixes]
    [8, 16, 36]
    >>> report.risk == report.prefixes[2].measured < report.prefixes[1].measured < 0.8
    True
    """
    request = _core.TrainRequest()
    set_options(request, {"method": method, "decoder": decoder})
    of_methods = _given(
        freeze_encoder=flag("freeze_encoder", freeze_encoder),
        splines=flag("splines", splines),
        own_matrix=flag("own_matrix", own_matrix),
        rows=rows,
        optimizer=optimizer,
        batch=batch,
        network_step_size=network_step_size,
        weight_decay=weight_decay,
        decay=decay,
        tau=tau,
        tau_end=tau_end,
        masks=masks,
        noise=noise,
    )
    _check(of_methods, method, request.layered)
    of_all = _given(steps=steps, step_size=step_size, progress=progress)
    set_options(request, of_methods | of_all | {"start": start, "seed": seed, "threads": threads})
    if checkpoint is not None:
        request.checkpoint = path_bytes(checkpoint)
    set_options(request, {"resume": resume})
    if request.resume and checkpoint is None:
        raise ValueError("resume goes with checkpoint, the file to go on from")

    sources = _vectors(request, prior, dim, data, test)
    of_stages = _given(
        hidden=[hidden] if hidden is not None and np.ndim(hidden) == 0 else hidden,
        epochs=epochs,
        joint_epochs=joint_epochs,
        augment=None if augment == "none" else augment,
        axes=axes,
        search_epochs=search_epochs,
        search=search,
    )
    _set_bits(request, rate, stages, decoder, of_stages, sources[0])
    if out is not None:
        _core.check_out(path_bytes(out), checked("prior", prior or ""), request)

    model, report = _core.train(request, *sources)
    trained = Model(model)
    staged = stages is not None
    result = Trained(
        trained,
        TrainReport(
            risk=report.risk,
            stderr=report.stderr,
            rotation=report.rotation,
            identity=report.identity,
            mixed=report.mixed,
            mixed_m=report.mixed_m,
            alpha=report.alpha,
            orthogonality=None if staged else report.orthogonality,
            diagonal_weight=None if staged else report.diagonal_weight,
            steps=report.steps,
            seconds=report.seconds,
            history=tuple(report.history),
            prefixes=prefix_risks(trained.prefixes, report.prefixes),
        ),
    )
    _keep(trained, out, checkpoint)
    return result


def _keep(model: Model, out: Path | None, checkpoint: Path | None) -> None:
    """The model first: where it cannot be written, the checkpoint stays."""
    if out is not None:
        model.save(out)
    if checkpoint is not None:
        with contextlib.suppress(OSError):  # what is left of it is no reason to lose the model
            os.remove(os.path.realpath(checkpoint))  # not a link to it


def _given(**options: Any) -> dict[str, Any]:
    """Those that are not as they are by default."""
    return {k: v for k, v in options.items() if v is not None and v is not False}


def _check(given: dict[str, Any], method: str, layered: bool) -> None:
    """Options of the other method, or of another decoder, would have no effect."""
    for name in given:
        if name in (_STRAIGHT_THROUGH if method == "population" else _POPULATION):
            raise ValueError(f"{name} has no meaning for method {method}")
    if ("splines" in given or "own_matrix" in given) and not layered:
        raise ValueError("splines and own_matrix go with decoder network:L")


def _set_bits(
    request: _core.TrainRequest,
    rate: float | None,
    stages: Stages | None,
    decoder: str,
    of_stages: dict[str, Any],
    data: _core.Source | None,
) -> None:
    """A rate, or stages and what only they have."""
    if stages is None:
        for name in of_stages:
            raise ValueError(f"{name} goes with stages")
        if rate is None:
            raise ValueError("rate is required: bits per dimension, any number above 0")
        set_options(request, {"rate": rate})
        return
    if decoder != "tied":
        raise ValueError("decoder has no meaning for stages")
    set_options(request, of_stages)
    if isinstance(stages, str):
        request.stages = _stages_for_rate(stages, rate, _dimension(request, data))
        return
    if rate is not None:
        raise ValueError("the bits of stages are the rate: leave rate out, or take stages 'auto'")
    set_options(request, {"stages": stages})
    if not request.stages:
        raise ValueError("a staged code needs at least one stage")


def _stages_for_rate(stages: str, rate: float | None, dim: int) -> list[int]:
    if stages != "auto":
        raise ValueError(
            f"stages is '{stages}'; give the bits of each, as in [98, 98, 196, 392], or 'auto'"
        )
    if rate is None:
        raise ValueError("stages 'auto' needs rate")
    return _core.stages_for_rate(checked("rate", rate), dim)


def _dimension(request: _core.TrainRequest, data: _core.Source | None) -> int:
    """Coordinates of what is trained on."""
    if data is not None:
        return data.dim
    return _core.open_source(request.data).dim if request.data else request.dim


def _vectors(
    request: _core.TrainRequest,
    prior: str | None,
    dim: int | None,
    data: Vectors | None,
    test: Vectors | None,
) -> tuple[_core.Source | None, _core.Source | None]:
    """Sets what is trained on; returns what is an array. Files are opened by the training
    itself."""
    if (prior is None) == (data is None):
        raise ValueError("give either prior and dim, or data")
    if prior is not None:
        if test is not None:
            raise ValueError("test goes with data; with prior, fresh vectors measure the risk")
        if dim is None or integer("dim", dim) < 1:
            raise ValueError("prior goes with dim, the number of coordinates of a vector")
        set_options(request, {"prior": prior, "dim": dim})
        return None, None
    if dim is not None:
        raise ValueError("dim goes with prior; the vectors of data have a dimension of their own")
    sources: list[_core.Source | None] = []
    for name, vectors in (("data", data), ("test", test)):
        if isinstance(vectors, (str, os.PathLike)):
            setattr(request, name, path_bytes(vectors))
            sources.append(None)
        else:
            sources.append(None if vectors is None else open_vectors(vectors, name))
    return sources[0], sources[1]
