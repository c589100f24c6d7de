//! A rule that is missing is an error that names the operation, at every order in both modes, and never a zero.

use crate::error::{Error, ErrorKind, Result};
use crate::tape::{At, Operation, Outputs, Parts, Tape, Var, one};
use crate::tensor::Tensor;

/// y = eˣ, which knows nothing more.
struct Bare;

impl Operation<f64> for Bare {
    fn name(&self) -> &'static str {
        "bare"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Outputs<f64>> {
        x[0].map(f64::exp).map(one)
    }
}

/// y = eˣ, whose rules are right and call themselves for this many orders, and at the next one call what has none.
struct Exp(usize);

impl Exp {
    fn of<'t>(orders: usize, x: Var<'t, f64>) -> Var<'t, f64> {
        match orders {
            0 => x.tape().apply(Bare, &[x]),
            _ => x.tape().apply(Exp(orders), &[x]),
        }
    }
}

impl Operation<f64> for Exp {
    fn name(&self) -> &'static str {
        "exp"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Outputs<f64>> {
        x[0].map(f64::exp).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, f64>) -> Result<Parts<'t, f64>> {
        at.one(at.g(0) * Exp::of(self.0 - 1, at.x(0)))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, f64>) -> Result<Parts<'t, f64>> {
        at.sum_of(|_, dx| dx * Exp::of(self.0 - 1, at.x(0)))
    }
}

fn assert_names(error: &Error, operation: &str, mode: &str, what: &str) {
    let ErrorKind::NoRule { mode: found } = error.kind() else { panic!("{what}: {error}") };
    assert_eq!((error.operation(), *found), (Some(operation), mode), "{what}: {error}");
    let line = error.location().expect("an operation knows its line");
    assert!(line.file().contains("conformance"), "{what}: {line}");
}

/// A step of forward ('f') or reverse mode.
fn differentiated<'t>(mode: char, y: Var<'t, f64>, x: Var<'t, f64>) -> Result<Var<'t, f64>> {
    let ones = Tensor::from([1.0, 1.0]);
    match mode {
        'f' => x.tape().jvp(y, [(x, &ones)]),
        _ => x.tape().vjp(y, &ones, [x]).map(|[g]| g),
    }
}

const WORDS: [&str; 14] =
    ["f", "r", "ff", "fr", "rf", "rr", "fff", "ffr", "frf", "frr", "rff", "rfr", "rrf", "rrr"];

#[test]
fn it_is_found_at_the_order_that_needs_it_in_every_nesting_of_the_modes() {
    let at = Tensor::from([0.5, -1.0]);
    for word in WORDS {
        let tape = Tape::new();
        let x = tape.var(&at);
        let mut y = Exp::of(word.len() - 1, x);
        let (lower, last) = word.split_at(word.len() - 1);
        for mode in lower.chars() {
            y = differentiated(mode, y, x).unwrap();
            assert_eq!(y.value().unwrap().to_vec(), [0.5f64.exp(), (-1.0f64).exp()], "{word}");
        }
        let error = differentiated(last.chars().next().unwrap(), y, x).unwrap_err();
        let mode = if last == "f" { "forward mode" } else { "reverse mode" };
        assert_names(&error, "bare", mode, word);
        // Sweeps that do not record find it, too, and a sum with something that has rules does not hide it.
        let sum = y + x.square();
        if last == "r" {
            assert_names(&sum.sum().backward().unwrap_err(), "bare", mode, word);
            assert_names(&tape.grad(sum.sum(), [x]).unwrap_err(), "bare", mode, word);
        }
        let error = differentiated(last.chars().next().unwrap(), sum, x).unwrap_err();
        assert_names(&error, "bare", mode, word);
    }
}

#[test]
fn it_is_not_missed_where_no_derivative_runs_through_the_operation() {
    let tape = Tape::new();
    let (x, c) = (tape.var(&Tensor::from([1.0, 2.0])), tape.constant(&Tensor::from([0.0, 0.0])));
    let y = x.square() + Exp::of(0, c) + Exp::of(0, x).detach();
    for mode in ['f', 'r'] {
        assert_eq!(differentiated(mode, y, x).unwrap().value().unwrap().to_vec(), [2.0, 4.0]);
    }
}

/// The forward rule of an operation of two closures is made of its backward rule, at every order.
#[test]
fn a_recorded_operation_lacks_no_forward_rule() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let exp = tape.record("closures", &[x], |x| x[0].map(f64::exp), |at| at.one(at.g(0) * at.y(0)));
    for word in WORDS {
        let y = word.chars().fold(exp, |y, mode| differentiated(mode, y, x).unwrap());
        assert_eq!(y.value().unwrap(), exp.value().unwrap(), "{word}");
    }
    let bare =
        tape.record("closures", &[x], |x| x[0].map(f64::exp), |at| at.one(at.g(0) * Exp::of(0, at.x(0))));
    let first = differentiated('f', bare, x).unwrap();
    assert_eq!(first.value().unwrap(), exp.value().unwrap());
    for mode in ['f', 'r'] {
        let word = if mode == 'f' { "forward mode" } else { "reverse mode" };
        assert_names(&differentiated(mode, first, x).unwrap_err(), "bare", word, "second order");
    }
}

#[test]
fn indices_leave_the_tape() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([[1.0, 3.0], [4.0, 2.0]]));
    let before = tape.len();
    let found: [Tensor<i64>; 6] = [
        x.argmax(0).unwrap(),
        x.argmax_keepdim(0).unwrap(),
        x.argmax_all().unwrap(),
        x.argmin(0).unwrap(),
        x.argmin_keepdim(0).unwrap(),
        x.argmin_all().unwrap(),
    ];
    assert_eq!(found.map(|i| i.to_vec()), [vec![1, 0], vec![1, 0], vec![2], vec![0, 1], vec![0, 1], vec![0]]);
    assert_eq!(tape.len(), before);
}
