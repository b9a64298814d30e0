#!/usr/bin/env python3
"""Slow, obvious oracle of Signfold's training: every derivative by complex steps, no chain rule anywhere.

    training.py straight-through < CASE.json     one batch of straight-through training (math.md section 9)
    training.py population < CASE.json           the population risk of a (sparse) Gaussian source (math.md section 3)

CASE.json is one JSON object, or a list of them; prints the answer to each (a list for a list). Matrices are lists of
rows.

straight-through
    in   kind     "tied", "tied-rows" or "untied"
         rows     B, n x d, used as it is (training keeps unit-norm rows)
         x        the batch, N x d
         tau      of dz/du = (1 - tanh^2(u/tau))/tau
         gain     tied-rows: n numbers alpha_i of a_i = alpha_i b_i. (tied: computed, the best for this batch)
         decoder  untied: A, n x d, row i = a_i; the estimate is sum_i z_i a_i
    out  loss     mean over the batch of |x - estimate|^2 (not divided by d)
         gain     tied: [the best alpha]; tied-rows: as given; untied: []
         rows_gradient, gain_gradient ([] unless tied-rows), decoder_gradient ([] unless untied)
                  derivatives of loss; of the rows before any projection
population
    in   rows     B, n x d, rows of any norm
         p        probability that a coordinate is not zero; 1 = Gaussian
         masks    optional: 0/1 rows of length d (by default all 2^d, with their probabilities)
         weights  optional, of the masks (by default equal)
    out  zx, zz   E z x^T (n x d), E z z^T (n x n)
         decoder  A* (d x n), the best for these rows
         risk     (1/d) E |x - A* z|^2
         gradient of d * risk at fixed A*, in rows (n x d), before any projection
"""

import itertools
import json
import math
import sys

import numpy as np

STEP = 1e-30  # of complex differentiation: f(x + i h) = f(x) + i h f'(x) with an error of h^2, so no h is too small


def gradient(function, at):
    """All partial derivatives of a real function of a matrix, given code that also takes complex numbers."""
    result = np.zeros(at.shape)
    for index in np.ndindex(at.shape):
        moved = at.astype(complex)
        moved[index] += 1j * STEP
        result[index] = function(moved).imag / STEP
    return result


# ---- Straight-through: the network with every sign replaced by its tangent at the point where we are ----


def straight_through(case):
    kind, tau = case["kind"], case["tau"]
    rows, x = np.array(case["rows"], float), np.array(case["x"], float)
    u = [[row @ sample for row in rows] for sample in x]
    z = [[1.0 if v >= 0 else -1.0 for v in sample] for sample in u]
    slope = [[(1 - math.tanh(v / tau) ** 2) / tau for v in sample] for sample in u]

    def estimates(b, a):
        """The estimate of every sample when the rows of the encoder move to b: signs move along their tangents."""
        result = []
        for k, sample in enumerate(x):
            bits = [z[k][i] + slope[k][i] * (b[i] @ sample - u[k][i]) for i in range(len(b))]
            result.append(sum(bits[i] * a[i] for i in range(len(b))))
        return result

    def loss(b, a):
        return sum(sum((x[k] - e) ** 2) for k, e in enumerate(estimates(b, a))) / len(x)

    def best_gain():
        unscaled = estimates(rows, rows)
        return sum(x[k] @ e for k, e in enumerate(unscaled)) / sum(e @ e for e in unscaled)

    if kind == "tied":
        gain = np.full(len(rows), best_gain())
    elif kind == "tied-rows":
        gain = np.array(case["gain"], float)
    if kind == "untied":
        decoder = np.array(case["decoder"], float)
        return {
            "loss": loss(rows, decoder),
            "gain": [],
            "rows_gradient": gradient(lambda b: loss(b, decoder), rows).tolist(),
            "gain_gradient": [],
            "decoder_gradient": gradient(lambda a: loss(rows, a), decoder).tolist(),
        }
    # The best alpha does not move to first order: the loss is flat there, so it may stay fixed while B moves.
    return {
        "loss": loss(rows, gain[:, None] * rows),
        "gain": [gain[0]] if kind == "tied" else gain.tolist(),
        "rows_gradient": gradient(lambda b: loss(b, gain[:, None] * b), rows).tolist(),
        "gain_gradient": [] if kind == "tied" else gradient(lambda g: loss(rows, g[:, None] * rows), gain).tolist(),
        "decoder_gradient": [],
    }


# ---- The population risk: one mask after the other, one entry after the other ----


def all_masks(d, p):
    masks = [mask for mask in itertools.product((0, 1), repeat=d)]
    return masks, [p ** sum(mask) * (1 - p) ** (d - sum(mask)) for mask in masks]


def moments(b, p, masks, weights):
    """E z x^T, E z z^T for x = mask * N(0, 1/p), rows b (real or complex). A row that sees nothing is a fair coin."""
    n, d = b.shape
    zx, zz = np.zeros((n, d), b.dtype), np.zeros((n, n), b.dtype)
    for mask, weight in zip(masks, weights):
        seen = b * np.array(mask)
        norm = [np.sqrt(sum(row**2)) for row in seen]
        for i in range(n):
            if norm[i] == 0:
                continue
            for j in range(d):
                zx[i, j] += weight * math.sqrt(2 / math.pi) * seen[i, j] / (math.sqrt(p) * norm[i])
            for j in range(n):
                if i != j and norm[j] != 0:
                    zz[i, j] += weight * 2 / math.pi * arcsin(sum(seen[i] * seen[j]) / (norm[i] * norm[j]))
    for i in range(n):
        zz[i, i] = 1
    return zx, zz


def arcsin(cosine):
    """Cosines that rounding took beyond +-1 are +-1; there the derivative is set to zero."""
    return np.arcsin(cosine) if abs(cosine.real) < 1 - 1e-14 else np.sign(cosine.real) * math.pi / 2


def population(case):
    b, p = np.array(case["rows"], float), case["p"]
    n, d = b.shape
    masks, weights = all_masks(d, p)
    if "masks" in case:
        masks = case["masks"]
        weights = case.get("weights", [1 / len(masks)] * len(masks))
    zx, zz = moments(b, p, masks, weights)
    decoder = np.linalg.solve(zz, zx).T

    def scaled_risk(rows):
        zx, zz = moments(rows, p, masks, weights)
        return d - 2 * np.trace(decoder @ zx) + np.trace(decoder @ zz @ decoder.T)

    return {
        "zx": zx.tolist(),
        "zz": zz.tolist(),
        "decoder": decoder.tolist(),
        "risk": float(scaled_risk(b) / d),
        "gradient": gradient(scaled_risk, b).tolist(),
    }


COMMANDS = {"straight-through": straight_through, "population": population}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        raise SystemExit(__doc__)
    command, cases = COMMANDS[sys.argv[1]], json.load(sys.stdin)
    print(json.dumps([command(case) for case in cases] if isinstance(cases, list) else command(cases)))
