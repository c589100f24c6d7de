//! Discrete Fourier transforms of rows, through `rustfft` and `realfft`.
//!
//! Complex rows lie in two planes, one of real and one of imaginary parts; a row is interleaved into scratch memory,
//! transformed there, and taken apart again. Three transforms are each other's transposes, so derivatives need no others:
//! [`dft`] is its own with the other sign, [`half`] and [`whole`] are each other's. All cut their rows to `n` numbers, or
//! fill them up with zeros, and do the same with what they give.

mod plans;
mod split;

use super::{multiversion, threshold};
use crate::number::{Family, Real};
use plans::{Planned, complex_plan, half_plan, whole_plan};
use rayon::prelude::*;
use rustfft::num_complex::Complex;

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

multiversion! {
    /// Takes numbers apart into two planes, each times a factor.
    fn apart<T, N>(z: &[Complex<T>], of_re: T, of_im: T, re: &mut [T], im: &mut [T]) {
        for ((z, re), im) in z.iter().zip(re).zip(im) {
            (*re, *im) = (z.re * of_re, z.im * of_im);
        }
    }

    /// Puts numbers together from two planes, each times a factor.
    fn together<T, N>(re: &[T], im: &[T], of_re: T, of_im: T, z: &mut [Complex<T>]) {
        for ((z, &re), &im) in z.iter_mut().zip(re).zip(im) {
            (z.re, z.im) = (re * of_re, im * of_im);
        }
    }
}

/// Writes a spectrum, each part times a factor, then zeros; the imaginary part if there is room for it.
fn store<T: Planned>(spectrum: &[Complex<T>], (of_re, of_im): (T, T), re: &mut [T], im: Option<&mut [T]>) {
    let kept = spectrum.len().min(re.len());
    re[kept..].fill(T::ZERO);
    match im {
        None => re.iter_mut().zip(spectrum).for_each(|(re, z)| *re = z.re * of_re),
        Some(im) => {
            im[kept..].fill(T::ZERO);
            apart(&spectrum[..kept], of_re, of_im, &mut re[..kept], &mut im[..kept]);
        }
    }
}

/// Puts a spectrum together from planes that may be shorter, each times a factor, then zeros.
fn load_spectrum<T: Planned>((re, im): (&[T], &[T]), (of_re, of_im): (T, T), given: &mut [Complex<T>]) {
    let (kept, beyond) = given.split_at_mut(re.len());
    together(re, im, of_re, of_im, kept);
    beyond.fill(Complex::new(T::ZERO, T::ZERO));
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
            load_spectrum((re, im), (T::ONE, T::ONE), &mut given);
            plan.process_outofplace_with_scratch(&mut given, &mut made, &mut scratch);
            store(&made, (s, s), re_out, im_rows.next());
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
            store(&made, (s, of_im), re_out, im_rows.next());
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
            store(&made, (of_re, of_im), re_out, Some(im_out));
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
            load_spectrum((re, im), (of_re, of_im), &mut given);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_divided_has_the_spectrum_of_one_that_is_not() {
        let weights = Weights { scale: 0.5, interior: 2.0, conjugate: true };
        for n in [threshold::CHUNK, threshold::CHUNK + 4, 36_000] {
            for from in [n, n - 1, n / 2 + 3, n + 5] {
                let x: Vec<f64> =
                    (0..2 * from).map(|i| (i as f64 * 0.7).sin() + (i as f64 * 0.013).cos()).collect();
                let run = |to: usize| {
                    let (mut re, mut im) = (vec![f64::NAN; 2 * to], vec![f64::NAN; 2 * to]);
                    half(Lengths { from, n, to }, weights, &x, (&mut re, &mut im));
                    [re, im]
                };
                // A spectrum that is cut is not made of two.
                let (divided, plain) = (run(n / 2 + 2), run(n / 2));
                for (divided, plain) in divided.iter().zip(&plain) {
                    for (divided, plain) in divided.chunks(n / 2 + 2).zip(plain.chunks(n / 2)) {
                        assert!(divided.iter().zip(plain).all(|(a, b)| (a - b).abs() < 1e-9));
                        assert!(divided[n / 2 + 1] == 0.0);
                    }
                }
                // The last number, real, is the sum with alternating signs.
                let alternating: f64 =
                    x[..from.min(n)].iter().enumerate().map(|(i, x)| if i % 2 == 0 { *x } else { -x }).sum();
                assert!((divided[0][n / 2] - 0.5 * alternating).abs() < 1e-9 && divided[1][n / 2] == 0.0);

                let back = |to: usize| {
                    let mut y = vec![f64::NAN; 2 * to];
                    let lengths = Lengths { from: n / 2 + 2, n, to };
                    whole(lengths, weights, (&divided[0], &divided[1]), &mut y);
                    y
                };
                let (one, two) = (back(n), back(n - 1));
                for (one, two) in one.chunks(n).zip(two.chunks(n - 1)) {
                    assert!(one.iter().zip(two).all(|(a, b)| (a - b).abs() < 1e-9 * n as f64));
                }
            }
        }
    }
}
