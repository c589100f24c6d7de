//! Indices found from values: of elements that are not zero, and in sorted lists.

use super::Tensor;
use crate::error::{Error, ErrorKind, Result};
use crate::number::{Element, Real};
use crate::shape::Shape;
use std::panic::Location;

/// Where a value that is in a sorted list would be put.
///
/// ```
/// use retrograde::{Side, Tensor};
///
/// let sorted = Tensor::from([1.0, 3.0, 3.0, 5.0]);
/// let x = Tensor::from([3.0]);
/// assert_eq!(sorted.searchsorted(&x, Side::Left)?.to_vec(), [1]);
/// assert_eq!(sorted.searchsorted(&x, Side::Right)?.to_vec(), [3]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Side {
    /// Before its equals.
    #[default]
    Left,
    /// Behind them.
    Right,
}

/// The number of elements of a sorted list that come before a value. NaN comes last.
fn position<T: Real>(sorted: &[T], x: T, side: Side) -> i64 {
    let before = |a: &T| match side {
        Side::Left => *a < x || (x.is_nan() && !a.is_nan()),
        Side::Right => *a <= x || x.is_nan(),
    };
    sorted.partition_point(before) as i64
}

impl<E: Element> Tensor<E> {
    /// The index of each element that is not zero (not `false`), one a row, in row-major order: `[count, rank]`. NaN is
    /// not zero.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfMemory`].
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let x = Tensor::from([[0.0, 2.0], [3.0, 0.0]]);
    /// assert_eq!(x.nonzero()?, Tensor::from([[0, 1], [1, 0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "argwhere")]
    pub fn nonzero(&self) -> Result<Tensor<i64>> {
        let (rank, shape) = (self.rank(), self.shape());
        let found = self.flat_nonzero();
        Tensor::build(Shape::new([found.len(), rank])?, |out| {
            if rank == 0 {
                return;
            }
            for (out, &at) in out.chunks_exact_mut(rank).zip(&found) {
                let mut rest = at as usize;
                for (out, &n) in out.iter_mut().zip(shape).rev() {
                    (*out, rest) = ((rest % n) as i64, rest / n);
                }
            }
        })
    }

    /// The same as numbers in row-major order.
    pub(crate) fn flat_nonzero(&self) -> Vec<i64> {
        let zero = E::default();
        let numbered = (0..).zip(self.iter());
        numbered.filter(|&(_, x)| x != zero).map(|(at, _)| at).collect()
    }

    /// The elements where a mask is `true`, in row-major order; both are broadcast.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Broadcast`]; [`ErrorKind::OutOfMemory`].
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.masked_select(&Tensor::from([true, false]))?.to_vec(), [1, 3]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn masked_select(&self, mask: &Tensor<bool>) -> Result<Tensor<E>> {
        let line = Location::caller();
        let run = || {
            let shape = crate::shape::broadcast(self.shape(), mask.shape())?;
            let (x, mask) = (self.expand(&shape)?, mask.expand(&shape)?);
            Ok(x.iter().zip(mask.iter()).filter(|(_, kept)| *kept).map(|(x, _)| x).collect())
        };
        run().map_err(|error: Error| error.at("masked_select", line))
    }
}

impl<T: Real> Tensor<T> {
    /// Where each value would be put into this, sorted along its last axis. A vector is one list for all values; more
    /// axes are one list for each row of values, and then must be those of the values. NaN comes last.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rank`] for rank 0; [`ErrorKind::Shape`] if the axes before the last differ; [`ErrorKind::OutOfMemory`].
    /// What is not sorted gives some index, not an error.
    ///
    /// ```
    /// use retrograde::{Side, Tensor};
    ///
    /// let sorted = Tensor::from([[1.0, 3.0], [0.0, 1.0]]);
    /// let x = Tensor::from([[2.0], [2.0]]);
    /// assert_eq!(sorted.searchsorted(&x, Side::Left)?.to_vec(), [1, 2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn searchsorted(&self, values: &Tensor<T>, side: Side) -> Result<Tensor<i64>> {
        let line = Location::caller();
        self.searched(values, side).map_err(|error| error.at("searchsorted", line))
    }

    /// The bin of each element: how many of the boundaries, an ascending vector, lie below it ([`Side::Left`]: a bin has
    /// its upper boundary) or not above it ([`Side::Right`]: its lower one). NaN is in the last bin.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rank`] unless the boundaries are a vector; [`ErrorKind::OutOfMemory`].
    ///
    /// ```
    /// use retrograde::{Side, Tensor};
    ///
    /// let x = Tensor::from([[0.5, 1.0], [2.5, 9.0]]);
    /// let boundaries = Tensor::from([1.0, 2.0, 3.0]);
    /// assert_eq!(x.bucketize(&boundaries, Side::Left)?, Tensor::from([[0, 0], [2, 3]]));
    /// assert_eq!(x.bucketize(&boundaries, Side::Right)?, Tensor::from([[0, 1], [2, 3]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "digitize")]
    #[track_caller]
    pub fn bucketize(&self, boundaries: &Tensor<T>, side: Side) -> Result<Tensor<i64>> {
        let line = Location::caller();
        let found = if boundaries.rank() == 1 {
            boundaries.searched(self, side)
        } else {
            Err(ErrorKind::Rank { found: boundaries.shape().to_vec(), wanted: "1" }.into())
        };
        found.map_err(|error| error.at("bucketize", line))
    }

    fn searched(&self, values: &Tensor<T>, side: Side) -> Result<Tensor<i64>> {
        let &[ref lead @ .., n] = self.shape() else {
            return Err(ErrorKind::Rank { found: vec![], wanted: "at least 1" }.into());
        };
        let sorted = self.contiguous()?;
        let sorted = sorted.as_slice().expect("made contiguous above");
        if lead.is_empty() {
            return values.map(|x| position(sorted, x, side));
        }
        let rows = values.shape().split_last();
        if rows.is_none_or(|(_, rows)| rows != lead) {
            let mut wanted = lead.to_vec();
            wanted.push(values.shape().last().copied().unwrap_or(1));
            let found = values.shape().to_vec();
            return Err(ErrorKind::Shape { what: "the list of values".into(), found, wanted }.into());
        }
        let each = values.shape()[lead.len()].max(1);
        let values = values.contiguous()?;
        let data = values.as_slice().expect("made contiguous above");
        Tensor::build(values.shape_owned(), |out| {
            for (row, (out, x)) in out.chunks_mut(each).zip(data.chunks(each)).enumerate() {
                let sorted = &sorted[row * n..][..n];
                out.iter_mut().zip(x).for_each(|(out, &x)| *out = position(sorted, x, side));
            }
        })
    }
}

