//! Handles to values on a tape.

use super::operation::Accumulate;
use super::{Key, Tape};
use crate::error::Result;
use crate::number::Real;
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::fmt;
use std::panic::Location;

/// A value on a [`Tape`], or the error that prevented it.
///
/// `Copy`, two words. Operations on it are methods and operators; they return a `Var` whatever happens, so that
/// formulas read as mathematics. An operation that fails gives an errored `Var` which hands its error on, with the
/// line of source that caused it, to where a number is asked for: [`value`](Var::value), [`item`](Var::item),
/// [`backward`](Var::backward) and their kin return `Result`.
pub struct Var<'t, T: Real> {
    pub(super) tape: &'t Tape<T>,
    pub(super) index: u32,
}

impl<T: Real> Clone for Var<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Real> Copy for Var<'_, T> {}

impl<'t, T: Real> Var<'t, T> {
    pub(super) fn new(tape: &'t Tape<T>, index: u32) -> Var<'t, T> {
        Var { tape, index }
    }

    /// The tape it lives on.
    pub fn tape(self) -> &'t Tape<T> {
        self.tape
    }

    /// Its place on the tape, by which gradients can be asked for after the variable is gone.
    pub fn key(self) -> Key {
        Key { tape: self.tape.id.get(), index: self.index }
    }

    /// The value. Sharing it costs a count, not a copy.
    ///
    /// # Errors
    ///
    /// The first error on the way to it.
    pub fn value(self) -> Result<Tensor<T>> {
        self.tape.store.borrow().nodes[self.index as usize].value.clone()
    }

    /// The value of a variable that has one element.
    ///
    /// # Errors
    ///
    /// The first error on the way to it; [`ElementCount`](crate::ErrorKind::ElementCount) if it has not one
    /// element.
    #[track_caller]
    pub fn item(self) -> Result<T> {
        let line = Location::caller();
        self.value()?.item().map_err(|error| error.at("item", line))
    }

    /// The shape.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value.
    pub fn try_shape(self) -> Result<Shape> {
        match &self.tape.store.borrow().nodes[self.index as usize].value {
            Ok(value) => Ok(value.shape_owned()),
            Err(error) => Err(error.clone()),
        }
    }

    /// The shape.
    ///
    /// # Panics
    ///
    /// If the variable is errored, with that error's text; [`try_shape`](Var::try_shape) returns it.
    #[track_caller]
    pub fn shape(self) -> Shape {
        match self.try_shape() {
            Ok(shape) => shape,
            Err(error) => panic!("{error}"),
        }
    }

    /// The error that prevented the value, if one did.
    pub fn error(self) -> Option<crate::error::Error> {
        self.tape.store.borrow().nodes[self.index as usize].value.as_ref().err().cloned()
    }

    /// The same value as a constant: no gradient flows through it.
    #[track_caller]
    #[doc(alias = "stop_gradient")]
    pub fn detach(self) -> Var<'t, T> {
        self.tape.push_constant(self.value())
    }

    /// A constant of rank 0 on the same tape.
    #[track_caller]
    pub(crate) fn constant(self, value: f64) -> Var<'t, T> {
        self.tape.scalar(value)
    }

    /// A constant tensor on the same tape.
    #[track_caller]
    pub(crate) fn constant_like(self, value: Result<Tensor<T>>) -> Var<'t, T> {
        self.tape.push_constant(value)
    }

    /// Zeros of the same shape, which take no memory.
    #[track_caller]
    pub(crate) fn zeros_like(self) -> Var<'t, T> {
        self.tape.push_constant(self.try_shape().and_then(Tensor::zero_view))
    }

    /// The sum with a variable of the same shape.
    #[track_caller]
    pub(super) fn accumulate(self, other: Var<'t, T>) -> Var<'t, T> {
        self.tape.apply(Accumulate, &[self, other])
    }
}

/// The value, or the error, with the number of the node.
impl<T: Real> fmt::Debug for Var<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value() {
            Ok(value) => write!(f, "%{} = {value:?}", self.index),
            Err(error) => write!(f, "%{} = {error:?}", self.index),
        }
    }
}

/// What stands for a variable where one is wanted: a variable, or a tensor or number that becomes a constant.
pub trait IntoVar<'t, T: Real> {
    /// The variable, on this tape if it is made.
    fn into_var(self, tape: &'t Tape<T>) -> Var<'t, T>;
}

impl<'t, T: Real> IntoVar<'t, T> for Var<'t, T> {
    fn into_var(self, _: &'t Tape<T>) -> Var<'t, T> {
        self
    }
}

impl<'t, T: Real> IntoVar<'t, T> for &Tensor<T> {
    #[track_caller]
    fn into_var(self, tape: &'t Tape<T>) -> Var<'t, T> {
        tape.constant(self)
    }
}

impl<'t, T: Real> IntoVar<'t, T> for f64 {
    #[track_caller]
    fn into_var(self, tape: &'t Tape<T>) -> Var<'t, T> {
        tape.scalar(self)
    }
}
