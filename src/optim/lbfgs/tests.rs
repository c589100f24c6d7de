//! The usual test functions (Moré, Garbow and Hillstrom 1981), and what a run promises when something goes wrong.

use super::*;
use crate::error::Error;
use crate::tensor::Generator;

fn rosenbrock<'t, T: Real>(x: Var<'t, T>) -> Var<'t, T> {
    let n = x.try_shape().unwrap()[0] as isize;
    let (low, high) = (x.slice(0, ..n - 1), x.slice(0, 1..));
    ((1.0 - low).square() + (high - low.square()).square() * 100.0).sum()
}

/// How far from a point, by the largest coordinate.
fn distance(x: &Tensor<f64>, wanted: impl Fn(usize) -> f64) -> f64 {
    x.iter().enumerate().fold(0.0, |most: f64, (i, x)| most.max((x - wanted(i)).abs()))
}

#[test]
fn rosenbrocks_valley_in_two_and_in_a_hundred_dimensions() {
    let mut x = Tensor::from([-1.2, 1.0]);
    let found = Lbfgs::new().minimize(&mut x, |_, x| rosenbrock(x)).unwrap();
    assert_eq!(found.stop, Stop::Gradient);
    assert!(found.gradient_norm <= 1e-8 && found.value < 1e-16, "{found:?}");
    assert!(distance(&x, |_| 1.0) < 1e-8);
    assert!(found.iterations < 45 && found.evaluations < 60, "{found:?}");
    let mut x = Tensor::from_fn([100], |i| if i[0] % 2 == 0 { -1.2 } else { 1.0 }).unwrap();
    let found = Lbfgs::new().minimize(&mut x, |_, x| rosenbrock(x)).unwrap();
    assert_eq!(found.stop, Stop::Gradient);
    // The valley has a second end in which the first coordinate is −1.
    assert!(distance(&x, |_| 1.0) < 1e-7 || (found.value - 3.986_623_854).abs() < 1e-6, "{found:?}");
    assert!(found.iterations < 600 && found.evaluations < 700, "{found:?}");
}

#[test]
fn beales_function() {
    let mut at = (Tensor::scalar(1.0_f64), Tensor::scalar(1.0_f64));
    let found = Lbfgs::new().minimize(&mut at, |_, (x, y)| {
        let powers = [(1.5, y), (2.25, y.square()), (2.625, y.square() * y)];
        powers.iter().fold(x * 0.0, |sum, (c, power)| sum + (*c - x * (1.0 - *power)).square())
    });
    let found = found.unwrap();
    assert!(found.converged() && found.value < 1e-16 && found.evaluations < 40, "{found:?}");
    assert!((at.0.item().unwrap() - 3.0).abs() < 1e-7 && (at.1.item().unwrap() - 0.5).abs() < 1e-7);
}

/// Its Hessian at the minimum is singular, so the coordinates are known to the fourth root of the value.
#[test]
fn powells_singular_function() {
    let mut x = Tensor::from([3.0, -1.0, 0.0, 1.0]);
    let found = Lbfgs::new().minimize(&mut x, |_, x| {
        let x = |i: isize| x.slice(0, i..i + 1);
        let linear = (x(0) + x(1) * 10.0).square() + (x(2) - x(3)).square() * 5.0;
        let fourth = (x(1) - x(2) * 2.0).square().square() + (x(0) - x(3)).square().square() * 10.0;
        (linear + fourth).sum()
    });
    let found = found.unwrap();
    assert!(found.converged() && found.value < 1e-10 && found.evaluations < 120, "{found:?}");
    assert!(distance(&x, |_| 0.0) < 2e-2);
}

/// Σ cᵢ (xᵢ − i)²/2 with c from 1 to 10⁶.
#[test]
fn a_quadratic_of_condition_a_million() {
    let run = |n: usize, history| {
        let c = Tensor::from_fn([n], |i| 10f64.powf(6.0 * i[0] as f64 / (n - 1) as f64)).unwrap();
        let wanted = Tensor::<f64>::arange(0.0, n as f64, 1.0).unwrap();
        let mut x = Tensor::zeros([n]).unwrap();
        let lbfgs = Lbfgs { history, ..Lbfgs::new() };
        let found = lbfgs.minimize(&mut x, |tape, x| {
            ((x - tape.constant(&wanted)).square() * tape.constant(&c)).sum() * 0.5
        });
        (found.unwrap(), distance(&x, |i| i as f64))
    };
    let (found, error) = run(8, 10);
    assert_eq!(found.stop, Stop::Gradient, "{found:?}");
    assert!(error < 1e-8 && found.evaluations < 120, "{found:?} {error:e}");
    let (found, error) = run(40, 1000);
    assert_eq!(found.stop, Stop::Gradient, "{found:?}");
    assert!(error < 1e-8 && found.evaluations < 500, "{found:?} {error:e}");
    // What is forgotten is found again, more slowly; without a memory it is steepest descent.
    let (short, steepest) = (run(40, 5).0, run(40, 0).0);
    assert_eq!((short.stop, steepest.stop), (Stop::Iterations, Stop::Iterations));
    assert!(short.value < 1e-2 * steepest.value, "{short:?} {steepest:?}");
}

