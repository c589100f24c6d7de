//! The largest and the smallest element over any axes.

use super::reduction::{Reduction, three_forms};
use crate::error::Result;
use crate::kernels::{Function, reduce, run2, run3};
use crate::number::{Number, Real};
use crate::shape::Axes;
use crate::tape::Var;
use crate::tensor::{self, Extreme, Tensor, elementwise};

/// A light loop's share of memory traffic, in nanoseconds an element.
const COST: f32 = 0.3;

/// The extreme elements' 1, shared evenly: a tie of k gives 1/k to each, a NaN gives NaN to all.
impl Reduction for Extreme {
    fn name(&self) -> &'static str {
        match self {
            Extreme::Largest => "max",
            Extreme::Smallest => "min",
        }
    }
    fn value<T: Real>(&self, x: &Tensor<T>, axes: &[usize], keepdim: bool) -> Result<Tensor<T>> {
        x.extreme(*self, axes, keepdim)
    }
    fn weighted<'t, T: Real>(
        &self,
        g: Var<'t, T>,
        x: Var<'t, T>,
        y: Var<'t, T>,
        axes: &Axes,
    ) -> Result<Var<'t, T>> {
        // The derivative of a mask is zero, so a share is a constant to every order. Selected, not multiplied by
        // the mask: 0 · ∞ is NaN.
        let count = x.eq(y).sum_keepdim(axes.clone());
        let share = Var::where_(count, count.recip(), y.constant(f64::NAN));
        Ok(Var::where_(Number::select(y.is_nan(), y.constant(1.0), x.eq(y)), g * share, g.constant(0.0)))
    }
    fn fused<T: Real>(
        &self,
        g: &Tensor<T>,
        x: &Tensor<T>,
        y: &Tensor<T>,
        axes: &[usize],
    ) -> Result<Tensor<T>> {
        let mask = elementwise([x, y], COST, |[x, y], out| run2(Mask, x, y, out))?;
        let count = tensor::reduce(&mask, axes, true, reduce::sum, reduce::sum)?;
        let share = elementwise([g, &count], COST, |[g, n], out| run2(Share, g, n, out))?;
        elementwise([&share, x, y], COST, |[share, x, y], out| run3(Taken, share, x, y, out))
    }
}

/// 1 where x is the extreme.
#[derive(Clone, Copy)]
struct Mask;
impl Function<2> for Mask {
    #[inline(always)]
    fn at<N: Number>(self, [x, y]: [N; 2]) -> N {
        N::select(x.equal(y), x.lit(1.0), x.lit(0.0))
    }
}

/// g/n, NaN for none: nothing equals a NaN.
#[derive(Clone, Copy)]
struct Share;
impl Function<2> for Share {
    #[inline(always)]
    fn at<N: Number>(self, [g, n]: [N; 2]) -> N {
        N::select(n.equal(n.lit(0.0)), n.lit(f64::NAN), g / n)
    }
}

/// The share where x is the extreme or that is NaN, else 0.
#[derive(Clone, Copy)]
struct Taken;
impl Function<3> for Taken {
    #[inline(always)]
    fn at<N: Number>(self, [share, x, y]: [N; 3]) -> N {
        N::select(x.equal(y) | y.is_nan(), share, x.lit(0.0))
    }
}

