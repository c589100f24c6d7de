"""Reference values of the special functions and their derivatives, by mpmath at 60 digits: tests/golden/special.bin.

Format: see tests/golden/README.md. Rerunning gives the same bytes: the seed is fixed.
"""

import os
import random
import struct

from mpmath import mp, mpf

mp.dps = 60
RNG = random.Random(20260101)


def uniform(low, high, n):
    return [RNG.uniform(low, high) for _ in range(n)]


def log_uniform(low, high, n):
    return [10 ** RNG.uniform(low, high) for _ in range(n)]


def both(values):
    return values + [-v for v in values]


def nearest(value):
    """The nearest double, and the distance to it in ulps of it."""
    if mp.isinf(value) or mp.isnan(value):
        return float(value), 0.0
    y = float(value)
    if y == 0.0 or y in (float("inf"), float("-inf")):
        return y, 0.0
    bits = struct.unpack("<Q", struct.pack("<d", abs(y)))[0]
    exponent = max((bits >> 52) - 1075, -1074)
    return y, float((value - mpf(y)) / mpf(2) ** exponent)


BLOCKS = []


def block(name, f, *columns):
    rows = []
    for x in zip(*columns):
        y, rest = nearest(mp.re(f(*map(mpf, x))))
        rows.append((*x, y, rest))
    BLOCKS.append((name, len(columns), rows))
    print(name, len(rows))



def wide(f, extra=60):
    """With more digits, for formulas that cancel."""

    def wrapped(*x):
        with mp.workdps(60 + extra):
            return f(*x)

    return wrapped


def erfcx(n):
    # The derivatives as polynomials in x: Fₙ₊₁ = 2n Fₙ₋₁ − 2x Fₙ, which cancels some digits of x² each.
    def f(x):
        with mp.workdps(160):
            value = mp.exp(x * x) * mp.erfc(x)
            before, now = value, 2 / mp.sqrt(mp.pi) - 2 * x * value
            if n == 0:
                return value
            for k in range(1, n):
                before, now = now, 2 * k * before - 2 * x * now
            return (-1) ** n * now

    return f


def normal_cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def log_ndtr(x):
    return mp.log1p(-normal_cdf(-x)) if x > 0 else mp.log(normal_cdf(x))


def hazard(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi) / normal_cdf(x)


def ndtri(p):
    # Newton's iteration from the double-precision side of it, in the logarithm.
    y = -mp.sqrt(-2 * mp.log(p)) if p < mpf("0.1") else mpf(0)
    for _ in range(200):
        step = (log_ndtr(y) - mp.log(p)) / hazard(y)
        y -= step
        if abs(step) < mpf(10) ** -55 * max(abs(y), mpf(10) ** -20):
            break
    return y


def erfinv(x):
    y = mp.erfinv(x)
    for _ in range(3):
        y -= (mp.erf(y) - x) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
    return y


def scaled_i(n):
    # (−1)ⁿ times the derivative is an integral of Iₖ: (1 − cos θ)ⁿ by the binomial theorem gives derivatives of I₀.
    def f(x):
        with mp.workdps(60 + 30 * n):
            total = mpf(0)
            for k in range(n + 1):
                total += mp.binomial(n, k) * (-1) ** (n - k) * mp.diff_of_i(k, x)
            return total * mp.exp(-x)

    return f


def i_derivative(k, x):
    """The k-th derivative of I₀: 2⁻ᵏ Σ C(k, j) I_{|k − 2j|}."""
    return sum(mp.binomial(k, j) * mp.besseli(abs(k - 2 * j), x) for j in range(k + 1)) / mpf(2) ** k


mp.diff_of_i = i_derivative


def i1e(n):
    def f(x):
        with mp.workdps(60 + 30 * (n + 1)):
            s = mp.sign(x)
            total = mpf(0)
            for k in range(n + 1):
                total += mp.binomial(n, k) * (-s) ** (n - k) * i_derivative(k + 1, x)
            return total * mp.exp(-abs(x))

    return f


def k_derivative(order, k, x):
    """The k-th derivative of K: (−½)ᵏ Σ C(k, j) K_{|order + k − 2j|}."""
    return sum(mp.binomial(k, j) * mp.besselk(abs(order + k - 2 * j), x) for j in range(k + 1)) / mpf(-2) ** k