impl Tensor<i64> {
    /// For each class a row, on a new last axis: 1 at the class, 0 elsewhere.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Index`], on the new axis, for a class that is negative or not below `classes`;
    /// [`ErrorKind::TooLarge`]; [`ErrorKind::OutOfMemory`].
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let classes = Tensor::from([2, 0]);
    /// assert_eq!(classes.one_hot::<f64>(3)?, Tensor::from([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn one_hot<T: Real>(&self, classes: usize) -> Result<Tensor<T>> {
        let line = Location::caller();
        let run = || {
            if let Some(index) = self.iter().find(|&i| i < 0 || i as u64 >= classes as u64) {
                return Err(ErrorKind::Index { index, axis: self.rank(), size: classes }.into());
            }
            let shape = Shape::new([self.shape(), &[classes]].concat())?;
            Tensor::build(shape, |out| {
                out.fill(T::ZERO);
                for (row, class) in self.iter().enumerate() {
                    out[row * classes + class as usize] = T::ONE;
                }
            })
        };
        run().map_err(|error: Error| error.at("one_hot", line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_sorted_last() {
        let sorted = Tensor::from([1.0, 2.0, f64::NAN, f64::NAN]);
        let x = Tensor::from([0.0, 2.0, f64::INFINITY, f64::NAN]);
        assert_eq!(sorted.searchsorted(&x, Side::Left).unwrap().to_vec(), [0, 1, 2, 2]);
        assert_eq!(sorted.searchsorted(&x, Side::Right).unwrap().to_vec(), [0, 2, 2, 4]);
        let none = Tensor::<f64>::zeros([0]).unwrap();
        assert_eq!(none.searchsorted(&x, Side::Left).unwrap().to_vec(), [0; 4]);
        assert_eq!(sorted.searchsorted(&Tensor::scalar(1.5), Side::Left).unwrap(), Tensor::scalar(1));
    }

    #[test]
    fn what_cannot_be_searched_says_so() {
        let row = Tensor::from([1.0, 2.0]);
        let text = |result: Result<Tensor<i64>>| {
            result.unwrap_err().to_string().split(", at ").next().unwrap().to_owned()
        };
        assert_eq!(
            text(Tensor::scalar(1.0).searchsorted(&row, Side::Left)),
            "searchsorted: shape [] has rank 0, wanted at least 1"
        );
        let table = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
        let wrong = Tensor::from([[1.0], [2.0], [3.0]]);
        assert_eq!(
            text(table.searchsorted(&wrong, Side::Left)),
            "searchsorted: the list of values has shape [3, 1], wanted [2, 1]"
        );
        assert_eq!(text(row.bucketize(&table, Side::Left)), "bucketize: shape [2, 2] has rank 2, wanted 1");
        let empty = Tensor::<f64>::zeros([2, 0]).unwrap();
        assert_eq!(table.searchsorted(&empty, Side::Left).unwrap().shape(), [2, 0]);
        for wrong in [-1, 3] {
            let error = Tensor::from([wrong]).one_hot::<f64>(3).unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Index { index: wrong, axis: 1, size: 3 });
        }
    }

    #[test]
    fn nonzero_elements_of_any_layout() {
        let x = Tensor::from([[0.0, f64::NAN, 1.0], [0.0, 0.0, -0.0]]);
        assert_eq!(x.nonzero().unwrap(), Tensor::from([[0, 1], [0, 2]]));
        assert_eq!(x.transpose(0, 1).unwrap().nonzero().unwrap(), Tensor::from([[1, 0], [2, 0]]));
        assert_eq!(Tensor::scalar(true).nonzero().unwrap().shape(), [1, 0]);
        assert_eq!(Tensor::scalar(false).nonzero().unwrap().shape(), [0, 0]);
        assert_eq!(Tensor::scalar(3).masked_select(&Tensor::from([true, true])).unwrap().to_vec(), [3, 3]);
        assert!(x.masked_select(&Tensor::from([true, true])).is_err());
    }
}
