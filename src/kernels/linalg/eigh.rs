//! Eigenvalues and eigenvectors of symmetric matrices.

use super::range::{first_is_negative, near_one, negate};
use super::{Fault, Workspace, both, finite};
use crate::number::Real;
use faer::diag::DiagMut;
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{MatMut, MatRef, Par};
use std::ops::Range;

/// What [`eigh`] works in.
#[derive(Default)]
pub struct EighWork<T> {
    stack: Workspace,
    scaled: Vec<T>,
}

/// Which basis of an eigenspace of more than one dimension is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The one that comes first: for a diagonal matrix, unit vectors.
    Plain,
    /// That one, [`mixed`]: in general position.
    Mixed,
}

/// About how long [`eigh`] takes.
pub fn eigh_ns(n: usize) -> usize {
    500 + n.saturating_mul(n).saturating_mul(n).saturating_mul(4)
}

/// `A = V diag(λ) Vᵀ` for a symmetric `n × n` matrix, λ ascending. Only the lower triangle is read, except to find
/// elements that are not finite.
///
/// In each eigenvector the first of the largest elements (those within 1 part in 1000) is positive.
pub fn eigh<T: Real>(
    n: usize,
    a: &[T],
    basis: Basis,
    values: &mut [T],
    vectors: &mut [T],
    work: &mut EighWork<T>,
) -> Result<(), Fault> {
    finite(a)?;
    if n == 0 {
        return Ok(());
    }
    // The largest element is brought near 1, by a power of two, so that no square leaves the range.
    let lower = a.chunks_exact(n).enumerate().flat_map(|(j, column)| &column[j..]);
    let [up, down] = near_one(lower);
    work.scaled.clear();
    work.scaled.extend(a.iter().map(|&x| x * up));
    decompose(n, &work.scaled, values, vectors, &mut work.stack)?;
    if basis == Basis::Mixed {
        for space in eigenspaces(values) {
            mixed(n, &mut vectors[space.start * n..space.end * n]);
        }
    }
    values.iter_mut().for_each(|value| *value *= down);
    vectors.chunks_exact_mut(n).filter(|vector| first_is_negative(vector, 0.999)).for_each(negate);
    Ok(())
}

both! {
    fn decompose<T>(n: usize, a: &[T], values: &mut [T], vectors: &mut [T], work: &mut Workspace) -> Result<(), Fault> {
        let a = MatRef::from_column_major_slice(a, n, n);
        let vectors = MatMut::from_column_major_slice_mut(vectors, n, n);
        let scratch =
            self_adjoint_evd_scratch::<T>(n, ComputeEigenvectors::Yes, Par::Seq, Default::default());
        let stack = work.stack(scratch);
        self_adjoint_evd(
            a,
            DiagMut::from_slice_mut(values),
            Some(vectors),
            Par::Seq,
            stack,
            Default::default(),
        )
        .map_err(|_| Fault::NotConverged)
    }
}

/// Where two or more of ascending eigenvalues are the same but for rounding: each within `4 n ε ‖A‖` of the next.
pub fn eigenspaces<T: Real>(values: &[T]) -> Vec<Range<usize>> {
    let size = values.iter().fold(0.0, |size: f64, value| size.max(value.to_f64().abs()));
    let near = 4.0 * values.len() as f64 * T::EPSILON.to_f64() * size;
    let mut spaces = Vec::new();
    let mut start = 0;
    for i in 1..=values.len() {
        if values.get(i).is_none_or(|value| value.to_f64() - values[i - 1].to_f64() > near) {
            if i - start > 1 {
                spaces.push(start..i);
            }
            start = i;
        }
    }
    spaces
}

/// Reflects each row of an orthonormal basis, `n` rows in columns, in a vector of no symmetry: another basis of the same
/// space, in which an operator that is simple in the first one is not.
pub fn mixed<T: Real>(n: usize, basis: &mut [T]) {
    // Weights of no simple ratio: eigenvectors of what is rounding have simple ones.
    let weight = |j: usize| 1.0 + ((j + 1) as f64 * 0.754_877_666_246_692_8).fract();
    let columns = basis.len() / n;
    let square: f64 = (0..columns).map(|j| weight(j) * weight(j)).sum();
    for i in 0..n {
        let along: f64 = (0..columns).map(|j| basis[i + j * n].to_f64() * weight(j)).sum();
        for j in 0..columns {
            let x = &mut basis[i + j * n];
            *x = T::from_f64(x.to_f64() - 2.0 * along / square * weight(j));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenspaces_are_runs_of_near_values() {
        let one = 1.0f64;
        assert_eq!(eigenspaces(&[-one, 1.0, 1.0 + 4e-15, 2.0, 2.0]), [1..3, 3..5]);
        assert_eq!(eigenspaces(&[-one, 1.0, 1.0 + 1e-13, 2.0]), []);
        assert_eq!(eigenspaces(&[0.0f32, 0.0, 1e-8]), vec![(0..2)]);
        assert_eq!(eigenspaces::<f64>(&[]), []);
        assert_eq!(eigenspaces(&[3.0f64]), []);
        // Relative to the largest, wherever that is.
        assert_eq!(eigenspaces(&[-1e3f64, 1.0, 1.0 + 1e-12]), vec![(1..3)]);
    }

    #[test]
    fn only_the_lower_triangle_counts_and_signs_are_fixed() {
        let mut work = EighWork::default();
        let (mut values, mut vectors) = ([0.0; 2], [0.0; 4]);
        eigh(2, &[2.0, -1.0, 77.0, 2.0], Basis::Plain, &mut values, &mut vectors, &mut work).unwrap();
        let h = 0.5f64.sqrt();
        for (found, wanted) in values.iter().chain(&vectors).zip([1.0, 3.0, h, h, h, -h]) {
            assert!((found - wanted).abs() < 1e-15, "{values:?} {vectors:?}");
        }
        let bad = eigh(2, &[2.0, -1.0, f64::NAN, 2.0], Basis::Plain, &mut values, &mut vectors, &mut work);
        assert_eq!(bad, Err(Fault::NotFinite));
        assert_eq!(eigh::<f64>(0, &[], Basis::Mixed, &mut [], &mut [], &mut EighWork::default()), Ok(()));
    }

    #[test]
    fn a_mixed_basis_spans_the_same_space_and_has_no_zeros() {
        for m in [2, 3, 5, 17] {
            let mut basis: Vec<f64> = (0..m * m).map(|k| f64::from(u8::from(k % (m + 1) == 0))).collect();
            mixed(m, &mut basis);
            for i in 0..m {
                for j in 0..m {
                    let product: f64 = (0..m).map(|k| basis[i * m + k] * basis[j * m + k]).sum();
                    assert!((product - f64::from(u8::from(i == j))).abs() < 1e-15);
                    assert!(basis[i * m + j].abs() > 0.01);
                    assert!(i == 0 || (basis[i * m + i] - basis[0]).abs() > 1e-3);
                }
            }
        }
    }
}
