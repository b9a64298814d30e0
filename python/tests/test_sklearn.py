"""scikit-learn's own checks, and what they do not look at."""

import inspect
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

import signfold  # noqa: E402
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


def test_missing_values_are_no_data(x):
    masked = np.ma.masked_greater(x, 1)
    codec = SignCodec().fit(x)
    for call in (SignCodec().fit, codec.transform, codec.score):
        with pytest.raises(ValueError, match="X is a masked array"):
            call(masked)
    with pytest.raises(ValueError, match="X is a masked array"):
        codec.inverse_transform(np.ma.masked_equal(codec.transform(x), 0))


def test_parameters_are_those_of_fit(x):
    of_fit = inspect.signature(signfold.fit).parameters
    own = inspect.signature(SignCodec).parameters
    assert set(of_fit) - set(own) == {"X", "threads", "progress"}
    assert set(own) - set(of_fit) == {"n_jobs"}
    assert all(own[name].default == of_fit[name].default for name in own if name != "n_jobs")

    images = {"basis": "dct2:6x8", "item_shape": (6, 8)}
    network = {"decoder": "network:2", "steps": 3, "splines": True, "own_matrix": True}
    for options in (images, network):
        codec = clone(SignCodec(rate=2, **options)).fit(x)
        assert codec.get_params() == SignCodec(rate=2, **options).get_params()
        model = signfold.fit(x, rate=2, **options)
        np.testing.assert_array_equal(
            codec.inverse_transform(codec.transform(x)), model.decode(model.encode(x))
        )
        assert codec.model_.item_shape == model.item_shape


#: scikit-learn 1.6 has a function in place of a method, and tags in place of _more_tags.
LATER = """
from types import SimpleNamespace
import numpy as np
import sklearn.base, sklearn.utils.validation

old = sklearn.base.BaseEstimator._validate_data
seen = []

def validate_data(estimator, X, **options):
    seen.append(options)
    return old(estimator, X, **options)

def tags(self):
    return SimpleNamespace(transformer_tags=SimpleNamespace(preserves_dtype=["float64"]))

del sklearn.base.BaseEstimator._validate_data
sklearn.utils.validation.validate_data = validate_data
sklearn.base.BaseEstimator.__sklearn_tags__ = tags

from signfold.sklearn import SignCodec
x = np.random.default_rng(1).normal(size=(100, 8))
codec = SignCodec().fit(x)
codec.transform(x)
assert [options.get("reset", True) for options in seen] == [True, False]
assert codec.__sklearn_tags__().transformer_tags.preserves_dtype == []
print("done")
"""


def test_later_versions():
    done = subprocess.run(
        [sys.executable, "-c", LATER], capture_output=True, text=True, check=False
    )
    assert done.stdout == "done\n", done.stderr


def test_the_package_does_not_need_it():
    script = (
        "import sys; sys.modules['sklearn'] = None;"
        "import signfold; signfold.fit_prior('gaussian', 8)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
