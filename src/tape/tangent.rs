//! The first-order forward sweep: tangents as plain tensors, nothing recorded.

use super::jvp::check_tangent;
use super::operation::{At, Needed};
use super::path::Path;
use super::sweep::check_count;
use super::{Pass, Store, Tape, Var};
use crate::error::{Error, ErrorKind, Result};
use crate::number::Real;
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// A forward sweep: over which nodes.
pub(super) struct Forward<'a, T: Real> {
    store: &'a Store<T>,
    path: &'a Path,
    /// Of each node from the lowest on, the last one that uses its tangent, which is then freed.
    last: Vec<u32>,
}

impl<'a, T: Real> Forward<'a, T> {
    /// Along a path to `ys`, whose tangents are kept.
    pub(super) fn new(store: &'a Store<T>, path: &'a Path, ys: &[u32]) -> Forward<'a, T> {
        let slots = path.nodes.last().map_or(0, |&top| (top - path.lowest + 1) as usize);
        let mut last = vec![0; slots];
        for &index in &path.nodes {
            for input in store.inputs_of(index).iter().filter(|&&input| path.set.get(input)) {
                last[(input - path.lowest) as usize] = index;
            }
        }
        for y in ys.iter().filter(|&&y| path.set.get(y)) {
            last[(y - path.lowest) as usize] = u32::MAX;
        }
        Forward { store, path, last }
    }
}

impl<T: Real> Forward<'_, T> {
    /// The tangents of `ys` for the directions `dx` at nodes `x`; nothing where it is zero. Rules run on the scratch
    /// tape. `tangents` is memory used again from sweep to sweep, and empty between them.
    pub(super) fn run(
        &self,
        directions: impl IntoIterator<Item = (u32, Tensor<T>)>,
        ys: &[u32],
        tangents: &mut Vec<Option<Tensor<T>>>,
        scratch: &Tape<T>,
    ) -> Result<Vec<Option<Tensor<T>>>> {
        tangents.clear();
        tangents.resize(self.last.len(), None);
        for (x, dx) in directions {
            if self.path.set.get(x) {
                self.add(tangents, x, dx)?;
            }
        }
        for &index in &self.path.nodes {
            let first = index - u32::from(self.store.nodes[index as usize].output);
            // An operation runs once, for the first of its outputs that is on the path.
            if !(first..index).any(|earlier| self.path.set.get(earlier)) {
                self.node(first, tangents, scratch).map_err(|error| self.store.named(first, error))?;
            }
        }
        let of = |&y: &u32| {
            if self.path.set.get(y) { tangents[(y - self.path.lowest) as usize].clone() } else { None }
        };
        let found = ys.iter().map(of).collect();
        tangents.clear();
        Ok(found)
    }

    fn add(&self, tangents: &mut [Option<Tensor<T>>], index: u32, dx: Tensor<T>) -> Result<()> {
        match &mut tangents[(index - self.path.lowest) as usize] {
            Some(sum) => sum.accumulate(&dx),
            slot => {
                *slot = Some(dx);
                Ok(())
            }
        }
    }

    /// Hands the tangents of a node's inputs on to its outputs.
    fn node(&self, first: u32, tangents: &mut [Option<Tensor<T>>], scratch: &Tape<T>) -> Result<()> {
        let node = &self.store.nodes[first as usize];
        let end = first + u32::from(node.outputs);
        let mut incoming: SmallVec<[Option<Tensor<T>>; 2]> = SmallVec::new();
        for (i, &input) in node.inputs.iter().enumerate() {
            incoming.push(if self.path.set.get(input) {
                let at = (input - self.path.lowest) as usize;
                let done = self.last[at] < end && !node.inputs[i + 1..].contains(&input);
                if done { tangents[at].take() } else { tangents[at].clone() }
            } else {
                None
            });
        }
        if incoming.iter().all(Option::is_none) {
            return Ok(());
        }
        // It is gone while its rule runs: then that started this sweep.
        let Some(operation) = node.operation.as_deref() else { return Err(ErrorKind::Reentrant.into()) };
        let _line = scratch.on_behalf_of(node.line);
        let incoming: SmallVec<[Option<Var<'_, T>>; 2]> =
            incoming.into_iter().map(|dx| dx.map(|dx| scratch.push_constant(Ok(dx)))).collect();
        let at = At {
            tape: scratch,
            nodes: Some(&self.store.nodes),
            first,
            inputs: &node.inputs,
            outputs: usize::from(node.outputs),
            needed: Needed::Of(&self.path.set),
            incoming: &incoming,
        };
        let recording = self.store.recording();
        let parts = operation.jvp(&at).and_then(|parts| {
            check_count(parts.len(), usize::from(node.outputs))?;
            parts.into_iter().map(|part| part.map(Var::value).transpose()).collect::<Result<Vec<_>>>()
        });
        scratch.cut_back();
        self.store.note(recording, operation, first, Pass::Tangent);
        for (j, part) in parts?.into_iter().enumerate() {
            let output = first + j as u32;
            let Some(part) = part.filter(|_| self.path.set.get(output)) else { continue };
            let value = self.store.nodes[output as usize].value.as_ref().map_err(Error::clone)?;
            check_tangent(j, part.shape(), value.shape())?;
            self.add(tangents, output, part)?;
        }
        Ok(())
    }
}
