use crate::error::ErrorKind;
use crate::tape::Tape;
use crate::tensor::{Generator, Tensor};

fn random(shape: &[usize], seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 1.0, &mut Generator::new(seed)).unwrap()
}

fn t(x: &Tensor<f64>) -> Tensor<f64> {
    x.transpose(0, 1).unwrap()
}

fn product(x: &[&Tensor<f64>]) -> Tensor<f64> {
    x[1..].iter().fold(x[0].clone(), |y, x| y.matmul(x).unwrap())
}

/// Orthonormal columns.
fn orthonormal(m: usize, n: usize, seed: u64) -> Tensor<f64> {
    let tape = Tape::new();
    tape.constant(&random(&[m, n], seed)).qr()[0].value().unwrap()
}

fn distance(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    let norm = |x: &Tensor<f64>| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    norm(&(a - b)) / norm(b)
}

/// `A = U Σ Vᵀ` of condition 1e6, whose pseudo-inverse is known: values and gradients keep what the condition leaves of
/// the digits, and the normal equations would leave four of them.
#[test]
fn ill_conditioned_systems_lose_the_condition_and_not_its_square() {
    for (m, n) in [(30, 8), (8, 8), (8, 30)] {
        let k = m.min(n);
        let (u, v) = (orthonormal(m, k, 1), orthonormal(n, k, 2));
        let sigma: Vec<f64> = (0..k).map(|i| 10f64.powf(-6.0 * i as f64 / (k - 1) as f64)).collect();
        let sigma = Tensor::from_slice(&sigma, [k]).unwrap();
        let a = product(&[&(&u * &sigma), &t(&v)]);
        let inverse = product(&[&(&v / &sigma), &t(&u)]);
        let (b, g) = (random(&[m, 2], 3), random(&[n, 2], 4));
        let x = product(&[&inverse, &b]);
        let tape = Tape::new();
        let [va, vb] = [tape.var(&a), tape.var(&b)];
        let y = va.lstsq(vb);
        assert!(distance(&y.value().unwrap(), &x) < 1e-10);
        let gradients = (y * tape.constant(&g)).sum().backward().unwrap();
        let gb = product(&[&t(&inverse), &g]);
        assert!(distance(gradients.wrt(vb).unwrap(), &gb) < 1e-10);
        // Golub & Pereyra's derivative of the pseudo-inverse, all three terms.
        let residual = &b - &product(&[&u, &t(&u), &b]);
        let beyond = &g - &product(&[&v, &t(&v), &g]);
        let first = product(&[&residual, &t(&gb), &t(&inverse)]);
        let second = product(&[&t(&inverse), &x, &t(&beyond)]);
        let ga = &(&first + &second) - &product(&[&gb, &t(&x)]);
        assert!(distance(gradients.wrt(va).unwrap(), &ga) < 1e-9, "{m} × {n}");
        // The tangent that the same three terms make.
        let da = random(&[m, n], 5);
        let dx = tape.jvp(y, [(va, &da)]).unwrap().value().unwrap();
        let wanted: f64 = da.iter().zip(&ga).map(|(x, y)| x * y).sum();
        let found: f64 = dx.iter().zip(&g).map(|(x, y)| x * y).sum();
        let size: f64 = ga.iter().map(|x| x * x).sum::<f64>().sqrt();
        assert!((found - wanted).abs() < 1e-9 * size, "{m} × {n}");
    }
}

#[test]
fn dependent_columns_are_told_whatever_the_scale() {
    for scale in [1.0, 1e-150, 1e150] {
        for (m, n) in [(40, 5), (5, 40), (5, 5)] {
            // The fourth column, or row, from those before it.
            let tall = random(&[m.max(n), 5], 6);
            let mix = Tensor::from([
                [1.0, 0.0, 0.0, 0.3, 0.0],
                [0.0, 1.0, 0.0, -1.7, 0.0],
                [0.0, 0.0, 1.0, 0.9, 0.0],
                [0.0, 0.0, 0.0, 0.0, 0.0],
                [0.0, 0.0, 0.0, 0.0, 1.0],
            ]);
            let dependent = product(&[&tall, &mix]) * scale;
            let a = if m < n { t(&dependent) } else { dependent };
            let tape = Tape::new();
            let refused = tape.var(&a).lstsq(tape.var(&random(&[m], 7))).value().unwrap_err();
            let wanted = ErrorKind::Singular { batch: vec![], size: 5, pivot: 3 };
            assert_eq!((refused.kind(), refused.operation()), (&wanted, Some("lstsq")));
        }
    }
    // Columns of different scales are independent, and so are those at a small angle.
    let a = &random(&[40, 3], 8) * &Tensor::from([1e-100, 1.0, 1e100]);
    let x = random(&[3], 9);
    let tape = Tape::new();
    let columns = tape.var(&a);
    let found = columns
        .lstsq(columns.matmul(tape.constant(&(&x / &Tensor::from([1e-100, 1.0, 1e100])))))
        .value()
        .unwrap();
    assert!((&found * &Tensor::from([1e-100, 1.0, 1e100])).all_close(&x, 1e-12, 0.0).unwrap());
    let a = Tensor::from([[1.0, 1.0], [0.0, 1e-13], [0.0, 0.0]]);
    let x = tape.var(&a).lstsq(tape.var(&Tensor::from([2.0, 1e-13, 5.0]))).value().unwrap();
    assert!(x.all_close(&Tensor::from([1.0, 1.0]), 1e-3, 0.0).unwrap());
}
