//! Sums and means over any axes.

use super::reduction::kept_shape;
use crate::error::Result;
use crate::kernels::reduce;
use crate::number::Real;
use crate::shape::Axes;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::{self, Tensor};

/// The sum over `axes`.
struct Sum {
    axes: Axes,
    keepdim: bool,
}

impl<T: Real> Operation<T> for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        let axes = self.axes.resolve(x[0].shape())?;
        tensor::reduce(x[0], &axes, self.keepdim, reduce::sum, reduce::sum).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).with_axes_back(&self.axes, at.x(0)).expand_like(at.x(0)))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.tape().apply(Sum { axes: self.axes.clone(), keepdim: self.keepdim }, &[dx]))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let run = || {
            let shape = at.x(0).shape();
            g.reshape(kept_shape(&self.axes, shape)?)?.expand(shape)
        };
        at.one(run())
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The sum of all elements; 0 of none.
    ///
    /// Summed in chunks of fixed size along a fixed tree: accurate, and the same bits for any number of threads.
    ///
    /// # Gradient
    ///
    /// 1 to each element.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.sum().item()?, 10.0);
    /// assert_eq!(x.sum_axes(0).value()?.to_vec(), [4.0, 6.0]);
    /// assert_eq!(x.sum_keepdim(-1).value()?.shape(), [2, 1]);
    /// assert_eq!(x.sum().backward()?.wrt(x)?.to_vec(), [1.0; 4]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn sum(self) -> Var<'t, T> {
        self.tape().apply(Sum { axes: Axes::ALL, keepdim: false }, &[self])
    }

    /// The sum over some axes, which the result does not have. See [`sum`](Var::sum).
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice).
    #[track_caller]
    pub fn sum_axes(self, axes: impl Into<Axes>) -> Var<'t, T> {
        self.tape().apply(Sum { axes: axes.into(), keepdim: false }, &[self])
    }

    /// The sum over some axes, which the result has with length 1. See [`sum`](Var::sum).
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice).
    #[track_caller]
    pub fn sum_keepdim(self, axes: impl Into<Axes>) -> Var<'t, T> {
        self.tape().apply(Sum { axes: axes.into(), keepdim: true }, &[self])
    }

    /// The mean of all elements; NaN of none.
    ///
    /// # Gradient
    ///
    /// 1/n to each element.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 6.0, 7.0]));
    /// assert_eq!(x.mean().item()?, 4.0);
    /// assert_eq!(x.mean().backward()?.wrt(x)?.to_vec(), [0.25; 4]);
    /// assert!(f64::is_nan(tape.var(&Tensor::zeros([0])?).mean().item()?));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn mean(self) -> Var<'t, T> {
        self.mean_by(Axes::ALL, false)
    }

    /// The mean over some axes, which the result does not have. See [`mean`](Var::mean).
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice).
    #[track_caller]
    pub fn mean_axes(self, axes: impl Into<Axes>) -> Var<'t, T> {
        self.mean_by(axes.into(), false)
    }

    /// The mean over some axes, which the result has with length 1. See [`mean`](Var::mean).
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis), [`AxisTwice`](crate::ErrorKind::AxisTwice).
    #[track_caller]
    pub fn mean_keepdim(self, axes: impl Into<Axes>) -> Var<'t, T> {
        self.mean_by(axes.into(), true)
    }

    #[track_caller]
    fn mean_by(self, axes: Axes, keepdim: bool) -> Var<'t, T> {
        self.tape().composed("mean", || {
            let shape = self.try_shape()?;
            let count: usize = axes.resolve(&shape)?.iter().map(|&axis| shape[axis]).product();
            Ok(self.tape().apply(Sum { axes, keepdim }, &[self]) / count as f64)
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, unary, wrong};
    vec![
        sample!("sum", unary(-2.0, 2.0), |x| x[0].sum()),
        sample!("sum over first", rank3(-2.0, 2.0), |x| x[0].sum_axes(0)),
        sample!("sum over middle", rank3(-2.0, 2.0), |x| x[0].sum_axes(1)),
        sample!("sum over last", rank3(-2.0, 2.0), |x| x[0].sum_keepdim(-1)),
        sample!("sum over outer two", rank3(-2.0, 2.0), |x| x[0].sum_axes([0, -1])),
        sample!("sum over none", rank3(-2.0, 2.0), |x| x[0].sum_axes([0isize; 0])),
        sample!("mean", unary(-2.0, 2.0).not_empty(), |x| x[0].mean()),
        sample!("mean over last", rank3(-2.0, 2.0), |x| x[0].mean_axes(-1)),
        sample!("mean over two", rank3(-2.0, 2.0), |x| x[0].mean_keepdim([0, 1])),
        wrong!("sum", &[&[2, 3]], |x| x[0].sum_axes(2), "axis 2 is out of range for shape [2, 3]"),
        wrong!("sum", &[&[2, 3]], |x| x[0].sum_axes([1, -1]), "axis 1 is given twice"),
        wrong!("mean", &[&[2, 3]], |x| x[0].mean_axes(-3), "axis -3 is out of range for shape [2, 3]"),
    ]
}
