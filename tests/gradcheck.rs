//! The gradient check finds what is wrong, by the check that is for it, says where, and passes what is right.

use retrograde::{
    At, Check, ErrorKind, Generator, Gradcheck, Modes, Operation, Outputs, Partials, Parts, Real, Report,
    Result, Saved, Tensor, Var, Verdict, gradcheck, one,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// One mistake in the rules of x³.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mistake {
    None,
    /// 3x² times this.
    Factor(f64),
    /// 3x² plus this.
    Plus(f64),
    /// Right, but its derivative is 3x.
    AtOrder2,
    /// Right at two orders; its second derivative is 0.
    AtOrder3,
    Forward,
    NoForward,
    /// Wrong in the sweep that is recorded, which a fused rule hides from the other.
    Recorded,
    NoRecorded,
}

struct Cube(Mistake);

impl<T: Real> Operation<T> for Cube {
    fn name(&self) -> &'static str {
        "cube"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].map(|x| x * x * x).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let (x, g) = (at.x(0), at.g(0));
        let fixed = x.detach();
        at.one(match self.0 {
            Mistake::Factor(factor) => g * x.square() * (3.0 * factor),
            Mistake::Plus(offset) => g * (x.square() * 3.0 + offset),
            Mistake::AtOrder2 => g * x * fixed * 3.0,
            Mistake::AtOrder3 => g * (fixed * fixed + fixed * (x - fixed) * 2.0) * 3.0,
            Mistake::Recorded => g * x.square() * (3.0 + 1e-9),
            Mistake::NoRecorded => return Err(ErrorKind::NoRule { mode: "reverse mode" }.into()),
            _ => g * x.square() * 3.0,
        })
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let factor = if self.0 == Mistake::Forward { 3.001 } else { 3.0 };
        match self.0 {
            Mistake::NoForward => Err(ErrorKind::NoRule { mode: "forward mode" }.into()),
            _ => at.sum_of(|_, dx| dx * at.x(0).square() * factor),
        }
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        if !matches!(self.0, Mistake::Recorded | Mistake::NoRecorded) {
            return None;
        }
        let g = g[0].take()?;
        at.one(at.x(0).map(|x| x * x * T::from_f64(3.0)).and_then(|slope| g.try_mul(&slope)))
    }
}

fn cube<'t, T: Real>(x: Var<'t, T>, mistake: Mistake) -> Var<'t, T> {
    x.tape().apply(Cube(mistake), &[x])
}

fn order(order: usize) -> Gradcheck {
    Gradcheck { order, ..Gradcheck::default() }
}

/// The checks that failed, each once.
fn failed(report: &Report) -> Vec<Check> {
    let mut failed: Vec<Check> =
        report.rows.iter().filter(|row| !row.passed()).map(|row| row.check).collect();
    failed.dedup();
    failed
}

