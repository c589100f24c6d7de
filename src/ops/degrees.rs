//! Degrees and radians; and the unary plus.

use crate::number::Real;
use crate::tape::Var;

impl<'t, T: Real> Var<'t, T> {
    /// Degrees to radians: `x π/180`, element by element.
    ///
    /// # Gradient
    ///
    /// `π/180`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(180.0));
    /// assert_eq!(x.deg2rad().item()?, std::f64::consts::PI);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "radians")]
    #[track_caller]
    pub fn deg2rad(self) -> Var<'t, T> {
        self * 1f64.to_radians()
    }

    /// Radians to degrees: `x 180/π`, element by element.
    ///
    /// # Gradient
    ///
    /// `180/π`.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(std::f64::consts::PI));
    /// assert_eq!(x.rad2deg().item()?, 180.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "degrees")]
    #[track_caller]
    pub fn rad2deg(self) -> Var<'t, T> {
        self * 1f64.to_degrees()
    }

    /// The variable itself: what a unary plus is.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(-2.0));
    /// assert_eq!(x.positive().item()?, -2.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    pub fn positive(self) -> Var<'t, T> {
        self
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary};
    vec![
        sample!("deg2rad", unary(-90.0, 90.0), |x| x[0].deg2rad().sin()),
        sample!("rad2deg", unary(-2.0, 2.0), |x| x[0].rad2deg()),
        sample!("positive", unary(-2.0, 2.0), |x| x[0].positive().square()),
    ]
}
