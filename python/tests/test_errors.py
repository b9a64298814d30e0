"""Errors are ValueError or OSError, with the words of the program."""

import errno

import numpy as np
import pytest

import signfold
from signfold import Codes, Model
from conftest import sparse_rows


def message(kind, call, *arguments, **named):
    with pytest.raises(kind) as caught:
        call(*arguments, **named)
    text = str(caught.value)
    assert "\n" not in text and not text.endswith(".")
    return text


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(x, model, kind, bad):
    broken = x.astype(kind)
    broken[7, 3] = bad
    for call in (signfold.fit, model.encode, model.evaluate):
        text = message(ValueError, call, broken)
        assert f"X (array, {np.dtype(kind)}, 300 x 48): row 7, column 3 holds" in text, text
        assert "not a finite float32 number" in text


def test_values_beyond_float32(model, x):
    broken = x.astype(np.float64)
    broken[299, 47] = 1e300
    assert "row 299, column 47 holds inf" in message(ValueError, model.encode, broken)


@pytest.mark.parametrize(
    "array, words",
    [
        (np.zeros(48), "X has 1 axes; it must have one row per vector"),
        (np.float64(3), "X has 0 axes"),
        (np.zeros((0, 48)), "X (array, float64, 0 x 48) holds no vectors"),
        (np.zeros((5, 0)), "X (array, float64, 5 x 0) holds vectors without coordinates"),
        (
            np.zeros((5, 47)),
            "X (array, float64, 5 x 47) has 47 coordinates per vector, the model wants 48",
        ),
        (np.zeros((5, 48), dtype=complex), "X holds numbers of type complex128"),
        (np.zeros((5, 48), dtype=object), "X holds type object"),
        (np.full((5, 48), "a"), "X holds type <U1"),
        (np.ma.masked_all((5, 48)), "X is a masked array"),
        (None, "X holds type object"),
    ],
)
def test_arrays_that_are_no_vectors(model, array, words):
    for call in (model.encode, model.evaluate):
        assert words in message(ValueError, call, array)


def test_sparse_matrices_say_what_to_do(model):
    sparse = pytest.importorskip("scipy.sparse")
    assert "toarray()" in message(ValueError, model.encode, sparse.eye(48, format="csr"))


def test_the_words_are_those_of_the_program(x, tmp_path, program):
    """Wherever no option is named with dashes, the text is the same."""
    path = tmp_path / "x.npy"
    np.save(path, x)
    bad = x.copy()
    bad[3, 2] = np.nan
    np.save(tmp_path / "bad.npy", bad)
    (tmp_path / "cut.sfm").write_bytes(b"not a model")
    model = signfold.fit(path)
    model.save(tmp_path / "m.sfm")
    other = signfold.fit(path, seed=2)
    other.encode(x).save(tmp_path / "other.sfc")

    def fit(**named):
        words = [w for k, v in named.items() for w in (f"--{k}", v)]
        return program("fit", path, "--rate", 1, *words, "--out", "new.sfm"), lambda: signfold.fit(
            path, **named
        )

    gone = tmp_path / "gone.npy"
    cases = [
        fit(encoder="hadamrad"),
        fit(encoder="other"),
        fit(decoder="rigapm:3"),
        fit(decoder="rigamp:0"),
        fit(basis="pac"),
        fit(basis="dct2:9x9"),
        fit(prior="sparse-gausian:0.1"),
        fit(prior="sparse-gaussian:2"),
        fit(scale="f8"),
        (
            program("predict", "--prior", "gausian", "--rate", 1),
            lambda: signfold.predict("gausian", 1),
        ),
        (
            program("predict", "--prior", "gaussian", "--rate", 1, "--decoder", "network:2"),
            lambda: signfold.predict("gaussian", 1, decoder="network:2"),
        ),
        (program("encode", "m.sfm", "bad.npy", "--out", "o"), lambda: model.encode("bad.npy")),
        (program("encode", "m.sfm", gone, "--out", "o"), lambda: model.encode(gone)),
        (program("info", "cut.sfm"), None),
        (
            program("encode", "cut.sfm", path, "--out", "o"),
            lambda: Model.load("cut.sfm"),
        ),
        (
            program("decode", "other.sfc", "--model", "m.sfm", "--out", "o"),
            lambda: model.decode_file("other.sfc", "o"),
        ),
        (
            program("encode", "m.sfm", path, "--out", "no/o"),
            lambda: model.encode_file(path, "no/o"),
        ),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)  # as the program ran there: messages name files as they were given
        for said, call in cases:
            if call is not None:
                assert message((ValueError, OSError), call) == said
    assert {p.name for p in tmp_path.iterdir()} == {
        "x.npy",
        "bad.npy",
        "cut.sfm",
        "m.sfm",
        "other.sfc",
    }


