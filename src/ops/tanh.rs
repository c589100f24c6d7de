//! The hyperbolic tangent.

use super::{Elementwise, compiled};
use crate::number::{Number, Real};
use crate::tape::Var;

/// tanh x.
#[derive(Clone, Copy, Debug)]
pub struct Tanh;

impl Elementwise for Tanh {
    const NAME: &'static str = "tanh";

    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        x.tanh()
    }

    /// sech² x = 4 σ(2x) σ(−2x): `1 − y²` cancels once |y| rounds to 1, and `1/cosh²` is 0·∞ one order up.
    #[inline(always)]
    fn df<N: Number>(self, x: N, _y: N) -> N {
        let t = x + x;
        t.sigmoid() * (-t).sigmoid() * x.lit(4.0)
    }

    /// −2 tanh x sech² x: the derivatives of the factors above cancel near 0.
    #[inline(always)]
    fn d2f<N: Number>(self, x: N, y: N) -> N {
        self.df(x, y) * y * x.lit(-2.0)
    }

    compiled!(Tanh);
}

impl<'t, T: Real> Var<'t, T> {
    /// The hyperbolic tangent, `(eˣ − e⁻ˣ)/(eˣ + e⁻ˣ)`, element by element.
    ///
    /// # Gradient
    ///
    /// `sech² x`, with relative accuracy in both tails.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 20.0]));
    /// let y = x.tanh();
    /// assert_eq!(y.value()?.to_vec(), [0.0, 1.0]);
    /// let g = y.sum().backward()?.wrt(x)?.clone();
    /// assert_eq!(g[[0]], 1.0);
    /// assert!((g[[1]] / (4.0 * (-40f64).exp()) - 1.0).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn tanh(self) -> Var<'t, T> {
        self.elementwise(Tanh)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary};
    vec![sample!("tanh", unary(-3.0, 3.0), |x| x[0].tanh())]
}
