//! Vectorised loops over a function of numbers, compiled for every instruction set.

use super::isa::multiversion;
use crate::number::{Lane, Number, Real, is_tame};

/// A function of `K` numbers, written once for every kind of number.
pub trait Function<const K: usize>: Copy + Send + Sync {
    /// Which argument it takes sines, cosines or tangents of, if of one and of nothing else: this makes them fast.
    const ANGLE: Option<usize> = None;
    /// Its value.
    fn at<N: Number>(self, x: [N; K]) -> N;
}

/// A function of `K` numbers by its derivative.
pub trait Gradient<const K: usize>: Copy + Send + Sync {
    /// `g ∂f/∂xₖ` for each k, where the function's value is `y`.
    fn at<N: Number>(self, x: [N; K], g: N, y: N) -> [N; K];
}

/// How many elements are checked for tame angles at a time.
const BLOCK: usize = 256;

/// Element `i` of each input.
///
/// A loop, as in [`cut`]: `[T; K]::map` stays a call in long functions, and then nothing around it vectorises; and it
/// brings more code to compile than the function has.
#[inline(always)]
fn load<T: Real, N: Lane<T>, const K: usize>(x: &[&[T]; K], i: usize) -> [N; K] {
    let mut at = [N::of(T::ZERO); K];
    for (at, x) in at.iter_mut().zip(x) {
        *at = N::of(x[i]);
    }
    at
}

/// A part of each input.
#[inline(always)]
fn cut<'a, T, const K: usize>(x: [&'a [T]; K], start: usize, end: usize) -> [&'a [T]; K] {
    let mut x = x;
    for x in &mut x {
        *x = &x[start..end];
    }
    x
}

/// Whether all are tame angles.
#[inline(always)]
fn all_tame<T: Real, N: Lane<T>>(x: &[T]) -> bool {
    x.iter().fold(true, |tame, &x| tame & is_tame(N::of(x)))
}

/// `out = f(x)` in a vectorised loop.
#[inline(always)]
fn run<T: Real, N: Lane<T>, F: Function<K>, const K: usize>(f: F, x: [&[T]; K], out: &mut [T]) {
    // One bound for all: with an end of its own for each slice, the last vector would be left to scalar code.
    let n = out.len();
    let x = cut(x, 0, n);
    #[expect(clippy::needless_range_loop, reason = "the bound is that of all slices")]
    for i in 0..n {
        out[i] = f.at(load::<T, N, K>(&x, i)).get();
    }
}

/// The same, with a short way for a single element and tame numbers for the blocks where all angles are.
#[inline(always)]
fn run_tamed<T: Real, N: Lane<T>, F: Function<K>, const K: usize>(f: F, x: [&[T]; K], out: &mut [T]) {
    if let [out] = out {
        // The constants of the vectorised loop are not loaded.
        *out = f.at(load::<T, N, K>(&x, 0)).get();
    } else if const { F::ANGLE.is_some() } {
        by_blocks::<T, N, F, K>(f, x, out);
    } else {
        run::<T, N, F, K>(f, x, out);
    }
}

#[inline(always)]
fn by_blocks<T: Real, N: Lane<T>, F: Function<K>, const K: usize>(f: F, x: [&[T]; K], out: &mut [T]) {
    for start in (0..out.len()).step_by(BLOCK) {
        let end = out.len().min(start + BLOCK);
        let (x, out) = (cut(x, start, end), &mut out[start..end]);
        if F::ANGLE.is_some_and(|angle| all_tame::<T, N>(x[angle])) {
            run::<T, N::Tame, F, K>(f, x, out);
        } else {
            run::<T, N, F, K>(f, x, out);
        }
    }
}

/// How many elements of every partial derivative are computed before those that are wanted are copied out.
const PIECE: usize = 64;

/// A piece as an array, filled up with whatever `padded` held: over a known length no element is left to scalar code.
#[inline(always)]
fn whole<'a, T: Copy>(piece: &'a [T], padded: &'a mut [T; PIECE]) -> &'a [T; PIECE] {
    if let Ok(whole) = piece.try_into() {
        return whole;
    }
    padded[..piece.len()].copy_from_slice(piece);
    padded
}

multiversion! {
    /// `out = f(x)` for any number of inputs.
    pub fn run_n<T, N, F: Function<K>; const K>(f: F, x: [&[T]; K], out: &mut [T]) {
        run_tamed::<T, N, F, K>(f, x, out);
    }

    /// `outₖ = g ∂f/∂xₖ` for each k whose slice is there, all of `g`'s length, from one evaluation.
    ///
    /// The loop writes to local arrays: of those the compiler knows that they do not overlap the inputs.
    pub fn run_gradient<T, N, F: Gradient<K>; const K>(
        f: F,
        x: [&[T]; K],
        g: &[T],
        y: &[T],
        out: [Option<&mut [T]>; K],
    ) {
        let mut out = out;
        if let ([g], [y]) = (g, y) {
            let all = f.at(load::<T, N, K>(&x, 0), N::of(*g), N::of(*y));
            for (out, partial) in out.into_iter().zip(all) {
                if let Some(out) = out {
                    out[0] = partial.get();
                }
            }
            return;
        }
        let mut partials = [[T::ZERO; PIECE]; K];
        let mut padded = ([[T::ZERO; PIECE]; K], [T::ZERO; PIECE], [T::ZERO; PIECE]);
        for start in (0..g.len()).step_by(PIECE) {
            let n = (g.len() - start).min(PIECE);
            let g = whole(&g[start..][..n], &mut padded.1);
            let y = whole(&y[start..][..n], &mut padded.2);
            let mut at = [g; K];
            for ((at, x), padded) in at.iter_mut().zip(x).zip(&mut padded.0) {
                *at = whole(&x[start..][..n], padded);
            }
            for i in 0..PIECE {
                let mut numbers = [N::of(T::ZERO); K];
                for (number, x) in numbers.iter_mut().zip(at) {
                    *number = N::of(x[i]);
                }
                let all = f.at(numbers, N::of(g[i]), N::of(y[i]));
                for k in 0..K {
                    partials[k][i] = all[k].get();
                }
            }
            for (out, partials) in out.iter_mut().zip(&partials) {
                if let Some(out) = out {
                    out[start..][..n].copy_from_slice(&partials[..n]);
                }
            }
        }
    }

    /// `out = f(a)`.
    pub fn run1<T, N, F: Function<1>>(f: F, a: &[T], out: &mut [T]) {
        run_tamed::<T, N, F, 1>(f, [a], out);
    }

    /// `out = f(a, b)`.
    pub fn run2<T, N, F: Function<2>>(f: F, a: &[T], b: &[T], out: &mut [T]) {
        run_tamed::<T, N, F, 2>(f, [a, b], out);
    }

    /// `out = f(out, b)`.
    pub fn run2_in_place<T, N, F: Function<2>>(f: F, out: &mut [T], b: &[T]) {
        for (out, &b) in out.iter_mut().zip(b) {
            *out = f.at([N::of(*out), N::of(b)]).get();
        }
    }

    /// `out = f(a, b, c)`.
    pub fn run3<T, N, F: Function<3>>(f: F, a: &[T], b: &[T], c: &[T], out: &mut [T]) {
        run_tamed::<T, N, F, 3>(f, [a, b, c], out);
    }

    /// `out = f(a, b, c, d)`.
    pub fn run4<T, N, F: Function<4>>(f: F, a: &[T], b: &[T], c: &[T], d: &[T], out: &mut [T]) {
        run_tamed::<T, N, F, 4>(f, [a, b, c, d], out);
    }
}
