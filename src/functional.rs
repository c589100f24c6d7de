//! Transformations from plain tensors to plain tensors, each with a tape of its own.
//!
//! The function maps variables to a variable; its arguments and their derivatives are arrays of tensors. Jacobians
//! and Hessians run their sweeps side by side on the current thread pool.
//!
//! ```
//! use retrograde::{Tensor, functional::{grad, hessian}};
//!
//! let (x, y) = (Tensor::scalar(2.0), Tensor::scalar(3.0));
//! let [gx, gy] = grad(|[x, y]| x * x * y, [&x, &y])?;
//! assert_eq!((gx.item()?, gy.item()?), (12.0, 4.0));
//! let [[h]] = hessian(|[v]| (v * v).prod(), [&Tensor::from([2.0, 3.0])])?;
//! assert_eq!(h.to_vec(), [18.0, 24.0, 24.0, 8.0]);
//! # Ok::<(), retrograde::Error>(())
//! ```
//!
//! Pass closures inline, or functions: the compiler must see that the function is good for every tape. A function that
//! takes derivatives inside uses [`transform`](crate::transform) there, or the methods of the tape; these do not nest.

use crate::error::{Error, ErrorKind, Result};
use crate::number::Real;
use crate::shape::same;
use crate::tape::{Tape, Var};
use crate::tensor::Tensor;
use rayon::prelude::*;
use std::panic::Location;

/// A tape with the arguments on it and the function's value; what is made of them.
fn on_a_tape<T: Real, R, const N: usize>(
    name: &'static str,
    line: &'static Location<'static>,
    f: impl for<'t> Fn([Var<'t, T>; N]) -> Var<'t, T>,
    x: [&Tensor<T>; N],
    make: impl for<'t> FnOnce(&'t Tape<T>, [Var<'t, T>; N], Var<'t, T>) -> Result<R>,
) -> Result<R> {
    let tape = Tape::new();
    let run = || {
        let x = x.map(|x| tape.argument(tape.constant(x)));
        let y = f(x);
        y.try_shape()?;
        make(&tape, x, y)
    };
    run().map_err(|error: Error| error.at(name, line))
}

fn array<R, const N: usize>(list: Vec<R>) -> [R; N] {
    list.try_into().unwrap_or_else(|_| unreachable!("one result for each argument"))
}

fn gradients<'t, T: Real, const N: usize>(
    tape: &'t Tape<T>,
    x: [Var<'t, T>; N],
    y: Var<'t, T>,
) -> Result<[Tensor<T>; N]> {
    Ok(array(tape.grad_of(&[(y, &y.unit_seed()?)], &x)?))
}

/// The gradient by each argument of a function whose value is one number.
///
/// # Errors
///
/// [`ErrorKind::NotScalar`] if the value is not one number; those of the function.
///
/// ```
/// use retrograde::{Tensor, functional::grad};
///
/// let [g] = grad(|[x]| (x * x).sum(), [&Tensor::from([1.0, 2.0])])?;
/// assert_eq!(g.to_vec(), [2.0, 4.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn grad<T: Real, const N: usize>(
    f: impl for<'t> Fn([Var<'t, T>; N]) -> Var<'t, T>,
    x: [&Tensor<T>; N],
) -> Result<[Tensor<T>; N]> {
    on_a_tape("grad", Location::caller(), f, x, gradients)
}

/// As [`grad`], with the value beside the gradients.
///
/// # Errors
///
/// As [`grad`].
///
/// ```
/// use retrograde::{Tensor, functional::value_and_grad};
///
/// let (y, [g]) = value_and_grad(|[x]| (x * x).sum(), [&Tensor::from([1.0, 2.0])])?;
/// assert_eq!((y.item()?, g.to_vec()), (5.0, vec![2.0, 4.0]));
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn value_and_grad<T: Real, const N: usize>(
    f: impl for<'t> Fn([Var<'t, T>; N]) -> Var<'t, T>,
    x: [&Tensor<T>; N],
) -> Result<(Tensor<T>, [Tensor<T>; N])> {
    on_a_tape("value_and_grad", Location::caller(), f, x, |tape, x, y| {
        Ok((y.value()?, gradients(tape, x, y)?))
    })
}

