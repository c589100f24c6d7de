"""Polynomial coefficients of src/number/math: interpolation at Chebyshev nodes, 60 digits, then rounding.

Interpolation at Chebyshev nodes is within a small factor of the minimax error, and the degrees below leave
room for it. The error printed is the largest one of the rounded polynomial, over `weight`.
"""

import struct
import sys

from mpmath import mp, mpf

mp.dps = 60


def rounded(value, bits):
    return struct.unpack("f", struct.pack("f", float(value)))[0] if bits == 24 else float(value)


def chebyshev(function, low, high, degree, density):
    # A density above 1 crowds the nodes at the low end, where the weight is large.
    nodes = [
        low + (high - low) * ((1 + mp.cos(mp.pi * (2 * i + 1) / (2 * degree + 2))) / 2) ** density
        for i in range(degree + 1)
    ]
    # Newton's divided differences, expanded into powers.
    table = [function(x) for x in nodes]
    for level in range(1, degree + 1):
        for i in range(degree, level - 1, -1):
            table[i] = (table[i] - table[i - 1]) / (nodes[i] - nodes[i - level])
    powers = [mpf(0)]
    for i in range(degree, -1, -1):
        shifted = [mpf(0)] + powers
        powers = [shifted[j] - nodes[i] * (powers[j] if j < len(powers) else 0) for j in range(len(shifted))]
        powers[0] += table[i]
    return powers[: degree + 1]


def show(name, function, low, high, degree, bits, weight=lambda x: mpf(1), density=mpf(1)):
    low, high = mpf(low), mpf(high)
    coefficients = [rounded(c, bits) for c in chebyshev(function, low, high, degree, density)]
    error = max(
        abs((mp.polyval([mpf(c) for c in reversed(coefficients)], x) - function(x)) * weight(x))
        for x in [low + (high - low) * (i + mpf(1) / 2) / 500 for i in range(500)]
    )
    exponent = "-inf" if error == 0 else mp.nstr(mp.log(error, 2), 4)
    print(f"// degree {degree} on [{mp.nstr(low, 5)}, {mp.nstr(high, 5)}], error 2^{exponent}")
    print(f"const {name}: [f64; {degree + 1}] = [")
    for c in coefficients:
        print(f"    {c!r},")
    print("];")


def root(function):
    """A function of z = x^2 from one of x."""
    return lambda z: function(mp.sqrt(z))


LN2 = mp.log(2)
HALF_LN2 = mpf("0.3468")
S2 = mp.sqrt(2)
K = mpf(4)


def scaled_erfcx(t):
    x = K * (1 + t) / (1 - t)
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x) - 1


def t_of(x):
    return (mpf(x) - K) / (mpf(x) + K)


def log_tail(z):
    s = mp.sqrt(z)
    return (mp.log((1 + s) / (1 - s)) - 2 * s) / (s * z)


SMAX = ((S2 - 1) / (S2 + 1)) ** 2 * mpf("1.0001")

def log_erfc(u):
    return mp.log(mp.erfc(u + 2))


def erf_weight(u):
    return mp.erfc(u + 2) / mp.erf(u + 2)


