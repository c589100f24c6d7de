//! Determinants at singular matrices, against sums over permutations.

use crate::tape::{Tape, Var};
use crate::tensor::{Generator, Tensor};

/// Leibniz' sum over all permutations, which has derivatives everywhere.
fn leibniz<'t>(a: Var<'t, f64>) -> Var<'t, f64> {
    let n = a.shape()[0];
    let at = |i: usize, j: usize| a.at((i as isize, j as isize));
    let mut total = a.tape().scalar(0.0);
    let mut todo = vec![(vec![], a.tape().scalar(1.0))];
    while let Some((taken, product)) = todo.pop() {
        if taken.len() == n {
            total = total + product;
            continue;
        }
        for j in (0..n).filter(|j| !taken.contains(j)) {
            let odd = taken.iter().filter(|&&before| before > j).count() % 2 == 1;
            let product = product * at(taken.len(), j);
            todo.push(([&taken[..], &[j]].concat(), if odd { -product } else { product }));
        }
    }
    total
}

/// The derivatives of a function of one matrix, of orders 1 to 3, reverse over reverse and forward over forward.
fn derivatives(
    a: &Tensor<f64>,
    along: &[Tensor<f64>; 3],
    f: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>,
) -> Vec<(usize, Tensor<f64>)> {
    let tape = Tape::new();
    let x = tape.var(a);
    let (mut y, mut z) = (f(x), f(x));
    let mut found = vec![(1, y.backward().unwrap().wrt(x).unwrap().clone())];
    for (i, u) in along.iter().enumerate() {
        let [g] = tape.vjp(y, &Tensor::scalar(1.0), [x]).unwrap();
        found.push((i + 1, g.value().unwrap()));
        y = (g * tape.constant(u)).sum();
        z = tape.jvp(z, [(x, u)]).unwrap();
        found.push((i + 1, z.value().unwrap()));
        if i < 2 {
            // The last sweep by kernels where there are some, forward over reverse.
            found.push((i + 2, y.backward().unwrap().wrt(x).unwrap().clone()));
            found.push((i + 2, tape.jvp(g, [(x, u)]).unwrap().value().unwrap()));
        }
    }
    found
}

#[track_caller]
fn compare(what: &str, a: &Tensor<f64>, scale: f64, tolerances: [f64; 3]) {
    let n = a.shape()[0];
    let mut random = Generator::new(3);
    let along = [(); 3].map(|()| Tensor::normal([n, n], 0.0, 1.0, &mut random).unwrap());
    let found = derivatives(a, &along, |x| x.det());
    let wanted = derivatives(a, &along, leibniz);
    for ((order, found), (_, wanted)) in found.iter().zip(&wanted) {
        // The size of such a derivative of a matrix of elements of about this scale.
        let size = scale.powi(n as i32 - *order as i32);
        for (f, w) in found.iter().zip(wanted) {
            let error = (f - w).abs();
            assert!(
                error <= tolerances[order - 1] * size,
                "{what}, order {order}: {f:e} against {w:e}\n{found}\n{wanted}"
            );
        }
    }
}

const EXACT: [f64; 3] = [1e-12, 1e-12, 1e-11];

#[test]
fn derivatives_are_right_at_every_rank() {
    let mut random = Generator::new(7);
    for n in 1..=5 {
        compare("zeros", &Tensor::zeros([n, n]).unwrap(), 1.0, EXACT);
        for rank in 1..=n {
            // Of numbers with rounding, and of whole numbers, whose pivots are exactly 0.
            let [b, c] = [[n, rank], [rank, n]].map(|shape| Tensor::normal(shape, 0.0, 1.0, &mut random).unwrap());
            compare(&format!("{n}, rank {rank}"), &b.matmul(&c).unwrap(), 1.5, EXACT);
            let [b, c] = [b, c].map(|x| x.map(|x| (x * 2.0).round()).unwrap());
            let a = b.matmul(&c).unwrap();
            let largest = a.iter().fold(1.0, |m: f64, a| m.max(a.abs()));
            compare(&format!("{n}, rank {rank} of whole numbers"), &a, largest, EXACT);
        }
    }
}

