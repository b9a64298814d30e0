"""What the package can do, against the definitions and against the program."""

import copy
import json
import pickle

import numpy as np
import pytest

import signfold
from conftest import sparse_rows


def risk_of(x, y, mean):
    x, y = x.astype(np.float64), y.astype(np.float64)
    return np.sum((x - y) ** 2) / np.sum((x - mean) ** 2)


def test_model_says_what_it_is(model):
    assert (model.dim, model.bits, model.scale, model.seed) == (48, 72, "f16", 1)
    assert model.bits_per_vector == 72 + 16
    assert model.encoder == "hadamard"
    assert model.layers >= 1 and len(model.predicted_risks) == model.layers + 1
    assert model.predicted_risk == model.predicted_risks[-1] < model.predicted_risks[0] < 1
    assert model.item_shape == (48,)
    assert any("300 x 48" in text for text in model.metadata.values())
    for word in ("48 coordinates", "72 bits", "f16", "hadamard", f"{model.predicted_risk:.4g}"):
        assert word in repr(model)


def test_a_model_says_whether_it_stores_norms():
    def said(encoder, scale):
        return repr(signfold.fit_prior("gaussian", 64, encoder=encoder, scale=scale))

    bits = "64 coordinates, 64 bits"
    assert f"{bits} + f16 scale, encoder hadamard" in said("hadamard", "f16")
    assert f"{bits}, encoder hadamard" in said("hadamard", "none")
    assert f"{bits} in stages of 32 + 32 + f32 scale, encoder rotated:2" in said("rotated:2", "f32")
    assert f"{bits} in stages of 32 + 32, encoder rotated:2" in said("rotated:2", "none")


def test_codes_hold_the_signs(x):
    """With the identity as encoder, no centring and one bit per coordinate a code is the signs."""
    model = signfold.fit(x, encoder="identity", decoder="linear", center="never", scale="f32")
    codes = model.encode(x)
    signs = np.unpackbits(codes.bits, axis=1, count=48, bitorder="little")
    np.testing.assert_array_equal(signs, x >= 0)
    # The norm is relative to the training data: float32 has 24 bits.
    unit = np.sqrt(np.mean(x.astype(np.float64) ** 2))
    assert model.unit == pytest.approx(unit, rel=1e-6)
    rms = np.sqrt(np.mean(x.astype(np.float64) ** 2, axis=1)) / unit
    np.testing.assert_allclose(codes.scales, rms, rtol=1e-6)


def test_evaluate_is_the_definition(x, model):
    evaluation = model.evaluate(x)
    assert evaluation.vectors == len(x)
    codes = model.encode(x)
    mean = x.mean(axis=0, dtype=np.float64)
    for layer, risk in enumerate(evaluation.layers):
        y = model.decode(codes, layers=layer)
        # Sums of squares of float32 numbers in another order.
        assert risk.measured == pytest.approx(risk_of(x, y, mean), rel=1e-5)
        assert risk.predicted == model.predicted_risks[layer]
    assert evaluation.risk == evaluation.layers[-1].measured
    np.testing.assert_array_equal(model.decode(codes), model.decode(codes, layers=model.layers))


def test_decode_into_an_array(x, model):
    codes = model.encode(x)
    wide = np.full((len(x), 60), 7, dtype=np.float32)
    out = wide[:, :48]
    assert model.decode(codes, out=out) is out
    np.testing.assert_array_equal(out, model.decode(codes))
    assert (wide[:, 48:] == 7).all()


def test_codes_slice_and_say_what_they_are(x, model):
    codes = model.encode(x)
    assert len(codes) == 300 and codes.bits.shape == (300, 9) and codes.scales.shape == (300,)
    assert codes.nbytes == 300 * (9 + 4)
    assert "300 vectors of 48 coordinates, 72 bits + f16 scale = 11 bytes" in repr(codes)
    y = model.decode(codes)
    mask = np.arange(300) % 7 == 0
    for index in (slice(3, 9), slice(None, None, -2), mask, [5, 2, 5], np.array([1, 299])):
        np.testing.assert_array_equal(model.decode(codes[index]), y[index])
    for index in (0, 17, -1, np.int64(4)):
        np.testing.assert_array_equal(model.decode(codes[index])[0], y[index])
    assert np.shares_memory(codes[10:20].bits, codes.bits)
    assert len(codes[:0]) == 0 and model.decode(codes[:0]).shape == (0, 48)
    assert sum(1 for _ in codes) == 300
    with pytest.raises(IndexError):
        codes[300]


