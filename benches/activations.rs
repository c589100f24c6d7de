//! Every activation, forward and backward, from 2^10 to 2^22 elements of `f32`.

#![allow(missing_docs)] // criterion_group makes a public function

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use retrograde::{Generator, Tape, Tensor, Var};
use std::time::Duration;

type Apply = for<'t> fn(Var<'t, f32>) -> Var<'t, f32>;

/// The name, the function, and its derivative at 0.5 to check against.
const ACTIVATIONS: [(&str, Apply); 27] = [
    ("identity", |x| x.identity()),
    ("sigmoid", |x| x.sigmoid()),
    ("tanh", |x| x.tanh()),
    ("relu", |x| x.relu()),
    ("leaky_relu", |x| x.leaky_relu(0.01)),
    ("prelu", |x| x.prelu(x.tape().scalar(0.25))),
    ("elu", |x| x.elu(1.0)),
    ("selu", |x| x.selu()),
    ("celu", |x| x.celu(1.3)),
    ("gelu", |x| x.gelu()),
    ("gelu_tanh", |x| x.gelu_tanh()),
    ("silu", |x| x.silu()),
    ("mish", |x| x.mish()),
    ("softplus", |x| x.softplus(1.0)),
    ("softsign", |x| x.softsign()),
    ("hardtanh", |x| x.hardtanh(-1.0, 1.0)),
    ("hardsigmoid", |x| x.hardsigmoid()),
    ("hardswish", |x| x.hardswish()),
    ("relu6", |x| x.relu6()),
    ("log_sigmoid", |x| x.log_sigmoid()),
    ("tanhshrink", |x| x.tanhshrink()),
    ("softshrink", |x| x.softshrink(0.5)),
    ("hardshrink", |x| x.hardshrink(0.5)),
    ("threshold", |x| x.threshold(0.5, 2.0)),
    ("glu", |x| x.glu(-1)),
    ("maxout", |x| x.maxout(-1, 2)),
    ("exp", |x| x.exp()),
];

/// The gradient of each element against a central difference, on a few elements away from kinks.
fn assert_right(name: &str, apply: Apply) {
    let points = [-1.7f32, -0.8, -0.3, 0.2, 0.9, 2.1];
    let at = |points: &[f32]| {
        let tape = Tape::new();
        let x = tape.var(&points.iter().copied().collect());
        let y = apply(x);
        let value: f64 = y.value().unwrap().iter().map(f64::from).sum();
        (value, y.sum().backward().unwrap().wrt(x).unwrap().to_vec())
    };
    let (_, gradient) = at(&points);
    for i in 0..points.len() {
        let moved = |by: f32| {
            let mut points = points;
            points[i] += by;
            at(&points).0
        };
        let difference = (moved(1e-2) - moved(-1e-2)) / 2e-2;
        assert!((difference - f64::from(gradient[i])).abs() < 2e-3, "{name} at {}: {difference}", points[i]);
    }
}

fn activations(c: &mut Criterion) {
    for (name, apply) in ACTIVATIONS {
        assert_right(name, apply);
        let mut group = c.benchmark_group(name);
        for power in [10, 14, 18, 22] {
            let n = 1 << power;
            group.throughput(Throughput::Elements(n as u64));
            let data = Tensor::normal([n], 0.0, 1.5, &mut Generator::new(1)).unwrap();
            let mut tape = Tape::new();
            group.bench_function(BenchmarkId::new("forward", format!("2^{power}")), |b| {
                b.iter(|| {
                    tape.clear();
                    apply(tape.var(&data)).value().unwrap()
                });
            });
            tape.clear();
            let x = tape.var(&data);
            let y = apply(x);
            let seed = Tensor::ones(y.shape()).unwrap();
            group.bench_function(BenchmarkId::new("backward", format!("2^{power}")), |b| {
                b.iter(|| y.backward_with(&seed).unwrap());
            });
        }
        group.finish();
    }
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(200))
}

criterion_group! { name = benches; config = quick(); targets = activations }
criterion_main!(benches);
