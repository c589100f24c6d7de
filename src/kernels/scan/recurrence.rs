//! Linear recurrences and running products, in order along the axis: a product of blocks could overflow where the
//! running product is 0.

use super::super::places::prefetch;
use super::super::reduce::{CHUNK, pieces};
use super::super::{multiversion, threshold};
use super::at;
use crate::number::{Lane, Real};

/// Rows that are taken side by side: enough to hide the latency of a product, and few enough not to drive one another
/// from the cache where their length is a power of two.
const SIDE_BY_SIDE: usize = 4;

/// Elements that are asked for ahead: no more than fit beside those in use.
const NEAR: usize = 1 << 11;

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

/// Asks for the memory behind the first `len` elements, as much again. The processor foresees one walk through a page,
/// not several short ones.
#[inline(always)]
fn next_rows<T>(x: &[T], len: usize) {
    if len <= NEAR {
        (len..2 * len).step_by(64 / size_of::<T>()).for_each(|at| prefetch(x, at));
    }
}

/// `L` rows of `n` side by side: none waits for another.
#[inline(always)]
fn rows<T: Real, N: Lane<T>, S: Step<T, K>, const K: usize, const L: usize>(
    x: [&[T]; K],
    n: usize,
    backwards: bool,
    out: &mut [T],
) {
    let mut acc = [N::of(T::ZERO); L];
    let x: [[&[T]; K]; L] = std::array::from_fn(|r| x.map(|x| &x[r * n..][..n]));
    let mut rest = out.chunks_exact_mut(n);
    let out: [&mut [T]; L] = std::array::from_fn(|_| rest.next().expect("as many rows"));
    for i in 0..n {
        let at = if backwards { n - 1 - i } else { i };
        for r in 0..L {
            let x = x[r].map(|x| N::of(x[at]));
            acc[r] = if i == 0 { S::first(x) } else { S::next(acc[r], x) };
            out[r][at] = acc[r].get();
        }
    }
}

/// Slices of `n` rows of `inner`.
#[inline(always)]
fn slabs<T: Real, N: Lane<T>, S: Step<T, K>, const K: usize>(
    x: [&[T]; K],
    n: usize,
    inner: usize,
    backwards: bool,
    out: &mut [T],
) {
    let size = n * inner;
    let mut from = 0;
    if inner == 1 {
        while from + SIDE_BY_SIDE * n <= out.len() {
            let x = x.map(|x| &x[from..]);
            x.into_iter().for_each(|x| next_rows(x, SIDE_BY_SIDE * n));
            rows::<T, N, S, K, SIDE_BY_SIDE>(x, n, backwards, &mut out[from..]);
            from += SIDE_BY_SIDE * n;
        }
    }
    for from in (from..out.len()).step_by(size) {
        let (x, out) = (x.map(|x| &x[from..][..size]), &mut out[from..from + size]);
        if inner == 1 {
            rows::<T, N, S, K, 1>(x, n, backwards, out);
        } else {
            slab::<T, N, S, K>(x, n, inner, backwards, out);
        }
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
        slabs::<T, N, Product, 1>([x], n, inner, false, out);
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

    /// The same for rows.
    fn weighted_rows<T, N>(inputs: [&[T]; 3], n: usize, out: &mut [T]) {
        let whole = out.len() / (SIDE_BY_SIDE * n) * SIDE_BY_SIDE * n;
        let (many, few) = out.split_at_mut(whole);
        for (s, out) in many.chunks_exact_mut(SIDE_BY_SIDE * n).enumerate() {
            let inputs = inputs.map(|v| &v[s * SIDE_BY_SIDE * n..]);
            inputs.into_iter().for_each(|v| next_rows(v, SIDE_BY_SIDE * n));
            weighted_side_by_side::<T, N, SIDE_BY_SIDE>(inputs, n, out);
        }
        for (s, out) in few.chunks_exact_mut(n).enumerate() {
            weighted_side_by_side::<T, N, 1>(inputs.map(|v| &v[whole + s * n..]), n, out);
        }
    }

    fn linear<T, N>(a: &[T], b: &[T], n: usize, inner: usize, backwards: bool, out: &mut [T]) {
        slabs::<T, N, Linear, 2>([a, b], n, inner, backwards, out);
    }
}

/// The cotangents of running products of `L` rows.
#[inline(always)]
fn weighted_side_by_side<T: Real, N: Lane<T>, const L: usize>(inputs: [&[T]; 3], n: usize, out: &mut [T]) {
    let [x, y, g]: [[&[T]; L]; 3] = inputs.map(|v| std::array::from_fn(|r| &v[r * n..][..n]));
    let mut rest = out.chunks_exact_mut(n);
    let out: [&mut [T]; L] = std::array::from_fn(|_| rest.next().expect("as many rows"));
    let mut acc: [N; L] = std::array::from_fn(|r| N::of(g[r][n - 1]));
    for i in (1..n).rev() {
        for r in 0..L {
            out[r][i] = (acc[r] * N::of(y[r][i - 1])).get();
            acc[r] = N::of(x[r][i]).mul_add(acc[r], N::of(g[r][i - 1]));
        }
    }
    for r in 0..L {
        out[r][0] = acc[r].get();
    }
}

/// Whole slices of `[n, inner]`, as many in a piece as are worth it.
pub(super) fn slices<E: Send>(slab: usize, out: &mut [E], ns: usize, f: impl Fn(usize, &mut [E]) + Sync) {
    if !out.is_empty() {
        let parallel = threshold::split(out.len() * ns);
        // Rows run side by side if there are enough of them for all threads.
        let many = out.len() / slab >= SIDE_BY_SIDE * rayon::current_num_threads();
        let least = if many { SIDE_BY_SIDE } else { 1 };
        pieces(out, (2 * CHUNK / slab).max(least) * slab, parallel, f);
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
        match inner {
            1 => weighted_rows::<T>(inputs, n, out),
            _ => weighted::<T>(inputs, n, inner, &mut vec![T::ZERO; inner], out),
        }
    });
}

/// `hᵢ = aᵢ hᵢ₋₁ + bᵢ`, from 0; backwards, `hᵢ = aᵢ hᵢ₊₁ + bᵢ`. The first `a` is not looked at.
pub fn recurrence<T: Real>(a: &[T], b: &[T], n: usize, inner: usize, backwards: bool, out: &mut [T]) {
    slices(n * inner, out, 1, |from, out| {
        let range = from..from + out.len();
        linear::<T>(&a[range.clone()], &b[range], n, inner, backwards, out);
    });
}
