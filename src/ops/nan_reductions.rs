//! Sums and means that leave NaNs out.

use super::reduction::three_forms;
use crate::number::Number;
use crate::shape::Axes;

three_forms! {
    /// The sum of all elements that are not NaN; 0 of none.
    ///
    /// # Gradient
    ///
    /// 1 to each element, 0 to a NaN.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, f64::NAN], [2.0, 3.0]]));
    /// assert_eq!(x.nansum().item()?, 6.0);
    /// assert_eq!(x.nansum_axes(1).value()?.to_vec(), [1.0, 5.0]);
    /// assert_eq!(x.nansum().backward()?.wrt(x)?.to_vec(), [1.0, 0.0, 1.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    nansum nansum_axes nansum_keepdim ("sum without NaNs") fails: ".";
    |x, axes, keepdim| x.tape().composed("nansum", || {
        axes.resolve(&x.try_shape()?)?;
        let terms = Number::select(x.is_nan(), x.constant(0.0), x);
        Ok(if keepdim { terms.sum_keepdim(axes) } else { terms.sum_axes(axes) })
    });

    /// The mean of all elements that are not NaN; NaN of none.
    ///
    /// # Gradient
    ///
    /// 1/k to each of the k elements that are not NaN, 0 to a NaN.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, f64::NAN, 3.0]));
    /// assert_eq!(x.nanmean().item()?, 2.0);
    /// assert_eq!(x.nanmean().backward()?.wrt(x)?.to_vec(), [0.5, 0.0, 0.5]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    nanmean nanmean_axes nanmean_keepdim ("mean without NaNs") fails: ".";
    |x, axes, keepdim| x.tape().composed("nanmean", || {
        axes.resolve(&x.try_shape()?)?;
        let there = x.eq(x);
        let terms = Number::select(there, x, x.constant(0.0));
        let sum = |x: crate::tape::Var<'t, T>, axes: Axes| if keepdim { x.sum_keepdim(axes) } else { x.sum_axes(axes) };
        Ok(sum(terms, axes.clone()) / sum(there, axes))
    });

    /// How many elements are not 0; a NaN is not.
    ///
    /// # Gradient
    ///
    /// 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 0.0], [f64::NAN, -2.0]]));
    /// assert_eq!(x.count_nonzero().item()?, 3.0);
    /// assert_eq!(x.count_nonzero_axes(0).value()?.to_vec(), [2.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    count_nonzero count_nonzero_axes count_nonzero_keepdim ("number of elements that are not 0") fails: ".";
    |x, axes, keepdim| x.tape().composed("count_nonzero", || {
        axes.resolve(&x.try_shape()?)?;
        let mask = x.ne(0.0);
        Ok(if keepdim { mask.sum_keepdim(axes) } else { mask.sum_axes(axes) })
    });

    /// 1 if some element is not 0, else 0, also of none. A NaN is not 0.
    ///
    /// # Gradient
    ///
    /// 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 0.0], [0.0, 0.0]]));
    /// assert_eq!(x.any().item()?, 1.0);
    /// assert_eq!(x.any_axes(1).value()?.to_vec(), [1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    any any_axes any_keepdim ("mask of whether some element is not 0") fails: ".";
    |x, axes, keepdim| x.tape().composed("any", || {
        axes.resolve(&x.try_shape()?)?;
        let mask = x.ne(0.0);
        Ok((if keepdim { mask.sum_keepdim(axes) } else { mask.sum_axes(axes) }).gt(0.0))
    });

    /// 1 if no element is 0, else 0; 1 of none. A NaN is not 0.
    ///
    /// # Gradient
    ///
    /// 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, 2.0], [0.0, 3.0]]));
    /// assert_eq!(x.all().item()?, 0.0);
    /// assert_eq!(x.all_axes(1).value()?.to_vec(), [1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    all all_axes all_keepdim ("mask of whether no element is 0") fails: ".";
    |x, axes, keepdim| x.tape().composed("all", || {
        axes.resolve(&x.try_shape()?)?;
        let mask = x.eq(0.0);
        Ok((if keepdim { mask.sum_keepdim(axes) } else { mask.sum_axes(axes) }).eq(0.0))
    });
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, unary, wrong};
    let three = || rank3(-2.0, 2.0).avoid(&[0.0]);
    vec![
        sample!("nansum", unary(-2.0, 2.0), |x| x[0].nansum()),
        sample!("nansum over middle", rank3(-2.0, 2.0), |x| x[0].nansum_axes(1).square()),
        sample!("nansum over outer two", rank3(-2.0, 2.0), |x| x[0].nansum_keepdim([0, 2])),
        sample!("nanmean", unary(-2.0, 2.0).not_empty(), |x| x[0].nanmean()),
        sample!("nanmean over middle", rank3(-2.0, 2.0), |x| x[0].nanmean_axes(1).square()),
        sample!("nanmean over outer two", rank3(-2.0, 2.0), |x| x[0].nanmean_keepdim([0, 2])),
        sample!("count_nonzero", three(), |x| x[0].square() * (x[0] * x[0].ne(0.0)).count_nonzero()),
        sample!("count_nonzero over some", three(), |x| {
            x[0].gt(0.0).count_nonzero_axes([0, 1]) + x[0].gt(0.0).count_nonzero_keepdim(1)
        }),
        sample!("any", three(), |x| x[0].square() * x[0].any()),
        sample!("any over some", three(), |x| x[0].gt(1.0).any_axes(2)
            + x[0].gt(1.0).any_keepdim([0, 2]).sum())
        .avoiding(&[0.0, 1.0]),
        sample!("all", three(), |x| x[0].square() * x[0].all()),
        sample!("all over some", three(), |x| x[0].gt(-1.0).all_axes(2)
            + x[0].gt(-1.0).all_keepdim([0, 2]).sum())
        .avoiding(&[0.0, -1.0]),
        wrong!("nansum", &[&[2, 3]], |x| x[0].nansum_axes(2), "axis 2 is out of range for shape [2, 3]"),
        wrong!(
            "count_nonzero",
            &[&[2]],
            |x| x[0].count_nonzero_axes(1),
            "axis 1 is out of range for shape [2]"
        ),
        wrong!("any", &[&[2]], |x| x[0].any_keepdim(1), "axis 1 is out of range for shape [2]"),
        wrong!("all", &[&[2]], |x| x[0].all_axes(-2), "axis -2 is out of range for shape [2]"),
        wrong!("nanmean", &[&[2, 3]], |x| x[0].nanmean_axes([1, 1]), "axis 1 is given twice"),
    ]
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn nothing_but_nans() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([[f64::NAN, f64::NAN], [1.0, f64::INFINITY]]));
        let sums = x.nansum_axes(1);
        assert_eq!(sums.value().unwrap().to_vec(), [0.0, f64::INFINITY]);
        assert_eq!(sums.sum().backward().unwrap().wrt(x).unwrap().to_vec(), [0.0, 0.0, 1.0, 1.0]);
        let means = x.nanmean_axes(1).value().unwrap().to_vec();
        assert!(means[0].is_nan() && means[1] == f64::INFINITY);
    }

    #[test]
    fn masks_of_nothing_and_of_nans() {
        let tape = Tape::new();
        let none = tape.var(&Tensor::<f64>::zeros([0, 2]).unwrap());
        assert_eq!((none.any().item().unwrap(), none.all().item().unwrap()), (0.0, 1.0));
        assert_eq!(none.all_axes(0).value().unwrap().to_vec(), [1.0, 1.0]);
        let nan = tape.var(&Tensor::from([f64::NAN]));
        assert_eq!((nan.any().item().unwrap(), nan.all().item().unwrap()), (1.0, 1.0));
    }
}