TABLES = {
    "mod": [("RECIPROCAL", lambda d: 1 / d, 1, 2, 2, 53, lambda d: d)],
    "exp": [
        ("EXP_32", lambda r: (mp.expm1(r) - r) / r**2, -HALF_LN2 * mpf("1.001"), HALF_LN2, 4, 24, lambda r: r**2),
        ("EXP_64", lambda r: (mp.expm1(r) - r) / r**2, -HALF_LN2 * mpf("1.001"), HALF_LN2, 10, 53, lambda r: r**2),
        ("SINH_32", root(lambda x: (mp.sinh(x) - x) / x**3), 0, 1, 3, 24, lambda z: z),
        ("SINH_64", root(lambda x: (mp.sinh(x) - x) / x**3), 0, 1, 7, 53, lambda z: z),
        ("SHRINK_32", root(lambda x: ((x - mp.tanh(x)) / x**3 - mpf(1) / 3) / x**2), 0, 1, 6, 24, lambda z: z),
        ("SHRINK_64", root(lambda x: ((x - mp.tanh(x)) / x**3 - mpf(1) / 3) / x**2), 0, 1, 15, 53, lambda z: z),
    ],
    "log": [
        ("LN_32", lambda f: (mp.log1p(f) - f + f * f / 2) / f**3, 1 / S2 - 1, S2 - 1, 8, 24, lambda f: f**2),
        ("LN_64", log_tail, 0, SMAX, 7, 53, lambda z: z / 2),
    ],
    "erf": [
        ("ERF_32", root(lambda x: mp.erf(x) / x - 1), 0, 1, 6, 24),
        ("ERF_64", root(lambda x: mp.erf(x) / x - 1), 0, 1, 12, 53),
        ("LOG_32", log_erfc, -1, 2, 7, 24, erf_weight, mpf("1.5")),
        ("LOG_64", log_erfc, -1, 4, 22, 53, erf_weight, mpf("2.5")),
        ("ERFCX_32", scaled_erfcx, -1, t_of(11), 11, 24),
        ("ERFCX_64", scaled_erfcx, -1, t_of(29), 22, 53),
    ],
    "pow": [
        ("CBRT", lambda m: m ** (-mpf(1) / 3), mpf("0.49"), mpf("4.05"), 6, 53, lambda m: m ** (mpf(1) / 3)),
    ],
    "trig": [
        # Sums in single precision have the leading terms in front: 1 for the sine over x, 1 and -1/2 for the cosine.
        ("WAVE_32", root(lambda x: (mp.sin(x) - x) / x**3), 0, (mp.pi / 2) ** 2, 4, 53, lambda z: z),
        ("SIN_32", root(lambda x: (mp.sin(x) - x) / x**3), 0, (mp.pi / 4) ** 2, 3, 53, lambda z: z),
        ("SIN_64", root(lambda x: (mp.sin(x) - x) / x**3), 0, (mp.pi / 4) ** 2, 6, 53, lambda z: z),
        ("COS_32", root(lambda x: (mp.cos(x) - 1 + x**2 / 2) / x**4), 0, (mp.pi / 4) ** 2, 2, 53, lambda z: z * z),
        ("COS_64", root(lambda x: (mp.cos(x) - 1 + x**2 / 2) / x**4), 0, (mp.pi / 4) ** 2, 6, 53, lambda z: z * z),
        ("ATAN_32", root(lambda x: (mp.atan(x) - x) / x**3), 0, 1, 9, 24, lambda z: z),
        ("ATAN_64", root(lambda x: (mp.atan(x) - x) / x**3), 0, 1, 21, 53, lambda z: z),
        ("ASIN_32", root(lambda x: (mp.asin(x) - x) / x**3), 0, mpf("0.25"), 5, 24, lambda z: z),
        ("ASIN_64", root(lambda x: (mp.asin(x) - x) / x**3), 0, mpf("0.25"), 13, 53, lambda z: z),
    ],
}



def two_over_pi():
    """The rows of src/number/math/two_over_pi.rs; what they hold is said there."""
    with mp.workprec(1600):
        for g in range(31):
            unit = mp.ldexp(1, 22 - 32 * g)
            rest = 2 / mp.pi if g == 0 else 2 / mp.pi - unit * mp.floor(2 / mp.pi / unit)
            rest = mp.ldexp(rest, 32 * g)
            row = []
            for _ in range(4):
                row.append("0x%016x" % struct.unpack("<Q", struct.pack("<d", float(rest)))[0])
                rest -= mpf(float(rest))
            print(f"    [{', '.join(row)}],")


for group in sys.argv[1:] or TABLES:
    print(f"// {group}")
    for entry in TABLES[group]:
        show(*entry)
if not sys.argv[1:]:
    two_over_pi()
