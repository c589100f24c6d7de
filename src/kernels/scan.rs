//! Scans along the middle axis of a contiguous `[outer, n, inner]`: each element of the result depends on those
//! before it, or, backwards, on those behind it.
//!
//! Sums are blockwise: running sums of a block from zero, plus the total of the blocks before it. Blocks depend on
//! lengths alone, so the bits are the same on any number of threads, and rounding errors grow with the length of a
//! block and the number of blocks, not with the length of the row.

use super::reduce::{CHUNK, pieces};
use super::{multiversion, threshold};
use crate::number::{Lane, Number, Real};
use rayon::prelude::*;

mod extremes;
mod recurrence;

pub use extremes::{cummax, cummin, logcumsumexp, logcumsumexp_backward};
pub use recurrence::{cumprod, cumprod_backward, recurrence};

/// Elements whose running sums are taken at once.
const STEP: usize = 16;
/// Elements of a long slice that are taken at a time: what reads their totals leaves them in the cache.
const REGION: usize = 1 << 19;
/// Rows in one block of a scan over an outer axis.
const ROWS: usize = 128;
/// Columns taken at a time, where there are many.
const WIDTH: usize = 1 << 10;

/// The `i`-th of `n` positions, counted from the end if `R` is 1.
#[inline(always)]
fn at<const R: usize>(i: usize, n: usize) -> usize {
    if R == 1 { n - 1 - i } else { i }
}

/// Each with the one `BY` places before it added.
#[inline(always)]
fn with_before<N: Number, const BY: usize, const R: usize>(v: [N; STEP]) -> [N; STEP] {
    let mut sums = v;
    for i in BY..STEP {
        let (i, before) = (at::<R>(i, STEP), at::<R>(i - BY, STEP));
        sums[i] = v[before] + v[i];
    }
    sums
}

/// Running sums of a few elements, by doubling.
#[inline(always)]
fn few<N: Number, const R: usize>(v: [N; STEP]) -> [N; STEP] {
    let v = with_before::<N, 1, R>(v);
    let v = with_before::<N, 2, R>(v);
    let v = with_before::<N, 4, R>(v);
    with_before::<N, 8, R>(v)
}

/// The short piece that a block ends with, and zeros.
#[inline(always)]
fn padded<T: Real, N: Lane<T>, const R: usize>(x: &[T]) -> [N; STEP] {
    let mut v = [N::of(T::ZERO); STEP];
    for i in 0..x.len() {
        v[at::<R>(i, STEP)] = N::of(x[at::<R>(i, x.len())]);
    }
    v
}

/// Running sums of one block of a row, begun at `from`; the sum of the block alone.
#[inline(always)]
fn block<T: Real, N: Lane<T>, const R: usize>(x: &[T], from: T, out: &mut [T]) -> T {
    let (mut sum, n, from) = (N::of(T::ZERO), x.len() / STEP * STEP, N::of(from));
    let rest = x.len() - n;
    let (body, out_body) = if R == 1 { (&x[rest..], &mut out[rest..]) } else { (&x[..n], &mut out[..n]) };
    let (x_steps, out_steps) = (body.as_chunks::<STEP>().0, out_body.as_chunks_mut::<STEP>().0);
    for i in 0..x_steps.len() {
        let i = at::<R>(i, x_steps.len());
        let v = few::<N, R>(x_steps[i].map(N::of));
        for (out, v) in out_steps[i].iter_mut().zip(v) {
            *out = (from + (sum + v)).get();
        }
        sum = sum + v[at::<R>(STEP - 1, STEP)];
    }
    if rest > 0 {
        let (x, out) = if R == 1 { (&x[..rest], &mut out[..rest]) } else { (&x[n..], &mut out[n..]) };
        let v = few::<N, R>(padded::<T, N, R>(x));
        for i in 0..rest {
            out[at::<R>(i, rest)] = (from + (sum + v[at::<R>(i, STEP)])).get();
        }
        sum = sum + v[at::<R>(STEP - 1, STEP)];
    }
    sum.get()
}

