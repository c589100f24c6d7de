//! Axes of length 1 removed and put in.

use crate::error::Result;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;

/// An axis of length 1 removed.
#[derive(Clone, Copy)]
struct Squeeze(isize);

impl<T: Real> Operation<T> for Squeeze {
    fn name(&self) -> &'static str {
        "squeeze"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].squeeze(self.0).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).unsqueeze(self.0))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.squeeze(self.0))
    }
}

/// An axis of length 1 put in.
#[derive(Clone, Copy)]
struct Unsqueeze(isize);

impl<T: Real> Operation<T> for Unsqueeze {
    fn name(&self) -> &'static str {
        "unsqueeze"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].unsqueeze(self.0).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).squeeze(self.0))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.unsqueeze(self.0))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// An axis of length 1 removed. A view.
    ///
    /// # Gradient
    ///
    /// The axis put back.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`Argument`](crate::ErrorKind::Argument) if its length is not 1.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0]]));
    /// assert_eq!(x.squeeze(0).shape(), [2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn squeeze(self, axis: isize) -> Var<'t, T> {
        self.tape().apply(Squeeze(axis), &[self])
    }

    /// A new axis of length 1 before `axis`; −1 puts it last. A view.
    ///
    /// # Gradient
    ///
    /// The axis removed.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`TooLarge`](crate::ErrorKind::TooLarge) past 64 axes.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// assert_eq!((x.unsqueeze(0).shape(), x.unsqueeze(-1).shape()), (x.reshape([1, 2]).shape(), x.reshape([2, 1]).shape()));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn unsqueeze(self, axis: isize) -> Var<'t, T> {
        self.tape().apply(Unsqueeze(axis), &[self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, unary, wrong};
    vec![
        sample!("squeeze", shapes(&[&[&[3, 1, 4]], &[&[1, 1, 1]], &[&[0, 1]]], -2.0, 2.0), |x| {
            x[0].squeeze(1).square()
        }),
        sample!("squeeze last", shapes(&[&[&[3, 1]], &[&[1]]], -2.0, 2.0), |x| x[0].squeeze(-1).square()),
        sample!("unsqueeze", unary(-2.0, 2.0), |x| x[0].unsqueeze(0).square()),
        sample!("unsqueeze last", unary(-2.0, 2.0), |x| x[0].unsqueeze(-1).square()),
        wrong!(
            "squeeze",
            &[&[2, 3]],
            |x| x[0].squeeze(1),
            "length is 3 along axis 1 of shape [2, 3], wanted 1"
        ),
        wrong!("squeeze", &[&[2, 1]], |x| x[0].squeeze(2), "axis 2 is out of range for shape [2, 1]"),
        wrong!("unsqueeze", &[&[2]], |x| x[0].unsqueeze(3), "axis 3 is out of range for shape [2, 1]"),
    ]
}