def test_threads_do_not_matter(x, model):
    one, two = model.encode(x, threads=1), model.encode(x, threads=2)
    np.testing.assert_array_equal(one.bits, two.bits)
    np.testing.assert_array_equal(one.scales, two.scales)
    np.testing.assert_array_equal(model.decode(one, threads=1), model.decode(one, threads=2))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_models_can_be_copied(x, model, copied):
    other = copied(model)
    assert other.fingerprint == model.fingerprint and other.metadata == model.metadata
    np.testing.assert_array_equal(other.encode(x).bits, model.encode(x).bits)
    np.testing.assert_array_equal(other.decode(model.encode(x)), model.decode(model.encode(x)))


def test_codes_can_be_pickled(x, model):
    codes = model.encode(x)
    other = pickle.loads(pickle.dumps(codes))
    np.testing.assert_array_equal(model.decode(other), model.decode(codes))


def test_options_of_fit_reach_the_library(x):
    quick = {"encoder": "hadamard", "decoder": "linear", "prior": "sparse-gaussian:0.3"}

    def fit(**options):
        return signfold.fit(x, **{**quick, **options})

    assert fit(scale="none").bits_per_vector == 48
    assert fit(scale="f32").bits_per_vector == 48 + 32
    assert fit(encoder="haar", seed=5).seed == 5
    assert fit(rate=0.5).bits == 24
    assert fit().layers == 0 and fit(decoder="rigamp:2").layers == 2
    assert fit(decoder="denoise", basis="pca").basis.startswith("pca")
    fingerprint = fit().fingerprint
    for options in ({"whiten": True}, {"center": "never"}, {"max_rows": 100}, {"seed": 2}):
        assert fit(**options).fingerprint != fingerprint, options
    whitened = fit(whiten=True).fingerprint
    assert fit(whiten=True, epsilon=0.1).fingerprint != whitened
    assert fit(center="always").fingerprint == fingerprint  # the mean is large here
    assert (
        signfold.fit(x, decoder="denoise", prior="iid").predicted_risk
        != fit(decoder="denoise").predicted_risk
    )
    assert fit(decoder="network:2", steps=3, splines=True).layers == 2


def test_images_keep_their_shape():
    images = sparse_rows(200, 64).reshape(200, 8, 8)
    model = signfold.fit(images, rate=2, basis="dct2:8x8")
    assert model.item_shape == (8, 8) and model.dim == 64
    codes = model.encode(images)
    assert model.decode(codes).shape == (200, 64)
    flat = signfold.fit(images.reshape(200, 64), rate=2, basis="dct2:8x8", item_shape=(8, 8))
    assert flat.item_shape == (8, 8) and flat.fingerprint == model.fingerprint
    np.testing.assert_array_equal(flat.encode(images).bits, codes.bits)


def test_progress_is_reported(x, model, tmp_path):
    calls = []
    model.encode_file(
        x, tmp_path / "x.sfc", progress=lambda done, total: calls.append((done, total))
    )
    assert calls[-1] == (300, 300)
    steps = []
    signfold.train("gaussian", 8, rate=1, steps=30, progress=lambda *seen: steps.append(seen))
    assert steps and all(len(seen) == 3 and seen[1] == 30 for seen in steps)


def test_an_error_in_progress_comes_through(x, model):
    def stop(done, total):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        model.evaluate(x, progress=stop)


def test_predict_says_what_the_program_says(program):
    for prior, encoder in (
        ("sparse-gaussian:0.1", "hadamard"),
        ("sparse-rademacher:0.8", "mixed"),
        ("sparse-gaussian:0.1", "rotated:4"),
    ):
        said = json.loads(
            program("predict", "--prior", prior, "--rate", 1, "--encoder", encoder, "--json")
        )
        p = signfold.predict(prior, 1, encoder=encoder)
        assert p.encoder == said["encoder"]
        for key in ("linear", "fixed_point", "limit", "rotation", "identity"):
            assert getattr(p, key) == said[key], key
        assert list(p.layers) == said["layers"]
        assert {"m": p.mixed_m, "risk": p.mixed} == said["mixed"]
        assert p.note == said.get("note", "")
        assert [vars(prefix) for prefix in p.prefixes] == said.get("prefixes", [])