#[test]
fn right_derivatives_pass_at_every_order_whatever_the_shapes() {
    let mut random = Generator::new(5);
    let mut uniform = |shape: &[usize]| Tensor::<f64>::uniform(shape, 0.5..2.0, &mut random).unwrap();
    let inputs = [uniform(&[2, 3]), uniform(&[3]), uniform(&[])];
    let report = order(3).run(|x| (x[0] * x[1]).exp().sum_axes(0) / x[2], &inputs).unwrap();
    assert!(report.passed(), "{report}");
    let names: Vec<(Check, Option<usize>)> = report.rows.iter().map(|row| (row.check, row.input)).collect();
    let mut wanted = vec![];
    for check in [Check::Vjp, Check::Jvp, Check::DotProduct, Check::Recorded, Check::Order2, Check::Order3] {
        wanted.extend((0..3).map(|input| (check, Some(input))));
    }
    wanted.extend([None, Some(0), Some(1), Some(2)].map(|input| (Check::Determinism, input)));
    assert_eq!(names, wanted);
    let compared: Vec<usize> = report.rows.iter().map(|row| row.compared).collect();
    assert_eq!(compared[..6], [18, 9, 3, 18, 9, 3], "whole Jacobians");
    assert_eq!(compared[6..9], [8, 8, 8], "a product for each direction");
    assert_eq!(compared[9..12], [6, 3, 1], "every element");
    assert_eq!(compared[12..15], [48, 24, 8], "every element along each direction");
    assert_eq!(compared[18..], [3, 6, 3, 1]);
    assert_eq!(report.rows[2].shape, []);

    let one = |x: Tensor<f64>| [x];
    for report in [
        order(3).run(|x| x[0] * 2.0, &one(Tensor::zeros([0]).unwrap())),
        order(3).run(|x| x[0].sin(), &one(uniform(&[4]).slice(0, 1..3).unwrap())),
        order(3).run(|x| x[0].sin(), &one(uniform(&[4, 2]).transpose(0, 1).unwrap())),
        order(3).run(|x| x[0].sin(), &one(Tensor::scalar(0.3).expand([4]).unwrap())),
        order(3).run(|x| x[0].tape().scalar(1.0), &one(uniform(&[2]))),
        order(3).run(|x| x[0].detach(), &one(Tensor::zeros([0]).unwrap())),
        order(3).run(|x| x[0].softmax(1).sum(), &one(uniform(&[3, 5]))),
        order(3).run(|x| (x[0] - x[0]) * 3.0, &one(uniform(&[3]))),
        order(3).run(|x| x[0].logsumexp(), &one(uniform(&[7]))),
    ] {
        let report = report.unwrap();
        assert!(report.passed(), "{report}");
    }
}

#[test]
fn right_derivatives_pass_in_single_precision() {
    let mut random = Generator::new(6);
    let mut normal = |shape: &[usize]| Tensor::<f32>::normal(shape, 0.0, 1.0, &mut random).unwrap();
    let inputs = [normal(&[5, 7]), normal(&[7, 3]), normal(&[3])];
    let report = order(2).run(|x| x[0].linear(x[1], x[2]).tanh(), &inputs).unwrap();
    assert!(report.passed(), "{report}");
    let long = normal(&[1000]);
    for report in [
        order(2).run::<f32>(|x| x[0].sin().sum(), std::slice::from_ref(&long)),
        order(2).run::<f32>(|x| x[0].softmax(0) * 1000.0, std::slice::from_ref(&long)),
        order(2).run::<f32>(|x| x[0].exp().mean().ln(), std::slice::from_ref(&long)),
        order(2).run::<f32>(|x| cube(x[0], Mistake::None), std::slice::from_ref(&long)),
        // Rounding inside that the value does not show.
        order(2).run::<f32>(|x| (x[0] + 1000.0) - 1000.0, std::slice::from_ref(&long)),
    ] {
        let report = report.unwrap();
        assert!(report.passed(), "{report}");
    }
}

#[test]
fn each_mistake_is_caught_by_the_check_that_is_for_it() {
    let x = [Tensor::from([0.5, -2.0, 1.0])];
    let cases = [
        (Mistake::None, vec![]),
        (Mistake::Factor(1.001), vec![Check::Vjp, Check::DotProduct]),
        (Mistake::Plus(1e-7), vec![Check::Vjp, Check::DotProduct]),
        (Mistake::AtOrder2, vec![Check::Order2, Check::Order3]),
        (Mistake::AtOrder3, vec![Check::Order3]),
        (Mistake::Forward, vec![Check::Jvp, Check::DotProduct]),
        (Mistake::NoForward, vec![Check::Jvp]),
        (Mistake::Recorded, vec![Check::Recorded]),
    ];
    for (mistake, wanted) in cases {
        let report = order(3).run(|x| cube(x[0], mistake), &x).unwrap();
        assert_eq!(failed(&report), wanted, "{mistake:?}\n{report}");
        for row in report.rows.iter().filter(|row| !row.passed() && mistake != Mistake::NoForward) {
            assert_eq!(row.verdict, Verdict::Wrong, "{report}");
            assert!(row.error > row.tolerance && row.tolerance < 1e-3 * row.error.max(1e-4), "{report}");
        }
        let (first, order_2) = (order(1), order(2));
        let caught = |check: Gradcheck| !check.run(|x| cube(x[0], mistake), &x).unwrap().passed();
        assert_eq!(caught(first), !matches!(mistake, Mistake::None | Mistake::AtOrder2 | Mistake::AtOrder3));
        assert_eq!(caught(order_2), !matches!(mistake, Mistake::None | Mistake::AtOrder3), "{mistake:?}");
        let reverse = Gradcheck { modes: Modes::Reverse, ..order(3) };
        let forward_only = matches!(mistake, Mistake::None | Mistake::Forward | Mistake::NoForward);
        assert_eq!(caught(reverse), !forward_only, "{mistake:?}");
    }
}

