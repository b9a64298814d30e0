"""Codes: what picks some of them, and lengths that do not fit, which must not reach past memory."""

from dataclasses import replace

import numpy as np
import pytest

import signfold
from signfold import _core


@pytest.fixture(scope="module")
def codes(model, x):
    return model.encode(x)


@pytest.mark.parametrize(
    "index",
    [
        np.uint64(7),
        np.int8(7),
        np.array(7),
        np.array(7, dtype=np.uint8),
        -293,
        np.int64(-293),
    ],
)
def test_one_number_is_one_code(codes, index):
    one = codes[index]
    assert one.bits.shape == (1, 9) and one.scales.shape == (1,)
    np.testing.assert_array_equal(one.bits[0], codes.bits[7])
    assert one.scales[0] == codes.scales[7]


@pytest.mark.parametrize(
    "index",
    [
        [],
        range(2, 5),
        np.array([1, 2], dtype=np.uint64),
        [np.uint64(3), np.uint64(4)],
        [True] * 300,
    ],
)
def test_many_numbers_are_as_many_codes(codes, index):
    some = codes[index]
    wanted = np.asarray(index, dtype=None if len(index) else int)
    np.testing.assert_array_equal(some.bits, codes.bits[wanted])
    np.testing.assert_array_equal(some.scales, codes.scales[wanted])


@pytest.mark.parametrize(
    "index",
    [
        True,
        np.True_,
        np.array(True),
        None,
        ...,
        (1, 2),
        (),
        (slice(None), 0),
        1.0,
        [1.5],
        "3",
        [[1, 2]],
        np.zeros((300, 1), dtype=bool),
        np.zeros(0),
        300,
        -301,
        2**70,
    ],
    ids=str,
)
def test_what_is_no_index(codes, index):
    with pytest.raises(IndexError):
        codes[index]


def test_codes_are_iterated_one_by_one(codes):
    assert "__iter__" in vars(signfold.Codes)  # without it typing.Iterable does not know
    ones = list(codes[:3])
    assert [len(one) for one in ones] == [1, 1, 1]
    np.testing.assert_array_equal(np.concatenate([one.bits for one in ones]), codes.bits[:3])


@pytest.mark.parametrize("scales", [np.ones(299, np.float32), np.ones((300, 1), np.float32), [1.0]])
def test_scales_that_are_not_one_for_each_code(codes, scales):
    with pytest.raises(ValueError, match="for 300 codes; there must be one for each"):
        replace(codes, scales=scales)


def write(codes, path, **changes):
    """What Codes.save does, less the checks of Codes."""
    arguments = {
        "path": bytes(path),
        "fingerprint": codes.fingerprint,
        "dim": codes.dim,
        "bits_per_code": codes.code_bits,
        "stages": codes.stages,
        "staged": codes.staged,
        "scale": codes.scale,
        "bits": codes.bits,
        "scales": codes.scales,
    }
    _core.write_codes(**arguments | changes)


def test_the_module_reads_no_scales_that_are_not_there(codes, tmp_path):
    """The memory behind them would be written to the file."""
    for count in (0, 1, 299):
        few = codes.scales[:count].copy()
        with pytest.raises(ValueError, match=f"{count} scales for 300 codes"):
            write(codes, tmp_path / "x.sfc", scales=few)
    assert list(tmp_path.iterdir()) == []
    write(codes, tmp_path / "x.sfc")
    np.testing.assert_array_equal(signfold.Codes.load(tmp_path / "x.sfc").bits, codes.bits)


@pytest.mark.parametrize(
    "scales",
    [np.ones(300), np.ones(600, np.float32)[::2], [1.0] * 300],
    ids=["f8", "strided", "list"],
)
def test_the_module_converts_no_scales(model, codes, scales, tmp_path):
    """It would look at the converted array when that is gone."""
    with pytest.raises(ValueError, match="not neighbouring float32"):
        write(codes, tmp_path / "x.sfc", scales=scales)
    out = np.empty((300, 48), np.float32)
    with pytest.raises(ValueError, match="not neighbouring float32"):
        model._core.decode(codes.bits, scales, -1, out, 0)
    # Codes convert them, and keep what they converted.
    np.testing.assert_array_equal(
        model.decode(replace(codes, scales=scales)),
        model.decode(replace(codes, scales=np.ones(300, np.float32))),
    )


def test_scales_that_are_not_aligned(model, codes):
    odd = np.frombuffer(b"0" + codes.scales.tobytes(), dtype=np.float32, offset=1)
    assert not odd.flags.aligned
    with pytest.raises(ValueError, match="not aligned"):
        model._core.decode(codes.bits, odd, -1, np.empty((300, 48), np.float32), 0)
    np.testing.assert_array_equal(model.decode(replace(codes, scales=odd)), model.decode(codes))


def test_the_module_writes_no_posteriors_that_have_no_place():
    y = np.zeros(100)
    for sizes in ((100, 99), (99, 100)):
        mean, variance = (np.empty(size) for size in sizes)
        with pytest.raises(ValueError, match="for 100 observations"):
            _core.posterior(b"gaussian", y, 1.0, mean, variance)
    with pytest.raises(TypeError):  # every second number has no place of its own
        _core.posterior(b"gaussian", y, 1.0, np.empty(200)[::2], np.empty(100))
