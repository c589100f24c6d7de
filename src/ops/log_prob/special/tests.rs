//! The edges of the laws: the ends of their support, certain outcomes, tails, and parameters that are infinite. Values and
//! derivatives at random places are in `tests/special.rs`.

use crate::tape::{Tape, Var};
use crate::tensor::Tensor;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// Values, and the gradient of their sum by x.
fn at(x: &[f64], law: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>) -> (Vec<f64>, Vec<f64>) {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from(x.to_vec()));
    let y = law(x);
    (y.value().unwrap().to_vec(), y.sum().backward().unwrap().wrt(x).unwrap().to_vec())
}

/// Equal within 4 ulp, infinities and NaNs exactly.
fn assert_close(found: &[f64], wanted: &[f64]) {
    let close =
        |a: f64, b: f64| a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 4.0 * f64::EPSILON * b.abs();
    assert!(
        found.len() == wanted.len() && found.iter().zip(wanted).all(|(a, b)| close(*a, *b)),
        "{found:?} for {wanted:?}"
    );
}

#[test]
fn the_ends_of_the_support() {
    let ln2 = 2f64.ln();
    let (y, g) = at(&[-1.0, 0.0, 2.0, INF, NAN], |x| x.gamma_log_prob(1.0, 2.0));
    assert_close(&y, &[-INF, ln2, ln2 - 4.0, -INF, NAN]);
    assert_close(&g[..4], &[0.0, -2.0, -2.0, -2.0]);
    let (y, g) = at(&[0.0], |x| x.gamma_log_prob(2.0, 1.0));
    assert_eq!((y[0], g[0]), (-INF, INF));
    let (y, g) = at(&[0.0], |x| x.gamma_log_prob(0.5, 1.0));
    assert_eq!((y[0], g[0]), (INF, -INF));
    let (y, g) = at(&[-0.5, 0.0, 0.5, 1.0, 1.5, NAN], |x| x.beta_log_prob(1.0, 1.0));
    assert_close(&y, &[-INF, 0.0, 0.0, 0.0, -INF, NAN]);
    assert_eq!(g[..5], [0.0; 5]);
    let (y, g) = at(&[0.0, 1.0], |x| x.beta_log_prob(1.0, 3.0));
    assert_close(&y, &[3f64.ln(), -INF]);
    assert_eq!(g, [-2.0, -INF]);
    let (y, g) = at(&[0.0, 1.0], |x| x.beta_log_prob(3.0, 1.0));
    assert_close(&y, &[-INF, 3f64.ln()]);
    assert_eq!(g, [INF, 2.0]);
    let (y, g) = at(&[-INF, 1e200, NAN], |x| x.student_t_log_prob(3.0, 0.0, 1.0));
    assert_eq!(y[0], -INF);
    assert!(y[2].is_nan() && g[2].is_nan());
    // −4/x, where x² would leave the range.
    assert_close(&g[..2], &[0.0, -4e-200]);
    let (y, _) = at(&[-1.0, 0.5], |x| x.dirichlet_log_prob(1.0));
    assert_eq!(y, [-INF]);
}

#[test]
fn counts_outside_have_no_probability_and_no_gradient() {
    let (y, g) = at(&[-2.0, -0.5, 0.0, NAN], |k| k.poisson_log_prob(2.0));
    assert_close(&y, &[-INF, -INF, -2.0, NAN]);
    assert_eq!(g[..2], [0.0, 0.0]);
    let (y, g) = at(&[-1.0, 0.0, 3.0, 4.0, NAN], |k| k.binomial_log_prob(3.0, 0.5));
    assert_close(&y, &[-INF, -3.0 * 2f64.ln(), -3.0 * 2f64.ln(), -INF, NAN]);
    assert_eq!((g[0], g[3]), (0.0, 0.0));
    let (y, _) = at(&[-1.0, 4.0, NAN], |k| k.binomial_logits_log_prob(3.0, 0.5));
    assert_eq!(y[..2], [-INF, -INF]);
    assert!(y[2].is_nan());
}

