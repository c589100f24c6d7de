//! Cholesky factors.

use super::{Fault, Workspace, both, finite};
use faer::linalg::cholesky::llt::factor::{LltError, cholesky_in_place, cholesky_in_place_scratch};
use faer::{MatMut, Par};

both! {
    /// The lower Cholesky factor of an `n × n` matrix in its place, zeros above the diagonal. Only the lower triangle is
    /// read, except to find elements that are not finite.
    pub fn cholesky<T>(n: usize, a: &mut [T], work: &mut Workspace) -> Result<(), Fault> {
        finite(a)?;
        let matrix = MatMut::from_column_major_slice_mut(&mut *a, n, n);
        let scratch = cholesky_in_place_scratch::<T>(n, Par::Seq, Default::default());
        let stack = work.stack(scratch);
        cholesky_in_place(matrix, Default::default(), Par::Seq, stack, Default::default())
            .map_err(|LltError::NonPositivePivot { index }| Fault::NotPositive(index))?;
        for (j, column) in a.chunks_exact_mut(n.max(1)).enumerate() {
            column[..j].fill(<T as crate::number::Real>::ZERO);
        }
        Ok(())
    }
}

/// About how long [`cholesky`] takes.
pub fn cholesky_ns(n: usize) -> usize {
    100 + n.saturating_mul(n).saturating_mul(n) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_triangle_is_not_read_and_the_failing_minor_is_told() {
        let mut a = [4.0, 2.0, -7.0, 5.0];
        cholesky(2, &mut a, &mut Workspace::default()).unwrap();
        assert_eq!(a, [2.0, 1.0, 0.0, 2.0]);
        let mut a = [4.0f32, 4.0, 4.0, 1.0];
        assert_eq!(cholesky(2, &mut a, &mut Workspace::default()), Err(Fault::NotPositive(1)));
        for bad in [f64::NAN, f64::INFINITY, -f64::INFINITY] {
            let mut a = [4.0, 2.0, bad, 5.0];
            assert_eq!(cholesky(2, &mut a, &mut Workspace::default()), Err(Fault::NotFinite));
        }
        assert_eq!(cholesky::<f64>(0, &mut [], &mut Workspace::default()), Ok(()));
    }
}
