//! Part of an axis, and its adjoint: the part put into zeros.

use crate::error::Result;
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::{Slice, Tensor};
use smallvec::SmallVec;

/// The indices of an axis that a range keeps.
#[derive(Clone, Copy)]
struct Cut {
    axis: isize,
    range: Slice,
}

impl<T: Real> Operation<T> for Cut {
    fn name(&self) -> &'static str {
        "slice"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].slice(self.axis, self.range).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        let shape = at.x(0).try_shape()?;
        let size = shape[resolve_axis(self.axis, &shape)?];
        at.one(at.g(0).embed(self.axis, self.range, size))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.slice(self.axis, self.range))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        let shape = at.x(0).shape();
        let part =
            resolve_axis(self.axis, shape).and_then(|axis| g.embed(self.axis, self.range, shape[axis]));
        Some(part.map(|part| SmallVec::from_iter([Some(part)])))
    }
}

/// Zeros of length `size` along an axis, with the input at the indices that a range keeps.
#[derive(Clone, Copy)]
struct Embed {
    axis: isize,
    range: Slice,
    size: usize,
}

impl<T: Real> Operation<T> for Embed {
    fn name(&self) -> &'static str {
        "embed"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].embed(self.axis, self.range, self.size).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).slice(self.axis, self.range))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.embed(self.axis, self.range, self.size))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The indices of one axis that a range keeps. A view. See [`Slice`] for steps and negative bounds.
    ///
    /// # Gradient
    ///
    /// The cotangent at the indices kept, 0 at the others.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis); [`Index`](crate::ErrorKind::Index) for a bound outside the axis;
    /// [`Argument`](crate::ErrorKind::Argument) for a step of 0.
    ///
    /// ```
    /// use retrograde::{Slice, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0, 4.0]));
    /// assert_eq!(x.slice(0, 1..-1).value()?.to_vec(), [2.0, 3.0]);
    /// let y = x.slice(0, Slice::from(..).step(-2));
    /// assert_eq!(y.value()?.to_vec(), [4.0, 2.0]);
    /// assert_eq!(y.square().sum().backward()?.wrt(x)?.to_vec(), [0.0, 4.0, 0.0, 8.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "narrow")]
    #[track_caller]
    pub fn slice(self, axis: isize, range: impl Into<Slice>) -> Var<'t, T> {
        self.tape().apply(Cut { axis, range: range.into() }, &[self])
    }

    /// Zeros of length `size` along an axis, with this at the indices that `range` keeps: the adjoint of
    /// [`slice`](Var::slice), which is also its gradient.
    #[track_caller]
    pub(crate) fn embed(self, axis: isize, range: impl Into<Slice>, size: usize) -> Var<'t, T> {
        self.tape().apply(Embed { axis, range: range.into(), size }, &[self])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, wrong};
    let vectors = || shapes(&[&[&[7]], &[&[5, 2]]], -2.0, 2.0);
    let rows = || shapes(&[&[&[2]], &[&[2, 3]], &[&[2, 0]]], -2.0, 2.0);
    vec![
        sample!("slice", rank3(-2.0, 2.0), |x| x[0].slice(1, 0..1).square()),
        sample!("slice of everything", rank3(-2.0, 2.0), |x| x[0].slice(-1, ..).square()),
        sample!("slice of nothing", rank3(-2.0, 2.0), |x| x[0].slice(0, 1..1).square()),
        sample!("slice with a step", vectors(), |x| x[0].slice(0, Slice::from(1..).step(2)).square()),
        sample!("slice backwards", rank3(-2.0, 2.0), |x| x[0].slice(-1, Slice::from(..).step(-1)).square()),
        sample!("slice backwards by three", vectors(), |x| {
            x[0].slice(0, Slice::from(..-1).step(-3)).square()
        }),
        sample!("slice twice", rank3(-2.0, 2.0), |x| {
            x[0].slice(0, Slice::from(..).step(-2)).slice(2, -1..) * x[0].slice(0, 0..1)
        }),
        sample!("embed", rows(), |x| x[0].embed(0, 1..3, 4).square()),
        sample!("embed with a step", rows(), |x| x[0].embed(0, Slice::from(..).step(-3), 5).square()),
        wrong!("slice", &[&[2, 3]], |x| x[0].slice(1, 0..4), "index 4 is out of range for axis 1 of size 3"),
        wrong!("slice", &[&[2, 3]], |x| x[0].slice(0, -3..), "index -3 is out of range for axis 0 of size 2"),
        wrong!("slice", &[&[2, 3]], |x| x[0].slice(2, ..), "axis 2 is out of range for shape [2, 3]"),
        wrong!(
            "slice",
            &[&[2, 3]],
            |x| x[0].slice(0, Slice::from(..).step(0)),
            "step is 0, wanted another number"
        ),
        wrong!("embed", &[&[2, 3]], |x| x[0].embed(1, 0..2, 5), "the piece has shape [2, 3], wanted [2, 2]"),
    ]
}
