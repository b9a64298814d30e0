"""Models: all that it takes to encode and decode vectors, and to know the error beforehand."""

import os
from typing import Any, Callable, Mapping

import numpy as np
import numpy.typing as npt

from . import _core
from .arguments import checked, shown, small
from .codes import Codes, added, contiguous_scales, packed
from .risks import Evaluation, Prefix, layer_risks, prefix_risks
from .vectors import Path, Vectors, open_vectors, path_bytes

#: Called now and then with (done, total) units of work; total 0 = unknown.
Progress = Callable[[int, int], None]


class Model:
    """What `fit`, `fit_prior` and `train` return, and `Model.load` reads. It never changes.

    >>> import signfold
    >>> x = signfold.priors.sample("sparse-gaussian:0.2", 500, 64, seed=1)
    >>> model = signfold.fit(x, rate=2)
    >>> model.dim, model.bits, model.bits_per_vector, model.encoder
    (64, 128, 144, 'hadamard')
    >>> model.decode(model.encode(x[:3])).shape
    (3, 64)
    """

    def __init__(self, core: _core.Model) -> None:
        self._core = core
        self._fingerprint = core.fingerprint  # a hash of all that encodes: not for every call

    # --- what it is

    @property
    def dim(self) -> int:
        """Coordinates of a vector, d."""
        return self._core.dim

    @property
    def bits(self) -> int:
        """Bits of a code."""
        return self._core.bits

    @property
    def bits_per_vector(self) -> int:
        """All stored bits of a vector: its code, whole bytes unless it is staged, and its norm."""
        return self._core.bits_per_vector

    @property
    def scale(self) -> str:
        """How the norm of a vector is stored: "f16", "f32" or "none"."""
        return self._core.scale

    @property
    def unit(self) -> float:
        """Root mean square of a transformed training coordinate; scales of codes relate to it."""
        return self._core.unit

    @property
    def encoder(self) -> str:
        """The name of the encoder, e.g. "hadamard"; "staged" for a staged code."""
        return self._core.encoder

    @property
    def decoder(self) -> str:
        """The form of the decoder."""
        return self._core.decoder

    @property
    def basis(self) -> str:
        """Where the decoder looks for structure."""
        return self._core.basis

    @property
    def seed(self) -> int:
        """Of the encoder."""
        return self._core.seed

    @property
    def layers(self) -> int:
        """Layers of the decoder behind the linear one; 0 for a staged code, which has stages."""
        return 0 if self._core.staged else self._core.depth

    @property
    def stages(self) -> tuple[int, ...]:
        """Bits of each stage; one stage, (bits,), unless the code is staged."""
        return tuple(self._core.stages)

    @property
    def prefixes(self) -> tuple[Prefix, ...]:
        """What 1, 2, ... stages of a staged code store and give; empty for other codes.

        >>> import signfold
        >>> x = signfold.priors.sample("gaussian", 500, 32, seed=1)
        >>> model = signfold.train(data=x, stages=[16, 16], hidden=4).model
        >>> [(prefix.stages, prefix.bits_per_vector) for prefix in model.prefixes]
        [(1, 16), (2, 32)]
        >>> 1 > model.prefixes[0].predicted > model.prefixes[1].predicted == model.predicted_risk
        True
        """
        if not self._core.staged:
            return ()
        stages = self.stages
        norm = self.bits_per_vector - self.bits
        return tuple(
            Prefix(s, sum(stages[:s]) + norm, self._core.predicted_risk(s))
            for s in range(1, len(stages) + 1)
        )

    @property
    def item_shape(self) -> tuple[int, ...]:
        """Shape of one training vector: `model.decode(codes).reshape(-1, *model.item_shape)`."""
        return tuple(self._core.item_shape) or (self.dim,)

    @property
    def metadata(self) -> Mapping[str, str]:
        """What it was fitted on, in words."""
        return self._core.metadata

    @property
    def fingerprint(self) -> int:
        """A hash of the encode side; codes carry it."""
        return self._fingerprint

    @property
    def search_rounds(self) -> int:
        """Rounds of the search for better bits that encode takes unless told otherwise."""
        return self._core.search_rounds

    @property
    def predicted_risk(self) -> float:
        """The predicted risk of the whole decoder; 1 = knowing nothing.

        That of a trained staged code was measured in training, on vectors held out; that of
        encoder "rotated:S" is predicted by state evolution.
        """
        return self._core.predicted_risk(self._core.depth)

    @property
    def predicted_risks(self) -> tuple[float, ...]:
        """The predicted risk of every layer: [0] is the linear decoder, [-1] the whole one.

        Of a staged code: [0] after its first stage, [-1] after all; where they come from as for
        `predicted_risk`.
        """
        first = 1 if self._core.staged else 0
        return tuple(self._core.predicted_risk(t) for t in range(first, self._core.depth + 1))

    def __repr__(self) -> str:
        scale = "" if self.scale == "none" else f" + {self.scale} scale"
        if self._core.staged:
            what = f" in stages of {added(self.stages)}{scale}, encoder {self.encoder}"
        else:
            what = f"{scale}, encoder {self.encoder}, decoder {self.decoder}, basis {self.basis}"
        risk = "" if self.decoder == "none" else f", predicted risk {self.predicted_risk:.4g}"
        return f"Model({self.dim} coordinates, {self.bits} bits{what}{risk})"

    # --- what it does

    def encode(self, X: Vectors, threads: int = 0, search: int | None = None) -> Codes:
        """The codes of vectors.

        X: n x dim (further axes are flattened), or a path. Of float32 rows nothing is copied; other
        arrays, and files, are read block by block. A code depends on its own vector only. threads:
        0 = all cores. search: of a trained staged code, rounds in which better bits than the signs
        are searched for: slower, less error, decoded as ever (default: search_rounds).
        """
        bits, scales = self._core.encode(
            open_vectors(X), checked("threads", threads), _search(search)
        )
        about = (self.fingerprint, self.dim, self.bits, self.scale, self.stages, self._core.staged)
        return Codes(bits, scales, *about)

    def decode(
        self,
        codes: Codes,
        layers: int | None = None,
        stages: int | None = None,
        out: npt.NDArray[np.float32] | None = None,
        threads: int = 0,
    ) -> npt.NDArray[np.float32]:
        """The vectors of codes: n x dim, float32.

        layers: how many to run (0 = linear; None = all). stages: of a staged code, which has no
        layers: how many to use (None = all that the codes hold). out: where to write them, a
        float32 array of n x dim with neighbouring columns; a memory map will do. Codes of another
        model with the same encode side are welcome.
        """
        if not isinstance(codes, Codes):
            raise TypeError(f"codes is {shown(codes)}; it must be what encode or Codes.load return")
        if codes.fingerprint != self.fingerprint:
            raise ValueError(
                f"the codes were written by another model (fingerprint {codes.fingerprint:016x}, "
                f"this model {self.fingerprint:016x})"
            )
        depth = self._depth(layers, stages)
        if self._core.staged:
            codes = self._prefix(codes, stages)
            depth = len(codes.stages)
        if out is None:
            out = np.empty((len(codes), self.dim), dtype=np.float32)
        _check_out(out, (len(codes), self.dim))
        bits, scales = packed(codes.bits), contiguous_scales(codes.scales)
        self._core.decode(bits, scales, depth, out, checked("threads", threads))
        return out

    def evaluate(
        self,
        X: Vectors,
        threads: int = 0,
        progress: Progress | None = None,
        search: int | None = None,
    ) -> Evaluation:
        """Encodes and decodes every vector of X (n x dim, or a path): the risk of every layer.

        Of a staged code: the risk after every stage, encoded with so many rounds of search.
        """
        vectors, layers, prefixes, encode_seconds, decode_seconds = self._core.evaluate(
            open_vectors(X),
            checked("threads", threads),
            checked("progress", progress),
            _search(search),
        )
        return Evaluation(
            vectors,
            layer_risks(layers),
            encode_seconds,
            decode_seconds,
            prefixes=prefix_risks(self.prefixes, prefixes),
        )

    def encode_file(
        self,
        X: Vectors,
        path: Path,
        threads: int = 0,
        progress: Progress | None = None,
        search: int | None = None,
    ) -> int:
        """Encodes X (n x dim, or a path) into a code file, in bounded memory; search as in encode.

        Returns the number of vectors. ValueError where path is the file that X is read from.
        """
        read = X.filename if isinstance(X, np.memmap) else X
        if isinstance(read, (str, os.PathLike)):
            _core.check_not_read("path", path_bytes(path), path_bytes(read))
        return self._core.encode_file(
            open_vectors(X),
            path_bytes(path),
            checked("threads", threads),
            checked("progress", progress),
            _search(search),
        )

    def decode_file(
        self,
        codes: Path,
        path: Path,
        layers: int | None = None,
        stages: int | None = None,
        threads: int = 0,
        progress: Progress | None = None,
    ) -> int:
        """Decodes a code file into a .npy file (float32, n x dim), in bounded memory.

        layers, stages: as for `decode`; stages that are not used are not read. Returns the number
        of vectors. ValueError where path is the code file.
        """
        return self._core.decode_file(
            path_bytes(codes),
            path_bytes(path),
            self._depth(layers, stages),
            checked("threads", threads),
            checked("progress", progress),
        )

    def _depth(self, layers: int | None, stages: int | None) -> int:
        """How many layers, or stages, are wanted: -1 = all."""
        layers = None if layers is None else small("layers", layers)
        stages = None if stages is None else small("stages", stages)
        if self._core.staged:
            if layers is not None:
                raise ValueError("the model has stages, not layers: take stages")
            if stages is not None and not 1 <= stages <= self._core.depth:
                depth = self._core.depth
                raise ValueError(
                    f"the model has {depth} stages: take stages 1 to {depth}, not {stages}"
                )
            return -1 if stages is None else stages
        if stages is not None:
            raise ValueError("the model has no stages: take layers")
        if layers is not None and not 0 <= layers <= self.layers:
            raise ValueError(
                f"layers must be 0 (linear) to {self.layers}, or None for all; not {layers}"
            )
        return -1 if layers is None else layers

    def _prefix(self, codes: Codes, stages: int | None) -> Codes:
        """The stages that are wanted, of codes that may hold fewer than the model."""
        count = len(codes.stages)
        if codes.stages != self.stages[:count]:
            raise ValueError(
                f"the codes have stages of {added(codes.stages)} bits, "
                f"the model of {added(self.stages)}"
            )
        if stages is not None and stages > count:
            raise ValueError(f"the codes have {count} stages: {stages} of them cannot be taken")
        return codes if stages is None else codes.truncate(stages)

    # --- where it is kept

    def save(self, path: Path) -> None:
        """Writes a model file (.sfm), as `signfold fit` does. It appears when it is complete."""
        self._core.save(path_bytes(path))

    @staticmethod
    def load(path: Path) -> "Model":
        """Reads a model file, whoever wrote it."""
        return Model(_core.Model.load(path_bytes(path)))

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (self._core.to_bytes(),)


def _search(rounds: int | None) -> int | None:
    """None = as many as the model says."""
    return None if rounds is None else int(checked("search", rounds))


def _check_out(out: Any, shape: tuple[int, int]) -> None:
    """Where decode may write."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out is {shown(out)}; it must be a float32 array of shape {shape}")
    if out.dtype != np.float32 or out.shape != shape or not out.flags.writeable:
        raise ValueError(
            f"out is {out.dtype} of shape {out.shape}; "
            f"it must be writeable float32 of shape {shape}"
        )
    row = 4 * shape[1]
    rows_apart = shape[0] <= 1 or (out.strides[0] >= row and out.strides[0] % 4 == 0)
    neighbours = shape[1] <= 1 or out.strides[1] == 4
    if out.size > 0 and not (rows_apart and neighbours and out.flags.aligned):
        raise ValueError(
            f"out has strides of {out.strides} bytes; "
            "its columns must be neighbours, row after row (order C)"
        )


def _unpickle(data: bytes) -> Model:
    return Model(_core.Model.from_bytes(data))
