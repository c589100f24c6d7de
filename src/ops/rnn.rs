//! Recurrent cells and layers.

use super::recurrent::Layer;
use crate::error::{ErrorKind, Result, argument};
use crate::kernels::recurrent::Cell;
use crate::number::Real;
use crate::shape::same;
use crate::tape::Var;
use crate::tensor::{Generator, Tensor};

/// The weights of a recurrent layer in one direction, in the convention of [`linear`](Var::linear): PyTorch's are the
/// transposes. There are as many columns as gates times the width of the state: one for [`rnn`](Var::rnn), i, f, g, o for
/// [`lstm`](Var::lstm), r, z, n for [`gru`](Var::gru), in PyTorch's order.
#[derive(Clone, Copy)]
pub struct RnnWeights<'t, T: Real> {
    /// What the input is multiplied by, `[in, gates·hidden]`.
    pub input: Var<'t, T>,
    /// What the state is multiplied by, `[hidden, gates·hidden]`.
    pub hidden: Var<'t, T>,
    /// The bias of the input's product, `[gates·hidden]`.
    pub bias: Option<Var<'t, T>>,
    /// The bias of the state's product, `[gates·hidden]`. For GRU's n it stands inside the product with r.
    pub hidden_bias: Option<Var<'t, T>>,
}

/// What the state of [`rnn`](Var::rnn) goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Nonlinearity {
    /// The hyperbolic tangent.
    #[default]
    Tanh,
    /// The positive part, with derivative 0 at 0.
    Relu,
}

/// What recurrent layers do besides; nothing of it by default.
#[derive(Default)]
pub struct RnnOptions<'g> {
    /// Every layer runs in both directions, and its output is both side by side; weights and states stand in pairs.
    pub bidirectional: bool,
    /// The probability with which each element between two layers is dropped, and where the numbers come from.
    pub dropout: Option<(f64, &'g mut Generator)>,
}

impl Nonlinearity {
    fn cell(self) -> Cell {
        match self {
            Nonlinearity::Tanh => Cell::Tanh,
            Nonlinearity::Relu => Cell::Relu,
        }
    }
}

impl<'t, T: Real> RnnWeights<'t, T> {
    /// The width of the state.
    fn check(&self, cell: Cell, width: usize) -> Result<usize> {
        let shape = self.hidden.try_shape()?;
        let &[hidden, _] = &shape[..] else {
            return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "2" }.into());
        };
        let columns = cell.gates() * hidden;
        same("the recurrent weight", &shape, &[hidden, columns])?;
        same("the input's weight", &self.input.try_shape()?, &[width, columns])?;
        for bias in [self.bias, self.hidden_bias].into_iter().flatten() {
            same("the bias", &bias.try_shape()?, &[columns])?;
        }
        Ok(hidden)
    }

    /// All states `[steps, batch, hidden]`, the last of them, and for LSTM the last cell state.
    fn run(
        &self,
        cell: Cell,
        x: Var<'t, T>,
        state: [Var<'t, T>; 2],
        backwards: bool,
    ) -> Result<[Var<'t, T>; 3]> {
        let tape = x.tape();
        let [h, c] = state;
        let gru = cell == Cell::Gru;
        let bias = match (self.bias, self.hidden_bias) {
            (Some(a), Some(b)) if !gru => Some(a + b),
            (None, b) if !gru => b,
            (a, _) => a,
        };
        let products = x.linear(self.input, bias);
        let layer = Layer { cell, backwards };
        let y = match cell {
            Cell::Lstm => tape.apply_many(layer, &[products, h, self.hidden, c], 4),
            Cell::Gru => {
                let columns = self.hidden.try_shape()?[1];
                let bias = self.hidden_bias.unwrap_or_else(|| h.constant_like(Tensor::zeros([columns])));
                tape.apply_many(layer, &[products, h, self.hidden, bias], 2)
            }
            _ => tape.apply_many(layer, &[products, h, self.hidden], 1),
        };
        let last = if backwards { y[0].slice(0, ..1) } else { y[0].slice(0, -1..) };
        Ok([y[0], last.squeeze(0), if cell == Cell::Lstm { y[1] } else { y[0] }])
    }
}

