//! Layouts in which elements may stand several times: windows that overlap, and any strides.

use crate::error::{ErrorKind, Result, argument};
use crate::kernels::add_strided;
use crate::number::Real;
use crate::shape::{IntoShape, Shape, Strides, resolve_axis, row_major};
use crate::tape::{At, Operation, Outputs, Partials, Parts, Saved, Var, one};
use crate::tensor::Tensor;

/// The elements of a row-major array that strides lead to.
#[derive(Clone)]
struct Strided {
    shape: Shape,
    strides: Strides,
    offset: usize,
    /// The shape of the array.
    of: Shape,
}

/// Its adjoint: each element added to the one of the array that it was.
struct Gathered(Strided);

impl Strided {
    fn sum<T: Real>(&self, g: &Tensor<T>) -> Result<Tensor<T>> {
        let view = g.view();
        Tensor::build(self.of.clone(), |out| {
            out.fill(T::ZERO);
            add_strided(
                &self.shape,
                (view.data, view.offset, view.strides),
                (self.offset, &self.strides),
                out,
            );
        })
    }
}

impl<T: Real> Operation<T> for Strided {
    fn name(&self) -> &'static str {
        "as_strided"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        x[0].as_strided(self.shape.clone(), self.strides.clone(), self.offset).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).tape().apply(Gathered(self.clone()), &[at.g(0)]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.tape().apply(self.clone(), &[dx]))
    }
    fn fused(&self, at: &Saved<'_, T>, g: &mut [Option<Tensor<T>>]) -> Option<Result<Partials<T>>> {
        let g = g[0].take()?;
        at.one(self.sum(&g))
    }
}

impl<T: Real> Operation<T> for Gathered {
    fn name(&self) -> &'static str {
        "as_strided_sum"
    }
    fn forward(&self, x: &[&Tensor<T>]) -> Result<Outputs<T>> {
        self.0.sum(x[0]).map(one)
    }
    fn vjp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.one(at.g(0).tape().apply(self.0.clone(), &[at.g(0)]))
    }
    fn jvp<'t>(&self, at: &At<'_, 't, T>) -> Result<Parts<'t, T>> {
        at.sum_of(|_, dx| dx.tape().apply(Gathered(self.0.clone()), &[dx]))
    }
}

impl<'t, T: Real> Var<'t, T> {
    /// The element at index `i` of the result is number `offset + Σ iₖ·stridesₖ` of this one's elements in row-major
    /// order, however they lie in memory. Elements may stand several times.
    ///
    /// # Gradient
    ///
    /// The sum of the cotangents of all places where an element stands.
    ///
    /// # Errors
    ///
    /// [`Argument`](ErrorKind::Argument) unless there is one stride for each axis; [`Index`](ErrorKind::Index), in the
    /// flattened elements, if the layout leads outside.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// let y = x.as_strided([2, 2], [1, 1], 0);
    /// assert_eq!(y.value()?.to_vec(), [1.0, 2.0, 2.0, 3.0]);
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.0, 2.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[track_caller]
    pub fn as_strided(
        self,
        shape: impl IntoShape,
        strides: impl AsRef<[usize]>,
        offset: usize,
    ) -> Var<'t, T> {
        self.tape().composed("as_strided", || {
            let (of, shape, strides) = (self.try_shape()?, shape.into_shape()?, strides.as_ref());
            if strides.len() != shape.len() {
                return argument("the number of strides", strides.len(), shape.len());
            }
            let reach = |last: usize, (&n, &stride): (&usize, &usize)| {
                last.saturating_add(n.saturating_sub(1).saturating_mul(stride))
            };
            let last = shape.iter().zip(strides).fold(offset, reach);
            if shape.count() > 0 && last >= of.count() {
                let index = i64::try_from(last).unwrap_or(i64::MAX);
                return Err(ErrorKind::Index { index, axis: 0, size: of.count() }.into());
            }
            // An axis of length 1, or of none, is never stepped along.
            let steps =
                shape.iter().zip(strides).map(|(&n, &stride)| if n > 1 { stride as isize } else { 0 });
            let strides: Strides = if shape.count() == 0 { row_major(&shape) } else { steps.collect() };
            Ok(self.tape().apply(Strided { shape, strides, offset, of }, &[self]))
        })
    }

    /// Windows of `size` along an axis, one every `step`: the axis counts the windows, and what they show is a new last
    /// axis. A view of a row-major value.
    ///
    /// # Gradient
    ///
    /// The sum of the cotangents of all windows that show an element.
    ///
    /// # Errors
    ///
    /// [`Axis`](ErrorKind::Axis); [`Argument`](ErrorKind::Argument) for a size above the length of the axis, or a step of 0.
    ///
    /// ```
    /// use retrograde::{Tape, Tensor};
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0, 4.0]));
    /// let y = x.unfold(0, 3, 1);
    /// assert_eq!(y.value()?, Tensor::from([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]));
    /// assert_eq!(y.sum().backward()?.wrt(x)?.to_vec(), [1.0, 2.0, 2.0, 1.0]);
    /// # Ok::<(), retrograde::Error>(())
    /// ```
    #[doc(alias = "sliding_window_view")]
    #[track_caller]
    pub fn unfold(self, axis: isize, size: usize, step: usize) -> Var<'t, T> {
        self.tape().composed("unfold", || {
            let of = self.try_shape()?;
            let axis = resolve_axis(axis, &of)?;
            if size > of[axis] {
                return argument("the size of a window", size, format!("at most {}", of[axis]));
            }
            if step == 0 {
                return argument("the step", "0", "at least 1");
            }
            let (mut dims, mut strides) = (of.to_vec(), row_major(&of));
            dims[axis] = (of[axis] - size) / step + 1;
            dims.push(size);
            strides.push(strides[axis]);
            strides[axis] = strides[axis].saturating_mul(isize::try_from(step).unwrap_or(isize::MAX));
            if dims[axis] == 1 {
                strides[axis] = 0;
            }
            Ok(self.tape().apply(Strided { shape: Shape::new(dims)?, strides, offset: 0, of }, &[self]))
        })
    }
}

