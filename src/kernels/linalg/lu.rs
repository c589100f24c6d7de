//! LU factors with row exchanges, and what is solved with them.

use super::super::transpose::copy_strided;
use super::batch::in_columns;
use super::{Fault, Workspace, both, finite};
use crate::number::Real;
use faer::linalg::lu::partial_pivoting::factor::{lu_in_place, lu_in_place_scratch};
use faer::linalg::triangular_solve as solve;
use faer::{MatMut, MatRef, Par};

/// What a decomposition works in. One for each task.
#[derive(Default)]
pub struct LuWork {
    stack: Workspace,
    rows: Vec<usize>,
    inverse: Vec<usize>,
}

/// The factors of an `n × n` matrix A, column by column: U with its diagonal, and L below it, without its diagonal of
/// ones. Row i of `L U` is row `rows[i]` of A.
#[derive(Clone, Copy)]
pub struct LuFactors<'a, T> {
    /// The number of rows and columns.
    pub n: usize,
    /// L and U.
    pub lu: &'a [T],
    /// The rows' order.
    pub rows: &'a [usize],
}

/// About how long [`lu`] takes.
pub fn lu_ns(m: usize, n: usize) -> usize {
    200 + m.saturating_mul(n).saturating_mul(m.min(n)) / 50
}

/// About how long [`LuFactors::solve`] takes.
pub fn lu_solve_ns(n: usize, columns: usize) -> usize {
    200 + n.saturating_mul(n).saturating_mul(columns) / 25
}

/// The factors of an `m × n` matrix, which lies row by row or column by column, into `out`, column by column, and the
/// order of the rows. A column without a pivot other than 0 has a 0 there and goes on, as in LAPACK.
pub fn lu<T: Real>(
    [m, n]: [usize; 2],
    a: &[T],
    by_rows: bool,
    out: &mut [T],
    rows: &mut [T],
    work: &mut LuWork,
) -> Result<(), Fault> {
    finite(a)?;
    let load = |out: &mut [T]| match by_rows {
        true => copy_strided(&[n, m], a, 0, &[1, n as isize], out),
        false => out.copy_from_slice(a),
    };
    let LuWork { stack, rows: order, inverse } = work;
    let reset = |order: &mut Vec<usize>| {
        order.clear();
        order.extend(0..m);
    };
    reset(order);
    reset(inverse);
    if !out.is_empty() {
        load(out);
        partial(m, n, out, order, inverse, stack);
        // It multiplies by the reciprocals of pivots, which 0 and the smallest subnormal numbers do not have.
        if finite(out).is_err() {
            load(out);
            reset(order);
            eliminate(m, n, out, order);
        }
    }
    rows.iter_mut().zip(order).for_each(|(row, from)| *row = T::from_f64(*from as f64));
    Ok(())
}

both! {
    fn partial<T>(
        m: usize,
        n: usize,
        a: &mut [T],
        rows: &mut [usize],
        inverse: &mut [usize],
        stack: &mut Workspace,
    ) {
        let a = MatMut::from_column_major_slice_mut(a, m, n);
        let scratch = lu_in_place_scratch::<usize, T>(m, n, Par::Seq, Default::default());
        lu_in_place(a, rows, inverse, Par::Seq, stack.stack(scratch), Default::default());
    }
}

/// The same by plain loops, with divisions, and past columns without a pivot.
fn eliminate<T: Real>(m: usize, n: usize, a: &mut [T], rows: &mut [usize]) {
    for j in 0..m.min(n) {
        let mut pivot = j;
        for i in j + 1..m {
            if a[j * m + i].abs() > a[j * m + pivot].abs() {
                pivot = i;
            }
        }
        if a[j * m + pivot] == T::ZERO {
            continue;
        }
        if pivot != j {
            rows.swap(j, pivot);
            a.chunks_exact_mut(m).for_each(|column| column.swap(j, pivot));
        }
        let (left, right) = a.split_at_mut((j + 1) * m);
        let (top, below) = left[j * m + j..].split_at_mut(1);
        below.iter_mut().for_each(|x| *x /= top[0]);
        for column in right.chunks_exact_mut(m) {
            let (top, rest) = column[j..].split_at_mut(1);
            rest.iter_mut().zip(&*below).for_each(|(x, &l)| *x -= l * top[0]);
        }
    }
}

