//! The gamma function's logarithm and its derivatives, Hurwitz's zeta function, beta and incomplete gamma functions.

use super::series::DIGAMMA;
use super::{Sum, chebyshev};
use std::f64::consts::PI;

/// ln |Γ(x)|.
pub fn lgamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// Γ(x); NaN at its poles but 0.
pub fn gamma(x: f64) -> f64 {
    libm::tgamma(x)
}

/// The zero of ψ on the right, and what rounding it leaves.
const ROOT: f64 = 1.4616321449683622;
const ROOT_REST: f64 = 9.549995429965697e-17;

/// B₂ₖ/(2k) for k = 1, 2, …: the asymptotic series of ψ.
const BERNOULLI_BY_2K: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 120.0,
    1.0 / 252.0,
    -1.0 / 240.0,
    1.0 / 132.0,
    -691.0 / 32760.0,
    1.0 / 12.0,
    -3617.0 / 8160.0,
];

/// ψ(x). From 10 on the asymptotic series, below it steps of 1 to the interval [1, 2], left of 0 by reflection.
pub fn digamma(x: f64) -> f64 {
    if x.is_nan() || x == f64::NEG_INFINITY {
        return f64::NAN;
    }
    if x <= 0.0 {
        if x == 0.0 {
            return f64::NEG_INFINITY.copysign(-x);
        }
        let r = x - x.round_ties_even();
        if r == 0.0 {
            return f64::NAN;
        }
        // π cot πr, with the smaller of the two quotients' arguments.
        return digamma(1.0 - x) - PI / (PI * r).tan();
    }
    if x >= 10.0 {
        let square = 1.0 / (x * x);
        let series = BERNOULLI_BY_2K.iter().rev().fold(0.0, |s, b| (s + b) * square);
        return x.ln() - 0.5 / x - series;
    }
    if x < 1.0 {
        return digamma(x + 1.0) - 1.0 / x;
    }
    let (mut base, mut sum) = (x, 0.0);
    while base > 2.0 {
        base -= 1.0;
        sum += 1.0 / base;
    }
    ((base - ROOT) - ROOT_REST) * chebyshev(2.0 * base - 3.0, &DIGAMMA) + sum
}

/// (2k)!/B₂ₖ for k = 1, 2, …
pub(super) const FACTORIAL_BY_BERNOULLI: [f64; 12] = [
    12.0,
    -720.0,
    30240.0,
    -1209600.0,
    47900160.0,
    -1307674368000.0 / 691.0,
    74724249600.0,
    -10670622842880000.0 / 3617.0,
    5109094217170944000.0 / 43867.0,
    -802857662698291200000.0 / 174611.0,
    14101100039391805440000.0 / 77683.0,
    -1693824136731743669452800000.0 / 236364091.0,
];

/// Hurwitz's `ζ(s, q) = Σ (q + k)⁻ˢ` for s > 1, by Euler's and Maclaurin's formula; for a negative q only where s is
/// whole, as otherwise powers of negative numbers would enter.
pub fn zeta(s: f64, q: f64) -> f64 {
    if s.is_nan() || q.is_nan() || s < 1.0 {
        return f64::NAN;
    }
    if s == 1.0 {
        return f64::INFINITY;
    }
    if q <= 0.0 {
        return if q == q.floor() {
            f64::INFINITY
        } else if s == s.floor() && q.is_finite() {
            whole_zeta(s, q)
        } else {
            f64::NAN
        };
    }
    if q == f64::INFINITY || s == f64::INFINITY {
        return if q < 1.0 {
            f64::INFINITY
        } else if q == 1.0 {
            1.0
        } else {
            0.0
        };
    }
    let (mut sum, mut base) = (Sum::default(), q);
    while base < 12.0 + s {
        let term = base.powf(-s);
        sum.add(term);
        if term < 1e-18 * sum.total || term == 0.0 {
            return sum.value();
        }
        base += 1.0;
    }
    let power = base.powf(-s);
    if power == f64::INFINITY {
        return power;
    }
    // By itself: for large offsets the power before it has left the range.
    sum.add(base.powf(1.0 - s) / (s - 1.0));
    sum.add(0.5 * power);
    let (mut factor, mut weight) = (s, power / base);
    for (k, by) in FACTORIAL_BY_BERNOULLI.iter().enumerate() {
        let term = factor * weight / by;
        sum.add(term);
        if term.abs() < 1e-18 * sum.total {
            break;
        }
        let j = 2.0 * k as f64 + 1.0;
        factor *= (s + j) * (s + j + 1.0);
        weight /= base * base;
    }
    sum.value()
}

/// ζ(s, q) for a whole s and a negative q between whole numbers: the sum over all of q + ℤ, less the part on the left.
fn whole_zeta(s: f64, q: f64) -> f64 {
    // The distances to the whole numbers on either side; the smaller one is exact.
    let near = q - q.round_ties_even();
    let (r, rest) = if near > 0.0 { (near, 1.0 - near) } else { (1.0 + near, -near) };
    let sign = if (0.5 * s).fract() == 0.0 { 1.0 } else { -1.0 };
    let left = zeta(s, rest) - zeta(s, 1.0 - q);
    zeta(s, r) + sign * left
}

