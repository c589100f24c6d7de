//! Derivatives against finite differences and against each other.
//!
//! `program.rs` evaluates the function and its derivatives, `line.rs` takes differences, `examine.rs` looks again where
//! they leave doubt, `compare.rs` gives the verdict, `checks.rs` says what is compared with what, `locate.rs` finds the element at fault.

mod checks;
mod compare;
mod examine;
mod line;
mod locate;
mod precision;
mod program;
mod report;
mod settings;

#[cfg(test)]
pub(crate) use line::five_points;
pub use report::{Check, Report, Row, Verdict};

use crate::error::{Error, ErrorKind, Result};
use crate::number::Real;
use crate::tape::Var;
use crate::tensor::Tensor;
use checks::Checks;
use program::Program;
use settings::Settings;
use std::panic::Location;

/// Which modes a [`Gradcheck`] looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Modes {
    /// Reverse and forward mode, and each against the other. An operation without a forward rule fails.
    #[default]
    Both,
    /// Reverse mode alone.
    Reverse,
}

/// How derivatives are checked. The defaults suit functions of inputs around 1.
///
/// At order 1: the Jacobian by the reverse sweep ([`Check::Vjp`]) and by forward mode ([`Check::Jvp`]), each against
/// differences; forward against reverse mode ([`Check::DotProduct`]); the recorded against the unrecorded sweep
/// ([`Check::Recorded`]); two runs against each other ([`Check::Determinism`]). A higher [`order`](Gradcheck::order)
/// adds the second and third derivatives along random directions.
///
/// Differences are 5-point central ones, `(f(x−2h) − 8f(x−h) + 8f(x+h) − f(x+2h))/12h`, whose error is of order h⁴. A
/// derivative passes if |a − n| ≤ max(absolute, relative · size) + noise. The size is that of the largest derivative of
/// the same input that both sides agree upon; the noise is what rounding of the values may make of the
/// difference, at least 3 ε |f| / h. Where that fails, or where one-sided slopes disagree with each other, the
/// differences are taken again at ever smaller steps, with noise that is measured, and the verdict is
/// [`Wrong`](Verdict::Wrong) only if the function turns out to be smooth there; see [`Verdict`].
///
/// # Accuracy
///
/// | order | tolerance in `f64` | in `f32` |
/// | --- | --- | --- |
/// | 1 | 10⁻⁹ | 5 · 10⁻⁵ |
/// | 2 | 10⁻⁷ | 5 · 10⁻⁴ |
/// | 3 | 10⁻⁵ | 5 · 10⁻³ |
///
/// These are the relative tolerances. The absolute ones are the same, times the size of the function where that is below
/// one. Between forward and reverse mode, and between the sweeps, the tolerance is 10⁻¹² (in `f32` 10⁻⁵) of what
/// the two are made of.
///
/// Differences see features of the function down to about 10⁻⁸ of an input's unit in `f64`, 10⁻³ in `f32`: a kink that
/// is nearer is told as one at the point, and waves shorter than that cannot be checked.
///
/// ```
/// use retrograde::{Gradcheck, Tensor};
///
/// let x = Tensor::from([0.5, -1.0, 2.0]);
/// let third = Gradcheck { order: 3, ..Gradcheck::default() };
/// let report = third.run(|x| (x[0] * x[0].sin()).sum(), &[x])?;
/// assert!(report.passed());
/// println!("{report}");
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gradcheck {
    /// The highest order of derivatives: 1 unless set, at most 3.
    pub order: usize,
    /// Which modes: both unless set.
    pub modes: Modes,
    /// The largest step of the differences at an element x, in units of the power of two below max(1, |x|): 7 · 10⁻⁴
    /// in `f64`, 0.023 in `f32`, unless set. It is rounded to three times a power of two, so that moved inputs are exact.
    pub step: Option<f64>,
    /// The error allowed whatever the size of the derivative.
    pub absolute: Option<f64>,
    /// The error allowed in units of the largest derivative of the same input.
    pub relative: Option<f64>,
    /// The most entries of a Jacobian that are compared one by one; larger ones are projected. 4 096 unless set.
    pub entries: usize,
    /// Along how many random directions a larger one is compared, and higher derivatives are: 8 unless set.
    pub projections: usize,
    /// The seed of the random directions.
    pub seed: u64,
}

