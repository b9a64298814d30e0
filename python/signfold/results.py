"""What functions return besides models and codes: plain data."""

from dataclasses import dataclass
from typing import NamedTuple, Sequence

from .model import Model
from .risks import Evaluation, LayerRisk, Prefix, PrefixRisk

__all__ = [
    "Evaluation",
    "LayerRisk",
    "PredictedPrefix",
    "Prediction",
    "Prefix",
    "PrefixRisk",
    "Simulation",
    "TrainReport",
    "Trained",
]


@dataclass(frozen=True)
class PredictedPrefix:
    """What the first stages of a code of rotations are predicted to give."""

    stages: int
    """How many."""
    rate: float
    """Their bits per coordinate."""
    risk: float
    """1 = knowing nothing."""


@dataclass(frozen=True)
class Prediction:
    """Predicted risks (1 = knowing nothing) for coordinates of one law, from theory alone."""

    encoder: str
    """The encoder, "auto" and "mixed" resolved."""
    linear: float
    """Of the linear decoder."""
    layers: tuple[float, ...]
    """Of layers 1, 2, ...; empty where the encoder allows the linear decoder only."""
    fixed_point: float
    """Of infinitely many layers."""
    limit: float
    """Of any code of this rate (Shannon)."""
    rotation: float
    """Of the linear decoder behind a rotation,"""
    identity: float
    """behind the identity,"""
    mixed: float
    """and behind the best mixed encoder,"""
    mixed_m: float
    """which puts this weight on the identity."""
    note: str
    """Why there are no layers; empty where there are."""
    prefixes: tuple[PredictedPrefix, ...] = ()
    """Of encoder "rotated:S", after 1, 2, ... stages: the last is the risk of the code. The other
    risks are then those of one stage with all of its bits."""


@dataclass(frozen=True)
class Simulation(Evaluation):
    """Measured and predicted risks of synthetic vectors."""

    encoder: str
    """The encoder, "auto" and "mixed" resolved."""


@dataclass(frozen=True)
class TrainReport:
    """How training went. Risks: 1 = knowing nothing."""

    risk: float
    """Of the trained pair, on vectors that training has not seen."""
    stderr: float
    """Its standard error; 0 where the risk is exact."""
    rotation: float | None
    """For a prior, what theory says of the linear decoder behind a rotation (None for data),"""
    identity: float | None
    """behind the identity,"""
    mixed: float | None
    """and behind the best mixed encoder,"""
    mixed_m: float | None
    """which puts this weight on the identity."""
    alpha: float | None
    """The gain of a tied decoder."""
    orthogonality: float | None
    """The largest entry of BB' (B'B/rate for rates above 1) off the identity; None for stages."""
    diagonal_weight: float | None
    """Median over the rows of B of the largest entry; None for stages."""
    steps: int
    seconds: float
    history: Sequence[tuple[int, float]]
    """(step, risk) now and then; of samples, so a little noisy."""
    prefixes: tuple[PrefixRisk, ...] = ()
    """Of a staged code, after 1, 2, ... stages; empty for others."""


class Trained(NamedTuple):
    """What `train` returns: `model, report = signfold.train(...)`."""

    model: Model
    report: TrainReport