def test_simulate_says_what_the_program_says(program):
    said = json.loads(
        program(
            "simulate", "--prior", "gaussian", "--rate", 0.5, "--dim", 64, "--samples", 50, "--json"
        )
    )
    s = signfold.simulate("gaussian", 0.5, dim=64, samples=50)
    assert s.encoder == said["encoder"] and s.vectors == 50
    layers = [said["linear"], *said["layers"]]
    assert [r.measured for r in s.layers] == [r["measured"] for r in layers]
    assert [r.stderr for r in s.layers] == [r["stderr"] for r in layers]
    assert [r.predicted for r in s.layers] == [r["predicted"] for r in layers]


def test_fit_prior_needs_no_data():
    model = signfold.fit_prior("sparse-gaussian:0.2", 512, rate=1, scale="f32")
    x = signfold.priors.sample("sparse-gaussian:0.2", 200, 512, seed=9)
    risk = model.evaluate(x).layers[0]
    assert abs(risk.measured - risk.predicted) < 0.03 * risk.predicted + 5 * risk.stderr


def test_train_on_a_prior_and_on_arrays(x):
    model, report = signfold.train("gaussian", 12, rate=1, steps=20, seed=3)
    assert model.bits == 12 and report.steps == 20 and report.rotation is not None
    # Data: the same vectors as float64 in Fortran order train the same encoder.
    one = signfold.train(data=x, rate=0.5, decoder="untied", steps=20)
    two = signfold.train(
        data=np.asfortranarray(x, dtype=np.float64), rate=0.5, decoder="untied", steps=20
    )
    assert one.report.rotation is None and one.report.risk == two.report.risk < 1
    assert one.model.fingerprint == two.model.fingerprint
    with_test = signfold.train(data=x, test=x[:100], rate=0.5, decoder="untied", steps=20)
    measured = with_test.model.evaluate(x[:100]).layers[0].measured
    assert with_test.report.risk == pytest.approx(measured, rel=1e-4)  # float32 sums


def test_train_keeps_a_checkpoint_when_it_is_stopped(x, tmp_path):
    checkpoint = tmp_path / "c"
    options = {"data": x, "rate": 0.5, "steps": 60, "checkpoint": checkpoint}

    def stop(step, steps, risk):
        if step == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="stopped after step 20 of 60"):
        signfold.train(**options, progress=stop)
    with pytest.raises(ValueError, match="a run that did not end"):
        signfold.train(**options)
    resumed = signfold.train(**options, resume=True)
    whole = signfold.train(data=x, rate=0.5, steps=60)
    assert resumed.model.fingerprint == whole.model.fingerprint
    assert list(tmp_path.iterdir()) == []


def test_priors():
    assert list(signfold.priors.names())[0] == "gaussian"
    x = signfold.priors.sample("sparse-laplace:0.5", 2000, 50, seed=4)
    assert x.dtype == np.float32 and x.shape == (2000, 50)
    np.testing.assert_array_equal(
        x, signfold.priors.sample("sparse-laplace:0.5", 2000, 50, seed=4, threads=1)
    )
    # Mean square 1: kurtosis of sparse Laplace is 6 / p, so 5 sigma is 5 sqrt((12 - 1) / 1e5).
    assert abs(np.mean(x.astype(np.float64) ** 2) - 1) < 5 * np.sqrt(11 / 1e5)
    assert abs(np.mean(x == 0) - 0.5) < 5 * np.sqrt(0.25 / 1e5)
    mean, variance = signfold.priors.posterior("gaussian", [[0.5, -3.0]], precision=1.0)
    np.testing.assert_allclose(mean, [[0.25, -1.5]], rtol=1e-12)
    np.testing.assert_allclose(variance, [[0.5, 0.5]], rtol=1e-12)
    assert signfold.priors.mmse("gaussian", 1.0) == pytest.approx(0.5, abs=1e-10)
