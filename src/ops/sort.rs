//! Sorted values and order statistics, with the places they come from.

use crate::error::Result;
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::Var;
use crate::tensor::{Extreme, Order, Tensor};
use std::panic::Location;

/// Where the extreme element along an axis is; the axis stays, with length 1.
fn extreme<T: Real>(x: &Tensor<T>, which: Extreme, axis: isize) -> Result<Tensor<i64>> {
    x.place(which, &[resolve_axis(axis, x.shape())?], true)
}

impl<'t, T: Real> Var<'t, T> {
    /// The elements at places that a search through the value finds.
    #[track_caller]
    pub(super) fn found(
        self,
        name: &'static str,
        axis: isize,
        search: impl FnOnce(&Tensor<T>) -> Result<Tensor<i64>>,
    ) -> Result<(Var<'t, T>, Tensor<i64>)> {
        let line = Location::caller();
        let places = search(&self.value()?).map_err(|error| error.at(name, line))?;
        Ok((self.gather(axis, &places), places))
    }

    /// The same for one place, without its axis.
    #[track_caller]
    pub(super) fn found_one(
        self,
        name: &'static str,
        axis: isize,
        search: impl FnOnce(&Tensor<T>) -> Result<Tensor<i64>>,
    ) -> Result<(Var<'t, T>, Tensor<i64>)> {
        let (values, places) = self.found(name, axis, search)?;
        Ok((values.squeeze(axis), places.squeeze(axis)?))
    }

