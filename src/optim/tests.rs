//! Steps against the formulas worked out by NumPy, and what a step promises about memory and errors.

use super::*;
use crate::{Tape, Var};

/// The gradients of three steps from (1, −2), whatever the parameters.
const GRADIENTS: [[f64; 2]; 3] = [[0.5, -1.0], [1.0, 2.0], [-0.25, 0.5]];

/// Takes the three steps in both precisions and compares.
macro_rules! three_steps {
    ($make:expr, $expected:expr) => {{
        let (mut double, mut single) = ($make, $make);
        let mut p = Tensor::from([1.0, -2.0]);
        let mut q = Tensor::from([1.0_f32, -2.0]);
        for (g, expected) in GRADIENTS.iter().zip($expected) {
            let g = Tensor::from(*g);
            double.step([(&mut p, &g)]).unwrap();
            single.step([(&mut q, &g.map(|g| g as f32).unwrap())]).unwrap();
            for ((p, q), expected) in p.iter().zip(&q).zip(expected) {
                let expected: f64 = expected;
                assert!((p - expected).abs() < 4e-15, "{p:?} {expected:?}");
                assert!((f64::from(q) - expected).abs() < 1e-6, "{q} {expected}");
            }
        }
    }};
}

/// p − 0.1 g: 1 − 0.05, 0.95 − 0.1, 0.85 + 0.025; −2 + 0.1, −1.9 − 0.2, −2.1 − 0.05.
#[test]
fn plain_descent() {
    three_steps!(Sgd::new(0.1), [[0.95, -1.9], [0.85, -2.1], [0.875, -2.15]]);
}

/// v = 0.9 v + g + 0.5 p, p − 0.1 v. First: v = 0.5 + 0.5 = 1, p = 0.9. Second: v = 0.9 + 1 + 0.45 = 2.35,
/// p = 0.665. Third: v = 2.115 − 0.25 + 0.3325 = 2.1975, p = 0.44525. And likewise from −2: v = −2, −1.8 + 2 − 0.9 =
/// −0.7, −0.63 + 0.5 − 0.865 = −0.995.
#[test]
fn momentum_and_weight_decay() {
    macro_rules! make {
        () => {{
            let mut sgd = Sgd::new(0.1);
            (sgd.momentum, sgd.weight_decay) = (0.9, 0.5);
            sgd
        }};
    }
    three_steps!(make!(), [[0.9, -1.8], [0.665, -1.73], [0.44525, -1.6305]]);
}

/// By NumPy, with rate 0.1, β = (0.9, 0.99), ε = 1e-8, for t = 1, 2, 3:
/// `m = .9*m + .1*g; v = .99*v + .01*g*g; p -= .1 * (m/(1-.9**t)) / (sqrt(v/(1-.99**t)) + 1e-8)`.
/// By hand, the first step: m/(1 − β₁) = g and v/(1 − β₂) = g², so p −= 0.1·g/(|g| + 1e-8) = 1 − 0.1·(1 − 2e-8).
#[test]
fn adam() {
    macro_rules! make {
        () => {{
            let mut adam = Adam::new(0.1);
            adam.beta2 = 0.99;
            adam
        }};
    }
    three_steps!(
        make!(),
        [
            [0.9000000019999999, -1.900000001],
            [0.8036125151563674, -1.9365607721026055],
            [0.744713120555105, -1.978153235903444]
        ]
    );
}

/// As above with `g += .5*p` before the moments (in PyTorch, `Adam(weight_decay=0.5)`).
#[test]
fn adam_with_weight_decay() {
    macro_rules! make {
        () => {{
            let mut adam = Adam::new(0.1);
            (adam.beta2, adam.weight_decay) = (0.99, 0.5);
            adam
        }};
    }
    three_steps!(
        make!(),
        [
            [0.9000000009999999, -1.9000000005],
            [0.8007830351229029, -1.8752513410321838],
            [0.7187500029210472, -1.8442327492447144]
        ]
    );
}

/// As above with `p *= 1 - .1*.5` first and the gradient as it is.
#[test]
fn adamw() {
    macro_rules! make {
        () => {{
            let mut adam = AdamW::new(0.1);
            (adam.beta2, adam.weight_decay) = (0.99, 0.5);
            adam
        }};
    }
    three_steps!(
        make!(),
        [
            [0.8500000019999998, -1.800000001],
            [0.7111125150563674, -1.7465607720526053],
            [0.6166574947022865, -1.7008251972508135]
        ]
    );
}

/// (1 − x)² + 100 (y − x²)², with its minimum at (1, 1) at the end of a bent valley.
fn rosenbrock<'t>(x: Var<'t, f64>, y: Var<'t, f64>) -> Var<'t, f64> {
    (1.0 - x).square() + (y - x.square()).square() * 100.0
}

/// How far from it `steps` steps end; `step` is also told what part of them is still to come.
fn descend(steps: usize, mut step: impl FnMut(f64, [(&mut Tensor<f64>, &Tensor<f64>); 2])) -> f64 {
    let (mut x, mut y) = (Tensor::scalar(-1.2), Tensor::scalar(1.0));
    let mut tape = Tape::new();
    for i in 0..steps {
        let (a, b) = (tape.var(&x), tape.var(&y));
        let grads = rosenbrock(a, b).backward().unwrap();
        let (a, b) = (a.key(), b.key());
        tape.clear();
        let left = 1.0 - i as f64 / steps as f64;
        step(left, [(&mut x, grads.wrt(a).unwrap()), (&mut y, grads.wrt(b).unwrap())]);
    }
    (x.item().unwrap() - 1.0).hypot(y.item().unwrap() - 1.0)
}

