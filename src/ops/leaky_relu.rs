//! The ramp that leaks below 0.

use super::guard::nan_of;
use super::{Elementwise, compiled};
use crate::number::{Number, Real};
use crate::tape::Var;

/// x above 0, αx below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    /// The slope below 0. It may be above 1, and below 0.
    pub alpha: f64,
}

impl Default for LeakyRelu {
    /// α = 0.01.
    fn default() -> LeakyRelu {
        LeakyRelu { alpha: 0.01 }
    }
}

impl Elementwise for LeakyRelu {
    const NAME: &'static str = "leaky_relu";

    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        N::select(x.greater(x.lit(0.0)), x, x * x.lit(self.alpha))
    }

    #[inline(always)]
    fn df<N: Number>(self, x: N, _y: N) -> N {
        N::select(x.greater(x.lit(0.0)), x.lit(1.0), x.lit(self.alpha)) + nan_of(x)
    }

    compiled!(LeakyRelu);
}

impl<'t, T: Real> Var<'t, T> {
    /// `x` above 0 and `αx` below, element by element, whatever `α` is.
    ///
    /// # Gradient
    ///
    /// 1 above 0, `α` below and at 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1.0, 0.0, 2.0]));
    /// let y = x.leaky_relu(0.25);
    /// assert_eq!(y.value()?.to_vec(), [-0.25, 0.0, 2.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.25, 0.25, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn leaky_relu(self, alpha: f64) -> Var<'t, T> {
        self.elementwise(LeakyRelu { alpha })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary};
    let inputs = || unary(-3.0, 3.0).avoid(&[0.0]);
    vec![
        sample!("leaky_relu", inputs(), |x| x[0].leaky_relu(0.01)),
        sample!("leaky_relu steep", inputs(), |x| x[0].leaky_relu(1.5)),
    ]
}
