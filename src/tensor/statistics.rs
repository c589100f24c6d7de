//! Reductions of plain tensors, without a tape.

use super::{Tensor, dropped, reduce};
use crate::error::{Error, ErrorKind, Result};
use crate::kernels::reduce as kernel;
use crate::number::{Element, Real};
use crate::shape::{Axes, Shape, resolve_axis};
use smallvec::SmallVec;
use std::panic::Location;

/// Which end of the order is sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extreme {
    Largest,
    Smallest,
}

/// One pass over `axes` (ascending), however they lie: they reach the kernel as the middle of three.
pub(crate) fn reduce_once<E: Element, U: Element>(
    x: &Tensor<E>,
    axes: &[usize],
    keepdim: bool,
    kernel: impl FnOnce(&[E], [usize; 3], &mut [U]),
) -> Result<Tensor<U>> {
    let shape = x.shape();
    let kept: SmallVec<[usize; 4]> = (0..shape.len()).filter(|axis| !axes.contains(axis)).collect();
    let product = |axes: &[usize]| axes.iter().map(|&axis| shape[axis]).product::<usize>();
    let n = product(axes);
    let (x, outer, inner) = if axes.windows(2).all(|pair| pair[0] + 1 == pair[1]) {
        let before = kept.partition_point(|&axis| Some(&axis) < axes.first());
        let before = if axes.is_empty() { kept.len() } else { before };
        (x.contiguous()?, product(&kept[..before]), product(&kept[before..]))
    } else {
        let order: SmallVec<[isize; 4]> = kept.iter().chain(axes).map(|&axis| axis as isize).collect();
        (x.permute(order)?.contiguous()?, product(&kept), 1)
    };
    let out = if keepdim {
        let lengths = shape.iter().enumerate().map(|(axis, &n)| if axes.contains(&axis) { 1 } else { n });
        Shape::new(lengths.collect::<SmallVec<[usize; 4]>>())?
    } else {
        dropped(shape, axes)?
    };
    let data = x.as_slice().expect("made contiguous above");
    Tensor::build(out, |out| kernel(data, [outer, n, inner], out))
}

/// Refuses to reduce over an axis without elements.
pub(crate) fn not_empty(shape: &[usize], axes: &[usize]) -> Result<()> {
    match axes.iter().find(|&&axis| shape[axis] == 0) {
        Some(&axis) => Err(ErrorKind::EmptyReduction { axis, shape: shape.to_vec() }.into()),
        None => Ok(()),
    }
}

impl<T: Real> Tensor<T> {
    /// The extreme element over `axes` (ascending).
    pub(crate) fn extreme(&self, which: Extreme, axes: &[usize], keepdim: bool) -> Result<Tensor<T>> {
        not_empty(self.shape(), axes)?;
        match which {
            Extreme::Largest => reduce(self, axes, keepdim, kernel::max, kernel::max),
            Extreme::Smallest => reduce(self, axes, keepdim, kernel::min, kernel::min),
        }
    }

    /// Where the extreme element over `axes` (ascending) is, counted through them in row-major order.
    pub(crate) fn place(&self, which: Extreme, axes: &[usize], keepdim: bool) -> Result<Tensor<i64>> {
        not_empty(self.shape(), axes)?;
        reduce_once(self, axes, keepdim, |x, [outer, n, inner], out| match which {
            Extreme::Largest => kernel::argmax(x, outer, n, inner, out),
            Extreme::Smallest => kernel::argmin(x, outer, n, inner, out),
        })
    }

    fn sum_over(&self, axes: &Axes, keepdim: bool) -> Result<Tensor<T>> {
        reduce(self, &axes.resolve(self.shape())?, keepdim, kernel::sum, kernel::sum)
    }

    fn mean_over(&self, axes: &Axes, keepdim: bool) -> Result<Tensor<T>> {
        let count: usize = axes.resolve(self.shape())?.iter().map(|&axis| self.shape()[axis]).product();
        self.sum_over(axes, keepdim)?.try_div(&Tensor::scalar(T::from_f64(count as f64)))
    }
}

