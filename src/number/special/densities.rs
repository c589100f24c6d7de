//! Logarithms of densities and of probabilities of counts, whose terms would cancel for large counts and parameters, and
//! differences of ψ.

use super::gamma::{digamma, lgamma, ln_beta, log_1p_less, log_less, stirling, zeta};
use std::f64::consts::TAU;

/// ln(x/a), accurate where the two are close.
fn ln_quotient(x: f64, a: f64) -> f64 {
    let quotient = x / a;
    if (0.5..=2.0).contains(&quotient) { ((x - a) / a).ln_1p() } else { x.ln() - a.ln() }
}

/// `a ln x − x − ln Γ(a + 1)`, Poisson's probability of a count a, for a > −1.
pub fn poisson(a: f64, x: f64) -> f64 {
    if a.is_nan() || !(x >= 0.0) || a <= -1.0 {
        return f64::NAN;
    }
    if x == 0.0 && a == 0.0 {
        return 0.0;
    }
    if x == f64::INFINITY || a == f64::INFINITY {
        return f64::NEG_INFINITY;
    }
    if a < 1.0 {
        return if a == 0.0 { -x } else { a * x.ln() - x - lgamma(a + 1.0) };
    }
    // What is left of the three under Stirling's formula vanishes with its slope at x = a.
    a * log_less(x, a) - stirling(a) - 0.5 * (TAU * a).ln()
}

/// The derivative of [`poisson`] by x, `a/x − 1`; 0/0 is 0.
pub fn poisson_slope(a: f64, x: f64) -> f64 {
    if x == 0.0 && a == 0.0 || x == f64::INFINITY { -1.0 } else { (a - x) / x }
}

/// The derivative of [`poisson`] by its count, `ln x − ψ(a + 1)`.
pub fn poisson_by_count(a: f64, x: f64) -> f64 {
    if a < 10.0 || !a.is_finite() {
        return x.ln() - digamma(a + 1.0);
    }
    // ψ(a + 1) = ln a + 1/2a − 1/12a² + …
    let square = 1.0 / (a * a);
    const SERIES: [f64; 7] =
        [1.0 / 12.0, -1.0 / 120.0, 1.0 / 252.0, -1.0 / 240.0, 1.0 / 132.0, -691.0 / 32760.0, 1.0 / 12.0];
    let series = SERIES.iter().rev().fold(0.0, |s, b| (s + b) * square);
    ln_quotient(x, a) - 0.5 / a + series
}

/// The logarithm of the gamma law's density, `a ln r + (a − 1) ln x − r x − ln Γ(a)`.
pub fn gamma_law(a: f64, r: f64, x: f64) -> f64 {
    if a >= 2.0 {
        return r.ln() + poisson(a - 1.0, r * x);
    }
    if !(a > 0.0 && r >= 0.0 && x >= 0.0) {
        return f64::NAN;
    }
    let power = if a == 1.0 { 0.0 } else { (a - 1.0) * x.ln() };
    a * r.ln() + (power - r * x) - lgamma(a)
}

/// The derivative of [`gamma_law`] by a, `ln r x − ψ(a)`.
pub fn gamma_law_by_a(a: f64, r: f64, x: f64) -> f64 {
    if a >= 11.0 {
        return poisson_by_count(a - 1.0, r * x);
    }
    (if (r * x).is_normal() { (r * x).ln() } else { r.ln() + x.ln() }) - digamma(a)
}

/// The derivative of [`gamma_law`] by r, `a/r − x`.
pub fn gamma_law_by_rate(a: f64, r: f64, x: f64) -> f64 {
    -r.mul_add(x, -a) / r
}

/// The derivative of [`gamma_law`] by x, `(a − 1)/x − r`.
pub fn gamma_law_slope(a: f64, r: f64, x: f64) -> f64 {
    if a == 1.0 || x == f64::INFINITY { -r } else { -r.mul_add(x, 1.0 - a) / x }
}

