//! Scans along an axis.

use super::Tensor;
use crate::error::Result;
use crate::kernels::scan;
use crate::number::Real;
use crate::shape::{resolve_axis, same};

/// The lengths before an axis, along it and behind it.
pub(crate) fn around(shape: &[usize], axis: usize) -> [usize; 3] {
    [shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product()]
}

impl<T: Real> Tensor<T> {
    /// A scan: the kernel gets the elements in order and the lengths before, along and behind the axis.
    pub(crate) fn scanned(
        &self,
        axis: isize,
        kernel: impl FnOnce(&[T], [usize; 3], &mut [T]),
    ) -> Result<Tensor<T>> {
        let lengths = around(self.shape(), resolve_axis(axis, self.shape())?);
        let x = self.contiguous()?;
        let data = x.as_slice().expect("contiguous");
        Tensor::build(x.shape_owned(), |out| kernel(data, lengths, out))
    }

    /// Running sums along an axis; backwards, each with all behind it.
    pub(crate) fn running_sums(&self, axis: isize, backwards: bool) -> Result<Tensor<T>> {
        self.scanned(axis, |x, [outer, n, inner], out| scan::cumsum(x, outer, n, inner, backwards, out))
    }

    /// `hᵢ = aᵢ hᵢ₋₁ + bᵢ` along an axis, with this as a; backwards, from hᵢ₊₁.
    pub(crate) fn recurrence(&self, b: &Tensor<T>, axis: isize, backwards: bool) -> Result<Tensor<T>> {
        same("the inhomogeneous part", b.shape(), self.shape())?;
        let b = b.contiguous()?;
        let data = b.as_slice().expect("contiguous");
        self.scanned(axis, |a, [_, n, inner], out| scan::recurrence(a, data, n, inner, backwards, out))
    }

    /// The running largest or smallest elements along an axis, and their places.
    pub(crate) fn running_extremes(
        &self,
        axis: isize,
        kernel: fn(&[T], usize, usize, &mut [T], &mut [i64]),
    ) -> Result<(Tensor<T>, Tensor<i64>)> {
        let mut places = Tensor::full(self.shape_owned(), 0)?;
        let at = places.as_mut_slice()?;
        let values = self.scanned(axis, |x, [_, n, inner], out| kernel(x, n, inner, out, at))?;
        Ok((values, places))
    }
}
