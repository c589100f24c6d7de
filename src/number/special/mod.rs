//! Special functions of plain numbers in double precision: gamma, error, Bessel and exponential integral functions.
//!
//! Unlike `math` these branch, and are computed one number at a time. Derivatives are functions of the same families,
//! each computed for itself: a difference such as `2x erfcx x − 2/√π` would lose in the tail what the family keeps.

mod bessel;
mod densities;
mod erf;
mod gamma;
mod integrals;
mod series;

pub(crate) use bessel::{
    bessel_derivative, bessel_i, bessel_j, bessel_k, bessel_y, scaled_i, scaled_i1_derivative, scaled_k,
};
pub(crate) use densities::{
    beta_density, beta_density_logits, beta_density_slope, excess, gamma_law, gamma_law_by_a,
    gamma_law_by_rate, gamma_law_slope, half_step, poisson, poisson_by_count, poisson_slope, student,
    zeta_step,
};
pub(crate) use erf::{erf_inv, erf_inv_slope, erfcx, log_normal_cdf, normal_quantile, normal_quantile_slope};
pub(crate) use gamma::{beta, gamma, gamma_density, gamma_p, gamma_q, lgamma, ln_beta, polygamma, zeta};
pub(crate) use integrals::{cardinal_sine, expint_e1, expint_ei, expint_en};

/// A Chebyshev series at t in [−1, 1], by Clenshaw's recurrence.
fn chebyshev(t: f64, coefficients: &[f64]) -> f64 {
    let (mut b, mut c) = (0.0, 0.0);
    for &a in coefficients[1..].iter().rev() {
        (b, c) = (2.0 * t * b - c + a, b);
    }
    t * b - c + coefficients[0]
}

/// A sum that carries the rounding errors of its additions along.
#[derive(Clone, Copy, Default)]
struct Sum {
    total: f64,
    rest: f64,
}

impl Sum {
    fn add(&mut self, x: f64) {
        let total = self.total + x;
        let part = total - self.total;
        self.rest += (self.total - (total - part)) + (x - part);
        self.total = total;
    }
    fn value(self) -> f64 {
        // An infinite total has NaN for a rest.
        if self.total.is_finite() { self.total + self.rest } else { self.total }
    }
}