/// The logarithm of the beta law's density `(a − 1) ln p + (b − 1) ln q − ln B(a, b)`, for p + q = 1; the logarithms of
/// the two are given, too.
fn beta_law([a, b]: [f64; 2], [p, q]: [f64; 2], [ln_p, ln_q]: [f64; 2]) -> f64 {
    if !(a > 0.0 && b > 0.0 && p >= 0.0 && q >= 0.0) {
        return f64::NAN;
    }
    let (k, m) = (a - 1.0, b - 1.0);
    if k >= 1.0 && m >= 1.0 && p > 1e-290 && q > 1e-290 && k + m < f64::INFINITY {
        // The binomial probability of k of n under Stirling's formula, whose deviances vanish at k = np.
        let (n, above) = (k + m, above([k, m], [p, q]));
        let part = |k: f64, p: f64, above: f64| {
            let u = above / k;
            k * if (-0.7..=1.5).contains(&u) { log_1p_less(u) } else { (n * p / k).ln() - u }
        };
        let deviance = part(k, p, above) + part(m, q, -above);
        let rest = stirling(n) - stirling(k) - stirling(m);
        return deviance + rest + 0.5 * ((n / k) / (TAU * m)).ln() + (n + 1.0).ln();
    }
    let times = |k: f64, ln: f64| if k == 0.0 { 0.0 } else { k * ln };
    times(k, ln_p) + times(m, ln_q) - ln_beta(a, b)
}

/// (k + m) p − k with one rounding, from the smaller of p and q = 1 − p.
fn above([k, m]: [f64; 2], [p, q]: [f64; 2]) -> f64 {
    if p <= q { (k + m).mul_add(p, -k) } else { -(k + m).mul_add(q, -m) }
}

/// The derivative of [`beta_density`] by p, `(a − 1)/p − (b − 1)/(1 − p)`; 0/0 is 0.
pub fn beta_density_slope(a: f64, b: f64, p: f64) -> f64 {
    let (k, m, q) = (a - 1.0, b - 1.0, 1.0 - p);
    if k == 0.0 {
        return if m == 0.0 { 0.0 * p } else { -m / q };
    }
    if m == 0.0 { k / p } else { -above([k, m], [p, q]) / q / p }
}

/// The logarithm of the beta law's density at p.
pub fn beta_density(a: f64, b: f64, p: f64) -> f64 {
    beta_law([a, b], [p, 1.0 - p], [p.ln(), (-p).ln_1p()])
}

/// The same at p = σ(x).
pub fn beta_density_logits(a: f64, b: f64, x: f64) -> f64 {
    let tail = (-x.abs()).exp();
    let (more, less) = (1.0 / (1.0 + tail), tail / (1.0 + tail));
    let (ln_more, ln_less) = (-tail.ln_1p(), -x.abs() - tail.ln_1p());
    if x > 0.0 {
        beta_law([a, b], [more, less], [ln_more, ln_less])
    } else {
        beta_law([a, b], [less, more], [ln_less, ln_more])
    }
}

/// `Σ ((a + k)⁻ˢ − (a + b + k)⁻ˢ)` over k from 0, for s = 1, 2, … and a, b ≥ 0: `ψ(a + b) − ψ(a)`, and
/// `ζ(s, a) − ζ(s, a + b)`. No two terms cancel.
pub fn zeta_step(s: u32, a: f64, b: f64) -> f64 {
    if !(a > 0.0 && b >= 0.0) {
        return if a == 0.0 && b > 0.0 { f64::INFINITY } else { f64::NAN };
    }
    if a == f64::INFINITY {
        return if b == f64::INFINITY { f64::NAN } else { 0.0 };
    }
    if b == f64::INFINITY {
        return if s == 1 { b } else { zeta(f64::from(s), a) };
    }
    let s = f64::from(s);
    // x^−r − (x + b)^−r.
    let step = |r: f64, x: f64| -x.powf(-r) * (-r * (b / x).ln_1p()).exp_m1();
    let (mut sum, mut x) = (super::Sum::default(), a);
    while x < 12.0 + s {
        sum.add(if s == 1.0 { b / x / (x + b) } else { step(s, x) });
        x += 1.0;
    }
    // The rest by Euler's and Maclaurin's formula, each power a difference.
    sum.add(if s == 1.0 { (b / x).ln_1p() } else { step(s - 1.0, x) / (s - 1.0) });
    sum.add(0.5 * step(s, x));
    let mut factor = s;
    for (k, by) in super::gamma::FACTORIAL_BY_BERNOULLI.iter().enumerate() {
        let j = 2.0 * k as f64 + 1.0;
        let term = factor / by * step(s + j, x);
        sum.add(term);
        if term.abs() < 1e-18 * sum.total.abs() {
            break;
        }
        factor *= (s + j) * (s + j + 1.0);
    }
    sum.value()
}