#[test]
fn derivatives_are_right_near_singular_matrices_and_at_any_scale() {
    let mut random = Generator::new(8);
    for n in [2, 3, 5] {
        let b: Tensor<f64> = Tensor::normal([n, 1], 0.0, 1.0, &mut random).unwrap();
        let c = Tensor::normal([1, n], 0.0, 1.0, &mut random).unwrap();
        let e = Tensor::normal([n, n], 0.0, 1.0, &mut random).unwrap();
        for distance in [1e-2, 1e-4, 1e-6, 1e-9, 1e-12, 1e-15] {
            let a = b.matmul(&c).unwrap().try_add(&(&e * distance)).unwrap();
            compare(&format!("{n}, {distance:e} from rank 1"), &a, 1.5, [1e-12, 1e-12, 1e-10]);
        }
        for scale in [1e-30, 1e30] {
            compare(&format!("{n}, scale {scale:e}"), &(&e * scale), scale, [1e-12, 1e-11, 1e-10]);
            let singular = &b.matmul(&c).unwrap() * scale;
            compare(&format!("{n}, rank 1, scale {scale:e}"), &singular, 1.5 * scale, EXACT);
        }
    }
    // Singular values apart by powers of ten.
    let graded = Tensor::from_fn([5, 5], |at| if at[0] == at[1] { 10f64.powi(-3 * at[0] as i32) } else { 0.0 });
    compare("graded", &graded.unwrap(), 1.0, EXACT);
}

#[test]
fn cofactors_do_not_underflow_with_the_determinant() {
    for (scale, wanted) in [(1e-150_f64, 1e-300_f64), (1e150, 1e300)] {
        let tape = Tape::<f64>::new();
        let a = tape.var(&(&Tensor::eye(3).unwrap() * scale));
        let det = a.det();
        assert!(det.item().unwrap() == 0.0 || det.item().unwrap() == f64::INFINITY);
        let g = det.backward().unwrap();
        for (i, g) in g.wrt(a).unwrap().iter().enumerate() {
            let wanted = if i % 4 == 0 { wanted } else { 0.0 };
            assert!(f64::abs(g - wanted) <= 1e-14 * wanted, "{i} {g:e}");
        }
    }
}

#[test]
fn each_matrix_of_a_batch_is_differentiated_as_it_needs() {
    let tape = Tape::new();
    let x = Tensor::from([
        [[1.0, 2.0], [2.0, 4.0]],
        [[3.0, 1.0], [1.0, 2.0]],
        [[0.0, 0.0], [0.0, 0.0]],
        [[0.0, 2.0], [5.0, 1.0]],
    ]);
    let a = tape.var(&x.reshape([2, 2, 2, 2]).unwrap());
    let det = a.det();
    assert_eq!(det.value().unwrap().shape(), [2, 2]);
    let wanted = [0.0, 5.0, 0.0, -10.0_f64];
    assert!(det.value().unwrap().iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-14));
    let seed = Tensor::from([[1.0, 2.0], [3.0, -1.0]]);
    // (d, −c, −b, a), by the seed.
    let wanted = [4.0_f64, -2.0, -2.0, 1.0, 4.0, -2.0, -2.0, 6.0, 0.0, 0.0, 0.0, 0.0, -1.0, 5.0, 2.0, 0.0];
    let recorded = tape.vjp(det, &seed, [a]).unwrap()[0].value().unwrap();
    let plain = det.backward_with(&seed).unwrap().wrt(a).unwrap().clone();
    for found in [recorded, plain] {
        assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-14), "{found}");
    }
}

#[test]
fn the_logarithm_at_the_edges_of_its_domain() {
    let tape = Tape::new();
    let singular = tape.var(&Tensor::from([[1.0, 2.0], [2.0, 4.0]]));
    let [sign, log] = singular.slogdet();
    assert!(sign.item().unwrap() == 0.0 && log.item().unwrap() == f64::NEG_INFINITY);
    assert_eq!(singular.logdet().item().unwrap(), f64::NEG_INFINITY);
    // As PyTorch has them.
    let inf = f64::INFINITY;
    assert_eq!(log.backward().unwrap().wrt(singular).unwrap().to_vec(), [-inf, inf, inf, -inf]);
    assert_eq!(sign.backward().unwrap().wrt(singular).unwrap().to_vec(), [0.0; 4]);
    let negative = tape.var(&Tensor::from([[0.0, 2.0], [4.0, 0.0]]));
    let y = negative.logdet();
    assert!(y.item().unwrap().is_nan());
    assert_eq!(y.backward().unwrap().wrt(negative).unwrap().to_vec(), [0.0, 0.5, 0.25, 0.0]);
    let [sign, log] = negative.slogdet();
    assert!(sign.item().unwrap() == -1.0 && (log.item().unwrap() - 8f64.ln()).abs() < 1e-15);
    let empty = tape.var(&Tensor::zeros([0, 0]).unwrap());
    assert_eq!([empty.det(), empty.slogdet()[0], empty.logdet()].map(|y| y.item().unwrap()), [1.0, 1.0, 0.0]);
}