    /// The elements along an axis in order, and the places they come from. Stable: equal ones stay in their order.
    /// NaNs count as the largest: last in ascending order, first in descending order.
    ///
    /// # Gradient
    ///
    /// To the places they come from.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; [`Axis`](crate::ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Order, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([2.0, 3.0, 1.0, 2.0]));
    /// let (y, places) = x.sort(0, Order::Ascending)?;
    /// assert_eq!(y.value()?.to_vec(), [1.0, 2.0, 2.0, 3.0]);
    /// assert_eq!(places.to_vec(), [2, 0, 3, 1]);
    /// let first = y.slice(0, ..2).sum();
    /// assert_eq!(first.backward()?.wrt(x)?.to_vec(), [1.0, 0.0, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn sort(self, axis: isize, order: Order) -> Result<(Var<'t, T>, Tensor<i64>)> {
        self.found("sort", axis, |x| x.first_places(axis, None, order))
    }

    /// The elements along the first axis in ascending order. See [`sort`](Var::sort).
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis) for rank 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[2.0, 1.0], [1.0, 3.0]]));
    /// assert_eq!(x.msort().value()?.to_vec(), [1.0, 1.0, 2.0, 3.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn msort(self) -> Var<'t, T> {
        self.tape().composed("msort", || {
            let places = self.value()?.first_places(0, None, Order::Ascending)?;
            Ok(self.gather(0, &places))
        })
    }

    /// The k largest (descending) or smallest (ascending) elements along an axis, in that order, and the places they
    /// come from: among equals the first ones. NaNs count as the largest.
    ///
    /// # Gradient
    ///
    /// To the places they come from.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; [`Axis`](crate::ErrorKind::Axis);
    /// [`Argument`](crate::ErrorKind::Argument) if there are fewer than k.
    ///
    /// ```
    /// use retrograde::{Order, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([2.0, 3.0, 1.0, 5.0]));
    /// let (y, places) = x.topk(2, -1, Order::Descending)?;
    /// assert_eq!(y.value()?.to_vec(), [5.0, 3.0]);
    /// assert_eq!(places.to_vec(), [3, 1]);
    /// assert_eq!(x.topk(1, 0, Order::Ascending)?.1.to_vec(), [2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn topk(self, k: usize, axis: isize, order: Order) -> Result<(Var<'t, T>, Tensor<i64>)> {
        self.found("topk", axis, |x| x.first_places(axis, Some(k), order))
    }

    /// The k-th smallest element along an axis, counted from 1, and its place: among equals by their order. NaNs count
    /// as the largest. The axis is gone.
    ///
    /// # Gradient
    ///
    /// To the place.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; [`Axis`](crate::ErrorKind::Axis);
    /// [`Argument`](crate::ErrorKind::Argument) for k of 0 or above the length.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3.0, 1.0, 2.0, 2.0]));
    /// let (y, place) = x.kthvalue(3, 0)?;
    /// assert_eq!((y.item()?, place.item()?), (2.0, 3));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn kthvalue(self, k: usize, axis: isize) -> Result<(Var<'t, T>, Tensor<i64>)> {
        self.found_one("kthvalue", axis, |x| x.kth_place(axis, k))
    }

    /// The most frequent element along an axis, the smallest of them, and its last place. NaNs count as equal, and
    /// as the largest. The axis is gone.
    ///
    /// # Gradient
    ///
    /// To the place.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; [`Axis`](crate::ErrorKind::Axis);
    /// [`EmptyReduction`](crate::ErrorKind::EmptyReduction) over an axis of length 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3.0, 1.0, 2.0, 2.0, 3.0]));
    /// let (y, place) = x.mode(0)?;
    /// assert_eq!((y.item()?, place.item()?), (2.0, 3));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn mode(self, axis: isize) -> Result<(Var<'t, T>, Tensor<i64>)> {
        self.found_one("mode", axis, |x| x.mode_place(axis))
    }

    /// The largest element along an axis and its place: the first among equals, the first NaN if there is one. The
    /// axis is gone.
    ///
    /// # Gradient
    ///
    /// All to the one place; [`max_axes`](Var::max_axes) shares among equals.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; [`Axis`](crate::ErrorKind::Axis);
    /// [`EmptyReduction`](crate::ErrorKind::EmptyReduction) over an axis of length 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 7.0, 7.0], [5.0, 2.0, 3.0]]));
    /// let (y, places) = x.max_with_index(-1)?;
    /// assert_eq!(y.value()?.to_vec(), [7.0, 5.0]);
    /// assert_eq!(places.to_vec(), [1, 0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn max_with_index(self, axis: isize) -> Result<(Var<'t, T>, Tensor<i64>)> {
        self.found_one("max_with_index", axis, |x| extreme(x, Extreme::Largest, axis))
    }

    /// The smallest element along an axis and its place: the first among equals, the first NaN if there is one. The
    /// axis is gone.
    ///
    /// # Gradient
    ///
    /// All to the one place; [`min_axes`](Var::min_axes) shares among equals.
    ///
    /// # Errors
    ///
    /// As [`max_with_index`](Var::max_with_index).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3.0, 1.0, 1.0]));
    /// let (y, place) = x.min_with_index(0)?;
    /// assert_eq!((y.item()?, place.item()?), (1.0, 1));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn min_with_index(self, axis: isize) -> Result<(Var<'t, T>, Tensor<i64>)> {
        self.found_one("min_with_index", axis, |x| extreme(x, Extreme::Smallest, axis))
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::values;
    use crate::conformance::{rank3, sample, shapes, wrong};
    use Order::{Ascending, Descending};
    let vectors =
        || shapes(&[&[&[1]], &[&[7]], &[&[17]], &[&[0]], &[&[2, 0]], &[&[0, 3]]], -3.0, 3.0).distinct();
    let three = || rank3(-3.0, 3.0).distinct();
    vec![
        sample!("sort", vectors(), |x| values(x[0].sort(0, Ascending), x[0]).square()),
        sample!("sort over middle", three(), |x| values(x[0].sort(1, Descending), x[0]).cumsum(1)),
        sample!("sort over last", three(), |x| values(x[0].sort(-1, Ascending), x[0]).cumsum(-1)),
        sample!("msort", three(), |x| x[0].msort().square().cumsum(0)),
        sample!("topk", three(), |x| values(x[0].topk(1, 1, Descending), x[0]).square()),
        sample!("topk of none", three(), |x| values(x[0].topk(0, 1, Ascending), x[0])),
        sample!("kthvalue", three(), |x| values(x[0].kthvalue(1, -1), x[0]).square()),
        sample!("mode", three(), |x| values(x[0].mode(1), x[0]).square()),
        sample!("max_with_index", three(), |x| values(x[0].max_with_index(1), x[0]).square()),
        sample!("min_with_index", three(), |x| values(x[0].min_with_index(0), x[0]).square()),
        wrong!(
            "sort",
            &[&[2, 3]],
            |x| values(x[0].sort(2, Ascending), x[0]),
            "axis 2 is out of range for shape [2, 3]"
        ),
        wrong!("msort", &[&[]], |x| x[0].msort(), "axis 0 is out of range for shape []"),
        wrong!("topk", &[&[2, 3]], |x| values(x[0].topk(4, 1, Descending), x[0]), "k is 4, wanted at most 3"),
        wrong!("kthvalue", &[&[2, 3]], |x| values(x[0].kthvalue(0, 0), x[0]), "k is 0, wanted from 1 to 2"),
        wrong!("kthvalue", &[&[2, 3]], |x| values(x[0].kthvalue(3, 0), x[0]), "k is 3, wanted from 1 to 2"),
        wrong!(
            "mode",
            &[&[2, 0]],
            |x| values(x[0].mode(1), x[0]),
            "reduction over axis 1 of size 0 in shape [2, 0] has no identity"
        ),
        wrong!(
            "max_with_index",
            &[&[2, 3]],
            |x| values(x[0].max_with_index(2), x[0]),
            "axis 2 is out of range for shape [2, 3]"
        ),
        wrong!(
            "min_with_index",
            &[&[0, 3]],
            |x| values(x[0].min_with_index(0), x[0]),
            "reduction over axis 0 of size 0 in shape [0, 3] has no identity"
        ),
    ]
}
