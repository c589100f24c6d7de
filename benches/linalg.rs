//! Decompositions and what is solved with them, forward and backward, in double precision: batches of small matrices,
//! and single large ones.

#![allow(missing_docs)] // criterion_group makes a public function

use criterion::{Criterion, criterion_group, criterion_main};
use retrograde::linalg::Triangular;
use retrograde::{Generator, Tape, Tensor, Var};
use std::time::Duration;

fn random(shape: &[usize], seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 1.0, &mut Generator::new(seed)).unwrap()
}

/// Symmetric positive definite matrices of a condition of about 10.
fn positive_definite(shape: &[usize], seed: u64) -> Tensor<f64> {
    let n = shape[shape.len() - 1];
    let x = random(shape, seed);
    let square = x.matmul(&x.transpose(-1, -2).unwrap()).unwrap();
    &(&square / n as f64) + &(&Tensor::eye(n).unwrap() * 0.5)
}

fn assert_near(found: &Tensor<f64>, wanted: &Tensor<f64>, tolerance: f64) {
    assert!(found.all_close(wanted, tolerance, tolerance).unwrap());
}

/// `log det A` by the factor, summed over a batch.
fn log_det<'t>(factor: Var<'t, f64>) -> Var<'t, f64> {
    factor.diagonal(-2, -1).ln().sum() * 2.0
}

/// A Gaussian's log density, up to factor and constant: `bᵀ A⁻¹ b + log det A`, of which the gradient is `A⁻¹ − x xᵀ`
/// with `x = A⁻¹ b`.
fn density<'t>([a, b]: [Var<'t, f64>; 2]) -> Var<'t, f64> {
    let factor = a.cholesky();
    factor.solve_triangular(b, Triangular::lower()).square().sum() + log_det(factor)
}

/// Measures a gradient by the first input.
fn gradient<const N: usize>(
    c: &mut Criterion,
    name: &str,
    inputs: [&Tensor<f64>; N],
    f: impl for<'t> Fn([Var<'t, f64>; N]) -> Var<'t, f64>,
    check: impl Fn(&Tensor<f64>),
) {
    let mut tape = Tape::new();
    let run = |tape: &Tape<f64>| {
        let inputs = inputs.map(|x| tape.var(x));
        f(inputs).backward().unwrap().wrt(inputs[0]).unwrap().clone()
    };
    check(&run(&tape));
    c.bench_function(name, |bench| {
        bench.iter(|| {
            tape.clear();
            run(&tape)
        });
    });
}

fn cholesky(c: &mut Criterion) {
    let a = positive_definite(&[1000, 8, 8], 1);
    gradient(
        c,
        "cholesky, log det of 1000 × 8 × 8",
        [&a],
        |[a]| log_det(a.cholesky()),
        |g| {
            // The gradient of log det A is the inverse.
            assert_near(&a.matmul(g).unwrap(), &Tensor::eye(8).unwrap(), 1e-12);
        },
    );
    gradient(
        c,
        "cholesky of 1000 × 8 × 8",
        [&a],
        |[a]| a.cholesky().square().sum(),
        |g| {
            // ‖L‖² is the trace of A.
            assert_near(g, &Tensor::eye(8).unwrap().expand([1000, 8, 8]).unwrap(), 1e-12);
        },
    );
    let (a, b) = (positive_definite(&[512, 512], 2), random(&[512, 1], 3));
    gradient(c, "cholesky, a Gaussian's density in 512 dimensions", [&a, &b], density, |g| {
        let tape = Tape::new();
        let x = tape.constant(&a).cholesky().cholesky_solve(tape.constant(&b)).value().unwrap();
        let outer = x.matmul(&x.transpose(0, 1).unwrap()).unwrap();
        assert_near(&a.matmul(&(g + &outer)).unwrap(), &Tensor::eye(512).unwrap(), 1e-10);
    });
}

/// What [`density`] is, without the factor: `bᵀ A⁻¹ b + log det A`.
fn general(c: &mut Criterion) {
    for columns in [1, 512] {
        let (a, b) = (positive_definite(&[512, 512], 2), random(&[512, columns], 3));
        gradient(
            c,
            &format!("logdet and solve of 512 × 512, {columns} right-hand sides"),
            [&a, &b],
            |[a, b]| (a.solve(b) * b).sum() + a.logdet(),
            |g| {
                let tape = Tape::new();
                let x = tape.constant(&a).solve(tape.constant(&b)).value().unwrap();
                let outer = x.matmul(&x.transpose(0, 1).unwrap()).unwrap();
                assert_near(&a.matmul(&(g + &outer)).unwrap(), &Tensor::eye(512).unwrap(), 1e-9);
            },
        );
    }
}

fn spectra(c: &mut Criterion) {
    let a = positive_definite(&[128, 128], 9);
    gradient(
        c,
        "eigh of 128 × 128",
        [&a],
        |[a]| {
            let [values, vectors] = a.eigh();
            (vectors * values.sqrt().unsqueeze(-2)).square().sum()
        },
        |g| assert_near(g, &Tensor::eye(128).unwrap(), 1e-9),
    );
    let a = random(&[128, 96], 10);
    gradient(
        c,
        "svd of 128 × 96",
        [&a],
        |[a]| {
            let [u, s, vt] = a.svd();
            (u * s.unsqueeze(-2)).matmul(vt).square().sum()
        },
        |g| assert_near(g, &(&a * 2.0), 1e-8),
    );
}

fn orthogonal(c: &mut Criterion) {
    let a = random(&[128, 128], 4);
    gradient(
        c,
        "qr of 128 × 128",
        [&a],
        |[a]| a.qr()[1].square().sum(),
        |g| {
            // ‖R‖² = ‖A‖².
            assert_near(g, &(&a * 2.0), 1e-9);
        },
    );
    let (a, b) = (random(&[512, 64], 5), random(&[512, 1], 6));
    gradient(
        c,
        "lstsq of 512 × 64",
        [&a, &b],
        |[a, b]| (a.matmul(a.lstsq(b)) - b).square().sum(),
        |g| {
            // The least residual ρ does not move with x: the gradient is 2 ρ xᵀ.
            let tape = Tape::new();
            let [a, b] = [&a, &b].map(|x| tape.constant(x));
            let x = a.lstsq(b);
            let wanted = (a.matmul(x) - b).matmul(x.transpose(0, 1)) * 2.0;
            assert_near(g, &wanted.value().unwrap(), 1e-10);
        },
    );
}

fn equations(c: &mut Criterion) {
    let a = &random(&[64, 64], 7) - &(&Tensor::eye(64).unwrap() * 20.0);
    let q = positive_definite(&[64, 64], 8);
    gradient(
        c,
        "lyapunov of 64 × 64",
        [&q, &a],
        |[q, a]| a.lyapunov(q).trace(),
        |g| {
            // The gradient Λ of the trace: Aᵀ Λ + Λ A = I.
            let left = &a.transpose(0, 1).unwrap().matmul(g).unwrap() + &g.matmul(&a).unwrap();
            assert_near(&left, &Tensor::eye(64).unwrap(), 1e-11);
        },
    );
}

fn quick() -> Criterion {
    Criterion::default().sample_size(10).measurement_time(Duration::from_millis(800))
}

criterion_group! { name = benches; config = quick(); targets = cholesky, general, orthogonal, spectra, equations }
criterion_main!(benches);
