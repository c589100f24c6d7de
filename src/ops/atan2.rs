//! The angle of a plane vector.

use super::compiled2;
use super::elementwise::Elementwise2;
use crate::number::{Number, Real};
use crate::tape::Var;

/// The angle of the point (b, a).
#[derive(Clone, Copy, Debug)]
pub struct Atan2;

impl Elementwise2 for Atan2 {
    const NAME: &'static str = "atan2";

    #[inline(always)]
    fn f<N: Number>(self, a: N, b: N) -> N {
        a.atan2(b)
    }

    /// b/h² and −a/h² with h the length: divided twice, because h² overflows or vanishes before the quotient does.
    #[inline(always)]
    fn df<N: Number>(self, a: N, b: N, _y: N) -> (N, N) {
        let h = a.hypot(b);
        let (zero, origin) = (h.lit(0.0), h.equal(h.lit(0.0)));
        let h = N::select(origin, h.lit(1.0), h);
        (N::select(origin, zero, b / h / h), N::select(origin, zero, -(a / h / h)))
    }

    compiled2!(Atan2);
}

impl<'t, T: Real> Var<'t, T> {
    /// The angle in (−π, π] of the point `(x, y)`, called as `y.atan2(x)`, element by element, broadcast.
    ///
    /// # Gradient
    ///
    /// `x/(x² + y²)` by y and `−y/(x² + y²)` by x; 0 and 0 at the origin.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (y, x) = (tape.var(&Tensor::scalar(1.0)), tape.var(&Tensor::scalar(-1.0)));
    /// let angle = y.atan2(x);
    /// assert_eq!(angle.item()?, 0.75 * std::f64::consts::PI);
    /// assert!((angle.backward()?.wrt(y)?.item()? + 0.5).abs() < 1e-15);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn atan2(self, x: Var<'t, T>) -> Var<'t, T> {
        self.elementwise2(x, Atan2)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, sample};
    vec![
        sample!("atan2", binary((0.5, 2.0), (-2.0, 2.0)), |x| x[0].atan2(x[1])),
        sample!("atan2 below", binary((-2.0, -0.5), (-2.0, 2.0)), |x| x[0].atan2(x[1])),
    ]
}
