"""Arrays of every type, order and stride: the same codes, and no copy where none is needed."""

import os
import subprocess
import sys

import numpy as np
import pytest

import signfold
from signfold import _core
from signfold.vectors import check_numpy, open_vectors


def layouts(x):
    """The same float32 numbers in other clothes: (name, array, whether it is read where it
    lies)."""
    wide = np.zeros((len(x), 100), dtype=np.float32)
    wide[:, 10 : 10 + x.shape[1]] = x
    tall = np.zeros((3 * len(x), x.shape[1]), dtype=np.float32)
    tall[::3] = x
    doubled = np.repeat(x, 2, axis=1)
    odd = np.zeros(x.nbytes + 1, dtype=np.uint8)
    odd[1:] = np.frombuffer(x.tobytes(), dtype=np.uint8)
    yield "C", x, True
    yield "columns of a wider one", wide[:, 10 : 10 + x.shape[1]], True
    yield "every third row", tall[::3], True
    yield "read-only", np.frombuffer(x.tobytes(), dtype=np.float32).reshape(x.shape), True
    yield "Fortran", np.asfortranarray(x), False
    yield "every second column", doubled[:, ::2], False
    yield "backwards twice", np.ascontiguousarray(x[::-1])[::-1], False
    yield "mirrored twice", np.ascontiguousarray(x[:, ::-1])[:, ::-1], False
    yield "unaligned", odd[1:].view(np.float32).reshape(x.shape), False
    yield "float64", x.astype(np.float64), False
    yield "float64, Fortran", np.asfortranarray(x, dtype=np.float64), False
    yield "float64, strided", np.repeat(x.astype(np.float64), 3, axis=0)[::3], False
    yield "longdouble", x.astype(np.longdouble), False
    yield "other byte order", x.astype(x.dtype.newbyteorder()), True  # once it is copied
    yield "images", x.reshape(len(x), 6, 8), True
    yield "images, channels last", np.ascontiguousarray(
        x.reshape(-1, 3, 16).transpose(0, 2, 1)
    ).transpose(0, 2, 1), False


def same_codes(one, two):
    np.testing.assert_array_equal(one.bits, two.bits)
    np.testing.assert_array_equal(one.scales, two.scales)


def test_every_layout_gives_the_same_codes(x, model):
    wanted = model.encode(x)
    for name, array, in_place in layouts(x):
        assert open_vectors(array).in_place == in_place, name
        same_codes(model.encode(array), wanted)


#: The fingerprint is that of the encode side: the decoder does not matter.
QUICK = {"encoder": "hadamard", "decoder": "linear", "prior": "gaussian"}


def test_every_layout_gives_the_same_model(x):
    wanted = signfold.fit(x, **QUICK).fingerprint
    for name, array, _ in layouts(x):
        fitted = signfold.fit(array, **QUICK)
        assert fitted.fingerprint == wanted, name


def test_every_layout_gives_the_same_risk(x, model):
    wanted = model.evaluate(x).layers
    for name, array, _ in layouts(x):
        assert model.evaluate(array).layers == wanted, name


@pytest.mark.parametrize(
    "kind", ["bool", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", ">i2", ">f8"]
)
def test_numbers_become_their_value(kind):
    rng = np.random.default_rng(1)
    small = rng.integers(0, 2 if kind == "bool" else 100, size=(200, 32))
    if np.dtype(kind).kind in "if":
        small = small - 50
    model = signfold.fit(small.astype(np.float32))
    wanted = model.encode(small.astype(np.float32))
    array = small.astype(kind)
    assert not open_vectors(array).in_place
    same_codes(model.encode(array), wanted)
    same_codes(model.encode(np.asfortranarray(array)), wanted)


def test_lists_and_one_row(x, model):
    same_codes(model.encode(x[:2].tolist()), model.encode(x[:2]))
    same_codes(model.encode(x[:1]), model.encode(x)[:1])
    same_codes(model.encode(np.broadcast_to(x[0], (5, 48))), model.encode(np.tile(x[0], (5, 1))))


def test_many_blocks_are_one_array(model):
    """More rows than are converted at once (8192)."""
    x = np.random.default_rng(2).normal(size=(20001, 48)).astype(np.float32)
    wanted = model.encode(x)
    same_codes(model.encode(x.astype(np.float64)), wanted)
    same_codes(model.encode(np.asfortranarray(x)), wanted)


def test_memory_maps(x, model, tmp_path):
    np.save(tmp_path / "x.npy", x.astype(np.float64))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert isinstance(mapped, np.memmap)
    same_codes(model.encode(mapped), model.encode(x))
    out = np.memmap(tmp_path / "y", dtype=np.float32, mode="w+", shape=x.shape)
    model.decode(model.encode(mapped), out=out)
    np.testing.assert_array_equal(out, model.decode(model.encode(x)))


LARGE = """
import resource, sys
import numpy as np, signfold
model = signfold.fit_prior("gaussian", 1024, rate=1, decoder="linear")
rows, kind = int(sys.argv[2]), sys.argv[3]
x = np.memmap(sys.argv[1], dtype=kind, mode="r", shape=(rows, 1024))
model.encode(x[:4])  # memory that every later call needs too
before = int(next(l for l in open("/proc/self/status") if l.startswith("VmData")).split()[1]) << 10
most = before + (96 << 20)
resource.setrlimit(resource.RLIMIT_DATA, (most, most))
codes = model.encode(x)
assert len(codes) == rows
print("done")
"""


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_a_memory_map_larger_than_memory_streams(kind, tmp_path):
    """512 MB of vectors, and 96 MB of memory beyond what is there already (8 or 16 MB are codes).

    The kernel counts private memory only: not the pages of the file, which it can drop.
    """
    rows = (512 << 20) // (1024 * np.dtype(kind).itemsize)
    path = tmp_path / "zeros"
    path.touch()
    os.truncate(path, rows * 1024 * np.dtype(kind).itemsize)
    done = subprocess.run(
        [sys.executable, "-c", LARGE, path, str(rows), kind],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "done\n", done.stderr


def test_the_module_can_read_the_arrays_of_this_numpy():
    """pybind11 before 2.12 misreads those of NumPy 2."""
    check_numpy("1.26.4", (2, 10))
    check_numpy("2.1.0", (2, 12))
    check_numpy("2.0.0rc1", (3, 0))
    with pytest.raises(ImportError, match="pybind11 2.11, .* NumPy 2.0.0rc1: install numpy<2"):
        check_numpy("2.0.0rc1", (2, 11))
    major, minor = _core.pybind11_version
    header = subprocess.run(
        [sys.executable, "-c", "import numpy; numpy.__version__ = '2.3.1'; import signfold"],
        capture_output=True,
        text=True,
        check=False,
    )
    refused = f"ImportError: signfold was built with pybind11 {major}.{minor}" in header.stderr
    assert refused == ((major, minor) < (2, 12)), header.stderr
