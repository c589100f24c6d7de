//! Softmax and its relatives along contiguous rows of `n` elements.
//!
//! Rows of up to [`CHUNK`] elements are taken in groups of about that many: exponentials run over the whole
//! group, so that short rows vectorise as well as long ones, and every pass after the first finds its data in the
//! first-level cache. Longer rows are folded over the tree of [`reduce`].

use super::reduce::{self, CHUNK, Max, Min, Sum, both, finite_or_zero, middle, pieces, row, row_dot, tree};
use super::{multiversion, threshold};
use crate::number::{Lane, Real};
use std::ops::Range;

/// Estimated nanoseconds for an exponential, from which on threads are worth it.
const EXP_NS: usize = 1;

/// The element that `s·x` is largest at.
#[inline(always)]
fn pivot<T: Real, N: Lane<T>>(x: &[T], s: T) -> N {
    let unused = N::of(T::ZERO);
    if s >= T::ZERO { row::<T, N, Max>(x, unused) } else { row::<T, N, Min>(x, unused) }
}

/// `s·(x − m)`.
#[inline(always)]
fn shift_row<T: Real, N: Lane<T>>(x: &[T], m: N, s: T, out: &mut [T]) {
    for (o, &v) in out.iter_mut().zip(x) {
        *o = (N::of(s) * (N::of(v) - m)).get();
    }
}

/// The exponentials of a whole group.
#[inline(always)]
fn exp_in_place<T: Real, N: Lane<T>>(x: &mut [T]) {
    for v in x {
        *v = N::of(*v).exp().get();
    }
}

#[inline(always)]
fn row_sum<T: Real, N: Lane<T>>(x: &[T]) -> N {
    row::<T, N, Sum>(x, N::of(T::ZERO))
}

multiversion! {
    fn softmax_group<T, N>(x: &[T], n: usize, s: T, out: &mut [T]) {
        for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
            shift_row(x, pivot::<T, N>(x, s), s, out);
        }
        exp_in_place::<T, N>(out);
        for out in out.chunks_exact_mut(n) {
            let factor = row_sum::<T, N>(out).recip();
            for v in out {
                *v = (N::of(*v) * factor).get();
            }
        }
    }

    fn log_softmax_group<T, N>(x: &[T], n: usize, s: T, staged: &mut [T], out: &mut [T]) {
        for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
            shift_row(x, pivot::<T, N>(x, s), s, out);
        }
        staged.copy_from_slice(out);
        exp_in_place::<T, N>(staged);
        for (staged, out) in staged.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
            let total = row_sum::<T, N>(staged).ln();
            for v in out {
                *v = (N::of(*v) - total).get();
            }
        }
    }

    fn totals_group<T, N>(x: &[T], n: usize, staged: &mut [T], shift: &mut [T], total: &mut [T]) {
        for ((x, shift), staged) in x.chunks_exact(n).zip(shift).zip(staged.chunks_exact_mut(n)) {
            *shift = finite_or_zero(pivot::<T, N>(x, T::ONE).get());
            shift_row(x, N::of(*shift), T::ONE, staged);
        }
        exp_in_place::<T, N>(staged);
        for (staged, total) in staged.chunks_exact(n).zip(total) {
            *total = row_sum::<T, N>(staged).get();
        }
    }

    fn softmax_backward_group<T, N>(y: &[T], g: &[T], n: usize, s: T, out: &mut [T]) {
        for ((y, g), out) in y.chunks_exact(n).zip(g.chunks_exact(n)).zip(out.chunks_exact_mut(n)) {
            softmax_backward_row(y, g, s, row_dot::<T, N>(y, g), out);
        }
    }

    fn log_softmax_backward_group<T, N>(y: &[T], g: &[T], n: usize, s: T, out: &mut [T]) {
        out.copy_from_slice(y);
        exp_in_place::<T, N>(out);
        for (g, out) in g.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
            log_softmax_backward_row(g, s, row_sum::<T, N>(g), out);
        }
    }

    /// `g·softmax(x)` for each row, from the row's shift and total.
    fn weighted_group<T, N>(x: &[T], n: usize, shift: &[T], factor: &[T], out: &mut [T]) {
        for ((x, &m), out) in x.chunks(n).zip(shift).zip(out.chunks_mut(n)) {
            shift_row(x, N::of(m), T::ONE, out);
        }
        exp_in_place::<T, N>(out);
        for (out, &f) in out.chunks_mut(n).zip(factor) {
            for v in out {
                *v = (N::of(*v) * N::of(f)).get();
            }
        }
    }

    /// Stores `e^(s(x − m))` and gives its sum.
    fn exp_leaf<T, N>(x: &[T], m: T, s: T, out: &mut [T]) -> T {
        shift_row(x, N::of(m), s, out);
        exp_in_place::<T, N>(out);
        row_sum::<T, N>(out).get()
    }

    fn scale<T, N>(factor: T, out: &mut [T]) {
        for v in out {
            *v = (N::of(*v) * N::of(factor)).get();
        }
    }

    /// `s(x − m) − l`.
    fn log_leaf<T, N>(x: &[T], m: T, s: T, l: T, out: &mut [T]) {
        for (o, &v) in out.iter_mut().zip(x) {
            *o = (N::of(s) * (N::of(v) - N::of(m)) - N::of(l)).get();
        }
    }

    fn softmax_backward_leaf<T, N>(y: &[T], g: &[T], s: T, inner: T, out: &mut [T]) {
        softmax_backward_row(y, g, s, N::of(inner), out);
    }

    fn log_softmax_backward_leaf<T, N>(y: &[T], g: &[T], s: T, total: T, out: &mut [T]) {
        out.copy_from_slice(y);
        exp_in_place::<T, N>(out);
        log_softmax_backward_row(g, s, N::of(total), out);
    }
}

