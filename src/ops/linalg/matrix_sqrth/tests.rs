use crate::tape::Tape;
use crate::tensor::{Generator, Tensor};

fn close(found: &Tensor<f64>, wanted: &Tensor<f64>, tolerance: f64) {
    assert_eq!(found.shape(), wanted.shape());
    for (a, b) in found.iter().zip(wanted) {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{found}\n{wanted}");
    }
}

fn random(n: usize, seed: u64) -> Tensor<f64> {
    let x = Tensor::normal([n, n], 0.0, 1.0, &mut Generator::new(seed)).unwrap();
    x.matmul(&x.transpose(0, 1).unwrap()).unwrap()
}

#[test]
fn squares_give_the_matrix_back() {
    for n in [1, 2, 33, 100] {
        let a = random(n, n as u64);
        let tape = Tape::new();
        let x = tape.constant(&a).matrix_sqrth().value().unwrap();
        let scale = a.iter().fold(0.0, |most: f64, a| most.max(a.abs()));
        close(&(&x.matmul(&x).unwrap() / scale), &(&a / scale), 1e-13);
    }
    let single = random(33, 1).map(|x| x as f32).unwrap();
    let x = Tape::new().constant(&single).matrix_sqrth().value().unwrap();
    let back = x.matmul(&x).unwrap();
    assert!(back.iter().zip(&single).all(|(a, b)| (a - b).abs() < 1e-3));
}

#[test]
fn a_singular_matrix_has_a_root_and_an_indefinite_one_has_none() {
    let ones = Tensor::<f64>::ones([3, 3]).unwrap();
    let tape = Tape::new();
    let root = tape.constant(&ones).matrix_sqrth().value().unwrap();
    close(&root, &(&ones / 3f64.sqrt()), 1e-7);
    // What is negative by rounding alone counts as 0, not more.
    let nearly = Tensor::from([[1.0, 0.0], [0.0, -1e-15]]);
    assert_eq!(tape.constant(&nearly).matrix_sqrth().value().unwrap().to_vec(), [1.0, 0.0, 0.0, 0.0]);
    let not = Tensor::from([[1.0, 0.0], [0.0, -1e-14]]);
    assert!(tape.constant(&not).matrix_sqrth().value().unwrap().iter().any(f64::is_nan));
    // The derivative is infinite there, as that of the square root.
    let zero = tape.var(&Tensor::from([[4.0, 0.0], [0.0, 0.0]]));
    let trace = zero.matrix_sqrth().diagonal(-2, -1).sum();
    let g = trace.backward().unwrap();
    let g = g.wrt(zero).unwrap().to_vec();
    assert!(g[3].is_infinite() || g[3].is_nan());
}

#[test]
fn derivatives_at_the_identity_are_those_of_the_series() {
    // √(I + E) = I + E/2 − E²/8 + E³/16 − …
    let e = random(4, 9);
    let tape = Tape::new();
    let a = tape.var(&Tensor::eye(4).unwrap());
    let x = a.matrix_sqrth();
    let first = tape.jvp(x, [(a, &e)]).unwrap();
    let second = tape.jvp(first, [(a, &e)]).unwrap();
    let third = tape.jvp(second, [(a, &e)]).unwrap();
    let square = e.matmul(&e).unwrap();
    let cube = square.matmul(&e).unwrap();
    close(&first.value().unwrap(), &(&e / 2.0), 1e-14);
    close(&second.value().unwrap(), &(&square * (-2.0 / 8.0)), 1e-13);
    close(&third.value().unwrap(), &(&cube * (6.0 / 16.0)), 1e-13);
    // tr √(I + E) has the Hessian −¼ ⟨E, E⟩.
    let [g] = tape.vjp(x.diagonal(-2, -1).sum(), 1.0, [a]).unwrap();
    close(&g.value().unwrap(), &(&Tensor::eye(4).unwrap() * 0.5), 1e-14);
    let h = (g * tape.constant(&e)).sum().backward().unwrap();
    close(h.wrt(a).unwrap(), &(&e * -0.25), 1e-13);
}
