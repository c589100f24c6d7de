//! A recurrent layer over a sequence, as one operation.

use crate::error::Result;
use crate::kernels::recurrent::{Cell, Cotangents, Given, Made, Steps};
use crate::number::Real;
use crate::shape::Shape;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// Results, and the variables that they are functions of, where they stand among the inputs.
type OnArguments<'t, T> = (SmallVec<[Var<'t, T>; 2]>, Vec<Option<Var<'t, T>>>);

/// The steps of a layer from the products of its inputs, `[steps, batch, gates·hidden]`. Inputs: those, the first state
/// `[batch, hidden]`, the recurrent weights `[hidden, gates·hidden]`; for LSTM the first cell state, for GRU the bias of the
/// states' products. Outputs: all states; for LSTM the last cell state; then what the backward pass needs, which has no
/// derivative of its own: all cell states, and the gates.
///
/// At first order all steps are swept by the kernel, and the weights have their gradient from one product. Other rules run
/// the steps again in variables.
#[derive(Clone, Copy)]
pub(super) struct Layer {
    pub(super) cell: Cell,
    pub(super) backwards: bool,
}

impl Layer {
    pub(super) fn outputs(self) -> usize {
        match self.cell {
            Cell::Tanh | Cell::Relu => 1,
            Cell::Gru => 2,
            Cell::Lstm => 4,
        }
    }

    /// The outputs with derivatives.
    fn smooth(self) -> usize {
        if self.cell == Cell::Lstm { 2 } else { 1 }
    }

    fn steps(self, x: &[usize], h: &[usize]) -> Steps {
        Steps { cell: self.cell, steps: x[0], batch: x[1], hidden: h[1], backwards: self.backwards }
    }

    /// The smooth outputs, step by step.
    fn composed<'t, T: Real>(self, x: &[Var<'t, T>]) -> Result<SmallVec<[Var<'t, T>; 2]>> {
        let [all, mut h, u] = [x[0], x[1], x[2]];
        let (steps, width) = (all.try_shape()?[0] as isize, h.try_shape()?[1] as isize);
        let gate = |z: Var<'t, T>, k: isize| z.slice(1, k * width..(k + 1) * width);
        let mut states = Vec::with_capacity(steps as usize);
        let mut c = x.get(3).copied();
        for step in 0..steps {
            let at = if self.backwards { steps - 1 - step } else { step };
            let own = all.slice(0, at..at + 1).squeeze(0);
            let product = h.matmul(u);
            h = match (self.cell, c) {
                (Cell::Tanh, _) => (own + product).tanh(),
                (Cell::Relu, _) => (own + product).relu(),
                (Cell::Lstm, Some(before)) => {
                    let z = own + product;
                    let new = gate(z, 1).sigmoid() * before + gate(z, 0).sigmoid() * gate(z, 2).tanh();
                    c = Some(new);
                    gate(z, 3).sigmoid() * new.tanh()
                }
                (_, bias) => {
                    let p = bias.map_or(product, |bias| product + bias);
                    let (r, z) =
                        ((gate(own, 0) + gate(p, 0)).sigmoid(), (gate(own, 1) + gate(p, 1)).sigmoid());
                    let n = (gate(own, 2) + r * gate(p, 2)).tanh();
                    n + z * (h - n)
                }
            };
            states.push(h);
        }
        if self.backwards {
            states.reverse();
        }
        let mut made = SmallVec::from_slice(&[all.tape().stack(&states, 0)]);
        if let (Cell::Lstm, Some(c)) = (self.cell, c) {
            made.push(c);
        }
        Ok(made)
    }

    /// The smooth outputs in terms of a variable of its own for each input that moves.
    fn on_arguments<'t, T: Real>(
        self,
        at: &At<'_, 't, T>,
        moves: impl Fn(usize) -> bool,
    ) -> Result<OnArguments<'t, T>> {
        let tape = at.x(0).tape();
        let arguments: Vec<_> = (0..at.inputs()).map(|i| moves(i).then(|| tape.argument(at.x(i)))).collect();
        let x: Vec<_> = arguments.iter().enumerate().map(|(i, own)| own.unwrap_or_else(|| at.x(i))).collect();
        Ok((self.composed(&x)?, arguments))
    }
}

fn dense<T: Real>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("made contiguous")
}

