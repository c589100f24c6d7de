//! Triangular systems.

use super::batch::in_columns;
use super::both;
use crate::number::Real;
use faer::linalg::triangular_solve as solve;
use faer::{MatMut, MatRef, Par};

/// Which triangle of a matrix counts, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Triangular {
    /// The upper triangle, else the lower one.
    pub upper: bool,
    /// The diagonal counts as ones, and is not read.
    pub unit: bool,
}

/// About how long [`triangular_solve`] takes.
pub fn triangular_solve_ns(n: usize, columns: usize) -> usize {
    100 + n.saturating_mul(n).saturating_mul(columns) / 50
}

/// Solves `A X = B` in place of B, with `n × n` A, for as many columns as `b` holds. The other triangle is not read.
/// `a` holds A column by column, or row by row if `by_rows`. A diagonal with zeros gives infinities and NaNs.
///
/// # Panics
/// If `a` is not `n × n`.
pub fn triangular_solve<T: Real>(n: usize, a: &[T], by_rows: bool, of: Triangular, b: &mut [T]) {
    assert_eq!(a.len(), n * n, "a square matrix");
    let ns = triangular_solve_ns(n, b.len() / n.max(1));
    in_columns(n, b, ns, |_, b| block(n, a, by_rows, of, b));
}

both! {
    fn block<T>(n: usize, a: &[T], by_rows: bool, of: Triangular, b: &mut [T]) {
        let columns = b.len() / n;
        let b = MatMut::from_column_major_slice_mut(b, n, columns);
        let a = if by_rows {
            MatRef::from_row_major_slice(a, n, n)
        } else {
            MatRef::from_column_major_slice(a, n, n)
        };
        match (of.upper, of.unit) {
            (false, false) => solve::solve_lower_triangular_in_place(a, b, Par::Seq),
            (false, true) => solve::solve_unit_lower_triangular_in_place(a, b, Par::Seq),
            (true, false) => solve::solve_upper_triangular_in_place(a, b, Par::Seq),
            (true, true) => solve::solve_unit_upper_triangular_in_place(a, b, Par::Seq),
        }
    }
}