impl Default for Gradcheck {
    fn default() -> Gradcheck {
        Gradcheck {
            order: 1,
            modes: Modes::Both,
            step: None,
            absolute: None,
            relative: None,
            entries: 4096,
            projections: 8,
            seed: 0,
        }
    }
}

/// Checks the first derivatives of `f` at `inputs`, in both modes, with the default settings of [`Gradcheck`], and
/// fails where something is wrong.
///
/// `f` maps variables to a variable of any shape. The evaluations run in parallel.
///
/// # Errors
///
/// As [`Report::into_result`] and [`Gradcheck::run`].
///
/// ```
/// use retrograde::{ErrorKind, Tensor, gradcheck};
///
/// let x = Tensor::from([0.5, -1.0, 2.0]);
/// println!("{}", gradcheck(|x| x[0].tanh(), &[x.clone()])?);
///
/// // A value that is detached is missing from the gradient, and that is found.
/// let error = gradcheck(|x| x[0] * x[0].detach(), &[x]).unwrap_err();
/// assert!(matches!(error.kind(), ErrorKind::GradientMismatch { check: "vjp", input: 0, .. }));
///
/// // At a kink there is nothing to compare with, and the error says so.
/// let error = gradcheck(|x| x[0].abs(), &[Tensor::from([1.0, 0.0])]).unwrap_err();
/// let text = "gradcheck: vjp of input 0, element [1]: a kink with slopes -1.000000 and 1.000000, \
///             analytic 0.000000 (a subgradient), at ";
/// assert!(error.to_string().starts_with(text), "{error}");
/// # Ok::<(), retrograde::Error>(())
/// ```
#[track_caller]
pub fn gradcheck<F>(f: F, inputs: &[Tensor<f64>]) -> Result<Report>
where
    F: for<'t> Fn(&[Var<'t, f64>]) -> Var<'t, f64> + Sync,
{
    Gradcheck::default().run(f, inputs)?.into_result()
}

impl Gradcheck {
    /// Compares, and reports what was found, right or wrong.
    ///
    /// Inputs may have any shape, also without elements, and any layout. Where the value of `f` is not finite there
    /// are no differences: such an entry gives [`Verdict::NotFinite`], unless derivative and differences are NaN alike,
    /// or the value is the same infinity all around and its derivative is 0, as behind a mask; random weights
    /// leave such values out. At the edge of a domain one-sided slopes stand in.
    ///
    /// If two runs differ, the report says only that. If an operation lacks its forward rule, the rows of forward mode
    /// say that, and the dot product is left out.
    ///
    /// # Errors
    ///
    /// Whatever error `f` gives, with its line; [`ErrorKind::Argument`] for a step that is not from ε to 1, an
    /// order other than 1, 2 and 3, no projections, a tolerance that is negative or not finite, no inputs;
    /// [`ErrorKind::Shape`] if the shape of the value depends on the inputs' values.
    ///
    /// ```
    /// use retrograde::{Gradcheck, Tensor};
    ///
    /// let x = Tensor::from([0.5_f32, -1.0, 2.0]);
    /// assert!(Gradcheck::default().run(|x| x[0].exp(), &[x])?.passed());
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn run<T: Real>(
        &self,
        f: impl for<'t> Fn(&[Var<'t, T>]) -> Var<'t, T> + Sync,
        inputs: &[Tensor<T>],
    ) -> Result<Report> {
        let line = Location::caller();
        let settings = Settings::new::<T>(*self).and_then(|settings| {
            let none = || ErrorKind::Argument {
                name: "inputs",
                found: "empty".into(),
                wanted: "at least one".into(),
            };
            if inputs.is_empty() { Err(Error::from(none())) } else { Ok(settings) }
        });
        let settings = settings.map_err(|error| error.at("gradcheck", line))?;
        Checks::new(Program { f: &f, inputs }, &settings)
            .and_then(|checks| checks.run())
            .map_err(|error| error.at("gradcheck", line))
    }
}
