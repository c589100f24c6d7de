//! The frequency 0 moved to the middle of an axis, and back.

use super::Complex;
use crate::number::Real;
use crate::shape::Axes;
use crate::tape::Var;

/// Half an axis, rounded down, or up for the way back.
#[track_caller]
fn shifted<'t, T: Real>(x: Var<'t, T>, name: &'static str, axes: Axes, back: bool) -> Var<'t, T> {
    x.tape().composed(name, || {
        let shape = x.try_shape()?;
        let axes = axes.resolve(&shape)?;
        let by = |n: usize| if back { -((n / 2) as isize) } else { (n / 2) as isize };
        let shifts: Vec<isize> = axes.iter().map(|&axis| by(shape[axis])).collect();
        Ok(x.roll(shifts, axes.iter().map(|&axis| axis as isize).collect::<Vec<_>>()))
    })
}

impl<'t, T: Real> Var<'t, T> {
    /// Axes rolled by half their length, so that element 0, in a spectrum the frequency 0, comes to n/2.
    ///
    /// # Gradient
    ///
    /// The cotangent rolled back.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, fft::fftfreq};
    ///
    /// let tape = Tape::new();
    /// let f = tape.constant(&fftfreq::<f64>(5, 0.2)?);
    /// assert_eq!(f.fftshift(0).value()?.to_vec(), [-2.0, -1.0, 0.0, 1.0, 2.0]);
    /// assert_eq!(f.fftshift(0).ifftshift(0).value()?.to_vec(), [0.0, 1.0, 2.0, -2.0, -1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn fftshift(self, axes: impl Into<Axes>) -> Var<'t, T> {
        shifted(self, "fftshift", axes.into(), false)
    }

    /// The inverse of [`fftshift`](Var::fftshift), which differs from it for odd lengths.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn ifftshift(self, axes: impl Into<Axes>) -> Var<'t, T> {
        shifted(self, "ifftshift", axes.into(), true)
    }
}

impl<'t, T: Real> Complex<'t, T> {
    /// [`Var::fftshift`] of both parts.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn fftshift(self, axes: impl Into<Axes>) -> Complex<'t, T> {
        let axes = axes.into();
        Complex { re: self.re.fftshift(axes.clone()), im: self.im.fftshift(axes) }
    }

    /// [`Var::ifftshift`] of both parts.
    ///
    /// # Errors
    ///
    /// As there.
    #[track_caller]
    pub fn ifftshift(self, axes: impl Into<Axes>) -> Complex<'t, T> {
        let axes = axes.into();
        Complex { re: self.re.ifftshift(axes.clone()), im: self.im.ifftshift(axes) }
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use super::joined;
    use crate::conformance::{rank3, sample, shapes, unary, wrong};
    let pairs = || shapes(&[&[&[2, 3], &[2, 3]], &[&[5], &[5]], &[&[0, 2], &[0, 2]]], -1.0, 1.0);
    vec![
        sample!("fftshift", unary(-1.0, 1.0), |x| x[0].fftshift(Axes::ALL).square() * x[0]),
        sample!("fftshift of axes", rank3(-1.0, 1.0), |x| x[0].fftshift([-1, 0]).square() * x[0]),
        sample!("ifftshift", rank3(-1.0, 1.0), |x| x[0].ifftshift(1).square() * x[0]),
        sample!("complex fftshift", pairs(), |x| joined(Complex::new(x[0], x[1]).fftshift(0))),
        sample!("complex ifftshift", pairs(), |x| joined(Complex::new(x[0], x[1]).ifftshift(Axes::ALL))),
        wrong!("fftshift", &[&[2]], |x| x[0].fftshift(1), "axis 1 is out of range for shape [2]"),
        wrong!("ifftshift", &[&[2, 3]], |x| x[0].ifftshift([1, -1]), "axis 1 is given twice"),
    ]
}