#[test]
fn a_wrong_factor_is_found_at_the_worst_element() {
    let x = [Tensor::from([0.5, -2.0, 1.0])];
    for factor in [1.000001, -1.0, 0.0, f64::NAN, f64::INFINITY] {
        let error = gradcheck(|x| cube(x[0], Mistake::Factor(factor)), &x).unwrap_err();
        let ErrorKind::GradientMismatch {
            check: "vjp",
            input: 0,
            index,
            analytic,
            numeric,
            error,
            tolerance,
        } = error.kind()
        else {
            panic!("{error}");
        };
        assert!(*error > *tolerance && *tolerance < 2e-8, "{tolerance}");
        if factor.is_finite() {
            assert!((numeric - 12.0).abs() < 1e-9, "{numeric}");
            assert_eq!(index, &[1]);
            assert!((analytic - 12.0 * factor).abs() < 1e-9);
        } else {
            assert_eq!(*error, f64::INFINITY);
        }
    }
    // Small functions have small tolerances, and one derivative that is far off does not excuse another.
    let report = Gradcheck::default().run(|x| cube(x[0], Mistake::Factor(1.0001)) * 1e-11, &x).unwrap();
    assert_eq!(failed(&report), [Check::Vjp, Check::DotProduct], "{report}");
    let strict = Gradcheck { absolute: Some(1e-9), ..Gradcheck::default() };
    let report = strict.run(|x| cube(x[0], Mistake::Factor(1.0001)) * 1e-11, &x).unwrap();
    assert_eq!(failed(&report), [Check::DotProduct], "{report}");
}

#[test]
fn single_precision_catches_a_factor_of_one_in_a_thousand() {
    let x = [Tensor::from([0.5_f32, -2.0, 1.0])];
    for (mistake, check) in [
        (Mistake::Factor(1.001), Check::Vjp),
        (Mistake::Forward, Check::Jvp),
        (Mistake::AtOrder2, Check::Order2),
        (Mistake::AtOrder3, Check::Order3),
    ] {
        let report = order(3).run(|x| cube(x[0], mistake), &x).unwrap();
        assert_eq!(failed(&report)[0], check, "{mistake:?}\n{report}");
    }
    let x = [Tensor::<f32>::normal([1000], 0.0, 1.0, &mut Generator::new(3)).unwrap()];
    let report = order(1).run(|x| cube(x[0], Mistake::Factor(1.001)), &x).unwrap();
    assert!(report.of(Check::Vjp).all(|row| row.verdict == Verdict::Wrong), "{report}");
    assert!(order(3).run(|x| cube(x[0], Mistake::None), &x).unwrap().passed());
}

