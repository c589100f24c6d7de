//! The transformations over lists of variables.

use crate::error::Result;
use crate::number::Real;
use crate::shape::same;
use crate::tape::{Tape, Var, is_one_way, one_hot};
use crate::tensor::Tensor;
use std::panic::Location;

pub(super) type Line = &'static Location<'static>;

/// A function of a list of variables.
pub(super) type Function<'a, 't, T> = &'a dyn Fn(&[Var<'t, T>]) -> Var<'t, T>;

/// How a Jacobian is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// By whichever takes fewer sweeps.
    Fewer,
    /// A sweep for each element of the value.
    Reverse,
    /// A sweep for each element of the arguments.
    Forward,
}

/// A result, or an errored variable on the tape of `x` that names the transformation unless an operation is named.
pub(super) fn lifted<'t, T: Real>(
    name: &'static str,
    line: Line,
    x: Var<'t, T>,
    found: Result<Var<'t, T>>,
) -> Var<'t, T> {
    found.unwrap_or_else(|error| x.tape().errored(name, line, error))
}

/// A function that is differentiated, and the line of the user's source that asked for it. The nodes of sweeps
/// belong to that line, those of the function to its own.
#[derive(Clone, Copy)]
pub(super) struct Call<'a, 't, T: Real> {
    pub(super) f: Function<'a, 't, T>,
    pub(super) line: Line,
}

/// The arguments as variables of their own, and the function's value at them.
struct Called<'t, T: Real> {
    x: Vec<Var<'t, T>>,
    y: Var<'t, T>,
}

impl<'t, T: Real> Call<'_, 't, T> {
    fn at(self, x: &[Var<'t, T>]) -> Result<Called<'t, T>> {
        let argument = |x: &Var<'t, T>| {
            let _line = x.tape().serving(self.line);
            x.tape().argument(*x)
        };
        let arguments: Vec<Var<'t, T>> = x.iter().map(argument).collect();
        for x in &arguments {
            x.try_shape()?;
        }
        let y = (self.f)(&arguments);
        y.try_shape()?;
        Ok(Called { x: arguments, y })
    }
}

pub(super) fn grad<'t, T: Real>(
    call: Call<'_, 't, T>,
    x: &[Var<'t, T>],
) -> Result<(Var<'t, T>, Vec<Var<'t, T>>)> {
    let Called { x, y } = call.at(x)?;
    let _line = y.tape().serving(call.line);
    Ok((y, y.gradient_by(&x)?))
}

pub(super) fn vjp<'t, T: Real>(
    call: Call<'_, 't, T>,
    x: &[Var<'t, T>],
    g: Var<'t, T>,
) -> Result<(Var<'t, T>, Vec<Var<'t, T>>)> {
    let Called { x, y } = call.at(x)?;
    g.try_shape()?;
    let _line = y.tape().serving(call.line);
    Ok((y, y.tape().cotangents([(y, g)], &x)?))
}

pub(super) fn jvp<'t, T: Real>(
    call: Call<'_, 't, T>,
    x: &[Var<'t, T>],
    dx: &[Var<'t, T>],
) -> Result<(Var<'t, T>, Var<'t, T>)> {
    let Called { x, y } = call.at(x)?;
    let _line = y.tape().serving(call.line);
    Ok((y, y.tape().recorded_tangents(&[y], pairs(&x, dx))?[0]))
}

pub(super) fn jacobian<'t, T: Real>(
    call: Call<'_, 't, T>,
    x: &[Var<'t, T>],
    mode: Mode,
) -> Result<Vec<Var<'t, T>>> {
    let Called { x, y } = call.at(x)?;
    let _line = y.tape().serving(call.line);
    y.tape().check_own(&x)?;
    jacobian_of(y, &x, mode)
}

