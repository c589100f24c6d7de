//! Tensors put together along an axis, and tensors put into zeros.

use super::{Slice, Tensor};
use crate::error::{ErrorKind, Result};
use crate::kernels::surround;
use crate::number::{Element, Real};
use crate::shape::{Shape, resolve_axis, same};

/// The lengths before an axis and behind it, multiplied.
fn around(shape: &[usize], axis: usize) -> (usize, usize) {
    (shape[..axis].iter().product(), shape[axis + 1..].iter().product())
}

impl<E: Element> Tensor<E> {
    /// Tensors one after another along an axis that all have; the other axes must agree.
    ///
    /// # Errors
    ///
    /// [`Argument`](ErrorKind::Argument) for no tensors; [`Shape`](ErrorKind::Shape), which names the first one that
    /// does not fit; [`Axis`](ErrorKind::Axis); [`OutOfMemory`](ErrorKind::OutOfMemory).
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let (a, b) = (Tensor::from([[1, 2]]), Tensor::from([[3, 4], [5, 6]]));
    /// assert_eq!(Tensor::concat(&[&a, &b], 0)?.to_vec(), [1, 2, 3, 4, 5, 6]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "cat")]
    pub fn concat(tensors: &[&Tensor<E>], axis: isize) -> Result<Tensor<E>> {
        let [first, ..] = tensors else {
            let wanted = "at least one".into();
            return Err(
                ErrorKind::Argument { name: "the list of tensors", found: "empty".into(), wanted }.into()
            );
        };
        let axis = resolve_axis(axis, first.shape())?;
        let mut dims = first.shape().to_vec();
        dims[axis] = 0;
        for (i, tensor) in tensors.iter().enumerate() {
            let mut wanted = first.shape().to_vec();
            if let (true, Some(&n)) = (tensor.rank() == wanted.len(), tensor.shape().get(axis)) {
                wanted[axis] = n;
                dims[axis] = dims[axis].checked_add(n).ok_or(ErrorKind::TooLarge { shape: dims.clone() })?;
            }
            same(format_args!("operand {i}"), tensor.shape(), &wanted)?;
        }
        let shape = Shape::new(dims)?;
        let (_, inner) = around(&shape, axis);
        let stride = shape[axis] * inner;
        Tensor::try_build(shape.clone(), |out| {
            let mut start = 0;
            for tensor in tensors.iter().filter(|tensor| !tensor.is_empty()) {
                let run = tensor.shape()[axis] * inner;
                let dense = tensor.contiguous()?;
                let data = dense.as_slice().expect("just made contiguous");
                for (to, from) in out.chunks_exact_mut(stride).zip(data.chunks_exact(run)) {
                    to[start..start + run].copy_from_slice(from);
                }
                start += run;
            }
            Ok(())
        })
    }

    /// Tensors of one shape side by side along a new axis before `axis`; −1 puts it last.
    ///
    /// # Errors
    ///
    /// As [`concat`](Tensor::concat).
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let (a, b) = (Tensor::from([1, 2]), Tensor::from([3, 4]));
    /// assert_eq!(Tensor::stack(&[&a, &b], 0)?, Tensor::from([[1, 2], [3, 4]]));
    /// assert_eq!(Tensor::stack(&[&a, &b], -1)?, Tensor::from([[1, 3], [2, 4]]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn stack(tensors: &[&Tensor<E>], axis: isize) -> Result<Tensor<E>> {
        for (i, tensor) in tensors.iter().enumerate() {
            same(format_args!("operand {i}"), tensor.shape(), tensors[0].shape())?;
        }
        let rows: Vec<Tensor<E>> =
            tensors.iter().map(|tensor| tensor.unsqueeze(axis)).collect::<Result<_>>()?;
        Tensor::concat(&rows.iter().collect::<Vec<_>>(), axis)
    }
}

impl<E: Element> Tensor<E> {
    /// A tensor of `shape` with `piece` in it, whose first element is at index `first`, and `value` around that.
    pub(crate) fn surrounded(
        piece: &Tensor<E>,
        shape: Shape,
        first: &[usize],
        value: E,
    ) -> Result<Tensor<E>> {
        let dense = piece.contiguous()?;
        let data = dense.as_slice().expect("just made contiguous");
        Tensor::build(shape.clone(), |out| surround(data, piece.shape(), &shape, first, value, out))
    }
}

impl<T: Real> Tensor<T> {
    /// Zeros with length `size` along an axis, and this tensor at the indices that `range` keeps: the adjoint of
    /// [`slice`](Tensor::slice).
    pub(crate) fn embed(&self, axis: isize, range: Slice, size: usize) -> Result<Tensor<T>> {
        let axis = resolve_axis(axis, self.shape())?;
        let (first, count, step) = range.resolve(axis, size)?;
        let mut wanted = self.shape().to_vec();
        wanted[axis] = count;
        same("the piece", self.shape(), &wanted)?;
        let (_, inner) = around(self.shape(), axis);
        wanted[axis] = size;
        let dense = self.contiguous()?;
        let data = dense.as_slice().expect("just made contiguous");
        Tensor::build(Shape::new(wanted)?, |out| {
            out.fill(T::ZERO);
            if data.is_empty() {
                return;
            }
            for (to, from) in out.chunks_exact_mut(size * inner).zip(data.chunks_exact(count * inner)) {
                if step == 1 {
                    to[first * inner..][..from.len()].copy_from_slice(from);
                } else {
                    for (i, from) in from.chunks_exact(inner).enumerate() {
                        let at = first.wrapping_add_signed(i as isize * step);
                        to[at * inner..][..inner].copy_from_slice(from);
                    }
                }
            }
        })
    }

    /// The last axis on the diagonal of a new last pair of axes, zeros beside it.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank) for rank 0; [`TooLarge`](ErrorKind::TooLarge);
    /// [`OutOfMemory`](ErrorKind::OutOfMemory).
    ///
    /// ```
    /// let x = retrograde::Tensor::from([1.0, 2.0]);
    /// assert_eq!(x.diag_embed()?.to_vec(), [1.0, 0.0, 0.0, 2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "diag")]
    pub fn diag_embed(&self) -> Result<Tensor<T>> {
        let &[.., n] = self.shape() else {
            return Err(ErrorKind::Rank { found: vec![], wanted: "at least 1" }.into());
        };
        let mut dims = self.shape().to_vec();
        dims.push(n);
        let dense = self.contiguous()?;
        let data = dense.as_slice().expect("just made contiguous");
        Tensor::build(Shape::new(dims)?, |out| {
            out.fill(T::ZERO);
            if n > 0 {
                for (to, from) in out.chunks_exact_mut(n * n).zip(data.chunks_exact(n)) {
                    to.iter_mut().step_by(n + 1).zip(from).for_each(|(to, &from)| *to = from);
                }
            }
        })
    }
}
