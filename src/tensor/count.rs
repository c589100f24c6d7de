//! What holds of some elements, of all, and of how many.

use super::{Tensor, reduce_once};
use crate::error::{Error, Result};
use crate::number::Element;
use crate::shape::Axes;
use std::panic::Location;

/// Folds whether elements are other than 0 (or false) over axes.
fn folded<E: Element, U: Element>(
    x: &Tensor<E>,
    axes: &Axes,
    start: U,
    step: impl Fn(&mut U, bool),
) -> Result<Tensor<U>> {
    let axes = axes.resolve(x.shape())?;
    reduce_once(x, &axes, false, |x, [outer, n, inner], out| {
        out.fill(start);
        for (o, out) in (0..outer).zip(out.chunks_exact_mut(inner.max(1))) {
            for x in x[o * n * inner..][..n * inner].chunks_exact(inner.max(1)) {
                out.iter_mut().zip(x).for_each(|(out, &x)| step(out, x != E::default()));
            }
        }
    })
}

impl<E: Element> Tensor<E> {
    /// How many elements over some axes, or over [all](Axes::ALL), are not 0 (or false). A NaN is not 0.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice),
    /// [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
    ///
    /// ```
    /// use retrograde::{Axes, Tensor};
    ///
    /// let x = Tensor::from([[1, 0, 2], [0, 0, 3]]);
    /// assert_eq!(x.count_nonzero(Axes::ALL)?.item()?, 3);
    /// assert_eq!(x.count_nonzero(0)?.to_vec(), [1, 0, 2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn count_nonzero(&self, axes: impl Into<Axes>) -> Result<Tensor<i64>> {
        let line = Location::caller();
        let found = folded(self, &axes.into(), 0, |count, is| *count += i64::from(is));
        found.map_err(|error: Error| error.at("count_nonzero", line))
    }

    /// Whether some element over some axes, or over [all](Axes::ALL), is not 0 (or false): false of none.
    ///
    /// # Errors
    ///
    /// As [`count_nonzero`](Tensor::count_nonzero).
    ///
    /// ```
    /// use retrograde::{Axes, Tensor};
    ///
    /// let x = Tensor::from([[true, false], [false, false]]);
    /// assert_eq!(x.any(1)?.to_vec(), [true, false]);
    /// assert!(x.any(Axes::ALL)?.item()?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn any(&self, axes: impl Into<Axes>) -> Result<Tensor<bool>> {
        let line = Location::caller();
        let found = folded(self, &axes.into(), false, |any, is| *any |= is);
        found.map_err(|error: Error| error.at("any", line))
    }

    /// Whether no element over some axes, or over [all](Axes::ALL), is 0 (or false): true of none.
    ///
    /// # Errors
    ///
    /// As [`count_nonzero`](Tensor::count_nonzero).
    ///
    /// ```
    /// use retrograde::{Axes, Tensor};
    ///
    /// let x = Tensor::from([[true, false], [true, true]]);
    /// assert_eq!(x.all(1)?.to_vec(), [false, true]);
    /// assert!(!x.all(Axes::ALL)?.item()?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn all(&self, axes: impl Into<Axes>) -> Result<Tensor<bool>> {
        let line = Location::caller();
        let found = folded(self, &axes.into(), true, |all, is| *all &= is);
        found.map_err(|error: Error| error.at("all", line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_axes_of_any_shape() {
        let x = Tensor::from_fn([2, 3, 4], |i| if (i[0] + 2 * i[1] + i[2]) % 3 == 0 { 1.0 } else { 0.0 })
            .unwrap();
        for axes in [&[0isize][..], &[1], &[2], &[0, 2], &[0, 1, 2], &[]] {
            let wanted = x.sum_axes(Axes::from(axes)).unwrap();
            let lengths: f64 = axes.iter().map(|&a| x.shape()[a as usize] as f64).product();
            let count = x.count_nonzero(axes).unwrap();
            assert_eq!(count.shape(), wanted.shape());
            assert!(count.iter().zip(&wanted).all(|(a, b)| a as f64 == b), "{axes:?}");
            assert_eq!(x.any(axes).unwrap(), wanted.map(|n| n > 0.0).unwrap());
            assert_eq!(x.all(axes).unwrap(), wanted.map(|n| n == lengths).unwrap());
        }
        let none = Tensor::<f64>::zeros([0, 2]).unwrap();
        assert_eq!(none.count_nonzero(0).unwrap().to_vec(), [0, 0]);
        assert_eq!(none.any(0).unwrap().to_vec(), [false, false]);
        assert_eq!(none.all(0).unwrap().to_vec(), [true, true]);
        assert_eq!(none.all(1).unwrap().shape(), [0]);
        assert!(Tensor::from([f64::NAN]).all(0).unwrap().item().unwrap());
        let error = none.any(2).unwrap_err();
        assert_eq!((error.operation(), error.location().is_some()), (Some("any"), true));
        assert_eq!(none.all(2).unwrap_err().operation(), Some("all"));
        assert_eq!(none.count_nonzero(2).unwrap_err().operation(), Some("count_nonzero"));
    }
}
