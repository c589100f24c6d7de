//! Rows moved and scaled to mean 0 and variance 1, then weighted channel by channel, and the gradient of that.
//!
//! Rows of up to [`CHUNK`] elements stay in the first-level cache from the first pass to the last. Means and variances
//! come from two passes: the second takes the sum of the deviations, too, and corrects the mean by it, so that a constant
//! row has variance 0 exactly, and y is then the bias, for a large constant too.

use super::reduce::{self, CHUNK, Sum, row, tree};
use super::{multiversion, threshold};
use crate::number::{Lane, Real};
use rayon::prelude::*;

/// Independent accumulators of a sum.
const LANES: usize = 32;
/// Elements of the rows that share one partial sum of the weights' gradients.
const SHARED: usize = 1 << 15;

/// How rows lie: `groups` kinds in turn, each of `channels` channels of `inner` elements, with a weight and a bias for
/// each channel of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Kinds of rows.
    pub groups: usize,
    /// Channels of a row.
    pub channels: usize,
    /// Elements of a channel.
    pub inner: usize,
}

impl Rows {
    /// The elements of a row.
    pub fn len(self) -> usize {
        self.channels * self.inner
    }

    /// All weights.
    pub fn weights(self) -> usize {
        self.groups * self.channels
    }
}

/// What every row is normalised by.
#[derive(Clone, Copy, Debug)]
pub struct Moments<'a, T> {
    /// The mean of each row; 0 where it is not taken off.
    pub mean: &'a [T],
    /// The mean square about it.
    pub variance: &'a [T],
    /// What is added to the variance.
    pub eps: T,
    /// Whether the mean is taken off.
    pub centred: bool,
}

multiversion! {
    fn sum_leaf<T, N>(x: &[T]) -> T {
        row::<T, N, Sum>(x, N::of(T::ZERO)).get()
    }

    fn about_leaf<T, N>(x: &[T], centre: T) -> (T, T) {
        let (s, q) = about::<T, N>(x, N::of(centre));
        (s.get(), q.get())
    }

    /// The moments of rows of `n ≤ CHUNK` elements.
    fn short_moments<T, N>(x: &[T], n: usize, centred: bool, mean: &mut [T], variance: &mut [T]) {
        for ((x, mean), variance) in x.chunks_exact(n).zip(mean).zip(variance) {
            let total = if centred { row::<T, N, Sum>(x, N::of(T::ZERO)).get() } else { T::ZERO };
            let centre = total / T::from_f64(n as f64);
            let (s, q) = about::<T, N>(x, N::of(centre));
            (*mean, *variance) = corrected(centre, s.get(), q.get(), n, centred);
        }
    }

    /// `(x − mean)/√(variance + eps)·w + b` for whole rows, of which the first is number `first`.
    fn apply<T, N>(x: &[T], rows: Rows, first: usize, by: Moments<'_, T>, w: &[T], b: &[T], y: &mut [T]) {
        let (n, c) = (rows.len(), rows.channels);
        for (i, (x, y)) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)).enumerate() {
            let (m, r) = (N::of(by.mean[i]), factor::<T, N>(by, i));
            let at = (first + i) % rows.groups * c;
            let (w, b) = (&w[at..][..c], &b[at..][..c]);
            if rows.inner == 1 {
                for ((y, &x), (&w, &b)) in y.iter_mut().zip(x).zip(w.iter().zip(b)) {
                    *y = ((N::of(x) - m) * r).mul_add(N::of(w), N::of(b)).get();
                }
                continue;
            }
            let channels = x.chunks_exact(rows.inner).zip(y.chunks_exact_mut(rows.inner));
            for ((x, y), (&w, &b)) in channels.zip(w.iter().zip(b)) {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = ((N::of(x) - m) * r).mul_add(N::of(w), N::of(b)).get();
                }
            }
        }
    }

    /// The gradient of the same rows to `dx`; those of the weights and biases are added to `dw` and `db`, of the one
    /// kind of rows.
    fn apply_backward<T, N>(x: &[T], g: &[T], rows: Rows, by: Moments<'_, T>, w: &[T], dx: &mut [T], to: (&mut [T], &mut [T])) {
        let (n, (dw, db)) = (rows.len(), to);
        let scale = N::of(T::from_f64(1.0 / n as f64));
        let whole = x.chunks_exact(n).zip(g.chunks_exact(n)).zip(dx.chunks_exact_mut(n));
        for (i, ((x, g), dx)) in whole.enumerate() {
            let (m, r) = (N::of(by.mean[i]), factor::<T, N>(by, i));
            if rows.inner == 1 {
                let (mut level, mut slope) = (N::of(T::ZERO), N::of(T::ZERO));
                for ((x, g), w) in x.chunks(CHUNK).zip(g.chunks(CHUNK)).zip(w.chunks(CHUNK)) {
                    let (a, b) = weighted_sums::<T, N>(x, g, w, m);
                    (level, slope) = (level + a, slope + b);
                }
                let level = if by.centred { level * scale } else { N::of(T::ZERO) };
                let slope = slope * r * r * scale;
                for (((dx, &x), &g), &w) in dx.iter_mut().zip(x).zip(g).zip(w) {
                    *dx = (r * (N::of(g) * N::of(w) - level - (N::of(x) - m) * slope)).get();
                }
                for (((dw, db), &x), &g) in dw.iter_mut().zip(db.iter_mut()).zip(x).zip(g) {
                    *dw = ((N::of(x) - m) * r).mul_add(N::of(g), N::of(*dw)).get();
                    *db = (N::of(*db) + N::of(g)).get();
                }
                continue;
            }
            let (mut level, mut slope) = (N::of(T::ZERO), N::of(T::ZERO));
            for (k, (x, g)) in x.chunks_exact(rows.inner).zip(g.chunks_exact(rows.inner)).enumerate() {
                let (mut a, mut b) = (N::of(T::ZERO), N::of(T::ZERO));
                for (x, g) in x.chunks(CHUNK).zip(g.chunks(CHUNK)) {
                    let (s, t) = sums::<T, N>(x, g, m);
                    (a, b) = (a + s, b + t);
                }
                dw[k] = b.mul_add(r, N::of(dw[k])).get();
                db[k] = (N::of(db[k]) + a).get();
                (level, slope) = (a.mul_add(N::of(w[k]), level), b.mul_add(N::of(w[k]), slope));
            }
            let level = if by.centred { level * scale } else { N::of(T::ZERO) };
            let slope = slope * r * r * scale;
            let channels = x.chunks_exact(rows.inner).zip(g.chunks_exact(rows.inner));
            for (((x, g), dx), &w) in channels.zip(dx.chunks_exact_mut(rows.inner)).zip(w) {
                for ((dx, &x), &g) in dx.iter_mut().zip(x).zip(g) {
                    *dx = (r * (N::of(g) * N::of(w) - level - (N::of(x) - m) * slope)).get();
                }
            }
        }
    }
}

