//! The conformance table: every operation's samples, each checked for everything that must hold of it.
//!
//! Reverse mode against 5-point differences at orders 1 to 3, forward mode likewise, ⟨w, J v⟩ = ⟨Jᵀw, v⟩, the fused
//! kernel against the written rule, the recorded sweep against the unrecorded one, f32 against f64, fan-out, and
//! views of every layout against their copies.

mod layout;
mod wrong_rules;

use crate::gradcheck::five_points;
use crate::number::Real;
use crate::tape::{Tape, Var};
use crate::tensor::{Generator, Tensor};
use layout::{LAYOUTS, Layout};
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

type Program<T> = Box<dyn for<'t> Fn(&[Var<'t, T>]) -> Var<'t, T> + Send + Sync>;

/// The shapes that every element-wise operation and reduction is tried on.
const SHAPES: [&[usize]; 11] =
    [&[], &[1], &[7], &[17], &[65], &[3, 4], &[2, 3, 4], &[1, 5, 1], &[0], &[2, 0], &[0, 3]];

/// The pairs of shapes that every operation of two operands is tried on.
const PAIRS: [[&[usize]; 2]; 14] = [
    [&[], &[]],
    [&[1], &[1]],
    [&[7], &[7]],
    [&[17], &[1]],
    [&[65], &[65]],
    [&[], &[5]],
    [&[5], &[]],
    [&[3, 4], &[4]],
    [&[3, 1], &[1, 4]],
    [&[2, 3, 4], &[3, 1]],
    [&[4], &[2, 3, 4]],
    [&[1, 5, 1], &[2, 1, 3]],
    [&[0], &[1]],
    [&[2, 0], &[1, 1]],
];

/// A shape and a range of values.
type Input = (Vec<usize>, (f64, f64));

/// What an operation is tried on: for each case a shape and a range of values for each input.
pub(crate) struct Inputs {
    cases: Vec<Vec<Input>>,
    avoid: Vec<f64>,
    distinct: bool,
}

impl Inputs {
    /// Values of which differences would straddle a kink.
    pub(crate) fn avoid(mut self, kinks: &[f64]) -> Inputs {
        self.avoid = kinks.to_vec();
        self
    }

    /// Leaves out inputs without elements.
    pub(crate) fn not_empty(mut self) -> Inputs {
        self.cases.retain(|case| case.iter().all(|(shape, _)| shape.iter().product::<usize>() > 0));
        self
    }

    /// Keeps the elements of an input at least 0.05 apart, because equal ones are a kink.
    pub(crate) fn distinct(mut self) -> Inputs {
        self.distinct = true;
        self
    }
}

/// One input of every standard shape, with values between two bounds.
pub(crate) fn unary(low: f64, high: f64) -> Inputs {
    let cases = SHAPES.iter().map(|shape| vec![(shape.to_vec(), (low, high))]).collect();
    Inputs { cases, avoid: vec![], distinct: false }
}

/// Two inputs of every standard pair of shapes.
pub(crate) fn binary(a: (f64, f64), b: (f64, f64)) -> Inputs {
    let cases = PAIRS.iter().map(|[s, t]| vec![(s.to_vec(), a), (t.to_vec(), b)]).collect();
    Inputs { cases, avoid: vec![], distinct: false }
}

/// One input of three axes, also with empty ones and ones of length 1.
pub(crate) fn rank3(low: f64, high: f64) -> Inputs {
    shapes(&[&[&[2, 3, 4]], &[&[1, 5, 1]], &[&[3, 1, 2]], &[&[17, 2, 3]]], low, high)
}

/// The inputs' shapes case by case.
pub(crate) fn shapes(cases: &[&[&[usize]]], low: f64, high: f64) -> Inputs {
    let cases = cases.iter().map(|case| case.iter().map(|shape| (shape.to_vec(), (low, high))).collect());
    Inputs { cases: cases.collect(), avoid: vec![], distinct: false }
}

