//! Values held between bounds.

use super::{Elementwise, compiled};
use crate::number::{Number, Real};
use crate::shape::broadcast;
use crate::tape::{IntoVar, Var};

/// x between two numbers.
#[derive(Clone, Copy, Debug)]
pub struct Clamp {
    min: f64,
    max: f64,
}

/// x, and a number where that is larger.
#[derive(Clone, Copy, Debug)]
pub struct ClampMin(f64);

/// x, and a number where that is smaller.
#[derive(Clone, Copy, Debug)]
pub struct ClampMax(f64);

/// 1 strictly inside, 0 at the bound and beyond, NaN where the value is.
#[inline(always)]
fn inside<N: Number>(inside: N::Mask, y: N) -> N {
    N::select(y.is_nan(), y, N::select(inside, y.lit(1.0), y.lit(0.0)))
}

impl Elementwise for Clamp {
    const NAME: &'static str = "clamp";
    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        x.maximum(x.lit(self.min)).minimum(x.lit(self.max))
    }
    #[inline(always)]
    fn df<N: Number>(self, x: N, y: N) -> N {
        inside(x.greater(x.lit(self.min)) & x.less(x.lit(self.max)), y)
    }
    compiled!(Clamp);
}

impl Elementwise for ClampMin {
    const NAME: &'static str = "clamp_min";
    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        x.maximum(x.lit(self.0))
    }
    #[inline(always)]
    fn df<N: Number>(self, x: N, y: N) -> N {
        inside(x.greater(x.lit(self.0)), y)
    }
    compiled!(ClampMin);
}

impl Elementwise for ClampMax {
    const NAME: &'static str = "clamp_max";
    #[inline(always)]
    fn f<N: Number>(self, x: N) -> N {
        x.minimum(x.lit(self.0))
    }
    #[inline(always)]
    fn df<N: Number>(self, x: N, y: N) -> N {
        inside(x.less(x.lit(self.0)), y)
    }
    compiled!(ClampMax);
}

