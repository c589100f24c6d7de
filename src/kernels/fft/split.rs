//! One long real row as two: the elements at even and at odd places are transformed side by side, on two threads if it is
//! worth it, and a row is always divided so, that the bits are the same. With `m = n/2`, `w = e^(−2πi/n)` and the spectra E and
//! O of the two, the spectrum is `Xₖ = Eₖ + wᵏ Oₖ`, and its mirror image `conj Xₘ₋ₖ = Eₖ − wᵏ Oₖ`.

use super::plans::{Planned, half_plan, planned, whole_plan};
use super::{Lengths, estimate, zeros};
use crate::kernels::threshold;
use crate::number::Real;
use rayon::prelude::*;
use rustfft::num_complex::Complex;
use std::f64::consts::TAU;
use std::sync::Arc;

/// Points from which on a row is divided: such rows are groups of one.
const LEAST: usize = threshold::CHUNK;
/// Numbers of the spectrum that are made, or read, at a time.
const PIECE: usize = 1 << 13;

/// Whether a row between `n` real numbers and as much of a spectrum as there is room for is divided.
pub(super) fn divides(n: usize, half: usize) -> bool {
    n >= LEAST && n.is_multiple_of(4) && half > n / 2
}

/// `e^(−2πik/n)` for the first quarter.
pub(super) fn roots<T: Planned>(n: usize) -> Arc<Vec<Complex<T>>> {
    planned(n, |plans| {
        Arc::clone(plans.roots.entry(n).or_insert_with(|| {
            let root = |k: usize| {
                let (sin, cos) = (TAU * k as f64 / n as f64).sin_cos();
                Complex::new(<T as Real>::from_f64(cos), <T as Real>::from_f64(-sin))
            };
            Arc::new((0..=n / 4).map(root).collect())
        }))
    })
}

/// Both of two things, side by side if they are long.
fn both<A: Send, B: Send>(
    n: usize,
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
) -> (A, B) {
    if threshold::split(estimate(1, n)) { rayon::join(first, second) } else { (first(), second()) }
}

/// Calls `piece` with the number of the first and pieces of both parts of a spectrum: from the beginning up, and from the
/// end down.
fn pieces<T: Real>(
    (re, im): (&mut [T], &mut [T]),
    m: usize,
    on_threads: bool,
    piece: impl Fn(usize, [&mut [T]; 2], [&mut [T]; 2]) + Sync,
) {
    let (re_up, re_down) = re.split_at_mut(m / 2 + 1);
    let (im_up, im_down) = im.split_at_mut(m / 2 + 1);
    // The middle is its own mirror image, so a last piece of it alone has nothing to go down with.
    let up = re_up.chunks_mut(PIECE).zip(im_up.chunks_mut(PIECE));
    let mut down = re_down.rchunks_mut(PIECE).zip(im_down.rchunks_mut(PIECE));
    let all = up.enumerate().map(|(i, (re_up, im_up))| {
        let (re_down, im_down) = down.next().unwrap_or_default();
        (i * PIECE, [re_up, im_up], [re_down, im_down])
    });
    if on_threads {
        let all: Vec<_> = all.collect();
        all.into_par_iter().for_each(|(first, up, down)| piece(first, up, down));
    } else {
        all.for_each(|(first, up, down)| piece(first, up, down));
    }
}

/// The factors of a row: of both parts inside, and of the real part at the ends.
#[derive(Clone, Copy)]
pub(super) struct Factors<T> {
    pub re: T,
    pub im: T,
    pub end: T,
}

