//! Shrinkage, hard and soft, and the threshold: what is small is dropped.

use super::guard::nan_of;
use super::{Elementwise, compiled};
use crate::error::{Result, argument};
use crate::number::{Number, Real};
use crate::tape::Var;

/// x moved towards 0 by λ, and 0 within λ of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softshrink {
    /// How far.
    pub lambda: f64,
}

/// x, but 0 within λ of 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hardshrink {
    /// How far.
    pub lambda: f64,
}

/// x above a threshold, else a fixed value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// The threshold.
    pub threshold: f64,
    /// The value up to there.
    pub value: f64,
}

impl Default for Softshrink {
    /// λ = ½.
    fn default() -> Softshrink {
        Softshrink { lambda: 0.5 }
    }
}

impl Default for Hardshrink {
    /// λ = ½.
    fn default() -> Hardshrink {
        Hardshrink { lambda: 0.5 }
    }
}

fn check_lambda(lambda: f64) -> Result<()> {
    if lambda < 0.0 {
        return argument("lambda", lambda, "at least 0");
    }
    Ok(())
}

/// 1 beyond ±λ, 0 up to there.
#[inline(always)]
fn beyond<N: Number>(x: N, lambda: f64) -> N {
    let lambda = x.lit(lambda);
    N::select(x.greater(lambda) | x.less(-lambda), x.lit(1.0), x.lit(0.0)) + nan_of(x)
}

impl Elementwise for Softshrink {
    const NAME: &'static str = "softshrink";

    fn check(self) -> Result<()> {
        check_lambda(self.lambda)
    }

    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        let lambda = x.lit(self.lambda);
        let left = N::select(x.less(-lambda), x + lambda, nan_of(x));
        N::select(x.greater(lambda), x - lambda, left)
    }

    #[inline(always)]
    fn df<N: Number>(self, x: N, _y: N) -> N {
        beyond(x, self.lambda)
    }

    compiled!(Softshrink);
}

impl Elementwise for Hardshrink {
    const NAME: &'static str = "hardshrink";

    fn check(self) -> Result<()> {
        check_lambda(self.lambda)
    }

    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        let lambda = x.lit(self.lambda);
        N::select(x.greater(lambda) | x.less(-lambda), x, nan_of(x))
    }

    #[inline(always)]
    fn df<N: Number>(self, x: N, _y: N) -> N {
        beyond(x, self.lambda)
    }

    compiled!(Hardshrink);
}

impl Elementwise for Threshold {
    const NAME: &'static str = "threshold";

    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        N::select(x.less_equal(x.lit(self.threshold)), x.lit(self.value), x)
    }

    #[inline(always)]
    fn df<N: Number>(self, x: N, _y: N) -> N {
        N::select(x.greater(x.lit(self.threshold)), x.lit(1.0), x.lit(0.0)) + nan_of(x)
    }

    compiled!(Threshold);
}

impl<'t, T: Real> Var<'t, T> {
    /// `x` moved towards 0 by `λ`, and 0 within `λ` of it, element by element: the proximal map of `λ|x|`.
    ///
    /// # Gradient
    ///
    /// 1 beyond `±λ`, 0 between and at `±λ`.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) for `λ < 0`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-2.0, 0.5, 3.0]));
    /// let y = x.softshrink(0.5);
    /// assert_eq!(y.value()?.to_vec(), [-1.5, 0.0, 2.5]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.0, 0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn softshrink(self, lambda: f64) -> Var<'t, T> {
        self.elementwise(Softshrink { lambda })
    }

    /// `x`, but 0 within `λ` of 0, element by element.
    ///
    /// # Gradient
    ///
    /// 1 beyond `±λ`, 0 between and at `±λ`.
    ///
    /// # Errors
    ///
    /// [`Argument`](crate::ErrorKind::Argument) for `λ < 0`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-2.0, 0.5, 3.0]));
    /// let y = x.hardshrink(0.5);
    /// assert_eq!(y.value()?.to_vec(), [-2.0, 0.0, 3.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.0, 0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn hardshrink(self, lambda: f64) -> Var<'t, T> {
        self.elementwise(Hardshrink { lambda })
    }

    /// `x` above a threshold, up to it a fixed value, element by element; NaN stays NaN.
    ///
    /// # Gradient
    ///
    /// 1 above the threshold, 0 below and at it.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-2.0, 0.5, 3.0]));
    /// let y = x.threshold(0.5, 20.0);
    /// assert_eq!(y.value()?.to_vec(), [20.0, 20.0, 3.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.0, 0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn threshold(self, threshold: f64, value: f64) -> Var<'t, T> {
        self.elementwise(Threshold { threshold, value })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary, wrong};
    let inputs = || unary(-3.0, 3.0).avoid(&[-0.5, 0.5]);
    vec![
        sample!("softshrink", inputs(), |x| x[0].softshrink(0.5)),
        sample!("hardshrink", inputs(), |x| x[0].hardshrink(0.5)),
        sample!("threshold", inputs(), |x| x[0].threshold(0.5, 2.0)),
        wrong!("softshrink", &[&[2]], |x| x[0].softshrink(-1.0), "lambda is -1, wanted at least 0"),
        wrong!("hardshrink", &[&[2]], |x| x[0].hardshrink(-0.5), "lambda is -0.5, wanted at least 0"),
    ]
}