/// `s·y·(g − Σ y g)`.
#[inline(always)]
fn softmax_backward_row<T: Real, N: Lane<T>>(y: &[T], g: &[T], s: T, inner: N, out: &mut [T]) {
    for ((o, &y), &g) in out.iter_mut().zip(y).zip(g) {
        *o = (N::of(s) * N::of(y) * (N::of(g) - inner)).get();
    }
}

/// `s·(g − e^y·Σ g)`, with `e^y` in `out`.
#[inline(always)]
fn log_softmax_backward_row<T: Real, N: Lane<T>>(g: &[T], s: T, total: N, out: &mut [T]) {
    for (o, &g) in out.iter_mut().zip(g) {
        *o = (N::of(s) * (N::of(g) - N::of(*o) * total)).get();
    }
}

/// `Σ e^(s(x − m))` of a long row, stored term by term in `out`.
fn exp_tree<T: Real>(x: &[T], m: T, s: T, parallel: bool, out: &mut [T]) -> T {
    if x.len() <= CHUNK {
        return exp_leaf(x, m, s, out);
    }
    let at = middle(x.len(), CHUNK);
    let ((x, x_high), (out, out_high)) = (x.split_at(at), out.split_at_mut(at));
    let (a, b) =
        both(parallel, || exp_tree(x, m, s, parallel, out), || exp_tree(x_high, m, s, parallel, out_high));
    a + b
}

/// The pivot of a long row.
fn long_pivot<T: Real>(x: &[T], s: T) -> T {
    let mut m = [T::ZERO];
    let extreme = if s >= T::ZERO { reduce::max } else { reduce::min };
    extreme(x, 1, x.len(), 1, &mut m);
    m[0]
}

