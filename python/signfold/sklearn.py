"""A scikit-learn transformer: vectors to bytes and back.

Needs scikit-learn; the rest of the package does not.
"""

from typing import Any, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted

from .codes import SCALE_BYTES, Codes, code_bytes
from .fitting import fit
from .model import Model
from .vectors import refuse_masked

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # before scikit-learn 1.6, whose estimators have a method for it

    def validate_data(estimator: Any, X: Any, **options: Any) -> Any:
        """X as an array, after scikit-learn's checks."""
        return estimator._validate_data(X, **options)


class SignCodec(TransformerMixin, BaseEstimator):
    """Turns vectors into a few bytes each, and those back into vectors.

    `transform` gives n x k bytes (uint8): the packed bits of a code, then its norm as float16 or
    float32 (little-endian; none with scale="none"). `inverse_transform` takes these bytes only.
    Parameters are those of `signfold.fit`, but for `progress`; `threads` is called n_jobs, and None
    means all cores.

    After `fit`: `model_` (a `signfold.Model`), `n_features_in_`, and `feature_names_in_` where X
    had names.

    All checks of `sklearn.utils.estimator_checks.check_estimator` pass. Where their contract ends:
    `transform` has uint8 for every type of X, so the tag preserves_dtype is empty and scikit-learn
    skips the check of that; X must be dense and finite, as the tags say by default. There are no
    names of output features (`get_feature_names_out`), because a byte is eight bits of unlike
    meaning, and so no `set_output`.

    >>> import numpy as np
    >>> from signfold.sklearn import SignCodec
    >>> x = np.random.default_rng(1).normal(size=(500, 32))
    >>> codec = SignCodec(rate=2).fit(x)
    >>> codec.transform(x).shape
    (500, 10)
    >>> codec.inverse_transform(codec.transform(x)).shape
    (500, 32)
    >>> bool(0.7 < codec.score(x) < 0.9)
    True
    """

    def __init__(
        self,
        rate: float = 1.0,
        encoder: str = "auto",
        decoder: str = "auto",
        basis: str = "identity",
        prior: str = "auto",
        scale: str = "f16",
        whiten: bool = False,
        epsilon: float = 1e-2,
        center: str = "auto",
        seed: int = 1,
        max_rows: int = 100000,
        n_jobs: int | None = None,
        *,
        item_shape: Sequence[int] | None = None,
        steps: int | None = None,
        splines: bool = False,
        own_matrix: bool = False,
    ) -> None:
        self.rate = rate
        self.encoder = encoder
        self.decoder = decoder
        self.basis = basis
        self.prior = prior
        self.scale = scale
        self.whiten = whiten
        self.epsilon = epsilon
        self.center = center
        self.seed = seed
        self.max_rows = max_rows
        self.n_jobs = n_jobs
        self.item_shape = item_shape
        self.steps = steps
        self.splines = splines
        self.own_matrix = own_matrix

    def fit(self, X: Any, y: Any = None) -> "SignCodec":
        """Learns the model from X (n x d). y is ignored."""
        refuse_masked(X, "X")
        X = validate_data(self, X, dtype=[np.float32, np.float64], ensure_min_samples=2)
        parameters = {k: v for k, v in self.get_params(deep=False).items() if k != "n_jobs"}
        self.model_: Model = fit(X, threads=self.n_jobs or 0, **parameters)
        return self

    def transform(self, X: Any) -> npt.NDArray[np.uint8]:
        """The codes of X (n x d): n x k bytes."""
        codes = self.model_.encode(self._vectors(X), threads=self.n_jobs or 0)
        if codes.scales is None:
            return codes.bits
        scales = codes.scales.astype({"f16": "<f2", "f32": "<f4"}[codes.scale])
        return np.hstack([codes.bits, scales.reshape(-1, 1).view(np.uint8)])

    def inverse_transform(self, X: Any) -> npt.NDArray[np.float32]:
        """The vectors (n x d, float32) of what `transform` returned (n x k bytes)."""
        check_is_fitted(self, "model_")
        refuse_masked(X, "X")
        data: npt.NDArray[np.uint8] = check_array(X, dtype=None)
        model = self.model_
        code_width = code_bytes(model.bits)
        width = code_width + SCALE_BYTES[model.scale]
        if data.dtype != np.uint8 or data.shape[1] != width:
            raise ValueError(
                f"X is {data.dtype} of shape {data.shape}; it must be what transform returned: "
                f"uint8 with {width} columns"
            )
        scales = None
        if model.scale != "none":
            kind = {"f16": "<f2", "f32": "<f4"}[model.scale]
            scales = np.ascontiguousarray(data[:, code_width:]).view(kind)[:, 0].astype(np.float32)
        bits = data[:, :code_width]
        about = (model.fingerprint, model.dim, model.bits, model.scale)
        codes = Codes(bits, scales, *about, model.stages, staged=len(model.prefixes) > 0)
        return model.decode(codes, threads=self.n_jobs or 0)

    def score(self, X: Any, y: Any = None) -> float:
        """1 - risk: the share of the energy of X around the training mean that is given back."""
        return 1 - self.model_.evaluate(self._vectors(X), threads=self.n_jobs or 0).risk

    def _vectors(self, X: Any) -> Any:
        check_is_fitted(self, "model_")
        refuse_masked(X, "X")
        return validate_data(self, X, dtype=[np.float32, np.float64], reset=False)

    def _more_tags(self) -> dict[str, Any]:
        return {"preserves_dtype": []}

    def __sklearn_tags__(self) -> Any:  # what _more_tags became in scikit-learn 1.6
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