/// The sum of one block, by the additions of [`block`].
#[inline(always)]
fn total<T: Real, N: Lane<T>, const R: usize>(x: &[T]) -> T {
    let (mut sum, n) = (N::of(T::ZERO), x.len() / STEP * STEP);
    let rest = x.len() - n;
    let (body, x) = if R == 1 { (&x[rest..], &x[..rest]) } else { x.split_at(n) };
    let steps = body.as_chunks::<STEP>().0;
    for i in 0..steps.len() {
        let v = few::<N, R>(steps[at::<R>(i, steps.len())].map(N::of));
        sum = sum + v[at::<R>(STEP - 1, STEP)];
    }
    if rest > 0 {
        sum = sum + few::<N, R>(padded::<T, N, R>(x))[at::<R>(STEP - 1, STEP)];
    }
    sum.get()
}

multiversion! {
    /// Running sums of rows of `n`.
    fn rows<T, N; const R>(x: &[T], n: usize, out: &mut [T]) {
        for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
            let mut from = N::of(T::ZERO);
            for i in 0..n.div_ceil(CHUNK) {
                let range = range::<R>(i, CHUNK, n);
                from = from + N::of(block::<T, N, R>(&x[range.clone()], from.get(), &mut out[range]));
            }
        }
    }

    fn one_block<T, N; const R>(x: &[T], from: T, out: &mut [T]) {
        block::<T, N, R>(x, from, out);
    }

    fn one_total<T, N; const R>(x: &[T]) -> T {
        total::<T, N, R>(x)
    }

    /// Running sums down a block of rows of `base.len()` columns, to which `base` is added and which are then added
    /// to it.
    fn columns<T, N; const R>(x: &[T], base: &mut [T], out: &mut [T]) {
        let inner = base.len();
        let n = x.len() / inner;
        for (c, base) in base.chunks_mut(WIDTH).enumerate() {
            let w = base.len();
            let mut acc = [T::ZERO; WIDTH];
            for i in 0..n {
                let from = at::<R>(i, n) * inner + c * WIDTH;
                row::<T, N>(&x[from..][..w], base, &mut acc, &mut out[from..][..w]);
            }
            add::<T, N>(base, &acc);
        }
    }

    /// The sums of a block of rows of `acc.len()` columns, by the additions of [`columns`].
    fn column_totals<T, N; const R>(x: &[T], acc: &mut [T]) {
        let w = acc.len();
        let n = x.len() / w;
        acc.fill(T::ZERO);
        for i in 0..n {
            add::<T, N>(acc, &x[at::<R>(i, n) * w..]);
        }
    }

    /// Running sums down the columns from `c` on, of which `out` has the pieces of every row.
    fn strip<T, N; const R>(x: &[T], inner: usize, c: usize, out: &mut [&mut [T]]) {
        let (n, w) = (out.len(), out[0].len());
        let (mut base, mut acc) = ([T::ZERO; WIDTH], [T::ZERO; WIDTH]);
        for i in 0..n {
            if i > 0 && i % ROWS == 0 {
                add::<T, N>(&mut base[..w], &acc);
                acc.fill(T::ZERO);
            }
            let i = at::<R>(i, n);
            row::<T, N>(&x[i * inner + c..][..w], &base, &mut acc, out[i]);
        }
    }
}

/// One row more in running sums down columns.
#[inline(always)]
fn row<T: Real, N: Lane<T>>(x: &[T], base: &[T], acc: &mut [T], out: &mut [T]) {
    let w = x.len();
    let (base, acc, out) = (&base[..w], &mut acc[..w], &mut out[..w]);
    for j in 0..w {
        let sum = N::of(acc[j]) + N::of(x[j]);
        acc[j] = sum.get();
        out[j] = (N::of(base[j]) + sum).get();
    }
}

#[inline(always)]
fn add<T: Real, N: Lane<T>>(acc: &mut [T], x: &[T]) {
    for (a, &x) in acc.iter_mut().zip(x) {
        *a = (N::of(*a) + N::of(x)).get();
    }
}

/// Where block `i` of `size` lies in `n`, counted from the end if `R` is 1.
#[inline(always)]
fn range<const R: usize>(i: usize, size: usize, n: usize) -> std::ops::Range<usize> {
    let (from, until) = (i * size, n.min((i + 1) * size));
    if R == 1 { n - until..n - from } else { from..until }
}

