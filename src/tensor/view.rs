//! Views: other shapes and orders of the same memory.

use super::{Array, Repr, Storage, Tensor};
use crate::error::{ErrorKind, Result};
use crate::number::Element;
use crate::shape::{Axes, IntoShape, Shape, Strides, resolve_axis, row_major};
use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo};
use std::sync::Arc;

/// Which indices of an axis to keep: a range, and a step through it.
///
/// Negative bounds count from the end. A negative step takes the same range from its end backwards.
///
/// ```
/// use retrograde::{Slice, Tensor};
///
/// let x = Tensor::from([0, 1, 2, 3, 4, 5]);
/// assert_eq!(x.slice(0, 1..-1)?.to_vec(), [1, 2, 3, 4]);
/// assert_eq!(x.slice(0, Slice::from(..).step(2))?.to_vec(), [0, 2, 4]);
/// assert_eq!(x.slice(0, Slice::from(1..).step(-2))?.to_vec(), [5, 3, 1]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    start: isize,
    end: Option<isize>,
    step: isize,
}

impl Slice {
    /// The same range with another step.
    pub fn step(self, step: isize) -> Slice {
        Slice { step, ..self }
    }

    /// The first index kept, how many are, and the step.
    pub(crate) fn resolve(self, axis: usize, size: usize) -> Result<(usize, usize, isize)> {
        let bound = |at: isize| {
            let resolved = if at < 0 { at.saturating_add(size as isize) } else { at };
            if (0..=size as isize).contains(&resolved) {
                Ok(resolved as usize)
            } else {
                Err(ErrorKind::Index { index: at as i64, axis, size })
            }
        };
        let (start, end) = (bound(self.start)?, bound(self.end.unwrap_or(size as isize))?);
        let stride = self.step.unsigned_abs();
        if stride == 0 {
            let kind =
                ErrorKind::Argument { name: "step", found: "0".into(), wanted: "another number".into() };
            return Err(kind.into());
        }
        let count = end.saturating_sub(start).div_ceil(stride);
        let first = if self.step < 0 && count > 0 { end - 1 } else { start };
        Ok((first, count, self.step))
    }
}

impl From<Range<isize>> for Slice {
    fn from(range: Range<isize>) -> Slice {
        Slice { start: range.start, end: Some(range.end), step: 1 }
    }
}

impl From<RangeInclusive<isize>> for Slice {
    fn from(range: RangeInclusive<isize>) -> Slice {
        // The end −1 included is the whole axis.
        let end = range.end().checked_add(1).filter(|&end| end != 0);
        Slice { start: *range.start(), end, step: 1 }
    }
}

impl From<RangeFrom<isize>> for Slice {
    fn from(range: RangeFrom<isize>) -> Slice {
        Slice { start: range.start, end: None, step: 1 }
    }
}

impl From<RangeTo<isize>> for Slice {
    fn from(range: RangeTo<isize>) -> Slice {
        Slice { start: 0, end: Some(range.end), step: 1 }
    }
}

impl From<RangeFull> for Slice {
    fn from(_: RangeFull) -> Slice {
        Slice { start: 0, end: None, step: 1 }
    }
}

impl<E: Element> Tensor<E> {
    /// Another layout of the same memory. The caller answers for every index lying inside it.
    fn strided(&self, shape: Shape, strides: Strides, offset: usize) -> Tensor<E> {
        let value = |data: &[E]| Tensor(Repr::One { rank: shape.len() as u32, value: data[offset] });
        match &self.0 {
            _ if shape.count() == 1 => value(self.view().data),
            Repr::One { .. } => {
                // A broadcast, or an empty piece, of one element needs memory to be a view of.
                let data = &self.view().data[..shape.count().min(1)];
                let mut owner = super::buffer::Buffer::new(data.len()).expect("64 bytes");
                owner.copy_from_slice(data);
                let array = Array { shape, strides, offset: 0, storage: Storage::Own(owner) };
                Tensor(Repr::Many(Arc::new(array)))
            }
            Repr::Many(array) => {
                let owner = match &array.storage {
                    Storage::Own(_) => array.clone(),
                    Storage::Of(owner) => owner.clone(),
                };
                let storage = Storage::Of(owner);
                Tensor(Repr::Many(Arc::new(Array { shape, strides, offset, storage })))
            }
        }
    }

