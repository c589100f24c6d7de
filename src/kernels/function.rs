//! Vectorised loops over a function of numbers, compiled for every instruction set.

use super::isa::multiversion;
use crate::number::Number;

/// A function of `K` numbers, written once for every kind of number.
pub trait Function<const K: usize>: Copy + Send + Sync {
    /// Its value.
    fn at<N: Number>(self, x: [N; K]) -> N;
}

multiversion! {
    /// `out = f(a)`.
    pub fn run1<T, N, F: Function<1>>(f: F, a: &[T], out: &mut [T]) {
        for (out, &a) in out.iter_mut().zip(a) {
            *out = f.at([N::of(a)]).get();
        }
    }

    /// `out = f(a, b)`.
    pub fn run2<T, N, F: Function<2>>(f: F, a: &[T], b: &[T], out: &mut [T]) {
        for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
            *out = f.at([N::of(a), N::of(b)]).get();
        }
    }

    /// `out = f(out, b)`.
    pub fn run2_in_place<T, N, F: Function<2>>(f: F, out: &mut [T], b: &[T]) {
        for (out, &b) in out.iter_mut().zip(b) {
            *out = f.at([N::of(*out), N::of(b)]).get();
        }
    }

    /// `out = f(a, b, c)`.
    pub fn run3<T, N, F: Function<3>>(f: F, a: &[T], b: &[T], c: &[T], out: &mut [T]) {
        for (((out, &a), &b), &c) in out.iter_mut().zip(a).zip(b).zip(c) {
            *out = f.at([N::of(a), N::of(b), N::of(c)]).get();
        }
    }

    /// `out = f(a, b, c, d)`.
    pub fn run4<T, N, F: Function<4>>(f: F, a: &[T], b: &[T], c: &[T], d: &[T], out: &mut [T]) {
        for ((((out, &a), &b), &c), &d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *out = f.at([N::of(a), N::of(b), N::of(c), N::of(d)]).get();
        }
    }
}