#[test]
fn single_precision_ends_at_its_own_rounding() {
    let mut x = Tensor::from([-1.2f32, 1.0]);
    let lbfgs = Lbfgs { gradient_tolerance: 1e-4, ..Lbfgs::new() };
    let found = lbfgs.minimize(&mut x, |_, x| rosenbrock(x)).unwrap();
    assert_eq!(found.stop, Stop::Gradient, "{found:?}");
    assert!((x[[0]] - 1.0).abs() < 1e-3 && (x[[1]] - 1.0).abs() < 1e-3);
    // A tolerance that cannot be reached ends the run all the same.
    let mut x = Tensor::from([-1.2f32, 1.0]);
    let found =
        Lbfgs { gradient_tolerance: 0.0, ..Lbfgs::new() }.minimize(&mut x, |_, x| rosenbrock(x) + 1e3);
    let found = found.unwrap();
    assert!(matches!(found.stop, Stop::NoProgress | Stop::Gradient) && found.iterations < 200, "{found:?}");
    assert!((found.value - 1e3).abs() < 0.1);
}

/// A value of 10⁹ hides changes of less than 10⁻⁷; the gradient still leads to the minimum.
#[test]
fn a_large_constant_does_not_stop_it_early() {
    let mut x = Tensor::from([5.0, -3.0, 0.5]);
    let found = Lbfgs::new().minimize(&mut x, |_, x| (x.cosh() + x * 0.5).sum() + 1e9).unwrap();
    assert_eq!(found.stop, Stop::Gradient, "{found:?}");
    assert!(distance(&x, |_| -(0.5f64.asinh())) < 1e-8);
}

#[test]
fn each_reason_to_stop() {
    let run = |lbfgs: &Lbfgs, start: [f64; 2]| {
        let mut x = Tensor::from(start);
        let found = lbfgs.minimize(&mut x, |_, x| rosenbrock(x)).unwrap();
        // The report is of where the model is left.
        let value = (1.0 - x[[0]]).powi(2) + 100.0 * (x[[1]] - x[[0]] * x[[0]]).powi(2);
        assert!((found.value - value).abs() <= 1e-15 * value.max(1.0));
        found
    };
    let at_once = run(&Lbfgs::new(), [1.0, 1.0]);
    let none =
        Minimum { value: 0.0, gradient_norm: 0.0, iterations: 0, evaluations: 1, stop: Stop::Gradient };
    assert_eq!(at_once, none);
    assert!(at_once.converged());
    let few = run(&Lbfgs { iterations: 5, ..Lbfgs::new() }, [-1.2, 1.0]);
    assert_eq!((few.stop, few.iterations, few.converged()), (Stop::Iterations, 5, false));
    assert!(few.value < 24.2 && few.evaluations >= 6);
    let early = run(&Lbfgs { value_tolerance: 1e-3, ..Lbfgs::new() }, [-1.2, 1.0]);
    assert_eq!((early.stop, early.converged()), (Stop::Value, true));
    assert!(early.gradient_norm > 1e-8);
    let later = run(&Lbfgs { value_tolerance: 1e-12, ..Lbfgs::new() }, [-1.2, 1.0]);
    assert!(later.iterations > early.iterations && later.value < 1e-10);
    // A gradient of the wrong sign.
    let mut x = Tensor::from([1.0_f64]);
    let found =
        Lbfgs::new().minimize_with(&mut x, |x| Ok((x[[0]].powi(2), vec![Tensor::from([-2.0 * x[[0]]])])));
    let found = found.unwrap();
    assert_eq!((found.stop, found.iterations, found.value), (Stop::NoProgress, 0, 1.0));
    assert_eq!(x.to_vec(), [1.0]);
}

#[test]
fn outside_the_domain_it_steps_back() {
    // x − ln x from where the first steps overshoot to negative x, where the logarithm is NaN.
    let mut x = Tensor::from([30.0, 0.01]);
    let found = Lbfgs::new().minimize(&mut x, |_, x| (x - x.ln()).sum()).unwrap();
    assert!(found.converged() && distance(&x, |_| 1.0) < 1e-7, "{found:?}");
    // The same where the closure fails as a Cholesky factorisation does.
    let mut failures = 0;
    let mut x = Tensor::from([30.0_f64]);
    let found = Lbfgs::new().minimize_with(&mut x, |x| match x[[0]] {
        x if x > 0.0 => Ok((x - x.ln(), vec![Tensor::from([1.0 - 1.0 / x])])),
        _ => {
            failures += 1;
            Err(ErrorKind::NotPositiveDefinite { batch: vec![], size: 1, minor: 1 }.into())
        }
    });
    assert!(found.unwrap().converged() && failures > 0);
    for kind in [
        ErrorKind::Singular { batch: vec![], size: 1, pivot: 0 },
        ErrorKind::NotFinite { batch: vec![] },
        ErrorKind::NotConverged { residual: 1.0, tolerance: 0.1, iterations: 3 },
    ] {
        assert!(can_be_stepped_back_from(&kind));
    }
    assert!(!can_be_stepped_back_from(&ErrorKind::MixedTapes));
}