/// Pieces of a slice in the order of the scan; the short one comes last.
fn blocks<E, const R: usize>(mut x: &mut [E], size: usize) -> Vec<&mut [E]> {
    let mut found = Vec::with_capacity(x.len().div_ceil(size));
    while !x.is_empty() {
        let n = size.min(x.len());
        let left = x.len() - n;
        let (piece, rest) = if R == 1 {
            let (rest, piece) = x.split_at_mut(left);
            (piece, rest)
        } else {
            x.split_at_mut(n)
        };
        found.push(piece);
        x = rest;
    }
    found
}

/// A long slice on several threads, a region at a time: the blocks' totals, their running sums, the blocks.
fn long<T: Real, const R: usize>(x: &[T], n: usize, inner: usize, out: &mut [T]) {
    let size = if inner == 1 { CHUNK } else { ROWS * inner };
    let many = (REGION / size).max(2 * rayon::current_num_threads());
    let (mut sum, mut base) = (vec![T::ZERO; inner], vec![T::ZERO; many * inner]);
    let mut blocks = blocks::<T, R>(out, size);
    for (region, blocks) in blocks.chunks_mut(many).enumerate() {
        let block = |i: usize| &x[range::<R>(region * many + i, size, n * inner)];
        let base = &mut base[..blocks.len() * inner];
        base.par_chunks_mut(inner).enumerate().for_each(|(i, base)| {
            if inner == 1 {
                base[0] = one_total::<T, R>(block(i))
            } else {
                column_totals::<T, R>(block(i), base)
            }
        });
        for base in base.chunks_exact_mut(inner) {
            for (sum, base) in sum.iter_mut().zip(base) {
                (*base, *sum) = (*sum, *sum + *base);
            }
        }
        blocks.par_iter_mut().zip(base.par_chunks_mut(inner)).enumerate().for_each(|(i, (out, base))| {
            if inner == 1 {
                one_block::<T, R>(block(i), base[0], out);
            } else {
                columns::<T, R>(block(i), base, out);
            }
        });
    }
}

/// A slice of few long rows on several threads, each with columns of its own.
fn wide<T: Real, const R: usize>(x: &[T], inner: usize, out: &mut [T]) {
    let mut strips: Vec<Vec<&mut [T]>> = Vec::new();
    strips.resize_with(inner.div_ceil(WIDTH), Vec::new);
    for row in out.chunks_exact_mut(inner) {
        strips.iter_mut().zip(row.chunks_mut(WIDTH)).for_each(|(strip, piece)| strip.push(piece));
    }
    strips.par_iter_mut().enumerate().for_each(|(c, out)| strip::<T, R>(x, inner, c * WIDTH, out));
}

fn sums<T: Real, const R: usize>(x: &[T], outer: usize, n: usize, inner: usize, out: &mut [T]) {
    let (slab, parallel) = (n * inner, threshold::split(x.len() / 2));
    if parallel && outer < 2 * rayon::current_num_threads() && slab > 2 * CHUNK {
        for (x, out) in x.chunks_exact(slab).zip(out.chunks_exact_mut(slab)) {
            if inner < 2 * WIDTH { long::<T, R>(x, n, inner, out) } else { wide::<T, R>(x, inner, out) }
        }
        return;
    }
    pieces(out, (4 * CHUNK / slab).max(1) * slab, parallel, |from, out| {
        let x = &x[from..][..out.len()];
        if inner == 1 {
            return rows::<T, R>(x, n, out);
        }
        let mut base = vec![T::ZERO; inner];
        for (x, out) in x.chunks_exact(slab).zip(out.chunks_exact_mut(slab)) {
            base.fill(T::ZERO);
            for i in 0..n.div_ceil(ROWS) {
                let rows = range::<R>(i, ROWS, n);
                let range = rows.start * inner..rows.end * inner;
                columns::<T, R>(&x[range.clone()], &mut base, &mut out[range]);
            }
        }
    });
}

/// Running sums; backwards, each with all behind it.
pub fn cumsum<T: Real>(x: &[T], outer: usize, n: usize, inner: usize, backwards: bool, out: &mut [T]) {
    debug_assert!(x.len() == outer * n * inner && out.len() == x.len());
    match (x.is_empty(), backwards) {
        (true, _) => {}
        (_, false) => sums::<T, 0>(x, outer, n, inner, out),
        (_, true) => sums::<T, 1>(x, outer, n, inner, out),
    }
}

#[cfg(test)]
mod tests;
