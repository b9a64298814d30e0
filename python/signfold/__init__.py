"""One bit per coordinate of a vector, and the error predicted beforehand.

>>> import numpy as np
>>> import signfold
>>> x = signfold.priors.sample("sparse-gaussian:0.1", 2000, 256, seed=1)
>>> model = signfold.fit(x, rate=1)
>>> codes = model.encode(x)
>>> codes.bits.shape, codes.bits.dtype
((2000, 32), dtype('uint8'))
>>> y = model.decode(codes)
>>> risk = np.sum((x - y) ** 2) / np.sum((x - x.mean(axis=0)) ** 2)
>>> bool(abs(risk / model.predicted_risk - 1) < 0.1)
True

Vectors are rows. Risks are normalised: the sum of (x - y)^2 over that of (x - mean of the training
vectors)^2; 0 is perfect, 1 is what knowing nothing gives. Wrong arguments and damaged files are a
ValueError, what the system refuses is an OSError, in the words of the program `signfold`. An
argument of another type is a TypeError that names it; so is a number beyond its type, as seed=-1.
"""

from . import priors
from ._core import __version__
from .codes import Codes
from .fitting import fit, fit_prior
from .model import Model
from .results import (
    Evaluation,
    LayerRisk,
    PredictedPrefix,
    Prediction,
    Prefix,
    PrefixRisk,
    Simulation,
    Trained,
    TrainReport,
)
from .theory import predict, simulate
from .training import train

__all__ = [
    "Codes",
    "Evaluation",
    "LayerRisk",
    "Model",
    "PredictedPrefix",
    "Prediction",
    "Prefix",
    "PrefixRisk",
    "Simulation",
    "TrainReport",
    "Trained",
    "__version__",
    "fit",
    "fit_prior",
    "predict",
    "priors",
    "simulate",
    "train",
]