def scaled_k(order, n):
    def f(x):
        with mp.workdps(60 + 30 * (n + 1)):
            return mp.exp(x) * sum(mp.binomial(n, k) * k_derivative(order, k, x) for k in range(n + 1))

    return f


def sinc(n, in_half_turns):
    # The Taylor series converges everywhere.
    def f(x):
        with mp.workdps(120 + int(abs(x) * 3)):
            z = mp.pi * x if in_half_turns else x
            k = (n + 1) // 2
            total, small = mpf(0), mpf(10) ** -(100 + int(abs(x) * 3))
            while True:
                p = 2 * k - n
                term = (-1) ** k * z**p / mp.factorial(p) / (2 * k + 1)
                total += term
                if abs(term) < small and p > 2 * abs(z):
                    break
                k += 1
            return total * (mp.pi**n if in_half_turns else 1)

    return f


def gamma_p(a, x):
    with mp.workdps(120):
        return mp.gammainc(a, 0, x, regularized=True)


def gamma_q(a, x):
    with mp.workdps(120):
        return mp.gammainc(a, x, mp.inf, regularized=True)


def density(a, x):
    return mp.exp((a - 1) * mp.log(x) - x - mp.loggamma(a))


def gamma_law(x, a, r):
    return a * mp.log(r) + (a - 1) * mp.log(x) - r * x - mp.loggamma(a)


def beta_law(p, a, b):
    return (a - 1) * mp.log(p) + (b - 1) * mp.log1p(-p) - mp.loggamma(a) - mp.loggamma(b) + mp.loggamma(a + b)


def poisson(k, r):
    return k * mp.log(r) - r - mp.loggamma(k + 1)


def binomial(k, n, p):
    return choices(n, k) + k * mp.log(p) + (n - k) * mp.log1p(-p)


def choices(n, k):
    return mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def student(x, v):
    return mp.loggamma((v + 1) / 2) - mp.loggamma(v / 2) - mp.log(v * mp.pi) / 2 - (v + 1) / 2 * mp.log1p(x * x / v)


def student_by_freedom(x, v):
    norm = (mp.psi(0, (v + 1) / 2) - mp.psi(0, v / 2)) / 2 - 1 / (2 * v)
    return norm - mp.log1p(x * x / v) / 2 + (v + 1) / 2 * x * x / (v * (v + x * x))


def student_by_freedom_twice(x, v):
    q = x * x
    norm = (mp.psi(1, (v + 1) / 2) - mp.psi(1, v / 2)) / 4 + 1 / (2 * v * v)
    first = q / (v * (v + q))
    return norm + first / 2 + q / (2 * v * (v + q)) - (v + 1) / 2 * q * (2 * v + q) / (v * (v + q)) ** 2


def apart(f, *columns):
    """The rows where f does not vanish nearly: a tenth of its larger neighbour when its last argument moves by 3 %."""
    def keep(x):
        with mp.workdps(120):
            x = [mpf(v) for v in x]
            return abs(f(*x)) > abs(f(*x[:-1], x[-1] * mpf("1.03")) - f(*x)) * 3

    return zip(*(x for x in zip(*columns) if keep(x)))


