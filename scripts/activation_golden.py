#!/usr/bin/env python3
"""Writes tests/golden/activations.bin: exact activations and their derivatives.

    scripts/activation_golden.py GOLDEN_DIRECTORY tests/golden

The directory has activations.json and activations.safetensors (values by mpmath at 60 digits beside PyTorch's). The
values here are computed once more, by Taylor numbers of second order at 1 200 digits, at those points and at their
mirror images, must agree with the values there, and are rounded to nearest.
"""
import json, math, struct, sys
from mpmath import mp, mpf, exp, log, sqrt, pi, erfc

mp.dps = 1200
source, target = sys.argv[1:]
index = json.load(open(f"{source}/activations.json"))
raw = open(f"{source}/activations.safetensors", "rb").read()
size = struct.unpack("<Q", raw[:8])[0]
header = json.loads(raw[8:8 + size])


def tensor(name):
    entry = header[name]
    (a, b), code = entry["data_offsets"], {"F64": "d", "I64": "q"}[entry["dtype"]]
    data = raw[8 + size + a:8 + size + b]
    return entry["shape"], list(struct.unpack(f"<{len(data) // 8}{code}", data))


class Taylor:
    """A value and its first two derivatives by x."""
    def __init__(self, v, a=mpf(0), b=mpf(0)):
        self.v, self.a, self.b = v, a, b
    def of(self, f, d, dd):
        return Taylor(f, d * self.a, dd * self.a ** 2 + d * self.b)
    def __add__(self, o):
        o = o if isinstance(o, Taylor) else Taylor(mpf(o))
        return Taylor(self.v + o.v, self.a + o.a, self.b + o.b)
    __radd__ = __add__
    def __neg__(self):
        return Taylor(-self.v, -self.a, -self.b)
    def __sub__(self, o):
        return self + (-o)
    def __rsub__(self, o):
        return -self + o
    def __mul__(self, o):
        o = o if isinstance(o, Taylor) else Taylor(mpf(o))
        return Taylor(self.v * o.v, self.a * o.v + self.v * o.a, self.b * o.v + 2 * self.a * o.a + self.v * o.b)
    __rmul__ = __mul__
    def inverse(self):
        r = 1 / self.v
        return self.of(r, -r ** 2, 2 * r ** 3)
    def exp(self):
        e = exp(self.v)
        return self.of(e, e, e)
    def log(self):
        r = 1 / self.v
        return self.of(log(self.v), r, -r ** 2)
    def cdf(self):
        phi = exp(-self.v ** 2 / 2) / sqrt(2 * pi)
        return self.of(erfc(-self.v / sqrt(mpf(2))) / 2, phi, -self.v * phi)


def sigmoid(x):
    # From the side that does not overflow even mpmath's patience.
    if x.v > 0:
        return (1 + (-x).exp()).inverse()
    e = x.exp()
    return e * (1 + e).inverse()


def softplus(x):
    return x + (1 + (-x).exp()).log() if x.v > 0 else (1 + x.exp()).log()


def tanh_(x):
    return 2 * sigmoid(2 * x) - 1


def constant(c):
    return Taylor(mpf(c))


def cut(x, low, high):
    """Derivative 0 at the bounds."""
    return constant(low) if x.v <= low else constant(high) if x.v >= high else x


def elu(x, scale, alpha, inner):
    if x.v > 0:
        return scale * x
    y = (scale * alpha) * ((x * (1 / inner)).exp() - 1)
    return Taylor(y.v, y.a, mpf(0)) if x.v == 0 else y


def hardswish(x):
    return constant(0) if x.v <= -3 else x if x.v >= 3 else x * (x + 3) * (1 / mpf(6))


def softsign(x):
    if x.v == 0:
        return Taylor(mpf(0), mpf(1), mpf(0))
    return x * (1 + (x if x.v > 0 else -x)).inverse()


def gelu_tanh(x):
    return x * sigmoid(2 * sqrt(2 / pi) * (x + mpf("0.044715") * x * x * x))


