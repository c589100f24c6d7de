//! The logarithm of softmax.

use super::axis::{along, along2};
use crate::error::Result;
use crate::kernels::rows;
use crate::number::Real;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// x less the logarithm of the sum of exp x along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogSoftmax {
    /// The axis along which the exponentials of the values sum to 1.
    pub axis: isize,
}

impl Default for LogSoftmax {
    /// The last axis.
    fn default() -> LogSoftmax {
        LogSoftmax { axis: -1 }
    }
}

impl<T: Real> Operation<T> for LogSoftmax {
    fn name(&self) -> &'static str {
        "log_softmax"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        along(self.axis, x[0], 1.0, rows::log_softmax).map(one)
    }
    /// gᵀ(I − 1 yᵀ) with y = softmax x.
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let g = at.g(0);
        at.one(g - at.y(0).exp() * g.sum_keepdim(self.axis))
    }
    /// (I − 1 yᵀ) dx.
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx - (at.y(0).exp() * dx).sum_keepdim(self.axis))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let part = along2(self.axis, [at.y(0), &g], 1.0, rows::log_softmax_backward);
        Some(part.map(|part| SmallVec::from_iter([Some(part)])))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// `xᵢ − ln Σ exp xₖ` along an axis, the logarithm of [`softmax`](Var::softmax) without its underflow.
    ///
    /// A row that is all −∞, or has a +∞ or a NaN in it, is NaN; of an empty axis the result is empty.
    ///
    /// # Gradient
    ///
    /// `g − y Σg` with `y = softmax x`.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 1e4]));
    /// let y = x.log_softmax(-1);
    /// assert_eq!(y.value()?.to_vec(), [-1e4, 0.0]);
    /// let seed = Tensor::from([1.0, 0.0]);
    /// assert_eq!(y.backward_with(&seed)?.wrt(x)?.to_vec(), [1.0, -1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn log_softmax(self, axis: isize) -> Var<'t, T> {
        self.tape().apply(LogSoftmax { axis }, &[self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, wrong};
    let more = || shapes(&[&[&[3]], &[&[1]], &[&[65]], &[&[0, 3]], &[&[2, 0]]], -2.0, 2.0);
    vec![
        sample!("log_softmax", rank3(-2.0, 2.0), |x| x[0].log_softmax(-1)),
        sample!("log_softmax of vectors", more(), |x| x[0].log_softmax(-1)),
        sample!("log_softmax over middle", rank3(-2.0, 2.0), |x| x[0].log_softmax(1)),
        wrong!("log_softmax", &[&[2, 3]], |x| x[0].log_softmax(2), "axis 2 is out of range for shape [2, 3]"),
    ]
}
