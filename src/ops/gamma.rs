//! The gamma function's logarithm, its derivatives, and Hurwitz's zeta function.

use super::scalar::{ScalarFunction, scalar_function};
use crate::error::{ErrorKind, Result, argument};
use crate::number::{Real, special};
use crate::tape::{IntoVar, Var};
use std::f64::consts::PI;

/// ln |Γ(x)|.
#[derive(Clone, Copy)]
struct LGamma;

/// Γ(x).
#[derive(Clone, Copy)]
struct Gamma;

/// The derivative of this order of ψ.
#[derive(Clone, Copy)]
struct PolyGamma(u32);

/// ζ(s, q).
#[derive(Clone, Copy)]
struct Zeta;

impl ScalarFunction<1> for LGamma {
    const NAME: &'static str = "lgamma";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::lgamma(x)
    }
    fn slope<'t, T: Real>(self, _: usize, x: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(scalar_function(PolyGamma(0), x)))
    }
}

impl ScalarFunction<1> for Gamma {
    const NAME: &'static str = "gamma";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::gamma(x)
    }
    fn slope<'t, T: Real>(self, _: usize, [x]: [Var<'t, T>; 1], y: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(y * x.digamma()))
    }
}

impl ScalarFunction<1> for PolyGamma {
    const NAME: &'static str = "polygamma";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::polygamma(self.0, x)
    }
    fn slope<'t, T: Real>(self, _: usize, x: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(scalar_function(PolyGamma(self.0.saturating_add(1)), x)))
    }
}

