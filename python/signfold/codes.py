"""Codes: packed bits, and the norms beside them."""

import operator
from dataclasses import dataclass, replace
from typing import Any, Iterator, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _core
from .arguments import integer, shown
from .vectors import Path, path_bytes

#: What picks some of the codes.
Index = Union[
    int, np.integer[Any], slice, Sequence[int], npt.NDArray[np.integer[Any]], npt.NDArray[np.bool_]
]


#: Bytes that a file stores of a norm.
SCALE_BYTES = {"none": 0, "f16": 2, "f32": 4}


@dataclass(frozen=True, eq=False, repr=False)
class Codes:
    """The codes of n vectors.

    `codes[3]`, `codes[10:20]`, `codes[mask]` and `codes[[4, 2]]` are the codes of some of them.
    Slices share the memory of what they were taken from, as slices of arrays do. An index that is
    not there, or is none of these, is an IndexError.

    >>> import signfold
    >>> x = signfold.priors.sample("gaussian", 100, 64, seed=1)
    >>> codes = signfold.fit(x, rate=0.5).encode(x)
    >>> codes
    Codes(100 vectors of 64 coordinates, 32 bits + f16 scale = 6 bytes each)
    >>> len(codes[10:20])
    10
    """

    bits: npt.NDArray[np.uint8]
    """n x ceil(code_bits / 8): bit i of a code is bit i % 8 (0 = lowest) of byte i // 8."""
    scales: npt.NDArray[np.float32] | None
    """n norms, |x| / (sqrt(d) unit of the model); None where the model stores none."""
    fingerprint: int
    """Of the model that wrote them: another model with the same encode side can read them too."""
    dim: int
    """Coordinates of a vector."""
    code_bits: int
    """Bits of a code."""
    scale: str
    """How a file stores the norm: "none", "f16" or "f32"."""
    stages: tuple[int, ...] = ()
    """Bits of each stage, which lie one after the other; one stage unless the code is staged."""
    staged: bool = False
    """Whether a staged code wrote them: a file then spends exactly their bits, not whole bytes."""

    def __post_init__(self) -> None:
        stages = tuple(self.stages) or (self.code_bits,)
        if sum(stages) != self.code_bits or min(stages) < 1:
            raise ValueError(f"stages of {added(stages)} bits do not make {self.code_bits} bits")
        if len(stages) > 1 and not self.staged:
            raise ValueError(f"{len(stages)} stages, but not of a staged code")
        object.__setattr__(self, "stages", stages)
        if self.scales is not None and np.shape(self.scales) != (len(self.bits),):
            raise ValueError(
                f"scales of shape {np.shape(self.scales)} for {len(self.bits)} codes; "
                "there must be one for each"
            )

    def __len__(self) -> int:
        return len(self.bits)

    def __getitem__(self, index: Index) -> "Codes":
        rows = _rows(index, len(self))
        scales = None if self.scales is None else self.scales[rows]
        return replace(self, bits=self.bits[rows], scales=scales)

    def __iter__(self) -> Iterator["Codes"]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        stages = f" in stages of {added(self.stages)}" if len(self.stages) > 1 else ""
        scale = "" if self.scale == "none" else f" + {self.scale} scale"
        size = self.code_bits if self.staged else 8 * code_bytes(self.code_bits)
        size += 8 * SCALE_BYTES[self.scale]
        each = f"{size // 8} bytes each" if size % 8 == 0 else f"{size} bits each"
        return (
            f"Codes({len(self)} vectors of {self.dim} coordinates, "
            f"{self.code_bits} bits{stages}{scale} = {each})"
        )

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.bits.nbytes + (0 if self.scales is None else self.scales.nbytes)

    def truncate(self, stages: int) -> "Codes":
        """The first stages of the codes: the same vectors at a lower rate.

        They decode to what `model.decode(codes, stages=...)` gives, and share the memory of these
        where whole bytes are kept. `signfold truncate` keeps the same bits of a file.

        >>> import signfold
        >>> x = signfold.priors.sample("gaussian", 500, 32, seed=1)
        >>> codes = signfold.train(data=x, stages=[16, 16], hidden=4).model.encode(x)
        >>> codes
        Codes(500 vectors of 32 coordinates, 32 bits in stages of 16 + 16 = 4 bytes each)
        >>> codes.truncate(1)
        Codes(500 vectors of 32 coordinates, 16 bits = 2 bytes each)
        """
        count, stages = len(self.stages), integer("stages", stages)
        if not 1 <= stages <= count:
            raise ValueError(
                f"the codes have {count} stage{'' if count == 1 else 's'}: "
                f"{stages} of them cannot be taken"
            )
        kept = self.stages[:stages]
        bits = self.bits[:, : code_bytes(sum(kept))]
        if sum(kept) % 8 and sum(kept) < self.code_bits:
            bits = bits.copy()
            bits[:, -1] &= (1 << sum(kept) % 8) - 1
        return replace(self, bits=bits, code_bits=sum(kept), stages=kept)

    def save(self, path: Path) -> None:
        """Writes a code file (.sfc), with the bytes that `signfold encode` writes.

        The file appears when it is complete.
        """
        _core.write_codes(
            path_bytes(path),
            self.fingerprint,
            self.dim,
            self.code_bits,
            self.stages,
            self.staged,
            self.scale,
            packed(self.bits),
            contiguous_scales(self.scales),
        )

    @staticmethod
    def load(path: Path) -> "Codes":
        """Reads a code file, whoever wrote it, and compares every checksum."""
        (fingerprint, dim, code_bits, stages, staged, scale, bits, scales) = _core.read_codes(
            path_bytes(path)
        )
        return Codes(bits, scales, fingerprint, dim, code_bits, scale, tuple(stages), staged)


