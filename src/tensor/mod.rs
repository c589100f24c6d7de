//! Tensors: immutable to their readers, shared by reference count, copied on write.

mod arithmetic;
mod buffer;
mod close;
mod count;
mod create;
mod display;
mod draw;
mod gradient;
mod index;
mod join;
mod lanes;
mod matmul;
mod order;
mod places;
pub mod pool;
mod random;
mod reduce;
mod search;
mod statistics;
mod view;

pub(crate) use gradient::gradient;
pub use index::Iter;
pub(crate) use matmul::Form;
pub use order::{Order, Unique};
pub(crate) use places::{Places, checked, flat, rows, shorter};
pub use random::Generator;
pub(crate) use reduce::{dropped, reduce};
pub use search::Side;
pub(crate) use statistics::{Extreme, not_empty, reduce_once};
pub use view::Slice;
pub(crate) use view::resolve_order;

use crate::error::{ErrorKind, Result};
use crate::kernels::{self, Function, Row, View};
use crate::number::{Element, Real};
use crate::shape::{MAX_RANK, Shape, Strides, broadcast, row_major};
use buffer::Buffer;
use std::sync::Arc;

/// What an element of a light loop costs, in nanoseconds: about its share of memory traffic.
const LIGHT: f32 = 0.3;

static ONES: [usize; MAX_RANK] = [1; MAX_RANK];
static ZEROS: [isize; MAX_RANK] = [0; MAX_RANK];

/// An n-dimensional array of `f32`, `f64`, `bool` or `i64`.
///
/// Cloning bumps a count. Reshaping, transposing, slicing and broadcasting make views of the same memory.
/// Writing (`-=`, [`as_mut_slice`](Tensor::as_mut_slice)) copies first if the memory is shared. A tensor of one
/// element lives inline, without memory of its own; others live in pooled blocks aligned to 64 bytes.
///
/// Elements are in row-major order: the last axis runs fastest.
///
/// ```
/// use retrograde::Tensor;
///
/// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// assert_eq!(x.shape(), [2, 3]);
/// assert_eq!(x.transpose(0, 1)?.to_vec(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
/// assert_eq!((&x * 2.0)[[1, 2]], 12.0);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone)]
pub struct Tensor<E>(Repr<E>);

#[derive(Clone)]
enum Repr<E> {
    /// One element: every axis has length 1.
    One { rank: u32, value: E },
    /// None, or more than one.
    Many(Arc<Array<E>>),
}

struct Array<E> {
    shape: Shape,
    strides: Strides,
    offset: usize,
    storage: Storage<E>,
}

enum Storage<E> {
    Own(Buffer<E>),
    /// A view of memory that another array owns; never of another view.
    Of(Arc<Array<E>>),
}

impl<E: Element> Array<E> {
    fn data(&self) -> &[E] {
        match &self.storage {
            Storage::Own(buffer) => buffer,
            Storage::Of(owner) => match &owner.storage {
                Storage::Own(buffer) => buffer,
                Storage::Of(_) => unreachable!("a view is of an owner"),
            },
        }
    }
}