/// The value, and the product of a cotangent of its shape with the Jacobian by each argument, `gᵀJ`.
///
/// # Errors
///
/// [`ErrorKind::Shape`] for a cotangent of another shape; those of the function.
///
/// ```
/// use retrograde::{Tensor, functional::vjp};
///
/// let (y, [g]) = vjp(|[x]| x * x, [&Tensor::from([1.0, 2.0])], &Tensor::from([10.0, 1.0]))?;
/// assert_eq!((y.to_vec(), g.to_vec()), (vec![1.0, 4.0], vec![20.0, 4.0]));
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn vjp<T: Real, const N: usize>(
    f: impl for<'t> Fn([Var<'t, T>; N]) -> Var<'t, T>,
    x: [&Tensor<T>; N],
    g: &Tensor<T>,
) -> Result<(Tensor<T>, [Tensor<T>; N])> {
    on_a_tape("vjp", Location::caller(), f, x, |tape, x, y| {
        Ok((y.value()?, array(tape.grad_of(&[(y, g)], &x)?)))
    })
}

/// The value, and `Σ J dx` over the arguments, for a tangent of each argument's shape.
///
/// # Errors
///
/// [`ErrorKind::Shape`] for a tangent of another shape; those of the function.
///
/// ```
/// use retrograde::{Tensor, functional::jvp};
///
/// let (y, dy) = jvp(|[x]| x * x, [&Tensor::from([1.0, 2.0])], [&Tensor::from([10.0, 1.0])])?;
/// assert_eq!((y.to_vec(), dy.to_vec()), (vec![1.0, 4.0], vec![20.0, 4.0]));
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn jvp<T: Real, const N: usize>(
    f: impl for<'t> Fn([Var<'t, T>; N]) -> Var<'t, T>,
    x: [&Tensor<T>; N],
    dx: [&Tensor<T>; N],
) -> Result<(Tensor<T>, Tensor<T>)> {
    on_a_tape("jvp", Location::caller(), f, x, |tape, x, y| {
        let [dy] = array(tape.tangents_of(&[y], &x, &dx)?);
        Ok((y.value()?, dy))
    })
}

/// The Jacobian by each argument, `[value's axes.., argument's axes..]`, in the mode that needs fewer sweeps.
///
/// # Errors
///
/// As [`Tape::jacobian`]; those of the function.
///
/// ```
/// use retrograde::{Tensor, functional::jacobian};
///
/// let [j] = jacobian(|[x]| x * x.sum(), [&Tensor::from([2.0, 3.0])])?;
/// assert_eq!(j.to_vec(), [7.0, 2.0, 3.0, 8.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn jacobian<T: Real, const N: usize>(
    f: impl for<'t> Fn([Var<'t, T>; N]) -> Var<'t, T>,
    x: [&Tensor<T>; N],
) -> Result<[Tensor<T>; N]> {
    on_a_tape("jacobian", Location::caller(), f, x, |tape, x, y| Ok(array(tape.jacobians(y, &x)?)))
}

/// As [`jacobian`], in reverse mode whatever the shapes.
///
/// # Errors
///
/// As [`jacobian`].
///
/// ```
/// use retrograde::{Tensor, functional::jacobian_reverse};
///
/// let [j] = jacobian_reverse(|[x]| x.prod(), [&Tensor::from([2.0, 3.0])])?;
/// assert_eq!(j.to_vec(), [3.0, 2.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn jacobian_reverse<T: Real, const N: usize>(
    f: impl for<'t> Fn([Var<'t, T>; N]) -> Var<'t, T>,
    x: [&Tensor<T>; N],
) -> Result<[Tensor<T>; N]> {
    on_a_tape("jacobian_reverse", Location::caller(), f, x, |tape, x, y| Ok(array(tape.by_rows(y, &x)?)))
}

/// As [`jacobian`], in forward mode whatever the shapes.
///
/// # Errors
///
/// As [`Tape::jacobian_forward`]; those of the function.
///
/// ```
/// use retrograde::{Tensor, functional::jacobian_forward};
///
/// let [j] = jacobian_forward(|[x]| x.prod(), [&Tensor::from([2.0, 3.0])])?;
/// assert_eq!(j.to_vec(), [3.0, 2.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn jacobian_forward<T: Real, const N: usize>(
    f: impl for<'t> Fn([Var<'t, T>; N]) -> Var<'t, T>,
    x: [&Tensor<T>; N],
) -> Result<[Tensor<T>; N]> {
    on_a_tape("jacobian_forward", Location::caller(), f, x, |tape, x, y| Ok(array(tape.by_columns(y, &x)?)))
}

