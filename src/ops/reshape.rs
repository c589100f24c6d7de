//! Another shape for the same elements.

use crate::error::{Error, Result};
use crate::number::Real;
use crate::shape::{IntoShape, Shape};
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::Tensor;

/// The same elements in row-major order under another shape.
struct Reshape(Result<Shape>);

impl<T: Real> Operation<T> for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].reshape(self.0.as_ref().map_err(Error::clone)?).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).reshape(at.x(0).try_shape()?))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let shape = at.y(0).try_shape()?;
        at.sum_of(|_, dx| dx.reshape(&shape))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The same elements in row-major order under another shape. A view where the strides allow it.
    ///
    /// # Gradient
    ///
    /// Reshaped back.
    ///
    /// # Errors
    ///
    /// [`ElementCount`](crate::ErrorKind::ElementCount) if the number of elements differs.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0, 4.0]));
    /// assert_eq!(x.reshape([2, 2]).value()?[[1, 0]], 3.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "view")]
    #[track_caller]
    pub fn reshape(self, shape: impl IntoShape) -> Var<'t, T> {
        self.tape().apply(Reshape(shape.into_shape()), &[self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    let of_12 = || shapes(&[&[&[3, 4]], &[&[12]], &[&[2, 3, 2]], &[&[1, 12, 1]]], -2.0, 2.0);
    vec![
        sample!("reshape", of_12(), |x| x[0].reshape([2, 6]).square()),
        sample!("reshape to rank 4", of_12(), |x| x[0].reshape([2, 1, 3, 2]).square()),
        sample!("reshape scalar", shapes(&[&[&[]], &[&[1, 1]]], -2.0, 2.0), |x| x[0].reshape([1]).square()),
        sample!("reshape empty", shapes(&[&[&[0, 3]]], -2.0, 2.0), |x| x[0].reshape([2, 0])),
        wrong!("reshape", &[&[2, 3]], |x| x[0].reshape([4]), "shape [4] needs 4 elements, found 6"),
    ]
}