impl<E: Element> Tensor<E> {
    /// A tensor of rank 0.
    ///
    /// ```
    /// let x = retrograde::Tensor::scalar(2.5);
    /// assert_eq!((x.rank(), x.item()?), (0, 2.5));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn scalar(value: E) -> Tensor<E> {
        Tensor(Repr::One { rank: 0, value })
    }

    /// A row-major tensor whose elements `fill` writes. What the slice holds before is unspecified.
    #[inline]
    pub(crate) fn build(shape: Shape, fill: impl FnOnce(&mut [E])) -> Result<Tensor<E>> {
        let mut built = Tensor::unwritten(shape)?;
        fill(built.own());
        Ok(built)
    }

    /// As [`build`](Tensor::build), with a `fill` that can fail.
    #[inline]
    pub(crate) fn try_build(shape: Shape, fill: impl FnOnce(&mut [E]) -> Result<()>) -> Result<Tensor<E>> {
        let mut built = Tensor::unwritten(shape)?;
        fill(built.own())?;
        Ok(built)
    }

    /// As [`try_build`](Tensor::try_build), for several tensors that are written together.
    #[cfg(any(feature = "fft", feature = "linalg"))]
    pub(crate) fn try_build_many<const N: usize>(
        shapes: [Shape; N],
        fill: impl FnOnce([&mut [E]; N]) -> Result<()>,
    ) -> Result<[Tensor<E>; N]> {
        let mut built = [(); N].map(|()| Tensor::scalar(E::default()));
        for (built, shape) in built.iter_mut().zip(shapes) {
            *built = Tensor::unwritten(shape)?;
        }
        fill(built.each_mut().map(Tensor::own))?;
        Ok(built)
    }

    /// A row-major tensor of unspecified elements.
    fn unwritten(shape: Shape) -> Result<Tensor<E>> {
        match shape.count() {
            1 => Ok(Tensor(Repr::One { rank: shape.len() as u32, value: E::default() })),
            count => Ok(Tensor::owned(row_major(&shape), shape, Buffer::new(count)?)),
        }
    }

    /// The elements of a tensor that nobody else knows yet.
    fn own(&mut self) -> &mut [E] {
        match &mut self.0 {
            Repr::One { value, .. } => std::slice::from_mut(value),
            Repr::Many(array) => match Arc::get_mut(array) {
                Some(Array { storage: Storage::Own(buffer), .. }) => buffer,
                _ => unreachable!("just made"),
            },
        }
    }

    fn owned(strides: Strides, shape: Shape, buffer: Buffer<E>) -> Tensor<E> {
        Tensor(Repr::Many(Arc::new(Array { shape, strides, offset: 0, storage: Storage::Own(buffer) })))
    }

    /// The length of each axis.
    pub fn shape(&self) -> &[usize] {
        match &self.0 {
            Repr::One { rank, .. } => &ONES[..*rank as usize],
            Repr::Many(array) => &array.shape,
        }
    }

    /// The shape as an owned, checked value.
    pub(crate) fn shape_owned(&self) -> Shape {
        match &self.0 {
            Repr::One { rank, .. } => Shape::new(&ONES[..*rank as usize]).expect("ones of a checked rank"),
            Repr::Many(array) => array.shape.clone(),
        }
    }

    /// Whether the shapes are equal.
    #[inline(always)]
    pub(crate) fn is_like<U: Element>(&self, other: &Tensor<U>) -> bool {
        match (&self.0, &other.0) {
            (Repr::One { rank: a, .. }, Repr::One { rank: b, .. }) => a == b,
            _ => self.shape() == other.shape(),
        }
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.shape().len()
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::One { .. } => 1,
            Repr::Many(array) => array.shape.count(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The distance, in elements, from one index to the next along each axis; 0 where a view is broadcast.
    pub fn strides(&self) -> &[isize] {
        match &self.0 {
            Repr::One { rank, .. } => &ZEROS[..*rank as usize],
            Repr::Many(array) => &array.strides,
        }
    }

    pub(crate) fn view(&self) -> View<'_, E> {
        match &self.0 {
            Repr::One { rank, value } => {
                View { data: std::slice::from_ref(value), offset: 0, strides: &ZEROS[..*rank as usize] }
            }
            Repr::Many(array) => View { data: array.data(), offset: array.offset, strides: &array.strides },
        }
    }

    /// The elements in row-major order, if that is how they lie in memory.
    ///
    /// ```
    /// let x = retrograde::Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.as_slice(), Some(&[1, 2, 3, 4][..]));
    /// assert_eq!(x.transpose(0, 1)?.as_slice(), None);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn as_slice(&self) -> Option<&[E]> {
        match &self.0 {
            Repr::One { value, .. } => Some(std::slice::from_ref(value)),
            Repr::Many(array) => is_row_major(&array.shape, &array.strides)
                .then(|| &array.data()[array.offset..][..array.shape.count()]),
        }
    }

    /// The elements in row-major order, to be written; copied first if the memory is shared or a view.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfMemory`] if a copy is needed and cannot be had.
    ///
    /// ```
    /// let x = retrograde::Tensor::from([1.0, 2.0]);
    /// let mut y = x.clone();
    /// y.as_mut_slice()?[0] = 5.0;
    /// assert_eq!((x.to_vec(), y.to_vec()), (vec![1.0, 2.0], vec![5.0, 2.0]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn as_mut_slice(&mut self) -> Result<&mut [E]> {
        if !self.is_writable() {
            *self = self.copied()?;
        }
        match &mut self.0 {
            Repr::One { value, .. } => Ok(std::slice::from_mut(value)),
            Repr::Many(array) => match Arc::get_mut(array) {
                Some(Array { storage: Storage::Own(buffer), .. }) => Ok(buffer),
                _ => unreachable!("a writable tensor owns its memory alone"),
            },
        }
    }

    /// Whether the elements can be written where they are: owned, unshared, whole and in row-major order.
    pub(crate) fn is_writable(&mut self) -> bool {
        match &mut self.0 {
            Repr::One { .. } => true,
            Repr::Many(array) => Arc::get_mut(array).is_some_and(|array| {
                matches!(array.storage, Storage::Own(_)) && is_row_major(&array.shape, &array.strides)
            }),
        }
    }

    /// The same elements with their own row-major memory.
    fn copied(&self) -> Result<Tensor<E>> {
        Tensor::build(self.shape_owned(), |out| {
            let view = self.view();
            kernels::copy_strided(self.shape(), view.data, view.offset, view.strides, out);
        })
    }

    /// The same tensor with its elements in row-major order: itself if they are, else a copy.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfMemory`] if the copy cannot be had.
    pub fn contiguous(&self) -> Result<Tensor<E>> {
        if self.as_slice().is_some() { Ok(self.clone()) } else { self.copied() }
    }

    /// The elements in row-major order.
    pub fn to_vec(&self) -> Vec<E> {
        self.iter().collect()
    }

    /// The element of a tensor that has one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ElementCount`] if it has none or several.
    pub fn item(&self) -> Result<E> {
        match &self.0 {
            Repr::One { value, .. } => Ok(*value),
            Repr::Many(_) => {
                Err(ErrorKind::ElementCount { shape: vec![], wanted: 1, found: self.len() }.into())
            }
        }
    }

    /// The element type changed, element by element.
    ///
    /// ```
    /// let x = retrograde::Tensor::from([1.5_f64, -2.0]);
    /// assert_eq!(x.map(|x| x as f32)?.to_vec(), [1.5_f32, -2.0]);
    /// assert_eq!(x.map(|x| x > 0.0)?.to_vec(), [true, false]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OutOfMemory`].
    pub fn map<U: Element>(&self, f: impl Fn(E) -> U + Sync) -> Result<Tensor<U>> {
        elementwise([self], 1.0, |[x], out| {
            for (out, &x) in out.iter_mut().zip(x) {
                *out = f(x);
            }
        })
    }

    /// Strides for reading this tensor as `shape`, which it broadcasts to: 0 along repeated axes.
    fn broadcast_strides(&self, shape: &[usize]) -> Strides {
        let mut strides = Strides::from_elem(0, shape.len());
        let own = self.shape().iter().zip(self.strides()).rev();
        for (stride, (&n, &s)) in strides.iter_mut().rev().zip(own) {
            *stride = if n == 1 { 0 } else { s };
        }
        strides
    }

    /// Whether the elements fill a piece of memory without gaps, in the order of some permutation of the axes.
    fn is_dense(&self) -> bool {
        let mut axes: smallvec::SmallVec<[(isize, usize); 4]> =
            self.strides().iter().copied().zip(self.shape().iter().copied()).filter(|a| a.1 != 1).collect();
        axes.sort_unstable();
        let mut step = 1;
        axes.iter().all(|&(stride, n)| {
            let fits = stride == step;
            step *= n as isize;
            fits
        })
    }
}

