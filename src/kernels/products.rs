//! The products that leave one element out.

use super::reduce::{CHUNK, pieces};
use super::{multiversion, threshold};
use crate::number::Real;

multiversion! {
    /// Slices of `n` rows of `inner` elements: what stands before each element, then times what stands after.
    fn slices<T, N>(x: &[T], n: usize, inner: usize, acc: &mut [T], out: &mut [T]) {
        let acc = &mut acc[..inner];
        for (x, out) in x.chunks_exact(n * inner).zip(out.chunks_exact_mut(n * inner)) {
            acc.fill(T::ONE);
            for (x, out) in x.chunks_exact(inner).zip(out.chunks_exact_mut(inner)) {
                for j in 0..inner {
                    out[j] = acc[j];
                    acc[j] = (N::of(acc[j]) * N::of(x[j])).get();
                }
            }
            acc.fill(T::ONE);
            for (x, out) in x.chunks_exact(inner).zip(out.chunks_exact_mut(inner)).rev() {
                for j in 0..inner {
                    out[j] = (N::of(out[j]) * N::of(acc[j])).get();
                    acc[j] = (N::of(acc[j]) * N::of(x[j])).get();
                }
            }
        }
    }
}

/// `Π x` over the others of each element's slice along `n`, without a division, and so right beside zeros.
pub fn others<T: Real>(x: &[T], n: usize, inner: usize, out: &mut [T]) {
    if out.is_empty() {
        return;
    }
    let parallel = threshold::split(2 * out.len());
    let piece = (4 * CHUNK / (n * inner)).max(1) * n * inner;
    pieces(out, piece, parallel, |at, out| {
        slices::<T>(&x[at..][..out.len()], n, inner, &mut vec![T::ONE; inner], out);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::*;

    #[test]
    fn others_are_what_multiplying_them_gives() {
        for [outer, n, inner] in
            [[1, 1, 1], [3, 7, 1], [2, 5, 3], [40_000, 3, 1], [4, 1, 6], [0, 3, 2], [2, 0, 3]]
        {
            let mut x = numbers::<f64>(outer * n * inner, 5);
            x.iter_mut().step_by(4).for_each(|x| *x = 0.0);
            let mut out = vec![f64::NAN; x.len()];
            others(&x, n, inner, &mut out);
            let wanted: Vec<f64> = (0..x.len())
                .map(|at| {
                    let (o, i) = (at / (n * inner), at % inner);
                    (0..n).map(|j| (o * n + j) * inner + i).filter(|&j| j != at).map(|j| x[j]).product()
                })
                .collect();
            close(&out, &wanted, 1e-15, "others");
        }
    }
}