#[cfg(test)]
pub(super) fn samples() -> Vec<crate::conformance::Sample> {
    use crate::conformance::{rank3, sample, shapes, wrong};
    let sixteen = || shapes(&[&[&[16]], &[&[4, 4]], &[&[2, 2, 4]]], -2.0, 2.0);
    let fives = || shapes(&[&[&[5]], &[&[5, 2]], &[&[5, 0]]], -2.0, 2.0);
    vec![
        sample!("as_strided", sixteen(), |x| x[0].as_strided([2, 3, 2], [1, 4, 2], 3).square()),
        sample!("as_strided overlapping", sixteen(), |x| x[0].as_strided([2, 2, 5], [1, 1, 1], 0).square()),
        sample!("as_strided repeating", sixteen(), |x| x[0].as_strided([3, 1, 2], [0, 99, 7], 1).square()),
        sample!("as_strided to one", rank3(-2.0, 2.0), |x| x[0].as_strided([], [], 4).square()),
        sample!("as_strided to nothing", rank3(-2.0, 2.0), |x| x[0].as_strided([2, 0], [9999, 1], 9999)),
        sample!("unfold", fives(), |x| x[0].unfold(0, 3, 1).square()),
        sample!("unfold with gaps", fives(), |x| x[0].unfold(0, 2, 3).square()),
        sample!("unfold last", rank3(-2.0, 2.0), |x| x[0].unfold(-1, 1, 2).square()),
        sample!("unfold whole", rank3(-2.0, 2.0), |x| x[0].unfold(1, 1, usize::MAX).square()),
        sample!("unfold of two axes", shapes(&[&[&[4, 5]]], -2.0, 2.0), |x| {
            x[0].unfold(0, 2, 1).unfold(1, 3, 2).square() * x[0].sum()
        }),
        sample!("unfold to nothing", fives(), |x| x[0].unfold(0, 0, 1)),
        wrong!(
            "as_strided",
            &[&[2, 3]],
            |x| x[0].as_strided([2, 2], [1], 0),
            "the number of strides is 1, wanted 2"
        ),
        wrong!(
            "as_strided",
            &[&[2, 3]],
            |x| x[0].as_strided([2, 2], [4, 1], 1),
            "index 6 is out of range for axis 0 of size 6"
        ),
        wrong!("unfold", &[&[2, 3]], |x| x[0].unfold(1, 4, 1), "the size of a window is 4, wanted at most 3"),
        wrong!("unfold", &[&[2, 3]], |x| x[0].unfold(1, 1, 0), "the step is 0, wanted at least 1"),
        wrong!("unfold", &[&[2, 3]], |x| x[0].unfold(2, 1, 1), "axis 2 is out of range for shape [2, 3]"),
    ]
}
