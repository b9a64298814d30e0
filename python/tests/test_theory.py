"""Codes of stages in theory, beside the program and beside models; posteriors of wrong numbers."""

import json

import numpy as np
import pytest

import signfold

PRIOR = "sparse-gaussian:0.1"


@pytest.mark.parametrize("encoder", ["rotated:8", "rotated:3"])
def test_predicted_prefixes_are_those_of_the_program(encoder, program):
    said = json.loads(
        program("predict", "--prior", PRIOR, "--rate", 1, "--encoder", encoder, "--json")
    )
    p = signfold.predict(PRIOR, 1, encoder=encoder)
    assert [vars(prefix) for prefix in p.prefixes] == said["prefixes"]
    assert len(p.prefixes) == int(encoder[-1]) and p.prefixes[-1].risk < p.layers[-1] / 3
    assert p.encoder == encoder and p.linear == said["linear"]
    assert signfold.predict(PRIOR, 1).prefixes == ()


def test_a_model_predicts_what_theory_does():
    """Of 256 coordinates, whose stages have as many bits as the limit says."""
    model = signfold.fit_prior(PRIOR, 256, 1, encoder="rotated:4")
    p = signfold.predict(PRIOR, 1, encoder="rotated:4")
    assert [prefix.risk for prefix in p.prefixes] == pytest.approx(list(model.predicted_risks))


@pytest.mark.parametrize("scale", ["f32", "none"])
def test_simulated_prefixes_are_those_of_the_program(scale, program):
    options = {"rate": 1, "dim": 128, "samples": 60, "encoder": "rotated:4", "scale": scale}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    said = json.loads(program("simulate", "--prior", PRIOR, *words, "--json"))
    s = signfold.simulate(PRIOR, **options)
    assert s.layers == () and s.encoder == said["encoder"] == "rotated:4"
    for ours, theirs in zip(s.prefixes, said["prefixes"], strict=True):
        for key in ("stages", "measured", "stderr", "predicted"):
            assert getattr(ours, key) == theirs[key], key
    assert s.risk == s.prefixes[-1].measured
    model = signfold.fit_prior(PRIOR, 128, 1, encoder="rotated:4", scale=scale)
    stored = [prefix.bits_per_vector for prefix in model.prefixes]
    assert [prefix.bits_per_vector for prefix in s.prefixes] == stored
    assert [prefix.predicted for prefix in s.prefixes] == list(model.predicted_risks)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_posteriors_of_what_is_no_number(bad):
    with pytest.raises(ValueError, match=f"y holds {bad}; every observation must be a finite"):
        signfold.priors.posterior(PRIOR, [[0.0, 1.0], [bad, 2.0]], 1.0)
    with pytest.raises(ValueError, match="precision must be finite"):
        signfold.priors.posterior(PRIOR, [0.0], bad)


def test_posteriors_of_missing_values():
    with pytest.raises(ValueError, match="y is a masked array"):
        signfold.priors.posterior(PRIOR, np.ma.masked_equal([0.0, 9.0], 9.0), 1.0)
