//! The recorded reverse sweep: cotangents as variables on the same tape, to be differentiated again.

use super::operation::{At, Needed, Parts};
use super::path::Path;
use super::sweep::{check_count, check_shape};
use super::{Bits, IntoVar, Tape, Var};
use crate::error::{Error, ErrorKind, Result};
use crate::number::Real;
use smallvec::SmallVec;

impl<'t, T: Real> Var<'t, T> {
    /// The gradient of this, one number, recorded, with errors that name no operation yet.
    pub(crate) fn gradient_by(self, x: &[Var<'t, T>]) -> Result<Vec<Var<'t, T>>> {
        self.tape.cotangents([(self, &self.unit_seed()?)], x)
    }
}

impl<T: Real> Tape<T> {
    /// The cotangents of `nodes` for the cotangent `seed` of `y`, `seedᵀ ∂y/∂node`, as variables on this tape,
    /// which can be differentiated again, to any order.
    ///
    /// The seed, of `y`'s shape, is a variable or a tensor.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Shape`] for a seed of another shape; [`ErrorKind::NoGradient`] for nodes that do not depend on
    /// a variable; [`ErrorKind::MixedTapes`]; [`ErrorKind::NoRule`]; the first error on the way to `y`.
    ///
    /// [`ErrorKind::Shape`]: crate::ErrorKind::Shape
    /// [`ErrorKind::NoGradient`]: crate::ErrorKind::NoGradient
    /// [`ErrorKind::MixedTapes`]: crate::ErrorKind::MixedTapes
    /// [`ErrorKind::NoRule`]: crate::ErrorKind::NoRule
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(2.0));
    /// let one = Tensor::scalar(1.0);
    /// let [first] = tape.vjp(x * x * x, &one, [x])?;
    /// let [second] = tape.vjp(first, &one, [x])?;
    /// let [third] = tape.vjp(second, &one, [x])?;
    /// assert_eq!((first.item()?, second.item()?, third.item()?), (12.0, 12.0, 6.0));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn vjp<'t, const N: usize>(
        &'t self,
        y: Var<'t, T>,
        seed: impl IntoVar<'t, T>,
        nodes: [Var<'t, T>; N],
    ) -> Result<[Var<'t, T>; N]> {
        let found = self.vjp_with(y, seed, &nodes)?;
        Ok(found.try_into().unwrap_or_else(|_| unreachable!("one cotangent for each node")))
    }

    /// As [`vjp`](Tape::vjp), for any number of nodes.
    ///
    /// # Errors
    ///
    /// As [`vjp`](Tape::vjp).
    #[track_caller]
    pub fn vjp_with<'t>(
        &'t self,
        y: Var<'t, T>,
        seed: impl IntoVar<'t, T>,
        nodes: &[Var<'t, T>],
    ) -> Result<Vec<Var<'t, T>>> {
        let line = self.line();
        let _line = self.on_behalf_of(line);
        self.cotangents([(y, seed)], nodes).map_err(|error| error.at("vjp", line))
    }

