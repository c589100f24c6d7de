//! Reductions over any axes, as passes of the kernels over [outer, n, inner].

use super::Tensor;
use crate::error::Result;
use crate::kernels;
use crate::number::{Element, Real};
use crate::shape::Shape;
use smallvec::SmallVec;

/// A kernel that reduces the middle one of three axes: input, their lengths, output.
pub(crate) type Kernel<E, U> = fn(&[E], usize, usize, usize, &mut [U]);

/// Reduces `axes` (ascending), which keep length 1 if `keepdim`. Runs of neighbouring axes are one pass; `next`
/// takes the passes after the first, whose input is what the first one gave.
pub(crate) fn reduce<E: Element>(
    x: &Tensor<E>,
    axes: &[usize],
    keepdim: bool,
    kernel: Kernel<E, E>,
    next: Kernel<E, E>,
) -> Result<Tensor<E>> {
    let mut out = x.contiguous()?;
    let mut until = axes.len();
    let mut pass = kernel;
    while until > 0 {
        let mut from = until - 1;
        while from > 0 && axes[from - 1] + 1 == axes[from] {
            from -= 1;
        }
        out = reduce_run(&out, axes[from], axes[until - 1] + 1, pass)?;
        (until, pass) = (from, next);
    }
    if keepdim { Ok(out) } else { out.reshape(dropped(out.shape(), axes)?) }
}

/// The lengths without those of `axes`.
pub(crate) fn dropped(shape: &[usize], axes: &[usize]) -> Result<Shape> {
    let kept = shape.iter().enumerate().filter(|(axis, _)| !axes.contains(axis)).map(|(_, &n)| n);
    Shape::new(kept.collect::<SmallVec<[usize; 4]>>())
}

/// One pass over the axes `from..until` of a row-major tensor, which keep length 1.
pub(crate) fn reduce_run<E: Element, U: Element>(
    x: &Tensor<E>,
    from: usize,
    until: usize,
    kernel: Kernel<E, U>,
) -> Result<Tensor<U>> {
    let shape = x.shape();
    let product = |dims: &[usize]| dims.iter().product::<usize>();
    let (outer, n, inner) = (product(&shape[..from]), product(&shape[from..until]), product(&shape[until..]));
    let mut dims = SmallVec::<[usize; 4]>::from_slice(shape);
    dims[from..until].fill(1);
    let data = x.as_slice().expect("made contiguous by the caller");
    Tensor::build(Shape::new(dims)?, |out| kernel(data, outer, n, inner, out))
}

impl<T: Real> Tensor<T> {
    /// The sum over the axes along which `shape` was broadcast to this tensor's: the adjoint of `expand`.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast) if `shape` does not broadcast to this one.
    pub(crate) fn sum_to(&self, shape: &[usize]) -> Result<Tensor<T>> {
        if self.shape() == shape {
            return Ok(self.clone());
        }
        let axes = broadcast_axes(shape, self.shape())?;
        let summed = reduce(self, &axes, true, kernels::reduce::sum, kernels::reduce::sum)?;
        summed.reshape(shape)
    }
}

impl<T: Real> Tensor<T> {
    /// As [`sum_to`](Tensor::sum_to), to the shape of `like`.
    #[inline]
    pub(crate) fn sum_to_like(self, like: &Tensor<T>) -> Result<Tensor<T>> {
        if self.is_like(like) { Ok(self) } else { self.sum_to(like.shape()) }
    }
}

/// The axes of `to` along which `from` is repeated when it is broadcast to it.
pub(crate) fn broadcast_axes(from: &[usize], to: &[usize]) -> Result<SmallVec<[usize; 4]>> {
    let fits = crate::shape::broadcast(from, to)?;
    if fits[..] != *to {
        return Err(crate::ErrorKind::Broadcast { left: from.into(), right: to.into() }.into());
    }
    let lead = to.len() - from.len();
    Ok((0..to.len()).filter(|&axis| axis < lead || (from[axis - lead] == 1 && to[axis] != 1)).collect())
}
