//! Elements where a mask is not 0: selected, filled, and set one after another.

use crate::error::{ErrorKind, Result};
use crate::number::Real;
use crate::shape::{Shape, broadcast};
use crate::tape::{IntoVar, Tape, Var};
use crate::tensor::{Places, Tensor};

/// What stands for a mask: a variable, whose elements count unless they are 0, or a tensor of truth values.
///
/// ```
/// use retrograde::{Tape, Tensor};
///
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([1.0, -2.0]));
/// assert_eq!(x.masked_fill(x.lt(0.0), 0.0).value()?.to_vec(), [1.0, 0.0]);
/// assert_eq!(x.masked_fill(&Tensor::from([true, false]), 0.0).value()?.to_vec(), [0.0, -2.0]);
/// # Ok::<(), retrograde::Error>(())
/// ```
pub trait IntoMask<'t, T: Real> {
    /// The mask as a variable of zeros and ones, on this tape if it is made.
    fn into_mask(self, tape: &'t Tape<T>) -> Var<'t, T>;
}

impl<'t, T: Real> IntoMask<'t, T> for Var<'t, T> {
    fn into_mask(self, _: &'t Tape<T>) -> Var<'t, T> {
        self
    }
}

impl<'t, T: Real> IntoMask<'t, T> for &Tensor<bool> {
    #[track_caller]
    fn into_mask(self, tape: &'t Tape<T>) -> Var<'t, T> {
        tape.composed("mask", || Ok(tape.constant(&self.map(|kept| if kept { T::ONE } else { T::ZERO })?)))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// A value and a mask broadcast against each other and flattened, and where the mask is not 0.
    fn where_not_zero(self, mask: Var<'t, T>) -> Result<(Shape, Var<'t, T>, Tensor<i64>)> {
        let mask = mask.value()?;
        let shape = broadcast(&self.try_shape()?, mask.shape())?;
        let index = Tensor::from(mask.expand(&shape)?.flat_nonzero());
        let all = Shape::new([shape.count()])?;
        let flat = self.expand(&shape).reshape(all);
        Ok((shape, flat, index))
    }

    /// The elements where a mask is not 0, in row-major order: one axis, as long as there are any. Both are broadcast.
    ///
    /// # Gradient
    ///
    /// The cotangents where the elements were, 0 elsewhere; none to the mask.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([[1.0, -2.0], [-3.0, 4.0]]));
    /// let y = x.masked_select(x.gt(0.0));
    /// assert_eq!(y.value()?.to_vec(), [1.0, 4.0]);
    /// assert_eq!(y.square().sum().backward()?.wrt(x)?.to_vec(), [2.0, 0.0, 0.0, 8.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "compress")]
    #[track_caller]
    pub fn masked_select(self, mask: impl IntoMask<'t, T>) -> Var<'t, T> {
        let mask = mask.into_mask(self.tape());
        self.tape().composed("masked_select", || {
            let (_, flat, index) = self.where_not_zero(mask)?;
            Ok(flat.picked("masked_select", Places::whole(&flat.try_shape()?, 0, &index)?))
        })
    }

    /// This with another value where a mask is not 0. All three are broadcast.
    ///
    /// # Gradient
    ///
    /// To the other value the cotangent where the mask is not 0, to this the cotangent elsewhere; none to the mask.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast).
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, f64::NAN]));
    /// let y = x.masked_fill(x.is_nan(), 0.0);
    /// assert_eq!(y.value()?.to_vec(), [1.0, 0.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.0, 0.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn masked_fill(self, mask: impl IntoMask<'t, T>, value: impl IntoVar<'t, T>) -> Var<'t, T> {
        let (mask, value) = (mask.into_mask(self.tape()), value.into_var(self.tape()));
        Var::where_(mask, value, self)
    }

    /// This with the elements of another value, in row-major order one after another, where a mask is not 0. This and the
    /// mask are broadcast; what is left over of the other value is not used.
    ///
    /// # Gradient
    ///
    /// To the elements used the cotangent at their places, 0 to the others; to this the cotangent elsewhere; none to the
    /// mask.
    ///
    /// # Errors
    ///
    /// [`Broadcast`](ErrorKind::Broadcast); [`ElementCount`](ErrorKind::ElementCount) if there are too few elements.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// let mask = Tensor::from([true, false, true]);
    /// assert_eq!(x.masked_scatter(&mask, &Tensor::from([8.0, 9.0])).value()?.to_vec(), [8.0, 2.0, 9.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn masked_scatter(self, mask: impl IntoMask<'t, T>, source: impl IntoVar<'t, T>) -> Var<'t, T> {
        let (mask, source) = (mask.into_mask(self.tape()), source.into_var(self.tape()));
        self.tape().composed("masked_scatter", || {
            let (shape, flat, index) = self.where_not_zero(mask)?;
            let found = source.try_shape()?.count();
            if found < index.len() {
                let (shape, wanted) = (index.shape().to_vec(), index.len());
                return Err(ErrorKind::ElementCount { shape, wanted, found }.into());
            }
            let piece = source.ravel().slice(0, ..index.len() as isize);
            Ok(flat.index_copy(0, &index, piece).reshape(shape))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{sample, shapes, unary, wrong};
    let pairs = || {
        let cases: &[&[&[usize]]] = &[&[&[2, 3], &[2, 3]], &[&[3], &[2, 3]], &[&[2, 3], &[3]], &[&[], &[4]]];
        shapes(cases, -2.0, 2.0)
    };
    let sources = || shapes(&[&[&[3], &[3]], &[&[2, 3], &[2, 2]], &[&[3], &[2, 4]]], -2.0, 2.0);
    vec![
        sample!("masked_select", unary(-2.0, 2.0), |x| x[0].masked_select(x[0].gt(0.0)).square())
            .avoiding(&[0.0]),
        sample!("masked_select of broadcast", pairs(), |x| x[0].masked_select(x[1].gt(0.5)).square())
            .avoiding(&[0.5]),
        sample!("masked_fill", pairs(), |x| x[0].masked_fill(x[1].gt(0.0), x[1]).square() * x[0])
            .avoiding(&[0.0]),
        sample!("masked_fill by truth", sources(), |x| {
            x[0].masked_fill(&Tensor::from([true, false, true]), x[1].sum()).square()
        }),
        sample!("masked_scatter", sources(), |x| {
            x[0].masked_scatter(&Tensor::from([true, false, true]), x[1]).square() * x[0]
        }),
        sample!("masked_scatter of broadcast", shapes(&[&[&[3], &[5]]], -2.0, 2.0), |x| {
            x[0].masked_scatter(&Tensor::from([[true], [false]]), x[1]).square()
        }),
        wrong!(
            "masked_select",
            &[&[2], &[3]],
            |x| x[0].masked_select(x[1]),
            "shapes [2] and [3] do not broadcast"
        ),
        wrong!(
            "where",
            &[&[2], &[3]],
            |x| x[0].masked_fill(x[1], 0.0),
            "shapes [3] and [2] do not broadcast"
        ),
        wrong!(
            "masked_scatter",
            &[&[3], &[2]],
            |x| x[0].masked_scatter(&Tensor::from([true, true, true]), x[1]),
            "shape [3] needs 3 elements, found 2"
        ),
    ]
}
