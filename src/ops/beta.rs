//! The beta function and its logarithm.

use super::scalar::{ScalarFunction, scalar_function};
use crate::error::Result;
use crate::number::{Real, special};
use crate::tape::{IntoVar, Var};

/// Γ(a) Γ(b)/Γ(a + b).
#[derive(Clone, Copy)]
struct Beta;

/// ln |B(a, b)|.
#[derive(Clone, Copy)]
struct LnBeta;

/// `Σ ((a + k)⁻ˢ − (a + b + k)⁻ˢ)` over k from 0.
#[derive(Clone, Copy)]
struct ZetaStep(u32);

impl ScalarFunction<2> for Beta {
    const NAME: &'static str = "beta";
    const COST: f32 = 50.0;
    fn value<T: Real>(self, [a, b]: [f64; 2]) -> f64 {
        special::beta(a, b)
    }
    fn slope<'t, T: Real>(
        self,
        i: usize,
        [a, b]: [Var<'t, T>; 2],
        y: Var<'t, T>,
    ) -> Result<Option<Var<'t, T>>> {
        Ok(Some(-(y * [a, b][i].digamma_step([b, a][i]))))
    }
}

impl ScalarFunction<2> for LnBeta {
    const NAME: &'static str = "betaln";
    const COST: f32 = 50.0;
    fn value<T: Real>(self, [a, b]: [f64; 2]) -> f64 {
        special::ln_beta(a, b)
    }
    fn slope<'t, T: Real>(
        self,
        i: usize,
        [a, b]: [Var<'t, T>; 2],
        _: Var<'t, T>,
    ) -> Result<Option<Var<'t, T>>> {
        Ok(Some(-[a, b][i].digamma_step([b, a][i])))
    }
}

impl ScalarFunction<2> for ZetaStep {
    const NAME: &'static str = "zeta_step";
    const COST: f32 = 100.0;
    fn value<T: Real>(self, [a, b]: [f64; 2]) -> f64 {
        special::zeta_step(self.0, a, b)
    }
    fn slope<'t, T: Real>(
        self,
        i: usize,
        [a, b]: [Var<'t, T>; 2],
        _: Var<'t, T>,
    ) -> Result<Option<Var<'t, T>>> {
        let (s, next) = (f64::from(self.0), self.0.saturating_add(1));
        Ok(Some(if i == 0 {
            scalar_function(ZetaStep(next), [a, b]) * -s
        } else {
            a.constant(s + 1.0).zeta(a + b) * s
        }))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The beta function `B(a, b) = Γ(a) Γ(b)/Γ(a + b)`, element by element, broadcast; for a, b > 0, else NaN. The other
    /// is a variable, a tensor or a number.
    ///
    /// # Gradient
    ///
    /// `B(a, b) (ψ(a) − ψ(a + b))` by a, and likewise by b; the difference does not cancel.
    ///
    /// # Accuracy
    ///
    /// In double precision within 4 ulp, the first derivatives within 6.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let a = tape.var(&Tensor::scalar(2.0));
    /// let y = a.beta(3.0);
    /// assert!((y.item()? - 1.0 / 12.0).abs() < 1e-16);
    /// assert!((y.backward()?.wrt(a)?.item()? + 13.0 / 144.0).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn beta(self, b: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(Beta, [self, b.into_var(self.tape())])
    }

    /// The logarithm of the beta function, `ln Γ(a) + ln Γ(b) − ln Γ(a + b)`, element by element, broadcast; for a, b > 0,
    /// else NaN. By Stirling's formula where an argument is large and the three would cancel. The other is a variable, a
    /// tensor or a number.
    ///
    /// # Gradient
    ///
    /// `ψ(a) − ψ(a + b)` by a, and likewise by b; the difference does not cancel where b is small beside a.
    ///
    /// # Accuracy
    ///
    /// In double precision within 8 ulp of the larger of 1 and the value; the first derivatives within 4 ulp, the second
    /// within 6.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let a = tape.var(&Tensor::scalar(1.0));
    /// // B(1, b) = 1/b.
    /// assert!((a.betaln(1e6).item()? + 1e6f64.ln()).abs() < 1e-14);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "lbeta")]
    #[track_caller]
    pub fn betaln(self, b: impl IntoVar<'t, T>) -> Var<'t, T> {
        scalar_function(LnBeta, [self, b.into_var(self.tape())])
    }

    /// `ψ(a + b) − ψ(a)` for a > 0 and b ≥ 0, to full relative accuracy.
    pub(crate) fn digamma_step(self, b: Var<'t, T>) -> Var<'t, T> {
        scalar_function(ZetaStep(1), [self, b])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, sample, wrong};
    let both = || binary((0.8, 3.0), (0.8, 3.0));
    vec![
        sample!("beta", both(), |x| x[0].beta(x[1])),
        sample!("betaln", both(), |x| x[0].betaln(x[1])),
        sample!("betaln of unequal arguments", both(), |x| (x[0] * 20.0).betaln(x[1] * 0.1)),
        sample!("betaln of large arguments", both(), |x| (x[0] * 4.0).betaln(x[1] * 20.0)),
        wrong!("beta", &[&[2], &[3]], |x| x[0].beta(x[1]), "shapes [2] and [3] do not broadcast"),
    ]
}