/// The blocks of the Hessian of a function whose value is one number: `[i][j]` has the second derivatives by
/// arguments `i` and `j`, of shape `[argument i's axes.., argument j's axes..]`.
///
/// The gradient is recorded once and swept once for each of its elements.
///
/// # Errors
///
/// As [`grad`].
///
/// ```
/// use retrograde::{Tensor, functional::hessian};
///
/// let (x, y) = (Tensor::scalar(2.0), Tensor::scalar(3.0));
/// let [[xx, xy], [yx, yy]] = hessian(|[x, y]| x * x * y, [&x, &y])?;
/// assert_eq!([xx.item()?, xy.item()?, yx.item()?, yy.item()?], [6.0, 4.0, 4.0, 0.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn hessian<T: Real, const N: usize>(
    f: impl for<'t> Fn([Var<'t, T>; N]) -> Var<'t, T>,
    x: [&Tensor<T>; N],
) -> Result<[[Tensor<T>; N]; N]> {
    on_a_tape("hessian", Location::caller(), f, x, |tape, x, y| {
        let rows = |g: &Var<'_, T>| Ok(array(tape.by_rows(*g, &x)?));
        Ok(array(y.gradient_by(&x)?.iter().map(rows).collect::<Result<_>>()?))
    })
}

/// The Hessian times a vector given by a part for each argument, forward over reverse.
///
/// Costs a few gradients, whatever the size of the Hessian.
///
/// # Errors
///
/// [`ErrorKind::Shape`] for parts of other shapes; else as [`grad`].
///
/// ```
/// use retrograde::{Tensor, functional::hvp};
///
/// let [h] = hvp(|[x]| (x * x).prod(), [&Tensor::from([2.0, 3.0])], [&Tensor::from([1.0, 0.0])])?;
/// assert_eq!(h.to_vec(), [18.0, 24.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn hvp<T: Real, const N: usize>(
    f: impl for<'t> Fn([Var<'t, T>; N]) -> Var<'t, T>,
    x: [&Tensor<T>; N],
    v: [&Tensor<T>; N],
) -> Result<[Tensor<T>; N]> {
    on_a_tape("hvp", Location::caller(), f, x, |tape, x, y| {
        Ok(array(tape.tangents_of(&y.gradient_by(&x)?, &x, &v)?))
    })
}

/// A vector given by a part for each argument times the Hessian, reverse over reverse. Equal to [`hvp`].
///
/// # Errors
///
/// As [`hvp`].
///
/// ```
/// use retrograde::{Tensor, functional::vhp};
///
/// let [h] = vhp(|[x]| (x * x).prod(), [&Tensor::from([2.0, 3.0])], [&Tensor::from([1.0, 0.0])])?;
/// assert_eq!(h.to_vec(), [18.0, 24.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn vhp<T: Real, const N: usize>(
    f: impl for<'t> Fn([Var<'t, T>; N]) -> Var<'t, T>,
    x: [&Tensor<T>; N],
    v: [&Tensor<T>; N],
) -> Result<[Tensor<T>; N]> {
    on_a_tape("vhp", Location::caller(), f, x, |tape, x, y| {
        let outputs: Vec<_> = y.gradient_by(&x)?.into_iter().zip(v).collect();
        Ok(array(tape.grad_of(&outputs, &x)?))
    })
}

/// The derivative of order `k` along a direction given by a part for each argument, `dᵏ/dtᵏ f(x + t v)` at `t = 0`.
///
/// # Errors
///
/// [`ErrorKind::Shape`] for parts of other shapes; those of the function.
///
/// ```
/// use retrograde::{Tensor, functional::directional};
///
/// let third = directional(|[x]| x.exp(), 3, [&Tensor::scalar(0.0)], [&Tensor::scalar(2.0)])?;
/// assert_eq!(third.item()?, 8.0);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn directional<T: Real, const N: usize>(
    f: impl for<'t> Fn([Var<'t, T>; N]) -> Var<'t, T>,
    k: usize,
    x: [&Tensor<T>; N],
    v: [&Tensor<T>; N],
) -> Result<Tensor<T>> {
    on_a_tape("directional", Location::caller(), f, x, |tape, x, y| {
        let mut y = y;
        for (x, v) in x.iter().zip(v) {
            same("direction", v.shape(), &x.try_shape()?)?;
        }
        for _ in 1..k {
            y = tape.recorded_tangents(&[y], x.into_iter().zip(v))?[0];
        }
        if k == 0 { y.value() } else { Ok(tape.tangents_of(&[y], &x, &v)?.swap_remove(0)) }
    })
}

