//! What an operation is, and what its closures see.

use super::node::Node;
use super::{Bits, Tape, Var};
use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// The values an operation gives, one for most.
pub type Outputs<T> = SmallVec<[Tensor<T>; 1]>;
/// Variables an operation's rule gives: one for each input (cotangents) or output (tangents), none where the
/// derivative is zero or nobody asked.
pub type Parts<'t, T> = SmallVec<[Option<Var<'t, T>>; 2]>;
/// The same as plain tensors, from a fused rule.
pub type Partials<T> = SmallVec<[Option<Tensor<T>>; 2]>;

/// An operation that a tape records: how to compute it, again if need be, and its derivative in both modes.
///
/// The rules [`vjp`](Operation::vjp) and [`jvp`](Operation::jvp) are the backward and forward closures that a node
/// registers on the tape. They are written in variables, so that they can themselves be recorded and
/// differentiated: one text serves every order. [`fused`](Operation::fused) may give the first-order cotangents
/// in one pass over memory; it must equal `vjp`.
///
/// [`Tape::record`] makes an operation of two closures.
pub trait Operation<T: Real>: Send + Sync + 'static {
    /// The name in messages and printouts.
    fn name(&self) -> &'static str;

    /// The values from the inputs' values.
    ///
    /// # Errors
    ///
    /// Whatever makes the inputs unfit, as data: the tape adds the name and the line.
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>>;

    /// Reverse mode: the cotangent of each input from those of the outputs, `gᵀJ`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoRule`] unless overridden: a missing rule is never a zero.
    fn vjp<'t>(&self, _at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        Err(ErrorKind::NoRule { mode: "reverse mode" }.into())
    }

    /// Forward mode: the tangent of each output from those of the inputs, `J dx`.
    ///
    /// Unless overridden it is the transpose of [`vjp`](Operation::vjp): that is linear in the cotangents, so its own
    /// derivative by them, along `dx`, is `J dx`. A rule of one's own is about twice as fast.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoRule`] if there is no `vjp` either.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        super::jvp::transposed(at, |at| self.vjp(at))
    }

    /// First-order cotangents by kernels, or nothing if there is no faster way than `vjp`. Takes the cotangents it
    /// uses out of `g`, so that it may write over their memory.
    fn fused(&self, _at: &Saved<'_, T>, _g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        None
    }

    /// The closure of a checkpointed segment, which a sweep runs again instead of asking for a rule.
    #[doc(hidden)]
    fn segment(&self) -> Option<&super::Segment<T>> {
        None
    }
}

/// One value.
pub fn one<T>(y: Tensor<T>) -> Outputs<T> {
    SmallVec::from_buf([y])
}

/// What a rule sees: the node's inputs, outputs, and their cotangents or tangents, as variables.
///
/// In a sweep that is recorded they live on the swept tape and carry their history; in a first-order sweep they
/// are constants on a scratch tape, where nothing is recorded because nothing needs a gradient.
pub struct At<'a, 't, T: Real> {
    pub(super) tape: &'t Tape<T>,
    /// The swept nodes in a first-order sweep; else they are the tape's own.
    pub(super) nodes: Option<&'a [Node<T>]>,
    pub(super) first: u32,
    pub(super) inputs: &'a [u32],
    pub(super) outputs: usize,
    pub(super) needed: Needed<'a>,
    /// Cotangents of the outputs in reverse mode, tangents of the inputs in forward mode.
    pub(super) incoming: &'a [Option<Var<'t, T>>],
}

/// Which nodes lie on a path to something whose derivative is wanted.
#[derive(Clone, Copy)]
pub(super) enum Needed<'a> {
    /// Whatever depends on a variable.
    Flags,
    /// These.
    Of(&'a Bits),
}