#[test]
fn the_wrong_input_is_named() {
    let inputs = [Tensor::from([1.0, 2.0]), Tensor::from([3.0, 4.0])];
    let error = gradcheck(|x| x[0] * x[1] + x[1].detach(), &inputs).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::GradientMismatch { input: 1, .. }), "{error}");
    let line = error.location().unwrap();
    assert!(line.file().ends_with("tests/gradcheck.rs"), "{line}");
    assert_eq!(error.operation(), Some("gradcheck"));
    let report = Gradcheck::default().run(|x| x[0] * x[1] + x[1].detach(), &inputs).unwrap();
    assert!(report.rows[0].passed() && !report.rows[1].passed() && !report.passed());
    let table = report.to_string();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("check") && lines[0].ends_with("verdict"));
    assert!(lines[1].starts_with("vjp") && lines[1].ends_with("ok"), "{table}");
    assert!(lines[2].starts_with("vjp         1     [2]                 4  [0]→[0]"), "{table}");
    assert!(lines[2].ends_with("WRONG"), "{table}");
    assert!(lines[1].contains(" 3.0000000000e0 ") || lines[1].contains(" 4.0000000000e0 "), "{table}");
    assert_eq!(*lines.last().unwrap(), "11 rows, 2 failed");
    assert!(lines.iter().all(|line| line.chars().count() < 125), "{table}");
    assert_eq!(failed(&report), [Check::Vjp, Check::Jvp]);
}

#[test]
fn big_inputs_are_projected_and_still_caught() {
    let x = [Tensor::normal([100, 50], 0.0, 1.0, &mut Generator::new(9)).unwrap()];
    let report = order(3).run(|x| cube(x[0], Mistake::None).sum_axes(1), &x).unwrap();
    assert!(report.passed(), "{report}");
    let compared: Vec<usize> = report.rows.iter().map(|row| row.compared).collect();
    assert_eq!(compared, [8, 800, 8, 5000, 40_000, 40_000, 100, 5000]);
    assert!(report.to_string().contains(" ~→~ "));
    for mistake in [Mistake::Factor(1.000001), Mistake::Plus(1e-6), Mistake::Forward] {
        assert!(gradcheck(|x| cube(x[0], mistake).sum_axes(1), &x).is_err());
    }
    // One element of five thousand wrong shows in a projection too.
    let mut mask = Tensor::<f64>::zeros([100, 50]).unwrap();
    mask.as_mut_slice().unwrap()[1234] = 1e-4;
    gradcheck(|x| x[0].square(), &x).unwrap();
    let lost = Gradcheck::default().run(
        |x| {
            let mask = x[0].tape().constant(&mask);
            x[0].square() + (x[0].detach() - x[0]) * mask
        },
        &x,
    );
    let lost = lost.unwrap();
    assert_eq!(lost.rows[0].verdict, Verdict::Wrong);
    assert_eq!((lost.rows[0].index.as_deref(), lost.rows[0].compared), (Some(&[24, 34][..]), 8), "{lost}");
    // How many entries are compared one by one, and along how many directions the rest is, can be set.
    let few = Gradcheck { entries: 8, projections: 3, ..Gradcheck::default() };
    let report = few.run(|x| x[0].sin(), &[Tensor::from([1.0, 2.0, 3.0])]).unwrap();
    assert_eq!(report.rows[0].compared, 3);
    let all = Gradcheck { entries: 9, ..few };
    assert_eq!(all.run(|x| x[0].sin(), &[Tensor::from([1.0, 2.0, 3.0])]).unwrap().rows[0].compared, 9);
}

#[test]
fn the_seed_decides_the_directions_and_nothing_else_does() {
    let x = [Tensor::from([1.0, 2.0, 3.0])];
    let with = |seed| Gradcheck { seed, entries: 0, ..order(2) }.run(|x| x[0].sin(), &x).unwrap();
    assert_eq!(with(1), with(1));
    assert_ne!(with(1).rows[0].analytic, with(2).rows[0].analytic);
}

