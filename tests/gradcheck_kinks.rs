//! Where a function has no derivative the gradient check says so, and does not where it has one.

use retrograde::{Check, ErrorKind, Generator, Gradcheck, Report, Row, Tensor, Var, Verdict, gradcheck};

fn run(f: impl for<'t> Fn(&[Var<'t, f64>]) -> Var<'t, f64> + Sync, x: &[f64]) -> Report {
    Gradcheck::default().run(f, &[Tensor::from(x.to_vec())]).unwrap()
}

fn vjp(report: &Report) -> &Row {
    report.of(Check::Vjp).next().unwrap()
}

/// Whether a row is a kink with these slopes, and a subgradient or not.
fn is_kink(row: &Row, slopes: (f64, f64), is_subgradient: bool) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() < 1e-4 * b.abs().max(1.0);
    matches!(row.verdict, Verdict::Kink { left, right, subgradient }
        if near(left, slopes.0) && near(right, slopes.1) && subgradient == is_subgradient)
}

/// x with the slope given instead of 1.
fn with_slope<'t>(x: Var<'t, f64>, slope: f64) -> Var<'t, f64> {
    x * slope + (x - x * slope).detach()
}

#[test]
fn kinks_are_named_with_their_slopes() {
    let cases: [(Report, (f64, f64)); 8] = [
        (run(|x| x[0].relu(), &[1.0, 0.0]), (0.0, 1.0)),
        (run(|x| x[0].abs(), &[1.0, 0.0]), (-1.0, 1.0)),
        (run(|x| x[0].leaky_relu(0.1), &[1.0, 0.0]), (0.1, 1.0)),
        (run(|x| x[0].clamp(-1.0, 0.5), &[0.1, 0.5]), (1.0, 0.0)),
        (run(|x| x[0].max(), &[-1.0, 3.0, 3.0]), (0.0, 1.0)),
        (run(|x| x[0].maximum(x[0] * 2.0 - 3.0), &[1.0, 3.0]), (1.0, 2.0)),
        (run(|x| -(x[0].relu() * 0.001) + x[0] * 1000.0, &[1.0, 0.0]), (1000.0, 999.999)),
        (run(|x| x[0].relu() * 1e-9, &[1.0, 0.0]), (0.0, 1e-9)),
    ];
    for (report, slopes) in cases {
        assert!(is_kink(vjp(&report), slopes, true), "{report}");
        assert!(vjp(&report).index.as_ref().is_some_and(|at| at[0] > 0), "{report}");
        assert!(report.of(Check::Jvp).all(|row| matches!(row.verdict, Verdict::Kink { .. })), "{report}");
        assert!(report.of(Check::DotProduct).all(Row::passed) && !report.passed());
    }
    let error = gradcheck(|x| x[0].relu(), &[Tensor::from([[1.0, -1.0], [0.0, 2.0]])]).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Kink { check: "vjp", input: 0, index, subgradient: true, .. } if index == &[1, 0])
    );
    let text = "gradcheck: vjp of input 0, element [1, 0]: a kink with slopes 0.000000 and 1.000000, analytic \
                0.000000 (a subgradient), at tests/gradcheck_kinks.rs:";
    assert!(error.to_string().starts_with(text), "{error}");
}

#[test]
fn a_slope_outside_both_is_no_subgradient() {
    let report = run(|x| with_slope(x[0].relu(), 1.0) + with_slope(x[0], 1.7) - x[0], &[0.0]);
    assert!(is_kink(vjp(&report), (0.0, 1.0), true), "{report}");
    let report = run(|x| x[0].relu() + with_slope(x[0], -0.3) - x[0], &[0.0]);
    assert!(is_kink(vjp(&report), (0.0, 1.0), false), "{report}");
    assert!(report.to_string().contains("KINK (slopes 0.000000 and 1.000000: no subgradient)"), "{report}");
    // Upside down, where slopes fall.
    let report = run(|x| -x[0].abs(), &[0.0]);
    assert!(is_kink(vjp(&report), (1.0, -1.0), true), "{report}");
}

