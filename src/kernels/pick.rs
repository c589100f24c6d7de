//! Elements taken from, and added to, places along the middle axis of `[outer, n, inner]`.

use super::reduce::{CHUNK, pieces};
use super::threshold;
use crate::number::Real;

/// The elements of `[outer, n, inner]` at the places that `[outer, m, inner]` names. All places lie in `0..n`.
pub fn pick<E: Copy + Send + Sync>(x: &[E], n: usize, places: &[i64], m: usize, inner: usize, out: &mut [E]) {
    if out.is_empty() {
        return;
    }
    let (slab, parallel) = (m * inner, threshold::split(2 * out.len()));
    pieces(out, (CHUNK / slab).max(1) * slab, parallel, |from, out| {
        let first = from / slab;
        let places = places[from..][..out.len()].chunks_exact(slab);
        for ((x, places), out) in
            x[first * n * inner..].chunks_exact(n * inner).zip(places).zip(out.chunks_exact_mut(slab))
        {
            for (places, out) in places.chunks_exact(inner).zip(out.chunks_exact_mut(inner)) {
                for (j, (&place, out)) in places.iter().zip(out).enumerate() {
                    *out = x[place as usize * inner + j];
                }
            }
        }
    });
}

/// Zeros of `[outer, n, inner]`, to which the elements of `[outer, m, inner]` are added at their places, in order:
/// the adjoint of [`pick`].
pub fn put<T: Real>(x: &[T], places: &[i64], m: usize, n: usize, inner: usize, out: &mut [T]) {
    if out.is_empty() {
        return;
    }
    let (slab, parallel) = (n * inner, threshold::split(out.len() + 2 * x.len()));
    pieces(out, (CHUNK / slab).max(1) * slab, parallel, |from, out| {
        out.fill(T::ZERO);
        let first = from / slab * m * inner;
        if m == 0 {
            return;
        }
        let inputs = x[first..].chunks_exact(m * inner).zip(places[first..].chunks_exact(m * inner));
        for ((x, places), out) in inputs.zip(out.chunks_exact_mut(slab)) {
            for (x, places) in x.chunks_exact(inner).zip(places.chunks_exact(inner)) {
                for (j, (&x, &place)) in x.iter().zip(places).enumerate() {
                    out[place as usize * inner + j] += x;
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::*;

    #[test]
    fn picking_and_putting_are_what_indexing_gives() {
        for [outer, n, m, inner] in [
            [1, 1, 1, 1],
            [3, 5, 2, 1],
            [2, 4, 7, 3],
            [30, 100, 90, 10],
            [1, 1, 200_000, 1],
            [2, 3, 0, 2],
            [0, 3, 2, 1],
        ] {
            let (x, g) = (numbers::<f64>(outer * n * inner, 1), numbers::<f64>(outer * m * inner, 2));
            let places: Vec<i64> = (0..g.len()).map(|i| (i * 7 + i / 3) as i64 % n as i64).collect();
            let (mut y, mut back) = (vec![f64::NAN; g.len()], vec![f64::NAN; x.len()]);
            pick(&x, n, &places, m, inner, &mut y);
            put(&g, &places, m, n, inner, &mut back);
            let mut wanted = vec![0.0; x.len()];
            for i in 0..g.len() {
                let at = (i / (m * inner) * n + places[i] as usize) * inner + i % inner;
                assert_eq!(y[i], x[at]);
                wanted[at] += g[i];
            }
            assert_eq!(back, wanted, "{outer} {n} {m} {inner}");
        }
    }
}
