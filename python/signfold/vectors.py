"""Where vectors come from: arrays of any type, order and strides, and files."""

import os
from typing import Any, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _core
from .arguments import counts

Path = Union[str, "os.PathLike[str]"]
#: An array of vectors (n x d, or n x the shape of one), or the path of a file of vectors.
Vectors = Union[npt.ArrayLike, "os.PathLike[str]"]


def check_numpy(version: str, pybind11: tuple[int, int]) -> None:
    """ImportError where the module was built with a pybind11 that cannot read the arrays of this
    NumPy."""
    if int(version.split(".")[0]) >= 2 and pybind11 < (2, 12):
        raise ImportError(
            f"signfold was built with pybind11 {pybind11[0]}.{pybind11[1]}, which cannot read the "
            f"arrays of NumPy {version}: install numpy<2, or build it with pybind11 2.12 or later"
        )


check_numpy(np.__version__, _core.pybind11_version)


def path_bytes(path: Path) -> bytes:
    """The path as the system takes it: its bytes need not be UTF-8.

    ValueError for a path with a NUL, where the system would cut it.
    """
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise ValueError(f"there is a NUL in the path {os.fsdecode(encoded)!r}")
    return encoded


def open_vectors(
    vectors: Vectors, name: str = "X", item_shape: Sequence[int] | None = None
) -> _core.Source:
    """The vectors as the library reads them. Arrays are not copied.

    Two kinds of arrays are, as a whole: those in the byte order of another machine, and wider
    floats than float64.
    """
    if isinstance(vectors, (str, os.PathLike)):
        if item_shape is not None:
            raise ValueError(
                "item_shape goes with arrays; the vectors of a file have a shape of their own"
            )
        return _core.open_source(path_bytes(vectors))
    array = _as_array(vectors, name)
    shape = " x ".join(str(n) for n in array.shape)
    return _core.ArraySource(
        array,
        f"{name} (array, {array.dtype}, {shape})",
        [] if item_shape is None else counts("item_shape", item_shape),
    )


def refuse_masked(array: Any, name: str) -> None:
    """ValueError for an array with a mask, which everything else would read past."""
    if isinstance(array, np.ma.MaskedArray):
        raise ValueError(f"{name} is a masked array; fill the missing values first")


def _as_array(vectors: Any, name: str) -> npt.NDArray[Any]:
    refuse_masked(vectors, name)
    array = np.asarray(vectors)
    if array.dtype.kind not in "fiub":
        what = (
            f"numbers of type {array.dtype}" if array.dtype.kind == "c" else f"type {array.dtype}"
        )
        hint = "; a sparse matrix has toarray()" if hasattr(vectors, "toarray") else ""
        raise ValueError(f"{name} holds {what}; it must be an array of real numbers{hint}")
    if array.ndim < 2:
        raise ValueError(
            f"{name} has {array.ndim} axes; it must have one row per vector "
            "(one vector x: x.reshape(1, -1))"
        )
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        return array.astype(np.float64)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
