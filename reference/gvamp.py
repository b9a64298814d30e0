#!/usr/bin/env python3
"""GVAMP as an algorithm: an independent decoder of the same bits (Schniter, Rangan and Fletcher 2016; docs/math.md 6).

    gvamp.py B.npy Z.npy X.npy PRIOR LAYERS

B: n x d, rows of unit norm. Z: k x n, the signs +1 and -1 of B x. X: k x d, the vectors. PRIOR: sparse-gaussian:P or
sparse-rademacher:P. Prints a JSON list: sum |x - xhat|^2 / sum |x|^2 after every layer. Linear algebra by singular
values, scalars from averages over the batch (not from state evolution), double precision.
"""

import json
import sys

import numpy as np
from scipy import special


def components(text):
    """Weights, means and variances of a mixture with unit second moment."""
    name, p = text.split(":")
    p = float(p)
    if name == "sparse-gaussian":
        parts = [(1 - p, 0, 0), (p, 0, 1 / p)]
    elif name == "sparse-rademacher":
        parts = [(1 - p, 0, 0), (p / 2, p**-0.5, 0), (p / 2, -(p**-0.5), 0)]
    else:
        raise SystemExit(f"gvamp.py: unknown prior {text}")
    return np.array([c for c in parts if c[0] > 0]).T


def denoise(parts, y, precision):
    """Posterior mean and the average posterior variance of x from y = x + N(0, 1/precision)."""
    weight, mean, variance = (v[:, None, None] for v in parts)
    total = variance + 1 / precision
    share = special.softmax(np.log(weight) - 0.5 * np.log(total) - (y - mean) ** 2 / (2 * total), axis=0)
    means = (variance * y + mean / precision) / total
    estimate = (share * means).sum(axis=0)
    spread = (share * (variance / precision / total + (means - estimate) ** 2)).sum(axis=0)
    return estimate, spread.mean()


def output(z, p, tau):
    """Posterior mean and average variance of u ~ N(p, 1/tau) given its sign."""
    a = z * p * np.sqrt(tau)
    h = np.sqrt(2 / np.pi) / special.erfcx(-a / np.sqrt(2))
    return p + z * h / np.sqrt(tau), np.mean(np.maximum(1 - a * h - h * h, 1e-12)) / tau


def risks(b, z, x, parts, layers):
    n, d = b.shape
    _, singular, right = np.linalg.svd(b)
    e = np.zeros(d)
    e[: len(singular)] = singular**2
    g2, t2 = 1.0, 0.0
    x2, p2 = np.zeros_like(x), np.zeros_like(z)

    def linear():
        """argmin of g2 |x - x2|^2 + t2 |B x - p2|^2."""
        return ((g2 * x2 + t2 * p2 @ b) @ right.T / (g2 + t2 * e)) @ right

    out = []
    for _ in range(layers):
        v_z = np.sum(e / (g2 + t2 * e)) / n
        t1 = 1 / v_z - t2
        p1 = (linear() @ b.T / v_z - t2 * p2) / t1
        mean, v_u = output(z, p1, t1)
        t2 = 1 / v_u - t1
        p2 = (mean / v_u - t1 * p1) / t2
        v_x = np.mean(1 / (g2 + t2 * e))
        g1 = 1 / v_x - g2
        r1 = (linear() / v_x - g2 * x2) / g1
        xhat, v = denoise(parts, r1, g1)
        out.append(float(np.sum((x - xhat) ** 2) / np.sum(x**2)))
        g2 = 1 / v - g1
        x2 = (xhat / v - g1 * r1) / g2
    return out


if __name__ == "__main__":
    if len(sys.argv) != 6:
        raise SystemExit(__doc__)
    matrices = [np.load(path).astype(float) for path in sys.argv[1:4]]
    print(json.dumps(risks(*matrices, components(sys.argv[4]), int(sys.argv[5]))))
