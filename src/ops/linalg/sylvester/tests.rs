use crate::error::ErrorKind;
use crate::tape::{Tape, Var};
use crate::tensor::{Generator, Tensor};

fn random(shape: &[usize], seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 1.0, &mut Generator::new(seed)).unwrap()
}

fn eye(n: usize) -> Tensor<f64> {
    Tensor::eye(n).unwrap()
}

fn t(x: &Tensor<f64>) -> Tensor<f64> {
    x.transpose(0, 1).unwrap()
}

/// A Jordan block of one eigenvalue.
fn jordan(n: usize, value: f64) -> Tensor<f64> {
    let elements: Vec<f64> = (0..n * n)
        .map(|i| if i % (n + 1) == 0 { value } else { f64::from(u8::from(i % (n + 1) == 1)) })
        .collect();
    Tensor::from_slice(&elements, [n, n]).unwrap()
}

/// The same in another orthonormal basis.
fn turned(a: &Tensor<f64>, seed: u64) -> Tensor<f64> {
    let tape = Tape::new();
    let q = tape.constant(&random(a.shape(), seed)).qr()[0];
    q.matmul(tape.constant(a)).matmul(q.transpose(0, 1)).value().unwrap()
}

/// Matrices with eigenvalues to the right of 0: random ones with complex eigenvalues, defective ones.
fn coefficients(n: usize, seed: u64) -> Vec<Tensor<f64>> {
    let shift = &eye(n) * (2.0 + 1.5 * (n as f64).sqrt());
    let defective = jordan(n, 3.0);
    vec![&random(&[n, n], seed) + &shift, turned(&defective, seed), defective]
}

/// The Kronecker product of matrices.
fn kronecker(a: &Tensor<f64>, b: &Tensor<f64>) -> Tensor<f64> {
    let [m, n] = [a.shape()[0], b.shape()[0]];
    let a = a.reshape([m, 1, m, 1]).unwrap();
    let b = b.reshape([1, n, 1, n]).unwrap();
    (&a * &b).reshape([m * n, m * n]).unwrap()
}

/// The solution of a system in the rows of X one after another.
fn by_kronecker(system: Tensor<f64>, right: &Tensor<f64>) -> Tensor<f64> {
    let tape = Tape::new();
    let b = tape.constant(&right.reshape([right.len()]).unwrap());
    tape.constant(&system).lstsq(b).value().unwrap().reshape(right.shape()).unwrap()
}

fn distance(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    let norm = |x: &Tensor<f64>| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    norm(&(a - b)) / norm(b)
}

fn run<'t>(
    tape: &'t Tape<f64>,
    x: &[&Tensor<f64>],
    f: impl Fn(&[Var<'t, f64>]) -> Var<'t, f64>,
) -> Tensor<f64> {
    let x: Vec<Var<'t, f64>> = x.iter().map(|x| tape.constant(x)).collect();
    f(&x).value().unwrap()
}

#[test]
fn sylvester_agrees_with_the_kronecker_system() {
    for (m, n) in [(1, 1), (1, 3), (2, 2), (5, 5), (4, 7), (33, 3), (2, 33)] {
        for a in coefficients(m, 1) {
            for b in coefficients(n, 2) {
                let c = random(&[m, n], 3);
                let x = run(&Tape::new(), &[&a, &b, &c], |x| x[0].sylvester(x[1], x[2]));
                let wanted = by_kronecker(&kronecker(&a, &eye(n)) + &kronecker(&eye(m), &t(&b)), &c);
                assert!(distance(&x, &wanted) < 1e-12, "{m} {n}: {:e}", distance(&x, &wanted));
            }
        }
    }
}

#[test]
fn lyapunov_agrees_with_the_kronecker_system() {
    for n in [1, 2, 5, 9] {
        for a in coefficients(n, 4) {
            let q = random(&[n, n], 5);
            let x = run(&Tape::new(), &[&a, &q], |x| x[0].lyapunov(x[1]));
            let wanted = by_kronecker(&kronecker(&a, &eye(n)) + &kronecker(&eye(n), &a), &q);
            assert!(distance(&x, &wanted) < 1e-12, "{n}: {:e}", distance(&x, &wanted));
            for scale in [0.2, 1.0] {
                let a = &a * scale;
                let x = run(&Tape::new(), &[&a, &q], |x| x[0].discrete_lyapunov(x[1]));
                let wanted = by_kronecker(&eye(n * n) - &kronecker(&a, &a), &q);
                assert!(distance(&x, &wanted) < 1e-11, "{n}: {:e}", distance(&x, &wanted));
            }
        }
    }
}

#[test]
fn larger_equations_hold_and_bits_do_not_depend_on_the_number_of_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut bits = Vec::new();
            for (batch, m, n) in [(1, 33, 33), (1, 100, 60), (20, 7, 6)] {
                let tape = Tape::new();
                let shift = |n: usize| &eye(n) * (3.0 * (n as f64).sqrt());
                let a = tape.var(&(&random(&[batch, m, m], 6) + &shift(m)));
                let b = tape.var(&(&random(&[batch, n, n], 7) + &shift(n)));
                let c = tape.var(&random(&[m, n], 8));
                let x = a.sylvester(b, c);
                let left = (a.matmul(x) + x.matmul(b) - c).value().unwrap();
                assert!(left.iter().all(|x| x.abs() < 1e-12), "{m} {n}");
                let q = tape.var(&random(&[m, m], 9));
                let y = a.lyapunov(q);
                let left = (a.matmul(y) + y.matmul(a.transpose(-1, -2)) - q).value().unwrap();
                assert!(left.iter().all(|x| x.abs() < 1e-12), "{m}");
                let small = a * (0.15 / (m as f64).sqrt());
                let z = small.discrete_lyapunov(q);
                let left = small.matmul(z).matmul(small.transpose(-1, -2)) - z + q;
                assert!(left.value().unwrap().iter().all(|x| x.abs() < 1e-12), "{m}");
                let gradients = (x.sin().sum() + y.sum() + z.sum()).backward().unwrap();
                for x in
                    [x.value(), y.value(), z.value(), gradients.wrt(a).cloned(), gradients.wrt(b).cloned()]
                {
                    bits.extend(x.unwrap().iter().map(|x| x.to_bits()));
                }
            }
            bits
        })
    };
    let one = run(1);
    assert!(run(2) == one && run(3) == one);
}

