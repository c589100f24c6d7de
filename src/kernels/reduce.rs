//! Reductions of a contiguous `[outer, n, inner]` to `[outer, inner]`.
//!
//! Every result is folded over a tree whose shape depends on the lengths alone: the bits are the same on any
//! number of threads, and rounding errors of sums grow with the logarithm of the length. The leaves are long
//! enough to run at the speed of memory: [`CHUNK`] elements of one row, or [`ROWS`] rows of a block of columns.

pub use super::argument::{argmax, argmin};
use super::{multiversion, rows, threshold};
use crate::number::{Lane, Real};
use rayon::prelude::*;
use std::ops::Range;

/// Elements of a row in one leaf.
pub(super) const CHUNK: usize = 1 << 12;
/// Independent accumulators of a leaf: enough to hide the latency of an addition on every instruction set.
const LANES: usize = 64;
/// Rows in one leaf of a reduction over an outer axis.
const ROWS: usize = 128;
/// Columns that such a leaf takes at a time; their accumulators stay in the first-level cache.
const WIDTH: usize = 1 << 10;
/// Rows shorter than half of this are taken several at a time, as one row of about this length.
const NARROW: usize = 256;
/// Elements from which on a subtree is worth a task of its own.
const GRAIN: usize = 1 << 16;

/// What a reduction does with each element. `p` is a parameter of the output element, such as the mean that
/// squares are taken about.
pub(super) trait Monoid<T: Real> {
    /// Whether `step` reads `p`.
    const PARAMETER: bool = false;
    /// Whether `step` is long, so that unrolling over rows gains nothing.
    const HEAVY: bool = false;
    fn identity() -> T;
    fn step<N: Lane<T>>(acc: N, x: N, p: N) -> N;
    fn combine<N: Lane<T>>(a: N, b: N) -> N;
}

macro_rules! monoids {
    ($($name:ident $([$($flag:ident)*])?: $identity:expr, ($a:ident, $x:ident, $p:pat) $step:expr, ($l:ident, $r:ident) $combine:expr;)*) => {$(
        pub(super) struct $name;
        impl<T: Real> Monoid<T> for $name {
            $($(const $flag: bool = true;)*)?
            #[inline(always)]
            fn identity() -> T {
                $identity
            }
            #[inline(always)]
            fn step<N: Lane<T>>($a: N, $x: N, $p: N) -> N {
                $step
            }
            #[inline(always)]
            fn combine<N: Lane<T>>($l: N, $r: N) -> N {
                $combine
            }
        }
    )*};
}
monoids! {
    Sum: T::ZERO, (a, x, _) a + x, (l, r) l + r;
    Prod: T::ONE, (a, x, _) a * x, (l, r) l * r;
    Max: -T::INFINITY, (a, x, _) larger(a, x), (l, r) larger(l, r);
    Min: T::INFINITY, (a, x, _) smaller(a, x), (l, r) smaller(l, r);
    AbsMax: T::ZERO, (a, x, _) larger(a, x.abs()), (l, r) larger(l, r);
    SquaresAbout [PARAMETER]: T::ZERO, (a, x, p) (x - p).mul_add(x - p, a), (l, r) l + r;
    ScaledSquares [PARAMETER]: T::ZERO, (a, x, p) (x * p).mul_add(x * p, a), (l, r) l + r;
    ExpAbout [PARAMETER HEAVY]: T::ZERO, (a, x, p) a + (x - p).exp(), (l, r) l + r;
}

/// The larger of two, NaN if either is: two comparisons and a selection, fewer than `Number::maximum` needs.
#[inline(always)]
fn larger<T, N: Lane<T>>(a: N, x: N) -> N {
    N::select(!x.less_equal(a) & a.equal(a), x, a)
}

/// The smaller of two, NaN if either is.
#[inline(always)]
fn smaller<T, N: Lane<T>>(a: N, x: N) -> N {
    N::select(!a.less_equal(x) & a.equal(a), x, a)
}

/// Folds accumulators by halves.
#[inline(always)]
fn fold<T: Real, N: Lane<T>, M: Monoid<T>, const L: usize>(mut acc: [N; L]) -> N {
    let mut half = L / 2;
    while half > 0 {
        for i in 0..half {
            acc[i] = M::combine(acc[i], acc[i + half]);
        }
        half /= 2;
    }
    acc[0]
}

