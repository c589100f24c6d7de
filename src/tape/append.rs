//! How nodes are appended.

use super::node::{Inputs, Node};
use super::operation::Argument;
use super::{Operation, Pass, Store, Tape, Var};
use crate::error::{Error, ErrorKind, Result};
use crate::number::Real;
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::panic::Location;

impl<T: Real> Tape<T> {
    pub(super) fn push<O: Operation<T>>(
        &self,
        operation: O,
        inputs: &[Var<'_, T>],
        line: &'static Location<'static>,
    ) -> u32 {
        let (first, needs) = self.run(&operation, operation.name(), inputs, line);
        if needs {
            let node = &mut self.store.borrow_mut().nodes[first as usize];
            node.segment = node.outputs == 1 && operation.segment().is_some();
            node.operation = Some(Box::new(operation));
        }
        first
    }

    /// Appends what an operation makes of its inputs, or the error, and says whether its node is to keep the operation.
    /// Compiled once, not for every operation.
    fn run(
        &self,
        operation: &dyn Operation<T>,
        name: &'static str,
        inputs: &[Var<'_, T>],
        line: &'static Location<'static>,
    ) -> (u32, bool) {
        let mut indices = Inputs::new();
        for input in inputs {
            if !std::ptr::eq(input.tape, self) {
                // An earlier error, perhaps the cause of the mixture, is what the user must read first.
                let earlier = inputs.iter().find_map(|input| input.error());
                let mixed = || Error::from(ErrorKind::MixedTapes).at(name, line);
                return (self.push_error(earlier.unwrap_or_else(mixed), name, line), false);
            }
            indices.push(input.index);
        }
        let mut store = self.store.borrow_mut();
        let store = &mut *store;
        let recording = store.recording();
        let mut needs = false;
        let outputs = {
            let mut values: SmallVec<[&Tensor<T>; 4]> = SmallVec::new();
            let mut failed = None;
            for &index in &indices {
                let node = &store.nodes[index as usize];
                needs |= node.needs;
                match &node.value {
                    Ok(value) => values.push(value),
                    Err(error) => {
                        failed = Some(error.clone());
                        break;
                    }
                }
            }
            match failed {
                None => match operation.forward(&values) {
                    Ok(outputs) if outputs.is_empty() || outputs.len() > usize::from(u16::MAX) => {
                        Err(output_count(outputs.len(), "1 to 65535").at(name, line))
                    }
                    outputs => outputs.map_err(|error| store.of_inputs(&indices, error).at(name, line)),
                },
                Some(error) => Err(error),
            }
        };
        let first = store.nodes.len() as u32;
        match outputs {
            Err(error) => {
                store.push(Node { inputs: indices, ..Node::new(Err(error), name, line) });
                return (first, false);
            }
            Ok(mut outputs) if outputs.len() == 1 => {
                let value = outputs.pop().expect("one output");
                drop(outputs);
                store.push(Node { inputs: indices, needs, ..Node::new(Ok(value), name, line) });
            }
            Ok(outputs) => {
                let count = outputs.len() as u16;
                for (j, value) in outputs.into_iter().enumerate() {
                    store.push(Node {
                        inputs: std::mem::take(&mut indices),
                        output: j as u16,
                        outputs: count,
                        needs,
                        ..Node::new(Ok(value), name, line)
                    });
                }
            }
        }
        store.note(recording, operation, first, Pass::Forward);
        (first, needs)
    }

    /// An errored variable, named after an operation unless the error names one.
    pub(crate) fn errored(
        &self,
        name: &'static str,
        line: &'static Location<'static>,
        error: Error,
    ) -> Var<'_, T> {
        Var::new(self, self.push_error(error.at(name, line), name, line))
    }

    pub(super) fn push_error(
        &self,
        error: Error,
        name: &'static str,
        line: &'static Location<'static>,
    ) -> u32 {
        let mut store = self.store.borrow_mut();
        store.push(Node::new(Err(error), name, line));
        store.nodes.len() as u32 - 1
    }

    #[track_caller]
    pub(super) fn leaf(&self, value: Tensor<T>, leaf: bool) -> Var<'_, T> {
        let line = self.line();
        let mut store = self.store.borrow_mut();
        let index = store.nodes.len() as u32;
        if leaf {
            store.leaves.push(index);
        }
        let name = if leaf { "var" } else { "constant" };
        store.push(Node { needs: leaf, leaf, ..Node::new(Ok(value), name, line) });
        Var::new(self, index)
    }