/// LAPACK's pivots, counted from 0, from the order of the rows: at step i, row i was exchanged with row `pivots[i]`.
pub fn pivots(rows: &[usize], count: usize) -> Vec<usize> {
    let mut row_at: Vec<usize> = (0..rows.len()).collect();
    let mut place_of = row_at.clone();
    let step = |i: usize| {
        let from = place_of[rows[i]];
        place_of.swap(row_at[i], row_at[from]);
        row_at.swap(i, from);
        from
    };
    (0..count).map(step).collect()
}

/// The order of `m` rows from pivots.
pub fn row_order(m: usize, pivots: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..m).collect();
    pivots.enumerate().for_each(|(i, pivot)| rows.swap(i, pivot));
    rows
}

impl<T: Real> LuFactors<'_, T> {
    /// Solves `A X = B`, or `Aᵀ X = B`, in place of B, for as many columns as `b` holds. Pivots of 0 give infinities
    /// and NaNs.
    pub fn solve(&self, transposed: bool, b: &mut [T]) {
        let ns = lu_solve_ns(self.n, b.len() / self.n.max(1));
        in_columns(self.n, b, ns, |_, b| self.solve_block(transposed, b));
    }

    fn solve_block(&self, transposed: bool, b: &mut [T]) {
        let mut held = vec![T::ZERO; self.n];
        if transposed {
            self.triangles(true, 0, b);
        }
        for column in b.chunks_exact_mut(self.n) {
            held.copy_from_slice(column);
            for (i, &row) in self.rows.iter().enumerate() {
                match transposed {
                    true => column[row] = held[i],
                    false => column[i] = held[row],
                }
            }
        }
        if !transposed {
            self.triangles(false, 0, b);
        }
    }

    /// Solves with L, whose rows before `first` are not needed, and U, or with their transposes.
    fn triangles(&self, transposed: bool, first: usize, b: &mut [T]) {
        if self.pivots().all(|pivot| pivot.recip().is_finite()) {
            triangles(self.n, self.lu, transposed, first, b);
        } else {
            b.chunks_exact_mut(self.n).for_each(|column| self.substitute(transposed, column));
        }
    }

    /// The same for one column, with divisions.
    fn substitute(&self, transposed: bool, b: &mut [T]) {
        let n = self.n;
        let less = |x: &mut [T], a: &[T], by: T| x.iter_mut().zip(a).for_each(|(x, &a)| *x -= a * by);
        let dot = |a: &[T], b: &[T]| a.iter().zip(b).fold(T::ZERO, |sum, (&a, &b)| sum + a * b);
        let column = |j: usize| {
            (&self.lu[j * n..j * n + j], self.lu[j * n + j], &self.lu[j * n + j + 1..][..n - j - 1])
        };
        if transposed {
            for j in 0..n {
                let (u, pivot, _) = column(j);
                b[j] = (b[j] - dot(u, b)) / pivot;
            }
            for j in (0..n).rev() {
                b[j] -= dot(column(j).2, &b[j + 1..]);
            }
        } else {
            for j in 0..n {
                let (at, after) = b[j..].split_at_mut(1);
                less(after, column(j).2, at[0]);
            }
            for j in (0..n).rev() {
                let (u, pivot, _) = column(j);
                b[j] /= pivot;
                let (before, at) = b.split_at_mut(j);
                less(before, u, at[0]);
            }
        }
    }

    /// `A⁻¹ = U⁻¹ L⁻¹ P`, column by column. Pivots of 0 give infinities and NaNs.
    pub fn inverse(&self, out: &mut [T]) {
        let n = self.n;
        in_columns(n, out, lu_solve_ns(n, n), |first, b| {
            b.fill(T::ZERO);
            b.chunks_exact_mut(n).enumerate().for_each(|(j, column)| column[first + j] = T::ONE);
            // Above the diagonal, L⁻¹ is 0.
            self.triangles(false, first, b);
        });
        // Column j of U⁻¹ L⁻¹ is column rows[j] of the inverse.
        let mut to = self.rows.to_vec();
        for j in 0..n {
            while to[j] != j {
                let other = to[j];
                let (low, high) = (j.min(other), j.max(other));
                let (before, after) = out.split_at_mut(high * n);
                before[low * n..][..n].swap_with_slice(&mut after[..n]);
                to.swap(j, other);
            }
        }
    }

    /// Whether the order of the rows is an odd permutation.
    fn odd(&self) -> bool {
        pivots(self.rows, self.n).iter().enumerate().filter(|&(i, &pivot)| i != pivot).count() % 2 == 1
    }

    /// The diagonal of U.
    pub fn pivots(&self) -> impl Iterator<Item = T> {
        self.lu.iter().step_by(self.n + 1).copied()
    }

    /// The determinant. No product of some of the pivots over- or underflows if the whole does not.
    pub fn determinant(&self) -> T {
        let (mut product, mut exponent) = (if self.odd() { -1.0 } else { 1.0 }, 0i32);
        for pivot in self.pivots() {
            product *= pivot.to_f64();
            let (fraction, power) = libm::frexp(product);
            (product, exponent) = (fraction, exponent.saturating_add(power));
        }
        T::from_f64(libm::ldexp(product, exponent))
    }

    /// The sign of the determinant (0 for 0), and the logarithm of its absolute value.
    pub fn log_determinant(&self) -> (T, T) {
        let (mut sign, mut log) = (if self.odd() { -1.0 } else { 1.0 }, 0.0);
        for pivot in self.pivots().map(T::to_f64) {
            sign *= if pivot > 0.0 {
                1.0
            } else if pivot < 0.0 {
                -1.0
            } else {
                pivot
            };
            log += pivot.abs().ln();
        }
        (T::from_f64(sign), T::from_f64(log))
    }
}

