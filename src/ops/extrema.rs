//! The smaller and the larger of two.

use super::compiled2;
use super::elementwise::Elementwise2;
use crate::number::{Number, Real};
use crate::tape::Var;

/// The smaller of two numbers.
#[derive(Clone, Copy, Debug)]
pub struct Minimum;

/// The larger of two numbers.
#[derive(Clone, Copy, Debug)]
pub struct Maximum;

/// The derivatives where `a` is taken, is not, or ties: 1 and 0, 0 and 1, ½ each. NaN where the value is NaN.
#[inline(always)]
fn shares<N: Number>(taken: N::Mask, tie: N::Mask, y: N) -> (N, N) {
    let (zero, half, one) = (y.lit(0.0), y.lit(0.5), y.lit(1.0));
    let share = |mask| N::select(y.is_nan(), y, N::select(tie, half, N::select(mask, one, zero)));
    (share(taken), share(!taken))
}

impl Elementwise2 for Minimum {
    const NAME: &'static str = "minimum";
    #[inline(always)]
    fn f<N: Number>(self, a: N, b: N) -> N {
        a.minimum(b)
    }
    #[inline(always)]
    fn df<N: Number>(self, a: N, b: N, y: N) -> (N, N) {
        shares(a.less(b), a.equal(b), y)
    }
    compiled2!(Minimum);
}

impl Elementwise2 for Maximum {
    const NAME: &'static str = "maximum";
    #[inline(always)]
    fn f<N: Number>(self, a: N, b: N) -> N {
        a.maximum(b)
    }
    #[inline(always)]
    fn df<N: Number>(self, a: N, b: N, y: N) -> (N, N) {
        shares(a.greater(b), a.equal(b), y)
    }
    compiled2!(Maximum);
}

impl<'t, T: Real> Var<'t, T> {
    /// The smaller of two, element by element, broadcast; NaN if either is.
    ///
    /// # Gradient
    ///
    /// 1 to the smaller, ½ to each at a tie; NaN where the value is.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(&Tensor::from([1.0, 2.0])), tape.var(&Tensor::from([1.0, 5.0])));
    /// let grads = a.minimum(b).sum().backward()?;
    /// assert_eq!(grads.wrt(a)?.to_vec(), [0.5, 1.0]);
    /// assert_eq!(grads.wrt(b)?.to_vec(), [0.5, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn minimum(self, other: Var<'t, T>) -> Var<'t, T> {
        self.elementwise2(other, Minimum)
    }

    /// The larger of two, element by element, broadcast; NaN if either is.
    ///
    /// # Gradient
    ///
    /// 1 to the larger, ½ to each at a tie; NaN where the value is.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, -1.0]));
    /// assert_eq!(x.maximum(x).sum().backward()?.wrt(x)?.to_vec(), [1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn maximum(self, other: Var<'t, T>) -> Var<'t, T> {
        self.elementwise2(other, Maximum)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, sample};
    vec![
        // Ranges that do not touch keep both branches clear of the kink.
        sample!("minimum", binary((-2.0, -0.1), (0.1, 2.0)), |x| x[0].minimum(x[1])),
        sample!("maximum", binary((-2.0, -0.1), (0.1, 2.0)), |x| x[0].maximum(x[1])),
        sample!("maximum swapped", binary((0.1, 2.0), (-2.0, -0.1)), |x| x[0].maximum(x[1])),
    ]
}
