//! What operations on singular values share: values and vectors of a batch as tensors, and which of the values count
//! as equal to each other or to 0.

use super::{columns, each_matrix, matrices, shape_of, slice};
use crate::error::Result;
use crate::kernels::linalg::{self, SvdWork};
use crate::number::Real;
use crate::tensor::Tensor;

/// U, S and Vᵀ of `A = U S Vᵀ`: the first `k = min(m, n)` columns of U and V, or all.
pub(super) fn svd<T: Real>(x: &Tensor<T>, full: bool) -> Result<[Tensor<T>; 3]> {
    let (batch, m, n) = matrices(x.shape())?;
    let k = m.min(n);
    let a = columns(x)?;
    let a = slice(&a);
    let (p, q) = if full { (m, n) } else { (k, k) };
    let decompose = |work: &mut SvdWork<T>, i: usize, [u, s, v]: [&mut [T]; 3]| {
        linalg::svd(m, n, &a[i * m * n..(i + 1) * m * n], u, s, v, work)
    };
    // The columns of U row by row are Uᵀ; those of V are Vᵀ as it is wanted.
    let [ut, s, vh] = each_matrix(batch, [&[p, m], &[k], &[q, n]], k, linalg::svd_ns(m, n), decompose)?;
    Ok([ut.transpose(-1, -2)?, s, vh])
}

/// The singular values alone.
pub(super) fn svdvals<T: Real>(x: &Tensor<T>) -> Result<Tensor<T>> {
    let (batch, m, n) = matrices(x.shape())?;
    let k = m.min(n);
    let a = columns(x)?;
    let a = slice(&a);
    let decompose = |work: &mut SvdWork<T>, i: usize, [s]: [&mut [T]; 1]| {
        linalg::svdvals(m, n, &a[i * m * n..(i + 1) * m * n], s, work)
    };
    each_matrix(batch, [&[k]], k, linalg::svdvals_ns(m, n), decompose).map(|[s]| s)
}

/// How far apart two singular values of an `m × n` matrix must be to count as different, relative to the largest: some
/// times the error of the decomposition.
pub(super) fn resolution<T: Real>(m: usize, n: usize) -> f64 {
    8.0 * m.max(n) as f64 * T::EPSILON.to_f64()
}

/// Which singular values of a batch count as equal: blocks of neighbours that are not further apart than the
/// decomposition tells them, those that count as 0 a block of their own.
pub(super) struct Blocks {
    pub(super) k: usize,
    /// The block of each value, for one matrix after the other.
    block: Vec<usize>,
    zero: Vec<bool>,
}

impl Blocks {
    /// Nothing if all values are different and none is 0.
    pub(super) fn of<T: Real>(s: &Tensor<T>, m: usize, n: usize) -> Result<Option<Blocks>> {
        let k = m.min(n);
        if k == 0 {
            return Ok(None);
        }
        let s = s.contiguous()?;
        let mut found = Blocks { k, block: Vec::with_capacity(s.len()), zero: Vec::with_capacity(s.len()) };
        let mut degenerate = false;
        for s in slice(&s).chunks_exact(k) {
            let least = resolution::<T>(m, n) * s[0].to_f64();
            let mut block = 0;
            for i in 0..k {
                let zero = s[i].to_f64() <= least;
                let apart =
                    i == 0 || s[i - 1].to_f64() - s[i].to_f64() > least || zero && s[i - 1].to_f64() > least;
                block += usize::from(apart && i > 0);
                degenerate |= zero || !apart;
                found.block.push(block);
                found.zero.push(zero);
            }
        }
        Ok(degenerate.then_some(found))
    }

    /// Each value for itself.
    pub(super) fn apart<T: Real>(s: &Tensor<T>) -> Blocks {
        let k = s.shape().last().copied().unwrap_or(0);
        Blocks { k, block: (0..s.len()).map(|i| i % k).collect(), zero: vec![false; s.len()] }
    }

    /// Whether value `i` of a matrix counts as 0.
    pub(super) fn zero(&self, matrix: usize, i: usize) -> bool {
        self.zero[matrix * self.k + i]
    }

    /// Whether two values count as equal; a value does to itself.
    pub(super) fn same(&self, matrix: usize, i: usize, j: usize) -> bool {
        self.block[matrix * self.k + i] == self.block[matrix * self.k + j]
    }

    /// A number for each pair of values: `[…, k, k]` for values of shape `[…, k]`.
    pub(super) fn pairs<T: Real>(
        &self,
        s: &Tensor<T>,
        mut of: impl FnMut(usize, usize, usize) -> T,
    ) -> Result<Tensor<T>> {
        let k = self.k;
        Tensor::build(shape_of(s.shape(), &[k])?, |out| {
            for (at, out) in out.iter_mut().enumerate() {
                *out = of(at / (k * k), at / k % k, at % k);
            }
        })
    }

    /// A number for each value: `[…, 1, k]`.
    pub(super) fn each<T: Real>(
        &self,
        s: &Tensor<T>,
        mut of: impl FnMut(usize, usize) -> T,
    ) -> Result<Tensor<T>> {
        let row = Tensor::build(s.shape_owned(), |out| {
            for (at, out) in out.iter_mut().enumerate() {
                *out = of(at / self.k, at % self.k);
            }
        })?;
        row.unsqueeze(-2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(s: &[f64], m: usize, n: usize) -> Option<(Vec<usize>, Vec<bool>)> {
        let found = Blocks::of(&Tensor::from_slice(s, [s.len()]).unwrap(), m, n).unwrap();
        found.map(|found| (found.block, found.zero))
    }

    #[test]
    fn neighbours_within_the_error_are_one_block_and_what_counts_as_zero_another() {
        let e = 8.0 * 5.0 * f64::EPSILON;
        assert_eq!(blocks(&[1.0, 0.5, 1.1 * e], 3, 5), None);
        assert_eq!(blocks(&[1.0, 0.5, 0.9 * e], 3, 5), Some((vec![0, 1, 2], vec![false, false, true])));
        assert_eq!(blocks(&[1.0, 1.0 - 0.9 * e, 0.1], 5, 3), Some((vec![0, 0, 1], vec![false; 3])));
        assert_eq!(blocks(&[1.0, 1.0 - 1.1 * e, 0.1], 5, 3), None);
        // A chain; and a value near the edge of what counts as 0, which is none of those.
        let chain = [1.0, 1.0 - 0.7 * e, 1.0 - 1.4 * e];
        assert_eq!(blocks(&chain, 5, 3), Some((vec![0, 0, 0], vec![false; 3])));
        let edge = [1.0, 1.2 * e, 0.8 * e, 0.0];
        assert_eq!(blocks(&edge, 5, 4), Some((vec![0, 1, 2, 2], vec![false, false, true, true])));
        assert_eq!(blocks(&[0.0, 0.0], 2, 2), Some((vec![0, 0], vec![true, true])));
        assert_eq!(blocks(&[], 0, 3), None);
    }
}
