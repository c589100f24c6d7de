//! Scans along an axis, and elements picked along one.

use super::Tensor;
use crate::error::{ErrorKind, Result};
use crate::kernels::{pick, scan};
use crate::number::{Element, Real};
use crate::shape::{Shape, resolve_axis};

/// The lengths before an axis, along it and behind it.
pub(crate) fn around(shape: &[usize], axis: usize) -> [usize; 3] {
    [shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product()]
}

impl<E: Element> Tensor<E> {
    /// The elements at places along an axis: of the shape of `places`, which agrees but for that axis, and whose
    /// elements the caller answers for.
    pub(crate) fn pick(&self, axis: isize, places: &Tensor<i64>) -> Result<Tensor<E>> {
        let [_, n, inner] = around(self.shape(), resolve_axis(axis, self.shape())?);
        let [_, m, _] = around(places.shape(), resolve_axis(axis, places.shape())?);
        let (x, places) = (self.contiguous()?, places.contiguous()?);
        let (data, at) = (x.as_slice().expect("contiguous"), places.as_slice().expect("contiguous"));
        Tensor::build(places.shape_owned(), |out| pick::pick(data, n, at, m, inner, out))
    }
}

impl<T: Real> Tensor<T> {
    /// Zeros with length `size` along an axis, to which this is added at its places: the adjoint of
    /// [`pick`](Tensor::pick).
    pub(crate) fn put(&self, axis: isize, places: &Tensor<i64>, size: usize) -> Result<Tensor<T>> {
        if self.shape() != places.shape() {
            let (found, wanted) = (self.shape().to_vec(), places.shape().to_vec());
            return Err(ErrorKind::Shape { what: "what is put".into(), found, wanted }.into());
        }
        let axis = resolve_axis(axis, self.shape())?;
        let [_, m, inner] = around(self.shape(), axis);
        let mut dims = self.shape().to_vec();
        dims[axis] = size;
        let (x, places) = (self.contiguous()?, places.contiguous()?);
        let (data, at) = (x.as_slice().expect("contiguous"), places.as_slice().expect("contiguous"));
        Tensor::build(Shape::new(dims)?, |out| pick::put(data, at, m, size, inner, out))
    }

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
        if b.shape() != self.shape() {
            let (found, wanted) = (b.shape().to_vec(), self.shape().to_vec());
            return Err(ErrorKind::Shape { what: "the inhomogeneous part".into(), found, wanted }.into());
        }
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
