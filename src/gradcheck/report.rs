//! What a gradient check found, as data, as a table and as an error.

use crate::error::{Error, ErrorKind, Result};
use std::fmt;
use std::panic::Location;

/// What was compared with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Check {
    /// The Jacobian by the reverse sweep against differences of the value.
    Vjp,
    /// The Jacobian by forward mode against differences of the value.
    Jvp,
    /// Forward mode against reverse mode: ⟨w, J v⟩ = ⟨Jᵀw, v⟩.
    DotProduct,
    /// The recorded sweep against the one that is not, which may use fused rules.
    Recorded,
    /// The second derivative against differences of the gradient.
    Order2,
    /// The third derivative against differences of the second.
    Order3,
    /// Two runs against each other, bit by bit.
    Determinism,
}

impl Check {
    /// The name in tables and messages.
    pub fn name(self) -> &'static str {
        match self {
            Check::Vjp => "vjp",
            Check::Jvp => "jvp",
            Check::DotProduct => "dot product",
            Check::Recorded => "recorded",
            Check::Order2 => "order 2",
            Check::Order3 => "order 3",
            Check::Determinism => "determinism",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a row of a [`Report`] comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// All agree.
    Ok,
    /// All agree, some only at smaller steps than were tried first: a kink or a step lies beside the point, within
    /// this distance along the direction of the difference. Passes.
    NearKink {
        /// The distance within which it lies.
        distance: f64,
    },
    /// The derivatives differ where the function is smooth.
    Wrong,
    /// The point sits on a kink, or nearer to one than rounding lets differences see: the one-sided slopes settle
    /// at two values as the step shrinks, so there is no derivative to compare with.
    Kink {
        /// The slope below the point.
        left: f64,
        /// The slope above it.
        right: f64,
        /// Whether the analytic value lies between the two, and so is a subgradient (of −f, if f is concave there).
        subgradient: bool,
    },
    /// The point sits on a discontinuity.
    Step {
        /// The value just below the point.
        below: f64,
        /// The value just above it.
        above: f64,
    },
    /// The function is not finite at the point, or not around it, so that there are no differences to compare with.
    NotFinite,
    /// Two runs on the same inputs differ.
    NonDeterministic,
    /// An operation lacks the rule that is needed.
    NoRule {
        /// Which kind of rule: `"forward mode"` or `"reverse mode"`.
        mode: &'static str,
        /// The operation.
        operation: &'static str,
        /// The line of the caller's source that recorded it.
        line: &'static Location<'static>,
    },
}

impl Verdict {
    /// Whether nothing is wrong: [`Ok`](Verdict::Ok) and [`NearKink`](Verdict::NearKink).
    pub fn passed(self) -> bool {
        matches!(self, Verdict::Ok | Verdict::NearKink { .. })
    }

    /// What must be mended first has the highest.
    pub(super) fn severity(self) -> u8 {
        match self {
            Verdict::Ok => 0,
            Verdict::NearKink { .. } => 1,
            Verdict::NotFinite => 2,
            Verdict::Kink { .. } => 3,
            Verdict::Step { .. } => 4,
            Verdict::NoRule { .. } => 5,
            Verdict::Wrong => 6,
            Verdict::NonDeterministic => 7,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Ok => f.write_str("ok"),
            Verdict::NearKink { distance } => write!(f, "ok (a kink or step within {distance:.1e})"),
            Verdict::Wrong => f.write_str("WRONG"),
            Verdict::Kink { left, right, subgradient } => {
                let what = if *subgradient { "a subgradient" } else { "no subgradient" };
                write!(f, "KINK (slopes {left:.6} and {right:.6}: {what})")
            }
            Verdict::Step { below, above } => write!(f, "STEP (values {below:.6} and {above:.6})"),
            Verdict::NotFinite => f.write_str("NOT FINITE"),
            Verdict::NonDeterministic => f.write_str("NOT DETERMINISTIC"),
            Verdict::NoRule { mode, operation, line } => {
                write!(f, "NO RULE ({mode} of {operation}, {line})")
            }
        }
    }
}

/// What a gradient check found: a row for each check and input. Prints as a table.
///
/// The rows stand in the order of [`Check`]'s variants, the inputs in order within each.
///
/// ```
/// use retrograde::{Check, Gradcheck, Tensor, Verdict};
///
/// let x = Tensor::from([-1.0, 0.0, 2.0]);
/// let report = Gradcheck::default().run(|x| x[0].relu(), &[x])?;
/// let row = report.of(Check::Vjp).next().unwrap();
/// assert_eq!(row.index, Some(vec![1]));
/// assert_eq!(row.verdict, Verdict::Kink { left: 0.0, right: 1.0, subgradient: true });
/// assert!(report.to_string().contains("KINK (slopes 0.000000 and 1.000000: a subgradient)"));
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The rows.
    pub rows: Vec<Row>,
}

