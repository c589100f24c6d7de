//! Running extremes.

use crate::error::Result;
use crate::kernels::scan;
use crate::number::Real;
use crate::tape::Var;
use crate::tensor::Tensor;
use std::panic::Location;

impl<'t, T: Real> Var<'t, T> {
    /// The running largest elements along an axis and their places: among equals the last one's; from the first NaN
    /// on NaN, at the place of the last one.
    ///
    /// # Gradient
    ///
    /// To the element at the place.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; [`Axis`](crate::ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 3.0, 3.0, 2.0, 5.0]));
    /// let (y, places) = x.cummax(0)?;
    /// assert_eq!(y.value()?.to_vec(), [1.0, 3.0, 3.0, 3.0, 5.0]);
    /// assert_eq!(places.to_vec(), [0, 1, 2, 2, 4]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.0, 1.0, 2.0, 0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cummax(self, axis: isize) -> Result<(Var<'t, T>, Tensor<i64>)> {
        let line = Location::caller();
        let found = self.value()?.running_extremes(axis, scan::cummax);
        let (_, places) = found.map_err(|error| error.at("cummax", line))?;
        Ok((self.gather(axis, &places), places))
    }

    /// The running smallest elements along an axis and their places: among equals the last one's; from the first NaN
    /// on NaN, at the place of the last one.
    ///
    /// # Gradient
    ///
    /// To the element at the place.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; [`Axis`](crate::ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3.0, 1.0, 1.0, 2.0]));
    /// let (y, places) = x.cummin(0)?;
    /// assert_eq!(y.value()?.to_vec(), [3.0, 1.0, 1.0, 1.0]);
    /// assert_eq!(places.to_vec(), [0, 1, 2, 2]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.0, 1.0, 2.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn cummin(self, axis: isize) -> Result<(Var<'t, T>, Tensor<i64>)> {
        let line = Location::caller();
        let found = self.value()?.running_extremes(axis, scan::cummin);
        let (_, places) = found.map_err(|error| error.at("cummin", line))?;
        Ok((self.gather(axis, &places), places))
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::values;
    use crate::conformance::{rank3, sample, shapes, wrong};
    let vectors =
        || shapes(&[&[&[1]], &[&[7]], &[&[17]], &[&[0]], &[&[2, 0]], &[&[0, 3]]], -3.0, 3.0).distinct();
    let three = || rank3(-3.0, 3.0).distinct();
    vec![
        sample!("cummax", vectors(), |x| values(x[0].cummax(0), x[0]).square()),
        sample!("cummax over middle", three(), |x| values(x[0].cummax(1), x[0])),
        sample!("cummin", vectors(), |x| values(x[0].cummin(0), x[0])),
        sample!("cummin over last", three(), |x| values(x[0].cummin(-1), x[0]).square()),
        wrong!(
            "cummax",
            &[&[2, 3]],
            |x| values(x[0].cummax(2), x[0]),
            "axis 2 is out of range for shape [2, 3]"
        ),
        wrong!(
            "cummin",
            &[&[2, 3]],
            |x| values(x[0].cummin(-3), x[0]),
            "axis -3 is out of range for shape [2, 3]"
        ),
    ]
}
