//! The gamma law's quantiles and their derivatives by its shape, for samples through which gradients flow.
//!
//! A sample is a function of the shape `a` and of noise `z` from the standard normal law: the y with `P(a, y) = Φ(z)`,
//! where P is the regularised incomplete gamma function. Computed as `t = ln y`, which neither underflows for small
//! shapes nor loses what sums of samples need. With the density of t, `f = e^(at − y)/Γ(a)`, and fixed z
//!
//! ```text
//! dt/da = −∂ₐP/f,    P/f = (1 + W)/a,  W = Σ yⁿ/((a+1)…(a+n)),
//! ```
//!
//! or, in the upper tail, `∂ₐQ/f` with `Q/f = V`, Legendre's continued fraction. `e^(at − y)/Γ(a)` falls out of both, so
//! nothing large cancels. Higher derivatives are the same formulas over truncated power series in a.

mod series;
#[cfg(test)]
mod tests;

use crate::number::{Number, Real};
use series::Series;

/// The highest derivative there is.
pub const HIGHEST: usize = 6;

/// From here on quantiles come from their expansion in `a^(−1/2)` (Cornish and Fisher), of which the first term left
/// out is below 10⁻¹⁴ of y.
const LARGE: f64 = 1e5;

/// `d^order ln y / da^order` for each shape and noise; NaN for a shape that is not positive.
pub fn log_quantiles<T: Real>(order: usize, shapes: &[T], noise: &[T], out: &mut [T]) {
    for ((out, &a), &z) in out.iter_mut().zip(shapes).zip(noise) {
        *out = T::from_f64(log_quantile(order, a.to_f64(), z.to_f64()));
    }
}

fn log_quantile(order: usize, a: f64, z: f64) -> f64 {
    if !(a > 0.0 && a.is_finite()) || !z.is_finite() {
        return f64::NAN;
    }
    if a >= LARGE {
        return match order {
            0 => expansion::<1>(a, z),
            1 => expansion::<2>(a, z),
            2 => expansion::<3>(a, z),
            3 => expansion::<4>(a, z),
            4 => expansion::<5>(a, z),
            5 => expansion::<6>(a, z),
            _ => expansion::<7>(a, z),
        };
    }
    let t = solve(a, z);
    match order {
        0 => t,
        1 => derivative::<1>(a, t),
        2 => derivative::<2>(a, t),
        3 => derivative::<3>(a, t),
        4 => derivative::<4>(a, t),
        5 => derivative::<5>(a, t),
        _ => derivative::<6>(a, t),
    }
}

/// The N-th derivative of t: the coefficients of its series one by one from `dt/da`.
fn derivative<const N: usize>(a: f64, t: f64) -> f64 {
    let a = Series::<N>::variable(a);
    let mut t = Series::constant(t);
    let mut last = 0.0;
    for n in 0..N {
        last = slope(a, t).0[n];
        if n + 1 < N {
            t.0[n + 1] = last / (n + 1) as f64;
        }
    }
    last * (1..N).map(|n| n as f64).product::<f64>()
}

/// Whether P comes from its series and not from Q's fraction.
fn is_low(a: f64, y: f64) -> bool {
    y < a.max(1.5)
}

/// dt/da.
fn slope<const N: usize>(a: Series<N>, t: Series<N>) -> Series<N> {
    let y = t.exp();
    if is_low(a.0[0], y.0[0]) {
        let (w, dw) = lower(a, y);
        // With ψ(a + 1) = ψ(a) + 1/a the poles at a = 0 cancel before anything is rounded.
        return (dw + (w + 1.0) * (digamma(a + 1.0) - t)) / a;
    }
    // Derivatives settle later than values.
    let terms = fraction_terms(a.0[0], y.0[0]);
    let (v, dv) = upper(a, y, terms + terms / 2 + 10 * (N + 1));
    dv + v * (t - digamma(a))
}

