//! One error type for the whole crate: what went wrong, in which operation, at which line of the user's source.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in which operation, and at which line of the caller's source.
///
/// Cheap to clone and one pointer wide: an errored variable hands the same error on to everything computed
/// from it. [`kind`](Error::kind) gives the data to match on.
///
/// ```
/// use retrograde::{ErrorKind, Tape, Tensor};
///
/// let tape = Tape::<f64>::new();
/// let a = tape.var(&Tensor::ones([2, 3])?);
/// let b = tape.var(&Tensor::ones([2, 3])?);
/// let error = a.matmul(b).sum().value().unwrap_err();
/// assert!(matches!(error.kind(), ErrorKind::InnerDimension { left, right } if left == &[2, 3] && right == &[2, 3]));
/// assert_eq!(error.operation(), Some("matmul"));
/// assert!(error.to_string().starts_with("matmul: shapes [2, 3] and [2, 3] do not agree in the inner dimension (3 and 2), at "));
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone)]
pub struct Error(Arc<Report>);

#[derive(Clone)]
struct Report {
    kind: ErrorKind,
    operation: Option<&'static str>,
    /// The names that the user gave to what the operation acted on.
    of: Option<Box<str>>,
    location: Option<&'static Location<'static>>,
}

/// The kinds of error, with their data.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Two shapes that cannot be broadcast against each other.
    #[error("shapes {left:?} and {right:?} do not broadcast")]
    Broadcast {
        /// The first operand's shape.
        left: Vec<usize>,
        /// The second operand's shape.
        right: Vec<usize>,
    },
    /// A product of matrices whose inner dimensions differ.
    #[error("shapes {left:?} and {right:?} do not agree in the inner dimension ({} and {})", left.last().unwrap_or(&1), inner(right))]
    InnerDimension {
        /// The first operand's shape.
        left: Vec<usize>,
        /// The second operand's shape.
        right: Vec<usize>,
    },
    /// Something has another shape than it must have.
    #[error("{what} has shape {found:?}, wanted {wanted:?}")]
    Shape {
        /// What it is: `"seed"`, `"cotangent of input 1"`, …
        what: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape it must have.
        wanted: Vec<usize>,
    },
    /// A rank that an operation does not take.
    #[error("shape {found:?} has rank {}, wanted {wanted}", found.len())]
    Rank {
        /// The shape found.
        found: Vec<usize>,
        /// The ranks taken, in words.
        wanted: &'static str,
    },
    /// A reshape, or a constructor's data, with the wrong number of elements.
    #[error("shape {shape:?} needs {wanted} elements, found {found}")]
    ElementCount {
        /// The shape asked for.
        shape: Vec<usize>,
        /// How many elements that shape has.
        wanted: usize,
        /// How many elements there are.
        found: usize,
    },
    /// An axis outside the rank.
    #[error("axis {axis} is out of range for shape {shape:?}")]
    Axis {
        /// The axis asked for; negative ones count from the end.
        axis: isize,
        /// The shape it was asked of.
        shape: Vec<usize>,
    },
    /// The same axis given twice.
    #[error("axis {axis} is given twice")]
    AxisTwice {
        /// The axis, counted from the front.
        axis: usize,
    },
    /// An index outside its axis.
    #[error("index {index} is out of range for axis {axis} of size {size}")]
    Index {
        /// The index asked for.
        index: i64,
        /// The axis, counted from the front.
        axis: usize,
        /// The size of that axis.
        size: usize,
    },
    /// A shape whose size in bytes, or whose rank, no tensor can have.
    #[error("shape {shape:?} is too large: at most 64 axes and 2^63 - 1 bytes")]
    TooLarge {
        /// The shape asked for.
        shape: Vec<usize>,
    },
    /// The system gave no memory.
    #[error("no memory for {bytes} bytes")]
    OutOfMemory {
        /// How many bytes were asked for.
        bytes: usize,
    },
    /// A reduction without an identity over no elements.
    #[error("reduction over axis {axis} of size 0 in shape {shape:?} has no identity")]
    EmptyReduction {
        /// The empty axis.
        axis: usize,
        /// The shape reduced.
        shape: Vec<usize>,
    },
    /// An argument outside its range.
    #[error("{name} is {found}, wanted {wanted}")]
    Argument {
        /// The argument's name.
        name: &'static str,
        /// What was given.
        found: String,
        /// What is taken.
        wanted: String,
    },
    /// An einsum equation that cannot be read or does not fit its operands.
    #[error("equation \"{equation}\": {reason} (at character {position})")]
    Equation {
        /// The equation.
        equation: String,
        /// Where in it, counted in characters from 0.
        position: usize,
        /// What is wrong there.
        reason: String,
    },
    /// Variables of two tapes in one operation.
    #[error("variables of different tapes meet")]
    MixedTapes,
    /// A sweep from something that is not one number, without a seed.
    #[error("the output has shape {shape:?}: only one number can be swept from without a seed")]
    NotScalar {
        /// The output's shape.
        shape: Vec<usize>,
    },
    /// A gradient asked for that does not exist.
    #[error("no gradient: {reason}")]
    NoGradient {
        /// Why there is none.
        reason: &'static str,
    },
    /// A key or gradient from before the tape was cleared, or from another tape.
    #[error("the key belongs to another tape, or to this one before it was cleared")]
    StaleKey,
    /// An operation that lacks the rule a sweep needs.
    #[error("the operation has no rule for {mode}")]
    NoRule {
        /// What was asked: `"reverse mode"`, `"forward mode"`, …
        mode: &'static str,
    },
    /// A second derivative, or a forward one, of an operation whose backward closure works on plain tensors.
    #[error(
        "the backward closure works on plain tensors, so it can be differentiated once only: \
         write it in variables, by `Tape::record`, for more"
    )]
    OnceDifferentiable,
    /// A sweep, started by an operation's own rule, through that operation.
    #[error("a sweep inside the operation's own rule cannot pass through the operation")]
    Reentrant,
    /// An iteration that did not reach its tolerance.
    #[error("no convergence: residual {residual:.3e} above {tolerance:.3e} after {iterations} iterations")]
    NotConverged {
        /// The residual reached, relative to the right-hand side.
        residual: f64,
        /// The one wanted.
        tolerance: f64,
        /// The iterations done.
        iterations: usize,
    },
    /// A sparse Jacobian with entries where the pattern has none.
    #[error("the Jacobian has entries outside the pattern, in {axis} {index}")]
    NotInPattern {
        /// `"row"` or `"column"`.
        axis: &'static str,
        /// Which, from 0.
        index: usize,
    },
    /// A linear system without a unique solution.
    #[error("the matrix{} is singular: pivot {pivot} of {size} is 0", entry(batch))]
    Singular {
        /// Which matrix of a batch; empty for one.
        batch: Vec<usize>,
        /// The number of rows.
        size: usize,
        /// The column in which no pivot was found, from 0.
        pivot: usize,
    },
    /// A matrix that has no Cholesky factor.
    #[error(
        "the matrix{} is not positive definite: its leading minor of order {minor} is not positive",
        entry(batch)
    )]
    NotPositiveDefinite {
        /// Which matrix of a batch; empty for one.
        batch: Vec<usize>,
        /// The number of rows.
        size: usize,
        /// The order of the first leading minor that is not positive.
        minor: usize,
    },
    /// A matrix to be decomposed that holds NaN or infinity.
    #[error("the matrix{} has elements that are not finite", entry(batch))]
    NotFinite {
        /// Which matrix of a batch; empty for one.
        batch: Vec<usize>,
    },
    /// A matrix that must be square.
    #[error("shape {found:?} is not that of square matrices")]
    NotSquare {
        /// The shape found.
        found: Vec<usize>,
    },
    /// A backward closure that gave the wrong number of cotangents.
    #[error("the backward closure gave {found} cotangents for {wanted} inputs")]
    CotangentCount {
        /// How many it gave.
        found: usize,
        /// How many inputs the operation has.
        wanted: usize,
    },
    /// A derivative that disagrees with finite differences, or with itself by another way.
    #[error(
        "{check} of input {input}, element {index:?}: analytic {analytic:.10e}, numeric {numeric:.10e}, \
         error {error:.2e} above the tolerance {tolerance:.2e}"
    )]
    GradientMismatch {
        /// Which check found it: `"vjp"`, `"order 2"`, …
        check: &'static str,
        /// Which input.
        input: usize,
        /// Which of its elements; empty for a projection along a random direction.
        index: Vec<usize>,
        /// The derivative the tape gave.
        analytic: f64,
        /// The derivative from differences.
        numeric: f64,
        /// Their distance.
        error: f64,
        /// The distance allowed.
        tolerance: f64,
    },
    /// A derivative that cannot be checked because the point sits on a kink.
    #[error(
        "{check} of input {input}, element {index:?}: a kink with slopes {left:.6} and {right:.6}, \
         analytic {analytic:.6} ({} subgradient)", if *subgradient { "a" } else { "no" }
    )]
    Kink {
        /// Which check met it.
        check: &'static str,
        /// Which input.
        input: usize,
        /// Which of its elements; empty for a projection along a random direction.
        index: Vec<usize>,
        /// The slope below the point.
        left: f64,
        /// The slope above it.
        right: f64,
        /// The derivative the tape gave.
        analytic: f64,
        /// Whether it lies between the two slopes.
        subgradient: bool,
    },
    /// A derivative that cannot be checked because the point sits on a discontinuity.
    #[error(
        "{check} of input {input}, element {index:?}: a step from {below:.6} to {above:.6}, analytic {analytic:.6}"
    )]
    Step {
        /// Which check met it.
        check: &'static str,
        /// Which input.
        input: usize,
        /// Which of its elements; empty for a projection along a random direction.
        index: Vec<usize>,
        /// The value just below the point.
        below: f64,
        /// The value just above it.
        above: f64,
        /// The derivative the tape gave.
        analytic: f64,
    },
    /// A derivative that cannot be checked because the function is not finite around the point.
    #[error(
        "{check} of input {input}, element {index:?}: no finite values to take differences of, analytic {analytic:.6}"
    )]
    NoDifferences {
        /// Which check met it.
        check: &'static str,
        /// Which input.
        input: usize,
        /// Which of its elements; empty for a projection along a random direction.
        index: Vec<usize>,
        /// The derivative the tape gave.
        analytic: f64,
    },
    /// A function that gives other bits when it runs again on the same inputs.
    #[error("two runs differ in the {what}, element {index:?}: {first:e} and {second:e}")]
    NonDeterministic {
        /// What differs: `"value"`, `"gradient of input 1"`.
        what: String,
        /// Which of its elements.
        index: Vec<usize>,
        /// What the first run gave there.
        first: f64,
        /// What the second run gave.
        second: f64,
    },
}

