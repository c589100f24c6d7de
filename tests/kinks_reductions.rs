//! What reductions and bounds give at kinks, ties and the edge of the domain, seen from outside.

use retrograde::{ErrorKind, Tape, Tensor, Var};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// The value of `f` at a vector, and its gradient.
fn at(x: &[f64], f: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>) -> (f64, Vec<f64>) {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from_slice(x, [x.len()]).unwrap());
    let y = f(x);
    (y.item().unwrap(), y.sum().backward().unwrap().wrt(x).unwrap().to_vec())
}

/// The diagonal-free second derivative: the gradient of the sum of the gradient.
fn second(x: &[f64], f: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>) -> Vec<f64> {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from_slice(x, [x.len()]).unwrap());
    let [g] = tape.vjp(f(x), &Tensor::scalar(1.0), [x]).unwrap();
    g.sum().backward().unwrap().wrt(x).unwrap().to_vec()
}

#[test]
fn ties_of_the_maximum_are_split_evenly_and_sum_to_one() {
    assert_eq!(at(&[1.0, 3.0, 3.0], |x| x.max()), (3.0, vec![0.0, 0.5, 0.5]));
    assert_eq!(at(&[2.0; 4], |x| x.max()), (2.0, vec![0.25; 4]));
}

#[test]
fn ties_of_the_minimum_are_split_evenly_and_sum_to_one() {
    assert_eq!(at(&[1.0, 1.0, 3.0], |x| x.min()), (1.0, vec![0.5, 0.5, 0.0]));
    assert_eq!(at(&[0.0, -0.0], |x| x.min()).1, [0.5, 0.5]);
}

#[test]
fn a_tie_has_no_second_derivative_of_its_own() {
    // max² / 2 has the second derivative of the shares' outer product.
    assert_eq!(second(&[3.0, 3.0], |x| x.max().square() * 0.5), [0.5, 0.5]);
    assert_eq!(second(&[3.0, 3.0], |x| x.max()), [0.0, 0.0]);
}

#[test]
fn the_maximum_never_hides_a_nan() {
    for f in [|x: Var<'_, f64>| x.max().item().unwrap(), |x: Var<'_, f64>| x.min().item().unwrap()] {
        let tape = Tape::new();
        assert!(f(tape.var(&Tensor::from([1.0, NAN, INF]))).is_nan());
    }
    let (_, g) = at(&[1.0, NAN, INF], |x| x.max());
    assert!(g.iter().all(|g| g.is_nan()));
}

#[test]
fn the_maximum_of_nothing_is_an_error() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::<f64>::zeros([3, 0]).unwrap());
    for y in [x.max(), x.min(), x.max_axes(1), x.min_keepdim(-1)] {
        let error = y.sum().backward().unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::EmptyReduction { axis: 1, shape: vec![3, 0] });
        assert!(error.location().unwrap().file().ends_with("kinks_reductions.rs"));
    }
    let error = x.argmax(1).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::EmptyReduction { axis: 1, shape: vec![3, 0] });
    assert!(error.location().unwrap().file().ends_with("kinks_reductions.rs"));
    assert_eq!(x.max_axes(0).value().unwrap().shape(), [0]);
}

#[test]
fn sum_mean_and_product_of_nothing_are_zero_nan_and_one() {
    assert_eq!(at(&[], |x| x.sum()).0, 0.0);
    assert!(at(&[], |x| x.mean()).0.is_nan());
    assert_eq!(at(&[], |x| x.prod()), (1.0, vec![]));
}

#[test]
fn a_product_with_one_zero_has_the_product_of_the_others_there() {
    assert_eq!(at(&[2.0, 0.0, 3.0], |x| x.prod()), (0.0, vec![0.0, 6.0, 0.0]));
    // ∂²/∂xᵢ∂xⱼ is the factor left: row sums 0 + 3, 3 + 2, 0 + 2.
    assert_eq!(second(&[2.0, 0.0, 3.0], |x| x.prod()), [3.0, 5.0, 2.0]);
}

#[test]
fn a_product_with_two_zeros_has_derivatives_from_the_second_order_on() {
    assert_eq!(at(&[0.0, 5.0, 0.0], |x| x.prod()), (0.0, vec![0.0; 3]));
    assert_eq!(second(&[0.0, 5.0, 0.0], |x| x.prod()), [5.0, 0.0, 5.0]);
}

#[test]
fn the_norm_has_derivative_zero_at_the_origin() {
    for p in [0.5, 1.0, 1.5, 2.0, 3.0, INF] {
        assert_eq!(at(&[0.0; 3], |x| x.norm_p(p)), (0.0, vec![0.0; 3]), "{p}");
        assert_eq!(second(&[0.0; 3], |x| x.norm_p(p)), [0.0; 3], "{p}");
    }
    assert_eq!(at(&[0.0; 3], |x| x.norm()), (0.0, vec![0.0; 3]));
}