/// W and −∂W/∂a.
fn lower<const N: usize>(a: Series<N>, y: Series<N>) -> (Series<N>, Series<N>) {
    let (mut term, mut harmonic) = (Series::<N>::constant(1.0), Series::constant(0.0));
    let (mut w, mut dw) = (Series::constant(0.0), Series::constant(0.0));
    for n in 1.. {
        let inverse = (a + f64::from(n)).recip();
        term = term * y * inverse;
        harmonic = harmonic + inverse;
        let change = term * harmonic;
        w = w + term;
        dw = dw + change;
        let settled = |x: &f64, sum: &f64| x.abs() <= 1e-17 * sum.abs();
        let settled =
            term.0.iter().zip(&w.0).chain(change.0.iter().zip(&dw.0)).all(|(x, sum)| settled(x, sum));
        if settled && f64::from(n) > y.0[0] - a.0[0] {
            break;
        }
    }
    (w, dw)
}

/// V and ∂V/∂a: `1/(b₀ + c₁/(b₁ + c₂/(b₂ + …)))` with `bₖ = y + 2k + 1 − a`, `cₖ = k(a − k)`.
fn upper<const N: usize>(a: Series<N>, y: Series<N>, terms: usize) -> (Series<N>, Series<N>) {
    let b = |k: usize| y + (2 * k + 1) as f64 - a;
    let (mut r, mut dr) = (b(terms), Series::constant(-1.0));
    for k in (1..=terms).rev() {
        let (c, inverse) = ((a - k as f64) * k as f64, r.recip());
        let ratio = c * inverse;
        dr = (inverse * k as f64) - ratio * inverse * dr - 1.0;
        r = b(k - 1) + ratio;
    }
    let v = r.recip();
    (v, -(v * v * dr))
}

/// After how many terms the fraction stands, by Lentz's forward evaluation.
fn fraction_terms(a: f64, y: f64) -> usize {
    const LEAST: f64 = 1e-300;
    let (mut c, mut d) = (f64::INFINITY, 1.0 / (y + 1.0 - a));
    for k in 1..100_000 {
        let (n, b) = (k as f64, y + (2 * k + 1) as f64 - a);
        let numerator = n * (a - n);
        let denominator = b + numerator * d;
        d = 1.0 / if denominator.abs() < LEAST { LEAST } else { denominator };
        c = b + numerator / c;
        if c.abs() < LEAST {
            c = LEAST;
        }
        if (c * d - 1.0).abs() < 1e-16 {
            return k;
        }
    }
    100_000
}

/// What ln Γ and ψ take from Stirling's series `Σ B₂ₖ/(2k(2k−1) x^(2k−1))`: B₂ₖ.
const BERNOULLI: [f64; 8] = [
    1.0 / 6.0,
    -1.0 / 30.0,
    1.0 / 42.0,
    -1.0 / 30.0,
    5.0 / 66.0,
    -691.0 / 2730.0,
    7.0 / 6.0,
    -3617.0 / 510.0,
];

/// From here on Stirling's series is exact to rounding.
const STIRLING: f64 = 14.0;

/// ψ(a) by its asymptotic series, and the recurrence below that.
fn digamma<const N: usize>(mut a: Series<N>) -> Series<N> {
    let mut less = Series::constant(0.0);
    while a.0[0] < STIRLING {
        less = less + a.recip();
        a = a + 1.0;
    }
    let inverse = a.recip();
    let square = inverse * inverse;
    let terms = BERNOULLI.iter().enumerate().rev();
    let tail = terms.fold(Series::constant(0.0), |sum, (k, b)| (sum + b / (2.0 * (k + 1) as f64)) * square);
    a.ln() - inverse * 0.5 - tail - less
}

/// `ln Γ(a) − (a − ½) ln a + a − ½ ln 2π` for a ≥ 14.
fn remainder(a: f64) -> f64 {
    let square = 1.0 / (a * a);
    let terms = BERNOULLI.iter().enumerate().rev();
    terms.fold(0.0, |sum, (k, b)| sum * square + b / ((2 * k + 2) * (2 * k + 1)) as f64) / a
}

