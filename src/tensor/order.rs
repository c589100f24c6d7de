//! Sorted order: sorting, places, distinct elements.

use super::{Tensor, not_empty};
use crate::error::{Error, ErrorKind, Result};
use crate::kernels::order;
use crate::number::{Element, Real};
use crate::shape::{Shape, resolve_axis};
use std::cmp::Ordering;
use std::panic::Location;

/// Which way to sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The smallest first, NaNs last.
    #[default]
    Ascending,
    /// The largest first, NaNs before all: they count as the largest either way.
    Descending,
}

/// The distinct elements of a tensor. See [`Tensor::unique`].
#[derive(Clone, Debug)]
pub struct Unique<E: Element> {
    /// Each element once, in ascending order.
    pub values: Tensor<E>,
    /// Where among the values each element of the tensor is; of the tensor's shape.
    pub places: Tensor<i64>,
    /// How often each value occurs.
    pub counts: Tensor<i64>,
}

impl<T: Real> Tensor<T> {
    /// What a kernel over rows finds along an axis: `m` places for each.
    fn places(
        &self,
        axis: isize,
        m: usize,
        kernel: impl FnOnce(&[T], usize, &mut [i64]),
    ) -> Result<Tensor<i64>> {
        let n = self.shape()[resolve_axis(axis, self.shape())?];
        if n > u32::MAX as usize {
            return Err(ErrorKind::TooLarge { shape: self.shape().to_vec() }.into());
        }
        let last = self.transpose(axis, -1)?.contiguous()?;
        let mut dims = last.shape().to_vec();
        *dims.last_mut().expect("an axis was found") = m;
        let data = last.as_slice().expect("contiguous");
        Tensor::build(Shape::new(dims)?, |out| kernel(data, n, out))?.transpose(axis, -1)
    }

    /// The places of the first `m` along an axis in sorted order; all, for none.
    pub(crate) fn first_places(&self, axis: isize, m: Option<usize>, by: Order) -> Result<Tensor<i64>> {
        let n = self.shape()[resolve_axis(axis, self.shape())?];
        let m = m.unwrap_or(n);
        if m > n {
            return Err(ErrorKind::Argument {
                name: "k",
                found: m.to_string(),
                wanted: format!("at most {n}"),
            }
            .into());
        }
        self.places(axis, m, |x, n, out| order::first(x, n, m, by == Order::Descending, out))
    }

    /// The place along an axis of the k-th smallest element, counted from 1; the axis stays, with length 1.
    pub(crate) fn kth_place(&self, axis: isize, k: usize) -> Result<Tensor<i64>> {
        let n = self.shape()[resolve_axis(axis, self.shape())?];
        if k == 0 || k > n {
            let wanted = format!("from 1 to {n}");
            return Err(ErrorKind::Argument { name: "k", found: k.to_string(), wanted }.into());
        }
        self.places(axis, 1, |x, n, out| order::number(x, n, k - 1, out))
    }

    /// The place along an axis of the lower median, with NaNs left out if `skip`; the axis stays, with length 1.
    pub(crate) fn median_place(&self, axis: isize, skip: bool) -> Result<Tensor<i64>> {
        not_empty(self.shape(), &[resolve_axis(axis, self.shape())?])?;
        self.places(axis, 1, |x, n, out| order::median(x, n, skip, out))
    }

    /// The last place along an axis of the smallest of the most frequent elements; the axis stays, with length 1.
    pub(crate) fn mode_place(&self, axis: isize) -> Result<Tensor<i64>> {
        not_empty(self.shape(), &[resolve_axis(axis, self.shape())?])?;
        self.places(axis, 1, order::mode)
    }

