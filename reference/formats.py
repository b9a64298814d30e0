"""Reads Signfold's files and decodes them, slowly and obviously. docs/formats.md in Python; used by tests only.

    python3 formats.py MODEL.sfm CODES.sfc OUT.npy [LAYERS]

decodes a code file (layer 0 = linear; by default all layers; of a staged code, LAYERS are stages
from 1 on) and writes the vectors. Nothing here is shared with the C++ code: checksums, random
streams, the rotation and the decoder are written again from the documents.
"""

import json
import struct
import sys

import numpy as np
from scipy import special

MASK64 = (1 << 64) - 1
PRIMES = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
SCALE_TYPES = {"none": None, "f16": "<f2", "f32": "<f4"}


class Damaged(ValueError):
    """The file is not what docs/formats.md says."""


def check(condition, message):
    if not condition:
        raise Damaged(message)


# ---- XXH64 ----


def _rotate(x, r):
    return ((x << r) | (x >> (64 - r))) & MASK64


def _round(accumulator, lane):
    return _rotate((accumulator + lane * PRIMES[1]) & MASK64, 31) * PRIMES[0] & MASK64


def xxh64(data, seed=0):
    p1, p2, p3, p4, p5 = PRIMES
    n = len(data)
    position = 0
    if n >= 32:
        v = [(seed + p1 + p2) & MASK64, (seed + p2) & MASK64, seed, (seed - p1) & MASK64]
        stripes = n // 32
        for lanes in struct.iter_unpack("<4Q", data[: 32 * stripes]):
            v = [_round(a, lane) for a, lane in zip(v, lanes)]
        position = 32 * stripes
        h = sum(_rotate(a, r) for a, r in zip(v, (1, 7, 12, 18))) & MASK64
        for a in v:
            h = ((h ^ _round(0, a)) * p1 + p4) & MASK64
    else:
        h = (seed + p5) & MASK64
    h = (h + n) & MASK64
    while position + 8 <= n:
        h ^= _round(0, struct.unpack_from("<Q", data, position)[0])
        h = (_rotate(h, 27) * p1 + p4) & MASK64
        position += 8
    if position + 4 <= n:
        h ^= struct.unpack_from("<I", data, position)[0] * p1 & MASK64
        h = (_rotate(h, 23) * p2 + p3) & MASK64
        position += 4
    for byte in data[position:]:
        h = _rotate(h ^ byte * p5 & MASK64, 11) * p1 & MASK64
    h = (h ^ h >> 33) * p2 & MASK64
    h = (h ^ h >> 29) * p3 & MASK64
    return h ^ h >> 32


# ---- the two files ----


