//! Softmax of 1024 rows of 1000, forward and backward, and its backward closure in both forms: factored, O(n) a row,
//! and contracting with the materialised Jacobian, O(n²) a row.

#![allow(missing_docs)] // criterion_group makes a public function

use criterion::{Criterion, criterion_group, criterion_main};
use retrograde::{Contraction, Generator, Tape, Tensor};
use std::time::Duration;

fn close(a: &Tensor<f32>, b: &Tensor<f32>) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-6)
}

fn softmax(c: &mut Criterion) {
    let mut random = Generator::new(2);
    let x = Tensor::<f32>::normal([1024, 1000], 0.0, 2.0, &mut random).unwrap();
    let g = Tensor::<f32>::normal([1024, 1000], 0.0, 1.0, &mut random).unwrap();
    let mut tape = Tape::new();
    {
        let y = tape.var(&x).softmax(-1);
        let sums = y.sum_axes(-1).value().unwrap();
        assert!(sums.iter().all(|s| (s - 1.0).abs() < 1e-5), "each row sums to 1");
        let rows = y.backward_with(&g).unwrap();
        let total: f32 = rows.iter().next().unwrap().slice(0, 0..1).unwrap().iter().sum();
        assert!(total.abs() < 1e-5, "each row of the gradient sums to 0");
    }
    c.bench_function("softmax 1024x1000 forward", |b| {
        b.iter(|| {
            tape.clear();
            tape.var(&x).softmax(-1).value().unwrap()
        });
    });
    c.bench_function("softmax 1024x1000 forward and backward", |b| {
        b.iter(|| {
            tape.clear();
            tape.var(&x).softmax(-1).backward_with(&g).unwrap()
        });
    });
    tape.clear();
    let y = tape.var(&x).softmax(-1);
    c.bench_function("softmax 1024x1000 backward", |b| b.iter(|| y.backward_with(&g).unwrap()));

    // The materialised Jacobian of 1024 rows would take 4 GB: 32 rows of 200 show the ratio.
    let rows =
        |t: &Tensor<f32>| t.slice(0, 0..32).and_then(|t| t.slice(1, 0..200)).unwrap().contiguous().unwrap();
    let (x, g) = (rows(&x), rows(&g));
    let tape = Tape::new();
    let v = tape.var(&x);
    let forms = [("factored", Contraction::Factored), ("materialised", Contraction::Materialised)];
    let [factored, materialised] = forms.map(|(name, contraction)| {
        let y = v.softmax_by(-1, 1.0, contraction);
        c.bench_function(&format!("softmax 32x200 backward, {name}"), |b| {
            b.iter(|| y.backward_with(&g).unwrap());
        });
        y.backward_with(&g).unwrap().wrt(v).unwrap().clone()
    });
    assert!(close(&factored, &materialised));
}

fn quick() -> Criterion {
    Criterion::default().sample_size(20).measurement_time(Duration::from_secs(1))
}

criterion_group! { name = benches; config = quick(); targets = softmax }
criterion_main!(benches);
