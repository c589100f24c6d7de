//! Shapes, axes and broadcasting, checked once so that nothing later can overflow.

use crate::error::{Error, ErrorKind, Result};
use smallvec::SmallVec;
use std::fmt;
use std::ops::Deref;

/// The most axes a tensor can have.
pub const MAX_RANK: usize = 64;

/// Distances in elements from one index to the next along each axis.
pub(crate) type Strides = SmallVec<[isize; 4]>;

/// The lengths of a tensor's axes: at most 64 of them, and few enough elements for memory to be addressed.
///
/// Dereferences to a slice of lengths. Made by [`IntoShape`], which checks.
///
/// ```
/// use retrograde::IntoShape;
///
/// let shape = [2, 3].into_shape()?;
/// assert_eq!(shape.len(), 2);
/// assert_eq!(shape.count(), 6);
/// assert!([usize::MAX, 2, 0].into_shape().is_err());
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape(SmallVec<[usize; 4]>);

impl Shape {
    /// Checks rank and size: the product of the non-zero lengths, at 8 bytes an element, must be addressable.
    pub(crate) fn new(dims: impl AsRef<[usize]>) -> Result<Shape> {
        let dims = dims.as_ref();
        let bytes = dims.iter().filter(|&&n| n != 0).try_fold(8usize, |a, &n| a.checked_mul(n));
        match bytes {
            Some(bytes) if bytes <= isize::MAX as usize && dims.len() <= MAX_RANK => {
                Ok(Shape(SmallVec::from_slice(dims)))
            }
            _ => Err(ErrorKind::TooLarge { shape: dims.to_vec() }.into()),
        }
    }

    /// The number of elements: the product of the lengths, 1 for no axes.
    pub fn count(&self) -> usize {
        self.0.iter().product()
    }
}

impl Deref for Shape {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl AsRef<[usize]> for Shape {
    fn as_ref(&self) -> &[usize] {
        &self.0
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0[..], f)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0[..], f)
    }
}

impl PartialEq<[usize]> for Shape {
    fn eq(&self, other: &[usize]) -> bool {
        self.0[..] == *other
    }
}

impl<const N: usize> PartialEq<[usize; N]> for Shape {
    fn eq(&self, other: &[usize; N]) -> bool {
        self.0[..] == *other
    }
}

/// What a shape can be made from: arrays, slices and vectors of lengths, and shapes.
pub trait IntoShape {
    /// The checked shape.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] for more than 64 axes or more bytes than can be addressed.
    fn into_shape(self) -> Result<Shape>;
}

impl IntoShape for Shape {
    fn into_shape(self) -> Result<Shape> {
        Ok(self)
    }
}

impl IntoShape for &Shape {
    fn into_shape(self) -> Result<Shape> {
        Ok(self.clone())
    }
}

impl IntoShape for &[usize] {
    fn into_shape(self) -> Result<Shape> {
        Shape::new(self)
    }
}

impl IntoShape for Vec<usize> {
    fn into_shape(self) -> Result<Shape> {
        Shape::new(self)
    }
}

impl<const N: usize> IntoShape for [usize; N] {
    fn into_shape(self) -> Result<Shape> {
        Shape::new(self)
    }
}

impl<const N: usize> IntoShape for &[usize; N] {
    fn into_shape(self) -> Result<Shape> {
        Shape::new(self)
    }
}

/// Axes to act on. Negative ones count from the end: −1 is the last.
///
/// Made from one axis or from a list of axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axes(Option<SmallVec<[isize; 4]>>);

impl Axes {
    /// Every axis.
    pub const ALL: Axes = Axes(None);

    /// The axes counted from the front, in the order given; nothing for [`ALL`](Axes::ALL).
    pub(crate) fn in_order(&self, shape: &[usize]) -> Result<Option<SmallVec<[usize; 4]>>> {
        let Some(axes) = &self.0 else { return Ok(None) };
        self.resolve(shape)?;
        axes.iter().map(|&axis| resolve_axis(axis, shape)).collect::<Result<_>>().map(Some)
    }

    /// The axes counted from the front, ascending.
    pub(crate) fn resolve(&self, shape: &[usize]) -> Result<SmallVec<[usize; 4]>> {
        let Some(axes) = &self.0 else {
            return Ok((0..shape.len()).collect());
        };
        let mut out = SmallVec::new();
        for &axis in axes {
            out.push(resolve_axis(axis, shape)?);
        }
        out.sort_unstable();
        match out.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(ErrorKind::AxisTwice { axis: pair[0] }.into()),
            None => Ok(out),
        }
    }
}

impl From<isize> for Axes {
    fn from(axis: isize) -> Axes {
        Axes(Some(SmallVec::from_slice(&[axis])))
    }
}

impl<const N: usize> From<[isize; N]> for Axes {
    fn from(axes: [isize; N]) -> Axes {
        Axes(Some(SmallVec::from_slice(&axes)))
    }
}

impl From<&[isize]> for Axes {
    fn from(axes: &[isize]) -> Axes {
        Axes(Some(SmallVec::from_slice(axes)))
    }
}

impl From<Vec<isize>> for Axes {
    fn from(axes: Vec<isize>) -> Axes {
        Axes(Some(SmallVec::from_vec(axes)))
    }
}

/// An axis counted from the front.
pub(crate) fn resolve_axis(axis: isize, shape: &[usize]) -> Result<usize> {
    let rank = shape.len() as isize;
    let resolved = if axis < 0 { axis.saturating_add(rank) } else { axis };
    if (0..rank).contains(&resolved) {
        Ok(resolved as usize)
    } else {
        Err(ErrorKind::Axis { axis, shape: shape.to_vec() }.into())
    }
}

