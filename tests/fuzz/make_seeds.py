#!/usr/bin/env python3
"""Writes the inputs that the fuzz targets of vector files begin with, into seeds/ beside this file: tests/fuzz/make_seeds.py"""

import gzip
import io
import struct
from pathlib import Path

import numpy as np

SEEDS = Path(__file__).parent / "seeds"


def npy(array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version)
    return out.getvalue()


def idx(array, code):
    head = struct.pack(">BBBB", 0, 0, code, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.tobytes()


def vecs(array):
    return b"".join(struct.pack("<I", len(row)) + row.tobytes() for row in array)


def npz(save, **arrays):
    out = io.BytesIO()
    save(out, **arrays)
    return out.getvalue()


def main():
    SEEDS.mkdir(exist_ok=True)
    x = (np.arange(12) % 7).reshape(4, 3)
    f4, u1 = x.astype("<f4"), x.astype("u1")
    labels = np.array([[3], [9]], dtype="u1")
    pixels = (np.arange(2 * 3072) % 251).astype("u1").reshape(2, 3072)
    files = {
        "f4.npy": npy(f4),
        "f8-fortran.npy": npy(np.asfortranarray(x.astype("<f8")), version=(2, 0)),
        "i2-cube.npy": npy(x.astype(">i2").reshape(2, 2, 3), version=(3, 0)),
        "u1.idx": idx(u1.reshape(2, 2, 3), 0x08),
        "f8.idx": idx(x.astype(">f8"), 0x0E),
        "labels.idx": idx(u1[:, 0], 0x08),
        "f4.fvecs": vecs(f4),
        "u1.bvecs": vecs(u1),
        "two.cifar": np.hstack([labels, pixels]).tobytes(),
        "f4.npy.gz": gzip.compress(npy(f4), mtime=0),
        "members.idx.gz": gzip.compress(idx(u1, 0x08)[:9], mtime=0) + gzip.compress(idx(u1, 0x08)[9:], mtime=0),
        "stored.npz": npz(np.savez, x=f4, y=u1),
        "deflated.npz": npz(np.savez_compressed, x=f4),
    }
    for name, content in files.items():
        (SEEDS / name).write_bytes(content)


if __name__ == "__main__":
    main()
