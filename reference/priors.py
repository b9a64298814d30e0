#!/usr/bin/env python3
"""Slow, obvious oracle of Signfold's priors: Bayes' rule as a sum over many points of x, nothing in closed form.

    priors.py        prints a JSON list, one object per law with the keys
                     prior (as Prior::to_json writes it), moments, folded (E|m x + s g|), channels (mmse and posteriors)

A law is a list of points with weights: its atoms, and 16-point Gauss-Legendre panels of its density. Seen through
y = x + N(0, 1/precision), the weights are multiplied by the likelihood of every point. mmse = E x^2 - E (E[x|y])^2
with y on an even grid, where the trapezoidal rule converges faster than any power.
"""

import json
import math

import numpy as np

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)


def normal(x, mean, variance):
    return np.exp(-0.5 * (x - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)


class Law:
    """atoms: (value, weight) pairs; density: of the rest, on [-reach, reach], with a corner at 0 at most."""

    def __init__(self, name, atoms, density, reach, components=None):
        self.json = {"name": name}
        if components:
            self.json["components"] = [dict(zip(("weight", "mean", "variance"), c)) for c in components]
        self.atoms, self.density, self.reach = atoms, density, reach

    def points(self, width):
        """Values and weights, by panels of at most the given width."""
        values = [np.array([v for v, _ in self.atoms])]
        weights = [np.array([w for _, w in self.atoms])]
        if self.density:
            edges = np.linspace(0, self.reach, int(math.ceil(self.reach / width)) + 1)
            edges = np.concatenate([-edges[:0:-1], edges])
            half = np.diff(edges)[:, None] / 2
            x = (edges[:-1, None] + half * (1 + NODES)).ravel()
            values.append(x)
            weights.append((half * WEIGHTS).ravel() * self.density(x))
        return np.concatenate(values), np.concatenate(weights)


def mixture(name, components):
    """components: (weight, mean, variance); variance 0 is an atom."""
    atoms = [(m, w) for w, m, v in components if v == 0]
    bells = [c for c in components if c[2] > 0]
    reach = max([abs(m) + 12 * math.sqrt(v) for _, m, v in bells], default=0)
    density = (lambda x: sum(w * normal(x, m, v) for w, m, v in bells)) if bells else None
    return Law(name, atoms, density, reach, components)


def sparse_gaussian(p):
    return Law(f"sparse-gaussian:{p}", [(0, 1 - p)], lambda x: p * normal(x, 0, 1 / p), 12 / math.sqrt(p))


def sparse_rademacher(p):
    a = 1 / math.sqrt(p)
    return Law(f"sparse-rademacher:{p}", [(0, 1 - p), (a, p / 2), (-a, p / 2)], None, a)


def sparse_laplace(p):
    b = 1 / math.sqrt(2 * p)
    return Law(f"sparse-laplace:{p}", [(0, 1 - p)], lambda x: p / (2 * b) * np.exp(-np.abs(x) / b), 45 * b)


def posterior(law, y, precision):
    x, w = law.points(0.5 / math.sqrt(precision))
    joint = w * normal(y, x, 1 / precision)
    marginal = joint.sum()
    mean = (joint * x).sum() / marginal
    variance = (joint * (x - mean) ** 2).sum() / marginal
    return {"y": y, "mean": mean, "variance": variance, "log_marginal": math.log(marginal)}


def mmse(law, precision):
    noise = 1 / math.sqrt(precision)
    x, w = law.points(noise)
    step = noise / 16
    reach = law.reach + 10 * noise
    total = 0.0
    for y in np.array_split(np.arange(-reach, reach, step), 64):  # in parts, for the memory
        near = np.abs(x) <= np.max(np.abs(y)) + 10 * noise
        joint = w[near] * normal(y[:, None], x[near], noise**2)
        seen = joint.sum(axis=1)
        sums = joint @ x[near]
        total += step * np.sum(np.divide(sums**2, seen, out=np.zeros_like(seen), where=seen > 1e-200))
    return (w * x**2).sum() - total


def folded_mean(law, m, s):
    """E|u| of u = m x + s g: its density is a sum of normals, integrated on both sides of the corner at 0."""
    x, w = law.points(0.5 * s / m)
    edges = np.linspace(0, m * law.reach + 10 * s, int((m * law.reach + 10 * s) / s) + 2)
    half = np.diff(edges)[:, None] / 2
    t = (edges[:-1, None] + half * (1 + NODES)).ravel()
    weights = (half * WEIGHTS).ravel()
    return sum(weight * u * np.sum(w * (normal(u, m * x, s * s) + normal(-u, m * x, s * s)))
               for u, weight in zip(t, weights))


LAWS = [
    Law("gaussian", [], lambda x: normal(x, 0, 1), 12),
    sparse_gaussian(0.1),
    sparse_rademacher(0.3),
    sparse_laplace(0.3),
    mixture("humps and a spike", [(0.5, -0.6, 0.16), (0.3, 1.4, 0.04), (0.2, 0.25, 0)]),
]


def table():
    out = []
    for law in LAWS:
        x, w = law.points(0.05)
        moments = {"mean": (w * x).sum(), "mean_abs": (w * abs(x)).sum(),
                   "second": (w * x**2).sum(), "fourth": (w * x**4).sum()}
        folded = [{"m": m, "s": s, "value": folded_mean(law, m, s)} for m, s in ((0.3, 0.95), (0.8, 0.6))]
        channels = [{"precision": precision, "mmse": mmse(law, precision),
                     "points": [posterior(law, y, precision) for y in (-4.0, 0.0, 0.3, 1.5)]}
                    for precision in (0.2, 1.75, 20.0)]
        out.append({"prior": law.json, "moments": moments, "folded": folded, "channels": channels})
    return out


if __name__ == "__main__":
    print(json.dumps(table(), indent=1))
