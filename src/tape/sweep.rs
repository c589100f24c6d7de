//! The first-order reverse sweep: cotangents as plain tensors, nothing recorded.

use super::node::Node;
use super::operation::{At, Needed, Partials, Saved};
use super::{Bits, Gradients, IntoVar, Tape, Var};
use crate::error::{Error, ErrorKind, Result};
use crate::number::Real;
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::panic::Location;

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
    fn grow(&mut self, n: usize) {
        if self.slots.len() < n {
            self.slots.resize_with(n, || None);
        }
        self.set.grow(n);
    }

    /// The first contribution is moved in, later ones are added, in place where the memory is not shared.
    fn add(&mut self, index: u32, mut g: Tensor<T>) -> Result<()> {
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

    fn take(&mut self, index: u32) -> Option<Tensor<T>> {
        self.set.remove(index);
        self.slots[index as usize].take()
    }

    /// Forgets what a sweep that failed left behind.
    fn clear(&mut self) {
        while let Some(index) = self.set.last_up_to(u32::MAX) {
            self.take(index);
        }
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

impl<'t, T: Real> Var<'t, T> {
    /// Walks the tape in reverse from this value, which must be one number, and gives the gradient of it with
    /// respect to every variable on the tape.
    ///
    /// The tape stays as it is: it can be swept any number of times.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; [`ErrorKind::NotScalar`] if it is not one number;
    /// [`ErrorKind::NoRule`] if an operation on the way has no backward closure.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 1.0]));
    /// let y = tape.var(&Tensor::scalar(2.0));
    /// let grads = (x * y).exp().sum().backward()?;
    /// assert_eq!(grads.wrt(y)?.item()?, 2f64.exp());
    /// assert_eq!(grads.wrt(x)?.shape(), [2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn backward(self) -> Result<Gradients<T>> {
        let line = Location::caller();
        self.unit_seed().and_then(|seed| self.sweep(&seed)).map_err(|error| error.at("backward", line))
    }

    /// As [`backward`](Var::backward), from a value of any shape and its cotangent `seed` of the same shape: the
    /// gradient of their inner product.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Shape`] if the seed has another shape; else as `backward`.
    #[track_caller]
    pub fn backward_with(self, seed: &Tensor<T>) -> Result<Gradients<T>> {
        let line = Location::caller();
        self.sweep(seed).map_err(|error| error.at("backward_with", line))
    }

    fn unit_seed(self) -> Result<Tensor<T>> {
        let shape = self.try_shape()?;
        if shape.count() == 1 {
            Tensor::full(shape, T::ONE)
        } else {
            Err(ErrorKind::NotScalar { shape: shape.to_vec() }.into())
        }
    }

    fn sweep(self, seed: &Tensor<T>) -> Result<Gradients<T>> {
        self.tape.gradients(self.index, seed, Rules::Fused)
    }

    /// The gradients by the written rules alone.
    #[cfg(test)]
    pub(crate) fn backward_by_written_rules(self, seed: &Tensor<T>) -> Result<Gradients<T>> {
        self.tape.gradients(self.index, seed, Rules::Written)
    }
}

impl<T: Real> Tape<T> {
    /// The gradient of `y`, which must be one number, with respect to any nodes: leaves, intermediate values,
    /// `y` itself. Visits only what lies between.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoGradient`] for a constant or a detached value; [`ErrorKind::MixedTapes`]; else as
    /// [`Var::backward`].
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(3.0));
    /// let square = x * x;
    /// let y = square * square;
    /// let [gs, gx] = tape.grad(y, [square, x])?;
    /// assert_eq!((gs.item()?, gx.item()?), (18.0, 108.0));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn grad<'t, const N: usize>(
        &'t self,
        y: Var<'t, T>,
        nodes: [Var<'t, T>; N],
    ) -> Result<[Tensor<T>; N]> {
        let line = Location::caller();
        let run = || {
            let seed = y.unit_seed()?;
            self.grad_with(y, &seed, &nodes)
        };
        let found = run().map_err(|error| error.at("grad", line))?;
        Ok(found.try_into().unwrap_or_else(|_| unreachable!("one gradient for each node")))
    }

    /// As [`grad`](Tape::grad), from a value of any shape and its cotangent, for any number of nodes.
    ///
    /// # Errors
    ///
    /// As [`grad`](Tape::grad) and [`Var::backward_with`].
    pub fn grad_with<'t>(
        &'t self,
        y: Var<'t, T>,
        seed: &Tensor<T>,
        nodes: &[Var<'t, T>],
    ) -> Result<Vec<Tensor<T>>> {
        self.check_wanted(y, nodes)?;
        let wanted: Vec<u32> = nodes.iter().map(|node| node.index).collect();
        let mut kept = self.in_pool(|tape| {
            let reach = tape.reach(&wanted, y.index);
            let wanted = Bits::of(&wanted);
            tape.first_order(y.index, seed, Needed::Of(&reach), &wanted, Rules::Fused)
        })?;
        kept.sort_unstable_by_key(|entry| entry.0);
        let zeros = |shape: &[usize]| Tensor::scalar(T::ZERO).expand(shape);
        nodes
            .iter()
            .map(|node| match kept.binary_search_by_key(&node.index, |entry| entry.0) {
                Ok(at) => Ok(kept[at].1.clone()),
                Err(_) => zeros(&node.try_shape()?),
            })
            .collect()
    }

    /// Refuses variables of other tapes, and nodes that have no gradient.
    pub(super) fn check_wanted(&self, y: Var<'_, T>, nodes: &[Var<'_, T>]) -> Result<()> {
        let mixed = |var: &Var<'_, T>| !std::ptr::eq(var.tape, self);
        if mixed(&y) || nodes.iter().any(mixed) {
            return Err(ErrorKind::MixedTapes.into());
        }
        let store = self.store.borrow();
        for node in nodes.iter().map(|node| &store.nodes[node.index as usize]) {
            if let Err(error) = &node.value {
                return Err(error.clone());
            }
            if !node.needs {
                let reason = "the value is a constant, is detached, or depends on none but such";
                return Err(ErrorKind::NoGradient { reason }.into());
            }
        }
        Ok(())
    }

    /// The nodes up to `top` that depend on one of `from`, those included.
    pub(super) fn reach(&self, from: &[u32], top: u32) -> Bits {
        let nodes = &self.store.borrow().nodes;
        let mut reach = Bits::default();
        reach.grow(nodes.len());
        from.iter().for_each(|&index| reach.insert(index));
        let lowest = from.iter().min().map_or(top + 1, |&lowest| lowest);
        for index in lowest..=top {
            let node = &nodes[index as usize];
            let first = index - u32::from(node.output);
            if (first < index && reach.get(first)) || node.inputs.iter().any(|&input| reach.get(input)) {
                reach.insert(index);
            }
        }
        reach
    }

    fn gradients(&self, y: u32, seed: &Tensor<T>, rules: Rules) -> Result<Gradients<T>> {
        self.in_pool(|tape| {
            let mut kept = tape.first_order(y, seed, Needed::Flags, &Bits::default(), rules)?;
            kept.sort_unstable_by_key(|entry| entry.0);
            let mut kept = kept.into_iter().peekable();
            let store = tape.store.borrow();
            let mut entries = Vec::with_capacity(store.leaves.len());
            for &leaf in &store.leaves {
                let g = match kept.next_if(|entry| entry.0 == leaf) {
                    Some((_, g)) => g,
                    None => match &store.nodes[leaf as usize].value {
                        Ok(value) => Tensor::scalar(T::ZERO).expand(value.shape())?,
                        Err(error) => return Err(error.clone()),
                    },
                };
                entries.push((leaf, g));
            }
            Ok(Gradients { tape: tape.id.get(), entries })
        })
    }

    /// Sweeps from `y` down and returns the cotangents of the leaves met, and of the nodes in `wanted`.
    fn first_order(
        &self,
        y: u32,
        seed: &Tensor<T>,
        needed: Needed<'_>,
        wanted: &Bits,
        rules: Rules,
    ) -> Result<Vec<(u32, Tensor<T>)>> {
        let mut pending = std::mem::take(&mut self.store.borrow_mut().pending);
        let store = self.store.borrow();
        let nodes = &store.nodes[..];
        pending.grow(nodes.len());
        let result = Sweep { nodes, needed, wanted, rules }.run(y, seed, &mut pending);
        if result.is_err() {
            pending.clear();
        }
        drop(store);
        self.store.borrow_mut().pending = pending;
        result
    }
}

