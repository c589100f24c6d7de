//! The logarithm of a sum of two exponentials.

use super::scalar::{ScalarFunction, scalar_function};
use crate::error::Result;
use crate::number::Real;
use crate::tape::{IntoVar, Var};
use std::f64::consts::LN_2;

/// log(baseᵃ + baseᵇ) for base e or 2.
#[derive(Clone, Copy)]
struct LogAddExp;

/// log₂(2ᵃ + 2ᵇ).
#[derive(Clone, Copy)]
struct LogAddExp2;

/// The larger, and the distance between the two; none between equal infinities.
fn apart(a: f64, b: f64) -> (f64, f64) {
    let distance = if a == b { 0.0 } else { (a - b).abs() };
    (if a.is_nan() { a } else { a.max(b) }, distance)
}

/// The share of the first in the sum, `σ(a − b)`, or the same for base 2; 0 where both are −∞.
#[derive(Clone, Copy)]
struct Share {
    binary: bool,
}

impl ScalarFunction<2> for Share {
    const NAME: &'static str = "logaddexp_share";
    fn value<T: Real>(self, [a, b]: [f64; 2]) -> f64 {
        if a == b && a.is_infinite() {
            return if a > 0.0 { f64::NAN } else { 0.0 };
        }
        let distance = a - b;
        // What the difference lost by rounding, which the exponential would magnify.
        let part = distance - a;
        let lost = (a - (distance - part)) - (b + part);
        let lost = if lost.is_finite() { lost } else { 0.0 };
        let tail = -distance.abs();
        let (power, rate) = if self.binary { (tail.exp2(), LN_2) } else { (tail.exp(), 1.0) };
        if distance > 0.0 { 1.0 / (1.0 + power) } else { power * (1.0 + rate * lost) / (1.0 + power) }
    }
    fn slope<'t, T: Real>(
        self,
        i: usize,
        [a, b]: [Var<'t, T>; 2],
        y: Var<'t, T>,
    ) -> Result<Option<Var<'t, T>>> {
        let rate = if self.binary { LN_2 } else { 1.0 };
        let slope = y * scalar_function(self, [b, a]);
        Ok(Some(slope * if i == 0 { rate } else { -rate }))
    }
}

impl ScalarFunction<2> for LogAddExp {
    const NAME: &'static str = "logaddexp";
    fn value<T: Real>(self, [a, b]: [f64; 2]) -> f64 {
        let (largest, distance) = apart(a, b);
        largest + (-distance).exp().ln_1p()
    }
    fn slope<'t, T: Real>(self, i: usize, x: [Var<'t, T>; 2], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(scalar_function(Share { binary: false }, [x[i], x[1 - i]])))
    }
}

impl ScalarFunction<2> for LogAddExp2 {
    const NAME: &'static str = "logaddexp2";
    fn value<T: Real>(self, [a, b]: [f64; 2]) -> f64 {
        let (largest, distance) = apart(a, b);
        largest + (-distance).exp2().ln_1p() / LN_2
    }
    fn slope<'t, T: Real>(self, i: usize, x: [Var<'t, T>; 2], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(scalar_function(Share { binary: true }, [x[i], x[1 - i]])))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// `ln(eᵃ + eᵇ)`, element by element, broadcast, without overflow: `max(a, b) + ln(1 + e^−|a − b|)`. −∞ where both
    /// are. The other is a variable, a tensor or a number.
    ///
    /// # Gradient
    ///
    /// `σ(a − b)` and `σ(b − a)`, which sum to 1; 0 and 0 where both are −∞, NaN where both are ∞ (∞/∞).
    ///
    /// # Accuracy
    ///
    /// In double precision within 2 ulp of the larger of 1 and the value; the derivatives within 3 and 5 ulp, however far apart
    /// the two are.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from([1000.0, f64::NEG_INFINITY]));
    /// let b = tape.var(&Tensor::from([1000.0, 3.0]));
    /// let y = a.logaddexp(b);
    /// assert_eq!(y.value()?.to_vec(), [1000.0 + 2f64.ln(), 3.0]);
    /// assert_eq!(y.sum().backward()?.wrt(b)?.to_vec(), [0.5, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn logaddexp(self, other: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(LogAddExp, [self, other.into_var(self.tape())])
    }

    /// `log₂(2ᵃ + 2ᵇ)`, element by element, broadcast, without overflow. See [`logaddexp`](Var::logaddexp).
    ///
    /// # Gradient
    ///
    /// `2ᵃ/(2ᵃ + 2ᵇ)` and `2ᵇ/(2ᵃ + 2ᵇ)`; at infinities as [`logaddexp`](Var::logaddexp).
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::scalar(5.0));
    /// assert_eq!(a.logaddexp2(5.0).item()?, 6.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn logaddexp2(self, other: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(LogAddExp2, [self, other.into_var(self.tape())])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, sample, wrong};
    let both = || binary((-2.0, 2.0), (-2.0, 2.0));
    vec![
        sample!("logaddexp", both(), |x| x[0].logaddexp(x[1])),
        sample!("logaddexp of itself", both(), |x| x[0].logaddexp(x[0] * x[1])),
        sample!("logaddexp2", both(), |x| x[0].logaddexp2(x[1])),
        wrong!("logaddexp", &[&[2], &[3]], |x| x[0].logaddexp(x[1]), "shapes [2] and [3] do not broadcast"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn infinities_far_apart_and_nan() {
        const TOP: f64 = f64::INFINITY;
        let tape = Tape::new();
        let a = tape.var(&Tensor::from([-TOP, TOP, TOP, 700.0, f64::NAN, 1.0]));
        let b = tape.var(&Tensor::from([-TOP, TOP, 1.0, 0.0, 1.0, f64::NAN]));
        for (y, rate) in [(a.logaddexp(b), 1.0), (a.logaddexp2(b), 2f64.ln())] {
            let value = y.value().unwrap().to_vec();
            assert_eq!(value[..4], [-TOP, TOP, TOP, 700.0]);
            assert!(value[4].is_nan() && value[5].is_nan());
            let grads = y.sum().backward().unwrap();
            let [da, db] = [a, b].map(|x| grads.wrt(x).unwrap().to_vec());
            assert!(da[1].is_nan() && db[1].is_nan() && da[4].is_nan() && db[5].is_nan());
            assert_eq!([da[0], db[0], da[2], db[2], da[3]], [0.0, 0.0, 1.0, 0.0, 1.0]);
            assert!((db[3] / (-700.0 * rate).exp() - 1.0_f64).abs() < 1e-12);
            // And one order up.
            let [g] = tape.vjp(y.sum(), &Tensor::scalar(1.0), [a]).unwrap();
            let second = g.sum().backward().unwrap().wrt(a).unwrap().to_vec();
            assert_eq!((second[0], second[2]), (0.0, 0.0));
        }
    }
}
