//! Kernels over rows, along any axis: the axis is moved last for the kernel and back as a view.

use crate::error::Result;
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tensor::Tensor;

/// A kernel over rows of `n`: input, `n`, stretch, output.
pub(super) type RowKernel<T> = fn(&[T], usize, T, &mut [T]);

/// Runs a kernel over the rows that lie along `axis`.
pub(super) fn along<T: Real>(axis: isize, x: &Tensor<T>, s: f64, kernel: RowKernel<T>) -> Result<Tensor<T>> {
    let n = x.shape()[resolve_axis(axis, x.shape())?];
    let last = x.transpose(axis, -1)?.contiguous()?;
    let data = last.as_slice().expect("made contiguous");
    let out = Tensor::build(last.shape_owned(), |out| kernel(data, n, T::from_f64(s), out))?;
    out.transpose(axis, -1)
}

/// The same for two inputs.
pub(super) fn along2<T: Real>(
    axis: isize,
    [y, g]: [&Tensor<T>; 2],
    s: f64,
    kernel: fn(&[T], &[T], usize, T, &mut [T]),
) -> Result<Tensor<T>> {
    let n = y.shape()[resolve_axis(axis, y.shape())?];
    let (y, g) = (y.transpose(axis, -1)?.contiguous()?, g.transpose(axis, -1)?.contiguous()?);
    let (a, b) = (y.as_slice().expect("made contiguous"), g.as_slice().expect("made contiguous"));
    let out = Tensor::build(y.shape_owned(), |out| kernel(a, b, n, T::from_f64(s), out))?;
    out.transpose(axis, -1)
}
