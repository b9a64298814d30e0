"""Risks without data: predicted by theory, and measured on synthetic vectors."""

from . import _core
from .model import Progress
from .results import Prediction, Simulation
from .risks import layer_risks


def predict(
    prior: str, rate: float, encoder: str = "hadamard", decoder: str = "rigamp:8"
) -> Prediction:
    """The risk of every decoder for coordinates of a law, as `signfold predict` has it.

    prior: see `signfold.priors.names()`. rate: bits per coordinate. Others as for `fit`.

    >>> import signfold
    >>> p = signfold.predict("sparse-gaussian:0.1", rate=1)
    >>> f"{p.linear:.4f} {p.layers[0]:.4f} {p.layers[-1]:.4f} {p.fixed_point:.4f} {p.limit:.4f}"
    '0.3634 0.1175 0.0609 0.0608 0.0004'
    """
    p = _core.predict(prior, rate, encoder, decoder)
    return Prediction(
        encoder=p.encoder,
        linear=p.linear,
        layers=tuple(p.layers),
        fixed_point=p.fixed_point,
        limit=p.limit,
        rotation=p.rotation,
        identity=p.identity,
        mixed=p.mixed,
        mixed_m=p.mixed_m,
        note=p.note,
    )


def simulate(
    prior: str,
    rate: float,
    dim: int = 1024,
    samples: int = 400,
    *,
    encoder: str = "hadamard",
    decoder: str = "auto",
    scale: str = "f32",
    seed: int = 1,
    threads: int = 0,
    progress: Progress | None = None,
) -> Simulation:
    """Encodes and decodes synthetic vectors: measured risks beside predicted ones.

    The numbers are those of `signfold simulate`.

    samples: vectors, of `dim` coordinates each. Where the norm is stored they are scaled to |x|^2 =
    dim first; with scale="none" they are as the prior draws them. Others as for `fit`.

    >>> import signfold
    >>> s = signfold.simulate("sparse-rademacher:0.2", 1, dim=512, samples=100, decoder="rigamp:2")
    >>> all(abs(layer.measured / layer.predicted - 1) < 0.05 for layer in s.layers)
    True
    """
    if dim < 1 or samples < 1:
        raise ValueError(f"dim is {dim} and samples is {samples}; both must be at least 1")
    vectors, layers, encode_seconds, decode_seconds, name = _core.simulate(
        prior, rate, dim, samples, seed, encoder, decoder, scale, threads, progress
    )
    return Simulation(vectors, layer_risks(layers), encode_seconds, decode_seconds, name)