    /// Empties a scratch tape.
    pub(super) fn cut_back(&self) {
        let store = &mut *self.store.borrow_mut();
        store.nodes.clear();
        store.leaves.clear();
        store.elements = 0;
        store.hooks.clear();
        store.labels.clear();
    }

    /// The same value as a variable of its own, whatever `x` depends on: what a function is differentiated by. The
    /// derivative flows on to `x` if something is wanted of it.
    #[track_caller]
    pub(crate) fn argument<'t>(&'t self, x: Var<'t, T>) -> Var<'t, T> {
        let line = self.line();
        let value = match self.check_own(&[x]) {
            Ok(()) => x.value(),
            Err(error) => Err(error.at("argument", line)),
        };
        let (operation, inputs): (Option<Box<dyn Operation<T>>>, _) = match &value {
            Ok(_) => (Some(Box::new(Argument)), Inputs::from_slice(&[x.index])),
            Err(_) => (None, Inputs::new()),
        };
        let mut store = self.store.borrow_mut();
        store.push(Node { operation, inputs, needs: true, ..Node::new(value, "argument", line) });
        Var::new(self, store.nodes.len() as u32 - 1)
    }

    /// A value, or an error, without history.
    #[track_caller]
    pub(super) fn push_constant(&self, value: Result<Tensor<T>>) -> Var<'_, T> {
        let line = self.line();
        let mut store = self.store.borrow_mut();
        store.push(Node::new(value, "constant", line));
        Var::new(self, store.nodes.len() as u32 - 1)
    }
}

/// An operation that made another number of outputs than was asked for.
pub(super) fn output_count(found: usize, wanted: impl ToString) -> Error {
    let (name, found, wanted) = ("the number of outputs", found.to_string(), wanted.to_string());
    ErrorKind::Argument { name, found, wanted }.into()
}

impl<T: Real> Store<T> {
    /// The inputs of the operation that a node is an output of: the first output has them.
    pub(super) fn inputs_of(&self, index: u32) -> &[u32] {
        let first = index - u32::from(self.nodes[index as usize].output);
        &self.nodes[first as usize].inputs
    }

    /// Names in an error the inputs that have names.
    #[cold]
    fn of_inputs(&self, inputs: &[u32], error: Error) -> Error {
        let labels: Vec<String> = inputs
            .iter()
            .filter_map(|input| self.labels.get(input))
            .map(|label| format!("{label:?}"))
            .collect();
        if labels.is_empty() { error } else { error.of(&labels.join(", ")) }
    }

    /// Names in an error the operation and the line of a node, and its name if it has one.
    #[cold]
    pub(super) fn named(&self, index: u32, error: Error) -> Error {
        let node = &self.nodes[index as usize];
        let error = match self.labels.get(&index) {
            Some(label) => error.of(&format!("{label:?}")),
            None => error,
        };
        error.at(node.name, node.line)
    }

    #[inline]
    fn push(&mut self, node: Node<T>) {
        assert!(self.nodes.len() < u32::MAX as usize, "a tape holds at most 2^32 - 1 nodes");
        if let Ok(value) = &node.value {
            self.elements += value.len();
        }
        self.nodes.push(node);
    }
}

impl<T: Real> Node<T> {
    #[inline(always)]
    fn new(value: Result<Tensor<T>>, name: &'static str, line: &'static Location<'static>) -> Node<T> {
        Node {
            value,
            operation: None,
            inputs: Inputs::new(),
            name,
            line,
            output: 0,
            outputs: 1,
            needs: false,
            leaf: false,
            segment: false,
        }
    }
}
