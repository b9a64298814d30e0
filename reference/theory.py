#!/usr/bin/env python3
"""Slow, obvious oracle of Signfold's theory: every number by another road than the C++ code takes.

    theory.py [--limit] PRIOR@RATE[@E1,E2,...] ...        e.g. theory.py sparse-gaussian:0.1@1 gaussian@2

prints a JSON list, one object per case with the keys of `signfold predict`: prior, rate, linear, layers (of 3),
fixed_point, rotation, identity, mixed {m, risk} (rates up to 1), and with --limit also limit (Shannon's, slow).
With the eigenvalues of B B' (equal shares, mean 1; for rates above 1 zeros included) B is not orthonormal, and
fixed_point is all there is.

    C++                                           here
    two-term RI-GAMP recursion (rigamp.md 3)      GVAMP state evolution (math.md 6)
    full-memory RI-GAMP recursion (rigamp.md 4)   GVAMP state evolution, its fixed point
    posteriors in closed form, Gauss-Legendre     Bayes' rule on a grid of x and y, Simpson sums
    c(V), one trapezoidal sum                     adaptive quadrature (QUADPACK) of the truncated variance
    folded normals                                E|u| from the characteristic function of u
    accelerated Blahut-Arimoto on 150 cells       plain Blahut-Arimoto on an even grid, bisection in the slope
"""

import argparse
import json
import math

import numpy as np
from scipy import integrate, optimize, special

SQRT2PI = math.sqrt(2 * math.pi)


class Law:
    """A prior: atoms (values, weights), and the density of the rest on an even grid that has 0 as a node."""

    def __init__(self, text):
        family, _, parameter = text.partition(":")
        p = float(parameter) if parameter else 1.0
        self.p, self.family = p, family
        self.atoms = [(0.0, 1 - p)] if p < 1 else []
        self.bend = math.inf  # the scale of the density where it is not smooth
        if family == "sparse-rademacher":
            self.atoms += [(-1 / math.sqrt(p), p / 2), (1 / math.sqrt(p), p / 2)]
            self.reach, self.density = 0.0, None
        elif family in ("gaussian", "sparse-gaussian"):
            sigma = 1 / math.sqrt(p)
            self.reach = 10 * sigma
            self.density = lambda x: p * np.exp(-0.5 * (x / sigma) ** 2) / (sigma * SQRT2PI)
        elif family == "sparse-laplace":
            b = 1 / math.sqrt(2 * p)
            self.reach, self.bend = 32 * b, b
            self.density = lambda x: p * np.exp(-np.abs(x) / b) / (2 * b)
        else:
            raise SystemExit(f"unknown prior {text}")

    def characteristic(self, t):
        """E exp(i t x), real because every law here is even."""
        if self.family == "sparse-rademacher":
            return 1 - self.p + self.p * np.cos(t / math.sqrt(self.p))
        if self.family == "sparse-laplace":
            return 1 - self.p + self.p / (1 + t * t / (2 * self.p))
        return 1 - self.p + self.p * np.exp(-t * t / (2 * self.p))

    def mean_abs(self):
        total = sum(w * abs(a) for a, w in self.atoms)
        if self.density:
            total += 2 * integrate.quad(lambda x: x * self.density(x), 0, self.reach, epsabs=1e-12)[0]
        return total


def simpson_weights(n, h):
    """Weights of the composite Simpson rule at n (odd) points of spacing h."""
    weights = np.full(n, 2.0)
    weights[1::2] = 4.0
    weights[0] = weights[-1] = 1.0
    return weights * h / 3