def test_what_the_system_refuses_is_an_oserror(x, model, tmp_path):
    nowhere = tmp_path / "no" / "file"
    for call in (
        lambda: Model.load(nowhere),
        lambda: Codes.load(nowhere),
        lambda: signfold.fit(nowhere),
        lambda: model.save(nowhere),
        lambda: model.encode(x).save(nowhere),
        lambda: model.encode_file(x, nowhere),
    ):
        assert str(nowhere) in message(OSError, call)
    assert list(tmp_path.iterdir()) == []


def test_what_the_system_refuses_is_of_the_class_of_its_errno(x, model, tmp_path):
    nowhere = tmp_path / "no" / "file"
    (tmp_path / "plain").touch()
    for wanted, code, call in (
        (FileNotFoundError, errno.ENOENT, lambda: Model.load(nowhere)),
        (FileNotFoundError, errno.ENOENT, lambda: signfold.fit(nowhere)),
        (FileNotFoundError, errno.ENOENT, lambda: model.save(nowhere)),
        (NotADirectoryError, errno.ENOTDIR, lambda: model.save(tmp_path / "plain" / "file")),
        (OSError, errno.ENAMETOOLONG, lambda: Model.load("n" * 300)),
        (IsADirectoryError, errno.EISDIR, lambda: Model.load(tmp_path)),
        (IsADirectoryError, errno.EISDIR, lambda: model.save(tmp_path)),
        (OSError, None, lambda: Model.load("/dev/null")),  # it is no file: found without the system
    ):
        with pytest.raises(OSError) as caught:
            call()
        assert type(caught.value) is wanted
        assert caught.value.errno == code
        assert str(caught.value).startswith("cannot ")


def test_a_file_is_not_replaced_by_what_is_made_from_it(x, model, tmp_path):
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x)
    model.encode_file(x, tmp_path / "x.sfc")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    for data, out in (("x.npy", "x.npy"), ("x.npz", "x.npz"), ("x.npz:x", "x.npz")):
        assert message(ValueError, model.encode_file, str(tmp_path / data), tmp_path / out) == (
            f"path {tmp_path / out} would replace {tmp_path / out}, which is read: "
            "name another file"
        )
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert "which is read" in message(ValueError, model.encode_file, mapped[5:], tmp_path / "x.npy")
    out = tmp_path / "x.sfc"
    assert message(ValueError, model.decode_file, out, out) == (
        f"path {out} would replace {out}, which is read: name another file"
    )
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_codes_of_another_model(x, model):
    other = signfold.fit(x, rate=1.5, seed=2)
    assert "written by another model" in message(ValueError, model.decode, other.encode(x))


def test_codes_that_are_wrong(x, model):
    codes = model.encode(x)
    short = Codes(codes.bits[:, :5], codes.scales, codes.fingerprint, 48, 72, "f16")
    assert "codes of 5 bytes" in message(ValueError, model.decode, short)
    none = Codes(codes.bits, None, codes.fingerprint, 48, 72, "f16")
    assert "0 scales" in message(ValueError, model.decode, none)
    negative = Codes(codes.bits, -codes.scales, codes.fingerprint, 48, 72, "f16")
    assert "is not a scale to decode with" in message(ValueError, model.decode, negative)
    floats = Codes(codes.bits.astype(np.float32), codes.scales, codes.fingerprint, 48, 72, "f16")
    assert "they must be uint8" in message(ValueError, model.decode, floats)


def test_options_that_are_wrong(x, model):
    assert "rate" in message(ValueError, signfold.fit, x, rate=0)
    assert "unknown center 'no'" in message(ValueError, signfold.fit, x, center="no")
    assert "max_rows is 1" in message(ValueError, signfold.fit, x, max_rows=1)
    assert "steps goes with decoder network:L" == message(ValueError, signfold.fit, x, steps=5)
    assert "an item_shape of 5 x 6 does not fit vectors of 48 coordinates" in message(
        ValueError, signfold.fit, x, item_shape=(5, 6)
    )
    # (2^60 + 3) 16 is 48 modulo 2^64.
    for shape in ((2**60 + 3, 16), (2**32, 2**32, 48), (0, 5), (48, 2), (5,)):
        assert "does not fit" in message(ValueError, signfold.fit, x, item_shape=shape)
    assert "item_shape goes with arrays" in message(
        ValueError, signfold.fit, "x.npy", item_shape=(5, 6)
    )
    codes = model.encode(x)
    assert "layers must be 0" in message(ValueError, model.decode, codes, layers=99)
    assert "layers must be 0" in message(ValueError, model.decode, codes, layers=-1)