    /// The elements along an axis in order, and the places they come from. Stable: equal ones stay in their order.
    /// NaNs count as the largest.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Axis`]; [`ErrorKind::TooLarge`] for an axis of 2³² elements; [`ErrorKind::OutOfMemory`].
    ///
    /// ```
    /// use retrograde::{Order, Tensor};
    ///
    /// let x = Tensor::from([2.0, f64::NAN, 1.0, 2.0]);
    /// let (y, places) = x.sort(0, Order::Ascending)?;
    /// assert_eq!(y.to_vec()[..3], [1.0, 2.0, 2.0]);
    /// assert_eq!(places.to_vec(), [2, 0, 3, 1]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn sort(&self, axis: isize, order: Order) -> Result<(Tensor<T>, Tensor<i64>)> {
        let line = Location::caller();
        let sorted = || {
            let places = self.first_places(axis, None, order)?;
            Ok((self.gather(axis, &places)?, places))
        };
        sorted().map_err(|error: Error| error.at("sort", line))
    }

    /// The places of the elements along an axis in order: [`sort`](Tensor::sort)'s.
    ///
    /// # Errors
    ///
    /// As [`sort`](Tensor::sort).
    ///
    /// ```
    /// use retrograde::{Order, Tensor};
    ///
    /// let x = Tensor::from([[3.0, 1.0, 2.0]]);
    /// assert_eq!(x.argsort(-1, Order::Ascending)?.to_vec(), [1, 2, 0]);
    /// assert_eq!(x.argsort(-1, Order::Descending)?.to_vec(), [0, 2, 1]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn argsort(&self, axis: isize, order: Order) -> Result<Tensor<i64>> {
        let line = Location::caller();
        self.first_places(axis, None, order).map_err(|error| error.at("argsort", line))
    }
}

impl<E: Element> Tensor<E> {
    /// The distinct elements in ascending order, where each element is among them, and how often each occurs. Every
    /// NaN is one of its own, at the end.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfMemory`].
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let found = Tensor::from([[3, 1], [1, 2]]).unique()?;
    /// assert_eq!(found.values.to_vec(), [1, 2, 3]);
    /// assert_eq!(found.places, Tensor::from([[2, 0], [0, 1]]));
    /// assert_eq!(found.counts.to_vec(), [2, 1, 1]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn unique(&self) -> Result<Unique<E>> {
        let x = self.to_vec();
        let mut order: Vec<usize> = (0..x.len()).collect();
        // Only a NaN compares with nothing, not even itself.
        let is_nan = |i: usize| x[i].partial_cmp(&x[i]).is_none();
        order.sort_by(|&a, &b| {
            x[a].partial_cmp(&x[b])
                .unwrap_or_else(|| if is_nan(a) { is_nan(a).cmp(&is_nan(b)) } else { Ordering::Less })
        });
        let (mut values, mut counts, mut places) = (Vec::new(), Vec::<i64>::new(), vec![0; x.len()]);
        for i in order {
            match counts.last_mut() {
                Some(count) if values.last() == Some(&x[i]) => *count += 1,
                _ => {
                    values.push(x[i]);
                    counts.push(1);
                }
            }
            places[i] = values.len() as i64 - 1;
        }
        let n = values.len();
        Ok(Unique {
            values: Tensor::from_slice(&values, [n])?,
            places: Tensor::from_slice(&places, self.shape_owned())?,
            counts: Tensor::from_slice(&counts, [n])?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_axis_is_sorted_and_places_say_from_where() {
        let x = Tensor::from_fn([3, 4, 2], |i| ((i[0] * 7 + i[1] * 5 + i[2] * 3) % 11) as f64).unwrap();
        for axis in 0..3 {
            let (y, places) = x.sort(axis as isize, Order::Descending).unwrap();
            assert_eq!(y, x.gather(axis as isize, &places).unwrap());
            let n = y.shape()[axis] as isize;
            let (a, b) = (y.slice(axis as isize, ..n - 1).unwrap(), y.slice(axis as isize, 1..).unwrap());
            assert!(a.iter().zip(&b).all(|(a, b)| a >= b));
        }
        assert_eq!(
            Tensor::<f64>::zeros([2, 0]).unwrap().argsort(1, Order::Ascending).unwrap().shape(),
            [2, 0]
        );
        let error = x.argsort(3, Order::Ascending).unwrap_err();
        assert_eq!((error.operation(), error.to_string().contains("axis 3")), (Some("argsort"), true));
        assert_eq!(x.sort(3, Order::Ascending).unwrap_err().operation(), Some("sort"));
    }

    #[test]
    fn nans_are_distinct_and_zeros_are_not() {
        let found = Tensor::from([f64::NAN, 0.0, 1.0, f64::NAN, -0.0, -1.0]).unique().unwrap();
        assert_eq!(found.values.to_vec()[..3], [-1.0, 0.0, 1.0]);
        assert_eq!(found.places.to_vec(), [3, 1, 2, 4, 1, 0]);
        assert_eq!(found.counts.to_vec(), [1, 2, 1, 1, 1]);
        let empty = Tensor::<bool>::full([0, 2], true).unwrap().unique().unwrap();
        assert_eq!((empty.values.shape(), empty.places.shape()), (&[0][..], &[0, 2][..]));
    }
}