/// One leaf of a row: at most `CHUNK` elements.
#[inline(always)]
pub(super) fn row<T: Real, N: Lane<T>, M: Monoid<T>>(x: &[T], p: N) -> N {
    if x.len() >= LANES {
        lanes::<T, N, M, LANES>(x, p)
    } else if x.len() >= 16 {
        lanes::<T, N, M, 8>(x, p)
    } else {
        // The processor overlaps the chains of successive rows.
        x.iter().fold(N::of(M::identity()), |acc, &v| M::step(acc, N::of(v), p))
    }
}

#[inline(always)]
fn lanes<T: Real, N: Lane<T>, M: Monoid<T>, const L: usize>(x: &[T], p: N) -> N {
    let mut acc = [N::of(M::identity()); L];
    let (blocks, tail) = x.as_chunks::<L>();
    for block in blocks {
        for i in 0..L {
            acc[i] = M::step(acc[i], N::of(block[i]), p);
        }
    }
    for (a, &v) in acc.iter_mut().zip(tail) {
        *a = M::step(*a, N::of(v), p);
    }
    fold::<T, N, M, L>(acc)
}

/// One leaf of an inner product.
#[inline(always)]
pub(super) fn row_dot<T: Real, N: Lane<T>>(a: &[T], b: &[T]) -> N {
    let mut acc = [N::of(T::ZERO); LANES];
    let ((a, a_tail), (b, b_tail)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            acc[i] = N::of(a[i]).mul_add(N::of(b[i]), acc[i]);
        }
    }
    if a.is_empty() {
        return a_tail.iter().zip(b_tail).fold(acc[0], |s, (&a, &b)| N::of(a).mul_add(N::of(b), s));
    }
    for ((acc, &a), &b) in acc.iter_mut().zip(a_tail).zip(b_tail) {
        *acc = N::of(a).mul_add(N::of(b), *acc);
    }
    fold::<T, N, Sum, LANES>(acc)
}

multiversion! {
    /// Reduces each row of `n ≤ CHUNK` elements.
    fn short_rows<T, N, M: Monoid<T>>(x: &[T], n: usize, p: &[T], out: &mut [T]) {
        for (i, (out, x)) in out.iter_mut().zip(x.chunks_exact(n)).enumerate() {
            let p = N::of(if M::PARAMETER { p[i] } else { T::ZERO });
            *out = row::<T, N, M>(x, p).get();
        }
    }

    /// Folds `count` rows, `stride` apart, into the accumulators.
    fn columns<T, N, M: Monoid<T>>(x: &[T], stride: usize, count: usize, p: &[T], acc: &mut [T]) {
        let w = acc.len();
        let mut r = 0;
        // Without a parameter any slice of the right length serves: `step` does not read it.
        let p = if M::PARAMETER { &p[..w] } else { &x[..w] };
        while !M::HEAVY && r + 4 <= count {
            let rows: [&[T]; 4] = std::array::from_fn(|i| &x[(r + i) * stride..][..w]);
            for j in 0..w {
                let mut a = N::of(acc[j]);
                for row in rows {
                    a = M::step(a, N::of(row[j]), N::of(p[j]));
                }
                acc[j] = a.get();
            }
            r += 4;
        }
        while r < count {
            let row = &x[r * stride..][..w];
            for j in 0..w {
                acc[j] = M::step(N::of(acc[j]), N::of(row[j]), N::of(p[j])).get();
            }
            r += 1;
        }
    }

    fn combine_into<T, N, M: Monoid<T>>(acc: &mut [T], other: &[T]) {
        for (a, &b) in acc.iter_mut().zip(other) {
            *a = M::combine(N::of(*a), N::of(b)).get();
        }
    }

    fn dot_leaf<T, N>(a: &[T], b: &[T]) -> T {
        row_dot::<T, N>(a, b).get()
    }
}

/// Runs two halves of a tree, on two threads if `parallel`.
pub(super) fn both<A: Send, B: Send>(
    parallel: bool,
    a: impl FnOnce() -> A + Send,
    b: impl FnOnce() -> B + Send,
) -> (A, B) {
    if parallel { rayon::join(a, b) } else { (a(), b()) }
}