/// An operation and what it is tried on, or a wrong use of it and the error that must say so.
pub(crate) struct Sample {
    name: &'static str,
    inputs: Inputs,
    f64: Program<f64>,
    f32: Program<f32>,
    wrong: Option<&'static str>,
}

impl Sample {
    pub(crate) fn new(
        name: &'static str,
        inputs: Inputs,
        f64: impl for<'t> Fn(&[Var<'t, f64>]) -> Var<'t, f64> + Send + Sync + 'static,
        f32: impl for<'t> Fn(&[Var<'t, f32>]) -> Var<'t, f32> + Send + Sync + 'static,
    ) -> Sample {
        Sample { name, inputs, f64: Box::new(f64), f32: Box::new(f32), wrong: None }
    }

    /// A use that must fail with this text, in the operation of this name.
    pub(crate) fn failing(mut self, text: &'static str) -> Sample {
        self.wrong = Some(text);
        self
    }

    /// As [`Inputs::avoid`].
    pub(crate) fn avoiding(mut self, kinks: &[f64]) -> Sample {
        self.inputs.avoid = kinks.to_vec();
        self
    }
}

/// `sample!(name, inputs, |x| expression)`: the expression is compiled for both element types.
macro_rules! sample {
    ($name:expr, $inputs:expr, |$x:ident| $body:expr) => {
        $crate::conformance::Sample::new($name, $inputs, |$x| $body, |$x| $body)
    };
}
pub(crate) use sample;

/// `wrong!(operation, shapes, |x| expression, text)`: the expression must fail with the text.
macro_rules! wrong {
    ($name:expr, $shapes:expr, |$x:ident| $body:expr, $text:expr) => {{
        let inputs = $crate::conformance::shapes(&[$shapes], 0.5, 1.5);
        $crate::conformance::sample!($name, inputs, |$x| $body).failing($text)
    }};
}
pub(crate) use wrong;

/// The step of the differences: rounding costs about 10⁻¹² of a value of 1, the missing fifth derivative as much
/// where it is 10³.
const STEP: f64 = 5e-4;

fn random(shape: &[usize], (low, high): (f64, f64), inputs: &Inputs, from: &mut Generator) -> Tensor<f64> {
    let n: usize = shape.iter().product();
    let mut data: Vec<f64> = if inputs.distinct {
        let mut data: Vec<f64> =
            (0..n).map(|i| low + (high - low) * (i as f64 + 0.5) / n.max(1) as f64).collect();
        from.shuffle(&mut data);
        data
    } else {
        (0..n).map(|_| low + (high - low) * from.uniform()).collect()
    };
    for x in &mut data {
        for &kink in &inputs.avoid {
            if (*x - kink).abs() < 0.05 {
                *x = if *x < kink { kink - 0.05 } else { kink + 0.05 };
            }
        }
    }
    Tensor::from_slice(&data, shape).unwrap()
}

fn dot(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[Tensor<f64>]) -> f64 {
    a.iter().flat_map(|a| a.iter()).map(|a| a * a).sum::<f64>().sqrt()
}

/// What is checked of one case, and how often anything was.
struct Case<'a> {
    sample: &'a Sample,
    x: Vec<Tensor<f64>>,
    what: String,
    checks: &'a AtomicUsize,
}

