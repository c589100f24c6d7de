//! The inverse of the logistic function.

use super::scalar::{ScalarFunction, scalar_function};
use crate::error::Result;
use crate::number::Real;
use crate::tape::Var;

/// ln(x/(1 − x)), with x held in [eps, 1 − eps] if there is an eps.
#[derive(Clone, Copy)]
struct Logit(Option<f64>);

/// 1/(x(1 − x)), NaN outside of [0, 1].
#[derive(Clone, Copy)]
struct LogitSlope;

impl ScalarFunction<1> for Logit {
    const NAME: &'static str = "logit";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        let x = match self.0 {
            // In this order, and so that NaN passes.
            Some(eps) if x < eps => eps,
            Some(eps) if x > 1.0 - eps => 1.0 - eps,
            _ => x,
        };
        if (x - 0.5).abs() < 0.25 {
            // x/(1 − x) = 1 + (2x − 1)/(1 − x), where the numerator is exact.
            (2.0 * (x - 0.5) / (1.0 - x)).ln_1p()
        } else {
            (x / (1.0 - x)).ln()
        }
    }
    fn slope<'t, T: Real>(self, _: usize, [x]: [Var<'t, T>; 1], y: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        let slope = |x| scalar_function(LogitSlope, [x]);
        let Some(eps) = self.0 else { return Ok(Some(slope(x))) };
        let inside = x.ge(eps) & x.le(1.0 - eps);
        let harmless = Var::where_(inside, x, x.constant(0.5));
        Ok(Some(Var::where_(y.is_nan(), y, Var::where_(inside, slope(harmless), x.constant(0.0)))))
    }
}

impl ScalarFunction<1> for LogitSlope {
    const NAME: &'static str = "logit_slope";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        if (0.0..=1.0).contains(&x) { 1.0 / (x * (1.0 - x)) } else { f64::NAN }
    }
    fn slope<'t, T: Real>(self, _: usize, [x]: [Var<'t, T>; 1], y: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some((x + x - 1.0) * y.square()))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The inverse of the logistic function, `ln(x/(1 − x))`, element by element; ∓∞ at 0 and 1, NaN outside. With
    /// `Some(eps)`, x is first held in [eps, 1 − eps].
    ///
    /// # Gradient
    ///
    /// `1/(x (1 − x))`, ∞ at 0 and 1 and NaN outside; with an eps 0 outside of [eps, 1 − eps].
    ///
    /// # Accuracy
    ///
    /// In double precision within 3 ulp; the derivatives within 2 and 6, also near 0, ½ and 1.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 0.5, 1.0]));
    /// assert_eq!(x.logit(None).value()?.to_vec(), [f64::NEG_INFINITY, 0.0, f64::INFINITY]);
    /// let y = x.logit(0.1);
    /// assert_eq!(y.value()?[[2]], (0.9f64 / (1.0 - 0.9)).ln());
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.0, 4.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn logit(self, eps: impl Into<Option<f64>>) -> Var<'t, T> {
        scalar_function(Logit(eps.into()), [self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary};
    vec![
        sample!("logit", unary(0.2, 0.8), |x| x[0].logit(None)),
        sample!("logit with an eps", unary(0.1, 0.7).avoid(&[0.3]), |x| x[0].logit(0.3).square()),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn accurate_near_a_half_and_nan_outside() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([0.5 + 1e-10, 0.25, 1e-300, -1.0, 2.0, f64::NAN]));
        let y = x.logit(None);
        let value = y.value().unwrap().to_vec();
        assert!((value[0] / (4.0 * (0.5 + 1e-10 - 0.5)) - 1.0f64).abs() < 1e-15);
        assert!((value[1] + 3f64.ln()).abs() < 3e-16);
        assert!((value[2] + 300.0 * 10f64.ln()).abs() < 2e-13);
        let g = y.sum().backward().unwrap().wrt(x).unwrap().to_vec();
        assert!(value[3..].iter().chain(&g[3..]).all(|v| v.is_nan()));
        let held = x.logit(0.1);
        let value = held.value().unwrap().to_vec();
        assert!((value[3] + 9f64.ln()).abs() < 1e-15 && (value[4] - 9f64.ln()).abs() < 1e-15);
        let g = held.sum().backward().unwrap().wrt(x).unwrap().to_vec();
        assert!(value[5].is_nan() && g[5].is_nan());
        assert_eq!(g[2..5], [0.0; 3]);
    }
}