/// The shape both broadcast to by NumPy's rule: aligned at the last axis, lengths equal or 1.
pub(crate) fn broadcast(left: &[usize], right: &[usize]) -> Result<Shape> {
    let rank = left.len().max(right.len());
    let mut dims = SmallVec::<[usize; 4]>::from_elem(0, rank);
    for (i, dim) in dims.iter_mut().rev().enumerate() {
        let l = if i < left.len() { left[left.len() - 1 - i] } else { 1 };
        let r = if i < right.len() { right[right.len() - 1 - i] } else { 1 };
        *dim = match (l, r) {
            (l, r) if l == r => l,
            (1, r) => r,
            (l, 1) => l,
            _ => return Err(Error::from(ErrorKind::Broadcast { left: left.into(), right: right.into() })),
        };
    }
    Shape::new(dims)
}

/// Refuses a shape that is not the one wanted. `what` is formatted only then.
pub(crate) fn same(what: impl fmt::Display, found: &[usize], wanted: &[usize]) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    let (what, found, wanted) = (what.to_string(), found.to_vec(), wanted.to_vec());
    Err(ErrorKind::Shape { what, found, wanted }.into())
}

/// The shape of a batch of matrices, its last two axes apart.
pub(crate) fn matrices(shape: &[usize]) -> Result<(&[usize], usize, usize)> {
    match shape {
        [batch @ .., rows, columns] => Ok((batch, *rows, *columns)),
        _ => Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "at least 2" }.into()),
    }
}

/// The same for square matrices.
pub(crate) fn square(shape: &[usize]) -> Result<(&[usize], usize)> {
    match matrices(shape)? {
        (batch, rows, columns) if rows == columns => Ok((batch, rows)),
        _ => Err(ErrorKind::NotSquare { found: shape.to_vec() }.into()),
    }
}

/// The index of the element at a place counted in row-major order.
pub(crate) fn unravel(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (i, &n) in index.iter_mut().zip(shape).rev() {
        (*i, at) = (at % n.max(1), at / n.max(1));
    }
    index
}

/// The strides of a row-major layout.
pub(crate) fn row_major(shape: &[usize]) -> Strides {
    let mut strides = Strides::from_elem(0, shape.len());
    let mut step = 1isize;
    for (stride, &n) in strides.iter_mut().zip(shape).rev() {
        *stride = step;
        step *= n.max(1) as isize;
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_overflow_or_wrap_are_refused() {
        for dims in [vec![usize::MAX, 2, 0], vec![1 << 32, 1 << 32], vec![1 << 60], vec![1; MAX_RANK + 1]] {
            let error = Shape::new(&dims).unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::TooLarge { shape: dims });
        }
        assert_eq!(Shape::new([1; MAX_RANK]).unwrap().count(), 1);
        assert_eq!(Shape::new([1 << 59, 0]).unwrap().count(), 0);
        assert_eq!(Shape::new([]).unwrap().count(), 1);
    }

    #[test]
    fn broadcasting_aligns_at_the_last_axis() {
        let cases: [(&[usize], &[usize], &[usize]); 6] = [
            (&[2, 3], &[3], &[2, 3]),
            (&[2, 1, 4], &[3, 1], &[2, 3, 4]),
            (&[], &[5], &[5]),
            (&[0], &[1], &[0]),
            (&[2, 0], &[1, 1, 1], &[1, 2, 0]),
            (&[7], &[7], &[7]),
        ];
        for (left, right, wanted) in cases {
            assert_eq!(broadcast(left, right).unwrap()[..], *wanted);
            assert_eq!(broadcast(right, left).unwrap()[..], *wanted);
        }
        assert!(broadcast(&[2, 3], &[2]).is_err());
        assert!(broadcast(&[0], &[2]).is_err());
    }

    #[test]
    fn axes_are_counted_checked_and_sorted() {
        let shape = [2, 3, 4];
        assert_eq!(Axes::from([-1, 0]).resolve(&shape).unwrap()[..], [0, 2]);
        assert_eq!(Axes::ALL.resolve(&shape).unwrap()[..], [0, 1, 2]);
        assert!(Axes::from([0isize; 0]).resolve(&shape).unwrap().is_empty());
        assert_eq!(Axes::from([-1, 0]).in_order(&shape).unwrap().unwrap()[..], [2, 0]);
        assert_eq!(Axes::ALL.in_order(&shape).unwrap(), None);
        assert!(Axes::from([1, -2]).in_order(&shape).is_err());
        assert_eq!(
            *Axes::from([1, -2]).resolve(&shape).unwrap_err().kind(),
            ErrorKind::AxisTwice { axis: 1 }
        );
        for axis in [3, -4, isize::MAX, isize::MIN] {
            let wanted = ErrorKind::Axis { axis, shape: shape.to_vec() };
            assert_eq!(*Axes::from(axis).resolve(&shape).unwrap_err().kind(), wanted);
        }
    }

    #[test]
    fn places_become_indices() {
        assert_eq!(unravel(23, &[2, 3, 4]), [1, 2, 3]);
        assert_eq!(unravel(5, &[2, 3, 4]), [0, 1, 1]);
        assert!(unravel(0, &[]).is_empty());
    }

    #[test]
    fn row_major_strides() {
        assert_eq!(row_major(&[2, 3, 4])[..], [12, 4, 1]);
        assert!(row_major(&[]).is_empty());
    }
}