#[test]
fn a_wrong_gradient_of_a_smooth_function_is_no_kink() {
    for slope in [0.0, 1.0 + 1e-6, 0.5, -1.0, 1e6] {
        for x in [0.0, 0.3, -2.0, 3.0] {
            for report in [
                run(|x| with_slope(x[0], slope), &[x]),
                run(|x| with_slope(x[0], slope).sin() + x[0] * 0.0, &[x]),
                run(|x| with_slope(x[0], slope) * x[0].square() + x[0], &[x]),
                run(|x| with_slope(x[0], slope) + (x[0] * 300.0).cos(), &[x]),
                run(|x| with_slope(x[0], slope) + x[0].square().square(), &[x]),
            ] {
                let row = vjp(&report);
                // At 0 the wrong factor may meet a zero.
                let passes = row.verdict == Verdict::Ok && x == 0.0;
                assert!(row.verdict == Verdict::Wrong || passes, "{slope} {x}\n{report}");
            }
        }
    }
    // A second derivative that jumps is no kink, and no error.
    for x in [0.0, 1.0] {
        assert!(run(|x| x[0].elu(1.0), &[x]).passed());
        assert!(run(|x| x[0].relu().square(), &[x]).passed());
        assert!(run(|x| x[0] * x[0].abs(), &[x]).passed());
        let report = run(|x| with_slope(x[0], 1.0 + 1e-6).elu(1.0), &[x]);
        assert_eq!(vjp(&report).verdict, Verdict::Wrong, "{report}");
    }
    // One wrong element beside a kink: the mistake is what is told.
    let report = run(|x| x[0].relu() + with_slope(x[0], 1.001) * 1.0, &[1.0, 0.0, -1.0]);
    assert_eq!(vjp(&report).verdict, Verdict::Wrong, "{report}");
    assert_ne!(vjp(&report).index, Some(vec![1]));
}

#[test]
fn a_kink_within_the_step_is_told_and_passes() {
    for at in [1e-3, 2e-4, -3e-5, 1e-6, -3e-7] {
        let report = run(|x| x[0].relu(), &[at]);
        let Verdict::NearKink { distance } = vjp(&report).verdict else { panic!("{at}\n{report}") };
        assert!(at.abs() < distance && distance < 8.0 * at.abs(), "{at} {distance}");
        assert!(report.passed() && report.clone().into_result().is_ok());
        assert!(report.to_string().contains("ok (a kink or step within "), "{report}");
        let report = run(|x| x[0].relu() + with_slope(x[0], 1.001), &[at]);
        assert_eq!(vjp(&report).verdict, Verdict::Wrong, "{report}");
    }
    let report = run(|x| x[0].floor(), &[0.9999]);
    assert!(matches!(vjp(&report).verdict, Verdict::NearKink { .. }), "{report}");
    // So near that rounding hides on which side.
    let report = run(|x| x[0].relu(), &[1e-14]);
    assert!(is_kink(vjp(&report), (0.0, 1.0), true), "{report}");
}

#[test]
fn steps_are_told_from_kinks() {
    for report in
        [run(|x| x[0].floor(), &[0.5, 1.0]), run(|x| x[0].round(), &[0.5]), run(|x| x[0].sign(), &[0.0])]
    {
        let row = vjp(&report);
        let Verdict::Step { below, above } = row.verdict else { panic!("{report}") };
        assert!(above - below >= 1.0);
    }
    let report = run(|x| x[0].floor(), &[0.5, 1.0]);
    assert!(report.to_string().contains("STEP (values 0.000000 and 1.000000)"), "{report}");
    let error = report.into_result().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Step { input: 0, index, .. } if index == &[1]));
    assert!(
        error.to_string().contains("element [1]: a step from 0.000000 to 1.000000, analytic 0.000000"),
        "{error}"
    );
    // At the second order the gradient has the step.
    let second = Gradcheck { order: 2, ..Gradcheck::default() };
    let report = second.run(|x| x[0].elu(1.0) + x[0].relu().square(), &[Tensor::from([0.0])]).unwrap();
    let row = report.of(Check::Order2).next().unwrap();
    assert!(matches!(row.verdict, Verdict::Kink { .. }), "{report}");
    assert!(report.rows.iter().all(|row| row.passed() || row.check == Check::Order2), "{report}");
}