struct Sweep<'a, T: Real> {
    nodes: &'a [Node<T>],
    needed: Needed<'a>,
    wanted: &'a Bits,
    rules: Rules,
}

impl<T: Real> Sweep<'_, T> {
    fn run(&self, y: u32, seed: &Tensor<T>, pending: &mut Pending<T>) -> Result<Vec<(u32, Tensor<T>)>> {
        let output = &self.nodes[y as usize];
        let value = output.value.as_ref().map_err(Error::clone)?;
        if seed.shape() != value.shape() {
            let (found, wanted) = (seed.shape().to_vec(), value.shape().to_vec());
            return Err(ErrorKind::Shape { what: "seed".into(), found, wanted }.into());
        }
        let mut kept = Vec::new();
        if !self.needs(y) {
            return Ok(kept);
        }
        pending.add(y, seed.clone())?;
        let scratch = Tape::new();
        let mut top = y;
        while let Some(index) = pending.set.last_up_to(top) {
            top = index;
            let node = &self.nodes[index as usize];
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
            if node.operation.is_some() {
                self.node(index, &mut g, &scratch, pending)?;
            }
        }
        Ok(kept)
    }

    fn needs(&self, index: u32) -> bool {
        match self.needed {
            Needed::Flags => self.nodes[index as usize].needs,
            Needed::Of(bits) => bits.get(index),
        }
    }

    /// Hands a node's cotangents on to its inputs.
    fn node(
        &self,
        index: u32,
        g: &mut [Option<Tensor<T>>],
        scratch: &Tape<T>,
        pending: &mut Pending<T>,
    ) -> Result<()> {
        let node = &self.nodes[index as usize];
        let operation = node.operation.as_deref().expect("checked by the caller");
        let named = |error: Error| error.at(node.name, node.line);
        let mut parts = match self.rules {
            Rules::Fused => {
                operation.fused(&Saved { nodes: self.nodes, node: index, needed: self.needed }, g)
            }
            Rules::Written => None,
        };
        if parts.is_none() {
            parts = Some(self.by_rule(index, g, scratch));
        }
        // Taken out one by one where they are: moving the list costs as much as a scalar operation.
        let parts = match &mut parts {
            Some(Ok(parts)) => parts,
            Some(Err(error)) => return Err(named(error.clone())),
            None => unreachable!("filled above"),
        };
        if parts.len() != node.inputs.len() {
            return check_count(parts.len(), node.inputs.len()).map_err(named);
        }
        for (i, (part, &input)) in parts.iter_mut().zip(&node.inputs).enumerate() {
            let Some(part) = part.take() else { continue };
            if !self.needs(input) {
                continue;
            }
            let Ok(value) = &self.nodes[input as usize].value else { continue };
            if !part.is_like(value) {
                return check_shape(i, part.shape(), value.shape()).map_err(named);
            }
            pending.add(input, part).map_err(named)?;
        }
        Ok(())
    }

    /// Runs a rule written in variables on the scratch tape, which is cut back afterwards: memory stays at the live
    /// cotangents plus one rule's scratch.
    fn by_rule(&self, index: u32, g: &mut [Option<Tensor<T>>], scratch: &Tape<T>) -> Result<Partials<T>> {
        let node = &self.nodes[index as usize];
        let _line = scratch.on_behalf_of(node.line);
        let operation = node.operation.as_deref().expect("checked by the caller");
        let parts = {
            let incoming: SmallVec<[Option<Var<'_, T>>; 2]> =
                g.iter_mut().map(|g| g.take().map(|g| scratch.push_constant(Ok(g)))).collect();
            let at = At {
                tape: scratch,
                nodes: Some(self.nodes),
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
        let mut store = scratch.store.borrow_mut();
        store.nodes.clear();
        store.leaves.clear();
        parts
    }
}

pub(super) fn check_count(found: usize, wanted: usize) -> Result<()> {
    if found == wanted { Ok(()) } else { Err(ErrorKind::CotangentCount { found, wanted }.into()) }
}

pub(super) fn check_shape(input: usize, found: &[usize], wanted: &[usize]) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    let what = format!("the cotangent of input {input}");
    Err(ErrorKind::Shape { what, found: found.to_vec(), wanted: wanted.to_vec() }.into())
}

impl<T: Real> Tape<T> {
    /// The variable a seed or a direction stands for, of the shape of `like`.
    pub(super) fn seed<'t>(
        &'t self,
        what: &str,
        like: Var<'t, T>,
        seed: impl IntoVar<'t, T>,
    ) -> Result<Var<'t, T>> {
        let seed = seed.into_var(self);
        if !std::ptr::eq(seed.tape, self) || !std::ptr::eq(like.tape, self) {
            return Err(ErrorKind::MixedTapes.into());
        }
        let (found, wanted) = (seed.try_shape()?, like.try_shape()?);
        if found != wanted {
            let (found, wanted) = (found.to_vec(), wanted.to_vec());
            return Err(ErrorKind::Shape { what: what.into(), found, wanted }.into());
        }
        Ok(seed)
    }
}