def mmse(law, precision):
    """E x^2 - E (E[x|y])^2 by Bayes' rule on grids: p(y) = sum over x of law(x) N(y; x, 1/precision)."""
    noise = 1 / math.sqrt(precision)
    widest = max([law.reach] + [abs(a) for a, _ in law.atoms])
    half = int(math.ceil((widest + 10 * noise) / min(noise / 6, law.bend / 24)))
    half += half % 2  # even, so that 0 starts a Simpson panel: the Laplace density has a corner there
    h = (widest + 10 * noise) / half
    y = h * np.arange(-half, half + 1)
    kernel = np.exp(-0.5 * (y / noise) ** 2) / (noise * SQRT2PI)
    m0, m1 = np.zeros_like(y), np.zeros_like(y)
    for value, weight in law.atoms:
        k = weight * np.exp(-0.5 * ((y - value) / noise) ** 2) / (noise * SQRT2PI)
        m0 += k
        m1 += value * k
    if law.density:
        f = law.density(y) * simpson_weights(len(y), h)
        near = np.abs(y) <= 12 * noise  # direct sums: a transform would lose the tails to rounding
        m0 += np.convolve(f, kernel[near], mode="same")
        m1 += np.convolve(f * y, kernel[near], mode="same")
    seen = m0 > 1e-250
    return max(0.0, 1 - h * np.sum(m1[seen] ** 2 / m0[seen]))


def truncated_variance(a):
    """Var of a standard normal given that it is above -a, relative: 1 - a h - h^2."""
    if a < -30:
        q = 1 / (a * a)
        return q * (1 - 6 * q + 50 * q * q)
    h = math.sqrt(2 / math.pi) / special.erfcx(-a / math.sqrt(2))
    return 1 - a * h - h * h


def output_variance(tau1, variance_u):
    """Mean posterior variance of u given its sign, when p ~ N(0, variance_u - 1/tau1), u | p ~ N(p, 1/tau1)."""
    spread2 = variance_u - 1 / tau1
    if spread2 < 1e-13:
        return truncated_variance(0.0) / tau1
    spread = math.sqrt(spread2)

    def integrand(t):
        a = t * spread * math.sqrt(tau1)
        both = special.ndtr(a) * truncated_variance(a) + special.ndtr(-a) * truncated_variance(-a)
        return 2 * both * math.exp(-0.5 * t * t) / SQRT2PI

    bend = min(9.0, 3 / (spread * math.sqrt(tau1)))  # the signs are uncertain below this
    pieces = [(0, bend), (bend, 10)]
    return sum(integrate.quad(integrand, a, b, epsabs=1e-13, epsrel=1e-11, limit=200)[0] for a, b in pieces) / tau1


def orthonormal_spectrum(rate):
    """Eigenvalues of B B' with their shares, for orthonormal rows (rate <= 1) or columns: rate, and zeros."""
    return [(1.0, 1.0)] if rate <= 1 else [(rate, 1 / rate), (0.0, 1 - 1 / rate)]


def gvamp(law, rate, layers, stop=None, spectrum=None):
    """Risks of the first layers of GVAMP state evolution; with stop, until both precisions move less than that.

    u = Bx has unit variance; spectrum lists eigenvalues of B B' with their shares, default: an orthonormal B.
    """
    spectrum = spectrum or orthonormal_spectrum(rate)
    g2, t2, risks = 1.0, 0.0, []
    for _ in range(layers):
        before = g2, t2
        t1 = 1 / sum(share * e / (g2 + t2 * e) for e, share in spectrum) - t2
        t2 = 1 / output_variance(t1, 1.0) - t1
        v_x = rate * sum(share / (g2 + t2 * e) for e, share in spectrum) + (1 - rate) / g2
        g1 = 1 / v_x - g2
        v = mmse(law, g1)
        risks.append(v)
        if v < 1e-9:  # perfect recovery
            risks[-1] = 0.0
            break
        g2 = 1 / v - g1
        if stop and abs(g2 - before[0]) < stop * g2 and abs(t2 - before[1]) < stop * t2:
            break
    return risks


def psi(law, m):
    """E|m x + s g| = 2/pi Int (1 - characteristic(t)) / t^2 dt over t > 0."""
    s2 = 1 - m * m
    if s2 < 1e-9:
        return law.mean_abs()
    end = 9 / math.sqrt(s2)  # beyond it the characteristic function of s g is below 1e-17, and the rest is 1/end
    n = 2 * int(end / 0.004) + 1
    t = np.linspace(0, end, n)[1:]
    f = (1 - law.characteristic(m * t) * np.exp(-0.5 * s2 * t * t)) / (t * t)
    f = np.concatenate([[0.5], f])  # the limit at 0: half the variance of u
    return 2 / math.pi * (np.dot(f, simpson_weights(n, end / (n - 1))) + 1 / end)