/// Hands out groups of short rows, or long rows one at a time: `f` gets the elements' range, `out` there, and
/// whether to use threads within.
fn walk<T: Real>(n: usize, out: &mut [T], f: impl Fn(Range<usize>, bool, &mut [T]) + Sync) {
    if n == 0 {
        return;
    }
    let parallel = threshold::split(out.len() * EXP_NS);
    let group = (CHUNK / n).max(1) * n;
    pieces(out, group, parallel, |at, out| f(at..at + out.len(), parallel, out));
}

/// With `s = 0` every element weighs the same, infinite ones too; a NaN still spoils its row.
fn level<T: Real>(x: &[T], n: usize, value: T, out: &mut [T]) {
    walk(n, out, |range, _, out| {
        for (x, out) in x[range].chunks_exact(n).zip(out.chunks_exact_mut(n)) {
            let spoilt = x.iter().fold(false, |any, v| any | v.is_nan());
            out.fill(if spoilt { T::NAN } else { value });
        }
    });
}

/// `softmax(s·x)` of each row. Rows with no finite pivot, all −∞ or any ∞ for `s > 0`, give NaN.
pub fn softmax<T: Real>(x: &[T], n: usize, s: T, out: &mut [T]) {
    if s == T::ZERO {
        return level(x, n, T::from_f64(1.0 / n as f64), out);
    }
    walk(n, out, |range, parallel, out| {
        let x = &x[range];
        if n <= CHUNK {
            return softmax_group(x, n, s, out);
        }
        let factor = exp_tree(x, long_pivot(x, s), s, parallel, out).recip();
        pieces(out, CHUNK, parallel, |_, out| scale(factor, out));
    });
}

/// The gradient through `y = softmax(s·x)`: `s·y·(g − Σ y g)`.
pub fn softmax_backward<T: Real>(y: &[T], g: &[T], n: usize, s: T, out: &mut [T]) {
    walk(n, out, |range, parallel, out| {
        let (y, g) = (&y[range.clone()], &g[range]);
        if n <= CHUNK {
            return softmax_backward_group(y, g, n, s, out);
        }
        let inner = reduce::dot(y, g);
        pieces(out, CHUNK, parallel, |at, out| softmax_backward_leaf(&y[at..], &g[at..], s, inner, out));
    });
}

/// `ln softmax(s·x)` of each row.
pub fn log_softmax<T: Real>(x: &[T], n: usize, s: T, out: &mut [T]) {
    if s == T::ZERO {
        return level(x, n, T::from_f64(-(n as f64).ln()), out);
    }
    walk(n, out, |range, parallel, out| {
        let x = &x[range];
        if n <= CHUNK {
            return log_softmax_group(x, n, s, &mut [T::ZERO; CHUNK][..x.len()], out);
        }
        let m = long_pivot(x, s);
        // The exponentials pass through `out`, which is overwritten afterwards.
        let l = exp_tree(x, m, s, parallel, out).ln();
        pieces(out, CHUNK, parallel, |at, out| log_leaf(&x[at..], m, s, l, out));
    });
}

/// The gradient through `y = ln softmax(s·x)`: `s·(g − e^y·Σ g)`.
pub fn log_softmax_backward<T: Real>(y: &[T], g: &[T], n: usize, s: T, out: &mut [T]) {
    walk(n, out, |range, parallel, out| {
        let (y, g) = (&y[range.clone()], &g[range]);
        if n <= CHUNK {
            return log_softmax_backward_group(y, g, n, s, out);
        }
        let mut total = [T::ZERO];
        reduce::sum(g, 1, n, 1, &mut total);
        pieces(out, CHUNK, parallel, |at, out| {
            log_softmax_backward_leaf(&y[at..][..out.len()], &g[at..], s, total[0], out);
        });
    });
}

