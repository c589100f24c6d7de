//! The first number that is not finite: forward, backward, and what it is named by.

use retrograde::{Error, ErrorKind, NonFinite, Operation, Outputs, Parts, Phase, Result, Tape, Tensor, Var};

type V<'t> = Var<'t, f64>;

#[track_caller]
fn found(y: V<'_>) -> NonFinite {
    y.find_non_finite().unwrap().expect("a number that is not finite")
}

#[track_caller]
fn assert_at(found: &NonFinite, operation: &str, phase: Phase, index: &[usize], line: u32) {
    assert_eq!((found.operation, found.phase, &found.index[..]), (operation, phase, index), "{found}");
    assert_eq!((found.location.file(), found.location.line()), (file!(), line), "{found}");
}

#[test]
fn the_first_value_that_is_not_finite_is_named() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([[4.0, 1.0], [0.0, -1.0]]));
    let line = line!() + 1;
    let log = x.ln();
    let later = (log.exp() / 0.0).sqrt() + x;
    for y in [log, later, later.sum()] {
        let found = found(y);
        assert_at(&found, "ln", Phase::Forward, &[1, 0], line);
        assert_eq!((found.value, found.label.as_deref()), (f64::NEG_INFINITY, None));
        assert_eq!(
            found.to_string(),
            format!("ln: the value has -inf at element [1, 0], at {}:{line}:17", file!())
        );
    }
    let root = x.sqrt().name("root");
    let found_ = found(root * 2.0);
    assert_eq!((found_.operation, found_.label.as_deref()), ("sqrt", Some("root")));
    assert!(found_.value.is_nan() && found_.index == [1, 1]);
    assert!(
        found_.to_string().starts_with("sqrt \"root\": the value has NaN at element [1, 1], at "),
        "{found_}"
    );
    // What was put on the tape so.
    let line = line!() + 1;
    let c = tape.constant(&Tensor::from([1.0, f64::INFINITY]));
    let v = tape.var(&Tensor::from([f64::NAN, 1.0])).name("data");
    assert_at(&found(c * 2.0), "constant", Phase::Forward, &[1], line);
    assert_eq!(found(c).value, f64::INFINITY);
    let both = found(v * c);
    assert_at(&both, "constant", Phase::Forward, &[1], line);
    assert_at(&found(v.sum()), "var", Phase::Forward, &[0], line + 1);
    assert_eq!(found(v.sum()).label.as_deref(), Some("data"));
}

#[test]
fn only_what_the_value_depends_on_counts() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 0.0]));
    let bad = x.ln();
    let good = (x + 1.0).ln();
    assert_eq!(good.sum().find_non_finite().unwrap(), None);
    assert_eq!(good.find_non_finite().unwrap(), None);
    assert!(bad.find_non_finite().unwrap().is_some());
    let _after = x / 0.0;
    assert_eq!((good * 2.0).find_non_finite().unwrap(), None);
    let empty = tape.var(&Tensor::zeros([0]).unwrap());
    assert_eq!(empty.find_non_finite().unwrap(), None);
    assert_eq!(tape.scalar(1.0).find_non_finite().unwrap(), None);
}

#[test]
fn the_first_cotangent_that_is_not_finite_is_named() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([4.0, 0.0, 1.0]));
    let line = line!() + 1;
    let root = x.sqrt();
    let y = root.sum();
    let first = found(y);
    assert_at(&first, "sqrt", Phase::Backward { input: 0 }, &[1], line);
    assert_eq!((first.value, first.label.as_deref()), (f64::INFINITY, None));
    assert_eq!(
        first.to_string(),
        format!("sqrt: the cotangent of input 0 has inf at element [1], at {}:{line}:18", file!())
    );
    // Of several the one that the sweep meets first; 0·∞ below it is not it.
    let line = line!() + 1;
    let shifted = (x * x).sqrt().name("norm") * 2.0;
    let found_ = found(shifted.sum());
    assert_eq!((found_.operation, found_.label.as_deref()), ("sqrt", Some("norm")));
    assert_at(&found_, "sqrt", Phase::Backward { input: 0 }, &[1], line);
    // The second input.
    let w = tape.var(&Tensor::from([2.0, 2.0, 2.0]));
    let line = line!() + 1;
    let y = tape.record(
        "nan by w",
        &[x, w],
        |x| x[0].try_mul(x[1]),
        |at| Ok([Some(at.g(0)), Some(at.g(0) * f64::NAN)].into_iter().collect()),
    );
    let found_ = found(y);
    assert_at(&found_, "nan by w", Phase::Backward { input: 1 }, &[0], line);
    assert!(found_.value.is_nan());
    // Of constants no cotangent is taken.
    let c = tape.constant(&Tensor::from([0.0]));
    assert_eq!((c.sqrt() * w).find_non_finite().unwrap(), None);
}

