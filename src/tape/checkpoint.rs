//! Checkpointing: a segment that keeps its inputs and its output only, and runs again in the sweep.

use super::non_finite::Phase;
use super::operation::{At, Needed, Operation, Outputs, Parts, one};
use super::sweep::{Pending, Sweep};
use super::{Bits, Tape, Var};
use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::same;
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::sync::Arc;

type Closure<T> = Arc<dyn for<'t> Fn(&[Var<'t, T>]) -> Var<'t, T> + Send + Sync>;
/// A result, and the variables that it is a function of, where they stand among the inputs.
type OnArguments<'t, T> = (Var<'t, T>, Vec<Option<Var<'t, T>>>);

/// What a checkpointed segment computes, from its inputs.
#[doc(hidden)]
pub struct Segment<T: Real>(Closure<T>);

impl<T: Real> Tape<T> {
    /// Computes `f` of the inputs and keeps nothing of it but the result: a reverse sweep runs `f` again when it
    /// comes there. Memory against time, about one more forward pass.
    ///
    /// `f` takes everything it uses as inputs, weights too, and gives the same result for the same inputs. It may
    /// checkpoint in turn. Gradients are equal to those without checkpointing bit for bit: contributions add up in
    /// the same order. (An input that `f` gives back as it is becomes a value of its own, as by
    /// [`identity`](Var::identity).) Recorded sweeps and forward mode run `f` on this tape and keep what they record.
    ///
    /// # Errors
    ///
    /// Those of `f`. [`ErrorKind::NonDeterministic`] from a sweep in which `f` gave another result than before.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.5, 1.0]));
    /// let w = tape.var(&Tensor::from([2.0, 3.0]));
    /// let before = tape.len();
    /// let y = tape.checkpoint(&[x, w], |v| (v[0] * v[1]).sin().exp().sum());
    /// assert_eq!(tape.len(), before + 1);
    /// let plain = (x * w).sin().exp().sum();
    /// assert_eq!(y.backward()?.wrt(w)?, plain.backward()?.wrt(w)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn checkpoint<'t>(
        &'t self,
        inputs: &[Var<'t, T>],
        f: impl for<'s> Fn(&[Var<'s, T>]) -> Var<'s, T> + Send + Sync + 'static,
    ) -> Var<'t, T> {
        self.apply(Segment(Arc::new(f)), inputs)
    }

    /// A chain of `n` layers, `x ← step(i, x, layers[i])`, checkpointed in √n segments of √n layers: the activations
    /// in memory at any time are about 2√n, not n, for one more forward pass.
    ///
    /// `layers` has the variables that each layer uses besides `x`; the same ones may stand in many.
    ///
    /// # Errors
    ///
    /// As [`checkpoint`](Tape::checkpoint).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.5, 1.0]));
    /// let w = tape.var(&Tensor::scalar(0.9));
    /// let y = tape.checkpoint_chain(x, &vec![[w]; 100], |_, x, layer| (x * layer[0]).sin());
    /// assert!(tape.len() < 15);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.shape(), [2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn checkpoint_chain<'t>(
        &'t self,
        x: Var<'t, T>,
        layers: &[impl AsRef<[Var<'t, T>]>],
        step: impl for<'s> Fn(usize, Var<'s, T>, &[Var<'s, T>]) -> Var<'s, T> + Send + Sync + 'static,
    ) -> Var<'t, T> {
        let length = (layers.len() as f64).sqrt().ceil().max(1.0) as usize;
        let step = Arc::new(step);
        let mut y = x;
        for (k, segment) in layers.chunks(length).enumerate() {
            let mut inputs = vec![y];
            let mut ends = vec![];
            for layer in segment {
                inputs.extend(layer.as_ref());
                ends.push(inputs.len());
            }
            let step = Arc::clone(&step);
            y = self.checkpoint(&inputs, move |v| {
                let mut start = 1;
                ends.iter().enumerate().fold(v[0], |x, (i, &end)| {
                    let layer = &v[std::mem::replace(&mut start, end)..end];
                    step(k * length + i, x, layer)
                })
            });
        }
        y
    }
}

