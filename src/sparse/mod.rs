//! Sparse Jacobians: a few sweeps for all of the entries, by colouring.
//!
//! Columns that share no row can be computed in one forward sweep, along the sum of their directions: each row of the
//! product then belongs to one of them. The columns are coloured so that no two of one colour meet in a row (Curtis,
//! Powell and Reid 1974), and there is one sweep a colour; or the rows, in reverse, if that takes fewer. A banded
//! Jacobian takes as many sweeps as its band is wide, whatever its size.
//!
//! ```
//! use retrograde::Tensor;
//! use retrograde::sparse::{Sparsity, jacobian};
//!
//! // yᵢ = xᵢ xᵢ₊₁, with two entries in each row.
//! let n = 100_000;
//! let x = Tensor::linspace(1.0, 2.0, n)?;
//! let pattern = Sparsity::banded(n - 1, n, 0, 1)?;
//! assert_eq!(pattern.sweeps(), 2);
//! let j = jacobian(|x| x.slice(0, ..-1) * x.slice(0, 1..), &x, &pattern)?;
//! assert_eq!(j.len(), 2 * (n - 1));
//! assert_eq!((j.get(7, 7), j.get(7, 8), j.get(7, 9)), (x[[8]], x[[7]], 0.0));
//! # Ok::<(), retrograde::Error>(())
//! ```

mod colouring;
mod detect;
mod jacobian;
mod matrix;

use colouring::Plan;
pub use detect::detect;
pub use jacobian::jacobian;
pub use matrix::SparseMatrix;

use crate::error::{ErrorKind, Result};
use crate::shape::same;
use std::ops::Range;

/// Where a matrix may have entries that are not 0.
///
/// Rows and columns are the elements of a value and of an argument, counted in row-major order.
///
/// ```
/// use retrograde::sparse::Sparsity;
///
/// let pattern = Sparsity::new(2, 3, [(0, 2), (1, 1), (0, 0), (0, 2)])?;
/// assert_eq!((pattern.row(0), pattern.row(1)), (&[0, 2][..], &[1][..]));
/// assert_eq!(pattern.len(), 3);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sparsity {
    columns: usize,
    /// Where each row starts among the indices, and where the last one ends.
    starts: Vec<usize>,
    /// The columns of each row, ascending.
    indices: Vec<u32>,
}

impl Sparsity {
    /// These entries, as (row, column), in any order; the same one again counts once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Index`] for an entry outside; [`ErrorKind::Argument`] for 2³² rows or columns and more.
    pub fn new(
        rows: usize,
        columns: usize,
        entries: impl IntoIterator<Item = (usize, usize)>,
    ) -> Result<Sparsity> {
        check_size(rows, columns)?;
        let mut found: Vec<(u32, u32)> = Vec::new();
        for (row, column) in entries {
            for (index, axis, size) in [(row, 0, rows), (column, 1, columns)] {
                if index >= size {
                    let index = i64::try_from(index).unwrap_or(i64::MAX);
                    return Err(ErrorKind::Index { index, axis, size }.into());
                }
            }
            found.push((row as u32, column as u32));
        }
        found.sort_unstable();
        found.dedup();
        let mut starts = vec![0; rows + 1];
        found.iter().for_each(|entry| starts[entry.0 as usize + 1] += 1);
        (0..rows).for_each(|row| starts[row + 1] += starts[row]);
        Ok(Sparsity { columns, starts, indices: found.into_iter().map(|entry| entry.1).collect() })
    }

    /// A band: row `i` has the columns from `i − lower` to `i + upper`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Argument`] for 2³² rows or columns and more.
    ///
    /// ```
    /// use retrograde::sparse::Sparsity;
    ///
    /// let tridiagonal = Sparsity::banded(4, 4, 1, 1)?;
    /// assert_eq!((tridiagonal.row(0), tridiagonal.row(2)), (&[0, 1][..], &[1, 2, 3][..]));
    /// assert_eq!(tridiagonal.sweeps(), 3);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn banded(rows: usize, columns: usize, lower: usize, upper: usize) -> Result<Sparsity> {
        check_size(rows, columns)?;
        let of = |row: usize| {
            let end = row.saturating_add(upper).saturating_add(1).min(columns);
            row.saturating_sub(lower).min(end)..end
        };
        Ok(Sparsity::of_rows(columns, (0..rows).map(of)))
    }

    fn of_rows(columns: usize, rows: impl Iterator<Item = Range<usize>>) -> Sparsity {
        let (mut starts, mut indices) = (vec![0], vec![]);
        for row in rows {
            indices.extend(row.map(|column| column as u32));
            starts.push(indices.len());
        }
        Sparsity { columns, starts, indices }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The columns of a row that have entries, ascending; none if there is no such row.
    pub fn row(&self, row: usize) -> &[u32] {
        if row < self.rows() { &self.indices[self.range(row)] } else { &[] }
    }

    fn range(&self, row: usize) -> Range<usize> {
        self.starts[row]..self.starts[row + 1]
    }

    /// The entries of both, which must be of one size.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Shape`] for another size.
    ///
    /// ```
    /// use retrograde::sparse::Sparsity;
    ///
    /// let both = Sparsity::banded(3, 3, 0, 0)?.union(&Sparsity::new(3, 3, [(0, 2)])?)?;
    /// assert_eq!((both.row(0), both.len()), (&[0, 2][..], 4));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn union(&self, other: &Sparsity) -> Result<Sparsity> {
        same("the other pattern", &[other.rows(), other.columns], &[self.rows(), self.columns])?;
        Sparsity::new(self.rows(), self.columns, self.entries().chain(other.entries()))
    }

    /// The entries as (row, column), row by row.
    pub fn entries(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.rows()).flat_map(|row| self.row(row).iter().map(move |&column| (row, column as usize)))
    }

    /// Rows for columns.
    pub(crate) fn transposed(&self) -> Sparsity {
        let mut starts = vec![0; self.columns + 1];
        self.indices.iter().for_each(|&column| starts[column as usize + 1] += 1);
        (0..self.columns).for_each(|column| starts[column + 1] += starts[column]);
        let mut next = starts.clone();
        let mut indices = vec![0; self.len()];
        for (row, column) in self.entries() {
            indices[next[column]] = row as u32;
            next[column] += 1;
        }
        Sparsity { columns: self.rows(), starts, indices }
    }

    /// How many sweeps a Jacobian of this pattern takes, in the better mode.
    pub fn sweeps(&self) -> usize {
        match colouring::plan(self, &self.transposed()) {
            Plan::Forward(colouring) | Plan::Reverse(colouring) => colouring.count,
        }
    }
}

fn check_size(rows: usize, columns: usize) -> Result<()> {
    if rows.max(columns) < u32::MAX as usize {
        return Ok(());
    }
    let found = format!("{rows} × {columns}");
    Err(ErrorKind::Argument { name: "the size", found, wanted: "fewer than 2^32 rows and columns".into() }
        .into())
}
