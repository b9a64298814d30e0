"""Risks without data: predicted by theory, and measured on synthetic vectors."""

from itertools import accumulate

from . import _core
from .arguments import checked, integer
from .model import Progress
from .results import PredictedPrefix, Prediction, Simulation
from .risks import Prefix, layer_risks, prefix_risks


def predict(
    prior: str, rate: float, encoder: str = "hadamard", decoder: str = "rigamp:8"
) -> Prediction:
    """The risk of every decoder for coordinates of a law, as `signfold predict` has it.

    prior: see `signfold.priors.names()`. rate: bits per coordinate. Others as for `fit`. A code of
    stages, encoder "rotated:S", has prefixes.

    >>> import signfold
    >>> p = signfold.predict("sparse-gaussian:0.1", rate=1)
    >>> f"{p.linear:.4f} {p.layers[0]:.4f} {p.layers[-1]:.4f} {p.fixed_point:.4f} {p.limit:.4f}"
    '0.3634 0.1175 0.0609 0.0608 0.0004'
    >>> staged = signfold.predict("sparse-gaussian:0.1", rate=1, encoder="rotated:8")
    >>> f"{staged.prefixes[-1].risk:.4f}"
    '0.0061'
    """
    p = _core.predict(
        checked("prior", prior),
        checked("rate", rate),
        checked("encoder", encoder),
        checked("decoder", decoder),
    )
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
        prefixes=tuple(PredictedPrefix(*prefix) for prefix in p.prefixes),
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
    dim first; with scale="none" they are as the prior draws them. Others as for `fit`. Encoder
    "rotated:S" gives prefixes, the risk after every stage, in place of layers.

    >>> import signfold
    >>> s = signfold.simulate("sparse-rademacher:0.2", 1, dim=512, samples=100, decoder="rigamp:2")
    >>> all(abs(layer.measured / layer.predicted - 1) < 0.05 for layer in s.layers)
    True
    """
    if integer("dim", dim) < 1 or integer("samples", samples) < 1:
        raise ValueError(f"dim is {dim} and samples is {samples}; both must be at least 1")
    vectors, layers, prefixes, encode_seconds, decode_seconds, name, size, stages = _core.simulate(
        checked("prior", prior),
        checked("rate", rate),
        checked("dim", dim),
        checked("samples", samples),
        checked("seed", seed),
        checked("encoder", encoder),
        checked("decoder", decoder),
        checked("scale", scale),
        checked("threads", threads),
        checked("progress", progress),
    )
    norm = size - sum(stages)
    stored = [
        Prefix(k, bits + norm, risk[2])
        for k, (bits, risk) in enumerate(zip(accumulate(stages), prefixes), 1)
    ]
    return Simulation(
        vectors,
        layer_risks(layers),
        encode_seconds,
        decode_seconds,
        name,
        prefixes=prefix_risks(stored, prefixes),
    )