#[test]
fn shared_eigenvalues_are_told_and_close_ones_are_not() {
    let singular = |x: Var<'_, f64>| matches!(x.value().unwrap_err().kind(), ErrorKind::Singular { .. });
    for n in [1, 2, 5, 33] {
        let tape = Tape::new();
        let a = random(&[n, n], 10 + n as u64);
        let (b, c) = (tape.var(&turned(&-&a, 11)), tape.var(&random(&[n, n], 12)));
        let a = tape.var(&a);
        assert!(singular(a.sylvester(b, c)), "{n}");
        assert!(singular(b.sylvester(a, c)), "{n}");
        // A distance of a millionth is enough.
        let (near, by) = (b + tape.constant(&eye(n)) * 1e-6, 1e-6);
        let x = a.sylvester(near, c).value().unwrap();
        assert!(x.iter().all(|x| x.is_finite()) && x.iter().any(|x| x.abs() > 0.01 / by / n as f64), "{n}");
    }
    let tape = Tape::new();
    // Eigenvalues ±i add up to 0 and multiply to 1; so do 2 and ½.
    let (turn, q) = (tape.var(&Tensor::from([[0.0, 1.0], [-1.0, 0.0]])), tape.var(&eye(2)));
    assert!(singular(turn.lyapunov(q)) && singular(turn.discrete_lyapunov(q)));
    let a = tape.var(&Tensor::from([[2.0, 7.0], [0.0, 0.5]]));
    assert!(singular(a.discrete_lyapunov(q)) && a.lyapunov(q).value().is_ok());
}

#[test]
fn extreme_scales_neither_overflow_nor_vanish() {
    let (a, b, c) =
        (coefficients(5, 13).swap_remove(0), coefficients(4, 14).swap_remove(0), random(&[5, 4], 15));
    let x = run(&Tape::new(), &[&a, &b, &c], |x| x[0].sylvester(x[1], x[2]));
    for scale in [1e-300, 1e-150, 1e150, 1e300] {
        let coefficients = [&a * scale, &b * scale, c.clone() * scale.sqrt()];
        let found =
            run(&Tape::new(), &coefficients.each_ref(), |x| x[0].sylvester(x[1], x[2])) * scale.sqrt();
        assert!(distance(&found, &x) < 1e-13, "{scale:e}");
    }
    // A stable system has positive definite covariances.
    let a = -&a;
    let factor = random(&[5, 5], 16);
    let q = &factor.matmul(&t(&factor)).unwrap() * -1.0;
    let tape = Tape::new();
    let covariance = tape.constant(&a).lyapunov(tape.constant(&q));
    assert!(covariance.cholesky().value().is_ok());
}
