//! Linear recurrences and running products, in order along the axis: a product of blocks could overflow where the
//! running product is 0.

use super::super::reduce::{CHUNK, pieces};
use super::super::{multiversion, threshold};
use super::at;
use crate::number::{Lane, Real};

/// What each element of the scan is made of: that before it, and the inputs' elements.
trait Step<T: Real, const K: usize> {
    fn first<N: Lane<T>>(x: [N; K]) -> N;
    fn next<N: Lane<T>>(before: N, x: [N; K]) -> N;
}

struct Product;
impl<T: Real> Step<T, 1> for Product {
    #[inline(always)]
    fn first<N: Lane<T>>([x]: [N; 1]) -> N {
        x
    }
    #[inline(always)]
    fn next<N: Lane<T>>(before: N, [x]: [N; 1]) -> N {
        before * x
    }
}

struct Linear;
impl<T: Real> Step<T, 2> for Linear {
    #[inline(always)]
    fn first<N: Lane<T>>([_, b]: [N; 2]) -> N {
        b
    }
    #[inline(always)]
    fn next<N: Lane<T>>(before: N, [a, b]: [N; 2]) -> N {
        a.mul_add(before, b)
    }
}

/// One slice of `n` rows of `inner`.
#[inline(always)]
fn slab<T: Real, N: Lane<T>, S: Step<T, K>, const K: usize>(
    x: [&[T]; K],
    n: usize,
    inner: usize,
    backwards: bool,
    out: &mut [T],
) {
    let place = |i: usize| if backwards { at::<1>(i, n) } else { at::<0>(i, n) };
    if inner == 1 {
        let mut acc = S::first(x.map(|x| N::of(x[place(0)])));
        out[place(0)] = acc.get();
        for i in 1..n {
            let i = place(i);
            acc = S::next(acc, x.map(|x| N::of(x[i])));
            out[i] = acc.get();
        }
        return;
    }
    let first = place(0) * inner;
    for j in first..first + inner {
        out[j] = S::first(x.map(|x| N::of(x[j]))).get();
    }
    for i in 1..n {
        let (from, before) = (place(i) * inner, place(i - 1) * inner);
        let (low, high) = out.split_at_mut(from.max(before));
        let (out, before) = if from > before {
            (&mut high[..inner], &low[before..][..inner])
        } else {
            (&mut low[from..][..inner], &high[..inner])
        };
        let x = x.map(|x| &x[from..][..inner]);
        for j in 0..inner {
            out[j] = S::next(N::of(before[j]), x.map(|x| N::of(x[j]))).get();
        }
    }
}

multiversion! {
    fn products<T, N>(x: &[T], n: usize, inner: usize, out: &mut [T]) {
        for (x, out) in x.chunks_exact(n * inner).zip(out.chunks_exact_mut(n * inner)) {
            slab::<T, N, Product, 1>([x], n, inner, false, out);
        }
    }

    fn linear<T, N>(a: &[T], b: &[T], n: usize, inner: usize, backwards: bool, out: &mut [T]) {
        let inputs = a.chunks_exact(n * inner).zip(b.chunks_exact(n * inner));
        for ((a, b), out) in inputs.zip(out.chunks_exact_mut(n * inner)) {
            slab::<T, N, Linear, 2>([a, b], n, inner, backwards, out);
        }
    }
}

/// Whole slices of `[n, inner]`, as many in a piece as are worth it.
pub(super) fn slices<E: Send>(slab: usize, out: &mut [E], ns: usize, f: impl Fn(usize, &mut [E]) + Sync) {
    if !out.is_empty() {
        let parallel = threshold::split(out.len() * ns);
        pieces(out, (2 * CHUNK / slab).max(1) * slab, parallel, f);
    }
}

/// Running products.
pub fn cumprod<T: Real>(x: &[T], n: usize, inner: usize, out: &mut [T]) {
    slices(n * inner, out, 1, |from, out| products::<T>(&x[from..][..out.len()], n, inner, out));
}

/// `hᵢ = aᵢ hᵢ₋₁ + bᵢ`, from 0; backwards, `hᵢ = aᵢ hᵢ₊₁ + bᵢ`. The first `a` is not looked at.
pub fn recurrence<T: Real>(a: &[T], b: &[T], n: usize, inner: usize, backwards: bool, out: &mut [T]) {
    slices(n * inner, out, 1, |from, out| {
        let range = from..from + out.len();
        linear::<T>(&a[range.clone()], &b[range], n, inner, backwards, out);
    });
}