/// `1/√(variance + eps)` of a row.
#[inline(always)]
fn factor<T: Real, N: Lane<T>>(by: Moments<'_, T>, row: usize) -> N {
    (N::of(by.variance[row]) + N::of(by.eps)).sqrt().recip()
}

/// Folds accumulators by halves.
#[inline(always)]
fn fold<T: Real, N: Lane<T>>(mut acc: [N; LANES]) -> N {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            acc[i] = acc[i] + acc[i + half];
        }
        half /= 2;
    }
    acc[0]
}

/// `Σ f` and `Σ f·h` over elements of which `part` gives `(f, h)`. The inputs are as long as the first.
#[inline(always)]
fn two_sums<T: Real, N: Lane<T>, const K: usize>(x: [&[T]; K], part: impl Fn([N; K]) -> (N, N)) -> (N, N) {
    let (mut s, mut q) = ([N::of(T::ZERO); LANES], [N::of(T::ZERO); LANES]);
    let (mut blocks, mut tails) = ([&[] as &[[T; LANES]]; K], x);
    for ((block, tail), x) in blocks.iter_mut().zip(&mut tails).zip(x) {
        (*block, *tail) = x.as_chunks();
    }
    for at in 0..blocks[0].len() {
        let mut block = [&blocks[0][at]; K];
        for (block, blocks) in block.iter_mut().zip(blocks) {
            *block = &blocks[at];
        }
        for i in 0..LANES {
            let mut v = [N::of(T::ZERO); K];
            for (v, block) in v.iter_mut().zip(block) {
                *v = N::of(block[i]);
            }
            let (f, h) = part(v);
            s[i] = s[i] + f;
            q[i] = f.mul_add(h, q[i]);
        }
    }
    for (i, (s, q)) in s.iter_mut().zip(&mut q).enumerate().take(tails[0].len()) {
        let mut v = [N::of(T::ZERO); K];
        for (v, tail) in v.iter_mut().zip(tails) {
            *v = N::of(tail[i]);
        }
        let (f, h) = part(v);
        *s = *s + f;
        *q = f.mul_add(h, *q);
    }
    (fold(s), fold(q))
}

/// `Σ(x − c)` and `Σ(x − c)²`.
#[inline(always)]
fn about<T: Real, N: Lane<T>>(x: &[T], c: N) -> (N, N) {
    two_sums([x], |[x]| (x - c, x - c))
}

/// `Σ g` and `Σ g·(x − m)`.
#[inline(always)]
fn sums<T: Real, N: Lane<T>>(x: &[T], g: &[T], m: N) -> (N, N) {
    two_sums([x, g], |[x, g]| (g, x - m))
}

/// `Σ g·w` and `Σ g·w·(x − m)`.
#[inline(always)]
fn weighted_sums<T: Real, N: Lane<T>>(x: &[T], g: &[T], w: &[T], m: N) -> (N, N) {
    two_sums([x, g, w], |[x, g, w]| (g * w, x - m))
}

