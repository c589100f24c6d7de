//! The logistic function.

use super::{Elementwise, compiled};
use crate::number::{Number, Real};
use crate::tape::Var;

/// 1/(1 + e⁻ˣ).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sigmoid;

impl Elementwise for Sigmoid {
    const NAME: &'static str = "sigmoid";

    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        x.sigmoid()
    }

    #[inline(always)]
    fn df<N: Number>(self, x: N, y: N) -> N {
        y * (-x).sigmoid()
    }

    /// −σ(x) σ(−x) tanh(x/2): the difference σ(−x) − σ(x) would cancel near 0.
    #[inline(always)]
    fn d2f<N: Number>(self, x: N, y: N) -> N {
        -(self.df(x, y) * (x / x.lit(2.0)).tanh())
    }

    compiled!(Sigmoid);
}

impl<'t, T: Real> Var<'t, T> {
    /// The logistic function `σ(x) = 1/(1 + e⁻ˣ)`, element by element.
    ///
    /// # Gradient
    ///
    /// `σ(x) σ(−x)`, with relative accuracy in both tails, where `y (1 − y)` cancels to nothing.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 40.0]));
    /// assert_eq!(x.sigmoid().value()?.to_vec(), [0.5, 1.0]);
    /// let g = x.sigmoid().sum().backward()?.wrt(x)?.clone();
    /// assert_eq!(g[[0]], 0.25);
    /// assert!((g[[1]] / (-40f64).exp() - 1.0).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "expit")]
    #[doc(alias = "logistic")]
    #[track_caller]
    pub fn sigmoid(self) -> Var<'t, T> {
        self.elementwise(Sigmoid)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary};
    vec![sample!("sigmoid", unary(-4.0, 4.0), |x| x[0].sigmoid())]
}
