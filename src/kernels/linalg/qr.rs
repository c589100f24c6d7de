//! Orthogonal and triangular factors, by Householder reflections.
//!
//! The reflections are `faer`'s, applied in blocks; the loop is ours, because `faer`'s leaves out columns that are nearly
//! dependent on those before them (within 16 `m` ulp, which is 2 % for `f32` and ten thousand rows).

use super::range::{by_power, to_range};
use super::{Fault, Workspace, both, finite};
use crate::number::Real;
use faer::linalg::householder::{
    apply_block_householder_on_the_left_in_place_scratch as scratch,
    apply_block_householder_on_the_left_in_place_with_conj as apply,
    apply_block_householder_transpose_on_the_left_in_place_with_conj as apply_transposed,
    make_householder_in_place,
};
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::prelude::*;
use faer::{Accum, Conj, MatMut, Par};

/// What [`qr`] works in. One for each task.
pub struct QrWork<T> {
    stack: Workspace,
    reflections: Vec<T>,
    factors: Vec<T>,
}

impl<T> Default for QrWork<T> {
    fn default() -> QrWork<T> {
        QrWork { stack: Workspace::default(), reflections: Vec::new(), factors: Vec::new() }
    }
}

/// How many columns are reflected together.
fn block(columns: usize) -> usize {
    if columns > 64 { 32 } else { 8 }
}

both! {
    /// Factors `A = Q R` of an `m × n` matrix: `k` columns of Q and rows of R, either the smaller of `m` and `n` or `m`.
    /// The signs are LAPACK's: a reflection makes the diagonal element of R the opposite of what stood there, and a
    /// column that is 0 below it is left alone.
    pub fn qr<T>(
        sizes: [usize; 3],
        a: &[T],
        q: &mut [T],
        r: &mut [T],
        work: &mut QrWork<T>,
    ) -> Result<(), Fault> {
        let [m, n, k] = sizes;
        let (zero, one) = (<T as Real>::ZERO, <T as Real>::ONE);
        finite(a)?;
        q.fill(zero);
        q.iter_mut().step_by(m + 1).for_each(|x| *x = one);
        let size = m.min(n);
        if size == 0 {
            r.fill(zero);
            return Ok(());
        }
        let QrWork { stack, reflections, factors } = work;
        reflections.clear();
        reflections.extend_from_slice(a);
        let exponent = to_range(reflections);
        let width = block(size);
        factors.clear();
        factors.resize(width * size, zero);
        let mut v = MatMut::from_column_major_slice_mut(reflections, m, n);
        let mut t = MatMut::from_column_major_slice_mut(factors, width, size);
        let stack = stack.stack(scratch::<T>(m, width, n.max(k)));
        for start in (0..size).step_by(width) {
            let end = size.min(start + width);
            for c in start..end {
                let (mut left, right) = v.rb_mut().get_mut(c.., ..end).split_at_col_mut(c + 1);
                let (mut head, mut tail) = left.rb_mut().col_mut(c).split_at_row_mut(1);
                let tau = make_householder_in_place(&mut head[0], tail.rb_mut()).tau;
                t[(c - start, c)] = tau;
                if Real::is_finite(tau) {
                    let tau = t.rb().get(c - start..c - start + 1, c..c + 1);
                    apply_transposed(left.rb().get(.., c..), tau, Conj::No, right, Par::Seq, stack);
                } else {
                    tail.fill(zero);
                }
            }
            // What the reflections are as a block (compact WY): their products above the diagonal.
            let (left, right) = v.rb_mut().get_mut(start.., ..).split_at_col_mut(end);
            let basis = left.rb().get(.., start..);
            let (top, bottom) = basis.split_at_row(end - start);
            let mut factor = t.rb_mut().get_mut(..end - start, start..end);
            triangular::matmul(
                factor.rb_mut(),
                BlockStructure::UnitTriangularUpper,
                Accum::Replace,
                top.transpose(),
                BlockStructure::UnitTriangularUpper,
                top,
                BlockStructure::UnitTriangularLower,
                one,
                Par::Seq,
            );
            triangular::matmul(
                factor.rb_mut(),
                BlockStructure::UnitTriangularUpper,
                Accum::Add,
                bottom.transpose(),
                BlockStructure::Rectangular,
                bottom,
                BlockStructure::Rectangular,
                one,
                Par::Seq,
            );
            if end < n {
                apply_transposed(basis, factor.rb(), Conj::No, right, Par::Seq, stack);
            }
        }
        let mut q = MatMut::from_column_major_slice_mut(q, m, k);
        for start in (0..size).step_by(width).rev() {
            let end = size.min(start + width);
            let (basis, factor) = (v.rb().get(start.., start..end), t.rb().get(..end - start, start..end));
            apply(basis, factor, Conj::No, q.rb_mut().get_mut(start.., start..), Par::Seq, stack);
        }
        for ((c, r), v) in r.chunks_exact_mut(k).enumerate().zip(reflections.chunks_exact(m)) {
            let above = size.min(c + 1);
            r[..above].copy_from_slice(&v[..above]);
            r[above..].fill(zero);
        }
        by_power(r, exponent);
        Ok(())
    }
}