    /// The same elements in row-major order under another shape. A view where the strides allow it, else a copy.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ElementCount`] if the number of elements differs; [`ErrorKind::TooLarge`].
    ///
    /// ```
    /// let x = retrograde::Tensor::from([1, 2, 3, 4, 5, 6]).reshape([2, 3])?;
    /// assert_eq!(x[[1, 0]], 4);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn reshape(&self, shape: impl IntoShape) -> Result<Tensor<E>> {
        let shape = shape.into_shape()?;
        if shape.count() != self.len() {
            let (wanted, found) = (shape.count(), self.len());
            return Err(ErrorKind::ElementCount { shape: shape.to_vec(), wanted, found }.into());
        }
        match self.reshaped_strides(&shape) {
            Some(strides) => Ok(self.strided(shape, strides, self.view().offset)),
            None => {
                let copy = self.contiguous()?;
                let strides = row_major(&shape);
                Ok(copy.strided(shape, strides, 0))
            }
        }
    }

    /// The strides under which the same memory has the new shape, if there are any: each run of new axes must
    /// cover a run of old ones that the memory steps through evenly.
    fn reshaped_strides(&self, shape: &[usize]) -> Option<Strides> {
        if self.len() <= 1 || super::is_row_major(self.shape(), self.strides()) {
            return Some(row_major(shape));
        }
        let old: smallvec::SmallVec<[(usize, isize); 4]> =
            self.shape().iter().copied().zip(self.strides().iter().copied()).filter(|a| a.0 != 1).collect();
        let mut strides = Strides::from_elem(0, shape.len());
        let (mut i, mut j) = (0, 0);
        while i < old.len() {
            let (mut from, mut until) = (i + 1, j);
            let (mut have, mut want) = (old[i].0, 1);
            while have != want {
                if want < have {
                    want *= shape[until];
                    until += 1;
                } else {
                    if old[from - 1].1 != old[from].1 * old[from].0 as isize {
                        return None;
                    }
                    have *= old[from].0;
                    from += 1;
                }
            }
            let mut step = old[from - 1].1;
            for axis in (j..until).rev() {
                strides[axis] = step;
                step *= shape[axis] as isize;
            }
            (i, j) = (from, until);
        }
        Some(strides)
    }

    /// The axes in another order: axis `i` of the result is axis `axes[i]` of this one. A view.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Axis`], [`ErrorKind::AxisTwice`], or [`ErrorKind::Rank`] if an axis is missing.
    ///
    /// ```
    /// let x = retrograde::Tensor::<f64>::zeros([2, 3, 4])?;
    /// assert_eq!(x.permute([2, 0, 1])?.shape(), [4, 2, 3]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn permute(&self, axes: impl AsRef<[isize]>) -> Result<Tensor<E>> {
        let order = resolve_order(axes.as_ref(), self.shape())?;
        let dims: smallvec::SmallVec<[usize; 4]> = order.iter().map(|&a| self.shape()[a]).collect();
        let strides = order.iter().map(|&a| self.strides()[a]).collect();
        Ok(self.strided(Shape::new(dims)?, strides, self.view().offset))
    }

    /// Two axes swapped. A view.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Axis`].
    pub fn transpose(&self, a: isize, b: isize) -> Result<Tensor<E>> {
        let (a, b) = (resolve_axis(a, self.shape())?, resolve_axis(b, self.shape())?);
        let mut order: smallvec::SmallVec<[isize; 4]> = (0..self.rank() as isize).collect();
        order.swap(a, b);
        self.permute(order)
    }

    /// The indices of one axis that a range keeps. A view.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Axis`], [`ErrorKind::Index`] for a bound outside the axis, [`ErrorKind::Argument`] for a
    /// step of 0.
    pub fn slice(&self, axis: isize, range: impl Into<Slice>) -> Result<Tensor<E>> {
        let axis = resolve_axis(axis, self.shape())?;
        let (first, count, step) = range.into().resolve(axis, self.shape()[axis])?;
        let mut dims = self.shape().to_vec();
        dims[axis] = count;
        let mut strides = Strides::from_slice(self.strides());
        let shape = Shape::new(dims)?;
        // An empty piece may begin past the end of the memory.
        let begin = if shape.count() == 0 { None } else { Some(first as isize * strides[axis]) };
        let offset = begin.map_or(0, |begin| (self.view().offset as isize + begin) as usize);
        // The step of an axis of length 1 leads nowhere, however long it is.
        strides[axis] = strides[axis].saturating_mul(step);
        Ok(self.strided(shape, strides, offset))
    }

    /// Some axes read backwards. A view.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Axis`], [`ErrorKind::AxisTwice`].
    ///
    /// ```
    /// let x = retrograde::Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.flip(1)?.to_vec(), [2, 1, 4, 3]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn flip(&self, axes: impl Into<Axes>) -> Result<Tensor<E>> {
        let axes = axes.into().resolve(self.shape())?;
        let backwards = Slice::from(..).step(-1);
        axes.iter().try_fold(self.clone(), |x, &axis| x.slice(axis as isize, backwards))
    }

    /// Another layout of the memory of a row-major copy: the element at index `i` is number `offset + i · strides` in
    /// row-major order. A view where the elements are in that order. Every index must lie inside.
    pub(crate) fn as_strided(&self, shape: Shape, strides: Strides, offset: usize) -> Result<Tensor<E>> {
        let dense = self.contiguous()?;
        let begin = if shape.count() == 0 { 0 } else { dense.view().offset + offset };
        Ok(dense.strided(shape, strides, begin))
    }

    /// Axes of length 1 repeated, and new ones put in front, to reach `shape`. A view with strides of 0.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Broadcast`] if an axis has another length than 1 and `shape`'s.
    ///
    /// ```
    /// let x = retrograde::Tensor::from([1, 2]).expand([3, 2])?;
    /// assert_eq!(x.to_vec(), [1, 2, 1, 2, 1, 2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "broadcast_to")]
    pub fn expand(&self, shape: impl IntoShape) -> Result<Tensor<E>> {
        let shape = shape.into_shape()?;
        let fits = shape.len() >= self.rank()
            && self.shape().iter().rev().zip(shape.iter().rev()).all(|(&n, &m)| n == m || n == 1);
        if !fits {
            return Err(ErrorKind::Broadcast { left: self.shape().to_vec(), right: shape.to_vec() }.into());
        }
        let strides = self.broadcast_strides(&shape);
        Ok(self.strided(shape, strides, self.view().offset))
    }

    /// An axis of length 1 removed. A view.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Axis`]; [`ErrorKind::Argument`] if its length is not 1.
    pub fn squeeze(&self, axis: isize) -> Result<Tensor<E>> {
        let axis = resolve_axis(axis, self.shape())?;
        let mut dims = self.shape().to_vec();
        let length = dims.remove(axis);
        if length != 1 {
            let found = format!("{length} along axis {axis} of shape {:?}", self.shape());
            return Err(ErrorKind::Argument { name: "length", found, wanted: "1".into() }.into());
        }
        let mut strides = Strides::from_slice(self.strides());
        strides.remove(axis);
        Ok(self.strided(Shape::new(dims)?, strides, self.view().offset))
    }

    /// A new axis of length 1 before `axis`; −1 puts it last. A view.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Axis`]; [`ErrorKind::TooLarge`] past 64 axes.
    ///
    /// ```
    /// let x = retrograde::Tensor::from([1, 2]);
    /// assert_eq!((x.unsqueeze(0)?.shape(), x.unsqueeze(-1)?.shape()), (&[1, 2][..], &[2, 1][..]));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn unsqueeze(&self, axis: isize) -> Result<Tensor<E>> {
        let mut dims = self.shape().to_vec();
        dims.push(1);
        let at = resolve_axis(axis, &dims)?;
        dims.rotate_right(1);
        dims[..=at].rotate_left(1);
        let mut strides = Strides::from_slice(self.strides());
        strides.insert(at, 0);
        Ok(self.strided(Shape::new(dims)?, strides, self.view().offset))
    }

    /// The elements whose indices along two axes are equal; that diagonal is the last axis of the result. A view.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Axis`]; [`ErrorKind::AxisTwice`].
    ///
    /// ```
    /// let x = retrograde::Tensor::from([[1, 2, 3], [4, 5, 6]]);
    /// assert_eq!(x.diagonal(0, 1)?.to_vec(), [1, 5]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn diagonal(&self, axis1: isize, axis2: isize) -> Result<Tensor<E>> {
        let (a, b) = (resolve_axis(axis1, self.shape())?, resolve_axis(axis2, self.shape())?);
        if a == b {
            return Err(ErrorKind::AxisTwice { axis: a }.into());
        }
        let mut dims = self.shape().to_vec();
        let mut strides = Strides::from_slice(self.strides());
        for axis in [a.max(b), a.min(b)] {
            dims.remove(axis);
            strides.remove(axis);
        }
        dims.push(self.shape()[a].min(self.shape()[b]));
        strides.push(self.strides()[a].saturating_add(self.strides()[b]));
        let shape = Shape::new(dims)?;
        Ok(self.strided(shape, strides, self.view().offset))
    }
}

/// A whole permutation of the axes, counted from the front.
pub(crate) fn resolve_order(axes: &[isize], shape: &[usize]) -> Result<smallvec::SmallVec<[usize; 4]>> {
    if axes.len() != shape.len() {
        let kind = ErrorKind::Rank { found: shape.to_vec(), wanted: "as many axes as are named" };
        return Err(kind.into());
    }
    let mut seen = smallvec::SmallVec::<[bool; 8]>::from_elem(false, shape.len());
    let mut order = smallvec::SmallVec::new();
    for &axis in axes {
        let axis = resolve_axis(axis, shape)?;
        if std::mem::replace(&mut seen[axis], true) {
            return Err(ErrorKind::AxisTwice { axis }.into());
        }
        order.push(axis);
    }
    Ok(order)
}
