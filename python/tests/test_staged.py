"""Staged codes: the bytes of the program, prefixes of codes, risks after every stage, training."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

import signfold
from signfold import Codes, Model
from conftest import sparse_rows

BITS = (13, 11, 21)
#: Training of a moment: what it comes to does not matter here.
TINY = {"hidden": 12, "epochs": 2, "joint_epochs": 1}


def words(options):
    """Options of train as the command line has them."""
    return [w for name, v in options.items() for w in (f"--{name.replace('_', '-')}", v)]


@pytest.fixture(scope="module")
def data():
    return sparse_rows(700, 40)


@pytest.fixture(scope="module")
def staged(data):
    return signfold.train(data=data, stages=BITS, **TINY).model


@pytest.fixture
def files(data, tmp_path, program, monkeypatch):
    """What the program makes: x.npy, cli.sfm, cli.sfc."""
    monkeypatch.chdir(tmp_path)  # so that paths in metadata are the same
    np.save("x.npy", data)
    program("train", "--data", "x.npy", "--stages", "13,11,21", *words(TINY), "--out", "cli.sfm")
    program("encode", "cli.sfm", "x.npy", "--out", "cli.sfc")
    return tmp_path


def same(files, name, wanted):
    assert (files / name).read_bytes() == (files / wanted).read_bytes(), (name, wanted)


def message(call, *arguments, **named):
    with pytest.raises(ValueError) as caught:
        call(*arguments, **named)
    text = str(caught.value)
    assert "\n" not in text and not text.endswith(".")
    return text


def risk_of(x, y):
    x, y = x.astype(np.float64), y.astype(np.float64)
    return np.sum((x - y) ** 2)


def test_models_and_codes_are_the_bytes_of_the_program(files, data):
    model = signfold.train(data="x.npy", stages=BITS, **TINY).model
    model.save("py.sfm")
    same(files, "py.sfm", "cli.sfm")
    Model.load("cli.sfm").save("again.sfm")
    same(files, "again.sfm", "cli.sfm")

    model.encode(data).save("py.sfc")
    same(files, "py.sfc", "cli.sfc")
    model.encode(np.asfortranarray(data, dtype=np.float64)).save("array.sfc")
    same(files, "array.sfc", "cli.sfc")
    assert model.encode_file("x.npy", "file.sfc") == 700
    same(files, "file.sfc", "cli.sfc")
    Codes.load("cli.sfc").save("again.sfc")
    same(files, "again.sfc", "cli.sfc")


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_prefixes_are_the_bytes_of_the_program(stages, files, data, program):
    model, codes = Model.load("cli.sfm"), Codes.load("cli.sfc")
    program("truncate", "cli.sfc", "--stages", stages, "--out", "cut.sfc")
    codes.truncate(stages).save("py.sfc")
    same(files, "py.sfc", "cut.sfc")
    assert Codes.load("cut.sfc").stages == BITS[:stages]

    some = ("--stages", stages)
    program("decode", "cli.sfc", "--model", "cli.sfm", *some, "--out", "cli.npy")
    assert model.decode_file("cli.sfc", "py.npy", stages=stages) == 700
    same(files, "py.npy", "cli.npy")
    assert model.decode_file("cut.sfc", "py.npy") == 700
    same(files, "py.npy", "cli.npy")
    y = np.load("cli.npy")
    np.testing.assert_array_equal(model.decode(codes, stages=stages), y)
    np.testing.assert_array_equal(model.decode(Codes.load("cut.sfc")), y)
    np.testing.assert_array_equal(model.decode(codes.truncate(stages), stages=stages), y)


def test_the_program_reads_what_python_wrote(staged, data, tmp_path, program):
    staged.save(tmp_path / "py.sfm")
    codes = staged.encode(data)
    codes[5:90].truncate(2).save(tmp_path / "py.sfc")
    program("decode", "py.sfc", "--model", "py.sfm", "--out", "cli.npy")
    np.testing.assert_array_equal(
        np.load(tmp_path / "cli.npy"), staged.decode(codes, stages=2)[5:90]
    )


def test_risks_are_those_of_the_program(files, data, program):
    model = Model.load("cli.sfm")
    said = json.loads(program("eval", "cli.sfm", "x.npy", "--json"))["prefixes"]
    evaluation = model.evaluate(data)
    for ours, theirs in zip(evaluation.prefixes, said, strict=True):
        assert {key: getattr(ours, key) for key in theirs} == theirs
    info = json.loads(program("info", "cli.sfm", "--json"))["prefixes"]
    for ours, theirs in zip(model.prefixes, info, strict=True):
        assert {key: getattr(ours, key) for key in theirs if key != "stage"} == {
            key: value for key, value in theirs.items() if key != "stage"
        }


def test_a_model_says_what_it_is(staged, model):
    assert (staged.dim, staged.bits, staged.bits_per_vector) == (40, 45, 45)
    assert staged.stages == BITS and staged.layers == 0
    assert (staged.encoder, staged.scale, staged.seed) == ("staged", "none", 0)
    assert (staged.decoder, staged.basis) == ("one for each stage", "identity")
    assert [p.bits_per_vector for p in staged.prefixes] == [13, 24, 45]
    assert [p.stages for p in staged.prefixes] == [1, 2, 3]
    assert [p.predicted for p in staged.prefixes] == list(staged.predicted_risks)
    assert staged.predicted_risk == staged.predicted_risks[-1]
    assert "40 coordinates, 45 bits in stages of 13 + 11 + 21, encoder staged" in repr(staged)
    assert model.stages == (72,) and model.prefixes == ()


def test_models_and_codes_can_be_pickled(staged, data):
    other = pickle.loads(pickle.dumps(staged))
    assert other.stages == BITS and other.fingerprint == staged.fingerprint
    codes = pickle.loads(pickle.dumps(staged.encode(data)))
    assert codes.stages == BITS
    np.testing.assert_array_equal(other.decode(codes), staged.decode(codes))


def test_codes_keep_their_stages(staged, model, data, x):
    codes = staged.encode(data)
    assert codes.stages == BITS and codes.bits.shape == (700, 6)
    assert codes[3:9].stages == codes[4].stages == codes[[1, 2]].stages == BITS
    assert "45 bits in stages of 13 + 11 + 21 = 45 bits each" in repr(codes)
    two = codes.truncate(2)
    assert (two.stages, two.code_bits, two.bits.shape) == ((13, 11), 24, (700, 3))
    assert np.shares_memory(two.bits, codes.bits)
    one = two.truncate(1)
    assert (one.stages, one.code_bits, one.bits.shape) == ((13,), 13, (700, 2))
    np.testing.assert_array_equal(one.bits[:, 0], codes.bits[:, 0])
    np.testing.assert_array_equal(one.bits[:, 1], codes.bits[:, 1] & 31)  # bits of the second stage
    np.testing.assert_array_equal(two[7:9].bits, codes[7:9].truncate(2).bits)
    ordinary = model.encode(x)
    assert ordinary.stages == (72,) and "stage" not in repr(ordinary)
    assert ordinary.truncate(1).stages == (72,)


def test_evaluate_is_the_definition(staged, data):
    evaluation = staged.evaluate(data)
    assert evaluation.layers == () and len(evaluation.prefixes) == 3
    # Ratios: the mean that risks are relative to is that of the vectors trained on, not of data.
    codes = staged.encode(data)
    errors = [risk_of(data, staged.decode(codes, stages=s)) for s in (1, 2, 3)]
    measured = [prefix.measured for prefix in evaluation.prefixes]
    # Sums of squares of float32 numbers in another order.
    np.testing.assert_allclose(np.divide(measured, measured[0]), np.divide(errors, errors[0]), 1e-5)
    assert evaluation.risk == measured[-1] < measured[0] < 1
    assert [p.predicted for p in evaluation.prefixes] == list(staged.predicted_risks)
    assert all(prefix.stderr > 0 for prefix in evaluation.prefixes)


def test_evaluations_of_other_models_have_no_prefixes(model, x):
    assert model.evaluate(x).prefixes == ()
    assert signfold.simulate("gaussian", 1, dim=16, samples=20).prefixes == ()


def test_decode_what_is_not_there(staged, model, data, x):
    codes = staged.encode(data)
    wanted = "the model has 3 stages: take stages 1 to 3, not "
    assert message(staged.decode, codes, stages=4) == wanted + "4"
    assert message(staged.decode, codes, stages=0) == wanted + "0"
    wanted = "the codes have 2 stages: 3 of them cannot be taken"
    assert message(staged.decode, codes.truncate(2), stages=3) == wanted
    wanted = "the model has stages, not layers: take stages"
    assert message(staged.decode, codes, layers=1) == wanted
    assert message(staged.decode_file, "a.sfc", "b.npy", layers=0) == wanted
    wanted = "the model has no stages: take layers"
    assert message(model.decode, model.encode(x), stages=1) == wanted
    assert message(model.decode_file, "a.sfc", "b.npy", stages=1) == wanted
    assert message(codes.truncate(2).truncate, 3) == (
        "the codes have 2 stages: 3 of them cannot be taken"
    )
    assert "have 1 stage: 0 of them" in message(codes.truncate(1).truncate, 0)


def test_stages_that_do_not_fit(staged, data, tmp_path):
    codes = staged.encode(data)
    assert message(replace, codes, stages=(16, 8)) == "stages of 16 + 8 bits do not make 45 bits"
    assert "stages of 45 + 0 bits" in message(replace, codes, stages=(45, 0))
    others = replace(codes, stages=(8, 16, 21))
    assert "the codes have stages of 8 + 16 + 21 bits, the model of 13 + 11 + 21" == message(
        staged.decode, others
    )
    assert "not of a staged code" in message(replace, codes, staged=False)
    narrow = replace(codes, bits=codes.bits[:, :4])
    assert "codes of 4 bytes" in message(staged.decode, narrow)
    assert list(tmp_path.iterdir()) == []


def test_the_words_are_those_of_the_program(files, program):
    model, codes = Model.load("cli.sfm"), Codes.load("cli.sfc")
    decode = ("decode", "cli.sfc", "--model", "cli.sfm", "--out", "o")

    def python(text):
        return text.replace("cli.sfm", "the model").replace("--", "")

    for words_of, call in (
        ((*decode, "--stages", 4), lambda: model.decode(codes, stages=4)),
        ((*decode, "--layers", 1), lambda: model.decode(codes, layers=1)),
    ):
        assert message(call) == python(program(*words_of))
    said = program("truncate", "cli.sfc", "--stages", 4)
    assert message(codes.truncate, 4) == said.replace("cli.sfc has", "the codes have")


def test_train_reports_every_stage(data):
    model, report = signfold.train(data=data, test=data[:100], stages=[16, 24], **TINY)
    assert [p.measured for p in report.prefixes] == [p.predicted for p in model.prefixes]
    assert [p.predicted for p in report.prefixes] == list(model.predicted_risks)
    assert report.risk == report.prefixes[-1].measured == model.predicted_risk
    assert report.stderr == report.prefixes[-1].stderr
    assert report.rotation is report.orthogonality is report.diagonal_weight is None
    measured = model.evaluate(data[:100]).risk
    assert report.risk == pytest.approx(measured, rel=1e-4)  # float32 sums


def test_stages_for_a_rate(data, files):
    for vectors in (data, "x.npy"):
        model = signfold.train(data=vectors, stages="auto", rate=1.6, **TINY).model
        assert model.stages == (8, 8, 16, 32)
    model = signfold.train("gaussian", 20, stages="auto", rate=1, steps=3, joint_epochs=0).model
    assert model.stages == (2, 3, 5, 10)


def test_choices_reach_the_library(data):
    def train(vectors=data, **options):
        return signfold.train(data=vectors, **{"stages": [8, 8], **TINY, **options}).model

    fingerprint = train().fingerprint
    assert train(stages=np.array([8, 8])).fingerprint == fingerprint
    assert train(hidden=np.int64(12)).fingerprint == fingerprint
    for options in (
        {"hidden": [12, 3]},
        {"epochs": 3},
        {"joint_epochs": 0},
        {"seed": 2},
        {"batch": 64},
        {"step_size": 0.01},
        {"network_step_size": 0.1},
        {"weight_decay": 0.1},
        {"axes": 12},
        {"search_epochs": 2},
    ):
        assert train(**options).fingerprint != fingerprint, options
    images = data.reshape(-1, 5, 8)
    assert train(images, augment="none").fingerprint == fingerprint
    for augment in ("mirror", "shift:1", "mirror,shift:1"):
        assert train(images, augment=augment).fingerprint != fingerprint, augment


def test_options_of_train_that_are_wrong(data):
    train = signfold.train
    of_stages = {"hidden": 5, "epochs": 1, "joint_epochs": 0, "augment": "mirror", "axes": 5}
    for name, value in (of_stages | {"search": 3, "search_epochs": 1}).items():
        assert message(train, data=data, rate=1, **{name: value}) == f"{name} goes with stages"
    assert "rate is required" in message(train, data=data)
    assert message(train, data=data, stages="auto") == "stages 'auto' needs rate"
    assert "leave rate out" in message(train, data=data, stages=[8, 8], rate=1)
    assert "give the bits of each" in message(train, data=data, stages="8,8")
    assert "at least one stage" in message(train, data=data, stages=[])
    assert "stage 1 has no bits" in message(train, data=data, stages=[0, 8])
    assert "decoder has no meaning for stages" == message(
        train, data=data, stages=[8, 8], decoder="untied"
    )
    assert "take 1 to 40" in message(train, data=data, stages=[8, 8], axes=41)
    assert "hidden units for 3 stages" in message(train, data=data, stages=[8, 8], hidden=[1, 2, 3])
    assert "augment" in message(train, data=data, stages=[8, 8], augment="turn")
    assert message(train, data=data, stages=[8, 8], augment="mirror")  # vectors are no images
    with pytest.raises(TypeError):
        train(data=data, stages=[8.5, 8])


def test_better_bits_can_be_searched_for(data, staged, tmp_path):
    assert staged.search_rounds == 0
    signs = staged.encode(data)
    assert np.array_equal(staged.encode(data, search=0).bits, signs.bits)
    plain = staged.evaluate(data).risk
    risks = [staged.evaluate(data, search=rounds).risk for rounds in (4, 16)]
    assert plain > risks[0] > risks[1]
    found = staged.encode(data, search=16)
    assert not np.array_equal(found.bits, signs.bits)
    errors = [risk_of(data, staged.decode(codes)) for codes in (signs, found)]
    assert errors[1] / errors[0] == pytest.approx(risks[1] / plain, rel=1e-5)
    staged.encode_file(data, tmp_path / "x.sfc", search=16)
    assert np.array_equal(signfold.Codes.load(tmp_path / "x.sfc").bits, found.bits)

    searching = signfold.train(data=data, stages=BITS, **TINY, search_epochs=2, search=5).model
    assert searching.search_rounds == 5
    searching.save(tmp_path / "m.sfm")
    again = signfold.Model.load(tmp_path / "m.sfm")
    assert again.search_rounds == 5
    assert np.array_equal(again.encode(data).bits, searching.encode(data, search=5).bits)
    other = signfold.fit(data, rate=0.5)
    assert "only a trained staged code can be searched" in message(other.encode, data, search=1)
    with pytest.raises(TypeError):
        staged.encode(data, search=-1)


def test_training_goes_on_from_a_checkpoint(data, tmp_path):
    options = {"data": data, "stages": [8, 8], **TINY, "checkpoint": tmp_path / "c"}

    def stop(step, steps, risk):
        if step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="stopped after step 5"):
        signfold.train(**options, progress=stop)
    resumed = signfold.train(**options, resume=True)
    assert resumed.model.fingerprint == signfold.train(**options).model.fingerprint
    assert list(tmp_path.iterdir()) == []


def test_fit_is_that_of_the_program(data, tmp_path, program, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", data)
    words_of = ("--rate", 0.6, "--encoder", "staged", "--max-rows", 300)
    program("fit", "x.npy", *words_of, "--out", "cli.sfm")
    model = signfold.fit("x.npy", rate=0.6, encoder="staged", max_rows=300)
    model.save("py.sfm")
    same(tmp_path, "py.sfm", "cli.sfm")
    assert model.stages == (3, 3, 6, 12) and model.encoder == "staged" and model.scale == "none"
    from_array = signfold.fit(data, rate=0.6, encoder="staged", max_rows=300, threads=1)
    assert from_array.fingerprint == model.fingerprint


def test_options_of_fit_that_are_wrong(data):
    for options in ({"decoder": "linear"}, {"basis": "pca"}, {"whiten": True}, {"scale": "f32"}):
        assert "encoder staged" in message(signfold.fit, data, encoder="staged", **options)
    assert "trained on vectors" in message(signfold.fit_prior, "gaussian", 16, encoder="staged")


def test_the_transformer_of_scikit_learn(data):
    pytest.importorskip("sklearn")
    from signfold.sklearn import SignCodec

    codec = SignCodec(encoder="staged").fit(data)
    bytes_ = codec.transform(data)
    assert bytes_.shape == (700, 5)
    np.testing.assert_array_equal(
        codec.inverse_transform(bytes_), codec.model_.decode(codec.model_.encode(data))
    )
    assert codec.score(data) == 1 - codec.model_.evaluate(data).risk


def test_stages_of_rotations():
    x = signfold.priors.sample("sparse-gaussian:0.2", 400, 64, seed=3)
    model = signfold.fit_prior("sparse-gaussian:0.2", 64, 1, encoder="rotated:4")
    assert model.encoder == "rotated:4"
    assert model.stages == (16, 16, 16, 16)
    codes = model.encode(x)
    assert codes.stages == model.stages
    assert codes.scales is not None
    measured = model.evaluate(x).prefixes
    for stages, prefix in enumerate(measured, 1):
        back = model.decode(codes, stages=stages)
        assert np.array_equal(back, model.decode(codes.truncate(stages)))
        error = np.sum((x - back) ** 2, dtype=float) / np.sum(x**2, dtype=float)
        assert abs(error - prefix.measured) < 1e-5
        assert prefix.bits_per_vector == 16 * stages + 16
    assert measured[-1].measured < 0.5 * signfold.predict("sparse-gaussian:0.2", 1).linear
    learned = signfold.fit(x, rate=1, encoder="rotated:4")
    assert abs(learned.predicted_risk / model.predicted_risk - 1) < 0.3


def test_rotations_are_the_bytes_of_the_program(data, tmp_path, program, monkeypatch):
    monkeypatch.chdir(tmp_path)  # so that paths in metadata are the same
    np.save("x.npy", data)
    program("fit", "x.npy", "--rate", 1.1, "--encoder", "rotated:3", "--out", "cli.sfm")
    program("encode", "cli.sfm", "x.npy", "--out", "cli.sfc")
    program("truncate", "cli.sfc", "--stages", 2, "--out", "cut.sfc")
    program("decode", "cut.sfc", "--model", "cli.sfm", "--out", "cli.npy")

    model = signfold.fit("x.npy", rate=1.1, encoder="rotated:3")
    model.save("py.sfm")
    same(tmp_path, "py.sfm", "cli.sfm")
    codes = model.encode(data)
    codes.save("py.sfc")
    same(tmp_path, "py.sfc", "cli.sfc")
    cut = codes.truncate(2)
    cut.save("py_cut.sfc")
    same(tmp_path, "py_cut.sfc", "cut.sfc")
    np.testing.assert_array_equal(cut.bits, Codes.load("cut.sfc").bits)
    assert model.stages == (13, 13, 14, 4)  # cut inside of a byte; 4 bits of another rotation
    assert model.decode_file("py_cut.sfc", "py.npy") == 700
    same(tmp_path, "py.npy", "cli.npy")
    np.testing.assert_array_equal(model.decode(codes, stages=2), np.load("cli.npy"))