fn is_row_major(shape: &[usize], strides: &[isize]) -> bool {
    let mut step = 1;
    shape.iter().zip(strides).rev().all(|(&n, &stride)| {
        let fits = n <= 1 || stride == step;
        step *= n.max(1) as isize;
        fits
    })
}

/// Combines broadcast operands element by element: `row` gets matching pieces as slices. `ns` as in
/// [`kernels::map`]. Operands that lie alike in memory, if permuted, are not reordered: the result lies as they do.
///
/// # Errors
///
/// [`ErrorKind::Broadcast`] for shapes that do not, [`ErrorKind::OutOfMemory`].
#[inline]
pub(crate) fn elementwise<E: Element, U: Element, const K: usize>(
    inputs: [&Tensor<E>; K],
    ns: f32,
    row: impl Fn([&[E]; K], &mut [U]) + Sync,
) -> Result<Tensor<U>> {
    if let Some((rank, values)) = all_one(inputs) {
        let mut out = [U::default()];
        row(values, &mut out);
        return Ok(Tensor(Repr::One { rank, value: out[0] }));
    }
    elementwise_of_many(inputs, ns, &row)
}

fn elementwise_of_many<E: Element, U: Element, const K: usize>(
    inputs: [&Tensor<E>; K],
    ns: f32,
    row: &Row<'_, E, U, K>,
) -> Result<Tensor<U>> {
    let first = inputs[0];
    let alike = inputs[1..].iter().all(|x| x.shape() == first.shape() && x.strides() == first.strides());
    if alike && first.is_dense() && !first.is_empty() {
        let mut buffer = Buffer::new(first.len())?;
        let flat = inputs.map(|x| View { strides: &[1], ..x.view() });
        kernels::map(&[first.len()], flat, &mut buffer, ns, row);
        return Ok(Tensor::owned(first.strides().into(), first.shape_owned(), buffer));
    }
    let mut shape = first.shape_owned();
    for x in &inputs[1..] {
        shape = broadcast(&shape, x.shape())?;
    }
    let strides = inputs.map(|x| x.broadcast_strides(&shape));
    let views: [View<'_, E>; K] = std::array::from_fn(|k| View { strides: &strides[k], ..inputs[k].view() });
    Tensor::build(shape.clone(), |out| kernels::map(&shape, views, out, ns, row))
}

/// The one element of each input as a slice, and the rank they broadcast to, if each has just one.
#[inline(always)]
fn all_one<E: Element, const K: usize>(inputs: [&Tensor<E>; K]) -> Option<(u32, [&[E]; K])> {
    let mut most = 0;
    let mut values: [&[E]; K] = [&[]; K];
    for (slice, input) in values.iter_mut().zip(inputs) {
        let Repr::One { rank, value } = &input.0 else { return None };
        most = most.max(*rank);
        *slice = std::slice::from_ref(value);
    }
    Some((most, values))
}

/// As [`elementwise`] for an operator that gives the same bits on every instruction set, so that single elements
/// need no vector loop.
///
/// # Errors
///
/// As [`elementwise`].
#[inline]
pub(crate) fn exact<T: Real, const K: usize>(
    f: impl Function<K>,
    inputs: [&Tensor<T>; K],
    row: impl Fn([&[T]; K], &mut [T]) + Sync,
) -> Result<Tensor<T>> {
    match all_one(inputs) {
        Some((rank, values)) => Ok(Tensor(Repr::One { rank, value: f.at(values.map(|x| x[0])) })),
        None => elementwise(inputs, LIGHT, row),
    }
}

impl<E: Element> PartialEq for Tensor<E> {
    /// Equal shapes and equal elements; NaN differs from itself, as everywhere.
    fn eq(&self, other: &Tensor<E>) -> bool {
        self.shape() == other.shape() && self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests;
