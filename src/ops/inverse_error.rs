//! Inverses and logarithms of the error function and of the normal law, and the scaled complement.

use super::scalar::{ScalarFunction, scalar_function};
use crate::error::Result;
use crate::number::{Real, special};
use crate::tape::Var;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// The inverse of erf.
#[derive(Clone, Copy)]
struct ErfInv;

/// The inverse of the normal law's distribution function.
#[derive(Clone, Copy)]
struct NdtrI;

/// The derivative of erf's inverse.
#[derive(Clone, Copy)]
struct ErfInvSlope;

/// The derivative of the quantile.
#[derive(Clone, Copy)]
struct NdtrISlope;

/// The derivative of this order of e^x² erfc x.
#[derive(Clone, Copy)]
struct ErfcX(u32);

/// ln Φ(x).
#[derive(Clone, Copy)]
struct LogNdtr;

impl ScalarFunction<1> for ErfInv {
    const NAME: &'static str = "erfinv";
    const COST: f32 = 40.0;
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::erf_inv(x)
    }
    fn slope<'t, T: Real>(self, _: usize, x: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(scalar_function(ErfInvSlope, x)))
    }
}

impl ScalarFunction<1> for ErfInvSlope {
    const NAME: &'static str = "erfinv_slope";
    const COST: f32 = 60.0;
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::erf_inv_slope(x)
    }
    fn slope<'t, T: Real>(self, _: usize, [x]: [Var<'t, T>; 1], y: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(x.erfinv() * y.square() * 2.0))
    }
}

impl ScalarFunction<1> for NdtrI {
    const NAME: &'static str = "ndtri";
    const COST: f32 = 40.0;
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::normal_quantile(x)
    }
    fn slope<'t, T: Real>(self, _: usize, x: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(scalar_function(NdtrISlope, x)))
    }
}

impl ScalarFunction<1> for NdtrISlope {
    const NAME: &'static str = "ndtri_slope";
    const COST: f32 = 60.0;
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::normal_quantile_slope(x)
    }
    fn slope<'t, T: Real>(self, _: usize, [x]: [Var<'t, T>; 1], y: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(x.ndtri() * y.square()))
    }
}

impl ScalarFunction<1> for ErfcX {
    const NAME: &'static str = "erfcx";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::erfcx(self.0, x)
    }
    fn slope<'t, T: Real>(self, _: usize, x: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(scalar_function(ErfcX(self.0.saturating_add(1)), x)))
    }
}

impl ScalarFunction<1> for LogNdtr {
    const NAME: &'static str = "log_ndtr";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::log_normal_cdf(x)
    }
    /// φ(x)/Φ(x): on the left `√(2/π)/erfcx(−x/√2)`, whose own derivatives do not cancel there.
    fn slope<'t, T: Real>(self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        let left = x.lt(-1.0);
        let of_left = Var::where_(left, x, x.constant(-1.0));
        let of_right = Var::where_(left, x.constant(-1.0), x);
        let on_left = (of_left * -FRAC_1_SQRT_2).erfcx().recip() * (FRAC_2_SQRT_PI * FRAC_1_SQRT_2);
        let on_right = of_right.gauss() / of_right.normal_cdf() * (0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2);
        Ok(Some(Var::where_(left, on_left, on_right)))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The inverse of the error function, element by element; ±∞ at ±1, NaN outside.
    ///
    /// # Gradient
    ///
    /// `√π/2 exp(y²)`.
    ///
    /// # Accuracy
    ///
    /// In double precision within 3 ulp; the derivatives within 4 and 8, also towards ±1.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([0.0, 0.5, 1.0]));
    /// let y = x.erfinv();
    /// assert!((y.erf().value()?[[1]] - 0.5).abs() < 1e-15);
    /// assert_eq!(y.value()?[[2]], f64::INFINITY);
    /// assert_eq!(y.sum().backward()?.wrt(x)?[[0]], 1.0 / std::f64::consts::FRAC_2_SQRT_PI);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "erf_inv")]
    #[track_caller]
    pub fn erfinv(self) -> Var<'t, T> {
        scalar_function(ErfInv, [self])
    }

    /// The quantiles of the standard normal law, element by element: the inverse of
    /// [`normal_cdf`](Var::normal_cdf), accurate in the left tail. ∓∞ at 0 and 1, NaN outside.
    ///
    /// # Gradient
    ///
    /// `√(2π) exp(y²/2)`.
    ///
    /// # Accuracy
    ///
    /// In double precision within 3 ulp; the derivatives within 6 and 12, also towards 0 and 1.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let p = tape.var(&Tensor::from([0.0, 0.5, 0.975]));
    /// let y = p.ndtri().value()?;
    /// assert_eq!(y.to_vec()[..2], [f64::NEG_INFINITY, 0.0]);
    /// assert!((y[[2]] - 1.959963984540054).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "normal_quantile")]
    #[doc(alias = "probit")]
    #[track_caller]
    pub fn ndtri(self) -> Var<'t, T> {
        scalar_function(NdtrI, [self])
    }

    /// The scaled complementary error function `exp(x²) erfc x`, element by element, which falls as `1/(√π x)` where
    /// [`erfc`](Var::erfc) has long vanished; ∞ from about −26.6 downwards.
    ///
    /// # Gradient
    ///
    /// `2x erfcx x − 2/√π`, computed so that it does not cancel in the right tail, at every order.
    ///
    /// # Accuracy
    ///
    /// In double precision within 2.5 ulp; derivatives within 4.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([0.0, 1e8]));
    /// let y = x.erfcx();
    /// assert_eq!(y.value()?[[0]], 1.0);
    /// let g = y.sum().backward()?.wrt(x)?[[1]];
    /// assert!((g / -5.641895835477563e-17 - 1.0).abs() < 1e-14); // −1/(√π x²)
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn erfcx(self) -> Var<'t, T> {
        scalar_function(ErfcX(0), [self])
    }

    /// The logarithm of the standard normal law's distribution function, `ln Φ(x)`, element by element, accurate in both
    /// tails: about `−x²/2` on the left, `−Φ(−x)` on the right.
    ///
    /// # Gradient
    ///
    /// `φ(x)/Φ(x)`, with relative accuracy in both tails.
    ///
    /// # Accuracy
    ///
    /// In double precision within 2 ulp; the derivative within 5.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([0.0, -100.0]));
    /// let y = x.log_ndtr();
    /// assert_eq!(y.value()?[[0]], -std::f64::consts::LN_2);
    /// let g = y.sum().backward()?.wrt(x)?[[1]];
    /// assert!((g - 100.00999800099926).abs() < 1e-12);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "log_normal_cdf")]
    #[track_caller]
    pub fn log_ndtr(self) -> Var<'t, T> {
        scalar_function(LogNdtr, [self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary};
    vec![
        sample!("erfinv", unary(-0.7, 0.7), |x| x[0].erfinv()),
        sample!("ndtri", unary(0.2, 0.8), |x| x[0].ndtri()),
        sample!("erfcx", unary(-0.5, 3.0), |x| x[0].erfcx()),
        sample!("log_ndtr", unary(-4.0, 3.0), |x| x[0].log_ndtr()),
    ]
}