/// ψ⁽ⁿ⁾(x) = (−1)ⁿ⁺¹ n! ζ(n + 1, x).
pub fn polygamma(n: u32, x: f64) -> f64 {
    if n == 0 {
        return digamma(x);
    }
    if x == f64::NEG_INFINITY {
        return f64::NAN;
    }
    let sign = if n % 2 == 1 { 1.0 } else { -1.0 };
    let factorial: f64 = (2..=n).map(f64::from).product();
    sign * factorial * zeta(f64::from(n) + 1.0, x)
}

/// The remainder of Stirling's formula, `ln Γ(x) − (x − ½) ln x + x − ½ ln 2π`, for x ≥ 1.
pub(super) fn stirling(x: f64) -> f64 {
    if x < 10.0 {
        // From x to x + 1 it falls by (x + ½) ln(1 + 1/x) − 1 = v²/3 + v⁴/5 + … with v = 1/(2x + 1).
        let square = 1.0 / ((2.0 * x + 1.0) * (2.0 * x + 1.0));
        let (mut power, mut fall, mut k) = (square, 0.0, 3.0);
        while power > 1e-17 * k * fall {
            fall += power / k;
            power *= square;
            k += 2.0;
        }
        return fall + stirling(x + 1.0);
    }
    const SERIES: [f64; 8] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360360.0,
        1.0 / 156.0,
        -3617.0 / 122400.0,
    ];
    let square = 1.0 / (x * x);
    SERIES.iter().rev().fold(0.0, |s, c| s * square + c) / x
}

/// B(a, b) for a, b > 0, by Stirling's formula: `√(2π/b) (a/s)^(a − ½) (b/s)ᵇ e^…` with s = a + b.
pub fn beta(a: f64, b: f64) -> f64 {
    let (a, b) = if a < b { (a, b) } else { (b, a) };
    if !(a > 0.0 && b < f64::INFINITY) || b > 1e100 {
        return ln_beta(a, b).exp();
    }
    if a < 1.0 {
        // B(a, b) = B(a + 1, b) (a + b)/a, and again for b.
        return if b < 1.0 {
            (a + b) / a * ((a + b + 1.0) / b) * beta(a + 1.0, b + 1.0)
        } else {
            (a + b) / a * beta(a + 1.0, b)
        };
    }
    let sum = a + b;
    // What rounding took from the sum and the quotients, which the powers would magnify.
    let rest = a - (sum - b);
    let (p, q) = (a / sum, b / sum);
    let (of_p, of_q) = ((-p).mul_add(sum, a) / a, (-q).mul_add(sum, b) / b);
    let lost = (a - 0.5) * of_p + b * of_q - (sum - 0.5) * rest / sum;
    let tail = stirling(a) + (stirling(b) - stirling(sum));
    p.powf(a - 0.5) * q.powf(b) * (tail + lost).exp() * (2.0 * PI / b).sqrt()
}

/// ln B(a, b) for a, b > 0: by Stirling's formula where one is large, because the three logarithms would cancel.
pub fn ln_beta(a: f64, b: f64) -> f64 {
    if !(a > 0.0 && b > 0.0) {
        return if a == 0.0 && b >= 0.0 || b == 0.0 && a > 0.0 { f64::INFINITY } else { f64::NAN };
    }
    let (a, b) = if a < b { (a, b) } else { (b, a) };
    if b == f64::INFINITY {
        return f64::NEG_INFINITY;
    }
    if a == 1.0 || b == 1.0 {
        return -(a * b).ln();
    }
    if b < 10.0 {
        let value = beta(a, b);
        return if value.is_finite() { value.ln() } else { -a.ln() };
    }
    let sum = a + b;
    if a < 10.0 {
        // ln Γ(b) − ln Γ(a + b) = −(b − ½) ln(1 + a/b) − a ln(a + b) + a + …
        let tail = stirling(b) - stirling(sum);
        return lgamma(a) + (a - a * sum.ln() - (b - 0.5) * (a / b).ln_1p() + tail);
    }
    let tail = stirling(a) + (stirling(b) - stirling(sum));
    let half_log_tau = 0.918_938_533_204_672_8;
    (a - 0.5) * (a / sum).ln() - b * (a / b).ln_1p() - 0.5 * b.ln() + half_log_tau + tail
}

/// ln(x/a) − u for `u = (x − a)/a`, that is ln(1 + u) − u.
pub(super) fn log_less(x: f64, a: f64) -> f64 {
    let u = (x - a) / a;
    if (-0.7..=1.5).contains(&u) { log_1p_less(u) } else { (x / a).ln() - u }
}

