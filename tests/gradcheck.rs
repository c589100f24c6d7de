//! The gradient check finds what is wrong, says where, and passes what is right.

use retrograde::{Error, ErrorKind, Generator, Gradcheck, Tape, Tensor, Var, gradcheck};

/// x³, with a rule that has a factor.
fn cube<'t>(x: Var<'t, f64>, factor: f64) -> Var<'t, f64> {
    x.tape().record(
        "cube",
        &[x],
        |x| x[0].map(|x| x * x * x),
        move |at| at.one(at.g(0) * at.x(0).square() * factor),
    )
}

#[test]
fn right_gradients_pass_whatever_the_shapes() {
    let mut random = Generator::new(5);
    let mut uniform = |shape: &[usize]| Tensor::<f64>::uniform(shape, 0.5..2.0, &mut random).unwrap();
    let inputs = [uniform(&[2, 3]), uniform(&[3]), uniform(&[])];
    let report = gradcheck(|x| (x[0] * x[1]).exp().sum_axes(0) / x[2], &inputs).unwrap();
    assert!(report.passed());
    assert_eq!(report.rows.len(), 3);
    assert_eq!(report.rows[0].compared, 18, "all of a 3 × 6 Jacobian");
    assert_eq!(report.rows[2].shape, []);
    gradcheck(|x| x[0] * 2.0, &[Tensor::zeros([0]).unwrap()]).unwrap();
    gradcheck(|x| x[0].sin(), &[uniform(&[4]).slice(0, 1..3).unwrap()]).unwrap();
    gradcheck(|x| x[0].sin(), &[Tensor::scalar(0.3).expand([4]).unwrap()]).unwrap();
    gradcheck(|x| x[0].tape().scalar(1.0), &[uniform(&[2])]).unwrap();
}

#[test]
fn a_wrong_factor_is_found_at_the_worst_element() {
    let x = Tensor::from([0.5, -2.0, 1.0]);
    gradcheck(|x| cube(x[0], 3.0), std::slice::from_ref(&x)).unwrap();
    for factor in [3.000001, -3.0, 0.0, f64::NAN] {
        let error = gradcheck(|x| cube(x[0], factor), std::slice::from_ref(&x)).unwrap_err();
        let ErrorKind::GradientMismatch { input: 0, index, analytic, numeric, error, tolerance } =
            error.kind()
        else {
            panic!("{error}");
        };
        assert!((numeric - 12.0).abs() < 1e-9 || factor.is_nan(), "{numeric}");
        assert!(*error > *tolerance && *tolerance < 1e-7);
        if !factor.is_nan() {
            assert_eq!(index, &[1]);
            assert!((analytic - 4.0 * factor).abs() < 1e-9);
        }
    }
}

#[test]
fn the_wrong_input_is_named() {
    let inputs = [Tensor::from([1.0, 2.0]), Tensor::from([3.0, 4.0])];
    let error = gradcheck(|x| x[0] * x[1] + x[1].detach(), &inputs).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::GradientMismatch { input: 1, .. }), "{error}");
    let report = Gradcheck::default().run(|x| x[0] * x[1] + x[1].detach(), &inputs).unwrap();
    assert!(report.rows[0].passed() && !report.rows[1].passed() && !report.passed());
    let table = report.to_string();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("input") && lines[0].ends_with("verdict"));
    assert!(lines[1].ends_with("ok") && lines[2].ends_with("WRONG"), "{table}");
    assert!(lines.iter().all(|line| line.len() < 110));
}

#[test]
fn big_inputs_are_projected_and_still_caught() {
    let x = Tensor::normal([100, 50], 0.0, 1.0, &mut Generator::new(9)).unwrap();
    let report = gradcheck(|x| cube(x[0], 3.0).sum_axes(1), std::slice::from_ref(&x)).unwrap();
    assert_eq!(report.rows[0].compared, 8);
    assert!(gradcheck(|x| cube(x[0], 3.00001).sum_axes(1), std::slice::from_ref(&x)).is_err());
    // One element of five thousand wrong shows in a projection too.
    let mut mask = Tensor::<f64>::zeros([100, 50]).unwrap();
    mask.as_mut_slice().unwrap()[1234] = 1e-3;
    gradcheck(|x| x[0].square(), std::slice::from_ref(&x)).unwrap();
    let lost = gradcheck(
        |x| {
            let mask = x[0].tape().constant(&mask);
            x[0].square() + (x[0].detach() - x[0]) * mask
        },
        &[x],
    );
    assert!(lost.is_err());
}

#[test]
fn steps_and_tolerances_follow_the_size_of_things() {
    // At 10⁶ a step of 10⁻³ would drown in rounding; scaled, it does not.
    gradcheck(|x| x[0].square(), &[Tensor::from([1e6, -3e5])]).unwrap();
    gradcheck(|x| x[0].ln() * 1e6, &[Tensor::from([2.0, 700.0])]).unwrap();
    let loose = Gradcheck { absolute: 1e-2, ..Gradcheck::default() };
    assert!(loose.run(|x| cube(x[0], 3.001), &[Tensor::from([0.5])]).unwrap().passed());
    assert!(!Gradcheck::default().run(|x| cube(x[0], 3.001), &[Tensor::from([0.5])]).unwrap().passed());
}

#[test]
fn errors_of_the_function_come_through() {
    let x = [Tensor::from([1.0, 2.0]), Tensor::from([1.0, 2.0, 3.0])];
    let error: Error = gradcheck(|x| x[0] + x[1], &x).unwrap_err();
    assert_eq!(error.operation(), Some("add"));
    let bad = Gradcheck { step: 0.0, ..Gradcheck::default() };
    let error = bad.run(|x| x[0], &x).unwrap_err();
    assert_eq!(error.to_string(), "step is 0, wanted a positive number");
    let other = Tape::new();
    let stray = other.scalar(1.0).value().unwrap();
    gradcheck(|x| x[0] * x[0].tape().constant(&stray), &x[..1]).unwrap();
}
