//! Degenerate matrices, by hand; and bits.

use crate::number::Real;
use crate::tape::{Tape, Var};
use crate::tensor::Tensor;

/// `Q diag(d) Rᵀ` with rotations that mix all axes.
fn turned(d: [f64; 3], rows: usize, columns: usize) -> Tensor<f64> {
    let rotation = |n: usize, angle: f64| {
        let mut q = Tensor::eye(n).unwrap();
        for i in 1..n {
            let (sin, cos) = (angle * i as f64).sin_cos();
            let mut turn: Vec<f64> = Tensor::<f64>::eye(n).unwrap().to_vec();
            for (at, x) in [((i - 1) * (n + 1), cos), (i * (n + 1), cos), (i * n - n + i, -sin), (i * n + i - 1, sin)] {
                turn[at] = x;
            }
            q = q.matmul(&Tensor::from_slice(&turn, [n, n]).unwrap()).unwrap();
        }
        q
    };
    let s = Tensor::from_fn([rows, columns], |at| if at[0] == at[1] { d[at[0]] } else { 0.0 }).unwrap();
    let general = |n: usize, angle: f64| {
        rotation(n, angle).matmul(&rotation(n, 0.4 - angle).transpose(0, 1).unwrap()).unwrap()
    };
    general(rows, 0.7).matmul(&s).unwrap().matmul(&general(columns, -1.1)).unwrap()
}

fn weights(rows: usize, columns: usize) -> Tensor<f64> {
    Tensor::from_fn([rows, columns], |at| ((5 * at[0] + 3 * at[1] * at[1] + 1) as f64).sin()).unwrap()
}

type Program = for<'t> fn(Var<'t, f64>) -> Var<'t, f64>;

fn gradient(a: &Tensor<f64>, f: Program) -> Tensor<f64> {
    let tape = Tape::new();
    let x = tape.var(a);
    f(x).backward().unwrap().wrt(x).unwrap().clone()
}

/// The gradient against differences, and against forward mode.
fn right(a: &Tensor<f64>, f: Program) {
    let g = gradient(a, f);
    let value = |t: f64, along: &Tensor<f64>| {
        f(Tape::new().var(&a.try_add(&(along * t)).unwrap())).item().unwrap()
    };
    let mut along = Tensor::zeros(a.shape()).unwrap().to_vec();
    for i in 0..a.len() {
        along.fill(0.0);
        along[i] = 1.0;
        let u = Tensor::from_slice(&along, a.shape()).unwrap();
        let h = 1e-3;
        let [one, two] = [h, 2.0 * h].map(|h| (value(h, &u) - value(-h, &u)) / (2.0 * h));
        let numeric = (4.0 * one - two) / 3.0;
        let g = g.to_vec()[i];
        assert!((g - numeric).abs() < 1e-9, "element {i}: {g} against {numeric}");
        let tape = Tape::new();
        let x = tape.var(a);
        let forward = tape.jvp(f(x), [(x, &u)]).unwrap().item().unwrap();
        assert!((g - forward).abs() < 1e-12, "element {i}: {g} against {forward}");
    }
}

fn is_nan(a: &Tensor<f64>, f: Program) {
    let g = gradient(a, f);
    assert!(g.iter().all(f64::is_nan), "{g}");
}

