//! Two statistics of one call.

use crate::number::Real;
use crate::shape::Axes;
use crate::tape::Var;

impl<'t, T: Real> Var<'t, T> {
    /// The smallest and the largest element over some axes, or over [all](Axes::ALL), which the results do not have.
    /// See [`min`](Var::min) and [`max`](Var::max).
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice);
    /// [`EmptyReduction`](crate::ErrorKind::EmptyReduction) over an axis of length 0.
    ///
    /// ```
    /// use retrograde::{Axes, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[3.0, 1.0], [2.0, 5.0]]));
    /// let (low, high) = x.aminmax(Axes::ALL);
    /// assert_eq!((low.item()?, high.item()?), (1.0, 5.0));
    /// assert_eq!(x.aminmax(0).1.value()?.to_vec(), [3.0, 5.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn aminmax(self, axes: impl Into<Axes>) -> (Var<'t, T>, Var<'t, T>) {
        let axes = axes.into();
        (self.min_axes(axes.clone()), self.max_axes(axes))
    }

    /// As [`aminmax`](Var::aminmax); the results have the axes with length 1.
    ///
    /// # Errors
    ///
    /// As [`aminmax`](Var::aminmax).
    #[track_caller]
    pub fn aminmax_keepdim(self, axes: impl Into<Axes>) -> (Var<'t, T>, Var<'t, T>) {
        let axes = axes.into();
        (self.min_keepdim(axes.clone()), self.max_keepdim(axes))
    }

    /// The variance and the mean over some axes, or over [all](Axes::ALL), which the results do not have. See
    /// [`var`](Var::var) for the correction.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice).
    ///
    /// ```
    /// use retrograde::{Axes, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 3.0, 5.0]));
    /// let (variance, mean) = x.var_mean(Axes::ALL, 1.0);
    /// assert_eq!((variance.item()?, mean.item()?), (4.0, 3.0));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn var_mean(self, axes: impl Into<Axes>, correction: f64) -> (Var<'t, T>, Var<'t, T>) {
        let axes = axes.into();
        (self.var_axes(axes.clone(), correction), self.mean_axes(axes))
    }

    /// As [`var_mean`](Var::var_mean); the results have the axes with length 1.
    ///
    /// # Errors
    ///
    /// As [`var_mean`](Var::var_mean).
    #[track_caller]
    pub fn var_mean_keepdim(self, axes: impl Into<Axes>, correction: f64) -> (Var<'t, T>, Var<'t, T>) {
        let axes = axes.into();
        (self.var_keepdim(axes.clone(), correction), self.mean_keepdim(axes))
    }

    /// The standard deviation and the mean over some axes, or over [all](Axes::ALL), which the results do not have.
    /// See [`var`](Var::var) for the correction.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 3.0, 5.0]));
    /// let (deviation, mean) = x.std_mean(0, 1.0);
    /// assert_eq!((deviation.item()?, mean.item()?), (2.0, 3.0));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn std_mean(self, axes: impl Into<Axes>, correction: f64) -> (Var<'t, T>, Var<'t, T>) {
        let axes = axes.into();
        (self.std_axes(axes.clone(), correction), self.mean_axes(axes))
    }

    /// As [`std_mean`](Var::std_mean); the results have the axes with length 1.
    ///
    /// # Errors
    ///
    /// As [`std_mean`](Var::std_mean).
    #[track_caller]
    pub fn std_mean_keepdim(self, axes: impl Into<Axes>, correction: f64) -> (Var<'t, T>, Var<'t, T>) {
        let axes = axes.into();
        (self.std_keepdim(axes.clone(), correction), self.mean_keepdim(axes))
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, wrong};
    let three = || rank3(-3.0, 3.0).distinct();
    let several = || shapes(&[&[&[2, 3, 4]], &[&[5, 2, 2]]], -3.0, 3.0).distinct();
    // The parts multiplied, with factors that tell them apart.
    vec![
        sample!("aminmax", three(), |x| {
            let (low, high) = x[0].aminmax([0, 1]);
            low * (high * 2.0 + 1.0)
        }),
        sample!("aminmax kept", three(), |x| {
            let (low, high) = x[0].aminmax_keepdim(1);
            low * (high * 2.0 + 1.0) * x[0]
        }),
        sample!("var_mean", several(), |x| {
            let (variance, mean) = x[0].var_mean(Axes::ALL, 1.0);
            variance * (mean * 2.0 + 1.0)
        }),
        sample!("var_mean kept", several(), |x| {
            let (variance, mean) = x[0].var_mean_keepdim(0, 0.5);
            variance * (mean * 2.0 + 1.0) * x[0]
        }),
        sample!("std_mean", several(), |x| {
            let (deviation, mean) = x[0].std_mean([0, 2], 0.0);
            deviation * (mean * 2.0 + 1.0)
        }),
        sample!("std_mean kept", several(), |x| {
            let (deviation, mean) = x[0].std_mean_keepdim(-1, 1.0);
            deviation * (mean * 2.0 + 1.0) * x[0]
        }),
        wrong!("min", &[&[2, 3]], |x| x[0].aminmax(2).0, "axis 2 is out of range for shape [2, 3]"),
        wrong!("mean", &[&[2, 3]], |x| x[0].std_mean(2, 1.0).1, "axis 2 is out of range for shape [2, 3]"),
    ]
}
