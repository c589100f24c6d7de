//! Singular values and vectors.

use super::range::{first_is_negative, near_one, negate};
use super::{Fault, Workspace, both, finite};
use crate::number::Real;
use faer::diag::DiagMut;
use faer::linalg::svd::{self as singular, ComputeSvdVectors};
use faer::{MatMut, MatRef, Par};

/// What [`svd`] and [`svdvals`] work in.
#[derive(Default)]
pub struct SvdWork<T> {
    stack: Workspace,
    scaled: Vec<T>,
}

/// About how long [`svd`] takes.
pub fn svd_ns(m: usize, n: usize) -> usize {
    500 + m.saturating_mul(n).saturating_mul(m.min(n)).saturating_mul(8)
}

/// About how long [`svdvals`] takes.
pub fn svdvals_ns(m: usize, n: usize) -> usize {
    500 + m.saturating_mul(n).saturating_mul(m.min(n)).saturating_mul(2)
}

/// `A = U diag(s) Vᵀ` for an `m × n` matrix, s descending. U has `u.len() / m` columns and V `v.len() / n`: either
/// `min(m, n)` both, or all.
///
/// In each column of U the first of the largest elements (those within √ε of it) is positive. Columns of V that
/// belong to no value, or to a value of 0, are signed by themselves in the same way.
pub fn svd<T: Real>(
    m: usize,
    n: usize,
    a: &[T],
    u: &mut [T],
    s: &mut [T],
    v: &mut [T],
    work: &mut SvdWork<T>,
) -> Result<(), Fault> {
    let size = work.scale(a)?;
    // Of all columns `faer` leaves some elements as it finds them, and takes them for zeros.
    u.fill(T::ZERO);
    v.fill(T::ZERO);
    vectors(m, n, &work.scaled, u, s, v, &mut work.stack)?;
    let mut of_v = v.chunks_exact_mut(n.max(1));
    let mut of_u = u.chunks_exact_mut(m.max(1));
    for s in s.iter_mut() {
        *s *= size;
        if let (Some(u), Some(v)) = (of_u.next(), of_v.next()) {
            let flip = points_down(u);
            if flip {
                negate(u);
            }
            if if *s == T::ZERO { points_down(v) } else { flip } {
                negate(v);
            }
        }
    }
    of_u.chain(of_v).filter(|column| points_down(column)).for_each(negate);
    Ok(())
}

/// The singular values alone.
pub fn svdvals<T: Real>(
    m: usize,
    n: usize,
    a: &[T],
    s: &mut [T],
    work: &mut SvdWork<T>,
) -> Result<(), Fault> {
    let size = work.scale(a)?;
    values(m, n, &work.scaled, s, &mut work.stack)?;
    s.iter_mut().for_each(|s| *s *= size);
    Ok(())
}

impl<T: Real> SvdWork<T> {
    /// Copies a matrix with its largest element brought near 1, by a power of two, so that no square leaves the range;
    /// gives what undoes that.
    fn scale(&mut self, a: &[T]) -> Result<T, Fault> {
        finite(a)?;
        let [up, down] = near_one(a);
        self.scaled.clear();
        self.scaled.extend(a.iter().map(|&x| x * up));
        Ok(down)
    }
}

/// Whether the first of the largest elements is negative.
fn points_down<T: Real>(column: &[T]) -> bool {
    first_is_negative(column, 1.0 - T::EPSILON.to_f64().sqrt())
}

