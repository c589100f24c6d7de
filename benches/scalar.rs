//! A chain of 1 000 scalar operations, forward and backward, on a tape that is used again.

#![allow(missing_docs)] // criterion_group makes a public function

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use retrograde::{Gradients, Tape, Tensor, Var};
use std::time::Duration;

const OPERATIONS: usize = 1000;

type Step = for<'t> fn(Var<'t, f32>, Var<'t, f32>) -> Var<'t, f32>;

fn chain(tape: &Tape<f32>, start: &Tensor<f32>, step: Step) -> (Var2, Gradients<f32>) {
    let x = tape.var(start);
    let mut y = x;
    for _ in 0..OPERATIONS {
        y = step(y, x);
    }
    let grads = y.backward().unwrap();
    (Var2 { value: y.item().unwrap(), slope: grads.wrt(x).unwrap().item().unwrap() }, grads)
}

/// What a chain comes to.
struct Var2 {
    value: f32,
    slope: f32,
}

fn scalar(c: &mut Criterion) {
    let chains: [(&str, f32, Step); 4] = [
        ("sin", 0.5, |y, _| y.sin()),
        ("tanh", 0.5, |y, _| y.tanh()),
        ("multiply", 0.999, |y, x| y * x),
        ("add a number", 0.5, |y, _| y + 1e-3),
    ];
    let mut group = c.benchmark_group("scalar chain");
    group.throughput(Throughput::Elements(OPERATIONS as u64));
    for (name, start, step) in chains {
        let start = Tensor::scalar(start);
        let mut tape = Tape::new();
        let (got, _) = chain(&tape, &start, step);
        let (value, slope) = by_hand(name, f64::from(start.item().unwrap()));
        assert!((f64::from(got.value) - value).abs() <= 1e-4 * value.abs(), "{name}: {} {value}", got.value);
        assert!((f64::from(got.slope) - slope).abs() <= 1e-3 * slope.abs(), "{name}: {} {slope}", got.slope);
        group.bench_function(name, |b| {
            b.iter(|| {
                tape.clear();
                chain(&tape, &start, step).1
            });
        });
    }
    group.finish();
}

/// The chain's value and derivative, step by step in double precision.
fn by_hand(name: &str, x: f64) -> (f64, f64) {
    (0..OPERATIONS).fold((x, 1.0), |(y, dy), _| match name {
        "sin" => (y.sin(), dy * y.cos()),
        "tanh" => (y.tanh(), dy * (1.0 - y.tanh().powi(2))),
        "multiply" => (y * x, dy * x + y),
        _ => (y + 1e-3, dy),
    })
}

fn quick() -> Criterion {
    Criterion::default().sample_size(30).measurement_time(Duration::from_secs(1))
}

criterion_group! { name = benches; config = quick(); targets = scalar }
criterion_main!(benches);
