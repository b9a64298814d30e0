"""Measured risks beside predicted ones."""

from dataclasses import dataclass, field
from typing import Sequence


@dataclass(frozen=True)
class LayerRisk:
    """The risk of one layer of the decoder; 1 = knowing nothing."""

    measured: float
    stderr: float
    """Standard error of the measured risk."""
    predicted: float


@dataclass(frozen=True)
class Prefix:
    """The first stages of a staged code."""

    stages: int
    """How many."""
    bits_per_vector: int
    """All that is stored of a vector."""
    predicted: float
    """The risk that the model predicts: of trained stages, measured in training on vectors that it
    had not seen; of "rotated:S", by state evolution."""


@dataclass(frozen=True)
class PrefixRisk(Prefix):
    """The risk after the first stages of a staged code; 1 = knowing nothing."""

    measured: float
    stderr: float
    """Standard error of the measured risk."""


@dataclass(frozen=True)
class Evaluation:
    """Measured and predicted risks of a set of vectors."""

    vectors: int
    """How many."""
    layers: tuple[LayerRisk, ...]
    """[0] is the linear decoder, [-1] the whole one; empty for a staged code: see prefixes."""
    encode_seconds: float
    decode_seconds: float
    """Of one decode with all layers."""
    prefixes: tuple[PrefixRisk, ...] = field(default=(), kw_only=True)
    """Of a staged code, after 1, 2, ... stages; empty for others."""

    @property
    def risk(self) -> float:
        """The measured risk of the whole decoder."""
        return (self.layers or self.prefixes)[-1].measured


def layer_risks(layers: Sequence[tuple[float, float, float]]) -> tuple[LayerRisk, ...]:
    """From (measured, stderr, predicted)."""
    return tuple(LayerRisk(*layer) for layer in layers)


def prefix_risks(
    prefixes: Sequence[Prefix], risks: Sequence[tuple[float, float, float]]
) -> tuple[PrefixRisk, ...]:
    """From the prefixes of a model and what is measured of each: (measured, stderr, ...)."""
    return tuple(
        PrefixRisk(p.stages, p.bits_per_vector, p.predicted, measured, stderr)
        for p, (measured, stderr, _) in zip(prefixes, risks)
    )
