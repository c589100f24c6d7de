//! Where the extreme elements of a contiguous `[outer, n, inner]` are: the first among equals, and the first NaN
//! if there is one.

use super::reduce::{CHUNK, Max, Min, Monoid, both, middle, pieces, row, tree};
use super::{multiversion, threshold};
use crate::number::{Lane, Real};

/// Columns taken at a time.
const WIDTH: usize = 256;
/// Rows in one leaf.
const ROWS: usize = 1024;

/// A strict order whose first element is sought.
trait Order<T: Real>: Monoid<T> {
    fn ahead<N: Lane<T>>(a: N, b: N) -> bool;
}
impl<T: Real> Order<T> for Max {
    #[inline(always)]
    fn ahead<N: Lane<T>>(a: N, b: N) -> bool {
        b.less(a)
    }
}
impl<T: Real> Order<T> for Min {
    #[inline(always)]
    fn ahead<N: Lane<T>>(a: N, b: N) -> bool {
        a.less(b)
    }
}

/// Whether a later element displaces the earlier best.
#[inline(always)]
fn displaces<T: Real, N: Lane<T>, O: Order<T>>(later: N, best: N) -> bool {
    (O::ahead(later, best) | !later.equal(later)) & best.equal(best)
}

/// The best element of a row of at most `CHUNK` elements and where it is first.
#[inline(always)]
fn leaf<T: Real, N: Lane<T>, O: Order<T>>(x: &[T]) -> (T, usize) {
    if x.len() < 16 {
        let start = (x.first().copied().unwrap_or(T::ZERO), 0);
        return x.iter().enumerate().fold(start, |(best, at), (i, &v)| {
            let take = displaces::<T, N, O>(N::of(v), N::of(best));
            (if take { v } else { best }, if take { i } else { at })
        });
    }
    let best = row::<T, N, O>(x, N::of(T::ZERO)).get();
    // A NaN is there only if the best is one.
    let mut first = 0;
    for block in x.chunks(64) {
        if block.iter().fold(false, |any, v| any | (*v == best) | v.is_nan()) {
            return (best, first + block.iter().position(|v| *v == best || v.is_nan()).unwrap_or(0));
        }
        first += block.len();
    }
    (best, 0)
}

multiversion! {
    fn chunk<T, N, O: Order<T>>(x: &[T]) -> (T, usize) {
        leaf::<T, N, O>(x)
    }

    fn short_rows<T, N, O: Order<T>>(x: &[T], n: usize, out: &mut [i64]) {
        for (x, out) in x.chunks_exact(n).zip(out) {
            *out = leaf::<T, N, O>(x).1 as i64;
        }
    }

    /// Carries the best elements of each column, and their rows, through `x`, whose first row is number `first`.
    fn columns<T, N, O: Order<T>>(x: &[T], inner: usize, first: usize, best: &mut [T], at: &mut [i64]) {
        let w = best.len();
        let at = &mut at[..w];
        for (r, row) in x.chunks(inner).enumerate() {
            let (row, r) = (&row[..w], (first + r) as i64);
            for j in 0..w {
                let take = displaces::<T, N, O>(N::of(row[j]), N::of(best[j]));
                best[j] = if take { row[j] } else { best[j] };
                at[j] = if take { r } else { at[j] };
            }
        }
    }
}

/// Finds the best of `n` rows, `inner` apart, of `best.len()` elements.
fn block<T: Real, O: Order<T>>(
    x: &[T],
    (first, n, inner): (usize, usize, usize),
    parallel: bool,
    best: &mut [T],
    at: &mut [i64],
) {
    if n <= ROWS {
        best.fill(O::identity());
        at.fill(first as i64);
        return columns::<T, O>(x, inner, first, best, at);
    }
    let middle = middle(n, ROWS);
    let (low, high) = x.split_at(middle * inner);
    let (mut other, mut other_at) = (vec![T::ZERO; best.len()], vec![0; best.len()]);
    both(
        parallel,
        || block::<T, O>(low, (first, middle, inner), parallel, best, at),
        || block::<T, O>(high, (first + middle, n - middle, inner), parallel, &mut other, &mut other_at),
    );
    for (j, (later, row)) in other.into_iter().zip(other_at).enumerate() {
        if displaces::<T, T, O>(later, best[j]) {
            (best[j], at[j]) = (later, row);
        }
    }
}

fn find<T: Real, O: Order<T>>(x: &[T], outer: usize, n: usize, inner: usize, out: &mut [i64]) {
    debug_assert!(x.len() == outer * n * inner && out.len() == outer * inner);
    if out.is_empty() || n == 0 {
        return out.fill(0);
    }
    let parallel = threshold::split(x.len() / 2);
    if inner == 1 {
        let combine = |a: (T, usize), b: (T, usize)| if displaces::<T, T, O>(b.0, a.0) { b } else { a };
        return pieces(out, (4 * CHUNK / n).max(1), parallel, |first, out| {
            if n <= CHUNK {
                return short_rows::<T, O>(&x[first * n..], n, out);
            }
            for (x, out) in x[first * n..].chunks_exact(n).zip(out) {
                let leaf = |range: std::ops::Range<usize>| {
                    let (best, at) = chunk::<T, O>(&x[range.clone()]);
                    (best, range.start + at)
                };
                *out = tree(0..n, parallel, &leaf, &combine).1 as i64;
            }
        });
    }
    let slices = (4 * CHUNK / (n * inner)).max(1);
    pieces(out, slices * inner, parallel, |first, out| {
        pieces(out, inner, false, |o, out| {
            let x = &x[(first + o) * n..][..n * inner];
            pieces(out, WIDTH, parallel, |c, out| {
                let best = &mut [T::ZERO; WIDTH][..out.len()];
                block::<T, O>(&x[c..], (0, n, inner), parallel, best, out);
            });
        });
    });
}

/// The position along `n` of the largest element: the first among equals, the first NaN if there is one.
pub fn argmax<T: Real>(x: &[T], outer: usize, n: usize, inner: usize, out: &mut [i64]) {
    find::<T, Max>(x, outer, n, inner, out);
}

/// The position along `n` of the smallest element: the first among equals, the first NaN if there is one.
pub fn argmin<T: Real>(x: &[T], outer: usize, n: usize, inner: usize, out: &mut [i64]) {
    find::<T, Min>(x, outer, n, inner, out);
}
