//! Discrete Fourier transforms of rows, through `rustfft` and `realfft`.
//!
//! Complex rows lie in two planes, one of real and one of imaginary parts; a row is interleaved into scratch memory,
//! transformed there, and taken apart again. Three transforms are each other's transposes, so derivatives need no others:
//! [`dft`] is its own with the other sign, [`half`] and [`whole`] are each other's. All cut their rows to `n` numbers, or
//! fill them up with zeros, and do the same with what they give.

mod split;

use super::threshold;
use crate::number::{Family, Real};
use rayon::prelude::*;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftDirection, FftNum, FftPlanner};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Rows of `from` numbers become rows of `to`, by way of a transform of `n`.
#[derive(Clone, Copy)]
pub struct Lengths {
    /// Numbers in a row of the input.
    pub from: usize,
    /// Points of the transform.
    pub n: usize,
    /// Numbers in a row of the output.
    pub to: usize,
}

/// The factors of a transform between real rows and the first n/2 + 1 numbers of their spectra.
#[derive(Clone, Copy)]
pub struct Weights {
    /// Of everything.
    pub scale: f64,
    /// Of those numbers, besides, that stand for two of the whole spectrum: all but number 0 and, of an even n, n/2.
    pub interior: f64,
    /// Whether the imaginary parts have the other sign.
    pub conjugate: bool,
}

/// `Σₖ xₖ e^(∓2πijk/n)`, scaled. An input without imaginary parts is real; of an output without them they are left out.
pub fn dft<T: Real>(
    lengths: Lengths,
    inverse: bool,
    scale: f64,
    x: (&[T], Option<&[T]>),
    y: (&mut [T], Option<&mut [T]>),
) {
    (T::choose::<Tables>(&SINGLE, &DOUBLE).dft)(lengths, inverse, scale, x, y);
}

/// The first n/2 + 1 numbers of the spectra of real rows.
pub fn half<T: Real>(lengths: Lengths, weights: Weights, x: &[T], y: (&mut [T], &mut [T])) {
    (T::choose::<Tables>(&SINGLE, &DOUBLE).half)(lengths, weights, x, y);
}

/// Real rows from the first n/2 + 1 numbers of their spectra, without the factor 1/n. The imaginary parts of number 0
/// and, of an even n, n/2 are taken to be 0.
pub fn whole<T: Real>(lengths: Lengths, weights: Weights, x: (&[T], &[T]), y: &mut [T]) {
    (T::choose::<Tables>(&SINGLE, &DOUBLE).whole)(lengths, weights, x, y);
}

type Dft<T> = fn(Lengths, bool, f64, (&[T], Option<&[T]>), (&mut [T], Option<&mut [T]>));
type Half<T> = fn(Lengths, Weights, &[T], (&mut [T], &mut [T]));
type Whole<T> = fn(Lengths, Weights, (&[T], &[T]), &mut [T]);

/// The transforms of one type.
struct Table<T: Real> {
    dft: Dft<T>,
    half: Half<T>,
    whole: Whole<T>,
}

struct Tables;
impl Family for Tables {
    type Of<T: Real> = Table<T>;
}

static SINGLE: Table<f32> = Table { dft: run_dft, half: run_half, whole: run_whole };
static DOUBLE: Table<f64> = Table { dft: run_dft, half: run_half, whole: run_whole };

/// Points of all plans kept, from which on they are all forgotten: their tables of roots of unity take memory.
const KEPT: usize = 1 << 22;

/// The plans made so far.
struct Plans<T: FftNum> {
    complex: FftPlanner<T>,
    real: RealFftPlanner<T>,
    /// Roots of unity, for rows that are divided.
    roots: HashMap<usize, Arc<Vec<Complex<T>>>>,
    lengths: HashSet<usize>,
    points: usize,
}

impl<T: FftNum> Plans<T> {
    fn new() -> Plans<T> {
        let (complex, real) = (FftPlanner::new(), RealFftPlanner::new());
        Plans { complex, real, roots: HashMap::new(), lengths: HashSet::new(), points: 0 }
    }

    fn room_for(&mut self, n: usize) {
        if !self.lengths.contains(&n) {
            if self.points.saturating_add(n) > KEPT {
                *self = Plans::new();
            }
            self.lengths.insert(n);
            self.points += n;
        }
    }
}

/// A number with a place for its plans.
trait Planned: Real + FftNum {
    fn plans() -> &'static Mutex<Option<Plans<Self>>>;
}

macro_rules! planned {
    ($($t:ty)*) => {$(
        impl Planned for $t {
            fn plans() -> &'static Mutex<Option<Plans<$t>>> {
                static PLANS: Mutex<Option<Plans<$t>>> = Mutex::new(None);
                &PLANS
            }
        }
    )*};
}
planned! { f32 f64 }

/// What `plan` makes of the plans for `n` points.
fn planned<T: Planned, P: ?Sized>(n: usize, plan: impl FnOnce(&mut Plans<T>) -> Arc<P>) -> Arc<P> {
    // A plan that panicked left nothing half made.
    let mut held: MutexGuard<'_, _> = T::plans().lock().unwrap_or_else(PoisonError::into_inner);
    let plans = held.get_or_insert_with(Plans::new);
    plans.room_for(n);
    plan(plans)
}