#[test]
fn the_edge_of_a_domain_and_values_that_are_not_finite() {
    // One-sided slopes where there is one side.
    assert!(run(|x| x[0].powf(1.5), &[0.0]).of(Check::Vjp).all(Row::passed));
    let report = run(|x| with_slope(x[0], 1.001).powf(2.5) + x[0], &[0.0]);
    assert!(report.of(Check::Vjp).all(Row::passed), "{report}");
    let report = run(|x| x[0].powf(1.5) + with_slope(x[0], 1.001), &[0.0]);
    assert_eq!(vjp(&report).verdict, Verdict::Wrong, "{report}");
    // An infinite slope, a value at a pole, and NaN.
    for report in [run(|x| x[0].sqrt(), &[0.0]), run(|x| x[0].ln(), &[0.0]), run(|x| x[0].exp(), &[1000.0])] {
        assert_eq!(vjp(&report).verdict, Verdict::NotFinite, "{report}");
        assert!(report.to_string().contains("NOT FINITE"));
        let error = report.into_result().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NoDifferences { .. }), "{error}");
        assert!(error.to_string().contains("no finite values to take differences of"), "{error}");
    }
    let report = run(|x| x[0] * f64::NAN, &[1.0]);
    assert_eq!(vjp(&report).verdict, Verdict::Ok, "NaN and NaN\n{report}");
    let report = run(|x| x[0] + f64::NAN, &[1.0]);
    assert_eq!(vjp(&report).verdict, Verdict::NotFinite, "{report}");
    let report = run(|x| x[0].square(), &[f64::NAN]);
    assert_eq!(vjp(&report).verdict, Verdict::Ok, "{report}");
    // Numbers too small for full precision.
    assert!(run(|x| x[0].exp(), &[-744.0, -740.0]).passed());
    // A mask.
    let mask = Tensor::from([0.0, f64::NEG_INFINITY, 0.0]);
    let report = run(|x| (x[0] + x[0].tape().constant(&mask)).softmax(0), &[1.0, 2.0, 3.0]);
    assert!(report.passed(), "{report}");
    let report = run(|x| x[0].detach() + x[0].tape().constant(&mask), &[1.0, 2.0, 3.0]);
    assert_eq!(vjp(&report).verdict, Verdict::Wrong, "{report}");
    assert_ne!(vjp(&report).index, Some(vec![1]), "what is masked is constant");
}

#[test]
fn single_precision_knows_kinks_too() {
    let check = |x: f32| Gradcheck::default().run::<f32>(|x| x[0].relu(), &[Tensor::from([1.0, x])]).unwrap();
    assert!(is_kink(vjp(&check(0.0)), (0.0, 1.0), true), "{}", check(0.0));
    assert!(matches!(vjp(&check(0.01)).verdict, Verdict::NearKink { .. }), "{}", check(0.01));
    let report = Gradcheck::default()
        .run::<f32>(|x| (x[0] * 1.01 + (x[0] - x[0] * 1.01).detach()).sin(), &[Tensor::from([0.0, 1.0])])
        .unwrap();
    assert_eq!(vjp(&report).verdict, Verdict::Wrong, "{report}");
}

#[test]
fn kinks_show_in_projections() {
    let mut x = Tensor::normal([100, 50], 0.0, 1.0, &mut Generator::new(9)).unwrap();
    x.as_mut_slice().unwrap()[1234] = 0.0;
    let report = Gradcheck::default().run(|x| x[0].relu(), &[x]).unwrap();
    assert!(matches!(vjp(&report).verdict, Verdict::Kink { subgradient: true, .. }), "{report}");
    assert_eq!(vjp(&report).index, Some(vec![24, 34]), "{report}");
    assert!(report.of(Check::Jvp).all(|row| row.output == Some(vec![24, 34])), "{report}");
}
