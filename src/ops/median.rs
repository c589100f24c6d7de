//! Medians.

use super::reduction::{Reduction, count};
use crate::error::Result;
use crate::kernels::{Function, reduce, run2, run3};
use crate::number::{Number, Real};
use crate::shape::Axes;
use crate::tape::Var;
use crate::tensor::{self, Tensor, elementwise, not_empty};

/// A light loop's share of memory traffic, in nanoseconds an element.
const COST: f32 = 0.3;

/// The lower median of all elements; NaNs are left out, if `skip`. Its 1 is shared evenly by the elements equal to it.
#[derive(Clone, Copy)]
struct Median {
    skip: bool,
}

impl Reduction for Median {
    fn name(&self) -> &'static str {
        if self.skip { "nanmedian" } else { "median" }
    }
    fn value<T: Real>(&self, x: &Tensor<T>, axes: &[usize], keepdim: bool) -> Result<Tensor<T>> {
        not_empty(x.shape(), axes)?;
        debug_assert!(!keepdim && count(axes, x.shape()) == x.len(), "of everything");
        let row = x.reshape([x.len()])?;
        row.gather(0, &row.median_place(0, self.skip)?)?.squeeze(0)
    }
    fn weighted<'t, T: Real>(
        &self,
        g: Var<'t, T>,
        x: Var<'t, T>,
        y: Var<'t, T>,
        axes: &Axes,
    ) -> Result<Var<'t, T>> {
        let equal = x.eq(y) | x.is_nan() & y.is_nan();
        let share = equal.sum_keepdim(axes.clone()).recip();
        Ok(Var::where_(equal, g * share, g.constant(0.0)))
    }
    fn fused<T: Real>(
        &self,
        g: &Tensor<T>,
        x: &Tensor<T>,
        y: &Tensor<T>,
        axes: &[usize],
    ) -> Result<Tensor<T>> {
        let equal = elementwise([x, y], COST, |[x, y], out| run2(Equal, x, y, out))?;
        let count = tensor::reduce(&equal, axes, true, reduce::sum, reduce::sum)?;
        elementwise([&equal, g, &count], COST, |[m, g, n], out| run3(Share, m, g, n, out))
    }
}

/// 1 where two are equal, or both NaN.
#[derive(Clone, Copy)]
struct Equal;
impl Function<2> for Equal {
    #[inline(always)]
    fn at<N: Number>(self, [x, y]: [N; 2]) -> N {
        N::select(x.equal(y) | x.is_nan() & y.is_nan(), x.lit(1.0), x.lit(0.0))
    }
}

/// g/n where the mask is not 0.
#[derive(Clone, Copy)]
struct Share;
impl Function<3> for Share {
    #[inline(always)]
    fn at<N: Number>(self, [mask, g, n]: [N; 3]) -> N {
        N::select(mask.equal(mask.lit(0.0)), mask.lit(0.0), g / n)
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The median of all elements, of an even number the lower one of the two in the middle; NaN if there is a NaN.
    ///
    /// The mean of the two is [`quantile`](Var::quantile) of ½.
    ///
    /// # Gradient
    ///
    /// 1 to the median; k equal ones get 1/k each.
    ///
    /// # Errors
    ///
    /// [`EmptyReduction`](crate::ErrorKind::EmptyReduction) if there are no elements.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3.0, 1.0, 2.0, 2.0]));
    /// let y = x.median();
    /// assert_eq!(y.item()?, 2.0);
    /// assert_eq!(y.backward()?.wrt(x)?.to_vec(), [0.0, 0.0, 0.5, 0.5]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn median(self) -> Var<'t, T> {
        self.reduced(Median { skip: false }, Axes::ALL, false)
    }