def padded(n):
    return -(-n // 8) * 8


class Stage:
    """One stage of a staged code; `before`: bits of the stages before it."""

    def __init__(self, payload, before, dim):
        self.bits, hidden = struct.unpack_from("<QQ", payload)
        self.until = before + self.bits
        shapes = {
            "encoder": (self.bits, dim),
            "threshold": (self.bits,),
            "linear": (self.bits, dim),
            "into": (self.until, hidden),
            "bias": (hidden,),
            "out": (hidden, dim),
            "offset": (dim,),
        }
        numbers = np.frombuffer(payload, "<f4", offset=16).astype(float)
        ends = np.cumsum([np.prod(shape) for shape in shapes.values()]).astype(int)
        check(ends[-1] == len(numbers), "a stage has the wrong length")
        for (name, shape), part in zip(shapes.items(), np.split(numbers, ends[:-1])):
            setattr(self, name, part.reshape(shape))


class Model:
    """info: the JSON object; arrays: the other sections by tag, as numpy arrays; stages: those of a
    staged code; fingerprint."""

    def __init__(self, data):
        check(data[:12] == b"SIGNFOLDM\r\n\x1a", "not a Signfold model")
        version, header, sections, size, self.fingerprint, checksum = struct.unpack_from("<IIIQQQ", data, 12)
        check(version == 1, "unknown version")
        check(header == 48 and xxh64(data[:40]) == checksum, "damaged header")
        check(size == len(data), "truncated, or bytes after the end")
        payloads = {}
        position = header
        for _ in range(sections):
            checksum, tag, length = struct.unpack_from("<Q8sQ", data, position)
            end = position + 24 + padded(length)
            check(end <= size, "a section is longer than the file")
            check(xxh64(data[position + 8 : end]) == checksum, f"damaged section {tag}")
            tag = tag.rstrip(b"\0").decode("ascii")
            check(tag not in payloads, f"two sections {tag}")
            payloads[tag] = data[position + 24 : position + 24 + length]
            position = end
        check(position == size, "bytes after the last section")
        self.info = json.loads(payloads.pop("JSON"))
        self.payloads = payloads
        types = {"SHAPEOF": "<u2", "MEMORY": "<f8"}
        self.arrays = {t: np.frombuffer(p, types.get(t, "<f4")) for t, p in payloads.items()}
        self.dim, self.bits = self.info["dim"], self.info["bits"]
        self.stages = []
        for payload in self.stage_payloads():
            before = self.stages[-1].until if self.stages else 0
            self.stages.append(Stage(payload, before, self.dim))
        check(sum(s.bits for s in self.stages) in (0, self.bits), "the bits of the stages differ")

    def stage_payloads(self):
        """Of sections STAGE1, STAGE2, ...; none unless the code is staged."""
        risks = self.info.get("stage_risks", [])
        return [self.payloads[f"STAGE{s + 1}"] for s in range(len(risks))]

    def compute_fingerprint(self):
        def number_bits(value):
            return struct.unpack("<Q", struct.pack("<d", value))[0]

        hashes = [xxh64(payload) for payload in self.stage_payloads()]
        payloads = {"DENSE": struct.pack(f"<{len(hashes)}Q", *hashes), **self.payloads}

        def payload(tag):
            return xxh64(payloads.get(tag, b""))

        info = self.info
        parts = [self.dim, self.bits, list(SCALE_TYPES).index(info["scale"]), number_bits(info["unit"])]
        parts += [info["encoder"]["seed"], xxh64(info["encoder"]["name"].encode())]
        parts += [payload(tag) for tag in ("DENSE", "MEAN", "EIGVEC", "EIGVAL")] + [number_bits(info["epsilon"])]
        return xxh64(struct.pack("<11Q", *parts))


class Codes:
    """scales: N float64 numbers (None for scale none); signs: N × n matrix of ±1; stages: bits of
    each; fingerprint."""

    def __init__(self, data):
        check(data[:12] == b"SIGNFOLDC\r\n\x1a", "not a Signfold code file")
        version, header, stages, self.fingerprint = struct.unpack_from("<IIIQ", data, 12)
        count, self.dim, rows_per_block, kind, staged = struct.unpack_from("<QQIHH", data, 32)
        check(version == 1, "unknown version")
        check(stages > 0 and header == 64 + 8 * stages, "the header has the wrong length")
        *self.stages, checksum = struct.unpack_from(f"<{stages + 1}Q", data, 56)
        check(xxh64(data[: header - 8]) == checksum, "damaged header")
        check(staged == 1 or (staged == 0 and stages == 1), "the stages of a code that is not staged")
        scale_type = list(SCALE_TYPES.values())[kind]
        plane_bits = [8 * np.dtype(scale_type).itemsize if scale_type else 0]  # of one row
        plane_bits += [bits if staged else -(-bits // 8) * 8 for bits in self.stages]
        scales, codes = [], []
        position = header
        for block in range(-(-count // rows_per_block)):
            rows = min(rows_per_block, count - block * rows_per_block)
            check(struct.unpack_from("<Q", data, position)[0] == rows, "a block has the wrong number of vectors")
            position += 8
            planes = []
            for plane, bits in enumerate(plane_bits):
                size = -(-rows * bits // 8)
                content = data[position : position + padded(size)]
                position += padded(size) + 8
                check(position <= len(data), "truncated")
                checksum = struct.unpack_from("<Q", data, position - 8)[0]
                check(checksum == xxh64(content, 256 * block + plane), "damaged plane")
                planes.append(content[:size])
            if scale_type:
                scales.append(np.frombuffer(planes[0], scale_type).astype(float))
            parts = []
            for stage, bits, plane in zip(self.stages, plane_bits[1:], planes[1:], strict=True):
                unpacked = np.unpackbits(np.frombuffer(plane, np.uint8), bitorder="little")
                check(not unpacked[rows * bits :].any(), "padding bits are set")
                parts.append(unpacked[: rows * bits].reshape(rows, bits))
                check(not parts[-1][:, stage:].any(), "padding bits are set")
                parts[-1] = parts[-1][:, :stage]
            codes.append(np.hstack(parts))
        check(data[position:] == struct.pack("<Q", count) + b"SFOLDEND", "the end does not match the header")
        self.signs = 2.0 * np.concatenate(codes) - 1.0
        self.scales = np.concatenate(scales) if scale_type else None


# ---- encoders ----


class Stream:
    """Philox4x32-10 with the counter (block, purpose, index) and the key of a seed."""

    def __init__(self, seed, purpose, index=0):
        self.key = (seed & 0xFFFFFFFF, seed >> 32)
        self.counter = [0, purpose, index & 0xFFFFFFFF, index >> 32]
        self.words = []

    def bits32(self):
        if not self.words:
            c, (k0, k1) = list(self.counter), self.key
            for _ in range(10):
                a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
                c = [(b >> 32) ^ c[1] ^ k0, b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k1, a & 0xFFFFFFFF]
                k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
            self.words = c
            self.counter[0] += 1
        return self.words.pop(0)

    def below(self, bound):
        limit = MASK64 - MASK64 % bound
        while True:
            value = self.bits32() | self.bits32() << 32
            if value < limit:
                return value % bound

    def subset(self, n, k):
        order = list(range(n))
        for i in range(n, 1, -1):
            j = self.below(i)
            order[i - 1], order[j] = order[j], order[i - 1]
        return sorted(order[:k])

    def signs(self, n):
        words = [self.bits32() for _ in range(-(-n // 32))]
        return np.array([-1.0 if words[i // 32] >> (i % 32) & 1 else 1.0 for i in range(n)])


def rotation(size, seed, purpose, first_index):
    """The fast rotation as a size × size matrix."""
    power = 1 << (size.bit_length() - 1)
    hadamard = np.array([[1.0]])
    while len(hadamard) < power:
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
    matrix = np.eye(size)
    last = size - power
    for k, start in enumerate([0, 0, 0] if last == 0 else [0, last, last // 2, 0, last]):
        window = slice(start, start + power)
        signs = Stream(seed, purpose, first_index + k).signs(power)
        matrix[window] = hadamard / np.sqrt(power) @ (signs[:, None] * matrix[window])
    return matrix


def encoder_matrix(model):
    """B as an n × d matrix."""
    n, d = model.bits, model.dim
    name, seed = model.info["encoder"]["name"], model.info["encoder"]["seed"]
    if "DENSE" in model.arrays:
        return model.arrays["DENSE"].astype(float).reshape(n, d)
    if name == "hadamard":
        full = rotation(max(n, d), seed, 2, 0)
        if n > d:
            return np.sqrt(n / d) * full[:, Stream(seed, 3).subset(n, d)]
        return full[Stream(seed, 4).subset(d, n)] if n < d else full
    if name == "identity":
        rows = Stream(seed, 4).subset(d, n) if n < d else [i % d for i in range(n)]
        return np.eye(d)[rows]
    if name.startswith("mixed:"):
        m = float(name.split(":")[1])
        turn = np.zeros((d, d))
        for j in range(0, d - 1, 2):
            turn[j, j + 1], turn[j + 1, j] = np.sqrt(1 - m * m), -np.sqrt(1 - m * m)
        if d % 2:
            turn[-1, -1] = 1 - m
        blocks = []
        for b in range(-(-n // d)):
            r = rotation(d, seed, 6, 8 * b)
            blocks.append(m * np.eye(d) + r.T @ turn @ r)
        if n % d:
            blocks[-1] = blocks[-1][Stream(seed, 4, len(blocks) - 1).subset(d, n % d)]
        return np.concatenate(blocks)
    raise ValueError(f"encoder {name} is not determined by its name")


# ---- decoders ----


def dct_matrix(n):
    k, j = np.arange(n)[:, None], np.arange(n)[None, :]
    rows = np.sqrt(2 / n) * np.cos(np.pi * (j + 0.5) * k / n)
    rows[0] /= np.sqrt(2)
    return rows


def nearest_orthonormal(rows):
    left, _, right = np.linalg.svd(rows, full_matrices=False)
    return left @ right


def wavelet_level(n):
    """One level of CDF 9/7, made orthonormal: averages above details."""
    x = np.eye(n)  # column j is the transform of the j-th unit vector
    for step, factor in enumerate((-1.586134342059924, -0.052980118572961, 0.882911075530934, 0.443506852043971)):
        for i in range((step + 1) % 2, n, 2):
            x[i] += factor * (x[abs(i - 1)] + x[i + 1 if i + 1 < n else n - 2])
    gain = 1.230174104914001
    averages, details = x[0::2] * np.sqrt(2) / gain, nearest_orthonormal(x[1::2] * gain / np.sqrt(2))
    return np.concatenate([nearest_orthonormal(averages - averages @ details.T @ details), details])


def wavelet_matrix(n):
    rows, m = np.eye(n), n
    while m > 4:
        rows[:m] = wavelet_level(m) @ rows[:m]
        m = (m + 1) // 2
    return rows


def basis_matrix(model):
    """Q as a d × d matrix, rows = basis vectors."""
    name = model.info["decoder"]["basis"]
    if "BASIS" in model.arrays:
        return model.arrays["BASIS"].astype(float).reshape(model.dim, model.dim)
    if name == "identity":
        return np.eye(model.dim)
    kind, sizes = name.split(":")
    height, width, *planes = (int(s) for s in sizes.split("x"))
    along = {"dct2": dct_matrix, "wavelet2": wavelet_matrix}[kind]
    group = np.kron(dct_matrix(planes[0] if planes else 1), np.kron(along(height), along(width)))
    return np.kron(np.eye(model.dim // len(group)), group)


def components(shape):
    """Weights, means, variances of a mixture."""
    return np.array([[c["weight"], c["mean"], c["variance"]] for c in shape["components"]]).T


def posterior_mean(shape, y, precision):
    """E[w | w + N(0, 1/precision) = y] for a mixture; y and precision broadcast."""
    weight, mean, variance = (v[:, None, None] for v in components(shape))
    noise = 1 / np.broadcast_to(precision, y.shape)
    total = variance + noise
    log_weight = np.log(weight) - 0.5 * np.log(total) - (y - mean) ** 2 / (2 * total)
    share = special.softmax(log_weight, axis=0)
    return (share * (variance * y + noise * mean) / total).sum(axis=0)


def denoise(model, y, precision):
    """E[θ | θ + N(0, 1/precision) = y] for every coordinate; y is k × d."""
    shapes = model.info["decoder"]["shapes"]
    if "SCALE" not in model.arrays:
        return posterior_mean(shapes[0], y, precision)
    scale = model.arrays["SCALE"].astype(float)
    offset = model.arrays.get("OFFSET", np.zeros(model.dim)).astype(float)
    shape_of = model.arrays.get("SHAPEOF", np.zeros(model.dim, int))
    out = np.broadcast_to(offset, y.shape).copy()
    for s, shape in enumerate(shapes):
        j = np.flatnonzero((shape_of == s) & (scale > 0))
        if j.size:
            w = posterior_mean(shape, (y[:, j] - offset[j]) / scale[j], precision * scale[j] ** 2)
            out[:, j] = offset[j] + scale[j] * w
    return out


def hazard(a):
    return np.sqrt(2 / np.pi) / special.erfcx(-a / np.sqrt(2))


def estimate(model, z, layers):
    """What the decoder says of t/(s·unit), from k × n signs."""
    if model.stages:
        return staged(model, z, layers)
    decoder = model.info["decoder"]
    b = encoder_matrix(model)
    if layers == 0:
        if "AFFINE" in model.arrays:
            return z @ model.arrays["AFFINE"].astype(float).reshape(model.bits, model.dim) + model.arrays["AFFOFF"]
        return decoder["linear_gain"] * z @ b
    if "MLPIN" in model.arrays:
        return network(model, z)
    form = full_memory if "MEMORY" in model.arrays else two_term
    if "trained_layers" in decoder:
        form = trained
        b = model.arrays["LAYERMAT"].astype(float).reshape(b.shape) if "LAYERMAT" in model.arrays else b
    return form(model, z, layers, b @ basis_matrix(model).T) @ basis_matrix(model)


def network(model, z):
    """A trained network: a linear map of the bits, and a hidden layer of rectifiers beside it."""
    a = {t: model.arrays[t].astype(float) for t in ("MLPLIN", "MLPIN", "MLPBIAS", "MLPOUT", "MLPOFF")}
    hidden = np.maximum(0, z @ a["MLPIN"].reshape(model.bits, -1) + a["MLPBIAS"])
    return z @ a["MLPLIN"].reshape(model.bits, -1) + hidden @ a["MLPOUT"].reshape(-1, model.dim) + a["MLPOFF"]


def staged(model, z, stages):
    """The sum of what each stage adds: a linear map of its bits, and rectifiers of all so far."""
    total = np.zeros((len(z), model.dim))
    for stage in model.stages[:stages]:
        hidden = np.maximum(0, z[:, : stage.until] @ stage.into + stage.bias)
        own = z[:, stage.until - stage.bits : stage.until]
        total += own @ stage.linear + hidden @ stage.out + stage.offset
    return total


class Lost:
    """Guard G8: rows whose scores have left the predicted trajectory."""

    def __init__(self, rows):
        self.rows, self.before = np.zeros(rows, bool), np.zeros(rows)

    def update(self, t, score, predicted):
        surprise = np.mean(score**2, axis=1) / predicted
        self.rows |= (t > 1) & (surprise > 3) & (surprise > self.before)
        self.before = surprise
        return self.rows[:, None]


def score_of(z, ghat, variance, information, clip):
    root = np.sqrt(variance)
    return z * root * hazard(np.maximum(z * ghat / root, -clip)) / information


def two_term(model, z, layers, b):
    """docs/rigamp.md section 3.2; b is B in the basis of the prior."""
    decoder, rate, lost = model.info["decoder"], model.bits / model.dim, Lost(len(z))
    ghat, score = np.zeros_like(z), np.zeros_like(z)
    y = xhat = np.zeros((len(z), model.dim))
    alpha = 0.0
    for t, layer in enumerate(decoder["layers"][:layers]):
        memory, rho = layer["memory"], layer["damping"]
        if t > 0:
            fresh = memory * (xhat @ b.T - alpha * score) - (memory - 1) * ghat
            ghat = rho * fresh + (1 - rho) * ghat
        score = score_of(z, ghat, layer["variance"], layer["information"], decoder["clip"])
        fresh = score @ b / rate + memory * xhat - (memory - 1) * y
        y = rho * fresh + (1 - rho) * y
        stay = lost.update(t, score, layer["variance"] / layer["information"])
        xhat = np.where(stay, xhat, denoise(model, y, layer["precision"]))
        alpha = layer["onsager"]
    return xhat


def spline(layer, name, x):
    """A sum of cubic B-splines, 0 where the layer has none."""
    if name not in layer:
        return 0.0
    low, step, weights = (layer[name][k] for k in ("low", "step", "weights"))
    total = np.zeros_like(x)
    for k, weight in enumerate(weights):
        u = np.abs((x - low) / step - k - 2)  # the k-th is centred at low + (k + 2) step
        total += weight * np.where(u < 1, 2 / 3 - u**2 + u**3 / 2, np.maximum(0, 2 - u) ** 3 / 6)
    return total


def trained(model, z, layers, b):
    """docs/rigamp.md section 8; b is B in the basis of the prior."""
    decoder, lost = model.info["decoder"], Lost(len(z))
    ghat, score = np.zeros_like(z), np.zeros_like(z)
    y = xhat = np.zeros((len(z), model.dim))
    offset, sigma = model.arrays.get("OFFSET", 0.0), model.arrays.get("SCALE", 1.0)
    for t, layer in enumerate(decoder["trained_layers"][:layers]):
        ghat = layer["product"] * (xhat @ b.T) + layer["onsager"] * score + layer["output_memory"] * ghat
        a = np.maximum(z * ghat / layer["width"], -decoder["clip"])
        score = z * (layer["height"] * hazard(a) + spline(layer, "score_spline", z * ghat))
        y = layer["adjoint"] * (score @ b) + layer["estimate"] * xhat + layer["input_memory"] * y
        stay = lost.update(t, score, layer["width"] * layer["height"])
        standard = (y - offset) / np.where(np.asarray(sigma) > 0, sigma, np.inf)
        fresh = denoise(model, y, layer["precision"]) + sigma * spline(layer, "mean_spline", standard)
        xhat = np.where(stay, xhat, fresh)
    return xhat


def memory_layers(model):
    """The layers in section MEMORY: (V, c, precision, risk), b, beta, a, alpha of each."""
    numbers, layers = list(model.arrays["MEMORY"]), []
    while numbers:
        t = len(layers)
        layers.append([[numbers.pop(0) for _ in range(n)] for n in (4, t, t, t + 1, t + 1)])
    return layers


def full_memory(model, z, layers, b):
    """docs/rigamp.md section 4.5; b is B in the basis of the prior."""
    lost = Lost(len(z))
    ghat, xhat = np.zeros_like(z), np.zeros((len(z), model.dim))
    s, x, r, estimates = [], [], [], []

    def combine(weights, terms):
        return sum(w * term for w, term in zip(weights, terms))

    for t, ((v, c, precision, _), outputs, beta, inputs, alpha) in enumerate(memory_layers(model)[:layers]):
        if t > 0:
            ghat = combine(outputs, r)
        s.append(score_of(z, ghat, v, c, model.info["decoder"]["clip"]))
        x.append(s[-1] @ b - combine(beta, estimates))
        stay = lost.update(t, s[-1], v / c)
        xhat = np.where(stay, xhat, denoise(model, combine(inputs, x), precision))
        estimates.append(xhat)
        r.append(xhat @ b.T - combine(alpha, s))
    return xhat


def all_layers(model, codes):
    """How many layers the decoder has, or how many stages the codes hold."""
    if model.stages:
        held = len(codes.stages)
        check(codes.stages == [s.bits for s in model.stages[:held]], "the stages differ")
        return held
    if "MEMORY" in model.arrays:
        return len(memory_layers(model))
    if "MLPIN" in model.arrays:
        return 1
    return len(model.info["decoder"].get("trained_layers", []) or model.info["decoder"]["layers"])


def decode(model, codes, layers=None):
    """x̂ as an N × d float64 matrix."""
    check(model.compute_fingerprint() == model.fingerprint, "the fingerprint of the model is wrong")
    check(codes.fingerprint == model.fingerprint, "the codes belong to another model")
    last = all_layers(model, codes)
    scales = np.ones(len(codes.signs)) if codes.scales is None else codes.scales
    t = model.info["unit"] * scales[:, None] * estimate(model, codes.signs, last if layers is None else layers)
    t[scales == 0] = 0
    if "EIGVEC" in model.arrays:
        v = model.arrays["EIGVEC"].astype(float).reshape(model.dim, model.dim)
        t = (t @ v.T * np.sqrt(model.arrays["EIGVAL"] + model.info["epsilon"])) @ v
    return t + model.arrays.get("MEAN", 0)


def read(path, kind):
    with open(path, "rb") as file:
        return kind(file.read())


def main(arguments):
    model, codes = read(arguments[0], Model), read(arguments[1], Codes)
    np.save(arguments[2], decode(model, codes, int(arguments[3]) if len(arguments) > 3 else None))


if __name__ == "__main__":
    main(sys.argv[1:])
