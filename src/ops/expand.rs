//! Broadcasting to a shape, and its adjoint: summing back from it.

use crate::error::{Error, Result};
use crate::number::Real;
use crate::shape::{IntoShape, Shape};
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;

/// Axes of length 1 repeated, new ones put in front.
struct Expand(Result<Shape>);

impl<T: Real> Operation<T> for Expand {
    fn name(&self) -> &'static str {
        "expand"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].expand(self.0.as_ref().map_err(Error::clone)?).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).sum_to_like(at.x(0)))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.expand_like(at.y(0)))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        at.one(g.sum_to_like(at.x(0)))
    }
}

/// The sum over the axes along which a shape was broadcast.
struct SumTo(Shape);

impl<T: Real> Operation<T> for SumTo {
    fn name(&self) -> &'static str {
        "sum_to"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].sum_to(&self.0).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).expand_like(at.x(0)))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.sum_to_like(at.y(0)))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// Axes of length 1 repeated, and new ones put in front, to reach `shape`. A view: it takes no memory.
    ///
    /// # Gradient
    ///
    /// The sum over the repeated axes.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast) if an axis has another length than 1 and `shape`'s.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0], [2.0]]));
    /// let y = x.expand([2, 3]);
    /// assert_eq!(y.value()?.to_vec(), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [3.0, 3.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "broadcast_to")]
    #[track_caller]
    pub fn expand(self, shape: impl IntoShape) -> Var<'t, T> {
        self.tape().apply(Expand(shape.into_shape()), &[self])
    }

    /// Broadcast to the shape of `like`; itself if that is its shape.
    #[track_caller]
    pub(crate) fn expand_like(self, like: Var<'t, T>) -> Var<'t, T> {
        match (self.try_shape(), like.try_shape()) {
            (Ok(own), Ok(shape)) if own != shape => self.tape().apply(Expand(Ok(shape)), &[self]),
            (_, Err(_)) => like,
            _ => self,
        }
    }

    /// The sum over the axes along which `shape` broadcasts to this one: the adjoint of [`expand`](Var::expand).
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast) if `shape` does not broadcast to this one.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.sum_to([2, 1]).value()?.to_vec(), [3.0, 7.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn sum_to(self, shape: impl IntoShape) -> Var<'t, T> {
        self.tape().composed("sum_to", || Ok(self.tape().apply(SumTo(shape.into_shape()?), &[self])))
    }

    /// The sum to the shape of `like`; itself if that is its shape.
    #[track_caller]
    pub(crate) fn sum_to_like(self, like: Var<'t, T>) -> Var<'t, T> {
        match (self.try_shape(), like.try_shape()) {
            (Ok(own), Ok(shape)) if own != shape => self.tape().apply(SumTo(shape), &[self]),
            (_, Err(_)) => like,
            _ => self,
        }
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, wrong};
    vec![
        sample!("expand rows", shapes(&[&[&[3, 1]]], -2.0, 2.0), |x| x[0].expand([2, 3, 4])),
        sample!("expand scalar", shapes(&[&[&[]], &[&[1]], &[&[1, 1]]], -2.0, 2.0), |x| x[0].expand([2, 3])),
        sample!("expand to nothing", shapes(&[&[&[1, 3]]], -2.0, 2.0), |x| x[0].expand([0, 3])),
        sample!("sum_to", shapes(&[&[&[2, 3, 4]]], -2.0, 2.0), |x| x[0].sum_to([3, 1])),
        wrong!("expand", &[&[2, 3]], |x| x[0].expand([2, 4]), "shapes [2, 3] and [2, 4] do not broadcast"),
        wrong!("sum_to", &[&[2, 3]], |x| x[0].sum_to([2]), "shapes [2] and [2, 3] do not broadcast"),
    ]
}
