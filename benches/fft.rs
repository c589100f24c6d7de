//! Fourier transforms: of one row of 2¹⁸ real numbers in both precisions, of 256 rows of 1 024, of a picture of 512² and of
//! 2¹⁶ complex numbers; forward, and forward and backward.

#![allow(missing_docs)] // criterion_group makes a public function

use criterion::{Criterion, criterion_group, criterion_main};
use retrograde::fft::{Complex, Norm};
use retrograde::{Generator, Real, Tape, Tensor};
use std::f64::consts::TAU;
use std::time::Duration;

fn random<T: Real>(shape: &[usize], seed: u64) -> Tensor<T> {
    Tensor::normal(shape, 0.0, 1.0, &mut Generator::new(seed)).unwrap()
}

/// The transform of a row of real numbers at one frequency, summed as it is written, beside the one measured.
fn row<T: Real>(c: &mut Criterion, shape: &[usize], precision: &str, tolerance: f64) {
    let n = shape[shape.len() - 1];
    let x = random::<T>(shape, 1);
    let mut tape = Tape::new();
    {
        let own = tape.var(&x);
        let z = own.rfft(None, -1, Norm::Backward);
        let (re, im) = z.values().unwrap();
        let (re, im) = (re.to_vec(), im.to_vec());
        for j in [0, 1, n / 3, n / 2] {
            let mut sum = (0.0, 0.0);
            for (k, x) in x.to_vec()[..n].iter().enumerate() {
                let (sin, cos) = (TAU * (j * k % n) as f64 / n as f64).sin_cos();
                sum = (sum.0 + x.to_f64() * cos, sum.1 - x.to_f64() * sin);
            }
            let apart = (sum.0 - re[j].to_f64()).hypot(sum.1 - im[j].to_f64());
            assert!(apart < tolerance * (n as f64).sqrt(), "frequency {j}: {apart:e}");
        }
        // Parseval's theorem: what is between the ends of the half stands for two numbers.
        let square = (z.abs_square().sum() * 2.0
            - z.re.slice(-1, ..1).square().sum()
            - z.re.slice(-1, -1..).square().sum())
            / n as f64;
        let grads = square.backward().unwrap();
        assert!(grads.wrt(own).unwrap().all_close(&(&x * 2.0), tolerance, 4.0 * tolerance).unwrap());
    }
    let shape = shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
    c.bench_function(&format!("rfft {shape} {precision} forward"), |bench| {
        bench.iter(|| {
            tape.clear();
            tape.constant(&x).rfft(None, -1, Norm::Backward).values().unwrap()
        });
    });
    let (g, h) = tape.constant(&x).rfft(None, -1, Norm::Backward).values().unwrap();
    c.bench_function(&format!("rfft {shape} {precision} forward and backward"), |bench| {
        bench.iter(|| {
            tape.clear();
            let z = tape.var(&x).rfft(None, -1, Norm::Backward);
            tape.backward_many([(z.re, &g), (z.im, &h)]).unwrap()
        });
    });
}

fn rows(c: &mut Criterion) {
    row::<f32>(c, &[1 << 18], "f32", 2e-6);
    row::<f64>(c, &[1 << 18], "f64", 1e-12);
    row::<f32>(c, &[256, 1024], "f32", 2e-6);
}

fn pictures(c: &mut Criterion) {
    let x = random::<f32>(&[512, 512], 4);
    let mut tape = Tape::new();
    let back = tape.constant(&x).rfft2(None, Norm::Ortho).irfft2(None, Norm::Ortho).value().unwrap();
    assert!(back.all_close(&x, 1e-5, 1e-5).unwrap());
    let (g, h) = tape.constant(&x).rfft2(None, Norm::Ortho).values().unwrap();
    c.bench_function("rfft2 512x512 f32 forward and backward", |bench| {
        bench.iter(|| {
            tape.clear();
            let z = tape.var(&x).rfft2(None, Norm::Ortho);
            tape.backward_many([(z.re, &g), (z.im, &h)]).unwrap()
        });
    });
}

fn complex(c: &mut Criterion) {
    let (x, y) = (random::<f64>(&[1 << 16], 5), random::<f64>(&[1 << 16], 6));
    let mut tape = Tape::new();
    {
        let z = Complex::new(tape.constant(&x), tape.constant(&y)).fft(None, 0, Norm::Ortho);
        let (re, im) = z.ifft(None, 0, Norm::Ortho).values().unwrap();
        assert!(re.all_close(&x, 1e-12, 1e-12).unwrap() && im.all_close(&y, 1e-12, 1e-12).unwrap());
    }
    c.bench_function("fft 65536 f64 forward and backward", |bench| {
        bench.iter(|| {
            tape.clear();
            let z = Complex::new(tape.var(&x), tape.var(&y)).fft(None, 0, Norm::Ortho);
            tape.backward_many([(z.re, &x), (z.im, &y)]).unwrap()
        });
    });
}

fn quick() -> Criterion {
    Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = quick(); targets = rows, pictures, complex }
criterion_main!(benches);
