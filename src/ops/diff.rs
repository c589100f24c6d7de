//! Differences of neighbours.

use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::Var;

impl<'t, T: Real> Var<'t, T> {
    /// The n-th differences along an axis: n times `yᵢ = xᵢ₊₁ − xᵢ`, shorter by one each time, until nothing is left.
    ///
    /// To give the ends values of their own, put them on with [`concat`](crate::Tape::concat) before.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 4.0, 9.0, 16.0]));
    /// assert_eq!(x.diff(1, 0).value()?.to_vec(), [3.0, 5.0, 7.0]);
    /// assert_eq!(x.diff(2, 0).value()?.to_vec(), [2.0, 2.0]);
    /// assert_eq!(x.diff(2, 0).sum().backward()?.wrt(x)?.to_vec(), [1.0, -1.0, -1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn diff(self, n: usize, axis: isize) -> Var<'t, T> {
        self.tape().composed("diff", || {
            let shape = self.try_shape()?;
            let length = shape[resolve_axis(axis, &shape)?];
            Ok((0..n.min(length)).fold(self, |x, _| x.slice(axis, 1..) - x.slice(axis, ..-1)))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, wrong};
    vec![
        sample!("diff", shapes(&[&[&[7]], &[&[1]], &[&[0]], &[&[2, 3]]], -2.0, 2.0), |x| x[0]
            .diff(1, 0)
            .square()),
        sample!("diff of none", rank3(-2.0, 2.0), |x| x[0].diff(0, 1).square()),
        sample!("diff of two", rank3(-2.0, 2.0), |x| x[0].diff(2, 1).square()),
        sample!("diff of more than there are", rank3(-2.0, 2.0), |x| x[0].diff(9, -1)),
        wrong!("diff", &[&[2, 3]], |x| x[0].diff(1, 2), "axis 2 is out of range for shape [2, 3]"),
    ]
}
