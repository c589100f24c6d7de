//! Transformations: from a function of variables to its derivative, as a function of variables.
//!
//! They nest. `grad(grad(f))` is the second derivative; a function that takes a derivative inside can be
//! differentiated in turn. Each call makes its argument a variable of its own, so that derivatives by different
//! arguments are not confused, whatever the function captures. An error becomes an errored variable.
//!
//! ```
//! use retrograde::transform::grad;
//! use retrograde::{Tape, Tensor};
//!
//! let tape = Tape::new();
//! let x = tape.constant(&Tensor::scalar(2.0));
//! let third = grad(grad(grad(|x| x.powi(4))));
//! assert_eq!(third(x).item()?, 24.0 * 2.0);
//!
//! // d/dx (x · d/dy (x + y)) = 1: the inner derivative is by y alone.
//! let trap = grad(|x| x * grad(|y| x + y)(x));
//! assert_eq!(trap(x).item()?, 1.0);
//! # Ok::<(), retrograde::Error>(())
//! ```
//!
//! Pass closures inline, or functions: a closure put in a variable first is not general enough in its lifetime for the
//! compiler. For several arguments see [`many`]; from plain tensors to plain tensors, without a tape in sight and
//! with Jacobians computed on all cores, see [`functional`](crate::functional).

mod core;
pub mod many;

use self::core::{Mode, lifted};
use crate::number::Real;
use crate::tape::Var;
use std::panic::Location;

/// The gradient of a function whose value is one number.
///
/// # Errors
///
/// [`NotScalar`](crate::ErrorKind::NotScalar) if the value is not one number; those of the function.
///
/// ```
/// use retrograde::transform::grad;
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let x = tape.constant(&Tensor::from([1.0, 2.0]));
/// assert_eq!(grad(|x| (x * x * x).sum())(x).value()?.to_vec(), [3.0, 12.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn grad<'t, T: Real>(f: impl Fn(Var<'t, T>) -> Var<'t, T>) -> impl Fn(Var<'t, T>) -> Var<'t, T> {
    let line = Location::caller();
    move |x| lifted("grad", line, x, core::grad(call(&one(&f), line), &[x]).map(|(_, g)| g[0]))
}

/// As [`grad`], with the value beside the gradient.
///
/// ```
/// use retrograde::transform::value_and_grad;
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let x = tape.constant(&Tensor::scalar(3.0));
/// let (y, g) = value_and_grad(|x| x * x)(x);
/// assert_eq!((y.item()?, g.item()?), (9.0, 6.0));
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn value_and_grad<'t, T: Real>(
    f: impl Fn(Var<'t, T>) -> Var<'t, T>,
) -> impl Fn(Var<'t, T>) -> (Var<'t, T>, Var<'t, T>) {
    let line = Location::caller();
    move |x| {
        let found = core::grad(call(&one(&f), line), &[x]);
        pair("value_and_grad", line, x, found.map(|(y, g)| (y, g[0])))
    }
}

/// The value, and the product of a cotangent with the Jacobian, `gᵀJ`: `vjp(f)(x, g)`.
///
/// # Errors
///
/// [`Shape`](crate::ErrorKind::Shape) if the cotangent has not the value's shape; those of the function.
///
/// ```
/// use retrograde::transform::vjp;
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let (x, g) = (tape.constant(&Tensor::from([1.0, 2.0])), tape.constant(&Tensor::from([10.0, 1.0])));
/// let (y, product) = vjp(|x| x * x.sum())(x, g);
/// assert_eq!(y.value()?.to_vec(), [3.0, 6.0]);
/// assert_eq!(product.value()?.to_vec(), [42.0, 15.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn vjp<'t, T: Real>(
    f: impl Fn(Var<'t, T>) -> Var<'t, T>,
) -> impl Fn(Var<'t, T>, Var<'t, T>) -> (Var<'t, T>, Var<'t, T>) {
    let line = Location::caller();
    move |x, g| {
        let found = core::vjp(call(&one(&f), line), &[x], g);
        pair("vjp", line, x, found.map(|(y, g)| (y, g[0])))
    }
}

