//! What recurrent cells and layers are tried on.

use super::*;
use crate::conformance::{Inputs, Sample, sample, shapes, wrong};

/// x, first states, and the weights of a layer.
fn cells(gates: usize) -> Inputs {
    let mut cases = Vec::new();
    for (n, width, hidden) in [(2, 3, 2), (1, 1, 1), (0, 2, 2), (3, 2, 1)] {
        let columns = gates * hidden;
        let state = vec![n, hidden];
        cases.push(vec![
            vec![n, width],
            state.clone(),
            state,
            vec![width, columns],
            vec![hidden, columns],
            vec![columns],
            vec![columns],
        ]);
    }
    in_range(&cases)
}

fn sequences(gates: usize, layers: usize) -> Inputs {
    let mut cases = Vec::new();
    // Deep ones are small: every order of every element is checked.
    let small: &[[usize; 4]] =
        if layers > 2 { &[[2, 1, 2, 1]] } else { &[[3, 2, 2, 2], [1, 1, 2, 1], [2, 0, 2, 1]] };
    for &[steps, n, width, hidden] in small {
        let columns = gates * hidden;
        let state = vec![layers, n, hidden];
        cases.push(vec![
            vec![steps, n, width],
            state.clone(),
            state,
            vec![width, columns],
            vec![hidden, columns],
            vec![columns],
            vec![columns],
        ]);
    }
    in_range(&cases)
}

fn in_range(cases: &[Vec<Vec<usize>>]) -> Inputs {
    let slices: Vec<Vec<&[usize]>> =
        cases.iter().map(|case| case.iter().map(|shape| &shape[..]).collect()).collect();
    let slices: Vec<&[&[usize]]> = slices.iter().map(|case| &case[..]).collect();
    shapes(&slices, -1.0, 1.0)
}

fn weights<'t, T: Real>(x: &[Var<'t, T>]) -> RnnWeights<'t, T> {
    RnnWeights { input: x[3], hidden: x[4], bias: Some(x[5]), hidden_bias: Some(x[6]) }
}

fn bare<'t, T: Real>(x: &[Var<'t, T>]) -> RnnWeights<'t, T> {
    RnnWeights { bias: None, hidden_bias: None, ..weights(x) }
}

/// One variable of all elements.
fn all<'t, T: Real>(parts: &[Var<'t, T>]) -> Var<'t, T> {
    let flat: Vec<_> = parts.iter().map(|part| part.ravel()).collect();
    parts[0].tape().concat(&flat, 0)
}

/// What is not used, so that it has a derivative of 0 and not an error.
fn unused<'t, T: Real>(x: &[Var<'t, T>]) -> Var<'t, T> {
    x.iter().fold(x[0].constant(1.0), |sum, x| sum + x.sum() * 0.5)
}

fn plain() -> RnnOptions<'static> {
    RnnOptions::default()
}

fn both() -> RnnOptions<'static> {
    RnnOptions { bidirectional: true, dropout: None }
}

/// A second layer of these weights, on the states of the first, both directions of them.
fn wide<'t, T: Real>(x: &[Var<'t, T>], twice: bool) -> RnnWeights<'t, T> {
    let from = if twice { x[0].tape().concat(&[x[4], x[4].tanh()], 0) } else { x[4].tanh() };
    RnnWeights { input: from, hidden: x[4].sin(), bias: None, hidden_bias: Some(x[6]) }
}

pub(super) fn samples() -> Vec<Sample> {
    let mut found = vec![
        sample!("rnn_cell", cells(1), |x| x[0].rnn_cell(x[1], &weights(x), Nonlinearity::Tanh)
            * unused(&x[2..3])),
        sample!("lstm_cell", cells(4), |x| {
            let (h, c) = x[0].lstm_cell(x[1], x[2], &weights(x));
            all(&[h, c])
        }),
        sample!("lstm_cell's cell state alone", cells(4), |x| {
            let (_, c) = x[0].lstm_cell(x[1], x[2], &bare(x));
            c * unused(&x[5..])
        }),
        sample!("gru_cell", cells(3), |x| x[0].gru_cell(x[1], &weights(x)) * unused(&x[2..3])),
        sample!("gru_cell without biases", cells(3), |x| x[0].gru_cell(x[1], &bare(x)) * unused(&x[2..])),
        sample!("rnn", sequences(1, 1), |x| {
            let (y, h) = x[0].rnn(x[1], &[weights(x)], Nonlinearity::Tanh, plain());
            all(&[y, h]) * unused(&x[2..3])
        }),
        sample!("rnn of two layers", sequences(1, 2), |x| {
            let (y, h) = x[0].rnn(x[1], &[weights(x), wide(x, false)], Nonlinearity::Tanh, plain());
            all(&[y, h]) * unused(&x[2..3])
        }),
        sample!("lstm", sequences(4, 1), |x| {
            let (y, h, c) = x[0].lstm((x[1], x[2]), &[weights(x)], plain());
            all(&[y, h, c])
        }),
        sample!("lstm both ways", sequences(4, 2), |x| {
            let (y, h, c) = x[0].lstm((x[1], x[2]), &[weights(x), bare(x)], both());
            all(&[y, h, c])
        }),
        sample!("lstm of two layers both ways that drops", sequences(4, 4), |x| {
            let mut from = Generator::new(3);
            let options = RnnOptions { dropout: Some((0.3, &mut from)), ..both() };
            let (y, h, c) = x[0].lstm(None, &[weights(x), bare(x), wide(x, true), wide(x, true)], options);
            all(&[y, h, c]) * unused(&x[1..3])
        }),
        sample!("gru", sequences(3, 1), |x| {
            let (y, h) = x[0].gru(x[1], &[weights(x)], plain());
            all(&[y, h]) * unused(&x[2..3])
        }),
        sample!("gru both ways", sequences(3, 2), |x| {
            let (y, h) = x[0].gru(x[1], &[weights(x), bare(x)], both());
            all(&[y, h]) * unused(&x[2..3])
        }),
    ];
    // With a relu, sums stay away from 0: all weights are positive.
    found.push(sample!(
        "rnn of positive parts",
        shapes(&[&[&[3, 2, 2], &[1, 2, 2], &[], &[2, 2], &[2, 2], &[2], &[2]]], 0.1, 1.0),
        |x| {
            let (y, h) = x[0].rnn(x[1], &[weights(x)], Nonlinearity::Relu, plain());
            all(&[y, h]) * x[2]
        }
    ));
    found.extend(wrongs());
    found
}