/// About how long [`qr`] takes.
pub fn qr_ns(m: usize, n: usize, k: usize) -> usize {
    200 + m.saturating_mul(n.max(k)).saturating_mul(m.min(n)) / 5
}

/// The first column of upper triangular `n × n` R that is dependent on those before it to rounding: at a sine of the
/// angle with their span of a few times the root of the number of rows ulp.
pub fn dependent<T: Real>(n: usize, rows: usize, r: &[T]) -> Option<usize> {
    let tolerance = T::EPSILON.to_f64() * 4.0 * (rows as f64).sqrt();
    (0..n).find(|&c| {
        let column = &r[c * n..=c * n + c];
        let largest = column.iter().fold(0.0, |largest: f64, x| largest.max(x.to_f64().abs()));
        let sum: f64 = column.iter().map(|x| (x.to_f64() / largest).powi(2)).sum();
        !(column[c].to_f64().abs() > tolerance * largest * sum.sqrt())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns that are mixtures of those before them are told at every size, those at a hundred times the angle are
    /// not.
    #[test]
    fn dependence_is_a_matter_of_rounding() {
        fn ratio<T: Real>(m: usize, n: usize, angle: f64) -> Option<usize> {
            let mut state = (m * 1000 + n) as u64;
            let mut random = || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
            };
            let mut a: Vec<f64> = (0..m * n).map(|_| random()).collect();
            let weights: Vec<f64> = (1..n).map(|_| random()).collect();
            for row in 0..m {
                let mixed: f64 = (1..n).map(|column| weights[column - 1] * a[row + (column - 1) * m]).sum();
                a[row + (n - 1) * m] = mixed + angle * (n as f64).sqrt() * a[row + (n - 1) * m];
            }
            let a: Vec<T> = a.iter().map(|&x| T::from_f64(x)).collect();
            let (mut q, mut r) = (vec![T::ZERO; m * n], vec![T::ZERO; n * n]);
            qr([m, n, n], &a, &mut q, &mut r, &mut QrWork::default()).unwrap();
            dependent(n, m, &r)
        }
        for (m, n) in [(2, 2), (9, 9), (40, 9), (70, 70), (400, 20), (2000, 3)] {
            assert_eq!(ratio::<f64>(m, n, 0.0), Some(n - 1), "{m} {n}");
            assert_eq!(ratio::<f32>(m, n, 0.0), Some(n - 1), "{m} {n}");
            assert_eq!(ratio::<f64>(m, n, 1e-12), None, "{m} {n}");
            assert_eq!(ratio::<f32>(m, n, 1e-3), None, "{m} {n}");
        }
        assert_eq!(dependent::<f64>(0, 5, &[]), None);
        assert_eq!(dependent(2, 2, &[1e-200, 0.0, 1.0, 1e200]), None);
        assert_eq!(dependent(2, 2, &[1.0, 0.0, 1.0, 0.0]), Some(1));
        assert_eq!(dependent(1, 1, &[0.0]), Some(0));
    }
}