#[test]
fn looking_does_not_disturb_the_tape() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([4.0, 0.0]));
    let h = x * x;
    let y = (h.sqrt() + h * h).sum();
    let nodes = tape.len();
    assert!(y.find_non_finite().unwrap().is_some());
    assert!(y.find_non_finite().unwrap().is_some());
    assert_eq!(tape.len(), nodes);
    let fine = (h * h).sum();
    assert_eq!(fine.find_non_finite().unwrap(), None);
    assert_eq!(fine.backward().unwrap().wrt(x).unwrap().to_vec(), [256.0, 0.0]);
    assert_eq!(tape.grad(fine, [h]).unwrap()[0].to_vec(), [32.0, 0.0]);
}

#[test]
fn errors_come_before_numbers() {
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::from([0.0, 1.0]));
    let wrong: Error = (x.ln() + x.reshape([7])).find_non_finite().unwrap_err();
    assert_eq!(wrong.kind(), &ErrorKind::ElementCount { shape: vec![7], wanted: 7, found: 2 });
    let bad = tape.record("bad", &[x], |x| Ok(x[0].clone()), |_| Ok(Parts::new()));
    let line = line!() - 1;
    let error = bad.find_non_finite().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::CotangentCount { found: 0, wanted: 1 });
    assert_eq!((error.operation(), error.location().unwrap().line()), (Some("bad"), line));
}

#[test]
fn inside_a_checkpoint_it_is_found_too() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([4.0, 0.0]));
    let line = line!() + 1;
    let y = tape.checkpoint(&[x], |v| v[0].sqrt());
    assert_at(&found(y.sum()), "checkpoint", Phase::Backward { input: 0 }, &[1], line);
    let line = line!() + 1;
    let y = tape.checkpoint(&[x], |v| v[0].ln());
    assert_at(&found(y.sum()), "checkpoint", Phase::Forward, &[1], line);
}

/// (ln x, x).
struct Two;

impl Operation<f64> for Two {
    fn name(&self) -> &'static str {
        "two"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Outputs<f64>> {
        Ok([x[0].map(f64::ln)?, x[0].clone()].into_iter().collect())
    }
    fn vjp<'t>(&self, at: &retrograde::At<'_, 't, f64>) -> Result<Parts<'t, f64>> {
        at.one(at.g(1))
    }
}

#[test]
fn an_output_that_the_value_does_not_depend_on_does_not_count() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 0.0]));
    let made = tape.apply_many(Two, &[x], 2);
    assert!(found(made[0]).index == [1]);
    assert_eq!((made[1] * 2.0).find_non_finite().unwrap(), None);
}

#[test]
fn a_sum_of_cotangents_that_overflows_is_found() {
    // Each contribution is finite, and so is each value; their sum is the gradient, and it is infinite.
    let tape = Tape::<f64>::new();
    let x = tape.var(&Tensor::scalar(0.1));
    let y = x * 1e308 + x * 1e308;
    assert!(y.item().unwrap().is_finite());
    assert_eq!(y.backward().unwrap().wrt(x).unwrap().item().unwrap(), f64::INFINITY);
    assert!(y.find_non_finite().unwrap().is_some());
}

#[test]
fn what_a_hook_makes_not_finite_is_found_at_the_hook() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::scalar(2.0));
    let h = (x * x).name("hooked");
    h.hook(|g| g * f64::INFINITY).unwrap();
    let y = h.exp();
    // The rule of `mul` below multiplies an infinity; it did not make it.
    let found = found(y);
    assert!(found.operation != "mul" || found.phase != Phase::Backward { input: 0 }, "{found}");
    // At a leaf there is no rule below.
    let tape = Tape::new();
    let x = tape.var(&Tensor::scalar(2.0));
    x.hook(|g| g / 0.0).unwrap();
    assert!((x * x).find_non_finite().unwrap().is_some());
}