/// One step from a state: the layer over a sequence of one.
fn step<'t, T: Real>(
    cell: Cell,
    x: Var<'t, T>,
    state: &[Var<'t, T>],
    weights: &RnnWeights<'t, T>,
) -> Result<[Var<'t, T>; 2]> {
    let shape = x.try_shape()?;
    let &[batch, width] = &shape[..] else {
        return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "2, rows of the batch" }.into());
    };
    let hidden = weights.check(cell, width)?;
    for state in state {
        same("the state", &state.try_shape()?, &[batch, hidden])?;
    }
    let [_, h, c] = weights.run(cell, x.unsqueeze(0), [state[0], state[state.len() - 1]], false)?;
    Ok([h, c])
}

/// All layers: the last one's states, and each one's last states.
fn layers<'t, T: Real>(
    cell: Cell,
    mut x: Var<'t, T>,
    states: [Option<Var<'t, T>>; 2],
    layers: &[RnnWeights<'t, T>],
    mut options: RnnOptions<'_>,
) -> Result<[Var<'t, T>; 3]> {
    let tape = x.tape();
    let shape = x.try_shape()?;
    let &[steps, batch, _] = &shape[..] else {
        return Err(ErrorKind::Rank { found: shape.to_vec(), wanted: "3: steps, batch, width" }.into());
    };
    if steps == 0 {
        return argument("the number of steps", "0", "at least 1");
    }
    let directions = 1 + usize::from(options.bidirectional);
    if layers.is_empty() || !layers.len().is_multiple_of(directions) {
        let wanted = if directions == 2 { "pairs, at least one" } else { "at least 1" };
        let found = layers.len().to_string();
        return Err(
            ErrorKind::Argument { name: "the number of weights", found, wanted: wanted.into() }.into()
        );
    }
    let (mut last_h, mut last_c) = (Vec::new(), Vec::new());
    for (l, both) in layers.chunks(directions).enumerate() {
        if let Some((p, from)) = options.dropout.as_mut().filter(|_| l > 0) {
            x = x.dropout(*p, from);
        }
        let width = x.try_shape()?[2];
        let mut sides = Vec::with_capacity(2);
        for (d, weights) in both.iter().enumerate() {
            let hidden = weights.check(cell, width)?;
            let at = (l * directions + d) as isize;
            let mut first = [x; 2];
            for (first, given) in first.iter_mut().zip(states) {
                *first = match given {
                    Some(given) => {
                        same("the state", &given.try_shape()?, &[layers.len(), batch, hidden])?;
                        given.slice(0, at..at + 1).squeeze(0)
                    }
                    None => x.constant_like(Tensor::zero_view([batch, hidden])),
                };
            }
            let [y, h, c] = weights.run(cell, x, first, d == 1)?;
            sides.push(y);
            last_h.push(h);
            last_c.push(c);
        }
        x = if let [y] = sides[..] { y } else { tape.concat(&sides, -1) };
        x.try_shape()?;
    }
    let h = tape.stack(&last_h, 0);
    Ok([x, h, if cell == Cell::Lstm { tape.stack(&last_c, 0) } else { h }])
}

impl<'t, T: Real> Var<'t, T> {
    /// One step of a recurrent network: `f(x·W + b + h·U + d)`, with x `[batch, in]` and h `[batch, hidden]`.
    ///
    /// # Gradient
    ///
    /// To x, h and all weights; see [`lstm`](Var::lstm) for its accuracy.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank), [`Shape`](ErrorKind::Shape) for x, the state and the weights.
    ///
    /// ```
    /// use retrograde::{Nonlinearity, RnnWeights, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let weights = RnnWeights {
    ///     input: tape.var(&Tensor::from([[1.0], [2.0]])),
    ///     hidden: tape.var(&Tensor::from([[-1.0]])),
    ///     bias: Some(tape.var(&Tensor::from([0.5]))),
    ///     hidden_bias: None,
    /// };
    /// let x = tape.constant(&Tensor::from([[1.0, 1.0]]));
    /// let h = tape.constant(&Tensor::from([[2.0]]));
    /// let y = x.rnn_cell(h, &weights, Nonlinearity::Relu);
    /// assert_eq!(y.value()?.to_vec(), [1.5]);
    /// assert_eq!(y.backward()?.wrt(weights.hidden)?.to_vec(), [2.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn rnn_cell(self, h: Var<'t, T>, weights: &RnnWeights<'t, T>, f: Nonlinearity) -> Var<'t, T> {
        self.tape().composed("rnn_cell", || Ok(step(f.cell(), self, &[h], weights)?[0]))
    }

    /// One step of long short-term memory (Hochreiter and Schmidhuber 1997): the state and the cell state after it. With
    /// `[i, f, g, o] = x·W + b + h·U + d`: `c′ = σ(f)·c + σ(i)·tanh(g)`, `h′ = σ(o)·tanh(c′)`.
    ///
    /// # Gradient
    ///
    /// To x, h, c and all weights; see [`lstm`](Var::lstm) for its accuracy.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank), [`Shape`](ErrorKind::Shape) for x, the states and the weights.
    ///
    /// ```
    /// use retrograde::{RnnWeights, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// // The input gate is closed, the others are open.
    /// let bias = Some(tape.var(&Tensor::from([-1e3, 1e3, 0.0, 1e3])));
    /// let (input, hidden) = (tape.var(&Tensor::zeros([2, 4])?), tape.var(&Tensor::zeros([1, 4])?));
    /// let x = tape.constant(&Tensor::ones([1, 2])?);
    /// let state = tape.var(&Tensor::from([[0.5]]));
    /// let (h, c) = x.lstm_cell(state, state, &RnnWeights { input, hidden, bias, hidden_bias: None });
    /// assert_eq!((h.item()?, c.item()?), (0.5f64.tanh(), 0.5));
    /// assert_eq!(c.backward()?.wrt(state)?.item()?, 1.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn lstm_cell(
        self,
        h: Var<'t, T>,
        c: Var<'t, T>,
        weights: &RnnWeights<'t, T>,
    ) -> (Var<'t, T>, Var<'t, T>) {
        self.tape().composed_many("lstm_cell", || step(Cell::Lstm, self, &[h, c], weights)).into()
    }

    /// One step of a gated recurrent unit (Cho et al. 2014), as PyTorch has it. With `[r, z, n] = x·W + b` and `[r′, z′, n′] =
    /// h·U + d`: `new = tanh(n + σ(r + r′)·n′)`, and the state after it is `(1 − σ(z + z′))·new + σ(z + z′)·h`.
    ///
    /// # Gradient
    ///
    /// To x, h and all weights; see [`lstm`](Var::lstm) for its accuracy.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank), [`Shape`](ErrorKind::Shape) for x, the state and the weights.
    ///
    /// ```
    /// use retrograde::{RnnWeights, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let (input, hidden) = (tape.var(&Tensor::zeros([2, 3])?), tape.var(&Tensor::zeros([1, 3])?));
    /// let weights = RnnWeights { input, hidden, bias: None, hidden_bias: None };
    /// let x = tape.constant(&Tensor::ones([1, 2])?);
    /// let h = tape.var(&Tensor::from([[0.5]]));
    /// let y = x.gru_cell(h, &weights);
    /// assert_eq!(y.item()?, 0.25);
    /// assert_eq!(y.backward()?.wrt(h)?.item()?, 0.5);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn gru_cell(self, h: Var<'t, T>, weights: &RnnWeights<'t, T>) -> Var<'t, T> {
        self.tape().composed("gru_cell", || Ok(step(Cell::Gru, self, &[h], weights)?[0]))
    }

    /// Recurrent layers over a sequence `[steps, batch, in]`: all states of the last layer, `[steps, batch, hidden]`, and the
    /// last state of each, `[layers, batch, hidden]`. See [`lstm`](Var::lstm).
    ///
    /// # Errors
    ///
    /// As [`lstm`](Var::lstm).
    ///
    /// ```
    /// use retrograde::{Nonlinearity, RnnOptions, RnnWeights, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let one = tape.var(&Tensor::from([[1.0]]));
    /// let weights = RnnWeights { input: one, hidden: one, bias: None, hidden_bias: None };
    /// let x = tape.var(&Tensor::from([[[1.0]], [[2.0]], [[3.0]]]));
    /// let (y, h) = x.rnn(None, &[weights], Nonlinearity::Relu, RnnOptions::default());
    /// assert_eq!(y.value()?.to_vec(), [1.0, 3.0, 6.0]);
    /// assert_eq!(h.value()?.to_vec(), [6.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [3.0, 2.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn rnn(
        self,
        h: impl Into<Option<Var<'t, T>>>,
        weights: &[RnnWeights<'t, T>],
        f: Nonlinearity,
        options: RnnOptions<'_>,
    ) -> (Var<'t, T>, Var<'t, T>) {
        let states = [h.into(), None];
        let [y, h, _] = self.tape().composed_many("rnn", || layers(f.cell(), self, states, weights, options));
        (y, h)
    }

    /// Layers of long short-term memory over a sequence `[steps, batch, in]`: all states of the last layer, `[steps, batch,
    /// hidden]`, and the last state and the last cell state of each layer, `[layers, batch, hidden]`. See
    /// [`lstm_cell`](Var::lstm_cell) for a step.
    ///
    /// `weights` has an element for each layer, with `bidirectional` two: forwards, backwards; then the output is `[steps,
    /// batch, 2·hidden]`, and the states are in the same order. The first states have the shape of the last, and are 0 if
    /// not given. All steps' inputs are multiplied in one product, and so are the weights' gradients.
    ///
    /// # Gradient
    ///
    /// To x, the states and all weights. The first order is one operation for a layer in a direction; other orders and
    /// forward mode run its steps again in variables.
    ///
    /// # Accuracy
    ///
    /// At first order a gate's derivative comes from its value, as `y(1 − y)` or `1 − y²`: with absolute, not relative
    /// accuracy where it is saturated.
    ///
    /// # Errors
    ///
    /// [`Rank`](ErrorKind::Rank), [`Shape`](ErrorKind::Shape) for x, the states and the weights;
    /// [`Argument`](ErrorKind::Argument) for no steps, no weights, or weights not in pairs.
    ///
    /// ```
    /// use retrograde::{RnnOptions, RnnWeights, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let (input, hidden) = (tape.var(&Tensor::ones([2, 12])?), tape.var(&Tensor::eye(3)?.repeat_columns()));
    /// # trait Repeat { fn repeat_columns(self) -> Tensor<f64>; }
    /// # impl Repeat for Tensor<f64> { fn repeat_columns(self) -> Tensor<f64> { Tensor::concat(&[&self; 4], 1).unwrap() } }
    /// let weights = RnnWeights { input, hidden, bias: None, hidden_bias: None };
    /// let x = tape.var(&Tensor::ones([7, 4, 2])?);
    /// let (y, h, c) = x.lstm(None, &[weights], RnnOptions::default());
    /// assert_eq!((&y.shape()[..], &h.shape()[..], &c.shape()[..]), (&[7, 4, 3][..], &[1, 4, 3][..], &[1, 4, 3][..]));
    /// assert_eq!(y.sum().backward()?.wrt(hidden)?.shape(), [3, 12]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn lstm(
        self,
        states: impl Into<Option<(Var<'t, T>, Var<'t, T>)>>,
        weights: &[RnnWeights<'t, T>],
        options: RnnOptions<'_>,
    ) -> (Var<'t, T>, Var<'t, T>, Var<'t, T>) {
        let (h, c) = states.into().unzip();
        self.tape().composed_many("lstm", || layers(Cell::Lstm, self, [h, c], weights, options)).into()
    }

    /// Layers of gated recurrent units over a sequence `[steps, batch, in]`: all states of the last layer, and the last state
    /// of each. See [`lstm`](Var::lstm), and [`gru_cell`](Var::gru_cell) for a step.
    ///
    /// # Errors
    ///
    /// As [`lstm`](Var::lstm).
    ///
    /// ```
    /// use retrograde::{RnnOptions, RnnWeights, Tape, Tensor};
    ///
    /// let tape = Tape::<f64>::new();
    /// let (input, hidden) = (tape.var(&Tensor::zeros([2, 3])?), tape.var(&Tensor::zeros([1, 3])?));
    /// let weights = RnnWeights { input, hidden, bias: None, hidden_bias: None };
    /// let (x, h) = (tape.var(&Tensor::ones([3, 1, 2])?), tape.var(&Tensor::ones([1, 1, 1])?));
    /// let (y, last) = x.gru(h, &[weights], RnnOptions::default());
    /// assert_eq!(y.value()?.to_vec(), [0.5, 0.25, 0.125]);
    /// assert_eq!(last.item()?, 0.125);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn gru(
        self,
        h: impl Into<Option<Var<'t, T>>>,
        weights: &[RnnWeights<'t, T>],
        options: RnnOptions<'_>,
    ) -> (Var<'t, T>, Var<'t, T>) {
        let states = [h.into(), None];
        let [y, h, _] =
            self.tape().composed_many("gru", || layers(Cell::Gru, self, states, weights, options));
        (y, h)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    samples::samples()
}

#[cfg(test)]
mod samples;

#[cfg(test)]
mod tests;