/// The half spectrum of a row, which is shorter than `n` or has `n` numbers.
pub(super) fn half_row<T: Planned>(n: usize, x: &[T], f: Factors<T>, (re, im): (&mut [T], &mut [T])) {
    let (m, plan, w) = (n / 2, half_plan::<T>(n / 2), roots::<T>(n));
    let spectrum = |odd: usize| {
        let (mut given, mut made) = (vec![T::ZERO; m], zeros::<T>(m / 2 + 1));
        let (pairs, rest) = x.as_chunks::<2>();
        for (given, pair) in given.iter_mut().zip(pairs) {
            *given = pair[odd];
        }
        if let (0, [last]) = (odd, rest) {
            given[pairs.len()] = *last;
        }
        let done = plan.process_with_scratch(&mut given, &mut made, &mut zeros(plan.get_scratch_len()));
        debug_assert!(done.is_ok(), "the lengths are the plan's");
        made
    };
    let (even, odd) = both(n, || spectrum(0), || spectrum(1));
    let (re, im) = (&mut re[..=m], &mut im[..=m]);
    pieces((&mut *re, &mut *im), m, threshold::split(estimate(1, n)), |first, up, down| {
        let count = up[0].len();
        let (e, o, w) = (&even[first..][..count], &odd[first..][..count], &w[first..][..count]);
        let [re, im] = up;
        for k in 0..count {
            let z = e[k] + w[k] * o[k];
            (re[k], im[k]) = (z.re * f.re, z.im * f.im);
        }
        let [re, im] = down;
        for (k, (re, im)) in re.iter_mut().rev().zip(im.iter_mut().rev()).enumerate() {
            let z = e[k] - w[k] * o[k];
            (*re, *im) = (z.re * f.re, -z.im * f.im);
        }
    });
    (re[0], re[m]) = ((even[0].re + odd[0].re) * f.end, (even[0].re - odd[0].re) * f.end);
    (im[0], im[m]) = (T::ZERO, T::ZERO);
}

/// A row of `n` real numbers from its half spectrum: `Eₖ = Xₖ + conj Xₘ₋ₖ` and `Oₖ = w⁻ᵏ (Xₖ − conj Xₘ₋ₖ)`, transformed back.
pub(super) fn whole_row<T: Planned>(n: usize, (re, im): (&[T], &[T]), f: Factors<T>, y: &mut [T]) {
    let (m, plan, w) = (n / 2, whole_plan::<T>(n / 2), roots::<T>(n));
    let (re, im) = (&re[..=m], &im[..=m]);
    let row = |odd: bool| {
        let mut given = zeros::<T>(m / 2 + 1);
        let down = re.iter().rev().zip(im.iter().rev());
        for ((((z, &a), &b), (&c, &d)), w) in given.iter_mut().zip(re).zip(im).zip(down).zip(w.iter()) {
            // The mirror image has the other sign of the imaginary part.
            *z = match odd {
                false => Complex::new((a + c) * f.re, (b - d) * f.im),
                true => Complex::new((a - c) * f.re, (b + d) * f.im) * w.conj(),
            };
        }
        let (first, last) = (re[0] * f.end, re[m] * f.end);
        given[0] = Complex::new(if odd { first - last } else { first + last }, T::ZERO);
        given[m / 2].im = T::ZERO;
        let mut made = vec![T::ZERO; m];
        let done = plan.process_with_scratch(&mut given, &mut made, &mut zeros(plan.get_scratch_len()));
        debug_assert!(done.is_ok(), "the lengths are the plan's, and the ends real");
        made
    };
    let (even, odd) = both(n, || row(false), || row(true));
    let join = |(i, y): (usize, &mut [T])| {
        let (even, odd) = (&even[i * PIECE..], &odd[i * PIECE..]);
        for ((y, &a), &b) in y.as_chunks_mut::<2>().0.iter_mut().zip(even).zip(odd) {
            *y = [a, b];
        }
    };
    if threshold::split(estimate(1, n)) {
        y.par_chunks_mut(2 * PIECE).enumerate().for_each(join);
    } else {
        y.chunks_mut(2 * PIECE).enumerate().for_each(join);
    }
}

/// Whether rows of these lengths, of `from` numbers of a spectrum, are divided: all of the spectrum is given, and all of the
/// row wanted.
pub(super) fn divides_whole(lengths: Lengths) -> bool {
    divides(lengths.n, lengths.from) && lengths.to == lengths.n
}
