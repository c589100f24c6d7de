"""Reference values of the elementary functions, by mpmath at 60 digits: src/number/reference/f32.bin, f64.bin.

Format: see src/number/reference/README.md.
"""

import os
import random
import struct
import sys

from mpmath import mp, mpf

mp.dps = 60
LN2 = mp.log(2)


class Precision:
    def __init__(self, name, code, word, digits, least, top):
        self.name, self.code, self.word, self.digits, self.least, self.top = name, code, word, digits, least, top

    def round(self, value):
        """The nearest float of a real number, halves to even, and the distance to it in ulps."""
        if value == 0:
            return 0.0, mpf(0)
        exponent = max(int(mp.floor(mp.log(abs(value), 2))) + 1 - self.digits, self.least)
        scaled = mp.ldexp(value, -exponent)
        nearest = mp.nint(scaled)
        if abs(nearest) >= mpf(2) ** (self.top - exponent):
            return (float("inf") if value > 0 else float("-inf")), mpf(0)
        # The ulp of the rounded number, which a rounding up to a power of two doubles.
        if abs(nearest) == mpf(2) ** self.digits:
            return float(mp.ldexp(nearest, exponent)), (scaled - nearest) / 2
        return float(mp.ldexp(nearest, exponent)), scaled - nearest

    def cast(self, value):
        try:
            return struct.unpack(self.code, struct.pack(self.code, value))[0]
        except OverflowError:
            return None

    def step(self, value, ulps):
        bits = struct.unpack(self.word, struct.pack(self.code, value))[0]
        return struct.unpack(self.code, struct.pack(self.word, bits + ulps))[0]


F32 = Precision("f32", "<f", "<I", 24, -149, 128)
F64 = Precision("f64", "<d", "<Q", 53, -1074, 1024)


