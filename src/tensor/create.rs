//! Constructors.

use super::Tensor;
use crate::error::{ErrorKind, Result};
use crate::number::{Element, Real};
use crate::shape::{IntoShape, Shape};

impl<E: Element> Tensor<E> {
    /// A tensor of `shape` with the elements of `data` in row-major order.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ElementCount`] if the numbers of elements differ, [`ErrorKind::TooLarge`].
    ///
    /// ```
    /// use retrograde::Tensor;
    ///
    /// let x = Tensor::from_slice(&[1, 2, 3, 4, 5, 6], [2, 3])?;
    /// assert_eq!(x[[1, 0]], 4);
    /// let error = Tensor::from_slice(&[1, 2, 3], [2, 2]).unwrap_err();
    /// assert_eq!(error.to_string(), "shape [2, 2] needs 4 elements, found 3");
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn from_slice(data: &[E], shape: impl IntoShape) -> Result<Tensor<E>> {
        let shape = shape.into_shape()?;
        if shape.count() != data.len() {
            return Err(ErrorKind::ElementCount {
                wanted: shape.count(),
                shape: shape.to_vec(),
                found: data.len(),
            }
            .into());
        }
        Tensor::build(shape, |out| out.copy_from_slice(data))
    }

    /// A tensor of `shape` with the elements of an iterator in row-major order.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ElementCount`] if it gives more or fewer than the shape has; [`ErrorKind::TooLarge`].
    ///
    /// ```
    /// let x = retrograde::Tensor::from_iter_in((0..6).map(f64::from), [3, 2])?;
    /// assert_eq!(x[[2, 1]], 5.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn from_iter_in(data: impl IntoIterator<Item = E>, shape: impl IntoShape) -> Result<Tensor<E>> {
        let data: Vec<E> = data.into_iter().collect();
        Tensor::from_slice(&data, shape)
    }

    /// Every element the same.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`].
    ///
    /// ```
    /// let x = retrograde::Tensor::full([2, 2], 7_i64)?;
    /// assert_eq!(x.to_vec(), [7; 4]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn full(shape: impl IntoShape, value: E) -> Result<Tensor<E>> {
        Tensor::build(shape.into_shape()?, |out| out.fill(value))
    }

    /// A tensor like a function of the index, which it is given along each axis.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`], [`ErrorKind::OutOfMemory`].
    ///
    /// ```
    /// let hilbert = retrograde::Tensor::from_fn([2, 2], |i| 1.0 / (i[0] + i[1] + 1) as f64)?;
    /// assert_eq!(hilbert.to_vec(), [1.0, 0.5, 0.5, 1.0 / 3.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn from_fn(shape: impl IntoShape, mut f: impl FnMut(&[usize]) -> E) -> Result<Tensor<E>> {
        let shape = shape.into_shape()?;
        let mut index = vec![0; shape.len()];
        Tensor::build(shape.clone(), |out| {
            for value in out {
                *value = f(&index);
                for (i, &n) in index.iter_mut().zip(shape.iter()).rev() {
                    *i += 1;
                    if *i < n {
                        break;
                    }
                    *i = 0;
                }
            }
        })
    }
}

impl<T: Real> Tensor<T> {
    /// Zeros.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`], [`ErrorKind::OutOfMemory`].
    ///
    /// ```
    /// let x = retrograde::Tensor::<f32>::zeros([2, 0])?;
    /// assert!(x.is_empty());
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn zeros(shape: impl IntoShape) -> Result<Tensor<T>> {
        Tensor::full(shape, T::ZERO)
    }

    /// Zeros that take no memory: one element, met again at every index.
    pub(crate) fn zero_view(shape: impl IntoShape) -> Result<Tensor<T>> {
        Tensor::scalar(T::ZERO).expand(shape)
    }

    /// Ones.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`], [`ErrorKind::OutOfMemory`].
    pub fn ones(shape: impl IntoShape) -> Result<Tensor<T>> {
        Tensor::full(shape, T::ONE)
    }