/// The value, and the product of the Jacobian with a tangent, `J dx`: `jvp(f)(x, dx)`.
///
/// # Errors
///
/// [`Shape`](crate::ErrorKind::Shape) if the tangent has not the argument's shape; those of the function.
///
/// ```
/// use retrograde::transform::jvp;
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let (x, dx) = (tape.constant(&Tensor::from([1.0, 2.0])), tape.constant(&Tensor::from([10.0, 1.0])));
/// let (_, product) = jvp(|x| x * x.sum())(x, dx);
/// assert_eq!(product.value()?.to_vec(), [41.0, 25.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn jvp<'t, T: Real>(
    f: impl Fn(Var<'t, T>) -> Var<'t, T>,
) -> impl Fn(Var<'t, T>, Var<'t, T>) -> (Var<'t, T>, Var<'t, T>) {
    let line = Location::caller();
    move |x, dx| pair("jvp", line, x, core::jvp(call(&one(&f), line), &[x], &[dx]))
}

/// The Jacobian, of shape `[value's axes.., argument's axes..]`, in the mode that takes fewer sweeps.
///
/// Its sweeps are recorded, so that it can be differentiated; for that they run one after another.
/// [`functional::jacobian`](crate::functional::jacobian) and [`Tape::jacobian`](crate::Tape::jacobian) record nothing
/// and use all cores.
///
/// ```
/// use retrograde::transform::jacobian;
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let x = tape.constant(&Tensor::from([2.0, 3.0]));
/// assert_eq!(jacobian(|x| x * x.sum())(x).value()?.to_vec(), [7.0, 2.0, 3.0, 8.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn jacobian<'t, T: Real>(f: impl Fn(Var<'t, T>) -> Var<'t, T>) -> impl Fn(Var<'t, T>) -> Var<'t, T> {
    jacobian_by("jacobian", Mode::Fewer, f, Location::caller())
}

