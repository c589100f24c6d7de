//! Convolutions, forward and with all gradients: 64 channels at 56×56 on a batch of 8 (three by three taps, stride 2, one
//! tap, depthwise), a residual block of them, and a step of LeNet. A product of 1 024³ in the same run shows the machine's
//! peak.

#![allow(missing_docs)] // criterion_group makes a public function

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use retrograde::{Conv, Generator, Pool, Reduction, Tape, Tensor, Var};
use std::time::Duration;

fn normal(shape: &[usize], std: f64, random: &mut Generator) -> Tensor<f32> {
    Tensor::normal(shape, 0.0, std, random).unwrap()
}

/// One element of a convolution of stride 1 with 3×3 taps and padding 1, in double precision.
fn element(x: &Tensor<f32>, w: &Tensor<f32>, [n, f, i, j]: [usize; 4]) -> f64 {
    let (size, channels) = (x.shape()[2], x.shape()[1]);
    let mut sum = 0.0;
    for c in 0..channels {
        for (a, b) in (0..3).flat_map(|a| (0..3).map(move |b| (a, b))) {
            let (y, x_) = (i + a, j + b);
            if (1..=size).contains(&y) && (1..=size).contains(&x_) {
                sum += f64::from(x[[n, c, y - 1, x_ - 1]]) * f64::from(w[[f, c, a, b]]);
            }
        }
    }
    sum
}

/// Gradients of a convolution as of a bilinear function: ⟨g, y⟩ = ⟨x̄, x⟩ = ⟨w̄, w⟩.
fn assert_adjoint(x: &Tensor<f32>, w: &Tensor<f32>, options: Conv) {
    let tape = Tape::new();
    let (vx, vw) = (tape.var(x), tape.var(w));
    let y = vx.conv2d(vw, None, options);
    let g = y.value().unwrap();
    let grads = y.backward_with(&g).unwrap();
    let dot = |a: &Tensor<f32>, b: &Tensor<f32>| {
        a.iter().zip(b).map(|(a, b)| f64::from(a) * f64::from(b)).sum::<f64>()
    };
    let square = dot(&g, &g);
    for (part, of) in [(grads.wrt(vx).unwrap(), x), (grads.wrt(vw).unwrap(), w)] {
        let error = (dot(part, of) - square).abs() / square;
        assert!(error < 1e-4, "{error:e}");
    }
}

fn convolutions(c: &mut Criterion) {
    let mut random = Generator::new(9);
    let mut group = c.benchmark_group("convolution f32");
    let (a, b) = (normal(&[1024, 1024], 1.0, &mut random), normal(&[1024, 1024], 1.0, &mut random));
    // Counted in multiply-adds: twice as many floating-point operations.
    group.throughput(Throughput::Elements(1 << 30));
    let mut tape = Tape::new();
    group.bench_function("the peak: a product of 1024", |bench| {
        bench.iter(|| {
            tape.clear();
            tape.constant(&a).matmul(tape.constant(&b)).value().unwrap()
        });
    });
    let x = normal(&[8, 64, 56, 56], 1.0, &mut random);
    let cases = [
        ("3x3", normal(&[64, 64, 3, 3], 0.05, &mut random), Conv::new().padding(1)),
        ("3x3 stride 2", normal(&[128, 64, 3, 3], 0.05, &mut random), Conv::new().padding(1).stride(2)),
        ("1x1", normal(&[64, 64, 1, 1], 0.1, &mut random), Conv::new()),
        ("depthwise 3x3", normal(&[64, 1, 3, 3], 0.3, &mut random), Conv::new().padding(1).groups(64)),
    ];
    let tape = Tape::new();
    let y = tape.constant(&x).conv2d(tape.constant(&cases[0].1), None, cases[0].2).value().unwrap();
    for at in [[0, 0, 0, 0], [7, 63, 55, 55], [3, 17, 30, 41]] {
        let error = (f64::from(y[at]) - element(&x, &cases[0].1, at)).abs();
        assert!(error < 1e-4, "{error:e}");
    }
    for (name, w, options) in &cases {
        assert_adjoint(&x, w, *options);
        let mut tape = Tape::new();
        let y = tape.constant(&x).conv2d(tape.constant(w), None, *options).value().unwrap();
        let work = (y.len() * w.len() / w.shape()[0]) as u64;
        group.throughput(Throughput::Elements(work));
        group.bench_function(format!("{name}, forward"), |bench| {
            bench.iter(|| {
                tape.clear();
                tape.constant(&x).conv2d(tape.constant(w), None, *options).value().unwrap()
            });
        });
        let g = normal(y.shape(), 1.0, &mut random);
        group.throughput(Throughput::Elements(3 * work));
        group.bench_function(format!("{name}, forward and both gradients"), |bench| {
            bench.iter(|| {
                tape.clear();
                tape.var(&x).conv2d(tape.var(w), None, *options).backward_with(&g).unwrap()
            });
        });
    }
    group.finish();
}