def densities():
    """Laws with counts and parameters up to where their terms are 10⁹ times the sum. Rates are powers of 2, so that the
    product with x is exact."""
    v = log_uniform(-2, 3, 150) + log_uniform(3, 9, 50)
    x = uniform(-6, 6, 100) + both(log_uniform(-5, 8, 50))
    block("student", wide(student), x, v)
    block("student'x", wide(lambda v, x: -(v + 1) * x / (v + x * x)), v, x)
    block("student'v", wide(student_by_freedom), *apart(student_by_freedom, x, v))
    block("student'vv", wide(student_by_freedom_twice), *apart(student_by_freedom_twice, x, v))

    a = log_uniform(-3, 1.3, 100) + [float(round(v)) for v in log_uniform(1.3, 9, 100)]
    r = [2.0 ** RNG.randint(-3, 3) for _ in a]
    x = [v * RNG.uniform(0.1, 3) / s for v, s in zip(a[:100], r)]
    x += [max(v + RNG.uniform(-4, 4) * v**0.5, 0.1) / s for v, s in zip(a[100:], r[100:])]
    block("gamma", wide(lambda a, r, x: gamma_law(x, a, r)), a, r, x)
    slope = wide(lambda a, r, x: (a - 1 - r * x) / x)
    block("gamma'x", slope, *apart(slope, a, r, x))
    by_a = wide(lambda x, r, a: mp.log(r * x) - mp.psi(0, a))
    block("gamma'a", by_a, x, r, a)
    block("gamma'r", wide(lambda x, a, r: a / r - x), *apart(lambda x, a, r: a / r - x, x, a, r))

    k = [float(RNG.randint(0, 12)) for _ in range(100)] + [float(round(v)) for v in log_uniform(1, 9, 100)]
    r = log_uniform(-2, 1.3, 100) + [max(v + RNG.uniform(-4, 4) * v**0.5, 0.5) for v in k[100:]]
    block("poisson", wide(poisson), k, r)
    block("poisson'r", wide(lambda k, r: k / r - 1), k, r)
    block("poisson'k", wide(lambda r, k: mp.log(r) - mp.psi(0, k + 1)), r, k)

    a = log_uniform(-2, 1.3, 100) + [float(round(v)) for v in log_uniform(1.3, 7, 100)]
    b = log_uniform(-2, 1.3, 100) + [float(round(v)) for v in log_uniform(1.3, 7, 100)]
    p = uniform(0.01, 0.99, 100)
    for s, t in zip(a[100:], b[100:]):
        mean = s / (s + t)
        p.append(min(max(mean + RNG.uniform(-4, 4) * (mean * (1 - mean) / (s + t)) ** 0.5, mean / 4), 1 - (1 - mean) / 4))
    block("beta law", wide(lambda a, b, p: beta_law(p, a, b)), a, b, p)
    slope = wide(lambda a, b, p: (a - 1) / p - (b - 1) / (1 - p))
    block("beta law'x", slope, *apart(slope, a, b, p))
    by_a = wide(lambda b, p, a: mp.log(p) + mp.psi(0, a + b) - mp.psi(0, a))
    block("beta law'a", by_a, b, p, a)

    n = [float(RNG.randint(1, 30)) for _ in range(100)] + [float(round(v)) for v in log_uniform(1.5, 9, 100)]
    p = uniform(0.01, 0.99, 200)
    k = [float(RNG.randint(0, int(v))) for v in n[:100]]
    for m, s in zip(n[100:], p[100:]):
        k.append(float(min(max(round(m * s + RNG.uniform(-4, 4) * (m * s * (1 - s)) ** 0.5), 0), m)))
    block("binomial", wide(binomial), k, n, p)
    slope = wide(lambda k, n, p: k / p - (n - k) / (1 - p))
    block("binomial'p", slope, k, n, p)
    block("binomial'n", wide(lambda k, p, n: mp.log1p(-p) + mp.psi(0, n + 1) - mp.psi(0, n - k + 1)), k, p, n)
    # Counts only so large that the rounding of σ leaves the last digits alone.
    few = [i for i, m in enumerate(n) if m < 1e4]
    k, n, l = [k[i] for i in few], [n[i] for i in few], uniform(-4, 4, len(few) - 40) + both(uniform(20, 800, 20))
    block("binomial l", wide(lambda k, n, l: binomial_logits(k, n, l)), k, n, l)
    slope = wide(lambda k, n, l: k - n * sigmoid(l))
    block("binomial l'l", slope, *apart(slope, k, n, l))


def binomial_logits(k, n, l):
    return choices(n, k) - k * mp.log1p(mp.exp(-l)) - (n - k) * mp.log1p(mp.exp(l))


