//! Where the first NaN or infinity came from.

use super::operation::Needed;
use super::sweep::{Pending, Rules, Sweep};
use super::{Bits, Tape, Var};
use crate::error::Result;
use crate::number::Real;
use crate::shape::unravel;
use crate::tensor::Tensor;
use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// In which pass a number arose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// When the operation ran.
    Forward,
    /// In the reverse sweep: the cotangent of this input.
    Backward {
        /// Which input of the operation.
        input: usize,
    },
    /// In the reverse sweep: what a hook made of the value's cotangent.
    Hook,
}

/// The first value that is not finite: what made it, and at which line of the user's source.
///
/// From [`Var::find_non_finite`]. Prints as a sentence.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NonFinite {
    /// The operation, or `"var"` or `"constant"` if it was put on the tape so.
    pub operation: &'static str,
    /// The name given by [`Var::name`], if one was.
    pub label: Option<Arc<str>>,
    /// The line of the user's source.
    pub location: &'static Location<'static>,
    /// The pass in which it arose.
    pub phase: Phase,
    /// The first element that is not finite.
    pub index: Vec<usize>,
    /// That element: NaN, ∞ or −∞.
    pub value: f64,
}

impl fmt::Display for NonFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        if let Some(label) = &self.label {
            write!(f, " {label:?}")?;
        }
        match self.phase {
            Phase::Forward => write!(f, ": the value has {} at element {:?}", self.value, self.index)?,
            Phase::Hook => write!(f, ": a hook's cotangent has {} at element {:?}", self.value, self.index)?,
            Phase::Backward { input } => {
                write!(f, ": the cotangent of input {input} has {} at element {:?}", self.value, self.index)?
            }
        }
        write!(f, ", at {}", self.location)
    }
}

/// Where and what the first value was: node, phase, element, value.
type Found = (u32, Phase, Vec<usize>, f64);

/// What a sweep looks out for.
#[derive(Default)]
pub(super) struct Watch(Cell<Option<Found>>);

impl Watch {
    pub(super) fn found(&self) -> bool {
        let found = self.0.take();
        let is_some = found.is_some();
        self.0.set(found);
        is_some
    }

    pub(super) fn look<T: Real>(&self, node: u32, phase: Phase, part: &Tensor<T>) {
        if !self.found()
            && let Some((index, value)) = first_non_finite(part)
        {
            self.0.set(Some((node, phase, index, value)));
        }
    }
}

fn first_non_finite<T: Real>(x: &Tensor<T>) -> Option<(Vec<usize>, f64)> {
    let (at, value) = x.iter().enumerate().find(|(_, x)| !x.is_finite())?;
    Some((unravel(at, x.shape()), value.to_f64()))
}

impl<T: Real> Var<'_, T> {
    /// Which operation gave the first NaN or infinity on the way to this value, and at which line of the source; if
    /// all values are finite, which one's backward closure gave the first, in a sweep from here with a seed of ones.
    /// Nothing if all is finite.
    ///
    /// The values are looked at in the order in which they arose, the cotangents, sums of contributions, in the order
    /// of the sweep. Values that this one does not depend on do not count. Hooks run, and are named if they made it.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; whatever error the sweep gives.
    ///
    /// ```
    /// use retrograde::{Phase, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([4.0, 0.0]));
    /// let y = x.sqrt().name("distance");
    /// let found = (y * 2.0).sum().find_non_finite()?.unwrap();
    /// assert_eq!((found.operation, found.phase), ("sqrt", Phase::Backward { input: 0 }));
    /// assert_eq!((found.label.as_deref(), &found.index[..]), (Some("distance"), &[1][..]));
    /// assert!(found.location.file().ends_with(".rs"));
    ///
    /// let found = (x.ln() + 1.0).find_non_finite()?.unwrap();
    /// assert_eq!((found.operation, found.phase, found.value), ("ln", Phase::Forward, f64::NEG_INFINITY));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn find_non_finite(self) -> Result<Option<NonFinite>> {
        let shape = self.try_shape()?;
        let tape = self.tape;
        let on_the_way = tape.ancestors(&[self.index], 0);
        let store = tape.store.borrow();
        let report = |index: u32, phase, element, value| {
            let node = &store.nodes[index as usize];
            let label = store.labels.get(&index).cloned();
            let location = if phase == Phase::Hook { store.hooks.line(index) } else { None };
            let location = location.unwrap_or(node.line);
            NonFinite { operation: node.name, label, location, phase, index: element, value }
        };
        for &node in on_the_way.iter().rev() {
            if let Ok(value) = &store.nodes[node as usize].value
                && let Some((index, value)) = first_non_finite(value)
            {
                return Ok(Some(report(node, Phase::Forward, index, value)));
            }
        }
        let watch = Watch::default();
        let wanted = Bits::default();
        let sweep = Sweep {
            store: &store,
            needed: Needed::Flags,
            wanted: &wanted,
            rules: Rules::Fused,
            watch: Some(&watch),
        };
        let seed = Tensor::scalar(T::ONE).expand(shape)?;
        sweep.run([(self.index, seed)], &mut Pending::default(), &Tape::new())?;
        let found = watch.0.take();
        Ok(found.map(|(node, phase, index, value)| report(node, phase, index, value)))
    }
}
