//! Running extremes with their places, and running logarithms of sums of exponentials.

use super::super::reduce::{CHUNK, pieces};
use super::super::{multiversion, threshold};
use super::recurrence::slices;
use crate::number::Real;

/// Elements of a row whose exponentials are taken together.
const BLOCK: usize = 512;

/// Running extremes of slices of `[n, inner]`. `ahead(x, best)` says whether a later element takes the place of the
/// best so far; NaNs do, and only they take that of a NaN.
fn extremes<T: Real>(
    x: &[T],
    n: usize,
    inner: usize,
    out: &mut [T],
    places: &mut [i64],
    ahead: impl Fn(T, T) -> bool + Sync,
) {
    if out.is_empty() {
        return;
    }
    let (slab, parallel) = (n * inner, threshold::split(2 * out.len()));
    let mut both: Vec<_> = out.chunks_exact_mut(slab).zip(places.chunks_exact_mut(slab)).collect();
    pieces(&mut both, (2 * CHUNK / slab).max(1), parallel, |first, both| {
        for (s, (out, places)) in both.iter_mut().enumerate() {
            let x = &x[(first + s) * slab..][..slab];
            out[..inner].copy_from_slice(&x[..inner]);
            places[..inner].fill(0);
            for i in 1..n {
                let ((before, out), (at, places)) = (
                    out[(i - 1) * inner..].split_at_mut(inner),
                    places[(i - 1) * inner..].split_at_mut(inner),
                );
                let x = &x[i * inner..][..inner];
                for j in 0..inner {
                    let best = before[j];
                    let take = x[j].is_nan() | ahead(x[j], best) & !best.is_nan();
                    out[j] = if take { x[j] } else { best };
                    places[j] = if take { i as i64 } else { at[j] };
                }
            }
        }
    });
}

/// The running largest element and its place: the last among equals, and the last NaN once there is one.
pub fn cummax<T: Real>(x: &[T], n: usize, inner: usize, out: &mut [T], places: &mut [i64]) {
    extremes(x, n, inner, out, places, |x, best| x >= best);
}

/// The running smallest element and its place: the last among equals, and the last NaN once there is one.
pub fn cummin<T: Real>(x: &[T], n: usize, inner: usize, out: &mut [T], places: &mut [i64]) {
    extremes(x, n, inner, out, places, |x, best| x <= best);
}

multiversion! {
    /// `ln Σ e^x` up to each element of rows of `n`, about the running largest element: as that grows, the sum is
    /// rescaled.
    fn log_sums<T, N>(x: &[T], n: usize, out: &mut [T]) {
        let (zero, infinity) = (N::of(T::ZERO), N::of(T::INFINITY));
        for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
            let (mut most, mut sum) = (-infinity, zero);
            for (x, out) in x.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
                let (mut e, mut scale, mut m) = ([T::ZERO; BLOCK], [T::ZERO; BLOCK], [T::ZERO; BLOCK]);
                let n = x.len();
                for i in 0..n {
                    let v = N::of(x[i]);
                    let larger = N::select(most.less(v) | v.is_nan(), v, most);
                    let larger = N::select(most.is_nan(), most, larger);
                    // What the sum is multiplied by, as a logarithm. A sum about −∞ is 0, and stays so.
                    let shift = N::select(most.equal(larger) | most.equal(-infinity), zero, most - larger);
                    scale[i] = shift.get();
                    m[i] = larger.get();
                    most = larger;
                }
                for i in 0..n {
                    let about = N::of(m[i]);
                    // Without a shift, ∞ and −∞ come out right by themselves.
                    let about = N::select((about - about).equal(zero), about, zero);
                    e[i] = (N::of(x[i]) - about).exp().get();
                    m[i] = about.get();
                    scale[i] = N::of(scale[i]).exp().get();
                }
                for i in 0..n {
                    sum = N::of(scale[i]).mul_add(sum, N::of(e[i]));
                    e[i] = sum.get();
                }
                for i in 0..n {
                    out[i] = (N::of(m[i]) + N::of(e[i]).ln()).get();
                }
            }
        }
    }
}

multiversion! {
    /// The cotangents of [`logcumsumexp`]: `e^(xᵢ − yᵢ) hᵢ`, where `hᵢ = gᵢ + e^(yᵢ − yᵢ₊₁) hᵢ₊₁`.
    fn log_sums_backward<T, N>(inputs: [&[T]; 3], n: usize, out: &mut [T]) {
        let (zero, infinity) = (N::of(T::ZERO), N::of(T::INFINITY));
        for (s, out) in out.chunks_exact_mut(n).enumerate() {
            let [x, y, g] = inputs.map(|v| &v[s * n..][..n]);
            let mut h = zero;
            for b in (0..n.div_ceil(BLOCK)).rev() {
                let range = b * BLOCK..n.min((b + 1) * BLOCK);
                let mut decay = [T::ZERO; BLOCK];
                // The last decay of all meets an h of 0.
                let until = range.end.min(n - 1);
                let next = &y[range.start + 1..=until];
                for ((decay, &before), &after) in decay.iter_mut().zip(&y[range.clone()]).zip(next) {
                    let (before, after) = (N::of(before), N::of(after));
                    // Where y is infinite the difference is taken by cases, before it is ∞ − ∞.
                    let least = N::select(before.equal(infinity), zero, -infinity);
                    let from = N::select(after.equal(infinity), least, before);
                    *decay = (from - N::select(after.abs().equal(infinity), zero, after)).exp().get();
                }
                let (x, y, g, out) = (&x[range.clone()], &y[range.clone()], &g[range.clone()], &mut out[range]);
                for ((out, &g), &decay) in out.iter_mut().zip(g).zip(&decay[..g.len()]).rev() {
                    h = N::of(decay).mul_add(h, N::of(g));
                    *out = h.get();
                }
                for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
                    let about = N::select(N::of(y).equal(-infinity), zero, N::of(y));
                    *out = (N::of(*out) * (N::of(x) - about).exp()).get();
                }
            }
        }
    }
}

/// The cotangents of running logarithms of sums `y` of rows of `n` in `x`, from those of `y`.
pub fn logcumsumexp_backward<T: Real>([x, y, g]: [&[T]; 3], n: usize, out: &mut [T]) {
    slices(n, out, 4, |from, out| {
        log_sums_backward::<T>([x, y, g].map(|v| &v[from..][..out.len()]), n, out);
    });
}

/// `ln Σ e^x` up to each element of rows of `n`: −∞ while all are, ∞ from the first one on, NaN from the first NaN on.
pub fn logcumsumexp<T: Real>(x: &[T], n: usize, out: &mut [T]) {
    slices(n, out, 4, |from, out| log_sums::<T>(&x[from..][..out.len()], n, out));
}
