//! Densities and probabilities of counts as functions of one element, with their derivatives by every parameter.

use crate::error::Result;
use crate::number::{Real, special};
use crate::ops::scalar::{ScalarFunction, scalar_function};
use crate::tape::Var;

type Slope<'t, T> = Result<Option<Var<'t, T>>>;

/// `k/x²`, but 0 where both are 0.
fn over_square<'t, T: Real>(k: Var<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
    let x = Var::where_(k.eq(0.0) & x.eq(0.0), x.constant(1.0), x);
    k / x / x
}

/// `k ln x − x − ln Γ(k + 1)` of k and x.
#[derive(Clone, Copy)]
pub(super) struct Poisson;

/// `k/x − 1`.
#[derive(Clone, Copy)]
struct PoissonByRate;

/// `ln x − ψ(k + 1)`.
#[derive(Clone, Copy)]
struct PoissonByCount;

impl ScalarFunction<2> for Poisson {
    const NAME: &'static str = "poisson";
    const COST: f32 = 40.0;
    fn value<T: Real>(self, [k, x]: [f64; 2]) -> f64 {
        special::poisson(k, x)
    }
    fn slope<'t, T: Real>(self, i: usize, [k, x]: [Var<'t, T>; 2], _: Var<'t, T>) -> Slope<'t, T> {
        Ok(Some(if i == 0 {
            scalar_function(PoissonByCount, [k, x])
        } else {
            scalar_function(PoissonByRate, [k, x])
        }))
    }
}

impl ScalarFunction<2> for PoissonByRate {
    const NAME: &'static str = "poisson_by_rate";
    fn value<T: Real>(self, [k, x]: [f64; 2]) -> f64 {
        special::poisson_slope(k, x)
    }
    fn slope<'t, T: Real>(self, i: usize, [k, x]: [Var<'t, T>; 2], _: Var<'t, T>) -> Slope<'t, T> {
        Ok(Some(if i == 0 { x.recip() } else { -over_square(k, x) }))
    }
}

impl ScalarFunction<2> for PoissonByCount {
    const NAME: &'static str = "poisson_by_count";
    const COST: f32 = 40.0;
    fn value<T: Real>(self, [k, x]: [f64; 2]) -> f64 {
        special::poisson_by_count(k, x)
    }
    fn slope<'t, T: Real>(self, i: usize, [k, x]: [Var<'t, T>; 2], _: Var<'t, T>) -> Slope<'t, T> {
        Ok(Some(if i == 0 { -(k + 1.0).polygamma(1) } else { x.recip() }))
    }
}

/// `a ln r + (a − 1) ln x − r x − ln Γ(a)` of a, r and x.
#[derive(Clone, Copy)]
pub(super) struct Gamma;

/// Its derivative by a parameter or by x.
#[derive(Clone, Copy)]
struct GammaSlope(usize);

impl ScalarFunction<3> for Gamma {
    const NAME: &'static str = "gamma";
    const COST: f32 = 60.0;
    fn value<T: Real>(self, [a, r, x]: [f64; 3]) -> f64 {
        special::gamma_law(a, r, x)
    }
    fn slope<'t, T: Real>(self, i: usize, x: [Var<'t, T>; 3], _: Var<'t, T>) -> Slope<'t, T> {
        Ok(Some(scalar_function(GammaSlope(i), x)))
    }
}

impl ScalarFunction<3> for GammaSlope {
    const NAME: &'static str = "gamma_slope";
    fn value<T: Real>(self, [a, r, x]: [f64; 3]) -> f64 {
        match self.0 {
            0 => special::gamma_law_by_a(a, r, x),
            1 => special::gamma_law_by_rate(a, r, x),
            _ => special::gamma_law_slope(a, r, x),
        }
    }
    fn slope<'t, T: Real>(self, i: usize, [a, r, x]: [Var<'t, T>; 3], _: Var<'t, T>) -> Slope<'t, T> {
        // ln r x − ψ(a), a/r − x, (a − 1)/x − r.
        Ok(Some(match (self.0, i) {
            (0, 0) => -a.polygamma(1),
            (0, 1) | (1, 0) => r.recip(),
            (0, _) | (_, 0) => x.recip(),
            (1, 1) => -(a / r / r),
            (1, _) | (_, 1) => a.constant(-1.0),
            _ => -over_square(a - 1.0, x),
        }))
    }
}

/// `(a − 1) ln p + (b − 1) ln(1 − p) − ln B(a, b)` of a, b and p.
#[derive(Clone, Copy)]
pub(super) struct Beta;

/// Its derivative by p.
#[derive(Clone, Copy)]
struct BetaSlope;

/// The same of a, b and x with p = σ(x).
#[derive(Clone, Copy)]
pub(super) struct BetaLogits;

