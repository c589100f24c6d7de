//! Sparse Jacobians: right entries in few sweeps, patterns found, and patterns that are wrong.

use retrograde::sparse::{Sparsity, detect, jacobian};
use retrograde::{ErrorKind, Generator, Tensor, Var, functional};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A nonlinear three-point stencil with fixed ends.
fn stencil<'t>(x: Var<'t, f64>) -> Var<'t, f64> {
    let inner = x.slice(0, ..-2) - x.slice(0, 1..).slice(0, ..-1).exp() * 2.0 + x.slice(0, 2..).square();
    x.tape().concat(&[x.slice(0, ..1), inner, x.slice(0, -1..) * 3.0], 0)
}

fn dense(f: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>, x: &Tensor<f64>) -> Vec<f64> {
    let [j] = functional::jacobian(|[x]| f(x), [x]).unwrap();
    j.to_vec()
}

#[test]
fn a_band_of_a_hundred_thousand_takes_three_sweeps() {
    let n = 100_000;
    let x = Tensor::linspace(-1.0, 1.0, n).unwrap();
    let pattern = Sparsity::banded(n, n, 1, 1).unwrap();
    assert_eq!((pattern.sweeps(), pattern.len()), (3, 3 * n - 2));
    let runs = AtomicUsize::new(0);
    let j = jacobian(
        |x| {
            runs.fetch_add(1, Relaxed);
            stencil(x)
        },
        &x,
        &pattern,
    )
    .unwrap();
    assert_eq!(runs.load(Relaxed), 1, "the function runs once");
    let at = |i: usize| x.get([i]).unwrap();
    for i in [1, 2, 49_999, n - 2] {
        assert_eq!(j.get(i, i - 1), 1.0);
        assert_eq!(j.get(i, i + 1), 2.0 * at(i + 1));
        assert!((j.get(i, i) + 2.0 * at(i).exp()).abs() < 1e-14);
        assert_eq!(j.get(i, (i + 5) % n), 0.0);
    }
    assert_eq!((j.get(0, 0), j.get(0, 1), j.get(n - 1, n - 1), j.get(n - 1, n - 2)), (1.0, 0.0, 3.0, 0.0));
}

#[test]
fn entries_are_those_of_the_dense_jacobian_in_both_modes() {
    let mut random = Generator::new(5);
    let x = Tensor::normal([30], 0.0, 1.0, &mut random).unwrap();
    fn tall<'t>(x: Var<'t, f64>) -> Var<'t, f64> {
        x.tape().stack(&[x.sum(), x.square().sum(), x.prod()], 0)
    }
    fn wide<'t>(x: Var<'t, f64>) -> Var<'t, f64> {
        x.reshape([6, 5]).square().sum_axes(1)
    }
    fn spread<'t>(x: Var<'t, f64>) -> Var<'t, f64> {
        x.slice(0, ..3).reshape([3, 1]) * x.slice(0, 10..12)
    }
    let check =
        |name: &str, f: &dyn for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>, entries: usize, sweeps: usize| {
            let pattern = detect(f, &x).unwrap();
            assert_eq!((pattern.len(), pattern.sweeps()), (entries, sweeps), "{name}");
            let j = jacobian(f, &x, &pattern).unwrap();
            let wanted = dense(f, &x);
            assert_eq!(j.to_dense().unwrap().to_vec(), wanted, "{name}");
            let v = Tensor::normal([30], 0.0, 1.0, &mut Generator::new(6)).unwrap();
            let product = j.matvec(&v).unwrap();
            for (row, found) in wanted.chunks(30).zip(&product) {
                let exact: f64 = row.iter().zip(&v).map(|(a, b)| a * b).sum();
                assert!((found - exact).abs() < 1e-13 * (1.0 + exact.abs()), "{name}");
            }
        };
    // Three full rows take three sweeps back; a product takes one for each factor.
    check("full rows", &tall, 90, 3);
    check("blocks", &wide, 30, 1);
    check("products", &spread, 12, 2);
    check("a band", &stencil, 3 * 28 + 2, 3);
}

#[test]
fn a_pattern_may_hold_more_than_the_jacobian() {
    let x = Tensor::from([1.0, 2.0, 3.0, 4.0]);
    let j = jacobian(|x| x.square(), &x, &Sparsity::banded(4, 4, 1, 2).unwrap()).unwrap();
    assert_eq!(j.to_dense().unwrap().to_vec(), dense(|x| x.square(), &x));
    assert_eq!(j.row(1).collect::<Vec<_>>(), [(0, 0.0), (1, 4.0), (2, 0.0), (3, 0.0)]);
    assert_eq!(j.row(9).count(), 0);
}