three_forms! {
    /// The largest element; NaN if any is.
    ///
    /// # Gradient
    ///
    /// 1 to the largest; k equal ones get 1/k each. NaN to all where the value is NaN.
    ///
    /// # Errors
    ///
    /// [`EmptyReduction`](crate::ErrorKind::EmptyReduction) if there are no elements.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 7.0, 7.0], [5.0, 2.0, 3.0]]));
    /// assert_eq!(x.max().item()?, 7.0);
    /// assert_eq!(x.max_axes(0).value()?.to_vec(), [5.0, 7.0, 7.0]);
    /// let rows = x.max_keepdim(-1);
    /// assert_eq!(rows.value()?.shape(), [2, 1]);
    /// assert_eq!(rows.sum().backward()?.wrt(x)?.to_vec(), [0.0, 0.5, 0.5, 1.0, 0.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "amax")]
    max max_axes max_keepdim ("maximum") fails: "; [`EmptyReduction`](crate::ErrorKind::EmptyReduction) over an axis of length 0.";
    |x, axes, keepdim| x.reduced(Extreme::Largest, axes, keepdim);

    /// The smallest element; NaN if any is.
    ///
    /// # Gradient
    ///
    /// 1 to the smallest; k equal ones get 1/k each. NaN to all where the value is NaN.
    ///
    /// # Errors
    ///
    /// [`EmptyReduction`](crate::ErrorKind::EmptyReduction) if there are no elements.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3.0, 1.0, 1.0, 2.0]));
    /// assert_eq!(x.min().item()?, 1.0);
    /// assert_eq!(x.min().backward()?.wrt(x)?.to_vec(), [0.0, 0.5, 0.5, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "amin")]
    min min_axes min_keepdim ("minimum") fails: "; [`EmptyReduction`](crate::ErrorKind::EmptyReduction) over an axis of length 0.";
    |x, axes, keepdim| x.reduced(Extreme::Smallest, axes, keepdim);
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, unary, wrong};
    let one = || unary(-2.0, 2.0).not_empty().distinct();
    let three = || rank3(-3.0, 3.0).distinct();
    vec![
        sample!("max", one(), |x| x[0].max()),
        sample!("max over first", three(), |x| x[0].max_axes(0)),
        sample!("max over middle", three(), |x| x[0].max_axes(1)),
        sample!("max over last", three(), |x| x[0].max_keepdim(-1)),
        sample!("max over outer two", three(), |x| x[0].max_keepdim([0, -1])),
        sample!("max over none", three(), |x| x[0].max_axes([0isize; 0])),
        sample!("max squared", rank3(0.5, 6.0).distinct(), |x| x[0].square().max_axes(1) * x[0].sum_axes(1)),
        sample!("min", one(), |x| x[0].min()),
        sample!("min over two", three(), |x| x[0].min_axes([0, 1])),
        sample!("min over last", three(), |x| x[0].min_keepdim(2)),
        wrong!("max", &[&[2, 3]], |x| x[0].max_axes(2), "axis 2 is out of range for shape [2, 3]"),
        wrong!(
            "max",
            &[&[2, 0]],
            |x| x[0].max(),
            "reduction over axis 1 of size 0 in shape [2, 0] has no identity"
        ),
        wrong!(
            "min",
            &[&[0, 3]],
            |x| x[0].min_axes(0),
            "reduction over axis 0 of size 0 in shape [0, 3] has no identity"
        ),
        wrong!("min", &[&[2, 3]], |x| x[0].min_keepdim([1, -1]), "axis 1 is given twice"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn a_tie_is_shared_by_every_rule() {
        let x = Tensor::from([[2.0, 2.0, 1.0], [0.0, 0.0, 0.0]]);
        let wanted = [0.5, 0.5, 0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0];
        let tape = Tape::new();
        let v = tape.var(&x);
        let y = v.max_axes(1);
        let seed = Tensor::ones([2]).unwrap();
        assert_eq!(y.backward_with(&seed).unwrap().wrt(v).unwrap().to_vec(), wanted);
        assert_eq!(y.backward_by_written_rules(&seed).unwrap().wrt(v).unwrap().to_vec(), wanted);
        let dy = tape.jvp(y, [(v, &Tensor::from([[1.0, 2.0, 4.0], [3.0, 0.0, 0.0]]))]).unwrap();
        assert_eq!(dy.value().unwrap().to_vec(), [1.5, 1.0]);
    }

    #[test]
    fn a_nan_spoils_its_slice_alone_by_every_rule() {
        let x = Tensor::from([[f64::NAN, 2.0], [3.0, 4.0]]);
        let tape = Tape::new();
        let v = tape.var(&x);
        for y in [v.max_axes(1), v.min_axes(1)] {
            assert!(y.value().unwrap().to_vec()[0].is_nan());
            let seed = Tensor::ones([2]).unwrap();
            for g in [y.backward_with(&seed).unwrap(), y.backward_by_written_rules(&seed).unwrap()] {
                let g = g.wrt(v).unwrap().to_vec();
                assert!(g[0].is_nan() && g[1].is_nan() && g[2] + g[3] == 1.0, "{g:?}");
            }
        }
    }

    #[test]
    fn infinities_are_ordinary_extremes() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([f64::NEG_INFINITY, f64::INFINITY, f64::INFINITY]));
        assert_eq!(x.max().backward().unwrap().wrt(x).unwrap().to_vec(), [0.0, 0.5, 0.5]);
        assert_eq!(x.min().backward().unwrap().wrt(x).unwrap().to_vec(), [1.0, 0.0, 0.0]);
    }
}