both! {
    fn vectors<T>(
        m: usize,
        n: usize,
        a: &[T],
        u: &mut [T],
        s: &mut [T],
        v: &mut [T],
        work: &mut Workspace,
    ) -> Result<(), Fault> {
        let k = m.min(n);
        // Without rows or columns there is nothing to count the columns of U and V by.
        let columns = |len: usize, rows: usize| len.checked_div(rows).unwrap_or(k);
        let (of_u, of_v) = (columns(u.len(), m), columns(v.len(), n));
        let wanted = |columns| if columns > k { ComputeSvdVectors::Full } else { ComputeSvdVectors::Thin };
        let request =
            singular::svd_scratch::<T>(m, n, wanted(of_u), wanted(of_v), Par::Seq, Default::default());
        singular::svd(
            MatRef::from_column_major_slice(a, m, n),
            DiagMut::from_slice_mut(s),
            Some(MatMut::from_column_major_slice_mut(u, m, of_u)),
            Some(MatMut::from_column_major_slice_mut(v, n, of_v)),
            Par::Seq,
            work.stack(request),
            Default::default(),
        )
        .map_err(|_| Fault::NotConverged)
    }

    fn values<T>(m: usize, n: usize, a: &[T], s: &mut [T], work: &mut Workspace) -> Result<(), Fault> {
        let none = ComputeSvdVectors::No;
        let request = singular::svd_scratch::<T>(m, n, none, none, Par::Seq, Default::default());
        singular::svd(
            MatRef::from_column_major_slice(a, m, n),
            DiagMut::from_slice_mut(s),
            None,
            None,
            Par::Seq,
            work.stack(request),
            Default::default(),
        )
        .map_err(|_| Fault::NotConverged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers in (−1, 1), the same every time.
    fn matrix(len: usize) -> Vec<f64> {
        let mut state = 7u64;
        (0..len)
            .map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
            })
            .collect()
    }

    struct Found<T> {
        u: Vec<T>,
        s: Vec<T>,
        v: Vec<T>,
    }

    fn decomposed<T: Real>(m: usize, n: usize, a: &[T], full: bool) -> Found<T> {
        let k = m.min(n);
        let [p, q] = if full { [m, n] } else { [k, k] };
        let [mut u, mut s, mut v] = [m * p, k, n * q].map(|len| vec![T::NAN; len]);
        let mut work = SvdWork::default();
        svd(m, n, a, &mut u, &mut s, &mut v, &mut work).unwrap();
        let mut alone = vec![T::NAN; k];
        svdvals(m, n, a, &mut alone, &mut work).unwrap();
        let largest = s.first().map_or(0.0, |s| s.to_f64());
        for (s, alone) in s.iter().zip(&alone) {
            let error = (s.to_f64() - alone.to_f64()).abs();
            assert!(error <= 64.0 * T::EPSILON.to_f64() * largest, "{m} × {n}: {s:?} {alone:?}");
        }
        Found { u, s, v }
    }

    /// |A − U S Vᵀ| relative to the largest value, and |UᵀU − 1|, |VᵀV − 1|.
    fn residual<T: Real>(m: usize, n: usize, a: &[T], of: &Found<T>) -> f64 {
        let k = m.min(n);
        let largest = of.s.first().map_or(1.0, |s| s.to_f64()).max(f64::MIN_POSITIVE);
        assert!(of.u.iter().chain(&of.s).chain(&of.v).all(|x| x.to_f64().is_finite()), "{m} × {n}");
        let mut worst = 0.0f64;
        for i in 0..m {
            for j in 0..n {
                let terms = (0..k).map(|l| {
                    of.u[l * m + i].to_f64() * (of.s[l].to_f64() / largest) * of.v[l * n + j].to_f64()
                });
                worst = worst.max((terms.sum::<f64>() - a[j * m + i].to_f64() / largest).abs());
            }
        }
        for (x, rows) in [(&of.u, m), (&of.v, n)] {
            let columns: Vec<&[T]> = x.chunks_exact(rows.max(1)).collect();
            for (i, a) in columns.iter().enumerate() {
                for (j, b) in columns.iter().enumerate() {
                    let dot: f64 = a.iter().zip(*b).map(|(a, b)| a.to_f64() * b.to_f64()).sum();
                    worst = worst.max((dot - f64::from(u8::from(i == j))).abs());
                }
            }
        }
        assert!(of.s.windows(2).all(|s| s[0] >= s[1]) && of.s.iter().all(|&s| s >= T::ZERO));
        worst
    }

    #[test]
    fn factors_multiply_to_the_matrix_at_every_shape() {
        let sizes = [0, 1, 2, 3, 5, 33];
        let shapes = sizes.into_iter().flat_map(|m| sizes.map(|n| (m, n)));
        for (m, n) in shapes.chain([(100, 100), (100, 3), (3, 100), (140, 130), (60, 33)]) {
            let a = matrix(m * n);
            for full in [false, true] {
                let error = residual(m, n, &a, &decomposed(m, n, &a, full));
                assert!(error < 1e-13, "{m} × {n}, full {full}: {error:e}");
            }
            let a: Vec<f32> = a.iter().map(|&x| x as f32).collect();
            let error = residual(m, n, &a, &decomposed(m, n, &a, false));
            assert!(error < 2e-5, "{m} × {n}: {error:e}");
        }
    }

    #[test]
    fn scale_is_no_matter() {
        for (m, n) in [(4, 4), (5, 3), (2, 7)] {
            let plain = matrix(m * n);
            let wanted = decomposed(m, n, &plain, false);
            for exponent in [-1000, -500, 500, 1020] {
                let scale = 2f64.powi(exponent);
                let a: Vec<f64> = plain.iter().map(|x| x * scale).collect();
                let found = decomposed(m, n, &a, false);
                assert!(found.u == wanted.u && found.v == wanted.v, "2^{exponent}");
                assert!(found.s.iter().zip(&wanted.s).all(|(a, b)| *a == b * scale), "2^{exponent}");
            }
            // Down among the subnormal numbers there are fewer digits.
            let a: Vec<f64> = plain.iter().map(|x| x * 1e-312).collect();
            let found = decomposed(m, n, &a, false);
            assert!(found.s.iter().zip(&wanted.s).all(|(a, b)| (a / (b * 1e-312) - 1.0).abs() < 1e-8));
            let a: Vec<f32> = plain.iter().map(|x| (x * 1e-42) as f32).collect();
            let found = decomposed(m, n, &a, false);
            assert!((f64::from(found.s[0]) / (wanted.s[0] * 1e-42) - 1.0).abs() < 1e-2);
        }
        let found = decomposed(2, 2, &[3e38f32, 0.0, 0.0, 1e38], false);
        assert!(found.s.iter().zip([3e38, 1e38]).all(|(s, wanted)| (s / wanted - 1.0).abs() < 1e-6));
    }

    #[test]
    fn signs_are_those_of_the_largest_elements() {
        let half = 0.5f64.sqrt();
        let found = decomposed(2, 2, &[-1.0, -1.0, -1.0, -1.0], false);
        for (x, wanted) in found.u.iter().zip([half, half, half, -half]) {
            assert!((x - wanted).abs() < 1e-15, "{:?}", found.u);
        }
        assert!(found.v[0] < 0.0);
        for n in [1, 2, 3] {
            // Nothing to tell directions by: the axes.
            let found = decomposed(n, n, &vec![0.0; n * n], false);
            let eye: Vec<f64> = (0..n * n).map(|i| f64::from(u8::from(i % (n + 1) == 0))).collect();
            assert!(found.u == eye && found.v == eye && found.s == vec![0.0; n]);
        }
        for (m, n) in [(5, 2), (2, 5), (4, 4)] {
            let found = decomposed(m, n, &matrix(m * n), true);
            assert!(found.u.chunks_exact(m).all(|column| !points_down(column)));
            let own = found.v.chunks_exact(n).skip(m.min(n));
            assert!(own.into_iter().all(|column| !points_down(column)));
        }
    }

    #[test]
    fn what_is_not_finite_is_refused() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let a = [1.0, bad, 0.0, 2.0];
            let [mut u, mut v] = [[0.0; 4]; 2];
            let mut s = [0.0; 2];
            let mut work = SvdWork::default();
            assert_eq!(svd(2, 2, &a, &mut u, &mut s, &mut v, &mut work), Err(Fault::NotFinite));
            assert_eq!(svdvals(2, 2, &a, &mut s, &mut work), Err(Fault::NotFinite));
        }
    }
}