def more_derivatives():
    """Of inverses towards the ends of their domains, of sums of exponentials far apart, and functions at both ends of the
    range."""
    ends = uniform(0.001, 0.999, 60) + log_uniform(-300, -1, 30) + [1 - v for v in log_uniform(-15, -1, 30)]
    inside = uniform(-0.999, 0.999, 60) + both(log_uniform(-12, -1, 15)) + [1 - v for v in log_uniform(-15, -1, 30)]
    slope = lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(erfinv(x) ** 2)
    block("erfinv'1", slope, inside)
    block("erfinv'2", lambda x: 2 * erfinv(x) * slope(x) ** 2, inside)
    quantile = lambda p: mp.sqrt(2 * mp.pi) * mp.exp(ndtri(p) ** 2 / 2)
    block("ndtri'1", quantile, ends)
    block("ndtri'2", lambda p: ndtri(p) * quantile(p) ** 2, ends)
    halves = ends + [0.5 + v for v in both(log_uniform(-15, -1, 20))]
    block("logit'1", lambda x: 1 / (x * (1 - x)), halves)
    block("logit'2", lambda x: (2 * x - 1) / (x * (1 - x)) ** 2, halves)
    a, b = uniform(-30, 30, 60) + uniform(-350, 350, 60), uniform(-30, 30, 60) + uniform(-350, 350, 60)
    block("logaddexp", lambda a, b: mp.log(mp.exp(a) + mp.exp(b)), a, b)
    block("logaddexp'1", lambda a, b: sigmoid(b - a), a, b)
    block("logaddexp'2", lambda a, b: sigmoid(b - a) * sigmoid(a - b), a, b)
    log2 = mp.log(2)
    block("logaddexp2'1", lambda a, b: sigmoid((b - a) * log2), a, b)
    a, b = log_uniform(-8, 2, 120), log_uniform(-8, 2, 120)
    block("beta'b", wide(lambda a, b: mp.beta(a, b) * (mp.psi(0, b) - mp.psi(0, a + b))), a, b)
    far = log_uniform(6, 150, 100)
    block("digamma far", lambda x: mp.log(x) - 1 / (2 * x) - 1 / (12 * x * x), far)
    block("polygamma far", lambda x: 1 / x + 1 / (2 * x * x) + 1 / (6 * x**3), far + log_uniform(150, 300, 20))
    tiny = log_uniform(-100, -8, 100)
    for n in (0, 1, 3):
        block(f"bessel_k- {n}", lambda x: mp.besselk(n, x), tiny)
    block("k0e-'1", scaled_k(0, 1), tiny)
    block("k1e-'2", scaled_k(1, 2), tiny)
    right = log_uniform(-10, 0, 40) + uniform(0.1, 20, 60) + uniform(20, 170, 30)
    block("gamma f", mp.gamma, right)
    block("gamma f'1", wide(lambda x: mp.gamma(x) * mp.psi(0, x)), [x for x in right if abs(x - 1.46) > 0.1])
    block("polygamma 7", lambda x: mp.polygamma(7, x), [x for x in right if x > 1e-4])


