"""Where vectors come from: arrays of any type, order and strides, and files."""

import os
from typing import Any, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _core

Path = Union[str, "os.PathLike[str]"]
#: An array of vectors (n x d, or n x the shape of one), or the path of a file of vectors.
Vectors = Union[npt.ArrayLike, "os.PathLike[str]"]


def path_text(path: Path) -> str:
    """The path as text."""
    return os.fsdecode(os.fspath(path))


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
        return _core.open_source(path_text(vectors))
    array = _as_array(vectors, name)
    shape = " x ".join(str(n) for n in array.shape)
    return _core.ArraySource(
        array,
        f"{name} (array, {array.dtype}, {shape})",
        [] if item_shape is None else list(item_shape),
    )


def _as_array(vectors: Any, name: str) -> npt.NDArray[Any]:
    if isinstance(vectors, np.ma.MaskedArray):
        raise ValueError(f"{name} is a masked array; fill the missing values first")
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