    /// The identity matrix of `n` rows.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`], [`ErrorKind::OutOfMemory`].
    ///
    /// ```
    /// assert_eq!(retrograde::Tensor::<f64>::eye(2)?.to_vec(), [1.0, 0.0, 0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn eye(n: usize) -> Result<Tensor<T>> {
        Tensor::build([n, n].into_shape()?, |out| {
            out.fill(T::ZERO);
            out.iter_mut().step_by(n + 1).for_each(|x| *x = T::ONE);
        })
    }

    /// `n` numbers evenly spaced from `start` to `end`, both included; `start` alone for `n = 1`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`], [`ErrorKind::OutOfMemory`].
    ///
    /// ```
    /// assert_eq!(retrograde::Tensor::<f64>::linspace(0.0, 1.0, 5)?.to_vec(), [0.0, 0.25, 0.5, 0.75, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn linspace(start: f64, end: f64, n: usize) -> Result<Tensor<T>> {
        let steps = n.saturating_sub(1).max(1) as f64;
        Tensor::build([n].into_shape()?, |out| {
            for (i, x) in out.iter_mut().enumerate() {
                // Weighted from both ends, so that the last one is `end` itself.
                let t = i as f64 / steps;
                *x = T::from_f64(start * (1.0 - t) + end * t);
            }
        })
    }

    /// `start`, `start + step`, … below `end` (above it for a negative step).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Argument`] for a step of zero or bounds that are not finite; [`ErrorKind::TooLarge`].
    ///
    /// ```
    /// assert_eq!(retrograde::Tensor::<f32>::arange(1.0, 2.0, 0.25)?.to_vec(), [1.0, 1.25, 1.5, 1.75]);
    /// assert_eq!(retrograde::Tensor::<f32>::arange(2.0, 0.0, -1.0)?.to_vec(), [2.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn arange(start: f64, end: f64, step: f64) -> Result<Tensor<T>> {
        let count = ((end - start) / step).ceil();
        if !count.is_finite() || step == 0.0 {
            return Err(ErrorKind::Argument {
                name: "arange",
                found: format!("from {start} to {end} by {step}"),
                wanted: "finite bounds and a step other than 0".into(),
            }
            .into());
        }
        // The cast saturates, and the shape refuses what no memory holds.
        let shape = Shape::new([count.max(0.0) as usize])?;
        Tensor::build(shape, |out| {
            for (i, x) in out.iter_mut().enumerate() {
                *x = T::from_f64(start + i as f64 * step);
            }
        })
    }
}

impl<E: Element> From<E> for Tensor<E> {
    fn from(value: E) -> Tensor<E> {
        Tensor::scalar(value)
    }
}

/// Nested arrays are small by nature; like a `Vec`, these abort only when the system has no memory at all.
macro_rules! from_arrays {
    ($([$($n:ident)+], $array:ty, $flat:expr;)*) => {$(
        impl<E: Element, $(const $n: usize),+> From<$array> for Tensor<E> {
            fn from(array: $array) -> Tensor<E> {
                let flat: fn(&$array) -> &[E] = $flat;
                let built = Shape::new([$($n),+])
                    .and_then(|shape| Tensor::build(shape, |out| out.copy_from_slice(flat(&array))));
                built.expect("an array that exists fits into memory once more")
            }
        }
    )*};
}
from_arrays! {
    [A], [E; A], |x| x;
    [A B], [[E; B]; A], |x| x.as_flattened();
    [A B C], [[[E; C]; B]; A], |x| x.as_flattened().as_flattened();
}

impl<E: Element> From<Vec<E>> for Tensor<E> {
    /// A vector: one axis.
    fn from(data: Vec<E>) -> Tensor<E> {
        Tensor::from_slice(&data, [data.len()]).expect("a vector that exists fits into memory once more")
    }
}

impl<E: Element> FromIterator<E> for Tensor<E> {
    /// A vector: one axis.
    fn from_iter<I: IntoIterator<Item = E>>(data: I) -> Tensor<E> {
        Tensor::from(data.into_iter().collect::<Vec<E>>())
    }
}

impl From<std::ops::Range<i64>> for Tensor<i64> {
    fn from(range: std::ops::Range<i64>) -> Tensor<i64> {
        range.collect()
    }
}