/// Where a tree over `len` elements divides: into halves of whole chunks.
pub(super) fn middle(len: usize, chunk: usize) -> usize {
    len.div_ceil(chunk).div_ceil(2) * chunk
}

/// Folds leaves of at most `CHUNK` elements over a balanced tree.
pub(super) fn tree<S: Send>(
    range: Range<usize>,
    parallel: bool,
    leaf: &(impl Fn(Range<usize>) -> S + Sync),
    combine: &(impl Fn(S, S) -> S + Sync),
) -> S {
    if range.len() <= CHUNK {
        return leaf(range);
    }
    let middle = range.start + middle(range.len(), CHUNK);
    let (a, b) = both(
        parallel && range.len() >= GRAIN,
        || tree(range.start..middle, parallel, leaf, combine),
        || tree(middle..range.end, parallel, leaf, combine),
    );
    combine(a, b)
}

/// Calls `f` with pieces of `out` and the position where each begins, on several threads if `parallel`.
pub(super) fn pieces<E: Send>(
    out: &mut [E],
    piece: usize,
    parallel: bool,
    f: impl Fn(usize, &mut [E]) + Sync,
) {
    if parallel && out.len() > piece {
        shared(out, piece, &f);
    } else {
        out.chunks_mut(piece).enumerate().for_each(|(i, out)| f(i * piece, out));
    }
}

/// Pieces shared by the threads; `f` is a pointer, so that this is compiled once and not for every kernel.
fn shared<E: Send>(out: &mut [E], piece: usize, f: &(dyn Fn(usize, &mut [E]) + Sync)) {
    out.par_chunks_mut(piece).enumerate().for_each(|(i, out)| f(i * piece, out));
}

/// Reduces one row of any length.
fn long_row<T: Real, M: Monoid<T>>(x: &[T], p: &[T], parallel: bool) -> T {
    let leaf = |range: Range<usize>| {
        let mut out = [T::ZERO];
        short_rows::<T, M>(&x[range.clone()], range.len(), p, &mut out);
        out[0]
    };
    tree(0..x.len(), parallel, &leaf, &M::combine::<T>)
}

/// Rows taken at a time for `inner` columns.
fn group(inner: usize) -> usize {
    (NARROW / inner).max(1)
}

/// Reduces a block of columns of one outer slice: `n` rows, `inner` apart, of `out.len() ≤ WIDTH` elements.
fn block<T: Real, M: Monoid<T>>(x: &[T], n: usize, inner: usize, p: &[T], parallel: bool, out: &mut [T]) {
    let chunk = ROWS * group(inner);
    if n > chunk {
        let middle = middle(n, chunk);
        let (low, high) = x.split_at(middle * inner);
        let mut other = vec![T::ZERO; out.len()];
        both(
            parallel && n * out.len() >= GRAIN,
            || block::<T, M>(low, middle, inner, p, parallel, out),
            || block::<T, M>(high, n - middle, inner, p, parallel, &mut other),
        );
        combine_into::<T, M>(out, &other);
        return;
    }
    let group = group(inner).min(n);
    if group == 1 {
        out.fill(M::identity());
        columns::<T, M>(x, inner, n, p, out);
        return;
    }
    let (mut acc, mut repeated) = ([M::identity(); NARROW], [T::ZERO; NARROW]);
    if M::PARAMETER {
        repeated.chunks_exact_mut(inner).for_each(|r| r.copy_from_slice(p));
    }
    let width = group * inner;
    columns::<T, M>(x, width, n / group, &repeated, &mut acc[..width]);
    let rest = n % group * inner;
    if rest > 0 {
        columns::<T, M>(&x[n * inner - rest..], rest, 1, &repeated, &mut acc[..rest]);
    }
    let mut live = group;
    while live > 1 {
        let half = live.div_ceil(2);
        let (low, high) = acc[..live * inner].split_at_mut(half * inner);
        combine_into::<T, M>(low, high);
        live = half;
    }
    out.copy_from_slice(&acc[..inner]);
}