fn complex_plan<T: Planned>(n: usize, inverse: bool) -> Arc<dyn Fft<T>> {
    let direction = if inverse { FftDirection::Inverse } else { FftDirection::Forward };
    planned(n, |plans: &mut Plans<T>| plans.complex.plan_fft(n, direction))
}

fn half_plan<T: Planned>(n: usize) -> Arc<dyn RealToComplex<T>> {
    planned(n, |plans: &mut Plans<T>| plans.real.plan_fft_forward(n))
}

fn whole_plan<T: Planned>(n: usize) -> Arc<dyn ComplexToReal<T>> {
    planned(n, |plans: &mut Plans<T>| plans.real.plan_fft_inverse(n))
}

/// The time that a transform takes, in nanoseconds: a quarter for each number and each factor 2 of `n`.
fn estimate(rows: usize, n: usize) -> usize {
    let steps = usize::BITS - n.leading_zeros();
    rows.saturating_mul(n).saturating_mul(steps as usize) / 4
}

/// Calls `group` with the first row and the pieces of the outputs of some rows at a time, on threads if it is worth it. How
/// many depends on `n` alone. An output that is left out has empty pieces.
fn in_groups<T: Real>(
    rows: usize,
    n: usize,
    to: usize,
    y: (&mut [T], Option<&mut [T]>),
    group: impl Fn(usize, &mut [T], &mut [T]) + Sync,
) {
    let together = (threshold::CHUNK / n.max(1)).max(1);
    let mut second = y.1.map(|y| y.chunks_mut(together * to));
    let groups = y.0.chunks_mut(together * to).enumerate().map(|(i, first)| {
        let second = second.as_mut().and_then(Iterator::next).unwrap_or_default();
        (i * together, first, second)
    });
    if rows > together && threshold::split(estimate(rows, n)) {
        let groups: Vec<_> = groups.collect();
        groups.into_par_iter().for_each(|(row, first, second)| group(row, first, second));
    } else {
        groups.for_each(|(row, first, second)| group(row, first, second));
    }
}

fn zeros<T: Planned>(n: usize) -> Vec<Complex<T>> {
    vec![Complex::new(T::ZERO, T::ZERO); n]
}

/// Row `row` of a plane, as much of it as there is and as is wanted.
fn row<T>(x: &[T], row: usize, lengths: Lengths, wanted: usize) -> &[T] {
    &x[row * lengths.from..][..lengths.from.min(wanted)]
}

/// Writes `f(j, …)` of the numbers of a spectrum, then zeros.
fn store<T: Planned>(spectrum: &[Complex<T>], out: &mut [T], f: impl Fn(Complex<T>) -> T) {
    let kept = spectrum.len().min(out.len());
    let (kept, beyond) = out.split_at_mut(kept);
    for (out, &z) in kept.iter_mut().zip(spectrum) {
        *out = f(z);
    }
    beyond.fill(T::ZERO);
}

fn run_dft<T: Planned>(
    lengths: Lengths,
    inverse: bool,
    scale: f64,
    x: (&[T], Option<&[T]>),
    y: (&mut [T], Option<&mut [T]>),
) {
    let Lengths { n, to, .. } = lengths;
    if y.0.is_empty() {
        return;
    }
    let (rows, s) = (y.0.len() / to, <T as Real>::from_f64(scale));
    let Some(im) = x.1 else { return dft_of_reals(lengths, inverse, s, x.0, y) };
    let plan = complex_plan::<T>(n, inverse);
    in_groups(rows, n, to, y, |first, re_out, im_out| {
        let (mut given, mut made) = (zeros::<T>(n), zeros::<T>(n));
        let mut scratch = zeros::<T>(plan.get_outofplace_scratch_len());
        let mut im_rows = im_out.chunks_mut(to);
        for (i, re_out) in re_out.chunks_mut(to).enumerate() {
            let (re, im) = (row(x.0, first + i, lengths, n), row(im, first + i, lengths, n));
            let (kept, beyond) = given.split_at_mut(re.len());
            for ((z, &re), &im) in kept.iter_mut().zip(re).zip(im) {
                *z = Complex::new(re, im);
            }
            beyond.fill(Complex::new(T::ZERO, T::ZERO));
            plan.process_outofplace_with_scratch(&mut given, &mut made, &mut scratch);
            store(&made, re_out, |z| z.re * s);
            if let Some(im_out) = im_rows.next() {
                store(&made, im_out, |z| z.im * s);
            }
        }
    });
}

