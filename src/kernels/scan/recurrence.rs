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

    /// The cotangents of running products: `λᵢ yᵢ₋₁`, where `λᵢ = gᵢ + xᵢ₊₁ λᵢ₊₁`, which stands in `acc`.
    fn weighted<T, N>(inputs: [&[T]; 3], n: usize, inner: usize, acc: &mut [T], out: &mut [T]) {
        let acc = &mut acc[..inner];
        for (s, out) in out.chunks_exact_mut(n * inner).enumerate() {
            let [x, y, g] = inputs.map(|v| &v[s * n * inner..][..n * inner]);
            acc.copy_from_slice(&g[(n - 1) * inner..]);
            for i in (1..n).rev() {
                let (x, out) = (&x[i * inner..][..inner], &mut out[i * inner..][..inner]);
                let (y, g) = (&y[(i - 1) * inner..][..inner], &g[(i - 1) * inner..][..inner]);
                for j in 0..inner {
                    let l = N::of(acc[j]);
                    out[j] = (l * N::of(y[j])).get();
                    acc[j] = N::of(x[j]).mul_add(l, N::of(g[j])).get();
                }
            }
            out[..inner].copy_from_slice(acc);
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

/// The cotangents of running products `y` of `x`, from those of `y`.
pub fn cumprod_backward<T: Real>([x, y, g]: [&[T]; 3], n: usize, inner: usize, out: &mut [T]) {
    slices(n * inner, out, 2, |from, out| {
        let inputs = [x, y, g].map(|v| &v[from..][..out.len()]);
        weighted::<T>(inputs, n, inner, &mut vec![T::ZERO; inner], out);
    });
}

/// `hᵢ = aᵢ hᵢ₋₁ + bᵢ`, from 0; backwards, `hᵢ = aᵢ hᵢ₊₁ + bᵢ`. The first `a` is not looked at.
pub fn recurrence<T: Real>(a: &[T], b: &[T], n: usize, inner: usize, backwards: bool, out: &mut [T]) {
    slices(n * inner, out, 1, |from, out| {
        let range = from..from + out.len();
        linear::<T>(&a[range.clone()], &b[range], n, inner, backwards, out);
    });
}
