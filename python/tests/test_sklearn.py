"""scikit-learn's own checks, and what they do not look at."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

from signfold.sklearn import SignCodec  # noqa: E402

#: Checks of scikit-learn that do not apply, each with the reason.
NOT_APPLICABLE: dict[str, str] = {}


def checks():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(check_estimator(SignCodec(), generate_only=True))


def name_of(check):
    return getattr(check, "func", check).__name__


@pytest.mark.parametrize(
    "estimator, check", checks(), ids=lambda c: name_of(c) if callable(c) else ""
)
def test_check_estimator(estimator, check):
    name = name_of(check)
    if name in NOT_APPLICABLE:
        pytest.skip(NOT_APPLICABLE[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_the_list_of_exceptions_is_not_stale():
    names = {name_of(check) for _, check in checks()}
    assert set(NOT_APPLICABLE) <= names and len(names) > 30


@pytest.mark.parametrize("scale", ["f16", "f32", "none"])
def test_bytes_go_back(x, scale):
    codec = SignCodec(rate=1.5, scale=scale, n_jobs=2).fit(x)
    data = codec.transform(x)
    assert data.dtype == np.uint8 and data.shape == (300, codec.model_.bits_per_vector // 8)
    codes = codec.model_.encode(x)
    np.testing.assert_array_equal(codec.inverse_transform(data), codec.model_.decode(codes))
    np.testing.assert_array_equal(
        codec.inverse_transform(data[5:9]), codec.model_.decode(codes[5:9])
    )
    with pytest.raises(ValueError, match="what transform returned"):
        codec.inverse_transform(data[:, :-1])


def test_score_is_one_minus_risk(x):
    codec = SignCodec(rate=2).fit(x)
    assert codec.score(x) == 1 - codec.model_.evaluate(x).risk


def test_pipelines_and_searches(x):
    pipeline = make_pipeline(StandardScaler(), SignCodec(rate=2))
    back = pipeline.fit(x).inverse_transform(pipeline.transform(x))
    assert back.shape == x.shape
    search = GridSearchCV(SignCodec(), {"rate": [0.5, 2.0]}, cv=2).fit(x)
    assert search.best_params_ == {"rate": 2.0}
    assert clone(SignCodec(rate=3, basis="pca")).get_params()["basis"] == "pca"


def test_the_package_does_not_need_it():
    script = (
        "import sys; sys.modules['sklearn'] = None;"
        "import signfold; signfold.fit_prior('gaussian', 8)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
