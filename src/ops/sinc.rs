//! The cardinal sine.

use super::scalar::{ScalarFunction, scalar_function};
use crate::error::Result;
use crate::number::{Real, special};
use crate::tape::Var;

/// The derivative of this order of sin πx/(πx).
#[derive(Clone, Copy)]
struct Sinc(u32);

/// The derivative of this order of sin x/x.
#[derive(Clone, Copy)]
struct SphericalJ0(u32);

impl ScalarFunction<1> for Sinc {
    const NAME: &'static str = "sinc";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::cardinal_sine(self.0, x, true)
    }
    fn slope<'t, T: Real>(self, _: usize, x: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(scalar_function(Sinc(self.0.saturating_add(1)), x)))
    }
}

impl ScalarFunction<1> for SphericalJ0 {
    const NAME: &'static str = "spherical_bessel_j0";
    fn value<T: Real>(self, [x]: [f64; 1]) -> f64 {
        special::cardinal_sine(self.0, x, false)
    }
    fn slope<'t, T: Real>(self, _: usize, x: [Var<'t, T>; 1], _: Var<'t, T>) -> Result<Option<Var<'t, T>>> {
        Ok(Some(scalar_function(SphericalJ0(self.0.saturating_add(1)), x)))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The normalised cardinal sine `sin πx/(πx)`, element by element; 1 at 0, and 0 at all other whole numbers.
    ///
    /// # Gradient
    ///
    /// Smooth everywhere, at every order: near 0 by the series.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 0.5, 3.0]));
    /// let y = x.sinc();
    /// assert_eq!(y.value()?.to_vec(), [1.0, std::f64::consts::FRAC_2_PI, 0.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?[[0]], 0.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn sinc(self) -> Var<'t, T> {
        scalar_function(Sinc(0), [self])
    }

    /// The spherical Bessel function of order 0, `sin x/x`, element by element; 1 at 0.
    ///
    /// # Gradient
    ///
    /// Smooth everywhere, at every order: near 0 by the series.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 1.0]));
    /// assert_eq!(x.spherical_bessel_j0().value()?.to_vec(), [1.0, 1f64.sin()]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "sinc_unnormalised")]
    #[track_caller]
    pub fn spherical_bessel_j0(self) -> Var<'t, T> {
        scalar_function(SphericalJ0(0), [self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary};
    vec![
        sample!("sinc", unary(-0.9, 0.9), |x| x[0].sinc()),
        sample!("sinc near 0", unary(-1e-3, 1e-3), |x| x[0].sinc()),
        sample!("sinc further out", unary(0.9, 2.0), |x| x[0].sinc()),
        sample!("spherical_bessel_j0", unary(-3.0, 5.0), |x| x[0].spherical_bessel_j0()),
    ]
}
