use super::*;
use crate::tape::Tape;

fn random(shape: &[usize], seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 0.5, &mut Generator::new(seed)).unwrap()
}

fn drawn<'t>(tape: &'t Tape<f64>, [width, hidden, columns]: [usize; 3], seed: u64) -> RnnWeights<'t, f64> {
    RnnWeights {
        input: tape.var(&random(&[width, columns], seed)),
        hidden: tape.var(&random(&[hidden, columns], seed + 1)),
        bias: Some(tape.var(&random(&[columns], seed + 2))),
        hidden_bias: Some(tape.var(&random(&[columns], seed + 3))),
    }
}

/// The LSTM's step by its definition, in variables.
fn lstm_step<'t>(
    x: Var<'t, f64>,
    h: Var<'t, f64>,
    c: Var<'t, f64>,
    w: &RnnWeights<'t, f64>,
) -> [Var<'t, f64>; 2] {
    let z = x.matmul(w.input) + w.bias.unwrap() + h.matmul(w.hidden) + w.hidden_bias.unwrap();
    let width = h.shape()[1] as isize;
    let gate = |k: isize| z.slice(1, k * width..(k + 1) * width);
    let c = gate(1).sigmoid() * c + gate(0).sigmoid() * gate(2).tanh();
    [gate(3).sigmoid() * c.tanh(), c]
}

/// Large enough to run in the thread pool.
#[test]
fn a_layer_is_its_steps_one_after_another_in_either_direction() {
    let tape = Tape::new();
    let (steps, n, width, hidden) = (7, 5, 12, 24);
    let x = tape.var(&random(&[steps, n, width], 1));
    let (h, c) = (tape.var(&random(&[2, n, hidden], 2)), tape.var(&random(&[2, n, hidden], 3)));
    let weights = [10, 20].map(|seed| drawn(&tape, [width, hidden, 4 * hidden], seed));
    let options = RnnOptions { bidirectional: true, dropout: None };
    let (y, last_h, last_c) = x.lstm((h, c), &weights, options);
    let mut sides = vec![];
    let mut ends = vec![];
    for (d, w) in weights.iter().enumerate() {
        let mut state = [h, c].map(|s| s.slice(0, d as isize..d as isize + 1).squeeze(0));
        let mut states = vec![];
        for step in 0..steps as isize {
            let at = if d == 1 { steps as isize - 1 - step } else { step };
            state = lstm_step(x.slice(0, at..at + 1).squeeze(0), state[0], state[1], w);
            states.push(state[0]);
        }
        if d == 1 {
            states.reverse();
        }
        sides.push(tape.stack(&states, 0));
        ends.push(state);
    }
    let plain = tape.concat(&sides, -1);
    let plain_h = tape.stack(&[ends[0][0], ends[1][0]], 0);
    let plain_c = tape.stack(&[ends[0][1], ends[1][1]], 0);
    for (a, b) in [(y, plain), (last_h, plain_h), (last_c, plain_c)] {
        assert!(a.value().unwrap().all_close(&b.value().unwrap(), 1e-13, 1e-14).unwrap());
    }
    let a = (y.square().sum() + last_h.sum() + last_c.square().sum()).backward().unwrap();
    let b = (plain.square().sum() + plain_h.sum() + plain_c.square().sum()).backward().unwrap();
    for v in
        [x, h, c, weights[0].input, weights[0].hidden, weights[1].hidden, weights[1].hidden_bias.unwrap()]
    {
        assert!(a.wrt(v).unwrap().all_close(b.wrt(v).unwrap(), 1e-11, 1e-12).unwrap());
    }
}

#[test]
fn layers_take_each_others_states_and_cells_are_layers_of_one_step() {
    let tape = Tape::new();
    let x = tape.var(&random(&[3, 2, 4], 1));
    let w = [drawn(&tape, [4, 3, 9], 10), drawn(&tape, [3, 2, 6], 20)];
    let (y, last) = x.gru(None, &w[..1], RnnOptions::default());
    let mut h = tape.constant(&Tensor::zeros([2, 3]).unwrap());
    for step in 0..3 {
        h = x.slice(0, step..step + 1).squeeze(0).gru_cell(h, &w[0]);
    }
    assert!(last.squeeze(0).value().unwrap().all_close(&h.value().unwrap(), 1e-14, 0.0).unwrap());
    let error = x.gru(None, &[w[0], w[0]], RnnOptions::default()).0.value().unwrap_err();
    assert_eq!(error.kind().to_string(), "the input's weight has shape [4, 9], wanted [3, 9]");
    let (twice, _) = x.gru(None, &w, RnnOptions::default());
    let (again, _) = y.gru(None, &w[1..], RnnOptions::default());
    assert_eq!(twice.value().unwrap(), again.value().unwrap());
}

#[test]
fn a_relu_has_slope_0_where_its_state_is_0_and_nan_where_it_is_nan() {
    let tape = Tape::new();
    let one = tape.constant(&Tensor::from([[1.0]]));
    let weights = RnnWeights { input: one, hidden: one, bias: None, hidden_bias: None };
    let x = tape.var(&Tensor::from([[0.0], [f64::NAN], [-1.0], [2.0]]));
    let h = tape.constant(&Tensor::zeros([4, 1]).unwrap());
    let y = x.rnn_cell(h, &weights, Nonlinearity::Relu);
    let g = y.sum().backward().unwrap().wrt(x).unwrap().to_vec();
    assert!(g[1].is_nan() && [g[0], g[2], g[3]] == [0.0, 0.0, 1.0], "{g:?}");
}

#[test]
fn what_is_dropped_lies_between_layers_alone() {
    let tape = Tape::new();
    let x = tape.var(&random(&[3, 2, 4], 1));
    let w = [drawn(&tape, [4, 3, 3], 10), drawn(&tape, [3, 3, 3], 20)];
    let mut from = Generator::new(1);
    let mut run = |layers: usize, p: f64| {
        let options = RnnOptions { dropout: Some((p, &mut from)), ..RnnOptions::default() };
        x.rnn(None, &w[..layers], Nonlinearity::Tanh, options).0.value().unwrap()
    };
    let plain = |layers: usize| {
        x.rnn(None, &w[..layers], Nonlinearity::Tanh, RnnOptions::default()).0.value().unwrap()
    };
    assert_eq!(run(1, 1.0), plain(1));
    assert_eq!(run(2, 0.0), plain(2));
    assert_ne!(run(2, 1.0), plain(2));
}