#[test]
fn other_errors_leave_the_model_at_the_lowest_point() {
    let mut x = Tensor::from([-1.2, 1.0]);
    let (mut calls, mut lowest) = (0, f64::INFINITY);
    let error = Lbfgs::new().minimize(&mut x, |tape, x| {
        calls += 1;
        let value = rosenbrock(x);
        if calls == 20 {
            return tape.constant(&Tensor::from([1.0])).reshape([2, 3]);
        }
        lowest = lowest.min(value.item().unwrap());
        value
    });
    let error = error.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ElementCount { .. }), "{error}");
    let tape = Tape::new();
    assert_eq!(rosenbrock(tape.var(&x)).item().unwrap(), lowest);
}

#[test]
fn bad_starts_and_settings_are_errors() {
    let expect = |error: Result<Minimum>, operation: &str, text: &str| {
        let error: Error = error.unwrap_err();
        assert_eq!((error.kind().to_string().as_str(), error.operation()), (text, Some(operation)));
        assert!(error.location().unwrap().file().ends_with("tests.rs"));
    };
    let mut x = Tensor::from([-1.0]);
    let nan = Lbfgs::new().minimize(&mut x, |_, x| x.ln().sum());
    expect(nan, "Lbfgs::minimize", "the value at the start is NaN, wanted a finite number");
    let mut x = Tensor::from([0.0]);
    let steep = Lbfgs::new().minimize(&mut x, |_, x| x.sqrt().sum());
    let text = "the largest element of the gradient at the start is inf, wanted a finite number";
    expect(steep, "Lbfgs::minimize", text);
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        let text = |name: &str| format!("{name} is {bad}, wanted a finite number, at least 0");
        let lbfgs = Lbfgs { gradient_tolerance: bad, ..Lbfgs::new() };
        expect(lbfgs.minimize(&mut x, |_, x| x.sum()), "Lbfgs::minimize", &text("gradient_tolerance"));
        let lbfgs = Lbfgs { value_tolerance: bad, ..Lbfgs::new() };
        expect(lbfgs.minimize(&mut x, |_, x| x.sum()), "Lbfgs::minimize", &text("value_tolerance"));
    }
    let with = |gradients: Vec<Tensor<f64>>| {
        Lbfgs::new().minimize_with(&mut Tensor::from([1.0, 2.0]), |_| Ok((0.0, gradients.clone())))
    };
    expect(with(vec![]), "Lbfgs::minimize_with", "the number of gradients is 0, wanted 1");
    expect(with(vec![Tensor::scalar(1.0)]), "Lbfgs::minimize_with", "gradient 0 has shape [], wanted [2]");
    let vector = Lbfgs::new().minimize(&mut Tensor::from([1.0, 2.0]), |_, x| x).unwrap_err();
    assert!(vector.location().unwrap().file().ends_with("tests.rs"), "{vector}");
}

/// Views, shared tensors, and tensors without elements.
#[test]
fn any_tensor_can_be_a_parameter() {
    let kept = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let mut model = vec![kept.transpose(0, 1).unwrap(), Tensor::zeros([0, 2]).unwrap(), Tensor::scalar(7.0)];
    let found = Lbfgs::new().minimize(&mut model, |_, model| {
        model.iter().fold(model[2] * 0.0, |sum, x| sum + (*x - 2.0).square().sum())
    });
    assert!(found.unwrap().converged());
    assert_eq!(model[0].shape(), [3, 2]);
    assert!(distance(&model[0], |_| 2.0) < 1e-8 && distance(&model[2], |_| 2.0) < 1e-8);
    assert_eq!(kept.to_vec(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn a_run_has_the_same_bits_on_any_number_of_threads() {
    let mut random = Generator::new(3);
    let a = Tensor::<f64>::normal([300, 300], 0.0, 0.1, &mut random).unwrap();
    let start = Tensor::<f64>::normal([300], 0.0, 1.0, &mut random).unwrap();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut x = start.clone();
            let lbfgs = Lbfgs { iterations: 15, ..Lbfgs::new() };
            let found = lbfgs
                .minimize(&mut x, |tape, x| tape.constant(&a).matmul(x).cosh().ln().sum() + rosenbrock(x));
            (found.unwrap(), x.to_vec())
        })
    };
    let one = run(1);
    assert_eq!(run(2), one);
    assert_eq!(run(3), one);
}

#[test]
fn norms_do_not_leave_the_range() {
    assert!((norm(&[3e200, -4e200]) / 5e200 - 1.0).abs() < 1e-15);
    assert!((norm(&[3e-200, -4e-200]) / 5e-200 - 1.0).abs() < 1e-15);
    assert_eq!(norm(&[0.0, 0.0]), 0.0);
    let point = Point { x: vec![], value: 0.0, gradient: vec![1.0, f64::NAN, -3.0] };
    assert!(point.size().is_nan());
    assert_eq!(Point { gradient: vec![1.0, -3.0], ..point }.size(), 3.0);
}
