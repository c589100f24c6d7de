//! Errors of calls that name no tape.

use super::node::Node;
use super::{Tape, Var};
use crate::error::{Error, ErrorKind};
use crate::number::Real;
use std::any::Any;
use std::cell::RefCell;
use std::panic::Location;

impl<T: Real> Tape<T> {
    /// An errored variable for a call without operands, which no tape can be taken from: it lives on a tape of its
    /// thread that is never freed and holds each such error of a line once.
    #[track_caller]
    pub(crate) fn nowhere<'t>(name: &'static str, kind: ErrorKind) -> Var<'t, T> {
        thread_local!(static TAPES: RefCell<Vec<&'static dyn Any>> = const { RefCell::new(Vec::new()) });
        let tape: &'static Tape<T> = TAPES.with_borrow_mut(|tapes| {
            let found = tapes.iter().find_map(|tape| tape.downcast_ref::<Tape<T>>());
            found.unwrap_or_else(|| {
                let tape: &'static Tape<T> = Box::leak(Box::default());
                tapes.push(tape);
                tape
            })
        });
        let line = Location::caller();
        let same = |error: &Error| *error.kind() == kind && error.operation() == Some(name);
        let known = |node: &Node<T>| node.line == line && node.value.as_ref().is_err_and(same);
        let found = tape.store.borrow().nodes.iter().position(known);
        let index = found.map(|index| index as u32);
        Var::new(tape, index.unwrap_or_else(|| tape.push_error(Error::from(kind).at(name, line), name, line)))
    }
}