#[test]
fn steps_and_tolerances_follow_the_size_of_things() {
    let right = |report: Result<Report>| assert!(report.as_ref().is_ok_and(Report::passed), "{report:?}");
    // At 10⁶ a step of 10⁻³ would drown in rounding; scaled, it does not.
    right(gradcheck(|x| x[0].square(), &[Tensor::from([1e6, -3e5])]));
    right(gradcheck(|x| x[0].ln() * 1e6, &[Tensor::from([2.0, 700.0])]));
    right(gradcheck(|x| x[0].exp(), &[Tensor::from([1e-6, 700.0])]));
    // Fast waves, small arguments and values that cancel need smaller steps, or noise that is measured.
    right(gradcheck(|x| (x[0] * 2e3).sin(), &[Tensor::from([0.3, 0.0])]));
    right(gradcheck(|x| (x[0] * (2048.0 * std::f64::consts::PI)).sin(), &[Tensor::from([0.0, 0.25])]));
    right(gradcheck(|x| x[0].ln(), &[Tensor::from([1e-4, 1e-6])]));
    right(gradcheck(|x| x[0].sqrt(), &[Tensor::from([1e-5])]));
    right(gradcheck(|x| (x[0] + 1e6) - 1e6, &[Tensor::from([0.1, 0.7])]));
    // Large and small in one input.
    let far_apart = Gradcheck { entries: 0, ..order(3) };
    right(far_apart.run(|x| x[0].tanh() + x[0] * 1e-3, &[Tensor::from([1e6, 1.0, 1e-6])]));
    // Tolerances that are set.
    fn wrong<'t>(x: &[Var<'t, f64>]) -> Var<'t, f64> {
        cube(x[0], Mistake::Factor(1.001))
    }
    let x = [Tensor::from([0.5])];
    let loose = Gradcheck { absolute: Some(1e-2), ..Gradcheck::default() };
    assert_eq!(failed(&loose.run(wrong, &x).unwrap()), [Check::DotProduct]);
    let loose = Gradcheck { relative: Some(1e-2), ..Gradcheck::default() };
    assert_eq!(failed(&loose.run(wrong, &x).unwrap()), [Check::DotProduct]);
    let tight = Gradcheck { relative: Some(1e-4), ..Gradcheck::default() };
    assert_eq!(failed(&tight.run(wrong, &x).unwrap()), [Check::Vjp, Check::DotProduct]);
}

#[test]
fn two_runs_must_give_the_same_bits() {
    let calls = Arc::new(AtomicUsize::new(0));
    let x = [Tensor::from([1.0, 2.0]), Tensor::from([3.0, 4.0])];
    let drifting = |calls: Arc<AtomicUsize>| {
        move |x: &[&Tensor<f64>]| {
            let n = calls.fetch_add(1, Relaxed) as f64;
            x[0].try_mul(&Tensor::from([1.0, 1.0 + n * 1e-15]))
        }
    };
    let error = gradcheck(
        |x| x[0].tape().record("drifting", &x[..1], drifting(calls.clone()), |at| at.one(at.g(0))) * x[1],
        &x,
    )
    .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NonDeterministic { what, index, .. } if what == "value" && index == &[1])
    );
    assert!(
        error.to_string().starts_with("gradcheck: two runs differ in the value, element [1]: "),
        "{error}"
    );

    let report = Gradcheck::default()
        .run(
            |x| {
                let calls = calls.clone();
                let mood = move || calls.fetch_add(1, Relaxed) as f64;
                x[0] * x[1].tape().record(
                    "moody",
                    &x[1..],
                    |x| Ok(x[0].clone()),
                    move |at| at.one(at.g(0) * (1.0 + 1e-12 * mood())),
                )
            },
            &x,
        )
        .unwrap();
    assert_eq!(failed(&report), [Check::Determinism], "{report}");
    assert_eq!(report.rows.len(), 3, "nothing else is told");
    assert!(report.rows[0].passed() && report.rows[1].passed());
    assert_eq!((report.rows[2].input, report.rows[2].verdict), (Some(1), Verdict::NonDeterministic));
    assert_eq!(report.rows[2].index, Some(vec![0]));
    assert!(report.to_string().contains("NOT DETERMINISTIC"));
    let error = report.into_result().unwrap_err();
    assert!(
        error.to_string().contains("two runs differ in the gradient of input 1, element [0]: "),
        "{error}"
    );
}