/// The shift `m` and the total `Σ e^(x − m)` of each row, with `ln Σ e^x = m + ln total`. The shift is the row's
/// maximum where that is finite, else 0.
pub fn totals<T: Real>(x: &[T], n: usize, shift: &mut [T], total: &mut [T]) {
    if n == 0 {
        shift.fill(T::ZERO);
        return total.fill(T::ZERO);
    }
    let parallel = threshold::split(x.len() * EXP_NS);
    // Written in pairs, so that one split hands out both.
    let mut pairs: Vec<(&mut T, &mut T)> = Vec::new();
    if n > CHUNK {
        pairs.extend(shift.iter_mut().zip(total));
        return pieces(&mut pairs, 1, parallel, |i, pair| {
            let (shift, total) = &mut pair[0];
            (**shift, **total) = long_total(&x[i * n..][..n], parallel);
        });
    }
    let group = CHUNK / n;
    let mut groups: Vec<_> = shift.chunks_mut(group).zip(total.chunks_mut(group)).collect();
    pieces(&mut groups, 1, parallel, |i, pair| {
        let (shift, total) = &mut pair[0];
        let x = &x[i * group * n..][..shift.len() * n];
        totals_group(x, n, &mut [T::ZERO; CHUNK][..x.len()], shift, total);
    });
}

/// The shift and total of a long row, in one pass: each chunk has its own shift, and totals meet at the larger.
fn long_total<T: Real>(x: &[T], parallel: bool) -> (T, T) {
    let leaf = |range: Range<usize>| {
        let (x, mut shift, mut total) = (&x[range], [T::ZERO], [T::ZERO]);
        totals_group(x, x.len(), &mut [T::ZERO; CHUNK][..x.len()], &mut shift, &mut total);
        (shift[0], total[0])
    };
    // A total of 0 comes from a chunk of −∞, whose shift means nothing.
    let combine = |(m, s): (T, T), (n, t): (T, T)| {
        if s == T::ZERO {
            (n, t)
        } else if t == T::ZERO {
            (m, s)
        } else if !(s.is_finite() && t.is_finite()) {
            (T::ZERO, s + t)
        } else {
            let shift = m.maximum(n);
            (shift, s * (m - shift).exp() + t * (n - shift).exp())
        }
    };
    tree(0..x.len(), parallel, &leaf, &combine)
}

/// `ln Σ e^x − x[target]` of each row, 0 where the target is negative, and the row's shift and total as in [`totals`],
/// for the gradient.
pub fn cross_entropy<T: Real>(
    x: &[T],
    n: usize,
    targets: &[i64],
    loss: &mut [T],
    shift: &mut [T],
    total: &mut [T],
) {
    totals(x, n, shift, total);
    for (i, (loss, &target)) in loss.iter_mut().zip(targets).enumerate() {
        // The difference first: it is exact, or nearly, where the loss is small.
        *loss = if target < 0 { T::ZERO } else { (shift[i] - x[i * n + target as usize]) + total[i].ln() };
    }
}

/// The gradient of [`cross_entropy`]: `g·(softmax(x) − [target])` in each row, with one `g` for each row; 0 where the
/// target is negative.
pub fn cross_entropy_backward<T: Real>(
    x: &[T],
    n: usize,
    targets: &[i64],
    (shift, total): (&[T], &[T]),
    g: &[T],
    out: &mut [T],
) {
    let factor: Vec<T> = g.iter().zip(total).map(|(&g, &t)| g / t).collect();
    walk(n, out, |range, parallel, out| {
        let (first, x) = (range.start / n, &x[range]);
        let (shift, factor, g) = (&shift[first..], &factor[first..], &g[first..]);
        if n <= CHUNK {
            weighted_group(x, n, shift, factor, out);
        } else {
            pieces(out, CHUNK, parallel, |at, out| {
                weighted_group(&x[at..][..out.len()], CHUNK, &shift[..1], &factor[..1], out);
            });
        }
        for ((out, &target), &g) in out.chunks_exact_mut(n).zip(&targets[first..]).zip(g) {
            if target < 0 {
                out.fill(T::ZERO);
            } else {
                out[target as usize] -= g;
            }
        }
    });
}

#[cfg(test)]
mod tests;
