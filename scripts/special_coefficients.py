"""Coefficients of src/number/special: Chebyshev series and polynomials, by mpmath at 50 digits.

Prints Rust constants. Chebyshev interpolation in as many points as the last coefficient needs to fall below 1e-17 of
the largest.
"""

from mpmath import mp, mpf

mp.dps = 50


def chebyshev(f, n):
    """Coefficients of the interpolant at the n Chebyshev points of [-1, 1], the first one halved."""
    points = [mp.cos(mp.pi * (k + mpf(1) / 2) / n) for k in range(n)]
    values = [f(t) for t in points]
    found = []
    for j in range(n):
        total = sum(v * mp.cos(j * mp.pi * (k + mpf(1) / 2) / n) for k, v in enumerate(values))
        found.append(total * 2 / n)
    found[0] /= 2
    return found


def trimmed(coefficients):
    largest = max(abs(c) for c in coefficients)
    while abs(coefficients[-1]) < largest * mpf("1e-17"):
        coefficients.pop()
    return coefficients


def show(name, text, coefficients):
    print(f"/// {text}")
    print(f"pub const {name}: [f64; {len(coefficients)}] = [")
    for c in coefficients:
        print(f"    {float(c)!r},")
    print("];\n")


def main():
    root = mp.findroot(mp.digamma, mpf("1.4616321449683623"))
    high = float(root)
    print(f"// digamma's root: {high!r} + {float(root - mpf(high))!r}\n")
    f = lambda t: (lambda x: mp.digamma(x) / (x - root))((t + 3) / 2)
    show("DIGAMMA", "Chebyshev series of ψ(x)/(x − x₀) in t = 2x − 3, on [1, 2].", trimmed(chebyshev(f, 32)))
    root = mp.findroot(mp.ei, mpf("0.3725"))
    high = float(root)
    print(f"// Ei's root: {high!r} + {float(root - mpf(high))!r}\n")
    near = lambda n, p: (lambda t: (lambda x: mp.besseli(n, x) * mp.exp(-x) / (x**p if x else 1))(4 * (t + 1)))
    far = lambda n: (lambda t: (lambda x: mp.besseli(n, x) * mp.exp(-x) * mp.sqrt(x))(16 / (t + 1)))
    show("I0E_NEAR", "Chebyshev series of e⁻ˣ I₀(x) in t = x/4 − 1, on [0, 8].", trimmed(chebyshev(near(0, 0), 48)))
    show("I0E_FAR", "Chebyshev series of √x e⁻ˣ I₀(x) in t = 16/x − 1, on [8, ∞].", trimmed(chebyshev(far(0), 64)))
    show("I1E_NEAR", "Chebyshev series of e⁻ˣ I₁(x)/x in t = x/4 − 1, on [0, 8].", trimmed(chebyshev(near(1, 1), 48)))
    show("I1E_FAR", "Chebyshev series of √x e⁻ˣ I₁(x) in t = 16/x − 1, on [8, ∞].", trimmed(chebyshev(far(1), 64)))


main()