/// As [`jacobian`], in reverse mode whatever the shapes.
///
/// ```
/// use retrograde::transform::jacobian_reverse;
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let x = tape.constant(&Tensor::from([2.0, 3.0]));
/// assert_eq!(jacobian_reverse(|x| x.prod())(x).value()?.to_vec(), [3.0, 2.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn jacobian_reverse<'t, T: Real>(
    f: impl Fn(Var<'t, T>) -> Var<'t, T>,
) -> impl Fn(Var<'t, T>) -> Var<'t, T> {
    jacobian_by("jacobian_reverse", Mode::Reverse, f, Location::caller())
}

/// As [`jacobian`], in forward mode whatever the shapes.
///
/// ```
/// use retrograde::transform::jacobian_forward;
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let x = tape.constant(&Tensor::from([2.0, 3.0]));
/// assert_eq!(jacobian_forward(|x| x.prod())(x).value()?.to_vec(), [3.0, 2.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn jacobian_forward<'t, T: Real>(
    f: impl Fn(Var<'t, T>) -> Var<'t, T>,
) -> impl Fn(Var<'t, T>) -> Var<'t, T> {
    jacobian_by("jacobian_forward", Mode::Forward, f, Location::caller())
}

fn jacobian_by<'t, T: Real>(
    name: &'static str,
    mode: Mode,
    f: impl Fn(Var<'t, T>) -> Var<'t, T>,
    line: &'static Location<'static>,
) -> impl Fn(Var<'t, T>) -> Var<'t, T> {
    move |x| lifted(name, line, x, core::jacobian(call(&one(&f), line), &[x], mode).map(|j| j[0]))
}

/// The Hessian of a function whose value is one number, of shape `[argument's axes.., argument's axes..]`.
///
/// Recorded, as [`jacobian`] is; [`functional::hessian`](crate::functional::hessian) uses all cores.
///
/// ```
/// use retrograde::transform::hessian;
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let x = tape.constant(&Tensor::from([2.0, 3.0]));
/// assert_eq!(hessian(|x| (x * x).prod())(x).value()?.to_vec(), [18.0, 24.0, 24.0, 8.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn hessian<'t, T: Real>(f: impl Fn(Var<'t, T>) -> Var<'t, T>) -> impl Fn(Var<'t, T>) -> Var<'t, T> {
    let line = Location::caller();
    move |x| lifted("hessian", line, x, core::hessian(call(&one(&f), line), &[x]).map(|h| h[0][0]))
}

/// The Hessian times a vector, `hvp(f)(x, v)`, forward over reverse: a few times the price of a gradient, whatever
/// the size of the Hessian.
///
/// ```
/// use retrograde::transform::hvp;
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let (x, v) = (tape.constant(&Tensor::from([2.0, 3.0])), tape.constant(&Tensor::from([1.0, 0.0])));
/// assert_eq!(hvp(|x| (x * x).prod())(x, v).value()?.to_vec(), [18.0, 24.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn hvp<'t, T: Real>(
    f: impl Fn(Var<'t, T>) -> Var<'t, T>,
) -> impl Fn(Var<'t, T>, Var<'t, T>) -> Var<'t, T> {
    let line = Location::caller();
    move |x, v| lifted("hvp", line, x, core::hvp(call(&one(&f), line), &[x], &[v]).map(|h| h[0]))
}

/// A vector times the Hessian, `vhp(f)(x, v)`, reverse over reverse. Equal to [`hvp`], since Hessians are symmetric;
/// which is faster depends on the function.
///
/// ```
/// use retrograde::transform::vhp;
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let (x, v) = (tape.constant(&Tensor::from([2.0, 3.0])), tape.constant(&Tensor::from([1.0, 0.0])));
/// assert_eq!(vhp(|x| (x * x).prod())(x, v).value()?.to_vec(), [18.0, 24.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn vhp<'t, T: Real>(
    f: impl Fn(Var<'t, T>) -> Var<'t, T>,
) -> impl Fn(Var<'t, T>, Var<'t, T>) -> Var<'t, T> {
    let line = Location::caller();
    move |x, v| lifted("vhp", line, x, core::vhp(call(&one(&f), line), &[x], &[v]).map(|h| h[0]))
}

/// The derivative of order `k` along a direction, `dᵏ/dtᵏ f(x + t v)` at `t = 0`: `directional(f, k)(x, v)`. Order 0
/// is the value.
///
/// By `k` nested forward sweeps, whose price about doubles from order to order.
///
/// ```
/// use retrograde::transform::directional;
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let (x, v) = (tape.constant(&Tensor::scalar(0.5)), tape.constant(&Tensor::scalar(2.0)));
/// let fourth = directional(|x| x.sin(), 4)(x, v).item()?;
/// assert!((fourth - 16.0 * 0.5f64.sin()).abs() < 1e-14);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn directional<'t, T: Real>(
    f: impl Fn(Var<'t, T>) -> Var<'t, T>,
    k: usize,
) -> impl Fn(Var<'t, T>, Var<'t, T>) -> Var<'t, T> {
    let line = Location::caller();
    move |x, v| lifted("directional", line, x, core::directional(call(&one(&f), line), k, &[x], &[v]))
}

fn call<'a, 't, T: Real>(f: core::Function<'a, 't, T>, line: core::Line) -> core::Call<'a, 't, T> {
    core::Call { f, line }
}

/// A function of one variable as one of a list.
fn one<'a, 't, T: Real>(
    f: &'a impl Fn(Var<'t, T>) -> Var<'t, T>,
) -> impl Fn(&[Var<'t, T>]) -> Var<'t, T> + 'a {
    move |x| f(x[0])
}

/// Two results, or the error as both.
fn pair<'t, T: Real>(
    name: &'static str,
    line: &'static Location<'static>,
    x: Var<'t, T>,
    found: crate::Result<(Var<'t, T>, Var<'t, T>)>,
) -> (Var<'t, T>, Var<'t, T>) {
    found.unwrap_or_else(|error| {
        let errored = lifted(name, line, x, Err(error));
        (errored, errored)
    })
}