#[test]
fn every_optimiser_finds_the_end_of_rosenbrocks_valley() {
    let mut sgd = Sgd::new(5e-4);
    sgd.momentum = 0.95;
    assert!(descend(20_000, |_, pairs| sgd.step(pairs).unwrap()) < 1e-6);
    // Steps of the learning rate in every direction never settle unless it falls.
    let mut adam = Adam::new(0.1);
    let distance = descend(4000, |left, pairs| {
        adam.learning_rate = 0.1 * left;
        adam.step(pairs).unwrap();
    });
    assert!(distance < 1e-8, "{distance:e}");
    let mut adamw = AdamW::new(0.1);
    adamw.weight_decay = 1e-12;
    let distance = descend(4000, |left, pairs| {
        adamw.learning_rate = 0.1 * left;
        adamw.step(pairs).unwrap();
    });
    assert!(distance < 1e-8, "{distance:e}");
}

#[test]
fn a_parameter_is_updated_where_it_lies() {
    let mut p = Tensor::<f64>::zeros([3, 4]).unwrap();
    let g = Tensor::ones([3, 4]).unwrap();
    let at = |p: &Tensor<f64>| p.as_slice().unwrap().as_ptr();
    let before = at(&p);
    let (mut sgd, mut adam) = (Sgd::new(0.5), Adam::new(0.1));
    sgd.step([(&mut p, &g)]).unwrap();
    adam.step([(&mut p, &g)]).unwrap();
    assert_eq!(at(&p), before);
}

#[test]
fn a_shared_parameter_is_copied_and_its_other_owner_keeps_the_old_values() {
    let mut p = Tensor::from([1.0, 2.0]);
    let kept = p.clone();
    let tape = Tape::new();
    let x = tape.var(&p);
    Sgd::new(1.0).step([(&mut p, &Tensor::from([1.0, 1.0]))]).unwrap();
    assert_eq!((kept.to_vec(), x.value().unwrap().to_vec()), (vec![1.0, 2.0], vec![1.0, 2.0]));
    assert_eq!(p.to_vec(), [0.0, 1.0]);
}

/// Gradients come as views (of a sum: one number seen as many) and parameters may be views too.
#[test]
fn views_are_taken_as_what_they_show() {
    let mut p = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).transpose(0, 1).unwrap();
    let g = Tensor::scalar(1.0).expand([3, 2]).unwrap();
    Sgd::new(1.0).step([(&mut p, &g)]).unwrap();
    assert_eq!(p.to_vec(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    let mut none = Tensor::<f64>::zeros([0]).unwrap();
    Adam::new(1.0).step([(&mut none, &Tensor::zeros([0]).unwrap())]).unwrap();
}

#[test]
fn a_failed_step_changes_nothing() {
    let (mut a, mut b) = (Tensor::from([1.0, 2.0]), Tensor::scalar(3.0));
    let (ga, gb) = (Tensor::from([1.0, 1.0]), Tensor::scalar(1.0));
    let mut adam = Adam::new(0.1);
    adam.step([(&mut a, &ga), (&mut b, &gb)]).unwrap();
    let before = (a.clone(), b.clone(), format!("{adam:?}"));
    let expect = |error: Result<()>, text: &str| {
        let error = error.unwrap_err();
        assert_eq!(error.kind().to_string(), text);
        assert_eq!(error.operation(), Some("Adam::step"));
        assert!(error.location().unwrap().file().ends_with("tests.rs"));
    };
    expect(adam.step([(&mut a, &ga), (&mut b, &ga)]), "gradient 1 has shape [2], wanted []");
    expect(adam.step([(&mut a, &ga)]), "the number of parameters is 1, wanted 2 as in the steps before");
    expect(adam.step([(&mut b, &gb), (&mut a, &ga)]), "parameter 0 has shape [], wanted [2]");
    assert_eq!((&a, &b, format!("{adam:?}")), (&before.0, &before.1, before.2.clone()));
    adam.beta1 = 1.0;
    expect(adam.step([(&mut a, &ga), (&mut b, &gb)]), "beta1 is 1, wanted at least 0 and below 1");
    adam.beta1 = 0.9;
    adam.learning_rate = f64::NAN;
    expect(
        adam.step([(&mut a, &ga), (&mut b, &gb)]),
        "learning_rate is NaN, wanted a finite number, at least 0",
    );
    assert_eq!((a, b), (before.0, before.1));
}

/// Momentum switched on later begins from rest.
#[test]
fn hyperparameters_may_change_between_steps() {
    let mut p = Tensor::scalar(0.0);
    let g = Tensor::scalar(1.0);
    let mut sgd = Sgd::new(1.0);
    let mut step = |sgd: &mut Sgd<f64>| {
        sgd.step([(&mut p, &g)]).unwrap();
        p.item().unwrap()
    };
    assert_eq!(step(&mut sgd), -1.0);
    sgd.momentum = 0.5;
    assert_eq!(step(&mut sgd), -2.0);
    assert_eq!(step(&mut sgd), -3.5);
    sgd.learning_rate = 0.0;
    assert_eq!(step(&mut sgd), -3.5);
}
