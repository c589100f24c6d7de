//! The largest of several linear pieces.

use crate::error::argument;
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::Var;

/// The largest of each run of `pieces` neighbours along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maxout {
    /// The axis, of length k·pieces.
    pub axis: isize,
    /// How many neighbours compete.
    pub pieces: usize,
}

impl<'t, T: Real> Var<'t, T> {
    /// The largest of each run of `pieces` neighbours along an axis, which becomes that many times shorter; NaN if one
    /// of them is.
    ///
    /// # Gradient
    ///
    /// 1 to the largest; ties share it evenly. NaN to a run that has a NaN.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`Argument`](crate::ErrorKind::Argument) unless `pieces` is at least 1 and
    /// divides the axis' length.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 3.0, 5.0, 5.0]));
    /// let y = x.maxout(-1, 2);
    /// assert_eq!(y.value()?.to_vec(), [3.0, 5.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.0, 1.0, 0.5, 0.5]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn maxout(self, axis: isize, pieces: usize) -> Var<'t, T> {
        self.tape().composed("maxout", || {
            let mut dims = self.try_shape()?.to_vec();
            let axis = resolve_axis(axis, &dims)?;
            if dims[axis].checked_rem(pieces) != Some(0) {
                return argument("pieces", pieces, format!("a divisor of {}", dims[axis]));
            }
            dims[axis] /= pieces;
            dims.insert(axis + 1, pieces);
            Ok(self.reshape(dims).max_axes(axis as isize + 1))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let inputs = || shapes(&[&[&[2, 6, 4]], &[&[2, 2, 2]], &[&[4, 0, 2]]], -2.0, 2.0).distinct();
    vec![
        sample!("maxout", inputs(), |x| x[0].maxout(-1, 2).square()),
        sample!("maxout over middle", inputs(), |x| x[0].maxout(1, 2)),
        sample!("maxout over first", inputs(), |x| x[0].maxout(0, 1)),
        wrong!("maxout", &[&[2, 3]], |x| x[0].maxout(1, 2), "pieces is 2, wanted a divisor of 3"),
        wrong!("maxout", &[&[2, 3]], |x| x[0].maxout(1, 0), "pieces is 0, wanted a divisor of 3"),
        wrong!("maxout", &[&[2, 3]], |x| x[0].maxout(2, 1), "axis 2 is out of range for shape [2, 3]"),
    ]
}