    /// As [`vjp`](Tape::vjp), from several outputs with a seed each, in one sweep: `Σ seedᵀ ∂y/∂node`.
    ///
    /// # Errors
    ///
    /// As [`vjp`](Tape::vjp).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(3.0));
    /// let one = Tensor::scalar(1.0);
    /// let g = tape.vjp_many(&[(x * x, &one), (x * x * x, &one)], &[x])?;
    /// assert_eq!(g[0].item()?, 6.0 + 27.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn vjp_many<'t, V: IntoVar<'t, T> + Copy>(
        &'t self,
        outputs: &[(Var<'t, T>, V)],
        nodes: &[Var<'t, T>],
    ) -> Result<Vec<Var<'t, T>>> {
        let line = self.line();
        let _line = self.on_behalf_of(line);
        self.cotangents(outputs.iter().copied(), nodes).map_err(|error| error.at("vjp_many", line))
    }

    /// As [`vjp_many`](Tape::vjp_many), with errors that name no operation yet.
    pub(crate) fn cotangents<'t, V: IntoVar<'t, T>>(
        &'t self,
        outputs: impl IntoIterator<Item = (Var<'t, T>, V)>,
        nodes: &[Var<'t, T>],
    ) -> Result<Vec<Var<'t, T>>> {
        let found = self.cotangents_if_any(outputs, nodes)?;
        Ok(found.into_iter().zip(nodes).map(|(g, node)| g.unwrap_or_else(|| node.zeros_like())).collect())
    }

    /// The same, with nothing where the outputs do not depend on a node.
    pub(crate) fn cotangents_if_any<'t, V: IntoVar<'t, T>>(
        &'t self,
        outputs: impl IntoIterator<Item = (Var<'t, T>, V)>,
        nodes: &[Var<'t, T>],
    ) -> Result<Vec<Option<Var<'t, T>>>> {
        self.check_wanted(nodes)?;
        let mut seeds = Vec::new();
        for (y, seed) in outputs {
            seeds.push((y.index, self.seed("seed", y, seed)?.index));
        }
        let wanted: Vec<u32> = nodes.iter().map(|node| node.index).collect();
        let found = self.in_pool(|tape| tape.recorded(&seeds, &wanted))?;
        Ok(found.into_iter().map(|g| g.map(|index| Var::new(self, index))).collect())
    }

    fn recorded(&self, seeds: &[(u32, u32)], wanted: &[u32]) -> Result<Vec<Option<u32>>> {
        let ys: Vec<u32> = seeds.iter().map(|seed| seed.0).collect();
        let Path { nodes, set: reach, lowest } = self.path(wanted, &ys);
        let Some(&y) = nodes.last() else { return Ok(vec![None; wanted.len()]) };
        let mut pending =
            Slots { lowest, slots: vec![None; (y - lowest + 1) as usize], set: Bits::default() };
        pending.set.grow(y as usize + 1);
        for &(y, seed) in seeds.iter().filter(|seed| reach.get(seed.0)) {
            pending.put(y, Var::new(self, seed));
        }
        let mut top = y;
        while let Some(index) = pending.set.last_up_to(top) {
            top = index;
            pending.set.remove(index);
            if let Some(g) = pending.get(index) {
                pending.replace(index, self.call_hooks(index, Var::new(self, g))?);
            }
            let (first, outputs) = {
                let nodes = &self.store.borrow().nodes;
                let first = index - u32::from(nodes[index as usize].output);
                (first, nodes[first as usize].outputs)
            };
            if first < index {
                // The inputs lie below the first output: where that is below every node wanted, so are they.
                if first >= lowest {
                    pending.set.insert(first);
                }
                continue;
            }
            let g: SmallVec<[Option<Var<'_, T>>; 2]> = (0..u32::from(outputs))
                .map(|j| if index + j <= y { pending.get(index + j) } else { None })
                .map(|g| g.map(|g| Var::new(self, g)))
                .collect();
            let inputs = self.store.borrow().nodes[index as usize].inputs.clone();
            if !inputs.iter().any(|&input| reach.get(input)) {
                continue;
            }
            let Some(parts) = self.rule(index, &inputs, &reach, &g, Mode::Reverse)? else { continue };
            let named = |error: Error| self.store.borrow().named(index, error);
            let line = self.store.borrow().nodes[index as usize].line;
            check_count(parts.len(), inputs.len()).map_err(named)?;
            for (i, (part, &input)) in parts.into_iter().zip(&inputs).enumerate() {
                let Some(part) = part.filter(|_| reach.get(input)) else { continue };
                let (found, shape) = (part.try_shape()?, Var::new(self, input).try_shape()?);
                check_shape(i, &found, &shape).map_err(named)?;
                let _line = self.on_behalf_of(line);
                pending.put(input, part);
            }
        }
        // A cotangent stays in its slot when its node's turn has come.
        Ok(wanted.iter().map(|&index| if index <= y { pending.get(index) } else { None }).collect())
    }

    /// Runs a node's rule so that it is recorded on this tape; nothing if the node is a leaf.
    ///
    /// The operation is taken out of its node meanwhile, so that no borrow is held while its code runs.
    pub(super) fn rule<'t>(
        &'t self,
        index: u32,
        inputs: &[u32],
        reach: &Bits,
        incoming: &[Option<Var<'t, T>>],
        mode: Mode,
    ) -> Result<Option<Parts<'t, T>>> {
        struct PutBack<'a, T: Real> {
            tape: &'a Tape<T>,
            index: u32,
            operation: Option<Box<dyn super::Operation<T>>>,
        }
        impl<T: Real> Drop for PutBack<'_, T> {
            fn drop(&mut self) {
                self.tape.store.borrow_mut().nodes[self.index as usize].operation = self.operation.take();
            }
        }
        let named = |error: Error| self.store.borrow().named(index, error);
        let (operation, outputs, line) = {
            let node = &mut self.store.borrow_mut().nodes[index as usize];
            (node.operation.take(), usize::from(node.outputs), node.line)
        };
        let held = PutBack { tape: self, index, operation };
        let Some(operation) = &held.operation else {
            // A leaf; or its rule is running, and started this sweep.
            return if inputs.is_empty() { Ok(None) } else { Err(named(ErrorKind::Reentrant.into())) };
        };
        let _line = self.on_behalf_of(line);
        let at = At {
            tape: self,
            nodes: None,
            first: index,
            inputs,
            outputs,
            needed: Needed::Of(reach),
            incoming,
        };
        let parts = match mode {
            Mode::Reverse => operation.vjp(&at),
            Mode::Forward => operation.jvp(&at),
        };
        parts.map(Some).map_err(named)
    }
}

/// Which rule of a node runs.
#[derive(Clone, Copy)]
pub(super) enum Mode {
    Reverse,
    Forward,
}

/// Cotangents by index, from the lowest node wanted up.
struct Slots {
    lowest: u32,
    slots: Vec<Option<u32>>,
    set: Bits,
}

impl Slots {
    fn get(&self, index: u32) -> Option<u32> {
        self.slots[(index - self.lowest) as usize]
    }

    fn replace<T: Real>(&mut self, index: u32, g: Var<'_, T>) {
        self.slots[(index - self.lowest) as usize] = Some(g.index);
    }

    fn put<T: Real>(&mut self, index: u32, g: Var<'_, T>) {
        let slot = &mut self.slots[(index - self.lowest) as usize];
        *slot = Some(match *slot {
            None => g.index,
            Some(sum) => Var::new(g.tape, sum).accumulate(g).index,
        });
        self.set.insert(index);
    }
}
