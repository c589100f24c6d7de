//! Exponential integrals.

use super::scalar::{ScalarFunction, scalar_function};
use crate::error::Result;
use crate::number::{Real, special};
use crate::tape::Var;

/// E₁(x).
#[derive(Clone, Copy)]
struct ExpIntE1;

/// Ei(x).
#[derive(Clone, Copy)]
struct ExpIntEi;

/// Eₙ(x).
#[derive(Clone, Copy)]
struct ExpIntEn(u32);

impl ScalarFunction<1> for ExpIntEn {
    const NAME: &'static str = "expn";
    const COST: f32 = 100.0;
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::expint_en(self.0, x)
    }
    fn slope<'t, T: Real>(self, _: usize, [x]: [Var<'t, T>; 1], y: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(match self.0.checked_sub(1) {
            Some(before) => -scalar_function(ExpIntEn(before), [x]),
            None => -(y + y / x),
        }))
    }
}

impl ScalarFunction<1> for ExpIntE1 {
    const NAME: &'static str = "exp1";
    const COST: f32 = 60.0;
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::expint_e1(x)
    }
    fn slope<'t, T: Real>(self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(-scalar_function(ExpIntEn(0), [x])))
    }
}

impl ScalarFunction<1> for ExpIntEi {
    const NAME: &'static str = "expi";
    const COST: f32 = 100.0;
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::expint_ei(x)
    }
    fn slope<'t, T: Real>(self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(x.exp() / x))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The exponential integral `E₁(x) = ∫ₓ^∞ e⁻ᵗ/t dt`, element by element; ∞ at 0, NaN left of it.
    ///
    /// # Gradient
    ///
    /// `−e⁻ˣ/x`.
    ///
    /// # Accuracy
    ///
    /// In double precision within 3 ulp.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::scalar(1.0));
    /// let y = x.exp1();
    /// assert!((y.item()? - 0.21938393439552026).abs() < 1e-15);
    /// assert_eq!(y.backward()?.wrt(x)?.item()?, -(-1f64).exp());
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "e1")]
    #[doc(alias = "expint")]
    #[track_caller]
    pub fn exp1(self) -> Var<'t, T> {
        scalar_function(ExpIntE1, [self])
    }

    /// The exponential integral of order n, `Eₙ(x) = ∫₁^∞ e^−xt/tⁿ dt`, element by element; at 0 it is `1/(n − 1)`, ∞ for n up
    /// to 1; NaN left of it.
    ///
    /// # Gradient
    ///
    /// `−Eₙ₋₁(x)`.
    ///
    /// # Accuracy
    ///
    /// In double precision within 3 ulp.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([0.0, 1.0]));
    /// let y = x.expn(3);
    /// assert_eq!(y.value()?[[0]], 0.5);
    /// assert!((y.value()?[[1]] - 0.10969196719776014).abs() < 1e-16);
    /// assert_eq!(y.sum().backward()?.wrt(x)?[[0]], -1.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "expint")]
    #[track_caller]
    pub fn expn(self, n: u32) -> Var<'t, T> {
        scalar_function(ExpIntEn(n), [self])
    }

    /// The exponential integral `Ei(x)`, the principal value of `∫ eᵗ/t dt` from −∞ to x, element by element; −∞ at 0.
    ///
    /// # Gradient
    ///
    /// `eˣ/x`.
    ///
    /// # Accuracy
    ///
    /// In double precision within 6 ulp, also near its zero at 0.3725.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([1.0, -1.0]));
    /// let y = x.expi();
    /// assert!((y.value()?[[0]] - 1.8951178163559368).abs() < 1e-15);
    /// assert!((y.value()?[[1]] + 0.21938393439552026).abs() < 1e-15);
    /// assert_eq!(y.sum().backward()?.wrt(x)?[[0]], 1f64.exp());
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "ei")]
    #[doc(alias = "expint")]
    #[track_caller]
    pub fn expi(self) -> Var<'t, T> {
        scalar_function(ExpIntEi, [self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary};
    vec![
        sample!("exp1", unary(0.6, 4.0), |x| x[0].exp1()),
        sample!("expn", unary(0.1, 4.0), |x| x[0].expn(4)),
        sample!("expn of order 2", unary(0.6, 2.0), |x| x[0].expn(2)),
        sample!("expi", unary(0.6, 3.0), |x| x[0].expi()),
        sample!("expi left of 0", unary(-3.0, -0.6), |x| x[0].expi()),
    ]
}
