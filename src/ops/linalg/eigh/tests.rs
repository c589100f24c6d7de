mod repeated;

use crate::tape::Tape;
use crate::tensor::{Generator, Tensor};

pub(super) fn close(found: &Tensor<f64>, wanted: &Tensor<f64>, tolerance: f64) {
    assert_eq!(found.shape(), wanted.shape());
    let size = wanted.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
    for (a, b) in found.iter().zip(wanted) {
        assert!((a - b).abs() <= tolerance * size, "{found}\n{wanted}");
    }
}

pub(super) fn symmetric(n: usize, seed: u64) -> Tensor<f64> {
    let x = Tensor::normal([n, n], 0.0, 1.0, &mut Generator::new(seed)).unwrap();
    &x + &x.transpose(0, 1).unwrap()
}

pub(super) fn product(factors: &[&Tensor<f64>]) -> Tensor<f64> {
    factors[1..].iter().fold(factors[0].clone(), |x, y| x.matmul(y).unwrap())
}

pub(super) fn diagonal(values: &[f64]) -> Tensor<f64> {
    let n = values.len();
    Tensor::from_fn([n, n], |at| if at[0] == at[1] { values[at[0]] } else { 0.0 }).unwrap()
}

/// V diag(λ) Vᵀ of what was found.
fn back(values: &Tensor<f64>, vectors: &Tensor<f64>) -> Tensor<f64> {
    product(&[vectors, &diagonal(&values.to_vec()), &vectors.transpose(0, 1).unwrap()])
}

#[test]
fn the_parts_give_the_matrix_back_at_every_scale() {
    for (n, scale) in
        [(1, 1.0), (2, 1.0), (3, 1e150), (33, 1.0), (33, 1e-150), (100, 1.0), (130, 1.0), (5, 1e300), (2, 1e-300)]
    {
        let a = &symmetric(n, n as u64) * scale;
        let tape = Tape::new();
        let [l, v] = tape.constant(&a).eigh().map(|part| part.value().unwrap());
        assert!(l.to_vec().is_sorted());
        let size = l.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        close(&(&back(&(&l / size), &v)), &(&a / size), 1e-13);
        close(&v.transpose(0, 1).unwrap().matmul(&v).unwrap(), &Tensor::eye(n).unwrap(), 1e-13);
        let alone = tape.constant(&a).eigvalsh().value().unwrap();
        close(&(&alone / size), &(&l / size), 1e-14);
        for j in 0..n {
            let column: Vec<f64> = (0..n).map(|i| v.get(&[i, j]).unwrap()).collect();
            let largest = column.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            assert!(*column.iter().find(|x| x.abs() >= 0.999 * largest).unwrap() > 0.0);
        }
    }
    let least = f64::from_bits(1);
    let tiny = Tensor::from([[0.0, 8.0 * least], [8.0 * least, 0.0]]);
    let found = Tape::new().constant(&tiny).eigvalsh().value().unwrap().to_vec();
    assert_eq!(found, [-8.0 * least, 8.0 * least]);
    let tape = Tape::new();
    let zero = tape.constant(&Tensor::<f64>::zeros([3, 3]).unwrap()).eigh();
    assert_eq!(zero[0].value().unwrap().to_vec(), [0.0; 3]);
}

#[test]
fn single_precision_too() {
    let wide = symmetric(33, 5);
    let a = wide.map(|x| x as f32).unwrap();
    let tape = Tape::new();
    let [l, v] = tape.constant(&a).eigh();
    let again = (v * l.unsqueeze(-2)).matmul(v.transpose(-1, -2)).value().unwrap();
    assert!(again.iter().zip(&a).all(|(x, y)| (x - y).abs() < 2e-5));
    for scale in [1e-40, 1e-25, 1e30] {
        let l = tape.constant(&(&Tensor::from([[0.0f32, 1.0], [1.0, 0.0]]) * scale)).eigvalsh();
        assert!((l.value().unwrap().to_vec()[1] / scale as f32 - 1.0).abs() < 1e-4);
    }
}

#[test]
fn batches_and_threads_do_not_change_a_bit() {
    let a = Tensor::<f64>::normal([7, 40, 8, 8], 0.0, 1.0, &mut Generator::new(3)).unwrap();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let tape = Tape::new();
            let x = tape.var(&a);
            let [l, v] = x.eigh();
            let g = ((l * l).sum() + v.square().square().sum()).backward().unwrap();
            [l.value().unwrap(), v.value().unwrap(), g.wrt(x).unwrap().clone()].map(|x| x.to_vec())
        })
    };
    let one = run(1);
    assert!(run(2) == one && run(3) == one);
    let alone = a.slice(0, 6..7).unwrap().slice(1, 11..12).unwrap().reshape([8, 8]).unwrap();
    let tape = Tape::new();
    let l = tape.constant(&alone).eigh()[0].value().unwrap().to_vec();
    let at = (6 * 40 + 11) * 8;
    assert_eq!(one[0][at..at + 8], l);
    // An error names its matrix.
    let mut bad = a.clone();
    bad.as_mut_slice().unwrap()[((3 * 40 + 2) * 8 + 1) * 8] = f64::NAN;
    let error = tape.constant(&bad).eigh()[1].value().unwrap_err();
    assert_eq!(error.kind(), &crate::ErrorKind::NotFinite { batch: vec![3, 2] });
}

#[test]
fn the_upper_triangle_has_no_part() {
    let tape = Tape::new();
    let a = tape.constant(&Tensor::from([[2.0, 50.0], [1.0, 2.0]]));
    close(&a.eigvalsh().value().unwrap(), &Tensor::from([1.0, 3.0]), 1e-15);
    let a = a.transpose(0, 1);
    close(&a.eigvalsh().value().unwrap(), &Tensor::from([-48.0, 52.0]), 1e-14);
}
