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

/// The k-th derivative of Jₙ or Yₙ, `2⁻ᵏ Σ (−1)ᵐ C(k, m) f(n − k + 2m)`, with `f(−n) = (−1)ⁿ f(n)`.
pub fn bessel_derivative(f: fn(u32, f64) -> f64, n: u32, k: u32, x: f64) -> f64 {
    if k == 0 {
        return f(n, x);
    }
    let highest = f(n.saturating_add(k), x);
    if highest == f64::NEG_INFINITY {
        // At the pole of Y, which the highest order has first.
        return if k.is_multiple_of(2) { highest } else { -highest };
    }
    let (mut sum, mut weight) = (0.0, 0.5f64.powi(k as i32));
    for m in 0..=k {
        let order = i64::from(n) - i64::from(k) + 2 * i64::from(m);
        let negated = order < 0 && order % 2 != 0;
        let value = f(order.unsigned_abs() as u32, x);
        sum += if negated { -weight * value } else { weight * value };
        weight *= -f64::from(k - m) / f64::from(m + 1);
    }
    sum
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

/// The k-th derivative of e^−|x| I₁(x), which for x > 0 is the sum of e⁻ˣ I₀ and its derivative; at 0, where the even ones
/// jump, the mean.
pub fn scaled_i1_derivative(k: u32, x: f64) -> f64 {
    if k == 0 {
        return scaled_i1(x);
    }
    let value = scaled_i(k, x) - scaled_i(k + 1, x);
    if k % 2 == 1 {
        -value
    } else if x == 0.0 {
        0.0
    } else {
        if x < 0.0 { -value } else { value }
    }
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

/// Euler's constant.
const GAMMA: f64 = 0.577_215_664_901_532_9;

/// K₀ and K₁ for x ≤ 1, by their series: with q = x²/4 and Hₖ the sum of the first k reciprocals,
/// `K₀ = Σ qᵏ/k!² (Hₖ − ln x/2 − γ)` and `K₁ = 1/x − x/4 Σ qᵏ/(k! (k + 1)!) (Hₖ + Hₖ₊₁ − 2γ − 2 ln x/2)`.
fn near(x: f64) -> (f64, f64) {
    let (q, log) = (0.25 * x * x, -(0.5 * x).ln() - GAMMA);
    let (mut power, mut harmonic, mut zeroth, mut first, mut k) = (1.0, 0.0, 0.0, 0.0, 0.0);
    while power > 1e-18 {
        let next = harmonic + 1.0 / (k + 1.0);
        zeroth += power * (harmonic + log);
        first += power / (k + 1.0) * (harmonic + next + 2.0 * log);
        k += 1.0;
        power *= q / (k * k);
        harmonic = next;
    }
    (zeroth, 1.0 / x - 0.25 * x * first)
}

/// Kₙ for x ≤ 1, by the recurrence upwards, in which nothing cancels.
fn near_of_order(n: u32, x: f64) -> f64 {
    let (mut before, mut now) = near(x);
    if n == 0 {
        return before;
    }
    for k in 1..n {
        (before, now) = (now, before + 2.0 * f64::from(k) / x * now);
        if now == f64::INFINITY {
            break;
        }
    }
    now
}

/// (−1)ʲ times the j-th derivative of `eˣ K(x)` near 0, where the highest derivative of K outweighs the others: each is
/// `(−½)ⁱ Σ C(i, m) K_|order + i − 2m|`.
fn scaled_near(order: u32, j: u32, x: f64) -> f64 {
    let derivative = |i: u32| {
        let (mut sum, mut weight) = (0.0, 0.5f64.powi(i as i32));
        for m in 0..=i {
            sum += weight * near_of_order((order + i).abs_diff(2 * m), x);
            weight *= f64::from(i - m) / f64::from(m + 1);
        }
        sum
    };
    let (mut sum, mut weight) = (0.0, if j.is_multiple_of(2) { 1.0 } else { -1.0 });
    for i in 0..=j {
        sum += weight * derivative(i);
        weight *= -f64::from(j - i) / f64::from(i + 1);
    }
    x.exp() * sum
}

/// `∫₀^∞ cʲ (1 + order · c) e^(−xc) dt` with c = cosh t − 1: for j = 0 it is `eˣ K₀(x)` or `eˣ K₁(x)`, and (−1)ʲ times the j-th
/// derivative of that.
pub fn scaled_k(order: u32, j: u32, x: f64) -> f64 {
    if let Some(value) = outside(x) {
        return value;
    }
    if x < if j == 0 { 1.0 } else { 0.1 / f64::from(j) } {
        return scaled_near(order, j, x);
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
    if x <= 1.0 {
        return near_of_order(n, x);
    }
    let n = f64::from(n);
    let scaled = trapezoid(step(x), |t| {
        let exponent = -x * cosh_less_one(t);
        (0.5 * ((exponent + n * t).exp() + (exponent - n * t).exp()), -exponent > n + 1.0)
    });
    scaled * (-x).exp()
}