impl<'t, T: Real> Var<'t, T> {
    /// `min(max(x, lo), hi)`, element by element, with numbers as bounds; NaN stays NaN. If `min > max`, all is
    /// `max`.
    ///
    /// # Gradient
    ///
    /// 1 strictly between the bounds, 0 at them and outside; NaN at NaN.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-2.0, -1.0, 0.5, 3.0]));
    /// let y = x.clamp(-1.0, 1.0);
    /// assert_eq!(y.value()?.to_vec(), [-1.0, -1.0, 0.5, 1.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.0, 0.0, 1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "clip")]
    #[track_caller]
    pub fn clamp(self, min: f64, max: f64) -> Var<'t, T> {
        self.elementwise(Clamp { min, max })
    }

    /// `max(x, lo)`, element by element, with a number as bound; NaN stays NaN.
    ///
    /// # Gradient
    ///
    /// 1 strictly above the bound, 0 at it and below; NaN at NaN.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-2.0, 0.0, 3.0]));
    /// let y = x.clamp_min(0.0);
    /// assert_eq!(y.value()?.to_vec(), [0.0, 0.0, 3.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [0.0, 0.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn clamp_min(self, min: f64) -> Var<'t, T> {
        self.elementwise(ClampMin(min))
    }

    /// `min(x, hi)`, element by element, with a number as bound; NaN stays NaN.
    ///
    /// # Gradient
    ///
    /// 1 strictly below the bound, 0 at it and above; NaN at NaN.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-2.0, 0.0, 3.0]));
    /// let y = x.clamp_max(0.0);
    /// assert_eq!(y.value()?.to_vec(), [-2.0, 0.0, 0.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.0, 0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn clamp_max(self, max: f64) -> Var<'t, T> {
        self.elementwise(ClampMax(max))
    }

    /// `min(max(x, lo), hi)`, element by element, with variables, tensors or numbers as bounds, broadcast. NaN
    /// where any of the three is. Where `lo > hi`, the value is `hi`.
    ///
    /// # Gradient
    ///
    /// To whichever of the three is the value. A tie with a bound gives ½ to each, as in
    /// [`maximum`](Var::maximum), of which this is made.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](crate::ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-2.0, 0.0, 0.5, 3.0]));
    /// let hi = tape.var(&Tensor::scalar(1.0));
    /// let y = x.clamp_tensor(0.0, hi);
    /// assert_eq!(y.value()?.to_vec(), [0.0, 0.0, 0.5, 1.0]);
    /// let grads = y.sum().backward()?;
    /// assert_eq!(grads.wrt(x)?.to_vec(), [0.0, 0.5, 1.0, 0.0]);
    /// assert_eq!(grads.wrt(hi)?.item()?, 1.0);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn clamp_tensor(self, min: impl IntoVar<'t, T>, max: impl IntoVar<'t, T>) -> Var<'t, T> {
        let (min, max) = (min.into_var(self.tape()), max.into_var(self.tape()));
        self.tape().composed("clamp_tensor", || {
            broadcast(&broadcast(&self.try_shape()?, &min.try_shape()?)?, &max.try_shape()?)?;
            Ok(self.maximum(min).minimum(max))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, unary, wrong};
    let three = || shapes(&[&[&[2, 3], &[3], &[]], &[&[], &[2], &[3, 1]], &[&[17], &[17], &[17]]], -2.0, 2.0);
    vec![
        sample!("clamp", unary(-2.0, 2.0).avoid(&[-1.0, 0.5]), |x| x[0].clamp(-1.0, 0.5)),
        sample!("clamp squared", unary(-2.0, 2.0).avoid(&[-1.0, 0.5]), |x| x[0].clamp(-1.0, 0.5).square()),
        sample!("clamp crossed", unary(-2.0, 2.0), |x| x[0].clamp(1.0, -1.0)),
        sample!("clamp_min", unary(-2.0, 2.0).avoid(&[0.3]), |x| x[0].clamp_min(0.3).square()),
        sample!("clamp_max", unary(-2.0, 2.0).avoid(&[0.3]), |x| x[0].clamp_max(0.3).square()),
        // The bounds lie within 0.1 of −1 and of 1, where x does not.
        sample!("clamp_tensor", three(), |x| {
            x[0].clamp_tensor(x[1].tanh() * 0.1 - 1.0, x[2].tanh() * 0.1 + 1.0).square()
        })
        .avoiding(&[-1.1, -1.05, -1.0, -0.95, -0.9, 0.9, 0.95, 1.0, 1.05, 1.1]),
        wrong!(
            "clamp_tensor",
            &[&[2], &[2], &[3]],
            |x| x[0].clamp_tensor(x[1], x[2]),
            "shapes [2] and [3] do not broadcast"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn nan_passes_and_infinities_are_clamped() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([f64::NAN, f64::INFINITY, f64::NEG_INFINITY]));
        for (y, wanted, slope) in [
            (x.clamp(-1.0, 2.0), [2.0, -1.0], [0.0, 0.0]),
            (x.clamp_min(-1.0), [f64::INFINITY, -1.0], [1.0, 0.0]),
            (x.clamp_max(2.0), [2.0, f64::NEG_INFINITY], [0.0, 1.0]),
        ] {
            let value = y.value().unwrap().to_vec();
            assert!(value[0].is_nan());
            assert_eq!(value[1..], wanted);
            let g = y.sum().backward().unwrap().wrt(x).unwrap().to_vec();
            assert!(g[0].is_nan());
            assert_eq!(g[1..], slope);
        }
    }

    #[test]
    fn a_tensor_bound_that_ties_shares_evenly() {
        let tape = Tape::new();
        let [x, lo, hi] = [1.0, 1.0, 1.0].map(|v| tape.var(&Tensor::scalar(v)));
        let grads = x.clamp_tensor(lo, hi).backward().unwrap();
        let parts = [x, lo, hi].map(|v| grads.wrt(v).unwrap().item().unwrap());
        assert_eq!(parts, [0.25, 0.25, 0.5]);
    }
}