def best_mix(law):
    """The m with the largest psi, by a scan in the angle and a bounded search around its best point."""
    angles = np.linspace(0, math.pi / 2, 91)
    values = [psi(law, math.sin(a)) for a in angles]
    k = int(np.argmax(values))
    if k == 0 or values[k] < values[0] + 1e-9:
        return 0.0, values[0]
    if k == 90:
        return 1.0, values[90]
    found = optimize.minimize_scalar(lambda a: -psi(law, math.sin(a)), bounds=(angles[k - 1], angles[k + 1]),
                                     method="bounded", options={"xatol": 1e-7})
    return math.sin(found.x), -found.fun


def linear(rate):
    """Best linear decoder of a Gaussian source: F = c B B' + (1 - c) I, where B B' has min(n, d) eigenvalues R."""
    c = integrate.quad(lambda g: 2 * g * math.exp(-0.5 * g * g) / SQRT2PI, 0, 40)[0] ** 2
    eigenvalue = max(1.0, rate)
    return 1 - min(1.0, rate) * c * eigenvalue / (c * eigenvalue + 1 - c)


def shannon_limit(law, rate, steps=1200):
    """D(rate) by Blahut-Arimoto: bisection in the slope s, `steps` plain iterations for each s."""
    points = [a for a, _ in law.atoms]
    weights = [w for _, w in law.atoms]
    if law.density:
        grid = np.linspace(-0.6 * law.reach, 0.6 * law.reach, 241)
        f = law.density(grid)
        points += list(grid)
        weights += list(f / f.sum() * (1 - sum(weights)))
    x, p = np.array(points), np.array(weights)
    y = np.concatenate([x, np.linspace(x.min(), x.max(), 161)])
    distance = (x[:, None] - y[None, :]) ** 2
    low, high = 1e-3, 1e4
    for _ in range(14):
        s = math.sqrt(low * high)
        kernel = np.exp(-s * distance)
        q = np.full(len(y), 1 / len(y))
        for _ in range(steps):
            q = q * ((p / (kernel @ q)) @ kernel)
        total = kernel @ q
        d = (p / total) @ ((kernel * distance) @ q)
        bits = (-(p @ np.log(total)) - s * d) / math.log(2)
        if bits < rate:
            low = s
        else:
            high = s
    return d + (bits - rate) * math.log(2) / s  # along the tangent to the rate asked for


def predict(text, with_limit):
    prior, rate_text, *eigenvalues = text.split("@")
    rate, law = float(rate_text), Law(prior)
    if eigenvalues:
        values = [float(e) for e in eigenvalues[0].split(",")]
        spectrum = [(e, 1 / len(values)) for e in values]
        return {"prior": prior, "rate": rate, "fixed_point": gvamp(law, rate, 2000, 1e-9, spectrum)[-1]}
    out = {"prior": prior, "rate": rate, "linear": linear(rate), "layers": gvamp(law, rate, 3),
           "fixed_point": gvamp(law, rate, 2000, stop=1e-9)[-1]}
    if rate <= 1:
        m, value = best_mix(law)
        out["rotation"] = 1 - rate * psi(law, 0.0) ** 2
        out["identity"] = 1 - rate * law.mean_abs() ** 2
        out["mixed"] = {"m": m, "risk": 1 - rate * value**2}
    if with_limit:
        out["limit"] = shannon_limit(law, rate)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", action="store_true", help="Shannon's limit too (seconds per case)")
    parser.add_argument("cases", nargs="+", metavar="PRIOR@RATE[@E1,E2,...]")
    arguments = parser.parse_args()
    print(json.dumps([predict(case, arguments.limit) for case in arguments.cases]))


if __name__ == "__main__":
    main()