def test_arrays_that_decode_cannot_write_into(x, model):
    codes = model.encode(x)
    size = (300, 48)
    read_only = np.empty(size, np.float32)
    read_only.flags.writeable = False
    odd = np.zeros(read_only.nbytes + 1, np.uint8)[1:].view(np.float32).reshape(size)
    for out in (np.empty((3, 48), np.float32), np.empty(size), read_only):
        assert message(ValueError, model.decode, codes, out=out).startswith(
            f"out is {out.dtype} of shape {out.shape}; it must be writeable float32 of shape {size}"
        )
    for out in (
        np.empty(size[::-1], np.float32).T,
        np.empty((300, 96), np.float32)[:, ::2],
        np.empty(size, np.float32)[::-1],
        np.lib.stride_tricks.as_strided(np.empty(348, np.float32), size, (4, 4)),
        odd,
    ):
        assert message(ValueError, model.decode, codes, out=out).startswith("out has strides of")
    assert "out is [1]; it must be a float32 array" in message(
        TypeError, model.decode, codes, out=[1]
    )


def test_what_are_no_codes(x, model):
    codes = model.encode(x)
    assert "codes is a ndarray; it must be what encode or Codes.load return" == message(
        TypeError, model.decode, codes.bits
    )


COUNT = "it must be a whole number, 0 or more"


def test_arguments_of_another_type(x, model):
    """Messages name them: pybind11 says arg0."""
    fit, train, codes = signfold.fit, signfold.train, model.encode(x)
    wrong = [
        ({"seed": -1}, f"seed is -1; {COUNT}"),
        ({"seed": 2**64}, "seed is 18446744073709551616; it must be below 2^64"),
        ({"rate": None}, "rate is None; it must be a number"),
        ({"rate": "one"}, "rate is 'one'; it must be a number"),
        ({"rate": [1, 2]}, "rate is [1, 2]; it must be a number"),
        ({"rate": np.ones(300)}, "rate is a ndarray; it must be a number"),
        ({"max_rows": 1e5}, f"max_rows is 100000.0; {COUNT}"),
        ({"threads": 1.5}, "threads is 1.5; it must be a whole number"),
        ({"threads": 2**40}, "threads is 1099511627776; it must be below 2^31"),
        ({"encoder": 3}, "encoder is 3; it must be a string"),
        ({"decoder": None}, "decoder is None; it must be a string"),
        ({"decoder": "\udcff"}, "decoder is '\\udcff'; it must be a string"),
        ({"center": True}, "center is True; it must be a string"),
        ({"scale": None}, "scale is None; it must be a string"),
        ({"decoder": "network:2", "steps": 10.0}, f"steps is 10.0; {COUNT}"),
        ({"item_shape": 48}, "item_shape is 48; it must be a sequence of whole numbers, 0 or more"),
        ({"item_shape": (6.0, 8)}, "item_shape is (6.0, 8); it must be a sequence"),
        ({"progress": 3}, "progress is 3; it must be a function, or None"),
    ]
    for named, words in wrong:
        assert message(TypeError, fit, x, **named).startswith(words), named
    for named, words in (
        ({"steps": 10.0}, f"steps is 10.0; {COUNT}"),
        ({"seed": -1}, f"seed is -1; {COUNT}"),
        ({"rate": "1"}, "rate is '1'; it must be a number"),
        ({"batch": -1}, f"batch is -1; {COUNT}"),
        ({"start": 3}, "start is 3; it must be a string"),
        ({"optimizer": 3}, "optimizer is 3; it must be a string"),
        ({"progress": "yes"}, "progress is 'yes'; it must be a function, or None"),
    ):
        options = {"rate": 1, "steps": 2} | named
        assert message(TypeError, train, "gaussian", 8, **options).startswith(words), named
    assert "stages is [8.5]" in message(TypeError, train, data=x, stages=[8.5])
    assert "hidden is ['a']" in message(TypeError, train, data=x, stages=[8], hidden="a")
    assert "dim is 8.0; it must be" in message(TypeError, train, "gaussian", 8.0, rate=1)
    calls = [
        (model.encode, {"X": x, "threads": "two"}, "threads is 'two'"),
        (model.encode, {"X": x, "search": -1}, "search is -1"),
        (model.evaluate, {"X": x, "threads": 1.5}, "threads is 1.5"),
        (model.evaluate, {"X": x, "progress": 1}, "progress is 1"),
        (model.decode, {"codes": codes, "threads": 1.5}, "threads is 1.5"),
        (model.decode, {"codes": codes, "layers": 0.5}, "layers is 0.5"),
        (model.encode_file, {"X": x, "path": "o", "threads": 1.5}, "threads is 1.5"),
        (model.decode_file, {"codes": "a", "path": "o", "threads": 1.5}, "threads is 1.5"),
        (codes.truncate, {"stages": 1.0}, "stages is 1.0"),
        (signfold.fit_prior, {"prior": "gaussian", "dim": 8.0}, "dim is 8.0"),
        (signfold.fit_prior, {"prior": None, "dim": 8}, "prior is None"),
        (signfold.predict, {"prior": "gaussian", "rate": "1"}, "rate is '1'"),
        (signfold.predict, {"prior": 1, "rate": 1}, "prior is 1"),
        (signfold.simulate, {"prior": "gaussian", "rate": 1, "seed": -1}, "seed is -1"),
        (signfold.simulate, {"prior": "gaussian", "rate": 1, "samples": 9.0}, "samples is 9.0"),
        (signfold.priors.sample, {"prior": "gaussian", "n": 3.0}, "n is 3.0"),
        (signfold.priors.sample, {"prior": "gaussian", "n": 3, "seed": -1}, "seed is -1"),
        (signfold.priors.posterior, {"prior": "gaussian", "y": 1, "precision": ""}, "precision is"),
        (signfold.priors.mmse, {"prior": "gaussian", "precision": None}, "precision is None"),
    ]
    for call, named, words in calls:
        assert message(TypeError, call, **named).startswith(f"{words}"), (call, named)