half = mpf(1) / 2
FORMULAS = {
    "sigmoid": sigmoid,
    "tanh": tanh_,
    "relu": lambda x: x if x.v > 0 else constant(0),
    "leaky_relu.0.01": lambda x: x if x.v > 0 else mpf(0.01) * x,
    "leaky_relu.0.2": lambda x: x if x.v > 0 else mpf(0.2) * x,
    "prelu": lambda x: x if x.v > 0 else mpf(0.25) * x,
    "elu.1.0": lambda x: elu(x, mpf(1), mpf(1), mpf(1)),
    "elu.1.7": lambda x: elu(x, mpf(1), mpf(1.7), mpf(1)),
    "selu": lambda x: elu(x, mpf(1.0507009873554805), mpf(1.6732632423543772), mpf(1)),
    "celu.1.0": lambda x: elu(x, mpf(1), mpf(1), mpf(1)),
    "celu.1.3": lambda x: elu(x, mpf(1), mpf(1.3), mpf(1.3)),
    "gelu.none": lambda x: x * x.cdf(),
    "gelu.tanh": gelu_tanh,
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * tanh_(softplus(x)),
    "softplus.1.0": softplus,
    "softplus.2.0": lambda x: half * softplus(2 * x),
    "softsign": softsign,
    "hardtanh": lambda x: cut(x, -1, 1),
    "hardsigmoid": lambda x: cut(x, -3, 3) * (1 / mpf(6)) + half,
    "hardswish": hardswish,
    "relu6": lambda x: cut(x, 0, 6),
    "logsigmoid": lambda x: -softplus(-x),
    "tanhshrink": lambda x: x - tanh_(x),
    "softshrink": lambda x: x - half if x.v > half else x + half if x.v < -half else constant(0),
    "hardshrink": lambda x: x if abs(x.v) > half else constant(0),
    "threshold": lambda x: x if x.v > half else constant(2),
}


def nearest(v):
    """To nearest also among subnormal numbers, where mpmath's own conversion rounds twice."""
    if v == 0:
        return 0.0
    m, e = mp.frexp(v)
    if e > 1025:
        return math.copysign(math.inf, v)
    if e < -1021:
        return math.ldexp(int(mp.nint(mp.ldexp(v, 1074))), -1074)
    return math.ldexp(int(mp.nint(mp.ldexp(m, 53))), e - 53)


def limit(formula, x):
    """At ±∞: where the function settles, from the value at 10^60 and at ten times that."""
    far, farther = (formula(Taylor(mpf(10) ** k * (1 if x > 0 else -1), mpf(1))) for k in (60, 61))
    settle = lambda a, b: (math.copysign(math.inf, a) if abs(b) > 2 * abs(a) and abs(a) > 1
                           else nearest(a) if abs(a) > 1e-30 else 0.0)
    return [settle(far.v, farther.v), settle(far.a, farther.a), settle(far.b, farther.b)]


_, points = tensor("points")
points += [-x for x in points if not math.isnan(x)]
entries = [("points", [len(points)], points)]
for e in index["elementwise"]:
    name, formula = e["name"], FORMULAS[e["name"]]
    columns = [[], [], []]
    for x in points:
        if math.isnan(x):
            row = [math.nan] * 3
        elif math.isinf(x):
            row = limit(formula, x)
        else:
            y = formula(Taylor(mpf(x), mpf(1)))
            row = [nearest(y.v), nearest(y.a), nearest(y.b)]
        for column, value in zip(columns, row):
            column.append(value)
    for part, column in zip(("f", "d1", "d2"), columns):
        _, given = tensor(e["exact"][part])
        for x, mine, theirs in zip(points, column, given):
            same = mine == theirs or (math.isnan(mine) and math.isnan(theirs))
            if not same:
                print(f"{name} {part} at {x}: {mine!r}, golden {theirs!r}")
        entries.append((f"{name}/{part}", [len(column)], column))
    print(name, flush=True)

for v in index["vector"]:
    for part, name in v["exact" if "exact" in v else "torch"].items():
        shape, data = tensor(name)
        if v["name"] != "softmax_stretch.1.0":
            entries.append((f"{v['name']}/{part}", shape, [float(x) for x in data]))
    for key in ("input", "cotangent", "u"):
        if key in v and not any(n == v[key] for n, _, _ in entries):
            shape, data = tensor(v[key])
            entries.append((v[key], shape, data))

with open(f"{target}/activations.txt", "w") as text, open(f"{target}/activations.bin", "wb") as binary:
    for name, shape, data in entries:
        text.write(f"{name} {','.join(map(str, shape))}\n")
        binary.write(struct.pack(f"<{len(data)}d", *data))