/// Reduces all of `x`.
fn reduce<T: Real, M: Monoid<T>>(x: &[T], outer: usize, n: usize, inner: usize, p: &[T], out: &mut [T]) {
    debug_assert!(x.len() == outer * n * inner && out.len() == outer * inner);
    if out.is_empty() || n == 0 {
        return out.fill(M::identity());
    }
    let parallel = threshold::split(size_of_val(x) / if M::HEAVY { 4 } else { 16 });
    let p = |range: Range<usize>| if M::PARAMETER { &p[range] } else { &p[..0] };
    if inner == 1 && n > CHUNK {
        pieces(out, 1, parallel, |o, out| {
            out[0] = long_row::<T, M>(&x[o * n..][..n], p(o..o + 1), parallel);
        });
    } else if inner == 1 {
        pieces(out, (4 * CHUNK / n).max(1), parallel, |o, out| {
            short_rows::<T, M>(&x[o * n..], n, p(o..o + out.len()), out);
        });
    } else {
        let slices = (4 * CHUNK / (n * inner)).max(1);
        pieces(out, slices * inner, parallel, |first, out| {
            pieces(out, inner, false, |o, out| {
                let x = &x[(first + o) * n..][..n * inner];
                pieces(out, WIDTH, parallel, |c, out| {
                    let at = first + o + c;
                    block::<T, M>(&x[c..], n, inner, p(at..at + out.len()), parallel, out);
                });
            });
        });
    }
}

macro_rules! reductions {
    ($($(#[$doc:meta])* $name:ident: $monoid:ident $(, $p:ident)?;)*) => {$(
        $(#[$doc])*
        pub fn $name<T: Real>(x: &[T], $($p: &[T],)? outer: usize, n: usize, inner: usize, out: &mut [T]) {
            let p: &[T] = &[];
            $(let p = { let _ = p; $p };)?
            reduce::<T, $monoid>(x, outer, n, inner, p, out);
        }
    )*};
}
reductions! {
    /// `Σ x`; 0 for `n = 0`.
    sum: Sum;
    /// `Π x`; 1 for `n = 0`.
    prod: Prod;
    /// The largest element, NaN if there is a NaN; −∞ for `n = 0`.
    max: Max;
    /// The smallest element, NaN if there is a NaN; ∞ for `n = 0`.
    min: Min;
    /// `max |x|`, NaN if there is a NaN; 0 for `n = 0`.
    abs_max: AbsMax;
    /// `Σ |x|`.
    /// `Σ (x − c)²`, with one centre for each output element.
    squares_about: SquaresAbout, centre;
    /// `Σ (x·c)²`, with one scale for each output element.
    scaled_squares: ScaledSquares, scale;
    /// `Σ e^(x − c)`, with one shift for each output element.
    exp_about: ExpAbout, shift;
}

/// `Σ aᵢbᵢ`.
pub fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let n = a.len().min(b.len());
    let parallel = threshold::split(n * size_of::<T>() / 8);
    tree(0..n, parallel, &|r| dot_leaf(&a[r.clone()], &b[r]), &|a: T, b: T| a + b)
}

/// `ln Σ e^x`, shifted by the largest element: −∞ for a slice of −∞, ∞ if there is one, NaN if there is a NaN.
pub fn logsumexp<T: Real>(x: &[T], outer: usize, n: usize, inner: usize, out: &mut [T]) {
    let mut shift = vec![T::ZERO; out.len()];
    if inner == 1 && n > 0 {
        rows::totals(x, n, &mut shift, out);
    } else {
        max(x, outer, n, inner, &mut shift);
        shift.iter_mut().for_each(|m| *m = finite_or_zero(*m));
        exp_about(x, &shift, outer, n, inner, out);
    }
    out.iter_mut().zip(shift).for_each(|(s, m)| *s = m + s.ln());
}

/// A shift that is not finite would make `∞ − ∞` of what it is taken from; without one, `ln Σ e^x` of −∞, ∞ and
/// NaN comes out right by itself.
#[inline(always)]
pub(super) fn finite_or_zero<T: Real>(m: T) -> T {
    if m.is_finite() { m } else { T::ZERO }
}

#[cfg(test)]
mod tests;
