use crate::error::ErrorKind;
use crate::number::Real;
use crate::tape::Tape;
use crate::tensor::{Generator, Tensor};

fn random<T: Real>(shape: &[usize], seed: u64) -> Tensor<T> {
    Tensor::normal(shape, 0.0, 1.0, &mut Generator::new(seed)).unwrap()
}

fn factors<T: Real>(a: &Tensor<T>, complete: bool) -> [Tensor<T>; 2] {
    let tape = Tape::new();
    let a = tape.constant(a);
    (if complete { a.qr_complete() } else { a.qr() }).map(|x| x.value().unwrap())
}

/// `A = Q R`, an upper triangle, and orthonormal columns, relative to the largest element.
fn check<T: Real>(a: &Tensor<T>, tolerance: f64) {
    for complete in [false, true] {
        let [q, r] = factors(a, complete);
        let [m, n] = [a.shape()[0], a.shape()[1]];
        let k = if complete { m } else { m.min(n) };
        assert_eq!((q.shape(), r.shape()), (&[m, k][..], &[k, n][..]));
        let scale = a.iter().fold(0.0, |largest: f64, x| largest.max(x.to_f64().abs()));
        let made = q.matmul(&r).unwrap();
        // Subnormal numbers are whole multiples of the least.
        let least = if size_of::<T>() == 4 { f64::from(f32::from_bits(1)) } else { f64::from_bits(1) };
        let allowed = tolerance * scale + 20.0 * least;
        assert!(made.all_close(a, 0.0, allowed).unwrap(), "{m} × {n}, {complete}, {scale:e}");
        let product = q.transpose(0, 1).unwrap().matmul(&q).unwrap();
        assert!(
            product.all_close(&Tensor::eye(k).unwrap(), 0.0, tolerance).unwrap(),
            "{m} × {n}, {complete}"
        );
        for i in 0..k {
            for j in 0..n.min(i) {
                assert_eq!(r.get([i, j]).unwrap().to_f64(), 0.0);
            }
        }
    }
}

#[test]
fn the_factors_make_the_matrix_again() {
    let shapes = [
        [1, 1],
        [1, 9],
        [9, 1],
        [8, 8],
        [9, 9],
        [33, 33],
        [100, 100],
        [100, 70],
        [64, 65],
        [70, 100],
        [300, 5],
    ];
    for (i, shape) in shapes.iter().enumerate() {
        check(&random::<f64>(shape, i as u64), 1e-13);
        check(&random::<f32>(shape, i as u64), 3e-5);
    }
    for shape in [[0, 0], [0, 3], [3, 0]] {
        check(&random::<f64>(&shape, 0), 0.0);
    }
}

/// NumPy's and PyTorch's values, to whose signs ours agree.
#[test]
fn the_signs_are_those_of_lapack() {
    let a = Tensor::from([[1.0, 2.0, -3.0], [0.0, -3.0, 1.0], [0.0, 4.0, 2.0], [0.0, 0.0, 5.0]]);
    let [q, r] = factors(&a, true);
    let root = 29f64.sqrt();
    let wanted = Tensor::from([[1.0, 2.0, -3.0], [0.0, 5.0, 1.0], [0.0, 0.0, -root], [0.0, 0.0, 0.0]]);
    assert!(r.all_close(&wanted, 1e-15, 1e-15).unwrap(), "{r}");
    let wanted = Tensor::from([
        [1.0, 0.0, 0.0, 0.0],
        [0.0, -0.6, -1.6 / root, -4.0 / root],
        [0.0, 0.8, -1.2 / root, -3.0 / root],
        [0.0, 0.0, -5.0 / root, 2.0 / root],
    ]);
    assert!(q.all_close(&wanted, 1e-15, 1e-15).unwrap(), "{q}");
    // A triangle is left as it is, zeros on its diagonal, too.
    let a = Tensor::from([[-1.0, 2.0], [0.0, 0.0]]);
    let [q, r] = factors(&a, false);
    assert_eq!((q.to_vec(), r.to_vec()), (vec![1.0, 0.0, 0.0, 1.0], a.to_vec()));
}

#[test]
fn extreme_scales_and_nearly_dependent_columns_lose_nothing() {
    for scale in [5e-324, 1e-310, 1e-200, 1e-150, 1e150, 1e300] {
        check(&(random::<f64>(&[20, 12], 1) * scale), 1e-13);
    }
    for scale in [1e-44, 1e-30, 1e30, 1e37] {
        check(&(random::<f32>(&[20, 12], 1) * scale), 1e-5);
    }
    // Columns of different scales each keep their own accuracy.
    let scales = Tensor::from([1e-200, 1.0, 1e-30, 1e100]);
    let a = &random::<f64>(&[9, 4], 2) * &scales;
    let [q, r] = factors(&a, false);
    let made = &q.matmul(&r).unwrap() / &scales;
    assert!(made.all_close(&(&a / &scales), 0.0, 1e-14).unwrap());
    // Two columns at an angle of a thousandth, in single precision and with many rows.
    let noise = random::<f32>(&[10000, 1], 3);
    let columns = [&noise * 0.0 + 1.0, &noise * 1e-3 + 1.0];
    let a = Tensor::concat(&[&columns[0], &columns[1]], 1).unwrap();
    let [q, r] = factors(&a, false);
    // A few ulp times the root of the rows.
    assert!(q.matmul(&r).unwrap().all_close(&a, 0.0, 5e-5).unwrap());
    assert!((r.get([1, 1]).unwrap().abs() - 0.1).abs() < 2e-3);
}

#[test]
fn dependent_columns_have_factors_but_no_derivative_and_spoil_no_other_matrix() {
    let good = random::<f64>(&[1, 3, 3], 4);
    let bad = &good * &Tensor::from([1.0, 0.0, 1.0]);
    check(&bad.reshape([3, 3]).unwrap(), 1e-15);
    let tape = Tape::new();
    let a = tape.var(&Tensor::concat(&[&good, &bad], 0).unwrap());
    let [q, r] = a.qr();
    let gradients = (q.sum() + r.sum()).backward().unwrap();
    let gradient = gradients.wrt(a).unwrap();
    assert!(gradient.slice(0, 0..1).unwrap().iter().all(|x| x.is_finite()));
    assert!(gradient.slice(0, 1..2).unwrap().iter().any(|x| !x.is_finite()));
}

#[test]
fn a_basis_of_the_complement_has_no_derivative() {
    let tape = Tape::new();
    let a = tape.var(&random::<f64>(&[4, 2], 5));
    for y in a.qr_complete() {
        let refused = y.sum().backward().unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::NoGradient { .. }), "{refused}");
        assert_eq!(refused.operation(), Some("qr_complete"));
        let refused = tape.jvp(y, [(a, &a.value().unwrap())]).and_then(|y| y.value()).unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::NoGradient { .. }), "{refused}");
    }
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut bits = Vec::new();
            for shape in [&[40, 12, 9][..], &[3, 70, 100], &[150, 130]] {
                let tape = Tape::new();
                let a = tape.var(&random::<f64>(shape, 6));
                let b = tape.var(&random::<f64>(&[shape[shape.len() - 2], 3], 7));
                let [q, r] = a.qr();
                let y = q.sin().sum() + r.sin().sum() + a.lstsq(b).sum();
                let gradients = y.backward().unwrap();
                for x in [q.value(), r.value(), gradients.wrt(a).cloned(), gradients.wrt(b).cloned()] {
                    bits.extend(x.unwrap().iter().map(|x| x.to_bits()));
                }
            }
            bits
        })
    };
    let one = run(1);
    assert!(run(2) == one && run(3) == one);
}
