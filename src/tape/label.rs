//! Names that a user gives to values, to meet them again in messages and printouts.

use super::{Tape, Var};
use crate::number::Real;
use std::sync::Arc;

impl<'t, T: Real> Var<'t, T> {
    /// Gives the value a name, which then stands in the tape's printout, in errors of operations on it, and in the
    /// report of [`find_non_finite`](Var::find_non_finite). Gives the variable back.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0])).name("positions");
    /// let w = tape.var(&Tensor::from([1.0, 2.0, 3.0])).name("weights");
    /// assert!(tape.to_string().contains("%0 = var \"positions\""));
    /// let error = (x * w).backward().unwrap_err();
    /// assert!(error.to_string().starts_with("mul of \"positions\", \"weights\": shapes [2] and [3] do not broadcast"));
    /// assert_eq!(x.label().as_deref(), Some("positions"));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn name(self, label: &str) -> Var<'t, T> {
        self.tape.store.borrow_mut().labels.insert(self.index, Arc::from(label));
        self
    }

    /// The name given by [`name`](Var::name), if one was.
    pub fn label(self) -> Option<Arc<str>> {
        self.tape.label(self.index)
    }
}

impl<T: Real> Tape<T> {
    pub(super) fn label(&self, index: u32) -> Option<Arc<str>> {
        self.store.borrow().labels.get(&index).cloned()
    }
}