fn weighted(x: Var<'_, f64>) -> Var<'_, f64> {
    let [m, n] = x.try_shape().unwrap()[..] else { unreachable!("a matrix") };
    (x * x.constant_like(Ok(weights(m, n)))).sum()
}

/// The projector on the first two left vectors.
fn left_projector(a: Var<'_, f64>) -> Var<'_, f64> {
    let u = a.svd()[0].narrow(-1, 0, 2);
    weighted(u.matmul(u.mt()))
}

fn right_projector(a: Var<'_, f64>) -> Var<'_, f64> {
    let vh = a.svd()[2].narrow(-2, 0, 2);
    weighted(vh.mt().matmul(vh))
}

#[test]
fn what_does_not_depend_on_the_basis_has_its_gradient_at_repeated_values() {
    for (m, n) in [(3, 3), (5, 3), (3, 4)] {
        let a = turned([2.0, 2.0, 0.7], m, n);
        right(&a, left_projector);
        right(&a, right_projector);
        right(&a, |a| a.svd()[1].ln().sum());
        // U₂ V₂ᵀ of the two equal ones, which turns with the sum of their values.
        right(&a, |a| {
            let [u, s, vh] = a.svd();
            weighted(u.narrow(-1, 0, 2).matmul(vh.narrow(-2, 0, 2))) + s.square().sum()
        });
        // The pair of the one value that stands alone.
        right(&a, |a| {
            let [u, s, vh] = a.svd();
            weighted(u.narrow(-1, 2, 1).matmul(vh.narrow(-2, 2, 1))) * s.narrow(-1, 2, 1).sum()
        });
    }
}

#[test]
fn what_depends_on_the_basis_has_none() {
    for (m, n) in [(3, 3), (5, 3), (3, 4)] {
        let a = turned([2.0, 2.0, 0.7], m, n);
        is_nan(&a, |a| weighted(a.svd()[0]));
        is_nan(&a, |a| weighted(a.svd()[2]));
        is_nan(&a, |a| weighted(a.svd()[0].narrow(-1, 0, 2).square()));
        // A function of matrices: its cotangents do not say what its gradient is.
        is_nan(&a, |a| {
            let [u, s, vh] = a.svd();
            weighted((u * s).matmul(vh))
        });
    }
    // Only the matrix of the batch that has no gradient.
    let batch = Tensor::stack(&[&turned([2.0, 2.0, 0.7], 3, 3), &turned([2.0, 1.0, 0.7], 3, 3)], 0).unwrap();
    let g = gradient(&batch, |a| a.svd()[0].sin().sum()).to_vec();
    assert!(g[..9].iter().all(|g| g.is_nan()) && g[9..].iter().all(|g| g.is_finite()));
}

#[test]
fn zeros_act_where_something_stands_outside_alone() {
    for (m, n) in [(4, 3), (3, 4), (3, 3)] {
        // Rank 2, of different values.
        let a = turned([2.0, 0.7, 0.0], m, n);
        right(&a, left_projector);
        right(&a, right_projector);
        right(&a, |a| {
            let [u, s, vh] = a.svd();
            weighted((u.narrow(-1, 0, 2) * s.narrow(-1, 0, 2)).matmul(vh.narrow(-2, 0, 2)))
                - a.square().sum() * 0.1
        });
        // Rank 1: two values of 0, whose vectors turn by themselves.
        let b = turned([2.0, 0.0, 0.0], m, n);
        right(&b, |a| {
            let u = a.svd()[0].narrow(-1, 0, 1);
            weighted(u.matmul(u.mt()))
        });
        is_nan(&b, |a| weighted(a.svd()[0].narrow(-1, 1, 2).square()));
        is_nan(&b, |a| weighted(a.svd()[2].narrow(-2, 1, 2).square()));
        is_nan(&b, |a| {
            let [u, s, vh] = a.svd();
            weighted((u * s).matmul(vh))
        });
    }
    // One 0 beside columns without a value, and one that has none beside.
    is_nan(&turned([2.0, 0.7, 0.0], 4, 3), |a| weighted(a.svd()[0].narrow(-1, 2, 1).square()));
    is_nan(&turned([2.0, 0.7, 0.0], 3, 4), |a| weighted(a.svd()[2].narrow(-2, 2, 1).square()));
    right(&turned([2.0, 0.7, 0.0], 4, 3), |a| weighted(a.svd()[2].narrow(-2, 2, 1).square()));
    right(&turned([2.0, 0.7, 0.0], 3, 3), |a| weighted(a.svd()[0].narrow(-1, 2, 1).square()));
    is_nan(&turned([2.0, 0.7, 0.0], 4, 3), |a| {
        let [u, s, vh] = a.svd();
        weighted((u * s).matmul(vh))
    });
    // Values alone: a subgradient.
    let g = gradient(&Tensor::from([[2.0, 0.0], [0.0, 0.0], [0.0, 0.0]]), |a| a.svd()[1].sum());
    assert_eq!(g.to_vec(), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    let g = gradient(&Tensor::zeros([2, 2]).unwrap(), |a| a.svd()[1].sum());
    assert_eq!(g.to_vec(), [1.0, 0.0, 0.0, 1.0]);
}

#[test]
fn vectors_without_values_count_by_their_space_alone() {
    for (m, n) in [(5, 3), (3, 5)] {
        let a = turned([2.0, 1.3, 0.7], m, n);
        right(&a, |a| {
            let [u, _, vh] = a.svd_full();
            weighted(u.square().narrow(-1, 0, 3)) + weighted(vh.square().narrow(-2, 0, 3))
        });
        is_nan(&a, |a| {
            let [u, _, vh] = a.svd_full();
            let [m, n] = a.try_shape().unwrap()[..] else { unreachable!("a matrix") };
            if m > n { weighted(u.narrow(-1, 3, 2)) } else { weighted(vh.narrow(-2, 3, 2)) }
        });
        let b = turned([2.0, 1.3, 0.0], m, n);
        // The space of the zero and of the rest together.
        right(&b, |a| {
            let [u, _, vh] = a.svd_full();
            let (u, v) = (u.slice(-1, 2..), vh.slice(-2, 2..).mt());
            weighted(u.matmul(u.mt())) + weighted(v.matmul(v.mt()))
        });
    }
}

#[test]
fn extreme_scales_have_gradients() {
    for scale in [1e-150, 1e150] {
        let a = turned([2.0, 1.3, 0.7], 4, 3);
        let wanted = gradient(&a, |a| weighted(a.svd()[0].square()));
        let g = gradient(&(&a * scale), |a| weighted(a.svd()[0].square())) * scale;
        assert!(g.all_close(&wanted, 1e-12, 1e-12).unwrap());
        let g = gradient(&(&a * scale), |a| a.svdvals().ln().sum()) * scale;
        assert!(g.all_close(&gradient(&a, |a| a.svdvals().ln().sum()), 1e-12, 1e-12).unwrap());
    }
}

fn bits<T: Real>(threads: usize) -> Vec<u64> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let tape = Tape::<T>::new();
        let at = |at: &[usize]| T::from_f64(((17 * at[0] + 5 * at[1] + at[1] * at[2]) as f64).sin());
        let a = tape.var(&Tensor::from_fn([40, 9, 7], at).unwrap());
        let [u, s, vh] = a.svd();
        let y = u.square().sum_axes([0, 1]) * s.sum_axes(0) + vh.square().sum_axes([0, 2]) + a.pinv().sum();
        let g = y.sum().backward().unwrap().wrt(a).unwrap().clone();
        let values = [u, s, vh, a.svdvals(), a.polar()[0]].map(|x| x.value().unwrap());
        values.iter().chain([&g]).flat_map(|x| x.to_vec()).map(|x| x.to_f64().to_bits()).collect()
    })
}

#[test]
fn bits_are_the_same_for_any_number_of_threads() {
    assert!(bits::<f64>(1) == bits::<f64>(2) && bits::<f64>(1) == bits::<f64>(3));
    assert!(bits::<f32>(1) == bits::<f32>(3));
}