impl Case<'_> {
    fn run<'t>(&self, tape: &'t Tape<f64>, x: &[Tensor<f64>]) -> (Vec<Var<'t, f64>>, Var<'t, f64>) {
        let vars: Vec<_> = x.iter().map(|x| tape.var(x)).collect();
        let y = (self.sample.f64)(&vars);
        (vars, y)
    }

    /// |a − n| ≤ tol · max(1, ‖a‖∞, ‖n‖∞), each element.
    fn close(&self, kind: &str, a: &[Tensor<f64>], n: &[f64], tolerance: f64) {
        let a: Vec<f64> = a.iter().flat_map(|a| a.iter()).collect();
        assert_eq!(a.len(), n.len(), "{}: {kind}", self.what);
        let size = a.iter().chain(n).fold(1.0, |m: f64, x| m.max(x.abs()));
        for (i, (a, n)) in a.iter().zip(n).enumerate() {
            let error = (a - n).abs();
            assert!(
                error <= tolerance * size,
                "{}: {kind}, element {i}: {a:e} against {n:e}, error {error:e}",
                self.what
            );
        }
        self.checks.fetch_add(1, Relaxed);
    }

    /// The gradient of ⟨c, f⟩, of ⟨∇, u⟩, of ⟨∇⟨∇, u⟩, w⟩: the order-th derivative along the directions given.
    fn derivative(&self, x: &[Tensor<f64>], c: &Tensor<f64>, along: &[&[Tensor<f64>]]) -> Vec<Tensor<f64>> {
        let tape = Tape::new();
        let (vars, y) = self.run(&tape, x);
        let mut y = (y * tape.constant(c)).sum();
        for direction in along {
            let one = Tensor::scalar(1.0);
            let g = tape.vjp_with(y, &one, &vars).unwrap_or_else(|e| panic!("{}: {e}", self.what));
            y = g
                .iter()
                .zip(*direction)
                .fold(tape.scalar(0.0), |sum, (g, u)| sum + (*g * tape.constant(u)).sum());
        }
        let grads = y.backward().unwrap_or_else(|e| panic!("{}: {e}", self.what));
        vars.iter().map(|&x| grads.wrt(x).unwrap().clone()).collect()
    }

    /// The same with one direction fewer, differentiated along the last one by differences.
    fn by_differences(&self, c: &Tensor<f64>, along: &[&[Tensor<f64>]]) -> Vec<f64> {
        let (last, rest) = along.split_last().unwrap();
        five_points(STEP, |t| {
            let moved: Vec<_> = self.x.iter().zip(*last).map(|(x, u)| x.try_add(&(u * t)).unwrap()).collect();
            Ok(self.derivative(&moved, c, rest).iter().flat_map(|g| g.to_vec()).collect())
        })
        .unwrap()
    }

    fn check(&self, random: &mut Generator) {
        let tape = Tape::new();
        let (vars, y) = self.run(&tape, &self.x);
        let value = y.value().unwrap_or_else(|e| panic!("{}: {e}", self.what));
        assert!(value.iter().all(f64::is_finite), "{}: {value}", self.what);
        let mut like = |x: &Tensor<f64>| Tensor::normal(x.shape(), 0.0, 1.0, random).unwrap();
        let c = like(&value);
        let u: Vec<_> = self.x.iter().map(|x| like(x) * 0.5).collect();
        let w: Vec<_> = self.x.iter().map(|x| like(x) * 0.5).collect();

        // Views against their copies.
        let copies: Vec<_> =
            self.x.iter().map(|x| Tensor::from_slice(&x.to_vec(), x.shape()).unwrap()).collect();
        let other = Tape::new();
        let of_copies = self.run(&other, &copies).1.value().unwrap();
        assert_eq!(value.shape(), of_copies.shape(), "{}", self.what);
        self.close("view and copy", std::slice::from_ref(&value), &of_copies.to_vec(), 1e-14);

        // Order 1, reverse: element by element where there are few, else along directions.
        let grads = y.backward_with(&c).unwrap_or_else(|e| panic!("{}: {e}", self.what));
        let g: Vec<_> = vars.iter().map(|&x| grads.wrt(x).unwrap().clone()).collect();
        for (k, x) in self.x.iter().enumerate() {
            assert_eq!(g[k].shape(), x.shape(), "{}", self.what);
            let directions: Vec<Tensor<f64>> = if x.len() <= 24 {
                let hot = |at| move |i| f64::from(u8::from(i == at));
                (0..x.len())
                    .map(|at| Tensor::from_iter_in((0..x.len()).map(hot(at)), x.shape()).unwrap())
                    .collect()
            } else {
                (0..3).map(|_| Tensor::normal(x.shape(), 0.0, 0.3, random).unwrap()).collect()
            };
            for v in directions {
                let numeric = five_points(STEP, |t| {
                    let mut moved = self.x.clone();
                    moved[k] = x.try_add(&(&v * t)).unwrap();
                    let tape = Tape::new();
                    Ok(vec![dot(&self.run(&tape, &moved).1.value()?, &c)])
                })
                .unwrap();
                let analytic = Tensor::scalar(dot(&g[k], &v));
                self.close("vjp", &[analytic], &numeric, 1e-9);
            }
        }

        // Order 1, forward, and the two against each other.
        let pairs = vars.iter().copied().zip(&u);
        let dy = tape.jvp(y, pairs).unwrap_or_else(|e| panic!("{}: jvp: {e}", self.what)).value().unwrap();
        assert_eq!(dy.shape(), value.shape(), "{}", self.what);
        let numeric = five_points(STEP, |t| {
            let moved: Vec<_> = self.x.iter().zip(&u).map(|(x, u)| x.try_add(&(u * t)).unwrap()).collect();
            let tape = Tape::new();
            Ok(self.run(&tape, &moved).1.value()?.to_vec())
        });
        self.close("jvp", std::slice::from_ref(&dy), &numeric.unwrap(), 1e-9);
        let (left, right) = (dot(&c, &dy), g.iter().zip(&u).map(|(g, u)| dot(g, u)).sum::<f64>());
        let scale = norm(std::slice::from_ref(&c)) * norm(std::slice::from_ref(&dy)) + norm(&g) * norm(&u);
        assert!(
            (left - right).abs() <= 1e-12 * scale.max(1e-300),
            "{}: ⟨c, Ju⟩ = {left:e}, ⟨Jᵀc, u⟩ = {right:e}",
            self.what
        );
        self.checks.fetch_add(1, Relaxed);

        // The fused kernel against the written rule, and the recorded sweep against both.
        let flat: Vec<f64> = g.iter().flat_map(|g| g.to_vec()).collect();
        let written = y.backward_by_written_rules(&c).unwrap();
        let written: Vec<_> = vars.iter().map(|&x| written.wrt(x).unwrap().clone()).collect();
        self.close("fused and written", &written, &flat, 1e-13);
        let recorded = tape.vjp_with(y, &c, &vars).unwrap();
        let recorded: Vec<_> = recorded.iter().map(|g| g.value().unwrap()).collect();
        self.close("recorded", &recorded, &flat, 1e-13);

        // Fan-out: f + 2f has three times the gradient.
        let tripled = (y + y * 2.0).backward_with(&c).unwrap();
        let tripled: Vec<_> = vars.iter().map(|&x| tripled.wrt(x).unwrap() * (1.0 / 3.0)).collect();
        self.close("fan-out", &tripled, &flat, 1e-13);

        // Orders 2 and 3, and forward over reverse.
        let second = self.derivative(&self.x, &c, &[&u]);
        self.close("order 2", &second, &self.by_differences(&c, &[&u]), 1e-7);
        let third = self.derivative(&self.x, &c, &[&u, &w]);
        self.close("order 3", &third, &self.by_differences(&c, &[&u, &w]), 1e-5);
        let tape = Tape::new();
        let (vars, y) = self.run(&tape, &self.x);
        let g = tape.vjp_with(y, &c, &vars).unwrap();
        let needs_more =
            |g: &Var<'_, f64>| tape.jvp(*g, vars.iter().copied().zip(&u)).unwrap().value().unwrap();
        let over: Vec<_> = g.iter().map(needs_more).collect();
        let flat: Vec<f64> = second.iter().flat_map(|g| g.to_vec()).collect();
        self.close("forward over reverse", &over, &flat, 1e-11);

        // Single precision against double.
        let single = Tape::<f32>::new();
        let x32: Vec<_> = self.x.iter().map(|x| x.map(|x| x as f32).unwrap()).collect();
        let vars32: Vec<_> = x32.iter().map(|x| single.var(x)).collect();
        let y32 = (self.sample.f32)(&vars32);
        let wide = |x: &Tensor<f32>| x.map(f32::to_f64).unwrap();
        self.close("f32 value", &[wide(&y32.value().unwrap())], &value.to_vec(), 5e-6);
        let g32 = y32.backward_with(&c.map(|c| c as f32).unwrap()).unwrap();
        let g32: Vec<_> = vars32.iter().map(|&x| wide(g32.wrt(x).unwrap())).collect();
        let grads: Vec<f64> = vars_of(&grads, &self.x).collect();
        self.close("f32 gradient", &g32, &grads, 2e-5);
    }
}

