//! The first-order reverse sweep: cotangents as plain tensors, nothing recorded.

use super::non_finite::{Phase, Watch};
use super::operation::{At, Needed, Partials, Saved};
use super::{Bits, Pass, Store, Tape, Var};
use crate::error::{Error, ErrorKind, Result};
use crate::number::Real;
use crate::shape::same;
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// Cotangents that wait for their node's turn. Empty between sweeps; its memory is kept.
pub(super) struct Pending<T: Real> {
    slots: Vec<Option<Tensor<T>>>,
    set: Bits,
}

impl<T: Real> Default for Pending<T> {
    fn default() -> Pending<T> {
        Pending { slots: Vec::new(), set: Bits::default() }
    }
}

impl<T: Real> Pending<T> {
    pub(super) fn grow(&mut self, n: usize) {
        if self.slots.len() < n {
            self.slots.resize_with(n, || None);
        }
        self.set.grow(n);
    }

    /// The first contribution is moved in, later ones are added, in place where the memory is not shared.
    pub(super) fn add(&mut self, index: u32, mut g: Tensor<T>) -> Result<()> {
        let slot = &mut self.slots[index as usize];
        if let Some(sum) = slot {
            if !sum.is_writable() && g.is_writable() {
                std::mem::swap(sum, &mut g);
            }
            sum.accumulate(&g)
        } else {
            *slot = Some(g);
            self.set.insert(index);
            Ok(())
        }
    }

    pub(super) fn take(&mut self, index: u32) -> Option<Tensor<T>> {
        self.set.remove(index);
        self.slots[index as usize].take()
    }

    /// Forgets what a sweep that failed left behind.
    pub(super) fn clear(&mut self) {
        while let Some(index) = self.set.last_up_to(u32::MAX) {
            self.take(index);
        }
        // A later output's cotangent stays in its slot when its bit has moved to the first.
        self.slots.clear();
    }
}

/// How a first-order sweep finds cotangents.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    /// By the fused kernel where there is one.
    Fused,
    /// By the rule written in variables alone: what the kernels are checked against.
    #[cfg_attr(not(test), allow(dead_code))]
    Written,
}

/// Cotangents that a sweep was asked for, by node.
pub(super) type Kept<T> = Vec<(u32, Tensor<T>)>;

/// A sweep: over which nodes, and what is wanted of it.
pub(super) struct Sweep<'a, T: Real> {
    pub(super) store: &'a Store<T>,
    pub(super) needed: Needed<'a>,
    pub(super) wanted: &'a Bits,
    pub(super) rules: Rules,
    /// Where the first cotangent that is not finite is noted; the sweep ends there.
    pub(super) watch: Option<&'a Watch>,
}

