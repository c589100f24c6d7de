//! Values from mpmath, and the edges.

use crate::tape::{Tape, Var};
use crate::tensor::Tensor;

type Law = for<'t> fn(Var<'t, f64>, f64, f64) -> Var<'t, f64>;

#[test]
fn values_are_those_of_mpmath() {
    let normal: Law = |x, a, b| x.normal_log_prob(a, b);
    let laplace: Law = |x, a, b| x.laplace_log_prob(a, b);
    let cauchy: Law = |x, a, b| x.cauchy_log_prob(a, b);
    let logistic: Law = |x, a, b| x.logistic_log_prob(a, b);
    let gumbel: Law = |x, a, b| x.gumbel_log_prob(a, b);
    let exponential: Law = |x, a, _| x.exponential_log_prob(a);
    // By mpmath at 40 digits, from the densities as they stand in books.
    let cases: [(&str, Law, [f64; 3], f64); 18] = [
        ("normal", normal, [1.5, 0.5, 2.0], -1.737085713764618),
        ("normal", normal, [-3.25, 1.0, 0.125], -576.8394969915248),
        ("normal", normal, [40.0, 2.0, 3.5], -61.11047701190412),
        ("laplace", laplace, [1.5, 0.5, 2.0], -1.8862943611198906),
        ("laplace", laplace, [-3.25, 1.0, 0.125], -32.61370563888011),
        ("laplace", laplace, [40.0, 2.0, 3.5], -12.803053006198171),
        ("cauchy", cauchy, [1.5, 0.5, 2.0], -2.061020617723555),
        ("cauchy", cauchy, [-3.25, 1.0, 0.125], -6.118874071363241),
        ("cauchy", cauchy, [40.0, 2.0, 3.5], -7.175586834668043),
        ("logistic", logistic, [1.5, 0.5, 2.0], -2.1413011489201588),
        ("logistic", logistic, [-3.25, 1.0, 0.125], -31.92055845832017),
        ("logistic", logistic, [40.0, 2.0, 3.5], -12.109944358261806),
        ("gumbel", gumbel, [1.5, 0.5, 2.0], -1.7996778402725788),
        ("gumbel", gumbel, [-0.25, 1.0, 0.125], -22014.386353265036),
        ("gumbel", gumbel, [40.0, 2.0, 3.5], -12.109925092135612),
        ("exponential", exponential, [1.5, 0.5, 2.0], -1.4431471805599454),
        ("exponential", exponential, [0.0, 1.0, 0.125], 0.0),
        ("exponential", exponential, [40.0, 2.0, 3.5], -79.30685281944005),
    ];
    let tape = Tape::new();
    for (name, law, [x, a, b], wanted) in cases {
        let found = law(tape.scalar(x), a, b).item().unwrap();
        assert!(
            (found - wanted).abs() <= 2e-15 * wanted.abs().max(1.0),
            "{name} {x} {a} {b}: {found:e} for {wanted:e}"
        );
    }
}

#[test]
fn what_lies_outside_has_no_density_and_no_gradient() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([-1.0, 0.0, 0.5]));
    let rate = tape.var(&Tensor::scalar(2.0));
    let y = x.exponential_log_prob(rate);
    assert_eq!(y.value().unwrap().to_vec(), [f64::NEG_INFINITY, 2f64.ln(), 2f64.ln() - 1.0]);
    let grads = y.sum().backward().unwrap();
    assert_eq!(grads.wrt(x).unwrap().to_vec(), [0.0, -2.0, -2.0]);
    assert_eq!(grads.wrt(rate).unwrap().item().unwrap(), 0.5);
    let nan = tape.var(&Tensor::scalar(f64::NAN));
    assert!(nan.exponential_log_prob(1.0).item().unwrap().is_nan());
    assert!(nan.uniform_log_prob(0.0, 1.0).item().unwrap().is_nan());
    let x = tape.var(&Tensor::from([-0.1, 0.0, 1.0, 1.1]));
    let wanted = [f64::NEG_INFINITY, 0.0, 0.0, f64::NEG_INFINITY];
    assert_eq!(x.uniform_log_prob(0.0, 1.0).value().unwrap().to_vec(), wanted);
}

#[test]
fn tails_stay_finite() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([-1e200, 1e200]));
    let y = x.cauchy_log_prob(0.0, 1.0);
    let g = y.sum().backward().unwrap().wrt(x).unwrap().to_vec();
    assert!((g[1] / -2e-200 - 1.0).abs() < 1e-12 && (g[0] / 2e-200 - 1.0).abs() < 1e-12, "{g:?}");
    let x = tape.var(&Tensor::from([-800.0, 800.0]));
    let y = x.logistic_log_prob(0.0, 1.0);
    assert_eq!(y.value().unwrap().to_vec(), [-800.0, -800.0]);
    assert_eq!(y.sum().backward().unwrap().wrt(x).unwrap().to_vec(), [1.0, -1.0]);
}