impl ScalarFunction<2> for Zeta {
    const NAME: &'static str = "zeta";
    const COST: f32 = 100.0;
    fn value<T: Real>(self, [s, q]: [f64; 2]) -> f64 {
        special::zeta(s, q)
    }
    fn slope<'t, T: Real>(
        self,
        i: usize,
        [s, q]: [Var<'t, T>; 2],
        _: Var<'t, T>,
    ) -> Result<Option<Var<'t, T>>> {
        if i == 0 {
            return Err(
                ErrorKind::NoRule { mode: "the derivative by its first argument, the exponent s" }.into()
            );
        }
        Ok(Some(-(s * (s + 1.0).zeta(q))))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The logarithm of the gamma function's absolute value, `ln |Γ(x)|`, element by element; ∞ at 0, at the negative
    /// whole numbers and at ±∞.
    ///
    /// # Gradient
    ///
    /// [`digamma`](Var::digamma); NaN at the negative whole numbers.
    ///
    /// # Accuracy
    ///
    /// In double precision within 2.5 ulp for x > 0; left of 0 within 3 ulp of the larger of 1 and the value: near
    /// its zeros there it has no relative bound.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([1.0, 5.0]));
    /// assert_eq!(x.lgamma().value()?.to_vec(), [0.0, 24f64.ln()]);
    /// let g = x.lgamma().sum().backward()?.wrt(x)?.clone();
    /// assert!((g[[0]] + 0.5772156649015329).abs() < 1e-15); // Euler's constant
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "gammaln")]
    #[doc(alias = "ln_gamma")]
    #[track_caller]
    pub fn lgamma(self) -> Var<'t, T> {
        scalar_function(LGamma, [self])
    }

    /// The gamma function `Γ(x) = ∫₀^∞ tˣ⁻¹ e⁻ᵗ dt`, continued to the left, element by element; ±∞ at ±0, NaN at the negative
    /// whole numbers. Its logarithm, which does not leave the range, is [`lgamma`](Var::lgamma).
    ///
    /// # Gradient
    ///
    /// `Γ(x) ψ(x)`.
    ///
    /// # Accuracy
    ///
    /// In double precision within 6 ulp for x > 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([0.5, 5.0]));
    /// let y = x.gamma();
    /// assert!((y.value()?[[0]] - std::f64::consts::PI.sqrt()).abs() < 1e-15);
    /// assert_eq!(y.value()?[[1]], 24.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "factorial")]
    #[doc(alias = "tgamma")]
    #[track_caller]
    pub fn gamma(self) -> Var<'t, T> {
        scalar_function(Gamma, [self])
    }

    /// The logarithmic derivative of the gamma function, `ψ(x) = Γ′(x)/Γ(x)`, element by element; ∓∞ at ±0, NaN at the
    /// negative whole numbers.
    ///
    /// # Gradient
    ///
    /// [`polygamma(1)`](Var::polygamma).
    ///
    /// # Accuracy
    ///
    /// In double precision within 3 ulp for x > 0, also near its zero there; left of 0 within 4 ulp of the larger of 1 and
    /// the value.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::scalar(1.0));
    /// assert!((x.digamma().item()? + 0.5772156649015329).abs() < 1e-15);
    /// let trigamma = x.digamma().backward()?.wrt(x)?.item()?;
    /// assert!((trigamma - std::f64::consts::PI.powi(2) / 6.0).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "psi")]
    #[track_caller]
    pub fn digamma(self) -> Var<'t, T> {
        scalar_function(PolyGamma(0), [self])
    }

    /// The n-th derivative of [`digamma`](Var::digamma), element by element: `(−1)ⁿ⁺¹ n! ζ(n + 1, x)` for n ≥ 1. ±∞ at 0 and
    /// at the negative whole numbers.
    ///
    /// # Gradient
    ///
    /// `polygamma(n + 1)`.
    ///
    /// # Accuracy
    ///
    /// In double precision within 4 ulp for n up to 7 and x > 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::scalar(0.5));
    /// assert!((x.polygamma(1).item()? - std::f64::consts::PI.powi(2) / 2.0).abs() < 1e-14);
    /// assert_eq!(x.polygamma(0).item()?, x.digamma().item()?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn polygamma(self, n: u32) -> Var<'t, T> {
        scalar_function(PolyGamma(n), [self])
    }

    /// The logarithm of the gamma function of p dimensions, element by element:
    /// `ln Γ_p(x) = p (p − 1)/4 ln π + Σ ln Γ(x − i/2)` over i from 0 to p − 1. NaN for `x ≤ (p − 1)/2`.
    ///
    /// # Gradient
    ///
    /// `Σ ψ(x − i/2)`.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) for p = 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let x = tape.var(&Tensor::from([3.0, 0.4]));
    /// assert_eq!(x.multigammaln(1).value()?[[0]], x.lgamma().value()?[[0]]);
    /// assert!(x.multigammaln(2).value()?[[1]].is_nan());
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "mvlgamma")]
    #[track_caller]
    pub fn multigammaln(self, p: usize) -> Var<'t, T> {
        self.tape().composed("multigammaln", || {
            if p == 0 {
                return argument("p", "0", "1 at least");
            }
            let p = p as f64;
            let inside = self.gt(0.5 * (p - 1.0));
            // Added, so that the derivative is NaN where the value is.
            let x = self + Var::where_(inside, self.constant(0.0), self.constant(f64::NAN));
            let mut sum = x.lgamma();
            let mut i = 1.0;
            while i < p {
                sum = sum + (x - 0.5 * i).lgamma();
                i += 1.0;
            }
            Ok(if p > 1.0 { sum + 0.25 * p * (p - 1.0) * PI.ln() } else { sum })
        })
    }

    /// Hurwitz's zeta function `ζ(s, q) = Σ (q + k)⁻ˢ` over k from 0, element by element, broadcast: of the exponent s and
    /// the offset q, a variable, a tensor or a number. ∞ for s = 1 and for q = 0, −1, −2, …; NaN for s < 1, and for a
    /// negative q if s is no whole number.
    ///
    /// # Gradient
    ///
    /// `−s ζ(s + 1, q)` by q.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast). A sweep that wants the derivative by s fails with
    /// [`NoRule`](crate::ErrorKind::NoRule): make it a constant.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let q = tape.var(&Tensor::scalar(1.0));
    /// let y = tape.scalar(2.0).zeta(q);
    /// assert!((y.item()? - std::f64::consts::PI.powi(2) / 6.0).abs() < 1e-15);
    /// assert!((y.backward()?.wrt(q)?.item()? + 2.0 * 1.2020569031595942).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn zeta(self, q: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(Zeta, [self, q.into_var(self.tape())])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary, wrong};
    vec![
        sample!("lgamma", unary(0.5, 4.0), |x| x[0].lgamma()),
        sample!("lgamma left of 0", unary(-2.7, -2.3), |x| x[0].lgamma()),
        sample!("gamma", unary(0.8, 3.5), |x| x[0].gamma()),
        sample!("digamma", unary(0.6, 12.0), |x| x[0].digamma()),
        sample!("digamma left of 0", unary(-2.7, -2.3), |x| x[0].digamma() * 0.1),
        sample!("polygamma", unary(0.8, 3.0), |x| x[0].polygamma(2) * 0.1),
        sample!("polygamma left of 0", unary(-2.7, -2.3), |x| x[0].polygamma(1) * 0.01),
        sample!("multigammaln", unary(1.6, 4.0), |x| x[0].multigammaln(3)),
        sample!("zeta", unary(0.8, 3.0), |x| x[0].tape().scalar(2.5).zeta(x[0])),
        wrong!("multigammaln", &[&[2]], |x| x[0].multigammaln(0), "p is 0, wanted 1 at least"),
        wrong!(
            "zeta",
            &[&[2], &[2]],
            |x| (x[0] + 1.0).zeta(x[1]),
            "the operation has no rule for the derivative by its first argument, the exponent s"
        ),
        wrong!("zeta", &[&[2], &[3]], |x| x[0].zeta(x[1]), "shapes [2] and [3] do not broadcast"),
    ]
}
