//! Softmax: the batched Jacobian is `s (diag y − y yᵀ)`, symmetric, so one rule serves both modes.

use super::axis::{along, along2};
use crate::error::Result;
use crate::kernels::rows;
use crate::number::Real;
use crate::shape::resolve_axis;
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// How a backward closure contracts a cotangent with a batched Jacobian.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contraction {
    /// By its factors, `s·y⊙(g − ⟨y, g⟩)`: O(n) a row, and a fused kernel at first order.
    #[default]
    Factored,
    /// By the Jacobian itself, built for every row: O(n²), to check and to measure the other against.
    Materialised,
}

/// exp(s·x) over its sum along an axis.
///
/// ```
/// use retrograde::{Activation, Tensor, activation::Softmax};
///
/// let jacobian = Softmax::default().jacobian(&Tensor::from([0.0, 0.0]))?;
/// assert_eq!(jacobian.to_vec(), [0.25, -0.25, -0.25, 0.25]);
/// # Ok::<(), retrograde::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softmax {
    /// The axis along which the values sum to 1.
    pub axis: isize,
    /// The stretch, the inverse of a temperature. Negative ones favour small elements, 0 none.
    pub stretch: f64,
    /// How the Jacobian is contracted.
    pub contraction: Contraction,
}

impl Default for Softmax {
    /// The last axis, stretch 1.
    fn default() -> Softmax {
        Softmax { axis: -1, stretch: 1.0, contraction: Contraction::Factored }
    }
}

impl Softmax {
    /// The Jacobian, which is symmetric, times v.
    fn times<'t, T: Real>(&self, y: Var<'t, T>, v: Var<'t, T>) -> Result<Var<'t, T>> {
        match self.contraction {
            Contraction::Factored => Ok(y * (v - (y * v).sum_keepdim(self.axis)) * self.stretch),
            Contraction::Materialised => {
                let n = y.try_shape()?[resolve_axis(self.axis, &y.try_shape()?)?];
                let (y, v) = (y.transpose(self.axis, -1), v.transpose(self.axis, -1));
                let eye = y.constant_like(Tensor::eye(n));
                let jacobian = (y.unsqueeze(-1) * eye - y.unsqueeze(-1) * y.unsqueeze(-2)) * self.stretch;
                let contracted = y.tape().einsum("...jk,...k->...j", &[jacobian, v]);
                Ok(contracted.transpose(self.axis, -1))
            }
        }
    }
}

impl<T: Real> Operation<T> for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        along(self.axis, x[0], self.stretch, rows::softmax).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(self.times(at.y(0), at.g(0))?)
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        Ok(SmallVec::from_iter([at.dx(0).map(|dx| self.times(at.y(0), dx)).transpose()?]))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        if self.contraction == Contraction::Materialised {
            return None;
        }
        let g = g[0].take()?;
        let part = along2(self.axis, [at.y(0), &g], self.stretch, rows::softmax_backward);
        Some(part.map(|part| SmallVec::from_iter([Some(part)])))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// `exp xᵢ / Σ exp xₖ` along an axis: positive numbers that sum to 1.
    ///
    /// The largest element is taken from the others first, so that nothing overflows. A row that is all −∞, or has
    /// a +∞ or a NaN in it, is NaN; of an empty axis the result is empty.
    ///
    /// # Gradient
    ///
    /// `y ⊙ (g − ⟨y, g⟩)`, the cotangent times the Jacobian `diag y − y yᵀ`.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1000.0, 1000.0]));
    /// let y = x.softmax(-1);
    /// assert_eq!(y.value()?.to_vec(), [0.5, 0.5]);
    /// let seed = Tensor::from([1.0, 0.0]);
    /// assert_eq!(y.backward_with(&seed)?.wrt(x)?.to_vec(), [0.25, -0.25]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn softmax(self, axis: isize) -> Var<'t, T> {
        self.tape().apply(Softmax { axis, ..Softmax::default() }, &[self])
    }

    /// [`softmax`](Var::softmax) of `s·x`: a stretch `s`, or a temperature `T = 1/s`. It may be negative, and 0 weighs
    /// all elements alike.
    ///
    /// # Gradient
    ///
    /// `s·y ⊙ (g − ⟨y, g⟩)`: the stretch stands in the Jacobian, too.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 1.0]));
    /// let y = x.softmax_stretch(-1, 3.0);
    /// let seed = Tensor::from([1.0, 0.0]);
    /// assert_eq!(y.backward_with(&seed)?.wrt(x)?.to_vec(), [0.75, -0.75]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "temperature")]
    #[track_caller]
    pub fn softmax_stretch(self, axis: isize, s: f64) -> Var<'t, T> {
        self.tape().apply(Softmax { axis, stretch: s, ..Softmax::default() }, &[self])
    }

    /// [`softmax_stretch`](Var::softmax_stretch) with a choice of how the Jacobian is contracted. The results are the
    /// same to rounding.
    ///
    /// # Errors
    ///
    /// [`Axis`](crate::ErrorKind::Axis).
    ///
    /// ```
    /// use retrograde::{Contraction, Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 1.0]));
    /// let y = x.softmax_by(-1, 1.0, Contraction::Materialised);
    /// let seed = Tensor::from([1.0, 0.0]);
    /// assert_eq!(y.backward_with(&seed)?.wrt(x)?.to_vec(), [0.25, -0.25]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn softmax_by(self, axis: isize, stretch: f64, contraction: Contraction) -> Var<'t, T> {
        self.tape().apply(Softmax { axis, stretch, contraction }, &[self])
    }

    /// [`softmax`](Var::softmax) of `−x`: the smallest element weighs most.
    ///
    /// # Gradient
    ///
    /// `−y ⊙ (g − ⟨y, g⟩)`.
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
    /// assert_eq!(x.softmin(-1).value()?.to_vec(), [1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn softmin(self, axis: isize) -> Var<'t, T> {
        self.softmax_stretch(axis, -1.0)
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, wrong};
    let more = || shapes(&[&[&[3]], &[&[1]], &[&[65]], &[&[0, 3]], &[&[2, 0]], &[&[4, 1]]], -2.0, 2.0);
    vec![
        sample!("softmax", rank3(-2.0, 2.0), |x| x[0].softmax(-1)),
        sample!("softmax of vectors", more(), |x| x[0].softmax(-1)),
        sample!("softmax over first", rank3(-2.0, 2.0), |x| x[0].softmax(0)),
        sample!("softmax over middle", rank3(-2.0, 2.0), |x| x[0].softmax(1)),
        sample!("softmax stretched", rank3(-2.0, 2.0), |x| x[0].softmax_stretch(1, 1.7)),
        sample!("softmax level", rank3(-2.0, 2.0), |x| x[0].softmax_stretch(-1, 0.0)),
        sample!("softmax materialised", rank3(-2.0, 2.0), |x| {
            x[0].softmax_by(-1, 1.5, Contraction::Materialised)
        }),
        sample!("softmax materialised over middle", rank3(-2.0, 2.0), |x| {
            x[0].softmax_by(1, -0.5, Contraction::Materialised)
        }),
        sample!("softmin", rank3(-2.0, 2.0), |x| x[0].softmin(-1)),
        wrong!("softmax", &[&[2, 3]], |x| x[0].softmax(2), "axis 2 is out of range for shape [2, 3]"),
        wrong!("softmax", &[&[2, 3]], |x| x[0].softmin(-3), "axis -3 is out of range for shape [2, 3]"),
        wrong!("softmax", &[&[]], |x| x[0].softmax(-1), "axis -1 is out of range for shape []"),
    ]
}