fn vars_of<'a>(
    grads: &'a crate::tape::Gradients<f64>,
    x: &'a [Tensor<f64>],
) -> impl Iterator<Item = f64> + 'a {
    grads.iter().take(x.len()).flat_map(|g| g.to_vec())
}

/// Runs a sample through the table; panics on the first thing that does not hold.
pub(crate) fn check(sample: &Sample, checks: &AtomicUsize) {
    let mut random_numbers =
        Generator::new(sample.name.bytes().fold(7u64, |h, b| h.wrapping_mul(31).wrapping_add(b.into())));
    for case in &sample.inputs.cases {
        if let Some(text) = sample.wrong {
            let x: Vec<_> =
                case.iter().map(|(s, r)| random(s, *r, &sample.inputs, &mut random_numbers)).collect();
            let tape = Tape::new();
            let vars: Vec<_> = x.iter().map(|x| tape.var(x)).collect();
            let error = (sample.f64)(&vars).sum().backward().err();
            let error = error.unwrap_or_else(|| panic!("{}: no error, wanted {text:?}", sample.name));
            assert_eq!(error.kind().to_string(), text, "{}", sample.name);
            assert_eq!(error.operation(), Some(sample.name), "{error}");
            let line = error.location().expect("an operation knows its line");
            assert!(line.file().contains("src/ops/"), "{}: {line}", sample.name);
            checks.fetch_add(1, Relaxed);
            continue;
        }
        for layout in LAYOUTS {
            if !case.iter().any(|(shape, _)| layout.suits(shape))
                || (sample.inputs.distinct && layout == Layout::Broadcast)
            {
                continue;
            }
            let x: Vec<_> = case
                .iter()
                .map(|(shape, range)| {
                    let x = random(shape, *range, &sample.inputs, &mut random_numbers);
                    if layout.suits(shape) { layout.lay(&x) } else { x }
                })
                .collect();
            let shapes: Vec<_> = x.iter().map(|x| x.shape().to_vec()).collect();
            let what = format!("{} on {shapes:?} {layout:?}", sample.name);
            Case { sample, x, what, checks }.check(&mut random_numbers);
        }
    }
}

#[test]
fn every_operation_conforms() {
    let start = std::time::Instant::now();
    let samples = crate::ops::samples();
    let checks = AtomicUsize::new(0);
    let failures: Vec<String> = samples
        .par_iter()
        .filter_map(|sample| {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(sample, &checks))).err().map(
                |panic| match panic.downcast::<String>() {
                    Ok(text) => *text,
                    Err(other) => format!("{}: {:?}", sample.name, other.downcast_ref::<&str>()),
                },
            )
        })
        .collect();
    let seconds = start.elapsed().as_secs_f64();
    let n = checks.load(Relaxed);
    println!("{} samples, {n} checks in {seconds:.1} s", samples.len());
    assert!(n >= 100_000, "only {n} checks");
    assert!(failures.is_empty(), "{} of {} samples:\n{}", failures.len(), samples.len(), failures.join("\n"));
}
