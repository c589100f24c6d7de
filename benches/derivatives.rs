//! What derivatives cost in units of cheaper ones: Hessian-vector products in gradients, Jacobians in sweeps.
//!
//! Ratios are of medians over interleaved rounds, printed as a table; criterion's figures follow.

#![allow(missing_docs)] // criterion_group makes a public function

use criterion::{Criterion, criterion_group, criterion_main};
use rayon::prelude::*;
use retrograde::functional::{grad, hvp, vhp};
use retrograde::sparse::{Sparsity, jacobian};
use retrograde::{Generator, Reduction, Tape, Tensor, Var};
use std::hint::black_box;
use std::time::{Duration, Instant};

fn normal(shape: &[usize], std: f64, seed: u64) -> Tensor<f32> {
    Tensor::normal(shape, 0.0, std, &mut Generator::new(seed)).unwrap()
}

/// 784-512-512-10 with tanh and cross-entropy on a batch of 128: products dominate.
struct Network {
    x: Tensor<f32>,
    classes: Tensor<i64>,
    weights: [Tensor<f32>; 3],
    v: [Tensor<f32>; 3],
}

impl Network {
    fn new() -> Network {
        let shapes = [[784, 512], [512, 512], [512, 10]];
        Network {
            x: normal(&[128, 784], 1.0, 1),
            classes: (0..128).map(|i| i % 10).collect(),
            weights: [0, 1, 2].map(|i| normal(&shapes[i], 0.04, 2 + i as u64)),
            v: [0, 1, 2].map(|i| normal(&shapes[i], 0.01, 5 + i as u64)),
        }
    }

    fn loss<'t>(&self, [a, b, c]: [Var<'t, f32>; 3]) -> Var<'t, f32> {
        let x = a.tape().constant(&self.x);
        x.matmul(a).tanh().matmul(b).tanh().matmul(c).cross_entropy(&self.classes, Reduction::Mean)
    }

    fn grad(&self) -> [Tensor<f32>; 3] {
        grad(|w| self.loss(w), self.weights.each_ref()).unwrap()
    }

    fn hvp(&self) -> [Tensor<f32>; 3] {
        hvp(|w| self.loss(w), self.weights.each_ref(), self.v.each_ref()).unwrap()
    }

    fn vhp(&self) -> [Tensor<f32>; 3] {
        vhp(|w| self.loss(w), self.weights.each_ref(), self.v.each_ref()).unwrap()
    }
}

/// Element-wise functions of 2^18 numbers, one after another.
fn curves<'t>([x]: [Var<'t, f32>; 1]) -> Var<'t, f32> {
    (x.tanh() * x.sin()).sigmoid().gelu().softplus(1.0).sum()
}

/// A vector-valued network of one input, to take a Jacobian of.
fn vector<'t>(x: Var<'t, f32>, w: &Tensor<f32>, layers: usize) -> Var<'t, f32> {
    let w = x.tape().constant(w);
    (0..layers).fold(x, |x, _| x.matmul(w).tanh())
}

/// As many sweeps as `x` has elements, on all cores: each has a tape of its own.
fn side_by_side(x: &Tensor<f32>, w: &Tensor<f32>, layers: usize, seed: &Tensor<f32>) {
    let cores = rayon::current_num_threads();
    (0..cores).into_par_iter().for_each(|_| {
        let tape = Tape::new();
        let x = tape.var(x);
        let y = vector(x, w, layers);
        (0..x.shape()[0] / cores).for_each(|_| drop(black_box(tape.grad_with(y, seed, &[x]).unwrap())));
    });
}

