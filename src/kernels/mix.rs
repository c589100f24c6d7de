//! Weighted sums along an axis: each element of the result is a sum over few elements of the source.

use super::reduce::pieces;
use super::{multiversion, threshold};
use crate::number::Real;

/// Elements in one piece of the output.
const PIECE: usize = 1 << 12;

/// A sparse matrix by rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// The number of columns.
    pub columns: usize,
    /// Where each row begins among the entries; one more than there are rows.
    starts: Vec<usize>,
    /// Columns and weights.
    entries: Vec<(usize, f64)>,
}

impl Rows {
    /// From the entries of each row; those of weight 0 are left out, those of one column added up.
    ///
    /// # Panics
    /// If a column is outside.
    pub fn new(columns: usize, rows: impl IntoIterator<Item = Vec<(usize, f64)>>) -> Rows {
        let (mut starts, mut entries) = (vec![0], Vec::<(usize, f64)>::new());
        for row in rows {
            let first = entries.len();
            for (column, weight) in row.into_iter().filter(|entry| entry.1 != 0.0) {
                assert!(column < columns, "the column lies in the matrix");
                match entries[first..].iter_mut().find(|entry| entry.0 == column) {
                    Some(entry) => entry.1 += weight,
                    None => entries.push((column, weight)),
                }
            }
            starts.push(entries.len());
        }
        Rows { columns, starts, entries }
    }

    /// The number of rows.
    pub fn count(&self) -> usize {
        self.starts.len() - 1
    }

    fn row(&self, row: usize) -> &[(usize, f64)] {
        &self.entries[self.starts[row]..self.starts[row + 1]]
    }

    /// Rows and columns swapped.
    pub fn transposed(&self) -> Rows {
        let mut rows = vec![Vec::new(); self.columns];
        for row in 0..self.count() {
            for &(column, weight) in self.row(row) {
                rows[column].push((row, weight));
            }
        }
        Rows::new(self.count(), rows)
    }
}

multiversion! {
    /// `out = weight·x`, or `out += weight·x` if `add`.
    fn scaled<T, N>(x: &[T], weight: T, add: bool, out: &mut [T]) {
        let weight = N::of(weight);
        if add {
            for (out, &x) in out.iter_mut().zip(x) {
                *out = weight.mul_add(N::of(x), N::of(*out)).get();
            }
        } else {
            for (out, &x) in out.iter_mut().zip(x) {
                *out = (weight * N::of(x)).get();
            }
        }
    }
}

/// `out[o, i, k] = Σⱼ rows[i, j]·x[o, j, k]` for a row-major x of `[outer, columns, inner]`.
pub fn mix<T: Real>(x: &[T], rows: &Rows, inner: usize, out: &mut [T]) {
    if out.is_empty() {
        return;
    }
    let (n, count) = (rows.columns, rows.count());
    let parallel = threshold::split(
        out.len().saturating_mul(1 + rows.entries.len() / count) / if inner > 8 { 8 } else { 1 },
    );
    if inner == 1 {
        let entries: Vec<(usize, T)> =
            rows.entries.iter().map(|&(column, weight)| (column, T::from_f64(weight))).collect();
        return pieces(out, (PIECE / count).max(1) * count, parallel, |at, out| {
            for (o, out) in out.chunks_exact_mut(count).enumerate() {
                let x = &x[(at / count + o) * n..][..n];
                let mut from = 0;
                for (out, &until) in out.iter_mut().zip(&rows.starts[1..]) {
                    *out = entries[from..until]
                        .iter()
                        .fold(T::ZERO, |sum, &(column, weight)| sum + weight * x[column]);
                    from = until;
                }
            }
        });
    }
    pieces(out, (PIECE / inner).max(1) * inner, parallel, |at, out| {
        for (i, out) in out.chunks_exact_mut(inner).enumerate() {
            let (o, row) = ((at / inner + i) / count, (at / inner + i) % count);
            let entries = rows.row(row);
            if entries.is_empty() {
                out.fill(T::ZERO);
            }
            for (k, &(column, weight)) in entries.iter().enumerate() {
                scaled(&x[(o * n + column) * inner..][..inner], T::from_f64(weight), k > 0, out);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_along_an_axis_are_what_the_matrix_says() {
        let lists =
            vec![vec![(0, 2.0), (3, -1.0)], vec![], vec![(1, 0.0), (2, 0.5), (2, 0.25)], vec![(3, 4.0)]];
        let rows = Rows::new(5, lists.clone());
        assert_eq!(rows.entries.len(), 4);
        let dense = |i: usize, j: usize| lists[i].iter().filter(|e| e.0 == j).map(|e| e.1).sum::<f64>();
        for (outer, inner) in [(1, 1), (3, 1), (2, 3), (1, 40), (5000, 1), (400, 30), (0, 2), (2, 0)] {
            let x: Vec<f64> = (0..outer * 5 * inner).map(|i| (i * 37 % 101) as f64 - 50.0).collect();
            let mut out = vec![f64::NAN; outer * 4 * inner];
            mix(&x, &rows, inner, &mut out);
            for (at, &found) in out.iter().enumerate() {
                let (o, i, k) = (at / inner / 4, at / inner % 4, at % inner);
                let wanted: f64 = (0..5).map(|j| dense(i, j) * x[(o * 5 + j) * inner + k]).sum();
                assert_eq!(found, wanted, "{outer} {inner} {at}");
            }
        }
        let back = rows.transposed();
        assert_eq!((back.columns, back.count()), (4, 5));
        for i in 0..4 {
            for j in 0..5 {
                let found: f64 = back.row(j).iter().filter(|e| e.0 == i).map(|e| e.1).sum();
                assert_eq!(found, dense(i, j));
            }
        }
        assert_eq!(back.transposed(), rows);
    }
}