/// The transform of real rows: the second half of a spectrum mirrors the first.
fn dft_of_reals<T: Planned>(lengths: Lengths, inverse: bool, s: T, x: &[T], y: (&mut [T], Option<&mut [T]>)) {
    let Lengths { n, to, .. } = lengths;
    let (rows, plan) = (y.0.len() / to, half_plan::<T>(n));
    let of_im = if inverse { -s } else { s };
    in_groups(rows, n, to, y, |first, re_out, im_out| {
        let (mut given, mut made) = (vec![T::ZERO; n], zeros::<T>(n));
        let mut scratch = zeros::<T>(plan.get_scratch_len());
        let mut im_rows = im_out.chunks_mut(to);
        for (i, re_out) in re_out.chunks_mut(to).enumerate() {
            load(row(x, first + i, lengths, n), &mut given);
            let (head, tail) = made.split_at_mut(n / 2 + 1);
            let done = plan.process_with_scratch(&mut given, head, &mut scratch);
            debug_assert!(done.is_ok(), "the lengths are the plan's");
            for (z, mirrored) in tail.iter_mut().rev().zip(&head[1..]) {
                *z = mirrored.conj();
            }
            store(&made, re_out, |z| z.re * s);
            if let Some(im_out) = im_rows.next() {
                store(&made, im_out, |z| z.im * of_im);
            }
        }
    });
}

fn load<T: Planned>(x: &[T], given: &mut [T]) {
    given[..x.len()].copy_from_slice(x);
    given[x.len()..].fill(T::ZERO);
}

fn run_half<T: Planned>(lengths: Lengths, weights: Weights, x: &[T], y: (&mut [T], &mut [T])) {
    let Lengths { n, to, .. } = lengths;
    if y.0.is_empty() {
        return;
    }
    let rows = y.0.len() / to;
    let end = <T as Real>::from_f64(weights.scale);
    let of_re = <T as Real>::from_f64(weights.scale * weights.interior);
    let of_im = if weights.conjugate { -of_re } else { of_re };
    if split::divides(n, to) {
        let factors = split::Factors { re: of_re, im: of_im, end };
        return in_groups(rows, n, to, (y.0, Some(y.1)), |first, re_out, im_out| {
            split::half_row(n, row(x, first, lengths, n), factors, (re_out, im_out));
            re_out[n / 2 + 1..].fill(T::ZERO);
            im_out[n / 2 + 1..].fill(T::ZERO);
        });
    }
    let plan = half_plan::<T>(n);
    in_groups(rows, n, to, (y.0, Some(y.1)), |first, re_out, im_out| {
        let (mut given, mut made) = (vec![T::ZERO; n], zeros::<T>(n / 2 + 1));
        let mut scratch = zeros::<T>(plan.get_scratch_len());
        for (i, (re_out, im_out)) in re_out.chunks_mut(to).zip(im_out.chunks_mut(to)).enumerate() {
            load(row(x, first + i, lengths, n), &mut given);
            let done = plan.process_with_scratch(&mut given, &mut made, &mut scratch);
            debug_assert!(done.is_ok(), "the lengths are the plan's");
            store(&made, re_out, |z| z.re * of_re);
            store(&made, im_out, |z| z.im * of_im);
            re_out[0] = made[0].re * end;
            if n.is_multiple_of(2) && n / 2 < to {
                re_out[n / 2] = made[n / 2].re * end;
            }
        }
    });
}

fn run_whole<T: Planned>(lengths: Lengths, weights: Weights, x: (&[T], &[T]), y: &mut [T]) {
    let Lengths { n, to, .. } = lengths;
    if y.is_empty() {
        return;
    }
    let rows = y.len() / to;
    let end = <T as Real>::from_f64(weights.scale);
    let of_re = <T as Real>::from_f64(weights.scale * weights.interior);
    let of_im = if weights.conjugate { -of_re } else { of_re };
    if split::divides_whole(lengths) {
        let factors = split::Factors { re: of_re, im: of_im, end };
        return in_groups(rows, n, to, (y, None), |first, out, _| {
            let whole = |plane| row(plane, first, lengths, n / 2 + 1);
            split::whole_row(n, (whole(x.0), whole(x.1)), factors, out);
        });
    }
    let plan = whole_plan::<T>(n);
    in_groups(rows, n, to, (y, None), |first, out, _| {
        let (mut given, mut made) = (zeros::<T>(n / 2 + 1), vec![T::ZERO; if n == to { 0 } else { n }]);
        let mut scratch = zeros::<T>(plan.get_scratch_len());
        for (i, out) in out.chunks_mut(to).enumerate() {
            let (re, im) = (row(x.0, first + i, lengths, n / 2 + 1), row(x.1, first + i, lengths, n / 2 + 1));
            let (kept, beyond) = given.split_at_mut(re.len());
            for ((z, &re), &im) in kept.iter_mut().zip(re).zip(im) {
                *z = Complex::new(re * of_re, im * of_im);
            }
            beyond.fill(Complex::new(T::ZERO, T::ZERO));
            let real = |k: usize| Complex::new(re.get(k).map_or(T::ZERO, |&re| re * end), T::ZERO);
            given[0] = real(0);
            if n.is_multiple_of(2) {
                given[n / 2] = real(n / 2);
            }
            let target = if n == to { &mut *out } else { &mut made[..] };
            let done = plan.process_with_scratch(&mut given, target, &mut scratch);
            debug_assert!(done.is_ok(), "the lengths are the plan's, and the ends real");
            if n != to {
                let kept = n.min(to);
                out[..kept].copy_from_slice(&made[..kept]);
                out[kept..].fill(T::ZERO);
            }
        }
    });
}