def positive(p, low, high, count, rng):
    """Positive arguments: powers of two with neighbours, and log-uniform ones."""
    found = []
    exponents = list(range(max(low, p.least), min(high, p.top - 1) + 1))
    for e in rng.sample(exponents, min(len(exponents), count // 5)):
        x = float(mp.ldexp(1, e))
        found += [x, p.step(x, 1)] + ([p.step(x, -1)] if e > p.least else [])
    for _ in range(count // 2):
        e = rng.uniform(max(low, p.least), min(high, p.top - 0.01))
        found.append(p.cast(float(mpf(2) ** e)))
    return found


def around(p, points, rng):
    found = []
    for point in points:
        x = p.cast(float(point))
        if x is None or x == 0:
            continue
        found += [p.step(x, d) for d in (-2, -1, 0, 1, 2)]
    return found


def both(values):
    return values + [-v for v in values]


def uniform(p, low, high, count, rng):
    return [p.cast(rng.uniform(low, high)) for _ in range(count)]


def softplus(x):
    return mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x))


def cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def shrink(x):
    # The difference loses twice the digits of x.
    with mp.workdps(60 + 2 * max(0, -int(mp.log10(abs(x))))):
        return x - mp.tanh(x)


def cube_root(x):
    return mp.sign(x) * mp.cbrt(abs(x))


def expm1(x):
    with mp.workdps(60 + max(0, -int(mp.log10(abs(x))))):
        return mp.exp(x) - 1


def precise(function):
    """With as many digits more as the argument has zeros, so that 1 + x keeps all of x."""

    def wrapped(x):
        with mp.workdps(120 + 2 * max(0, -int(mp.log10(abs(x)))) if x else 60):
            return function(x)

    return wrapped


def huge_trig(p):
    if p is F32:
        return [1e5, 1e6, 16367173.0, 2.0**30, 1e10, 3.4e38, 2.0**100, 2.0**127]
    return [1e5, 1e6, 1e10, 2.0**40, 2.0**60, 1e22, 1e100, 2.0**600, 1.7976931348623157e308,
            6381956970095103 * 2.0**797, 2.0**1023]


def arguments(name, p, rng):
    """About 250 arguments; those outside of the domain are dropped by the caller."""
    small = positive(p, -1080, 0, 60, rng)
    near = both(uniform(p, 0, 1, 30, rng) + uniform(p, 0, 8, 20, rng))
    multiples = [LN2 * (k + mpf(1) / 2) for k in list(range(0, 12)) + [60, 100, 127, 148]]
    if name in ("exp", "exp_m1", "sigmoid", "softplus", "sinh", "cosh", "tanh", "tanhshrink"):
        top = 104 if p is F32 else 745.2
        values = both(small[::2] + around(p, multiples, rng)[::3] + uniform(p, 0, top, 60, rng)) + near
        edge = [88.72, 87.33, 103.9, 89.4] if p is F32 else [709.78, 708.39, 745.13, 710.47]
        values += both(around(p, edge + [1.0], rng) + uniform(p, edge[1], edge[2], 10, rng))
        if name in ("tanhshrink", "softplus"):
            values += positive(p, 5, 1100, 20, rng)
        return values
    if name in ("erf", "erfc"):
        top, edge = (10.1, [9.19, 10.05, 1.0, 4.0]) if p is F32 else (27.3, [26.54, 27.22, 1.0, 4.0])
        values = uniform(p, 0, top, 60, rng) + around(p, edge, rng) + uniform(p, edge[0], edge[1], 12, rng)
        return both(small[::2] + values) + near
    if name in ("gauss", "normal_cdf"):
        top, edge = (14.5, [13.19, 14.17, 1.0, 5.65]) if p is F32 else (38.6, [37.51, 38.48, 1.0, 5.65])
        values = uniform(p, 0, top, 60, rng) + around(p, edge, rng) + uniform(p, edge[0], edge[1], 12, rng)
        return both(small[::2] + values) + near
    if name in ("sin", "cos", "tan"):
        quarter = [mp.pi / 4 * k for k in list(range(1, 17)) + [355, 710, 1000, 33102, 1000001]]
        values = small[::2] + around(p, quarter, rng)[::2] + uniform(p, 0, 1000, 30, rng)
        values += positive(p, 0, 20, 20, rng) + positive(p, 20, 1100, 40, rng) + huge_trig(p)
        return both(values)
    if name in ("asin", "acos", "atanh"):
        return both(small + around(p, [0.5, 0.25, 1.0], rng) + uniform(p, 0, 1, 60, rng) + uniform(p, 0.9, 1, 10, rng))
    if name in ("atan", "asinh", "cbrt"):
        return both(small[::2] + around(p, [0.5, 1.0, 2.0, 1e9, 2.0**30, 2.0**60], rng)
                    + positive(p, 0, 1100, 60, rng) + uniform(p, 0, 4, 40, rng))
    if name == "acosh":
        return around(p, [1.0, 1.5, 2.0, 2.0**30, 2.0**60], rng) + [p.step(1.0, 2**k) for k in range(20)] + \
            positive(p, 0, 1100, 120, rng) + uniform(p, 1, 4, 60, rng)
    # Logarithms.
    root = mp.sqrt(mpf(1) / 2)
    values = around(p, [root * 2**k for k in (-30, -3, -2, -1, 0, 1, 2, 3, 30)] + [1.0, 2.0], rng)
    values += positive(p, -1080, 1100, 150, rng) + uniform(p, 0.5, 2, 60, rng)
    if name == "ln_1p":
        kinks = [v - 1 for v in values if 0.25 < v < 8]
        return [p.cast(v) for v in kinks] + values + [-v for v in values if v < 1]
    if name == "log10":
        values += [p.cast(10.0**k) for k in range(0, 22, 3)]
    return values


DOMAIN = {
    "ln": lambda x: x > 0, "log2": lambda x: x > 0, "log10": lambda x: x > 0, "ln_1p": lambda x: x > -1,
    "asin": lambda x: abs(x) <= 1, "acos": lambda x: abs(x) <= 1, "atanh": lambda x: abs(x) < 1,
    "acosh": lambda x: x >= 1,
}

FUNCTIONS = {
    "exp": mp.exp, "exp_m1": expm1, "sigmoid": lambda x: 1 / (1 + mp.exp(-x)), "softplus": softplus,
    "sinh": precise(mp.sinh), "cosh": mp.cosh, "tanh": precise(mp.tanh), "tanhshrink": shrink,
    "gauss": lambda x: mp.exp(-x * x / 2), "erf": mp.erf, "erfc": mp.erfc, "normal_cdf": cdf,
    "ln": mp.log, "ln_1p": precise(mp.log1p), "log2": lambda x: mp.log(x) / LN2,
    "log10": lambda x: mp.log(x) / mp.log(10), "asinh": precise(mp.asinh), "acosh": precise(mp.acosh),
    "atanh": precise(mp.atanh), "sin": precise(mp.sin), "cos": precise(mp.cos), "tan": precise(mp.tan),
    "asin": precise(mp.asin), "acos": mp.acos, "atan": precise(mp.atan), "cbrt": cube_root,
}


def two_arguments(name, p, rng):
    pairs = []
    for _ in range(140):
        if name == "pow":
            x = abs(p.cast(rng.uniform(0, 1) if rng.random() < 0.3 else 2.0 ** rng.uniform(-p.top + 2, p.top - 2)))
            limit = (p.top + 20) / max(abs(float(mp.log(x, 2))), 1e-3) if x != 1 else 10
            pairs.append((x, p.cast(rng.uniform(-1, 1) * min(limit, 1e6))))
        else:
            e = rng.uniform(p.least, p.top - 1)
            d = rng.uniform(-30, 30) if rng.random() < 0.7 else rng.uniform(-200, 200)
            x = p.cast(rng.choice((-1, 1)) * 2.0**e)
            y = p.cast(rng.choice((-1, 1)) * 2.0 ** min(max(e + d, p.least), p.top - 1))
            pairs.append((x, y))
    if name == "pow":
        pairs += [(x, y) for x in (p.step(1.0, 1), p.step(1.0, -3), 1.25, 0.75) for y in (2.0, -3.0, 0.5, 1e5, 4097.0)]
        pairs += [(-x, y) for x in (3.0, 0.3) for y in (2.0, 3.0, -5.0, -8.0, 0.0)]
        pairs += [(p.cast(rng.uniform(0.5, 2)), p.cast(rng.uniform(-100, 100))) for _ in range(60)]
    else:
        pairs += [(p.cast(rng.uniform(-3, 3)), p.cast(rng.uniform(-3, 3))) for _ in range(60)]
        pairs += [(3.0, 4.0), (1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)]
    return [(x, y) for x, y in pairs if x != 0 and y is not None and (y != 0 or name == "pow")]


def angle(y, x):
    with mp.workdps(400):
        return mp.atan2(y, x)


TWO = {
    "pow": lambda x, y: mp.power(x, y),
    "hypot": lambda x, y: mp.sqrt(x * x + y * y),
    "atan2": angle,
}


def main(folder):
    for p in (F32, F64):
        with open(os.path.join(folder, p.name + ".bin"), "wb") as file:
            for name in [*FUNCTIONS, *TWO]:
                rng = random.Random(name)
                if name in FUNCTIONS:
                    domain = DOMAIN.get(name, lambda x: True)
                    rows = {(p.cast(x),) for x in arguments(name, p, rng) if x is not None and x != 0 and abs(x) != float("inf")}
                    rows = [row for row in sorted(rows) if domain(row[0])]
                else:
                    rows = sorted({(p.cast(x), p.cast(y)) for x, y in two_arguments(name, p, rng)})
                file.write(struct.pack("<14sBxH", name.encode(), len(rows[0]), len(rows)))
                for row in rows:
                    exact = (FUNCTIONS | TWO)[name](*(mpf(v) for v in row))
                    value, rest = p.round(mp.re(exact))
                    file.write(b"".join(struct.pack(p.code, v) for v in (*row, value)))
                    file.write(struct.pack("<h", int(mp.nint(rest * 32768)) if abs(rest) < 0.5 else 16384))
                print(p.name, name, len(rows), file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "src/number/reference")
