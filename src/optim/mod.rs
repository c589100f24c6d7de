//! Optimisers: gradients in, parameters updated in place.
//!
//! An optimiser is given its parameters, which are plain tensors, and their gradients, pair by pair and in the same
//! order at every step: what it remembers of a parameter goes by position.
//!
//! While a tape lives it shares each parameter's memory, and an update would have to copy it. The order is
//! therefore: `backward`, `clear`, `step`. Then a step is one pass over memory that allocates nothing.
//!
//! ```
//! use retrograde::optim::Adam;
//! use retrograde::{Reduction, Tape, Tensor};
//!
//! let (mut slope, mut offset) = (Tensor::scalar(0.0_f64), Tensor::scalar(0.0));
//! let x = Tensor::linspace(-1.0, 1.0, 9)?;
//! let target = &x * 3.0 + 0.5;
//!
//! let mut adam = Adam::new(0.1);
//! let mut tape = Tape::new();
//! for _ in 0..300 {
//!     let (a, b) = (tape.var(&slope), tape.var(&offset));
//!     let loss = (tape.constant(&x) * a + b).mse(&target, Reduction::Mean);
//!     let grads = loss.backward()?;
//!     let (a, b) = (a.key(), b.key());
//!     tape.clear();
//!     adam.step([(&mut slope, grads.wrt(a)?), (&mut offset, grads.wrt(b)?)])?;
//! }
//! assert!((slope.item()? - 3.0).abs() < 1e-3 && (offset.item()? - 0.5).abs() < 1e-3);
//! # Ok::<(), retrograde::Error>(())
//! ```
//!
//! [`Gradients::iter`](crate::Gradients::iter) gives the gradients in the order in which the variables were made, so
//! that a model with a list of parameters, and a tape with no other variables, need no keys:
//! `adam.step(parameters.iter_mut().zip(grads.iter()))`.
//!
//! [`clip_norm`] and [`clip_value`] cut gradients to size first. A model that is a struct walks its parameters by
//! [`Parameters`](crate::Parameters).
//!
//! For smooth functions without noise there is [`Lbfgs`], which is given the function and runs to the end.
//!
//! The hyperparameters are plain fields and may change between steps: a schedule is an assignment. Formulas and
//! their order are PyTorch's, in the parameters' own precision; only the bias corrections are computed in double.

mod adam;
mod clip;
mod lbfgs;
mod sgd;
#[cfg(test)]
mod tests;

pub use adam::{Adam, AdamW};
pub use clip::{clip_norm, clip_value};
pub use lbfgs::{Lbfgs, Minimum, Stop};
pub use sgd::Sgd;

use crate::error::{Error, ErrorKind, Result, argument};
use crate::number::Real;
use crate::shape::same;
use crate::tensor::Tensor;
use std::panic::Location;

/// Whatever a step needs, checked before anything is written: distinct parameters that can be written where they
/// are, and gradients in row-major order.
struct Ready<'p, T> {
    parameters: Vec<&'p mut Tensor<T>>,
    gradients: Vec<Tensor<T>>,
}

impl<'p, T: Real> Ready<'p, T> {
    /// `known` has the shapes of earlier steps, none before the first.
    fn new<'g>(
        pairs: impl IntoIterator<Item = (&'p mut Tensor<T>, &'g Tensor<T>)>,
        known: Option<&[Vec<usize>]>,
    ) -> Result<Ready<'p, T>> {
        let (mut parameters, mut gradients) = (Vec::new(), Vec::new());
        for (i, (parameter, gradient)) in pairs.into_iter().enumerate() {
            let shape = parameter.shape();
            same(format_args!("gradient {i}"), gradient.shape(), shape)?;
            if let Some(known) = known.and_then(|known| known.get(i)) {
                same(format_args!("parameter {i}"), shape, known)?;
            }
            parameters.push(parameter);
            gradients.push(gradient.contiguous()?);
        }
        if let Some(known) = known.filter(|known| known.len() != parameters.len()) {
            return Err(ErrorKind::Argument {
                name: "the number of parameters",
                found: parameters.len().to_string(),
                wanted: format!("{} as in the steps before", known.len()),
            }
            .into());
        }
        // A shared parameter is copied now: the copy equals it, so that running out of memory changes nothing.
        for parameter in &mut parameters {
            parameter.as_mut_slice()?;
        }
        Ok(Ready { parameters, gradients })
    }

    fn shapes(&self) -> Vec<Vec<usize>> {
        self.parameters.iter().map(|parameter| parameter.shape().to_vec()).collect()
    }

    /// A zero for each element of each parameter.
    fn zeros(&self) -> Result<Vec<Tensor<T>>> {
        self.parameters.iter().map(|parameter| Tensor::zeros(parameter.shape())).collect()
    }

    /// Each parameter's position, elements and gradient.
    fn each(self, mut update: impl FnMut(usize, &mut [T], &[T])) {
        for (i, (parameter, gradient)) in self.parameters.into_iter().zip(&self.gradients).enumerate() {
            update(i, writable(parameter), gradient.as_slice().expect("made contiguous"));
        }
    }
}

/// The elements of a tensor that was made writable before.
fn writable<T: Real>(tensor: &mut Tensor<T>) -> &mut [T] {
    tensor.as_mut_slice().expect("owned, so that nothing is copied")
}

/// Refuses a hyperparameter outside `low ≤ x < high`, and NaN.
fn within(name: &'static str, x: f64, low: f64, high: f64, wanted: &str) -> Result<()> {
    if x >= low && x < high {
        return Ok(());
    }
    argument(name, x, wanted)
}

fn not_negative(name: &'static str, x: f64) -> Result<()> {
    within(name, x, 0.0, f64::INFINITY, "a finite number, at least 0")
}

fn below_one(name: &'static str, x: f64) -> Result<()> {
    within(name, x, 0.0, 1.0, "at least 0 and below 1")
}

/// Names the optimiser and the caller's line.
fn named(name: &'static str, line: &'static Location<'static>) -> impl Fn(Error) -> Error {
    move |error| error.at(name, line)
}