fn jacobian_of<'t, T: Real>(y: Var<'t, T>, x: &[Var<'t, T>], mode: Mode) -> Result<Vec<Var<'t, T>>> {
    let tape = y.tape();
    let out = y.try_shape()?;
    let shapes = x.iter().map(|x| x.try_shape()).collect::<Result<Vec<_>>>()?;
    let inputs: usize = shapes.iter().map(|shape| shape.count()).sum();
    let whole = |i: usize| [&out[..], &shapes[i]].concat();
    let forward = || {
        let column =
            |i: usize, k: usize| Ok(tape.recorded_tangents(&[y], [(x[i], &one_hot(&shapes[i], k)?)])?[0]);
        let of = |i: usize| {
            let columns = (0..shapes[i].count()).map(|k| column(i, k)).collect::<Result<Vec<_>>>()?;
            side_by_side(tape, &columns, -1, &whole(i))
        };
        (0..x.len()).map(of).collect()
    };
    if mode == Mode::Forward || (mode == Mode::Fewer && inputs < out.count()) {
        match forward() {
            Err(error) if mode == Mode::Fewer && is_one_way(error.kind()) => {}
            found => return found,
        }
    }
    let row = |k: usize| tape.cotangents([(y, &one_hot(&out, k)?)], x);
    let rows = (0..out.count()).map(row).collect::<Result<Vec<_>>>()?;
    let of = |i: usize| {
        let mine: Vec<Var<'t, T>> = rows.iter().map(|row| row[i]).collect();
        side_by_side(tape, &mine, 0, &whole(i))
    };
    (0..x.len()).map(of).collect()
}

fn side_by_side<'t, T: Real>(
    tape: &'t Tape<T>,
    parts: &[Var<'t, T>],
    axis: isize,
    shape: &[usize],
) -> Result<Var<'t, T>> {
    if parts.is_empty() {
        return Ok(tape.constant(&Tensor::zeros(shape)?));
    }
    let whole = tape.stack(parts, axis).reshape(shape);
    whole.try_shape().map(|_| whole)
}

pub(super) fn hessian<'t, T: Real>(call: Call<'_, 't, T>, x: &[Var<'t, T>]) -> Result<Vec<Vec<Var<'t, T>>>> {
    let Called { x, y } = call.at(x)?;
    let _line = y.tape().serving(call.line);
    let g = y.gradient_by(&x)?;
    g.iter().map(|g| jacobian_of(*g, &x, Mode::Reverse)).collect()
}

pub(super) fn hvp<'t, T: Real>(
    call: Call<'_, 't, T>,
    x: &[Var<'t, T>],
    v: &[Var<'t, T>],
) -> Result<Vec<Var<'t, T>>> {
    let Called { x, y } = call.at(x)?;
    let _line = y.tape().serving(call.line);
    let g = y.gradient_by(&x)?;
    y.tape().recorded_tangents(&g, pairs(&x, v))
}

pub(super) fn vhp<'t, T: Real>(
    call: Call<'_, 't, T>,
    x: &[Var<'t, T>],
    v: &[Var<'t, T>],
) -> Result<Vec<Var<'t, T>>> {
    let Called { x, y } = call.at(x)?;
    let _line = y.tape().serving(call.line);
    let g = y.gradient_by(&x)?;
    y.tape().cotangents(pairs(&g, v), &x)
}

pub(super) fn directional<'t, T: Real>(
    call: Call<'_, 't, T>,
    k: usize,
    x: &[Var<'t, T>],
    v: &[Var<'t, T>],
) -> Result<Var<'t, T>> {
    let Called { x, mut y } = call.at(x)?;
    let _line = y.tape().serving(call.line);
    y.tape().check_own(v)?;
    for (x, v) in pairs(&x, v) {
        same("direction", &v.try_shape()?, &x.try_shape()?)?;
    }
    for _ in 0..k {
        y = y.tape().recorded_tangents(&[y], pairs(&x, v))?[0];
    }
    Ok(y)
}

fn pairs<'a, 't, T: Real>(
    x: &'a [Var<'t, T>],
    v: &'a [Var<'t, T>],
) -> impl Iterator<Item = (Var<'t, T>, Var<'t, T>)> + 'a {
    x.iter().copied().zip(v.iter().copied())
}