/// ln(1 + u) − u, for u from −0.7 to 1.5.
pub(super) fn log_1p_less(u: f64) -> f64 {
    // With v = u/(2 + u): ln(1 + u) = 2 artanh v and u = 2v + u v, so the difference is 2(v³/3 + v⁵/5 + …) − u v.
    let v = u / (2.0 + u);
    let square = v * v;
    let (mut power, mut sum, mut k) = (v * square, 0.0, 3.0);
    loop {
        let term = power / k;
        sum += term;
        if term.abs() <= 1e-18 * sum.abs() {
            break;
        }
        power *= square;
        k += 2.0;
    }
    2.0 * sum - u * v
}

/// xᵃ e⁻ˣ/Γ(a + 1) for a, x > 0.
fn weight(a: f64, x: f64) -> f64 {
    if a < 10.0 {
        // In halves, which do not underflow while their product with the power is in range.
        let half = (-0.5 * x).exp();
        return half * x.powf(a) * half / libm::tgamma(a + 1.0);
    }
    // √(2πa) under Stirling's formula; its exponent vanishes with its slope at x = a.
    (a * log_less(x, a) - stirling(a)).exp() / (2.0 * PI * a).sqrt()
}

/// The density of the gamma law, `xᵃ⁻¹ e⁻ˣ/Γ(a)`; for a < 0, too, where it is the analytic continuation.
pub fn gamma_density(a: f64, x: f64) -> f64 {
    if !(x >= 0.0) || a.is_nan() {
        return f64::NAN;
    }
    if a <= 0.0 && a == a.floor() {
        return 0.0;
    }
    if x == 0.0 {
        return if a == 1.0 {
            1.0
        } else if a > 1.0 {
            0.0
        } else {
            f64::INFINITY.copysign(libm::tgamma(a))
        };
    }
    if x == f64::INFINITY {
        return 0.0;
    }
    if a > 0.0 { weight(a, x) * (a / x) } else { x.powf(a - 1.0) * (-x).exp() / libm::tgamma(a) }
}

/// The incomplete gamma function's two halves, P and Q = 1 − P, of which the smaller is computed.
fn halves(a: f64, x: f64) -> (f64, f64) {
    if !(a >= 0.0 && x >= 0.0) || (a == 0.0 && x == 0.0) || (a == f64::INFINITY && x == f64::INFINITY) {
        return (f64::NAN, f64::NAN);
    }
    if x == 0.0 || a == f64::INFINITY {
        return (0.0, 1.0);
    }
    if a == 0.0 || x == f64::INFINITY {
        return (1.0, 0.0);
    }
    if x < 1.1 && a < 0.2 {
        return small(a, x);
    }
    if x < a + 1.0 {
        let p = weight(a, x) * series(a, x);
        (p, 1.0 - p)
    } else {
        let q = weight(a, x) * a * fraction(a, x);
        (1.0 - q, q)
    }
}

/// Σ xᵏ/((a + 1)…(a + k)).
fn series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut base) = (1.0, Sum::default(), a);
    sum.add(1.0);
    while term > 1e-18 * sum.total {
        base += 1.0;
        term *= x / base;
        sum.add(term);
    }
    sum.value()
}

/// Γ(a, x) eˣ/xᵃ as a continued fraction, by Lentz's method.
fn fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut d = 1.0 / b;
    let (mut c, mut value, mut k) = (1e300, d, 1.0);
    loop {
        let step = -k * (k - a);
        b += 2.0;
        d = 1.0 / (step * d + b);
        c = b + step / c;
        let ratio = c * d;
        value *= ratio;
        if (ratio - 1.0).abs() < 1e-16 || k > 1e7 {
            return value;
        }
        k += 1.0;
    }
}

/// Both halves for small a and x, where Q as 1 − P would cancel: `P = xᵃ/Γ(a + 1) (1 + a Σ (−x)ᵏ/((a + k) k!))`.
fn small(a: f64, x: f64) -> (f64, f64) {
    let (mut power, mut sum, mut k) = (1.0, 0.0, 1.0);
    loop {
        power *= -x / k;
        let term: f64 = power / (a + k);
        sum += term;
        if term.abs() <= 1e-18 * sum.abs() {
            break;
        }
        k += 1.0;
    }
    let exponent = a * x.ln() - lgamma_1p(a);
    let (power, less) = (exponent.exp(), exponent.exp_m1());
    (power * (1.0 + a * sum), -less - power * a * sum)
}

/// ln Γ(1 + a), with what rounding takes from the sum.
fn lgamma_1p(a: f64) -> f64 {
    libm::lgamma(1.0 + a) + (1.0 - (1.0 + a) + a) * digamma(1.0 + a)
}

/// P(a, x).
pub fn gamma_p(a: f64, x: f64) -> f64 {
    halves(a, x).0
}

/// Q(a, x).
pub fn gamma_q(a: f64, x: f64) -> f64 {
    halves(a, x).1
}