impl<T: Real> Operation<T> for Layer {
    fn name(&self) -> &'static str {
        match self.cell {
            Cell::Tanh | Cell::Relu => "rnn",
            Cell::Lstm => "lstm",
            Cell::Gru => "gru",
        }
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let steps = self.steps(x[0].shape(), x[1].shape());
        let held = x.iter().map(|x| x.contiguous()).collect::<Result<SmallVec<[_; 4]>>>()?;
        let given = given(self.cell, &held);
        let states = Shape::new([steps.steps, steps.batch, steps.hidden])?;
        let kept = Shape::new([steps.steps, steps.batch, self.cell.kept() * steps.hidden])?;
        let lstm = self.cell == Cell::Lstm;
        let mut c = if lstm { Tensor::zeros(&states)? } else { Tensor::zeros([0])? };
        let mut gates = Tensor::zeros(kept)?;
        let y = Tensor::try_build(states, |y| {
            steps.forward(given, Made { y, c: c.as_mut_slice()?, kept: gates.as_mut_slice()? });
            Ok(())
        })?;
        let mut made = Outputs::from_iter([y]);
        if lstm {
            let last = if self.backwards { 0 } else { steps.steps as isize - 1 };
            made.push(c.slice(0, last..last + 1)?.squeeze(0)?.contiguous()?);
            made.push(c);
        }
        if self.cell.kept() > 0 {
            made.push(gates);
        }
        Ok(made)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (y, arguments) = self.on_arguments(at, |i| at.needs(i))?;
        let wanted: Vec<_> = arguments.iter().flatten().copied().collect();
        let seeds = y.iter().enumerate().map(|(j, y)| (*y, at.g(j)));
        let mut parts = at.x(0).tape().cotangents(seeds, &wanted)?.into_iter();
        Ok(arguments.iter().map(|argument| argument.and_then(|_| parts.next())).collect())
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (y, arguments) = self.on_arguments(at, |i| at.dx(i).is_some())?;
        let directions = arguments.iter().enumerate().filter_map(|(i, own)| own.zip(at.dx(i)));
        let moved = at.x(0).tape().recorded_tangents(&y, directions)?;
        let rest = self.outputs() - self.smooth();
        Ok(moved.into_iter().map(Some).chain((0..rest).map(|_| None)).collect())
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let gy = g[0].take();
        let gc = if self.smooth() > 1 { g[1].take() } else { None };
        Some(self.swept(at, gy, gc))
    }
}

fn given<T: Real>(cell: Cell, x: &[Tensor<T>]) -> Given<'_, T> {
    let last = x.get(3).map_or(&[][..], dense);
    let (c, bias) = if cell == Cell::Lstm { (last, &[][..]) } else { (&[][..], last) };
    Given { x: dense(&x[0]), h: dense(&x[1]), c, u: dense(&x[2]), bias }
}

impl Layer {
    fn swept<T: Real>(
        &self,
        at: &Saved<'_, T>,
        gy: Option<Tensor<T>>,
        gc: Option<Tensor<T>>,
    ) -> Result<Partials<T>> {
        let held = (0..at.inputs()).map(|i| at.x(i).contiguous()).collect::<Result<SmallVec<[_; 4]>>>()?;
        let steps = self.steps(held[0].shape(), held[1].shape());
        let [gy, gc] = [gy.map(|g| g.contiguous()).transpose()?, gc.map(|g| g.contiguous()).transpose()?];
        let (lstm, gru) = (self.cell == Cell::Lstm, self.cell == Cell::Gru);
        let c = if lstm { dense(at.y(2)) } else { &[] };
        let kept = if self.cell.kept() > 0 { dense(at.y(self.outputs() - 1)) } else { &[] };
        let mut h = Tensor::zeros(held[1].shape())?;
        let mut first_c = Tensor::zeros(held[1].shape())?;
        let mut z = if gru { Tensor::zeros(held[0].shape())? } else { Tensor::zeros([0])? };
        let mut u = at.needs(2).then(|| Tensor::zeros(held[2].shape())).transpose()?;
        let x = Tensor::try_build(held[0].shape_owned(), |x| {
            let cotangents = Cotangents {
                y: gy.as_ref().map(dense),
                c: gc.as_ref().map(dense),
                x,
                z: z.as_mut_slice()?,
                h: h.as_mut_slice()?,
                first_c: first_c.as_mut_slice()?,
                u: u.as_mut().map(|u| u.as_mut_slice()).transpose()?,
            };
            steps.backward(given(self.cell, &held), dense(at.y(0)), c, kept, cotangents);
            Ok(())
        })?;
        let mut parts = Partials::from_iter([at.needs(0).then_some(x), at.needs(1).then_some(h), u]);
        if lstm {
            parts.push(at.needs(3).then_some(first_c));
        } else if gru {
            let bias = at.needs(3).then(|| z.sum_to(held[3].shape())).transpose()?;
            parts.push(bias);
        }
        Ok(parts)
    }
}
