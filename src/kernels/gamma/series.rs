//! Power series in one variable, cut off.

use crate::number::Number;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// `c₀ + c₁ ε + … + c₍ₙ₋₁₎ εⁿ⁻¹`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Series<const N: usize>(pub(super) [f64; N]);

impl<const N: usize> Series<N> {
    pub(super) fn constant(c: f64) -> Series<N> {
        Series(std::array::from_fn(|i| if i == 0 { c } else { 0.0 }))
    }

    /// `c + ε`.
    pub(super) fn variable(c: f64) -> Series<N> {
        Series(std::array::from_fn(|i| [c, 1.0].get(i).copied().unwrap_or(0.0)))
    }

    pub(super) fn recip(self) -> Series<N> {
        Series::constant(1.0) / self
    }

    /// From `y′ = x′y`.
    pub(super) fn exp(self) -> Series<N> {
        let mut y = Series::constant(Number::exp(self.0[0]));
        for n in 1..N {
            y.0[n] = (1..=n).map(|k| k as f64 * self.0[k] * y.0[n - k]).sum::<f64>() / n as f64;
        }
        y
    }

    /// From `x y′ = x′`.
    pub(super) fn ln(self) -> Series<N> {
        let mut y = Series::constant(Number::ln(self.0[0]));
        for n in 1..N {
            let known: f64 = (1..n).map(|k| k as f64 * y.0[k] * self.0[n - k]).sum();
            y.0[n] = (self.0[n] - known / n as f64) / self.0[0];
        }
        y
    }

    /// From `y² = x`.
    pub(super) fn sqrt(self) -> Series<N> {
        let mut y = Series::constant(Number::sqrt(self.0[0]));
        for n in 1..N {
            let known: f64 = (1..n).map(|k| y.0[k] * y.0[n - k]).sum();
            y.0[n] = (self.0[n] - known) / (2.0 * y.0[0]);
        }
        y
    }
}

impl<const N: usize> Add for Series<N> {
    type Output = Series<N>;
    fn add(mut self, other: Series<N>) -> Series<N> {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a += b);
        self
    }
}

impl<const N: usize> Sub for Series<N> {
    type Output = Series<N>;
    fn sub(mut self, other: Series<N>) -> Series<N> {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a -= b);
        self
    }
}

impl<const N: usize> Mul for Series<N> {
    type Output = Series<N>;
    fn mul(self, other: Series<N>) -> Series<N> {
        Series(std::array::from_fn(|n| (0..=n).map(|k| self.0[k] * other.0[n - k]).sum()))
    }
}

impl<const N: usize> Div for Series<N> {
    type Output = Series<N>;
    fn div(self, other: Series<N>) -> Series<N> {
        let mut y = [0.0; N];
        for n in 0..N {
            let known: f64 = (0..n).map(|k| y[k] * other.0[n - k]).sum();
            y[n] = (self.0[n] - known) / other.0[0];
        }
        Series(y)
    }
}

impl<const N: usize> Neg for Series<N> {
    type Output = Series<N>;
    fn neg(self) -> Series<N> {
        Series(self.0.map(|c| -c))
    }
}

impl<const N: usize> Add<f64> for Series<N> {
    type Output = Series<N>;
    fn add(mut self, c: f64) -> Series<N> {
        self.0[0] += c;
        self
    }
}

impl<const N: usize> Sub<f64> for Series<N> {
    type Output = Series<N>;
    fn sub(mut self, c: f64) -> Series<N> {
        self.0[0] -= c;
        self
    }
}

impl<const N: usize> Mul<f64> for Series<N> {
    type Output = Series<N>;
    fn mul(self, c: f64) -> Series<N> {
        Series(self.0.map(|x| x * c))
    }
}