/// Names a matrix of a batch.
fn entry(batch: &[usize]) -> String {
    if batch.is_empty() { String::new() } else { format!(" {batch:?} of the batch") }
}

fn inner(right: &[usize]) -> usize {
    match right {
        [] => 1,
        [n] => *n,
        [.., n, _] => *n,
    }
}

impl Error {
    /// What went wrong, to be matched on.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The operation that failed, where one did.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The line of the caller's source that asked for it, where it is known.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.0.location
    }

    /// Names the operation and the line, unless an inner operation did already.
    pub(crate) fn at(mut self, operation: &'static str, location: &'static Location<'static>) -> Error {
        let report = Arc::make_mut(&mut self.0);
        report.operation.get_or_insert(operation);
        report.location.get_or_insert(location);
        self
    }

    /// Says what the operation acted on, in the user's own names, unless that was said or the operation is another.
    pub(crate) fn of(mut self, labels: &str) -> Error {
        let report = Arc::make_mut(&mut self.0);
        if report.operation.is_none() {
            report.of.get_or_insert_with(|| labels.into());
        }
        self
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Error {
        Error(Arc::new(Report { kind, operation: None, of: None, location: None }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.operation, &self.0.of) {
            (Some(operation), Some(of)) => write!(f, "{operation} of {of}: ")?,
            (Some(operation), None) => write!(f, "{operation}: ")?,
            (None, _) => {}
        }
        write!(f, "{}", self.0.kind)?;
        if let Some(location) = self.0.location {
            write!(f, ", at {location}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {}

/// Refuses an argument.
pub(crate) fn argument<R>(name: &'static str, found: impl ToString, wanted: impl ToString) -> Result<R> {
    Err(ErrorKind::Argument { name, found: found.to_string(), wanted: wanted.to_string() }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }

    #[test]
    fn the_innermost_operation_and_the_first_line_stay() {
        let here = Location::caller();
        let error = Error::from(ErrorKind::MixedTapes).at("inner", here).at("outer", here);
        assert_eq!(error.operation(), Some("inner"));
        assert_eq!(error.to_string(), format!("inner: variables of different tapes meet, at {here}"));
    }
}
