//! What the table runs on: operations as closures, the shapes and ranges of their inputs, and random values in them.

use crate::error::Result;
use crate::number::Real;
use crate::tape::Var;
use crate::tensor::{Generator, Tensor};

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
    pub(super) cases: Vec<Vec<Input>>,
    avoid: Vec<f64>,
    pub(super) distinct: bool,
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
    pub(super) name: &'static str,
    pub(super) inputs: Inputs,
    pub(super) f64: Program<f64>,
    pub(super) f32: Program<f32>,
    pub(super) wrong: Option<&'static str>,
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

/// Values for an input of this shape and range.
pub(super) fn random(
    shape: &[usize],
    (low, high): (f64, f64),
    inputs: &Inputs,
    from: &mut Generator,
) -> Tensor<f64> {
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

/// The values of an operation that also gives places; its error as that of a variable.
#[track_caller]
pub(crate) fn values<'t, T: Real>(found: Result<(Var<'t, T>, Tensor<i64>)>, of: Var<'t, T>) -> Var<'t, T> {
    match found {
        Ok((values, places)) => {
            assert_eq!(values.try_shape().unwrap()[..], *places.shape());
            values
        }
        Err(error) => of.tape().errored("values", std::panic::Location::caller(), error),
    }
}