impl<T: Real> Segment<T> {
    /// Runs the closure; its result must be of the same tape, and equal to `first` if it ran before.
    fn run<'t>(&self, tape: &'t Tape<T>, x: &[Var<'t, T>], first: Option<&Tensor<T>>) -> Result<Var<'t, T>> {
        let y = (self.0)(x);
        let value = y.value()?;
        tape.check_own(&[y])?;
        match first {
            Some(first) => same_bits(first, &value).map(|()| y),
            None => Ok(y),
        }
    }

    /// The closure's result on a tape that records, in terms of arguments: a variable of its own for each different
    /// input that `moves`. They stand beside the result by the input's place; the same input again has none.
    fn on_arguments<'t>(
        &self,
        at: &At<'_, 't, T>,
        moves: impl Fn(usize) -> bool,
    ) -> Result<OnArguments<'t, T>> {
        let tape = at.tape;
        let mut x: Vec<Var<'t, T>> = Vec::with_capacity(at.inputs());
        let mut arguments = Vec::with_capacity(at.inputs());
        for i in 0..at.inputs() {
            let before = first_place(at.inputs, i);
            arguments.push((before == i && moves(i)).then(|| tape.argument(at.x(i))));
            x.push(match (before == i, arguments[i]) {
                (true, Some(argument)) => argument,
                (true, None) => at.x(i),
                (false, _) => x[before],
            });
        }
        let y = self.run(tape, &x, Some(&at.y(0).value()?))?;
        Ok((y, arguments))
    }
}

impl<T: Real> Operation<T> for Segment<T> {
    fn name(&self) -> &'static str {
        "checkpoint"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let tape = Tape::new();
        let x: Vec<Var<'_, T>> = x.iter().map(|x| tape.constant(x)).collect();
        self.run(&tape, &x, None)?.value().map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (y, arguments) = self.on_arguments(at, |i| at.needs(i))?;
        let wanted: Vec<Var<'t, T>> = arguments.iter().flatten().copied().collect();
        let mut parts = at.tape.cotangents([(y, at.g(0))], &wanted)?.into_iter();
        Ok(arguments.iter().map(|argument| argument.and_then(|_| parts.next())).collect())
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (y, arguments) = self.on_arguments(at, |i| at.dx(i).is_some())?;
        let directions = arguments.iter().enumerate().filter_map(|(i, &a)| a.zip(at.dx(i)));
        at.one(at.tape.recorded_tangents(&[y], directions)?[0])
    }
    fn segment(&self) -> Option<&Segment<T>> {
        Some(self)
    }
}

/// Where the input at place `i` stands first among the inputs.
fn first_place(inputs: &[u32], i: usize) -> usize {
    inputs.iter().position(|input| *input == inputs[i]).unwrap_or(i)
}

/// Refuses a result that differs from the first one; NaN equals NaN.
fn same_bits<T: Real>(first: &Tensor<T>, again: &Tensor<T>) -> Result<()> {
    same("the value when run again", again.shape(), first.shape())?;
    match first.first_difference(again) {
        None => Ok(()),
        Some(at) => {
            let value = |x: &Tensor<T>| x.iter().nth(at).map_or(f64::NAN, T::to_f64);
            let index = crate::shape::unravel(at, first.shape());
            let (first, second) = (value(first), value(again));
            Err(ErrorKind::NonDeterministic { what: "value".into(), index, first, second }.into())
        }
    }
}

impl<T: Real> Sweep<'_, T> {
    /// Runs a segment again, on a tape of its own that is then swept. The sums that wait for the inputs are the
    /// sweep's starting values, so that contributions add up as if the segment stood on the outer tape.
    pub(super) fn replay(
        &self,
        index: u32,
        segment: &Segment<T>,
        g: &mut [Option<Tensor<T>>],
        pending: &mut Pending<T>,
    ) -> Result<()> {
        let nodes = &self.store.nodes;
        let node = &nodes[index as usize];
        let value = |index: u32| nodes[index as usize].value.clone();
        let Some(g) = g[0].take() else { return Ok(()) };
        let tape = Tape::new();
        tape.store.borrow_mut().recorder = self.store.recorder.clone();
        let mut x: SmallVec<[Var<'_, T>; 4]> = SmallVec::new();
        for (i, &input) in node.inputs.iter().enumerate() {
            x.push(match first_place(&node.inputs, i) {
                before if before < i => x[before],
                _ if self.needs(input) => tape.var(&value(input)?),
                _ => tape.constant(&value(input)?),
            });
        }
        let y = segment.run(&tape, &x, Some(&value(index)?))?;
        let store = tape.store.borrow();
        let wanted = Bits::default();
        let sweep =
            Sweep { store: &store, needed: Needed::Flags, wanted: &wanted, rules: self.rules, watch: None };
        let mut seeds: Vec<(u32, Tensor<T>)> = Vec::new();
        for (x, &input) in x.iter().zip(&node.inputs) {
            if self.needs(input)
                && let Some(sum) = pending.take(input)
            {
                seeds.push((x.index, sum));
            }
        }
        seeds.push((y.index, g));
        for (leaf, sum) in sweep.run(seeds, &mut Pending::default(), &Tape::new())? {
            if let Some(i) = x.iter().position(|x| x.index == leaf) {
                if let Some(watch) = self.watch {
                    watch.look(index, Phase::Backward { input: i }, &sum);
                }
                pending.add(node.inputs[i], sum)?;
            }
        }
        Ok(())
    }
}
