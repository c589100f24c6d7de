//! Bessel functions of whole order.
//!
//! The scaled modified ones are integrals of positive functions, and so are their derivatives up to a sign:
//! `e⁻ˣ I₀(x) = 1/π ∫₀^π e^(−x(1 − cos θ)) dθ` and `eˣ K₀(x) = ∫₀^∞ e^(−x(cosh t − 1)) dt`. The trapezoidal rule converges
//! geometrically for both, and nothing cancels.

use super::chebyshev;
use super::series::{I0E_FAR, I0E_NEAR, I1E_FAR, I1E_NEAR};
use std::f64::consts::{PI, SQRT_2};

/// Jₙ(x).
pub fn bessel_j(n: u32, x: f64) -> f64 {
    match n {
        0 => libm::j0(x),
        1 => libm::j1(x),
        _ => libm::jn(n.min(i32::MAX as u32) as i32, x),
    }
}

/// Yₙ(x).
pub fn bessel_y(n: u32, x: f64) -> f64 {
    match n {
        0 => libm::y0(x),
        1 => libm::y1(x),
        _ => libm::yn(n.min(i32::MAX as u32) as i32, x),
    }
}

/// `1/π ∫₀^π (1 − cos θ)ⁿ e^(−|x|(1 − cos θ)) dθ`: for n = 0 it is `e^−|x| I₀(x)`, and (−1)ⁿ times the n-th derivative of that
/// where x > 0.
pub fn scaled_i(n: u32, x: f64) -> f64 {
    let a = x.abs();
    if n == 0 {
        return if a <= 8.0 {
            chebyshev(a / 4.0 - 1.0, &I0E_NEAR)
        } else {
            chebyshev(16.0 / a - 1.0, &I0E_FAR) / a.sqrt()
        };
    }
    if a < 40.0 {
        let points = 34 + n;
        let at = |k: u32| {
            let u = 2.0 * (0.5 * PI * f64::from(k) / f64::from(points)).sin().powi(2);
            u.powi(n as i32) * (-a * u).exp()
        };
        // At θ = 0 the integrand is 0.
        let sum: f64 = (1..points).map(at).sum();
        return (sum + 0.5 * at(points)) / f64::from(points);
    }
    if a.is_nan() {
        return a;
    }
    // With u = 1 − cos θ, by Watson's lemma: 1/(π√2) Σ C(2k, k) 8⁻ᵏ Γ(n + k + ½) a^−(n + k + ½).
    let start = (0..n).fold((PI / a).sqrt(), |term, j| term * (f64::from(j) + 0.5) / a);
    let (mut term, mut sum, mut k) = (start, 0.0, 0.0);
    while term > 1e-18 * sum {
        sum += term;
        term *= (2.0 * k + 1.0) / (4.0 * (k + 1.0)) * (f64::from(n) + k + 0.5) / a;
        k += 1.0;
    }
    sum / (PI * SQRT_2)
}

/// e^−|x| I₁(x).
pub fn scaled_i1(x: f64) -> f64 {
    let a = x.abs();
    if a <= 8.0 {
        x * chebyshev(a / 4.0 - 1.0, &I1E_NEAR)
    } else {
        (chebyshev(16.0 / a - 1.0, &I1E_FAR) / a.sqrt()).copysign(x)
    }
}

/// Iₙ(x).
pub fn bessel_i(n: u32, x: f64) -> f64 {
    let a = x.abs();
    if a > 720.0 {
        return if n % 2 == 1 { f64::INFINITY.copysign(x) } else { f64::INFINITY };
    }
    let scaled = match n {
        0 => scaled_i(0, a),
        1 => scaled_i1(a),
        _ => scaled_by_recurrence(n, a),
    };
    // In halves: e^a leaves the range before the function does.
    let half = (0.5 * a).exp();
    let value = half * (half * scaled);
    if n % 2 == 1 { value.copysign(x) } else { value }
}

/// e⁻ᵃ Iₙ(a) by Miller's method: `Iₖ₋₁ = Iₖ₊₁ + 2k/a Iₖ` downwards from where Iₖ has vanished, and `e^a = I₀ + 2 Σ Iₖ`.
fn scaled_by_recurrence(n: u32, a: f64) -> f64 {
    if a < 1e-30 {
        return (1..=n).fold(1.0, |value, k| value * (0.5 * a / f64::from(k)));
    }
    let start = n + 30 + (9.0 * a.sqrt()) as u32;
    let (mut after, mut now, mut total, mut found) = (0.0, 1e-280, 0.0, 0.0);
    for k in (1..=start).rev() {
        total += 2.0 * now;
        if k == n {
            found = now;
        }
        (after, now) = (now, after + 2.0 * f64::from(k) / a * now);
        if now > 1e200 {
            let down = 1e-280;
            after *= down;
            now *= down;
            total *= down;
            found *= down;
        }
    }
    found / (total + now)
}

/// The sum of an even function over a grid of step h, from 0, where it counts half, until it has vanished beyond `peak`.
fn trapezoid(h: f64, f: impl Fn(f64) -> (f64, bool)) -> f64 {
    let (mut sum, mut k) = (0.5 * f(0.0).0, 1.0);
    loop {
        let (term, falling) = f(k * h);
        sum += term;
        if (falling && term <= 1e-18 * sum) || !term.is_finite() || k > 1e5 {
            return sum * h;
        }
        k += 1.0;
    }
}

/// A step that leaves less than a rounding error: the integrands are analytic for |Im t| < π/2 and as wide as a Gauss
/// function of variance 1/x.
fn step(x: f64) -> f64 {
    (0.55 / x.sqrt()).min(0.17)
}

/// cosh t − 1.
fn cosh_less_one(t: f64) -> f64 {
    2.0 * (0.5 * t).sinh().powi(2)
}

/// The functions with a pole at 0 and no value left of it.
fn outside(x: f64) -> Option<f64> {
    match x {
        _ if x.is_nan() || x < 0.0 => Some(f64::NAN),
        0.0 => Some(f64::INFINITY),
        f64::INFINITY => Some(0.0),
        _ => None,
    }
}

/// `∫₀^∞ cʲ (1 + order · c) e^(−xc) dt` with c = cosh t − 1: for j = 0 it is `eˣ K₀(x)` or `eˣ K₁(x)`, and (−1)ʲ times the j-th
/// derivative of that.
pub fn scaled_k(order: u32, j: u32, x: f64) -> f64 {
    if let Some(value) = outside(x) {
        return value;
    }
    let top = f64::from(order + j);
    trapezoid(step(x), |t| {
        let c = cosh_less_one(t);
        (c.powi(j as i32) * (1.0 + f64::from(order) * c) * (-x * c).exp(), x * c > top + 1.0)
    })
}

/// Kₙ(x).
pub fn bessel_k(n: u32, x: f64) -> f64 {
    if let Some(value) = outside(x) {
        return value;
    }
    let n = f64::from(n);
    let scaled = trapezoid(step(x), |t| {
        let exponent = -x * cosh_less_one(t);
        (0.5 * ((exponent + n * t).exp() + (exponent - n * t).exp()), -exponent > n + 1.0)
    });
    scaled * (-x).exp()
}