both! {
    fn triangles<T>(n: usize, lu: &[T], transposed: bool, first: usize, b: &mut [T]) {
        let columns = b.len() / n;
        let mut b = MatMut::from_column_major_slice_mut(b, n, columns);
        let lu = MatRef::from_column_major_slice(lu, n, n);
        if transposed {
            solve::solve_lower_triangular_in_place(lu.transpose(), b.as_mut(), Par::Seq);
            solve::solve_unit_upper_triangular_in_place(lu.transpose(), b, Par::Seq);
        } else {
            let rest = n - first;
            let l = lu.submatrix(first, first, rest, rest);
            let lower = b.as_mut().submatrix_mut(first, 0, rest, columns);
            solve::solve_unit_lower_triangular_in_place(l, lower, Par::Seq);
            solve::solve_upper_triangular_in_place(lu, b, Par::Seq);
        }
    }
}

/// The rows and the columns of an `n × n` matrix in the order in which elimination with complete pivoting takes them,
/// and the absolute values of its pivots. The matrix, column by column, is lost.
pub fn complete_order<T: Real>(n: usize, a: &mut [T]) -> ([Vec<usize>; 2], Vec<T>) {
    let mut order = [(); 2].map(|()| (0..n).collect::<Vec<usize>>());
    let mut sizes = Vec::with_capacity(n);
    for j in 0..n {
        let (mut size, mut row, mut column) = (T::ZERO, j, j);
        for c in j..n {
            for r in j..n {
                if a[c * n + r].abs() > size {
                    (size, row, column) = (a[c * n + r].abs(), r, c);
                }
            }
        }
        sizes.push(size);
        if size == T::ZERO {
            sizes.resize(n, T::ZERO);
            break;
        }
        a.chunks_exact_mut(n).for_each(|column| column.swap(j, row));
        (0..n).for_each(|r| a.swap(j * n + r, column * n + r));
        order[0].swap(j, row);
        order[1].swap(j, column);
        let (left, right) = a.split_at_mut((j + 1) * n);
        let pivot = &left[j * n + j..];
        for column in right.chunks_exact_mut(n) {
            let factor = column[j] / pivot[0];
            column[j..].iter_mut().zip(pivot).for_each(|(x, &p)| *x -= factor * p);
        }
    }
    (order, sizes)
}

#[cfg(test)]
mod tests;