/// relu(x + conv(relu(conv(x)))), averaged.
fn block<'t>(x: Var<'t, f32>, [w1, b1, w2, b2]: [Var<'t, f32>; 4]) -> Var<'t, f32> {
    let options = Conv::new().padding(1);
    let h = x.conv2d(w1, Some(b1), options).relu();
    (h.conv2d(w2, Some(b2), options) + x).relu().mean()
}

/// LeNet-5 with relu and the largest of windows: two convolutions, three layers, cross-entropy.
fn lenet<'t>(images: Var<'t, f32>, targets: &Tensor<i64>, p: &[Var<'t, f32>]) -> Var<'t, f32> {
    let h = images.conv2d(p[0], Some(p[1]), Conv::new().padding(2)).relu().max_pool2d(Pool::new(2));
    let h = h.conv2d(p[2], Some(p[3]), Conv::new()).relu().max_pool2d(Pool::new(2)).flatten(1, -1);
    let h = h.linear(p[4], p[5]).relu().linear(p[6], p[7]).relu().linear(p[8], p[9]);
    h.cross_entropy(targets, Reduction::Mean)
}

fn networks(c: &mut Criterion) {
    let mut random = Generator::new(10);
    let mut group = c.benchmark_group("networks f32");
    let x = normal(&[8, 64, 56, 56], 1.0, &mut random);
    let shapes = [[64, 64, 3, 3].as_slice(), &[64], &[64, 64, 3, 3], &[64]];
    let parameters = shapes.map(|shape| normal(shape, 0.04, &mut random));
    let mut tape = Tape::new();
    group.bench_function("residual block 64 channels 56x56, batch 8", |bench| {
        bench.iter(|| {
            tape.clear();
            block(tape.var(&x), parameters.each_ref().map(|p| tape.var(p))).backward().unwrap()
        });
    });
    let shapes: [&[usize]; 10] = [
        &[6, 1, 5, 5],
        &[6],
        &[16, 6, 5, 5],
        &[16],
        &[400, 120],
        &[120],
        &[120, 84],
        &[84],
        &[84, 10],
        &[10],
    ];
    let mut parameters = shapes.map(|shape| normal(shape, 0.1, &mut random));
    for batch in [16, 64, 256] {
        let images = normal(&[batch, 1, 28, 28], 1.0, &mut random);
        let targets: Tensor<i64> = (0..batch as i64).map(|i| i % 10).collect();
        let mut tape = Tape::new();
        let mut losses = Vec::new();
        for _ in 0..30 {
            tape.clear();
            let vars: Vec<_> = parameters.iter().map(|p| tape.var(p)).collect();
            let loss = lenet(tape.constant(&images), &targets, &vars);
            let grads = loss.backward().unwrap();
            losses.push(loss.item().unwrap());
            for (p, v) in parameters.iter_mut().zip(&vars) {
                *p -= grads.wrt(*v).unwrap() * 0.05;
            }
        }
        assert!(losses[29] < losses[0], "it learns the batch: {losses:?}");
        group.bench_function(format!("LeNet, batch {batch}"), |bench| {
            bench.iter(|| {
                tape.clear();
                let vars: Vec<_> = parameters.iter().map(|p| tape.var(p)).collect();
                lenet(tape.constant(&images), &targets, &vars).backward().unwrap()
            });
        });
    }
    group.finish();
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_millis(900))
}

criterion_group! { name = benches; config = quick(); targets = convolutions, networks }
criterion_main!(benches);