impl<'a, 't, T: Real> At<'a, 't, T> {
    fn var(&self, index: u32) -> Var<'t, T> {
        match self.nodes {
            None => Var::new(self.tape, index),
            Some(nodes) => self.tape.push_constant(nodes[index as usize].value.clone()),
        }
    }

    /// Input `i`.
    pub fn x(&self, i: usize) -> Var<'t, T> {
        self.var(self.inputs[i])
    }

    /// How many inputs there are.
    pub fn inputs(&self) -> usize {
        self.inputs.len()
    }

    /// Output `j`.
    pub fn y(&self, j: usize) -> Var<'t, T> {
        self.var(self.first + j as u32)
    }

    /// The cotangent of output `j`; zeros if nothing contributed to it. Reverse mode only.
    pub fn g(&self, j: usize) -> Var<'t, T> {
        match self.incoming[j] {
            Some(g) => g,
            None => self.y(j).zeros_like(),
        }
    }

    /// The same, or nothing if nothing contributed to it. Reverse mode only.
    pub fn g_if_any(&self, j: usize) -> Option<Var<'t, T>> {
        self.incoming[j]
    }

    /// The tangent of input `i`, or nothing if it is zero. Forward mode only.
    pub fn dx(&self, i: usize) -> Option<Var<'t, T>> {
        self.incoming[i]
    }

    /// Whether the cotangent of input `i` is wanted: do no work for one that is not.
    pub fn needs(&self, i: usize) -> bool {
        match (self.needed, self.nodes) {
            (Needed::Of(bits), _) => bits.get(self.inputs[i]),
            (Needed::Flags, Some(nodes)) => nodes[self.inputs[i] as usize].needs,
            (Needed::Flags, None) => true,
        }
    }

    /// How many outputs there are.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// A result of one part.
    pub fn one(&self, part: Var<'t, T>) -> Result<Parts<'t, T>> {
        Ok(SmallVec::from_slice(&[Some(part)]))
    }

    /// One cotangent for each input that is wanted, from a closure that is called only for those.
    pub fn each(&self, part: impl Fn(usize) -> Var<'t, T>) -> Result<Parts<'t, T>> {
        Ok((0..self.inputs.len()).map(|i| self.needs(i).then(|| part(i))).collect())
    }

    /// The sum over the inputs that have a tangent of what a closure makes of it: `Σᵢ Jᵢ dxᵢ`.
    pub fn sum_of(&self, part: impl Fn(usize, Var<'t, T>) -> Var<'t, T>) -> Result<Parts<'t, T>> {
        let mut total: Option<Var<'t, T>> = None;
        for (i, dx) in self.incoming.iter().enumerate() {
            if let Some(dx) = dx {
                let part = part(i, *dx);
                total = Some(match total {
                    None => part,
                    Some(total) => total.accumulate(part),
                });
            }
        }
        Ok(SmallVec::from_slice(&[total]))
    }
}

/// What a fused rule sees: the same as plain tensors.
pub struct Saved<'a, T: Real> {
    pub(super) nodes: &'a [Node<T>],
    pub(super) node: u32,
    pub(super) needed: Needed<'a>,
}

impl<'a, T: Real> Saved<'a, T> {
    /// Input `i`.
    pub fn x(&self, i: usize) -> &'a Tensor<T> {
        self.tensor(self.indices()[i])
    }

    /// Output `j`.
    pub fn y(&self, j: usize) -> &'a Tensor<T> {
        self.tensor(self.node + j as u32)
    }

    /// Whether the cotangent of input `i` is wanted.
    pub fn needs(&self, i: usize) -> bool {
        let index = self.indices()[i];
        match self.needed {
            Needed::Of(bits) => bits.get(index),
            Needed::Flags => self.nodes[index as usize].needs,
        }
    }

    /// A result of one part, for an operation of one input.
    #[inline(always)]
    pub fn one(&self, part: Result<Tensor<T>>) -> Option<Result<Partials<T>>> {
        Some(match part {
            // From a buffer of the inline size: a push would check for room.
            Ok(part) => {
                let mut parts = Partials::from_buf([Some(part), None]);
                parts.truncate(1);
                Ok(parts)
            }
            Err(error) => Err(error),
        })
    }

    /// One cotangent for each input that is wanted, from a closure that is called only for those.
    #[inline]
    pub fn each(&self, part: impl Fn(usize) -> Result<Tensor<T>>) -> Option<Result<Partials<T>>> {
        self.each_of(self.inputs(), part)
    }

    /// The same for the first `n` inputs; the rest get none.
    #[inline]
    pub fn each_of(
        &self,
        n: usize,
        part: impl Fn(usize) -> Result<Tensor<T>>,
    ) -> Option<Result<Partials<T>>> {
        let mut parts = Partials::new();
        for i in 0..self.inputs() {
            parts.push(if i < n && self.needs(i) {
                match part(i) {
                    Ok(part) => Some(part),
                    Err(error) => return Some(Err(error)),
                }
            } else {
                None
            });
        }
        Some(Ok(parts))
    }

    /// How many inputs there are.
    pub fn inputs(&self) -> usize {
        self.indices().len()
    }

    fn indices(&self) -> &'a [u32] {
        &self.nodes[self.node as usize].inputs
    }

    fn tensor(&self, index: u32) -> &'a Tensor<T> {
        match &self.nodes[index as usize].value {
            Ok(value) => value,
            Err(_) => unreachable!("a node that has an operation was computed from values"),
        }
    }
}

/// The sum of two values of one shape: how contributions to a cotangent meet.
pub(super) struct Accumulate;

impl<T: Real> Operation<T> for Accumulate {
    fn name(&self) -> &'static str {
        "accumulate"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].try_add(x[1]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.each(|_| at.g(0))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx)
    }
}

/// The identity: a value as the argument of a function that is differentiated.
pub(super) struct Argument;

impl<T: Real> Operation<T> for Argument {
    fn name(&self) -> &'static str {
        "argument"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        Ok(one(x[0].clone()))
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx)
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        at.one(Ok(g[0].take()?))
    }
}