/// The three forms of a reduction.
macro_rules! reductions {
    ($(
        $(#[$doc:meta])*
        $all:ident $some:ident $keep:ident ($what:literal) fails: $fails:literal;
        |$x:ident, $axes:ident, $keepdim:ident| $body:expr;
    )*) => {
        impl<T: Real> Tensor<T> {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $all(&self) -> Result<Tensor<T>> {
                let ($x, $axes, $keepdim, line) = (self, Axes::ALL, false, Location::caller());
                $body.map_err(|error: Error| error.at(stringify!($all), line))
            }

            #[doc = concat!("The ", $what, " over some axes, which the result does not have. See [`", stringify!($all), "`](Self::", stringify!($all), ").")]
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Axis`], [`ErrorKind::AxisTwice`], [`ErrorKind::OutOfMemory`]
            #[doc = $fails]
            #[track_caller]
            pub fn $some(&self, axes: impl Into<Axes>) -> Result<Tensor<T>> {
                let ($x, $axes, $keepdim, line) = (self, axes.into(), false, Location::caller());
                $body.map_err(|error: Error| error.at(stringify!($all), line))
            }

            #[doc = concat!("The ", $what, " over some axes, which the result has with length 1. See [`", stringify!($all), "`](Self::", stringify!($all), ").")]
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Axis`], [`ErrorKind::AxisTwice`], [`ErrorKind::OutOfMemory`]
            #[doc = $fails]
            #[track_caller]
            pub fn $keep(&self, axes: impl Into<Axes>) -> Result<Tensor<T>> {
                let ($x, $axes, $keepdim, line) = (self, axes.into(), true, Location::caller());
                $body.map_err(|error: Error| error.at(stringify!($all), line))
            }
        )*}
    };
}

reductions! {
    /// The sum of all elements; 0 of none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfMemory`], if a copy is needed to bring the elements into order.
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum()?.item()?, 10.0);
    /// assert_eq!(x.sum_axes(0)?.to_vec(), [4.0, 6.0]);
    /// assert_eq!(x.sum_keepdim(-1)?.shape(), [2, 1]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    sum sum_axes sum_keepdim ("sum") fails: "";
    |x, axes, keepdim| x.sum_over(&axes, keepdim);

    /// The mean of all elements; NaN of none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfMemory`], if a copy is needed to bring the elements into order.
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 6.0]]);
    /// assert_eq!(x.mean()?.item()?, 3.0);
    /// assert_eq!(x.mean_axes(0)?.to_vec(), [2.0, 4.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    mean mean_axes mean_keepdim ("mean") fails: "";
    |x, axes, keepdim| x.mean_over(&axes, keepdim);

    /// The largest element; NaN if any is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::EmptyReduction`] if there are no elements; [`ErrorKind::OutOfMemory`].
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let x = Tensor::from([[1.0, 5.0], [3.0, 4.0]]);
    /// assert_eq!(x.max()?.item()?, 5.0);
    /// assert_eq!(x.max_axes(0)?.to_vec(), [3.0, 5.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    max max_axes max_keepdim ("maximum") fails: "; [`ErrorKind::EmptyReduction`] over an axis of length 0.";
    |x, axes, keepdim| axes.resolve(x.shape()).and_then(|axes| x.extreme(Extreme::Largest, &axes, keepdim));

    /// The smallest element; NaN if any is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::EmptyReduction`] if there are no elements; [`ErrorKind::OutOfMemory`].
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let x = Tensor::from([[1.0, 5.0], [3.0, 4.0]]);
    /// assert_eq!(x.min()?.item()?, 1.0);
    /// assert_eq!(x.min_axes(1)?.to_vec(), [1.0, 3.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    min min_axes min_keepdim ("minimum") fails: "; [`ErrorKind::EmptyReduction`] over an axis of length 0.";
    |x, axes, keepdim| axes.resolve(x.shape()).and_then(|axes| x.extreme(Extreme::Smallest, &axes, keepdim));
}