def main():
    right = log_uniform(-10, 0, 60) + uniform(0.1, 3, 100) + uniform(3, 15, 80) + log_uniform(1, 10, 60)
    left = [-x for x in log_uniform(-10, 0, 30) + uniform(0, 12, 80)]
    block("lgamma", wide(mp.loggamma), right)
    near_root = [1.4616321449683622 + d for d in both(log_uniform(-14, -2, 20))]
    block("digamma", mp.digamma, right + near_root)
    block("digamma -", mp.digamma, left)
    block("lgamma -", lambda x: mp.log(abs(mp.gamma(x))), left)
    for n in (1, 2, 3):
        moderate = [x for x in right if x < 1e6]
        block(f"polygamma {n}", lambda x: mp.polygamma(n, x), moderate)
    block("polygamma 1 -", lambda x: mp.polygamma(1, x), left)
    s = uniform(1.01, 12, 100) + uniform(12, 60, 30)
    block("zeta", lambda s, q: mp.zeta(s, q), s, (log_uniform(-2, 1.5, 65) + uniform(0.1, 20, 65)))
    a, b = log_uniform(-3, 1.3, 100) + log_uniform(0.7, 4, 60), log_uniform(-3, 1.3, 100) + log_uniform(-1, 4, 60)
    block("betaln", lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b), a, b)
    block("beta", mp.beta, a[:100], b[:100])
    a = log_uniform(-3, 1.5, 120) + uniform(5, 300, 60)
    x = [max(v * RNG.uniform(0.05, 3), 1e-3) for v in a[:120]] + [v * RNG.uniform(0.6, 1.6) for v in a[120:]]
    block("gammainc", gamma_p, a, x)
    block("gammaincc", gamma_q, a, x)
    block("gammainc'1", density, a, x)
    block("gammainc'2", lambda a, x: density(a, x) * ((a - 1) / x - 1), a, x)
    inside = uniform(-0.999, 0.999, 100) + both(log_uniform(-12, -1, 20)) + [1 - v for v in log_uniform(-15, -1, 30)]
    block("erfinv", erfinv, inside)
    p = log_uniform(-300, 0, 60) + log_uniform(-10, -1, 40) + uniform(0.05, 0.95, 60) + [1 - v for v in log_uniform(-15, -1, 30)]
    p += [0.5 + d for d in both([1e-3, 1e-7, 1e-12])]
    block("ndtri", ndtri, p)
    x = uniform(-5, 5, 80) + uniform(-25, -5, 20) + log_uniform(-3, 1.5, 60) + log_uniform(1, 9, 30)
    block("erfcx", erfcx(0), x)
    block("erfcx'1", erfcx(1), x)
    block("erfcx'2", erfcx(2), x)
    x = uniform(-6, 6, 100) + [-v for v in log_uniform(0, 6, 40)] + uniform(5, 37, 30)
    block("log_ndtr", log_ndtr, x)
    block("log_ndtr'1", hazard, x)
    block("log_ndtr'2", wide(lambda x: -hazard(x) * (x + hazard(x))), [v for v in x if v < 25])
    x = uniform(0.01, 12, 100) + log_uniform(-6, 1, 40) + uniform(12, 200, 40) + log_uniform(2, 6, 20)
    for n in range(4):
        block(f"i0e'{n}", lambda x: scaled_i(n)(x), x)
    for n in range(3):
        block(f"i1e'{n}", i1e(n), [-v for v in x[:90]] + x[90:])
    x = uniform(-20, 20, 80) + log_uniform(-6, 0, 30) + uniform(20, 700, 40)
    block("i0", lambda x: mp.besseli(0, x), x)
    block("i1", lambda x: mp.besseli(1, x), x)
    block("bessel_i 2", lambda x: mp.besseli(2, x), x)
    block("bessel_i 5", lambda x: mp.besseli(5, x), x)
    x = log_uniform(-8, 0, 60) + uniform(0.1, 10, 80) + uniform(10, 600, 40)
    for n in range(3):
        block(f"bessel_k {n}", lambda x: mp.besselk(n, x), x)
    for n in range(3):
        block(f"k0e'{n}", scaled_k(0, n), x)
        block(f"k1e'{n}", scaled_k(1, n), x)
    x = both(uniform(0.01, 30, 60)) + uniform(30, 300, 30)
    for n in range(3):
        block(f"bessel_j {n}", lambda x: mp.besselj(n, x), x)
    x = log_uniform(-3, 0, 30) + uniform(0.5, 30, 80) + uniform(30, 300, 30)
    for n in range(3):
        block(f"bessel_y {n}", lambda x: mp.bessely(n, x), x)
    x = log_uniform(-10, 0, 50) + uniform(0.1, 5, 60) + uniform(5, 700, 40)
    block("exp1", mp.e1, x)
    root = [0.3725074107813666 + d for d in both(log_uniform(-14, -0.8, 25))]
    block("expi", mp.ei, x + [-v for v in x[:100]] + root)
    x = uniform(-4, 4, 80) + both(log_uniform(-8, 0, 25)) + uniform(4, 20, 30)
    for n in range(4):
        block(f"sinc'{n}", lambda x: sinc(n, True)(x), x)
        block(f"sphj0'{n}", lambda x: sinc(n, False)(x), x)
    inside = uniform(0.001, 0.999, 60) + log_uniform(-300, -1, 30) + [0.5 + v for v in both(log_uniform(-15, -1, 20))]
    block("logit", lambda x: mp.log(x / (1 - x)), inside)

    for n in (2, 3, 7):
        x = log_uniform(-10, 0, 50) + uniform(0.1, 5, 60) + uniform(5, 700, 40)
        block(f"expn {n}", lambda x: mp.expint(n, x), x)
    more_derivatives()
    a, b = log_uniform(-3, 6, 100) + log_uniform(0, 2, 50), log_uniform(-6, 3, 100) + log_uniform(0, 2, 50)
    block("betaln'b", wide(lambda a, b: mp.psi(0, b) - mp.psi(0, a + b)), b, a)
    block("betaln'bb", wide(lambda a, b: mp.psi(1, b) - mp.psi(1, a + b)), b, a)
    densities()

    path = os.path.join(os.path.dirname(__file__), "../tests/golden/special.bin")
    with open(path, "wb") as out:
        for name, arguments, rows in BLOCKS:
            out.write(struct.pack("<14sBxH", name.encode(), arguments, len(rows)))
            for row in rows:
                out.write(struct.pack(f"<{arguments + 1}dh", *row[:-1], round(row[-1] * 32768)))


main()