@pytest.mark.parametrize("value", ["no", 2, 1.0, [], np.ones(2)])
def test_flags_are_true_or_false(x, value):
    assert "whiten is " in message(TypeError, signfold.fit, x, whiten=value)
    assert "resume is " in message(TypeError, signfold.train, "gaussian", 8, resume=value)


def test_flags_may_be_booleans_of_numpy(x):
    model, _ = signfold.train("gaussian", 8, rate=1, steps=2, splines=np.False_)
    assert model.bits == 8
    one, two = (signfold.fit(x, whiten=yes, decoder="linear") for yes in (True, np.True_))
    assert one.fingerprint == two.fingerprint
    assert signfold.fit(x, splines=np.False_, own_matrix=0, decoder="linear").bits == 48


def test_options_of_train_that_are_wrong(x):
    train = signfold.train
    assert "give either prior and dim, or data" == message(ValueError, train, rate=1)
    assert "give either" in message(ValueError, train, "gaussian", 8, data=x, rate=1)
    assert "goes with dim" in message(ValueError, train, "gaussian", rate=1)
    assert "test goes with data" in message(ValueError, train, "gaussian", 8, test=x, rate=1)
    assert "dim goes with prior" in message(ValueError, train, data=x, dim=8, rate=1)
    assert "batch has no meaning for method population" == message(
        ValueError, train, "gaussian", 8, rate=1, method="population", batch=4
    )
    assert "masks has no meaning for method straight-through" == message(
        ValueError, train, "gaussian", 8, rate=1, masks=4
    )
    assert "go with decoder network:L" in message(
        ValueError, train, "gaussian", 8, rate=1, splines=True
    )
    assert "resume goes with checkpoint" in message(
        ValueError, train, "gaussian", 8, rate=1, resume=True
    )
    assert "unknown" in message(ValueError, train, "gaussian", 8, rate=1, optimizer="newton")
    assert "data has 1 axes" in message(ValueError, train, data=np.zeros(4), rate=1)


def test_a_damaged_code_file(x, model, tmp_path):
    path = tmp_path / "x.sfc"
    model.encode(x).save(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert f"{path} is damaged" in message(ValueError, Codes.load, path)


def test_models_that_cannot_be_unpickled(model):
    function, (data,) = model.__reduce__()
    assert "a pickled model" in message(ValueError, function, data[:-1])


def test_nothing_is_printed(capfd, x):
    model = signfold.fit(x)
    model.evaluate(x)
    message(ValueError, model.encode, sparse_rows(2, 3))
    assert capfd.readouterr() == ("", "")