/// The n-th derivative of `ln Γ(a + ½) − ln Γ(a) − ½ ln a` for a > 0: what Student's density lacks of the normal one's
/// factor.
pub fn half_step(n: u32, a: f64) -> f64 {
    if !(a > 0.0) {
        return f64::NAN;
    }
    // (2⁻ᵏ − 2) Bₖ₊₁/(k (k + 1)) for odd k.
    const SERIES: [f64; 9] = [
        -1.0 / 8.0,
        1.0 / 192.0,
        -1.0 / 640.0,
        17.0 / 14336.0,
        -31.0 / 18432.0,
        691.0 / 180224.0,
        -5461.0 / 425984.0,
        929569.0 / 15728640.0,
        -3202291.0 / 8912896.0,
    ];
    let (mut sum, mut x) = (super::Sum::default(), a);
    while x < 16.0 {
        sum.add(half_term(n, x));
        x += 1.0;
    }
    let (square, sign) = (1.0 / (x * x), if n.is_multiple_of(2) { 1.0 } else { -1.0 });
    let (mut power, mut k) = (sign * x.powi(-1 - n as i32), 1.0);
    for c in SERIES {
        let rising: f64 = (0..n).map(|i| k + f64::from(i)).product();
        sum.add(c * rising * power);
        power *= square;
        k += 2.0;
    }
    sum.value()
}

/// The n-th derivative of `−½ ln(1 + 1/(4x(x + 1)))`, by which [`half_step`] grows from x to x + 1, negated.
fn half_term(n: u32, x: f64) -> f64 {
    let m = x + 0.5;
    let between = x * (x + 1.0);
    match n {
        0 => -0.5 * (0.25 / x / (x + 1.0)).ln_1p(),
        1 => 0.25 / (m * between),
        2 => -(0.75 * m * m - 0.0625) / (m * m * between * between),
        _ => {
            // −(ln m − ½ ln(m − ½) − ½ ln(m + ½)), differentiated.
            let power = |x: f64| x.powi(-(n as i32));
            let factorial: f64 = (1..n).map(f64::from).product();
            let sign = if n.is_multiple_of(2) { 1.0 } else { -1.0 };
            sign * factorial * (power(m) - 0.5 * (power(x) + power(x + 1.0)))
        }
    }
}

/// The logarithm of Student's density with v degrees of freedom.
pub fn student(z: f64, v: f64) -> f64 {
    let t = z / v.sqrt();
    let square = t * t;
    let bulge = if square < 1e-17 {
        0.5 * (z * z + square)
    } else if square < f64::INFINITY {
        0.5 * (v + 1.0) * square.ln_1p()
    } else {
        (v + 1.0) * t.abs().ln()
    };
    half_step(0, 0.5 * v) - 0.5 * TAU.ln() - bulge
}

/// `ln(1 + t²) − t²/(1 + t²)`: the derivative of `v ln(1 + z²/v)` by v, at t² = z²/v.
pub fn excess(t: f64) -> f64 {
    let square = t * t;
    if square >= 0.5 {
        let log = if square < f64::INFINITY { square.ln_1p() } else { 2.0 * t.abs().ln() };
        return log - 1.0 / (1.0 + 1.0 / square);
    }
    // With y = t²/(1 + t²): −ln(1 − y) − y.
    let y = square / (1.0 + square);
    let (mut power, mut sum, mut k) = (y * y, 0.0, 2.0);
    loop {
        let term: f64 = power / k;
        sum += term;
        if !(term > 1e-18 * sum) {
            return if t.is_nan() { t } else { sum };
        }
        power *= y;
        k += 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn half_steps_where_they_are_known() {
        // Γ(1)/(Γ(½) √½) = √(2/π), and its neighbours by the recurrence.
        assert!((half_step(0, 0.5) - 0.5 * (2.0 / PI).ln()).abs() < 2e-16);
        for n in 0..5 {
            let step = half_step(n, 20.0) - half_step(n, 19.0);
            assert!((step + half_term(n, 19.0)).abs() < 1e-13 * half_step(n, 19.0).abs(), "{n}");
        }
    }
}
