//! The table must catch what is wrong at a higher order, or in one nesting of the modes alone, or where an input fans
//! out, or when a tape is swept again.

use super::case::Case;
use super::wrong_rules::verdict;
use super::{Sample, sample, shapes, unary};
use crate::error::Result;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::{Generator, Tensor};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A derivative of tanh, reached by rules in these modes, innermost first: that of `"fr"` is the second, which the
/// reverse rule of the forward rule asks for. It is off by a factor if it is the wrong one.
#[derive(Clone)]
struct Tanh {
    path: String,
    wrong: Option<(&'static str, f64)>,
}

impl Tanh {
    fn next<'t, T: Real>(&self, mode: &str, x: Var<'t, T>) -> Var<'t, T> {
        x.tape().apply(Tanh { path: format!("{}{mode}", self.path), wrong: self.wrong }, &[x])
    }
}

impl<T: Real> Operation<T> for Tanh {
    fn name(&self) -> &'static str {
        "tanh"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let factor = self.wrong.filter(|wrong| wrong.0 == self.path).map_or(1.0, |wrong| wrong.1);
        let y = x[0].map(|x| {
            let t = x.tanh();
            let s = T::ONE - t * t;
            let y = match self.path.len() {
                0 => t,
                1 => s,
                2 => t * s * T::from_f64(-2.0),
                3 => s * (T::from_f64(3.0) * t * t - T::ONE) * T::from_f64(2.0),
                _ => unreachable!("no check goes beyond the third order"),
            };
            y * T::from_f64(factor)
        })?;
        Ok(one(y))
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0) * self.next("r", at.x(0)))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx * self.next("f", at.x(0)))
    }
}

/// Tanh with a wrong derivative, either in general or in its second use on a tape.
fn tanh(wrong: Option<(&'static str, f64)>, in_second_use: bool) -> Sample {
    fn applied<'t, T: Real>(x: Var<'t, T>, wrong: Option<(&'static str, f64)>, second: bool) -> Var<'t, T> {
        // Before its first use a tape has the variable and nothing else.
        let wrong = wrong.filter(|_| !second || x.tape().len() > 1);
        x.tape().apply(Tanh { path: String::new(), wrong }, &[x])
    }
    Sample::new(
        "tanh",
        shapes(&[&[&[3, 4]]], -1.0, 1.0),
        move |x| applied(x[0], wrong, in_second_use),
        move |x| applied(x[0], wrong, in_second_use),
    )
}

/// Every nesting of the modes, innermost first, and the check that is the first to see it.
const NESTINGS: [(&str, &str, &str); 14] = [
    ("r", "vjp", "fan-out, order 1"),
    ("f", "jvp", "fan-out, forward"),
    ("rr", "order 2", "fan-out, order 2"),
    ("ff", "forward order 2", "fan-out, forward over forward"),
    ("fr", "reverse over forward", "fan-out, reverse over forward"),
    ("rf", "forward over reverse", "fan-out, forward over reverse"),
    ("rrr", "order 3", "fan-out, order 3"),
    ("fff", "forward order 3", "fan-out, forward over forward over forward"),
    ("ffr", "reverse over forward over forward", "fan-out, reverse over forward over forward"),
    ("frf", "forward over reverse over forward", "fan-out, forward over reverse over forward"),
    ("frr", "reverse over reverse over forward", "fan-out, reverse over reverse over forward"),
    ("rff", "forward over forward over reverse", "fan-out, forward over forward over reverse"),
    ("rfr", "reverse over forward over reverse", "fan-out, reverse over forward over reverse"),
    ("rrf", "forward over reverse over reverse", "fan-out, forward over reverse over reverse"),
];

fn assert_caught(sample: &Sample, by: &str, what: &str) {
    let found = verdict(sample).unwrap_or_else(|| panic!("{what} passes the table"));
    assert!(found.contains(&format!(": {by}, ")), "{what} was caught, but not by {by}: {found}");
}

#[test]
fn a_mistake_in_one_nesting_of_the_modes_is_caught_by_its_check() {
    assert_eq!(verdict(&tanh(None, false)), None);
    for (path, by, _) in NESTINGS {
        assert_caught(&tanh(Some((path, 1.001)), false), by, path);
    }
}

/// Of two contributions one is lost, as if the other had been written over it.
#[test]
fn an_accumulation_that_overwrites_is_caught_at_every_order_in_every_mode() {
    for (path, _, by) in NESTINGS {
        assert_caught(&tanh(Some((path, 0.0)), true), by, path);
    }
}

/// y = x², with rules that are a last bit different every time.
struct Drifting {
    forward: bool,
    calls: AtomicUsize,
}

impl Drifting {
    fn new(forward: bool) -> Drifting {
        Drifting { forward, calls: AtomicUsize::new(0) }
    }

    fn factor(&self, forward: bool) -> f64 {
        if forward != self.forward {
            return 2.0;
        }
        2.0 * (1.0 + f64::EPSILON * self.calls.fetch_add(1, Relaxed) as f64)
    }
}

impl<T: Real> Operation<T> for Drifting {
    fn name(&self) -> &'static str {
        "drifting"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].map(|x| x * x).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0) * at.x(0) * self.factor(false))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx * at.x(0) * self.factor(true))
    }
}

#[test]
fn a_sweep_that_changes_the_next_one_is_caught() {
    for (forward, by) in [(false, "backward again"), (true, "jvp again")] {
        let sample = Sample::new(
            "drifting",
            shapes(&[&[&[3, 4]]], -1.0, 1.0),
            move |x| x[0].tape().apply(Drifting::new(forward), x),
            move |x| x[0].tape().apply(Drifting::new(forward), x),
        );
        assert_caught(&sample, by, by);
    }
}

/// y = x² whose derivative is said to be 1: a gradient without differences, where the value has some.
struct Flat;

impl<T: Real> Operation<T> for Flat {
    fn name(&self) -> &'static str {
        "flat"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].map(|x| x * x).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0))
    }
}

#[test]
fn second_derivatives_are_not_believed_to_be_zero() {
    let proof = |sample: Sample| {
        let x = vec![Tensor::from([0.5, -1.0, 2.0])];
        let square = sample!("square", unary(-2.0, 2.0), |x| x[0].square());
        let point = Case::new(&square, x.clone(), String::new()).first_order(&mut Generator::new(1));
        let case = Case::new(&sample, x, String::new());
        let run = || case.proven_zero(&point);
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).err()?;
        panic.downcast_ref::<String>().cloned()
    };
    let inputs = || unary(-2.0, 2.0);
    assert_eq!(proof(sample!("scaled", inputs(), |x| x[0] * 3.0)), None);
    let curved = proof(sample!("square", inputs(), |x| x[0].square())).unwrap();
    assert!(curved.contains(": no second derivative, "), "{curved}");
    let flat = proof(sample!("flat", inputs(), |x| x[0].tape().apply(Flat, x))).unwrap();
    assert!(flat.contains(": no second derivative of the value, "), "{flat}");
}
