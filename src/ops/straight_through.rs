//! One value with another's derivative.

use crate::error::Result;
use crate::number::Real;
use crate::shape::same;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// The first input's value, the second one's derivative.
struct StraightThrough;

impl<T: Real> Operation<T> for StraightThrough {
    fn name(&self) -> &'static str {
        "straight_through"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        same("the surrogate", x[1].shape(), x[0].shape())?;
        Ok(one(x[0].clone()))
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        Ok(SmallVec::from_buf([None, Some(at.g(0))]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        Ok(SmallVec::from_iter([at.dx(1)]))
    }
    fn fused(&self, _: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        Some(Ok(SmallVec::from_buf([None, Some(g[0].take()?)])))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// This value, with the derivative of a surrogate of the same shape: for what is flat or jumps, as rounding and
    /// choices do (Bengio et al. 2013).
    ///
    /// The value is exact, which `surrogate + (self − surrogate).detach()` is only to rounding.
    ///
    /// # Gradient
    ///
    /// All of the cotangent to the surrogate, none to this value, at every order and in both modes.
    ///
    /// # Errors
    ///
    /// [`Shape`](crate::ErrorKind::Shape) if the surrogate has another shape.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.4, 1.6]));
    /// let y = x.round().straight_through(x.tanh());
    /// assert_eq!(y.value()?.to_vec(), [0.0, 2.0]);
    /// let g = y.sum().backward()?.wrt(x)?.clone();
    /// assert_eq!(g, *x.tanh().sum().backward()?.wrt(x)?);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "ste")]
    #[track_caller]
    pub fn straight_through(self, surrogate: Var<'t, T>) -> Var<'t, T> {
        self.tape().apply(StraightThrough, &[self, surrogate])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, unary, wrong};
    vec![
        sample!("straight_through", unary(-2.0, 2.0), |x| {
            (x[0].sin() * 1.0).straight_through(x[0].sin()) * x[0]
        }),
        wrong!(
            "straight_through",
            &[&[2], &[3]],
            |x| x[0].straight_through(x[1]),
            "the surrogate has shape [3], wanted [2]"
        ),
    ]
}
