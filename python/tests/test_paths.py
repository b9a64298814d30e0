"""File names are any bytes but NUL: every function that takes one, and every message about it."""

import json
import os

import numpy as np
import pytest

import signfold
from conftest import sparse_rows
from signfold import Codes, Model


@pytest.fixture
def folder(tmp_path):
    """One whose name is not UTF-8, as Python spells it."""
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xe9 x")
    os.mkdir(path)
    return path


@pytest.fixture
def data(folder):
    x = sparse_rows(200, 40)
    np.save(f"{folder}/x.npy", x)
    return x


def test_models_and_codes(folder, data):
    model = signfold.fit(f"{folder}/x.npy", decoder="linear")
    assert any(folder in text for text in model.metadata.values())
    model.save(f"{folder}/m.sfm")
    again = Model.load(f"{folder}/m.sfm")
    assert again.fingerprint == model.fingerprint

    codes = model.encode(f"{folder}/x.npy")
    codes.save(f"{folder}/x.sfc")
    np.testing.assert_array_equal(Codes.load(f"{folder}/x.sfc").bits, codes.bits)
    assert model.encode_file(f"{folder}/x.npy", f"{folder}/file.sfc") == 200
    assert model.decode_file(f"{folder}/file.sfc", f"{folder}/y.npy") == 200
    np.testing.assert_array_equal(np.load(f"{folder}/y.npy"), model.decode(codes))
    assert model.evaluate(f"{folder}/x.npy").risk == model.evaluate(data).risk


def test_names_as_bytes_and_paths(folder, model):
    name = os.fsencode(folder) + b"/m.sfm"
    model.save(name)
    assert Model.load(name).fingerprint == model.fingerprint


def test_training(folder, data):
    files = {"data": f"{folder}/x.npy", "test": f"{folder}/x.npy"}
    more = {"rate": 0.5, "steps": 20, "decoder": "untied"}

    def stop(step, steps, risk):
        if step == 10:
            raise KeyboardInterrupt

    kept = {"checkpoint": f"{folder}/c", "out": f"{folder}/m.sfm"}
    with pytest.raises(KeyboardInterrupt, match="holds it: resume to go on") as caught:
        signfold.train(**files, **more, **kept, progress=stop)
    assert f"{folder}/c" in str(caught.value)
    model, report = signfold.train(**files, **more, **kept, resume=True)
    assert sorted(os.listdir(folder)) == ["m.sfm", "x.npy"]
    assert Model.load(f"{folder}/m.sfm").fingerprint == model.fingerprint
    staged = signfold.train(
        data=f"{folder}/x.npy", stages="auto", rate=0.4, hidden=4, epochs=1, joint_epochs=0
    )
    assert staged.model.stages == (2, 2, 4, 8)


def test_files_inside_of_options(folder, data):
    """dense:FILE and mixture:FILE."""
    np.save(f"{folder}/b.npy", np.eye(20, 40, dtype=np.float32))
    encoder = f"dense:{folder}/b.npy"
    assert signfold.fit(data, encoder=encoder, decoder="linear").bits == 20
    start = signfold.train(data=data, rate=0.5, start=encoder, decoder="untied", steps=2)
    assert start.model.bits == 20
    law = {"components": [{"weight": 1, "mean": 0, "variance": 1}]}
    with open(f"{folder}/law.json", "w", encoding="utf-8") as file:
        json.dump(law, file)
    prior = f"mixture:{folder}/law.json"
    gaussian = signfold.predict("gaussian", 1, decoder="linear")
    assert signfold.predict(prior, 1, decoder="linear").linear == gaussian.linear
    assert signfold.simulate(prior, 1, dim=16, samples=20).vectors == 20
    assert signfold.fit_prior(prior, 16, decoder="linear").bits == 16
    assert signfold.fit(data, prior=prior, decoder="linear").bits == 40
    assert signfold.train(prior, 8, rate=1, steps=2).model.bits == 8
    assert signfold.priors.sample(prior, 3, 2).shape == (3, 2)
    assert signfold.priors.mmse(prior, 1.0) == pytest.approx(0.5)
    assert signfold.priors.posterior(prior, [1.0], 1.0)[0] == pytest.approx(0.5)
    assert signfold.priors.check(prior)


def test_messages_name_the_file(folder, model, x):
    gone = f"{folder}/gone"
    for call in (
        lambda: Model.load(gone),
        lambda: Codes.load(gone),
        lambda: signfold.fit(gone),
        lambda: model.encode(gone),
        lambda: model.save(f"{gone}/m.sfm"),
        lambda: model.encode_file(x, f"{gone}/x.sfc"),
        lambda: model.encode(x).save(f"{gone}/x.sfc"),
    ):
        with pytest.raises(OSError) as caught:
            call()
        assert gone in str(caught.value)
    with open(gone, "wb") as file:
        file.write(b"what is this")
    for call in (lambda: Model.load(gone), lambda: Codes.load(gone), lambda: signfold.fit(gone)):
        with pytest.raises(ValueError) as caught:
            call()
        assert gone in str(caught.value)


def test_what_the_system_would_cut(model, x, data, folder, tmp_path):
    """At the NUL: the file of that name would be read, or replaced."""
    name = f"{folder}/x.npy\0.npy"
    codes = model.encode(x)
    for call in (
        lambda: Model.load(name),
        lambda: Codes.load(name),
        lambda: signfold.fit(name),
        lambda: model.encode(name),
        lambda: model.evaluate(name),
        lambda: model.save(name),
        lambda: codes.save(name),
        lambda: model.encode_file(x, name),
        lambda: model.decode_file(name, "y"),
        lambda: model.decode_file("y", name),
        lambda: signfold.train(data=name, rate=1, steps=1),
        lambda: signfold.train(data=x, test=name, rate=1, steps=1),
        lambda: signfold.train("gaussian", 8, rate=1, steps=1, checkpoint=name),
        lambda: signfold.train("gaussian", 8, rate=1, steps=1, out=name),
        lambda: signfold.train("gaussian", 8, rate=1, steps=1, start=f"dense:{name}"),
        lambda: signfold.fit(x, encoder=f"dense:{name}"),
        lambda: signfold.predict(f"mixture:{name}", 1),
    ):
        with pytest.raises(ValueError, match="NUL"):
            call()
    np.testing.assert_array_equal(np.load(f"{folder}/x.npy"), data)
    assert os.listdir(folder) == ["x.npy"]