def _rows(index: Any, count: int) -> Any:
    """Slice, numbers or mask of the codes: what leaves an axis of vectors."""
    if isinstance(index, slice):
        return index
    if _is_number(index):
        row = operator.index(index)
        if not -count <= row < count:
            raise IndexError(f"code {row} of {count}")
        return slice(row, row + 1 or None)
    rows = np.asarray(None if isinstance(index, tuple) else index)
    if rows.size == 0 and isinstance(index, Sequence):
        rows = rows.astype(np.intp)  # [] has no numbers that say its type
    if rows.ndim != 1 or rows.dtype.kind not in "iub":
        raise IndexError(
            f"codes[{shown(index)}]: take an integer, a slice, a list of integers, or a mask"
        )
    return rows


def _is_number(index: Any) -> bool:
    """Not bool, which NumPy takes for a mask without axes."""
    if isinstance(index, np.ndarray):
        return index.ndim == 0 and index.dtype.kind in "iu"
    return isinstance(index, (int, np.integer)) and not isinstance(index, bool)


def code_bytes(bits: int) -> int:
    """Bytes that hold a code."""
    return (bits + 7) // 8


def added(stages: Sequence[int]) -> str:
    """The bits of stages in words: "96 + 96 + 200"."""
    return " + ".join(map(str, stages))


def packed(bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The bits as the library takes them.

    A copy only where bytes of a code are not neighbours, or rows run backwards.
    """
    bits = np.asarray(bits)
    if bits.dtype != np.uint8 or bits.ndim != 2:
        raise ValueError(
            f"bits of type {bits.dtype} with {bits.ndim} axes; "
            "they must be uint8, one row of bytes per vector"
        )
    fits = bits.strides[1] == 1 and (len(bits) <= 1 or bits.strides[0] >= bits.shape[1])
    return bits if fits else np.ascontiguousarray(bits)


def contiguous_scales(scales: npt.NDArray[np.float32] | None) -> npt.NDArray[np.float32] | None:
    """The scales as the library takes them."""
    return None if scales is None else np.require(scales, np.float32, ["C", "A"])