#[test]
fn the_distance_of_equal_points_has_derivative_zero() {
    let tape = Tape::new();
    let (a, b) = (tape.var(&Tensor::from([1.0, 2.0])), tape.var(&Tensor::from([1.0, 2.0])));
    let grads = (a - b).norm().backward().unwrap();
    assert_eq!(grads.wrt(a).unwrap().to_vec(), [0.0, 0.0]);
    assert_eq!(grads.wrt(b).unwrap().to_vec(), [0.0, 0.0]);
}

#[test]
fn a_norm_neither_overflows_nor_vanishes() {
    for size in [1e200, 1e-200] {
        let (y, g) = at(&[3.0 * size, 4.0 * size], |x| x.norm());
        assert!((y / (5.0 * size) - 1.0).abs() < 1e-15, "{y}");
        assert!((g[0] - 0.6).abs() < 1e-15 && (g[1] - 0.8).abs() < 1e-15, "{g:?}");
    }
}

#[test]
fn the_deviation_of_a_constant_has_derivative_zero() {
    assert_eq!(at(&[0.1; 3], |x| x.std(1.0)), (0.0, vec![0.0; 3]));
    assert_eq!(second(&[0.1; 3], |x| x.std(1.0)), [0.0; 3]);
}

#[test]
fn a_variance_with_nothing_left_to_divide_by_is_nan() {
    let (y, g) = at(&[1.0], |x| x.var(1.0));
    assert!(y.is_nan() && g[0].is_nan());
    assert_eq!(at(&[1.0], |x| x.var(0.0)), (0.0, vec![0.0]));
}

#[test]
fn a_variance_does_not_see_an_offset() {
    let (y, g) = at(&[1e8 - 1.0, 1e8, 1e8 + 1.0], |x| x.var(1.0));
    assert_eq!((y, g), (1.0, vec![-1.0, 0.0, 1.0]));
}

#[test]
fn logsumexp_of_minus_infinity_is_minus_infinity_with_gradient_zero() {
    assert_eq!(at(&[-INF, -INF], |x| x.logsumexp()), (-INF, vec![0.0, 0.0]));
    assert_eq!(second(&[-INF, -INF], |x| x.logsumexp()), [0.0, 0.0]);
    assert_eq!(at(&[-INF, 3.0], |x| x.logsumexp()), (3.0, vec![0.0, 1.0]));
    assert_eq!(at(&[], |x| x.logsumexp()).0, -INF);
}

#[test]
fn logsumexp_of_infinity_is_infinity() {
    assert_eq!(at(&[INF, 0.0], |x| x.logsumexp()).0, INF);
    assert!(at(&[NAN, 0.0], |x| x.logsumexp()).0.is_nan());
}

#[test]
fn a_clamp_at_a_number_has_derivative_zero() {
    let g = |x: f64, f: for<'t> fn(Var<'t, f64>) -> Var<'t, f64>| at(&[x], f).1[0];
    assert_eq!(g(1.0, |x| x.clamp(-1.0, 1.0)), 0.0);
    assert_eq!(g(-1.0, |x| x.clamp(-1.0, 1.0)), 0.0);
    assert_eq!(g(0.5, |x| x.clamp(-1.0, 1.0)), 1.0);
    assert_eq!(g(0.0, |x| x.clamp_min(0.0)), 0.0);
    assert_eq!(g(0.0, |x| x.clamp_max(0.0)), 0.0);
}

#[test]
fn a_clamp_keeps_nan() {
    let (y, g) = at(&[NAN], |x| x.clamp(-1.0, 1.0));
    assert!(y.is_nan() && g[0].is_nan());
}

#[test]
fn a_clamp_with_crossed_bounds_is_its_upper_bound() {
    assert_eq!(at(&[0.0], |x| x.clamp(2.0, -2.0)), (-2.0, vec![0.0]));
}

#[test]
fn a_tensor_bound_that_ties_shares_half() {
    let tape = Tape::new();
    let (x, hi) = (tape.var(&Tensor::scalar(1.0)), tape.var(&Tensor::scalar(1.0)));
    let grads = x.clamp_tensor(-5.0, hi).backward().unwrap();
    assert_eq!(grads.wrt(x).unwrap().item().unwrap(), 0.5);
    assert_eq!(grads.wrt(hi).unwrap().item().unwrap(), 0.5);
}

#[test]
fn the_first_of_equals_and_the_first_nan_are_found() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([[2.0, 5.0, 5.0, 0.0, 0.0], [1.0, NAN, 9.0, NAN, -9.0]]));
    assert_eq!(x.argmax(-1).unwrap().to_vec(), [1, 1]);
    assert_eq!(x.argmin(-1).unwrap().to_vec(), [3, 1]);
    assert_eq!(x.argmax_keepdim(0).unwrap().shape(), [1, 5]);
    assert_eq!(x.argmax_all().unwrap().item().unwrap(), 6);
}