#[test]
fn certain_outcomes_have_finite_derivatives_where_they_come() {
    // Of counts 0, 0, 3, 3 of 3, at probabilities 0, 1, 0, 1.
    let tape = Tape::<f64>::new();
    let k = tape.constant(&Tensor::from([0.0, 0.0, 3.0, 3.0]));
    let p = tape.var(&Tensor::from([0.0, 1.0, 0.0, 1.0]));
    let y = k.binomial_log_prob(3.0, p);
    let value = y.value().unwrap().to_vec();
    assert!(value[0].abs() < 1e-15 && value[3].abs() < 1e-15);
    assert_eq!(value[1..3], [-INF, -INF]);
    assert_eq!(y.sum().backward().unwrap().wrt(p).unwrap().to_vec(), [-3.0, -INF, INF, 3.0]);
    // And one order up: −k/p² − (n − k)/(1 − p)².
    let [g] = tape.vjp(y.sum(), &Tensor::scalar(1.0), [p]).unwrap();
    let second = g.sum().backward().unwrap().wrt(p).unwrap().to_vec();
    assert_eq!((second[0], second[3]), (-3.0, -3.0));
    // Logits of any size.
    let logits = tape.var(&Tensor::from([-1e4, 1e4, -1e4, 1e4]));
    let y = k.binomial_logits_log_prob(3.0, logits);
    let value = y.value().unwrap().to_vec();
    assert!(value[0].abs() < 1e-15 && value[3].abs() < 1e-15);
    assert_eq!(value[1..3], [-3e4, -3e4]);
    assert_eq!(y.sum().backward().unwrap().wrt(logits).unwrap().to_vec(), [0.0, -3.0, 3.0, 0.0]);
    let rate = tape.var(&Tensor::from([0.0, 0.0, INF]));
    let y = tape.constant(&Tensor::from([0.0, 2.0, 2.0])).poisson_log_prob(rate);
    assert_eq!(y.value().unwrap().to_vec(), [0.0, -INF, -INF]);
    assert_eq!(y.sum().backward().unwrap().wrt(rate).unwrap().to_vec(), [-1.0, INF, -1.0]);
}

#[test]
fn parameters_outside_give_nan() {
    for x in [0.5, 0.0] {
        for (a, b) in [(-1.0, 1.0), (1.0, -1.0), (0.0, 1.0), (NAN, 1.0), (1.0, NAN)] {
            assert!(at(&[x], |x| x.beta_log_prob(a, b)).0[0].is_nan() || a == 0.0, "beta {a} {b}");
            assert!(at(&[x], |x| x.gamma_log_prob(a, b)).0[0].is_nan(), "gamma {a} {b}");
            let scale = b;
            assert!(at(&[x], |x| x.student_t_log_prob(a, 0.0, scale)).0[0].is_nan(), "student {a} {b}");
        }
    }
    for p in [-0.5, 1.5, NAN] {
        assert!(at(&[0.0], |k| k.binomial_log_prob(3.0, p)).0[0].is_nan(), "{p}");
        assert!(at(&[3.0], |k| k.binomial_log_prob(3.0, p)).0[0].is_nan(), "{p}");
    }
    assert!(at(&[0.0], |k| k.poisson_log_prob(-1.0)).0[0].is_nan());
    assert!(at(&[0.0], |k| k.poisson_log_prob(NAN)).0[0].is_nan());
}

#[test]
fn with_infinite_freedom_the_law_is_the_normal_one() {
    let x = [-2.0, 0.0, 0.5, 1e3];
    let (student, slope) = at(&x, |x| x.student_t_log_prob(INF, 0.25, 2.0));
    let (normal, of_normal) = at(&x, |x| x.normal_log_prob(0.25, 2.0));
    assert_close(&student, &normal);
    assert_close(&slope, &of_normal);
    let tape = Tape::new();
    let v = tape.var(&Tensor::scalar(INF));
    let y = tape.scalar(3.0).student_t_log_prob(v, 0.0, 1.0);
    assert_eq!(y.backward().unwrap().wrt(v).unwrap().item().unwrap(), 0.0);
}