/// The forms of a search: along one axis, along one that stays at length 1, and through everything.
macro_rules! searches {
    ($($(#[$doc:meta])* $one:ident $keep:ident $all:ident $which:ident $what:literal;)*) => {
        impl<T: Real> Tensor<T> {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $one(&self, axis: isize) -> Result<Tensor<i64>> {
                let line = Location::caller();
                let axis = resolve_axis(axis, self.shape());
                let found = axis.and_then(|axis| self.place(Extreme::$which, &[axis], false));
                found.map_err(|error| error.at(stringify!($one), line))
            }

            #[doc = concat!("Where the ", $what, " element along an axis is; the axis stays, with length 1. See [`", stringify!($one), "`](Self::", stringify!($one), ").")]
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Axis`]; [`ErrorKind::EmptyReduction`] if the axis has length 0.
            #[track_caller]
            pub fn $keep(&self, axis: isize) -> Result<Tensor<i64>> {
                let line = Location::caller();
                let axis = resolve_axis(axis, self.shape());
                let found = axis.and_then(|axis| self.place(Extreme::$which, &[axis], true));
                found.map_err(|error| error.at(stringify!($one), line))
            }

            #[doc = concat!("Where the ", $what, " of all elements is, counted in row-major order: one number. See [`", stringify!($one), "`](Self::", stringify!($one), ").")]
            ///
            /// # Errors
            ///
            /// [`ErrorKind::EmptyReduction`] if there are no elements.
            #[track_caller]
            pub fn $all(&self) -> Result<Tensor<i64>> {
                let line = Location::caller();
                let axes: SmallVec<[usize; 4]> = (0..self.rank()).collect();
                let found = self.place(Extreme::$which, &axes, false);
                found.map_err(|error| error.at(stringify!($one), line))
            }
        )*}
    };
}

searches! {
    /// Where the largest element along an axis is: the first among equals, the first NaN if there is one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Axis`]; [`ErrorKind::EmptyReduction`] if the axis has length 0.
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let x = Tensor::from([[1.0, 5.0, 5.0], [7.0, 4.0, f64::NAN]]);
    /// assert_eq!(x.argmax(1)?.to_vec(), [1, 2]);
    /// assert_eq!(x.argmax_keepdim(0)?.shape(), [1, 3]);
    /// assert_eq!(x.argmax_all()?.item()?, 5);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    argmax argmax_keepdim argmax_all Largest "largest";

    /// Where the smallest element along an axis is: the first among equals, the first NaN if there is one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Axis`]; [`ErrorKind::EmptyReduction`] if the axis has length 0.
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let x = Tensor::from([[5.0, 1.0, 1.0], [7.0, 4.0, f64::NAN]]);
    /// assert_eq!(x.argmin(1)?.to_vec(), [1, 2]);
    /// assert_eq!(x.argmin(0)?.to_vec(), [0, 0, 1]);
    /// assert_eq!(x.argmin_all()?.item()?, 5);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    argmin argmin_keepdim argmin_all Smallest "smallest";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_that_do_not_touch_are_one_pass() {
        let x = Tensor::from_fn([2, 3, 4], |i| (i[0] * 100 + i[1] * 10 + i[2]) as f64).unwrap();
        let at = |axes: &[usize], keepdim| x.place(Extreme::Largest, axes, keepdim).unwrap();
        assert_eq!(at(&[0, 2], false).to_vec(), [7, 7, 7]);
        assert_eq!(at(&[0, 2], true).shape(), [1, 3, 1]);
        assert_eq!(at(&[0, 1], false).to_vec(), [5; 4]);
        assert_eq!(at(&[1, 2], false).to_vec(), [11; 2]);
        assert_eq!(at(&[], false), Tensor::full([2, 3, 4], 0).unwrap());
    }

    #[test]
    fn nothing_has_no_extreme() {
        let x = Tensor::<f64>::zeros([2, 0]).unwrap();
        let wanted = ErrorKind::EmptyReduction { axis: 1, shape: vec![2, 0] };
        for error in [x.max().unwrap_err(), x.min_axes(1).unwrap_err()] {
            assert_eq!(*error.kind(), wanted);
        }
        for error in
            [x.argmax(1).unwrap_err(), x.argmin_all().unwrap_err(), x.argmin_keepdim(-1).unwrap_err()]
        {
            assert_eq!(*error.kind(), wanted);
        }
        assert_eq!(x.max_axes(0).unwrap().shape(), [0]);
        assert_eq!(x.argmax(0).unwrap().shape(), [0]);
        assert_eq!(x.sum().unwrap().item().unwrap(), 0.0);
        assert!(x.mean().unwrap().item().unwrap().is_nan());
    }

    #[test]
    fn an_error_names_the_method_and_the_line() {
        let error = Tensor::from([1.0, 2.0]).argmax(1).unwrap_err();
        assert_eq!(error.operation(), Some("argmax"));
        assert!(error.location().unwrap().file().ends_with("statistics.rs"));
    }
}
