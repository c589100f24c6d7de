//! Reading elements: by index and in order.

use super::Tensor;
use crate::error::{ErrorKind, Result};
use crate::kernels::View;
use crate::number::Element;
use smallvec::SmallVec;
use std::ops::Index;

impl<E: Element> Tensor<E> {
    /// The element at an index along each axis.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rank`] if there are more or fewer indices than axes, [`ErrorKind::Index`] if one is out of
    /// range.
    ///
    /// ```
    /// let x = retrograde::Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.get([1, 0])?, 3.0);
    /// assert_eq!(x.get([1, 2]).unwrap_err().to_string(), "index 2 is out of range for axis 1 of size 2");
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn get(&self, index: impl AsRef<[usize]>) -> Result<E> {
        self.position(index.as_ref()).map(|at| self.view().data[at])
    }

    fn position(&self, index: &[usize]) -> Result<usize> {
        let shape = self.shape();
        if index.len() != shape.len() {
            let kind = ErrorKind::Rank { found: shape.to_vec(), wanted: "as many axes as indices" };
            return Err(kind.into());
        }
        let mut at = self.view().offset as isize;
        for (axis, ((&i, &size), &stride)) in index.iter().zip(shape).zip(self.strides()).enumerate() {
            if i >= size {
                return Err(ErrorKind::Index { index: i as i64, axis, size }.into());
            }
            at += i as isize * stride;
        }
        Ok(at as usize)
    }

    /// The elements in row-major order.
    ///
    /// ```
    /// let x = retrograde::Tensor::from([[1, 2], [3, 4]]).transpose(0, 1)?;
    /// assert_eq!(x.iter().collect::<Vec<i64>>(), [1, 3, 2, 4]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn iter(&self) -> Iter<'_, E> {
        Iter {
            view: self.view(),
            shape: self.shape(),
            at: SmallVec::from_elem(0, self.rank()),
            offset: self.view().offset as isize,
            left: self.len(),
        }
    }
}

/// # Panics
///
/// As a slice does, if an index is out of range or there are more or fewer indices than axes, with the text of
/// [`Tensor::get`]'s error.
impl<E: Element, const N: usize> Index<[usize; N]> for Tensor<E> {
    type Output = E;
    #[track_caller]
    fn index(&self, index: [usize; N]) -> &E {
        match self.position(&index) {
            Ok(at) => &self.view().data[at],
            Err(error) => panic!("{error}"),
        }
    }
}

/// A tensor's elements in row-major order.
#[derive(Clone)]
pub struct Iter<'a, E> {
    view: View<'a, E>,
    shape: &'a [usize],
    at: SmallVec<[usize; 4]>,
    offset: isize,
    left: usize,
}

impl<E: Element> Iterator for Iter<'_, E> {
    type Item = E;

    fn next(&mut self) -> Option<E> {
        self.left = self.left.checked_sub(1)?;
        let value = self.view.data[self.offset as usize];
        for axis in (0..self.shape.len()).rev() {
            let stride = self.view.strides[axis];
            // The step of an axis of length 1 is never taken, and may be any.
            if self.at[axis] + 1 < self.shape[axis] {
                self.at[axis] += 1;
                self.offset += stride;
                break;
            }
            self.offset -= self.at[axis] as isize * stride;
            self.at[axis] = 0;
        }
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<E: Element> ExactSizeIterator for Iter<'_, E> {}

impl<'a, E: Element> IntoIterator for &'a Tensor<E> {
    type Item = E;
    type IntoIter = Iter<'a, E>;
    fn into_iter(self) -> Iter<'a, E> {
        self.iter()
    }
}