impl ScalarFunction<3> for Beta {
    const NAME: &'static str = "beta";
    const COST: f32 = 80.0;
    fn value<T: Real>(self, [a, b, p]: [f64; 3]) -> f64 {
        special::beta_density(a, b, p)
    }
    fn slope<'t, T: Real>(self, i: usize, [a, b, p]: [Var<'t, T>; 3], _: Var<'t, T>) -> Slope<'t, T> {
        Ok(Some(match i {
            0 => p.ln() + a.digamma_step(b),
            1 => (-p).ln_1p() + b.digamma_step(a),
            _ => scalar_function(BetaSlope, [a, b, p]),
        }))
    }
}

impl ScalarFunction<3> for BetaSlope {
    const NAME: &'static str = "beta_slope";
    fn value<T: Real>(self, [a, b, p]: [f64; 3]) -> f64 {
        special::beta_density_slope(a, b, p)
    }
    fn slope<'t, T: Real>(self, i: usize, [a, b, p]: [Var<'t, T>; 3], _: Var<'t, T>) -> Slope<'t, T> {
        Ok(Some(match i {
            0 => p.recip(),
            1 => -(1.0 - p).recip(),
            _ => -over_square(a - 1.0, p) - over_square(b - 1.0, 1.0 - p),
        }))
    }
}

impl ScalarFunction<3> for BetaLogits {
    const NAME: &'static str = "beta_logits";
    const COST: f32 = 80.0;
    fn value<T: Real>(self, [a, b, x]: [f64; 3]) -> f64 {
        special::beta_density_logits(a, b, x)
    }
    fn slope<'t, T: Real>(self, i: usize, [a, b, x]: [Var<'t, T>; 3], _: Var<'t, T>) -> Slope<'t, T> {
        Ok(Some(match i {
            0 => x.log_sigmoid() + a.digamma_step(b),
            1 => (-x).log_sigmoid() + b.digamma_step(a),
            _ => (a - 1.0) * (-x).sigmoid() - (b - 1.0) * x.sigmoid(),
        }))
    }
}

/// The logarithm of Student's density of z and v degrees of freedom.
#[derive(Clone, Copy)]
pub(super) struct Student;

/// The n-th derivative of `ln Γ(a + ½) − ln Γ(a) − ½ ln a`.
#[derive(Clone, Copy)]
struct HalfStep(u32);

/// `ln(1 + t²) − t²/(1 + t²)`.
#[derive(Clone, Copy)]
struct Excess;

/// Whether t is large, and u, the smaller of t and 1/t: `t/(1 + t²)` is `u/(1 + u²)`.
fn folded<'t, T: Real>(t: Var<'t, T>) -> (Var<'t, T>, Var<'t, T>) {
    let large = t.abs().gt(1.0);
    let below = Var::where_(large, t.constant(1.0), t);
    let above = Var::where_(large, t, t.constant(1.0));
    (large, Var::where_(large, above.recip(), below))
}

/// `t²/(1 + t²)`.
fn share<'t, T: Real>(t: Var<'t, T>) -> Var<'t, T> {
    let (large, u) = folded(t);
    let square = u.square();
    let one = t.constant(1.0);
    Var::where_(large, one, square) / (square + 1.0)
}

impl ScalarFunction<2> for Student {
    const NAME: &'static str = "student_t";
    const COST: f32 = 80.0;
    fn value<T: Real>(self, [z, v]: [f64; 2]) -> f64 {
        special::student(z, v)
    }
    fn slope<'t, T: Real>(self, i: usize, [z, v]: [Var<'t, T>; 2], _: Var<'t, T>) -> Slope<'t, T> {
        let t = z / v.sqrt();
        if i == 1 {
            let (norm, excess) = (scalar_function(HalfStep(1), [v * 0.5]), scalar_function(Excess, [t]));
            return Ok(Some((norm - excess + share(t) / v) * 0.5));
        }
        // (v + 1) z/(v + z²): from z for small t, from 1/z for large.
        let (large, u) = folded(t);
        let far = Var::where_(large, z, z.constant(1.0));
        let slope = Var::where_(large, (v + 1.0) / far, z * (v.recip() + 1.0));
        Ok(Some(-slope / (u.square() + 1.0)))
    }
}

impl ScalarFunction<1> for HalfStep {
    const NAME: &'static str = "half_step";
    const COST: f32 = 40.0;
    fn value<T: Real>(self, [a]: [f64; 1]) -> f64 {
        special::half_step(self.0, a)
    }
    fn slope<'t, T: Real>(self, _: usize, a: [Var<'t, T>; 1], _: Var<'t, T>) -> Slope<'t, T> {
        Ok(Some(scalar_function(HalfStep(self.0.saturating_add(1)), a)))
    }
}

impl ScalarFunction<1> for Excess {
    const NAME: &'static str = "excess";
    fn value<T: Real>(self, [t]: [f64; 1]) -> f64 {
        special::excess(t)
    }
    fn slope<'t, T: Real>(self, _: usize, [t]: [Var<'t, T>; 1], _: Var<'t, T>) -> Slope<'t, T> {
        // 2t³/(1 + t²)².
        let (_, u) = folded(t);
        Ok(Some(u / (u.square() + 1.0) * share(t) * 2.0))
    }
}
