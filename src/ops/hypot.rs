//! The length of a plane vector.

use super::compiled2;
use super::elementwise::Elementwise2;
use crate::number::{Number, Real};
use crate::tape::Var;

/// √(a² + b²).
#[derive(Clone, Copy, Debug)]
pub struct Hypot;

impl Elementwise2 for Hypot {
    const NAME: &'static str = "hypot";

    #[inline(always)]
    fn f<N: Number>(self, a: N, b: N) -> N {
        a.hypot(b)
    }

    /// The direction, and 0 at the origin, where there is none; its own derivative is 0 there, too.
    #[inline(always)]
    fn df<N: Number>(self, a: N, b: N, y: N) -> (N, N) {
        let (zero, origin) = (y.lit(0.0), y.equal(y.lit(0.0)));
        let y = N::select(origin, y.lit(1.0), y);
        (N::select(origin, zero, a / y), N::select(origin, zero, b / y))
    }

    compiled2!(Hypot);
}

impl<'t, T: Real> Var<'t, T> {
    /// `√(a² + b²)`, element by element, broadcast, without overflow in between.
    ///
    /// # Gradient
    ///
    /// `a/√(a² + b²)` and `b/√(a² + b²)`; 0 and 0 at the origin.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(&Tensor::from([3.0, 0.0])), tape.var(&Tensor::from([4.0, 0.0])));
    /// let y = a.hypot(b);
    /// assert_eq!(y.value()?.to_vec(), [5.0, 0.0]);
    /// assert_eq!(y.sum().backward()?.wrt(a)?.to_vec(), [0.6, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn hypot(self, other: Var<'t, T>) -> Var<'t, T> {
        self.elementwise2(other, Hypot)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, sample};
    vec![sample!("hypot", binary((0.5, 2.0), (-2.0, -0.5)), |x| x[0].hypot(x[1]))]
}