/// The mean and the variance of `n` elements from the sums of deviations from a centre near the mean.
#[inline(always)]
fn corrected<T: Real>(centre: T, s: T, q: T, n: usize, centred: bool) -> (T, T) {
    let n = T::from_f64(n as f64);
    if !centred {
        return (T::ZERO, q / n);
    }
    let shift = s / n;
    // Rounding may leave less than nothing; a NaN stays.
    let left = q - s * shift;
    (centre + shift, if left < T::ZERO { T::ZERO } else { left / n })
}

/// The moments of one row of any length.
fn long_moments<T: Real>(x: &[T], centred: bool) -> (T, T) {
    let n = x.len();
    let total = |r: std::ops::Range<usize>| sum_leaf(&x[r]);
    let centre = match centred {
        true => tree(0..n, false, &total, &|a, b| a + b) / T::from_f64(n as f64),
        false => T::ZERO,
    };
    let add = |a: (T, T), b: (T, T)| (a.0 + b.0, a.1 + b.1);
    let (s, q) = tree(0..n, false, &|r| about_leaf(&x[r], centre), &add);
    corrected(centre, s, q, n, centred)
}

/// Whether threads are worth it for so many elements.
fn threaded<T: Real>(x: &[T]) -> bool {
    threshold::split(size_of_val(x) / 8)
}

/// `y = (x − mean)/√(variance + eps)·w + b` of each row, with the moments that are found; without `centred` the mean
/// counts as 0.
#[allow(clippy::too_many_arguments)]
pub fn normalise<T: Real>(
    x: &[T],
    rows: Rows,
    centred: bool,
    eps: T,
    (w, b): (&[T], &[T]),
    y: &mut [T],
    mean: &mut [T],
    variance: &mut [T],
) {
    let n = rows.len();
    if x.is_empty() {
        mean.fill(if centred { T::NAN } else { T::ZERO });
        return variance.fill(T::NAN);
    }
    let taken = (2 * CHUNK / n).max(1);
    let run = |at: usize, y: &mut [T], mean: &mut [T], variance: &mut [T]| {
        let x = &x[at * taken * n..][..y.len()];
        if n <= CHUNK {
            short_moments(x, n, centred, mean, variance);
        } else {
            (mean[0], variance[0]) = long_moments(x, centred);
        }
        apply(x, rows, at * taken, Moments { mean, variance, eps, centred }, w, b, y);
    };
    if threaded(x) && y.len() > taken * n {
        let moments = mean.par_chunks_mut(taken).zip(variance.par_chunks_mut(taken));
        let pieces = y.par_chunks_mut(taken * n).zip(moments).enumerate();
        pieces.for_each(|(at, (y, (mean, variance)))| run(at, y, mean, variance));
    } else {
        let moments = mean.chunks_mut(taken).zip(variance.chunks_mut(taken));
        let pieces = y.chunks_mut(taken * n).zip(moments).enumerate();
        pieces.for_each(|(at, (y, (mean, variance)))| run(at, y, mean, variance));
    }
}

/// The gradient of [`normalise`]: to x, `r(g·w − mean(g·w) − x̂·mean(g·w·x̂))` with `x̂ = (x − mean)·r`, the middle term only
/// if the mean is taken off; to the weights `Σ g·x̂`; to the biases `Σ g`.
pub fn normalise_backward<T: Real>(
    x: &[T],
    g: &[T],
    rows: Rows,
    by: Moments<T>,
    w: &[T],
    dx: &mut [T],
    (dw, db): (&mut [T], &mut [T]),
) {
    let (n, c) = (rows.len(), rows.channels);
    if x.is_empty() {
        dw.fill(T::ZERO);
        return db.fill(T::ZERO);
    }
    // Rows of one kind share partial sums; with several kinds each row has its own.
    let taken = if rows.groups == 1 { (SHARED / n).max(1) } else { 1 };
    let parts = (x.len() / n).div_ceil(taken);
    let (mut dws, mut dbs) = (vec![T::ZERO; parts * c], vec![T::ZERO; parts * c]);
    let run = |at: usize, dx: &mut [T], dw: &mut [T], db: &mut [T]| {
        let (first, from) = (at * taken, at * taken * n);
        let (x, g) = (&x[from..][..dx.len()], &g[from..][..dx.len()]);
        let by = Moments { mean: &by.mean[first..], variance: &by.variance[first..], ..by };
        apply_backward(x, g, rows, by, &w[at % rows.groups * c..][..c], dx, (dw, db));
    };
    if threaded(x) && parts > 1 {
        let sums = dws.par_chunks_mut(c).zip(dbs.par_chunks_mut(c));
        let pieces = dx.par_chunks_mut(taken * n).zip(sums).enumerate();
        pieces.for_each(|(at, (dx, (dw, db)))| run(at, dx, dw, db));
    } else {
        let sums = dws.chunks_mut(c).zip(dbs.chunks_mut(c));
        let pieces = dx.chunks_mut(taken * n).zip(sums).enumerate();
        pieces.for_each(|(at, (dx, (dw, db)))| run(at, dx, dw, db));
    }
    let outer = parts / rows.groups;
    reduce::sum(&dws, 1, outer, rows.weights(), dw);
    reduce::sum(&dbs, 1, outer, rows.weights(), db);
}

#[cfg(test)]
mod tests;