/// The medians of what each closure takes, in seconds, over rounds in which each runs once.
fn medians<const N: usize>(rounds: usize, mut run: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut times: [Vec<f64>; N] = std::array::from_fn(|_| vec![]);
    for round in 0..rounds + 1 {
        for (run, times) in run.iter_mut().zip(&mut times) {
            let start = Instant::now();
            run();
            if round > 0 {
                times.push(start.elapsed().as_secs_f64());
            }
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

fn close(a: &Tensor<f32>, b: &Tensor<f32>, tolerance: f32) {
    let size = a.iter().chain(b).fold(0.0, |m: f32, x| m.max(x.abs()));
    assert!(size > 0.0 && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance * size));
}

fn table(rounds: usize) {
    println!("{:<66} {:>10} {:>10} {:>7}", "what, against what", "ms", "ms", "ratio");
    let row = |what: &str, found: f64, base: f64| {
        println!("{what:<66} {:>10.3} {:>10.3} {:>7.2}", found * 1e3, base * 1e3, found / base);
    };

    let network = Network::new();
    network.hvp().iter().zip(&network.vhp()).for_each(|(h, v)| close(h, v, 1e-3));
    let [g, h, v] = medians(
        rounds,
        [&mut || drop(black_box(network.grad())), &mut || drop(black_box(network.hvp())), &mut || {
            drop(black_box(network.vhp()))
        }],
    );
    row("hvp of a network 784-512-512-10, batch 128, against its gradient", h, g);
    row("vhp of the same", v, g);

    let (x, u) = (normal(&[1 << 18], 1.0, 8), normal(&[1 << 18], 1.0, 9));
    let [h] = hvp(curves, [&x], [&u]).unwrap();
    close(&h, &vhp(curves, [&x], [&u]).unwrap()[0], 1e-3);
    let [g, h, v] = medians(
        rounds,
        [
            &mut || drop(black_box(grad(curves, [&x]).unwrap())),
            &mut || drop(black_box(hvp(curves, [&x], [&u]).unwrap())),
            &mut || drop(black_box(vhp(curves, [&x], [&u]).unwrap())),
        ],
    );
    row("hvp of element-wise functions of 2^18, against the gradient", h, g);
    row("vhp of the same", v, g);

    let cores = rayon::current_num_threads();
    for (n, layers) in [(64, 20), (256, 4), (1024, 2)] {
        let (x, w) = (normal(&[n], 1.0, 10), normal(&[n, n], 1.0 / (n as f64).sqrt(), 11));
        let seed = normal(&[n], 1.0, 12);
        let tape = Tape::new();
        let v = tape.var(&x);
        let y = vector(v, &w, layers);
        let [reverse] = tape.jacobian_reverse(y, [v]).unwrap();
        close(&reverse, &tape.jacobian_forward(y, [v]).unwrap()[0], 1e-4);
        let [sweeps, reverse, forward] = medians(
            rounds,
            [
                &mut || side_by_side(&x, &w, layers, &seed),
                &mut || drop(black_box(tape.jacobian_reverse(y, [v]).unwrap())),
                &mut || drop(black_box(tape.jacobian_forward(y, [v]).unwrap())),
            ],
        );
        row(&format!("jacobian {n}×{n}, reverse, against {n} sweeps on {cores} cores"), reverse, sweeps);
        row("the same, forward", forward, sweeps);
    }

    let n = 100_000;
    let x = Tensor::<f64>::linspace(-1.0, 1.0, n).unwrap();
    let f = "x[1..-1] exp(x[..-2]) - x[2..]²";
    let pattern = Sparsity::banded(n - 2, n, 0, 2).unwrap();
    let j = jacobian(stencil, &x, &pattern).unwrap();
    assert_eq!(j.get(5, 7), -2.0 * x[[7]]);
    let [one, sparse] = medians(
        rounds,
        [&mut || drop(black_box(grad(|[x]| stencil(x).sum(), [&x]).unwrap())), &mut || {
            drop(black_box(jacobian(stencil, &x, &pattern).unwrap()))
        }],
    );
    row(&format!("sparse jacobian of {f}, 10^5, against a gradient"), sparse, one);
}

fn stencil<'t>(x: Var<'t, f64>) -> Var<'t, f64> {
    x.slice(0, 1..).slice(0, ..-1) * x.slice(0, ..-2).exp() - x.slice(0, 2..).square()
}

fn derivatives(c: &mut Criterion) {
    let quick = std::env::args().any(|argument| argument == "--test");
    table(if quick { 1 } else { 21 });
    let network = Network::new();
    let mut group = c.benchmark_group("network");
    group.bench_function("gradient", |b| b.iter(|| network.grad()));
    group.bench_function("hvp", |b| b.iter(|| network.hvp()));
    group.finish();
}

fn quick() -> Criterion {
    Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = quick(); targets = derivatives }
criterion_main!(benches);
