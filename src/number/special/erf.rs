//! Inverses of the error function and of the normal law, and the scaled complement with its derivatives.

use crate::number::Number;
use crate::number::math::erf::erfcx_near;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI, SQRT_2};

/// Winitzki's approximation of the error function's inverse, to 2 parts in a thousand, from ln(1 − x²).
fn rough_inverse(log: f64) -> f64 {
    let a = 0.147;
    let half = 2.0 / (PI * a) + 0.5 * log;
    // The root's conjugate, because the difference would cancel near 0.
    let root = (half * half - log / a).sqrt();
    let difference = if half > 0.0 { -log / a / (root + half) } else { root - half };
    difference.sqrt()
}

/// Halley's step for erf(y) = x, from the residual erf(y) − x: three times as many digits.
fn halley(y: f64, residual: f64) -> f64 {
    let step = residual * (y * y).exp() / FRAC_2_SQRT_PI;
    y - step / (1.0 + y * step)
}

/// The inverse of erf.
pub fn erf_inv(x: f64) -> f64 {
    let a = x.abs();
    if a > 0.5 {
        return erfc_inv(1.0 - a).copysign(x);
    }
    if a < 1e-8 {
        // x + π x³/12 …, in units of √π/2.
        return x / FRAC_2_SQRT_PI;
    }
    let mut y = rough_inverse((-a * a).ln_1p());
    for _ in 0..2 {
        y = halley(y, Number::erf(y) - a);
    }
    y.copysign(x)
}

/// The derivative of erf's inverse, `√π/2 exp(y²)`: towards ±1 as `√π/2 erfcx(y)/erfc(y)`, because y² magnifies the rounding
/// of y.
pub fn erf_inv_slope(x: f64) -> f64 {
    let (y, rest) = (erf_inv(x).abs(), 1.0 - x.abs());
    let grown = if rest > 0.5 {
        (y * y).exp()
    } else if rest == 0.0 {
        y
    } else {
        erfcx(0, y) / rest
    };
    grown / FRAC_2_SQRT_PI
}

/// The inverse of erfc on [0, 1]; NaN below.
fn erfc_inv(q: f64) -> f64 {
    if q == 0.0 {
        return f64::INFINITY;
    }
    let mut y = rough_inverse(q.ln() + (2.0 - q).ln());
    if q > 0.05 {
        for _ in 0..2 {
            y = halley(y, q - Number::erfc(y));
        }
        return y;
    }
    // Newton's iteration for ln erfc, whose slope is −2/√π / erfcx: it converges from far away.
    let target = q.ln();
    for _ in 0..4 {
        let scaled = erfcx(0, y);
        y += (scaled.ln() - y * y - target) * scaled / FRAC_2_SQRT_PI;
    }
    y
}

/// The inverse of the normal law's distribution function.
pub fn normal_quantile(p: f64) -> f64 {
    if (p - 0.5).abs() <= 0.25 {
        // Exact: the difference of neighbours within a factor of two.
        return SQRT_2 * erf_inv(2.0 * (p - 0.5));
    }
    if p > 0.5 { SQRT_2 * erfc_inv(2.0 * (1.0 - p)) } else { -SQRT_2 * erfc_inv(2.0 * p) }
}

/// The derivative of the quantile, `√2π exp(y²/2)`; in the tails by the scaled complement, as for erf's inverse.
pub fn normal_quantile_slope(p: f64) -> f64 {
    let y = normal_quantile(p);
    let tail = if p > 0.5 { 1.0 - p } else { p };
    if tail > 0.25 {
        return (0.5 * y * y).exp() * (2.0 * PI).sqrt();
    }
    if tail == 0.0 { f64::INFINITY } else { erfcx(0, y.abs() * FRAC_1_SQRT_2) * (0.5 * PI).sqrt() / tail }
}

/// ln of the normal law's distribution function.
pub fn log_normal_cdf(x: f64) -> f64 {
    if x < -1.0 {
        -0.5 * x * x + (0.5 * erfcx(0, -x * FRAC_1_SQRT_2)).ln()
    } else {
        (-(-x).normal_cdf()).ln_1p()
    }
}

/// The n-th derivative of `erfcx x = e^x² erfc x`.
///
/// It is `(−1)ⁿ Fₙ` with `Fₙ = 2/√π ∫ (2t)ⁿ exp(−t² − 2xt) dt`, for which `Fₙ₊₁ = 2n Fₙ₋₁ − 2x Fₙ` and
/// `F₁ = 2/√π − 2x F₀`. On the right that recurrence cancels; its reverse, a continued fraction, does not.
pub fn erfcx(n: u32, x: f64) -> f64 {
    let zeroth = if x < 0.0 {
        let (square, error) = x.two_product(x);
        let large = square.exp();
        // Infinity plus infinity times an error would be NaN.
        let grown = if large.is_finite() { large + large * error } else { large };
        2.0 * grown - erfcx(0, -x)
    } else if x < 25.0 {
        erfcx_near(x)
    } else {
        FRAC_2_SQRT_PI * 0.5 / continued(1, x)
    };
    if n == 0 {
        return zeroth;
    }
    let sign = if n % 2 == 1 { -1.0 } else { 1.0 };
    if x < 0.5 {
        let (mut before, mut now) = (zeroth, FRAC_2_SQRT_PI - 2.0 * x * zeroth);
        for k in 1..n {
            (before, now) = (now, 2.0 * f64::from(k) * before - 2.0 * x * now);
        }
        return sign * now;
    }
    (1..=n).fold(sign * zeroth, |value, k| value * f64::from(k) / continued(k + 1, x))
}

/// `x + (n/2)/(x + ((n + 1)/2)/(x + …))`, which is `n Fₙ₋₂/Fₙ₋₁` but for n = 1, where it is `1/(√π F₀)`.
fn continued(n: u32, x: f64) -> f64 {
    let terms = 24 + (300.0 / (x * x)) as u32;
    let mut tail = x;
    for k in (n..n + terms).rev() {
        tail = x + 0.5 * f64::from(k) / tail;
    }
    tail
}
