//! The first-order forward sweep: tangents as plain tensors, nothing recorded.

use super::jvp::check_tangent;
use super::operation::{At, Needed};
use super::sweep::check_count;
use super::{Bits, Store, Tape, Var};
use crate::error::{Error, Result};
use crate::number::Real;
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// A forward sweep: over which nodes, and between which.
pub(super) struct Forward<'a, T: Real> {
    pub(super) store: &'a Store<T>,
    /// The nodes that a direction is given at, and those that depend on them.
    pub(super) reach: &'a Bits,
    /// The outputs, and the nodes that they depend on.
    pub(super) leads: &'a Bits,
    pub(super) lowest: u32,
    pub(super) top: u32,
    /// Of each node from `lowest` on, the last one that uses its tangent, which is then freed.
    pub(super) last: &'a [u32],
}

/// The last node that uses the tangent of each one from `lowest` on; those of `ys` are kept.
pub(super) fn last_uses<T: Real>(
    store: &Store<T>,
    reach: &Bits,
    leads: &Bits,
    lowest: u32,
    ys: &[u32],
) -> Vec<u32> {
    let Some(&top) = ys.iter().max().filter(|&&top| top >= lowest) else { return vec![] };
    let mut last = vec![0; (top - lowest + 1) as usize];
    for index in (lowest..=top).filter(|&index| reach.get(index) && leads.get(index)) {
        for input in &store.nodes[index as usize].inputs {
            if let Some(i) = input.checked_sub(lowest) {
                last[i as usize] = index;
            }
        }
    }
    for i in ys.iter().filter_map(|y| y.checked_sub(lowest)) {
        last[i as usize] = u32::MAX;
    }
    last
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
        if self.lowest > self.top {
            return Ok(vec![None; ys.len()]);
        }
        tangents.resize((self.top - self.lowest + 1) as usize, None);
        for (x, dx) in directions {
            if x <= self.top {
                self.add(tangents, x, dx)?;
            }
        }
        for index in self.lowest..=self.top {
            if self.reach.get(index) && self.leads.get(index) {
                self.node(index, tangents, scratch).map_err(|error| self.store.named(index, error))?;
            }
        }
        let at = |&y: &u32| y.checked_sub(self.lowest).and_then(|i| tangents[i as usize].clone());
        let found = ys.iter().map(at).collect();
        tangents.clear();
        Ok(found)
    }

    fn add(&self, tangents: &mut [Option<Tensor<T>>], index: u32, dx: Tensor<T>) -> Result<()> {
        match &mut tangents[(index - self.lowest) as usize] {
            Some(sum) => sum.accumulate(&dx),
            slot => {
                *slot = Some(dx);
                Ok(())
            }
        }
    }

    /// Hands the tangents of a node's inputs on to its outputs.
    fn node(&self, index: u32, tangents: &mut [Option<Tensor<T>>], scratch: &Tape<T>) -> Result<()> {
        let node = &self.store.nodes[index as usize];
        let Some(operation) = node.operation.as_deref() else { return Ok(()) };
        let mut incoming: SmallVec<[Option<Tensor<T>>; 2]> = SmallVec::new();
        for (i, &input) in node.inputs.iter().enumerate() {
            let dx = input.checked_sub(self.lowest).and_then(|at| {
                let slot = &mut tangents[at as usize];
                let done = self.last[at as usize] == index && !node.inputs[i + 1..].contains(&input);
                if done { slot.take() } else { slot.clone() }
            });
            incoming.push(dx);
        }
        if incoming.iter().all(Option::is_none) {
            return Ok(());
        }
        let _line = scratch.on_behalf_of(node.line);
        let incoming: SmallVec<[Option<Var<'_, T>>; 2]> =
            incoming.into_iter().map(|dx| dx.map(|dx| scratch.push_constant(Ok(dx)))).collect();
        let at = At {
            tape: scratch,
            nodes: Some(&self.store.nodes),
            first: index,
            inputs: &node.inputs,
            outputs: usize::from(node.outputs),
            needed: Needed::Of(self.reach),
            incoming: &incoming,
        };
        let parts = operation.jvp(&at).and_then(|parts| {
            check_count(parts.len(), usize::from(node.outputs))?;
            parts.into_iter().map(|part| part.map(Var::value).transpose()).collect::<Result<Vec<_>>>()
        });
        scratch.cut_back(0);
        for (j, part) in parts?.into_iter().enumerate() {
            let output = index + j as u32;
            let Some(part) = part.filter(|_| output <= self.top) else { continue };
            let value = self.store.nodes[output as usize].value.as_ref().map_err(Error::clone)?;
            check_tangent(j, part.shape(), value.shape())?;
            self.add(tangents, output, part)?;
        }
        Ok(())
    }
}
