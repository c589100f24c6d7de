//! Layers, forward and backward: layer-norm of 4 096 rows of 1 024, attention of 8 instances of 8 heads of width 64 at 256
//! positions and of one instance at 2 048, plain and causal, and an LSTM of 100 steps of 32 rows, 256 wide.

#![allow(missing_docs)] // criterion_group makes a public function

use criterion::{Criterion, criterion_group, criterion_main};
use retrograde::{AttentionOptions, Generator, RnnOptions, RnnWeights, Tape, Tensor};
use std::time::Duration;

fn random(shape: &[usize], std: f64, seed: u64) -> Tensor<f32> {
    Tensor::normal(shape, 0.0, std, &mut Generator::new(seed)).unwrap()
}

fn layer_norm(c: &mut Criterion) {
    let (x, g) = (random(&[4096, 1024], 1.0, 1), random(&[4096, 1024], 1.0, 2));
    let (w, b) = (random(&[1024], 1.0, 3), random(&[1024], 1.0, 4));
    let mut tape = Tape::new();
    {
        let x = tape.var(&x);
        let y = x.layer_norm([1024], None, None, 1e-5);
        assert!(y.mean_axes(-1).value().unwrap().iter().all(|mean| mean.abs() < 1e-5));
        let dx = y.backward_with(&g).unwrap().wrt(x).unwrap().clone();
        let across = tape.constant(&dx).mean_axes(-1).value().unwrap();
        assert!(across.iter().all(|mean| mean.abs() < 1e-5), "a level has no part in it");
    }
    c.bench_function("layer norm 4096x1024 forward and backward", |bench| {
        bench.iter(|| {
            tape.clear();
            let (x, w, b) = (tape.var(&x), tape.var(&w), tape.var(&b));
            x.layer_norm([1024], w, b, 1e-5).backward_with(&g).unwrap()
        });
    });
}

fn attention(c: &mut Criterion) {
    for (instances, rows, causal) in [(8, 256, false), (8, 256, true), (1, 2048, false), (1, 2048, true)] {
        let shape = [instances, 8, rows, 64];
        let [q, k, v, g] = [1, 2, 3, 4].map(|seed| random(&shape, 1.0, seed));
        let mut tape = Tape::new();
        let options = || AttentionOptions { causal, ..AttentionOptions::default() };
        {
            let [q, k, v] = [&q, &k, &v].map(|x| tape.var(&x.slice(0, 0..1).unwrap()));
            let y = q.attention(k, v, options());
            let composed = q.attention_weights(k, options()).matmul(v);
            assert!(y.value().unwrap().all_close(&composed.value().unwrap(), 1e-4, 1e-5).unwrap());
        }
        let name = format!("attention {instances}x8x{rows}x64{}", if causal { " causal" } else { "" });
        c.bench_function(&format!("{name} forward and backward"), |bench| {
            bench.iter(|| {
                tape.clear();
                let [q, k, v] = [&q, &k, &v].map(|x| tape.var(x));
                q.attention(k, v, options()).backward_with(&g).unwrap()
            });
        });
    }
}

fn lstm(c: &mut Criterion) {
    let (x, g) = (random(&[100, 32, 256], 1.0, 1), random(&[100, 32, 256], 1.0, 2));
    let [w, u] = [3, 4].map(|seed| random(&[256, 1024], 0.06, seed));
    let b = random(&[1024], 0.1, 5);
    let mut tape = Tape::new();
    {
        let (x, own) = (tape.var(&x.slice(0, 0..3).unwrap()), weights(&tape, &w, &u, &b));
        let (y, ..) = x.lstm(None, &[own], RnnOptions::default());
        let zero = tape.constant(&Tensor::zeros([32, 256]).unwrap());
        let mut state = (zero, zero);
        for step in 0..3 {
            state = x.slice(0, step..step + 1).squeeze(0).lstm_cell(state.0, state.1, &own);
        }
        let last = y.slice(0, -1..).squeeze(0).value().unwrap();
        assert!(last.all_close(&state.0.value().unwrap(), 1e-4, 1e-5).unwrap());
    }
    c.bench_function("lstm 100 steps of 32x256 forward and backward", |bench| {
        bench.iter(|| {
            tape.clear();
            let own = weights(&tape, &w, &u, &b);
            let (y, ..) = tape.var(&x).lstm(None, &[own], RnnOptions::default());
            y.backward_with(&g).unwrap()
        });
    });
}

fn weights<'t>(
    tape: &'t Tape<f32>,
    w: &Tensor<f32>,
    u: &Tensor<f32>,
    b: &Tensor<f32>,
) -> RnnWeights<'t, f32> {
    RnnWeights { input: tape.var(w), hidden: tape.var(u), bias: Some(tape.var(b)), hidden_bias: None }
}

fn quick() -> Criterion {
    Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = quick(); targets = layer_norm, attention, lstm }
criterion_main!(benches);