/// One check of one input, with the element where it went worst: by the verdict first, then by the error in units of
/// the tolerance.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// What was compared.
    pub check: Check,
    /// Of which input; none for the value's determinism.
    pub input: Option<usize>,
    /// The shape of the input, or of the value.
    pub shape: Vec<usize>,
    /// How many numbers were compared.
    pub compared: usize,
    /// The element of the input; none where a random direction was taken.
    pub index: Option<Vec<usize>>,
    /// The element of the value; none where it was summed with random weights.
    pub output: Option<Vec<usize>>,
    /// The derivative by the tape there; by forward mode in a dot product; the first run's in determinism.
    pub analytic: f64,
    /// What it was compared with: the derivative by differences; by the reverse sweep in a dot product; by the
    /// recorded sweep; the second run's.
    pub numeric: f64,
    /// Their distance.
    pub error: f64,
    /// The distance allowed, the noise of the differences included.
    pub tolerance: f64,
    /// What it comes to.
    pub verdict: Verdict,
}

impl Row {
    pub(super) fn new(check: Check, input: Option<usize>, shape: &[usize], compared: usize) -> Row {
        Row {
            check,
            input,
            shape: shape.to_vec(),
            compared,
            index: None,
            output: None,
            analytic: 0.0,
            numeric: 0.0,
            error: 0.0,
            tolerance: 0.0,
            verdict: Verdict::Ok,
        }
    }

    /// Whether nothing is wrong.
    pub fn passed(&self) -> bool {
        self.verdict.passed()
    }

    /// What is wrong, as an error.
    fn error(&self) -> Option<Error> {
        let (check, input) = (self.check.name(), self.input.unwrap_or(0));
        let (index, analytic) = (self.index.clone().unwrap_or_default(), self.analytic);
        let kind = match self.verdict {
            Verdict::Ok | Verdict::NearKink { .. } => return None,
            Verdict::Wrong => ErrorKind::GradientMismatch {
                check,
                input,
                index,
                analytic,
                numeric: self.numeric,
                error: self.error,
                tolerance: self.tolerance,
            },
            Verdict::Kink { left, right, subgradient } => {
                ErrorKind::Kink { check, input, index, left, right, analytic, subgradient }
            }
            Verdict::Step { below, above } => ErrorKind::Step { check, input, index, below, above, analytic },
            Verdict::NotFinite => ErrorKind::NoDifferences { check, input, index, analytic },
            Verdict::NonDeterministic => ErrorKind::NonDeterministic {
                what: self.input.map_or_else(|| "value".into(), |input| format!("gradient of input {input}")),
                index: self.index.clone().or_else(|| self.output.clone()).unwrap_or_default(),
                first: analytic,
                second: self.numeric,
            },
            Verdict::NoRule { mode, operation, line } => {
                return Some(Error::from(ErrorKind::NoRule { mode }).at(operation, line));
            }
        };
        Some(kind.into())
    }
}

impl Report {
    /// Whether every row passed.
    pub fn passed(&self) -> bool {
        self.rows.iter().all(Row::passed)
    }

    /// The rows of one check.
    pub fn of(&self, check: Check) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.check == check)
    }

    /// The report if every row passed, else the gravest failure as an error, with the line of this call; of equally
    /// grave ones the first.
    ///
    /// # Errors
    ///
    /// Gravest first: [`ErrorKind::NonDeterministic`], [`ErrorKind::GradientMismatch`], [`ErrorKind::NoRule`] (with
    /// the operation's line), [`ErrorKind::Step`], [`ErrorKind::Kink`], [`ErrorKind::NoDifferences`].
    #[track_caller]
    pub fn into_result(self) -> Result<Report> {
        let gravest = self.rows.iter().map(|row| row.verdict.severity()).max().unwrap_or(0);
        let first = self.rows.iter().find(|row| row.verdict.severity() == gravest);
        match first.and_then(Row::error) {
            None => Ok(self),
            Some(error) => Err(error.at("gradcheck", Location::caller())),
        }
    }
}

/// The place that differs most, `input element → output element`; `~` for a random direction.
fn place(row: &Row) -> String {
    let or_random = |index: &Option<Vec<usize>>| match index {
        Some(index) => format!("{index:?}").replace(' ', ""),
        None => "~".into(),
    };
    match (row.check, row.input) {
        _ if row.compared == 0 => "-".into(),
        (Check::Vjp | Check::Jvp, _) => format!("{}→{}", or_random(&row.index), or_random(&row.output)),
        (_, Some(_)) => or_random(&row.index),
        (_, None) => or_random(&row.output),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<11} {:<5} {:<12} {:>8}  {:<12} {:>17} {:>17} {:>8} {:>8}  verdict",
            "check", "input", "shape", "compared", "worst at", "analytic", "numeric", "error", "allowed"
        )?;
        for row in &self.rows {
            let input = row.input.map_or_else(|| "value".into(), |input| input.to_string());
            writeln!(
                f,
                "{:<11} {input:<5} {:<12} {:>8}  {:<12} {:>17.10e} {:>17.10e} {:>8.1e} {:>8.1e}  {}",
                row.check,
                format!("{:?}", row.shape),
                row.compared,
                place(row),
                row.analytic,
                row.numeric,
                row.error,
                row.tolerance,
                row.verdict
            )?;
        }
        match self.rows.iter().filter(|row| !row.passed()).count() {
            0 => write!(f, "{} rows, all passed", self.rows.len()),
            failed => write!(f, "{} rows, {failed} failed", self.rows.len()),
        }
    }
}
