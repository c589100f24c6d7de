//! Matrix products from 64 to 2048, `f32` and `f64`.

#![allow(missing_docs)] // criterion_group makes a public function

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use retrograde::{Generator, Real, Tape, Tensor};
use std::time::Duration;

fn square<T: Real>(n: usize, random: &mut Generator) -> Tensor<T> {
    Tensor::uniform([n, n], -1.0..1.0, random).unwrap()
}

/// A few elements against sums in double precision.
fn assert_right<T: Real>(a: &Tensor<T>, b: &Tensor<T>, product: &Tensor<T>) {
    let n = a.shape()[0];
    for (i, j) in [(0, 0), (n / 2, n - 1), (n - 1, n / 3)] {
        let sum: f64 = (0..n).map(|k| a[[i, k]].to_f64() * b[[k, j]].to_f64()).sum();
        let error = (product[[i, j]].to_f64() - sum).abs();
        assert!(error <= 20.0 * T::EPSILON.to_f64() * (n as f64).sqrt(), "{error:e}");
    }
}

fn products<T: Real>(c: &mut Criterion) {
    let mut group = c.benchmark_group(format!("matmul {}", T::DTYPE));
    let mut random = Generator::new(4);
    for n in [64, 128, 256, 512, 1024, 2048] {
        let (a, b) = (square::<T>(n, &mut random), square::<T>(n, &mut random));
        let mut tape = Tape::new();
        assert_right(&a, &b, &tape.constant(&a).matmul(tape.constant(&b)).value().unwrap());
        // Counted in multiply-adds: twice as many floating-point operations.
        group.throughput(Throughput::Elements((n * n * n) as u64));
        group.bench_function(BenchmarkId::from_parameter(n), |bench| {
            bench.iter(|| {
                tape.clear();
                tape.constant(&a).matmul(tape.constant(&b)).value().unwrap()
            });
        });
    }
    group.finish();
}

fn matmul(c: &mut Criterion) {
    products::<f32>(c);
    products::<f64>(c);
}

fn quick() -> Criterion {
    Criterion::default().sample_size(10).measurement_time(Duration::from_millis(800))
}

criterion_group! { name = benches; config = quick(); targets = matmul }
criterion_main!(benches);