#[test]
fn a_pattern_that_misses_an_entry_is_found_out() {
    let x = Tensor::linspace(0.5, 1.5, 40).unwrap();
    let mut entries: Vec<(usize, usize)> = Sparsity::banded(40, 40, 1, 1).unwrap().entries().collect();
    entries.retain(|&entry| entry != (7, 8));
    let less = Sparsity::new(40, 40, entries).unwrap();
    let error = jacobian(stencil, &x, &less).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotInPattern { axis: "row", index: 7 });
    assert_eq!(error.operation(), Some("sparse jacobian"));
    // In reverse: two full rows, one of which lacks an element.
    fn two<'t>(x: Var<'t, f64>) -> Var<'t, f64> {
        x.tape().stack(&[x.sum(), x.prod()], 0)
    }
    let full: Vec<(usize, usize)> = (0..80).map(|k| (k / 40, k % 40)).filter(|&e| e != (1, 3)).collect();
    let error = jacobian(two, &x, &Sparsity::new(2, 40, full).unwrap()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotInPattern { axis: "column", index: 3 });
}

#[test]
fn detection_takes_few_sweeps() {
    let n = 4096;
    let x = Tensor::linspace(0.5, 1.5, n).unwrap();
    let start = std::time::Instant::now();
    let found = detect(stencil, &x).unwrap();
    assert!(start.elapsed().as_secs() < 20);
    assert_eq!(found.len(), 3 * (n - 2) + 2);
    assert!(found.entries().all(|(row, column)| row.abs_diff(column) <= 1));
}

#[test]
fn what_cannot_be_swept_forward_is_swept_in_reverse() {
    let x = Tensor::from([1.0, 2.0, 3.0]);
    fn once<'t>(x: Var<'t, f64>) -> Var<'t, f64> {
        x.tape().record_once(
            "cube",
            &[x],
            |x| x[0].map(|x| x * x * x),
            |x, _, g| Ok([Some(x[0].map(|x| 3.0 * x * x)?.try_mul(g)?)].into_iter().collect()),
        )
    }
    let pattern = detect(once, &x).unwrap();
    assert_eq!(pattern, Sparsity::banded(3, 3, 0, 0).unwrap());
    assert_eq!(jacobian(once, &x, &pattern).unwrap().values(), [3.0, 12.0, 27.0]);
}

#[test]
fn single_precision_matrices_and_values_of_any_rank() {
    let x = Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]);
    let pattern = detect(|x| x.square().transpose(0, 1), &x).unwrap();
    assert_eq!(pattern.entries().collect::<Vec<_>>(), [(0, 0), (1, 2), (2, 1), (3, 3)]);
    let j = jacobian(|x| x.square().transpose(0, 1), &x, &pattern).unwrap();
    assert_eq!(j.values(), [2.0, 6.0, 4.0, 8.0]);
    let empty = Tensor::<f64>::zeros([0]).unwrap();
    let none = detect(|x| x.exp(), &empty).unwrap();
    assert_eq!((none.rows(), none.columns(), none.is_empty()), (0, 0, true));
    assert!(jacobian(|x| x.exp(), &empty, &none).unwrap().is_empty());
    let constant = detect(|x| x.detach().exp(), &x).unwrap();
    assert_eq!((constant.rows(), constant.len()), (4, 0));
    assert!(jacobian(|x| x.detach().exp(), &x, &constant).unwrap().is_empty());
}

#[test]
fn wrong_sizes_and_errors_are_typed() {
    let kind = |error: retrograde::Error| error.kind().clone();
    let x = Tensor::from([1.0, 2.0, 3.0]);
    let found = kind(jacobian(|x| x.exp(), &x, &Sparsity::banded(2, 3, 0, 0).unwrap()).unwrap_err());
    assert_eq!(found, ErrorKind::Shape { what: "the pattern".into(), found: vec![2, 3], wanted: vec![3, 3] });
    let found = kind(Sparsity::new(2, 3, [(0, 0), (2, 1)]).unwrap_err());
    assert_eq!(found, ErrorKind::Index { index: 2, axis: 0, size: 2 });
    let found = kind(Sparsity::new(2, 3, [(1, 3)]).unwrap_err());
    assert_eq!(found, ErrorKind::Index { index: 3, axis: 1, size: 3 });
    assert!(matches!(kind(Sparsity::new(1 << 32, 3, []).unwrap_err()), ErrorKind::Argument { .. }));
    assert!(matches!(kind(Sparsity::banded(3, 1 << 32, 0, 0).unwrap_err()), ErrorKind::Argument { .. }));
    let diagonal = Sparsity::banded(3, 3, 0, 0).unwrap();
    let other = Sparsity::banded(3, 2, 0, 0).unwrap();
    assert!(matches!(kind(diagonal.union(&other).unwrap_err()), ErrorKind::Shape { .. }));
    let wrong = jacobian(|x| x.matmul(x.reshape([1, 3])), &x, &diagonal).unwrap_err();
    assert_eq!(wrong.operation(), Some("matmul"));
    let wrong = detect(|x| x.matmul(x.reshape([1, 3])), &x).unwrap_err();
    assert_eq!(wrong.operation(), Some("matmul"));
    let j = jacobian(|x| x.exp(), &x, &diagonal).unwrap();
    let error = j.matvec(&Tensor::from([1.0, 2.0])).unwrap_err();
    assert_eq!(kind(error), ErrorKind::Shape { what: "x".into(), found: vec![2], wanted: vec![3] });
    assert_eq!(Sparsity::banded(3, 4, 5, usize::MAX).unwrap().len(), 12);
}
