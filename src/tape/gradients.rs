//! What a sweep gives back.

use super::Var;
use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::tensor::Tensor;
use std::fmt;

/// A variable's place on its tape. Unlike the variable it borrows nothing, so it outlives [`Tape::clear`]; a key
/// from before a clear is found out.
///
/// [`Tape::clear`]: super::Tape::clear
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub(super) tape: u64,
    pub(super) index: u32,
}

impl<T: Real> From<Var<'_, T>> for Key {
    fn from(var: Var<'_, T>) -> Key {
        var.key()
    }
}

/// The gradients from one sweep, as plain tensors that borrow nothing from the tape.
#[derive(Clone)]
pub struct Gradients<T> {
    pub(super) tape: u64,
    /// Of every variable on the tape, ascending.
    pub(super) entries: Vec<(u32, Tensor<T>)>,
}

impl<T: Real> Gradients<T> {
    /// The gradient with respect to a variable; zeros if the output did not depend on it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::StaleKey`] for another tape's variable, or one from before it was cleared.
    /// [`ErrorKind::NoGradient`] for what is not a leaf made by `var`: constants and detached values have no
    /// gradient, and those of intermediate values are kept by [`Tape::grad`](super::Tape::grad) only.
    ///
    /// ```
    /// use retrograde::{ErrorKind, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let (x, unused) = (tape.var(&Tensor::scalar(3.0)), tape.var(&Tensor::from([1.0, 2.0])));
    /// let c = tape.constant(&Tensor::scalar(2.0));
    /// let grads = (x * c).backward()?;
    /// assert_eq!(grads.wrt(x)?.item()?, 2.0);
    /// assert_eq!(grads.wrt(unused)?.to_vec(), [0.0, 0.0]);
    /// assert!(matches!(grads.wrt(c).unwrap_err().kind(), ErrorKind::NoGradient { .. }));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn wrt(&self, key: impl Into<Key>) -> Result<&Tensor<T>> {
        let line = std::panic::Location::caller();
        self.of(key.into()).map_err(|error| error.at("wrt", line))
    }

    /// The same, with errors that name no operation yet.
    pub(crate) fn of(&self, key: Key) -> Result<&Tensor<T>> {
        if key.tape != self.tape {
            return Err(ErrorKind::StaleKey.into());
        }
        match self.entries.binary_search_by_key(&key.index, |entry| entry.0) {
            Ok(at) => Ok(&self.entries[at].1),
            Err(_) => {
                let reason = "a sweep keeps those of leaves made by `var`; \
                              ask `Tape::grad` for an intermediate value's";
                Err(ErrorKind::NoGradient { reason }.into())
            }
        }
    }

    /// All of them, in the order in which the variables were made.
    pub fn iter(&self) -> impl Iterator<Item = &Tensor<T>> {
        self.entries.iter().map(|entry| &entry.1)
    }

    /// All of them, to be changed before a step, in the order in which the variables were made.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Tensor<T>> {
        self.entries.iter_mut().map(|entry| &mut entry.1)
    }
}

impl<T: Real> fmt::Debug for Gradients<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries.iter().map(|(index, g)| (format!("%{index}"), g))).finish()
    }
}
