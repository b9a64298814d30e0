"""Codes and models are the same bytes, whoever writes them, and everyone reads them."""

import json

import numpy as np
import pytest

import signfold
from signfold import Codes, Model
from conftest import sparse_rows

#: Law and decoder that need no learning: the codes do not depend on them.
QUICK = {"decoder": "linear", "prior": "gaussian"}

KINDS = [
    {},
    {"rate": 0.37, "scale": "f32"},
    {"rate": 2.3, "scale": "none", "encoder": "haar"},
    {"encoder": "mixed:0.6", "decoder": "linear", "seed": 9},
    {"encoder": "identity", "center": "always"},
    {"whiten": True, "epsilon": 0.1, "decoder": "affine", "encoder": "hadamard"},
]


def words(options):
    """Options of fit as the command line has them."""
    out = []
    for name, value in {"rate": 1, **options}.items():
        if name == "center":
            out.append("--center")
        elif value is True:
            out.append(f"--{name}")
        else:
            out += [f"--{name}", value]
    return out


@pytest.fixture
def data(tmp_path):
    x = sparse_rows(500, 40)
    np.save(tmp_path / "x.npy", x)
    return x


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_bytes(options, data, tmp_path, program, monkeypatch):
    monkeypatch.chdir(tmp_path)  # so that paths in metadata are the same
    program("fit", "x.npy", *words(options), "--out", "cli.sfm")
    program("encode", "cli.sfm", "x.npy", "--out", "cli.sfc")
    program("decode", "cli.sfc", "--model", "cli.sfm", "--out", "cli.npy")

    model = signfold.fit("x.npy", **options)
    model.save("py.sfm")
    assert (tmp_path / "py.sfm").read_bytes() == (tmp_path / "cli.sfm").read_bytes()
    Model.load("cli.sfm").save("again.sfm")
    assert (tmp_path / "again.sfm").read_bytes() == (tmp_path / "cli.sfm").read_bytes()

    wanted = (tmp_path / "cli.sfc").read_bytes()
    codes = model.encode(data)
    codes.save("py.sfc")
    assert (tmp_path / "py.sfc").read_bytes() == wanted
    signfold.fit(data.astype(np.float64), **{**options, **QUICK}).encode("x.npy").save("array.sfc")
    assert (tmp_path / "array.sfc").read_bytes() == wanted
    assert model.encode_file(np.asfortranarray(data), "file.sfc") == 500
    assert (tmp_path / "file.sfc").read_bytes() == wanted
    Codes.load("cli.sfc").save("again.sfc")
    assert (tmp_path / "again.sfc").read_bytes() == wanted

    y = np.load("cli.npy")
    np.testing.assert_array_equal(model.decode(codes), y)
    np.testing.assert_array_equal(Model.load("cli.sfm").decode(Codes.load("cli.sfc")), y)
    assert model.decode_file("cli.sfc", "py.npy") == 500
    assert (tmp_path / "py.npy").read_bytes() == (tmp_path / "cli.npy").read_bytes()
    program("decode", "py.sfc", "--model", "py.sfm", "--out", "back.npy")
    assert (tmp_path / "back.npy").read_bytes() == (tmp_path / "cli.npy").read_bytes()


def test_codes_that_python_took_from_the_middle(data, tmp_path, program):
    model = signfold.fit(data)
    model.save(tmp_path / "m.sfm")
    codes = model.encode(data)
    codes[100:150].save(tmp_path / "some.sfc")
    codes[::-7].save(tmp_path / "back.sfc")
    for name, index in (("some", slice(100, 150)), ("back", slice(None, None, -7))):
        program("decode", f"{name}.sfc", "--model", "m.sfm", "--out", f"{name}.npy")
        np.testing.assert_array_equal(np.load(tmp_path / f"{name}.npy"), model.decode(codes)[index])


def test_several_blocks(tmp_path, program):
    """Files are cut into blocks; more vectors than one block holds."""
    x = sparse_rows(9000, 8)
    np.save(tmp_path / "x.npy", x)
    model = signfold.fit(x)
    model.save(tmp_path / "m.sfm")
    program("encode", "m.sfm", "x.npy", "--out", "cli.sfc")
    codes = model.encode(x)
    codes.save(tmp_path / "py.sfc")
    assert (tmp_path / "py.sfc").read_bytes() == (tmp_path / "cli.sfc").read_bytes()
    loaded = Codes.load(tmp_path / "cli.sfc")
    np.testing.assert_array_equal(loaded.bits, codes.bits)
    np.testing.assert_array_equal(loaded.scales, codes.scales)


def test_trained_models(data, tmp_path, program, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program(
        "train",
        "--data",
        "x.npy",
        "--rate",
        0.5,
        "--steps",
        20,
        "--decoder",
        "untied",
        "--out",
        "cli.sfm",
    )
    signfold.train(data="x.npy", rate=0.5, steps=20, decoder="untied").model.save("py.sfm")
    assert (tmp_path / "py.sfm").read_bytes() == (tmp_path / "cli.sfm").read_bytes()


def test_the_program_reads_what_it_is_told(data, tmp_path, program):
    model = signfold.fit(data, basis="pca")
    model.save(tmp_path / "m.sfm")
    info = json.loads(program("info", "m.sfm", "--json"))
    assert info["fingerprint"] == f"{model.fingerprint:016x}"
    assert info["encoder"] == model.encoder and info["basis"] == model.basis
    assert [info["linear"], *info["layers"]] == list(model.predicted_risks)
    assert info["metadata"] == dict(model.metadata)