/// ½ ln 2π.
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;

/// ln Γ(a).
fn ln_gamma(mut a: f64) -> f64 {
    let mut product = 1.0;
    while a < STIRLING {
        product *= a;
        a += 1.0;
    }
    (a - 0.5) * Number::ln(a) - a + HALF_LN_TAU + remainder(a) - Number::ln(product)
}

/// `ln f = a t − eᵗ − ln Γ(a)`; for large shapes around its maximum, where the three parts cancel.
fn log_density(a: f64, t: f64) -> f64 {
    if a < STIRLING {
        return a * t - Number::exp(t) - ln_gamma(a);
    }
    let s = t - Number::ln(a);
    // eˢ − 1 − s.
    let excess = if s.abs() < 0.1 {
        (2..=12).rev().fold(0.0, |sum, n| (sum + 1.0) * s / f64::from(n)) * s
    } else {
        Number::exp_m1(s) - s
    };
    -a * excess + 0.5 * Number::ln(a) - HALF_LN_TAU - remainder(a)
}

/// The t with `P(a, eᵗ) = Φ(z)`: Newton's method on ln P, or on ln Q in the upper tail. Both are concave in t.
fn solve(a: f64, z: f64) -> f64 {
    let ([p, q], is_upper) = ([Number::normal_cdf(z), Number::normal_cdf(-z)], z > 1.0);
    let (ln_p, ln_q) =
        if z < 0.0 { (Number::ln(p), Number::ln_1p(-p)) } else { (Number::ln_1p(-q), Number::ln(q)) };
    // P ≤ yᵃ/Γ(a + 1), hence never too far right; and Wilson and Hilferty's cube for what it is good for.
    let bound = (ln_p + ln_gamma(a + 1.0)) / a;
    let root = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * Number::sqrt(a));
    let cube = if root > 0.0 { Number::ln(a) + 3.0 * Number::ln(root) } else { f64::NEG_INFINITY };
    let mut t = bound.max(cube);
    for _ in 0..100 {
        let (at, y) = (log_density(a, t), Number::exp(t));
        let step = if is_low(a, y) {
            let ratio = (1.0 + lower(Series([a]), Series([y])).0.0[0]) / a;
            (ln_p - at - Number::ln(ratio)) * ratio
        } else {
            let ratio = upper(Series([a]), Series([y]), fraction_terms(a, y)).0.0[0];
            let ln_tail = at + Number::ln(ratio);
            if is_upper {
                (ln_tail - ln_q) * ratio
            } else {
                let tail = Number::exp(ln_tail);
                (ln_p - Number::ln_1p(-tail)) * (1.0 - tail) / Number::exp(at)
            }
        };
        let step = if is_low(a, y) { step } else { step.clamp(-1.0, 1.0) };
        t += step;
        // The next step would be of the order of this one's square.
        if step.abs() <= 1e-11 * t.abs().max(1.0) {
            break;
        }
    }
    t
}

/// The derivatives of `ln(a + z√a + (z² − 1)/3 + …)`.
fn expansion<const N: usize>(a: f64, z: f64) -> f64 {
    let z2 = z * z;
    let a = Series::<N>::variable(a);
    let r = a.sqrt().recip();
    let terms = [
        (9.0 * z2 * z2 + 256.0 * z2 - 433.0) * z / 38880.0,
        -(3.0 * z2 * z2 + 7.0 * z2 - 16.0) / 810.0,
        (z2 - 7.0) * z / 36.0,
        (z2 - 1.0) / 3.0,
        z,
    ];
    let relative = terms.iter().fold(Series::constant(0.0), |sum, term| (sum + *term) * r);
    let t = a.ln() + (relative + 1.0).ln();
    t.0[N - 1] * (1..N).map(|n| n as f64).product::<f64>()
}
