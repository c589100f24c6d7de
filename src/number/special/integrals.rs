//! Exponential integrals, and the cardinal sine with its derivatives.

use super::Sum;
use super::gamma::digamma;
use std::f64::consts::PI;

/// Euler's constant.
const GAMMA: f64 = 0.577_215_664_901_532_9;

/// Where Ei vanishes, and what rounding it leaves.
const ROOT: f64 = 0.3725074107813666;
const ROOT_REST: f64 = 1.3140183414386028e-17;

/// `E₁(x) = ∫ₓ^∞ e⁻ᵗ/t dt`; NaN left of 0.
pub fn expint_e1(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return f64::INFINITY;
    }
    if x <= 1.0 {
        return -GAMMA - x.ln() - series(-x);
    }
    if x > 750.0 {
        return 0.0;
    }
    // e⁻ˣ/(x + 1 − 1/(x + 3 − 4/(x + 5 − …))), from its end.
    let terms = 20 + (110.0 / x) as u32;
    let tail = (1..=terms).rev().map(f64::from).fold(0.0, |tail, k| k * k / (x + 2.0 * k + 1.0 - tail));
    (-x).exp() / (x + 1.0 - tail)
}

/// `Eₙ(x) = ∫₁^∞ e^−xt/tⁿ dt`; NaN left of 0.
pub fn expint_en(n: u32, x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    let m = f64::from(n);
    if n == 0 {
        return (-x).exp() / x;
    }
    if n == 1 {
        return expint_e1(x);
    }
    if x == 0.0 {
        return 1.0 / (m - 1.0);
    }
    if x > 750.0 {
        return 0.0;
    }
    if x > 0.3 {
        // e⁻ˣ/(x + n − 1·n/(x + n + 2 − 2(n + 1)/(x + n + 4 − …))), from its end.
        let terms = 20 + (110.0 / x) as u32;
        let tail = (1..=terms)
            .rev()
            .map(f64::from)
            .fold(0.0, |tail, k| k * (k + m - 1.0) / (x + m + 2.0 * k - tail));
        return (-x).exp() / (x + m - tail);
    }
    // Σ (−x)ᵏ/((n − 1 − k) k!), where in place of the term k = n − 1 stands the one with the logarithm.
    let (mut sum, mut power, mut k) = (Sum::default(), 1.0, 0.0);
    loop {
        let gap = m - 1.0 - k;
        let term = if gap == 0.0 { power * (digamma(m) - x.ln()) } else { power / gap };
        sum.add(term);
        if term.abs() <= 1e-18 * sum.total.abs() {
            return sum.value();
        }
        k += 1.0;
        power *= -x / k;
    }
}

/// Σ xᵏ/(k k!).
fn series(x: f64) -> f64 {
    let (mut power, mut sum, mut k) = (1.0, Sum::default(), 1.0);
    loop {
        power *= x / k;
        let term: f64 = power / k;
        sum.add(term);
        if term.abs() <= 1e-18 * sum.total.abs() {
            return sum.value();
        }
        k += 1.0;
    }
}

/// `Ei(x)`, the principal value of `∫₋∞ˣ eᵗ/t dt`.
pub fn expint_ei(x: f64) -> f64 {
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x < 0.0 {
        return -expint_e1(-x);
    }
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x >= 50.0 {
        // Σ k!/xᵏ, whose least term is 3·10⁻²¹ here and less beyond.
        let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
        while term > 1e-18 {
            term *= k / x;
            sum += term;
            k += 1.0;
        }
        // In halves: eˣ leaves the range before the quotient does.
        let half = (0.5 * x).exp();
        return half / x * sum * half;
    }
    let distance = (x - ROOT) - ROOT_REST;
    if distance.abs() > 0.1 {
        return GAMMA + x.ln() + series(x);
    }
    // The difference to the value at the root: xᵏ − x₀ᵏ is the distance times Σ xⁱ x₀ᵏ⁻¹⁻ⁱ.
    let (mut quotient, mut power, mut factorial, mut sum) = (1.0, 1.0, 1.0, 0.0);
    for k in 1..20 {
        let k = f64::from(k);
        factorial *= k;
        sum += quotient / (k * factorial);
        power *= ROOT;
        quotient = x * quotient + power;
    }
    (distance / ROOT).ln_1p() + distance * sum
}

/// sin and cos of πx, exactly 0 where they should be.
fn half_turns(x: f64) -> (f64, f64) {
    let r = x - 2.0 * (0.5 * x).round_ties_even();
    let a = r.abs();
    let sin = (PI * a.min(1.0 - a)).sin().copysign(r);
    let cos = if a == 0.5 { 0.0 } else { (PI * a).cos() };
    (sin, cos)
}

/// The n-th derivative of `sin x/x`, or of `sin πx/(πx)`.
pub fn cardinal_sine(n: u32, x: f64, in_half_turns: bool) -> f64 {
    if x.is_infinite() {
        return 0.0;
    }
    let z = if in_half_turns { PI * x } else { x };
    let scale = if in_half_turns { PI.powi(n as i32) } else { 1.0 };
    let m = f64::from(n);
    if z.abs() < 1.0 + 0.5 * m {
        // Σ (−1)ᵏ z²ᵏ⁻ⁿ/((2k − n)! (2k + 1)), from the first k for which 2k − n is not negative.
        let start = n.div_ceil(2);
        let mut k = f64::from(start);
        let mut term = if n % 2 == 1 { z } else { 1.0 };
        if start % 2 == 1 {
            term = -term;
        }
        let mut sum = 0.0;
        loop {
            let part: f64 = term / (2.0 * k + 1.0);
            sum += part;
            if part.abs() <= 1e-18 * sum.abs() {
                return sum * scale;
            }
            let power = 2.0 * k - m;
            term *= -z * z / ((power + 1.0) * (power + 2.0));
            k += 1.0;
        }
    }
    let (sin, cos) = if in_half_turns { half_turns(x) } else { z.sin_cos() };
    // From x f = sin x: the k-th derivative of the sine is x f⁽ᵏ⁾ + k f⁽ᵏ⁻¹⁾.
    let value = (1..=n).fold(sin / z, |before, k| {
        let of_sine = [sin, cos, -sin, -cos][k as usize % 4];
        (of_sine - f64::from(k) * before) / z
    });
    value * scale
}