#[test]
fn a_missing_rule_is_told_with_its_line() {
    let x = [Tensor::from([1.0, 2.0])];
    let report = order(2).run(|x| cube(x[0], Mistake::NoForward).sin(), &x).unwrap();
    assert_eq!(failed(&report), [Check::Jvp]);
    assert_eq!(report.of(Check::DotProduct).count(), 0);
    let row = report.of(Check::Jvp).next().unwrap();
    let Verdict::NoRule { mode: "forward mode", operation: "cube", line } = row.verdict else {
        panic!("{report}")
    };
    assert!(line.file().ends_with("tests/gradcheck.rs"));
    assert!(report.to_string().contains(&format!("NO RULE (forward mode of cube, {line})")), "{report}");
    let error = report.into_result().unwrap_err();
    assert_eq!(error.to_string(), format!("cube: the operation has no rule for forward mode, at {line}"));
    let reverse = Gradcheck { modes: Modes::Reverse, ..order(2) };
    assert!(reverse.run(|x| cube(x[0], Mistake::NoForward).sin(), &x).unwrap().passed());
    // A fused rule alone serves the first order; the recorded sweep has none.
    let report = order(1).run(|x| cube(x[0], Mistake::NoRecorded), &x).unwrap();
    assert_eq!(failed(&report), [Check::Recorded]);
    assert!(report.to_string().contains("NO RULE (reverse mode of cube, "), "{report}");
}

#[test]
fn errors_of_the_function_come_through() {
    let x = [Tensor::from([1.0, 2.0]), Tensor::from([1.0, 2.0, 3.0])];
    let error = gradcheck(|x| x[0] + x[1], &x).unwrap_err();
    assert_eq!(error.operation(), Some("add"));
    assert!(error.location().unwrap().file().ends_with("tests/gradcheck.rs"));
    // A value whose shape follows the inputs' values.
    let growing = |x: Var<'_, f64>| x.value().map_or(1, |x| 1 + isize::from(x[[0]] > 1.0));
    let error = gradcheck(|x| x[0].slice(0, 0..growing(x[0])), &x[1..]).unwrap_err();
    assert!(
        error.to_string().contains("the value at inputs moved by a step has shape [2], wanted [1]"),
        "{error}"
    );
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let x = [Tensor::from([1.0, 2.0])];
    let d = Gradcheck::default();
    for (settings, text) in [
        (Gradcheck { step: Some(0.0), ..d }, "step is 0, wanted a positive number from 2.2e-16 to 1"),
        (Gradcheck { step: Some(-1e-3), ..d }, "step is -0.001, wanted a positive number from 2.2e-16 to 1"),
        (Gradcheck { step: Some(f64::NAN), ..d }, "step is NaN, wanted a positive number from 2.2e-16 to 1"),
        (Gradcheck { step: Some(1.5), ..d }, "step is 1.5, wanted a positive number from 2.2e-16 to 1"),
        (Gradcheck { order: 0, ..d }, "order is 0, wanted 1, 2 or 3"),
        (Gradcheck { order: 4, ..d }, "order is 4, wanted 1, 2 or 3"),
        (Gradcheck { projections: 0, ..d }, "projections is 0, wanted at least 1"),
        (Gradcheck { absolute: Some(-1.0), ..d }, "absolute is -1, wanted a finite number, 0 or positive"),
        (
            Gradcheck { absolute: Some(f64::INFINITY), ..d },
            "absolute is inf, wanted a finite number, 0 or positive",
        ),
        (
            Gradcheck { relative: Some(f64::NAN), ..d },
            "relative is NaN, wanted a finite number, 0 or positive",
        ),
    ] {
        let error = settings.run(|x| x[0], &x).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Argument { .. }));
        assert_eq!(error.kind().to_string(), text);
        assert!(error.location().unwrap().file().ends_with("tests/gradcheck.rs"));
    }
    let error = gradcheck(|x| x[0], &[]).unwrap_err();
    assert_eq!(error.kind().to_string(), "inputs is empty, wanted at least one");
    for step in [f64::EPSILON, 1e-3, 1.0] {
        Gradcheck { step: Some(step), ..d }.run(|x| x[0] * 3.0, &x).unwrap();
    }
    let zero = Gradcheck { absolute: Some(0.0), relative: Some(0.0), ..d };
    assert!(zero.run(|x| x[0] * 4.0, &x).unwrap().passed());
}
