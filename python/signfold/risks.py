"""Measured risks beside predicted ones."""

from dataclasses import dataclass
from typing import Sequence


@dataclass(frozen=True)
class LayerRisk:
    """The risk of one layer of the decoder; 1 = knowing nothing."""

    measured: float
    stderr: float
    """Standard error of the measured risk."""
    predicted: float


@dataclass(frozen=True)
class Evaluation:
    """Measured and predicted risks of a set of vectors."""

    vectors: int
    """How many."""
    layers: tuple[LayerRisk, ...]
    """[0] is the linear decoder, [-1] the whole one."""
    encode_seconds: float
    decode_seconds: float
    """Of one decode with all layers."""

    @property
    def risk(self) -> float:
        """The measured risk of the whole decoder."""
        return self.layers[-1].measured


def layer_risks(layers: Sequence[tuple[float, float, float]]) -> tuple[LayerRisk, ...]:
    """From (measured, stderr, predicted)."""
    return tuple(LayerRisk(*layer) for layer in layers)
