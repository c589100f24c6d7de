//! Settings that were checked and completed.

use super::Gradcheck;
use super::precision::Precision;
use super::report::Check;
use crate::error::{ErrorKind, Result};
use crate::number::Real;

/// A [`Gradcheck`] for an element type.
pub(super) struct Settings {
    given: Gradcheck,
    pub(super) step: f64,
    pub(super) precision: &'static Precision,
}

impl Settings {
    /// # Errors
    ///
    /// [`ErrorKind::Argument`] for what makes no sense.
    pub(super) fn new<T: Real>(given: Gradcheck) -> Result<Settings> {
        let precision = Precision::of::<T>();
        let refuse = |name: &'static str, found: String, wanted: String| -> Result<()> {
            Err(ErrorKind::Argument { name, found, wanted }.into())
        };
        if !(1..=3).contains(&given.order) {
            refuse("order", given.order.to_string(), "1, 2 or 3".into())?;
        }
        if given.projections == 0 {
            refuse("projections", "0".into(), "at least 1".into())?;
        }
        let step = given.step.unwrap_or(precision.step);
        if !(step >= precision.epsilon && step <= 1.0) {
            refuse(
                "step",
                step.to_string(),
                format!("a positive number from {:.1e} to 1", precision.epsilon),
            )?;
        }
        for (name, value) in [("absolute", given.absolute), ("relative", given.relative)] {
            if let Some(value) = value.filter(|value| !(*value >= 0.0 && value.is_finite())) {
                refuse(name, value.to_string(), "a finite number, 0 or positive".into())?;
            }
        }
        Ok(Settings { given, step: Precision::round_step(step), precision })
    }

    /// The tolerance of the order that a check is of.
    pub(super) fn tolerance(&self, check: Check) -> f64 {
        let order = match check {
            Check::Order3 => 3,
            Check::Order2 => 2,
            _ => 1,
        };
        self.precision.tolerance[order - 1]
    }

    /// The absolute tolerance if it was set, and the relative one.
    pub(super) fn tolerances(&self, check: Check) -> (Option<f64>, f64) {
        (self.given.absolute, self.given.relative.unwrap_or_else(|| self.tolerance(check)))
    }
}

impl std::ops::Deref for Settings {
    type Target = Gradcheck;
    fn deref(&self) -> &Gradcheck {
        &self.given
    }
}