impl<T: Real> Sweep<'_, T> {
    /// Sweeps from the outputs that have seeds down. Gives the cotangents of the leaves met, and of the nodes in
    /// `wanted`. Rules run on the scratch tape.
    pub(super) fn run(
        &self,
        seeds: impl IntoIterator<Item = (u32, Tensor<T>)>,
        pending: &mut Pending<T>,
        scratch: &Tape<T>,
    ) -> Result<Kept<T>> {
        pending.grow(self.store.nodes.len());
        let result = self.walk(seeds, pending, scratch);
        if result.is_err() || self.watch.is_some_and(Watch::found) {
            pending.clear();
        }
        result
    }

    fn walk(
        &self,
        seeds: impl IntoIterator<Item = (u32, Tensor<T>)>,
        pending: &mut Pending<T>,
        scratch: &Tape<T>,
    ) -> Result<Kept<T>> {
        let mut kept = Vec::new();
        let mut top = 0;
        for (y, seed) in seeds {
            let value = self.store.nodes[y as usize].value.as_ref().map_err(Error::clone)?;
            same("seed", seed.shape(), value.shape())?;
            if self.needs(y) {
                pending.add(y, seed)?;
                top = top.max(y);
            }
        }
        while let Some(index) = pending.set.last_up_to(top) {
            top = index;
            let node = &self.store.nodes[index as usize];
            if self.store.hooks.on(index) {
                self.call_hooks(index, pending, scratch)?;
                if self.watch.is_some_and(Watch::found) {
                    break;
                }
            }
            let wanted = self.wanted.get(index);
            if (node.leaf || wanted)
                && let Some(g) = &pending.slots[index as usize]
            {
                kept.push((index, g.clone()));
            }
            let first = index - u32::from(node.output);
            if first < index {
                // Later outputs leave their cotangents for the first, which has the operation. The bit goes, the
                // slot stays.
                pending.set.remove(index);
                pending.set.insert(first);
                continue;
            }
            let mut g: SmallVec<[Option<Tensor<T>>; 1]> = SmallVec::new();
            for output in 0..u32::from(node.outputs) {
                g.push(pending.take(index + output));
            }
            if matches!(self.needed, Needed::Of(path) if !node.inputs.iter().any(|&input| path.get(input))) {
                continue;
            }
            if node.operation.is_some() {
                self.node(index, &mut g, pending, scratch)?;
            } else if !node.inputs.is_empty() {
                return Err(self.store.named(index, ErrorKind::Reentrant.into()));
            }
            if self.watch.is_some_and(Watch::found) {
                break;
            }
        }
        Ok(kept)
    }

    pub(super) fn needs(&self, index: u32) -> bool {
        match self.needed {
            Needed::Flags => self.store.nodes[index as usize].needs,
            Needed::Of(bits) => bits.get(index),
        }
    }

    /// Shows a cotangent that has all its contributions to the node's hooks.
    #[cold]
    fn call_hooks(&self, index: u32, pending: &mut Pending<T>, scratch: &Tape<T>) -> Result<()> {
        let slot = &mut pending.slots[index as usize];
        let Some(g) = slot.take() else { return Ok(()) };
        let g = self.store.hooks.call(index, scratch.push_constant(Ok(g)));
        let value = g.and_then(Var::value);
        scratch.cut_back();
        let value = value?;
        if let Some(watch) = self.watch {
            watch.look(index, Phase::Hook, &value);
        }
        *slot = Some(value);
        Ok(())
    }

    /// Hands a node's cotangents on to its inputs.
    fn node(
        &self,
        index: u32,
        g: &mut [Option<Tensor<T>>],
        pending: &mut Pending<T>,
        scratch: &Tape<T>,
    ) -> Result<()> {
        let node = &self.store.nodes[index as usize];
        let operation = node.operation.as_deref().expect("checked by the caller");
        if node.segment
            && let Some(segment) = operation.segment()
        {
            return self.replay(index, segment, g, pending).map_err(|error| self.store.named(index, error));
        }
        let recording = self.store.recording();
        let mut parts = match self.rules {
            Rules::Fused => {
                operation.fused(&Saved { nodes: &self.store.nodes, node: index, needed: self.needed }, g)
            }
            Rules::Written => None,
        };
        if parts.is_none() {
            parts = Some(self.by_rule(index, g, scratch));
        }
        self.store.note(recording, operation, index, Pass::Reverse);
        // Taken out one by one where they are: moving the list costs as much as a scalar operation.
        let parts = match &mut parts {
            Some(Ok(parts)) => parts,
            Some(Err(error)) => return Err(self.store.named(index, error.clone())),
            None => unreachable!("filled above"),
        };
        if parts.len() != node.inputs.len() {
            return check_count(parts.len(), node.inputs.len())
                .map_err(|error| self.store.named(index, error));
        }
        for (i, (part, &input)) in parts.iter_mut().zip(&node.inputs).enumerate() {
            let Some(part) = part.take() else { continue };
            if !self.needs(input) {
                continue;
            }
            let Ok(value) = &self.store.nodes[input as usize].value else { continue };
            if !part.is_like(value) {
                return check_shape(i, part.shape(), value.shape())
                    .map_err(|error| self.store.named(index, error));
            }
            pending.add(input, part).map_err(|error| self.store.named(index, error))?;
            if let (Some(watch), Some(sum)) = (self.watch, &pending.slots[input as usize]) {
                watch.look(index, Phase::Backward { input: i }, sum);
            }
        }
        Ok(())
    }

    /// Runs a rule written in variables on the scratch tape, which is cut back afterwards: memory stays at the live
    /// cotangents plus one rule's scratch.
    fn by_rule(&self, index: u32, g: &mut [Option<Tensor<T>>], scratch: &Tape<T>) -> Result<Partials<T>> {
        let node = &self.store.nodes[index as usize];
        let _line = scratch.on_behalf_of(node.line);
        let operation = node.operation.as_deref().expect("checked by the caller");
        let parts = {
            let incoming: SmallVec<[Option<Var<'_, T>>; 2]> =
                g.iter_mut().map(|g| g.take().map(|g| scratch.push_constant(Ok(g)))).collect();
            let at = At {
                tape: scratch,
                nodes: Some(&self.store.nodes),
                first: index,
                inputs: &node.inputs,
                outputs: usize::from(node.outputs),
                needed: self.needed,
                incoming: &incoming,
            };
            operation.vjp(&at).and_then(|parts| {
                parts.into_iter().map(|part| part.map(|part| part.value()).transpose()).collect()
            })
        };
        scratch.cut_back();
        parts
    }
}

pub(super) fn check_count(found: usize, wanted: usize) -> Result<()> {
    if found == wanted { Ok(()) } else { Err(ErrorKind::CotangentCount { found, wanted }.into()) }
}

pub(super) fn check_shape(input: usize, found: &[usize], wanted: &[usize]) -> Result<()> {
    same(format_args!("the cotangent of input {input}"), found, wanted)
}
