//! The exponential ramps.
//!
//! The left derivative is taken from x: from the value, `y + α`, it would cancel. The exponential's argument is 0
//! from 0 on, so that 0 belongs to the left branch and the second derivative there is 0.

use super::guard::{at_least, nan_of};
use super::{Elementwise, compiled};
use crate::error::{ErrorKind, Result};
use crate::number::{Number, Real};
use crate::tape::Var;

/// x above 0, α(eˣ − 1) below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elu {
    /// The bound on the left is −α.
    pub alpha: f64,
}

/// Self-normalising: λ times the [`Elu`] of α, with which means 0 and variances 1 are a fixed point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Selu;

/// x above 0, α(e^(x/α) − 1) below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Celu {
    /// The bound on the left is −α.
    pub alpha: f64,
}

impl Default for Elu {
    /// α = 1.
    fn default() -> Elu {
        Elu { alpha: 1.0 }
    }
}

impl Default for Celu {
    /// α = 1.
    fn default() -> Celu {
        Celu { alpha: 1.0 }
    }
}

impl Selu {
    /// The α of the fixed point (Klambauer et al. 2017).
    pub const ALPHA: f64 = 1.673_263_242_354_377_2;
    /// The λ of the fixed point.
    pub const SCALE: f64 = 1.050_700_987_355_480_5;
}

/// x below 0, 0 from 0 on.
#[inline(always)]
fn left_of_zero<N: Number>(x: N) -> N {
    N::select(x.less(x.lit(0.0)), x, x.lit(0.0))
}

impl Elementwise for Elu {
    const NAME: &'static str = "elu";

    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        N::select(x.greater(x.lit(0.0)), x, x.exp_m1() * x.lit(self.alpha))
    }

    #[inline(always)]
    fn df<N: Number>(self, x: N, _y: N) -> N {
        let left = left_of_zero(x).exp() * x.lit(self.alpha);
        N::select(x.greater(x.lit(0.0)), x.lit(1.0), left) + nan_of(x)
    }

    compiled!(Elu);
}

impl Elementwise for Selu {
    const NAME: &'static str = "selu";

    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        let (right, left) = (x * x.lit(Selu::SCALE), x.exp_m1() * x.lit(Selu::SCALE * Selu::ALPHA));
        N::select(x.greater(x.lit(0.0)), right, left)
    }

    #[inline(always)]
    fn df<N: Number>(self, x: N, _y: N) -> N {
        let left = left_of_zero(x).exp() * x.lit(Selu::SCALE * Selu::ALPHA);
        N::select(x.greater(x.lit(0.0)), x.lit(Selu::SCALE), left) + nan_of(x)
    }

    compiled!(Selu);
}

impl Elementwise for Celu {
    const NAME: &'static str = "celu";

    fn check(self) -> Result<()> {
        if self.alpha != 0.0 {
            return Ok(());
        }
        Err(ErrorKind::Argument { name: "alpha", found: "0".into(), wanted: "a number other than 0".into() }
            .into())
    }

    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        let alpha = x.lit(self.alpha);
        N::select(x.greater(x.lit(0.0)), x, (x / alpha).exp_m1() * alpha)
    }

    /// e^(x/α) with the rounding error of the quotient made good: e^(q + r) = e^q (1 + r). The argument is cut
    /// where the exponential has long been 0 (or infinite, with α below 0).
    #[inline(always)]
    fn df<N: Number>(self, x: N, _y: N) -> N {
        let (one, alpha) = (x.lit(1.0), x.lit(self.alpha));
        let t = at_least(left_of_zero(x), -800.0 * self.alpha.abs());
        let q = t / alpha;
        let (product, error) = q.two_product(alpha);
        let rest = ((t - product) - error) / alpha;
        N::select(x.greater(x.lit(0.0)), one, q.exp() * (one + rest)) + nan_of(x)
    }

    compiled!(Celu);
}

impl<'t, T: Real> Var<'t, T> {
    /// `x` above 0 and `α(eˣ − 1)` below, element by element.
    ///
    /// # Gradient
    ///
    /// 1 above 0, `α eˣ` below and at 0, with relative accuracy in the tail. The second derivative at 0 is 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([f64::NEG_INFINITY, 0.0, 2.0]));
    /// let y = x.elu(1.5);
    /// assert_eq!(y.value()?.to_vec(), [-1.5, 0.0, 2.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.0, 1.5, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn elu(self, alpha: f64) -> Var<'t, T> {
        self.elementwise(Elu { alpha })
    }

    /// `λx` above 0 and `λα(eˣ − 1)` below, element by element, with the `λ` and `α` of [`Selu`] that keep means 0
    /// and variances 1.
    ///
    /// # Gradient
    ///
    /// `λ` above 0, `λα eˣ` below and at 0, with relative accuracy in the tail. The second derivative at 0 is 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, activation::Selu};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 2.0]));
    /// assert_eq!(x.selu().value()?.to_vec(), [0.0, 2.0 * Selu::SCALE]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn selu(self) -> Var<'t, T> {
        self.elementwise(Selu)
    }

    /// `x` above 0 and `α(e^(x/α) − 1)` below, element by element: its derivative is continuous for every `α`.
    ///
    /// # Gradient
    ///
    /// 1 above 0, `e^(x/α)` below and at 0, with relative accuracy in the tail. The second derivative at 0 is 0.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) for `α = 0`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([f64::NEG_INFINITY, 0.0, 2.0]));
    /// let y = x.celu(1.5);
    /// assert_eq!(y.value()?.to_vec(), [-1.5, 0.0, 2.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.0, 1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn celu(self, alpha: f64) -> Var<'t, T> {
        self.elementwise(Celu { alpha })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary, wrong};
    let inputs = || unary(-3.0, 3.0).avoid(&[0.0]);
    vec![
        sample!("elu", inputs(), |x| x[0].elu(1.7)),
        sample!("selu", inputs(), |x| x[0].selu()),
        sample!("celu", inputs(), |x| x[0].celu(1.3)),
        wrong!("celu", &[&[2]], |x| x[0].celu(0.0), "alpha is 0, wanted a number other than 0"),
    ]
}