/// The gradient of a loss for each example of a batch: `f(parameters, example)` is the loss of one example, and each
/// result has a first axis for the examples, then the parameter's axes.
///
/// Each tensor of the batch has the examples along its first axis; `f` gets one example of each, without that axis.
/// The examples run side by side on the current thread pool.
///
/// # Errors
///
/// [`ErrorKind::Rank`] for a tensor of the batch without axes; [`ErrorKind::Shape`] for batches of different lengths;
/// else as [`grad`].
///
/// ```
/// use retrograde::{Tensor, functional::per_example_grads};
///
/// let w = Tensor::from([1.0, -1.0]);
/// let (x, t) = (Tensor::from([[1.0, 2.0], [3.0, 4.0]]), Tensor::from([0.0, 1.0]));
/// let [g] = per_example_grads(|[w], [x, t]| (x.matmul(w) - t).square(), [&w], [&x, &t])?;
/// assert_eq!(g.shape(), [2, 2]);
/// assert_eq!(g.to_vec(), [-2.0, -4.0, -12.0, -16.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn per_example_grads<T: Real, const P: usize, const B: usize>(
    f: impl for<'t> Fn([Var<'t, T>; P], [Var<'t, T>; B]) -> Var<'t, T> + Sync,
    parameters: [&Tensor<T>; P],
    batch: [&Tensor<T>; B],
) -> Result<[Tensor<T>; P]> {
    let line = Location::caller();
    let run = || {
        let mut examples = None;
        for x in batch {
            let Some((&n, rest)) = x.shape().split_first() else {
                return Err(ErrorKind::Rank { found: vec![], wanted: "a batch axis and any others" }.into());
            };
            let examples = *examples.get_or_insert(n);
            same("batch", x.shape(), &[&[examples], rest].concat())?;
        }
        let examples = examples.unwrap_or(0);
        let rows: Vec<Result<[Tensor<T>; P]>> = (0..examples)
            .into_par_iter()
            .map_init(Tape::new, |tape, i| {
                tape.clear();
                let tape = &*tape;
                let parameters = parameters.map(|p| tape.argument(tape.constant(p)));
                let mut example = Vec::with_capacity(B);
                for x in batch {
                    let one = x.slice(0, i as isize..i as isize + 1)?.reshape(&x.shape()[1..])?;
                    example.push(tape.constant(&one));
                }
                gradients(tape, parameters, f(parameters, array(example)))
            })
            .collect();
        // The first error, whichever thread met one first.
        let rows = rows.into_iter().collect::<Result<Vec<_>>>()?;
        let of = |p: usize| {
            if rows.is_empty() {
                return Tensor::zeros([&[0], parameters[p].shape()].concat());
            }
            Tensor::stack(&rows.iter().map(|row| &row[p]).collect::<Vec<_>>(), 0)
        };
        Ok(array((0..P).map(of).collect::<Result<_>>()?))
    };
    run().map_err(|error: Error| error.at("per_example_grads", line))
}

/// The Jacobian of every example of a batch, `[batch, out.., in..]`, for an `f` that maps a batch `[batch, in..]` to a
/// batch `[batch, out..]`, each example by itself. See [`Tape::batch_jacobian`].
///
/// # Errors
///
/// As [`Tape::batch_jacobian`]; those of the function.
///
/// ```
/// use retrograde::{Tensor, functional::batch_jacobian};
///
/// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
/// let j = batch_jacobian(|x| x.sum_keepdim(-1) * x, &x)?;
/// assert_eq!(j.shape(), [2, 2, 2]);
/// assert_eq!(j.to_vec(), [4.0, 1.0, 2.0, 5.0, 10.0, 3.0, 4.0, 11.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn batch_jacobian<T: Real>(
    f: impl for<'t> Fn(Var<'t, T>) -> Var<'t, T>,
    x: &Tensor<T>,
) -> Result<Tensor<T>> {
    on_a_tape(
        "batch_jacobian",
        Location::caller(),
        |[x]| f(x),
        [x],
        |tape, [x], y| tape.jacobian_by_example(y, x),
    )
}
