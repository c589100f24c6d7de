//! A matrix of which only the entries of a pattern are kept.

use super::Sparsity;
use crate::error::Result;
use crate::number::Real;
use crate::shape::same;
use crate::tensor::Tensor;

/// A sparse matrix by compressed rows.
#[derive(Clone, Debug, PartialEq)]
pub struct SparseMatrix<T> {
    pub(super) pattern: Sparsity,
    /// Of the pattern's entries, row by row.
    pub(super) values: Vec<T>,
}

impl<T: Real> SparseMatrix<T> {
    /// Where its entries are.
    pub fn pattern(&self) -> &Sparsity {
        &self.pattern
    }

    /// The entries' values, row by row, as the pattern has them.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// A row's entries, as (column, value); none if there is no such row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (usize, T)> + '_ {
        let range = if row < self.pattern.rows() { self.pattern.range(row) } else { 0..0 };
        self.pattern.row(row).iter().map(|&column| column as usize).zip(self.values[range].iter().copied())
    }

    /// The value at a place; 0 where there is no entry.
    pub fn get(&self, row: usize, column: usize) -> T {
        match self.pattern.row(row).binary_search(&u32::try_from(column).unwrap_or(u32::MAX)) {
            Ok(at) => self.values[self.pattern.starts[row] + at],
            Err(_) => T::ZERO,
        }
    }

    /// The product with a vector.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) if `x` has not one element for each column.
    ///
    /// ```
    /// use retrograde::Tensor;
    /// use retrograde::sparse::{Sparsity, jacobian};
    ///
    /// let x = Tensor::from([1.0, 2.0, 3.0]);
    /// let j = jacobian(|x| x * x, &x, &Sparsity::banded(3, 3, 0, 0)?)?;
    /// assert_eq!(j.matvec(&Tensor::from([1.0, 1.0, 10.0]))?.to_vec(), [2.0, 4.0, 60.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn matvec(&self, x: &Tensor<T>) -> Result<Tensor<T>> {
        let line = std::panic::Location::caller();
        same("x", x.shape(), &[self.pattern.columns]).map_err(|error| error.at("matvec", line))?;
        let x = x.to_vec();
        let of = |row| self.row(row).fold(T::ZERO, |sum, (column, value)| sum + value * x[column]);
        Ok((0..self.pattern.rows()).map(of).collect())
    }

    /// All of it, zeros and all, `[rows, columns]`.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](crate::ErrorKind::TooLarge), [`OutOfMemory`](crate::ErrorKind::OutOfMemory).
    #[track_caller]
    pub fn to_dense(&self) -> Result<Tensor<T>> {
        let columns = self.pattern.columns;
        let mut dense = Tensor::zeros([self.pattern.rows(), columns])?;
        let data = dense.as_mut_slice()?;
        for (row, (column, value)) in
            (0..self.pattern.rows()).flat_map(|row| self.row(row).map(move |e| (row, e)))
        {
            data[row * columns + column] = value;
        }
        Ok(dense)
    }
}
