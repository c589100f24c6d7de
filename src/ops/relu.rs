//! The ramp, with a choice of its derivative at 0.

use super::guard::nan_of;
use super::{Elementwise, compiled};
use crate::number::{Number, Real};
use crate::tape::Var;

/// max(x, 0).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relu {
    /// The derivative at 0: any number between the slopes 0 and 1 on either side.
    pub at_zero: f64,
}

impl Relu {
    /// The derivative at 0 is 0.
    pub const STANDARD: Relu = Relu { at_zero: 0.0 };
}

impl Default for Relu {
    fn default() -> Relu {
        Relu::STANDARD
    }
}

impl Elementwise for Relu {
    const NAME: &'static str = "relu";

    /// Compared so that NaN falls to x.
    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        N::select(x.less_equal(x.lit(0.0)), x.lit(0.0), x)
    }

    #[inline(always)]
    fn df<N: Number>(self, x: N, _y: N) -> N {
        let (zero, one) = (x.lit(0.0), x.lit(1.0));
        let below = N::select(x.equal(zero), x.lit(self.at_zero), zero);
        N::select(x.greater(zero), one, below) + nan_of(x)
    }

    compiled!(Relu);
}

impl<'t, T: Real> Var<'t, T> {
    /// The ramp `max(x, 0)`, element by element; NaN stays NaN.
    ///
    /// # Gradient
    ///
    /// 1 above 0, 0 below and at 0. See [`relu_at_zero`](Var::relu_at_zero) for another choice there.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1.0, 0.0, 2.0]));
    /// assert_eq!(x.relu().value()?.to_vec(), [0.0, 0.0, 2.0]);
    /// assert_eq!(x.relu().sum().backward()?.wrt(x)?.to_vec(), [0.0, 0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn relu(self) -> Var<'t, T> {
        self.elementwise(Relu::STANDARD)
    }

    /// The ramp `max(x, 0)` whose derivative at 0 is the subgradient `s`; the literature uses 0, ½ and 1.
    ///
    /// # Gradient
    ///
    /// 1 above 0, `s` at 0, 0 below.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1.0, 0.0, 2.0]));
    /// assert_eq!(x.relu_at_zero(0.5).sum().backward()?.wrt(x)?.to_vec(), [0.0, 0.5, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn relu_at_zero(self, s: f64) -> Var<'t, T> {
        self.elementwise(Relu { at_zero: s })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary};
    let inputs = || unary(-3.0, 3.0).avoid(&[0.0]);
    vec![
        sample!("relu", inputs(), |x| x[0].relu()),
        sample!("relu at zero", inputs(), |x| x[0].relu_at_zero(0.5)),
    ]
}