    /// The median of all elements that are not NaN; NaN if there are no others. See [`median`](Var::median).
    ///
    /// # Errors
    ///
    /// As [`median`](Var::median).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([f64::NAN, 1.0, 3.0, 2.0]));
    /// assert_eq!(x.nanmedian().item()?, 2.0);
    /// assert!(x.median().item()?.is_nan());
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn nanmedian(self) -> Var<'t, T> {
        self.reduced(Median { skip: true }, Axes::ALL, false)
    }

    /// The median along an axis, of an even number the lower one of the two in the middle, and its place: among equals
    /// by their order, the first NaN if there is one. The axis is gone.
    ///
    /// # Gradient
    ///
    /// All to the one place.
    ///
    /// # Errors
    ///
    /// The first error on the way to the value; [`Axis`](crate::ErrorKind::Axis);
    /// [`EmptyReduction`](crate::ErrorKind::EmptyReduction) over an axis of length 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[3.0, 1.0, 2.0], [4.0, 6.0, 5.0]]));
    /// let (y, places) = x.median_with_index(-1)?;
    /// assert_eq!(y.value()?.to_vec(), [2.0, 5.0]);
    /// assert_eq!(places.to_vec(), [2, 2]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn median_with_index(self, axis: isize) -> Result<(Var<'t, T>, Tensor<i64>)> {
        self.found_one("median", axis, |x| x.median_place(axis, false))
    }

    /// The median along an axis of the elements that are not NaN, and its place; NaN, at place 0, where there are no
    /// others. See [`median_with_index`](Var::median_with_index).
    ///
    /// # Errors
    ///
    /// As [`median_with_index`](Var::median_with_index).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([f64::NAN, 1.0, 3.0, 2.0]));
    /// let (y, place) = x.nanmedian_with_index(0)?;
    /// assert_eq!((y.item()?, place.item()?), (2.0, 3));
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn nanmedian_with_index(self, axis: isize) -> Result<(Var<'t, T>, Tensor<i64>)> {
        self.found_one("nanmedian", axis, |x| x.median_place(axis, true))
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::values;
    use crate::conformance::{rank3, sample, unary, wrong};
    let all = || unary(-2.0, 2.0).not_empty().distinct();
    let three = || rank3(-3.0, 3.0).distinct();
    vec![
        sample!("median", all(), |x| x[0].median()),
        sample!("nanmedian", all(), |x| x[0].nanmedian().square()),
        sample!("median over middle", three(), |x| values(x[0].median_with_index(1), x[0])),
        sample!("nanmedian over first", three(), |x| values(x[0].nanmedian_with_index(0), x[0]).square()),
        wrong!(
            "median",
            &[&[2, 0]],
            |x| x[0].median(),
            "reduction over axis 1 of size 0 in shape [2, 0] has no identity"
        ),
        wrong!(
            "median",
            &[&[0, 2]],
            |x| values(x[0].median_with_index(0), x[0]),
            "reduction over axis 0 of size 0 in shape [0, 2] has no identity"
        ),
        wrong!(
            "nanmedian",
            &[&[2, 3]],
            |x| values(x[0].nanmedian_with_index(2), x[0]),
            "axis 2 is out of range for shape [2, 3]"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn ties_and_nans_share_evenly_by_every_rule() {
        let nan = f64::NAN;
        for (x, wanted) in [
            ([2.0, 1.0, 2.0, 2.0], [1.0 / 3.0, 0.0, 1.0 / 3.0, 1.0 / 3.0]),
            ([nan, 1.0, nan, 2.0], [0.5, 0.0, 0.5, 0.0]),
        ] {
            let tape = Tape::new();
            let v = tape.var(&Tensor::from(x));
            let (y, one) = (v.median(), Tensor::scalar(1.0));
            assert_eq!(y.backward().unwrap().wrt(v).unwrap().to_vec(), wanted);
            assert_eq!(y.backward_by_written_rules(&one).unwrap().wrt(v).unwrap().to_vec(), wanted);
        }
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([nan, 4.0, nan, 2.0]));
        assert_eq!(x.nanmedian().backward().unwrap().wrt(x).unwrap().to_vec(), [0.0, 0.0, 0.0, 1.0]);
        assert_eq!(x.median_with_index(0).unwrap().1.item().unwrap(), 0);
    }
}
