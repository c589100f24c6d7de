//! The same for functions of several variables, given and returned as arrays.
//!
//! ```
//! use retrograde::transform::many::{grad, hvp};
//! use retrograde::{Tape, Tensor};
//!
//! let tape = Tape::new();
//! let (x, y) = (tape.scalar(2.0), tape.scalar(3.0));
//! let [gx, gy] = grad(|[x, y]| x * x * y)([x, y]);
//! assert_eq!((gx.item()?, gy.item()?), (12.0, 4.0));
//! let [hx, hy] = hvp(|[x, y]| x * x * y)([x, y], [tape.scalar(1.0), tape.scalar(0.0)]);
//! assert_eq!((hx.item()?, hy.item()?), (6.0, 4.0));
//! # Ok::<(), retrograde::Error>(())
//! ```

#![allow(clippy::type_complexity)] // an alias would hide what a function takes and gives

use super::call;
use super::core::{self, Line, Mode, lifted};
use crate::error::Result;
use crate::number::Real;
use crate::tape::Var;
use std::panic::Location;

/// The gradient by each argument. See [`grad`](super::grad).
#[track_caller]
pub fn grad<'t, T: Real, const N: usize>(
    f: impl Fn([Var<'t, T>; N]) -> Var<'t, T>,
) -> impl Fn([Var<'t, T>; N]) -> [Var<'t, T>; N] {
    let line = Location::caller();
    move |x| array("grad", line, x, core::grad(call(&list(&f), line), &x).map(|(_, g)| g))
}

/// The value, and the gradient by each argument.
#[track_caller]
pub fn value_and_grad<'t, T: Real, const N: usize>(
    f: impl Fn([Var<'t, T>; N]) -> Var<'t, T>,
) -> impl Fn([Var<'t, T>; N]) -> (Var<'t, T>, [Var<'t, T>; N]) {
    let line = Location::caller();
    move |x| value_and_array("value_and_grad", line, x, core::grad(call(&list(&f), line), &x))
}

/// The value, and `gᵀJ` for each argument. See [`vjp`](super::vjp).
#[track_caller]
pub fn vjp<'t, T: Real, const N: usize>(
    f: impl Fn([Var<'t, T>; N]) -> Var<'t, T>,
) -> impl Fn([Var<'t, T>; N], Var<'t, T>) -> (Var<'t, T>, [Var<'t, T>; N]) {
    let line = Location::caller();
    move |x, g| value_and_array("vjp", line, x, core::vjp(call(&list(&f), line), &x, g))
}

/// The value, and `Σ J dx` over the arguments. See [`jvp`](super::jvp).
#[track_caller]
pub fn jvp<'t, T: Real, const N: usize>(
    f: impl Fn([Var<'t, T>; N]) -> Var<'t, T>,
) -> impl Fn([Var<'t, T>; N], [Var<'t, T>; N]) -> (Var<'t, T>, Var<'t, T>) {
    let line = Location::caller();
    move |x, dx| {
        let found = core::jvp(call(&list(&f), line), &x, &dx);
        super::pair("jvp", line, x[0], found)
    }
}

/// The Jacobian by each argument. See [`jacobian`](super::jacobian).
#[track_caller]
pub fn jacobian<'t, T: Real, const N: usize>(
    f: impl Fn([Var<'t, T>; N]) -> Var<'t, T>,
) -> impl Fn([Var<'t, T>; N]) -> [Var<'t, T>; N] {
    let line = Location::caller();
    move |x| array("jacobian", line, x, core::jacobian(call(&list(&f), line), &x, Mode::Fewer))
}

/// As [`jacobian`], in reverse mode. See [`jacobian_reverse`](super::jacobian_reverse).
#[track_caller]
pub fn jacobian_reverse<'t, T: Real, const N: usize>(
    f: impl Fn([Var<'t, T>; N]) -> Var<'t, T>,
) -> impl Fn([Var<'t, T>; N]) -> [Var<'t, T>; N] {
    let line = Location::caller();
    move |x| array("jacobian_reverse", line, x, core::jacobian(call(&list(&f), line), &x, Mode::Reverse))
}

/// As [`jacobian`], in forward mode. See [`jacobian_forward`](super::jacobian_forward).
#[track_caller]
pub fn jacobian_forward<'t, T: Real, const N: usize>(
    f: impl Fn([Var<'t, T>; N]) -> Var<'t, T>,
) -> impl Fn([Var<'t, T>; N]) -> [Var<'t, T>; N] {
    let line = Location::caller();
    move |x| array("jacobian_forward", line, x, core::jacobian(call(&list(&f), line), &x, Mode::Forward))
}

/// The blocks of the Hessian: `[i][j]` has the second derivatives by argument `i` and argument `j`.
#[track_caller]
pub fn hessian<'t, T: Real, const N: usize>(
    f: impl Fn([Var<'t, T>; N]) -> Var<'t, T>,
) -> impl Fn([Var<'t, T>; N]) -> [[Var<'t, T>; N]; N] {
    let line = Location::caller();
    move |x| match core::hessian(call(&list(&f), line), &x) {
        Ok(blocks) => std::array::from_fn(|i| std::array::from_fn(|j| blocks[i][j])),
        Err(error) => [[lifted("hessian", line, x[0], Err(error)); N]; N],
    }
}

/// The Hessian times a vector given by parts. See [`hvp`](super::hvp).
#[track_caller]
pub fn hvp<'t, T: Real, const N: usize>(
    f: impl Fn([Var<'t, T>; N]) -> Var<'t, T>,
) -> impl Fn([Var<'t, T>; N], [Var<'t, T>; N]) -> [Var<'t, T>; N] {
    let line = Location::caller();
    move |x, v| array("hvp", line, x, core::hvp(call(&list(&f), line), &x, &v))
}

/// A vector given by parts times the Hessian. See [`vhp`](super::vhp).
#[track_caller]
pub fn vhp<'t, T: Real, const N: usize>(
    f: impl Fn([Var<'t, T>; N]) -> Var<'t, T>,
) -> impl Fn([Var<'t, T>; N], [Var<'t, T>; N]) -> [Var<'t, T>; N] {
    let line = Location::caller();
    move |x, v| array("vhp", line, x, core::vhp(call(&list(&f), line), &x, &v))
}

/// The derivative of order `k` along a direction given by parts. See [`directional`](super::directional).
#[track_caller]
pub fn directional<'t, T: Real, const N: usize>(
    f: impl Fn([Var<'t, T>; N]) -> Var<'t, T>,
    k: usize,
) -> impl Fn([Var<'t, T>; N], [Var<'t, T>; N]) -> Var<'t, T> {
    let line = Location::caller();
    move |x, v| lifted("directional", line, x[0], core::directional(call(&list(&f), line), k, &x, &v))
}

/// A function of an array as one of a list.
fn list<'a, 't, T: Real, const N: usize>(
    f: &'a impl Fn([Var<'t, T>; N]) -> Var<'t, T>,
) -> impl Fn(&[Var<'t, T>]) -> Var<'t, T> + 'a {
    const { assert!(N > 0, "a function of no variables has no derivative") };
    move |x| f(std::array::from_fn(|i| x[i]))
}

fn array<'t, T: Real, const N: usize>(
    name: &'static str,
    line: Line,
    x: [Var<'t, T>; N],
    found: Result<Vec<Var<'t, T>>>,
) -> [Var<'t, T>; N] {
    match found {
        Ok(found) => std::array::from_fn(|i| found[i]),
        Err(error) => [lifted(name, line, x[0], Err(error)); N],
    }
}

fn value_and_array<'t, T: Real, const N: usize>(
    name: &'static str,
    line: Line,
    x: [Var<'t, T>; N],
    found: Result<(Var<'t, T>, Vec<Var<'t, T>>)>,
) -> (Var<'t, T>, [Var<'t, T>; N]) {
    match found {
        Ok((y, parts)) => (y, std::array::from_fn(|i| parts[i])),
        Err(error) => {
            let errored = lifted(name, line, x[0], Err(error));
            (errored, [errored; N])
        }
    }
}