fn wrongs() -> Vec<Sample> {
    vec![
        wrong!(
            "rnn_cell",
            &[&[2], &[2, 2], &[], &[3, 2], &[2, 2]],
            |x| x[0].rnn_cell(
                x[1],
                &RnnWeights { input: x[3], hidden: x[4], bias: None, hidden_bias: None },
                Nonlinearity::Tanh
            ),
            "shape [2] has rank 1, wanted 2, rows of the batch"
        ),
        wrong!(
            "rnn_cell",
            &[&[2, 3], &[2, 2], &[], &[2, 2], &[2, 2], &[2], &[2]],
            |x| x[0].rnn_cell(x[1], &weights(x), Nonlinearity::Tanh),
            "the input's weight has shape [2, 2], wanted [3, 2]"
        ),
        wrong!(
            "lstm_cell",
            &[&[2, 3], &[2, 2], &[2, 2], &[3, 8], &[2, 6], &[8], &[8]],
            |x| x[0].lstm_cell(x[1], x[2], &weights(x)).0,
            "the recurrent weight has shape [2, 6], wanted [2, 8]"
        ),
        wrong!(
            "lstm_cell",
            &[&[2, 3], &[2, 2], &[1, 2], &[3, 8], &[2, 8], &[8], &[8]],
            |x| x[0].lstm_cell(x[1], x[2], &weights(x)).1,
            "the state has shape [1, 2], wanted [2, 2]"
        ),
        wrong!(
            "gru_cell",
            &[&[2, 3], &[2, 2], &[], &[3, 6], &[2, 6], &[6], &[2]],
            |x| x[0].gru_cell(x[1], &weights(x)),
            "the bias has shape [2], wanted [6]"
        ),
        wrong!(
            "gru_cell",
            &[&[2, 3], &[2, 2], &[], &[3, 6], &[6], &[6], &[6]],
            |x| x[0].gru_cell(x[1], &weights(x)),
            "shape [6] has rank 1, wanted 2"
        ),
        wrong!(
            "lstm",
            &[&[2, 3], &[1, 2, 2], &[1, 2, 2], &[3, 8], &[2, 8], &[8], &[8]],
            |x| x[0].lstm(None, &[weights(x)], plain()).0,
            "shape [2, 3] has rank 2, wanted 3: steps, batch, width"
        ),
        wrong!(
            "lstm",
            &[&[0, 2, 3], &[1, 2, 2], &[1, 2, 2], &[3, 8], &[2, 8], &[8], &[8]],
            |x| x[0].lstm(None, &[weights(x)], plain()).0,
            "the number of steps is 0, wanted at least 1"
        ),
        wrong!(
            "lstm",
            &[&[2, 2, 3], &[1, 2, 2], &[1, 2, 2], &[3, 8], &[2, 8], &[8], &[8]],
            |x| x[0].lstm(None, &[weights(x)], both()).0,
            "the number of weights is 1, wanted pairs, at least one"
        ),
        wrong!(
            "gru",
            &[&[2, 2, 3]],
            |x| x[0].gru(None, &[], plain()).0,
            "the number of weights is 0, wanted at least 1"
        ),
        wrong!(
            "gru",
            &[&[2, 2, 3], &[2, 2], &[], &[3, 6], &[2, 6], &[6], &[6]],
            |x| x[0].gru(x[1], &[weights(x)], plain()).0,
            "the state has shape [2, 2], wanted [1, 2, 2]"
        ),
        wrong!(
            "rnn",
            &[&[2, 2, 3], &[2, 2], &[], &[3, 2], &[2, 2], &[3], &[2]],
            |x| x[0].rnn(None, &[weights(x)], Nonlinearity::Tanh, plain()).1,
            "the bias has shape [3], wanted [2]"
        ),
    ]
}
