use crate::tape::Tape;
use crate::tensor::{Generator, Tensor};

fn close(found: &Tensor<f64>, wanted: &Tensor<f64>, tolerance: f64) {
    assert_eq!(found.shape(), wanted.shape());
    for (a, b) in found.iter().zip(wanted) {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{found}\n{wanted}");
    }
}

fn symmetric(n: usize, seed: u64) -> Tensor<f64> {
    let x = Tensor::normal([n, n], 0.0, 1.0, &mut Generator::new(seed)).unwrap();
    &x + &x.transpose(0, 1).unwrap()
}

/// Q diag(values) Qᵀ with a random orthogonal Q.
fn with_values(values: &[f64], seed: u64) -> Tensor<f64> {
    let n = values.len();
    let tape = Tape::new();
    let q = tape.constant(&symmetric(n, seed)).eigh()[1].value().unwrap();
    let d = Tensor::from_fn([n, n], |at| if at[0] == at[1] { values[at[0]] } else { 0.0 }).unwrap();
    q.matmul(&d).unwrap().matmul(&q.transpose(0, 1).unwrap()).unwrap()
}

fn product(factors: &[&Tensor<f64>]) -> Tensor<f64> {
    factors[1..].iter().fold(factors[0].clone(), |x, y| x.matmul(y).unwrap())
}

#[test]
fn exponential_and_logarithm_are_inverse() {
    for n in [1, 2, 33] {
        let a = &symmetric(n, 3) * (1.0 / n as f64);
        let tape = Tape::new();
        let a_var = tape.constant(&a);
        close(&a_var.spectral_map(|x| x.exp()).matrix_logh().value().unwrap(), &a, 1e-12);
    }
}

/// x³ as a matrix function is A A A, with all its derivatives, at repeated, nearly repeated and other eigenvalues.
#[test]
fn the_cube_has_the_derivatives_of_the_cube() {
    for (k, values) in [
        [2.0, 2.0, 2.0, 2.0],
        [1.0, 1.0, 3.0, 3.0],
        [1.0, 1.0 + 1e-9, 2.0, 2.0 + 1e-5],
        [1.0, 1.01, 1.03, 4.0],
        [0.0, 0.0, 0.0, 5.0],
    ]
    .iter()
    .enumerate()
    {
        let a0 = with_values(values, k as u64 + 5);
        let c = symmetric(4, 77);
        let e = [1, 2, 3].map(|seed| symmetric(4, seed));
        let tape = Tape::new();
        let a = tape.var(&a0);
        let y = a.spectral_map(|x| x * x * x);
        close(&y.value().unwrap(), &product(&[&a0, &a0, &a0]), 1e-13);
        let plain = a.matmul(a).matmul(a);
        let mut pair = [y, plain];
        for (order, e) in e.iter().enumerate() {
            // Reverse mode over what is there, then one more forward.
            let [g, w] = pair.map(|y| tape.vjp(y, &c, [a]).unwrap()[0].value().unwrap());
            let w = &(&w + &w.transpose(0, 1).unwrap()) * 0.5;
            close(&g, &w, [1e-12, 1e-12, 1e-10][order]);
            pair = pair.map(|y| tape.jvp(y, [(a, e)]).unwrap());
            close(&pair[0].value().unwrap(), &pair[1].value().unwrap(), [1e-12, 1e-11, 1e-10][order]);
        }
        // Reverse over reverse over reverse.
        let mut pair = [y, plain].map(|y| (y * tape.constant(&c)).sum());
        for (order, e) in e.iter().enumerate() {
            let g = pair.map(|y| tape.vjp(y, 1.0, [a]).unwrap()[0]);
            let [found, w] = g.map(|g| g.value().unwrap());
            let w = &(&w + &w.transpose(0, 1).unwrap()) * 0.5;
            close(&found, &w, [1e-12, 1e-11, 1e-10][order]);
            pair = g.map(|g| (g * tape.constant(e)).sum());
        }
    }
}

/// exp(A + tE) at A = c I is e^c exp(tE).
#[test]
fn exp_at_a_multiple_of_the_identity() {
    let e = &symmetric(5, 8) * 0.5;
    let a0 = &Tensor::eye(5).unwrap() * 0.7;
    let tape = Tape::new();
    let a = tape.var(&a0);
    let mut y = a.spectral_map(|x| x.exp());
    let mut power = Tensor::eye(5).unwrap();
    for order in 0..4 {
        close(&y.value().unwrap(), &(&power * 0.7f64.exp()), [1e-14, 1e-14, 1e-13, 1e-12][order]);
        y = tape.jvp(y, [(a, &e)]).unwrap();
        power = power.matmul(&e).unwrap();
    }
}

#[test]
fn the_upper_triangle_is_not_read_and_errors_of_the_function_arrive() {
    let tape = Tape::new();
    let a = tape.var(&Tensor::from([[2.0, 9.0], [0.0, 3.0]]));
    let y = a.spectral_map(|x| x.square());
    close(&y.value().unwrap(), &Tensor::from([[4.0, 0.0], [0.0, 9.0]]), 1e-15);
    let bad = a.spectral_map(|x| x.reshape([7]));
    assert_eq!(bad.value().unwrap_err().operation(), Some("reshape"));
}

#[test]
fn single_precision_follows_double() {
    let wide = with_values(&[1.0, 1.0, 1.5], 4);
    let narrow = wide.map(|x| x as f32).unwrap();
    let (tape, single) = (Tape::new(), Tape::<f32>::new());
    let (a, b) = (tape.var(&wide), single.var(&narrow));
    let g = a.spectral_map(|x| x.exp()).square().sum().backward().unwrap();
    let h = b.spectral_map(|x| x.exp()).square().sum().backward().unwrap();
    for (g, h) in g.wrt(a).unwrap().iter().zip(h.wrt(b).unwrap()) {
        assert!((g - f64::from(h)).abs() < 1e-5 * g.abs().max(1.0));
    }
}
