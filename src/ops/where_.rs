//! A choice between two by a mask.

use crate::error::Result;
use crate::kernels::{Function, run3};
use crate::number::{Number, Real};
use crate::tape::{At, Operation, Outputs, Parts, Var, one};
use crate::tensor::{Tensor, elementwise};
use smallvec::SmallVec;

/// a where the mask is not 0, else b.
#[derive(Clone, Copy)]
struct Where;

impl Function<3> for Where {
    #[inline(always)]
    fn at<N: Number>(self, [mask, a, b]: [N; 3]) -> N {
        N::select(mask.equal(mask.lit(0.0)), b, a)
    }
}

impl<T: Real> Operation<T> for Where {
    fn name(&self) -> &'static str {
        "where"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        elementwise([x[0], x[1], x[2]], 0.4, |[m, a, b], out| run3(*self, m, a, b, out)).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        // Selected, not multiplied by the mask: 0 · ∞ is NaN.
        let (mask, g, zero) = (at.x(0), at.g(0), at.g(0).constant(0.0));
        let a = at.needs(1).then(|| Var::where_(mask, g, zero).sum_to_like(at.x(1)));
        let b = at.needs(2).then(|| Var::where_(mask, zero, g).sum_to_like(at.x(2)));
        Ok(SmallVec::from_iter([None, a, b]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        if at.dx(1).is_none() && at.dx(2).is_none() {
            return Ok(SmallVec::from_iter([None]));
        }
        let zero = at.x(0).constant(0.0);
        let (da, db) = (at.dx(1).unwrap_or(zero), at.dx(2).unwrap_or(zero));
        at.one(Var::where_(at.x(0), da, db).expand_like(at.y(0)))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// `a` where `mask` is not 0, else `b`, element by element, all three broadcast.
    ///
    /// # Gradient
    ///
    /// To the one chosen; zero to the other, and to the mask. If the one not chosen is infinite or NaN its *own*
    /// derivative can still be NaN (0·∞): make its argument harmless before the choice.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor, Var};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1.0, 4.0]));
    /// let mask = x.gt(0.0);
    /// let safe = Var::where_(mask, x, tape.scalar(1.0));
    /// let y = Var::where_(mask, safe.sqrt(), tape.scalar(0.0));
    /// assert_eq!(y.value()?.to_vec(), [0.0, 2.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.0, 0.25]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "where")]
    #[doc(alias = "select")]
    #[track_caller]
    pub fn where_(mask: Var<'t, T>, a: Var<'t, T>, b: Var<'t, T>) -> Var<'t, T> {
        mask.tape().apply(Where, &[mask, a, b])
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{binary, sample, shapes, wrong};
    vec![
        sample!("where", binary((-2.0, -0.1), (-2.0, 2.0)), |x| {
            Var::where_(x[1].square().gt(1.0), x[0], x[1])
        })
        .avoiding(&[-1.0, 1.0]),
        sample!("where broadcast", shapes(&[&[&[2, 3], &[3], &[2, 1]]], 0.1, 2.0), |x| {
            Var::where_(x[0].gt(1.0), x[1], x[2])
        })
        .avoiding(&[1.0]),
        wrong!(
            "where",
            &[&[2], &[2], &[3]],
            |x| Var::where_(x[0], x[1], x[2]),
            "shapes [2] and [3] do not broadcast"
        ),
    ]
}
